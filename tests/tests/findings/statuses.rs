//! Every product status, flag and relationship of CSAF 2.0, as a vendor writes it, with what `check` makes of a device. Documents of our own.

use nameplate_tests::place::needed;
use nameplate_tests::product::{Product, State, code};
use serde_json::{Value, json};

use super::{check, text};

/// A vendor's document: releases of the controller by version, what its vulnerability says of them, and relationships.
fn document(releases: &[(&str, &str)], vulnerability: &Value, relationships: &Value) -> Value {
    let release = |(id, version): &(&str, &str)| {
        let category = if version.contains(['<', '>', '*']) { "product_version_range" } else { "product_version" };
        json!({"category": category, "name": version, "product": {"product_id": id, "name": format!("Acme ControlBox 900 {version}")}})
    };
    let card = json!({"category": "product_name", "name": "NetCard 20", "branches": [
        {"category": "product_version_range", "name": "vers:generic/<2.0", "product": {"product_id": "CARD", "name": "Acme NetCard 20 <2.0"}}]});
    let firmware = json!({"category": "product_name", "name": "Firmware", "branches": [
        {"category": "product_version_range", "name": "vers:generic/<2.0", "product": {"product_id": "FW", "name": "Firmware <2.0"}}]});
    let mut boxes = json!({"category": "product_name", "name": "ControlBox 900",
        "branches": releases.iter().map(release).collect::<Vec<_>>()});
    if releases.is_empty() {
        boxes = json!({"category": "product_name", "name": "ControlBox 900",
            "product": {"product_id": "BOX", "name": "Acme ControlBox 900", "product_identification_helper": {"model_numbers": ["AC-900-01"]}}});
    }
    let mut branches = vec![boxes];
    if relationships.as_array().is_some_and(|list| !list.is_empty()) {
        branches.extend([card, firmware]);
    }
    json!({
        "document": {
            "category": "csaf_security_advisory", "csaf_version": "2.0", "title": "Acme controllers",
            "publisher": {"category": "vendor", "name": "Acme PSIRT", "namespace": "https://psirt.example"},
            "tracking": {"id": "ACME-7", "status": "final", "version": "1",
                "initial_release_date": "2026-02-01T10:00:00Z", "current_release_date": "2026-02-01T10:00:00Z",
                "revision_history": [{"date": "2026-02-01T10:00:00Z", "number": "1", "summary": "first"}]},
        },
        "product_tree": {"branches": [{"category": "vendor", "name": "Acme", "branches": branches}], "relationships": relationships},
        "vulnerabilities": [vulnerability],
    })
}

/// The verdict, the reason and the missing facts of the one device of a sheet.
fn judged(product: &Product, document: &Value, header: &str, row: &str) -> Option<(String, String, Value)> {
    let state = State::new();
    let file = state.file("acme-7.json", document.to_string());
    let sheet = format!("id,manufacturer,{header}\nd1,Acme,{row}\n");
    let lines = check(product, &sheet, &file, &[]).expect(code::DONE).lines();
    assert!(lines.len() < 2, "{lines:?}");
    lines.first().map(|line| (text(line, "verdict").to_owned(), text(line, "reason").to_owned(), line["missing"].clone()))
}

#[test]
fn every_product_status_has_its_verdict() {
    let Some(product) = needed("every_product_status_has_its_verdict", Product::find()) else { return };
    type Row<'r> = (&'r [(&'r str, &'r str)], Value, &'r [(&'r str, &'r str, &'r str)]);
    let rows: &[Row<'_>] = &[
        (
            &[("A", "vers:generic/<2.0")],
            json!({"known_affected": ["A"]}),
            &[("1.9", "affected", ""), ("2.0", "not_affected", ""), ("", "indeterminate", "")],
        ),
        (
            &[("A", "vers:generic/*")],
            json!({"known_not_affected": ["A"]}),
            &[("1.9", "not_affected", "says that this release is not affected"), ("", "not_affected", "")],
        ),
        (
            &[("A", "2.0")],
            json!({"fixed": ["A"]}),
            &[("2.0", "not_affected", "has the fix"), ("1.9", "indeterminate", "names releases with the fix")],
        ),
        (&[("A", "2.0")], json!({"recommended": ["A"]}), &[("2.0", "not_affected", ""), ("1.9", "indeterminate", "")]),
        (
            &[("A", "vers:generic/*")],
            json!({"under_investigation": ["A"]}),
            &[("1.9", "indeterminate", "the publisher is still investigating")],
        ),
        (
            &[("A", "1.2"), ("B", "1.8"), ("C", "2.0")],
            json!({"first_affected": ["A"], "last_affected": ["B"], "first_fixed": ["C"]}),
            &[
                ("1.1", "not_affected", ""),
                ("1.2", "affected", ""),
                ("1.5", "affected", ""),
                ("1.8", "affected", ""),
                ("2.0", "not_affected", ""),
            ],
        ),
        (&[("A", "1.2")], json!({"first_affected": ["A"]}), &[("1.5", "indeterminate", "not where its line ends")]),
        (&[("A", "1.8")], json!({"last_affected": ["A"]}), &[("1.5", "affected", ""), ("1.9", "not_affected", "")]),
        (
            &[("A", "vers:generic/<3.0"), ("B", "2.0")],
            json!({"known_affected": ["A"], "fixed": ["B"]}),
            &[("2.0", "contradiction", "affected and not affected"), ("1.0", "affected", ""), ("3.0", "not_affected", "")],
        ),
        (
            &[("A", "vers:generic/<2.0"), ("B", "vers:generic/<9.0")],
            json!({}),
            &[("1.0", "indeterminate", "named by the document, under no status"), ("3.0", "indeterminate", "under no status")],
        ),
    ];
    for (releases, statuses, devices) in rows {
        let document = document(releases, &json!({"cve": "CVE-2026-10007", "product_status": statuses}), &json!([]));
        for (version, verdict, reason) in *devices {
            let (said, why, _) = judged(&product, &document, "model,firmware", &format!("ControlBox 900,{version}")).expect("a line");
            assert!(said == *verdict && why.contains(reason), "{statuses} {version}: {said}, {why}");
        }
    }
}

