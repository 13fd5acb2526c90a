//! Mutations of exported logs: of what stands in them, of their order, and of two put together.

use serde_json::{Value, json};

use super::{Range, payload_lines, ranges, together};
use crate::draw::Draw;
use crate::log::{Key, canonical, hex, sha256, unhex};
use crate::mutate::{May, Mutant, Stock, change_leaf, change_text, other_note};

/// A changed file, and what a verifier may say of it.
type Changed = Option<(Vec<u8>, May)>;
type Mutation = fn(&Stock, &Range, &mut Draw) -> Changed;

const FIELD_RESIGNED: &str = "a field of a record, signed by a stranger";

/// Kinds of mutation.
pub const KINDS: usize = 18;

const MUTATIONS: [(&str, Mutation); KINDS] = [
    ("a field of a record", record_field),
    (FIELD_RESIGNED, record_field_resigned),
    ("a field of the first line", first_line),
    ("the edge", edge),
    ("a byte of a payload", payload),
    ("a byte of a payload, signed by a stranger", payload_resigned),
    ("a payload elsewhere, twice or not there", payload_moved),
    ("a payload that is called gone", payload_gone),
    ("cut off", cut),
    ("lines dropped", dropped),
    ("lines in another order", reordered),
    ("a line twice", doubled),
    ("two files in one", merged),
    ("the end of another log", spliced),
    ("another checkpoint or note", note),
    ("another key", other_key),
    ("a fork", fork),
    ("wrong, signed by the site", wrong_but_signed),
];

/// Mutants without end.
pub fn mutants(stock: &Stock, seed: u64) -> impl Iterator<Item = Mutant> {
    let (ranges, mut draw) = (ranges(stock), Draw(seed));
    let originals: Vec<Vec<u8>> = ranges.iter().map(Range::bytes).collect();
    let next = move || {
        let at = draw.below(ranges.len());
        let (kind, mutation) = MUTATIONS[draw.below(MUTATIONS.len())];
        let changed = mutation(stock, &ranges[at], &mut draw).filter(|(bytes, _)| !originals.contains(bytes));
        Some(changed.map(|(bytes, may)| Mutant { kind, bytes, may, needs_every_field: kind == FIELD_RESIGNED }))
    };
    std::iter::from_fn(next).flatten()
}

/// The note stands as the site signed it, or its text is that of the changed tree and the signature is the old one.
fn sealed(original: &Range, mut changed: Range, draw: &mut Draw) -> Changed {
    let (signed, own) = (original.signed(), changed.signed());
    let (text, signature) = signed.split_once("\n\n").expect("a note");
    let (own, _) = own.split_once("\n\n").expect("a note");
    changed.note = Some(format!("{}\n\n{signature}", [text, own][draw.below(2)]));
    Some((changed.bytes(), May::Refused))
}

fn change(record: &mut String, change: impl FnOnce(&mut Value)) {
    let mut value: Value = serde_json::from_str(record).expect("a record");
    change(&mut value);
    *record = canonical(&value);
}

fn record_field(_: &Stock, original: &Range, draw: &mut Draw) -> Changed {
    let mut changed = original.clone();
    let at = draw.below(changed.entries.len());
    change(&mut changed.entries[at].0, |record| change_leaf(record, draw));
    sealed(original, changed, draw)
}

/// Somebody else's key in every place where the site's stood.
fn by_stranger(mut range: Range, other: &Key) -> Range {
    (range.public_key, range.origin, range.key) = (other.public(), other.origin(), other.clone());
    let first = range.before.first_mut().or_else(|| range.entries.first_mut().map(|(record, _)| record)).expect("entry 0");
    change(first, |record| record["body"] = other.body());
    range
}

fn record_field_resigned(stock: &Stock, original: &Range, draw: &mut Draw) -> Changed {
    let mut changed = by_stranger(original.clone(), &stock.stranger);
    let at = draw.below(changed.entries.len());
    change(&mut changed.entries[at].0, |record| change_leaf(record, draw));
    Some((changed.bytes(), May::NotAuthentic))
}

