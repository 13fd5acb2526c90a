//! A conversation is a table of what passed, in order; what it yields is written beside it.

use super::*;
use crate::Shape;

/// One object each: id 0 "ABC", id 2 "V2.1".
const WHOLE: &[u8] = b"\x00\x07\x00\x00\x00\x13\x01\x2b\x0e\x01\x01\x00\x00\x02\x00\x03ABC\x02\x04V2.1";
const ASKED: &[u8] = b"\x00\x07\x00\x00\x00\x05\x01\x2b\x0e\x01\x00";
const REGISTERS: &[u8] = b"\x00\x08\x00\x00\x00\x05\x01\x03\x02\x12\x34";
const ASKED_REGISTERS: &[u8] = b"\x00\x08\x00\x00\x00\x06\x01\x03\x00\x00\x00\x01";

enum Step<'a> {
    Client(&'a [u8]),
    Server(&'a [u8]),
    ServerGap,
}
use Step::{Client, Server, ServerGap};

fn check(name: &str, steps: &[Step<'_>], expected: &[&str]) {
    let mut heard = Vec::new();
    let mut note = |event: Heard| {
        heard.push(match event {
            Heard::Present { speaker, protocol: NAME, .. } => format!("server {}", speaker.unit.unwrap_or_default()),
            Heard::Present { protocol, speaker, .. } => format!("{protocol} {}", speaker.unit.unwrap_or_default()),
            Heard::Happened { .. } => "happened".to_owned(),
            Heard::Malformed { malformed, .. } => format!("malformed at {}", malformed.offset),
            Heard::Reading(reading) if reading.protocol == umas::NAME => {
                let facts: Vec<_> = reading
                    .facts
                    .iter()
                    .filter(|fact| fact.shape == Shape::Text)
                    .map(|fact| fact.bytes.escape_ascii().to_string())
                    .collect();
                format!("{} {:?} {} asked {}", reading.question, reading.authority, facts.join(" "), reading.asked)
            }
            Heard::Reading(reading) => {
                let objects: Vec<_> = reading.facts.iter().filter(|fact| fact.path.contains("object")).map(|f| f.path.clone()).collect();
                let whole = if reading.complete { "whole" } else { "part" };
                format!("{} {} unit {} {whole}", reading.question, objects.join(" "), reading.speaker.unit.unwrap_or_default())
            }
        });
    };
    let mut connection = Connection::default();
    for (frame, step) in (1..).zip(steps) {
        let at = At { frame, time_ns: 0 };
        let (from, to) = (&End::default(), &End::default());
        match *step {
            Client(bytes) => connection.hear(&Said { bytes, missing: 0, at, from, to, by_server: false }, &mut note),
            Server(bytes) => connection.hear(&Said { bytes, missing: 0, at, from, to, by_server: true }, &mut note),
            ServerGap => connection.lose(true, at, &mut note),
        }
    }
    connection.finish(At { frame: 99, time_ns: 0 }, &mut note);
    assert_eq!(heard, expected, "{name}");
}

#[test]
fn answers_are_heard_whole_in_pieces_torn_and_without_their_question() {
    let whole = "modbus.identification.basic modbus.object.0 modbus.object.2 unit 1 whole";
    check("asked and answered", &[Client(ASKED), Server(WHOLE)], &["server 1", whole]);
    check("only the answer was captured", &[Server(WHOLE)], &[whole]);
    check("in two segments", &[Client(ASKED), Server(&WHOLE[..5]), Server(&WHOLE[5..])], &["server 1", whole]);
    check("behind another answer in one segment", &[Client(ASKED), Server(&[REGISTERS, WHOLE].concat())], &["server 1", whole]);
    let torn = "modbus.identification.basic modbus.object.0 unit 1 part";
    check("torn in the last object", &[Client(ASKED), Server(&WHOLE[..22]), ServerGap, Server(REGISTERS)], &["server 1", torn]);
    check("torn in the header", &[Server(&WHOLE[..6]), ServerGap, Server(WHOLE)], &[whole]);
    check("a server without identity", &[Client(ASKED_REGISTERS), Server(REGISTERS), Server(REGISTERS)], &["server 1"]);
    check("an answer nobody asked for shows no server", &[Server(REGISTERS)], &[]);
}

#[test]
fn what_is_no_modbus_is_said_once_and_passed_over() {
    let web = Server(b"HTTP/1.1 200 OK\r\n");
    let whole = "modbus.identification.basic modbus.object.0 modbus.object.2 unit 1 whole";
    check("twice something else, then Modbus", &[web, Server(b"<html>"), Server(WHOLE)], &["malformed at 2", whole]);
}

#[test]
fn pages_of_one_answer_are_one_reading() {
    let first = b"\x00\x01\x00\x00\x00\x0d\x01\x2b\x0e\x02\x81\xff\x03\x01\x00\x03ABC";
    let second = b"\x00\x02\x00\x00\x00\x0e\x01\x2b\x0e\x02\x81\x00\x00\x01\x03\x04http";
    let ask_first = b"\x00\x01\x00\x00\x00\x05\x01\x2b\x0e\x02\x00";
    let ask_second = b"\x00\x02\x00\x00\x00\x05\x01\x2b\x0e\x02\x03";
    let both = "modbus.identification.regular modbus.object.0 modbus.object.3 unit 1 whole";
    check("both pages", &[Client(ask_first), Server(first), Client(ask_second), Server(second)], &["server 1", both]);
    check("both pages without their questions", &[Server(first), Server(second)], &[both]);
    let part = "modbus.identification.regular modbus.object.0 unit 1 part";
    check("the second page never came", &[Client(ask_first), Server(first)], &["server 1", part]);
    check("the first page again", &[Server(first), Server(first), Server(second)], &[part, both]);
}

/// ITI/ICS-Security-Tools pcaps/modicon/modicon_test.pcap, frames 4 and 6, 11 and 12: a fact each.
const ASKED_ID: &[u8] = b"\0\0\0\0\0\x04\0\x5a\0\x02";
const ID: &[u8] = b"\0\0\0\0\0\x32\0\x5a\0\xfe\x10\xff\x5a\x01\x01\0\0\0\x70\x02\0\0\x27\0\x09\0\x08\0\0\0\0\0\x0e140 CPU 311 10\x01\x01\x01\0\0\0\0\x11\0";
const ASKED_PROJECT: &[u8] = b"\0\x03\0\0\0\x05\0\x5a\0\x03\0";
const PROJECT: &[u8] = b"\0\x03\0\0\0\x33\0\x5a\0\xfe\x02\x05\0\0\x98\x88\x01\0\0\x02\x05\0\0\x98\x88\x01\0\0\x02\x0c\x3b\x0c\x0e\x01\xde\x07\x02\x0c\x3b\x0c\x0e\x01\xde\x07\x08\0\0\0\x08Project\0";

#[test]
fn a_controller_tells_its_model_to_whoever_asked_in_umas() {
    let id = "umas.identification Device 140 CPU 311 10 asked 1";
    check("read id", &[Client(ASKED_ID), Server(ID)], &["server 0", "umas 0", id]);
    check(
        "behind other answers",
        &[Client(ASKED_REGISTERS), Server(REGISTERS), Client(ASKED_ID), Server(ID)],
        &["server 1", "server 0", "umas 0", id],
    );
    check("nobody asked", &[Server(ID)], &[]);
    let project = "umas.project Belief Project asked 1";
    check("project", &[Client(ASKED_PROJECT), Server(PROJECT)], &["server 0", "umas 0", project]);
    let refused = b"\0\0\0\0\0\x06\0\x5a\0\xfd\x83\0";
    check("refused", &[Client(ASKED_ID), Server(refused)], &["server 0", "umas 0"]);
}

#[test]
fn a_shorter_umas_answer_says_the_same_or_less() {
    let facts = |bytes: &[u8]| {
        PROTOCOL
            .replay(crate::conversation::Over::Tcp, [ASKED_ID], [bytes])
            .into_iter()
            .flat_map(|reading| reading.facts)
            .collect::<Vec<_>>()
    };
    let whole = facts(ID);
    assert_eq!(whole.len(), 3);
    for cut in 0..ID.len() {
        assert!(facts(&ID[..cut]).iter().all(|fact| whole.contains(fact)), "{cut}");
    }
}
