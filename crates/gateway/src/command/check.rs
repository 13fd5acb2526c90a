//! `nameplate check`: every device judged by the approved baselines.

use clap::{Args, ValueEnum};
use nameplate_core::baseline::{Clock, Conformance, Exempted, Judged, worst};
use nameplate_core::catalog::Asset;
use serde::Serialize;

use super::devices::time_ns;
use crate::cli::{Format, Options};
use crate::failure::{Code, Failure};
use crate::lines::place;
use crate::store::{Store, now_ns};
use crate::{print, profiles, state};

/// Nanoseconds of a day.
const DAY_NS: u64 = 86_400_000_000_000;
/// Judge every device by the approved baselines.
#[derive(Debug, Args)]
#[command(
    after_help = "A release is: conforms; behind (a newer one of its release line is approved); other-line; newer (than what is approved, so not\n\
                        approved); in-test; superseded; not-listed (nobody decided, or the order of the texts is not known); unknown, with its\n\
                        reason; or disapproved. Stale stands beside it, and so do what the vendor says and what is waived, mitigated or deferred. A\n\
                        device shows its worst part, in this order from the worst: disapproved, unknown, not-listed, newer, in-test, superseded,\n\
                        other-line, behind, conforms. Advisories take no part yet.\n\n\
                        Example:\n  nameplate check --fail-on disapproved --fail-on behind --stale-after 7"
)]
pub struct Check {
    /// As it was on a day or at a time: 2026-03-02 or 2026-03-02T10:15:30Z
    #[arg(long, value_name = "DATE")]
    as_of: Option<String>,
    /// A reading that is older than this is stale
    #[arg(long, value_name = "DAYS", default_value_t = 30)]
    stale_after: u32,
    /// End with exit code 1 when this is found; may be repeated
    #[arg(long, value_enum, value_name = "WHAT")]
    fail_on: Vec<FailOn>,
}

/// What can fail a check.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum FailOn {
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
    /// What somebody answers for leaving as it is does not fail a check, until that time is over.
    fn is_met_by(self, judged: &Judged) -> bool {
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
        }
    }
}

impl Check {
    /// Runs the command.
    ///
    /// # Errors
    /// The state; that something was found which `--fail-on` names.
    pub fn run(&self, options: &Options) -> Result<(), Failure> {
        let profiles = profiles::load(options.profiles.as_deref())?;
        let directory = state::directory(options.state.as_ref())?;
        let as_of = self.as_of.as_deref().map(time_ns).transpose()?;
        let view = Store::read(&directory)?.map(|store| store.view(as_of)).transpose()?.unwrap_or_default();
        let stale_after_ns = u64::from(self.stale_after).saturating_mul(DAY_NS);
        let clock = Clock { now_ns: as_of.unwrap_or_else(now_ns), stale_after_ns };
        let judge = |asset| (asset, view.baselines.judge(asset, &profiles, clock));
        let mut assets: Vec<(&Asset, Vec<Judged>)> = view.catalog.assets().map(judge).collect();
        // The sort is stable: what is equally bad stays in the order of ids.
        assets.sort_by_key(|(_, judged)| worst(judged).map(|worst| worst.conformance));
        let lines: Vec<Line<'_>> =
            assets.iter().flat_map(|(asset, judged)| judged.iter().map(|one| Line::new(asset, one, judged))).collect();
        print::out(&shown(&lines, print::format(options)))?;
        let all: Vec<&Judged> = assets.iter().flat_map(|(_, judged)| judged).collect();
        summary(assets.len(), &all);
        let met: Vec<&&Judged> = all.iter().filter(|judged| self.fail_on.iter().any(|what| what.is_met_by(judged))).collect();
        match met.len() as u64 {
            0 => Ok(()),
            found => Err(Failure::new(Code::Found, format!("{} found of what --fail-on names", print::count(found, "part")))),
        }
    }
}

