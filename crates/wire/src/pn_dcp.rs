//! PROFINET DCP: who stands on the segment, under which station name, with which vendor and device id. No firmware: that is I&M's.
//! The same EtherType carries PROFINET's cyclic data and alarms, which only show that somebody takes part (`pn-rt`).
//!
//! Sources: IEC 61158-6-10, 4.3 (DCP) and 4.2.2.3 (frame ids); PROFINET DCP specification (PROFIBUS & PROFINET International).

use core::ops::Range;

use crate::conversation::{Conversation, Coverage, Happening, Heard, Kind, Likeness, Over, Protocol, Role, Said};
use crate::repeats::Repeats;
use crate::{Address, Authority, Cursor, Mac, Malformed, Reading, Shape};

mod question;

pub use question::{Question, length};

/// The protocol's name in claims and readings.
pub const NAME: &str = "pn-dcp";
/// Everything else on this EtherType: cyclic data, alarms, precision time.
pub const NAME_RT: &str = "pn-rt";
/// The EtherType of all of PROFINET's frames.
pub const ETHERTYPE: u16 = 0x8892;

/// PROFINET frames of one sender.
pub static PROTOCOL: Protocol = Protocol {
    name: NAME,
    carries: &[NAME_RT],
    tcp: &[],
    udp: &[],
    link: &[Kind::Ethertype(ETHERTYPE)],
    likeness: |bytes, _| if Header::read(bytes).is_ok() { Likeness::Possible } else { Likeness::No },
    start: |over| Box::new(Station { over, ..Station::default() }),
};

/// Frame ids of DCP: Hello, Get and Set, Identify request, Identify response (table of 4.2.2.3).
const DCP_HELLO: u16 = 0xfefc;
const DCP_GET_SET: u16 = 0xfefd;
const DCP_IDENTIFY_RESPONSE: u16 = 0xfeff;
/// Frame ids of cyclic data, from the first of RT_CLASS_3 to the last of RT_CLASS_UDP.
const CYCLIC: Range<u16> = 0x0100..0xfc00;
/// Frame ids of alarms, high and low.
const ALARMS: [u16; 2] = [0xfc01, 0xfe01];

/// Services (4.3.1.3.1) and what a frame is of them.
const GET: u8 = 3;
const SET: u8 = 4;
const IDENTIFY: u8 = 5;
const HELLO: u8 = 6;
const REQUEST: u8 = 0;
const RESPONSE: u8 = 1;
const RESPONSE_UNSUPPORTED: u8 = 5;
/// Frame id, service, its type, transaction, delay, length of the blocks.
const HEADER_BYTES: usize = 12;
/// The bit that marks a group address (IEEE 802, 8.4).
const GROUP_BIT: u8 = 0x01;
/// In front of a block's value: what an answer says about it, or how a Set is to be kept.
const BLOCK_INFORMATION_BYTES: usize = 2;

/// Another station was heard with the same address (IEC 61158-6-10, 4.3.1.4.2, BlockInfo for IP).
const IP_CONFLICT: u8 = 0x80;

/// One sender of PROFINET frames.
#[derive(Debug)]
struct Station {
    over: Over,
    repeats: Repeats,
    present: bool,
    cyclic: bool,
    happened: Vec<(Happening, Address)>,
    dcp: Coverage,
    rt: Coverage,
}

/// Renamed or reset devices that are remembered per engineering station, so that it is told once.
const DEVICES_MAX: usize = 64;

impl Default for Station {
    fn default() -> Self {
        let (over, repeats) = (Over::Link(Kind::Ethertype(ETHERTYPE)), Repeats::default());
        Self { over, repeats, present: false, cyclic: false, happened: vec![], dcp: Coverage::default(), rt: Coverage::default() }
    }
}

/// A DCP header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Header {
    service: u8,
    kind: u8,
    /// Length of all blocks.
    length: usize,
}

