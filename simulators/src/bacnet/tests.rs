use super::*;
use crate::language::Carrier::Udp;
use crate::language::Language;
use crate::rehearsal::rehearse;
use crate::story::{check, hex};

fn controller() -> Persona {
    let mut persona = Persona::new(2001, [(44, b"4.2".to_vec()), (372, b"SN-000123".to_vec())]);
    persona.properties.insert(120, Value::Unsigned(260));
    persona
}

/// ReadProperty under this invoke id: Original-Unicast, NPDU that expects an answer, device 2001.
fn read(invoke: u8, property: &str) -> Vec<u8> {
    let body = [hex("01 04 00 05"), vec![invoke], hex("0C 0C 02 00 07 D1"), hex(property)].concat();
    [vec![0x81, 0x0A, 0, body.len() as u8 + 4], body].concat()
}

#[test]
fn properties_are_encoded_as_clause_20_says() {
    let table: &[(&str, Persona, &str, &str)] = &[
        ("text", controller(), "19 2C", "81 0A 00 17 01 00 30 01 0C 0C 02 00 07 D1 19 2C 3E 74 00 34 2E 32 3F"),
        ("long text", controller(), "1A 01 74", "81 0A 00 1F 01 00 30 01 0C 0C 02 00 07 D1 1A 01 74 3E 75 0A 00 534E2D303030313233 3F"),
        ("unsigned", controller(), "19 78", "81 0A 00 15 01 00 30 01 0C 0C 02 00 07 D1 19 78 3E 22 01 04 3F"),
        ("identifier", controller(), "19 4B", "81 0A 00 17 01 00 30 01 0C 0C 02 00 07 D1 19 4B 3E C4 02 00 07 D1 3F"),
        ("unknown", controller(), "19 46", "81 0A 00 0D 01 00 50 01 0C 91 02 91 20"),
        ("rejected", Persona { refuses: [(70, Refusal::Reject(9))].into(), ..controller() }, "19 46", "81 0A 00 09 01 00 60 01 09"),
        ("aborted", Persona { refuses: [(70, Refusal::Abort(4))].into(), ..controller() }, "19 46", "81 0A 00 09 01 00 71 01 04"),
    ];
    for (what, persona, property, expected) in table {
        let heard = rehearse(persona, Udp, &[read(1, property)]);
        assert_eq!((heard.answers(), heard.trips.len()), (vec![hex(expected)], 0), "{what}");
    }
}

#[test]
fn the_wildcard_is_answered_by_the_own_instance_or_not_at_all() {
    let wildcard = hex("81 0A 00 11 01 04 00 05 01 0C 0C 02 3F FF FF 19 4B");
    let answer = rehearse(&controller(), Udp, &[wildcard.clone()]).answers();
    assert!(answer[0].ends_with(&hex("02 00 07 D1 19 4B 3E C4 02 00 07 D1 3F")));
    let old = Persona { answers_wildcard: false, ..controller() };
    assert!(rehearse(&old, Udp, &[wildcard]).answers()[0].ends_with(&hex("50 01 0C 91 01 91 1F")));
}

#[test]
fn a_device_behind_a_router_is_called_there() {
    let behind = Persona { behind: Some((7, vec![0x2A])), ..controller() };
    assert_eq!(behind.sample(), hex("81 0A 00 16 01 24 00 07 01 2A FF 00 03 01 0C 0C 02 00 07 D1 19 4B"));
    let heard = rehearse(&behind, Udp, &[behind.sample()]);
    assert_eq!(heard.trips, []);
    let answer = hex("81 0A 00 1B 01 08 00 07 01 2A 30 01 0C 0C 02 00 07 D1 19 4B 3E C4 02 00 07 D1 3F");
    assert_eq!(heard.answers(), std::slice::from_ref(&answer));
    let layout = behind.layout(&answer);
    assert_eq!((layout.transaction.map(|at| answer[at]), layout.unit.map(|at| answer[at])), (Some(1), Some(0xD1)));
    check(
        "another network",
        &behind,
        Udp,
        &[hex("81 0A 00 16 01 24 00 08 01 2A FF 00 03 01 0C 0C 02 00 07 D1 19 4B")],
        &["another network"],
    );
}

#[test]
fn all_else_trips() {
    let nine = |invoke: u8| read(invoke, "19 2C");
    let table: &[(&str, Vec<Vec<u8>>, &[&str])] = &[
        ("who is", vec![hex("81 0A 00 08 01 00 10 08")], &["network header"]),
        ("who is, broadcast", vec![hex("81 0B 00 0C 01 20 FF FF 00 FF 10 08")], &["broadcast"]),
        ("who is, all networks", vec![hex("81 0A 00 0C 01 24 FF FF 00 FF 10 08")], &["all networks"]),
        ("a foreign device", vec![hex("81 05 00 06 00 3C")], &["BBMD"]),
        ("who is the router", vec![hex("81 0A 00 07 01 80 00")], &["network header"]),
        ("write", vec![hex("81 0A 00 15 01 04 00 05 01 0F 0C 02 00 07 D1 19 4D 3E 71 00 3F")], &["service"]),
        ("read several", vec![hex("81 0A 00 11 01 04 00 05 01 0E 0C 02 00 07 D1 1E 1F")], &["service"]),
        ("reinitialise", vec![hex("81 0A 00 0C 01 04 00 05 01 14 09 00")], &["service"]),
        ("the object list", vec![read(1, "19 4C")], &["property"]),
        ("an array's element", vec![read(1, "19 2C 29 00")], &["array"]),
        ("another object", vec![hex("81 0A 00 11 01 04 00 05 01 0C 0C 00 00 00 01 19 4B")], &["object"]),
        ("larger answers", vec![hex("81 0A 00 11 01 04 00 75 01 0C 0C 02 00 07 D1 19 4B")], &["size"]),
        ("the same id", vec![nine(1), nine(1)], &["invoke id"]),
        ("ten", (0..10).map(nine).collect(), &["more questions"]),
        ("a length of another", vec![hex("81 0A 00 12 01 04 00 05 01 0C 0C 02 00 07 D1 19 4B")], &["BVLL"]),
        ("garbage", vec![b"GET / HTTP/1.1".to_vec()], &["BVLL"]),
    ];
    for (what, questions, expected) in table {
        check(what, &controller(), Udp, questions, expected);
    }
}
