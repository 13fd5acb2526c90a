use std::time::Duration;

use nameplate_wire::conversation::Over;

use super::*;
use crate::dialogue::story::{self, Do, unhex};

/// What the agent's side does: hears one question, or sends one datagram. Bytes by hand from RFC 1157 and RFC 3416.
#[expect(non_snake_case, reason = "a step of a script, as `Do` has it")]
fn Hear(bytes: Vec<u8>) -> Do {
    Do::Hear(text(&bytes))
}

#[expect(non_snake_case, reason = "a step of a script, as `Do` has it")]
fn Say(bytes: Vec<u8>) -> Do {
    Do::Say(text(&bytes))
}

/// Scripts are texts; those of a test live as long as it.
fn text(bytes: &[u8]) -> &'static str {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>().leak()
}

/// BER: tag, length, content.
fn ber(tag: u8, content: &[u8]) -> Vec<u8> {
    let header = match content.len() {
        length @ ..=0x7f => vec![tag, length as u8],
        length @ ..=0xff => vec![tag, 0x81, length as u8],
        length => vec![tag, 0x82, (length >> 8) as u8, length as u8],
    };
    [&header[..], content].concat()
}

/// A message with the community `public`: request number, PDU tag, what follows the request id, bindings of name and value.
fn message(version: u8, number: u8, tag: u8, settings: &str, bindings: &[(&str, Vec<u8>)]) -> Vec<u8> {
    let binding = |(name, value): &(&str, Vec<u8>)| ber(0x30, &[ber(6, &unhex(name)), value.clone()].concat());
    let bindings: Vec<u8> = bindings.iter().flat_map(binding).collect();
    let pdu = [unhex("02044e5000"), vec![number], unhex(settings), ber(0x30, &bindings)].concat();
    ber(0x30, &[vec![2, 1, version], ber(4, b"public"), ber(tag, &pdu)].concat())
}

const OBJECTS: [&str; 4] = ["2b06010201010100", "2b06010201010200", "2b06010201010300", "2b06010201010500"];
const NONE: &str = "020100020100";
const FOUR: &str = "020100020104";
const COLUMNS_ASKED: [u8; 9] = [2, 5, 7, 8, 9, 10, 11, 12, 13];

fn system(version: u8) -> Do {
    Hear(message(version, 1, 0xa0, NONE, &OBJECTS.map(|name| (name, unhex("0500")))))
}

fn system_said(version: u8) -> Vec<u8> {
    let values = [ber(4, b"Switch SW 9.0"), unhex("06072b06010401817a"), unhex("430101"), ber(4, b"sw-1")];
    message(version, 1, 0xa2, NONE, &OBJECTS.iter().copied().zip(values).collect::<Vec<_>>())
}

const SYSTEM_READ: &str =
    "read snmp.response whole: snmp.system.descr=Switch SW 9.0 snmp.system.object_id=+\\x06\\x01\\x04\\x01\\x81z snmp.system.name=sw-1";

fn cell(column: u8, index: &str) -> String {
    format!("2b060102012f01010101{column:02x}{index}")
}

/// The nine columns behind a row.
fn rows(version: u8, number: u8, index: &str) -> Do {
    let names = COLUMNS_ASKED.map(|column| cell(column, index));
    let bindings: Vec<(&str, Vec<u8>)> = names.iter().map(|name| (name.as_str(), unhex("0500"))).collect();
    let (tag, settings) = if version == 0 { (0xa1, NONE) } else { (0xa5, FOUR) };
    Hear(message(version, number, tag, settings, &bindings))
}

/// Answers with these rows; an index of `-` is the end of the view.
fn rows_said(version: u8, number: u8, indexes: &[&str]) -> Do {
    let mut bindings = Vec::new();
    for index in indexes {
        for column in COLUMNS_ASKED {
            let value = if column == 5 { unhex("020103") } else { ber(4, format!("{column}/{index}").as_bytes()) };
            match *index {
                "-" => bindings.push((cell(column, "7f"), unhex("8200"))),
                index => bindings.push((cell(column, index), value)),
            }
        }
    }
    let bindings: Vec<(&str, Vec<u8>)> = bindings.iter().map(|(name, value)| (name.as_str(), value.clone())).collect();
    Say(message(version, number, 0xa2, NONE, &bindings))
}

