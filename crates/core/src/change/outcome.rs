//! A try to read a device, and what came of it.

use serde::{Deserialize, Serialize};

use super::nameplate::Nameplate;

/// One try to read a device.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Try {
    /// The asset's id.
    pub asset: String,
    /// When it was over, in nanoseconds since 1970-01-01T00:00:00Z.
    pub time_ns: u64,
    /// Ledger entries of the observations that it brought.
    pub entries: Vec<u64>,
    /// What came of it.
    pub outcome: Outcome,
}

/// What came of a try.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "outcome", rename_all = "snake_case", deny_unknown_fields)]
pub enum Outcome {
    /// The device answered, whole and sound. An exception is an answer.
    Read {
        /// What it said.
        nameplate: Nameplate,
    },
    /// It did not, or it was not asked.
    Unread {
        /// Why.
        why: String,
    },
}

impl Try {
    /// What the device said, if it did.
    #[must_use]
    pub const fn nameplate(&self) -> Option<&Nameplate> {
        match &self.outcome {
            Outcome::Read { nameplate } => Some(nameplate),
            Outcome::Unread { .. } => None,
        }
    }
}