/// Never says more than was looked at.
fn summary(devices: usize, all: &[&Judged]) {
    let of = |conformance: Conformance| all.iter().filter(|judged| judged.conformance == conformance).count();
    let mut counts: Vec<(usize, &str)> = Conformance::ALL.iter().map(|verdict| (of(*verdict), verdict.name())).collect();
    counts.push((all.iter().filter(|judged| judged.stale).count(), "stale"));
    counts.push((all.iter().filter(|judged| judged.is_exempt()).count(), "left as it is for a time"));
    let counts: Vec<String> = counts.iter().filter(|(count, _)| *count > 0).map(|(count, word)| format!("{count} {word}")).collect();
    let (devices, parts) = (print::count(devices as u64, "device"), print::count(all.len() as u64, "part"));
    eprintln!("{devices}, {parts}: {}", if counts.is_empty() { "nothing to judge".to_owned() } else { counts.join(", ") });
    eprintln!("compared with approved baselines only; no advisory was looked at");
}

/// One revision of one part, as a program reads it.
#[derive(Serialize)]
struct Line<'a> {
    asset: &'a str,
    #[serde(skip)]
    address: String,
    component: &'a str,
    field: &'static str,
    installed: Option<&'a str>,
    grade: Option<&'static str>,
    conformance: &'static str,
    /// The worst of the asset's parts.
    asset_conformance: &'static str,
    approved: &'a [String],
    stale: bool,
    reason: String,
    baseline_entry: Option<u64>,
    /// The preferred release.
    #[serde(skip_serializing_if = "Option::is_none")]
    target: Option<&'a str>,
    /// What the vendor says of the installed release.
    #[serde(skip_serializing_if = "Option::is_none")]
    vendor: Option<&'static str>,
    /// That it is left as it is, or that this is over.
    #[serde(skip_serializing_if = "Option::is_none")]
    exempted: Option<String>,
}

const HEADER: [&str; 12] = [
    "asset",
    "address",
    "component",
    "field",
    "installed",
    "grade",
    "conformance",
    "asset_conformance",
    "approved",
    "stale",
    "reason",
    "baseline_entry",
];

impl<'a> Line<'a> {
    fn new(asset: &'a Asset, judged: &'a Judged, all: &[Judged]) -> Self {
        Self {
            asset: &asset.id,
            address: asset.addresses.last().map(place).unwrap_or_default(),
            component: &judged.component,
            field: judged.field.name(),
            installed: judged.installed.as_deref(),
            grade: judged.grade.map(nameplate_core::claim::Grade::name),
            conformance: judged.conformance.name(),
            asset_conformance: worst(all).map_or(judged.conformance, |worst| worst.conformance).name(),
            approved: &judged.approved,
            stale: judged.stale,
            reason: judged.exempted.iter().fold(judged.reason.clone(), |reason, exempted| format!("{reason}; {}", exempted.shown())),
            baseline_entry: judged.entry,
            target: judged.target.as_deref(),
            vendor: judged.vendor.map(|(decision, _)| decision.name()),
            exempted: judged.exempted.as_ref().map(Exempted::shown),
        }
    }

    fn cells(&self) -> Vec<String> {
        let approved = self.approved.join(" ");
        let stale = if self.stale { "stale" } else { "" };
        let entry = self.baseline_entry.map(|entry| entry.to_string()).unwrap_or_default();
        let (installed, grade) = (self.installed.unwrap_or_default(), self.grade.unwrap_or_default());
        let verdict = [self.conformance, self.asset_conformance, &approved, stale, &self.reason, &entry];
        [self.asset, &self.address, self.component, self.field, installed, grade].into_iter().chain(verdict).map(str::to_owned).collect()
    }
}

fn shown(lines: &[Line<'_>], format: Format) -> String {
    match format {
        Format::Ndjson | Format::Claims => lines.iter().map(print::json_line).collect(),
        Format::Csv => {
            let records = lines.iter().map(|line| print::csv_line(&line.cells()));
            print::csv_line(&HEADER.map(str::to_owned)) + &records.collect::<String>()
        }
        Format::Table => {
            let titles = HEADER.map(str::to_uppercase);
            print::table(&titles.each_ref().map(String::as_str), &lines.iter().map(Line::cells).collect::<Vec<_>>())
        }
    }
}
