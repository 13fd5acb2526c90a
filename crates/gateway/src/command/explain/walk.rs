//! From a field back to the profile's rule, the observation and the bytes: as a program reads it, and as a person does.

use nameplate_core::catalog::{Asset, Current, Recorded};
use nameplate_core::claim::Field;
use nameplate_core::ledger::{Body, Observed};
use nameplate_core::observation::{Source, hex, rfc3339, unhex};
use nameplate_core::profile::ProfileSet;
use nameplate_core::text::printable;
use serde::Serialize;
use utoipa::ToSchema;

use crate::failure::Failure;
use crate::lines::place;
use crate::store::Store;

/// Bytes on one line of a dump.
const DUMP_BYTES: usize = 16;

/// A field of one part of a device, and what it rests on.
#[derive(Serialize, ToSchema)]
pub struct Walk {
    asset: String,
    component: String,
    field: &'static str,
    value: String,
    /// As versions are ordered by, where that is not the value itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    normal: Option<String>,
    grade: &'static str,
    /// What was read; absent where a list or a person said it.
    #[serde(skip_serializing_if = "Option::is_none")]
    read: Option<Read>,
    /// Which list or person said it; absent where it was read.
    #[serde(skip_serializing_if = "Option::is_none")]
    said: Option<Said>,
    /// What others say, the newest word of each.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    otherwise: Vec<Otherwise>,
}

/// A rule of a profile, applied to an answer.
#[derive(Serialize, ToSchema)]
struct Read {
    profile: String,
    /// The fact of which the rule made it: `modbus.object.2`.
    rule: String,
    /// Whether the profile is the one of then, in words.
    profile_then: String,
    /// The observation's id.
    observation: String,
    /// Where and when it was heard or asked, in words.
    origin: String,
    /// The ledger's entry.
    entry: u64,
    /// Which of the answer's messages, from 1.
    message: usize,
    /// Where in it the value stands, in bytes.
    offset: usize,
    /// How many bytes the value has there.
    length: usize,
    /// The message in hexadecimal digits; absent where it was pruned.
    #[serde(skip_serializing_if = "Option::is_none")]
    bytes: Option<String>,
}

/// A word without bytes behind it.
#[derive(Serialize, ToSchema)]
struct Said {
    /// `imported` or `read`: off the device itself.
    how: &'static str,
    time: String,
    /// Of whom, in words.
    from: String,
}

/// Somebody else's word.
#[derive(Serialize, ToSchema)]
struct Otherwise {
    value: String,
    profile: String,
    rule: String,
    grade: &'static str,
}

/// Each of these fields, of each part that has it.
///
/// # Errors
/// The store's.
pub fn walks(asset: &Asset, fields: &[Field], store: &Store, profiles: &ProfileSet) -> Result<Vec<Walk>, Failure> {
    let each = fields.iter().flat_map(|field| asset.components().into_iter().filter_map(|component| asset.current(component, *field)));
    each.map(|current| Walk::of(asset, &current, store, profiles)).collect()
}

/// Why a field of this device is not known, as far as anybody knows.
pub fn why_unknown(asset: &Asset) -> &str {
    if asset.why_unknown.is_empty() { "no rule gave it" } else { &asset.why_unknown }
}

impl Walk {
    fn of(asset: &Asset, current: &Current<'_>, store: &Store, profiles: &ProfileSet) -> Result<Self, Failure> {
        let Recorded { claim, observation, entry, .. } = current.standing;
        let body = entry.map(|index| store.entry(index)).transpose()?.map(|entry| entry.body);
        let mut walk = Self {
            asset: asset.id.clone(),
            component: claim.component.clone(),
            field: claim.field.name(),
            value: claim.value.clone(),
            normal: None,
            grade: claim.grade.name(),
            read: None,
            said: None,
            otherwise: Vec::new(),
        };
        let (Some(index), Some(Body::Observation(observed))) = (*entry, body) else {
            walk.said = Some(Said::of(current.standing));
            return Ok(walk);
        };
        let message = observed.observation.messages.get(claim.message).map(|sha256| store.payload(sha256)).transpose()?.flatten();
        let otherwise = |other: &&Recorded| Otherwise {
            value: other.claim.value.clone(),
            profile: other.claim.profile.clone(),
            rule: other.claim.rule.clone(),
            grade: other.claim.grade.name(),
        };
        walk.normal.clone_from(&claim.normal);
        walk.otherwise = current.conflicting.iter().map(otherwise).collect();
        walk.read = Some(Read {
            profile: claim.profile.clone(),
            rule: claim.rule.clone(),
            profile_then: changed(&observed, &claim.profile, profiles),
            observation: observation.map_or_else(String::new, |id| id.to_string()),
            origin: origin(&observed),
            entry: index,
            message: claim.message + 1,
            offset: claim.offset,
            length: claim.length,
            bytes: message.as_deref().map(hex),
        });
        Ok(walk)
    }

