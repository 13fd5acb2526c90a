//! SLMP and the MC protocol (3E and 4E frames, binary and ASCII), CC-Link IE Field Basic and the SLMP of CC-Link IE TSN: which Mitsubishi
//! controllers and which remote stations answer.
//!
//! Sources: MELSEC SH-080956ENG (SLMP Reference Manual), 4.2 and 4.3 (frames), 5.2 (Read Type Name 0101, Node Search 0E30); SH-080008
//! (MELSEC Communication Protocol); CLPA BAP-C2006 (CC-Link IE Field Network Basic: cyclic answers). No answer holds a firmware version.

mod frame;
mod question;

use std::collections::VecDeque;

use crate::conversation::{Conversation, Coverage, End, Happening, Heard, Likeness, Over, Protocol, Role, Said};
use crate::padding::unpadded;
use crate::tcp::At;
use crate::{Address, Cutter, Malformed, Reading, Shape};
use frame::Frame;
pub use question::{ANSWER_BYTES_MAX, Question, answer_bytes, belongs};

/// SLMP on the ports that manuals propose, CC-Link IE Field Basic on its two, CC-Link IE TSN on its own.
pub static PROTOCOL: Protocol = Protocol {
    name: NAME,
    carries: &[],
    tcp: &[5000, 5003, 5004, 5008, 5009, 5010, 5011, 5012, 45239],
    udp: &[5003, 5004, 5008, 5009, 5010, 5011, 5012, 45238, FIELD_BASIC_CYCLIC, FIELD_BASIC_SLMP],
    link: &[],
    likeness,
    start: |over| Box::new(Talk::new(over)),
};

const NAME: &str = "slmp";
/// CC-Link IE Field Basic: cyclic data, and SLMP.
const FIELD_BASIC_CYCLIC: u16 = 61450;
const FIELD_BASIC_SLMP: u16 = 61451;

/// Read Type Name.
const TYPE_NAME: u16 = 0x0101;
/// Remote Reset.
const RESET: u16 = 0x1006;
/// Name, then a code of two bytes.
const NAME_BYTES: usize = 16;
/// End code before an answer's data.
const END_CODE_BYTES: usize = 2;
/// A node search's answer without host name: end code, two hardware and three network addresses with their lengths, codes, ports.
const NODE_BYTES: usize = 53;
/// Lengths of an IPv4 address in it: behind the asker's and the node's hardware address.
const NODE_SIZES_AT: [usize; 2] = [8, 19];
const NODE_MAC_AT: usize = 13;
const NODE_HOST_AT: usize = 32;
/// CC-Link IE Field Basic, answer to cyclic data: where the data stands (always so), 14 zeros, then codes of the station.
const CYCLIC_OFFSET_AT: usize = 6;
const CYCLIC_OFFSET: u16 = 40;
const CYCLIC_ZEROS_END: usize = 22;
const CYCLIC_STATION_BYTES: usize = 12;

/// Questions remembered until their answer comes; clients ask one by one.
const QUESTIONS_MAX: usize = 8;
/// Stations told of in one conversation; a network has at most 254.
const STATIONS_MAX: usize = 64;

#[derive(Debug)]
struct Asked {
    serial: Option<u16>,
    command: u16,
    at: At,
    /// Kept where the answer cannot be read without it.
    message: Vec<u8>,
}

#[derive(Debug)]
struct Talk {
    over: Over,
    questions: Cutter,
    answers: Cutter,
    asked: VecDeque<Asked>,
    told: Vec<[u8; 5]>,
    client_told: bool,
    reset_told: bool,
    /// Codes of the station in its last cyclic answer: the same again says nothing new.
    station: Option<[u8; CYCLIC_STATION_BYTES]>,
    coverage: Coverage,
}

/// Who said it to whom, and when.
struct Spoken<'a> {
    from: &'a End,
    to: &'a End,
    at: At,
}

