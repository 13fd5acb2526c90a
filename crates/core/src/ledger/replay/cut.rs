//! The record of an observation, cut at its marks. Between two fields no quotation mark is escaped, so none of these marks can stand inside a
//! text; whether what lies between them is what it looks like is for whoever cuts to find out.

use std::str;
use std::sync::Arc;

use memchr::memchr;
use memchr::memmem::Finder;

use crate::ledger::record::{Tail, number};
use crate::observation::Source;

/// What stands between the interpretation and the observation.
const KIND: &[u8] = br#","kind":"observation","observation":"#;
/// What the messages stand behind.
const MESSAGES: &[u8] = br#","messages":["#;
/// What the way stands behind.
const SOURCE: &[u8] = br#","source":"#;
/// What the time stands behind.
const TIME: &[u8] = br#","time_ns":"#;

/// Ready to look for the marks.
#[derive(Debug)]
pub(super) struct Marks {
    kind: Finder<'static>,
    messages: Finder<'static>,
    source: Finder<'static>,
}

impl Default for Marks {
    fn default() -> Self {
        Self { kind: Finder::new(KIND), messages: Finder::new(MESSAGES), source: Finder::new(SOURCE) }
    }
}

/// A record in pieces.
#[derive(Debug)]
pub(super) struct Cut<'a> {
    /// The interpretation.
    pub(super) said: &'a [u8],
    /// The observation.
    pub(super) observation: &'a [u8],
    /// Of that: up to the first message.
    front: &'a [u8],
    /// Digits in quotation marks, with commas in between.
    messages: &'a [u8],
    /// What stands between the last message and the way.
    back: &'a [u8],
    pub(super) way: Way<'a>,
    pub(super) time: Number<'a>,
}

/// The way that an observation came.
#[derive(Clone, Copy, Debug)]
pub(super) struct Way<'a> {
    pub(super) name: &'a str,
    kind: Kind<'a>,
}

#[derive(Clone, Copy, Debug)]
enum Kind<'a> {
    Capture(Number<'a>),
    Live(Number<'a>),
    Asked,
}

/// A number as it stands there.
#[derive(Clone, Copy, Debug)]
pub(super) struct Number<'a> {
    digits: &'a [u8],
    pub(super) value: u64,
}

impl Marks {
    /// The pieces of a record that stands as [`Entry::record`](crate::ledger::Entry::record) writes it, as far as can be seen at the marks
    /// and in the pieces that are another each day; `None` where anything is different, or has to be unescaped.
    pub(super) fn cut<'a>(&self, record: &'a [u8], tail: &Tail) -> Option<Cut<'a>> {
        let (_, rest) = text(record.strip_prefix(br#"{"body":{"decoder":"#)?)?;
        let rest = rest.strip_prefix(br#","interpretation":"#)?;
        let (said, rest) = rest.split_at_checked(self.kind.find(rest)?)?;
        let rest = rest.get(KIND.len()..)?;
        let observation = rest;
        let (front, rest) = behind(rest, &self.messages)?;
        let (messages, rest) = rest.split_at_checked(memchr(b']', rest)?)?;
        let (back, rest) = behind(rest, &self.source)?;
        let (way, rest) = Way::of(rest)?;
        let (time, rest) = Number::of(rest.strip_prefix(TIME)?)?;
        let rest = rest.strip_prefix(b"}")?;
        let observation = observation.get(..observation.len().checked_sub(rest.len())?)?;
        let profile = rest.strip_prefix(br#","profile_sha256":"#)?;
        let rest = profile.strip_prefix(b"null").or_else(|| text(profile).map(|(_, rest)| rest))?;
        // The two numbers and nothing else stand behind the body.
        let whole = rest.strip_prefix(b"}")?.len() == tail.bytes && are_digits(messages);
        whole.then_some(Cut { said, observation, front, messages, back, way, time })
    }

    /// How the JSON of an observation begins, up to its messages.
    pub(super) fn beginning<'a>(&self, json: &'a [u8]) -> Option<&'a [u8]> {
        behind(json, &self.messages).map(|(beginning, _)| beginning)
    }
}

impl Cut<'_> {
    /// Writes all of the observation that is the same each day: up to its way, and of its messages only whether there are some.
    pub(super) fn outline(&self, page: &mut Vec<u8>) {
        page.clear();
        page.extend_from_slice(self.front);
        if !self.messages.is_empty() {
            page.extend_from_slice(br#""""#);
        }
        page.extend_from_slice(self.back);
    }

    /// Writes the JSON that [`Observation::digest`](crate::observation::Observation::digest) is taken of, which begins so. Its keys stand in
    /// another order than here only before the messages and in the way.
    pub(super) fn digested(&self, beginning: &[u8], page: &mut Vec<u8>) {
        page.clear();
        page.extend_from_slice(beginning);
        page.extend_from_slice(self.messages);
        page.extend_from_slice(self.back);
        self.way.write(page);
        page.extend_from_slice(TIME);
        page.extend_from_slice(self.time.digits);
        page.push(b'}');
    }
}

