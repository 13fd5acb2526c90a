//! What a catalog takes: an observation in two halves, what is the same each day and what is not, and what it means. A device says the same
//! for years, so the first half and the meaning are made once and shared.

use std::sync::Arc;

use super::recorded::{bounded, remarks};
use super::serial::Serial;
use crate::claim::Claim;
use crate::observation::{Address, Authority, Id, Observation, Source};
use crate::profile::{Interpretation, Matched};

/// What observations have in common that differ in time, way and bytes alone: all that a catalog looks at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outline {
    pub(super) address: Arc<Address>,
    pub(super) announced: Vec<Address>,
    pub(super) authority: Option<Authority>,
    pub(super) complete: bool,
    pub(super) exception: Option<u8>,
    pub(super) has_messages: bool,
    pub(super) protocol: String,
    pub(super) question: String,
}

impl Outline {
    /// Of an observation.
    #[must_use]
    pub fn of(observation: &Observation) -> Self {
        let Observation { address, announced, authority, complete, exception, messages, protocol, question, .. } = observation;
        Self {
            address: Arc::new(address.clone()),
            announced: announced.clone(),
            authority: *authority,
            complete: *complete,
            exception: *exception,
            has_messages: !messages.is_empty(),
            protocol: protocol.clone(),
            question: question.clone(),
        }
    }

    /// Who spoke.
    #[must_use]
    pub fn address(&self) -> &Address {
        &self.address
    }
}

/// An observation on its way into a catalog.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Told<'a> {
    pub(crate) outline: &'a Arc<Outline>,
    pub(crate) source: &'a Source,
    pub(crate) time_ns: u64,
    pub(crate) id: Id,
    /// Its entry in the ledger; `None` where nothing is kept.
    pub(crate) entry: Option<u64>,
}

/// What a catalog makes of an interpretation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Meaning {
    /// As they are kept: see [`bounded`].
    pub(super) claims: Vec<Arc<Claim>>,
    pub(super) believed: Vec<Arc<Claim>>,
    /// The profile whose claims they are.
    pub(super) profile: Option<String>,
    pub(super) remarks: Vec<String>,
    pub(super) serial: Option<Serial>,
}

impl Meaning {
    /// Of an interpretation.
    #[must_use]
    pub fn of(said: &Interpretation) -> Self {
        let (mut claims, mut too_long) = (Vec::with_capacity(said.claims.len()), Vec::new());
        for claim in &said.claims {
            match bounded(claim) {
                Some(kept) => claims.push(Arc::new(kept.into_owned())),
                None => too_long.push(format!("its {} has {} bytes; no such value is believed", claim.field.name(), claim.value.len())),
            }
        }
        let profile = match &said.matched {
            Matched::One(id) | Matched::Fallback(id) if !said.claims.is_empty() => Some(id.clone()),
            _ => None,
        };
        too_long.extend(remarks(said));
        let believed = said.believed.iter().cloned().map(Arc::new).collect();
        Self { claims, believed, profile, remarks: too_long, serial: Serial::of(&said.claims) }
    }
}
