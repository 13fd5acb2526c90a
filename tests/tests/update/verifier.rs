//! An update file as another program reads it, from docs/updates.md alone: tests/verify/verify_update.py, in the rig's Python, which has `cryptography`.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use nameplate_tests::place::{self, needed};
use nameplate_tests::product::{Product, code};
use nameplate_tests::rig;

use super::{KEV, Publisher};

fn parts() -> Result<(Product, PathBuf), String> {
    let there = Command::new(rig::python()).args(["-c", "import cryptography"]).output();
    match there {
        Ok(output) if output.status.success() => Ok((Product::find()?, rig::python())),
        _ => Err(format!("{} has no cryptography: cargo xtask rig", rig::python().display())),
    }
}

#[test]
fn another_program_reads_an_update_from_its_description_alone() {
    let test = "another_program_reads_an_update_from_its_description_alone";
    let Some((product, python)) = needed(test, parts()) else { return };
    let acme = Publisher::new(&product, "advisories");
    let kev = acme.folder.file("known.csv", KEV);
    let file = acme.make(&product, 7, &["--advisories", &acme.documents(&[("A", "1"), ("B", "1")]), "--kev", &kev]);
    let named = fs::read_to_string(acme.folder.path().join("publishers/acme.pub")).expect("a file");
    let fingerprint = named.lines().next().and_then(|line| line.strip_prefix("# fingerprint ")).expect("a fingerprint").to_owned();
    let check = |file: &str, key: &str, expected: (i32, &str)| {
        let script = place::root().join("tests/verify/verify_update.py");
        let ended = Command::new(&python).arg(script).args([file, "--key", key]).output().expect("a run");
        let said = String::from_utf8_lossy(&ended.stdout).into_owned();
        assert!(ended.status.code() == Some(expected.0) && said.contains(expected.1), "{expected:?}: {said} {ended:?}");
        said
    };
    let said = check(&file, &fingerprint, (0, "authentic"));
    assert!(said.starts_with("publisher acme\nkind advisories\nversion 7\n"), "{said}");
    check(&file, &"0".repeat(64), (2, &format!("unknown signer {fingerprint}")));
    // What both refuse: each byte of the manifest and its signature, as they lie in the file.
    let bytes = fs::read(&file).expect("an update");
    for at in (40..bytes.len()).step_by(97) {
        let mut changed = bytes.clone();
        changed[at] ^= 4;
        let changed = acme.folder.file("changed.npu", changed);
        let ours = product.run(["update", "show", &changed, "--publishers", &acme.publishers(), "--state", &acme.folder.text()]);
        let theirs = Command::new(&python).arg(place::root().join("tests/verify/verify_update.py")).arg(&changed).output().expect("a run");
        // Python's reader of zip files lets pass what ours refuses; never the other way round.
        assert!(ended_well(ours.code) <= ended_well(theirs.status.code().unwrap_or(-1)), "byte {at}: {ours:?} {theirs:?}");
    }
}

/// Whether the file was found to hold, by whichever key.
fn ended_well(code: i32) -> bool {
    code == code::DONE || code == 2
}
