//! Messages are those of W227's examples or quoted from a public capture, in order; what they yield is written beside them.

use super::*;

/// ITI ICS-Security-Tools (CC-BY-4.0 list), pcaps/omron/omron_test.pcap, frames 8, 9 and 17, 18: a fact each.
const ASKED: &[u8] = b"\x80\x00\x02\x00\x00\x00\x00\x63\x00\xef\x05\x01\x00";
const ANSWER: &[u8] = b"\xc0\x00\x02\x00\x63\x00\x00\xc8\x00\xef\x05\x01\x00\x00CP1L-EL20DR-D\0\0\0    01.00\0\0\0\0\x0001.06\0\0\0\0\0\
    \0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x01\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x01\0\x03\0\x0a\x17\x2a\x10\x08\0\0\0\0\0\0";

fn enveloped(frame: &[u8]) -> Vec<u8> {
    let length = u32::try_from(frame.len() + LENGTH_END).expect("short");
    [b"FINS", &length.to_be_bytes()[..], &[0, 0, 0, 2, 0, 0, 0, 0], frame].concat()
}

fn check(over: Over, said: &[(bool, &[u8])], expected: &[&str]) {
    let mut heard = Vec::new();
    let mut note = |event: Heard| {
        heard.push(match event {
            Heard::Present { role, speaker, .. } => format!("{} {:?}", role.name(), speaker.unit),
            Heard::Happened { happening, .. } => format!("{happening:?}"),
            Heard::Malformed { malformed, .. } => format!("malformed at {}", malformed.offset),
            Heard::Reading(reading) => {
                let facts: Vec<_> =
                    reading.facts.iter().filter(|f| f.shape == Shape::Text).map(|f| f.bytes.escape_ascii().to_string()).collect();
                format!("{} {:?} {:?} {}", reading.question, reading.speaker.unit, reading.speaker.slot, facts.join(" "))
            }
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
fn a_controller_tells_its_model_and_both_versions() {
    let cp1l = "fins.controller Some(200) None CP1L-EL20DR-D 01.00 01.06";
    check(Over::Udp, &[(false, ASKED), (true, ANSWER)], &["server Some(200)", "client None", cp1l]);
    check(Over::Udp, &[(true, ANSWER)], &[cp1l]);
    let (asked, answer) = (enveloped(ASKED), enveloped(ANSWER));
    check(Over::Tcp, &[(false, &asked), (true, &answer[..20]), (true, &answer[20..])], &["server Some(200)", "client None", cp1l]);
    let full = [&ANSWER[..34], &[b'B'; 20], &ANSWER[54..]].concat();
    check(Over::Udp, &[(true, &full)], &["fins.controller Some(200) None CP1L-EL20DR-D BBBBBBBBBBBBBBBBBBBB"]);
}

#[test]
fn units_on_the_bus_have_addresses_of_their_own() {
    let unit = [&ANSWER[..10], b"\x05\x02\0\0\x82\x10CJ1W-ETN21          \x11CJ1W-SCU41-V1       "].concat();
    check(Over::Udp, &[(true, &unit)], &["fins.units Some(200) Some(16) CJ1W-ETN21", "fins.units Some(200) Some(17) CJ1W-SCU41-V1"]);
}

#[test]
fn what_holds_no_identity_is_passed_over() {
    let bus = [&ANSWER[..14], &[b'A'; 67]].concat();
    check(Over::Udp, &[(true, &bus)], &[]);
    let refused = [&ANSWER[..12], b"\x10\x01", &ANSWER[14..]].concat();
    check(Over::Udp, &[(true, &refused), (true, b"\xc0"), (true, b"")], &[]);
    check(Over::Udp, &[(false, b"\x80\0\x02\0\0\0\0\x63\0\x01\x04\x03")], &["Reset"]);
    check(Over::Tcp, &[(true, b"FINS\0\0\0\x10\0\0\0\x01\0\0\0\0\0\0\0\xfb\0\0\0\xc8"), (true, b"HTTP/1.1")], &["malformed at 0"]);
}

#[test]
fn a_shorter_answer_says_the_same_or_less() {
    let facts = |bytes: &[u8]| PROTOCOL.replay(Over::Udp, [], [bytes]).into_iter().flat_map(|reading| reading.facts).collect::<Vec<_>>();
    let whole = facts(ANSWER);
    assert_eq!(whole.len(), 4);
    for cut in 0..ANSWER.len() {
        assert!(facts(&ANSWER[..cut]).iter().all(|fact| whole.contains(fact)), "{cut}");
    }
}

#[test]
fn only_what_agrees_in_all_fields_is_found_on_another_port() {
    let cases: [(Over, &[u8], Likeness); 9] = [
        (Over::Udp, ASKED, Likeness::Certain),
        (Over::Udp, ANSWER, Likeness::Certain),
        (Over::Udp, b"\x80\0\x02\0\0\0\0\0\0\x7a\x01\x01\x82\0\0\0\0\x01", Likeness::Certain),
        (Over::Udp, b"\x80\0\x02\0\0\0\0\0\0\x7a\x06\x01", Likeness::Possible),
        (Over::Udp, b"\x80\x60\x02\x01\0\0\0\xa0\0\0\0\x01\x05\x01\0\0", Likeness::No),
        (Over::Udp, b"\x80\0\x02\0\0\0\0\0\0", Likeness::No),
        (Over::Tcp, b"FINS\0\0\0\x0c\0\0\0\0", Likeness::Certain),
        (Over::Tcp, b"FINS\0\0", Likeness::Possible),
        (Over::Tcp, b"FINSH is a shell", Likeness::No),
    ];
    for (over, bytes, expected) in cases {
        assert_eq!(likeness(bytes, over), expected, "{}", bytes.escape_ascii());
    }
}
