//! CDP: what a Cisco device tells its neighbours about itself.
//!
//! Source: Cisco Discovery Protocol, as Cisco documents its frame format and TLVs ("Cisco Discovery Protocol (CDP)", Catalyst and Nexus
//! configuration guides; "Frame Formats", DOC-ID 118736) and as its devices send it. SNAP 00000c/2000, to 01:00:0c:cc:cc:cc.

use core::ops::Range;

use crate::conversation::{Conversation, Coverage, Heard, Kind, Likeness, Over, Protocol, Role, Said};
use crate::repeats::Repeats;
use crate::{Cursor, Malformed, Reading, Shape};

/// The protocol's name in claims and readings.
pub const NAME: &str = "cdp";
/// Organisation and protocol in the SNAP header.
const SNAP: Kind = Kind::Snap([0x00, 0x00, 0x0c], 0x2000);

/// Announcements on a segment, one conversation per sender.
pub static PROTOCOL: Protocol = Protocol {
    name: NAME,
    carries: &[],
    tcp: &[],
    udp: &[],
    link: &[SNAP],
    likeness: |bytes, _| match bytes {
        // Version, time to live, checksum; then a first TLV of a known kind.
        [1 | 2, _, _, _, 0, 1..=0x1f, 0, length, ..] if *length > 4 => Likeness::Possible,
        _ => Likeness::No,
    },
    start: |over| Box::new(Neighbour { over, repeats: Repeats::default(), met: false, coverage: Coverage::default() }),
};

/// A TLV's type and length.
const TLV_HEADER_BYTES: usize = 4;
/// Bytes of a frame that hold the version, the time to live and the checksum.
const HEADER_BYTES: usize = 4;
/// Addresses in a list that are read: a device has one or two management addresses.
const ADDRESSES_MAX: u32 = 16;
/// Network protocols of an address: ISO's number for IPv4 (NLPID 0xcc), and IPv6 in LLC/SNAP (802.2).
const PROTOCOL_IPV4: [u8; 1] = [0xcc];
const PROTOCOL_IPV6: [u8; 8] = [0xaa, 0xaa, 0x03, 0, 0, 0, 0x86, 0xdd];

/// One sender's announcements.
#[derive(Debug)]
pub struct Neighbour {
    over: Over,
    repeats: Repeats,
    met: bool,
    coverage: Coverage,
}

impl Conversation for Neighbour {
    fn hear(&mut self, said: &Said<'_>, out: &mut dyn FnMut(Heard)) {
        self.coverage.seen += 1;
        if !self.repeats.is_new(said.bytes) {
            self.coverage.decoded += 1;
            return;
        }
        let mut reading = Reading::of(NAME, self.over, "cdp.announcement", said.speaker(), said.at, said.bytes);
        match announcement(said.bytes, &mut reading) {
            Ok(()) => {}
            // A frame that was not captured to its end is no fault of its sender.
            Err(_) if said.missing > 0 => reading.complete = false,
            Err(malformed) => reading.broken(malformed),
        }
        reading.complete &= said.missing == 0;
        if reading.facts.is_empty() {
            let found = reading.malformed.into_iter().map(|(_, malformed)| malformed);
            return found.for_each(|malformed| out(Heard::Malformed { speaker: said.speaker(), at: said.at, malformed }));
        }
        self.coverage.decoded += 1;
        if !core::mem::replace(&mut self.met, true) {
            out(Heard::Present { protocol: NAME, role: Role::Publisher, speaker: said.speaker(), at: said.at });
        }
        out(Heard::Reading(reading));
    }

