//! Profiles: those that the program carries hold what their examples promise, and one that does not is refused with file and line.

use std::collections::BTreeSet;

use nameplate_simulators::modbus::{self, Persona};
use nameplate_tests::pcap::{pcap_of, plant, said_over_tcp};
use nameplate_tests::place::{self, needed};
use nameplate_tests::product::{self, Product, State, code};

/// A profile of a made-up family, whole and valid: each row below spoils one line of it.
const GOOD: &str = r#"vendor = "Brightwater"
family = "BW-7"
device_class = "power-meter"
identity_of = "self"
protocol = "modbus"
version_order = "dotted"
confidence = "seen"

[match]
"modbus.object.0" = '^Brightwater$'

[[component]]
role = "self"
[component.extract]
manufacturer = { from = "modbus.object.0" }
firmware_revision = { from = "modbus.object.2", pattern = '^V(\d+\.\d+)$' }

[[example]]
source = "own"
licence = "Apache-2.0 OR MIT"
objects = { 0 = "Brightwater", 1 = "BW-7", 2 = "V1.20" }
[example.expect.self]
manufacturer = "Brightwater"
firmware_revision = "1.20"
"#;

/// `GOOD` with this piece replaced.
fn spoilt(piece: &str, other: &str) -> String {
    assert!(GOOD.contains(piece), "{piece:?} stands in the profile");
    GOOD.replacen(piece, other, 1)
}

#[test]
fn every_profile_in_the_repository_is_carried_and_holds() {
    let Some(product) = needed("every_profile_in_the_repository_is_carried_and_holds", Product::find()) else { return };
    let mut files = BTreeSet::new();
    for vendor in
        std::fs::read_dir(place::root().join("device-profiles")).expect("the profiles").map(|entry| entry.expect("an entry").path())
    {
        for file in std::fs::read_dir(&vendor).expect("a vendor").map(|entry| entry.expect("an entry").path()) {
            let part = |path: &std::path::Path| path.file_stem().expect("a name").to_string_lossy().into_owned();
            files.insert(format!("{}/{}", part(&vendor), part(&file)));
        }
    }
    let listed = product.run(["profile", "list"]).expect(code::DONE).lines();
    let ids: BTreeSet<String> = listed.iter().map(|line| line["id"].as_str().unwrap_or_default().to_owned()).collect();
    assert_eq!(ids, files);
    let families = listed.iter().filter(|line| line["protocol"] == "modbus" && line["vendor"] != "any").count();
    assert!(families >= 6, "{families} Modbus families");
    let tested = product.run(["profile", "test"]).expect(code::DONE).out;
    assert!(tested.starts_with(&format!("{} profiles, ", files.len())) && tested.trim_end().ends_with("0 failed"), "{tested}");
}

#[test]
fn a_profile_beside_the_built_in_ones_is_listed_and_tested() {
    let Some(product) = needed("a_profile_beside_the_built_in_ones_is_listed_and_tested", Product::find()) else { return };
    let folder = State::new();
    folder.file("brightwater/bw-7.toml", GOOD);
    let place = folder.text();
    let listed = product.run(["profile", "list", "--profiles", &place]).expect(code::DONE).out;
    assert!(listed.contains("\"brightwater/bw-7\""), "{listed}");
    let tested = product.run(["profile", "test", "brightwater", "--profiles", &place]).expect(code::DONE).out;
    assert!(tested.starts_with("1 profiles, 1 examples, ") || tested.starts_with("1 profile, 1 example, "), "{tested}");
    assert_eq!(product.run(["profile", "test", "no-such", "--profiles", &place]).code, code::USAGE);
}

