//! Proofs, notes and keys: what hangs on the signature, what somebody else signed, and what the site signed and never should have.

use serde_json::{Value, json};

use super::{May, Stock, change_text, only_named, relist};
use crate::draw::Draw;
use crate::log::{Item, Key, Parts, canonical, hex, root, unhex};

pub fn proof(_: &Stock, original: &Parts, draw: &mut Draw) -> Option<(Parts, May)> {
    let mut mutated = original.clone();
    let bundle: Value = serde_json::from_slice(&original.bytes()).expect("a bundle");
    let at = draw.below(mutated.entries.len());
    let mut steps: Vec<String> =
        bundle["entries"][at]["proof"].as_array()?.iter().filter_map(|step| step.as_str().map(str::to_owned)).collect();
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
pub fn other_checkpoint(_: &Stock, original: &Parts, draw: &mut Draw) -> Option<(Parts, May)> {
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

pub fn note(stock: &Stock, original: &Parts, draw: &mut Draw) -> Option<(Parts, May)> {
    let other = other_note(stock, &original.signed(), draw);
    Some((Parts { note: Some(other), ..original.clone() }, May::Refused))
}

/// A note that is not quite what the site signed.
pub fn other_note(stock: &Stock, signed: &str, draw: &mut Draw) -> String {
    let text = signed.split_once("\n\n").expect("a note").0.to_owned() + "\n";
    let theirs = stock.stranger.signature_line(&stock.stranger.origin(), &text);
    match draw.below(9) {
        0 => format!("{signed}{theirs}\n"),
        1 => format!("{text}\n{theirs}\n"),
        2 => signed.replacen('\n', "\r\n", 1),
        3 => signed.trim_end().to_owned(),
        4 => signed.replace("\u{2014} ", "- "),
        5 => format!("{signed}\n"),
        6 => signed.replacen("\n\n", "\nextension line\n\n", 1),
        7 => same_bits(signed),
        _ => change_text(signed, draw),
    }
}

/// 68 bytes end in a base64 character of which two bits do not count: another one stands for the same bytes.
fn same_bits(note: &str) -> String {
    let (before, last) = note.trim_end().trim_end_matches('=').split_at(note.trim_end().trim_end_matches('=').len() - 1);
    let next = char::from(last.as_bytes()[0] + 1);
    format!("{before}{next}=\n")
}

/// A stranger signs; wholly, with every place changed where the key stands, or in part.
pub fn other_key(stock: &Stock, original: &Parts, draw: &mut Draw) -> Option<(Parts, May)> {
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
pub fn fork(_: &Stock, original: &Parts, draw: &mut Draw) -> Option<(Parts, May)> {
    let mut other = original.clone();
    let forked = draw.below(other.log.len());
    let mut item = Item { index: forked as u64, record: other.log[forked].clone(), proof: None };
    item.change(|record| record["time_ns"] = json!(record["time_ns"].as_u64().unwrap_or_default() ^ 1));
    other.log[forked] = item.record.clone();
    if let Some(own) = other.entries.iter_mut().find(|own| own.index == item.index) {
        own.record.clone_from(&item.record);
    }
    if draw.below(2) == 0 {
        let (mine, theirs): (Value, Value) =
            (serde_json::from_slice(&original.bytes()).ok()?, serde_json::from_slice(&other.bytes()).ok()?);
        let steps = |bundle: &Value, at: usize| {
            bundle["entries"][at]["proof"].as_array().map(|steps| steps.iter().filter_map(|s| s.as_str().map(str::to_owned)).collect())
        };
        for at in 0..other.entries.len() {
            other.entries[at].proof = steps(if draw.below(2) == 0 { &mine } else { &theirs }, at);
        }
    }
    other.note = Some(original.signed());
    Some((other, May::Refused))
}

/// The site's key signs what no exporter would write: the rules hold beside the signature.
pub fn wrong_but_signed(stock: &Stock, original: &Parts, draw: &mut Draw) -> Option<(Parts, May)> {
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
    let origin = format!("nameplate/{:016x}", draw.below(usize::MAX));
    if draw.below(2) == 0 {
        parts.note = Some(parts.key.note_as(&origin, parts.log.len() as u64, &root(&parts.leaves())));
        return parts;
    }
    parts.origin = origin;
    let body = json!({ "kind": "key", "origin": parts.origin, "public_key": parts.public_key });
    parts.entries[0].change(|record| record["body"] = body);
    parts.note = Some(parts.key.note_as(&parts.origin, parts.log.len() as u64, &root(&parts.leaves())));
    parts
}

/// The list in an evidence record.
fn listed(record: &mut Value) -> &mut Vec<Value> {
    record["body"]["entries"].as_array_mut().expect("a list")
}
