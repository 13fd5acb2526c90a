//! A ledger that is not what it was: a named error, never a different answer and never a repair.

use std::fs;
use std::path::Path;

use nameplate::store::{Draft, Store};
use nameplate_core::ledger::Body;
use nameplate_core::view::View;
use nameplate_tests::ledger::{history, reading};
use nameplate_tests::personas::{Draw, seed};
use nameplate_tests::place::needed;
use nameplate_tests::product::{Product, State, code};
use rusqlite::Connection;

use super::times;

/// A ledger with a few entries of every kind.
fn ledger(entries: usize) -> State {
    let state = State::new();
    let mut store = Store::write(state.path()).expect("a store");
    history(11, entries).chunks(5).for_each(|batch| {
        store.append(batch).expect("appended");
    });
    state
}

fn sql(state: &State, text: &str) {
    let connection = Connection::open(state.path().join("nameplate.sqlite")).expect("a database");
    connection.execute_batch(text).expect("changed");
}

/// What a reader makes of it: all that can be asked, or the first error.
fn read(state: &Path) -> Result<(View, Vec<Vec<u8>>), String> {
    let store = Store::read(state).map_err(|failure| failure.why)?.ok_or("no ledger")?;
    let records = (0..store.size()).map(|index| store.record(index).map_err(|failure| failure.why)).collect::<Result<_, _>>()?;
    Ok((store.view(None).map_err(|failure| failure.why)?, records))
}

/// What verifying says.
fn verify(state: &Path, pinned: Option<&str>) -> Result<(), String> {
    let store = Store::read(state).map_err(|failure| failure.why)?.ok_or("no ledger")?;
    store.verify(pinned).map(|_| ()).map_err(|failure| failure.why)
}

/// Flips the lowest bit of a byte of a blob.
fn flip(table: &str, column: &str, place: &str, byte: usize) -> String {
    let old = format!("substr({column}, {byte}, 1)");
    let hex = (0..256).map(|n| format!("WHEN x'{n:02x}' THEN x'{:02x}'", n ^ 1)).collect::<Vec<_>>().join(" ");
    format!(
        "UPDATE {table} SET {column} = CAST(substr({column}, 1, {byte} - 1) || CASE CAST({old} AS BLOB) {hex} END || substr({column}, {byte} + 1) AS BLOB) WHERE {place}"
    )
}

