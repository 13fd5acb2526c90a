//! S7comm: the system status lists (SZL) by which a SIMATIC CPU says what it is. Carried by [`crate::iso`].
//!
//! Sources: Siemens, "System Software for S7-300/400, System and Standard Functions", reference manual (A5E02789976, 2010), chapter 33
//! (SZL-ID xy11 module identification, xy1C component identification); no public standard describes the messages, their layout is
//! checked against Wireshark's dissector. Block headers and project versions inside transfers are the project's, and are not read.

mod answer;
mod question;

use crate::conversation::{Coverage, Happening, Heard, Over};
use crate::iso::Tsdu;
use crate::tcp::At;
use crate::{Fact, Malformed, Message, Reading, Shape};
pub use answer::{Answer, Says};
pub use question::Question;

pub(crate) const NAME: &str = "s7comm";
/// First byte of every message.
pub(crate) const PROTOCOL_ID: u8 = 0x32;

/// Kinds of message: a job, an acknowledgement without and with data, user data.
const JOB: u8 = 1;
const ACK: u8 = 2;
const ACK_DATA: u8 = 3;
const USERDATA: u8 = 7;
/// Header of a job or user data; an acknowledgement has two bytes more, for its error.
const HEADER_BYTES: usize = 10;
const HEADER_ACK_BYTES: usize = 12;
/// Start of the parameters of user data: head, length, method, type and group (of CPU functions here), subfunction, sequence.
const PARAMETER_BYTES: usize = 8;
/// Jobs by which a programming device works on a CPU (Wireshark's dissector, packet-s7comm.c): request download, program invocation service, PLC stop.
const WORKS: [u8; 3] = [0x1a, 0x28, 0x29];
/// Parameters of an answer: further on reference, "more follows", error.
const PARAMETER_ANSWER_BYTES: usize = 12;
/// Where their error stands.
const ERROR_AT: usize = 10;
/// Question to the group of CPU functions and answer of it, and its subfunction "read SZL".
const ASK_CPU: u8 = 0x44;
const ANSWER_CPU: u8 = 0x84;
const READ_SZL: u8 = 1;
/// Type of user data: an answer.
const TYPE_ANSWER: u8 = 8;
/// Return code and transport size of data that is there, as octet string.
const DATA_OCTETS: [u8; 2] = [0xff, 0x09];
/// Return code, transport size and length before the data.
const DATA_HEADER_BYTES: usize = 4;
/// SZL-ID, index, length of a record, number of records.
const SZL_HEADER_BYTES: usize = 8;
/// Longest list that is put together: the largest CPUs answer with a few KiB.
const SZL_BYTES_MAX: usize = 16 * 1024;
/// Records of xy11: index, order number (20), module type, version (2 words).
const MODULE_BYTES: usize = 28;
/// Records of xy1C: index, 32 bytes whose use the index says.
const COMPONENT_BYTES: usize = 34;

