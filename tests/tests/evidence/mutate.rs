//! Mutations of a parsed bundle. What nobody signed is worked out anew after each: hashes, names, proofs, the root in the note.

use crate::draw::Draw;
use serde_json::{Value, json};

use crate::log::{Item, Key, Log, Parts, canonical, hex, root, unhex};

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
pub const KINDS: usize = 19;

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
fn change_leaf(value: &mut Value, draw: &mut Draw) {
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

fn change_text(text: &str, draw: &mut Draw) -> String {
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

fn dropped(_: &Stock, original: &Parts, draw: &mut Draw) -> Option<(Parts, May)> {
    let mut mutated = original.clone();
    mutated.entries.remove(draw.below(mutated.entries.len()));
    mutated.note = Some(original.signed());
    Some((only_named(mutated), May::Refused))
}

/// The list that the log holds is made to fit; only the signature speaks against it.
fn dropped_and_unlisted(_: &Stock, original: &Parts, draw: &mut Draw) -> Option<(Parts, May)> {
    let mut mutated = original.clone();
    mutated.entries.remove(1 + draw.below(mutated.entries.len() - 2));
    relist(&mut mutated);
    Some(sealed(original, only_named(mutated), draw))
}

fn reordered(_: &Stock, original: &Parts, draw: &mut Draw) -> Option<(Parts, May)> {
    let mut mutated = original.clone();
    let (one, other) = (draw.below(mutated.entries.len()), draw.below(mutated.entries.len()));
    if one == other {
        return None;
    }
    mutated.entries.swap(one, other);
    if draw.below(2) == 0 {
        // The places are swapped, the indices stay: each record says the index at which it stands now.
        let (first, second) = (mutated.entries[one].index, mutated.entries[other].index);
        for (at, index) in [(one, second), (other, first)] {
            mutated.entries[at].index = index;
            mutated.entries[at].change(|record| record["index"] = json!(index));
        }
        return Some(sealed(original, mutated, draw));
    }
    mutated.note = Some(original.signed());
    Some((mutated, May::Refused))
}

fn doubled(_: &Stock, original: &Parts, draw: &mut Draw) -> Option<(Parts, May)> {
    let mut mutated = original.clone();
    let at = draw.below(mutated.entries.len());
    mutated.entries.insert(at, mutated.entries[at].clone());
    if draw.below(2) == 0 {
        relist(&mut mutated);
    }
    Some(sealed(original, mutated, draw))
}

/// An entry of the same log that is not this subject's, with its true proof.
fn foreign_entry(_: &Stock, original: &Parts, draw: &mut Draw) -> Option<(Parts, May)> {
    let mut mutated = original.clone();
    let index = draw.below(mutated.log.len()) as u64;
    let at = mutated.entries.iter().position(|item| item.index >= index)?;
    let item = Item { index, record: mutated.log[index as usize].clone(), proof: None };
    match draw.below(2) {
        0 => mutated.entries.insert(at, item),
        _ => mutated.entries[at] = item,
    }
    mutated.note = Some(original.signed());
    Some((mutated, May::Refused))
}

/// A part of one observation goes to another one, in this bundle or in another asset's.
fn swapped(stock: &Stock, original: &Parts, draw: &mut Draw) -> Option<(Parts, May)> {
    let mut mutated = original.clone();
    let is_observation = |item: &Item| item.value()["body"]["kind"] == "observation";
    let here: Vec<usize> = (0..mutated.entries.len()).filter(|at| is_observation(&mutated.entries[*at])).collect();
    let (subject, entries) = &stock.subjects[draw.below(stock.subjects.len())];
    let others: Vec<Item> = stock.log.bundle(subject, entries).entries.into_iter().filter(is_observation).collect();
    let (at, other) = (here[draw.below(here.len())], others[draw.below(others.len())].value());
    let pointer = ["/body/interpretation", "/body/interpretation/claims", "/body/observation/address", "/body/observation/messages", "/body/profile_sha256", "/body"];
    let pointer = pointer[draw.below(pointer.len())];
    mutated.entries[at].change(|record| *record.pointer_mut(pointer).expect("an observation") = other.pointer(pointer).expect("another").clone());
    let named = stock.log.bundle(subject, entries);
    mutated.payloads.extend(named.payloads);
    mutated.profiles.extend(named.profiles);
    Some(sealed(original, only_named(mutated), draw))
}

fn proof(_: &Stock, original: &Parts, draw: &mut Draw) -> Option<(Parts, May)> {
    let mut mutated = original.clone();
    let bundle: Value = serde_json::from_slice(&original.bytes()).expect("a bundle");
    let at = draw.below(mutated.entries.len());
    let mut steps: Vec<String> = bundle["entries"][at]["proof"].as_array()?.iter().filter_map(|step| step.as_str().map(str::to_owned)).collect();
    let step = draw.below(steps.len().max(1));
    match draw.below(6) {
        0 => drop(steps.pop()),
        1 => steps.push(hex(&[0; 32])),
        2 => steps.insert(step, steps.get(step)?.clone()),
        3 => steps.reverse(),
        4 => *steps.get_mut(step)? = steps.get(step)?.to_uppercase(),
        _ => {
            let mut bytes = unhex(steps.get(step)?);
            bytes[draw.below(32)] ^= 1 << draw.below(8);
            steps[step] = hex(&bytes);
        }
    }
    mutated.entries[at].proof = Some(steps);
    Some((mutated, May::Refused))
}

/// The site's own checkpoint of another day, with every proof in that day's tree.
fn other_checkpoint(_: &Stock, original: &Parts, draw: &mut Draw) -> Option<(Parts, May)> {
    let mut mutated = original.clone();
    if draw.below(2) == 0 {
        for _ in 0..=draw.below(4) {
            let index = mutated.log.len();
            mutated.log.push(canonical(&json!({ "body": { "kind": "touch", "line": "{}" }, "index": index, "time_ns": 1 })));
        }
        return Some((mutated, May::Refused));
    }
    let size = 1 + draw.below(mutated.log.len() - 1);
    mutated.note = Some(Parts { log: mutated.log[..size].to_vec(), ..mutated.clone() }.signed());
    if draw.below(2) == 0 {
        mutated.log.truncate(size);
        mutated.entries.retain(|item| (item.index as usize) < size);
        mutated = only_named(mutated);
    }
    Some((mutated, May::Refused))
}

fn note(stock: &Stock, original: &Parts, draw: &mut Draw) -> Option<(Parts, May)> {
    let signed = original.signed();
    let text = signed.split_once("\n\n").expect("a note").0.to_owned() + "\n";
    let theirs = stock.stranger.signature_line(&stock.stranger.origin(), &text);
    let other = match draw.below(9) {
        0 => format!("{signed}{theirs}\n"),
        1 => format!("{text}\n{theirs}\n"),
        2 => signed.replacen('\n', "\r\n", 1),
        3 => signed.trim_end().to_owned(),
        4 => signed.replace("\u{2014} ", "- "),
        5 => format!("{signed}\n"),
        6 => signed.replacen("\n\n", "\nextension line\n\n", 1),
        7 => same_bits(&signed),
        _ => change_text(&signed, draw),
    };
    Some((Parts { note: Some(other), ..original.clone() }, May::Refused))
}

/// 68 bytes end in a base64 character of which two bits do not count: another one stands for the same bytes.
fn same_bits(note: &str) -> String {
    let (before, last) = note.trim_end().trim_end_matches('=').split_at(note.trim_end().trim_end_matches('=').len() - 1);
    let next = char::from(last.as_bytes()[0] + 1);
    format!("{before}{next}=\n")
}

/// A stranger signs; wholly, with every place changed where the key stands, or in part.
fn other_key(stock: &Stock, original: &Parts, draw: &mut Draw) -> Option<(Parts, May)> {
    let seed = u8::try_from(draw.below(200)).unwrap_or_default();
    let other = if seed == 0 { stock.stranger.clone() } else { Key::of(seed) };
    if other.public() == original.public_key {
        return None;
    }
    let whole = original.clone().signed_by(other.clone());
    Some(match draw.below(5) {
        0 | 1 => (whole, May::UnknownSigner),
        2 => (Parts { key: other, ..original.clone() }, May::Refused),
        3 => (Parts { public_key: other.public(), origin: other.origin(), key: other, ..original.clone() }, May::Refused),
        _ => (Parts { note: Some(original.signed()), ..whole }, May::Refused),
    })
}

/// Another history of the same length behind the same list; its entries, all or some, and either tree's note.
fn fork(_: &Stock, original: &Parts, draw: &mut Draw) -> Option<(Parts, May)> {
    let mut other = original.clone();
    let forked = draw.below(other.log.len());
    let mut item = Item { index: forked as u64, record: other.log[forked].clone(), proof: None };
    item.change(|record| record["time_ns"] = json!(record["time_ns"].as_u64().unwrap_or_default() ^ 1));
    other.log[forked] = item.record.clone();
    if let Some(own) = other.entries.iter_mut().find(|own| own.index == item.index) {
        own.record.clone_from(&item.record);
    }
    if draw.below(2) == 0 {
        let (mine, theirs): (Value, Value) = (serde_json::from_slice(&original.bytes()).ok()?, serde_json::from_slice(&other.bytes()).ok()?);
        let steps = |bundle: &Value, at: usize| bundle["entries"][at]["proof"].as_array().map(|steps| steps.iter().filter_map(|s| s.as_str().map(str::to_owned)).collect());
        for at in 0..other.entries.len() {
            other.entries[at].proof = steps(if draw.below(2) == 0 { &mine } else { &theirs }, at);
        }
    }
    other.note = Some(original.signed());
    Some((other, May::Refused))
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

/// The site's key signs what no exporter would write: the rules hold beside the signature.
fn wrong_but_signed(stock: &Stock, original: &Parts, draw: &mut Draw) -> Option<(Parts, May)> {
    let mut mutated = original.clone();
    let (last, at) = (mutated.entries.len() - 1, draw.below(mutated.entries.len()));
    match draw.below(13) {
        0 => mutated.entries[last].change(|record| drop(listed(record).pop())),
        1 => mutated.entries[last].change(|record| listed(record).push(json!(u64::MAX))),
        2 => drop(mutated.entries.remove(draw.below(last))),
        3 => mutated.entries[at].change(|record| record["index"] = json!(record["index"].as_u64().unwrap_or_default() + 1)),
        4 => mutated.entries[0].change(|record| record["body"] = stock.stranger.body()),
        5 => mutated.entries[1 + draw.below(last - 1)].change(|record| record["body"] = original.key.body()),
        6 => mutated.entries[last].change(|record| record["body"] = json!({ "kind": "touch", "line": "{}" })),
        7 => mutated.entries[at].record.insert(1, ' '),
        8 => mutated.entries[at].change(|record| record["extra"] = json!(true)),
        9 => mutated.entries[1 + draw.below(last - 1)].change(|record| record["body"]["kind"] = json!("later")),
        10 => {
            mutated.entries.swap(1, 2);
            relist(&mut mutated);
        }
        11 => {
            mutated.entries.insert(at, mutated.entries[at].clone());
            relist(&mut mutated);
        }
        _ => mutated = misnamed(mutated, draw),
    }
    Some((only_named(mutated), May::Refused))
}

/// The site signs under a name or a key id that is not its own.
fn misnamed(mut parts: Parts, draw: &mut Draw) -> Parts {
    if draw.below(2) == 0 {
        // The key id is the first 4 of the 68 bytes behind the last blank: six characters hold no bit of the signature but in the last.
        let note = parts.signed();
        let (before, blob) = note.rsplit_once(' ').expect("a signature line");
        let first = if blob.starts_with('A') { 'B' } else { 'A' };
        parts.note = Some(format!("{before} {first}{}", &blob[1..]));
        return parts;
    }
    parts.origin = format!("nameplate/{:016x}", draw.below(usize::MAX));
    let body = json!({ "kind": "key", "origin": parts.origin, "public_key": parts.public_key });
    parts.entries[0].change(|record| record["body"] = body);
    parts.note = Some(parts.key.note_as(&parts.origin, parts.log.len() as u64, &root(&parts.leaves())));
    parts
}

/// The list in an evidence record.
fn listed(record: &mut Value) -> &mut Vec<Value> {
    record["body"]["entries"].as_array_mut().expect("a list")
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
