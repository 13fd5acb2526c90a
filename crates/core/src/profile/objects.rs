//! What an SNMP agent is asked beyond its system group: objects that built-in profiles name, each a whole instance.
//!
//! A question ends with sysDescr.0 and sysObjectID.0, so that its answer says by itself whose it is. A profile whose family hides behind an agent's
//! general sysObjectID is told by an object of its own: those of all such profiles are asked first, then what belongs to the one that was found.

use std::sync::LazyLock;

use nameplate_wire::Reading;
use nameplate_wire::snmp::{OBJECTS_MAX, Oid};

use super::interpret::{fact_text, holds};
use super::{Matched, Profile, ProfileSet};
use crate::claim::Field;

/// The one protocol with objects.
pub(super) const PROTOCOL: &str = "snmp";
/// Stands for what sysObjectID.0 says, at the front of an object's name: many makers number their models, and hang the same objects below each.
pub(super) const OWN: &str = "{object_id}";
/// Objects that one profile may name: two questions.
pub(super) const PROFILE_OBJECTS_MAX: usize = 16;
/// sysDescr.0 and sysObjectID.0. RFC 3418.
const IDENTITY: [&str; 2] = ["1.3.6.1.2.1.1.1.0", "1.3.6.1.2.1.1.2.0"];
/// Objects of one question beside those two.
const LIST_OBJECTS_MAX: usize = OBJECTS_MAX - IDENTITY.len();
/// Objects by which families are told that hide behind a general sysObjectID: two questions.
const PROBES_MAX: usize = 2 * LIST_OBJECTS_MAX;
/// Below these an object may stand: what makers name themselves, UPS-MIB's identification, entPhysicalTable. RFC 2578, RFC 1628, RFC 6933.
const BELOW: [&str; 3] = ["1.3.6.1.4.1.", "1.3.6.1.2.1.33.1.1.", "1.3.6.1.2.1.47.1.1.1.1."];
/// Where a maker's own objects begin among the facts.
const PRIVATE: &str = "snmp.1.";

/// Questions, each a list of objects.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Further {
    /// What is asked first, in this order.
    pub first: Vec<Vec<Oid>>,
    /// What is asked after it, by the profile that its answer belongs to.
    pub then: Vec<(String, Vec<Vec<Oid>>)>,
}

impl Further {
    /// Every question that may be asked, each once.
    #[must_use]
    pub fn all(&self) -> Vec<Vec<Oid>> {
        let mut all = Vec::new();
        for list in self.first.iter().chain(self.then.iter().flat_map(|(_, lists)| lists)) {
            if !all.contains(list) {
                all.push(list.clone());
            }
        }
        all
    }
}

impl ProfileSet {
    /// The profiles that the program carries, read once.
    #[must_use]
    pub fn embedded() -> &'static Self {
        static EMBEDDED: LazyLock<ProfileSet> = LazyLock::new(|| ProfileSet::built_in().unwrap_or_default());
        &EMBEDDED
    }

    /// What an agent is asked further that said this of itself.
    #[must_use]
    pub fn further(&self, reading: &Reading) -> Further {
        match self.interpret(reading).matched {
            Matched::One(id) => {
                Further { first: self.get(&id).map(|profile| lists(profile, reading)).unwrap_or_default(), then: Vec::new() }
            }
            Matched::Several(_) => Further::default(),
            Matched::Fallback(_) | Matched::None => {
                let hidden: Vec<&Profile> = self.iter().filter(|profile| may_hide(profile, reading)).collect();
                let mut probes: Vec<&str> = hidden.iter().flat_map(|profile| probes(profile)).collect();
                probes.sort_unstable();
                probes.dedup();
                probes.truncate(PROBES_MAX);
                let then = hidden.iter().map(|profile| (profile.id.clone(), lists(profile, reading))).collect();
                Further { first: questions(probes.into_iter().map(str::to_owned)), then }
            }
        }
    }

    /// Whether this answer tells the version of the part that its profile says is the one to know.
    #[must_use]
    pub fn tells_version(&self, reading: &Reading) -> bool {
        let said = self.interpret(reading);
        let Matched::One(id) = &said.matched else { return false };
        let role = self.get(id).map(|profile| profile.identity_of.name());
        said.claims.iter().any(|claim| claim.field == Field::FirmwareRevision && Some(claim.component.as_str()) == role)
    }
}

/// Whether an object may be named in a profile; in words, why not.
pub(super) fn checked(name: &str) -> Result<(), &'static str> {
    let whole = name.replacen(OWN, "1.3.6.1.4.1.1", 1);
    if whole.parse::<Oid>().is_err() {
        return Err("is no object: its name is numbers with dots between them, and {object_id} may stand at its front");
    }
    if !BELOW.iter().any(|group| whole.starts_with(group)) {
        return Err("may not be asked: objects of makers, of UPS-MIB's identification and of entPhysicalTable may");
    }
    Ok(())
}

/// The fact that an object of this name gives, where the maker has named it.
pub(super) fn fact_of_own(name: &str) -> Option<String> {
    name.replacen(OWN, BELOW[0], 1).starts_with(BELOW[0]).then(|| format!("{PROTOCOL}.{name}"))
}

