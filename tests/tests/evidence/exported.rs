//! Exported logs of this test's own, from docs/evidence.md, section 8; and what both verifiers make of them.

mod mutate;
mod story;

use std::collections::{BTreeMap, BTreeSet};

use nameplate_core::evidence::{Whole, read_log};
use nameplate_tests::personas;
use nameplate_tests::place::needed;
use nameplate_tests::product::State;
use serde_json::{Value, json};

use crate::draw::Draw;
use crate::log::{Hash, Key, Log, canonical, hex, root, sha256};
use crate::mutate::Stock;
use crate::{BLIND_CHANGES, FOR_BOTH, MUTATIONS, is_allowed, times, verifier};

/// Bytes of a payload in one line.
const PART: usize = 1 << 20;

/// An exported log taken apart: what nobody signed is worked out anew when it is put together.
#[derive(Clone)]
pub struct Range {
    /// Who signs, where `note` does not stand already.
    pub key: Key,
    pub public_key: String,
    pub origin: String,
    pub format: String,
    /// The records before the range.
    pub before: Vec<String>,
    pub keys: Vec<Value>,
    pub payloads: bool,
    /// Records, each with the payload lines behind it.
    pub entries: Vec<(String, Vec<String>)>,
    /// A note, an edge and a first index that stand as they are.
    pub note: Option<String>,
    pub edge: Option<Vec<String>>,
    pub first: Option<u64>,
}

/// The roots of the whole subtrees, the largest first: one for each power of two in the number of leaves.
fn edge(leaves: &[Hash]) -> Vec<String> {
    let (mut rest, mut roots) = (leaves, Vec::new());
    for bit in (0..usize::BITS).rev().filter(|bit| leaves.len() >> bit & 1 == 1) {
        let (subtree, behind) = rest.split_at(1 << bit);
        roots.push(hex(&root(subtree)));
        rest = behind;
    }
    roots
}

fn leaf(record: &str) -> Hash {
    sha256([&[0][..], record.as_bytes()].concat())
}

/// The lines of a payload.
pub fn payload_lines(bytes: &[u8]) -> Vec<String> {
    let parts: Vec<&[u8]> = if bytes.is_empty() { vec![&[]] } else { bytes.chunks(PART).collect() };
    let line = |(at, part): (usize, &&[u8])| {
        let kind = if at + 1 < parts.len() { "part" } else { "payload" };
        format!("{{\"{kind}\":\"{}\"}}", hex(part))
    };
    parts.iter().enumerate().map(line).collect()
}

impl Log {
    /// The entries from `first` up to `end`, signed by `key`.
    pub fn range(&self, key: &Key, first: usize, end: usize, payloads: bool) -> Range {
        let mut records = self.records();
        records.truncate(end);
        let inside = records.split_off(first);
        let changes = self.bodies[..first].iter().filter(|body| body["kind"] == "key_change");
        let keys = changes.map(|body| json!({ "public_key": body["public_key"], "signature": body["signature"] })).collect();
        let mut range = Range {
            key: key.clone(),
            public_key: self.key.public(),
            origin: self.key.origin(),
            format: "nameplate-log/1".to_owned(),
            before: records,
            keys,
            payloads,
            entries: inside.into_iter().map(|record| (record, Vec::new())).collect(),
            note: None,
            edge: None,
            first: None,
        };
        range.take_named(self);
        range
    }

    /// What this log keeps under a hash.
    fn kept(&self, name: &str) -> Vec<u8> {
        self.payloads.get(name).cloned().or_else(|| self.profiles.get(name).map(|text| text.clone().into_bytes())).expect("a payload")
    }
}

/// The names in a record, in its order.
fn names(record: &str) -> Vec<String> {
    let record: Value = serde_json::from_str(record).expect("a record");
    let body = &record["body"];
    let observed = body["observation"]["messages"].as_array().into_iter().flatten().chain([&body["profile_sha256"]]);
    let listed = ["documents", "lists"].iter().flat_map(|list| body[*list].as_array().into_iter().flatten().map(|one| &one["sha256"]));
    observed.chain(listed).filter_map(Value::as_str).map(str::to_owned).collect()
}

