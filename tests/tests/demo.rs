//! README's first command: the whole story on an embedded default, and a bundle that both verifiers accept.

use std::process::Command;

use nameplate_tests::place::{needed, root};
use nameplate_tests::product::{Product, code};
use nameplate_tests::rig;

/// Digits of a key's fingerprint.
const FINGERPRINT_DIGITS: usize = 64;

/// The bundle and the fingerprint, as the demo tells a person to check them.
fn told(out: &str) -> Option<(String, String)> {
    let line = out.lines().find(|line| line.trim_start().starts_with("nameplate evidence verify"))?;
    let words: Vec<&str> = line.split_whitespace().collect();
    let (bundle, key) = (words.get(3)?, words.get(5)?);
    (key.len() == FINGERPRINT_DIGITS).then(|| ((*bundle).to_owned(), (*key).to_owned()))
}

#[test]
fn the_demo_tells_the_whole_story_and_leaves_a_bundle_that_both_verifiers_accept() {
    const TEST: &str = "the_demo_tells_the_whole_story_and_leaves_a_bundle_that_both_verifiers_accept";
    let Some(product) = needed(TEST, Product::find()) else { return };
    let Some(()) = needed(TEST, rig::available()) else { return };
    let ended = product.run(["demo", "--once"]).expect(code::DONE);
    for said in [
        "1  Listen.",
        "unknown: answered modbus.identification.regular with exception 1 (illegal function)",
        "touched: 6 devices, 6 connections, 13 requests, 143 bytes out, 0 refused",
        "Heard and asked agree on 5 devices",
        "approved v03.120: behind",
        "DEMO-2 is closed: as expected, identity not proven",
        "it must not change, but self.firmware_revision changed from \"v1.67\" to \"v1.70\"",
        "0 messages arrived that must not.",
    ] {
        assert!(ended.out.contains(said), "{said:?} is missing in\n{}", ended.out);
    }
    let (bundle, key) = told(&ended.out).unwrap_or_else(|| panic!("a bundle and a fingerprint in\n{}", ended.out));
    let ours = product.run(["evidence", "verify", &bundle, "--key", &key]).expect(code::DONE);
    assert!(ours.out.contains("authentic: ") && ours.out.contains("the same claims again"), "{}", ours.out);
    let script = root().join("tests/verify/verify_evidence.py");
    let theirs = Command::new(rig::python()).arg(script).args([&bundle, "--key", &key]).env("PYTHONDONTWRITEBYTECODE", "1").output();
    let theirs = theirs.expect("the rig's Python starts");
    assert_eq!(String::from_utf8_lossy(&theirs.stdout).trim(), "authentic");
    assert!(theirs.status.success());
    std::fs::remove_file(&bundle).expect("the bundle was written");
}
