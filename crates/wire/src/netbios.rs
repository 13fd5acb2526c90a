//! NetBIOS over UDP: what a Windows or Samba host announces about itself.
//!
//! Sources: RFC 1001 clause 14 and RFC 1002 clauses 4.2 (names, port 137) and 4.4 (datagrams, port 138); [MS-CIFS] 2.2.3 and 2.2.4.33 (the
//! transaction that fills a mailslot); [MS-BRWS] 2.2.1 (host announcement), 2.2.3 (election), 2.2.10 (local master announcement).

use crate::conversation::{Conversation, Coverage, Heard, Likeness, Over, Protocol, Role, Said};
use crate::told::Told;
use crate::{Cursor, Malformed, Reading, Shape};

/// Announcements of the browser service in NetBIOS datagrams.
pub static BROWSER: Protocol = Protocol {
    name: BROWSER_NAME,
    carries: &[],
    tcp: &[],
    udp: &[138],
    link: &[],
    likeness: |bytes, _| match bytes {
        // Any kind of datagram; the address of its source may be left out, and its port is 138 or left out.
        [0x10..=0x16, flags, _, _, _, _, _, _, 0, 0 | 138, ..] if flags & 0xf0 == 0 => Likeness::Possible,
        _ => Likeness::No,
    },
    start: |_| Box::new(Announcements::default()),
};

/// Registrations and answers of the name service.
pub static NAMES: Protocol = Protocol {
    name: NAMES_NAME,
    carries: &[],
    tcp: &[],
    udp: &[137],
    link: &[],
    likeness: |bytes, _| match bytes {
        // One question or one answer, whose name has the 32 letters of an encoded one.
        [_, _, _, _, 0, 0 | 1, 0, 0 | 1, 0, _, 0, 0 | 1, 32, ..] => Likeness::Possible,
        _ => Likeness::No,
    },
    start: |_| Box::new(Names::default()),
};

const BROWSER_NAME: &str = "netbios-browser";
const NAMES_NAME: &str = "netbios-ns";

/// Datagrams to a name, to a group, and to all (RFC 1002, 4.4.1): those that have data.
const DATAGRAM: core::ops::RangeInclusive<u8> = 0x10..=0x12;
/// A label of a name; two bits set would be a pointer, which datagrams do not have.
const LABEL_BYTES_MAX: u8 = 63;
/// [MS-CIFS] 2.2.3.1: the header, up to the count of words.
const SMB_HEADER_BYTES: usize = 32;
const SMB_TRANSACTION: u8 = 0x25;
/// Words of a transaction before its setup words.
const TRANSACTION_WORDS: u8 = 14;
const MAILSLOT: &[u8] = b"\\MAILSLOT\\BROWSE";

const HOST_ANNOUNCEMENT: u8 = 0x01;
const ELECTION: u8 = 0x08;
const LOCAL_MASTER_ANNOUNCEMENT: u8 = 0x0f;
/// A server's name in an announcement, filled up with NUL ([MS-BRWS] 2.2.1).
const SERVER_NAME_BYTES: usize = 16;

#[derive(Debug, Default)]
struct Announcements {
    told: Told,
    coverage: Coverage,
}

impl Conversation for Announcements {
    fn hear(&mut self, said: &Said<'_>, out: &mut dyn FnMut(Heard)) {
        self.coverage.seen += 1;
        match browser_message(said.bytes) {
            Ok(at) => {
                self.coverage.decoded += 1;
                let Some(at) = at else { return };
                let Some(reading) = announcement(said, at) else { return };
                if self.told.is_new((Role::Publisher, said.from.ip)) {
                    out(Heard::Present { protocol: BROWSER_NAME, role: Role::Publisher, speaker: said.speaker(), at: said.at });
                }
                if self.told.is_news(&reading) {
                    out(Heard::Reading(reading));
                }
            }
            Err(malformed) => out(Heard::Malformed { speaker: said.speaker(), at: said.at, malformed }),
        }
    }

