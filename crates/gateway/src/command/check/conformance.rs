//! How each part of each device stands to its approved baseline.

use std::collections::BTreeMap;

use nameplate_core::baseline::{Clock, Conformance, Exempted, Judged, SetConformance, SetJudged, worst};
use nameplate_core::catalog::Asset;
use nameplate_core::profile::ProfileSet;
use nameplate_core::view::View;
use serde::Serialize;
use utoipa::ToSchema;

use crate::cli::Format;
use crate::lines::place;
use crate::print;

/// All devices with their parts, judged; the worst first.
pub struct Conformances<'a> {
    assets: Vec<(&'a Asset, Vec<Judged>)>,
    /// Groups of parts that are approved together.
    sets: Vec<SetJudged>,
}

impl<'a> Conformances<'a> {
    /// Of everything in the catalog.
    pub fn of(view: &'a View, profiles: &ProfileSet, clock: Clock) -> Self {
        let judge = |asset| (asset, view.baselines.judge(asset, profiles, clock));
        let mut assets: Vec<(&Asset, Vec<Judged>)> = view.catalog.assets().map(judge).collect();
        // The sort is stable: what is equally bad stays in the order of ids.
        assets.sort_by_key(|(_, judged)| worst(judged).map(|worst| worst.conformance));
        Self { assets, sets: view.baselines.judge_sets(&view.catalog, profiles, clock.now_ns) }
    }

    /// Every part.
    pub fn all(&self) -> impl Iterator<Item = &Judged> {
        self.assets.iter().flat_map(|(_, judged)| judged)
    }

    /// A line for each revision of each part.
    pub fn lines(&self) -> Vec<Line<'_>> {
        let mut sets: BTreeMap<&str, Vec<&SetJudged>> = BTreeMap::new();
        for set in &self.sets {
            set.assets.iter().for_each(|asset| sets.entry(asset).or_default().push(set));
        }
        let sets_of = |asset: &Asset| sets.get(asset.id.as_str()).map(Vec::as_slice).unwrap_or_default();
        self.assets.iter().flat_map(|(asset, judged)| judged.iter().map(|one| Line::new(asset, one, judged, sets_of(asset)))).collect()
    }

    /// As it is printed.
    pub fn shown(&self, format: Format) -> String {
        let lines = self.lines();
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

    /// One sentence; never says more than was looked at.
    pub fn summary(&self) -> String {
        let of = |conformance: Conformance| self.all().filter(|judged| judged.conformance == conformance).count();
        let mut counts: Vec<(usize, &str)> = Conformance::ALL.iter().map(|verdict| (of(*verdict), verdict.name())).collect();
        counts.push((self.all().filter(|judged| judged.stale).count(), "stale"));
        counts.push((self.all().filter(|judged| judged.is_exempt()).count(), "left as it is for a time"));
        let sets = |conformance| self.sets.iter().filter(|set| set.conformance == conformance).count();
        counts.push((sets(SetConformance::Mixed), "mixed sets of releases"));
        counts.push((sets(SetConformance::Unknown), "sets of releases not known"));
        let counts: Vec<String> = counts.iter().filter(|(count, _)| *count > 0).map(|(count, word)| format!("{count} {word}")).collect();
        let (devices, parts) = (print::count(self.assets.len() as u64, "device"), print::count(self.all().count() as u64, "part"));
        format!("{devices}, {parts}: {}", if counts.is_empty() { "nothing to judge".to_owned() } else { counts.join(", ") })
    }
}

/// One revision of one part, as a program reads it.
#[derive(Serialize, ToSchema)]
#[schema(as = ConformanceLine)]
pub struct Line<'a> {
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
    /// The sets of releases that are approved together and are for this asset.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    sets: Vec<Set<'a>>,
}

/// How a group of parts stands to a set.
#[derive(Serialize, ToSchema)]
#[schema(as = SetLine)]
struct Set<'a> {
    set: &'a str,
    conformance: &'static str,
    /// What is not on it, in words.
    off: &'a [String],
    entry: u64,
}

impl Set<'_> {
    fn shown(&self) -> String {
        let off = if self.off.is_empty() { String::new() } else { format!(" ({})", self.off.join(", ")) };
        format!("set {}: {}{off}", self.set, self.conformance)
    }
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
    fn new(asset: &'a Asset, judged: &'a Judged, all: &[Judged], sets: &[&'a SetJudged]) -> Self {
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
            reason: judged.exempted.iter().fold(judged.reason.clone(), |reason, exempted| format!("{}; {reason}", exempted.shown())),
            baseline_entry: judged.entry,
            target: judged.target.as_deref(),
            vendor: judged.vendor.map(|(decision, _)| decision.name()),
            exempted: judged.exempted.as_ref().map(Exempted::shown),
            sets: sets
                .iter()
                .map(|set| Set { set: &set.name, conformance: set.conformance.name(), off: &set.off, entry: set.entry })
                .collect(),
        }
    }

    /// What lines are sorted by where they are told in several answers: the worst devices first.
    pub fn place(&self) -> [String; 4] {
        let rank = Conformance::ALL.iter().rev().position(|one| one.name() == self.asset_conformance).unwrap_or_default();
        [rank.to_string(), self.asset.to_owned(), self.component.to_owned(), self.field.to_owned()]
    }

    /// The device's id.
    pub const fn asset(&self) -> &'a str {
        self.asset
    }

    /// The verdict.
    pub const fn conformance(&self) -> &'static str {
        self.conformance
    }

    /// Part, field, what is installed, the verdict, what is approved and why, for a page.
    pub fn told(&self) -> [String; 6] {
        let stale = if self.stale { ", stale" } else { "" };
        let stands = format!("{}{stale}", self.conformance);
        let reason = self.sets.iter().fold(self.reason.clone(), |reason, set| format!("{reason}; {}", set.shown()));
        let words = [self.component, self.field, self.installed.unwrap_or_default(), &stands, &self.approved.join(" "), &reason];
        words.map(str::to_owned)
    }

    fn cells(&self) -> Vec<String> {
        let approved = self.approved.join(" ");
        let stale = if self.stale { "stale" } else { "" };
        let entry = self.baseline_entry.map(|entry| entry.to_string()).unwrap_or_default();
        let (installed, grade) = (self.installed.unwrap_or_default(), self.grade.unwrap_or_default());
        let reason = self.sets.iter().fold(self.reason.clone(), |reason, set| format!("{}; {reason}", set.shown()));
        let verdict = [self.conformance, self.asset_conformance, &approved, stale, &reason, &entry];
        [self.asset, &self.address, self.component, self.field, installed, grade].into_iter().chain(verdict).map(str::to_owned).collect()
    }
}
