//! The commands' own promises, with documents of our own.

use nameplate_tests::place::needed;
use nameplate_tests::product::{Product, State, code};
use serde_json::{Value, json};

use super::{check, text, verdicts};

/// Found what `--fail-on` names.
const FOUND: i32 = 1;

/// A vendor's document about two relays of one family: the one has a fix, of the other it is not known.
pub fn document(id: &str) -> Value {
    let release = |category: &str, name: &str, id: &str, full: &str| json!({"category": category, "name": name, "product": {"product_id": id, "name": full}});
    json!({
        "document": {
            "category": "csaf_security_advisory", "csaf_version": "2.0", "title": "Acme relays",
            "publisher": {"category": "vendor", "name": "Acme PSIRT", "namespace": "https://psirt.example"},
            "tracking": {"id": id, "status": "final", "version": "2",
                "initial_release_date": "2026-02-01T10:00:00Z", "current_release_date": "2026-03-01T10:00:00Z",
                "revision_history": [{"date": "2026-02-01T10:00:00Z", "number": "1", "summary": "first"},
                                     {"date": "2026-03-01T10:00:00Z", "number": "2", "summary": "second"}]},
        },
        "product_tree": {"branches": [{"category": "vendor", "name": "Acme", "branches": [
            {"category": "product_name", "name": "ProtectoLine 300", "branches": [
                release("product_version_range", "vers:generic/<4.2.0", "P-1", "Acme ProtectoLine 300 <4.2.0"),
                release("product_version", "4.2.0", "P-2", "Acme ProtectoLine 300 4.2.0"),
            ]},
            {"category": "product_name", "name": "ProtectoLine 500", "branches": [
                release("product_version_range", "vers:generic/*", "P-3", "Acme ProtectoLine 500 all"),
            ]},
        ]}]},
        "vulnerabilities": [
            {"cve": "CVE-2026-10001", "product_status": {"known_affected": ["P-1"], "fixed": ["P-2"], "under_investigation": ["P-3"]},
             "scores": [{"products": ["P-1"], "cvss_v3": {"version": "3.1", "baseScore": 9.8, "baseSeverity": "CRITICAL",
                         "vectorString": "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H"}}],
             "remediations": [{"category": "vendor_fix", "details": "Update to 4.2.0 or later", "product_ids": ["P-1"],
                               "url": "https://psirt.example/fix"}]},
        ],
    })
}

pub const SHEET: &str = "id,manufacturer,model,firmware,zone,exposure,criticality\n\
                     r1,Acme,ProtectoLine 300,4.1.9,Cell 1,internet,high\n\
                     r2,Acme,ProtectoLine 300,4.2.0,Cell 1,,\n\
                     r3,Acme,ProtectoLine 300,,Cell 1,,\n\
                     r4,Acme,ProtectoLine 500,1.0,Cell 1,,\n\
                     r5,Other,Thing,1.0,Cell 1,,\n";

/// A state that holds nothing but the document's file.
pub fn written(state: &State, name: &str, document: &Value) -> String {
    state.file(name, document.to_string())
}

#[test]
fn a_mailbox_of_files_is_enough_to_judge_a_plant() {
    let Some(product) = needed("a_mailbox_of_files_is_enough_to_judge_a_plant", Product::find()) else { return };
    let state = State::new();
    let file = written(&state, "acme-1.json", &document("ACME-1"));
    let ended = check(&product, SHEET, &file, &[]).expect(code::DONE);
    let lines = ended.lines();
    let expected = [("r1", "affected"), ("r2", "not_affected"), ("r3", "indeterminate"), ("r4", "indeterminate")];
    let key = |asset: &str| (asset.to_owned(), "CVE-2026-10001".to_owned());
    assert_eq!(verdicts(&lines), expected.iter().map(|(asset, verdict)| (key(asset), (*verdict).to_owned())).collect());
    let of = |asset: &str| lines.iter().find(|line| text(line, "asset") == asset).expect("a line");
    assert_eq!(
        (text(of("r1"), "advisory"), text(of("r1"), "identity"), text(of("r1"), "range")),
        ("ACME-1", "model", "vers:generic/<4.2.0")
    );
    assert_eq!((text(of("r1"), "remediation"), of("r3")["missing"][0].as_str()), ("Update to 4.2.0 or later", Some("firmware_revision")));
    assert!(!text(of("r1"), "band").is_empty() && of("r2")["band"].is_null(), "{}", ended.out);
    assert!(ended.err.contains("1 component: no advisory matched (1 document, corpus to 2026-03-01)"), "{}", ended.err);
    for word in ["safe", "secure", "not vulnerable"] {
        assert!(!ended.err.contains(word) && !ended.out.contains(word), "{word}");
    }
}

