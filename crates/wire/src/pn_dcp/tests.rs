use std::collections::BTreeMap;

use super::*;
use crate::conversation::End;
use crate::tcp::At;

/// ProfinetIO-DoS-attack set_attack.pcap, frame 2 without its Ethernet header: an ET200SP says who it is.
const IDENTIFIED: &str =
    "feff 0501 01140013 0000 0050 0202 0009 0000 65743230307370 00 0205 0004 0000 0207 0201 0009 0000 45543230305350 00
    0203 0006 0000 002a 0313 0204 0004 0000 0100 0207 0004 0000 0001 0102 000e 0001 c0a8010e ffffff00 c0a8010e";
const FACTS: [(&str, &str); 9] = [
    ("pn-dcp.name", "et200sp"),
    ("pn-dcp.station", "ET200SP"),
    ("pn-dcp.vendor", "\\x00*"),
    ("pn-dcp.device", "\\x03\\x13"),
    ("pn-dcp.role", "\\x01"),
    ("pn-dcp.instance", "\\x00\\x01"),
    ("pn-dcp.ip.address", "\\xc0\\xa8\\x01\\x0e"),
    ("pn-dcp.ip.mask", "\\xff\\xff\\xff\\x00"),
    ("pn-dcp.ip.gateway", "\\xc0\\xa8\\x01\\x0e"),
];
/// Frame 12: a name is written into it.
const SET: &str = "fefd 0400 00000001 0000 000e 0202 0009 0001 6d616c6c6f7279 00";
/// Frame 13: done.
const SET_DONE: &str = "fefd 0401 00000001 0000 0008 0504 0003 0202 00 00";
/// Frame 1: a controller looks for a name.
const WHO_IS: &str = "fefe 0500 01140013 0001 000c 0202 0007 65743230307370 00 00000000";
const CYCLIC_DATA: &str = "8000 0000000000000000 c800 3500";

fn hex(text: &str) -> Vec<u8> {
    let digits: Vec<u32> = text.chars().filter_map(|c| c.to_digit(16)).collect();
    digits.chunks(2).map(|pair| (pair[0] << 4 | pair[1]) as u8).collect()
}

fn hear(frames: &[(&[u8], usize)]) -> (Vec<Heard>, BTreeMap<&'static str, Coverage>) {
    let (mut heard, mut coverage) = (vec![], BTreeMap::new());
    let mut station = (PROTOCOL.start)(Over::Link(Kind::Ethertype(ETHERTYPE)));
    let from = &End { mac: Some(Mac([2, 0, 0, 0, 0, 1])), ..End::default() };
    let to = &End { mac: Some(Mac([2, 0, 0, 0, 0, 2])), ..End::default() };
    for ((bytes, missing), frame) in frames.iter().zip(1..) {
        let at = At { frame, time_ns: 0 };
        station.hear(&Said { bytes, missing: *missing, at, from, to, by_server: true }, &mut |event| heard.push(event));
    }
    station.coverage(&mut |name, counted| coverage.extend([(name, counted)]));
    (heard, coverage)
}

fn facts(heard: &[Heard]) -> Vec<(String, String)> {
    let readings = heard.iter().filter_map(|heard| if let Heard::Reading(reading) = heard { Some(reading) } else { None });
    readings.flat_map(|reading| &reading.facts).map(|fact| (fact.path.clone(), fact.bytes.escape_ascii().to_string())).collect()
}

#[test]
fn a_station_announces_its_address_unless_another_has_it() {
    let announced = |frame: &str| {
        let readings = hear(&[(&hex(frame), 0)]).0.into_iter().filter_map(|heard| match heard {
            Heard::Reading(reading) => Some(reading),
            _ => None,
        });
        readings.flat_map(|reading| reading.announced).filter_map(|address| address.ip).collect::<Vec<_>>()
    };
    let own = core::net::IpAddr::from([192, 168, 1, 14]);
    assert_eq!(announced(IDENTIFIED), [own]);
    let unset = IDENTIFIED.replace("c0a8010e ffffff00", "00000000 00000000");
    let conflict = IDENTIFIED.replace("0001 c0a8010e", "0081 c0a8010e");
    let set = "fefd 0400 00000001 0000 0012 0102 000e 0001 c0a8010e ffffff00 c0a8010e";
    for (name, frame) in [("none is set", unset.as_str()), ("another has it", &conflict), ("it is being set", set)] {
        assert_eq!(announced(frame), [own; 0], "{name}");
    }
}

/// What is told of frames, in a line each.
fn check(name: &str, frames: &[&str], expected: &[&str]) {
    let frames: Vec<Vec<u8>> = frames.iter().map(|frame| hex(frame)).collect();
    let (heard, _) = hear(&frames.iter().map(|frame| (&frame[..], 0)).collect::<Vec<_>>());
    let told: Vec<String> = heard
        .into_iter()
        .map(|heard| match heard {
            Heard::Present { protocol, role, at, .. } => format!("{}: {protocol} {}", at.frame, role.name()),
            Heard::Happened { happening, device, at, .. } => {
                let device = device.mac.map(|mac| mac.to_string()).unwrap_or_default();
                format!("{}: {happening:?} {device}", at.frame)
            }
            Heard::Malformed { malformed, .. } => format!("malformed at {}", malformed.offset),
            Heard::Reading(reading) => {
                let whole = if reading.complete { "whole" } else { "part" };
                let (by, facts) = (reading.speaker.mac.map(|mac| mac.to_string()).unwrap_or_default(), reading.facts.len());
                format!("{}: {} {:?} {by} {facts} {whole}", reading.messages[0].frame, reading.question, reading.authority)
            }
        })
        .collect();
    assert_eq!(told, expected, "{name}");
}

