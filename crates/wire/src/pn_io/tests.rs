//! Messages are put together from the standards' tables here; one is a captured one.

use super::*;
use crate::conversation::End;
use crate::tcp::At;

fn hex(text: &str) -> Vec<u8> {
    let digits: Vec<u32> = text.chars().filter_map(|c| c.to_digit(16)).collect();
    digits.chunks(2).map(|pair| (pair[0] << 4 | pair[1]) as u8).collect()
}

const PROFINET_LE: &str = "0100a0de 976c d111 8271 00a02442df7d";
const PROFINET_BE: &str = "dea00001 6c97 11d1 8271 00a02442df7d";
const MAPPER_LE: &str = "0883afe1 1f5d c911 91a4 08002b14a0fa";
const MAPPER_BE: &str = "e1af8308 5d1f 11c9 91a4 08002b14a0fa";
/// The object of an ET200SP (device id 0x0313) of vendor 0x002a.
const OBJECT_LE: &str = "0000a0de 976c d111 8271 00010313002a";
const OBJECT_BE: &str = "dea00000 6c97 11d1 8271 00010313002a";

fn number(value: usize, bytes: usize, lower_first: bool) -> Vec<u8> {
    let all = (value as u64).to_be_bytes();
    let mut number = all[8 - bytes..].to_vec();
    if lower_first {
        number.reverse();
    }
    number
}

/// A message: packet type, interface, operation, body.
fn rpc(lower_first: bool, kind: u8, interface: [&str; 2], operation: usize, body: &[u8]) -> Vec<u8> {
    let pick = |both: [&str; 2]| hex(both[usize::from(!lower_first)]);
    [
        vec![4, kind, 0x20, 0, if lower_first { 0x10 } else { 0 }, 0, 0, 0],
        pick([OBJECT_LE, OBJECT_BE]),
        pick(interface),
        vec![0x22; 16],
        vec![0; 12],
        number(operation, 2, lower_first),
        vec![0xff; 4],
        number(body.len(), 2, lower_first),
        vec![0; 4],
        body.to_vec(),
    ]
    .concat()
}

/// A call of PROFINET IO with its blocks.
fn call(lower_first: bool, kind: u8, operation: usize, status: usize, blocks: &[u8]) -> Vec<u8> {
    let length = blocks.len();
    let arguments = [status, length, length, 0, length].map(|value| number(value, 4, lower_first)).concat();
    rpc(lower_first, kind, [PROFINET_LE, PROFINET_BE], operation, &[&arguments[..], blocks].concat())
}

fn block(kind: u16, value: &[u8]) -> Vec<u8> {
    [&kind.to_be_bytes()[..], &number(value.len() + 2, 2, false), &[1, 0], value].concat()
}

/// The header of a record in slot 2: sequence number, relation, API, slot, subslot, padding, index, length.
fn record(header: u16, subslot: usize, index: usize, record: &[u8]) -> Vec<u8> {
    let value = [
        hex("0001 11111111111111111111111111111111 00000000 0002"),
        number(subslot, 2, false),
        vec![0; 2],
        number(index, 2, false),
        number(record.len(), 4, false),
        vec![0; 24],
    ];
    [block(header, &value.concat()), record.to_vec()].concat()
}

fn im0(software: &[u8; 4]) -> Vec<u8> {
    let value = [&hex("002a")[..], b"6ES7 155-6AU00-0CN0 S C-K7NP32952018", &[0, 5], software, &hex("0003 3d00 0001 0101 001e")].concat();
    block(0x0020, &value)
}

fn look_up(lower_first: bool, annotation: &[u8]) -> Vec<u8> {
    let numbers = |values: &[usize]| values.iter().flat_map(|value| number(*value, 4, lower_first)).collect::<Vec<u8>>();
    let object = hex(if lower_first { OBJECT_LE } else { OBJECT_BE });
    let body = [vec![0; 20], numbers(&[1, 1, 0, 1]), object, numbers(&[3, 0, annotation.len()]), annotation.to_vec()];
    let tower = [vec![0; (4 - annotation.len() % 4) % 4], hex("0500 1300 0d"), hex(PROFINET_LE), hex("01000200 0000")];
    rpc(lower_first, 2, [MAPPER_LE, MAPPER_BE], 2, &[body.concat(), tower.concat()].concat())
}

fn hear(datagrams: &[(&[u8], usize)]) -> (Vec<Heard>, Coverage) {
    let (mut heard, mut coverage) = (vec![], Coverage::default());
    let mut exchange = (PROTOCOL.start)(Over::Udp);
    let (from, to) = (&End { port: Some(1), ..End::default() }, &End { port: Some(2), ..End::default() });
    for (bytes, missing) in datagrams {
        let said = Said { bytes, missing: *missing, at: At::default(), from, to, by_server: true };
        exchange.hear(&said, &mut |event| heard.push(event));
    }
    exchange.coverage(&mut |_, counted| coverage = counted);
    (heard, coverage)
}

fn readings(heard: &[Heard]) -> Vec<&Reading> {
    heard.iter().filter_map(|heard| if let Heard::Reading(reading) = heard { Some(reading) } else { None }).collect()
}

