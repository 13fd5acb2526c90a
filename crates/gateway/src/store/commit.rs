//! One commit: entries become records, records become rows, and a signed checkpoint stands under them.

use std::collections::HashSet;

use nameplate_core::ledger::{Body, Frontier, Hash, Head, NotCanonical, Page, Placed, leaf_hash};
use rusqlite::{Connection, params};

use super::Draft;
use super::payload::packed;
use super::sheaf::Sheaf;
use super::tables::note_key_change;

/// Payloads that are remembered, 32 bytes each; beyond them the memory begins anew.
const KEPT_PAYLOADS_MAX: usize = 65_536;

/// Payloads that are in the database for certain. A device says the same each day, and asking the database costs more.
#[derive(Default)]
struct Kept(HashSet<Hash>);

impl Kept {
    /// True for a payload that it did not hold; it does now.
    fn is_new(&mut self, sha256: Hash) -> bool {
        if self.0.len() >= KEPT_PAYLOADS_MAX {
            self.0.clear();
        }
        self.0.insert(sha256)
    }
}

/// What a writer keeps from one commit to the next: memory, and what it need not write again.
#[derive(Default)]
pub struct Desk {
    page: Page,
    sheaf: Sheaf,
    kept: Kept,
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
    /// Where it is written.
    pub desk: &'a mut Desk,
    /// How much of the touch record is in the log after it.
    pub touch_bytes: u64,
}

/// One that was made.
pub struct Committed {
    /// The log's edge behind it.
    pub frontier: Frontier,
    /// The signed checkpoint.
    pub note: String,
    /// Bytes of its rows.
    pub bytes: usize,
}

impl Commit<'_> {
    /// Writes all of them, and what `signed` makes of the head, or nothing.
    pub fn write(self, drafts: &[Draft], signed: impl FnOnce(Head) -> String) -> Result<Committed, Unwritten> {
        let Self { connection, mut frontier, desk, touch_bytes } = self;
        let Desk { page, sheaf, kept } = desk;
        let transaction = connection.transaction()?;
        let mut bytes = 0;
        {
            let mut insert = transaction.prepare_cached("INSERT OR IGNORE INTO payload (sha256, bytes) VALUES (?1, ?2)")?;
            for Draft { time_ns, body, payloads } in drafts {
                if sheaf.is_full() {
                    bytes += sheaf.put(&transaction, frontier.size(), None)?;
                }
                let record = Placed { index: frontier.size(), time_ns: *time_ns, body }.record(page)?;
                if let Body::KeyChange { .. } = body {
                    note_key_change(&transaction, frontier.size())?;
                }
                let leaf = leaf_hash(record);
                frontier.push(leaf);
                sheaf.push(&leaf, record);
                for payload in payloads {
                    if kept.is_new(payload.sha256) {
                        insert.execute(params![payload.sha256, packed(&payload.bytes)])?;
                    }
                }
            }
        }
        let head = Head { size: frontier.size(), root: frontier.root() };
        let note = signed(head);
        bytes += sheaf.put(&transaction, head.size, Some(&note))?;
        transaction
            .prepare_cached("INSERT OR REPLACE INTO head (one, size, root, frontier, touch_bytes) VALUES (1, ?1, ?2, ?3, ?4)")?
            .execute(params![head.size, head.root, frontier.bytes(), touch_bytes])?;
        transaction.commit()?;
        Ok(Committed { frontier, note, bytes })
    }
}
