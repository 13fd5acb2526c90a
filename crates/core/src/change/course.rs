//! One change on its way: what was done, what was read, what it comes to, and what is left.

use super::{Case, Check, Delta, Judged, Left, Plan, Precheck, Try, Verdict, judge};
use crate::baseline::person;
use crate::claim::{Field, OWN_COMPONENT};

/// A step that is in the log: where, when, what was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Readings {
    /// The entry's index.
    pub index: u64,
    /// When it was recorded.
    pub time_ns: u64,
    /// The ring that was read, from 1.
    pub ring: u32,
    /// So many readings in a row had to be equal.
    pub equal: u32,
    /// All tries, oldest first.
    pub tries: Vec<Try>,
    /// Who accepted an identity that is not proven.
    pub accepted_by: Option<String>,
}

/// A step that a person took.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// The entry's index.
    pub index: u64,
    /// When it was recorded.
    pub time_ns: u64,
    /// The ring it is about, from 1; 0 where it is about the whole change.
    pub ring: u32,
    /// Who.
    pub by: String,
}

/// The end of a change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Closed {
    /// The entry's index.
    pub index: u64,
    /// When it was recorded.
    pub time_ns: u64,
    /// Who closed it.
    pub by: String,
    /// One per asset.
    pub verdicts: Vec<Judged>,
    /// The worst of them.
    pub verdict: Verdict,
    /// Who accepted an identity that is not proven.
    pub accepted_by: Option<String>,
    /// Entries that the verdict rests on.
    pub rests_on: Vec<u64>,
}

/// One change with all that happened to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// What was planned.
    pub plan: Plan,
    /// Index of the entry that opened it, and its time.
    pub opened: (u64, u64),
    /// Who approved it.
    pub approved: Option<Step>,
    /// What was checked before the installation, with the entries' indices.
    pub checks: Vec<(u64, Check)>,
    /// Rings that were opened.
    pub rings_opened: Vec<Step>,
    /// Readings before; the last of a ring counts.
    pub before: Vec<Readings>,
    /// Who installed.
    pub installed: Vec<Step>,
    /// Readings after; the last of a ring counts.
    pub after: Vec<Readings>,
    /// Rings that were verified, with whether identities without a proof were accepted.
    pub verifications: Vec<(Step, bool)>,
    /// What is left, with the entries' indices; of an asset the last word counts.
    pub left: Vec<(u64, Left)>,
    /// When each of these was recorded, in nanoseconds since 1970.
    pub left_ns: Vec<u64>,
    /// Its end.
    pub closed: Option<Closed>,
}

impl Change {
    pub(super) const fn new(plan: Plan, opened: (u64, u64)) -> Self {
        Self {
            plan,
            opened,
            approved: None,
            checks: Vec::new(),
            rings_opened: Vec::new(),
            before: Vec::new(),
            installed: Vec::new(),
            after: Vec::new(),
            verifications: Vec::new(),
            left: Vec::new(),
            left_ns: Vec::new(),
            closed: None,
        }
    }

    /// As it was after this entry of the ledger; `None` before it was opened.
    #[must_use]
    pub fn up_to(&self, index: u64) -> Option<Self> {
        let mut then = (self.opened.0 <= index).then(|| self.clone())?;
        then.approved.take_if(|step| step.index > index);
        then.closed.take_if(|closed| closed.index > index);
        then.checks.retain(|(entry, _)| *entry <= index);
        then.left.retain(|(entry, _)| *entry <= index);
        then.left_ns.truncate(then.left.len());
        then.verifications.retain(|(step, _)| step.index <= index);
        [&mut then.rings_opened, &mut then.installed].into_iter().for_each(|steps| steps.retain(|step| step.index <= index));
        [&mut then.before, &mut then.after].into_iter().for_each(|steps| steps.retain(|step| step.index <= index));
        Some(then)
    }

    /// Every entry that may have changed how many devices are undone, with its time, rising by entry: the opening first.
    #[must_use]
    pub fn turns(&self) -> Vec<(u64, u64)> {
        let read = self.before.iter().chain(&self.after).map(|step| (step.index, step.time_ns));
        let signed = self.verifications.iter().map(|(step, _)| (step.index, step.time_ns));
        let left = self.left.iter().zip(&self.left_ns).map(|((entry, _), time_ns)| (*entry, *time_ns));
        let closed = self.closed.iter().map(|closed| (closed.index, closed.time_ns));
        let mut turns: Vec<(u64, u64)> = [self.opened].into_iter().chain(read).chain(signed).chain(left).chain(closed).collect();
        turns.sort_unstable();
        turns
    }

