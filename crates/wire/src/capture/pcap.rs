//! pcap savefiles (draft-ietf-opsawg-pcap, and pcap-savefile(5) of libpcap): a file header, then records.

use super::{FRAME_BYTES_MAX, Frame, LinkType, MAGIC_BYTES, Order, Step};
use crate::Malformed;

const FILE_HEADER_BYTES: usize = 24;
const RECORD_HEADER_BYTES: usize = 16;
/// Kuznetzov's variant adds interface index, protocol and packet type to each record.
const MODIFIED_RECORD_HEADER_BYTES: usize = 24;
/// Before version 2.4 some writers swapped the two lengths of a record; the captured one is never the longer.
const VERSION_MINOR_SOUND: u16 = 4;
const NS_PER_S: u64 = 1_000_000_000;
const NS_PER_US: u64 = 1_000;

#[derive(Debug)]
pub(super) struct File {
    order: Order,
    /// Nanoseconds in one unit of a record's fraction of a second.
    fraction_ns: u64,
    record_header_bytes: usize,
    /// `None` until the file header was read.
    header: Option<Header>,
}

#[derive(Debug)]
struct Header {
    link: LinkType,
    lengths_may_be_swapped: bool,
}

impl File {
    pub(super) fn of(magic: &[u8; MAGIC_BYTES]) -> Option<Self> {
        let (order, magic) = match magic {
            [0xa1, ..] => (Order::Big, u32::from_be_bytes(*magic)),
            _ => (Order::Little, u32::from_le_bytes(*magic)),
        };
        let (fraction_ns, record_header_bytes) = match magic {
            0xa1b2_c3d4 => (NS_PER_US, RECORD_HEADER_BYTES),
            0xa1b2_3c4d => (1, RECORD_HEADER_BYTES),
            0xa1b2_cd34 => (NS_PER_US, MODIFIED_RECORD_HEADER_BYTES),
            _ => return None,
        };
        Some(Self { order, fraction_ns, record_header_bytes, header: None })
    }

    pub(super) fn in_header(&self) -> bool {
        self.header.is_none()
    }

    #[inline]
    pub(super) fn next<'b>(&mut self, input: &'b [u8], at: usize, frames: u64) -> Step<'b> {
        let order = self.order;
        let Some(header) = &self.header else {
            let Some(bytes) = input.first_chunk::<FILE_HEADER_BYTES>() else { return Step::Need(FILE_HEADER_BYTES) };
            // The link type is the low half; above it stand the length of the frame check sequence and flags.
            let link = order.u32([bytes[20], bytes[21], bytes[22], bytes[23]]) & 0xffff;
            let lengths_may_be_swapped = order.u16([bytes[6], bytes[7]]) < VERSION_MINOR_SOUND;
            self.header = Some(Header { link: LinkType(link), lengths_may_be_swapped });
            return Step::Skip(FILE_HEADER_BYTES);
        };
        let Some(record) = input.first_chunk::<RECORD_HEADER_BYTES>() else { return Step::Need(self.record_header_bytes) };
        let [a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p] = *record;
        let (seconds, fraction) = (order.u32([a, b, c, d]), order.u32([e, f, g, h]));
        let (mut captured, mut wire_len) = (order.u32([i, j, k, l]), order.u32([m, n, o, p]));
        if header.lengths_may_be_swapped && captured > wire_len {
            (captured, wire_len) = (wire_len, captured);
        }
        let captured = captured as usize;
        if captured > FRAME_BYTES_MAX {
            let malformed = Malformed::wrong("pcap", at.saturating_add(8), "incl_len is more than 262144 bytes");
            return Step::Malformed { malformed, consumed: input.len(), fatal: true };
        }
        let consumed = self.record_header_bytes + captured;
        let Some(bytes) = input.get(self.record_header_bytes..consumed) else { return Step::Need(consumed) };
        let fraction_ns = u64::from(fraction).saturating_mul(self.fraction_ns);
        let time_ns = u64::from(seconds).saturating_mul(NS_PER_S).saturating_add(fraction_ns);
        let frame = Frame { number: frames.saturating_add(1), time_ns, link: header.link, bytes, wire_len };
        Step::Frame { frame, consumed }
    }
}
