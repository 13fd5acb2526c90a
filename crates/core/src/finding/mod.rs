//! Which advisory concerns which asset: identity, then the range, then one verdict per vulnerability, each with its proof.
//!
//! [`Library::judge`] says what the documents say of one component, small and fast; [`Library::proof`] says why, in full, from the same
//! code. The rules are argued in docs/decisions/0029 and shown to users in docs/verdicts.md.

mod agree;
mod document;
pub mod evaluation;
pub mod identity;
pub mod installed;
pub mod inventory;
mod judging;
mod known;
mod library;
mod narrow;
mod offer;
mod proof;
pub mod remediation;
mod stand;
#[cfg(test)]
mod tests;
mod weigh;
mod why;

use std::borrow::Cow;

pub use judging::Judging;
pub use library::Library;
pub use proof::{Considered, Proof};
pub use why::Why;

use identity::Step;

/// What the documents say of a component and a vulnerability.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Verdict {
    /// It is affected.
    Affected,
    /// It is not; said only where every product that is or may be it surely leaves its release out.
    NotAffected,
    /// It cannot be said; a fact is missing, or the document is unclear.
    Indeterminate,
    /// The document says both.
    Contradiction,
}

impl Verdict {
    /// As it is written.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Affected => "affected",
            Self::NotAffected => "not_affected",
            Self::Indeterminate => "indeterminate",
            Self::Contradiction => "contradiction",
        }
    }
}

/// One verdict: a component, a document, a vulnerability.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding<'a> {
    /// The document's place in [`Library::advisories`].
    pub advisory: usize,
    /// The vulnerability's place in the document.
    pub vulnerability: usize,
    /// The verdict.
    pub verdict: Verdict,
    /// By what the deciding product was recognised.
    pub step: Option<Step>,
    /// The reason.
    pub why: Why,
    /// The fact that would help most, named as a column or a fact of the inventory; absent where no fact would.
    pub missing: Option<Cow<'a, str>>,
    /// The document that keeps this verdict from standing, by its place.
    pub beside: Option<usize>,
}