impl Conversation for Talk {
    fn hear(&mut self, said: &Said<'_>, out: &mut dyn FnMut(Heard)) {
        let spoken = Spoken { from: said.from, to: said.to, at: said.at };
        let malformed = if self.over == Over::Udp {
            self.message(&spoken, said.bytes, out)
        } else {
            let side = if said.by_server { &mut self.answers } else { &mut self.questions };
            let mut cutter = core::mem::take(side);
            let length = |bytes: &[u8]| Ok(Frame::read(bytes)?.map(|frame| frame.bytes));
            let malformed = cutter.messages(said.bytes, length, &mut |message| {
                let _: Option<Malformed> = self.message(&spoken, message, out);
            });
            *if said.by_server { &mut self.answers } else { &mut self.questions } = cutter;
            self.coverage.seen += u64::from(malformed.is_some());
            malformed
        };
        if let Some(malformed) = malformed {
            out(Heard::Malformed { speaker: said.speaker(), at: said.at, malformed });
        }
    }

    fn lose(&mut self, by_server: bool, _: At, _: &mut dyn FnMut(Heard)) {
        if by_server { &mut self.answers } else { &mut self.questions }.lose();
    }

    fn coverage(&self, each: &mut dyn FnMut(&'static str, Coverage)) {
        each(NAME, self.coverage);
    }
}

impl Talk {
    fn new(over: Over) -> Self {
        let (questions, answers, coverage) = (Cutter::default(), Cutter::default(), Coverage::default());
        let (asked, told, station) = (VecDeque::new(), Vec::new(), None);
        Self { over, questions, answers, asked, told, client_told: false, reset_told: false, station, coverage }
    }

    fn message(&mut self, spoken: &Spoken<'_>, message: &[u8], out: &mut dyn FnMut(Heard)) -> Option<Malformed> {
        self.coverage.seen += 1;
        let frame = match Frame::read(message) {
            Ok(frame) => frame?,
            Err(malformed) => return Some(malformed),
        };
        self.coverage.decoded += 1;
        if frame.answer {
            self.answer(spoken, message, frame, out)
        } else {
            self.question(spoken, message, frame, out)
        }
        None
    }

    fn question(&mut self, spoken: &Spoken<'_>, message: &[u8], frame: Frame, out: &mut dyn FnMut(Heard)) {
        let Some(command) = frame.word(message, 2) else { return };
        if command == RESET && !core::mem::replace(&mut self.reset_told, true) {
            out(Heard::Happened { protocol: NAME, happening: Happening::Reset, device: station(spoken.to, frame.route), at: spoken.at });
        }
        if self.asked.len() == QUESTIONS_MAX {
            self.asked.pop_front();
        }
        let kept = if command == TYPE_NAME { message.to_vec() } else { Vec::new() };
        self.asked.push_back(Asked { serial: frame.serial, command, at: spoken.at, message: kept });
    }

    fn answer(&mut self, spoken: &Spoken<'_>, message: &[u8], frame: Frame, out: &mut dyn FnMut(Heard)) {
        let asked = self.asked_by(frame);
        if asked.is_some() {
            self.present(spoken, frame.route, out);
        }
        if frame.ascii {
            return if let Some(asked) = asked.filter(|asked| asked.command == TYPE_NAME) {
                self.type_name(spoken, message, frame, &asked, out);
            };
        }
        match asked {
            Some(asked) if asked.command == TYPE_NAME => self.type_name(spoken, message, frame, &asked, out),
            _ if is_node(message, frame) => self.node(spoken, message, frame, out),
            _ if is_cyclic(message, frame) => self.cyclic(spoken, message, frame, out),
            _ => {}
        }
    }

    /// The question that this answers: by its serial number, or, in frames without one, where no other is open.
    fn asked_by(&mut self, frame: Frame) -> Option<Asked> {
        let at = self.asked.iter().position(|asked| asked.serial == frame.serial)?;
        let asked = self.asked.remove(at)?;
        let alone = self.asked.iter().all(|other| other.serial != frame.serial || other.command == asked.command);
        alone.then_some(asked)
    }

