//! One document at a time: what its statuses, ranges and remediations make of one component. The products are the device unless a row
//! says otherwise; how that is found out is identity's concern.

mod joined;
mod silent;

use super::identity::{Found, Said, Step};
use super::installed::Installed;
use super::known::Known;
use super::library::Library;
use super::{Verdict, Why};
use crate::advisory::{Advisory, Product, ProductStatus, Relationship, Release, Remediation, Vulnerability};
use crate::range;

use ProductStatus::{FirstAffected, FirstFixed, Fixed, KnownAffected, KnownNotAffected, LastAffected, Recommended, UnderInvestigation};
use Verdict::{Affected, Contradiction, Indeterminate, NotAffected};

/// A document of one vulnerability: name, version slot and status of each product, and the fixes with the places they hang on.
fn advisory(vendor: &str, products: &[(&str, &str, ProductStatus)], fixes: &[(&str, &str, &[u32])]) -> Advisory {
    let product = |(place, (name, slot, _)): (usize, &(&str, &str, ProductStatus))| Product {
        id: format!("P{place}"),
        vendor: vendor.into(),
        name: (*name).into(),
        full_name: (*name).into(),
        release: if slot.is_empty() { Release::Every } else { slot_of(slot) },
        ..Product::default()
    };
    let statuses = products.iter().zip(0..).map(|((.., status), place)| (*status, vec![place])).collect();
    let fix = |(category, details, products): &(&str, &str, &[u32])| Remediation {
        category: (*category).into(),
        details: (*details).into(),
        url: None,
        restart: None,
        products: products.to_vec(),
    };
    let remediations = fixes.iter().map(fix).collect();
    Advisory {
        id: "A-1".into(),
        publisher: vendor.into(),
        products: products.iter().enumerate().map(product).collect(),
        vulnerabilities: vec![Vulnerability { cve: "CVE-1".into(), statuses, remediations, ..Vulnerability::default() }],
        ..Advisory::default()
    }
}

fn slot_of(slot: &str) -> Release {
    if slot.contains(['<', '>', '*']) { Release::Range(slot.into()) } else { Release::Version(slot.into()) }
}

fn hit(product: u32) -> Found<'static> {
    Found { document: 0, product, step: Step::Model, missing: None, said: said(Said::default()), variants_open: true }
}

/// What a name says lies in the index, which outlives every question; here it is given up.
fn said(said: Said) -> &'static Said {
    Box::leak(Box::new(said))
}

fn firmware(version: &str) -> Installed {
    let firmware_revision = (!version.is_empty()).then(|| version.to_owned());
    Installed { component: "self".into(), firmware_revision, ..Installed::default() }
}

