//! An SNMP agent out of a profile's example.

use std::collections::{BTreeMap, BTreeSet};

use nameplate_core::profile::ProfileSet;
use nameplate_core::text::decode_fact;
use nameplate_core::wire::conversation::Over;
use nameplate_core::wire::{Fact, Reading, Shape};
use nameplate_simulators::snmp;

use super::facts::Facts;
use super::persona::{Made, made, words};
use super::user::User;

/// Objects of standard groups that are asked for by name (RFC 3418, 1628, 3805; LLDP-MIB).
const SNMP_OBJECTS: [(&str, &str); 11] = [
    ("snmp.system.contact", "1.3.6.1.2.1.1.4.0"),
    ("snmp.system.location", "1.3.6.1.2.1.1.6.0"),
    ("snmp.ups.manufacturer", "1.3.6.1.2.1.33.1.1.1.0"),
    ("snmp.ups.model", "1.3.6.1.2.1.33.1.1.2.0"),
    ("snmp.ups.software_version", "1.3.6.1.2.1.33.1.1.3.0"),
    ("snmp.ups.agent_software_version", "1.3.6.1.2.1.33.1.1.4.0"),
    ("snmp.ups.name", "1.3.6.1.2.1.33.1.1.5.0"),
    ("snmp.printer.serial", "1.3.6.1.2.1.43.5.1.1.17.1"),
    ("snmp.lldp.name", "1.0.8802.1.1.2.1.3.3.0"),
    ("snmp.lldp.descr", "1.0.8802.1.1.2.1.3.4.0"),
    ("snmp.bridge.address", "1.3.6.1.2.1.17.1.1.0"),
];
/// entPhysicalEntry (RFC 6933).
const ENTITY: &str = "1.3.6.1.2.1.47.1.1.1.1.";
/// An engine of nobody's: the number that is kept for examples (RFC 5612), and a text of five letters (RFC 3411, 5).
const ENGINE: [u8; 10] = [0x80, 0, 0x7d, 0xd9, 4, b'p', b'l', b'a', b't', b'e'];
/// How long an agent has been up, in hundredths of a second: a day.
const UP_TICKS: u32 = 8_640_000;

fn oid(text: &str) -> Option<Vec<u32>> {
    text.split('.').map(|number| number.parse().ok()).collect()
}

pub(super) fn snmp(facts: &Facts) -> Option<Made> {
    let (persona, objects) = agent(facts)?;
    Some(Made { words: [words(&["--snmp-community-public"]), objects].concat(), ..made(persona) })
}

/// The same agent in version 3 alone, which knows one user.
pub(super) fn snmp_v3(facts: &Facts, user: User) -> Option<Made> {
    let (persona, objects) = agent(facts)?;
    let engine = snmp::Engine { id: ENGINE.to_vec(), users: vec![user.user()] };
    Some(Made { words: [user.words(), objects].concat(), ..made(snmp::Persona { v1: false, v2c: false, engine, ..persona }) })
}

/// The agent that says what the example says, and how that is asked for which no profile wants asked anyway.
fn agent(facts: &Facts) -> Option<(snmp::Persona, Vec<String>)> {
    let bytes = |path: &str| facts.bytes(path).unwrap_or_default();
    let object_id = facts.text("snmp.system.object_id").and_then(|text| oid(&text)).unwrap_or_else(|| vec![0, 0]);
    let mut persona = snmp::Persona::new(bytes("snmp.system.descr"), &object_id, bytes("snmp.system.name"), UP_TICKS);
    let mut more = Vec::new();
    let mut said = Reading::new("snmp", Over::Udp, "snmp.system", facts.speaker.clone());
    said.facts = facts.below("snmp.system.").map(|(_, fact)| fact.clone()).collect();
    let asked: BTreeSet<String> = ProfileSet::embedded().further(&said).all().concat().iter().map(ToString::to_string).collect();
    persona.listed = asked.iter().filter_map(|name| oid(name)).collect();
    let standard =
        SNMP_OBJECTS.into_iter().filter_map(|(path, name)| Some((name.to_owned(), snmp::Value::Text(facts.bytes(path)?.to_vec()))));
    let private = facts.below("snmp.1.").map(|(behind, fact)| (format!("1.{behind}"), snmp_value(fact)));
    for (name, value) in standard.chain(private) {
        let object = oid(&name)?;
        persona.objects.insert(object.clone(), value);
        if !asked.contains(&name) {
            persona.listed.insert(object);
            more.extend(["--snmp-object".to_owned(), name]);
        }
    }
    let entities = entities(facts);
    let is_asked = asked.iter().any(|name| name.starts_with(ENTITY));
    more.extend((!entities.is_empty() && !is_asked).then(|| "--snmp-entity".to_owned()));
    Some((persona.with_entities(entities), more))
}

fn snmp_value(fact: &Fact) -> snmp::Value {
    let number = || decode_fact(fact.shape, &fact.bytes).ok()?.parse().ok();
    match fact.shape {
        Shape::Number => number().map_or_else(|| snmp::Value::Text(fact.bytes.clone()), snmp::Value::Integer),
        _ => snmp::Value::Text(fact.bytes.clone()),
    }
}

/// Rows of the entity table, by their index.
fn entities(facts: &Facts) -> BTreeMap<u32, snmp::Entity> {
    let mut rows: BTreeMap<u32, snmp::Entity> = BTreeMap::new();
    for (path, fact) in facts.below("snmp.entity.") {
        let Some((index, column)) = path.split_once('.') else { continue };
        let Ok(index) = index.parse() else { continue };
        let row = rows.entry(index).or_default();
        let text = fact.bytes.clone();
        match column {
            "descr" => row.description = text,
            "hardware_rev" => row.hardware = text,
            "firmware_rev" => row.firmware = text,
            "software_rev" => row.software = text,
            "serial" => row.serial = text,
            "mfg" => row.manufacturer = text,
            "model" => row.model = text,
            "class" => row.class = decode_fact(fact.shape, &fact.bytes).ok().and_then(|class| class.parse().ok()).unwrap_or(0),
            _ => {}
        }
    }
    rows
}
