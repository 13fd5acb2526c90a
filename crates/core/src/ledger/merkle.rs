//! Hashes of the tree, its edge while it grows, and what convinces somebody who has only the root.
//!
//! Sources: RFC 6962, 2.1 (hashes, proofs); RFC 9162, 2.1.3.2 and 2.1.4.2 (verification; the same tree).

use sha2::{Digest, Sha256};

/// SHA-256.
pub type Hash = [u8; HASH_BYTES];
/// Bytes of a hash.
pub const HASH_BYTES: usize = 32;
/// Prefix of a leaf's bytes, so that no node can be taken for a leaf.
const LEAF: u8 = 0;
/// Prefix of a node's bytes.
const NODE: u8 = 1;

/// The hash of an entry's record.
#[must_use]
pub fn leaf_hash(record: &[u8]) -> Hash {
    Sha256::new().chain_update([LEAF]).chain_update(record).finalize().into()
}

/// The hash of two neighbours.
#[must_use]
pub fn node_hash(left: &Hash, right: &Hash) -> Hash {
    Sha256::new().chain_update([NODE]).chain_update(left).chain_update(right).finalize().into()
}

/// The edge of a growing tree: the roots of its whole subtrees, largest first. All that is needed to append and to name the root.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Frontier {
    size: u64,
    peaks: Vec<Hash>,
}

impl Frontier {
    /// The edge of a tree of that size, from [`Frontier::bytes`]; `None` where the size wants another number of hashes.
    #[must_use]
    pub fn of(size: u64, bytes: &[u8]) -> Option<Self> {
        let (peaks, rest) = bytes.as_chunks::<HASH_BYTES>();
        let whole = rest.is_empty() && peaks.len() == size.count_ones() as usize;
        whole.then(|| Self { size, peaks: peaks.to_vec() })
    }

    /// Its hashes, one behind the other.
    #[must_use]
    pub fn bytes(&self) -> Vec<u8> {
        self.peaks.concat()
    }

    /// How many leaves the tree has.
    #[must_use]
    pub const fn size(&self) -> u64 {
        self.size
    }

    /// Appends a leaf.
    pub fn push(&mut self, leaf: Hash) {
        let mut hash = leaf;
        // As many whole subtrees end here as there are ones at the low end of the size.
        for _ in 0..self.size.trailing_ones() {
            let Some(left) = self.peaks.pop() else { break };
            hash = node_hash(&left, &hash);
        }
        self.peaks.push(hash);
        self.size = self.size.saturating_add(1);
    }

    /// The root: the hash of no bytes for an empty tree.
    #[must_use]
    pub fn root(&self) -> Hash {
        let joined = self.peaks.iter().rev().copied().reduce(|right, left| node_hash(&left, &right));
        joined.unwrap_or_else(|| Sha256::digest([]).into())
    }
}

/// True where `proof` leads from the leaf at `index` to the root of the tree of that size (RFC 9162, 2.1.3.2).
#[must_use]
pub fn included(leaf: &Hash, index: u64, size: u64, proof: &[Hash], root: &Hash) -> bool {
    if index >= size {
        return false;
    }
    let (mut at, mut last, mut hash) = (index, size - 1, *leaf);
    for neighbour in proof {
        if last == 0 {
            return false;
        }
        if at & 1 == 1 || at == last {
            hash = node_hash(neighbour, &hash);
            while at & 1 == 0 && at != 0 {
                (at, last) = (at >> 1, last >> 1);
            }
        } else {
            hash = node_hash(&hash, neighbour);
        }
        (at, last) = (at >> 1, last >> 1);
    }
    last == 0 && hash == *root
}

/// A tree's size and root.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Head {
    /// Number of leaves.
    pub size: u64,
    /// The root hash.
    pub root: Hash,
}

/// True where `proof` shows that the newer tree begins with the older one (RFC 9162, 2.1.4.2). An empty tree begins every tree.
#[must_use]
pub fn consistent(older: Head, newer: Head, proof: &[Hash]) -> bool {
    if older.size == newer.size {
        return proof.is_empty() && older.root == newer.root;
    }
    if older.size == 0 || older.size > newer.size {
        return proof.is_empty() && older == (Head { size: 0, root: Frontier::default().root() });
    }
    let mut rest = proof.iter();
    let first = if older.size.is_power_of_two() { Some(&older.root) } else { rest.next() };
    let Some(first) = first else { return false };
    let (mut at, mut last) = (older.size - 1, newer.size - 1);
    while at & 1 == 1 {
        (at, last) = (at >> 1, last >> 1);
    }
    let (mut old, mut new) = (*first, *first);
    for neighbour in rest {
        if last == 0 {
            return false;
        }
        if at & 1 == 1 || at == last {
            (old, new) = (node_hash(neighbour, &old), node_hash(neighbour, &new));
            while at & 1 == 0 && at != 0 {
                (at, last) = (at >> 1, last >> 1);
            }
        } else {
            new = node_hash(&new, neighbour);
        }
        (at, last) = (at >> 1, last >> 1);
    }
    last == 0 && old == older.root && new == newer.root
}
