//! Build tasks. `cargo xtask test` is the one command between a clean clone and "all of it works".

mod bench;
#[cfg(unix)]
mod deb;
mod fleet;
mod fuzz;
mod ledger;
mod lint;
mod live;
mod load;
mod machine;
mod rig;
mod run;
mod tally;
mod test;

use std::process::ExitCode;

const USAGE: &str = "\
usage:
  cargo xtask test                  install the rig under target/, lint, build, run every test; the last line counts them
  cargo xtask rig                   the rig alone: servers we did not write, from pip and npm
  cargo xtask lint                  formatting, clippy, licences and bans
  cargo xtask deb                   dist/nameplate_VERSION_amd64.deb and a tarball with the same (needs Debian's dpkg-deb)
  cargo xtask soak --fuzz SECONDS   every fuzz target for so long, two at a time (needs nightly and cargo-fuzz); seeds from ../shared
  cargo xtask soak --coverage       tshark counts the messages of all captures anew, beside tests/golden/coverage.tsv (needs ../shared)
  cargo xtask soak --bench          packets per second of `listen` beside tshark and capinfos (needs ../shared and apt's time)
  cargo xtask soak --fleet          2,000 simulated devices asked once, beside what pacing allows (needs apt's time, ulimit -n 4096)
  cargo xtask soak --live           a minute of 100,000 frames/s on a cable of our own, and top speed (needs ../shared, tcpreplay, root)
  cargo xtask soak --load           a gateway at a site of 2,000 devices for 20 minutes, and 10 more with either process killed (needs tcpreplay, tshark, root)
  cargo xtask soak --ledger         the ledger killed, cut off and damaged as often as its bars have it, and its figures (4 GiB of disk, root)
  cargo xtask soak --evidence       100,000 bundles and exported logs with anything changed, 5,000 of each before the Python verifiers too
  cargo xtask soak --reports        reports as of a day of 200 random histories, beside those of the ledger cut there
  cargo xtask soak --names          two hundred hostile names, each on each page of its own in a browser
  cargo xtask soak --hatch          a million messages of a taken-over desk into the field side";

/// The command line was not understood (as the product's own exit codes have it).
const EXIT_USAGE: u8 = 2;

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let tree = run::Tree::here();
    match words[..] {
        ["test"] => test::test(&tree),
        ["rig"] => test::rig_only(&tree),
        ["lint"] => test::lint_only(&tree),
        #[cfg(unix)]
        ["deb"] => ended(deb::shipped(&tree)),
        ["soak", "--bench"] => bench::bench(&tree),
        ["soak", "--fleet"] => fleet::fleet(&tree),
        ["soak", "--live"] => live::live(&tree),
        ["soak", "--load"] => load::load(&tree),
        ["soak", "--ledger"] => ledger::ledger(&tree),
        ["soak", "--evidence"] => ledger::evidence(&tree),
        ["soak", "--reports"] => ledger::reports(&tree),
        ["soak", "--hatch"] => ledger::hatch(&tree),
        ["soak", "--names"] => ledger::names(&tree),
        ["soak", "--coverage"] => test::coverage(&tree),
        ["soak", "--fuzz", seconds] => match seconds.parse() {
            Ok(seconds) => fuzz::fuzz(&tree, seconds),
            Err(_) => usage(),
        },
        ["help" | "--help" | "-h"] => {
            println!("{USAGE}");
            ExitCode::SUCCESS
        }
        _ => usage(),
    }
}

#[cfg(unix)]
fn ended(outcome: Result<(), String>) -> ExitCode {
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            eprintln!("{why}");
            ExitCode::FAILURE
        }
    }
}

fn usage() -> ExitCode {
    eprintln!("{USAGE}");
    ExitCode::from(EXIT_USAGE)
}
