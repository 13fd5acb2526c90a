//! Frames by hand from IEEE 1815-2012 (4.2.2, 8.2.1, 9.2.4.1, annex A.2): outstation 10, master 1. The checksums are computed here.

use super::*;
use crate::dialogue::script::{Do, bytes, hex, story};
use Do::{Close, Wait};

fn asked() -> Questions {
    let route = Route { master: 1, outstation: 10 };
    Questions { route, over: Over::Tcp, all: false, confirm_unsolicited: false, master_heard_at: None, ours: None }
}

/// 9.2.4.1.6, bit by bit.
fn sum(bytes: &[u8]) -> [u8; 2] {
    let bit = |sum: u16| if sum & 1 == 1 { (sum >> 1) ^ 0xa6bc } else { sum >> 1 };
    let sum = bytes.iter().fold(0_u16, |sum, byte| (0..8).fold(sum ^ u16::from(*byte), |sum, _| bit(sum)));
    (!sum).to_le_bytes()
}

fn framed(control: u8, to: u16, from: u16, user: &[u8]) -> String {
    let mut frame = vec![5, 0x64, user.len() as u8 + 5, control];
    frame.extend(to.to_le_bytes());
    frame.extend(from.to_le_bytes());
    frame.extend(sum(&frame));
    for block in user.chunks(16) {
        frame.extend_from_slice(block);
        frame.extend(sum(block));
    }
    hex(&frame)
}

/// The outstation says this, transport header first.
fn said(user: &str) -> String {
    framed(0x44, 1, 10, &bytes(user))
}

fn say(user: &str) -> Do {
    Do::Say(said(user))
}

/// It hears a master's frame.
fn hear(user: &str) -> Do {
    Do::Hear(framed(0xc4, 10, 1, &bytes(user)))
}

fn hear_link(control: u8) -> Do {
    Do::Hear(framed(control, 10, 1, &[]))
}

fn identity() -> Do {
    hear("c0c0 01 00fc000000 00fa000000 00f8000000 00f3000000 00f2000000")
}

/// READ of one attribute, as the question of this number.
fn alone(number: u8, variation: u8) -> Do {
    hear(&format!("{0:02x}{0:02x} 01 00{variation:02x}000000", 0xc0 | number))
}

const TOLD: &str = "c0 c0 81 8000 00fc000000 0104 41636d65 00f2000000 0102 5631";
const READ: &str = "read dnp3.attributes whole: dnp3.attribute.252=Acme dnp3.attribute.242=V1";
const REFUSED: &str = "read dnp3.attributes whole: dnp3.exception=\\x00\\x02";
const SILENT: &str = "no whole answer within the time-out (0 bytes of one)";

fn check(asked: Questions, script: &[Do], expected: &[&str]) {
    assert_eq!(story(&asked, asked.over, script).0, expected);
}

#[test]
fn one_read_tells_the_identity() {
    check(asked(), &[identity(), say(TOLD)], &["asked dnp3.attributes", READ, "answered"]);
    let all = Questions { all: true, ..asked() };
    check(all, &[hear("c0c0 01 00fe000000"), say(TOLD)], &["asked dnp3.attributes.all", READ, "answered"]);
    // The reading is one, and the answer may take several frames.
    let in_two = [identity(), say("40 c0 81 0000 00fc000000 0104 4163"), say("81 6d65")];
    check(asked(), &in_two, &["asked dnp3.attributes", "read dnp3.attributes whole: dnp3.attribute.252=Acme", "answered"]);
}

#[test]
fn an_outstation_that_refuses_the_five_together_is_asked_for_each_alone() {
    let script = [
        identity(),
        say("c0 c0 81 0002"),
        alone(1, 242),
        say("c1 c1 81 0000 00f2000000 0102 5631"),
        alone(2, 252),
        say("c2 c2 81 0002"),
        alone(3, 250),
        say("c3 c3 81 0002"),
        alone(4, 248),
        say("c4 c4 81 0000 00f8000000 0101 37"),
        alone(5, 243),
        say("c5 c5 81 0002"),
    ];
    let expected = [
        "asked dnp3.attributes",
        REFUSED,
        "asked dnp3.attribute.242",
        "read dnp3.attributes whole: dnp3.attribute.242=V1",
        "asked dnp3.attribute.252",
        REFUSED,
        "asked dnp3.attribute.250",
        REFUSED,
        "asked dnp3.attribute.248",
        "read dnp3.attributes whole: dnp3.attribute.248=7",
        "asked dnp3.attribute.243",
        REFUSED,
        "answered",
    ];
    check(asked(), &script, &expected);
    // What was told together is not asked again.
    let part = [
        identity(),
        say("c0 c0 81 0002 00fc000000 0104 41636d65 00fa000000 0101 58 00f8000000 0101 37 00f3000000 0101 31"),
        alone(1, 242),
        say("c1 c1 81 0002"),
    ];
    let told = "read dnp3.attributes whole: dnp3.attribute.252=Acme dnp3.attribute.250=X dnp3.attribute.248=7 dnp3.attribute.243=1";
    check(asked(), &part, &["asked dnp3.attributes", told, "asked dnp3.attribute.242", REFUSED, "answered"]);
}

