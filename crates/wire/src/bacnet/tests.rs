use core::net::IpAddr;

use super::*;
use crate::conversation::{End, Heard, Said};
use crate::tcp::At;
use crate::{Authority, Reading};

fn hex(text: &str) -> Vec<u8> {
    let digits: Vec<u32> = text.chars().filter_map(|c| c.to_digit(16)).collect();
    digits.chunks(2).map(|pair| (pair[0] << 4 | pair[1]) as u8).collect()
}

/// A datagram around an NPDU.
fn bip(npdu: &str) -> String {
    let npdu: String = npdu.split_whitespace().collect();
    format!("810a{:04x}{npdu}", npdu.len() / 2 + 4)
}

fn facts(reading: &Reading) -> Vec<(String, Vec<u8>)> {
    reading.facts.iter().map(|fact| (fact.path.trim_start_matches("bacnet.device.").to_owned(), fact.bytes.clone())).collect()
}

/// `messages` of one device give one reading with these values, the instance, network and station; every shorter last message the same
/// values or fewer.
fn check(over: Over, messages: &[&str], place: (Option<u32>, Option<u16>, Option<&str>), expected: &[(&str, &[u8])]) {
    let messages: Vec<Vec<u8>> = messages.iter().map(|text| hex(text)).collect();
    let readings = PROTOCOL.replay(over, [], messages.iter().map(Vec::as_slice));
    let [reading] = &readings[..] else { panic!("one reading of {messages:02x?}: {readings:?}") };
    let expected: Vec<(String, Vec<u8>)> = expected.iter().map(|(path, bytes)| ((*path).to_owned(), bytes.to_vec())).collect();
    assert_eq!(facts(reading), expected);
    assert!(reading.complete, "{:?}", reading.malformed);
    let speaker = &reading.speaker;
    assert_eq!((speaker.instance, speaker.network, speaker.station.as_deref()), place);
    for fact in &reading.facts {
        let there = &reading.messages[fact.message].bytes[fact.offset..];
        assert!(there.starts_with(&fact.bytes) || fact.bytes.starts_with(there), "{} stands at its place", fact.path);
    }
    let (last, before) = messages.split_last().unwrap();
    for cut in 0..last.len() {
        let shorter = before.iter().map(Vec::as_slice).chain([&last[..cut]]);
        for reading in PROTOCOL.replay(over, [], shorter) {
            assert!(facts(&reading).iter().all(|fact| expected.contains(fact)), "cut after {cut} bytes: {:?}", reading.facts);
            assert!(!reading.complete || cut == last.len(), "cut after {cut} bytes");
        }
    }
}

const I_AM: &str = "1000 c4 0200006f 22 01e0 91 03 21 2a";
const I_AM_SAYS: [(&str, &[u8]); 4] =
    [("instance", &[0, 0, 111]), ("max_apdu", &[1, 0xe0]), ("segmentation", &[3]), ("vendor_identifier", &[42])];

#[test]
fn an_i_am_is_read_over_everything_that_carries_it() {
    // ASHRAE 135-2020, annex J.2 and U.2, 16.10.
    check(Over::Udp, &[&bip(&format!("0100 {I_AM}"))], (Some(111), None, None), &I_AM_SAYS);
    check(Over::Udp, &[&bip(&format!("0120 ffff 00 ff {I_AM}"))], (Some(111), None, None), &I_AM_SAYS);
    check(Over::Udp, &[&bip(&format!("0108 000d 01 3d {I_AM}"))], (Some(111), Some(13), Some("3d")), &I_AM_SAYS);
    check(Over::Udp, &[&format!("8201 001a 00006f 000001 0100 {I_AM}")], (Some(111), None, None), &I_AM_SAYS);
    check(Over::Link(Kind::Llc(0x82)), &[&format!("828203 0100 {I_AM}")], (Some(111), None, None), &I_AM_SAYS);
    // Quoted: the-tcpdump-group/libpcap tests/filter/bacnet-arcnet-linux.pcap, frame 1.
    let arcnet = "c000e800cd828203 0120ffff00ff1000c40200006f2201e09103212a";
    check(Over::Link(Kind::Bus(BUS_ARCNET_LINUX)), &[arcnet], (Some(111), None, Some("c0")), &I_AM_SAYS);
    check(Over::Link(Kind::Bus(BUS_ARCNET)), &[&arcnet.replace("e800", "")], (Some(111), None, Some("c0")), &I_AM_SAYS);
}

