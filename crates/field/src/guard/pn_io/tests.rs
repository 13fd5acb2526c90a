//! The look-up is nmap's (`profinet-cm-lookup`) with the number 0; the read is profinet-py's with the lower byte first and 256 bytes at most.

use std::time::Duration;

use super::*;
use crate::guard::{Endpoint, Judge, Limits, Permit, hex};

const LOOKED_UP: &str =
    "04002000 10000000 00000000000000000000000000000000 0883afe11f5dc91191a408002b14a0fa 01000000010001000100000100010001
    00000000 03000000 00000000 0200 ffff ffff 4c00 0000 0000
    00000000 01000000 00000000000000000000000000000000 02000000 0100a0de976cd111827100a02442df7d 0100 0000
    01000000 0000000000000000000000000000000000000000 01000000";
const READ_IMPLICIT: &str =
    "04002000 10000000 0000a0de976cd111827100010313002a 0100a0de976cd111827100a02442df7d 01000000010001000100000100010001
    00000000 01000000 01000000 0500 ffff ffff 5400 0000 0000
    40010000 40000000 40010000 00000000 40000000
    0009003c0100 0000 00000000000000000000000000000000 00000000 0000 0001 0000 aff0 00000100
    00000000000000000000000000000000 0000000000000000";
/// A controller's connect of a public capture (ProfinetIO-DoS-attack set_attack.pcap, frame 5), as far as the first block's head.
const CONNECT: &str = "04002000 10000000 0000a0de976cd111827100010313002a 0100a0de976cd111827100a02442df7d 7aaf524f0c001010ace2ac64171fa9c5
    00000000 01000000 00000000 0000 ffff ffff 8b02 0000 0000 77020000 77020000 77020000 00000000 77020000 0101005b0100";
/// Its write of parameters (frame 9).
const WRITE: &str = "04002000 10000000 0000a0de976cd111827100010313002a 0100a0de976cd111827100a02442df7d 7aaf524f0c001010ace2ac64171fa9c5
    02000000 01000000 01000000 0300 ffff ffff 8204 0000 0000 6e040000 6e040000 6e040000 00000000 6e040000 0008003c0100";
/// Its cancel (frame 16).
const CANCEL: &str = "04080000 10000000 0000a0de976cd111827100010313002a 0100a0de976cd111827100a02442df7d 7aaf524f0c001010ace2ac64171fa9c5
    02000000 01000000 01000000 0000 ffff ffff 0000 0000 0001";

fn bytes(hex: &str) -> Vec<u8> {
    let digits: Vec<u8> = hex.bytes().filter(u8::is_ascii_hexdigit).collect();
    digits.chunks(2).map(|pair| u8::from_str_radix(std::str::from_utf8(pair).expect("hex"), 16).expect("hex")).collect()
}

fn judge() -> Judge {
    let grant = PnIo { consent: Some("A. Owner".to_owned()) }.grant().expect("a grant");
    let limits = Limits::of(&grant);
    Judge::new(&Permit::new(Endpoint::Udp(([192, 0, 2, 1], 34964).into()), grant, "WO-1", limits).expect("a permit"))
}

/// Writes the messages, each after an answer, and returns the last question or the rule that refused.
fn judged(messages: &[&[u8]]) -> Result<&'static str, &'static str> {
    let (mut judge, mut last) = (judge(), "");
    for message in messages {
        judge.answered();
        let pushed = judge.push(message, Duration::ZERO).map_err(|refused| refused.rule)?;
        last = pushed.message.ok_or("not whole")?.question;
        assert_eq!(pushed.taken, message.len(), "{}", hex(message));
    }
    Ok(last)
}

#[test]
fn one_look_up_and_behind_it_one_read_leave() {
    let (look_up, read) = (bytes(LOOKED_UP), bytes(READ_IMPLICIT));
    assert_eq!(judged(&[&look_up]), Ok("pn-io.lookup"));
    assert_eq!(judged(&[&look_up, &read]), Ok("pn-io.im.0"));
    let mut controller = read.clone();
    controller[24] = 2;
    assert_eq!(judged(&[&look_up, &controller]), Ok("pn-io.im.0"));
    assert_eq!(judged(&[&read]), Err("pn-io.order"), "whom to read from, the look-up tells");
    assert_eq!(judged(&[&look_up, &look_up]), Err("budget.question"));
    assert_eq!(judged(&[&look_up, &read, &read]), Err("pn-io.order"));
    let mut waiting = judge();
    assert!(waiting.push(&look_up, Duration::ZERO).is_ok());
    assert_eq!(waiting.push(&read, Duration::ZERO).map_err(|refused| refused.rule), Err("pipelining"));
}

#[test]
fn nobody_is_asked_of_whom_nobody_says_that_it_runs() {
    for consent in [None, Some(String::new()), Some("  ".to_owned())] {
        let refused = PnIo { consent: consent.clone() }.grant().expect_err("nobody consents");
        assert_eq!(refused.rule, "permit.consent", "{consent:?}");
    }
}

