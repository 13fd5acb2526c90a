//! The link layer: from a captured frame to the IP packet in it. What is not IP is named, not an error.

use crate::capture::{Frame, LinkType};
use crate::conversation::Kind;
use crate::{Mac, Malformed};

const ETHERTYPE_IPV4: u16 = 0x0800;
const ETHERTYPE_IPV6: u16 = 0x86dd;
/// IEEE 802.1Q C-tag and S-tag, and the S-tag's value before 802.1ad.
const ETHERTYPE_C_TAG: u16 = 0x8100;
const ETHERTYPE_S_TAG: u16 = 0x88a8;
const ETHERTYPE_S_TAG_OLD: u16 = 0x9100;
/// Provider bridging stacks two; two more for misconfigured trunks. More is a crafted frame.
const VLAN_TAGS_MAX: usize = 4;
/// Largest value of the field behind the addresses that is a length, not a type (IEEE 802.3, 3.2.6).
const LENGTH_BYTES_MAX: u16 = 1500;
/// The service access point that says that a SNAP header follows, and the control field of unnumbered information (IEEE 802.2, 5.4.1).
const SAP_SNAP: u8 = 0xaa;
const UNNUMBERED: u8 = 0x03;
/// LINKTYPE_RAW as some platforms wrote it: their own DLT_RAW.
const LINKTYPES_RAW: [LinkType; 3] = [LinkType::RAW, LinkType(12), LinkType(14)];
/// AF_INET, the same everywhere; AF_INET6 of Linux, NetBSD, FreeBSD and macOS, in that order.
const AF_INET: u32 = 2;
const AF_INET6: [u32; 4] = [10, 24, 28, 30];

/// What a frame carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Payload<'a> {
    /// An IPv4 packet, with what stands behind it (Ethernet padding).
    Ipv4(&'a [u8]),
    /// An IPv6 packet, with what stands behind it.
    Ipv6(&'a [u8]),
    /// Something that a link layer carries without a network layer, and its bytes; Ethernet padding may stand behind them.
    Link(Kind, &'a [u8]),
    /// Something else: an address family.
    Other(u16),
    /// A link type that is not read here.
    UnknownLink,
}

/// A frame without its link layer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Peeled<'a> {
    /// Who sent the frame on this segment, where the link type says so; as it stands in the frame, see [`Peeled::sender`].
    pub src: Option<&'a [u8; 6]>,
    /// Who was to receive it, where the link type says so.
    pub dst: Option<&'a [u8; 6]>,
    /// The innermost VLAN with an id that is not 0 (0 only carries a priority).
    pub vlan: Option<u16>,
    /// What it carries.
    pub payload: Payload<'a>,
}

impl<'a> Peeled<'a> {
    const fn bare(payload: Payload<'a>) -> Self {
        Self { src: None, dst: None, vlan: None, payload }
    }

    /// The hardware address that sent the frame.
    #[must_use]
    pub fn sender(&self) -> Option<Mac> {
        self.src.copied().map(Mac)
    }

    /// The hardware address that was to receive it.
    #[must_use]
    pub fn receiver(&self) -> Option<Mac> {
        self.dst.copied().map(Mac)
    }
}

/// Peels the link layer off a frame.
///
/// # Errors
/// `Malformed` where the frame ends inside its link header, or stacks more than four VLAN tags.
#[inline]
pub fn peel<'a>(frame: &Frame<'a>) -> Result<Peeled<'a>, Malformed> {
    let bytes = frame.bytes;
    match frame.link {
        LinkType::ETHERNET => ethernet(bytes),
        LinkType::IPV4 => Ok(Peeled::bare(Payload::Ipv4(bytes))),
        LinkType::IPV6 => Ok(Peeled::bare(Payload::Ipv6(bytes))),
        LinkType::NULL | LinkType::LOOP => loopback(bytes),
        LinkType::LINUX_SLL => cooked(bytes),
        LinkType::LINUX_SLL2 => cooked2(bytes),
        link if LINKTYPES_RAW.contains(&link) => raw(bytes),
        _ => Ok(Peeled::bare(Payload::UnknownLink)),
    }
}

