//! DNP3: who is master and who outstation, and what an outstation says of itself in group 0, the device attributes.
//!
//! Source: IEEE Std 1815-2012, clauses 4 (application layer), 8 (transport function), 9 (data link layer), 13 (TCP and UDP), annex A.2
//! (group 0).

mod attributes;
mod conversation;
mod frame;
mod question;

pub use conversation::PROTOCOL;
pub use frame::Frame;
pub use question::{IDENTITY, Question, Reply, Route};

use crate::Malformed;

/// IANA `dnp`, TCP and UDP.
pub const PORT: u16 = 20_000;

const NAME: &str = "dnp3";
/// A frame starts so (9.2.4.1.1).
const START: [u8; 2] = [0x05, 0x64];
/// Start (2), length, control, destination (2), source (2), checksum (2).
const HEADER_BYTES: usize = 10;
/// What the length octet counts besides user data: control and both addresses.
const LENGTH_BYTES_MIN: usize = 5;
/// User data between two checksums (9.2.4.1.6).
const BLOCK_BYTES: usize = 16;
const CRC_BYTES: usize = 2;

/// A frame's header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Header {
    /// Bytes of user data, without checksums.
    user_bytes: usize,
    control: u8,
    destination: u16,
    source: u16,
}

impl Header {
    /// Reads a header; `None` while it is not whole.
    fn read(bytes: &[u8]) -> Result<Option<Self>, Malformed> {
        if !bytes.iter().zip(START).all(|(byte, start)| *byte == start) {
            return Err(Malformed::wrong(NAME, 0, "a frame starts with 05 64 (9.2.4.1.1)"));
        }
        let Some(&[_, _, length, control, d0, d1, s0, s1, c0, c1]) = bytes.first_chunk::<HEADER_BYTES>() else { return Ok(None) };
        let Some(user_bytes) = usize::from(length).checked_sub(LENGTH_BYTES_MIN) else {
            return Err(Malformed::wrong(NAME, 2, "length is 5 to 255 (9.2.4.1.2)"));
        };
        if crc(bytes.get(..HEADER_BYTES - CRC_BYTES).unwrap_or_default()) != [c0, c1] {
            return Err(Malformed::wrong(NAME, HEADER_BYTES - CRC_BYTES, "checksum of the header (9.2.4.1.6)"));
        }
        let (destination, source) = (u16::from_le_bytes([d0, d1]), u16::from_le_bytes([s0, s1]));
        Ok(Some(Self { user_bytes, control, destination, source }))
    }

    /// Length of the whole frame in bytes, with all checksums.
    const fn frame_bytes(self) -> usize {
        HEADER_BYTES + self.user_bytes + self.user_bytes.div_ceil(BLOCK_BYTES) * CRC_BYTES
    }
}

/// Where the next block of user data stands in a frame and how long it is, without its checksum.
fn blocks(user_bytes: usize) -> impl Iterator<Item = (usize, usize)> {
    (0..user_bytes.div_ceil(BLOCK_BYTES)).map(move |block| {
        let before = block * BLOCK_BYTES;
        (HEADER_BYTES + before + block * CRC_BYTES, BLOCK_BYTES.min(user_bytes - before))
    })
}

/// The checksum as it stands on the wire (9.2.4.1.6: CRC-16/DNP, polynomial 0x3d65, inverted, lower byte first).
fn crc(bytes: &[u8]) -> [u8; CRC_BYTES] {
    let sum = bytes.iter().fold(0_u16, |sum, byte| {
        let [low, _] = (sum ^ u16::from(*byte)).to_le_bytes();
        (sum >> 8) ^ CRC_OF_BYTE[usize::from(low)]
    });
    (!sum).to_le_bytes()
}

static CRC_OF_BYTE: [u16; 256] = {
    let (mut table, mut byte) = ([0; 256], 0_u16);
    while byte < 256 {
        let (mut sum, mut bit) = (byte, 0);
        while bit < 8 {
            // The polynomial with its bits in the order in which they are sent.
            sum = if sum & 1 == 1 { (sum >> 1) ^ 0xa6bc } else { sum >> 1 };
            bit += 1;
        }
        table[byte as usize] = sum;
        byte += 1;
    }
    table
};

#[cfg(test)]
mod tests;