#[test]
fn an_answer_gives_its_facts_and_every_cut_fewer() {
    let bytes = hex(IDENTIFIED);
    let found = facts(&hear(&[(&bytes, 0)]).0);
    assert_eq!(found.iter().map(|(path, value)| (path.as_str(), value.as_str())).collect::<Vec<_>>(), FACTS);
    for end in 0..bytes.len() {
        for missing in [0, bytes.len() - end] {
            for fact in facts(&hear(&[(&bytes[..end], missing)]).0) {
                assert!(FACTS.contains(&(&fact.0, &fact.1)), "cut after {end} bytes: {fact:?}");
            }
        }
    }
    // Blocks that the capture above does not hold: MAC, full IP suite, alias, OEM id, DHCP name.
    let others = hex("fefd 0301 00000001 0000 0044 0101 0008 0000 001b1b02e61e 0103 0016 0001 0a000001 ff000000 00000000 08080808 00000000
        0206 0006 0000 706f7274 0208 0006 0000 01020304 030c 0005 0000 686d69 00");
    let found = facts(&hear(&[(&others, 0)]).0);
    let expected = [
        ("pn-dcp.mac", "\\x00\\x1b\\x1b\\x02\\xe6\\x1e"),
        ("pn-dcp.ip.address", "\\n\\x00\\x00\\x01"),
        ("pn-dcp.ip.mask", "\\xff\\x00\\x00\\x00"),
        ("pn-dcp.ip.gateway", "\\x00\\x00\\x00\\x00"),
        ("pn-dcp.alias", "port"),
        ("pn-dcp.oem.vendor", "\\x01\\x02"),
        ("pn-dcp.oem.device", "\\x03\\x04"),
        ("pn-dcp.dhcp.name", "hmi"),
    ];
    assert_eq!(found.iter().map(|(path, value)| (path.as_str(), value.as_str())).collect::<Vec<_>>(), expected);
}

#[test]
fn what_is_set_is_a_belief_about_the_device_and_something_that_happened_to_it() {
    let (client, device) = ("02:00:00:00:00:01", "02:00:00:00:00:02");
    check("an answer", &[IDENTIFIED, IDENTIFIED], &["1: pn-dcp server", &format!("1: pn-dcp.identify Device {client} 9 whole")]);
    let believed = format!("1: pn-dcp.set Belief {device} 1 whole");
    check("a name", &[SET, SET], &[&format!("1: Renamed {device}"), &believed]);
    check("a name is taken", &[SET_DONE], &["1: pn-dcp server"]);
    let reset = "fefd 0400 00000001 0000 0006 0506 0002 0004";
    check("back to the factory's settings", &[reset], &[&format!("1: Reset {device}"), &believed]);
    check("somebody looks for a name", &[WHO_IS], &[]);
    let hello = "fefc 0600 00000001 0000 000c 0202 0007 0000 646f6f7231 00";
    check("somebody starts", &[hello], &["1: pn-dcp publisher", &format!("1: pn-dcp.hello Device {client} 1 whole")]);
}

#[test]
fn cyclic_data_shows_somebody_once_and_is_counted() {
    check("cyclic data", &[CYCLIC_DATA, CYCLIC_DATA], &["1: pn-rt publisher"]);
    check("precision time shows nobody", &["ff00 0000"], &[]);
    let bytes = [hex(CYCLIC_DATA), hex(IDENTIFIED), hex(WHO_IS)];
    let (_, coverage) = hear(&bytes.iter().map(|bytes| (&bytes[..], 0)).collect::<Vec<_>>());
    let expected = [(NAME, Coverage { seen: 2, decoded: 2 }), (NAME_RT, Coverage { seen: 1, decoded: 1 })];
    assert_eq!(coverage.into_iter().collect::<Vec<_>>(), expected);
}

#[test]
fn what_is_broken_is_said_and_the_rest_is_read() {
    check("no such service", &["feff 0901 00000001 0000 0000"], &["malformed at 2"]);
    check("an answer among requests", &["feff 0500 00000001 0000 0000"], &["malformed at 2"]);
    let short = "feff 0501 00000001 0000 0010 0202 0006 0000 646f6f72 0203";
    check("blocks end early", &[short], &["1: pn-dcp server", "1: pn-dcp.identify Device 02:00:00:00:00:01 1 part"]);
    let long = "feff 0501 00000001 0000 000a 0202 0009 0000 646f6f72";
    check("a block longer than all", &[long], &["1: pn-dcp server", "1: pn-dcp.identify Device 02:00:00:00:00:01 0 part"]);
}

#[test]
fn only_a_dcp_header_looks_like_it() {
    let likeness = |bytes: &str| (PROTOCOL.likeness)(&hex(bytes), Over::Link(Kind::Ethertype(ETHERTYPE)));
    for own in [IDENTIFIED, SET, WHO_IS] {
        assert_eq!(likeness(own), Likeness::Possible);
    }
    for other in ["", "feff", CYCLIC_DATA, "feff 0400 00000001 0000 0000", "0207 04000130f9"] {
        assert_eq!(likeness(other), Likeness::No, "{other}");
    }
}