fn first_line(stock: &Stock, original: &Range, draw: &mut Draw) -> Changed {
    let mut changed = original.clone();
    let number = original.before.len() as u64;
    match draw.below(7) {
        0 => {
            changed.format =
                [change_text(&changed.format, draw), "nameplate-log/2".into(), "nameplate-evidence/1".into()][draw.below(3)].clone()
        }
        1 => changed.origin = [change_text(&changed.origin, draw), stock.stranger.origin()][draw.below(2)].clone(),
        2 => changed.public_key = [change_text(&changed.public_key, draw), changed.public_key.to_uppercase()][draw.below(2)].clone(),
        3 => changed.first = Some([number + 1, number.wrapping_sub(1), u64::MAX, 0, number << 32 | 1][draw.below(5)]),
        4 => changed.payloads = !changed.payloads,
        5 => {
            // The site's own word for a key that the log does not have.
            let body = stock.log.key.change(&stock.log.key.origin(), &stock.stranger);
            changed.keys.push(json!({ "public_key": body["public_key"], "signature": body["signature"] }));
        }
        _ => {
            let mut lines = original.lines();
            let mut first: Value = serde_json::from_str(&lines[0]).expect("a first line");
            change_leaf(&mut first, draw);
            lines[0] = canonical(&first);
            return Some((together(&lines), May::Refused));
        }
    }
    changed.note = (draw.below(2) == 0).then(|| original.signed());
    Some((changed.bytes(), May::Refused))
}

fn edge(_: &Stock, original: &Range, draw: &mut Draw) -> Changed {
    let first: Value = serde_json::from_str(&original.first_line()).expect("a first line");
    let mut hashes: Vec<String> = first["edge"].as_array()?.iter().filter_map(|hash| hash.as_str().map(str::to_owned)).collect();
    let at = draw.below(hashes.len().max(1));
    match draw.below(6) {
        0 => drop(hashes.pop()?),
        1 => hashes.push(hex(&[0; 32])),
        2 => hashes.insert(at, hashes.get(at)?.clone()),
        3 => hashes.reverse(),
        4 => *hashes.get_mut(at)? = hashes.get(at)?.to_uppercase(),
        _ => {
            let mut bytes = unhex(hashes.get(at)?);
            bytes[draw.below(32)] ^= 1 << draw.below(8);
            hashes[at] = hex(&bytes);
        }
    }
    Some((Range { edge: Some(hashes), note: Some(original.signed()), ..original.clone() }.bytes(), May::Refused))
}

/// One bit of one payload, or its digits in another spelling; and the name that it had, and has now.
fn other_payload(original: &Range, draw: &mut Draw) -> Option<(Range, String, String)> {
    let mut changed = original.clone();
    let mut lines: Vec<&mut String> = changed.entries.iter_mut().flat_map(|(_, lines)| lines).collect();
    let at = draw.below(lines.len());
    let line = lines.get_mut(at)?;
    let digits = line.strip_prefix("{\"payload\":\"")?.strip_suffix("\"}")?;
    let mut bytes = unhex(digits);
    let name = hex(&sha256(&bytes));
    let place = draw.below(bytes.len());
    match draw.below(8) {
        0 => drop(bytes.remove(place)),
        1 => bytes.insert(place, 0),
        _ => bytes[place] ^= 1 << draw.below(8),
    }
    **line = payload_lines(&bytes).concat();
    Some((changed, name, hex(&sha256(&bytes))))
}

fn renamed(mut range: Range, old: &str, new: &str) -> Range {
    range.entries.iter_mut().for_each(|(record, _)| *record = record.replace(old, new));
    range.before.iter_mut().for_each(|record| *record = record.replace(old, new));
    range
}

fn payload(_: &Stock, original: &Range, draw: &mut Draw) -> Changed {
    let (mut changed, old, new) = other_payload(original, draw)?;
    match draw.below(4) {
        0 => Some((changed.bytes(), May::Refused)),
        1 => {
            let at = changed.entries.iter().position(|(_, lines)| !lines.is_empty())?;
            let line = &mut changed.entries[at].1[0];
            let other = [line.to_uppercase(), line.replace("payload", "part"), line.replace("\"}", "0\"}"), line.replace("\":", "\": ")];
            *line = other[draw.below(4)].clone();
            Some((changed.bytes(), May::Refused))
        }
        _ => sealed(original, renamed(changed, &old, &new), draw),
    }
}

fn payload_resigned(stock: &Stock, original: &Range, draw: &mut Draw) -> Changed {
    let (changed, old, new) = other_payload(original, draw)?;
    Some((by_stranger(renamed(changed, &old, &new), &stock.stranger).bytes(), May::UnknownSigner))
}

