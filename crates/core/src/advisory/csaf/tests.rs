use std::fmt::Write as _;

use super::tolerance::TOLERANCES_MAX;
use super::*;
use crate::advisory::{ProductIndex, Release, Vulnerability};

/// A document with this product tree and these vulnerabilities.
fn document(tree: &str, vulnerabilities: &str) -> String {
    format!(
        r#"{{"document":{{"category":"csaf_security_advisory","csaf_version":"2.0","title":"T","publisher":{{"name":"V","category":"vendor"}},
        "tracking":{{"id":"V-1","version":"3","status":"final","initial_release_date":"2024-01-01T00:00:00Z",
        "current_release_date":"2024-02-01T00:00:00Z"}}}},"product_tree":{tree},"vulnerabilities":{vulnerabilities}}}"#
    )
}

/// Siemens' way: vendor, product, release; two products with ids `A` and `B`.
const TWO: &str = r#"{"branches":[{"category":"vendor","name":"Siemens","branches":[{"category":"product_name","name":"S7-1500","branches":[
    {"category":"product_version_range","name":"vers:all/<V3","product":{"name":"S7-1500 <V3","product_id":"A",
      "product_identification_helper":{"model_numbers":["6ES7 5*"],"skus":["s"],"serial_numbers":["n*"],"cpe":"cpe:2.3:h:x","purl":"pkg:x"}}},
    {"category":"product_version","name":"V3.1","product":{"name":"S7-1500 V3.1","product_id":"B"}}]}]}],
    "product_groups":[{"group_id":"G","product_ids":["B","A"]}]}"#;

fn release(release: &Release) -> String {
    match release {
        Release::Every => "every".into(),
        Release::Version(version) => format!("version {version}"),
        Release::Range(range) => format!("range {range}"),
    }
}

fn products(advisory: &Advisory) -> String {
    let one = |product: &super::super::Product| {
        let mut text = format!("{}: {}/", product.id, product.vendor);
        let _ = write!(text, "{}/{} {}", product.family.as_deref().unwrap_or_default(), product.name, release(&product.release));
        product.qualifiers.iter().for_each(|(category, name)| text += &format!(" +{category}={name}"));
        if let Some(of) = &product.relationship {
            let _ = write!(text, " {}({} on {})", of.category, of.component, of.platform);
        }
        text
    };
    advisory.products.iter().map(one).collect::<Vec<_>>().join("\n")
}

fn ids(advisory: &Advisory, products: &[ProductIndex]) -> String {
    products.iter().map(|at| advisory.products[*at as usize].id.as_str()).collect::<Vec<_>>().join(",")
}

fn said(advisory: &Advisory) -> String {
    let one = |of: &Vulnerability| {
        let statuses = of.statuses.iter().map(|(status, products)| format!(" {status:?}[{}]", ids(advisory, products)));
        let offers = of.remediations.iter().map(|offer| format!(" {}[{}]", offer.category, ids(advisory, &offer.products)));
        let scores = of.scores.iter().map(|score| format!(" {} {}[{}]", score.vector, score.base, ids(advisory, &score.products)));
        let flags = of.flags.iter().map(|(label, products)| format!(" {label}[{}]", ids(advisory, products)));
        of.cve.clone() + &statuses.chain(offers).chain(scores).chain(flags).collect::<String>()
    };
    advisory.vulnerabilities.iter().map(one).collect::<Vec<_>>().join("\n")
}

fn tolerated(advisory: &Advisory) -> String {
    let one =
        |tolerance: &super::super::Tolerance| format!("{} {:?}", tolerance.path, Kind::of(&tolerance.what).expect("of the closed list"));
    advisory.tolerances.iter().map(one).collect::<Vec<_>>().join("\n")
}

/// What is read of a document by `of`, or the error.
fn check(of: fn(&Advisory) -> String, rows: &[(String, &str)]) {
    for (text, expected) in rows {
        let shown = read(text.as_bytes()).map_or_else(|unread| unread.to_string(), |advisory| of(&advisory));
        assert_eq!(shown, *expected, "{text}");
    }
}

