//! What every decoder makes of every public capture, message by message, beside how many messages tshark names there: a checked-in line
//! each (tests/golden/coverage.tsv), so that a decoder's gaps show in review; and docs/protocols.md, which is made of these lines.
//!
//! A decoder that reads more or less than before fails here. After a look at the difference,
//!
//!     NAMEPLATE_GOLDEN=write cargo nextest run --release -p nameplate-tests --test coverage
//!
//! writes both files anew. tshark's own counts are kept in the lines; with NAMEPLATE_TSHARK=run they are counted again, a minute or two
//! of both cores (`cargo xtask soak --coverage`).

mod page;
mod table;
mod tshark;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use nameplate_tests::corpus::{captures, frames_of};
use nameplate_tests::place::{needed, root, shared};
use nameplate_wire::conversation::Coverage;
use nameplate_wire::listen::{Event, Listener};
use nameplate_wire::protocols;

use table::{PROTOCOLS, Proof};

/// Differences that are shown.
const SHOWN_LINES_MAX: usize = 40; // More is a change to all of them.
/// Of the messages that tshark names in a protocol's captures; below it the protocol is not done.
const SHARE_PERCENT_MIN: u64 = 95;

/// Messages of one protocol in one capture.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Line {
    seen: u64,
    decoded: u64,
    named: u64,
}

/// By capture and protocol.
type Lines = BTreeMap<(String, String), Line>;

fn golden() -> PathBuf {
    root().join("tests/golden/coverage.tsv")
}

const HEADER: &str = "capture\tprotocol\tseen\tdecoded\ttshark";

fn read() -> Lines {
    let text = fs::read_to_string(golden()).unwrap_or_default();
    let lines = text.lines().skip(1).map(|line| {
        let cells: Vec<&str> = line.split('\t').collect();
        let [capture, protocol, seen, decoded, named] = cells[..] else { panic!("five cells: {line:?}") };
        let number = |cell: &str| cell.parse().expect("a number");
        ((capture.to_owned(), protocol.to_owned()), Line { seen: number(seen), decoded: number(decoded), named: number(named) })
    });
    lines.collect()
}

fn write(lines: &Lines) {
    let row = |((capture, protocol), Line { seen, decoded, named }): (&(String, String), &Line)| {
        format!("{capture}\t{protocol}\t{seen}\t{decoded}\t{named}\n")
    };
    let text: String = std::iter::once(format!("{HEADER}\n")).chain(lines.iter().map(row)).collect();
    fs::create_dir_all(golden().parent().expect("a folder")).expect("a folder");
    fs::write(golden(), text).expect("written");
}

fn is_written_anew() -> bool {
    std::env::var_os("NAMEPLATE_GOLDEN").is_some_and(|word| word == "write")
}

/// A capture's name below the folder of all.
fn name(file: &Path, all: &Path) -> String {
    file.strip_prefix(all).unwrap_or(file).to_string_lossy().into_owned()
}

/// What our decoders make of a capture.
fn heard(file: &Path) -> BTreeMap<&'static str, Coverage> {
    let mut covered: BTreeMap<&'static str, Coverage> = BTreeMap::new();
    let mut listener = Listener::new(&[]);
    let mut on_event = |event: Event| {
        if let Event::Covered { protocol, coverage } = event {
            let sum = covered.entry(protocol).or_default();
            (sum.seen, sum.decoded) = (sum.seen + coverage.seen, sum.decoded + coverage.decoded);
        }
    };
    for (frame, number) in frames_of(&fs::read(file).expect("read")).iter().zip(1..) {
        listener.frame(&frame.numbered(number), &mut on_event);
    }
    listener.finish(&mut on_event);
    covered
}

