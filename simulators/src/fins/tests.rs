use super::*;
use crate::language::Carrier::{Tcp, Udp};
use crate::language::Language;
use crate::rehearsal::rehearse;
use crate::story::{check, hex};

fn plc() -> Persona {
    Persona { assigned: [0x63].into(), ..Persona::new(b"CP1L-EL20DR-D", b"01.00\0\0\0\0\x0001.06") }
}

const NODE: &str = "46494E53 0000000C 00000000 00000000 00000000";
// As in the public capture omron_test.pcap, but for the node numbers.
const READ: &str = "46494E53 00000015 00000002 00000000 80000200010000EF0005 050100";
const DATAGRAM: &str = "800002000100006300EF 050100";

#[test]
fn a_client_gets_a_node_number_and_reads() {
    let heard = rehearse(&plc(), Tcp, &[NODE, READ].map(hex));
    assert_eq!(heard.trips, []);
    let [node, told] = heard.answers().try_into().expect("two answers");
    assert_eq!(node, hex("46494E53 00000010 00000001 00000000 000000EF 00000001"));
    assert_eq!(told[..30], hex("46494E53 00000072 00000002 00000000 C0000200EF0000010005 0501 0000"));
    assert_eq!(&told[30..70], b"CP1L-EL20DR-D       01.00\0\0\0\0\x0001.06\0\0\0\0\0");
    assert_eq!(told.len(), 30 + 92);
    let by_datagram = rehearse(&plc(), Udp, &[hex(DATAGRAM)]);
    assert_eq!((by_datagram.answers()[0][..14].to_vec(), by_datagram.trips), (hex("C000020063000001 00EF 0501 0000"), vec![]));
}

#[test]
fn a_plc_can_refuse() {
    let full = Persona { gives_node: None, ..plc() };
    assert_eq!(rehearse(&full, Tcp, &[hex(NODE)]).answers(), [hex("46494E53 00000010 00000001 00000020 00000000 00000000")]);
    let refuses = Persona { refuses: Some(0x0401), ..plc() };
    assert_eq!(rehearse(&refuses, Udp, &[hex(DATAGRAM)]).answers(), [hex("C000020063000001 00EF 0501 0401")]);
    let layout = plc().layout(&hex(READ));
    assert_eq!((layout.transaction, layout.unit, layout.length), (Some(25), Some(23), Some(4..8)));
}

#[test]
fn all_else_trips() {
    let after_node = |question: String| vec![NODE.to_owned(), question];
    let command = |command: &str, length: &str| READ.replace("050100", command).replace("00000015", length);
    let table: &[(&str, Vec<String>, &[&str])] = &[
        ("write memory", after_node(command("010282000000000 10000", "0000001C")), &["command"]),
        ("run", after_node(command("0401", "00000014")), &["command"]),
        ("read memory", after_node(command("0101", "00000014")), &["command"]),
        ("the other parameter", after_node(command("050101", "00000015")), &["command"]),
        ("another's node", after_node(READ.replace("0000EF0005", "0000630005")), &["source node"]),
        ("another PLC", after_node(READ.replace("0200010000EF", "0200020000EF")), &["another node"]),
        ("another unit", after_node(READ.replace("0200010000EF", "0200011000EF")), &["another unit"]),
        ("another network", after_node(READ.replace("0200010000EF", "0201010000EF")), &["gateway"]),
        ("no node number", vec![READ.to_owned()], &["due here"]),
        ("one's own node", vec![NODE.replace("00000000 00000000 00000000", "00000000 00000000 00000063")], &["own choice"]),
        ("three", vec![NODE.to_owned(), READ.to_owned(), READ.to_owned()], &["more questions"]),
        ("garbage", vec!["47455420".to_owned()], &["no FINS/TCP"]),
    ];
    for (what, questions, expected) in table {
        let questions: Vec<Vec<u8>> = questions.iter().map(|question| hex(question)).collect();
        check(what, &plc(), Tcp, &questions, expected);
    }
    check("unassigned", &plc(), Udp, &[hex(&DATAGRAM.replace("6300EF", "0500EF"))], &["assign"]);
    check("broadcast", &plc(), Udp, &[hex(&DATAGRAM.replace("0200010000", "0200FF0000"))], &["broadcast"]);
}
