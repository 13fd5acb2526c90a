//! Advisories, by the command: what is applied, what is refused, and that what is refused changes nothing.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt;

use nameplate::key;
use nameplate::store::{Draft, Store, now_ns};
use nameplate_core::ledger::Body;
use nameplate_core::update::{Event, Kind, Offer};
use nameplate_tests::place::needed;
use nameplate_tests::product::{Product, State, code};
use serde_json::{Value, json};

use super::{DAY_S, KEV, Publisher, apply, document, entries};

/// `taken id` of each document.
fn taken(lines: &[Value]) -> Vec<String> {
    let text = |line: &Value, key: &str| line[key].as_str().unwrap_or_default().to_owned();
    lines.iter().map(|line| format!("{} {}", text(line, "taken"), text(line, "id"))).collect()
}

#[test]
fn a_stick_brings_advisories_and_nothing_older_ever_again() {
    let test = "a_stick_brings_advisories_and_nothing_older_ever_again";
    let Some(product) = needed(test, Product::find()) else { return };
    let (acme, plant) = (Publisher::new(&product, "advisories"), State::new());
    let kev = acme.folder.file("known.csv", KEV);
    let five = acme.make(&product, 5, &["--advisories", &acme.documents(&[("A", "1"), ("B", "1")]), "--kev", &kev]);
    let six = acme.make(&product, 6, &["--advisories", &acme.documents(&[("A", "2"), ("C", "1")]), "--days", "7"]);
    let shown = product.run(["update", "show", &five, "--publishers", &acme.publishers(), "--state", &plant.text(), "--format", "ndjson"]);
    let shown = shown.expect(code::DONE).lines();
    assert_eq!((&shown[0]["would_be"], &shown[0]["files"], &shown[0]["version"]), (&json!("new"), &json!(3), &json!(5)), "{shown:?}");
    assert_eq!(entries(&product, &plant), 0, "to show changes nothing");

    let first = apply(&product, &acme.publishers(), &plant, &five).expect(code::DONE);
    assert_eq!(taken(&first.lines()), ["new A", "new B"]);
    assert!(first.err.contains("advisories 5 of acme applied; good until 20") && !first.err.contains("warning"), "{}", first.err);
    // The ledger's key, the update, its advisories.
    assert_eq!(entries(&product, &plant), 3);
    let again = apply(&product, &acme.publishers(), &plant, &five).expect(code::DONE);
    assert_eq!((taken(&again.lines()), entries(&product, &plant)), (vec!["unchanged A".to_owned(), "unchanged B".to_owned()], 3));
    let second = apply(&product, &acme.publishers(), &plant, &six).expect(code::DONE);
    assert_eq!(taken(&second.lines()), ["newer A", "new C", "not_in_this_set B"]);
    assert!(second.err.contains("warning: it expires in 6 days"), "{}", second.err);
    for file in [&five, &six] {
        let expected =
            if *file == five { (code::FAILED, "it is version 5, and version 6 was applied already") } else { (code::DONE, "again") };
        let ended = apply(&product, &acme.publishers(), &plant, file);
        assert!((ended.code, true) == (expected.0, ended.err.contains(expected.1)), "{ended:?}");
    }
    assert_eq!(entries(&product, &plant), 5);

    // A backup knows what was applied.
    let (backup, restored) = (acme.folder.path().join("plant.backup").to_string_lossy().into_owned(), State::new());
    product.run(["ledger", "backup", &backup, "--state", &plant.text()]).expect(code::DONE);
    restored.file("site.key", fs::read(plant.path().join("site.key")).expect("a key"));
    product.run(["ledger", "restore", &backup, "--state", &restored.text()]).expect(code::DONE);
    assert!(apply(&product, &acme.publishers(), &restored, &five).expect(code::FAILED).err.contains("version 6 was applied already"));
    let listed = product.run(["update", "list", "--state", &restored.text(), "--format", "ndjson"]).expect(code::DONE).lines();
    assert_eq!((&listed[0]["version"], &listed[0]["by"], &listed[0]["left"]), (&json!(6), &json!("Ada"), &json!("expires in 6 days")));
    product.run(["ledger", "verify", "--state", &restored.text()]).expect(code::DONE);
}

