//! A profile's examples are its tests.

use std::collections::{BTreeMap, BTreeSet};

use nameplate_wire::modbus::{Conversation, Heard};
use nameplate_wire::{Address, Reading};

use super::{Example, Matched, Profile, ProfileSet};
use crate::claim::{Claim, Field};

/// What an example showed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// The profile's id.
    pub profile: String,
    /// Which example, from 1; 0 when all of them together fail.
    pub example: usize,
    /// What should have been, and what was.
    pub why: String,
}

impl std::fmt::Display for Failure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}, example {}: {}", self.profile, self.example, self.why)
    }
}

/// Checks one profile against the whole set. `frames` gives the messages of an example: as they stand in it, or built by a simulator
/// from decoded values; the caller brings it, because this crate must not encode what it decodes.
///
/// Every example matches exactly this profile and yields exactly its nameplate; every extract is exercised; every prefix of the answer
/// gives the same value of every field or none.
pub fn check(set: &ProfileSet, profile: &Profile, frames: &dyn Fn(&Example) -> Vec<Vec<u8>>) -> Vec<Failure> {
    let mut failures = Vec::new();
    let mut exercised = BTreeSet::new();
    for (index, example) in profile.examples.iter().enumerate() {
        let mut fail = |why: String| failures.push(Failure { profile: profile.id.clone(), example: index + 1, why });
        let messages = frames(example);
        let claims = claims_of(set, profile, &messages, &mut fail);
        let said = nameplate(&claims);
        let expected: BTreeMap<(String, Field), String> = example
            .expect
            .iter()
            .flat_map(|(role, fields)| fields.iter().map(|(field, value)| ((role.name().to_owned(), *field), value.clone())))
            .collect();
        if said != expected {
            fail(format!("expected {expected:?}, read {said:?}"));
        }
        exercised.extend(claims.iter().map(|claim| (claim.component.clone(), claim.field)));
        for why in prefixes_that_differ(set, &messages.concat(), &said) {
            fail(why);
        }
    }
    for component in &profile.components {
        for field in component.extract.keys() {
            if !exercised.contains(&(component.role.name().to_owned(), *field)) {
                let why = format!("no example exercises {}.{}", component.role.name(), field.name());
                failures.push(Failure { profile: profile.id.clone(), example: 0, why });
            }
        }
    }
    failures
}

/// The claims of an example's messages; says so when another profile takes part.
fn claims_of(set: &ProfileSet, profile: &Profile, messages: &[Vec<u8>], fail: &mut dyn FnMut(String)) -> Vec<Claim> {
    let own = if profile.fallback { Matched::Fallback(profile.id.clone()) } else { Matched::One(profile.id.clone()) };
    let readings = stream(&messages.concat());
    if readings.is_empty() {
        fail("its frames hold no identity answer".into());
    }
    let mut claims = Vec::new();
    for reading in readings {
        let said = set.interpret(&reading);
        if said.matched != own {
            fail(format!("matches exactly this profile: expected {own:?}, found {:?}", said.matched));
        }
        claims.extend(said.claims);
    }
    claims
}

/// The first value of each field of each component.
fn nameplate(claims: &[Claim]) -> BTreeMap<(String, Field), String> {
    let mut fields = BTreeMap::new();
    for claim in claims {
        fields.entry((claim.component.clone(), claim.field)).or_insert_with(|| claim.value.clone());
    }
    fields
}

/// Every shorter stream gives the same value or none.
fn prefixes_that_differ(set: &ProfileSet, whole: &[u8], said: &BTreeMap<(String, Field), String>) -> Vec<String> {
    let mut differing = Vec::new();
    for cut in 0..whole.len() {
        for claim in stream(&whole[..cut]).iter().flat_map(|reading| set.interpret(reading).claims) {
            let full = said.get(&(claim.component.clone(), claim.field));
            if claim.field.is_revision() && full != Some(&claim.value) {
                let field = claim.field.name();
                differing.push(format!("cut after {cut} bytes: {field} reads {:?}, whole it reads {full:?}", claim.value));
            }
        }
    }
    differing
}

/// Decodes the server's side of a Modbus TCP connection, cut anywhere.
#[must_use]
pub fn stream(bytes: &[u8]) -> Vec<Reading> {
    let mut readings = Vec::new();
    let mut keep = |heard| {
        if let Heard::Reading(reading) = heard {
            readings.push(reading);
        }
    };
    let mut conversation = Conversation::new(Address::default());
    conversation.answer(bytes, 1, 0, &mut keep);
    conversation.finish(1, 0, &mut keep);
    readings
}
