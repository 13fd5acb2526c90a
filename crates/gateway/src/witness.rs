//! A witness's folder: its key, the logs whose checkpoints it signs, and of each the one that it signed last.

use std::fs::{self, File, TryLockError};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use nameplate_core::ledger::{Checkpoint, Declined, KEY_BYTES, NOTE_BYTES_MAX, Request, SiteKey, VerifierKey, countersign, countersigned};
use nameplate_core::observation::{hex, unhex};

use crate::failure::{Code, Failure};
use crate::key::{sync_directory, write_private};
use crate::store::now_ns;

/// The witness's name, a blank, and the seed of its key in 64 hexadecimal digits.
const KEY: &str = "witness.key";
/// Held while something is signed: two at once could sign two histories.
const LOCK: &str = "witness.lock";
/// What a log's file ends in: its verifier key in the first line, behind it the checkpoint that was signed last.
const SEEN: &str = "seen";
/// What the names of ledgers begin with.
const ORIGIN: &str = "nameplate/";
const NANOSECONDS: u64 = 1_000_000_000;

/// A log that this witness signs for.
#[derive(Clone, Debug)]
pub struct Log {
    /// Whose.
    pub key: VerifierKey,
    /// What was signed last, with the countersignature; empty where nothing was.
    pub note: String,
}

/// The witness.
pub struct Witness {
    folder: PathBuf,
    name: VerifierKey,
    key: SiteKey,
    _lock: File,
}

impl Witness {
    /// Makes the folder and a key in this name.
    ///
    /// # Errors
    /// The name is none, there is a key already, no randomness, or it cannot be written.
    pub fn make(folder: &Path, name: &str) -> Result<VerifierKey, Failure> {
        let path = folder.join(KEY);
        let cannot = |e: &dyn std::fmt::Display| Failure::input(path.display(), format!("the key cannot be made: {e}"));
        fs::create_dir_all(folder).map_err(|e| cannot(&e))?;
        let _lock = lock(folder)?;
        if path.exists() {
            return Err(Failure::input(path.display(), "this witness has a key already; another one would make its signatures worthless"));
        }
        let mut seed = [0; KEY_BYTES];
        getrandom::fill(&mut seed).map_err(|e| cannot(&e))?;
        let public = VerifierKey::of_witness(name, SiteKey::of(&seed).public()).map_err(|why| Failure::new(Code::Usage, why))?;
        replace(&path, &format!("{name} {}\n", hex(&seed)))?;
        Ok(public)
    }

    /// Opens it; nobody else signs with it meanwhile.
    ///
    /// # Errors
    /// There is none, or its key cannot be read.
    pub fn open(folder: &Path) -> Result<Self, Failure> {
        let path = folder.join(KEY);
        let text = fs::read_to_string(&path).map_err(|e| match e.kind() {
            ErrorKind::NotFound => Failure::input(folder.display(), "there is no witness here yet: `nameplate witness init NAME`"),
            _ => Failure::input(path.display(), e),
        })?;
        let none = || Failure::input(path.display(), "this is no witness's key; restore it from its backup");
        let (name, seed) = text.trim_end().split_once(' ').ok_or_else(none)?;
        let seed: [u8; KEY_BYTES] = unhex(seed).ok().and_then(|seed| seed.try_into().ok()).ok_or_else(none)?;
        let key = SiteKey::of(&seed);
        let name = VerifierKey::of_witness(name, key.public()).map_err(|_| none())?;
        Ok(Self { folder: folder.to_owned(), name, key, _lock: lock(folder)? })
    }

    /// What others check its signatures with.
    #[must_use]
    pub const fn verifier_key(&self) -> &VerifierKey {
        &self.name
    }

    /// Signs for this log from now on.
    ///
    /// # Errors
    /// It is no log's key, or cannot be written.
    pub fn trust(&self, log: &VerifierKey) -> Result<(), Failure> {
        if log.is_witness() || !log.name().starts_with(ORIGIN) {
            return Err(Failure::new(Code::Usage, "this is not the key of a site's ledger: `nameplate ledger key` prints it there"));
        }
        let path = self.path(log.name());
        // The site changed its key: what was signed stays, and what follows still has to go on from it.
        let note = if path.exists() { read(&path)?.note } else { String::new() };
        replace(&path, &format!("{log}\n{note}"))
    }

