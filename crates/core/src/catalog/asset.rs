//! An asset: what stands of all it said, and how an observation changes it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::serial::Serial;
use super::unknown::{NEVER_IDENTIFIED, identifies, why_unknown};
use super::{Asset, Current, Meaning, Recorded, Told};
use crate::claim::{Claim, Field, Grade, OWN_COMPONENT};
use crate::observation::{Address, Authority};

impl Asset {
    pub(super) fn new(id: String, time_ns: u64) -> Self {
        Self {
            id,
            was: Vec::new(),
            addresses: Vec::new(),
            speaks: BTreeMap::new(),
            claims: Vec::new(),
            imported: Vec::new(),
            believed: Vec::new(),
            columns: BTreeMap::new(),
            profile: None,
            seen_ns: (time_ns, time_ns),
            observations: 0,
            why_unknown: String::new(),
            remarks: Vec::new(),
            by_hand: Vec::new(),
            facts: BTreeMap::new(),
            stays: Vec::new(),
        }
    }

    /// The claim that stands for a field of a component, and what contradicts it.
    #[must_use]
    pub fn current(&self, component: &str, field: Field) -> Option<Current<'_>> {
        let mut latest: Vec<&Recorded> = Vec::new();
        for recorded in self.claims.iter().filter(|r| r.claim.field == field && r.claim.component == component) {
            match latest.iter_mut().find(|other| other.claim.rule == recorded.claim.rule) {
                None => latest.push(recorded),
                Some(other) if other.time_ns <= recorded.time_ns => *other = recorded,
                Some(_) => {}
            }
        }
        latest.extend(self.imported.iter().chain(&self.by_hand).filter(|r| r.claim.field == field && r.claim.component == component));
        let standing = *latest.iter().min_by_key(|r| (r.claim.grade, std::cmp::Reverse(r.time_ns)))?;
        // A register writes a maker otherwise than he does himself: that contradicts nobody.
        let is_a_register = |r: &Recorded| r.claim.grade == Grade::Inferred && field == Field::Manufacturer;
        let contradicts = |r: &&Recorded| r.claim.value != standing.claim.value && (!is_a_register(r) || is_a_register(standing));
        let conflicting = latest.into_iter().filter(contradicts).collect();
        Some(Current { standing, conflicting })
    }

    /// The components that said something, in the order in which they first did.
    #[must_use]
    pub fn components(&self) -> Vec<&str> {
        let mut components: Vec<&str> = Vec::new();
        for recorded in self.claims.iter().chain(&self.imported).chain(&self.by_hand) {
            if !components.contains(&recorded.claim.component.as_str()) {
                components.push(&recorded.claim.component);
            }
        }
        components
    }

    /// The field of the component that answers first: what one line of a table shows.
    #[must_use]
    pub fn shown(&self, field: Field) -> Option<Current<'_>> {
        self.components().into_iter().find_map(|component| self.current(component, field))
    }

    /// Where it is, in one address: the latest on an IP network, or else the latest. A controller with a port of its own also answers behind that port, as the
    /// module in slot 0, and the second place alone is one that nobody can call.
    #[must_use]
    pub fn address(&self) -> Option<&Address> {
        self.addresses.iter().rev().find(|address| address.ip.is_some()).or(self.addresses.last())
    }

    /// What others believe about a field and the device itself says otherwise, in words.
    pub fn wrong_beliefs(&self) -> impl Iterator<Item = String> + '_ {
        self.believed.iter().filter_map(|belief| {
            let Claim { field, value, rule, component, .. } = &*belief.claim;
            let own = self.current(component, *field).or_else(|| self.shown(*field))?.standing;
            let differs = own.claim.value != *value;
            differs
                .then(|| format!("others take its {} for {value:?} ({rule}); the device itself says {:?}", field.name(), own.claim.value))
        })
    }

    /// False where the device says that it is of another make or model than these claims: two plants may give one number twice.
    pub(super) fn may_say(&self, claims: &[Arc<Claim>]) -> bool {
        let alike = |field| {
            let own = self.claims.iter().rev().find(|r| r.claim.field == field).map(|r| &r.claim.value);
            let said = claims.iter().find(|claim| claim.field == field).map(|claim| &claim.value);
            own.zip(said).is_none_or(|(own, said)| own == said)
        };
        alike(Field::Manufacturer) && alike(Field::Model)
    }

    pub(super) fn is_another_than(&self, serial: Option<&Serial>) -> bool {
        let Some(Serial { key: (_, serial), .. }) = serial else { return false };
        // Of several, one is enough: two that a person merged have two.
        let mut own = self.claims.iter().rev().filter(|r| r.claim.field == Field::SerialNumber && r.claim.component == OWN_COMPONENT);
        own.next().is_some_and(|last| last.claim.value != *serial) && !own.any(|own| own.claim.value == *serial)
    }

    pub(super) fn see(&mut self, told: &Told<'_>) {
        let (outline, time_ns) = (told.outline, told.time_ns);
        let role = outline.question.strip_prefix(PRESENCE).or(match outline.authority {
            Some(Authority::Client) => Some(ROLE_OF_CLIENTS),
            None | Some(Authority::Belief) => None,
        });
        let known = |roles: &BTreeSet<String>| role.is_none_or(|role| roles.contains(role));
        // Others' talk about it shows neither that it is there nor what it speaks.
        let address = outline.address();
        if outline.authority == Some(Authority::Belief) {
            let only = self.addresses.is_empty().then(|| address.clone());
            return self.addresses.extend(only);
        }
        self.seen_ns = (self.seen_ns.0.min(time_ns), self.seen_ns.1.max(time_ns));
        if !self.speaks.get(&outline.protocol).is_some_and(known) {
            self.speaks.entry(outline.protocol.clone()).or_default().extend(role.map(str::to_owned));
        }
        self.stays_at(told);
        if self.addresses.last() != Some(address) {
            self.addresses.retain(|known| known != address);
            self.addresses.push(address.clone());
        }
    }

    pub(super) fn record(&mut self, told: &Told<'_>, said: &Meaning) {
        self.observations = self.observations.saturating_add(1);
        if said.profile.is_some() && self.profile != said.profile {
            self.profile.clone_from(&said.profile);
        }
        for claim in &said.claims {
            match self.claims.iter_mut().rev().find(|earlier| earlier.is_of_the_kind_of(claim, told.source)) {
                // Two that lie in one place are not compared.
                Some(earlier) if earlier.claim == *claim => earlier.again(told),
                _ => self.claims.push(Recorded::new(claim, told)),
            }
        }
        for claim in &said.believed {
            self.believed.retain(|earlier| earlier.claim.rule != claim.rule || earlier.claim.field != claim.field);
            self.believed.push(Recorded::new(claim, told));
        }
        // A list's words belong to the part that says the same field itself, and a part may just have spoken for the first time.
        self.join_imported();
        for remark in &said.remarks {
            if !self.remarks.contains(remark) {
                self.remarks.push(remark.clone());
            }
        }
        if self.claims.iter().any(|r| r.claim.field == Field::FirmwareRevision) {
            self.why_unknown.clear();
        } else if self.why_unknown.is_empty() || self.why_unknown == NEVER_IDENTIFIED || identifies(told.outline) {
            // What its identification said is the best reason; any answer is a better one than that it was only seen.
            self.why_unknown = why_unknown(told.outline);
        }
    }
}

/// How the question of an observation begins in which somebody was only seen; his role stands behind it.
const PRESENCE: &str = "presence.";
/// As [`nameplate_wire::conversation::Role`] has it.
const ROLE_OF_CLIENTS: &str = "client";
