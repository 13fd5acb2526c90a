//! Profiles: in the place of built-in ones, tested before, and only for the program that they were made for.

use std::collections::BTreeMap;
use std::fs;

use nameplate::update::Fitting;
use nameplate_core::observation::hex;
use nameplate_core::update::Kind;
use nameplate_tests::place::{needed, root};
use nameplate_tests::product::{Ended, Product, State, code};
use serde_json::Value;
use sha2::{Digest, Sha256};

use super::{DAY_S, Publisher, entries};

/// A built-in profile, and what nobody has built in.
const ID: &str = "lantronix/xport";
const OWN: &str = "acme/own";
/// The program that is tested; it and this crate have one version.
const PROGRAM: &str = env!("CARGO_PKG_VERSION");

fn built_in() -> String {
    fs::read_to_string(root().join(format!("device-profiles/{ID}.toml"))).expect("a profile")
}

/// The same rules, another text: as a publisher mends one.
fn mended(number: u32) -> String {
    format!("{}\n# mended {number}\n", built_in())
}

/// SHA-256 of the text of the profile in force.
fn in_force(product: &Product, updates: &str, more: &[&str]) -> (Ended, String) {
    let words = ["profile", "list", "--format", "ndjson", "--updates", updates];
    let ended = product.run(words.iter().chain(more)).expect(code::DONE);
    let line: Option<Value> = ended.lines().into_iter().find(|line| line["id"] == ID);
    let sha256 = line.and_then(|line| line["sha256"].as_str().map(str::to_owned)).expect("the profile");
    (ended, sha256)
}

fn sha256(text: &str) -> String {
    hex(&Sha256::digest(text))
}

#[test]
fn profiles_take_the_place_of_those_that_the_program_was_built_with() {
    let test = "profiles_take_the_place_of_those_that_the_program_was_built_with";
    let Some(product) = needed(test, Product::find()) else { return };
    let (acme, plant, place) = (Publisher::new(&product, "profiles"), State::new(), State::new());
    let updates = place.text();
    let apply = |file: &str| {
        let publishers = acme.publishers();
        let words = ["update", "apply", file, "--by", "Ada", "--publishers", &publishers, "--state", &plant.text(), "--updates", &updates];
        product.run(words)
    };
    assert_eq!(in_force(&product, &updates, &[]).1, sha256(&built_in()));
    let mut files = Vec::new();
    for number in 1..4 {
        let set = acme.folder.path().join(format!("set-{number}"));
        acme.folder.file(&format!("set-{number}/{ID}.toml"), mended(number));
        let file = acme.make(&product, u64::from(number), &["--profile-set", &set.to_string_lossy()]);
        let said = apply(&file).expect(code::DONE).err;
        assert!(said.contains("1 profile of acme in force from the next start on"), "{said}");
        assert_eq!(in_force(&product, &updates, &[]).1, sha256(&mended(number)));
        files.push(file);
    }
    assert_eq!(entries(&product, &plant), 4, "the key and three updates");
    // What is in force and what was before stay; the same again changes nothing.
    let kept = |name: &str| place.path().join("profiles").join(name).exists();
    assert_eq!([".acme-1", ".acme-2", ".acme-3"].map(kept), [false, true, true]);
    apply(&files[2]).expect(code::DONE);
    assert_eq!(entries(&product, &plant), 4);
    assert!(apply(&files[1]).expect(code::FAILED).err.contains("version 3 was applied already"));
    assert_eq!(in_force(&product, &updates, &[]).1, sha256(&mended(3)));

    // Another program has its own; one that is damaged keeps nobody from working.
    let folder = place.path().join("profiles/.acme-3");
    fs::write(folder.join("program"), "99.0\n").expect("written");
    let (said, now) = in_force(&product, &updates, &[]);
    assert_eq!((said.err.as_str(), now), ("", sha256(&built_in())));
    fs::write(folder.join("program"), format!("{PROGRAM}\n")).expect("written");
    fs::write(folder.join(format!("{ID}.toml")), "match = [").expect("written");
    let (said, now) = in_force(&product, &updates, &[]);
    assert_eq!(now, sha256(&built_in()));
    assert!(said.err.contains("the profiles of an update are not used"), "{}", said.err);
}

#[test]
fn profiles_that_do_not_hold_or_do_not_fit_are_refused() {
    let test = "profiles_that_do_not_hold_or_do_not_fit_are_refused";
    let Some(product) = needed(test, Product::find()) else { return };
    let (acme, plant, place) = (Publisher::new(&product, "profiles"), State::new(), State::new());
    let lying = built_in().replacen("manufacturer = \"", "manufacturer = \"not ", 1);
    assert_ne!(lying, built_in());
    let twin = built_in();
    for (name, id, text, program, why) in [
        ("bad.npu", ID, "match = [".to_owned(), PROGRAM, ID),
        ("lying.npu", ID, lying.clone(), PROGRAM, "does not hold what its examples promise"),
        // Two profiles that match one answer make no claim at all.
        ("twin.npu", OWN, twin, PROGRAM, "does not hold what its examples promise"),
        ("newer.npu", ID, mended(1), "99.0", "its profiles are for nameplate 99.0"),
    ] {
        let files = BTreeMap::from([(format!("profiles/{id}.toml"), text.into_bytes())]);
        let file = acme.packed_as(name, (1, -60, DAY_S), (Kind::Profiles, Some(Fitting::For(program.into()))), files);
        let words = ["update", "apply", &file, "--publishers", &acme.publishers(), "--state", &plant.text(), "--updates", &place.text()];
        let ended = product.run(words).expect(code::FAILED);
        assert!(ended.err.contains(why), "{name}: {}", ended.err);
        assert_eq!((entries(&product, &plant), fs::read_dir(place.path()).expect("a folder").count()), (0, 0), "{name}");
    }
    // Its publisher is told before.
    acme.folder.file(&format!("set/{ID}.toml"), lying);
    let (set, out) = (acme.folder.path().join("set"), acme.folder.path().join("x.npu"));
    let words = [
        "--key",
        &acme.key,
        "--publisher",
        "acme",
        "--version",
        "1",
        "--out",
        &out.to_string_lossy(),
        "--profile-set",
        &set.to_string_lossy(),
    ]
    .map(str::to_owned);
    let ended = product.run(["update", "make"].map(str::to_owned).iter().chain(&words)).expect(code::INPUT);
    assert!(ended.err.contains("does not hold what its examples promise") && !out.exists(), "{}", ended.err);
}
