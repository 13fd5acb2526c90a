//! Secrets of those who ask: from an environment variable or from a file that nobody else can read, never from the command line.

use std::path::{Path, PathBuf};
use std::{env, fs};

use nameplate_field::guard::Secret;

use crate::failure::Failure;

/// Bytes of a secret: no community and no password is longer.
const SECRET_BYTES_MAX: u64 = 1_024;
/// Bytes of a key in PEM: one of 4,096 bits has 3,300.
const KEY_BYTES_MAX: u64 = 8_192;

/// The secret in the variable `env` or in `file`, without a line end behind it; `None` where neither is named.
///
/// # Errors
/// [`Failure`] where it is not there, is empty, or other accounts can read the file. What stands in it is not said.
pub fn read(env: Option<&str>, file: Option<&PathBuf>) -> Result<Option<Secret>, Failure> {
    let (place, text) = match (env, file) {
        (Some(name), _) => {
            let place = format!("the environment variable {name}");
            // The variable's text would stand in the error's own words.
            let text = env::var(name).map_err(|_| Failure::input(&place, "is not set, or is no text"))?;
            (place, text)
        }
        (None, Some(path)) => (path.display().to_string(), of_file(path, SECRET_BYTES_MAX)?),
        (None, None) => return Ok(None),
    };
    match text.trim_end_matches(['\r', '\n']) {
        "" => Err(Failure::input(&place, "holds no secret")),
        secret => Ok(Some(Secret::new(secret))),
    }
}

/// A key in `file`.
///
/// # Errors
/// As [`read`].
pub fn key(file: &Path) -> Result<String, Failure> {
    of_file(file, KEY_BYTES_MAX)
}

fn of_file(path: &Path, bytes_max: u64) -> Result<String, Failure> {
    let place = path.display();
    let of = fs::metadata(path).map_err(|e| Failure::input(&place, e))?;
    if readable_by_others(&of) {
        return Err(Failure::input(&place, "other accounts can read it; chmod 600 it"));
    }
    if of.len() > bytes_max {
        return Err(Failure::input(&place, "is too long for a secret"));
    }
    fs::read_to_string(path).map_err(|e| Failure::input(&place, e))
}

#[cfg(unix)]
fn readable_by_others(of: &fs::Metadata) -> bool {
    use std::os::unix::fs::PermissionsExt;
    of.permissions().mode() & 0o077 != 0
}

/// Elsewhere access is said in lists that the owner keeps.
#[cfg(not(unix))]
fn readable_by_others(_of: &fs::Metadata) -> bool {
    false
}
