//! Answers: pjkundert/cpppo, controllogix-SCADA-read-write.pcapng, frames 6 and 13, with our session and context; refusals by hand from the
//! CIP Networks Library (volume 2, table 2-3.3; volume 1, appendix B and 3-5.5.4).

use nameplate_wire::conversation::Over;

use super::*;
use crate::dialogue::story::Do::{self, Close, Drip, Hear, Say};
use crate::dialogue::story::story;

const REGISTER: &str = "6500 0400 00000000 00000000 0100000000000000 00000000 01000000";
const SESSION: &str = "6500 0400 011e0211 00000000 0100000000000000 00000000 01000000";
const SLOT_0: &str = "6f00 2400 011e0211 00000000 0200000000000000 00000000 00000000 0200 0200 0000 0000 b200 1400 \
    52 02 20062401 03fa 0600 01 02 20012401 01 00 0100";
const SLOT_3: &str = "6f00 2400 011e0211 00000000 0300000000000000 00000000 00000000 0200 0200 0000 0000 b200 1400 \
    52 02 20062401 03fa 0600 01 02 20012401 01 00 0103";
const REVISION_0: &str = "6f00 2600 011e0211 00000000 0300000000000000 00000000 00000000 0200 0200 0000 0000 b200 1600 \
    52 02 20062401 03fa 0800 0e 03 20012401 3004 01 00 0100";
const L61: &str = "6f00 3700 011e0211 00000000 0200000000000000 00000000 00000000 0000 0200 0000 0000 b200 2700 \
    81000000 0100 0e00 3600 140b 6031 1a066c00 14 313735362d4c36312f42204c4f47495835353631";
const L73S: &str = "6f00 3100 011e0211 00000000 0200000000000000 00000000 00000000 0000 0200 0000 0000 b200 2100 \
    81000000 0100 0e00 3600 140b 6031 1a066c00 0e 313735362d4c3733532f42203132";
const NOT_SUPPORTED: &str = "6f00 1400 011e0211 00000000 0200000000000000 00000000 00000000 0000 0200 0000 0000 b200 0400 81000800";
const REVISION: &str = "6f00 1600 011e0211 00000000 0300000000000000 00000000 00000000 0000 0200 0000 0000 b200 0600 8e000000 140b";
const EMPTY_3: &str = "6f00 1800 011e0211 00000000 0300000000000000 00000000 00000000 0000 0200 0000 0000 b200 0800 d2000101 1203 0100";
const BYE_2: &str = "6600 0000 011e0211 00000000 0200000000000000 00000000";
const BYE_3: &str = "6600 0000 011e0211 00000000 0300000000000000 00000000";
const BYE_4: &str = "6600 0000 011e0211 00000000 0400000000000000 00000000";
const BYE_5: &str = "6600 0000 011e0211 00000000 0500000000000000 00000000";

const READ: &str = "read cip.identity whole: cip.identity.vendor=\\x01\\x00 cip.identity.device_type=\\x0e\\x00 \
    cip.identity.product_code=6\\x00 cip.identity.revision=\\x14\\x0b cip.identity.status=`1 cip.identity.serial=\\x1a\\x06l\\x00 \
    cip.identity.product_name=1756-L61/B LOGIX5561";
const OPENED: &str = "asked enip.register_session 28";
const ASKED: &str = "asked cip.identity 60";
const ASKED_ONE: &str = "asked cip.identity 62";
const CLOSED: &str = "asked enip.unregister_session 24";

fn asked(slots: &[u8]) -> Questions {
    Questions { slots: slots.to_vec(), ..Questions::default() }
}

fn check(slots: &[u8], script: &[Do], expected: &[&str]) {
    assert_eq!(story(&asked(slots), Over::Tcp, script).0, expected);
}

