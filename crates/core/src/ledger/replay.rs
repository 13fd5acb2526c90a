//! Records on their way into a view. A device says the same each day: what its answer means is parsed once and remembered.

use std::collections::HashMap;
use std::sync::Arc;

use super::entry::Entry;
use super::record::{BadRecord, ObservationRecord, is_touch};
use crate::observation::Observation;
use crate::profile::Interpretation;

/// Interpretations that are remembered, some KiB each; beyond them the memory begins anew.
const REMEMBERED_TEXTS_MAX: usize = 8192;

/// Reads records in any number; each worker has its own.
#[derive(Debug, Default)]
pub struct Replay {
    /// By their JSON.
    said: HashMap<Box<str>, Arc<Interpretation>>,
}

/// What a record holds for a view.
#[derive(Clone, Debug, PartialEq)]
#[expect(clippy::large_enum_variant, reason = "nearly all are readings")]
pub enum Replayed {
    /// A reading.
    Reading {
        /// Its entry.
        index: u64,
        /// The observation.
        observation: Observation,
        /// Its [`Observation::digest`].
        digest: [u8; 32],
        /// What it meant on that day.
        said: Arc<Interpretation>,
    },
    /// Anything else.
    Entry(Box<Entry>),
    /// A touch line: no view looks at it.
    Nothing,
}

impl Replay {
    /// Reads a record; equal to [`Entry::of`] in what it takes and what it refuses, but for touch lines, which it does not read.
    ///
    /// # Errors
    /// [`BadRecord`].
    pub fn record(&mut self, record: &[u8]) -> Result<Replayed, BadRecord> {
        if is_touch(record) {
            return Ok(Replayed::Nothing);
        }
        let Some(raw) = ObservationRecord::of(record)? else { return Ok(Replayed::Entry(Box::new(Entry::of(record)?))) };
        let observation = raw.body.observation;
        let digest = observation.digest();
        let said = self.said(raw.body.interpretation.get())?;
        Ok(Replayed::Reading { index: raw.index, observation, digest, said })
    }

    fn said(&mut self, text: &str) -> Result<Arc<Interpretation>, BadRecord> {
        if let Some(said) = self.said.get(text) {
            return Ok(Arc::clone(said));
        }
        if self.said.len() >= REMEMBERED_TEXTS_MAX {
            self.said.clear();
        }
        let said = Arc::new(serde_json::from_str(text)?);
        self.said.insert(text.into(), Arc::clone(&said));
        Ok(said)
    }
}