/// A document whose tree has these branches.
fn branches(branches: &str) -> String {
    document(&format!(r#"{{"branches":[{branches}]}}"#), "[]")
}

fn branch(category: &str, name: &str, below: &str) -> String {
    format!(r#"{{"category":"{category}","name":"{name}","branches":[{below}]}}"#)
}

fn leaf(category: &str, name: &str, id: &str) -> String {
    format!(r#"{{"category":"{category}","name":"{name}","product":{{"name":"{name}","product_id":"{id}"}}}}"#)
}

#[test]
fn a_document_is_read_with_all_that_it_says_of_itself() {
    let advisory = read(document(TWO, "[]").as_bytes()).unwrap();
    let said = [&advisory.publisher, &advisory.id, &advisory.title, &advisory.category, &advisory.revision];
    assert_eq!(said, ["V", "V-1", "T", "csaf_security_advisory", "3"]);
    assert_eq!([&*advisory.initial_release, &*advisory.current_release], ["2024-01-01T00:00:00Z", "2024-02-01T00:00:00Z"]);
    assert_eq!(advisory.sha256, hex(&Sha256::digest(document(TWO, "[]"))));
    let product = &advisory.products[0];
    assert_eq!([&product.model_numbers[..], &product.skus, &product.serial_numbers], [["6ES7 5*"], ["s"], ["n*"]]);
    assert_eq!((product.cpe.as_deref(), product.purl.as_deref()), (Some("cpe:2.3:h:x"), Some("pkg:x")));
    check(products, &[(document(TWO, "[]"), "A: Siemens//S7-1500 range vers:all/<V3\nB: Siemens//S7-1500 version V3.1")]);
}

#[test]
fn every_status_is_read_and_groups_are_written_out() {
    let all = r#"[{"cve":"CVE-1","product_status":{"first_affected":["A"],"first_fixed":["B"],"fixed":["B"],"known_affected":["A"],
        "known_not_affected":["B"],"last_affected":["A"],"recommended":["B"],"under_investigation":["A","B"]}}]"#;
    let offers = r#"[{"ids":[{"system_name":"x","text":"BUG-7"}],"product_status":{"known_affected":["A"]},
        "remediations":[{"category":"vendor_fix","details":"d","url":"u","group_ids":["G"],"product_ids":["A"],"restart_required":{"category":"system"}},
                        {"category":"none_available","details":"d"}],
        "scores":[{"products":["A"],"cvss_v3":{"vectorString":"CVSS:3.1/AV:N","baseScore":10},"cvss_v2":{"vectorString":"AV:N","baseScore":7.5}}],
        "flags":[{"label":"component_not_present","group_ids":["G"]}]}]"#;
    check(
        said,
        &[
            (
                document(TWO, all),
                "CVE-1 FirstAffected[A] FirstFixed[B] Fixed[B] KnownAffected[A] KnownNotAffected[B] LastAffected[A] Recommended[B] UnderInvestigation[A,B]",
            ),
            (
                document(TWO, offers),
                "BUG-7 KnownAffected[A] vendor_fix[A,B] none_available[] AV:N 7.5[A] CVSS:3.1/AV:N 10.0[A] component_not_present[B,A]",
            ),
        ],
    );
    let advisory = read(document(TWO, offers).as_bytes()).unwrap();
    let fix = &advisory.vulnerabilities[0].remediations[0];
    assert_eq!((fix.restart.as_deref(), fix.url.as_deref(), &*fix.details), (Some("system"), Some("u"), "d"));
}

