//! What the field side knows and has to tell, shared between who listens, who asks and who talks to the desk.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::fs::{self, File, OpenOptions};
use std::io::{BufRead, BufReader, ErrorKind, Write};
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use nameplate_core::catalog::Catalog;
use nameplate_core::happening::{Admission, Happening};
use nameplate_core::observation::{Observation, Source};
use nameplate_core::profile::{Interpretation, ProfileSet};
use nameplate_core::wire::Reading;
use nameplate_core::wire::conversation::{Over, Role};
use nameplate_core::wire::{self};
use nameplate_field::capture::live::Counters;
use nameplate_field::touch::TouchRecord;
use tokio::sync::{Notify, watch};

use crate::command::ask::Site;
use crate::failure::Failure;
use crate::hatch::{Heard, Outbox, Report};
use crate::intake::{Intake, profile_of};
use crate::print;

/// Rounds that wait while one is asked. The desk sends one at a time.
pub const ROUNDS_WAITING_MAX: usize = 4;
/// How often the desk may want one device in a UTC day: twice what a work order grants. What is wanted beyond that leaves no line in the touch record, which
/// a taken-over desk would else fill.
const WISHES_PER_DAY_MAX: u32 = 24;
/// Nanoseconds of a UTC day.
const DAY_NS: u64 = 86_400_000_000_000;
/// What is known of the listed devices, beside the touch record: who they are decides what they may be asked, also behind a restart.
const KNOWN_FILE: &str = "known.ndjson";
/// Ten observations of each of 2,000 devices come to 8 MiB.
const KNOWN_BYTES_MAX: u64 = 32 * 1024 * 1024;

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
    known: Mutex<Known<'p>>,
    /// The UTC day, and how often each place was wanted on it.
    wishes: Mutex<(u64, BTreeMap<String, u32>)>,
    /// Of each interface, in the site's order: frames that came in, and that were dropped.
    heard: Vec<(AtomicU64, AtomicU64)>,
}

