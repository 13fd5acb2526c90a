//! Bad input, each with a clear error that says where, and nothing lost: captures, the state directory, profiles.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::{Path, PathBuf};
use std::process::Command;

use nameplate_simulators::modbus::Persona;
use nameplate_tests::pcap::{pcap_of, plant};
use nameplate_tests::personas;
use nameplate_tests::place::needed;
use nameplate_tests::product::{Ended, Product, State, code, run};

/// `block` of pcapng (draft-ietf-opsawg-pcapng, 3.1): type, total length, body, total length; little-endian.
fn block(kind: u32, body: &[u8]) -> Vec<u8> {
    let total = u32::try_from(body.len() + 12).expect("a short block").to_le_bytes();
    [&kind.to_le_bytes()[..], &total, body, &total].concat()
}

/// A section header, one Ethernet interface, and these blocks.
fn pcapng(blocks: &[&[u8]]) -> Vec<u8> {
    let section = block(0x0A0D_0D0A, &[&[0x4D, 0x3C, 0x2B, 0x1A, 1, 0, 0, 0][..], &[0xFF; 8]].concat());
    [section, block(1, &[1, 0, 0, 0, 0, 0, 0, 0]), blocks.concat()].concat()
}

/// An enhanced packet block of interface 0.
fn packet(frame: &[u8]) -> Vec<u8> {
    let length = u32::try_from(frame.len()).expect("a short frame").to_le_bytes();
    let padding = vec![0; frame.len().wrapping_neg() % 4];
    block(6, &[&[0; 12][..], &length, &length, frame, &padding].concat())
}

/// A record of a classic pcap that says this captured and this original length.
fn record(frame: &[u8], captured: u32, original: u32) -> Vec<u8> {
    [&[0; 8][..], &captured.to_le_bytes(), &original.to_le_bytes(), frame].concat()
}

#[test]
fn a_bad_capture_says_what_is_wrong_at_which_byte() {
    let Some(product) = needed("a_bad_capture_says_what_is_wrong_at_which_byte", Product::find()) else { return };
    let frame = [0; 60];
    let good = record(&frame, 60, 60);
    let classic = |records: &[&[u8]]| pcap_of(&records.iter().map(|record| record.to_vec()).collect::<Vec<_>>());
    let (packet, headers) = (packet(&frame), pcapng(&[]).len());
    let behind = |bytes: usize| format!("byte {}", headers + bytes);
    let broken_block = |total: u32| pcapng(&[&packet, &6_u32.to_le_bytes(), &total.to_le_bytes(), &[0; 4], &packet]);
    let with_captured = |bytes: u32| {
        let mut lying = packet.clone();
        lying.splice(20..24, bytes.to_le_bytes());
        pcapng(&[&lying, &packet])
    };
    // File, exit code, what standard error says, frames that were read.
    let table: Vec<(Vec<u8>, i32, String, u64)> = vec![
        (Vec::new(), code::INPUT, "byte 0".into(), 0),
        ([&b"\x89PNG\r\n\x1a\n"[..], &[0; 100]].concat(), code::INPUT, "byte 0: neither the magic of pcap nor that of pcapng".into(), 0),
        ([&[0x1F, 0x8B, 8][..], &[0; 100]].concat(), code::INPUT, "gzip".into(), 0),
        (classic(&[]), code::DONE, "0 frames".into(), 0),
        (classic(&[&good, &good[..40]]), code::DONE, "byte 100".into(), 1),
        (classic(&[&good, &record(&frame, u32::MAX, u32::MAX), &good]), code::INPUT, "byte 108: incl_len".into(), 1),
        (classic(&[&record(&frame, 60, 10), &good]), code::DONE, "2 frames".into(), 2),
        (broken_block(0), code::INPUT, behind(packet.len() + 4), 1),
        (broken_block(4), code::INPUT, behind(packet.len() + 4), 1),
        (broken_block(13), code::INPUT, behind(packet.len() + 4), 1),
        (broken_block(u32::MAX - 3), code::INPUT, behind(packet.len() + 4), 1),
        (pcapng(&[&packet[..packet.len() - 4], &[9, 0, 0, 0], &packet]), code::DONE, behind(packet.len() - 4), 2),
        (with_captured(5_000), code::DONE, "5000 bytes needed, 60 there".into(), 1),
        (with_captured(u32::MAX), code::DONE, behind(20), 1),
        (pcapng(&[&block(6, &[9; 92]), &packet]), code::DONE, behind(8), 1),
    ];
    let folder = State::new();
    for (number, (bytes, expected, says, frames)) in table.iter().enumerate() {
        let file = folder.file(&format!("{number}.pcap"), bytes);
        let ended = product.run(["listen", &file]);
        let all = format!("row {number}: expected {says:?} in\n{}", ended.err);
        assert_eq!(ended.code, *expected, "{all}");
        assert!(ended.err.lines().any(|line| line.contains(says.as_str()) && (line.contains(&file) || line.contains("devices;"))), "{all}");
        assert_eq!(ended.frames(), Some(*frames), "{all}");
    }
    for (path, says) in [(folder.text(), "directory"), (folder.path().join("missing.pcap").to_string_lossy().into_owned(), "No such file")]
    {
        let ended = product.run(["listen", &path]).expect(code::INPUT);
        assert!(ended.err.contains(&format!("{path}: ")) && ended.err.contains(says), "{}", ended.err);
    }
}