#[test]
fn a_bus_frame_is_read_where_its_checks_hold() {
    // Quoted: ControlThings-io/ct-samples Protocols/BACnet/BACnet-MSTP-SNAP-Mixed.cap, frame 1635: an answer of station 0x72.
    let frame = "0601 7200 1d9e 0120659306c0a80067bac0ff 30010c0c02015062194b3ec4020150623f da1e";
    let says: [(&str, &[u8]); 1] = [("instance", &[1, 0x50, 0x62])];
    check(Over::Link(Kind::Snap(CIMETRICS, CIMETRICS_MSTP)), &[&format!("000080 {frame}")], (Some(86114), None, Some("72")), &says);
    let bus = Over::Link(Kind::Bus(BUS_MSTP));
    check(bus, &[&format!("55ff {frame}")], (Some(86114), None, Some("72")), &says);
    for (at, what) in [(3, "destination"), (5, "length"), (7, "header check"), (30, "data"), (38, "data check")] {
        let mut noisy = hex(&format!("55ff {frame}"));
        noisy[at] ^= 0x10;
        assert_eq!(PROTOCOL.replay(bus, [], [&noisy[..]]), [], "noise in the {what}");
    }
}

#[test]
fn a_device_object_s_properties_are_read_and_those_of_others_are_not() {
    let udp =
        |apdu: &str, instance, says: &[(&str, &[u8])]| check(Over::Udp, &[&bip(&format!("0100 {apdu}"))], (instance, None, None), says);
    // ReadProperty-ACK, 15.5.2: model name in ANSI, location in UCS-2 (annex F has the forms), any device's firmware.
    udp("3001 0c 0c 02000005 1946 3e 7506 00 4d4b2d3130 3f", Some(5), &[("model_name", b"MK-10")]);
    udp("3001 0c 0c 02000005 193a 3e 7505 04 00480031 3f", Some(5), &[("location", b"\0H\x001")]);
    udp("3001 0c 0c 023fffff 192c 3e 74 00 312e32 3f", None, &[("firmware_revision", b"1.2")]);
    udp("3001 0c 0c 02000005 1979 3e 7506 01 0352 4d4b21 3f", Some(5), &[("vendor_name", b"MK!")]);
    udp("3001 0c 0c 023fffff 194b 3e c4 02000005 3f", Some(5), &[("instance", &[0, 0, 5])]);
    // ReadPropertyMultiple-ACK, 15.7.2: an analog input, an error, an array element, a list.
    udp(
        "3001 0e 0c 00000001 1e 294d 4e 74 00 414931 4f 1f 0c 02000005 1e 294d 4e 74 00 444531 4f 292c 5e 9102 9120 5f \
         2979 3901 4e 74 00 585858 4f 2946 4e 74 00 414141 74 00 424242 4f 2a0174 4e 74 00 534e37 4f 1f",
        Some(5),
        &[("object_name", b"DE1"), ("serial_number", b"SN7")],
    );
    // Who-Am-I of ASHRAE 135-2020 (quoted: cisagov/icsnpp-bacnet bacnet_error_reject_abort.pcap, frame 41), and I-Have.
    udp(
        "100d 22022b 7507004c4d43503234 7506003132333435",
        None,
        &[("vendor_identifier", &[2, 0x2b]), ("model_name", b"LMCP24"), ("serial_number", b"12345")],
    );
    udp("1001 c4 02000005 c4 02000005 74 00 444531", Some(5), &[("object_name", b"DE1")]);
    for silent in [
        "1001 c4 02000005 c4 00000001 74 00 414931",
        "3001 0c 0c 00000001 194d 3e 74 00 414931 3f",
        "3001 0c 0c 02000005 1970 3e 9100 3f",
        "1008",
        "0005 01 0c 0c 02000005 192c",
        "5001 0c 9102 9120",
    ] {
        assert_eq!(PROTOCOL.replay(Over::Udp, [], [&hex(&bip(&format!("0100 {silent}")))[..]]), [], "{silent}");
    }
}

