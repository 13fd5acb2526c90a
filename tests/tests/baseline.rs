//! Approved baselines, as their owner meets them: decide, list, check.

use std::collections::BTreeMap;

use nameplate_simulators::modbus::Persona;
use nameplate_tests::pcap::{pcap_of, plant};
use nameplate_tests::place::needed;
use nameplate_tests::product::{Ended, Product, State, code};
use serde_json::Value;

/// Found what `--fail-on` names.
const FOUND: i32 = 1;

/// Meters of one family with these releases from 192.168.20.11 on, then a device that never says what it is; kept in a state.
fn heard(product: &Product, releases: &[&str]) -> State {
    let state = State::new();
    let meter =
        |release: &&str| Persona::from_objects([(0, b"Computec Oy".to_vec()), (1, b"CWS06".to_vec()), (2, release.as_bytes().to_vec())]);
    let devices = releases.iter().map(meter).chain([Persona::without_identity()]).collect();
    let capture = state.file("capture/span.pcap", pcap_of(&plant(devices)));
    product.run(["listen", &capture, "--state", &state.text()]).expect(code::DONE);
    state
}

fn decide(product: &Product, state: &State, decision: &str, release: &str, more: &[&str]) -> Ended {
    let place = state.text();
    let common = ["baseline", decision, "--release", release, "--by", "Ada", "--reason", "tested", "--state", &place];
    product.run(common.iter().chain(more))
}

const CWS06: [&str; 2] = ["--profile", "computec/cws06"];

fn check(product: &Product, state: &State, more: &[&str]) -> Ended {
    let place = state.text();
    product.run(["check", "--state", place.as_str()].iter().chain(more))
}

/// Conformance by what is installed; the silent one stands under "".
fn verdicts(ended: &Ended) -> BTreeMap<String, String> {
    ended.lines().iter().map(|line| (text(line, "installed"), text(line, "conformance"))).collect()
}

fn text(line: &Value, key: &str) -> String {
    line[key].as_str().unwrap_or_default().to_owned()
}

fn expected(table: &[(&str, &str)]) -> BTreeMap<String, String> {
    table.iter().map(|(installed, verdict)| ((*installed).to_owned(), (*verdict).to_owned())).collect()
}

#[test]
fn a_plant_is_judged_by_its_baseline() {
    let Some(product) = needed("a_plant_is_judged_by_its_baseline", Product::find()) else { return };
    let state = heard(&product, &["v3.160", "v3.16", "v3.170", "v2.9", "v4.0", "R7"]);
    let unjudged = check(&product, &state, &[]).expect(code::DONE);
    assert_eq!(
        verdicts(&unjudged),
        expected(&[
            ("", "unknown"),
            ("R7", "not-listed"),
            ("v2.9", "not-listed"),
            ("v3.16", "not-listed"),
            ("v3.160", "not-listed"),
            ("v3.170", "not-listed"),
            ("v4.0", "not-listed"),
        ])
    );
    decide(&product, &state, "approve", "3.160", &CWS06).expect(code::DONE);
    decide(&product, &state, "disapprove", "v04.0", &CWS06).expect(code::DONE);
    let ended = check(&product, &state, &[]).expect(code::DONE);
    assert_eq!(
        verdicts(&ended),
        expected(&[
            ("", "unknown"),
            ("R7", "not-listed"),
            ("v2.9", "other-line"),
            ("v3.16", "behind"),
            ("v3.160", "conforms"),
            ("v3.170", "newer"),
            ("v4.0", "disapproved"),
        ])
    );
    let lines = ended.lines();
    let order: Vec<String> = lines.iter().map(|line| text(line, "asset_conformance")).collect();
    assert_eq!(order, ["disapproved", "unknown", "not-listed", "newer", "other-line", "behind", "conforms"], "the worst stand first");
    for line in &lines {
        assert!(line["stale"].is_boolean() && !text(line, "reason").is_empty(), "{line}");
        assert_eq!(line["component"], "self", "{line}");
        let approved = line["approved"].as_array().map(Vec::len);
        assert_eq!(
            approved,
            Some(usize::from(!text(line, "installed").is_empty())),
            "of the silent device nobody knows the product line: {line}"
        );
    }
    let entry = |conformance: &str| lines.iter().find(|line| line["conformance"] == conformance).map(|line| line["baseline_entry"].clone());
    let listed = product.run(["baseline", "list", "--state", &state.text()]).expect(code::DONE).lines();
    assert_eq!((entry("conforms"), entry("disapproved")), (Some(listed[0]["entry"].clone()), Some(listed[1]["entry"].clone())));
    assert!(
        ended.err.contains("7 devices, 7 parts: 1 conforms, 1 behind, 1 other-line, 1 newer, 1 not-listed, 1 unknown, 1 disapproved"),
        "{}",
        ended.err
    );
    assert!(ended.err.contains("no advisory was looked at"));
    for word in ["not affected", "not_affected", "secure", "patched"] {
        assert!(!ended.err.contains(word) && !ended.out.contains(word), "{word}");
    }
}