#[test]
fn a_check_fails_on_a_band_and_on_what_is_worse() {
    let Some(product) = needed("a_check_fails_on_a_band_and_on_what_is_worse", Product::find()) else { return };
    let state = State::new();
    let file = written(&state, "acme-1.json", &document("ACME-1"));
    let only = |rows: &[usize]| {
        let lines: Vec<&str> = SHEET.lines().enumerate().filter(|(at, _)| *at == 0 || rows.contains(at)).map(|(_, line)| line).collect();
        lines.join("\n") + "\n"
    };
    for (rows, fail_on, ends) in [
        (&[1][..], "low", FOUND),
        (&[1], "important", FOUND),
        (&[1], "affected", FOUND),
        (&[1], "indeterminate", code::DONE),
        (&[1], "disapproved", code::DONE),
        (&[2], "low", code::DONE),
        (&[3], "indeterminate", FOUND),
        (&[3], "affected", code::DONE),
        (&[5], "low", code::DONE),
    ] {
        check(&product, &only(rows), &file, &["--fail-on", fail_on]).expect(ends);
    }
}

#[test]
fn a_document_that_cannot_be_read_is_named_and_the_others_count() {
    let Some(product) = needed("a_document_that_cannot_be_read_is_named_and_the_others_count", Product::find()) else { return };
    let state = State::new();
    let file = written(&state, "in/acme-1.json", &document("ACME-1"));
    state.file("in/broken.json", b"{\"document\": {\"csaf_version\": \"2.0\"");
    let mut newer = document("ACME-2");
    newer["document"]["csaf_version"] = json!("2.1");
    written(&state, "in/newer.json", &newer);
    let folder = file.trim_end_matches("/acme-1.json");
    let ended = check(&product, SHEET, folder, &[]).expect(code::INPUT);
    assert_eq!(ended.lines().len(), 4, "{}", ended.out);
    assert!(ended.err.contains("broken.json") && ended.err.contains("newer.json") && ended.err.contains("2.1"), "{}", ended.err);
}

#[test]
fn a_verdict_is_explained_down_to_the_passage() {
    let Some(product) = needed("a_verdict_is_explained_down_to_the_passage", Product::find()) else { return };
    let state = State::new();
    let file = written(&state, "acme-1.json", &document("ACME-1"));
    let sheet = state.file("plant.csv", SHEET);
    let explain = |words: &[&str]| product.run(["explain", "--inventory", &sheet, "--advisories", &file].iter().chain(words));
    for name in ["CVE-2026-10001", "ACME-1"] {
        let ended = explain(&["r1", name]).expect(code::DONE);
        for part in [
            "r1  CVE-2026-10001 in ACME-1: affected",
            "vers:generic/<4.2.0",
            "4.1.9 is inside",
            "P-1",
            "Update to 4.2.0 or later",
            "band",
            "due",
            "policy",
        ] {
            assert!(ended.out.contains(part), "{part}\n{}", ended.out);
        }
    }
    let ended = explain(&["r5", "CVE-2026-10001"]).expect(code::USAGE);
    assert!(ended.err.contains("no advisory matched") && ended.err.contains("that is not \"not affected\""), "{}", ended.err);
    explain(&["nobody", "CVE-2026-10001"]).expect(code::USAGE);
}

