//! The independent verifiers: tests/verify/verify_evidence.py and verify_log.py in the rig's Python, which has `cryptography`.

use std::path::{Path, PathBuf};
use std::process::Command;

use nameplate_tests::place;

/// The rig's Python, where the verifier runs in it.
///
/// # Errors
/// What is missing, and what installs it.
pub fn python() -> Result<PathBuf, String> {
    let rig = std::env::var_os("NAMEPLATE_RIG").map_or_else(|| place::target().join("rig"), PathBuf::from);
    let python = rig.join("venv").join("bin").join("python");
    let there = Command::new(&python).args(["-c", "import cryptography"]).status();
    match there {
        Ok(status) if status.success() => Ok(python),
        _ => Err(format!("{} has no cryptography: cargo xtask rig", python.display())),
    }
}

fn command(python: &Path, verifier: &str) -> Command {
    let mut command = Command::new(python);
    command.arg(place::root().join("tests/verify").join(verifier)).env("PYTHONDONTWRITEBYTECODE", "1").env("PYTHONUTF8", "1");
    command
}

/// A verdict per line of the list.
pub fn verdicts(python: &Path, list: &str, pinned: &str) -> Vec<String> {
    listed(python, "verify_evidence.py", list, pinned)
}

/// The same for exported logs.
pub fn verdicts_on_logs(python: &Path, list: &str, pinned: &str) -> Vec<String> {
    listed(python, "verify_log.py", list, pinned)
}

fn listed(python: &Path, verifier: &str, list: &str, pinned: &str) -> Vec<String> {
    let output = command(python, verifier).args(["--list", list, "--key", pinned]).output().expect("a run");
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(error.is_empty(), "{error}");
    String::from_utf8(output.stdout).expect("text").lines().map(str::to_owned).collect()
}

/// The verdict on one bundle, and the exit code.
pub fn verdict(python: &Path, bundle: &str, pinned: Option<&str>) -> (String, Option<i32>) {
    let key = pinned.map(|pinned| ["--key", pinned]).into_iter().flatten();
    ran(command(python, "verify_evidence.py").arg(bundle).args(key))
}

/// The verdict on one bundle whose page goes into this file, and the exit code.
pub fn verdict_and_page(python: &Path, bundle: &str, pinned: &str, page: &str) -> (String, Option<i32>) {
    ran(command(python, "verify_evidence.py").arg(bundle).args(["--key", pinned, "--page", page]))
}

/// The verdict on an exported log, with these words behind it, and the exit code.
pub fn verdict_on_log(python: &Path, file: &str, words: &[&str]) -> (String, Option<i32>) {
    ran(command(python, "verify_log.py").arg(file).args(words))
}

fn ran(command: &mut Command) -> (String, Option<i32>) {
    let output = command.output().expect("a run");
    (String::from_utf8_lossy(&output.stdout).trim_end().to_owned(), output.status.code())
}
