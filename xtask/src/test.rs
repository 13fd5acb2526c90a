//! `cargo xtask test`: everything between a clean clone and the closing line.

use std::fs;
use std::process::ExitCode;

#[cfg(unix)]
use crate::deb;
use crate::run::{Tree, read, shown, starts};
use crate::tally::{Counted, Tally};
use crate::{lint, machine, rig, tally};

/// Installs, builds, lints, runs all tests, and closes with `N passed, N failed, N skipped` on a line of its own.
pub fn test(tree: &Tree) -> ExitCode {
    let mut tally = Tally::new(tree.ci);
    let apt = machine::prepare(tree);
    for (what, outcome) in rig::install(tree) {
        if let Err(why) = outcome {
            tally.not_run(what, &why);
        }
    }
    // The tests run the binary as its users do, and share this build.
    let built = shown("build", &mut tree.cargo(&["build", "--release"]));
    if let Err(why) = built {
        tally.failure(why);
        return close(&tally, apt);
    }
    lint::lint(tree, &mut tally);
    // Before the tests: one of them installs it.
    #[cfg(unix)]
    tally.step(deb::twice(tree).map_err(|why| format!("package: {why}")));
    tests(tree, &mut tally);
    close(&tally, apt)
}

/// `cargo xtask rig`: the rig alone, for who runs single tests by hand.
pub fn rig_only(tree: &Tree) -> ExitCode {
    let mut tally = Tally::new(tree.ci);
    rig::install(tree).into_iter().for_each(|(_, outcome)| tally.step(outcome));
    close(&tally, None)
}

/// `cargo xtask lint`: the lint steps alone.
pub fn lint_only(tree: &Tree) -> ExitCode {
    let mut tally = Tally::new(tree.ci);
    lint::lint(tree, &mut tally);
    close(&tally, None)
}

/// `cargo xtask soak --coverage`: the golden lines of coverage with tshark's counts made anew, which CI takes as they were.
pub fn coverage(tree: &Tree) -> ExitCode {
    let words = ["test", "--release", "-p", "nameplate-tests", "--test", "coverage"];
    match shown("coverage", tree.cargo(&words).env("NAMEPLATE_TSHARK", "run")) {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            eprintln!("{why}");
            ExitCode::FAILURE
        }
    }
}

fn tests(tree: &Tree, tally: &mut Tally) {
    let _ = fs::remove_file(tree.skips());
    let mut counted = Counted::default();
    let outcome = if starts("cargo", &["nextest", "--version"]) {
        let mut command = tree.cargo(&["nextest", "run", "--release", "--workspace"]);
        let outcome = read("tests", &mut command, true, |line| counted.nextest(line));
        let report = fs::read_to_string(tree.target.join("nextest/default/junit.xml")).unwrap_or_default();
        eprintln!("== tests in a browser: {:.1} s one after the other", tally::seconds(&report, "nameplate-tests::browser"));
        outcome
    } else {
        // The same tests without limits on their time; cargo-nextest takes minutes to install, so nobody is made to.
        let mut command = tree.cargo(&["test", "--release", "--workspace", "--no-fail-fast", "--lib", "--bins", "--tests"]);
        read("tests (no cargo-nextest here: cargo test)", &mut command, false, |line| counted.libtest(line))
    };
    tally.tests(outcome, counted);
    let mut counted = Counted::default();
    let mut command = tree.cargo(&["test", "--release", "--workspace", "--no-fail-fast", "--doc"]);
    let outcome = read("examples in the documentation", &mut command, false, |line| counted.libtest(line));
    tally.tests(outcome, counted);
    tally.skips(&fs::read_to_string(tree.skips()).unwrap_or_default());
}

fn close(tally: &Tally, apt: Option<String>) -> ExitCode {
    if let Some(line) = apt {
        println!("missing here: {line}");
    }
    let (text, well) = tally.close();
    println!("{text}");
    if well { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
