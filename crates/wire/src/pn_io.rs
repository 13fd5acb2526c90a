//! PROFINET IO's acyclic part: DCE/RPC over UDP, connectionless. It holds a device's line of identification (the endpoint mapper's
//! annotation), its I&M records, and the names of a controller and its device when they connect.
//!
//! Sources: IEC 61158-6-10, 4.10 (RPC), 5.2 (connect, read, write, records) and 5.2.17 (I&M); Open Group C706, chapter 12 (RPC PDUs),
//! chapter 14 (transfer syntax) and appendix O (endpoint mapper).

use core::ops::Range;

use crate::conversation::{Conversation, Coverage, Heard, Likeness, Over, Protocol, Role, Said};
use crate::profinet_text::Identification;
use crate::repeats::Repeats;
use crate::{Address, Authority, Cursor, Malformed, Reading, Shape};

mod header;
mod question;
mod record;

pub use question::{Answered, Object, Question};

use header::{Interface, Rpc};

/// The protocol's name in claims and readings.
pub const NAME: &str = "pn-io";
/// The registered port of the endpoint mapper and of a device's first answer (IANA `profinet-cm`).
pub const PORT: u16 = 34964;

/// PROFINET IO's connections, reads and look-ups.
pub static PROTOCOL: Protocol = Protocol {
    name: NAME,
    carries: &[],
    tcp: &[],
    udp: &[PORT],
    link: &[],
    likeness: |bytes, over| match Rpc::read(bytes) {
        Ok(_) if over != Over::Udp => Likeness::No,
        Ok(Rpc { interface: Interface::ProfinetIo, .. }) => Likeness::Certain,
        // Windows has an endpoint mapper, too: one that knows PROFINET's interface is a device's.
        Ok(rpc) if header::profinet_interface(rpc.body(bytes)).is_some() => Likeness::Certain,
        Ok(Rpc { interface: Interface::EndpointMapper, .. }) => Likeness::Possible,
        _ => Likeness::No,
    },
    start: |_| Box::new(Exchange::default()),
};

/// Operations (IEC 61158-6-10, 4.10.3.2.5; C706, appendix O).
const CONNECT: u16 = 0;
const READ: u16 = 2;
const WRITE: u16 = 3;
const READ_IMPLICIT: u16 = 5;
const LOOKUP: u16 = 2;

/// Status or maximum, length, and the three counts of an array, in front of the blocks of each PROFINET call (5.2.3).
const ARGUMENTS_BYTES: usize = 20;
/// Type, length and version of a block (5.2.1).
const BLOCK_HEADER_BYTES: usize = 6;
/// Blocks of one call that are looked at; a connect has four kinds, and one more per interface.
const BLOCKS_MAX: usize = 64;
/// Entries of one look-up that are read; a device answers one at a time.
const ENTRIES_MAX: u32 = 8;
/// The last six bytes of an object's UUID are its instance, its device id and its vendor id (4.10.3.2.4).
const OBJECT_IDS: usize = 10;

/// How long a datagram's message is: all of it, where its body is there to its end; `None` where it is cut.
///
/// # Errors
/// [`Malformed`] where it is no message of RPC.
pub fn length(datagram: &[u8]) -> Result<Option<usize>, Malformed> {
    Ok(Rpc::read(datagram)?.is_whole(datagram).then_some(datagram.len()))
}

/// What a client and a device exchange.
#[derive(Debug, Default)]
struct Exchange {
    repeats: Repeats,
    answered: bool,
    broken: bool,
    coverage: Coverage,
}

impl Conversation for Exchange {
    fn hear(&mut self, said: &Said<'_>, out: &mut dyn FnMut(Heard)) {
        self.coverage.seen += 1;
        let rpc = match Rpc::read(said.bytes) {
            Ok(rpc) => rpc,
            Err(malformed) => {
                if said.missing == 0 && !core::mem::replace(&mut self.broken, true) {
                    out(Heard::Malformed { speaker: said.speaker(), at: said.at, malformed });
                }
                return;
            }
        };
        self.coverage.decoded += 1;
        if rpc.interface == Interface::Other {
            return;
        }
        if rpc.is_response() && !core::mem::replace(&mut self.answered, true) {
            out(Heard::Present { protocol: NAME, role: Role::Server, speaker: said.speaker(), at: said.at });
            out(Heard::Present { protocol: NAME, role: Role::Client, speaker: said.to.into(), at: said.at });
        }
        // What goes on in further fragments is no identity; a first fragment is read as far as it goes.
        if rpc.fragment == 0 && rpc.is_call() {
            self.message(&rpc, said, out);
        }
    }

