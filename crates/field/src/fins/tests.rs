//! Answers: ITI ICS-Security-Tools (CC-BY-4.0 list), pcaps/omron/omron_test.pcap, frames 7, 9 and 18 (a CP1L), with our unit and service id.

use nameplate_wire::conversation::Over;

use super::*;
use crate::dialogue::story::Do::{self, Close, Drip, Hear, Say};
use crate::dialogue::story::story;

const ASK_NODE: &str = "46494e53 0000000c 00000000 00000000 00000000";
const TELL_NODE: &str = "46494e53 00000010 00000001 00000000 000000fb 000000c8";
const ASK_TCP: &str = "46494e53 00000015 00000002 00000000 80 00 02 00 c8 00 00 fb 00 01 0501 00";
const CP1L_TCP: &str = "46494e53 00000072 00000002 00000000 c0 00 02 00 fb 00 00 c8 00 01 0501 0000 \
    4350314c2d454c323044522d440000002020202030312e3030000000000030312e30360000000000000000000000 \
    00000000000000000000000000010000000000000000000000000000000000010003000a172a1008000000000000";
const ASK_UDP: &str = "80 00 02 00 00 00 00 63 00 01 0501 00";
const CP1L_UDP: &str = "c0 00 02 00 63 00 00 c8 00 01 0501 0000 \
    4350314c2d454c323044522d440000002020202030312e3030000000000030312e30360000000000000000000000 \
    00000000000000000000000000010000000000000000000000000000000000010003000a172a1008000000000000";
const NODE: &str = "asked fins.node_address 20";
const CONTROLLER: &str = "asked fins.controller 29";
const DATAGRAM: &str = "asked fins.controller 13";

fn check(node: Option<u8>, script: &[Do], expected: &[&str]) {
    let asked = Questions { node };
    assert_eq!(story(&asked, asked.over(), script).0, expected);
}

const READ: &str = "read fins.controller whole: fins.controller.model=CP1L-EL20DR-D fins.controller.version=01.00 \
    fins.controller.internal_version=01.06 fins.controller.area=\\x00\\n\\x17*\\x10\\x08\\x00\\x00\\x00\\x00\\x00\\x00";

#[test]
fn over_tcp_the_controller_gives_the_node_addresses() {
    check(None, &[Hear(ASK_NODE), Say(TELL_NODE), Hear(ASK_TCP), Say(CP1L_TCP)], &[NODE, CONTROLLER, READ, "answered"]);
    check(None, &[Hear(ASK_NODE), Drip(5, TELL_NODE), Hear(ASK_TCP), Drip(5, CP1L_TCP)], &[NODE, CONTROLLER, READ, "answered"]);
}

#[test]
fn over_udp_the_plant_gives_our_node_address() {
    check(Some(0x63), &[Hear(ASK_UDP), Say(CP1L_UDP)], &[DATAGRAM, READ, "answered"]);
    for node in [0, 255] {
        assert_eq!(Questions { node: Some(node) }.grant().err().map(|refused| refused.rule), Some("permit.node"));
    }
}

#[test]
fn a_controller_without_room_is_asked_no_more() {
    // All connections are in use; the client's address is in use.
    for error in ["20", "23"] {
        let refused: &'static str = if error == "20" {
            "46494e53 00000010 00000001 00000020 00000000 00000000"
        } else {
            "46494e53 00000010 00000001 00000023 00000000 00000000"
        };
        check(None, &[Hear(ASK_NODE), Say(refused)], &[NODE, "answered, 1 not put"]);
    }
    let cannot = "46494e53 00000008 00000003 00000003";
    check(None, &[Hear(ASK_NODE), Say(TELL_NODE), Hear(ASK_TCP), Say(cannot)], &[NODE, CONTROLLER, "answered"]);
    // End code 0401: the command is not known.
    check(Some(0x63), &[Hear(ASK_UDP), Say("c0 00 02 00 63 00 00 c8 00 01 0501 0401")], &[DATAGRAM, "answered"]);
}

#[test]
fn what_belongs_to_another_question_is_passed_over() {
    let node = "stray: fins: byte 4: node that asked (W227 2-1)";
    let service = "stray: fins: byte 9: service id of the question that waits (W227 2-1)";
    let command = "stray: fins: byte 10: command of the question that waits (W227 2-1)";
    let header = "stray: fins: byte 0: header of an answer (W227 2-1)";
    let short = "stray: fins: byte 0: 14 bytes needed, 3 there (header of an answer (W227 2-2))";
    let silent = "no whole answer within the time-out (0 bytes of one)";
    for (message, stray) in [
        ("c0 00 02 00 64 00 00 c8 00 01 0501 0000", node),
        ("c0 00 02 00 63 00 00 c8 00 02 0501 0000", service),
        ("c0 00 02 00 63 00 00 c8 00 01 0101 0000", command),
        ("80 00 02 00 63 00 00 c8 00 01 0501 0000", header),
        ("c0 00 02", short),
    ] {
        check(Some(0x63), &[Hear(ASK_UDP), Say(message)], &[DATAGRAM, stray, silent]);
    }
    let envelope = "stray: fins: byte 8: command that answers the question that waits (W421 7-4-2)";
    let script = [Hear(ASK_NODE), Say(TELL_NODE), Hear(ASK_TCP), Say(TELL_NODE), Say(CP1L_TCP)];
    check(None, &script, &[NODE, CONTROLLER, envelope, READ, "answered"]);
}

#[test]
fn what_is_no_answer_keeps_nobody() {
    let silent = "no whole answer within the time-out (0 bytes of one)";
    check(None, &[Hear(ASK_NODE)], &[NODE, silent]);
    check(None, &[Hear(ASK_NODE), Close], &[NODE, "the device closed the connection (0 bytes of an answer)"]);
    let garbage = "hostile: its bytes are no fins: fins: byte 0: a message starts with FINS (W421 7-4-2) (4 bytes)";
    check(None, &[Hear(ASK_NODE), Say("48545450")], &[NODE, garbage]);
    let huge = "hostile: its bytes are no fins: fins: byte 4: length is 8 to 2020 (W421 7-4-2) (16 bytes)";
    check(None, &[Hear(ASK_NODE), Say("46494e53 7fffffff 00000001 00000000")], &[NODE, huge]);
    check(None, &[Hear(ASK_NODE), Say("46494e53 00000000 00000001 00000000")], &[NODE, huge]);
    let broadcast = "stray: fins: byte 16: node addresses from 1 to 254 (W421 7-4-2)";
    check(None, &[Hear(ASK_NODE), Say("46494e53 00000010 00000001 00000000 000000ff 000000c8")], &[NODE, broadcast, silent]);
    let script: Vec<Do> = [Hear(ASK_NODE)].into_iter().chain((0..40).map(|_| Say("46494e53 00000008 00000006 00000000"))).collect();
    let (lines, _) = story(&Questions::default(), Over::Tcp, &script);
    assert_eq!(lines.last().map(String::as_str), Some("hostile: it sends messages that nobody asked for"));
}
