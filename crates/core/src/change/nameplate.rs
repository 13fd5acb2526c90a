//! All that one reading of a device said, in a form that can be compared with the next.

use std::collections::{BTreeMap, BTreeSet};

use nameplate_wire::Reading;
use serde::{Deserialize, Serialize};

use super::delta::key;
use super::mode;
use crate::claim::Grade;
use crate::observation::{hex, unhex};
use crate::profile::Interpretation;
use crate::text;

/// What one device said in one connection.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Nameplate {
    /// Nameplate fields by component and name: `self.firmware_revision`.
    pub fields: BTreeMap<String, Said>,
    /// Every fact, read by a rule or not, in lower case hexadecimal: what no rule reads may change, too.
    pub facts: BTreeMap<String, String>,
    /// True where it was put together from what was heard, at different times: then it says nothing of fields that it does not have.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub heard: bool,
}

/// A field's value, and the fact it was read from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Said {
    /// As the device said it.
    pub value: String,
    /// The fact: `modbus.object.2`.
    pub from: String,
}

/// Something that two readings say differently.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// A field (`self.model`), or a fact that no differing field was read from (`modbus.object.3`).
    pub what: String,
    /// The first reading's value; `None` where it said nothing.
    pub first: Option<String>,
    /// The second's.
    pub second: Option<String>,
}

impl Nameplate {
    /// Adds an answer with its meaning. Of two answers that read the same field the better source counts, then the later answer, as in the
    /// catalog: what an order expects is read off there. `grades` are those of the fields so far.
    pub fn add(&mut self, reading: &Reading, said: &Interpretation, grades: &mut BTreeMap<String, Grade>) {
        let mut own: BTreeSet<String> = BTreeSet::new();
        for claim in &said.claims {
            let key = key(&claim.component, claim.field);
            let stands = |best: &Grade| *best < claim.grade || (*best == claim.grade && own.contains(&key));
            if grades.get(&key).is_some_and(stands) {
                continue;
            }
            grades.insert(key.clone(), claim.grade);
            self.fields.insert(key.clone(), Said { value: claim.value.clone(), from: claim.rule.clone() });
            own.insert(key);
        }
        for fact in &reading.facts {
            self.facts.entry(fact.path.clone()).or_insert_with(|| hex(&fact.bytes));
        }
    }

    /// A field's value.
    #[must_use]
    pub fn value(&self, key: &str) -> Option<&str> {
        self.fields.get(key).map(|said| said.value.as_str())
    }

    /// The same with the fields alone that the other one has, too, and those that are `wanted`: what can be compared where one of the
    /// two was only heard.
    #[must_use]
    pub(super) fn beside(&self, other: &Self, wanted: &BTreeSet<String>) -> Self {
        let both = |key: &String| other.fields.contains_key(key) || wanted.contains(key);
        let fields = self.fields.iter().filter(|(key, _)| both(key)).map(|(key, said)| (key.clone(), said.clone())).collect();
        let modes = self.facts.iter().filter(|(path, _)| mode::tells(path)).map(|(path, digits)| (path.clone(), digits.clone()));
        Self { fields, facts: modes.collect(), heard: self.heard }
    }

    /// What `later` says otherwise, `apart` from these fields and the facts that they were read from. A field that comes or goes is
    /// a difference. Whether it runs is none: see [`Nameplate::mode`].
    #[must_use]
    pub fn differences(&self, later: &Self, apart: &BTreeSet<String>) -> Vec<Difference> {
        let sources = |key: &String| {
            [self, later].into_iter().filter_map(|plate| plate.fields.get(key)).map(|said| said.from.clone()).collect::<Vec<_>>()
        };
        let mut told: BTreeSet<String> = apart.iter().flat_map(sources).collect();
        let mut found = Vec::new();
        let fields: BTreeSet<&String> = self.fields.keys().chain(later.fields.keys()).filter(|key| !apart.contains(*key)).collect();
        for what in fields {
            let (first, second) = (self.value(what), later.value(what));
            if first != second {
                told.extend(sources(what));
                found.push(Difference { what: what.clone(), first: first.map(str::to_owned), second: second.map(str::to_owned) });
            }
        }
        let facts: BTreeSet<&String> = self
            .facts
            .keys()
            .chain(later.facts.keys())
            .filter(|path| !mode::tells(path) && !told.iter().any(|from| overlap(from, path)))
            .collect();
        for what in facts {
            let (first, second) = (self.facts.get(what), later.facts.get(what));
            if first != second {
                found.push(Difference {
                    what: what.clone(),
                    first: first.map(|digits| shown(digits)),
                    second: second.map(|digits| shown(digits)),
                });
            }
        }
        found
    }
}

/// True where one fact is the other, or a part of its bytes: `modbus.server_id.text` of `modbus.server_id`.
fn overlap(one: &str, other: &str) -> bool {
    let part = |whole: &str, part: &str| part.strip_prefix(whole).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'));
    part(one, other) || part(other, one)
}

/// A fact as a person reads it: its text where it is one, else its digits.
fn shown(digits: &str) -> String {
    unhex(digits).ok().and_then(|bytes| text::decode(&bytes).ok()).filter(|text| !text.is_empty()).unwrap_or_else(|| digits.to_owned())
}

impl std::fmt::Display for Difference {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match (&self.first, &self.second) {
            (Some(first), Some(second)) => write!(f, "{} changed from {first:?} to {second:?}", self.what),
            (None, Some(second)) => write!(f, "{} was not reported and is now {second:?}", self.what),
            (first, None) => write!(f, "{} was {:?} and is not reported any more", self.what, first.as_deref().unwrap_or_default()),
        }
    }
}
