//! The tables, their version, and SQLite's errors in the words of the person who has to mend it.

use std::path::Path;

use rusqlite::{Connection, ErrorCode, OpenFlags};

use crate::failure::Failure;

/// `nam1`: says that the file is ours (SQLite's application id).
const APPLICATION: i32 = 0x6e61_6d31;
/// Version of the tables. Each release opens the state of the one before.
const SCHEMA: i32 = 2;
/// The same, as packages name the states that their program opens.
pub const STATE_FORMAT: u32 = SCHEMA as u32;

const TABLES: &str = "
    -- Entries that were committed together; large commits are several rows.
    CREATE TABLE sheaf (
        -- Entries in the log up to and including these.
        size INTEGER PRIMARY KEY,
        -- SHA-256(0x00 || record) of each, checked on every read: no store notices a flipped bit.
        leaves BLOB NOT NULL,
        -- Bytes of the records before they were packed.
        bytes INTEGER NOT NULL,
        -- The entries in canonical JSON, a line each, as one LZ4 block.
        records BLOB NOT NULL,
        -- What was signed at the end of the commit; a row that does not end one has none.
        note TEXT
    ) STRICT;
    CREATE TABLE payload (
        sha256 BLOB PRIMARY KEY,
        bytes BLOB NOT NULL
    ) STRICT;
    -- Where the log ends: changed with every commit, in the same transaction as its entries.
    CREATE TABLE head (
        one INTEGER PRIMARY KEY CHECK (one = 1),
        size INTEGER NOT NULL,
        root BLOB NOT NULL,
        -- Roots of the whole subtrees, largest first: enough to append without reading the log.
        frontier BLOB NOT NULL,
        -- How much of the touch record is in the log.
        touch_bytes INTEGER NOT NULL
    ) STRICT;";

/// Makes the tables in a file that has none, and sets what holds for a writer.
///
/// # Errors
/// SQLite's, or [`check_version`]'s.
pub fn prepare(connection: &Connection, path: &Path) -> Result<(), Failure> {
    let sql = |text: &str| connection.execute_batch(text).map_err(|e| failure(path, &e));
    if is_fresh(connection, path)? {
        sql("PRAGMA journal_mode = WAL;")?;
        sql(&format!("BEGIN; {TABLES} PRAGMA application_id = {APPLICATION}; PRAGMA user_version = {SCHEMA}; COMMIT;"))?;
    }
    check_version(connection, path)?;
    // FULL: what was acknowledged is on disk when the power goes. The write-ahead log of a writer that was stopped by a failing disk is
    // copied before anything is put behind it: the system may believe pages clean that never reached the disk.
    // SQLite's own copying says nothing when it fails, so it is done by copy_wal.
    sql("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA cell_size_check = ON; PRAGMA wal_autocheckpoint = 0;")?;
    sql("PRAGMA wal_checkpoint(TRUNCATE);")
}

/// Copies the write-ahead log into the database, as far as no reader needs it, and syncs both.
///
/// # Errors
/// SQLite's: the disk is full or failed.
pub fn copy_wal(connection: &Connection) -> rusqlite::Result<()> {
    connection.query_row("PRAGMA wal_checkpoint(PASSIVE)", [], |_| Ok(()))
}

/// Notes that this entry changes the log's key; within the transaction that writes it.
///
/// # Errors
/// SQLite's.
pub fn note_key_change(connection: &Connection, entry: u64) -> rusqlite::Result<()> {
    connection.execute_batch("CREATE TABLE IF NOT EXISTS key_change (entry INTEGER PRIMARY KEY) STRICT;")?;
    connection.execute("INSERT INTO key_change (entry) VALUES (?1)", [entry]).map(|_| ())
}

