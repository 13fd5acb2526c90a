use std::time::Duration;

use nameplate_wire::conversation::Over;

use super::*;
use crate::dialogue::story::Do::{Close, Drip, Hear, Say};
use crate::dialogue::story::{Do, story, unhex};

// Every byte is written by hand from the specification (6.21, 6.13, 7) and the TCP guide (3.1.3).

fn asked(questions: &[Question]) -> Questions {
    Questions { framing: Framing::Tcp, unit: UNIT_NONE, questions: questions.to_vec() }
}

fn check(questions: &[Question], script: &[Do], expected: &[&str]) {
    assert_eq!(story(&asked(questions), Over::Tcp, script).0, expected);
}

const REGULAR_1: &str = "0001 0000 0005 ff 2b0e0200";
const PAGE_1: &str = "0001 0000 0012 ff 2b0e0282ff0202 0004 41636d65 0102 5031";
const PAGE_2: &str = "0002 0000 000f ff 2b0e0282000001 0205 56332e3230";
const ONE_PAGE: &str = "0001 0000 000f ff 2b0e0282000001 0205 56332e3230";

#[test]
fn a_paged_answer_is_one_reading() {
    check(
        &[Question::REGULAR],
        &[Hear(REGULAR_1), Say(PAGE_1), Hear("0002 0000 0005 ff 2b0e0202"), Say(PAGE_2)],
        &[
            "asked modbus.identification.regular 11",
            "asked modbus.identification.regular 11",
            "read modbus.identification.regular whole: modbus.object.0=Acme modbus.object.1=P1 modbus.object.2=V3.20",
            "answered",
        ],
    );
}

/// SunSpec's common model (model_1.json) in the registers 40000 to 40068: SunS, 1, 65, then texts of 16, 16, 8, 8 and 16 registers, and 1.
fn sunspec(transaction: &str) -> String {
    let text =
        |text: &str, registers: usize| format!("{:0<1$}", text.bytes().map(|b| format!("{b:02x}")).collect::<String>(), registers * 4);
    let texts = [("Maker", 16), ("INV-10", 16), ("", 8), ("1.2.3", 8), ("sn-1", 16)].map(|(word, registers)| text(word, registers));
    format!("{transaction} 0000 008d ff 038a 53756e53 0001 0041 {} 0001", texts.concat())
}

#[test]
fn registers_of_sunspec_are_asked_for_by_name_and_read_where_they_are_sunspec() {
    // The script keeps what is said.
    let said: &'static str = sunspec("0001").leak();
    let asked = "0001 0000 0006 ff 039c400045";
    let nul = |count: usize| "\\x00".repeat(count);
    let read = format!(
        "read modbus.registers whole: modbus.sunspec.manufacturer=Maker{} modbus.sunspec.model=INV-10{} modbus.sunspec.options={} \
         modbus.sunspec.version=1.2.3{} modbus.sunspec.serial_number=sn-1{}",
        nul(27),
        nul(26),
        nul(16),
        nul(11),
        nul(28)
    );
    check(&[Question::Sunspec { base: 40_000 }], &[Hear(asked), Say(said)], &["asked modbus.registers 12", &read, "answered"]);
    // Registers of something else, or none at all: no identity, and no second place is tried.
    let other: &'static str = format!("0001 0000 008d ff 038a {}", "00".repeat(138)).leak();
    check(&[Question::Sunspec { base: 40_000 }], &[Hear(asked), Say(other)], &["asked modbus.registers 12", "answered"]);
    check(&[Question::Sunspec { base: 40_000 }], &[Hear(asked), Say("0001 0000 0003 ff 8302")], &["asked modbus.registers 12", "answered"]);
    // What stands there does not keep the other questions back.
    let basic = "0002 0000 000f ff 2b0e0101000001 0205 56332e3230";
    check(
        &[Question::Sunspec { base: 40_000 }, Question::BASIC],
        &[Hear(asked), Say(other), Hear("0002 0000 0005 ff 2b0e0100"), Say(basic)],
        &[
            "asked modbus.registers 12",
            "asked modbus.identification.basic 11",
            "read modbus.identification.basic whole: modbus.object.2=V3.20",
            "answered",
        ],
    );
}

