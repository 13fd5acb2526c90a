//! HART-IP: a gateway, or an instrument of its own, hands on HART commands. Which instruments answer, and what they are.
//!
//! Sources: FieldComm Group HCF_SPEC-085 (Network Management, HART-IP messages: header, session, token-passing and direct PDUs);
//! HCF_SPEC-081 (frame: delimiter, address, expansion, check byte). The commands are in [`command`].

mod command;
mod question;

use std::collections::{BTreeSet, VecDeque};

use crate::conversation::{Conversation, Coverage, End, Happening, Heard, Likeness, Over, Protocol, Role, Said};
use crate::tcp::At;
use crate::{Address, Cutter, Malformed};

pub use question::{Answered, INACTIVITY_MS, Long, Question};

/// HART-IP. Its header starts with small numbers as a Modbus header does; on other ports than its own the frame inside has to have its
/// check byte, or the message has to be the opening of a session.
pub static PROTOCOL: Protocol =
    Protocol { name: NAME, carries: &[], tcp: &[PORT], udp: &[PORT], link: &[], likeness, start: |over| Box::new(Session::new(over)) };

const NAME: &str = "hart-ip";
/// IANA `hart-ip`. A server may answer from another UDP port.
pub const PORT: u16 = 5094;
/// Version, type, message id, status, sequence number, length of the whole message.
const HEADER_BYTES: usize = 8;
/// An audit log has 1016 bytes, all else a frame of 255 data bytes at most; some room for what later revisions add.
const MESSAGE_BYTES_MAX: usize = 2048;
/// Header, master type, inactivity timer.
const SESSION_BYTES: usize = 13;

const REQUEST: u8 = 0;
const RESPONSE: u8 = 1;
const PUBLISH: u8 = 2;
const NAK: u8 = 15;
const SESSION: u8 = 0;
const CLOSE: u8 = 1;
const KEEP_ALIVE: u8 = 2;
const TOKEN_PASSING: u8 = 3;
const DIRECT: u8 = 4;
const AUDIT_LOG: u8 = 5;

/// Questions remembered until their answer comes; a server may serve several of a client's commands at once.
const QUESTIONS_MAX: usize = 32;
/// Instruments told of in one conversation; a wireless gateway has up to 250 behind it.
const INSTRUMENTS_MAX: usize = 512;

/// How long the message is that starts here, in bytes; `None` while too few are there to know.
///
/// # Errors
/// [`Malformed`] where no message starts here.
pub fn length(bytes: &[u8]) -> Result<Option<usize>, Malformed> {
    Ok(Header::read(bytes)?.map(|header| header.bytes))
}

/// What every message starts with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Header {
    kind: u8,
    id: u8,
    sequence: u16,
    bytes: usize,
}

impl Header {
    /// `None` while its bytes are not all there.
    fn read(bytes: &[u8]) -> Result<Option<Self>, Malformed> {
        let wrong = |at, said_by| Err(Malformed::wrong(NAME, at, said_by));
        match *bytes {
            [0 | 3.., ..] => return wrong(0, "version is 1 or 2 (HCF_SPEC-085)"),
            [_, kind, ..] if !matches!(kind, REQUEST | RESPONSE | PUBLISH | NAK) => {
                return wrong(1, "type is 0, 1, 2 or 15 (HCF_SPEC-085)");
            }
            [_, _, id, ..] if id > AUDIT_LOG && id < 128 => return wrong(2, "message id is 0 to 5 (HCF_SPEC-085)"),
            _ => {}
        }
        let Some(&[_, kind, id, _, s0, s1, l0, l1]) = bytes.first_chunk::<HEADER_BYTES>() else { return Ok(None) };
        let bytes = usize::from(u16::from_be_bytes([l0, l1]));
        if !(HEADER_BYTES..=MESSAGE_BYTES_MAX).contains(&bytes) || matches!(id, CLOSE | KEEP_ALIVE) && bytes != HEADER_BYTES {
            return wrong(6, "length counts the header, and closing or keeping alive is a header alone (HCF_SPEC-085)");
        }
        Ok(Some(Self { kind, id, sequence: u16::from_be_bytes([s0, s1]), bytes }))
    }
}

/// Who said it to whom, where and when.
struct Spoken<'a> {
    from: &'a End,
    to: &'a End,
    at: At,
    over: Over,
}

/// What was told of which instrument; all zeros for the server itself.
type Told = (u8, [u8; 5]);