impl Range {
    /// Puts the payloads where they belong.
    pub fn take_named(&mut self, log: &Log) {
        let mut named = BTreeSet::new();
        for (record, lines) in &mut self.entries {
            lines.clear();
            if self.payloads {
                let new = names(record).into_iter().filter(|name| named.insert(name.clone()));
                lines.extend(new.flat_map(|name| payload_lines(&log.kept(&name))));
            }
        }
    }

    pub fn records(&self) -> impl Iterator<Item = &String> {
        self.before.iter().chain(self.entries.iter().map(|(record, _)| record))
    }

    /// The note over all up to the end of the range.
    pub fn signed(&self) -> String {
        let leaves: Vec<Hash> = self.records().map(|record| leaf(record)).collect();
        self.key.note_as(&self.origin, leaves.len() as u64, &root(&leaves))
    }

    pub fn first_line(&self) -> String {
        let before: Vec<Hash> = self.before.iter().map(|record| leaf(record)).collect();
        canonical(&json!({
            "checkpoint": self.note.clone().unwrap_or_else(|| self.signed()),
            "edge": self.edge.clone().unwrap_or_else(|| edge(&before)),
            "first": self.first.unwrap_or(before.len() as u64),
            "format": self.format,
            "keys": self.keys,
            "origin": self.origin,
            "payloads": self.payloads,
            "public_key": self.public_key,
        }))
    }

    pub fn lines(&self) -> Vec<String> {
        let behind = self.entries.iter().flat_map(|(record, payloads)| [record].into_iter().chain(payloads));
        [self.first_line()].into_iter().chain(behind.cloned()).collect()
    }

    /// The file.
    pub fn bytes(&self) -> Vec<u8> {
        together(&self.lines())
    }
}

pub fn together(lines: &[String]) -> Vec<u8> {
    lines.iter().flat_map(|line| [line, "\n"]).collect::<String>().into_bytes()
}

fn read(bytes: &[u8], earlier: Option<&str>) -> Result<Whole, String> {
    read_log(&mut &bytes[..], earlier).expect("bytes in memory").map_err(|unsound| unsound.why)
}

/// The verdict in the words of verify_log.py, without the reason.
pub fn verdict(bytes: &[u8], pinned: &str) -> String {
    let Ok(whole) = read(bytes, None) else { return "refused".to_owned() };
    let said =
        if whole.keys.holds(pinned) { "authentic".to_owned() } else { format!("unknown signer {}", whole.keys.first().fingerprint()) };
    if whole.missing == 0 { said } else { format!("{said}, {} payloads not in it", whole.missing) }
}

/// The stock's log, in which the key changed and advisories were taken in; and who signs at its end.
pub fn longer(stock: &Stock) -> (Log, Key) {
    let (mut log, second) = (stock.log.clone(), Key::of(3));
    let again: Vec<Value> = log.bodies.iter().filter(|body| body["kind"] == "observation").take(4).cloned().collect();
    log.add(log.key.change(&log.key.origin(), &second));
    let mut document = |bytes: Vec<u8>| {
        let name = hex(&sha256(&bytes));
        log.payloads.insert(name.clone(), bytes);
        json!({ "file": "a.json", "id": "ICSA-1", "publisher": "CISA", "revision": "1", "sha256": name })
    };
    // Nothing, exactly one part, and more than two.
    let documents = [Vec::new(), vec![7; PART], vec![8; 2 * PART + 5]].map(&mut document);
    log.add(json!({ "kind": "advisories", "documents": documents, "from": ["a"], "lists": [] }));
    log.bodies.extend(again);
    (log, second)
}

/// Ranges to be changed: the whole log, its end, its middle, without payloads.
pub fn ranges(stock: &Stock) -> Vec<Range> {
    let (key, all) = (&stock.log.key, stock.log.bodies.len());
    let mut ranges: Vec<Range> = [(0, all), (5, all), (7, 16), (8, 9)].map(|(first, end)| stock.log.range(key, first, end, true)).into();
    ranges.push(stock.log.range(key, 3, all, false));
    ranges
}

