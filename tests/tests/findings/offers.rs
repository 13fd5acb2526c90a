//! What advisories offer, what a missing score and a missing fact do to a line, and sets beside conformance.

use nameplate_tests::place::needed;
use nameplate_tests::product::{Product, State, code};
use serde_json::{Value, json};

use super::stories::{document, written};
use super::{check, text};

#[test]
fn a_fix_is_a_candidate_with_its_text_and_nothing_more_until_two_persons_said_so() {
    let test = "a_fix_is_a_candidate_with_its_text_and_nothing_more_until_two_persons_said_so";
    let Some(product) = needed(test, Product::find()) else { return };
    let state = State::new();
    let place = state.text();
    let file = written(&state, "acme-1.json", &document("ACME-1"));
    let candidates = |more: &[&str]| product.run(["baseline", "candidates", "--advisories", &file, "--state", &place].iter().chain(more));
    let ended = candidates(&[]).expect(code::DONE);
    let lines = ended.lines();
    let [one] = lines.as_slice() else { panic!("{}", ended.out) };
    for (key, expected) in [
        ("document", "ACME-1"),
        ("manufacturer", "Acme"),
        ("model", "ProtectoLine 300"),
        ("affected", "vers:generic/<4.2.0"),
        ("release", "4.2.0"),
        ("text", "Update to 4.2.0 or later"),
    ] {
        assert_eq!(text(one, key), expected, "{key}");
    }
    assert!(text(one, "document_sha256").len() == 64 && ended.err.contains("nothing is approved by being listed"), "{}", ended.err);
    assert!(candidates(&["--product", "ProtectoLine 500"]).expect(code::DONE).out.is_empty());
    assert!(candidates(&["--document", "ACME-2"]).expect(code::DONE).out.is_empty());
    // Proposed for a name, and never without saying which.
    candidates(&["--propose", "--by", "Ada"]).expect(code::USAGE);
    candidates(&["--propose", "--document", "ACME-1"]).expect(code::USAGE);
    candidates(&["--propose", "--by", "Ada", "--document", "ACME-2"]).expect(code::USAGE);
    let proposed = candidates(&["--propose", "--by", "Ada", "--document", "ACME-1"]).expect(code::DONE);
    let entry = proposed.lines()[0]["entry"].to_string();
    let sheet = state.file("plant.csv", "id,manufacturer,model,firmware\nr1,Acme,ProtectoLine 300,4.2.0\n");
    product.run(["import", "devices", &sheet, "--state", &place]).expect(code::DONE);
    let conformance = || {
        let lines = product.run(["check", "--only", "conformance", "--state", &place]).expect(code::DONE).lines();
        text(&lines[0], "conformance").to_owned()
    };
    assert_eq!(conformance(), "not-listed");
    let approve =
        |by: &str| product.run(["baseline", "approve", "--proposal", &entry, "--by", by, "--reason", "tested", "--state", &place]);
    approve("Ada").expect(code::USAGE);
    approve("Grace").expect(code::DONE);
    assert_eq!(conformance(), "conforms");
}

#[test]
fn a_fix_that_is_affected_itself_is_no_candidate() {
    let Some(product) = needed("a_fix_that_is_affected_itself_is_no_candidate", Product::find()) else { return };
    let state = State::new();
    let mut inside = document("ACME-1");
    inside["vulnerabilities"][0]["remediations"][0]["details"] = json!("Update to 4.1.0 or later");
    let file = written(&state, "acme-1.json", &inside);
    let ended = product.run(["baseline", "candidates", "--advisories", &file]).expect(code::DONE);
    assert!(ended.out.is_empty() && ended.err.contains("no candidate: ACME-1") && ended.err.contains("4.1.0"), "{}", ended.err);
}

