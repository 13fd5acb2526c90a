//! The device's bytes are written by hand from X.224 and from public captures of an IM151-8 (the head of wire/src/s7comm/answer.rs).

use super::*;
use crate::dialogue::story::Do::{self, Close, Drip, Hear, Say};
use crate::dialogue::story::{story, unhex};

const CONNECT: &str = "03000016 11e0 0000 0001 00 c1020300 c2020302 c0010a";
const CONFIRM: &str = "03000016 11d0 0001 4000 00 c0010a c1020300 c2020302";
const SETUP: &str = "03000019 02f080 320100000002 00080000 f0000001000101e0";
const SET_UP: &str = "0300001b 02f080 320300000002 00080000 0000 f0000001000100f0";
const MODULES: &str = "03000021 02f080 320700000003 00080008 0001120411440100 ff090004 00110000";

const CPU: Questions = Questions { rack: 0, slot: 2, consent_001c: false };
const CONSENTED: Questions = Questions { consent_001c: true, ..CPU };

const ASKED: [&str; 3] = ["asked s7comm.connect 22", "asked s7comm.setup 25", "asked s7comm.module_identification 33"];

fn hear(text: &str) -> Do {
    Hear(text.to_owned().leak())
}

fn say(text: &str) -> Do {
    Say(text.to_owned().leak())
}

/// An answer to Read SZL: reference, sequence, part, whether more follows, error, and the bytes of the list.
fn part(reference: u8, sequence: u8, [part, more]: [u8; 2], list: &[u8]) -> String {
    let length = |count: usize| format!("{count:04x}");
    let list: String = list.iter().map(|byte| format!("{byte:02x}")).collect();
    let bytes = list.len() / 2;
    format!(
        "0300{} 02f080 3207000000{reference:02x} 000c{} 00011208128401{sequence:02x}{part:02x}{more:02x}0000 ff09{} {list}",
        length(33 + bytes),
        length(4 + bytes),
        length(bytes)
    )
}

/// The head of list 0011, and one record of it.
fn modules(order: &str) -> Vec<u8> {
    [&[0, 0x11, 0, 0, 0, 28, 0, 1, 0, 1][..], format!("{order:20}").as_bytes(), &[0, 0xc0, 0, 4, 0, 1]].concat()
}

/// The head of list 001C, and one record of it.
fn components() -> Vec<u8> {
    [&[0, 0x1c, 0, 0, 0, 34, 0, 1, 0, 5][..], b"S C-X4U421302009", &[0; 16]].concat()
}

fn in_session(more: impl IntoIterator<Item = Do>) -> Vec<Do> {
    [hear(CONNECT), say(CONFIRM), hear(SETUP), say(SET_UP), hear(MODULES)].into_iter().chain(more).collect()
}

fn check(cpu: Questions, script: &[Do], expected: &[&str]) {
    assert_eq!(story(&cpu, Over::Tcp, script).0, expected);
}

/// Asked up to list 0011, then this.
fn check_list(cpu: Questions, more: Vec<Do>, expected: &[&str]) {
    check(cpu, &in_session(more), &[&ASKED[..], expected].concat());
}

fn components_asked(reference: u8) -> String {
    format!("03000021 02f080 3207000000{reference:02x} 00080008 0001120411440100 ff090004 001c0000")
}

fn more_asked(reference: u8, sequence: u8) -> String {
    format!("03000021 02f080 3207000000{reference:02x} 000c0004 00011208124401{sequence:02x}00000000 0a000000")
}

const READ: &str =
    "read s7comm.module_identification whole: s7comm.module.order_number=6ES7 315-2EH14-0AB0 s7comm.module.version=\\x00\\x04";

#[test]
fn list_0011_is_all_that_is_asked_without_consent() {
    check_list(CPU, vec![say(&part(3, 1, [0, 0], &modules("6ES7 315-2EH14-0AB0")))], &[READ, "answered"]);
}

#[test]
fn list_001c_follows_by_consent() {
    let script = vec![
        say(&part(3, 1, [0, 0], &modules("6ES7 315-2EH14-0AB0"))),
        hear(&components_asked(4)),
        say(&part(4, 2, [0, 0], &components())),
    ];
    let read = "read s7comm.component_identification whole: s7comm.serial_number=S C-X4U421302009";
    check_list(CONSENTED, script, &[READ, "asked s7comm.component_identification 33", read, "answered"]);
}