#[test]
fn each_slot_is_asked_once_in_a_session_that_ends() {
    check(
        &[3, 0, 3],
        &[Hear(REGISTER), Say(SESSION), Hear(SLOT_0), Say(L61), Hear(SLOT_3), Say(EMPTY_3), Hear(BYE_4)],
        &[OPENED, ASKED, READ, ASKED, CLOSED, "answered"],
    );
    check(&[0], &[Hear(REGISTER), Drip(5, SESSION), Hear(SLOT_0), Drip(5, L61), Hear(BYE_3)], &[OPENED, ASKED, READ, CLOSED, "answered"]);
}

#[test]
fn a_module_without_the_service_is_asked_for_its_revision_once() {
    let slot_3 = "6f00 2400 011e0211 00000000 0400000000000000 00000000 00000000 0200 0200 0000 0000 b200 1400 \
        52 02 20062401 03fa 0600 01 02 20012401 01 00 0103";
    let again = "6f00 1400 011e0211 00000000 0400000000000000 00000000 00000000 0000 0200 0000 0000 b200 0400 81000800";
    check(
        &[0, 3],
        &[
            Hear(REGISTER),
            Say(SESSION),
            Hear(SLOT_0),
            Say(NOT_SUPPORTED),
            Hear(REVISION_0),
            Say(REVISION),
            Hear(slot_3),
            Say(again),
            Hear(BYE_5),
        ],
        &[OPENED, ASKED, ASKED_ONE, "read cip.identity whole: cip.identity.revision=\\x14\\x0b", ASKED, CLOSED, "answered"],
    );
}

#[test]
fn a_device_that_gives_no_session_is_asked_no_more() {
    for refused in
        ["6500 0000 00000000 02000000 0100000000000000 00000000", "6500 0400 00000000 01000000 0100000000000000 00000000 01000000"]
    {
        check(&[0, 3], &[Hear(REGISTER), Say(refused)], &[OPENED, "answered, 2 not put"]);
    }
    let none = "6500 0400 00000000 00000000 0100000000000000 00000000 01000000";
    let stray = "stray: enip: byte 24: contents of an answer to the question that waits (CIP volume 2, 2-4)";
    check(&[0], &[Hear(REGISTER), Say(none)], &[OPENED, stray, "no whole answer within the time-out (0 bytes of one)"]);
}

#[test]
fn a_session_ends_however_it_went() {
    let silent = "no whole answer within the time-out (0 bytes of one)";
    check(&[0, 3], &[Hear(REGISTER), Say(SESSION), Hear(SLOT_0), Hear(BYE_3)], &[OPENED, ASKED, CLOSED, silent]);
    let invalid = "6f00 0000 011e0211 64000000 0200000000000000 00000000";
    check(
        &[0, 3],
        &[Hear(REGISTER), Say(SESSION), Hear(SLOT_0), Say(invalid), Hear(BYE_3)],
        &[OPENED, ASKED, CLOSED, "answered, 1 not put"],
    );
    let unpassed = "6f00 1400 011e0211 00000000 0200000000000000 00000000 00000000 0000 0200 0000 0000 b200 0400 d2000800";
    check(
        &[0, 3],
        &[Hear(REGISTER), Say(SESSION), Hear(SLOT_0), Say(unpassed), Hear(BYE_3)],
        &[OPENED, ASKED, CLOSED, "answered, 1 not put"],
    );
    let huge = "6f00 ffff 011e0211 00000000 0200000000000000 00000000";
    let hostile = "hostile: its bytes are no enip: enip: byte 2: an answer to an identity question has at most 1024 bytes (CIP volume 2, 2-4) \
        (24 bytes)";
    check(&[0], &[Hear(REGISTER), Say(SESSION), Hear(SLOT_0), Say(huge), Hear(BYE_3)], &[OPENED, ASKED, CLOSED, hostile]);
    let closed = "the device closed the connection (0 bytes of an answer)";
    check(&[0], &[Hear(REGISTER), Say(SESSION), Hear(SLOT_0), Close], &[OPENED, ASKED, closed]);
    check(&[0], &[Hear(REGISTER), Close], &[OPENED, closed]);
}

