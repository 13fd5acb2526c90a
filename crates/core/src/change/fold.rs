//! The fold over the steps of all changes: which step may be next, what was read, and what it comes to.

use std::collections::BTreeMap;

use super::{Case, Delta, Event, Judged, Plan, Try, Verdict, judge};

/// A step that is in the log: where, when, what was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Readings {
    /// The entry's index.
    pub index: u64,
    /// When it was recorded.
    pub time_ns: u64,
    /// So many readings in a row had to be equal.
    pub equal: u32,
    /// All tries, oldest first.
    pub tries: Vec<Try>,
    /// Who accepted an identity that is not proven.
    pub accepted_by: Option<String>,
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
    /// Readings before; the last counts.
    pub before: Vec<Readings>,
    /// Readings after; the last counts.
    pub after: Vec<Readings>,
    /// Its end.
    pub closed: Option<Closed>,
}

impl Change {
    /// How far it is, in a word.
    #[must_use]
    pub const fn stage(&self) -> &'static str {
        match (&self.closed, self.after.is_empty(), self.before.is_empty()) {
            (Some(_), ..) => "closed",
            (None, false, _) => "read after",
            (None, true, false) => "read before",
            (None, true, true) => "opened",
        }
    }

    /// The verdict per asset, the scope first, from what was read so far.
    #[must_use]
    pub fn verdicts(&self) -> Vec<Judged> {
        self.plan.places().map(|place| self.judged(&place.asset)).collect()
    }

    fn judged(&self, asset: &str) -> Judged {
        let of = |readings: Option<&'_ Readings>| -> Vec<Try> {
            readings.into_iter().flat_map(|readings| &readings.tries).filter(|one| one.asset == asset).cloned().collect()
        };
        let expected: Vec<&Delta> = self.plan.expected.iter().filter(|delta| delta.asset == asset).collect();
        let (before, after) = (of(self.before.last()), of(self.after.last()));
        // A neighbour stands still, one reading tells; what has just been flashed must say the same several times.
        let equal = if expected.is_empty() { 1 } else { self.after.last().map_or(1, |readings| readings.equal) };
        let after: Vec<&Try> = after.iter().collect();
        let case = Case { expected: &expected, before: before.last(), after: &after, equal: usize::try_from(equal).unwrap_or(usize::MAX) };
        let (verdict, why) = judge(&case);
        Judged { asset: asset.to_owned(), verdict, why }
    }

    /// Indices of the entries that a verdict rests on, rising: how the change was opened, every step, and every observation.
    #[must_use]
    pub fn rests_on(&self) -> Vec<u64> {
        let steps = self.before.iter().chain(&self.after);
        let mut entries: Vec<u64> =
            steps.flat_map(|step| step.tries.iter().flat_map(|one| &one.entries).chain([&step.index])).copied().collect();
        entries.push(self.opened.0);
        entries.sort_unstable();
        entries.dedup();
        entries
    }
}

/// The worst verdict; unreadable where there is none.
#[must_use]
pub fn worst(verdicts: &[Judged]) -> Verdict {
    verdicts.iter().map(|judged| judged.verdict).max().unwrap_or(Verdict::Unreadable)
}

/// All changes so far.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Changes {
    changes: BTreeMap<String, Change>,
    /// Steps that stand in the log and were not allowed: kept as words, without effect.
    pub remarks: Vec<String>,
}

impl Changes {
    /// All changes, in the order of their work orders.
    pub fn iter(&self) -> impl Iterator<Item = &Change> {
        self.changes.values()
    }

    /// The change of a work order.
    #[must_use]
    pub fn get(&self, order: &str) -> Option<&Change> {
        self.changes.get(order)
    }

    /// Whether this step may be the next.
    ///
    /// # Errors
    /// A sentence that says why not.
    pub fn allows(&self, event: &Event) -> Result<(), String> {
        let order = event.order();
        let change = self.changes.get(order);
        if let Event::Opened(plan) = event {
            return match change {
                Some(_) => {
                    Err(format!("work order {order} was opened already; a change is opened once, so take another number or close this one"))
                }
                None => plan.check(),
            };
        }
        let change = change.ok_or_else(|| format!("no change is open for work order {order}"))?;
        if change.closed.is_some() {
            return Err(format!("work order {order} is closed"));
        }
        let tries: &[Try] = match event {
            Event::Before { .. } if !change.after.is_empty() => {
                return Err(format!("work order {order} has its reading after already; what is read now is not before"));
            }
            Event::After { .. } if change.before.is_empty() => {
                return Err(format!("work order {order} has no reading before; without it nobody can say what changed"));
            }
            Event::Before { tries, .. } | Event::After { tries, .. } => tries,
            Event::Opened(_) | Event::Closed { .. } => &[],
        };
        if let Some(stranger) = tries.iter().find(|one| !change.plan.places().any(|place| place.asset == one.asset)) {
            return Err(format!("{} does not belong to work order {order}", stranger.asset));
        }
        match event {
            Event::After { accepted_by: Some(name), .. } | Event::Closed { accepted_by: Some(name), .. }
                if name.trim().to_lowercase() == change.plan.by.trim().to_lowercase() =>
            {
                Err(format!("{name} opened work order {order}; an identity that is not proven is accepted by a second person"))
            }
            _ => Ok(()),
        }
    }

    /// Takes the next step. One that is not allowed becomes a remark.
    pub fn take(&mut self, event: &Event, index: u64, time_ns: u64) {
        if let Err(why) = self.allows(event) {
            self.remarks.push(format!("entry {index}: {why}"));
            return;
        }
        if let Event::Opened(plan) = event {
            let change = Change { plan: plan.clone(), opened: (index, time_ns), before: Vec::new(), after: Vec::new(), closed: None };
            self.changes.insert(plan.order.clone(), change);
            return;
        }
        let Some(change) = self.changes.get_mut(event.order()) else { return };
        match event.clone() {
            Event::Opened(_) => {}
            Event::Before { tries, .. } => change.before.push(Readings { index, time_ns, equal: 1, tries, accepted_by: None }),
            Event::After { equal, tries, accepted_by, .. } => change.after.push(Readings { index, time_ns, equal, tries, accepted_by }),
            Event::Closed { by, verdicts, verdict, accepted_by, rests_on, .. } => {
                change.closed = Some(Closed { index, time_ns, by, verdicts, verdict, accepted_by, rests_on });
            }
        }
    }
}