fn asked(version: Version) -> Questions {
    let community = Secret::new("public");
    let access = if version == Version::V1 { Access::V1(community) } else { Access::V2c(community) };
    Questions { access, objects: Vec::new(), entities: false }
}

/// The story without the lengths of what was asked.
fn story(asked: &Questions, script: &[Do]) -> (Vec<String>, Duration) {
    let (lines, took) = story::story(asked, Over::Udp, script);
    let without = |line: String| {
        if line.starts_with("asked") { line.trim_end_matches(|c: char| c.is_numeric() || c == ' ').to_owned() } else { line }
    };
    (lines.into_iter().map(without).collect(), took)
}

fn check(asked: &Questions, script: &[Do], expected: &[&str]) {
    assert_eq!(story(asked, script).0, expected);
}

#[test]
fn an_agent_is_asked_for_its_system_group_and_no_more() {
    for (number, version) in [(0, Version::V1), (1, Version::V2c)] {
        check(&asked(version), &[system(number), Say(system_said(number))], &["asked snmp.system", SYSTEM_READ, "answered"]);
    }
}

#[test]
fn an_agent_that_answers_with_an_error_is_left_alone() {
    let failed = message(0, 1, 0xa2, "020102020104", &OBJECTS.map(|name| (name, unhex("0500"))));
    let rows = Questions { entities: true, ..asked(Version::V1) };
    check(&rows, &[system(0), Say(failed)], &["asked snmp.system", "answered, 1 not put"]);
}

#[test]
fn objects_of_a_list_are_asked_ten_at_a_time() {
    let names: Vec<String> = (1..=12).map(|n| format!("1.3.6.1.4.1.248.14.{n}.0")).collect();
    let bytes: Vec<String> = (1..=12).map(|n| format!("2b0601040181780e{n:02x}00")).collect();
    let objects = names.iter().map(|name| name.parse().expect("a name")).collect();
    let hear = |number, names: &[String]| {
        Hear(message(1, number, 0xa0, NONE, &names.iter().map(|name| (name.as_str(), unhex("0500"))).collect::<Vec<_>>()))
    };
    let say = |number, name: &str, text: &[u8]| Say(message(1, number, 0xa2, NONE, &[(name, ber(4, text))]));
    check(
        &Questions { objects, ..asked(Version::V2c) },
        &[
            system(1),
            Say(system_said(1)),
            hear(2, &bytes[..10]),
            say(2, &bytes[0], b"09.0.12"),
            hear(3, &bytes[10..]),
            say(3, &bytes[10], b"SN1"),
        ],
        &[
            "asked snmp.system",
            SYSTEM_READ,
            "asked snmp.objects",
            "read snmp.response whole: snmp.1.3.6.1.4.1.248.14.1.0=09.0.12",
            "asked snmp.objects",
            "read snmp.response whole: snmp.1.3.6.1.4.1.248.14.11.0=SN1",
            "answered",
        ],
    );
}

/// Asks for rows; how many questions there were, which rows were read, and the end.
fn check_rows(version: Version, script: Vec<Do>, expected: (usize, &[&str], &str)) {
    let number = if version == Version::V1 { 0 } else { 1 };
    let script: Vec<Do> = [system(number), Say(system_said(number))].into_iter().chain(script).collect();
    let (lines, took) = story(&Questions { entities: true, ..asked(version) }, &script);
    let asked = lines.iter().filter(|line| line.starts_with("asked snmp.entity")).count();
    let read =
        lines.iter().flat_map(|line| line.split(' ')).filter_map(|fact| Some(fact.strip_prefix("snmp.entity.")?.split_once(".serial=")?.0));
    let read: Vec<&str> = read.collect();
    assert_eq!((asked, &read[..], lines.last().map(String::as_str)), (expected.0, expected.1, Some(expected.2)), "{lines:#?}");
    assert!(took <= Duration::from_secs(10), "{took:?}");
}

