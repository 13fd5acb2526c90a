//! Frames by hand from IEEE 1815-2012; the checks of those that are meant to be right come from the tests of the questions in `wire`, which have them
//! from the polynomial.

use std::time::Duration;

use super::*;
use crate::guard::{Endpoint, Judge, Limits, Permit, hex};

const IDENTITY: &str = "056421c40a000100459cc1c10100fc00000000fa00000000f800f4f1000000f300000000f2000000ad66";
const SOFTWARE: &str = "05640dc40a00010075bac3c30100f2000000824d";
const EVERY: &str = "05640dc40a00010075bac0c00100fe00000016bf";
const ACKNOWLEDGED: &str = "056405800a0001000b9c";
const LINK_STANDS: &str = "0564058b0a00010048ac";
const CONFIRMED: &str = "056408c40a000100fc42c0d7007ace";

const OURS: Dnp3 = Dnp3 { master: 1, outstation: 10, all: false, confirm_unsolicited: false, master_heard_at: None };

fn bytes(hex: &str) -> Vec<u8> {
    let digits: Vec<u8> = hex.bytes().filter(u8::is_ascii_hexdigit).collect();
    digits.chunks(2).map(|pair| u8::from_str_radix(std::str::from_utf8(pair).expect("hex"), 16).expect("hex")).collect()
}

/// A frame of a master's around user data, with right checks.
fn frame(control: u8, user: &[u8]) -> Vec<u8> {
    let mut frame = vec![5, 0x64, 5 + user.len() as u8, control, 10, 0, 1, 0];
    frame.extend(Sum::Dnp3.of(&frame));
    for block in user.chunks(16) {
        frame.extend_from_slice(block);
        frame.extend(Sum::Dnp3.of(block));
    }
    frame
}

/// Writes the messages, each after an answer, and returns the last question or the rule that refused.
fn judged(granted: Dnp3, messages: &[&[u8]]) -> Result<&'static str, &'static str> {
    let grant = granted.grant().expect("a grant");
    let limits = Limits::of(&grant);
    let permit = Permit::new(Endpoint::Tcp(([192, 0, 2, 1], 20_000).into()), grant, "WO-1", limits).expect("a permit");
    let mut judge = Judge::new(&permit);
    let mut last = "";
    for message in messages {
        judge.answered();
        let pushed = judge.push(message, Duration::ZERO).map_err(|refused| refused.rule)?;
        last = pushed.message.ok_or("not whole")?.question;
        assert_eq!(pushed.taken, message.len(), "{}", hex(message));
    }
    Ok(last)
}

#[test]
fn each_message_of_the_row_leaves() {
    let all = Dnp3 { all: true, ..OURS };
    let consent = Dnp3 { confirm_unsolicited: true, ..OURS };
    let table = [
        (OURS, IDENTITY, "dnp3.attributes"),
        (OURS, SOFTWARE, "dnp3.attribute.242"),
        (all, EVERY, "dnp3.attributes.all"),
        (OURS, ACKNOWLEDGED, "dnp3.link.ack"),
        (OURS, LINK_STANDS, "dnp3.link.state"),
        (consent, CONFIRMED, "dnp3.confirm.unsolicited"),
    ];
    for (granted, message, question) in table {
        assert_eq!(judged(granted, &[&bytes(message)]), Ok(question));
    }
    for (variation, question) in
        [(243, "dnp3.attribute.243"), (248, "dnp3.attribute.248"), (250, "dnp3.attribute.250"), (252, "dnp3.attribute.252")]
    {
        assert_eq!(judged(OURS, &[&frame(0xc4, &[0xcf, 0xce, 1, 0, variation, 0, 0, 0])]), Ok(question));
    }
}

#[test]
fn a_wrong_byte_is_refused_by_the_rule_of_its_part() {
    // Up to byte 19 the question for the manufacturer alone fits longer, but for its length.
    let identity = [
        (0, "dnp3.start"),
        (2, "dnp3.length"),
        (3, "dnp3.link_function"),
        (4, "dnp3.destination"),
        (5, "dnp3.destination"),
        (6, "dnp3.source"),
        (8, "dnp3.header_check"),
        (10, "dnp3.transport"),
        (11, "dnp3.application_control"),
        (12, "dnp3.function"),
        (13, "dnp3.object"),
        (14, "dnp3.object"),
        (15, "dnp3.range"),
        (17, "dnp3.range"),
        (19, "dnp3.length"),
        (24, "dnp3.object"),
        (25, "dnp3.range"),
        (26, "dnp3.block_check"),
        (28, "dnp3.range"),
        (31, "dnp3.object"),
        (36, "dnp3.object"),
        (39, "dnp3.range"),
        (41, "dnp3.block_check"),
    ];
    for (at, rule) in identity {
        let mut message = bytes(IDENTITY);
        message[at] ^= 0x40;
        assert_eq!(judged(OURS, &[&message]), Err(rule), "byte {at}");
    }
    let consent = Dnp3 { confirm_unsolicited: true, ..OURS };
    for (message, at, rule) in
        [(ACKNOWLEDGED, 3, "dnp3.link_function"), (LINK_STANDS, 4, "dnp3.destination"), (CONFIRMED, 12, "dnp3.function")]
    {
        let mut message = bytes(message);
        message[at] ^= 0x40;
        assert_eq!(judged(consent, &[&message]), Err(rule), "byte {at}");
    }
}

