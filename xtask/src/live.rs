//! `cargo xtask soak --live`: the replay of tests/tests/live.rs for as long as its bar has it, and its figures.

use std::process::ExitCode;

use crate::run::{Tree, shown};

/// Seconds at 100,000 frames/s, by the variable that the test reads.
const LONG: (&str, &str) = ("NAMEPLATE_LIVE_SECONDS", "60");

/// Runs the tests one by one. What cannot run here is a failure: who asks for this wants to know.
pub fn live(tree: &Tree) -> ExitCode {
    let tests = ["test", "--release", "-p", "nameplate-tests", "--test", "live", "--", "--nocapture", "--test-threads", "1"];
    let ended = shown("build", &mut tree.cargo(&["build", "--release", "--quiet"]))
        .and_then(|()| shown("live", tree.cargo(&tests).envs([LONG, ("CI", "true")])));
    match ended {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            eprintln!("{why}");
            ExitCode::FAILURE
        }
    }
}
