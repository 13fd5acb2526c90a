//! Puts IP packets together that were sent in parts (RFC 791, 3.2; RFC 8200, 4.5), within fixed bounds.
//!
//! Parts that contradict each other make the whole packet void: who sends such means two readers to see two packets (RFC 5722).

use core::net::IpAddr;
use std::collections::HashMap;

use crate::ip::{Packet, Part};
use crate::tcp::At;
use crate::{Address, Mac, Malformed};

/// Packets that are being put together; a site has a handful at a time, a flood of first parts must not push memory.
const PACKETS_MAX: usize = 256;
/// Bytes of one packet: what an IP length field can say.
const PACKET_BYTES_MAX: usize = 65_535;
/// Parts of one packet: 65,535 bytes in parts of the smallest MTU that IPv4 allows for (RFC 791, 3.2: 68 bytes) come to 1,366.
const PARTS_MAX: usize = 1_366;
/// Parts of a packet that come later than this belong to another one (RFC 8200, 4.5: 60 seconds).
const WAIT_NS_MAX: u64 = 60_000_000_000;

/// What is the same in all parts of one packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Key(IpAddr, IpAddr, u8, u32);

#[derive(Debug)]
struct Assembly {
    first: At,
    mac: Option<Mac>,
    /// Offset and bytes, in order, without overlap.
    parts: Vec<(usize, Vec<u8>)>,
    bytes: usize,
    /// Length of the whole, known with the last part.
    end: Option<usize>,
}

/// A packet of which parts are missing: when its first part was heard, and who sent it.
#[derive(Debug)]
pub struct Unfinished {
    /// The frame of the first part that was heard.
    pub at: At,
    /// Who sent it.
    pub speaker: Address,
}

/// Packets in parts.
#[derive(Debug, Default)]
pub struct Parts {
    waiting: HashMap<Key, Assembly>,
}

impl Parts {
    /// Takes a part; returns the whole payload with the part that completes it. `unfinished` hears of packets that are given up.
    ///
    /// # Errors
    /// [`Malformed`] where the parts of one packet contradict each other: it is given up.
    pub fn take(
        &mut self,
        packet: &Packet<'_>,
        part: Part,
        mac: Option<Mac>,
        at: At,
        unfinished: &mut dyn FnMut(Unfinished),
    ) -> Result<Option<Vec<u8>>, Malformed> {
        let key = Key(packet.ends.src(), packet.ends.dst(), packet.protocol, part.id);
        if self.waiting.get(&key).is_some_and(|assembly| at.time_ns.saturating_sub(assembly.first.time_ns) > WAIT_NS_MAX) {
            self.give_up(key, unfinished);
        }
        if !self.waiting.contains_key(&key) && self.waiting.len() >= PACKETS_MAX {
            let oldest = self.waiting.iter().min_by_key(|(_, assembly)| assembly.first.time_ns).map(|(key, _)| *key);
            oldest.into_iter().for_each(|oldest| self.give_up(oldest, unfinished));
        }
        let begun = || Assembly { first: at, mac, parts: Vec::new(), bytes: 0, end: None };
        let assembly = self.waiting.entry(key).or_insert_with(begun);
        // The end of a part that the capture cut can never come; the packet stays unfinished.
        match assembly.add(packet.payload, packet.missing, part) {
            Ok(true) => Ok(self.waiting.remove(&key).map(Assembly::whole)),
            Ok(false) => Ok(None),
            Err(malformed) => {
                self.waiting.remove(&key);
                Err(malformed)
            }
        }
    }

    /// Nothing more will come.
    pub fn finish(&mut self, unfinished: &mut dyn FnMut(Unfinished)) {
        let mut keys: Vec<(u64, Key)> = self.waiting.iter().map(|(key, assembly)| (assembly.first.frame, *key)).collect();
        keys.sort_unstable_by_key(|(frame, _)| *frame);
        keys.into_iter().for_each(|(_, key)| self.give_up(key, unfinished));
    }

    fn give_up(&mut self, key: Key, unfinished: &mut dyn FnMut(Unfinished)) {
        if let Some(assembly) = self.waiting.remove(&key) {
            let speaker = Address { mac: assembly.mac, ip: Some(key.0), ..Address::default() };
            unfinished(Unfinished { at: assembly.first, speaker });
        }
    }
}

