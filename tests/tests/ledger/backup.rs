//! Copies: made beside a writer, whole or not at all, and never put over a newer state.

use std::fs;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};

use nameplate::store::Store;
use nameplate_tests::ledger::{history, reading};
use nameplate_tests::place::needed;
use nameplate_tests::product::{Product, State, code};

/// Entries of the history before a copy.
const ENTRIES: usize = 600;
/// Commits beside the copies: enough that none is made in peace, and few enough that the last copy is as quick as the first.
const COMMITS_MAX: u32 = 2_000;

fn store(state: &State) -> Store {
    Store::write(state.path()).expect("a store")
}

fn reader(path: &Path) -> Store {
    Store::read(path).expect("a ledger").expect("one that exists")
}

#[test]
fn a_copy_beside_a_writer_is_a_beginning_of_its_ledger() {
    let state = State::new();
    let drafts = history(7, ENTRIES);
    store(&state).append(&drafts).expect("appended");
    let stop = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let writing = scope.spawn(|| {
            let mut writer = store(&state);
            let mut commits = 0_u32;
            while !stop.load(Ordering::Relaxed) && commits < COMMITS_MAX {
                writer.append(&drafts[..3]).expect("appended beside the copy");
                commits += 1;
            }
            commits
        });
        for number in 0..5 {
            let file = state.path().join(format!("{number}.backup"));
            let verified = reader(state.path()).backup(&file).expect("a copy");
            let copy = Store::of_backup(&file).expect("a backup");
            assert!(verified.entries == copy.size() && copy.size() > ENTRIES as u64, "{verified:?}");
            // What was signed there is a beginning of what is here.
            reader(state.path()).verify(Some(copy.checkpoint())).expect("the same ledger");
            assert!(copy.view(None).expect("a view") == reader(state.path()).view_at(copy.size()).expect("a view"));
        }
        stop.store(true, Ordering::Relaxed);
        assert!(writing.join().expect("the writer") > 0);
    });
    assert!(
        fs::read_dir(state.path()).expect("a folder").all(|entry| !entry.expect("a file").file_name().to_string_lossy().ends_with(".part"))
    );
    let taken = reader(state.path()).backup(&state.path().join("0.backup")).expect_err("a file of that name");
    assert!(taken.why.contains("there is such a file already"), "{}", taken.why);
}

#[test]
fn an_older_or_another_or_a_damaged_copy_is_refused_by_name() {
    let (state, other) = (State::new(), State::new());
    let drafts = history(8, ENTRIES);
    let (older, newer) = (state.path().join("older.backup"), state.path().join("newer.backup"));
    let mut writer = store(&state);
    writer.append(&drafts[..100]).expect("appended");
    writer.backup(&older).expect("a copy");
    writer.append(&drafts[100..]).expect("appended");
    writer.backup(&newer).expect("a copy");
    let busy = Store::restore(state.path(), &newer).expect_err("a writer is there");
    assert!(busy.why.contains("another nameplate is writing"), "{}", busy.why);
    drop(writer);
    let size = reader(state.path()).size();
    let refused = Store::restore(state.path(), &older).expect_err("older").why;
    assert!(refused.contains("not restored over a newer") && refused.contains(&format!("{size} were acknowledged")), "{refused}");
    // Without head.seen the database itself says how far it had come.
    fs::remove_file(state.path().join("head.seen")).expect("removed");
    Store::restore(state.path(), &older).expect_err("older than the database");
    store(&other).append(&drafts[..1]).expect("appended");
    let refused = Store::restore(other.path(), &newer).expect_err("another ledger").why;
    assert!(refused.contains("this is the ledger"), "{refused}");
    // Every 97th byte of the copy, flipped: it is refused, or the byte says nothing.
    let bytes = fs::read(&newer).expect("bytes");
    let whole = Store::of_backup(&newer).expect("a backup").view(None).expect("a view");
    let damaged = state.path().join("damaged.backup");
    for at in (0..bytes.len()).step_by(bytes.len() / 97) {
        let mut flipped = bytes.clone();
        flipped[at] ^= 0x10;
        fs::write(&damaged, flipped).expect("written");
        let fresh = State::new();
        match Store::restore(fresh.path(), &damaged) {
            Err(_) => assert!(!fresh.path().join("nameplate.sqlite").exists(), "nothing is changed at {at}"),
            Ok(_) => assert_eq!(reader(fresh.path()).view(None).expect("a view"), whole, "at {at}"),
        }
    }
}

