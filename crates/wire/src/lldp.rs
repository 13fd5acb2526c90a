//! LLDP: what a station tells its neighbours about itself.
//!
//! Sources: IEEE Std 802.1AB-2016, clause 8 (LLDPDU and basic TLVs); ANSI/TIA-1057 (2006), 10.2.6 (LLDP-MED inventory); IEC 61158-6-10,
//! 4.12 (PROFINET TLVs; a chassis id that is the whole system identification, [`SYSTEM_IDENTIFICATION_BYTES`]); RFC 8520, 11 (MUD URL).
//! One frame per port, each from a hardware address of its own: what joins them is the chassis id, a serial number, a management address.

use core::ops::Range;

use crate::conversation::{Conversation, Coverage, Heard, Kind, Likeness, Over, Protocol, Role, Said};
use crate::profinet_text::Identification;
use crate::repeats::Repeats;
use crate::{Cursor, Malformed, Reading, Shape};

/// The protocol's name in claims and readings.
pub const NAME: &str = "lldp";
const ETHERTYPE: u16 = 0x88cc;

/// Announcements on a segment, one conversation per sender.
pub static PROTOCOL: Protocol = Protocol {
    name: NAME,
    carries: &[],
    tcp: &[],
    udp: &[],
    link: &[Kind::Ethertype(ETHERTYPE)],
    likeness: |bytes, _| match bytes {
        [2, length, 1..=7, ..] if *length > 1 => Likeness::Possible,
        _ => Likeness::No,
    },
    start: |over| Box::new(Neighbour { over, repeats: Repeats::default(), met: false, coverage: Coverage::default() }),
};

/// TLV types (802.1AB, table 8-1).
const END: u16 = 0;
const CHASSIS_ID: u16 = 1;
const PORT_ID: u16 = 2;
const TIME_TO_LIVE: u16 = 3;
const ORGANISATION: u16 = 127;
/// The upper seven bits of a TLV's first two bytes are its type, the others its length (8.4).
const LENGTH_BITS: u16 = 9;

/// Organisations (802.1AB, 8.6): TIA, PROFIBUS & PROFINET International, IANA.
const TIA: [u8; 3] = [0x00, 0x12, 0xbb];
const PROFINET: [u8; 3] = [0x00, 0x0e, 0xcf];
const IANA: [u8; 3] = [0x00, 0x00, 0x5e];
/// PROFINET's TLV with the hardware address of the interface behind the port.
const PROFINET_CHASSIS_MAC: u8 = 5;
/// IANA's TLV with the URL of a usage description (RFC 8520, 11).
const IANA_MUD: u8 = 1;

/// Path of the facts of a chassis id.
const CHASSIS: &str = "lldp.chassis";

/// IANA address families (RFC 1700) that an address of LLDP can be.
const FAMILY_IPV4: u8 = 1;
const FAMILY_IPV6: u8 = 2;
const FAMILY_802: u8 = 6;

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
        let mut reading = Reading::of(NAME, self.over, "lldp.announcement", said.speaker(), said.at, said.bytes);
        reading.complete = false;
        match announcement(said.bytes, &mut reading) {
            Ok(end) => {
                // What stands behind the end is padding.
                reading.messages.iter_mut().for_each(|message| message.bytes.truncate(end));
                reading.complete = reading.malformed.is_empty();
            }
            // A frame that was not captured to its end is no fault of its sender.
            Err(_) if said.missing > 0 => {}
            Err(malformed) => reading.broken(malformed),
        }
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

/// Reads TLVs up to the one that ends them, and gives the offset behind it. Chassis, port and time to live come first, in this order
/// (8.2): anything else is no LLDP, and nothing is read out of it.
fn announcement(bytes: &[u8], reading: &mut Reading) -> Result<usize, Malformed> {
    let mut cursor = Cursor::new(NAME, bytes);
    let mut first = [CHASSIS_ID, PORT_ID, TIME_TO_LIVE].into_iter();
    loop {
        let start = cursor;
        let head = cursor.u16_be("a TLV's type and length (802.1AB, 8.4)")?;
        let (kind, length) = (head >> LENGTH_BITS, usize::from(head & ((1 << LENGTH_BITS) - 1)));
        if first.next().is_some_and(|expected| expected != kind) {
            return Err(start.wrong("chassis id, port id and time to live come first (802.1AB, 8.2)"));
        }
        if kind == END {
            return Ok(cursor.at());
        }
        let value = cursor.range(length, "a TLV's length (802.1AB, 8.4)")?;
        let mut inside = Cursor::new(NAME, bytes).from(value.start).until(value.end);
        if let Err(malformed) = tlv(kind, value, &mut inside, reading) {
            reading.broken(malformed);
        }
    }
}

