//! A witness outside the site: what goes on is countersigned; a gateway that was put back, or cloned, is found out.

use std::path::Path;
use std::process::Command;
use std::time::SystemTime;

use nameplate_simulators::modbus::Persona;
use nameplate_tests::pcap::{pcap_of, plant};
use nameplate_tests::place::{self, needed};
use nameplate_tests::product::{Ended, Product, State, code};

/// A site, and its auditor somewhere else.
struct Story {
    product: Product,
    site: State,
    auditor: State,
    /// The auditor's key.
    witness: String,
}

impl Story {
    /// Both have made their keys and given them to each other; the site has heard one device.
    fn new(product: Product) -> Self {
        let (site, auditor) = (State::new(), State::new());
        let mut story = Self { product, site, auditor, witness: String::new() };
        story.hear(&story.site, "V01.000");
        story.witness = story.witness(&["init", "audit.example/ot"]).expect(code::DONE).out.trim().to_owned();
        let key = story.ledger(&story.site, &["key"]).expect(code::DONE).out;
        story.witness(&["trust", key.trim()]).expect(code::DONE);
        story
    }

    fn witness(&self, words: &[&str]) -> Ended {
        self.product.run(["witness", "--state", &self.auditor.text()].iter().chain(words))
    }

    fn ledger(&self, site: &State, words: &[&str]) -> Ended {
        self.product.run(["ledger", "--state", &site.text()].iter().chain(words))
    }

    /// The site learns of another release, and its log grows.
    fn hear(&self, site: &State, version: &str) {
        let objects = [(0, b"Schneider Electric".to_vec()), (1, b"PM710".to_vec()), (2, version.as_bytes().to_vec())];
        let capture = site.file("span.pcap", pcap_of(&plant(vec![Persona::from_objects(objects)])));
        self.product.run(["listen", &capture, "--keep", "--state", &site.text()]).expect(code::DONE);
    }

    /// The site asks for a countersignature since this checkpoint or number; what the auditor makes of it.
    fn sign(&self, site: &State, since: &str) -> Ended {
        let request = self.ledger(site, &["checkpoint", "--since", since]).expect(code::DONE).out;
        self.witness(&["sign", &self.auditor.file("request", request)])
    }

    /// Signed, and kept in a file.
    fn signed(&self, site: &State, since: &str) -> String {
        self.auditor.file("last.checkpoint", self.sign(site, since).expect(code::DONE).out)
    }
}

/// All of a state directory, as a backup or a stolen disk has it.
fn copied(from: &Path) -> State {
    let to = State::new();
    for entry in std::fs::read_dir(from).expect("a folder").map(|entry| entry.expect("a file")) {
        std::fs::copy(entry.path(), to.path().join(entry.file_name())).expect("copied");
    }
    to
}

#[test]
fn a_site_that_goes_on_is_countersigned_and_anybody_can_check_it() {
    let test = "a_site_that_goes_on_is_countersigned_and_anybody_can_check_it";
    let Some(product) = needed(test, Product::find()) else { return };
    let story = Story::new(product);
    let mut last = story.signed(&story.site, "0");
    for version in ["V02.000", "V03.000"] {
        story.hear(&story.site, version);
        last = story.signed(&story.site, &last);
        let said = story.ledger(&story.site, &["verify", "--checkpoint", &last, "--witness", &story.witness]).expect(code::DONE).out;
        assert!(said.contains("whole: ") && said.contains("countersigned by audit.example/ot at 20"), "{said}");
    }
    // The same one again is no other history.
    let again = story.sign(&story.site, &last).expect(code::DONE).out;
    assert_eq!(again.lines().count(), 6, "one line of this witness: {again}");
    let listed = story.witness(&["list", "--format", "ndjson"]).expect(code::DONE).lines();
    let entries: u64 = again.lines().nth(1).and_then(|size| size.parse().ok()).expect("a size");
    assert_eq!((listed.len(), listed[0]["entries"].as_u64()), (1, Some(entries)));

    let stranger = State::new();
    let other = story.product.run(["witness", "init", "other.example", "--state", &stranger.text()]).expect(code::DONE).out;
    let said = story.ledger(&story.site, &["verify", "--checkpoint", &last, "--witness", other.trim()]).expect(code::FAILED).err;
    assert!(said.contains("not countersigned by other.example"), "{said}");
    let second = story.product.run(["witness", "init", "other.example", "--state", &stranger.text()]).expect(code::INPUT).err;
    assert!(second.contains("has a key already"), "{second}");
    let unknown = story.ledger(&story.site, &["checkpoint", "--since", "0"]).expect(code::DONE).out;
    let unknown = story.product.run(["witness", "sign", &story.site.file("request", unknown), "--state", &stranger.text()]);
    assert!(unknown.expect(code::FAILED).err.contains("does not know that log"));
    let swapped = story.witness(&["trust", &story.witness]).expect(code::USAGE).err;
    assert!(swapped.contains("not the key of a site's ledger"), "{swapped}");

    let Some(python) = needed(test, python()) else { return };
    let before = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).expect("a clock").as_secs();
    let verify = |note: &str, key: &str| {
        let script = place::root().join("tests/verify/verify_countersigned.py");
        let output = Command::new(&python).arg(script).args([note, key]).output().expect("a run");
        (String::from_utf8(output.stdout).expect("text"), output.status.code())
    };
    let (said, code) = verify(&last, &story.witness);
    let parts: Vec<&str> = said.split_whitespace().collect();
    assert_eq!((code, parts[1].parse()), (Some(0), Ok(entries)), "{said}");
    assert!(before.abs_diff(parts[2].parse().expect("seconds")) < 3_600, "{said}");
    assert_eq!(verify(&last, other.trim()).1, Some(6));
}

