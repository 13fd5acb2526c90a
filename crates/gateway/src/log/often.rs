//! Events that may come by the thousand: what somebody can cause again and again must not fill a disk.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

/// Each is told at most once in this time.
const TOLD_EVERY: Duration = Duration::from_secs(1);

/// When each was last told, and how many were held back since.
#[derive(Default)]
pub struct Often(BTreeMap<&'static str, (Instant, u64)>);

impl Often {
    /// Whether this one is told now, and with how many others that were held back; `None` where it is held back, too.
    pub fn passes(&mut self, name: &'static str, now: Instant) -> Option<u64> {
        let Some((told, held)) = self.0.get_mut(name) else {
            self.0.insert(name, (now, 0));
            return Some(0);
        };
        if now.saturating_duration_since(*told) < TOLD_EVERY {
            *held = held.saturating_add(1);
            return None;
        }
        *told = now;
        Some(std::mem::take(held))
    }

    /// What was held back and is told now, though it did not come again.
    pub fn overdue(&mut self, now: Instant) -> Vec<(&'static str, u64)> {
        let is_due = |(told, held): &(Instant, u64)| *held > 0 && now.saturating_duration_since(*told) >= TOLD_EVERY;
        let due = self.0.iter_mut().filter(|(_, kept)| is_due(kept));
        due.map(|(name, (told, held))| {
            *told = now;
            (*name, std::mem::take(held))
        })
        .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_comes_often_is_told_once_a_second_and_counted() {
        let (mut often, begun) = (Often::default(), Instant::now());
        let at = |ms| begun + Duration::from_millis(ms);
        let steps = [(0, Some(0)), (1, None), (999, None), (1_000, Some(2)), (1_001, None), (5_000, Some(1)), (9_000, Some(0))];
        for (ms, expected) in steps {
            assert_eq!(often.passes("a", at(ms)), expected, "at {ms} ms");
        }
        assert_eq!(often.passes("b", at(9_001)), Some(0), "another one has a second of its own");
        assert_eq!((often.passes("a", at(9_100)), often.overdue(at(9_200))), (None, vec![]));
        assert_eq!(often.overdue(at(10_000)), [("a", 1)]);
        assert_eq!(often.overdue(at(20_000)), []);
    }
}
