//! Mutations of a parsed bundle. What nobody signed is worked out anew after each: hashes, names, proofs, the root in the note.

mod entries;
mod signatures;

use serde_json::{Value, json};

use crate::draw::Draw;
use crate::log::{Key, Log, Parts, hex, sha256, unhex};
use entries::{doubled, dropped, dropped_and_unlisted, foreign_entry, reordered, swapped};
pub use signatures::other_note;
use signatures::{fork, note, other_checkpoint, other_key, proof, wrong_but_signed};

/// What a verifier may say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum May {
    Refused,
    UnknownSigner,
    /// Either: what a stranger signed wholly, whatever it says.
    NotAuthentic,
}

/// One bundle that is not the original.
pub struct Mutant {
    pub kind: &'static str,
    pub bytes: Vec<u8>,
    pub may: May,
    /// True where only a verifier that knows every field of every record can answer; the bundle then hangs together as bytes.
    pub needs_every_field: bool,
}

/// What mutations are made of: the bundles of two assets in one log, and a log that another site could have.
pub struct Stock {
    pub log: Log,
    pub subjects: Vec<(String, Vec<u64>)>,
    pub stranger: Key,
}

type Mutation = fn(&Stock, &Parts, &mut Draw) -> Option<(Parts, May)>;

const FIELD_RESIGNED: &str = "a field of a record, signed by a stranger";

/// Kinds of mutation.
pub const KINDS: usize = 20;

const MUTATIONS: [(&str, Mutation); KINDS] = [
    ("a field of a record", record_field),
    (FIELD_RESIGNED, record_field_resigned),
    ("a field of the bundle", bundle_field),
    ("a byte of an answer", answer),
    ("a byte of an answer, signed by a stranger", answer_resigned),
    ("a character of a profile", profile),
    ("an entry dropped", dropped),
    ("an entry dropped, and from the list", dropped_and_unlisted),
    ("entries in another order", reordered),
    ("an entry twice", doubled),
    ("an entry of another asset", foreign_entry),
    ("claims swapped", swapped),
    ("a proof", proof),
    ("an older or newer checkpoint", other_checkpoint),
    ("a note", note),
    ("another key", other_key),
    ("a fork", fork),
    ("the page", page),
    ("something extra or missing", extra_or_missing),
    ("a wrong list or key, signed by the site", wrong_but_signed),
];

impl Stock {
    /// A mutant, and `None` where the draw gave what cannot be done, or the original.
    pub fn mutant(&self, draw: &mut Draw) -> Option<Mutant> {
        let (subject, entries) = &self.subjects[draw.below(self.subjects.len())];
        let original = self.log.bundle(subject, entries);
        let (kind, mutation) = MUTATIONS[draw.below(MUTATIONS.len())];
        let (parts, may) = mutation(self, &original, draw)?;
        let bytes = parts.bytes();
        (bytes != original.bytes()).then_some(Mutant { kind, bytes, may, needs_every_field: kind == FIELD_RESIGNED })
    }
}

/// The note stands as the site signed it, or its root is that of the mutated tree and the signature is the old one.
fn sealed(original: &Parts, mut mutated: Parts, draw: &mut Draw) -> (Parts, May) {
    let signed = original.signed();
    let (text, signature) = signed.split_once("\n\n").expect("a note");
    let own = mutated.signed();
    let (own_text, _) = own.split_once("\n\n").expect("a note");
    mutated.note = Some(if draw.below(2) == 0 { format!("{text}\n\n{signature}") } else { format!("{own_text}\n\n{signature}") });
    (mutated, May::Refused)
}

/// A leaf of a JSON value, chosen at random and made another one of the same type.
pub fn change_leaf(value: &mut Value, draw: &mut Draw) {
    match value {
        Value::Object(map) if !map.is_empty() => {
            let key = map.keys().nth(draw.below(map.len())).expect("a key").clone();
            match draw.below(20) {
                0 => drop(map.remove(&key)),
                1 => drop(map.insert("extra".to_owned(), json!(1))),
                _ => change_leaf(map.get_mut(&key).expect("a value"), draw),
            }
        }
        Value::Array(items) if !items.is_empty() => {
            let at = draw.below(items.len());
            match draw.below(10) {
                0 => drop(items.remove(at)),
                1 => items.push(items[at].clone()),
                _ => change_leaf(&mut items[at], draw),
            }
        }
        Value::Array(items) => items.push(json!("")),
        Value::Object(map) => drop(map.insert("extra".to_owned(), json!(""))),
        Value::String(text) => *text = change_text(text, draw),
        Value::Number(number) => {
            let now = number.as_u64().unwrap_or_default();
            *value = json!([now.wrapping_add(1), now.wrapping_sub(1), 0, u64::MAX, now ^ 1 << draw.below(64)][draw.below(5)]);
        }
        Value::Bool(yes) => *yes = !*yes,
        Value::Null => *value = json!("0"),
    }
}

pub fn change_text(text: &str, draw: &mut Draw) -> String {
    let mut chars: Vec<char> = text.chars().collect();
    let other = ['0', '1', 'a', 'f', 'A', ' ', '.', '\u{e9}', '"', '\n'][draw.below(10)];
    match draw.below(5) {
        0 => chars.push(other),
        1 if !chars.is_empty() => drop(chars.remove(draw.below(chars.len()))),
        2 => return String::new(),
        _ if chars.is_empty() => chars.push(other),
        _ => {
            let at = draw.below(chars.len());
            chars[at] = other;
        }
    }
    chars.into_iter().collect()
}

fn record_field(_: &Stock, original: &Parts, draw: &mut Draw) -> Option<(Parts, May)> {
    let mut mutated = original.clone();
    let at = draw.below(mutated.entries.len());
    mutated.entries[at].change(|record| change_leaf(record, draw));
    Some(sealed(original, mutated, draw))
}

