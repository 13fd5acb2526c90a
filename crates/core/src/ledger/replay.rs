//! Records on their way into a view. A device says the same each day: of its record only the time, the way and the answer's bytes are read
//! again; what it means and all that a catalog looks at was read before, and is found by its text.

mod cut;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use sha2::{Digest, Sha256};

use super::canonical::canonical;
use super::entry::Entry;
use super::record::{BadRecord, ObservationRecord, Tail, is_touch};
use crate::catalog::{Meaning, Outline};
use crate::observation::{Observation, Source};
use crate::profile::Interpretation;
use cut::{Cut, Marks};

/// Texts of one kind that are remembered, a KiB each; beyond them the memory begins anew.
const REMEMBERED_TEXTS_MAX: usize = 8192;

/// Reads records in any number.
#[derive(Debug, Default)]
pub struct Replay {
    own: Memory,
    /// What it and those [beside it](Replay::beside) remember, so that what is equal lies in one place, whoever of them read it.
    shared: Arc<Mutex<Memory>>,
    marks: Marks,
    /// Memory to write on.
    page: Vec<u8>,
    /// The name of the latest way.
    name: Arc<str>,
}

/// Meanings by the JSON of their interpretations.
type Meanings = HashMap<Arc<[u8]>, Arc<Meaning>>;
/// One of them.
type Said = (Arc<[u8]>, Arc<Meaning>);

/// What was read before, by its text.
#[derive(Debug, Default)]
struct Memory {
    said: Meanings,
    /// By [`Cut::outline`].
    outlines: HashMap<Arc<[u8]>, Known>,
}

/// What is known of an observation with this outline.
#[derive(Clone, Debug)]
struct Known {
    outline: Arc<Outline>,
    /// How the JSON begins that [`Observation::digest`] is taken of: up to the messages.
    beginning: Arc<[u8]>,
    /// What it meant last, by its text.
    said: Said,
}

/// What a record holds for a view.
#[derive(Clone, Debug, PartialEq)]
pub enum Replayed {
    /// A reading.
    Reading {
        /// Its entry.
        index: u64,
        /// The observation, but for its time, its way and its bytes.
        outline: Arc<Outline>,
        /// The way it came.
        source: Source,
        /// Its time, in nanoseconds since 1970.
        time_ns: u64,
        /// Its [`Observation::digest`].
        digest: [u8; 32],
        /// What it meant on that day.
        said: Arc<Meaning>,
    },
    /// Anything else.
    Entry(Box<Entry>),
    /// A touch line: no view looks at it.
    Nothing,
}

impl Replay {
    /// Another reader of the same ledger.
    #[must_use]
    pub fn beside(&self) -> Self {
        Self { shared: Arc::clone(&self.shared), ..Self::default() }
    }

    /// Reads a record, whose end is `tail`; equal to [`Entry::of`] in what it takes and what it refuses, but for touch lines, which it does not read.
    ///
    /// # Errors
    /// [`BadRecord`].
    pub fn record(&mut self, record: &[u8], tail: &Tail) -> Result<Replayed, BadRecord> {
        if is_touch(record) {
            return Ok(Replayed::Nothing);
        }
        let cut = self.marks.cut(record, tail);
        if let Some(reading) = cut.as_ref().and_then(|cut| self.again(cut, tail.index)) {
            return Ok(reading);
        }
        let Some(raw) = ObservationRecord::of(record)? else { return Ok(Replayed::Entry(Box::new(Entry::of(record)?))) };
        let (index, observation) = (raw.index, raw.body.observation);
        let text = raw.body.interpretation.get().as_bytes();
        let said = meaning(&mut self.own.said, &self.shared, text)?;
        let outline = cut.and_then(|cut| self.remember(&cut, &observation, &said));
        let outline = outline.unwrap_or_else(|| Arc::new(Outline::of(&observation)));
        let (digest, time_ns, source) = (observation.digest(), observation.time_ns, observation.source);
        Ok(Replayed::Reading { index, outline, source, time_ns, digest, said: said.1 })
    }

    /// A reading whose outline was read before; `None` where it was not, or where what it means cannot be read.
    fn again(&mut self, cut: &Cut<'_>, index: u64) -> Option<Replayed> {
        let Self { own, shared, page, .. } = self;
        cut.outline(page);
        let known = match own.outlines.get_mut(&**page) {
            Some(known) => known,
            None => {
                let known = lock(shared).outlines.get(&**page).cloned()?;
                keep(&mut own.outlines, page.as_slice().into(), known);
                own.outlines.get_mut(&**page)?
            }
        };
        if *known.said.0 != *cut.said {
            known.said = meaning(&mut own.said, shared, cut.said).ok()?;
        }
        let (outline, said) = (Arc::clone(&known.outline), Arc::clone(&known.said.1));
        cut.digested(&known.beginning, page);
        let digest = Sha256::digest(page).into();
        // Readings come by the hundred by one way.
        if *self.name != *cut.way.name {
            self.name = cut.way.name.into();
        }
        Some(Replayed::Reading { index, outline, source: cut.way.source(&self.name), time_ns: cut.time.value, digest, said })
    }

    /// Remembers an observation that was read the long way. `None` where it does not stand as [`Entry::record`] writes it: then none that
    /// looks like it is taken for the same.
    fn remember(&mut self, cut: &Cut<'_>, observation: &Observation, said: &Said) -> Option<Arc<Outline>> {
        let digested = serde_json::to_vec(observation).ok()?;
        let beginning = self.marks.beginning(&digested)?;
        cut.digested(beginning, &mut self.page);
        if self.page != digested || canonical(observation).ok()? != cut.observation {
            return None;
        }
        cut.outline(&mut self.page);
        let mut shared = lock(&self.shared);
        if let Some(known) = shared.outlines.get(&*self.page) {
            return Some(Arc::clone(&known.outline));
        }
        let known = Known { outline: Arc::new(Outline::of(observation)), beginning: beginning.into(), said: said.clone() };
        let outline = Arc::clone(&known.outline);
        keep(&mut shared.outlines, self.page.as_slice().into(), known);
        Some(outline)
    }
}

/// The meaning with this JSON, out of one's own memory or that of all.
fn meaning(own: &mut Meanings, shared: &Mutex<Memory>, text: &[u8]) -> Result<Said, BadRecord> {
    let found = |memory: &Meanings| memory.get_key_value(text).map(|(text, said)| (Arc::clone(text), Arc::clone(said)));
    if let Some(said) = found(own) {
        return Ok(said);
    }
    let shared = &mut lock(shared).said;
    let said = match found(shared) {
        Some(said) => said,
        None => (text.into(), Arc::new(Meaning::of(&serde_json::from_slice::<Interpretation>(text)?))),
    };
    for memory in [shared, own] {
        keep(memory, Arc::clone(&said.0), Arc::clone(&said.1));
    }
    Ok(said)
}

/// Nobody leaves it half changed.
fn lock(memory: &Mutex<Memory>) -> MutexGuard<'_, Memory> {
    memory.lock().unwrap_or_else(PoisonError::into_inner)
}

fn keep<V>(memory: &mut HashMap<Arc<[u8]>, V>, text: Arc<[u8]>, value: V) {
    if memory.len() >= REMEMBERED_TEXTS_MAX {
        memory.clear();
    }
    memory.insert(text, value);
}

#[cfg(test)]
mod tests;
