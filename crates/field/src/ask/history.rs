//! What the touch record remembers of the devices that are about to be asked.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::{Duration, SystemTime};

use super::change::Change;
use super::classes::Classes;
use super::fold::{Old, micros};
use super::tally::Tally;
use crate::breaker::{Attempt, End};
use crate::guard::{Endpoint, Host, Refused};
use crate::pacing::{Past, Segment};
use crate::touch::{Kept, KeptAttempt, KeptDevice, Kind, Line, Told, TouchRecord, recall};
use crate::uptime::{Reboots, Uptime, Watch};

/// Attempts kept per device: several days of budget and a whole climb of the breaker.
pub(super) const ATTEMPTS_MAX: usize = 64;
/// What `ended` says in the `failed` lines that stand beside a connection that did come about.
pub(super) const HOSTILE: &str = "hostile";
/// The device closed the connection before its answer was whole.
pub(super) const BROKEN_OFF: &str = "broken-off";
/// Our longest hold was over.
pub(super) const HOLD_SPENT: &str = "hold-spent";
/// A password leaves in this message: whatever comes of it, no other follows soon, unless something was sent behind it.
pub(super) const LOGIN: &str = "sel-ascii.password";
/// The device answers, and does not let itself be asked.
pub(super) const UNWILLING: &str = "unwilling";
/// As the guard writes them: see [`crate::guard::Ended`].
const REBUFFS: [&str; 2] = ["connection-refused", "reset"];

/// One device as the record tells devices apart: an endpoint, and who is asked behind it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Device {
    endpoint: Endpoint,
    station: String,
}

impl Device {
    pub(super) fn new(endpoint: &Endpoint, station: impl Into<String>) -> Self {
        Self { endpoint: endpoint.canonical(), station: station.into() }
    }

    /// As the folded record has it.
    pub(super) fn of(kept: &KeptDevice) -> Self {
        Self::new(&kept.target, kept.station.as_str())
    }

    /// Its endpoint, and who is asked behind it.
    pub(super) fn into_parts(self) -> (Endpoint, String) {
        (self.endpoint, self.station)
    }

    /// What one connection is open to at a time.
    pub(super) fn host(&self) -> Host {
        self.endpoint.host()
    }
}

/// Earlier attempts by device, oldest first.
#[derive(Debug, Default)]
pub(super) struct History {
    /// Of single devices only what stands at these is kept; `None` for all.
    endpoints: Option<BTreeSet<Endpoint>>,
    attempts: BTreeMap<Device, VecDeque<Attempt>>,
    /// What each said last of how long it had run.
    uptimes: BTreeMap<Device, Uptime>,
    /// The change that asks, if one does: its own attempts are told apart.
    change: Option<Change>,
    /// When a device of each segment on which somebody is about to be asked was last begun with, by whatever run; and which, until its first message left.
    begun: BTreeMap<Segment, (Duration, Option<Endpoint>)>,
}

impl History {
    /// Folds the record; of single devices only what stands at `endpoints` is kept. `tally` counts all of it. What has become old in the meantime is folded
    /// for whoever comes next.
    pub(super) fn read(
        touch: &TouchRecord,
        endpoints: &BTreeSet<Endpoint>,
        change: Option<&Change>,
        tally: &mut Tally<'_>,
    ) -> Result<(Self, Classes), Refused> {
        let begun = endpoints.iter().map(|endpoint| (Segment::of(&endpoint.host()), (Duration::ZERO, None))).collect();
        let mut history = Self { endpoints: Some(endpoints.clone()), change: change.cloned(), begun, ..Self::default() };
        let (mut classes, mut old) = (Classes::default(), Old::of(touch));
        let outcome = recall(touch.directory(), |told| match told {
            Told::Kept(kept) => {
                history.recall(&kept);
                tally.recall(&kept);
                classes.recall(&kept);
            }
            Told::Line { text, line, end } => {
                old.take(text, line, end);
                history.take(line);
                tally.take(line);
                // A change's own lines say what was expected of devices that reboot.
                classes.take(line, change.is_some_and(|change| line.reason.as_ref() == Some(&change.order)));
            }
        });
        let outcome = outcome.and_then(|()| old.fold(touch));
        outcome.map(|()| (history, classes)).map_err(|error| Refused::before_any_byte("touch.record", error.to_string()))
    }

