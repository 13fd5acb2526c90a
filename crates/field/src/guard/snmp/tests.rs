//! Messages written out by hand from RFC 1157, RFC 3416 and RFC 6933; the community is `s3cret`.

use std::time::Duration;

use super::*;
use crate::guard::{Endpoint, Judge, Limits, Permit};

const ID: &str = "02044e500001";
const SYSTEM_BINDINGS: &str =
    "3038 300c06082b060102010101000500 300c06082b060102010102000500 300c06082b060102010103000500 300c06082b060102010105000500";
const LISTED_BINDINGS: &str = "300f 300d06092b0601040181780e010500";

fn unhex(text: &str) -> Vec<u8> {
    let digits: Vec<u32> = text.chars().filter(|c| !c.is_whitespace()).map(|c| c.to_digit(16).expect("hex")).collect();
    digits.chunks(2).map(|pair| (pair[0] * 16 + pair[1]) as u8).collect()
}

fn asked() -> Snmp {
    let objects = vec![vec![0x2b, 6, 1, 4, 1, 0x81, 0x78, 14, 1]];
    Snmp { v1: false, community: Secret::new("s3cret"), objects, entities: true }
}

fn permit(asked: &Snmp) -> Permit {
    let grant = asked.grant().expect("a grant");
    let limits = Limits::of(&grant);
    Permit::new(Endpoint::Udp(([192, 0, 2, 1], 161).into()), grant, "WO-1", limits).expect("a permit")
}

/// `30 length 02 01 version 04 06 s3cret`, a PDU of one tag and these settings and bindings.
fn message(version: u8, tag: u8, settings: &str, bindings: &str) -> Vec<u8> {
    let length = |bytes: usize| if bytes < 0x80 { vec![bytes as u8] } else { vec![0x81, u8::try_from(bytes).expect("one byte")] };
    let pdu = unhex(&format!("{ID} {settings} {bindings}"));
    let inside = [&[2, 1, version, 4, 6][..], b"s3cret", &[tag], &length(pdu.len()), &pdu].concat();
    [&[0x30][..], &length(inside.len()), &inside].concat()
}

/// GETNEXT or GETBULK of the nine columns behind a row.
fn rows(version: u8, tag: u8, settings: &str, index: &str) -> Vec<u8> {
    let name = 11 + unhex(index).len();
    let binding = |column: u8| format!("30{:02x}06{name:02x}2b060102012f01010101{column:02x}{index}0500", name + 4);
    let bindings: String = [2, 5, 7, 8, 9, 10, 11, 12, 13].map(binding).concat();
    let length = bindings.len() / 2;
    message(version, tag, settings, &format!("3081{length:02x} {bindings}"))
}

fn judge(asked: &Snmp, message: &[u8]) -> Result<&'static str, Refused> {
    let mut judge = Judge::new(&permit(asked));
    let pushed = judge.push(message, Duration::ZERO)?;
    match (pushed.message, judge.finish()) {
        (Some(message), None) => Ok(message.question),
        (_, refused) => Err(refused.expect("it was held")),
    }
}

const NONE: &str = "020100 020100";
const FOUR: &str = "020100 020104";

#[test]
fn what_is_granted_leaves() {
    let v1 = Snmp { v1: true, objects: Vec::new(), ..asked() };
    let check = |asked: &Snmp, message: &[u8], question: &str| assert_eq!(judge(asked, message), Ok(question));
    check(&v1, &message(0, 0xa0, NONE, SYSTEM_BINDINGS), "snmp.system");
    check(&asked(), &message(1, 0xa0, NONE, SYSTEM_BINDINGS), "snmp.system");
    check(&asked(), &message(1, 0xa0, NONE, LISTED_BINDINGS), "snmp.objects");
    // Rows 0, 127, 1001, and the last that RFC 6933 has.
    for index in ["", "00", "7f", "8769", "87ffffff7f"] {
        check(&v1, &rows(0, 0xa1, NONE, index), "snmp.entity.next");
        check(&asked(), &rows(1, 0xa5, FOUR, index), "snmp.entity.bulk");
    }
}

/// Changes each byte of `message` from `from` to `to`: no change leaves, and this rule says so.
fn check_bytes(asked: &Snmp, message: &[u8], range: std::ops::Range<usize>, rule: &str) {
    for at in range {
        for bit in 0..8 {
            let mut wrong = message.to_vec();
            wrong[at] ^= 1 << bit;
            let refused = judge(asked, &wrong).expect_err("one wrong bit");
            assert_eq!((refused.rule, refused.at), (rule, Some(at)), "byte {at} {:02x}: {refused}", wrong[at]);
        }
    }
}

