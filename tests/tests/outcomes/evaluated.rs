//! Evidence by the parts of NERC CIP-007 and CIP-010: what falls short is named, and what does not is not.

use nameplate_tests::ledger::{BEGUN_NS, DAY_NS};
use nameplate_tests::place::needed;
use nameplate_tests::product::{Product, State, code};
use serde_json::{Value, json};

use crate::plant::{CVE, DOCUMENT, FIXED, OLD, Plant, cells, table};

/// The gaps of a part at the end of a day: what, and when it was due.
fn gaps(product: &Product, state: &State, part: &str, on: u64) -> Vec<[String; 2]> {
    let lines = table(product, state, &["nerc"], on, "Gaps");
    lines.iter().filter(|line| line["part"] == part).map(|line| cells(line, ["gap", "due"])).collect()
}

/// The one gap of a part is this one, or there is none where `gap` is empty.
#[track_caller]
fn check(product: &Product, state: &State, (part, on): (&str, u64), gap: &str, due: &str) {
    let found = gaps(product, state, part, on);
    match found.as_slice() {
        [] => assert!(gap.is_empty(), "{part} on day {on}: no gap"),
        [[said, by]] => assert!(!gap.is_empty() && said.contains(gap) && by == due, "{part} on day {on}: {said} {by}"),
        more => panic!("{part} on day {on}: {more:?}"),
    }
}

#[test]
fn sources_are_evaluated_every_35_days_and_gaps_are_gaps() {
    let Some(product) = needed("sources_are_evaluated_every_35_days_and_gaps_are_gaps", Product::find()) else { return };
    let mut plant = Plant::default();
    plant.read(1, 1, "V2.0.0");
    let none = plant.state();
    check(&product, &none, ("CIP-007-6 R2.1", 2), "ever taken in", "");
    check(&product, &none, ("CIP-007-6 R2.2", 2), "no evaluation is on record", "");
    plant.advised(2);
    plant.evaluated(10);
    plant.evaluated(46);
    let state = plant.state();
    // Day 10 is 11 January; 35 days later is 15 February, and the second came on the 16th.
    check(&product, &state, ("CIP-007-6 R2.2", 45), "", "");
    check(&product, &state, ("CIP-007-6 R2.2", 46), "due on 2026-02-15, on record since 2026-02-16", "2026-02-15");
    assert_eq!(gaps(&product, &state, "CIP-007-6 R2.2", 82).len(), 2, "the third is overdue on 24 March");
    let rows = table(&product, &state, &["nerc"], 46, "CIP-007 R2.2 evaluations");
    let told: Vec<[String; 4]> = rows.iter().map(|row| cells(row, ["entry", "by", "days_since_the_one_before", "affected"])).collect();
    assert_eq!(told, [["3", "Grace", "", "1"], ["4", "Grace", "36", "1"]].map(|row| row.map(str::to_owned)));
    let sources = table(&product, &state, &["nerc"], 46, "CIP-007 R2.1 sources");
    assert_eq!(cells(&sources[0], ["source", "documents"]), ["EMG PSIRT", "1"]);
}

#[test]
fn an_applicable_patch_is_applied_or_planned_for_in_time() {
    let Some(product) = needed("an_applicable_patch_is_applied_or_planned_for_in_time", Product::find()) else { return };
    let start = || {
        let mut plant = Plant::default();
        plant.read(1, 1, OLD);
        plant.advised(2);
        plant.evaluated(10);
        plant
    };
    let part = "CIP-007-6 R2.3";
    let idle = start().state();
    check(&product, &idle, (part, 45), "", "");
    check(&product, &idle, (part, 46), "due on 2026-02-15, not on record", "2026-02-15");
    // Applied on day 40, as a reading shows.
    let mut applied = start();
    let shown = applied.read(1, 40, FIXED);
    let state = applied.state();
    check(&product, &state, (part, 60), "", "");
    let rows = table(&product, &state, &["nerc"], 60, "CIP-007 R2.3 R2.4 patches");
    let expected = [DOCUMENT, "2026-02-15", "applied, read 2026-02-10", &format!("entry {shown}"), CVE];
    assert_eq!(cells(&rows[0], ["document", "due", "state", "shown_by", "vulnerabilities"]), expected);
    // Planned until day 80, by a mitigation; revised once it was over.
    let mut planned = start();
    let mitigated = |plant: &mut Plant, on: u64, until: u64, kind: &str| {
        let body = json!({"kind": "baseline", "step": "exempted", "exemption": kind, "finding": DOCUMENT, "by": "Ada", "second": "Bob",
            "reason": "a rule of the firewall", "until_ns": BEGUN_NS + until * DAY_NS});
        plant.entry(on, body);
    };
    mitigated(&mut planned, 20, 80, "mitigation");
    let state = planned.state();
    check(&product, &state, (part, 60), "", "");
    check(&product, &state, ("CIP-007-6 R2.4", 80), "", "");
    check(&product, &state, ("CIP-007-6 R2.4", 81), "due on 2026-03-22, not on record", "2026-03-22");
    mitigated(&mut planned, 82, 200, "deferral");
    check(&product, &planned.state(), ("CIP-007-6 R2.4", 90), "due on 2026-03-22, on record since 2026-03-24", "2026-03-22");
    // Accepting the risk is no plan.
    let mut waived = start();
    mitigated(&mut waived, 20, 80, "waiver");
    check(&product, &waived.state(), (part, 46), "not on record", "2026-02-15");
}

