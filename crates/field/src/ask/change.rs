//! What an open change grants: docs/read-only.md, section 3. Inside its window, for its scope only.

use std::collections::BTreeSet;
use std::time::{Duration, SystemTime};

use super::history::{Device, since_1970};
use crate::breaker::Attempt;
use crate::guard::{Endpoint, Refused};
use crate::pacing::{Budget, CHANGE_READINGS_MAX, Past, TimeFactor};
use crate::uptime::Reboots;

/// An open change, as far as asking goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// The work order's number; it stands as the reason in every line of the touch record.
    pub order: String,
    /// First moment of its window.
    pub from: SystemTime,
    /// Last moment of its window.
    pub until: SystemTime,
    /// The devices that are to change, by endpoint and station.
    pub scope: BTreeSet<(Endpoint, String)>,
    /// Devices that must not change. They may be asked in the window, too, out of the budget of any work order.
    pub neighbours: BTreeSet<(Endpoint, String)>,
    /// When the reading before was over: from then on a device in scope may reboot. `None`: not read before yet.
    pub rebooting_since: Option<SystemTime>,
}

impl Change {
    /// The budget of a device that is to be asked `now`. `most`: the owner's, of any device a day; a device in scope has one for the change.
    ///
    /// # Errors
    /// [`Refused`] by `change.window`, `change.scope` or `budget.change`.
    pub(super) fn budget(
        &self,
        device: &Device,
        past: &Past,
        now: Duration,
        factor: TimeFactor,
        most: Option<usize>,
    ) -> Result<Budget, Refused> {
        let no = |rule, why: String| Err(Refused::before_any_byte(rule, why));
        if !self.is_open(now) {
            let (from, until) = (humantime::format_rfc3339_seconds(self.from), humantime::format_rfc3339_seconds(self.until));
            return no("change.window", format!("the window of work order {} is from {from} to {until}", self.order));
        }
        if has(&self.neighbours, device) {
            return Ok(Budget::new(true, factor).at_most(most));
        }
        if !has(&self.scope, device) {
            return no("change.scope", format!("this device does not belong to work order {}", self.order));
        }
        let readings = past.own.iter().filter(|attempt| attempt.of_change).count();
        if readings >= CHANGE_READINGS_MAX {
            return no(
                "budget.change",
                format!("it was read {readings} times for work order {}, {CHANGE_READINGS_MAX} is the most", self.order),
            );
        }
        Ok(Budget::of_change(factor))
    }

    /// Whether an attempt with our reason belongs to the change's own budget.
    pub(super) fn made(&self, device: &Device, began: Duration) -> bool {
        self.is_open(began) && has(&self.scope, device)
    }

    /// Whether an attempt is what a flashed device is expected to do.
    pub(super) fn expects(&self, attempt: &Attempt) -> bool {
        let since = self.rebooting_since.map(since_1970);
        attempt.of_change && attempt.is_like_a_reboot() && since.is_some_and(|since| attempt.began >= since)
    }

    /// When a device of its scope may restart.
    pub(super) fn reboots(&self, device: &Device) -> Option<Reboots> {
        let from = self.rebooting_since.filter(|_| has(&self.scope, device)).map(|since| since_1970(since.max(self.from)))?;
        Some(Reboots { order: self.order.clone(), host: device.host(), from, until: since_1970(self.until) })
    }

    fn is_open(&self, now: Duration) -> bool {
        (since_1970(self.from)..=since_1970(self.until)).contains(&now)
    }
}

fn has(devices: &BTreeSet<(Endpoint, String)>, device: &Device) -> bool {
    devices.iter().any(|(endpoint, station)| Device::new(endpoint, station.as_str()) == *device)
}
