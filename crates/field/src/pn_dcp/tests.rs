//! The answer has the blocks of a public capture (ProfinetIO-DoS-attack set_attack.pcap, frame 2: an ET200SP's to an Identify), as a Get's.

use super::*;
use crate::dialogue::script::{Do, story};
use Do::Wait;
use nameplate_wire::conversation::{Kind, Over};

const ASKED: &str = "fefd 0300 01020304 0000 0012 0101 0102 0201 0202 0203 0204 0206 0207 0208";
const BLOCKS: &str = "0202 0009 0000 65743230307370 00 0205 0004 0000 0207 0201 0009 0000 45543230305350 00 0203 0006 0000 002a 0313
    0204 0004 0000 0100 0207 0004 0000 0001 0102 000e 0001 c0a8010e ffffff00 c0a8010e";
const READ: &str = "read pn-dcp.get whole: pn-dcp.name=et200sp pn-dcp.station=ET200SP pn-dcp.vendor=\\x00* pn-dcp.device=\\x03\\x13 \
    pn-dcp.role=\\x01 pn-dcp.instance=\\x00\\x01 pn-dcp.ip.address=\\xc0\\xa8\\x01\\x0e pn-dcp.ip.mask=\\xff\\xff\\xff\\x00 \
    pn-dcp.ip.gateway=\\xc0\\xa8\\x01\\x0e";
const STRAY: &str = "stray: pn-dcp: byte 2: answer to the Get that waits: service, transaction (IEC 61158-6-10, 4.3.1.3)";
const TWICE: &str = "stray: pn-dcp: byte 4: a Get is answered once (IEC 61158-6-10, 4.3.1.3)";
const GET: &str = "asked pn-dcp.get";
const SILENT: &str = "no whole answer within the time-out (0 bytes of one)";

fn told(transaction: &str) -> Do {
    Do::Say(format!("fefd 0301 {transaction} 0000 0050 {BLOCKS}"))
}

fn check(script: Vec<Do>, expected: &[&str]) -> Duration {
    let asked = Questions { consent: Some("A. Owner".to_owned()), transaction: Some(0x0102_0304) };
    let over = Over::Link(Kind::Ethertype(pn_dcp::ETHERTYPE));
    let (lines, took) = story(&asked, over, &[Do::Hear(ASKED.to_owned())].into_iter().chain(script).collect::<Vec<_>>());
    assert_eq!(lines, expected);
    took
}

#[test]
fn a_station_is_asked_once_and_left_alone_for_three_seconds() {
    assert_eq!(check(vec![Wait(40), told("01020304")], &[GET, READ, "answered"]).as_millis(), 3_040);
    assert_eq!(check(vec![], &[GET, SILENT]).as_millis(), 3_000, "it may be bound all the same");
}

#[test]
fn what_is_no_answer_is_passed_over() {
    check(vec![told("01020305"), Wait(1), told("01020304")], &[GET, STRAY, READ, "answered"]);
    check(vec![told("01020304"), Wait(1), told("01020304")], &[GET, READ, TWICE, "answered"]);
    let set = "fefd 0401 01020304 0000 0008 0504 0003 0202 00 00";
    check(vec![Do::Say(set.to_owned())], &[GET, STRAY, SILENT]);
}

#[test]
fn a_station_that_does_not_know_get_says_so() {
    check(vec![Do::Say("fefd 0305 01020304 0000 0000".to_owned())], &[GET, "answered"]);
}

#[test]
fn a_flood_ends_it() {
    let flood: Vec<Do> = (0..20).flat_map(|_| [told("01020304"), Wait(1)]).collect();
    let mut expected = vec![GET, READ];
    expected.extend([TWICE; 9]);
    expected.push("hostile: it sends messages that nobody asked for");
    check(flood, &expected);
}

#[test]
fn a_cut_frame_says_nothing() {
    let whole: String = format!("fefd 0301 01020304 0000 0050 {BLOCKS}").split_whitespace().collect();
    for cut in (2..whole.len()).step_by(2) {
        let asked = Questions { consent: None, transaction: Some(0x0102_0304) };
        let script = [Do::Hear(ASKED.to_owned()), Do::Say(whole[..cut].to_owned())];
        let (lines, _) = story(&asked, Over::Link(Kind::Ethertype(pn_dcp::ETHERTYPE)), &script);
        assert!(lines.len() == 3 && lines[1].starts_with("stray: pn-dcp: ") && lines[2] == SILENT, "{cut}: {lines:?}");
    }
}