/// One device with an identity of one page.
fn capture_of_one() -> Vec<Vec<u8>> {
    let objects = [(0, b"Maker of Meters".to_vec()), (1, b"MM-1".to_vec()), (2, b"V1.20.3".to_vec())];
    plant(vec![Persona::from_objects(objects)])
}

#[test]
fn what_was_said_before_a_broken_record_is_told() {
    let Some(product) = needed("what_was_said_before_a_broken_record_is_told", Product::find()) else { return };
    let (folder, records) = (State::new(), capture_of_one());
    let whole = folder.file("whole.pcap", pcap_of(&records));
    let expected = product.run(["listen", "--format", "claims", &whole]).expect(code::DONE).claims();
    assert_eq!(expected.len(), 3, "{expected:?}");
    let broken = [pcap_of(&records), record(&[], u32::MAX, 60)].concat();
    for (name, bytes) in [("oversized", broken.clone()), ("cut", [pcap_of(&records), records[0][..20].to_vec()].concat())] {
        let file = folder.file(name, bytes);
        // Where nothing tells the next record, the rest of the file is lost, and whoever asked has to know.
        let expected_code = if name == "oversized" { code::INPUT } else { code::DONE };
        let ended = product.run(["listen", "--format", "claims", &file]).expect(expected_code);
        assert_eq!(ended.claims(), expected, "{name}: {}", ended.out);
        assert!(ended.err.contains(&format!("{file}: pcap: byte ")), "{name}: {}", ended.err);
    }
    let several = product.run(["listen", "--format", "claims", "missing.pcap", &whole]).expect(code::INPUT);
    assert_eq!(several.claims(), expected, "a file that is not there does not cost the next one");
}

/// A hash of every file of a state, so that a change of any shows; a reader of SQLite may leave its empty -wal and -shm.
fn hashes_of(folder: &Path) -> BTreeMap<String, u64> {
    let entries = fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("an entry").path());
    let hash = |path: PathBuf| {
        let mut hasher = DefaultHasher::new();
        fs::read(&path).expect("a file").hash(&mut hasher);
        (path.to_string_lossy().into_owned(), hasher.finish())
    };
    entries.map(hash).filter(|(name, _)| !name.ends_with("-wal") && !name.ends_with("-shm")).collect()
}

fn python(script: &str, argument: &str) {
    run(Command::new("python3").args(["-c", script, argument])).expect(0);
}

