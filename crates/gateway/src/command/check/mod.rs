//! `nameplate check`: which advisory concerns which device, and how every device stands to its approved baselines.

mod conformance;
mod findings;

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use nameplate_core::baseline::{Clock, Conformance, Judged};

use self::conformance::Conformances;
use self::findings::Findings;
use super::devices::time_ns;
use crate::cli::{Format, Options};
use crate::failure::{Code, Failure};
use crate::store::{Store, now_ns};
use crate::{print, profiles, state};

/// Nanoseconds of a day.
const DAY_NS: u64 = 86_400_000_000_000;

/// Hold every device against the advisories and the approved baselines.
#[derive(Debug, Args)]
#[command(
    after_help = "A device and a vulnerability that a document names it for are: affected; not_affected; indeterminate, with the facts that are\n\
                        missing; or contradiction, where the document says two things. Each line has its proof: `nameplate explain ID CVE`. Of a\n\
                        vulnerability that no document names the device for, nothing is said. How it is decided: docs/findings.md; what the band\n\
                        is made of: docs/priority.md.\n\n\
                        A release is: conforms; behind (a newer one of its release line is approved); other-line; newer (than what is approved, so not\n\
                        approved); not-listed (nobody decided, or the order of the texts is not known); unknown, with its reason; or disapproved.\n\
                        Stale stands beside it. A device shows its worst part, in this order from the worst: disapproved, unknown, not-listed,\n\
                        newer, other-line, behind, conforms.\n\n\
                        --fail-on critical, important, moderate and low mean: of that band or a worse one, and not known to be not affected.\n\n\
                        Examples:\n  nameplate check --fail-on important --fail-on disapproved --stale-after 7\n  \
                        nameplate check --inventory plant.csv --advisories csaf/          needs no state and keeps none"
)]
pub struct Check {
    /// Judge the rows of this sheet instead of the catalog: columns as `nameplate import devices` takes them; others are facts that an
    /// advisory may ask for, named in its words (function_state, bundle, host, ...)
    #[arg(long, value_name = "SHEET")]
    inventory: Option<PathBuf>,
    /// Advisories from here instead of those that were imported: a CSAF document, a directory or a zip; may be repeated
    #[arg(long, value_name = "PATH")]
    advisories: Vec<PathBuf>,
    /// CISA's Known Exploited Vulnerabilities for those, JSON or CSV
    #[arg(long, value_name = "FILE", requires = "advisories")]
    kev: Option<PathBuf>,
    /// CISA's SSVC points for those
    #[arg(long, value_name = "FILE", requires = "advisories")]
    ssvc: Option<PathBuf>,
    /// FIRST's EPSS scores for those, CSV
    #[arg(long, value_name = "FILE", requires = "advisories")]
    epss: Option<PathBuf>,
    /// A policy of your own for bands and due dates [default: the built-in one, see docs/priority.md]
    #[arg(long, value_name = "FILE")]
    policy: Option<PathBuf>,
    /// Print one of the two alone; CSV has room for one
    #[arg(long, value_enum, value_name = "WHAT")]
    only: Option<Only>,
    /// As it was on a day or at a time: 2026-03-02 or 2026-03-02T10:15:30Z
    #[arg(long, value_name = "DATE", conflicts_with = "inventory")]
    as_of: Option<String>,
    /// Only what became of findings since then: new, gone, re-opened, or with another verdict
    #[arg(long, value_name = "DATE", conflicts_with_all = ["inventory", "advisories"])]
    since: Option<String>,
    /// A reading that is older than this is stale
    #[arg(long, value_name = "DAYS", default_value_t = 30)]
    stale_after: u32,
    /// End with exit code 1 when this is found; may be repeated
    #[arg(long, value_enum, value_name = "WHAT")]
    fail_on: Vec<FailOn>,
}

/// What is printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Only {
    /// Devices and vulnerabilities.
    Findings,
    /// Devices and approved baselines.
    Conformance,
}