/// From which byte on a rule speaks, in the order of the wire.
const LOOK_UP_RULES: [(usize, &str); 14] = [
    (0, "pn-io.request"),
    (8, "pn-io.object"),
    (24, "pn-io.interface"),
    (40, ""),
    (56, "pn-io.request"),
    (60, "pn-io.interface"),
    (64, "pn-io.number"),
    (68, "pn-io.operation"),
    (70, "pn-io.request"),
    (74, "pn-io.length"),
    (76, "pn-io.request"),
    (80, "pn-io.inquiry"),
    (132, "pn-io.handle"),
    (152, "pn-io.entries"),
];
const READ_RULES: [(usize, &str); 20] = [
    (0, "pn-io.request"),
    (8, "pn-io.object"),
    (18, ""),
    (24, "pn-io.interface"),
    (40, ""),
    (56, "pn-io.request"),
    (60, "pn-io.interface"),
    (64, "pn-io.number"),
    (68, "pn-io.operation"),
    (70, "pn-io.request"),
    (74, "pn-io.length"),
    (76, "pn-io.request"),
    (80, "pn-io.length"),
    (100, "pn-io.block"),
    (108, "pn-io.relation"),
    (124, "pn-io.place"),
    (132, "pn-io.block"),
    (134, "pn-io.index"),
    (136, "pn-io.length"),
    (140, "pn-io.relation"),
];

#[test]
fn one_wrong_byte_anywhere_is_refused_by_the_rule_of_its_part() {
    let check = |before: &[&[u8]], message: &[u8], rules: &[(usize, &'static str)]| {
        for at in 0..message.len() {
            let mut changed = message.to_vec();
            changed[at] ^= 0x80;
            let rule = rules.iter().rev().find(|(from, _)| *from <= at).map_or("", |(_, rule)| *rule);
            let judged = judged(&[before, &[changed.as_slice()]].concat());
            // The first bytes of both are the same, so that a change may be blamed on either.
            let held = if rule.is_empty() { judged.is_ok() } else { judged.is_err_and(|refused| refused.starts_with("pn-io.")) };
            assert!(held, "byte {at}: {judged:?}, expected {rule:?}");
            if at >= 24 && !rule.is_empty() {
                assert_eq!(judged, Err(rule), "byte {at}");
            }
        }
    };
    let (look_up, read) = (bytes(LOOKED_UP), bytes(READ_IMPLICIT));
    check(&[], &look_up, &LOOK_UP_RULES);
    // The last eight bytes are padding.
    check(&[&look_up], &read, &[&READ_RULES[..], &[(156, "pn-io.block")]].concat());
}

#[test]
fn what_connects_writes_controls_or_goes_on_never_leaves() {
    let look_up = bytes(LOOKED_UP);
    let with = |of: &str, at: usize, byte: u8| {
        let mut message = bytes(of);
        message[at] = byte;
        message
    };
    let table = [
        ("connect", bytes(CONNECT), "pn-io.number"),
        ("write", bytes(WRITE), "pn-io.request"),
        ("release", with(READ_IMPLICIT, 68, 1), "pn-io.operation"),
        ("read with a relation", with(READ_IMPLICIT, 68, 2), "pn-io.operation"),
        ("write without a relation", with(READ_IMPLICIT, 68, 3), "pn-io.operation"),
        ("control", with(READ_IMPLICIT, 68, 4), "pn-io.operation"),
        ("map", with(LOOKED_UP, 68, 3), "pn-io.operation"),
        ("a handle freed", with(LOOKED_UP, 68, 4), "pn-io.operation"),
        ("I&M1", with(READ_IMPLICIT, 135, 0xf1), "pn-io.index"),
        ("another slot", with(READ_IMPLICIT, 129, 1), "pn-io.place"),
        ("more entries", with(LOOKED_UP, 152, 100), "pn-io.entries"),
        ("from a handle on", with(LOOKED_UP, 136, 1), "pn-io.handle"),
        ("ping", with(LOOKED_UP, 1, 1), "pn-io.request"),
        ("acknowledgement", with(LOOKED_UP, 1, 7), "pn-io.request"),
        ("cancel", bytes(CANCEL), "pn-io.request"),
        ("broadcast", with(LOOKED_UP, 2, 0xa0), "pn-io.request"),
        ("maybe", with(READ_IMPLICIT, 2, 0x30), "pn-io.request"),
    ];
    for (what, message, rule) in table {
        assert_eq!(judged(&[&look_up, &message]), Err(rule), "{what}");
    }
    let mut judge = judge();
    assert!(judge.push(&look_up, Duration::ZERO).is_ok());
    judge.answered();
    assert!(judge.push(&[4], Duration::ZERO).is_ok_and(|pushed| pushed.message.is_none()));
    assert_eq!(judge.finish().map(|refused| refused.rule), Some("incomplete"), "the beginning of one");
}