#[test]
fn a_state_that_is_not_ours_to_write_stays_as_it_is() {
    let Some(product) = needed("a_state_that_is_not_ours_to_write_stays_as_it_is", Product::find()) else { return };
    let folder = State::new();
    let capture = folder.file("one.pcap", pcap_of(&capture_of_one()));
    let sql = |sql: &str| format!("import sqlite3,sys; c=sqlite3.connect(sys.argv[1]); c.executescript({sql:?}); c.close()");
    let stranger = "create table t(a); insert into t values (1); pragma user_version=1;";
    let table = [
        ("newer", sql("pragma user_version=99"), "newer nameplate (state version 99"),
        ("someone-elses", format!("import os,sys; os.remove(sys.argv[1])\n{}", sql(stranger)), "not nameplate's"),
        ("no-database", "import sys; open(sys.argv[1],'w').write('a diary, '*1000)".into(), "no SQLite database"),
        ("cut", "import sys; open(sys.argv[1],'r+b').truncate(5000)".into(), "nameplate.sqlite"),
    ];
    for (name, script, says) in table {
        let state = folder.path().join(name).to_string_lossy().into_owned();
        product.run(["listen", &capture, "--state", &state]).expect(code::DONE);
        python(&script, &format!("{state}/nameplate.sqlite"));
        let before = hashes_of(Path::new(&state));
        let commands: [&[&str]; 4] = [
            &["listen", &capture, "--state", &state],
            &["ask", "127.0.0.1:9", "--reason", "WO-1", "--state", &state],
            &["devices", "--state", &state],
            &["explain", "a", "--state", &state],
        ];
        for command in commands {
            let ended = product.run(command.iter()).expect(code::INPUT);
            assert!(ended.err.contains(says) && ended.err.contains(&state), "{name}, {command:?}: {}", ended.err);
            assert_eq!(hashes_of(Path::new(&state)), before, "{name}, {command:?}: the state has changed");
        }
    }
}

#[test]
fn a_state_that_another_process_writes_is_left_to_it() {
    let Some(product) = needed("a_state_that_another_process_writes_is_left_to_it", Product::find()) else { return };
    let folder = State::new();
    let (capture, state) =
        (folder.file("one.pcap", pcap_of(&capture_of_one())), folder.path().join("state").to_string_lossy().into_owned());
    product.run(["listen", &capture, "--state", &state]).expect(code::DONE);
    let lock = File::open(format!("{state}/writer.lock")).expect("the writer's lock");
    lock.lock().expect("locked");
    let before = hashes_of(Path::new(&state));
    for command in [&["listen", &capture, "--state", &state][..], &["ask", "127.0.0.1:9", "--reason", "WO-1", "--state", &state]] {
        let ended = product.run(command).expect(code::INPUT);
        assert!(ended.err.contains("another nameplate") && ended.err.contains(&state), "{command:?}: {}", ended.err);
    }
    assert_eq!(product.run(["devices", "--state", &state]).expect(code::DONE).lines().len(), 1, "reading goes on");
    assert_eq!(hashes_of(Path::new(&state)), before);
    drop(lock);
    product.run(["listen", &capture, "--state", &state]).expect(code::DONE);
}

/// Runs this shell script where the folder `$1` can be mounted on: `$0` is the product.
fn in_namespace(product: &Product, script: &str, arguments: &[&str]) -> Ended {
    run(Command::new("unshare").args(["-m", "sh", "-c", script]).arg(&product.binary).args(arguments))
}

fn mounts() -> Result<Product, String> {
    let tried = Command::new("unshare").args(["-m", "true"]).status();
    if tried.is_ok_and(|status| status.success()) { Product::find() } else { Err("only root can mount a small disk (unshare -m)".into()) }
}

