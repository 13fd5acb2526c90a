//! One connection: called, associated, asked, concluded.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use super::ber::{all, down, first, value};
use super::{PORT, Persona};
use crate::fault::{Fault, hostile_text};
use crate::language::{Carrier, Cut, Heard, Language, Layout, Talk};
use crate::numbers::stated8;
use crate::report::Speaker;
use crate::tpkt::{HEADER_BYTES, TPKT_BYTES, cut, tpkt};

/// Connection, association, Identify, two pages of names, two reads, conclusion (read-only.md, section 2).
const QUESTIONS_MAX: u32 = 8;
/// Variables on one connection (read-only.md, section 2).
const VARIABLES_MAX: usize = 12;
/// Pages of names on one connection (read-only.md, section 2).
const PAGES_MAX: usize = 2;
/// TPKT and a TPDU of 1,024 bytes, which whoever asks proposes.
const QUESTION_BYTES_MAX: usize = 1_028;
/// X.224, 13.5.3: address unknown.
const ADDRESS_UNKNOWN: u8 = 3;
/// ISO 9506-2, 14.4.4: there is no such object.
const NON_EXISTENT: u8 = 10;
/// Bytes of a hostile value.
const HOSTILE_BYTES: usize = 244;

impl Language for Persona {
    fn port(&self) -> u16 {
        PORT
    }

    fn questions_max(&self, _: Carrier) -> u32 {
        QUESTIONS_MAX
    }

    fn talk(&self, _: Speaker, _: Carrier) -> Box<dyn Talk> {
        Box::new(Connection { persona: self.clone(), stage: Stage::New, variables: 0, pages: 0 })
    }

    fn sample(&self) -> Vec<u8> {
        let called = &self.selectors[0];
        let head = [0xE0, 0, 0, 0, 1, 0, 0xC1, 2, 0, 1, 0xC2, stated8(called.len())];
        let tpdu = [&head[..], called, &[0xC0, 1, 0x0A]].concat();
        tpkt(&[&[stated8(tpdu.len())][..], &tpdu].concat())
    }

    fn layout(&self, answer: &[u8]) -> Layout {
        let transaction = if answer.get(5) == Some(&0xF0) { invoke_at(answer) } else { Some(7) };
        Layout { header_bytes: HEADER_BYTES, transaction, unit: None, protocol: Some(0), length: Some(2..4) }
    }

    fn crooked(&self, fault: &Fault) -> Option<Arc<dyn Language>> {
        match fault {
            Fault::EndlessMore(_) => Some(Arc::new(Self { endless: true, ..self.clone() })),
            Fault::HostileText => {
                let mut hostile = self.clone();
                for values in hostile.devices.values_mut() {
                    values.values_mut().enumerate().for_each(|(number, text)| *text = hostile_text(number, HOSTILE_BYTES));
                }
                Some(Arc::new(hostile))
            }
            _ => None,
        }
    }
}

/// Last byte of the invoke id of a confirmed response that is whole in its packet.
fn invoke_at(answer: &[u8]) -> Option<usize> {
    let pdu = down(answer.get(HEADER_BYTES..)?.strip_prefix(&[1, 0, 1, 0])?, &[0x61, 0x30, 0xA0, 0xA1])?;
    let behind = answer.len().checked_sub(pdu.len())?;
    // Nothing stands behind the PDU; its first value is the id, of one byte.
    (pdu.first() == Some(&2)).then(|| behind.saturating_add(2))
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    New,
    Called,
    Associated,
    Over,
}

struct Connection {
    persona: Persona,
    stage: Stage,
    variables: usize,
    pages: usize,
}

impl Talk for Connection {
    fn cut(&self, heard: &[u8]) -> Cut {
        cut(heard, QUESTION_BYTES_MAX)
    }

