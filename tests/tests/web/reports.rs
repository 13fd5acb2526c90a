//! Reports through the API say what the command says of the same ledger, in each form; and a browser may do nothing with a page of one.

use nameplate_tests::place::needed;
use nameplate_tests::product::{Product, code};
use nameplate_tests::web::Asker;
use serde_json::Value;

use super::Plant;

/// Reports that need nothing.
const KINDS: [&str; 6] = ["overview", "patches", "changes", "errors", "exemptions", "nerc"];

#[test]
fn reports_say_what_the_command_says() {
    let test = "reports_say_what_the_command_says";
    let Some(product) = needed(test, Product::find()) else { return };
    let plant = Plant::new(&product);
    let viewer = plant.session("viewer");
    let state = plant.folder.path().join("desk").to_string_lossy().into_owned();
    let devices = plant.gate.get(&viewer, "/api/v1/devices?sort=tag").expect(200).json();
    let id = devices["devices"][1]["id"].as_str().expect("an id").to_owned();
    let listed = plant.gate.get(&viewer, "/api/v1/reports").expect(200).json();
    let mut kinds: Vec<&str> = listed.as_array().expect("a list").iter().filter_map(|one| one["kind"].as_str()).collect();
    kinds.sort_unstable();
    let mut expected = [&KINDS[..], &["device"]].concat();
    expected.sort_unstable();
    assert_eq!(kinds, expected);
    // A moment behind all entries: then nothing that time does differs.
    let as_of = "2099-01-01";
    for kind in KINDS.into_iter().chain(["device"]) {
        let (asset, words) = if kind == "device" { (format!("&asset={id}"), vec![id.as_str()]) } else { (String::new(), Vec::new()) };
        let get = |form: &str| plant.gate.get(&viewer, &format!("/api/v1/reports/{kind}?format={form}&as_of={as_of}{asset}")).expect(200);
        let run = |form: &str| {
            let head = ["report", kind];
            product.run([&head[..], &words, &["--as-of", as_of, "--format", form, "--state", &state]].concat()).expect(code::DONE).out
        };
        assert_eq!(get("csv").body, run("csv"), "{kind}");
        assert_eq!(get("ndjson").body, run("ndjson"), "{kind}");
        let report = get("json").json();
        let rows = |table: &'_ Value| -> Vec<Value> { table["rows"].as_array().cloned().unwrap_or_default() };
        let said: Vec<Value> = report["tables"].as_array().expect("tables").iter().flat_map(rows).collect();
        let lines: Vec<Value> = run("ndjson").lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
        let without = |mut line: Value| {
            line.as_object_mut().map(|own| own.remove("table"));
            line
        };
        let bare: Vec<Value> = lines.into_iter().map(without).collect();
        assert_eq!(said, bare, "{kind}");
        let html = get("html");
        let file = plant.folder.path().join("report.html").to_string_lossy().into_owned();
        let head = ["report", kind];
        product.run([&head[..], &words, &["--as-of", as_of, "--output", &file, "--state", &state]].concat()).expect(code::DONE);
        assert_eq!(html.body, std::fs::read_to_string(&file).expect("a page"), "{kind}");
        let policy = html.header("content-security-policy").unwrap_or_default();
        assert!(policy.contains("default-src 'none'") && policy.contains("sandbox") && !policy.contains("unsafe"), "{policy}");
        let book = get("xlsx");
        assert!(book.body.starts_with("PK"), "{kind}");
        let name = format!("attachment; filename=\"{kind}.xlsx\"");
        assert_eq!(book.header("content-disposition"), Some(name.as_str()));
    }
}

#[test]
fn a_report_of_the_past_knows_nothing_of_today_and_bad_words_are_refused() {
    let test = "a_report_of_the_past_knows_nothing_of_today_and_bad_words_are_refused";
    let Some(product) = needed(test, Product::find()) else { return };
    let plant = Plant::new(&product);
    let viewer = plant.session("viewer");
    let get = |path: &str| plant.gate.get(&viewer, &format!("/api/v1/reports{path}"));
    let rows = |path: &str| {
        get(path).expect(200).json()["tables"]
            .as_array()
            .expect("tables")
            .iter()
            .filter_map(|one| one["rows"].as_array())
            .map(Vec::len)
            .sum::<usize>()
    };
    assert!(rows("/patches") > rows("/patches?as_of=2001-01-01"), "three devices are known today");
    for (path, status, why) in [
        ("/horoscope", 404, "no such report"),
        ("/patches?format=pdf", 400, "html, csv, xlsx"),
        ("/patches?as_of=tomorrow", 400, "is no date"),
        ("/patches?since=2026-01-01", 400, "is for the report"),
        ("/patches?asset=a", 400, "is for the report"),
        ("/nerc?standard=CIP-999", 400, "no standard"),
        ("/device", 400, "which device"),
        ("/device?asset=a-nobody", 400, "no device"),
        ("/overview?since=x", 400, "is no date"),
        ("/../../etc/passwd", 404, ""),
    ] {
        let answered = get(path).expect(status).json();
        assert!(answered["detail"].as_str().is_some_and(|detail| detail.contains(why)), "{path}: {answered}");
    }
    assert_eq!(plant.gate.get(&Asker::nobody(), "/api/v1/reports/patches").status, 401);
    let page = plant.gate.get(&viewer, "/reports?as_of=2026-01-01").expect(200).body;
    assert!(page.contains("/api/v1/reports/patches?format=xlsx&amp;as_of=2026-01-01"), "{page}");
    assert_eq!(plant.gate.get(&viewer, "/reports?as_of=%3Cscript%3E").expect(200).body.matches("<script>").count(), 0);
}
