//! What the field side knows and has to tell, shared between who listens, who asks and who talks to the desk.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::net::IpAddr;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use nameplate_core::catalog::Catalog;
use nameplate_core::happening::{Admission, Happening};
use nameplate_core::observation::{Observation, Source};
use nameplate_core::profile::{Interpretation, ProfileSet};
use nameplate_core::wire::Reading;
use nameplate_core::wire::conversation::{Over, Role};
use nameplate_core::wire::{self};
use nameplate_field::touch::TouchRecord;
use tokio::sync::{Notify, watch};

use super::known::Known;
use crate::command::ask::Site;
use crate::failure::Failure;
use crate::hatch::{Heard, Next, Outbox, Report};
use crate::intake::{Intake, profile_of};
use crate::print;

/// Rounds that wait while one is asked. The desk sends one at a time.
pub const ROUNDS_WAITING_MAX: usize = 4;
/// How often the desk may want one device in a UTC day: twice what a work order grants. What is wanted beyond that leaves no line in the touch record, which
/// a taken-over desk would else fill.
const WISHES_PER_DAY_MAX: u32 = 24;
/// Nanoseconds of a UTC day.
const DAY_NS: u64 = 86_400_000_000_000;

/// The field side.
pub struct Side<'p> {
    /// Who may be asked, and when.
    pub site: Site,
    /// What the owner rules.
    pub rules: Arc<nameplate_field::site::Rules>,
    /// Every touch.
    pub touch: Arc<TouchRecord>,
    /// Its own directory.
    pub directory: PathBuf,
    /// The public key of the touch record's seals.
    pub key: String,
    /// 1 in a plant.
    pub time_factor: f64,
    /// There is something to tell.
    pub news: Notify,
    /// Whether the last round is over, and none is begun any more.
    pub over: watch::Sender<bool>,
    profiles: &'p ProfileSet,
    /// Addresses of the devices that are listed.
    listed: BTreeSet<IpAddr>,
    told: Mutex<Told<'p>>,
    /// The UTC day, and how often each place was wanted on it.
    wishes: Mutex<(u64, BTreeMap<String, u32>)>,
    /// What was counted on each interface, in the order of the site file.
    heard: Mutex<Vec<Heard>>,
}

/// Behind one lock: what is taken in is told in the same order.
struct Told<'p> {
    intake: Intake<'p>,
    outbox: Outbox,
    asked: VecDeque<Report>,
    known: Known,
}

impl<'p> Side<'p> {
    /// A field side with what it knew when it ended.
    ///
    /// # Errors
    /// What is known of the listed devices cannot be read.
    pub fn new(
        site: Site,
        profiles: &'p ProfileSet,
        directory: PathBuf,
        touch: TouchRecord,
        key: String,
        time_factor: f64,
    ) -> Result<Self, Failure> {
        let mut intake = Intake::new(profiles, None)?;
        let known = Known::open(&directory, &mut intake.view.catalog).map_err(|e| Failure::input(directory.display(), e))?;
        let told = Told { intake, outbox: Outbox::default(), asked: VecDeque::new(), known };
        let rules = Arc::new(site.rules.clone());
        let listed = site.asks(&[])?.iter().filter_map(|ask| ask.endpoint.ip()).map(|ip| ip.to_canonical()).collect();
        let heard = site.interfaces.iter().map(|interface| Heard { interface: interface.clone(), ..Heard::default() }).collect();
        let heard = Mutex::new(heard);
        let touch = Arc::new(touch);
        let (told, wishes) = (Mutex::new(told), Mutex::default());
        Ok(Self {
            site,
            rules,
            touch,
            directory,
            key,
            time_factor,
            news: Notify::new(),
            over: watch::Sender::new(false),
            profiles,
            listed,
            told,
            wishes,
            heard,
        })
    }

    /// Takes what somebody said.
    ///
    /// # Errors
    /// None today: nothing is written to a database here.
    pub fn said(&self, reading: &Reading, source: Source) -> Result<(), Failure> {
        let mut told = self.told();
        let taken = told.intake.take(reading, source)?;
        self.put(&mut told, taken);
        Ok(())
    }

