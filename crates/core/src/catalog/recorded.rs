//! A claim as an asset keeps it: with the observation that it stands in, counted while nothing else is said.

use super::Recorded;
use crate::claim::Claim;
use crate::observation::{Observation, Source};
use crate::profile::{Interpretation, Matched};

impl Recorded {
    pub(super) fn new(claim: &Claim, observation: &Observation, observed: &str, entry: Option<u64>) -> Self {
        Self {
            claim: claim.clone(),
            observation: observed.to_owned(),
            entry,
            time_ns: observation.time_ns,
            since_ns: observation.time_ns,
            times: 1,
            first: (observed.to_owned(), entry),
            source: observation.source.clone(),
            address: observation.address.clone(),
        }
    }

    /// The same rule about the same field, by the same way: the later of the two is the rule's latest word there.
    pub(super) fn is_of_the_kind_of(&self, claim: &Claim, source: &Source) -> bool {
        let own = &self.claim;
        own.field == claim.field
            && std::mem::discriminant(&self.source) == std::mem::discriminant(source)
            && (&own.rule, &own.component, &own.profile) == (&claim.rule, &claim.component, &claim.profile)
    }

    /// Counts an equal claim; what stands is the latest observation of it.
    pub(super) fn again(&mut self, observation: &Observation, observed: &str, entry: Option<u64>) {
        (self.since_ns, self.times) = (self.since_ns.min(observation.time_ns), self.times.saturating_add(1));
        if observation.time_ns >= self.time_ns {
            (self.time_ns, self.entry) = (observation.time_ns, entry);
            if self.address != observation.address {
                self.address.clone_from(&observation.address);
            }
            // Into the text that is there: this is what a fold over a large ledger does most.
            observed.clone_into(&mut self.observation);
            match (&mut self.source, &observation.source) {
                (Source::Capture { file, frame }, Source::Capture { file: now, frame: at }) => {
                    now.clone_into(file);
                    *frame = *at;
                }
                (source, now) => source.clone_from(now),
            }
        }
    }
}

pub(super) fn remarks(said: &Interpretation) -> Vec<String> {
    let mut remarks: Vec<String> = said.unreadable.iter().map(|(fact, shown)| format!("{fact} could not be used: \"{shown}\"")).collect();
    if let Matched::Several(profiles) = &said.matched {
        remarks.push(format!("several profiles match, so none is believed: {}", profiles.join(", ")));
    }
    remarks
}