#[test]
fn a_full_disk_loses_neither_what_was_kept_nor_what_was_heard() {
    let Some(product) = needed("a_full_disk_loses_neither_what_was_kept_nor_what_was_heard", mounts()) else { return };
    let folder = State::new();
    let paged = |seed| Persona::from_objects(personas::paged(seed).between(0, 0x7F).into_iter().map(|(id, text)| (id, text.into_bytes())));
    let one = folder.file("one.pcap", pcap_of(&capture_of_one()));
    let many = folder.file("many.pcap", pcap_of(&plant((0..100).map(paged).collect())));
    fs::create_dir(folder.path().join("disk")).expect("a folder");
    let script = r#"mount -t tmpfs -o size=176k tmpfs "$1" || exit 99
        "$0" listen "$2" --state "$1" >/dev/null || exit 98
        "$0" listen "$3" --state "$1" --format "$4"; echo "code $?"
        "$0" devices --state "$1" --format csv"#;
    let disk = folder.path().join("disk").to_string_lossy().into_owned();
    for (format, lines) in [("claims", 600), ("ndjson", 100)] {
        let ended = in_namespace(&product, script, &[&disk, &one, &many, format]).expect(0);
        let (heard, kept) = ended.out.split_once("code 3\n").unwrap_or_else(|| panic!("{format}: {}\n{}", ended.out, ended.err));
        assert!(ended.err.contains("the disk is full") && ended.err.contains(&disk), "{format}: {}", ended.err);
        assert!(kept.contains("Maker of Meters") && kept.lines().count() == 2, "{format}, what was kept before: {kept}");
        assert_eq!(heard.lines().count(), lines, "{format}: what was heard is told, kept or not\n{}", ended.err);
    }
}

#[test]
fn a_disk_that_was_full_from_the_start_leaves_no_riddle() {
    let Some(product) = needed("a_disk_that_was_full_from_the_start_leaves_no_riddle", mounts()) else { return };
    let folder = State::new();
    let one = folder.file("one.pcap", pcap_of(&capture_of_one()));
    fs::create_dir(folder.path().join("disk")).expect("a folder");
    let script = r#"mount -t tmpfs -o size=64k tmpfs "$1" && head -c 65000 /dev/zero >"$1/full"
        "$0" listen "$2" --state "$1"; echo "code $?"
        rm "$1/full"; "$0" devices --state "$1"; echo "code $?"
        mount -o remount,size=1m "$1"; "$0" listen "$2" --state "$1" >/dev/null; echo "code $?""#;
    let disk = folder.path().join("disk").to_string_lossy().into_owned();
    let ended = in_namespace(&product, script, &[&disk, &one]).expect(0);
    let codes: Vec<&str> = ended.out.lines().filter(|line| line.starts_with("code")).collect();
    assert_eq!(codes, ["code 3", "code 0", "code 0"], "{}", ended.err);
}

#[test]
fn a_read_only_state_says_so() {
    let Some(product) = needed("a_read_only_state_says_so", mounts()) else { return };
    let folder = State::new();
    let (one, state) = (folder.file("one.pcap", pcap_of(&capture_of_one())), folder.path().join("state").to_string_lossy().into_owned());
    product.run(["listen", &one, "--state", &state]).expect(code::DONE);
    let before = hashes_of(Path::new(&state));
    let script = r#"mount --bind "$1" "$1" && mount -o remount,ro,bind "$1" || exit 99; state="$1"; shift; "$0" "$@" --state "$state""#;
    for command in [&["listen", one.as_str()][..], &["ask", "127.0.0.1:9", "--reason", "WO-1"]] {
        let ended = in_namespace(&product, script, &[&[state.as_str()][..], command].concat()).expect(code::INPUT);
        assert!(ended.err.contains(&state) && ended.err.to_lowercase().contains("read-only"), "{command:?}: {}", ended.err);
    }
    // What was kept can still be looked at.
    let devices = in_namespace(&product, script, &[&state, "devices"]).expect(code::DONE);
    assert!(devices.out.contains("Maker of Meters"), "{}", devices.out);
    assert_eq!(hashes_of(Path::new(&state)), before);
}
