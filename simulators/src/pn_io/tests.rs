use super::*;
use crate::language::Carrier::Udp;
use crate::rehearsal::rehearse;
use crate::story::{check, hex};

/// The ET200SP of a public capture (smehner1/ProfinetIO-DoS-attack port_stealing.pcap, LLDP in frame 95).
fn et200sp() -> Persona {
    Persona { hardware: 5, software: (b'V', [4, 2, 0]), ..Persona::new(b"IM155-6PN HF", b"6ES7 155-6AU00-0CN0", b"S C-K7NP32952018") }
}

const ACTIVITY: [u8; 16] = [1, 0, 0, 0, 1, 0, 1, 0, 1, 0, 0, 1, 0, 1, 0, 1];
/// By hand from C706 and IEC 61158-6-10; but for its number it is what nmap sends.
const LOOK_UP: &str = "04002000100000000000000000000000000000000000000 00883afe11f5dc91191a408002b14a0fa 01000000010001000100000100010001
    00000000 03000000 00000000 0200 FFFF FFFF 4C00 0000 0000
    00000000 01000000 00000000000000000000000000000000 02000000 0100a0de976cd111827100a02442df7d 0100 0000
    01000000 0000000000000000000000000000000000000000 01000000";
const READ: &str = "04002000 10000000 0000a0de976cd111827100010313002a 0100a0de976cd111827100a02442df7d 01000000010001000100000100010001
    00000000 01000000 01000000 0500 FFFF FFFF 5400 0000 0000
    40010000 40000000 40010000 00000000 40000000
    0009003C0100 0000 00000000000000000000000000000000 00000000 0000 0001 0000 AFF0 00000100
    00000000000000000000000000000000 0000000000000000";

#[test]
fn questions_are_those_that_other_tools_put() {
    assert_eq!(Persona::look_up(ACTIVITY), hex(LOOK_UP));
    assert_eq!(et200sp().read(ACTIVITY), hex(READ));
}

/// The header of a captured answer (set_attack.pcap, frame 8) with another interface; the body by hand.
#[test]
fn answers_are_laid_out_as_the_standards_have_them() {
    let heard = rehearse(&et200sp(), Udp, &[hex(LOOK_UP), hex(READ)]);
    assert_eq!(heard.trips, []);
    let [looked_up, identified] = heard.answers().try_into().expect("two answers");
    let line = b"IM155-6PN HF              6ES7 155-6AU00-0CN0      5 V  4  2  0\0";
    assert_eq!(line.len(), 64);
    let head = "04020A00 10000000 0000a0de976cd111827100010313002a 0883afe11f5dc91191a408002b14a0fa 01000000010001000100000100010001
        A4000000 03000000 00000000 0200 FFFF FFFF D800 0000 0000 ";
    let entry = "0000000000000000000000000000000000000000 01000000 01000000 00000000 01000000
        0000a0de976cd111827100010313002a 03000000 00000000 40000000";
    let tower = "4B000000 4B000000 0500 1300 0D 0100a0de976cd111827100a02442df7d 0100 0200 0000
        1300 0D 045d888aeb1cc9119fe808002b104860 0200 0200 0000 0100 0A 0200 0000 0100 08 0200 8894 0100 09 0400 7F000001 00 00000000";
    assert_eq!(looked_up, [hex(head), hex(entry), line.to_vec(), hex(tower)].concat());
    let head = "04020A00 10000000 0000a0de976cd111827100010313002a 0100a0de976cd111827100a02442df7d 01000000010001000100000100010001
        A4000000 01000000 01000000 0500 FFFF FFFF 9000 0000 0000
        00000000 7C000000 40010000 00000000 7C000000
        8009003C0100 0000 00000000000000000000000000000000 00000000 0000 0001 0000 AFF0 0000003C
        000000000000000000000000000000000000000000000000
        002000380100 002A";
    let tail = "0005 56040200 0000 0000 0000 0101 001E";
    assert_eq!(identified, [hex(head), b"6ES7 155-6AU00-0CN0 S C-K7NP32952018".to_vec(), hex(tail)].concat());
}

#[test]
fn the_upper_byte_comes_first_where_it_does() {
    let heard = rehearse(&Persona { upper_first: true, ..et200sp() }, Udp, &[hex(LOOK_UP), hex(READ)]);
    let head = "04020A00 00000000 DEA000006C9711D1827100010313002A E1AF83085D1F11C991A408002B14A0FA 00000001000100010100000100010001
        000000A4 00000003 00000000 0002 FFFF FFFF 00D8 0000 0000";
    assert_eq!(heard.answers()[0][..80], hex(head));
    assert_eq!(heard.answers()[1][80..88], hex("00000000 0000007C"));
}

#[test]
fn who_has_no_mapper_or_wants_a_relation_says_so() {
    let heard = rehearse(&Persona { rejects_look_ups: true, ..et200sp() }, Udp, &[hex(LOOK_UP)]);
    assert_eq!((heard.answers()[0][1], &heard.answers()[0][80..]), (6, &hex("0300011C")[..]));
    let heard = rehearse(&Persona { reads_by_relation_only: true, ..et200sp() }, Udp, &[hex(LOOK_UP), hex(READ)]);
    assert_eq!((heard.answers()[1].len(), &heard.answers()[1][80..88]), (80 + 84, &hex("00A980DE 40000000")[..]));
}

/// What is told of it, the questions, and what trips.
type Row<'a> = (&'a str, Vec<Vec<u8>>, &'a [&'a str]);

#[test]
fn all_else_trips() {
    let with = |of: &str, at: usize, byte: u8| {
        let mut question = hex(of);
        question[at] = byte;
        question
    };
    let other = |at: usize| with(READ, at, 0x77);
    let table: &[Row] = &[
        ("a read first", vec![hex(READ)], &["before the look-up"]),
        ("in another conversation", vec![hex(LOOK_UP), other(41)], &["another conversation"]),
        ("twice", vec![hex(LOOK_UP), hex(LOOK_UP)], &["second look-up"]),
        ("a third", vec![hex(LOOK_UP), hex(READ), hex(READ)], &["more questions"]),
        ("connect", vec![with(READ, 68, 0)], &["a connect"]),
        ("release", vec![with(READ, 68, 1)], &["a release"]),
        ("read", vec![with(READ, 68, 2)], &["in a relation"]),
        ("write", vec![with(READ, 68, 3)], &["a write"]),
        ("control", vec![with(READ, 68, 4)], &["a control"]),
        ("I&M1", vec![with(READ, 135, 0xF1)], &["something else"]),
        ("another device", vec![other(23)], &["something else"]),
        ("a handle freed", vec![with(LOOK_UP, 68, 4)], &["endpoint mapper"]),
        ("a hundred entries", vec![with(LOOK_UP, 152, 100)], &["more than one"]),
        ("a ping", vec![with(LOOK_UP, 1, 1)], &["no request"]),
        ("another interface", vec![with(LOOK_UP, 24, 9)], &["another interface"]),
        ("a length that is not its own", vec![with(LOOK_UP, 74, 0)], &["just this length"]),
        ("garbage", vec![hex("47455420")], &["RPC"]),
    ];
    for (what, questions, expected) in table {
        check(what, &et200sp(), Udp, questions, expected);
    }
}
