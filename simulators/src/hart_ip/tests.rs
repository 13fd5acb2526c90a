use super::*;
use crate::language::Carrier::{Tcp, Udp};
use crate::rehearsal::rehearse;
use crate::story::{check, hex};

/// The device of the public capture hart-ip.pcap (cisagov/icsnpp-hart-ip), but for what our persona leaves at 0.
fn transmitter() -> Persona {
    Persona {
        device_type: 0x264E,
        device_id: 0x0000D2,
        universal_revision: 7,
        device_revision: 4,
        software_revision: 1,
        hardware_revision: 1,
        manufacturer: 0x0026,
        distributor: 0x0026,
        profile: 0x84,
        tag: "FT-101".to_owned(),
        descriptor: "FLOW".to_owned(),
        date: [22, 11, 126],
        long_tag: b"wihartgw".to_vec(),
        refuses: BTreeMap::new(),
        listed: BTreeMap::new(),
    }
}

const INITIATE: &str = "01 00 00 00 0002 000D 00 00004E20";
const CLOSE: &str = "01 00 01 00 0005 0008";
const BY_POLL: &str = "01 00 03 00 0003 000D 02 00 00 00 02";
const LONG_TAG: &str = "01 00 03 00 0004 0011 82 264E0000D2 14 00 2C";

#[test]
fn answers_are_laid_out_as_in_the_public_capture() {
    for over in [Tcp, Udp] {
        let heard = rehearse(&transmitter(), over, &[INITIATE, BY_POLL, LONG_TAG, CLOSE].map(hex));
        assert_eq!(heard.trips, []);
        let [initiated, identity, tag, closed] = heard.answers().try_into().expect("four answers");
        assert_eq!(initiated, hex("01 01 00 00 0002 000D 00 00004E20"));
        let identity_told = "FE 264E 05 07 04 01 08 00 0000D2 05 00 0000 00 0026 0026 84";
        assert_eq!(identity[..identity.len() - 1], hex(&format!("01 01 03 00 0003 0025 06 00 00 18 00 00 {identity_told}")));
        assert_eq!(identity[8..].iter().fold(0, |sum, byte| sum ^ byte), 0, "the checksum");
        let head = hex("01 01 03 00 0004 0033 86 264E0000D2 14 22 00 00");
        assert_eq!(tag[..tag.len() - 1], [head, b"wihartgw".to_vec(), vec![0; 24]].concat());
        assert_eq!(closed, hex("01 01 01 00 0005 0008"));
    }
}

#[test]
fn six_bits_make_a_character() {
    // By hand: F 06, T 14, - 2D, 1 31: 000110 010100 101101 110001.
    assert_eq!(packed("FT-1", 8), hex("19 4B 71 82 08 20"));
    let command_13 = LONG_TAG.replace("14 00 2C", "0D 00 35");
    let heard = rehearse(
        &transmitter(),
        Tcp,
        &[INITIATE.to_owned(), LONG_TAG.replace("0004", "0003"), command_13, CLOSE.to_owned()].map(|q| hex(&q)),
    );
    assert_eq!(heard.trips, []);
    assert_eq!(heard.answers()[2][14..18], hex("0D 17 00 00"));
}

#[test]
fn a_command_that_it_does_not_know_is_refused() {
    let persona = Persona { refuses: [(20, 64)].into(), ..transmitter() };
    let heard = rehearse(&persona, Tcp, &[INITIATE, BY_POLL, LONG_TAG, CLOSE].map(hex));
    assert_eq!(heard.answers()[2], hex("01 01 03 00 0004 0013 86 264E0000D2 14 02 40 00 6A"));
}

#[test]
fn all_else_trips() {
    let close = CLOSE.replace("0005", "0004");
    let in_session = |question: &str| [INITIATE, question, &close].map(str::to_owned).to_vec();
    let primary = BY_POLL.replace("02 00 00 00 02", "02 80 00 00 82");
    let write = "01 00 03 00 0003 0012 82 264E0000D2 06 01 01 3E";
    let reset = "01 00 03 00 0003 0011 82 264E0000D2 2A 00 12";
    let poll_13 = BY_POLL.replace("02 00 00 00 02", "02 00 0D 00 0F");
    let table: &[(&str, Vec<String>, &[&str])] = &[
        ("as the primary", vec![INITIATE.replace("00 00004E20", "01 00004E20"), CLOSE.replace("0005", "0003")], &["secondary"]),
        ("for ten minutes", vec![INITIATE.replace("00004E20", "000927C0"), CLOSE.replace("0005", "0003")], &["20 s"]),
        ("the primary's address", in_session(&primary), &["primary"]),
        ("a write", in_session(write), &["with data"]),
        ("a reset", in_session(reset), &["command that is not"]),
        ("by poll address", in_session(&poll_13), &["short frame"]),
        ("another poll address", in_session(&BY_POLL.replace("02 00 00 00 02", "02 01 00 00 03")), &["sweep"]),
        ("another device", in_session(&LONG_TAG.replace("0004", "0003").replace("D2 14 00 2C", "D3 14 00 2D")), &["sweep"]),
        ("a wrong checksum", in_session(&BY_POLL.replace("00 00 02", "00 00 03")), &["checksum"]),
        ("keep alive", in_session("01 00 02 00 0003 0008"), &["message"]),
        ("direct", in_session("01 00 04 00 0003 0008"), &["message"]),
        ("left open", vec![INITIATE.to_owned()], &["not closed"]),
        ("without a session", vec![BY_POLL.to_owned()], &["outside a session"]),
        ("a number again", vec![INITIATE.to_owned(), CLOSE.replace("0005", "0002")], &["not the next"]),
        ("garbage", vec!["47455420".to_owned()], &["version 1"]),
    ];
    for (what, questions, expected) in table {
        let questions: Vec<Vec<u8>> = questions.iter().map(|question| hex(question)).collect();
        check(what, &transmitter(), Tcp, &questions, expected);
    }
}
