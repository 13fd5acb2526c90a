//! MELSOFT: what GX Works and GOT panels speak to Mitsubishi controllers. Only the controller's type is read.
//!
//! Source: no public specification; frames of public captures (ITI/ICS-Security-Tools pcaps/MELSEC, an FX5U; a Q03UDE's CPU type read as
//! Nmap's published question for port 5007 gets it) agree in this: a message starts with 57, its answer with D7, then `11 11` at 5, the
//! length of what follows at 19, from 21 on `1C` or `9C`, a byte, the length of a block with the command at its end, the length of the
//! block. Behind the command: a sequence number, in an answer an end code, the data.

use std::collections::VecDeque;

use crate::conversation::{Conversation, Coverage, End, Heard, Likeness, Over, Protocol, Role, Said};
use crate::padding::unpadded;
use crate::slmp::station;
use crate::tcp::At;
use crate::{Address, Cutter, Malformed, Reading, Shape};

/// MELSOFT over TCP and UDP, direct connections of FX5 and iQ-R included.
pub static PROTOCOL: Protocol = Protocol {
    name: NAME,
    carries: &[],
    tcp: &[5001, 5002, 5007, 5562],
    udp: &[5000, 5001, 5002, 5006, 5560, 5561],
    link: &[],
    likeness,
    start: |over| Box::new(Talk::new(over)),
};

const NAME: &str = "melsoft";
const QUESTION: u8 = 0x57;
/// A search for controllers, and what else is asked without a frame; UDP only.
const SEARCH: u8 = 0x5a;
const ANSWER: u8 = 0x80;
/// Up to the length field and with it.
const HEADER_BYTES: usize = 21;
const ROUTE_AT: usize = 13;
/// What starts the part that the length counts; the answer's has the top bit.
const PART: u8 = 0x1c;
const PART_AT: usize = 21;
/// Where the block with the command starts.
const BLOCK_AT: usize = 25;
/// The largest in the captures is 1.6 KB; the field has 16 bits, panels read blocks of 2 KB.
const BODY_BYTES_MAX: usize = 8192;

/// CPU type read: of Q and L, of FX5 and iQ-R.
const CPU_TYPE: [[u8; 2]; 2] = [[0x01, 0x01], [0x01, 0x21]];
/// Command, sequence number, end code.
const COMMAND_BYTES: usize = 6;
const MODEL_BYTES: usize = 16;
/// Questions remembered until their answer comes.
const QUESTIONS_MAX: usize = 16;

#[derive(Debug)]
struct Talk {
    over: Over,
    questions: Cutter,
    answers: Cutter,
    /// Command and sequence number; a search has neither.
    asked: VecDeque<[u8; 4]>,
    told: bool,
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
        if self.over == Over::Udp {
            return self.message(&spoken, said.bytes, out);
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
        let (questions, answers, coverage) = (Cutter::default(), Cutter::default(), Coverage::default());
        Self { over, questions, answers, asked: VecDeque::new(), told: false, coverage }
    }

    fn message(&mut self, spoken: &Spoken<'_>, message: &[u8], out: &mut dyn FnMut(Heard)) {
        self.coverage.seen += 1;
        let Some(&first) = message.first() else { return };
        let command = match first & !ANSWER {
            SEARCH => message.first_chunk().map(|&[_, a, b, c]: &[u8; 4]| [SEARCH, a, b, c]),
            QUESTION => command_at(message).and_then(|at| message.get(at..)?.first_chunk().copied()),
            _ => None,
        };
        let Some(command) = command else { return };
        self.coverage.decoded += 1;
        if first & ANSWER == 0 {
            if self.asked.len() == QUESTIONS_MAX {
                self.asked.pop_front();
            }
            return self.asked.push_back(command);
        }
        let route = message.get(ROUTE_AT..).and_then(<[u8]>::first_chunk).copied().filter(|_| first & !ANSWER == QUESTION);
        let speaker = route.map_or_else(|| spoken.from.into(), |route| station(spoken.from, route));
        let asked = self.asked.iter().position(|asked| *asked == command);
        let asked = asked.and_then(|at| self.asked.remove(at)).is_some();
        // In a direct connection the questions are broadcast: they are another conversation's, and a whole answer has to do.
        if !self.told && (asked || likeness(message, self.over) == Likeness::Certain) {
            self.told = true;
            out(Heard::Present { protocol: NAME, role: Role::Server, speaker: speaker.clone(), at: spoken.at });
            let speaker = Address { port: None, ..spoken.to.into() };
            out(Heard::Present { protocol: NAME, role: Role::Client, speaker, at: spoken.at });
        }
        let [c0, c1, ..] = command;
        if CPU_TYPE.contains(&[c0, c1]) && first & !ANSWER == QUESTION {
            self.cpu_type(speaker, spoken, message, out);
        }
    }