#[test]
fn a_check_fails_on_what_it_is_told_to() {
    let Some(product) = needed("a_check_fails_on_what_it_is_told_to", Product::find()) else { return };
    let state = heard(&product, &["v3.16"]);
    decide(&product, &state, "approve", "3.160", &CWS06).expect(code::DONE);
    for (what, ends) in [
        (&["behind"][..], FOUND),
        (&["unknown"], FOUND),
        (&["disapproved", "behind"], FOUND),
        (&["other-line"], code::DONE),
        (&["newer"], code::DONE),
        (&["disapproved"], code::DONE),
        (&["not-listed"], code::DONE),
        (&["stale"], code::DONE),
        (&["perhaps"], code::USAGE),
    ] {
        let arguments: Vec<&str> = what.iter().flat_map(|what| ["--fail-on", what]).collect();
        check(&product, &state, &arguments).expect(ends);
    }
    let later = "2200-01-01";
    check(&product, &state, &["--as-of", later, "--fail-on", "stale"]).expect(FOUND);
    check(&product, &state, &["--as-of", later, "--fail-on", "stale", "--stale-after", "1000000"]).expect(code::DONE);
}

#[test]
fn check_works_without_any_state() {
    let Some(product) = needed("check_works_without_any_state", Product::find()) else { return };
    let state = State::new();
    let ended = check(&product, &state, &["--fail-on", "unknown"]).expect(code::DONE);
    assert_eq!((ended.out.as_str(), std::fs::read_dir(state.path()).map(Iterator::count).unwrap_or(9)), ("", 0));
}

#[test]
fn scope_and_dates_hold() {
    let Some(product) = needed("scope_and_dates_hold", Product::find()) else { return };
    let state = heard(&product, &["v3.160", "v3.110"]);
    let lines = check(&product, &state, &[]).expect(code::DONE).lines();
    let id = lines.iter().find(|line| line["installed"] == "v3.160").map(|line| text(line, "asset")).expect("a device");
    // Of the other device only: nothing for this one.
    let other = lines.iter().find(|line| line["installed"] == "v3.110").map(|line| text(line, "asset")).expect("a device");
    let of = |release: &str| verdicts(&check(&product, &state, &[]).expect(code::DONE))[release].clone();
    decide(&product, &state, "approve", "3.160", &[&CWS06[..], &["--asset", &other]].concat()).expect(code::DONE);
    assert_eq!((of("v3.160"), of("v3.110")), ("not-listed".into(), "behind".into()));
    decide(&product, &state, "approve", "3.160", &[&CWS06[..], &["--asset", &id[..id.len() - 1]]].concat()).expect(code::DONE);
    assert_eq!(of("v3.160"), "conforms");
    // Ended yesterday, planned for long after.
    decide(&product, &state, "approve", "3.160", &[&CWS06[..], &["--asset", &id, "--until", "2020-01-01"]].concat()).expect(code::DONE);
    assert_eq!(of("v3.160"), "not-listed");
    decide(&product, &state, "disapprove", "3.110", &[&CWS06[..], &["--from", "2199-12-31"]].concat()).expect(code::DONE);
    assert_eq!(of("v3.110"), "behind");
    let planned = verdicts(&check(&product, &state, &["--as-of", "2200-01-01"]).expect(code::DONE));
    assert_eq!(planned["v3.110"], "disapproved");
    let listed = product.run(["baseline", "list", "--state", &state.text()]).expect(code::DONE).lines();
    let entries: Vec<u64> = listed.iter().filter_map(|line| line["entry"].as_u64()).collect();
    let force: Vec<String> = listed.iter().map(|line| text(line, "force")).collect();
    assert_eq!(force, ["in force".to_owned(), format!("replaced by entry {}", entries[2]), "ended".into(), "begins later".into()]);
    assert_eq!(product.run(["baseline", "list", "--as-of", "2001-01-01", "--state", &state.text()]).expect(code::DONE).out, "");
}

