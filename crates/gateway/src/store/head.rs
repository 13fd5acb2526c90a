//! Opening: where the log ends, and whether the database and what stands beside it agree. Nothing is repaired.

use std::path::Path;

use nameplate_core::ledger::{Checkpoint, Frontier, Head, Keys};
use rusqlite::{Connection, OptionalExtension};

use super::read::{entry_at, record_at};
use super::tables::{self, failure};
use crate::failure::Failure;

/// A log that holds together at its ends.
pub struct Opened {
    /// Its edge.
    pub frontier: Frontier,
    /// Its latest checkpoint.
    pub note: String,
    /// Its keys.
    pub keys: Keys,
    /// How much of the touch record is in it.
    pub touch_bytes: u64,
}

/// Reads the head and holds it against the first and the last entry, the signed checkpoint and what was acknowledged before. The
/// rest of the log is checked when it is read. `None` for a log without entries.
///
/// # Errors
/// Damaged, rolled back or forked: a sentence that says what does not fit what.
pub fn open(connection: &Connection, path: &Path, seen: Option<Checkpoint>) -> Result<Option<Opened>, Failure> {
    type Row = (u64, Vec<u8>, Vec<u8>, u64, Option<String>);
    // One moment of the database: a writer that commits between two of these questions must not make it look damaged.
    let _moment = connection.unchecked_transaction().map_err(|e| failure(path, &e))?;
    let row: Option<Row> = connection
        .query_row("SELECT head.size, root, frontier, touch_bytes, note FROM head LEFT JOIN sheaf ON sheaf.size = head.size", [], |row| {
            Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?, row.get(4)?))
        })
        .optional()
        .map_err(|e| failure(path, &e))?;
    let entries = extent(connection, path)?;
    let Some((size, root, frontier, touch_bytes, note)) = row else {
        return match (entries, seen) {
            (None, None) => Ok(None),
            (None, Some(seen)) => Err(gone(path, &seen)),
            (Some(_), _) => Err(damaged(path, "it has entries and no head")),
        };
    };
    let frontier = Frontier::of(size, &frontier).filter(|frontier| frontier.root()[..] == root[..] && size > 0);
    let frontier = frontier.ok_or_else(|| damaged(path, "the head's root is not that of its tree"))?;
    if entries != Some(size) {
        return Err(damaged(path, &format!("the head counts {size} entries, and those that are there count {}", entries.unwrap_or(0))));
    }
    let keys = keys(connection, path)?;
    record_at(connection, path, size - 1)?;
    let note = note.ok_or_else(|| damaged(path, &format!("the checkpoint of its {size} entries is missing")))?;
    let checkpoint = keys.open(&note).map_err(|e| damaged(path, &format!("the checkpoint of its {size} entries: {e}")))?;
    let head = Head { size, root: frontier.root() };
    if checkpoint.head != head {
        return Err(damaged(path, "the checkpoint does not name the tree that is there"));
    }
    if let Some(seen) = seen {
        hold_against(connection, path, &checkpoint, &seen)?;
    }
    Ok(Some(Opened { frontier, note, keys, touch_bytes }))
}

/// How many entries the last row counts; `None` without entries.
fn extent(connection: &Connection, path: &Path) -> Result<Option<u64>, Failure> {
    let last: Option<i64> = connection.query_row("SELECT max(size) FROM sheaf", [], |row| row.get(0)).map_err(|e| failure(path, &e))?;
    let size = |value: i64| u64::try_from(value).map_err(|_| damaged(path, &format!("its last entries count {value}")));
    last.map(size).transpose()
}

/// The key that entry 0 names, and those that took its place. Where they stand is noted beside the log; a note that is missing leaves a
/// checkpoint that nobody signed.
fn keys(connection: &Connection, path: &Path) -> Result<Keys, Failure> {
    let mut keys = Keys::of(&entry_at(connection, path, 0)?).ok_or_else(|| damaged(path, "entry 0 names no key"))?;
    for index in tables::key_changes(connection, path)? {
        let taken = keys.take(&entry_at(connection, path, index)?);
        taken.map_err(|why| damaged(path, &format!("entry {index} changes the key, and {why}")))?;
    }
    Ok(keys)
}

/// What was acknowledged once has to be there, and to be the same.
fn hold_against(connection: &Connection, path: &Path, here: &Checkpoint, seen: &Checkpoint) -> Result<(), Failure> {
    if here.origin != seen.origin {
        let why = format!("this is the ledger {}, and head.seen beside it is of the ledger {}", here.origin, seen.origin);
        return Err(Failure::input(path.display(), why));
    }
    if here.head.size < seen.head.size {
        return Err(rolled_back(path, here.head.size, seen));
    }
    let then: Option<String> = connection
        .query_row("SELECT note FROM sheaf WHERE size = ?1", [seen.head.size], |row| row.get(0))
        .optional()
        .map_err(|e| failure(path, &e))?
        .flatten();
    let same = then.as_deref().and_then(|note| Checkpoint::read(note).ok()).is_some_and(|then| then.head == seen.head);
    if same {
        return Ok(());
    }
    let why = format!(
        "forked: another history of {} entries was acknowledged here before; nothing was changed. Keep both copies: one of them is not \
         what happened",
        seen.head.size
    );
    Err(Failure::input(path.display(), why))
}

/// The database went missing, and what stands beside it did not.
pub fn gone(path: &Path, seen: &Checkpoint) -> Failure {
    rolled_back(path, 0, seen)
}

fn rolled_back(path: &Path, size: u64, seen: &Checkpoint) -> Failure {
    let (was, missing) = (seen.head.size, seen.head.size.saturating_sub(size));
    let why = format!(
        "rolled back to an older copy: {missing} entries are missing, it has {size} and {was} were acknowledged (head.seen). Nothing was \
         changed; restore the newer copy"
    );
    Failure::input(path.display(), why)
}

/// Something that does not fit, in a sentence.
pub fn damaged(path: &Path, why: &str) -> Failure {
    Failure::input(path.display(), format!("the ledger is damaged: {why}; restore it from a backup, nothing was repaired silently"))
}
