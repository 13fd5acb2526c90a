//! pcapng (draft-ietf-opsawg-pcapng): sections of blocks, each with its own byte order and interfaces.

use super::{FRAME_BYTES_MAX, Frame, LinkType, Order, Step};
use crate::Malformed;

/// Type of a section header block, the same in both byte orders.
pub(super) const MAGIC: [u8; 4] = [0x0a, 0x0d, 0x0d, 0x0a];

/// Block type, total length, and the first word of the body (of every block that we read).
const BLOCK_HEAD_BYTES: usize = 12;
const BLOCK_TRAILER_BYTES: usize = 4;
/// Type and length before the body, length again after it.
const BLOCK_BYTES_MIN: usize = 12;
/// As Wireshark: a longer block is a damaged length field, and following it would swallow the rest of the file.
const BLOCK_BYTES_MAX: usize = 16 << 20;
/// A block that is read and so buffered: the largest packet, and 64 KiB for its options.
const BLOCK_BYTES_READ_MAX: usize = FRAME_BYTES_MAX + (64 << 10);
/// Per section. Captures of many virtual interfaces have some hundreds; each costs 32 bytes of memory.
const INTERFACES_MAX: usize = 4096;
const NS_PER_S: u64 = 1_000_000_000;

const SECTION_HEADER: u32 = 0x0a0d_0d0a;
const INTERFACE_DESCRIPTION: u32 = 1;
const PACKET: u32 = 2;
const SIMPLE_PACKET: u32 = 3;
const ENHANCED_PACKET: u32 = 6;

const OPTION_END: u16 = 0;
const OPTION_IF_TSRESOL: u16 = 9;
const OPTION_IF_TSOFFSET: u16 = 14;

#[derive(Debug, Default)]
pub(super) struct File {
    order: Order,
    interfaces: Vec<Interface>,
    /// Bytes of a block's body that are still to be dropped unread.
    skip: usize,
    /// Total length that the trailer of the block in hand has to repeat.
    trailer: Option<u32>,
    /// A simple packet has no time: it gets that of the packet before it.
    last_time_ns: u64,
}

#[derive(Clone, Copy, Debug)]
struct Interface {
    link: LinkType,
    /// 0 for no limit.
    snap_bytes: u32,
    tick: Tick,
    offset_s: i64,
}

/// How a timestamp's unit becomes nanoseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Tick {
    Times(u64),
    Over(u64),
    /// 2^-n seconds.
    Binary(u32),
}

impl File {
    pub(super) fn in_block(&self) -> bool {
        self.skip > 0 || self.trailer.is_some()
    }

