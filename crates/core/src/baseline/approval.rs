//! One decision about releases of a product line, as it stands in the ledger, and what keeps it from being one.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

use super::ranged::{Hardware, scheme};
use crate::claim::{Field, OWN_COMPONENT};
use crate::range::{Facts, Range, Verdict};
use crate::text::is_invisible;
use crate::version::Version;

/// A decision is read by people: its texts are sentences, not documents.
const TEXT_CHARS_MAX: usize = 2_000;
/// Assets that one decision lists; whoever means more means all.
pub(super) const ASSETS_MAX: usize = 10_000;
/// Hexadecimal digits of a document's SHA-256.
const SHA256_DIGITS: usize = 64;
/// Columns of the inventory that a decision may be limited to. A closed list: a decision for a misspelt column would never apply.
pub const SCOPES: [&str; 6] = ["site", "zone", "role", "tag", "system", "integrator"];

/// What was decided.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Decision {
    /// The release may run.
    Approved,
    /// The release must not run.
    Disapproved,
    /// The release is being tested: not approved yet.
    InTest,
    /// The release was approved once; another took its place.
    Superseded,
    /// The release is not for this product, or not for this site.
    NotApplicable,
}

impl Decision {
    /// Every decision.
    pub const ALL: [Self; 5] = [Self::Approved, Self::Disapproved, Self::InTest, Self::Superseded, Self::NotApplicable];

    /// As people and files say it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Approved => "approved",
            Self::Disapproved => "disapproved",
            Self::InTest => "in-test",
            Self::Superseded => "superseded",
            Self::NotApplicable => "not-applicable",
        }
    }

    /// The decision of that name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|decision| decision.name() == name)
    }
}

/// Whose word a decision is. What a maker calls compatible, and what the owner lets run, are two lists.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Track {
    /// The owner's: this is what conformance is judged by.
    #[default]
    Owner,
    /// The maker's or integrator's: it is shown beside the verdict.
    Vendor,
}

impl Track {
    /// As files say it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Owner => "owner",
            Self::Vendor => "vendor",
        }
    }

    const fn is_owner(&self) -> bool {
        matches!(self, Self::Owner)
    }
}

/// What kind of document a decision rests on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OriginKind {
    /// A vendor's bulletin or list.
    Bulletin,
    /// A remediation of an advisory.
    Remediation,
    /// A file of decisions that was imported.
    Pack,
    /// The owner's own paper.
    Owner,
}

/// The document that a decision rests on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Origin {
    /// What kind of document.
    pub kind: OriginKind,
    /// Its name or id: `SSA-123456`, with a page where it has pages.
    pub document: String,
    /// SHA-256 of its bytes, lower case hexadecimal, where somebody has them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sha256: Option<String>,
    /// What it says, letter by letter.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// The ranges that it calls affected, as written: an approved release inside of one is no fix.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub affected: Vec<String>,
}

/// The products a decision is about. Every part that is named must fit; texts fit when they are equal after trimming, in upper or
/// lower case.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ProductLine {
    /// A profile's id: `schneider-electric/powerlogic-pm710`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub profile: Option<String>,
    /// The maker.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub manufacturer: Option<String>,
    /// The model.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    /// The order or product code.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub product_code: Option<String>,
}

impl ProductLine {
    /// Its parts that are named.
    pub fn named(&self) -> impl Iterator<Item = &String> + Clone {
        [&self.profile, &self.manufacturer, &self.model, &self.product_code].into_iter().flatten()
    }

    /// Whether it says which products.
    pub(super) fn check(&self) -> Result<(), Invalid> {
        let one_maker = self.manufacturer.is_some() && (self.model.is_some() || self.product_code.is_some());
        need(self.profile.is_some() || one_maker, "a product line is a profile, or a manufacturer with a model or a product code")
    }
}

/// One decision, as it stands in the ledger.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Approval {
    /// What was decided.
    pub decision: Decision,
    /// For which products.
    pub line: ProductLine,
    /// For which part of them: a component's role, as claims spell it.
    pub component: String,
    /// Which of its revisions.
    pub field: Field,
    /// The release, as a person wrote it; empty where a range is named.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub release: String,
    /// The releases, as a range in the words of advisories (docs/versions.md), where not one alone is meant.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub range: Option<String>,
    /// For devices of these hardware revisions only: a range, or revisions with `|` between.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hardware: Option<String>,
    /// For assets whose columns of the inventory say so, by the names of [`SCOPES`]; for all where it is empty.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub scope: BTreeMap<String, String>,
    /// For these assets only, by their ids; for all where none is named.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub assets: Vec<String>,
    /// In force from then on, in nanoseconds since 1970; from ever where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from_ns: Option<u64>,
    /// In force until then, that nanosecond included; without end where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until_ns: Option<u64>,
    /// Whose word it is.
    #[serde(default, skip_serializing_if = "Track::is_owner")]
    pub track: Track,
    /// Of several approved releases the one to go to.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub preferred: bool,
    /// The document it rests on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub origin: Option<Origin>,
    /// Who decided.
    pub by: String,
    /// Who agreed, where two have to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub second: Option<String>,
    /// Why.
    pub reason: String,
}

/// Why a decision is none, as a sentence.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Invalid(pub String);

impl fmt::Display for Invalid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The rule holds, or its sentence.
pub(super) fn need(holds: bool, why: &str) -> Result<(), Invalid> {
    if holds { Ok(()) } else { Err(Invalid(why.to_owned())) }
}

