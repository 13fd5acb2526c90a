//! The shelf on which the ledger stands: SQLite, one writer. Everything else is a fold over it. See docs/decisions/0008.

mod backup;
mod commit;
mod draft;
mod export;
mod fold;
mod head;
mod payload;
mod read;
mod seen;
mod sheaf;
mod tables;
mod verify;

use std::fs::{self, File, TryLockError};
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use nameplate_core::ledger::{Body, Checkpoint, Entry, Frontier, Head, Keys, PublicKey, SiteKey};
use nameplate_core::sshsig;
use rusqlite::Connection;

pub use draft::Draft;
pub use export::Extent;
pub use seen::FILE as SEEN;
pub use tables::STATE_FORMAT;
pub use verify::Verified;

use crate::failure::Failure;
use crate::{key, log};
use commit::{Commit, Desk, Unwritten};
use head::Opened;
use seen::Seen;
use tables::failure;

/// The database's file in the state directory.
pub const FILE: &str = "nameplate.sqlite";
/// Held while a process writes.
const LOCK: &str = "writer.lock";

/// Bytes of rows in the write-ahead log before it is copied into the database; SQLite's own limit is about the same (1,000 pages).
const WAL_BYTES_MAX: usize = 4 * 1024 * 1024;

/// An open ledger.
pub struct Store {
    connection: Connection,
    path: PathBuf,
    frontier: Frontier,
    /// The latest checkpoint; empty in a ledger that is just being made.
    note: String,
    keys: Keys,
    /// Bytes of the touch record that are in the ledger.
    touch_bytes: u64,
    /// `None` in a store that was opened for reading.
    writer: Option<Writer>,
}

/// What only the one writer has.
struct Writer {
    key: SiteKey,
    seen: Seen,
    desk: Desk,
    /// Bytes of rows since the write-ahead log was last copied into the database.
    since_copied_bytes: usize,
    /// A commit failed: what the disk holds is not known, so nothing more is written behind it.
    stopped: bool,
    /// Released when the store is dropped.
    _lock: File,
}

impl Writer {
    fn new(directory: &Path, key: SiteKey, lock: File) -> Result<Self, Failure> {
        Ok(Self { key, seen: Seen::open(directory)?, desk: Desk::default(), since_copied_bytes: 0, stopped: false, _lock: lock })
    }
}

impl Store {
    /// Opens the state for reading and writing. Where there is none, it is made, with the site's key and entry 0.
    ///
    /// # Errors
    /// A sentence that names the directory: it cannot be made, another process writes, it is full, read-only, damaged, somebody
    /// else's, of a newer version, rolled back to an older copy, or its key is missing or another's.
    pub fn write(directory: &Path) -> Result<Self, Failure> {
        private_directory(directory)
            .map_err(|e| Failure::input(directory.display(), format!("the state directory cannot be made: {e}")))?;
        let lock = lock(directory)?;
        let path = directory.join(FILE);
        let connection = Connection::open(&path).map_err(|e| failure(&path, &e))?;
        tables::prepare(&connection, &path)?;
        let opened = head::open(&connection, &path, seen::read(directory)?)?;
        let key = key::read(directory)?;
        if let Some(opened) = opened {
            let missing = || Failure::input(directory.join(key::FILE).display(), "the site's key is missing; restore it from its backup");
            let key = key.ok_or_else(missing)?;
            let key = key::of_ledger(directory, key, opened.keys.current())?;
            return Ok(Self::of(connection, path, opened, Some(Writer::new(directory, key, lock)?)));
        }
        let key = key.map_or_else(|| key::make(directory), Ok)?;
        let public = key.public();
        let writer = Writer::new(directory, key, lock)?;
        let opened = Opened { frontier: Frontier::default(), note: String::new(), keys: Keys::of_first(public), touch_bytes: 0 };
        let mut store = Self::of(connection, path, opened, Some(writer));
        let first = Body::Key { origin: public.origin(), public_key: public.digits() };
        store.append(&[Draft::new(now_ns(), first)])?;
        let told = format!("a key was made for this site; pin its fingerprint elsewhere: {}", public.fingerprint());
        if log::is_on() {
            log::say!(KEY_MADE { fingerprint = %public.fingerprint() }, "{told}");
        } else {
            eprintln!("nameplate: {told}");
        }
        Ok(store)
    }

    /// Opens the state for reading; `None` where there is none yet.
    ///
    /// # Errors
    /// As [`Store::write`].
    pub fn read(directory: &Path) -> Result<Option<Self>, Failure> {
        let path = directory.join(FILE);
        // Before the database: a writer that commits in between must not make this copy look old.
        let seen = seen::read(directory)?;
        if !path.exists() {
            return seen.map_or(Ok(None), |seen| Err(head::gone(&path, &seen)));
        }
        let connection = tables::open_for_reading(&path)?;
        if tables::is_fresh(&connection, &path)? {
            return seen.map_or(Ok(None), |seen| Err(head::gone(&path, &seen)));
        }
        tables::check_version(&connection, &path)?;
        let opened = head::open(&connection, &path, seen)?;
        Ok(opened.map(|opened| Self::of(connection, path, opened, None)))
    }

    fn of(connection: Connection, path: PathBuf, opened: Opened, writer: Option<Writer>) -> Self {
        let Opened { frontier, note, keys, touch_bytes } = opened;
        Self { connection, path, frontier, note, keys, touch_bytes, writer }
    }

    /// Appends entries, all or none; returns their indices. On return they are on disk, under a signed checkpoint.
    ///
    /// # Errors
    /// The store's: full, read-only, damaged, the disk failed. Nothing of this call is acknowledged then, and the store takes nothing
    /// more: it has to be opened again.
    pub fn append(&mut self, drafts: &[Draft]) -> Result<Range<u64>, Failure> {
        self.append_touched(drafts, self.touch_bytes)
    }

