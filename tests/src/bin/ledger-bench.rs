//! The ledger's figures in one run on one machine: `ledger-bench FOLDER ENTRIES [keep]`. Durable entries a second in batches of 100 beside
//! plain inserts of the same bytes, then open-and-fold and full verification of a ledger of so many entries, and the same
//! for its exported log. Processor time stands beside
//! each time: it says the same on a busy machine.

use std::fs;
use std::io::{BufReader, BufWriter, Write};
use std::path::Path;
use std::time::{Duration, Instant};

use nameplate::store::{Draft, Extent, Store};
use nameplate_core::evidence::read_log;
use nameplate_core::ledger::{Body, Entry};
use nameplate_tests::ledger::reading;
use rusqlite::{Connection, params};

/// Entries of one commit, as the bar has it.
const BATCH_ENTRIES: u32 = 100;
/// Commits of each side in turn, so that a disk that slows down slows both.
const TURN_COMMITS: u32 = 20;
/// Turns of each side.
const TURNS: u32 = 50;
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

/// What the commits of one side took.
#[derive(Clone, Copy, Default)]
struct Side {
    time: Duration,
    processor: Duration,
}

impl Side {
    fn commit(&mut self, work: impl FnOnce()) {
        let processor = thread_time();
        let begun = Instant::now();
        work();
        self.time += begun.elapsed();
        self.processor += thread_time().saturating_sub(processor);
    }

    fn entries_a_second(&self) -> f64 {
        f64::from(TURNS * TURN_COMMITS * BATCH_ENTRIES) / self.time.as_secs_f64()
    }

    fn show(&self, name: &str, more: &str) {
        let a_commit = |time: Duration| time.as_secs_f64() * 1000.0 / f64::from(TURNS * TURN_COMMITS);
        let (rate, time, processor) = (self.entries_a_second(), a_commit(self.time), a_commit(self.processor));
        println!("  {name:<23} {rate:>9.0} entries/s  {time:.2} ms a commit, {processor:.2} ms of the processor{more}");
    }
}

fn durable(folder: &Path) {
    let mut store = Store::write(&folder.join("durable")).expect("a store");
    let mut plain = Connection::open(folder.join("plain.sqlite")).expect("a database");
    let set = "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; CREATE TABLE entry (idx INTEGER PRIMARY KEY, record BLOB NOT NULL);";
    plain.execute_batch(set).expect("a table");
    let (mut ours, mut theirs) = (Side::default(), Side::default());
    for turn in 0..TURNS {
        let firsts = (turn * TURN_COMMITS..(turn + 1) * TURN_COMMITS).map(|commit| commit * BATCH_ENTRIES);
        for first in firsts.clone() {
            let drafts: Vec<Draft> = (first..first + BATCH_ENTRIES).map(|n| reading(n % ASSETS, n / ASSETS)).collect();
            ours.commit(|| {
                store.append(&drafts).expect("appended");
            });
        }
        for first in firsts {
            let records = records(first);
            theirs.commit(|| insert(&mut plain, first, &records));
        }
    }
    let entries = TURNS * TURN_COMMITS * BATCH_ENTRIES;
    println!("durable entries in batches of {BATCH_ENTRIES}, {entries} of each; a sync of 4 KiB takes {:.2} ms here:", sync_ms(folder));
    theirs.show("plain rusqlite inserts", "");
    let ratio = ours.entries_a_second() / theirs.entries_a_second();
    let of_processor = theirs.processor.as_secs_f64() / ours.processor.as_secs_f64();
    ours.show("ledger", &format!(": {ratio:.2}x (goal 0.8x), {of_processor:.2}x of the processor"));
}

/// What the ledger is held against: the same bytes, in one transaction, as durable.
fn insert(plain: &mut Connection, first: u32, records: &[Vec<u8>]) {
    let transaction = plain.transaction().expect("a transaction");
    {
        let mut insert = transaction.prepare_cached("INSERT INTO entry (idx, record) VALUES (?1, ?2)").expect("a statement");
        for (index, record) in (first..).zip(records) {
            insert.execute(params![index, record]).expect("inserted");
        }
    }
    transaction.commit().expect("committed");
}

