//! Answers of public captures (cisagov/icsnpp-hart-ip testing/traces, hart-ip.pcap frames 2, 4, 16, 18, 26; hart-ip_publish_and_keepAlive.pcapng
//! frame 10), with our sequence numbers; command 0 by short address is made of the first by hand.

use super::*;
use crate::dialogue::script::{Do, story};
use Do::{Close, Wait};
use nameplate_wire::conversation::Over;

const INITIATE: &str = "010000000001000d 00 00004e20";
const IDENTITY: &str = "010003000002000d 02 00 00 00 02";
const LONG_TAG: &str = "0100030000030011 82 264e0000d2 14 00 2c";
const TAG: &str = "0100030000040011 82 264e0000d2 0d 00 35";
const OPENED: &str = "010100000001000d 01 0000ea60";
/// 86 264e0000d2 of the capture are 06 00 here, and the check byte accordingly.
const TOLD: &str = "0101030000020025 06 00 00 18 00d0 fe264e050704010e0c0000d205020002d00026002684 de";
const LONG_TAGGED: &str = "0101030000030033 86 264e0000d2 14 22 00d0 7769686172746777000000000000000000000000000000000000000000000000 db";
const TAGGED: &str = "0101030000040028 86 264e0000d2 0d 17 00d0 000000000000000000000000000000000000000000 f6";

const READ: &str = "read hart-ip.identity whole: hart-ip.device_type=&N hart-ip.universal_revision=\\x07 hart-ip.device_revision=\\x04 \
                    hart-ip.software_revision=\\x01 hart-ip.hardware_revision=\\x0e hart-ip.device_id=\\x00\\x00\\xd2 \
                    hart-ip.manufacturer=\\x00& hart-ip.private_label=\\x00& hart-ip.profile=\\x84 hart-ip.device_status=\\xd0";
const STRAY: &str = "stray: hart-ip: byte 1: answer to the question that waits: kind, sequence number, address, command (HCF_SPEC-085)";
const SILENT: &str = "no whole answer within the time-out (0 bytes of one)";

fn hear(text: &str) -> Do {
    Do::Hear(text.to_owned())
}

fn say(text: &str) -> Do {
    Do::Say(text.to_owned())
}

/// Session close with this sequence number, and its answer.
fn close(sequence: u8) -> [Do; 2] {
    [Do::Hear(format!("0100010000{sequence:02x}0008")), Do::Say(format!("0101010000{sequence:02x}0008"))]
}

fn check(script: Vec<Do>, expected: &[&str]) {
    assert_eq!(story(&Questions { polling: 0 }, Over::Tcp, &script).0, expected);
}

fn told(script: impl IntoIterator<Item = Do>) -> Vec<Do> {
    [hear(INITIATE), say(OPENED), hear(IDENTITY), say(TOLD)].into_iter().chain(script).collect()
}

#[test]
fn an_instrument_tells_what_it_is_and_the_session_is_closed() {
    let mut script = told([hear(LONG_TAG), say(LONG_TAGGED), hear(TAG), say(TAGGED)]);
    script.extend(close(5));
    let (lines, took) = story(&Questions { polling: 0 }, Over::Tcp, &script);
    assert_eq!(lines[..4], ["asked hart-ip.session.initiate", "asked hart-ip.identity", READ, "asked hart-ip.long_tag"]);
    assert_eq!(lines[4], "read hart-ip.long_tag whole: hart-ip.long_tag=wihartgw");
    assert_eq!((lines[5].as_str(), lines[7].as_str(), lines[8].as_str()), ("asked hart-ip.tag", "asked hart-ip.session.close", "answered"));
    assert!((4_000..4_200).contains(&took.as_millis()), "messages are a second apart, the goodbye among them: {took:?}");
    let by_datagrams = story(&Questions { polling: 0 }, Over::Udp, &script).0;
    assert_eq!(by_datagrams, lines);
}

