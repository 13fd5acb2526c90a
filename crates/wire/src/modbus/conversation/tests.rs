//! A conversation is a table of what passed, in order; what it yields is written beside it.

use super::*;

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
            Heard::Present { speaker, .. } => format!("server {}", speaker.unit.unwrap_or_default()),
            Heard::Happened { .. } => "happened".to_owned(),
            Heard::Malformed { malformed, .. } => format!("malformed at {}", malformed.offset),
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
