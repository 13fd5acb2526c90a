//! What carries an NPDU, and the NPDU's own header: who sent it, to whom, and where the content starts.

use core::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use core::ops::Range;

use super::{BUS_ARCNET, BUS_ARCNET_LINUX, BUS_MSTP, LLC_BACNET};
use crate::conversation::{Kind, Over};
use crate::{Cursor, Malformed};

/// Longest hardware address in an NPDU: LonTalk with its domain has 7. Clause 6.2.2, table 6-1.
const STATION_BYTES_MAX: usize = 7;
/// BACnet/IP (J.2) and BACnet/IPv6 (U.2).
const BVLC_IPV4: u8 = 0x81;
const BVLC_IPV6: u8 = 0x82;
/// NPDU version and the bits of its control octet. Clause 6.2.1, 6.2.2.
const VERSION: u8 = 1;
const NETWORK_MESSAGE: u8 = 0x80;
const DESTINATION: u8 = 0x20;
const SOURCE: u8 = 0x08;
const RESERVED: u8 = 0x50;
/// Networks are 1 to 65534; 65535 means all of them, as a destination. Clause 6.2.2.1.
const NETWORK_ALL: u16 = 0xffff;
/// BACnet's protocol id on ARCNET. Clause 8.2.
const ARCNET_BACNET: u8 = 0xcd;
/// Frame types of MS/TP that carry an NPDU, and the last one that is plainly coded. Clause 9.3.
const DATA: Range<u8> = 5..7;
const REPLY_POSTPONED: u8 = 7;
/// What a header and data leave in the checks' registers where their check octets run through, too. Annex G.1, G.2.
const HEADER_GOOD: u8 = 0x55;
const DATA_GOOD: u16 = 0xf0b8;

/// A hardware address on some BACnet network.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub(super) struct Station {
    bytes: [u8; STATION_BYTES_MAX],
    length: u8,
}

impl Station {
    fn of(address: &[u8]) -> Option<Self> {
        let mut station = Self { length: u8::try_from(address.len()).ok()?, ..Self::default() };
        station.bytes.get_mut(..address.len())?.copy_from_slice(address);
        Some(station)
    }

    /// Its digits; `None` for the device at the address that the frame itself shows.
    pub(super) fn digits(self) -> Option<String> {
        let bytes = self.bytes.get(..usize::from(self.length)).filter(|bytes| !bytes.is_empty())?;
        Some(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
    }
}

/// Where somebody is behind the address that the frame shows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub(super) struct Place {
    /// The address from which a BBMD had what it forwards.
    pub origin: Option<(IpAddr, u16)>,
    /// Network number, where the frame came through a router.
    pub network: Option<u16>,
    /// The station there, or on the bus that was listened to.
    pub station: Station,
}

/// What a frame carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Content {
    /// An APDU.
    Apdu,
    /// A message of the network layer, by its type.
    Network(u8),
    /// Nothing: a frame of the link's own affairs.
    Link,
    /// Something that is coded in a way that is not read here.
    Unread,
}

/// A frame, down to its APDU.
#[derive(Clone, Copy, Debug)]
pub(super) struct Opened<'a> {
    pub from: Place,
    pub to: Place,
    pub content: Content,
    /// At the content; offsets are those in the whole message.
    pub rest: Cursor<'a>,
    /// False where the capture cut it.
    pub whole: bool,
}

impl<'a> Opened<'a> {
    const fn link(content: Content, rest: Cursor<'a>) -> Self {
        let nowhere = Place { origin: None, network: None, station: Station { bytes: [0; STATION_BYTES_MAX], length: 0 } };
        Self { from: nowhere, to: nowhere, content, rest, whole: true }
    }

    /// With the NPDU in `rest`, from a station that the link names and, where the NPDU names another, from that.
    fn with_npdu(origin: Option<(IpAddr, u16)>, stations: [Station; 2], rest: Cursor<'a>, whole: bool) -> Result<Self, Malformed> {
        let npdu = npdu(rest)?;
        let place = |named: Option<(u16, Station)>, station| match named {
            Some((network, station)) => Place { origin, network: Some(network), station },
            None => Place { origin, network: None, station },
        };
        let (from, to) = (place(npdu.from, stations[0]), Place { origin: None, ..place(npdu.to, stations[1]) });
        let content = npdu.network_message.map_or(Content::Apdu, Content::Network);
        Ok(Self { from, to, content, rest: npdu.content, whole })
    }
}

