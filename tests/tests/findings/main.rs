//! `check` and `explain` as their users meet them: an inventory, advisories, one line for a device and a vulnerability.

mod corpus;
mod handover;
mod offers;
mod statuses;
mod stories;

use std::collections::BTreeMap;

use nameplate_tests::product::{Ended, Product, State};
use serde_json::Value;

/// The verdict lines of a check without any state.
fn check(product: &Product, sheet: &str, advisories: &str, more: &[&str]) -> Ended {
    let state = State::new();
    let sheet = state.file("plant.csv", sheet);
    let common = ["check", "--inventory", &sheet, "--advisories", advisories];
    product.run(common.iter().chain(more))
}

fn text<'r>(line: &'r Value, key: &str) -> &'r str {
    line[key].as_str().unwrap_or_default()
}

/// Verdicts by asset and vulnerability.
fn verdicts(lines: &[Value]) -> BTreeMap<(String, String), String> {
    let key = |line| (text(line, "asset").to_owned(), text(line, "cve").to_owned());
    lines.iter().map(|line| (key(line), text(line, "verdict").to_owned())).collect()
}
