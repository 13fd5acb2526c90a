use core::ops::Not;

use super::*;

/// Answers of a real controller (public capture ITI ICS-Security-Tools pcaps/beckoff/beckoffaddroute.pcapng, frames 118, 122 and 116).
const PLC: &str =
    "000038000000c0a801c701012f80050d756001012003010005001800000000000000aa00000000000000020b3708504c4320536572766572000000000000";
const IO: &str =
    "000038000000c0a801c701012f80050d756001012c01010005001800000000000000ac00000000000000020b3408492f4f205365727665720000434f4d25";
/// The router says that nobody is at port 500 (header error 6).
const NOBODY: &str = "000020000000c0a801c701012f80050d75600101f4010100050000000000 06000000 a9000000";
/// The question to the first of these answers.
const ASKED: &str = "000020000000050d756001012003c0a801c701012f800100040000000000 00000000 aa000000";
/// Made by hand: a discovery answer with name, a short OSVERSIONINFO (10.0, platform 2, no text), TwinCAT 3.1.4024, a fingerprint.
const FOUND: &str = "03661471 00000000 01000080 0501020301011027 04000000 0500 0600 43582d303100 \
    0400 1400 14000000 0a000000 00000000 19000000 02000000 0300 0400 0301b80f 1200 0500 6162633900";

fn bytes(hex: &str) -> Vec<u8> {
    let digits: Vec<u8> = hex.bytes().filter(u8::is_ascii_hexdigit).collect();
    digits.chunks(2).map(|pair| u8::from_str_radix(core::str::from_utf8(pair).unwrap(), 16).unwrap()).collect()
}

fn read(over: Over, messages: &[&[u8]]) -> Vec<Reading> {
    PROTOCOL.replay(over, [], messages.iter().copied())
}

fn facts(reading: &Reading) -> Vec<(String, Vec<u8>)> {
    reading.facts.iter().map(|fact| (fact.path.clone(), fact.bytes.clone())).collect()
}

fn check(over: Over, hex: &str, name: &str, expected: &[(&str, &[u8])]) {
    let message = bytes(hex);
    let readings = read(over, &[&message]);
    let [reading] = &readings[..] else { panic!("{hex}: {readings:?}") };
    assert_eq!(reading.speaker.name.as_deref(), Some(name));
    assert!(reading.complete, "{reading:?}");
    let said = facts(reading);
    assert_eq!(said, expected.iter().map(|(path, bytes)| ((*path).to_owned(), bytes.to_vec())).collect::<Vec<_>>());
    for cut in 0..message.len() {
        for shorter in read(over, &[&message[..cut]]) {
            assert!(shorter.complete.not(), "cut after {cut}");
            assert!(facts(&shorter).iter().all(|fact| said.contains(fact)), "cut after {cut}");
        }
    }
}

#[test]
fn every_server_behind_a_router_tells_its_version() {
    let plc: [(&str, &[u8]); 2] = [("ads.device.version", &[2, 11, 0x37, 8]), ("ads.device.name", b"PLC Server")];
    check(Over::Tcp, PLC, "5.13.117.96.1.1:800", &plc);
    // Bytes behind the end of the name are what was in memory.
    let io: [(&str, &[u8]); 2] = [("ads.device.version", &[2, 11, 0x34, 8]), ("ads.device.name", b"I/O Server")];
    check(Over::Tcp, IO, "5.13.117.96.1.1:300", &io);
    let refused = PLC.replace("aa00000000000000", "aa00000001070000");
    check(Over::Tcp, &refused, "5.13.117.96.1.1:800", &[("ads.device.error", &[1, 7, 0, 0])]);
}

#[test]
fn a_router_tells_name_system_and_twincat() {
    let found: [(&str, &[u8]); 8] = [
        ("ads.discovery.net_id", &[5, 1, 2, 3, 1, 1]),
        ("ads.discovery.name", b"CX-01"),
        ("ads.discovery.os.major", &[10, 0, 0, 0]),
        ("ads.discovery.os.minor", &[0; 4]),
        ("ads.discovery.os.build", &[0x19, 0, 0, 0]),
        ("ads.discovery.os.platform", &[2, 0, 0, 0]),
        ("ads.discovery.twincat", &[3, 1, 0xb8, 0x0f]),
        ("ads.discovery.fingerprint", b"abc9"),
    ];
    check(Over::Udp, FOUND, "5.1.2.3.1.1:10000", &found);
}

#[test]
fn nobody_is_where_the_router_says_so() {
    assert_eq!(read(Over::Tcp, &[&bytes(NOBODY)]), []);
}

#[test]
fn who_answers_what_was_asked_takes_part() {
    let (mut ads, mut heard) = ((PROTOCOL.start)(Over::Tcp), Vec::new());
    let end = End::default();
    for (hex, by_server) in [(PLC, true), (ASKED, false), (PLC, true), (PLC, true)] {
        let said = Said { bytes: &bytes(hex), missing: 0, at: At::default(), from: &end, to: &end, by_server };
        ads.hear(&said, &mut |event| {
            if let Heard::Present { role, speaker, .. } = event {
                heard.push((role, speaker.name.unwrap_or_default()));
            }
        });
    }
    let expected = [(Role::Server, "5.13.117.96.1.1:800".to_owned()), (Role::Client, "192.168.1.199.1.1".to_owned())];
    assert_eq!(heard, expected);
}

#[test]
fn a_control_command_that_restarts_is_an_event() {
    let mut control = bytes(ASKED);
    control[2] = 0x28;
    (control[22], control[26]) = (5, 8);
    control.extend([2, 0, 0, 0, 0, 0, 0, 0]);
    let (mut ads, mut heard, end) = ((PROTOCOL.start)(Over::Tcp), Vec::new(), End::default());
    for _ in 0..2 {
        let said = Said { bytes: &control, missing: 0, at: At::default(), from: &end, to: &end, by_server: false };
        ads.hear(&said, &mut |event| heard.push(event));
    }
    let [Heard::Happened { happening: Happening::Reset, device, .. }] = &heard[..] else { panic!("{heard:?}") };
    assert_eq!(device.name.as_deref(), Some("5.13.117.96.1.1:800"));
}

#[test]
fn a_header_has_two_lengths_that_agree() {
    let plc = bytes(PLC);
    assert_eq!((PROTOCOL.likeness)(&plc, Over::Tcp), Likeness::Certain);
    assert_eq!((PROTOCOL.likeness)(&plc[..20], Over::Tcp), Likeness::Possible);
    let mut other = plc;
    other[26] += 1;
    assert_eq!((PROTOCOL.likeness)(&other, Over::Tcp), Likeness::No);
    // Modbus TCP, and a TLS hello.
    assert_eq!((PROTOCOL.likeness)(&bytes("000000000006 01 03 0000 0001"), Over::Tcp), Likeness::No);
    assert_eq!((PROTOCOL.likeness)(&bytes("1603010200010001fc0303"), Over::Tcp), Likeness::No);
    assert_eq!((PROTOCOL.likeness)(&bytes(FOUND), Over::Udp), Likeness::Certain);
    assert_eq!((PROTOCOL.likeness)(&bytes(PLC), Over::Udp), Likeness::No);
}
