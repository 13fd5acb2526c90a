//! The site's key: made at first use, kept in the state directory for this account alone.

use std::fs::{self, File, OpenOptions};
use std::io::{ErrorKind, Write};
use std::path::Path;

use nameplate_core::ledger::{KEY_BYTES, SiteKey};
use nameplate_core::observation::{hex, unhex};

use crate::failure::Failure;

/// The key's file in the state directory: the seed, 64 hexadecimal digits and a line end.
pub const FILE: &str = "site.key";
/// Where a new key is written before it gets its name, so that a power cut leaves a whole key or none.
const NEW: &str = "site.key.new";

/// The site's key, or `None` where there is none yet.
///
/// # Errors
/// The file cannot be read, or holds no key.
pub fn read(directory: &Path) -> Result<Option<SiteKey>, Failure> {
    let path = directory.join(FILE);
    let text = match fs::read_to_string(&path) {
        Ok(text) => text,
        Err(e) if e.kind() == ErrorKind::NotFound => return Ok(None),
        Err(e) => return Err(Failure::input(path.display(), format!("the site's key cannot be read: {e}"))),
    };
    let seed: Option<[u8; KEY_BYTES]> = unhex(&text).ok().and_then(|seed| seed.try_into().ok());
    match seed {
        Some(seed) => {
            warn_of_readers(&path);
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
    let (path, new) = (directory.join(FILE), directory.join(NEW));
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
        eprintln!("{}: other accounts can read the site's key; chmod 600 it", path.display());
    }
}

#[cfg(not(unix))]
fn warn_of_readers(_path: &Path) {}
