//! A hash for tables whose keys are chosen by whoever sends: cheap for a few words, and unlike in each run, so that nobody can send
//! addresses that all fall into one place.
//!
//! Each word is mixed in by a multiplication of 64 by 64 bits whose halves are folded together (as wyhash and foldhash do). It is no
//! cryptographic hash: what it protects is time, and who only sends never sees a result of it.

use std::hash::{BuildHasher, Hasher, RandomState};

/// The secret of one table.
#[derive(Clone, Copy, Debug)]
pub struct Keyed {
    start: u64,
    factor: u64,
}

impl Default for Keyed {
    /// With a secret of the standard library's making: there is no other source of chance here.
    fn default() -> Self {
        let chance = RandomState::new();
        // An even factor would lose bits.
        Self { start: chance.hash_one(0), factor: chance.hash_one(1) | 1 }
    }
}

impl Keyed {
    /// The hash of so many words.
    #[inline]
    #[must_use]
    pub fn words<const N: usize>(&self, words: [u64; N]) -> u64 {
        // Two at a time: the steps wait for each other, and this is done for every packet.
        words.chunks(2).fold(self.start, |state, words| match *words {
            [one, other] => fold(state ^ one, self.factor ^ other),
            _ => words.iter().fold(state, |state, word| fold(state ^ word, self.factor)),
        })
    }
}

impl BuildHasher for Keyed {
    type Hasher = Mixing;

    #[inline]
    fn build_hasher(&self) -> Mixing {
        Mixing { state: self.start, factor: self.factor }
    }
}

/// A hash as far as it came.
#[derive(Clone, Debug)]
pub struct Mixing {
    state: u64,
    factor: u64,
}

impl Hasher for Mixing {
    /// Bytes and how many they are, so that no two runs of writes look alike.
    #[inline]
    fn write(&mut self, bytes: &[u8]) {
        let (words, rest) = bytes.as_chunks::<8>();
        words.iter().for_each(|word| self.write_u64(u64::from_le_bytes(*word)));
        let last = rest.iter().fold(bytes.len() as u64, |last, byte| last << 8 | u64::from(*byte));
        self.write_u64(last);
    }

    #[inline]
    fn write_u8(&mut self, word: u8) {
        self.write_u64(word.into());
    }

    #[inline]
    fn write_u16(&mut self, word: u16) {
        self.write_u64(word.into());
    }

    #[inline]
    fn write_u32(&mut self, word: u32) {
        self.write_u64(word.into());
    }

    #[inline]
    fn write_u64(&mut self, word: u64) {
        self.state = fold(self.state ^ word, self.factor);
    }

    #[inline]
    fn write_usize(&mut self, word: usize) {
        self.write_u64(word as u64);
    }

    #[inline]
    fn finish(&self) -> u64 {
        self.state
    }
}

/// Both halves of the product, so that each bit of it counts.
#[inline]
const fn fold(one: u64, other: u64) -> u64 {
    let product = (one as u128) * (other as u128);
    (product as u64) ^ ((product >> 64) as u64)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    /// Addresses and ports as a scan counts them up: each its own hash, and spread evenly over 256 places by the bits at either end.
    #[test]
    fn what_is_counted_up_is_spread() {
        let keyed = Keyed::default();
        let hashes: HashSet<u64> =
            (0..65_536_u64).map(|i| keyed.words([0x0a00_0000 + (i >> 4), 0, 0x0a00_0001, 0, i << 16 | 502])).collect();
        assert_eq!(hashes.len(), 65_536);
        for shift in [0, 56] {
            let mut places = [0_u32; 256];
            hashes.iter().for_each(|hash| places[usize::from((hash >> shift) as u8)] += 1);
            // 256 each on average, with a deviation of 16: eight of them away is chance no more.
            assert!(places.iter().all(|count| (128..384).contains(count)), "{places:?}");
        }
    }

    #[test]
    fn each_table_has_its_own_secret_and_keeps_it() {
        let (one, other) = (Keyed::default(), Keyed::default());
        assert_ne!(one.words([1, 2]), other.words([1, 2]));
        assert_eq!(one.words([1, 2]), one.words([1, 2]));
        assert_eq!(one.hash_one(7_u64), one.words([7]));
        let of = |bytes: &[u8]| {
            let mut mixing = one.build_hasher();
            mixing.write(bytes);
            mixing.finish()
        };
        let alike: [&[u8]; 6] = [b"", b"\0", b"\0\0", b"\0\0\0\0\0\0\0", b"\0\0\0\0\0\0\0\0", b"\0\0\0\0\0\0\0\0\0"];
        assert_eq!(alike.into_iter().map(of).collect::<HashSet<u64>>().len(), alike.len());
    }
}
