use super::*;
use crate::language::Carrier::Tcp;
use crate::language::Language;
use crate::rehearsal::rehearse;
use crate::story::{check, hex};

fn relay() -> Persona {
    Persona::new([(242, b"R112-V3".to_vec()), (248, b"3001".to_vec()), (250, b"REC".to_vec()), (252, b"Acme".to_vec())])
}

/// A question of master 1 to outstation 10: link header, transport C0, then this.
fn ask(application: &str) -> Vec<u8> {
    link::frame(0xC4, 10, 1, &[hex("C0"), hex(application)].concat())
}

const FIVE: &str = "C1 01 00FC000000 00FA000000 00F8000000 00F2000000";

/// The application part of the answers' segments, without checks: these are the link's own tests' matter.
fn application(frames: &[Vec<u8>]) -> Vec<Vec<u8>> {
    frames.iter().map(|frame| link::Frame::read(frame).expect("sound").data).collect()
}

#[test]
fn a_frame_has_the_checksums_of_a_public_capture() {
    // ITI/ICS-Security-Tools, pcaps/openics/DNP3-Read.pcap: READ of class 1 from master 4 to outstation 3.
    assert_eq!(link::frame(0xC4, 3, 4, &hex("C1C1013C0206")), hex("0564 0BC4 0300 0400 EF7A C1C1013C0206 B576"));
    let long = link::frame(0x44, 1, 10, &[7; 40]);
    assert_eq!((link::frame_bytes(&long), link::seal(&long)), (Some(long.len()), long.clone()));
}

#[test]
fn attributes_come_one_by_one_and_all_at_once() {
    let heard = rehearse(&relay(), Tcp, &[ask("C0 01 00FE000000"), ask(FIVE), ask("C2 01 00FC000000"), ask("C3 01 00F3000000")]);
    assert_eq!(heard.trips, []);
    let told = application(&heard.answers());
    let attribute = |variation: &str, text: &str| [hex(variation), text.as_bytes().to_vec()].concat();
    let (software, serial) = (attribute("00F2000000 0107", "R112-V3"), attribute("00F8000000 0104", "3001"));
    let (product, maker) = (attribute("00FA000000 0103", "REC"), attribute("00FC000000 0104", "Acme"));
    assert_eq!(told[0], [hex("C0 C0 81 0000"), software.clone(), serial.clone(), product.clone(), maker.clone()].concat());
    assert_eq!(told[1], [hex("C1 C1 81 0000"), maker.clone(), product, serial, software].concat());
    assert_eq!(told[2], [hex("C2 C2 81 0000"), maker].concat());
    assert_eq!(told[3], hex("C3 C3 81 0002"), "unknown");
}

#[test]
fn outstations_have_their_ways() {
    let no_identity = Persona { attributes: BTreeMap::new(), indications: (0x90, 0), ..relay() };
    assert_eq!(application(&rehearse(&no_identity, Tcp, &[ask("C0 01 00FE000000")]).answers()), [hex("C0 C0 81 9002")]);
    let singly = Persona { takes_many_headers: false, knows_all_at_once: false, ..relay() };
    let heard = rehearse(&singly, Tcp, &[ask(FIVE), ask("C0 01 00FE000000")]);
    assert_eq!(application(&heard.answers()), [hex("C0 C1 81 0004"), hex("C1 C0 81 0002")]);
    let counted = Persona { header: Header::CountIndex, ..relay() };
    let heard = rehearse(&counted, Tcp, &[ask("C2 01 00FC000000")]);
    assert_eq!(application(&heard.answers()), [[hex("C0 C2 81 0000 00FC170100 0104"), b"Acme".to_vec()].concat()]);
    let short = Persona { fragment_bytes: 20, ..relay() };
    let heard = rehearse(&short, Tcp, &[ask("C0 01 00FE000000")]);
    assert_eq!(application(&heard.answers()), [[hex("C0 A0 81 0000 00F2000000 0107"), b"R112-V3".to_vec()].concat()]);
    let numbered = Value::Unsigned(300);
    assert_eq!(relay().object(241, &numbered), hex("00F1000000 02 02 2C01"));
    let long = Persona::new([(242, vec![b'x'; 250])]);
    let heard = rehearse(&long, Tcp, &[ask("C0 01 00FE000000")]);
    assert_eq!(application(&heard.answers()).iter().map(|data| (data[0], data.len())).collect::<Vec<_>>(), [(0x40, 250), (0x81, 13)]);
}