#[test]
fn what_is_unknown_is_left_out_and_listed_and_never_taken_for_all() {
    let unknown = r#"[{"title":"Hole","product_status":{"known_affected":["A","X","A"],"known_maybe":["A"],"fixed":["Y"]},
        "remediations":[{"category":"vendor_fix","details":"d","product_ids":["X"]},{"category":"mitigation","details":"d","group_ids":["H","G"]},
                        {"category":"workaround","details":"d","group_ids":["H"]}],
        "scores":[{"products":["Z"],"cvss_v3":{"vectorString":"v","baseScore":1}},{"products":["B"],"cvss_v3":{"baseScore":"9.8"}}],
        "flags":[{"label":"x","product_ids":["Z"]}]},{"cve":"CVE-1"},{"cve":"CVE-1","ids":[]},{}]"#;
    check(said, &[(document(TWO, unknown), "Hole KnownAffected[A] mitigation[B,A]  9.8[B]\nCVE-1\nCVE-1\nvulnerability 4")]);
    check(
        tolerated,
        &[(
            document(TWO, unknown),
            "/vulnerabilities/0 NoCve\n\
             /vulnerabilities/0/product_status/known_affected/1 UnknownProduct\n\
             /vulnerabilities/0/product_status/known_affected ProductTwice\n\
             /vulnerabilities/0/product_status/known_maybe UnknownStatus\n\
             /vulnerabilities/0/product_status/fixed/0 UnknownProduct\n\
             /vulnerabilities/0/remediations/0/product_ids/0 UnknownProduct\n\
             /vulnerabilities/0/remediations/0 OnlyUnknownProducts\n\
             /vulnerabilities/0/remediations/1/group_ids/0 UnknownGroup\n\
             /vulnerabilities/0/remediations/2/group_ids/0 UnknownGroup\n\
             /vulnerabilities/0/remediations/2 OnlyUnknownProducts\n\
             /vulnerabilities/0/scores/0/products/0 UnknownProduct\n\
             /vulnerabilities/0/scores/0 OnlyUnknownProducts\n\
             /vulnerabilities/0/scores/1/cvss_v3/baseScore NumberAsText\n\
             /vulnerabilities/0/scores/1/cvss_v3 NoScore\n\
             /vulnerabilities/0/flags/0/product_ids/0 UnknownProduct\n\
             /vulnerabilities/0/flags/0 OnlyUnknownProducts\n\
             /vulnerabilities/1 NoStatus\n\
             /vulnerabilities/2/cve CveTwice\n\
             /vulnerabilities/2 NoStatus\n\
             /vulnerabilities/3 NoCve\n\
             /vulnerabilities/3 NoStatus",
        )],
    );
}

