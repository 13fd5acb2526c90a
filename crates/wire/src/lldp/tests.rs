use super::*;
use crate::Authority;
use crate::conversation::End;
use crate::tcp::At;

fn hex(text: &str) -> Vec<u8> {
    let digits: Vec<u32> = text.chars().filter_map(|c| c.to_digit(16)).collect();
    digits.chunks(2).map(|pair| (pair[0] << 4 | pair[1]) as u8).collect()
}

/// What is heard of frames of one sender.
fn hear(frames: &[(&[u8], usize)]) -> (Vec<Heard>, Coverage) {
    let (mut heard, mut coverage) = (vec![], Coverage::default());
    let mut neighbour = (PROTOCOL.start)(Over::Link(Kind::Ethertype(ETHERTYPE)));
    let (from, to, at) = (&End::default(), &End::default(), At::default());
    for (bytes, missing) in frames {
        neighbour.hear(&Said { bytes, missing: *missing, at, from, to, by_server: true }, &mut |event| heard.push(event));
    }
    neighbour.coverage(&mut |_, counted| coverage = counted);
    (heard, coverage)
}

fn facts(heard: &[Heard]) -> Vec<(String, String)> {
    let readings = heard.iter().filter_map(|heard| if let Heard::Reading(reading) = heard { Some(reading) } else { None });
    readings.flat_map(|reading| &reading.facts).map(|fact| (fact.path.clone(), fact.bytes.escape_ascii().to_string())).collect()
}

fn check(bytes: &[u8], expected: &[(&str, &str)]) {
    let (heard, _) = hear(&[(bytes, 0)]);
    let found = facts(&heard);
    let found: Vec<(&str, &str)> = found.iter().map(|(path, value)| (path.as_str(), value.as_str())).collect();
    assert_eq!(found, expected);
    for end in 0..bytes.len() {
        for fact in facts(&hear(&[(&bytes[..end], bytes.len() - end)]).0) {
            assert!(expected.contains(&(&fact.0, &fact.1)), "cut after {end} bytes: {fact:?}");
        }
    }
}

const MANDATORY: &str = "0207 04 000130f9ada0 0404 05 312f31 0602 0078";
const MANDATORY_FACTS: [(&str, &str); 5] = [
    ("lldp.chassis.subtype", "\\x04"),
    ("lldp.chassis.id", "\\x00\\x010\\xf9\\xad\\xa0"),
    ("lldp.port.subtype", "\\x05"),
    ("lldp.port.id", "1/1"),
    ("lldp.ttl", "\\x00x"),
];

/// `tlvs` behind the mandatory three, an end, and padding.
fn check_tlvs(tlvs: &str, expected: &[(&str, &str)]) {
    check(&hex(&format!("{MANDATORY} {tlvs} 0000 000000000000")), &[&MANDATORY_FACTS, expected].concat());
}

