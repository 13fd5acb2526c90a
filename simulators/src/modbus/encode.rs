//! Answers, as a device encodes them. Pure: bytes in, bytes out.

use super::{
    ENCAPSULATED, EXCEPTION, IDENTIFICATION_HEADER_BYTES, ILLEGAL_ADDRESS, ILLEGAL_FUNCTION, ILLEGAL_VALUE, MBAP_BYTES, More, OtherUnits,
    PAGES_MAX, Persona, READ_HOLDING_REGISTERS, READ_IDENTIFICATION, REPORT_SERVER_ID,
};

/// The most registers one FC 3 answer can hold (V1.1b3, 6.3).
const REGISTERS_MAX: u16 = 125;
const MORE_FOLLOWS: u8 = 0xFF;

/// The PDU a device answers to FC 43/14 with this read code and object id (V1.1b3, 6.21).
///
/// Stream access (codes 1 to 3) from an object that is not there starts again at object 0; individual access (4) to it is exception 2;
/// another code is exception 3.
pub fn encode_identification(persona: &Persona, read_code: u8, start_object: u8) -> Vec<u8> {
    let function = ENCAPSULATED;
    if persona.objects.is_empty() {
        return encode_exception(function, ILLEGAL_FUNCTION);
    }
    let last = match read_code {
        1 if persona.quirks.answers_regular_to_basic => 0x7F,
        1 => 0x02,
        2 => 0x7F,
        3 => 0xFF,
        4 if persona.objects.contains_key(&start_object) => start_object,
        4 => return encode_exception(function, ILLEGAL_ADDRESS),
        _ => return encode_exception(function, ILLEGAL_VALUE),
    };
    let known = start_object <= last && persona.objects.contains_key(&start_object);
    let first = if known { start_object } else { 0 };
    let mut objects = Vec::new();
    let mut count: u8 = 0;
    let mut next = None;
    for (&id, value) in persona.objects.range(first..=last) {
        // The object's own length is one byte.
        let value = value.get(..usize::from(u8::MAX)).unwrap_or(value);
        let page_bytes = IDENTIFICATION_HEADER_BYTES + objects.len() + 2 + value.len();
        if count > 0 && page_bytes > persona.page_bytes {
            next = Some(id);
            break;
        }
        objects.extend([id, u8::try_from(value.len()).unwrap_or(u8::MAX)]);
        objects.extend(value);
        count = count.saturating_add(1);
    }
    let more = if next.is_some() { MORE_FOLLOWS } else { 0 };
    let stated = count.saturating_add(persona.quirks.objects_missing);
    let mut pdu = vec![function, READ_IDENTIFICATION, read_code, persona.conformity(), more, next.unwrap_or(0), stated];
    pdu.extend(objects);
    pdu.extend(&persona.quirks.trailing);
    pdu
}

/// The PDU a device answers to FC 17 (V1.1b3, 6.13): byte count, then its own bytes as they are; at most 255 of them.
pub fn encode_server_id(persona: &Persona) -> Vec<u8> {
    let Some(body) = &persona.server_id else { return encode_exception(REPORT_SERVER_ID, ILLEGAL_FUNCTION) };
    let body = body.get(..usize::from(u8::MAX)).unwrap_or(body);
    let mut pdu = vec![REPORT_SERVER_ID, u8::try_from(body.len()).unwrap_or(u8::MAX)];
    pdu.extend(body);
    pdu
}

/// The PDU a device answers to FC 3 (V1.1b3, 6.3): exception 3 to a quantity outside 1 to 125, 2 to an address that it does not have.
pub fn encode_registers(persona: &Persona, address: u16, quantity: u16) -> Vec<u8> {
    if !(1..=REGISTERS_MAX).contains(&quantity) {
        return encode_exception(READ_HOLDING_REGISTERS, ILLEGAL_VALUE);
    }
    let mut pdu = vec![READ_HOLDING_REGISTERS, u8::try_from(quantity.saturating_mul(2)).unwrap_or(u8::MAX)];
    for offset in 0..quantity {
        let Some(register) = address.checked_add(offset).and_then(|at| persona.registers.get(&at)) else {
            return encode_exception(READ_HOLDING_REGISTERS, ILLEGAL_ADDRESS);
        };
        pdu.extend(register.to_be_bytes());
    }
    pdu
}

