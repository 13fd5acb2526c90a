//! Changes: a work order with its scope and expected delta, readings before and after, and the verdict. Each step is an entry in the
//! ledger; [`Changes`] is the fold over them. Nobody's word stands in for a reading.

mod delta;
mod fold;
mod nameplate;
mod plan;
mod verdict;

use serde::{Deserialize, Serialize};

pub use delta::{Delta, key};
pub use fold::{Change, Changes, Closed, Readings, worst};
pub use nameplate::{Difference, Nameplate, Said};
pub use plan::{ASSETS_MAX, ORDER_BYTES_MAX, Place, Plan};
pub use verdict::{Case, Judged, Outcome, Try, Verdict, judge};

/// One step of a change, as it stands in the ledger.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "step", rename_all = "snake_case")]
pub enum Event {
    /// The change was opened.
    Opened(Plan),
    /// Scope and neighbours were read before the change. The last reading before counts.
    Before {
        /// The work order.
        order: String,
        /// One try per asset.
        tries: Vec<Try>,
    },
    /// They were read after it. The last such step counts; the earlier ones stay.
    After {
        /// The work order.
        order: String,
        /// So many readings in a row had to be equal, of an asset in scope.
        equal: u32,
        /// All tries, oldest first.
        tries: Vec<Try>,
        /// Who takes the responsibility for an identity that no serial number proves.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        accepted_by: Option<String>,
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
            Self::Before { order, .. } | Self::After { order, .. } | Self::Closed { order, .. } => order,
        }
    }
}

#[cfg(test)]
mod tests;
