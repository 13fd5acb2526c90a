use super::*;
use crate::language::Carrier::Tcp;
use crate::rehearsal::rehearse;
use crate::story::{check, hex};

fn server() -> Persona {
    let text = |texts: [&str; 3]| texts.map(str::to_owned);
    let build = ["PLC", "urn:plc", "Maker", "4.5.2", "7"].map(str::to_owned);
    let plate = vec![("SoftwareRevision".to_owned(), "V2.9".to_owned())];
    Persona { devices: vec![("PLC".to_owned(), plate)], ..Persona::new(text(["urn:press", "urn:maker:plc", "Press"]), build) }
}

const HELLO: &str =
    "48454c4638000000 00000000 00000100 00000100 00000400 10000000 18000000 6f70632e7463703a2f2f3139322e302e322e393a34383430";
const OPEN: &str = "4f504e4684000000 00000000 2f000000 687474703a2f2f6f7063666f756e646174696f6e2e6f72672f55412f5365637572697479506f6c696379234e6f6e65 \
                    ffffffff ffffffff 01000000 01000000 0100be01 0000 0000000000000000 01000000 00000000 ffffffff 10270000 000000 00000000 \
                    00000000 01000000 ffffffff 60ea0000";

/// A question on the channel; its size is written here.
fn asked(n: u8, service: u16, session: &str, body: &str) -> Vec<u8> {
    let service = service.to_le_bytes().map(|byte| format!("{byte:02x}")).concat();
    let head = format!("09000000 03000000 {n:02x}000000 {n:02x}000000 0100{service} {session}");
    let rest = hex(&format!("{head} 0000000000000000 {n:02x}000000 00000000 ffffffff 10270000 000000 {body}"));
    [&b"MSGF"[..], &u32::try_from(rest.len() + 8).expect("short").to_le_bytes(), &rest].concat()
}

const IN_SESSION: &str = "01013905";

fn create(timeout: &str) -> Vec<u8> {
    let who = "01000000 61 01000000 61 02 01000000 61 01000000 ffffffff ffffffff ffffffff ffffffff";
    asked(2, 461, "0000", &format!("{who} 01000000 61 01000000 61 ffffffff ffffffff {timeout} 00000400"))
}

fn begun(more: Vec<Vec<u8>>) -> Vec<Vec<u8>> {
    [hex(HELLO), hex(OPEN), create("00000000004cdd40")].into_iter().chain(more).collect()
}

fn end(n: u8) -> Vec<u8> {
    asked(n, 473, IN_SESSION, "01")
}

fn read(n: u8, nodes: &[&str]) -> Vec<u8> {
    let of: String = nodes.iter().map(|node| format!("{node} 0d000000 ffffffff 0000 ffffffff")).collect();
    asked(n, 631, IN_SESSION, &format!("0000000000000000 03000000 {:02x}000000 {of}", nodes.len()))
}

#[test]
fn answers_are_laid_out_as_in_the_standard() {
    let persona = server();
    let heard = rehearse(&persona, Tcp, &begun(vec![read(3, &["0100d808", "0102e903"]), end(4)]));
    assert_eq!(heard.trips, []);
    assert_eq!(heard.answers()[0], hex("41434b46 1c000000 00000000 00000100 00000100 00000400 10000000"));
    let values = "4d534746 5a000000 09000000 03000000 03000000 03000000 01007a02 0000000000000000 03000000 00000000 00 00000000 000000 \
                  02000000 010c 05000000 342e352e32 010c 04000000 56322e39 00000000";
    let mut values = hex(values);
    values[4] = u8::try_from(values.len()).expect("short");
    assert_eq!(heard.answers()[3], values);
    assert_eq!(persona.standing(), 0);
}

#[test]
fn sessions_are_few_and_forgotten_ones_stand() {
    let persona = Persona { sessions_max: 1, ..server() };
    check("left open", &persona, Tcp, &begun(Vec::new()), &["not closed"]);
    assert_eq!(persona.standing(), 1);
    let heard = rehearse(&persona, Tcp, &begun(Vec::new()));
    assert_eq!(heard.answers()[2][24..28], hex("01008d01"), "a fault");
    assert_eq!(heard.answers()[2][40..44], hex("00005680"), "BadTooManySessions");
}

#[test]
fn all_else_trips() {
    let long = vec![hex(HELLO), hex(OPEN), create("0000000000f9e540"), end(3)];
    check("a session of 45 s", &server(), Tcp, &long, &["30 s"]);
    for (what, question, expected) in [
        ("a write", asked(3, 673, IN_SESSION, "01000000"), "allowlist"),
        ("a call", asked(3, 712, IN_SESSION, "00000000"), "allowlist"),
        ("a subscription", asked(3, 787, IN_SESSION, ""), "allowlist"),
        (
            "another session",
            asked(3, 631, "01013a05", "0000000000000000 03000000 01000000 0100d808 0d000000 ffffffff 0000 ffffffff"),
            "outside",
        ),
        ("the same number", read(2, &["0100d808"]), "does not rise"),
        ("seventeen nodes", read(3, &["0100d808"; 17]), "16 nodes"),
    ] {
        check(what, &server(), Tcp, &begun(vec![question, end(4)]), &[expected]);
    }
    check("no hello", &server(), Tcp, &[hex(OPEN)], &["order"]);
    check("garbage", &server(), Tcp, &[b"GET ".to_vec()], &["no whole message"]);
}
