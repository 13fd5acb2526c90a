//! The ledger's figures in one run on one machine: `ledger-bench FOLDER ENTRIES [keep]`. Durable entries a second in batches of 100 beside plain
//! inserts of the same bytes, then open-and-fold and full verification of a ledger of so many entries.

use std::fs;
use std::io::Write;
use std::path::Path;
use std::time::{Duration, Instant};

use nameplate::store::{Draft, Store};
use nameplate_core::ledger::{Body, Entry};
use nameplate_tests::ledger::reading;
use rusqlite::{Connection, params};

/// Entries of one commit, as the bar has it.
const BATCH_ENTRIES: u32 = 100;
/// Commits of each side in turn, so that a disk that slows down slows both.
const TURN_COMMITS: u32 = 20;
/// Turns of each side.
const TURNS: u32 = 15;
/// Syncs that are timed.
const SYNCS: u32 = 200;
/// Devices of the large ledger; each is read once a day.
const ASSETS: u32 = 2_000;
/// Entries of one commit while the large ledger is filled: its own speed is not measured.
const FILL_ENTRIES: usize = 10_000;

fn main() {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let (Some(folder), Some(entries)) = (words.first(), words.get(1).and_then(|word| word.parse::<u32>().ok())) else {
        eprintln!("usage: ledger-bench FOLDER ENTRIES [keep]");
        std::process::exit(2);
    };
    let folder = Path::new(folder).join(format!("ledger-bench-{}", std::process::id()));
    fs::create_dir_all(&folder).expect("a folder");
    durable(&folder);
    large(&folder.join("large"), entries);
    if words.get(2).is_some_and(|word| word == "keep") {
        return println!("kept in {}", folder.display());
    }
    fs::remove_dir_all(&folder).expect("removed");
}

/// Records of so many commits, as the ledger writes them.
fn records(first: u32) -> Vec<Vec<u8>> {
    let entry = |n: u32| {
        let Draft { time_ns, body, .. } = reading(n % ASSETS, n / ASSETS);
        Entry { index: u64::from(n), time_ns, body }.record().expect("a record")
    };
    (first..first + BATCH_ENTRIES).map(entry).collect()
}

fn durable(folder: &Path) {
    let mut store = Store::write(&folder.join("durable")).expect("a store");
    let mut plain = Connection::open(folder.join("plain.sqlite")).expect("a database");
    let set = "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; CREATE TABLE entry (idx INTEGER PRIMARY KEY, record BLOB NOT NULL);";
    plain.execute_batch(set).expect("a table");
    let (mut ours, mut theirs, mut next) = (Duration::ZERO, Duration::ZERO, 0);
    for _ in 0..TURNS {
        for commit in 0..TURN_COMMITS {
            let first = next + commit * BATCH_ENTRIES;
            let drafts: Vec<Draft> = (first..first + BATCH_ENTRIES).map(|n| reading(n % ASSETS, n / ASSETS)).collect();
            let begun = Instant::now();
            store.append(drafts).expect("appended");
            ours += begun.elapsed();
        }
        for commit in 0..TURN_COMMITS {
            let first = next + commit * BATCH_ENTRIES;
            let records = records(first);
            let begun = Instant::now();
            let transaction = plain.transaction().expect("a transaction");
            {
                let mut insert = transaction.prepare_cached("INSERT INTO entry (idx, record) VALUES (?1, ?2)").expect("a statement");
                for (index, record) in (first..).zip(&records) {
                    insert.execute(params![index, record]).expect("inserted");
                }
            }
            transaction.commit().expect("committed");
            theirs += begun.elapsed();
        }
        next += TURN_COMMITS * BATCH_ENTRIES;
    }
    let rate = |time: Duration| f64::from(next) / time.as_secs_f64();
    println!("durable entries in batches of {BATCH_ENTRIES}, {next} of each; a sync of 4 KiB takes {:.2} ms here:", sync_ms(folder));
    let commit_ms = |time: Duration| time.as_secs_f64() * 1000.0 / f64::from(TURNS * TURN_COMMITS);
    println!("  plain rusqlite inserts  {:>9.0} entries/s  {:.2} ms a commit", rate(theirs), commit_ms(theirs));
    let ratio = rate(ours) / rate(theirs);
    println!("  ledger                  {:>9.0} entries/s  {:.2} ms a commit, {ratio:.2}x (goal 0.8x)", rate(ours), commit_ms(ours));
}

/// What a sync costs: where it is next to nothing, the figures above compare processors and not disks.
fn sync_ms(folder: &Path) -> f64 {
    let mut file = fs::File::create(folder.join("sync")).expect("a file");
    let begun = Instant::now();
    for _ in 0..SYNCS {
        file.write_all(&[0; 4096]).and_then(|()| file.sync_data()).expect("synced");
    }
    begun.elapsed().as_secs_f64() * 1000.0 / f64::from(SYNCS)
}

fn large(folder: &Path, entries: u32) {
    let begun = Instant::now();
    let mut store = Store::write(folder).expect("a store");
    let mut drafts = Vec::with_capacity(FILL_ENTRIES);
    for n in 1..entries {
        // One entry in ten is a line of the touch record.
        let draft = reading(n % ASSETS, n / ASSETS);
        let line = r#"{"time":"2026-01-01T00:00:00.000000Z","kind":"sent","target":"10.0.0.1:502","unit":1,"bytes":"2b 0e 01 00"}"#;
        let touch = Draft::new(draft.time_ns, Body::Touch { line: line.to_owned() });
        drafts.push(if n.is_multiple_of(10) { touch } else { draft });
        if drafts.len() == FILL_ENTRIES {
            store.append(std::mem::take(&mut drafts)).expect("appended");
        }
    }
    store.append(drafts).expect("appended");
    let bytes = fs::metadata(folder.join("nameplate.sqlite")).map_or(0, |of| of.len());
    println!(
        "a ledger of {} entries about {ASSETS} devices, {} MiB, filled in {:.1} s",
        store.size(),
        bytes >> 20,
        begun.elapsed().as_secs_f64()
    );
    drop(store);
    let begun = Instant::now();
    let store = Store::read(folder).expect("a ledger").expect("one that exists");
    let opened = begun.elapsed();
    let view = store.view(None).expect("a view");
    println!("  open          {:>7.3} s", opened.as_secs_f64());
    println!(
        "  open and fold {:>7.2} s  (goal 5 s), {} assets, peak memory {} MiB",
        begun.elapsed().as_secs_f64(),
        view.catalog.assets().count(),
        peak_mib()
    );
    let begun = Instant::now();
    let verified = store.verify(None).expect("whole");
    println!("  verify        {:>7.2} s  (goal 30 s), {verified:?}", begun.elapsed().as_secs_f64());
}

/// The most memory this process ever had; 0 where the system does not tell.
fn peak_mib() -> u64 {
    let told = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = told.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    line.and_then(|line| line.trim().trim_end_matches(" kB").parse::<u64>().ok()).unwrap_or(0) >> 10
}
