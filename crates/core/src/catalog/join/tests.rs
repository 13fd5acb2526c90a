use super::super::tests::{at, observation, said, with_serial};
use super::*;
use crate::claim::{Field, Grade};
use crate::ledger::{Body, Entry, Observed, Replay, Tail};
use crate::observation::Observation;
use crate::profile::{Interpretation, Matched};
use crate::view::View;

type Heard<'a> = (&'a str, Address, &'a [Address], Option<&'a [(Field, &'a str)]>);

/// Observations of (protocol, address, announced addresses, what was told, or `None` where somebody was only seen), and the asset each
/// belongs to in the end, by the number of the observation that showed it first; and how many assets there are.
fn check_joins(name: &str, heard: &[Heard<'_>], expected: &[usize], assets: usize) {
    let mut catalog = Catalog::default();
    let mut ids: Vec<String> = Vec::new();
    for (at, (protocol, address, announced, fields)) in heard.iter().enumerate() {
        let mut observed = observation("10.0.0.1", at as u64, "a");
        (observed.protocol, observed.address, observed.announced) = ((*protocol).into(), address.clone(), announced.to_vec());
        let fields = fields.map(|fields| fields.iter().map(|(field, value)| (*field, *value, "x.rule", Grade::IdentityObject)));
        let meaning = match fields {
            Some(fields) => said(&fields.collect::<Vec<_>>()),
            None => {
                (observed.question, observed.complete) = ("presence.server".into(), false);
                observed.messages.clear();
                Interpretation::of(Matched::None, Vec::new())
            }
        };
        ids.push(catalog.take(&observed, &meaning));
    }
    let now: Vec<&str> = ids.iter().map(|id| catalog.asset(id).map_or("", |asset| asset.id.as_str())).collect();
    let first: Vec<usize> = now.iter().map(|id| now.iter().position(|other| other == id).unwrap()).collect();
    assert_eq!(first, expected, "{name}");
    assert_eq!(catalog.assets().count(), assets, "{name}");
    for asset in catalog.assets() {
        let seen = ids.iter().enumerate().filter(|(_, id)| catalog.asset(id).is_some_and(|own| own.id == asset.id));
        assert_eq!(asset.observations, seen.count() as u64, "{name}: each observation counts once");
    }
}

const OWN_MAC: &str = "02:00:00:00:00:01";
const OTHER_MAC: &str = "02:00:00:00:00:02";

fn mac(mac: &str) -> Address {
    Address { mac: Some(mac.into()), ..Address::default() }
}

fn from(mac: &str, address: Address) -> Address {
    Address { mac: Some(mac.into()), ..address }
}

fn ip(last: u8) -> Address {
    Address { ip: Some([10, 0, 0, last].into()), ..Address::default() }
}

#[test]
fn a_station_that_announces_its_address_is_the_device_that_answers_there() {
    let (own, other) = (mac(OWN_MAC), mac(OTHER_MAC));
    let announced = &[ip(1)][..];
    let (there, elsewhere) = (from(OWN_MAC, at(1, 161)), from(OTHER_MAC, at(1, 161)));
    let (said, nothing) = (Some(&[(Field::Model, "M")][..]), Some(&[][..]));
    check_joins("announced, then heard", &[("pn-dcp", own.clone(), announced, said), ("snmp", there.clone(), &[], nothing)], &[0, 0], 1);
    check_joins("heard, then announced", &[("snmp", there.clone(), &[], nothing), ("pn-dcp", own.clone(), announced, said)], &[0, 0], 1);
    let (silent, another) = (&[][..], &[ip(2)][..]);
    for (name, before) in [("announced only later", silent), ("announced another before", another)] {
        let (first, then) = (("pn-dcp", own.clone(), before, said), ("pn-dcp", own.clone(), announced, said));
        check_joins(name, &[first, then, ("snmp", there.clone(), &[], nothing)], &[0, 0, 0], 1);
    }
    check_joins("another hardware address", &[("pn-dcp", own.clone(), announced, said), ("snmp", elsewhere, &[], said)], &[0, 1], 2);
    check_joins("none is known", &[("pn-dcp", own.clone(), announced, said), ("snmp", at(1, 161), &[], said)], &[0, 1], 2);
    check_joins(
        "the chassis has the hardware address, the port another",
        &[("lldp", other.clone(), &[own.clone(), ip(1)], said), ("snmp", there.clone(), &[], nothing)],
        &[0, 0],
        1,
    );
    check_joins(
        "two ports of one chassis",
        &[
            ("lldp", own.clone(), &[mac("02:00:00:00:00:09"), ip(1)], said),
            ("lldp", other.clone(), &[mac("02:00:00:00:00:09"), ip(1)], said),
        ],
        &[0, 0],
        1,
    );
    check_joins(
        "two that left the factory with one address",
        &[("lldp", own.clone(), announced, said), ("lldp", other.clone(), announced, said)],
        &[0, 1],
        2,
    );
}

#[test]
fn what_an_announced_address_does_not_join() {
    let (own, announced) = (mac(OWN_MAC), &[ip(1)][..]);
    let (said, seen) = (Some(&[(Field::Model, "M")][..]), None);
    check_joins(
        "serial numbers differ",
        &[
            ("lldp", own.clone(), announced, Some(&[(Field::Model, "M"), (Field::SerialNumber, "17")])),
            ("enip", from(OWN_MAC, at(1, 44818)), &[], Some(&[(Field::Model, "M"), (Field::SerialNumber, "18")])),
        ],
        &[0, 1],
        2,
    );
    check_joins(
        "models differ",
        &[("lldp", own.clone(), announced, said), ("enip", from(OWN_MAC, at(1, 44818)), &[], Some(&[(Field::Model, "N")]))],
        &[0, 1],
        2,
    );
    check_joins(
        "a router and a device behind it",
        &[("lldp", own.clone(), announced, said), ("modbus", from(OWN_MAC, at(2, 502)), &[], said)],
        &[0, 1],
        2,
    );
    check_joins(
        "two forwarded ports stay two, and neither is the router",
        &[
            ("modbus", from(OWN_MAC, at(1, 502)), &[], seen),
            ("modbus", from(OWN_MAC, at(1, 503)), &[], seen),
            ("lldp", own.clone(), announced, said),
            ("modbus", from(OWN_MAC, at(1, 502)), &[], said),
        ],
        &[0, 1, 2, 0],
        3,
    );
    check_joins(
        "what is behind the device is another",
        &[("lldp", own.clone(), announced, said), ("modbus", Address { unit: Some(7), ..from(OWN_MAC, at(1, 502)) }, &[], said)],
        &[0, 1],
        2,
    );
    check_joins(
        "only seen on both sides, then one word joins them",
        &[("pn-rt", own.clone(), &[], seen), ("pn-io", from(OWN_MAC, at(1, 34964)), &[], seen), ("pn-dcp", own, announced, said)],
        &[0, 0, 0],
        1,
    );
}

#[test]
fn who_was_only_seen_is_the_one_that_tells_its_serial_number_there() {
    let serial: &[_] = &[(Field::Model, "1756-ENBT/A"), (Field::SerialNumber, "0x0051aec3")];
    let model: &[_] = &[(Field::Model, "1756-ENBT/A")];
    check_joins(
        "at its new address it was seen before it told its number",
        &[
            ("enip", at(1, 44818), &[], Some(serial)),
            ("cip", at(2, 44818), &[], None),
            ("enip", at(2, 44818), &[], None),
            ("enip", at(2, 44818), &[], Some(serial)),
            ("cip", at(2, 44818), &[], Some(model)),
        ],
        &[0, 0, 0, 0, 0],
        1,
    );
    check_joins(
        "what said something of itself stays",
        &[("enip", at(1, 44818), &[], Some(serial)), ("snmp", at(2, 161), &[], Some(model)), ("enip", at(2, 44818), &[], Some(serial))],
        &[0, 1, 0],
        2,
    );
    check_joins(
        "a forwarded port is another",
        &[("enip", at(1, 44818), &[], Some(serial)), ("enip", at(2, 44819), &[], None), ("enip", at(2, 44818), &[], Some(serial))],
        &[0, 1, 0],
        2,
    );
}

#[test]
fn an_id_that_went_still_names_its_device() {
    let serial = with_serial("17");
    let mut catalog = Catalog::default();
    let stays = catalog.take(&observation("10.0.0.1", 1, "a"), &serial);
    let mut seen = observation("10.0.0.2", 2, "a");
    (seen.question, seen.complete) = ("presence.server".into(), false);
    seen.messages.clear();
    let gone = catalog.take(&seen, &Interpretation::of(Matched::None, Vec::new()));
    assert_ne!(gone, stays);
    assert_eq!(catalog.take(&observation("10.0.0.2", 3, "a"), &serial), stays);
    let asset = catalog.asset(&gone).unwrap();
    assert_eq!((&asset.id, &asset.was), (&stays, &vec![gone]));
    assert_eq!((asset.seen_ns, asset.observations), ((1, 3), 3));
    assert_eq!(catalog.sighted("modbus", &seen.address, 4), Some(stays));
}

#[test]
fn a_join_moves_no_other_device() {
    let seen = |last: u8, time_ns: u64| Observation {
        question: "presence.server".into(),
        complete: false,
        messages: Vec::new(),
        ..observation(&format!("10.0.0.{last}"), time_ns, "a")
    };
    let nothing = Interpretation::of(Matched::None, Vec::new());
    let number = |last: u8| with_serial(&format!("17{last}"));
    // Each of the two with a serial number is seen elsewhere first, with another device before, between and behind.
    let heard: Vec<(Observation, Interpretation)> = vec![
        (seen(1, 1), nothing.clone()),
        (observation("10.0.0.2", 2, "a"), number(2)),
        (seen(12, 3), nothing.clone()),
        (seen(3, 4), nothing.clone()),
        (observation("10.0.0.4", 5, "a"), number(4)),
        (seen(14, 6), nothing.clone()),
        (seen(5, 7), nothing.clone()),
        (observation("10.0.0.14", 8, "a"), number(4)),
        (observation("10.0.0.12", 9, "a"), number(2)),
        (seen(6, 10), nothing),
        (observation("10.0.0.12", 11, "a"), number(2)),
    ];
    let (mut catalog, mut folded, mut replay) = (Catalog::default(), View::default(), Replay::default());
    let mut ids: Vec<String> = Vec::new();
    for (index, (observation, interpretation)) in (0..).zip(&heard) {
        let before = catalog.clone();
        ids.push(catalog.take_entry(observation, interpretation, Some(index)));
        let own = |asset: &&Asset| asset.id != ids[ids.len() - 1] && catalog.asset(&asset.id).is_some_and(|now| now.id == asset.id);
        for other in before.assets().filter(own) {
            assert_eq!(catalog.asset(&other.id), Some(other), "{index}");
        }
        let (observation, interpretation) = (observation.clone(), interpretation.clone());
        let observed = Observed { observation, interpretation, profile_sha256: None, decoder: "x".into() };
        let record = Entry { index, time_ns: index, body: Body::Observation(observed) }.record().unwrap();
        folded.replay(&replay.record(&record, &Tail::of(&record).unwrap()).unwrap());
        assert_eq!(folded.catalog, catalog, "{index}");
    }
    let now: Vec<usize> = ids.iter().map(|id| ids.iter().position(|first| catalog.asset(id).unwrap().id == *first).unwrap()).collect();
    assert_eq!(now, [0, 1, 1, 3, 4, 4, 6, 4, 1, 9, 1]);
    let kept: Vec<&str> = catalog.assets().map(|asset| asset.id.as_str()).collect();
    assert!(kept.is_sorted(), "{kept:?}");
    assert_eq!(kept.len(), 6);
    assert_eq!(catalog.at("10.0.0.14".parse().unwrap()).map(|asset| &asset.id).collect::<Vec<_>>(), [&ids[4]]);
}
