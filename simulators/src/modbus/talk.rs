//! Modbus TCP before the frame of the simulators: which questions only read an identity, and which trip.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::{
    ENCAPSULATED, MBAP_BYTES, Persona, Quirks, READ_HOLDING_REGISTERS, READ_IDENTIFICATION, REPORT_SERVER_ID, hostile_objects, respond,
    wrap,
};
use crate::fault::Fault;
use crate::language::{Carrier, Cut, Heard, Language, Layout, Talk};
use crate::report::Speaker;

const PORT: u16 = 502;
/// More identity questions than this on one connection are no longer gentle (docs/read-only, Modbus TCP row).
const QUESTIONS_MAX: u32 = 8;
/// What the MBAP length of the longest request says: unit and 253 bytes of PDU.
const LENGTH_BYTES_MAX: usize = 254;
const READ_COILS: u8 = 0x01;
const READ_INPUT_REGISTERS: u8 = 0x04;

impl Language for Persona {
    fn port(&self) -> u16 {
        PORT
    }

    fn questions_max(&self, _: Carrier) -> u32 {
        QUESTIONS_MAX
    }

    fn talk(&self, speaker: Speaker, _: Carrier) -> Box<dyn Talk> {
        Box::new(Reading { persona: self.clone(), speaker, unit: None, last_object: BTreeMap::new() })
    }

    fn sample(&self) -> Vec<u8> {
        wrap(1, self.unit.unwrap_or(u8::MAX), &[ENCAPSULATED, READ_IDENTIFICATION, 1, 0])
    }

    fn layout(&self, _: &[u8]) -> Layout {
        Layout { header_bytes: MBAP_BYTES, transaction: Some(1), unit: Some(6), protocol: Some(3), length: Some(4..6) }
    }

    fn crooked(&self, fault: &Fault) -> Option<Arc<dyn Language>> {
        self.with(fault).map(|persona| Arc::new(persona) as Arc<dyn Language>)
    }
}

impl Persona {
    /// The same with the texts or the pages of a fault; `None` where it changes neither.
    pub(super) fn with(&self, fault: &Fault) -> Option<Self> {
        match fault {
            Fault::HostileText => Some(Self { objects: hostile_objects().into_iter().collect(), ..self.clone() }),
            &Fault::EndlessMore(more) => {
                let quirks = Quirks { endless: Some(more), ..self.quirks.clone() };
                Some(Self { quirks, ..self.clone() })
            }
            _ => None,
        }
    }
}

/// One connection.
struct Reading {
    persona: Persona,
    speaker: Speaker,
    unit: Option<u8>,
    last_object: BTreeMap<u8, u8>,
}

impl Talk for Reading {
    fn cut(&self, heard: &[u8]) -> Cut {
        let broken = Cut::Broken("no Modbus request header: protocol id is not 0, or length is not 2 to 254");
        if heard.iter().skip(2).take(2).any(|&byte| byte != 0) {
            return broken;
        }
        let &[_, _, _, _, l1, l0, ..] = heard else { return Cut::More };
        let length = usize::from(u16::from_be_bytes([l1, l0]));
        match length.saturating_add(MBAP_BYTES - 1) {
            _ if !(2..=LENGTH_BYTES_MAX).contains(&length) => broken,
            end if heard.len() >= end => Cut::Whole(end),
            _ => Cut::More,
        }
    }

    fn take(&mut self, adu: &[u8]) -> Heard {
        let trips = self.faults_of(adu);
        Heard { answers: respond(&self.persona, adu).into_iter().collect(), trips, hangs_up: false }
    }
}

impl Reading {
    fn faults_of(&mut self, adu: &[u8]) -> Vec<&'static str> {
        let &[_, _, _, _, _, _, unit, ref pdu @ ..] = adu else { return vec!["shorter than its header"] };
        if self.speaker == Speaker::Master {
            return (!is_masters_read(pdu)).then_some("the master itself wrote").into_iter().collect();
        }
        let sweep = (*self.unit.get_or_insert(unit) != unit).then_some("a second unit id on one connection: a sweep");
        sweep.into_iter().chain(self.fault_of_pdu(pdu)).collect()
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
                (!self.persona.register_reads.contains(&read)).then_some("a register read that no profile asks for")
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
