use super::*;
use crate::language::Carrier::Tcp;
use crate::rehearsal::rehearse;
use crate::story::{check, hex};

fn relay() -> Persona {
    let text = |text: &str| text.as_bytes().to_vec();
    Persona::new("IED1LD0", [("vendor", text("Acme")), ("swRev", text("R7"))], [("swRev", text("3.1"))])
}

const CALL: &str = "03000016 11E0 0000 0014 00 C1020001 C2020001 C0010A";
/// As in ITI/ICS-Security-Tools pcaps/IEC61850/piccolo.pcap, frame 1.
const ASSOCIATE: &str = "030000bf02f0800db60506130100160102140200023302000134020001c1a031819da003800101a28195810400000001820400000001a423\
    300f0201010604520100013004060251013010020103060528ca22020130040602510161623060020101a05b6059a107060528ca220203a20706052901876701a30302010c\
    a606060429018767a70302010cbe33283106025101020103a028a826800300ff0081010a82010a830105a416800101810305f100820c03ee1c000004000000010118";
const IDENTIFY: &str = "0300001b02f08001000100610e300c020103a007a0050201018200";
const DOMAINS: &str = "0300002402f08001000100 6117 3015 020103 a010 a00e 020104 a109 a003800109 a1028000";
const CONCLUDE: &str = "0300001602f08001000100 6109 3007 020103 a002 8b00";

/// A confirmed service in a packet.
fn confirmed(service: &[u8]) -> Vec<u8> {
    let list = [&[2, 1, 3][..], &ber::value(0xA0, &ber::value(0xA0, &[&[2, 1, 9][..], service].concat()))].concat();
    let body = [&[2, 0xF0, 0x80, 1, 0, 1, 0][..], &ber::value(0x61, &ber::value(0x30, &list))].concat();
    [&[3, 0][..], &(body.len() as u16 + 4).to_be_bytes(), &body].concat()
}

fn variables(items: &[&str]) -> Vec<u8> {
    let variable = |item: &&str| {
        let name = [ber::value(0x1A, b"IED1LD0"), ber::value(0x1A, item.as_bytes())].concat();
        ber::value(0x30, &ber::value(0xA0, &ber::value(0xA1, &name)))
    };
    ber::value(0xA0, &items.iter().flat_map(variable).collect::<Vec<u8>>())
}

fn read(items: &[&str]) -> Vec<u8> {
    confirmed(&ber::value(0xA4, &ber::value(0xA1, &variables(items))))
}

fn in_association(more: &[Vec<u8>]) -> Vec<Vec<u8>> {
    [&[CALL, ASSOCIATE].map(hex)[..], more, &[hex(CONCLUDE)]].concat()
}

#[test]
fn plates_come_as_public_captures_show_an_answer() {
    let items = ["LPHD1$DC$PhyNam$vendor", "LPHD1$DC$PhyNam$serNum", "LLN0$DC$NamPlt$swRev"];
    let heard = rehearse(&relay(), Tcp, &in_association(&[hex(IDENTIFY), hex(DOMAINS), read(&items)]));
    assert_eq!(heard.trips, []);
    let [confirm, accept, identity, names, values, concluded] = heard.answers().try_into().expect("six answers");
    assert_eq!(confirm, hex("0300000e 09D0 0014 0006 00 C0010A"));
    assert_eq!((accept[7], accept[5]), (0x0E, 0xF0), "ACCEPT in a DT");
    assert!(identity.ends_with(&hex("020101 a211 8005537461636b 81034d4d53 8203312e30")), "{identity:02x?}");
    assert!(names.ends_with(&hex("020104 a10e a009 1a0749454431 4c4430 810100")), "{names:02x?}");
    assert!(values.ends_with(&hex("8a0441636d65 80010a 8a03332e31")), "{values:02x?}");
    assert!(concluded.ends_with(&hex("a002 8c00")));
}

