//! From a reading to claims: find the one profile that matches, apply its rules, keep what could not be used.

use std::borrow::Cow;

use nameplate_wire::{Authority, Fact, Reading};
use serde::{Deserialize, Serialize};

use super::objects::{OWN, resolved};
use super::slice::Slice;
use super::{Component, Extract, Invalid, Pattern, Profile, parse};
use crate::claim::{Claim, Field};
use crate::text::{self, Unreadable};

/// Protocols that hand on another's answers, with its name. Their facts have their own name in front, and the same behind it.
const CARRIED: [(&str, &str); 1] = [("modbus-rtu", "modbus")];

/// All profiles that are in force.
#[derive(Clone, Debug, Default)]
pub struct ProfileSet {
    profiles: Vec<Profile>,
}

/// Which profile a reading belongs to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "matched", content = "profiles", rename_all = "snake_case")]
pub enum Matched {
    /// Exactly one.
    One(String),
    /// None but the protocol's rule of last resort.
    Fallback(String),
    /// None at all.
    None,
    /// Several: nobody can say which; no claim is made.
    Several(Vec<String>),
}

/// What a reading says.
/// Its fields are in the order in which canonical JSON has them, which is faster to write.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Interpretation {
    /// What somebody else believes about the device: the same rules, and never its own word.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub believed: Vec<Claim>,
    /// Its claims.
    pub claims: Vec<Claim>,
    /// The profile.
    pub matched: Matched,
    /// Facts that a rule wanted and could not use: the fact's path, and its text with everything invisible written out.
    pub unreadable: Vec<(String, String)>,
}

include!(concat!(env!("OUT_DIR"), "/built_in_list.rs"));

impl ProfileSet {
    /// The profiles that the program carries.
    ///
    /// # Errors
    /// [`Invalid`]: a test makes sure that it never happens in a release.
    pub fn built_in() -> Result<Self, Invalid> {
        Self::new(BUILT_IN.iter().map(|(id, text)| ((*id).to_owned(), (*text).to_owned())))
    }

    /// Reads profiles from `(id, text)` pairs.
    ///
    /// # Errors
    /// [`Invalid`] for the first that is not valid, or for two with one id.
    pub fn new(texts: impl IntoIterator<Item = (String, String)>) -> Result<Self, Invalid> {
        let mut set = Self::default();
        for (id, text) in texts {
            set.add(parse(&id, &text)?)?;
        }
        Ok(set)
    }

    /// Adds one profile.
    ///
    /// # Errors
    /// [`Invalid`] when its id is taken.
    pub fn add(&mut self, profile: Profile) -> Result<(), Invalid> {
        if self.get(&profile.id).is_some() {
            let why = "this id is taken: a site's profile does not replace a built-in one silently; give it another name".into();
            return Err(Invalid { profile: profile.id, line: None, rule: "unique", why });
        }
        self.profiles.push(profile);
        Ok(())
    }

    /// Puts a profile in the place of the one with its id, or beside the others: where a publisher that the owner named says so.
    pub fn replace(&mut self, profile: Profile) {
        match self.profiles.iter_mut().find(|known| known.id == profile.id) {
            Some(known) => *known = profile,
            None => self.profiles.push(profile),
        }
    }

    /// The profile with that id.
    #[must_use]
    pub fn get(&self, id: &str) -> Option<&Profile> {
        self.profiles.iter().find(|profile| profile.id == id)
    }

    /// All profiles, in the order in which they were added.
    pub fn iter(&self) -> impl Iterator<Item = &Profile> {
        self.profiles.iter()
    }

    /// Says what a reading means. What others believe about a device is kept, and is no claim.
    #[must_use]
    pub fn interpret(&self, reading: &Reading) -> Interpretation {
        let mut said = self.said(reading);
        if reading.authority == Authority::Belief {
            said.believed = std::mem::take(&mut said.claims);
        }
        said
    }