/// The entries that change the log's key, rising. Most logs have none, and no table of them.
///
/// # Errors
/// SQLite's.
pub fn key_changes(connection: &Connection, path: &Path) -> Result<Vec<u64>, Failure> {
    let there = "SELECT count(*) FROM sqlite_schema WHERE type = 'table' AND name = 'key_change'";
    let read = || -> rusqlite::Result<Vec<u64>> {
        if connection.query_row(there, [], |row| row.get::<_, i64>(0))? == 0 {
            return Ok(Vec::new());
        }
        connection.prepare("SELECT entry FROM key_change ORDER BY entry")?.query_map([], |row| row.get(0))?.collect()
    };
    read().map_err(|e| failure(path, &e))
}

/// Opens a file that is not to be changed.
///
/// # Errors
/// SQLite's.
pub fn open_for_reading(path: &Path) -> Result<Connection, Failure> {
    let open =
        |name: &Path, flags| Connection::open_with_flags(name, OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX | flags);
    let connection = open(path, OpenFlags::empty()).map_err(|e| failure(path, &e))?;
    let mut log = path.as_os_str().to_owned();
    log.push("-wal");
    let wal = std::fs::metadata(log).map_or(0, |of| of.len());
    let refused = connection.pragma_query_value(None, "schema_version", |row| row.get::<_, i64>(0)).err();
    if refused.and_then(|e| e.sqlite_error_code()) != Some(ErrorCode::CannotOpen) || wal > 0 || !cfg!(unix) {
        return Ok(connection);
    }
    // On a file system that cannot be written SQLite has no place for the index of its write-ahead log, and needs none where there is
    // no such log.
    let escaped = path.to_string_lossy().replace('%', "%25").replace('?', "%3f").replace('#', "%23");
    open(Path::new(&format!("file:{escaped}?immutable=1")), OpenFlags::SQLITE_OPEN_URI).map_err(|e| failure(path, &e))
}

/// True for a file in which nothing was ever made.
///
/// # Errors
/// SQLite's.
pub fn is_fresh(connection: &Connection, path: &Path) -> Result<bool, Failure> {
    let tables = connection.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get::<_, i64>(0));
    let empty = tables.map_err(|e| failure(path, &e))? == 0;
    Ok(empty && pragma(connection, path, "user_version")? == 0 && pragma(connection, path, "application_id")? == 0)
}

/// Refuses what is not ours, what is newer, and what no release has made.
///
/// # Errors
/// A sentence that says which.
pub fn check_version(connection: &Connection, path: &Path) -> Result<(), Failure> {
    let (application, schema) = (pragma(connection, path, "application_id")?, pragma(connection, path, "user_version")?);
    if application != APPLICATION {
        return Err(Failure::input(path.display(), "this database is not nameplate's; name another --state"));
    }
    if schema > SCHEMA {
        let why =
            format!("made by a newer nameplate (state version {schema}, this program knows {SCHEMA}); use that one, nothing was changed");
        return Err(Failure::input(path.display(), why));
    }
    if schema < SCHEMA {
        let why = format!("made by a nameplate that was never released (state version {schema}); use that one or another --state");
        return Err(Failure::input(path.display(), why));
    }
    Ok(())
}

fn pragma(connection: &Connection, path: &Path, name: &str) -> Result<i32, Failure> {
    connection.pragma_query_value(None, name, |row| row.get(0)).map_err(|e| failure(path, &e))
}

/// SQLite's errors in the words of the person who has to mend it.
pub fn failure(path: &Path, error: &rusqlite::Error) -> Failure {
    let why = match error.sqlite_error_code() {
        Some(ErrorCode::DiskFull) => "the disk is full; nothing of this step was kept".to_owned(),
        Some(ErrorCode::ReadOnly) => "the state is read-only".to_owned(),
        Some(ErrorCode::CannotOpen) => format!("the state cannot be opened: {error}"),
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => "another program holds the state".to_owned(),
        Some(ErrorCode::NotADatabase) => "this file is no SQLite database".to_owned(),
        Some(ErrorCode::SystemIoFailure) => {
            format!("the disk failed: {error}; nothing of this step is certain to be kept, everything before it is")
        }
        Some(ErrorCode::DatabaseCorrupt) => {
            format!("the state is damaged: {error}; restore it from a backup, nothing was repaired silently")
        }
        _ => error.to_string(),
    };
    Failure::input(path.display(), why)
}
