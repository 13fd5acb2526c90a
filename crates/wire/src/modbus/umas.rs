//! UMAS: what engineering stations speak to Schneider controllers inside Modbus function 90. The controller's model is read.
//!
//! Source: no public specification; answers of public captures of a Quantum, an M340 and an M580 agree in this: the question is 5A, a session,
//! its function; the answer 5A, the session, FE, the data. The answer to function 02 (read id) has the CPU's model as a text behind its length
//! at byte 25 of the PDU. A word before it looks like a version; nobody has proven of what, so it is a fact and no more.

use super::{MBAP_BYTES, Mbap};
use crate::conversation::Over;
use crate::padding::unpadded;
use crate::tcp::At;
use crate::{Address, Authority, Reading, Shape};

pub(super) const NAME: &str = "umas";
/// The Modbus function that carries it.
const FUNCTION_UMAS: u8 = 0x5a;
const READ_ID: u8 = 0x02;
const READ_PROJECT: u8 = 0x03;
/// Says that the question was understood.
const DONE: u8 = 0xfe;
/// Where the data of an answer starts: function, session, result.
const DATA_AT: usize = MBAP_BYTES + 3;
const IDENT_AT: usize = MBAP_BYTES + 4;
const VERSION_WORD_AT: usize = MBAP_BYTES + 11;
const MODEL_LENGTH_AT: usize = MBAP_BYTES + 25;
/// The project's name is the last thing in its answer.
const PROJECT_LENGTH_AT: usize = MBAP_BYTES + 41;

/// A question whose answer tells something, with its bytes: the answer does not repeat what was asked.
#[derive(Debug)]
pub(super) struct Asked {
    function: u8,
    at: At,
    message: Vec<u8>,
}

impl Asked {
    /// Keeps a client's message where its answer will be read.
    pub(super) fn read(adu: &[u8], at: At) -> Option<Self> {
        match adu.get(MBAP_BYTES..)? {
            [FUNCTION_UMAS, _, function @ (READ_ID | READ_PROJECT), ..] => Some(Self { function: *function, at, message: adu.to_vec() }),
            _ => None,
        }
    }

    /// What the answer says.
    pub(super) fn answer(&self, mbap: Mbap, adu: &[u8], speaker: Address, at: At) -> Option<Reading> {
        if adu.get(DATA_AT - 1) != Some(&DONE) {
            return None;
        }
        let there = adu.get(..mbap.adu_bytes).unwrap_or(adu);
        let question = if self.function == READ_ID { "umas.identification" } else { "umas.project" };
        let mut reading = Reading::of(NAME, Over::Tcp, question, speaker, at, there);
        reading.complete = there.len() == mbap.adu_bytes;
        if self.function == READ_ID {
            reading.fact("umas.cpu.ident", Shape::HexLe, IDENT_AT..IDENT_AT + 4);
            reading.fact("umas.cpu.version_word", Shape::HexLe, VERSION_WORD_AT..VERSION_WORD_AT + 2);
            text(&mut reading, "umas.cpu.model", there, MODEL_LENGTH_AT);
        } else {
            // What the project is called says nothing about the controller's own make.
            reading.authority = Authority::Belief;
            text(&mut reading, "umas.project.name", there, PROJECT_LENGTH_AT);
        }
        (!reading.facts.is_empty()).then(|| reading.asked_by(self.at, &self.message))
    }
}

/// A text behind its length; an answer of another layout has no such text there, or not all of it.
fn text(reading: &mut Reading, path: &str, there: &[u8], length_at: usize) {
    let start = length_at + 1;
    let Some(end) = there.get(length_at).map(|length| start + usize::from(*length)) else { return };
    let Some(said) = there.get(start..end) else { return };
    let printable = |byte: &u8| *byte == 0 || !byte.is_ascii_control();
    if said.first().is_some_and(u8::is_ascii_graphic) && said.iter().all(printable) {
        reading.fact(path, Shape::Text, unpadded(there, start..end));
    }
}

/// True for the messages of either side.
pub(super) fn carries(adu: &[u8]) -> bool {
    matches!(adu.get(MBAP_BYTES), Some(function) if function & 0x7f == FUNCTION_UMAS)
}
