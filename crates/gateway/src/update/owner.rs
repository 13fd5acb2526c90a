//! What root does for the account that owns a state: files that root writes there, that account could not write any more. So a process of that account does it.

use std::ffi::OsStr;
use std::fs;
use std::io::Write;
#[cfg(unix)]
use std::os::unix::fs::MetadataExt;
#[cfg(unix)]
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, Stdio};

use crate::failure::{Code, Failure};

/// Whether this process is root's, and the state another account's.
#[must_use]
pub fn is_another(state: &Path) -> bool {
    nix::unistd::geteuid().is_root() && fs::metadata(state).is_ok_and(|of| of.uid() != 0)
}

/// A program as the account that owns a state, with nothing of root's; as this account where it is its own.
#[must_use]
pub fn command(program: &Path, state: &Path) -> Command {
    let mut command = Command::new(program);
    if let Some(of) = fs::metadata(state).ok().filter(|_| is_another(state)) {
        command.uid(of.uid()).gid(of.gid()).current_dir("/");
    }
    command
}

/// Runs `nameplate` so, with this on its standard input; what it says goes on. Its exit code, where it is not 0, is ours.
///
/// # Errors
/// It cannot be started, or did not do what it was told.
pub fn run<A: AsRef<OsStr>>(program: &Path, state: &Path, words: &[A], input: &[u8]) -> Result<(), Failure> {
    let cannot =
        |e: std::io::Error| Failure::input(program.display(), format!("it cannot be run for the owner of {}: {e}", state.display()));
    let mut child = command(program, state).args(words).arg("--state").arg(state).stdin(Stdio::piped()).spawn().map_err(cannot)?;
    if let Some(mut to) = child.stdin.take() {
        // It may have refused before it read all; its code says so.
        let _ = to.write_all(input);
    }
    let ended = child.wait().map_err(cannot)?;
    if ended.success() {
        return Ok(());
    }
    let code = match ended.code() {
        Some(2) => Code::Usage,
        Some(3) => Code::Input,
        _ => Code::Failed,
    };
    Err(Failure::new(code, format!("{} ended with {ended}; it said why", program.display())))
}