impl<'a> Way<'a> {
    fn of(bytes: &'a [u8]) -> Option<(Self, &'a [u8])> {
        if let Some(rest) = bytes.strip_prefix(br#"{"file":"#) {
            let (name, rest) = text(rest)?;
            let (frame, rest) = Number::of(rest.strip_prefix(br#","frame":"#)?)?;
            return Some((Self { name, kind: Kind::Capture(frame) }, rest.strip_prefix(br#","kind":"capture"}"#)?));
        }
        if let Some(rest) = bytes.strip_prefix(br#"{"frame":"#) {
            let (frame, rest) = Number::of(rest)?;
            let (name, rest) = text(rest.strip_prefix(br#","interface":"#)?)?;
            return Some((Self { name, kind: Kind::Live(frame) }, rest.strip_prefix(br#","kind":"live"}"#)?));
        }
        let (name, rest) = text(bytes.strip_prefix(br#"{"kind":"asked","reason":"#)?)?;
        Some((Self { name, kind: Kind::Asked }, rest.strip_prefix(b"}")?))
    }

    /// The source, with this text for its name.
    pub(super) fn source(&self, name: &Arc<str>) -> Source {
        match self.kind {
            Kind::Capture(frame) => Source::Capture { file: Arc::clone(name), frame: frame.value },
            Kind::Live(frame) => Source::Live { interface: Arc::clone(name), frame: frame.value },
            Kind::Asked => Source::Asked { reason: Arc::clone(name) },
        }
    }

    /// In the order of serde's fields.
    fn write(&self, page: &mut Vec<u8>) {
        let mut pieces = |pieces: &[&[u8]]| pieces.iter().for_each(|piece| page.extend_from_slice(piece));
        let name = self.name.as_bytes();
        match self.kind {
            Kind::Capture(frame) => pieces(&[br#"{"kind":"capture","file":""#, name, br#"","frame":"#, frame.digits, b"}"]),
            Kind::Live(frame) => pieces(&[br#"{"kind":"live","interface":""#, name, br#"","frame":"#, frame.digits, b"}"]),
            Kind::Asked => pieces(&[br#"{"kind":"asked","reason":""#, name, br#""}"#]),
        }
    }
}

impl<'a> Number<'a> {
    /// The number that these bytes begin with, as JSON writes it.
    fn of(bytes: &'a [u8]) -> Option<(Self, &'a [u8])> {
        let length = bytes.iter().take_while(|byte| byte.is_ascii_digit()).count();
        let (digits, rest) = bytes.split_at_checked(length)?;
        Some((Self { digits, value: number(digits)? }, rest))
    }
}

/// The text in quotation marks that these bytes begin with, where nothing in it is escaped or would have to be.
fn text(bytes: &[u8]) -> Option<(&str, &[u8])> {
    let bytes = bytes.strip_prefix(b"\"")?;
    let (text, rest) = bytes.split_at_checked(memchr(b'"', bytes)?)?;
    // All of them, whatever the first says: many at a time.
    let plain = text.iter().fold(true, |plain, byte| plain & matches!(byte, b' '..=b'~') & (*byte != b'\\'));
    Some((str::from_utf8(text).ok().filter(|_| plain)?, rest.get(1..)?))
}

/// Up to the end of a mark, and what stands behind it.
fn behind<'a>(bytes: &'a [u8], mark: &Finder<'_>) -> Option<(&'a [u8], &'a [u8])> {
    bytes.split_at_checked(mark.find(bytes)? + mark.needle().len())
}

/// True for texts of hexadecimal digits in quotation marks, with commas in between; and for nothing at all.
fn are_digits(messages: &[u8]) -> bool {
    // As above.
    let are_digits = |text: &[u8]| text.iter().fold(true, |all, byte| all & (byte.is_ascii_digit() | matches!(byte, b'a'..=b'f')));
    let quoted = |message: &[u8]| {
        let message = message.strip_prefix(b"\"").and_then(|message| message.strip_suffix(b"\""));
        message.is_some_and(are_digits)
    };
    messages.is_empty() || messages.split(|byte| *byte == b',').all(quoted)
}
