use super::*;

const HEADER: &str =
    "publisher,id,title,revision,date,page,vendor,product,order_number,model,range,status,cve,cvss,remediation,fixed_version,url\n";

fn shown(bulletin: &Bulletin) -> String {
    let Advisory { publisher, id, revision, page, products, vulnerabilities, .. } = &bulletin.advisory;
    let product = |at: &ProductIndex| {
        let product = &products[*at as usize];
        format!("{}|{}|{}|{:?}", product.vendor, product.name, product.skus.join(" "), product.release)
    };
    let list = |of: &[ProductIndex]| of.iter().map(product).collect::<Vec<_>>().join(" & ");
    let one = |of: &Vulnerability| {
        let statuses = of.statuses.iter().map(|(status, products)| format!("{status:?} {}", list(products)));
        let scores = of.scores.iter().map(|score| format!("{}{}", score.vector, score.base));
        let offers = of.remediations.iter().map(|offer| format!("{}: {}", offer.category, offer.details));
        format!("{} {}", of.cve, statuses.chain(scores).chain(offers).collect::<Vec<_>>().join("; "))
    };
    let said = vulnerabilities.iter().map(one).collect::<Vec<_>>().join("\n");
    format!("{publisher} {id} {revision} {}\n{said}", page.as_deref().unwrap_or_default())
}

fn check(rows: &str, expected: &[&str]) {
    let read = read(format!("{HEADER}{rows}").as_bytes()).map_err(|unread| unread.to_string());
    let found: Vec<String> = read.map_or_else(|why| vec![why], |bulletins| bulletins.iter().map(shown).collect());
    assert_eq!(found, expected, "{rows}");
}

#[test]
fn rows_become_documents_with_products_and_vulnerabilities() {
    check(
        "ABB,P-1,T,2,2024-01-01,p. 12,,RTU500,,,< 12.7.8,,CVE-2024-1,7.5,,12.7.8,\n\
         ABB,P-1,T,2,2024-01-01,p. 12,,RTU500,,,< 13.6.3,,CVE-2024-1,7.5,Block the port,,u\n\
         Wago,W-1,T,1,2024-01-01,,,,750-8212,,,not_affected,CVE-2024-2,CVSS:3.1/AV:N,,,\n\
         ABB,P-1,T,2,2024-01-01,p. 12,,RTU500,,,< 12.7.8,,CVE-2024-3,,no_fix_planned,,\n",
        &[
            "ABB P-1 2 p. 12\n\
             CVE-2024-1 KnownAffected ABB|RTU500||Range(\"< 12.7.8\") & ABB|RTU500||Range(\"< 13.6.3\"); \
             Fixed ABB|RTU500||Version(\"12.7.8\"); 7.5; vendor_fix: Update to 12.7.8; mitigation: Block the port\n\
             CVE-2024-3 KnownAffected ABB|RTU500||Range(\"< 12.7.8\"); no_fix_planned: ",
            "Wago W-1 1 \nCVE-2024-2 KnownNotAffected Wago|750-8212|750-8212|Every; CVSS:3.1/AV:N",
        ],
    );
}

#[test]
fn what_is_wrong_is_named_by_line_and_column() {
    for (rows, expected) in [
        ("ABB,,T,,,,,RTU,,,,,,,,,\n", "line 2, column id: this cell is needed and empty"),
        ("ABB,P,T,,,,,,,,< 1,,,,,,\n", "line 2, column product: none of product, order_number and model says what the row is about"),
        (
            "ABB,P,T,,,,,RTU,,,,perhaps,C,,,,\n",
            "line 2, column status: none of CSAF's: known_affected, known_not_affected, fixed, under_investigation, ...",
        ),
        ("ABB,P,T,,,,,RTU,,,,,C,eleven,,,\n", "line 2, column cvss: neither a CVSS vector nor a base score from 0.0 to 10.0"),
        ("ABB,P,T,,,,,RTU,,,,,C,10.1,,,\n", "line 2, column cvss: neither a CVSS vector nor a base score from 0.0 to 10.0"),
        ("ABB,P,T,1,,,,RTU,,,,,C,,,,\nABB,P,T,2,,,,RTU,,,,,D,,,,\n", "line 3, column revision: line 2 says otherwise of the same document"),
        (
            "ABB,P,=cmd|' /C calc'!A1,,,,,RTU,,,,,C,,,,\n",
            "line 2, column title: a formula; where it is a text, put an apostrophe before it",
        ),
        ("ABB,P,T\n", "line 2: 3 cells, where the header has 17"),
        ("ABB,P,T,,,,,\"RTU,,,,,C,,,,\n", "line 2, column 8: the quotation mark that begins here is never closed"),
    ] {
        check(rows, &[expected]);
    }
    for (file, expected) in [
        ("", "line 1: the file is empty"),
        ("publisher,id,colour\n", "line 1: \"colour\" is no column of a bulletin"),
        ("publisher,product\n", "line 1: the column id is missing"),
        ("publisher,id,id\n", "line 1: the column id stands there twice"),
    ] {
        assert_eq!(read(file.as_bytes()).unwrap_err().to_string(), expected);
    }
}

#[test]
fn a_bulletin_is_its_own_rows_and_reads_again_as_itself() {
    let first = "ABB,P-1,\"T, \"\"u\"\"\",2,,,,\'+RTU,,,< 1,,CVE-2024-1,,,,\n";
    let second = "Wago,W-1,T,1,,,,PFC,,,,,CVE-2024-2,,,,\n";
    let alone = read(format!("{HEADER}{first}").as_bytes()).unwrap();
    let both = read(format!("{HEADER}{second}{first}").as_bytes()).unwrap();
    assert_eq!(both.len(), 2);
    assert_eq!(both[1], alone[0], "another bulletin in the file changes nothing");
    for bulletin in &both {
        assert_eq!(read(&bulletin.rows).unwrap(), std::slice::from_ref(bulletin));
        assert_eq!(bulletin.advisory.sha256, hex(&Sha256::digest(&bulletin.rows)));
    }
    assert_eq!(alone[0].advisory.title, "T, \"u\"");
    assert_eq!(alone[0].advisory.products[0].name, "+RTU");
}
