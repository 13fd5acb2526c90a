//! Approved baselines: which releases are approved or disapproved for a product line and component, in a scope and period.
//!
//! Which decision counts where several speak, and how a component is judged by them, is argued in docs/decisions/0009.

mod conformance;
mod force;

use std::collections::BTreeSet;
use std::fmt;

use serde::{Deserialize, Serialize};

pub use conformance::{Clock, Conformance, Judged, worst};
pub use force::Force;

use crate::catalog::Asset;
use crate::claim::Field;

/// A decision is read by people: its texts are sentences, not documents.
const TEXT_CHARS_MAX: usize = 2_000;
/// Assets that one decision lists; whoever means more means all.
const ASSETS_MAX: usize = 10_000;

/// What was decided.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Decision {
    /// The release may run.
    Approved,
    /// The release must not run.
    Disapproved,
}

impl Decision {
    /// As people and files say it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Approved => "approved",
            Self::Disapproved => "disapproved",
        }
    }
}

/// The products a decision is about. Every part that is named must fit; texts fit when they are equal after trimming, in upper or
/// lower case.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ProductLine {
    /// A profile's id: `schneider-electric/powerlogic-pm710`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub profile: Option<String>,
    /// The maker.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub manufacturer: Option<String>,
    /// The model.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    /// The order or product code.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub product_code: Option<String>,
}

/// One decision, as it stands in the ledger.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Approval {
    /// Approved or disapproved.
    pub decision: Decision,
    /// For which products.
    pub line: ProductLine,
    /// For which part of them: a component's role, as claims spell it.
    pub component: String,
    /// Which of its revisions.
    pub field: Field,
    /// The release, as a person wrote it.
    pub release: String,
    /// For these assets only, by their ids; for all where none is named.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub assets: Vec<String>,
    /// In force from then on, in nanoseconds since 1970; from ever where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from_ns: Option<u64>,
    /// In force until then, that nanosecond included; without end where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until_ns: Option<u64>,
    /// Who decided.
    pub by: String,
    /// Who agreed, where two have to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub second: Option<String>,
    /// Why.
    pub reason: String,
}

/// Why a decision is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Invalid(pub &'static str);

impl fmt::Display for Invalid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

impl Approval {
    /// Whether it may be recorded.
    ///
    /// # Errors
    /// The first rule of a decision that it breaks, as a sentence.
    pub fn check(&self) -> Result<(), Invalid> {
        let line = &self.line;
        let named = [&line.profile, &line.manufacturer, &line.model, &line.product_code];
        let texts = [Some(&self.component), Some(&self.release), Some(&self.by), self.second.as_ref(), Some(&self.reason)];
        let mut all = named.into_iter().map(Option::as_ref).chain(texts).flatten();
        let one_maker = line.manufacturer.is_some() && (line.model.is_some() || line.product_code.is_some());
        let rules = [
            (line.profile.is_some() || one_maker, "a product line is a profile, or a manufacturer with a model or a product code"),
            (all.clone().all(|text| !text.trim().is_empty()), "release, part, name and reason must not be empty"),
            (all.all(|text| text.chars().count() <= TEXT_CHARS_MAX), "a text is longer than 2,000 characters"),
            (self.assets.len() <= ASSETS_MAX, "more than 10,000 assets are listed; a decision without a list is for all"),
            (self.field.is_revision() && self.field != Field::SerialNumber, "only a revision can be approved"),
            (self.second.as_deref().is_none_or(|second| folded(second) != folded(&self.by)), "the second person must be another one"),
            (self.from_ns.zip(self.until_ns).is_none_or(|(from, until)| from <= until), "it would end before it begins"),
        ];
        rules.into_iter().find(|(holds, _)| !holds).map_or(Ok(()), |(_, why)| Err(Invalid(why)))
    }
}

/// A decision and the entry it stands in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decided {
    /// The entry's index in the ledger.
    pub index: u64,
    /// When it was recorded, in nanoseconds since 1970.
    pub time_ns: u64,
    /// The decision.
    pub approval: Approval,
    key: Key,
}

/// The products and assets of a decision in one spelling, worked out once: two decisions with one key are in the same words.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Key {
    profile: Option<String>,
    texts: [Option<String>; 3],
    assets: BTreeSet<String>,
}

/// All decisions so far.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Baselines {
    decided: Vec<Decided>,
}

impl Baselines {
    /// Takes the next decision.
    pub fn take(&mut self, approval: &Approval, index: u64, time_ns: u64) {
        let ProductLine { profile, manufacturer, model, product_code } = &approval.line;
        let texts = [manufacturer, model, product_code].map(|text| text.as_deref().map(folded));
        let profile = profile.as_deref().map(|id| id.trim().to_owned());
        let key = Key { profile, texts, assets: approval.assets.iter().cloned().collect() };
        self.decided.push(Decided { index, time_ns, approval: approval.clone(), key });
    }

    /// Every decision, in the order in which they were made.
    pub fn decided(&self) -> impl Iterator<Item = &Decided> {
        self.decided.iter()
    }
}

impl Decided {
    /// True where the decision is about this asset. What the part leaves out of its nameplate, the asset's other
    /// parts say.
    #[must_use]
    pub fn is_about(&self, asset: &Asset) -> bool {
        let component = self.approval.component.as_str();
        let Key { profile, texts, assets } = &self.key;
        let says = |field: Field, named: &Option<String>| {
            let own = || asset.current(component, field).or_else(|| asset.shown(field));
            named.as_ref().is_none_or(|named| own().is_some_and(|own| folded(&own.standing.claim.value) == *named))
        };
        let [manufacturer, model, product_code] = texts;
        profile.as_ref().is_none_or(|id| asset.profile.as_ref() == Some(id))
            && (assets.is_empty() || assets.contains(&asset.id) || asset.was.iter().any(|id| assets.contains(id)))
            && says(Field::Manufacturer, manufacturer)
            && says(Field::Model, model)
            && says(Field::ProductCode, product_code)
    }
}

/// Trimmed and in lower case.
fn folded(text: &str) -> String {
    text.trim().to_lowercase()
}

#[cfg(test)]
mod tests;
