//! Why nothing may be sent now. The quiet switch: a file `quiet` in the state directory. While it is there nobody is contacted and no question leaves; what is open is closed with its
//! goodbye. A person sets and clears it beside a running process, which looks before each connection and each question.

use std::fmt;
use std::fs;
use std::io::{self, Read};
use std::path::Path;

use super::TouchRecord;

/// The switch's name inside the state directory.
pub const QUIET_FILE_NAME: &str = "quiet";
/// What is read of it: a name and a sentence.
const QUIET_BYTES_MAX: u64 = 400;

/// Why nothing is begun and no question leaves, though rules and budgets would let it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Hush {
    /// Somebody set the quiet switch, and says why.
    Switch(String),
    /// This process was asked to end.
    Ending,
}

impl fmt::Display for Hush {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Switch(why) => write!(f, "the quiet switch is set: {why}"),
            Self::Ending => f.write_str("who asks was told to end"),
        }
    }
}

impl TouchRecord {
    /// Why nothing may be sent now: this process ends, or somebody set the quiet switch beside the record.
    #[must_use]
    pub fn quiet(&self) -> Option<Hush> {
        if self.is_ending() { Some(Hush::Ending) } else { quiet(self.directory()).map(Hush::Switch) }
    }

    /// From here on this process begins with no device and puts no question; what is under way ends with its goodbye.
    pub fn end(&self) {
        self.ending.send_replace(true);
    }

    /// Whether this process was told to end.
    #[must_use]
    pub fn is_ending(&self) -> bool {
        *self.ending.borrow()
    }

    /// Waits until this process is told to end.
    pub async fn told_to_end(&self) {
        // The sender is this record's own, so there is no other end of it.
        let mut ending = self.ending.subscribe();
        drop(ending.wait_for(|ending| *ending).await);
    }
}

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
