//! The owner's budgets: readings of a whole site, and of its zones, a UTC day at a time, counted from the touch record.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::{Duration, SystemTime};

use super::history::since_1970;
use crate::guard::Endpoint;
use crate::pacing::NotYet;
use crate::site::Rules;
use crate::touch::{Kept, KeptAttempt, Kind, Line, Told, TouchError, recall};

const DAY_SECONDS: u64 = 86_400;

/// How much of a budget is spent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Spent {
    /// The zone; `None` for the whole site.
    pub zone: Option<String>,
    /// Readings today, those that failed included.
    pub readings: usize,
    /// The most that the owner allows.
    pub most: usize,
}

/// Readings by day and zone, of the whole site where there is none. A reading that needs two connections counts twice once it is on record.
#[derive(Debug)]
pub(super) struct Tally<'a> {
    rules: &'a Rules,
    since: u64,
    readings: BTreeMap<(u64, Option<&'a str>), usize>,
}

impl<'a> Tally<'a> {
    /// Nothing has been read `now`; days before are over.
    pub(super) fn new(rules: &'a Rules, now: Duration) -> Self {
        Self { rules, since: day(now), readings: BTreeMap::new() }
    }

    /// Takes one line of the touch record.
    pub(super) fn take(&mut self, line: &Line) {
        if let (Kind::Connect, Some(endpoint)) = (line.kind, &line.target) {
            self.count(endpoint, line.station.as_deref().unwrap_or_default(), since_1970(line.time));
        }
    }

    /// Takes what the lines before the first one come to: of a clock that was ahead there may be readings of today.
    pub(super) fn recall(&mut self, kept: &Kept) {
        let Kept::Device(kept) = kept else { return };
        for KeptAttempt(began, ..) in &kept.attempts {
            self.count(&kept.target, &kept.station, Duration::from_micros(*began));
        }
    }

    /// A reading on record. One from further ahead than a day was written by a broken clock.
    fn count(&mut self, endpoint: &Endpoint, station: &str, time: Duration) {
        if (self.since..=self.since.saturating_add(1)).contains(&day(time)) {
            self.begin(endpoint, station, time);
        }
    }

    /// A device is about to be asked.
    pub(super) fn begin(&mut self, endpoint: &Endpoint, station: &str, now: Duration) {
        let zone = self.rules.zones.get(&(endpoint.canonical(), station.to_owned())).map(|zone| zone.name.as_str());
        for of in [None].into_iter().chain(zone.map(Some)) {
            let count = self.readings.entry((day(now), of)).or_default();
            *count = count.saturating_add(1);
        }
    }

    /// Whether a device may be asked `now`, as far as site and zone go.
    ///
    /// # Errors
    /// [`NotYet`] by `budget.site` or `budget.zone`, until midnight.
    pub(super) fn may(&self, endpoint: &Endpoint, station: &str, now: Duration) -> Result<(), NotYet> {
        let not_before = Duration::from_secs(day(now).saturating_add(1).saturating_mul(DAY_SECONDS));
        let over = |zone: Option<&str>, most: usize| Some(self.today(zone, now)).filter(|readings| *readings >= most);
        if let Some((readings, most)) = self.rules.readings_per_day_in_all.and_then(|most| Some((over(None, most)?, most))) {
            let because = format!("the site had {readings} readings today (UTC), {most} is the most that its owner allows");
            return Err(NotYet { rule: "budget.site", not_before, because });
        }
        let zone = self.rules.zones.get(&(endpoint.canonical(), station.to_owned()));
        if let Some((readings, zone)) = zone.and_then(|zone| Some((over(Some(&zone.name), zone.readings_per_day)?, zone))) {
            let (name, most) = (&zone.name, zone.readings_per_day);
            let because = format!("zone {name:?} had {readings} readings today (UTC), {most} is the most that its owner allows");
            return Err(NotYet { rule: "budget.zone", not_before, because });
        }
        Ok(())
    }

    /// A clock that was set back gives no new budget: what stands ahead counts as today's.
    fn today(&self, zone: Option<&str>, now: Duration) -> usize {
        let of_zone = self.readings.iter().filter(|((at, of), _)| *at >= day(now) && *of == zone);
        of_zone.fold(0, |sum: usize, (_, count)| sum.saturating_add(*count))
    }
}

