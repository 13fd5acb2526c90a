//! OMRON FINS over UDP and over TCP: which controller and which units on its bus answer.
//!
//! Sources: OMRON W227-E1-2 (FINS Commands Reference Manual), section 2 (header), 3-14 and 3-15 (CONTROLLER DATA READ 05 01, CONNECTION DATA
//! READ 05 02), section 4 (end codes); OMRON W421-E1-04 (CJ1W-ETN21, Construction of Applications), 7-4-2 (FINS/TCP header).

mod question;

use std::collections::VecDeque;

use crate::conversation::{Conversation, Coverage, End, Happening, Heard, Likeness, Over, Protocol, Role, Said};
use crate::padding::unpadded;
use crate::tcp::At;
use crate::{Address, Cutter, Malformed, Reading, Shape};

pub use self::question::{Answer, Nodes, Question};

/// FINS. A frame over UDP has no magic: on other ports than its own it has to be one of a few commands whose every length agrees.
pub static PROTOCOL: Protocol =
    Protocol { name: NAME, carries: &[], tcp: &[PORT], udp: &[PORT], link: &[], likeness, start: |over| Box::new(Talk::new(over)) };

const NAME: &str = "fins";
/// The factory setting of both transports.
pub const PORT: u16 = 9600;

/// Starts every message over TCP.
const MAGIC: &[u8; 4] = b"FINS";
/// Magic, length, command, error: before the FINS frame over TCP. W421, 7-4-2.
const ENVELOPE_BYTES: usize = 16;
/// Bytes of the envelope that its length field does not count.
const LENGTH_END: usize = 8;
/// What the length field may count: the rest of the envelope and a frame of 2012 bytes (W421, 7-4-2), with some room.
const LENGTH_BYTES_MAX: usize = 2048;
/// Envelope command that carries a FINS frame; 0, 1, 3 and 6 are node addresses, refusals and tests.
const ENVELOPE_FRAME: u32 = 2;
const ENVELOPE_LAST: u32 = 6;
/// ICF, RSV, GCT, DNA, DA1, DA2, SNA, SA1, SA2, SID, then the command's two bytes. W227, 2-1.
const HEADER_BYTES: usize = 12;
/// In an answer the end code follows the command. W227, 2-2.
const ANSWER_BYTES: usize = 14;
/// Bits of the ICF that are always 0, and the one that makes an answer.
const ICF_ZEROS: u8 = 0x3e;
const ICF_ANSWER: u8 = 0x40;
/// Most gateways that a frame may still pass; a sender writes 2 or 7, each gateway takes one away.
const GATEWAYS_MAX: u8 = 7;
/// Highest network number.
const NETWORK_LAST: u8 = 0x7f;

const CONTROLLER_DATA: [u8; 2] = [0x05, 0x01];
const CONNECTION_DATA: [u8; 2] = [0x05, 0x02];
const RESET: [u8; 2] = [0x04, 0x03];
const READ_MEMORY: [u8; 2] = [0x01, 0x01];
/// Model and version: text fields of that width. W227, 3-14.
const TEXT_BYTES: usize = 20;
/// CS and CJ controllers keep two versions in the field: the unit's and an internal one.
const VERSION_BYTES: usize = 10;
/// Model, version, 40 bytes for the system, 12 of area sizes; the other form of the answer (what is on the bus) is shorter.
const CONTROLLER_BYTES: usize = 92;
const AREA_AT: usize = 80;
/// Unit address and model. W227, 3-15.
const UNIT_BYTES: usize = 21;
/// "No further units" in the number of units.
const UNITS_LAST: u8 = 0x80;

/// Questions remembered until their answer comes: the service id tells up to 256 apart, clients have one or a few open.
const QUESTIONS_MAX: usize = 16;
/// Nodes told of in one conversation: a gateway has a network of at most 254 behind it.
const NODES_MAX: usize = 64;

/// What one side is, and what was asked: network, node, unit.
type Node = [u8; 3];

/// Two ends that exchange FINS frames.
#[derive(Debug)]
struct Talk {
    over: Over,
    questions: Cutter,
    answers: Cutter,
    /// Service id and command.
    asked: VecDeque<(u8, [u8; 2])>,
    told: Vec<Node>,
    client_told: bool,
    reset_told: bool,
    coverage: Coverage,
}

/// Who said it to whom, where and when.
struct Spoken<'a> {
    from: &'a End,
    to: &'a End,
    at: At,
    missing: usize,
}

