//! The shelf on which observations stand: SQLite, one writer. The catalog is the fold over it.

use std::fs::{self, File, TryLockError};
use std::path::{Path, PathBuf};

use nameplate_core::catalog::Catalog;
use nameplate_core::observation::Observation;
use nameplate_core::profile::Interpretation;
use rusqlite::{Connection, ErrorCode, OpenFlags, params};

use crate::failure::Failure;

/// The database's file in the state directory.
const FILE: &str = "nameplate.sqlite";
/// Held while a process writes.
const LOCK: &str = "writer.lock";
/// `nam1`: says that the file is ours (SQLite's application id).
const APPLICATION: i32 = 0x6e61_6d31;
/// Version of the tables. Each release opens the state of the one before.
const SCHEMA: i32 = 1;

const TABLES: &str = "
    CREATE TABLE observation (
        -- Order in which they were taken; everything else is a fold in this order.
        idx INTEGER PRIMARY KEY AUTOINCREMENT,
        id TEXT NOT NULL UNIQUE,
        time_ns INTEGER NOT NULL,
        -- The observation with its bytes, and what it meant on the day it was taken, as JSON.
        observation TEXT NOT NULL,
        interpretation TEXT NOT NULL,
        -- Hash of the profile that gave the meaning.
        profile_sha256 TEXT
    ) STRICT;";

/// An open state directory.
pub struct Store {
    connection: Connection,
    path: PathBuf,
    /// Released when the store is dropped.
    _lock: Option<File>,
}

/// One row: what was observed, and what it meant then.
pub struct Entry {
    /// The observation.
    pub observation: Observation,
    /// Its meaning on that day.
    pub interpretation: Interpretation,
    /// Hash of the profile that gave it.
    pub profile_sha256: Option<String>,
}

impl Store {
    /// Opens the state for reading and writing, and makes it where there is none.
    ///
    /// # Errors
    /// A sentence that names the directory: it cannot be made, another process writes, it is full, read-only, damaged, somebody
    /// else's, or of a newer version.
    pub fn write(directory: &Path) -> Result<Self, Failure> {
        private_directory(directory)
            .map_err(|e| Failure::input(directory.display(), format!("the state directory cannot be made: {e}")))?;
        let lock_path = directory.join(LOCK);
        let lock =
            File::create(&lock_path).map_err(|e| Failure::input(lock_path.display(), format!("the state cannot be written: {e}")))?;
        lock.try_lock().map_err(|e| {
            let why = match e {
                TryLockError::WouldBlock => "another nameplate is writing to this state; wait for it or use another --state".to_owned(),
                TryLockError::Error(e) => format!("the state cannot be locked: {e}"),
            };
            Failure::input(directory.display(), why)
        })?;
        let path = directory.join(FILE);
        let connection = Connection::open(&path).map_err(|e| failure(&path, &e))?;
        let store = Self { connection, path, _lock: Some(lock) };
        store.prepare().map(|()| store)
    }

    /// Opens the state for reading; `None` where there is none yet.
    ///
    /// # Errors
    /// As [`Store::write`].
    pub fn read(directory: &Path) -> Result<Option<Self>, Failure> {
        let path = directory.join(FILE);
        if !path.exists() {
            return Ok(None);
        }
        let connection = Connection::open_with_flags(&path, OpenFlags::SQLITE_OPEN_READ_ONLY).map_err(|e| failure(&path, &e))?;
        let store = Self { connection, path, _lock: None };
        store.check_version()?;
        Ok(Some(store))
    }

    /// Appends entries that are not there yet, all or none; returns how many were new.
    ///
    /// # Errors
    /// The store's: full, read-only, damaged. Nothing of this call is kept then.
    pub fn append(&mut self, entries: &[Entry]) -> Result<usize, Failure> {
        let path = self.path.clone();
        let mut added = 0;
        let mut all = || -> rusqlite::Result<()> {
            let transaction = self.connection.transaction()?;
            {
                let mut insert = transaction.prepare_cached(
                    "INSERT OR IGNORE INTO observation (id, time_ns, observation, interpretation, profile_sha256) VALUES (?1, ?2, ?3, ?4, ?5)",
                )?;
                for entry in entries {
                    let json = |value: serde_json::Result<String>| value.map_err(|e| rusqlite::Error::ToSqlConversionFailure(Box::new(e)));
                    added += insert.execute(params![
                        entry.observation.id(),
                        i64::try_from(entry.observation.time_ns).unwrap_or(i64::MAX),
                        json(serde_json::to_string(&entry.observation))?,
                        json(serde_json::to_string(&entry.interpretation))?,
                        entry.profile_sha256,
                    ])?;
                }
            }
            transaction.commit()
        };
        all().map_err(|e| failure(&path, &e))?;
        Ok(added)
    }

