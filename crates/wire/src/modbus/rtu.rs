//! Modbus RTU: frames of a serial line, also as a serial server hands them on over TCP; one or more units behind it.
//!
//! Sources: MODBUS over Serial Line Specification and Implementation Guide V1.02 (2006), 2.5.1 (frame), 6.2.2 (CRC); MODBUS Application
//! Protocol Specification V1.1b3, 6 (how long questions and answers are). A frame has no length of its own: its function gives it, and its
//! check bytes prove it.

use std::collections::BTreeMap;

use super::registers::{BLOCKS_MAX, Block, Open, Read};
use super::{Answering, Continue, EXCEPTION_BIT, FUNCTION_ENCAPSULATED, FUNCTION_SERVER_ID, Question};
use crate::conversation::{Conversation, Coverage, End, Heard, Likeness, Over, Protocol, Role, Said};
use crate::tcp::At;
use crate::{Address, Cutter, Malformed, Message};

/// RTU frames in a TCP stream, or on a line. The ports are what makers of serial servers set at the factory; only frames with right check bytes count,
/// there as elsewhere.
pub static PROTOCOL: Protocol = Protocol {
    name: NAME,
    carries: &[],
    tcp: &[4001, 10001],
    udp: &[],
    link: &[],
    likeness,
    start: |over| Box::new(Line { over, ..Line::default() }),
};

/// The protocol's name in claims and readings.
pub const NAME: &str = "modbus-rtu";
/// The unit stands before the PDU, the check bytes behind it.
pub const PDU_AT: usize = 1;
/// Bytes of the check behind it.
pub const CHECK_BYTES: usize = 2;
/// Units on a line; 0 is a broadcast, the rest is reserved. 2.2.
const UNIT_LAST: u8 = 247;
/// Largest frame. 2.5.1.
const FRAME_BYTES_MAX: usize = 256;
/// Units whose paged answers are put together at a time.
const UNITS_PAGED_MAX: usize = 4;

/// One TCP connection with a serial server, or a line itself.
#[derive(Debug, Default)]
struct Line {
    over: Over,
    questions: Cutter,
    answers: Cutter,
    /// Unit, function, what it asked, and whether the server's side sent it; a line has one question at a time.
    asked: Option<(u8, u8, Option<Question>, bool)>,
    /// Questions for registers that are a nameplate, with nothing else asked behind them: unit, what, whether the server's side sent it. Where
    /// questions stand before their answers, as in evidence, the length tells whose answer it is.
    registers_asked: Vec<(u8, Read, bool, At)>,
    paged: BTreeMap<u8, Answering>,
    /// Registers of units, until something else is answered.
    blocks: Open,
    units_seen: [u64; 4],
    coverage: Coverage,
}

impl Conversation for Line {
    fn hear(&mut self, said: &Said<'_>, out: &mut dyn FnMut(Heard)) {
        let side = if said.by_server { &mut self.answers } else { &mut self.questions };
        let mut cutter = core::mem::take(side);
        let malformed = cutter.messages(said.bytes, length, &mut |frame| self.frame(said, frame, out));
        *if said.by_server { &mut self.answers } else { &mut self.questions } = cutter;
        if let Some(malformed) = malformed {
            self.coverage.seen += 1;
            out(Heard::Malformed { speaker: said.speaker(), at: said.at, malformed });
        }
    }

    fn lose(&mut self, by_server: bool, _: At, _: &mut dyn FnMut(Heard)) {
        // A part of a frame has no check bytes: it says nothing.
        if by_server { &mut self.answers } else { &mut self.questions }.lose();
    }

    fn finish(&mut self, _: At, out: &mut dyn FnMut(Heard)) {
        for (_, paged) in core::mem::take(&mut self.paged) {
            out(Heard::Reading(paged.into_reading()));
        }
        self.blocks.finish(out);
    }

