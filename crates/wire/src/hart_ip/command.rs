//! HART frames and the commands in them that say what an instrument is.
//!
//! Sources: HCF_SPEC-127 (Universal Commands: 0, 11, 12, 13, 16, 20, 21, 73), HCF_SPEC-151 (Common Practice: 42, 75, 77, 84), HCF_SPEC-099
//! (Packed ASCII, HART 5 to 7 forms of command 0). Values of one byte are revisions as numbers; the hardware revision is the upper five
//! bits of its byte, below it stands the physical signalling code.

use core::ops::Range;

use super::{HEADER_BYTES, NAME, Spoken, instrument};
use crate::conversation::{Happening, Heard};
use crate::padding::unpadded;
use crate::{Authority, Malformed, Reading, Shape};

/// Bits of the delimiter: long address, number of expansion bytes, kind of frame. HCF_SPEC-081.
const LONG: u8 = 0x80;
const EXPANSION: u8 = 0x60;
const KIND: u8 = 0x07;
const BURST: u8 = 1;
const QUESTION: u8 = 2;
const ANSWER: u8 = 6;
/// The first byte of a long address has the master and the burst bit above six bits of the type.
const ADDRESS_BITS: u8 = 0x3f;
/// Response code and device status before an answer's data.
const STATUS_BYTES: usize = 2;
/// In a response code this bit tells of a broken transmission, and the rest is no code.
const COMMUNICATION_ERROR: u8 = 0x80;
/// Starts the data of command 0 since HART 4.
const EXPANDED: u8 = 254;
/// Since HART 7 command 0 has the manufacturer in a field of its own.
const REVISION_EXPANDED: u8 = 7;

const SEND_TO_SUB_DEVICE: u16 = 77;
const SUB_DEVICE: u16 = 84;
/// Before the frame in an answer to command 77: card and channel.
const ROUTE_BYTES: usize = 2;

/// What an answer was about, for what is told once.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Answer {
    /// The long address; zeros where the frame had a short one.
    pub(super) long: [u8; 5],
    /// What it did to the instrument.
    pub(super) happening: Option<Happening>,
}

/// A HART frame behind its preamble.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Frame {
    kind: u8,
    long: [u8; 5],
    command: u8,
    data: usize,
    count: usize,
}

impl Frame {
    /// Reads a frame up to its byte count.
    pub(super) fn read(bytes: &[u8]) -> Option<Self> {
        let (&delimiter, rest) = bytes.split_first()?;
        let kind = delimiter & KIND;
        if !matches!(kind, BURST | QUESTION | ANSWER) {
            return None;
        }
        let address_bytes = if delimiter & LONG == 0 { 1 } else { 5 };
        let long = match rest.first_chunk::<5>() {
            Some(&[first, b, c, d, e]) if delimiter & LONG != 0 => [first & ADDRESS_BITS, b, c, d, e],
            _ => [0; 5],
        };
        let at = 1 + address_bytes + usize::from((delimiter & EXPANSION) >> 5);
        let (&command, &count) = (bytes.get(at)?, bytes.get(at + 1)?);
        Some(Self { kind, long, command, data: at + 2, count: usize::from(count) })
    }

    /// True for an instrument's answer to this command.
    pub(super) const fn answers(&self, command: u8) -> bool {
        self.kind == ANSWER && self.command == command
    }

    /// True where `bytes`, this frame, are from this address: one byte or five, of the first of which six bits count.
    pub(super) fn is_of(&self, bytes: &[u8], address: &[u8]) -> bool {
        let long = bytes.first().is_some_and(|delimiter| delimiter & LONG != 0);
        let own = bytes.get(1..).and_then(|own| own.get(..address.len()));
        let same = |(index, (own, asked)): (usize, (&u8, &u8))| if index == 0 { (own ^ asked) & ADDRESS_BITS == 0 } else { own == asked };
        long == (address.len() > 1) && own.is_some_and(|own| own.iter().zip(address).enumerate().all(same))
    }

    /// Where its data stand, response code first.
    pub(super) const fn body(&self) -> Range<usize> {
        self.data..self.data + self.count
    }

