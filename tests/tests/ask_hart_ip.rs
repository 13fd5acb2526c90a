//! Asking over HART-IP. No server of others is to be had, so it is the simulated one, which is written without our decoder and trips on whatever
//! read-only.md does not list; its answers are held against public captures in its own tests.

use std::collections::BTreeMap;
use std::net::SocketAddr;

use nameplate_simulators::hart_ip::{Device, Persona};
use nameplate_tests::personas::{self, Draw};
use nameplate_tests::place::needed;
use nameplate_tests::product::{Claim, Product, State, code, simulated};

/// A transmitter with drawn numbers and tags.
fn drawn() -> Persona {
    let mut draw = Draw(personas::seed());
    let mut number = |end: usize| u16::try_from(draw.below(end)).unwrap_or_default();
    let small = |number: u16| u8::try_from(number).unwrap_or(u8::MAX);
    let tag = format!("FT-{}", number(1000));
    Persona {
        device_type: 0x1000 + number(0x2000),
        device_id: u32::from(number(0x10000)) + 1,
        universal_revision: 7,
        device_revision: small(number(200)),
        software_revision: 1 + small(number(200)),
        hardware_revision: 1 + small(number(30)),
        // FieldComm Group, HCF_SPEC-183, table 8: Rosemount.
        manufacturer: 38,
        distributor: number(0x100),
        profile: 1,
        long_tag: format!("{tag} in unit {}", number(100)).into_bytes(),
        descriptor: format!("FLOW {}", number(1000)),
        tag,
        date: [22, 11, 126],
        refuses: BTreeMap::new(),
        listed: BTreeMap::new(),
    }
}

fn said(claims: &[Claim]) -> BTreeMap<String, String> {
    claims.iter().map(|claim| (claim.field.clone(), claim.value.clone())).collect()
}

/// Asks one device; what was claimed, and how many requests reached it. It trips on nothing.
fn asked(product: &Product, persona: &Persona, options: &'static [&'static str]) -> (BTreeMap<String, String>, u32) {
    let product = product.clone();
    let story = move |address: SocketAddr| {
        let target = address.to_string();
        let words = [&["--via", "hart-ip", "--format", "claims", &target][..], options].concat();
        said(&product.ask(&State::new(), &words).expect(code::DONE).claims())
    };
    let (claims, report) = simulated(Device::new(persona.clone()), story);
    assert_eq!(report.trips, []);
    assert_eq!(report.connections(), 1, "{report:?}");
    (claims, report.requests())
}

#[test]
fn a_transmitter_tells_its_identity_in_one_session() {
    let Some(product) = needed("a_transmitter_tells_its_identity_in_one_session", Product::find()) else { return };
    let persona = drawn();
    let expected: BTreeMap<String, String> = [
        ("manufacturer", "ROSEMOUNT".to_owned()),
        ("product_code", format!("0x{:04x}", persona.device_type)),
        ("software_revision", persona.software_revision.to_string()),
        ("hardware_revision", persona.hardware_revision.to_string()),
        ("protocol_revision", "7".to_owned()),
        ("name", String::from_utf8(persona.long_tag.clone()).expect("text")),
        ("description", persona.descriptor.clone()),
    ]
    .map(|(field, value)| (field.to_owned(), value))
    .into();
    for options in [&[][..], &["--hart-udp"]] {
        let (mut claims, requests) = asked(&product, &persona, options);
        // The tag of eight characters is a name, too; which of the two comes last does not matter here.
        let name = claims.get("name").cloned().unwrap_or_default();
        assert!([&expected["name"], &persona.tag].contains(&&name), "{name}");
        claims.insert("name".to_owned(), expected["name"].clone());
        assert_eq!(claims, expected, "{options:?}");
        assert_eq!(requests, 5, "a session, three commands, and its end");
    }
}

#[test]
fn a_transmitter_without_a_long_tag_is_asked_for_its_tag() {
    let Some(product) = needed("a_transmitter_without_a_long_tag_is_asked_for_its_tag", Product::find()) else { return };
    let persona = Persona { refuses: BTreeMap::from([(20, 64)]), ..drawn() };
    let (claims, requests) = asked(&product, &persona, &[]);
    assert_eq!((claims.get("name"), requests), (Some(&persona.tag), 5));
}

#[test]
fn a_busy_transmitter_is_left() {
    let Some(product) = needed("a_busy_transmitter_is_left", Product::find()) else { return };
    let persona = Persona { refuses: BTreeMap::from([(0, 32)]), ..drawn() };
    assert_eq!(asked(&product, &persona, &[]), (BTreeMap::new(), 3));
}
