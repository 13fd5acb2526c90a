//! IPv4 (RFC 791) and IPv6 (RFC 8200): from a packet to its transport payload. Parts of packets are put together in [`crate::parts`].

use core::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use crate::Malformed;

/// Protocol number of TCP (IANA).
pub const PROTOCOL_TCP: u8 = 6;
/// Protocol number of UDP (IANA).
pub const PROTOCOL_UDP: u8 = 17;

/// Without options: five words of four bytes (RFC 791, 3.1, IHL).
const IPV4_HEADER_BYTES_MIN: usize = 20;
const IPV6_HEADER_BYTES: usize = 40;
/// RFC 8200, 4.1 knows six kinds, one of which may stand twice; more is a crafted packet.
const EXTENSION_HEADERS_MAX: usize = 8;

const HOP_BY_HOP: u8 = 0;
const ROUTING: u8 = 43;
const FRAGMENT: u8 = 44;
const AUTHENTICATION: u8 = 51;
const DESTINATION_OPTIONS: u8 = 60;

/// One IP packet, whichever the version.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Packet<'a> {
    /// Who sends it to whom.
    pub ends: Ends<'a>,
    /// Transport protocol (IANA protocol number).
    pub protocol: u8,
    /// The transport payload as far as it was captured, without padding.
    pub payload: &'a [u8],
    /// Bytes that the payload had on the wire beyond `payload`.
    pub missing: usize,
    /// For a packet that was sent in parts: which part `payload` is.
    pub part: Option<Part>,
}

/// Source and destination, one behind the other, as they stand in the header: most packets are told apart by them and never named.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ends<'a> {
    /// RFC 791, 3.1.
    V4(&'a [u8; 8]),
    /// RFC 8200, 3.
    V6(&'a [u8; 32]),
}

impl Ends<'_> {
    /// Source address.
    #[must_use]
    pub fn src(self) -> IpAddr {
        self.numbers().0
    }

    /// Destination address.
    #[must_use]
    pub fn dst(self) -> IpAddr {
        self.numbers().1
    }

    fn numbers(self) -> (IpAddr, IpAddr) {
        match self {
            Self::V4(&[s0, s1, s2, s3, d0, d1, d2, d3]) => (Ipv4Addr::new(s0, s1, s2, s3).into(), Ipv4Addr::new(d0, d1, d2, d3).into()),
            Self::V6(both) => {
                // Both halves are there: 32 bytes are two times 16.
                let half = |at: usize| both.as_chunks::<16>().0.get(at).copied().unwrap_or_default();
                (Ipv6Addr::from(half(0)).into(), Ipv6Addr::from(half(1)).into())
            }
        }
    }
}

/// Where a part of a packet belongs (RFC 791, 3.2; RFC 8200, 4.5).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Part {
    /// The same in all parts of one packet.
    pub id: u32,
    /// Offset in bytes of this part in the whole payload.
    pub offset: usize,
    /// Not the last part.
    pub more: bool,
}

impl Part {
    /// `None` for a packet that is whole: no part follows, none goes before. `offset` is in bytes.
    fn of(id: u32, offset: u16, more: bool) -> Option<Self> {
        (more || offset > 0).then_some(Self { id, offset: usize::from(offset), more })
    }
}

/// Reads an IPv4 packet. `cut` is how many bytes the frame had on the wire behind `bytes`; it counts only where the packet
/// does not tell its own length (total length 0, as segmentation offload leaves it).
///
/// # Errors
/// `Malformed` where the header is not whole or contradicts itself. A payload that the capture cut is no error.
#[inline]
pub fn ipv4(bytes: &[u8], cut: usize) -> Result<Packet<'_>, Malformed> {
    let Some(fixed) = bytes.first_chunk::<IPV4_HEADER_BYTES_MIN>() else {
        return Err(Malformed::short("ipv4", 0, IPV4_HEADER_BYTES_MIN, bytes.len(), "an IPv4 header (RFC 791, 3.1)"));
    };
    let [first, _, t0, t1, i0, i1, f0, f1, _, protocol, _, _, ref ends @ ..] = *fixed;
    if first >> 4 != 4 {
        return Err(Malformed::wrong("ipv4", 0, "version is 4 (RFC 791, 3.1)"));
    }
    let header_bytes = usize::from(first & 0x0f) * 4;
    if header_bytes < IPV4_HEADER_BYTES_MIN {
        return Err(Malformed::wrong("ipv4", 0, "header length is at least 20 bytes (RFC 791, 3.1)"));
    }
    let total = match usize::from(u16::from_be_bytes([t0, t1])) {
        0 => bytes.len().saturating_add(cut),
        total => total,
    };
    if total < header_bytes {
        return Err(Malformed::wrong("ipv4", 2, "total length is less than the header (RFC 791, 3.1)"));
    }
    let captured = bytes.get(..total).unwrap_or(bytes);
    let Some(payload) = captured.get(header_bytes..) else {
        return Err(Malformed::short("ipv4", 0, header_bytes, captured.len(), "header length (RFC 791, 3.1)"));
    };
    Ok(Packet {
        ends: Ends::V4(ends),
        protocol,
        payload,
        missing: total - captured.len(),
        part: Part::of(u32::from(u16::from_be_bytes([i0, i1])), u16::from_be_bytes([f0, f1]) << 3, f0 & 0x20 != 0),
    })
}