/// Behind one lock: what is taken in is told in the same order.
struct Known<'p> {
    intake: Intake<'p>,
    outbox: Outbox,
    asked: VecDeque<Report>,
    file: File,
    file_bytes: u64,
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
        let path = directory.join(KNOWN_FILE);
        let failed = |e| Failure::input(path.display(), e);
        read_known(&path, &mut intake.view.catalog).map_err(failed)?;
        let file = OpenOptions::new().append(true).create(true).open(&path).map_err(failed)?;
        let file_bytes = file.metadata().map_err(failed)?.len();
        let known = Known { intake, outbox: Outbox::default(), asked: VecDeque::new(), file, file_bytes };
        let rules = Arc::new(site.rules.clone());
        let listed = site.asks(&[])?.iter().filter_map(|ask| ask.endpoint.ip()).map(|ip| ip.to_canonical()).collect();
        let heard = site.interfaces.iter().map(|_| <(AtomicU64, AtomicU64)>::default()).collect();
        let touch = Arc::new(touch);
        let (known, wishes) = (Mutex::new(known), Mutex::default());
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
            known,
            wishes,
            heard,
        })
    }

    /// Takes what somebody said.
    ///
    /// # Errors
    /// None today: nothing is written to a database here.
    pub fn said(&self, reading: &Reading, source: Source) -> Result<(), Failure> {
        let mut known = self.known();
        let taken = known.intake.take(reading, source)?;
        self.put(&mut known, taken);
        Ok(())
    }

    /// Takes what somebody said when a person had it asked: it is told on, though it may be nothing new.
    ///
    /// # Errors
    /// As [`Side::said`].
    pub fn said_to_order(&self, reading: &Reading, source: Source) -> Result<(), Failure> {
        let mut known = self.known();
        let taken = known.intake.take_each(reading, source)?;
        self.put(&mut known, Some(taken));
        Ok(())
    }

    /// Takes that somebody is there.
    ///
    /// # Errors
    /// As [`Side::said`].
    pub fn present(&self, who: (&'static str, Over, Role), speaker: &wire::Address, source: Source, time_ns: u64) -> Result<(), Failure> {
        let mut known = self.known();
        let taken = known.intake.presence(who, speaker, source, time_ns)?;
        self.put(&mut known, taken);
        Ok(())
    }

    /// Takes that somebody was seen to do something to a device.
    ///
    /// # Errors
    /// As [`Side::said`].
    pub fn done(&self, happening: Happening) -> Result<(), Failure> {
        let mut known = self.known();
        if known.intake.done(happening.clone())? == Admission::News {
            let happening = Box::new(happening);
            known.outbox.put(|number| print::json_line(&Report::Done { number, happening }));
            self.news.notify_one();
        }
        Ok(())
    }

    fn put(&self, known: &mut Known<'p>, taken: Option<(Observation, Interpretation)>) {
        let Some((observation, meaning)) = taken else { return };
        if observation.address.ip.is_some_and(|ip| self.listed.contains(&ip.to_canonical())) {
            known.remember(&observation, &meaning);
        }
        let profile = profile_of(self.profiles, &meaning).map(|(sha256, text)| (sha256.to_owned(), text.to_owned()));
        let (observation, meaning) = (Box::new(observation), Box::new(meaning));
        known.outbox.put(|number| print::json_line(&Report::Said { number, observation, meaning, profile }));
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
        let mut known = self.known();
        known.asked.push_back(report);
        while known.asked.len() > ROUNDS_WAITING_MAX {
            known.asked.pop_front();
        }
        self.news.notify_one();
    }

    /// What the kernel counted on the interface of this number.
    pub fn counted(&self, number: usize, counters: Counters) {
        if let Some((received, dropped)) = self.heard.get(number) {
            received.store(counters.received, Ordering::Relaxed);
            dropped.store(counters.dropped, Ordering::Relaxed);
        }
    }

    /// The same, to be told.
    pub fn counts(&self) -> Report {
        let given_up = self.known().outbox.given_up();
        let heard = |(interface, (received, dropped)): (&String, &(AtomicU64, AtomicU64))| Heard {
            interface: interface.clone(),
            received: received.load(Ordering::Relaxed),
            dropped: dropped.load(Ordering::Relaxed),
        };
        Report::Counted { interfaces: self.site.interfaces.iter().zip(&self.heard).map(heard).collect(), given_up }
    }

    /// Another desk is there.
    pub fn begin_again(&self) {
        let mut known = self.known();
        known.outbox.begin_again();
        known.asked.clear();
    }

    /// The next line for the desk, with its line end.
    pub fn next(&self) -> Option<String> {
        let mut known = self.known();
        known.outbox.next_line().or_else(|| known.asked.pop_front().map(|report| print::json_line(&report)))
    }

    /// The desk has all up to this number.
    pub fn kept(&self, number: u64) {
        self.known().outbox.kept(number);
    }

    /// Looks something up in what is known.
    pub fn with_catalog<T>(&self, look: impl FnOnce(&Catalog) -> T) -> T {
        look(&self.known().intake.view.catalog)
    }

    fn known(&self) -> MutexGuard<'_, Known<'p>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Known<'_> {
    /// Keeps who a listed device is. Where that fails or the file is full, it is known until the end of this run.
    fn remember(&mut self, observation: &Observation, meaning: &Interpretation) {
        let line = print::json_line(&(observation, meaning));
        let bytes = self.file_bytes.saturating_add(line.len() as u64);
        if bytes <= KNOWN_BYTES_MAX && self.file.write_all(line.as_bytes()).is_ok() {
            self.file_bytes = bytes;
        }
    }
}

/// Takes in what was known; a last line that was torn by a power cut, and what another version wrote, are passed over.
fn read_known(path: &Path, catalog: &mut Catalog) -> std::io::Result<()> {
    let file = match File::open(path) {
        Ok(file) => file,
        Err(e) if e.kind() == ErrorKind::NotFound => return Ok(()),
        Err(e) => return Err(e),
    };
    if fs::metadata(path)?.len() > KNOWN_BYTES_MAX {
        return Err(std::io::Error::other(format!("it is longer than {KNOWN_BYTES_MAX} bytes, so nobody here wrote it")));
    }
    for line in BufReader::new(file).split(b'\n') {
        if let Ok((observation, meaning)) = serde_json::from_slice::<(Observation, Interpretation)>(&line?) {
            catalog.take_entry(&observation, &meaning, None);
        }
    }
    Ok(())
}
