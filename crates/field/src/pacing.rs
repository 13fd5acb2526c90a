//! How gently devices are asked: docs/read-only.md, section 3, as numbers and as decisions. Pure: time is an argument.
//!
//! [`may_ask`] looks back (budget and breaker, from the touch record), [`Slots`] looks around (who is being asked right now), and
//! [`Pace`] holds what one connection needs. [`TimeFactor`] shortens our own waits for devices that are simulated on loopback.
//! The guard holds what must not depend on us: connect 3 s, hold 10 s, hard kill 30 s, close 1 s, 8 requests a connection.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::time::Duration;

use crate::breaker::{self, Attempt};
use crate::guard::{HOLD_S_MAX, Host, Refused};

/// Devices of one segment (a /24, or a /64 of IPv6) that are asked at a time: gateways and radio links queue.
pub const SEGMENT_DEVICES_MAX: usize = 4;
/// Wait for an answer on Ethernet. The question is never put again: its answer may still come.
pub const RESPONSE_MS_MAX: u64 = 2_000;
/// The same off a serial line: a slow one must not be taken for silence, and then for the next answer.
pub const LINE_RESPONSE_MS_MAX: u64 = 5_000;
/// From one message to the next on a connection: slow controllers serve one request per cycle.
pub const MESSAGE_GAP_MS: u64 = 200;
/// From the start of one device to the start of the next on a segment.
pub const DEVICE_GAP_MS: u64 = 5_000;
/// Readings of a device per UTC day without a reason.
pub const SCHEDULED_READINGS_MAX: usize = 1;
/// Readings of a device per UTC day with a reason (a work order).
pub const REASONED_READINGS_MAX: usize = 12;
/// Readings of a device for one change, all of its days together, those that failed included: one before, three equal ones after, and
/// eight tries to wait out a reboot.
pub const CHANGE_READINGS_MAX: usize = 12;
/// From the end of one reading of a device to the start of the next.
pub const READING_GAP_MS: u64 = 30_000;

const DAY_SECONDS: u64 = 86_400;
/// A record from further ahead than this was written by a broken clock: it must not lock a device for years.
const CLOCK_AHEAD_S_MAX: u64 = DAY_SECONDS;

/// Shortens the gaps that we keep on our own account; never a time-out, a budget or a breaker. 1 everywhere but on loopback.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct TimeFactor(f64);

impl Default for TimeFactor {
    fn default() -> Self {
        Self(1.0)
    }
}

impl TimeFactor {
    /// A factor in (0, 1] for what leads to these targets; 1 is fine for all of them.
    ///
    /// # Errors
    /// [`Refused`] by rule `pacing.time_factor` when it is not in (0, 1], or shortens anything and a target is not on this machine.
    pub fn new(factor: f64, targets: impl IntoIterator<Item = Host>) -> Result<Self, Refused> {
        let refuse = |why: String| Err(Refused::before_any_byte("pacing.time_factor", why));
        if !(factor > 0.0 && factor <= 1.0) {
            return refuse(format!("the time factor is {factor}; it must be above 0 and at most 1"));
        }
        if factor < 1.0
            && let Some(far) = targets.into_iter().find(|target| !target.is_this_machine())
        {
            return refuse(format!("{far} is no loopback address and no pseudo-terminal: gaps are shortened for simulated devices only"));
        }
        Ok(Self(factor))
    }

    /// This gap, shortened.
    #[must_use]
    pub fn shorten(self, gap_ms: u64) -> Duration {
        Duration::from_millis(gap_ms).mul_f64(self.0)
    }
}

/// What one connection is held to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pace {
    /// From an answer (or the connection) to the next question.
    pub message_gap: Duration,
    /// From a question to its whole answer.
    pub response_max: Duration,
    /// From the connection to the last byte we wait for.
    pub hold_max: Duration,
}

impl Pace {
    /// The defaults of section 3 with our own gap shortened.
    #[must_use]
    pub fn new(factor: TimeFactor) -> Self {
        Self {
            message_gap: factor.shorten(MESSAGE_GAP_MS),
            response_max: Duration::from_millis(RESPONSE_MS_MAX),
            hold_max: Duration::from_secs(HOLD_S_MAX),
        }
    }
}

/// How often a device may be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Budget {
    /// Readings per UTC day, those that failed included.
    pub readings_per_day: usize,
    /// From the end of one to the start of the next.
    pub gap: Duration,
}

