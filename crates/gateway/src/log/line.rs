//! One line of the log: what an event said, cut and made printable, as text or JSON.

use std::fmt::{Debug, Write};
use std::time::SystemTime;

use nameplate_core::text::printable;
use serde_json::Value;
use tracing::field::{Field, Visit};

/// Characters of a message: every mistake of a configuration file fits, and a device's longest text does not fill a disk.
const MESSAGE_CHARS_MAX: usize = 2_000;
/// Characters of a field: names and addresses are shorter.
const FIELD_CHARS_MAX: usize = 200;
/// Characters of what opens something: 32 bytes in base64url ([`crate::account`]).
const SECRET_CHARS: usize = 43;
/// What stands in its place.
const HIDDEN: &str = "(secret)";

/// Every field that is written, and what it is. An event has those that fit it.
pub const FIELDS: &[(&str, &str)] = &[
    ("bytes", "How many bytes."),
    ("count", "How many of what the event is about."),
    ("device", "A device: its name in the site file, or where it answers."),
    ("dropped", "Frames for which there was no room."),
    ("entries", "Entries of the ledger."),
    ("fingerprint", "Of a public key or a certificate."),
    ("given_up", "Reports for which there was no room."),
    ("interface", "A network interface."),
    ("kind", "Which word of the hatch, or what happened."),
    ("method", "Of an HTTP request."),
    ("ms", "How long it took, in milliseconds."),
    ("path", "The route of an HTTP request, as the API's description has it: no value and no query of it."),
    ("peer", "Address and port of who asked."),
    ("person", "The account; of a token its id behind it."),
    ("protocol", "In which protocol."),
    ("reason", "The plan or the work order."),
    ("received", "Frames that came in."),
    ("refused", "Questions that were refused on our side."),
    ("request", "Number of an HTTP request since the start."),
    ("round", "Number of a round of questions."),
    ("site", "Name of the site."),
    ("status", "Of an HTTP answer."),
    ("unanswered", "Devices without a sound answer."),
    ("unasked", "Devices that were not asked, because the field side ended."),
    ("upset", "Devices that restarted as they were read."),
    ("url", "Where the page is."),
];

/// What an event says.
#[derive(Default)]
pub struct Said {
    message: String,
    fields: Vec<(&'static str, Value)>,
}

impl Said {
    /// A message alone.
    pub const fn of(message: String) -> Self {
        Self { message, fields: Vec::new() }
    }

    fn put(&mut self, field: &Field, value: Value) {
        let name = field.name();
        if name == "message" {
            self.message = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        } else if FIELDS.iter().any(|(known, _)| *known == name) {
            self.fields.push((name, value));
        }
    }
}

impl Visit for Said {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        self.put(field, format!("{value:?}").into());
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.put(field, value.into());
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.put(field, value.into());
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.put(field, value.into());
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.put(field, value.into());
    }
}

/// A line.
pub struct Line {
    pub time: SystemTime,
    pub level: tracing::Level,
    pub part: &'static str,
    pub event: &'static str,
    pub said: Said,
    /// How many of the same were held back before it.
    pub more: u64,
}

impl Line {
    /// For people; `is_journal` puts the priority before it (sd-daemon(3)).
    pub fn text(&self, is_journal: bool) -> String {
        let priority = match self.level {
            _ if !is_journal => "",
            tracing::Level::ERROR => "<3>",
            tracing::Level::WARN => "<4>",
            tracing::Level::INFO => "<6>",
            _ => "<7>",
        };
        let more = if self.more > 0 { format!(" (and {} more)", self.more) } else { String::new() };
        format!("{priority}{}: {}{more}\n", self.part, shown(&self.said.message, MESSAGE_CHARS_MAX))
    }

    /// For programs.
    pub fn json(&self) -> String {
        let mut text = String::from("{");
        let mut put = |name: &str, value: &Value| {
            let comma = if text.len() > 1 { "," } else { "" };
            // Writing to a text cannot fail.
            let _ = write!(text, "{comma}\"{name}\":{value}");
        };
        put("time", &humantime::format_rfc3339_millis(self.time).to_string().into());
        put("level", &self.level.as_str().to_lowercase().into());
        put("part", &self.part.into());
        put("event", &self.event.into());
        put("message", &shown(&self.said.message, MESSAGE_CHARS_MAX).into());
        for (name, value) in &self.said.fields {
            match value.as_str() {
                Some(value) => put(name, &shown(value, FIELD_CHARS_MAX).into()),
                None => put(name, value),
            }
        }
        if self.more > 0 {
            put("more", &self.more.into());
        }
        text + "}\n"
    }
}

/// As it may stand in a line: one line, cut, nothing invisible, and nothing that opens something.
fn shown(text: &str, chars_max: usize) -> String {
    let lines: Vec<&str> = text.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    let text = without_secrets(&lines.join("; "));
    let cut: String = text.chars().take(chars_max).collect();
    let rest = if cut.len() < text.len() { "..." } else { "" };
    printable(&cut) + rest
}

/// The second net, below the types: what has the shape of our own tokens, cookies and links is not written, wherever it came from.
fn without_secrets(text: &str) -> String {
    let is_part = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    let mut shown = String::with_capacity(text.len());
    for piece in text.split_inclusive(|c| !is_part(c)) {
        let word = piece.trim_end_matches(|c| !is_part(c));
        let opens = word.strip_prefix("np_").unwrap_or(word).len() == SECRET_CHARS;
        shown += if opens { HIDDEN } else { word };
        shown += piece.get(word.len()..).unwrap_or_default();
    }
    shown
}
