//! The header of a connectionless RPC message (C706, 12.5.2.2). Its first byte order is a choice of who sends; the blocks inside have
//! theirs, upper byte first.

use super::NAME;
use crate::{Cursor, Malformed};

/// Length of the header.
pub(super) const HEADER_BYTES: usize = 80;
/// Packet types (C706, 12.1); 10 is the last that there is.
pub(super) const REQUEST: u8 = 0;
pub(super) const RESPONSE: u8 = 2;
pub(super) const FAULT: u8 = 3;
pub(super) const WORKING: u8 = 4;
pub(super) const REJECT: u8 = 6;
const TYPE_LAST: u8 = 10;
/// The byte that says in which order the sender writes numbers (C706, 14.1).
pub(super) const LOWER_FIRST: u8 = 0x10;
/// First flags: this is a fragment, and no further one follows (C706, 12.5.2.4).
const LAST_FRAGMENT_BIT: u8 = 0x02;
const FRAGMENT_BIT: u8 = 0x04;

/// UUIDs as they stand with the lower byte first: PROFINET IO's interfaces begin with their number 1 to 4 (IEC 61158-6-10, 4.10.3.2.3).
pub(super) const PROFINET_REST: [u8; 15] = [0x00, 0xa0, 0xde, 0x97, 0x6c, 0xd1, 0x11, 0x82, 0x71, 0x00, 0xa0, 0x24, 0x42, 0xdf, 0x7d];
pub(super) const ENDPOINT_MAPPER: [u8; 16] =
    [0x08, 0x83, 0xaf, 0xe1, 0x1f, 0x5d, 0xc9, 0x11, 0x91, 0xa4, 0x08, 0x00, 0x2b, 0x14, 0xa0, 0xfa];
/// How an object's UUID begins, in either order (4.10.3.2.4); its ids follow.
const OBJECT_LE: [u8; 10] = [0x00, 0x00, 0xa0, 0xde, 0x97, 0x6c, 0xd1, 0x11, 0x82, 0x71];
const OBJECT_BE: [u8; 10] = [0xde, 0xa0, 0x00, 0x00, 0x6c, 0x97, 0x11, 0xd1, 0x82, 0x71];

/// Whose operation is called.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Interface {
    ProfinetIo,
    EndpointMapper,
    Other,
}

/// A header.
#[derive(Clone, Copy, Debug)]
pub(super) struct Rpc {
    pub kind: u8,
    flags: u8,
    lower_first: bool,
    pub interface: Interface,
    /// Which conversation it belongs to, as it stands with the lower byte first.
    pub activity: [u8; 16],
    /// Which message of it.
    pub sequence: u32,
    pub operation: u16,
    length: usize,
    pub fragment: u16,
}

impl Rpc {
    pub(super) fn read(bytes: &[u8]) -> Result<Self, Malformed> {
        let mut cursor = Cursor::new(NAME, bytes);
        let header = cursor.take(HEADER_BYTES, "an RPC header (C706, 12.5.2.2)")?;
        let [4, kind @ 0..=TYPE_LAST, flags, _, order @ (0x00 | LOWER_FIRST), 0..=3, 0, ..] = *header else {
            return Err(Malformed::wrong(NAME, 0, "version 4, a known type and byte order (C706, 12.5.2.2)"));
        };
        let lower_first = order == LOWER_FIRST;
        let word = |at: usize| {
            let bytes = [header.get(at).copied().unwrap_or_default(), header.get(at + 1).copied().unwrap_or_default()];
            if lower_first { u16::from_le_bytes(bytes) } else { u16::from_be_bytes(bytes) }
        };
        let interface = match lower_first_uuid(header.get(24..40).unwrap_or_default(), lower_first) {
            Some(ENDPOINT_MAPPER) => Interface::EndpointMapper,
            Some([1..=4, rest @ ..]) if rest == PROFINET_REST => Interface::ProfinetIo,
            _ => Interface::Other,
        };
        let activity = lower_first_uuid(header.get(40..56).unwrap_or_default(), lower_first).unwrap_or_default();
        let [first, second] = [word(64), word(66)].map(u32::from);
        let sequence = if lower_first { second << 16 | first } else { first << 16 | second };
        let (operation, length, fragment) = (word(68), usize::from(word(74)), word(76));
        Ok(Self { kind, flags, lower_first, interface, activity, sequence, operation, length, fragment })
    }

    /// True for an answer.
    pub(super) const fn is_response(&self) -> bool {
        self.kind == RESPONSE
    }

    /// True for a question or an answer: everything else only keeps the exchange going.
    pub(super) const fn is_call(&self) -> bool {
        matches!(self.kind, REQUEST | RESPONSE)
    }

    /// True where the message goes on in another.
    pub(super) const fn is_fragmented(&self) -> bool {
        self.flags & FRAGMENT_BIT != 0 && (self.fragment > 0 || self.flags & LAST_FRAGMENT_BIT == 0)
    }

    /// True where the body is there to its end.
    pub(super) const fn is_whole(&self, bytes: &[u8]) -> bool {
        bytes.len() >= HEADER_BYTES.saturating_add(self.length)
    }

    /// What stands behind the header, as far as it is there.
    pub(super) fn body<'a>(&self, bytes: &'a [u8]) -> &'a [u8] {
        self.cursor(bytes).rest()
    }

    /// At the start of the body, with nothing behind its end.
    pub(super) fn cursor<'a>(&self, bytes: &'a [u8]) -> Cursor<'a> {
        Cursor::new(NAME, bytes).from(HEADER_BYTES).until(HEADER_BYTES.saturating_add(self.length))
    }

    /// The next number in the sender's byte order.
    pub(super) fn u32(&self, cursor: &mut Cursor<'_>, said_by: &'static str) -> Result<u32, Malformed> {
        if self.lower_first { cursor.u32_le(said_by) } else { cursor.u32_be(said_by) }
    }
}

/// A UUID's bytes with those of its first three numbers in one order.
fn lower_first_uuid(bytes: &[u8], lower_first: bool) -> Option<[u8; 16]> {
    let &[a, b, c, d, e, f, g, h, ref rest @ ..] = bytes else { return None };
    let [i, j, k, l, m, n, o, p] = <[u8; 8]>::try_from(rest).ok()?;
    Some(if lower_first { [a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p] } else { [d, c, b, a, f, e, h, g, i, j, k, l, m, n, o, p] })
}

/// The number of PROFINET's interface that a tower (C706, appendix L: lower byte first always) names first.
pub(super) fn profinet_interface(body: &[u8]) -> Option<u8> {
    body.windows(16).find_map(|uuid| match uuid {
        [number @ 1..=4, rest @ ..] if rest == PROFINET_REST => Some(*number),
        _ => None,
    })
}

/// The UUID of a PROFINET object with these ids, lower byte first.
pub(super) fn profinet_object(ids: [u8; 6]) -> [u8; 16] {
    let mut uuid = [0; 16];
    uuid[..OBJECT_LE.len()].copy_from_slice(&OBJECT_LE);
    uuid[OBJECT_LE.len()..].copy_from_slice(&ids);
    uuid
}

/// True for the UUID of a PROFINET object, which holds ids.
pub(super) fn is_profinet_object(uuid: &[u8]) -> bool {
    uuid.starts_with(&OBJECT_LE) || uuid.starts_with(&OBJECT_BE)
}