/// What can fail a check.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum FailOn {
    Critical,
    Important,
    Moderate,
    Low,
    Affected,
    Indeterminate,
    Contradiction,
    Behind,
    OtherLine,
    Newer,
    Disapproved,
    NotListed,
    Unknown,
    Stale,
}

impl FailOn {
    /// The mildest band that it names.
    const fn band(self) -> Option<Band> {
        match self {
            Self::Critical => Some(Band::Critical),
            Self::Important => Some(Band::Important),
            Self::Moderate => Some(Band::Moderate),
            Self::Low => Some(Band::Low),
            _ => None,
        }
    }

    fn is_met_by_finding(self, found: &Found<'_>) -> bool {
        let band = found.decision.as_ref().map(|decision| decision.band);
        match self {
            Self::Affected => found.verdict == Verdict::Affected,
            Self::Indeterminate => found.verdict == Verdict::Indeterminate,
            Self::Contradiction => found.verdict == Verdict::Contradiction,
            other => other.band().is_some_and(|least| band.is_some_and(|band| band >= least)),
        }
    }

    fn is_met_by_part(self, judged: &Judged) -> bool {
        match self {
            Self::Behind => judged.conformance == Conformance::Behind,
            Self::OtherLine => judged.conformance == Conformance::OtherLine,
            Self::Newer => judged.conformance == Conformance::Newer,
            Self::Disapproved => judged.conformance == Conformance::Disapproved,
            Self::NotListed => judged.conformance == Conformance::NotListed,
            Self::Unknown => judged.conformance == Conformance::Unknown,
            Self::Stale => judged.stale,
            _ => false,
        }
    }
}

impl Check {
    /// Runs the command.
    ///
    /// # Errors
    /// The inputs; the state; that something was found which `--fail-on` names.
    pub fn run(&self, options: &Options) -> Result<(), Failure> {
        let profiles = profiles::load(options.profiles.as_deref())?;
        let as_of = self.as_of.as_deref().map(time_ns).transpose()?;
        let now = as_of.unwrap_or_else(now_ns);
        let known = match &self.inventory {
            Some(_) if !self.advisories.is_empty() => None,
            _ => Store::read(&state::directory(options.state.as_ref())?)?.map(|store| store.view(as_of).map(|view| (store, view))).transpose()?,
        };
        let view = known.as_ref().map(|(_, view)| view);
        let format = print::format(options);
        let findings = self.findings(known.as_ref(), now)?;
        let conformances = view.filter(|_| self.inventory.is_none()).map(|view| {
            let stale_after_ns = u64::from(self.stale_after).saturating_mul(DAY_NS);
            Conformances::of(view, &profiles, Clock { now_ns: now, stale_after_ns })
        });
        let findings = findings.filter(|_| self.only != Some(Only::Conformance));
        let conformances = conformances.filter(|_| self.only != Some(Only::Findings));
        if format == Format::Csv && findings.is_some() && conformances.is_some() {
            let why = "CSV has room for one kind of line: name --only findings or --only conformance";
            return Err(Failure::new(Code::Usage, why));
        }
        let mut met = 0_u64;
        if let Some(findings) = &findings {
            let subjects = self.subjects(view, &profiles)?;
            met += self.print_findings(findings, &subjects, format)?;
        }
        if let Some(conformances) = &conformances {
            print::out(&conformances.shown(format))?;
            eprintln!("{}", conformances.summary());
            met += conformances.all().filter(|judged| self.fail_on.iter().any(|what| what.is_met_by_part(judged))).count() as u64;
        }
        if findings.is_none() {
            eprintln!("compared with approved baselines only; no advisory was looked at");
        }
        match met {
            0 => Ok(()),
            found => Err(Failure::new(Code::Found, format!("{} found of what --fail-on names", print::count(found, "line")))),
        }
    }
}
