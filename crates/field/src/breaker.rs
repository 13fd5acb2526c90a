//! When a device has had enough: the breaker, folded from what the touch record remembers. Pure: time and seed are arguments.
//!
//! The numbers are those of docs/read-only.md, section 3. The breaker of a whole class is in `ask::classes`; whether a device restarted is told by
//! [`crate::uptime`].

use std::time::Duration;

/// Failures in a row that open the breaker: one may be the network's, two are the device's.
pub const FAILURES_MAX: u32 = 2;
/// An answer this many times slower than the device's own baseline says that it is in trouble.
pub const LATENCY_FACTOR_MAX: u32 = 5;
/// Below this no latency is a sign of trouble: a baseline of 1 ms would otherwise open the breaker at 6 ms.
pub const LATENCY_CALM_MS: u64 = 100;
/// Answers that make a baseline; fewer say nothing about what is usual.
pub const BASELINE_ANSWERS_MIN: usize = 3;
/// Answers that the baseline looks back on, so that a device that became slower for good is read again after some days.
pub const BASELINE_ANSWERS_MAX: usize = 15;
/// First wait of an open breaker.
pub const RETRY_MS_MIN: u64 = 60_000;
/// Each further failure waits this many times longer.
pub const RETRY_FACTOR: u64 = 4;
/// Longest wait, jitter included: one try a day harms nobody.
pub const RETRY_MS_MAX: u64 = 24 * 3_600_000;
/// Every wait is up to this much shorter or longer, so that devices do not all come back at once after a plant restart.
pub const JITTER_PERCENT: u64 = 25;

/// One earlier reading of a device.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Attempt {
    /// When it began, since 1970-01-01T00:00:00Z.
    pub began: Duration,
    /// When it ended, since 1970-01-01T00:00:00Z; equals `began` where the end is not on record.
    pub ended: Duration,
    /// How it ended.
    pub end: End,
    /// True where the change that asks now made it, in its window and of its scope.
    pub of_change: bool,
}

impl Attempt {
    /// What a device does that reboots: it is silent, breaks off, refuses or resets. Never: an answer that is none.
    #[must_use]
    pub const fn is_like_a_reboot(&self) -> bool {
        matches!(self.end, End::Failed | End::Rebuffed)
    }
}

/// How a reading ended, as far as the breaker cares.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// The device answered; an exception is an answer, too. `latency` is its slowest answer.
    Answered {
        /// From the last byte of a question to the last byte of its answer.
        latency: Duration,
    },
    /// It was silent, broke off, or we had to stop.
    Failed,
    /// It refused or reset the connection: once is enough.
    Rebuffed,
    /// It answered with what is no Modbus or has no end: once is enough.
    Hostile,
    /// It answered, and had restarted since it was read before.
    Restarted {
        /// While we read it, or soon after.
        upset: bool,
    },
    /// A password was sent and not seen to be taken: no second one soon, whoever counts them (H14).
    Denied,
    /// Not on record (our process ended first, or our guard refused): says nothing about the device.
    Unknown,
}

/// An open breaker.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Open {
    /// When the device may be tried again, since 1970-01-01T00:00:00Z.
    pub until: Duration,
    /// Why it opened.
    pub because: &'static str,
}

/// Folds a device's attempts, oldest first, into the breaker they leave open; `None` when it is closed. The same attempts and the
/// same `seed` always give the same time. The breaker may have been open until a time that has passed: the caller compares.
#[must_use]
pub fn fold(attempts: &[Attempt], seed: u64) -> Option<Open> {
    let mut latencies: Vec<Duration> = Vec::new();
    let (mut failures, mut trips) = (0_u32, 0_u32);
    let mut open = None;
    for attempt in attempts {
        let because = match attempt.end {
            End::Unknown => continue,
            End::Denied => {
                trips = trips.saturating_add(1);
                let because = "it did not take the last password; some relays lock at the third";
                open = Some(Open { until: attempt.ended.saturating_add(Duration::from_millis(RETRY_MS_MAX)), because });
                continue;
            }
            End::Answered { latency } => {
                failures = 0;
                let slow = is_slow(latency, &latencies);
                if latencies.len() == BASELINE_ANSWERS_MAX {
                    latencies.remove(0);
                }
                latencies.push(latency);
                slow.then_some("its last answer took more than 5 times as long as usual")
            }
            End::Restarted { .. } => {
                failures = 0;
                Some("it had restarted since it was read before: its uptime dropped")
            }
            End::Rebuffed | End::Hostile => {
                Some("it refused or reset the last connection, or answered with something that is no sound Modbus")
            }
            End::Failed => {
                failures = failures.saturating_add(1);
                (failures >= FAILURES_MAX || trips > 0).then_some("it failed to answer more than once in a row")
            }
        };
        match because {
            Some(because) => {
                trips = trips.saturating_add(1);
                open = Some(Open { until: attempt.ended.saturating_add(wait(trips, attempt.ended, seed)), because });
            }
            None if matches!(attempt.end, End::Answered { .. }) => (trips, open) = (0, None),
            None => {}
        }
    }
    open
}

