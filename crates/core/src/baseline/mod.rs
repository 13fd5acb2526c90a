//! Approved baselines: which releases may run, and which must not, for a product line and component, in a scope and period; proposals,
//! sets that are approved together, and what is left as it is for a reason and a time.
//!
//! Which decision counts where several speak, and how a component is judged by them, is argued in docs/decisions/0009; ranges, two
//! persons, the vendor's list, sets and exemptions in docs/decisions/0031. Users find them in docs/baselines.md.

mod approval;
mod candidate;
mod conformance;
mod event;
mod exemption;
mod force;
pub mod pack;
mod ranged;
mod set;

use std::collections::BTreeSet;

pub use approval::{Approval, Decision, Invalid, Origin, OriginKind, ProductLine, SCOPES, Track, person};
pub use candidate::Candidate;
pub use conformance::{Clock, Conformance, Judged, worst};
pub use event::{Became, Event, Proposal, Proposed};
pub use exemption::{Exempted, Exemption, ExemptionKind};
pub use force::Force;
pub use ranged::Covers;
pub use set::{CompatibilitySet, DecidedSet, Member, SetConformance, SetJudged};

use crate::catalog::Asset;
use crate::claim::Field;
use ranged::{Hardware, Releases, folded};

/// A decision and the entry it stands in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decided {
    /// The entry's index in the ledger.
    pub index: u64,
    /// When it was recorded, in nanoseconds since 1970.
    pub time_ns: u64,
    /// The decision.
    pub approval: Approval,
    /// The entry of the proposal that this one accepted.
    pub proposal: Option<u64>,
    key: Key,
    range: Option<Releases>,
    hardware: Option<Hardware>,
}

/// The products and assets of a decision in one spelling, worked out once: two decisions with one key are in the same words.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Key {
    profile: Option<String>,
    texts: [Option<String>; 3],
    assets: BTreeSet<String>,
    hardware: Option<String>,
    scope: Vec<(String, String)>,
    track: Track,
}

/// All decisions so far.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Baselines {
    decided: Vec<Decided>,
    proposals: Vec<Proposal>,
    sets: Vec<DecidedSet>,
    exempted: Vec<(u64, Exemption)>,
    /// When each of these was recorded.
    exempted_ns: Vec<u64>,
    two_persons: bool,
    set_aside: Vec<(u64, Invalid)>,
}

impl Baselines {
    /// Takes the next decision. What the rule of two persons does not let through does not count; see [`Baselines::set_aside`].
    pub fn take(&mut self, approval: &Approval, index: u64, time_ns: u64) {
        match self.admits_approval(approval) {
            Ok(()) => self.decided.push(Decided::new(approval.clone(), index, time_ns, None)),
            Err(why) => self.set_aside.push((index, why)),
        }
    }

    /// Every decision, in the order in which they were made.
    pub fn decided(&self) -> impl Iterator<Item = &Decided> {
        self.decided.iter()
    }

    /// Every proposal, in the order in which they were made.
    pub fn proposals(&self) -> impl Iterator<Item = &Proposal> {
        self.proposals.iter()
    }

    /// Entries that somebody wrote and that do not count, with the rule they break.
    pub fn set_aside(&self) -> impl Iterator<Item = &(u64, Invalid)> {
        self.set_aside.iter()
    }

    /// True where an approval needs two persons.
    #[must_use]
    pub const fn needs_two_persons(&self) -> bool {
        self.two_persons
    }
}

impl Decided {
    fn new(approval: Approval, index: u64, time_ns: u64, proposal: Option<u64>) -> Self {
        let range = approval.range.as_deref().and_then(|text| Releases::read(&approval.line, text));
        let hardware = approval.hardware.as_deref().and_then(Hardware::read);
        let scope = approval.scope.iter().map(|(column, value)| (folded(column), folded(value))).collect();
        let key = Key {
            hardware: approval.hardware.as_deref().map(folded),
            scope,
            track: approval.track,
            ..Key::of(&approval.line, &approval.assets)
        };
        Self { index, time_ns, approval, proposal, key, range, hardware }
    }

    /// True where the decision is, or may be, about this asset. What the part leaves out of its nameplate, the asset's other parts say.
    #[must_use]
    pub fn is_about(&self, asset: &Asset) -> bool {
        self.fits(asset) != Covers::No
    }

    /// Whether the decision is about this asset. A column of its scope that the asset has no cell for leaves it open.
    #[must_use]
    pub fn fits(&self, asset: &Asset) -> Covers {
        let Key { assets, scope, .. } = &self.key;
        let listed = assets.is_empty() || assets.contains(&asset.id) || asset.was.iter().any(|id| assets.contains(id));
        if !listed || !self.key.is_line_of(asset, &self.approval.component) {
            return Covers::No;
        }
        let hardware = self.hardware.as_ref().map_or(Covers::Yes, |hardware| hardware.cover(asset, &self.approval.component));
        scope.iter().fold(hardware, |covers, (column, value)| {
            let cell = asset.columns.iter().find(|(name, _)| folded(name) == *column).map(|(_, cell)| folded(cell));
            covers.and(match cell {
                Some(cell) if cell == *value => Covers::Yes,
                Some(_) => Covers::No,
                None => Covers::Unknown(format!("its {column} is not known")),
            })
        })
    }
}

impl Key {
    /// Of products and assets alone.
    fn of(line: &ProductLine, assets: &[String]) -> Self {
        let ProductLine { profile, manufacturer, model, product_code } = line;
        let texts = [manufacturer, model, product_code].map(|text| text.as_deref().map(folded));
        let profile = profile.as_deref().map(|id| id.trim().to_owned());
        Self { profile, texts, assets: assets.iter().cloned().collect(), hardware: None, scope: Vec::new(), track: Track::Owner }
    }

    /// True where the asset is one of the products.
    fn is_line_of(&self, asset: &Asset, component: &str) -> bool {
        let says = |field: Field, named: &Option<String>| {
            let own = || asset.current(component, field).or_else(|| asset.shown(field));
            named.as_ref().is_none_or(|named| own().is_some_and(|own| folded(&own.standing.claim.value) == *named))
        };
        let [manufacturer, model, product_code] = &self.texts;
        self.profile.as_ref().is_none_or(|id| asset.profile.as_ref() == Some(id))
            && says(Field::Manufacturer, manufacturer)
            && says(Field::Model, model)
            && says(Field::ProductCode, product_code)
    }
}

#[cfg(test)]
mod tests;
