//! Where things lie, and what happens when one of them is not there.

use std::io::Write;
use std::path::{Path, PathBuf};

/// The project's root.
pub fn root() -> PathBuf {
    let manifest = Path::new(env!("CARGO_MANIFEST_DIR"));
    manifest.parent().unwrap_or(manifest).to_path_buf()
}

/// The build folder.
pub fn target() -> PathBuf {
    std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root().join("target"), PathBuf::from)
}

/// A folder for what a test writes: target/tmp.
///
/// # Errors
/// Why it could not be made.
pub fn scratch() -> Result<PathBuf, String> {
    let place = target().join("tmp");
    std::fs::create_dir_all(&place).map_err(|error| format!("{}: {error}", place.display()))?;
    Ok(place)
}

/// The captures and facts that stay outside the repository: beside the project, or where `NAMEPLATE_SHARED` says.
///
/// # Errors
/// That it is not there.
pub fn shared() -> Result<PathBuf, String> {
    let place = std::env::var_os("NAMEPLATE_SHARED").map_or_else(|| root().join("..").join("shared"), PathBuf::from);
    if place.is_dir() { Ok(place) } else { Err(format!("no shared captures and facts at {}", place.display())) }
}

/// The product: where `cargo xtask test` built it (`NAMEPLATE_BIN`), else the release build.
///
/// # Errors
/// That it is not built.
pub fn binary() -> Result<PathBuf, String> {
    let built = || target().join("release").join(format!("nameplate{}", std::env::consts::EXE_SUFFIX));
    let place = std::env::var_os("NAMEPLATE_BIN").map_or_else(built, PathBuf::from);
    if place.is_file() { Ok(place) } else { Err(format!("{} is not built: cargo build --release", place.display())) }
}

/// What a test needs, or its end: a part that is missing fails the test in CI; elsewhere the test is counted as skipped, with the reason,
/// and returns.
///
/// ```text
/// let Some(shared) = needed("all_captures_are_heard", place::shared()) else { return };
/// ```
///
/// # Panics
/// In CI, when the part is missing: what CI did not run, it did not check.
pub fn needed<T>(test: &str, part: Result<T, String>) -> Option<T> {
    let why = match part {
        Ok(part) => return Some(part),
        Err(why) => why,
    };
    let in_ci = std::env::var_os("CI").is_some_and(|value| !value.is_empty() && value != "false");
    assert!(!in_ci, "{test} could not run: {why}");
    let line = format!("skipped: {test}: {}\n", why.replace('\n', " "));
    eprint!("{line}");
    if let Some(list) = std::env::var_os("NAMEPLATE_SKIPS") {
        let file = std::fs::OpenOptions::new().append(true).create(true).open(list);
        // The line stands on standard error already; the list is what xtask counts from.
        let _ = file.and_then(|mut file| file.write_all(line.as_bytes()));
    }
    None
}
