//! The quiet switch: a file `quiet` in the state directory. While it is there nobody is contacted and no question leaves; what is open is closed with its
//! goodbye. A person sets and clears it beside a running process, which looks before each connection and each question.

use std::fs;
use std::io::{self, Read};
use std::path::Path;

/// The switch's name inside the state directory.
pub const QUIET_FILE_NAME: &str = "quiet";
/// What is read of it: a name and a sentence.
const QUIET_BYTES_MAX: u64 = 400;

/// Why it is quiet, as whoever set the switch says; `None` where it is not. A switch that cannot be read is set.
#[must_use]
pub fn quiet(state: &Path) -> Option<String> {
    let mut words = Vec::new();
    match fs::File::open(state.join(QUIET_FILE_NAME)).and_then(|file| file.take(QUIET_BYTES_MAX).read_to_end(&mut words)) {
        Ok(_) => Some(
            String::from_utf8_lossy(&words).chars().map(|c| if c.is_control() { ' ' } else { c }).collect::<String>().trim().to_owned(),
        ),
        Err(error) if error.kind() == io::ErrorKind::NotFound => None,
        Err(error) => Some(format!("the switch cannot be read: {error}")),
    }
}

/// Sets the switch. `words` say who and why.
///
/// # Errors
/// What the file system says: then it is not quiet.
pub fn hush(state: &Path, words: &str) -> io::Result<()> {
    super::directory().create(state)?;
    let (file, new) = (state.join(QUIET_FILE_NAME), state.join("quiet.new"));
    fs::write(&new, words)?;
    fs::File::open(&new)?.sync_all()?;
    fs::rename(&new, &file)?;
    super::sync_directory(state)
}

/// Clears the switch; false where it was not set.
///
/// # Errors
/// What the file system says: then it is quiet still.
pub fn resume(state: &Path) -> io::Result<bool> {
    match fs::remove_file(state.join(QUIET_FILE_NAME)) {
        Ok(()) => super::sync_directory(state).map(|()| true),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error),
    }
}
