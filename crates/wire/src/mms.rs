//! MMS: who answers it, what its server says of itself (Identify), and the name plates of an IEC 61850 device that are read through it.
//! Carried by [`crate::iso`], over session and presentation or bare.
//!
//! Sources: ISO 9506-2 (2003), clauses 7 (PDUs), 8 (Initiate, Conclude), 9.3 (GetNameList), 9.4 (Identify), 14.2 (Read), 14.5 (GetVariableAccessAttributes); ISO 8327-1, clause 8.3
//! (SPDUs); ISO 8823-1 and ISO 8650-1 (presentation and ACSE); IEC 61850-8-1 (2011), clauses 7.3 and 13 (names of variables); IEC
//! 61850-7-3 (2010), 7.9 (DPL, LPL).

mod answer;
mod plate;
mod question;

use core::ops::Range;

use crate::ber::Value;
use crate::conversation::{Coverage, Heard, Over};
use crate::iso::Tsdu;
use crate::tcp::At;
use crate::{Cursor, Message, Reading, Shape};
pub use answer::Answer;
pub use question::{
    DEVICE_ATTRIBUTES, DEVICE_NODE, NODE_ATTRIBUTES, PDU_BYTES_MAX, PRESENTATION_SELECTOR, Question, SESSION_SELECTOR, TRANSPORT_SELECTOR,
};

pub(crate) const NAME: &str = "mms";

/// Session SPDUs. ISO 8327-1, clause 8.3: "give tokens" before each data transfer, CONNECT, ACCEPT, and their user data.
const GIVE_TOKENS_AND_DATA: [u8; 4] = [1, 0, 1, 0];
const CONNECT: u8 = 0x0d;
const ACCEPT: u8 = 0x0e;
const USER_DATA: [u8; 2] = [0xc1, 0xc2];
/// A length of three bytes follows. ISO 8327-1, clause 8.2.5.
const LENGTH_LONG: u8 = 0xff;
/// Way to the MMS PDU in presentation data: user data, one list of values, its value. ISO 8823-1, 8.4.
const DATA_WAY: [u32; 3] = [0x61, 0x30, 0xa0];
/// The same while connecting: normal mode parameters, user data, then ACSE's user information. ISO 8650-1, clause 9.
const CONNECT_WAY: [u32; 5] = [0x31, 0xa2, 0x61, 0x30, 0xa0];
const ACSE: [u32; 2] = [0x60, 0x61];
const ACSE_WAY: [u32; 3] = [0xbe, 0x28, 0xa0];
/// PDUs. ISO 9506-2, clause 7.
const CONFIRMED_REQUEST: u32 = 0xa0;
const CONFIRMED_RESPONSE: u32 = 0xa1;
const UNCONFIRMED: u32 = 0xa3;
/// Error, reject, cancel (3), initiate (3), conclude (3).
const OTHERS: [u32; 11] = [0xa2, 0xa4, 0x85, 0x86, 0xa7, 0xa8, 0xa9, 0xaa, 0x8b, 0x8c, 0xad];
/// Services, and the tags of what they hold.
const IDENTIFY: u32 = 0xa2;
const NAMES: u32 = 0xa1;
const READ: u32 = 0xa4;
const TYPES: u32 = 0xa6;
const INTEGER: u32 = 0x02;
const SEQUENCE: u32 = 0x30;
const VISIBLE: u32 = 0x1a;

/// Questions remembered until their answer comes; a server announces how many it takes at a time, ten in practice.
const QUESTIONS_PENDING_MAX: usize = 16;
/// Descriptions of name plates remembered: a client asks for one, then reads it.
const TYPES_KNOWN_MAX: usize = 8;
/// Messages that are remembered: the description of a whole LPHD has 1 to 4 KiB.
const REMEMBERED_BYTES_MAX: usize = 16 * 1024;

/// The MMS messages of one connection.
#[derive(Debug, Default)]
pub(crate) struct Association {
    pub coverage: Coverage,
    present: [bool; 2],
    /// Invoke id of the last question of each side: both may ask.
    asked: [Option<u32>; 2],
    /// Questions for name plates, and for what they consist of.
    pending: Vec<Asked>,
    types: Vec<(Asked, Message)>,
}

/// A question whose answer cannot be read without it.
#[derive(Clone, Debug)]
struct Asked {
    by_server: bool,
    invoke: u32,
    service: u32,
    message: Message,
    /// Where the asked names stand in its message: domain and item.
    names: Vec<(Range<usize>, Range<usize>)>,
}

impl Asked {
    fn name(&self, index: usize) -> (&[u8], &[u8]) {
        let part = |range: &Range<usize>| self.message.bytes.get(range.clone()).unwrap_or_default();
        self.names.get(index).map_or((&[], &[]), |(domain, item)| (part(domain), part(item)))
    }
}