#[test]
fn a_baseline_by_maker_and_model_fits_sheets_too_and_says_that_no_device_said_so() {
    let Some(product) = needed("a_baseline_by_maker_and_model_fits_sheets_too_and_says_that_no_device_said_so", Product::find()) else {
        return;
    };
    let state = State::new();
    let sheet = state.file("plant.csv", "ip,manufacturer,model,firmware\n10.0.0.1,ACME,X1,1.0\n10.0.0.2,ACME,X2,1.0\n");
    product.run(["import", "devices", &sheet, "--state", &state.text()]).expect(code::DONE);
    decide(&product, &state, "approve", "1.0", &["--manufacturer", "Acme ", "--model", "x1"]).expect(code::DONE);
    let lines = check(&product, &state, &[]).expect(code::DONE).lines();
    let found: Vec<_> = lines.iter().map(|line| (text(line, "conformance"), text(line, "grade"), line["stale"].as_bool())).collect();
    assert_eq!(found, [("not-listed".into(), "imported".into(), Some(true)), ("conforms".into(), "imported".into(), Some(true))]);
    assert!(lines.iter().all(|line| text(line, "reason").contains("from a list, no reading says it")), "{lines:?}");
}

#[test]
fn a_decision_that_is_none_is_usage_and_leaves_no_trace() {
    let Some(product) = needed("a_decision_that_is_none_is_usage_and_leaves_no_trace", Product::find()) else { return };
    let state = State::new();
    let with = |more: &[&'static str]| [&CWS06[..], more].concat();
    for (more, says) in [
        (vec![], "--profile"),
        (vec!["--profile", "no/such"], "no profile is called"),
        (vec!["--profile", "generic/modbus"], "of which nothing else is known"),
        (vec!["--manufacturer", "Acme"], "a product line is"),
        (with(&["--second", " ADA"]), "another one"),
        (with(&["--part", "cpu"]), "would never apply"),
        (with(&["--field", "model"]), "only a revision"),
        (with(&["--field", "colour"]), "no field"),
        (with(&["--from", "soon"]), "--from \"soon\" is no date"),
        (with(&["--from", "2026-03-02", "--until", "2026-03-01"]), "end before it begins"),
    ] {
        let ended = decide(&product, &state, "approve", "3.160", &more).expect(code::USAGE);
        assert!(ended.err.contains(says), "{more:?}: {}", ended.err);
    }
    decide(&product, &state, "approve", " ", &CWS06).expect(code::USAGE);
    assert_eq!(std::fs::read_dir(state.path()).map(Iterator::count).unwrap_or(9), 0);
    decide(&product, &state, "approve", "3.160", &with(&["--asset", "a-0"])).expect(code::USAGE);
    assert_eq!(product.run(["baseline", "list", "--state", &state.text()]).expect(code::DONE).out, "");
    decide(&product, &state, "approve", "3.160", &with(&["--second", "Grace", "--part", "self"])).expect(code::DONE);
}

#[test]
fn every_shape_of_output_tells_the_same() {
    let Some(product) = needed("every_shape_of_output_tells_the_same", Product::find()) else { return };
    let state = heard(&product, &["v3.160"]);
    let decided = decide(&product, &state, "approve", "3.160", &[&CWS06[..], &["--second", "Grace"]].concat()).expect(code::DONE).lines();
    assert_eq!(
        (text(&decided[0], "decision"), text(&decided[0], "second"), text(&decided[0], "force")),
        ("approved".into(), "Grace".into(), "in force".into())
    );
    let csv = check(&product, &state, &["--format", "csv"]).expect(code::DONE).out;
    let header = "asset,address,component,field,installed,grade,conformance,asset_conformance,approved,stale,reason,baseline_entry";
    assert_eq!(csv.split("\r\n").next(), Some(header));
    assert!(csv.contains(",v3.160,identity-object,conforms,conforms,3.160,"), "{csv}");
    let table = check(&product, &state, &["--format", "table"]).expect(code::DONE).out;
    assert!(table.starts_with("ASSET ") && table.contains("conforms") && table.contains("approved by Ada and Grace: tested"), "{table}");
    for (command, says) in [("baseline", "approve"), ("check", "--fail-on"), ("import", "devices"), ("compare", "Examples:")] {
        let help = product.run([command, "--help"]).expect(code::DONE).out;
        assert!(help.contains(says), "{command}: {help}");
    }
}
