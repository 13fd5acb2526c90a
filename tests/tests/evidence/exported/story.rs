//! Ranges as people use them: exported from a site, checked elsewhere, held against what was seen before.

use nameplate_core::evidence::verify;
use nameplate_tests::ledger::history;
use nameplate_tests::place::needed;
use nameplate_tests::product::{Product, State, code};

use super::{Range, longer, read};
use crate::log::{Key, root, sha256};
use crate::mutate::Stock;
use crate::verifier;

/// What is said of a range that is held against something seen before.
struct Case {
    name: &'static str,
    range: Range,
    /// An exported log or a note.
    earlier: Vec<u8>,
    /// Nothing, or what the reason begins with.
    says: &'static str,
}

fn cases() -> Vec<Case> {
    let stock = Stock::new();
    let (log, second) = longer(&stock);
    let (end, changed) = (log.bodies.len(), stock.log.bodies.len());
    let own = |first, until| log.range(if until > changed { &second } else { &log.key }, first, until, true);
    let mut other = log.clone();
    other.bodies[3]["line"] = "{}".into();
    other.bodies[3]["kind"] = "touch".into();
    let forked = other.range(&log.key, 0, 10, true);
    let mut stranger = log.clone();
    (stranger.key, stranger.bodies[0]) = (stock.stranger.clone(), stock.stranger.body());
    let strangers = stranger.range(&stock.stranger, 0, 10, true);
    let mut forged = own(0, 10);
    forged.key = stock.stranger.clone();
    let case = |name, range: Range, earlier: Vec<u8>, says| Case { name, range, earlier, says };
    vec![
        case("one follows the other", own(10, 20), own(0, 10).bytes(), ""),
        case("a checkpoint alone", own(10, 20), own(0, 10).signed().into_bytes(), ""),
        case("they overlap", own(5, 20), own(0, 10).bytes(), ""),
        case("the same again", own(5, 20), own(5, 20).bytes(), ""),
        case("a longer one", own(0, 20), own(4, 10).bytes(), ""),
        case("the key changed between", own(changed, end), own(0, changed).bytes(), ""),
        case("the key changed before", own(end - 1, end), own(0, end - 1).bytes(), ""),
        case("the key changed in the later one", own(5, end), own(0, 10).bytes(), ""),
        case("a gap", own(11, 20), own(0, 10).bytes(), "a gap"),
        case("the older one last", own(0, 10), own(10, 20).bytes(), "older"),
        case("another site's", own(10, 20), strangers.bytes(), "another log"),
        case("two histories", own(10, 20), forked.bytes(), "forked"),
        case("two histories that overlap", own(5, 20), forked.bytes(), "forked"),
        case("two histories that overlap, the other way", other.range(&log.key, 5, 20, true), own(0, 10).bytes(), "forked"),
        case("a forged beginning", own(10, 20), forged.bytes(), "what was given as seen before"),
    ]
}

#[test]
fn two_ranges_that_follow_one_another_are_one_log() {
    let python = needed("two_ranges_that_follow_one_another_are_one_log", verifier::python());
    let state = State::new();
    let pinned = Stock::new().log.key.fingerprint();
    for Case { name, range, earlier, says } in cases() {
        let bytes = range.bytes();
        let note = String::from_utf8(earlier.clone()).expect("text");
        let note = if note.starts_with('{') {
            let first: serde_json::Value = serde_json::from_str(note.lines().next().expect("a line")).expect("JSON");
            first["checkpoint"].as_str().expect("a note").to_owned()
        } else {
            note
        };
        let said = read(&bytes, Some(&note)).err().unwrap_or_default();
        assert!(said.starts_with(says) && said.is_empty() == says.is_empty(), "{name}: {said}");
        let Some(python) = &python else { continue };
        let (file, before) = (state.file("range.log", bytes), state.file("before.log", earlier));
        let (line, ended) = verifier::verdict_on_log(python, &file, &["--key", &pinned, "--after", &before]);
        assert_eq!(ended == Some(0), says.is_empty(), "{name}: {line}");
    }
}

