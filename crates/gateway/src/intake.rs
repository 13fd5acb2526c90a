//! The one way in: a reading becomes an observation, gets its meaning, goes into the view and, where there is one, the ledger.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use nameplate_core::catalog::Catalog;
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
    store: Option<Arc<Mutex<Store>>>,
    waiting: Vec<Draft>,
    /// How much of another process' touch record is in the ledger with what waits.
    touched_end: Option<u64>,
    /// Somebody else commits what waits: [`Intake::waiting`].
    is_committed_elsewhere: bool,
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
            store: store.map(|store| Arc::new(Mutex::new(store))),
            waiting: Vec::new(),
            touched_end: None,
            is_committed_elsewhere: false,
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
    /// The store's; nothing of the last batch is on disk then, and it waits on.
    pub fn commit(&mut self) -> Result<(), Failure> {
        let Some(store) = self.shelf() else { return Ok(()) };
        let batch = self.waiting();
        let appended = batch.append(&mut store.lock().unwrap_or_else(PoisonError::into_inner));
        if let Err(failure) = appended {
            (self.waiting, self.touched_end) = (batch.drafts, batch.touched_end);
            return Err(failure);
        }
        self.kept += batch.observations();
        Ok(())
    }

    /// From now on [`Intake::wait`] commits nothing: whoever holds it does, with what [`Intake::waiting`] gives.
    pub const fn is_committed_elsewhere(&mut self) {
        self.is_committed_elsewhere = true;
    }

    /// What waits to be on disk, to be appended in this order and behind all that was given out before.
    pub fn waiting(&mut self) -> Batch {
        Batch { drafts: std::mem::take(&mut self.waiting), touched_end: self.touched_end.take() }
    }

    /// How many entries wait to be on disk.
    #[must_use]
    pub const fn waits(&self) -> u64 {
        self.waiting.len() as u64
    }

    /// Whether so much waits that it should be committed.
    #[must_use]
    pub const fn is_full(&self) -> bool {
        self.waiting.len() >= COMMIT_ENTRIES
    }

    /// The store itself, for who commits elsewhere; `None` where nothing is kept.
    #[must_use]
    pub fn shelf(&self) -> Option<Arc<Mutex<Store>>> {
        self.store.clone()
    }

    /// Puts another store in the place of the one that is there, which is closed.
    pub fn reopen(&mut self, store: Option<Store>) {
        self.store = store.map(|store| Arc::new(Mutex::new(store)));
    }

    /// Brings what was taken out of the order of its time into that order: what is shown is asked for behind this.
    pub fn settle(&mut self) {
        self.view.settle();
        self.look_again();
    }

    /// The same with a catalog that was brought into order elsewhere; the one that was there.
    #[must_use]
    pub fn settled(&mut self, catalog: Catalog) -> Catalog {
        let before = std::mem::replace(&mut self.view.catalog, catalog);
        self.look_again();
        before
    }

    fn look_again(&mut self) {
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
        let Some(mut store) = self.store() else { return Ok(()) };
        let (mut drafts, mut end) = (Vec::new(), store.touch_bytes());
        let read = touch::lines_from(store.directory(), end, |line, _, line_end| {
            drafts.push(Draft::new(now_ns(), Body::Touch { line: line.to_owned() }));
            end = line_end;
        });
        read.map_err(|e| Failure::input("the touch record was not taken into the ledger", e))?;
        store.append_touched(&drafts, end).map(|_| ())
    }

    /// Takes lines of another process' touch record, which has `end` bytes up to the last of them, behind what is waiting. They are on disk with the next
    /// commit.
    ///
    /// # Errors
    /// The store's.
    pub fn touched_elsewhere(&mut self, lines: &[String], end: u64) -> Result<(), Failure> {
        self.touched_end = Some(end);
        lines.iter().try_for_each(|line| self.wait(Draft::new(now_ns(), Body::Touch { line: line.clone() })))
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
        if self.store.is_none() && !self.is_committed_elsewhere {
            return Ok(());
        }
        self.waiting.push(draft);
        if self.is_full() && !self.is_committed_elsewhere { self.commit() } else { Ok(()) }
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
        let again = self.view.catalog.knows(observed.observation.time_ns, &digest);
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

/// What is committed at once.
#[derive(Default)]
pub struct Batch {
    drafts: Vec<Draft>,
    touched_end: Option<u64>,
}

impl Batch {
    /// Puts it behind what is in the store; it stays as it is, so that it can be tried again.
    ///
    /// # Errors
    /// The store's; nothing of it is kept then.
    pub fn append(&self, store: &mut Store) -> Result<(), Failure> {
        let end = self.touched_end.unwrap_or_else(|| store.touch_bytes());
        store.append_touched(&self.drafts, end).map(|_| ())
    }

    /// Entries of it.
    #[must_use]
    pub const fn entries(&self) -> u64 {
        self.drafts.len() as u64
    }

    fn observations(&self) -> usize {
        self.drafts.iter().filter(|draft| matches!(draft.body, Body::Observation(_))).count()
    }
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
