use core::net::IpAddr;

use super::*;
use crate::conversation::{End, Heard, Said};
use crate::tcp::At;
use crate::{Authority, Reading};

pub(super) fn hex(text: &str) -> Vec<u8> {
    let digits: Vec<u32> = text.chars().filter_map(|c| c.to_digit(16)).collect();
    digits.chunks(2).map(|pair| (pair[0] << 4 | pair[1]) as u8).collect()
}

/// An element of BER: tag, length, content.
fn ber(tag: u8, content: &[u8]) -> Vec<u8> {
    let length = u8::try_from(content.len()).unwrap();
    let header = if length < 0x80 { vec![tag, length] } else { vec![tag, 0x81, length] };
    [&header[..], content].concat()
}

/// A binding of an object's name, in hexadecimal digits, to a value of that tag.
pub(super) fn binding(name: &str, tag: u8, value: &[u8]) -> Vec<u8> {
    ber(0x30, &[ber(6, &hex(name)), ber(tag, value)].concat())
}

/// A v2c message with request id 7.
pub(super) fn v2c(pdu: u8, status: u8, bindings: &[Vec<u8>]) -> Vec<u8> {
    let body = [hex("020107 0201"), vec![status], hex("020100"), ber(0x30, &bindings.concat())].concat();
    ber(0x30, &[hex("020101"), ber(4, b"public"), ber(pdu, &body)].concat())
}

/// A v3 message, its header flags, engine, and what stands for the PDU.
fn v3(flags: u8, engine: &[u8], data: &[u8]) -> Vec<u8> {
    let header = ber(0x30, &[hex("020107 020205dc 0401"), vec![flags], hex("020103")].concat());
    let security = ber(4, &ber(0x30, &[ber(4, engine), hex("020101 020101"), ber(4, b"user"), ber(4, b""), ber(4, b"")].concat()));
    ber(0x30, &[hex("020103"), header, security, data.to_vec()].concat())
}

fn facts(reading: &Reading) -> Vec<(String, Vec<u8>)> {
    reading.facts.iter().map(|fact| (fact.path.trim_start_matches("snmp.").to_owned(), fact.bytes.clone())).collect()
}

/// One message of an agent gives one reading with these values; every shorter one the same or fewer.
fn check(message: &[u8], question: &str, expected: &[(&str, &[u8])]) {
    let readings = PROTOCOL.replay(Over::Udp, [], [message]);
    let [reading] = &readings[..] else { panic!("one reading of {message:02x?}: {readings:?}") };
    let expected: Vec<(String, Vec<u8>)> = expected.iter().map(|(path, bytes)| ((*path).to_owned(), bytes.to_vec())).collect();
    assert_eq!((reading.question, facts(reading), reading.complete), (question, expected.clone(), true));
    for fact in &reading.facts {
        assert!(reading.messages[0].bytes[fact.offset..].starts_with(&fact.bytes), "{} stands at its place", fact.path);
    }
    for cut in 0..message.len() {
        for reading in PROTOCOL.replay(Over::Udp, [], [&message[..cut]]) {
            assert!(facts(&reading).iter().all(|fact| expected.contains(fact)), "cut after {cut} bytes: {:?}", reading.facts);
            assert!(!reading.complete || reading.question == "snmp.engine", "cut after {cut} bytes");
        }
    }
}

const SYS_DESCR: &str = "2b06010201010100";
const SYS_OBJECT: &str = "2b06010201010200";
const SYS_NAME: &str = "2b06010201010500";

#[test]
fn an_answer_says_what_its_agent_is() {
    let bindings = [
        binding(SYS_DESCR, 4, b"Switch, FW: 1.2"),
        binding(SYS_OBJECT, 6, &hex("2b06010401bf08")),
        // sysUpTime, an empty sysLocation, an object that is not there.
        binding("2b06010201010300", 0x43, &[1]),
        binding("2b06010201010600", 4, b""),
        binding(SYS_NAME, 0x80, b""),
        // entPhysicalSerialNum.1001, upsIdentModel.0, a maker's text, bits, and the community.
        binding("2b060102012f010101010b8769", 4, b"SN7"),
        binding("2b060102012101010200", 4, b"UPS 1"),
        binding("2b06010401a149060302010105 00", 4, b"V04.02.00"),
        binding("2b06010401a14906030201010600", 4, &[0x80, 1]),
        binding("2b06010401a14906030201010700", 4, b"public"),
    ];
    let says: [(&str, &[u8]); 5] = [
        ("system.descr", b"Switch, FW: 1.2"),
        ("system.object_id", &[0x2b, 6, 1, 4, 1, 0xbf, 8]),
        ("entity.1001.serial", b"SN7"),
        ("ups.model", b"UPS 1"),
        ("1.3.6.1.4.1.4297.6.3.2.1.1.5.0", b"V04.02.00"),
    ];
    check(&v2c(0xa2, 0, &bindings), "snmp.response", &says);
    check(&v2c(0xa7, 0, &bindings), "snmp.trap", &says);
    let scoped = ber(0x30, &[ber(4, b""), ber(4, b""), v2c(0xa2, 0, &bindings[..1])[13..].to_vec()].concat());
    check(&v3(0, &[], &scoped), "snmp.response", &says[..1]);
    let engine = hex("800000090401020304");
    let with_engine = [("engine.id", &engine[..]), ("engine.enterprise", &[0, 0, 9]), ("engine.text", &[1, 2, 3, 4]), says[0]];
    check(&v3(0, &engine, &scoped), "snmp.response", &with_engine);
    // As in mercury test/data/new-stats-telemetry-test.pcap, frame 8: what comes next after sysContact is sysName.
    let quoted = hex("302d02010104067075626c6963a220020429a5e2ba020100020100301230100608 2b06010201010500 0404 6e616d65");
    check(&quoted, "snmp.response", &[("system.name", b"name")]);
}