    pub(super) fn next<'b>(&mut self, input: &'b [u8], at: usize, frames: u64) -> Step<'b> {
        if self.skip > 0 {
            let consumed = self.skip.min(input.len());
            self.skip -= consumed;
            return if consumed == 0 { Step::Need(1) } else { Step::Skip(consumed) };
        }
        if let Some(length) = self.trailer {
            let Some(trailer) = input.first_chunk::<BLOCK_TRAILER_BYTES>() else { return Step::Need(BLOCK_TRAILER_BYTES) };
            self.trailer = None;
            if self.order.u32(*trailer) == length {
                return Step::Skip(BLOCK_TRAILER_BYTES);
            }
            let malformed = Malformed::wrong("pcapng", at, "the block's second total length differs from its first");
            return Step::Malformed { malformed, consumed: BLOCK_TRAILER_BYTES, fatal: false };
        }
        let Some(head) = input.first_chunk::<BLOCK_HEAD_BYTES>() else { return Step::Need(BLOCK_HEAD_BYTES) };
        match self.head(head) {
            Ok((kind, length)) => self.block(kind, length, input, at, frames),
            Err((offset, said_by)) => {
                let malformed = Malformed::wrong("pcapng", at.saturating_add(offset), said_by);
                Step::Malformed { malformed, consumed: input.len(), fatal: true }
            }
        }
    }

    /// Type and total length of a block, or the offset of what makes it impossible to go on.
    fn head(&mut self, head: &[u8; BLOCK_HEAD_BYTES]) -> Result<(u32, usize), (usize, &'static str)> {
        let [t0, t1, t2, t3, l0, l1, l2, l3, b0, b1, b2, b3] = *head;
        let kind = self.order.u32([t0, t1, t2, t3]);
        if kind == SECTION_HEADER {
            self.order = match [b0, b1, b2, b3] {
                [0x4d, 0x3c, 0x2b, 0x1a] => Order::Little,
                [0x1a, 0x2b, 0x3c, 0x4d] => Order::Big,
                _ => return Err((8, "no byte-order magic in a section header")),
            };
            self.interfaces.clear();
        }
        let length = self.order.u32([l0, l1, l2, l3]) as usize;
        match length {
            ..BLOCK_BYTES_MIN => Err((4, "a block's total length is less than 12 bytes")),
            BLOCK_BYTES_MAX.. => Err((4, "a block's total length is 16 MiB or more")),
            _ if !length.is_multiple_of(4) => Err((4, "a block's total length is no multiple of 4")),
            _ => Ok((kind, length)),
        }
    }

    fn block<'b>(&mut self, kind: u32, length: usize, input: &'b [u8], at: usize, frames: u64) -> Step<'b> {
        let read = matches!(kind, SECTION_HEADER | INTERFACE_DESCRIPTION | PACKET | SIMPLE_PACKET | ENHANCED_PACKET);
        if !read || length > BLOCK_BYTES_READ_MAX {
            self.trailer = u32::try_from(length).ok();
            self.skip = length - BLOCK_BYTES_MIN;
            let consumed = BLOCK_BYTES_MIN - BLOCK_TRAILER_BYTES;
            if !read {
                return Step::Skip(consumed);
            }
            let malformed = Malformed::wrong("pcapng", at.saturating_add(4), "a packet or section block of more than 320 KiB");
            return Step::Malformed { malformed, consumed, fatal: false };
        }
        let Some(block) = input.get(..length) else { return Step::Need(length) };
        let (block, trailer) = block.split_at(length - BLOCK_TRAILER_BYTES);
        let mut consumed = length;
        if trailer != &block[4..8] {
            // The packet is kept; the next step reports the trailer.
            self.trailer = u32::try_from(length).ok();
            consumed -= BLOCK_TRAILER_BYTES;
        }
        match self.read(kind, &block[8..], frames) {
            Ok(Some(frame)) => Step::Frame { frame, consumed },
            Ok(None) => Step::Skip(consumed),
            Err(mut malformed) => {
                malformed.offset = malformed.offset.saturating_add(8).saturating_add(at);
                Step::Malformed { malformed, consumed, fatal: false }
            }
        }
    }

    /// Reads a block's body; offsets of what is malformed count from its start.
    fn read<'b>(&mut self, kind: u32, body: &'b [u8], frames: u64) -> Result<Option<Frame<'b>>, Malformed> {
        match kind {
            SECTION_HEADER => match body.get(4..6) {
                Some(&[a, b]) if self.order.u16([a, b]) == 1 => Ok(None),
                _ => Err(Malformed::wrong("pcapng", 4, "the major version of a section is 1")),
            },
            INTERFACE_DESCRIPTION => self.interface(body).map(|()| None),
            _ => self.packet(kind, body, frames).map(Some),
        }
    }

    fn interface(&mut self, body: &[u8]) -> Result<(), Malformed> {
        if self.interfaces.len() >= INTERFACES_MAX {
            return Err(Malformed::wrong("pcapng", 0, "more than 4096 interfaces in a section"));
        }
        let mut interface = Interface { link: LinkType::UNREADABLE, snap_bytes: 0, tick: Tick::Times(1_000), offset_s: 0 };
        let Some((fixed, mut options)) = body.split_first_chunk::<8>() else {
            // Kept all the same: the interfaces after it are counted from it.
            self.interfaces.push(interface);
            return Err(Malformed::short("pcapng", 0, 8, body.len(), "an interface description"));
        };
        let [k0, k1, _, _, s0, s1, s2, s3] = *fixed;
        interface.link = LinkType(u32::from(self.order.u16([k0, k1])));
        interface.snap_bytes = self.order.u32([s0, s1, s2, s3]);
        while let Some((&[c0, c1, l0, l1], rest)) = options.split_first_chunk::<4>() {
            let (code, length) = (self.order.u16([c0, c1]), usize::from(self.order.u16([l0, l1])));
            let Some(value) = rest.get(..length).filter(|_| code != OPTION_END) else { break };
            match (code, value) {
                (OPTION_IF_TSRESOL, &[resolution, ..]) => interface.tick = Tick::of(resolution),
                (OPTION_IF_TSOFFSET, &[a, b, c, d, e, f, g, h]) => {
                    let bytes = [a, b, c, d, e, f, g, h];
                    interface.offset_s = if self.order == Order::Big { i64::from_be_bytes(bytes) } else { i64::from_le_bytes(bytes) };
                }
                _ => {}
            }
            options = rest.get(length.next_multiple_of(4)..).unwrap_or(&[]);
        }
        self.interfaces.push(interface);
        Ok(())
    }

    fn packet<'b>(&mut self, kind: u32, body: &'b [u8], frames: u64) -> Result<Frame<'b>, Malformed> {
        let word = |bytes: &[u8], i: usize| self.order.u32([bytes[i], bytes[i + 1], bytes[i + 2], bytes[i + 3]]);
        let fixed_bytes = if kind == SIMPLE_PACKET { 4 } else { 20 };
        let Some((fixed, rest)) = body.split_at_checked(fixed_bytes) else {
            return Err(Malformed::short("pcapng", 0, fixed_bytes, body.len(), "a packet block"));
        };
        let index = match kind {
            SIMPLE_PACKET => 0,
            PACKET => usize::from(self.order.u16([fixed[0], fixed[1]])),
            _ => word(fixed, 0) as usize,
        };
        let Some(interface) = self.interfaces.get(index) else {
            return Err(Malformed::wrong("pcapng", 0, "a packet of an interface that no block described"));
        };
        let (captured, wire_len) = if kind == SIMPLE_PACKET {
            let wire_len = word(fixed, 0);
            let snap_bytes = if interface.snap_bytes == 0 { wire_len } else { interface.snap_bytes };
            (wire_len.min(snap_bytes) as usize, wire_len)
        } else {
            let ticks = u64::from(word(fixed, 4)) << 32 | u64::from(word(fixed, 8));
            self.last_time_ns = interface.time_ns(ticks);
            (word(fixed, 12) as usize, word(fixed, 16))
        };
        if captured > FRAME_BYTES_MAX {
            return Err(Malformed::wrong("pcapng", fixed_bytes.saturating_sub(8), "captured length is more than 262144 bytes"));
        }
        let Some(bytes) = rest.get(..captured) else {
            return Err(Malformed::short("pcapng", fixed_bytes, captured, rest.len(), "captured length of a packet block"));
        };
        Ok(Frame { number: frames.saturating_add(1), time_ns: self.last_time_ns, link: interface.link, bytes, wire_len })
    }
}

