//! Messages of public captures (cisagov/icsnpp-hart-ip testing/traces), those of the primary master made into a secondary one's by hand.

use std::time::Duration;

use super::*;
use crate::guard::{Endpoint, Judge, Limits, Permit, hex};

const INITIATED: &str = "010000000002000d 00 00004e20";
const IDENTIFIED: &str = "010003000001000d 02 05 00 00 07";
const LONG_TAGGED: &str = "01000300000a0011 82 264e0000d2 14 00 2c";
const TAGGED: &str = "0100030000090011 82 264e0000d2 0d 00 35";
const CAPABLE: &str = "0100030000090011 82 264e0000d2 4a 00 72";
const SECOND: &str = "0100030000090013 82 264e0000d2 54 02 0002 6c";
const CLOSED: &str = "01000100000d0008";

fn bytes(hex: &str) -> Vec<u8> {
    let digits: Vec<u8> = hex.bytes().filter(u8::is_ascii_hexdigit).collect();
    digits.chunks(2).map(|pair| u8::from_str_radix(std::str::from_utf8(pair).expect("hex"), 16).expect("hex")).collect()
}

/// A message around a frame, with the right length and check.
fn passed_on(frame: &str) -> Vec<u8> {
    let frame = bytes(frame);
    let check = frame.iter().fold(0, |sum, byte| sum ^ byte);
    [&[1, 0, 3, 0, 0, 9, 0, 9 + frame.len() as u8][..], &frame, &[check]].concat()
}

/// Writes the messages, each after an answer, and returns the last question or the rule that refused.
fn judged(granted: &HartIp, messages: &[&[u8]]) -> Result<&'static str, &'static str> {
    let grant = granted.grant().expect("a grant");
    let limits = Limits::of(&grant);
    let permit = Permit::new(Endpoint::Tcp(([192, 0, 2, 1], 5094).into()), grant, "WO-1", limits).expect("a permit");
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
    let all = HartIp { polling: 5, io_system: true, sub_devices: vec![1, 2] };
    let table = [
        (INITIATED, "hart-ip.session.initiate"),
        (IDENTIFIED, "hart-ip.identity"),
        (LONG_TAGGED, "hart-ip.long_tag"),
        (TAGGED, "hart-ip.tag"),
        (CAPABLE, "hart-ip.io_system"),
        (SECOND, "hart-ip.sub_device"),
        (CLOSED, "hart-ip.session.close"),
    ];
    let messages: Vec<Vec<u8>> = table.iter().map(|(message, _)| bytes(message)).collect();
    for (message, (_, question)) in messages.iter().zip(table) {
        assert_eq!(judged(&all, &[message]), Ok(question));
    }
    let session: Vec<&[u8]> = messages.iter().map(Vec::as_slice).collect();
    assert_eq!(judged(&all, &session), Ok("hart-ip.session.close"), "all of it in one session");
}

#[test]
fn a_wrong_byte_is_refused_by_the_rule_of_its_part() {
    let all = HartIp { polling: 5, io_system: true, sub_devices: vec![2] };
    let table = [
        (INITIATED, 0, "hart-ip.request"),
        (INITIATED, 1, "hart-ip.request"),
        (INITIATED, 2, "hart-ip.message"),
        (INITIATED, 3, "hart-ip.status"),
        (INITIATED, 6, "hart-ip.length"),
        (INITIATED, 8, "hart-ip.master"),
        (INITIATED, 10, "hart-ip.inactivity"),
        (IDENTIFIED, 8, "hart-ip.delimiter"),
        (IDENTIFIED, 9, "hart-ip.address"),
        (IDENTIFIED, 10, "hart-ip.command"),
        (IDENTIFIED, 11, "hart-ip.byte_count"),
        (IDENTIFIED, 12, "hart-ip.check"),
        (TAGGED, 8, "hart-ip.delimiter"),
        (TAGGED, 9, "hart-ip.master"),
        (TAGGED, 14, "hart-ip.command"),
        (TAGGED, 15, "hart-ip.byte_count"),
        (TAGGED, 16, "hart-ip.check"),
        (SECOND, 17, "hart-ip.sub_device"),
    ];
    for (message, at, rule) in table {
        let mut message = bytes(message);
        message[at] ^= 0x40;
        assert_eq!(judged(&all, &[&message]), Err(rule), "byte {at} of {}", hex(&message));
    }
}

#[test]
fn what_must_never_leave_is_refused() {
    let own = HartIp::polling(5);
    for command in (0..=0xff_u8).filter(|command| !matches!(command, 13 | 20)) {
        let message = passed_on(&format!("82 264e0000d2 {command:02x} 00"));
        assert_eq!(judged(&own, &[&message]), Err("hart-ip.command"), "command {command}");
        if command != 0 {
            assert_eq!(judged(&own, &[&passed_on(&format!("02 05 {command:02x} 00"))]), Err("hart-ip.command"), "command {command}");
        }
    }
    let table: [(&str, Vec<u8>, &str); 10] = [
        ("a write of the long tag", passed_on("82 264e0000d2 16 20 4142"), "hart-ip.command"),
        ("a reset", passed_on("82 264e0000d2 2a 00"), "hart-ip.command"),
        ("a burst command", passed_on("82 264e0000d2 6d 01 01"), "hart-ip.command"),
        ("a sub-device without a profile", bytes(SECOND), "hart-ip.command"),
        ("the primary master", passed_on("82 a64e0000d2 0d 00"), "hart-ip.master"),
        ("another polling address", passed_on("02 06 00 00"), "hart-ip.address"),
        ("a session of the primary master", bytes("010000000002000d 01 00004e20"), "hart-ip.master"),
        ("a session without an end", bytes("010000000002000d 00 00000000"), "hart-ip.inactivity"),
        ("keep alive", bytes("0100020000020008"), "hart-ip.message"),
        ("a direct PDU", bytes("010004000002000d 0000 0000 00"), "hart-ip.message"),
    ];
    for (name, message, rule) in table {
        assert_eq!(judged(&own, &[&message]), Err(rule), "{name}: {}", hex(&message));
    }
}

#[test]
fn each_command_leaves_once_and_the_goodbye_in_any_case() {
    let own = HartIp::polling(5);
    for message in [INITIATED, IDENTIFIED, LONG_TAGGED, TAGGED, CLOSED] {
        let message = bytes(message);
        assert_eq!(judged(&own, &[&message, &message]), Err("budget.question"));
    }
    let grant = own.grant().expect("a grant");
    let limits = Limits::of(&grant);
    assert_eq!((limits.messages_max, limits.hold_max.as_secs()), (7, 20));
    let permit = Permit::new(Endpoint::Udp(([192, 0, 2, 1], 5094).into()), grant, "WO-1", limits).expect("a permit");
    let mut judge = Judge::new(&permit);
    let late = Duration::from_secs(21);
    assert_eq!(judge.clone().push(&bytes(INITIATED), late).map_err(|refused| refused.rule), Err("budget.hold"));
    assert!(judge.push(&bytes(CLOSED), late).is_ok());
}

#[test]
fn no_grant_polls_more_than_there_is() {
    let check = |granted: HartIp, expected: Option<&str>| {
        assert_eq!(granted.grant().err().map(|refused| refused.rule), expected, "{granted:?}");
    };
    check(HartIp::polling(63), None);
    check(HartIp::polling(64), Some("permit.polling"));
    check(HartIp { sub_devices: vec![1, 2], ..HartIp::polling(0) }, None);
    check(HartIp { sub_devices: vec![1, 2, 3], ..HartIp::polling(0) }, Some("permit.sub_devices"));
}