#[test]
fn every_tlv_is_a_fact_and_every_cut_gives_fewer() {
    check_tlvs("", &[]);
    // Values of arkime's wireshark-lldp.pcap, frames 2 and 3.
    check_tlvs("0a0d 53756d6d69743330302d343800", &[("lldp.system.name", "Summit300-48")]);
    check_tlvs("080731000000000000", &[("lldp.port.description", "1")]);
    check_tlvs(
        "0e04 0014 0010 0c03 563120",
        &[("lldp.system.capabilities", "\\x00\\x14"), ("lldp.system.enabled", "\\x00\\x10"), ("lldp.system.description", "V1 ")],
    );
    // A management address as IPv4 with an interface and an object id; one of a family that has no form here.
    check_tlvs(
        "1014 05 01 8d5100be 02 00000001 08 2b0601040181c06e",
        &[
            ("lldp.management.ip", "\\x8dQ\\x00\\xbe"),
            ("lldp.management.interface", "\\x00\\x00\\x00\\x01"),
            ("lldp.management.object", "+\\x06\\x01\\x04\\x01\\x81\\xc0n"),
        ],
    );
    check_tlvs(
        "100a 03 0f ff7a 02 00000000 00",
        &[("lldp.management.other", "\\xffz"), ("lldp.management.interface", "\\x00\\x00\\x00\\x00")],
    );
    // LLDP-MED: class, inventory; PROFINET: the interface's address; IANA: MUD.
    check_tlvs("fe07 0012bb 01 000f 04", &[("lldp.med.class", "\\x04")]);
    for (subtype, path) in [
        (5, "lldp.med.hardware"),
        (6, "lldp.med.firmware"),
        (7, "lldp.med.software"),
        (8, "lldp.med.serial"),
        (9, "lldp.med.manufacturer"),
        (10, "lldp.med.model"),
        (11, "lldp.med.asset"),
    ] {
        check_tlvs(&format!("fe08 0012bb {subtype:02x} 56302e31"), &[(path, "V0.1")]);
    }
    // A field of fixed width with what an earlier text left behind; one that is empty.
    check_tlvs("fe0e 0012bb 08 5331 00 6f6c6400 ff00", &[("lldp.med.serial", "S1")]);
    check_tlvs("fe08 0012bb 0a 00616263", &[]);
    check_tlvs("fe0a 000ecf 05 001b1b02e61e", &[("lldp.profinet.mac", "\\x00\\x1b\\x1b\\x02\\xe6\\x1e")]);
    check_tlvs("fe0a 00005e 01 68747470733a", &[("lldp.mud", "https:")]);
    check_tlvs("fe06 0080c2 01 0001", &[]);
}

/// Subtype 5 (IEEE 802.1AB-2016, Table 8-2): the id is a family (1, IPv4) and an address; the subtype stands before both.
#[test]
fn a_chassis_id_may_be_a_network_address() {
    check(
        &hex("0206 05 01 0a000001 0404 05 312f31 0602 0078 0000"),
        &[
            ("lldp.chassis.subtype", "\\x05"),
            ("lldp.chassis.id", "\\n\\x00\\x00\\x01"),
            ("lldp.port.subtype", "\\x05"),
            ("lldp.port.id", "1/1"),
            ("lldp.ttl", "\\x00x"),
        ],
    );
}

/// What a station says of its own addresses: its chassis, its management address, the interface behind a port (PROFINET). Unset ones, those of
/// groups and those of one link are nobody's.
#[test]
fn a_station_announces_the_addresses_that_are_its_own() {
    let announced = |tlvs: &str| {
        let heard = hear(&[(&hex(&format!("{MANDATORY} {tlvs} 0000")), 0)]).0;
        let readings = heard.into_iter().filter_map(|heard| if let Heard::Reading(reading) = heard { Some(reading) } else { None });
        let told = |address: crate::Address| address.mac.map(|mac| mac.to_string()).or(address.ip.map(|ip| ip.to_string()));
        readings.flat_map(|reading| reading.announced).filter_map(told).collect::<Vec<_>>()
    };
    let chassis = "00:01:30:f9:ad:a0";
    assert_eq!(announced("100c 05 01 c0a8020a 01 00000001 00"), [chassis, "192.168.2.10"]);
    assert_eq!(
        announced("100e 07 06 001b1b02e61e 01 00000001 00 fe0a 000ecf 05 001b1b02e61f"),
        [chassis, "00:1b:1b:02:e6:1e", "00:1b:1b:02:e6:1f"]
    );
    for nobodys in ["00000000", "e0000001", "ffffffff", "7f000001", "a9fe0102"] {
        assert_eq!(announced(&format!("100c 05 01 {nobodys} 01 00000001 00")), [chassis], "{nobodys}");
    }
    assert_eq!(announced("1018 11 02 fe800000000000000000000000000001 01 00000001 00"), [chassis]);
    assert_eq!(announced("fe0a 000ecf 05 011b1b02e61f fe0a 000ecf 05 000000000000"), [chassis]);
}