fn tlv(kind: u16, value: Range<usize>, inside: &mut Cursor<'_>, reading: &mut Reading) -> Result<(), Malformed> {
    match kind {
        CHASSIS_ID => {
            let subtype = inside.u8("a chassis id has a subtype (802.1AB, 8.5.2)")?;
            let id = value.start + 1..value.end;
            identifier(CHASSIS, [4, 5], subtype, id.clone(), inside.rest(), reading);
            if let Some(identification) = Identification::of_chassis(inside.rest()) {
                identification.facts("lldp.profinet", id.start, reading);
            }
        }
        PORT_ID => {
            let subtype = inside.u8("a port id has a subtype (802.1AB, 8.5.3)")?;
            identifier("lldp.port", [3, 4], subtype, value.start + 1..value.end, inside.rest(), reading);
        }
        TIME_TO_LIVE => reading.fact("lldp.ttl", Shape::Number, inside.range(2, "a time to live is two bytes (802.1AB, 8.5.4)")?),
        4 => text("lldp.port.description", inside, reading),
        5 => text("lldp.system.name", inside, reading),
        6 => text("lldp.system.description", inside, reading),
        7 => {
            reading.fact("lldp.system.capabilities", Shape::Hex, inside.range(2, "system capabilities (802.1AB, 8.5.8)")?);
            reading.fact("lldp.system.enabled", Shape::Hex, inside.range(2, "enabled capabilities (802.1AB, 8.5.8)")?);
        }
        8 => management(inside, reading)?,
        ORGANISATION => {
            let organisation = inside.array::<3>("an organisation (802.1AB, 8.6)")?;
            let subtype = inside.u8("an organisation's subtype (802.1AB, 8.6)")?;
            organisational(organisation, subtype, inside.at()..value.end, inside, reading);
        }
        _ => {}
    }
    Ok(())
}

/// A chassis or port id by its subtype: a hardware address, a network address, or a text. `addresses` are the subtypes of the first two.
fn identifier(path: &str, addresses: [u8; 2], subtype: u8, id: Range<usize>, bytes: &[u8], reading: &mut Reading) {
    // Before the family of a network address, which is a part of the id and not of the fact.
    reading.fact(format!("{path}.subtype"), Shape::Number, id.start.saturating_sub(1)..id.start);
    let (shape, id) = match (addresses.iter().position(|address| *address == subtype), bytes) {
        (Some(0), [_, _, _, _, _, _]) => (Shape::Mac, id),
        (Some(1), [FAMILY_IPV4, _, _, _, _]) => (Shape::Ip, id.start + 1..id.end),
        (Some(1), [FAMILY_IPV6, rest @ ..]) if rest.len() == 16 => (Shape::Ip, id.start + 1..id.end),
        (Some(_), _) => (Shape::Hex, id),
        (None, _) => (Shape::Text, id),
    };
    match path {
        // A port is no station; its hardware address is that of the frame.
        CHASSIS => reading.announces(format!("{path}.id"), shape, id),
        _ => reading.fact(format!("{path}.id"), shape, id),
    }
}

/// A management address (8.5.9): its length with family, the address, how its interface is numbered, the interface, an object id.
fn management(inside: &mut Cursor<'_>, reading: &mut Reading) -> Result<(), Malformed> {
    let length = usize::from(inside.u8("an address's length (802.1AB, 8.5.9.2)")?);
    let family = inside.u8("an address's family (802.1AB, 8.5.9.3)")?;
    let address = inside.range(length.saturating_sub(1), "an address's length (802.1AB, 8.5.9.2)")?;
    match (family, address.len()) {
        (FAMILY_IPV4, 4) | (FAMILY_IPV6, 16) => reading.announces("lldp.management.ip", Shape::Ip, address),
        (FAMILY_802, 6) => reading.announces("lldp.management.mac", Shape::Mac, address),
        _ => reading.fact("lldp.management.other", Shape::Hex, address),
    }
    let interface = inside.range(5, "an interface's numbering and number (802.1AB, 8.5.9.5)")?;
    reading.fact("lldp.management.interface", Shape::Number, interface.start + 1..interface.end);
    let length = usize::from(inside.u8("an object id's length (802.1AB, 8.5.9.7)")?);
    let object = inside.range(length, "an object id's length (802.1AB, 8.5.9.7)")?;
    if length > 0 {
        reading.fact("lldp.management.object", Shape::Hex, object);
    }
    Ok(())
}

/// What organisations add. TIA-1057's inventory (10.2.6.2) holds the values of ENTITY-MIB.
fn organisational(organisation: [u8; 3], subtype: u8, value: Range<usize>, inside: &Cursor<'_>, reading: &mut Reading) {
    match (organisation, subtype) {
        (TIA, 1) => reading.fact("lldp.med.class", Shape::Number, value.start + 2..value.end),
        (TIA, 5) => text("lldp.med.hardware", inside, reading),
        (TIA, 6) => text("lldp.med.firmware", inside, reading),
        (TIA, 7) => text("lldp.med.software", inside, reading),
        (TIA, 8) => text("lldp.med.serial", inside, reading),
        (TIA, 9) => text("lldp.med.manufacturer", inside, reading),
        (TIA, 10) => text("lldp.med.model", inside, reading),
        (TIA, 11) => text("lldp.med.asset", inside, reading),
        (PROFINET, PROFINET_CHASSIS_MAC) if value.len() == 6 => reading.announces("lldp.profinet.mac", Shape::Mac, value),
        (IANA, IANA_MUD) => text("lldp.mud", inside, reading),
        _ => {}
    }
}

/// A text that says something: up to its first NUL, because senders copy fields of fixed width, and what stands behind the end of a text
/// there is left over from an earlier one. An empty one is no fact.
fn text(path: &str, inside: &Cursor<'_>, reading: &mut Reading) {
    let length = inside.rest().iter().position(|byte| *byte == 0).unwrap_or(inside.rest().len());
    if length > 0 {
        reading.fact(path, Shape::Lines, inside.at()..inside.at() + length);
    }
}

#[cfg(test)]
mod tests;
