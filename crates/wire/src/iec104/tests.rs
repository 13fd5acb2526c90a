use super::*;
use crate::conversation::End;
use crate::iso::tests::hex;

/// Who sends: the controlling station asks, the controlled one answers.
const ASKS: bool = false;
const ANSWERS: bool = true;

fn check(name: &str, pieces: &[(bool, &str)], expected: &[&str]) {
    let mut heard = Vec::new();
    let mut note = |event| {
        heard.push(match event {
            Heard::Present { role, speaker, .. } => format!("{} {:?}", role.name(), speaker.link),
            Heard::Malformed { malformed, .. } => format!("malformed {}", malformed.offset),
            other => format!("{other:?}"),
        });
    };
    let mut connection = (PROTOCOL.start)(Over::Tcp);
    let end = &End::default();
    for (by_server, digits) in pieces {
        let said = Said { bytes: &hex(digits), missing: 0, at: At::default(), from: end, to: end, by_server: *by_server };
        connection.hear(&said, &mut note);
    }
    connection.finish(At::default(), &mut note);
    assert_eq!(heard, expected, "{name}");
}

/// Messages of ipal_transcriber misc/pcaps/iec104.pcap, frames 1 to 8.
const START: (bool, &str) = (ASKS, "680407000000");
const STARTED: (bool, &str) = (ANSWERS, "68040b000000");
const INTERROGATE: (bool, &str) = (ASKS, "680e00000000640106000a0000000014");
const INITIALISED: (bool, &str) = (ANSWERS, "680e00000000460104000a0000000000");
const CONFIRM: (bool, &str) = (ANSWERS, "680e02000200640107000a0000000014");

#[test]
fn a_station_is_told_once_by_its_common_address() {
    check("from the start", &[START, STARTED, INTERROGATE, INITIALISED, CONFIRM], &["client None", "server Some(10)"]);
    check("a command alone shows nobody", &[INTERROGATE], &[]);
    check("its confirmation does", &[CONFIRM], &["client None", "server Some(10)"]);
    check("a station that only started", &[START, STARTED], &["client None", "server None"]);
    let second = (ANSWERS, "680e02000200640107000b0000000014");
    check("two stations", &[CONFIRM, second, CONFIRM], &["client None", "server Some(10)", "server Some(11)"]);
    check("in two segments", &[(ANSWERS, "680e02000200"), (ANSWERS, "640107000a0000000014")], &["client None", "server Some(10)"]);
}

#[test]
fn what_is_no_apdu_is_said_once() {
    check("HTTP", &[(ASKS, "474554202f"), (ASKS, "474554202f")], &["malformed 0"]);
    check("an M-Bus long frame", &[(ANSWERS, "681f1f6808027200000000")], &["malformed 1"]);
    check("a U format that does not exist", &[(ASKS, "6804ff000000")], &["malformed 1"]);
}

#[test]
fn only_messages_without_numbers_are_certain() {
    for (digits, expected) in [
        ("680407000000", Likeness::Certain),
        ("680443000000680e", Likeness::Certain),
        ("680401001a00", Likeness::Possible),
        ("680e00000000640106000a0000000014", Likeness::Possible),
        ("6804", Likeness::Possible),
        ("6804470000", Likeness::No),
        ("6803036808", Likeness::No),
        ("474554", Likeness::No),
    ] {
        assert_eq!(likeness(&hex(digits), Over::Tcp), expected, "{digits}");
    }
}
