//! `cargo xtask soak --fleet`: 2,000 simulated devices on 20 segments, asked once by a site file; the time beside what pacing allows.

use std::process::ExitCode;

use crate::run::{Tree, shown};

/// A large site.
const DEVICES: &str = "2000";
/// Networks that they stand on, so 100 devices on each.
const SEGMENTS: &str = "20";
/// A day's round of eight minutes in fifty seconds.
const TIME_FACTOR: &str = "0.1";

/// Builds and runs it; the figures are printed, and none of them is a failure.
pub fn fleet(tree: &Tree) -> ExitCode {
    let folder = tree.target.join("tmp");
    let made = std::fs::create_dir_all(&folder).map_err(|error| format!("{}: {error}", folder.display()));
    let run = ["run", "--release", "--quiet", "-p", "nameplate-tests", "--bin", "fleet", "--", DEVICES, SEGMENTS, TIME_FACTOR];
    let ended = made
        .and_then(|()| shown("build", &mut tree.cargo(&["build", "--release", "--quiet"])))
        .and_then(|()| shown("the fleet", tree.cargo(&run).arg(folder)));
    match ended {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            eprintln!("{why}");
            ExitCode::FAILURE
        }
    }
}
