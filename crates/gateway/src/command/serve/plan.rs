//! When a plan wants a device asked: once in each period, at a moment of its own, so that a site's devices are spread over the period and a restart makes no
//! burst. Pure: time is an argument, in nanoseconds since 1970-01-01T00:00:00Z.

use std::collections::BTreeMap;
use std::time::Duration;

use sha2::{Digest, Sha256};

/// What is asked how often.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
    /// Its name: it stands in each line of the touch record.
    pub name: String,
    /// Names of devices, as the site file has them; all of them where it is empty.
    pub devices: Vec<String>,
    /// The period.
    pub every: Duration,
    /// What was missed, and who was never asked, is spread over so long behind a start.
    pub catch_up: Duration,
}

/// When which device was last wanted by which plan.
#[derive(Clone, Debug, Default)]
pub struct Wanted(BTreeMap<(String, String), u64>);

impl Wanted {
    /// That a device was asked, or was to be asked, by a plan.
    pub fn at(&mut self, plan: &str, device: &str, time_ns: u64) {
        let last = self.0.entry((plan.to_owned(), device.to_owned())).or_default();
        *last = time_ns.max(*last);
    }

    /// That a device was to be asked by a plan, and was not.
    pub fn forget(&mut self, plan: &str, device: &str) {
        self.0.remove(&(plan.to_owned(), device.to_owned()));
    }
}

impl Plan {
    /// The devices whose moment has come, of those that the site file lists.
    pub fn due(&self, listed: &[String], wanted: &Wanted, started_ns: u64, now_ns: u64) -> Vec<String> {
        let own = |device: &&String| self.devices.is_empty() || self.devices.contains(device);
        let is_due = |device: &&String| self.next(device, wanted, started_ns, now_ns) <= now_ns;
        listed.iter().filter(own).filter(is_due).cloned().collect()
    }

    /// The moment at which a device is to be asked next; it may be over.
    fn next(&self, device: &str, Wanted(wanted): &Wanted, started_ns: u64, now_ns: u64) -> u64 {
        let every = nanoseconds(self.every).max(1);
        let spread = spread(&self.name, device);
        // Its moment in the period that now is in, or in the one before where that is still to come.
        let phase = spread % every;
        let moment = (now_ns.saturating_sub(phase) / every).saturating_mul(every).saturating_add(phase);
        let last = wanted.get(&(self.name.clone(), device.to_owned())).copied();
        if last.is_some_and(|last| last >= moment) {
            return moment.saturating_add(every);
        }
        if moment >= started_ns {
            return moment;
        }
        started_ns.saturating_add(spread % nanoseconds(self.catch_up.min(self.every)).max(1))
    }
}

/// A number of this device in this plan that is the same each time.
fn spread(plan: &str, device: &str) -> u64 {
    let digest = Sha256::new().chain_update(plan).chain_update([0]).chain_update(device).finalize();
    digest.first_chunk().map_or(0, |bytes| u64::from_be_bytes(*bytes))
}

fn nanoseconds(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE: u64 = 60_000_000_000;
    const DAY: u64 = 24 * 60 * MINUTE;
    /// 2026-11-22T00:00:00Z.
    const BEGIN: u64 = 1_795_305_600_000_000_000;

    fn plan() -> Plan {
        Plan {
            name: "daily".to_owned(),
            devices: Vec::new(),
            every: Duration::from_secs(24 * 60 * 60),
            catch_up: Duration::from_secs(15 * 60),
        }
    }

    fn devices() -> Vec<String> {
        (0..200).map(|number| format!("PLC {number}")).collect()
    }

    /// Runs a desk minute by minute; times at which each device was asked.
    fn run(from: u64, until: u64, wanted: &mut Wanted) -> Vec<(u64, String)> {
        let (plan, devices) = (plan(), devices());
        let mut asked = Vec::new();
        for now in (from..until).step_by(usize::try_from(MINUTE).expect("64 bits")) {
            for device in plan.due(&devices, wanted, from, now) {
                wanted.at("daily", &device, now);
                asked.push((now, device));
            }
        }
        asked
    }

    #[test]
    fn each_device_is_asked_once_a_day_at_a_moment_of_its_own() {
        let mut wanted = Wanted::default();
        run(BEGIN, BEGIN + DAY, &mut wanted);
        let asked = run(BEGIN + DAY, BEGIN + 11 * DAY, &mut wanted);
        for device in devices() {
            let times: Vec<u64> = asked.iter().filter(|(_, of)| *of == device).map(|(time, _)| *time).collect();
            assert_eq!(times.len(), 10, "{device}");
            assert!(times.windows(2).all(|pair| pair[1] - pair[0] == DAY), "{device}: {times:?}");
        }
        let most = (BEGIN + DAY..BEGIN + 2 * DAY).step_by(usize::try_from(60 * MINUTE).expect("64 bits"));
        let most = most.map(|hour| asked.iter().filter(|(time, _)| (hour..hour + 60 * MINUTE).contains(time)).count()).max();
        assert!(most.is_some_and(|most| most <= 24), "{most:?} of 200 in one hour of 24");
    }

    #[test]
    fn a_restart_makes_no_burst_and_forgets_nobody() {
        let mut wanted = Wanted::default();
        run(BEGIN, BEGIN + 2 * DAY, &mut wanted);
        // Down for three days and a half.
        let back = BEGIN + 5 * DAY + 12 * 60 * MINUTE;
        let asked = run(back, back + 30 * MINUTE, &mut wanted);
        let in_minute = |minute: u64| asked.iter().filter(|(time, _)| *time == back + minute * MINUTE).count();
        assert!((0..30).all(|minute| in_minute(minute) <= 40), "{:?}", (0..30).map(in_minute).collect::<Vec<_>>());
        let names: std::collections::BTreeSet<&String> = asked.iter().map(|(_, device)| device).collect();
        assert_eq!(names.len(), 200);
        assert_eq!(asked.len(), names.len() + asked.iter().filter(|(time, _)| *time >= back).count() - names.len());
    }

    #[test]
    fn restarts_one_after_another_ask_nobody_twice() {
        let mut wanted = Wanted::default();
        let mut asked = Vec::new();
        for restart in 0..48 {
            let from = BEGIN + restart * 30 * MINUTE;
            asked.extend(run(from, from + 30 * MINUTE, &mut wanted));
        }
        for device in devices() {
            let times = asked.iter().filter(|(_, of)| *of == device).count();
            assert!((1..=2).contains(&times), "{device} was asked {times} times in a day");
        }
    }

    #[test]
    fn a_clock_that_goes_back_asks_nobody_again() {
        let mut wanted = Wanted::default();
        run(BEGIN + 3 * DAY, BEGIN + 4 * DAY, &mut wanted);
        assert_eq!(run(BEGIN + DAY, BEGIN + 2 * DAY, &mut wanted), []);
    }

    #[test]
    fn a_plan_asks_whom_it_names_and_the_site_file_lists() {
        let plan = Plan { devices: vec!["PLC 1".to_owned(), "PLC 999".to_owned()], ..plan() };
        assert_eq!(plan.due(&devices(), &Wanted::default(), 0, BEGIN), ["PLC 1"]);
    }
}
