//! Registers that are a nameplate: literal reads out of makers' public register lists, which a profile may ask for.
//!
//! An answer of registers does not say where they stand, so it is read only where its question was heard, and only where the question is one of
//! these and its answer is marked: by text where the maker has text, or by his number of a model. All other registers are somebody's process.
//! Blocks that one client reads of one unit one after the other are one reading, because what tells the family may stand in another block than
//! the version.
//!
//! Layout of question and answer: MODBUS Application Protocol Specification V1.1b3, 6.3 and 6.4. What stands in the registers is said in the
//! profiles that read them.

use std::collections::BTreeMap;

use super::{EXCEPTION_BIT, FUNCTION_HOLDING_REGISTERS, FUNCTION_INPUT_REGISTERS};
use crate::conversation::{Heard, Over};
use crate::tcp::At;
use crate::{Address, Message, Reading, Shape};

/// A literal read of registers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Read {
    /// 3 (holding registers) or 4 (input registers).
    pub function: u8,
    /// First register, as it stands on the wire (from 0).
    pub address: u16,
    /// How many.
    pub quantity: u16,
}

/// What shows that an answer is a nameplate: everything else in registers is somebody's process.
#[derive(Clone, Copy, Debug)]
enum Mark {
    /// Text in these of its bytes: from, to.
    Text(usize, usize),
    /// One of the maker's numbers for his models, in the first register.
    Model(&'static [u16]),
    /// Nothing: it is read behind another block.
    None,
}

/// Every read that a profile may name, and what marks its answer.
const KNOWN: [(Read, Mark); 18] = [
    // GE Multilin 750/760, Communications Guide, chapter 4, table 3: "Product ID (read only)"; the serial number.
    (holding(0, 12), Mark::Text(12, 20)),
    // Schneider Electric PowerLogic PM5100, PM5300, PM5500, register list: name, model, manufacturer; the manufacturer.
    (holding(29, 60), Mark::Text(80, 120)),
    // The same: present firmware version.
    (holding(1_636, 5), Mark::None),
    // Siemens SENTRON PAC3200, manual A5E01168664B-04, 3.9.10, table 3-23: I&M0, as a whole only; the order number.
    (holding(64_001, 27), Mark::Text(2, 22)),
    // GE Multilin UR, table B-9: order code (F204, 80 characters); product version.
    (holding(0x40, 40), Mark::Text(0, 80)),
    (holding(2, 1), Mark::None),
    // MiCOM P921, P922, P923, technical guide P92x/EN CT/E11, page 0: description, reference, version; "P9", "21" behind two characters.
    (holding(0, 6), Mark::Text(2, 6)),
    // Bender isoHV525, manual D00297, 8.1: device name; number and version of the software, its date.
    (holding(9_800, 10), Mark::Text(0, 20)),
    (holding(9_820, 5), Mark::None),
    // ComAp InteliLite 4, as victronenergy/dbus-modbus-client reads it: what it is, as a whole only; firmware.
    (holding(1_307, 16), Mark::Text(0, 12)),
    (holding(1_323, 8), Mark::Text(0, 16)),
    // DEIF AGC 150, the same: type; version of the software.
    (input(770, 6), Mark::Text(0, 12)),
    (input(500, 1), Mark::None),
    // CRE Technology, the same: firmware; serial number with the family in it.
    (holding(0, 4), Mark::Text(0, 8)),
    (holding(4, 3), Mark::None),
    // Datakom, the same: type.
    (holding(10_609, 1), Mark::Model(&[0xd300, 0xd500, 0xd545, 0xd700])),
    // Basler DECS-250, manual 9440300990, table 28-5: model and application's version; serial number.
    (holding(0, 64), Mark::Text(0, 64)),
    (holding(192, 16), Mark::Text(0, 32)),
];
/// Blocks of one reading: what a profile asks for at most, so that a serial line is asked for them, too.
pub const BLOCKS_MAX: usize = 2;
/// Bytes of a PDU before its registers: function, byte count. 6.3.
const REGISTERS_AT: usize = 2;

const fn holding(address: u16, quantity: u16) -> Read {
    Read { function: FUNCTION_HOLDING_REGISTERS, address, quantity }
}

const fn input(address: u16, quantity: u16) -> Read {
    Read { function: FUNCTION_INPUT_REGISTERS, address, quantity }
}

impl Read {
    /// Every read that a profile may name.
    pub fn all() -> impl Iterator<Item = Self> {
        KNOWN.into_iter().map(|(read, _)| read)
    }

    /// The read that these bytes ask for, from the function code on; `None` where it is not one of them.
    #[must_use]
    pub fn of_pdu(pdu: &[u8]) -> Option<Self> {
        Self::all().find(|read| read.pdu() == pdu)
    }

    /// The question, from the function code on.
    #[must_use]
    pub fn pdu(self) -> [u8; 5] {
        let ([a1, a0], [q1, q0]) = (self.address.to_be_bytes(), self.quantity.to_be_bytes());
        [self.function, a1, a0, q1, q0]
    }

    /// Whether this is an answer to it, from the function code on: as many bytes as it takes, or an exception.
    #[must_use]
    pub fn is_answered_by(self, pdu: &[u8]) -> bool {
        match *pdu {
            [function, _] => function == self.function | EXCEPTION_BIT,
            [function, count, ..] => {
                function == self.function && usize::from(count) == self.bytes() && pdu.len() == REGISTERS_AT + self.bytes()
            }
            _ => false,
        }
    }