#[test]
fn an_answer_in_segments_is_put_together() {
    let segment =
        |number: u8, more: bool, part: &str| bip(&format!("0104 {} 07 {number:02x} 04 0e {part}", if more { "3c" } else { "38" }));
    let (first, last) = (segment(0, true, "0c 02000005 1e 292c 4e 7509 00 312e32"), segment(1, false, "2e333a34 33 4f 1f"));
    let says: [(&str, &[u8]); 1] = [("firmware_revision", b"1.2.3:43")];
    check(Over::Udp, &[&first, &last], (Some(5), None, None), &says);
    check(Over::Udp, &[&first, &first, &last], (Some(5), None, None), &says);
    let without_middle = [&first, &segment(2, false, "2e333a34 33 4f 1f")].map(|text| hex(text));
    assert_eq!(PROTOCOL.replay(Over::Udp, [], without_middle.iter().map(Vec::as_slice)), [], "a missing segment is not passed over");
}

#[test]
fn what_is_no_npdu_is_malformed() {
    for (bytes, expected) in [
        ("810a0003", "BVLC length counts its own header (J.2)"),
        ("830a0008 01001008", "a BVLC type and function (J.2, U.2)"),
        ("810a0008 02001008", "NPDU version 1, reserved bits 0 (6.2)"),
        ("810a000b 0108 0005 00 1008", "a source is one station (6.2.2.2)"),
        ("810a0010 0108 0005 08 0102030405060708", "address (6.2.2)"),
        ("810a000b 0100 1000 c4 0000", "tag length (20.2.1.3)"),
        ("810a0007 010080", "a PDU type from 0 to 7 (20.1.1)"),
    ] {
        let (mut heard, end) = (Vec::new(), End::default());
        let said = Said { bytes: &hex(bytes), missing: 0, at: At::default(), from: &end, to: &end, by_server: true };
        (PROTOCOL.start)(Over::Udp).hear(&said, &mut |event| heard.push(event));
        let [Heard::Malformed { malformed, .. }] = &heard[..] else { panic!("{bytes}: {heard:?}") };
        assert_eq!(malformed.said_by, expected, "{bytes}");
    }
}

#[test]
fn likeness_needs_fields_that_agree() {
    let i_am = bip(&format!("0100 {I_AM}"));
    for (bytes, expected) in [
        (&*i_am, Likeness::Certain),
        ("81040022c0a80012bac00128ffff0000040156fe1000c4020d7ee82201e091032156", Likeness::Certain),
        ("81050006003c", Likeness::Possible),
        (&i_am[..20], Likeness::Possible),
        (&format!("{i_am}00"), Likeness::No),
        ("810a0008 47455420", Likeness::No),
        ("63000000000000000000000000000000", Likeness::No),
        ("30260201010406", Likeness::No),
    ] {
        assert_eq!((PROTOCOL.likeness)(&hex(bytes), Over::Udp), expected, "{bytes}");
    }
}