impl Budget {
    /// With a reason (a work order) twelve a day, without one a day; the gap is shortened on loopback.
    #[must_use]
    pub fn new(reasoned: bool, factor: TimeFactor) -> Self {
        let readings_per_day = if reasoned { REASONED_READINGS_MAX } else { SCHEDULED_READINGS_MAX };
        Self { readings_per_day, gap: factor.shorten(READING_GAP_MS) }
    }

    /// The same with no more readings a day than the owner allows.
    #[must_use]
    pub fn at_most(self, readings_per_day: Option<usize>) -> Self {
        let most = readings_per_day.map_or(self.readings_per_day, |most| most.min(self.readings_per_day));
        Self { readings_per_day: most, ..self }
    }

    /// Of a device in a change's scope: the change counts its readings itself ([`CHANGE_READINGS_MAX`]); the gap is the same.
    #[must_use]
    pub fn of_change(factor: TimeFactor) -> Self {
        Self { readings_per_day: usize::MAX, gap: factor.shorten(READING_GAP_MS) }
    }
}

/// Why a device may not be asked now, and when it may.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NotYet {
    /// `budget.day`, `budget.gap` or `breaker.open`.
    pub rule: &'static str,
    /// Since 1970-01-01T00:00:00Z.
    pub not_before: Duration,
    /// In words.
    pub because: String,
}

/// What is remembered of a device (an address, a port and a unit), oldest first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Past {
    /// Its own readings: they count for its budget.
    pub own: Vec<Attempt>,
    /// Its own, and those of other units at the same address and port that were refused or reset or met something hostile: these
    /// count for its breaker. A unit that is silent says nothing about its neighbours behind the same gateway.
    pub endpoint: Vec<Attempt>,
}

/// Decides from a device's past whether it may be asked `now` (since 1970-01-01T00:00:00Z).
///
/// # Errors
/// [`NotYet`] by the rule that makes it wait longest.
pub fn may_ask(past: &Past, now: Duration, budget: Budget, seed: u64) -> Result<(), NotYet> {
    let today = now.as_secs() / DAY_SECONDS;
    let horizon = now.saturating_add(Duration::from_secs(CLOCK_AHEAD_S_MAX));
    let credible = |attempts: &[Attempt]| -> Vec<Attempt> {
        attempts.iter().filter(|attempt| attempt.began.max(attempt.ended) <= horizon).copied().collect()
    };
    let history = credible(&past.own);
    // A record from the near future means that a clock was set back: it counts as today's, the device felt it either way.
    let readings = history.iter().filter(|attempt| attempt.began.as_secs() / DAY_SECONDS >= today).count();
    let day = (readings >= budget.readings_per_day).then(|| NotYet {
        rule: "budget.day",
        not_before: Duration::from_secs(today.saturating_add(1).saturating_mul(DAY_SECONDS)),
        because: format!("it was read {readings} times today (UTC), {} is the most", budget.readings_per_day),
    });
    let gap = history.iter().map(|attempt| attempt.ended.max(attempt.began).saturating_add(budget.gap)).max().map(|not_before| NotYet {
        rule: "budget.gap",
        not_before,
        because: format!("readings of one device are at least {:?} apart", budget.gap),
    });
    let breaker = breaker::fold(&credible(&past.endpoint), seed).map(|open| NotYet {
        rule: "breaker.open",
        not_before: open.until,
        because: open.because.to_owned(),
    });
    let waits = [gap, day, breaker].into_iter().flatten().filter(|wait| wait.not_before > now);
    waits.max_by_key(|wait| wait.not_before).map_or(Ok(()), Err)
}

/// What shares its pacing.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Segment {
    /// A /24 of IPv4, a /64 of IPv6: its first address.
    Network(u128),
    /// A serial line, by its path.
    Line(String),
    /// Stations on layer 2, by our interface to them.
    Stations(String),
}

impl Segment {
    /// The segment of a host; IPv4-mapped addresses count as IPv4.
    #[must_use]
    pub fn of(host: &Host) -> Self {
        let address = match host {
            Host::Ip(address) => address.to_canonical(),
            Host::Line(path) => return Self::Line(path.clone()),
            Host::Station(station) => return Self::Stations(station.interface.clone()),
        };
        match address {
            // Mapped back (::ffff:a.b.c.0), so that the two families cannot meet.
            IpAddr::V4(v4) => Self::Network(u128::from(v4.to_ipv6_mapped()) & !0xff),
            IpAddr::V6(v6) => Self::Network(u128::from(v6) & !u128::from(u64::MAX)),
        }
    }
}

