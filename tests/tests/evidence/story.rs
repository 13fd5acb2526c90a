//! The story through the program: devices are heard and asked, a bundle is written, and somebody checks it who has nothing else.

use std::path::Path;

use nameplate_simulators::modbus::{Device, Persona};
use nameplate_tests::pcap::{pcap_of, plant};
use nameplate_tests::place::needed;
use nameplate_tests::product::{Product, State, code, simulated};
use serde_json::Value;

use crate::log::{Key, canonical, hex, path, root, sha256};
use crate::verifier;

/// A PM710 as its profile's example has it: manufacturer, product code, revision.
fn persona(version: &str) -> Persona {
    Persona::from_objects([(0, b"Schneider Electric".to_vec()), (1, b"PM710".to_vec()), (2, version.as_bytes().to_vec())])
}

/// Reads two devices into a state, one heard and one asked twice; the id of the one that was asked.
fn asked(product: &Product, state: &State) -> String {
    let capture = state.file("span.pcap", pcap_of(&plant(vec![persona("V01.000")])));
    product.run(["listen", &capture, "--keep", "--state", &state.text()]).expect(code::DONE);
    let asked = simulated(Device::new(persona("V02.000")), {
        let (product, place) = (product.clone(), state.text());
        move |address| {
            let target = address.to_string();
            let words = ["ask", "--reason", "WO-7", "--time-factor", "0.001", "--state", &place, "--format", "ndjson", &target];
            product.run(words).expect(code::DONE).lines()
        }
    });
    asked.0[0]["id"].as_str().expect("an id").to_owned()
}

/// The site's key as the state holds it.
fn key(state: &Path) -> Key {
    let digits = std::fs::read_to_string(state.join("site.key")).expect("a key");
    let seed: [u8; 32] = crate::log::unhex(digits.trim()).try_into().expect("32 bytes");
    Key(ed25519_dalek::SigningKey::from_bytes(&seed))
}

#[test]
fn an_auditor_needs_the_bundle_and_the_fingerprint_and_nothing_else() {
    let test = "an_auditor_needs_the_bundle_and_the_fingerprint_and_nothing_else";
    let Some((product, python)) = needed(test, Product::find().and_then(|product| Ok((product, verifier::python()?)))) else { return };
    let (state, elsewhere) = (State::new(), State::new());
    let id = asked(&product, &state);
    let bundle = elsewhere.path().join("device.evidence").to_string_lossy().into_owned();
    let export = ["evidence", "export", &id, "--out", &bundle, "--state", &state.text()];
    let said = product.run(export).expect(code::DONE).err;
    let fingerprint = key(state.path()).fingerprint();
    assert!(said.contains(&fingerprint), "{said}");
    assert!(product.run(export).expect(code::INPUT).err.contains("device.evidence"), "it is not overwritten");

    let bytes = std::fs::read(&bundle).expect("a bundle");
    let verify =
        |key: Option<&str>| product.run(["evidence", "verify", &bundle].into_iter().chain(key.iter().flat_map(|key| ["--key", *key])));
    let ended = verify(Some(&fingerprint)).expect(code::DONE);
    assert!(ended.out.contains("authentic: ") && ended.out.contains("the same claims again: 1 reading, "), "{}", ended.out);
    assert!(ended.out.contains(&id), "{}", ended.out);
    let stranger = Key::of(9).fingerprint();
    for pinned in [None, Some(stranger.as_str())] {
        let ended = verify(pinned).expect(code::FAILED);
        assert!(ended.out.contains(&format!("unknown signer {fingerprint}")) && ended.out.contains("same claims again"), "{}", ended.out);
    }
    assert_eq!(verifier::verdict(&python, &bundle, Some(&fingerprint)), ("authentic".to_owned(), Some(0)));
    assert_eq!(verifier::verdict(&python, &bundle, None), (format!("unknown signer {fingerprint}"), Some(2)));
    let changed = String::from_utf8(bytes).expect("text").replacen("PM710", "PM810", 1);
    let changed = elsewhere.file("changed", changed);
    let (line, code) = verifier::verdict(&python, &changed, Some(&fingerprint));
    assert!(line.starts_with("refused: ") && code == Some(6), "{line}");
    assert!(product.run(["evidence", "verify", &changed, "--key", &fingerprint]).expect(code::FAILED).out.contains("refused: "));
}

