//! Devices of one class: what reads one of them wrongly reads all of them wrongly. A class is a protocol and whatever is known of the device before the
//! packet (maker, model, firmware); where that is nothing, the device is a class of its own, and this file has no say.
//!
//! First contact goes by canary: one device, then three, then all (docs/read-only.md, section 3). Three devices of a class that fail within a day stop
//! the class, and so does one that restarts as it is read, in every later run, too, until a person releases it.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::Duration;

use super::fold::micros;
use super::history::{Device, since_1970};
use crate::breaker::End;
use crate::touch::{Kept, KeptClass, KeptStop, Kind, Line};

/// Devices of a class that fail within [`FAILURES_SPAN_S_MAX`] before all of it stops.
pub const CLASS_FAILURES_MAX: usize = 3;
/// Seconds in which failures count together: a day.
const FAILURES_SPAN_S_MAX: u64 = 86_400;
/// Devices that are asked at a time while none of the class, or one, has answered; after four the class is known.
const CANARIES: [usize; 2] = [1, 3];

/// What the record, and this run, know of each class.
#[derive(Debug, Default)]
pub(super) struct Classes {
    classes: BTreeMap<String, Class>,
    /// The class of each device that is being asked, by the latest line that says so.
    of: BTreeMap<Device, String>,
}

/// One class.
#[derive(Debug, Default)]
struct Class {
    answered: BTreeSet<Device>,
    failed: VecDeque<(Device, Duration)>,
    stopped: Option<Stop>,
    /// Devices that are asked right now.
    asked: usize,
    /// A canary of this run failed: the rest waits for another day.
    canary_failed: bool,
}

/// What stopped a class.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stop {
    Failures,
    Upset,
}

/// Whether a device of a class may be asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// Now.
    Go,
    /// When those that are asked have answered.
    Wait,
    /// Not in this run.
    No {
        /// `breaker.class` or `canary.failed`.
        rule: &'static str,
        /// In words.
        why: String,
    },
}

impl Classes {
    /// Takes one line of the touch record, oldest first. `expected` says that the line belongs to a reboot that everybody waits for.
    pub(super) fn take(&mut self, line: &Line, expected: bool) {
        if line.kind == Kind::Released {
            if let Some(class) = line.class.as_ref().and_then(|class| self.classes.get_mut(class)) {
                (class.stopped, class.failed) = (None, VecDeque::new());
            }
            return;
        }
        let Some(target) = &line.target else { return };
        let device = Device::new(target, line.station.clone().unwrap_or_default());
        let time = since_1970(line.time);
        match line.kind {
            Kind::Connect => match &line.class {
                Some(class) => drop(self.of.insert(device, class.clone())),
                None => drop(self.of.remove(&device)),
            },
            Kind::Answer => self.answered(&device),
            Kind::Failed | Kind::Timeout if !expected => self.failed(&device, time),
            Kind::Upset => self.upset(&device),
            _ => {}
        }
    }

    /// Takes what the lines before the first one come to.
    pub(super) fn recall(&mut self, kept: &Kept) {
        match kept {
            Kept::Device(kept) => {
                if let Some(class) = &kept.class {
                    self.of.insert(Device::of(kept), class.clone());
                }
            }
            Kept::Class(kept) => {
                let answered = kept.answered.iter().map(|(endpoint, station)| Device::new(endpoint, station.as_str())).collect();
                let failed = kept.failed.iter().map(|(endpoint, station, at)| {
                    let device = Device::new(endpoint, station.as_str());
                    (device, Duration::from_micros(*at))
                });
                let stopped = kept.stopped.map(|stop| match stop {
                    KeptStop::Failures => Stop::Failures,
                    KeptStop::Upset => Stop::Upset,
                });
                self.classes.insert(kept.class.clone(), Class { answered, failed: failed.collect(), stopped, ..Class::default() });
            }
            Kept::Master(..) => {}
        }
    }

    /// Devices whose class is known.
    pub(super) fn devices(&self) -> impl Iterator<Item = &Device> {
        self.of.keys()
    }

    /// The class of a device, as its last connection had it.
    pub(super) fn class_of(&self, device: &Device) -> Option<&str> {
        self.of.get(device).map(String::as_str)
    }

    /// What there is to keep of each class: more devices that answered, or failed, would change nothing.
    pub(super) fn kept(&self) -> impl Iterator<Item = KeptClass> {
        self.classes.iter().map(|(name, class)| {
            let more = class.failed.len().saturating_sub(CLASS_FAILURES_MAX);
            let failed = class.failed.iter().skip(more).map(|(device, at)| {
                let (endpoint, station) = device.clone().into_parts();
                (endpoint, station, micros(*at))
            });
            KeptClass {
                class: name.clone(),
                answered: class.answered.iter().take(CANARIES.iter().sum()).cloned().map(Device::into_parts).collect(),
                failed: failed.collect(),
                stopped: class.stopped.map(|stop| match stop {
                    Stop::Failures => KeptStop::Failures,
                    Stop::Upset => KeptStop::Upset,
                }),
            }
        })
    }

