//! The same traffic says the same, however it comes: as it is, packed, through standard input, or in parts that are one timeline.
//! gzip, zstd and editcap pack and split.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use nameplate_tests::place::{self, needed};
use nameplate_tests::product::{Ended, Product, code, run};
use serde_json::Value;

/// Frames of each part of a split capture.
const PART_FRAMES: &str = "100";
/// Captures larger than this are left to the others: these runs are many.
const CAPTURE_BYTES_MAX: u64 = 1_000_000;

/// Claims without what differs by nature: the file's name and the frame's number in it.
fn claims(ended: &Ended) -> BTreeSet<String> {
    ended
        .lines()
        .into_iter()
        .map(|mut line| {
            line["source"] = Value::Null;
            line.to_string()
        })
        .collect()
}

fn packed(program: &str, words: &[&str], file: &Path, into: &Path) {
    let ended = Command::new(program).args(words).arg(file).stdout(File::create(into).expect("made")).status().expect("it runs");
    assert!(ended.success(), "{program} {}", file.display());
}

/// Captures with devices in them, each once.
fn captures(shared: &Path) -> Vec<PathBuf> {
    let truth = fs::read_to_string(shared.join("captures/TRUTH.tsv")).expect("the truth");
    let names: BTreeSet<&str> = truth.lines().skip(1).filter_map(|row| row.split('\t').next()).collect();
    let files = names.into_iter().map(|name| shared.join("captures").join(name));
    files.filter(|file| fs::metadata(file).is_ok_and(|described| described.len() <= CAPTURE_BYTES_MAX)).collect()
}

#[test]
fn file_gzip_zstd_standard_input_and_parts_say_the_same() {
    const TEST: &str = "file_gzip_zstd_standard_input_and_parts_say_the_same";
    let Some((shared, product)) = needed(TEST, place::shared().and_then(|shared| Ok((shared, Product::find()?)))) else { return };
    let place = place::scratch().expect("a folder").join("sources");
    let (mut compared, mut said) = (0, 0);
    for file in captures(&shared) {
        let _ = fs::remove_dir_all(&place);
        fs::create_dir_all(&place).expect("made");
        let hear = |files: &[PathBuf]| {
            let words = ["listen", "--format", "claims"].map(PathBuf::from);
            product.run(words.iter().chain(files)).expect(code::DONE)
        };
        let whole = hear(std::slice::from_ref(&file));
        let check = |how: &str, ended: &Ended| {
            assert_eq!(claims(ended), claims(&whole), "{how}: {}", file.display());
            assert_eq!(ended.frames(), whole.frames(), "{how}: {}", file.display());
        };
        let (gzip, zstd) = (place.join("capture.gz"), place.join("capture.zst"));
        packed("gzip", &["-c"], &file, &gzip);
        packed("zstd", &["-q", "-c"], &file, &zstd);
        check("gzip", &hear(std::slice::from_ref(&gzip)));
        check("zstd", &hear(std::slice::from_ref(&zstd)));
        let mut piped = product.command(["listen", "--format", "claims", "-"]);
        check("standard input", &run(piped.stdin(Stdio::from(File::open(&file).expect("open")))).expect(code::DONE));
        check("packed, through standard input", &run(piped.stdin(Stdio::from(File::open(&zstd).expect("open")))).expect(code::DONE));
        // Several interfaces would be one in the parts, and some files end in the middle of a record.
        let split =
            Command::new("editcap").args(["-c", PART_FRAMES]).arg(&file).arg(place.join("part.pcapng")).output().expect("editcap runs");
        if split.status.success() {
            let mut parts: Vec<PathBuf> = fs::read_dir(&place).expect("a folder").map(|entry| entry.expect("an entry").path()).collect();
            parts.retain(|path| path.file_name().is_some_and(|name| name.to_string_lossy().starts_with("part")));
            // Their order in the command plays no part.
            parts.sort_by(|a, b| b.cmp(a));
            if parts.len() > 1 && in_order(&file) {
                check("parts", &hear(&parts));
            }
        }
        (compared, said) = (compared + 1, said + claims(&whole).len());
    }
    assert!(compared >= 50 && said >= 20, "{compared} captures with {said} claims");
}

/// True for a capture whose frames stand in the order of their time: others have another order as a timeline.
fn in_order(file: &Path) -> bool {
    let said = Command::new("capinfos").args(["-o", "-T", "-r"]).arg(file).output().expect("capinfos runs");
    String::from_utf8_lossy(&said.stdout).to_lowercase().contains("true")
}

#[test]
fn a_damaged_package_says_where_it_broke_and_what_was_read_before() {
    const TEST: &str = "a_damaged_package_says_where_it_broke_and_what_was_read_before";
    let Some((shared, product)) = needed(TEST, place::shared().and_then(|shared| Ok((shared, Product::find()?)))) else { return };
    let place = place::scratch().expect("a folder").join("damaged");
    fs::create_dir_all(&place).expect("made");
    let file = captures(&shared).into_iter().max_by_key(|file| fs::metadata(file).map_or(0, |described| described.len())).expect("one");
    for (program, words, ending) in [("gzip", &["-c"][..], "gz"), ("zstd", &["-q", "-c"], "zst")] {
        let path = place.join(format!("capture.{ending}"));
        packed(program, words, &file, &path);
        let bytes = fs::read(&path).expect("read");
        // Cut in the middle, and a byte changed there.
        let mut changed = bytes.clone();
        changed[bytes.len() / 2] ^= 0x40;
        for (how, damaged) in [("cut", &bytes[..bytes.len() / 2]), ("changed", &changed)] {
            fs::write(&path, damaged).expect("written");
            let ended = product.run([Path::new("listen"), &path]).expect(code::INPUT);
            assert!(ended.err.contains(&format!("capture.{ending}")), "{how}: {}", ended.err);
            // A Zstandard decoder holds back a window of some megabytes, which is more than this capture has.
            assert!(
                ending == "zst" || ended.frames().is_some_and(|frames| frames > 0),
                "{how}: what was read before is heard: {}",
                ended.err
            );
        }
    }
}
