//! Capture files, pcap and pcapng, read from a buffer that the caller fills: no file is opened here.
//!
//! ```
//! # fn count(file: &[u8]) -> u64 {
//! use nameplate_wire::capture::{Decoder, Step};
//! let (mut decoder, mut at, mut frames) = (Decoder::new(), 0, 0);
//! loop {
//!     match decoder.next(&file[at..]) {
//!         Step::Need(_) => break, // here a reader of files fetches more bytes, until the file ends
//!         Step::Skip(consumed) | Step::Malformed { consumed, .. } => at += consumed,
//!         Step::Frame { consumed, .. } => (at, frames) = (at + consumed, frames + 1),
//!     }
//! }
//! if let Some(malformed) = decoder.cut_off(&file[at..]) { eprintln!("{malformed}") }
//! # frames
//! # }
//! # assert_eq!(count(&[0xd4, 0xc3, 0xb2, 0xa1, 2, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 4, 0, 1, 0, 0, 0]), 0);
//! ```

mod pcap;
mod pcapng;

use crate::Malformed;

/// The largest packet that libpcap and Wireshark write; a longer length is a damaged file, and nobody buffers more for it.
pub const FRAME_BYTES_MAX: usize = 262_144;

/// Both formats are told apart by their first four bytes.
const MAGIC_BYTES: usize = 4;

/// What a frame starts with: a LINKTYPE_ value (<https://www.tcpdump.org/linktypes.html>). Unknown ones are values too.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct LinkType(pub u32);

impl LinkType {
    /// BSD loopback: the address family in the byte order of the machine that captured.
    pub const NULL: Self = Self(0);
    /// IEEE 802.3 Ethernet.
    pub const ETHERNET: Self = Self(1);
    /// An IP packet; its version nibble says which.
    pub const RAW: Self = Self(101);
    /// OpenBSD loopback: the address family in network byte order.
    pub const LOOP: Self = Self(108);
    /// Linux "cooked" capture.
    pub const LINUX_SLL: Self = Self(113);
    /// An IPv4 packet.
    pub const IPV4: Self = Self(228);
    /// An IPv6 packet.
    pub const IPV6: Self = Self(229);
    /// Linux "cooked" capture, version 2.
    pub const LINUX_SLL2: Self = Self(276);
    /// A pcapng interface whose description could not be read.
    pub const UNREADABLE: Self = Self(u32::MAX);
}

/// One captured frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Frame<'a> {
    /// From 1, as Wireshark counts.
    pub number: u64,
    /// Nanoseconds since 1970-01-01T00:00:00Z, as the capture says; 0 where it says nothing.
    pub time_ns: u64,
    /// What `bytes` starts with.
    pub link: LinkType,
    /// The bytes that were captured.
    pub bytes: &'a [u8],
    /// Length of the frame on the wire in bytes; more than `bytes` holds where a snap length cut it.
    pub wire_len: u32,
}

/// What [`Decoder::next`] found at the start of its input. `consumed` bytes are never more than the input holds, and never 0.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step<'b> {
    /// Call again with at least so many bytes, counted from the start of this input; always more than it held.
    Need(usize),
    /// Nothing to report: drop so many bytes from the start of the input.
    Skip(usize),
    /// A frame: use it, then drop `consumed` bytes.
    Frame {
        /// What was captured.
        frame: Frame<'b>,
        /// Bytes of the input that it took.
        consumed: usize,
    },
    /// Bytes that break the format. Report them, then drop `consumed` bytes.
    Malformed {
        /// What is wrong; its offset counts from the start of the file.
        malformed: Malformed,
        /// Bytes of the input to drop.
        consumed: usize,
        /// True where nothing tells where the next record starts: from here on every byte is skipped.
        fatal: bool,
    },
}

/// Reads one capture file, of either format, in one pass.
#[derive(Debug, Default)]
pub struct Decoder {
    format: Format,
    /// Bytes consumed so far: where the next input starts in the file.
    at: usize,
    frames: u64,
}

