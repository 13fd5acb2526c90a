//! The questions we may put: a session, and the two lists by which a CPU says what it is.
//!
//! The bytes are those that STEP 7 puts in public captures (ITI/ICS-Security-Tools pcaps/s7/s7comm_reading_plc_status.pcap), but for the
//! connection: S7 basic (03) instead of programming device (01), so that no engineer's place is taken.

use super::{ASK_CPU, HEADER_BYTES, JOB, PROTOCOL_ID, READ_SZL, USERDATA};
use crate::iso;

/// Kind of connection in the first byte of a selector: S7 basic communication. 01 is a programming device, 02 an operator's panel.
const S7_BASIC: u8 = 3;
/// Our own selector: S7 basic, no rack and slot.
const CALLING: [u8; 2] = [S7_BASIC, 0];
/// Bits of the slot in a selector's second byte; the rack stands above them.
const SLOT_BITS: u8 = 5;
/// Function: set up communication.
const SETUP: u8 = 0xf0;
/// One job at a time each way, and a PDU in which list 001C of a CPU fits whole.
const SETUP_REST: [u8; 7] = [0, 0, 1, 0, 1, 0x01, 0xe0];
/// Head of user data's parameters; then their length.
const USERDATA_HEAD: [u8; 3] = [0, 1, 0x12];
/// Method: a request, and a request that goes on with an answer.
const METHOD_REQUEST: u8 = 0x11;
const METHOD_RESPONSE: u8 = 0x12;
/// Return code, transport size and length of four bytes as octet string; and of no data.
const FOUR_OCTETS: [u8; 4] = [0xff, 9, 0, 4];
const NO_OCTETS: [u8; 4] = [0x0a, 0, 0, 0];

/// A message that is put to a CPU.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Question {
    /// COTP connection request to a rack (0 to 7) and slot (0 to 31).
    Connect {
        /// Rack.
        rack: u8,
        /// Slot of the CPU.
        slot: u8,
    },
    /// Function F0: set up communication.
    Setup,
    /// Read list 0011, module identification.
    Modules {
        /// Index, 0 for the whole list; some take only 1.
        index: u16,
    },
    /// Read list 001C, component identification.
    Components,
    /// The next part of a list.
    More {
        /// Number that the device gave this reading of a list.
        sequence: u8,
    },
}

impl Question {
    /// The question's name on the allowlist and in readings.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Connect { .. } => "s7comm.connect",
            Self::Setup => "s7comm.setup",
            Self::Modules { .. } => "s7comm.module_identification",
            Self::Components => "s7comm.component_identification",
            Self::More { .. } => "s7comm.more",
        }
    }

    /// The whole packet. `reference` comes back in the answer.
    #[must_use]
    pub fn encode(&self, reference: u16) -> Vec<u8> {
        match *self {
            Self::Connect { rack, slot } => iso::connection_request(reference, CALLING, &[S7_BASIC, place(rack, slot)]),
            Self::Setup => message(JOB, reference, &[&[SETUP], &SETUP_REST[..]].concat(), &[]),
            Self::Modules { index } => list(reference, 0x11, index),
            Self::Components => list(reference, 0x1c, 0),
            Self::More { sequence } => {
                let parameters = [&USERDATA_HEAD[..], &[8, METHOD_RESPONSE, ASK_CPU, READ_SZL, sequence, 0, 0, 0, 0]].concat();
                message(USERDATA, reference, &parameters, &NO_OCTETS)
            }
        }
    }

    /// Recognises one of these questions in a client's packet, with its reference; `None` for everything else.
    #[must_use]
    pub fn read(packet: &[u8]) -> Option<(u16, Self)> {
        if let Some((reference, &[S7_BASIC, place])) = iso::called_of(packet) {
            return Some((reference, Self::Connect { rack: place >> SLOT_BITS, slot: place & ((1 << SLOT_BITS) - 1) }));
        }
        let Ok(iso::Packet::Content { last: true, body }) = iso::Packet::read(packet) else { return None };
        let (&[PROTOCOL_ID, kind, 0, 0, r0, r1, p0, p1, d0, d1], rest) = body.split_first_chunk::<HEADER_BYTES>()? else { return None };
        let lengths = (u16::from_be_bytes([p0, p1]), u16::from_be_bytes([d0, d1]));
        let question = match (kind, lengths, rest) {
            (JOB, (8, 0), [SETUP, rest @ ..]) if rest == SETUP_REST => Self::Setup,
            (USERDATA, (8, 8), [0, 1, 0x12, 4, METHOD_REQUEST, ASK_CPU, READ_SZL, _, 0xff, 9, 0, 4, 0, id, i0, i1]) => {
                match (id, u16::from_be_bytes([*i0, *i1])) {
                    (0x11, index) => Self::Modules { index },
                    (0x1c, 0) => Self::Components,
                    _ => return None,
                }
            }
            (USERDATA, (12, 4), [0, 1, 0x12, 8, METHOD_RESPONSE, ASK_CPU, READ_SZL, sequence, 0, 0, 0, 0, rest @ ..])
                if rest == NO_OCTETS =>
            {
                Self::More { sequence: *sequence }
            }
            _ => return None,
        };
        Some((u16::from_be_bytes([r0, r1]), question))
    }
}