    /// As [`Store::append`], and remembers how far the touch record is in the ledger now.
    ///
    /// # Errors
    /// As [`Store::append`].
    pub fn append_touched(&mut self, drafts: &[Draft], touch_bytes: u64) -> Result<Range<u64>, Failure> {
        let first = self.size();
        if drafts.is_empty() {
            return Ok(first..first);
        }
        let Some(writer) = self.writer.as_mut() else {
            return Err(Failure::input(self.path.display(), "opened for reading; nothing was written"));
        };
        if writer.stopped {
            return Err(Failure::input(self.path.display(), "writing stopped when the disk failed; start the program again"));
        }
        // Until all of it has gone well; a disk that failed once is not tried again.
        writer.stopped = true;
        let sql = |e: rusqlite::Error| failure(&self.path, &e);
        let signed = |head| Checkpoint { origin: self.keys.origin(), head }.sign(&writer.key);
        let commit = Commit { connection: &mut self.connection, frontier: self.frontier.clone(), desk: &mut writer.desk, touch_bytes };
        let committed = match commit.write(drafts, signed) {
            Ok(committed) => committed,
            Err(Unwritten::Record(why)) => {
                (writer.stopped, writer.desk) = (false, Desk::default());
                return Err(Failure::input(self.path.display(), why));
            }
            Err(Unwritten::Shelf(e)) => return Err(sql(e)),
        };
        writer.since_copied_bytes = writer.since_copied_bytes.saturating_add(committed.bytes);
        (self.frontier, self.note, self.touch_bytes) = (committed.frontier, committed.note, touch_bytes);
        if writer.since_copied_bytes >= WAL_BYTES_MAX {
            tables::copy_wal(&self.connection).map_err(sql)?;
            writer.since_copied_bytes = 0;
        }
        writer.seen.write(&self.note)?;
        writer.stopped = false;
        Ok(first..self.size())
    }

    /// Number of entries.
    #[must_use]
    pub fn size(&self) -> u64 {
        self.frontier.size()
    }

    /// Size and root.
    #[must_use]
    pub fn head(&self) -> Head {
        Head { size: self.frontier.size(), root: self.frontier.root() }
    }

    /// The latest checkpoint, a signed note.
    #[must_use]
    pub fn checkpoint(&self) -> &str {
        &self.note
    }

    /// The key that signs now.
    #[must_use]
    pub fn public_key(&self) -> &PublicKey {
        self.keys.current()
    }

    /// All keys that signed or sign this log.
    #[must_use]
    pub const fn keys(&self) -> &Keys {
        &self.keys
    }

    /// Puts a new key in the place of the one that signs, which vouches for it. What was signed stays signed.
    ///
    /// # Errors
    /// As [`Store::append`], or the new key cannot be made. A power cut on the way leaves the old key or the new one, and the log of
    /// the same.
    pub fn change_key(&mut self, by: &str, why: &str) -> Result<(), Failure> {
        let directory = self.directory().to_owned();
        let Some(writer) = self.writer.as_mut() else {
            return Err(Failure::input(self.path.display(), "opened for reading; nothing was written"));
        };
        let new = key::make_next(&directory)?;
        let body = self.keys.change(&writer.key, &new.public(), by, why);
        let mut keys = self.keys.clone();
        let entry = Entry { body: body.clone(), index: self.frontier.size(), time_ns: 0 };
        keys.take(&entry).map_err(|e| Failure::input(directory.display(), e))?;
        (self.keys, writer.key) = (keys, new);
        self.append(&[Draft::new(now_ns(), body)])?;
        key::take_next(&directory)
    }

    /// The entries that change the log's key, rising.
    ///
    /// # Errors
    /// SQLite's.
    pub fn key_changes(&self) -> Result<Vec<u64>, Failure> {
        tables::key_changes(&self.connection, &self.path)
    }

    /// The detached signature of a file under a namespace, by the key that signs now ([`sshsig`]).
    ///
    /// # Errors
    /// The store was opened for reading, and has no key.
    pub fn sign_file(&self, namespace: &str, file: &[u8]) -> Result<String, Failure> {
        let writer = self.writer.as_ref().ok_or_else(|| Failure::input(self.path.display(), "opened for reading; nothing is signed"))?;
        Ok(sshsig::sign(&writer.key, namespace, file))
    }

    /// How many bytes of the touch record are in the ledger.
    #[must_use]
    pub fn touch_bytes(&self) -> u64 {
        self.touch_bytes
    }

    /// The state directory.
    #[must_use]
    pub fn directory(&self) -> &Path {
        self.path.parent().unwrap_or(&self.path)
    }
}

fn lock(directory: &Path) -> Result<File, Failure> {
    let path = directory.join(LOCK);
    let lock = File::create(&path).map_err(|e| Failure::input(path.display(), format!("the state cannot be written: {e}")))?;
    lock.try_lock().map_err(|e| {
        let why = match e {
            TryLockError::WouldBlock => "another nameplate is writing to this state; wait for it or use another --state".to_owned(),
            TryLockError::Error(e) => format!("the state cannot be locked: {e}"),
        };
        Failure::input(directory.display(), why)
    })?;
    Ok(lock)
}

/// Makes the directory for this account alone: what a plant runs is nobody else's business. An existing one is left as it is.
fn private_directory(directory: &Path) -> std::io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(directory)
}

/// The recorder's clock, in nanoseconds since 1970.
#[must_use]
pub fn now_ns() -> u64 {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_nanos()).unwrap_or(u64::MAX)
}