#[test]
fn what_is_refused_says_why_and_changes_nothing() {
    let test = "what_is_refused_says_why_and_changes_nothing";
    let Some(product) = needed(test, Product::find()) else { return };
    let (acme, stranger) = (Publisher::new(&product, "advisories"), Publisher::new(&product, "advisories"));
    let profiles_only = Publisher::new(&product, "profiles");
    let plant = State::new();
    let files = || BTreeMap::from([("advisories/a.json".to_owned(), document("A", "1").into_bytes())]);
    let good = acme.packed("good.npu", (5, -60, 30 * DAY_S), files());
    apply(&product, &acme.publishers(), &plant, &good).expect(code::DONE);
    let other = || BTreeMap::from([("advisories/b.json".to_owned(), document("B", "1").into_bytes())]);
    let day = i64::try_from(DAY_S).expect("small");
    let bytes = fs::read(&good).expect("an update");
    let mut broken = bytes.clone();
    let at = broken.len() / 2;
    broken[at] ^= 1;
    let nobody = State::new();
    let table = [
        (acme.packed("expired.npu", (6, -2 * day, DAY_S), other()), acme.publishers(), code::FAILED, "it expired at"),
        (acme.packed("ahead.npu", (6, day, DAY_S), other()), acme.publishers(), code::FAILED, "set the clock"),
        (acme.packed("older.npu", (4, -60, DAY_S), other()), acme.publishers(), code::FAILED, "it is version 4, and version 5 was applied"),
        (acme.packed("same.npu", (5, -60, DAY_S), other()), acme.publishers(), code::FAILED, "another file with version 5"),
        (stranger.packed("a.npu", (6, -60, DAY_S), other()), acme.publishers(), code::FAILED, "it is signed by the key"),
        (
            acme.packed("new.npu", (6, -60, DAY_S), other()),
            nobody.text(),
            code::FAILED,
            "nobody here trusts the publisher acme: where you do",
        ),
        (acme.packed("new.npu", (6, -60, DAY_S), other()), nobody.text() + "/none", code::FAILED, "/none/acme.pub"),
        (
            profiles_only.packed("p.npu", (6, -60, DAY_S), other()),
            profiles_only.publishers(),
            code::FAILED,
            "acme may not publish advisories",
        ),
        (acme.folder.file("broken.npu", &broken), acme.publishers(), code::INPUT, "broken.npu"),
        (acme.folder.file("cut.npu", &bytes[..bytes.len() - 1]), acme.publishers(), code::INPUT, "cut.npu"),
        (acme.folder.file("none.npu", b"PK"), acme.publishers(), code::INPUT, "no zip file"),
        (acme.folder.file("none.npu", b""), acme.publishers(), code::INPUT, "no zip file"),
        (acme.folder.path().join("gone.npu").to_string_lossy().into_owned(), acme.publishers(), code::INPUT, "No such file"),
        (
            acme.packed("list.npu", (6, -60, DAY_S), BTreeMap::from([("lists/lottery.csv".to_owned(), b"x".to_vec())])),
            acme.publishers(),
            code::FAILED,
            "no list that this program knows",
        ),
        (
            acme.packed("kev.npu", (6, -60, DAY_S), BTreeMap::from([("lists/kev.csv".to_owned(), b"x".to_vec())])),
            acme.publishers(),
            code::INPUT,
            "nothing was taken",
        ),
    ];
    let before = entries(&product, &plant);
    for (file, publishers, code, why) in &table {
        for words in [["update", "apply"], ["update", "show"]] {
            let by = if words[1] == "apply" { &["--by", "Ada"][..] } else { &[] };
            let ended = product.run(words.iter().chain(&[file.as_str(), "--publishers", publishers, "--state", &plant.text()]).chain(by));
            // To show looks at no document.
            let is_list = file.ends_with("list.npu") || file.ends_with("kev.npu");
            if words[1] == "apply" || !is_list {
                assert!(ended.code == *code && ended.err.contains(why), "{words:?} {file}: {why:?} {ended:?}");
            }
        }
        assert_eq!(entries(&product, &plant), before, "{file}");
        let fresh = State::new();
        if !why.contains("version") {
            let _ = apply(&product, publishers, &fresh, file).expect(*code);
            assert!(!fresh.path().join("nameplate.sqlite").exists(), "{file} made a state");
        }
    }
}