    /// A device of this class is about to be asked.
    pub(super) fn begin(&mut self, device: &Device, class: &str) {
        self.of.insert(device.clone(), class.to_owned());
        let class = self.classes.entry(class.to_owned()).or_default();
        class.asked = class.asked.saturating_add(1);
    }

    /// What became of it.
    pub(super) fn end(&mut self, device: &Device, end: End, time: Duration) {
        let Some(class) = self.of.get(device).and_then(|class| self.classes.get_mut(class)) else { return };
        class.asked = class.asked.saturating_sub(1);
        match end {
            End::Answered { .. } | End::Restarted { upset: false } => self.answered(device),
            End::Restarted { upset: true } => self.upset(device),
            End::Failed | End::Rebuffed | End::Hostile | End::Denied => {
                class.canary_failed |= class.answered.len() < CANARIES.iter().sum();
                self.failed(device, time);
            }
            End::Unknown => {}
        }
    }

    /// Whether another device of this class may be asked.
    pub(super) fn may(&self, class: &str) -> Verdict {
        let known = Class::default();
        let state = self.classes.get(class).unwrap_or(&known);
        if let Some(stop) = state.stopped {
            let what = match stop {
                Stop::Failures => format!("{CLASS_FAILURES_MAX} devices of the class {class:?} failed within a day"),
                Stop::Upset => format!("a device of the class {class:?} restarted while it was read, or soon after"),
            };
            let why = format!("{what}: none of it is asked until a person releases it (nameplate release)");
            return Verdict::No { rule: "breaker.class", why };
        }
        let mut known = 0_usize;
        let at_a_time = CANARIES.into_iter().find(|step| {
            known = known.saturating_add(*step);
            state.answered.len() < known
        });
        match at_a_time {
            Some(_) if state.canary_failed => {
                let why = format!("it is of the class {class:?}, of which few were asked before, and one of them just failed");
                Verdict::No { rule: "canary.failed", why }
            }
            // Those that are asked may answer, and then the step is full.
            Some(_) if state.asked.saturating_add(state.answered.len()) >= known => Verdict::Wait,
            _ => Verdict::Go,
        }
    }

    /// The classes that are stopped.
    pub(super) fn stopped(self) -> Vec<String> {
        self.classes.into_iter().filter(|(_, class)| class.stopped.is_some()).map(|(name, _)| name).collect()
    }

    fn answered(&mut self, device: &Device) {
        let Some(class) = self.of.get(device) else { return };
        self.classes.entry(class.clone()).or_default().answered.insert(device.clone());
    }

    fn failed(&mut self, device: &Device, time: Duration) {
        let Some(class) = self.of.get(device) else { return };
        let class = self.classes.entry(class.clone()).or_default();
        let since = time.saturating_sub(Duration::from_secs(FAILURES_SPAN_S_MAX));
        class.failed.retain(|(other, when)| other != device && *when >= since);
        class.failed.push_back((device.clone(), time));
        if class.failed.len() >= CLASS_FAILURES_MAX {
            class.stopped.get_or_insert(Stop::Failures);
        }
    }