impl Header {
    fn read(bytes: &[u8]) -> Result<Self, Malformed> {
        let mut cursor = Cursor::new(NAME, bytes);
        let frame_id = cursor.u16_be("a frame id (IEC 61158-6-10, 4.2.2.3)")?;
        let start = cursor;
        let [service, kind] = cursor.array("a DCP service (IEC 61158-6-10, 4.3.1.3)")?;
        let fits = match frame_id {
            DCP_HELLO => (service, kind) == (HELLO, REQUEST),
            DCP_GET_SET => matches!((service, kind), (GET | SET, REQUEST | RESPONSE | RESPONSE_UNSUPPORTED)),
            DCP_IDENTIFY_RESPONSE => (service, kind) == (IDENTIFY, RESPONSE),
            _ => (service, kind) == (IDENTIFY, REQUEST) && frame_id == DCP_IDENTIFY_RESPONSE - 1,
        };
        if !fits {
            return Err(start.wrong("a frame id and its DCP service belong together (IEC 61158-6-10, 4.3.1.3)"));
        }
        cursor.take(6, "a transaction and a delay (IEC 61158-6-10, 4.3.1.3)")?;
        let length = usize::from(cursor.u16_be("the length of all blocks (IEC 61158-6-10, 4.3.1.3.5)")?);
        Ok(Self { service, kind, length })
    }
}

impl Conversation for Station {
    fn hear(&mut self, said: &Said<'_>, out: &mut dyn FnMut(Heard)) {
        let Some([upper, lower]) = said.bytes.first_chunk::<2>() else { return self.rt.seen += 1 };
        match u16::from_be_bytes([*upper, *lower]) {
            DCP_HELLO..=DCP_IDENTIFY_RESPONSE => self.dcp(said, out),
            id => {
                self.rt.seen += 1;
                self.rt.decoded += 1;
                if (CYCLIC.contains(&id) || ALARMS.contains(&id)) && !self.cyclic {
                    self.cyclic = true;
                    out(Heard::Present { protocol: NAME_RT, role: Role::Publisher, speaker: said.speaker(), at: said.at });
                }
            }
        }
    }

    fn coverage(&self, each: &mut dyn FnMut(&'static str, Coverage)) {
        each(NAME, self.dcp);
        each(NAME_RT, self.rt);
    }
}

impl Station {
    fn dcp(&mut self, said: &Said<'_>, out: &mut dyn FnMut(Heard)) {
        self.dcp.seen += 1;
        let header = match Header::read(said.bytes) {
            Ok(header) => header,
            Err(_) if said.missing > 0 => return,
            Err(malformed) => return out(Heard::Malformed { speaker: said.speaker(), at: said.at, malformed }),
        };
        self.dcp.decoded += 1;
        let speaker = said.speaker();
        if (header.kind == RESPONSE || header.service == HELLO) && !core::mem::replace(&mut self.present, true) {
            let role = if header.service == HELLO { Role::Publisher } else { Role::Server };
            out(Heard::Present { protocol: NAME, role, speaker: speaker.clone(), at: said.at });
        }
        let question = match (header.service, header.kind) {
            (IDENTIFY, RESPONSE) => "pn-dcp.identify",
            (GET, RESPONSE) => "pn-dcp.get",
            (HELLO, _) => "pn-dcp.hello",
            // What is set in one device alone; nobody can say about whom a multicast is.
            (SET, REQUEST) if said.to.mac.is_none_or(|Mac([first, ..])| first & GROUP_BIT == 0) => "pn-dcp.set",
            _ => return,
        };
        let belief = header.service == SET;
        // Transaction and delay are new in each frame.
        let repeated = !self.repeats.is_new(said.bytes.get(HEADER_BYTES..).unwrap_or_default());
        if repeated && !belief {
            return;
        }
        let about = if belief { said.to.into() } else { speaker };
        let mut reading = Reading::of(NAME, self.over, question, about, said.at, said.bytes);
        if belief {
            reading.authority = Authority::Belief;
        }
        let end = (HEADER_BYTES + header.length).min(said.bytes.len());
        reading.messages.iter_mut().for_each(|message| message.bytes.truncate(end));
        match blocks(said.bytes, end, &mut reading) {
            Ok(()) if end == HEADER_BYTES + header.length => {}
            Ok(()) | Err(_) if said.missing > 0 => reading.complete = false,
            Ok(()) => reading.broken(Malformed::short(NAME, end, HEADER_BYTES + header.length - end, 0, "the length of all blocks")),
            Err(malformed) => reading.broken(malformed),
        }
        if belief {
            self.set(&reading, said, out);
        }
        let says = !reading.facts.is_empty() || !reading.malformed.is_empty();
        if says && !repeated {
            out(Heard::Reading(reading));
        }
    }

