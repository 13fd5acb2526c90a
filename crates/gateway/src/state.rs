//! Where the state lives.

use std::env;
use std::path::PathBuf;

use crate::failure::{Code, Failure};

/// Names a state directory where no `--state` does.
pub const STATE_VARIABLE: &str = "NAMEPLATE_STATE";

/// The state directory: `--state` or its variable, else the platform's data directory.
///
/// # Errors
/// Usage, where the platform names no data directory.
pub fn directory(given: Option<&PathBuf>) -> Result<PathBuf, Failure> {
    given.cloned().or_else(platform).ok_or_else(|| {
        Failure::new(
            Code::Usage,
            format!("no state directory: neither --state nor {STATE_VARIABLE} is set, and this account has no data directory"),
        )
    })
}

fn platform() -> Option<PathBuf> {
    let from = |name: &str| env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    let data = if cfg!(windows) {
        from("LOCALAPPDATA")
    } else if cfg!(target_os = "macos") {
        from("HOME").map(|home| home.join("Library/Application Support"))
    } else {
        from("XDG_DATA_HOME").or_else(|| from("HOME").map(|home| home.join(".local/share")))
    };
    data.map(|data| data.join("nameplate"))
}