    /// One is enough: a read that coincides with a restart may do the same to all of them.
    fn upset(&mut self, device: &Device) {
        let Some(class) = self.of.get(device) else { return };
        self.classes.entry(class.clone()).or_default().stopped.get_or_insert(Stop::Upset);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::SystemTime;

    const CLASS: &str = "modbus Acme M1 1.0";
    const HOUR: u64 = 3_600;
    const ANSWERED: End = End::Answered { latency: Duration::ZERO };

    fn device(number: u8) -> Device {
        Device::new(&format!("192.0.2.{number}:502").parse().expect("an endpoint"), "1")
    }

    fn line(kind: Kind, hour: u64, number: u8) -> Line {
        let mut line = Line::new(kind);
        line.time = SystemTime::UNIX_EPOCH + Duration::from_secs(hour * HOUR);
        line.target = Some(format!("192.0.2.{number}:502").parse().expect("an endpoint"));
        line.station = Some("1".to_owned());
        line.class = matches!(kind, Kind::Connect | Kind::Released).then(|| CLASS.to_owned());
        line
    }

    /// Hours, devices, and how each attempt ended; expects whether the class is stopped after them.
    fn check_stopped(attempts: &[(u64, u8, Kind)], expected: bool) {
        let mut classes = Classes::default();
        for (hour, number, kind) in attempts {
            if *kind != Kind::Released {
                classes.take(&line(Kind::Connect, *hour, *number), false);
            }
            classes.take(&line(*kind, *hour, *number), false);
        }
        assert_eq!(matches!(classes.may(CLASS), Verdict::No { rule: "breaker.class", .. }), expected, "{attempts:?}");
        assert_eq!(classes.stopped(), if expected { vec![CLASS.to_owned()] } else { Vec::new() }, "{attempts:?}");
    }

    #[test]
    fn three_devices_of_a_class_that_fail_within_a_day_stop_it_until_a_person_releases_it() {
        use Kind::{Answer, Failed, Released, Restarted, Timeout, Upset};
        check_stopped(&[(0, 1, Failed), (1, 2, Timeout)], false);
        check_stopped(&[(0, 1, Failed), (1, 2, Timeout), (2, 3, Failed)], true);
        check_stopped(&[(0, 1, Failed), (1, 1, Failed), (2, 1, Failed), (3, 2, Failed)], false);
        check_stopped(&[(0, 1, Failed), (1, 2, Failed), (25, 3, Failed)], false);
        check_stopped(&[(0, 1, Failed), (1, 2, Failed), (24, 3, Failed)], true);
        check_stopped(&[(0, 1, Failed), (1, 2, Failed), (2, 3, Failed), (200, 4, Answer)], true);
        check_stopped(&[(0, 1, Failed), (1, 2, Failed), (2, 3, Failed), (3, 1, Released)], false);
        check_stopped(&[(0, 1, Failed), (1, 2, Failed), (2, 3, Failed), (3, 1, Released), (4, 1, Failed)], false);
        check_stopped(&[(0, 1, Restarted), (1, 2, Restarted), (2, 3, Restarted)], false);
        check_stopped(&[(0, 1, Upset)], true);
        check_stopped(&[(0, 1, Upset), (200, 2, Answer)], true);
        check_stopped(&[(0, 1, Upset), (1, 2, Released)], false);
    }

    #[test]
    fn a_reboot_that_everybody_waits_for_is_no_failure() {
        let mut classes = Classes::default();
        for number in 1..=5 {
            classes.take(&line(Kind::Connect, 0, number), true);
            classes.take(&line(Kind::Failed, 0, number), true);
        }
        assert_eq!(classes.may(CLASS), Verdict::Go);
    }

    #[test]
    fn a_class_that_nobody_asked_before_is_asked_by_canary() {
        let mut classes = Classes::default();
        let may = |classes: &mut Classes, number: u8| {
            let verdict = classes.may(CLASS);
            if verdict == Verdict::Go {
                classes.begin(&device(number), CLASS);
            }
            verdict
        };
        assert_eq!(may(&mut classes, 1), Verdict::Go);
        assert_eq!(may(&mut classes, 2), Verdict::Wait, "one at first");
        classes.end(&device(1), ANSWERED, Duration::ZERO);
        for number in 2..=4 {
            assert_eq!(may(&mut classes, number), Verdict::Go, "{number}: then three");
        }
        assert_eq!(may(&mut classes, 5), Verdict::Wait);
        for number in 2..=4 {
            classes.end(&device(number), ANSWERED, Duration::ZERO);
        }
        for number in 5..=50 {
            assert_eq!(may(&mut classes, number), Verdict::Go, "{number}: then all");
        }
        assert_eq!(Classes::default().may("modbus another class"), Verdict::Go);
    }

    #[test]
    fn a_canary_that_fails_keeps_the_rest_of_its_class_from_being_asked() {
        for answered_before in 0..=4_u8 {
            let mut classes = Classes::default();
            for number in 1..=answered_before {
                classes.begin(&device(number), CLASS);
                classes.end(&device(number), ANSWERED, Duration::ZERO);
            }
            classes.begin(&device(9), CLASS);
            classes.end(&device(9), End::Failed, Duration::ZERO);
            let stays_out = matches!(classes.may(CLASS), Verdict::No { rule: "canary.failed", .. });
            assert_eq!(stays_out, answered_before < 4, "after {answered_before} that answered");
        }
        let mut classes = Classes::default();
        classes.begin(&device(1), CLASS);
        classes.end(&device(1), End::Unknown, Duration::ZERO);
        assert_eq!(classes.may(CLASS), Verdict::Go, "what we refused ourselves says nothing of the device");
    }

    #[test]
    fn a_device_that_restarts_as_it_is_read_stops_its_class_at_once() {
        for (end, expected) in [(End::Restarted { upset: true }, true), (End::Restarted { upset: false }, false), (ANSWERED, false)] {
            let mut classes = Classes::default();
            classes.begin(&device(1), CLASS);
            classes.end(&device(1), end, Duration::ZERO);
            let verdict = classes.may(CLASS);
            let stopped = matches!(&verdict, Verdict::No { rule: "breaker.class", why } if why.contains("restarted while it was read"));
            assert_eq!(stopped, expected, "{end:?}: {verdict:?}");
        }
    }
}