    fn coverage(&self, each: &mut dyn FnMut(&'static str, Coverage)) {
        each(NAME, self.coverage);
    }
}

impl Line {
    fn frame(&mut self, said: &Said<'_>, frame: &[u8], out: &mut dyn FnMut(Heard)) {
        self.coverage.seen += 1;
        self.coverage.decoded += 1;
        let [unit, pdu @ .., _, _] = frame else { return };
        let Some(&function) = pdu.first() else { return };
        let fits = |(to, read, by_server, _): &(u8, Read, bool, At)| to == unit && *by_server != said.by_server && read.is_answered_by(pdu);
        if let Some(place) = self.registers_asked.iter().position(fits) {
            let (_, read, _, asked_at) = self.registers_asked.remove(place);
            self.asked = None;
            self.seen(said, *unit, out);
            return self.registers(said, *unit, frame, (read, asked_at), out);
        }
        // The side that opened the connection mostly asks, but some serial servers call their master: who answers the other's question
        // is the one that is asked.
        let asked =
            self.asked.filter(|(to, what, _, by_server)| (*to, *what, *by_server) == (*unit, function & !EXCEPTION_BIT, !said.by_server));
        if asked.is_none() && !is_answer_only(pdu) {
            let question = Question::of_pdu(pdu);
            self.asked = Some((*unit, function, question, said.by_server));
            match question {
                Some(Question::Registers(read)) => {
                    self.registers_asked.truncate(BLOCKS_MAX - 1);
                    self.registers_asked.push((*unit, read, said.by_server, said.at));
                }
                _ => self.registers_asked.clear(),
            }
            return;
        }
        if asked.is_some() {
            self.seen(said, *unit, out);
        }
        self.asked = None;
        self.blocks.close(*unit, out);
        if let Some(shape) = Answering::question_of_pdu(pdu) {
            let asked = asked.and_then(|(_, _, question, _)| question).filter(|question| question.asks_as(shape));
            self.identity(said, *unit, frame, (asked, shape), out);
        }
    }

    fn seen(&mut self, said: &Said<'_>, unit: u8, out: &mut dyn FnMut(Heard)) {
        let (word, bit) = (usize::from(unit >> 6), 1 << (unit & 63));
        if self.units_seen[word] & bit == 0 {
            self.units_seen[word] |= bit;
            out(Heard::Present { protocol: NAME, role: Role::Server, speaker: behind(said.from, unit), at: said.at });
        }
    }

    fn registers(&mut self, said: &Said<'_>, unit: u8, frame: &[u8], asked: (Read, At), out: &mut dyn FnMut(Heard)) {
        let (read, asked_at) = asked;
        let question = encode(Question::Registers(read), unit);
        let pdu = (PDU_AT, frame.get(PDU_AT..frame.len().saturating_sub(CHECK_BYTES)).unwrap_or_default());
        let block = Block { read, asked: (&question, asked_at), said: (frame, said.at), pdu, key: read.quantity };
        self.blocks.take((NAME, self.over), behind(said.from, unit), &block, out);
    }

    fn identity(&mut self, said: &Said<'_>, unit: u8, frame: &[u8], asked: (Option<Question>, Question), out: &mut dyn FnMut(Heard)) {
        let (asked, shape) = asked;
        let mut answering = match self.paged.remove(&unit) {
            Some(paged) if paged.continues_with(asked, frame) => paged,
            earlier => {
                if let Some(paged) = earlier {
                    out(Heard::Reading(paged.into_reading()));
                }
                Answering::serial(asked.unwrap_or(shape), behind(said.from, unit), self.over)
            }
        };
        match answering.answer(Message { frame: said.at.frame, time_ns: said.at.time_ns, bytes: frame.to_vec() }) {
            Continue::Next(_) if self.paged.len() < UNITS_PAGED_MAX => drop(self.paged.insert(unit, answering)),
            _ => out(Heard::Reading(answering.into_reading())),
        }
    }
}

fn behind(end: &End, unit: u8) -> Address {
    Address { unit: Some(unit), ..end.into() }
}

/// An identity answer cannot be a question: it is longer.
fn is_answer_only(pdu: &[u8]) -> bool {
    Answering::question_of_pdu(pdu).is_some() && Question::of_pdu(pdu).is_none()
}

/// How long the frame is that starts here: of the lengths that its function allows, the one whose check bytes are right.
///
/// # Errors
/// [`Malformed`] where no frame of V1.1b3 begins so.
pub fn length(bytes: &[u8]) -> Result<Option<usize>, Malformed> {
    if let [unit, ..] = *bytes
        && unit > UNIT_LAST
    {
        return Err(Malformed::wrong(NAME, 0, "units are 0 to 247 (serial line 2.2)"));
    }
    let (mut short, mut known) = (false, bytes.len() < 2);
    for bound in bounds(bytes) {
        match bound {
            Bound::Bytes(count) if bytes.len() < count => short = true,
            Bound::Bytes(count) if bytes.get(..count).is_some_and(is_checked) => return Ok(Some(count)),
            Bound::Unknown => short = true,
            _ => {}
        }
        known |= bound != Bound::None;
    }
    if known && (short || bytes.len() < 2) {
        return Ok(None);
    }
    Err(Malformed::wrong(NAME, 0, "a function of V1.1b3 with the check bytes of its frame (serial line 2.5.1)"))
}

/// What a function says about the length of its frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Bound {
    /// No such frame.
    None,
    /// The byte that tells is not there yet.
    Unknown,
    Bytes(usize),
}

