//! Errors of changes, what is left as it is, patch status, the overview, and how changes burn down.

use std::fs;

use nameplate_tests::ledger::{BEGUN_NS, DAY_NS};
use nameplate_tests::place::needed;
use nameplate_tests::product::{Product, State, code};
use serde_json::{Value, json};

use crate::plant::{DOCUMENT, FIXED, OLD, Plant, cells, day, lines, table};

/// Cells of all lines, in their order.
fn rows<const N: usize>(lines: &[Value], names: [&str; N]) -> Vec<[String; N]> {
    lines.iter().map(|line| cells(line, names)).collect()
}

fn texts<const N: usize, const M: usize>(rows: [[&str; N]; M]) -> Vec<[String; N]> {
    rows.iter().map(|row| row.map(str::to_owned)).collect()
}

/// Two meters in two rings; the pilot goes to the wrong release, and no software check is on record.
fn failing(plant: &mut Plant) {
    let before = [1, 2].map(|meter| plant.read(meter, 1, OLD));
    let [one, two] = [1, 2].map(|meter| plant.id(meter));
    let place = |asset: &str, meter: u32| json!({"asset": asset, "address": {"ip": format!("10.0.0.{meter}"), "port": 502, "unit": 1}});
    let delta = |asset: &str| json!({"asset": asset, "component": "self", "field": "firmware_revision", "from": OLD, "to": FIXED});
    let rings = json!([{"name": "pilot", "assets": [one]}, {"name": "rest", "assets": [two]}]);
    let until_ns = BEGUN_NS + 35 * DAY_NS;
    plant.entry(
        5,
        json!({"kind": "change", "step": "opened", "order": "WO-1", "by": "Ada", "neighbours": [], "from_ns": BEGUN_NS + 6 * DAY_NS,
            "questions": ["modbus.identification.basic"], "until_ns": until_ns, "scope": [place(&one, 1), place(&two, 2)],
            "expected": [delta(&one), delta(&two)], "terms": {"rings": rings, "prechecks": ["backup"]}}),
    );
    let step = |mut value: Value| {
        value["kind"] = json!("change");
        value["order"] = json!("WO-1");
        value
    };
    plant.entry(5, step(json!({"step": "approved", "by": "Bob"})));
    let check = json!({"kind": "backup", "assets": [one], "by": "Ada", "sha256": "ab".repeat(32)});
    plant.entry(5, step(json!({"step": "checked", "check": check})));
    plant.entry(6, step(json!({"step": "ring_opened", "ring": 1, "by": "Bob"})));
    let tries = |asset: &str, on: u64, entry: u64, release: &str| {
        let field = |value: &str| json!({"value": value, "from": "modbus.object.2"});
        let fields = json!({"self.firmware_revision": field(release), "self.serial_number": field("77")});
        json!([{"asset": asset, "time_ns": BEGUN_NS + on * DAY_NS, "entries": [entry],
            "outcome": {"outcome": "read", "nameplate": {"fields": fields, "facts": {}}}}])
    };
    plant.entry(7, step(json!({"step": "before", "ring": 1, "tries": tries(&one, 7, before[0], OLD)})));
    let shown = plant.read(1, 8, "V1.0.5");
    plant.entry(8, step(json!({"step": "after", "ring": 1, "equal": 1, "tries": tries(&one, 8, shown, "V1.0.5")})));
}

#[test]
fn an_error_report_says_what_failed_where_and_what_to_do_instead() {
    let Some(product) = needed("an_error_report_says_what_failed_where_and_what_to_do_instead", Product::find()) else { return };
    let mut plant = Plant::default();
    failing(&mut plant);
    let [one, two] = [1, 2].map(|meter| plant.id(meter));
    plant.read(3, 8, OLD);
    plant.order(9, "WO-2", 3, FIXED, json!({"terms": {"prechecks": ["software"]}}));
    plant.left(10, "WO-2", 3, "failed", None);
    let three = plant.id(3);
    let state = plant.state();
    let errors = |on: u64, table_: &str| table(&product, &state, &["errors"], on, table_);
    // Before the window nothing has failed.
    assert_eq!(rows(&errors(5, "Errors"), ["stage", "device"]), texts::<2, 0>([]));
    let told = rows(&errors(10, "Errors"), ["stage", "order", "ring", "device", "what"]);
    let expected = texts([
        ["download", "WO-2", "1 all", &three, "software is not on record"],
        ["prepare", "WO-1", "2 rest", &two, "backup is not on record"],
        ["test", "WO-1", "1 pilot", &one, "wrong release"],
        ["install", "WO-2", "1 all", &three, "left as failed, and not read after"],
    ]);
    assert_eq!(told, expected);
    assert!(errors(10, "Errors").iter().all(|line| line["instead"].as_str().is_some_and(|text| text.len() > 20)));
    assert_eq!(rows(&errors(10, "By order"), ["what", "errors", "devices"]), texts([["WO-1", "2", "2"], ["WO-2", "2", "1"]]));
    assert_eq!(rows(&errors(10, "By family"), ["what", "errors", "devices"]), texts([["example/em", "4", "3"]]));
}