/// An exception answer (V1.1b3, 7): the function code with its highest bit set, and why.
pub fn encode_exception(function: u8, why: u8) -> Vec<u8> {
    vec![function | EXCEPTION, why]
}

/// A whole ADU: the MBAP header with the length that fits, and the PDU (Implementation Guide V1.0b, 3.1.3).
pub fn wrap(transaction: u16, unit: u8, pdu: &[u8]) -> Vec<u8> {
    let length = u16::try_from(pdu.len().saturating_add(1)).unwrap_or(u16::MAX);
    let mut adu = Vec::with_capacity(MBAP_BYTES + pdu.len());
    adu.extend(transaction.to_be_bytes());
    adu.extend([0, 0]);
    adu.extend(length.to_be_bytes());
    adu.push(unit);
    adu.extend(pdu);
    adu
}

/// The ADU that answers one question (a whole ADU); `None` where the device stays silent, as it does to what is no Modbus.
pub fn respond(persona: &Persona, question: &[u8]) -> Option<Vec<u8>> {
    let &[t1, t0, 0, 0, _, _, unit, function, ref operands @ ..] = question else { return None };
    let pdu = match (persona.is_unit(unit), persona.other_units) {
        (true, _) => answer_pdu(persona, function, operands),
        (false, OtherUnits::Silent) => return None,
        (false, OtherUnits::Exception(why)) => encode_exception(function, why),
    };
    Some(wrap(u16::from_be_bytes([t1, t0]), unit, &pdu))
}

fn answer_pdu(persona: &Persona, function: u8, operands: &[u8]) -> Vec<u8> {
    match (function, operands) {
        (ENCAPSULATED, &[READ_IDENTIFICATION, read_code, object]) => match persona.quirks.endless {
            Some(more) => endless_page(more, read_code, object),
            None => encode_identification(persona, read_code, object),
        },
        (REPORT_SERVER_ID, []) => encode_server_id(persona),
        (READ_HOLDING_REGISTERS, &[a1, a0, q1, q0]) => {
            encode_registers(persona, u16::from_be_bytes([a1, a0]), u16::from_be_bytes([q1, q0]))
        }
        _ => encode_exception(function, ILLEGAL_FUNCTION),
    }
}

/// A page of one object, the one asked for, that says more follows.
fn endless_page(more: More, read_code: u8, object: u8) -> Vec<u8> {
    let next = match more {
        More::Rising => object.wrapping_add(1),
        More::Repeating => object,
    };
    let mut pdu = vec![ENCAPSULATED, READ_IDENTIFICATION, read_code, 0x83, MORE_FOLLOWS, next, 1, object, 7];
    pdu.extend(b"endless");
    pdu
}

/// Every page of a full read that starts with this question (a whole ADU), as (question, answer) pairs of whole ADUs.
///
/// A page that says more follows is followed by the same question from the next object id, under the next transaction id.
pub fn exchanges(persona: &Persona, question: &[u8]) -> Vec<(Vec<u8>, Vec<u8>)> {
    let mut pages = Vec::new();
    let mut question = question.to_vec();
    while pages.len() < PAGES_MAX {
        let Some(answer) = respond(persona, &question) else { break };
        let following = following(&question, &answer);
        pages.push((question, answer));
        let Some(next) = following else { break };
        question = next;
    }
    pages
}

/// The answers of [`exchanges`] alone.
pub fn answers(persona: &Persona, question: &[u8]) -> Vec<Vec<u8>> {
    exchanges(persona, question).into_iter().map(|(_, answer)| answer).collect()
}

/// The question for the page after this answer, if one follows.
fn following(question: &[u8], answer: &[u8]) -> Option<Vec<u8>> {
    let &[t1, t0, _, _, _, _, unit, ENCAPSULATED, READ_IDENTIFICATION, read_code, ..] = question else { return None };
    let &[ENCAPSULATED, READ_IDENTIFICATION, _, _, MORE_FOLLOWS, next, ..] = answer.get(MBAP_BYTES..)? else { return None };
    let transaction = u16::from_be_bytes([t1, t0]).wrapping_add(1);
    Some(wrap(transaction, unit, &[ENCAPSULATED, READ_IDENTIFICATION, read_code, next]))
}

#[cfg(test)]
mod tests;
