//! Records in pieces of memory that two catalogs share as long as neither changes them: who brings a catalog into order does it on a copy, and of
//! three years of a plant that must not be twice the memory.

use std::sync::Arc;

use super::taken::Record;

/// Records of one piece: 288 KiB. A copy that changes one record has a piece of its own.
const PIECE_RECORDS: usize = 4096;

/// Records in the order in which they came.
#[derive(Clone, Debug, Default)]
pub(super) struct Records(Vec<Arc<Vec<Record>>>);

impl Records {
    /// How many there are.
    pub(super) fn len(&self) -> usize {
        self.0.last().map_or(0, |last| self.0.len().saturating_sub(1).saturating_mul(PIECE_RECORDS).saturating_add(last.len()))
    }

    pub(super) fn get(&self, at: usize) -> Option<&Record> {
        self.0.get(at / PIECE_RECORDS)?.get(at % PIECE_RECORDS)
    }

    /// The same, to be changed: where its piece is shared, it is copied.
    pub(super) fn get_mut(&mut self, at: usize) -> Option<&mut Record> {
        Arc::make_mut(self.0.get_mut(at / PIECE_RECORDS)?).get_mut(at % PIECE_RECORDS)
    }

    /// Puts one behind the others.
    pub(super) fn push(&mut self, record: Record) {
        match self.0.last_mut().filter(|last| last.len() < PIECE_RECORDS) {
            Some(last) => Arc::make_mut(last).push(record),
            None => {
                let mut piece = Vec::with_capacity(if self.0.is_empty() { 0 } else { PIECE_RECORDS });
                piece.push(record);
                self.0.push(Arc::new(piece));
            }
        }
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &Record> {
        self.0.iter().flat_map(|piece| piece.iter())
    }

    /// From this one on.
    pub(super) fn from(&self, at: usize) -> impl Iterator<Item = &Record> {
        let pieces = self.0.get(at / PIECE_RECORDS..).unwrap_or_default();
        pieces.iter().flat_map(|piece| piece.iter()).skip(at % PIECE_RECORDS)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_copy_shares_all_but_what_is_changed() {
        let mut records = Records::default();
        let all = u64::try_from(2 * PIECE_RECORDS + 5).expect("few");
        for time_ns in 0..all {
            records.push(Record { time_ns, ..Record::default() });
        }
        assert_eq!(records.len(), 2 * PIECE_RECORDS + 5);
        assert!(records.iter().map(|record| record.time_ns).eq(0..all));
        for at in [0, PIECE_RECORDS - 1, PIECE_RECORDS, 2 * PIECE_RECORDS + 4, 2 * PIECE_RECORDS + 5, 9 * PIECE_RECORDS] {
            assert!(records.from(at).map(|record| record.time_ns).eq(at as u64..all.max(at as u64)), "{at}");
            assert_eq!(records.get(at).map(|record| record.time_ns), Some(at as u64).filter(|at| *at < all));
        }

        let mut copy = records.clone();
        copy.get_mut(PIECE_RECORDS).expect("there").time_ns = 7;
        copy.push(Record { time_ns: all, ..Record::default() });
        assert_eq!((records.len() + 1, copy.len()), (copy.len(), 2 * PIECE_RECORDS + 6));
        assert_eq!(records.get(PIECE_RECORDS).map(|record| record.time_ns), Some(PIECE_RECORDS as u64), "it is the copy's alone");
        let shared: Vec<bool> = records.0.iter().zip(&copy.0).map(|(one, other)| Arc::ptr_eq(one, other)).collect();
        assert_eq!(shared, [true, false, false]);
    }
}
