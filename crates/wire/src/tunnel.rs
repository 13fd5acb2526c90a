//! Frames and packets inside others: access lines (PPPoE), labels (MPLS), and what switches wrap mirrored traffic in (GRE, ERSPAN, VXLAN).

use crate::Malformed;
use crate::conversation::Kind;

/// Tunnels inside tunnels that are opened; mirrored traffic of a labelled core has three. More is a crafted packet.
pub const TUNNELS_MAX: usize = 4;
/// The UDP port of VXLAN (RFC 7348, 5).
pub const VXLAN_PORT: u16 = 4789;
/// Protocol numbers (IANA) of IPv4 in IP, IPv6 in IP, and GRE.
pub const PROTOCOL_IPV4: u8 = 4;
/// See [`PROTOCOL_IPV4`].
pub const PROTOCOL_IPV6: u8 = 41;
/// See [`PROTOCOL_IPV4`].
pub const PROTOCOL_GRE: u8 = 47;

const ETHERTYPE_PPPOE_SESSION: u16 = 0x8864;
const ETHERTYPES_MPLS: [u16; 2] = [0x8847, 0x8848];
const PPP_IPV4: u16 = 0x0021;
const PPP_IPV6: u16 = 0x0057;
/// Labels in a stack: networks use up to five.
const LABELS_MAX: usize = 8;
/// EtherTypes in a GRE header: Ethernet as it is (RFC 1701), ERSPAN types I and II, ERSPAN type III.
const GRE_ETHERNET: u16 = 0x6558;
const GRE_ERSPAN_2: u16 = 0x88be;
const GRE_ERSPAN_3: u16 = 0x22eb;
const ETHERTYPE_IPV4: u16 = 0x0800;
const ETHERTYPE_IPV6: u16 = 0x86dd;
/// GRE header flags (RFC 2784, 2; RFC 2890, 2).
const GRE_CHECKSUM: u8 = 0x80;
const GRE_KEY: u8 = 0x20;
const GRE_SEQUENCE: u8 = 0x10;

/// What stands inside.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Inner<'a> {
    /// An Ethernet frame: its addresses are the real ones.
    Ethernet(&'a [u8]),
    /// An IPv4 packet.
    Ipv4(&'a [u8]),
    /// An IPv6 packet.
    Ipv6(&'a [u8]),
}

/// Opens what a link layer carries; `None` where it is no tunnel, or one whose inside is not read.
///
/// # Errors
/// [`Malformed`] where its header is not whole.
pub fn of_link(kind: Kind, bytes: &[u8]) -> Result<Option<Inner<'_>>, Malformed> {
    match kind {
        Kind::Ethertype(ETHERTYPE_PPPOE_SESSION) => {
            let Some((&[_, _, _, _, _, _, p0, p1], rest)) = bytes.split_first_chunk::<8>() else {
                return Err(Malformed::short("pppoe", 0, 8, bytes.len(), "a PPPoE session header and a PPP protocol (RFC 2516, 4)"));
            };
            Ok(match u16::from_be_bytes([p0, p1]) {
                PPP_IPV4 => Some(Inner::Ipv4(rest)),
                PPP_IPV6 => Some(Inner::Ipv6(rest)),
                _ => None,
            })
        }
        Kind::Ethertype(kind) if ETHERTYPES_MPLS.contains(&kind) => labelled(bytes),
        _ => Ok(None),
    }
}

/// Opens what an IP packet carries, as [`of_link`].
///
/// # Errors
/// As [`of_link`].
pub fn of_ip(protocol: u8, bytes: &[u8]) -> Result<Option<Inner<'_>>, Malformed> {
    match protocol {
        PROTOCOL_IPV4 => Ok(Some(Inner::Ipv4(bytes))),
        PROTOCOL_IPV6 => Ok(Some(Inner::Ipv6(bytes))),
        PROTOCOL_GRE => routed(bytes),
        _ => Ok(None),
    }
}

/// Opens a VXLAN datagram (RFC 7348, 5); `None` where its flags say that it is none.
#[must_use]
pub fn of_vxlan(bytes: &[u8]) -> Option<Inner<'_>> {
    match bytes.split_first_chunk::<8>() {
        // Of the flags only I is set, reserved bytes are 0.
        Some(([0x08, 0, 0, 0, _, _, _, 0], rest)) => Some(Inner::Ethernet(rest)),
        _ => None,
    }
}

/// A stack of labels (RFC 3032, 2.1). What stands below the last is told by its first half-byte: an IP version, or 0 for the control word
/// of an Ethernet pseudowire (RFC 4448, 4.6).
fn labelled(mut bytes: &[u8]) -> Result<Option<Inner<'_>>, Malformed> {
    for label in 0..LABELS_MAX {
        let Some((&[_, _, bottom, _], rest)) = bytes.split_first_chunk::<4>() else {
            return Err(Malformed::short("mpls", 4 * label, 4, bytes.len(), "a label (RFC 3032, 2.1)"));
        };
        bytes = rest;
        if bottom & 1 != 0 {
            return Ok(match bytes.first().map(|first| first >> 4) {
                Some(4) => Some(Inner::Ipv4(bytes)),
                Some(6) => Some(Inner::Ipv6(bytes)),
                Some(0) => bytes.get(4..).map(Inner::Ethernet),
                _ => None,
            });
        }
    }
    Err(Malformed::wrong("mpls", 4 * LABELS_MAX, "more than 8 labels"))
}

