//! `cargo xtask soak --load`: the load of a large site for as long as its bar has it, then kills in the middle of it, and the figures.

use std::process::ExitCode;

use crate::run::{Tree, shown};

/// Seconds of load, and of kills, by the variables that tests/tests/load reads.
const LONG: [(&str, &str); 2] = [("NAMEPLATE_LOAD_SECONDS", "1200"), ("NAMEPLATE_KILL_SECONDS", "600")];

/// Runs the tests one by one. What cannot run here is a failure: who asks for this wants to know.
pub fn load(tree: &Tree) -> ExitCode {
    let tests = ["test", "--release", "-p", "nameplate-tests", "--test", "load", "--", "--nocapture", "--test-threads", "1"];
    let ended = shown("build", &mut tree.cargo(&["build", "--release", "--quiet"]))
        .and_then(|()| shown("load", tree.cargo(&tests).envs(LONG).env("CI", "true")));
    match ended {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            eprintln!("{why}");
            ExitCode::FAILURE
        }
    }
}
