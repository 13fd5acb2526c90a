//! Where each followed conversation stands: slots that hold them, and an index over the slots by address and port.

use core::net::IpAddr;

use super::flows::Flow;
use crate::conversation::Over;
use crate::ip::Ends;
use crate::keyed::Keyed;

/// Conversations followed at once; a site has thousands, a port scan in the capture may have more. The least used go first.
pub(super) const FLOWS_MAX: usize = 65_536;
/// Cells of the index: two for each slot, so that the way from a key's own cell to the one it stands in stays short. A power of two.
const CELLS: usize = 2 * FLOWS_MAX;
const CELL_MASK: usize = CELLS - 1;

/// Address and port of one side.
pub(super) type Place = (IpAddr, u16);

/// A conversation, the same whichever side sent: both places as numbers, the lesser first, so that two are compared in a few steps.
#[derive(Clone, Copy, Debug)]
pub(super) struct Key([u64; 5]);

impl PartialEq for Key {
    /// Word by word, as they were just made: comparing the bytes at one go has the processor wait until they are in its cache.
    #[inline]
    fn eq(&self, other: &Self) -> bool {
        self.0.iter().zip(&other.0).fold(0, |differs, (one, other)| differs | (one ^ other)) == 0
    }
}

impl Eq for Key {}

impl Key {
    /// The key, and whether the source stands first in it.
    #[inline]
    pub(super) fn of(over: Over, ends: Ends<'_>, src_port: u16, dst_port: u16) -> (Self, bool) {
        let (ports, v6) = ((u64::from(src_port), u64::from(dst_port)), matches!(ends, Ends::V6(_)));
        let (src, dst) = match ends {
            Ends::V4(&[s0, s1, s2, s3, d0, d1, d2, d3]) => {
                ((u32::from_be_bytes([s0, s1, s2, s3]).into(), 0), (u32::from_be_bytes([d0, d1, d2, d3]).into(), 0))
            }
            Ends::V6(both) => {
                let word = |at: usize| both.as_chunks::<8>().0.get(at).copied().map_or(0, u64::from_be_bytes);
                ((word(0), word(1)), (word(2), word(3)))
            }
        };
        let first = (src, ports.0) <= (dst, ports.1);
        let ((low, low_port), (high, high_port)) = if first { ((src, ports.0), (dst, ports.1)) } else { ((dst, ports.1), (src, ports.0)) };
        let kind = u64::from(over == Over::Udp) << 1 | u64::from(v6);
        (Self([low.0, low.1, high.0, high.1, kind << 32 | low_port << 16 | high_port]), first)
    }
}

/// Conversations by key.
#[derive(Debug)]
pub(super) struct Flows {
    /// The slot plus one, 0 in a free cell. A key that finds its own cell taken stands in the next free one (linear probing).
    cells: Box<[u32]>,
    slots: Vec<(Key, Flow)>,
    keyed: Keyed,
    /// Where the search for the next to evict goes on (the clock algorithm, or second chance: no list to keep in order).
    hand: usize,
}

impl Default for Flows {
    fn default() -> Self {
        Self { cells: vec![0; CELLS].into(), slots: Vec::new(), keyed: Keyed::default(), hand: 0 }
    }
}

impl Flows {
    /// The slot of a conversation; it counts as used.
    #[inline(always)]
    pub(super) fn find(&mut self, key: &Key) -> Option<usize> {
        let (_, slot) = self.stands(key)?;
        self.slots.get_mut(slot)?.1.used = true;
        Some(slot)
    }

    #[inline]
    pub(super) fn get_mut(&mut self, slot: usize) -> Option<&mut Flow> {
        self.slots.get_mut(slot).map(|(_, flow)| flow)
    }

    /// Gives a new conversation a slot; where all are taken, one that was not used of late is finished by `evict`.
    pub(super) fn open(&mut self, key: Key, flow: Flow, evict: &mut dyn FnMut(&mut Flow)) -> usize {
        let slot = if self.slots.len() < FLOWS_MAX {
            self.slots.push((key, flow));
            self.slots.len() - 1
        } else {
            let slot = self.unused();
            if let Some((old, evicted)) = self.slots.get_mut(slot) {
                evict(evicted);
                let old = *old;
                self.remove(&old);
                self.slots[slot] = (key, flow);
            }
            slot
        };
        let mut cell = self.own_cell(&key);
        while self.cells[cell] != 0 {
            cell = (cell + 1) & CELL_MASK;
        }
        self.cells[cell] = slot as u32 + 1;
        slot
    }

