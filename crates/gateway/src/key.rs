//! The site's key: made at first use, kept in the state directory for this account alone.

use std::fs::{self, File, OpenOptions};
use std::io::{ErrorKind, Write};
use std::path::Path;

use nameplate_core::ledger::{KEY_BYTES, PublicKey, SiteKey};
use nameplate_core::observation::{hex, unhex};

use crate::failure::Failure;
use crate::log;

/// The key's file in the state directory: the seed, 64 hexadecimal digits and a line end.
pub const FILE: &str = "site.key";
/// The field side's key in its own directory.
const FIELD: &str = "field.key";
/// The key that is going to take its place, until the log says that it has.
const NEXT: &str = "site.key.next";
/// Where a new key is written before it gets its name, so that a power cut leaves a whole key or none.
const NEW: &str = "site.key.new";

/// The site's key, or `None` where there is none yet.
///
/// # Errors
/// The file cannot be read, or holds no key.
pub fn read(directory: &Path) -> Result<Option<SiteKey>, Failure> {
    read_file(&directory.join(FILE))
}

/// The key in a file of 64 hexadecimal digits, or `None` where there is no such file.
///
/// # Errors
/// As [`read`].
pub fn read_file(path: &Path) -> Result<Option<SiteKey>, Failure> {
    let text = match fs::read_to_string(path) {
        Ok(text) => text,
        Err(e) if e.kind() == ErrorKind::NotFound => return Ok(None),
        Err(e) => return Err(Failure::input(path.display(), format!("the site's key cannot be read: {e}"))),
    };
    let seed: Option<[u8; KEY_BYTES]> = unhex(&text).ok().and_then(|seed| seed.try_into().ok());
    match seed {
        Some(seed) => {
            warn_of_readers(path);
            Ok(Some(SiteKey::of(&seed)))
        }
        None => Err(Failure::input(path.display(), "this is no site key (64 hexadecimal digits); restore it from its backup")),
    }
}

/// Makes the site's key. The caller holds the writer's lock.
///
/// # Errors
/// No randomness, or the file cannot be written.
pub fn make(directory: &Path) -> Result<SiteKey, Failure> {
    made(directory, FILE)
}

fn made(directory: &Path, file: &str) -> Result<SiteKey, Failure> {
    let (path, new) = (directory.join(file), directory.join(NEW));
    let cannot = |e: &dyn std::fmt::Display| Failure::input(path.display(), format!("the site's key cannot be made: {e}"));
    let mut seed = [0; KEY_BYTES];
    getrandom::fill(&mut seed).map_err(|e| cannot(&e))?;
    let written = write_private(&new, format!("{}\n", hex(&seed)).as_bytes()).and_then(|()| fs::rename(&new, &path));
    if let Err(e) = written.and_then(|()| sync_directory(directory)) {
        // What is left of it is no key; the next run begins anew.
        let _ = fs::remove_file(&new);
        return Err(cannot(&e));
    }
    Ok(SiteKey::of(&seed))
}

/// The key of the field side, with which its touch record is sealed; made where there is none.
///
/// # Errors
/// As [`read`] and [`make`].
pub fn of_field(directory: &Path) -> Result<SiteKey, Failure> {
    read_file(&directory.join(FIELD))?.map_or_else(|| made(directory, FIELD), Ok)
}

/// Makes the key that is going to take the place of the site's. One that was made before, and that no log names, is forgotten.
///
/// # Errors
/// As [`make`].
pub fn make_next(directory: &Path) -> Result<SiteKey, Failure> {
    made(directory, NEXT)
}

/// The log names the next key: it is the site's now. The old one is not kept; whoever had a copy of it can sign nothing that follows.
///
/// # Errors
/// It cannot be renamed; opening the state tries again.
pub fn take_next(directory: &Path) -> Result<(), Failure> {
    let (next, path) = (directory.join(NEXT), directory.join(FILE));
    let taken = fs::rename(&next, &path).and_then(|()| sync_directory(directory));
    taken.map_err(|e| Failure::input(path.display(), format!("the new key cannot take its place: {e}")))
}

/// The site's key, if it is the one that signs this log. After a power cut between log and file that is the next one.
///
/// # Errors
/// It is another ledger's, or cannot be put in its place.
pub fn of_ledger(directory: &Path, key: SiteKey, current: &PublicKey) -> Result<SiteKey, Failure> {
    if key.public() == *current {
        return Ok(key);
    }
    if let Some(next) = read_file(&directory.join(NEXT))?.filter(|next| next.public() == *current) {
        take_next(directory)?;
        return Ok(next);
    }
    let why = format!("this is not the key of the ledger beside it, which is {}", current.fingerprint());
    Err(Failure::input(directory.join(FILE).display(), why))
}

/// Writes and syncs a file that its owner alone may read.
pub fn write_private(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}

/// A new name must survive a power cut as well as what it names. Windows keeps names without being asked.
pub fn sync_directory(directory: &Path) -> std::io::Result<()> {
    if cfg!(unix) { File::open(directory)?.sync_all() } else { Ok(()) }
}

/// Whoever reads the key can sign in the site's name.
#[cfg(unix)]
fn warn_of_readers(path: &Path) {
    use std::os::unix::fs::PermissionsExt;
    if fs::metadata(path).is_ok_and(|of| of.permissions().mode() & 0o077 != 0) {
        let told = format!("{}: other accounts can read the site's key; chmod 600 it", path.display());
        if log::is_on() {
            log::say!(KEY_OPEN, "{told}");
        } else {
            eprintln!("{told}");
        }
    }
}

#[cfg(not(unix))]
fn warn_of_readers(_path: &Path) {}