fn python() -> Result<std::path::PathBuf, String> {
    let rig = std::env::var_os("NAMEPLATE_RIG").map_or_else(|| place::target().join("rig"), std::path::PathBuf::from);
    let python = rig.join("venv").join("bin").join("python");
    let there = Command::new(&python).args(["-c", "import cryptography"]).status();
    there.is_ok_and(|status| status.success()).then_some(python).ok_or_else(|| "no cryptography: cargo xtask rig".to_owned())
}

#[test]
fn a_gateway_that_was_put_back_whole_is_found_out() {
    let Some(product) = needed("a_gateway_that_was_put_back_whole_is_found_out", Product::find()) else { return };
    let story = Story::new(product);
    let backup = copied(story.site.path());
    story.signed(&story.site, "0");
    story.hear(&story.site, "V02.000");
    let last = story.signed(&story.site, &story.auditor.path().join("last.checkpoint").to_string_lossy());

    // From inside the older copy is whole, `head.seen` and all.
    story.ledger(&backup, &["verify"]).expect(code::DONE);
    let said = story.ledger(&backup, &["verify", "--checkpoint", &last]).expect(code::FAILED).err;
    assert!(said.contains("this is an older copy"), "{said}");
    let said = story.ledger(&backup, &["checkpoint", "--since", &last]).expect(code::FAILED).err;
    assert!(said.contains("older copy"), "{said}");
    // Whoever lies about what was signed gets no signature either.
    let said = story.sign(&backup, "0").expect(code::FAILED).err;
    assert!(said.contains("rolled back: this checkpoint has "), "{said}");

    // It goes on by itself, past what was signed: another history.
    story.hear(&backup, "V07.000");
    story.hear(&backup, "V08.000");
    story.hear(&backup, "V09.000");
    let size = story.ledger(&backup, &["checkpoint"]).expect(code::DONE).out;
    let signed = std::fs::read_to_string(&last).expect("a note");
    let count = |note: &str| note.lines().nth(1).and_then(|size| size.parse::<u64>().ok()).expect("a size");
    assert!(count(&size) > count(&signed), "the copy is ahead: {size} {signed}");
    let said = story.sign(&backup, &last).expect(code::FAILED).err;
    assert!(said.contains("forked: it does not begin with the "), "{said}");
    // Both checkpoints are kept, and the signed one is as it was: the true site goes on.
    let kept = std::fs::read_dir(story.auditor.path().join("witness")).expect("a folder");
    let names: Vec<String> = kept.map(|file| file.expect("a file").file_name().to_string_lossy().into_owned()).collect();
    assert!(names.iter().any(|name| name.contains(&format!("contradicted-by-{}", count(&size)))), "{names:?}");
    story.hear(&story.site, "V03.000");
    story.signed(&story.site, &last);
}

#[test]
fn of_two_clones_that_go_on_one_alone_is_signed() {
    let Some(product) = needed("of_two_clones_that_go_on_one_alone_is_signed", Product::find()) else { return };
    let story = Story::new(product);
    let first = story.signed(&story.site, "0");
    let clone = copied(story.site.path());
    // The same devices, heard on both: as many entries, another time.
    story.hear(&story.site, "V02.000");
    story.hear(&clone, "V02.000");
    let last = story.signed(&story.site, &first);
    let said = story.sign(&clone, &first).expect(code::FAILED).err;
    assert!(said.contains("two histories under one key: a cloned gateway"), "{said}");
    let said = story.ledger(&clone, &["verify", "--checkpoint", &last]).expect(code::FAILED).err;
    assert!(said.contains("forked: its first "), "{said}");
}

