//! A plant engineer's spreadsheet: taken in, given back, and compared with what devices say.

use std::collections::BTreeMap;

use nameplate_simulators::modbus::Persona;
use nameplate_tests::pcap::{pcap_of, plant};
use nameplate_tests::place::needed;
use nameplate_tests::product::{Ended, Product, State, code};
use serde_json::Value;

/// A meter of a known family, another one of it, and a device that never says what it is: 192.168.20.11, .12 and .13.
fn capture(folder: &State) -> String {
    let meter =
        |release: &str| Persona::from_objects([(0, b"Computec Oy".to_vec()), (1, b"CWS06".to_vec()), (2, release.as_bytes().to_vec())]);
    folder.file("capture/span.pcap", pcap_of(&plant(vec![meter("v3.160"), meter("v3.110"), Persona::without_identity()])))
}

fn against(product: &Product, folder: &State, capture: &str, sheet: impl AsRef<[u8]>) -> Ended {
    let sheet = folder.file("sheet.csv", sheet);
    product.run(["listen", capture, "--against", &sheet])
}

/// What each row came to, by its number; 0 collects what is only on the wire.
fn outcomes(ended: &Ended) -> BTreeMap<u64, Vec<String>> {
    let mut outcomes: BTreeMap<u64, Vec<String>> = BTreeMap::new();
    for line in ended.lines() {
        let differences = line["differences"].as_array().into_iter().flatten();
        let fields: Vec<String> = differences.map(|one| format!(" {}:{}", text(one, "field"), text(one, "relation"))).collect();
        outcomes.entry(line["row"].as_u64().unwrap_or(0)).or_default().push(text(&line, "outcome") + &fields.concat());
    }
    outcomes
}

fn text(line: &Value, key: &str) -> String {
    line[key].as_str().unwrap_or_default().to_owned()
}

#[test]
fn every_row_of_a_sheet_stands_somehow_to_a_capture() {
    let Some(product) = needed("every_row_of_a_sheet_stands_somehow_to_a_capture", Product::find()) else { return };
    let folder = State::new();
    let capture = capture(&folder);
    let header = "IP address;Vendor;Model;FW;Serial;Room";
    for (rows, expected, missed, ends) in [
        (&["192.168.20.11;Computec Oy;cws06;V03.160;;7"][..], &["match"][..], 2, code::DONE),
        (
            &["192.168.20.11;;;3.16;;", "192.168.20.12;;;3.160;;"],
            &["differs firmware_revision:newer", "differs firmware_revision:older"],
            1,
            code::FAILED,
        ),
        (&["192.168.20.11;;;3.160-b;;"], &["differs firmware_revision:unknown"], 2, code::FAILED),
        (&["192.168.20.11;Wurm;CWS07;3.160;;"], &["differs manufacturer:unknown model:unknown"], 2, code::FAILED),
        // It answers, and never said what it is: neither right nor wrong.
        (&["192.168.20.13;;;3.160;;"], &["undecided"], 2, code::DONE),
        (&["192.168.20.13;;;;;"], &["match"], 2, code::DONE),
        // Not seen is no difference: nobody may delete a device because of us.
        (&["192.168.20.99;;;3.160;;", ";;;3.160;S1;", ";;;3.160;;9"], &["not-seen", "not-seen", "not-seen"], 3, code::DONE),
    ] {
        let sheet = format!("{header}\r\n{}\r\n", rows.join("\r\n"));
        let ended = against(&product, &folder, &capture, sheet).expect(ends);
        let mut found = outcomes(&ended);
        assert_eq!(found.remove(&0).unwrap_or_default(), vec!["only-on-the-wire"; missed], "{rows:?}: {}", ended.out);
        assert_eq!(found.into_values().map(|row| row.concat()).collect::<Vec<_>>(), expected, "{rows:?}: {}", ended.out);
        assert!(!ended.out.contains("gone"), "{}", ended.out);
    }
}

