//! What public advisories say of devices, read by hand before (../shared/advisories/truth).

use std::collections::BTreeMap;
use std::fs;

use nameplate_tests::place::{self, needed};
use nameplate_tests::product::{Product, code};
use serde_json::Value;

use super::{check, text};

/// Cases whose document contradicts itself: to say so is as right as their expected verdict.
const CONTRADICTORY: [u64; 3] = [18, 39, 40];

/// The columns of the inventory in which a case's facts stand.
const COLUMNS: [(&str, &str); 12] = [
    ("order_number", "product_code"),
    ("catalog", "product_code"),
    ("product", "model"),
    ("model", "model"),
    ("firmware", "firmware_revision"),
    ("software", "software_revision"),
    ("fid", "firmware_revision"),
    ("serial", "serial_number"),
    ("patches", "patches"),
    ("hw_function_state", "function_state"),
    ("bundle", "bundle"),
    ("component", "component"),
];

/// A sheet with one row: the device of a case as its owner would list it.
fn sheet(case: &Value) -> String {
    let asset = case["asset"].as_object().expect("an asset");
    let mut cells = BTreeMap::from([("id", "case".to_owned()), ("manufacturer", text(case, "vendor").to_owned())]);
    for (fact, value) in asset {
        let (_, column) = COLUMNS.iter().find(|(known, _)| known == fact).unwrap_or_else(|| panic!("a column for {fact}"));
        let cell = match value {
            Value::String(text) => text.clone(),
            Value::Array(values) => values.iter().filter_map(Value::as_str).collect::<Vec<_>>().join(";"),
            other => other.to_string(),
        };
        cells.insert(column, cell);
    }
    // What names the device: else the product of which the case speaks.
    if !["order_number", "catalog", "product", "model", "fid"].iter().any(|name| asset.contains_key(*name)) {
        cells.insert("model", text(case, "product").to_owned());
    }
    let quoted = |cells: Vec<&str>| cells.iter().map(|cell| format!("\"{}\"", cell.replace('"', "\"\""))).collect::<Vec<_>>().join(",");
    format!("{}\n{}\n", quoted(cells.keys().copied().collect()), quoted(cells.values().map(String::as_str).collect()))
}

/// The worst of what the lines say: a device that one vulnerability affects is affected.
fn worst(lines: &[Value]) -> &'static str {
    let says = |verdict: &str| lines.iter().any(|line| text(line, "verdict") == verdict);
    ["affected", "contradiction", "indeterminate", "not_affected"].into_iter().find(|verdict| says(verdict)).unwrap_or("no line")
}

#[test]
fn tricky_cases_are_judged_as_a_careful_reader_judged_them() {
    let test = "tricky_cases_are_judged_as_a_careful_reader_judged_them";
    let Some(shared) = needed(test, place::shared()) else { return };
    let Some(product) = needed(test, Product::find()) else { return };
    let cases = fs::read_to_string(shared.join("advisories/truth/tricky_hand_read.jsonl")).expect("the cases");
    let mut wrong = Vec::new();
    let mut count = 0;
    for case in cases.lines().map(|line| serde_json::from_str::<Value>(line).expect("a case")) {
        count += 1;
        let id = text(&case, "advisory");
        let year = id.get(5..7).expect("icsa-YY");
        let document = shared.join(format!("advisories/csaf/20{year}/{id}.json"));
        let ended = check(&product, &sheet(&case), &document.to_string_lossy(), &[]).expect(code::DONE);
        let lines = ended.lines();
        let (said, expected) = (worst(&lines), text(&case, "expected"));
        let number = case["n"].as_u64().expect("a number");
        let right = said == expected || (said == "contradiction" && CONTRADICTORY.contains(&number));
        let reason = lines.iter().find(|line| text(line, "verdict") == said).map(|line| text(line, "reason"));
        println!("{number:>2} | {id} | expected {expected} | {said} | {}", reason.unwrap_or("-"));
        // A verdict is never without its reason and its document.
        let whole = lines.iter().all(|line| !text(line, "reason").is_empty() && text(line, "document_sha256").len() == 64);
        let honest = lines.iter().all(|line| text(line, "verdict") != "indeterminate" || line["missing"].is_array());
        if !right || !whole || !honest {
            wrong.push(format!("{number} {id}: expected {expected}, said {said}\n{}", ended.out));
        }
    }
    println!("{} of {count}", count - wrong.len());
    assert!(count == 37 && wrong.is_empty(), "{}", wrong.join("\n"));
}