#[test]
fn a_server_that_gives_no_session_is_asked_nothing() {
    // All sessions in use; a refusal as a whole message.
    for refusal in ["01010010 0001000d 00 00004e20", "01010010 00010008", "010f0005 00010008"] {
        check(vec![hear(INITIATE), say(refusal)], &["asked hart-ip.session.initiate", "answered, not put: hart-ip.identity"]);
    }
    // One that gives a shorter timer gives a session.
    let mut script = vec![hear(INITIATE), say("01010008 0001000d 00 00002710"), hear(IDENTITY), say("010f0305 00020008")];
    script.extend(close(3));
    check(script, &["asked hart-ip.session.initiate", "asked hart-ip.identity", "asked hart-ip.session.close", "answered"]);
}

#[test]
fn an_instrument_in_trouble_is_asked_no_more() {
    // Busy (32), and a broken transmission to the instrument (0x88): 06 00 00 02 code status check.
    for refusal in ["010103000002000f 06 00 00 02 2000 24", "010103000002000f 06 00 00 02 8800 8c"] {
        let mut script = vec![hear(INITIATE), say(OPENED), hear(IDENTITY), say(refusal)];
        script.extend(close(3));
        check(script, &["asked hart-ip.session.initiate", "asked hart-ip.identity", "asked hart-ip.session.close", "answered"]);
    }
    let mut busy = told([hear(LONG_TAG), say("0101030000030013 86 264e0000d2 14 02 2000 0a")]);
    busy.extend(close(4));
    let lines = story(&Questions { polling: 0 }, Over::Tcp, &busy).0;
    assert_eq!(lines.last().map(String::as_str), Some("answered, not put: hart-ip.tag"));
    // One without a long tag is asked for its tag.
    let mut script = told([hear(LONG_TAG), say("0101030000030013 86 264e0000d2 14 02 4000 6a"), hear(TAG), say(TAGGED)]);
    script.extend(close(5));
    assert_eq!(story(&Questions { polling: 0 }, Over::Tcp, &script).0.last().map(String::as_str), Some("answered"));
}

#[test]
fn an_older_instrument_is_not_asked_for_a_long_tag() {
    // HART 5: 254, manufacturer 26, type 0b, preambles, revision 5, then 2 0a 21 00 and the device id.
    let five = "010103000002001b 06 00 00 0e 0000 fe260b050502 0a2100 123456 82";
    let tag = "0100030000030011 82 260b123456 0d 00 d2";
    let mut script = vec![hear(INITIATE), say(OPENED), hear(IDENTITY), say(five), hear(tag), Wait(5_000)];
    script.extend(close(4));
    let lines = story(&Questions { polling: 0 }, Over::Tcp, &script).0;
    assert!(lines[2].starts_with("read hart-ip.identity whole") && lines[3] == "asked hart-ip.tag", "{lines:?}");
}

#[test]
fn an_answer_to_somebody_else_does_not_count() {
    let table = [
        TOLD.replacen("000002", "000009", 1),     // another number
        TOLD.replacen("010103", "010003", 1),     // a question
        TOLD.replacen("010103", "010203", 1),     // published
        TOLD.replacen("06 00 00", "06 01 00", 1), // another polling address
        TOLD.replacen("06 00 00", "06 00 01", 1), // another command
        TOLD.replacen("06 00 00", "02 00 00", 1), // a question to an instrument
        "0101010000020008".to_owned(),            // the session's end
    ];
    for stray in table {
        let mut script =
            vec![hear(INITIATE), say(OPENED), hear(IDENTITY), Do::Say(stray.clone()), Wait(9), say(TOLD), hear(LONG_TAG), Wait(5_000)];
        script.extend(close(4));
        let lines = story(&Questions { polling: 0 }, Over::Tcp, &script).0;
        assert_eq!(lines[2..4], [STRAY, READ], "{stray}");
    }
}