impl Conversation for Talk {
    fn hear(&mut self, said: &Said<'_>, out: &mut dyn FnMut(Heard)) {
        let spoken = Spoken { from: said.from, to: said.to, at: said.at, missing: said.missing };
        if self.over == Over::Udp {
            return self.frame(&spoken, said.bytes, 0, out);
        }
        let side = if said.by_server { &mut self.answers } else { &mut self.questions };
        let mut cutter = core::mem::take(side);
        let malformed = cutter.messages(said.bytes, length, &mut |message| self.message(&spoken, message, out));
        *if said.by_server { &mut self.answers } else { &mut self.questions } = cutter;
        if let Some(malformed) = malformed {
            self.coverage.seen += 1;
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
        let (told, asked) = (Vec::new(), VecDeque::new());
        let (questions, answers, coverage) = (Cutter::default(), Cutter::default(), Coverage::default());
        Self { over, questions, answers, asked, told, client_told: false, reset_told: false, coverage }
    }

    /// A message over TCP.
    fn message(&mut self, spoken: &Spoken<'_>, message: &[u8], out: &mut dyn FnMut(Heard)) {
        if envelope_command(message) == Some(ENVELOPE_FRAME) {
            return self.frame(spoken, message, ENVELOPE_BYTES, out);
        }
        self.coverage.seen += 1;
        self.coverage.decoded += 1;
    }

    /// A message whose FINS frame starts at `start`.
    fn frame(&mut self, spoken: &Spoken<'_>, message: &[u8], start: usize, out: &mut dyn FnMut(Heard)) {
        self.coverage.seen += 1;
        let Some(header) = message.get(start..).and_then(<[u8]>::first_chunk::<HEADER_BYTES>) else { return };
        let &[icf, reserved, _, _, _, _, network, node, unit, service, main, sub] = header;
        if icf & ICF_ZEROS != 0 || reserved != 0 {
            return;
        }
        self.coverage.decoded += 1;
        let command = [main, sub];
        if icf & ICF_ANSWER == 0 {
            return self.question(spoken, (service, command), out);
        }
        let speaker = speaker(spoken.from, [network, node, unit]);
        if let Some(asked) = self.asked.iter().position(|asked| *asked == (service, command)) {
            self.asked.remove(asked);
            self.present(spoken, [network, node, unit], &speaker, out);
        }
        match command {
            CONTROLLER_DATA => controller(self.over, speaker, spoken, message, start, out),
            CONNECTION_DATA => units(self.over, &speaker, spoken, message, start, out),
            _ => {}
        }
    }

    fn question(&mut self, spoken: &Spoken<'_>, asked: (u8, [u8; 2]), out: &mut dyn FnMut(Heard)) {
        if self.asked.len() == QUESTIONS_MAX {
            self.asked.pop_front();
        }
        self.asked.push_back(asked);
        if asked.1 == RESET && !self.reset_told {
            self.reset_told = true;
            out(Heard::Happened { protocol: NAME, happening: Happening::Reset, device: spoken.to.into(), at: spoken.at });
        }
    }

    fn present(&mut self, spoken: &Spoken<'_>, node: Node, speaker: &Address, out: &mut dyn FnMut(Heard)) {
        if self.told.contains(&node) || self.told.len() == NODES_MAX {
            return;
        }
        self.told.push(node);
        out(Heard::Present { protocol: NAME, role: Role::Server, speaker: speaker.clone(), at: spoken.at });
        if !core::mem::replace(&mut self.client_told, true) {
            let speaker = Address { port: None, ..spoken.to.into() };
            out(Heard::Present { protocol: NAME, role: Role::Client, speaker, at: spoken.at });
        }
    }
}

/// The node behind an address, by its own word: its network where that is not the local one, its unit (a board of the rack) where it is
/// not the CPU.
fn speaker(from: &End, [network, node, unit]: Node) -> Address {
    let network = (network != 0).then_some(u16::from(network));
    Address { unit: Some(node), network, slot: (unit != 0).then_some(u16::from(unit)), ..from.into() }
}

/// CONTROLLER DATA READ: model and version, where the answer is of the form that starts with them.
fn controller(over: Over, speaker: Address, spoken: &Spoken<'_>, message: &[u8], start: usize, out: &mut dyn FnMut(Heard)) {
    let Some(data) = answered(message, start) else { return };
    if message.len() + spoken.missing < data + CONTROLLER_BYTES {
        return;
    }
    let mut reading = Reading::of(NAME, over, "fins.controller", speaker, spoken.at, message);
    reading.complete = spoken.missing == 0;
    let (model, version) = (data..data + TEXT_BYTES, data + TEXT_BYTES..data + 2 * TEXT_BYTES);
    reading.fact("fins.controller.model", Shape::Text, unpadded(message, model));
    let two = message.get(version.start + VERSION_BYTES - 1).is_some_and(|last| matches!(last, 0 | b' '));
    let internal = if two { version.start + VERSION_BYTES } else { version.end };
    // Which form it is shows only in the whole field.
    if message.len() >= version.end {
        reading.fact("fins.controller.version", Shape::Text, unpadded(message, version.start..internal));
        reading.fact("fins.controller.internal_version", Shape::Text, unpadded(message, internal..version.end));
    }
    reading.fact("fins.controller.area", Shape::Hex, data + AREA_AT..data + CONTROLLER_BYTES);
    reading.facts.retain(|fact| !fact.bytes.is_empty());
    out(Heard::Reading(reading));
}

/// CONNECTION DATA READ: the controller's list of the units on its bus; each is a part with an address of its own.
fn units(over: Over, speaker: &Address, spoken: &Spoken<'_>, message: &[u8], start: usize, out: &mut dyn FnMut(Heard)) {
    let Some(data) = answered(message, start) else { return };
    let Some(&count) = message.get(data) else { return };
    let list = message.get(data + 1..).unwrap_or_default();
    for (index, unit) in list.chunks_exact(UNIT_BYTES).take(usize::from(count & !UNITS_LAST)).enumerate() {
        let Some(&number) = unit.first() else { return };
        let speaker = Address { slot: Some(u16::from(number)), ..speaker.clone() };
        let mut reading = Reading::of(NAME, over, "fins.units", speaker, spoken.at, message);
        let text = data + 2 + index * UNIT_BYTES;
        reading.fact("fins.unit.model", Shape::Text, unpadded(message, text..text + TEXT_BYTES));
        reading.complete = spoken.missing == 0;
        out(Heard::Reading(reading));
    }
}

/// Where the data of an answer starts that tells of no error. Bit 7 of either byte of the end code tells of a relay or of a fault of the
/// CPU that has nothing to do with the question. W227, 4-1.
fn answered(message: &[u8], start: usize) -> Option<usize> {
    let data = start + ANSWER_BYTES;
    matches!(message.get(data - 2..data), Some([0, sub]) if sub & 0x3f == 0).then_some(data)
}

fn envelope_command(message: &[u8]) -> Option<u32> {
    message.get(LENGTH_END..)?.first_chunk::<4>().map(|command| u32::from_be_bytes(*command))
}

/// How long the message is that starts here, over TCP. `Ok(None)` while that cannot be told.
///
/// # Errors
/// [`Malformed`] where none can start so, or where it is longer than any.
pub fn length(bytes: &[u8]) -> Result<Option<usize>, Malformed> {
    if bytes.iter().zip(MAGIC).any(|(byte, magic)| byte != magic) {
        return Err(Malformed::wrong("fins", 0, "a message starts with FINS (W421 7-4-2)"));
    }
    let Some(&[_, _, _, _, l0, l1, l2, l3]) = bytes.first_chunk::<LENGTH_END>() else { return Ok(None) };
    match usize::try_from(u32::from_be_bytes([l0, l1, l2, l3])) {
        Ok(length @ LENGTH_END..=LENGTH_BYTES_MAX) => Ok(Some(LENGTH_END + length)),
        _ => Err(Malformed::wrong("fins", 4, "length is 8 to 2020 (W421 7-4-2)")),
    }
}

fn likeness(bytes: &[u8], over: Over) -> Likeness {
    if over == Over::Tcp {
        let known = envelope_command(bytes).is_none_or(|command| command <= ENVELOPE_LAST);
        return match length(bytes) {
            Ok(Some(_)) if known => Likeness::Certain,
            Ok(None) => Likeness::Possible,
            _ => Likeness::No,
        };
    }
    let Some(&[icf, reserved, gateways, to, _, _, from, _, _, _, main, sub]) = bytes.first_chunk::<HEADER_BYTES>() else {
        return Likeness::No;
    };
    let answer = icf & ICF_ANSWER != 0;
    let header = icf & ICF_ZEROS == 0 && reserved == 0 && gateways <= GATEWAYS_MAX && to <= NETWORK_LAST && from <= NETWORK_LAST;
    if !header || !is_command(main, sub) || answer && bytes.len() < ANSWER_BYTES {
        return Likeness::No;
    }
    // Bit 7 of the ICF is set by all but some small controllers; RTP starts with 80, too.
    let exact = match ([main, sub], answer) {
        (CONTROLLER_DATA, false) => matches!(bytes.get(HEADER_BYTES..), Some([] | [0 | 1])),
        (CONTROLLER_DATA, true) => is_text(bytes, ANSWER_BYTES) && is_text(bytes, ANSWER_BYTES + TEXT_BYTES),
        (READ_MEMORY, false) => bytes.len() == HEADER_BYTES + 6 && bytes.get(HEADER_BYTES).is_some_and(|area| *area >= 0x80),
        _ => false,
    };
    if exact && icf & 0x80 != 0 && gateways > 0 { Likeness::Certain } else { Likeness::Possible }
}

/// Commands of W227 (section 3) and of the CS/CJ manuals.
const fn is_command(main: u8, sub: u8) -> bool {
    match main {
        0x01 | 0x03 | 0x04 | 0x05 | 0x08 | 0x09 | 0x23 | 0x26 => sub <= 0x20,
        0x02 | 0x06 => sub <= 0x21,
        0x07 | 0x0c | 0x21 => 1 <= sub && sub <= 0x05,
        0x22 => 1 <= sub && sub <= 0x20,
        _ => false,
    }
}

/// A text field with something in it.
fn is_text(bytes: &[u8], at: usize) -> bool {
    let printable = |byte: &u8| matches!(byte, 0 | 0x20..0x7f);
    bytes.get(at..at + TEXT_BYTES).is_some_and(|text| text.first().is_some_and(u8::is_ascii_graphic) && text.iter().all(printable))
}

#[cfg(test)]
mod tests;
