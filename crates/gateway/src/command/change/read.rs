//! One round of readings for a change: each device once, through the guard, all of it into the ledger.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use nameplate_core::change::{Change, Nameplate, Outcome, Place, Try};
use nameplate_core::claim::Grade;
use nameplate_core::ledger::Body;
use nameplate_core::observation::Source;
use nameplate_field::ask::{self, Ask, Event, Reason, Settings, What};
use nameplate_field::guard::{Endpoint, Refused};
use nameplate_field::touch::{Line, TouchRecord};

use super::super::ask::leave_out;
use super::asked::{HEARD, How};
use crate::failure::{Code, Failure};
use crate::intake::Intake;
use crate::store::now_ns;

/// A device as asking tells devices apart.
type Device = (Endpoint, String);

/// Reads the devices of one change.
pub struct Reader<'a, 'p> {
    intake: &'a mut Intake<'p>,
    change: &'a Change,
    touch: Arc<TouchRecord>,
    how: &'a How,
    settings: Settings,
}

/// A try, and what our own side refused of it.
pub struct Heard {
    /// The try.
    pub one: Try,
    /// The rule, and when it may be tried again where time is what it lacks.
    pub refused: Option<(&'static str, Option<SystemTime>)>,
}

/// What one device has said so far in this round.
#[derive(Default)]
struct Account {
    nameplate: Nameplate,
    grades: BTreeMap<String, Grade>,
    entries: Vec<u64>,
    answered: bool,
    why: Option<String>,
    refused: Option<(&'static str, Option<SystemTime>)>,
}

impl<'a, 'p> Reader<'a, 'p> {
    /// A reader for an open change.
    ///
    /// # Errors
    /// As [`How::ask`].
    pub fn new(intake: &'a mut Intake<'p>, change: &'a Change, touch: TouchRecord, how: &'a How) -> Result<Self, Failure> {
        let plan = &change.plan;
        let devices = |places: &[Place]| {
            let asks = places.iter().map(|place| how.ask(plan, place));
            asks.filter_map(Result::transpose).map(|ask| Ok(device(&ask?))).collect::<Result<BTreeSet<Device>, Failure>>()
        };
        let reason = Reason::Change(ask::Change {
            order: plan.order.clone(),
            from: time(plan.from_ns),
            until: time(plan.until_ns),
            scope: devices(&plan.scope)?,
            neighbours: devices(&plan.neighbours)?,
            rebooting_since: change.before.last().map(|step| time(step.time_ns)),
        });
        let rules = Arc::new(how.site.as_ref().map(|site| site.rules.clone()).unwrap_or_default());
        let settings = Settings { time_factor: how.time_factor, rules, ..Settings::new(reason, Arc::new(SystemTime::now)) };
        Ok(Self { intake, change, touch: Arc::new(touch), how, settings })
    }

    /// Asks each of these devices once; what they said is in the ledger when this returns.
    ///
    /// # Errors
    /// A refusal of the whole round, or the state's.
    pub async fn read(&mut self, places: &[&Place]) -> Result<Vec<Heard>, Failure> {
        let mut accounts: BTreeMap<Device, Account> = BTreeMap::new();
        // Budgets and breakers rest on the touch record: if it holds less than was taken from it, nobody is asked.
        self.intake.touched()?;
        // Each time anew: a device's keys are not used twice with the same first numbers.
        let asked = places.iter().map(|place| self.how.ask(&self.change.plan, place)).collect::<Result<Vec<Option<Ask>>, Failure>>()?;
        let devices: Vec<Option<Device>> = asked.iter().map(|ask| ask.as_ref().map(device)).collect();
        accounts.extend(devices.iter().flatten().map(|device| (device.clone(), Account::default())));
        let asks = asked.into_iter().flatten().collect();
        let order = &self.change.plan.order;
        let asks = leave_out(&self.intake.view.catalog, asks, order, &self.touch, |ask, hazard| {
            if let Some(account) = accounts.get_mut(&device(ask)) {
                account.refuse(hazard.rule, hazard.why, None);
            }
        })?;
        let (intake, mut trouble) = (&mut *self.intake, None);
        let touched = ask::ask(asks, &self.settings, Arc::clone(&self.touch), |event| {
            let account = accounts.entry((event.endpoint.canonical(), event.station.clone())).or_default();
            if let Err(failure) = account.take(event, intake, order) {
                trouble.get_or_insert(failure);
            }
        });
        let touched = touched.await.map_err(|refused| Failure::new(Code::Refused, refused.to_string()));
        self.keep_touches(&mut accounts)?;
        trouble.map_or(touched, Err)?;
        let of = |device: Option<Device>| device.and_then(|device| accounts.remove(&device)).unwrap_or_default();
        Ok(devices.into_iter().map(of).zip(places).map(|(account, place)| account.heard(place)).collect())
    }