/// The S7 messages of one connection.
#[derive(Debug, Default)]
pub(crate) struct Talk {
    pub coverage: Coverage,
    present: bool,
    /// That somebody works on the CPU was told.
    worked: bool,
    /// Reference of the last question of each side.
    asked: [Option<u16>; 2],
    /// The list that each side asked for last, where it is one of identity: its name, when, and the message.
    list: [Option<(&'static str, At, Vec<u8>)>; 2],
    szl: Option<Szl>,
}

/// A list whose rest is still to come.
#[derive(Debug)]
struct Szl {
    by_server: bool,
    /// Sequence and reference that its parts share.
    part_of: (u8, u8),
    reading: Reading,
    /// The list's bytes, and for each message where its part starts in them, and in itself.
    joined: Vec<u8>,
    parts: Vec<(usize, usize)>,
}

impl Talk {
    pub fn hear(&mut self, tsdu: &Tsdu<'_>, out: &mut dyn FnMut(Heard)) {
        self.coverage.seen += 1;
        let body = tsdu.body();
        let Some(&[_, kind, _, _, r0, r1, p0, p1, d0, d1]) = body.first_chunk::<HEADER_BYTES>() else { return };
        let side = usize::from(tsdu.by_server);
        let answers = match kind {
            JOB => false,
            ACK | ACK_DATA => true,
            USERDATA => body.get(HEADER_BYTES + 5).is_some_and(|b| b >> 4 == TYPE_ANSWER),
            _ => return,
        };
        self.coverage.decoded += u64::from(!tsdu.cut);
        let reference = Some(u16::from_be_bytes([r0, r1]));
        if answers && !self.present && self.asked[1 - side] == reference {
            self.present = true;
            tsdu.present(NAME, tsdu.s7_end(false), tsdu.end(true), out);
        }
        if !answers {
            self.asked[side] = reference;
            self.list[side] = body.get(HEADER_BYTES..).and_then(asked_list).map(|name| (name, tsdu.at, tsdu.message.to_vec()));
        } else if kind == ACK_DATA && self.asked[1 - side] == reference {
            self.worked(tsdu, out);
        } else if kind == USERDATA {
            let parameters = usize::from(u16::from_be_bytes([p0, p1]));
            let data = usize::from(u16::from_be_bytes([d0, d1]));
            self.userdata(tsdu, parameters, data, out);
        }
    }

    /// Bytes of that side are missing: what was put together so far is all.
    pub fn lose(&mut self, by_server: bool, out: &mut dyn FnMut(Heard)) {
        if self.szl.as_ref().is_some_and(|szl| szl.by_server == by_server) {
            self.give_up(out);
        }
    }

    /// An acknowledgement without an error: what a job asked for is done.
    fn worked(&mut self, tsdu: &Tsdu<'_>, out: &mut dyn FnMut(Heard)) {
        let said = tsdu.body().get(HEADER_BYTES..).and_then(<[u8]>::first_chunk);
        if let Some(&[0, 0, function]) = said.filter(|_| !self.worked)
            && WORKS.contains(&function)
        {
            self.worked = true;
            out(Heard::Happened { protocol: NAME, happening: Happening::Programmed, device: tsdu.s7_end(false), at: tsdu.at });
        }
    }

    fn give_up(&mut self, out: &mut dyn FnMut(Heard)) {
        if let Some(szl) = self.szl.take() {
            out(Heard::Reading(szl.read(false)));
        }
    }

    /// An answer in user data: a part of a list, or something else.
    fn userdata(&mut self, tsdu: &Tsdu<'_>, parameters: usize, data: usize, out: &mut dyn FnMut(Heard)) {
        let body = tsdu.body();
        let Some(&[0, 1, 0x12, _, _, ANSWER_CPU, READ_SZL, sequence]) = body.get(HEADER_BYTES..).and_then(<[u8]>::first_chunk) else {
            return;
        };
        let Some(&[reference, more, _, _]) = body.get(HEADER_BYTES + PARAMETER_BYTES..).and_then(<[u8]>::first_chunk) else { return };
        let at = HEADER_BYTES + parameters;
        if parameters == PARAMETER_ANSWER_BYTES && !tsdu.cut {
            self.refused(tsdu, body.get(at), out);
        }
        let end = at.saturating_add(data).min(body.len());
        let Some(rest) = body.get(at + DATA_HEADER_BYTES..end) else { return };
        if parameters != PARAMETER_ANSWER_BYTES || body.get(at..at + 2) != Some(&DATA_OCTETS) {
            return;
        }
        let promised = body.get(at + 2..at + 4).map_or(0, |l| usize::from(u16::from_be_bytes([l[0], l[1]])));
        let short = rest.len() < promised;
        let list = &rest[..promised.min(rest.len())];
        let offset = tsdu.data + at + DATA_HEADER_BYTES;
        let mut szl = match self.szl.take() {
            Some(szl) if szl.by_server == tsdu.by_server && szl.part_of == (sequence, reference) => szl,
            earlier => {
                self.szl = earlier;
                self.give_up(out);
                let Some(question) = question(list) else { return };
                let reading = Reading::new(NAME, Over::Tcp, question, tsdu.s7_end(false));
                let (by_server, part_of) = (tsdu.by_server, (sequence, reference));
                Szl { by_server, part_of, reading, joined: Vec::new(), parts: Vec::new() }
            }
        };
        szl.add(tsdu.message, tsdu.at, offset, list);
        if short {
            let malformed = Malformed::short(NAME, offset, promised, rest.len(), "length of the data");
            szl.reading.malformed.push((szl.reading.messages.len() - 1, malformed));
        }
        // A reference of 0 names no list whose rest could be asked for.
        if more == 1 && reference != 0 && !short && !tsdu.cut && szl.joined.len() < SZL_BYTES_MAX {
            self.szl = Some(szl);
        } else {
            out(Heard::Reading(szl.read(more == 0 && !short && !tsdu.cut)));
        }
    }

    /// The CPU has no such list, and says why: in its error, or in the return code of data that is not there.
    fn refused(&mut self, tsdu: &Tsdu<'_>, return_code: Option<&u8>, out: &mut dyn FnMut(Heard)) {
        let body = tsdu.body();
        let (error, code) = (HEADER_BYTES + ERROR_AT..HEADER_BYTES + PARAMETER_ANSWER_BYTES, HEADER_BYTES + PARAMETER_ANSWER_BYTES);
        let said = match (body.get(error.clone()), return_code) {
            (Some(&[0, 0]), Some(&code_said)) if code_said != DATA_OCTETS[0] => code..code + 1,
            (Some(&[0, 0]) | None, _) => return,
            (Some(_), _) => error,
        };
        let reference = body.get(4..6).map(|r| u16::from_be_bytes([r[0], r[1]]));
        let side = usize::from(!tsdu.by_server);
        if self.asked[side] != reference {
            return;
        }
        let Some((name, at, asked)) = self.list[side].take() else { return };
        let mut reading = Reading::of(NAME, Over::Tcp, name, tsdu.s7_end(false), tsdu.at, tsdu.message);
        reading.fact("s7comm.error", Shape::Hex, tsdu.data + said.start..tsdu.data + said.end);
        out(Heard::Reading(reading.asked_by(at, &asked)));
    }
}

/// The name of the list of identity that these parameters and data ask for.
fn asked_list(parameters: &[u8]) -> Option<&'static str> {
    match parameters {
        [0, 1, 0x12, 4, _, ASK_CPU, READ_SZL, _, _, _, _, _, id @ ..] => question(id),
        _ => None,
    }
}

/// The question whose answer starts a list; `None` for lists that say nothing about what the device is.
fn question(list: &[u8]) -> Option<&'static str> {
    match list.get(..2)? {
        // Partial list F: only the header of a list.
        [part, _] if part & 0x0f == 0x0f => None,
        [_, 0x11] => Some("s7comm.module_identification"),
        [_, 0x1c] => Some("s7comm.component_identification"),
        _ => None,
    }
}

