//! One packet of ISO transport as a client needs it: the connection request that it puts, and what an answer is.
//!
//! RFC 1006, clause 6; X.224 (1995), 13.3 (CR), 13.4 (CC), 13.5 (DR), 13.7 (DT), 13.12 (ER), all of class 0.

use super::{CALLED, CALLING, CONNECTION_CONFIRM, CONNECTION_REQUEST, DATA, DATA_AT, LAST_BIT, LENGTH_AT, VERSION, length, selector};
use crate::Malformed;

/// Disconnect request: so a connection is refused. X.224, 13.5.
const DISCONNECT_REQUEST: u8 = 0x80;
/// The other side takes a TPDU for broken. X.224, 13.12.
const ERROR: u8 = 0x70;
/// Largest TPDU that our request proposes, and its code. X.224, 13.3.4.
const TPDU_SIZE: u8 = 0xc0;
const TPDU_SIZE_1024: u8 = 0x0a;
/// What that code says.
const TPDU_BYTES_MAX: usize = 1_024;
/// Codes that class 0 has: 128 to 2,048 bytes; RFC 1006, clause 6, has more, to 65,536.
const TPDU_SIZE_LEAST: u8 = 7;
const TPDU_SIZE_MOST: u8 = 16;
/// Bytes of a transport selector (X.214; IEC 61850-8-1, table of addresses).
pub const SELECTOR_BYTES_MAX: usize = 32;
/// A connection request without the bytes of the called selector.
const CALL_BYTES: usize = 20;
/// Longest packet that may answer ours: its header and the largest TPDU that we propose.
pub const PACKET_BYTES_MAX: usize = LENGTH_AT + TPDU_BYTES_MAX;

/// What a packet is to a client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Packet<'a> {
    /// CC: the connection stands.
    Confirm {
        /// Our reference.
        to: u16,
    },
    /// DR or ER: it does not, or does not any more.
    Refusal {
        /// Our reference.
        to: u16,
    },
    /// DT: a message of the layer above, or a part of one.
    Content {
        /// True where this ends the message.
        last: bool,
        /// The layer's bytes.
        body: &'a [u8],
    },
}

impl<'a> Packet<'a> {
    /// Reads a whole packet.
    ///
    /// # Errors
    /// [`Malformed`] where it is none that a server sends in class 0.
    pub fn read(packet: &'a [u8]) -> Result<Self, Malformed> {
        let wrong = |at, said_by| Err(Malformed::wrong("cotp", at, said_by));
        let Some(&[li, code, d0, d1]) = packet.get(LENGTH_AT..).and_then(<[u8]>::first_chunk) else {
            return Err(Malformed::short("cotp", LENGTH_AT, 4, packet.len().saturating_sub(LENGTH_AT), "header of a TPDU (X.224, 13.2)"));
        };
        let to = u16::from_be_bytes([d0, d1]);
        match code & 0xf0 {
            CONNECTION_CONFIRM if li >= 6 => Ok(Self::Confirm { to }),
            DISCONNECT_REQUEST if li >= 6 => Ok(Self::Refusal { to }),
            ERROR if li >= 4 => Ok(Self::Refusal { to }),
            DATA if li == 2 => Ok(Self::Content { last: d0 & LAST_BIT != 0, body: packet.get(DATA_AT..).unwrap_or_default() }),
            DATA => wrong(LENGTH_AT, "a DT of class 0 has a header of 2 bytes (X.224, 13.7)"),
            _ => wrong(LENGTH_AT + 1, "a server sends CC, DR, ER or DT (X.224, table 8)"),
        }
    }
}

/// How long the packet is that starts here; `None` while too few bytes are there to know.
///
/// # Errors
/// [`Malformed`] where none starts here, or one longer than [`PACKET_BYTES_MAX`].
pub fn packet_bytes(bytes: &[u8]) -> Result<Option<usize>, Malformed> {
    match length(bytes)? {
        Some(count) if count > PACKET_BYTES_MAX => {
            Err(Malformed::wrong("tpkt", 2, "a packet is no longer than the TPDU of 1,024 bytes that was proposed (X.224, 13.3.4)"))
        }
        count => Ok(count),
    }
}

/// A connection request of class 0, as [`called_of`] reads it. A selector has up to [`SELECTOR_BYTES_MAX`] bytes; what is behind is left out.
#[must_use]
pub fn connection_request(reference: u16, calling: [u8; 2], called: &[u8]) -> Vec<u8> {
    let [r0, r1] = reference.to_be_bytes();
    let called = called.get(..SELECTOR_BYTES_MAX).unwrap_or(called);
    // At most 52 bytes: the upper byte of the length is 0.
    let length = CALL_BYTES.saturating_add(called.len()) as u8;
    let mut packet = vec![VERSION, 0, 0, length, length - LENGTH_AT as u8 - 1, CONNECTION_REQUEST, 0, 0, r0, r1, 0];
    packet.extend([CALLING, 2, calling[0], calling[1]]);
    packet.extend([CALLED, called.len() as u8]);
    packet.extend_from_slice(called);
    packet.extend([TPDU_SIZE, 1, TPDU_SIZE_1024]);
    packet
}