fn facts(heard: &[Heard]) -> Vec<(String, String)> {
    let facts = readings(heard).into_iter().flat_map(|reading| &reading.facts);
    facts.map(|fact| (fact.path.clone(), fact.bytes.escape_ascii().to_string())).collect()
}

fn check(bytes: &[u8], expected: &[(&str, &str)]) {
    let found = facts(&hear(&[(bytes, 0)]).0);
    assert_eq!(found.iter().map(|(path, value)| (path.as_str(), value.as_str())).collect::<Vec<_>>(), expected);
    for end in 0..bytes.len() {
        for missing in [0, bytes.len() - end] {
            for fact in facts(&hear(&[(&bytes[..end], missing)]).0) {
                assert!(expected.contains(&(&fact.0, &fact.1)), "cut after {end} bytes: {fact:?}");
            }
        }
    }
}

const RECORD_FACTS: [(&str, &str); 10] = [
    ("pn-io.im.vendor", "\\x00*"),
    ("pn-io.im.order", "6ES7 155-6AU00-0CN0"),
    ("pn-io.im.serial", "S C-K7NP32952018"),
    ("pn-io.im.hardware", "\\x00\\x05"),
    ("pn-io.im.software", "V\\x04\\x02\\x00"),
    ("pn-io.im.counter", "\\x00\\x03"),
    ("pn-io.im.profile", "=\\x00"),
    ("pn-io.im.profile.type", "\\x00\\x01"),
    ("pn-io.im.version", "\\x01\\x01"),
    ("pn-io.im.supported", "\\x00\\x1e"),
];

#[test]
fn identification_records_are_read_in_either_byte_order() {
    for lower_first in [true, false] {
        for operation in [READ, READ_IMPLICIT] {
            let answer = call(lower_first, 2, usize::from(operation), 0, &record(0x8009, 1, 0xaff0, &im0(b"V\x04\x02\x00")));
            check(&answer, &RECORD_FACTS);
        }
        let text = |kind, length: usize, text: &[u8]| block(kind, &[text, &vec![b' '; length - text.len()]].concat());
        let im1 = [&text(0x0021, 54, b"Conveyor 3")[..38], &[b"Hall 2".to_vec(), vec![b' '; 16]].concat()].concat();
        let read = |index, value: &[u8]| call(lower_first, 2, 2, 0, &record(0x8009, 1, index, value));
        check(&read(0xaff1, &im1), &[("pn-io.im.function", "Conveyor 3"), ("pn-io.im.location", "Hall 2")]);
        check(&read(0xaff2, &text(0x0022, 16, b"2021-11-15 10:00")), &[("pn-io.im.date", "2021-11-15 10:00")]);
        check(&read(0xaff3, &text(0x0023, 54, b"spare")), &[("pn-io.im.descriptor", "spare")]);
    }
}

#[test]
fn a_record_belongs_to_its_slot_and_says_nothing_where_it_is_another() {
    let one = |bytes: &[u8]| {
        let (heard, _) = hear(&[(bytes, 0)]);
        let said = readings(&heard).into_iter().map(|reading| {
            let Address { port, slot, name, .. } = reading.speaker.clone();
            (reading.question, reading.authority, port, slot, name)
        });
        said.collect::<Vec<_>>()
    };
    let answer = |subslot, index, value: &[u8]| call(true, 2, 2, 0, &record(0x8009, subslot, index, value));
    let im0 = im0(b"V\x04\x02\x00");
    assert_eq!(one(&answer(1, 0xaff0, &im0)), [("pn-io.im.0", Authority::Device, Some(1), Some(2), None)]);
    let interface = Some("subslot 0x8000".to_owned());
    assert_eq!(one(&answer(0x8000, 0xaff0, &im0)), [("pn-io.im.0", Authority::Device, Some(1), Some(2), interface)]);
    let mut of_itself = answer(1, 0xaff0, &im0);
    of_itself[129] = 0;
    assert_eq!(one(&of_itself), [("pn-io.im.0", Authority::Device, Some(1), None, None)], "slot 0 is the device itself");
    let written = call(false, 0, 3, 404, &record(0x0008, 1, 0xaff3, &block(0x0023, &[b'x'; 54])));
    assert_eq!(one(&written), [("pn-io.im.3", Authority::Belief, Some(2), Some(2), None)]);
    assert_eq!(one(&answer(1, 0xaff1, &im0)), [], "another record than the index says");
    assert_eq!(one(&answer(1, 0x8000, &im0)), [], "another index");
    assert_eq!(one(&call(true, 2, 2, 0xdf80_b000, &record(0x8009, 1, 0xaff0, &im0))), [], "a read that failed");
    assert_eq!(one(&call(true, 7, 2, 0, &record(0x8009, 1, 0xaff0, &im0))), [], "no answer");
    let facts = facts(&hear(&[(&answer(1, 0xaff0, &self::im0(b"\0\x01\x02\x03")), 0)]).0);
    assert!(facts.contains(&("pn-io.im.software.other".to_owned(), "\\x00\\x01\\x02\\x03".to_owned())), "a revision without a letter");
}

