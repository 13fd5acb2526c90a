//! What the decoders and the profiles together make of public examples of real devices, none of which is in this repository: frames, values
//! that others decoded, banners. Right, unknown or wrong, by protocol; nothing may be wrong, and whatever is not right is a checked-in line
//! with its reason (tests/golden/profile-examples.tsv). And docs/families.md: which of the known families a profile covers.
//!
//!     NAMEPLATE_GOLDEN=write cargo nextest run --release -p nameplate-tests --test profile_examples
//!
//! writes both anew, after a look at the difference.

mod encode;
mod families;
mod held_back;
mod judge;
mod rows;
mod rules;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use nameplate_core::profile::ProfileSet;
use nameplate_tests::place::{needed, root, shared};
use serde_json::Value;

use judge::{Line, Verdict};

/// The lines of a JSONL file below the shared profiles.
fn read(shared: &Path, name: &str) -> Vec<Value> {
    let path = shared.join("profiles").join(name);
    let text = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    text.lines().map(|line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{name}: {error}"))).collect()
}

fn is_written_anew() -> bool {
    std::env::var_os("NAMEPLATE_GOLDEN").is_some_and(|word| word == "write")
}

/// Holds a file against what it should be, or writes it.
fn hold(path: &Path, text: &str) {
    if is_written_anew() {
        fs::write(path, text).expect("written");
        return;
    }
    let there = fs::read_to_string(path).unwrap_or_default();
    let differ = there.lines().filter(|line| !text.lines().any(|other| other == *line)).map(|line| format!("- {line}"));
    let differ: Vec<String> =
        differ.chain(text.lines().filter(|line| !there.lines().any(|other| other == *line)).map(|line| format!("+ {line}"))).collect();
    assert!(there == text, "{} differs; NAMEPLATE_GOLDEN=write writes it anew:\n{}", path.display(), differ.join("\n"));
}

fn golden() -> PathBuf {
    root().join("tests/golden/profile-examples.tsv")
}

#[test]
fn no_public_example_is_read_wrong() {
    let Some(shared) = needed("no_public_example_is_read_wrong", shared()) else { return };
    let set = ProfileSet::built_in().expect("the built-in profiles");
    let rows = [
        rows::frames(&read(&shared, "wire/frames.jsonl")),
        rows::decoded(&read(&shared, "wire/decoded-ztag.jsonl")),
        rows::banners(&read(&shared, "recog/ics-examples.jsonl")),
    ];
    let lines: Vec<Line> = rows.iter().flatten().flat_map(|row| judge::judge(&set, row)).collect();
    let mut counts: BTreeMap<(&str, Verdict), usize> = BTreeMap::new();
    for line in &lines {
        *counts.entry((&line.protocol, line.verdict)).or_default() += 1;
    }
    for ((protocol, verdict), count) in &counts {
        println!("{protocol} | {} | {count}", verdict.name());
    }
    let wrong: Vec<&Line> = lines.iter().filter(|line| line.verdict == Verdict::Wrong).collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
    let listed = lines.iter().filter(|line| line.verdict != Verdict::Right).map(Line::text);
    hold(
        &golden(),
        &std::iter::once("example\tprotocol\tfield\texpected\tread\tverdict\treason\n".to_owned()).chain(listed).collect::<String>(),
    );
}

#[test]
fn every_family_has_its_profile_or_a_reason() {
    let Some(shared) = needed("every_family_has_its_profile_or_a_reason", shared()) else { return };
    let set = ProfileSet::built_in().expect("the built-in profiles");
    let known = read(&shared, "families.jsonl");
    let families = families::of(&set, &known);
    let page = families::page(&families);
    println!("{}", page.lines().take_while(|line| !line.starts_with("| vendor")).collect::<Vec<_>>().join("\n"));
    let wrong: Vec<&String> = families.iter().filter_map(|family| family.wrong.as_ref()).collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
    families::every_name_is_known(&set, &known);
    hold(&root().join("docs/families.md"), &page);
}
