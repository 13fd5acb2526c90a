//! The ledger as the bars of issue 3 have it: killed, cut off from power, full, failing, damaged, rolled back; and the fold over it.
//!
//! `NAMEPLATE_KILLS`, `NAMEPLATE_IMAGES` and `NAMEPLATE_HISTORIES` say how often (`cargo xtask soak --ledger`: 500, 200, 200); without them it is
//! fewer, so that a test run stays short.

mod backup;
mod damage;
mod disk;
mod histories;
mod kills;
mod touch;

use std::path::Path;
use std::process::Command;

/// The program that writes ledgers for these tests.
const WRITER: &str = env!("CARGO_BIN_EXE_ledger-writer");

/// How often: the variable's word, else so many.
fn times(variable: &str, short: usize) -> usize {
    let times = std::env::var(variable).ok().and_then(|word| word.parse().ok()).unwrap_or(short);
    eprintln!("{variable}={times}");
    times
}

/// Opens, verifies and counts a ledger in a process of its own.
#[track_caller]
fn check(state: &Path, acknowledged: u64) {
    let output = Command::new(WRITER).arg("check").arg(state).arg(acknowledged.to_string()).output().expect("the writer");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

/// The last size that was acknowledged: the last whole line; 0 without one.
fn last_acknowledged(text: &str) -> u64 {
    let whole = text.rfind('\n').map_or("", |end| &text[..end]);
    whole.lines().last().map_or(0, |line| line.parse().unwrap_or_else(|error| panic!("{line:?}: {error}")))
}