/// As a question and as an answer.
fn bounds(bytes: &[u8]) -> [Bound; 2] {
    let counted = |at: usize, more: usize| match bytes.get(at) {
        None => Bound::Unknown,
        Some(count) if usize::from(*count) + more <= FRAME_BYTES_MAX => Bound::Bytes(usize::from(*count) + more),
        Some(_) => Bound::None,
    };
    match bytes.get(1) {
        Some(0x01..=0x04) => [Bound::Bytes(8), counted(2, 5)],
        Some(0x05 | 0x06) => [Bound::Bytes(8), Bound::Bytes(8)],
        Some(0x07) => [Bound::Bytes(4), Bound::Bytes(5)],
        Some(0x08) => [Bound::Bytes(8), Bound::Bytes(8)],
        Some(0x0b) => [Bound::Bytes(4), Bound::Bytes(8)],
        Some(0x0c) => [Bound::Bytes(4), counted(2, 5)],
        Some(0x0f | 0x10) => [counted(6, 9), Bound::Bytes(8)],
        Some(&FUNCTION_SERVER_ID) => [Bound::Bytes(4), counted(2, 5)],
        Some(0x14 | 0x15) => [counted(2, 5), counted(2, 5)],
        Some(0x16) => [Bound::Bytes(10), Bound::Bytes(10)],
        Some(0x17) => [counted(10, 13), counted(2, 5)],
        Some(&FUNCTION_ENCAPSULATED) => [Bound::Bytes(7), identification(bytes)],
        Some(function) if (0x81..=0xab).contains(function) => [Bound::None, Bound::Bytes(5)],
        _ => [Bound::None, Bound::None],
    }
}

/// An answer to function 43/14 ends with its last object.
fn identification(bytes: &[u8]) -> Bound {
    let Some(count) = bytes.get(7) else { return Bound::Unknown };
    let mut at = 8;
    for _ in 0..*count {
        let Some(length) = bytes.get(at + 1) else { return Bound::Unknown };
        at += 2 + usize::from(*length);
        if at + CHECK_BYTES > FRAME_BYTES_MAX {
            return Bound::None;
        }
    }
    Bound::Bytes(at + CHECK_BYTES)
}

/// True where the last two bytes are the CRC of the others.
fn is_checked(frame: &[u8]) -> bool {
    frame.split_last_chunk::<CHECK_BYTES>().is_some_and(|(body, there)| check(body) == *there)
}

/// Serial line 6.2.2: polynomial A001, start FFFF, lower byte first.
fn check(body: &[u8]) -> [u8; CHECK_BYTES] {
    let crc = body.iter().fold(0xffff_u16, |crc, byte| {
        (0..8).fold(crc ^ u16::from(*byte), |crc, _| if crc & 1 == 1 { crc >> 1 ^ 0xa001 } else { crc >> 1 })
    });
    crc.to_le_bytes()
}

/// A question as it stands on a line: unit, PDU, check bytes.
#[must_use]
pub fn encode(question: Question, unit: u8) -> Vec<u8> {
    let mut frame = vec![unit];
    frame.extend(question.pdu());
    let check = check(&frame);
    frame.extend(check);
    frame
}

/// True where the bytes are one frame, check bytes and all.
pub(super) fn is_frame(bytes: &[u8]) -> bool {
    bytes.len() <= FRAME_BYTES_MAX && length(bytes).is_ok_and(|length| length == Some(bytes.len()))
}

fn likeness(bytes: &[u8], over: Over) -> Likeness {
    if over == Over::Tcp && is_frame(bytes) { Likeness::Certain } else { Likeness::No }
}

#[cfg(test)]
mod tests;