#[test]
fn a_site_that_changes_its_key_goes_on() {
    let Some(product) = needed("a_site_that_changes_its_key_goes_on", Product::find()) else { return };
    let story = Story::new(product);
    let first = story.signed(&story.site, "0");
    let fingerprint = |ended: Ended| ended.expect(code::DONE).err.trim().rsplit(' ').next().expect("a fingerprint").to_owned();
    let old = fingerprint(story.ledger(&story.site, &["key"]));
    let stolen = copied(story.site.path());
    let new = fingerprint(story.ledger(&story.site, &["change-key", "--by", "J. Doe", "--why", "a laptop was lost"]));
    assert_ne!(old, new);
    assert!(!story.site.path().join("site.key.next").exists());
    story.hear(&story.site, "V02.000");
    let said = story.ledger(&story.site, &["verify"]).expect(code::DONE).out;
    assert!(said.contains(&format!("signed by {new}")), "{said}");

    // A power cut between the log and the file: the new key is there, under its other name.
    let cut = copied(story.site.path());
    std::fs::rename(cut.path().join("site.key"), cut.path().join("site.key.next")).expect("renamed");
    std::fs::copy(stolen.path().join("site.key"), cut.path().join("site.key")).expect("the old key");
    story.hear(&cut, "V03.000");
    story.ledger(&cut, &["verify"]).expect(code::DONE);
    // The old key alone writes nothing more.
    std::fs::copy(stolen.path().join("site.key"), cut.path().join("site.key")).expect("the old key");
    let capture = cut.path().join("span.pcap").to_string_lossy().into_owned();
    let said = story.product.run(["listen", &capture, "--keep", "--state", &cut.text()]).expect(code::INPUT).err;
    assert!(said.contains("not the key of the ledger beside it"), "{said}");

    // The witness knows the old key alone, until somebody tells it.
    assert!(story.sign(&story.site, &first).expect(code::FAILED).err.contains("not signed by this key"));
    let key = story.ledger(&story.site, &["key"]).expect(code::DONE).out;
    story.witness(&["trust", key.trim()]).expect(code::DONE);
    let last = story.signed(&story.site, &first);
    story.ledger(&story.site, &["verify", "--checkpoint", &last, "--witness", &story.witness]).expect(code::DONE);
    // What was signed before the change is still a checkpoint of this log.
    story.ledger(&story.site, &["verify", "--checkpoint", &first]).expect(code::DONE);

    let id = story.product.run(["devices", "--format", "ndjson", "--state", &story.site.text()]).expect(code::DONE).lines();
    let bundle = story.auditor.path().join("device.evidence").to_string_lossy().into_owned();
    let id = id[0]["id"].as_str().expect("an id");
    story.product.run(["evidence", "export", id, "--out", &bundle, "--state", &story.site.text()]).expect(code::DONE);
    for pinned in [&old, &new] {
        story.product.run(["evidence", "verify", &bundle, "--key", pinned]).expect(code::DONE);
    }
    // A second change, and a database whose note of them is gone.
    story.ledger(&story.site, &["change-key", "--by", "J. Doe", "--why", "again"]).expect(code::DONE);
    story.ledger(&story.site, &["verify"]).expect(code::DONE);
    let database = rusqlite::Connection::open(story.site.path().join("nameplate.sqlite")).expect("a database");
    database.execute_batch("DELETE FROM key_change WHERE entry = (SELECT max(entry) FROM key_change)").expect("changed");
    drop(database);
    assert!(story.ledger(&story.site, &["verify"]).expect(code::FAILED).err.contains("damaged"));
}

#[test]
fn a_bundle_is_tied_to_what_the_witness_saw() {
    let Some(product) = needed("a_bundle_is_tied_to_what_the_witness_saw", Product::find()) else { return };
    let story = Story::new(product);
    let device = story.product.run(["devices", "--format", "ndjson", "--state", &story.site.text()]).expect(code::DONE).lines();
    let bundle = story.auditor.path().join("device.evidence").to_string_lossy().into_owned();
    let id = device[0]["id"].as_str().expect("an id");
    story.product.run(["evidence", "export", id, "--out", &bundle, "--state", &story.site.text()]).expect(code::DONE);
    let of = story.ledger(&story.site, &["checkpoint"]).expect(code::DONE).out.lines().nth(1).expect("a size").to_owned();
    story.hear(&story.site, "V02.000");
    let request = story.ledger(&story.site, &["checkpoint", "--of", &of, "--since", "0"]).expect(code::DONE).out;
    let signed = story.witness(&["sign", &story.auditor.file("request", request)]).expect(code::DONE).out;
    let signed = story.auditor.file("bundle.checkpoint", signed);
    let key = story.ledger(&story.site, &["key"]).expect(code::DONE).err;
    let fingerprint = key.trim().rsplit(' ').next().expect("a fingerprint");
    let verify = |note: &str| {
        let words = ["evidence", "verify", &bundle, "--key", fingerprint, "--countersigned", note, "--witness", &story.witness];
        story.product.run(words)
    };
    let said = verify(&signed).expect(code::DONE).out;
    assert!(said.contains(&format!("its log of {of} entries, countersigned by audit.example/ot at ")), "{said}");
    let later = story.signed(&story.site, &signed);
    let said = verify(&later).expect(code::FAILED).err;
    assert!(said.contains("this is not the bundle's checkpoint"), "{said}");
}