#[test]
fn what_is_not_the_agent_s_own_word_is_no_fact() {
    let name = [binding(SYS_NAME, 4, b"pump")];
    let trap = [binding("2b060106030101040100", 6, &hex("2b0601")), binding(SYS_NAME, 4, b"pump")];
    for (why, message) in [
        ("a question", v2c(0xa0, 0, &name)),
        ("an answer that failed repeats the question", v2c(0xa2, 17, &name)),
        ("a report", v2c(0xa8, 0, &name)),
        ("the answer to an inform", v2c(0xa2, 0, &trap)),
        ("bytes that only look like it", ber(0x30, &[hex("020107"), ber(0x60, b"bind")].concat())),
    ] {
        assert_eq!(PROTOCOL.replay(Over::Udp, [], [&message[..]]), [], "{why}");
    }
    let readings = PROTOCOL.replay(Over::Udp, [], [&v2c(0xa3, 0, &name)[..]]);
    assert_eq!(readings.iter().map(|reading| (reading.question, reading.authority)).collect::<Vec<_>>(), [("snmp.set", Authority::Belief)]);
    assert_eq!(PROTOCOL.replay(Over::Udp, [&v2c(0xa6, 0, &name)[..]], [&v2c(0xa2, 0, &name)[..]]).len(), 1, "the inform, not its answer");
}

#[test]
fn an_engine_names_its_maker_and_its_address() {
    let told = |engine: &[u8]| {
        // An encrypted question, which wants an answer, and the answer.
        let [question, answer] = [7, 3].map(|flags| v3(flags, engine, &ber(4, &[0; 16])));
        let readings = PROTOCOL.replay(Over::Udp, [&question[..]], [&answer[..]]);
        readings.iter().flat_map(facts).map(|(path, bytes)| (path.trim_start_matches("engine.").to_owned(), bytes)).collect::<Vec<_>>()
    };
    let id = |text: &str| ("id".to_owned(), hex(text));
    let maker = |last: u8| ("enterprise".to_owned(), vec![0, 0, last]);
    // The second is quoted: nDPI tests/cfgs/default/pcap/snmp.pcap, frame 18.
    for (engine, more) in [
        ("80000009 01 0a000001", vec![maker(9), ("ip".into(), vec![10, 0, 0, 1])]),
        ("80000009 03 00 aabbcc000100", vec![maker(9), ("mac".into(), hex("aabbcc000100"))]),
        ("80000009 03 aabbcc000100", vec![maker(9), ("mac".into(), hex("aabbcc000100"))]),
        ("80000009 03 11 aabbcc000100", vec![maker(9)]),
        ("80000009 04 6e376131", vec![maker(9), ("text".into(), b"n7a1".to_vec())]),
        ("80000009 80 0102030405060708", vec![maker(9)]),
        ("0000000b 0000a1b2c3d4e5f6", vec![("enterprise".into(), vec![0, 0, 0, 11])]),
    ] {
        let expected: Vec<_> = [id(engine)].into_iter().chain(more).collect();
        assert_eq!(told(&hex(engine)), expected, "{engine}");
    }
    assert_eq!(told(&[]), []);
    assert_eq!(told(&[0x80, 0, 0]), []);
}

#[test]
fn a_trap_speaks_for_the_agent_that_it_names() {
    let v1 = |agent: &str| {
        let trap = [
            ber(6, &hex("2b06010401a149")),
            ber(0x40, &hex(agent)),
            hex("020106 020101 430101"),
            ber(0x30, &binding(SYS_NAME, 4, b"pump")),
        ];
        ber(0x30, &[hex("020100"), ber(4, b"public"), ber(0xa4, &trap.concat())].concat())
    };
    let proxied = v2c(0xa7, 0, &[binding("2b0601060312010300", 0x40, &[10, 0, 0, 9]), binding(SYS_NAME, 4, b"pump")]);
    for (message, expected) in [(v1("0a000009"), 9), (v1("00000000"), 2), (v1("0a000002"), 2), (proxied, 9)] {
        let told = talk(&[(true, message)]);
        let question = format!("snmp.trap 10.0.0.{expected}");
        assert_eq!(told, [format!("publisher 10.0.0.{expected}"), question]);
    }
    let enterprise = PROTOCOL.replay(Over::Udp, [], [&v1("0a000009")[..]]);
    assert_eq!(facts(&enterprise[0])[0], ("trap.enterprise".to_owned(), hex("2b06010401a149")));
}

