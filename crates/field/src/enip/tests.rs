//! Answer: ITI ICS-Security-Tools (CC-BY-4.0 list), pcaps/openics/EIP-IPAddressChangeAttempt.pcap, frame 3986, with our context.

use nameplate_wire::conversation::Over;

use super::*;
use crate::dialogue::story::Do::{self, Close, Drip, Hear, Say};
use crate::dialogue::story::story;

const ASKED: &str = "6300 0000 00000000 00000000 f401000000000000 00000000";
const ENBT: &str = "6300 3300 00000000 00000000 f401000000000000 00000000 0100 0c00 2d00 0100 0002 af12 c0a80a78 0000000000000000 \
    0100 0c00 3a00 0407 3000 c3ae5100 0b 313735362d454e42542f41 03";
const READ: &str = "read enip.list_identity whole: enip.identity.address=\\xc0\\xa8\\nx enip.identity.vendor=\\x01\\x00 \
    enip.identity.device_type=\\x0c\\x00 enip.identity.product_code=:\\x00 enip.identity.revision=\\x04\\x07 enip.identity.status=0\\x00 \
    enip.identity.serial=\\xc3\\xaeQ\\x00 enip.identity.product_name=1756-ENBT/A enip.identity.state=\\x03";

fn check(over: Over, script: &[Do], expected: &[&str]) {
    let (lines, _) = story(&Questions, over, script);
    let asked = ["asked enip.list_identity 24"];
    let expected: Vec<&str> = asked.into_iter().chain(expected.iter().copied()).collect();
    assert_eq!(lines, expected, "over {over:?}");
}

#[test]
fn one_question_has_one_answer_over_either() {
    for over in [Over::Udp, Over::Tcp] {
        check(over, &[Hear(ASKED), Say(ENBT)], &[READ, "answered"]);
    }
    check(Over::Tcp, &[Hear(ASKED), Drip(10, ENBT)], &[READ, "answered"]);
}

#[test]
fn an_answer_to_somebody_else_is_passed_over() {
    const FOREIGN: &str = "6300 0200 00000000 00000000 c1debed100000000 00000000 0000";
    const SERVICES: &str = "0400 0200 00000000 00000000 f401000000000000 00000000 0000";
    let context = "stray: enip: byte 12: sender's context of the question that waits (CIP volume 2, 2-3.1)";
    let command = "stray: enip: byte 0: command of the question that waits (CIP volume 2, 2-3.1)";
    let silent = "no whole answer within the time-out (0 bytes of one)";
    check(Over::Tcp, &[Hear(ASKED), Say(FOREIGN), Say(SERVICES)], &[context, command, silent]);
    check(Over::Udp, &[Hear(ASKED), Say(FOREIGN)], &[context, silent]);
    check(Over::Udp, &[Hear(ASKED), Say(SERVICES)], &[command, silent]);
    check(Over::Tcp, &[Hear(ASKED), Say(FOREIGN), Say(ENBT)], &[context, READ, "answered"]);
    check(Over::Tcp, &[Hear(ASKED), Say(ENBT), Say(ENBT)], &[READ, "answered"]);
}

#[test]
fn a_device_that_refuses_is_left() {
    const REFUSED: &str = "6300 0000 00000000 01000000 f401000000000000 00000000";
    check(Over::Udp, &[Hear(ASKED), Say(REFUSED)], &["answered"]);
    check(Over::Tcp, &[Hear(ASKED), Close], &["the device closed the connection (0 bytes of an answer)"]);
    check(Over::Udp, &[Hear(ASKED)], &["no whole answer within the time-out (0 bytes of one)"]);
}

#[test]
fn what_is_no_answer_keeps_nobody() {
    const HUGE: &str = "6300 ffff 00000000 00000000 f401000000000000 00000000 0100";
    const ODD: &str = "6300 0200 00000000 99000000 f401000000000000 00000000 0000";
    const EMPTY: &str = "6300 0000 00000000 00000000 f401000000000000 00000000";
    let huge = "enip: byte 2: an answer to an identity question has at most 1024 bytes (CIP volume 2, 2-4)";
    let odd = "enip: byte 8: an encapsulation header (CIP volume 2, 2-3.1)";
    for (said, why) in [(HUGE, huge), (ODD, odd)] {
        // A stream has lost its place; a datagram says nothing about the next one.
        check(Over::Tcp, &[Hear(ASKED), Say(said)], &[&format!("hostile: its bytes are no enip: {why} (26 bytes)")]);
        check(Over::Udp, &[Hear(ASKED), Say(said)], &[&format!("stray: {why}"), "no whole answer within the time-out (0 bytes of one)"]);
    }
    let empty = "stray: enip: byte 24: contents of an answer to the question that waits (CIP volume 2, 2-4)";
    check(Over::Udp, &[Hear(ASKED), Say(EMPTY)], &[empty, "no whole answer within the time-out (0 bytes of one)"]);
    // Garbage, and an answer cut anywhere: never an answer of another device's making.
    check(
        Over::Udp,
        &[Hear(ASKED), Say("0102")],
        &[
            "stray: enip: byte 2: 1 bytes needed, 0 there (a datagram holds a whole message)",
            "no whole answer within the time-out (0 bytes of one)",
        ],
    );
}

#[test]
fn a_stream_of_answers_to_others_ends() {
    const FOREIGN: &str = "6300 0200 00000000 00000000 c1debed100000000 00000000 0000";
    let script: Vec<Do> = [Hear(ASKED)].into_iter().chain((0..40).map(|_| Say(FOREIGN))).collect();
    let (lines, _) = story(&Questions, Over::Tcp, &script);
    assert_eq!(lines.last().map(String::as_str), Some("hostile: it sends messages that nobody asked for"));
    assert_eq!(lines.iter().filter(|line| line.starts_with("stray")).count(), 9);
}