    fn coverage(&self, each: &mut dyn FnMut(&'static str, Coverage)) {
        each(NAME, self.coverage);
    }
}

impl Exchange {
    fn message(&mut self, rpc: &Rpc, said: &Said<'_>, out: &mut dyn FnMut(Heard)) {
        let found = match (rpc.interface, rpc.is_response(), rpc.operation) {
            (Interface::EndpointMapper, true, LOOKUP) => look_up(rpc, said).map(Some),
            (Interface::ProfinetIo, true, READ | READ_IMPLICIT) | (Interface::ProfinetIo, false, WRITE) => record::read(rpc, said),
            (Interface::ProfinetIo, _, CONNECT) => connect(rpc, said).map(Some),
            _ => return,
        };
        match found {
            Ok(Some(reading)) => self.tell(reading, out),
            Err(malformed) if said.missing == 0 && !rpc.is_fragmented() => {
                out(Heard::Malformed { speaker: said.speaker(), at: said.at, malformed });
            }
            _ => {}
        }
    }

    /// Tells a reading that says something, once.
    fn tell(&mut self, reading: Reading, out: &mut dyn FnMut(Heard)) {
        if !reading.facts.is_empty() && self.repeats.is_new(&facts_of(&reading)) {
            out(Heard::Reading(reading));
        }
    }
}

/// What a reading says, without the numbers that are new in each message.
fn facts_of(reading: &Reading) -> Vec<u8> {
    let mut said = format!("{} {:?}", reading.question, reading.speaker).into_bytes();
    reading.facts.iter().for_each(|fact| said.extend_from_slice(&fact.bytes));
    said
}

/// A reading of this message, part of one where it is a fragment or was cut.
fn reading(rpc: &Rpc, said: &Said<'_>, question: &'static str, speaker: Address) -> Reading {
    let mut reading = Reading::of(NAME, Over::Udp, question, speaker, said.at, said.bytes);
    reading.complete = said.missing == 0 && !rpc.is_fragmented() && rpc.is_whole(said.bytes);
    reading
}

/// The ids in an object's UUID, at `start`.
fn ids(path: &str, start: usize, reading: &mut Reading) {
    let at = start + OBJECT_IDS;
    reading.fact(format!("{path}.instance"), Shape::Hex, at..at + 2);
    reading.fact(format!("{path}.device"), Shape::Hex, at + 2..at + 4);
    reading.fact(format!("{path}.vendor"), Shape::Hex, at + 4..at + 6);
}

/// An answer of the endpoint mapper (C706, appendix O): a handle, and for each entry an object, a tower's reference, an annotation.
fn look_up(rpc: &Rpc, said: &Said<'_>) -> Result<Reading, Malformed> {
    let mut reading = reading(rpc, said, "pn-io.lookup", said.speaker());
    let mut cursor = rpc.cursor(said.bytes);
    cursor.take(20, "an entry handle (C706, appendix O)")?;
    cursor.take(12, "a count of entries, and the array's (C706, 14.3.3)")?;
    let entries = rpc.u32(&mut cursor, "the array's entries (C706, 14.3.3.4)")?;
    for _ in 0..entries.min(ENTRIES_MAX) {
        let object = cursor.range(16, "an entry's object (C706, appendix O)")?;
        cursor.take(8, "an entry's tower and its annotation's offset (C706, appendix O)")?;
        let length = usize::try_from(rpc.u32(&mut cursor, "an annotation's length")?).unwrap_or(usize::MAX);
        let text = cursor.range(length, "an annotation's length (C706, appendix O)")?;
        cursor.take((4 - length % 4) % 4, "what follows an annotation is aligned (C706, 14.2.2)")?;
        let bytes = said.bytes.get(text.clone()).unwrap_or_default();
        text_fact("pn-io.lookup.annotation", text.start, bytes, &mut reading);
        if let Some(identification) = Identification::of_annotation(bytes) {
            identification.facts("pn-io.lookup", text.start, &mut reading);
        }
        if header::is_profinet_object(said.bytes.get(object.clone()).unwrap_or_default()) {
            ids("pn-io.object", object.start, &mut reading);
        }
    }
    Ok(reading)
}

/// Who connects, or who is connected to: the block of the relation, and the block with a device's own name.
fn connect(rpc: &Rpc, said: &Said<'_>) -> Result<Reading, Malformed> {
    let mut reading = reading(rpc, said, "pn-io.connect", said.speaker());
    if !rpc.is_response() {
        reading.authority = Authority::Client;
    }
    let mut cursor = rpc.cursor(said.bytes);
    cursor.take(ARGUMENTS_BYTES, "the arguments of a call (IEC 61158-6-10, 5.2.3)")?;
    for _ in 0..BLOCKS_MAX {
        if cursor.is_empty() {
            break;
        }
        let (kind, value) = block(&mut cursor)?;
        let mut inside = Cursor::new(NAME, said.bytes).from(value.start).until(value.end);
        relation(kind, &mut inside, said.bytes, &mut reading)?;
    }
    Ok(reading)
}

/// A block's type, and where its value stands behind the version.
fn block(cursor: &mut Cursor<'_>) -> Result<(u16, Range<usize>), Malformed> {
    let kind = cursor.u16_be("a block's type (IEC 61158-6-10, 5.2.1)")?;
    let length = usize::from(cursor.u16_be("a block's length (IEC 61158-6-10, 5.2.1)")?);
    let start = *cursor;
    let value = cursor.range(length, "a block's length (IEC 61158-6-10, 5.2.1)")?;
    let version = BLOCK_HEADER_BYTES - 4;
    if length < version {
        return Err(start.wrong("a block's length counts its version (IEC 61158-6-10, 5.2.1)"));
    }
    Ok((kind, value.start + version..value.end))
}

fn relation(kind: u16, inside: &mut Cursor<'_>, bytes: &[u8], reading: &mut Reading) -> Result<(), Malformed> {
    match kind {
        // ARBlockReq and ARBlockRes: kind of relation, its UUID, a session key, then whose address.
        0x0101 => {
            inside.take(20, "a relation (IEC 61158-6-10, 5.2.4.1)")?;
            reading.fact("pn-io.initiator.mac", Shape::Mac, inside.range(6, "the initiator's address (5.2.4.1)")?);
            let object = inside.range(16, "the initiator's object (5.2.4.1)")?;
            if header::is_profinet_object(bytes.get(object.clone()).unwrap_or_default()) {
                ids("pn-io.initiator", object.start, reading);
            }
            inside.take(8, "properties, a time, a port (IEC 61158-6-10, 5.2.4.1)")?;
            station("pn-io.initiator.name", inside, bytes, reading)?;
        }
        0x8101 => {
            inside.take(20, "a relation (IEC 61158-6-10, 5.2.4.2)")?;
            reading.fact("pn-io.responder.mac", Shape::Mac, inside.range(6, "the responder's address (5.2.4.2)")?);
        }
        // ARServerBlock: the name under which the device was found.
        0x8106 => station("pn-io.responder.name", inside, bytes, reading)?,
        _ => {}
    }
    Ok(())
}

/// A station's name behind its length.
fn station(path: &str, inside: &mut Cursor<'_>, bytes: &[u8], reading: &mut Reading) -> Result<(), Malformed> {
    let length = usize::from(inside.u16_be("a name's length (IEC 61158-6-10, 5.2.4.1)")?);
    let name = inside.range(length, "a name's length (IEC 61158-6-10, 5.2.4.1)")?;
    text_fact(path, name.start, bytes.get(name.clone()).unwrap_or_default(), reading);
    Ok(())
}

/// A text that says something; blanks and NULs behind it are padding.
fn text_fact(path: &str, start: usize, text: &[u8], reading: &mut Reading) {
    let length = text.iter().rposition(|byte| !matches!(byte, 0 | b' ')).map_or(0, |last| last + 1);
    if length > 0 {
        reading.fact(path, Shape::Text, start..start + length);
    }
}

#[cfg(test)]
mod tests;