/// Peels an Ethernet header (IEEE 802.3, 3.2): destination, source, type or length.
///
/// # Errors
/// As [`peel`].
#[inline]
pub fn ethernet(bytes: &[u8]) -> Result<Peeled<'_>, Malformed> {
    let (Some((dst, behind)), Some((header, rest))) = (bytes.split_first_chunk::<6>(), bytes.split_first_chunk::<14>()) else {
        return Err(Malformed::short("ethernet", 0, 14, bytes.len(), "an Ethernet header (IEEE 802.3, 3.2)"));
    };
    let (src, [.., t0, t1]) = (behind.first_chunk::<6>(), *header);
    let (vlan, payload) = match u16::from_be_bytes([t0, t1]) {
        // Nearly all of them.
        ETHERTYPE_IPV4 => (None, Payload::Ipv4(rest)),
        kind => typed("ethernet", 14, kind, rest)?,
    };
    Ok(Peeled { src, dst: Some(dst), vlan, payload })
}

/// What an EtherType announces, VLAN tags (IEEE 802.1Q, 9.6) taken off; `offset` is where `rest` starts in the frame.
fn typed<'a>(layer: &'static str, offset: usize, mut kind: u16, mut rest: &'a [u8]) -> Result<(Option<u16>, Payload<'a>), Malformed> {
    let (mut vlan, mut tags) = (None, 0);
    while matches!(kind, ETHERTYPE_C_TAG | ETHERTYPE_S_TAG | ETHERTYPE_S_TAG_OLD) {
        let at = offset + 4 * tags;
        if tags == VLAN_TAGS_MAX {
            return Err(Malformed::wrong(layer, at, "more than 4 VLAN tags"));
        }
        let Some((&[i0, i1, t0, t1], behind)) = rest.split_first_chunk::<4>() else {
            return Err(Malformed::short(layer, at, 4, rest.len(), "a VLAN tag (IEEE 802.1Q, 9.6)"));
        };
        let id = u16::from_be_bytes([i0, i1]) & 0x0fff;
        vlan = if id == 0 { vlan } else { Some(id) };
        (kind, rest, tags) = (u16::from_be_bytes([t0, t1]), behind, tags + 1);
    }
    let payload = match kind {
        ETHERTYPE_IPV4 => Payload::Ipv4(rest),
        ETHERTYPE_IPV6 => Payload::Ipv6(rest),
        length @ 0..=LENGTH_BYTES_MAX => logical(rest, usize::from(length)),
        _ => Payload::Link(Kind::Ethertype(kind), rest),
    };
    Ok((vlan, payload))
}

/// What stands behind an 802.3 length: an LLC header (IEEE 802.2, 3.2), and with it maybe a SNAP header (IEEE 802, 9.2.3).
fn logical(rest: &[u8], length: usize) -> Payload<'_> {
    let rest = rest.get(..length).unwrap_or(rest);
    match rest {
        [SAP_SNAP, SAP_SNAP, UNNUMBERED, 0, 0, 0, t0, t1, behind @ ..] => match u16::from_be_bytes([*t0, *t1]) {
            ETHERTYPE_IPV4 => Payload::Ipv4(behind),
            ETHERTYPE_IPV6 => Payload::Ipv6(behind),
            kind => Payload::Link(Kind::Ethertype(kind), behind),
        },
        [SAP_SNAP, SAP_SNAP, UNNUMBERED, o0, o1, o2, p0, p1, behind @ ..] => {
            Payload::Link(Kind::Snap([*o0, *o1, *o2], u16::from_be_bytes([*p0, *p1])), behind)
        }
        [sap, ..] => Payload::Link(Kind::Llc(*sap), rest),
        [] => Payload::Link(Kind::Llc(0), rest),
    }
}