#[test]
fn not_seen_says_where_we_looked() {
    let Some(product) = needed("not_seen_says_where_we_looked", Product::find()) else { return };
    let folder = State::new();
    let capture = capture(&folder);
    let sheet = "ip,port,unit,firmware\n192.168.1.10,502,1,3.160\n192.168.20.11,502,9,3.160\n";
    let ended = against(&product, &folder, &capture, sheet).expect(code::DONE);
    let lines = ended.lines();
    assert_eq!(lines[0]["reason"], format!("looked for 192.168.1.10:502/1 in {capture}; not there"));
    let other_unit = text(&lines[1], "reason");
    assert!(other_unit.contains("looked for 192.168.20.11:502/9") && other_unit.contains("at that address: a-"), "{other_unit}");
    assert!(ended.err.contains("2 rows: 0 match, 0 differ, 0 undecided, 2 not seen, 3 only on the wire"), "{}", ended.err);
    assert!(ended.err.contains("not seen is not gone"), "{}", ended.err);
    assert!(!folder.path().join("nameplate.sqlite").exists());
    // Against a capture means against nothing else, whatever the state holds.
    let state = State::new();
    let there = folder.file("all.csv", "ip,model\n10.9.9.9,X\n");
    product.run(["import", "devices", &there, "--state", &state.text()]).expect(code::DONE);
    let alone = product.run(["listen", &capture, "--against", &there, "--state", &state.text()]).expect(code::DONE);
    assert_eq!(outcomes(&alone)[&1], ["not-seen"]);
    product.run(["listen", &capture, "--against", &there, "--keep"]).expect(code::USAGE);
}

#[test]
fn a_capture_that_cannot_be_read_makes_nobody_absent() {
    let Some(product) = needed("a_capture_that_cannot_be_read_makes_nobody_absent", Product::find()) else { return };
    let folder = State::new();
    let (capture, broken) = (capture(&folder), folder.file("broken.pcap", "no capture at all"));
    let sheet = folder.file("sheet.csv", "ip\n10.0.0.1\n");
    let ended = product.run(["listen", &capture, &broken, "--against", &sheet]).expect(code::INPUT);
    assert_eq!(ended.out, "", "a row might stand in the file that could not be read");
}

#[test]
fn the_inventory_file_comes_back_as_it_went_out() {
    let Some(product) = needed("the_inventory_file_comes_back_as_it_went_out", Product::find()) else { return };
    let (first, second, third) = (State::new(), State::new(), State::new());
    let capture = capture(&first);
    product.run(["listen", &capture, "--state", &first.text()]).expect(code::DONE);
    let own = "ip,Tag,Cabinet,note\n192.168.20.11,M-1,K7,\"said \"\"never touch\"\", twice\"\n10.0.0.7,M-9,=K8,\n";
    product.run(["import", "devices", &first.file("own.csv", own), "--state", &first.text()]).expect(code::DONE);
    let out = |state: &State| product.run(["devices", "--format", "csv", "--state", &state.text()]).expect(code::DONE).out;
    let csv = out(&first);
    let header = csv.lines().next().unwrap_or_default();
    assert!(header.ends_with(",source,last_seen,Cabinet,note"), "{header}");
    assert!(csv.contains(",K7,\"said \"\"never touch\"\", twice\"\r\n") && csv.contains("M-1"), "{csv}");
    assert!(csv.contains(",'=K8,"), "a spreadsheet must not run it: {csv}");
    // Into a state that knows nothing, and compared: only matches.
    let sheet = second.file("inventory.csv", &csv);
    product.run(["import", "devices", &sheet, "--state", &second.text()]).expect(code::DONE);
    for state in [&first, &second] {
        let compared = product.run(["compare", &sheet, "--state", &state.text()]).expect(code::DONE);
        let found: Vec<String> = outcomes(&compared).into_values().map(|row| row.concat()).collect();
        assert_eq!(found, ["match"; 4], "{}", compared.out);
    }
    // What was only imported was not seen, and says so: no time, another way; all other cells are the same.
    let again = out(&second);
    product.run(["import", "devices", &third.file("again.csv", &again), "--state", &third.text()]).expect(code::DONE);
    assert_eq!(out(&third), again);
    let cells = |csv: &str| -> Vec<Vec<String>> {
        let without_time =
            |row: &str| row.split(',').enumerate().filter(|(at, _)| ![22, 23].contains(at)).map(|(_, cell)| cell.to_owned()).collect();
        csv.split_terminator("\r\n").map(without_time).collect()
    };
    assert_eq!(cells(&again), cells(&csv));
}

