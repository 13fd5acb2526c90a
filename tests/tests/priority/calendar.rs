//! `nameplate calendar`, and a policy of the owner's own.

use nameplate_core::priority::BUILT_IN;
use nameplate_tests::place::needed;
use nameplate_tests::product::{Ended, Product, State, code};
use serde_json::{Value, json};

/// A fix that needs a restart, published long after any day on which this runs.
fn document() -> String {
    let tracking = json!({"id": "ACME-9", "status": "final", "version": "1", "initial_release_date": "2099-01-01T10:00:00Z",
        "current_release_date": "2099-01-01T10:00:00Z",
        "revision_history": [{"date": "2099-01-01T10:00:00Z", "number": "1", "summary": "first"}]});
    let product = json!({"category": "product_version_range", "name": "vers:generic/<4.2.0",
        "product": {"product_id": "P-1", "name": "Acme ProtectoLine 300 <4.2.0"}});
    let vulnerability = |cve: &str, vector: &str| {
        json!({"cve": cve, "product_status": {"known_affected": ["P-1"]},
            "scores": [{"products": ["P-1"], "cvss_v3": {"version": "3.1", "baseScore": 9.8, "baseSeverity": "CRITICAL", "vectorString": vector}}],
            "remediations": [{"category": "vendor_fix", "details": "Update to 4.2.0 or later", "product_ids": ["P-1"],
                              "restart_required": {"category": "system"}}]})
    };
    json!({
        "document": {"category": "csaf_security_advisory", "csaf_version": "2.0", "title": "Acme relays", "tracking": tracking,
            "publisher": {"category": "vendor", "name": "Acme PSIRT", "namespace": "https://psirt.example"}},
        "product_tree": {"branches": [{"category": "vendor", "name": "Acme", "branches": [
            {"category": "product_name", "name": "ProtectoLine 300", "branches": [product]}]}]},
        "vulnerabilities": [
            vulnerability("CVE-2099-10001", "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H"),
            vulnerability("CVE-2099-10002", "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:H"),
            vulnerability("CVE-2099-10003", "CVSS:3.1/AV:L/AC:H/PR:L/UI:N/S:U/C:L/I:N/A:N"),
        ],
    })
    .to_string()
}

const SHEET: &str = "id,manufacturer,model,firmware,exposure,criticality\n\
                     r1,Acme,ProtectoLine 300,4.1.9,internet,high\n\
                     r2,Acme,ProtectoLine 300,4.1.9,ot only,high\n\
                     r3,Acme,ProtectoLine 300,4.2.0,internet,high\n";

const SCHEDULE: &str = "[[release]]\nvendor = \"Acme\"\nproducts = \"relays\"\nevery = [\"second tuesday\"]\nsource = \"their page\"\n";

fn calendar(product: &Product, state: &State, policy: Option<&str>, more: &[&str]) -> Ended {
    let files = [("sheet.csv", SHEET.to_owned()), ("acme.json", document()), ("plan.toml", SCHEDULE.to_owned())];
    let [sheet, advisory, plan] = files.map(|(name, text)| state.file(name, text));
    let policy = policy.map(|text| state.file("policy.toml", text));
    let mut arguments = vec!["calendar", "--inventory", &sheet, "--advisories", &advisory, "--schedules", &plan, "--format", "ndjson"];
    arguments.extend(policy.iter().flat_map(|policy| ["--policy", policy]));
    arguments.extend(more);
    product.run(arguments)
}

fn cells(line: &Value) -> Vec<String> {
    let cell = |name: &str| match &line[name] {
        Value::String(text) => text.clone(),
        Value::Array(all) => all.iter().filter_map(Value::as_str).collect::<Vec<_>>().join(" "),
        Value::Bool(true) => name.to_owned(),
        _ => String::new(),
    };
    ["day", "what", "who", "band", "overdue", "cves"].map(cell).to_vec()
}

#[test]
fn a_calendar_says_when_vendors_publish_and_what_is_due_when() {
    let Some(product) = needed("a_calendar_says_when_vendors_publish_and_what_is_due_when", Product::find()) else { return };
    let state = State::new();
    // Fifteen days for what is critical and needs a restart, 180 for what is moderate.
    let both = "CVE-2099-10001 CVE-2099-10002";
    let ended = calendar(&product, &state, None, &["--from", "2099-01-05", "--days", "60"]).expect(code::DONE);
    let said: Vec<Vec<String>> = ended.lines().iter().map(cells).collect();
    let expected = [
        ["2099-01-13", "release", "Acme", "", "", ""],
        ["2099-01-16", "fix", "r1", "critical", "", both],
        ["2099-02-10", "release", "Acme", "", "", ""],
    ];
    assert_eq!(said, expected, "{}", ended.out);
    let ended = calendar(&product, &state, None, &["--from", "2099-06-01", "--days", "30"]).expect(code::DONE);
    let said: Vec<Vec<String>> = ended.lines().iter().map(cells).collect();
    let expected = [
        ["2099-01-16", "fix", "r1", "critical", "overdue", both],
        ["2099-06-09", "release", "Acme", "", "", ""],
        ["2099-06-30", "fix", "r2", "moderate", "", both],
    ];
    assert_eq!(said, expected, "{}", ended.out);
}

#[test]
fn without_a_document_a_calendar_says_only_when_vendors_publish() {
    let Some(product) = needed("without_a_document_a_calendar_says_only_when_vendors_publish", Product::find()) else { return };
    let state = State::new();
    let place = state.text();
    let ended = product.run(["calendar", "--from", "2026-12-01", "--days", "20", "--format", "csv", "--state", &place]).expect(code::DONE);
    let days: Vec<&str> = ended.out.lines().skip(1).map(|line| line.split(",release").next().unwrap_or_default()).collect();
    assert_eq!(days, ["2026-12-02", "2026-12-08", "2026-12-08", "2026-12-08", "2026-12-16"], "{}", ended.out);
    assert!(ended.err.contains("no advisory was looked at"), "{}", ended.err);
}

#[test]
fn a_policy_of_ones_own_counts_whole_or_is_refused_with_its_line() {
    let Some(product) = needed("a_policy_of_ones_own_counts_whole_or_is_refused_with_its_line", Product::find()) else { return };
    let state = State::new();
    let sooner = BUILT_IN.replacen("outage = 15", "outage = 8", 1);
    let ended = calendar(&product, &state, Some(&sooner), &["--from", "2099-01-02", "--days", "10"]).expect(code::DONE);
    assert_eq!(ended.lines().first().map(cells).unwrap_or_default()[..3], ["2099-01-09", "fix", "r1"], "{}", ended.out);
    for (old, new, why) in [
        ("outage = 15", "outage = 3", "a fix without a restart cannot have more time than one that needs it"),
        ("band = \"low\"", "band = \"important\"", "a worse fact would be the lower band"),
    ] {
        let text = BUILT_IN.replacen(old, new, 1);
        let ended = calendar(&product, &state, Some(&text), &[]).expect(code::INPUT);
        assert!(ended.err.contains("policy.toml: line ") && ended.err.contains(why), "{}", ended.err);
    }
    let ended = calendar(&product, &state, None, &["--from", "soon"]).expect(code::USAGE);
    assert!(ended.err.contains("--from is a day"), "{}", ended.err);
}
