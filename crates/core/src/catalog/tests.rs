use super::*;
use crate::claim::{Field, Grade};
use crate::observation::Authority;
use crate::profile::Matched;

pub(in crate::catalog) fn observation(ip: &str, time_ns: u64, file: &str) -> Observation {
    Observation {
        time_ns,
        source: Source::Capture { file: file.into(), frame: 1 },
        protocol: "modbus".into(),
        question: "modbus.identification.basic".into(),
        address: Address { ip: Some(ip.parse().unwrap()), port: Some(502), unit: Some(1), ..Address::default() },
        announced: Vec::new(),
        messages: vec!["00".into()],
        malformed: Vec::new(),
        complete: true,
        exception: None,
        over: None,
        asked: 0,
        authority: None,
        cut: 0,
    }
}

pub(in crate::catalog) fn said(fields: &[(Field, &str, &str, Grade)]) -> Interpretation {
    let claim = |(field, value, rule, grade): &(Field, &str, &str, Grade)| Claim {
        component: OWN_COMPONENT.into(),
        field: *field,
        value: (*value).into(),
        normal: None,
        grade: *grade,
        profile: "x/y".into(),
        rule: (*rule).into(),
        message: 0,
        offset: 0,
        length: 1,
    };
    Interpretation::of(Matched::One("x/y".into()), fields.iter().map(claim).collect())
}

const OBJECT_2: &str = "modbus.object.2";

fn firmware(value: &str) -> Interpretation {
    said(&[(Field::FirmwareRevision, value, OBJECT_2, Grade::IdentityObject)])
}

pub(in crate::catalog) fn with_serial(serial: &str) -> Interpretation {
    said(&[
        (Field::Manufacturer, "Maker", "modbus.object.0", Grade::IdentityObject),
        (Field::SerialNumber, serial, "modbus.object.128", Grade::IdentityObject),
    ])
}

#[test]
fn the_newest_word_of_a_rule_stands_and_the_earlier_ones_are_kept() {
    let mut catalog = Catalog::default();
    let id = catalog.take(&observation("10.0.0.1", 1, "a"), &firmware("V1"));
    assert_eq!(catalog.take(&observation("10.0.0.1", 2, "b"), &firmware("V2")), id);
    let asset = catalog.asset(&id).unwrap();
    let current = asset.shown(Field::FirmwareRevision).unwrap();
    assert_eq!((current.standing.claim.value.as_str(), current.conflicting.len()), ("V2", 0));
    assert_eq!(asset.claims.len(), 2);
    assert_eq!(asset.seen_ns, (1, 2));
}

#[test]
fn the_better_grade_stands_and_what_contradicts_it_is_shown() {
    let mut catalog = Catalog::default();
    let id = catalog.take(&observation("10.0.0.1", 1, "a"), &firmware("V1"));
    let banner = said(&[(Field::FirmwareRevision, "V9", "modbus.server_id.text", Grade::Banner)]);
    catalog.take(&observation("10.0.0.1", 2, "b"), &banner);
    let current = catalog.asset(&id).unwrap().shown(Field::FirmwareRevision).unwrap();
    assert_eq!(current.standing.claim.value, "V1");
    assert_eq!(current.conflicting.iter().map(|r| r.claim.value.as_str()).collect::<Vec<_>>(), ["V9"]);
}

#[test]
fn a_serial_number_keeps_its_asset_when_the_address_changes() {
    let mut catalog = Catalog::default();
    let id = catalog.take(&observation("10.0.0.1", 1, "a"), &with_serial("17"));
    assert_eq!(catalog.take(&observation("10.0.0.2", 2, "a"), &with_serial("17")), id);
    let places: Vec<_> = catalog.asset(&id).unwrap().addresses.iter().map(|a| a.ip.unwrap().to_string()).collect();
    assert_eq!(places, ["10.0.0.1", "10.0.0.2"]);
}

#[test]
fn another_serial_number_at_an_address_is_another_asset() {
    let mut catalog = Catalog::default();
    let first = catalog.take(&observation("10.0.0.1", 1, "a"), &with_serial("17"));
    let second = catalog.take(&observation("10.0.0.1", 2, "a"), &with_serial("18"));
    assert_ne!(first, second);
    assert_eq!(catalog.asset(&second).unwrap().remarks, [format!("answers where {first} did before, with another serial number")]);
    assert_eq!(catalog.at("10.0.0.1".parse().unwrap()).map(|asset| &asset.id).collect::<Vec<_>>(), [&second]);
}