#[test]
fn a_device_without_the_regular_set_is_asked_for_the_basic_one() {
    for exception in ["0001 0000 0003 ff ab03", "0001 0000 0003 ff ab02"] {
        let code = &exception[exception.len() - 1..];
        let said = format!("read modbus.identification.regular whole: modbus.exception=\\xab\\x0{code}");
        let basic = "0002 0000 000f ff 2b0e0101000001 0205 56332e3230";
        check(
            &[Question::REGULAR],
            &[Hear(REGULAR_1), Say(exception), Hear("0002 0000 0005 ff 2b0e0100"), Say(basic)],
            &[
                "asked modbus.identification.regular 11",
                &said,
                "asked modbus.identification.basic 11",
                "read modbus.identification.basic whole: modbus.object.2=V3.20",
                "answered",
            ],
        );
    }
}

#[test]
fn a_device_without_the_function_is_asked_no_more_of_it() {
    let refused = "read modbus.identification.regular whole: modbus.exception=\\xab\\x01";
    check(
        &[Question::REGULAR],
        &[Hear(REGULAR_1), Say("0001 0000 0003 ff ab01")],
        &["asked modbus.identification.regular 11", refused, "answered"],
    );
    check(
        &[Question::REGULAR, Question::EXTENDED, Question::ServerId],
        &[Hear(REGULAR_1), Say("0001 0000 0003 ff ab01"), Hear("0002 0000 0002 ff 11"), Say("0002 0000 0008 ff 11 05 01ff 522d31")],
        &[
            "asked modbus.identification.regular 11",
            refused,
            "asked modbus.server_id 8",
            "read modbus.server_id whole: modbus.server_id=\\x01\\xffR-1 modbus.server_id.text=R-1",
            "answered, 1 not put",
        ],
    );
}

#[test]
fn a_busy_device_is_left_alone() {
    check(
        &[Question::REGULAR, Question::ServerId],
        &[Hear(REGULAR_1), Say("0001 0000 0003 ff ab06")],
        &[
            "asked modbus.identification.regular 11",
            "read modbus.identification.regular whole: modbus.exception=\\xab\\x06",
            "answered, 1 not put",
        ],
    );
}

#[test]
fn an_answer_to_somebody_else_does_not_count() {
    let good = "read modbus.identification.regular whole: modbus.object.2=V3.20";
    let table = [
        ("0009 0000 000f ff 2b0e0282000001 0205 56392e3939", "mbap: byte 0: transaction of the question that waits (TCP guide 3.1.3)"),
        ("0001 0000 000f 01 2b0e0282000001 0205 56392e3939", "mbap: byte 6: unit that was asked (TCP guide 3.1.3)"),
        ("0001 0007 000f ff 2b0e0282000001 0205 56392e3939", "mbap: byte 2: protocol identifier is 0 for Modbus (TCP guide 3.1.3)"),
        ("0001 0000 0005 ff 0302 0007", "modbus: byte 7: function that was asked (specification 4.1)"),
    ];
    for (stray, why) in table {
        let stray_line = format!("stray: {why}");
        check(
            &[Question::REGULAR],
            &[Hear(REGULAR_1), Say(stray), Say(ONE_PAGE)],
            &["asked modbus.identification.regular 11", &stray_line, good, "answered"],
        );
        check(
            &[Question::REGULAR],
            &[Hear(REGULAR_1), Say(stray)],
            &["asked modbus.identification.regular 11", &stray_line, "no whole answer within the time-out (0 bytes of one)"],
        );
    }
}

#[test]
fn an_answer_that_comes_twice_is_read_once() {
    check(
        &[Question::REGULAR],
        &[Hear(REGULAR_1), Say(PAGE_1), Say(PAGE_1), Hear("0002 0000 0005 ff 2b0e0202"), Say(PAGE_2)],
        &[
            "asked modbus.identification.regular 11",
            "asked modbus.identification.regular 11",
            "stray: mbap: byte 0: transaction of the question that waits (TCP guide 3.1.3)",
            "read modbus.identification.regular whole: modbus.object.0=Acme modbus.object.1=P1 modbus.object.2=V3.20",
            "answered",
        ],
    );
}