#[test]
fn an_outstation_without_attributes_is_left() {
    let rest = "answered, not put: dnp3.attribute.250 dnp3.attribute.248 dnp3.attribute.243";
    let script = [identity(), say("c0 c0 81 9002"), alone(1, 242), say("c1 c1 81 9002"), alone(2, 252), say("c2 c2 81 9002")];
    let refused = "read dnp3.attributes whole: dnp3.exception=\\x90\\x02";
    check(
        asked(),
        &script,
        &["asked dnp3.attributes", refused, "asked dnp3.attribute.242", refused, "asked dnp3.attribute.252", refused, rest],
    );
    // No such function, measured values instead, a demand for authentication, nothing at all: it is asked no more.
    for answer in ["c0 c0 81 0001", "c0 c0 81 0000 1e020000000110 27", "c0 c0 83 0000 78010700", "c0 c0 81 0000"] {
        let (lines, took) = story(&asked(), Over::Tcp, &[identity(), say(answer)]);
        assert_eq!(lines.last().map(String::as_str), Some("answered"), "{answer}: {lines:?}");
        assert!(lines.iter().all(|line| !line.contains("dnp3.attribute.2")) && took.as_secs() < 1, "{answer}: {lines:?} {took:?}");
    }
}

#[test]
fn an_answer_in_several_fragments_is_read_to_what_came_and_never_confirmed() {
    let first = "c0 a0 81 0000 00fc000000 0104 41636d65";
    check(
        asked(),
        &[identity(), say(first)],
        &["asked dnp3.attributes", "read dnp3.attributes in part: dnp3.attribute.252=Acme", "answered"],
    );
}

#[test]
fn an_outstation_that_waits_for_a_confirmation_is_waited_for() {
    let unsolicited = || say("c5 f3 82 8000");
    let script = [unsolicited(), identity(), Wait(15_000), unsolicited(), say(TOLD)];
    let (lines, took) = story(&asked(), Over::Tcp, &script);
    assert_eq!(lines, ["asked dnp3.attributes", READ, "answered"]);
    assert_eq!(took.as_secs(), 15, "{took:?}");
    // It begins again and again, and never answers: 16 s from the question, and to the end of the hold from one that it may have heard.
    let forever = || (0..9).flat_map(|_| [unsolicited(), Wait(1_900)]);
    let script: Vec<Do> = [identity()].into_iter().chain(forever()).chain([alone(1, 242), unsolicited()]).collect();
    let (lines, took) = story(&asked(), Over::Tcp, &script);
    assert_eq!(lines, ["asked dnp3.attributes", "asked dnp3.attribute.242", "our longest hold was over (0 bytes of an answer)"]);
    assert_eq!(took.as_secs(), 20, "{took:?}");
    // One that forgot the READ meanwhile is asked for each attribute alone; with all of them wanted there is no other way.
    let script = [identity(), unsolicited(), alone(1, 242), say("c1 c1 81 0000 00f2000000 0102 5631"), alone(2, 252), Wait(2_500)];
    let (lines, took) = story(&asked(), Over::Tcp, &script);
    assert_eq!(lines[2..], ["read dnp3.attributes whole: dnp3.attribute.242=V1", "asked dnp3.attribute.252", SILENT]);
    assert_eq!(took.as_secs(), 18, "{took:?}");
    let all = Questions { all: true, ..asked() };
    check(all, &[hear("c0c0 01 00fe000000"), unsolicited()], &["asked dnp3.attributes.all", SILENT]);
    // Events are not confirmed either, whatever the owner consents to.
    let consent = Questions { confirm_unsolicited: true, ..asked() };
    check(consent, &[identity(), say("c5 f3 82 8000 020101 0001 81"), say(TOLD)], &["asked dnp3.attributes", READ, "answered"]);
}