#[test]
fn an_import_stands_beside_readings_and_never_before_them() {
    let Some(product) = needed("an_import_stands_beside_readings_and_never_before_them", Product::find()) else { return };
    let state = State::new();
    let (capture, place) = (capture(&state), state.text());
    let sheet = state
        .file("plant.csv", "IP;Version;Hersteller\n192.168.20.11;9.9;Computec Oy\n192.168.20.13;1.0;Unbekannt AG\n10.0.0.5;2.0;Wurm\n");
    let listed = product.run(["import", "devices", &sheet, "--state", &place]).expect(code::DONE);
    assert_eq!((listed.lines()[0]["rows"].as_u64(), listed.lines()[0]["devices_only_in_sheets"].as_u64()), (Some(3), Some(3)));
    product.run(["listen", &capture, "--state", &place]).expect(code::DONE);
    let devices = product.run(["devices", "--state", &place]).expect(code::DONE).lines();
    assert_eq!(devices.len(), 4, "the two that answer where the sheet said are the listed ones");
    let of = |ip: &str| devices.iter().find(|device| device["addresses"][0]["ip"] == ip).unwrap_or_else(|| panic!("{ip} in {devices:?}"));
    let firmware = |ip: &str| {
        let fields = of(ip)["fields"].as_array().cloned().unwrap_or_default();
        let field = fields.into_iter().find(|field| field["field"] == "firmware_revision").unwrap_or_default();
        (text(&field, "value"), text(&field, "grade"), field["conflicting"].as_array().map_or(0, Vec::len))
    };
    assert_eq!(firmware("192.168.20.11"), ("v3.160".into(), "identity-object".into(), 1));
    assert_eq!(firmware("192.168.20.13"), ("1.0".into(), "imported".into(), 0));
    assert_eq!((of("10.0.0.5")["only_in_a_sheet"].clone(), of("10.0.0.5")["last_seen"].clone()), (true.into(), Value::Null));
    assert_eq!(of("192.168.20.13")["only_in_a_sheet"], false);
    let id = text(of("10.0.0.5"), "id");
    let walk = product.run(["explain", &id, "firmware_revision", "--state", &place]).expect(code::DONE).out;
    assert!(walk.contains("2.0") && walk.contains("imported") && walk.contains("plant.csv row 3"), "{walk}");
    let page = product.run(["device", &id, "--state", &place, "--format", "table"]).expect(code::DONE).out;
    assert!(page.contains("never, only in a sheet"), "{page}");
    // The same sheet again adds no device.
    product.run(["import", "devices", &sheet, "--state", &place]).expect(code::DONE);
    assert_eq!(product.run(["devices", "--state", &place]).expect(code::DONE).lines().len(), 4);
}

#[test]
fn what_is_no_sheet_is_refused_as_a_whole_and_says_where() {
    let Some(product) = needed("what_is_no_sheet_is_refused_as_a_whole_and_says_where", Product::find()) else { return };
    let state = State::new();
    let place = state.text();
    let wide = vec!["x"; 10_000].join(",");
    let table: [(&str, Vec<u8>, &str); 6] = [
        ("empty", Vec::new(), "line 1: the file is empty"),
        ("a diary", b"dear diary\ntoday\n".to_vec(), "line 1, column 1: no column is known"),
        ("10,000 columns", format!("ip,{wide}\n").into_bytes(), "line 1, column 257"),
        ("an open quotation mark", b"ip,model\n10.0.0.1,\"open\n10.0.0.2,x\n".to_vec(), "line 2, column 2: the quotation mark"),
        ("an old workbook", b"\xd0\xcf\x11\xe0\xa1\xb1".to_vec(), "save it as XLSX"),
        ("a cut workbook", b"PK\x03\x04\x14".to_vec(), "no zip file"),
    ];
    for (what, bytes, says) in table {
        let sheet = state.file("bad.csv", bytes);
        for command in [&["import", "devices", &sheet][..], &["compare", &sheet]] {
            let ended = product.run(command.iter().chain(&["--state", &place])).expect(code::INPUT);
            assert!(ended.err.contains(says) && ended.out.is_empty(), "{what}: {}", ended.err);
        }
    }
    assert!(!state.path().join("nameplate.sqlite").exists(), "nothing of a bad sheet makes a state");
    for nothing in [format!("{place}/none.csv"), place.clone()] {
        product.run(["import", "devices", &nothing, "--state", &place]).expect(code::INPUT);
    }
}

