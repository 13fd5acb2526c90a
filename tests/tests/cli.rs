//! The command line as scripts and people in a hurry meet it.

use std::io::Read;
use std::process::{Command, Stdio};

use nameplate_simulators::modbus::Persona;
use nameplate_tests::pcap::{pcap_of, plant};
use nameplate_tests::place::needed;
use nameplate_tests::product::{Product, State, code, run};

/// Contracts, "Inventory file": the header, as other people's spreadsheets have it.
const INVENTORY: &str = "id,tag,site,zone,location,manufacturer,model,product_code,hardware_revision,firmware_revision,\
    software_revision,serial_number,patches,mac,ip,port,unit,parent,slot,device_class,criticality,exposure,source,last_seen";

#[test]
fn every_command_has_help() {
    let Some(product) = needed("every_command_has_help", Product::find()) else { return };
    let table = [
        (&["--help"][..], "Exit codes: 0 done, 1 found what --fail-on names, 2 usage, 3 input could not be read,"),
        (&["demo", "--help"], "--once"),
        (&["listen", "--help"], "Examples:"),
        (&["ask", "--help"], "Examples:"),
        (&["devices", "--help"], "--as-of"),
        (&["device", "--help"], "--as-of"),
        (&["explain", "--help"], "[FIELD|CVE|ADVISORY]"),
        (&["profile", "--help"], "test"),
        (&["profile", "list", "--help"], "--profiles"),
        (&["profile", "test", "--help"], "--profiles"),
        (&["simulate", "--help"], "Examples:"),
        (&["prove", "--help"], "Usage:"),
        (&["--version"], "nameplate "),
    ];
    for (arguments, says) in table {
        let ended = product.run(arguments.iter()).expect(code::DONE);
        assert!(ended.out.contains(says) && ended.err.is_empty(), "{arguments:?}, {says:?}: {}", ended.out);
    }
}

#[test]
fn an_argument_that_makes_no_sense_is_usage() {
    let Some(product) = needed("an_argument_that_makes_no_sense_is_usage", Product::find()) else { return };
    let table: [&[&str]; 14] = [
        &[],
        &["scan"],
        &["listen"],
        &["listen", "--fast", "x.pcap"],
        &["listen", "x.pcap", "--format", "xml"],
        &["listen", "x.pcap", "--modbus-port", "65536"],
        &["ask"],
        &["ask", "127.0.0.1"],
        &["ask", "10.0.0.0/24", "--dry-run"],
        &["ask", "10.0.0.1", "--dry-run", "--question", "write"],
        &["ask", "10.0.0.1", "--dry-run", "--via", "rlogin"],
        &["devices", "--as-of", "yesterday", "--state", "."],
        &["profile", "guess"],
        &["simulate", "no/such-profile"],
    ];
    for arguments in table {
        let ended = product.run(arguments.iter()).expect(code::USAGE);
        assert!(ended.out.is_empty() && !ended.err.is_empty(), "{arguments:?}: {}", ended.out);
    }
}

/// A plant that was heard, kept in a state: two devices, of which one is known by its family.
fn heard(product: &Product) -> (State, String) {
    let state = State::new();
    let meter = Persona::from_objects([(0, b"Computec Oy".to_vec()), (1, b"CWS06".to_vec()), (2, b"v3.160".to_vec())]);
    let capture = state.file("capture/span.pcap", pcap_of(&plant(vec![meter, Persona::without_identity()])));
    product.run(["listen", &capture, "--state", &state.text()]).expect(code::DONE);
    (state, capture)
}

#[test]
fn in_a_pipe_every_line_is_json_and_on_a_terminal_it_is_a_table() {
    let Some(product) = needed("in_a_pipe_every_line_is_json_and_on_a_terminal_it_is_a_table", Product::find()) else { return };
    let (state, capture) = heard(&product);
    let place = state.text();
    for command in [&["listen", &capture][..], &["devices", "--state", &place], &["profile", "list"]] {
        let lines = product.run(command).expect(code::DONE).lines();
        assert!(!lines.is_empty() && lines.iter().all(serde_json::Value::is_object), "{command:?}: {lines:?}");
    }
    // util-linux's script gives the product a terminal; --return hands its exit code on.
    let words = format!("{} devices --state {place}", product.binary.display());
    let mut script = Command::new("script");
    script.args(["--quiet", "--return", "--command", &words, "/dev/null"]).stdin(Stdio::null());
    let has_script = Command::new("script").arg("--version").stdout(Stdio::null()).status().is_ok_and(|status| status.success());
    let part = if has_script { Ok(()) } else { Err("no program script: apt-get install bsdutils".to_owned()) };
    if needed("in_a_pipe_every_line_is_json_and_on_a_terminal_it_is_a_table", part).is_some() {
        let table = run(&mut script).expect(code::DONE).out;
        assert!(table.starts_with("ID ") && table.contains("v3.160") && table.contains("unknown: "), "{table}");
    }
}

