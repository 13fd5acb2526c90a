//! Answers by hand, of the values of a public capture (ProfinetIO-DoS-attack port_stealing.pcap: an ET200SP's LLDP, frame 95).

use super::*;
use crate::dialogue::script::{Do, story};
use Do::Wait;
use nameplate_wire::conversation::Over;

const ACTIVITY: [u8; 16] = *b"one conversation";
/// The same as it stands in a message.
const OWN: &str = "6f6e6520636f6e766572736174696f6e";

const LOOK_UP: &str = "04002000 10000000 00000000000000000000000000000000 0883afe11f5dc91191a408002b14a0fa 6f6e6520636f6e766572736174696f6e
    00000000 03000000 00000000 0200 ffff ffff 4c00 0000 0000
    00000000 01000000 00000000000000000000000000000000 02000000 0100a0de976cd111827100a02442df7d 0100 0000
    01000000 0000000000000000000000000000000000000000 01000000";
const READ_IM0: &str =
    "04002000 10000000 0000a0de976cd111827100010313002a 0100a0de976cd111827100a02442df7d 6f6e6520636f6e766572736174696f6e
    00000000 01000000 01000000 0500 ffff ffff 5400 0000 0000
    40010000 40000000 40010000 00000000 40000000
    0009003c0100 0000 00000000000000000000000000000000 00000000 0000 0001 0000 aff0 00000100
    00000000000000000000000000000000 0000000000000000";
/// `IM155-6PN HF              6ES7 155-6AU00-0CN0      5 V  4  2  0` and a NUL.
const LINE: &str = "494d3135352d36504e20484620202020202020202020202020 20 36455337203135352d36415530302d30434e3020 20 2020202035 20
    56202034202032202030 00";
const TOWER: &str = "1b000000 1b000000 0500 1300 0d 0100a0de976cd111827100a02442df7d 0100 0200 0000 0000";

/// The answer to the look-up: header, handle, one of one entries, object, tower's reference, annotation, tower.
fn looked_up(kind: &str, activity: &str, sequence: &str) -> String {
    let text: String = LINE.split_whitespace().collect();
    let body = format!(
        "{} 01000000 01000000 00000000 01000000 0000a0de976cd111827100010313002a 03000000 00000000 40000000 {text} {TOWER}",
        "00".repeat(20)
    );
    answer(kind, "0883afe11f5dc91191a408002b14a0fa", activity, sequence, "0200", &body)
}

fn answer(kind: &str, interface: &str, activity: &str, sequence: &str, operation: &str, body: &str) -> String {
    let length = body.chars().filter(|c| !c.is_whitespace()).count() / 2;
    format!(
        "04{kind}2000 10000000 0000a0de976cd111827100010313002a {interface} {activity} 00000000 01000000 {sequence} {operation} ffff ffff
         {:02x}{:02x} 0000 0000 {body}",
        length % 256,
        length / 256
    )
}

/// The answer to the read: status, IODReadResHeader, I&M0.
fn read(activity: &str) -> String {
    let record = "00200038 0100 002a 36455337203135352d36415530302d30434e3020 5320432d4b374e503332393532303138 0005 56040200 0003 3d00 0001 0101 001e";
    let header = format!("8009003c 0100 0000 {} 00000000 0000 0001 0000 aff0 0000003c {}", "00".repeat(16), "00".repeat(24));
    let body = format!("00000000 7c000000 40010000 00000000 7c000000 {header} {record}");
    answer("02", "0100a0de976cd111827100a02442df7d", activity, "01000000", "0500", &body)
}

const SAID_BY_LOOK_UP: &str = "read pn-io.lookup whole: pn-io.lookup.annotation=IM155-6PN HF              6ES7 155-6AU00-0CN0      5 V  4  2  0 \
    pn-io.lookup.type=IM155-6PN HF              pn-io.lookup.order=6ES7 155-6AU00-0CN0  pn-io.lookup.hardware=    5 \
    pn-io.lookup.software=V  4  2  0 pn-io.object.instance=\\x00\\x01 pn-io.object.device=\\x03\\x13 pn-io.object.vendor=\\x00*";
const SAID_BY_READ: &str = "read pn-io.im.0 whole: pn-io.im.vendor=\\x00* pn-io.im.order=6ES7 155-6AU00-0CN0 pn-io.im.serial=S C-K7NP32952018 \
    pn-io.im.hardware=\\x00\\x05 pn-io.im.software=V\\x04\\x02\\x00 pn-io.im.counter=\\x00\\x03 pn-io.im.profile==\\x00 \
    pn-io.im.profile.type=\\x00\\x01 pn-io.im.version=\\x01\\x01 pn-io.im.supported=\\x00\\x1e";
const STRAY: &str = "stray: pn-io: byte 40: answer to the question that waits: activity, number, interface, operation (C706, 12.5.2.2)";
const SILENT: &str = "no whole answer within the time-out (0 bytes of one)";
const ASKED: &str = "asked pn-io.lookup";