#[test]
fn the_same_observations_give_the_same_catalog() {
    let fold = || {
        let mut catalog = Catalog::default();
        for (ip, time, what) in [("10.0.0.1", 1, firmware("V1")), ("10.0.0.2", 2, with_serial("1")), ("10.0.0.1", 1, firmware("V1"))] {
            catalog.take(&observation(ip, time, "a"), &what);
        }
        catalog
    };
    assert_eq!(fold(), fold());
    assert_eq!(fold().assets().count(), 2);
    assert_eq!(fold().assets().map(|asset| asset.claims.len()).sum::<usize>(), 3, "one observation counts once");
}

#[test]
fn unknown_has_a_reason() {
    let nothing = Interpretation::of(Matched::None, Vec::new());
    let mut exception = observation("10.0.0.1", 1, "a");
    exception.exception = Some(1);
    let mut cut = observation("10.0.0.2", 1, "a");
    cut.complete = false;
    let mut seen = observation("10.0.0.3", 1, "a");
    (seen.complete, seen.messages) = (false, Vec::new());
    let mut catalog = Catalog::default();
    for (observed, reason) in [
        (exception, "answered modbus.identification.basic with exception 1 (illegal function)"),
        (cut, "its identity answer is cut or broken"),
        (seen, "it was never heard to identify itself"),
    ] {
        let id = catalog.take(&observed, &nothing);
        assert_eq!(catalog.asset(&id).unwrap().why_unknown, reason);
    }
}

#[test]
fn the_beginning_of_an_id_names_an_asset_only_when_it_fits_one() {
    let mut catalog = Catalog::default();
    let id = catalog.take(&observation("10.0.0.1", 1, "a"), &firmware("V1"));
    assert_eq!(catalog.asset(&id[..5]).map(|asset| asset.id.as_str()), Some(id.as_str()));
    catalog.take(&observation("10.0.0.2", 1, "a"), &firmware("V1"));
    assert_eq!(catalog.asset("a-"), None);
    assert_eq!(catalog.asset(""), None);
}

#[test]
fn an_id_does_not_depend_on_where_the_file_lies() {
    let id = |file: &str| Catalog::default().take(&observation("10.0.0.1", 1, file), &firmware("V1"));
    for file in ["./a.pcap", "../b/a.pcap", "/srv/a.pcap", "C:\\srv\\a.pcap"] {
        assert_eq!(id(file), id("a.pcap"), "{file}");
    }
    assert_ne!(id("b.pcap"), id("a.pcap"));
}

/// Protocol, where, and the fields that are told there.
type Said<'a> = (&'a str, Address, &'a [(Field, &'a str)]);

