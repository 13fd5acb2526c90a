//! The answer for one version: three values, and the reason.

use super::set::{Doubt, Set};
use super::{Facts, Range};
use crate::version::Version;

/// Whether a version is in a range.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It is.
    Inside,
    /// It is not; said only where everything was understood.
    Outside,
    /// It cannot be said.
    Undecided,
}

impl Verdict {
    /// As it is written.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Inside => "inside",
            Self::Outside => "outside",
            Self::Undecided => "undecided",
        }
    }
}

/// Why a verdict is what it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Why {
    /// The comparisons decide.
    Compared,
    /// The range names every version.
    EveryVersion,
    /// The range names this text, letter by letter.
    Named,
    /// A condition beside the version does not hold.
    ConditionFails,
    /// A fact that a condition asks for is not known.
    Fact,
    /// A fact is known and could not be compared.
    FactUnread,
    /// The version is not known.
    NoVersion,
    /// The version was not understood to its end.
    VersionUnread,
    /// The range was not understood to its end.
    Unread,
    /// The scheme has no order between the version and the bound.
    NoOrder,
    /// The bound may be a release, or a line with all of its releases.
    LineOrRelease,
    /// The version names fewer numbers than the bound.
    Coarse,
    /// What the range names is built in another way than the version.
    NotAVersion,
    /// The range has a bound per line, and none for this one, or several.
    NoLine,
    /// The operators leave a gap, and the version lies in it.
    Inverted,
    /// An operator may hold for the versions behind it in the list.
    Carried,
    /// The ends of the range shut each other out.
    Contradictory,
    /// A condition fails, and it may belong to one part of the range alone.
    WhichPart,
    /// The range is about one part of the product, and of which part the version is, is not known.
    WhichComponent,
    /// The version is of another part of the product than the range names.
    OtherComponent,
}

impl Why {
    /// The reason as a sentence.
    #[must_use]
    pub const fn sentence(self) -> &'static str {
        match self {
            Self::Compared => "every comparison has an answer",
            Self::EveryVersion => "the range names every version",
            Self::Named => "the range names this text",
            Self::ConditionFails => "a condition beside the version does not hold",
            Self::Fact => "a condition beside the version asks for a fact that is not known",
            Self::FactUnread => "a fact is known, and could not be compared",
            Self::NoVersion => "the version is not known",
            Self::VersionUnread => "the version was not understood to its end",
            Self::Unread => "the range was not understood to its end",
            Self::NoOrder => "the scheme has no order between this version and the bound",
            Self::LineOrRelease => "the bound may be one release, or a line with all of its releases",
            Self::Coarse => "the version names fewer numbers than the bound",
            Self::NotAVersion => "what the range names is built in another way than the version",
            Self::NoLine => "the range has one bound per line, and not exactly one for this line",
            Self::Inverted => "the version lies in the gap of two bounds that may be the wrong way round",
            Self::Carried => "the operator of the range may hold for the versions behind it too",
            Self::Contradictory => "the bounds of the range shut each other out",
            Self::WhichPart => "a condition fails that may belong to one part of the range alone",
            Self::WhichComponent => "the range is about one part of the product, and of which part this version is, is not known",
            Self::OtherComponent => "the range is about another part of the product than this version",
        }
    }
}

/// The answer for one version.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Answer<'a> {
    /// The verdict.
    pub verdict: Verdict,
    /// Its reason.
    pub why: Why,
    /// The fact that would help to decide.
    pub missing: Option<&'a str>,
}

/// Three values of a comparison.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Truth {
    Yes,
    No,
    Unknown(Why),
}

impl Truth {
    pub const fn and(self, other: Self) -> Self {
        match (self, other) {
            (Self::No, _) | (_, Self::No) => Self::No,
            (Self::Yes, Self::Yes) => Self::Yes,
            (Self::Unknown(why), _) | (_, Self::Unknown(why)) => Self::Unknown(why),
        }
    }

    pub const fn or(self, other: Self) -> Self {
        match (self, other) {
            (Self::Yes, _) | (_, Self::Yes) => Self::Yes,
            (Self::No, Self::No) => Self::No,
            (Self::Unknown(why), _) | (_, Self::Unknown(why)) => Self::Unknown(why),
        }
    }
}

/// The fact that names the device's part whose version is given.
const COMPONENT: &str = "component";
/// The fact that is missing where the version is.
const VERSION: &str = "version";

pub fn of<'a>(range: &'a Range, version: Option<&Version>, facts: &Facts) -> Answer<'a> {
    let undecided = |why, missing| Answer { verdict: Verdict::Undecided, why, missing };
    if let Some(component) = range.component() {
        // The firmware of a device says nothing of its BIOS or of a card in it.
        match facts.get(COMPONENT) {
            None => return undecided(Why::WhichComponent, Some(COMPONENT)),
            Some(known) if known.iter().any(|known| known.trim().eq_ignore_ascii_case(component)) => {}
            Some(_) => return undecided(Why::OtherComponent, Some(component)),
        }
    }
    let (versions, read) = match version {
        _ if matches!(range.set, Set::All) => (Truth::Yes, true),
        None => (Truth::Unknown(Why::NoVersion), true),
        Some(version) if version.is_unread() && !range.set.names(version) => (Truth::Unknown(Why::VersionUnread), false),
        Some(version) => (within(range, version), version.is_whole()),
    };
    let unknown = matches!(versions, Truth::Unknown(Why::NoVersion | Why::VersionUnread));
    let mut missing = unknown.then_some(VERSION);
    let mut conditions = Truth::Yes;
    for condition in &range.conditions {
        let truth = condition.holds(facts);
        if matches!(truth, Truth::Unknown(_)) && missing.is_none() {
            missing = Some(condition.fact());
        }
        conditions = conditions.and(truth);
    }
    if conditions == Truth::No && !range.one_part {
        conditions = Truth::Unknown(Why::WhichPart);
    }
    // A text that is named letter by letter, to an end that nobody understands, needs no understanding.
    let named = !read && version.is_some_and(|version| range.set.names(version));
    match versions.and(conditions) {
        Truth::Yes if range.is_whole() => {
            let why = if matches!(range.set, Set::All) { Why::EveryVersion } else { Why::Compared };
            Answer { verdict: Verdict::Inside, why, missing: None }
        }
        Truth::Yes if named && conditions == Truth::Yes => Answer { verdict: Verdict::Inside, why: Why::Named, missing: None },
        Truth::No if named && versions == Truth::No => Answer { verdict: Verdict::Outside, why: Why::Named, missing: None },
        Truth::No if range.is_whole() && (read || conditions == Truth::No) => {
            let why = if versions == Truth::No { Why::Compared } else { Why::ConditionFails };
            Answer { verdict: Verdict::Outside, why, missing: None }
        }
        Truth::Unknown(why) => undecided(why, missing),
        _ if range.is_whole() => undecided(Why::VersionUnread, None),
        _ => undecided(Why::Unread, None),
    }
}

/// Whether the version is in the set; a doubt about the text keeps it from being called outside.
fn within(range: &Range, version: &Version) -> Truth {
    match (range.set.has(version), range.doubt) {
        // Read with the operators turned round, the same text says the opposite.
        (Truth::Yes, Some(Doubt::OneLine)) => Truth::Unknown(Why::Contradictory),
        (Truth::No, Some(doubt)) if range.set.leaves_open(doubt, version) => Truth::Unknown(match doubt {
            Doubt::Inverted => Why::Inverted,
            Doubt::Carried => Why::Carried,
            Doubt::Contradictory | Doubt::OneLine => Why::Contradictory,
        }),
        (truth, _) => truth,
    }
}