#[test]
fn what_was_changed_in_the_database_is_named() {
    // What is done to it, what reading says, what verifying says. Reading only says what it has to know.
    let table: Vec<(String, Option<&str>, &str)> = vec![
        // The rows: entry 0, then five entries each, with the sizes 1, 6, 11, ... 31.
        (flip("sheaf", "records", "size = 11", 40), Some("a bit of"), "a bit of"),
        (flip("sheaf", "records", "size = 11", 5), Some("a bit of"), "a bit of"),
        (flip("sheaf", "leaves", "size = 11", 35), Some("entry 7 does not have its digest"), "entry 7 does not have its digest"),
        (flip("sheaf", "records", "size = 1", 30), Some("a bit of"), "a bit of"),
        (flip("sheaf", "records", "size = 31", 30), Some("a bit of"), "a bit of"),
        ("UPDATE sheaf SET bytes = bytes + 1 WHERE size = 11".into(), Some("entries 6 to 10 cannot be unpacked"), "entries 6 to 10"),
        ("UPDATE sheaf SET bytes = 1000000000000 WHERE size = 11".into(), Some("entry 6 is missing"), "entry 6 is missing"),
        ("UPDATE sheaf SET leaves = substr(leaves, 1, 128) WHERE size = 11".into(), Some("does not stand"), "entry 6 is missing"),
        ("UPDATE sheaf SET leaves = CAST(leaves || x'00' AS BLOB) WHERE size = 11".into(), Some("entry 6 is missing"), "entry 6 is missing"),
        (flip("head", "root", "1", 1), Some("the head's root is not that of its tree"), "root"),
        (flip("head", "frontier", "1", 40), Some("the head's root is not that of its tree"), "root"),
        ("UPDATE head SET size = 30".into(), Some("the head's root"), "the head's root"),
        ("DELETE FROM sheaf WHERE size = 31".into(), Some("the head counts 31 entries"), "counts 31"),
        ("DELETE FROM sheaf WHERE size = 11".into(), Some("entry 6 is missing"), "entry 6 is missing"),
        ("DELETE FROM sheaf WHERE size = 1".into(), Some("entry 0 is missing"), "entry 0 is missing"),
        (
            "INSERT INTO sheaf SELECT 36, leaves, bytes, records, note FROM sheaf WHERE size = 31".into(),
            Some("the head counts 31"),
            "counts 31",
        ),
        ("DELETE FROM head".into(), Some("no head"), "no head"),
        ("DELETE FROM sheaf".into(), Some("the head counts 31"), "counts 31"),
        ("UPDATE sheaf SET note = NULL WHERE size = 31".into(), Some("checkpoint of its 31 entries is missing"), "missing"),
        (
            "UPDATE sheaf SET note = replace(note, char(10) || '31' || char(10), char(10) || '32' || char(10)) WHERE size = 31".into(),
            Some("checkpoint of its 31 entries"),
            "checkpoint",
        ),
        (
            "UPDATE sheaf SET note = (SELECT note FROM sheaf WHERE size = 26) WHERE size = 31".into(),
            Some("does not name"),
            "name",
        ),
        (
            "UPDATE sheaf SET note = replace(note, char(10) || '26' || char(10), char(10) || '27' || char(10)) WHERE size = 26".into(),
            None,
            "the checkpoint of 26 entries",
        ),
        ("UPDATE payload SET bytes = x'00' WHERE rowid = 1".into(), None, "has another digest"),
        ("DELETE FROM payload WHERE rowid = 1".into(), None, "is missing"),
        // Two rows change places, each with its digests.
        (
            "UPDATE sheaf SET size = 100 WHERE size = 11; UPDATE sheaf SET size = 11 WHERE size = 16; UPDATE sheaf SET size = 16 WHERE size = 100"
                .into(),
            Some("does not stand in its place"),
            "entry 6 does not stand in its place",
        ),
    ];
    for (change, reading, verifying) in table {
        let state = ledger(30);
        read(state.path()).expect("whole before");
        verify(state.path(), None).expect("whole before");
        sql(&state, &change);
        let said = read(state.path()).err();
        assert_eq!(said.is_some(), reading.is_some(), "{change}: {said:?}");
        assert!(said.as_deref().unwrap_or_default().contains(reading.unwrap_or_default()), "{change}: {said:?}");
        let said = verify(state.path(), None).expect_err(&change);
        assert!(said.contains(verifying), "{change}: {said}");
        // The writer repairs nothing either: what it cannot open it leaves, what it can open is as broken as before.
        let _ = Store::write(state.path());
        verify(state.path(), None).expect_err(&change);
    }
}

#[test]
fn a_record_that_was_forged_with_its_digest_is_found_by_the_tree() {
    let state = ledger(30);
    let store = Store::read(state.path()).expect("a ledger").expect("one that exists");
    let mut entry = store.entry(7).expect("an entry");
    drop(store);
    entry.body = Body::Touch { line: "{}".into() };
    let connection = Connection::open(state.path().join("nameplate.sqlite")).expect("a database");
    let row = connection.query_row("SELECT leaves, bytes, records FROM sheaf WHERE size = 11", [], |row| {
        Ok((row.get::<_, Vec<u8>>(0)?, row.get::<_, usize>(1)?, row.get::<_, Vec<u8>>(2)?))
    });
    let (mut leaves, bytes, packed) = row.expect("the row of the entries 6 to 10");
    let lines = lz4_flex::block::decompress(&packed, bytes).expect("an LZ4 block");
    let mut records: Vec<Vec<u8>> = lines.trim_ascii_end().split(|byte| *byte == b'\n').map(<[u8]>::to_vec).collect();
    records[1] = entry.record().expect("a record");
    leaves[32..64].copy_from_slice(&nameplate_core::ledger::leaf_hash(&records[1]));
    let lines: Vec<u8> = records.iter().flat_map(|record| [record, &b"\n"[..]].concat()).collect();
    let forged = (leaves, lines.len(), lz4_flex::block::compress(&lines));
    connection.execute("UPDATE sheaf SET leaves = ?1, bytes = ?2, records = ?3 WHERE size = 11", forged).expect("changed");
    drop(connection);
    assert!(verify(state.path(), None).expect_err("forged").contains("checkpoint of 11 entries"));
    let store = Store::read(state.path()).expect("its ends fit").expect("one that exists");
    assert!(store.tree().is_err(), "no proof is made from it");
}

