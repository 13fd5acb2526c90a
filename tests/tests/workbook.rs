//! Workbooks and pages of devices: out, back, through a program that we did not write, and page by page.

use std::path::Path;
use std::process::{Command, Stdio};

use nameplate_simulators::modbus::Persona;
use nameplate_tests::pcap::{pcap_of, plant};
use nameplate_tests::place::needed;
use nameplate_tests::product::{Product, State, code};
use serde_json::Value;

/// A meter of a known family, another one of it, and a device that never says what it is: 192.168.20.11, .12 and .13.
fn capture(folder: &State) -> String {
    let meter =
        |release: &str| Persona::from_objects([(0, b"Computec Oy".to_vec()), (1, b"CWS06".to_vec()), (2, release.as_bytes().to_vec())]);
    folder.file("capture/span.pcap", pcap_of(&plant(vec![meter("v3.160"), meter("v3.110"), Persona::without_identity()])))
}

fn text(line: &Value, key: &str) -> String {
    line[key].as_str().unwrap_or_default().to_owned()
}

#[test]
fn a_workbook_goes_out_and_comes_back() {
    let Some(product) = needed("a_workbook_goes_out_and_comes_back", Product::find()) else { return };
    let (first, second) = (State::new(), State::new());
    let capture = capture(&first);
    product.run(["listen", &capture, "--state", &first.text()]).expect(code::DONE);
    let own = first.file("own.csv", "ip,Tag,Cabinet\n192.168.20.11,=1+1,<b>K7</b>\n10.0.0.7,M-9,\n");
    product.run(["import", "devices", &own, "--state", &first.text()]).expect(code::DONE);
    let book = second.path().join("inventory.xlsx").display().to_string();
    product.run(["devices", "--output", &book, "--state", &first.text()]).expect(code::DONE);
    let taken = product.run(["import", "devices", &book, "--state", &second.text()]).expect(code::DONE);
    assert_eq!(taken.lines()[0]["rows"], 4, "{}", taken.err);
    for state in [&first, &second] {
        let compared = product.run(["compare", &book, "--state", &state.text()]).expect(code::DONE);
        let found: Vec<String> = compared.lines().iter().map(|line| text(line, "outcome")).collect();
        assert_eq!(found, ["match"; 4], "{}", compared.out);
    }
    let page = second.path().join("page.html");
    product.run(["compare", &book, "--state", &first.text(), "--output", &page.display().to_string()]).expect(code::DONE);
    let page = std::fs::read_to_string(page).unwrap_or_default();
    assert!(page.contains("&lt;b&gt;K7&lt;/b&gt;") && !page.contains("<b>"), "{page}");
    assert!(!page.contains("<script") && !page.contains("http://") && !page.contains("https://") && !page.contains("src="), "{page}");
}

/// LibreOffice without a window turns one file into another; its settings live in the folder.
fn libre_office(folder: &State, to: &str, file: &str) -> Result<String, String> {
    let profile = format!("-env:UserInstallation=file://{}/office", folder.text());
    let arguments = [&profile, "--headless", "--convert-to", to, "--outdir", &format!("{}/converted", folder.text()), file];
    let ended = Command::new("soffice").args(arguments).stdin(Stdio::null()).output().map_err(|error| format!("soffice: {error}"))?;
    let stem = Path::new(file).file_stem().unwrap_or_default().to_string_lossy().into_owned();
    let made = folder.path().join("converted").join(format!("{stem}.{}", to.split(':').next().unwrap_or_default()));
    if made.exists() {
        Ok(made.display().to_string())
    } else {
        Err(format!("soffice made nothing: {}", String::from_utf8_lossy(&ended.stderr)))
    }
}

