use super::*;
use crate::language::Carrier::Tcp;
use crate::rehearsal::rehearse;
use crate::story::{check, hex};

fn cpu() -> Persona {
    let module = |index, version| Module { index, order_number: b"6ES7 315-2EH14-0AB0".to_vec(), kind: 0x00C0, version };
    let components = [(1, b"SIMATIC 300(1)".to_vec()), (2, b"CPU 315-2 PN/DP".to_vec()), (5, b"S C-X4U421302009".to_vec())];
    let filled = (6..12).map(|index| (index, b"x".to_vec()));
    Persona::new([module(1, [0, 4, 0, 1]), module(7, *b"V\x03\x02\x06")], components.into_iter().chain(filled))
}

// As nmap's s7-info sends them, but for the TSAP: S7 basic, rack 0, slot 2.
const CALL: &str = "03000016 11 E0 0000 0014 00 C1020100 C2020302 C0010A";
const SETUP: &str = "03000019 02F080 32010000000000080000 F0000001000101E0";
const SZL_11: &str = "03000021 02F080 32070000000000080008 0001120411440100 FF090004 00110001";
const SZL_1C: &str = "03000021 02F080 32070000000000080008 0001120411440100 FF090004 001C0000";
const MORE: &str = "03000021 02F080 320700000001000C0004 000112081244010200000000 0A000000";

#[test]
fn a_list_comes_as_public_captures_show_it() {
    let heard = rehearse(&cpu(), Tcp, &[CALL, SETUP, SZL_11].map(hex));
    assert_eq!(heard.trips, []);
    let [confirm, setup, list] = heard.answers().try_into().expect("three answers");
    assert_eq!(confirm, hex("03000016 11 D0 0014 0006 00 C0010A C1020100 C2020302"));
    assert_eq!(setup, hex("0300001B 02F080 320300000000000800000000 F0000001000100F0"));
    let expected = [
        hex("03000061 02F080 320700000000000C0044 000112081284010100000000 FF090040 00110001 001C 0002 0001"),
        b"6ES7 315-2EH14-0AB0 \x00\xC0\x00\x04\x00\x01\x00\x07".to_vec(),
        b"6ES7 315-2EH14-0AB0 \x00\xC0V\x03\x02\x06".to_vec(),
    ];
    assert_eq!(list, expected.concat());
}

#[test]
fn a_long_list_comes_in_fragments_that_are_all_fetched() {
    let persona = Persona { consents_to_001c: true, ..cpu() };
    let heard = rehearse(&persona, Tcp, &[CALL, SETUP, SZL_11, SZL_1C, MORE].map(hex));
    assert_eq!(heard.trips, []);
    let answers = heard.answers();
    let parts: Vec<(&[u8], usize)> = answers[3..].iter().map(|part| (&part[24..27], part.len() - 33)).collect();
    // Sequence, unit, whether more follows; then so many bytes of the list: 8 and 9 records of 34.
    assert_eq!(parts, [(&[2, 1, 1][..], 214), (&[2, 2, 0][..], 8 + 9 * 34 - 214)]);
    check("left in the middle", &persona, Tcp, &[CALL, SETUP, SZL_1C].map(hex), &["not all fragments"]);
}

#[test]
fn an_endless_list_never_ends() {
    let persona = Persona { endless: Some(More::Rising), ..cpu() };
    let more = MORE.replace("010200000000 0A", "010100000000 0A");
    let heard = rehearse(&persona, Tcp, &[CALL, SETUP, SZL_11, &more, &more, &more].map(hex));
    assert_eq!(heard.trips, []);
    assert!(heard.answers()[2..].iter().all(|part| part[26] == 1));
}

#[test]
fn a_list_that_is_not_there_is_an_error_code() {
    let bare = Persona { lists: BTreeMap::new(), ..cpu() };
    let heard = rehearse(&bare, Tcp, &[CALL, SETUP, SZL_11].map(hex));
    assert!(heard.answers()[2].ends_with(&hex("01 00 00 D401 0A000000")));
}

#[test]
fn all_else_trips() {
    let in_session = |question: &str| [CALL, SETUP, question].map(str::to_owned).to_vec();
    let defect = Persona { defect_on_001c: true, consents_to_001c: true, ..cpu() };
    check("a defect", &defect, Tcp, &[CALL, SETUP, SZL_1C, SZL_11].map(hex), &["001C", "defective", "not all fragments"]);
    let other_slot = CALL.replace("0302", "0303");
    let refused = rehearse(&cpu(), Tcp, &[hex(&other_slot)]);
    assert_eq!((refused.answers(), refused.trips), (vec![hex("0300000B 06 80 0014 0000 03")], vec![]));
    let write = "03000024 02F080 3201000000000 00E0005 0501120A10020001000184000000 00040008 01";
    let table: &[(&str, Vec<String>, &[&str])] = &[
        ("as a programming device", vec![CALL.replace("0302", "0102")], &["basic"]),
        ("as an operator's panel", vec![CALL.replace("0302", "0202")], &["basic"]),
        ("another list", in_session(&SZL_11.replace("00110001", "01310001")), &["list or index"]),
        ("another index", in_session(&SZL_11.replace("00110001", "00110006")), &["list or index"]),
        ("001C", in_session(SZL_1C), &["001C", "not all fragments"]),
        ("stop", in_session("03000021 02F080 3201000000000010000029 0000000000 09505F50524F4752414D"), &["allowlist"]),
        ("write", in_session(write), &["allowlist"]),
        ("the clock", in_session(&SZL_11.replace("1144", "1147")), &["allowlist"]),
        ("a fragment of nothing", in_session(MORE), &["none left"]),
        ("no setup", vec![CALL.to_owned(), SZL_11.to_owned()], &["setup"]),
        ("a second call", vec![CALL.to_owned(), CALL.to_owned()], &["due here"]),
        ("seven questions", [CALL, SETUP, SZL_11, SZL_11, SZL_11, SZL_11, SZL_11].map(str::to_owned).to_vec(), &["more questions"]),
        ("garbage", vec!["47455420".to_owned()], &["no TPKT"]),
    ];
    for (what, questions, expected) in table {
        let questions: Vec<Vec<u8>> = questions.iter().map(|question| hex(question)).collect();
        check(what, &cpu(), Tcp, &questions, expected);
    }
}
