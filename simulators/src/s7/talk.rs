//! One connection: called, set up, then lists that are read, fragment by fragment.

use std::sync::Arc;

use super::{COMPONENT_BYTES, ORDER_NUMBER_BYTES, PORT, Persona, SZL_COMPONENTS, SZL_MODULES};
use crate::fault::{Fault, More, hostile_text};
use crate::language::{Carrier, Cut, Heard, Language, Layout, Talk};
use crate::numbers::stated16;
use crate::report::Speaker;
use crate::tpkt::{HEADER_BYTES, TPKT_BYTES, cut, tpkt};

/// Connect, setup and the lists with their fragments (read-only.md, section 2).
const QUESTIONS_MAX: u32 = 6;
/// More than any question of ours needs.
const QUESTION_BYTES_MAX: usize = 128;
/// S7 header, parameters and the head of the data of a list's fragment.
const FRAGMENT_HEAD_BYTES: u16 = 10 + 12 + 4;
/// Id, index, length of a record, number of records.
const LIST_HEAD_BYTES: usize = 8;
/// High byte of the TSAP of an S7 basic connection.
const S7_BASIC: u8 = 3;
/// ISO 8073, 13.5.3: address unknown.
const ADDRESS_UNKNOWN: u8 = 3;
/// There is no such list.
const NO_SUCH_LIST: u16 = 0xD401;

impl Language for Persona {
    fn port(&self) -> u16 {
        PORT
    }

    fn questions_max(&self, _: Carrier) -> u32 {
        QUESTIONS_MAX
    }

    fn talk(&self, _: Speaker, _: Carrier) -> Box<dyn Talk> {
        Box::new(Connection {
            persona: self.clone(),
            stage: Stage::New,
            pdu_bytes: self.pdu_bytes,
            rest: Vec::new(),
            sequence: 0,
            unit: 0,
            units: 0,
        })
    }

    fn sample(&self) -> Vec<u8> {
        let [kind, place] = self.tsap.to_be_bytes();
        tpkt(&[0x11, 0xE0, 0, 0, 0, 1, 0, 0xC0, 1, 0x0A, 0xC1, 2, 3, 0, 0xC2, 2, kind, place])
    }

    fn layout(&self, answer: &[u8]) -> Layout {
        let is_user_data = answer.get(5) == Some(&0xF0);
        let (transaction, protocol) = if is_user_data { (12, 7) } else { (7, 0) };
        Layout { header_bytes: HEADER_BYTES, transaction: Some(transaction), unit: None, protocol: Some(protocol), length: Some(2..4) }
    }