/// A name as it counts where two must be two persons: without invisible characters, in lower case, blanks as one.
#[must_use]
pub fn person(name: &str) -> String {
    let visible: String = name.chars().filter(|c| c.is_whitespace() || !is_invisible(*c)).collect();
    visible.split_whitespace().collect::<Vec<_>>().join(" ").to_lowercase()
}

/// Texts of one entry: not empty where they are named, and no documents.
pub(super) fn texts<'a>(mut all: impl Iterator<Item = &'a String> + Clone) -> Result<(), Invalid> {
    need(all.clone().all(|text| !text.trim().is_empty()), "release, part, name and reason must not be empty")?;
    need(all.all(|text| text.chars().count() <= TEXT_CHARS_MAX), "a text is longer than 2,000 characters")
}

/// Two names are two persons, and both are names.
pub(super) fn two(by: &str, second: Option<&str>) -> Result<(), Invalid> {
    need(!person(by).is_empty() && second.is_none_or(|second| !person(second).is_empty()), "a name must not be empty")?;
    need(second.is_none_or(|second| person(second) != person(by)), "the second person must be another one")
}

impl Approval {
    /// A decision about the firmware of the device itself, everywhere and for ever.
    #[must_use]
    pub fn of(decision: Decision, line: ProductLine, release: &str, by: &str, reason: &str) -> Self {
        Self {
            decision,
            line,
            component: OWN_COMPONENT.to_owned(),
            field: Field::FirmwareRevision,
            release: release.to_owned(),
            range: None,
            hardware: None,
            scope: BTreeMap::new(),
            assets: Vec::new(),
            from_ns: None,
            until_ns: None,
            track: Track::Owner,
            preferred: false,
            origin: None,
            by: by.to_owned(),
            second: None,
            reason: reason.to_owned(),
        }
    }

    /// The release or the range, as it is shown.
    #[must_use]
    pub fn releases(&self) -> &str {
        self.range.as_deref().unwrap_or(&self.release)
    }

    /// Whether it may be recorded.
    ///
    /// # Errors
    /// The first rule of a decision that it breaks, as a sentence.
    pub fn check(&self) -> Result<(), Invalid> {
        self.line.check()?;
        let releases = [self.range.as_ref().unwrap_or(&self.release), &self.component, &self.by, &self.reason];
        let more = [self.second.as_ref(), self.hardware.as_ref()].into_iter().flatten();
        texts(self.line.named().chain(releases).chain(more).chain(self.scope.values()))?;
        need(self.range.is_none() || self.release.is_empty(), "a decision names a release or a range, not both")?;
        need(self.assets.len() <= ASSETS_MAX, "more than 10,000 assets are listed; a decision without a list is for all")?;
        need(self.field.is_revision() && self.field != Field::SerialNumber, "only a revision can be approved")?;
        two(&self.by, self.second.as_deref())?;
        need(self.from_ns.zip(self.until_ns).is_none_or(|(from, until)| from <= until), "it would end before it begins")?;
        let preferred = self.decision == Decision::Approved && self.range.is_none() && self.track == Track::Owner;
        need(!self.preferred || preferred, "only one release that the owner approves can be the preferred one, no range")?;
        for column in self.scope.keys() {
            let known = SCOPES.contains(&column.as_str());
            need(known, &format!("{column:?} is no scope; there are {}", SCOPES.join(", ")))?;
        }
        if self.track == Track::Vendor {
            need(self.origin.is_some(), "what a vendor approves names the document that says so")?;
            need(
                self.scope.is_empty() && self.assets.is_empty(),
                "what a vendor approves holds for the product, not for a scope of the owner's",
            )?;
        }
        self.check_ranges()?;
        self.origin.as_ref().map_or(Ok(()), |origin| origin.check(self))
    }

    fn check_ranges(&self) -> Result<(), Invalid> {
        if let (Some(text), Some(scheme)) = (&self.range, scheme(&self.line)) {
            let range = Range::read(scheme, text);
            let rests: Vec<&str> = range.rests().map(str::trim).collect();
            need(rests.is_empty(), &format!("of the range {text:?} this was not understood: {}", rests.join(", ")))?;
        }
        let hardware = self.hardware.as_deref().is_none_or(|text| Hardware::read(text).is_some());
        need(hardware, "the hardware was not understood; write a range (>= 5) or revisions with | between (A | B)")
    }
}

impl Origin {
    fn check(&self, of: &Approval) -> Result<(), Invalid> {
        texts([&self.document].into_iter().chain(&self.text).chain(&self.affected))?;
        let digits = |text: &String| text.len() == SHA256_DIGITS && text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
        need(self.sha256.as_ref().is_none_or(digits), "a document's SHA-256 is 64 hexadecimal digits in lower case")?;
        if of.decision != Decision::Approved || of.range.is_some() {
            return Ok(());
        }
        match fix_inside(&of.line, &of.release, &self.affected) {
            Some(range) => Err(Invalid(format!(
                "{}: the fix {:?} lies inside the range {range:?} that the document calls affected",
                self.document, of.release
            ))),
            None => Ok(()),
        }
    }
}

/// The first of the affected ranges that holds the release which is said to be the fix.
pub(super) fn fix_inside<'a>(line: &ProductLine, release: &str, affected: &'a [String]) -> Option<&'a str> {
    let scheme = scheme(line)?;
    let version = Version::read(scheme, release);
    let holds = |text: &&String| Range::read(scheme, text).answer(Some(&version), &Facts::default()).verdict == Verdict::Inside;
    affected.iter().find(holds).map(String::as_str)
}