/// Order numbers as Siemens' catalogues have them, from memory; 317-2FK13 and 416-3FR05 are in CSAF documents of ProductCERT.
#[test]
fn a_cpu_that_may_be_fail_safe_is_never_asked_for_001c() {
    let fail_safe = [
        "6ES7 315-2FH13-0AB0",
        "6ES7 317-2FK13-0AB0",
        "6ES7 151-8FB01-0AB0",
        "6ES7 416-3FR05-0AB0",
        "6ES7 414-4HM14-0AB0",
        "6ES7 510-1SJ01-0AB0",
        "6ES7 517-3UP00-0AB0",
        "6ES7 214-1AF40-0XB0",
        "",
        "CPU",
        "6ES7 315-",
    ];
    for order in fail_safe {
        let (lines, _) = story(&CONSENTED, Over::Tcp, &in_session([say(&part(3, 1, [0, 0], &modules(order)))]));
        assert_eq!(lines.last().map(String::as_str), Some("answered, 1 not put"), "{order}");
    }
    for order in ["6ES7 315-2EH14-0AB0", "6ES7 151-8AB01-0AB0", "6ES7 314-1AF11-0AB0", "6ES7 214-1AG40-0XB0"] {
        assert!(!may_be_fail_safe(order.as_bytes()), "{order}");
    }
}

#[test]
fn parts_of_a_list_are_all_fetched() {
    let all = modules("6ES7 315-2EH14-0AB0");
    for cut in [8, 20, 34] {
        let script = vec![
            say(&part(3, 7, [5, 1], &all[..cut])),
            hear(&more_asked(4, 7)),
            say(&part(4, 7, [5, 1], &all[cut..all.len() - 1])),
            hear(&more_asked(5, 7)),
            say(&part(5, 7, [5, 0], &all[all.len() - 1..])),
        ];
        check_list(CPU, script, &["asked s7comm.more 33", "asked s7comm.more 33", READ, "answered"]);
    }
}

#[test]
fn a_refused_connection_ends_it() {
    for refusal in ["0300000b 06 80 0001 0000 03", "0300000b 06 80 0001 4000 80", "03000009 04 70 0001 03"] {
        check(CONSENTED, &[hear(CONNECT), say(refusal)], &["asked s7comm.connect 22", "answered, 2 not put"]);
    }
    let refused = ["asked s7comm.connect 22", "asked s7comm.setup 25", "answered, 1 not put"];
    for refusal in
        ["03000013 02f080 320200000002 00000000 8500", "03000013 02f080 320300000002 00000000 8104", "0300000b 06 80 0001 4000 80"]
    {
        check(CPU, &[hear(CONNECT), say(CONFIRM), hear(SETUP), say(refusal)], &refused);
    }
}

#[test]
fn a_list_that_is_not_there_is_an_answer() {
    let refused =
        |reference: u8, error: &str| format!("03000021 02f080 3207000000{reference:02x} 000c0004 000112081284010100 00{error} 0a000000");
    let unavailable = "read s7comm.module_identification whole: s7comm.error=\\xd4\\x01";
    check_list(CPU, vec![say(&refused(3, "d401"))], &[unavailable, "answered"]);
    check_list(CONSENTED, vec![say(&refused(3, "d401"))], &[unavailable, "answered, 1 not put"]);
    let index = "read s7comm.module_identification whole: s7comm.error=\\xd4\\x02";
    let one = "03000021 02f080 320700000004 00080008 0001120411440100 ff090004 00110001";
    let script = vec![say(&refused(3, "d402")), hear(one), say(&part(4, 1, [0, 0], &modules("6ES7 315-2EH14-0AB0")))];
    check_list(CPU, script, &[index, "asked s7comm.module_identification 33", READ, "answered"]);
    let script = vec![say(&refused(3, "d402")), hear(one), say(&refused(4, "d402"))];
    check_list(CPU, script, &[index, "asked s7comm.module_identification 33", index, "answered"]);
}

#[test]
fn an_answer_to_somebody_else_does_not_count() {
    let good = || say(&part(3, 1, [0, 0], &modules("6ES7 315-2EH14-0AB0")));
    let reference = "s7comm: byte 4: reference of the question that waits";
    let table = [
        (part(9, 1, [0, 0], &modules("6ES7 400")), reference),
        (SET_UP.to_owned(), reference),
        (SET_UP.replace("00000002", "00000003"), "s7comm: byte 1: kind of message that was asked for"),
        (CONFIRM.to_owned(), "cotp: byte 6: reference of the connection request that waits (X.224, 13.4.3)"),
        ("0300000902f080 7201".to_owned(), "s7comm: byte 0: 10 bytes needed, 2 there (header of a message)"),
        ("03000007 02e080".to_owned(), "cotp: byte 4: 4 bytes needed, 3 there (header of a TPDU (X.224, 13.2))"),
    ];
    for (stray, why) in table {
        let stray_line = format!("stray: {why}");
        check_list(CPU, vec![say(&stray), good()], &[&stray_line, READ, "answered"]);
        check_list(CPU, vec![say(&stray)], &[&stray_line, "no whole answer within the time-out (0 bytes of one)"]);
    }
    let early = [hear(CONNECT), say(SET_UP), say(&CONFIRM.replace("0001 4000", "0002 4000"))];
    let (lines, _) = story(&CPU, Over::Tcp, &early);
    assert_eq!(lines.iter().filter(|line| line.starts_with("stray: cotp")).count(), 2, "{lines:?}");
}