    fn bytes(self) -> usize {
        usize::from(self.quantity) * 2
    }

    /// The registers of an answer.
    fn registers(self, pdu: &[u8]) -> Option<&[u8]> {
        if self.is_answered_by(pdu) { pdu.get(REGISTERS_AT..).filter(|registers| registers.len() == self.bytes()) } else { None }
    }

    /// Whether its answer is marked as a nameplate; `None` where the maker has nothing that marks it. A text is a letter or digit, more such, then
    /// filling.
    fn is_marked(self, registers: &[u8]) -> Option<bool> {
        match KNOWN.iter().find(|(read, _)| *read == self)?.1 {
            Mark::Text(from, to) => {
                let text = registers.get(from..to)?.trim_ascii_end();
                let text = &text[..text.iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1)];
                Some(text.first().is_some_and(u8::is_ascii_alphanumeric) && text.iter().all(|byte| matches!(byte, b' '..=b'~')))
            }
            Mark::Model(numbers) => Some(registers.first_chunk().is_some_and(|first| numbers.contains(&u16::from_be_bytes(*first)))),
            Mark::None => None,
        }
    }

    /// The name of its block among the facts, behind the protocol's.
    fn block(self) -> String {
        let of = if self.function == FUNCTION_INPUT_REGISTERS { "input_registers" } else { "registers" };
        format!("{of}.{}", self.address)
    }
}

/// A question that was heard, and its answer.
#[derive(Clone, Copy, Debug)]
pub(super) struct Block<'a> {
    pub(super) read: Read,
    /// The whole message that asked, and when.
    pub(super) asked: (&'a [u8], At),
    /// The whole message that answered, and when.
    pub(super) said: (&'a [u8], At),
    /// Where its PDU begins, and the PDU itself.
    pub(super) pdu: (usize, &'a [u8]),
    /// What tells its question from the others of a reading, where all questions stand before all answers: a transaction, or how many registers.
    pub(super) key: u16,
}

/// Units of which blocks wait for more of them at a time: a client reads one device after the other.
const UNITS_MAX: usize = 4;

/// Blocks of the units of one conversation that may go on.
#[derive(Clone, Debug, Default)]
pub(super) struct Open(BTreeMap<u8, Blocks>);

impl Open {
    /// An answer with registers; `protocol`, `over` and `speaker` are its reading's.
    pub(super) fn take(&mut self, of: (&'static str, Over), speaker: Address, block: &Block<'_>, out: &mut dyn FnMut(Heard)) {
        let unit = speaker.unit.unwrap_or_default();
        let blocks = match self.0.remove(&unit) {
            Some(blocks) if blocks.goes_on_with(block) => Some(blocks.with(block)),
            earlier => {
                earlier.into_iter().for_each(|blocks| out(Heard::Reading(blocks.reading)));
                Blocks::first(of, speaker, block)
            }
        };
        match blocks {
            Some(blocks) if blocks.asked.len() == BLOCKS_MAX || self.0.len() == UNITS_MAX => out(Heard::Reading(blocks.reading)),
            Some(blocks) => drop(self.0.insert(unit, blocks)),
            None => {}
        }
    }

    /// The unit answered something else: what was heard of its registers stands as it is.
    pub(super) fn close(&mut self, unit: u8, out: &mut dyn FnMut(Heard)) {
        if let Some(blocks) = self.0.remove(&unit) {
            out(Heard::Reading(blocks.reading));
        }
    }

    /// Nothing comes any more.
    pub(super) fn finish(&mut self, out: &mut dyn FnMut(Heard)) {
        core::mem::take(&mut self.0).into_values().for_each(|blocks| out(Heard::Reading(blocks.reading)));
    }
}

/// Blocks that one client read of one unit one after the other.
#[derive(Clone, Debug)]
struct Blocks {
    reading: Reading,
    asked: Vec<(u16, Read)>,
}

impl Blocks {
    /// The first block of a reading; `None` where it is no nameplate.
    fn first((protocol, over): (&'static str, Over), speaker: Address, block: &Block<'_>) -> Option<Self> {
        let registers = block.read.registers(block.pdu.1)?;
        let reading = Reading::new(protocol, over, "modbus.registers", speaker);
        (block.read.is_marked(registers) == Some(true)).then(|| Self { reading, asked: Vec::new() }.with(block))
    }

    /// Whether another block belongs to the same reading.
    fn goes_on_with(&self, block: &Block<'_>) -> bool {
        let Some(registers) = block.read.registers(block.pdu.1) else { return false };
        let is_new = self.asked.iter().all(|(key, read)| *key != block.key && *read != block.read);
        is_new && self.asked.len() < BLOCKS_MAX && block.read.is_marked(registers) != Some(false)
    }

    /// The same with another block behind it.
    fn with(mut self, block: &Block<'_>) -> Self {
        let ((asked, asked_at), (said, at), (pdu_at, _)) = (block.asked, block.said, block.pdu);
        self.asked.push((block.key, block.read));
        self.reading = self.reading.asked_by(asked_at, asked);
        self.reading.messages.push(Message { frame: at.frame, time_ns: at.time_ns, bytes: said.to_vec() });
        let path = format!("{}.{}", self.reading.protocol, block.read.block());
        let registers_at = pdu_at + REGISTERS_AT;
        self.reading.fact(path, Shape::Hex, registers_at..registers_at + block.read.bytes());
        self.reading.complete = true;
        self
    }
}

#[cfg(test)]
mod tests;