#[test]
fn what_must_never_leave_is_refused() {
    for function in (0..=0x21).filter(|function| *function != 1) {
        assert_eq!(judged(OURS, &[&frame(0xc4, &[0xc0, 0xc0, function, 0, 242, 0, 0, 0])]), Err("dnp3.function"), "function {function}");
        assert!(judged(OURS, &[&frame(0xc4, &[0xc0, 0xc0, function])]).is_err(), "function {function}, no object");
    }
    let table: [(&str, Vec<u8>, &str); 14] = [
        ("a confirmation of a response", frame(0xc4, &[0xc0, 0xc0, 0]), "dnp3.function"),
        ("a confirmation nobody consents to", bytes(CONFIRMED), "dnp3.application_control"),
        ("a restart bit cleared", frame(0xc4, &[0xc0, 0xc0, 2, 80, 1, 0, 7, 7, 0]), "dnp3.function"),
        ("classes of events", frame(0xc4, &[0xc0, 0xc0, 1, 60, 2, 6]), "dnp3.object"),
        ("measured values", frame(0xc4, &[0xc0, 0xc0, 1, 30, 0, 6]), "dnp3.object"),
        ("all attributes, not granted", bytes(EVERY), "dnp3.object"),
        ("a list of attributes", frame(0xc4, &[0xc0, 0xc0, 1, 0, 255, 0, 0, 0]), "dnp3.object"),
        ("all points", frame(0xc4, &[0xc0, 0xc0, 1, 0, 242, 6]), "dnp3.range"),
        ("a maker's own set", frame(0xc4, &[0xc0, 0xc0, 1, 0, 242, 0, 1, 1]), "dnp3.range"),
        ("two headers", frame(0xc4, &[0xc0, 0xc0, 1, 0, 242, 0, 0, 0, 0, 243, 0, 0, 0]), "dnp3.length"),
        ("a reset of the link", frame(0xc0, &[]), "dnp3.link_function"),
        ("a test of the link", frame(0xf2, &[]), "dnp3.link_function"),
        ("a question for its state", frame(0xc9, &[]), "dnp3.link_function"),
        ("confirmed user data", frame(0xd3, &[0xc0, 0xc0, 1, 0, 242, 0, 0, 0]), "dnp3.link_function"),
    ];
    for (name, message, rule) in table {
        assert_eq!(judged(OURS, &[&message]), Err(rule), "{name}: {}", hex(&message));
    }
    let all = Dnp3 { all: true, ..OURS };
    assert_eq!(judged(all, &[&bytes(SOFTWARE)]), Err("dnp3.object"), "with all granted none is asked alone");
}

#[test]
fn each_read_leaves_once_and_replies_hold_nothing_up() {
    let (identity, ack) = (bytes(IDENTITY), bytes(ACKNOWLEDGED));
    assert_eq!(judged(OURS, &[&identity, &identity]), Err("budget.question"));
    assert_eq!(judged(OURS, &[&ack[..]; 6]), Ok("dnp3.link.ack"));
    assert_eq!(judged(OURS, &[&ack[..]; 7]), Err("budget.question"));
    let consent = Dnp3 { confirm_unsolicited: true, ..OURS };
    let confirmed = bytes(CONFIRMED);
    assert_eq!(judged(consent, &[&confirmed, &confirmed]), Err("budget.question"));
    let grant = OURS.grant().expect("a grant");
    let limits = Limits::of(&grant);
    assert_eq!((limits.messages_max, limits.hold_max.as_secs()), (12, 20));
    let permit = Permit::new(Endpoint::Udp(([192, 0, 2, 1], 20_000).into()), grant, "WO-1", limits).expect("a permit");
    let mut judge = Judge::new(&permit);
    let mut push = |message: &[u8]| judge.push(message, Duration::ZERO).map(|_| ()).map_err(|refused| refused.rule);
    // Nothing is awaited on an acknowledgement or confirmation; on a READ its answer is.
    assert_eq!((push(&ack), push(&identity), push(&bytes(SOFTWARE))), (Ok(()), Ok(()), Err("pipelining")));
    let grant = consent.grant().expect("a grant");
    let limits = Limits::of(&grant);
    let permit = Permit::new(Endpoint::Tcp(([192, 0, 2, 1], 20_000).into()), grant, "WO-1", limits).expect("a permit");
    let mut judge = Judge::new(&permit);
    let mut push = |message: &[u8]| judge.push(message, Duration::ZERO).map(|_| ()).map_err(|refused| refused.rule);
    assert_eq!((push(&confirmed), push(&identity), push(&bytes(SOFTWARE))), (Ok(()), Ok(()), Err("pipelining")));
}

#[test]
fn no_grant_reaches_more_than_one_outstation() {
    let check = |granted: Dnp3, expected: Option<&str>| {
        assert_eq!(granted.grant().err().map(|refused| refused.rule), expected, "{granted:?}");
    };
    check(OURS, None);
    check(Dnp3 { outstation: 0xffef, master: 0, ..OURS }, None);
    for address in [0xfff0, 0xfffb, 0xfffc, 0xfffd, 0xfffe, 0xffff] {
        check(Dnp3 { outstation: address, ..OURS }, Some("permit.link"));
        check(Dnp3 { master: address, ..OURS }, Some("permit.master"));
    }
    check(Dnp3 { master: 10, ..OURS }, Some("permit.master"));
    check(Dnp3 { master_heard_at: Some([192, 0, 2, 5].into()), ..OURS }, Some("permit.master"));
}
