//! Messages by hand from RFC 1006, X.224 and public captures.

use std::time::Duration;

use super::*;
use crate::guard::{Endpoint, Judge, Limits, Permit};

const CONNECT: &str = "03000016 11e0 0000 0001 00 c1020300 c2020302 c0010a";
const SETUP: &str = "03000019 02f080 320100000002 00080000 f0000001000101e0";
const MODULES: &str = "03000021 02f080 320700000003 00080008 0001120411440100 ff090004 00110000";
const MODULES_1: &str = "03000021 02f080 320700000004 00080008 0001120411440100 ff090004 00110001";
const COMPONENTS: &str = "03000021 02f080 320700000005 00080008 0001120411440100 ff090004 001c0000";
const MORE: &str = "03000021 02f080 320700000006 000c0004 000112081244010700000000 0a000000";

const CPU: S7comm = S7comm { rack: 0, slot: 2, consent_001c: false };
const CONSENTED: S7comm = S7comm { consent_001c: true, ..CPU };

fn unhex(text: &str) -> Vec<u8> {
    let digits: Vec<u32> = text.chars().filter(|c| !c.is_whitespace()).map(|c| c.to_digit(16).expect("hex")).collect();
    digits.chunks(2).map(|pair| (pair[0] * 16 + pair[1]) as u8).collect()
}

/// Pushes the messages one after the other, each after an answer; how many left, and the rule that stopped the rest.
fn check(cpu: S7comm, messages: &[&str], left: usize, rule: Option<&str>) {
    let grant = cpu.grant().expect("a grant");
    let limits = Limits::of(&grant);
    let permit = Permit::new(Endpoint::Tcp(([192, 0, 2, 1], 102).into()), grant, "WO-1", limits).expect("a permit");
    let mut judge = Judge::new(&permit);
    let mut out = 0;
    for message in messages {
        let bytes = unhex(message);
        match judge.push(&bytes, Duration::ZERO) {
            Ok(pushed) => out += usize::from(pushed.message.is_some_and(|message| message.bytes == bytes)),
            Err(_) => break,
        }
        judge.answered();
    }
    let closed = judge.closed().map(|refused| refused.rule);
    assert_eq!((out, closed), (left, rule), "{messages:?}: {:?}", judge.closed());
}

#[test]
fn what_is_on_the_allowlist_leaves() {
    check(CPU, &[CONNECT, SETUP, MODULES, MORE, MORE, MORE], 6, None);
    check(CPU, &[CONNECT, SETUP, MODULES, MODULES_1], 4, None);
    check(CONSENTED, &[CONNECT, SETUP, MODULES, COMPONENTS, MORE], 5, None);
    let other = S7comm { rack: 1, slot: 4, consent_001c: false };
    check(other, &[&CONNECT.replace("c2020302", "c2020324")], 1, None);
}

#[test]
fn list_001c_leaves_by_consent_alone() {
    check(CPU, &[CONNECT, SETUP, MODULES, COMPONENTS], 3, Some("s7comm.list"));
    check(CONSENTED, &[CONNECT, SETUP, MODULES, COMPONENTS, COMPONENTS], 4, Some("budget.question"));
}

