//! Which decision counts where several speak about one release of one component.

use std::collections::HashMap;

use super::approval::Approval;
use super::ranged::{Releases, facts};
use super::{Baselines, Covers, Decided, Decision, Key};
use crate::catalog::Asset;
use crate::range::Facts;
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

    /// A decision in force that this one contradicts and does not lift, with a sentence: what is approved for all lies inside of what is
    /// disapproved in other words. The assets of both may still be others; only the same products and parts are compared.
    #[must_use]
    pub fn contradicted(&self, approval: &Approval, order: Order, now_ns: u64) -> Option<(u64, String)> {
        let new = Decided::new(approval.clone(), u64::MAX, 0, None);
        let own = self.decided.iter().filter(|decided| self.force(decided, order, now_ns) == Force::InForce);
        let mut both = own.filter(|decided| decided.opposes(&new, order));
        both.next().map(|decided| {
            let (old, index) = (&decided.approval, decided.index);
            let said = format!("{} was {} by {} in entry {index}: {}", old.releases(), old.decision.name(), old.by, old.reason);
            (index, format!("{} cannot be {}: {said}", approval.releases(), approval.decision.name()))
        })
    }
}

/// The first pair of decisions, by their places, of which one approves what the other disapproves: of the same products and part, in the
/// same words or for all. Which was made first says nothing here.
pub(super) fn opposed(all: &[&Approval]) -> Option<(usize, usize)> {
    let mut by_part: HashMap<_, Vec<(usize, Decided)>> = HashMap::new();
    for (place, approval) in all.iter().enumerate() {
        let decided = Decided::new((*approval).clone(), 0, 0, None);
        let Key { profile, texts, .. } = decided.key.clone();
        let part = (profile, texts, approval.component.clone(), approval.field.name(), approval.track.name());
        let others = by_part.entry(part).or_default();
        let pair = |other: &Decided| {
            let decisions = [other.approval.decision, decided.approval.decision];
            let two = decisions.contains(&Decision::Approved) && decisions.contains(&Decision::Disapproved);
            let words = other.key == decided.key && other.names_same(&decided, Order::Dotted);
            (two && words) || other.opposes(&decided, Order::Dotted) || decided.opposes(other, Order::Dotted)
        };
        if let Some((earlier, _)) = others.iter().find(|(_, other)| pair(other)) {
            return Some((*earlier, place));
        }
        others.push((place, decided));
    }
    None
}

/// What counts of the decisions about one revision of one part of one asset, given in the order in which they were made: one decision
/// per release or range.
pub(super) fn in_force<'a>(about: &[&'a Decided], order: Order, now_ns: u64) -> Vec<&'a Decided> {
    let begun: Vec<&Decided> = about.iter().filter(|decided| decided.has_begun(now_ns)).copied().collect();
    let mut counting: Vec<&Decided> = Vec::new();
    for decided in &begun {
        if decided.has_ended(now_ns) || begun.iter().any(|later| decided.is_replaced_by(later, order)) {
            continue;
        }
        // A decision that may not be about the asset takes nobody's place.
        let takes_place = |earlier: &&Decided| earlier.names_same(decided, order) && !earlier.is_limited() && !decided.is_limited();
        let earlier = counting.iter().position(takes_place);
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
    /// Whether it is a decision on this release of a part of this asset.
    pub(super) fn covers(&self, asset: &Asset, release: &str, order: Order) -> Covers {
        let range = |range: &Releases| range.cover(release, &facts(asset, &self.approval.component));
        let same = || if order.same(&self.approval.release, release) { Covers::Yes } else { Covers::No };
        let releases = self.range.as_ref().map_or_else(same, range);
        if releases == Covers::No { Covers::No } else { self.fits(asset).and(releases) }
    }

    /// A later decision on the same release in the same words: same line, part, revision and scope.
    fn is_replaced_by(&self, later: &Self, order: Order) -> bool {
        let (own, other) = (&self.approval, &later.approval);
        self.index < later.index
            && (&own.component, own.field) == (&other.component, other.field)
            && self.key == later.key
            && self.names_same(later, order)
    }

    /// Both name one release, or one range.
    fn names_same(&self, other: &Self, order: Order) -> bool {
        match (&self.range, &other.range) {
            (None, None) => order.same(&self.approval.release, &other.approval.release),
            (own, other) => own == other,
        }
    }

    /// In other words, the later decision counts as well, but only a disapproval takes a disapproval's place: for that, it is replaced in
    /// its own words, or the later one names the asset and the release.
    pub(super) fn yields_to(&self, later: &Self) -> bool {
        let names_it = !later.key.assets.is_empty() && later.range.is_none();
        self.approval.decision != Decision::Disapproved || later.approval.decision == Decision::Disapproved || names_it
    }

    /// True where a decision that was made after it lifts it.
    pub(super) fn lifted_by(&self, later: &Self) -> bool {
        self.index < later.index && self.yields_to(later)
    }

    /// True where hardware or columns of the inventory say which assets it is about.
    fn is_limited(&self) -> bool {
        self.hardware.is_some() || !self.key.scope.is_empty()
    }

    /// A disapproval that an approval of the same products would have to lift, and does not.
    fn opposes(&self, new: &Self, order: Order) -> bool {
        let (own, other) = (&self.approval, &new.approval);
        let same_part = (&own.component, own.field, own.track) == (&other.component, other.field, other.track);
        let products = (&self.key.profile, &self.key.texts) == (&new.key.profile, &new.key.texts);
        let wider = self.key.assets.is_empty() && self.key.scope.is_empty() && self.key.hardware.is_none();
        let same_words = self.key == new.key && self.names_same(new, order);
        let decided = own.decision == Decision::Disapproved && other.decision == Decision::Approved;
        let holds = || match (&self.range, &new.range) {
            (Some(range), None) => range.cover(&other.release, &Facts::default()) == Covers::Yes,
            // A range may be approved with some of its releases left out.
            (None, Some(_)) => false,
            _ => self.names_same(new, order),
        };
        decided && same_part && products && (wider || self.key == new.key) && !same_words && !self.yields_to(new) && holds()
    }

    pub(super) fn has_begun(&self, now_ns: u64) -> bool {
        self.approval.from_ns.is_none_or(|from| from <= now_ns)
    }

    fn has_ended(&self, now_ns: u64) -> bool {
        self.approval.until_ns.is_some_and(|until| until < now_ns)
    }
}