#[test]
fn a_stream_of_answers_that_nobody_asked_for_is_hostile() {
    let mut script = vec![Hear(REGULAR_1)];
    script.extend((0..20).map(|_| Say("0009 0000 0003 ff ab01")));
    let (lines, _) = story(&asked(&[Question::REGULAR]), Over::Tcp, &script);
    assert_eq!(lines.iter().filter(|line| line.starts_with("stray")).count(), 9);
    assert_eq!(lines.last().map(String::as_str), Some("hostile: it sends messages that nobody asked for"));
}

/// Page `n` (from 1) of a device that always has one more object.
fn endless(n: u8) -> (&'static str, &'static str) {
    let object = n - 1;
    let ask = format!("00{n:02x} 0000 0005 ff 2b0e02{object:02x}");
    let page = format!("00{n:02x} 0000 000b ff 2b0e0282ff{n:02x}01 {object:02x}01 41");
    (ask.leak(), page.leak())
}

#[test]
fn a_device_that_always_has_more_is_asked_eight_times() {
    let script: Vec<Do> = (1..=8).flat_map(|n| [Hear(endless(n).0), Say(endless(n).1)]).collect();
    let (lines, took) = story(&asked(&[Question::REGULAR]), Over::Tcp, &script);
    assert_eq!(lines.iter().filter(|line| line.starts_with("asked")).count(), 8);
    assert_eq!(lines[8].matches("modbus.object").count(), 8, "what it said is kept: {}", lines[8]);
    assert!(lines[8].starts_with("read modbus.identification.regular in part"), "{}", lines[8]);
    assert_eq!(lines[9], "hostile: it still has more after 8 requests");
    assert!(took <= Duration::from_secs(10), "{took:?}");
}

#[test]
fn eight_pages_that_end_are_no_fault() {
    let mut script: Vec<Do> = (1..=8).flat_map(|n| [Hear(endless(n).0), Say(endless(n).1)]).collect();
    script[15] = Say("0008 0000 000b ff 2b0e0282000001 0701 41");
    let (lines, _) = story(&asked(&[Question::REGULAR, Question::ServerId]), Over::Tcp, &script);
    assert_eq!(lines.last().map(String::as_str), Some("answered, 1 not put"));
}

#[test]
fn pages_that_go_round_in_circles_are_hostile() {
    let again = "0001 0000 0012 ff 2b0e0282ff0002 0004 41636d65 0102 5031";
    check(
        &[Question::REGULAR],
        &[Hear(REGULAR_1), Say(again)],
        &[
            "asked modbus.identification.regular 11",
            "read modbus.identification.regular in part: modbus.object.0=Acme modbus.object.1=P1",
            "hostile: its pages go round in circles",
        ],
    );
}

#[test]
fn bytes_that_are_no_modbus_are_hostile() {
    let length = "byte 4: length is 2 to 254, 260 with tolerance (TCP guide 3.1.3)";
    let table = [
        "5353482d322e302d44726f7062656172", // an SSH greeting: other protocol ids are read past
        "0001 0000 0000 ff 2b0e02",         // a length of 0
        "0001 0000 0001 ff 2b0e02",         // a length without a function
        "0001 0000 ffff ff 2b0e02",         // a length of 65,535
        "0001 0000 0109 ff 2b0e02",         // more than the decoder reads
    ];
    for bytes in table {
        let had = unhex(bytes).len();
        check(
            &[Question::REGULAR],
            &[Hear(REGULAR_1), Say(bytes)],
            &["asked modbus.identification.regular 11", &format!("hostile: its bytes are no modbus: mbap: {length} ({had} bytes)")],
        );
    }
}