#[test]
fn a_read_of_sbo_selects_and_that_trips() {
    for item in ["CSWI1$CO$Pos$SBO", "CSWI1$CO$Pos", "CSWI1$CO"] {
        let persona = relay();
        check(item, &persona, Tcp, &in_association(&[read(&[item])]), &["selected"]);
        assert_eq!(persona.selected(), 1, "{item}");
    }
    let persona = relay();
    check("a plate", &persona, Tcp, &in_association(&[read(&["LPHD1$DC$PhyNam$vendor"])]), &[]);
    check("all of a node", &persona, Tcp, &in_association(&[read(&["CSWI1"])]), &["no attribute"]);
    assert_eq!(persona.selected(), 0);
}

#[test]
fn all_else_trips() {
    let write = ber::value(0xA5, &[variables(&["LLN0$CO$Mod$Oper"]), ber::value(0xA0, &[0x83, 1, 1])].concat());
    let many: Vec<&str> = ["LPHD1$DC$PhyNam$vendor"; 13].to_vec();
    let asks = |message: &str| in_association(&[hex(message)]);
    let table: [(&str, Vec<Vec<u8>>, &str); 11] = [
        ("a write", in_association(&[confirmed(&write)]), "a write"),
        ("thirteen variables", in_association(&[read(&many)]), "twelve"),
        ("a value", in_association(&[read(&["MMXU1$MX$A"])]), "no attribute"),
        (
            "a named list",
            in_association(&[confirmed(&ber::value(0xA4, &ber::value(0xA1, &ber::value(0xA1, &[0x80, 1, b'x']))))]),
            "listed variables",
        ),
        ("names of variables", asks(&DOMAINS.replace("a003800109", "a003800100")), "something else than domains"),
        ("three pages", in_association(&[hex(DOMAINS), hex(DOMAINS), hex(DOMAINS)]), "two pages"),
        ("status", asks(&IDENTIFY.replace("a007a0050201018200", "a007a0050201018000")), "not on the allowlist"),
        ("never concluded", [CALL, ASSOCIATE].map(hex).to_vec(), "not concluded"),
        ("no association", [CALL, IDENTIFY].map(hex).to_vec(), "association that is due"),
        ("a second call", [CALL, CALL].map(hex).to_vec(), "due here"),
        ("garbage", vec![b"GET ".to_vec()], "no TPKT"),
    ];
    for (what, questions, expected) in table {
        check(what, &relay(), Tcp, &questions, &[expected]);
    }
    let password = "8a020780 8b0352 0301 ac0a 8008 7365637265743132";
    let with =
        ASSOCIATE.replace("a70302010cbe33", &format!("a70302010c{password}be33")).replace("030000bf02f0800db6", "030000d402f0800dcb");
    let with = with
        .replace("c1a031819da003800101a28195", "c1b53181b2a003800101a281aa")
        .replace("61623060020101a05b6059", "61773075020101a070606e");
    check("a password", &relay(), Tcp, &[hex(CALL), hex(&with), hex(CONCLUDE)], &["password"]);
}

#[test]
fn who_is_called_otherwise_or_wants_a_password_says_so() {
    let answer = |persona: &Persona| rehearse(persona, Tcp, &[CALL, ASSOCIATE].map(hex)).answers();
    let own = |at: usize| {
        let mut persona = relay();
        persona.selectors[at] = vec![9];
        persona
    };
    assert_eq!(answer(&own(0))[0], hex("0300000B 06 80 0014 0000 03"));
    assert_eq!(answer(&own(1))[1], hex("0300000c02f080 0c03320181"));
    assert_eq!(answer(&own(2))[1], hex("0300001402f080 0c0b 3209 02 3006 830109 8a0104"));
    let rejected = answer(&Persona { wants_password: true, ..relay() });
    assert!(rejected[1].windows(12).any(|window| window == hex("a203020101 a305a10302010e")), "{rejected:02x?}");
}

#[test]
fn a_message_comes_in_parts_where_the_persona_says_so() {
    let persona = Persona { packet_bytes: 16, ..relay() };
    let answers = rehearse(&persona, Tcp, &in_association(&[hex(IDENTIFY)])).answers();
    let last: Vec<bool> = answers.iter().skip(1).map(|packet| packet[6] == 0x80).collect();
    assert!(last.len() > 10 && last.iter().filter(|last| **last).count() == 3, "three messages, each with one last part: {last:?}");
}