impl Szl {
    fn add(&mut self, message: &[u8], at: At, offset: usize, list: &[u8]) {
        self.reading.messages.push(Message { frame: at.frame, time_ns: at.time_ns, bytes: message.to_vec() });
        self.parts.push((self.joined.len(), offset));
        self.joined.extend_from_slice(list);
    }

    /// Reads what was put together.
    fn read(mut self, whole: bool) -> Reading {
        self.reading.complete = whole && self.reading.malformed.is_empty();
        let Some(&[_, list, _, _, l0, l1, c0, c1]) = self.joined.first_chunk::<SZL_HEADER_BYTES>() else {
            let had = self.joined.len();
            return self.broken(Malformed::short(NAME, 0, SZL_HEADER_BYTES, had, "header of a list (33.2)"));
        };
        let (length, count) = (usize::from(u16::from_be_bytes([l0, l1])), usize::from(u16::from_be_bytes([c0, c1])));
        let (expected, read): (_, fn(&mut Self, usize)) =
            if list == 0x11 { (MODULE_BYTES, Self::module) } else { (COMPONENT_BYTES, Self::component) };
        if length != expected && count > 0 {
            return self.broken(Malformed::wrong(NAME, 4, "records of 28 bytes (xy11) or 34 bytes (xy1C)"));
        }
        for record in 0..count {
            let at = SZL_HEADER_BYTES + record * expected;
            if at + expected > self.joined.len() {
                let had = self.joined.len().saturating_sub(at);
                return self.broken(Malformed::short(NAME, at, expected, had, "number of records"));
            }
            read(&mut self, at);
        }
        self.reading
    }

    /// Offsets of findings count in the list as it was put together.
    fn broken(mut self, malformed: Malformed) -> Reading {
        self.reading.broken(malformed);
        self.reading
    }