    /// True where `bytes` are this frame, all of it, with the check byte that it must have.
    pub(super) fn whole(&self, bytes: &[u8]) -> bool {
        bytes.len() == self.data + self.count + 1 && bytes.iter().fold(0, |sum, byte| sum ^ byte) == 0
    }
}

/// A frame as it stands in a message of `promised` bytes.
pub(super) fn token_passing(spoken: &Spoken<'_>, message: &[u8], promised: usize, out: &mut dyn FnMut(Heard)) -> Answer {
    let Some(frame) = message.get(HEADER_BYTES..).and_then(Frame::read) else { return Answer::default() };
    if frame.kind == QUESTION {
        return Answer::default();
    }
    let data = HEADER_BYTES + frame.data;
    let done = message.get(data) == Some(&0);
    let happening = match frame.command {
        18 | 22 if done => Some(Happening::Renamed),
        42 if done => Some(Happening::Reset),
        _ => None,
    };
    let answer = Answer { long: frame.long, happening };
    let refused = message.get(data).is_none_or(|code| code & COMMUNICATION_ERROR != 0) || frame.count < STATUS_BYTES;
    if !refused {
        let whole = message.len() == promised && frame.whole(message.get(HEADER_BYTES..).unwrap_or_default());
        let (command, status) = (frame.command.into(), Some(data + 1));
        let content = Content { command, data: data + STATUS_BYTES..data + frame.count, status, whole };
        read(spoken, message, frame.long, &content, out);
    }
    answer
}

/// Commands without a frame: each has its number, byte count, response code and data. They are the server's own.
pub(super) fn direct(spoken: &Spoken<'_>, message: &[u8], promised: usize, out: &mut dyn FnMut(Heard)) {
    let mut at = HEADER_BYTES + STATUS_BYTES;
    while let Some(&[c0, c1, count]) = message.get(at..).and_then(<[u8]>::first_chunk) {
        let end = at + 3 + usize::from(count);
        let data = at + 4..end;
        if count > 0 && message.get(at + 3).is_some_and(|code| code & COMMUNICATION_ERROR == 0) {
            let whole = message.len() == promised && end <= promised;
            let content = Content { command: u16::from_be_bytes([c0, c1]), data, status: None, whole };
            read(spoken, message, [0; 5], &content, out);
        }
        at = end;
    }
}

/// One command's data, and whether all of it and its check byte are there.
struct Content {
    command: u16,
    data: Range<usize>,
    /// Where the instrument's status stands.
    status: Option<usize>,
    whole: bool,
}

/// Hands out what the data says about its instrument; nothing for commands that hold no identity.
fn read(spoken: &Spoken<'_>, message: &[u8], long: [u8; 5], content: &Content, out: &mut dyn FnMut(Heard)) {
    let at = content.data.start;
    let (question, fields): (_, &[Field]) = match content.command {
        0 | 11 | 21 | 73 | 75 if message.get(at) == Some(&EXPANDED) => ("hart-ip.identity", IDENTITY),
        12 => ("hart-ip.message", &[("hart-ip.message", Shape::Packed, 0, 24)]),
        13 => ("hart-ip.tag", TAG),
        16 => ("hart-ip.final_assembly", &[("hart-ip.final_assembly", Shape::Number, 0, 3)]),
        20 => ("hart-ip.long_tag", &[("hart-ip.long_tag", Shape::Text, 0, 32)]),
        SUB_DEVICE => ("hart-ip.sub_device", SUB_DEVICE_FIELDS),
        SEND_TO_SUB_DEVICE => return embedded(spoken, message, content, out),
        _ => return,
    };
    let long = match content.command {
        12..=20 => long,
        SUB_DEVICE => long_of(message, at + 6, at + 8).unwrap_or(long),
        _ => long_of(message, at + 1, at + 9).unwrap_or(long),
    };
    let mut reading = Reading::of(NAME, spoken.over, question, instrument(spoken.from, long), spoken.at, message);
    let mut fact = |&(path, shape, offset, bytes): &Field| {
        let range = at + offset..at + offset + bytes;
        if range.end > content.data.end.min(message.len()) {
            return;
        }
        let value = if shape == Shape::Text { unpadded(message, range) } else { range };
        if !value.is_empty() {
            reading.fact(path, shape, value);
        }
    };
    fields.iter().for_each(&mut fact);
    if fields == IDENTITY {
        match message.get(at + 4) {
            Some(&revision) if revision >= REVISION_EXPANDED => EXPANDED_FIELDS.iter().for_each(&mut fact),
            Some(_) => fact(&("hart-ip.manufacturer", Shape::Number, 1, 1)),
            None => {}
        }
        // Of command 0 alone, which is asked: whoever polls hears the status with every other command, and it is no identity.
        if let Some(status) = content.status.filter(|at| content.command == 0 && *at < message.len()) {
            reading.fact("hart-ip.device_status", Shape::Hex, status..status + 1);
        }
    }
    if content.command == SUB_DEVICE {
        reading.authority = Authority::Belief;
    }
    if !content.whole {
        reading.broken(Malformed::wrong(NAME, content.data.end, "the frame is there to its check byte, and that agrees (HCF_SPEC-081)"));
    }
    if !reading.facts.is_empty() {
        out(Heard::Reading(reading));
    }
}