#[derive(Debug)]
struct Session {
    over: Over,
    questions: Cutter,
    answers: Cutter,
    asked: VecDeque<(u16, u8)>,
    told: BTreeSet<Told>,
    coverage: Coverage,
}

impl Conversation for Session {
    fn hear(&mut self, said: &Said<'_>, out: &mut dyn FnMut(Heard)) {
        let spoken = Spoken { from: said.from, to: said.to, at: said.at, over: self.over };
        let malformed = if self.over == Over::Udp {
            self.message(&spoken, said.bytes, out)
        } else {
            let side = if said.by_server { &mut self.answers } else { &mut self.questions };
            let mut cutter = core::mem::take(side);
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

impl Session {
    fn new(over: Over) -> Self {
        let (questions, answers, coverage) = (Cutter::default(), Cutter::default(), Coverage::default());
        Self { over, questions, answers, asked: VecDeque::new(), told: BTreeSet::new(), coverage }
    }

    fn message(&mut self, spoken: &Spoken<'_>, message: &[u8], out: &mut dyn FnMut(Heard)) -> Option<Malformed> {
        self.coverage.seen += 1;
        let header = match Header::read(message) {
            Ok(header) => header?,
            Err(malformed) => return Some(malformed),
        };
        self.coverage.decoded += 1;
        let asked = match header.kind {
            REQUEST => {
                if self.asked.len() == QUESTIONS_MAX {
                    self.asked.pop_front();
                }
                self.asked.push_back((header.sequence, header.id));
                return None;
            }
            RESPONSE => {
                let asked = self.asked.iter().position(|asked| *asked == (header.sequence, header.id));
                asked.and_then(|at| self.asked.remove(at)).is_some()
            }
            PUBLISH => true,
            _ => return None,
        };
        let there = message.get(..header.bytes).unwrap_or(message);
        let heard = match header.id {
            TOKEN_PASSING => command::token_passing(spoken, there, header.bytes, out),
            DIRECT => {
                command::direct(spoken, there, header.bytes, out);
                command::Answer::default()
            }
            _ => command::Answer::default(),
        };
        if asked {
            let role = if header.kind == PUBLISH { Role::Publisher } else { Role::Server };
            self.present(role, spoken, heard.long, out);
        }
        if let Some(happening) = heard.happening.filter(|_| self.tell(2 + u8::from(heard.happening == Some(Happening::Reset)), heard.long))
        {
            out(Heard::Happened { protocol: NAME, happening, device: instrument(spoken.from, heard.long), at: spoken.at });
        }
        None
    }

    /// True the first time.
    fn tell(&mut self, what: u8, long: [u8; 5]) -> bool {
        self.told.len() < INSTRUMENTS_MAX && self.told.insert((what, long))
    }

    fn present(&mut self, role: Role, spoken: &Spoken<'_>, long: [u8; 5], out: &mut dyn FnMut(Heard)) {
        if self.tell(u8::from(role == Role::Publisher), long) {
            out(Heard::Present { protocol: NAME, role, speaker: instrument(spoken.from, long), at: spoken.at });
        }
        if role == Role::Server && self.tell(u8::MAX, [0; 5]) {
            let speaker = Address { port: None, ..spoken.to.into() };
            out(Heard::Present { protocol: NAME, role: Role::Client, speaker, at: spoken.at });
        }
    }
}

/// The instrument behind an address: 14 bits of its type and its device id, as its long address has them; zeros are nobody.
fn instrument(from: &End, long: [u8; 5]) -> Address {
    let hart = (long != [0; 5]).then(|| long.iter().map(|byte| format!("{byte:02x}")).collect());
    Address { hart, ..from.into() }
}

fn likeness(bytes: &[u8], over: Over) -> Likeness {
    let header = match Header::read(bytes) {
        Ok(Some(header)) => header,
        Ok(None) if bytes.len() > 2 => return Likeness::Possible,
        _ => return Likeness::No,
    };
    if over == Over::Udp && bytes.len() > header.bytes {
        return Likeness::No;
    }
    let Some(message) = bytes.get(..header.bytes) else { return Likeness::Possible };
    let certain = match (header.id, message.get(HEADER_BYTES..)) {
        // Unit 0 and function 13 in a Modbus header of such numbers: nobody has that.
        (SESSION, Some([0 | 1, ..])) => message.len() == SESSION_BYTES && header.kind <= RESPONSE,
        (TOKEN_PASSING, Some(frame)) => command::Frame::read(frame).is_some_and(|read| read.whole(frame)),
        _ => false,
    };
    if certain { Likeness::Certain } else { Likeness::Possible }
}

#[cfg(test)]
mod tests;