/// The largest TPDU that a confirmation allows; `None` where it says nothing of it.
#[must_use]
pub fn tpdu_bytes(confirm: &[u8]) -> Option<usize> {
    match selector(confirm, TPDU_SIZE)? {
        &[code @ TPDU_SIZE_LEAST..=TPDU_SIZE_MOST] => Some(1 << code),
        _ => None,
    }
}

/// The reference and the called selector of a connection request; `None` for everything else.
#[must_use]
pub fn called_of(packet: &[u8]) -> Option<(u16, &[u8])> {
    match packet.get(LENGTH_AT + 1..)? {
        [CONNECTION_REQUEST, 0, 0, r0, r1, 0, ..] => Some((u16::from_be_bytes([*r0, *r1]), selector(packet, CALLED)?)),
        _ => None,
    }
}

/// A message of the layer above in one DT: at most so long that its length fits.
#[must_use]
pub fn content(body: &[u8]) -> Vec<u8> {
    let [upper, lower] = u16::try_from(body.len().saturating_add(DATA_AT)).unwrap_or(u16::MAX).to_be_bytes();
    let mut packet = vec![VERSION, 0, upper, lower, 2, DATA, LAST_BIT];
    packet.extend_from_slice(body);
    packet
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::iso::tests::hex;

    /// Confirmation of an IM151-8 (ITI/ICS-Security-Tools pcaps/s7/s7comm_reading_plc_status.pcap); the refusal by hand from X.224, 13.5.
    #[test]
    fn a_packet_is_a_confirmation_a_refusal_or_content() {
        let check = |packet: &str, expected: Packet<'_>| assert_eq!(Packet::read(&hex(packet)), Ok(expected), "{packet}");
        check("0300001611d00004000100c0010ac1020200c2020202", Packet::Confirm { to: 4 });
        check("0300000b06800004000003", Packet::Refusal { to: 4 });
        check("0300000902f080 3203", Packet::Content { last: true, body: &[0x32, 3] });
        check("0300000802f000 32", Packet::Content { last: false, body: &[0x32] });
        for broken in ["0300000702f0", "03000007020080", "0300000802e08032", "0300000803f0800032"] {
            assert!(Packet::read(&hex(broken)).is_err(), "{broken}");
        }
    }

    /// By hand from X.224, 13.4 and 13.3.4.
    #[test]
    fn a_confirmation_says_how_long_a_tpdu_may_be() {
        let check = |packet: &str, expected| assert_eq!(tpdu_bytes(&hex(packet)), expected, "{packet}");
        check("0300001611d00004000100c0010ac1020200c2020202", Some(1_024));
        check("0300000e09d00004000100c00107", Some(128));
        check("0300000b06d00004000100", None);
        check("0300000e09d00004000100c001ff", None);
        check("0300000e09d00004000100c00207", None);
    }

    #[test]
    fn a_packet_has_a_length_that_can_be() {
        for (bytes, expected) in [("", Ok(None)), ("0300", Ok(None)), ("03000007", Ok(Some(7))), ("03000404", Ok(Some(1_028)))] {
            assert_eq!(packet_bytes(&hex(bytes)), expected, "{bytes}");
        }
        for bytes in ["03000405", "0300ffff", "03000000", "03000006", "0301", "16030100"] {
            assert!(packet_bytes(&hex(bytes)).is_err(), "{bytes}");
        }
    }

    /// By hand from RFC 1006 and X.224, 13.3.
    #[test]
    fn a_connection_request_says_who_is_called() {
        let request = connection_request(0x0102, [3, 0], &[3, 2]);
        assert_eq!(request, hex("03000016 11e0 0000 0102 00 c1020300 c2020302 c0010a"));
        assert_eq!(called_of(&request), Some((0x0102, &[3, 2][..])));
        let request = connection_request(1, [0, 1], &[0, 0, 0, 1]);
        assert_eq!(request, hex("03000018 13e0 0000 0001 00 c1020001 c20400000001 c0010a"));
        assert_eq!(called_of(&connection_request(1, [0, 1], &[7; 40])), Some((1, &[7; SELECTOR_BYTES_MAX][..])));
        assert_eq!(called_of(&content(&[0x32, 1])), None);
    }
}