#[test]
fn a_change_burns_down_as_it_was_known() {
    let Some(product) = needed("a_change_burns_down_as_it_was_known", Product::find()) else { return };
    let mut plant = Plant::default();
    failing(&mut plant);
    plant.left(20, "WO-1", 1, "failed", None);
    let state = plant.state();
    let told = |on: u64| rows(&table(&product, &state, &["changes"], on, "Undone over time"), ["undone", "planned", "entry"]);
    // The window is 29 days from day 6; on day 20 at noon half of it is over.
    let all = texts([["2", "2", "3"], ["2", "2", "7"], ["2", "2", "9"], ["1", "1", "10"]]);
    assert_eq!((told(30), told(10)), (all.clone(), all[..3].to_vec()));
    let page = state.path().join("changes.html").to_string_lossy().into_owned();
    product.run(["report", "changes", "--as-of", &day(30), "--output", &page, "--state", &state.text()]).expect(code::DONE);
    let said = std::fs::read_to_string(page).expect("a page");
    assert!(
        said.contains("role=\"img\" aria-label=\"WO-1, devices undone: 2 at 2026-01-06T12:00:00.000000Z, then 1 at 2026-01-31"),
        "{said}"
    );
    assert!(said.matches("<polyline").count() == 2 && said.contains("stroke-dasharray"), "{said}");
}

#[test]
fn what_is_overdue_stands_first() {
    let Some(product) = needed("what_is_overdue_stands_first", Product::find()) else { return };
    let mut plant = Plant::default();
    plant.read(1, 1, OLD);
    let asset = plant.id(1);
    let exempt = |plant: &mut Plant, kind: &str, finding: Option<&str>, until: u64| {
        let mut body = json!({"kind": "baseline", "step": "exempted", "exemption": kind, "assets": [asset], "by": "Ada", "reason": "why",
            "until_ns": BEGUN_NS + until * DAY_NS});
        if let Some(finding) = finding {
            body["finding"] = json!(finding);
        }
        plant.entry(2, body)
    };
    exempt(&mut plant, "waiver", Some("CVE-1"), 10);
    exempt(&mut plant, "waiver", Some("CVE-1"), 20);
    exempt(&mut plant, "mitigation", None, 300);
    exempt(&mut plant, "deferral", Some("CVE-2"), 35);
    plant.order(5, "WO-1", 1, FIXED, json!({}));
    plant.left(6, "WO-1", 1, "deferred", Some(25));
    let state = plant.state();
    let told = rows(&table(&product, &state, &["exemptions"], 30, "Exemptions"), ["state", "kind", "of", "days"]);
    let expected = [
        ["overdue", "waiver", "CVE-1", "-10"],
        ["overdue", "left by a change: deferred", "work order WO-1", "-5"],
        ["ends soon", "deferral", "CVE-2", "4"],
        ["in force", "mitigation", "conformance", "269"],
        ["replaced", "waiver", "CVE-1", "-20"],
    ];
    assert_eq!(told, texts(expected));
    let overdue = rows(&table(&product, &state, &["overview"], 30, "Overdue"), ["what", "who", "by"]);
    assert_eq!(overdue, texts([["waiver of CVE-1", &asset, "Ada"], ["work order WO-1: deferred", &asset, "Ada"]]));
}

