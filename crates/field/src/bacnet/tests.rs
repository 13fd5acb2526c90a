use nameplate_wire::conversation::Over;

use super::*;
use crate::dialogue::story::Do::{Hear, Say};
use crate::dialogue::story::{Do, story};

// Every byte is written by hand from ASHRAE 135-2020: annex J.2, clauses 6.2, 15.5 and 20.1.

fn asked(instance: Option<u32>) -> Questions {
    Questions { instance, route: None }
}

fn check(asked: &Questions, script: &[Do], expected: &[&str]) {
    assert_eq!(story(asked, Over::Udp, script).0, expected);
}

const NO_PROPERTY: [&str; 6] = [
    "810a000d 0100 50010c 9102 9120",
    "810a000d 0100 50020c 9102 9120",
    "810a000d 0100 50030c 9102 9120",
    "810a000d 0100 50040c 9102 9120",
    "810a000d 0100 50050c 9102 9120",
    "810a000d 0100 50060c 9102 9120",
];

const ASKED: &str = "asked bacnet.read_property 17";

#[test]
fn each_property_is_one_question() {
    check(
        &asked(Some(7)),
        &[
            Hear("810a0011 0104 0005010c 0c02000007 1979"),
            Say("810a0017 0100 30010c 0c02000007 1979 3e 740041636d 3f"),
            Hear("810a0011 0104 0005020c 0c02000007 1946"),
            Say("810a0016 0100 30020c 0c02000007 1946 3e 73004d31 3f"),
            Hear("810a0011 0104 0005030c 0c02000007 192c"),
            Say("810a0017 0100 30030c 0c02000007 192c 3e 7400312e32 3f"),
            Hear("810a0011 0104 0005040c 0c02000007 190c"),
            Say(NO_PROPERTY[3]),
            Hear("810a0011 0104 0005050c 0c02000007 194d"),
            Say(NO_PROPERTY[4]),
            Hear("810a0012 0104 0005060c 0c02000007 1a0174"),
            Say(NO_PROPERTY[5]),
        ],
        &[
            ASKED,
            "read bacnet.read_property whole: bacnet.device.vendor_name=Acm",
            ASKED,
            "read bacnet.read_property whole: bacnet.device.model_name=M1",
            ASKED,
            "read bacnet.read_property whole: bacnet.device.firmware_revision=1.2",
            ASKED,
            ASKED,
            "asked bacnet.read_property 18",
            "answered",
        ],
    );
}

#[test]
fn a_device_without_a_vendor_name_is_asked_for_its_number_once() {
    let script = [
        Hear("810a0011 0104 0005010c 0c02000007 1979"),
        Say(NO_PROPERTY[0]),
        Hear("810a0011 0104 0005020c 0c02000007 1978"),
        Say("810a0009 0100 600209"),
    ];
    check(&asked(Some(7)), &script, &[ASKED, ASKED, "answered, 5 not put"]);
}

#[test]
fn where_no_instance_is_known_the_device_says_its_own_first() {
    let script = [Hear("810a0011 0104 0005010c 0c023fffff 194b"), Say("810a000d 0100 50010c 9101 911f")];
    check(&asked(None), &script, &[ASKED, "answered, 6 not put"]);
}

#[test]
fn an_answer_to_another_question_does_not_count() {
    let late = "stray: bacnet: byte 0: invoke id of the question that waits (ASHRAE 135, 20.1.5.4)";
    let request = "stray: bacnet: byte 0: an answer to a confirmed request (ASHRAE 135, 20.1)";
    let script = [
        Hear("810a0011 0104 0005010c 0c02000007 1979"),
        Say("810a0017 0100 30090c 0c02000007 1979 3e 740041636d 3f"),
        Say("810a0008 0100 1008"),
        Say("00"),
        Say("810a0017 0100 30010c 0c02000007 192c 3e 740041636d 3f"),
        Say("810a0017 0100 30010c 0c02000008 1979 3e 740041636d 3f"),
        Say("810a0017 0100 30010c 0c02000007 1979 3e 740041"),
        Say("810a0009 0100 700104"),
    ];
    let cut = |had: usize| format!("stray: bacnet: byte {had}: 1 bytes needed, 0 there (a datagram holds a whole message)");
    let other = "stray: bacnet: byte 0: object and property of the question that waits (ASHRAE 135, 15.5)";
    check(&asked(Some(7)), &script, &[ASKED, late, request, &cut(1), other, other, &cut(20), "answered, 5 not put"]);
}

#[test]
fn a_silent_device_is_asked_once() {
    let script = [Hear("810a0011 0104 0005010c 0c02000007 1979")];
    check(&asked(Some(7)), &script, &[ASKED, "no whole answer within the time-out (0 bytes of one)"]);
}