#[test]
fn one_empty_unsolicited_response_is_confirmed_where_the_owner_consents() {
    let consent = Questions { confirm_unsolicited: true, ..asked() };
    let script = [identity(), say("c5 f3 82 8000"), hear("c0 d3 00"), say("c6 f4 82 8000"), Wait(500), say(TOLD)];
    check(consent, &script, &["asked dnp3.attributes", "asked dnp3.confirm.unsolicited", READ, "answered"]);
}

#[test]
fn frames_are_acknowledged_where_the_outstation_asks_for_it() {
    let reset = || Do::Say(framed(0x40, 1, 10, &[]));
    let script = [
        identity(),
        reset(),
        hear_link(0x80),
        Do::Say(framed(0x49, 1, 10, &[])),
        hear_link(0x8b),
        Do::Say(framed(0x73, 1, 10, &bytes("c0 c0 81 0002"))),
        hear_link(0x80),
        alone(1, 242),
        Do::Say(framed(0x53, 1, 10, &bytes("c1 c1 81 0000 00f2000000 0102 5631"))),
        hear_link(0x80),
        alone(2, 252),
    ];
    let expected = [
        "asked dnp3.attributes",
        "asked dnp3.link.ack",
        "asked dnp3.link.state",
        REFUSED,
        "asked dnp3.link.ack",
        "asked dnp3.attribute.242",
        "read dnp3.attributes whole: dnp3.attribute.242=V1",
        "asked dnp3.link.ack",
        "asked dnp3.attribute.252",
        SILENT,
    ];
    check(asked(), &script, &expected);
    let mut forever = vec![identity()];
    forever.extend((0..6).flat_map(|_| [reset(), hear_link(0x80)]));
    forever.push(reset());
    let (lines, _) = story(&asked(), Over::Tcp, &forever);
    assert_eq!(lines.last().map(String::as_str), Some("hostile: it wants its frames acknowledged for ever"));
}

#[test]
fn an_answer_to_somebody_else_does_not_count() {
    let user = bytes(TOLD);
    let table = [
        (framed(0x44, 2, 10, &user), "dnp3: byte 4: our own link address (IEEE 1815-2012, 9.2.4.1.4)"),
        (framed(0x44, 1, 11, &user), "dnp3: byte 6: link address of the outstation that was asked (IEEE 1815-2012, 9.2.4.1.5)"),
        (framed(0x44, 0xffff, 10, &user), "dnp3: byte 4: our own link address (IEEE 1815-2012, 9.2.4.1.4)"),
        (framed(0xc4, 1, 10, &user), "dnp3: byte 3: direction: from an outstation (IEEE 1815-2012, 9.2.4.1.3.1)"),
        (framed(0x00, 1, 10, &[]), "dnp3: byte 3: a frame that somebody asked for (IEEE 1815-2012, 9.2.4.1.3)"),
        (
            said("c0 c7 81 8000 00fc000000 0104 41636d65"),
            "dnp3: byte 11: sequence number of the question that waits (IEEE 1815-2012, 4.2.2.4)",
        ),
        (said("80 c0 81 8000 00fc000000 0104 41636d65"), "dnp3: byte 10: transport sequence number (IEEE 1815-2012, 8.2.1)"),
        (said("c0 c0 01 00f2000000"), "dnp3: byte 12: a response (IEEE 1815-2012, 4.2.2.5)"),
        (said(""), "dnp3: byte 10: transport header (IEEE 1815-2012, 8.2.1)"),
    ];
    for (stray, why) in table {
        let line = format!("stray: {why}");
        check(asked(), &[identity(), Do::Say(stray.clone()), say(TOLD)], &["asked dnp3.attributes", &line, READ, "answered"]);
        check(asked(), &[identity(), Do::Say(stray)], &["asked dnp3.attributes", &line, SILENT]);
    }
}

#[test]
fn a_late_or_doubled_answer_is_read_once() {
    let script =
        [identity(), say("c0 c0 81 0002"), say("c0 c0 81 0002"), alone(1, 242), say("c1 c1 81 0000 00f2000000 0102 5631"), alone(2, 252)];
    let (lines, _) = story(&asked(), Over::Tcp, &script);
    let strays: Vec<&String> = lines.iter().filter(|line| line.starts_with("stray")).collect();
    assert_eq!(strays, ["stray: dnp3: byte 11: sequence number of the question that waits (IEEE 1815-2012, 4.2.2.4)"]);
    assert_eq!(lines.iter().filter(|line| line.starts_with("read")).count(), 2, "{lines:?}");
}