impl Interface {
    fn time_ns(&self, ticks: u64) -> u64 {
        let ns = match self.tick {
            Tick::Times(factor) => ticks.saturating_mul(factor),
            Tick::Over(divisor) => ticks.checked_div(divisor).unwrap_or(0),
            Tick::Binary(n) => u64::try_from((u128::from(ticks) * u128::from(NS_PER_S)).checked_shr(n).unwrap_or(0)).unwrap_or(u64::MAX),
        };
        if self.offset_s == 0 {
            return ns;
        }
        let ns = i128::from(ns) + i128::from(self.offset_s) * i128::from(NS_PER_S);
        u64::try_from(ns.max(0)).unwrap_or(u64::MAX)
    }
}

impl Tick {
    /// if_tsresol: the top bit chooses powers of two, the others are the negative exponent.
    fn of(resolution: u8) -> Self {
        let n = u32::from(resolution & 0x7f);
        match n {
            _ if resolution & 0x80 != 0 => Self::Binary(n),
            0..=9 => Self::Times(10_u64.pow(9 - n)),
            // Beyond 10^19 a 64-bit count never reaches a nanosecond; a divisor of u64::MAX says nearly that.
            _ => Self::Over(10_u64.checked_pow(n - 9).unwrap_or(u64::MAX)),
        }
    }
}