impl Association {
    pub fn hear(&mut self, tsdu: &Tsdu<'_>, out: &mut dyn FnMut(Heard)) {
        let Some(mut cursor) = pdu(tsdu.message, tsdu.data) else { return };
        let Ok(pdu) = Value::next(&mut cursor) else { return };
        self.coverage.seen += 1;
        let side = usize::from(tsdu.by_server);
        match pdu.tag {
            CONFIRMED_REQUEST | CONFIRMED_RESPONSE => {
                let inside = pdu.inside(&cursor);
                let numbered = Value::next(&mut inside.clone()).is_ok_and(|invoke| invoke.tag == INTEGER && invoke.whole);
                self.coverage.decoded += u64::from(numbered);
                let Some((invoke, service)) = service(tsdu.message, inside) else { return };
                if pdu.tag == CONFIRMED_REQUEST {
                    self.asked[side] = Some(invoke);
                    self.question(tsdu, invoke, &service, &cursor);
                } else {
                    if self.asked[1 - side] == Some(invoke) {
                        self.present(tsdu, out);
                    }
                    self.answer(tsdu, invoke, &service, &cursor, out);
                }
            }
            UNCONFIRMED => {
                self.coverage.decoded += 1;
                self.present(tsdu, out);
            }
            other => self.coverage.decoded += u64::from(OTHERS.contains(&other)),
        }
    }

    fn present(&mut self, tsdu: &Tsdu<'_>, out: &mut dyn FnMut(Heard)) {
        if !core::mem::replace(&mut self.present[usize::from(tsdu.by_server)], true) {
            tsdu.present(NAME, tsdu.end(false), tsdu.end(true), out);
        }
    }

    fn question(&mut self, tsdu: &Tsdu<'_>, invoke: u32, service: &Value, cursor: &Cursor<'_>) {
        if !matches!(service.tag, READ | TYPES) || tsdu.cut || tsdu.message.len() > REMEMBERED_BYTES_MAX {
            return;
        }
        let inside = service.inside(cursor);
        let identifies = |name: &(Range<usize>, Range<usize>)| plate::leads_to(&tsdu.message[name.1.clone()]);
        // No list is made for the many questions that name something else.
        if !names(service.tag, inside).any(|name| identifies(&name)) {
            return;
        }
        if self.pending.len() == QUESTIONS_PENDING_MAX {
            self.pending.remove(0);
        }
        let message = message(tsdu.at, tsdu.message);
        let names = names(service.tag, inside).collect();
        self.pending.push(Asked { by_server: tsdu.by_server, invoke, service: service.tag, message, names });
    }

    fn answer(&mut self, tsdu: &Tsdu<'_>, invoke: u32, service: &Value, cursor: &Cursor<'_>, out: &mut dyn FnMut(Heard)) {
        if service.tag == IDENTIFY {
            return identify(tsdu, service.inside(cursor), out);
        }
        let asks = |question: &Asked| (question.by_server, question.invoke, question.service) == (!tsdu.by_server, invoke, service.tag);
        let Some(at) = self.pending.iter().position(asks) else { return };
        let question = self.pending.remove(at);
        match service.tag {
            TYPES if !tsdu.cut && tsdu.message.len() <= REMEMBERED_BYTES_MAX => {
                if self.types.len() == TYPES_KNOWN_MAX {
                    self.types.remove(0);
                }
                self.types.push((question, message(tsdu.at, tsdu.message)));
            }
            READ => self.read(tsdu, &question, service.inside(cursor), out),
            _ => {}
        }
    }

    /// The answer to a read: one result for each name, in their order.
    fn read(&mut self, tsdu: &Tsdu<'_>, question: &Asked, service: Cursor<'_>, out: &mut dyn FnMut(Heard)) {
        let Some(mut results) = Value::down(service, &[0xa1]) else { return };
        let mut values = Vec::new();
        for index in 0..question.names.len() {
            let Ok(value) = Value::next(&mut results) else { break };
            if plate::leads_to(question.name(index).1) && value.tag != plate::FAILURE {
                values.push((index, value));
            }
        }
        if values.is_empty() {
            return;
        }
        let known = |(described, _): &&(Asked, Message)| {
            let of = |index: usize| plate::is_within(question.name(index), described.name(0));
            described.by_server == question.by_server && values.iter().any(|(index, _)| of(*index))
        };
        let types: Vec<&(Asked, Message)> = self.types.iter().filter(known).collect();
        let mut reading = Reading::new(NAME, Over::Tcp, "mms.read.nameplate", tsdu.end(false));
        reading.asked = types.len() + 1;
        reading.messages.extend(types.iter().map(|(asked, _)| asked.message.clone()));
        reading.messages.push(question.message.clone());
        reading.messages.extend(types.iter().map(|(_, answer)| answer.clone()));
        reading.messages.push(message(tsdu.at, tsdu.message));
        reading.complete = !tsdu.cut;
        for (index, value) in values {
            let name = question.name(index);
            let described = types.iter().find(|(described, _)| plate::is_within(name, described.name(0)));
            let description = described.and_then(|(asked, answer)| plate::Description::of(asked.name(0).1, name.1, &answer.bytes));
            plate::read(&mut reading, name.1, &value, &results, description);
        }
        out(Heard::Reading(reading));
    }
}