#[test]
fn an_answer_that_comes_twice_is_read_once() {
    let first = part(3, 7, [5, 1], &modules("6ES7 315-2EH14-0AB0")[..12]);
    let rest = part(4, 7, [5, 0], &modules("6ES7 315-2EH14-0AB0")[12..]);
    let other = part(4, 8, [5, 0], &modules("6ES7 400")[12..]);
    let script = vec![say(&first), say(&first), hear(&more_asked(4, 7)), say(&other), say(&rest)];
    let (late, number) =
        ("stray: s7comm: byte 4: reference of the question that waits", "stray: s7comm: byte 17: number of the list that is being read");
    check_list(CPU, script, &["asked s7comm.more 33", late, number, READ, "answered"]);
}

#[test]
fn a_list_without_end_gets_six_messages() {
    let all = modules("6ES7 315-2EH14-0AB0");
    let script = (3..=6).flat_map(|reference| {
        let answer = say(&part(reference, 7, [5, 1], &all));
        if reference == 6 { vec![answer] } else { vec![answer, hear(&more_asked(reference + 1, 7))] }
    });
    let (lines, took) = story(&CONSENTED, Over::Tcp, &in_session(script));
    assert_eq!(lines.iter().filter(|line| line.starts_with("asked")).count(), 6, "{lines:?}");
    assert_eq!(lines.last().map(String::as_str), Some("hostile: it still has more after 6 messages"));
    assert!(took.as_secs() < 10, "{took:?}");
    let nothing = say(&part(3, 7, [5, 1], &[]));
    let (lines, _) = story(&CPU, Over::Tcp, &in_session([nothing]));
    assert_eq!(lines.last().map(String::as_str), Some("hostile: it says that more follows and gives nothing"), "{lines:?}");
}

#[test]
fn a_message_may_come_in_several_packets_but_not_for_ever() {
    let whole = unhex(&part(3, 1, [0, 0], &modules("6ES7 315-2EH14-0AB0")));
    let digits = |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    let (first, rest) = whole[7..].split_at(20);
    let script =
        vec![say(&format!("0300001b 02f000 {}", digits(first))), say(&format!("0300{:04x} 02f080 {}", rest.len() + 7, digits(rest)))];
    check_list(CPU, script, &[READ, "answered"]);
    let endless = (0..5).map(|_| say(&format!("03000107 02f000 {}", "32".repeat(256)))).collect();
    check_list(CPU, endless, &["hostile: a message of it never ends"]);
}

#[test]
fn bytes_that_are_no_packet_are_hostile() {
    let version = "tpkt: byte 0: version 3 and a reserved byte of 0 (RFC 1006, 6)";
    let long = "tpkt: byte 2: a packet is no longer than the TPDU of 1,024 bytes that was proposed (X.224, 13.3.4)";
    let short = "tpkt: byte 2: 7 bytes needed, 0 there (length of a packet (RFC 1006, 6))";
    for (bytes, why) in [("5353482d322e30", version), ("0300ffff02f080", long), ("03000405", long), ("03000000", short)] {
        let end = format!("hostile: its bytes are no iso: {why} ({} bytes)", unhex(bytes).len());
        check(CPU, &[hear(CONNECT), say(bytes)], &["asked s7comm.connect 22", &end]);
    }
}

#[test]
fn a_device_may_fall_silent_or_close_anywhere() {
    check(CPU, &[hear(CONNECT)], &["asked s7comm.connect 22", "no whole answer within the time-out (0 bytes of one)"]);
    let (lines, took) = story(&CPU, Over::Tcp, &[hear(CONNECT), Drip(300, CONFIRM)]);
    assert_eq!((lines.len(), took.as_secs()), (2, 2), "{lines:?}");
    let answer = unhex(&part(3, 1, [0, 0], &modules("6ES7 315-2EH14-0AB0")));
    for cut in 0..answer.len() {
        let digits: String = answer[..cut].iter().map(|byte| format!("{byte:02x}")).collect();
        let end = format!("the device closed the connection ({cut} bytes of an answer)");
        check_list(CPU, vec![say(&digits), Close], &[&end]);
    }
}

#[test]
fn what_is_planned_passes_the_guard() {
    use crate::ask::{Ask, Via, plan};
    use crate::guard::Endpoint;
    let endpoint = Endpoint::Tcp(([192, 0, 2, 7], PORT).into());
    for (cpu, count) in [(CPU, 4), (CONSENTED, 5), (Questions { rack: 3, slot: 31, consent_001c: true }, 5)] {
        let planned = plan(&[Ask { endpoint: endpoint.clone(), via: Via::S7comm(cpu) }]).expect("the guard lets it pass");
        assert_eq!(planned.len(), count);
        assert!(planned.iter().all(|one| one.meaning.len() == one.message.bytes.len()), "every byte has a meaning");
    }
    let wide = Questions { rack: 8, ..CPU };
    assert_eq!(plan(&[Ask { endpoint, via: Via::S7comm(wide) }]).expect_err("no rack 8").rule, "permit.slot");
}
