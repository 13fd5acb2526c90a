use super::*;
use crate::claim::Grade;

fn observation(ip: &str, time_ns: u64, file: &str) -> Observation {
    Observation {
        time_ns,
        source: Source::Capture { file: file.into(), frame: 1 },
        protocol: "modbus".into(),
        question: "modbus.identification.basic".into(),
        address: Address { ip: Some(ip.parse().unwrap()), port: Some(502), unit: Some(1), ..Address::default() },
        messages: vec!["00".into()],
        malformed: Vec::new(),
        complete: true,
        exception: None,
        over: None,
        asked: 0,
        authority: None,
    }
}

fn said(fields: &[(Field, &str, &str, Grade)]) -> Interpretation {
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
    Interpretation { matched: Matched::One("x/y".into()), claims: fields.iter().map(claim).collect(), unreadable: Vec::new() }
}

const OBJECT_2: &str = "modbus.object.2";

fn firmware(value: &str) -> Interpretation {
    said(&[(Field::FirmwareRevision, value, OBJECT_2, Grade::IdentityObject)])
}

fn with_serial(serial: &str) -> Interpretation {
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
    let nothing = Interpretation { matched: Matched::None, claims: Vec::new(), unreadable: Vec::new() };
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
        (seen, "a server; it was never heard to identify itself"),
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