/// Processor time of this thread so far; 0 where the system does not tell.
fn thread_time() -> Duration {
    // Linux counts up to the last time it chose who runs.
    std::thread::yield_now();
    let told = fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    Duration::from_nanos(told.split(' ').next().and_then(|ns| ns.parse().ok()).unwrap_or_default())
}

/// Processor time of this process so far, of all its threads, in seconds; 0 where the system does not tell.
fn process_s() -> f64 {
    /// Linux tells this time in such parts of a second (`USER_HZ`).
    const TICKS_A_SECOND: f64 = 100.0;
    let told = fs::read_to_string("/proc/self/stat").unwrap_or_default();
    // proc(5): fields 14 and 15; the second is the program's name in parentheses.
    let fields = told.rsplit(')').next().unwrap_or_default().split_whitespace().skip(11).take(2);
    fields.filter_map(|ticks| ticks.parse::<f64>().ok()).sum::<f64>() / TICKS_A_SECOND
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
            store.append(&drafts).expect("appended");
            drafts.clear();
        }
    }
    store.append(&drafts).expect("appended");
    let bytes = fs::metadata(folder.join("nameplate.sqlite")).map_or(0, |of| of.len());
    println!(
        "a ledger of {} entries about {ASSETS} devices, {} MiB, filled in {:.1} s",
        store.size(),
        bytes >> 20,
        begun.elapsed().as_secs_f64()
    );
    drop(store);
    let (begun, processor) = (Instant::now(), process_s());
    let store = Store::read(folder).expect("a ledger").expect("one that exists");
    println!("  open          {:>7.3} s", begun.elapsed().as_secs_f64());
    let assets = store.view(None).expect("a view").catalog.assets().count();
    let (time, processor) = (begun.elapsed().as_secs_f64(), process_s() - processor);
    println!(
        "  open and fold {time:>7.2} s  (goal 5 s), {processor:.2} s of the processor, {assets} assets, peak memory {} MiB",
        peak_mib()
    );
    let (begun, processor) = (Instant::now(), process_s());
    let verified = store.verify(None).expect("whole");
    let (time, processor) = (begun.elapsed().as_secs_f64(), process_s() - processor);
    println!("  verify        {time:>7.2} s  (goal 30 s), {processor:.2} s of the processor, {verified:?}");
    exported(&store, &folder.join("exported.log"));
}

/// All of it as a file that anybody can check alone, and the check.
fn exported(store: &Store, path: &Path) {
    let (begun, processor) = (Instant::now(), process_s());
    let mut file = BufWriter::new(fs::File::create(path).expect("a file"));
    store.export(&Extent { entries: 0..store.size(), payloads: true }, &mut file).expect("exported");
    file.flush().expect("written");
    let (time, processor) = (begun.elapsed().as_secs_f64(), process_s() - processor);
    let bytes = fs::metadata(path).map_or(0, |of| of.len());
    println!("  export        {time:>7.2} s, {processor:.2} s of the processor, {} MiB", bytes >> 20);
    let (begun, processor) = (Instant::now(), process_s());
    let mut file = BufReader::new(fs::File::open(path).expect("a file"));
    let whole = read_log(&mut file, None).expect("read").expect("whole");
    let (time, processor) = (begun.elapsed().as_secs_f64(), process_s() - processor);
    println!("  verify that   {time:>7.2} s, {processor:.2} s of the processor, {} entries", whole.head.size);
}

/// The most memory this process ever had; 0 where the system does not tell.
fn peak_mib() -> u64 {
    let told = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = told.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    line.and_then(|line| line.trim().trim_end_matches(" kB").parse::<u64>().ok()).unwrap_or(0) >> 10
}