    /// Segments on which somebody was asked, and when the last of it began.
    pub(super) fn begun(&self) -> impl Iterator<Item = (Segment, Duration)> {
        self.begun.iter().filter(|(_, (at, _))| !at.is_zero()).map(|(segment, (at, _))| (segment.clone(), *at))
    }

    /// A device's past, and what its endpoint went through. The reboots of the change that asks are expected: no breaker sees them.
    pub(super) fn of(&self, device: &Device) -> Past {
        let own: Vec<Attempt> = self.attempts.get(device).into_iter().flatten().copied().collect();
        let beside = self.attempts.iter().filter(|(other, _)| other.endpoint == device.endpoint && other.station != device.station);
        let rebuffed = beside.flat_map(|(_, attempts)| attempts).filter(|attempt| matches!(attempt.end, End::Rebuffed | End::Hostile));
        let expected = |attempt: &&Attempt| self.change.as_ref().is_some_and(|change| change.expects(attempt));
        let mut endpoint: Vec<Attempt> = own.iter().chain(rebuffed).filter(|attempt| !expected(attempt)).copied().collect();
        endpoint.sort_by_key(|attempt| attempt.ended);
        Past { own, endpoint }
    }

    /// What is known of a device when it is asked for its uptime. `expected`: restarts that nobody counts.
    pub(super) fn watch(&self, device: &Device, expected: &[Reboots]) -> Watch {
        let host = device.host();
        let beside = self.attempts.iter().filter(|(other, _)| other.endpoint == device.endpoint).flat_map(|(_, attempts)| attempts);
        let of_change = self.change.as_ref().and_then(|change| change.reboots(device));
        Watch {
            before: self.uptimes.get(device).copied(),
            touched: beside.map(|attempt| (attempt.began, attempt.ended)).collect(),
            reboots: expected.iter().filter(|reboots| reboots.host == host).cloned().chain(of_change).collect(),
        }
    }

    /// One more attempt, the newest, made by whoever asks now.
    pub(super) fn push(&mut self, device: Device, attempt: Attempt) {
        let of_change = self.change.as_ref().is_some_and(|change| change.made(&device, attempt.began));
        self.keep(device, Attempt { of_change, ..attempt });
    }

    fn keep(&mut self, device: Device, attempt: Attempt) {
        let attempts = self.attempts.entry(device).or_default();
        if attempts.len() == ATTEMPTS_MAX {
            attempts.pop_front();
        }
        attempts.push_back(attempt);
    }

    /// Takes what the lines before the first one come to.
    pub(super) fn recall(&mut self, kept: &Kept) {
        let Kept::Device(kept) = kept else { return };
        let device = Device::of(kept);
        let last = kept.attempts.iter().map(|KeptAttempt(began, ..)| Duration::from_micros(*began)).max();
        if let Some((begun, last)) = self.begun.get_mut(&Segment::of(&device.host())).zip(last) {
            begun.0 = begun.0.max(last);
        }
        if !self.concerns(&device) {
            return;
        }
        if let Some((at, ticks)) = kept.uptime {
            self.uptimes.insert(device.clone(), Uptime { at: Duration::from_micros(at), ticks });
        }
        for KeptAttempt(began, span, end, reason) in &kept.attempts {
            let (began, span) = (Duration::from_micros(*began), Duration::from_micros(*span));
            let of_change = self.is_of_change(&device, Some(reason), began);
            self.keep(device.clone(), Attempt { began, ended: began.saturating_add(span), end: (*end).into(), of_change });
        }
    }

    /// Devices of which there is something to keep.
    pub(super) fn devices(&self) -> impl Iterator<Item = &Device> {
        self.attempts.keys().chain(self.uptimes.keys())
    }

    /// What there is of a device, as [`KeptDevice`] has it; it is gone from here.
    pub(super) fn give(&mut self, device: &Device) -> (VecDeque<Attempt>, Option<(u64, u32)>) {
        let uptime = self.uptimes.remove(device).map(|uptime| (micros(uptime.at), uptime.ticks));
        (self.attempts.remove(device).unwrap_or_default(), uptime)
    }

