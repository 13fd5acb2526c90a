//! Messages by hand from the CIP Networks Library; the rows' own numbers are not used.

use std::time::Duration;

use super::*;
use crate::guard::{Endpoint, Judge, Limits, Permit};

const REGISTER: &str = "6500 0400 00000000 00000000 0100000000000000 00000000 0100 0000";
const UNREGISTER: &str = "6600 0000 011e0211 00000000 0900000000000000 00000000";

fn unhex(text: &str) -> Vec<u8> {
    let digits: Vec<u32> = text.chars().filter(|c| !c.is_whitespace()).map(|c| c.to_digit(16).expect("hex")).collect();
    digits.chunks(2).map(|pair| (pair[0] * 16 + pair[1]) as u8).collect()
}

/// SendRRData with an Unconnected_Send of `embedded` along `route`, with every length as it must be.
fn send(embedded: &str, route: &str) -> Vec<u8> {
    let (embedded, route) = (unhex(embedded), unhex(route));
    let mut through = unhex("52 02 20062401 03fa");
    through.extend([embedded.len() as u8, 0]);
    through.extend(embedded);
    through.extend(route);
    let mut message = unhex("6f00 0000 011e0211 00000000 0200000000000000 00000000 00000000 0200 0200 0000 0000 b200");
    message.extend([through.len() as u8, 0]);
    message.extend(through);
    message[2] = (message.len() - 24) as u8;
    message
}

fn all(slot: u8) -> Vec<u8> {
    send("01 02 20012401", &format!("01 00 01 {slot:02x}"))
}

fn revision(slot: u8) -> Vec<u8> {
    send("0e 03 20012401 3004", &format!("01 00 01 {slot:02x}"))
}

fn granted_to(slots: &[u8]) -> Cip {
    Cip { slots: slots.to_vec(), attributes: vec![4], ..Cip::default() }
}

fn judge(slots: &[u8]) -> Judge {
    let grant = granted_to(slots).grant().expect("a grant");
    let limits = Limits::of(&grant);
    Judge::new(&Permit::new(Endpoint::Tcp(([192, 0, 2, 1], 44818).into()), grant, "WO-1", limits).expect("a permit"))
}

/// How many leave, and the rule by which the next does not.
fn check(slots: &[u8], messages: &[Vec<u8>], leave: usize, rule: Option<&str>) {
    let mut judge = judge(slots);
    let mut left = 0;
    for message in messages {
        judge.answered();
        let Ok(pushed) = judge.push(message, Duration::ZERO) else { break };
        left += usize::from(pushed.message.is_some_and(|sent| sent.bytes == *message));
    }
    let refused = judge.closed().cloned().or_else(|| judge.finish());
    assert_eq!((left, refused.map(|refused| refused.rule)), (leave, rule), "{messages:02x?}");
}

#[test]
fn a_session_with_declared_slots_leaves() {
    check(&[0, 3], &[unhex(REGISTER), all(0), all(3), unhex(UNREGISTER)], 4, None);
    check(&[0, 3], &[unhex(REGISTER), all(0), revision(0), all(3), unhex(UNREGISTER)], 5, None);
}

#[test]
fn no_more_than_three_and_one_for_each_slot_leave() {
    let five = [unhex(REGISTER), all(0), revision(0), all(3), revision(3)];
    check(&[0, 3], &five, 4, Some("budget.requests"));
    check(&[0, 3], &[unhex(REGISTER), unhex(REGISTER)], 1, Some("budget.question"));
    check(&[0, 3], &[unhex(REGISTER), all(3), all(3)], 2, Some("cip.slot_rises"));
    check(&[0, 3], &[unhex(REGISTER), all(3), all(0)], 2, Some("cip.slot_rises"));
    check(&[0], &[unhex(REGISTER), all(0), revision(0), unhex(UNREGISTER), unhex(UNREGISTER)], 4, Some("budget.question"));
}