/// Opens a frame of that carrier. `missing` bytes of it were not captured.
pub(super) fn open(over: Over, bytes: &[u8], missing: usize) -> Result<Opened<'_>, Malformed> {
    let (plain, whole) = ([Station::default(); 2], missing == 0);
    let Over::Link(kind) = over else {
        let bvlc = bvlc(bytes)?;
        if !bvlc.carries {
            return Ok(Opened::link(Content::Link, bvlc.rest));
        }
        return Opened::with_npdu(bvlc.origin, plain, bvlc.rest, bvlc.whole);
    };
    match kind {
        Kind::Bus(BUS_MSTP) => {
            let mut c = Cursor::new("mstp", bytes);
            match c.array("preamble (9.3)")? {
                [0x55, 0xff] => mstp(c),
                _ => Err(Cursor::new("mstp", bytes).wrong("preamble 55 FF (9.3)")),
            }
        }
        // Time since the last frame and an octet of the tool's own.
        Kind::Snap(..) => mstp(Cursor::new("mstp", bytes).from(3)),
        Kind::Bus(bus @ (BUS_ARCNET | BUS_ARCNET_LINUX)) => {
            let mut c = Cursor::new("arcnet", bytes);
            let stations = c.array::<2>("source and destination")?.map(|id| Station::of(&[id]).unwrap_or_default());
            if bus == BUS_ARCNET_LINUX {
                c.take(2, "offset")?;
            }
            match c.u8("protocol id (8.2)")? {
                ARCNET_BACNET => Opened::with_npdu(None, stations, llc(c)?, whole),
                _ => Ok(Opened::link(Content::Unread, c)),
            }
        }
        _ => Opened::with_npdu(None, plain, llc(Cursor::new("llc", bytes))?, whole),
    }
}

