//! A device that restarted between two readings: its uptime dropped. Pure: both readings are arguments.
//!
//! Only SNMP tells an uptime in what is asked anyway (sysUpTime.0). It counts hundredths of a second in 32 bits and begins again after 497 days
//! (RFC 2578, 7.1.8; RFC 3418, 2): a small figure that this explains is said, and is no restart.

use std::time::{Duration, SystemTime};

use crate::guard::Host;

/// Ticks after which the counter begins again.
const TICKS: u64 = 1 << 32;
const TICK_MS: u64 = 10;
/// How far a device's clock and ours may come apart before a figure is no longer what the last one has become: a minute, and a thousandth of the time
/// between (cheap crystals lose less, and so does a clock that is being set).
const DRIFT_S_MAX: u64 = 60;
const DRIFT_DIVISOR: u32 = 1_000;
/// What a reading upset is back within this time: slow controllers take minutes to start.
const AFTERMATH_S_MAX: u64 = 600;

/// What a device said of how long it had run, and when.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Uptime {
    /// Since 1970-01-01T00:00:00Z.
    pub at: Duration,
    /// Hundredths of a second.
    pub ticks: u32,
}

/// Hours in which a work order lets whatever stands there restart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reboots {
    /// The work order.
    pub order: String,
    /// Where.
    pub host: Host,
    /// First moment, since 1970-01-01T00:00:00Z.
    pub from: Duration,
    /// Last moment.
    pub until: Duration,
}

/// What is known of a device when it is asked for its uptime.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Watch {
    /// What it said last.
    pub before: Option<Uptime>,
    /// When we held its endpoint: begin and end of each earlier reading.
    pub touched: Vec<(Duration, Duration)>,
    /// Where a restart is expected.
    pub reboots: Vec<Reboots>,
}

/// What became of a device since its last reading, where that is news; in words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum News {
    /// Its counter began again, or a work order let it restart: nothing comes of it.
    Explained(String),
    /// It restarted: its breaker opens.
    Restarted(String),
    /// It restarted while we read it, or soon after: its class stops.
    Upset(String),
}

impl Watch {
    /// What an uptime says beside the last one; `None` where the device has run on, or nothing can be told.
    #[must_use]
    pub fn judge(&self, now: Uptime) -> Option<News> {
        let before = self.before?;
        let between = now.at.saturating_sub(before.at);
        let ran_on = u64::from(before.ticks).saturating_add(ticks(between));
        let drift = ticks(Duration::from_secs(DRIFT_S_MAX).saturating_add(between / DRIFT_DIVISOR));
        let apart = (ran_on % TICKS).abs_diff(u64::from(now.ticks));
        let has_dropped = now.ticks < before.ticks;
        if apart.min(TICKS.saturating_sub(apart)) <= drift && (!has_dropped || ran_on.saturating_add(drift) >= TICKS) {
            let why = "its uptime began again at 0, as the 32 bits of SNMP's counter do after 497 days: no restart is counted";
            return has_dropped.then(|| News::Explained(why.to_owned()));
        }
        // A counter that stands still tells no time.
        let began = now.at.saturating_sub(run(now.ticks));
        if now.ticks == before.ticks || (!has_dropped && began < before.at) {
            return None;
        }
        let began = began.max(before.at);
        let aftermath = Duration::from_secs(AFTERMATH_S_MAX);
        let is_ours = self.touched.iter().any(|(from, until)| (*from..=until.saturating_add(aftermath)).contains(&began));
        if !has_dropped && !is_ours {
            return None;
        }
        let told = format!(
            "it had run for {} when it was read at {}, and has run for {} now",
            humantime::format_duration(whole_seconds(run(before.ticks))),
            time(before.at),
            humantime::format_duration(whole_seconds(run(now.ticks)))
        );
        let expected = self.reboots.iter().find(|reboots| (reboots.from..=reboots.until).contains(&began));
        Some(match expected {
            Some(reboots) => {
                News::Explained(format!("{told}: it restarted at about {}, as work order {} lets it", time(began), reboots.order))
            }
            None if is_ours => News::Upset(format!(
                "{told}: it restarted at about {}, while we read it or within {} minutes of that",
                time(began),
                AFTERMATH_S_MAX / 60
            )),
            None => News::Restarted(format!("{told}: it restarted at about {}", time(began))),
        })
    }
}

fn ticks(span: Duration) -> u64 {
    u64::try_from(span.as_millis()).unwrap_or(u64::MAX) / TICK_MS
}

fn run(ticks: u32) -> Duration {
    Duration::from_millis(u64::from(ticks).saturating_mul(TICK_MS))
}