    /// The controller's type as text, and the code that stands for it.
    fn cpu_type(&self, speaker: Address, spoken: &Spoken<'_>, message: &[u8], out: &mut dyn FnMut(Heard)) {
        let Some(data) = command_at(message).map(|at| at + COMMAND_BYTES) else { return };
        let model = data..data + MODEL_BYTES;
        let Some(text) = message.get(model.clone()) else { return };
        if message.get(data - 2..data) != Some(&[0, 0]) || !text.first().is_some_and(u8::is_ascii_alphanumeric) {
            return;
        }
        let mut reading = Reading::of(NAME, self.over, "melsoft.cpu", speaker, spoken.at, message);
        reading.complete = length(message).is_ok_and(|length| length == Some(message.len()));
        reading.fact("melsoft.cpu.model", Shape::Text, unpadded(message, model.clone()));
        reading.fact("melsoft.cpu.code", Shape::HexLe, model.end..model.end + 2);
        out(Heard::Reading(reading));
    }
}

/// Where the command of a framed message stands: at the end of the block whose length is given.
fn command_at(message: &[u8]) -> Option<usize> {
    let &[part, _, with_command, block] = message.get(PART_AT..)?.first_chunk()?;
    // An answer has two more bytes between the block and the command.
    let fits = part & !ANSWER == PART && with_command > block && with_command - block <= 4;
    fits.then(|| BLOCK_AT + usize::from(with_command) - 2)
}

/// How long the message is that starts here.
fn length(bytes: &[u8]) -> Result<Option<usize>, Malformed> {
    let wrong = |at, said_by| Err(Malformed::wrong(NAME, at, said_by));
    match *bytes {
        [first, ..] if first & !ANSWER != QUESTION => return wrong(0, "a message starts with 57 or D7 (public captures)"),
        [_, _, _, _, _, a, ..] if a != 0x11 => return wrong(5, "11 11 (public captures)"),
        [_, _, _, _, _, _, b, ..] if b != 0x11 => return wrong(6, "11 11 (public captures)"),
        _ => {}
    }
    let Some(&[l0, l1]) = bytes.get(HEADER_BYTES - 2..).and_then(<[u8]>::first_chunk) else { return Ok(None) };
    match usize::from(u16::from_le_bytes([l0, l1])) {
        length @ 4..=BODY_BYTES_MAX => Ok(Some(HEADER_BYTES + length)),
        _ => wrong(HEADER_BYTES - 2, "a body of 4 bytes to 8 KB"),
    }
}

fn likeness(bytes: &[u8], over: Over) -> Likeness {
    if let [first, 0, 0, _, ..] = *bytes
        && first & !ANSWER == SEARCH
        && over == Over::Udp
    {
        return Likeness::Possible;
    }
    match length(bytes) {
        Ok(Some(length)) => {
            let whole = if over == Over::Udp { bytes.len() == length } else { bytes.len() > PART_AT };
            let part = bytes.get(PART_AT).zip(bytes.first()).is_some_and(|(part, first)| *part == (PART | first & ANSWER));
            if whole && part { Likeness::Certain } else { Likeness::Possible }
        }
        Ok(None) if bytes.len() > 6 => Likeness::Possible,
        _ => Likeness::No,
    }
}

#[cfg(test)]
mod tests;
