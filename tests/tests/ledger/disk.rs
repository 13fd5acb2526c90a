//! Power cuts (as images of a file system), full disks and disks that fail to sync. Only root can mount; strace stands in for a failing disk.

use std::path::Path;
use std::process::{Command, Output};

use nameplate_tests::place::needed;
use nameplate_tests::product::State;

use super::{WRITER, check, last_acknowledged, times};

fn mounts() -> Result<(), String> {
    let tried = Command::new("unshare").args(["-m", "true"]).output();
    if tried.is_ok_and(|output| output.status.success()) { Ok(()) } else { Err("only root can mount a disk (unshare -m)".into()) }
}

/// Runs a script in its own world of mounts: `$1` is the folder, `$2` the writer, `$3` what the test says.
fn in_namespace(script: &str, folder: &Path, word: &str) -> Output {
    let words = ["-m", "sh", "-c", script, "sh"];
    Command::new("unshare").args(words).arg(folder).args([WRITER, word]).output().expect("unshare")
}

/// A loop device with ext4 on it can be mounted.
fn loop_devices() -> Result<(), String> {
    mounts()?;
    let folder = State::new();
    let script = "cd \"$1\" && truncate -s 32M disk && mkfs.ext4 -q -F disk && mkdir at && mount -o loop disk at && umount at";
    let tried = in_namespace(script, folder.path(), "");
    if tried.status.success() {
        Ok(())
    } else {
        Err(format!("no loop device to be had: {}", String::from_utf8_lossy(&tried.stderr).trim()))
    }
}

/// The file system's own journal is written when somebody syncs, and not in between (commit=300), so that a copy of the disk between two
/// commits of the writer, which waits for it, is what a power cut would leave. The copy is mounted, which replays that journal, and checked.
const IMAGES: &str = r#"
    cd "$1" && truncate -s 32M disk && mkfs.ext4 -q -F disk && mkdir at copy && mount -o loop,commit=300 disk at && mkfifo go || exit 99
    "$2" write at/state "$3" 5 step <go | {
        exec 9>go
        while read -r size; do
            cp --sparse=always disk image && mount -o loop image copy || exit 98
            "$2" check copy/state "$size" || echo "lost at $size"
            umount copy || exit 97
            echo >&9
        done
    }"#;

#[test]
fn a_power_cut_right_after_an_acknowledgement_loses_nothing() {
    const NAME: &str = "a_power_cut_right_after_an_acknowledgement_loses_nothing";
    let Some(()) = needed(NAME, loop_devices()) else { return };
    let folder = State::new();
    let images = times("NAMEPLATE_IMAGES", 20);
    let ended = in_namespace(IMAGES, folder.path(), &(images - 1).to_string());
    let (out, err) = (String::from_utf8_lossy(&ended.stdout), String::from_utf8_lossy(&ended.stderr));
    // The first image is taken after entry 0, the others after five entries each.
    let expected: Vec<String> = (0..images).map(|n| format!("whole {}", 1 + 5 * n)).collect();
    assert_eq!(out.lines().collect::<Vec<_>>(), expected, "{err}");
}

#[test]
fn a_full_disk_stops_the_writer_and_loses_nothing() {
    let Some(()) = needed("a_full_disk_stops_the_writer_and_loses_nothing", mounts()) else { return };
    for kib in ["300", "333", "500", "1000"] {
        let folder = State::new();
        let script = r#"cd "$1" && mkdir at && mount -t tmpfs -o size="$3k" tmpfs at || exit 99
            "$2" write at/state 100000 20 >acknowledged; echo "code $?"
            "$2" check at/state 0 >&2
            mount -o remount,size=64m at; "$2" check at/state "$(tail -n 1 acknowledged)"
            "$2" write at/state 2 20 >again; echo "code $?""#;
        let ended = in_namespace(script, folder.path(), kib);
        let (out, err) = (String::from_utf8_lossy(&ended.stdout), String::from_utf8_lossy(&ended.stderr));
        let lines: Vec<&str> = out.lines().collect();
        let [stopped, whole, again] = lines[..] else { panic!("{kib} KiB: {out}\n{err}") };
        assert_eq!((stopped, again), ("code 3", "code 0"), "{kib} KiB: {err}");
        let read = |name: &str| std::fs::read_to_string(folder.path().join(name)).expect("acknowledgements");
        let entries: u64 = whole.strip_prefix("whole ").and_then(|count| count.parse().ok()).unwrap_or_else(|| panic!("{whole}: {err}"));
        assert!(entries >= last_acknowledged(&read("acknowledged")) && entries > 1, "{kib} KiB: {out}\n{err}");
        assert!(err.contains("full") || err.contains("No space left"), "{kib} KiB: {err}");
        assert_eq!(last_acknowledged(&read("again")), entries + 40, "it goes on where it stopped");
    }
}

fn strace() -> Result<(), String> {
    let tried = Command::new("strace").args(["-f", "-o", "/dev/null", "true"]).output();
    if tried.is_ok_and(|output| output.status.success()) { Ok(()) } else { Err("strace is missing or may not trace".into()) }
}

/// Syncs that fail, one run each: the making of the key and of the tables, first commits, the copying of the write-ahead log.
const FAILING_SYNCS: usize = 40;

#[test]
fn a_sync_that_fails_stops_the_writer_and_loses_nothing() {
    let Some(()) = needed("a_sync_that_fails_stops_the_writer_and_loses_nothing", strace()) else { return };
    let mut stopped = 0;
    for nth in 1..=FAILING_SYNCS {
        let state = State::new();
        let inject = format!("inject=fsync,fdatasync:error=EIO:when={nth}");
        let words = ["-f", "-qq", "-o", "/dev/null", "-e", "trace=fsync,fdatasync", "-e", &inject, WRITER, "write"];
        let output = Command::new("strace").args(words).arg(state.path()).args(["60", "300"]).output().expect("strace");
        let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        match output.status.code() {
            // A sync of the folder that SQLite made a file in; the file's own syncs came after it.
            Some(0) => assert_eq!(last_acknowledged(&out), 1 + 60 * 300, "{nth}: {err}"),
            Some(3) => {
                stopped += 1;
                assert!(err.contains("disk failed") || err.contains("os error 5"), "{nth}: {err}");
            }
            other => panic!("{nth}: {other:?}: {err}"),
        }
        check(state.path(), last_acknowledged(&out));
    }
    eprintln!("{stopped} of {FAILING_SYNCS} failing syncs stopped the writer");
    assert!(stopped > FAILING_SYNCS / 2, "{stopped}");
}