    /// Takes what somebody said when a person had it asked: it is told on, though it may be nothing new.
    ///
    /// # Errors
    /// As [`Side::said`].
    pub fn said_to_order(&self, reading: &Reading, source: Source) -> Result<(), Failure> {
        let mut told = self.told();
        let taken = told.intake.take_each(reading, source)?;
        self.put(&mut told, Some(taken));
        Ok(())
    }

    /// Takes that somebody is there.
    ///
    /// # Errors
    /// As [`Side::said`].
    pub fn present(&self, who: (&'static str, Over, Role), speaker: &wire::Address, source: Source, time_ns: u64) -> Result<(), Failure> {
        let mut told = self.told();
        let taken = told.intake.presence(who, speaker, source, time_ns)?;
        self.put(&mut told, taken);
        Ok(())
    }

    /// Takes that somebody was seen to do something to a device.
    ///
    /// # Errors
    /// As [`Side::said`].
    pub fn done(&self, happening: Happening) -> Result<(), Failure> {
        let mut told = self.told();
        if told.intake.done(happening.clone())? == Admission::News {
            let happening = Box::new(happening);
            told.outbox.put(None, |number| print::json_line(&Report::Done { number, happening }));
            self.news.notify_one();
        }
        Ok(())
    }

    fn put(&self, told: &mut Told<'p>, taken: Option<(Observation, Interpretation)>) {
        let Some((observation, meaning)) = taken else { return };
        if observation.address.ip.is_some_and(|ip| self.listed.contains(&ip.to_canonical())) {
            told.known.remember(&observation, &meaning);
        }
        let rests_on = profile_of(self.profiles, &meaning).map(|(sha256, _)| sha256);
        let (observation, meaning, profile) = (Box::new(observation), Box::new(meaning), rests_on.map(str::to_owned));
        told.outbox.put(rests_on, |number| print::json_line(&Report::Said { number, observation, meaning, profile }));
        self.news.notify_one();
    }

    /// Whether the desk may want what answers there once more today.
    pub fn grants(&self, place: &str, now_ns: u64) -> bool {
        let mut wishes = self.wishes.lock().unwrap_or_else(PoisonError::into_inner);
        if wishes.0 != now_ns / DAY_NS {
            *wishes = (now_ns / DAY_NS, BTreeMap::new());
        }
        let count = wishes.1.entry(place.to_owned()).or_default();
        *count = count.saturating_add(1);
        *count <= WISHES_PER_DAY_MAX
    }

    /// A round is over.
    pub fn asked(&self, report: Report) {
        let mut told = self.told();
        told.asked.push_back(report);
        while told.asked.len() > ROUNDS_WAITING_MAX {
            told.asked.pop_front();
        }
        self.news.notify_one();
    }

    /// What was counted on the interface of this number.
    pub fn counted(&self, number: usize, heard: Heard) {
        if let Some(before) = self.heard().get_mut(number) {
            *before = heard;
        }
    }

    /// The same, to be told.
    pub fn counts(&self) -> Report {
        let given_up = self.told().outbox.given_up();
        Report::Counted { interfaces: self.heard().clone(), given_up }
    }

    fn heard(&self) -> MutexGuard<'_, Vec<Heard>> {
        self.heard.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Another desk is there.
    pub fn begin_again(&self) {
        let mut told = self.told();
        told.outbox.begin_again();
        told.asked.clear();
    }

    /// The next line for the desk, with its line end.
    pub fn next(&self) -> Option<String> {
        let mut told = self.told();
        match told.outbox.next_told() {
            Some(Next::Line(line)) => Some(line),
            Some(Next::Profile(sha256)) => Report::profile(self.profiles, &sha256).map(|report| print::json_line(&report)),
            None => told.asked.pop_front().map(|report| print::json_line(&report)),
        }
    }

    /// The desk has all up to this number.
    pub fn kept(&self, number: u64) {
        self.told().outbox.kept(number);
    }

    /// Looks something up in what is known.
    pub fn with_catalog<T>(&self, look: impl FnOnce(&Catalog) -> T) -> T {
        look(&self.told().intake.view.catalog)
    }

    fn told(&self) -> MutexGuard<'_, Told<'p>> {
        self.told.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