/// What [`Slots::take`] says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Slot {
    /// The device is ours until it is given back.
    Taken,
    /// Not before this time (on the clock that `take` was given).
    At(Duration),
    /// Not before another unit of this host is given back.
    Busy,
    /// Not before a host of this segment is given back.
    Full,
}

/// Who is being asked right now, and when each segment was last disturbed. One connection per host at a time: device servers and
/// small controllers have one to spare, or none (H3, H9), and a line has one master.
#[derive(Debug)]
pub struct Slots {
    device_gap: Duration,
    busy: BTreeSet<Host>,
    started: BTreeMap<Segment, Duration>,
}

impl Slots {
    /// Nobody is being asked yet.
    #[must_use]
    pub fn new(factor: TimeFactor) -> Self {
        Self { device_gap: factor.shorten(DEVICE_GAP_MS), busy: BTreeSet::new(), started: BTreeMap::new() }
    }

    /// Somebody before us began with a device of this segment `at` (on the clock of [`Slots::take`], and not later than its now).
    pub fn begun(&mut self, segment: Segment, at: Duration) {
        self.started.insert(segment, at);
    }

    /// Takes the slot for `host` if there is one `now` (any steady clock). Units behind one host count as devices of their own.
    pub fn take(&mut self, host: &Host, now: Duration) -> Slot {
        let segment = Segment::of(host);
        let busy_here = self.busy.iter().filter(|busy| Segment::of(busy) == segment).count();
        if busy_here >= SEGMENT_DEVICES_MAX {
            return Slot::Full;
        }
        if self.busy.contains(host) {
            return Slot::Busy;
        }
        let earliest = self.started.get(&segment).map(|started| started.saturating_add(self.device_gap));
        if let Some(earliest) = earliest.filter(|earliest| *earliest > now) {
            return Slot::At(earliest);
        }
        self.busy.insert(host.clone());
        self.started.insert(segment, now);
        Slot::Taken
    }

