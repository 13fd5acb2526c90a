//! One block of a TPACKET_V3 ring, read as bytes: no offset in it is believed (Linux, Documentation/networking/packet_mmap.rst).

use std::mem::offset_of;

use nix::libc::{TP_STATUS_VLAN_TPID_VALID, TP_STATUS_VLAN_VALID, tpacket_block_desc, tpacket_hdr_v1, tpacket3_hdr};

/// Where the state of a block stands in it: whose it is.
pub const STATUS_AT: usize = offset_of!(tpacket_block_desc, hdr) + offset_of!(tpacket_hdr_v1, block_status);
const COUNT_AT: usize = offset_of!(tpacket_block_desc, hdr) + offset_of!(tpacket_hdr_v1, num_pkts);
const FIRST_AT: usize = offset_of!(tpacket_block_desc, hdr) + offset_of!(tpacket_hdr_v1, offset_to_first_pkt);
/// The tag's type where the kernel does not tell: a C-tag (IEEE 802.1Q, 9.6).
const ETHERTYPE_VLAN: u16 = 0x8100;
const NS_PER_S: u64 = 1_000_000_000;

/// A frame as the kernel put it into a block.
#[derive(Debug, PartialEq, Eq)]
pub struct Slot<'a> {
    /// Nanoseconds since 1970-01-01T00:00:00Z, by the clock of this machine.
    pub time_ns: u64,
    /// Bytes that the frame had before it was cut to what a block holds.
    pub wire_len: u32,
    /// The frame, without the tag.
    pub bytes: &'a [u8],
    /// The outermost VLAN tag, where the kernel took it off: type and content.
    pub tag: Option<[u8; 4]>,
}

/// The frames of a block. They end where an offset points outside it.
pub fn slots(block: &[u8]) -> impl Iterator<Item = Slot<'_>> {
    let count = word(block, COUNT_AT).unwrap_or_default();
    let mut at = word(block, FIRST_AT).and_then(|first| usize::try_from(first).ok());
    (0..count).map_while(move |_| {
        let header = block.get(at?..)?;
        at = at?.checked_add(usize::try_from(word(header, offset_of!(tpacket3_hdr, tp_next_offset))?).ok()?);
        slot(header)
    })
}

fn slot(header: &[u8]) -> Option<Slot<'_>> {
    let word = |at| word(header, at);
    let from = usize::from(half(header, offset_of!(tpacket3_hdr, tp_mac))?);
    let captured = usize::try_from(word(offset_of!(tpacket3_hdr, tp_snaplen))?).ok()?;
    let status = word(offset_of!(tpacket3_hdr, tp_status))?;
    let seconds = u64::from(word(offset_of!(tpacket3_hdr, tp_sec))?);
    let tag = if status & TP_STATUS_VLAN_VALID == 0 {
        None
    } else {
        let kind = half(header, offset_of!(tpacket3_hdr, hv1.tp_vlan_tpid))?;
        let kind = if status & TP_STATUS_VLAN_TPID_VALID == 0 { ETHERTYPE_VLAN } else { kind };
        // Sixteen bits in a field of thirty-two.
        let [.., t0, t1] = word(offset_of!(tpacket3_hdr, hv1.tp_vlan_tci))?.to_be_bytes();
        let [k0, k1] = kind.to_be_bytes();
        Some([k0, k1, t0, t1])
    };
    Some(Slot {
        time_ns: seconds.saturating_mul(NS_PER_S).saturating_add(u64::from(word(offset_of!(tpacket3_hdr, tp_nsec))?)),
        wire_len: word(offset_of!(tpacket3_hdr, tp_len))?,
        bytes: header.get(from..from.checked_add(captured)?)?,
        tag,
    })
}

/// The kernel writes as this machine does.
fn word(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_ne_bytes(*bytes.get(at..)?.first_chunk()?))
}

fn half(bytes: &[u8], at: usize) -> Option<u16> {
    Some(u16::from_ne_bytes(*bytes.get(at..)?.first_chunk()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Offsets as the kernel's headers have them, by hand: a block's descriptor is 48 bytes, a frame's 48.
    const FIRST: usize = 48;
    const MAC: usize = 82;

    /// A frame as the kernel writes it: seconds and nanoseconds, captured length, length, status, the tag's content and type.
    struct Put(u32, [u32; 2], [u32; 3], u32, u16, &'static [u8]);

    /// A block of frames, the first of each its distance to the next.
    fn block(frames: &[Put]) -> Vec<u8> {
        let mut block = vec![0; FIRST];
        block[12..16].copy_from_slice(&(frames.len() as u32).to_ne_bytes());
        block[16..20].copy_from_slice(&(FIRST as u32).to_ne_bytes());
        for Put(next, [seconds, ns], [captured, length, status], tci, tpid, bytes) in frames {
            let words = [*next, *seconds, *ns, *captured, *length, *status];
            let mut header: Vec<u8> = words.iter().flat_map(|word| word.to_ne_bytes()).collect();
            header.extend((MAC as u16).to_ne_bytes());
            header.extend([0; 2 + 4]);
            header.extend(tci.to_ne_bytes());
            header.extend(tpid.to_ne_bytes());
            header.resize(MAC, 0);
            header.extend(*bytes);
            header.resize(header.len().max(*next as usize), 0);
            block.extend(header);
        }
        block
    }

    #[test]
    fn frames_come_out_with_their_time_and_their_tag() {
        let bytes = block(&[
            Put(96, [1, 2], [3, 3, 0], 0, 0, &[1, 2, 3]),
            Put(96, [1, 3], [2, 9, 0x10], 0x6007, 0x88a8, &[4, 5]),
            Put(0, [u32::MAX, 0], [1, 1, 0x50], 0x0064, 0x88a8, &[6]),
        ]);
        let slot = |time_ns, wire_len, bytes: &'static [u8], tag| Slot { time_ns, wire_len, bytes, tag };
        let expected = [
            slot(1_000_000_002, 3, &[1, 2, 3], None),
            slot(1_000_000_003, 9, &[4, 5], Some([0x81, 0, 0x60, 7])),
            slot(4_294_967_295_000_000_000, 1, &[6], Some([0x88, 0xa8, 0, 0x64])),
        ];
        assert!(slots(&bytes).eq(expected));
    }

    #[test]
    fn an_offset_outside_the_block_ends_it() {
        let frame = || Put(96, [1, 2], [3, 3, 0], 0, 0, &[1, 2, 3]);
        let check = |bytes: &[u8], frames: usize| assert_eq!(slots(bytes).count(), frames);
        let mut bytes = block(&[frame(), frame()]);
        check(&bytes, 2);
        for end in 0..bytes.len() {
            assert!(slots(&bytes[..end]).count() <= 2, "{end}");
        }
        check(&[], 0);
        bytes[FIRST..FIRST + 4].copy_from_slice(&u32::MAX.to_ne_bytes());
        check(&bytes, 1);
        bytes[16..20].copy_from_slice(&u32::MAX.to_ne_bytes());
        check(&bytes, 0);
        check(&block(&[Put(0, [1, 2], [u32::MAX, 3, 0], 0, 0, &[1])]), 0);
    }
}