#[test]
fn a_wrong_row_is_named_and_the_others_are_taken() {
    let Some(product) = needed("a_wrong_row_is_named_and_the_others_are_taken", Product::find()) else { return };
    let huge = "x".repeat(1 << 20);
    for (what, row, says) in [
        ("a port that is none", "10.0.0.2,http,", "line 3, column port: \"http\""),
        ("10,000 cells", &vec!["x"; 10_000].join(","), "line 3, column 257"),
        ("NUL", "10.0.0.2,502,M\u{0}340", "line 3, column 3: a NUL"),
        ("a huge cell", &format!("10.0.0.2,502,{huge}"), "line 3, column 3: a cell has at most 32,767"),
        ("a terminal escape", "10.0.0.2,502,\u{1b}]0;owned\u{7}", "line 3, column model: an invisible"),
        ("the same tag", "10.0.0.2,502,x,PLC-1", "line 3, column tag: line 2 has the same tag"),
    ] {
        let state = State::new();
        let place = state.text();
        let row = if row.matches(',').count() == 2 { format!("{row},") } else { row.to_owned() };
        let sheet = state.file("half.csv", format!("ip,port,model,tag\n10.0.0.1,502,x,PLC-1\n{row}\n10.0.0.3,502,y,PLC-3\n"));
        let taken = product.run(["import", "devices", &sheet, "--state", &place]).expect(code::INPUT);
        assert!(taken.err.contains(says) && !taken.err.contains('\u{1b}'), "{what}: {}", taken.err);
        assert_eq!((taken.lines()[0]["rows"].as_u64(), taken.lines()[0]["left_out"].as_u64()), (Some(2), Some(1)), "{what}");
        let devices = product.run(["devices", "--sort", "ip", "--state", &place]).expect(code::DONE).lines();
        let ips: Vec<&Value> = devices.iter().map(|device| &device["addresses"][0]["ip"]).collect();
        assert_eq!(ips, ["10.0.0.1", "10.0.0.3"], "{what}");
        // The last row keeps its number: it is the third.
        let compared = product.run(["compare", &sheet, "--state", &place]).expect(code::INPUT);
        assert_eq!(outcomes(&compared).into_keys().collect::<Vec<_>>(), [1, 3], "{what}: {}", compared.out);
        assert!(compared.err.contains("1 row of the sheet could not be read"), "{what}: {}", compared.err);
    }
}

#[test]
fn a_version_that_became_a_date_is_never_a_version() {
    let Some(product) = needed("a_version_that_became_a_date_is_never_a_version", Product::find()) else { return };
    let state = State::new();
    let (capture, place) = (capture(&state), state.text());
    product.run(["listen", &capture, "--state", &place]).expect(code::DONE);
    let sheet = state.file("dates.csv", "ip;firmware\n192.168.20.11;10. Feb\n10.0.0.9;2010-02-01\n");
    let taken = product.run(["import", "devices", &sheet, "--state", &place]).expect(code::DONE);
    assert!(taken.err.contains("line 2, column firmware_revision: \"10. Feb\" is a date"), "{}", taken.err);
    let csv = product.run(["devices", "--filter", "ip=10.0.0.9", "--format", "csv", "--state", &place]).expect(code::DONE).out;
    assert!(csv.lines().next().unwrap_or_default().ends_with(",firmware_revision (doubtful)") && csv.contains(",2010-02-01\r\n"), "{csv}");
    let compared = product.run(["compare", &sheet, "--state", &place]).expect(code::DONE);
    assert_eq!(outcomes(&compared)[&1], ["undecided"], "{}", compared.out);
}