#[test]
fn one_wrong_bit_is_refused_by_the_rule_of_its_part() {
    let system = message(1, 0xa0, NONE, SYSTEM_BINDINGS);
    let only = Snmp { objects: Vec::new(), entities: false, ..asked() };
    check_bytes(&only, &system, 0..1, "snmp.message");
    check_bytes(&only, &system, 2..5, "snmp.version");
    check_bytes(&only, &system, 5..6, "snmp.community");
    check_bytes(&only, &system, 7..13, "snmp.community");
    check_bytes(&only, &system, 13..14, "snmp.pdu");
    check_bytes(&only, &system, 15..17, "snmp.request_id");
    check_bytes(&only, &system, 21..27, "snmp.settings");
    check_bytes(&only, &system, 27..28, "snmp.bindings");
    check_bytes(&only, &system, 29..85, "snmp.object");
    let bulk = rows(1, 0xa5, FOUR, "8769");
    check_bytes(&asked(), &bulk, 23..29, "snmp.settings");
    let row = 3 + 8 + 3 + 3 + 12 + 3 + 4;
    for column in 0..9 {
        let at = row + 19 * column;
        check_bytes(&asked(), &bulk, at..at + 11, "snmp.object");
        check_bytes(&asked(), &bulk, at + 13..at + 15, "snmp.binding");
    }
}

#[test]
fn lengths_are_those_of_what_they_count_in_the_shortest_form() {
    let system = message(1, 0xa0, NONE, SYSTEM_BINDINGS);
    for at in [1, 6, 14, 28] {
        for other in (0..=255).filter(|other| *other != system[at]) {
            let mut wrong = system.clone();
            wrong[at] = other;
            assert!(judge(&asked(), &wrong).is_err(), "length {other} at byte {at}");
        }
    }
    let long_form = [&[0x30, 0x81, system[1]], &system[2..]].concat();
    assert!(judge(&asked(), &long_form).is_err(), "not the shortest form");
}

#[test]
fn a_row_is_one_whole_number() {
    // More numbers than one, a number that goes on, 2 to the 31st, six bytes.
    for index in ["0101", "81", "8181", "8880808000", "808080808000"] {
        assert!(judge(&asked(), &rows(1, 0xa5, FOUR, index)).is_err(), "{index}");
    }
}

#[test]
fn what_must_never_leave_does_not() {
    // SET, responses, traps and informs, and PDUs of no standard, with the bindings that may be asked.
    for tag in (0..=255).filter(|tag| ![0xa0, 0xa5].contains(tag)) {
        for refused in [message(1, tag, NONE, SYSTEM_BINDINGS), message(1, tag, NONE, LISTED_BINDINGS), rows(1, tag, FOUR, "01")] {
            let refused = judge(&asked(), &refused).expect_err("no such PDU");
            assert!(["snmp.pdu", "snmp.settings", "snmp.bindings"].contains(&refused.rule), "{tag:02x}: {refused}");
        }
    }
    let walk = |tag, oid: &str| {
        let bytes = unhex(oid);
        message(
            1,
            tag,
            if tag == 0xa5 { FOUR } else { NONE },
            &format!("30{:02x}30{:02x}06{:02x}{oid}0500", bytes.len() + 6, bytes.len() + 4, bytes.len()),
        )
    };
    // .1.3, ifTable, ipRouteTable, the bridge's addresses, hrSWRunTable, entPhysicalTable as a whole, its alias, entLogicalTable.
    for oid in [
        "2b",
        "2b0601020102020101",
        "2b06010201041501",
        "2b060102011104030101",
        "2b06010201190402",
        "2b060102012f010101",
        "2b060102012f010101010e",
        "2b060102012f01020101",
    ] {
        for tag in [0xa0, 0xa1, 0xa5] {
            assert!(judge(&asked(), &walk(tag, oid)).is_err(), "{oid}");
        }
    }
    for settings in ["020100 02010b", "020100 020105", "020101 020104", "020100 02020400"] {
        assert!(judge(&asked(), &rows(1, 0xa5, settings, "")).is_err(), "{settings}");
    }
    assert!(judge(&asked(), &rows(1, 0xa1, NONE, "")).is_err(), "GETNEXT where version 2c has GETBULK");
}

#[test]
fn what_is_not_granted_does_not_leave() {
    let none = Snmp { objects: Vec::new(), entities: false, ..asked() };
    assert!(judge(&none, &message(1, 0xa0, NONE, LISTED_BINDINGS)).is_err());
    assert!(judge(&none, &rows(1, 0xa5, FOUR, "")).is_err());
    let v1 = Snmp { v1: true, ..none };
    assert!(judge(&v1, &message(1, 0xa0, NONE, SYSTEM_BINDINGS)).is_err());
    assert!(judge(&Snmp { entities: true, ..v1 }, &rows(0, 0xa5, FOUR, "")).is_err());
}