/// Rack and slot as a selector has them.
const fn place(rack: u8, slot: u8) -> u8 {
    (rack << SLOT_BITS) | (slot & ((1 << SLOT_BITS) - 1))
}

fn list(reference: u16, id: u8, index: u16) -> Vec<u8> {
    let [i0, i1] = index.to_be_bytes();
    let parameters = [&USERDATA_HEAD[..], &[4, METHOD_REQUEST, ASK_CPU, READ_SZL, 0]].concat();
    message(USERDATA, reference, &parameters, &[&FOUR_OCTETS[..], &[0, id, i0, i1]].concat())
}

fn message(kind: u8, reference: u16, parameters: &[u8], octets: &[u8]) -> Vec<u8> {
    let [r0, r1] = reference.to_be_bytes();
    // Parameters of 8 or 12 bytes, data of 0, 4 or 8: the upper bytes are 0.
    let header = [PROTOCOL_ID, kind, 0, 0, r0, r1, 0, parameters.len() as u8, 0, octets.len() as u8];
    iso::content(&[&header[..], parameters, octets].concat())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::iso::tests::hex;

    fn check(question: Question, reference: u16, expected: &str) {
        let packet = question.encode(reference);
        assert_eq!(packet, hex(expected), "{}", question.name());
        assert_eq!(Question::read(&packet), Some((reference, question)), "our own question is read again");
    }

    /// Lists, their parts and the setup as STEP 7 puts them (capture above, frames 58, 71 and 5; there the PDU is 480 bytes, too); the
    /// connection by hand from X.224, 13.3.
    #[test]
    fn questions_are_the_bytes_of_a_public_capture_and_round_trip() {
        check(Question::Connect { rack: 0, slot: 2 }, 1, "03000016 11e0 0000 0001 00 c1020300 c2020302 c0010a");
        check(Question::Connect { rack: 1, slot: 4 }, 1, "03000016 11e0 0000 0001 00 c1020300 c2020324 c0010a");
        check(Question::Setup, 0x0200, "0300001902f080 320100000200 00080000 f0000001000101e0");
        check(Question::Modules { index: 0 }, 0x1100, "0300002102f080320700001100000800080001120411440100ff09000400110000");
        check(Question::Modules { index: 1 }, 3, "0300002102f080320700000003000800080001120411440100ff09000400110001");
        check(Question::Components, 4, "0300002102f080320700000004000800080001120411440100ff090004001c0000");
        check(Question::More { sequence: 2 }, 0x1500, "0300002102f080320700001500000c00040001120812440102000000000a000000");
    }

    #[test]
    fn what_writes_or_stops_is_no_question() {
        let stop = "0300002102f080 320100000200 00100000 29000000000009505f50524f4752414d";
        let write = "0300002402f080 320100000200 000e0005 0501120a10020001000184000000 0004000801";
        let clock = "0300002102f080320700001100000800080001120411470100ff09000400110000";
        let as_engineer = "03000016 11e0 0000 0001 00 c1020100 c2020102 c0010a";
        let another_list = "0300002102f080320700000004000800080001120411440100ff09000401310001";
        for packet in [stop, write, clock, as_engineer, another_list, "", "0300"] {
            assert_eq!(Question::read(&hex(packet)), None, "{packet}");
        }
    }
}
