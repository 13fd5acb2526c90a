//! The one way in: a reading becomes an observation, gets its meaning, goes into the view and, where there is one, the ledger.

use std::collections::{HashMap, HashSet};
use std::sync::{Mutex, MutexGuard, PoisonError};

use nameplate_core::happening::{Admission, Happening};
use nameplate_core::ledger::{Body, Entry};
use nameplate_core::observation::{Address, Observation, Source};
use nameplate_core::profile::{Interpretation, Matched, ProfileSet};
use nameplate_core::view::View;
use nameplate_core::wire::conversation::{Over, Role};
use nameplate_core::wire::{self, Fact, Reading};

use crate::failure::Failure;
use crate::store::{Draft, Store, now_ns};
use nameplate_field::touch;

/// Observations that are committed together: one sync for many, and little to read again after a power cut.
const COMMIT_ENTRIES: usize = 256;
/// Nanoseconds of a UTC day.
const DAY_NS: u64 = 86_400_000_000_000;
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
    /// Behind a lock, because who only looks at the view does so from several threads, and a database's connection is one thread's at a time.
    store: Option<Mutex<Store>>,
    waiting: Vec<Draft>,
    /// What an address said last to a question, per work order, and on which day.
    last: HashMap<(String, wire::Address, &'static str), Said>,
    /// All that is known so far: of the ledger, and of this run.
    pub view: View,
    /// Assets that this run saw, in the order in which it did.
    pub seen: Vec<String>,
    /// The same, to tell in one step whether an asset is among them.
    saw: HashSet<String>,
    /// Observations that were new to the ledger.
    pub kept: usize,
    /// The zone in which all of it is heard or asked, where addresses repeat from zone to zone.
    pub zone: Option<String>,
}

