//! Releases that are approved together.

use super::*;
use crate::baseline::{CompatibilitySet, Event, Member, SetConformance};
use crate::sheet;

fn member(model: &str, component: &str, release: &str) -> Member {
    let line = ProductLine { manufacturer: Some("ACME".into()), model: Some(model.into()), ..ProductLine::default() };
    Member { line, component: component.into(), field: Field::FirmwareRevision, release: release.into() }
}

fn set(name: &str, together: &[&str], members: Vec<Member>) -> CompatibilitySet {
    CompatibilitySet {
        name: name.into(),
        members,
        together: together.iter().map(|one| (*one).to_owned()).collect(),
        from_ns: None,
        until_ns: None,
        origin: None,
        by: "Ada".into(),
        second: None,
        reason: "tested on the bench".into(),
    }
}

/// Devices of a sheet: tag, model, firmware.
fn plant(rows: &[(&str, &str, &str)]) -> Catalog {
    let rows: Vec<String> =
        (1..).zip(rows).map(|(at, (tag, model, release))| format!("10.0.0.{at},{tag},ACME,{model},{release}")).collect();
    let text = format!("ip,tag,manufacturer,model,firmware\n{}\n", rows.join("\n"));
    let import = sheet::Import { file: "a".into(), sha256: String::new(), sheet: sheet::read(text.as_bytes()).unwrap().sheet };
    let mut catalog = Catalog::default();
    catalog.import(&import, NOW_NS, Some(1));
    catalog
}

fn check(catalog: &Catalog, sets: Vec<CompatibilitySet>, expected: &[(&str, SetConformance, &[&str])]) {
    let mut baselines = Baselines::default();
    for (index, set) in (10..).zip(sets) {
        assert_eq!(set.check(), Ok(()), "{set:?}");
        baselines.take_event(&Event::Set(set), index, 0);
    }
    let judged = baselines.judge_sets(catalog, &ProfileSet::built_in().unwrap(), NOW_NS);
    let found: Vec<_> = judged.iter().map(|one| (one.name.as_str(), one.conformance)).collect();
    assert_eq!(found, expected.iter().map(|(name, conformance, _)| (*name, *conformance)).collect::<Vec<_>>(), "{judged:#?}");
    for (one, (.., off)) in judged.iter().zip(expected) {
        assert_eq!(one.off.len(), off.len(), "{one:#?}");
        assert!(one.off.iter().zip(*off).all(|(said, part)| said.contains(part)), "{one:#?}");
    }
}

#[test]
fn both_ends_are_on_one_set_or_mixed_with_what_is_off() {
    use SetConformance::{Conforms, Mixed, Unknown};
    let pair = |name: &str, release: &str| set(name, &["87L-A", "87l-b"], vec![member("L90", "self", release)]);
    for (rows, sets, expected) in [
        ([("87L-A", "L90", "7.1"), ("87L-B", "L90", "7.1")], vec![pair("2024", "7.1")], ("2024", Conforms, &[][..])),
        ([("87L-A", "L90", "7.1"), ("87L-B", "L90", "7.2")], vec![pair("2024", "7.1")], ("2024", Mixed, &["has 7.2, the set 7.1"])),
        // Each end is on a set of its own: together they are on none.
        (
            [("87L-A", "L90", "7.1"), ("87L-B", "L90", "7.2")],
            vec![pair("2024", "7.1"), pair("2025", "7.2")],
            ("2025", Mixed, &["has 7.1, the set 7.2"]),
        ),
        ([("87L-A", "L90", "7.1"), ("87L-B", "L90", "7.1")], vec![pair("2024", "7.1"), pair("2025", "7.2")], ("2024", Conforms, &[])),
        ([("87L-A", "L90", "7.1"), ("87L-B", "L90", "")], vec![pair("2024", "7.1")], ("2024", Unknown, &["never said"])),
        ([("87L-A", "L90", "7.2"), ("87L-B", "L90", "")], vec![pair("2024", "7.1")], ("2024", Mixed, &["has 7.2", "never said"])),
        ([("87L-A", "L90", "7.1"), ("87L-C", "L90", "7.1")], vec![pair("2024", "7.1")], ("2024", Unknown, &["\"87l-b\""])),
        ([("87L-A", "L90", "7.1"), ("87L-B", "T60", "7.1")], vec![pair("2024", "7.1")], ("2024", Unknown, &["none of the set's products"])),
        // A later set of the same name takes the place of the earlier one.
        ([("87L-A", "L90", "7.2"), ("87L-B", "L90", "7.2")], vec![pair("L", "7.1"), pair("l", "7.2")], ("l", Conforms, &[])),
        ([("87L-A", "L90", "7.1"), ("87L-B", "L90", "7.1")], vec![pair("L", "7.1"), pair("l", "7.2")], ("l", Mixed, &["7.1", "7.1"])),
    ] {
        check(&plant(&rows), sets, &[expected]);
    }
    let ended = CompatibilitySet { until_ns: Some(NOW_NS - 1), ..pair("2024", "7.1") };
    check(&plant(&[("87L-A", "L90", "7.1")]), vec![ended], &[]);
}