    fn take(&mut self, question: &[u8]) -> Heard {
        let tpdu = question.get(TPKT_BYTES..).unwrap_or_default();
        match (self.stage, tpdu) {
            (Stage::New, [_, 0xE0, ..]) => self.called(tpdu),
            (Stage::Called, [2, 0xF0, 0x80, session @ ..]) => self.associated(session),
            (Stage::Associated, [2, 0xF0, 0x80, session @ ..]) => self.asked(session),
            _ => Heard { hangs_up: true, ..Heard::silent("no COTP message that is due here") },
        }
    }

    fn leaves(&mut self) -> Option<&'static str> {
        (self.stage == Stage::Associated).then_some("the association was not concluded")
    }
}

impl Connection {
    fn called(&mut self, tpdu: &[u8]) -> Heard {
        let their = tpdu.get(4..6).unwrap_or(&[0, 0]);
        let called = parameter(tpdu.get(7..).unwrap_or_default(), 0xC2);
        let is_plain = tpdu.first().map(|&length| usize::from(length)) == tpdu.len().checked_sub(1) && tpdu.get(6) == Some(&0);
        let trips: Vec<&'static str> = (!is_plain).then_some("a COTP connection request that is not class 0").into_iter().collect();
        if called != Some(&self.persona.selectors[0]) {
            let refusal = [&[6, 0x80][..], their, &[0, 0, ADDRESS_UNKNOWN]].concat();
            return Heard { answers: vec![tpkt(&refusal)], trips, hangs_up: true };
        }
        self.stage = Stage::Called;
        let confirm = [&[9, 0xD0][..], their, &[0, 6, 0, 0xC0, 1, 0x0A]].concat();
        Heard { answers: vec![tpkt(&confirm)], trips, hangs_up: false }
    }

    fn associated(&mut self, session: &[u8]) -> Heard {
        let Some((session_called, presentation)) = connect(session) else {
            return Heard::silent("not the association that is due after the connection");
        };
        let normal = down(presentation, &[0x31, 0xA2]).unwrap_or_default();
        let request = down(normal, &[0x61, 0x30, 0xA0, 0x60]).unwrap_or_default();
        let mut trips = Vec::new();
        let tags: BTreeSet<u8> = all(request).unwrap_or_default().into_iter().map(|(tag, _)| tag).collect();
        if [0x8A, 0x8B, 0xAC].iter().any(|tag| tags.contains(tag)) {
            trips.push("an association with a password");
        }
        let initiate = down(request, &[0xBE, 0x28, 0xA0, 0xA8]);
        if initiate.is_none_or(|initiate| down(initiate, &[0xA4]).is_none()) {
            trips.push("an association without Initiate of MMS");
        }
        let [_, session_own, presentation_own] = &self.persona.selectors;
        if session_called != session_own {
            // REFUSE, reason: nobody has this selector.
            return Heard { answers: self.packets(&[0x0C, 3, 0x32, 1, 0x81]), trips, hangs_up: true };
        }
        if down(normal, &[0x82]) != Some(presentation_own) {
            let refused = value(0x30, &[value(0x83, presentation_own), value(0x8A, &[4])].concat());
            let reason = [&[0x32, stated8(refused.len()).saturating_add(1), 2][..], &refused].concat();
            return Heard { answers: self.packets(&[&[0x0C, stated8(reason.len())][..], &reason].concat()), trips, hangs_up: true };
        }
        self.stage = if self.persona.wants_password { Stage::Over } else { Stage::Associated };
        Heard { answers: self.packets(&self.accepted(presentation_own)), trips, hangs_up: self.persona.wants_password }
    }

