use super::*;
use crate::language::Carrier::Udp;
use crate::language::Language;
use crate::rehearsal::rehearse;
use crate::story::{check, hex};

fn switch() -> Persona {
    let entity = Entity { class: 3, software: b"6.1.0".to_vec(), model: b"MACH".to_vec(), ..Entity::default() };
    Persona::new(b"Acme", &[1, 3, 6, 1, 4, 1, 248, 14, 10], b"sw-1", 4_294_967_295).with_entities([(1, entity.clone()), (2, entity)])
}

/// A request written by hand: SEQUENCE { version, community "public", PDU { id, two numbers, names } }.
fn ask(version: u8, kind: u8, numbers: [u8; 2], names: &[&str]) -> Vec<u8> {
    let of = |tag: u8, content: Vec<u8>| [vec![tag, 0x81, content.len() as u8], content].concat();
    let list: Vec<u8> = names.iter().flat_map(|name| of(0x30, [of(6, hex(name)), vec![5, 0]].concat())).collect();
    let pdu = [hex("02 02 12 34 02 01"), vec![numbers[0]], hex("02 01"), vec![numbers[1]], of(0x30, list)].concat();
    of(0x30, [vec![2, 1, version, 4, 6], b"public".to_vec(), of(kind, pdu)].concat())
}

// By hand: 1.3 is 2B; 248 is 81 78.
const DESCRIPTION: &str = "2B 06 01 02 01 01 01 00";
const OBJECT_ID: &str = "2B 06 01 02 01 01 02 00";
const UP_TIME: &str = "2B 06 01 02 01 01 03 00";
const LOCATION: &str = "2B 06 01 02 01 01 06 00";
const SOFTWARE: &str = "2B 06 01 02 01 2F 01 01 01 01 0A";

#[test]
fn a_get_is_answered_as_x690_writes_it() {
    let heard = rehearse(&switch(), Udp, &[ask(1, 0xA0, [0, 0], &[DESCRIPTION, OBJECT_ID, UP_TIME])]);
    assert_eq!(heard.trips, []);
    let expected = "30 55 02 01 01 04 06 7075626C6963 A2 48 02 02 12 34 02 01 00 02 01 00 30 3C \
                    30 10 06 08 2B06010201010100 04 04 41636D65 \
                    30 15 06 08 2B06010201010200 06 09 2B060104018178 0E0A \
                    30 11 06 08 2B06010201010300 43 05 00FFFFFFFF";
    assert_eq!(heard.answers(), [hex(expected)]);
}

#[test]
fn version_1_gives_all_or_nothing() {
    let persona = Persona { listed: [vec![1, 3, 6, 1, 2, 1, 1, 6, 0]].into(), ..switch() };
    let heard = rehearse(&persona, Udp, &[ask(0, 0xA0, [0, 0], &[DESCRIPTION, LOCATION]), ask(1, 0xA0, [0, 0], &[LOCATION])]);
    assert_eq!(heard.trips, []);
    let answers = heard.answers();
    assert!(answers[0].ends_with(&hex("02 01 02 02 01 02 308120 30810D0681082B060102010101000500 30810D0681082B060102010106000500")));
    assert!(answers[1].ends_with(&hex("02 01 00 02 01 00 30 0E 300C06082B060102010106008000")));
}

#[test]
fn the_entity_table_is_read_column_by_column() {
    let heard = rehearse(&switch(), Udp, &[ask(1, 0xA1, [0, 0], &[SOFTWARE]), ask(1, 0xA5, [0, 3], &[SOFTWARE])]);
    assert_eq!(heard.trips, []);
    let answers = heard.answers();
    let row = |index: u8| [hex("30 15 06 0C 2B060102012F010101010A"), vec![index], hex("04 05 362E312E30")].concat();
    assert!(answers[0].ends_with(&row(1)));
    assert!(answers[1].windows(23).any(|window| window == row(2)));
    assert!(answers[1].ends_with(&hex("2B060102012F010101010B 01 04 00")), "the third is the next column's first");
}

#[test]
fn a_wrong_community_and_version_3_meet_silence() {
    let mut wrong = ask(1, 0xA0, [0, 0], &[DESCRIPTION]);
    wrong[8] = b'P';
    check("one wrong", &switch(), Udp, &[wrong.clone()], &[]);
    assert_eq!(rehearse(&switch(), Udp, &[wrong.clone()]).answers(), Vec::<Vec<u8>>::new());
    check("guessing", &switch(), Udp, &[wrong, ask(1, 0xA0, [0, 0], &[DESCRIPTION])], &["guessing"]);
    check("version 3", &switch(), Udp, &[hex("30 03 02 01 03")], &[]);
    let only_v2c = Persona { v1: false, ..switch() };
    assert_eq!(rehearse(&only_v2c, Udp, &[ask(0, 0xA0, [0, 0], &[DESCRIPTION])]).answers(), Vec::<Vec<u8>>::new());
}