fn message(at: At, bytes: &[u8]) -> Message {
    Message { frame: at.frame, time_ns: at.time_ns, bytes: bytes.to_vec() }
}

/// Identify: vendor, model, revision of the MMS server. Clause 9.4.
fn identify(tsdu: &Tsdu<'_>, mut inside: Cursor<'_>, out: &mut dyn FnMut(Heard)) {
    let mut reading = Reading::of(NAME, Over::Tcp, "mms.identify", tsdu.end(false), tsdu.at, tsdu.message);
    reading.complete = !tsdu.cut;
    while !inside.is_empty() {
        let value = match Value::next(&mut inside) {
            Ok(value) => value,
            Err(malformed) => {
                reading.broken(malformed);
                break;
            }
        };
        let path = match value.tag {
            0x80 => "mms.identify.vendor",
            0x81 => "mms.identify.model",
            0x82 => "mms.identify.revision",
            _ => continue,
        };
        if value.whole {
            reading.fact(path, Shape::Text, value.contents);
        }
    }
    out(Heard::Reading(reading));
}

/// Invoke id and service of a confirmed request or response; modifiers may stand between. Clause 7.
fn service(message: &[u8], mut inside: Cursor<'_>) -> Option<(u32, Value)> {
    let invoke = Value::next(&mut inside).ok().filter(|value| value.tag == INTEGER)?.number(message)?;
    let first = Value::next(&mut inside).ok()?;
    let service = if first.tag == SEQUENCE { Value::next(&mut inside).ok()? } else { first };
    Some((invoke, service))
}

/// The names that a question asks for; one that is no name of a domain is empty.
fn names(service: u32, inside: Cursor<'_>) -> impl Iterator<Item = (Range<usize>, Range<usize>)> {
    // Read: how the variables are named, a list of them. GetVariableAccessAttributes: one name.
    let mut list = if service == READ { Value::down(inside, &[0xa1, 0xa0]) } else { Some(inside) };
    core::iter::from_fn(move || {
        let cursor = list.as_mut()?;
        let variable = Value::next(cursor).ok()?;
        let way: &[u32] = if service == READ { &[0xa0, 0xa1] } else { &[0xa1] };
        let name = Value::down(variable.inside(cursor), way).and_then(|mut name| {
            let domain = Value::next(&mut name).ok().filter(|value| value.tag == VISIBLE && value.whole)?;
            let item = Value::next(&mut name).ok().filter(|value| value.tag == VISIBLE && value.whole)?;
            Some((domain.contents, item.contents))
        });
        Some(name.unwrap_or((0..0, 0..0)))
    })
}

/// The PDU in a message of the transport; `None` where it holds none.
fn pdu(packet: &[u8], data: usize) -> Option<Cursor<'_>> {
    let cursor = Cursor::new(NAME, packet).from(data);
    match *cursor.rest() {
        [1, 0, 1, 0, ..] => Value::down(cursor.from(data + GIVE_TOKENS_AND_DATA.len()), &DATA_WAY),
        [CONNECT | ACCEPT, ..] => {
            let acse = Value::down(user_data(cursor)?, &CONNECT_WAY)?;
            ACSE.iter().find_map(|tag| Value::find(acse, *tag)).and_then(|value| Value::down(value.inside(&acse), &ACSE_WAY))
        }
        // Without session and presentation there is nothing but the PDU.
        [0xa0..=0xad | 0x85..=0x8c, ..] => Some(cursor),
        _ => None,
    }
}

/// What a CONNECT or ACCEPT carries. ISO 8327-1, clauses 8.3.1 and 8.3.4.
fn user_data(mut cursor: Cursor<'_>) -> Option<Cursor<'_>> {
    const SAID_BY: &str = "parameters of an SPDU (ISO 8327-1, 8.2)";
    let parameter = |cursor: &mut Cursor<'_>| {
        let code = cursor.u8(SAID_BY).ok()?;
        let length = match cursor.u8(SAID_BY).ok()? {
            LENGTH_LONG => cursor.u16_be(SAID_BY).ok()?,
            short => u16::from(short),
        };
        Some((code, usize::from(length)))
    };
    parameter(&mut cursor)?;
    loop {
        let (code, length) = parameter(&mut cursor)?;
        if USER_DATA.contains(&code) {
            return Some(cursor.until(cursor.at() + length));
        }
        cursor.take(length, SAID_BY).ok()?;
    }
}

/// True for bytes that are hardly anything else: session data, and presentation data that fills it exactly with one list of values.
pub(crate) fn is_surely(body: &[u8]) -> bool {
    let Some(data) = body.strip_prefix(&GIVE_TOKENS_AND_DATA) else { return false };
    let mut cursor = Cursor::new(NAME, data);
    let Ok(user) = Value::next(&mut cursor) else { return false };
    let mut inside = user.inside(&cursor);
    let filled = user.tag == DATA_WAY[0] && user.whole && user.contents.end == data.len();
    filled && Value::next(&mut inside).is_ok_and(|list| list.tag == DATA_WAY[1] && list.contents.end == data.len())
}

#[cfg(test)]
mod tests;