#[test]
fn a_look_up_gives_the_line_of_identification() {
    // The line as nmap prints it (scripts/profinet-cm-lookup.nse, @output).
    let line = b"S7-1500                   6ES7 672-5DC01-0YA0      0 V  2  1  7\0";
    let text = "S7-1500                   6ES7 672-5DC01-0YA0      0 V  2  1  7";
    let ids = [("pn-io.object.instance", "\\x00\\x01"), ("pn-io.object.device", "\\x03\\x13"), ("pn-io.object.vendor", "\\x00*")];
    for lower_first in [true, false] {
        let columns = [
            ("pn-io.lookup.annotation", text),
            ("pn-io.lookup.type", "S7-1500                  "),
            ("pn-io.lookup.order", "6ES7 672-5DC01-0YA0 "),
            ("pn-io.lookup.hardware", "    0"),
            ("pn-io.lookup.software", "V  2  1  7"),
        ];
        check(&look_up(lower_first, line), &[&columns[..], &ids].concat());
        check(&look_up(lower_first, b"a device"), &[&[("pn-io.lookup.annotation", "a device")][..], &ids].concat());
    }
}

#[test]
fn a_connect_names_both_sides() {
    // ProfinetIO-DoS-attack set_attack.pcap, frame 5: the blocks of an IO controller's relation, shortened.
    let relation = hex(
        "0001 11111111111111111111111111111111 0001 ac64171fa9c5 dea000006c9711d182710064010e002a 00000011 0258 8892 0007 63707531353030",
    );
    let blocks = [block(0x0101, &relation), block(0x0103, &[0; 20])].concat();
    let client = [
        ("pn-io.initiator.mac", "\\xacd\\x17\\x1f\\xa9\\xc5"),
        ("pn-io.initiator.instance", "\\x00d"),
        ("pn-io.initiator.device", "\\x01\\x0e"),
        ("pn-io.initiator.vendor", "\\x00*"),
        ("pn-io.initiator.name", "cpu1500"),
    ];
    let asked = call(false, 0, 0, 404, &blocks);
    check(&asked, &client);
    let answer = [
        block(0x8101, &hex("0001 11111111111111111111111111111111 0001 ac64172135cf 8892")),
        block(0x8106, &hex("0007 65743230307370 000000")),
    ];
    let answer = call(true, 2, 0, 0, &answer.concat());
    check(&answer, &[("pn-io.responder.mac", "\\xacd\\x17!5\\xcf"), ("pn-io.responder.name", "et200sp")]);
    let (heard, coverage) = hear(&[(&asked, 0), (&asked, 0), (&answer, 0), (&answer, 0)]);
    let authorities: Vec<_> = readings(&heard).iter().map(|reading| reading.authority).collect();
    assert_eq!(authorities, [Authority::Client, Authority::Device], "each once");
    let roles =
        heard.iter().filter_map(|heard| if let Heard::Present { role, speaker, .. } = heard { Some((*role, speaker.port)) } else { None });
    assert_eq!(roles.collect::<Vec<_>>(), [(Role::Server, Some(1)), (Role::Client, Some(2))]);
    assert_eq!(coverage, Coverage { seen: 4, decoded: 4 });
}

#[test]
fn a_fragment_is_read_as_far_as_it_goes() {
    let mut answer = call(true, 2, 2, 0, &record(0x8009, 1, 0xaff0, &im0(b"V\x04\x02\x00")));
    answer[2] |= 0x04;
    let (heard, _) = hear(&[(&answer[..answer.len() - 10], 0)]);
    assert!(!heard.iter().any(|heard| matches!(heard, Heard::Malformed { .. })), "more will follow");
    let (heard, _) = hear(&[(&answer, 0)]);
    assert!(readings(&heard).iter().all(|reading| !reading.complete));
}

#[test]
fn an_interface_of_profinet_makes_it_certain() {
    let likeness = |bytes: &[u8]| (PROTOCOL.likeness)(bytes, Over::Udp);
    assert_eq!(likeness(&call(true, 2, 2, 0, &[])), Likeness::Certain);
    assert_eq!(likeness(&call(false, 0, 0, 404, &[])), Likeness::Certain);
    assert_eq!(likeness(&look_up(true, b"a device")), Likeness::Certain, "its tower names the interface");
    assert_eq!(likeness(&rpc(true, 0, [MAPPER_LE, MAPPER_BE], 2, &[0; 20])), Likeness::Possible, "Windows has such a mapper, too");
    assert_eq!(likeness(&rpc(true, 0, [OBJECT_LE, OBJECT_BE], 2, &[0; 20])), Likeness::No, "another interface");
    assert_eq!((PROTOCOL.likeness)(&call(true, 2, 2, 0, &[]), Over::Tcp), Likeness::No);
    for other in [&[][..], &[4, 2, 0x20, 0], &[5; 100], &[0; 100]] {
        assert_eq!(likeness(other), Likeness::No);
    }
}
