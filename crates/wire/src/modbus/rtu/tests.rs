//! Frames by hand from V1.1b3, 6.13 and 6.21; their check bytes by an independent CRC-16/MODBUS (serial line 6.2.2; `01 03 00 00 00 0a` has
//! `c5 cd` in every manual).

use super::*;

const ASKED: &[u8] = b"\x01\x2b\x0e\x01\x00\x70\x77";
/// Object 0 "ABC", object 2 "V2.1".
const WHOLE: &[u8] = b"\x01\x2b\x0e\x01\x01\x00\x00\x02\x00\x03ABC\x02\x04V2.1\x5a\x60";
const REGISTERS_ASKED: &[u8] = b"\x01\x03\x00\x00\x00\x01\x84\x0a";
const REGISTERS: &[u8] = b"\x01\x03\x02\x12\x34\xb5\x33";
const WRITTEN: &[u8] = b"\x05\x06\x00\x01\x00\x02\x58\x4f";
const SERVER_ID_ASKED: &[u8] = b"\x01\x11\xc0\x2c";
const SERVER_ID: &[u8] = b"\x01\x11\x08\x00\xffMK-1 4\xd1\xe0";
const REFUSED: &[u8] = b"\x01\xab\x01\x9e\xf0";

fn check(name: &str, said: &[(bool, &[u8])], expected: &[&str]) {
    let mut heard = Vec::new();
    let mut note = |event: Heard| {
        heard.push(match event {
            Heard::Present { speaker, .. } => format!("server {}", speaker.unit.unwrap_or_default()),
            Heard::Malformed { malformed, .. } => format!("malformed at {}", malformed.offset),
            Heard::Happened { .. } => "happened".to_owned(),
            Heard::Reading(reading) => {
                let fact = |fact: &crate::Fact| format!("{}={}", fact.path, fact.bytes.escape_ascii());
                let facts: Vec<_> = reading.facts.iter().filter(|fact| !fact.path.ends_with("conformity")).map(fact).collect();
                format!("{} {} {}", reading.question, facts.join(" "), if reading.complete { "whole" } else { "part" })
            }
        });
    };
    let mut line = Line::default();
    for (by_server, bytes) in said {
        let (at, from, to) = (At::default(), &End::default(), &End::default());
        line.hear(&Said { bytes, missing: 0, at, from, to, by_server: *by_server }, &mut note);
    }
    line.finish(At::default(), &mut note);
    assert_eq!(heard, expected, "{name}");
}

#[test]
fn units_on_a_line_tell_what_they_are() {
    let whole = "modbus.identification.basic modbus-rtu.object.0=ABC modbus-rtu.object.2=V2.1 whole";
    check("asked", &[(false, ASKED), (true, WHOLE)], &["server 1", whole]);
    check("not asked", &[(true, WHOLE)], &[whole]);
    check("in pieces", &[(false, &ASKED[..3]), (false, &ASKED[3..]), (true, &WHOLE[..9]), (true, &WHOLE[9..])], &["server 1", whole]);
    check("the line called its master", &[(true, ASKED), (false, WHOLE)], &["server 1", whole]);
    let id = r"modbus.server_id modbus-rtu.server_id=\x00\xffMK-1 4 modbus-rtu.server_id.text=MK-1 4 whole";
    check("server id", &[(false, SERVER_ID_ASKED), (true, SERVER_ID)], &["server 1", id]);
    let refused = r"modbus.identification.basic modbus-rtu.exception=\xab\x01 whole";
    check("refused", &[(false, ASKED), (true, REFUSED)], &["server 1", refused]);
}

#[test]
fn what_holds_no_identity_shows_who_is_there() {
    check("registers", &[(false, REGISTERS_ASKED), (true, REGISTERS), (false, REGISTERS_ASKED), (true, REGISTERS)], &["server 1"]);
    check("an echo", &[(false, WRITTEN), (true, WRITTEN)], &["server 5"]);
    check("nobody answered", &[(false, WRITTEN), (false, WRITTEN)], &[]);
    check(
        "noise, then a frame",
        &[(true, b"\xff\xfe"), (true, b"\x01\x63"), (true, WHOLE)],
        &["malformed at 0", "modbus.identification.basic modbus-rtu.object.0=ABC modbus-rtu.object.2=V2.1 whole"],
    );
    let mut torn = WHOLE.to_vec();
    torn[11] ^= 4;
    check("wrong check bytes", &[(true, &torn), (true, &[0; 256])], &["malformed at 0"]);
}

#[test]
fn pages_of_one_answer_are_one_reading() {
    let first = b"\x01\x2b\x0e\x02\x81\xff\x03\x01\x00\x03ABC\xc0\xae";
    let second = b"\x01\x2b\x0e\x02\x81\x00\x00\x01\x03\x04http\xe1\xc4";
    let both = "modbus.identification.regular modbus-rtu.object.0=ABC modbus-rtu.object.3=http whole";
    check("both", &[(true, first), (false, b"\x01\x2b\x0e\x02\x03\x30\x86"), (true, second)], &["server 1", both]);
    check("the first", &[(true, first)], &["modbus.identification.regular modbus-rtu.object.0=ABC part"]);
}

#[test]
fn a_frame_without_its_check_bytes_says_nothing() {
    for cut in 0..WHOLE.len() {
        assert!(PROTOCOL.replay(Over::Tcp, [ASKED], [&WHOLE[..cut]]).iter().all(|reading| reading.facts.is_empty()), "{cut}");
    }
}

#[test]
fn frames_are_told_from_modbus_tcp_by_their_check_bytes() {
    let tcp = |bytes: &[u8]| (crate::modbus::PROTOCOL.likeness)(bytes, Over::Tcp);
    let cases: [(&[u8], Likeness, Likeness); 6] = [
        (b"\x01\x03\x00\x00\x00\x0a\xc5\xcd", Likeness::Certain, Likeness::No),
        (WHOLE, Likeness::Certain, Likeness::No),
        (b"\x01\x03\x00\x00\x00\x0a\xc5\xcc", Likeness::No, Likeness::Possible),
        (b"\x00\x01\x00\x00\x00\x06\x01\x03\x00\x00\x00\x01", Likeness::No, Likeness::Possible),
        (b"\x01\x03", Likeness::No, Likeness::Possible),
        (b"GET / HTTP/1.1", Likeness::No, Likeness::No),
    ];
    for (bytes, rtu, mbap) in cases {
        assert_eq!((likeness(bytes, Over::Tcp), tcp(bytes)), (rtu, mbap), "{}", bytes.escape_ascii());
    }
}

/// The check bytes are those that pymodbus gives these frames.
#[test]
fn a_question_is_a_frame() {
    let check = |question: Question, unit: u8, expected: &[u8]| {
        let frame = encode(question, unit);
        assert_eq!(frame, expected);
        assert_eq!(length(&frame), Ok(Some(frame.len())));
    };
    check(Question::ServerId, 1, &[0x01, 0x11, 0xc0, 0x2c]);
    check(Question::REGULAR, 1, &[0x01, 0x2b, 0x0e, 0x02, 0x00, 0x70, 0x87]);
}
