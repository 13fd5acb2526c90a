//! What became of a finding, through the changes that were to end it and the readings that show it.

use nameplate::store::Store;
use nameplate_tests::place::needed;
use nameplate_tests::product::{Product, code};
use serde_json::json;

use crate::plant::{CVE, DOCUMENT, FIXED, OLD, Plant, lines};

/// On a day, of a meter: state, work order, entry. Empty and 0 for none.
type Row<'a> = (u64, u32, &'a str, &'a str, u64);

fn check(plant: &Plant, product: &Product, rows: &[Row<'_>]) {
    let state = plant.state();
    for (on, meter, expected, order, entry) in rows {
        let found = lines(product, &state, &["check", "--only", "findings"], *on);
        let line = found.iter().find(|line| line["asset"] == plant.id(*meter) && line["cve"] == CVE).expect("a finding");
        let text = |key: &str| line[key].as_str().unwrap_or_default().to_owned();
        let said = (text("remediation_state"), text("remediation_order"), line["remediation_entry"].as_u64().unwrap_or_default());
        assert_eq!((said.0.as_str(), said.1.as_str(), said.2), (*expected, *order, *entry), "meter {meter} on day {on}: {line}");
        // What the document offers still stands where it stood.
        assert!(text("verdict") == "not_affected" || text("remediation").starts_with("Update to"), "{line}");
    }
}

#[test]
fn a_finding_is_done_when_a_reading_shows_it_and_not_before() {
    let Some(product) = needed("a_finding_is_done_when_a_reading_shows_it_and_not_before", Product::find()) else { return };
    let mut plant = Plant::default();
    let before = [1, 2, 3].map(|meter| plant.read(meter, 1, OLD));
    plant.read(4, 1, "V2.0.0");
    plant.advised(2);
    // Meter 1: an order whose release clears it. Meter 2: one that names the finding as its cause, and fails.
    let opened = plant.order(5, "WO-1", 1, FIXED, json!({}));
    let named = plant.order(6, "WO-2", 2, "V1.0.9", json!({"terms": {"cause": {"findings": [CVE.to_lowercase()]}}}));
    plant.tried(7, "WO-1", "before", 1, &before[..1], (OLD, "B"));
    let shown = plant.read(1, 8, FIXED);
    plant.tried(8, "WO-1", "after", 1, &[shown], (FIXED, "B"));
    let failed = plant.left(9, "WO-2", 2, "failed", None);
    // Meter 3: nobody ordered it.
    let alone = plant.read(3, 12, FIXED);
    let again = plant.read(2, 20, "V1.2.0");
    check(
        &plant,
        &product,
        &[
            (3, 1, "not_remediated", "", 0),
            (5, 1, "in_progress", "WO-1", opened),
            (8, 1, "done", "WO-1", shown),
            (30, 1, "done", "WO-1", shown),
            (6, 2, "in_progress", "WO-2", named),
            (9, 2, "not_remediated", "WO-2", failed),
            (20, 2, "done", "", again),
            (9, 3, "not_remediated", "", 0),
            (12, 3, "done", "", alone),
            (12, 4, "", "", 0),
        ],
    );
}

#[test]
fn a_device_that_failed_reopens_its_finding_until_another_reading() {
    let Some(product) = needed("a_device_that_failed_reopens_its_finding_until_another_reading", Product::find()) else { return };
    let mut plant = Plant::default();
    let before = plant.read(1, 1, OLD);
    plant.advised(2);
    let opened = plant.order(5, "WO-1", 1, FIXED, json!({"terms": {"cause": {"findings": [DOCUMENT]}}}));
    plant.tried(6, "WO-1", "before", 1, &[before], (OLD, "B"));
    let shown = plant.read(1, 7, FIXED);
    plant.tried(7, "WO-1", "after", 1, &[shown], (FIXED, "C"));
    let failed = plant.left(8, "WO-1", 1, "failed", None);
    plant.read(1, 9, FIXED);
    check(
        &plant,
        &product,
        &[
            // The right release, and something else changed too: not done.
            (7, 1, "in_progress", "WO-1", opened),
            (8, 1, "not_remediated", "WO-1", failed),
            (9, 1, "done", "WO-1", shown),
        ],
    );
}

#[test]
fn an_evaluation_is_an_entry_that_a_person_stands_by() {
    let Some(product) = needed("an_evaluation_is_an_entry_that_a_person_stands_by", Product::find()) else { return };
    let mut plant = Plant::default();
    plant.read(1, 1, OLD);
    let empty = plant.state();
    let record = ["check", "--only", "findings", "--record", "--by", "Grace", "--note", "monthly"];
    let on = |state: &str, words: &[&str]| product.run(words.iter().copied().chain(["--state", state]));
    on(&empty.text(), &record).expect(code::USAGE);
    plant.read(2, 1, "V3.0.0");
    plant.advised(2);
    let state = plant.state();
    on(&state.text(), &["check", "--record"]).expect(code::USAGE);
    on(&state.text(), &["check", "--record", "--by", "Grace", "--as-of", "2026-01-05"]).expect(code::USAGE);
    on(&state.text(), &["check", "--record", "--by", " "]).expect(code::USAGE);
    let ended = on(&state.text(), &record).expect(code::DONE);
    assert!(ended.err.contains("recorded as entry 4: Grace stands by it"), "{}", ended.err);
    let kept = Store::read(state.path()).expect("a store").expect("one").view(None).expect("a view").evaluations;
    let [kept] = kept.as_slice() else { panic!("{kept:?}") };
    let body = serde_json::to_value(&kept.evaluation).expect("JSON");
    let expected = json!({"by": "Grace", "note": "monthly", "components": 2, "devices": 2, "documents": 1, "newest": "2026-01-05",
        "unnamed": 0, "verdicts": {"affected": 1, "contradiction": 0, "indeterminate": 0, "not_affected": 1}});
    for (key, value) in expected.as_object().expect("an object") {
        assert_eq!(&body[key], value, "{key}: {body}");
    }
    assert_eq!(body["advisories_sha256"].as_str().map(str::len), Some(64));
    on(&state.text(), &["ledger", "verify"]).expect(code::DONE);
}
