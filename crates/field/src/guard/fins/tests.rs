//! Messages as in ITI ICS-Security-Tools (CC-BY-4.0 list), pcaps/omron/omron_test.pcap, frames 6, 8 and 17, with unit 0 as our own.

use std::time::Duration;

use super::*;
use crate::guard::{Endpoint, Judge, Limits, Permit};

const NODE_ADDRESS: &[u8; 20] = b"FINS\0\0\0\x0c\0\0\0\0\0\0\0\0\0\0\0\0";
const TCP: &[u8; 29] = b"FINS\0\0\0\x15\0\0\0\x02\0\0\0\0\x80\x00\x02\x00\xc8\x00\x00\xfb\x00\x05\x05\x01\x00";
const UDP: &[u8; 13] = b"\x80\x00\x02\x00\x00\x00\x00\x63\x00\xef\x05\x01\x00";

fn check(fins: Fins, messages: &[&[u8]], leave: usize, rule: Option<&str>) {
    let grant = fins.grant().expect("a grant");
    let limits = Limits::of(&grant);
    let mut judge = Judge::new(&Permit::new(Endpoint::Tcp(([192, 0, 2, 1], 9600).into()), grant, "WO-1", limits).expect("a permit"));
    let mut left = 0;
    for message in messages {
        judge.answered();
        let Ok(pushed) = judge.push(message, Duration::ZERO) else { break };
        left += usize::from(pushed.message.is_some_and(|sent| sent.bytes == *message));
    }
    let refused = judge.closed().cloned().or_else(|| judge.finish());
    assert_eq!((left, refused.map(|refused| refused.rule)), (leave, rule), "{messages:02x?}");
}

const ASSIGNED: Fins = Fins::Udp { node: 0x63 };

#[test]
fn each_question_leaves_once() {
    check(Fins::Tcp, &[NODE_ADDRESS, TCP], 2, None);
    check(ASSIGNED, &[UDP], 1, None);
    check(Fins::Tcp, &[NODE_ADDRESS, NODE_ADDRESS], 1, Some("budget.question"));
    check(Fins::Tcp, &[TCP, TCP], 1, Some("budget.question"));
    check(ASSIGNED, &[UDP, UDP], 1, Some("budget.question"));
}

#[test]
fn a_way_that_is_not_granted_is_no_way() {
    check(Fins::Tcp, &[UDP], 0, Some("fins.magic"));
    check(ASSIGNED, &[NODE_ADDRESS], 0, Some("fins.header"));
    check(ASSIGNED, &[TCP], 0, Some("fins.header"));
    check(Fins::Udp { node: 0x64 }, &[UDP], 0, Some("fins.own_node"));
}

#[test]
fn one_wrong_byte_is_refused_by_its_rule() {
    let frame = [
        (0..3, "fins.header"),
        (3..4, "fins.network"),
        (5..6, "fins.unit"),
        (6..7, "fins.network"),
        (8..9, "fins.unit"),
        (10..12, "fins.command"),
        (12..13, "fins.parameter"),
    ];
    for (at, rule) in frame.into_iter().flat_map(|(range, rule)| range.map(move |at| (at, rule))) {
        let (mut udp, mut tcp) = (*UDP, *TCP);
        udp[at] ^= 1;
        tcp[16 + at] ^= 1;
        check(ASSIGNED, &[&udp], 0, Some(rule));
        check(Fins::Tcp, &[&tcp], 0, Some(rule));
    }
    let envelope = [(0..4, "fins.magic"), (4..8, "fins.length"), (12..16, "fins.error"), (16..20, "fins.own_node")];
    for (at, rule) in envelope.into_iter().flat_map(|(range, rule)| range.map(move |at| (at, rule))) {
        let mut message = *NODE_ADDRESS;
        message[at] ^= 1;
        check(Fins::Tcp, &[&message], 0, Some(rule));
    }
    for at in 8..12 {
        let mut message = *NODE_ADDRESS;
        message[at] ^= 4;
        check(Fins::Tcp, &[&message], 0, Some("fins.envelope"));
    }
    let mut node = *UDP;
    node[4] = 0xff;
    check(ASSIGNED, &[&node], 0, Some("fins.node"));
}

#[test]
fn what_must_never_leave_is_refused() {
    // Memory and parameter writes, program transfers, run and stop, clock, forced bits, errors cleared, the file system.
    let commands = [0x0102_u16, 0x0103, 0x0105, 0x0201, 0x0202, 0x0301, 0x0306, 0x0401, 0x0402, 0x0403, 0x0601, 0x0702, 0x0c01];
    for command in commands.into_iter().chain([0x2101, 0x2203, 0x2301, 0x2601, 0x0502]) {
        let (mut udp, mut tcp) = (*UDP, *TCP);
        udp[10..12].copy_from_slice(&command.to_be_bytes());
        tcp[26..28].copy_from_slice(&command.to_be_bytes());
        check(ASSIGNED, &[&udp], 0, Some("fins.command"));
        check(Fins::Tcp, &[&tcp], 0, Some("fins.command"));
    }
}

#[test]
fn a_node_address_is_one_of_a_node() {
    for (node, rule) in [(0, Some("permit.node")), (1, None), (254, None), (255, Some("permit.node"))] {
        assert_eq!(Fins::Udp { node }.grant().err().map(|refused| refused.rule), rule, "{node}");
    }
}
