//! Updates that come on a stick: files that a publisher signed, whom the owner named. Everything of one is checked before anything is changed. See
//! docs/updates.md and docs/decisions/0052; the rules that hold from one update to the next are [`nameplate_core::update`]'s.

pub mod advisories;
pub mod make;
mod manifest;
#[cfg(unix)]
pub mod owner;
pub mod profiles;
#[cfg(unix)]
pub mod program;
mod publishers;
mod sealed;
#[cfg(unix)]
pub mod units;

pub use self::manifest::{Fitting, Manifest};
pub use self::publishers::{DIRECTORY, Publishers, openpgp};
pub use self::sealed::Sealed;

use nameplate_core::update::{Admission, Refused, Updates};

use crate::failure::{Code, Failure};

/// A warning stands beside what expires within so many days: time to fetch the next on a stick.
pub const WARNING_DAYS_MIN: u64 = 14;
/// Nanoseconds of a day.
pub const DAY_NS: u64 = 86_400_000_000_000;

/// Why an update is not applied, as a command's end: its sentence names the file.
pub fn refused(named: &str, why: impl std::fmt::Display) -> Failure {
    Failure::new(Code::Failed, format!("{named}: {why}; nothing was changed"))
}

/// Whether an update may be applied by whom its owner trusts, and now. Nothing of its files is looked at before.
///
/// # Errors
/// Exit code 6: it is not believed, or not any more.
pub fn admitted(named: &str, sealed: &Sealed<'_>, publishers: &Publishers, updates: &Updates, now_ns: u64) -> Result<Admission, Failure> {
    publishers.trust(&sealed.manifest).map_err(|why| refused(named, why))?;
    updates.admits(&sealed.offer, now_ns).map_err(|why: Refused| refused(named, why))
}

/// Has the ledger told of an update, by a process of the account that owns it. One that is told twice stands there once.
///
/// # Errors
/// As [`owner::run`]: it is refused now, or another process has the ledger.
#[cfg(unix)]
pub fn note(program: &std::path::Path, state: &std::path::Path, event: &nameplate_core::update::Event) -> Result<(), Failure> {
    owner::run(program, state, &["update", "note"], crate::print::json_line(event).as_bytes())
}

/// Lets every account read what root put there, whatever root's mask is: a folder, or a file.
///
/// # Errors
/// The operating system's.
#[cfg(unix)]
pub fn is_for_all(path: &std::path::Path) -> std::io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    let mode = if path.is_dir() { 0o755 } else { 0o644 };
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode))
}

#[cfg(not(unix))]
fn is_for_all(_path: &std::path::Path) -> std::io::Result<()> {
    Ok(())
}

/// How long an update is good yet, in words; negative days are behind its end.
#[must_use]
pub fn left(expires_ns: u64, now_ns: u64) -> String {
    match expires_ns.checked_sub(now_ns) {
        Some(left_ns) if left_ns > 0 => format!("expires in {}", crate::print::count(left_ns / DAY_NS, "day")),
        _ => format!("expired {} ago", crate::print::count(now_ns.saturating_sub(expires_ns) / DAY_NS, "day")),
    }
}

#[cfg(test)]
mod tests;