    fn crooked(&self, fault: &Fault) -> Option<Arc<dyn Language>> {
        match fault {
            &Fault::EndlessMore(more) => Some(Arc::new(Self { endless: Some(more), ..self.clone() })),
            Fault::HostileText => {
                let mut hostile = self.clone();
                for (id, records) in &mut hostile.lists {
                    let text_bytes = if *id == SZL_MODULES { ORDER_NUMBER_BYTES } else { COMPONENT_BYTES };
                    for (number, record) in records.iter_mut().enumerate() {
                        let text = hostile_text(number, text_bytes);
                        record.iter_mut().skip(2).zip(text).for_each(|(byte, hostile)| *byte = hostile);
                    }
                }
                Some(Arc::new(hostile))
            }
            _ => None,
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    New,
    Called,
    SetUp,
    /// H23 happened.
    Defective,
}

struct Connection {
    persona: Persona,
    stage: Stage,
    pdu_bytes: u16,
    /// Of a list that is being read, what has not been sent.
    rest: Vec<u8>,
    /// Number of that reading.
    sequence: u8,
    /// What its fragments have in common; 0 where one is enough.
    unit: u8,
    /// The unit before it.
    units: u8,
}

impl Talk for Connection {
    fn cut(&self, heard: &[u8]) -> Cut {
        cut(heard, QUESTION_BYTES_MAX)
    }

    fn take(&mut self, question: &[u8]) -> Heard {
        let tpdu = question.get(TPKT_BYTES..).unwrap_or_default();
        match (self.stage, tpdu) {
            (Stage::Defective, _) => Heard::silent("asked again after SZL 001C made it defective"),
            (Stage::New, [_, 0xE0, ..]) => self.called(tpdu),
            (Stage::Called, [2, 0xF0, 0x80, s7 @ ..]) => self.set_up(s7),
            (Stage::SetUp, [2, 0xF0, 0x80, s7 @ ..]) => self.read(s7),
            _ => Heard { hangs_up: true, ..Heard::silent("no COTP message that is due here") },
        }
    }

    fn leaves(&mut self) -> Option<&'static str> {
        let left = !self.rest.is_empty() && self.persona.endless.is_none();
        left.then_some("not all fragments of a list were fetched")
    }
}

impl Connection {
    fn called(&mut self, tpdu: &[u8]) -> Heard {
        let mut trips = Vec::new();
        let (local, remote) = (parameter(tpdu, 0xC1), parameter(tpdu, 0xC2));
        let is_plain = tpdu.first().map(|&length| usize::from(length)) == tpdu.len().checked_sub(1) && tpdu.get(6) == Some(&0);
        if !is_plain || local.is_none() {
            trips.push("a COTP connection request that is not class 0, or has no TSAPs");
        }
        let basic = remote.is_some_and(|remote| matches!(remote, [S7_BASIC, _]));
        trips.extend((!basic).then_some("a TSAP that is not that of an S7 basic connection"));
        let (their, ours) = (tpdu.get(4..6).unwrap_or(&[0, 0]), [0, 6]);
        if remote != Some(&self.persona.tsap.to_be_bytes()[..]) {
            let refusal = [&[6, 0x80][..], their, &[0, 0, ADDRESS_UNKNOWN]].concat();
            return Heard { answers: vec![tpkt(&refusal)], trips, hangs_up: true };
        }
        self.stage = Stage::Called;
        let local = local.unwrap_or_default();
        let remote = remote.unwrap_or_default();
        let parameters = [&[0xC0, 1, 0x0A, 0xC1, 2][..], local, &[0xC2, 2], remote].concat();
        let length = u8::try_from(6_usize.saturating_add(parameters.len())).unwrap_or(u8::MAX);
        let confirm = [&[length, 0xD0][..], their, &ours, &[0], &parameters].concat();
        Heard { answers: vec![tpkt(&confirm)], trips, hangs_up: false }
    }

    fn set_up(&mut self, s7: &[u8]) -> Heard {
        let &[0x32, 1, 0, 0, r1, r0, 0, 8, 0, 0, 0xF0, 0, _, _, _, _, p1, p0] = s7 else {
            return Heard::silent("not the setup that is due after the connection");
        };
        self.stage = Stage::SetUp;
        self.pdu_bytes = self.persona.pdu_bytes.min(u16::from_be_bytes([p1, p0]));
        let [p1, p0] = self.pdu_bytes.to_be_bytes();
        Heard::answered(user_data(&[0x32, 3, 0, 0, r1, r0, 0, 8, 0, 0, 0, 0, 0xF0, 0, 0, 1, 0, 1, p1, p0]))
    }

    fn read(&mut self, s7: &[u8]) -> Heard {
        let reference = s7.get(4..6).unwrap_or(&[0, 0]);
        match s7 {
            // Group 4 (CPU functions), subfunction 1 (read SZL).
            [0x32, 7, 0, 0, _, _, 0, 8, 0, 8, 0, 1, 0x12, 4, 0x11, 0x44, 1, _, 0xFF, 9, 0, 4, i1, i0, x1, x0] => {
                self.open(reference, u16::from_be_bytes([*i1, *i0]), u16::from_be_bytes([*x1, *x0]))
            }
            [0x32, 7, 0, 0, _, _, 0, 12, 0, 4, 0, 1, 0x12, 8, 0x12, 0x44, 1, sequence, _, _, 0, 0, 0x0A, 0, 0, 0] => {
                if *sequence != self.sequence || self.rest.is_empty() {
                    return Heard::silent("a fragment is fetched of a list that has none left");
                }
                Heard::answered(self.fragment(reference))
            }
            _ => Heard::silent("no reading of a system state list: it is not on the allowlist"),
        }
    }

