//! Approved baselines: which releases are approved or disapproved for a product line and component, in a scope and period.

use serde::{Deserialize, Serialize};

/// One decision, as it stands in the ledger.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Approval {
    /// Who decided.
    pub by: String,
}

/// All decisions so far.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Baselines {}

impl Baselines {
    /// Takes the next decision.
    pub fn take(&mut self, _approval: &Approval, _index: u64, _time_ns: u64) {}
}