#[test]
fn no_flipped_bit_changes_an_answer() {
    let mut draw = Draw(seed());
    let state = ledger(30);
    let database = state.path().join("nameplate.sqlite");
    let (whole, bytes) = (read(state.path()).expect("whole"), fs::read(&database).expect("a database"));
    let (mut noticed, mut verified) = (0, 0);
    let flips = times("NAMEPLATE_FLIPS", 400);
    for _ in 0..flips {
        let (at, bit) = (draw.below(bytes.len()), draw.below(8));
        let mut changed = bytes.clone();
        changed[at] ^= 1 << bit;
        fs::write(&database, &changed).expect("written");
        match read(state.path()) {
            Ok(answer) => assert!(answer == whole, "byte {at}, bit {bit}: another answer"),
            Err(why) => {
                noticed += 1;
                assert!(why.contains("nameplate.sqlite"), "byte {at}, bit {bit}: {why}");
            }
        }
        verified += usize::from(verify(state.path(), None).is_err());
        assert_eq!(fs::read(&database).expect("a database"), changed, "byte {at}, bit {bit}: it was changed");
    }
    eprintln!("of {flips} flips reading noticed {noticed}, verifying {verified}; the others hit what holds nothing");
    assert!(noticed > 0 && verified >= noticed, "{noticed}, {verified}");
}

/// Every file of a state, to be put back later.
fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).expect("a folder");
    for entry in fs::read_dir(from).expect("a folder").map(|entry| entry.expect("an entry").path()).filter(|path| path.is_file()) {
        fs::copy(&entry, to.join(entry.file_name().expect("a name"))).expect("copied");
    }
}

fn more(state: &State, day: u32) {
    let mut store = Store::write(state.path()).expect("a store");
    store.append(&(0..4).map(|asset| reading(asset, day)).collect::<Vec<_>>()).expect("appended");
}

#[test]
fn an_older_copy_of_the_database_is_noticed() {
    let (state, older) = (ledger(10), State::new());
    copy(state.path(), older.path());
    more(&state, 3);
    fs::copy(older.path().join("nameplate.sqlite"), state.path().join("nameplate.sqlite")).expect("rolled back");
    let expected = "rolled back to an older copy: 4 entries are missing, it has 11 and 15 were acknowledged";
    for why in [read(state.path()).expect_err("older"), Store::write(state.path()).err().expect("older").why] {
        assert!(why.contains(expected), "{why}");
    }
    fs::remove_file(state.path().join("nameplate.sqlite")).expect("removed");
    for why in [read(state.path()).expect_err("gone"), Store::write(state.path()).err().expect("gone").why] {
        assert!(why.contains("15 entries are missing"), "{why}");
    }
}

#[test]
fn another_history_is_noticed() {
    let (state, other) = (ledger(10), State::new());
    copy(state.path(), other.path());
    more(&state, 3);
    more(&other, 4);
    let seen = fs::read(state.path().join("head.seen")).expect("what was acknowledged");
    for more_entries in [false, true] {
        if more_entries {
            more(&other, 5);
        }
        let kept = fs::read(other.path().join("head.seen")).expect("its own");
        fs::write(other.path().join("head.seen"), &seen).expect("put beside it");
        let why = read(other.path()).expect_err("another history");
        assert!(why.contains("forked: another history of 15 entries"), "{why}");
        fs::write(other.path().join("head.seen"), kept).expect("put back");
    }
    // A copy of everything cannot be told from inside; a checkpoint that is kept elsewhere tells.
    let pinned = Store::read(state.path()).expect("a ledger").expect("one that exists").checkpoint().to_owned();
    verify(state.path(), Some(&pinned)).expect("its own");
    verify(other.path(), None).expect("whole in itself");
    assert!(verify(other.path(), Some(&pinned)).expect_err("forked").contains("forked"));
    let stranger = Store::read(ledger(10).path()).expect("a ledger").expect("one that exists").checkpoint().to_owned();
    assert!(verify(state.path(), Some(&stranger)).expect_err("another's").contains("not signed by this key"));
}

