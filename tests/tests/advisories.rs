//! Advisories, as their reader meets them: from files into the ledger, once each, and what that changed.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use nameplate::advisories;
use nameplate_core::advisory::Advisory;
use nameplate_tests::place::{needed, root, shared};
use nameplate_tests::product::{Ended, Product, State, code};
use serde_json::Value;

fn corpus() -> Result<advisories::Loaded, String> {
    let folder = shared()?.join("advisories/csaf");
    if !folder.is_dir() {
        return Err(format!("no advisories at {}", folder.display()));
    }
    advisories::load(&folder).map_err(|failure| failure.why)
}

/// What was tolerated in the whole corpus, by kind; counted once more, by another program, when it was written down.
#[test]
fn the_whole_corpus_is_read_and_what_is_tolerated_is_known() {
    let Some(loaded) = needed("the_whole_corpus_is_read_and_what_is_tolerated_is_known", corpus()) else { return };
    assert_eq!(loaded.problems, []);
    let count = |of: fn(&Advisory) -> usize| loaded.advisories.iter().map(of).sum::<usize>();
    let mut lines: BTreeMap<String, usize> = BTreeMap::new();
    for tolerance in loaded.advisories.iter().flat_map(|advisory| &advisory.tolerances) {
        *lines.entry(format!("tolerated: {}", tolerance.what)).or_default() += 1;
    }
    for (what, found) in [
        ("documents", loaded.documents),
        ("documents that are the initial version of Siemens' own", count(|advisory| usize::from(advisory.initial_version_only))),
        ("products", count(|advisory| advisory.products.len())),
        ("vulnerabilities", count(|advisory| advisory.vulnerabilities.len())),
        ("statuses", count(|advisory| advisory.vulnerabilities.iter().map(|of| of.statuses.len()).sum())),
        ("remediations", count(|advisory| advisory.vulnerabilities.iter().map(|of| of.remediations.len()).sum())),
        ("scores", count(|advisory| advisory.vulnerabilities.iter().map(|of| of.scores.len()).sum())),
    ] {
        lines.insert(what.to_owned(), found);
    }
    let found: String = lines.iter().map(|(what, count)| format!("{count}\t{what}\n")).collect();
    let golden = fs::read_to_string(root().join("tests/golden/advisories.tsv")).expect("the golden counts");
    assert_eq!(found, golden);
}

fn import(product: &Product, state: &State, more: &[&str]) -> Ended {
    let place = state.text();
    product.run(["import", "advisories", "--state", place.as_str(), "--format", "ndjson"].iter().chain(more))
}

/// `taken id` of each line.
fn taken(ended: &Ended) -> Vec<String> {
    let text = |line: &Value, key: &str| line[key].as_str().unwrap_or_default().to_owned();
    ended.lines().iter().map(|line| format!("{} {}", text(line, "taken"), text(line, "id")).trim().to_owned()).collect()
}

fn document(id: &str, revision: &str, title: &str) -> String {
    format!(
        r#"{{"document":{{"csaf_version":"2.0","title":"{title}","publisher":{{"name":"V"}},"tracking":{{"id":"{id}","version":"{revision}"}}}},
        "product_tree":{{}},"vulnerabilities":[{{"cve":"CVE-2022-38465"}}]}}"#
    )
}

const KEV: &str = "cveID,dateAdded,knownRansomwareCampaignUse\nCVE-2022-38465,2023-01-02,Known\n";