    fn present(&mut self, spoken: &Spoken<'_>, route: [u8; 5], out: &mut dyn FnMut(Heard)) {
        if self.told.contains(&route) || self.told.len() == STATIONS_MAX {
            return;
        }
        self.told.push(route);
        out(Heard::Present { protocol: NAME, role: Role::Server, speaker: station(spoken.from, route), at: spoken.at });
        if !core::mem::replace(&mut self.client_told, true) {
            let speaker = Address { port: None, ..spoken.to.into() };
            out(Heard::Present { protocol: NAME, role: Role::Client, speaker, at: spoken.at });
        }
    }

    /// Read Type Name: a text of 16 characters, and a code that stands for the same model; or an end code that says why not.
    fn type_name(&self, spoken: &Spoken<'_>, message: &[u8], frame: Frame, asked: &Asked, out: &mut dyn FnMut(Heard)) {
        let scale = if frame.ascii { 2 } else { 1 };
        let start = frame.body + END_CODE_BYTES * scale;
        let (name, end) = (start..start + NAME_BYTES, start + NAME_BYTES + 2 * scale);
        let is_text = message.get(name.clone()).unwrap_or_default().iter().all(|byte| !byte.is_ascii_control() || *byte == 0);
        if let Some(1..) = frame.word(message, 0) {
            let mut reading = Reading::of(NAME, self.over, "slmp.type_name", station(spoken.from, frame.route), spoken.at, message);
            reading.complete = message.len() == frame.bytes;
            let shape = if frame.ascii { Shape::Text } else { Shape::HexLe };
            reading.fact("slmp.end_code", shape, frame.body..start);
            return out(Heard::Reading(reading.asked_by(asked.at, &asked.message)));
        }
        if frame.word(message, 0) != Some(0) || frame.bytes != end || !is_text {
            return;
        }
        let mut reading = Reading::of(NAME, self.over, "slmp.type_name", station(spoken.from, frame.route), spoken.at, message);
        reading.complete = message.len() == frame.bytes;
        if message.len() >= name.end {
            reading.fact("slmp.cpu.model", Shape::Text, unpadded(message, name.clone()));
        }
        let (path, shape) = if frame.ascii { ("slmp.cpu.code_text", Shape::Text) } else { ("slmp.cpu.code", Shape::HexLe) };
        reading.fact(path, shape, name.end..end);
        out(Heard::Reading(reading.asked_by(asked.at, &asked.message)));
    }

    /// Node Search: codes of the maker and of the model; the node answers to everybody, so its question is another conversation's.
    fn node(&self, spoken: &Spoken<'_>, message: &[u8], frame: Frame, out: &mut dyn FnMut(Heard)) {
        let mut reading = Reading::of(NAME, self.over, "slmp.node", spoken.from.into(), spoken.at, message);
        let host_at = frame.body + NODE_HOST_AT + 1;
        let host = usize::from(message.get(host_at - 1).copied().unwrap_or_default());
        let codes = host_at + host;
        reading.fact("slmp.node.mac", Shape::HexLe, frame.body + NODE_MAC_AT..frame.body + NODE_MAC_AT + 6);
        if host > 0 {
            reading.fact("slmp.node.name", Shape::Text, unpadded(message, host_at..codes));
        }
        reading.fact("slmp.node.vendor", Shape::HexLe, codes..codes + 2);
        reading.fact("slmp.node.model", Shape::HexLe, codes + 2..codes + 6);
        reading.fact("slmp.node.version", Shape::NumberLe, codes + 6..codes + 8);
        out(Heard::Reading(reading));
    }