    /// Somebody writes a name or an address into a device, or sets it back to how it left the factory.
    fn set(&mut self, reading: &Reading, said: &Said<'_>, out: &mut dyn FnMut(Heard)) {
        let device = &reading.speaker;
        let has = |names: &[&str]| reading.facts.iter().any(|fact| names.contains(&fact.path.as_str()));
        let happening = if has(&["pn-dcp.name", "pn-dcp.ip.address"]) {
            Happening::Renamed
        } else if has(&["pn-dcp.reset"]) {
            Happening::Reset
        } else {
            return;
        };
        let new = (happening, device.clone());
        if self.happened.len() < DEVICES_MAX && !self.happened.contains(&new) {
            self.happened.push(new);
            out(Heard::Happened { protocol: NAME, happening, device: device.clone(), at: said.at });
        }
    }
}

/// Blocks up to `end`: option, suboption, length, and a value that fills an even number of bytes.
fn blocks(bytes: &[u8], end: usize, reading: &mut Reading) -> Result<(), Malformed> {
    let mut cursor = Cursor::new(NAME, bytes).from(HEADER_BYTES).until(end);
    while !cursor.is_empty() {
        let [option, suboption] = cursor.array("a block's option (IEC 61158-6-10, 4.3.1.4)")?;
        let length = usize::from(cursor.u16_be("a block's length (IEC 61158-6-10, 4.3.1.4)")?);
        let block = cursor.range(length, "a block's length (IEC 61158-6-10, 4.3.1.4)")?;
        block_of(option, suboption, block.start.saturating_add(BLOCK_INFORMATION_BYTES)..block.end, bytes, reading);
        if length % 2 == 1 && !cursor.is_empty() {
            cursor.take(1, "a block fills an even number of bytes")?;
        }
    }
    Ok(())
}

fn block_of(option: u8, suboption: u8, value: Range<usize>, bytes: &[u8], reading: &mut Reading) {
    let Some(inside) = bytes.get(value.clone()) else { return };
    let part = |range: Range<usize>| value.start + range.start..value.start + range.end;
    match (option, suboption, inside.len()) {
        (1, 1, 6) => reading.announces("pn-dcp.mac", Shape::Mac, value),
        (1, 2 | 3, 12..) => {
            // The lower byte of what the answer says about the block.
            let conflict = bytes.get(value.start - 1).is_some_and(|said| said & IP_CONFLICT != 0);
            match conflict {
                true => reading.fact("pn-dcp.ip.address", Shape::Ip, part(0..4)),
                false => reading.announces("pn-dcp.ip.address", Shape::Ip, part(0..4)),
            }
            reading.fact("pn-dcp.ip.mask", Shape::Ip, part(4..8));
            reading.fact("pn-dcp.ip.gateway", Shape::Ip, part(8..12));
        }
        (2, 1, _) => text("pn-dcp.station", value, inside, reading),
        (2, 2, _) => text("pn-dcp.name", value, inside, reading),
        (2, 3, 4) => {
            reading.fact("pn-dcp.vendor", Shape::Hex, part(0..2));
            reading.fact("pn-dcp.device", Shape::Hex, part(2..4));
        }
        (2, 4, 1..) => reading.fact("pn-dcp.role", Shape::Hex, part(0..1)),
        (2, 6, _) => text("pn-dcp.alias", value, inside, reading),
        (2, 7, 2) => reading.fact("pn-dcp.instance", Shape::Hex, value),
        (2, 8, 4) => {
            reading.fact("pn-dcp.oem.vendor", Shape::Hex, part(0..2));
            reading.fact("pn-dcp.oem.device", Shape::Hex, part(2..4));
        }
        (3, 12, _) => text("pn-dcp.dhcp.name", value, inside, reading),
        (5, 5 | 6, _) => reading.fact("pn-dcp.reset", Shape::Hex, value.start - BLOCK_INFORMATION_BYTES..value.start),
        _ => {}
    }
}

/// A text that says something; blanks and NULs behind it are padding.
fn text(path: &str, value: Range<usize>, inside: &[u8], reading: &mut Reading) {
    let length = inside.iter().rposition(|byte| !matches!(byte, 0 | b' ')).map_or(0, |last| last + 1);
    if length > 0 {
        reading.fact(path, Shape::Text, value.start..value.start + length);
    }
}

#[cfg(test)]
mod tests;