    fn said(&self, reading: &Reading) -> Interpretation {
        let is_own = |profile: &&Profile| profile.protocol == reading.protocol;
        let of_protocol = || self.profiles.iter().filter(|profile| is_own(profile) || carried(reading) == Some(&profile.protocol));
        let mut matching: Vec<&Profile> = of_protocol().filter(|profile| !profile.fallback && matches(profile, reading)).collect();
        if matching.len() > 1 {
            let ids = matching.iter().map(|profile| profile.id.clone()).collect();
            return Interpretation::of(Matched::Several(ids), Vec::new());
        }
        let (profile, matched) = match (matching.pop(), self.profiles.iter().find(|profile| is_own(profile) && profile.fallback)) {
            (Some(profile), _) => (profile, Matched::One(profile.id.clone())),
            (None, Some(profile)) => (profile, Matched::Fallback(profile.id.clone())),
            (None, None) => return Interpretation::of(Matched::None, Vec::new()),
        };
        let mut said = Interpretation::of(matched, Vec::new());
        for component in &profile.components {
            for (field, rule) in &component.extract {
                // A part of an answer may belong to a profile that shows only in the rest of it: the rule of last resort names no
                // revision then, because the right profile could read another one from the same bytes.
                if profile.fallback && field.is_revision() && !reading.complete {
                    continue;
                }
                said.apply(profile, component, *field, rule, reading);
            }
        }
        said
    }
}

impl Interpretation {
    /// Claims of an answer that was read without trouble.
    #[must_use]
    pub const fn of(matched: Matched, claims: Vec<Claim>) -> Self {
        Self { matched, claims, unreadable: Vec::new(), believed: Vec::new() }
    }

    /// The first fact that the rule can use is the claim; where none is, each that was there is told.
    fn apply(&mut self, profile: &Profile, component: &Component, field: Field, rule: &Extract, reading: &Reading) {
        let mut unreadable = Vec::new();
        for path in &rule.from {
            let path = if path.contains(OWN) { resolved(path, reading) } else { Some(path.clone()) };
            let Some(fact) = path.and_then(|path| fact_of(reading, &path)) else { continue };
            match value_of(profile, rule, &fact) {
                Ok(None) => {}
                Ok(Some(value)) => {
                    let normal = if field.is_revision() { profile.version_order.normal(&value) } else { None };
                    return self.claims.push(Claim {
                        component: component.role.name().to_owned(),
                        field,
                        value,
                        normal,
                        grade: rule.grade,
                        profile: profile.id.clone(),
                        rule: fact.path.clone(),
                        message: fact.message,
                        offset: fact.offset,
                        length: fact.bytes.len(),
                    });
                }
                Err(shown) => unreadable.push((fact.path.clone(), shown)),
            }
        }
        self.unreadable.append(&mut unreadable);
    }
}

/// What a rule finds in a fact; `None` where nothing was ever set there, or where the text is one that it leaves alone.
///
/// # Errors
/// The text, to be looked at, where the rule's pattern does not fit or nobody can read it.
fn value_of(profile: &Profile, rule: &Extract, fact: &Fact) -> Result<Option<String>, String> {
    if text::is_unset(fact.shape, &fact.bytes) {
        return Ok(None);
    }
    let text = text::decode_fact(fact.shape, &fact.bytes).map_err(|Unreadable { shown }| shown)?;
    if rule.unless.as_ref().is_some_and(|pattern| pattern.is_match(&text)) {
        return Ok(None);
    }
    let value = match &rule.pattern {
        None => text.as_str(),
        Some(pattern) => {
            let found = pattern.captures(&text).and_then(|found| found.get(1).or_else(|| found.get(0)));
            // A part of a character is no value.
            match found.and_then(|part| text.get(part.range())) {
                Some(part) => part.trim(),
                // A rule of last resort looks for what few texts hold.
                None if profile.fallback => return Ok(None),
                None => return Err(text::printable(&text)),
            }
        }
    };
    let value = match rule.register {
        None => Some(value),
        Some(register) => value.parse().ok().and_then(|number| register.name(number)),
    };
    let is_set = |value: &&str| !value.is_empty() && !profile.placeholders.iter().any(|placeholder| placeholder == value);
    Ok(value.filter(is_set).map(str::to_owned))
}