/// Reads an IPv6 packet and walks its extension headers. `cut` as for [`ipv4`], for payload length 0.
///
/// # Errors
/// `Malformed` where a header is not whole, contradicts itself, or more than eight extension headers are chained.
pub fn ipv6(bytes: &[u8], cut: usize) -> Result<Packet<'_>, Malformed> {
    let Some(fixed) = bytes.first_chunk::<IPV6_HEADER_BYTES>() else {
        return Err(Malformed::short("ipv6", 0, IPV6_HEADER_BYTES, bytes.len(), "an IPv6 header (RFC 8200, 3)"));
    };
    let [first, _, _, _, l0, l1, next, _, ref ends @ ..] = *fixed;
    if first >> 4 != 6 {
        return Err(Malformed::wrong("ipv6", 0, "version is 6 (RFC 8200, 3)"));
    }
    let total = match usize::from(u16::from_be_bytes([l0, l1])) {
        0 => bytes.len().saturating_add(cut),
        payload => IPV6_HEADER_BYTES + payload,
    };
    let captured = bytes.get(..total).unwrap_or(bytes);
    let mut packet = Packet { ends: Ends::V6(ends), protocol: next, payload: &[], missing: total - captured.len(), part: None };
    let mut at = IPV6_HEADER_BYTES;
    for _ in 0..=EXTENSION_HEADERS_MAX {
        let rest = captured.get(at..).unwrap_or(&[]);
        let extension = matches!(packet.protocol, HOP_BY_HOP | ROUTING | FRAGMENT | AUTHENTICATION | DESTINATION_OPTIONS);
        if !extension || packet.part.is_some() {
            packet.payload = rest;
            return Ok(packet);
        }
        let Some(&[next, length, f0, f1, ..]) = rest.first_chunk::<8>() else {
            return Err(Malformed::short("ipv6", at, 8, rest.len(), "an extension header (RFC 8200, 4)"));
        };
        let header_bytes = match packet.protocol {
            FRAGMENT => {
                let id = rest.get(4..8).and_then(|id| id.try_into().ok()).map(u32::from_be_bytes);
                // With neither offset nor more to come it is an atomic fragment (RFC 6946), whole as it is.
                packet.part = Part::of(id.unwrap_or_default(), u16::from_be_bytes([f0, f1]) & 0xfff8, f1 & 1 != 0);
                8
            }
            AUTHENTICATION => (usize::from(length) + 2) * 4,
            _ => (usize::from(length) + 1) * 8,
        };
        if header_bytes > rest.len() {
            return Err(Malformed::short("ipv6", at, header_bytes, rest.len(), "an extension header's length (RFC 8200, 4)"));
        }
        packet.protocol = next;
        at += header_bytes;
    }
    Err(Malformed::wrong("ipv6", at, "more than 8 extension headers"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hex(text: &str) -> Vec<u8> {
        let digits: Vec<u32> = text.chars().filter_map(|c| c.to_digit(16)).collect();
        digits.chunks(2).map(|pair| (pair[0] << 4 | pair[1]) as u8).collect()
    }

    type Read = fn(&[u8], usize) -> Result<Packet<'_>, Malformed>;

    /// (protocol, payload, missing, fragment) of a packet, and that every cut of it says the same or that something is missing.
    fn check(read: Read, bytes: &str, cut: usize, expected: Result<(u8, &str, usize, bool), (usize, &'static str)>) {
        let bytes = hex(bytes);
        let found = read(&bytes, cut);
        let seen = found.as_ref().map(|packet| (packet.protocol, packet.payload.to_vec(), packet.missing, packet.part.is_some()));
        let seen = seen.map_err(|malformed| (malformed.offset, malformed.said_by));
        let expected = expected.map(|(protocol, payload, missing, fragment)| (protocol, hex(payload), missing, fragment));
        assert_eq!(seen, expected, "{bytes:02x?}");
        let Ok(whole) = found else { return };
        for end in 0..bytes.len() {
            let Ok(packet) = read(&bytes[..end], cut + bytes.len() - end) else { continue };
            assert_eq!((packet.ends, packet.protocol, packet.part.is_some()), (whole.ends, whole.protocol, whole.part.is_some()));
            assert!(whole.payload.starts_with(packet.payload), "{end}");
            // With no length of its own (offload) a packet cannot be told from padding behind it; all else adds up.
            assert_eq!(packet.payload.len() + packet.missing, whole.payload.len() + whole.missing, "{end}");
        }
    }

    #[test]
    fn ipv4_is_read_to_its_own_length() {
        let v4 = |start: &str, fragment: &str| format!("{start} 0001 {fragment} 40 06 0000 c0000201 c0000202");
        check(ipv4, &format!("{} aabb", v4("4500 0016", "4000")), 0, Ok((6, "aabb", 0, false)));
        // Padding behind it is none of its payload; a cut payload is missing; an option is no payload.
        check(ipv4, &format!("{} aabb 0000", v4("4500 0016", "0000")), 0, Ok((6, "aabb", 0, false)));
        check(ipv4, &format!("{} aabb", v4("4500 001a", "0000")), 0, Ok((6, "aabb", 4, false)));
        check(ipv4, &format!("{} 01010101 aabb", v4("4600 001a", "0000")), 0, Ok((6, "aabb", 0, false)));
        // Total length 0, as segmentation offload leaves it.
        check(ipv4, &format!("{} aabb", v4("4500 0000", "0000")), 3, Ok((6, "aabb", 3, false)));
        // First, later and last part.
        for fragment in ["2000", "2001", "0001"] {
            check(ipv4, &format!("{} aabb", v4("4500 0016", fragment)), 0, Ok((6, "aabb", 0, true)));
        }
        check(ipv4, &v4("6500 0014", "0000"), 0, Err((0, "version is 4 (RFC 791, 3.1)")));
        check(ipv4, &v4("4400 0014", "0000"), 0, Err((0, "header length is at least 20 bytes (RFC 791, 3.1)")));
        check(ipv4, &v4("4500 0013", "0000"), 0, Err((2, "total length is less than the header (RFC 791, 3.1)")));
        check(ipv4, &v4("4f00 0050", "0000"), 0, Err((0, "header length (RFC 791, 3.1)")));
        let ends = ipv4(&hex(&v4("4500 0014", "0000")), 0).map(|packet| (packet.ends.src(), packet.ends.dst()));
        assert_eq!(ends, Ok(([192, 0, 2, 1].into(), [192, 0, 2, 2].into())));
    }

    #[test]
    fn ipv6_extension_headers_are_walked() {
        let v6 = |payload: &str, next: &str| {
            format!("60000000 {payload} {next} 40 20010db8000000000000000000000001 20010db8000000000000000000000002")
        };
        check(ipv6, &format!("{} aabb 00", v6("0002", "06")), 0, Ok((6, "aabb", 0, false)));
        let ends = ipv6(&hex(&v6("0000", "06")), 0).map(|packet| (packet.ends.src(), packet.ends.dst()));
        assert_eq!(ends, Ok(([0x2001, 0xdb8, 0, 0, 0, 0, 0, 1].into(), [0x2001, 0xdb8, 0, 0, 0, 0, 0, 2].into())));
        check(ipv6, &format!("{} aabb", v6("0005", "06")), 0, Ok((6, "aabb", 3, false)));
        check(ipv6, &format!("{} aabb", v6("0000", "06")), 1, Ok((6, "aabb", 1, false)));
        // Hop-by-hop (8 bytes), routing (16), destination options (8), authentication (12), TCP.
        let chain = "2b 00 000000000000 3c 01 0000000000000000000000000000 33 00 000000000000 06 01 00000000000000000000";
        check(ipv6, &format!("{} {chain} aabb", v6("002e", "00")), 0, Ok((6, "aabb", 0, false)));
        // An atomic fragment is whole; others are parts, and nothing behind their header is walked.
        check(ipv6, &format!("{} 06 00 0000 00000001 aabb", v6("000a", "2c")), 0, Ok((6, "aabb", 0, false)));
        check(ipv6, &format!("{} 3c 00 0001 00000001 aabb", v6("000a", "2c")), 0, Ok((60, "aabb", 0, true)));
        check(ipv6, &format!("{} 06 00 0008 00000001 aabb", v6("000a", "2c")), 0, Ok((6, "aabb", 0, true)));
        check(ipv6, &v6("0000", "06").replacen("60", "40", 1), 0, Err((0, "version is 6 (RFC 8200, 3)")));
        check(ipv6, &format!("{} 06", v6("0001", "00")), 0, Err((40, "an extension header (RFC 8200, 4)")));
        check(ipv6, &format!("{} 06 01 000000000000", v6("0008", "00")), 0, Err((40, "an extension header's length (RFC 8200, 4)")));
        let long = "3c 00 000000000000".repeat(9);
        check(ipv6, &format!("{} {long}", v6("0048", "3c")), 0, Err((40 + 72, "more than 8 extension headers")));
    }
}