#[test]
fn a_grant_is_not_wider_than_the_row() {
    let check = |asked: &Snmp, rule: &str| assert_eq!(asked.grant().expect_err(rule).rule, rule);
    let name = |tail: &[u8]| [&[0x2b, 6, 1, 4, 1][..], tail].concat();
    check(&Snmp { community: Secret::new(""), ..asked() }, "permit.community");
    check(&Snmp { community: Secret::new([b'c'; 65]), ..asked() }, "permit.community");
    check(&Snmp { v1: true, ..asked() }, "permit.objects");
    for objects in [
        vec![name(&[1]); 41],
        vec![name(&[0x81])],
        vec![name(&[0x80, 1])],
        vec![name(&[1; 60])],
        vec![vec![0x2b, 6]],
        vec![vec![0x2a, 6, 1]],
    ] {
        check(&Snmp { objects, ..asked() }, "permit.objects");
    }
    assert!(Snmp { objects: vec![name(&[0x81, 0x80, 1]); 40], ..asked() }.grant().is_ok());
}

#[test]
fn caps_hold_on_one_connection() {
    let mut judge = Judge::new(&permit(&asked()));
    let mut leave = |bytes: &[u8]| {
        judge.answered();
        judge.push(bytes, Duration::ZERO).map(|_| ())
    };
    assert_eq!(leave(&message(1, 0xa0, NONE, SYSTEM_BINDINGS)), Ok(()));
    (1..=16).for_each(|row| assert_eq!(leave(&rows(1, 0xa5, FOUR, &format!("{row:02x}"))), Ok(())));
    assert_eq!(leave(&rows(1, 0xa5, FOUR, "11")).expect_err("the eighteenth").rule, "budget.requests");
    let mut again = Judge::new(&permit(&asked()));
    assert!(again.push(&message(1, 0xa0, NONE, SYSTEM_BINDINGS), Duration::ZERO).is_ok());
    again.answered();
    assert_eq!(again.push(&message(1, 0xa0, NONE, SYSTEM_BINDINGS), Duration::ZERO).expect_err("twice").rule, "budget.question");
}

#[test]
fn the_community_is_shown_to_nobody() {
    let secret = |bytes: &[u8]| bytes.windows(6).any(|window| window == b"s3cret");
    let permit = permit(&asked());
    let mut judge = Judge::new(&permit);
    let pushed = judge.push(&message(1, 0xa0, NONE, SYSTEM_BINDINGS), Duration::ZERO).expect("it may leave");
    let message_out = pushed.message.expect("a message");
    assert!(secret(&message_out.bytes) && !secret(&message_out.shown));
    assert!(message_out.shown.windows(6).any(|window| window == b"******"));
    judge.answered();
    let refused = judge.push(&message(1, 0xa3, NONE, SYSTEM_BINDINGS), Duration::ZERO).expect_err("a SET");
    assert!(!secret(&refused.bytes) && !refused.to_string().contains("73 33 63 72 65 74"));
    for print in [format!("{permit:?}"), format!("{:?}", Judge::new(&permit)), format!("{:?}", asked())] {
        assert!(!print.contains("s3cret") && !print.contains("115, 51, 99, 114, 101, 116"), "{print}");
    }
}

#[test]
fn lists_of_a_profile_leave_as_they_stand_and_no_other_object_does() {
    let name = |last| vec![0x2b, 6, 1, 4, 1, 9, last];
    let binding = |last| [&[0x30, 0x0b, 0x06, 0x07][..], &name(last), &[0x05, 0x00]].concat();
    let lists = [vec![name(1), name(2)], vec![name(3)]];
    let grant = asked().grant_lists(&lists).expect("a grant");
    let limits = Limits::of(&grant);
    let permit = Permit::new(Endpoint::Udp(([192, 0, 2, 9], 161).into()), grant, "WO-1", limits).expect("a permit");
    let leaves = |bindings: &[u8]| {
        let digits: String = bindings.iter().map(|byte| format!("{byte:02x}")).collect();
        let message = message(1, 0xa0, NONE, &format!("30{:02x}{digits}", bindings.len()));
        matches!(Judge::new(&permit).push(&message, Duration::ZERO), Ok(pushed) if pushed.message.is_some())
    };
    assert!(leaves(&[binding(1), binding(2)].concat()) && leaves(&binding(3)));
    for wrong in [binding(1), binding(4), [binding(2), binding(1)].concat(), [binding(1), binding(2), binding(3)].concat()] {
        assert!(!leaves(&wrong), "{wrong:02x?}");
    }
    assert!(asked().grant_lists(&[vec![name(1); 11]]).is_err() && asked().grant_lists(&vec![vec![name(1)]; 65]).is_err());
    assert!(Snmp { v1: true, objects: Vec::new(), ..asked() }.grant_lists(&lists).is_err());
}
