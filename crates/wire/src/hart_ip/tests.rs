//! Messages are quoted from public captures where it says so, else built by hand from HCF_SPEC-085 and HCF_SPEC-127.

use super::*;
use crate::Shape;

/// ITI ICS-Security-Tools pcaps/hart/hart_ip.pcap, frames 3, 4 and 18: a fact each.
const ASKED: &str = "010003000003001182264e0000d2000038";
const IDENTITY: &str = "010103000003002986264e0000d2001800d0fe264e050704010e0c0000d205020002d00026002684e4";
const LONG_TAG: &str = "01010300000a003386264e0000d2142200d07769686172746777000000000000000000000000000000000000000000000000db";
/// icsnpp-hart-ip testing/traces, hart-ip_publish_and_keepAlive.pcapng frame 10 (short address), all_types_and_commands_sent.pcapng frame 55.
const SHORT: &str = "010103000001002506c000180010fef9fd000702324e0095266f000300010100f900f941d3";
const DIRECT_IDENTITY: &str = "0101040000190024000000001700fef9fd000702324e0095266f0003000a0100f900f941";
const OPENED: &str = "010100000002000d010000ea60";

fn bytes(hex: &str) -> Vec<u8> {
    let digits: Vec<u8> = hex.bytes().filter(u8::is_ascii_hexdigit).collect();
    digits.chunks_exact(2).map(|pair| u8::from_str_radix(core::str::from_utf8(pair).expect("hex"), 16).expect("hex")).collect()
}

/// Header and frame of an answer, its lengths and check byte computed here.
fn answer(delimited: &str) -> Vec<u8> {
    let frame = bytes(delimited);
    let check = frame.iter().fold(0, |sum, byte| sum ^ byte);
    let length = u16::try_from(HEADER_BYTES + frame.len() + 1).expect("short").to_be_bytes();
    [&[1, 1, 3, 0, 0, 3, length[0], length[1]], &frame[..], &[check]].concat()
}

fn check(name: &str, said: &[(bool, Vec<u8>)], expected: &[&str]) {
    let mut heard = Vec::new();
    let mut note = |event: Heard| {
        heard.push(match event {
            Heard::Present { role, speaker, .. } => format!("{} {}", role.name(), speaker.hart.unwrap_or_default()),
            Heard::Happened { happening, device, .. } => format!("{happening:?} {}", device.hart.unwrap_or_default()),
            Heard::Malformed { malformed, .. } => format!("malformed at {}", malformed.offset),
            Heard::Reading(reading) => {
                let fact = |fact: &crate::Fact| match fact.shape {
                    Shape::Text => fact.bytes.escape_ascii().to_string(),
                    _ => fact.bytes.iter().map(|byte| format!("{byte:02x}")).collect(),
                };
                let (facts, whole): (Vec<_>, _) = (reading.facts.iter().map(fact).collect(), if reading.complete { "" } else { " part" });
                let who = reading.speaker.hart.unwrap_or_default();
                format!("{} {:?} {who}: {}{whole}", reading.question, reading.authority, facts.join(" "))
            }
        });
    };
    let mut session = Session::new(Over::Tcp);
    for (by_server, bytes) in said {
        let (at, from, to) = (At::default(), &End::default(), &End::default());
        session.hear(&Said { bytes, missing: 0, at, from, to, by_server: *by_server }, &mut note);
    }
    assert_eq!(heard, expected, "{name}");
}

