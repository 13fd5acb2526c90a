//! The rig itself, before anything of ours meets it: each server starts, a raw client asks with bytes written by hand, and tshark, not our
//! decoder, says what was asked and what came back.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, TcpStream};
use std::time::Duration;

use nameplate_tests::personas::{self, Persona};
use nameplate_tests::place::needed;
use nameplate_tests::record::{self, AND, Recording};
use nameplate_tests::rig::{self, Kind};

/// Longer than any of these servers takes to answer.
const PATIENCE: Duration = Duration::from_secs(10);

/// One question (a whole ADU) on a connection of its own; the whole ADU that came back.
fn ask(port: u16, question: &[u8]) -> Vec<u8> {
    #[expect(clippy::disallowed_methods, reason = "the raw client of a test, towards the server it started")]
    let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).expect("a connection");
    stream.set_read_timeout(Some(PATIENCE)).expect("a time-out");
    stream.write_all(question).expect("written");
    let mut header = [0; 6];
    stream.read_exact(&mut header).expect("a header");
    let mut rest = vec![0; usize::from(u16::from_be_bytes([header[4], header[5]]))];
    stream.read_exact(&mut rest).expect("the rest");
    [&header, rest.as_slice()].concat()
}

fn question(unit: u8, read_code: u8, object: u8) -> [u8; 11] {
    [0x4E, 0x50, 0, 0, 0, 5, unit, 0x2B, 0x0E, read_code, object]
}

/// Records this question to a server of this kind; tshark's reading of the answer.
fn check(kind: Kind, persona: &Persona, question: &[u8], fields: &[&str]) -> Vec<String> {
    let server = rig::start(kind, persona).expect("a server");
    let recording = Recording::start(&[server.port]).expect("a recording");
    ask(server.port, question);
    let file = recording.stop().expect("a capture");
    let filter = format!("mbtcp && tcp.srcport == {}", server.port);
    let rows = record::tshark(&file, fields, &filter, server.port).expect("tshark's reading");
    let [row] = rows.as_slice() else { panic!("{kind:?}: one answer, got {rows:?} in {}", file.display()) };
    row.clone()
}

fn ready(test: &str) -> bool {
    needed(test, rig::available().and_then(|()| record::available())).is_some()
}

fn joined(cells: impl Iterator<Item = String>) -> String {
    cells.collect::<Vec<_>>().join(&AND.to_string())
}

#[test]
fn servers_with_an_identity_tell_their_persona() {
    if !ready("servers_with_an_identity_tell_their_persona") {
        return;
    }
    let persona = personas::random(personas::seed());
    // modbus-serial answers a basic question with the regular objects too; pymodbus leaves an object out that has no text, and has none.
    for (kind, read_code, last) in [(Kind::Pymodbus, 1, 2), (Kind::Pymodbus, 2, 6), (Kind::ModbusSerial, 2, 6)] {
        let fields = ["modbus.object_id", "modbus.object_str_value", "modbus.conformity_level"];
        let row = check(kind, &persona, &question(persona.unit, read_code, 0), &fields);
        let objects = persona.between(0, last);
        let [ids, texts, _] = row.as_slice() else { panic!("three cells: {row:?}") };
        assert_eq!(*ids, joined(objects.iter().map(|(id, _)| id.to_string())), "{kind:?}");
        assert_eq!(*texts, joined(objects.iter().map(|(_, text)| text.clone())), "{kind:?}");
    }
}

#[test]
fn a_long_identity_comes_in_pages() {
    if !ready("a_long_identity_comes_in_pages") {
        return;
    }
    let persona = personas::paged(personas::seed());
    for kind in [Kind::Pymodbus, Kind::ModbusSerial] {
        let fields = ["modbus.more_follows", "modbus.next_object_id"];
        let row = check(kind, &persona, &question(persona.unit, 2, 0), &fields);
        let [more, next] = row.as_slice() else { panic!("two cells: {row:?}") };
        assert!(["255", "0xff"].contains(&more.as_str()), "{kind:?}: {row:?}");
        assert_eq!(next, "4", "{kind:?}: objects 0 to 3 fill the first page");
    }
}

#[test]
fn servers_without_identity_answer_with_exception_1() {
    if !ready("servers_without_identity_answer_with_exception_1") {
        return;
    }
    let persona = personas::random(personas::seed());
    for kind in [Kind::ModbusTk, Kind::Umodbus] {
        let row = check(kind, &persona, &question(persona.unit, 1, 0), &["modbus.exception_code"]);
        assert_eq!(row, ["1"], "{kind:?}");
    }
}

#[test]
fn registers_hold_what_the_persona_says() {
    if !ready("registers_hold_what_the_persona_says") {
        return;
    }
    let persona = personas::random(personas::seed());
    for kind in [Kind::Pymodbus, Kind::ModbusSerial, Kind::ModbusTk, Kind::Umodbus] {
        let row = check(kind, &persona, &[0, 7, 0, 0, 0, 6, persona.unit, 3, 0, 0, 0, 4], &["modbus.regval_uint16"]);
        assert_eq!(row, [joined(persona.registers.iter().take(4).map(u16::to_string))], "{kind:?}");
    }
}