#[test]
fn a_reader_that_leaves_early_ends_the_program_quietly() {
    let Some(product) = needed("a_reader_that_leaves_early_ends_the_program_quietly", Product::find()) else { return };
    let (_state, capture) = heard(&product);
    // More output than a pipe holds, so that the product writes after its reader has left.
    let files = vec![capture.as_str(); 1_000];
    let mut child = product
        .command(["listen", "--format", "claims"].iter().chain(&files))
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("started");
    drop(child.stdout.take());
    let mut said = String::new();
    child.stderr.take().expect("a pipe").read_to_string(&mut said).expect("text");
    let status = child.wait().expect("an end");
    assert!(status.success() && !said.contains("panicked") && !said.contains("roken pipe"), "{status}: {said}");
}

#[test]
fn csv_is_the_inventory_file() {
    let Some(product) = needed("csv_is_the_inventory_file", Product::find()) else { return };
    let (state, capture) = heard(&product);
    for command in [vec!["listen", &capture], vec!["devices", "--state", &state.text()]] {
        let csv = product.run(command.iter().chain(&["--format", "csv"])).expect(code::DONE).out;
        let rows: Vec<&str> = csv.split_terminator("\r\n").collect();
        assert_eq!((rows.len(), rows.first().copied()), (3, Some(INVENTORY)), "{csv}");
        let of = |ip: &str, column: &str| {
            let at = INVENTORY.split(',').position(|name| name == column).expect("a column");
            let row = rows.iter().find(|row| row.contains(&format!(",{ip},"))).unwrap_or_else(|| panic!("{ip} in {csv}"));
            row.split(',').nth(at).unwrap_or_default().to_owned()
        };
        for (ip, column, value) in [
            ("192.168.20.11", "firmware_revision", "v3.160"),
            ("192.168.20.11", "manufacturer", "Computec Oy"),
            ("192.168.20.11", "mac", "02:00:00:00:00:0b"),
            ("192.168.20.11", "unit", "1"),
            ("192.168.20.11", "device_class", "controller"),
            ("192.168.20.11", "source", "heard"),
            ("192.168.20.12", "firmware_revision", ""),
            ("192.168.20.12", "device_class", "unknown"),
        ] {
            assert_eq!(of(ip, column), value, "{column} of {ip}\n{csv}");
        }
    }
}

#[test]
fn a_device_is_found_by_the_beginning_of_its_id() {
    let Some(product) = needed("a_device_is_found_by_the_beginning_of_its_id", Product::find()) else { return };
    let (state, capture) = heard(&product);
    let place = state.text();
    let devices = product.run(["devices", "--state", &place]).expect(code::DONE).lines();
    let known = devices.iter().find(|device| device["profile"] == "computec/cws06").expect("the known one");
    let id = known["id"].as_str().expect("an id");
    let beginning = &id[..id.len() - 2];
    for command in ["device", "explain"] {
        let whole = product.run([command, id, "--state", &place]).expect(code::DONE).out;
        assert_eq!(product.run([command, beginning, "--state", &place]).expect(code::DONE).out, whole, "{command}");
        assert!(whole.contains("v3.160") && whole.contains("computec/cws06"), "{command}: {whole}");
        // Both ids begin so; and none does.
        for other in ["a-", "zz"] {
            product.run([command, other, "--state", &place]).expect(code::USAGE);
        }
    }
    let walk = product.run(["explain", beginning, "firmware_revision", "--state", &place]).expect(code::DONE).out;
    // From the field to the rule, the file and the bytes of "v3.160".
    for word in ["firmware_revision", "modbus.object.2", capture.as_str(), "76", "33 2e 31"] {
        assert!(walk.contains(word), "{word:?} in {walk}");
    }
    product.run(["explain", beginning, "colour", "--state", &place]).expect(code::USAGE);
}

#[test]
fn the_catalog_can_be_seen_as_it_was() {
    let Some(product) = needed("the_catalog_can_be_seen_as_it_was", Product::find()) else { return };
    let (state, _) = heard(&product);
    let place = state.text();
    let on = |day: &str| product.run(["devices", "--as-of", day, "--state", &place]).expect(code::DONE).lines().len();
    assert_eq!((on("2001-02-03"), on("2001-02-03T04:05:06Z"), on("2200-01-01")), (0, 0, 2));
    assert_eq!(product.run(["devices", "--state", &format!("{place}/none")]).expect(code::DONE).out, "");
    product.run(["device", "a-", "--state", &format!("{place}/none")]).expect(code::INPUT);
}
