//! `nameplate check`: which advisory concerns which device, and how every device stands to its approved baselines.

pub mod conformance;
pub mod findings;
pub mod line;
mod record;
mod since;
pub mod source;
pub mod subject;
pub mod threat;

use clap::{Args, ValueEnum};
use nameplate_core::baseline::{Clock, Conformance, Judged};
use nameplate_core::finding::Verdict;
use nameplate_core::observation::rfc3339;
use nameplate_core::priority::Band;
use nameplate_core::profile::ProfileSet;
use nameplate_core::view::View;

pub use self::conformance::Conformances;
use self::findings::{Findings, Found, Tally};
use self::record::Record;
use self::since::Verdicts;
use self::source::Sources;
use self::subject::Subject;
use super::devices::{moment, time_ns};
use crate::cli::{Format, Options};
use crate::failure::{Code, Failure};
use crate::store::{Store, now_ns};
use crate::{print, profiles};

/// Nanoseconds of a day.
const DAY_NS: u64 = 86_400_000_000_000;
/// The end of a day, UTC.
const DAYS_END: &str = "23:59:59.999999999";
/// Deliveries of advisories that are looked back at to know a finding that was open before: two years of monthly ones.
const MOMENTS_MAX: usize = 24;

/// Hold every device against the advisories and the approved baselines.
#[derive(Debug, Args)]
#[command(
    after_help = "A device and a vulnerability that a document names it for are: affected; not_affected; indeterminate, with the facts that are\n\
                        missing; or contradiction, where the document says two things. Each line has its proof: `nameplate explain ID CVE`. Of a\n\
                        vulnerability that no document names the device for, nothing is said. How it is decided: docs/findings.md; what the band\n\
                        is made of: docs/priority.md.\n\n\
                        A release is: conforms; behind (a newer one of its release line is approved); other-line; newer (than what is approved, so not\n\
                        approved); in-test; superseded; not-listed (nobody decided, or the order of the texts is not known); unknown, with its\n\
                        reason; or disapproved. Stale stands beside it, and so do what the vendor says and what is waived, mitigated or deferred\n\
                        (docs/baselines.md). A device shows its worst part, in this order from the worst: disapproved, unknown, not-listed,\n\
                        newer, in-test, superseded, other-line, behind, conforms.\n\n\
                        What became of a finding stands beside it: not remediated, in progress (an open change is to end it), done (a reading shows\n\
                        it; its entry is the proof). --record --by NAME makes an entry of the ledger of it: an evaluation, which that person stands by.\n\n\
                        --fail-on critical, important, moderate and low mean: of that band or a worse one, and not known to be not affected.\n\n\
                        Examples:\n  nameplate check --fail-on important --fail-on disapproved --stale-after 7\n  \
                        nameplate check --inventory plant.csv --advisories csaf/          needs no state and keeps none"
)]
pub struct Check {
    /// What is judged, and by what.
    #[command(flatten)]
    sources: Sources,
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
    #[command(flatten)]
    record: Record,
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
    Superseded,
    InTest,
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
        if found.exempted.as_ref().is_some_and(|exempted| !exempted.has_ended) {
            return false;
        }
        let band = found.decision.as_ref().map(|decision| decision.band);
        match self {
            Self::Affected => found.verdict == Verdict::Affected,
            Self::Indeterminate => found.verdict == Verdict::Indeterminate,
            Self::Contradiction => found.verdict == Verdict::Contradiction,
            other => other.band().is_some_and(|least| band.is_some_and(|band| band >= least)),
        }
    }

    /// What somebody answers for leaving as it is fails no check until that time is over.
    fn is_met_by_part(self, judged: &Judged) -> bool {
        if judged.is_exempt() && self != Self::Stale {
            return false;
        }
        match self {
            Self::Superseded => judged.conformance == Conformance::Superseded,
            Self::InTest => judged.conformance == Conformance::InTest,
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
        let profiles = profiles::load(options)?;
        let as_of = self.as_of.as_deref().map(time_ns).transpose()?;
        let now = as_of.unwrap_or_else(now_ns);
        let kept = self.sources.kept(options, as_of)?;
        let view = kept.as_ref().map(|(_, view)| view);
        let format = print::format(options);
        if let Some(since) = &self.since {
            return self.print_since(kept.as_ref(), &profiles, (moment("--since", since, DAYS_END)?, now), format);
        }
        let source = self.sources.findings(kept.as_ref().map(|(store, view)| (store, view)), now)?;
        let unread = source.as_ref().map_or(0, |source| source.unread);
        let findings = source.map(|source| source.findings);
        let conformances = view.filter(|_| self.sources.inventory.is_none()).map(|view| {
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
            let subjects = self.sources.subjects(view, &profiles)?;
            let (tally, lines) = self.print_findings(findings, &subjects, view.map(|view| (view, now)), format)?;
            met += lines;
            self.record.keep(findings, &subjects, &tally, view, options)?;
        } else {
            self.record.refuse_if_asked()?;
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
            0 if unread > 0 => Err(Failure::new(Code::Input, format!("{} could not be read", print::count(unread, "file")))),
            0 => Ok(()),
            found => Err(Failure::new(Code::Found, format!("{} found of what --fail-on names", print::count(found, "line")))),
        }
    }

    /// Prints a line for each finding; returns how many `--fail-on` names.
    fn print_findings(
        &self,
        findings: &Findings,
        subjects: &[Subject],
        view: Option<(&View, u64)>,
        format: Format,
    ) -> Result<(Tally, u64), Failure> {
        let (mut tally, mut met) = (Tally::default(), 0);
        let mut collected = Vec::new();
        print::out(&line::header(format))?;
        for subject in subjects {
            let found: Vec<Found<'_>> = match view {
                Some((view, now)) => findings.judge_in(subject, view, now),
                None => findings.judge(subject).collect(),
            };
            tally.take(&found);
            met += found.iter().filter(|found| self.fail_on.iter().any(|what| what.is_met_by_finding(found))).count() as u64;
            match format {
                Format::Table => collected.extend(found),
                _ => print::out(&found.iter().map(|found| line::line(found, format)).collect::<String>())?,
            }
        }
        if format == Format::Table {
            print::out(&line::table(collected))?;
        }
        eprintln!("{}", tally.summary(findings));
        Ok((tally, met))
    }

    /// Prints what became of the findings between two times, in nanoseconds since 1970.
    fn print_since(
        &self,
        kept: Option<&(Store, View)>,
        profiles: &ProfileSet,
        (since, now): (u64, u64),
        format: Format,
    ) -> Result<(), Failure> {
        let Some((store, view)) = kept else {
            return Err(Failure::new(Code::Usage, "there is no state whose findings could have changed"));
        };
        let verdicts = |view: &View, at: u64| -> Result<Verdicts, Failure> {
            let mut verdicts = Verdicts::new();
            let Some(source) = self.sources.findings(Some((store, view)), at)? else { return Ok(verdicts) };
            for subject in self.sources.subjects(Some(view), profiles)? {
                source.findings.judge(&subject).for_each(|found| since::note(&mut verdicts, &found));
            }
            Ok(verdicts)
        };
        let of_time = |at: u64| verdicts(&store.view(Some(at))?, at);
        let before = of_time(since)?;
        let deliveries = view.advisories.taken_ns().iter().rev().filter(|at| **at < since).take(MOMENTS_MAX);
        let earlier: Vec<Verdicts> = deliveries.map(|at| of_time(*at)).collect::<Result<_, _>>()?;
        let (text, summary) = since::shown(&before, &verdicts(view, now)?, &since::open(&earlier), format);
        print::out(&text)?;
        eprintln!("since {}: {summary}", rfc3339(since));
        Ok(())
    }
}