/// A GRE header (RFC 2784, 2; RFC 2890, 2) and behind it maybe one of ERSPAN (draft-foschiano-erspan-03, 4).
fn routed(bytes: &[u8]) -> Result<Option<Inner<'_>>, Malformed> {
    let Some(&[flags, version, k0, k1]) = bytes.first_chunk::<4>() else {
        return Err(Malformed::short("gre", 0, 4, bytes.len(), "a GRE header (RFC 2784, 2)"));
    };
    if version & 0x07 != 0 {
        return Ok(None);
    }
    let words = [GRE_CHECKSUM, GRE_KEY, GRE_SEQUENCE].into_iter().filter(|flag| flags & flag != 0).count();
    let at = 4 + 4 * words;
    let past = |more: usize| {
        bytes.get(at + more..).ok_or(Malformed::short("gre", 0, at + more, bytes.len(), "a GRE header's flags (RFC 2890, 2)"))
    };
    Ok(match u16::from_be_bytes([k0, k1]) {
        ETHERTYPE_IPV4 => Some(Inner::Ipv4(past(0)?)),
        ETHERTYPE_IPV6 => Some(Inner::Ipv6(past(0)?)),
        GRE_ETHERNET => Some(Inner::Ethernet(past(0)?)),
        // Type I has no header of its own; type II is known by the sequence number that it requires.
        GRE_ERSPAN_2 if flags & GRE_SEQUENCE == 0 => Some(Inner::Ethernet(past(0)?)),
        GRE_ERSPAN_2 => Some(Inner::Ethernet(past(8)?)),
        GRE_ERSPAN_3 => {
            // The last bit of its header says whether eight more bytes follow.
            let more = past(11)?.first().is_some_and(|last| last & 1 != 0);
            Some(Inner::Ethernet(past(if more { 20 } else { 12 })?))
        }
        _ => None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hex(text: &str) -> Vec<u8> {
        let digits: Vec<u32> = text.chars().filter_map(|c| c.to_digit(16)).collect();
        digits.chunks(2).map(|pair| (pair[0] << 4 | pair[1]) as u8).collect()
    }

    /// What stands behind a header that carries `45 00 01`.
    fn check(read: fn(&[u8]) -> Result<Option<Inner<'_>>, Malformed>, header: &str, expected: Option<&str>) {
        let bytes = [hex(header), hex("450001")].concat();
        let found = read(&bytes).map(|inner| {
            inner.map(|inner| match inner {
                Inner::Ethernet(bytes) => format!("ethernet {}", bytes.len()),
                Inner::Ipv4(bytes) => format!("ipv4 {}", bytes.len()),
                Inner::Ipv6(bytes) => format!("ipv6 {}", bytes.len()),
            })
        });
        assert_eq!(found, Ok(expected.map(str::to_owned)), "{header}");
        for end in 0..bytes.len() {
            // Cut anywhere it is the same with less inside, nothing, or malformed; never something else.
            if let Ok(Some(inner)) = read(&bytes[..end]) {
                let (Inner::Ethernet(rest) | Inner::Ipv4(rest) | Inner::Ipv6(rest)) = inner;
                assert!(rest.len() < 4 && expected.is_some(), "{header} cut at {end}");
            }
        }
    }

    fn pppoe(bytes: &[u8]) -> Result<Option<Inner<'_>>, Malformed> {
        of_link(Kind::Ethertype(0x8864), bytes)
    }

    fn mpls(bytes: &[u8]) -> Result<Option<Inner<'_>>, Malformed> {
        of_link(Kind::Ethertype(0x8847), bytes)
    }

    fn gre(bytes: &[u8]) -> Result<Option<Inner<'_>>, Malformed> {
        of_ip(PROTOCOL_GRE, bytes)
    }

    #[test]
    fn tunnels_are_opened_down_to_what_they_carry() {
        check(pppoe, "11 00 0001 0005 0021", Some("ipv4 3"));
        check(pppoe, "11 00 0001 0005 0057", Some("ipv6 3"));
        check(pppoe, "11 00 0001 0005 c021", None);
        check(mpls, "000011ff", Some("ipv4 3"));
        check(mpls, "000010ff 000021ff", Some("ipv4 3"));
        check(mpls, "000011ff 00000000", Some("ethernet 3"));
        assert!(mpls(&hex(&"000010ff".repeat(9))).is_err(), "too many labels");
        check(gre, "0000 0800", Some("ipv4 3"));
        check(gre, "b000 6558 00000000 00000001 00000002", Some("ethernet 3"));
        check(gre, "0000 88be", Some("ethernet 3"));
        check(gre, "1000 88be 00000001 1001000000000000", Some("ethernet 3"));
        check(gre, "1000 22eb 00000001 200100000000000000000000", Some("ethernet 3"));
        check(gre, "1000 22eb 00000001 200100000000000000000001 0000000000000000", Some("ethernet 3"));
        check(gre, "0001 0800", None);
        check(|bytes| Ok(of_vxlan(bytes)), "08000000 00002a00", Some("ethernet 3"));
        check(|bytes| Ok(of_vxlan(bytes)), "00000000 00002a00", None);
        check(|bytes| of_ip(PROTOCOL_IPV4, bytes), "", Some("ipv4 3"));
        check(|bytes| of_ip(6, bytes), "", None);
    }
}
