//! What to do first: Critical, Important, Moderate or Low for a finding, by ordered rules over named levels, with the facts that are
//! missing and the range that the band could be in.
//!
//! Six factors: the severity vector (what an attacker gets, and who can), exploitation (KEV, SSVC, EPSS), whether attacks can be
//! automated, reach out of zone facts, consequence for process and people, value to the business. How easy the fix is sets the date, never
//! the band. The rules are data ([`Policy`]); docs/decisions/0030 argues them, docs/priority.md shows them to users.
//!
//! ```text
//! Known (scores, lists, the owner's words) -> Factors -> Policy::decide -> Decision
//! ```

pub mod benchmark;
pub mod calendar;
pub mod cip_007;
pub mod cvss;
mod day;
mod decide;
mod factor;
mod facts;
mod policy;

use serde::{Deserialize, Serialize};

pub use day::Day;
pub use decide::{Act, Dates, Decision, Due, Unknown};
pub use factor::{Factor, Reading};
pub use facts::{Factors, Known, Setting};
pub use policy::{BUILT_IN, Ease, Invalid, Policy, Rule};

/// How urgent a finding is. A worse band is greater.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Band {
    /// With the next planned work.
    Low,
    /// Planned.
    Moderate,
    /// Soon.
    Important,
    /// Now.
    Critical,
}

impl Band {
    /// All of them, the worst first.
    pub const ALL: [Self; 4] = [Self::Critical, Self::Important, Self::Moderate, Self::Low];

    /// As it is written.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Critical => "critical",
            Self::Important => "important",
            Self::Moderate => "moderate",
            Self::Low => "low",
        }
    }

    /// Its place in [`Band::ALL`].
    const fn rank(self) -> usize {
        match self {
            Self::Critical => 0,
            Self::Important => 1,
            Self::Moderate => 2,
            Self::Low => 3,
        }
    }
}

#[cfg(test)]
mod monotone_tests;
#[cfg(test)]
mod tests;
