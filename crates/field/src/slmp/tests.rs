//! The device's bytes are written by hand from SH-080956ENG, 4.3 and 5.2.

use nameplate_wire::conversation::Over::{self, Tcp, Udp};

use super::*;
use crate::ask::{Ask, Via, plan};
use crate::dialogue::story::Do::{self, Close, Hear, Say};
use crate::dialogue::story::{story, unhex};
use crate::guard::Endpoint;

const ASKED: &str = "5000 00 ff ff03 00 0600 0800 0101 0000";
const ANSWER: &str = "d000 00 ff ff03 00 1400 0000 51303255435055202020202020202020 6302";
const READ: &str = "read slmp.type_name whole: slmp.cpu.model=Q02UCPU slmp.cpu.code=c\\x02";
const PUT: &str = "asked slmp.type_name 15";

fn told(over: Over, script: &[Do], expected: &[&str]) {
    assert_eq!(story(&Questions, over, script).0, [&[PUT], expected].concat());
}

#[test]
fn one_message_tells_the_model() {
    for over in [Tcp, Udp] {
        told(over, &[Hear(ASKED), Say(ANSWER)], &[READ, "answered"]);
    }
}

#[test]
fn an_end_code_is_an_answer() {
    let refused = "d000 00 ff ff03 00 0b00 59c0 00 ff ff03 00 0101 0000";
    told(Tcp, &[Hear(ASKED), Say(refused)], &["read slmp.type_name whole: slmp.end_code=Y\\xc0", "answered"]);
}

#[test]
fn an_answer_to_somebody_else_does_not_count() {
    let table = [
        ("d400 3412 0000 00 ff ff03 00 0200 0000", "stray: slmp: byte 0: a binary 3E frame with an answer (4.3)"),
        (ASKED, "stray: slmp: byte 0: a binary 3E frame with an answer (4.3)"),
        ("d000 01 02 ff03 00 0200 0000", "stray: slmp: byte 2: route of the station that was asked (4.3)"),
    ];
    for (stray, why) in table {
        told(Tcp, &[Hear(ASKED), Say(stray), Say(ANSWER)], &[why, READ, "answered"]);
        told(Tcp, &[Hear(ASKED), Say(stray)], &[why, "no whole answer within the time-out (0 bytes of one)"]);
    }
    let script: Vec<Do> = std::iter::once(Hear(ASKED)).chain((0..20).map(|_| Say(table[2].0))).collect();
    let (lines, _) = story(&Questions, Tcp, &script);
    assert_eq!(lines.last().map(String::as_str), Some("hostile: it sends messages that nobody asked for"));
}

#[test]
fn a_second_answer_is_not_read() {
    told(Tcp, &[Hear(ASKED), Say(ANSWER), Say(ANSWER)], &[READ, "answered"]);
}

#[test]
fn bytes_that_are_no_slmp_are_hostile() {
    for bytes in ["474554202f", "d000 00 ff ff03 00 ffff", "d000 00 ff ff03 00 0000", "d000 00 ff ffff 00 0200"] {
        let (lines, _) = story(&Questions, Tcp, &[Hear(ASKED), Say(bytes)]);
        let end = lines.last().expect("an end");
        assert!(
            end.starts_with("hostile: its bytes are no slmp") && end.ends_with(&format!("({} bytes)", unhex(bytes).len())),
            "{lines:?}"
        );
    }
}

#[test]
fn a_device_may_close_anywhere() {
    let answer = unhex(ANSWER);
    for cut in 0..answer.len() {
        let digits: String = answer[..cut].iter().map(|byte| format!("{byte:02x}")).collect();
        told(Tcp, &[Hear(ASKED), Say(digits.leak()), Close], &[&format!("the device closed the connection ({cut} bytes of an answer)")]);
    }
    told(Tcp, &[Hear(ASKED)], &["no whole answer within the time-out (0 bytes of one)"]);
}

#[test]
fn what_is_planned_passes_the_guard() {
    for endpoint in [Endpoint::Tcp(([192, 0, 2, 7], 5007).into()), Endpoint::Udp(([192, 0, 2, 7], 5007).into())] {
        let planned = plan(&[Ask { endpoint, via: Via::Slmp(Questions) }]).expect("the guard lets it pass");
        assert_eq!(planned.iter().map(|one| one.meaning.len()).collect::<Vec<_>>(), [15]);
    }
}