#[test]
fn the_faults_change_the_fields_that_they_name() {
    let [answer] = rehearse(&switch(), Udp, &[switch().sample()]).answers().try_into().expect("one");
    let layout = switch().layout(&answer);
    assert_eq!((layout.protocol, layout.transaction, layout.length), (Some(4), Some(17), Some(1..2)), "{answer:02x?}");
}

#[test]
fn all_else_trips() {
    let set =
        hex("30 2B 02 01 01 04 06 7075626C6963 A3 1E 02 02 12 34 02 01 00 02 01 00 30 12 30 10 06 08 2B06010201010500 04 04 41636D65");
    let long: Vec<&str> = [DESCRIPTION; 11].to_vec();
    let table: &[(&str, Vec<u8>, &str)] = &[
        ("a write", set, "no GET"),
        ("a write without a value", ask(1, 0xA3, [0, 0], &[DESCRIPTION]), "PDU"),
        ("an inform", ask(1, 0xA6, [0, 0], &[DESCRIPTION]), "PDU"),
        ("a walk", ask(1, 0xA1, [0, 0], &["2B"]), "object"),
        ("the interfaces", ask(1, 0xA5, [0, 10], &["2B 06 01 02 01 02 02 01 02"]), "object"),
        ("column 3", ask(1, 0xA1, [0, 0], &["2B 06 01 02 01 2F 01 01 01 01 03"]), "object"),
        ("an object of nobody", ask(1, 0xA0, [0, 0], &[LOCATION]), "object"),
        ("eleven names", ask(1, 0xA0, [0, 0], &long), "more than ten"),
        ("eleven repetitions", ask(1, 0xA5, [0, 11], &[SOFTWARE]), "repetitions"),
        ("bulk in version 1", ask(0, 0xA5, [0, 1], &[SOFTWARE]), "version 1"),
        ("a byte behind it", [ask(1, 0xA0, [0, 0], &[DESCRIPTION]), vec![0]].concat(), "no GET"),
        ("garbage", b"GET / HTTP/1.1".to_vec(), "no GET"),
    ];
    for (what, question, expected) in table {
        let whys: Vec<&str> = rehearse(&switch(), Udp, std::slice::from_ref(question)).trips.iter().map(|trip| trip.why).collect();
        assert!(whys.iter().any(|why| why.contains(expected)), "{what}: {whys:?}");
    }
    let endless = Persona { endless: Some(More::Rising), ..switch() };
    check("65 rows", &endless, Udp, &vec![ask(1, 0xA5, [0, 10], &[SOFTWARE]); 2], &[]);
    let from = |row: u8| format!("{SOFTWARE} {row:02x}");
    let bulks: Vec<Vec<u8>> = (0..7).map(|page| ask(1, 0xA5, [0, 10], &[&from(page * 10 + 1)])).collect();
    check("70 rows", &endless, Udp, &bulks, &["64 rows"]);
}

/// RFC 3414, 4, by hand: who does not know the engine is told it, its clock, and which counter that was; a report of nobody's.
#[test]
fn who_does_not_know_the_engine_is_told_it() {
    let user = User { name: b"ot".to_vec(), auth: None, privacy: None };
    let engine = Engine { id: hex("8000000001"), users: vec![user] };
    let agent = Persona { engine, v1: false, v2c: false, ..switch() };
    let discovery = "303E 020103 3011 02044E500001 020300FFE3 040104 020103 0410 300E 0400 020100 020100 0400 0400 0400
        3014 0400 0400 A00E 02044E500001 020100 020100 3000";
    let report = "3058 020103 3011 02044E500001 020300FFE3 040100 020103 0417 3015 04058000000001 020101 0203015180 0400 0400 0400
        3027 04058000000001 0400 A81C 020100 020100 020100 3011 300F 060A 2B060106030F01010400 410101";
    let asked = "305A 020103 3011 02044E500002 020300FFE3 040104 020103 0419 3017 04058000000001 020101 0203015180 04026F74 0400 0400
        3027 04058000000001 0400 A01C 02044E500002 020100 020100 300E 300C 0608 2B06010201010100 0500";
    let heard = rehearse(&agent, Udp, &[hex(discovery), hex(asked)]);
    let answers = heard.answers();
    assert_eq!((heard.trips, answers.len()), (vec![], 2));
    assert_eq!(answers[0], hex(report));
    assert!(answers[1].ends_with(&hex("3010 0608 2B06010201010100 0404 41636D65")), "{:02x?}", answers[1]);
    // Another user, and another level than the user has.
    let other = asked.replace("6F74", "6F75");
    check("guessing", &agent, Udp, &[hex(&other)], &["refused"]);
    check("a level", &agent, Udp, &[hex(&asked.replace("040104", "040105"))], &["refused"]);
    // A set, in clear to who may ask.
    let set = asked.replace("A01C", "A31C");
    check("a write", &agent, Udp, &[hex(&set)], &["PDU", "object"]);
}
