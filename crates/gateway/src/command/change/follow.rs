//! After a change: waits out the silence of devices that reboot, and reads them until they say the same several times.

use std::time::{Duration, SystemTime};

use nameplate_core::change::{Nameplate, Outcome, Place, Try};
use nameplate_core::text::printable;
use nameplate_field::pacing::READING_GAP_MS;
use tokio::time::{Instant, sleep_until};

use super::read::{Heard, Reader, some};
use crate::failure::Failure;

/// Every so many failures the wait doubles: 30, 30, 60, 60, 120, ... s. Eight tries reach over ten minutes, and leave three of the
/// twelve readings of a change for the equal ones.
const FAILURES_PER_STEP: u32 = 2;
/// Longest step: beyond it every budget is used up.
const STEPS_MAX: u32 = 8;
/// What a refusal for the moment is waited out for.
const WAITS: [&str; 2] = ["budget.gap", "breaker.open"];

/// How devices are followed.
#[derive(Clone, Debug)]
pub struct Following {
    /// So many readings in a row must be equal; of a neighbour one is enough.
    pub equal: u32,
    /// How long a device may be silent, in seconds.
    pub patience_s: u64,
    /// Who accepts that no serial number proves the identity.
    pub accepted_by: Option<String>,
}

/// One device on its way back.
struct Course<'a> {
    place: &'a Place,
    wanted: u32,
    last: Option<Nameplate>,
    equal: u32,
    failures: u32,
    next: Instant,
    done: bool,
}

/// All tries, oldest first.
///
/// # Errors
/// Refused, when no device could be asked at all; the state's.
pub async fn follow(
    reader: &mut Reader<'_, '_>,
    (scope, neighbours): (&[&Place], &[&Place]),
    following: &Following,
    time_factor: f64,
) -> Result<Vec<Try>, Failure> {
    let started = Instant::now();
    // The factor has not been checked yet: a bad one is refused with the first reading, and must not panic here.
    let scaled = |span: Duration| Duration::try_from_secs_f64(span.as_secs_f64() * time_factor).unwrap_or(span);
    let until = started + scaled(Duration::from_secs(following.patience_s));
    let gap = scaled(Duration::from_millis(READING_GAP_MS));
    let course = |place, wanted| Course { place, wanted, last: None, equal: 0, failures: 0, next: started, done: false };
    let mut courses: Vec<Course<'_>> = scope.iter().map(|place| course(*place, following.equal)).collect();
    courses.extend(neighbours.iter().map(|place| course(*place, 1)));
    let mut all: Vec<Heard> = Vec::new();
    while let Some(next) = courses.iter().filter(|course| !course.done).map(|course| course.next).min() {
        sleep_until(next).await;
        let now = Instant::now();
        let mut due: Vec<&mut Course<'_>> = courses.iter_mut().filter(|course| !course.done && course.next <= now).collect();
        let places: Vec<&Place> = due.iter().map(|course| course.place).collect();
        for (course, heard) in due.iter_mut().zip(reader.read(&places).await?) {
            if course.take(&heard, gap, until) {
                all.push(heard);
            }
        }
    }
    some(&all)?;
    Ok(all.into_iter().map(|heard| heard.one).collect())
}

impl Course<'_> {
    /// Goes on after a try; false where it was none, because it came too early.
    fn take(&mut self, heard: &Heard, gap: Duration, until: Instant) -> bool {
        let now = Instant::now();
        match (&heard.one.outcome, heard.refused) {
            (Outcome::Read { nameplate }, _) => {
                self.equal = if self.last.as_ref() == Some(nameplate) { self.equal.saturating_add(1) } else { 1 };
                (self.last, self.failures, self.next) = (Some(nameplate.clone()), 0, now + gap);
                self.done = self.equal >= self.wanted;
                let counted = if self.wanted > 1 { format!(", {} of {} equal readings", self.equal, self.wanted) } else { String::new() };
                self.say(&format!("answered{counted}"));
                true
            }
            (Outcome::Unread { .. }, Some((rule, Some(not_before))))
                if WAITS.contains(&rule) && now + wait(not_before) <= until.max(now + gap) =>
            {
                self.next = now + wait(not_before);
                false
            }
            (Outcome::Unread { why }, refused) => {
                let steps = (self.failures / FAILURES_PER_STEP).min(STEPS_MAX);
                self.failures = self.failures.saturating_add(1);
                (self.last, self.equal) = (None, 0);
                // The last try is at the end of our patience, not before it.
                self.next = (now + gap.saturating_mul(1 << steps)).min(until).max(now + gap);
                self.done = refused.is_some() || self.next > until;
                let then = if self.done { "given up".to_owned() } else { format!("next try in {:?}", self.next - now) };
                self.say(&format!("{why}; {then}"));
                true
            }
        }
    }

    fn say(&self, what: &str) {
        eprintln!("{}: {}", self.place.asset, printable(what));
    }
}

/// From now to a time of day.
fn wait(not_before: SystemTime) -> Duration {
    not_before.duration_since(SystemTime::now()).unwrap_or_default()
}