fn payload_moved(stock: &Stock, original: &Range, draw: &mut Draw) -> Changed {
    let mut changed = original.clone();
    let (one, other) = (draw.below(changed.entries.len()), draw.below(changed.entries.len()));
    let at = draw.below(changed.entries[one].1.len().max(1));
    match draw.below(4) {
        0 if at < changed.entries[one].1.len() => drop(changed.entries[one].1.remove(at)),
        1 => {
            let line = changed.entries[one].1.get(at)?.clone();
            changed.entries[other].1.push(line);
        }
        2 => {
            let line = changed.entries[one].1.get(at)?.clone();
            changed.entries[one].1.remove(at);
            changed.entries[other].1.insert(0, line);
        }
        _ => {
            let bytes = stock.log.payloads.values().nth(draw.below(stock.log.payloads.len()))?;
            changed.entries[one].1.extend(payload_lines(bytes));
        }
    }
    Some((changed.bytes(), May::Refused))
}

fn payload_gone(_: &Stock, original: &Range, draw: &mut Draw) -> Changed {
    let mut changed = original.clone();
    let mut lines: Vec<&mut String> = changed.entries.iter_mut().flat_map(|(_, lines)| lines).collect();
    let at = draw.below(lines.len());
    let line = lines.get_mut(at)?;
    let bytes = unhex(line.strip_prefix("{\"payload\":\"")?.strip_suffix("\"}")?);
    let gone = |name: &str| format!("{{\"gone\":\"{name}\"}}");
    let (name, other) = (hex(&sha256(&bytes)), hex(&sha256(b"another")));
    // The true name leaves a file that holds less, and says so; it is not the authentic one.
    let (name, may) =
        [(name.clone(), May::NotAuthentic), (other, May::Refused), (name.to_uppercase(), May::Refused)][draw.below(3)].clone();
    **line = gone(&name);
    Some((changed.bytes(), may))
}

fn cut(_: &Stock, original: &Range, draw: &mut Draw) -> Changed {
    let bytes = original.bytes();
    let lines = original.lines();
    Some(match draw.below(3) {
        0 => (bytes[..draw.below(bytes.len())].to_vec(), May::Refused),
        1 => (together(&lines[..draw.below(lines.len())]), May::Refused),
        _ => (bytes[draw.below(bytes.len() - 1) + 1..].to_vec(), May::Refused),
    })
}

fn dropped(_: &Stock, original: &Range, draw: &mut Draw) -> Changed {
    let mut changed = original.clone();
    let at = draw.below(changed.entries.len());
    changed.entries.remove(at);
    if draw.below(2) == 0 {
        // The indices behind it close the gap.
        for (number, (record, _)) in changed.entries.iter_mut().enumerate().skip(at) {
            change(record, |record| record["index"] = json!(number + original.before.len()));
        }
    }
    sealed(original, changed, draw)
}

fn reordered(_: &Stock, original: &Range, draw: &mut Draw) -> Changed {
    let mut lines = original.lines();
    let (one, other) = (draw.below(lines.len()), draw.below(lines.len()));
    if draw.below(3) == 0 {
        let mut changed = original.clone();
        let (one, other) = (one % changed.entries.len(), other % changed.entries.len());
        changed.entries.swap(one, other);
        for at in [one, other] {
            change(&mut changed.entries[at].0, |record| record["index"] = json!(at + original.before.len()));
        }
        return (one != other).then(|| sealed(original, changed, draw)).flatten();
    }
    lines.swap(one, other);
    Some((together(&lines), May::Refused))
}

fn doubled(_: &Stock, original: &Range, draw: &mut Draw) -> Changed {
    let mut lines = original.lines();
    let (one, to) = (draw.below(lines.len()), draw.below(lines.len() + 1));
    let to = if draw.below(2) == 0 { one } else { to };
    lines.insert(to, lines[one].clone());
    Some((together(&lines), May::Refused))
}

fn merged(stock: &Stock, original: &Range, draw: &mut Draw) -> Changed {
    let others = ranges(stock);
    let (mut lines, other) = (original.lines(), others[draw.below(others.len())].lines());
    match draw.below(5) {
        0 => lines.extend(other),
        1 => lines.extend(other.into_iter().skip(1)),
        2 => lines.insert(draw.below(lines.len() + 1), [String::new(), " ".into(), "{}".into(), "null".into()][draw.below(4)].clone()),
        3 => lines = lines.into_iter().map(|line| line + "\r").collect(),
        _ => drop(lines.splice(1..1, other.into_iter().skip(1))),
    }
    Some((together(&lines), May::Refused))
}