fn record_field_resigned(stock: &Stock, original: &Parts, draw: &mut Draw) -> Option<(Parts, May)> {
    let mut mutated = original.clone().signed_by(stock.stranger.clone());
    let at = draw.below(mutated.entries.len());
    mutated.entries[at].change(|record| change_leaf(record, draw));
    Some((mutated, May::NotAuthentic))
}

fn bundle_field(stock: &Stock, original: &Parts, draw: &mut Draw) -> Option<(Parts, May)> {
    let mut mutated = original.clone();
    match draw.below(4) {
        0 => mutated.format = change_text(&mutated.format, draw),
        1 => mutated.origin = [change_text(&mutated.origin, draw), stock.stranger.origin()][draw.below(2)].clone(),
        2 => mutated.public_key = [change_text(&mutated.public_key, draw), mutated.public_key.to_uppercase()][draw.below(2)].clone(),
        _ => {
            let at = draw.below(mutated.entries.len());
            let index = mutated.entries[at].index;
            mutated.entries[at].index = [index + 1, index.wrapping_sub(1), u64::MAX, index << 32 | index][draw.below(4)];
        }
    }
    mutated.note = (draw.below(2) == 0).then(|| original.signed());
    Some((mutated, May::Refused))
}

/// One bit of one payload; every hash up to the root follows.
fn other_answer(original: &Parts, draw: &mut Draw) -> Option<Parts> {
    let mut mutated = original.clone();
    let name = mutated.payloads.keys().nth(draw.below(mutated.payloads.len()))?.clone();
    let digits = mutated.payloads.get_mut(&name)?;
    let mut bytes = unhex(digits);
    let at = draw.below(bytes.len());
    match draw.below(8) {
        0 => drop(bytes.remove(at)),
        1 => bytes.insert(at, 0),
        _ => bytes[at] ^= 1 << draw.below(8),
    }
    *digits = hex(&bytes);
    Some(mutated)
}

fn answer(_: &Stock, original: &Parts, draw: &mut Draw) -> Option<(Parts, May)> {
    let mutated = other_answer(original, draw)?;
    Some(if draw.below(4) == 0 { (mutated, May::Refused) } else { sealed(original, mutated.rehashed(), draw) })
}

fn answer_resigned(stock: &Stock, original: &Parts, draw: &mut Draw) -> Option<(Parts, May)> {
    Some((other_answer(original, draw)?.rehashed().signed_by(stock.stranger.clone()), May::UnknownSigner))
}

fn profile(_: &Stock, original: &Parts, draw: &mut Draw) -> Option<(Parts, May)> {
    let mut mutated = original.clone();
    let name = mutated.profiles.keys().nth(draw.below(mutated.profiles.len()))?.clone();
    let text = mutated.profiles.get_mut(&name)?;
    *text = change_text(text, draw);
    Some(if draw.below(4) == 0 { (mutated, May::Refused) } else { sealed(original, mutated.rehashed(), draw) })
}

/// Another page, and in part the log's word for it.
fn page(stock: &Stock, original: &Parts, draw: &mut Draw) -> Option<(Parts, May)> {
    let mut mutated = original.clone();
    mutated.page = change_text(&mutated.page, draw);
    if mutated.page == original.page {
        return None;
    }
    let named = |mut parts: Parts| {
        let name = hex(&sha256(&parts.page));
        parts.entries.last_mut().expect("a list").change(|record| record["body"]["page_sha256"] = json!(name));
        parts
    };
    Some(match draw.below(4) {
        0 => (mutated, May::Refused),
        1 => (named(mutated).signed_by(stock.stranger.clone()), May::UnknownSigner),
        2 => (Parts { page: original.page.clone(), ..named(mutated) }, May::Refused),
        _ => sealed(original, named(mutated), draw),
    })
}

fn extra_or_missing(stock: &Stock, original: &Parts, draw: &mut Draw) -> Option<(Parts, May)> {
    let mut mutated = original.clone();
    let payload = |at: usize, parts: &Parts| parts.payloads.keys().nth(at).cloned();
    match draw.below(5) {
        0 => drop(mutated.payloads.remove(&payload(draw.below(mutated.payloads.len()), original)?)),
        1 => {
            let (name, bytes) = stock.log.payloads.iter().nth(draw.below(stock.log.payloads.len()))?;
            mutated.payloads.insert(name.clone(), hex(bytes));
        }
        2 => {
            let name = mutated.profiles.keys().nth(draw.below(mutated.profiles.len()))?.clone();
            mutated.profiles.remove(&name);
        }
        3 => {
            let (name, text) = stock.log.profiles.iter().nth(draw.below(stock.log.profiles.len()))?;
            mutated.profiles.insert(name.clone(), text.clone());
        }
        _ => {
            let name = payload(draw.below(mutated.payloads.len()), original)?;
            let digits = mutated.payloads.get_mut(&name)?;
            *digits = [digits.to_uppercase(), format!("{digits}0"), format!(" {digits}"), String::new()][draw.below(4)].clone();
        }
    }
    Some((mutated, May::Refused))
}

/// The last entry lists the others.
fn relist(parts: &mut Parts) {
    let Some((last, others)) = parts.entries.split_last_mut() else { return };
    let indices: Vec<u64> = others.iter().map(|item| item.index).collect();
    last.change(|record| record["body"]["entries"] = json!(indices));
}

/// Leaves out the payloads and profiles that nothing names any more.
fn only_named(mut parts: Parts) -> Parts {
    let records: String = parts.entries.iter().map(|item| item.record.as_str()).collect();
    parts.payloads.retain(|name, _| records.contains(name.as_str()));
    parts.profiles.retain(|name, _| records.contains(name.as_str()));
    parts
}
