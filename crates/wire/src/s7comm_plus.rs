//! S7comm-plus, which S7-1200 and S7-1500 speak with their engineering station: what a CPU says of itself while a session is set up,
//! and identification and maintenance records that are read through it. Carried by [`crate::iso`].
//!
//! Sources: no public standard; layouts as thomas-v2's public notes on S7comm-plus describe them (facts only), checked against frames
//! of public captures. I&M0: PROFIBUS & PROFINET International, Profile Guidelines Part 1 (order 3.502), clause 3.2. What a project that
//! is loaded into or out of a CPU says of versions is not the device's, and is not read.

use core::ops::Range;

use crate::conversation::{Coverage, Heard, Over};
use crate::iso::Tsdu;
use crate::{Reading, Shape};

pub(crate) const NAME: &str = "s7comm-plus";
/// First byte of every message.
pub(crate) const PROTOCOL_ID: u8 = 0x72;

/// Protocol id, version, length of what follows; the same again behind it, with a length of 0.
const HEADER_BYTES: usize = 4;
/// From version 3 on a digest stands before the message: its length (32) and itself.
const DIGEST_BYTES: u8 = 32;
/// Opcodes.
const REQUEST: u8 = 0x31;
const RESPONSE: u8 = 0x32;
const NOTIFICATION: u8 = 0x33;
/// Version of keep-alive messages, which have no opcode.
const KEEP_ALIVE: u8 = 0xfe;
/// Functions whose answers are read.
const CREATE_OBJECT: u16 = 0x04ca;
const READ_STREAM: u16 = 0x0586;
/// Opcode, reserved, function, reserved, sequence, transport flags.
const RESPONSE_BYTES: usize = 10;
/// Attribute 319 of a session (the CPU's own name for itself), no flags, a text: `1;<order number>;V<version>`.
const ATTRIBUTE_PAOM: &[u8] = &[0x82, 0x3f, 0x00, 0x15];
/// A value of 60 bytes that starts with the header of an I&M0 block: type 0x0020, 56 bytes, version 1.0.
const BLOB_IM0: &[u8] = &[0x14, 0x00, 0x3c, 0x00, 0x20, 0x00, 0x38, 0x01, 0x00];
/// Bytes between the start of an answer's value and that block.
const BLOB_WITHIN_BYTES: usize = 16;
const IM0_BYTES: usize = 54;

/// The messages of one connection.
#[derive(Debug, Default)]
pub(crate) struct Talk {
    pub coverage: Coverage,
    present: bool,
    /// Function and sequence of the last question of each side.
    asked: [Option<[u8; 6]>; 2],
}

impl Talk {
    pub fn hear(&mut self, tsdu: &Tsdu<'_>, out: &mut dyn FnMut(Heard)) {
        self.coverage.seen += 1;
        let body = tsdu.body();
        let Some(at) = start(body) else {
            self.coverage.decoded += u64::from(body.get(1) == Some(&KEEP_ALIVE));
            return;
        };
        let Some(&[opcode, _, _, ref call @ ..]) = body.get(at..).and_then(<[u8]>::first_chunk::<9>) else { return };
        self.coverage.decoded += u64::from(matches!(opcode, REQUEST | RESPONSE | NOTIFICATION));
        let side = usize::from(tsdu.by_server);
        match opcode {
            REQUEST => self.asked[side] = Some(*call),
            RESPONSE => {
                if !self.present && self.asked[1 - side] == Some(*call) {
                    self.present = true;
                    tsdu.present(NAME, tsdu.end(false), tsdu.end(true), out);
                }
                let offset = tsdu.data + at;
                match u16::from_be_bytes([call[0], call[1]]) {
                    CREATE_OBJECT => session(tsdu, offset, out),
                    READ_STREAM => maintenance(tsdu, offset, out),
                    _ => {}
                }
            }
            _ => {}
        }
    }
}

/// Where the opcode stands; `None` for another version.
fn start(body: &[u8]) -> Option<usize> {
    match *body {
        [PROTOCOL_ID, 1 | 2, ..] => Some(HEADER_BYTES),
        [PROTOCOL_ID, 3, _, _, DIGEST_BYTES, ..] => Some(HEADER_BYTES + 1 + usize::from(DIGEST_BYTES)),
        [PROTOCOL_ID, 3, _, _, REQUEST | RESPONSE | NOTIFICATION, ..] => Some(HEADER_BYTES),
        _ => None,
    }
}

