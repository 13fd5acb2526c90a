//! Changes: a work order with its scope and expected delta, readings before and after, and the verdict. Each step is an entry in the
//! ledger; [`Changes`] is the fold over them. Nobody's word stands in for a reading, and nobody approves or verifies his own work.

mod again;
mod course;
mod delta;
pub mod drift;
mod fold;
mod left;
mod mode;
mod nameplate;
mod outcome;
mod plan;
mod precheck;
mod rules;
mod terms;
mod verdict;

use serde::{Deserialize, Serialize};

pub use course::{Change, Closed, Readings, Step, worst};
pub use delta::{Delta, key};
pub use fold::Changes;
pub use left::{Fate, Left};
pub use mode::Mode;
pub use nameplate::{Difference, Nameplate, Said};
pub use outcome::{Outcome, Try};
pub use plan::{ASSETS_MAX, Asked, ORDER_BYTES_MAX, Place, Plan};
pub use precheck::{Authentic, Check, Precheck};
pub use terms::{Cause, Handover, RINGS_MAX, Ring, SOAK_S_MAX, TEXT_CHARS_MAX, Terms};
pub use verdict::{Case, Judged, Verdict, judge};

/// One step of a change, as it stands in the ledger.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "step", rename_all = "snake_case")]
#[expect(clippy::large_enum_variant, reason = "steps are few, and are taken one at a time")]
pub enum Event {
    /// The change was opened.
    Opened(Plan),
    /// Another person than the one who opened it agrees.
    Approved {
        /// The work order.
        order: String,
        /// Who.
        by: String,
    },
    /// Something that has to be done before the installation was done.
    Checked {
        /// The work order.
        order: String,
        /// What.
        check: Check,
    },
    /// A ring was opened: its devices may be read, and installed.
    RingOpened {
        /// The work order.
        order: String,
        /// Which ring, from 1.
        ring: u32,
        /// Who opened it.
        by: String,
    },
    /// Scope and neighbours were read before the change. The last reading before counts.
    Before {
        /// The work order.
        order: String,
        /// The ring that was read; left out where there are none.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        ring: Option<u32>,
        /// One try per asset.
        tries: Vec<Try>,
    },
    /// Somebody says that he installed what was to be installed.
    Installed {
        /// The work order.
        order: String,
        /// Which ring, from 1.
        ring: u32,
        /// Who.
        by: String,
    },
    /// They were read after it. The last such step counts; the earlier ones stay.
    After {
        /// The work order.
        order: String,
        /// As in [`Event::Before`].
        #[serde(default, skip_serializing_if = "Option::is_none")]
        ring: Option<u32>,
        /// So many readings in a row had to be equal, of an asset in scope.
        equal: u32,
        /// All tries, oldest first.
        tries: Vec<Try>,
        /// Who takes the responsibility for an identity that no serial number proves.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        accepted_by: Option<String>,
    },
    /// Another person than those who installed says that a ring is as it should be. The readings have to agree.
    Verified {
        /// The work order.
        order: String,
        /// Which ring, from 1.
        ring: u32,
        /// Who.
        by: String,
        /// Whether this person takes the responsibility for identities that no serial number proves.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        accepts_unproven: bool,
    },
    /// Devices are left, for a reason.
    Left {
        /// The work order.
        order: String,
        /// Which, and why.
        left: Left,
    },
    /// The change was closed, with its verdict.
    Closed {
        /// The work order.
        order: String,
        /// Who closed it.
        by: String,
        /// One per asset.
        verdicts: Vec<Judged>,
        /// The worst of them.
        verdict: Verdict,
        /// As in [`Event::After`].
        #[serde(default, skip_serializing_if = "Option::is_none")]
        accepted_by: Option<String>,
        /// Indices of the entries that the verdict rests on, rising.
        rests_on: Vec<u64>,
    },
}

impl Event {
    /// The work order it belongs to.
    #[must_use]
    pub fn order(&self) -> &str {
        match self {
            Self::Opened(plan) => &plan.order,
            Self::Approved { order, .. }
            | Self::Checked { order, .. }
            | Self::RingOpened { order, .. }
            | Self::Before { order, .. }
            | Self::Installed { order, .. }
            | Self::After { order, .. }
            | Self::Verified { order, .. }
            | Self::Left { order, .. }
            | Self::Closed { order, .. } => order,
        }
    }
}

#[cfg(test)]
mod persons;
#[cfg(test)]
mod tests;
