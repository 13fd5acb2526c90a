//! Link frames with their checksums (clause 9.2), and segments in them (clause 8.2).

use crate::numbers::{le16, stated8};

pub(super) const HEADER_BYTES: usize = 10;
/// User data between two checksums.
const BLOCK_BYTES: usize = 16;
/// What one segment carries (8.2.1.2: 250 bytes of user data less the transport header).
const SEGMENT_BYTES_MAX: usize = 249;

/// The checksum of IEEE 1815: polynomial 3D65, reflected A6BC, inverted.
fn checksum(bytes: &[u8]) -> [u8; 2] {
    let mut sum = 0_u16;
    for &byte in bytes {
        sum ^= u16::from(byte);
        for _ in 0..8 {
            sum = if sum & 1 == 1 { sum >> 1 ^ 0xA6BC } else { sum >> 1 };
        }
    }
    (!sum).to_le_bytes()
}

fn with_checksum(bytes: &[u8]) -> Vec<u8> {
    [bytes, &checksum(bytes)].concat()
}

/// A whole frame.
pub(super) fn frame(control: u8, to: u16, from: u16, data: &[u8]) -> Vec<u8> {
    let [t0, t1] = to.to_le_bytes();
    let [f0, f1] = from.to_le_bytes();
    let mut frame = with_checksum(&[5, 0x64, stated8(data.len().saturating_add(5)), control, t0, t1, f0, f1]);
    frame.extend(data.chunks(BLOCK_BYTES).flat_map(with_checksum));
    frame
}

/// A fragment in as many segments as it needs, each in a frame of its own; the first has this number.
pub(super) fn segments(control: u8, to: u16, from: u16, number: u8, fragment: &[u8]) -> Vec<Vec<u8>> {
    let last = fragment.len().div_ceil(SEGMENT_BYTES_MAX).saturating_sub(1);
    let segment = |(at, part): (usize, &[u8])| {
        let ends = u8::from(at == last) << 7 | u8::from(at == 0) << 6;
        let number = number.wrapping_add(u8::try_from(at & 0x3F).unwrap_or(0)) & 0x3F;
        frame(control, to, from, &[&[ends | number], part].concat())
    };
    fragment.chunks(SEGMENT_BYTES_MAX).enumerate().map(segment).collect()
}

/// The length of the frame that begins here, once its length field is there.
pub(super) fn frame_bytes(heard: &[u8]) -> Option<usize> {
    let data = usize::from(*heard.get(2)?).checked_sub(5)?;
    Some(HEADER_BYTES + data + data.div_ceil(BLOCK_BYTES) * 2)
}

/// A frame taken apart; `None` where a checksum or the length does not fit.
pub(super) struct Frame {
    pub(super) control: u8,
    pub(super) to: u16,
    pub(super) from: u16,
    pub(super) data: Vec<u8>,
}

impl Frame {
    pub(super) fn read(bytes: &[u8]) -> Option<Self> {
        let (header, rest) = bytes.split_at_checked(HEADER_BYTES)?;
        let mut data = Vec::new();
        let mut sound = with_checksum(header.get(..8)?) == header;
        for block in rest.chunks(BLOCK_BYTES + 2) {
            let part = block.get(..block.len().checked_sub(2)?)?;
            sound &= with_checksum(part) == block;
            data.extend(part);
        }
        sound.then_some(Self { control: *header.get(3)?, to: le16(header, 4)?, from: le16(header, 6)?, data })
    }
}

/// The same frame with checksums that fit.
pub(super) fn seal(bytes: &[u8]) -> Vec<u8> {
    let Some((header, rest)) = bytes.split_at_checked(HEADER_BYTES) else { return bytes.to_vec() };
    let mut sealed = with_checksum(header.get(..8).unwrap_or_default());
    for block in rest.chunks(BLOCK_BYTES + 2) {
        sealed.extend(with_checksum(block.get(..block.len().saturating_sub(2)).unwrap_or_default()));
    }
    sealed
}
