//! `cargo xtask soak --ledger`: the ledger's tests as often as its bars have it, then its figures.

use std::process::ExitCode;

use crate::run::{Tree, shown};

/// How often, by the variables that tests/tests/ledger reads.
const OFTEN: [(&str, &str); 4] =
    [("NAMEPLATE_KILLS", "500"), ("NAMEPLATE_IMAGES", "200"), ("NAMEPLATE_HISTORIES", "200"), ("NAMEPLATE_FLIPS", "5000")];
/// Entries of the large ledger: 2,000 devices, read once a day for three years.
const ENTRIES: &str = "2200000";

/// The same for tests/tests/evidence.
const MUTATED: [(&str, &str); 3] =
    [("NAMEPLATE_MUTATIONS", "100000"), ("NAMEPLATE_BLIND_CHANGES", "100000"), ("NAMEPLATE_FOR_BOTH", "5000")];

/// `cargo xtask soak --evidence`: bundles and exported logs with anything changed, before both verifiers, as often as the bar has it.
pub fn evidence(tree: &Tree) -> ExitCode {
    let tests = ["test", "--release", "-p", "nameplate-tests", "--test", "evidence", "--", "--nocapture", "--test-threads", "2"];
    let built = shown("build", &mut tree.cargo(&["build", "--release", "--quiet", "--workspace", "--bins"]));
    ended(built.and_then(|()| shown("the evidence's tests", tree.cargo(&tests).envs(MUTATED))))
}

/// `cargo xtask soak --reports`: what was known on a day, as often as the bar has it.
pub fn reports(tree: &Tree) -> ExitCode {
    often(tree, "reports", ("NAMEPLATE_REPORTS", "200"))
}

/// `cargo xtask soak --hatch`: what a taken-over desk says to the field side, as often as the bar has it.
pub fn hatch(tree: &Tree) -> ExitCode {
    often(tree, "serve", ("NAMEPLATE_HATCH", "1000000"))
}

/// `cargo xtask soak --names`: each hostile name on each of its own pages, in a browser.
pub fn names(tree: &Tree) -> ExitCode {
    let all = ("NAMEPLATE_NAMES", "all");
    let page = often(tree, "browser_page", all);
    if page == ExitCode::SUCCESS { often(tree, "browser_reports", all) } else { page }
}

/// The tests of one binary, with what makes them long.
fn often(tree: &Tree, test: &str, often: (&str, &str)) -> ExitCode {
    let tests = ["test", "--release", "-p", "nameplate-tests", "--test", test, "--", "--nocapture"];
    let built = shown("build", &mut tree.cargo(&["build", "--release", "--quiet", "--workspace", "--bins"]));
    ended(built.and_then(|()| shown("the tests", tree.cargo(&tests).env(often.0, often.1))))
}

/// Runs both; the figures are printed, and none of them is a failure.
pub fn ledger(tree: &Tree) -> ExitCode {
    let tests = ["test", "--release", "-p", "nameplate-tests", "--test", "ledger", "--", "--nocapture", "--test-threads", "1"];
    let bench = ["run", "--release", "--quiet", "-p", "nameplate-tests", "--bin", "ledger-bench", "--"];
    let folder = tree.target.join("tmp");
    let made = std::fs::create_dir_all(&folder).map_err(|error| format!("{}: {error}", folder.display()));
    ended(
        made.and_then(|()| shown("build", &mut tree.cargo(&["build", "--release", "--quiet"])))
            .and_then(|()| shown("the ledger's tests", tree.cargo(&tests).envs(OFTEN)))
            .and_then(|()| shown("the ledger's figures", tree.cargo(&bench).arg(folder).arg(ENTRIES))),
    )
}

fn ended(ended: Result<(), String>) -> ExitCode {
    match ended {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            eprintln!("{why}");
            ExitCode::FAILURE
        }
    }
}