#[test]
fn what_stands_above_a_product_is_kept() {
    let deep = |below: &str| branches(&branch("vendor", "V", &branch("product_family", "F", &branch("product_name", "N", below))));
    let patched = deep(&branch("product_version", "V1", &branch("service_pack", "SP1", &leaf("host_name", "h", "A"))));
    let twice = branches(&branch(
        "vendor",
        "V",
        &branch("product_name", "N", &branch("product_version", "1", &leaf("product_version", "1.1", "A"))),
    ));
    let line = branches(&branch("vendor", "V", &branch("product_line", "L", &leaf("product_name", "N", "A"))));
    let bare = branches(&leaf("product_version_range", "<1", "A"));
    check(
        products,
        &[
            (deep(&leaf("product_version", "V1", "A")), "A: V/F/N version V1"),
            (deep(&leaf("architecture", "x86", "A")), "A: V/F/N every +architecture=x86"),
            (patched.clone(), "A: V/F/N version V1 +service_pack=SP1 +host_name=h"),
            (twice.clone(), "A: V//N version 1.1 +product_version=1"),
            (line.clone(), "A: V//N every +product_line=L"),
            (bare.clone(), "A: //<1 range <1"),
            // Not every release of it: what its name says, which may be anything.
            (document(r#"{"full_product_names":[{"name":"N 1.2","product_id":"A"}]}"#, "[]"), "A: //N 1.2 version N 1.2"),
        ],
    );
    check(
        tolerated,
        &[
            (
                patched,
                "/product_tree/branches/0/branches/0/branches/0/branches/0/branches/0 OtherCategory\n\
                 /product_tree/branches/0/branches/0/branches/0/branches/0/branches/0/branches/0 OtherCategory\n NoVulnerabilities",
            ),
            (twice, "/product_tree/branches/0/branches/0/branches/0/branches/0 CategoryTwice\n NoVulnerabilities"),
            (line, "/product_tree/branches/0/branches/0 UnknownCategory\n NoVulnerabilities"),
            (
                bare,
                "/product_tree/branches/0 RangeNotVers\n/product_tree/branches/0 NoVendor\n/product_tree/branches/0 NoProductName\n NoVulnerabilities",
            ),
            (branches(r#"{"category":"vendor","name":"V","branches":[]}"#), "/product_tree/branches/0 BranchEnds\n NoVulnerabilities"),
            (
                document(
                    r#"{"full_product_names":[{"name":"N","product_id":"A","product_identification_helper":{"x_generic_uris":[]}}]}"#,
                    "[]",
                ),
                "/product_tree/full_product_names/0 OutsideBranches\n/product_tree/full_product_names/0/product_identification_helper HelperNotRead\n NoVulnerabilities",
            ),
        ],
    );
}

/// `TWO`, and these relationships as id, component and platform.
fn related(relationships: &[(&str, &str, &str)]) -> String {
    let one = |(id, component, platform): &(&str, &str, &str)| {
        format!(
            r#"{{"category":"installed_on","full_product_name":{{"name":"{id}","product_id":"{id}"}},
            "product_reference":"{component}","relates_to_product_reference":"{platform}"}}"#
        )
    };
    let list: Vec<String> = relationships.iter().map(one).collect();
    let tree = TWO.strip_suffix('}').unwrap();
    document(&format!(r#"{tree},"relationships":[{}]}}"#, list.join(",")), r#"[{"cve":"CVE-1","product_status":{"known_affected":["R"]}}]"#)
}

#[test]
fn a_product_made_of_two_is_its_component_on_its_platform_in_any_order() {
    const OWN: &str = "A: Siemens//S7-1500 range vers:all/<V3\nB: Siemens//S7-1500 version V3.1\n";
    for (relationships, expected) in [
        (&[("R", "A", "B")][..], "R: Siemens//S7-1500 range vers:all/<V3 installed_on(0 on 1)"),
        (
            &[("R", "Q", "B"), ("Q", "B", "A")],
            "Q: Siemens//S7-1500 version V3.1 installed_on(1 on 0)\nR: Siemens//S7-1500 version V3.1 installed_on(2 on 1)",
        ),
    ] {
        check(products, &[(related(relationships), &format!("{OWN}{expected}"))]);
    }
    check(
        tolerated,
        &[(
            related(&[("R", "A", "X")]),
            "/product_tree/relationships/0 RelationshipToNothing\n/vulnerabilities/0/product_status/known_affected/0 UnknownProduct",
        )],
    );
}

#[test]
fn a_product_that_is_made_of_itself_is_refused() {
    for relationships in [&[("R", "R", "A")][..], &[("R", "A", "Q"), ("Q", "R", "B")], &[("P", "A", "R"), ("R", "Q", "B"), ("Q", "B", "R")]]
    {
        let why = read(related(relationships).as_bytes()).unwrap_err();
        assert!(why.at.starts_with("/product_tree/relationships/") && why.why == "a product is made of itself", "{why}");
    }
    // A chain that is as long as it may be takes no stack.
    let ids: Vec<String> = (0..20_000).map(|at| format!("R{at}")).collect();
    let chain: Vec<(&str, &str, &str)> =
        (0..19_999).map(|at| (ids[at].as_str(), ids[at + 1].as_str(), "A")).chain([(ids[19_999].as_str(), "B", "A")]).collect();
    assert_eq!(read(related(&chain).as_bytes()).unwrap().products.len(), 20_002);
}

#[test]
fn an_id_that_means_two_things_is_refused() {
    let vendor = |below: &str| branches(&branch("vendor", "V", &branch("product_name", "N", below)));
    let same = leaf("product_version", "1", "A");
    check(
        tolerated,
        &[
            (
                vendor(&format!("{same},{same}")),
                "/product_tree/branches/0/branches/0/branches/1/product SameProductTwice\n NoVulnerabilities",
            ),
            (
                vendor(&format!("{same},{}", leaf("product_version", "2", "A"))),
                "/product_tree/branches/0/branches/0/branches/1/product: two different products have the id \"A\"",
            ),
            (
                document(r#"{"product_groups":[{"group_id":"G","product_ids":[]},{"group_id":"G","product_ids":[]}]}"#, "[]"),
                "/product_tree/product_groups/1: two groups have the id \"G\"",
            ),
        ],
    );
}

#[test]
fn what_is_no_document_is_refused_with_its_place() {
    let at = |from: &str, to: &str| {
        let text = document(TWO, r#"[{"cve":"CVE-1","product_status":{"known_affected":["A"]}}]"#);
        assert!(text.contains(from), "{from}");
        text.replacen(from, to, 1)
    };
    let refused = |text: String, expected: &str| {
        let unread = read(text.as_bytes()).unwrap_err();
        assert!(unread.to_string().starts_with(expected), "{unread} is not {expected}");
    };
    refused(at(r#""csaf_version":"2.0""#, r#""csaf_version":"2.1""#), "/document/csaf_version: CSAF 2.1 is not read yet");
    refused(at(r#""csaf_version":"2.0""#, r#""csaf_version":"1.2""#), "/document/csaf_version: CSAF \"1.2\" is not read; 2.0 is");
    // 2.1 by name even where its other shape would end the reading first.
    refused(
        at(r#""csaf_version":"2.0""#, r#""csaf_version":"2.1""#).replace(r#""cve":"CVE-1""#, r#""cve":["CVE-1"]"#),
        "/document/csaf_version: CSAF 2.1 is not read yet",
    );
    refused(at(r#""id":"V-1","#, ""), "/document/tracking: missing field `id`");
    refused(at(r#""name":"V","#, ""), "/document/publisher: missing field `name`");
    refused(at(r#""id":"V-1""#, r#""id":7"#), "/document/tracking/id: invalid type: integer `7`, expected a text");
    refused(at(r#""known_affected":["A"]"#, r#""known_affected":"A""#), "/vulnerabilities/0/product_status/known_affected: invalid type");
    refused(
        at(r#""known_affected":["A"]"#, r#""known_affected":["A"],"known_affected":["B"]"#),
        "/vulnerabilities/0/product_status: a status stands there twice",
    );
    refused(at(r#""cve":"CVE-1""#, r#""cve":"CVE-1","cve":"CVE-2""#), "/vulnerabilities/0: duplicate field `cve`");
    refused(at(r#""name":"V3.1","#, ""), "/product_tree/branches/0/branches/0/branches/1: missing field `name`");
    refused("{}".into(), "missing field `document`");
    refused("".into(), "EOF while parsing");
    refused(document(TWO, "[]") + "x", "trailing characters");
    assert_eq!(read(b"{\"document\":\"\xff\"}").unwrap_err().why, "byte 13 is not UTF-8");
    let utf16: Vec<u8> = "\u{feff}{}".encode_utf16().flat_map(u16::to_le_bytes).collect();
    assert_eq!(read(&utf16).unwrap_err().why, "byte 0 is not UTF-8");
}

#[test]
fn a_byte_order_mark_and_damaged_letters_are_listed() {
    let text = "\u{feff}".to_owned() + &document(TWO, "[]").replace(r#""title":"T""#, r#""title":"GerÃ¤t""#);
    check(tolerated, &[(text.clone(), " ByteOrderMark\n/document/title EncodedTwice\n NoVulnerabilities")]);
    let draft = document("{}", "[]")
        .replace("final", "draft")
        .replace(r#""title":"T","#, "")
        .replace(r#""current_release_date":"2024-02-01T00:00:00Z""#, r#""x":1"#);
    check(tolerated, &[(draft, "/document/tracking/status Draft\n/document NoTitle\n/document/tracking NoDate\n NoVulnerabilities")]);
    check(tolerated, &[(document("null", "null"), " NoProductTree\n NoVulnerabilities")]);
}

#[test]
fn a_million_products_are_refused() {
    // Outside the branches, and under one: no list is longer, and no tree.
    let flat: Vec<String> = (0..1_000_000).map(|at| format!(r#"{{"name":"a","product_id":"{at}"}}"#)).collect();
    let unread = read(document(&format!(r#"{{"full_product_names":[{}]}}"#, flat.join(",")), "[]").as_bytes()).unwrap_err();
    assert!(unread.to_string().starts_with("/product_tree/full_product_names: a list of more than 100000 entries"), "{unread}");
    let leaves = |vendor: u32| {
        let leaves: Vec<String> = (0..60_000).map(|at| leaf("product_version", "1", &format!("{vendor}-{at}"))).collect();
        branch("product_name", "N", &leaves.join(","))
    };
    let unread = read(branches(&format!("{},{}", leaves(1), leaves(2))).as_bytes()).unwrap_err();
    assert_eq!(unread.to_string(), "/product_tree/branches/1/branches/40000/product: more than 100000 products");
}

#[test]
fn a_depth_bomb_is_refused() {
    let bomb = |levels: usize| {
        let open = r#"{"category":"architecture","name":"x","branches":["#;
        branches(&(open.repeat(levels) + &leaf("product_version", "1", "A") + &"]}".repeat(levels)))
    };
    assert!(read(bomb(31).as_bytes()).is_ok());
    let unread = read(bomb(32).as_bytes()).unwrap_err();
    assert_eq!(unread.why, "branches more than 32 deep");
    let unread = read(bomb(100_000).as_bytes()).unwrap_err();
    assert!(unread.why.starts_with("recursion limit exceeded"), "{unread}");
    assert!(unread.at.chars().count() <= POINTER_CHARS_MAX + 1, "{unread}");
    // In a part that is not read it is passed over, without a stack.
    let text = document(TWO, "[]").replacen('{', &format!("{{\"x\":{}{},", "[".repeat(1_000_000), "]".repeat(1_000_000)), 1);
    assert!(read(text.as_bytes()).is_ok());
}

#[test]
fn lists_that_multiply_are_refused() {
    let members: Vec<String> = (0..10_000).map(|at| format!(r#"{{"name":"a","product_id":"{at}"}}"#)).collect();
    let ids: Vec<String> = (0..10_000).map(|at| format!("\"{at}\"")).collect();
    let tree = format!(
        r#"{{"full_product_names":[{}],"product_groups":[{{"group_id":"G","product_ids":[{}]}}]}}"#,
        members.join(","),
        ids.join(",")
    );
    let offers = vec![r#"{"category":"vendor_fix","details":"d","group_ids":["G"]}"#; 1000].join(",");
    let unread = read(document(&tree, &format!(r#"[{{"cve":"C","remediations":[{offers}]}}]"#)).as_bytes()).unwrap_err();
    assert_eq!(unread.to_string(), "/vulnerabilities/0/remediations/400: products are named more than 4000000 times");
    let many = vec!["{}"; VULNERABILITIES_MAX + 1].join(",");
    assert_eq!(read(document(TWO, &format!("[{many}]")).as_bytes()).unwrap_err().why, "more than 10000 vulnerabilities");
    let long = document(TWO, "[]").replacen("V-1", &"x".repeat(9000), 1);
    assert!(read(long.as_bytes()).unwrap_err().to_string().starts_with("/document/tracking/id: a text of more than 8192 bytes"));
    let unknown = vec!["\"x\""; TOLERANCES_MAX].join(",");
    let said = format!(r#"[{{"cve":"C","product_status":{{"fixed":[{unknown}],"known_affected":["x"]}}}}]"#);
    assert!(read(document(TWO, &said).as_bytes()).unwrap_err().why.starts_with("it departs from the standard in more than"));
}

#[test]
fn documents_that_cisa_took_over_from_siemens_are_marked() {
    let of = |publisher: &str, date: &str, vendor: &str, more: &str| {
        let text = document(TWO, "[]")
            .replacen(r#""name":"V""#, &format!(r#""name":"{publisher}""#), 1)
            .replace("2024-01-01", date)
            .replace("Siemens\",\"branches", &format!("{vendor}\",\"branches"))
            .replacen(r#""title":"T""#, &format!(r#""title":"T",{more}"#), 1);
        read(text.as_bytes()).unwrap().initial_version_only
    };
    let note = r#""notes":[{"category":"other","text":"This CISA CSAF advisory was converted from Siemens ProductCERT's CSAF advisory."}]"#;
    let link = r#""references":[{"summary":"s","url":"https://cert-portal.siemens.com/productcert/csaf/ssa-1.json"}]"#;
    let none = r#""notes":[{"category":"other","text":"Germany"}]"#;
    for (publisher, date, vendor, more, expected) in [
        ("CISA", "2023-05-11", "Siemens", note, true),
        ("CISA", "2023-01-12", "Siemens", link, true),
        ("CISA", "2023-01-12", "Siemens", none, false),
        ("CISA", "2023-01-12", "Wibu", link, false),
        ("CISA", "2022-12-15", "Siemens", link, false),
        ("Siemens ProductCERT", "2023-05-11", "Siemens", link, false),
    ] {
        assert_eq!(of(publisher, date, vendor, more), expected, "{publisher} {date} {vendor} {more}");
    }
}
