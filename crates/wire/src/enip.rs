//! EtherNet/IP: the encapsulation that carries CIP over TCP and UDP, and its own question for identity, ListIdentity.
//!
//! Source: ODVA, The CIP Networks Library, volume 2 (EtherNet/IP Adaptation of CIP), edition 1.4: 2-3 (header), 2-4 (commands),
//! 2-6 (common packet format), 2-7.3 (cyclic data over UDP). Numbers have their lower byte first, but for socket addresses.

mod conversation;
mod memory;
mod pending;
mod question;

use crate::cip::Span;
use crate::conversation::{Likeness, Over, Protocol};
use crate::{Cursor, Malformed, Reading, Shape};
use conversation::Talk;
pub use question::{Answer, Question};

/// EtherNet/IP, and what it carries.
pub static PROTOCOL: Protocol = Protocol {
    name: NAME,
    carries: &[crate::cip::NAME, crate::pccc::NAME],
    tcp: &[PORT],
    udp: &[PORT, CYCLIC_PORT],
    link: &[],
    likeness,
    start: |over| Box::new(Talk::new(over)),
};

/// The protocol's name as in docs/GLOSSARY.
pub const NAME: &str = "enip";
/// Registered for EtherNet/IP, TCP and UDP.
pub const PORT: u16 = 44818;
/// Registered for its cyclic data, UDP.
const CYCLIC_PORT: u16 = 2222;

/// Command, length, session, status, sender's context, options (2-3.1).
const HEADER_BYTES: usize = 24;
const HEADER: &str = "an encapsulation header (CIP volume 2, 2-3.1)";

const NOP: u16 = 0x00;
/// Reserved for old devices; Rockwell Automation's RSLinx opens a session with it and gets the address as text.
const OLD_TARGETS: u16 = 0x01;
const LIST_SERVICES: u16 = 0x04;
const LIST_IDENTITY: u16 = 0x63;
const LIST_INTERFACES: u16 = 0x64;
const REGISTER_SESSION: u16 = 0x65;
const UNREGISTER_SESSION: u16 = 0x66;
const SEND_RR_DATA: u16 = 0x6f;
const SEND_UNIT_DATA: u16 = 0x70;
/// In table 2-3.2, in their order; further ones are reserved.
const COMMANDS: [u16; 9] =
    [NOP, OLD_TARGETS, LIST_SERVICES, LIST_IDENTITY, LIST_INTERFACES, REGISTER_SESSION, UNREGISTER_SESSION, SEND_RR_DATA, SEND_UNIT_DATA];
/// In table 2-3.3, and 0x6a from the security volume.
const STATUSES: [u32; 8] = [0x00, 0x01, 0x02, 0x03, 0x64, 0x65, 0x69, 0x6a];

/// Item types of the common packet format (2-6.3).
const ITEM_IDENTITY: u16 = 0x0c;
const ITEM_CONNECTED_ADDRESS: u16 = 0xa1;
const ITEM_CONNECTED_DATA: u16 = 0xb1;
const ITEM_UNCONNECTED_DATA: u16 = 0xb2;
const ITEM_SEQUENCED_ADDRESS: u16 = 0x8002;
/// An address, data, and two socket addresses are what a message can hold (2-6.4); more are not read.
const ITEMS_MAX: u16 = 4;
const ITEM: &str = "an item (CIP volume 2, 2-6.2)";

/// What stands in front of every message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Header {
    command: u16,
    /// Bytes behind the header.
    length: usize,
    session: u32,
    status: u32,
    context: [u8; 8],
}

impl Header {
    /// `Ok(None)` while it is not all there.
    ///
    /// # Errors
    /// [`Malformed`] where none can start so.
    fn read(bytes: &[u8]) -> Result<Option<Self>, Malformed> {
        let Some((header, _)) = bytes.split_first_chunk::<HEADER_BYTES>() else { return Ok(None) };
        let &[c0, c1, l0, l1, n0, n1, n2, n3, s0, s1, s2, s3, x0, x1, x2, x3, x4, x5, x6, x7, o0, o1, o2, o3] = header;
        let status = u32::from_le_bytes([s0, s1, s2, s3]);
        if !STATUSES.contains(&status) || [o0, o1, o2, o3] != [0; 4] {
            return Err(Malformed::wrong(NAME, 8, HEADER));
        }
        Ok(Some(Self {
            command: u16::from_le_bytes([c0, c1]),
            length: usize::from(u16::from_le_bytes([l0, l1])),
            session: u32::from_le_bytes([n0, n1, n2, n3]),
            status,
            context: [x0, x1, x2, x3, x4, x5, x6, x7],
        }))
    }

    fn is_known(&self) -> bool {
        COMMANDS.contains(&self.command)
    }
}

/// How long the message is that starts here: at most 65,559 bytes. `Ok(None)` while that cannot be told.
///
/// # Errors
/// [`Malformed`] where none can start so.
pub fn length(bytes: &[u8]) -> Result<Option<usize>, Malformed> {
    Ok(Header::read(bytes)?.map(|header| HEADER_BYTES + header.length))
}

fn likeness(bytes: &[u8], over: Over) -> Likeness {
    if over == Over::Udp && is_cyclic(bytes) {
        return Likeness::Certain;
    }
    match Header::read(bytes) {
        Ok(Some(header)) if header.is_known() => of_body(&header, bytes.get(HEADER_BYTES..).unwrap_or_default(), over),
        Ok(None) if over == Over::Tcp && COMMANDS.iter().any(|command| command.to_le_bytes().starts_with(&bytes[..bytes.len().min(2)])) => {
            Likeness::Possible
        }
        _ => Likeness::No,
    }
}

