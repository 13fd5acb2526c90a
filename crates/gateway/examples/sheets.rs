//! What sheets and pages cost: `cargo run --release -p nameplate --example sheets`. A sheet of 10,000 rows is read (CSV and XLSX), taken in
//! and compared; then a page of 100 devices with a condition and an order, beside a plain SQLite query over the same rows.

use std::fs;
use std::hint::black_box;
use std::path::Path;
use std::time::{Duration, Instant};

use nameplate::sheet::book::{Table, Tint, workbook};
use nameplate::sheet::read;
use nameplate::store::{Draft, Store, now_ns};
use nameplate_core::ledger::Body;
use nameplate_core::profile::ProfileSet;
use nameplate_core::query::Query;
use nameplate_core::sheet::{Import, compare};
use rusqlite::Connection;

const ROWS: u32 = 10_000;
const PAGE_DEVICES: usize = 100;
/// Pages that are measured, in turn with the query.
const TURNS: u32 = 50;
const HEADER: [&str; 8] = ["tag", "ip", "manufacturer", "model", "product_code", "firmware", "serial", "Cabinet"];

type Ended = Result<(), Box<dyn std::error::Error>>;

fn row(n: u32) -> Vec<String> {
    let ip = std::net::Ipv4Addr::from(0x0a00_0000 + n);
    let maker = ["Siemens", "Schneider Electric", "ABB", "SEL"][n as usize % 4];
    [
        format!("PLC-{n}"),
        ip.to_string(),
        maker.into(),
        format!("M{}", n % 37),
        format!("6ES7 {n:07}"),
        format!("{}.{}", n % 5, n % 23),
        format!("S{n:06}"),
        format!("K{}", n % 211),
    ]
    .into()
}

/// User time of this process: `/proc/self/stat`, field 14, in hundredths of a second on Linux.
fn user() -> Option<Duration> {
    let stat = fs::read_to_string("/proc/self/stat").ok()?;
    let ticks: u64 = stat.rsplit_once(')')?.1.split_whitespace().nth(11)?.parse().ok()?;
    Some(Duration::from_millis(ticks * 10))
}

fn timed<T>(what: &str, act: impl FnOnce() -> T) -> T {
    let (user_before, before) = (user(), Instant::now());
    let done = act();
    let spent = user().zip(user_before).map(|(after, before)| format!("{} ms user", (after - before).as_millis()));
    println!("{what}: {} ms, {}", before.elapsed().as_millis(), spent.unwrap_or_else(|| "user time unknown".into()));
    done
}

fn main() -> Ended {
    let folder = std::env::temp_dir().join(format!("nameplate-sheets-{}", std::process::id()));
    fs::create_dir_all(&folder)?;
    let measured = measure(&folder);
    fs::remove_dir_all(&folder)?;
    measured
}

fn measure(folder: &Path) -> Ended {
    let header: Vec<String> = HEADER.map(str::to_owned).into();
    let rows: Vec<Vec<String>> = (1..=ROWS).map(row).collect();
    let csv: String = std::iter::once(&header).chain(&rows).map(|row| row.join(",") + "\n").collect();
    let table = Table { name: "devices", header, rows: rows.iter().map(|row| (Tint::Plain, row.clone())).collect() };
    let (csv_file, book_file) = (folder.join("plant.csv"), folder.join("plant.xlsx"));
    fs::write(&csv_file, csv)?;
    fs::write(&book_file, timed("XLSX written", || workbook(&[table]))?)?;
    let fail = |failure: nameplate::failure::Failure| failure.why;
    let sheet = timed("CSV read", || read(&csv_file, None)).map_err(fail)?.taken.sheet;
    let book = timed("XLSX read", || read(&book_file, None)).map_err(fail)?.taken.sheet;
    println!("rows: {} and {}, the same: {}", sheet.rows.len(), book.rows.len(), sheet == book);
    let profiles = ProfileSet::built_in()?;
    let mut store = Store::write(&folder.join("state")).map_err(fail)?;
    let view = timed("taken in (appended, synced, folded)", || {
        let import = Import { file: "plant.xlsx".into(), sha256: String::new(), sheet: book };
        store.append(&[Draft::new(now_ns(), Body::Import(import))]).and_then(|_| store.view(None))
    })
    .map_err(fail)?;
    let compared = timed("compared", || compare(&sheet, &view.catalog, &profiles, "the catalog"));
    println!("lines of the comparison: {}", compared.len());
    let shelf = plain(&rows)?;
    let query = Query {
        filters: vec!["manufacturer~sie".parse()?, "firmware~.1".parse()?],
        sort: Some("tag".parse()?),
        limit: Some(PAGE_DEVICES),
        ..Query::default()
    };
    let (mut ours, mut theirs) = (Duration::ZERO, Duration::ZERO);
    for _ in 0..TURNS {
        let before = Instant::now();
        let page = query.page(view.catalog.assets(), &profiles)?;
        ours += before.elapsed();
        let before = Instant::now();
        let found = plain_page(&shelf)?;
        theirs += before.elapsed();
        if page.assets.len() != found.len() {
            return Err(format!("{} devices on our page, {} on SQLite's", page.assets.len(), found.len()).into());
        }
        black_box((page, found));
    }
    let mean = |all: Duration| all.as_secs_f64() * 1_000.0 / f64::from(TURNS);
    println!(
        "a page of {PAGE_DEVICES} of {ROWS}: {:.2} ms; plain SQLite {:.2} ms; ratio {:.2}",
        mean(ours),
        mean(theirs),
        mean(ours) / mean(theirs)
    );
    Ok(())
}

/// The same rows in a table of SQLite.
fn plain(rows: &[Vec<String>]) -> rusqlite::Result<Connection> {
    let mut shelf = Connection::open_in_memory()?;
    shelf.execute_batch("CREATE TABLE device (tag TEXT, ip TEXT, manufacturer TEXT, model TEXT, product_code TEXT, firmware TEXT, serial TEXT, cabinet TEXT)")?;
    let transaction = shelf.transaction()?;
    for row in rows {
        transaction.prepare_cached("INSERT INTO device VALUES (?, ?, ?, ?, ?, ?, ?, ?)")?.execute(rusqlite::params_from_iter(row))?;
    }
    transaction.commit()?;
    Ok(shelf)
}

fn plain_page(shelf: &Connection) -> rusqlite::Result<Vec<Vec<String>>> {
    let mut select = shelf.prepare_cached(
        "SELECT * FROM device WHERE manufacturer LIKE '%sie%' AND firmware LIKE '%.1%' ORDER BY tag COLLATE NOCASE LIMIT 100",
    )?;
    let rows = select.query_map([], |row| (0..8).map(|at| row.get(at)).collect::<rusqlite::Result<Vec<String>>>())?;
    rows.collect()
}
