//! Products of which a document says nothing, and products that differ in their lines.

use super::*;

#[test]
fn a_product_without_a_status_of_the_vulnerability_says_nothing_of_it() {
    let mut advisory = advisory("Maker", &[("X", "< 2.0", KnownAffected), ("Y", "< 2.0", KnownAffected)], &[]);
    // The second vulnerability is about Y, the first is not.
    let mut other = advisory.vulnerabilities[0].clone();
    advisory.vulnerabilities[0].statuses.truncate(1);
    other.statuses.remove(0);
    other.cve = "CVE-2".into();
    advisory.vulnerabilities.push(other);
    let library = Library::of(vec![advisory]);
    let mut found = Vec::new();
    library.of_document(0, &[hit(1)], &mut Known::of(&firmware("1.0")), &mut |group, weighed, _| {
        found.push((group.vulnerabilities.clone(), weighed.verdict));
    });
    assert_eq!(found, [(vec![1], Affected)]);
}

#[test]
fn a_product_that_the_document_names_under_no_status_is_indeterminate_and_says_so() {
    let mut advisory = advisory("Maker", &[("X", "< 2.0", KnownAffected), ("Y", "< 2.0", KnownAffected)], &[]);
    advisory.vulnerabilities[0].statuses.truncate(1);
    for version in ["1.0", "3.0", ""] {
        let (verdict, why, missing) = weighed(&advisory, &[hit(1)], &firmware(version)).expect("a verdict");
        assert_eq!((verdict, why, missing), (Indeterminate, Why::NoStatus, None), "{version}");
    }
    assert_eq!(Why::NoStatus.sentence(), "named by the document, under no status");
    // Where a product that is said something of is the device as well, that decides; where it only may be, nothing does.
    check(&advisory, &[hit(0), hit(1)], &firmware("1.0"), Affected, None);
    check(&advisory, &[hit(0), hit(1)], &firmware("3.0"), NotAffected, None);
    let perhaps = [Found { missing: Some("model"), ..hit(0) }, hit(1)];
    check(&advisory, &perhaps, &firmware("3.0"), Indeterminate, None);
    // What only may be the silent product has no line, and neither has a part of a product of which something is said.
    assert_eq!(weighed(&advisory, &[Found { missing: Some("model"), ..hit(1) }], &firmware("1.0")), None);
    advisory.products[0].relationship = Some(Relationship { category: "installed_on".into(), component: 1, platform: 1 });
    assert_eq!(weighed(&advisory, &[hit(1)], &firmware("1.0")), None);
}

#[test]
fn of_two_products_that_differ_in_their_lines_the_narrower_decides() {
    let with = |product, name: &str, line: Option<&str>| Found {
        said: said(Said { name: name.into(), line: line.map(str::to_owned), ..Said::default() }),
        ..hit(product)
    };
    let wide: &[(&str, &str, ProductStatus)] = &[("Mendix 8", "< V8.17.0", KnownAffected), ("Mendix 8 (V8.6)", "< V8.6.9", KnownAffected)];
    let wide = advisory("Siemens", wide, &[]);
    let hits = [with(0, "Mendix 8", None), with(1, "Mendix 8 (V8.6)", Some("V8.6"))];
    for (version, expected) in
        [("V8.6.9", NotAffected), ("V8.6.8", Affected), ("V8.7.0", Affected), ("V8.5.9", Affected), ("V8.17.0", NotAffected)]
    {
        check(&wide, &hits, &firmware(version), expected, None);
    }
    check(&wide, &hits, &firmware(""), Indeterminate, Some("firmware_revision"));
    // One that only may be the device takes nothing from one that is.
    check(&wide, &[hits[0], Found { missing: Some("model"), ..hits[1] }], &firmware("V8.6.9"), Affected, None);
    // Another name is another product.
    let other = [hits[0], with(1, "Mendix 8 Runtime (V8.6)", Some("V8.6"))];
    check(&wide, &other, &firmware("V8.6.9"), Affected, None);
    let packs: &[(&str, &str, ProductStatus)] =
        &[("G130 V5.1 Unit", "vers:all/*", KnownAffected), ("G130 V5.1 SP1 Unit", "< V5.1 SP1 HF4", KnownAffected)];
    let packs = advisory("Siemens", packs, &[]);
    let hits = [with(0, "G130 V5.1 Unit", Some("V5.1")), with(1, "G130 V5.1 SP1 Unit", Some("V5.1 SP1"))];
    for (version, expected) in [("V5.1 SP1 HF4", NotAffected), ("V5.1 SP1 HF3", Affected), ("V5.1 HF4", Affected)] {
        check(&packs, &hits, &firmware(version), expected, None);
    }
}