/// What a conversation between the manager 10.0.0.1 (false) and the agent 10.0.0.2 (true) tells.
fn talk(said: &[(bool, Vec<u8>)]) -> Vec<String> {
    let [client, server] =
        [(1, None), (2, Some(161))].map(|(last, port)| End { ip: Some(IpAddr::from([10, 0, 0, last])), port, mac: None });
    let (mut told, mut conversation) = (Vec::new(), (PROTOCOL.start)(Over::Udp));
    for (by_server, bytes) in said {
        let (from, to) = if *by_server { (&server, &client) } else { (&client, &server) };
        let said = Said { bytes, missing: 0, at: At::default(), from, to, by_server: *by_server };
        conversation.hear(&said, &mut |heard| {
            told.push(match heard {
                Heard::Present { role, speaker, .. } => format!("{} {}", role.name(), speaker.ip.unwrap()),
                Heard::Reading(reading) => format!("{} {}", reading.question, reading.speaker.ip.unwrap()),
                Heard::Happened { happening, device, .. } => format!("{happening:?} {}", device.ip.unwrap()),
                Heard::Malformed { malformed, .. } => malformed.to_string(),
            });
        });
    }
    told
}

#[test]
fn the_same_is_told_once_and_a_measurement_not_for_long() {
    let question = || (false, v2c(0xa0, 0, &[binding(SYS_NAME, 5, b"")]));
    let name = |name: &[u8]| (true, v2c(0xa2, 0, &[binding(SYS_NAME, 4, name)]));
    let told = talk(&[name(b"a"), question(), name(b"a"), question(), name(b"b"), name(b"a")]);
    let response = "snmp.response 10.0.0.2";
    assert_eq!(told, [response, "server 10.0.0.2", "client 10.0.0.1", response, response]);
    let measured: Vec<(bool, Vec<u8>)> =
        (0..20_u8).map(|value| (true, v2c(0xa2, 0, &[binding("2b06010401a14901", 4, format!("{value} V").as_bytes())]))).collect();
    assert_eq!(talk(&measured).len(), 4);
    let renamed = talk(&[(false, v2c(0xa3, 0, &[binding(SYS_NAME, 4, b"c")])), name(b"c")]);
    assert_eq!(renamed, ["snmp.set 10.0.0.2", "server 10.0.0.2", "client 10.0.0.1", "Renamed 10.0.0.2", response]);
}

#[test]
fn likeness_needs_lengths_that_end_together() {
    let message = v2c(0xa2, 0, &[binding(SYS_NAME, 4, b"pump")]);
    let mut longer = message.clone();
    longer[1] += 1;
    let mut inner = message.clone();
    inner[14] -= 1;
    for (bytes, expected) in [
        (message.clone(), Likeness::Certain),
        (v3(0, &[], &ber(4, &[0; 8])), Likeness::Certain),
        ([&message[..], b"\0"].concat(), Likeness::Possible),
        (message[..20].to_vec(), Likeness::Possible),
        (message[..6].to_vec(), Likeness::Possible),
        (longer, Likeness::Possible),
        (inner, Likeness::No),
        // LDAP, Kerberos, text.
        (hex("300c 020101 6007 020103 0400 8000"), Likeness::No),
        (hex("6a05 3003 020105"), Likeness::No),
        (b"GET / HTTP/1.1".to_vec(), Likeness::No),
    ] {
        assert_eq!((PROTOCOL.likeness)(&bytes, Over::Udp), expected, "{bytes:02x?}");
    }
}

#[test]
fn a_maker_s_number_counts_where_the_answer_says_whose_it_is() {
    let number = |tag, value: &[u8]| binding("2b06010401a149060302010105 00", tag, value);
    let whose = binding(SYS_OBJECT, 6, &hex("2b06010401a149"));
    let says = |numbers: Vec<Vec<u8>>, expected: &[&[u8]]| {
        let message = v2c(0xa2, 0, &[numbers, vec![whose.clone()]].concat());
        let expected: Vec<(&str, &[u8])> = expected.iter().map(|value| ("1.3.6.1.4.1.4297.6.3.2.1.1.5.0", *value)).collect();
        check(&message, "snmp.response", &[expected, vec![("system.object_id", &hex("2b06010401a149"))]].concat());
    };
    says(vec![number(2, &[210])], &[]);
    says(vec![number(2, &[0, 210])], &[&[0, 210]]);
    says(vec![number(0x42, &[5]), number(0x41, &[6])], &[&[5], &[6]]);
    // Time, six octets, nothing.
    says(vec![number(0x43, &[5]), number(2, &[1; 6]), number(2, &[])], &[]);
    let alone = v2c(0xa2, 0, &[number(2, &[5])]);
    assert!(PROTOCOL.replay(Over::Udp, [], [&alone[..]]).is_empty(), "a measurement");
}
