//! What is checked without running the product: formatting, clippy, licences and bans.

use crate::run::{Tree, shown, starts};
use crate::tally::Tally;

/// Pinned, so that CI does not change under us; raise it by hand.
const CARGO_DENY: &str = "cargo-deny@0.20.2";

/// Runs every lint step; each counts as one in the tally.
pub fn lint(tree: &Tree, tally: &mut Tally) {
    tally.step(shown("format", &mut tree.cargo(&["fmt", "--all", "--check"])));
    // The release profile here, too: it shares the build scripts (SQLite's C) with the tests.
    let clippy = ["clippy", "--release", "--workspace", "--all-targets", "--keep-going", "--", "--deny", "warnings"];
    tally.step(shown("clippy", &mut tree.cargo(&clippy)));
    deny(tree, tally);
}

/// Licences, bans and sources (deny.toml). Advisories are left out: their database is fetched by git from the internet, and a test run
/// must not depend on that.
fn deny(tree: &Tree, tally: &mut Tally) {
    if !starts("cargo", &["deny", "--version"]) {
        if !tree.ci {
            return tally.not_run("licences and bans", "no cargo-deny here (`cargo install --locked cargo-deny`)");
        }
        // About two and a half minutes on two cores; a CI machine is thrown away, a person's own is theirs to fill.
        if let Err(why) = shown("install cargo-deny", &mut tree.cargo(&["install", "--locked", CARGO_DENY])) {
            return tally.failure(why);
        }
    }
    tally.step(shown("licences and bans", &mut tree.cargo(&["deny", "--workspace", "check", "licenses", "bans", "sources"])));
}