/// What a conversation between 10.0.0.1 (false) and the device at 10.0.0.2 (true) tells.
fn talk(said: &[(bool, String)]) -> Vec<String> {
    let [client, server] = [1, 2].map(|last| End { ip: Some(IpAddr::from([10, 0, 0, last])), port: Some(47808), mac: None });
    let (mut told, mut conversation) = (Vec::new(), (PROTOCOL.start)(Over::Udp));
    for (by_server, text) in said {
        let (from, to) = if *by_server { (&server, &client) } else { (&client, &server) };
        let said = Said { bytes: &hex(text), missing: 0, at: At::default(), from, to, by_server: *by_server };
        conversation.hear(&said, &mut |heard| {
            told.push(match heard {
                Heard::Present { role, speaker, .. } => format!("{} {}", role.name(), speaker.ip.unwrap()),
                Heard::Reading(reading) => {
                    let belief = if reading.authority == Authority::Belief { " belief" } else { "" };
                    format!("{}{belief} {} {:?}", reading.question, reading.speaker.ip.unwrap(), reading.speaker.instance)
                }
                Heard::Happened { happening, device, .. } => format!("{happening:?} {}", device.ip.unwrap()),
                Heard::Malformed { malformed, .. } => malformed.to_string(),
            });
        });
    }
    told
}

#[test]
fn the_same_is_told_once_and_another_value_again() {
    let firmware = |digit: char| (true, bip(&format!("0100 3001 0c 0c 023fffff 192c 3e 72 00 3{digit} 3f")));
    let (i_am, question) = ((true, bip(&format!("0100 {I_AM}"))), (false, bip("0104 0005 01 0c 0c 023fffff 192c")));
    let told = talk(&[i_am.clone(), i_am, firmware('1'), question.clone(), firmware('1'), firmware('2'), question, firmware('1')]);
    let read = "bacnet.read_property 10.0.0.2 Some(111)";
    assert_eq!(told, ["bacnet.i_am 10.0.0.2 Some(111)", "publisher 10.0.0.2", read, "client 10.0.0.1", "server 10.0.0.2", read, read]);
}

#[test]
fn a_change_is_heard_when_the_device_says_so() {
    let (restart, done, failed) = (bip("0104 0005 09 14 09 00"), bip("0100 20 09 14"), bip("0100 50 09 14 9102 911a"));
    assert_eq!(talk(&[(false, restart.clone()), (true, failed)]), ["client 10.0.0.1", "server 10.0.0.2"]);
    let happened = talk(&[(false, restart), (true, done.clone()), (true, done)]);
    assert_eq!(happened, ["Reset 10.0.0.2", "client 10.0.0.1", "server 10.0.0.2"]);
    let rename = bip("0104 0005 0a 0f 0c 02000005 194d 3e 74 00 444531 3f");
    let renamed = talk(&[(false, rename), (true, bip("0100 20 0a 0f"))]);
    assert_eq!(renamed, ["bacnet.write_property belief 10.0.0.2 Some(5)", "Renamed 10.0.0.2", "client 10.0.0.1", "server 10.0.0.2"]);
    let forwarded = talk(&[(true, format!("8104001a 0a000063 bac0 0100 {I_AM}"))]);
    assert_eq!(forwarded, ["bacnet.i_am 10.0.0.99 Some(111)", "publisher 10.0.0.99"], "a BBMD is not the device it forwards for");
}

/// I-Am of device 5 and Who-Am-I, from one address (ASHRAE 135-2020, 16.10 and 16.11).
#[test]
fn who_asks_what_it_is_has_no_instance() {
    let messages = ["1000 c4 02000005 2201e0 9103 212a", "100d 22022b 7507004c4d43503234 7506003132333435"];
    let messages = messages.map(|apdu| hex(&bip(&format!("0100 {apdu}"))));
    let readings = PROTOCOL.replay(Over::Udp, [], messages.iter().map(Vec::as_slice));
    let told: Vec<_> = readings.iter().map(|reading| (reading.question, reading.speaker.instance)).collect();
    assert_eq!(told, [("bacnet.i_am", Some(5)), ("bacnet.who_am_i", None)]);
}
