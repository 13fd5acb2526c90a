//! `head.seen`: the latest checkpoint that was acknowledged, beside the database. A database that is behind it was rolled back.
//!
//! It is written after each commit and not synced: after a power cut it may be older than the database, which proves nothing against
//! the database, but never newer.

use std::fs::{self, File, OpenOptions};
use std::io::{ErrorKind, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use nameplate_core::ledger::Checkpoint;

use crate::failure::Failure;
use crate::key::sync_directory;

/// The file's name in the state directory.
pub const FILE: &str = "head.seen";
/// A disk writes a sector whole or not at all; a note that fits one is the old or the new one after a power cut, never a mixture.
const SECTOR_BYTES_MAX: usize = 512;

/// The file, open for writing.
pub struct Seen {
    file: File,
    path: PathBuf,
}

/// What stands in it: `None` where there is no file, or one without content (a power cut between its making and its first line).
///
/// # Errors
/// It cannot be read, or holds something else.
pub fn read(directory: &Path) -> Result<Option<Checkpoint>, Failure> {
    let path = directory.join(FILE);
    let bytes = match fs::read(&path) {
        Ok(bytes) => bytes,
        Err(e) if e.kind() == ErrorKind::NotFound => return Ok(None),
        Err(e) => return Err(Failure::input(path.display(), e)),
    };
    let text = String::from_utf8_lossy(&bytes);
    let note = text.trim_end_matches('\0');
    if note.is_empty() {
        return Ok(None);
    }
    let damaged = |e| {
        let why = format!(
            "it should hold the latest checkpoint of the ledger and does not ({e}); whoever knows why may remove it, and with it what \
             tells a database that was rolled back"
        );
        Failure::input(path.display(), why)
    };
    Checkpoint::read(note).map(Some).map_err(damaged)
}

impl Seen {
    /// Opens the file, and makes it where there is none.
    ///
    /// # Errors
    /// It cannot be made or written.
    pub fn open(directory: &Path) -> Result<Self, Failure> {
        let path = directory.join(FILE);
        let fresh = !path.exists();
        let mut options = OpenOptions::new();
        options.write(true).create(true).truncate(false);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let file = options.open(&path).map_err(|e| Failure::input(path.display(), e))?;
        if fresh {
            file.sync_all().and_then(|()| sync_directory(directory)).map_err(|e| Failure::input(path.display(), e))?;
        }
        Ok(Self { file, path })
    }

    /// Puts the note in the place of the one before; of one log, a later note is never shorter.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn write(&mut self, note: &str) -> Result<(), Failure> {
        debug_assert!(note.len() <= SECTOR_BYTES_MAX);
        let written = self.file.seek(SeekFrom::Start(0)).and_then(|_| self.file.write_all(note.as_bytes()));
        written
            .map_err(|e| Failure::input(self.path.display(), format!("the entries were kept, but not the note that they are there: {e}")))
    }
}