/// The site's beginning and a stranger's end, or the other way round; or another history's.
fn spliced(stock: &Stock, original: &Range, draw: &mut Draw) -> Changed {
    let mut other = original.clone();
    for (record, _) in &mut other.entries {
        change(record, |record| record["time_ns"] = json!(record["time_ns"].as_u64().unwrap_or_default() ^ 1));
    }
    if draw.below(2) == 0 {
        other = by_stranger(other, &stock.stranger);
    }
    let (mine, theirs) = (original.lines(), other.lines());
    let at = 1 + draw.below(mine.len() - 1);
    let lines = if draw.below(2) == 0 { [&mine[..at], &theirs[at..]] } else { [&theirs[..at], &mine[at..]] }.concat();
    // Payloads alone at the end are those of either.
    (lines != theirs).then(|| (together(&lines), May::Refused))
}

fn note(stock: &Stock, original: &Range, draw: &mut Draw) -> Changed {
    let mut changed = original.clone();
    if draw.below(3) > 0 {
        changed.note = Some(other_note(stock, &original.signed(), draw));
        return Some((changed.bytes(), May::Refused));
    }
    // The site's own, of another day: older, or newer.
    let mut other = original.clone();
    if draw.below(2) == 0 && other.entries.len() > 1 {
        other.entries.truncate(1 + draw.below(other.entries.len() - 1));
    } else {
        let index = other.before.len() + other.entries.len();
        let record = json!({ "body": { "kind": "touch", "line": "{}" }, "index": index, "time_ns": 1 });
        other.entries.push((canonical(&record), Vec::new()));
    }
    changed.note = Some(other.signed());
    Some((changed.bytes(), May::Refused))
}

fn other_key(stock: &Stock, original: &Range, draw: &mut Draw) -> Changed {
    let seed = u8::try_from(draw.below(200)).unwrap_or_default();
    let other = if seed == 0 { stock.stranger.clone() } else { Key::of(seed) };
    if other.public() == original.public_key {
        return None;
    }
    let whole = by_stranger(original.clone(), &other);
    let (changed, may) = match draw.below(5) {
        0 | 1 => {
            let may = if original.payloads { May::UnknownSigner } else { May::NotAuthentic };
            (whole, may)
        }
        2 => (Range { key: other, ..original.clone() }, May::Refused),
        3 => (Range { public_key: other.public(), key: other, ..original.clone() }, May::Refused),
        _ => (Range { note: Some(original.signed()), ..whole }, May::Refused),
    };
    Some((changed.bytes(), may))
}

/// Another history of the same length under the site's note.
fn fork(_: &Stock, original: &Range, draw: &mut Draw) -> Changed {
    let mut other = original.clone();
    let all = other.before.len() + other.entries.len();
    let at = draw.below(all);
    let record = match at.checked_sub(other.before.len()) {
        Some(inside) => &mut other.entries[inside].0,
        None => &mut other.before[at],
    };
    change(record, |record| record["time_ns"] = json!(record["time_ns"].as_u64().unwrap_or_default() ^ 1));
    sealed(original, other, draw)
}

/// The site's key signs what no exporter would write.
fn wrong_but_signed(stock: &Stock, original: &Range, draw: &mut Draw) -> Changed {
    let mut changed = original.clone();
    let (at, index) = (draw.below(changed.entries.len()), changed.before.len());
    let behind = if index == 0 { 1 + draw.below(changed.entries.len() - 1) } else { at };
    let (record, lines) = &mut changed.entries[if draw.below(2) == 0 { at } else { behind }];
    match draw.below(8) {
        0 => change(record, |record| record["index"] = json!(record["index"].as_u64().unwrap_or_default() + 1)),
        1 => record.insert(1, ' '),
        2 => change(record, |record| record["extra"] = json!(true)),
        3 => change(record, |record| record["body"]["kind"] = json!("later")),
        4 => change(record, |record| record["body"] = json!({ "kind": "key", "origin": "x", "public_key": stock.stranger.public() })),
        5 => lines.push("{\"payload\":\"\"}".to_owned()),
        6 => change(record, |record| record["body"] = stock.stranger.change(&original.origin, &stock.stranger)),
        _ => {
            changed.origin = format!("nameplate/{:016x}", draw.below(usize::MAX));
        }
    }
    Some((changed.bytes(), May::Refused))
}