    /// The answer to an association: accepted, or rejected with "authentication required" (ISO 8650-1, clause 9).
    fn accepted(&self, presentation: &[u8]) -> Vec<u8> {
        let (result, diagnostic) = if self.persona.wants_password { (1, 14) } else { (0, 0) };
        let detail = [&[0x80, 1, 1, 0x81, 3, 5, 0xF1, 0, 0x82, 12, 3, 0xEE, 0x1C][..], &[0; 8], &[0x10]].concat();
        let initiated = [&[0x80, 2, 0x3E, 0x80, 0x81, 1, 1, 0x82, 1, 1, 0x83, 1, 5][..], &value(0xA4, &detail)].concat();
        let external = value(0x28, &[&[2, 1, 3][..], &value(0xA0, &value(0xA9, &initiated))].concat());
        let context = value(0xA1, &[6, 5, 0x28, 0xCA, 0x22, 2, 3]);
        let said = [value(0xA2, &[2, 1, result]), value(0xA3, &value(0xA1, &[2, 1, diagnostic]))].concat();
        let response = value(0x61, &[context, said, value(0xBE, &external)].concat());
        let user = value(0x61, &value(0x30, &[&[2, 1, 1][..], &value(0xA0, &response)].concat()));
        let accepted = value(0x30, &[0x80, 1, 0, 0x81, 2, 0x51, 1]).repeat(2);
        let normal = [value(0x83, presentation), value(0xA5, &accepted), user].concat();
        let presentation = value(0x31, &[&[0xA0, 3, 0x80, 1, 1][..], &value(0xA2, &normal)].concat());
        let head = [5, 6, 0x13, 1, 0, 0x16, 1, 2, 0x14, 2, 0, 2];
        let items = [&head[..], &[0xC1, stated8(presentation.len())], &presentation].concat();
        [&[0x0E, stated8(items.len())][..], &items].concat()
    }

    fn asked(&mut self, session: &[u8]) -> Heard {
        let data = session.strip_prefix(&[1, 0, 1, 0]);
        let pdu = data.and_then(|data| down(data, &[0x61, 0x30, 0xA0]));
        match pdu.and_then(first) {
            Some((0x8B, [], [])) => {
                self.stage = Stage::Over;
                Heard { answers: self.packets(&in_data(&[0x8C, 0])), trips: Vec::new(), hangs_up: false }
            }
            Some((0xA0, request, [])) => match first(request) {
                Some((2, &[invoke], service)) => self.service(invoke, service),
                _ => Heard::silent("a confirmed request without an invoke id of one byte"),
            },
            _ => Heard::silent("no PDU of MMS that is on the allowlist"),
        }
    }

    fn service(&mut self, invoke: u8, service: &[u8]) -> Heard {
        let (answer, trips) = match first(service) {
            Some((0x82, [], [])) => {
                let [vendor, model, revision] = &self.persona.identity;
                (value(0xA2, &[value(0x80, vendor), value(0x81, model), value(0x82, revision)].concat()), Vec::new())
            }
            Some((0xA1, asked, [])) => self.names(asked),
            Some((0xA4, asked, [])) => match down(asked, &[0xA1, 0xA0]).and_then(all) {
                Some(variables) => self.read(&variables),
                None => return self.rejected(invoke, "a Read that is none of listed variables"),
            },
            Some((0xA5, ..)) => return self.rejected(invoke, "a write"),
            _ => return self.rejected(invoke, "a service that is not on the allowlist"),
        };
        let pdu = value(0xA1, &[&[2, 1, invoke][..], &answer].concat());
        Heard { answers: self.packets(&in_data(&pdu)), trips, hangs_up: false }
    }

    /// RejectPDU: confirmed request, unrecognized service (ISO 9506-2, clause 7).
    fn rejected(&self, invoke: u8, why: &'static str) -> Heard {
        let pdu = value(0xA4, &[&[0x80, 1, invoke][..], &[0x81, 1, 1]].concat());
        Heard { answers: self.packets(&in_data(&pdu)), trips: vec![why], hangs_up: false }
    }

    fn names(&mut self, asked: &[u8]) -> (Vec<u8>, Vec<&'static str>) {
        let mut trips = Vec::new();
        self.pages = self.pages.saturating_add(1);
        if self.pages > PAGES_MAX {
            trips.push("more than two pages of names");
        }
        let domains = asked == [0xA0, 3, 0x80, 1, 9, 0xA1, 2, 0x80, 0];
        if !domains {
            trips.push("names of something else than domains");
        }
        let names: Vec<u8> = self.persona.devices.keys().flat_map(|name| value(0x1A, name.as_bytes())).collect();
        let more = value(0x81, &[if self.persona.endless { 0xFF } else { 0 }]);
        (value(0xA1, &[value(0xA0, &names), more].concat()), trips)
    }