#[test]
fn a_profile_that_is_not_valid_says_where() {
    let Some(product) = needed("a_profile_that_is_not_valid_says_where", Product::find()) else { return };
    let example = &GOOD[GOOD.find("[[example]]").expect("an example")..];
    // Text, line that the message names, its rule.
    let table: Vec<(String, Option<usize>, &str)> = vec![
        (spoilt("'^Brightwater$'", "'^Bright(water$'"), Some(10), "pattern"),
        (spoilt(r"'^V(\d+\.\d+)$'", r"'^V(\d{1000}){1000}$'"), Some(16), "pattern"),
        (spoilt("family =", "famliy ="), Some(2), "toml"),
        (spoilt("manufacturer = { from", "colour = { from"), Some(15), "toml"),
        (spoilt("\"power-meter\"", "\"toaster\""), Some(3), "toml"),
        (spoilt("confidence = \"seen\"", "confidence = \"seen"), Some(7), "toml"),
        (spoilt("'^Brightwater$'", "'Brightwater'"), Some(10), "anchored"),
        (spoilt(r"'^V(\d+\.\d+)$'", r"'V(\d+\.\d+)'"), Some(16), "whole-text"),
        (spoilt(r"'^V(\d+\.\d+)$'", r"'^V(\d+)\.(\d+)$'"), Some(16), "whole-text"),
        (spoilt("from = \"modbus.object.2\"", "from = \"snmp.sysDescr\""), Some(16), "fact"),
        (spoilt("[match]\n\"modbus.object.0\" = '^Brightwater$'\n", ""), None, "match"),
        (spoilt(example, ""), None, "example"),
        (spoilt("2 = \"V1.20\"", "256 = \"V1.20\""), Some(21), "object"),
        (format!("{GOOD}\n# {}\n", "x".repeat(1 << 20)), None, "size"),
    ];
    for (number, (text, line, rule)) in table.iter().enumerate() {
        let folder = State::new();
        folder.file("brightwater/bw-7.toml", text);
        let at = line.map_or_else(|| "brightwater/bw-7: ".to_owned(), |line| format!("brightwater/bw-7, line {line}: "));
        for command in [["profile", "test"], ["listen", "no.pcap"]] {
            let ended = product.run(command.into_iter().chain(["--profiles", &folder.text()])).expect(code::INPUT);
            assert!(
                ended.err.contains(&at) && ended.err.contains(&format!("(rule {rule})")),
                "row {number}, {at:?} {rule:?}: {}",
                ended.err
            );
        }
    }
}

#[test]
fn a_profile_that_cannot_be_read_names_its_file() {
    let Some(product) = needed("a_profile_that_cannot_be_read_names_its_file", Product::find()) else { return };
    let check = |what: &str, folder: &State, says: &[&str]| {
        let ended = product.run(["profile", "list", "--profiles", &folder.text()]).expect(code::INPUT);
        assert!(says.iter().all(|word| ended.err.contains(word)), "{what}, {says:?}: {}", ended.err);
    };
    let folder = State::new();
    check("an empty folder", &folder, &[&folder.text(), "no profile there"]);
    let latin = folder.file("brightwater/latin.toml", b"vendor = \"Ger\xe4t\"");
    check("ISO 8859-1", &folder, &[&latin, "UTF-8"]);
    let folder = State::new();
    folder.file("lantronix/xport.toml", GOOD);
    check("a taken id", &folder, &["lantronix/xport", "(rule unique)"]);
    let missing = product.run(["profile", "list", "--profiles", "/no/such/folder"]).expect(code::INPUT);
    assert!(missing.err.contains("/no/such/folder: "), "{}", missing.err);
}

/// `profile test` on these made-up families, by file name; every failure line must hold one of these words.
fn check_fails(product: &Product, profiles: &[(&str, String)], says: &[&str]) {
    let folder = State::new();
    for (name, text) in profiles {
        folder.file(&format!("brightwater/{name}.toml"), text);
    }
    let ended = product.run(["profile", "test", "brightwater", "--profiles", &folder.text()]).expect(code::FAILED);
    assert!(says.iter().all(|word| ended.err.contains(word)), "{says:?}: {}", ended.err);
}