#[test]
fn what_stands_beside_the_database_has_to_fit_it() {
    let digits = "00".repeat(32);
    let table: [(&str, Option<&str>, &str); 5] = [
        ("head.seen", Some("a diary"), "head.seen"),
        ("site.key", None, "the site's key is missing"),
        ("site.key", Some("a diary"), "no site key"),
        ("site.key", Some(&digits), "not the key of the ledger"),
        ("site.key", Some(""), "no site key"),
    ];
    for (file, content, says) in table {
        let state = ledger(5);
        let path = state.path().join(file);
        match content {
            Some(text) => fs::write(&path, text).expect("written"),
            None => fs::remove_file(&path).expect("removed"),
        }
        let why = Store::write(state.path()).err().unwrap_or_else(|| panic!("{file} {content:?}")).why;
        assert!(why.contains(says), "{file} {content:?}: {why}");
        let after = fs::read(&path).ok();
        assert_eq!(after, content.map(|text| text.as_bytes().to_vec()), "{file}: left as it was");
    }
    // Without its note of what was acknowledged a ledger opens, and gets it back with the next entries.
    let state = ledger(5);
    fs::remove_file(state.path().join("head.seen")).expect("removed");
    more(&state, 1);
    let seen = fs::read_to_string(state.path().join("head.seen")).expect("written again");
    assert_eq!(seen, Store::read(state.path()).expect("a ledger").expect("one that exists").checkpoint());
}

#[test]
fn there_is_one_writer_and_readers_go_on_beside_it() {
    let state = ledger(5);
    let mut first = Store::write(state.path()).expect("a store");
    assert!(Store::write(state.path()).err().expect("refused").why.contains("another nameplate is writing"));
    let reader = Store::read(state.path()).expect("a ledger").expect("one that exists");
    let before = reader.view(None).expect("a view");
    first.append(&[Draft::new(1, Body::Touch { line: "{}".into() }), reading(9, 9)]).expect("appended");
    assert_eq!((reader.size(), reader.view(None).expect("a view")), (6, before), "a reader sees the ledger as it was when it opened it");
    assert!(reader.record(6).is_err());
    assert_eq!(Store::read(state.path()).expect("a ledger").expect("one that exists").size(), 8);
    let mut reader = reader;
    assert!(reader.append(&[reading(1, 1)]).is_err(), "a reader does not write");
}

#[cfg(unix)]
#[test]
fn the_key_is_for_its_owner_alone() {
    use std::os::unix::fs::PermissionsExt;
    let state = ledger(1);
    let mode = fs::metadata(state.path().join("site.key")).expect("a key").permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
}

#[test]
fn verifying_has_an_exit_code() {
    let Some(product) = needed("verifying_has_an_exit_code", Product::find()) else { return };
    let (state, older) = (ledger(10), State::new());
    let place = state.text();
    copy(state.path(), older.path());
    more(&state, 3);
    let checkpoint = product.run(["ledger", "checkpoint", "--state", &place]).expect(code::DONE).out;
    let pinned = older.file("pinned", &checkpoint);
    let whole = product.run(["ledger", "verify", "--state", &place, "--checkpoint", &pinned]).expect(code::DONE);
    assert!(whole.out.contains("whole: 15 entries") && whole.out.contains("it begins with the checkpoint"), "{}", whole.out);
    let behind = product.run(["ledger", "verify", "--state", &older.text(), "--checkpoint", &pinned]).expect(code::FAILED);
    assert!(behind.err.contains("4 entries are missing"), "{}", behind.err);
    sql(&state, &flip("sheaf", "leaves", "size = 11", 35));
    let damaged = product.run(["ledger", "verify", "--state", &place]).expect(code::FAILED);
    assert!(damaged.err.contains("entry 7 does not have its digest"), "{}", damaged.err);
    product.run(["devices", "--state", &place]).expect(code::INPUT);
    product.run(["ledger", "verify", "--state", &format!("{place}/none")]).expect(code::INPUT);
}
