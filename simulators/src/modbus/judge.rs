//! The tripwire: a strict reading of what reaches a device. Everything but a well-formed question that only reads an identity trips it.

use std::collections::{BTreeMap, BTreeSet};

use super::{ENCAPSULATED, MBAP_BYTES, READ_HOLDING_REGISTERS, READ_IDENTIFICATION, REPORT_SERVER_ID};
use crate::report::Trip;

/// More identity questions than this on one connection are no longer gentle (docs/read-only, Modbus TCP row).
const QUESTIONS_MAX: u32 = 8;
/// What the MBAP length of the longest request says: unit and 253 bytes of PDU.
const LENGTH_BYTES_MAX: usize = 254;
const READ_COILS: u8 = 0x01;
const READ_INPUT_REGISTERS: u8 = 0x04;

/// What a device expects of those who connect to it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Manners {
    /// Literal register reads that its profile asks for: (function code 3 or 4, address, quantity).
    pub register_reads: BTreeSet<(u8, u16, u16)>,
    /// A second connection at the same time, other than the master's, trips.
    pub one_connection: bool,
}

/// Who speaks on a connection, and so what he may say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Speaker {
    /// Whoever asks: held to the identity questions.
    Asker,
    /// The plant's own master, who reads registers too.
    Master,
}

/// Reads one connection's bytes in the order in which they came.
#[derive(Debug)]
pub struct Judge {
    speaker: Speaker,
    manners: Manners,
    buffer: Vec<u8>,
    questions: u32,
    unit: Option<u8>,
    last_object: BTreeMap<u8, u8>,
}

impl Judge {
    /// A judge for one new connection.
    pub fn new(speaker: Speaker, manners: Manners) -> Self {
        Self { speaker, manners, buffer: Vec::new(), questions: 0, unit: None, last_object: BTreeMap::new() }
    }

    /// Takes the bytes of one read; `answering` says that an answer is still owed. Gives the whole ADUs in them and what tripped.
    ///
    /// A header that cannot be a Modbus request's ends the reading: the bytes after it have no meaning, and all of them trip.
    pub fn take(&mut self, bytes: &[u8], answering: bool) -> (Vec<Vec<u8>>, Vec<Trip>) {
        if self.is_broken() {
            return (Vec::new(), vec![Trip::new(bytes, "after a broken header")]);
        }
        let mut trips = Vec::new();
        let mut questions = Vec::new();
        if answering {
            trips.push(Trip::new(bytes, "sent before the answer to the question before it"));
        }
        self.buffer.extend(bytes);
        while !self.is_broken() {
            let Some(adu) = self.next_adu() else { break };
            if !questions.is_empty() {
                trips.push(Trip::new(&adu, "a second question with the first, before its answer"));
            }
            trips.extend(self.faults_of(&adu).into_iter().map(|why| Trip::new(&adu, why)));
            questions.push(adu);
        }
        if self.is_broken() {
            trips.push(Trip::new(&self.buffer, "no Modbus request header: protocol id is not 0, or length is not 2 to 254"));
        }
        (questions, trips)
    }

    /// What tripped by the end of the connection: bytes that never became a question.
    pub fn end(&self) -> Option<Trip> {
        (!self.buffer.is_empty() && !self.is_broken()).then(|| Trip::new(&self.buffer, "cut off: the connection ended inside a request"))
    }

    fn is_broken(&self) -> bool {
        let protocol_broken = self.buffer.iter().skip(2).take(2).any(|&byte| byte != 0);
        protocol_broken || self.length().is_some_and(|length| !(2..=LENGTH_BYTES_MAX).contains(&length))
    }

    fn length(&self) -> Option<usize> {
        let &[_, _, _, _, l1, l0, ..] = self.buffer.as_slice() else { return None };
        Some(usize::from(u16::from_be_bytes([l1, l0])))
    }

    fn next_adu(&mut self) -> Option<Vec<u8>> {
        let end = self.length()?.checked_add(MBAP_BYTES - 1)?;
        (self.buffer.len() >= end).then(|| self.buffer.drain(..end).collect())
    }

    fn faults_of(&mut self, adu: &[u8]) -> Vec<&'static str> {
        let mut faults = Vec::new();
        let &[_, _, _, _, _, _, unit, ref pdu @ ..] = adu else { return vec!["shorter than its header"] };
        self.questions = self.questions.saturating_add(1);
        if self.speaker == Speaker::Master {
            faults.extend((!is_masters_read(pdu)).then_some("the master itself wrote"));
            return faults;
        }
        if self.questions == QUESTIONS_MAX + 1 {
            faults.push("more than 8 questions on one connection");
        }
        if *self.unit.get_or_insert(unit) != unit {
            faults.push("a second unit id on one connection: a sweep");
        }
        faults.extend(self.fault_of_pdu(pdu));
        faults
    }

    fn fault_of_pdu(&mut self, pdu: &[u8]) -> Option<&'static str> {
        match *pdu {
            [REPORT_SERVER_ID] => None,
            [ENCAPSULATED, READ_IDENTIFICATION, 0x01, object] if object != 0 => Some("a basic read that does not start at object 0"),
            [ENCAPSULATED, READ_IDENTIFICATION, read_code @ 0x01..=0x04, object] => {
                let last = self.last_object.insert(read_code, object);
                last.is_some_and(|last| object <= last).then_some("the object id does not rise")
            }
            [function @ (READ_HOLDING_REGISTERS | READ_INPUT_REGISTERS), a1, a0, q1, q0] => {
                let read = (function, u16::from_be_bytes([a1, a0]), u16::from_be_bytes([q1, q0]));
                (!self.manners.register_reads.contains(&read)).then_some("a register read that no profile asks for")
            }
            [REPORT_SERVER_ID, ..] | [ENCAPSULATED, READ_IDENTIFICATION, ..] => {
                Some("an identity question of the wrong length or read code")
            }
            _ => Some("no identity question: a function code that is not on the allowlist"),
        }
    }
}

fn is_masters_read(pdu: &[u8]) -> bool {
    matches!(
        *pdu,
        [READ_COILS..=READ_INPUT_REGISTERS, _, _, _, _] | [REPORT_SERVER_ID] | [ENCAPSULATED, READ_IDENTIFICATION, 0x01..=0x04, _]
    )
}

#[cfg(test)]
mod tests;