#[test]
fn who_is_trusted_says_nobody_but_the_owner() {
    let test = "who_is_trusted_says_nobody_but_the_owner";
    let Some(product) = needed(test, Product::find()) else { return };
    let (acme, plant) = (Publisher::new(&product, "advisories"), State::new());
    let file = acme.make(&product, 1, &["--advisories", &acme.documents(&[("A", "1")])]);
    let named = acme.folder.path().join("publishers/acme.pub");
    let right = fs::read_to_string(&named).expect("a file");
    let key = right.lines().find(|line| line.starts_with("key")).expect("a key").to_owned();
    for (text, why) in [
        (String::new(), "missing field"),
        (key.clone(), "missing field `kinds`"),
        (format!("{key}\nkinds = []\n"), "it names none of"),
        (format!("{key}\nkinds = [\"firmware\"]\n"), "unknown variant"),
        ("key = \"00\"\nkinds = [\"advisories\"]\n".to_owned(), "this is no public key"),
        // The point of order 1, with which anybody could sign anything.
        (format!("key = \"01{}\"\nkinds = [\"advisories\"]\n", "00".repeat(31)), "this is no public key"),
        (format!("{right}expires = 1\n"), "unknown field"),
    ] {
        fs::write(&named, text).expect("written");
        let ended = apply(&product, &acme.publishers(), &plant, &file).expect(code::INPUT);
        assert!(ended.err.contains(why) && ended.err.contains("acme.pub"), "{why}: {}", ended.err);
    }
    fs::write(&named, &right).expect("written");
    for place in [&named, &acme.folder.path().join("publishers")] {
        let mode = fs::metadata(place).expect("there").permissions().mode();
        fs::set_permissions(place, fs::Permissions::from_mode(mode | 0o020)).expect("set");
        let ended = apply(&product, &acme.publishers(), &plant, &file).expect(code::INPUT);
        assert!(ended.err.contains("other accounts can write it"), "{}", ended.err);
        fs::set_permissions(place, fs::Permissions::from_mode(mode)).expect("set");
    }
    assert_eq!(entries(&product, &plant), 0);
    apply(&product, &acme.publishers(), &plant, &file).expect(code::DONE);
    // The private key is nobody else's, and no second one takes its place.
    assert_eq!(fs::metadata(&acme.key).expect("a key").permissions().mode() & 0o777, 0o600);
    product.run(["update", "key", &acme.key]).expect(code::INPUT);
    assert!(key::read_file(acme.key.as_ref()).is_ok_and(|key| key.is_some()));
}

#[test]
fn a_clock_that_was_set_back_makes_nothing_good_again() {
    let test = "a_clock_that_was_set_back_makes_nothing_good_again";
    let Some(product) = needed(test, Product::find()) else { return };
    let (acme, plant) = (Publisher::new(&product, "advisories"), State::new());
    let file = acme.make(&product, 9, &["--advisories", &acme.documents(&[("A", "1")])]);
    // The ledger knows of an update that was applied two hours from now: by another publisher, so that versions have no say.
    let ahead_ns = now_ns() + 2 * 3_600 * 1_000_000_000;
    let offer = Offer {
        expires_ns: u64::MAX,
        key: "ab".repeat(32),
        kind: Kind::Advisories,
        made_ns: 0,
        manifest_sha256: "cd".repeat(32),
        program: None,
        publisher: "beta".into(),
        version: 1,
    };
    let mut store = Store::write(plant.path()).expect("a state");
    store.append(&[Draft::new(ahead_ns, Body::Update(Event::Applied { by: "Ada".into(), offer }))]).expect("appended");
    drop(store);
    let ended = apply(&product, &acme.publishers(), &plant, &file).expect(code::FAILED);
    assert!(ended.err.contains("set the clock"), "{}", ended.err);
}

#[test]
fn a_document_that_cannot_be_read_does_not_keep_the_others_out() {
    let test = "a_document_that_cannot_be_read_does_not_keep_the_others_out";
    let Some(product) = needed(test, Product::find()) else { return };
    let (acme, plant) = (Publisher::new(&product, "advisories"), State::new());
    // As a newer program's: the command makes none of documents that it cannot read.
    let newer = document("B", "1").replace("\"2.0\"", "\"2.1\"");
    let files = BTreeMap::from([
        ("advisories/a.json".to_owned(), document("A", "1").into_bytes()),
        ("advisories/b.json".to_owned(), newer.into_bytes()),
    ]);
    let file = acme.packed("newer.npu", (1, -60, DAY_S), files);
    let ended = apply(&product, &acme.publishers(), &plant, &file).expect(code::INPUT);
    assert_eq!(taken(&ended.lines()), ["new A", "refused "]);
    assert!(ended.out.contains("update of acme!/b.json"), "{}", ended.out);
    let folder = acme.documents(&[("A", "1")]);
    acme.folder.file("csaf/b.json", document("B", "1").replace("\"2.0\"", "\"2.1\""));
    let out = acme.folder.path().join("x.npu").to_string_lossy().into_owned();
    let words = ["update", "make", "--key", &acme.key, "--publisher", "acme", "--version", "2", "--out", &out, "--advisories", &folder];
    product.run(words).expect(code::INPUT);
    assert!(!acme.folder.path().join("x.npu").exists());
}