/// The protocol whose answers this one hands on unchanged: a device says the same over both, and its profile holds for both.
fn carried(reading: &Reading) -> Option<&'static str> {
    CARRIED.iter().find(|(carrier, _)| *carrier == reading.protocol).map(|(_, carried)| *carried)
}

/// The fact of that path, or the registers of that name; of the path in the protocol that is carried where the answer came through its carrier.
fn fact_of<'a>(reading: &'a Reading, path: &str) -> Option<Cow<'a, Fact>> {
    let inner = carried(reading).and_then(|carried| path.strip_prefix(carried)?.strip_prefix('.'));
    let is_inner =
        |fact: &Fact| inner.is_some() && fact.path.strip_prefix(reading.protocol).and_then(|rest| rest.strip_prefix('.')) == inner;
    let whole = reading.facts.iter().find(|fact| fact.path == path || is_inner(fact)).map(Cow::Borrowed);
    let name = || inner.or_else(|| path.strip_prefix(reading.protocol)?.strip_prefix('.'));
    whole.or_else(|| name().and_then(|name| Slice::read(name)?.of(reading, name)).map(Cow::Owned))
}

/// True when every fact that the profile names is there, readable, and matches.
fn matches(profile: &Profile, reading: &Reading) -> bool {
    profile.matches.iter().all(|rule| holds(rule, reading))
}

/// True when this fact is there, readable, and matches.
pub(super) fn holds((path, pattern): (&String, &Pattern), reading: &Reading) -> bool {
    fact_text(reading, path).is_some_and(|text| pattern.is_match(&text))
}

/// The text of a fact that is there and readable.
pub(super) fn fact_text(reading: &Reading, path: &str) -> Option<String> {
    fact_of(reading, path).and_then(|fact| text::decode_fact(fact.shape, &fact.bytes).ok())
}

#[cfg(test)]
mod tests {
    use nameplate_wire::conversation::Over;
    use nameplate_wire::{Address, Message, Shape};

    use super::*;

    /// The profile that an answer with these objects belongs to, and its revision with the rule that read it.
    fn check(protocol: &'static str, objects: [&str; 3], profile: &str, revision: Option<(&str, &str)>) {
        let mut reading = Reading::new(protocol, Over::Tcp, "modbus.identification.basic", Address::default());
        reading.complete = true;
        reading.messages.push(Message { frame: 1, time_ns: 0, bytes: objects.concat().into_bytes() });
        let mut at = 0;
        for (number, object) in objects.iter().enumerate() {
            reading.fact(format!("{protocol}.object.{number}"), Shape::Text, at..at + object.len());
            at += object.len();
        }
        let said = ProfileSet::built_in().unwrap().interpret(&reading);
        let (Matched::One(id) | Matched::Fallback(id)) = &said.matched else { panic!("{:?}", said.matched) };
        let found = said.claims.iter().find(|claim| claim.field == Field::FirmwareRevision);
        assert_eq!(id, profile);
        assert_eq!(found.map(|claim| (claim.value.as_str(), claim.rule.as_str())), revision);
    }

    #[test]
    fn a_device_says_the_same_through_what_carries_its_protocol() {
        let known = ["Schneider Electric", "PM710", "v03.110"];
        check("modbus", known, "schneider-electric/powerlogic-pm710", Some(("v03.110", "modbus.object.2")));
        check("modbus-rtu", known, "schneider-electric/powerlogic-pm710", Some(("v03.110", "modbus-rtu.object.2")));
        let unknown = ["Nobody", "N", "V1"];
        check("modbus", unknown, "generic/modbus", Some(("V1", "modbus.object.2")));
        check("modbus-rtu", unknown, "generic/modbus-rtu", Some(("V1", "modbus-rtu.object.2")));
    }
}