#[test]
fn rows_are_asked_until_their_columns_end() {
    check_rows(Version::V2c, vec![rows(1, 2, ""), rows_said(1, 2, &["01", "02", "-"])], (1, &["1", "2"], "answered"));
    let four = ["01", "02", "03", "8769"];
    check_rows(
        Version::V2c,
        vec![rows(1, 2, ""), rows_said(1, 2, &four), rows(1, 3, "8769"), rows_said(1, 3, &["-"])],
        (2, &["1", "2", "3", "1001"], "answered"),
    );
    check_rows(
        Version::V1,
        vec![rows(0, 2, ""), rows_said(0, 2, &["05"]), rows(0, 3, "05"), rows_said(0, 3, &["-"])],
        (2, &["5"], "answered"),
    );
}

#[test]
fn columns_with_holes_are_read_on_from_the_shortest() {
    let names: Vec<String> = COLUMNS_ASKED.iter().map(|column| cell(*column, if *column == 11 { "09" } else { "04" })).collect();
    let said: Vec<(&str, Vec<u8>)> = names.iter().map(|name| (name.as_str(), ber(4, b"x"))).collect();
    check_rows(
        Version::V2c,
        vec![rows(1, 2, ""), Say(message(1, 2, 0xa2, NONE, &said)), rows(1, 3, "04"), rows_said(1, 3, &["09", "-"])],
        (2, &["9", "9"], "answered"),
    );
}

#[test]
fn a_table_without_an_end_is_read_sixteen_times() {
    let index = |row: usize| format!("{row:02x}");
    let mut script = Vec::new();
    for question in 0..16_u8 {
        let first = usize::from(question) * 4;
        let said: Vec<String> = (first + 1..=first + 4).map(index).collect();
        let said: Vec<&str> = said.iter().map(String::as_str).collect();
        script.push(rows(1, question + 2, &if first == 0 { String::new() } else { index(first) }));
        script.push(rows_said(1, question + 2, &said));
    }
    let all: Vec<String> = (1..=64).map(|row| row.to_string()).collect();
    let all: Vec<&str> = all.iter().map(String::as_str).collect();
    check_rows(Version::V2c, script, (16, &all, "answered, 1 not put"));
}

#[test]
fn rows_that_go_round_in_circles_are_hostile() {
    for said in [&["04", "03"][..], &["02", "02"]] {
        let read: Vec<&str> = said.iter().map(|row| row.trim_start_matches('0')).collect();
        check_rows(Version::V2c, vec![rows(1, 2, ""), rows_said(1, 2, said)], (1, &read, "hostile: its rows go round in circles"));
    }
    let back = vec![rows(1, 2, ""), rows_said(1, 2, &["04"]), rows(1, 3, "04"), rows_said(1, 3, &["04"])];
    check_rows(Version::V2c, back, (2, &["4"], "hostile: its rows go round in circles"));
}

#[test]
fn an_answer_to_somebody_else_does_not_count() {
    let mut cut = system_said(1);
    cut.truncate(40);
    let mut huge = system_said(1);
    huge.splice(1..2, [0x84, 0xff, 0xff, 0xff, 0xff]);
    let request_id = "snmp: byte 0: request id of the question that waits (RFC 3416, 3)";
    let no_answer = "snmp: byte 0: an answer is a Response or a Report (RFC 3416, 3)";
    for (stray, why) in [
        (message(1, 9, 0xa2, NONE, &[(OBJECTS[3], ber(4, b"other"))]), request_id),
        (message(1, 1, 0xa0, NONE, &[(OBJECTS[3], ber(4, b"other"))]), no_answer),
        (b"HTTP/1.1 400 Bad Request".to_vec(), ""),
        (vec![0x30, 0], ""),
        (cut, ""),
        (huge, ""),
    ] {
        let (lines, took) = story(&asked(Version::V2c), &[system(1), Say(stray)]);
        let [first, second, last] = &lines[..] else { panic!("{lines:?}") };
        assert!(first == "asked snmp.system" && second.starts_with("stray: ") && second.contains(why), "{lines:?}");
        assert_eq!((last.as_str(), took.as_secs()), ("no whole answer within the time-out (0 bytes of one)", 2));
    }
}

#[test]
fn an_answer_that_comes_twice_is_read_once() {
    check(
        &Questions { objects: vec!["1.3.6.1.4.1.248.1".parse().expect("a name")], ..asked(Version::V2c) },
        &[system(1), Say(system_said(1)), Hear(message(1, 2, 0xa0, NONE, &[("2b060104018178 01", unhex("0500"))])), Say(system_said(1))],
        &[
            "asked snmp.system",
            SYSTEM_READ,
            "asked snmp.objects",
            "stray: snmp: byte 0: request id of the question that waits (RFC 3416, 3)",
            "no whole answer within the time-out (0 bytes of one)",
        ],
    );
}