#[test]
fn what_a_file_looks_like_is_said_by_name() {
    let stock = Stock::new();
    let range = stock.log.range(&stock.log.key, 5, 16, true);
    let lines = range.lines();
    let (subject, entries) = &stock.subjects[0];
    let bundle = stock.log.bundle(subject, entries);
    let records: Vec<usize> = (1..lines.len()).filter(|at| lines[*at].starts_with("{\"body\"")).collect();
    let file = |lines: &[String]| super::together(lines);
    let changed = |change: &dyn Fn(&mut Vec<String>)| {
        let mut lines = lines.clone();
        change(&mut lines);
        file(&lines)
    };
    let other = |format: &str| Range { format: format.to_owned(), ..range.clone() }.bytes();
    let table = [
        (file(&lines[..lines.len() - 2]), "cut off"),
        (file(&lines)[..4000].to_vec(), "cut off"),
        (Vec::new(), "it is empty"),
        (changed(&|lines| lines.swap(records[0], records[1])), "reordered"),
        (changed(&|lines| lines.insert(records[3], lines[records[2]].clone())), "doubled"),
        (changed(&|lines| lines.extend(range.lines())), "merged"),
        (changed(&|lines| lines.extend(stock.log.range(&stock.log.key, 16, 20, true).lines().drain(1..))), "merged"),
        (other("nameplate-log/2"), "its format is \"nameplate-log/2\": a newer nameplate"),
        (other("nameplate-log/0"), "its format is \"nameplate-log/0\", of a nameplate that was never released"),
        (
            changed(&|lines| lines[0] = r#"{"format":"nameplate-log/7","what":{"is":["new"]}}"#.into()),
            "its format is \"nameplate-log/7\": a newer",
        ),
        (bundle.bytes(), "it is a bundle of evidence"),
        (
            changed(&|lines| lines[records[1]] = lines[records[1]].replace("\"kind\":\"touch\"", "\"kind\":\"later\"")),
            "entry 6: it is of a kind",
        ),
    ];
    for (bytes, says) in table {
        let said = read(&bytes, None).expect_err("no whole one");
        assert!(said.starts_with(says), "{said}, not {says}");
    }
    let two = [bundle.bytes(), bundle.bytes()].concat();
    let mut reordered = crate::log::Parts { note: Some(bundle.signed()), ..bundle.clone() };
    let mut doubled = reordered.clone();
    reordered.entries.swap(1, 2);
    doubled.entries.insert(1, doubled.entries[1].clone());
    let bundles = [
        (bundle.bytes()[..3000].to_vec(), "it was cut off"),
        (two, "merged"),
        (reordered.bytes(), "reordered or merged"),
        (doubled.bytes(), "doubled"),
        (range.bytes(), "it is an exported log"),
        (
            crate::log::Parts { format: "nameplate-evidence/2".into(), ..bundle.clone() }.bytes(),
            "its format is \"nameplate-evidence/2\": a newer",
        ),
        (b"{\"format\":\"nameplate-evidence/3\",\"later\":1}\n".to_vec(), "its format is \"nameplate-evidence/3\": a newer"),
    ];
    for (bytes, says) in bundles {
        let nameplate_core::evidence::Authenticity::Refused(said) = verify(&bytes, None).authenticity else { panic!("{says}") };
        assert!(said.why.starts_with(says), "{}, not {says}", said.why);
    }
}

/// The site's checkpoint made again with this test's own tree, from the records in its files.
fn is_ours(files: &[&str], note: &str, key: &Key) {
    let records = files.iter().flat_map(|file| file.lines().filter(|line| line.starts_with("{\"body\"")));
    let leaves: Vec<_> = records.map(|record| sha256([&[0][..], record.as_bytes()].concat())).collect();
    assert!(note.ends_with(&key.note_as(&note[..note.find('\n').expect("an origin")], leaves.len() as u64, &root(&leaves))), "{note}");
}

#[test]
fn a_site_hands_out_its_log_piece_by_piece() {
    let test = "a_site_hands_out_its_log_piece_by_piece";
    let Some((product, python)) = needed(test, Product::find().and_then(|product| Ok((product, verifier::python()?)))) else { return };
    let (site, auditor) = (State::new(), State::new());
    let drafts = history(11, 700);
    let store = || nameplate::store::Store::write(site.path()).expect("a store");
    let first = store().public_key().fingerprint();
    store().append(&drafts[..300]).expect("appended");
    let end = store().size();
    let ledger = |words: &[&str]| product.run(["ledger", "--state", &site.text()].iter().chain(words));
    let file = |name: &str| auditor.path().join(name).to_string_lossy().into_owned();
    let (one, two, bare) = (file("1.log"), file("2.log"), file("bare.log"));
    let said = ledger(&["export", &one]).expect(code::DONE).err;
    assert!(said.contains(&first) && said.contains("301 entries, 0 to 300"), "{said}");
    assert!(ledger(&["export", &one]).expect(code::INPUT).err.contains("1.log"), "it is not overwritten");
    ledger(&["change-key", "--by", "J. Doe", "--why", "a laptop was lost"]).expect(code::DONE);
    store().append(&drafts[300..]).expect("appended");
    ledger(&["export", &two, "--from", &end.to_string()]).expect(code::DONE);
    ledger(&["export", &bare, "--from", "310", "--to", "302", "--without-payloads"]).expect(code::USAGE);
    assert!(ledger(&["export", &bare, "--to", "40"]).expect(code::USAGE).err.contains("no checkpoint was signed at 40 entries"));
    assert!(!std::path::Path::new(&bare).exists(), "half a file is none");
    ledger(&["export", &bare, "--from", "310", "--without-payloads"]).expect(code::DONE);

    let text = |path: &str| std::fs::read_to_string(path).expect("text");
    let note = ledger(&["checkpoint"]).expect(code::DONE).out;
    let seed = crate::log::unhex(std::fs::read_to_string(site.path().join("site.key")).expect("a key").trim());
    let key = Key(ed25519_dalek::SigningKey::from_bytes(&seed.try_into().expect("32 bytes")));
    is_ours(&[&text(&one), &text(&two)], &note, &key);

    // From here on the auditor's machine: no state.
    let check = |words: &[&str]| product.run(["ledger", "verify", "--range"].iter().chain(words));
    let ended = check(&[&two, "--key", &first, "--after", &one]).expect(code::DONE);
    assert!(ended.out.contains("authentic: ") && ended.out.contains("one log"), "{}", ended.out);
    for (words, code, python_code, says) in [
        (vec![one.as_str(), "--key", &first], code::DONE, 0, "authentic"),
        (vec![&two, "--key", &key.fingerprint(), "--after", &one], code::DONE, 0, "authentic"),
        (vec![&two], code::FAILED, 2, "unknown signer"),
        (vec![&one, "--key", &key.fingerprint()], code::FAILED, 2, "unknown signer"),
        (vec![&one, "--key", &first, "--after", &two], code::FAILED, 6, "refused: older"),
        (vec![&bare, "--key", &first, "--after", &one], code::FAILED, 6, "refused: a gap"),
        (vec![&bare, "--key", &first], code::FAILED, 6, "left out"),
        (vec![&bare, "--key", &first, "--without-payloads"], code::DONE, 0, "left out"),
    ] {
        let ended = check(&words).expect(code);
        assert!(ended.out.contains(says), "{words:?}: {}", ended.out);
        let (line, ended) = verifier::verdict_on_log(&python, words[0], &words[1..]);
        assert_eq!(ended, Some(python_code), "{words:?}: {line}");
    }
    let changed = auditor.file("changed.log", text(&two).replacen("\"time_ns\":1", "\"time_ns\":2", 1));
    assert!(check(&[&changed, "--key", &first]).expect(code::FAILED).out.contains("refused: "));
    assert!(check(&[&file("missing")]).expect(code::INPUT).err.contains("missing"));
}

#[test]
fn a_payload_that_is_not_kept_any_more_is_named() {
    let Some(product) = needed("a_payload_that_is_not_kept_any_more_is_named", Product::find()) else { return };
    let state = State::new();
    let mut store = nameplate::store::Store::write(state.path()).expect("a store");
    store.append(&[nameplate_tests::ledger::reading(1, 1), nameplate_tests::ledger::reading(2, 1)]).expect("appended");
    let pinned = store.public_key().fingerprint();
    drop(store);
    let database = rusqlite::Connection::open(state.path().join("nameplate.sqlite")).expect("a database");
    let name: Vec<u8> = database.query_row("SELECT sha256 FROM payload LIMIT 1", [], |row| row.get(0)).expect("a payload");
    database.execute("DELETE FROM payload WHERE sha256 = ?1", [&name]).expect("pruned");
    drop(database);
    let file = state.path().join("x.log").to_string_lossy().into_owned();
    let said = product.run(["ledger", "--state", &state.text(), "export", &file]).expect(code::DONE).err;
    let name = crate::log::hex(&name);
    assert!(said.contains(&format!("1 payload not kept any more: {name}")), "{said}");
    let check = |more: &[&str]| product.run(["ledger", "verify", "--range", &file, "--key", &pinned].iter().chain(more));
    assert!(check(&[]).expect(code::FAILED).out.contains(&name));
    check(&["--without-payloads"]).expect(code::DONE);
}