fn is_slow(latency: Duration, earlier: &[Duration]) -> bool {
    if earlier.len() < BASELINE_ANSWERS_MIN {
        return false;
    }
    let mut sorted = earlier.to_vec();
    sorted.sort_unstable();
    // The median: one slow day must not become the measure.
    let usual = sorted.get(sorted.len() / 2).copied().unwrap_or_default();
    latency > Duration::from_millis(LATENCY_CALM_MS) && latency > usual.saturating_mul(LATENCY_FACTOR_MAX)
}

/// How long the breaker stays open after its `trips`-th failure (from 1): 1 min, 4 min, 16 min, ... 24 h, each +-25 %.
fn wait(trips: u32, at: Duration, seed: u64) -> Duration {
    let base_ms = RETRY_MS_MIN.saturating_mul(RETRY_FACTOR.saturating_pow(trips.saturating_sub(1))).min(RETRY_MS_MAX);
    let reach_ms = base_ms * JITTER_PERCENT / 100;
    let draw = mix(seed ^ u64::try_from(at.as_nanos()).unwrap_or(u64::MAX)) % (2 * reach_ms + 1);
    Duration::from_millis((base_ms - reach_ms + draw).min(RETRY_MS_MAX))
}

/// SplitMix64's finaliser (Steele, Lea, Flood 2014): spreads a seed evenly; nothing secret hangs on it.
const fn mix(seed: u64) -> u64 {
    let mut z = seed.wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SEEDS: [u64; 4] = [0, 1, 0xdead_beef, u64::MAX];

    /// Attempts as words, a day apart, each one second long: `answered 20` (milliseconds), `failed`, `rebuffed`, `unknown`.
    fn attempts(words: &str) -> Vec<Attempt> {
        let parse = |(day, word): (usize, &str)| {
            let began = Duration::from_secs(day as u64 * 86_400);
            let end = match word.split_once(' ') {
                Some(("answered", ms)) => End::Answered { latency: Duration::from_millis(ms.parse().expect("a number")) },
                _ => match word {
                    "failed" => End::Failed,
                    "rebuffed" => End::Rebuffed,
                    "hostile" => End::Hostile,
                    "denied" => End::Denied,
                    "restarted" => End::Restarted { upset: false },
                    "upset" => End::Restarted { upset: true },
                    "unknown" => End::Unknown,
                    other => panic!("no such word: {other}"),
                },
            };
            Attempt { began, ended: began + Duration::from_secs(1), end, of_change: false }
        };
        words.split(", ").filter(|word| !word.is_empty()).enumerate().map(parse).collect()
    }

    /// `expected` is the wait in seconds without jitter, 0 for a closed breaker.
    fn check(words: &str, expected: u64) {
        let attempts = attempts(words);
        for seed in SEEDS {
            let open = fold(&attempts, seed);
            assert_eq!(open, fold(&attempts, seed), "{words}: the same time whenever it is asked");
            if expected == 0 {
                assert_eq!(open, None, "{words}");
                continue;
            }
            let open = open.unwrap_or_else(|| panic!("{words}: it is closed"));
            let waited = (open.until - attempts[attempts.len() - 1].ended).as_millis() as u64;
            let (least, most) = (expected * 750, (expected * 1_250).min(24 * 3_600_000));
            assert!((least..=most).contains(&waited), "{words}: {waited} ms, expected {expected} s +-25 %");
        }
    }

    #[test]
    fn the_breaker_opens_and_closes_as_the_table_says() {
        check("", 0);
        check("answered 20", 0);
        check("failed", 0);
        check("failed, failed", 60);
        check("failed, answered 20, failed", 0);
        check("failed, unknown, failed", 60);
        check("rebuffed", 60);
        check("hostile", 60);
        check("rebuffed, failed", 240);
        check("denied", 86_400);
        check("denied, answered 20", 0);
        assert_eq!(fold(&attempts("rebuffed, unknown"), 1), fold(&attempts("rebuffed"), 1), "the wait counts from the rebuff");
        for restarted in ["restarted", "upset"] {
            check(restarted, 60);
            check(&format!("{restarted}, answered 20"), 0);
            check(&format!("{restarted}, {restarted}"), 240);
            check(&format!("failed, {restarted}, unknown, answered 20, failed"), 0);
        }
        check("answered 20, rebuffed", 60);
        check("rebuffed, answered 20", 0);
        check("rebuffed, answered 20, failed", 0);
        check("failed, failed, failed", 240);
        check("failed, failed, failed, failed", 960);
        check("failed, failed, failed, failed, failed, failed, failed, failed, failed, failed", 86_400);
    }

    #[test]
    fn an_answer_five_times_slower_than_usual_opens_it() {
        check("answered 200, answered 200, answered 1100", 0 /* two answers are no baseline */);
        check("answered 200, answered 200, answered 200, answered 1000", 0);
        check("answered 200, answered 200, answered 200, answered 1001", 60);
        check("answered 200, answered 200, answered 200, answered 1001, answered 200", 0);
        check("answered 1, answered 1, answered 1, answered 90", 0 /* calm */);
        check("answered 1, answered 1, answered 1, answered 101", 60);
        check("answered 200, answered 1900, answered 200, answered 1001", 60 /* the median, not the mean */);
    }

    #[test]
    fn jitter_spreads_the_retries() {
        let attempts = attempts("rebuffed");
        let mut times: Vec<_> = (0..100).map(|seed| fold(&attempts, seed).expect("open").until).collect();
        times.sort_unstable();
        times.dedup();
        assert!(times.len() > 90, "{} different times of 100", times.len());
    }
}
