//! What a plan may say beyond what is to change: why, in which rings, what must be done before, and what is handed on to those who install.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::plan::Plan;
use super::precheck::Precheck;

/// Rings of one change: a pilot and a few waves; more is a campaign of several orders.
pub const RINGS_MAX: usize = 20;
/// Longest soak: a year. A ring that has to stand longer belongs into another order.
pub const SOAK_S_MAX: u64 = 366 * 86_400;
/// Characters of a text that somebody writes into a change: a paragraph.
pub const TEXT_CHARS_MAX: usize = 2_000;
/// Nanoseconds of a second.
const SECOND_NS: u64 = 1_000_000_000;

/// All of it; what says nothing is left out of the record.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Terms {
    /// Why the change is made.
    #[serde(skip_serializing_if = "Cause::is_empty")]
    pub cause: Cause,
    /// The release that is rolled out, as the order calls it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub release: Option<String>,
    /// How the scope was chosen, where it was by a query: `zone=North`. The assets that it gave when the change was opened are the scope.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub query: Vec<String>,
    /// The rings, in their order. Empty: one ring with the whole scope, which nobody has to open.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub rings: Vec<Ring>,
    /// What must have been done for each device before its ring opens.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub prechecks: BTreeSet<Precheck>,
    /// The serial number that an asset must report, where the owner knows it.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub serials: BTreeMap<String, String>,
    /// Redundant pairs: of two assets either may answer at the address of the other.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub partners: Vec<[String; 2]>,
    /// What is handed on to the people or the server that install.
    #[serde(skip_serializing_if = "Handover::is_empty")]
    pub handover: Handover,
}

/// Why a change is made.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Cause {
    /// Findings that it is to end: a CVE or an advisory's id.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub findings: Vec<String>,
    /// The ledger's entry of the decision that approves the release.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub baseline: Option<u64>,
    /// A vendor's bulletin.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bulletin: Option<String>,
}

/// Devices that change together. A ring opens only when the one before it is verified and has soaked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Ring {
    /// `pilot`.
    pub name: String,
    /// Its assets: all of them in the scope, each in one ring.
    pub assets: Vec<String>,
    /// How long it stands after it is verified before the next one may open, in seconds.
    #[serde(default)]
    pub soak_s: u64,
}

impl Ring {
    /// [`Ring::soak_s`] in nanoseconds.
    #[must_use]
    pub const fn soak_ns(&self) -> u64 {
        self.soak_s.saturating_mul(SECOND_NS)
    }
}

/// What those who install are told; we hand it on and do nothing of it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Handover {
    /// Whether a restart is wanted; left out where nobody said.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub restart: Option<bool>,
    /// What the operator is to be told.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    /// How often an installation that failed may be tried again.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub retries: Option<u32>,
    /// The order in which assets are to be installed, as far as it matters.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub sequence: Vec<String>,
}

impl Cause {
    fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

impl Handover {
    fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

impl Terms {
    /// True where there is nothing in it: a change as it was before there were terms.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// The partner of an asset in a redundant pair.
    #[must_use]
    pub fn partner(&self, asset: &str) -> Option<&str> {
        self.partners.iter().find_map(|[one, other]| match asset {
            _ if one == asset => Some(other.as_str()),
            _ if other == asset => Some(one.as_str()),
            _ => None,
        })
    }

    /// Whether they fit the plan that they stand in.
    ///
    /// # Errors
    /// A sentence that says what is wrong.
    pub(super) fn check(&self, plan: &Plan) -> Result<(), String> {
        self.check_rings(plan)?;
        let known = |asset: &str| plan.places().any(|place| place.asset == asset);
        let in_scope = |asset: &str| plan.scope.iter().any(|place| place.asset == asset);
        if let Some(stranger) = self.serials.keys().chain(self.partners.iter().flatten()).find(|asset| !known(asset)) {
            return Err(format!("{stranger} has a serial number or a partner here, and does not belong to the change"));
        }
        if let Some([one, _]) = self.partners.iter().find(|[one, other]| one == other) {
            return Err(format!("{one} cannot be its own partner"));
        }
        let paired: Vec<&String> = self.partners.iter().flatten().collect();
        if let Some(twice) = paired.iter().enumerate().find_map(|(at, asset)| paired.iter().skip(at + 1).find(|other| *other == asset)) {
            return Err(format!("{twice} has two partners; a pair is two devices"));
        }
        if let Some(stranger) = self.handover.sequence.iter().find(|asset| !in_scope(asset)) {
            return Err(format!("{stranger} is to be installed in an order, and is not in the scope"));
        }
        let one_each = [&self.release, &self.cause.bulletin, &self.handover.message].into_iter().flatten();
        one_each.chain(&self.cause.findings).chain(&self.query).chain(self.serials.values()).try_for_each(|text| written(text))
    }

    fn check_rings(&self, plan: &Plan) -> Result<(), String> {
        if self.rings.is_empty() {
            return Ok(());
        }
        if self.rings.len() > RINGS_MAX {
            return Err(format!("a change has at most {RINGS_MAX} rings"));
        }
        let mut names = BTreeSet::new();
        let mut placed = BTreeSet::new();
        for ring in &self.rings {
            written(&ring.name)?;
            if !names.insert(&ring.name) || ring.assets.is_empty() || ring.soak_s > SOAK_S_MAX {
                return Err(format!("ring {:?} has no devices, a name that another one has, or soaks longer than a year", ring.name));
            }
            for asset in &ring.assets {
                if !plan.scope.iter().any(|place| place.asset == *asset) {
                    return Err(format!("{asset} is in ring {:?} and not in the scope", ring.name));
                }
                if !placed.insert(asset) {
                    return Err(format!("{asset} is in two rings"));
                }
            }
        }
        match plan.scope.iter().find(|place| !placed.contains(&place.asset)) {
            Some(place) => Err(format!("{} is in the scope and in no ring", place.asset)),
            None => Ok(()),
        }
    }
}

/// A text that somebody wrote: there is one, and it is no document.
pub(super) fn written(text: &str) -> Result<(), String> {
    let fits = !text.trim().is_empty() && text.chars().count() <= TEXT_CHARS_MAX;
    if fits { Ok(()) } else { Err(format!("a text of a change has 1 to {TEXT_CHARS_MAX} characters")) }
}