    /// One record of xy11. Chapter 33.4.
    fn module(&mut self, at: usize) {
        let (order, version) = (at + 2..at + 22, at + 24..at + 28);
        let index = self.word(at);
        // The words are the module's version and a second one without meaning; with a `V` in front both are a firmware's.
        let is_firmware = self.joined[version.start] == b'V';
        let hardware = at + 24..at + 26;
        let numbered = self.joined[version.start] == 0;
        match index {
            1 | 6 => {
                let of = if index == 1 { "s7comm.module" } else { "s7comm.hardware" };
                self.text(&format!("{of}.order_number"), order);
                if numbered {
                    self.fact(format!("{of}.version"), Shape::Number, hardware);
                }
            }
            7 => {
                self.text("s7comm.firmware.order_number", order);
                if is_firmware {
                    self.fact("s7comm.firmware.version", Shape::LetterDotted, version);
                }
            }
            0x81 => {
                self.text("s7comm.boot_loader.name", order);
                if is_firmware {
                    self.fact("s7comm.boot_loader.version", Shape::LetterDotted, version);
                }
            }
            other => {
                self.text(&format!("s7comm.module_{other:04x}.order_number"), order);
                self.fact(format!("s7comm.module_{other:04x}.version"), Shape::Hex, version);
            }
        }
    }

    /// One record of xy1C. Chapter 33.6.
    fn component(&mut self, at: usize) {
        let all = at + 2..at + COMPONENT_BYTES;
        match self.word(at) {
            1 => self.text("s7comm.station.name", at + 2..at + 26),
            2 => self.text("s7comm.module.name", at + 2..at + 26),
            3 => self.text("s7comm.plant.id", all),
            4 => self.text("s7comm.copyright", at + 2..at + 28),
            5 => self.text("s7comm.serial_number", at + 2..at + 26),
            7 => self.text("s7comm.module.type", all),
            8 => self.text("s7comm.memory_card.serial_number", all),
            9 => {
                self.fact("s7comm.manufacturer.id", Shape::Hex, at + 2..at + 4);
                self.fact("s7comm.profile.id", Shape::Hex, at + 4..at + 6);
                self.fact("s7comm.profile.type", Shape::Hex, at + 6..at + 8);
            }
            10 => {
                self.text("s7comm.oem.copyright", at + 2..at + 28);
                self.fact("s7comm.oem.id", Shape::Hex, at + 28..at + 34);
            }
            11 => self.text("s7comm.location", all),
            other => self.text(&format!("s7comm.component_{other:04x}"), all),
        }
    }

    fn word(&self, at: usize) -> u16 {
        self.joined.get(at..at + 2).map_or(0, |word| u16::from_be_bytes([word[0], word[1]]))
    }

    /// A text ends at its first zero byte, or in blanks.
    fn text(&mut self, path: &str, range: core::ops::Range<usize>) {
        let bytes = &self.joined[range.clone()];
        let until = bytes.iter().position(|b| *b == 0).unwrap_or(bytes.len());
        let length = bytes[..until].iter().rposition(|b| *b != b' ').map_or(0, |last| last + 1);
        self.fact(path, Shape::Text, range.start..range.start + length);
    }

    /// A fact stands in the message in which it starts; it may go on in the next one.
    fn fact(&mut self, path: impl Into<String>, shape: Shape, range: core::ops::Range<usize>) {
        let Some(bytes) = self.joined.get(range.clone()) else { return };
        let Some(message) = self.parts.iter().rposition(|(start, _)| *start <= range.start) else { return };
        let (start, offset) = self.parts[message];
        let offset = offset + range.start - start;
        self.reading.facts.push(Fact { path: path.into(), bytes: bytes.to_vec(), shape, message, offset });
    }
}

/// True for bytes that are hardly anything else: a known kind, and lengths that fill the message exactly.
pub(crate) fn is_surely(body: &[u8]) -> bool {
    let Some(&[PROTOCOL_ID, kind, 0, 0, _, _, p0, p1, d0, d1]) = body.first_chunk::<HEADER_BYTES>() else { return false };
    let header = match kind {
        JOB | USERDATA => HEADER_BYTES,
        ACK | ACK_DATA => HEADER_ACK_BYTES,
        _ => return false,
    };
    let (parameters, data) = (u16::from_be_bytes([p0, p1]), u16::from_be_bytes([d0, d1]));
    body.len() == header + usize::from(parameters) + usize::from(data)
}

#[cfg(test)]
mod tests;
