//! Records by their digests. There are millions of them, and each reading is looked up once. A digest is one of the time, too, and records mostly
//! come in the order of time: what is later than all of them is new, and of those in order only a list of times is kept.

use hashbrown::HashTable;

use super::records::Records;

/// Records in turn that a search goes through one by one. One time of them all is kept: a quarter of a byte a record.
const BLOCK_RECORDS: usize = 32;
/// Records of one time that are found by it. Those further on stand in the table: a file may give all its frames one time.
const OF_ONE_TIME_RECORDS_MAX: usize = 32;

/// Places of records, to be found by their digests.
#[derive(Clone, Debug, Default)]
pub(super) struct Digests {
    /// The latest time in order, and the first record that has it.
    latest: Option<(u64, usize)>,
    /// For each block of records the latest time up to its end.
    times: Vec<u64>,
    /// Those that came behind a later one.
    late: HashTable<Slot>,
}

/// The beginning of a digest, and where its record stands.
#[derive(Clone, Copy, Debug)]
struct Slot {
    beginning: u32,
    at: u32,
}

impl Digests {
    /// Where among the records the one with this time and digest stands.
    pub(super) fn find(&self, time_ns: u64, digest: &[u8; 32], records: &Records) -> Option<u32> {
        self.latest.filter(|(latest_ns, _)| time_ns <= *latest_ns)?;
        self.find_in_order(time_ns, digest, records).or_else(|| self.find_late(digest, records))
    }

    fn find_in_order(&self, time_ns: u64, digest: &[u8; 32], records: &Records) -> Option<u32> {
        let first = self.times.partition_point(|latest_ns| *latest_ns < time_ns).checked_mul(BLOCK_RECORDS)?;
        let from = records.from(first).take(BLOCK_RECORDS + OF_ONE_TIME_RECORDS_MAX);
        // Behind one that is later there is none in order.
        let mut until = from.take_while(|record| record.time_ns <= time_ns);
        until.position(|record| record.digest == *digest).and_then(|at| u32::try_from(first + at).ok())
    }

    fn find_late(&self, digest: &[u8; 32], records: &Records) -> Option<u32> {
        let beginning = beginning(digest);
        let is_it =
            |slot: &Slot| slot.beginning == beginning && records.get(slot.at as usize).is_some_and(|record| record.digest == *digest);
        self.late.find(hash(beginning), is_it).map(|slot| slot.at)
    }

    /// The record with this time and digest, which was not there before, stands here: behind all others.
    pub(super) fn insert(&mut self, time_ns: u64, digest: &[u8; 32], at: u32) {
        let place = at as usize;
        match self.latest {
            Some((latest_ns, first)) if time_ns == latest_ns && place - first < OF_ONE_TIME_RECORDS_MAX => {}
            Some((latest_ns, _)) if time_ns <= latest_ns => {
                let beginning = beginning(digest);
                self.late.insert_unique(hash(beginning), Slot { beginning, at }, |slot| hash(slot.beginning));
            }
            _ => self.latest = Some((time_ns, place)),
        }
        let latest_ns = self.latest.map_or(time_ns, |(latest_ns, _)| latest_ns);
        match self.times.last_mut() {
            Some(time) if !place.is_multiple_of(BLOCK_RECORDS) => *time = latest_ns,
            _ => self.times.push(latest_ns),
        }
    }
}

fn beginning(digest: &[u8; 32]) -> u32 {
    digest.first_chunk().map_or(0, |bytes| u32::from_le_bytes(*bytes))
}

/// A digest is as good as any hash of it. The table looks at the lowest and the highest bits.
fn hash(beginning: u32) -> u64 {
    u64::from(beginning) << 32 | u64::from(beginning)
}

#[cfg(test)]
mod tests {
    use sha2::{Digest, Sha256};

    use super::*;
    use crate::catalog::taken::Record;

    /// Records with these times, each put behind the others: all are found where they stand, and what is not there is not.
    fn check(case: &str, times: impl IntoIterator<Item = u64>) -> Digests {
        let (mut digests, mut records) = (Digests::default(), Records::default());
        for (at, time_ns) in (0_u32..).zip(times) {
            let digest: [u8; 32] = Sha256::digest(at.to_le_bytes()).into();
            assert_eq!(digests.find(time_ns, &digest, &records), None, "{case}: {at} before it came");
            digests.insert(time_ns, &digest, at);
            records.push(Record { time_ns, digest, ..Record::default() });
        }
        for (at, record) in (0..).zip(records.iter()) {
            assert_eq!(digests.find(record.time_ns, &record.digest, &records), Some(at), "{case}");
            assert_eq!(digests.find(record.time_ns, &[7; 32], &records), None, "{case}: another digest");
        }
        digests
    }

    #[test]
    fn records_are_found_in_whatever_order_they_came() {
        const MANY: u64 = 1000;
        let any = |n: u64| n.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407) >> 40;
        let late = |digests: &Digests| digests.late.len();
        assert_eq!(late(&check("in order", 0..MANY)), 0, "no table");
        assert_eq!(late(&check("a day in each other", (0..MANY).map(|n| n / 20))), 0, "no table");
        assert_eq!(late(&check("of one time", vec![5; 1000])), 1000 - OF_ONE_TIME_RECORDS_MAX);
        assert_eq!(late(&check("backwards", (0..MANY).rev())), 999);
        check("two files in turn", (0..MANY).map(|n| n / 2 + n % 2 * 300));
        check("a clock that was in the future for one record", std::iter::once(u64::MAX).chain(0..MANY));
        check("the latest, many before it, and the latest again", (0..MANY).map(|n| if n % 500 < 3 { 900 } else { n % 7 }));
        for range in [3, 40, 2000] {
            check("in no order", (0..MANY).map(|n| any(n) % range));
            check("nearly in order", (0..MANY).map(|n| n + any(n) % range));
        }
    }
}