    fn coverage(&self, each: &mut dyn FnMut(&'static str, Coverage)) {
        each(NAME, self.coverage);
    }
}

fn announcement(bytes: &[u8], reading: &mut Reading) -> Result<(), Malformed> {
    let mut cursor = Cursor::new(NAME, bytes);
    let start = cursor;
    let header = cursor.array::<HEADER_BYTES>("a CDP header: version, time to live, checksum")?;
    if !matches!(header, [1 | 2, ..]) {
        return Err(start.wrong("the version of CDP is 1 or 2"));
    }
    while !cursor.is_empty() {
        let start = cursor;
        let kind = cursor.u16_be("a TLV's type")?;
        let length = usize::from(cursor.u16_be("a TLV's length")?);
        let length = length.checked_sub(TLV_HEADER_BYTES).ok_or(start.wrong("a TLV's length counts its header of 4 bytes"))?;
        let value = cursor.range(length, "a TLV's length")?;
        let mut inside = Cursor::new(NAME, bytes).from(value.start).until(value.end);
        if let Err(malformed) = tlv(kind, value, &mut inside, reading) {
            reading.broken(malformed);
        }
    }
    Ok(())
}

fn tlv(kind: u16, value: Range<usize>, inside: &mut Cursor<'_>, reading: &mut Reading) -> Result<(), Malformed> {
    match kind {
        0x0001 => text("cdp.device.id", inside, reading),
        0x0002 => addresses("cdp.address", inside, reading)?,
        0x0003 => text("cdp.port", inside, reading),
        0x0004 => reading.fact("cdp.capabilities", Shape::Hex, value),
        0x0005 => text("cdp.software", inside, reading),
        0x0006 => text("cdp.platform", inside, reading),
        0x0009 => text("cdp.vtp.domain", inside, reading),
        0x000a => reading.fact("cdp.vlan", Shape::Number, value),
        0x000b => reading.fact("cdp.duplex", Shape::Number, value),
        0x0014 => text("cdp.system.name", inside, reading),
        0x0015 => reading.fact("cdp.system.object", Shape::Hex, value),
        0x0016 => addresses("cdp.management", inside, reading)?,
        0x0017 => {
            inside.u8("a location has a type")?;
            text("cdp.location", inside, reading);
        }
        _ => {}
    }
    Ok(())
}

/// A list: how many, then each as a protocol type, the protocol by its length, the address by its.
fn addresses(path: &str, inside: &mut Cursor<'_>, reading: &mut Reading) -> Result<(), Malformed> {
    let count = inside.u32_be("a count of addresses")?;
    for _ in 0..count.min(ADDRESSES_MAX) {
        inside.u8("an address's protocol type")?;
        let length = usize::from(inside.u8("the length of an address's protocol")?);
        let protocol = inside.take(length, "the length of an address's protocol")?;
        let length = usize::from(inside.u16_be("an address's length")?);
        let address = inside.range(length, "an address's length")?;
        let is_ip = (protocol == PROTOCOL_IPV4 && length == 4) || (protocol == PROTOCOL_IPV6 && length == 16);
        match is_ip {
            true => reading.announces(format!("{path}.ip"), Shape::Ip, address),
            false => reading.fact(format!("{path}.other"), Shape::Hex, address),
        }
    }
    Ok(())
}

/// A text that says something: NULs behind it are padding, and an empty one is no fact.
fn text(path: &str, inside: &Cursor<'_>, reading: &mut Reading) {
    let length = inside.rest().iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1);
    if length > 0 {
        reading.fact(path, Shape::Lines, inside.at()..inside.at() + length);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::conversation::End;
    use crate::tcp::At;

    fn hex(text: &str) -> Vec<u8> {
        let digits: Vec<u32> = text.chars().filter_map(|c| c.to_digit(16)).collect();
        digits.chunks(2).map(|pair| (pair[0] << 4 | pair[1]) as u8).collect()
    }

    fn hear(frames: &[(&[u8], usize)]) -> (Vec<Heard>, Coverage) {
        let (mut heard, mut coverage) = (vec![], Coverage::default());
        let mut neighbour = (PROTOCOL.start)(Over::Link(SNAP));
        let (from, to, at) = (&End::default(), &End::default(), At::default());
        for (bytes, missing) in frames {
            neighbour.hear(&Said { bytes, missing: *missing, at, from, to, by_server: true }, &mut |event| heard.push(event));
        }
        neighbour.coverage(&mut |_, counted| coverage = counted);
        (heard, coverage)
    }

    fn readings(heard: &[Heard]) -> impl Iterator<Item = &Reading> {
        heard.iter().filter_map(|heard| if let Heard::Reading(reading) = heard { Some(reading) } else { None })
    }

    fn facts(heard: &[Heard]) -> Vec<(String, String)> {
        let facts = readings(heard).flat_map(|reading| &reading.facts);
        facts.map(|fact| (fact.path.clone(), fact.bytes.escape_ascii().to_string())).collect()
    }

    /// The facts of a frame with these TLVs; those of every shorter frame are among them.
    fn check(tlvs: &str, expected: &[(&str, &str)]) {
        let bytes = hex(&format!("02b4 40ab {tlvs}"));
        let found = facts(&hear(&[(&bytes, 0)]).0);
        let found: Vec<(&str, &str)> = found.iter().map(|(path, value)| (path.as_str(), value.as_str())).collect();
        assert_eq!(found, expected);
        for end in 0..bytes.len() {
            for fact in facts(&hear(&[(&bytes[..end], bytes.len() - end)]).0) {
                assert!(expected.contains(&(&fact.0, &fact.1)), "cut after {end} bytes: {fact:?}");
            }
        }
    }

    #[test]
    fn every_tlv_is_a_fact_and_every_cut_gives_fewer() {
        // ICS-Security-Tools openics/EIP-FirmwareChange.pcap, frame 13: device id, platform, address, port, and what stands behind them.
        check(
            "0001 0009 4e73356774 0006 0017 636973636f2057532d43453530302d32345454 0002 0011 00000001 01 01 cc 0004 c0a80afd
             0003 0014 4769676162697445746865726e657431 0004 0008 00000028 0009 0004 000a 0006 0003 000b 0005 01
             0012 0005 00 0013 0005 00 0016 0011 00000001 01 01 cc 0004 c0a80afd",
            &[
                ("cdp.device.id", "Ns5gt"),
                ("cdp.platform", "cisco WS-CE500-24TT"),
                ("cdp.address.ip", "\\xc0\\xa8\\n\\xfd"),
                ("cdp.port", "GigabitEthernet1"),
                ("cdp.capabilities", "\\x00\\x00\\x00("),
                ("cdp.vlan", "\\x00\\x03"),
                ("cdp.duplex", "\\x01"),
                ("cdp.management.ip", "\\xc0\\xa8\\n\\xfd"),
            ],
        );
        check(
            "0005 0008 4e582d4f 0014 0006 5232 0015 0007 060102 0017 0007 00 3141 0001 0006 5200",
            &[
                ("cdp.software", "NX-O"),
                ("cdp.system.name", "R2"),
                ("cdp.system.object", "\\x06\\x01\\x02"),
                ("cdp.location", "1A"),
                ("cdp.device.id", "R"),
            ],
        );
        let said = hear(&[(&hex("02b4 0000 0002 0011 00000001 01 01 cc 0004 c0a80afd 0016 0011 00000001 01 01 cc 0004 c0a80afd"), 0)]).0;
        let announced: Vec<_> = readings(&said).flat_map(|reading| &reading.announced).map(|address| address.ip).collect();
        assert_eq!(announced, [Some([192, 168, 10, 253].into())], "its own, once");
        // IPv6 by its LLC/SNAP header, and a protocol that has no form here.
        check(
            "0002 0033 00000002 02 08 aaaa03000000 86dd 0010 fe800000000000000000000000000001 01 01 81 000a 49000100000000000100",
            &[
                ("cdp.address.ip", "\\xfe\\x80\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x01"),
                ("cdp.address.other", "I\\x00\\x01\\x00\\x00\\x00\\x00\\x00\\x01\\x00"),
            ],
        );
    }

    #[test]
    fn what_is_broken_is_said_and_the_rest_is_read() {
        let malformed = |bytes: &str| {
            let (heard, _) = hear(&[(&hex(bytes), 0)]);
            let said = heard.into_iter().filter_map(|heard| match heard {
                Heard::Malformed { malformed, .. } => Some((malformed.offset, "no reading")),
                Heard::Reading(reading) => reading.malformed.first().map(|(_, malformed)| (malformed.offset, "in a reading")),
                _ => None,
            });
            said.collect::<Vec<_>>()
        };
        assert_eq!(malformed("03b4 0000 0001 0005 41"), [(0, "no reading")], "no such version");
        assert_eq!(malformed("02b4 0000 0001 0003 41"), [(4, "no reading")], "a length that does not hold its own header");
        assert_eq!(malformed("02b4 0000 0001 0005 41 0005 0009 41"), [(13, "in a reading")]);
        assert_eq!(malformed("02b4 0000 0001 0005 41 0002 0008 00000001 0006 0005 42"), [(17, "in a reading")]);
    }

    #[test]
    fn an_announcement_is_read_once_and_counted_always() {
        let (one, other) = (hex("02b4 0000 0001 0005 41"), hex("02b4 0000 0001 0005 42"));
        let (heard, coverage) = hear(&[(&one, 0), (&one, 0), (&other, 0), (&one, 0)]);
        assert_eq!((readings(&heard).count(), heard.len()), (2, 3), "two readings and one presence");
        assert_eq!(coverage, Coverage { seen: 4, decoded: 4 });
    }

    #[test]
    fn only_a_header_with_a_tlv_looks_like_it() {
        let likeness = |bytes: &str| (PROTOCOL.likeness)(&hex(bytes), Over::Link(SNAP));
        assert_eq!(likeness("02b4 40ab 0001 0009 4e73356774"), Likeness::Possible);
        for other in ["", "02b4", "02b4 0000 0001", "05b4 0000 0001 0009", "02b4 0000 0001 0004", "02b4 0000 4500 0020"] {
            assert_eq!(likeness(other), Likeness::No, "{other}");
        }
    }
}
