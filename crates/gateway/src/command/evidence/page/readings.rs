//! Readings: what was claimed, and the bytes it came from, marked.

use std::collections::BTreeMap;

use nameplate_core::claim::Claim;
use nameplate_core::ledger::{Body, Observed};
use nameplate_core::observation::{Source, rfc3339};
use nameplate_core::profile::Matched;

use super::{Content, table};
use crate::print;
use crate::sheet::book::Tint;
use crate::sheet::page::{heading, marked, paragraph, tables};

/// Readings that are shown, the last ones; the others are in the bundle.
const READINGS_MAX: usize = 200;
/// Bytes of a message that are shown.
const DUMP_BYTES_MAX: usize = 4096;
/// Bytes on one line of a dump.
const LINE_BYTES: usize = 16;

/// Every reading with its claims and its messages.
pub fn section(content: &Content<'_>) -> String {
    let of_reading = |entry: &nameplate_core::ledger::Entry| match &entry.body {
        Body::Observation(observed) if !observed.observation.messages.is_empty() => Some((entry.index, observed.clone())),
        _ => None,
    };
    let all: Vec<(u64, Observed)> = content.entries.iter().filter_map(of_reading).collect();
    if all.is_empty() {
        return String::new();
    }
    let skipped = all.len().saturating_sub(READINGS_MAX);
    let mut text = heading("Readings");
    if skipped > 0 {
        text += &paragraph(&format!("{skipped} earlier readings are in the bundle."));
    }
    text + &all.iter().skip(skipped).map(|(index, observed)| reading(content.payloads, *index, observed)).collect::<String>()
}

/// The profile that gave a meaning, in words.
pub fn profile(observed: &Observed) -> String {
    match &observed.interpretation.matched {
        Matched::One(id) | Matched::Fallback(id) => id.clone(),
        Matched::None => "none".to_owned(),
        Matched::Several(ids) => format!("several, so nothing is claimed: {}", ids.join(", ")),
    }
}

/// One reading for people: where it comes from, what it claims, and its bytes; `payloads` are those of its messages by their SHA-256.
pub fn reading(payloads: &BTreeMap<String, Vec<u8>>, index: u64, observed: &Observed) -> String {
    let observation = &observed.observation;
    let way = match &observation.source {
        Source::Asked { reason } => format!("asked for {reason}"),
        Source::Capture { file, frame } => format!("heard in {file}, frame {frame}"),
        Source::Live { interface, frame } => format!("heard on {interface}, frame {frame}"),
        other @ (Source::Imported { .. } | Source::ByHand { .. }) => crate::lines::way(other).to_owned(),
    };
    let place = crate::lines::place(&observation.address);
    let mut text = paragraph(&format!(
        "Entry {index}, {}: {place} answering {}, {way}. Read by {}, profile {}.",
        rfc3339(observation.time_ns),
        observation.question,
        observed.decoder,
        profile(observed),
    ));
    let claims = &observed.interpretation.claims;
    let believed = &observed.interpretation.believed;
    let rows =
        claims.iter().map(|claim| row(claim, "")).chain(believed.iter().map(|claim| row(claim, "believed by another, not claimed: ")));
    let claimed = table("", &["field", "value", "grade", "from", "message", "bytes"], rows.collect());
    if !claimed.rows.is_empty() {
        text += &tables(&[claimed]);
    }
    text += &observation.malformed.iter().map(|what| paragraph(&format!("malformed: {what}"))).collect::<String>();
    for (at, name) in observation.messages.iter().enumerate() {
        let bytes = payloads.get(name).map(Vec::as_slice).unwrap_or_default();
        let side = if at < observation.asked { "the question" } else { "the answer" };
        let told = format!("Message {} ({side}), {}, SHA-256 {name}", at.saturating_add(1), print::count(bytes.len() as u64, "byte"));
        text += &(paragraph(&told) + &dump(bytes, claims.iter().chain(believed).filter(|claim| claim.message == at)));
    }
    text
}

fn row(claim: &Claim, whose: &str) -> (Tint, Vec<String>) {
    let normal = claim.normal.as_ref().map(|normal| format!(" (in order as {normal})")).unwrap_or_default();
    let cells = [
        format!("{whose}{} of {}", claim.field.name(), claim.component),
        format!("{}{normal}", claim.value),
        claim.grade.name().to_owned(),
        claim.rule.clone(),
        claim.message.saturating_add(1).to_string(),
        format!("{} from offset {}", claim.length, claim.offset),
    ];
    (Tint::Plain, cells.to_vec())
}

/// Bytes in hexadecimal and as text, those of claims marked.
fn dump<'a>(bytes: &[u8], claims: impl Iterator<Item = &'a Claim>) -> String {
    let places: Vec<(usize, usize)> = claims.map(|claim| (claim.offset, claim.offset.saturating_add(claim.length))).collect();
    let is_marked = |at: usize| places.iter().any(|(from, until)| (*from..*until).contains(&at));
    let mut cells = Vec::new();
    let shown = bytes.get(..DUMP_BYTES_MAX).unwrap_or(bytes);
    for (line, chunk) in shown.chunks(LINE_BYTES).enumerate() {
        let from = line * LINE_BYTES;
        cells.push((false, format!("{from:04x}  ")));
        cells.extend(chunk.iter().enumerate().map(|(at, byte)| (is_marked(from + at), format!("{byte:02x} "))));
        cells.push((false, format!("{}  ", "   ".repeat(LINE_BYTES - chunk.len()))));
        let letter = |byte: u8| if (0x20..0x7f).contains(&byte) { char::from(byte) } else { '.' };
        cells.extend(chunk.iter().enumerate().map(|(at, byte)| (is_marked(from + at), letter(*byte).to_string())));
        cells.push((false, "\n".to_owned()));
    }
    if shown.len() < bytes.len() {
        cells.push((false, format!("and {} more bytes\n", bytes.len() - shown.len())));
    }
    marked(&cells)
}