/// The line of a device in the format that a program or a person reads.
fn lines(product: &Product, document: &Value, row: &str) -> (Vec<Value>, String) {
    let state = State::new();
    let file = written(&state, "acme-1.json", document);
    let sheet = format!("id,manufacturer,model,firmware,serial_number\n{row}\n");
    (
        check(product, &sheet, &file, &[]).expect(code::DONE).lines(),
        check(product, &sheet, &file, &["--format", "table"]).expect(code::DONE).out,
    )
}

#[test]
fn a_line_names_what_is_missing_and_what_would_decide() {
    let Some(product) = needed("a_line_names_what_is_missing_and_what_would_decide", Product::find()) else { return };
    let (ndjson, table) = lines(&product, &document("ACME-1"), "r3,Acme,ProtectoLine 300,,");
    assert_eq!((&ndjson[0]["missing"][0], &ndjson[0]["would_decide"]), (&json!("firmware_revision"), &json!("firmware_revision")));
    assert!(table.contains("firmware_revision"), "{table}");
    let (known, _) = lines(&product, &document("ACME-1"), "r1,Acme,ProtectoLine 300,4.1.9,");
    assert!(known[0].get("would_decide").is_none() && known[0]["missing"] == json!([]), "{known:?}");
}

#[test]
fn a_product_that_nobody_scored_has_the_worst_score_and_says_so() {
    let Some(product) = needed("a_product_that_nobody_scored_has_the_worst_score_and_says_so", Product::find()) else { return };
    // The 500 stands under investigation, and only the 300 is scored.
    let (line, _) = lines(&product, &document("ACME-1"), "r4,Acme,ProtectoLine 500,1.0,");
    let (scored, _) = lines(&product, &document("ACME-1"), "r1,Acme,ProtectoLine 300,4.1.9,");
    assert_eq!(text(&line[0], "verdict"), "indeterminate");
    assert_eq!(line[0]["band"], scored[0]["band"]);
    let remarks = line[0]["priority"]["remarks"].to_string();
    assert!(remarks.contains("the worst of those scores counts"), "{remarks}");
    assert!(scored[0]["priority"].get("remarks").is_none(), "{:?}", scored[0]["priority"]);
}

#[test]
fn conformance_shows_the_sets_that_a_device_is_in() {
    let Some(product) = needed("conformance_shows_the_sets_that_a_device_is_in", Product::find()) else { return };
    let state = State::new();
    let place = state.text();
    let run = |words: &[&str]| product.run(words.iter().chain(&["--state", &place]));
    let sheet = state.file("plant.csv", "id,manufacturer,model,firmware\nr1,Acme,ProtectoLine 300,4.2.0\nr2,Acme,ProtectoLine 300,4.1.0\n");
    run(&["import", "devices", &sheet]).expect(code::DONE);
    let ids: Vec<String> = run(&["devices"]).expect(code::DONE).lines().iter().map(|line| text(line, "id").to_owned()).collect();
    let together = ids.join(";");
    let rows = format!(
        "decision,manufacturer,model,field,release,set,together,by,reason,second\n\
         approved,Acme,ProtectoLine 300,firmware_revision,4.2.0,pair,{together},Ada,tested,\n"
    );
    let file = state.file("sets.csv", rows);
    let proposed = run(&["import", "baseline", &file, "--by", "Ada"]).expect(code::DONE);
    let entry = proposed.lines()[0]["entry"].to_string();
    run(&["baseline", "approve", "--proposal", &entry, "--by", "Grace", "--reason", "both ends"]).expect(code::DONE);
    let ended = run(&["check", "--only", "conformance"]).expect(code::DONE);
    for line in ended.lines() {
        assert_eq!((text(&line["sets"][0], "set"), text(&line["sets"][0], "conformance")), ("pair", "mixed"), "{line}");
    }
    assert!(ended.err.contains("1 mixed sets of releases"), "{}", ended.err);
    let table = run(&["check", "--only", "conformance", "--format", "table"]).expect(code::DONE);
    assert!(table.out.contains("set pair: mixed ("), "{}", table.out);
}
