//! Changes: a work order with its scope and expected delta, readings before and after, and the verdict.

use serde::{Deserialize, Serialize};

/// One step of a change, as it stands in the ledger.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "step", rename_all = "snake_case")]
pub enum Event {
    /// The change was opened.
    Opened {
        /// The work order's number; stored, never invented.
        order: String,
    },
}

/// All changes so far.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Changes {}

impl Changes {
    /// Takes the next step.
    pub fn take(&mut self, _event: &Event, _index: u64, _time_ns: u64) {}
}