/// The address family, in either byte order: a file does not say on which machine it was captured.
fn loopback(bytes: &[u8]) -> Result<Peeled<'_>, Malformed> {
    let Some((family, rest)) = bytes.split_first_chunk::<4>() else {
        return Err(Malformed::short("loopback", 0, 4, bytes.len(), "an address family"));
    };
    let family = u32::from_le_bytes(*family).min(u32::from_be_bytes(*family));
    Ok(Peeled::bare(match family {
        AF_INET => Payload::Ipv4(rest),
        _ if AF_INET6.contains(&family) => Payload::Ipv6(rest),
        _ => Payload::Other(u16::try_from(family).unwrap_or(u16::MAX)),
    }))
}

fn raw(bytes: &[u8]) -> Result<Peeled<'_>, Malformed> {
    match bytes.first().map(|first| first >> 4) {
        Some(4) => Ok(Peeled::bare(Payload::Ipv4(bytes))),
        Some(6) => Ok(Peeled::bare(Payload::Ipv6(bytes))),
        Some(_) => Err(Malformed::wrong("raw", 0, "an IP version is 4 or 6")),
        None => Err(Malformed::short("raw", 0, 1, 0, "an IP version")),
    }
}

/// LINKTYPE_LINUX_SLL: packet type, ARPHRD, address length, address, protocol.
fn cooked(bytes: &[u8]) -> Result<Peeled<'_>, Malformed> {
    let Some((header, rest)) = bytes.split_first_chunk::<16>() else {
        return Err(Malformed::short("sll", 0, 16, bytes.len(), "a cooked header (LINKTYPE_LINUX_SLL)"));
    };
    let [_, _, _, _, n0, n1, ref address @ .., _, _, t0, t1] = *header;
    let (vlan, payload) = typed("sll", 16, u16::from_be_bytes([t0, t1]), rest)?;
    let src = Some(address).filter(|_| u16::from_be_bytes([n0, n1]) == 6);
    Ok(Peeled { src, dst: None, vlan, payload })
}

