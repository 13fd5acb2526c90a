//! Copies of the ledger in one file: made while a writer goes on, checked as a whole, and never put over a newer state.

use std::fs::{self, File};
use std::path::{Path, PathBuf};

use rusqlite::Connection;
use rusqlite::backup::{Backup, StepResult};

use super::head::{self, damaged};
use super::seen::{self, Seen};
use super::tables::{self, failure};
use super::{FILE, Store, Verified, lock, private_directory};
use crate::failure::Failure;
use crate::key::{self, sync_directory};

/// Ends the names of what a restore has put aside.
const REPLACED: &str = "replaced";
/// What SQLite keeps beside a database.
const BESIDE: [&str; 3] = ["", "-wal", "-shm"];

impl Store {
    /// Copies the ledger as it is now, and checks every entry, checkpoint and payload of the copy. A writer is not held up, and what it
    /// commits meanwhile is not in the copy. The site's key is not in it.
    ///
    /// # Errors
    /// There is a file of that name, it cannot be written, or the copy does not hold; nothing of it stays then.
    pub fn backup(&self, to: &Path) -> Result<Verified, Failure> {
        if to.exists() {
            return Err(Failure::input(to.display(), "there is such a file already; a backup never takes another's place"));
        }
        let part = beside(to, "part");
        // What an interrupted one left.
        let _ = fs::remove_file(&part);
        let kept = copy(&self.connection, &self.path, &part).and_then(|()| Self::of_backup(&part)?.verify(None)).and_then(|verified| {
            let named =
                fs::rename(&part, to).and_then(|()| sync_directory(to.parent().filter(|path| *path != "").unwrap_or(Path::new("."))));
            named.map(|()| verified).map_err(|e| Failure::input(to.display(), e))
        });
        kept.inspect_err(|_| drop(fs::remove_file(&part)))
    }

    /// Opens a backup for reading.
    ///
    /// # Errors
    /// It is none, is damaged, or of a newer program.
    pub fn of_backup(path: &Path) -> Result<Self, Failure> {
        if !path.exists() {
            return Err(Failure::input(path.display(), "there is no such file"));
        }
        let connection = tables::open_for_reading(path)?;
        tables::check_version(&connection, path)?;
        let opened = head::open(&connection, path, None)?.ok_or_else(|| damaged(path, "it has no entries"))?;
        Ok(Self::of(connection, path.to_owned(), opened, None))
    }

    /// Puts a backup in the place of the ledger, after every check of [`Store::verify`]. What was there is kept beside it.
    ///
    /// # Errors
    /// The backup does not hold, is another ledger's or another key's, or is older than what was acknowledged here: nothing is changed.
    pub fn restore(directory: &Path, from: &Path) -> Result<Verified, Failure> {
        private_directory(directory)
            .map_err(|e| Failure::input(directory.display(), format!("the state directory cannot be made: {e}")))?;
        let lock = lock(directory)?;
        let backup = Self::of_backup(from)?;
        let verified = backup.verify(None)?;
        let path = directory.join(FILE);
        // What was acknowledged, and what is there, where it can be read at all: a damaged one is why people restore.
        let seen = seen::read(directory)?;
        let here = if path.exists() { Self::of_backup(&path).ok().map(|here| here.note) } else { None };
        let here = here.and_then(|note| nameplate_core::ledger::Checkpoint::read(&note).ok());
        for known in seen.into_iter().chain(here) {
            head::open(&backup.connection, from, Some(known))
                .map_err(|e| Failure::input(from.display(), format!("not restored over a newer or another state: {}", e.why)))?;
        }
        if key::read(directory)?.is_some_and(|key| key.public() != *backup.public_key()) {
            let why = format!(
                "not restored: the key in {} is not that of this ledger, {}",
                directory.display(),
                backup.public_key().fingerprint()
            );
            return Err(Failure::input(from.display(), why));
        }
        let new = beside(&path, "restored");
        let _ = fs::remove_file(&new);
        copy(&backup.connection, from, &new)?;
        put_aside(&path)
            .and_then(|()| fs::rename(&new, &path))
            .and_then(|()| sync_directory(directory))
            .map_err(|e| Failure::input(path.display(), e))?;
        // As long as the note before: of one log, a later note is never shorter.
        Seen::open(directory)?.write(&backup.note)?;
        drop(lock);
        Ok(verified)
    }
}

/// All pages as they are at this moment, into one file without a log beside it, synced.
fn copy(from: &Connection, path: &Path, to: &Path) -> Result<(), Failure> {
    let sql = |e: rusqlite::Error| failure(to, &e);
    let mut target = Connection::open(to).map_err(sql)?;
    // One step of all pages is one moment: a reader of a database in WAL mode does not hold up its writer.
    let step = Backup::new(from, &mut target).and_then(|backup| backup.step(-1)).map_err(sql)?;
    if step != StepResult::Done {
        return Err(Failure::input(path.display(), "another program holds the state; nothing was copied"));
    }
    target.query_row("PRAGMA journal_mode = DELETE", [], |_| Ok(())).map_err(sql)?;
    drop(target);
    File::open(to).and_then(|file| file.sync_all()).map_err(|e| Failure::input(to.display(), e))
}

fn put_aside(path: &Path) -> std::io::Result<()> {
    for ending in BESIDE {
        let mut name = path.as_os_str().to_owned();
        name.push(ending);
        if Path::new(&name).exists() {
            let mut aside = beside(path, REPLACED).into_os_string();
            aside.push(ending);
            fs::rename(name, aside)?;
        }
    }
    Ok(())
}

/// The same name with an ending.
fn beside(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".");
    name.push(ending);
    PathBuf::from(name)
}