#[test]
fn what_a_document_says_cannot_run_in_a_terminal_or_a_spreadsheet() {
    let Some(product) = needed("what_a_document_says_cannot_run_in_a_terminal_or_a_spreadsheet", Product::find()) else { return };
    let state = State::new();
    let mut hostile = document("=cmd|' /C calc'!A1");
    hostile["vulnerabilities"][0]["remediations"][0]["details"] = json!("\u{1b}]0;owned\u{7}=HYPERLINK(\"https://evil.example\")");
    let file = written(&state, "hostile.json", &hostile);
    for format in ["csv", "table", "ndjson"] {
        let ended = check(&product, SHEET, &file, &["--format", format]);
        assert!(!ended.out.contains('\u{1b}') && !ended.out.contains('\u{7}'), "{format}\n{}", ended.out);
        assert!(format != "csv" || !ended.out.contains(",=cmd"), "{}", ended.out);
    }
}

/// A document of another revision in which only these releases are affected.
fn revised(revision: &str, range: &str) -> Value {
    let mut document = document("ACME-1");
    document["document"]["tracking"]["version"] = json!(revision);
    document["product_tree"]["branches"][0]["branches"][0]["branches"][0]["name"] = json!(range);
    document
}

#[test]
fn what_became_of_findings_since_a_day_is_told() {
    let Some(product) = needed("what_became_of_findings_since_a_day_is_told", Product::find()) else { return };
    let state = State::new();
    let place = state.text();
    let sheet = state.file("plant.csv", SHEET);
    let run = |words: &[&str]| product.run(words.iter().chain(&["--state", &place]));
    let now = moment_now;
    run(&["import", "devices", &sheet]).expect(code::DONE);
    let unjudged = run(&["check", "--only", "findings"]).expect(code::DONE);
    assert!(unjudged.out.is_empty() && unjudged.err.contains("no advisory was looked at"), "{}{}", unjudged.out, unjudged.err);
    let mut moments = vec![now()];
    for (revision, range) in [("2", "vers:generic/<4.2.0"), ("3", "vers:generic/<4.1.0"), ("4", "vers:generic/<4.2.0")] {
        let file = written(&state, &format!("acme-{revision}.json"), &revised(revision, range));
        run(&["import", "advisories", &file]).expect(code::DONE);
        moments.push(now());
    }
    let lines = run(&["check", "--only", "findings"]).expect(code::DONE).lines();
    let ids: Vec<&str> = lines.iter().filter(|line| text(line, "verdict") == "affected").map(|line| text(line, "asset")).collect();
    let [relay] = ids.as_slice() else { panic!("{lines:?}") };
    let became = |since: &str, until: &str| {
        let ended = run(&["check", "--since", since, "--as-of", until]).expect(code::DONE);
        let of_it = ended.lines().into_iter().filter(|line| text(line, "asset") == *relay);
        of_it
            .map(|line| (text(&line, "change").to_owned(), text(&line, "before").to_owned(), text(&line, "verdict").to_owned()))
            .collect::<Vec<_>>()
    };
    let one = |change: &str, before: &str, verdict: &str| vec![(change.to_owned(), before.to_owned(), verdict.to_owned())];
    assert_eq!(became(&moments[0], &moments[1]), one("new", "", "affected"));
    assert_eq!(became(&moments[1], &moments[2]), one("changed", "affected", "not_affected"));
    assert_eq!(became(&moments[2], &moments[3]), one("re-opened", "not_affected", "affected"));
    assert_eq!(became(&moments[1], &moments[3]), []);
    let ended = run(&["explain", relay, "CVE-2026-10001"]).expect(code::DONE);
    assert!(ended.out.contains("revision 4") && ended.out.contains("affected"), "{}", ended.out);
}

/// Now, as `--as-of` takes it.
fn moment_now() -> String {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).expect("after 1970");
    nameplate_core::observation::rfc3339(u64::try_from(since.as_nanos()).expect("before 2554"))
}
