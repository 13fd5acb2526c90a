//! The whole tree in memory, for whoever hands out proofs.

use super::merkle::{Frontier, Hash, node_hash};

/// All hashes of a tree: 64 bytes a leaf.
#[derive(Clone, Debug)]
pub struct Tree {
    /// The leaves, then the roots of whole pairs, of whole fours, ...
    levels: Vec<Vec<Hash>>,
}

impl Tree {
    /// The tree over these leaves.
    #[must_use]
    pub fn of(leaves: Vec<Hash>) -> Self {
        let mut levels = vec![leaves];
        while let Some(below) = levels.last().filter(|below| below.len() > 1) {
            let (pairs, _) = below.as_chunks::<2>();
            levels.push(pairs.iter().map(|[left, right]| node_hash(left, right)).collect());
        }
        Self { levels }
    }

    /// Number of leaves.
    #[must_use]
    pub fn size(&self) -> u64 {
        self.levels.first().map_or(0, |leaves| leaves.len() as u64)
    }

    /// The root of the first `size` leaves; `None` where there are fewer.
    #[must_use]
    pub fn root(&self, size: u64) -> Option<Hash> {
        if size == 0 {
            return Some(Frontier::default().root());
        }
        (size <= self.size()).then(|| self.range(0, size)).flatten()
    }

    /// The proof that the leaf at `index` is in the tree of the first `size` leaves, lowest first (RFC 6962, 2.1.1).
    #[must_use]
    pub fn inclusion(&self, index: u64, size: u64) -> Option<Vec<Hash>> {
        if index >= size || size > self.size() {
            return None;
        }
        let (mut low, mut high, mut proof) = (0, size, Vec::new());
        while high - low > 1 {
            let middle = low + largest_power_below(high - low);
            if index < middle {
                proof.push(self.range(middle, high)?);
                high = middle;
            } else {
                proof.push(self.range(low, middle)?);
                low = middle;
            }
        }
        proof.reverse();
        Some(proof)
    }

    /// The proof that the tree of `newer` leaves begins with that of `older` (RFC 6962, 2.1.2). Empty where one of them is trivial.
    #[must_use]
    pub fn consistency(&self, older: u64, newer: u64) -> Option<Vec<Hash>> {
        if older > newer || newer > self.size() {
            return None;
        }
        if older == 0 || older == newer {
            return Some(Vec::new());
        }
        let (mut low, mut high, mut proof) = (0, newer, Vec::new());
        while older != high {
            let middle = low + largest_power_below(high - low);
            if older <= middle {
                proof.push(self.range(middle, high)?);
                high = middle;
            } else {
                proof.push(self.range(low, middle)?);
                low = middle;
            }
        }
        // The verifier knows the older root itself where the walk never turned right.
        if low > 0 {
            proof.push(self.range(low, high)?);
        }
        proof.reverse();
        Some(proof)
    }

    /// The hash of the leaves from `low` up to `high`, where `low` is a multiple of the smallest power of two that holds the range.
    fn range(&self, low: u64, high: u64) -> Option<Hash> {
        let length = high - low;
        if length.is_power_of_two() {
            let level = self.levels.get(length.trailing_zeros() as usize)?;
            return level.get(usize::try_from(low / length).ok()?).copied();
        }
        let middle = low + largest_power_below(length);
        Some(node_hash(&self.range(low, middle)?, &self.range(middle, high)?))
    }
}

/// The largest power of two below `length`, which is at least 2.
const fn largest_power_below(length: u64) -> u64 {
    1 << (length - 1).ilog2()
}

#[cfg(test)]
mod tests;
