//! Full verification: every entry, the whole tree, every checkpoint, every payload.

use std::collections::HashMap;

use nameplate_core::ledger::{Checkpoint, Entry, Frontier, Keys, Page, is_touch};
use nameplate_core::observation::{hex, unhex};
use rusqlite::OptionalExtension;

use super::Store;
use super::head::damaged;
use super::payload::unpacked;
use super::sheaf::{COLUMNS, Checked, Packed};
use super::tables::failure;
use crate::failure::{Code, Failure};

/// Where the note stands behind [`COLUMNS`].
const NOTE: usize = 4;

/// Payloads and profile texts that entries name by their digest, and the first entry that does.
type Named = HashMap<Vec<u8>, u64>;

/// What was verified.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Verified {
    /// Entries: digest, place, and readable.
    pub entries: u64,
    /// Signed checkpoints, each of them a beginning of this tree.
    pub checkpoints: u64,
    /// Payloads with their digests.
    pub payloads: u64,
}

impl Store {
    /// Verifies all there is. With `pinned`, a checkpoint that was kept elsewhere, the log must also begin with the log it names, and
    /// be signed by the same key.
    ///
    /// # Errors
    /// The first thing that does not hold.
    pub fn verify(&self, pinned: Option<&str>) -> Result<Verified, Failure> {
        let failed = |failure: Failure| Failure::new(Code::Failed, failure.why);
        let pinned = pinned.map(|note| self.pinned(note)).transpose().map_err(failed)?;
        let mut verified = Verified::default();
        let mut named = Named::new();
        self.entries(pinned.as_ref(), &mut verified, &mut named).map_err(failed)?;
        self.payloads(&mut verified, named).map_err(failed)?;
        Ok(verified)
    }

    fn pinned(&self, note: &str) -> Result<Checkpoint, Failure> {
        let wrong = |why: String| Failure::input(self.path.display(), format!("the checkpoint that was given: {why}"));
        let pinned = self.keys.open(note).map_err(|e| wrong(format!("{e} of this ledger, {}", self.public_key().fingerprint())))?;
        if pinned.head.size > self.size() {
            let (was, missing) = (pinned.head.size, pinned.head.size - self.size());
            return Err(wrong(format!("it names {was} entries; this is an older copy, {missing} entries are missing")));
        }
        Ok(pinned)
    }

    /// Grows the tree again, entry by entry, and stops at every checkpoint.
    fn entries(&self, pinned: Option<&Checkpoint>, verified: &mut Verified, named: &mut Named) -> Result<(), Failure> {
        let sql = |e: rusqlite::Error| failure(&self.path, &e);
        let wrong = |why: String| damaged(&self.path, &why);
        // A writer may have gone on since the head was read; what follows it is not what was opened.
        let upto = format!("SELECT {COLUMNS}, note FROM sheaf WHERE size <= ?1 ORDER BY size");
        let mut select = self.connection.prepare(&upto).map_err(sql)?;
        let mut rows = select.query([self.size()]).map_err(sql)?;
        let mut keys = Keys::of_first(*self.keys.first());
        let (mut tree, mut page, mut lines) = (Frontier::default(), Page::default(), Vec::new());
        while let Some(row) = rows.next().map_err(sql)? {
            let first = tree.size();
            let sheaf = Packed::of(row).filter(|sheaf| sheaf.range().start == first);
            let sheaf = sheaf.ok_or_else(|| wrong(format!("entry {first} is missing")))?;
            let entry = |entry: Checked<'_>| {
                for digest in readable(entry.record, &mut page, &mut keys).map_err(|e| format!("entry {}: {e}", entry.index))? {
                    named.entry(digest).or_insert(entry.index);
                }
                tree.push(*entry.leaf);
                if pinned.is_some_and(|pinned| pinned.head.size == tree.size() && pinned.head.root != tree.root()) {
                    return Err(format!("forked: its first {} entries are not those of the checkpoint that was given", tree.size()));
                }
                Ok(())
            };
            sheaf.entries(&mut lines, entry).map_err(wrong)?;
            if let Some(note) = row.get::<_, Option<String>>(NOTE).map_err(sql)? {
                signed(&note, &self.keys, &tree).map_err(|why| wrong(format!("the checkpoint of {} entries: {why}", tree.size())))?;
                verified.checkpoints += 1;
            }
        }
        verified.entries = tree.size();
        if keys != self.keys {
            return Err(wrong("its entries change the key, and what stands beside them does not say so".to_owned()));
        }
        if tree == self.frontier { Ok(()) } else { Err(wrong("its entries do not give the tree that is signed".to_owned())) }
    }

    /// Nothing is pruned yet, so every payload that an entry names is there.
    fn payloads(&self, verified: &mut Verified, mut named: Named) -> Result<(), Failure> {
        let sql = |e: rusqlite::Error| failure(&self.path, &e);
        let mut select = self.connection.prepare("SELECT sha256, bytes FROM payload").map_err(sql)?;
        let mut rows = select.query([]).map_err(sql)?;
        while let Some(row) = rows.next().map_err(sql)? {
            let (name, bytes): (Vec<u8>, Vec<u8>) = (row.get(0).map_err(sql)?, row.get(1).map_err(sql)?);
            if unpacked(&name, bytes).is_none() {
                return Err(damaged(&self.path, &format!("the payload {} has another digest", hex(&name))));
            }
            named.remove(&name);
            verified.payloads += 1;
        }
        if let Some((name, index)) = named.into_iter().min_by_key(|(_, index)| *index) {
            return Err(damaged(&self.path, &format!("the payload {} of entry {index} is missing", hex(&name))));
        }
        // What SQLite itself can say of its pages.
        let sound: Option<String> = self.connection.query_row("PRAGMA quick_check(1)", [], |row| row.get(0)).optional().map_err(sql)?;
        if sound.as_deref() == Some("ok") { Ok(()) } else { Err(damaged(&self.path, &sound.unwrap_or_default())) }
    }
}

/// The digests of the payloads that a record names, if it can be read and stands as it is written.
fn readable(record: &[u8], page: &mut Page, keys: &mut Keys) -> Result<Vec<Vec<u8>>, String> {
    if is_touch(record) {
        return Ok(Vec::new());
    }
    let entry = Entry::of(record).map_err(|e| e.to_string())?;
    if page.write(&entry).map_err(|e| e.to_string())? != record {
        return Err("it is not written in its canonical form".to_owned());
    }
    keys.take(&entry).map_err(|e| e.to_string())?;
    entry.body.payloads().into_iter().map(|digits| unhex(digits).map_err(|_| format!("{digits:?} is no digest"))).collect()
}

fn signed(note: &str, keys: &Keys, tree: &Frontier) -> Result<(), String> {
    let checkpoint = keys.open(note).map_err(|e| e.to_string())?;
    let same = checkpoint.head.size == tree.size() && checkpoint.head.root == tree.root();
    if same { Ok(()) } else { Err("it does not name these entries".to_owned()) }
}
