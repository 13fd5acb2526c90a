//! Messages by hand from SH-080956ENG 5.2 (Read Type Name: its example is a Q26UDEHCPU-like text and code) and BAP-C2006; the TSN message is
//! frame 2 of nttcom/zeek-parser-CCLinkTSNSLMP testing/Traces/test.pcap.

use super::*;

const ASKED: &[u8] = b"\x50\0\0\xff\xff\x03\0\x06\0\x10\0\x01\x01\0\0";
const ANSWER: &[u8] = b"\xd0\0\0\xff\xff\x03\0\x14\0\0\0Q02UCPU         \x63\x02";
const ASKED_NUMBERED: &[u8] = b"\x54\0\x34\x12\0\0\x02\x07\xff\x03\0\x06\0\x10\0\x01\x01\0\0";
const ANSWER_NUMBERED: &[u8] = b"\xd4\0\x34\x12\0\0\x02\x07\xff\x03\0\x14\0\0\0R04ENCPU        \x05\x48";
const ASKED_ASCII: &[u8] = b"500000FF03FF00000C001001010000";
const ANSWER_ASCII: &[u8] = b"D00000FF03FF0000180000Q02UCPU         0263";
const ASKED_WORDS: &[u8] = b"\x50\0\0\xff\xff\x03\0\x0c\0\x10\0\x01\x04\0\0\0\0\0\xa8\x09\0";
const TIME_SENSITIVE: &[u8] = b"\x68\0\0\0\0\0\0\xff\xff\x03\0\0\0\0\x18\0\0\0\x93\x0e\0\0\0\0\0\0\0\0\0\x01\0\0\x40\x02\0\0\xff\xff\x0f\0";

/// A station's answer to a search: maker 1234, model 01020304, version 2.
fn node() -> Vec<u8> {
    let addresses =
        b"\x06\x05\x04\x03\x02\x01\x04\x01\x01\xa8\xc0\xf1\xf2\xf3\xf4\xf5\xf6\x04\x02\x01\xa8\xc0\0\xff\xff\xff\xff\xff\xff\xff\0";
    let codes = b"\x34\x12\x04\x03\x02\x01\x02\0\x04\xff\xff\xff\xff\xff\xff\0\0\x0b\xf0\x01";
    [&b"\xd4\0\x01\0\0\0\0\xff\xff\x03\0\x35\0\0\0"[..], addresses, codes].concat()
}

/// A station's answer to cyclic data with the same codes.
fn cyclic(version: u8) -> Vec<u8> {
    let head = b"\xd0\0\0\xff\xff\x03\0\x72\0\0\0\x01\0\0\0\x28\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x34\x12\0\0\x04\x03\x02\x01";
    [&head[..], &[version], &[0; 83]].concat()
}

fn check(over: Over, said: &[(bool, &[u8])], expected: &[&str]) {
    let mut heard = Vec::new();
    let mut note = |event: Heard| {
        heard.push(match event {
            Heard::Present { role, speaker, .. } => format!("{} {:?} {:?}", role.name(), speaker.network, speaker.unit),
            Heard::Reading(reading) => {
                let facts: Vec<_> = reading.facts.iter().map(|fact| fact.bytes.escape_ascii().to_string()).collect();
                format!("{} {:?} {}", reading.question, reading.speaker.unit, facts.join(" "))
            }
            Heard::Happened { happening, .. } => format!("{happening:?}"),
            Heard::Malformed { malformed, .. } => format!("malformed at {}", malformed.offset),
        });
    };
    let mut talk = Talk::new(over);
    for (by_server, bytes) in said {
        let (at, from, to) = (At::default(), &End::default(), &End::default());
        talk.hear(&Said { bytes, missing: 0, at, from, to, by_server: *by_server }, &mut note);
    }
    assert_eq!(heard, expected);
}