#[test]
fn main_boot_and_card_of_one_device_are_a_set() {
    use SetConformance::{Conforms, Mixed, Unknown};
    let parts = |cpu: &str, card: &str| {
        let said = [("cpu", cpu), ("communication-module", card)].into_iter().filter(|(_, release)| !release.is_empty());
        let said: Vec<_> = said.map(|(part, release)| (part, Field::FirmwareRevision, release)).collect();
        device(NOW_NS, DOTTED, &said)
    };
    let line = ProductLine { profile: Some(DOTTED.into()), ..ProductLine::default() };
    let of = |component: &str, release: &str| Member { line: line.clone(), ..member("", component, release) };
    let main_and_card = || set("main and card", &[], vec![of("cpu", "3.1"), of("communication-module", "2.4")]);
    for (cpu, card, conformance, off) in [
        ("3.1", "2.4", Conforms, &[][..]),
        ("v03.1", "2.4", Conforms, &[]),
        ("3.1", "2.5", Mixed, &["communication-module has 2.5, the set 2.4"]),
        ("3.1", "", Unknown, &["communication-module never said its firmware_revision"]),
        ("3.2", "", Mixed, &["cpu has 3.2", "never said"]),
    ] {
        check(&parts(cpu, card), vec![main_and_card()], &[("main and card", conformance, off)]);
    }
    check(&device(NOW_NS, OPAQUE, &[("cpu", Field::FirmwareRevision, "3.1")]), vec![main_and_card()], &[]);
}

#[test]
fn a_set_that_is_none_is_not_recorded() {
    let one = || member("L90", "self", "7.1");
    let two = || vec![one(), member("L90", "cpu", "1")];
    for (set, why) in [
        (set("S", &[], vec![one()]), "two members, or one and the devices"),
        (set("S", &["a"], two()), "one device alone"),
        (set("S", &[], vec![one(), member("l90 ", "self", "7.2")]), "alternatives are two sets"),
        (set(" ", &[], two()), "must not be empty"),
        (set("S", &[], vec![one(), member("L90", "cpu", "")]), "must not be empty"),
        (set("S", &[], vec![one(), Member { line: ProductLine::default(), ..one() }]), "a product line is"),
        (CompatibilitySet { second: Some("ADA".into()), ..set("S", &[], two()) }, "another one"),
        (CompatibilitySet { from_ns: Some(2), until_ns: Some(1), ..set("S", &[], two()) }, "end before"),
    ] {
        let said = set.check().map_err(|invalid| invalid.0);
        assert!(said.as_ref().is_err_and(|said| said.contains(why)), "{why}: {said:?}");
    }
}
