//! The one way in: a reading becomes an observation, gets its meaning, goes into the catalog and, where there is one, the store.

use std::collections::HashMap;

use nameplate_core::catalog::Catalog;
use nameplate_core::observation::{Observation, Source};
use nameplate_core::profile::{Interpretation, Matched, ProfileSet};
use nameplate_core::wire::{self, Fact, Reading};

use crate::failure::Failure;
use crate::store::{Entry, Store};

/// Observations that are committed together: one sync for many, and little to read again after a power cut.
const COMMIT_ENTRIES: usize = 256;
/// Nanoseconds of a UTC day.
const DAY_NS: u64 = 86_400_000_000_000;
/// A server that was seen and not read.
const PRESENCE: &str = "modbus.presence";

/// All that an answer said, without what differs each time (transaction, frame, time). Facts, not claims: what no rule reads yet is news, too.
#[derive(PartialEq)]
struct Said {
    facts: Vec<Fact>,
    malformed: usize,
    complete: bool,
    day: u64,
}

/// Takes readings in.
pub struct Intake<'a> {
    profiles: &'a ProfileSet,
    store: Option<Store>,
    waiting: Vec<Entry>,
    /// What an address said last to a question, per file or work order, and on which day.
    last: HashMap<(String, wire::Address, &'static str), Said>,
    /// All that is known so far: of the store, and of this run.
    pub catalog: Catalog,
    /// Assets that this run saw, in the order in which it did.
    pub seen: Vec<String>,
    /// Observations that were new to the store.
    pub kept: usize,
}

impl<'a> Intake<'a> {
    /// With a store, its catalog is where this run goes on.
    ///
    /// # Errors
    /// The store's.
    pub fn new(profiles: &'a ProfileSet, store: Option<Store>) -> Result<Self, Failure> {
        let catalog = store.as_ref().map(|store| store.catalog(None)).transpose()?.unwrap_or_default();
        Ok(Self { profiles, store, waiting: Vec::new(), last: HashMap::new(), catalog, seen: Vec::new(), kept: 0 })
    }

    /// Takes a reading. Returns the observation with its meaning when it is the first, another than before, or the first of its
    /// UTC day; an equal sighting in between only moves the asset's last time.
    ///
    /// # Errors
    /// The store's.
    pub fn take(&mut self, reading: &Reading, source: Source) -> Result<Option<(Observation, Interpretation)>, Failure> {
        let time_ns = reading.messages.last().map_or(0, |message| message.time_ns);
        let key = (origin(&source).to_owned(), reading.speaker.clone(), reading.question);
        let heard =
            Said { facts: reading.facts.clone(), malformed: reading.malformed.len(), complete: reading.complete, day: time_ns / DAY_NS };
        if self.last.get(&key) == Some(&heard) {
            self.catalog.sighted(&(&reading.speaker).into(), time_ns);
            return Ok(None);
        }
        self.last.insert(key, heard);
        let said = self.profiles.interpret(reading);
        let observation = Observation::of(reading, source, time_ns);
        self.record(&observation, &said)?;
        Ok(Some((observation, said)))
    }

    /// Takes a server that answered something, and may never say what it is.
    ///
    /// # Errors
    /// The store's.
    pub fn presence(&mut self, protocol: &'static str, speaker: &wire::Address, source: Source, time_ns: u64) -> Result<(), Failure> {
        if let Some(id) = self.catalog.sighted(&speaker.into(), time_ns) {
            self.saw(id);
            return Ok(());
        }
        let (messages, facts, malformed) = (Vec::new(), Vec::new(), Vec::new());
        let reading = Reading { protocol, question: PRESENCE, speaker: speaker.clone(), messages, facts, malformed, complete: false };
        let said = Interpretation { matched: Matched::None, claims: Vec::new(), unreadable: Vec::new() };
        self.record(&Observation::of(&reading, source, time_ns), &said)
    }

    /// Commits what is waiting.
    ///
    /// # Errors
    /// The store's; nothing of the last batch is kept then.
    pub fn commit(&mut self) -> Result<(), Failure> {
        if let Some(store) = &mut self.store {
            self.kept += store.append(&self.waiting)?;
        }
        self.waiting.clear();
        Ok(())
    }

    fn record(&mut self, observation: &Observation, said: &Interpretation) -> Result<(), Failure> {
        let id = self.catalog.take(observation, said);
        self.saw(id);
        let profile = match &said.matched {
            Matched::One(id) | Matched::Fallback(id) => self.profiles.get(id),
            Matched::None | Matched::Several(_) => None,
        };
        let profile_sha256 = profile.map(|profile| profile.sha256.clone());
        self.waiting.push(Entry { observation: observation.clone(), interpretation: said.clone(), profile_sha256 });
        if self.waiting.len() >= COMMIT_ENTRIES { self.commit() } else { Ok(()) }
    }

    fn saw(&mut self, id: String) {
        if !self.seen.contains(&id) {
            self.seen.push(id);
        }
    }
}

/// The file or the work order of a source.
fn origin(source: &Source) -> &str {
    match source {
        Source::Capture { file, .. } => file,
        Source::Asked { reason } => reason,
    }
}
