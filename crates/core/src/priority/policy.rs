//! A policy: rules over the levels of the factors, what an unknown counts as, the owner's words, and days to the due date. It is data;
//! the built-in one is `policy.toml`.

mod read;
mod sound;

use std::collections::BTreeMap;
use std::fmt;
use std::sync::LazyLock;

pub(super) use read::Source;

use super::Band;
use super::factor::{Factor, Levels, place};

/// The built-in policy as text: what an owner copies and changes.
pub const BUILT_IN: &str = include_str!("policy.toml");

/// Why a text is no policy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Invalid {
    /// The line, from 1, where one is to blame.
    pub line: Option<usize>,
    /// What is wrong, as a sentence.
    pub why: String,
}

impl fmt::Display for Invalid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            Some(line) => write!(f, "line {line}: {}", self.why),
            None => f.write_str(&self.why),
        }
    }
}

impl std::error::Error for Invalid {}

/// One rule. It holds where every factor it names lies between its two levels.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rule {
    /// Its name, which decisions carry.
    pub name: String,
    /// The line it begins on, from 1.
    pub line: usize,
    /// What it says.
    pub band: Band,
    /// From which level on it holds, per factor.
    pub at_least: Levels,
    /// Up to which level it holds, per factor.
    pub at_most: Levels,
}

impl Rule {
    fn holds(&self, levels: &Levels) -> bool {
        let ends = self.at_least.iter().zip(&self.at_most);
        levels.iter().zip(ends).all(|(level, (least, most))| least <= level && level <= most)
    }
}

/// How hard it is to bring the fix in. It sets the due date, never the band.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Ease {
    /// There is a fix, and the publisher says that it needs no restart.
    Online,
    /// There is a fix, and it needs a restart.
    Outage,
    /// There is no fix: a mitigation is due.
    Unfixed,
}

impl Ease {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Online, Self::Outage, Self::Unfixed];

    /// As a policy spells it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Online => "online",
            Self::Outage => "outage",
            Self::Unfixed => "unfixed",
        }
    }
}

/// Days to the due date of one band, per [`Ease`].
type Days = [u32; Ease::ALL.len()];

/// Which column a word stands in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Word {
    Zone,
    Reach,
    Consequence,
    Value,
    SafetySystem,
    DeviceClass,
}

/// A policy that was read and found sound.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Policy {
    /// Its name, in the owner's words.
    pub name: String,
    /// SHA-256 of the file's bytes, lower case hexadecimal.
    pub sha256: String,
    rules: Vec<Rule>,
    /// As which level an unknown counts, per factor.
    unknown: Levels,
    /// EPSS from which on an exploit is likely, in millionths.
    pub(super) epss_likely_millionths: u32,
    words: BTreeMap<(Word, String), usize>,
    /// Per band, the worst first.
    due: [Option<Days>; Band::ALL.len()],
    /// For every combination of levels the place of the rule that decides.
    decides: Vec<u16>,
}

impl Policy {
    /// The policy that counts where the owner has none.
    #[must_use]
    pub fn built_in() -> &'static Self {
        // The text is part of the program, and a test reads it. Were it none, there would be no rule, and all would be critical.
        static POLICY: LazyLock<Policy> = LazyLock::new(|| Policy::read(BUILT_IN).unwrap_or_else(|_| Policy::empty()));
        &POLICY
    }

    /// Reads a policy, whole: nothing is taken from the built-in one.
    ///
    /// # Errors
    /// [`Invalid`] with the line: not TOML, a word that is none, a rule that never decides, a combination of levels that no rule takes, or
    /// two rules by which a worse fact would be the lower band.
    pub fn read(text: &str) -> Result<Self, Invalid> {
        read::policy(text)
    }

    /// The rules in their order.
    #[must_use]
    pub fn rules(&self) -> &[Rule] {
        &self.rules
    }

    /// As which level a factor counts where nothing is known of it.
    #[must_use]
    pub fn unknown(&self, factor: Factor) -> usize {
        self.unknown.get(factor as usize).copied().unwrap_or_else(|| factor.worst())
    }

    /// Days to the due date; `None` where the band has none.
    #[must_use]
    pub fn days(&self, band: Band, ease: Ease) -> Option<u32> {
        self.due.get(band.rank()).copied().flatten()?.get(ease as usize).copied()
    }

    /// The rule that decides for these levels.
    pub(super) fn rule(&self, levels: &Levels) -> Option<&Rule> {
        self.rules.get(usize::from(*self.decides.get(place(levels))?))
    }

    /// The band for these levels.
    pub(super) fn band(&self, levels: &Levels) -> Band {
        self.rule(levels).map_or(Band::Critical, |rule| rule.band)
    }

    /// The level that a cell's word means.
    pub(super) fn word(&self, column: Word, cell: &str) -> Option<usize> {
        self.words.get(&(column, folded(cell))).copied()
    }

    const fn empty() -> Self {
        Self {
            name: String::new(),
            sha256: String::new(),
            rules: Vec::new(),
            unknown: [usize::MAX; Factor::ALL.len()],
            epss_likely_millionths: 0,
            words: BTreeMap::new(),
            due: [None; Band::ALL.len()],
            decides: Vec::new(),
        }
    }
}

/// A cell's word in one spelling: lower case, one blank for all that is neither letter nor digit, but for a dot between digits.
pub(super) fn folded(cell: &str) -> String {
    let spaced: String = cell.chars().map(|c| if c.is_alphanumeric() || c == '.' { c } else { ' ' }).collect();
    spaced.split_whitespace().collect::<Vec<_>>().join(" ").to_lowercase()
}

#[cfg(test)]
mod tests;