    fn open(&mut self, reference: &[u8], id: u16, index: u16) -> Heard {
        let mut trips: Vec<&'static str> = self.leaves().into_iter().collect();
        let listed = matches!((id, index), (SZL_MODULES, 0 | 1) | (SZL_COMPONENTS, 0));
        trips.extend((!listed).then_some("a system state list or index that is not on the allowlist"));
        if id == SZL_COMPONENTS {
            let consented = self.persona.consents_to_001c && !self.persona.defect_on_001c;
            trips.extend((!consented).then_some("SZL 001C without consent, or of a CPU that it makes defective"));
        }
        self.sequence = self.sequence.wrapping_add(1);
        self.unit = 0;
        let Some(records) = self.persona.lists.get(&id) else {
            self.rest = Vec::new();
            let [e1, e0] = NO_SUCH_LIST.to_be_bytes();
            return Heard { answers: vec![reply(reference, [self.sequence, 0, 0, e1, e0], &[0x0A, 0, 0, 0])], trips, hangs_up: false };
        };
        let record_bytes = stated16(records.first().map_or(0, Vec::len));
        self.rest = [id, index, record_bytes, stated16(records.len())].map(u16::to_be_bytes).concat();
        self.rest.extend(records.concat());
        let answers = vec![self.fragment(reference)];
        if id == SZL_COMPONENTS && self.persona.defect_on_001c {
            self.stage = Stage::Defective;
        }
        Heard { answers, trips, hangs_up: false }
    }

    fn fragment(&mut self, reference: &[u8]) -> Vec<u8> {
        let most = usize::from(self.pdu_bytes.saturating_sub(FRAGMENT_HEAD_BYTES)).max(1);
        let rest = self.rest.split_off(self.rest.len().min(most));
        let part = std::mem::replace(&mut self.rest, rest);
        match self.persona.endless {
            // The same again, with the list's head; or more records.
            Some(More::Repeating) => self.rest = part.clone(),
            Some(More::Rising) if self.unit == 0 => self.rest = part.get(LIST_HEAD_BYTES..).unwrap_or_default().to_vec(),
            Some(More::Rising) => self.rest = part.clone(),
            None => {}
        }
        let more = !self.rest.is_empty();
        if more && self.unit == 0 {
            self.units = self.units.wrapping_add(1).max(1);
            self.unit = self.units;
        }
        let data = [&[0xFF, 9][..], &stated16(part.len()).to_be_bytes(), &part].concat();
        reply(reference, [self.sequence, self.unit, u8::from(more), 0, 0], &data)
    }
}

fn parameter(tpdu: &[u8], wanted: u8) -> Option<&[u8]> {
    let mut rest = tpdu.get(7..)?;
    while let [code, length, behind @ ..] = rest {
        let (value, after) = behind.split_at_checked(usize::from(*length))?;
        if *code == wanted {
            return Some(value);
        }
        rest = after;
    }
    None
}

fn user_data(s7: &[u8]) -> Vec<u8> {
    tpkt(&[&[2, 0xF0, 0x80], s7].concat())
}

/// An answer of user data: sequence, unit, whether more follows, error code; then the data.
fn reply(reference: &[u8], parameters: [u8; 5], data: &[u8]) -> Vec<u8> {
    let head = [&[0x32, 7, 0, 0][..], reference, &[0, 12], &stated16(data.len()).to_be_bytes()].concat();
    user_data(&[&head[..], &[0, 1, 0x12, 8, 0x12, 0x84, 1], &parameters, data].concat())
}
