//! Killed at any moment, a writer has lost nothing that it acknowledged.

use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::process::{Command, Stdio};

use nameplate_tests::personas::{Draw, seed};
use nameplate_tests::product::State;

use super::{WRITER, check, last_acknowledged, times};

/// So many kills hit one ledger before the next begins with a new one, so that the making of it is hit, too.
const KILLS_A_LEDGER: usize = 8;
/// Acknowledgements that are waited for at most.
const ACKNOWLEDGED_MAX: usize = 12; // a ledger stays small enough to be verified after each kill
/// Turns that are spun at most between an acknowledgement and the kill: a few commits long.
const SPINS_MAX: usize = 300_000; // about 10 ms

/// Runs the writer and kills it after so many acknowledgements and spins; gives the last size that it acknowledged.
fn killed(state: &Path, acknowledgements: usize, spins: usize) -> u64 {
    let mut child = Command::new(WRITER)
        .args([Path::new("write"), state])
        .args(["1000000", "7"])
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("the writer");
    let mut out = BufReader::new(child.stdout.take().expect("its standard output"));
    let mut said = String::new();
    for _ in 0..acknowledgements {
        out.read_line(&mut said).expect("a line");
    }
    for _ in 0..spins {
        std::hint::spin_loop();
    }
    child.kill().expect("killed");
    child.wait().expect("ended");
    // What stood in the pipe was acknowledged, too.
    out.read_to_string(&mut said).expect("the rest");
    last_acknowledged(&said)
}

#[test]
fn a_killed_writer_has_lost_nothing_that_it_acknowledged() {
    let mut draw = Draw(seed());
    let mut state = State::new();
    let (mut most, mut early) = (0, 0);
    for kill in 0..times("NAMEPLATE_KILLS", 60) {
        let fresh = kill.is_multiple_of(KILLS_A_LEDGER);
        if fresh {
            state = State::new();
        }
        let acknowledged = killed(state.path(), if fresh { 0 } else { draw.below(ACKNOWLEDGED_MAX) }, draw.below(SPINS_MAX));
        check(state.path(), acknowledged);
        (most, early) = (most.max(acknowledged), early + usize::from(acknowledged == 0));
    }
    eprintln!("the largest ledger that was killed had {most} entries; {early} writers had acknowledged nothing yet");
    assert!(most > 50, "the kills came too early to tell anything: {most}");
}