#[derive(Debug, Default)]
enum Format {
    #[default]
    Unknown,
    Pcap(pcap::File),
    Pcapng(pcapng::File),
    /// Given up, see `Step::Malformed::fatal`.
    Lost,
}

impl Decoder {
    /// A decoder at the start of a file.
    pub fn new() -> Self {
        Self::default()
    }

    /// Reads what stands at the start of `input`, which starts where the last call's `consumed` bytes ended.
    #[inline]
    pub fn next<'b>(&mut self, input: &'b [u8]) -> Step<'b> {
        if matches!(self.format, Format::Unknown) {
            match format_of(input) {
                Ok(format) => self.format = format,
                Err(step) => return self.count(step),
            }
        }
        let step = match &mut self.format {
            Format::Pcap(file) => file.next(input, self.at, self.frames),
            Format::Pcapng(file) => file.next(input, self.at, self.frames),
            Format::Unknown | Format::Lost if input.is_empty() => Step::Need(1),
            Format::Unknown | Format::Lost => Step::Skip(input.len()),
        };
        self.count(step)
    }

    /// The finding for a file that ends here, with the bytes that are left over; `None` when it ends where a record ends.
    pub fn cut_off(&mut self, left: &[u8]) -> Option<Malformed> {
        let (layer, between_records) = match &self.format {
            Format::Unknown => ("capture", false),
            Format::Pcap(file) => ("pcap", !file.in_header()),
            Format::Pcapng(file) => ("pcapng", !file.in_block()),
            Format::Lost => return None,
        };
        if left.is_empty() && between_records {
            return None;
        }
        let at = self.at;
        match self.next(left) {
            Step::Need(needed) => Some(Malformed::short(layer, at, needed, left.len(), "the file ends inside a record")),
            _ => None,
        }
    }

    #[inline]
    fn count<'b>(&mut self, step: Step<'b>) -> Step<'b> {
        let consumed = match &step {
            Step::Need(_) => 0,
            Step::Skip(consumed) | Step::Malformed { consumed, fatal: false, .. } => *consumed,
            Step::Frame { frame, consumed } => {
                self.frames = frame.number;
                *consumed
            }
            Step::Malformed { consumed, fatal: true, .. } => {
                self.format = Format::Lost;
                *consumed
            }
        };
        self.at = self.at.saturating_add(consumed);
        step
    }
}

fn format_of<'b>(input: &[u8]) -> Result<Format, Step<'b>> {
    let Some(magic) = input.first_chunk::<MAGIC_BYTES>() else { return Err(Step::Need(MAGIC_BYTES)) };
    if *magic == pcapng::MAGIC {
        return Ok(Format::Pcapng(pcapng::File::default()));
    }
    if let Some(file) = pcap::File::of(magic) {
        return Ok(Format::Pcap(file));
    }
    let said_by = match magic {
        [0x1f, 0x8b, ..] => "a gzip file: unpack it first",
        [0x28, 0xb5, 0x2f, 0xfd] => "a zstd file: unpack it first",
        _ => "neither the magic of pcap nor that of pcapng",
    };
    Err(Step::Malformed { malformed: Malformed::wrong("capture", 0, said_by), consumed: input.len(), fatal: true })
}

/// Byte order of a file or section, as its magic shows it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Order {
    #[default]
    Little,
    Big,
}

impl Order {
    #[inline]
    const fn u16(self, bytes: [u8; 2]) -> u16 {
        match self {
            Self::Little => u16::from_le_bytes(bytes),
            Self::Big => u16::from_be_bytes(bytes),
        }
    }

    #[inline]
    const fn u32(self, bytes: [u8; 4]) -> u32 {
        match self {
            Self::Little => u32::from_le_bytes(bytes),
            Self::Big => u32::from_be_bytes(bytes),
        }
    }
}

#[cfg(test)]
mod tests;