#[test]
fn a_broken_answer_is_kept_and_nothing_more_is_asked() {
    check(
        &[Question::REGULAR, Question::ServerId],
        &[Hear(REGULAR_1), Say("0001 0000 000f ff 2b0e0282000002 0205 56332e3230")],
        &[
            "asked modbus.identification.regular 11",
            "read modbus.identification.regular in part: modbus.object.2=V3.20",
            "answered, 1 not put",
        ],
    );
}

#[test]
fn a_silent_device_is_asked_once_and_left_after_two_seconds() {
    let (lines, took) = story(&asked(&[Question::REGULAR, Question::ServerId]), Over::Tcp, &[Hear(REGULAR_1)]);
    assert_eq!(lines, ["asked modbus.identification.regular 11", "no whole answer within the time-out (0 bytes of one)"]);
    assert_eq!(took.as_secs(), 2, "{took:?}");
}

#[test]
fn a_device_that_falls_silent_between_pages_keeps_what_it_said() {
    check(
        &[Question::REGULAR],
        &[Hear(REGULAR_1), Say(PAGE_1), Hear("0002 0000 0005 ff 2b0e0202"), Say("0002 00")],
        &[
            "asked modbus.identification.regular 11",
            "asked modbus.identification.regular 11",
            "read modbus.identification.regular in part: modbus.object.0=Acme modbus.object.1=P1",
            "no whole answer within the time-out (3 bytes of one)",
        ],
    );
}

#[test]
fn a_device_may_close_anywhere() {
    for cut in 0..unhex(ONE_PAGE).len() {
        let bytes: String = unhex(ONE_PAGE)[..cut].iter().map(|byte| format!("{byte:02x}")).collect();
        let end = format!("the device closed the connection ({cut} bytes of an answer)");
        check(&[Question::REGULAR], &[Hear(REGULAR_1), Say(bytes.leak()), Close], &["asked modbus.identification.regular 11", &end]);
    }
}

#[test]
fn a_dripping_device_gains_no_time() {
    let (lines, took) = story(&asked(&[Question::REGULAR]), Over::Tcp, &[Hear(REGULAR_1), Drip(300, ONE_PAGE)]);
    assert_eq!(lines[1], "no whole answer within the time-out (6 bytes of one)");
    assert_eq!(took.as_secs(), 2, "{took:?}");
}

#[test]
fn the_hold_ends_a_device_that_takes_its_time_with_every_page() {
    let mut script = Vec::new();
    for n in 1..=5 {
        script.push(Hear(endless(n).0));
        script.push(Drip(1_900 / 17, endless(n).1));
    }
    let (lines, took) = story(&asked(&[Question::REGULAR]), Over::Tcp, &script);
    assert!(lines.last().is_some_and(|line| line.starts_with("our longest hold was over")), "{lines:?}");
    assert_eq!(took.as_secs(), 10, "{took:?}");
}

#[test]
fn nothing_is_asked_that_the_hold_leaves_no_time_for() {
    let script: Vec<Do> = (1..=5).flat_map(|n| [Hear(endless(n).0), Drip(107, endless(n).1)]).collect();
    let (lines, took) = story(&asked(&[Question::REGULAR]), Over::Tcp, &script);
    assert_eq!(lines.iter().filter(|line| line.starts_with("asked")).count(), 5);
    assert_eq!(lines.last().map(String::as_str), Some("our longest hold was over (0 bytes of an answer)"));
    assert!((9_800..10_000).contains(&took.as_millis()), "{took:?}");
}

#[test]
fn an_answer_to_somebody_else_wins_no_time() {
    let (lines, took) = story(&asked(&[Question::REGULAR]), Over::Tcp, &[Hear(REGULAR_1), Drip(150, "0009 0000 0003 ff ab01")]);
    assert!(lines[1].starts_with("stray"), "{lines:?}");
    assert_eq!(took.as_secs(), 2, "{took:?}");
}

#[test]
fn messages_are_a_gap_apart() {
    let (_, took) =
        story(&asked(&[Question::REGULAR]), Over::Tcp, &[Hear(REGULAR_1), Say(PAGE_1), Hear("0002 0000 0005 ff 2b0e0202"), Say(PAGE_2)]);
    assert!((200..300).contains(&took.as_millis()), "{took:?}");
}