#[test]
fn a_controller_tells_its_type_to_whoever_asked() {
    let (server, client) = ("server None None", "client None None");
    check(Over::Tcp, &[(false, ASKED), (true, ANSWER)], &[server, client, r"slmp.type_name None Q02UCPU c\x02"]);
    check(Over::Tcp, &[(false, ASKED_ASCII), (true, ANSWER_ASCII)], &[server, client, "slmp.type_name None Q02UCPU 0263"]);
    let routed = ["server Some(2) Some(7)", client, r"slmp.type_name Some(7) R04ENCPU \x05H"];
    check(Over::Udp, &[(false, ASKED_NUMBERED), (true, ANSWER_NUMBERED)], &routed);
    check(Over::Udp, &[(true, ANSWER)], &[]);
    // Nine words of a register may hold a text, too: with two open questions nobody knows whose answer it is.
    check(Over::Udp, &[(false, ASKED_WORDS), (false, ASKED), (true, ANSWER)], &[]);
    check(Over::Tcp, &[(false, ASKED_WORDS), (true, ANSWER)], &[server, client]);
}

/// C059, wrong command (SH-080956ENG, 6.2), with the error information behind it.
#[test]
fn a_controller_that_has_no_type_name_says_why() {
    let (server, client) = ("server None None", "client None None");
    let refused: &[u8] = b"\xd0\0\0\xff\xff\x03\0\x0b\0\x59\xc0\0\xff\xff\x03\0\x01\x01\0\0";
    check(Over::Tcp, &[(false, ASKED), (true, refused)], &[server, client, r"slmp.type_name None Y\xc0"]);
    check(
        Over::Tcp,
        &[(false, ASKED_ASCII), (true, b"D00000FF03FF000016C05900FF03FF0001010000")],
        &[server, client, "slmp.type_name None C059"],
    );
    check(Over::Tcp, &[(false, ASKED_WORDS), (true, refused)], &[server, client]);
}

#[test]
fn stations_of_field_basic_tell_their_codes() {
    let codes = r"4\x12 \x04\x03\x02\x01 \x02\x00";
    check(Over::Udp, &[(true, &node())], &[&format!(r"slmp.node None \xf1\xf2\xf3\xf4\xf5\xf6 {codes}")]);
    let cyclic_codes = format!("slmp.cyclic None {codes}");
    check(
        Over::Udp,
        &[(true, &cyclic(2)), (true, &cyclic(2)), (true, &cyclic(3))],
        &[&cyclic_codes, &cyclic_codes.replace(r"\x02\x00", r"\x03\x00")],
    );
}

#[test]
fn what_holds_no_identity_is_passed_over() {
    check(Over::Udp, &[(false, TIME_SENSITIVE), (true, b""), (true, b"\xd0"), (true, b"50+0")], &["malformed at 0"]);
    check(Over::Tcp, &[(false, b"\x50\0\0\xff\xff\x03\0\x08\0\x10\0\x06\x10\0\0\x01\0")], &["Reset"]);
    check(Over::Tcp, &[(false, b"GET / HTTP/1.1"), (false, b"\r\n")], &["malformed at 0"]);
}

#[test]
fn a_shorter_answer_says_the_same_or_less() {
    for (asked, message) in [(ASKED, ANSWER.to_vec()), (ASKED_ASCII, ANSWER_ASCII.to_vec()), (b"", node()), (b"", cyclic(2))] {
        let facts =
            |bytes: &[u8]| PROTOCOL.replay(Over::Udp, [asked], [bytes]).into_iter().flat_map(|reading| reading.facts).collect::<Vec<_>>();
        let whole = facts(&message);
        assert!(!whole.is_empty(), "{}", message.escape_ascii());
        for cut in 0..message.len() {
            assert!(facts(&message[..cut]).iter().all(|fact| whole.contains(fact)), "{cut}");
        }
    }
}

#[test]
fn what_only_starts_alike_is_something_else() {
    for (over, bytes, expected) in [
        (Over::Tcp, ASKED, Likeness::Certain),
        (Over::Udp, ANSWER, Likeness::Certain),
        (Over::Tcp, ASKED_ASCII, Likeness::Certain),
        (Over::Udp, TIME_SENSITIVE, Likeness::Certain),
        (Over::Tcp, &ASKED[..8], Likeness::Possible),
        (Over::Tcp, b"POST / HTTP/1.1\r\n", Likeness::No),
        (Over::Tcp, b"DELETE / HTTP", Likeness::No),
        (Over::Tcp, b"550 no such mailbox", Likeness::No),
        (Over::Tcp, b"\x50\0\0\xff\x12\x34\0\x06\0\x10\0\x01\x01\0\0", Likeness::No),
    ] {
        assert_eq!(likeness(bytes, over), expected, "{}", bytes.escape_ascii());
    }
}