/// Whether what follows agrees with the command.
fn of_body(header: &Header, body: &[u8], over: Over) -> Likeness {
    let word = |at: usize| body.get(at..at + 2).map(|pair| u16::from_le_bytes([pair[0], pair[1]]));
    let ends = over == Over::Tcp || body.len() <= header.length;
    let agrees = match (header.command, header.length) {
        (LIST_IDENTITY, 0) | (UNREGISTER_SESSION, 0) => ends,
        (LIST_IDENTITY, _) => word(2) == Some(ITEM_IDENTITY),
        (REGISTER_SESSION, 4) => ends && word(0) == Some(1) && word(2) == Some(0),
        (SEND_RR_DATA | SEND_UNIT_DATA, 16..) => {
            let first = word(8).is_some_and(|item| matches!(item, 0 | ITEM_CONNECTED_ADDRESS));
            word(0) == Some(0) && word(2) == Some(0) && word(6).is_some_and(|items| (2..=ITEMS_MAX).contains(&items)) && first
        }
        (NOP, _) => return if header.session == 0 { Likeness::Possible } else { Likeness::No },
        (OLD_TARGETS | LIST_SERVICES | LIST_INTERFACES, _) | (REGISTER_SESSION, 0) => return Likeness::Possible,
        // Errors come without what the command promises, and a segment may end early.
        (_, length) => return if length == 0 || body.len() < 10 { Likeness::Possible } else { Likeness::No },
    };
    match agrees {
        true => Likeness::Certain,
        false if body.len() < header.length.min(10) => Likeness::Possible,
        false => Likeness::No,
    }
}

/// True for cyclic data: a sequenced address of eight bytes, then connected data (2-7.3).
fn is_cyclic(bytes: &[u8]) -> bool {
    let [s0, s1] = ITEM_SEQUENCED_ADDRESS.to_le_bytes();
    let [d0, d1] = ITEM_CONNECTED_DATA.to_le_bytes();
    matches!(bytes, [2, 0, a, b, 8, 0, _, _, _, _, _, _, _, _, c, d, _, _, ..] if [*a, *b, *c, *d] == [s0, s1, d0, d1])
}

/// A CIP message in the items of a SendRRData or SendUnitData.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Carried {
    /// The connection's id and the message's count in it; unconnected messages have neither.
    connected: Option<(u32, u16)>,
    span: Span,
}

impl Carried {
    /// `None` where the items hold none, or end before it starts.
    fn read(message: &[u8]) -> Option<Self> {
        /// Interface handle and timeout stand before the items (2-4.7).
        const ITEMS_AT: usize = HEADER_BYTES + 6;
        let mut cursor = Cursor::new(NAME, message).from(ITEMS_AT);
        let mut connection = None;
        for _ in 0..cursor.u16_le(ITEM).ok()?.min(ITEMS_MAX) {
            let (kind, count) = (cursor.u16_le(ITEM).ok()?, usize::from(cursor.u16_le(ITEM).ok()?));
            let end = cursor.at() + count;
            match kind {
                ITEM_UNCONNECTED_DATA => return Some(Self { connected: None, span: Span { at: cursor.at(), end } }),
                ITEM_CONNECTED_DATA => {
                    let sequence = cursor.u16_le(ITEM).ok()?;
                    return Some(Self { connected: Some((connection?, sequence)), span: Span { at: cursor.at(), end } });
                }
                ITEM_CONNECTED_ADDRESS if count == 4 => connection = Some(cursor.u32_le(ITEM).ok()?),
                _ => _ = cursor.range(count, ITEM).ok()?,
            }
        }
        None
    }
}

/// Takes the facts of a ListIdentity reply, the last message of `reading` (2-4.2.3).
fn identity(reading: &mut Reading, message: &[u8]) {
    if let Err(malformed) = identity_item(reading, message) {
        reading.broken(malformed);
    }
}

fn identity_item(reading: &mut Reading, message: &[u8]) -> Result<(), Malformed> {
    const FIELDS: [(&str, Shape, usize); 6] = [
        ("vendor", Shape::NumberLe, 2),
        ("device_type", Shape::NumberLe, 2),
        ("product_code", Shape::NumberLe, 2),
        ("revision", Shape::Dotted, 2),
        ("status", Shape::HexLe, 2),
        ("serial", Shape::HexLe, 4),
    ];
    const IDENTITY: &str = "an identity item (CIP volume 2, 2-4.2.3)";
    let mut cursor = Cursor::new(NAME, message).from(HEADER_BYTES);
    for _ in 0..cursor.u16_le(ITEM)?.min(ITEMS_MAX) {
        let (kind, count) = (cursor.u16_le(ITEM)?, usize::from(cursor.u16_le(ITEM)?));
        if kind != ITEM_IDENTITY {
            cursor.range(count, ITEM)?;
            continue;
        }
        let mut item = cursor.until(cursor.at() + count);
        item.range(6, IDENTITY)?;
        reading.fact("enip.identity.address", Shape::Dotted, item.range(4, IDENTITY)?);
        item.range(8, IDENTITY)?;
        for (name, shape, bytes) in FIELDS {
            reading.fact(format!("enip.identity.{name}"), shape, item.range(bytes, IDENTITY)?);
        }
        let letters = usize::from(item.u8(IDENTITY)?);
        let name = item.range(letters, IDENTITY)?;
        if letters > 0 {
            reading.fact("enip.identity.product_name", Shape::Text, name);
        }
        reading.fact("enip.identity.state", Shape::NumberLe, item.range(1, IDENTITY)?);
        return Ok(());
    }
    Err(cursor.wrong("an identity item in a ListIdentity reply (CIP volume 2, 2-4.2.3)"))
}

#[cfg(test)]
mod tests;