const fn whole_seconds(span: Duration) -> Duration {
    Duration::from_secs(span.as_secs())
}

fn time(at: Duration) -> String {
    SystemTime::UNIX_EPOCH.checked_add(whole_seconds(at)).map_or_else(String::new, |at| humantime::format_rfc3339_seconds(at).to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY: u64 = 86_400;
    /// 2026-01-01T00:00:00Z.
    const START: u64 = 1_767_225_600;
    /// Seconds after which the counter begins again.
    const WRAP: u64 = 42_949_672;

    /// Uptimes in seconds, `between` them; expects the word for what is told, and a part of it.
    fn check(before: u64, between: u64, now: u64, expected: &str, part: &str) {
        let seconds = |second| Duration::from_secs(START + second);
        let ticks = |seconds: u64| u32::try_from(seconds * 100).expect("32 bits");
        let watch = Watch {
            before: Some(Uptime { at: seconds(0), ticks: ticks(before) }),
            touched: vec![(seconds(0), seconds(2))],
            reboots: vec![Reboots {
                order: "WO-7".to_owned(),
                host: Host::Line("/dev/ttyS0".to_owned()),
                from: seconds(20 * DAY),
                until: seconds(20 * DAY + 3_600),
            }],
        };
        let (word, why) = match watch.judge(Uptime { at: seconds(between), ticks: ticks(now) }) {
            None => ("", String::new()),
            Some(News::Explained(why)) => ("explained", why),
            Some(News::Restarted(why)) => ("restarted", why),
            Some(News::Upset(why)) => ("upset", why),
        };
        assert!(word == expected && why.contains(part), "{before} s, {between} s later {now} s: {word} {why:?}");
    }

    #[test]
    fn an_uptime_that_dropped_is_a_restart_and_one_soon_after_a_reading_is_ours() {
        check(1_000, DAY, 1_000 + DAY, "", "");
        check(1_000, 30, 1_029, "", "");
        check(10 * DAY, DAY, 3_600, "restarted", "it had run for 10days when it was read at 2026-01-01T00:00:00Z, and has run for 1h now");
        check(10 * DAY, DAY, 3_600, "restarted", "it restarted at about 2026-01-01T23:00:00Z");
        check(10 * DAY, DAY, DAY - 30, "upset", "at about 2026-01-01T00:00:30Z, while we read it or within 10 minutes of that");
        check(10 * DAY, DAY, DAY - 602, "upset", "2026-01-01T00:10:02Z");
        check(10 * DAY, DAY, DAY - 603, "restarted", "2026-01-01T00:10:03Z");
        check(1_000, 1, 5, "upset", "it restarted at about 2026-01-01T00:00:00Z" /* not before it was read */);
    }

    #[test]
    fn one_that_restarts_at_each_reading_is_seen_though_its_uptime_never_drops() {
        check(DAY - 30, DAY, DAY - 30 + 60, "", "" /* it started before the reading, by its own account */);
        check(DAY - 90, DAY, DAY - 30, "upset", "2026-01-01T00:00:30Z");
        check(1_000, DAY, 2_000, "", "" /* no drop, and not at our reading */);
    }

    #[test]
    fn a_counter_that_stands_still_tells_nothing() {
        check(1_000, 400, 1_000, "", "");
        check(0, 400, 0, "", "");
    }

    #[test]
    fn a_counter_that_began_again_after_497_days_is_no_restart() {
        check(WRAP - 1_000, DAY, DAY - 1_000, "explained", "497 days");
        check(WRAP - 1_000, DAY, DAY - 1_000 - 140, "explained", "497 days");
        check(WRAP - 1_000, DAY, DAY - 1_000 - 160, "restarted", "" /* more than clocks come apart in a day */);
        check(WRAP - 1_000, DAY, 5, "restarted", "");
        check(WRAP / 2, DAY, 5, "restarted", "");
        check(WRAP - 1_000, 900, WRAP - 100, "", "");
    }

    #[test]
    fn a_restart_that_a_work_order_lets_happen_is_no_sign_of_distress() {
        check(100 * DAY, 21 * DAY, DAY - 1_800, "explained", "as work order WO-7 lets it");
        check(100 * DAY, 21 * DAY, DAY - 3_601, "restarted", "");
        check(100 * DAY, 21 * DAY, DAY + 1, "restarted", "");
    }

    #[test]
    fn a_first_reading_is_no_news() {
        assert_eq!(Watch::default().judge(Uptime { at: Duration::from_secs(START), ticks: 1 }), None);
    }
}
