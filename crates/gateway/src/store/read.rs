//! Reading: each record against its digest, each payload against its name.

use std::path::Path;

use nameplate_core::ledger::{Entry, Hash, Tree};
use rusqlite::{Connection, OptionalExtension};

use super::Store;
use super::head::damaged;
use super::payload::unpacked;
use super::sheaf::{COLUMNS, Checked, Packed};
use super::tables::failure;
use crate::failure::{Code, Failure};

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
        let whole =
            |stored| unpacked(&name, stored).ok_or_else(|| damaged(&self.path, &format!("the payload {sha256} has another digest")));
        bytes.map(whole).transpose()
    }

    /// The leaf hashes of the first `size` entries, as they stand beside the records.
    ///
    /// # Errors
    /// One is missing or no hash.
    pub fn leaves(&self, size: u64) -> Result<Vec<Hash>, Failure> {
        let mut leaves = Vec::with_capacity(usize::try_from(size).unwrap_or(0));
        self.sheaves(size, |sheaf| {
            leaves.extend_from_slice(sheaf.leaves);
            Ok(())
        })?;
        leaves.truncate(usize::try_from(size).unwrap_or(usize::MAX));
        Ok(leaves)
    }

    /// Gives the rows that hold the first `size` entries, in order and without a gap; the last may hold more.
    ///
    /// # Errors
    /// One is missing or none, or what `each` says.
    pub(super) fn sheaves(&self, size: u64, mut each: impl FnMut(Packed<'_>) -> Result<(), Failure>) -> Result<(), Failure> {
        let sql = |e: rusqlite::Error| failure(&self.path, &e);
        let mut select = self.connection.prepare(&format!("SELECT {COLUMNS} FROM sheaf ORDER BY size")).map_err(sql)?;
        let mut rows = select.query([]).map_err(sql)?;
        let mut next = 0;
        while next < size {
            let row = rows.next().map_err(sql)?;
            let sheaf = row.and_then(Packed::of).filter(|sheaf| sheaf.range().start == next);
            let sheaf = sheaf.ok_or_else(|| damaged(&self.path, &format!("entry {next} is missing")))?;
            next = sheaf.range().end;
            each(sheaf)?;
        }
        Ok(())
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

    /// The checkpoint of the first `size` entries, as it was signed then.
    ///
    /// # Errors
    /// No commit ended there.
    pub fn note(&self, size: u64) -> Result<String, Failure> {
        let one = "SELECT note FROM sheaf WHERE size = ?1";
        let note: Option<Option<String>> =
            self.connection.query_row(one, [size], |row| row.get(0)).optional().map_err(|e| failure(&self.path, &e))?;
        note.flatten().ok_or_else(|| Failure::new(Code::Usage, format!("no checkpoint was signed at {size} entries")))
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
    let sql = |e: rusqlite::Error| failure(path, &e);
    let one = format!("SELECT {COLUMNS} FROM sheaf WHERE size > ?1 ORDER BY size LIMIT 1");
    let mut select = connection.prepare_cached(&one).map_err(sql)?;
    let mut rows = select.query([index]).map_err(sql)?;
    let row = rows.next().map_err(sql)?;
    let mut found = None;
    if let Some(sheaf) = row.and_then(Packed::of) {
        let keep = |entry: Checked<'_>| {
            if entry.index == index {
                found = Some(entry.record.to_vec());
            }
            Ok(())
        };
        sheaf.entries(&mut Vec::new(), keep).map_err(|why| damaged(path, &why))?;
    }
    found.ok_or_else(|| damaged(path, &format!("entry {index} is missing")))
}

/// One entry, checked.
///
/// # Errors
/// As [`record_at`], or it is none that this program knows.
pub fn entry_at(connection: &Connection, path: &Path, index: u64) -> Result<Entry, Failure> {
    Entry::of(&record_at(connection, path, index)?).map_err(|e| damaged(path, &format!("entry {index}: {e}")))
}