#[test]
fn a_bundle_holds_what_was_asked_of_the_device_and_nothing_of_another() {
    let Some(product) = needed("a_bundle_holds_what_was_asked_of_the_device_and_nothing_of_another", Product::find()) else { return };
    let state = State::new();
    let id = asked(&product, &state);
    let file = state.path().join("device.evidence").to_string_lossy().into_owned();
    product.run(["evidence", "export", &id[..6], "--out", &file, "--state", &state.text()]).expect(code::DONE);
    let bundle: Value = serde_json::from_slice(&std::fs::read(&file).expect("a bundle")).expect("JSON");
    let records = || bundle["entries"].as_array().expect("entries").iter().map(|entry| entry["record"].as_str().expect("a record"));
    let bodies: Vec<Value> = records().map(|record| serde_json::from_str::<Value>(record).expect("JSON")["body"].take()).collect();
    let of_kind = |kind: &str| bodies.iter().filter(|body| body["kind"] == kind).count();
    assert_eq!((of_kind("key"), of_kind("observation"), of_kind("evidence")), (1, 1, 1), "{bodies:?}");
    // Connected, sent, answered, closed.
    assert!(of_kind("touch") >= 3 && of_kind("touch") + 3 == bodies.len(), "{bodies:?}");
    assert!(records().all(|record| !record.contains("V01.000") && !record.contains("192.168.20.")), "{bodies:?}");
    assert_eq!(bodies.last().map(|body| &body["subject"]), Some(&Value::from(id)));

    // Made again with this test's own tree and signature (Ed25519 is deterministic), the proofs and the note are the same bytes.
    let size = bundle["entries"].as_array().and_then(|entries| entries.last()).and_then(|last| last["index"].as_u64()).expect("a size") + 1;
    let note = bundle["checkpoint"].as_str().expect("a note");
    let told = nameplate_core::ledger::Checkpoint::read(note).expect("a checkpoint").head;
    assert_eq!((told.size, key(state.path()).note(size, &told.root).as_str()), (size, note));
    let leaf = |record: &str| sha256([&[0][..], record.as_bytes()].concat());
    if records().count() as u64 == size {
        let leaves: Vec<_> = records().map(leaf).collect();
        assert_eq!(root(&leaves), told.root);
        let proof: Vec<String> = path(0, &leaves).iter().map(|hash| hex(hash)).collect();
        assert_eq!(bundle["entries"][0]["proof"], Value::from(proof));
    }
    assert_eq!(canonical(&bundle) + "\n", std::fs::read_to_string(&file).expect("text"));
}

#[test]
fn what_is_not_there_is_not_exported() {
    let Some(product) = needed("what_is_not_there_is_not_exported", Product::find()) else { return };
    let (state, empty) = (State::new(), State::new());
    asked(&product, &state);
    let out = state.path().join("x.evidence").to_string_lossy().into_owned();
    let export = |subject: &str, place: &State| product.run(["evidence", "export", subject, "--out", &out, "--state", &place.text()]);
    assert!(export("WO-none", &state).expect(code::USAGE).err.contains("no change is of that work order"));
    assert!(export("a-", &empty).expect(code::INPUT).err.contains("nothing to export"));
    assert!(!Path::new(&out).exists() && !empty.path().join("site.key").exists());
    let nowhere = state.path().join("no").join("x").to_string_lossy().into_owned();
    assert!(!product.run(["evidence", "export", "a-", "--out", &nowhere, "--state", &state.text()]).out.contains("entries"));
}