/// LINKTYPE_LINUX_SLL2: protocol, reserved, interface, ARPHRD, packet type, address length, address.
fn cooked2(bytes: &[u8]) -> Result<Peeled<'_>, Malformed> {
    let Some((header, rest)) = bytes.split_first_chunk::<20>() else {
        return Err(Malformed::short("sll2", 0, 20, bytes.len(), "a cooked header (LINKTYPE_LINUX_SLL2)"));
    };
    let [t0, t1, _, _, _, _, _, _, _, _, _, length, ref address @ .., _, _] = *header;
    let (vlan, payload) = typed("sll2", 20, u16::from_be_bytes([t0, t1]), rest)?;
    Ok(Peeled { src: Some(address).filter(|_| length == 6), dst: None, vlan, payload })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hex(text: &str) -> Vec<u8> {
        let digits: Vec<u32> = text.chars().filter_map(|c| c.to_digit(16)).collect();
        digits.chunks(2).map(|pair| (pair[0] << 4 | pair[1]) as u8).collect()
    }

    const SRC: Option<&[u8; 6]> = Some(&[2, 0, 0, 0, 0, 1]);
    const DST: Option<&[u8; 6]> = Some(&[2, 0, 0, 0, 0, 2]);

    /// `bytes` are a header before the payload `45 ff`; every shorter header is malformed, not something else.
    fn check(
        link: LinkType,
        header: &str,
        src: Option<&[u8; 6]>,
        dst: Option<&[u8; 6]>,
        vlan: Option<u16>,
        payload: fn(&[u8]) -> Payload<'_>,
    ) {
        let (header, rest) = (hex(header), [0x45, 0xff]);
        let bytes = [&header[..], &rest].concat();
        let frame = |bytes| Frame { number: 1, time_ns: 0, link, bytes, wire_len: 0 };
        assert_eq!(peel(&frame(&bytes)), Ok(Peeled { src, dst, vlan, payload: payload(&rest) }));
        for end in 0..header.len() {
            assert!(peel(&frame(&bytes[..end])).is_err(), "{end} bytes of {link:?}");
        }
    }

    #[test]
    fn every_link_type_is_peeled_down_to_its_packet() {
        let mac = "020000000002 020000000001";
        check(LinkType::ETHERNET, &format!("{mac} 0800"), SRC, DST, None, |rest| Payload::Ipv4(rest));
        check(LinkType::ETHERNET, &format!("{mac} 86dd"), SRC, DST, None, |rest| Payload::Ipv6(rest));
        check(LinkType::ETHERNET, &format!("{mac} 88cc"), SRC, DST, None, |rest| Payload::Link(Kind::Ethertype(0x88cc), rest));
        check(LinkType::ETHERNET, &format!("{mac} 0026"), SRC, DST, None, |rest| {
            Payload::Link(Kind::Llc(rest.first().copied().unwrap_or_default()), rest)
        });
        check(LinkType::ETHERNET, &format!("{mac} 8100 6007 0800"), SRC, DST, Some(7), |rest| Payload::Ipv4(rest));
        check(LinkType::ETHERNET, &format!("{mac} 8100 c000 0800"), SRC, DST, None, |rest| Payload::Ipv4(rest));
        check(LinkType::ETHERNET, &format!("{mac} 88a8 0064 8100 0007 86dd"), SRC, DST, Some(7), |rest| Payload::Ipv6(rest));
        check(LinkType::ETHERNET, &format!("{mac} 9100 0064 8100 0000 0800"), SRC, DST, Some(100), |rest| Payload::Ipv4(rest));
        for family in ["02000000", "00000002"] {
            check(LinkType::NULL, family, None, None, None, |rest| Payload::Ipv4(rest));
            check(LinkType::LOOP, family, None, None, None, |rest| Payload::Ipv4(rest));
        }
        for family in ["0a000000", "18000000", "0000001c", "1e000000"] {
            check(LinkType::NULL, family, None, None, None, |rest| Payload::Ipv6(rest));
        }
        check(LinkType::NULL, "07000000", None, None, None, |_| Payload::Other(7));
        check(LinkType::IPV4, "", None, None, None, |rest| Payload::Ipv4(rest));
        check(LinkType::IPV6, "", None, None, None, |rest| Payload::Ipv6(rest));
        check(LinkType::LINUX_SLL, "0000 0001 0006 0200000000010000 0800", SRC, None, None, |rest| Payload::Ipv4(rest));
        check(LinkType::LINUX_SLL, "0000 0304 0000 0000000000000000 8100 0005 86dd", None, None, Some(5), |rest| Payload::Ipv6(rest));
        check(LinkType::LINUX_SLL2, "0800 0000 00000003 0001 00 06 0200000000010000", SRC, None, None, |rest| Payload::Ipv4(rest));
        check(LinkType(147), "", None, None, None, |_| Payload::UnknownLink);
    }

    #[test]
    fn a_raw_packet_is_told_by_its_version() {
        for (bytes, expected) in [
            (&[0x45][..], Ok(Payload::Ipv4(&[0x45]))),
            (&[0x60], Ok(Payload::Ipv6(&[0x60]))),
            (&[0x10], Err(Malformed::wrong("raw", 0, "an IP version is 4 or 6"))),
            (&[], Err(Malformed::short("raw", 0, 1, 0, "an IP version"))),
        ] {
            let frame = Frame { number: 1, time_ns: 0, link: LinkType::RAW, bytes, wire_len: 0 };
            assert_eq!(peel(&frame).map(|peeled| peeled.payload), expected);
        }
    }

    #[test]
    fn vlan_tags_are_capped() {
        let bytes = hex(&format!("020000000002 020000000001 {} 0800", "8100 0001".repeat(5)));
        let frame = Frame { number: 1, time_ns: 0, link: LinkType::ETHERNET, bytes: &bytes, wire_len: 0 };
        assert_eq!(peel(&frame), Err(Malformed::wrong("ethernet", 14 + 16, "more than 4 VLAN tags")));
    }
}