#[test]
fn a_null_unsolicited_answer_is_read_and_not_confirmed() {
    let unsolicited = |consents_to_confirm| Unsolicited { silent: Duration::from_secs(15), consents_to_confirm };
    let persona = Persona { unsolicited: Some(unsolicited(false)), asks_link_state: true, indications: (0x80, 0), ..relay() };
    let confirm = ask("D3 00");
    let heard = rehearse(&persona, Tcp, &[link::frame(0x8B, 10, 1, &[]), ask("C0 01 00FE000000")]);
    assert_eq!(heard.greeting, [link::frame(0x49, 1, 10, &[]), link::frame(0x44, 1, 10, &hex("C0 F3 82 8000"))]);
    assert_eq!((heard.answers(), heard.trips), (vec![], vec![]), "silent before its time-out");
    check("confirmed", &persona, Tcp, &[confirm.clone()], &["confirmation"]);
    let persona = Persona { unsolicited: Some(unsolicited(true)), ..persona };
    let heard = rehearse(&persona, Tcp, &[confirm.clone(), ask("C0 01 00FE000000")]);
    assert_eq!((heard.answers().len(), heard.trips), (1, vec![]));
    check("twice", &persona, Tcp, &[confirm.clone(), confirm], &["confirmation"]);
}

#[test]
fn an_endless_answer_has_no_last_fragment() {
    let persona = Persona { endless: Some(More::Rising), ..relay() };
    let told = application(&rehearse(&persona, Tcp, &[ask("C0 01 00FE000000")]).answers());
    assert_eq!(told.iter().take(3).map(|data| data[1]).collect::<Vec<_>>(), [0x80, 0x01, 0x02]);
    assert!(told.len() == 200 && told.iter().all(|data| data[1] & 0x40 == 0));
}

#[test]
fn all_else_trips() {
    for function in [0x02, 0x03, 0x05, 0x0D, 0x0E, 0x12, 0x14, 0x15, 0x17, 0x19, 0x21] {
        check("a function", &relay(), Tcp, &[ask(&format!("C0 {function:02x} 3C0206"))], &["not READ"]);
    }
    let to = |control: u8, to: u16, from: u16| link::frame(control, to, from, &hex("C0 C0 01 00FE000000"));
    let mut bad = ask("C0 01 00FE000000");
    bad[9] ^= 1;
    let table: &[(&str, Vec<Vec<u8>>, &[&str])] = &[
        ("a confirmation", vec![ask("C0 00")], &["confirmation"]),
        ("events", vec![ask("C0 01 3C0206")], &["group 0"]),
        ("the list of attributes", vec![ask("C0 01 00FF000000")], &["attribute"]),
        ("all, twice", vec![ask("C0 01 00FE000000"), ask("C1 01 00FE000000")], &["second time"]),
        ("another qualifier", vec![ask("C0 01 00FE06")], &["group 0"]),
        ("a confirmation is wanted", vec![ask("E0 01 00FE000000")], &["control"]),
        ("in segments", vec![link::frame(0xC4, 10, 1, &hex("40 C0 01 00FE000000"))], &["segment"]),
        ("reset link", vec![link::frame(0xC0, 10, 1, &[])], &["link function"]),
        ("link state unasked", vec![link::frame(0x8B, 10, 1, &[])], &["link function"]),
        ("confirmed data", vec![to(0xF3, 10, 1)], &["link function"]),
        ("broadcast", vec![to(0xC4, 0xFFFF, 1)], &["broadcast"]),
        ("another address", vec![to(0xC4, 11, 1)], &["sweep"]),
        ("another master", vec![to(0xC4, 10, 2)], &["master address"]),
        ("a wrong checksum", vec![bad], &["checksums"]),
        ("seven readings", vec![ask("C0 01 00FC000000"); 7], &["more questions"]),
        ("garbage", vec![b"GET".to_vec()], &["no link frame"]),
    ];
    for (what, questions, expected) in table {
        check(what, &relay(), Tcp, questions, expected);
    }
    let layout = relay().layout(&[0; 20]);
    assert_eq!((layout.transaction, layout.unit), (Some(11), Some(6)));
}
