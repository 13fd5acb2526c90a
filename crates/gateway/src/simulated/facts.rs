//! What an example of a profile says, by name.

use nameplate_core::profile::{Example, Profile};
use nameplate_core::text::decode_fact;
use nameplate_core::wire::conversation::{Over, Protocol};
use nameplate_core::wire::modbus::registers::Read;
use nameplate_core::wire::{Address, Fact, Reading, protocols};

use crate::command::profile::frames;

/// The facts of one example, in their order, and who speaks.
pub struct Facts {
    facts: Vec<Fact>,
    pub speaker: Address,
    /// The profile, and the registers that it asks for.
    pub profile: String,
    pub reads: Vec<Read>,
}

impl Facts {
    /// Reads the example's messages as a capture's.
    pub fn of(profile: &Profile, example: &Example) -> Self {
        let read = |protocol: &Protocol| -> Vec<Reading> {
            let over: Over = example.over.unwrap_or_else(|| protocol.usually_over());
            let messages = frames(example);
            protocol.replay(over, example.asked.iter().map(Vec::as_slice), messages.iter().map(Vec::as_slice))
        };
        let mut readings = protocols::named(&profile.protocol).map(read).unwrap_or_default();
        readings.retain(|reading| reading.protocol == profile.protocol);
        let speaker = readings.first().map(|reading| reading.speaker.clone()).unwrap_or_default();
        let (profile, reads) = (profile.id.clone(), profile.reads.clone());
        Self { profile, reads, speaker, facts: readings.into_iter().flat_map(|reading| reading.facts).collect() }
    }

    /// A fact's bytes.
    pub fn bytes(&self, path: &str) -> Option<&[u8]> {
        self.facts.iter().find(|fact| fact.path == path).map(|fact| fact.bytes.as_slice())
    }

    /// The same as so many bytes; none where it has another number of them.
    pub fn array<const N: usize>(&self, path: &str) -> Option<[u8; N]> {
        self.bytes(path)?.try_into().ok()
    }

    /// The same as it is written out.
    pub fn text(&self, path: &str) -> Option<String> {
        let fact = self.facts.iter().find(|fact| fact.path == path)?;
        decode_fact(fact.shape, &fact.bytes).ok()
    }

    /// All facts whose path begins so: what follows in their path, and the fact.
    pub fn below<'a>(&'a self, prefix: &'a str) -> impl Iterator<Item = (&'a str, &'a Fact)> {
        self.facts.iter().filter_map(move |fact| Some((fact.path.strip_prefix(prefix)?, fact)))
    }
}
