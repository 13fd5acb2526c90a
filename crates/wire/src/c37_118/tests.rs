use super::*;
use crate::conversation::End;
use crate::iso::tests::{hex, told};

/// A frame of that type around its data, with the check word of annex B (the standard's own example: see the test).
fn frame(kind: u8, data: &[u8]) -> Vec<u8> {
    let size = (HEADER_BYTES + data.len() + CHECK_BYTES) as u16;
    let mut frame = [&[SYNC, kind << 4 | 1][..], &size.to_be_bytes(), &[0, 7, 0x65, 0x53, 0xf1, 0, 0, 0, 0, 0], data].concat();
    let check = crc(&frame);
    frame.extend(check.to_be_bytes());
    frame
}

/// A configuration 2 with one phasor, one analog value and one digital word for each station.
fn configuration(names: &[&str]) -> Vec<u8> {
    let station = |name: &&str| {
        let mut station = format!("{name:16}").into_bytes();
        station.extend(hex("0064000f000100010001"));
        station.resize(station.len() + 18 * NAME_BYTES + 12 + 2, b' ');
        [&station[..], &[0, 9]].concat()
    };
    let stations: Vec<u8> = names.iter().flat_map(station).collect();
    frame(CONFIGURATION_2, &[&hex("000f4240")[..], &[0, names.len() as u8], &stations, &[0, 30]].concat())
}

fn check(name: &str, pieces: &[(bool, &[u8])], expected: &[&str]) {
    let mut heard = Vec::new();
    let mut stream = (PROTOCOL.start)(Over::Tcp);
    let end = &End::default();
    for &(by_server, bytes) in pieces {
        let said = Said { bytes, missing: 0, at: At::default(), from: end, to: end, by_server };
        stream.hear(&said, &mut |event| heard.extend(told(&event)));
    }
    assert_eq!(heard, expected, "{name}");
}

#[test]
fn stations_are_told_by_name() {
    // arkime tests/pcap/synchrophasor_synthetic.pcap, frame 19: a command, which its sender gave the check word 0x92a5.
    let command = hex("aa410012012c6553f11200000000000592a5");
    let one = configuration(&["Feeder 7"]);
    let expected = [
        "c37.118 server",
        "c37.118 client",
        "c37.118.configuration_2 whole",
        "c37.118.id 0007",
        "c37.118.station.name Feeder 7",
        "c37.118.station.id 0064",
        "c37.118.station.configuration_count 0009",
    ];
    check("asked", &[(false, &command), (true, &one), (true, &one)], &expected);
    check("alone", &[(true, &one)], &[&["c37.118 publisher"][..], &expected[2..]].concat());
    let expected = [
        "c37.118 publisher",
        "c37.118.configuration_2 whole",
        "c37.118.id 0007",
        "c37.118.station_1.name A",
        "c37.118.station_1.id 0064",
        "c37.118.station_1.configuration_count 0009",
        "c37.118.station_2.name B",
        "c37.118.station_2.id 0064",
        "c37.118.station_2.configuration_count 0009",
    ];
    check("a concentrator", &[(true, &configuration(&["A", "B"]))], &expected);
    let header = frame(HEADER, b"Test PMU v1.0");
    check(
        "a header",
        &[(true, &header)],
        &["c37.118 publisher", "c37.118.header whole", "c37.118.id 0007", "c37.118.header Test PMU v1.0"],
    );
}

#[test]
fn names_of_the_third_configuration_have_a_length() {
    let station =
        [&[4][..], b"PMU1", &hex("0007"), &[7; 16], &hex("0000 0001 0000 0000"), &[3], b"PH1", &[0; 12 + 21 + 2], &[0, 2]].concat();
    let data = [&hex("0000 000f4240 0001")[..], &station, &[0, 30]].concat();
    let expected = [
        "c37.118 publisher",
        "c37.118.configuration_3 whole",
        "c37.118.id 0007",
        "c37.118.station.name PMU1",
        "c37.118.station.id 0007",
        "c37.118.station.global_id 07070707070707070707070707070707",
        "c37.118.station.configuration_count 0002",
    ];
    check("one station", &[(true, &frame(CONFIGURATION_3, &data))], &expected);
    let later = [&hex("0002")[..], &data[2..]].concat();
    check(
        "a later part",
        &[(true, &frame(CONFIGURATION_3, &later))],
        &["c37.118 publisher", "c37.118.configuration_3 part", "c37.118.id 0007"],
    );
}

#[test]
fn only_a_right_check_word_counts() {
    let whole = configuration(&["Feeder 7"]);
    let mut wrong = whole.clone();
    wrong[30] ^= 1;
    check("a bit turned", &[(true, &wrong)], &["malformed c37.118 352"]);
    assert_eq!(likeness(&whole, Over::Tcp), Likeness::Certain);
    assert_eq!(likeness(&wrong, Over::Tcp), Likeness::No);
    assert_eq!(likeness(b"GET / HTTP/1.1", Over::Tcp), Likeness::No);
    for cut in 0..whole.len() {
        assert_eq!(likeness(&whole[..cut], Over::Tcp), Likeness::Possible, "cut after {cut}");
        check("cut", &[(true, &whole[..cut])], &[]);
    }
    let liar = frame(CONFIGURATION_2, &hex("000f4240 ffff 4141"));
    check("65535 stations", &[(true, &liar)], &["c37.118 publisher", "c37.118.configuration_2 part", "c37.118.id 0007"]);
}