#[test]
fn a_silent_agent_is_asked_once() {
    let (lines, took) = story(&asked(Version::V2c), &[system(1)]);
    assert_eq!(lines, ["asked snmp.system", "no whole answer within the time-out (0 bytes of one)"]);
    assert_eq!(took.as_secs(), 2, "{took:?}");
}

/// A message of version 3 in clear: number, flags, engine and clock, user, a PDU's tag and bindings; the engine is 8000000001.
fn secured(number: u8, flags: u8, names: &str, tag: u8, bindings: &[(&str, Vec<u8>)]) -> Vec<u8> {
    let binding = |(name, value): &(&str, Vec<u8>)| ber(0x30, &[ber(6, &unhex(name)), value.clone()].concat());
    let bindings: Vec<u8> = bindings.iter().flat_map(binding).collect();
    let id = [&[2, 4, 0x40, 0, 0, number][..]].concat();
    let pdu = ber(tag, &[id.clone(), unhex(NONE), ber(0x30, &bindings)].concat());
    let header = ber(0x30, &[id, unhex("020300ffe3 0401"), vec![flags], unhex("020103")].concat());
    let engine = if names.starts_with("0400") { unhex("0400") } else { unhex("04058000000001") };
    let scoped = ber(0x30, &[engine, unhex("0400"), pdu].concat());
    ber(0x30, &[unhex("020103"), header, ber(4, &ber(0x30, &unhex(&format!("{names} 0400 0400")))), scoped].concat())
}

const NOBODY: &str = "0400 020100 020100 0400";
const OT_AT_300: &str = "04058000000001 020103 0202012c 04026f74";
const OT_AT_900: &str = "04058000000001 020103 02020384 04026f74";
const ENGINE_READ: &str = "read snmp.engine whole: snmp.engine.id=\\x80\\x00\\x00\\x00\\x01 snmp.engine.enterprise=\\x00\\x00\\x00";

fn report(number: u8, names: &str, counter: u8) -> Do {
    Say(secured(number, 0, names, 0xa8, &[(&format!("2b060106030f0101{counter:02x}00"), unhex("410101"))]))
}

fn by_user() -> Questions {
    Questions { access: Access::V3(User::new("ot", 0)), ..asked(Version::V2c) }
}

fn system_of(number: u8, names: &str) -> Do {
    Hear(secured(number, 4, names, 0xa0, &OBJECTS.map(|name| (name, unhex("0500")))))
}

#[test]
fn version_3_begins_with_who_the_agent_is() {
    check(
        &by_user(),
        &[
            Hear(secured(1, 4, NOBODY, 0xa0, &[])),
            report(1, "04058000000001 020103 0202012c 0400", 4),
            system_of(2, OT_AT_300),
            Say(secured(2, 0, OT_AT_300, 0xa2, &[(OBJECTS[3], ber(4, b"sw-1"))])),
        ],
        &[
            "asked snmp.discovery",
            ENGINE_READ,
            "asked snmp.system",
            "read snmp.response whole: snmp.engine.id=\\x80\\x00\\x00\\x00\\x01 snmp.engine.enterprise=\\x00\\x00\\x00 snmp.system.name=sw-1",
            "answered",
        ],
    );
}

#[test]
fn a_clock_that_was_wrong_is_learned_once() {
    let twice = [
        Hear(secured(1, 4, NOBODY, 0xa0, &[])),
        report(1, "04058000000001 020103 0202012c 0400", 4),
        system_of(2, OT_AT_300),
        report(2, OT_AT_900, 2),
        system_of(3, OT_AT_900),
        report(3, OT_AT_300, 2),
    ];
    let (lines, _) = story(&by_user(), &twice);
    assert_eq!(lines.iter().filter(|line| *line == "asked snmp.system").count(), 2, "{lines:?}");
    assert_eq!(lines.last().map(String::as_str), Some("no whole answer within the time-out (0 bytes of one)"));
}