    /// The logs, by name.
    ///
    /// # Errors
    /// The folder or a file in it cannot be read, or is none of ours.
    pub fn logs(&self) -> Result<Vec<Log>, Failure> {
        let mut paths = Vec::new();
        for entry in fs::read_dir(&self.folder).map_err(|e| Failure::input(self.folder.display(), e))? {
            let path = entry.map_err(|e| Failure::input(self.folder.display(), e))?.path();
            paths.extend(path.extension().is_some_and(|extension| extension == SEEN).then_some(path));
        }
        paths.sort();
        paths.iter().map(|path| read(path)).collect()
    }

    /// Holds a checkpoint against what this witness signed before, and signs it; what it signed is on disk before it is given back.
    ///
    /// # Errors
    /// No request, a log that it does not know, and all that is no continuation of what it signed: then nothing is signed, and a
    /// history that contradicts it is kept beside the one that was signed.
    pub fn sign(&self, text: &str) -> Result<String, Failure> {
        let request = Request::read(text).map_err(|why| Failure::new(Code::Usage, format!("this is no request to a witness: {why}")))?;
        let origin = Checkpoint::read(&request.note).map_err(|e| Failure::new(Code::Failed, e.to_string()))?.origin;
        let path = self.path(&origin);
        if !path.exists() {
            let why = "this witness does not know that log: have its key from the site's own hand, and `nameplate witness trust KEY`";
            return Err(Failure::new(Code::Failed, why));
        }
        let log = read(&path)?;
        // By the own signature: the site may have another key by now.
        let own = || countersigned(&log.note, &self.name).and_then(|_| Checkpoint::read(&log.note));
        let seen = (!log.note.is_empty()).then(own).transpose();
        let seen = seen.map_err(|e| Failure::input(path.display(), format!("the checkpoint that was signed last: {e}")))?;
        let judged = request.judge(&log.key, seen.map(|seen| seen.head));
        if let Err(Declined::Forked { .. } | Declined::Older { .. }) = judged {
            let size = Checkpoint::read(&request.note).map_or(0, |checkpoint| checkpoint.head.size);
            replace(&path.with_extension(format!("contradicted-by-{size}")), &request.note)?;
        }
        let declined = |why: Declined| Failure::new(Code::Failed, format!("not signed: {origin}: {why}"));
        judged.map_err(declined)?;
        let signed = countersign(&request.note, &self.name, &self.key, now_ns() / NANOSECONDS);
        let signed = signed.map_err(|e| Failure::new(Code::Failed, e.to_string()))?;
        replace(&path, &format!("{}\n{signed}", log.key))?;
        Ok(signed)
    }

    /// A log's name is `nameplate/` and digits, as its key's fingerprint gives it; what else stands there is nobody's file.
    fn path(&self, origin: &str) -> PathBuf {
        let digits: String = origin.chars().filter(char::is_ascii_hexdigit).rev().take(16).collect();
        self.folder.join(digits.chars().rev().collect::<String>()).with_extension(SEEN)
    }
}

fn read(path: &Path) -> Result<Log, Failure> {
    let text = fs::read_to_string(path).map_err(|e| Failure::input(path.display(), e))?;
    let (key, note) = text.split_once('\n').unwrap_or((&text, ""));
    let key = VerifierKey::read(key).filter(|_| note.len() <= NOTE_BYTES_MAX);
    let key = key.ok_or_else(|| Failure::input(path.display(), "its first line is no log's key; restore it from its backup"))?;
    Ok(Log { key, note: note.to_owned() })
}

/// The old file or the new one, never a mixture, also after a power cut.
fn replace(path: &Path, text: &str) -> Result<(), Failure> {
    let new = path.with_extension("new");
    let folder = path.parent().unwrap_or(path);
    let written = write_private(&new, text.as_bytes()).and_then(|()| fs::rename(&new, path)).and_then(|()| sync_directory(folder));
    written.map_err(|e| Failure::input(path.display(), e))
}

fn lock(folder: &Path) -> Result<File, Failure> {
    let path = folder.join(LOCK);
    let lock = File::create(&path).map_err(|e| Failure::input(path.display(), e))?;
    match lock.try_lock() {
        Ok(()) => Ok(lock),
        Err(TryLockError::WouldBlock) => Err(Failure::input(folder.display(), "another nameplate signs with this witness; try again")),
        Err(TryLockError::Error(e)) => Err(Failure::input(path.display(), e)),
    }
}
