//! What the ledger supports of NERC CIP-007 R2 and CIP-010 R1 and R2, by the standard's parts; gaps stand first. It never says "compliant":
//! that depends on what else is kept, and on who reads it.

mod configuration;
mod patching;
mod standard;

use std::collections::HashMap;

use nameplate_core::catalog::Asset;
use nameplate_core::observation::rfc3339;
use nameplate_core::priority::Day;

pub use self::standard::Standard;
use self::standard::{PARTS, Versions};
use super::{Rows, Told, known_as, table};
use crate::failure::Failure;
use crate::output::Results;
use crate::sheet::book::{Table, Tint};
use crate::sheet::page::Bar;

/// Columns of the first tables.
const GAPS: [&str; 6] = ["part", "what", "known as", "gap", "due", "entry"];
const SHOWN: [&str; 6] = ["part", "asks", "what is shown here", "gaps", "not checked here", "your evidence"];
/// Columns of an inventory that hold the impact rating of the system that a device belongs to.
const IMPACT: [&str; 2] = ["impact", "impact_rating"];

/// Where the record falls short.
struct Gap {
    /// The part, as the standard numbers it, without its version: `CIP-007 R2.2`.
    part: &'static str,
    /// The device, the order, the source.
    what: String,
    /// What is missing, in words.
    gap: String,
    due: Option<Day>,
    entry: Option<u64>,
}

/// What was looked at, and what is missing.
struct Shown {
    gaps: Vec<Gap>,
    tables: Vec<Table>,
}

/// To which parts a device belongs, by the impact rating that its owner gave.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Impact {
    High,
    Medium,
    Low,
    /// Nobody said, or in another word: all parts are taken to apply.
    Unknown,
}

impl Impact {
    fn of(asset: &Asset) -> Self {
        let cell = asset.columns.iter().find(|(column, _)| IMPACT.iter().any(|name| column.eq_ignore_ascii_case(name)));
        match cell.map(|(_, cell)| cell.trim().to_lowercase()).as_deref() {
            Some("high") => Self::High,
            Some("medium") => Self::Medium,
            Some("low" | "none") => Self::Low,
            _ => Self::Unknown,
        }
    }

    const fn name(self) -> &'static str {
        match self {
            Self::High => "high",
            Self::Medium => "medium",
            Self::Low => "low",
            Self::Unknown => "not known",
        }
    }
}

/// The report, made for these versions of the standards.
pub fn report(told: &Told<'_>, standards: &[Standard]) -> Result<Results, Failure> {
    let versions = Versions::of(standards)?;
    let assets: Vec<&Asset> = told.view.catalog.assets().filter(|asset| Impact::of(asset) != Impact::Low).collect();
    let mut shown: Vec<Shown> = Vec::new();
    if versions.patching.is_some() {
        shown.push(patching::shown(told, &assets)?);
    }
    if versions.configuration.is_some() {
        shown.push(configuration::shown(told, &assets));
    }
    let mut gaps: Vec<Gap> = Vec::new();
    let mut tables = Vec::new();
    for one in shown {
        gaps.extend(one.gaps);
        tables.extend(one.tables);
    }
    gaps.sort_by(|one, other| (one.part, &one.due, &one.what, &one.gap).cmp(&(other.part, &other.due, &other.what, &other.gap)));
    let named: HashMap<&str, &Asset> = assets.iter().map(|asset| (asset.id.as_str(), *asset)).collect();
    let rows = gaps.iter().map(|gap| {
        let device = gap.what.split([' ', ',']).find_map(|word| named.get(word));
        let [due, entry] = [gap.due.map(|day| day.to_string()), gap.entry.map(|entry| entry.to_string())].map(Option::unwrap_or_default);
        (
            Tint::Bad,
            vec![
                versions.named(gap.part),
                gap.what.clone(),
                device.map(|asset| known_as(asset)).unwrap_or_default(),
                gap.gap.clone(),
                due,
                entry,
            ],
        )
    });
    let mut all = vec![table("Gaps", &GAPS, rows.collect()), table("Parts", &SHOWN, parts(&versions, &gaps))];
    all.extend(tables);
    let left_out = told.view.catalog.assets().count() - assets.len();
    Ok(Results {
        title: format!("Evidence for {}", versions.title()),
        sentences: sentences(told, &versions, (assets.len(), left_out)),
        bars: bars(&versions, &gaps),
        tables: all,
        ..Results::default()
    })
}

fn sentences(told: &Told<'_>, versions: &Versions, (counted, left_out): (usize, usize)) -> Vec<String> {
    let mut sentences = vec![
        format!("As known at {}. Made for {}.", rfc3339(told.now_ns), versions.title()),
        "It shows what the ledger supports of these parts and where it falls short. Whether an entity meets a requirement it does not say: that \
         depends on what else is kept, on what the systems are, and on who reads it."
            .to_owned(),
        format!(
            "Devices looked at: {counted}; left out, because their owner rates their impact low: {left_out}. Where no impact is given \
             (column `impact`: high, medium, low), every part is taken to apply. Days are calendar days; day 35 is in time."
        ),
    ];
    sentences.extend(versions.words());
    sentences
}

/// The parts in the standard's order, with how many gaps each has.
fn parts(versions: &Versions, gaps: &[Gap]) -> Rows {
    let own = PARTS.iter().filter(|part| versions.holds(part.number));
    let row = own.map(|part| {
        let count = gaps.iter().filter(|gap| gap.part == part.number).count();
        let tint = match (count, part.not_checked.is_empty()) {
            (1.., _) => Tint::Bad,
            (0, false) => Tint::Doubt,
            (0, true) => Tint::Good,
        };
        let texts = [part.asks, part.shown, &count.to_string(), part.not_checked, ""].map(str::to_owned);
        (tint, [versions.named(part.number)].into_iter().chain(texts).collect())
    });
    row.collect()
}

fn bars(versions: &Versions, gaps: &[Gap]) -> Vec<Bar> {
    let own = || PARTS.iter().filter(|part| versions.holds(part.number));
    let with = own().filter(|part| gaps.iter().any(|gap| gap.part == part.number)).count();
    let blank = own().filter(|part| part.is_not_checked()).count();
    let parts = vec![
        (Tint::Bad, "parts with gaps", with),
        (Tint::Doubt, "parts not checked here", blank),
        (Tint::Good, "parts without a gap in this record", own().count().saturating_sub(with).saturating_sub(blank)),
    ];
    vec![Bar { title: format!("{} gaps", gaps.len()), parts }]
}
