//! The encapsulation, the one service that is asked in it, and what trips.

use std::sync::Arc;

use super::{Identity, PORT, Persona};
use crate::fault::{Fault, hostile_text};
use crate::language::{Carrier, Cut, Heard, Language, Layout, Talk};
use crate::numbers::{le16, le32, stated16};
use crate::report::Speaker;

const HEADER_BYTES: usize = 24;
/// More than an identity question ever needs.
const QUESTION_BYTES_MAX: usize = 512;
/// Session, goodbye, and one more; then one for each declared slot (read-only.md, section 2).
const QUESTIONS_BESIDE_SLOTS: u32 = 3;

const LIST_IDENTITY: u16 = 0x63;
const REGISTER_SESSION: u16 = 0x65;
const UNREGISTER_SESSION: u16 = 0x66;
const SEND_RR_DATA: u16 = 0x6F;

const INVALID_COMMAND: u32 = 0x01;
const INCORRECT_BODY: u32 = 0x03;
const INVALID_SESSION: u32 = 0x64;
const INVALID_LENGTH: u32 = 0x65;

const UNCONNECTED_SEND: u8 = 0x52;
const GET_ATTRIBUTES_ALL: u8 = 0x01;
const GET_ATTRIBUTE_SINGLE: u8 = 0x0E;
/// Set in the service of an answer.
const ANSWERS: u8 = 0x80;
const CONNECTION_FAILURE: u8 = 0x01;
const SERVICE_NOT_SUPPORTED: u8 = 0x08;
const ATTRIBUTE_NOT_SUPPORTED: u8 = 0x14;

impl Language for Persona {
    fn port(&self) -> u16 {
        PORT
    }

    fn carriers(&self) -> &'static [Carrier] {
        &[Carrier::Tcp, Carrier::Udp]
    }

    fn questions_max(&self, over: Carrier) -> u32 {
        match over {
            Carrier::Udp => 1,
            Carrier::Tcp => QUESTIONS_BESIDE_SLOTS.saturating_add(u32::try_from(self.declared.len()).unwrap_or(u32::MAX)),
        }
    }

    fn talk(&self, _: Speaker, over: Carrier) -> Box<dyn Talk> {
        Box::new(Connection { persona: self.clone(), over, session: None })
    }

    fn sample(&self) -> Vec<u8> {
        message(LIST_IDENTITY, 0, 0, &[0; 8], &[])
    }

    fn layout(&self, _: &[u8]) -> Layout {
        Layout { header_bytes: HEADER_BYTES, transaction: Some(19), unit: Some(4), protocol: None, length: Some(2..4) }
    }

    fn crooked(&self, fault: &Fault) -> Option<Arc<dyn Language>> {
        let hostile = |number: usize, identity: &Identity| Identity { name: hostile_text(number, 255), ..identity.clone() };
        (*fault == Fault::HostileText).then(|| {
            let slots = self.slots.iter().map(|(slot, module)| (*slot, hostile(usize::from(*slot), module))).collect();
            Arc::new(Self { identity: hostile(0, &self.identity), slots, ..self.clone() }) as Arc<dyn Language>
        })
    }
}

fn message(command: u16, session: u32, code: u32, context: &[u8], body: &[u8]) -> Vec<u8> {
    let mut message = command.to_le_bytes().to_vec();
    message.extend(stated16(body.len()).to_le_bytes());
    message.extend(session.to_le_bytes());
    message.extend(code.to_le_bytes());
    message.extend(context);
    message.extend([0; 4]);
    message.extend(body);
    message
}

struct Connection {
    persona: Persona,
    over: Carrier,
    session: Option<u32>,
}

impl Talk for Connection {
    fn cut(&self, heard: &[u8]) -> Cut {
        let Some(length) = le16(heard, 2) else { return Cut::More };
        let end = HEADER_BYTES.saturating_add(usize::from(length));
        match heard.len() {
            _ if end > QUESTION_BYTES_MAX => Cut::Broken("no encapsulation header, or a body longer than any identity question"),
            there if there >= end => Cut::Whole(end),
            _ => Cut::More,
        }
    }

    fn take(&mut self, question: &[u8]) -> Heard {
        let (Some(command), Some(session), Some(code), Some(options)) =
            (le16(question, 0), le32(question, 4), le32(question, 8), le32(question, 20))
        else {
            return Heard::silent("shorter than its header");
        };
        let context = question.get(12..20).unwrap_or_default();
        let body = question.get(HEADER_BYTES..).unwrap_or_default();
        let mut heard = match (command, self.over) {
            (LIST_IDENTITY, _) => self.list_identity(session, context, body),
            (REGISTER_SESSION, Carrier::Tcp) => self.register(session, context, body),
            (UNREGISTER_SESSION, Carrier::Tcp) => self.unregister(session, body),
            (SEND_RR_DATA, Carrier::Tcp) => self.send_rr(session, context, body),
            _ => Heard::tripped(
                message(command, session, INVALID_COMMAND, context, &[]),
                "no identity question: an encapsulation command that is not on the allowlist",
            ),
        };
        if code != 0 || options != 0 {
            heard.trips.push("status or options of a request are not 0");
        }
        heard
    }

    fn leaves(&mut self) -> Option<&'static str> {
        self.session.map(|_| "the session was not unregistered")
    }
}

impl Connection {
    fn list_identity(&self, session: u32, context: &[u8], body: &[u8]) -> Heard {
        let item = self.persona.identity.list_item(self.persona.tells_address);
        let mut told = vec![1, 0, 0x0C, 0];
        told.extend(stated16(item.len()).to_le_bytes());
        told.extend(item);
        let mut heard = Heard::answered(message(LIST_IDENTITY, session, 0, context, &told));
        heard.trips.extend((!body.is_empty()).then_some("ListIdentity with a body"));
        heard
    }