    fn concerns(&self, device: &Device) -> bool {
        self.endpoints.as_ref().is_none_or(|endpoints| endpoints.contains(&device.endpoint))
    }

    fn is_of_change(&self, device: &Device, reason: Option<&String>, began: Duration) -> bool {
        let change = self.change.as_ref().filter(|change| reason == Some(&change.order));
        change.is_some_and(|change| change.made(device, began))
    }

    /// Takes one line of the record, oldest first.
    pub(super) fn take(&mut self, line: &Line) {
        let Some(target) = &line.target else { return };
        // The line comes first, and is synced: what left is some moments behind it, and the first message's line is not before that.
        if let Some(begun) = self.begun.get_mut(&Segment::of(&target.host())) {
            match line.kind {
                Kind::Connect => *begun = (since_1970(line.time), Some(target.clone())),
                Kind::Sent if begun.1.as_ref() == Some(target) => *begun = (since_1970(line.time), None),
                _ => {}
            }
        }
        let device = Device::new(target, line.station.clone().unwrap_or_default());
        if !self.concerns(&device) {
            return;
        }
        let time = since_1970(line.time);
        if line.kind == Kind::Connect {
            let of_change = self.is_of_change(&device, line.reason.as_ref(), time);
            return self.keep(device, Attempt { began: time, ended: time, end: End::Unknown, of_change });
        }
        if let (Kind::Uptime, Some(ticks)) = (line.kind, line.uptime_ticks) {
            self.uptimes.insert(device, Uptime { at: time, ticks });
            return;
        }
        let Some(attempt) = self.attempts.get_mut(&device).and_then(VecDeque::back_mut) else { return };
        let slower = |end: End, latency: Duration| match end {
            End::Unknown => End::Answered { latency },
            End::Answered { latency: before } => End::Answered { latency: before.max(latency) },
            failed => failed,
        };
        let sends_password = line.question.as_deref() == Some(LOGIN);
        attempt.end = match (line.kind, attempt.end) {
            (Kind::Sent, _) if sends_password => End::Denied,
            // It was taken: without that nothing more is sent.
            (Kind::Sent, End::Denied) => End::Unknown,
            (Kind::Answer | Kind::Failed | Kind::Timeout, End::Denied) => End::Denied,
            (Kind::Answer, end) => slower(end, Duration::from_micros(line.latency_us.unwrap_or(0))),
            (Kind::Failed, _) if line.ended.as_deref() == Some(HOSTILE) => End::Hostile,
            (Kind::Failed | Kind::Timeout, End::Hostile) => End::Hostile,
            (Kind::Failed, _) if line.ended.as_deref().is_some_and(|ended| REBUFFS.contains(&ended)) => End::Rebuffed,
            (Kind::Failed | Kind::Timeout, End::Rebuffed) => End::Rebuffed,
            (Kind::Failed | Kind::Timeout, _) => End::Failed,
            (Kind::Restarted, _) => End::Restarted { upset: false },
            (Kind::Upset, _) => End::Restarted { upset: true },
            // A RST at our goodbye is the manner of some devices (H8), so a `closed` line says nothing about the answer.
            (Kind::Sent | Kind::Closed, end) => end,
            // What was refused touched nobody.
            _ => return,
        };
        attempt.ended = attempt.ended.max(time);
    }
}