    /// The catalog as of a time (all of it with `None`).
    ///
    /// # Errors
    /// The store's, or an entry that cannot be read: damaged.
    pub fn catalog(&self, as_of_ns: Option<u64>) -> Result<Catalog, Failure> {
        let mut catalog = Catalog::default();
        let until = as_of_ns.and_then(|time| i64::try_from(time).ok()).unwrap_or(i64::MAX);
        let mut select = self
            .prepare_select("SELECT idx, observation, interpretation, profile_sha256 FROM observation WHERE time_ns <= ?1 ORDER BY idx")?;
        let mut rows = select.query(params![until]).map_err(|e| failure(&self.path, &e))?;
        while let Some(row) = rows.next().map_err(|e| failure(&self.path, &e))? {
            let entry = self.entry(row)?;
            catalog.take(&entry.observation, &entry.interpretation);
        }
        Ok(catalog)
    }

    /// One observation by its id.
    ///
    /// # Errors
    /// The store's.
    pub fn observation(&self, id: &str) -> Result<Option<Entry>, Failure> {
        let mut select = self.prepare_select("SELECT idx, observation, interpretation, profile_sha256 FROM observation WHERE id = ?1")?;
        let mut rows = select.query(params![id]).map_err(|e| failure(&self.path, &e))?;
        rows.next().map_err(|e| failure(&self.path, &e))?.map(|row| self.entry(row)).transpose()
    }

    fn prepare_select(&self, sql: &str) -> Result<rusqlite::Statement<'_>, Failure> {
        self.connection.prepare(sql).map_err(|e| failure(&self.path, &e))
    }

    fn entry(&self, row: &rusqlite::Row<'_>) -> Result<Entry, Failure> {
        let read =
            || -> rusqlite::Result<(i64, String, String, Option<String>)> { Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?)) };
        let (idx, observation, interpretation, profile_sha256) = read().map_err(|e| failure(&self.path, &e))?;
        let damaged = |e: serde_json::Error| Failure::input(self.path.display(), format!("entry {idx} is damaged: {e}"));
        let observation = serde_json::from_str(&observation).map_err(damaged)?;
        let interpretation = serde_json::from_str(&interpretation).map_err(damaged)?;
        Ok(Entry { observation, interpretation, profile_sha256 })
    }

    fn prepare(&self) -> Result<(), Failure> {
        let sql = |result: rusqlite::Result<()>| result.map_err(|e| failure(&self.path, &e));
        let fresh = self.pragma("user_version")? == 0 && self.pragma("application_id")? == 0 && self.is_empty()?;
        if fresh {
            let version = format!("PRAGMA application_id = {APPLICATION}; PRAGMA user_version = {SCHEMA};");
            sql(self.connection.execute_batch("PRAGMA journal_mode = WAL;"))?;
            sql(self.connection.execute_batch(&format!("BEGIN; {TABLES} {version} COMMIT;")))?;
        }
        self.check_version()?;
        // FULL: what was acknowledged is on disk when the power goes.
        sql(self.connection.execute_batch("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;"))
    }

    fn is_empty(&self) -> Result<bool, Failure> {
        let count = self.connection.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get::<_, i64>(0));
        count.map(|count| count == 0).map_err(|e| failure(&self.path, &e))
    }

    fn pragma(&self, name: &str) -> Result<i32, Failure> {
        self.connection.pragma_query_value(None, name, |row| row.get(0)).map_err(|e| failure(&self.path, &e))
    }

    fn check_version(&self) -> Result<(), Failure> {
        let (application, schema) = (self.pragma("application_id")?, self.pragma("user_version")?);
        if application != APPLICATION {
            return Err(Failure::input(self.path.display(), "this database is not nameplate's; name another --state"));
        }
        if schema > SCHEMA {
            let why = format!(
                "made by a newer nameplate (state version {schema}, this program knows {SCHEMA}); use that one, nothing was changed"
            );
            return Err(Failure::input(self.path.display(), why));
        }
        Ok(())
    }
}

/// Makes the directory for this account alone: what a plant runs is nobody else's business. An existing one is left as it is.
fn private_directory(directory: &Path) -> std::io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(directory)
}

/// SQLite's errors in the words of the person who has to mend it.
fn failure(path: &Path, error: &rusqlite::Error) -> Failure {
    let why = match error.sqlite_error_code() {
        Some(ErrorCode::DiskFull) => "the disk is full; nothing of this step was kept".to_owned(),
        Some(ErrorCode::ReadOnly) => "the state is read-only".to_owned(),
        Some(ErrorCode::CannotOpen) => format!("the state cannot be opened: {error}"),
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => "another program holds the state".to_owned(),
        Some(ErrorCode::NotADatabase) => "this file is no SQLite database".to_owned(),
        Some(ErrorCode::DatabaseCorrupt) => {
            format!("the state is damaged: {error}; restore it from a backup, nothing was repaired silently")
        }
        _ => error.to_string(),
    };
    Failure::input(path.display(), why)
}
