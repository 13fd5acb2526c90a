//! Reports: what was known on a day is what the ledger cut on that day says, byte for byte; and nothing that a device is called becomes
//! more than text.

use std::fs;

use nameplate::store::{Draft, Store};
use nameplate_core::observation::rfc3339;
use nameplate_simulators::modbus::Persona;
use nameplate_tests::ledger::history;
use nameplate_tests::pcap::{pcap_of, plant};
use nameplate_tests::personas::{Draw, seed};
use nameplate_tests::place::needed;
use nameplate_tests::product::{Product, State, code};

/// Histories; `NAMEPLATE_REPORTS` has it otherwise (`cargo xtask soak --reports`).
const HISTORIES: usize = 20;
/// Entries of one.
const ENTRIES: usize = 60;
/// Devices that are looked at in each.
const DEVICES: usize = 2;
/// Microseconds are what a time on the command line has.
const MICROSECOND_NS: u64 = 1_000;

fn ledger(drafts: &[Draft]) -> State {
    let state = State::new();
    Store::write(state.path()).expect("a store").append(drafts).expect("appended");
    state
}

/// Every report of a state, and what else is told as of a moment: name and bytes.
fn told(product: &Product, state: &State, as_of: &str) -> Vec<(String, Vec<u8>)> {
    let place = state.text();
    let plain = |words: &[&str]| product.run(words.iter().chain(&["--as-of", as_of, "--state", &place])).expect(code::DONE);
    let devices = plain(&["devices", "--format", "ndjson"]);
    let ids: Vec<String> = devices.lines().iter().filter_map(|line| line["id"].as_str().map(str::to_owned)).take(DEVICES).collect();
    let mut all = vec![("devices".to_owned(), devices.out.into_bytes())];
    let mut report = |words: &[&str], endings: &[&str]| {
        for ending in endings {
            let file = state.path().join(format!("report.{ending}"));
            let file = file.to_string_lossy();
            plain(&[words, &["--output", &file]].concat());
            all.push((format!("{} as {ending}", words.join(" ")), fs::read(&*file).expect("a report")));
        }
    };
    let forms = ["html", "xlsx", "csv", "ndjson"];
    report(&["report", "changes"], &forms);
    // The form is made of the same tables for all.
    for kind in ["errors", "exemptions", "overview", "patches", "nerc"] {
        report(&["report", kind], &["html", "ndjson"]);
    }
    ids.iter().for_each(|id| report(&["report", "device", id], &forms));
    all
}

#[test]
fn a_report_as_of_a_day_is_that_of_the_ledger_cut_there() {
    let Some(product) = needed("a_report_as_of_a_day_is_that_of_the_ledger_cut_there", Product::find()) else { return };
    let times = std::env::var("NAMEPLATE_REPORTS").ok().and_then(|times| times.parse().ok()).unwrap_or(HISTORIES);
    eprintln!("NAMEPLATE_REPORTS={times}");
    let mut draw = Draw(seed());
    let (mut compared, mut with_changes) = (0, 0);
    for number in 0..times {
        let drafts = history(draw.number(), ENTRIES);
        // Not before the first entry: there nothing was known, and a report says so.
        let at = drafts[ENTRIES / 4 + draw.below(ENTRIES / 2)].time_ns;
        let as_of = (at / MICROSECOND_NS + 1) * MICROSECOND_NS;
        let last = drafts.iter().rposition(|draft| draft.time_ns <= as_of).expect("the one that was drawn");
        let (whole, cut) = (ledger(&drafts), ledger(&drafts[..=last]));
        let (then, now) = (told(&product, &whole, &rfc3339(as_of)), told(&product, &cut, &rfc3339(as_of)));
        for ((name, then), (_, now)) in then.iter().zip(&now) {
            assert!(then == now, "history {number} as of {}: {name}", rfc3339(as_of));
        }
        assert_eq!(then.len(), now.len());
        compared += then.len();
        with_changes += usize::from(then.iter().any(|(name, bytes)| name.ends_with("changes as ndjson") && !bytes.is_empty()));
    }
    eprintln!("{compared} reports compared, {with_changes} of {times} histories have changes");
    // Three in four have one before the day that is drawn; that hardly one had would be a test of empty reports.
    assert!(with_changes > times / 5, "{with_changes} of {times} histories have a change to report");
}

#[test]
fn a_name_is_text_in_every_report() {
    let Some(product) = needed("a_name_is_text_in_every_report", Product::find()) else { return };
    for name in ["<script>alert(1)</script>", "\"><img src=x onerror=alert(1)>", "=1+1", "@SUM(A1)", "]]>&amp;", "'onmouseover='x"] {
        let state = State::new();
        let persona = Persona::from_objects([(0, name.as_bytes().to_vec()), (1, name.as_bytes().to_vec()), (2, b"V1.0".to_vec())]);
        let capture = state.file("span.pcap", pcap_of(&plant(vec![persona])));
        let heard = product.run(["listen", &capture, "--keep", "--state", &state.text(), "--format", "ndjson"]).expect(code::DONE).lines();
        let id = heard[0]["id"].as_str().expect("an id");
        let page = state.path().join("life.html").to_string_lossy().into_owned();
        product.run(["report", "device", id, "--output", &page, "--state", &state.text()]).expect(code::DONE);
        let page = fs::read_to_string(page).expect("a page");
        let shown = name.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;").replace('\'', "&#39;");
        assert!(page.contains(&format!("<td>{shown}</td>")), "{name}: {page}");
        let tags = |page: &str| page.matches('<').count();
        let plain = page.replace(&shown, "x");
        assert_eq!(tags(&page), tags(&plain), "{name}: {page}");
        let csv = product.run(["report", "device", id, "--format", "csv", "--state", &state.text()]).expect(code::DONE).out;
        let runs = |cell: &str| cell.trim_start_matches('"').starts_with(['=', '@']);
        assert!(!csv.lines().any(|line| line.split(',').any(runs)), "{name}: {csv}");
    }
}
