//! From facts of Modbus to the device that tells them: its objects, or its registers.

use std::collections::BTreeMap;

use nameplate_core::wire::modbus::registers::Read;
use nameplate_core::wire::modbus::sunspec;
use nameplate_simulators::modbus;

use super::facts::Facts;
use super::persona::{Made, made, words};

/// A device.
pub fn over_tcp(facts: &Facts) -> Option<Made> {
    let (persona, words) = modbus_of(facts, "modbus")?;
    Some(Made { words, ..made(persona) })
}

/// A unit behind a serial server.
pub fn on_a_line(facts: &Facts) -> Option<Made> {
    let (persona, words) = modbus_of(facts, "modbus-rtu")?;
    let unit = facts.speaker.unit?;
    Some(Made { station: unit.to_string(), words, ..made(modbus::OnLine(modbus::Persona { unit: Some(unit), ..persona })) })
}

/// By the paths of who told it; and what has to be asked so that it tells all of it.
fn modbus_of(facts: &Facts, of: &str) -> Option<(modbus::Persona, Vec<String>)> {
    if let Some(made) = sunspec(facts, of).or_else(|| registers(facts, of)) {
        return Some(made);
    }
    let object = |(id, fact): (&str, &nameplate_core::wire::Fact)| Some((id.parse::<u8>().ok()?, fact.bytes.clone()));
    let objects: BTreeMap<u8, Vec<u8>> = facts.below(&format!("{of}.object.")).filter_map(object).collect();
    let server_id = facts.bytes(&format!("{of}.server_id")).map(<[u8]>::to_vec);
    let identification = objects.keys().next_back().map(|last| if *last < 0x80 { "regular" } else { "extended" });
    let questions: Vec<&str> = identification.into_iter().chain(server_id.is_some().then_some("server-id")).collect();
    (!questions.is_empty()).then(|| {
        let more = if questions == ["regular"] { Vec::new() } else { words(&["--question", &questions.join(",")]) };
        (modbus::Persona { server_id, ..modbus::Persona::from_objects(objects) }, more)
    })
}

/// The registers of a common model with these texts (SunSpec, model_1.json), at the first place where a marker may stand.
fn sunspec(facts: &Facts, of: &str) -> Option<(modbus::Persona, Vec<String>)> {
    const READ_HOLDING_REGISTERS: u8 = 3;
    let [base, ..] = sunspec::BASES;
    let text = |name: &str| facts.bytes(&format!("{of}.sunspec.{name}")).unwrap_or_default().to_vec();
    let texts = ["manufacturer", "model", "options", "version", "serial_number"].map(text);
    let model = [b"SunS\x00\x01\x00\x41".to_vec(), texts.concat(), vec![0, 1]].concat();
    let registers = (base..).zip(model.as_chunks().0.iter().map(|pair| u16::from_be_bytes(*pair))).collect();
    let register_reads = [(READ_HOLDING_REGISTERS, base, sunspec::REGISTERS)].into();
    let persona = modbus::Persona { registers, register_reads, ..modbus::Persona::without_identity() };
    (!texts.concat().is_empty()).then(|| (persona, words(&["--question", "sunspec"])))
}

/// The registers that its profile asks for, as the example has them.
fn registers(facts: &Facts, of: &str) -> Option<(modbus::Persona, Vec<String>)> {
    let block = |read: &Read| {
        let bytes = facts.bytes(&format!("{of}.registers.{}", read.address))?;
        Some((read.address..).zip(bytes.as_chunks().0.iter().map(|pair| u16::from_be_bytes(*pair))).collect::<Vec<_>>())
    };
    let blocks: Vec<Vec<(u16, u16)>> = facts.reads.iter().map(block).collect::<Option<_>>()?;
    let register_reads = facts.reads.iter().map(|read| (read.function, read.address, read.quantity)).collect();
    let registers = blocks.into_iter().flatten().collect();
    let persona = modbus::Persona { registers, register_reads, ..modbus::Persona::without_identity() };
    (!facts.reads.is_empty()).then(|| (persona, words(&["--modbus-profile", &facts.profile])))
}