/// A clock's time; before 1970 counts as 1970.
pub(super) fn since_1970(time: SystemTime) -> Duration {
    time.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    const DEVICE: &str = "192.0.2.7:502";

    /// Lines as `second kind [ended or latency]` of one device; expects the attempts that are left.
    fn check(lines: &[(u64, Kind, &str)], expected: &[(u64, u64, End)]) {
        let endpoints = Some(BTreeSet::from([DEVICE.parse().expect("an endpoint")]));
        let mut history = History { endpoints, ..History::default() };
        for (second, kind, word) in lines {
            let mut line = Line::new(*kind);
            line.time = SystemTime::UNIX_EPOCH + Duration::from_secs(*second);
            (line.target, line.station) = (Some(DEVICE.parse().expect("an endpoint")), Some("1".to_owned()));
            line.latency_us = word.parse().ok();
            line.ended = Some((*word).to_owned());
            line.question = Some((*word).to_owned());
            history.take(&line);
            line.target = Some("192.0.2.8:502".parse().expect("an endpoint"));
            history.take(&line);
        }
        let seconds = |&(began, ended, end): &(u64, u64, End)| Attempt {
            began: Duration::from_secs(began),
            ended: Duration::from_secs(ended),
            end,
            of_change: false,
        };
        let expected: Vec<Attempt> = expected.iter().map(seconds).collect();
        let past = |target: &str, unit: &str| history.of(&Device::new(&target.parse().expect("an endpoint"), unit));
        assert_eq!(past(DEVICE, "1").own, expected, "{lines:?}");
        assert_eq!(past("192.0.2.8:502", "1"), Past::default(), "nobody asked for this one");
        let rebuffed: Vec<Attempt> = expected.into_iter().filter(|attempt| matches!(attempt.end, End::Rebuffed | End::Hostile)).collect();
        assert_eq!(past(DEVICE, "2"), Past { own: Vec::new(), endpoint: rebuffed }, "a neighbour behind the same gateway");
    }

    #[test]
    fn attempts_are_folded_from_the_lines_of_the_record() {
        use Kind::{Answer, Closed, Connect, Failed, Refused, Sent, Timeout};
        let answered = |us| End::Answered { latency: Duration::from_micros(us) };
        check(&[], &[]);
        check(&[(5, Sent, ""), (6, Closed, "fin")], &[]);
        check(&[(5, Connect, "")], &[(5, 5, End::Unknown)]);
        check(&[(5, Connect, ""), (8, Failed, "time-out")], &[(5, 8, End::Failed)]);
        check(&[(5, Connect, ""), (5, Failed, "connection-refused")], &[(5, 5, End::Rebuffed)]);
        check(&[(5, Connect, ""), (5, Sent, ""), (7, Timeout, ""), (8, Closed, "fin")], &[(5, 8, End::Failed)]);
        check(&[(5, Connect, ""), (5, Sent, ""), (5, Answer, "900"), (6, Closed, "reset")], &[(5, 6, answered(900))]);
        let two_pages = [(5, Connect, ""), (5, Sent, ""), (5, Answer, "900"), (6, Sent, ""), (6, Answer, "700"), (6, Closed, "fin")];
        check(&two_pages, &[(5, 6, answered(900))]);
        let hostile = [(5, Connect, ""), (5, Sent, ""), (5, Answer, "900"), (6, Failed, "hostile"), (6, Closed, "fin")];
        check(&hostile, &[(5, 6, End::Hostile)]);
        check(&[(5, Connect, ""), (6, Failed, "hostile"), (7, Timeout, ""), (8, Answer, "1")], &[(5, 8, End::Hostile)]);
        check(&[(5, Connect, ""), (5, Sent, ""), (5, Answer, "900"), (6, Failed, "broken-off")], &[(5, 6, End::Failed)]);
        check(&[(5, Connect, ""), (5, Refused, ""), (6, Closed, "fin"), (99, Refused, "")], &[(5, 6, End::Unknown)]);
        let twice = [(5, Connect, ""), (5, Failed, "reset"), (90, Connect, ""), (90, Answer, "5")];
        check(&twice, &[(5, 5, End::Rebuffed), (90, 90, answered(5))]);
        for (kind, upset) in [(Kind::Restarted, false), (Kind::Upset, true)] {
            let back = [(5, Connect, ""), (5, Sent, ""), (5, Answer, "900"), (6, Kind::Uptime, ""), (6, kind, ""), (7, Closed, "fin")];
            check(&back, &[(5, 7, End::Restarted { upset })]);
        }
        let mut login = [(5, Connect, ""), (5, Sent, LOGIN), (6, Answer, "900")].to_vec();
        check(&login, &[(5, 6, End::Denied)]);
        login.extend([(7, Failed, "broken-off"), (8, Timeout, "")]);
        check(&login, &[(5, 8, End::Denied)]);
        login.truncate(3);
        login.extend([(7, Sent, "sel-ascii.id"), (8, Answer, "700")]);
        check(&login, &[(5, 8, answered(700))]);
        let many: Vec<_> = (0..1_000).map(|second| (second, Connect, "")).collect();
        let last: Vec<_> = (936..1_000).map(|second| (second, second, End::Unknown)).collect();
        check(&many, &last);
    }
}