/// Behind an LLC header of unnumbered information. Clause 7.1.
fn llc(mut c: Cursor<'_>) -> Result<Cursor<'_>, Malformed> {
    let start = c;
    match c.array("LLC header (7.1)")? {
        [LLC_BACNET, LLC_BACNET, 0x03] => Ok(c),
        _ => Err(start.wrong("LLC header 82 82 03 (7.1)")),
    }
}

/// An MS/TP frame from its type on. A bus has noise: nothing counts whose checks do not hold.
fn mstp(mut c: Cursor<'_>) -> Result<Opened<'_>, Malformed> {
    let header = c.rest();
    let [kind, to, from] = c.array("MS/TP header (9.3)")?;
    if !DATA.contains(&kind) {
        return Ok(Opened::link(if kind <= REPLY_POSTPONED { Content::Link } else { Content::Unread }, c));
    }
    let length = c.u16_be("MS/TP header (9.3)")?;
    c.u8("header check (9.3)")?;
    if header.iter().take(6).fold(0xff, header_check) != HEADER_GOOD {
        return Err(c.wrong("header check (Annex G.1)"));
    }
    let (npdu, mut behind) = (c, c);
    let data = behind.take(usize::from(length).saturating_add(2), "MS/TP length (9.3)")?;
    if data.iter().fold(0xffff, data_check) != DATA_GOOD {
        return Err(behind.wrong("data check (Annex G.2)"));
    }
    let stations = [from, to].map(|station| Station::of(&[station]).unwrap_or_default());
    Opened::with_npdu(None, stations, npdu.until(npdu.at() + usize::from(length)), true)
}

fn header_check(check: u8, byte: &u8) -> u8 {
    let mut check = u16::from(check ^ byte);
    check ^= (check << 1) ^ (check << 2) ^ (check << 3) ^ (check << 4) ^ (check << 5) ^ (check << 6) ^ (check << 7);
    let [high, low] = ((check & 0xfe) ^ ((check >> 8) & 1)).to_be_bytes();
    high ^ low
}

fn data_check(check: u16, byte: &u8) -> u16 {
    let low = (check & 0xff) ^ u16::from(*byte);
    let folded = low ^ (low << 4 & 0xff);
    (check >> 8) ^ (folded << 8) ^ (folded << 3) ^ (folded >> 4)
}

/// The header of the BACnet virtual link layer.
pub(super) struct Bvlc<'a> {
    /// True where an NPDU follows.
    pub carries: bool,
    pub length: usize,
    pub whole: bool,
    pub origin: Option<(IpAddr, u16)>,
    pub rest: Cursor<'a>,
}

/// Reads the header of a datagram. J.2 and U.2.
pub(super) fn bvlc(bytes: &[u8]) -> Result<Bvlc<'_>, Malformed> {
    let mut c = Cursor::new("bvlc", bytes);
    let [kind, function] = c.array("BVLC type and function (J.2)")?;
    let length = usize::from(c.u16_be("BVLC length (J.2)")?);
    if length < c.at() {
        return Err(Malformed::wrong("bvlc", 2, "BVLC length counts its own header (J.2)"));
    }
    let (mut rest, mut origin) = (c.until(length), None);
    let carries = match (kind, function) {
        (BVLC_IPV4, 0x04) => {
            let ip = Ipv4Addr::from(rest.array::<4>("origin (J.2.5)")?);
            origin = Some((ip.into(), rest.u16_be("origin (J.2.5)")?));
            true
        }
        (BVLC_IPV4, 0x09..=0x0b) => true,
        (BVLC_IPV4, 0x00..=0x03 | 0x05..=0x08 | 0x0c) => false,
        (BVLC_IPV6, 0x01) => rest.take(6, "virtual addresses (U.2.2)").map(|_| true)?,
        (BVLC_IPV6, 0x02 | 0x0c) => rest.take(3, "virtual address (U.2.3)").map(|_| true)?,
        (BVLC_IPV6, 0x08) => {
            rest.take(3, "virtual address (U.2.9)")?;
            let ip = Ipv6Addr::from(rest.array::<16>("origin (U.2.9)")?);
            origin = Some((ip.into(), rest.u16_be("origin (U.2.9)")?));
            true
        }
        (BVLC_IPV6, 0x00 | 0x03..=0x07 | 0x09..=0x0b) => false,
        _ => return Err(Malformed::wrong("bvlc", 0, "a BVLC type and function (J.2, U.2)")),
    };
    Ok(Bvlc { carries, length, whole: bytes.len() >= length, origin, rest })
}

/// The header of an NPDU.
pub(super) struct Npdu<'a> {
    to: Option<(u16, Station)>,
    from: Option<(u16, Station)>,
    network_message: Option<u8>,
    pub content: Cursor<'a>,
}

/// Reads the header of an NPDU. Clause 6.2.
pub(super) fn npdu(mut c: Cursor<'_>) -> Result<Npdu<'_>, Malformed> {
    let start = c;
    let [version, control] = c.array("NPDU version and control (6.2)")?;
    if version != VERSION || control & RESERVED != 0 {
        return Err(start.wrong("NPDU version 1, reserved bits 0 (6.2)"));
    }
    let address = |c: &mut Cursor<'_>| {
        let (network, length) = (c.u16_be("network number (6.2.2)")?, c.u8("address length (6.2.2)")?);
        let station = Station::of(c.take(usize::from(length), "address (6.2.2)")?);
        let station = station.filter(|_| network != 0).ok_or(c.wrong("a network from 1 on, an address of 7 octets at most (6.2.2)"));
        Ok::<_, Malformed>((network, station?))
    };
    let to = if control & DESTINATION == 0 { None } else { Some(address(&mut c)?) };
    let from = if control & SOURCE == 0 { None } else { Some(address(&mut c)?) };
    if from.is_some_and(|(network, station)| network == NETWORK_ALL || station.length == 0) {
        return Err(c.wrong("a source is one station (6.2.2.2)"));
    }
    if to.is_some() {
        c.u8("hop count (6.2.3)")?;
    }
    let network_message = if control & NETWORK_MESSAGE == 0 { None } else { Some(c.u8("message type (6.2.4)")?) };
    Ok(Npdu { to, from, network_message, content: c })
}