    /// For a person, line by line.
    pub fn shown(&self) -> String {
        let Self { asset, component, field, value, grade, .. } = self;
        let mut text = format!("{asset}  {field} of {component} = {}\n  grade          {grade}\n", printable(value));
        if let Some(Said { how, time, from }) = &self.said {
            text += &format!("  {how:14} {time} from {from}\n");
        }
        if let Some(normal) = &self.normal {
            text += &format!("  in order as    {normal}\n");
        }
        if let Some(read) = &self.read {
            text += &format!("  profile rule   {}: {field} from {} ({})\n", read.profile, read.rule, read.profile_then);
            text += &format!(
                "  observation    {}\n                 {}\n  ledger         entry {}\n",
                read.observation, read.origin, read.entry
            );
            text += &bytes(read);
        }
        for Otherwise { value, profile, rule, grade } in &self.otherwise {
            text += &format!("  says otherwise {} from {profile}:{rule} ({grade})\n", printable(value));
        }
        text + "\n"
    }
}

impl Said {
    /// A claim that somebody made in a list, or read off the device: there are no bytes behind it.
    fn of(standing: &Recorded) -> Self {
        let Recorded { source, time_ns, .. } = standing;
        let from = match source {
            Source::Imported { file, row } => format!("{} row {row}", printable(file)),
            Source::ByHand { by, second, photo_sha256 } => read_off(by, second.as_deref(), photo_sha256.as_deref()),
            Source::Capture { .. } | Source::Live { .. } | Source::Asked { .. } => "an entry that is no reading".to_owned(),
        };
        let how = if matches!(source, Source::ByHand { .. }) { "read" } else { "imported" };
        Self { how, time: rfc3339(*time_ns), from }
    }
}

fn changed(entry: &Observed, profile: &str, profiles: &ProfileSet) -> String {
    let then = entry.profile_sha256.as_deref().unwrap_or_default();
    match profiles.get(profile) {
        Some(now) if now.sha256 == then => format!("profile sha256 {}…", &then[..then.len().min(12)]),
        Some(_) => "the profile has changed since; this is what it said then".to_owned(),
        None => "the profile is not loaded now".to_owned(),
    }
}

fn origin(entry: &Observed) -> String {
    let observation = &entry.observation;
    let (time, from, question) = (rfc3339(observation.time_ns), place(&observation.address), &observation.question);
    match &observation.source {
        Source::Capture { file, frame } => format!("heard {time} in {} frame {frame}, {from} answering {question}", printable(file)),
        Source::Live { interface, frame } => format!("heard {time} on {} frame {frame}, {from} answering {question}", printable(interface)),
        Source::Asked { reason } => format!("asked {time} for {}, {from} answering {question}", printable(reason)),
        Source::Imported { file, row } => format!("imported {time} from {} row {row}", printable(file)),
        Source::ByHand { by, .. } => format!("read off by {} at {time}", printable(by)),
    }
}

/// Who read it off the device, before whom, and the photo.
fn read_off(by: &str, second: Option<&str>, photo_sha256: Option<&str>) -> String {
    let second = second.map(|second| format!(", with {}", printable(second))).unwrap_or_default();
    let photo = photo_sha256.map(|digits| format!(", photo sha256 {digits}")).unwrap_or_default();
    format!("the device itself, by {}{second}{photo}", printable(by))
}

/// The message with the value's bytes in brackets.
fn bytes(read: &Read) -> String {
    let (offset, length) = (read.offset, read.length);
    let Some(bytes) = read.bytes.as_deref().and_then(|digits| unhex(digits).ok()) else {
        return "  bytes          missing\n".to_owned();
    };
    let mut text = format!("  bytes          message {}, {length} bytes from offset {offset}, in brackets\n", read.message);
    for (row, chunk) in bytes.chunks(DUMP_BYTES).enumerate() {
        let start = row * DUMP_BYTES;
        let digits: String = chunk.iter().enumerate().map(|(at, byte)| cell(start + at, *byte, offset, length)).collect();
        let closing = if length > 0 && offset + length == start + chunk.len() { "]" } else { " " };
        let shown: String = chunk.iter().map(|byte| if (0x20..0x7f).contains(byte) { char::from(*byte) } else { '.' }).collect();
        text += &format!("    {start:04x} {digits}{closing}{:1$}  {shown}\n", "", (DUMP_BYTES - chunk.len()) * 3);
    }
    text
}

/// One byte, with what stands before it: a bracket at the value's first byte and behind its last, unless that ends the row.
fn cell(at: usize, byte: u8, offset: usize, length: usize) -> String {
    let behind = at == offset + length && length > 0 && !at.is_multiple_of(DUMP_BYTES);
    let bracket = if at == offset && length > 0 {
        '['
    } else if behind {
        ']'
    } else {
        ' '
    };
    format!("{bracket}{byte:02x}")
}
