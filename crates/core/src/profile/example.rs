//! A profile's examples are its tests.

use std::collections::{BTreeMap, BTreeSet};

use nameplate_wire::conversation::Over;
use nameplate_wire::{Reading, protocols};

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
        let claims = claims_of(set, profile, example, &messages, &mut fail);
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
        for why in prefixes_that_differ(set, profile, example, &messages, &said) {
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
fn claims_of(set: &ProfileSet, profile: &Profile, example: &Example, messages: &[Vec<u8>], fail: &mut dyn FnMut(String)) -> Vec<Claim> {
    let own = if profile.fallback { Matched::Fallback(profile.id.clone()) } else { Matched::One(profile.id.clone()) };
    let readings = replay(profile, example, messages);
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

/// Every shorter answer gives the same value or none.
fn prefixes_that_differ(
    set: &ProfileSet,
    profile: &Profile,
    example: &Example,
    messages: &[Vec<u8>],
    said: &BTreeMap<(String, Field), String>,
) -> Vec<String> {
    let mut differing = Vec::new();
    for (index, message) in messages.iter().enumerate() {
        let mut shorter = messages[..=index].to_vec();
        for cut in 0..message.len() {
            message[..cut].clone_into(&mut shorter[index]);
            for claim in replay(profile, example, &shorter).iter().flat_map(|reading| set.interpret(reading).claims) {
                let full = said.get(&(claim.component.clone(), claim.field));
                if claim.field.is_revision() && full != Some(&claim.value) {
                    let (number, field) = (index + 1, claim.field.name());
                    differing.push(format!("message {number} cut after {cut} bytes: {field} reads {:?}, whole {full:?}", claim.value));
                }
            }
        }
    }
    differing
}

/// What an example's messages say. In a profile of a protocol that is not decoded here they say nothing.
fn replay(profile: &Profile, example: &Example, messages: &[Vec<u8>]) -> Vec<Reading> {
    let Some(protocol) = protocols::named(&profile.protocol) else { return Vec::new() };
    let over = example.over.unwrap_or_else(|| protocol.usually_over());
    let readings = protocol.replay(over, example.asked.iter().map(Vec::as_slice), messages.iter().map(Vec::as_slice));
    readings.into_iter().filter(|reading| reading.protocol == profile.protocol).collect()
}

/// Decodes the server's side of a Modbus TCP connection, cut anywhere.
#[must_use]
pub fn stream(bytes: &[u8]) -> Vec<Reading> {
    nameplate_wire::modbus::PROTOCOL.replay(Over::Tcp, [], [bytes])
}