#[test]
fn a_doubled_or_late_answer_is_read_once() {
    let mut script = told([say(TOLD), hear(LONG_TAG), say(LONG_TAGGED), say(LONG_TAGGED), hear(TAG), say(TAGGED)]);
    script.extend(close(5));
    let lines = story(&Questions { polling: 0 }, Over::Tcp, &script).0;
    assert_eq!(lines.iter().filter(|line| *line == STRAY).count(), 2, "{lines:?}");
    assert_eq!(lines.iter().filter(|line| line.starts_with("read")).count(), 3, "{lines:?}");
}

#[test]
fn a_broken_answer_is_kept_and_leads_nowhere() {
    let mut script = vec![hear(INITIATE), say(OPENED), hear(IDENTITY), Do::Say(TOLD.replace("84 de", "84 ff"))];
    script.extend(close(3));
    let lines = story(&Questions { polling: 0 }, Over::Tcp, &script).0;
    assert!(lines[2].starts_with("read hart-ip.identity in part"), "{lines:?}");
    assert_eq!(lines[3..], ["asked hart-ip.session.close", "answered"]);
}

#[test]
fn bytes_that_are_no_hart_ip_are_hostile_and_the_session_is_closed_all_the_same() {
    for garbage in ["5353482d322e302d", "0101030000020007", "010103000002ffff", "0009", "0101030000020000"] {
        let mut script = vec![hear(INITIATE), say(OPENED), hear(IDENTITY), say(garbage)];
        script.extend(close(3));
        let lines = story(&Questions { polling: 0 }, Over::Tcp, &script).0;
        assert!(lines[3].starts_with("hostile: its bytes are no hart-ip: hart-ip: byte "), "{garbage}: {lines:?}");
    }
    let strays = (0..20).map(|_| say("0102030000090008"));
    let mut script: Vec<Do> = [hear(INITIATE), say(OPENED), hear(IDENTITY)].into_iter().chain(strays).collect();
    script.extend(close(3));
    let lines = story(&Questions { polling: 0 }, Over::Tcp, &script).0;
    assert_eq!(lines.last().map(String::as_str), Some("hostile: it sends messages that nobody asked for"));
}

#[test]
fn a_server_may_fall_silent_or_close_anywhere() {
    let whole: String = TOLD.chars().filter(|c| !c.is_whitespace()).collect();
    for cut in (0..whole.len()).step_by(2) {
        let begun = || [hear(INITIATE), say(OPENED), hear(IDENTITY), Do::Say(whole[..cut].to_owned())].into_iter();
        let silent = format!("no whole answer within the time-out ({} bytes of one)", cut / 2);
        check(
            begun().chain([Wait(5_500)]).chain(close(3)).collect(),
            &["asked hart-ip.session.initiate", "asked hart-ip.identity", "asked hart-ip.session.close", &silent],
        );
        let closed = format!("the device closed the connection ({} bytes of an answer)", cut / 2);
        check(begun().chain([Close]).collect(), &["asked hart-ip.session.initiate", "asked hart-ip.identity", &closed]);
    }
    // A session that nobody confirmed may stand all the same.
    let script: Vec<Do> = [hear(INITIATE), Wait(5_500)].into_iter().chain(close(2)).collect();
    let (lines, took) = story(&Questions { polling: 0 }, Over::Tcp, &script);
    assert_eq!(lines, ["asked hart-ip.session.initiate", "asked hart-ip.session.close", SILENT]);
    assert_eq!(took.as_secs(), 5, "{took:?}");
}

#[test]
fn what_is_planned_passes_the_guard() {
    let via = crate::ask::Via::HartIp(Questions { polling: 3 });
    let planned = crate::ask::plan(&[crate::ask::Ask { endpoint: "192.0.2.7:5094".parse().expect("an endpoint"), via }]);
    let planned = planned.expect("the guard lets it pass");
    assert_eq!(planned.len(), 5);
    assert!(planned.iter().all(|one| one.meaning.len() == one.message.bytes.len() && one.station == "3"));
}
