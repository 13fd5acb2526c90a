//! Which decision counts where several speak about one release of one component.

use super::{Baselines, Decided, Decision};
use crate::version::Order;

/// What became of a decision at a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Force {
    /// It counts.
    InForce,
    /// It begins later.
    Later,
    /// It has ended.
    Ended,
    /// A later decision on the same release and scope took its place: that one's index.
    Replaced(u64),
}

impl Baselines {
    /// What became of a decision at a time. `order` is that of its product line.
    #[must_use]
    pub fn force(&self, decided: &Decided, order: Order, now_ns: u64) -> Force {
        if !decided.has_begun(now_ns) {
            return Force::Later;
        }
        let later = self.decided.iter().rfind(|later| later.has_begun(now_ns) && decided.is_replaced_by(later, order));
        match later {
            Some(later) => Force::Replaced(later.index),
            None if decided.has_ended(now_ns) => Force::Ended,
            None => Force::InForce,
        }
    }
}

/// What counts of the decisions about one revision of one part of one asset, given in the order in which they were made: one decision
/// per release.
pub(super) fn in_force<'a>(about: &[&'a Decided], order: Order, now_ns: u64) -> Vec<&'a Decided> {
    let begun: Vec<&Decided> = about.iter().filter(|decided| decided.has_begun(now_ns)).copied().collect();
    let mut counting: Vec<&Decided> = Vec::new();
    for decided in &begun {
        if decided.has_ended(now_ns) || begun.iter().any(|later| decided.is_replaced_by(later, order)) {
            continue;
        }
        let earlier = counting.iter().position(|earlier| order.same(&earlier.approval.release, &decided.approval.release));
        if earlier.is_some_and(|at| !counting[at].yields_to(decided)) {
            continue;
        }
        if let Some(at) = earlier {
            counting.remove(at);
        }
        counting.push(decided);
    }
    counting
}

impl Decided {
    /// A later decision on the same release in the same words: same line, part, revision and scope.
    fn is_replaced_by(&self, later: &Self, order: Order) -> bool {
        let (own, other) = (&self.approval, &later.approval);
        self.index < later.index
            && (&own.component, own.field) == (&other.component, other.field)
            && self.key == later.key
            && order.same(&own.release, &other.release)
    }

    /// In other words, the later decision counts as well, but an approval for all does not lift a disapproval: for that, the disapproval
    /// is replaced in its own words, or the approval names the asset.
    fn yields_to(&self, later: &Self) -> bool {
        self.approval.decision == Decision::Approved || later.approval.decision == Decision::Disapproved || !later.key.assets.is_empty()
    }

    fn has_begun(&self, now_ns: u64) -> bool {
        self.approval.from_ns.is_none_or(|from| from <= now_ns)
    }

    fn has_ended(&self, now_ns: u64) -> bool {
        self.approval.until_ns.is_some_and(|until| until < now_ns)
    }
}