    /// Gives the slot of `host` back.
    pub fn give_back(&mut self, host: &Host) {
        self.busy.remove(host);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::breaker::End;

    const DAY: u64 = 20_000 * DAY_SECONDS;
    const ANSWERED: End = End::Answered { latency: Duration::from_millis(10) };

    /// `history`: begin (seconds of the day) and end; every reading lasts a second.
    fn check(history: &[(u64, End)], now: u64, reasoned: bool, expected: Result<(), (&str, u64)>) {
        let attempt = |(began, end): &(u64, End)| Attempt {
            began: Duration::from_secs(DAY + began),
            ended: Duration::from_secs(DAY + began + 1),
            end: *end,
            of_change: false,
        };
        let history: Vec<Attempt> = history.iter().map(attempt).collect();
        let past = Past { endpoint: history.clone(), own: history };
        let said = may_ask(&past, Duration::from_secs(DAY + now), Budget::new(reasoned, TimeFactor::default()), 7);
        let said = said.map_err(|wait| (wait.rule, wait.not_before.as_secs().saturating_sub(DAY)));
        assert_eq!(said, expected, "{:?} at {now}, reasoned {reasoned}", past.own);
    }

    #[test]
    fn a_budget_is_kept_per_device_and_utc_day() {
        check(&[], 0, false, Ok(()));
        check(&[(100, ANSWERED)], 50_000, false, Err(("budget.day", DAY_SECONDS)));
        check(&[(100, ANSWERED)], DAY_SECONDS, false, Ok(()));
        check(&[(DAY_SECONDS - 5, ANSWERED)], DAY_SECONDS, false, Err(("budget.gap", DAY_SECONDS + 26)));
        check(&[(100, ANSWERED)], 110, true, Err(("budget.gap", 131)));
        check(&[(100, ANSWERED)], 130, true, Err(("budget.gap", 131)));
        check(&[(100, ANSWERED)], 131, true, Ok(()));
        let twelve: Vec<_> = (0..12).map(|n| (n * 100, ANSWERED)).collect();
        check(&twelve[..11], 5_000, true, Ok(()));
        check(&twelve, 5_000, true, Err(("budget.day", DAY_SECONDS)));
        check(&twelve, DAY_SECONDS + 5, true, Ok(()));
        check(&[(100, End::Unknown)], 50_000, false, Err(("budget.day", DAY_SECONDS)));
    }

    #[test]
    fn a_clock_that_was_set_back_neither_gives_a_budget_nor_locks_a_device_for_years() {
        check(&[(100, ANSWERED)], 50, true, Err(("budget.gap", 131)));
        check(&[(10 + DAY_SECONDS, ANSWERED)], 50, false, Err(("budget.gap", DAY_SECONDS + 41)));
        check(&[(3_000 * DAY_SECONDS, ANSWERED)], 50, false, Ok(()));
    }

    #[test]
    fn an_open_breaker_says_when_to_come_back() {
        let rebuffed = vec![Attempt { began: Duration::ZERO, ended: Duration::ZERO, end: End::Rebuffed, of_change: false }];
        let history = Past { own: Vec::new(), endpoint: rebuffed };
        let budget = Budget::new(true, TimeFactor::default());
        let wait = may_ask(&history, Duration::from_secs(40), budget, 7).expect_err("a refused connection opens it");
        assert_eq!(wait.rule, "breaker.open");
        assert!((45..=75).contains(&wait.not_before.as_secs()), "{wait:?}");
        assert_eq!(may_ask(&history, wait.not_before, budget, 7), Ok(()), "half-open: one try");
    }

    /// An address, or the path of a line.
    fn host(text: &str) -> Host {
        text.parse::<IpAddr>().map_or_else(|_| Host::Line(text.to_owned()), |ip| Host::Ip(ip.to_canonical()))
    }

    #[test]
    fn time_is_shortened_for_loopback_only() {
        let check = |factor: f64, target: &str, expected: bool| {
            let said = TimeFactor::new(factor, [host(target)]);
            assert_eq!(
                said.as_ref().map_err(|refused| refused.rule).err(),
                (!expected).then_some("pacing.time_factor"),
                "{factor} {target}"
            );
        };
        check(1.0, "192.0.2.1", true);
        check(0.999, "192.0.2.1", false);
        check(0.001, "127.0.0.1", true);
        check(0.001, "127.9.0.1", true);
        check(0.001, "::1", true);
        check(0.001, "::ffff:127.0.0.1", true);
        check(0.001, "::ffff:192.0.2.1", false);
        check(0.001, "/dev/pts/3", true);
        check(0.001, "/dev/ttyUSB0", false);
        for factor in [0.0, -1.0, 1.001, f64::NAN, f64::INFINITY] {
            check(factor, "127.0.0.1", false);
        }
        assert_eq!(TimeFactor::new(0.01, [host("127.0.0.1")]).map(|f| f.shorten(5_000)), Ok(Duration::from_millis(50)));
    }

    /// Each step: an address that asks at a second, or `-` and one that is given back; and what it is told.
    fn check_slots(steps: &[(&str, u64, Slot)]) {
        let mut slots = Slots::new(TimeFactor::default());
        for (step, second, expected) in steps {
            match step.strip_prefix('-') {
                Some(address) => slots.give_back(&host(address)),
                None => {
                    let said = slots.take(&host(step), Duration::from_secs(*second));
                    assert_eq!(said, *expected, "{step} at {second}");
                }
            }
        }
    }

    #[test]
    fn devices_of_a_segment_start_five_seconds_apart_and_four_are_asked_at_a_time() {
        let at = |second| Slot::At(Duration::from_secs(second));
        check_slots(&[
            ("192.0.2.1", 0, Slot::Taken),
            ("192.0.2.1", 9, Slot::Busy),
            ("192.0.2.2", 0, at(5)),
            ("192.0.2.2", 4, at(5)),
            ("198.51.100.2", 0, Slot::Taken),
            ("192.0.2.2", 5, Slot::Taken),
            ("192.0.2.3", 10, Slot::Taken),
            ("192.0.2.4", 15, Slot::Taken),
            ("192.0.2.5", 20, Slot::Full),
            ("-192.0.2.1", 0, Slot::Taken),
            ("::ffff:192.0.2.2", 20, Slot::Busy),
            ("::ffff:192.0.2.5", 20, Slot::Taken),
        ]);
        check_slots(&[
            ("2001:db8::1", 0, Slot::Taken),
            ("2001:db8::ffff:0:0:1", 0, at(5)),
            ("2001:db8:0:1::1", 0, Slot::Taken),
            ("-2001:db8::1", 0, Slot::Taken),
            ("2001:db8::1", 3, at(5)),
        ]);
        check_slots(&[
            ("/dev/ttyS0", 0, Slot::Taken),
            ("/dev/ttyS0", 9, Slot::Busy),
            ("/dev/ttyS1", 0, Slot::Taken),
            ("-/dev/ttyS0", 0, Slot::Taken),
            ("/dev/ttyS0", 3, at(5)),
            ("/dev/ttyS0", 5, Slot::Taken),
        ]);
    }
}