    /// Takes the touch record into the ledger; each device's lines belong to its try.
    fn keep_touches(&mut self, accounts: &mut BTreeMap<Device, Account>) -> Result<(), Failure> {
        self.intake.commit()?;
        let size = |intake: &Intake<'_>| intake.store().map_or(0, |store| store.size());
        let first = size(self.intake);
        self.intake.touched()?;
        let Some(store) = self.intake.store() else { return Ok(()) };
        for index in first..store.size() {
            let Body::Touch { line } = store.entry(index)?.body else { continue };
            let Ok(line) = serde_json::from_str::<Line>(&line) else { continue };
            let account = line.target.map(|at| (at, line.station.clone().unwrap_or_default())).and_then(|device| accounts.get_mut(&device));
            if let (Some(account), true) = (account, line.reason.as_ref() == Some(&self.change.plan.order)) {
                account.entries.push(index);
            }
        }
        Ok(())
    }
}

impl Account {
    fn take(&mut self, event: Event, intake: &mut Intake<'_>, order: &str) -> Result<(), Failure> {
        match event.what {
            What::Opened | What::Sent { .. } | What::Stray { .. } | What::Uptime(_) | What::Unasked | What::Closed { .. } => {}
            What::Reading(reading) => {
                let (entry, said) = intake.keep(&reading, Source::Asked { reason: order.into() })?;
                self.entries.push(entry);
                self.nameplate.add(&reading, &said, &mut self.grades);
                self.answered = true;
                if !reading.complete {
                    self.fail("its answer was cut or broken".to_owned());
                }
            }
            What::NoAnswer { why, .. } => self.fail(why),
            What::Hostile { why, .. } => self.fail(format!("hostile: {why}")),
            What::Failed { operation, why } => self.fail(format!("{operation}: {why}")),
            What::Refused { refused: Refused { rule, why, .. }, not_before } => self.refuse(rule, &why, not_before),
        }
        Ok(())
    }

    fn fail(&mut self, why: String) {
        self.why.get_or_insert(why);
    }

    fn refuse(&mut self, rule: &'static str, why: &str, not_before: Option<SystemTime>) {
        self.refused.get_or_insert((rule, not_before));
        self.fail(format!("not asked, rule {rule}: {why}"));
    }

    fn heard(mut self, place: &Place) -> Heard {
        self.entries.sort_unstable();
        let outcome = match self.why {
            Some(why) => Outcome::Unread { why },
            None if self.answered => Outcome::Read { nameplate: self.nameplate },
            None if place.protocol() == HEARD => Outcome::Unread { why: "nobody can ask it; what is heard counts (--heard)".to_owned() },
            None => Outcome::Unread { why: "it gave no answer".to_owned() },
        };
        let one = Try { asset: place.asset.clone(), time_ns: now_ns(), entries: self.entries, outcome };
        Heard { one, refused: self.refused }
    }
}

/// Something was tried at all.
///
/// # Errors
/// Refused: every device was refused on our side, so there is nothing to write down.
pub fn some(heard: &[Heard]) -> Result<(), Failure> {
    let why = |heard: &Heard| match (&heard.refused, &heard.one.outcome) {
        (Some(_), Outcome::Unread { why }) => Some(format!("{}: {why}", heard.one.asset)),
        _ => None,
    };
    let refused: Option<Vec<String>> = heard.iter().map(why).collect();
    refused.map_or(Ok(()), |refused| Err(Failure::new(Code::Refused, refused.join("\n"))))
}

/// As asking tells devices apart.
fn device(ask: &Ask) -> Device {
    (ask.endpoint.canonical(), ask.station())
}

fn time(ns: u64) -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_nanos(ns)
}
