use super::*;
use crate::conversation::End;
use crate::iso::tests::{hex, told};
use crate::tcp::At;

/// A GOOSE message by hand (IEC 61850-8-1, annex A): reference, time to live, data set, id, time, state and sequence, test, revision.
fn goose(reference: &str, sequence: u8, revision: u8) -> Vec<u8> {
    let text = |tag: u8, text: &str| [&[tag, text.len() as u8][..], text.as_bytes()].concat();
    let inside = [
        text(0x80, reference),
        hex("81020bb8"),
        text(0x82, "IED1/LLN0$DS"),
        text(0x83, "trip"),
        hex("8408000000000000000a"),
        vec![0x85, 1, 1, 0x86, 1, sequence, 0x87, 1, 0, 0x88, 1, revision],
        hex("8901008a0101ab03830100"),
    ]
    .concat();
    frame(0x61, &inside)
}

fn frame(tag: u8, inside: &[u8]) -> Vec<u8> {
    let length = 10 + inside.len() as u8;
    [&[0x00, 0x01, 0, length, 0, 0, 0, 0, tag, inside.len() as u8][..], inside].concat()
}

fn check(name: &str, form: &'static Form, frames: &[Vec<u8>], expected: &[&str]) {
    check_over(Over::Link(Kind::Ethertype(0x88b8)), name, form, frames, expected);
}

fn check_over(over: Over, name: &str, form: &'static Form, frames: &[Vec<u8>], expected: &[&str]) {
    let mut heard = Vec::new();
    let mut publisher = Publisher::new(form, over);
    let end = &End::default();
    for bytes in frames {
        let said = Said { bytes, missing: 0, at: At::default(), from: end, to: end, by_server: true };
        publisher.hear(&said, &mut |event| heard.extend(told(&event)));
    }
    assert_eq!(heard, expected, "{name}");
}

#[test]
fn a_publisher_is_told_once_until_its_names_or_its_configuration_change() {
    let expected = |block: &'static str, revision: &'static str| {
        ["goose publisher", "goose.announcement whole", block, "goose.data_set IED1/LLN0$DS", "goose.id trip", revision]
    };
    let first = expected("goose.control_block IED1/LLN0$GO$gcb1", "goose.configuration_revision 01");
    let second = expected("goose.control_block IED1/LLN0$GO$gcb2", "goose.configuration_revision 01");
    let changed = expected("goose.control_block IED1/LLN0$GO$gcb1", "goose.configuration_revision 02");
    let (a, b) = ("IED1/LLN0$GO$gcb1", "IED1/LLN0$GO$gcb2");
    check("it repeats itself", &GOOSE, &[goose(a, 0, 1), goose(a, 1, 1), goose(a, 2, 1)], &first);
    let turns = [goose(a, 0, 1), goose(b, 0, 1), goose(a, 1, 1), goose(b, 1, 1)];
    check("two in turns", &GOOSE, &turns, &[first, second].concat());
    check("configured anew", &GOOSE, &[goose(a, 0, 1), goose(a, 1, 2)], &[first, changed].concat());
    let padded = [goose(a, 0, 1), vec![0; 20]].concat();
    check("Ethernet padding", &GOOSE, &[padded], &first);
}

#[test]
fn sampled_values_name_their_stream() {
    // IEC 61850-9-2LE: one ASDU: svID, sample count, configuration revision, synchronisation, data (shortened).
    let asdu = hex("800a4d55303030314d553031 82020001 830400000001 850100 870400000000");
    let inside = [&hex("800101")[..], &[0xa2, asdu.len() as u8 + 2, 0x30, asdu.len() as u8], &asdu].concat();
    let expected = ["sv publisher", "sv.announcement whole", "sv.id MU0001MU01", "sv.configuration_revision 00000001"];
    check("a merging unit", &SV, &[frame(0x60, &inside), frame(0x60, &inside)], &expected);
}

#[test]
fn every_prefix_says_nothing_else() {
    let whole = goose("IED1/LLN0$GO$gcb1", 0, 1);
    for cut in 0..whole.len() {
        // Its own length says that it is not whole.
        assert!(fields(&GOOSE, Over::Link(Kind::Ethertype(0x88b8)), &whole[..cut]).is_err(), "cut after {cut}");
    }
    check("broken twice, said once", &GOOSE, &[vec![0; 12], vec![0; 12]], &["malformed goose 2"]);
    let secret = goose("IED1\u{1b}[2J", 0, 1);
    let told = ["goose.announcement whole", "goose.control_block IED1\u{1b}[2J", "goose.data_set IED1/LLN0$DS", "goose.id trip"];
    check("a name that is no text", &GOOSE, &[secret], &[&told[..], &["goose.configuration_revision 01"]].concat());
}

#[test]
fn a_routed_message_is_told_by_its_session_header() {
    // robidev/iec61850-dissector test/RGOOSE2.pcap, the first datagram.
    let routed =
        hex("0140a117801500000085000000bf000200000000000000000000000000006f810030010069616780125049474f2f4c4c4e3024474f24676f636230810210\
         2782125049474f2f4c4c4e30246473474f4f53453083125049474f2f4c4c4e3024474f24676f6362308408000000000000000a850101860200c0870100880101\
         8901008a0102ab08830100840303000000");
    let expected = [
        "goose publisher",
        "goose.announcement whole",
        "goose.control_block PIGO/LLN0$GO$gocb0",
        "goose.data_set PIGO/LLN0$dsGOOSE0",
        "goose.id PIGO/LLN0$GO$gocb0",
        "goose.configuration_revision 01",
    ];
    check_over(Over::Udp, "routed", &GOOSE, &[routed.clone(), routed.clone()], &expected);
    assert_eq!((PROTOCOL.likeness)(&routed, Over::Udp), Likeness::Certain);
    assert_eq!((SAMPLED_VALUES.likeness)(&routed, Over::Udp), Likeness::Possible);
    assert_eq!((PROTOCOL.likeness)(b"\x30\x26\x02\x01\x01\x04\x06public", Over::Udp), Likeness::No);
    // Header (37 bytes) and PDU (105): a signature may follow.
    for cut in 0..142 {
        assert_ne!((PROTOCOL.likeness)(&routed[..cut], Over::Udp), Likeness::Certain, "cut after {cut}");
    }
}
