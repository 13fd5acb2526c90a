use super::*;
use crate::language::Carrier::{self, Tcp, Udp};
use crate::rehearsal::rehearse;
use crate::story::{check, hex};

fn identity(slot: u8) -> Identity {
    Identity {
        vendor: 1,
        device_type: 0x0E,
        product_code: 0x0036,
        revision: (20 + slot, 11),
        condition: 0x3160,
        serial: 0x006C_061A,
        name: b"1756-L61/B LOGIX5561".to_vec(),
        state: 0xFF,
    }
}

fn chassis() -> Persona {
    Persona { handle: 0x1122_3344, ..Persona::new(identity(0)).with_slots([(0, identity(0)), (2, identity(2))]) }
}

const LIST: &str = "63 00 00 00 00 00 00 00 00 00 00 00 61 62 63 64 65 66 67 68 00 00 00 00";
const REGISTER: &str = "65 00 04 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 01 00 00 00";
const UNREGISTER: &str = "66 00 00 00 44 33 22 11 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00";

/// SendRRData in the session with Unconnected_Send of this message by this route.
fn send(embedded: &str, route: &str) -> String {
    let embedded = hex(embedded);
    let pad = if embedded.len() % 2 == 0 { "" } else { "00" };
    let body = [&hex("52 02 20 06 24 01 0A 05"), &[embedded.len() as u8, 0][..], &embedded, &hex(pad), &hex(route)].concat();
    let items = [&hex("00 00 00 00 05 00 02 00 00 00 00 00 B2 00"), &[body.len() as u8, 0][..], &body].concat();
    let head = [&hex("6F 00"), &[items.len() as u8, 0][..], &hex("44 33 22 11 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00")].concat();
    [head, items].concat().iter().map(|byte| format!("{byte:02x}")).collect()
}

const ALL: &str = "01 02 20 01 24 01";

#[test]
fn list_identity_is_as_the_standard_lays_it_out() {
    let expected = "63 00 3C 00 00 00 00 00 00 00 00 00 61 62 63 64 65 66 67 68 00 00 00 00 \
                    01 00 0C 00 36 00 01 00 00 02 AF 12 7F 00 00 01 00 00 00 00 00 00 00 00 \
                    01 00 0E 00 36 00 14 0B 60 31 1A 06 6C 00 14";
    let expected = [hex(expected), b"1756-L61/B LOGIX5561\xFF".to_vec()].concat();
    for over in [Udp, Tcp] {
        let heard = rehearse(&chassis(), over, &[hex(LIST)]);
        assert_eq!((heard.answers(), heard.trips.len()), (vec![expected.clone()], 0), "{over:?}");
    }
}

#[test]
fn a_slot_is_read_in_a_session_and_an_empty_one_says_so() {
    let single = "0E 03 20 01 24 01 30 04";
    let questions = [REGISTER.into(), send(ALL, "01 00 01 02"), send(single, "01 00 01 02"), send(ALL, "01 00 01 05"), UNREGISTER.into()];
    let persona = Persona { declared: [0, 2, 5].into(), ..chassis() };
    let heard = rehearse(&persona, Tcp, &questions.map(|question| hex(&question)));
    assert_eq!(heard.trips, []);
    let answers = heard.answers();
    let behind_items = |at: usize| answers[at].get(24 + 16..).expect("items");
    assert_eq!(answers.len(), 4, "a goodbye has no answer");
    assert_eq!(
        behind_items(1),
        [hex("81 00 00 00 01 00 0E 00 36 00 16 0B 60 31 1A 06 6C 00 14"), b"1756-L61/B LOGIX5561".to_vec()].concat()
    );
    assert_eq!(behind_items(2), hex("8E 00 00 00 16 0B"));
    assert_eq!(behind_items(3), hex("D2 00 01 01 12 03 01"));
}

#[test]
fn a_module_without_get_attributes_all_says_so() {
    let persona = Persona { only_singles: [2].into(), ..chassis() };
    let heard = rehearse(&persona, Tcp, &[hex(REGISTER), hex(&send(ALL, "01 00 01 02")), hex(UNREGISTER)]);
    assert!(heard.answers()[1].ends_with(&hex("81 00 08 00")));
}

#[test]
fn all_else_trips() {
    let in_session = |question: String| vec![REGISTER.to_owned(), question, UNREGISTER.to_owned()];
    let alone = |question: &str| vec![question.to_owned()];
    let table: &[(&str, Carrier, Vec<String>, &[&str])] = &[
        ("list services", Tcp, alone("04 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00"), &["allowlist"]),
        ("send unit", Tcp, alone("70 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00"), &["allowlist"]),
        ("a session by datagrams", Udp, alone(REGISTER), &["allowlist"]),
        ("a second datagram", Udp, vec![LIST.to_owned(), LIST.to_owned()], &["more questions"]),
        ("a cut datagram", Udp, alone("63 00 00"), &["cut off"]),
        ("no goodbye", Tcp, alone(REGISTER), &["not unregistered"]),
        ("no session", Tcp, vec![send(ALL, "01 00 01 02")], &["outside the session"]),
        ("a second session", Tcp, vec![REGISTER.to_owned(), REGISTER.to_owned(), UNREGISTER.to_owned()], &["the one RegisterSession"]),
        ("a write", Tcp, in_session(send("10 03 20 01 24 01 30 07 00 00", "01 00 01 02")), &["embedded service"]),
        ("a reset", Tcp, in_session(send("05 02 20 01 24 01", "01 00 01 02")), &["embedded service"]),
        ("another class", Tcp, in_session(send("01 02 20 02 24 01", "01 00 01 02")), &["embedded service"]),
        ("attribute 8", Tcp, in_session(send("0E 03 20 01 24 01 30 08", "01 00 01 02")), &["attribute"]),
        ("a slot of nobody", Tcp, in_session(send(ALL, "01 00 01 03")), &["declared"]),
        ("another port", Tcp, in_session(send(ALL, "01 00 02 02")), &["route"]),
        ("a route of two", Tcp, in_session(send(ALL, "02 00 01 02 01 02")), &["route"]),
        ("garbage", Tcp, alone("47 45 54 20 2F 20 48 54 54 50 2F 31 2E 31 0D 0A 0D 0A 20 20 20 20 20 20"), &["no encapsulation"]),
    ];
    for (what, over, questions, expected) in table {
        let questions: Vec<Vec<u8>> = questions.iter().map(|question| hex(question)).collect();
        check(what, &chassis(), *over, &questions, expected);
    }
}
