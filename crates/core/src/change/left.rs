//! What a change leaves undone: named, with a reason, and an end where there is one.

use serde::{Deserialize, Serialize};

use super::terms::written;

/// What becomes of a device that is left.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Fate {
    /// It is to be done later; until when.
    Deferred,
    /// It was tried, and did not become what it should.
    Failed,
    /// Something else protects it; until when.
    Mitigated,
}

impl Fate {
    /// As commands and records spell it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Deferred => "deferred",
            Self::Failed => "failed",
            Self::Mitigated => "mitigated",
        }
    }
}

/// Devices that a change leaves.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Left {
    /// Which.
    pub assets: Vec<String>,
    /// What becomes of them.
    pub fate: Fate,
    /// Why.
    pub reason: String,
    /// Until when, in nanoseconds since 1970; a failure has no end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until_ns: Option<u64>,
    /// Who says so.
    pub by: String,
}

impl Left {
    /// Whether it may be recorded at this time.
    ///
    /// # Errors
    /// A sentence that says what is missing.
    pub fn check(&self, now_ns: u64) -> Result<(), String> {
        written(&self.reason)?;
        written(&self.by)?;
        if self.assets.is_empty() {
            return Err("name the devices that are left".to_owned());
        }
        match (self.fate, self.until_ns) {
            (Fate::Failed, Some(_)) => Err("a failure has no end; what is deferred or mitigated has one".to_owned()),
            (Fate::Deferred | Fate::Mitigated, None) => Err(format!("what is {} has an end: say until when", self.fate.name())),
            (Fate::Deferred | Fate::Mitigated, Some(until)) if until <= now_ns => Err("it would have ended already".to_owned()),
            _ => Ok(()),
        }
    }
}
