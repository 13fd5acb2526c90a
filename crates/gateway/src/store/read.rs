//! Reading: each record against its digest, each payload against its name.

use std::path::Path;

use nameplate_core::ledger::{Entry, HASH_BYTES, Hash, Tail, Tree, leaf_hash};
use rusqlite::{Connection, OptionalExtension, Row};
use sha2::{Digest, Sha256};

use super::Store;
use super::head::damaged;
use super::tables::failure;
use crate::failure::Failure;

impl Store {
    /// The bytes of an entry.
    ///
    /// # Errors
    /// There is no such entry, or it is damaged.
    pub fn record(&self, index: u64) -> Result<Vec<u8>, Failure> {
        if index >= self.size() {
            return Err(Failure::input(self.path.display(), format!("there is no entry {index}; the ledger has {}", self.size())));
        }
        record_at(&self.connection, &self.path, index)
    }

    /// An entry.
    ///
    /// # Errors
    /// As [`Store::record`].
    pub fn entry(&self, index: u64) -> Result<Entry, Failure> {
        let record = self.record(index)?;
        Entry::of(&record).map_err(|e| damaged(&self.path, &format!("entry {index}: {e}")))
    }

    /// The bytes that have this SHA-256 (lower case hexadecimal); `None` where they are not kept.
    ///
    /// # Errors
    /// They are damaged.
    pub fn payload(&self, sha256: &str) -> Result<Option<Vec<u8>>, Failure> {
        let Ok(name) = nameplate_core::observation::unhex(sha256) else { return Ok(None) };
        let mut select =
            self.connection.prepare_cached("SELECT bytes FROM payload WHERE sha256 = ?1").map_err(|e| failure(&self.path, &e))?;
        let bytes: Option<Vec<u8>> = select.query_row([&name], |row| row.get(0)).optional().map_err(|e| failure(&self.path, &e))?;
        match bytes {
            Some(bytes) if Sha256::digest(&bytes)[..] != name[..] => {
                Err(damaged(&self.path, &format!("the payload {sha256} has another digest")))
            }
            bytes => Ok(bytes),
        }
    }

    /// The leaf hashes of the first `size` entries, as they stand beside the records.
    ///
    /// # Errors
    /// One is missing or no hash.
    pub fn leaves(&self, size: u64) -> Result<Vec<Hash>, Failure> {
        let mut leaves = Vec::with_capacity(usize::try_from(size).unwrap_or(0));
        let mut select =
            self.connection.prepare("SELECT idx, leaf FROM entry WHERE idx < ?1 ORDER BY idx").map_err(|e| failure(&self.path, &e))?;
        let mut rows = select.query([size]).map_err(|e| failure(&self.path, &e))?;
        while let Some(row) = rows.next().map_err(|e| failure(&self.path, &e))? {
            let expected = leaves.len() as u64;
            let leaf = place(row).filter(|index| *index == expected).and_then(|_| leaf(row));
            leaves.push(leaf.ok_or_else(|| damaged(&self.path, &format!("entry {expected} is missing or has no digest")))?);
        }
        if leaves.len() as u64 == size { Ok(leaves) } else { Err(damaged(&self.path, &format!("fewer than {size} entries"))) }
    }

    /// The tree of the first `size` entries, whose root was held against the signed one: what proofs are taken from. It takes time in
    /// proportion to the log; ask it for many proofs.
    ///
    /// # Errors
    /// As [`Store::leaves`], or the leaves do not give the root.
    pub fn tree(&self) -> Result<Tree, Failure> {
        let tree = Tree::of(self.leaves(self.size())?);
        if tree.root(self.size()) == Some(self.frontier.root()) {
            return Ok(tree);
        }
        Err(damaged(&self.path, "its digests do not give the root that is signed; `nameplate ledger verify` says where"))
    }

    /// The proof that an entry is in the tree of the first `size` entries (RFC 6962, 2.1.1), lowest first.
    ///
    /// # Errors
    /// There is no such entry or size, or as [`Store::tree`].
    pub fn proof(&self, index: u64, size: u64) -> Result<Vec<Hash>, Failure> {
        let none = || Failure::input(self.path.display(), format!("there is no entry {index} in a tree of {size}"));
        self.tree()?.inclusion(index, size).ok_or_else(none)
    }
}

/// The bytes of one entry, checked.
///
/// # Errors
/// It is missing or damaged.
pub fn record_at(connection: &Connection, path: &Path, index: u64) -> Result<Vec<u8>, Failure> {
    let mut select = connection.prepare_cached("SELECT idx, leaf, record FROM entry WHERE idx = ?1").map_err(|e| failure(path, &e))?;
    let mut rows = select.query([index]).map_err(|e| failure(path, &e))?;
    let row = rows.next().map_err(|e| failure(path, &e))?.ok_or_else(|| damaged(path, &format!("entry {index} is missing")))?;
    let record: Vec<u8> = row.get(2).map_err(|e| failure(path, &e))?;
    check(index, leaf(row), &record).map_err(|why| damaged(path, &why))?;
    Ok(record)
}

/// One entry, checked.
///
/// # Errors
/// As [`record_at`], or it is none that this program knows.
pub fn entry_at(connection: &Connection, path: &Path, index: u64) -> Result<Entry, Failure> {
    Entry::of(&record_at(connection, path, index)?).map_err(|e| damaged(path, &format!("entry {index}: {e}")))
}

/// Holds a record against its digest and its place; gives its end, where its time stands.
///
/// # Errors
/// What does not fit, with the entry's index.
pub fn check(index: u64, leaf: Option<Hash>, record: &[u8]) -> Result<Tail, String> {
    if leaf != Some(leaf_hash(record)) {
        return Err(format!("entry {index} does not have its digest: a bit of it has changed"));
    }
    let tail = Tail::of(record).filter(|tail| tail.index == index);
    tail.ok_or_else(|| format!("entry {index} does not stand in its place"))
}

/// The index of a row.
pub fn place(row: &Row<'_>) -> Option<u64> {
    row.get_ref(0).ok()?.as_i64().ok().and_then(|index| u64::try_from(index).ok())
}

/// The digest of a row.
pub fn leaf(row: &Row<'_>) -> Option<Hash> {
    row.get_ref(1).ok()?.as_blob().ok().and_then(|bytes| <[u8; HASH_BYTES]>::try_from(bytes).ok())
}