/// An instrument's own answer, handed on by an I/O system: the frame without its check byte stands in the data.
fn embedded(spoken: &Spoken<'_>, message: &[u8], content: &Content, out: &mut dyn FnMut(Heard)) {
    let start = content.data.start + ROUTE_BYTES;
    let Some(frame) = message.get(start..content.data.end.min(message.len())).and_then(Frame::read) else { return };
    let end = start + frame.data + frame.count;
    let code = message.get(start + frame.data);
    if frame.kind == QUESTION || frame.count < STATUS_BYTES || code.is_none_or(|code| code & COMMUNICATION_ERROR != 0) {
        return;
    }
    let command = u16::from(frame.command);
    if command != SEND_TO_SUB_DEVICE {
        let data = start + frame.data + STATUS_BYTES..end;
        let whole = content.whole && end <= content.data.end;
        let status = Some(start + frame.data + 1);
        read(spoken, message, frame.long, &Content { command, data, status, whole }, out);
    }
}

/// Type and device id as a long address has them.
fn long_of(message: &[u8], kind: usize, id: usize) -> Option<[u8; 5]> {
    let (&[upper, lower], &[a, b, c]) = (message.get(kind..)?.first_chunk()?, message.get(id..)?.first_chunk()?);
    Some([upper & ADDRESS_BITS, lower, a, b, c])
}

/// Path, shape, offset in the data, length.
type Field = (&'static str, Shape, usize, usize);

/// Command 0, HCF_SPEC-127, 6.1.
const IDENTITY: &[Field] = &[
    ("hart-ip.device_type", Shape::Hex, 1, 2),
    ("hart-ip.universal_revision", Shape::Number, 4, 1),
    ("hart-ip.device_revision", Shape::Number, 5, 1),
    ("hart-ip.software_revision", Shape::Number, 6, 1),
    ("hart-ip.hardware_revision", Shape::UpperFive, 7, 1),
    ("hart-ip.device_id", Shape::Hex, 9, 3),
];
const EXPANDED_FIELDS: &[Field] = &[
    ("hart-ip.manufacturer", Shape::Number, 17, 2),
    ("hart-ip.private_label", Shape::Number, 19, 2),
    ("hart-ip.profile", Shape::Number, 21, 1),
];
/// Command 13: tag, descriptor, date (day, month, years since 1900).
const TAG: &[Field] =
    &[("hart-ip.tag", Shape::Packed, 0, 6), ("hart-ip.descriptor", Shape::Packed, 6, 12), ("hart-ip.date", Shape::Dotted, 18, 3)];
/// Command 84: what an I/O system knows of an instrument behind it. HCF_SPEC-151.
const SUB_DEVICE_FIELDS: &[Field] = &[
    ("hart-ip.manufacturer", Shape::Number, 4, 2),
    ("hart-ip.device_type", Shape::Hex, 6, 2),
    ("hart-ip.device_id", Shape::Hex, 8, 3),
    ("hart-ip.universal_revision", Shape::Number, 11, 1),
    ("hart-ip.long_tag", Shape::Text, 12, 32),
    ("hart-ip.device_revision", Shape::Number, 44, 1),
];
