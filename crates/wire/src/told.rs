//! What was told already: who announces the same thing again and again is heard once, and costs one digest from then on.

use std::hash::{DefaultHasher, Hash, Hasher};

use crate::Reading;

/// Digests remembered by one conversation; a segment's DHCP clients are one conversation. When they are full all are forgotten, and
/// what comes again is told again: a few hundred bytes more in a catalog, never a device less.
const DIGESTS_MAX: usize = 512;

/// Remembers by digest, so that its memory does not depend on what is said.
#[derive(Clone, Debug, Default)]
pub struct Told {
    digests: Vec<u64>,
}

impl Told {
    /// True the first time that this is told.
    pub fn is_new(&mut self, what: impl Hash) -> bool {
        let mut hasher = DefaultHasher::new();
        what.hash(&mut hasher);
        let digest = hasher.finish();
        if self.digests.contains(&digest) {
            return false;
        }
        if self.digests.len() == DIGESTS_MAX {
            self.digests.clear();
        }
        self.digests.push(digest);
        true
    }

    /// True the first time that this speaker tells these facts. The messages around them do not count: their numbers and clocks change.
    pub fn is_news(&mut self, reading: &Reading) -> bool {
        let facts: Vec<(&str, &[u8])> = reading.facts.iter().map(|fact| (fact.path.as_str(), fact.bytes.as_slice())).collect();
        self.is_new((reading.question, &reading.speaker, reading.complete, facts))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_told_is_not_news() {
        let mut told = Told::default();
        assert!(told.is_new("a") && told.is_new("b") && !told.is_new("a"));
        assert_eq!((0..2 * DIGESTS_MAX).filter(|n| told.is_new(n)).count(), 2 * DIGESTS_MAX);
        assert!(told.digests.len() <= DIGESTS_MAX);
    }
}