/// Observations of (protocol, address) and the asset each belongs to, by the number of the observation that showed it first.
fn check_places(name: &str, heard: &[Said<'_>], expected: &[usize]) {
    let mut catalog = Catalog::default();
    let mut ids: Vec<String> = Vec::new();
    for (at, (protocol, address, fields)) in heard.iter().enumerate() {
        let fields: Vec<_> = fields.iter().map(|(field, value)| (*field, *value, "x.rule", Grade::IdentityObject)).collect();
        let mut observed = observation("10.0.0.1", at as u64, "a");
        (observed.protocol, observed.address) = ((*protocol).into(), address.clone());
        ids.push(catalog.take(&observed, &said(&fields)));
    }
    let first: Vec<usize> = ids.iter().map(|id| ids.iter().position(|other| other == id).unwrap()).collect();
    assert_eq!(first, expected, "{name}");
}

pub(super) fn at(last: u8, port: u16) -> Address {
    Address { ip: Some([10, 0, 0, last].into()), port: Some(port), ..Address::default() }
}

#[test]
fn a_device_is_its_address_and_the_way_behind_it() {
    let mac = |mac: &str| Address { mac: Some(mac.into()), ..Address::default() };
    let unit = |unit| Address { unit: Some(unit), ..at(1, 502) };
    let slot = |path: &str| Address { path: Some(path.into()), ..at(1, 44818) };
    let station = |network, station: &str, instance| Address {
        network: Some(network),
        station: Some(station.into()),
        instance: Some(instance),
        ..at(1, 47808)
    };
    let serial: &[_] = &[(Field::Model, "1756-ENBT/A"), (Field::SerialNumber, "0x0051aec3")];
    let unset: &[_] = &[(Field::Model, "1756-ENBT/A"), (Field::SerialNumber, "0x00000000")];
    let model = |model| [(Field::Model, model)];
    check_places("several protocols at one place", &[("enip", at(1, 44818), &[]), ("snmp", at(1, 161), &[])], &[0, 0]);
    check_places("one protocol on two ports: forwarded", &[("modbus", at(1, 502), &[]), ("modbus", at(1, 503), &[])], &[0, 1]);
    check_places("two web servers", &[("http", at(1, 80), &[]), ("http", at(1, 8080), &[])], &[0, 0]);
    check_places(
        "the device itself, and a unit behind it",
        &[("snmp", at(1, 161), &[]), ("modbus", unit(255), &[]), ("modbus", unit(7), &[])],
        &[0, 0, 2],
    );
    check_places(
        "modules of one backplane",
        &[("cip", slot("1/0"), &[]), ("cip", slot("1/1"), &[]), ("enip", at(1, 44818), &[])],
        &[0, 1, 2],
    );
    check_places(
        "a router's hardware address",
        &[
            ("snmp", Address { mac: Some("02:00:00:00:00:01".into()), ..at(1, 161) }, &[]),
            ("snmp", Address { mac: Some("02:00:00:00:00:01".into()), ..at(2, 161) }, &[]),
        ],
        &[0, 1],
    );
    check_places(
        "two neighbours without an address",
        &[("lldp", mac("02:00:00:00:00:01"), &[]), ("lldp", mac("02:00:00:00:00:02"), &[])],
        &[0, 1],
    );
    check_places("one serial number at two addresses", &[("enip", at(1, 44818), serial), ("enip", at(2, 44818), serial)], &[0, 0]);
    check_places("a serial number that was never set", &[("enip", at(1, 44818), unset), ("enip", at(2, 44818), unset)], &[0, 1]);
    check_places(
        "one BACnet instance, through a router and itself",
        &[("bacnet", station(5, "0c", 77), &[]), ("bacnet", Address { instance: Some(77), ..at(9, 47808) }, &[])],
        &[0, 0],
    );
    check_places(
        "one BACnet instance in two plants",
        &[
            ("bacnet", Address { instance: Some(1), ..at(1, 47808) }, &model("A")),
            ("bacnet", Address { instance: Some(1), ..at(2, 47808) }, &model("B")),
        ],
        &[0, 1],
    );
}

#[test]
fn what_others_believe_is_no_claim_and_is_shown_where_it_differs() {
    let mut catalog = Catalog::default();
    let id = catalog.take(&observation("10.0.0.1", 1, "a"), &firmware("4.3.1"));
    let belief = |value: &str| {
        let Interpretation { matched, claims, .. } = firmware(value);
        Interpretation { believed: claims, ..Interpretation::of(matched, Vec::new()) }
    };
    let mut believed = observation("10.0.0.1", 2, "a");
    believed.authority = Some(Authority::Belief);
    assert_eq!(catalog.take(&believed, &belief("4.2")), id);
    let asset = catalog.asset(&id).unwrap();
    assert_eq!(asset.shown(Field::FirmwareRevision).unwrap().standing.claim.value, "4.3.1");
    let wrong: Vec<String> = asset.wrong_beliefs().collect();
    assert_eq!(wrong, ["others take its firmware_revision for \"4.2\" (modbus.object.2); the device itself says \"4.3.1\""]);
    believed.time_ns = 3;
    catalog.take(&believed, &belief("4.3.1"));
    assert_eq!(catalog.asset(&id).unwrap().wrong_beliefs().count(), 0);
}

#[test]
fn where_nothing_was_told_in_time_order_it_is_shown_so() {
    let mut catalog = Catalog::default();
    catalog.take(&observation("10.0.0.1", 5, "b"), &firmware("V2"));
    catalog.take(&observation("10.0.0.1", 1, "a"), &firmware("V1"));
    let id = catalog.assets().next().unwrap().id.clone();
    catalog.settle();
    let asset = catalog.asset(&id).unwrap();
    assert_eq!(asset.id, id, "what was heard first gave the id");
    let values: Vec<_> = asset.claims.iter().map(|r| r.claim.value.as_str()).collect();
    assert_eq!((values, asset.seen_ns), (vec!["V1", "V2"], (1, 5)));
    let again = catalog.clone();
    catalog.settle();
    assert_eq!(catalog, again);
}