#[test]
fn a_range_written_from_the_document_is_authentic() {
    let stock = Stock::new();
    let pinned = stock.log.key.fingerprint();
    for range in ranges(&stock) {
        let (bytes, payloads) = (range.bytes(), range.payloads);
        let whole = read(&bytes, None).expect("a whole one");
        assert_eq!((whole.first, whole.head.size), (range.before.len() as u64, range.records().count() as u64));
        let named: BTreeSet<String> = range.entries.iter().flat_map(|(record, _)| names(record)).collect();
        let missing = if payloads { String::new() } else { format!(", {} payloads not in it", named.len()) };
        assert_eq!(verdict(&bytes, &pinned), format!("authentic{missing}"));
        assert_eq!(verdict(&bytes, &stock.stranger.fingerprint()), format!("unknown signer {pinned}{missing}"));
    }
    let (log, second) = longer(&stock);
    let end = log.bodies.len();
    let changed = stock.log.bodies.len();
    for first in [0, changed, changed + 1, end - 1] {
        let whole = read(&log.range(&second, first, end, true).bytes(), None).expect("a whole one");
        assert!(whole.keys.holds(&pinned) && whole.keys.holds(&second.fingerprint()), "from {first}");
        assert!(read(&log.range(&log.key, first, end, true).bytes(), None).is_err(), "signed by the old key, from {first}");
    }
}

#[test]
fn no_mutation_of_an_exported_log_is_authentic() {
    let (stock, seed) = (Stock::new(), personas::seed());
    let pinned = stock.log.key.fingerprint();
    let mut kinds: BTreeMap<&str, usize> = BTreeMap::new();
    let mutations = times(MUTATIONS);
    for (number, mutant) in mutate::mutants(&stock, seed).take(mutations).enumerate() {
        *kinds.entry(mutant.kind).or_default() += 1;
        let said = verdict(&mutant.bytes, &pinned);
        let text = || String::from_utf8_lossy(&mutant.bytes).into_owned();
        assert!(is_allowed(&mutant, &said), "mutation {number} ({}): {said}, not {:?}\n{}", mutant.kind, mutant.may, text());
    }
    assert!(kinds.values().all(|count| *count > mutations / 100) && kinds.len() == mutate::KINDS, "{kinds:?}");
}

#[test]
fn no_other_byte_of_an_exported_log_is_accepted() {
    let (stock, mut draw) = (Stock::new(), Draw(personas::seed()));
    let pinned = stock.log.key.fingerprint();
    let original = stock.log.range(&stock.log.key, 5, stock.log.bodies.len(), true).bytes();
    for _ in 0..times(BLIND_CHANGES) {
        let (at, by) = (draw.below(original.len()), 1 + draw.below(255));
        let mut bytes = original.clone();
        bytes[at] ^= u8::try_from(by).expect("a byte");
        assert_eq!(verdict(&bytes, &pinned), "refused", "byte {at} xor {by:02x}");
    }
    for cut in (0..original.len()).step_by(97) {
        assert_eq!(verdict(&original[..cut], &pinned), "refused", "cut after {cut} bytes");
    }
    for more in [&b"\n"[..], b" ", b"{}", b"{}\n", b"\0"] {
        assert_eq!(verdict(&[&original, more].concat(), &pinned), "refused", "{more:?} behind it");
    }
}

#[test]
fn both_verifiers_give_the_same_answer_of_an_exported_log() {
    let test = "both_verifiers_give_the_same_answer_of_an_exported_log";
    let Some(python) = needed(test, verifier::python()) else { return };
    let (stock, state) = (Stock::new(), State::new());
    let pinned = stock.log.key.fingerprint();
    let (log, second) = longer(&stock);
    let mut files: Vec<(&str, Vec<u8>)> = ranges(&stock).iter().map(|range| ("the original", range.bytes())).collect();
    let firsts = [0, stock.log.bodies.len() + 1];
    files.extend(firsts.map(|first| ("with a change of the key", log.range(&second, first, log.bodies.len(), true).bytes())));
    let told = mutate::mutants(&stock, personas::seed()).filter(|mutant| !mutant.needs_every_field);
    files.extend(told.take(times(FOR_BOTH)).map(|mutant| (mutant.kind, mutant.bytes)));
    let paths: Vec<String> = files.iter().enumerate().map(|(at, (_, bytes))| state.file(&format!("{at}.log"), bytes)).collect();
    let lines = verifier::verdicts_on_logs(&python, &state.file("list", paths.join("\n")), &pinned);
    assert_eq!(lines.len(), files.len());
    for ((line, (kind, bytes)), path) in lines.iter().zip(&files).zip(&paths) {
        assert_eq!(line.split(": ").next().unwrap_or_default(), verdict(bytes, &pinned), "{path} ({kind}): {line}");
    }
}