#[test]
fn changes_are_authorized_checked_and_become_the_baseline() {
    let Some(product) = needed("changes_are_authorized_checked_and_become_the_baseline", Product::find()) else { return };
    let mut plant = Plant::default();
    let before = plant.read(1, 1, OLD);
    plant.order(5, "WO-1", 1, FIXED, json!({}));
    plant.entry(5, json!({"kind": "change", "step": "approved", "order": "WO-1", "by": "Bob"}));
    plant.tried(6, "WO-1", "before", 1, &[before], (OLD, "B"));
    let shown = plant.read(1, 7, FIXED);
    plant.tried(7, "WO-1", "after", 1, &[shown], (FIXED, "B"));
    let verdicts = json!([{"asset": plant.id(1), "verdict": "as_expected", "why": "it did"}]);
    plant.entry(
        8,
        json!({"kind": "change", "step": "closed", "order": "WO-1", "by": "Ada", "verdicts": verdicts,
        "verdict": "as_expected", "rests_on": []}),
    );
    // Nobody ordered this one, and nobody reads the device for long.
    plant.read(2, 1, OLD);
    let alone = plant.read(2, 9, FIXED);
    let state = plant.state();
    let of = |part: &str, on: u64| gaps(&product, &state, part, on);
    assert!(of("CIP-010-4 R1.2", 10)[0][0].contains("authorized by nobody"), "{:?}", of("CIP-010-4 R1.2", 10));
    assert_eq!((of("CIP-010-4 R1.2", 10).len(), of("CIP-010-4 R1.6", 10).len()), (1, 1));
    assert!(of("CIP-010-4 R1.6", 10)[0][0].contains("not verified on record"));
    // Closed on day 8, 9 January; read on day 9: 30 days.
    assert_eq!(of("CIP-010-4 R1.3", 38).len(), 0);
    assert_eq!(of("CIP-010-4 R1.3", 39).iter().map(|gap| gap[1].as_str()).collect::<Vec<_>>(), ["2026-02-08"]);
    assert_eq!(of("CIP-010-4 R1.3", 40).len(), 2);
    assert_eq!((of("CIP-010-4 R2.1", 42).len(), of("CIP-010-4 R2.1", 43).len(), of("CIP-010-4 R2.1", 45).len()), (0, 1, 2));
    let approval = json!({"kind": "approval", "decision": "approved", "line": {"profile": "example/em"}, "component": "self",
        "field": "firmware_revision", "release": FIXED, "by": "Ada", "reason": "tested"});
    let decided = plant.entry(20, approval);
    let state = plant.state();
    assert_eq!(gaps(&product, &state, "CIP-010-4 R1.3", 60), Vec::<[String; 2]>::new());
    let rows = table(&product, &state, &["nerc"], 60, "CIP-010 R1.2 R1.3 changes");
    let told = rows.iter().find(|row| row["device"] == plant.id(1)).map(|row| cells(row, ["authorized_by", "baseline_updated", "days"]));
    let updated = format!("approved by Ada on 2026-01-21, entry {decided}");
    assert_eq!(told, Some(["work order WO-1, approved by Bob".to_owned(), updated, "12".to_owned()]));
    let unordered = rows.iter().find(|row| row["device"] == plant.id(2)).expect("the other");
    assert!(unordered["readings"].as_str().is_some_and(|text| text.ends_with(&format!("and {alone}"))), "{unordered}");
}

#[test]
fn a_report_says_for_which_versions_it_was_made_and_what_is_not_checked() {
    let Some(product) = needed("a_report_says_for_which_versions_it_was_made_and_what_is_not_checked", Product::find()) else { return };
    let mut plant = Plant::default();
    plant.read(1, 1, OLD);
    let state = plant.state();
    let page = state.path().join("nerc.html").to_string_lossy().into_owned();
    let run = |standard: &str| {
        product.run(["report", "nerc", "--standard", standard, "--as-of", "2026-02-01", "--output", &page, "--state", &state.text()])
    };
    for (standard, title, other) in [
        ("CIP-007-6,CIP-010-4", "CIP-007-6 and CIP-010-4", "FERC"),
        ("CIP-007-7,CIP-010-5", "CIP-007-7 and CIP-010-5", "CIP-010-4 R1.1"),
        ("CIP-010-4", "Evidence for CIP-010-4", "CIP-007-6 R2.1"),
    ] {
        run(standard).expect(code::DONE);
        let said = std::fs::read_to_string(&page).expect("a page");
        assert!(said.contains(title) && !said.contains(other), "{standard}: {said}");
        assert!(said.contains("no control and no logical port is looked at"), "{standard}");
        // It supports; it never judges.
        assert!(!said.to_lowercase().contains("compliant") && !said.to_lowercase().contains("compliance"), "{standard}");
    }
    run("CIP-007-6,CIP-007-7").expect(code::USAGE);
    run("CIP-008-6").expect(code::USAGE);
    let parts: Vec<Value> = table(&product, &state, &["nerc"], 30, "Parts");
    let numbers: Vec<&str> = parts.iter().filter_map(|part| part["part"].as_str()).collect();
    let expected = [
        "CIP-007-6 R2.1",
        "CIP-007-6 R2.2",
        "CIP-007-6 R2.3",
        "CIP-007-6 R2.4",
        "CIP-010-4 R1.1",
        "CIP-010-4 R1.2",
        "CIP-010-4 R1.3",
        "CIP-010-4 R1.4",
        "CIP-010-4 R1.5",
        "CIP-010-4 R1.6",
        "CIP-010-4 R2.1",
    ];
    assert_eq!(numbers, expected);
}
