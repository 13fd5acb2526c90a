//! The fold over the steps of all changes.

use std::collections::BTreeMap;

use super::course::{Change, Closed, Readings, Step};
use super::{Event, rules};

/// The ring of a step that names none.
const WHOLE: u32 = 1;

/// All changes so far.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Changes {
    pub(super) changes: BTreeMap<String, Change>,
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

    /// Whether this step may be the next, at this time (nanoseconds since 1970).
    ///
    /// # Errors
    /// A sentence that says why not.
    pub fn allows(&self, event: &Event, now_ns: u64) -> Result<(), String> {
        rules::allows(self, event, now_ns)
    }

    /// Takes the next step. One that is not allowed becomes a remark.
    pub fn take(&mut self, event: &Event, index: u64, time_ns: u64) {
        if let Err(why) = self.allows(event, time_ns) {
            self.remarks.push(format!("entry {index}: {why}"));
            return;
        }
        if let Event::Opened(plan) = event {
            self.changes.insert(plan.order.clone(), Change::new(plan.clone(), (index, time_ns)));
            return;
        }
        let Some(change) = self.changes.get_mut(event.order()) else { return };
        let step = |ring, by| Step { index, time_ns, ring, by };
        match event.clone() {
            Event::Opened(_) => {}
            Event::Approved { by, .. } => change.approved = Some(step(0, by)),
            Event::Checked { check, .. } => change.checks.push((index, check)),
            Event::RingOpened { ring, by, .. } => change.rings_opened.push(step(ring, by)),
            Event::Installed { ring, by, .. } => change.installed.push(step(ring, by)),
            Event::Verified { ring, by, accepts_unproven, .. } => change.verifications.push((step(ring, by), accepts_unproven)),
            Event::Left { left, .. } => {
                change.left.push((index, left));
                change.left_ns.push(time_ns);
            }
            Event::Before { ring, tries, .. } => {
                change.before.push(Readings { index, time_ns, ring: ring.unwrap_or(WHOLE), equal: 1, tries, accepted_by: None });
            }
            Event::After { ring, equal, tries, accepted_by, .. } => {
                change.after.push(Readings { index, time_ns, ring: ring.unwrap_or(WHOLE), equal, tries, accepted_by });
            }
            Event::Closed { by, verdicts, verdict, accepted_by, rests_on, .. } => {
                change.closed = Some(Closed { index, time_ns, by, verdicts, verdict, accepted_by, rests_on });
            }
        }
    }
}