#[test]
fn a_system_identification_in_the_chassis_id_is_read_by_its_columns() {
    // ProfinetIO-DoS-attack port_stealing.pcap, frame 1677: the chassis id.
    let line = b"S7-1500                   6ES7 516-3AN01-0AB0  S C-K7LT20762018     3 V  2  6  0";
    let frame = [&[2, 81, 7][..], line, &hex("0402 07 31 0602 0014 0000")].concat();
    check(
        &frame,
        &[
            ("lldp.chassis.subtype", "\\x07"),
            ("lldp.chassis.id", core::str::from_utf8(line).unwrap_or_default()),
            ("lldp.profinet.type", "S7-1500                  "),
            ("lldp.profinet.order", "6ES7 516-3AN01-0AB0 "),
            ("lldp.profinet.serial", "S C-K7LT20762018"),
            ("lldp.profinet.hardware", "    3"),
            ("lldp.profinet.software", "V  2  6  0"),
            ("lldp.port.subtype", "\\x07"),
            ("lldp.port.id", "1"),
            ("lldp.ttl", "\\x00\\x14"),
        ],
    );
}

#[test]
fn what_is_broken_is_said_and_the_rest_is_read() {
    let malformed = |bytes: &[u8]| {
        let (heard, _) = hear(&[(bytes, 0)]);
        let said = heard.into_iter().filter_map(|heard| match heard {
            Heard::Malformed { malformed, .. } => Some((malformed.offset, "no reading")),
            Heard::Reading(reading) => reading.malformed.first().map(|(_, malformed)| (malformed.offset, "in a reading")),
            _ => None,
        });
        said.collect::<Vec<_>>()
    };
    assert_eq!(malformed(&hex("0401 07 0000")), [(0, "no reading")], "no chassis id");
    assert_eq!(malformed(&hex("0207 04 000130f9")), [(2, "no reading")]);
    assert_eq!(malformed(&hex(&format!("{MANDATORY} 0a05 4142"))), [(21, "in a reading")]);
    assert_eq!(malformed(&hex(&format!("{MANDATORY} 0e01 00 0a01 41 0000"))), [(21, "in a reading")]);
    assert_eq!(malformed(&hex(MANDATORY)), [(19, "in a reading")], "no end");
    let cut = hex(&format!("{MANDATORY} 0a05 4142"));
    let (heard, _) = hear(&[(&cut, 3)]);
    let whole = |heard: &Heard| matches!(heard, Heard::Reading(reading) if reading.complete || !reading.malformed.is_empty());
    assert!(!heard.iter().any(whole), "cut by the capture: not whole, and nobody's fault");
}

#[test]
fn an_announcement_is_read_once_and_counted_always() {
    let (one, other) = (hex(&format!("{MANDATORY} 0a01 41 0000")), hex(&format!("{MANDATORY} 0a01 42 0000")));
    let (heard, coverage) = hear(&[(&one, 0), (&one, 0), (&other, 0), (&one, 0)]);
    let readings: Vec<_> =
        heard.iter().filter_map(|heard| if let Heard::Reading(reading) = heard { Some(reading) } else { None }).collect();
    assert_eq!(readings.len(), 2);
    assert!(readings.iter().all(|reading| reading.complete && reading.authority == Authority::Device));
    assert_eq!(heard.len(), 3, "and one presence");
    assert_eq!(coverage, Coverage { seen: 4, decoded: 4 });
}

#[test]
fn only_a_chassis_id_looks_like_it() {
    let likeness = |bytes: &str| (PROTOCOL.likeness)(&hex(bytes), Over::Link(Kind::Ethertype(ETHERTYPE)));
    assert_eq!(likeness(MANDATORY), Likeness::Possible);
    for other in ["", "02", "0207", "0207 00 00", "0200 04", "feff 0500", "4500 0020"] {
        assert_eq!(likeness(other), Likeness::No, "{other}");
    }
}