    /// How far it is, in a word or two.
    #[must_use]
    pub fn stage(&self) -> &'static str {
        let read = |steps: &[Readings]| !steps.is_empty();
        match () {
            () if self.closed.is_some() => "closed",
            () if (1..).zip(self.plan.rings()).all(|(ring, _)| self.verified(ring).is_some()) => "verified",
            () if read(&self.after) => "read after",
            () if read(&self.before) => "read before",
            () if self.approved.is_some() => "approved",
            () => "opened",
        }
    }

    /// How far a ring is, in a word or two.
    #[must_use]
    pub fn ring_stage(&self, ring: u32) -> &'static str {
        let read = |steps: &[Readings]| steps.iter().any(|step| step.ring == ring);
        match () {
            () if self.verified(ring).is_some() => "verified",
            () if read(&self.after) => "read after",
            () if self.installed.iter().any(|step| step.ring == ring) => "installed",
            () if read(&self.before) => "read before",
            () if self.is_open(ring) => "open",
            () => "waits",
        }
    }

    /// Whether a ring's devices may be read and installed.
    #[must_use]
    pub fn is_open(&self, ring: u32) -> bool {
        !self.plan.is_staged() || self.rings_opened.iter().any(|step| step.ring == ring)
    }

    /// The verification of a ring: none that something was read or installed behind.
    #[must_use]
    pub fn verified(&self, ring: u32) -> Option<&Step> {
        let readings = self.before.iter().chain(&self.after).filter(|step| step.ring == ring).map(|step| step.index);
        let last = readings.chain(self.installed.iter().filter(|step| step.ring == ring).map(|step| step.index)).max()?;
        self.verifications.iter().map(|(step, _)| step).rfind(|step| step.ring == ring && step.index > last)
    }

    /// The first check that is missing for an asset.
    #[must_use]
    pub fn missing_check(&self, asset: &str) -> Option<Precheck> {
        let done = |kind: Precheck| self.checks.iter().any(|(_, check)| check.kind == kind && check.is_for(asset));
        self.plan.terms.prechecks.iter().copied().find(|kind| !done(*kind))
    }

    /// The verdict per asset, the scope first, from what was read so far. A neighbour belongs to every ring and has its worst verdict.
    #[must_use]
    pub fn verdicts(&self) -> Vec<Judged> {
        let scope = self.plan.scope.iter().map(|place| self.judged(&place.asset, self.plan.ring_of(&place.asset).unwrap_or(1)));
        let neighbours = self.plan.neighbours.iter().map(|place| self.of_neighbour(&place.asset));
        scope.chain(neighbours).collect()
    }

    /// The verdicts of one ring: its assets, and the neighbours as they were read with it.
    #[must_use]
    pub fn verdicts_of(&self, ring: u32) -> Vec<Judged> {
        let own = self.plan.scope.iter().filter(|place| self.plan.ring_of(&place.asset) == Some(ring));
        own.chain(&self.plan.neighbours).map(|place| self.judged(&place.asset, ring)).collect()
    }

    /// The verdict on one asset of the scope, as the change was closed with it, else from what was read so far.
    #[must_use]
    pub fn verdict_on(&self, asset: &str) -> Option<Judged> {
        match &self.closed {
            Some(closed) => closed.verdicts.iter().find(|judged| judged.asset == asset).cloned(),
            None => self.plan.ring_of(asset).map(|ring| self.judged(asset, ring)),
        }
    }

    fn of_neighbour(&self, asset: &str) -> Judged {
        let rings = (1..).zip(self.plan.rings()).map(|(ring, _)| ring);
        let read = rings.filter(|ring| self.before.iter().chain(&self.after).any(|step| step.ring == *ring));
        read.map(|ring| self.judged(asset, ring)).max_by_key(|judged| judged.verdict).unwrap_or_else(|| self.judged(asset, 1))
    }

    fn judged<'a>(&'a self, asset: &str, ring: u32) -> Judged {
        let of = |readings: Option<&'a Readings>| -> Vec<&'a Try> {
            readings.into_iter().flat_map(|readings| &readings.tries).filter(|one| one.asset == asset).collect()
        };
        let expected: Vec<&Delta> = self.plan.expected.iter().filter(|delta| delta.asset == asset).collect();
        let (first, second) = (last(&self.before, ring), last(&self.after, ring));
        let (before, after) = (of(first), of(second));
        // A neighbour stands still, one reading tells; what has just been flashed must say the same several times.
        let equal = if expected.is_empty() { 1 } else { second.map_or(1, |readings| readings.equal) };
        let partner = self.plan.terms.partner(asset).and_then(|partner| self.serial(partner));
        let case = Case {
            expected: &expected,
            before: before.last().copied(),
            after: &after,
            equal: usize::try_from(equal).unwrap_or(usize::MAX),
            serial: self.plan.terms.serials.get(asset).map(String::as_str),
            partner,
        };
        let (verdict, why) = judge(&case);
        Judged { asset: asset.to_owned(), verdict, why }
    }

    /// The serial number of an asset, as its owner gave it, or as it was read before.
    fn serial(&self, asset: &str) -> Option<&str> {
        let key = super::key(OWN_COMPONENT, Field::SerialNumber);
        let before = self.before.iter().flat_map(|step| &step.tries).filter(|one| one.asset == asset);
        let read = before.filter_map(|one| one.nameplate()?.value(&key)).next_back();
        self.plan.terms.serials.get(asset).map(String::as_str).or(read)
    }

    /// Who took responsibility for what no serial number proves in a ring, if anybody did.
    #[must_use]
    pub fn accepted(&self, ring: u32) -> Option<&str> {
        let valid = self.verified(ring).map(|step| step.index);
        let mut signed = self.verifications.iter().filter(|(step, accepts)| Some(step.index) == valid && *accepts);
        let read = self.after.iter().rfind(|step| step.ring == ring).and_then(|step| step.accepted_by.as_deref());
        // Who accepted and installed afterwards is not another person any more.
        signed.next().map(|(step, _)| step.by.as_str()).or(read).filter(|name| !self.has_installed(Some(ring), name))
    }

    /// Whether this person is on record as having installed a ring, or any.
    pub(super) fn has_installed(&self, ring: Option<u32>, name: &str) -> bool {
        self.installed.iter().any(|step| ring.is_none_or(|ring| step.ring == ring) && person(&step.by) == person(name))
    }

    /// What was last said of a device that is left.
    #[must_use]
    pub fn is_left(&self, asset: &str) -> Option<&Left> {
        self.left.iter().map(|(_, left)| left).rfind(|left| left.assets.iter().any(|one| one == asset))
    }

    /// The devices that are neither done nor left for a reason, with what is missing: while there is one, the change cannot be closed.
    /// `accepted`: somebody accepts now what no serial number proves.
    #[must_use]
    pub fn undone(&self, accepted: bool) -> Vec<Judged> {
        let done = |judged: &Judged| {
            let ring = self.plan.ring_of(&judged.asset);
            let accepted = accepted || ring.is_some_and(|ring| self.accepted(ring).is_some());
            let signed = ring.is_none_or(|ring| !self.plan.is_staged() || self.verified(ring).is_some() || self.has_left(ring));
            is_good(judged.verdict, accepted) && signed
        };
        let mut undone: Vec<Judged> =
            self.verdicts().into_iter().filter(|judged| self.is_left(&judged.asset).is_none() && !done(judged)).collect();
        for judged in undone.iter_mut().filter(|judged| is_good(judged.verdict, true)) {
            let unproven = judged.verdict == Verdict::IdentityNotProven;
            judged.why += if unproven { "; a second person has to accept that" } else { "; its ring is not verified" };
        }
        undone
    }

    /// A ring of which a device is left may never be verified; those of it that are as expected are done all the same.
    fn has_left(&self, ring: u32) -> bool {
        let mut own = self.plan.scope.iter().filter(|place| self.plan.ring_of(&place.asset) == Some(ring));
        own.any(|place| self.is_left(&place.asset).is_some())
    }

    /// Indices of the entries that a verdict rests on, rising: how the change was opened, every step, and every observation.
    #[must_use]
    pub fn rests_on(&self) -> Vec<u64> {
        let read = self.before.iter().chain(&self.after);
        let mut entries: Vec<u64> =
            read.flat_map(|step| step.tries.iter().flat_map(|one| &one.entries).chain([&step.index])).copied().collect();
        let signed = self.verifications.iter().map(|(step, _)| step);
        let steps = self.approved.iter().chain(&self.rings_opened).chain(&self.installed).chain(signed);
        entries.extend(steps.map(|step| step.index));
        entries.extend(self.checks.iter().map(|(index, _)| index).chain(self.left.iter().map(|(index, _)| index)));
        entries.push(self.opened.0);
        entries.sort_unstable();
        entries.dedup();
        entries
    }
}

/// The last readings of a ring: they count.
fn last(steps: &[Readings], ring: u32) -> Option<&Readings> {
    steps.iter().rfind(|step| step.ring == ring)
}

/// Whether a device with this verdict is done.
pub(super) const fn is_good(verdict: Verdict, accepted: bool) -> bool {
    matches!(verdict, Verdict::AsExpected) || (accepted && matches!(verdict, Verdict::IdentityNotProven))
}

/// The worst verdict; unreadable where there is none.
#[must_use]
pub fn worst(verdicts: &[Judged]) -> Verdict {
    verdicts.iter().map(|judged| judged.verdict).max().unwrap_or(Verdict::Unreadable)
}