#[test]
fn a_device_counts_once_at_its_worst_level_of_patches() {
    let Some(product) = needed("a_device_counts_once_at_its_worst_level_of_patches", Product::find()) else { return };
    let mut plant = Plant::default();
    for meter in 1..=3 {
        plant.read(meter, 1, OLD);
    }
    plant.read(4, 1, "V2.0.0");
    let decide = |plant: &mut Plant, on: u64, decision: &str, release: &str, more: Value| {
        let mut body = json!({"kind": "approval", "decision": decision, "line": {"profile": "example/em"}, "component": "self",
            "field": "firmware_revision", "release": release, "by": "Ada", "reason": "why"});
        body.as_object_mut().expect("an object").extend(more.as_object().expect("an object").clone());
        plant.entry(on, body)
    };
    let vendor = json!({"track": "vendor", "origin": {"kind": "bulletin", "document": "LIST-1"}});
    plant.advised(2);
    decide(&mut plant, 3, "approved", FIXED, vendor.clone());
    decide(&mut plant, 4, "in_test", FIXED, json!({}));
    decide(&mut plant, 5, "approved", FIXED, json!({}));
    plant.order(6, "WO-1", 1, FIXED, json!({}));
    plant.read(2, 7, FIXED);
    let third = json!({"assets": [plant.id(3)]});
    decide(&mut plant, 8, "disapproved", OLD, third);
    let state = plant.state();
    let levels = |on: u64| {
        let lines = table(&product, &state, &["patches"], on, "Devices");
        let level = |meter: u32| lines.iter().find(|line| line["device"] == plant.id(meter)).map(|line| cells(line, ["level"])[0].clone());
        assert_eq!(lines.len(), 4, "each once");
        [1, 2, 3, 4].map(|meter| level(meter).unwrap_or_default())
    };
    let none = "no patch on record";
    assert_eq!(levels(1), [none; 4]);
    assert_eq!(levels(2), ["Available", "Available", "Available", none]);
    // The advisory's offer stays beside the supplier's approval, which names another document: the device is at the worst.
    assert_eq!(levels(3)[0], "Available");
    let patches = |on: u64, meter: u32| {
        let lines = table(&product, &state, &["patches"], on, "Patches");
        let own: Vec<Value> = lines.into_iter().filter(|line| line["device"] == plant.id(meter)).collect();
        rows(&own, ["patch", "state"])
    };
    let offer = format!("as {DOCUMENT} offers: Update to {FIXED} or later");
    let state_of =
        |on: u64, meter: u32| patches(on, meter).into_iter().find(|row| row[0] == FIXED).map(|row| row[1].clone()).unwrap_or_default();
    assert_eq!([3, 4, 5, 6].map(|on| state_of(on, 1)), ["Approved", "In Internal Test", "Authorized", "Effective"]);
    assert!(patches(6, 1).contains(&[offer, "Available".to_owned()]), "{:?}", patches(6, 1));
    assert_eq!((state_of(7, 2).as_str(), levels(7)[1].as_str()), ("Installed", "Installed"));
    assert_eq!(levels(8)[2], "Not Authorized");
    let known = table(&product, &state, &["patches"], 8, "Devices");
    assert!(known.iter().any(|line| line["known_as"] == "10.0.0.1/1"), "{known:?}");
    // No profile tells the order of these texts: then it is not taken for older.
    assert_eq!(state_of(8, 4), "Authorized");
}

#[test]
fn what_offers_no_fix_is_no_patch() {
    let Some(product) = needed("what_offers_no_fix_is_no_patch", Product::find()) else { return };
    for (category, details, level) in [
        ("none_available", "Currently no fix is available", "no patch on record"),
        ("mitigation", "Put it behind a firewall", "no patch on record"),
        ("mitigation", "Update to V1.1.0 or later", "Available"),
        ("vendor_fix", "Ask for the hot fix", "Available"),
    ] {
        let mut plant = Plant::default();
        plant.read(1, 1, OLD);
        plant.advised_of(2, category, details);
        let devices = table(&product, &plant.state(), &["patches"], 3, "Devices");
        assert_eq!(rows(&devices, ["level"]), texts([[level]]), "{category}: {details}");
    }
}