#[test]
fn a_device_only_in_the_sheet_says_where_was_looked_and_where_not() {
    let Some(product) = needed("a_device_only_in_the_sheet_says_where_was_looked_and_where_not", Product::find()) else { return };
    let state = State::new();
    let (capture, place) = (capture(&state), state.text());
    product.run(["listen", &capture, "--state", &place]).expect(code::DONE);
    let sheet = state.file("relay.csv", "tag,ip,serial\nRELAY-7,,50281\nRTU-1,10.0.0.9,\n");
    let compared = product.run(["compare", &sheet, "--state", &place]).expect(code::DONE);
    let looked = |at: usize| {
        compared.lines()[at]["looked"].as_array().cloned().unwrap_or_default().into_iter().map(|one| one.to_string()).collect::<Vec<_>>()
    };
    let (relay, rtu) = (looked(0), looked(1));
    assert!(relay[0].contains("captures listened to: ") && relay[0].contains("span.pcap (heard from "), "{relay:?}");
    assert!(relay[1].contains("no interface was listened to") && relay[3].contains("no serial line was ever asked"), "{relay:?}");
    assert!(relay[2].contains("no network address to ask") && rtu[2].contains("10.0.0.9 was never asked"), "{relay:?} {rtu:?}");
    for ending in ["csv", "html", "xlsx"] {
        let file = state.path().join(format!("out.{ending}"));
        product.run(["compare", &sheet, "--state", &place, "--output", &file.display().to_string()]).expect(code::DONE);
        let bytes = std::fs::read(&file).unwrap_or_default();
        let text = String::from_utf8_lossy(&bytes);
        assert!(ending == "xlsx" && bytes.starts_with(b"PK") || text.contains("no serial line was ever asked"), "{ending}");
        assert!(!text.contains("gone") || text.to_lowercase().contains("not seen is not gone"), "{ending}");
    }
    product.run(["compare", &sheet, "--state", &place, "--output", "out.doc"]).expect(code::USAGE);
}

#[test]
fn what_a_sheet_says_is_never_run_and_never_turns_a_terminal() {
    let Some(product) = needed("what_a_sheet_says_is_never_run_and_never_turns_a_terminal", Product::find()) else { return };
    let state = State::new();
    let (capture, place) = (capture(&state), state.text());
    let sheet = state
        .file("evil.csv", "ip,firmware,tag,\"=cmd|' /C calc'!A1\"\n192.168.20.11,=1+1,\u{1b}[2Jtag,+cell\n10.0.0.1,-2,@SUM(A1),\t=3\n");
    product.run(["import", "devices", &sheet, "--state", &place]).expect(code::DONE);
    for (command, ends) in [
        (vec!["devices", "--state", &place], code::DONE),
        (vec!["compare", &sheet, "--state", &place], code::DONE),
        (vec!["listen", &capture, "--against", &sheet], code::FAILED),
        (vec!["check", "--state", &place], code::DONE),
    ] {
        for format in ["csv", "table", "ndjson"] {
            let ended = product.run(command.iter().chain(&["--format", format])).expect(ends);
            assert!(!ended.out.contains('\u{1b}') && !ended.err.contains('\u{1b}'), "{command:?} {format}");
            if format == "csv" {
                let cells = ended.out.split_terminator("\r\n").flat_map(|row| row.split(','));
                let run = cells.map(|cell| cell.trim_start_matches('"')).find(|cell| cell.starts_with(['=', '+', '-', '@', '\t']));
                assert_eq!(run, None, "{command:?}");
            }
        }
    }
}

#[test]
fn a_large_sheet_is_taken() {
    let Some(product) = needed("a_large_sheet_is_taken", Product::find()) else { return };
    let state = State::new();
    let row = |n: u32| format!("{},PLC-{n},Maker,M{},1.{n},S{n}\n", std::net::Ipv4Addr::from(0x0a00_0000 + n), n % 7);
    let sheet =
        state.file("large.csv", format!("ip,tag,manufacturer,model,firmware,serial\n{}", (1..=20_000).map(row).collect::<String>()));
    let ended = product.run(["import", "devices", &sheet, "--state", &state.text()]).expect(code::DONE);
    assert_eq!(ended.lines()[0]["devices_only_in_sheets"], 20_000);
    let compared = product.run(["compare", &sheet, "--state", &state.text()]).expect(code::DONE);
    assert!(compared.err.contains("20000 rows: 20000 match"), "{}", compared.err);
}
