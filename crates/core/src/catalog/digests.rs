//! Records by their digests. There are millions of them, and each reading is looked up once: of a digest only a part stands here, and the record
//! has the rest.

use hashbrown::HashTable;

use super::taken::Record;

/// Places of records, to be found by their digests.
#[derive(Clone, Debug, Default)]
pub(super) struct Digests(HashTable<Slot>);

/// The beginning of a digest, and where its record stands.
#[derive(Clone, Copy, Debug)]
struct Slot {
    beginning: u32,
    at: u32,
}

impl Digests {
    /// Where among the records the one with this digest stands.
    pub(super) fn find(&self, digest: &[u8; 32], records: &[Record]) -> Option<u32> {
        let beginning = beginning(digest);
        let is_it =
            |slot: &Slot| slot.beginning == beginning && records.get(slot.at as usize).is_some_and(|record| record.digest == *digest);
        self.0.find(hash(beginning), is_it).map(|slot| slot.at)
    }

    /// The record with this digest, which was not there before, stands here.
    pub(super) fn insert(&mut self, digest: &[u8; 32], at: u32) {
        let beginning = beginning(digest);
        self.0.insert_unique(hash(beginning), Slot { beginning, at }, |slot| hash(slot.beginning));
    }
}

fn beginning(digest: &[u8; 32]) -> u32 {
    digest.first_chunk().map_or(0, |bytes| u32::from_le_bytes(*bytes))
}

/// A digest is as good as any hash of it. The table looks at the lowest and the highest bits.
fn hash(beginning: u32) -> u64 {
    u64::from(beginning) << 32 | u64::from(beginning)
}
