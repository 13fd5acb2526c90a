//! A whole link frame: what a live conversation takes apart, and what our questions are put into.

use super::{BLOCK_BYTES, CRC_BYTES, HEADER_BYTES, Header, LENGTH_BYTES_MIN, NAME, START, blocks, crc};
use crate::Malformed;

/// A frame and its user data (IEEE 1815-2012, 9.2.4.1).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Frame {
    /// Direction, primary or secondary, function (9.2.4.1.3).
    pub control: u8,
    /// Link address of whom it is for.
    pub destination: u16,
    /// Link address of who sent it.
    pub source: u16,
    /// What it carries, without checksums; at most 250 bytes.
    pub user: Vec<u8>,
}

impl Frame {
    /// How long the frame is that starts here, in bytes; `None` while its header is not whole.
    ///
    /// # Errors
    /// [`Malformed`] where no frame starts here.
    pub fn length(bytes: &[u8]) -> Result<Option<usize>, Malformed> {
        Ok(Header::read(bytes)?.map(Header::frame_bytes))
    }

    /// Reads the frame at the start of `bytes`.
    ///
    /// # Errors
    /// [`Malformed`] where it is not whole, or one of its checksums is wrong.
    pub fn read(bytes: &[u8]) -> Result<Self, Malformed> {
        let Some(header) = Header::read(bytes)? else {
            return Err(Malformed::short(NAME, 0, HEADER_BYTES, bytes.len(), "header of a frame (9.2.4.1)"));
        };
        let mut user = Vec::new();
        for (start, length) in blocks(header.user_bytes) {
            let end = start + length;
            let (Some(block), Some(sum)) = (bytes.get(start..end), bytes.get(end..end + CRC_BYTES)) else {
                let had = bytes.len().saturating_sub(start);
                return Err(Malformed::short(NAME, start, length + CRC_BYTES, had, "length of the frame (9.2.4.1.2)"));
            };
            if crc(block) != sum {
                return Err(Malformed::wrong(NAME, end, "checksum of a block (9.2.4.1.6)"));
            }
            user.extend_from_slice(block);
        }
        Ok(Self { control: header.control, destination: header.destination, source: header.source, user })
    }

    /// The frame with its length and all checksums. User data of more than 250 bytes would need a second frame and is cut.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let user = self.user.get(..usize::from(u8::MAX) - LENGTH_BYTES_MIN).unwrap_or(&self.user);
        // The cut above leaves a length of 5 to 255.
        let mut frame = vec![START[0], START[1], (LENGTH_BYTES_MIN + user.len()) as u8, self.control];
        frame.extend(self.destination.to_le_bytes());
        frame.extend(self.source.to_le_bytes());
        frame.extend(crc(&frame));
        for block in user.chunks(BLOCK_BYTES) {
            frame.extend_from_slice(block);
            frame.extend(crc(block));
        }
        frame
    }
}
