//! How it stands with the targets, for the page, the API and Prometheus.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A message that a target does not take, and why. Its entry is in the ledger as ever.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = DeadLetter)]
pub struct Dead {
    /// The event's id.
    pub id: String,
    /// Its entry in the ledger.
    pub entry: u64,
    /// What it is about: `device.firmware-changed`.
    pub kind: String,
    /// When it was given up.
    pub time: String,
    /// What the target said.
    pub why: String,
}

/// How it stands with a target.
#[derive(Clone, Debug, Default, Serialize, ToSchema)]
#[schema(as = Target)]
pub struct Standing {
    /// As the configuration names it.
    pub name: String,
    /// Where, without what may be a secret.
    pub url: String,
    /// The first entry of the ledger that it was not told of.
    pub next: u64,
    /// Events that it was told.
    pub told: u64,
    /// When it was told last.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last: Option<String>,
    /// Why it is not told more now; absent where all is well.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub trouble: Option<String>,
    /// Since when.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub since: Option<String>,
    /// Messages that it refused, in all.
    pub refused: u64,
    /// The last of them.
    pub dead: Vec<Dead>,
    /// Where somebody wants it to go on, until its courier does.
    #[serde(skip)]
    pub wanted: Option<u64>,
}