#[test]
fn what_belongs_to_another_question_is_passed_over() {
    let context = "stray: enip: byte 12: sender's context of the question that waits (CIP volume 2, 2-3.1)";
    let session = "stray: enip: byte 4: session of the question that waits (CIP volume 2, 2-3.1)";
    let service = "stray: enip: byte 40: service that was asked (CIP volume 1, 2-4.2)";
    let command = "stray: enip: byte 0: command of the question that waits (CIP volume 2, 2-3.1)";
    let connected = "stray: enip: byte 24: an unconnected message in the answer (CIP volume 2, 2-4.7)";
    let foreign = [
        ("6f00 1800 011e0211 00000000 0700000000000000 00000000 00000000 0000 0200 0000 0000 b200 0800 d2000101 1203 0100", context),
        ("6f00 1800 021e0211 00000000 0200000000000000 00000000 00000000 0000 0200 0000 0000 b200 0800 d2000101 1203 0100", session),
        ("6f00 1600 011e0211 00000000 0200000000000000 00000000 00000000 0000 0200 0000 0000 b200 0600 8e000000 140b", service),
        ("7000 0000 011e0211 00000000 0200000000000000 00000000", command),
        ("6f00 0600 011e0211 00000000 0200000000000000 00000000 00000000 0000", connected),
        // The answer to the question before, a second time.
        (SESSION, command),
    ];
    for (message, stray) in foreign {
        let script = [Hear(REGISTER), Say(SESSION), Hear(SLOT_0), Say(message), Say(L61), Hear(BYE_3)];
        check(&[0], &script, &[OPENED, ASKED, stray, READ, CLOSED, "answered"]);
    }
}

#[test]
fn beside_a_safety_controller_nobody_is_asked_without_consent() {
    let read = READ.replace("1756-L61/B LOGIX5561", "1756-L73S/B 12");
    let stop = [Hear(REGISTER), Say(SESSION), Hear(SLOT_0), Say(L73S), Hear(BYE_3)];
    check(&[0, 3], &stop, &[OPENED, ASKED, &read, CLOSED, "answered, 1 not put"]);
    let consented = Questions { consent: Some("M. Weber".to_owned()), ..asked(&[0, 3]) };
    let go_on = [Hear(REGISTER), Say(SESSION), Hear(SLOT_0), Say(L73S), Hear(SLOT_3), Say(EMPTY_3), Hear(BYE_4)];
    assert_eq!(story(&consented, Over::Tcp, &go_on).0, [OPENED, ASKED, &read, ASKED, CLOSED, "answered"]);
}

#[test]
fn a_device_that_drips_for_ever_is_left_and_the_session_ends() {
    let script = [Hear(REGISTER), Say(SESSION), Hear(SLOT_0), Drip(200, L61), Hear(BYE_3)];
    let (lines, took) = story(&asked(&[0]), Over::Tcp, &script);
    assert_eq!(
        lines.iter().map(|line| line.split(" (").next().unwrap_or_default()).collect::<Vec<_>>(),
        [OPENED, ASKED, CLOSED, "no whole answer within the time-out",]
    );
    assert!(took < Duration::from_secs(4), "{took:?}");
}

#[test]
fn a_session_is_ended_before_any_slot_was_asked() {
    assert_eq!(asked(&[]).grant().err().map(|refused| refused.rule), Some("ask.questions"));
    let known = Questions { safety_controller: true, ..asked(&[0]) };
    assert_eq!(known.grant().err().map(|refused| refused.rule), Some("permit.safety"));
    let none = Chassis { session: Some(0x1102_1e01), waiting: VecDeque::new(), ..fresh() };
    let put = { none }.goodbye().expect("a session stands");
    assert_eq!((put.bytes, put.answered), (crate::dialogue::story::unhex(BYE_2), false));
    assert_eq!(fresh().goodbye(), None);
}

/// After RegisterSession was put.
fn fresh() -> Chassis {
    let waiting = VecDeque::new();
    Chassis {
        waiting,
        consented: false,
        session: None,
        out: Question::RegisterSession,
        context: 1,
        single: None,
        singles_left: 1,
        unasked: 0,
    }
}