#[test]
fn every_flag_stands_in_the_reason() {
    let Some(product) = needed("every_flag_stands_in_the_reason", Product::find()) else { return };
    for flag in [
        "component_not_present",
        "inline_mitigations_already_exist",
        "vulnerable_code_cannot_be_controlled_by_adversary",
        "vulnerable_code_not_in_execute_path",
        "vulnerable_code_not_present",
    ] {
        let said = json!({"cve": "CVE-2026-10007", "product_status": {"known_not_affected": ["A"]},
                          "flags": [{"label": flag, "product_ids": ["A"]}]});
        let document = document(&[("A", "vers:generic/*")], &said, &json!([]));
        let (verdict, reason, _) = judged(&product, &document, "model,firmware", "ControlBox 900,1.0").expect("a line");
        assert!(verdict == "not_affected" && reason.ends_with(&format!("justified by {flag}")), "{verdict}: {reason}");
    }
}

#[test]
fn what_exists_only_as_one_product_on_another_concerns_the_device_that_has_it() {
    let Some(product) = needed("what_exists_only_as_one_product_on_another", Product::find()) else { return };
    let rows = [
        ("CARD", "model,host,firmware", "NetCard 20,ControlBox 900,1.9", Some(("affected", ""))),
        ("CARD", "model,host,firmware", "NetCard 20,ControlBox 900,2.0", Some(("not_affected", ""))),
        ("CARD", "model,host,firmware", "NetCard 20,AC-900-01,1.9", Some(("affected", ""))),
        ("CARD", "model,host,firmware", "NetCard 20,ControlBox 500,1.9", None),
        ("CARD", "model,firmware", "NetCard 20,2.0", Some(("indeterminate", "host"))),
        ("CARD", "model,firmware", "ControlBox 900,5.0", Some(("indeterminate", "product_code"))),
        ("CARD", "product_code,firmware", "AC-900-01,5.0", Some(("indeterminate", "netcard 20"))),
        ("CARD", "model,component,firmware", "ControlBox 900,NetCard 20,1.9", Some(("affected", ""))),
        ("CARD", "model,firmware", "ControlBox 500,1.0", None),
        ("FW", "model,firmware", "ControlBox 900,1.9", Some(("affected", ""))),
        ("FW", "product_code,firmware", "AC-900-01,2.0", Some(("not_affected", ""))),
        ("FW", "model,firmware", "ControlBox 900,", Some(("indeterminate", "product_code"))),
        ("FW", "product_code,firmware", "AC-900-01,", Some(("indeterminate", "firmware_revision"))),
    ];
    for category in ["default_component_of", "external_component_of", "installed_on", "installed_with", "optional_component_of"] {
        for (component, header, row, expected) in rows {
            let said = json!({"cve": "CVE-2026-10007", "product_status": {"known_affected": ["BOTH"]}});
            let related = json!([{"category": category, "product_reference": component, "relates_to_product_reference": "BOX",
                "full_product_name": {"product_id": "BOTH", "name": "Acme component on Acme ControlBox 900"}}]);
            let found = judged(&product, &document(&[], &said, &related), header, row);
            let told = found.as_ref().map(|(verdict, _, missing)| (verdict.as_str(), missing[0].as_str().unwrap_or_default()));
            assert_eq!(told, expected, "{category} {component} {row}: {found:?}");
        }
    }
}
