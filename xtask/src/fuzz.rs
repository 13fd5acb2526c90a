//! `cargo xtask soak --fuzz SECONDS`: every fuzz target for so long, and a table of what came of it.

use std::collections::VecDeque;
use std::fs;
use std::path::PathBuf;
use std::process::{Command, ExitCode};
use std::sync::{Mutex, PoisonError};

use crate::run::{Tree, shown};

/// Targets that run side by side: the machines this is run on have two cores.
const TARGETS_AT_ONCE_MAX: usize = 2;

/// No input may take longer. libFuzzer counts whole seconds, so the fuzz targets time themselves and print `slowest_ms: N` whenever a
/// slower input than before has come by.
const INPUT_MS_MAX: u64 = 100;

/// libFuzzer's own bound on one input, in seconds: what hangs is a crash.
const INPUT_SECONDS_MAX: u64 = 5;

#[derive(Debug, Default, PartialEq, Eq)]
struct Outcome {
    target: String,
    executions: u64,
    crashes: u64,
    slowest_ms: Option<u64>,
    /// Why there is no figure, or the last words of a target that fell.
    why: Option<String>,
}

/// Runs every target in fuzz/fuzz_targets for `seconds`, prints one row each; fails on a crash or an input that was too slow.
pub fn fuzz(tree: &Tree, seconds: u64) -> ExitCode {
    if let Err(why) = seeds(tree) {
        eprintln!("no seeds from the public captures: {why}");
    }
    let queue = Mutex::new(targets(tree));
    let done = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..TARGETS_AT_ONCE_MAX {
            scope.spawn(|| {
                while let Some(target) = next(&queue) {
                    let outcome = run(tree, target, seconds);
                    done.lock().unwrap_or_else(PoisonError::into_inner).push(outcome);
                }
            });
        }
    });
    let mut rows = done.into_inner().unwrap_or_else(PoisonError::into_inner);
    rows.sort_by(|a, b| a.target.cmp(&b.target));
    println!("{:<16} {:>14} {:>8} {:>12}", "target", "executions", "crashes", "slowest ms");
    for row in &rows {
        let slowest = row.slowest_ms.map_or_else(|| "not said".to_owned(), |ms| ms.to_string());
        println!("{:<16} {:>14} {:>8} {slowest:>12}", row.target, row.executions, row.crashes);
        if let Some(why) = &row.why {
            println!("  {why}");
        }
    }
    let well = |row: &Outcome| row.crashes == 0 && row.why.is_none() && row.slowest_ms.is_none_or(|ms| ms <= INPUT_MS_MAX);
    if !rows.is_empty() && rows.iter().all(well) { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn next(queue: &Mutex<VecDeque<String>>) -> Option<String> {
    queue.lock().unwrap_or_else(PoisonError::into_inner).pop_front()
}

fn targets(tree: &Tree) -> VecDeque<String> {
    let files = fs::read_dir(tree.root.join("fuzz/fuzz_targets")).into_iter().flatten().flatten().map(|entry| entry.path());
    let rust = files.filter(|path| path.extension().is_some_and(|end| end == "rs"));
    let mut names: Vec<String> = rust.filter_map(|path| Some(path.file_stem()?.to_str()?.to_owned())).collect();
    names.sort();
    names.into()
}

/// What the target `protocol` begins with: identity messages of the public captures, written for this run alone.
fn seeds(tree: &Tree) -> Result<(), String> {
    let words = ["run", "--release", "--quiet", "-p", "nameplate-tests", "--bin", "fuzz-seeds", "--"];
    shown("seeds", tree.cargo(&words).arg(seeds_of(tree, "protocol")))
}

/// A folder of seeds for a target beside its own corpus. Captures are read where they lie; libFuzzer writes only into the corpus.
fn seeds_of(tree: &Tree, target: &str) -> PathBuf {
    match target {
        "pcap" | "pcapng" => tree.shared().join("captures"),
        "csaf" => tree.shared().join("advisories/csaf/2017"),
        _ => tree.target.join("tmp").join("fuzz-seeds").join(target),
    }
}

fn run(tree: &Tree, target: String, seconds: u64) -> Outcome {
    eprintln!("== {target}: {seconds} s");
    // A command of its own, not `Tree::command`: the fuzz crate has its own target folder.
    let mut command = Command::new("cargo");
    let corpus = tree.root.join("fuzz").join("corpus").join(&target);
    let _ = fs::create_dir_all(&corpus);
    command.current_dir(&tree.root).args(["+nightly", "fuzz", "run", &target]).arg(corpus);
    command.args(Some(seeds_of(tree, &target)).filter(|folder| folder.is_dir())).arg("--");
    command.arg(format!("-max_total_time={seconds}")).arg(format!("-timeout={INPUT_SECONDS_MAX}")).arg("-print_final_stats=1");
    match command.output() {
        Ok(output) => outcome(target, &String::from_utf8_lossy(&output.stderr), output.status.success()),
        Err(error) => Outcome { target, why: Some(format!("could not be started: {error}")), ..Outcome::default() },
    }
}

/// Reads what cargo-fuzz and libFuzzer said on stderr.
fn outcome(target: String, said: &str, well: bool) -> Outcome {
    let last = |key: &str| said.lines().rev().find_map(|line| line.trim().strip_prefix(key)?.trim().parse().ok());
    let crashes = said.lines().filter(|line| line.contains("ERROR: libFuzzer:") || line.contains("ERROR: AddressSanitizer")).count() as u64;
    let why = if well { None } else { Some(last_words(said)) };
    Outcome { target, executions: last("stat::number_of_executed_units:").unwrap_or(0), crashes, slowest_ms: last("slowest_ms:"), why }
}

fn last_words(said: &str) -> String {
    let telling = |line: &&str| line.contains("panicked at") || line.contains("ERROR") || line.starts_with("error");
    said.lines().find(telling).unwrap_or("it fell without a word").trim().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_is_read_off_what_libfuzzer_prints() {
        let well = "INFO: Seed: 1\nslowest_ms: 2\nslowest_ms: 7\nDone 10 runs\nstat::number_of_executed_units: 1234\nstat::slowest_unit_time_sec:    0\n";
        let read = outcome("pcap".to_owned(), well, true);
        assert_eq!((read.executions, read.crashes, read.slowest_ms, read.why), (1234, 0, Some(7), None));
        let fallen = "thread '<unnamed>' panicked at x.rs:1\n==1== ERROR: libFuzzer: deadly signal\nstat::number_of_executed_units: 5\n";
        let read = outcome("tcp".to_owned(), fallen, false);
        assert_eq!((read.executions, read.crashes, read.slowest_ms), (5, 1, None));
        assert_eq!(read.why.as_deref(), Some("thread '<unnamed>' panicked at x.rs:1"));
    }
}