#[test]
fn another_program_reads_our_workbook_and_we_read_its() {
    let Some(product) = needed("another_program_reads_our_workbook_and_we_read_its", Product::find()) else { return };
    let started = Command::new("soffice").arg("--version").output().map(drop).map_err(|_| "soffice is not installed".to_owned());
    if needed("another_program_reads_our_workbook_and_we_read_its", started).is_none() {
        return;
    }
    let (state, again) = (State::new(), State::new());
    let rows = "10.0.0.1,PLC-1,2.10,=1+1,a_x000D_b\n10.0.0.2,PLC-2,007,\"<&\"\"'>\",W\u{fc}rzburg\n10.0.0.3,PLC-3,3.0,+49 931,1e5\n";
    let sheet = state.file("plant.csv", format!("ip,tag,firmware,Note,Place\n{rows}"));
    product.run(["import", "devices", &sheet, "--state", &state.text()]).expect(code::DONE);
    let ours = state.path().join("ours.xlsx").display().to_string();
    product.run(["devices", "--sort", "tag", "--output", &ours, "--state", &state.text()]).expect(code::DONE);
    // 44,34,76: comma, quotation mark, UTF-8; cells as they are shown.
    let csv = libre_office(&state, "csv:Text - txt - csv (StarCalc):44,34,76,1,,0,false,true,false", &ours).expect("LibreOffice opens it");
    let csv = std::fs::read_to_string(csv).expect("its CSV");
    for cell in ["2.10", "007", "3.0", "=1+1", "a_x000D_b", "\"<&\"\"'>\"", "Würzburg", "+49 931", "1e5"] {
        assert!(csv.contains(&format!(",{cell},")) || csv.contains(&format!(",{cell}\n")), "{cell} in {csv}");
    }
    // It opens our file, saves it in its own way, and we read that as it was.
    let theirs = libre_office(&state, "xlsx", &ours).expect("LibreOffice saves it");
    assert_ne!(std::fs::read(&ours).ok(), std::fs::read(&theirs).ok());
    product.run(["import", "devices", &theirs, "--state", &again.text()]).expect(code::DONE);
    let out = |state: &State| product.run(["devices", "--sort", "tag", "--format", "csv", "--state", &state.text()]).expect(code::DONE).out;
    assert_eq!(out(&again), out(&state));
    // A list that was typed into it: what it made of a version is said, and is no version.
    let typed = state.file("typed.csv", "ip,firmware,tag\n10.0.0.7,2.10,A\n10.0.0.8,2010-02-01,B\n10.0.0.9,V1.2,=1+1\n");
    let typed = libre_office(&state, "xlsx", &typed).expect("LibreOffice saves it");
    let fresh = State::new();
    let taken = product.run(["import", "devices", &typed, "--state", &fresh.text()]).expect(code::DONE);
    assert!(taken.err.contains("row 2, column firmware_revision: the spreadsheet holds the number 2.1"), "{}", taken.err);
    assert!(taken.err.contains("row 3, column firmware_revision: the spreadsheet holds the date 2010-02-01"), "{}", taken.err);
    let known = product.run(["devices", "--filter", "firmware!=", "--state", &fresh.text()]).expect(code::DONE).lines();
    assert_eq!(known.len(), 1, "only V1.2 is a version: {known:?}");
}

#[test]
fn pages_of_devices_follow_each_other() {
    let Some(product) = needed("pages_of_devices_follow_each_other", Product::find()) else { return };
    let state = State::new();
    let place = state.text();
    let rows: String = (1..=25).map(|n| format!("10.0.0.{n},PLC-{n},{}\n", if n % 2 == 0 { "Wurm" } else { "Computec" })).collect();
    let sheet = state.file("plant.csv", format!("ip,tag,vendor\n{rows}"));
    product.run(["import", "devices", &sheet, "--state", &place]).expect(code::DONE);
    let (mut after, mut seen) = (String::new(), Vec::new());
    loop {
        let mut arguments = vec!["devices", "--filter", "vendor=wurm", "--sort", "-ip", "--limit", "5", "--state", &place];
        if !after.is_empty() {
            arguments.extend(["--after", &after]);
        }
        let ended = product.run(arguments).expect(code::DONE);
        seen.extend(ended.lines().iter().map(|device| text(&device["addresses"][0], "ip")));
        let Some((_, next)) = ended.err.split_once("--after ") else { break };
        assert!(ended.err.contains("of 12 devices"), "{}", ended.err);
        after = next.trim().to_owned();
    }
    assert_eq!(seen, (1..=12).rev().map(|n| format!("10.0.0.{}", n * 2)).collect::<Vec<_>>());
    for bad in [["--filter", "vendor"], ["--after", "xyz"]] {
        product.run(["devices", "--state", &place].iter().chain(&bad)).expect(code::USAGE);
    }
}