#[test]
fn a_reading_of_the_future_monitors_nothing() {
    let Some(product) = needed("a_reading_of_the_future_monitors_nothing", Product::find()) else { return };
    let mut plant = Plant::default();
    plant.read(1, 1, OLD);
    plant.read_ahead(2, 1, 90, OLD);
    let state = plant.state();
    let lines = table(&product, &state, &["nerc"], 10, "CIP-010 R2.1 monitored");
    let days = |meter: u32| lines.iter().find(|line| line["device"] == plant.id(meter)).map(|line| cells(line, ["days"]));
    assert_eq!([days(1), days(2)], [Some(["9".to_owned()]), Some([String::new()])]);
    let gaps = table(&product, &state, &["nerc"], 10, "Gaps");
    let of = |meter: u32| gaps.iter().filter(|line| line["part"] == "CIP-010-4 R2.1" && line["what"] == plant.id(meter)).count();
    assert_eq!([of(1), of(2)], [0, 1], "{gaps:#?}");
}

#[test]
fn the_overview_counts_each_device_once() {
    let Some(product) = needed("the_overview_counts_each_device_once", Product::find()) else { return };
    let mut plant = Plant::default();
    for meter in 1..=2 {
        plant.read(meter, 1, OLD);
    }
    plant.read(3, 1, "V2.0.0");
    plant.advised(2);
    plant.order(5, "WO-1", 1, FIXED, json!({}));
    plant.read(2, 20, FIXED);
    let state = plant.state();
    let counts = |on: u64| -> Vec<(String, u64)> {
        let lines = table(&product, &state, &["overview"], on, "Counts");
        rows(&lines, ["what", "count"]).into_iter().map(|[what, count]| (what, count.parse().expect("a number"))).collect()
    };
    let of = |on: u64, what: &str| counts(on).into_iter().filter(|(one, _)| one == what).map(|(_, count)| count).sum::<u64>();
    assert_eq!((of(4, "no open finding"), of(20, "no open finding")), (1, 2));
    assert_eq!((of(4, "undone"), of(5, "undone"), of(5, "firmware known")), (0, 1, 3));
    assert_eq!((of(35, "firmware known"), of(35, "known, and not seen for 30 days")), (1, 2));
    let changed = |since: &str| table(&product, &state, &["overview", "--since", since], 25, "Changed");
    let happened = |lines: &[Value], what: &str| lines.iter().any(|line| line["what_happened"] == what);
    assert!(happened(&changed("2026-01-15"), "firmware-changed") && !happened(&changed("2026-01-15"), "new"));
    assert!(happened(&changed("2026-01-01"), "new") && !happened(&changed("2026-01-23"), "firmware-changed"));
}

#[test]
fn what_was_known_on_a_day_is_what_the_ledger_cut_there_says() {
    let Some(product) = needed("what_was_known_on_a_day_is_what_the_ledger_cut_there_says", Product::find()) else { return };
    let mut plant = Plant::default();
    let before = plant.read(1, 1, OLD);
    plant.read(2, 1, OLD);
    plant.advised(2);
    plant.evaluated(10);
    plant.order(12, "WO-1", 1, FIXED, json!({"terms": {"cause": {"findings": [DOCUMENT]}, "prechecks": ["software"]}}));
    plant.tried(13, "WO-1", "before", 1, &[before], (OLD, "B"));
    let shown = plant.read(1, 14, FIXED);
    plant.tried(14, "WO-1", "after", 1, &[shown], (FIXED, "B"));
    plant.read(2, 50, FIXED);
    plant.evaluated(60);
    let whole = plant.state();
    let told = |state: &State, on: u64, kind: &[&str], form: &str| {
        let file = state.path().join(format!("told.{form}")).to_string_lossy().into_owned();
        let (as_of, place) = (day(on), state.text());
        let words = ["--as-of", &as_of, "--output", &file, "--state", &place];
        product.run(["report"].iter().chain(kind).chain(&words)).expect(code::DONE);
        fs::read(file).expect("a report")
    };
    let kinds: [&[&str]; 7] =
        [&["changes"], &["errors"], &["exemptions"], &["overview"], &["patches"], &["nerc"], &["nerc", "--standard", "CIP-007-7"]];
    for on in [3, 14, 55] {
        let cut = plant.cut(on);
        for kind in kinds {
            for form in ["html", "ndjson"] {
                assert!(told(&whole, on, kind, form) == told(&cut, on, kind, form), "{kind:?} as {form} on day {on}");
            }
        }
        let judged = |state: &State| lines(&product, state, &["check", "--only", "findings"], on);
        assert_eq!(judged(&whole), judged(&cut), "day {on}");
        assert_ne!(told(&whole, on, &["nerc"], "html"), told(&whole, 100, &["nerc"], "html"));
    }
}