    pub(super) fn drain(&mut self) -> impl Iterator<Item = Flow> + '_ {
        self.cells.fill(0);
        self.slots.drain(..).map(|(_, flow)| flow)
    }

    /// Conversations that are followed: also the most that ever were at once, because a slot is only given up for another.
    pub(super) fn len(&self) -> usize {
        self.slots.len()
    }

    #[inline]
    fn own_cell(&self, key: &Key) -> usize {
        self.keyed.words(key.0) as usize & CELL_MASK
    }

    /// The cell and the slot of a key. Half of the cells are free, so the search ends.
    #[inline(always)]
    fn stands(&self, key: &Key) -> Option<(usize, usize)> {
        let mut cell = self.own_cell(key);
        loop {
            let slot = self.slot_in(cell)?;
            if self.slots.get(slot)?.0 == *key {
                return Some((cell, slot));
            }
            cell = (cell + 1) & CELL_MASK;
        }
    }

    #[inline]
    fn slot_in(&self, cell: usize) -> Option<usize> {
        (self.cells[cell] as usize).checked_sub(1)
    }

    /// Takes a key out of the index, and moves those that stand behind it nearer to their own cells, so that no search ends too early.
    fn remove(&mut self, key: &Key) {
        let Some((mut hole, _)) = self.stands(key) else { return };
        let mut cell = hole;
        loop {
            cell = (cell + 1) & CELL_MASK;
            let Some((behind, _)) = self.slot_in(cell).and_then(|slot| self.slots.get(slot)) else { break };
            let way = |from: usize| cell.wrapping_sub(from) & CELL_MASK;
            if way(self.own_cell(behind)) >= way(hole) {
                (self.cells[hole], hole) = (self.cells[cell], cell);
            }
        }
        self.cells[hole] = 0;
    }

    fn unused(&mut self) -> usize {
        loop {
            let slot = self.hand;
            self.hand = (slot + 1) % FLOWS_MAX;
            match self.slots.get_mut(slot) {
                // A round clears every mark, so the second round finds one.
                Some((_, flow)) if flow.used => flow.used = false,
                _ => return slot,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashMap;

    /// Bytes of a slot: 65,536 of them are 16 MiB, and the index is half a MiB.
    const SLOT_BYTES_MAX: usize = 256;

    fn key(number: u64) -> Key {
        let [.., a, b, c, d, e] = number.to_be_bytes();
        Key::of(Over::Tcp, Ends::V4(&[10, a, b, c, 192, 0, 2, 1]), u16::from_be_bytes([d, e]), 502).0
    }

    #[test]
    fn a_slot_is_small() {
        assert!(size_of::<(Key, Flow)>() <= SLOT_BYTES_MAX, "{}", size_of::<(Key, Flow)>());
    }

    /// Opened and evicted as a scan does, and looked up beside a map of the standard library.
    #[test]
    fn the_index_finds_what_stands_in_the_slots_and_nothing_else() {
        let mut flows = Flows::default();
        let mut expected = HashMap::new();
        for number in 0..3 * FLOWS_MAX as u64 {
            let slot = flows.open(key(number), Flow::new(Over::Tcp, key_places(), true), &mut |_| {});
            expected.insert(slot, number);
            if number % 1_000 == 0 {
                for (slot, number) in expected.iter().take(100) {
                    assert_eq!(flows.stands(&key(*number)).map(|(_, slot)| slot), Some(*slot));
                }
            }
        }
        assert_eq!(flows.len(), FLOWS_MAX);
        assert_eq!(flows.cells.iter().filter(|cell| **cell != 0).count(), FLOWS_MAX);
        for number in 0..3 * FLOWS_MAX as u64 {
            let stands = flows.stands(&key(number)).map(|(_, slot)| slot);
            assert_eq!(stands, stands.filter(|slot| expected.get(slot) == Some(&number)), "{number}");
        }
        assert!(expected.iter().all(|(slot, number)| flows.stands(&key(*number)).map(|(_, slot)| slot) == Some(*slot)));
    }

    fn key_places() -> (Place, Place) {
        ((IpAddr::from([192, 0, 2, 1]), 502), (IpAddr::from([192, 0, 2, 2]), 40_000))
    }

    #[test]
    fn a_key_is_the_same_from_either_side_and_no_other() {
        let (one, first) = Key::of(Over::Tcp, Ends::V4(&[192, 0, 2, 1, 192, 0, 2, 2]), 502, 9);
        assert_eq!(Key::of(Over::Tcp, Ends::V4(&[192, 0, 2, 2, 192, 0, 2, 1]), 9, 502), (one, !first));
        let mut mapped = [0; 32];
        mapped[12..16].copy_from_slice(&[192, 0, 2, 1]);
        mapped[28..].copy_from_slice(&[192, 0, 2, 2]);
        let others = [
            Key::of(Over::Udp, Ends::V4(&[192, 0, 2, 1, 192, 0, 2, 2]), 502, 9),
            Key::of(Over::Tcp, Ends::V4(&[192, 0, 2, 1, 192, 0, 2, 2]), 9, 502),
            Key::of(Over::Tcp, Ends::V4(&[192, 0, 2, 1, 192, 0, 2, 3]), 502, 9),
            Key::of(Over::Tcp, Ends::V6(&mapped), 502, 9),
        ];
        assert!(others.iter().all(|(other, _)| *other != one));
    }
}