#[test]
fn one_wrong_byte_is_refused_by_its_own_rule() {
    let rows: [(&str, &str, &str, &str); 33] = [
        (CONNECT, "03000016", "03000017", "s7comm.packet"),
        (CONNECT, "11e0", "11d0", "s7comm.tpdu"),
        (CONNECT, " 0000 ", " 0001 ", "s7comm.tpdu"),
        (CONNECT, " 00 c1", " 40 c1", "s7comm.class"),
        (CONNECT, "c1020300", "c1020100", "s7comm.calling"),
        (CONNECT, "c2020302", "c2020102", "s7comm.called"),
        (CONNECT, "c2020302", "c2020202", "s7comm.called"),
        (CONNECT, "c2020302", "c2020303", "s7comm.place"),
        (CONNECT, "c2020302", "c2020322", "s7comm.place"),
        (CONNECT, "c0010a", "c0010b", "s7comm.tpdu_size"),
        (SETUP, "03000019", "0300001a", "s7comm.packet"),
        (SETUP, "02f080", "02f000", "s7comm.tpdu"),
        (SETUP, "3201", "3202", "s7comm.kind"),
        (SETUP, "3201", "7201", "s7comm.kind"),
        (SETUP, "00080000 f0", "00080001 f0", "s7comm.length"),
        (SETUP, "f000", "0400", "s7comm.function"),
        (SETUP, "00010001", "00010008", "s7comm.jobs"),
        (SETUP, "01e0", "03c0", "s7comm.pdu"),
        (MODULES, "00080008", "00080009", "s7comm.length"),
        (MODULES, "000112", "000113", "s7comm.parameters"),
        (MODULES, "0411", "0412", "s7comm.method"),
        (MODULES, "1144", "1147", "s7comm.group"),
        (MODULES, "1144", "1143", "s7comm.group"),
        (MODULES, "440100", "440200", "s7comm.function"),
        (MODULES, "440100", "440101", "s7comm.sequence"),
        (MODULES, "ff090004", "ff090008", "s7comm.octets"),
        (MODULES, "00110000", "01310000", "s7comm.list"),
        (MODULES, "00110000", "00120000", "s7comm.list"),
        (MODULES, "00110000", "00110100", "s7comm.index"),
        (MODULES, "00110000", "00110002", "s7comm.index"),
        (COMPONENTS, "001c0000", "001c0001", "s7comm.index"),
        (MORE, "0700000000", "0701000000", "s7comm.more"),
        (MORE, "0a000000", "ff000000", "s7comm.octets"),
    ];
    for (message, right, wrong, rule) in rows {
        assert!(message.contains(right), "{message} has {right}");
        check(CONSENTED, &[&message.replacen(right, wrong, 1)], 0, Some(rule));
    }
}

#[test]
fn what_changes_or_stops_a_cpu_never_leaves() {
    // Read, write, download, upload, control, stop: every job but the setup.
    for function in [0x04, 0x05, 0x1a, 0x1b, 0x1c, 0x1d, 0x1e, 0x1f, 0x28, 0x29] {
        let job = SETUP.replace("f000", &format!("{function:02x}00"));
        check(CONSENTED, &[&job], 0, Some("s7comm.function"));
    }
    // Variables, cyclic data, blocks, programs and the clock: every group but that of the CPU functions; and answers of our own.
    for group in (0..=255_u8).filter(|group| *group != 0x44) {
        let userdata = MODULES.replace("1144", &format!("11{group:02x}"));
        check(CONSENTED, &[&userdata], 0, Some("s7comm.group"));
    }
}

#[test]
fn caps_hold() {
    check(CPU, &[CONNECT, CONNECT], 1, Some("budget.question"));
    check(CPU, &[CONNECT, SETUP, SETUP], 2, Some("budget.question"));
    check(CPU, &[CONNECT, SETUP, MODULES, MODULES_1, MODULES], 4, Some("budget.question"));
    check(CPU, &[CONNECT, SETUP, MODULES, MORE, MORE, MORE, MORE], 6, Some("budget.requests"));
    check(CONSENTED, &[CONNECT, SETUP, MODULES, MODULES_1, COMPONENTS, MORE, MORE], 6, Some("budget.requests"));
}

#[test]
fn a_grant_cannot_widen_the_table() {
    for (rack, slot, is_granted) in [(0, 0, true), (7, 31, true), (8, 0, false), (0, 32, false), (255, 255, false)] {
        let refused = S7comm { rack, slot, consent_001c: false }.grant().err().map(|refused| refused.rule);
        assert_eq!(refused, (!is_granted).then_some("permit.slot"), "{rack}.{slot}");
    }
    assert_eq!(CPU.grant().expect("a grant").station(), "0.2");
}
