//! What a change is going to be: written down before anything happens, and whole enough to be judged.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::delta::Delta;
use super::terms::{Ring, Terms};
use crate::observation::Address;

/// Bytes of a work order's number: it is the reason in every line of the touch record, and CMMS numbers are short.
pub const ORDER_BYTES_MAX: usize = 100;
/// Assets of one change, neighbours included: more is a campaign, and belongs into several orders (rings).
pub const ASSETS_MAX: usize = 500;

/// The protocol of a place that names none.
const MODBUS: &str = "modbus";
/// The name of the one ring of a change without rings.
const WHOLE: &str = "all";

/// What is going to happen, as it was written down when the change was opened.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Plan {
    /// The work order's number; stored, never invented.
    pub order: String,
    /// The assets that are to change.
    pub scope: Vec<Place>,
    /// Assets that must not change.
    pub neighbours: Vec<Place>,
    /// What must come of it.
    pub expected: Vec<Delta>,
    /// What is asked over Modbus, by the questions' names on the allowlist, of places that do not say themselves how they are asked.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub questions: Vec<String>,
    /// First moment of the window, in nanoseconds since 1970-01-01T00:00:00Z.
    pub from_ns: u64,
    /// Last moment of the window.
    pub until_ns: u64,
    /// Who opened it, and so asks for it.
    pub by: String,
    /// What else was agreed.
    #[serde(default, skip_serializing_if = "Terms::is_empty")]
    pub terms: Terms,
}

/// An asset, and where it is asked: a device that takes its address over must be seen to do so.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Place {
    /// The asset's id.
    pub asset: String,
    /// Where it answers.
    pub address: Address,
    /// In which protocol it is asked; left out for Modbus. See [`Place::protocol`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub via: Option<String>,
    /// How it is asked; left out where the address alone says it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub asked: Option<Asked>,
}

/// How a device is asked, in the words of `nameplate ask` and of the site file. Nothing that leads to a secret is among them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Asked {
    /// Options without their dashes, with their values in their order; one that takes none has none.
    pub options: BTreeMap<String, Vec<String>>,
    /// The target: an address or a line, and what stands behind it.
    pub target: String,
}

impl Place {
    /// In which protocol it is asked, as `nameplate ask --via` spells it; `heard` where nobody asks it.
    #[must_use]
    pub fn protocol(&self) -> &str {
        self.via.as_deref().unwrap_or(MODBUS)
    }
}

impl Plan {
    /// Every asset, the scope first.
    pub fn places(&self) -> impl Iterator<Item = &Place> {
        self.scope.iter().chain(&self.neighbours)
    }

    /// The rings in their order; a plan without rings is one.
    #[must_use]
    pub fn rings(&self) -> Vec<Ring> {
        if !self.is_staged() {
            let assets = self.scope.iter().map(|place| place.asset.clone()).collect();
            return vec![Ring { name: WHOLE.to_owned(), assets, soak_s: 0 }];
        }
        self.terms.rings.clone()
    }

    /// True where it goes ring by ring: then each ring is opened, and only what is approved is.
    #[must_use]
    pub const fn is_staged(&self) -> bool {
        !self.terms.rings.is_empty()
    }

    /// The ring of an asset, from 1; `None` for a neighbour, which belongs to all of them.
    #[must_use]
    pub fn ring_of(&self, asset: &str) -> Option<u32> {
        (1..).zip(self.rings()).find_map(|(number, ring)| ring.assets.iter().any(|one| one == asset).then_some(number))
    }

    /// Whether the plan can be carried out.
    ///
    /// # Errors
    /// A sentence that says what is wrong.
    pub fn check(&self) -> Result<(), String> {
        if self.order.trim().is_empty() || self.order.len() > ORDER_BYTES_MAX || self.order.chars().any(char::is_control) {
            return Err(format!("a work order's number is 1 to {ORDER_BYTES_MAX} bytes of plain text"));
        }
        if self.by.trim().is_empty() {
            return Err("it must be known who opens a change".to_owned());
        }
        if self.from_ns >= self.until_ns {
            return Err("the window ends before it begins".to_owned());
        }
        let assets: Vec<&str> = self.places().map(|place| place.asset.as_str()).collect();
        if self.scope.is_empty() || assets.len() > ASSETS_MAX {
            return Err(format!("a change has 1 to {ASSETS_MAX} assets"));
        }
        if let Some(twice) = assets.iter().enumerate().find_map(|(at, asset)| assets.iter().skip(at + 1).find(|other| *other == asset)) {
            return Err(format!("{twice} is named twice; an asset is to change, or it is a neighbour that must not"));
        }
        let in_scope = |asset: &str| self.scope.iter().any(|place| place.asset == asset);
        if let Some(delta) = self.expected.iter().find(|delta| !in_scope(&delta.asset)) {
            return Err(format!("{delta} expects something of an asset that is not in the scope"));
        }
        let mut fields: Vec<(&str, String)> = self.expected.iter().map(|delta| (delta.asset.as_str(), delta.key())).collect();
        fields.sort_unstable();
        if let Some((asset, field)) = fields.windows(2).find_map(|pair| pair.first().filter(|first| pair.last() == Some(*first))) {
            return Err(format!("{field} of {asset} is expected to change twice"));
        }
        match self.scope.iter().find(|place| !self.expected.iter().any(|delta| delta.asset == place.asset)) {
            Some(place) => Err(format!("nothing is expected of {}: without an expectation there is no verdict", place.asset)),
            None => self.terms.check(self),
        }
    }
}