/// A path in which stands what sysObjectID.0 says; `None` where it said nothing.
pub(super) fn resolved(path: &str, reading: &Reading) -> Option<String> {
    Some(path.replacen(OWN, &fact_text(reading, "snmp.system.object_id")?, 1))
}

/// Objects by which a profile tells its family.
fn probes(profile: &Profile) -> impl Iterator<Item = &str> {
    profile.matches.keys().filter(|path| path.starts_with(PRIVATE)).filter_map(|path| path.strip_prefix("snmp."))
}

/// Whether all that the profile wants of the system group is there, and only its own objects are not.
fn may_hide(profile: &Profile, reading: &Reading) -> bool {
    let mut of_system = profile.matches.iter().filter(|(path, _)| !path.starts_with(PRIVATE));
    profile.protocol == PROTOCOL
        && !profile.ask.is_empty()
        && probes(profile).next().is_some()
        && of_system.all(|rule| holds(rule, reading))
}

fn lists(profile: &Profile, reading: &Reading) -> Vec<Vec<Oid>> {
    questions(profile.ask.iter().filter_map(|name| resolved(name, reading).or_else(|| (!name.contains(OWN)).then(|| name.clone()))))
}

fn questions(names: impl Iterator<Item = String>) -> Vec<Vec<Oid>> {
    let names: Vec<Oid> = names.filter_map(|name| name.parse().ok()).collect();
    let identity = || IDENTITY.iter().filter_map(|name| name.parse().ok());
    names.chunks(LIST_OBJECTS_MAX).map(|names| names.iter().cloned().chain(identity()).collect()).collect()
}

#[cfg(test)]
mod tests {
    use nameplate_wire::conversation::Over;
    use nameplate_wire::{Address, Message, Shape};

    use super::*;

    /// What an agent is asked further that says this of itself.
    fn check(descr: &str, object_id: &[u8], first: &[&[&str]], then: &[&str]) {
        let mut reading = Reading::new("snmp", Over::Udp, "snmp.response", Address::default());
        reading.messages.push(Message { frame: 1, time_ns: 0, bytes: [descr.as_bytes(), object_id].concat() });
        reading.fact("snmp.system.descr", Shape::Lines, 0..descr.len());
        reading.fact("snmp.system.object_id", Shape::Oid, descr.len()..descr.len() + object_id.len());
        let said = ProfileSet::embedded().further(&reading);
        let asked: Vec<Vec<String>> = said.first.iter().map(|list| list.iter().map(ToString::to_string).collect()).collect();
        let expected: Vec<Vec<&str>> = first.iter().map(|list| list.iter().copied().chain(IDENTITY).collect()).collect();
        assert_eq!(asked, expected, "{descr}");
        let found: Vec<&str> = said.then.iter().map(|(id, _)| id.as_str()).collect();
        assert!(then.iter().all(|id| found.contains(id)) && found.is_empty() == then.is_empty(), "{descr}: {found:?}");
    }

    #[test]
    fn an_agent_is_asked_for_what_its_profile_names() {
        // Eaton 534.1; Moxa 8691.7.71, whose objects hang below that number; nobody.
        let eaton = ["1.3.6.1.4.1.534.1.1.3.0", "1.3.6.1.4.1.534.1.1.2.0", "1.3.6.1.4.1.534.1.1.6.0"];
        check("Eaton 9PX", &[0x2b, 6, 1, 4, 1, 0x84, 0x16, 1], &[&eaton], &[]);
        let moxa = ["1.3.6.1.4.1.8691.7.71.1.4.0", "1.3.6.1.4.1.8691.7.71.1.2.0", "1.3.6.1.4.1.8691.7.71.1.78.0"];
        check("EDS-G516E", &[0x2b, 6, 1, 4, 1, 0xc3, 0x73, 7, 71], &[&moxa], &[]);
        check("A switch", &[0x2b, 6, 1, 4, 1, 0x83, 0xf4, 1, 1], &[], &[]);
    }

    #[test]
    fn who_hides_behind_a_general_number_is_asked_for_the_objects_that_tell_him() {
        let probes = [
            "1.3.6.1.4.1.13827.12.1.16.0",
            "1.3.6.1.4.1.13827.5.0.11.0",
            "1.3.6.1.4.1.2011.6.164.1.2.2.1.1.5.1",
            "1.3.6.1.4.1.48690.1.6.0",
            "1.3.6.1.4.1.48690.2.14.0",
        ];
        let hidden = ["endrun/snmp-sonoma", "endrun/snmp-tempus", "huawei/snmp-smu", "teltonika/snmp-rutos", "teltonika/snmp-rutos-legacy"];
        check("Linux gw 5.4.291 #0 mips", &[0x2b, 6, 1, 4, 1, 0xbf, 8, 3, 2, 10], &[&probes], &hidden);
        check("FreeBSD gw 13.2", &[0x2b, 6, 1, 4, 1, 0xbf, 8, 3, 2, 8], &[], &[]);
    }
}