    fn coverage(&self, each: &mut dyn FnMut(&'static str, Coverage)) {
        each(BROWSER_NAME, self.coverage);
    }
}

/// Where the browser's message starts in a datagram; `None` in a datagram that carries something else.
fn browser_message(bytes: &[u8]) -> Result<Option<usize>, Malformed> {
    let mut cursor = Cursor::new("netbios", bytes);
    let (kind, _flags) = (cursor.u8("a datagram (RFC 1002, 4.4.1)")?, cursor.u8("a datagram (RFC 1002, 4.4.1)")?);
    cursor.take(8, "a datagram (RFC 1002, 4.4.1)")?;
    if !DATAGRAM.contains(&kind) {
        return Ok(None);
    }
    let (_length, offset) = (cursor.u16_be("RFC 1002, 4.4.2")?, cursor.u16_be("RFC 1002, 4.4.2")?);
    if offset != 0 {
        return Ok(None);
    }
    name(&mut cursor)?;
    name(&mut cursor)?;
    let smb = cursor.at();
    let Some(header) = cursor.rest().get(..SMB_HEADER_BYTES) else { return Ok(None) };
    if !(header.starts_with(b"\xffSMB") && header.get(4) == Some(&SMB_TRANSACTION)) {
        return Ok(None);
    }
    cursor.take(SMB_HEADER_BYTES, "an SMB header ([MS-CIFS] 2.2.3.1)")?;
    if cursor.u8("count of words")? < TRANSACTION_WORDS {
        return Ok(None);
    }
    cursor.take(24, "a transaction ([MS-CIFS] 2.2.4.33.1)")?;
    let data = usize::from(cursor.u16_le("offset of the data")?);
    let setup = usize::from(cursor.u8("count of setup words")?);
    cursor.take(1 + 2 * setup + 2, "setup words and count of bytes")?;
    let slot = cursor.rest().get(..MAILSLOT.len());
    Ok(slot.filter(|slot| slot.eq_ignore_ascii_case(MAILSLOT)).and_then(|_| smb.checked_add(data)))
}

/// Passes over an encoded name.
fn name(cursor: &mut Cursor<'_>) -> Result<(), Malformed> {
    loop {
        match cursor.u8("a name (RFC 1002, 4.1)")? {
            0 => return Ok(()),
            length if length <= LABEL_BYTES_MAX => drop(cursor.take(usize::from(length), "a label (RFC 1002, 4.1)")?),
            _ => return Err(cursor.wrong("a label has at most 63 bytes (RFC 1002, 4.1)")),
        }
    }
}

/// What a host says about itself in a browser's message that starts there; others speak of the network.
fn announcement(said: &Said<'_>, at: usize) -> Option<Reading> {
    let message = said.bytes.get(at..)?;
    let mut reading = Reading::of(BROWSER_NAME, Over::Udp, "netbios-browser.announcement", said.speaker(), said.at, said.bytes);
    match *message.first()? {
        HOST_ANNOUNCEMENT | LOCAL_MASTER_ANNOUNCEMENT => {
            let host = at + 6;
            let version = host + SERVER_NAME_BYTES;
            text(&mut reading, "netbios-browser.host", host, SERVER_NAME_BYTES);
            reading.fact("netbios-browser.os_version", Shape::WindowsVersion, version..version + 2);
            reading.fact("netbios-browser.server_type", Shape::HexLe, version + 2..version + 6);
            // Then the browser's own version and a signature.
            let comment = version + 10;
            reading.complete = text(&mut reading, "netbios-browser.comment", comment, usize::MAX);
        }
        ELECTION => {
            reading.question = "netbios-browser.election";
            reading.complete = text(&mut reading, "netbios-browser.host", at + 14, usize::MAX);
        }
        _ => return None,
    }
    Some(reading).filter(|reading| !reading.facts.is_empty())
}

/// A text with a NUL behind it, or that fills its field; true when it is all there.
fn text(reading: &mut Reading, path: &str, at: usize, field: usize) -> bool {
    let bytes = reading.messages.first().and_then(|message| message.bytes.get(at..)).unwrap_or_default();
    let end = bytes.iter().take(field).position(|byte| *byte == 0).or((bytes.len() >= field).then_some(field));
    if let Some(length) = end.filter(|length| *length > 0) {
        reading.fact(path, Shape::Text, at..at + length);
    }
    end.is_some()
}

#[derive(Debug, Default)]
struct Names {
    told: Told,
    coverage: Coverage,
}

/// The name of a host or a service on it, in letters: 15 characters, then what it names.
const LETTERS_BYTES: usize = 32;
/// The flags of a name that a group has (RFC 1002, 4.2.1.3).
const GROUP: u8 = 0x80;
/// NB, a name's owner, and NBSTAT, all names of a host (RFC 1002, 4.2.1.3).
const TYPE_NB: u16 = 0x20;
const TYPE_STATUS: u16 = 0x21;
const REGISTRATION: u8 = 5;
/// Two codes are in use for it (RFC 1002, 4.2.4, and as Windows sends it).
const REFRESH: core::ops::RangeInclusive<u8> = 8..=9;
/// A name of an answer about all names: 15 characters, what it names, two bytes of flags.
const STATUS_NAME_BYTES: usize = 18;

impl Conversation for Names {
    fn hear(&mut self, said: &Said<'_>, out: &mut dyn FnMut(Heard)) {
        self.coverage.seen += 1;
        let (Some(flags), Some(counts)) = (said.bytes.get(2), said.bytes.get(4..12)) else { return };
        self.coverage.decoded += 1;
        let (is_answer, operation) = (flags & 0x80 != 0, flags >> 3 & 0x0f);
        let reading = match (is_answer, operation) {
            (false, operation) if (operation == REGISTRATION || REFRESH.contains(&operation)) && counts == [0, 1, 0, 0, 0, 0, 0, 1] => {
                registration(said)
            }
            (true, 0) if counts.get(..4) == Some(&[0, 0, 0, 1]) => answer(said),
            _ => None,
        };
        let Some(reading) = reading.filter(|reading| !reading.facts.is_empty()) else { return };
        let role = if is_answer { Role::Server } else { Role::Publisher };
        if self.told.is_new((role, said.from.ip)) {
            out(Heard::Present { protocol: NAMES_NAME, role, speaker: said.speaker(), at: said.at });
        }
        if self.told.is_news(&reading) {
            out(Heard::Reading(reading));
        }
    }

