//! Which versions a range names: the texts that advisories publish, read whole or not at all, and answered with inside, outside or
//! undecided.
//!
//! A [`Range`] is read once and answers for any number of versions without allocating. The most expensive error is a wrong "outside", so
//! it is only said where every part of the text was understood and every comparison has an answer; whatever is missing is named. The
//! rules are argued in docs/decisions/0025 and shown to users in docs/versions.md.

mod answer;
mod condition;
mod limit;
mod phrase;
mod read;
mod set;
#[cfg(test)]
mod tests;
mod words;

use std::collections::BTreeMap;
use std::ops::Range as Bytes;

pub(crate) use answer::Truth;
pub use answer::{Answer, Verdict, Why};
pub(crate) use limit::Limit;
pub(crate) use set::per_line;

use crate::version::{Scheme, Version};
use condition::Condition;
use set::{Doubt, Set, Span};

/// Longer texts are not read: the longest of the advisories' corpus has 220 bytes.
pub const RANGE_BYTES_MAX: usize = 1024;

/// What a piece of a range's text is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// Blanks and signs between parts.
    Space,
    /// `vers:all/`, `All versions`.
    Frame,
    /// `<`, `prior to`, `and below`.
    Operator,
    /// A version.
    Version,
    /// `|`, `and`, a comma.
    Join,
    /// A condition beside the version: hardware, serial number, option, patch.
    Condition,
    /// A remark that changes nothing: `(end-of-life 2011)`.
    Note,
    /// Which part of the product the version belongs to: `BIOS`, `NMC2`.
    Component,
    /// Not understood.
    Rest,
}

/// A piece of a range's text, by its bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Piece {
    /// What it is.
    pub role: Role,
    /// Where it stands in the text.
    pub bytes: Bytes<usize>,
}

/// A range as an advisory wrote it, read.
#[derive(Clone, Debug)]
pub struct Range {
    text: Box<str>,
    scheme: &'static Scheme,
    pieces: Vec<Piece>,
    set: Set,
    conditions: Vec<Condition>,
    /// The conditions hold for all of it: no `|` parts them from other versions.
    one_part: bool,
    doubt: Option<Doubt>,
    component: Option<Box<str>>,
}

impl Range {
    /// Reads a range of a product line. Never fails: what is not understood is a piece with [`Role::Rest`], and then no version is
    /// called outside.
    #[must_use]
    pub fn read(scheme: &'static Scheme, text: &str) -> Self {
        read::range(scheme, text)
    }

    /// The text as it was written.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The scheme of its versions; a version to be judged is read with the same.
    #[must_use]
    pub fn scheme(&self) -> &'static Scheme {
        self.scheme
    }

    /// The pieces of the text, in its order, without gaps.
    #[must_use]
    pub fn pieces(&self) -> &[Piece] {
        &self.pieces
    }

    /// The parts of the text that were not understood.
    pub fn rests(&self) -> impl Iterator<Item = &str> {
        let rests = self.pieces.iter().filter(|piece| piece.role == Role::Rest);
        rests.map(|piece| self.text.get(piece.bytes.clone()).unwrap_or_default())
    }

    /// True where all of it was understood.
    #[must_use]
    pub fn is_whole(&self) -> bool {
        self.rests().next().is_none()
    }

    /// The part of the product whose version the range names, in lower case; absent where the text names none.
    #[must_use]
    pub fn component(&self) -> Option<&str> {
        self.component.as_deref()
    }

    /// How the text was understood, in one spelling.
    #[must_use]
    pub fn parsed(&self) -> String {
        let mut shown = self.set.shown();
        for condition in &self.conditions {
            shown.push_str(" if ");
            shown.push_str(&condition.shown());
        }
        if let Some(component) = &self.component {
            shown = format!("{component}: {shown}");
        }
        for rest in self.rests() {
            shown.push_str(" unread: ");
            shown.push_str(rest.trim());
        }
        shown
    }

    /// True where a condition asks for this fact.
    pub(crate) fn asks(&self, fact: &str) -> bool {
        self.conditions.iter().any(|condition| condition.fact() == fact)
    }

    /// The one upper end that is all the range says: `< V4.7`, and nothing below it, beside it or in doubt.
    pub(crate) fn only_end(&self) -> Option<&Limit> {
        match &self.set {
            Set::Spans(spans) if self.is_bare() => match spans.as_slice() {
                [Span::Ends(None, Some(end))] => Some(end),
                _ => None,
            },
            _ => None,
        }
    }

    /// The one version that is all the range says.
    pub(crate) fn only_version(&self) -> Option<&Version> {
        match &self.set {
            Set::Spans(spans) if self.is_bare() => match spans.as_slice() {
                [Span::Point(version)] => Some(version),
                _ => None,
            },
            _ => None,
        }
    }

    /// The upper ends of its parts.
    pub(crate) fn upper_ends(&self) -> impl Iterator<Item = &Limit> {
        let (spans, limits) = match &self.set {
            Set::Spans(spans) => (spans.as_slice(), &[][..]),
            Set::PerLine(limits) => (&[][..], limits.as_slice()),
            Set::All | Set::Unread => (&[][..], &[][..]),
        };
        let of_spans = spans.iter().filter_map(|span| match span {
            Span::Ends(_, upper) => upper.as_ref(),
            Span::Point(_) => None,
        });
        of_spans.chain(limits)
    }

    /// No condition, no part, nothing in doubt or unread.
    fn is_bare(&self) -> bool {
        self.conditions.is_empty() && self.component.is_none() && self.doubt.is_none() && self.is_whole()
    }

    /// Whether a version of the device is inside. `None` where nobody knows its version.
    #[must_use]
    pub fn answer(&self, version: Option<&Version>, facts: &Facts) -> Answer<'_> {
        answer::of(self, version, facts)
    }
}

/// What is known of a device beside its version, named as in the advisories' words: `function_state`, `serial_number`, `patches`,
/// `option`, `cve`, `os`. Names are in lower case with underscores.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Facts(BTreeMap<String, Vec<String>>);

impl Facts {
    /// One more fact; several values are all true at once (patches, options). A fact with no value is known to be none.
    pub fn insert(&mut self, name: &str, values: Vec<String>) {
        self.0.insert(fact_name(name), values);
    }

    pub(crate) fn get(&self, name: &str) -> Option<&[String]> {
        self.0.get(name).map(Vec::as_slice)
    }
}

/// Words as the name of a fact: `Function State (FS)` is `function_state_fs`.
pub(crate) fn fact_name(words: &str) -> String {
    let parts = words.split(|c: char| !c.is_alphanumeric()).filter(|part| !part.is_empty());
    parts.collect::<Vec<_>>().join("_").to_lowercase()
}
