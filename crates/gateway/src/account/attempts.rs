//! Wrong passwords in a row, by name, and the locks that follow. A name that no account has is locked as one that has: whoever guesses
//! names learns nothing.

use std::collections::HashMap;
use std::sync::Arc;

use nameplate_core::account::{LOCK_S_MAX, key};

use super::{SECOND_NS, Sha, sha};

/// Wrong passwords in a row before a lock.
pub(super) const WRONG_PASSWORDS_MAX: u32 = 5;
/// Seconds of the first lock; each is twice the one before, up to [`LOCK_S_MAX`].
const LOCK_S: u64 = 60;
/// Names that are remembered, some 100 bytes each. The one that was not used for longest goes first, and those of accounts go last:
/// made-up names push no count of theirs out.
const NAMES_MAX: usize = 8_192;

/// By the SHA-256 of a name's key, so that a password in the place of a name is not kept.
#[derive(Default)]
pub(super) struct Attempts(HashMap<Sha, Row>);

/// Attempts of one name.
#[derive(Default)]
pub(super) struct Row {
    /// Wrong ones since the last lock or the last right one.
    pub wrong: u32,
    /// Those of them that no entry tells yet.
    pub untold: u64,
    /// An entry tells of the first of them.
    pub told: bool,
    /// Locks in a row that this process made.
    pub locks: u32,
    /// Until when the last of them holds.
    pub locked_until_ns: u64,
    /// From where the last one came.
    pub from: String,
    is_known: bool,
    used_ns: u64,
    /// One clone for each that is under way.
    under_way: Arc<()>,
}

impl Row {
    /// Takes the place of one more attempt; `None` where all that are left are under way.
    pub fn begin(&self) -> Option<Arc<()>> {
        let under_way = u32::try_from(Arc::strong_count(&self.under_way)).unwrap_or(u32::MAX) - 1;
        (self.wrong.saturating_add(under_way) < WRONG_PASSWORDS_MAX).then(|| Arc::clone(&self.under_way))
    }

    /// Until when it is locked now; as [`locked_until`](nameplate_core::account::Account::locked_until).
    pub fn locked_until(&self, now_ns: u64) -> Option<u64> {
        let until_ns = self.locked_until_ns;
        (now_ns < until_ns && until_ns - now_ns <= LOCK_S_MAX * SECOND_NS).then_some(until_ns)
    }

    /// Locks it; returns until when. `locks` went before it, as far as the ledger knows.
    pub fn lock(&mut self, locks: u32, now_ns: u64) -> u64 {
        let before = self.locks.max(locks);
        let seconds = LOCK_S.checked_shl(before).filter(|seconds| *seconds >> before == LOCK_S).unwrap_or(LOCK_S_MAX).min(LOCK_S_MAX);
        self.locked_until_ns = now_ns.saturating_add(seconds * SECOND_NS);
        (self.wrong, self.locks) = (0, before.saturating_add(1));
        self.locked_until_ns
    }
}

impl Attempts {
    /// The attempts of a name; whether an account has it.
    pub fn row(&mut self, name: &str, is_known: bool, now_ns: u64) -> &mut Row {
        let name = sha(&key(name));
        if self.0.len() >= NAMES_MAX && !self.0.contains_key(&name) {
            let oldest = self.0.iter().min_by_key(|(_, row)| (row.is_known, row.used_ns)).map(|(name, _)| *name);
            oldest.map(|oldest| self.0.remove(&oldest));
        }
        let row = self.0.entry(name).or_default();
        (row.is_known, row.used_ns) = (is_known, now_ns);
        row
    }

    /// The name came in, or has a new password.
    pub fn forget(&mut self, name: &str) {
        self.0.remove(&sha(&key(name)));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lock_is_twice_as_long_as_the_one_before_up_to_a_quarter_of_an_hour() {
        let mut row = Row::default();
        let minutes: Vec<u64> = (0..7).map(|_| row.lock(0, 0) / SECOND_NS / 60).collect();
        assert_eq!(minutes, [1, 2, 4, 8, 15, 15, 15]);
        assert_eq!(Row::default().lock(2, 0), 240 * SECOND_NS, "locks of an earlier process count");
        assert_eq!(Row::default().lock(u32::MAX, 0), 900 * SECOND_NS);
        assert_eq!(Row::default().lock(60, 0), 900 * SECOND_NS);
    }

    #[test]
    fn names_without_end_take_no_memory_without_end() {
        let mut attempts = Attempts::default();
        attempts.row("Ada", true, 0).wrong = 4;
        for number in 0..10_000_u64 {
            attempts.row(&format!("name {number}"), false, number).wrong = 1;
        }
        assert_eq!(attempts.0.len(), NAMES_MAX);
        assert_eq!(attempts.row("name 9999", false, 10_000).wrong, 1, "the newest stay");
        assert_eq!(attempts.row("name 0", false, 10_000).wrong, 0);
        assert_eq!(attempts.row("Ada", true, 10_000).wrong, 4, "an account's stays");
    }
}
