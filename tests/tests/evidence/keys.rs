//! A site that changed its key: whoever pinned one of the keys goes on with it, and nobody else's key slips in.

use nameplate_tests::place::needed;
use nameplate_tests::product::State;
use serde_json::json;

use crate::log::{Key, Log, Parts};
use crate::{verdict, verifier};

/// Of which keys the log says what, and whose signature stands under it.
struct Case {
    name: &'static str,
    /// The entries behind entry 0.
    changes: Vec<serde_json::Value>,
    signer: Key,
    /// What a verifier says who pinned the first key, the second, the third.
    says: [&'static str; 3],
}

fn bundle(case: &Case) -> Parts {
    let mut log = Log::new(Key::of(1));
    let mut entries = vec![0];
    for change in &case.changes {
        log.add(json!({ "kind": "touch", "line": "{\"kind\":\"closed\"}" }));
        entries.push(log.add(change.clone()));
    }
    entries.push(log.add(json!({ "kind": "touch", "line": "{\"kind\":\"sent\"}" })));
    let mut parts = log.bundle("a-000000000000", &entries);
    parts.key = case.signer.clone();
    parts
}

fn cases() -> Vec<Case> {
    const AUTHENTIC: [&str; 3] = ["authentic"; 3];
    const REFUSED: [&str; 3] = ["refused"; 3];
    const UNKNOWN: &str = "unknown signer";
    let keys: Vec<Key> = (0..4).map(Key::of).collect();
    let origin = keys[1].origin();
    let change = |old: usize, new: usize| keys[old].change(&origin, &keys[new]);
    let with = |field: &str, value: serde_json::Value| {
        let mut changed = change(1, 2);
        changed[field] = value;
        changed
    };
    let case = |name, changes: &[serde_json::Value], signer: usize, says| Case {
        name,
        changes: changes.to_vec(),
        signer: keys[signer].clone(),
        says,
    };
    vec![
        case("no change", &[], 1, ["authentic", UNKNOWN, UNKNOWN]),
        case("one change", &[change(1, 2)], 2, ["authentic", "authentic", UNKNOWN]),
        case("two changes", &[change(1, 2), change(2, 3)], 3, AUTHENTIC),
        case("signed by the old key", &[change(1, 2)], 1, REFUSED),
        case("signed by the key between", &[change(1, 2), change(2, 3)], 2, REFUSED),
        case("the change is left out", &[], 2, REFUSED),
        case("the first of two changes is left out", &[change(2, 3)], 3, REFUSED),
        case("in the wrong order", &[change(2, 3), change(1, 2)], 2, REFUSED),
        case("back to the first", &[change(1, 2), change(2, 1)], 1, REFUSED),
        case("to itself", &[change(1, 1)], 1, REFUSED),
        case("vouched for by the new key alone", &[change(2, 2)], 2, REFUSED),
        case("vouched for by a stranger", &[keys[0].change(&origin, &keys[2])], 2, REFUSED),
        case("another log's change", &[keys[1].change(&keys[2].origin(), &keys[2])], 2, REFUSED),
        case("vouched for another key", &[with("public_key", json!(keys[3].public()))], 3, REFUSED),
        case("a key in capitals", &[with("public_key", json!(keys[2].public().to_uppercase()))], 2, REFUSED),
        case("a signature that is cut", &[with("signature", json!("00"))], 2, REFUSED),
        case("a field too many", &[with("more", json!(1))], 2, REFUSED),
        case("a second first key", &[keys[2].body()], 2, REFUSED),
    ]
}

#[test]
fn a_change_of_the_key_is_vouched_for_by_the_key_before() {
    for case in cases() {
        let bytes = bundle(&case).bytes();
        for (seed, says) in (1..).zip(case.says) {
            let said = verdict(&bytes, &Key::of(seed).fingerprint());
            assert!(said.starts_with(says), "{}, key {seed} pinned: {said}, not {says}", case.name);
            assert!(says != "unknown signer" || said.ends_with(&Key::of(1).fingerprint()), "the log's own: {said}");
        }
    }
}

#[test]
fn both_verifiers_say_the_same_of_a_change_of_the_key() {
    let Some(python) = needed("both_verifiers_say_the_same_of_a_change_of_the_key", verifier::python()) else { return };
    let state = State::new();
    let files: Vec<(String, Vec<u8>, &str)> = cases()
        .iter()
        .enumerate()
        .map(|(at, case)| (bundle(case).bytes(), at, case.name))
        .map(|(bytes, at, name)| (state.file(&format!("{at}.evidence"), &bytes), bytes, name))
        .collect();
    let list = state.file("list", files.iter().map(|(file, ..)| file.as_str()).collect::<Vec<_>>().join("\n"));
    for seed in 0..4 {
        let pinned = Key::of(seed).fingerprint();
        let lines = verifier::verdicts(&python, &list, &pinned);
        assert_eq!(lines.len(), files.len());
        for (line, (_, bytes, name)) in lines.iter().zip(&files) {
            assert_eq!(line.split(": ").next().unwrap_or_default(), verdict(bytes, &pinned), "{name}, key {seed} pinned: {line}");
        }
    }
}