impl<'a> Intake<'a> {
    /// With a store, what its ledger says is where this run goes on.
    ///
    /// # Errors
    /// The store's.
    pub fn new(profiles: &'a ProfileSet, store: Option<Store>) -> Result<Self, Failure> {
        let view = store.as_ref().map(|store| store.view(None)).transpose()?.unwrap_or_default();
        Ok(Self {
            profiles,
            store: store.map(Mutex::new),
            waiting: Vec::new(),
            last: HashMap::new(),
            view,
            seen: Vec::new(),
            saw: HashSet::new(),
            kept: 0,
            zone: None,
        })
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
            self.view.catalog.sighted(reading.protocol, &self.at(&reading.speaker), time_ns);
            return Ok(None);
        }
        self.last.insert(key, heard);
        self.take_each(reading, source).map(Some)
    }

    /// Takes a reading whatever was said before: for a work order each reading counts. Returns it with its meaning.
    ///
    /// # Errors
    /// The store's.
    pub fn take_each(&mut self, reading: &Reading, source: Source) -> Result<(Observation, Interpretation), Failure> {
        let said = self.profiles.interpret(reading);
        let observation = self.observation(reading, source, now_ns());
        self.record(&observation, &said)?;
        Ok((observation, said))
    }

    /// Takes a reading whatever was said before: for a change each reading counts. Returns its entry's index and its meaning.
    ///
    /// # Errors
    /// The store's.
    pub fn keep(&mut self, reading: &Reading, source: Source) -> Result<(u64, Interpretation), Failure> {
        let index = self.size();
        let (_, said) = self.take_each(reading, source)?;
        Ok((index, said))
    }

    /// Takes somebody who takes part in a protocol, and may never say what he is. Returns the observation where nobody was known there.
    ///
    /// # Errors
    /// The store's.
    pub fn presence(
        &mut self,
        (protocol, over, role): (&'static str, Over, Role),
        speaker: &wire::Address,
        source: Source,
        time_ns: u64,
    ) -> Result<Option<(Observation, Interpretation)>, Failure> {
        if let Some(id) = self.view.catalog.sighted(protocol, &self.at(speaker), time_ns) {
            self.saw(id);
            return Ok(None);
        }
        let reading = Reading::new(protocol, over, role.presence(), speaker.clone());
        let said = Interpretation::of(Matched::None, Vec::new());
        let observation = self.observation(&reading, source, time_ns);
        self.record(&observation, &said)?;
        Ok(Some((observation, said)))
    }

    /// Takes what another process read and interpreted, with the text of the profile (SHA-256, text) that said so. One that is known already changes
    /// nothing.
    ///
    /// # Errors
    /// The store's.
    pub fn accept(&mut self, observation: &Observation, said: &Interpretation, profile: Option<(&str, &str)>) -> Result<(), Failure> {
        self.put(Draft::observation(now_ns(), observation.clone(), said.clone(), profile))
    }

    /// Takes what was seen to be done to a device; says whether there was room for it.
    ///
    /// # Errors
    /// The store's.
    pub fn done(&mut self, mut happening: Happening) -> Result<Admission, Failure> {
        happening.device.zone.clone_from(&self.zone);
        let admission = self.view.happenings.admits(&happening);
        if admission == Admission::News {
            self.say(Draft::new(now_ns(), Body::Happening(happening)))?;
        }
        Ok(admission)
    }

    /// Puts something that is no reading into the ledger: an import, an approval, a step of a change. It is in the view at once, and
    /// on disk with the next [`Intake::commit`]. Returns its index; without a store it has one, too, in a ledger that nobody keeps.
    ///
    /// # Errors
    /// The store's.
    pub fn say(&mut self, draft: Draft) -> Result<u64, Failure> {
        let entry = Entry { index: self.size(), time_ns: draft.time_ns, body: draft.body };
        self.view.apply(&entry);
        let index = entry.index;
        self.wait(Draft { time_ns: entry.time_ns, body: entry.body, payloads: draft.payloads })?;
        Ok(index)
    }

    /// Commits what is waiting.
    ///
    /// # Errors
    /// The store's; nothing of the last batch is kept then.
    pub fn commit(&mut self) -> Result<(), Failure> {
        let waiting = std::mem::take(&mut self.waiting);
        let observations = waiting.iter().filter(|draft| matches!(draft.body, Body::Observation(_))).count();
        if let Some(store) = writer(&mut self.store) {
            store.append(&waiting)?;
            self.kept += observations;
        }
        Ok(())
    }

    /// Brings what was taken out of the order of its time into that order: what is shown is asked for behind this.
    pub fn settle(&mut self) {
        self.view.settle();
        self.saw.clear();
        let now = self.seen.iter().filter_map(|id| self.view.catalog.asset(id)).map(|asset| asset.id.clone());
        let now: Vec<String> = now.collect();
        self.seen = now.into_iter().filter(|id| self.saw.insert(id.clone())).collect();
    }

    /// Takes the lines of the touch record that are not in the ledger yet, as they stand, behind what is waiting.
    ///
    /// # Errors
    /// The store's, or the touch record is shorter than what was taken from it.
    pub fn touched(&mut self) -> Result<(), Failure> {
        self.commit()?;
        let Some(store) = writer(&mut self.store) else { return Ok(()) };
        let (mut drafts, mut end) = (Vec::new(), store.touch_bytes());
        let read = touch::lines_from(store.directory(), end, |line, line_end| {
            drafts.push(Draft::new(now_ns(), Body::Touch { line: line.to_owned() }));
            end = line_end;
        });
        read.map_err(|e| Failure::input("the touch record was not taken into the ledger", e))?;
        store.append_touched(&drafts, end).map(|_| ())
    }

    /// Takes lines of another process' touch record, which has `end` bytes up to the last of them, behind what is waiting.
    ///
    /// # Errors
    /// The store's.
    pub fn touched_elsewhere(&mut self, lines: &[String], end: u64) -> Result<(), Failure> {
        self.commit()?;
        let Some(store) = writer(&mut self.store) else { return Ok(()) };
        let drafts: Vec<Draft> = lines.iter().map(|line| Draft::new(now_ns(), Body::Touch { line: line.clone() })).collect();
        store.append_touched(&drafts, end).map(|_| ())
    }

    /// What reads and appends; `None` where nothing is kept.
    #[must_use]
    pub fn store(&self) -> Option<MutexGuard<'_, Store>> {
        // A thread that panicked with the store in hand left it as a crash would have: the next commit is checked against the disk.
        self.store.as_ref().map(|store| store.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Entries, with those that wait to be on disk. It is the index of the next: there is one writer, so nobody takes it in between.
    #[must_use]
    pub fn size(&self) -> u64 {
        self.store().map_or(0, |store| store.size()).saturating_add(self.waiting.len() as u64)
    }

    fn wait(&mut self, draft: Draft) -> Result<(), Failure> {
        if self.store.is_none() {
            return Ok(());
        }
        self.waiting.push(draft);
        if self.waiting.len() >= COMMIT_ENTRIES { self.commit() } else { Ok(()) }
    }

    /// Where that is: an address, in its zone.
    fn at(&self, address: &wire::Address) -> Address {
        Address { zone: self.zone.clone(), ..address.into() }
    }

    fn observation(&self, reading: &Reading, source: Source, time_ns: u64) -> Observation {
        let mut observation = Observation::of(reading, source, time_ns);
        observation.address.zone.clone_from(&self.zone);
        observation
    }

    fn record(&mut self, observation: &Observation, said: &Interpretation) -> Result<(), Failure> {
        let profiles = self.profiles;
        self.put(Draft::observation(now_ns(), observation.clone(), said.clone(), profile_of(profiles, said)))
    }

    fn put(&mut self, draft: Draft) -> Result<(), Failure> {
        let Body::Observation(observed) = &draft.body else { return Ok(()) };
        // Read before, from the same file: seen, and already in the ledger.
        let digest = observed.observation.digest();
        let again = self.view.catalog.knows(&digest);
        let entry = self.store.as_ref().map(|_| self.size());
        let id = self.view.catalog.take_digested(&observed.observation, digest, &observed.interpretation, entry);
        self.saw(id);
        if again { Ok(()) } else { self.wait(draft) }
    }

    fn saw(&mut self, id: String) {
        // Some may have turned out to be this one.
        let was = self.view.catalog.asset(&id).map(|asset| asset.was.as_slice()).unwrap_or_default();
        if was.iter().filter(|id| self.saw.remove(*id)).count() > 0 {
            self.seen.retain(|id| self.saw.contains(id));
        }
        if self.saw.insert(id.clone()) {
            self.seen.push(id);
        }
    }
}

/// The store, in the hands of the one who has all of it.
fn writer(store: &mut Option<Mutex<Store>>) -> Option<&mut Store> {
    store.as_mut().map(|store| store.get_mut().unwrap_or_else(PoisonError::into_inner))
}

/// SHA-256 and text of the profile that said so.
#[must_use]
pub fn profile_of<'p>(profiles: &'p ProfileSet, said: &Interpretation) -> Option<(&'p str, &'p str)> {
    let profile = match &said.matched {
        Matched::One(id) | Matched::Fallback(id) => profiles.get(id),
        Matched::None | Matched::Several(_) => None,
    };
    profile.map(|profile| (profile.sha256.as_str(), profile.text.as_str()))
}

/// The work order or list of a source; captures are one timeline, however many files they stand in.
fn origin(source: &Source) -> &str {
    match source {
        Source::Capture { .. } | Source::Live { .. } => "",
        Source::Asked { reason } => reason,
        Source::Imported { file, .. } => file,
        Source::ByHand { by, .. } => by,
    }
}