#[test]
fn a_profile_whose_examples_do_not_hold_fails() {
    let Some(product) = needed("a_profile_whose_examples_do_not_hold_fails", Product::find()) else { return };
    let one = |text: String| [("bw-7", text)];
    check_fails(&product, &one(spoilt("\"1.20\"", "\"1.2\"")), &["brightwater/bw-7, example 1", "1.2"]);
    check_fails(&product, &one(spoilt("firmware_revision = \"1.20\"\n", "")), &["example 1: expected"]);
    check_fails(&product, &one(spoilt("0 = \"Brightwater\"", "0 = \"Someone\"")), &["matches exactly this profile"]);
    let unused = spoilt("[[example]]", "serial_number = { from = \"modbus.object.128\" }\n\n[[example]]");
    check_fails(&product, &one(unused), &["no example exercises self.serial_number"]);
    let two = [("bw-7", GOOD.to_owned()), ("bw-7-too", GOOD.to_owned())];
    check_fails(&product, &two, &["brightwater/bw-7, example 1: matches exactly", "brightwater/bw-7-too, example 1: matches exactly"]);
}

#[test]
fn a_release_that_a_cut_answer_would_change_fails() {
    let Some(product) = needed("a_release_that_a_cut_answer_would_change_fails", Product::find()) else { return };
    // Both know the maker. The first answers until object 4 has come; then the second would, too, and reads another value.
    let wide = spoilt("'^V(\\d+\\.\\d+)$'", "'^(?:V)?(\\d+)\\.\\d+$'").replace("\"1.20\"", "\"1\"");
    let narrow = spoilt("\"modbus.object.0\" = '^Brightwater$'", "\"modbus.object.0\" = '^Brightwater$'\n\"modbus.object.4\" = '^Meter$'")
        .replace("2 = \"V1.20\" }", "2 = \"V1.20\", 4 = \"Meter\" }");
    check_fails(
        &product,
        &[("wide", wide), ("narrow", narrow)],
        &["brightwater/narrow, example 1", "cut after", "firmware_revision reads \"1\""],
    );
}

#[test]
fn where_two_profiles_match_no_release_is_claimed() {
    let Some(product) = needed("where_two_profiles_match_no_release_is_claimed", Product::find()) else { return };
    let folder = State::new();
    folder.file("profiles/brightwater/bw-7.toml", GOOD);
    let objects = [(0, b"Brightwater".to_vec()), (1, b"BW-7".to_vec()), (2, b"V1.20".to_vec())];
    let capture = folder.file("one.pcap", pcap_of(&plant(vec![Persona::from_objects(objects)])));
    let profiles = folder.path().join("profiles").to_string_lossy().into_owned();
    let listen = |format: &str| product.run(["listen", "--format", format, "--profiles", &profiles, &capture]).expect(code::DONE);
    let one = listen("claims").claims();
    let release = one.iter().find(|claim| claim.is_revision()).map(|claim| (claim.profile.as_str(), claim.value.as_str()));
    assert_eq!(release, Some(("brightwater/bw-7", "1.20")), "{one:?}");
    folder.file("profiles/brightwater/bw-7-too.toml", GOOD);
    assert!(!listen("claims").claims().iter().any(|claim| claim.is_revision()));
    let devices = listen("ndjson").out;
    assert!(devices.contains("brightwater/bw-7") && devices.contains("brightwater/bw-7-too"), "the remark names both: {devices}");
}

/// A capture of a meter that is asked who it is: the question is frame 1, the answer frame 2.
fn meter() -> Vec<u8> {
    let objects = [(0, "Brightwater"), (1, "BW-7"), (2, "V1.20"), (4, "Feeder meter"), (6, "Hall 2, feeder 7")];
    let objects = objects.map(|(number, text)| (number, text.as_bytes().to_vec()));
    let question = modbus::wrap(1, 255, &[0x2b, 0x0e, 3, 0]);
    let mut answers = modbus::answers(&Persona::from_objects(objects), &question);
    assert_eq!(answers.len(), 1, "one page");
    pcap_of(&said_over_tcp(502, &[(false, question), (true, answers.remove(0))]))
}