    fn register(&mut self, session: u32, context: &[u8], body: &[u8]) -> Heard {
        if body != [1, 0, 0, 0] || session != 0 || self.session.is_some() {
            let refusal = message(REGISTER_SESSION, session, INVALID_LENGTH, context, body);
            return Heard::tripped(refusal, "not the one RegisterSession of version 1 without options");
        }
        self.session = Some(self.persona.handle);
        Heard::answered(message(REGISTER_SESSION, self.persona.handle, 0, context, body))
    }

    fn unregister(&mut self, session: u32, body: &[u8]) -> Heard {
        let closes = self.session == Some(session) && body.is_empty();
        if closes {
            self.session = None;
        }
        let trips = (!closes).then_some("UnRegisterSession of another session, or with a body").into_iter().collect();
        Heard { answers: Vec::new(), trips, hangs_up: closes && self.persona.closes_on_unregister }
    }

    fn send_rr(&self, session: u32, context: &[u8], body: &[u8]) -> Heard {
        let answer = |code, body: &[u8]| message(SEND_RR_DATA, session, code, context, body);
        if self.session != Some(session) {
            return Heard::tripped(answer(INVALID_SESSION, &[]), "SendRRData outside the session");
        }
        // Interface 0, a time-out, two items: null address, unconnected data (volume 2, 2-4.7).
        let stated = le16(body, 14).map(usize::from);
        let is_plain =
            body.get(..4) == Some(&[0; 4]) && body.get(6..14) == Some(&[2, 0, 0, 0, 0, 0, 0xB2, 0]) && stated == body.len().checked_sub(16);
        if !is_plain {
            return Heard::tripped(answer(INCORRECT_BODY, &[]), "SendRRData that is not one unconnected message");
        }
        let (told, trip) = self.route(body.get(16..).unwrap_or_default());
        let mut items = vec![0, 0, 0, 0, 0, 0, 2, 0, 0, 0, 0, 0, 0xB2, 0];
        items.extend(stated16(told.len()).to_le_bytes());
        items.extend(told);
        let mut heard = Heard::answered(answer(0, &items));
        heard.trips.extend(trip);
        heard
    }

    /// What a message router answers, and what tripped.
    fn route(&self, request: &[u8]) -> (Vec<u8>, Option<&'static str>) {
        let refused = |service: u8, general: u8| vec![service | ANSWERS, 0, general, 0];
        let &[service, ..] = request else { return (refused(0, SERVICE_NOT_SUPPORTED), Some("no CIP service")) };
        // Path of two words: class 6, Connection Manager, instance 1 (volume 1, 3-5.5.4).
        let [UNCONNECTED_SEND, 2, 0x20, 6, 0x24, 1, _tick, _ticks, l0, l1, rest @ ..] = request else {
            return (refused(service, SERVICE_NOT_SUPPORTED), Some("a CIP service that is not on the allowlist"));
        };
        let length = usize::from(u16::from_le_bytes([*l0, *l1]));
        let Some((embedded, rest)) = rest.split_at_checked(length) else {
            return (refused(service, CONNECTION_FAILURE), Some("Unconnected_Send whose embedded message is cut off"));
        };
        let route = if length % 2 == 0 { rest } else { rest.get(1..).unwrap_or_default() };
        let &[1, 0, 1, slot] = route else {
            return (refused(service, CONNECTION_FAILURE), Some("a route other than one backplane slot"));
        };
        let undeclared = (!self.persona.declared.contains(&slot)).then_some("a slot that nobody declared");
        let Some(module) = self.persona.slots.get(&slot) else {
            let [e0, e1] = self.persona.empty_slot.to_le_bytes();
            // One word of extended status, then the part of the route that is left (volume 1, 3-5.5.4, table of the error answer).
            return (vec![UNCONNECTED_SEND | ANSWERS, 0, CONNECTION_FAILURE, 1, e0, e1, 1], undeclared);
        };
        let (told, trip) = read_identity(module, embedded, self.persona.only_singles.contains(&slot));
        (told, undeclared.or(trip))
    }
}

fn read_identity(module: &Identity, request: &[u8], only_singles: bool) -> (Vec<u8>, Option<&'static str>) {
    let answer = |service: u8, general: u8, value: Vec<u8>| [vec![service | ANSWERS, 0, general, 0], value].concat();
    match *request {
        [GET_ATTRIBUTES_ALL, 2, 0x20, 1, 0x24, 1] if only_singles => (answer(GET_ATTRIBUTES_ALL, SERVICE_NOT_SUPPORTED, Vec::new()), None),
        [GET_ATTRIBUTES_ALL, 2, 0x20, 1, 0x24, 1] => (answer(GET_ATTRIBUTES_ALL, 0, module.all()), None),
        [GET_ATTRIBUTE_SINGLE, 3, 0x20, 1, 0x24, 1, 0x30, attribute] => match module.attribute(attribute) {
            Some(value) => (answer(GET_ATTRIBUTE_SINGLE, 0, value), None),
            None => (answer(GET_ATTRIBUTE_SINGLE, ATTRIBUTE_NOT_SUPPORTED, Vec::new()), Some("an attribute that is not on the allowlist")),
        },
        [service, ..] => (answer(service, SERVICE_NOT_SUPPORTED, Vec::new()), Some("an embedded service that is not on the allowlist")),
        [] => (answer(0, SERVICE_NOT_SUPPORTED, Vec::new()), Some("an embedded message without a service")),
    }
}