impl Assembly {
    /// Adds a part; true when nothing is missing any more.
    fn add(&mut self, bytes: &[u8], missing: usize, part: Part) -> Result<bool, Malformed> {
        let end = part.offset.saturating_add(bytes.len());
        if end.saturating_add(missing) > PACKET_BYTES_MAX {
            return Err(Malformed::wrong("ip", 6, "the parts of a packet come to more than 65535 bytes (RFC 791, 3.1)"));
        }
        if !part.more {
            let end = end + missing;
            if self.end.is_some_and(|known| known != end) {
                return Err(Malformed::wrong("ip", 6, "a packet has two last parts (RFC 791, 3.2)"));
            }
            self.end = Some(end);
        }
        let at = self.parts.partition_point(|(offset, _)| *offset < part.offset);
        if self.parts.get(at).is_some_and(|(offset, there)| *offset == part.offset && there == bytes) {
            // The same part again.
            return Ok(false);
        }
        let before = at.checked_sub(1).and_then(|at| self.parts.get(at)).map_or(0, |(offset, there)| offset + there.len());
        let behind = self.parts.get(at).map_or(usize::MAX, |(offset, _)| *offset);
        if before > part.offset || end > behind || self.end.is_some_and(|last| end > last || behind < usize::MAX && behind >= last) {
            return Err(Malformed::wrong("ip", 6, "parts of a packet overlap (RFC 5722)"));
        }
        if self.parts.len() >= PARTS_MAX {
            return Err(Malformed::wrong("ip", 6, "more parts of a packet than the smallest MTU makes (RFC 791, 3.2)"));
        }
        self.parts.insert(at, (part.offset, bytes.to_vec()));
        self.bytes += bytes.len();
        Ok(self.end == Some(self.bytes))
    }

    fn whole(self) -> Vec<u8> {
        let mut whole = Vec::with_capacity(self.bytes);
        self.parts.into_iter().for_each(|(_, bytes)| whole.extend(bytes));
        whole
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ip::Ends;

    const AT: At = At { frame: 1, time_ns: 0 };

    fn take(parts: &mut Parts, offset: usize, bytes: &[u8], more: bool, missing: usize) -> Result<Option<Vec<u8>>, &'static str> {
        let ends = Ends::V4(&[192, 0, 2, 1, 192, 0, 2, 2]);
        let part = Part { id: 7, offset, more };
        let packet = Packet { ends, protocol: 17, payload: bytes, missing, part: Some(part) };
        parts.take(&packet, part, None, AT, &mut |_| {}).map_err(|malformed| malformed.said_by)
    }

    /// Parts (offset, bytes, more) in the order in which they come, and what the last of them gives.
    fn check(parts: &[(usize, &[u8], bool)], expected: Result<Option<&[u8]>, &'static str>) {
        let mut waiting = Parts::default();
        let (last, before) = parts.split_last().unwrap();
        for (offset, bytes, more) in before {
            assert_eq!(take(&mut waiting, *offset, bytes, *more, 0), Ok(None), "{parts:?}");
        }
        let found = take(&mut waiting, last.0, last.1, last.2, 0);
        assert_eq!(found, expected.map(|whole| whole.map(<[u8]>::to_vec)), "{parts:?}");
    }

    #[test]
    fn parts_in_any_order_make_the_packet() {
        let (a, b, c): (&[u8], &[u8], &[u8]) = (b"aaaaaaaa", b"bbbbbbbb", b"cc");
        let whole: &[u8] = b"aaaaaaaabbbbbbbbcc";
        for order in [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]] {
            let parts = [(0, a, true), (8, b, true), (16, c, false)];
            check(&order.map(|at| parts[at]), Ok(Some(whole)));
        }
        check(&[(0, a, true), (0, a, true), (8, c, false)], Ok(Some(b"aaaaaaaacc")));
        check(&[(0, a, true), (16, c, false)], Ok(None));
    }

    #[test]
    fn parts_that_contradict_each_other_void_the_packet() {
        let overlap = Err("parts of a packet overlap (RFC 5722)");
        check(&[(0, b"aaaaaaaa", true), (0, b"bbbbbbbb", true)], overlap);
        check(&[(0, b"aaaaaaaabbbbbbbb", true), (8, b"cccccccc", true)], overlap);
        check(&[(8, b"cccccccc", true), (0, b"aaaaaaaabbbbbbbb", true)], overlap);
        check(&[(8, b"cc", false), (16, b"dddddddd", true)], overlap);
        check(&[(8, b"cc", false), (8, b"ccc", false)], Err("a packet has two last parts (RFC 791, 3.2)"));
        check(&[(65_528, b"aaaaaaaa", true)], Err("the parts of a packet come to more than 65535 bytes (RFC 791, 3.1)"));
    }

    #[test]
    fn a_part_that_the_capture_cut_leaves_its_packet_unfinished() {
        let mut parts = Parts::default();
        assert_eq!(take(&mut parts, 0, b"aaaa", true, 4), Ok(None));
        assert_eq!(take(&mut parts, 8, b"cc", false, 0), Ok(None));
        let mut given_up = Vec::new();
        parts.finish(&mut |unfinished| given_up.push((unfinished.at, unfinished.speaker.ip)));
        assert_eq!(given_up, [(AT, Some([192, 0, 2, 1].into()))]);
    }

    #[test]
    fn packets_that_wait_are_capped() {
        let (mut parts, mut given_up) = (Parts::default(), 0);
        for id in 0..2_000 {
            let part = Part { id, offset: 0, more: true };
            let packet = Packet { ends: Ends::V4(&[1; 8]), protocol: 17, payload: &[0; 8], missing: 0, part: Some(part) };
            let at = At { frame: u64::from(id), time_ns: u64::from(id) };
            assert_eq!(parts.take(&packet, part, None, at, &mut |_| given_up += 1), Ok(None));
        }
        assert_eq!((parts.waiting.len(), given_up), (PACKETS_MAX, 2_000 - PACKETS_MAX));
    }
}
