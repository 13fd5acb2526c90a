//! Products on products, and why a product is not affected.

use super::super::installed::Installed;
use super::super::library::Library;
use super::*;

/// A document about a component on a platform, under one status.
fn joined(category: &str, component: (&str, &str), platform: &str, status: ProductStatus) -> Advisory {
    let (name, slot) = component;
    let mut joined = advisory("Acme", &[(name, slot, status), (platform, "", status), (name, slot, status)], &[]);
    joined.vulnerabilities[0].statuses.drain(..2);
    joined.products[2].full_name = format!("{name} {category} {platform}");
    joined.products[2].relationship = Some(Relationship { category: category.into(), component: 0, platform: 1 });
    joined
}

#[test]
fn a_product_on_a_product_is_met_as_either_of_the_two() {
    type Row<'r> = (&'r str, &'r str, &'r str, &'r str, ProductStatus, Option<(Verdict, Option<&'r str>)>);
    let sheet = |model: &str, host: &str, version: &str, component: &str| {
        let mut one = Installed { manufacturer: Some("Acme".into()), model: Some(model.into()), ..firmware(version) };
        one.component = if component.is_empty() { "self".into() } else { component.into() };
        if !host.is_empty() {
            one.facts.insert("host", vec![host.into()]);
        }
        one
    };
    // The card, with what is known of its host; then the controller, with what is known of its card.
    let rows: &[Row<'_>] = &[
        ("NetCard 20", "ControlBox 900", "1.0", "", KnownAffected, Some((Affected, None))),
        ("NetCard 20", "ControlBox 900", "2.0", "", KnownAffected, Some((NotAffected, None))),
        ("NetCard 20", "", "1.0", "", KnownAffected, Some((Affected, None))),
        ("NetCard 20", "", "2.0", "", KnownAffected, Some((Indeterminate, Some("host")))),
        ("NetCard 20", "ControlBox", "2.0", "", KnownAffected, Some((Indeterminate, Some("host")))),
        ("NetCard 20", "ControlBox 700", "1.0", "", KnownAffected, None),
        ("ControlBox 900", "", "7.0", "", KnownAffected, Some((Indeterminate, Some("netcard 20")))),
        ("ControlBox 900", "", "1.0", "NetCard 20", KnownAffected, Some((Affected, None))),
        ("ControlBox 900", "", "2.0", "NetCard 20", KnownAffected, Some((NotAffected, None))),
        ("ControlBox 700", "", "1.0", "NetCard 20", KnownAffected, None),
        ("NetCard 20", "ControlBox 900", "1.0", "", UnderInvestigation, Some((Indeterminate, None))),
        ("NetCard 20", "ControlBox 900", "1.0", "", KnownNotAffected, Some((NotAffected, None))),
        ("NetCard 20", "", "1.0", "", KnownNotAffected, Some((Indeterminate, Some("host")))),
    ];
    for category in ["default_component_of", "external_component_of", "installed_on", "installed_with", "optional_component_of"] {
        for (model, host, version, component, status, expected) in rows {
            let library = Library::of(vec![joined(category, ("NetCard 20", "< 2.0"), "ControlBox 900", *status)]);
            let one = sheet(model, host, version, component);
            let found = library.judge(&one);
            let verdict = found.first().map(|finding| (finding.verdict, finding.missing.as_deref()));
            assert_eq!(verdict, *expected, "{category} {one:?}: {found:?}");
        }
    }
}

#[test]
fn the_firmware_of_a_platform_is_the_devices_own() {
    for (component, version, expected) in [
        ("Firmware", "1.9", Affected),
        ("Firmware", "2.0", NotAffected),
        ("ControlBox 900 Firmware", "1.9", Affected),
        ("ControlBox 900 Firmware", "", Indeterminate),
        ("OpenSSL", "2.0", Indeterminate),
    ] {
        let library = Library::of(vec![joined("installed_on", (component, "< 2.0"), "ControlBox 900", KnownAffected)]);
        let one = Installed { manufacturer: Some("Acme".into()), model: Some("ControlBox 900".into()), ..firmware(version) };
        let verdicts: Vec<Verdict> = library.judge(&one).iter().map(|finding| finding.verdict).collect();
        assert_eq!(verdicts, [expected], "{component} {version}");
    }
}

#[test]
fn where_every_release_is_meant_the_release_of_a_component_is_not_asked_for() {
    let one = Installed { manufacturer: Some("Acme".into()), model: Some("ControlBox 900".into()), ..firmware("7.0") };
    for (category, status, expected) in [
        ("default_component_of", KnownAffected, (Affected, None)),
        ("installed_on", KnownAffected, (Indeterminate, Some("netcard 20"))),
        ("default_component_of", KnownNotAffected, (NotAffected, None)),
        ("optional_component_of", KnownNotAffected, (NotAffected, None)),
    ] {
        let library = Library::of(vec![joined(category, ("NetCard 20", ""), "ControlBox 900", status)]);
        let found = library.judge(&one);
        let verdicts: Vec<_> = found.iter().map(|finding| (finding.verdict, finding.missing.as_deref())).collect();
        assert_eq!(verdicts, [expected], "{category} {status:?}");
    }
}

#[test]
fn a_flag_says_why_a_product_is_not_affected() {
    let mut advisory = advisory("Acme", &[("ControlBox 900", "", KnownNotAffected)], &[]);
    advisory.vulnerabilities[0].flags = vec![("component_not_present".into(), vec![0])];
    let library = Library::of(vec![advisory]);
    let one = Installed { manufacturer: Some("Acme".into()), model: Some("ControlBox 900".into()), ..firmware("1.0") };
    let found = library.judge(&one);
    let proof = library.proof(&one, &found[0]).expect("a proof");
    assert_eq!(proof.verdict, NotAffected);
    assert!(proof.reason.ends_with(", justified by component_not_present"), "{}", proof.reason);
}
