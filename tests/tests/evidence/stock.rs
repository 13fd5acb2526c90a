//! The log from which bundles are made: three devices read three times each, from the examples of the built-in profiles.

use std::collections::BTreeMap;

use nameplate_core::observation::{Observation, Source};
use nameplate_core::profile::{Example, Interpretation, Matched, ProfileSet, Said, stream};
use nameplate_core::wire::{Address, Reading};
use nameplate_simulators::modbus::{self, Persona};
use serde_json::{Value, json};

use crate::log::{Key, Log, hex, sha256, unhex};
use crate::mutate::Stock;

/// Readings of each device: between them its answer does not change.
const READINGS: usize = 3;
const DEVICES: usize = 3;

/// Read Device Identification, all objects; MODBUS V1.1b3, 6.21.
const READ_EXTENDED: &[u8] = &[0x2b, 0x0e, 0x03, 0x00];

/// An answer of each of so many devices: the first examples of profiles, as the simulator sends them. The last device takes several pages.
fn answers(set: &ProfileSet) -> Vec<Reading> {
    let objects = |example: &Example| match &example.said {
        Said::Decoded { objects, .. } if !objects.is_empty() => Some(objects.clone()),
        Said::Decoded { .. } | Said::Frame(_) => None,
    };
    let devices = set.iter().filter(|profile| !profile.fallback).filter_map(|profile| profile.examples.iter().find_map(objects));
    let mut devices: Vec<BTreeMap<u8, Vec<u8>>> = devices.take(DEVICES).collect();
    devices[DEVICES - 1].extend([(0x80, vec![b'x'; 200]), (0x81, vec![b'y'; 200])]);
    let answer = |objects| modbus::answers(&Persona::from_objects(objects), &modbus::wrap(1, 255, READ_EXTENDED)).concat();
    devices.into_iter().filter_map(|objects| stream(&answer(objects)).into_iter().next()).collect()
}

/// The body of an observation, as docs/evidence.md has it, with what it names.
fn observe(log: &mut Log, set: &ProfileSet, reading: &Reading, device: usize) -> u64 {
    let speaker = Address { ip: Some([192, 0, 2, 10 + device as u8].into()), port: Some(502), unit: Some(1), ..Address::default() };
    let reading = Reading { speaker, ..reading.clone() };
    let said = set.interpret(&reading);
    let mut observation = Observation::of(&reading, Source::Asked { reason: format!("WO-{}", log.bodies.len()).into() }, 0);
    for message in &mut observation.messages {
        let bytes = unhex(message);
        *message = hex(&sha256(&bytes));
        log.payloads.insert(message.clone(), bytes);
    }
    let text = match &said.matched {
        Matched::One(id) | Matched::Fallback(id) => set.get(id).map(|profile| profile.text.clone()),
        Matched::None | Matched::Several(_) => None,
    };
    let profile_sha256 = text.as_ref().map(|text| hex(&sha256(text)));
    if let (Some(name), Some(text)) = (&profile_sha256, text) {
        log.profiles.insert(name.clone(), text);
    }
    log.add(body(&observation, &said, profile_sha256.as_ref()))
}

fn body(observation: &Observation, said: &Interpretation, profile_sha256: Option<&String>) -> Value {
    json!({
        "kind": "observation", "observation": observation, "interpretation": said, "profile_sha256": profile_sha256,
        "decoder": nameplate_core::evidence::DECODER,
    })
}

impl Stock {
    pub fn new() -> Self {
        let set = ProfileSet::built_in().expect("the built-in profiles");
        let readings = answers(&set);
        assert_eq!(readings.len(), DEVICES, "profiles with frames");
        let mut log = Log::new(Key::of(1));
        let mut entries = vec![vec![0]; DEVICES];
        for _ in 0..READINGS {
            for (device, reading) in readings.iter().enumerate() {
                entries[device].push(observe(&mut log, &set, reading, device));
                let line = json!({ "kind": "sent", "target": format!("192.0.2.{}:502", 10 + device), "unit": 1 });
                entries[device].push(log.add(json!({ "kind": "touch", "line": line.to_string() })));
            }
            // Nobody's: between the entries of a bundle there are always others.
            log.add(json!({ "kind": "touch", "line": "{\"kind\":\"closed\"}" }));
        }
        let subjects = entries.into_iter().enumerate().map(|(device, entries)| (format!("a-{device:012}"), entries)).collect();
        Self { log, subjects, stranger: Key::of(2) }
    }
}