    fn coverage(&self, each: &mut dyn FnMut(&'static str, Coverage)) {
        each(NAMES_NAME, self.coverage);
    }
}

/// A host that claims a name: in the question, with the address in the record behind it (RFC 1002, 4.2.2).
fn registration(said: &Said<'_>) -> Option<Reading> {
    let mut cursor = Cursor::new(NAMES_NAME, said.bytes).from(12);
    let letters = letters(&mut cursor)?;
    // Type and class, a pointer to the name, type and class, time to live.
    cursor.take(4 + 2 + 4 + 4, "a record (RFC 1002, 4.2.1.3)").ok()?;
    let (_length, flags) = (cursor.u16_be("length of the record").ok()?, cursor.u8("flags of the name").ok()?);
    let mut reading = Reading::of(NAMES_NAME, Over::Udp, "netbios-ns.registration", said.speaker(), said.at, said.bytes);
    owner(&mut reading, letters, flags);
    Some(reading)
}

/// The fact that a host has a name, where the name is a host's and not a group's: what it names is a workstation (00) or a server (20).
fn owner(reading: &mut Reading, letters: core::ops::Range<usize>, flags: u8) {
    let bytes = reading.messages.first().and_then(|message| message.bytes.get(letters.clone())).unwrap_or_default();
    if flags & GROUP == 0 && (bytes.ends_with(b"AA") || bytes.ends_with(b"CA")) {
        reading.fact("netbios-ns.host", Shape::HalfAscii, letters.start..letters.end - 2);
    }
}

/// The 32 letters of the name that starts here.
fn letters(cursor: &mut Cursor<'_>) -> Option<core::ops::Range<usize>> {
    let start = cursor.at() + 1;
    let range = start..start + LETTERS_BYTES;
    let is_letter = |byte: &u8| (b'A'..=b'P').contains(byte);
    name(cursor).ok()?;
    let encoded = cursor.from(start).until(range.end).rest();
    (cursor.at() > range.end && encoded.len() == LETTERS_BYTES && encoded.iter().all(is_letter)).then_some(range)
}

/// The owner of a name says so, or a host lists all its names (RFC 1002, 4.2.13 and 4.2.18).
fn answer(said: &Said<'_>) -> Option<Reading> {
    let mut cursor = Cursor::new(NAMES_NAME, said.bytes).from(12);
    let letters = letters(&mut cursor)?;
    let kind = cursor.u16_be("type of the record").ok()?;
    // Class, time to live, length.
    cursor.take(2 + 4 + 2, "a record (RFC 1002, 4.2.1.3)").ok()?;
    let mut reading = Reading::of(NAMES_NAME, Over::Udp, "netbios-ns.answer", said.speaker(), said.at, said.bytes);
    match kind {
        TYPE_NB => {
            let (flags, _) = (cursor.u8("flags of the name").ok()?, cursor.u8("flags of the name").ok()?);
            let owner_ip: [u8; 4] = cursor.array("address of the owner").ok()?;
            // A name server answers for others.
            let own = said.from.ip.is_none_or(|ip| ip == core::net::IpAddr::from(owner_ip));
            if own {
                owner(&mut reading, letters, flags);
            }
        }
        TYPE_STATUS => status(&mut reading, &mut cursor),
        _ => return None,
    }
    Some(reading)
}

fn status(reading: &mut Reading, cursor: &mut Cursor<'_>) {
    reading.question = "netbios-ns.status";
    let Ok(count) = cursor.u8("number of names") else { return };
    for _ in 0..count {
        let at = cursor.at();
        let Ok(entry) = cursor.take(STATUS_NAME_BYTES, "a name (RFC 1002, 4.2.18)") else {
            reading.complete = false;
            return;
        };
        let path = match entry {
            [.., 0, flags, _] if flags & GROUP == 0 => "netbios-ns.host",
            [.., 0, _, _] => "netbios-ns.group",
            _ => continue,
        };
        reading.fact(path, Shape::Text, at..at + 15);
    }
    // The unit id is the hardware address of the interface.
    match cursor.range(6, "unit id (RFC 1002, 4.2.18)") {
        Ok(unit) => reading.fact("netbios-ns.unit", Shape::Hex, unit),
        Err(_) => reading.complete = false,
    }
}

#[cfg(test)]
mod tests;