fn check(script: Vec<Do>, expected: &[&str]) -> Duration {
    let asked = Questions { consent: Some("A. Owner".to_owned()), activity: Some(ACTIVITY) };
    let (lines, took) = story(&asked, Over::Udp, &script);
    assert_eq!(lines, expected);
    took
}

fn hear(text: &str) -> Do {
    Do::Hear(text.to_owned())
}

#[test]
fn a_device_is_looked_up_and_read_once() {
    let own = OWN;
    let script = vec![hear(LOOK_UP), Do::Say(looked_up("02", own, "00000000")), hear(READ_IM0), Do::Say(read(own))];
    check(script, &[ASKED, SAID_BY_LOOK_UP, "asked pn-io.im.0", SAID_BY_READ, "answered"]);
}

#[test]
fn an_answer_of_another_conversation_or_a_second_one_is_passed_over() {
    let own = OWN;
    let foreign = own.replace("6f6e65", "6f6e64");
    let script = vec![
        hear(LOOK_UP),
        Do::Say(looked_up("02", &foreign, "00000000")),
        Wait(1),
        Do::Say(looked_up("02", own, "01000000")),
        Wait(1),
        Do::Say(looked_up("02", own, "00000000")),
        hear(READ_IM0),
        Do::Say(looked_up("02", own, "00000000")),
        Wait(1),
        Do::Say(read(own)),
    ];
    check(script, &[ASKED, STRAY, STRAY, SAID_BY_LOOK_UP, "asked pn-io.im.0", STRAY, SAID_BY_READ, "answered"]);
    check(vec![hear(LOOK_UP), Do::Say(looked_up("02", &foreign, "00000000"))], &[ASKED, STRAY, SILENT]);
}

#[test]
fn who_refuses_or_is_no_object_is_asked_no_more() {
    let own = OWN;
    let refused = |kind| answer(kind, "0883afe11f5dc91191a408002b14a0fa", own, "00000000", "0200", "0300011c");
    for kind in ["03", "06"] {
        check(vec![hear(LOOK_UP), Do::Say(refused(kind))], &[ASKED, "answered, not put: pn-io.im.0"]);
    }
    let empty = format!("{} 00000000 01000000 00000000 00000000 d6a0c916", "00".repeat(20));
    let nothing = answer("02", "0883afe11f5dc91191a408002b14a0fa", own, "00000000", "0200", &empty);
    check(vec![hear(LOOK_UP), Do::Say(nothing)], &[ASKED, "answered, not put: pn-io.im.0"]);
    // A device that does not read without a relation says so in the answer's status: that is an answer.
    let failed = format!("de80 0000 {}", "00".repeat(16));
    let no_record = answer("02", "0100a0de976cd111827100a02442df7d", own, "01000000", "0500", &failed);
    let script = vec![hear(LOOK_UP), Do::Say(looked_up("02", own, "00000000")), hear(READ_IM0), Do::Say(no_record)];
    check(script, &[ASKED, SAID_BY_LOOK_UP, "asked pn-io.im.0", "answered"]);
}

#[test]
fn who_works_on_it_is_waited_for_and_not_for_ever() {
    let own = OWN;
    let working = || Do::Say(answer("04", "0883afe11f5dc91191a408002b14a0fa", own, "00000000", "0200", ""));
    let script = vec![hear(LOOK_UP), working(), Wait(3_000), Do::Say(looked_up("02", own, "00000000")), hear(READ_IM0), Do::Say(read(own))];
    check(script, &[ASKED, SAID_BY_LOOK_UP, "asked pn-io.im.0", SAID_BY_READ, "answered"]);
    let took = check(vec![hear(LOOK_UP), working(), Wait(1_000), working()], &[ASKED, SILENT]);
    assert_eq!(took.as_secs(), WORKING_S_MAX.as_secs());
}

#[test]
fn a_cut_datagram_says_nothing() {
    let whole = looked_up("02", OWN, "00000000");
    let bytes: String = whole.split_whitespace().collect();
    for cut in (0..bytes.len()).step_by(2).skip(1) {
        let (lines, _) =
            story(&Questions { consent: None, activity: Some(ACTIVITY) }, Over::Udp, &[hear(LOOK_UP), Do::Say(bytes[..cut].to_owned())]);
        assert!(lines.len() == 3 && lines[1].starts_with("stray: pn-io: ") && lines[2] == SILENT, "{cut}: {lines:?}");
    }
}

#[test]
fn each_conversation_has_a_number_of_its_own() {
    let asked = Questions::default();
    let put = || match asked.dialogue().next() {
        Next::Put(put) => put.bytes,
        other => panic!("{other:?}"),
    };
    assert_ne!(put(), put());
    assert!(asked.grant().is_err_and(|refused| refused.rule == "permit.consent"));
}