/// The answer to "create a session".
fn session(tsdu: &Tsdu<'_>, offset: usize, out: &mut dyn FnMut(Heard)) {
    let Some(found) = find(tsdu.message, offset + RESPONSE_BYTES, ATTRIBUTE_PAOM) else { return };
    let Some(&length) = tsdu.message.get(found) else { return };
    let text = found + 1..found + 1 + usize::from(length);
    let Some(bytes) = tsdu.message.get(text.clone()).filter(|bytes| bytes.is_ascii()) else { return };
    let mut at = text.start;
    let fields: Vec<Range<usize>> = bytes
        .split(|b| *b == b';')
        .map(|field| {
            let range = at..at + field.trim_ascii_end().len();
            at += field.len() + 1;
            range
        })
        .collect();
    // Three fields, and the last a version: other firmware lines may say something else here.
    let [_, order, version] = fields.as_slice() else { return };
    if tsdu.message.get(version.start) != Some(&b'V') {
        return;
    }
    let mut reading = Reading::of(NAME, Over::Tcp, "s7comm-plus.session", tsdu.end(false), tsdu.at, tsdu.message);
    reading.complete = !tsdu.cut;
    reading.fact("s7comm-plus.session.order_number", Shape::Text, order.clone());
    reading.fact("s7comm-plus.session.version", Shape::Text, version.clone());
    out(Heard::Reading(reading));
}

/// The answer to a read of an I&M0 record: of the CPU itself or of a module that it reaches; the order number says which.
fn maintenance(tsdu: &Tsdu<'_>, offset: usize, out: &mut dyn FnMut(Heard)) {
    let value = offset + RESPONSE_BYTES;
    let window = tsdu.message.len().min(value + BLOB_WITHIN_BYTES + BLOB_IM0.len());
    let Some(at) = find(&tsdu.message[..window], value, BLOB_IM0) else { return };
    if tsdu.message.len() < at + IM0_BYTES {
        return;
    }
    let mut reading = Reading::of(NAME, Over::Tcp, "s7comm-plus.maintenance", tsdu.end(false), tsdu.at, tsdu.message);
    reading.complete = !tsdu.cut;
    reading.fact("s7comm-plus.im0.vendor", Shape::Hex, at..at + 2);
    reading.fact("s7comm-plus.im0.order_number", Shape::Text, unpadded(tsdu.message, at + 2..at + 22));
    reading.fact("s7comm-plus.im0.serial_number", Shape::Text, unpadded(tsdu.message, at + 22..at + 38));
    reading.fact("s7comm-plus.im0.hardware_revision", Shape::Number, at + 38..at + 40);
    reading.fact("s7comm-plus.im0.software_revision", Shape::LetterDotted, at + 40..at + 44);
    out(Heard::Reading(reading));
}

/// The place behind `wanted` in what follows `from`.
fn find(message: &[u8], from: usize, wanted: &[u8]) -> Option<usize> {
    let at = message.get(from..)?.windows(wanted.len()).position(|window| window == wanted)?;
    Some(from + at + wanted.len())
}

/// A text field without the blanks at its end.
fn unpadded(message: &[u8], range: Range<usize>) -> Range<usize> {
    let length = message.get(range.clone()).map_or(0, |bytes| bytes.trim_ascii_end().len());
    range.start..range.start + length
}

/// True for bytes that are hardly anything else: a known version and opcode, and a length that fills the message.
pub(crate) fn is_surely(body: &[u8]) -> bool {
    let Some(&[PROTOCOL_ID, version, l0, l1]) = body.first_chunk::<HEADER_BYTES>() else { return false };
    let length = HEADER_BYTES + usize::from(u16::from_be_bytes([l0, l1]));
    let trailer = [PROTOCOL_ID, version, 0, 0];
    let opcode = start(body).and_then(|at| body.get(at)).is_some_and(|op| matches!(*op, REQUEST | RESPONSE | NOTIFICATION));
    opcode && body.get(length..) == Some(&trailer)
}

//#[cfg(test)]
//mod tests;
