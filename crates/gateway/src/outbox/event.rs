//! What is told: what happened to devices, as `nameplate events` has it, and what people entered. Touch lines and readings that say nothing new are told to nobody.

use nameplate_core::catalog::{Event, Happened, done_to, events};
use nameplate_core::ledger::{Body, Entry};
use nameplate_core::observation::{hex, rfc3339};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::Target;
use crate::command::events::EventLine;
use crate::command::evidence::page::told;
use crate::failure::Failure;
use crate::house::{House, Known};
use crate::lines::DeviceLine;
use crate::store::Store;

/// Entries that are looked through at once: a catalog of 2,000 devices that is read for the first time tells some three events each.
const ENTRIES_AT_ONCE_MAX: u64 = 512;
/// What an entry says is told with it up to so many bytes of JSON; a list of ten thousand rows is told of in a sentence.
const BODY_BYTES_MAX: usize = 64 << 10;
/// Hexadecimal digits of a digest that tell two events of one entry apart, and an entry from the one that had its index before the ledger was restored.
const DIGEST_DIGITS: usize = 12;

/// First words of what is told, with what they are about. A closed list: a misspelt one would never be told.
pub const SUBJECTS: [(&str, &str); 12] = [
    ("device", "what happened to devices: new, firmware-changed, changed, swapped, moved, by-hand, done-to"),
    ("change", "steps of changes"),
    ("approval", "releases that were approved or disapproved"),
    ("baseline", "proposals, sets, exemptions"),
    ("evaluation", "what somebody stands by"),
    ("advisories", "advisories that were taken in"),
    ("import", "lists that were taken in"),
    ("patches", "lists of patch servers that were taken in"),
    ("update", "updates from a stick"),
    ("evidence", "evidence and hand-overs that were taken out"),
    ("key_change", "the key of the ledger"),
    ("account", "who came in, and what changed about accounts"),
];
/// What a target is told where it says nothing: who came in when is for those who ask for it.
const UNASKED_NOT: &str = "account";

/// One event, ready to be told.
#[derive(Clone, Debug)]
pub struct Outward {
    /// Its entry.
    pub index: u64,
    /// Unique in the ledger.
    pub id: String,
    /// `device.firmware-changed`, `change.closed`, ...
    pub kind: String,
    /// Which device, which work order; else the ledger's name.
    pub subject: String,
    /// When it was so, in nanoseconds since 1970.
    pub time_ns: u64,
    /// What happened, in the words of the API.
    pub what: Value,
    /// The device as it is now, where it is about one.
    pub device: Option<Value>,
}

/// Events of some entries.
#[derive(Debug)]
pub struct Batch {
    /// In the order of their entries.
    pub events: Vec<Outward>,
    /// The first entry that was not looked at.
    pub next: u64,
    /// Whether there are more.
    pub is_more: bool,
}

/// What a target is to be told of the entries from this one on; `None` while the catalog waits to be brought into the order of time, since what happened may be
/// something else then.
///
/// # Errors
/// The ledger's.
pub fn since(house: &House, target: &Target, from: u64) -> Result<Option<Batch>, Failure> {
    let size = *house.size.borrow();
    let end = size.min(from.saturating_add(ENTRIES_AT_ONCE_MAX));
    if from >= end {
        return Ok(Some(Batch { events: Vec::new(), next: size.min(from), is_more: false }));
    }
    let store = Store::read(&house.directory)?.ok_or_else(|| Failure::input(house.directory.display(), "there is no ledger"))?;
    let (mut events, mut may_be_of_devices) = (Vec::new(), false);
    for index in from..end {
        let entry = store.entry(index)?;
        match &entry.body {
            Body::Touch { .. } | Body::Key { .. } => {}
            Body::Observation(_) | Body::Hand(_) | Body::Happening(_) => may_be_of_devices = true,
            _ => events.push(of_entry(&entry, &store.keys().origin())),
        }
    }
    if may_be_of_devices && is_wanted(target, "device") {
        match house.known(|known| of_devices(known, from, end)) {
            Some(of_devices) => events.extend(of_devices),
            None => {
                // Whoever commits brings it into order, and there may be nobody else.
                house.commit()?;
                return Ok(None);
            }
        }
    }
    events.retain(|event| is_wanted(target, &event.kind));
    events.sort_by(|one, other| (one.index, one.time_ns, &one.id).cmp(&(other.index, other.time_ns, &other.id)));
    Ok(Some(Batch { events, next: end, is_more: end < size }))
}

/// Whether a target is told of events of this kind.
fn is_wanted(target: &Target, kind: &str) -> bool {
    let subject = kind.split('.').next().unwrap_or_default();
    if target.events.is_empty() { subject != UNASKED_NOT } else { target.events.iter().any(|wanted| wanted == subject) }
}

fn of_devices(known: &Known<'_>, from: u64, end: u64) -> Option<Vec<Outward>> {
    let catalog = &known.view.catalog;
    if !catalog.is_settled() {
        return None;
    }
    let mut all: Vec<Event<'_>> = events(catalog, known.profiles);
    all.extend(done_to(catalog, &known.view.happenings));
    // Who is silent became so with the time and by no entry.
    let new = all.iter().filter(|event| event.happened != Happened::Silent);
    let new = new.filter_map(|event| event.entry.filter(|entry| (from..end).contains(entry)).map(|entry| (entry, event)));
    let outward = new.map(|(index, event)| {
        let what = serde_json::to_value(EventLine::new(event)).unwrap_or_default();
        let device = catalog.asset(event.asset).map(|asset| DeviceLine::new(asset, known.profiles));
        Outward {
            index,
            id: id(index, &what.to_string()),
            kind: format!("device.{}", event.happened.name()),
            subject: event.asset.to_owned(),
            time_ns: event.time_ns,
            what,
            device: device.and_then(|device| serde_json::to_value(device).ok()),
        }
    });
    Some(outward.collect())
}

fn of_entry(entry: &Entry, origin: &str) -> Outward {
    let (kind, says) = told(&entry.body);
    let body = serde_json::to_value(&entry.body).unwrap_or_default();
    let (kind, subject) = match (&entry.body, body["step"].as_str()) {
        (Body::Change(event), Some(step)) => (format!("{kind}.{}", step.replace('_', "-")), event.order()),
        _ => (kind.to_owned(), origin),
    };
    let (subject, text) = (subject.to_owned(), body.to_string());
    let mut what = json!({ "entry": entry.index, "recorded": rfc3339(entry.time_ns), "kind": kind, "says": says });
    if text.len() <= BODY_BYTES_MAX {
        what["body"] = body;
    }
    Outward { index: entry.index, id: id(entry.index, &text), kind, subject, time_ns: entry.time_ns, what, device: None }
}

fn id(index: u64, says: &str) -> String {
    let digest = hex(&Sha256::digest(says));
    format!("{index}-{}", digest.get(..DIGEST_DIGITS).unwrap_or(&digest))
}

impl Outward {
    /// The event as a CloudEvent (CloudEvents 1.0.2, JSON format): `id` is unique in its `source`, which is the ledger's name.
    pub fn cloud_event(&self, origin: &str, site: &str) -> Value {
        let mut data = json!({ "entry": self.index, "event": self.what });
        if !site.is_empty() {
            data["site"] = json!(site);
        }
        if let Some(device) = &self.device {
            data["device"] = device.clone();
        }
        json!({
            "specversion": "1.0",
            "id": self.id,
            "source": origin,
            "type": format!("nameplate.{}", self.kind),
            "subject": self.subject,
            "time": rfc3339(self.time_ns),
            "datacontenttype": "application/json",
            "data": data,
        })
    }
}