#[test]
fn a_second_import_adds_nothing_and_a_third_says_what_changed() {
    let Some(product) = needed("a_second_import_adds_nothing_and_a_third_says_what_changed", Product::find()) else { return };
    let state = State::new();
    state.file("csaf/a.json", document("A", "1", "T"));
    state.file("csaf/b.json", document("B", "1", "T"));
    state.file("csaf/c.json", document("C", "1", "T"));
    let kev = state.file("kev.csv", KEV);
    let folder = state.file("csaf/index.txt", "").replace("/index.txt", "");
    let first = import(&product, &state, &[&folder, "--kev", &kev]).expect(code::DONE);
    assert_eq!(taken(&first), ["new A", "new B", "new C"]);
    let second = import(&product, &state, &[&folder, "--kev", &kev]).expect(code::DONE);
    assert_eq!(taken(&second), ["unchanged A", "unchanged B", "unchanged C"]);
    assert!(second.err.contains("nothing that the ledger did not have"), "{}", second.err);
    state.file("csaf/a.json", document("A", "2", "T"));
    state.file("csaf/b.json", document("B", "1", "another"));
    fs::remove_file(Path::new(&folder).join("c.json")).expect("it was there");
    state.file("csaf/d.json", "{}");
    let third = import(&product, &state, &[&folder]).expect(code::INPUT);
    assert_eq!(taken(&third), ["newer A", "changed_without_revision B", "not_in_this_set C", "refused"]);
    assert!(third.out.contains("missing field `document`"), "{}", third.out);
    product.run(["ledger", "verify", "--state", &state.text()]).expect(code::DONE);
}

#[test]
fn a_bundle_goes_from_the_site_that_signs_it_to_one_that_trusts_it() {
    let Some(product) = needed("a_bundle_goes_from_the_site_that_signs_it_to_one_that_trusts_it", Product::find()) else { return };
    let (connected, plant) = (State::new(), State::new());
    let folder = connected.file("csaf/a.json", document("A", "1", "T")).replace("/a.json", "");
    let bundle = connected.file("csaf/a.json", document("A", "1", "T")).replace("csaf/a.json", "update.zip");
    let made = product.run(["advisories", "bundle", &folder, "--out", &bundle, "--state", &connected.text()]).expect(code::DONE);
    let fingerprint = made.err.trim().rsplit(' ').next().expect("the last word").to_owned();
    import(&product, &plant, &[&bundle, "--trust", &"0".repeat(64)]).expect(code::INPUT);
    let taken_in = import(&product, &plant, &[&bundle, "--trust", &fingerprint]).expect(code::DONE);
    assert_eq!(taken(&taken_in), ["new A"]);
    assert!(taken_in.err.contains(&format!("bundle signed by {fingerprint} (trusted)")), "{}", taken_in.err);
    // Nothing is overwritten.
    product.run(["advisories", "bundle", &folder, "--out", &bundle, "--state", &connected.text()]).expect(code::INPUT);
}

#[test]
fn real_checksums_are_right_and_real_lists_are_read() {
    let parts = shared().and_then(|shared| Ok((shared.join("advisories"), Product::find()?)));
    let Some((shared, product)) = needed("real_checksums_are_right_and_real_lists_are_read", parts) else { return };
    let state = State::new();
    let path = |name: &str| shared.join(name).display().to_string();
    let (samples, kev) = (path("integrity-samples"), path("kev/known_exploited_vulnerabilities.json"));
    let ended =
        import(&product, &state, &[&samples, "--kev", &kev, "--ssvc", &path("ssvc/cisa_adp_ssvc_ot_cves.jsonl")]).expect(code::DONE);
    assert_eq!(ended.lines().len(), 12);
    assert!(ended.err.contains("checksums right beside 12; signatures right beside 0, not checked beside 12"), "{}", ended.err);
    let one = Path::new(&samples).join("icsa-24-016-01.json");
    let text = fs::read_to_string(&one).expect("it is there").replacen("SEW", "sew", 1) + " ";
    state.file("x/icsa-24-016-01.json", text);
    let folder = state.file("x/icsa-24-016-01.json.sha512", fs::read(one.with_extension("json.sha512")).expect("it is there"));
    let folder = folder.replace("/icsa-24-016-01.json.sha512", "");
    let refused = import(&product, &state, &[&folder]).expect(code::INPUT);
    assert!(refused.out.contains("the .sha512 beside it says bc3a41c15f86"), "{}", refused.out);
}