/// All captures as they are decoded now, with tshark's counts as they were, or counted anew.
fn now(files: &[PathBuf], all: &Path, before: &Lines) -> Lines {
    let mut lines = Lines::new();
    for file in files {
        for (protocol, Coverage { seen, decoded }) in heard(file) {
            let line = lines.entry((name(file, all), protocol.to_owned())).or_default();
            (line.seen, line.decoded) = (seen, decoded);
        }
    }
    if std::env::var_os("NAMEPLATE_TSHARK").is_some_and(|word| word == "run") {
        for (file, protocol, named) in tshark::counts(files) {
            lines.entry((name(&file, all), protocol.to_owned())).or_default().named = named;
        }
    } else {
        for (key, line) in before.iter().filter(|(_, line)| line.named > 0) {
            lines.entry(key.clone()).or_default().named = line.named;
        }
    }
    lines.retain(|_, line| *line != Line::default());
    lines
}

#[test]
fn every_decoder_reads_what_it_read_before() {
    let parts = captures().and_then(|files| Ok((files, shared()?.join("captures"))));
    let Some((files, all)) = needed("every_decoder_reads_what_it_read_before", parts) else { return };
    let before = read();
    let now = now(&files, &all, &before);
    if is_written_anew() {
        write(&now);
        fs::write(page::file(), page::of(&now)).expect("written");
        return;
    }
    let line = |lines: &Lines, key: &(String, String)| lines.get(key).copied().unwrap_or_default();
    let keys: BTreeSet<_> = before.keys().chain(now.keys()).collect();
    let differ: Vec<String> = keys
        .into_iter()
        .filter(|key| line(&before, key) != line(&now, key))
        .map(|key| format!("{} {}: was {:?}, is {:?}", key.0, key.1, line(&before, key), line(&now, key)))
        .collect();
    let shown = differ.iter().take(SHOWN_LINES_MAX).cloned().collect::<Vec<_>>().join("\n");
    assert!(differ.is_empty(), "{} lines differ; NAMEPLATE_GOLDEN=write writes them anew:\n{shown}", differ.len());
}

#[test]
fn the_page_about_protocols_is_made_of_these_lines() {
    if is_written_anew() {
        return;
    }
    let there = fs::read_to_string(page::file()).unwrap_or_default();
    assert!(there == page::of(&read()), "docs/protocols.md differs; NAMEPLATE_GOLDEN=write writes it anew");
}

#[test]
fn every_protocol_stands_in_the_table_once() {
    let known = protocols::ALL.iter().flat_map(|protocol| std::iter::once(&protocol.name).chain(protocol.carries));
    let known: BTreeSet<&str> = known.copied().collect();
    let told: Vec<&str> = PROTOCOLS.iter().map(|protocol| protocol.name).collect();
    assert_eq!(told.iter().copied().collect::<BTreeSet<_>>(), known);
    assert_eq!(told.len(), known.len(), "a protocol stands twice");
    let lines = read();
    let strange: Vec<&String> = lines.keys().map(|(_, protocol)| protocol).filter(|name| !known.contains(name.as_str())).collect();
    assert!(strange.is_empty(), "{strange:?}");
}

#[test]
fn the_protocols_that_carry_identity_are_done() {
    const MUST: [&str; 19] = [
        "modbus",
        "enip",
        "cip",
        "pccc",
        "s7comm",
        "s7comm-plus",
        "umas",
        "pn-dcp",
        "bacnet",
        "mms",
        "snmp",
        "lldp",
        "cdp",
        "fins",
        "hart-ip",
        "ads",
        "melsoft",
        "opcua",
        "dnp3",
    ];
    let sums = page::sums(&read());
    let open: Vec<&str> = MUST.into_iter().filter(|name| !sums.iter().any(|sum| sum.protocol.name == *name && sum.is_done())).collect();
    assert!(open.is_empty(), "not done: {open:?}");
    // Frames written by hand are no proof; a capture that comes to have the protocol makes the table say so.
    let by_hand = sums.iter().filter(|sum| sum.protocol.proof == Proof::ByHand && (sum.captures > 0 || sum.is_done()));
    let changed: Vec<&str> = by_hand.map(|sum| sum.protocol.name).collect();
    assert!(changed.is_empty(), "there are captures of {changed:?}");
}
