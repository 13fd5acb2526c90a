//! Synthetic flows: one TCP connection a conversation, one segment a message, so that tshark sees exactly what was written and what came out.

use std::io::{self, Write};

/// Which of the two captures in the file a flow belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// What was written into the guard.
    In,
    /// What came out of it.
    Out,
}

/// What one frame carries.
#[derive(Clone, Debug)]
pub enum Segment {
    /// From us to the device.
    Question(Vec<u8>),
    /// From the device to us.
    Answer,
}

/// An exception answer; only its direction matters.
const ANSWER: [u8; 9] = [0, 0, 0, 0, 0, 3, 255, 0xab, 1];
const SYN: u8 = 0x02;
const PUSH_ACK: u8 = 0x18;
const DEVICE: [u8; 4] = [192, 0, 2, 1];

/// A classic pcap file being written.
pub struct Pcap<W> {
    to: W,
    frames: u32,
}

impl<W: Write> Pcap<W> {
    /// Writes the file header: microseconds, Ethernet.
    pub fn new(mut to: W) -> io::Result<Self> {
        to.write_all(&0xa1b2_c3d4_u32.to_le_bytes())?;
        to.write_all(&[2, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0])?;
        to.write_all(&65_535_u32.to_le_bytes())?;
        to.write_all(&1_u32.to_le_bytes())?;
        Ok(Self { to, frames: 0 })
    }

    /// One connection: SYN, then the segments in their order.
    pub fn flow(&mut self, side: Side, number: u16, segments: &[Segment]) -> io::Result<()> {
        let [high, low] = number.to_be_bytes();
        let client = [10, u8::from(side == Side::Out), high, low];
        let (mut ours, mut theirs) = (1_000_u32, 500_000_u32);
        self.frame(client, DEVICE, [40_000, 502], [ours, 0], SYN, &[])?;
        ours += 1;
        for segment in segments {
            match segment {
                Segment::Question(bytes) => {
                    self.frame(client, DEVICE, [40_000, 502], [ours, theirs], PUSH_ACK, bytes)?;
                    ours += bytes.len() as u32;
                }
                Segment::Answer => {
                    self.frame(DEVICE, client, [502, 40_000], [theirs, ours], PUSH_ACK, &ANSWER)?;
                    theirs += ANSWER.len() as u32;
                }
            }
        }
        Ok(())
    }

    /// Puts everything on the disk.
    pub fn finish(mut self) -> io::Result<u32> {
        self.to.flush()?;
        Ok(self.frames)
    }

    fn frame(&mut self, from: [u8; 4], to: [u8; 4], ports: [u16; 2], numbers: [u32; 2], flags: u8, payload: &[u8]) -> io::Result<()> {
        let total = 40 + payload.len() as u16;
        let mut frame = vec![2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 8, 0];
        let mut ip = vec![0x45, 0, total.to_be_bytes()[0], total.to_be_bytes()[1], 0, 0, 0x40, 0, 64, 6, 0, 0];
        ip.extend(from.into_iter().chain(to));
        let sum = checksum(&ip);
        ip[10..12].copy_from_slice(&sum);
        frame.extend(ip);
        frame.extend(ports.into_iter().flat_map(u16::to_be_bytes));
        frame.extend(numbers.into_iter().flat_map(u32::to_be_bytes));
        // The TCP checksum stays 0: tshark does not verify it unless told to.
        frame.extend([0x50, flags, 0xff, 0xff, 0, 0, 0, 0]);
        frame.extend_from_slice(payload);
        let length = (frame.len() as u32).to_le_bytes();
        self.to.write_all(&(self.frames / 1_000).to_le_bytes())?;
        self.to.write_all(&(self.frames % 1_000 * 1_000).to_le_bytes())?;
        self.to.write_all(&length)?;
        self.to.write_all(&length)?;
        self.to.write_all(&frame)?;
        self.frames += 1;
        Ok(())
    }
}

/// RFC 1071.
fn checksum(header: &[u8]) -> [u8; 2] {
    let mut sum: u32 = header.chunks(2).map(|pair| u32::from(pair[0]) << 8 | u32::from(pair[1])).sum();
    while sum > 0xffff {
        sum = (sum & 0xffff) + (sum >> 16);
    }
    (!(sum as u16)).to_be_bytes()
}
