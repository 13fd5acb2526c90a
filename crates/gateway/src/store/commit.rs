//! One commit: entries become records, records become rows, and a signed checkpoint stands under them.

use std::collections::HashSet;

use nameplate_core::ledger::{Entry, Frontier, Hash, Head, NotCanonical, Page, leaf_hash};
use rusqlite::{Connection, params};
use sha2::{Digest, Sha256};

use super::Draft;

/// Payloads that are remembered, 32 bytes each; beyond them the memory begins anew.
const KEPT_PAYLOADS_MAX: usize = 65_536;

/// Payloads that are in the database for certain. A device says the same each day, and asking the database costs more.
#[derive(Default)]
pub struct Kept(HashSet<Hash>);

impl Kept {
    /// True for a payload that it did not hold; it does now.
    fn is_new(&mut self, sha256: Hash) -> bool {
        if self.0.len() >= KEPT_PAYLOADS_MAX {
            self.0.clear();
        }
        self.0.insert(sha256)
    }
}

/// Why nothing was committed.
pub enum Unwritten {
    /// An entry has no record. The database is as it was.
    Record(String),
    /// The database failed.
    Shelf(rusqlite::Error),
}

impl From<rusqlite::Error> for Unwritten {
    fn from(error: rusqlite::Error) -> Self {
        Self::Shelf(error)
    }
}

impl From<NotCanonical> for Unwritten {
    fn from(error: NotCanonical) -> Self {
        Self::Record(error.to_string())
    }
}

/// A commit that is to be made.
pub struct Commit<'a> {
    /// The database.
    pub connection: &'a mut Connection,
    /// The log's edge before it.
    pub frontier: Frontier,
    /// What need not be written again.
    pub kept: &'a mut Kept,
    /// How much of the touch record is in the log after it.
    pub touch_bytes: u64,
}

/// One that was made.
pub struct Committed {
    /// The log's edge behind it.
    pub frontier: Frontier,
    /// The signed checkpoint.
    pub note: String,
    /// Bytes of its records.
    pub bytes: usize,
}

impl Commit<'_> {
    /// Writes all of them, and what `signed` makes of the head, or nothing.
    pub fn write(self, drafts: Vec<Draft>, signed: impl FnOnce(Head) -> String) -> Result<Committed, Unwritten> {
        let Self { connection, mut frontier, kept, touch_bytes } = self;
        let transaction = connection.transaction()?;
        let (mut page, mut bytes): (Page, usize) = (Page::default(), 0);
        {
            let mut entry = transaction.prepare_cached("INSERT INTO entry (idx, leaf, record) VALUES (?1, ?2, ?3)")?;
            let mut payload = transaction.prepare_cached("INSERT OR IGNORE INTO payload (sha256, bytes) VALUES (?1, ?2)")?;
            for Draft { time_ns, body, payloads } in drafts {
                let index = frontier.size();
                let record = page.write(&Entry { index, time_ns, body })?;
                let leaf = leaf_hash(record);
                frontier.push(leaf);
                bytes = bytes.saturating_add(record.len());
                entry.execute(params![index, leaf, record])?;
                for bytes in payloads {
                    let sha256: Hash = Sha256::digest(&bytes).into();
                    if kept.is_new(sha256) {
                        payload.execute(params![sha256, bytes])?;
                    }
                }
            }
        }
        let head = Head { size: frontier.size(), root: frontier.root() };
        let note = signed(head);
        transaction.prepare_cached("INSERT INTO checkpoint (size, note) VALUES (?1, ?2)")?.execute(params![head.size, note])?;
        transaction
            .prepare_cached("INSERT OR REPLACE INTO head (one, size, root, frontier, touch_bytes) VALUES (1, ?1, ?2, ?3, ?4)")?
            .execute(params![head.size, head.root, frontier.bytes(), touch_bytes])?;
        transaction.commit()?;
        Ok(Committed { frontier, note, bytes })
    }
}