#[test]
fn the_page_about_profiles_does_what_it_says() {
    let Some(product) = needed("the_page_about_profiles_does_what_it_says", Product::find()) else { return };
    let page = std::fs::read_to_string(place::root().join("docs/profiles.md")).expect("the page");
    let folder = State::new();
    folder.file("meter.pcap", meter());
    let blocks = page.split("```sh\n").skip(1).map(|rest| rest.split("```").next().unwrap_or_default());
    let commands: Vec<&str> = blocks.flat_map(str::lines).collect();
    assert!(commands.len() >= 8, "{commands:?}");
    let mut said = Vec::new();
    for command in commands {
        let words = command.strip_prefix("nameplate ").unwrap_or_else(|| panic!("{command:?} is a command of ours"));
        let ended = product::run(product.command(words.split(' ')).current_dir(folder.path())).expect(code::DONE);
        said.push((command, ended));
    }
    let of = |part: &str| said.iter().rev().find(|(command, _)| command.contains(part)).map(|(_, ended)| ended).expect("it was run");
    assert!(of("profile new").err.ends_with("its example holds\n"), "{}", of("profile new").err);
    assert!(of("profile test").out.starts_with("1 profiles, 1 examples, "), "{}", of("profile test").out);
    assert!(of("--profiles my-profiles --format claims").out.contains("\"brightwater/bw-7\""));
    let record = of("profile record");
    for gone in ["Hall 2", "feeder 7", "Feeder meter"] {
        let hex: String = gone.bytes().map(|byte| format!("{byte:02x}")).collect();
        assert!(!record.out.contains(&hex) && !record.out.contains(gone), "{gone}: {}", record.out);
    }
    assert!(record.err.contains("modbus.object.6 \"Hall 2, feeder 7\" by \"Xxxx 1, xxxxxx 1\""), "{}", record.err);
}

#[test]
fn a_profile_begins_with_bytes_or_says_why_not() {
    let Some(product) = needed("a_profile_begins_with_bytes_or_says_why_not", Product::find()) else { return };
    let folder = State::new();
    let capture = folder.file("meter.pcap", meter());
    let new = |more: &[&str]| product.run(["profile", "new", "--vendor", "X", "--family", "Y"].iter().chain(more));
    let check = |what: &str, more: &[&str], code: i32, says: &str| {
        let ended = new(more).expect(code);
        assert!(ended.err.contains(says), "{what}: {}", ended.err);
    };
    check("a question", &["--from", &capture, "--frame", "1"], code::INPUT, "no identity answer");
    check("no such frame", &["--from", &capture, "--frame", "99"], code::INPUT, "frame 99");
    check("no such file", &["--from", "no.pcap", "--frame", "1"], code::INPUT, "no.pcap");
    check("no frame", &["--from", &capture], code::USAGE, "--frame");
    check("no protocol", &[], code::USAGE, "--protocol");
    check("an unknown one", &["--protocol", "no-such"], code::USAGE, "docs/protocols.md");
    check("nothing on standard input", &["--protocol", "modbus"], code::INPUT, "standard input");
    check("a strange carrier", &["--protocol", "modbus", "--over", "pigeon"], code::USAGE, "pigeon");
    let taken = ["--from", &capture, "--frame", "2", "--into", &folder.text()];
    new(&taken).expect(code::DONE);
    check("a file that is there", &taken, code::INPUT, "y.toml");
    let place = folder.text();
    let known = product.run(["profile", "new", "--vendor", "X", "--family", "Z", "--from", &capture, "--frame", "2", "--profiles", &place]);
    assert!(known.expect(code::INPUT).err.contains("profile x/y reads it already"));
}