    fn read(&mut self, variables: &[(u8, &[u8])]) -> (Vec<u8>, Vec<&'static str>) {
        let mut trips = Vec::new();
        self.variables = self.variables.saturating_add(variables.len());
        if self.variables > VARIABLES_MAX {
            trips.push("more than twelve variables");
        }
        let mut results = Vec::new();
        for (_, variable) in variables {
            let names = down(variable, &[0xA0, 0xA1]).and_then(all).unwrap_or_default();
            let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
            let (domain, item) = match names.as_slice() {
                [(0x1A, domain), (0x1A, item)] => (text(domain), text(item)),
                _ => (String::new(), String::new()),
            };
            trips.extend(self.judged(&item));
            let found = self.persona.devices.get(&domain).and_then(|values| values.get(&item));
            // A selected object gives its own name (IEC 61850-8-1, 20.5).
            let selected = (item == self.persona.selected_by_read).then_some(self.persona.selected_by_read.as_bytes());
            let result = found.map(Vec::as_slice).or(selected);
            results.extend(result.map_or_else(|| value(0x80, &[NON_EXISTENT]), |text| value(0x8A, text)));
        }
        (value(0xA4, &value(0xA1, &results)), trips)
    }

    /// What a read of this name breaks.
    fn judged(&self, item: &str) -> Option<&'static str> {
        let selects = |item: &str| {
            let rest = self.persona.selected_by_read.strip_prefix(item);
            rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('$')) && item.contains("$CO")
        };
        if selects(item) {
            self.persona.selects.fetch_add(1, Ordering::Relaxed);
            return Some("a read of SBO: it selected the control object");
        }
        let is_plate = item.contains("$DC$PhyNam$") || item.contains("$DC$NamPlt$");
        (!is_plate).then_some("a variable that is no attribute of a name plate")
    }

    /// A message in as many packets as it takes.
    fn packets(&self, message: &[u8]) -> Vec<Vec<u8>> {
        let parts: Vec<&[u8]> = message.chunks(self.persona.packet_bytes.max(1)).collect();
        let last = parts.len().saturating_sub(1);
        let packet = |(at, part): (usize, &&[u8])| tpkt(&[&[2, 0xF0, if at == last { 0x80 } else { 0 }], *part].concat());
        parts.iter().enumerate().map(packet).collect()
    }
}

/// ISO 8327-1, 8.3, and ISO 8823-1, 8.4.
fn in_data(pdu: &[u8]) -> Vec<u8> {
    let list = value(0x30, &[&[2, 1, 3][..], &value(0xA0, pdu)].concat());
    [&[1, 0, 1, 0][..], &value(0x61, &list)].concat()
}

/// The session selector that is called and the user data of a CONNECT (ISO 8327-1, 8.3.1).
fn connect(session: &[u8]) -> Option<(&[u8], &[u8])> {
    let (&[0x0D, length], parameters) = session.split_first_chunk()? else { return None };
    let is_whole = usize::from(length) == parameters.len();
    let version = parameter(parameters, 0x05)?;
    let is_plain = is_whole && version == [0x13, 1, 0, 0x16, 1, 2] && parameter(parameters, 0x14) == Some(&[0, 2]);
    is_plain.then_some(())?;
    Some((parameter(parameters, 0x34)?, parameter(parameters, 0xC1)?))
}

/// The value of a parameter: code, length, value, one behind the other.
fn parameter(mut rest: &[u8], wanted: u8) -> Option<&[u8]> {
    while let [code, length, behind @ ..] = rest {
        let (value, after) = behind.split_at_checked(usize::from(*length))?;
        if *code == wanted {
            return Some(value);
        }
        rest = after;
    }
    None
}