#[test]
fn the_basic_set_is_not_read_on() {
    check(
        &[Question::BASIC],
        &[Hear("0001 0000 0005 ff 2b0e0100"), Say("0001 0000 0012 ff 2b0e0101ff0202 0004 41636d65 0102 5031")],
        &[
            "asked modbus.identification.basic 11",
            "read modbus.identification.basic in part: modbus.object.0=Acme modbus.object.1=P1",
            "answered",
        ],
    );
}

#[test]
fn registers_of_a_family_are_asked_for_literally_and_no_more_where_one_block_is_refused() {
    // PowerLogic PM5000: name, model, manufacturer in 29 to 88; the version from 1636 on.
    let text = |text: &str| format!("{:0<80}", text.bytes().map(|b| format!("{b:02x}")).collect::<String>());
    let names: &'static str = format!("0001 0000 007b ff 0378 {}{}{}", text("F4"), text("PM5560"), text("Maker")).leak();
    let [names_asked, version_asked] = ["0001 0000 0006 ff 03001d003c", "0002 0000 0006 ff 0306640005"];
    let version = "0002 0000 000d ff 030a 0a85 0002 000a 0005 0003";
    let blocks: Vec<Question> = Read::all().filter(|read| [29, 1_636].contains(&read.address)).map(Question::Registers).collect();
    let read = |lines: Vec<String>| lines.into_iter().map(|line| line.split('=').next().unwrap_or_default().to_owned()).collect::<Vec<_>>();
    let told = |script: &[Do]| read(story(&asked(&blocks), Over::Tcp, script).0);
    let one = "read modbus.registers whole: modbus.registers.29";
    let whole = told(&[Hear(names_asked), Say(names), Hear(version_asked), Say(version)]);
    assert_eq!(whole, ["asked modbus.registers 12", "asked modbus.registers 12", one, "answered"]);
    for exception in ["01", "02", "03", "06"] {
        let refused: &'static str = format!("0001 0000 0003 ff 83{exception}").leak();
        assert_eq!(told(&[Hear(names_asked), Say(refused)]), ["asked modbus.registers 12", "answered, not put: modbus.registers"]);
    }
    // Another number of registers is no answer to this question.
    let stray = "stray: modbus: byte 7: function that was asked (specification 4.1)";
    let few =
        told(&[Hear(names_asked), Say("0001 0000 000d ff 030a 0a85 0002 000a 0005 0003"), Say(names), Hear(version_asked), Say(version)]);
    assert_eq!(few, ["asked modbus.registers 12", stray, "asked modbus.registers 12", one, "answered"]);
}

// On a line: check bytes by pymodbus (REGULAR_LINE) and by the manuals' CRC-16/MODBUS for the answers.
const REGULAR_LINE: &str = "01 2b0e0200 7087";

fn check_line(script: &[Do], expected: &[&str]) {
    let asked = Questions { framing: Framing::Rtu, unit: 1, questions: vec![Question::REGULAR] };
    assert_eq!(story(&asked, Over::Tcp, script).0, expected);
}

#[test]
fn a_line_is_asked_in_its_own_frames() {
    let asked = "asked modbus.identification.regular 7";
    // Object 0 "ABC", object 2 "V2.1", read code 1; as a serial server cuts it.
    let whole = ["012b0e01010000020003414243", "020456322e315a60"];
    let read = "read modbus.identification.regular whole: modbus-rtu.conformity=\\x01 modbus-rtu.object.0=ABC modbus-rtu.object.2=V2.1";
    check_line(&[Hear(REGULAR_LINE), Say(whole[0]), Say(whole[1])], &[asked, read, "answered"]);
    let echo = "stray: modbus-rtu: byte 1: an answer, not the echo of the question (serial line 2.1)";
    check_line(&[Hear(REGULAR_LINE), Say(REGULAR_LINE), Say(whole[0]), Say(whole[1])], &[asked, echo, read, "answered"]);
    let silent = "no whole answer within the time-out (13 bytes of one)";
    check_line(&[Hear(REGULAR_LINE), Say(whole[0])], &[asked, silent]);
}