/// How much of the owner's budgets is spent by what stands in the touch record of this state directory, the site's first.
///
/// # Errors
/// [`TouchError`] where the record cannot be read; one that does not exist has no lines.
pub fn spent(state: &Path, rules: &Rules, now: SystemTime) -> Result<Vec<Spent>, TouchError> {
    if rules.readings_per_day_in_all.is_none() && rules.zones.is_empty() {
        return Ok(Vec::new());
    }
    let now = since_1970(now);
    let mut tally = Tally::new(rules, now);
    recall(state, |told| match told {
        Told::Kept(kept) => tally.recall(&kept),
        Told::Line { line, .. } => tally.take(line),
    })?;
    let zones: BTreeMap<&str, usize> = rules.zones.values().map(|zone| (zone.name.as_str(), zone.readings_per_day)).collect();
    let site = rules.readings_per_day_in_all.map(|most| (None, most));
    let budgets = site.into_iter().chain(zones.into_iter().map(|(name, most)| (Some(name), most)));
    let spent = |(zone, most): (Option<&str>, usize)| Spent { zone: zone.map(str::to_owned), readings: tally.today(zone, now), most };
    Ok(budgets.map(spent).collect())
}

const fn day(time: Duration) -> u64 {
    time.as_secs() / DAY_SECONDS
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::site::Zone;

    const NOON: u64 = 20_000 * DAY_SECONDS + 12 * 3_600;

    fn endpoint(last: u8) -> Endpoint {
        format!("192.0.2.{last}:502").parse().expect("an endpoint")
    }

    /// Pumps are the devices 1 and 2, two readings a day; the site has four.
    fn rules() -> Rules {
        let pumps = || Zone { name: "Pumps".to_owned(), readings_per_day: 2 };
        let zones = [1, 2].map(|last| ((endpoint(last), "1".to_owned()), pumps()));
        Rules { readings_per_day_in_all: Some(4), zones: zones.into(), ..Rules::default() }
    }

    /// Earlier readings as seconds from noon and devices; expects the rule that keeps the device from being asked at noon.
    fn check(earlier: &[(i64, u8)], device: u8, expected: Option<&str>) {
        let rules = rules();
        let mut tally = Tally::new(&rules, Duration::from_secs(NOON));
        for (seconds, device) in earlier {
            for kind in [Kind::Connect, Kind::Sent, Kind::Refused, Kind::Closed] {
                let mut line = Line::new(kind);
                line.time = SystemTime::UNIX_EPOCH + Duration::from_secs(NOON.strict_add_signed(*seconds));
                (line.target, line.station) = (Some(endpoint(*device)), Some("1".to_owned()));
                tally.take(&line);
            }
        }
        let said = tally.may(&endpoint(device), "1", Duration::from_secs(NOON));
        assert_eq!(said.as_ref().err().map(|wait| wait.rule), expected, "{earlier:?} {device}");
        if let Err(wait) = said {
            assert_eq!(wait.not_before, Duration::from_secs(NOON + 12 * 3_600), "midnight");
        }
    }

    #[test]
    fn a_site_and_its_zones_have_a_number_of_readings_a_day() {
        check(&[], 1, None);
        check(&[(-9, 1)], 1, None);
        check(&[(-9, 1), (-8, 2)], 1, Some("budget.zone"));
        check(&[(-9, 1), (-8, 2)], 3, None);
        check(&[(-9, 3), (-8, 3), (-7, 4)], 1, None);
        check(&[(-9, 3), (-8, 3), (-7, 4), (-6, 5)], 1, Some("budget.site"));
        check(&[(-9, 3), (-8, 3), (-7, 4), (-6, 5)], 6, Some("budget.site"));
        check(&[(-13 * 3_600, 1), (-13 * 3_600, 2), (-13 * 3_600, 3), (-13 * 3_600, 4)], 1, None);
    }

    #[test]
    fn a_clock_that_was_set_back_gives_no_new_budget_and_a_broken_one_locks_nobody() {
        check(&[(3_600, 1), (13 * 3_600, 2)], 1, Some("budget.zone"));
        check(&[(50 * 3_600, 1), (50 * 3_600, 2)], 1, None);
    }
}
