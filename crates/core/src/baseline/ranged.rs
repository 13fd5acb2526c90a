//! Ranges of a decision, read: releases, hardware revisions, and the facts of an asset that they ask for.

use super::ProductLine;
use crate::catalog::Asset;
use crate::claim::Field;
use crate::range::{Facts, Range, Verdict};
use crate::version::{Scheme, Version};

/// Signs that make a list of hardware revisions a range.
const OPERATORS: [char; 3] = ['<', '>', '='];
/// What stands between several values in one cell of the inventory.
const BETWEEN: char = ';';

/// Whether something is covered; where it cannot be said, what is missing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Covers {
    /// It is.
    Yes,
    /// It is not.
    No,
    /// It cannot be said, and why.
    Unknown(String),
}

impl Covers {
    /// Both are covered.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        match (self, other) {
            (Self::No, _) | (_, Self::No) => Self::No,
            (Self::Yes, Self::Yes) => Self::Yes,
            (Self::Unknown(one), Self::Unknown(other)) => Self::Unknown(format!("{one}; {other}")),
            (unknown @ Self::Unknown(_), _) | (_, unknown @ Self::Unknown(_)) => unknown,
        }
    }
}

/// How the versions of a product line are read: by its maker and model, or the two parts of its profile's id.
pub(super) fn scheme(line: &ProductLine) -> Option<&'static Scheme> {
    let of_profile = line.profile.as_deref().and_then(|id| id.split_once('/')).map(|(vendor, family)| (vendor.replace('-', " "), family));
    let (vendor, family) = of_profile.as_ref().map_or(("", ""), |(vendor, family)| (vendor.as_str(), *family));
    let vendor = line.manufacturer.as_deref().unwrap_or(vendor);
    let product = line.model.as_deref().or(line.product_code.as_deref()).unwrap_or(family);
    Scheme::of(vendor, product)
}

/// A range of releases; equal where its text and its scheme are.
#[derive(Clone, Debug)]
pub(super) struct Releases(Range);

impl PartialEq for Releases {
    fn eq(&self, other: &Self) -> bool {
        self.0.text() == other.0.text() && self.0.scheme().name == other.0.scheme().name
    }
}

impl Eq for Releases {}

impl Releases {
    pub fn read(line: &ProductLine, text: &str) -> Option<Self> {
        scheme(line).map(|scheme| Self(Range::read(scheme, text)))
    }

    /// Whether the range holds this release.
    pub fn cover(&self, release: &str, facts: &Facts) -> Covers {
        answer(&self.0, release, facts)
    }
}

fn answer(range: &Range, version: &str, facts: &Facts) -> Covers {
    let answer = range.answer(Some(&Version::read(range.scheme(), version)), facts);
    match answer.verdict {
        Verdict::Inside => Covers::Yes,
        Verdict::Outside => Covers::No,
        Verdict::Undecided => {
            let missing = answer.missing.map(|fact| format!(" ({fact})")).unwrap_or_default();
            Covers::Unknown(format!("{:?} in {:?}: {}{missing}", version, range.text(), answer.why.sentence()))
        }
    }
}

/// Hardware revisions: some by name, or a range of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Hardware {
    Named(Vec<String>),
    Range(Releases),
}

impl Hardware {
    /// Reads `A | B` or `>= 5`; `None` where it is neither.
    pub fn read(text: &str) -> Option<Self> {
        if !text.contains(OPERATORS) {
            let names: Vec<String> = text.split('|').map(folded).collect();
            return names.iter().all(|name| !name.is_empty()).then_some(Self::Named(names));
        }
        // Hardware counts in its own way whatever the firmware's scheme; the last one of the table claims least.
        let range = Range::read(Scheme::all().last()?, text);
        range.is_whole().then_some(Self::Range(Releases(range)))
    }

    /// Whether these are the hardware of a part of an asset.
    pub fn cover(&self, asset: &Asset, component: &str) -> Covers {
        let own = || asset.current(component, Field::HardwareRevision).or_else(|| asset.shown(Field::HardwareRevision));
        let Some(revision) = own().map(|own| own.standing.claim.value.clone()) else {
            return Covers::Unknown("its hardware_revision is not known".to_owned());
        };
        match self {
            Self::Named(names) if names.contains(&folded(&revision)) => Covers::Yes,
            Self::Named(_) => Covers::No,
            Self::Range(range) => range.cover(&revision, &Facts::default()),
        }
    }
}

/// What is known of a part of an asset beside its version, as ranges ask for it: columns of the inventory, serial number, patches.
pub(super) fn facts(asset: &Asset, component: &str) -> Facts {
    let mut facts = Facts::default();
    for (column, cell) in &asset.columns {
        facts.insert(column, cell.split(BETWEEN).map(|value| value.trim().to_owned()).collect());
    }
    for field in [Field::SerialNumber, Field::HardwareRevision] {
        if let Some(own) = asset.current(component, field).or_else(|| asset.shown(field)) {
            facts.insert(field.name(), vec![own.standing.claim.value.clone()]);
        }
    }
    let patches = asset.claims.iter().chain(&asset.imported).filter(|recorded| recorded.claim.field == Field::Patch);
    let patches: Vec<String> =
        patches.flat_map(|recorded| recorded.claim.value.split(BETWEEN).map(|patch| patch.trim().to_owned())).collect();
    if !patches.is_empty() {
        facts.insert("patches", patches);
    }
    facts.insert("component", vec![component.to_owned()]);
    facts
}

/// Trimmed and in lower case.
pub(super) fn folded(text: &str) -> String {
    text.trim().to_lowercase()
}