#[test]
fn an_instrument_says_what_it_is() {
    // At the end the device status of command 0: of the gateway malfunction, configuration changed, more status available.
    let wihart = "hart-ip.identity Device 264e0000d2: 264e 07 04 01 0e 0000d2 0026 0026 84 d0";
    let told = ["server 264e0000d2", "client ", wihart];
    check("asked", &[(false, bytes(ASKED)), (true, bytes(IDENTITY))], &[wihart, told[0], told[1]]);
    check("not asked", &[(true, bytes(IDENTITY))], &[wihart]);
    check("in two segments", &[(true, bytes(IDENTITY)[..9].to_vec()), (true, bytes(IDENTITY)[9..].to_vec())], &[wihart]);
    let lab = "hart-ip.identity Device 39fd95266f: f9fd 07 02 32 4e 95266f 00f9 00f9 41";
    check("short address", &[(true, bytes(SHORT))], &[&format!("{lab} 10")]);
    check("direct", &[(true, bytes(DIRECT_IDENTITY))], &[lab]);
    check("long tag", &[(true, bytes(LONG_TAG))], &["hart-ip.long_tag Device 264e0000d2: wihartgw"]);
    // HART 5: manufacturer and type are a byte each, nothing follows the device id.
    let five = answer("86 a60b123456 00 0e 0000 fe 26 0b 05 05 02 0a 21 00 123456");
    check("HART 5", &[(true, five)], &["hart-ip.identity Device 260b123456: 260b 05 02 0a 21 123456 26 00"]);
    let tag = answer("86 264e0000d2 0d 17 0000 414b71c31060 000000000000000000000000 0a0b70");
    check("tag", &[(true, tag)], &["hart-ip.tag Device 264e0000d2: 414b71c31060 000000000000000000000000 0a0b70"]);
    let assembly = answer("86 264e0000d2 10 05 0000 012345");
    check("final assembly", &[(true, assembly)], &["hart-ip.final_assembly Device 264e0000d2: 012345"]);
}

#[test]
fn instruments_behind_an_io_system_have_their_own_addresses() {
    let embedded = answer("86 264e0000d2 4d 1a 0000 01 02 86 260b123456 00 0e 0000 fe 26 0b 05 05 02 0a 21 00 123456");
    check("handed on", &[(true, embedded)], &["hart-ip.identity Device 260b123456: 260b 05 02 0a 21 123456 26 00"]);
    let list = answer(
        "86 264e0000d2 54 2f 0000 0001 00 01 0026 260b 123456 07 5449432d31000000000000000000000000000000000000000000000000000000 04",
    );
    check("listed", &[(true, list)], &["hart-ip.sub_device Belief 260b123456: 0026 260b 123456 07 TIC-1 04"]);
}

#[test]
fn what_is_no_identity_is_passed_over_and_what_is_broken_is_told() {
    check("session", &[(false, bytes("010000000002000d0100007530")), (true, bytes(OPENED))], &["server ", "client "]);
    check("refused", &[(true, answer("86 264e0000d2 00 02 8400"))], &[]);
    check("renamed", &[(true, answer("86 264e0000d2 12 17 0000 414b71c31060 000000000000000000000000 0a0b70"))], &["Renamed 264e0000d2"]);
    check("reset twice", &[(true, answer("86 264e0000d2 2a 02 0000")), (true, answer("86 264e0000d2 2a 02 0000"))], &["Reset 264e0000d2"]);
    let mut torn = bytes(IDENTITY);
    torn[40] ^= 1;
    check("check byte", &[(true, torn)], &["hart-ip.identity Device 264e0000d2: 264e 07 04 01 0e 0000d2 0026 0026 84 d0 part"]);
    check("Modbus", &[(true, bytes("000100000006010300000001"))], &["malformed at 0"]);
}

#[test]
fn a_shorter_answer_says_the_same_or_less() {
    for hex in [IDENTITY, LONG_TAG, SHORT, DIRECT_IDENTITY] {
        let message = bytes(hex);
        let facts =
            |bytes: &[u8]| PROTOCOL.replay(Over::Udp, [], [bytes]).into_iter().flat_map(|reading| reading.facts).collect::<Vec<_>>();
        let whole = facts(&message);
        assert!(!whole.is_empty(), "{hex}");
        for cut in 0..message.len() {
            assert!(facts(&message[..cut]).iter().all(|fact| whole.contains(fact)), "{hex} {cut}");
        }
    }
}

#[test]
fn hart_is_told_from_modbus_in_both_directions() {
    let modbus = |bytes: &[u8]| (crate::modbus::PROTOCOL.likeness)(bytes, Over::Tcp);
    for (hex, expected) in [(ASKED, Likeness::Certain), (IDENTITY, Likeness::Certain), (SHORT, Likeness::Certain)] {
        assert_eq!((likeness(&bytes(hex), Over::Udp), modbus(&bytes(hex))), (expected, Likeness::No), "{hex}");
    }
    assert_eq!(likeness(&bytes(OPENED), Over::Udp), Likeness::Certain);
    assert_eq!(likeness(&bytes("0100020000020008"), Over::Udp), Likeness::Possible);
    for hex in ["000100000006010300000001", "010000000006010300000001", "010100000006010300000001", "16030100", "0100"] {
        assert!(likeness(&bytes(hex), Over::Tcp) < Likeness::Certain, "{hex}");
    }
}
