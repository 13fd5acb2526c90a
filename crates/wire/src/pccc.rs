//! PCCC, the command set of PLC-5, SLC 500 and MicroLogix, wrapped in CIP: the diagnostic status tells which processor answers.
//!
//! Sources: Rockwell Automation publication 1770-6.5.16 (DF1 Protocol and Command Set), October 1996: chapter 6 (message header),
//! chapter 7 (diagnostic status), chapter 10 (diagnostic status information); the wrapping in class 0x67 as in recorded traffic and
//! in ODVA's descriptions of service 0x4B (Execute PCCC): length, vendor and serial number of the requester in front of the command.

use core::ops::Range;

use crate::{Cursor, Malformed, Reading, Shape};

/// The protocol's name as in docs/GLOSSARY.
pub const NAME: &str = "pccc";

const COMMAND_STATUS: u8 = 0x06;
const FUNCTION_STATUS: u8 = 0x03;
const REPLY_BIT: u8 = 0x40;

/// Byte 2 of the status where byte 3 and 4 tell the processor and a text follows: SLC 500 and MicroLogix (10-3 to 10-6).
const TYPE_EXTENDED: u8 = 0xee;
/// Byte 2 where byte 3 tells the processor: PLC-5 (10-20 to 10-22).
const TYPE_PLC5: u8 = 0xeb;
const BULLETIN_BYTES: usize = 11;

const HEADER: &str = "a PCCC header (1770-6.5.16, chapter 6)";
const STATUS: &str = "diagnostic status information (1770-6.5.16, chapter 10)";

/// Command, status and transaction of a message, and the place behind them.
struct Header<'m> {
    command: u8,
    status: u8,
    transaction: u16,
    rest: Cursor<'m>,
}

impl<'m> Header<'m> {
    fn read(mut cursor: Cursor<'m>) -> Result<Self, Malformed> {
        // The length counts itself.
        let requester = usize::from(cursor.u8(HEADER)?).checked_sub(1).ok_or(cursor.wrong(HEADER))?;
        cursor.range(requester, HEADER)?;
        let (command, status, transaction) = (cursor.u8(HEADER)?, cursor.u8(HEADER)?, cursor.u16_le(HEADER)?);
        Ok(Self { command, status, transaction, rest: cursor })
    }
}

/// True for a request of the diagnostic status.
#[must_use]
pub fn asks_status(body: Cursor<'_>) -> bool {
    Header::read(body).is_ok_and(|header| header.command == COMMAND_STATUS && header.rest.rest().first() == Some(&FUNCTION_STATUS))
}

/// What of an answer stays the same while the device does: what stands behind the transaction.
#[must_use]
pub fn lasting(body: Cursor<'_>) -> &[u8] {
    Header::read(body).map_or(&[], |header| header.rest.rest())
}

/// Takes the facts of a diagnostic status, the last message of `reading`; `question` is the body of its request.
pub fn status(reading: &mut Reading, question: Cursor<'_>, answer: Cursor<'_>) {
    if let Err(malformed) = facts(reading, question, answer) {
        reading.broken(malformed);
    }
}

fn facts(reading: &mut Reading, question: Cursor<'_>, answer: Cursor<'_>) -> Result<(), Malformed> {
    let (asked, said) = (Header::read(question)?, Header::read(answer)?);
    if said.command != asked.command | REPLY_BIT || said.transaction != asked.transaction {
        return Err(answer.wrong("a reply has its request's command and transaction (chapter 6)"));
    }
    if said.status != 0 {
        return Ok(());
    }
    let mut body = said.rest;
    body.range(1, STATUS)?;
    let kind = body.range(1, STATUS)?;
    let is = |value: u8| reading_byte(reading, &kind) == Some(value);
    let (extended, plc5) = (is(TYPE_EXTENDED), is(TYPE_PLC5));
    reading.fact("pccc.status.type", Shape::Hex, kind);
    if extended {
        reading.fact("pccc.status.interface", Shape::Hex, body.range(1, STATUS)?);
        reading.fact("pccc.status.processor", Shape::Hex, body.range(1, STATUS)?);
        let (series, bulletin) = (body.range(1, STATUS)?, body.range(BULLETIN_BYTES, STATUS)?);
        // The 1785-KA5 has no text here and its series elsewhere (10-17).
        if let Some(bulletin) = text(reading, bulletin) {
            reading.fact("pccc.status.series", Shape::Hex, series);
            reading.fact("pccc.status.bulletin", Shape::Text, bulletin);
        }
    } else if plc5 {
        reading.fact("pccc.status.processor", Shape::Hex, body.range(1, STATUS)?);
        body.range(4, STATUS)?;
        reading.fact("pccc.status.series", Shape::Hex, body.range(1, STATUS)?);
    }
    Ok(())
}

fn bytes<'r>(reading: &'r Reading, range: &Range<usize>) -> &'r [u8] {
    reading.messages.last().and_then(|message| message.bytes.get(range.clone())).unwrap_or_default()
}

fn reading_byte(reading: &Reading, range: &Range<usize>) -> Option<u8> {
    bytes(reading, range).first().copied()
}

/// Where the text stands without the blanks behind it; `None` where it is no text.
fn text(reading: &Reading, range: Range<usize>) -> Option<Range<usize>> {
    let all = bytes(reading, &range);
    let count = all.iter().rposition(|byte| !matches!(byte, b' ' | 0))? + 1;
    all.iter().take(count).all(|byte| (0x20..0x7f).contains(byte)).then_some(range.start..range.start + count)
}
