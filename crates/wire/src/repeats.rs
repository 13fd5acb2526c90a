//! Who announces himself says the same thing every few seconds: what was heard already is not read again.

use core::hash::Hasher as _;
use std::hash::DefaultHasher;

/// Messages that are remembered per speaker: an announcement comes in one to three forms (Cisco's LLDP has a short and a long one).
const MESSAGES_MAX: usize = 4;

/// The last messages of one speaker, by their digests. 64 bits: a collision hides one announcement, and nobody has a use for that.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Repeats {
    digests: [u64; MESSAGES_MAX],
    oldest: usize,
}

impl Repeats {
    /// True for bytes that were not among the last messages; they are from now on.
    pub fn is_new(&mut self, bytes: &[u8]) -> bool {
        let mut hasher = DefaultHasher::new();
        hasher.write(bytes);
        // 0 stands for a place that is free.
        let digest = hasher.finish().max(1);
        let new = !self.digests.contains(&digest);
        if new {
            self.digests[self.oldest] = digest;
            self.oldest = (self.oldest + 1) % MESSAGES_MAX;
        }
        new
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_said_lately_is_not_new() {
        let mut repeats = Repeats::default();
        let said = ["", "a", "b", "a", "c", "d", "b", "e", "a"];
        let new: Vec<&str> = said.into_iter().filter(|text| repeats.is_new(text.as_bytes())).collect();
        assert_eq!(new, ["", "a", "b", "c", "d", "e", "a"], "the oldest of four goes when a fifth comes");
        assert!(repeats.is_new(b"b"), "forgotten by now");
    }
}