/// The verdict of one document, and the fact that is missing.
fn weighed(advisory: &Advisory, hits: &[Found<'_>], installed: &Installed) -> Option<(Verdict, Why, Option<String>)> {
    let library = Library::of(vec![advisory.clone()]);
    let mut verdict = None;
    library.of_document(0, hits, &mut Known::of(installed), &mut |_, weighed, _| {
        verdict = Some((weighed.verdict, weighed.why, weighed.missing.map(|missing| missing.into_owned())));
    });
    verdict
}

#[track_caller]
fn check(advisory: &Advisory, hits: &[Found<'_>], installed: &Installed, expected: Verdict, missing: Option<&str>) {
    let (verdict, why, lacks) = weighed(advisory, hits, installed).expect("a verdict");
    assert_eq!((verdict, lacks.as_deref()), (expected, missing), "{installed:?} because {}", why.sentence());
}

type Row<'r> = (&'r [(&'r str, &'r str, ProductStatus)], &'r str, Verdict, Option<&'r str>);

#[track_caller]
fn check_rows(vendor: &str, rows: &[Row<'_>]) {
    for (products, version, expected, missing) in rows {
        let advisory = advisory(vendor, products, &[]);
        let hits: Vec<Found<'_>> = (0..products.len() as u32).map(hit).collect();
        check(&advisory, &hits, &firmware(version), *expected, *missing);
    }
}

#[test]
fn every_status_has_its_verdict() {
    check_rows(
        "Siemens",
        &[
            (&[("X", "< V2.0", KnownAffected)], "V1.9", Affected, None),
            (&[("X", "< V2.0", KnownAffected)], "V2.0", NotAffected, None),
            (&[("X", "< V2.0", KnownAffected)], "", Indeterminate, Some("firmware_revision")),
            (&[("X", "vers:all/*", KnownAffected)], "", Affected, None),
            (&[("X", "", KnownAffected)], "V9", Affected, None),
            (&[("X", "V2.0", Fixed)], "V2.0", NotAffected, None),
            (&[("X", "V2.0", Fixed)], "V1.0", Indeterminate, None),
            (&[("X", "V2.0", FirstFixed)], "V2.0", NotAffected, None),
            (&[("X", "V2.0", Recommended)], "V2.0", NotAffected, None),
            (&[("X", "vers:all/*", KnownNotAffected)], "", NotAffected, None),
            (&[("X", ">= V2.0", KnownNotAffected)], "V1.0", Indeterminate, None),
            (&[("X", "vers:all/*", UnderInvestigation)], "V1.0", Indeterminate, None),
            (&[("X", "< V2.0", UnderInvestigation)], "V3.0", Indeterminate, None),
            (&[("X", "V1.0", FirstAffected), ("X", "V1.5", LastAffected)], "V1.2", Affected, None),
            (&[("X", "V1.0", FirstAffected), ("X", "V1.5", LastAffected)], "V1.6", NotAffected, None),
            (&[("X", "V1.0", FirstAffected), ("X", "V1.5", LastAffected)], "V0.9", NotAffected, None),
            (&[("X", "V1.0", FirstAffected), ("X", "V1.5", FirstFixed)], "V1.4", Affected, None),
            (&[("X", "V1.0", FirstAffected), ("X", "V1.5", FirstFixed)], "V1.5", NotAffected, None),
            (&[("X", "V1.0", FirstAffected)], "V1.0", Affected, None),
            (&[("X", "V1.0", FirstAffected)], "V1.1", Indeterminate, None),
            (&[("X", "V1.5", LastAffected)], "V1.4", Affected, None),
            (&[("X", "V1.5", LastAffected)], "V1.6", NotAffected, None),
        ],
    );
}

#[test]
fn a_fix_that_is_listed_and_a_range_that_takes_it_in_contradict() {
    check_rows(
        "Siemens",
        &[
            (&[("X", "< V3.0", KnownAffected), ("X", "V2.0", Fixed)], "V2.0", Contradiction, None),
            (&[("X", "< V3.0", KnownAffected), ("X", "V2.0", Fixed)], "V1.0", Affected, None),
            (&[("X", "", KnownAffected), ("X", "V2.0", Fixed)], "V2.0", NotAffected, None),
            (&[("X", "< V2.0", KnownAffected), ("X", "V2.0", Fixed)], "V2.0", NotAffected, None),
            (&[("X", "< V2.0", KnownAffected), ("X", "V2.0", Fixed)], "V2.1", NotAffected, None),
            (&[("X", "< V2.0", KnownAffected), ("Y", "vers:all/*", UnderInvestigation)], "V2.0", Indeterminate, None),
        ],
    );
}

#[test]
fn sibling_products_decide_together() {
    let lines: &[(&str, &str, ProductStatus)] =
        &[("X", "<R510.2_HF14", KnownAffected), ("X", "<R511.5_TCU4_HF4", KnownAffected), ("X", "<R520.1_TCU5", KnownAffected)];
    check_rows(
        "Honeywell",
        &[
            (lines, "R511.5 TCU4 HF4", NotAffected, None),
            (lines, "R511.5 TCU4 HF3", Affected, None),
            (lines, "R510.2 HF14", NotAffected, None),
            (lines, "R520.1 TCU5", NotAffected, None),
        ],
    );
    let omron: &[(&str, &str, ProductStatus)] = &[("NJ/NX", "<= 1.28", KnownAffected), ("NJ/NX", "<= 1.48", KnownAffected)];
    check_rows(
        "Omron",
        &[(omron, "1.40", Indeterminate, Some("model")), (omron, "1.28", Affected, None), (omron, "1.49", NotAffected, None)],
    );
    let ge: &[(&str, &str, ProductStatus)] = &[("369 Relay", "3.63", KnownAffected), ("369 Relay firmware", "< 3.63", KnownAffected)];
    check_rows("GE", &[(ge, "3.63", Contradiction, None), (ge, "3.62", Affected, None), (ge, "3.64", NotAffected, None)]);
}

#[test]
fn one_release_that_somebody_looked_at_does_not_clear_older_ones() {
    let one: &[(&str, &str, ProductStatus)] = &[("X", "2.0.1", KnownAffected)];
    let list: &[(&str, &str, ProductStatus)] = &[("X", "2.0.1", KnownAffected), ("X", "2.0.3", KnownAffected)];
    check_rows(
        "Maker",
        &[
            (one, "2.0.1", Affected, None),
            (one, "2.0.0", Indeterminate, None),
            (one, "2.0.2", NotAffected, None),
            (list, "2.0.2", NotAffected, None),
            (list, "2.0.3", Affected, None),
        ],
    );
}

#[test]
fn a_line_in_the_name_says_which_product_applies() {
    let advisory = advisory("Siemens", &[("RMC V4.X", "<V4.3.8", KnownAffected), ("RMC V5.X", "<V5.6.0", KnownAffected)], &[]);
    let with = |product, line: &str| Found { said: said(Said { line: Some(line.into()), ..Said::default() }), ..hit(product) };
    let hits = [with(0, "V4.X"), with(1, "V5.X")];
    let rows = [
        ("V5.5.1", Affected, None),
        ("V4.3.8", NotAffected, None),
        ("V4.3.7", Affected, None),
        ("V5.6.0", NotAffected, None),
        ("V6.0", NotAffected, None),
        ("V3.9", Indeterminate, None),
        ("", Indeterminate, Some("firmware_revision")),
    ];
    for (version, expected, missing) in rows {
        check(&advisory, &hits, &firmware(version), expected, missing);
    }
}

#[test]
fn a_product_that_may_be_the_device_never_decides_alone_against_another() {
    let advisory = advisory("Maker", &[("X", "< 2.0", KnownAffected), ("X redundancy", "< 3.0", KnownAffected)], &[]);
    let sure = [hit(0), Found { missing: Some("bundle"), ..hit(1) }];
    check(&advisory, &sure, &firmware("1.0"), Affected, None);
    check(&advisory, &sure, &firmware("2.5"), Indeterminate, Some("bundle"));
    check(&advisory, &sure, &firmware("3.0"), NotAffected, None);
    let perhaps = [Found { missing: Some("model"), ..hit(0) }, Found { missing: Some("model"), ..hit(1) }];
    let named = |version: &str| Installed { model: Some("X".into()), ..firmware(version) };
    check(&advisory, &perhaps, &named("1.0"), Affected, None);
    check(&advisory, &perhaps, &named("2.5"), Indeterminate, Some("model"));
    check(&advisory, &perhaps, &named("3.0"), NotAffected, None);
    // Nobody said what it is called: one more fact could show that the document is not about it.
    check(&advisory, &perhaps, &firmware("3.0"), Indeterminate, Some("model"));
    for missing in ["product_code", "hardware_revision", "bundle", "variant", "host", "manufacturer"] {
        let unsure = [Found { missing: Some(missing), ..hit(0) }];
        check(&advisory, &unsure, &named("3.0"), Indeterminate, Some(missing));
        check(&advisory, &[unsure[0], hit(1)], &named("3.0"), NotAffected, None);
    }
}

#[test]
fn a_remediation_closes_a_line_or_contradicts_its_range() {
    let controllers: &[(&str, &str, ProductStatus)] =
        &[("ControlLogix 5570", " 20-33", KnownAffected), ("ControlLogix5570 redundancy", "20-33", KnownAffected)];
    let fixes: &[(&str, &str, &[u32])] = &[
        (
            "mitigation",
            "For CompactLogix 5370, ControlLogix 5570, GuardLogix 5570: Users should upgrade to versions 33.013, 34.011, or later.",
            &[0, 1],
        ),
        ("mitigation", "For ControlLogix 5570 redundancy: Users should upgrade to versions 33.052, 34.051, or later.", &[0, 1]),
    ];
    let both = advisory("Rockwell Automation", controllers, fixes);
    let rows = [
        (0, "33.013", NotAffected),
        (0, "33.012", Affected),
        (0, "32.051", Affected),
        (0, "34.005", Indeterminate),
        (0, "34.011", NotAffected),
        (0, "19.011", NotAffected),
        (1, "33.051", Affected),
        (1, "33.052", NotAffected),
    ];
    for (product, version, expected) in rows {
        check(&both, &[hit(product)], &firmware(version), expected, None);
    }
    let relay: &[(&str, &str, ProductStatus)] = &[("SEL-710-5 Motor Protection Relay", ">=R100-V0|<R302-V1", KnownAffected)];
    let relay = advisory("SEL", relay, &[("vendor_fix", "SEL-710-5 Motor Protection Relay: R302-V0", &[0])]);
    check(&relay, &[hit(0)], &firmware("SEL-710-5-R302-V0-Z007002-D20220101"), Contradiction, None);
    check(&relay, &[hit(0)], &firmware("SEL-710-5-R301-V0-Z007002-D20220101"), Affected, None);
    check(&relay, &[hit(0)], &firmware("SEL-710-5-R302-V1-Z007002-D20220101"), NotAffected, None);
    let feeder = "SEL-751 Feeder Protection Relay";
    let lines: &[(&str, &str, ProductStatus)] =
        &[(feeder, ">=R101-V0|<R302-V3", KnownAffected), (feeder, ">=R400-V0|<R400-V2", KnownAffected)];
    let fixes: &[(&str, &str, &[u32])] = &[
        ("vendor_fix", "SEL-751 Feeder Protection Relay: R302-V3", &[0, 1]),
        ("vendor_fix", "SEL-751 Feeder Protection Relay: R400-V2", &[0, 1]),
    ];
    let feeder = advisory("SEL", lines, fixes);
    check(&feeder, &[hit(0), hit(1)], &firmware("SEL-751-R400-V1-Z012003-D20230428"), Affected, None);
    check(&feeder, &[hit(0), hit(1)], &firmware("SEL-751-R400-V2-Z012003-D20230428"), NotAffected, None);
    check(&feeder, &[hit(0), hit(1)], &firmware("SEL-751-R302-V3-Z012003-D20230428"), NotAffected, None);
}

#[test]
fn a_damaged_range_is_decided_by_the_fix_of_its_own_product() {
    let portal: &[(&str, &str, ProductStatus)] = &[("TIA Portal v15", "< 15.1 | 7", KnownAffected)];
    let portal = advisory("Siemens", portal, &[("vendor_fix", "TIA Portal v15: Update to v15.1 Update 7 or later", &[0])]);
    check(&portal, &[hit(0)], &firmware("V15.1 Update 5"), Affected, None);
    check(&portal, &[hit(0)], &firmware("V15.1 Update 7"), NotAffected, None);
    // The fix of another product that hangs on this one says nothing.
    let designer: &[(&str, &str, ProductStatus)] =
        &[("GT Designer3", "<= 1.221F", KnownAffected), ("GX LogViewer", "<= 1.96A", KnownAffected)];
    let leaking: &[(&str, &str, &[u32])] = &[("vendor_fix", "GX LogViewer: Version 1.100E or later", &[0, 1])];
    let designer = advisory("Mitsubishi Electric", designer, leaking);
    check(&designer, &[hit(0)], &firmware("1.200A"), Affected, None);
    check(&designer, &[hit(0)], &firmware("1.225K"), NotAffected, None);
}

#[test]
fn a_part_is_judged_by_its_own_version_alone() {
    let cards = advisory(
        "Schneider Electric",
        &[("Rack PDU using NMC2", "NMC2 <= 6.9.6", KnownAffected), ("Rack PDU using NMC3", "NMC3 <= 1.4.0", KnownAffected)],
        &[],
    );
    let part = |product, part: &str| Found { said: said(Said { part: Some(part.into()), ..Said::default() }), ..hit(product) };
    let hits = [part(0, "NMC2"), part(1, "NMC3")];
    let card = |component: &str, version: &str| Installed { component: component.into(), ..firmware(version) };
    check(&cards, &hits, &card("NMC2", "AOS v6.9.6"), Affected, None);
    check(&cards, &hits, &card("NMC2", "AOS v7.0.6"), NotAffected, None);
    check(&cards, &hits, &card("self", "7.0.6"), Indeterminate, Some("nmc2"));
    check(&cards, &hits, &card("NMC1", "7.0.6"), Indeterminate, Some("nmc2"));
    check(&cards, &[hit(0)], &card("self", "7.0.6"), Indeterminate, Some("component"));
}

#[test]
fn a_demand_of_the_name_is_a_fact_that_may_be_unknown() {
    let cpu = advisory("Mitsubishi Electric", &[("FX5U-32MT/ES, Serial number 17X**** or later", ">=1.220|<=1.281", KnownAffected)], &[]);
    let hits = [Found { said: said(Said { conditions: vec!["Serial number 17X**** or later".into()], ..Said::default() }), ..hit(0) }];
    let serial = |serial: &str| Installed { serial_number: (!serial.is_empty()).then(|| serial.to_owned()), ..firmware("1.240") };
    let rows = [
        ("16Y0001", NotAffected, None),
        ("179ABCD", NotAffected, None),
        ("17X0001", Affected, None),
        ("17Y0001", Affected, None),
        ("181ZZZZ", Affected, None),
        ("", Indeterminate, Some("serial_number")),
        ("A7X0001", Indeterminate, Some("serial_number")),
    ];
    for (number, expected, missing) in rows {
        check(&cpu, &hits, &serial(number), expected, missing);
    }
    let pn = advisory("Siemens", &[("SINAMICS w. PN", "< V4.7", KnownAffected)], &[]);
    let hits = [Found { said: said(Said { variants: vec!["w. PN".into()], ..Said::default() }), ..hit(0) }];
    check(&pn, &hits, &firmware("V4.6"), Indeterminate, Some("w_pn"));
    check(&pn, &hits, &firmware("V4.7"), NotAffected, None);
    let mut known = firmware("V4.6");
    known.facts.insert("w. PN", vec!["yes".into()]);
    check(&pn, &hits, &known, Affected, None);
}

#[test]
fn an_installed_patch_closes_what_it_was_made_for() {
    let machines: &[(&str, &str, ProductStatus)] = &[
        ("MV1200S Standard", "<=B13__without_Special_Modification_Patch_BRD-C62W003-A0_installed", KnownAffected),
        ("MV1200S Special", "vers:all/*", KnownAffected),
    ];
    let fixes: &[(&str, &str, &[u32])] = &[(
        "mitigation",
        "Mitsubishi Electric recommends that users install the Special Modification Patch BRD-C62W003-A0 on their system.",
        &[],
    )];
    let machines = advisory("Mitsubishi Electric", machines, fixes);
    let hits = [Found { missing: Some("model"), ..hit(0) }, Found { missing: Some("model"), ..hit(1) }];
    let with = |patches: Option<&[&str]>| Installed {
        patches: patches.map(|patches| patches.iter().map(|patch| (*patch).to_owned()).collect()),
        software_revision: Some("B12".into()),
        ..firmware("")
    };
    let named = Installed { model: Some("MV1200S".into()), ..with(Some(&["BRD-C62W003-A0"])) };
    check(&machines, &hits, &named, NotAffected, None);
    check(&machines, &hits, &with(Some(&[])), Affected, None);
    check(&machines, &hits, &with(None), Indeterminate, Some("model"));
    check(&machines, &[hit(0)], &with(None), Indeterminate, Some("patches"));
}

#[test]
fn two_revisions_that_differ_decide_nothing() {
    let advisory = advisory("Maker", &[("X", "< 2.0", KnownAffected)], &[]);
    let both =
        |firmware_revision: &str, software: &str| Installed { software_revision: Some(software.into()), ..firmware(firmware_revision) };
    check(&advisory, &[hit(0)], &both("1.0", "1.1"), Affected, None);
    check(&advisory, &[hit(0)], &both("3.0", "2.1"), NotAffected, None);
    check(&advisory, &[hit(0)], &both("3.0", "1.1"), Indeterminate, None);
    check(&advisory, &[hit(0)], &both("", "1.1"), Affected, None);
}

#[test]
fn a_range_that_names_a_vulnerability_is_asked_for_each() {
    let mut advisory = advisory("Siemens", &[("X", "< V2.0 (only affected by CVE-2)", KnownAffected)], &[]);
    let mut other = advisory.vulnerabilities[0].clone();
    other.cve = "CVE-2019-2".into();
    advisory.products[0].release = Release::Range("< V2.0 (only affected by CVE-2019-2)".into());
    advisory.vulnerabilities[0].cve = "CVE-2019-1".into();
    advisory.vulnerabilities.push(other);
    let library = Library::of(vec![advisory]);
    let mut verdicts = Vec::new();
    library.of_document(0, &[hit(0)], &mut Known::of(&firmware("V1.0")), &mut |_, weighed, _| verdicts.push(weighed.verdict));
    assert_eq!(verdicts, [NotAffected, Affected]);
}

#[test]
fn the_reason_names_what_was_compared() {
    let advisory = advisory("Maker", &[("X", "< 2.0", KnownAffected)], &[]);
    let (_, why, _) = weighed(&advisory, &[hit(0)], &firmware("1.0")).expect("a verdict");
    assert_eq!(why, Why::Range(range::Why::Compared));
}

#[test]
fn a_document_with_thousands_of_products_is_not_held_against_itself_for_minutes() {
    let names: Vec<(String, String)> = (0..3_000).map(|nth| ("X".to_owned(), format!("< 2.{nth}"))).collect();
    let products: Vec<(&str, &str, ProductStatus)> =
        names.iter().map(|(name, slot)| (name.as_str(), slot.as_str(), KnownAffected)).collect();
    let advisory = advisory("Maker", &products, &[]);
    let hits: Vec<Found<'_>> = (0..3_000).map(hit).collect();
    check(&advisory, &hits, &firmware("1.0"), Indeterminate, None);
}