#[test]
fn what_is_broken_or_has_no_end_is_left() {
    let mut torn = bytes(&said(TOLD));
    *torn.last_mut().expect("a byte") ^= 1;
    let (lines, _) = story(&asked(), Over::Tcp, &[identity(), Do::Say(hex(&torn))]);
    assert!(lines[1].starts_with("stray: dnp3: byte ") && lines[1].ends_with("checksum of a block (9.2.4.1.6)"), "{lines:?}");
    for garbage in ["5353482d322e302d44726f7062656172", "0564 04 44 0100 0a00 0000", "0000000000"] {
        let (lines, _) = story(&asked(), Over::Tcp, &[identity(), Do::Say(garbage.into())]);
        assert!(lines[1].starts_with("hostile: its bytes are no dnp3: dnp3: byte"), "{lines:?}");
    }
    let strays = || (0..20).map(|_| Do::Say(framed(0x44, 2, 10, &[])));
    let (lines, _) = story(&asked(), Over::Tcp, &[identity()].into_iter().chain(strays()).collect::<Vec<_>>());
    assert_eq!(lines.last().map(String::as_str), Some("hostile: it sends messages that nobody asked for"));
    let full = [0x41; 240];
    let more = |number: u8, user: &[u8]| Do::Say(framed(0x44, 1, 10, &[&[number], user].concat()));
    let endless = (1..60).map(|number| more(number, &full));
    let script: Vec<Do> = [identity(), more(0x40, &bytes("c0 81 0000 00fc000000 01ff"))].into_iter().chain(endless).collect();
    let (lines, _) = story(&asked(), Over::Tcp, &script);
    assert_eq!(lines.last().map(String::as_str), Some("hostile: its answer has no end"));
}

#[test]
fn an_outstation_may_fall_silent_or_close_anywhere() {
    let whole = said(TOLD);
    for cut in (0..whole.len()).step_by(2) {
        let part = whole[..cut].to_owned();
        let silent = format!("no whole answer within the time-out ({} bytes of one)", cut / 2);
        check(asked(), &[identity(), Do::Say(part.clone())], &["asked dnp3.attributes", &silent]);
        let closed = format!("the device closed the connection ({} bytes of an answer)", cut / 2);
        check(asked(), &[identity(), Do::Say(part), Close], &["asked dnp3.attributes", &closed]);
    }
    let (_, took) = story(&asked(), Over::Tcp, &[identity()]);
    assert_eq!(took.as_secs(), 2, "{took:?}");
}

#[test]
fn a_datagram_holds_whole_frames() {
    let by_datagram = Questions { over: Over::Udp, ..asked() };
    let two = said("40 c0 81 0000 00fc000000 0104 4163") + &said("81 6d65");
    let told = "read dnp3.attributes whole: dnp3.attribute.252=Acme";
    check(by_datagram, &[identity(), Do::Say(two.clone())], &["asked dnp3.attributes", told, "answered"]);
    // One that is not ours, or cut, is passed over as a whole.
    let foreign = two.clone() + &framed(0x44, 1, 11, &bytes(TOLD));
    let stray = "stray: dnp3: byte 6: link address of the outstation that was asked (IEEE 1815-2012, 9.2.4.1.5)";
    check(by_datagram, &[identity(), Do::Say(foreign), Wait(9), say(TOLD)], &["asked dnp3.attributes", stray, READ, "answered"]);
    let cut = two[..two.len() - 2].to_owned();
    let (lines, _) = story(&by_datagram, Over::Udp, &[identity(), Do::Say(cut), Wait(9), say(TOLD)]);
    assert!(lines[1].starts_with("stray: dnp3") && lines[2] == READ, "{lines:?}");
}

#[test]
fn what_is_planned_passes_the_guard() {
    for (all, confirm_unsolicited, count) in [(false, false, 8), (true, false, 3), (false, true, 9)] {
        let asked = Questions { all, confirm_unsolicited, ..asked() };
        let ask = crate::ask::Ask { endpoint: "192.0.2.7:20000".parse().expect("an endpoint"), via: crate::ask::Via::Dnp3(asked) };
        let planned = crate::ask::plan(&[ask]).expect("the guard lets it pass");
        assert_eq!(planned.len(), count);
        assert!(planned.iter().all(|one| one.meaning.len() == one.message.bytes.len() && one.station == "10"));
    }
}