#[test]
fn a_copy_comes_back_and_goes_on() {
    let state = State::new();
    let drafts = history(9, 50);
    let backup = state.path().join("site.backup");
    let mut writer = store(&state);
    writer.append(&drafts).expect("appended");
    writer.backup(&backup).expect("a copy");
    drop(writer);
    let (before, database) = (reader(state.path()).view(None).expect("a view"), state.path().join("nameplate.sqlite"));
    fs::write(&database, "not a database at all").expect("damaged");
    Store::restore(state.path(), &backup).expect("restored");
    assert_eq!(reader(state.path()).view(None).expect("a view"), before);
    assert!(state.path().join("nameplate.sqlite.replaced").exists(), "what was there is kept");
    store(&state).append(&drafts[..2]).expect("it goes on");
    // On another machine, without the key: it can be read, and not written.
    let elsewhere = State::new();
    Store::restore(elsewhere.path(), &backup).expect("restored");
    assert_eq!(reader(elsewhere.path()).view(None).expect("a view"), before);
    let refused = Store::write(elsewhere.path()).err().expect("no key").why;
    assert!(refused.contains("the site's key is missing"), "{refused}");
}

/// A meter that is read once a day, identification in three objects; 20 of them in one commit a day.
#[test]
fn a_device_year_has_its_size() {
    const DEVICES: u32 = 20;
    const DEVICE_YEAR_BYTES_MAX: u64 = 160 * 1024;
    let state = State::new();
    let mut writer = store(&state);
    for day in 0..365 {
        let drafts: Vec<_> = (0..DEVICES).map(|device| reading(device, day)).collect();
        writer.append(&drafts).expect("appended");
    }
    let file = state.path().join("year.backup");
    writer.backup(&file).expect("a copy");
    let bytes = fs::metadata(&file).expect("a file").len() / u64::from(DEVICES);
    eprintln!("bytes a device-year: {bytes}");
    assert!(bytes < DEVICE_YEAR_BYTES_MAX, "{bytes}");
}

#[test]
fn copies_from_the_command_line_have_exit_codes() {
    let Some(product) = needed("copies_from_the_command_line_have_exit_codes", Product::find()) else { return };
    let state = State::new();
    let place = state.text();
    let file = state.path().join("site.backup").display().to_string();
    product.run(["ledger", "backup", &file, "--state", &place]).expect(code::INPUT);
    store(&state).append(&history(10, 20)).expect("appended");
    let copied = product.run(["ledger", "backup", &file, "--state", &place]).expect(code::DONE);
    assert!(copied.out.contains("and whole: 21 entries") && copied.err.contains("key is not in it"), "{} {}", copied.out, copied.err);
    let checked = product.run(["ledger", "verify", "--backup", &file]).expect(code::DONE);
    assert!(checked.out.starts_with("whole: 21 entries"), "{}", checked.out);
    let newer = state.path().join("future.backup");
    fs::copy(&file, &newer).expect("copied");
    let connection = rusqlite::Connection::open(&newer).expect("a database");
    connection.execute_batch("PRAGMA user_version = 99").expect("a version");
    drop(connection);
    let refused = product.run(["ledger", "restore", &newer.display().to_string(), "--state", &place]).expect(code::INPUT);
    assert!(refused.err.contains("made by a newer nameplate (state version 99"), "{}", refused.err);
    product.run(["ledger", "verify", "--backup", &newer.display().to_string()]).expect(code::FAILED);
    product.run(["ledger", "restore", &file, "--state", &place]).expect(code::DONE);
    product.run(["ledger", "verify", "--state", &place]).expect(code::DONE);
}