    /// The answer to cyclic data has the same codes in a fixed place. It comes many times a second: only a change is read.
    fn cyclic(&mut self, spoken: &Spoken<'_>, message: &[u8], frame: Frame, out: &mut dyn FnMut(Heard)) {
        let codes = frame.body + CYCLIC_ZEROS_END;
        let Some(&said) = message.get(codes..).and_then(<[u8]>::first_chunk::<CYCLIC_STATION_BYTES>) else { return };
        if self.station.replace(said) == Some(said) {
            return;
        }
        let mut reading = Reading::of(NAME, self.over, "slmp.cyclic", spoken.from.into(), spoken.at, message);
        reading.fact("slmp.node.vendor", Shape::HexLe, codes..codes + 2);
        reading.fact("slmp.node.model", Shape::HexLe, codes + 4..codes + 8);
        reading.fact("slmp.node.version", Shape::NumberLe, codes + 8..codes + 10);
        out(Heard::Reading(reading));
    }
}

/// Network and station behind an address, where they are not the own ones; a CPU of several as slot.
pub(crate) fn station(end: &End, [network, number, low, high, _]: [u8; 5]) -> Address {
    let network = (network != 0).then_some(u16::from(network));
    let slot = match u16::from_le_bytes([low, high]) {
        cpu @ 0x03e0..=0x03e3 => Some(cpu - 0x03e0),
        _ => None,
    };
    Address { network, unit: (number != 0xff && number != 0).then_some(number), slot, ..end.into() }
}

fn is_node(message: &[u8], frame: Frame) -> bool {
    let body = message.get(frame.body..).unwrap_or_default();
    let (host, end_code) = (usize::from(body.get(NODE_HOST_AT).copied().unwrap_or_default()), body.get(..END_CODE_BYTES));
    // Behind host name and codes a third IPv4 address has its length.
    let sizes = NODE_SIZES_AT.into_iter().chain([NODE_HOST_AT + 9 + host]);
    end_code == Some(&[0, 0])
        && frame.bytes == frame.body + NODE_BYTES + host
        && message.len() == frame.bytes
        && sizes.into_iter().all(|at| body.get(at) == Some(&4))
}

fn is_cyclic(message: &[u8], frame: Frame) -> bool {
    let zeros = message.get(frame.body + CYCLIC_OFFSET_AT + 2..frame.body + CYCLIC_ZEROS_END);
    frame.serial.is_none()
        && frame.word(message, 0) == Some(0)
        && frame.word(message, CYCLIC_OFFSET_AT) == Some(CYCLIC_OFFSET)
        && zeros.is_some_and(|zeros| zeros.iter().all(|byte| *byte == 0))
}

fn likeness(bytes: &[u8], over: Over) -> Likeness {
    let frame = match Frame::read(bytes) {
        Ok(Some(frame)) => frame,
        Ok(None) if bytes.len() > 2 => return Likeness::Possible,
        _ => return Likeness::No,
    };
    if over == Over::Udp && bytes.len() > frame.bytes {
        return Likeness::No;
    }
    let whole = bytes.len() == frame.bytes && frame.route[1] == 0xff && frame.route[2..] == [0xff, 0x03, 0];
    let known = match frame.answer {
        true => matches!(frame.word(bytes, 0), Some(0 | 0x4000..=0x4fff | 0xc000..=0xcfff)),
        false => frame.word(bytes, 2).is_some_and(is_command),
    };
    if whole && known { Likeness::Certain } else { Likeness::Possible }
}

/// Commands of SH-080956ENG, 5.1, and of CC-Link IE Field Basic and TSN.
const fn is_command(command: u16) -> bool {
    matches!(command,
        0x0101 | 0x0401 | 0x0403 | 0x0406 | 0x0601 | 0x0613 | 0x0619 | 0x0801 | 0x0802 | 0x0e30 | 0x0e31 | 0x0e45 | 0x0e70
        | 0x0e90..=0x0e94 | 0x1001..=0x1006 | 0x1401 | 0x1402 | 0x1406 | 0x1601 | 0x1613 | 0x1617 | 0x1619 | 0x1630 | 0x1631
        | 0x1810..=0x182a | 0x3040 | 0x3119..=0x3210)
}

#[cfg(test)]
mod tests;
