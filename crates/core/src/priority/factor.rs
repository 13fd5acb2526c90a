//! The factors of a priority and the levels that each can have, the mildest first.

/// What a priority is decided by. The severity vector counts as two factors: what an attacker gets, and who can.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Factor {
    /// What an attacker gets of the device, out of the severity vector: availability and integrity first.
    Effect,
    /// Who gets at it, out of the severity vector: way in, rights, a person's help, circumstances.
    Access,
    /// Whether it is used, or likely to be.
    Exploitation,
    /// Whether an attack can be automated.
    Automatable,
    /// From where the asset can be reached.
    Reach,
    /// What happens in the plant when the asset fails or does something else.
    Consequence,
    /// What the asset is worth to the business.
    Value,
}

impl Factor {
    /// All of them, in the order in which decisions name them.
    pub const ALL: [Self; 7] =
        [Self::Effect, Self::Access, Self::Exploitation, Self::Automatable, Self::Reach, Self::Consequence, Self::Value];

    /// As a policy spells it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Effect => "effect",
            Self::Access => "access",
            Self::Exploitation => "exploitation",
            Self::Automatable => "automatable",
            Self::Reach => "reach",
            Self::Consequence => "consequence",
            Self::Value => "value",
        }
    }

    /// Its levels, the mildest first.
    #[must_use]
    pub const fn levels(self) -> &'static [&'static str] {
        match self {
            Self::Effect => &["slight", "degrades", "disrupts", "takes_over"],
            Self::Access => &["physical", "local", "hindered", "open"],
            Self::Exploitation => &["none", "poc", "likely", "active"],
            Self::Automatable => &["no", "yes"],
            Self::Reach => &["isolated", "ot_only", "it_reachable", "internet"],
            Self::Consequence => &["none", "support", "process", "safety"],
            Self::Value => &["low", "ordinary", "high"],
        }
    }

    /// Its worst level.
    #[must_use]
    pub const fn worst(self) -> usize {
        self.levels().len().saturating_sub(1)
    }

    /// The level with this name.
    #[must_use]
    pub fn level(self, name: &str) -> Option<usize> {
        self.levels().iter().position(|level| *level == name)
    }

    /// The name of a level; of one that is too high, the worst's.
    #[must_use]
    pub fn level_name(self, level: usize) -> &'static str {
        self.levels().get(level).or(self.levels().last()).copied().unwrap_or_default()
    }
}

/// Combinations of levels: what a policy is tried on, all of them.
pub const COMBINATIONS: usize = 4 * 4 * 4 * 2 * 4 * 4 * 3;

/// One level of each factor, in the order of [`Factor::ALL`].
pub type Levels = [usize; Factor::ALL.len()];

/// The place of a combination among all.
pub fn place(levels: &Levels) -> usize {
    Factor::ALL.iter().zip(levels).fold(0, |place, (factor, level)| place * factor.levels().len() + level.min(&factor.worst()))
}

/// The combination at a place.
pub fn levels_at(place: usize) -> Levels {
    let mut rest = place;
    let mut levels = [0; Factor::ALL.len()];
    for (factor, level) in Factor::ALL.iter().zip(&mut levels).rev() {
        *level = rest % factor.levels().len();
        rest /= factor.levels().len();
    }
    levels
}

/// What is known of one factor.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reading {
    /// It is at least this level.
    pub least: usize,
    /// It is at most this level; with `least` the same, it is known.
    pub most: usize,
    /// It counts as this level at least, where it is not known: what the kind of device suggests. Never proof.
    pub suggested: Option<usize>,
    /// What it was read from, as words.
    pub because: Vec<String>,
    /// What is missing or was not understood; empty where it is known.
    pub missing: Vec<String>,
}

impl Reading {
    /// A level that is known.
    pub(super) fn known(level: usize, because: String) -> Self {
        Self { least: level, most: level, suggested: None, because: vec![because], missing: Vec::new() }
    }

    /// Nothing is known.
    pub(super) fn unknown(factor: Factor, missing: &[&str]) -> Self {
        let missing = missing.iter().map(|&fact| fact.to_owned()).collect();
        Self { least: 0, most: factor.worst(), suggested: None, because: Vec::new(), missing }
    }

    /// As which level it counts, where an unknown counts as `assumed`: never below what is known, never above what is possible.
    pub(super) fn counted(&self, assumed: usize) -> usize {
        assumed.max(self.suggested.unwrap_or(0)).min(self.most).max(self.least)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_combination_has_its_place() {
        assert_eq!(Factor::ALL.iter().map(|factor| factor.levels().len()).product::<usize>(), COMBINATIONS);
        (0..COMBINATIONS).for_each(|at| assert_eq!(place(&levels_at(at)), at));
    }

    #[test]
    fn an_unknown_counts_between_what_is_known_and_what_is_possible() {
        for (least, most, suggested, assumed, counted) in [
            (0, 3, None, 2, 2),
            (3, 3, None, 2, 3),
            (0, 1, None, 2, 1),
            (1, 3, Some(3), 2, 3),
            (2, 3, Some(0), 1, 2),
            (0, 0, Some(3), 2, 0),
        ] {
            let reading = Reading { least, most, suggested, because: vec![], missing: vec![] };
            assert_eq!(reading.counted(assumed), counted, "{reading:?}");
        }
    }
}