#[test]
fn one_wrong_byte_is_refused_by_its_rule() {
    let rules = [
        (0..2, "enip.command"),
        (2..4, "enip.length"),
        (8..12, "enip.status"),
        (13..20, "enip.context"),
        (20..24, "enip.options"),
        (24..28, "enip.interface"),
        (28..30, "enip.time_out"),
        (30..38, "enip.items"),
        (38..40, "enip.item_length"),
        (40..41, "cip.service"),
        (41..46, "cip.path"),
        (46..48, "cip.ticks"),
        (48..50, "cip.embedded_length"),
        (50..51, "cip.embedded_service"),
        (51..56, "cip.embedded_path"),
        (56..59, "cip.route"),
        (59..60, "cip.slot"),
    ];
    for (at, rule) in rules.into_iter().flat_map(|(range, rule)| range.map(move |at| (at, rule))) {
        let mut message = all(3);
        message[at] ^= 0x40;
        check(&[0, 3], &[message], 0, Some(rule));
    }
    let mut attribute = revision(0);
    attribute[57] = 5;
    check(&[0], &[attribute], 0, Some("cip.attribute"));
    let mut version = unhex(REGISTER);
    version[24] = 2;
    check(&[0], &[version], 0, Some("enip.version"));
}

#[test]
fn what_must_never_leave_is_refused() {
    let embedded = |service: u8| send(&format!("{service:02x} 02 20012401"), "01 00 01 00");
    // Set all, list, reset, start, stop, create, delete, multiple, apply, set single, PCCC and writes of tags.
    for service in [0x02, 0x03, 0x04, 0x05, 0x06, 0x07, 0x08, 0x09, 0x0a, 0x0d, 0x10, 0x4b, 0x4c, 0x4d, 0x4e, 0x4f, 0x53] {
        check(&[0], &[embedded(service)], 0, Some("cip.embedded_service"));
    }
    for service in [0x54, 0x5b, 0x4e] {
        let mut message = all(0);
        message[40] = service;
        check(&[0], &[message], 0, Some("cip.service"));
    }
    // Another object, another slot, a longer route, one to a network address, and no route at all.
    check(&[0], &[send("01 02 20022401", "01 00 01 00")], 0, Some("cip.embedded_path"));
    check(&[0], &[all(1)], 0, Some("cip.slot"));
    check(&[0], &[send("01 02 20012401", "02 00 01 00 02 05")], 0, Some("cip.route"));
    check(&[0], &[send("01 02 20012401", "05 00 12 07 31 302e302e302e37")], 0, Some("cip.route"));
    check(&[0], &[send("01 02 20012401", "00 00")], 0, Some("cip.route"));
    // SendUnitData, ListServices, and a write in the place of Unconnected_Send.
    check(&[0], &[unhex("7000 0000 011e0211 00000000 0200000000000000 00000000")], 0, Some("enip.command"));
    check(&[0], &[unhex("0400 0000 00000000 00000000 0200000000000000 00000000")], 0, Some("enip.command"));
}

#[test]
fn what_is_wider_than_the_row_is_not_granted() {
    let check = |cip: Cip, rule: Option<&str>| assert_eq!(cip.grant().err().map(|refused| refused.rule), rule, "{cip:?}");
    check(granted_to(&[0, 3]), None);
    check(granted_to(&(0..17).collect::<Vec<u8>>()), None);
    check(granted_to(&[]), Some("permit.slots"));
    check(granted_to(&[3, 3]), Some("permit.slots"));
    check(granted_to(&[32]), Some("permit.slots"));
    check(granted_to(&(0..18).collect::<Vec<u8>>()), Some("permit.slots"));
    check(Cip { attributes: vec![8], ..granted_to(&[0]) }, Some("permit.attributes"));
    check(Cip { attributes: vec![0], ..granted_to(&[0]) }, Some("permit.attributes"));
    let safety = |consent: Option<&str>| Cip { safety_controller: true, consent: consent.map(str::to_owned), ..granted_to(&[0]) };
    check(safety(None), Some("permit.safety"));
    check(safety(Some(" ")), Some("permit.safety"));
    check(safety(Some("M. Weber, owner of line 3")), None);
}