#[test]
fn a_user_who_is_refused_is_not_tried_again() {
    for (counter, why) in [
        (1, "usmStatsUnsupportedSecLevels"),
        (3, "usmStatsUnknownUserNames"),
        (5, "usmStatsWrongDigests"),
        (6, "usmStatsDecryptionErrors"),
        (4, "why there is no answer"),
    ] {
        let script = [
            Hear(secured(1, 4, NOBODY, 0xa0, &[])),
            report(1, "04058000000001 020103 0202012c 0400", 4),
            system_of(2, OT_AT_300),
            report(2, OT_AT_300, counter),
        ];
        let (lines, _) = story(&by_user(), &script);
        let [.., stray, end] = &lines[..] else { panic!("{lines:?}") };
        assert!(stray.starts_with("stray: ") && stray.contains(why), "{lines:?}");
        assert_eq!(end, "no whole answer within the time-out (0 bytes of one)");
    }
}

#[test]
fn an_answer_of_another_engine_does_not_count() {
    let script = [
        Hear(secured(1, 4, NOBODY, 0xa0, &[])),
        Say(secured(1, 0, OT_AT_300, 0xa2, &[(OBJECTS[3], ber(4, b"sw-1"))])),
        Say(secured(9, 0, OT_AT_300, 0xa8, &[("2b060106030f01010400", unhex("410101"))])),
    ];
    let (lines, _) = story(&by_user(), &script);
    assert_eq!(lines.iter().filter(|line| line.starts_with("stray")).count(), 2, "{lines:?}");
    assert_eq!(lines.iter().filter(|line| line.starts_with("asked")).count(), 1, "{lines:?}");
}

/// An agent that calls itself by this number, and what it is asked on the socket after the first, answer by answer.
fn onward(version: Version, object_id: &str, answers: &[&[(&str, &[u8])]]) -> Vec<usize> {
    let number = u8::from(version == Version::V2c);
    let said = |n: u8, bindings: Vec<(&str, Vec<u8>)>| message(number, n, 0xa2, NONE, &bindings);
    let object = ber(6, &unhex(object_id));
    let mut dialogue = asked(version).dialogue();
    assert!(matches!(dialogue.next(), Next::Put(_)));
    let group = said(1, vec![(OBJECTS[0], ber(4, b"Linux a 3.4.5 mips")), (OBJECTS[1], object.clone())]);
    assert_eq!((dialogue.take(&group), dialogue.next()), (Take::Answer, Next::Done));
    let Some(grant) = dialogue.onward() else { return Vec::new() };
    assert!(grant.is_ok() && dialogue.onward().is_none(), "granted, and once");
    let mut asked = Vec::new();
    for (answer, n) in answers.iter().zip(1..) {
        let Next::Put(put) = dialogue.next() else { break };
        assert_eq!(put.question, "snmp.objects");
        asked.push(put.bytes.windows(3).filter(|three| matches!(three, [0x30, _, 6])).count());
        let own = answer.iter().map(|(name, text)| (*name, ber(4, text)));
        let identity = [(OBJECTS[0], ber(4, b"Linux a 3.4.5 mips")), (OBJECTS[1], object.clone())];
        assert_eq!(dialogue.take(&said(n, own.chain(identity).collect())), Take::Answer);
    }
    assert_eq!(dialogue.next(), Next::Done);
    asked
}

#[test]
fn what_a_profile_names_is_asked_after_the_system_group() {
    const EATON: &str = "2b060104018416 01";
    const NET_SNMP: &str = "2b06010401bf08 03020a";
    const RUTOS: &str = "2b0601040182fc32010600";
    // The system group fits a profile: its three objects, with the two that say whose they are.
    assert_eq!(onward(Version::V2c, EATON, &[&[("2b060104018416 01010300", b"1.2")], &[]]), [5]);
    // It fits none: the objects that tell who hides; then those of the one that was found, and nobody else's.
    let found: &[(&str, &[u8])] = &[(RUTOS, b"RUT9_R_00.07.06")];
    assert_eq!(onward(Version::V2c, NET_SNMP, &[found, found, &[]]), [7, 5]);
    assert_eq!(onward(Version::V2c, NET_SNMP, &[&[], &[]]), [7]);
    // A number that no profile knows; a version in which one object that is not there costs the answer.
    assert_eq!(onward(Version::V2c, "2b0601040183f40101", &[]), [0; 0]);
    assert_eq!(onward(Version::V1, EATON, &[]), [0; 0]);
}
