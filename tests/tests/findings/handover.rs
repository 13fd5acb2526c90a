//! Files for IT: that programs which we did not write take them, and that nothing of a folder can be changed unseen.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use nameplate_simulators::modbus::Persona;
use nameplate_tests::pcap::{pcap_of, plant};
use nameplate_tests::place::{needed, root};
use nameplate_tests::product::{Product, State, code};
use nameplate_tests::rig;
use serde_json::Value;

use super::stories::{SHEET, document, written};

/// What a device may say of itself, to a spreadsheet, a page, a terminal and a reader.
const HOSTILE: [&str; 3] = ["=cmd|'/c calc'!A1", "<script>alert(1)</script>\"]}", "V1\u{202e}\u{1b}[31m\n1"];

/// A plant of rows and readings, with a document about some of them, and its first hand-over.
struct Site {
    product: Product,
    state: State,
    folder: PathBuf,
    fingerprint: String,
}

impl Site {
    fn new(test: &str) -> Option<Self> {
        let product = needed(test, Product::find())?;
        let state = State::new();
        let hostile = Persona::from_objects(HOSTILE.iter().zip(0..).map(|(text, id)| (id, text.as_bytes().to_vec())));
        let meter = Persona::from_objects([(0, b"Computec Oy".to_vec()), (1, b"CWS06".to_vec()), (2, b"v3.160".to_vec())]);
        let capture = state.file("plant.pcap", pcap_of(&plant(vec![meter, hostile, Persona::without_identity()])));
        product.run(["listen", &capture, "--keep", "--state", &state.text()]).expect(code::DONE);
        let sheet = state.file("rows.csv", SHEET);
        product.run(["import", "devices", &sheet, "--state", &state.text()]).expect(code::DONE);
        let advisory = written(&state, "acme-1.json", &document("ACME-1"));
        product.run(["import", "advisories", &advisory, "--state", &state.text()]).expect(code::DONE);
        let mut site = Self { product, state, folder: PathBuf::new(), fingerprint: String::new() };
        let told = site.write();
        site.fingerprint = told.rsplit(": ").next().unwrap_or_default().trim().to_owned();
        let mut folders = site.folders();
        assert_eq!(folders.len(), 1, "{folders:?}");
        site.folder = folders.remove(0);
        Some(site)
    }

    fn place(&self) -> PathBuf {
        self.state.path().join("handover")
    }

    fn write(&self) -> String {
        let place = self.place().display().to_string();
        self.product.run(["handover", "write", &place, "--site", "Pump hall 2", "--state", &self.state.text()]).expect(code::DONE).err
    }

    fn folders(&self) -> Vec<PathBuf> {
        let mut folders: Vec<PathBuf> =
            fs::read_dir(self.place()).expect("a folder").map(|entry| entry.expect("an entry").path()).collect();
        folders.sort();
        folders
    }

    fn files(&self) -> Vec<String> {
        let names =
            fs::read_dir(&self.folder).expect("a folder").map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned());
        let mut names: Vec<String> = names.collect();
        names.sort();
        names
    }

    fn json(&self, name: &str) -> Value {
        serde_json::from_slice(&fs::read(self.folder.join(name)).expect("a file")).expect("JSON")
    }

    fn verify(&self, key: bool, expected: i32) -> String {
        let folder = self.folder.display().to_string();
        let mut words = vec!["handover", "verify", &folder];
        if key {
            words.extend(["--key", &self.fingerprint]);
        }
        let ended = self.product.run(words).expect(expected);
        ended.out + &ended.err
    }
}

/// Runs a program of somebody else in a folder; what it says, and whether it is content.
fn run(program: impl AsRef<std::ffi::OsStr>, arguments: &[&str], folder: &Path, input: Option<&Path>) -> (bool, String) {
    let input = input.map_or_else(Stdio::null, |path| fs::File::open(path).expect("a file").into());
    let ended = Command::new(program).args(arguments).current_dir(folder).stdin(input).output().expect("it runs");
    let said = [ended.stdout, ended.stderr].concat();
    (ended.status.success(), String::from_utf8_lossy(&said).into_owned())
}

#[test]
fn files_for_it_are_taken_by_the_validators_of_their_formats() {
    let test = "files_for_it_are_taken_by_the_validators_of_their_formats";
    if needed(test, rig::available()).is_none() {
        return;
    }
    let Some(site) = Site::new(test) else { return };
    let script = root().join("tests/verify/validate_cyclonedx.py").display().to_string();
    let (valid, said) = run(rig::python(), &[&script, "devices.cdx.json"], &site.folder, None);
    assert!(valid, "{said}");
    let bom = site.json("devices.cdx.json");
    let devices = bom["components"].as_array().expect("components");
    assert_eq!(devices.len(), 8, "five rows and three readings");
    let meter = devices.iter().find(|device| device["name"] == "CWS06").expect("the meter");
    let firmware = meter["components"].as_array().expect("parts").iter().find(|part| part["type"] == "firmware").expect("its firmware");
    assert_eq!((&meter["manufacturer"]["name"], &firmware["version"]), (&Value::from("Computec Oy"), &Value::from("v3.160")));
    let property = |name: &str| {
        let all = firmware["properties"].as_array().expect("properties");
        all.iter()
            .find(|property| property["name"] == format!("nameplate:firmware_revision:{name}"))
            .map(|property| property["value"].clone())
    };
    assert_eq!((property("grade"), property("method")), (Some("identity-object".into()), Some("heard".into())), "{firmware}");
    let text = bom.to_string();
    assert!(text.contains("<script>") && !text.contains('\u{202e}') && !text.contains("\\u001b"), "a device's text is text");

    let script = root().join("tests/rig/csaf_validate.mjs").display().to_string();
    let vex = site.folder.join("findings.vex.json").display().to_string();
    let (valid, said) = run("node", &[&script, &vex], rig::modules().parent().expect("the rig"), None);
    assert!(valid, "{said}");
    let vex = site.json("findings.vex.json");
    let vulnerabilities = vex["vulnerabilities"].as_array().expect("vulnerabilities");
    assert_eq!((vulnerabilities.len(), &vulnerabilities[0]["cve"]), (1, &Value::from("CVE-2026-10001")));
    // As the table in `stories` has it: the rows carry numbers of their own, the devices ids of ours.
    let name = |id: &Value| {
        let products = vex["product_tree"]["full_product_names"].as_array().expect("products");
        let product = products.iter().find(|product| product["product_id"] == *id).expect("a product");
        product["name"].as_str().and_then(|name| name.split(" (").next()).unwrap_or_default().to_owned()
    };
    let mut stand: Vec<(String, String)> = Vec::new();
    for (status, ids) in vulnerabilities[0]["product_status"].as_object().expect("statuses") {
        stand.extend(ids.as_array().expect("ids").iter().map(|id| (status.clone(), name(id))));
    }
    stand.sort();
    let expected = [
        ("known_affected", "Acme ProtectoLine 300 4.1.9"),
        ("known_not_affected", "Acme ProtectoLine 300 4.2.0"),
        ("under_investigation", "Acme ProtectoLine 300"),
        ("under_investigation", "Acme ProtectoLine 500 1.0"),
    ];
    assert_eq!(stand, expected.map(|(status, name)| (status.to_owned(), name.to_owned())));
    assert_eq!(vulnerabilities[0]["remediations"][0]["category"], "vendor_fix");
}

#[test]
fn shells_are_taken_by_two_implementations_and_fit_their_templates() {
    let test = "shells_are_taken_by_two_implementations_and_fit_their_templates";
    if needed(test, rig::available()).is_none() {
        return;
    }
    let Some(site) = Site::new(test) else { return };
    let script = root().join("tests/verify/validate_aas.py").display().to_string();
    let (valid, said) = run(rig::python(), &[&script, "devices.aas.json"], &site.folder, None);
    assert!(valid, "{said}");
    let aas = site.json("devices.aas.json");
    let submodels = aas["submodels"].as_array().expect("submodels");
    let element = |elements: &Value, name: &str| {
        elements.as_array().expect("elements").iter().find(|element| element["idShort"] == name).cloned().unwrap_or_default()
    };
    let plates: Vec<&Value> = submodels.iter().filter(|submodel| submodel["idShort"] == "Nameplate").collect();
    assert_eq!(plates.len(), 8, "five rows and three readings");
    let says = |plate: &Value, name: &str, text: &str| element(&plate["submodelElements"], name)["value"][0]["text"] == text;
    let meter = *plates.iter().find(|plate| says(plate, "ManufacturerProductDesignation", "CWS06")).expect("the meter");
    assert!(says(meter, "ManufacturerName", "Computec Oy"));
    let firmware = element(&meter["submodelElements"], "FirmwareVersion");
    assert_eq!((&firmware["value"], &firmware["qualifiers"][2]["value"]), (&Value::from("v3.160"), &Value::from("identity-object")));
    assert_eq!(element(&meter["submodelElements"], "OrderCodeOfManufacturer").get("value"), None, "it said no order number");
    let software = submodels.iter().find(|submodel| {
        let own = submodel["id"].as_str().unwrap_or_default();
        own.starts_with(meter["id"].as_str().expect("an id").trim_end_matches("#Nameplate")) && submodel["idShort"] == "SoftwareNameplate"
    });
    let installed = element(&software.expect("its software")["submodelElements"][0]["value"], "InstalledVersion");
    assert_eq!(installed["value"], "v3.160");
    let text = aas.to_string();
    assert!(text.contains("<script>") && !text.contains('\u{202e}') && !text.contains("\\u001b"), "a device's text is text");
}

#[test]
fn files_for_it_are_checked_with_what_is_on_every_machine() {
    let test = "files_for_it_are_checked_with_what_is_on_every_machine";
    if needed(test, rig::available()).is_none() {
        return;
    }
    let Some(site) = Site::new(test) else { return };
    let signers = site.state.path().join("allowed_signers");
    let line = site.product.run(["handover", "key", "--state", &site.state.text()]).expect(code::DONE).out;
    let (origin, _) = line.split_once(' ').expect("a name and a key");
    fs::write(&signers, &line).expect("written");
    let signers = signers.display().to_string();
    let signed: Vec<String> = site.files().into_iter().filter(|name| name.ends_with(".sig")).collect();
    assert_eq!(signed.len(), 9, "{signed:?}");
    for signature in &signed {
        let file = site.folder.join(signature.trim_end_matches(".sig"));
        let check = |namespace: &str, file: &Path| {
            run("ssh-keygen", &["-Y", "verify", "-f", &signers, "-I", origin, "-n", namespace, "-s", signature], &site.folder, Some(file))
        };
        let (good, said) = check("nameplate-handover", &file);
        assert!(good && said.contains("Good \"nameplate-handover\" signature"), "{signature}: {said}");
        assert!(!check("file", &file).0, "a signature for something else");
        let other = if signature == "devices.csv.sig" { "devices.xlsx" } else { "devices.csv" };
        assert!(!check("nameplate-handover", &site.folder.join(other)).0, "another file");
    }
    let (good, said) = run("sha256sum", &["--check", "--strict", "SHA256SUMS"], &site.folder, None);
    assert!(good && said.lines().count() == 8, "{said}");
    let script = root().join("tests/verify/verify_evidence.py").display().to_string();
    let page = site.state.path().join("page").display().to_string();
    let (good, said) = run(rig::python(), &[&script, "handover.evidence", "--key", &site.fingerprint, "--page", &page], &site.folder, None);
    assert!(good && said.contains("authentic"), "{said}");
    assert_eq!(fs::read(&page).expect("its page"), fs::read(site.folder.join("SHA256SUMS")).expect("the list"));
    let bundle = site.folder.join("handover.evidence").display().to_string();
    let said = site.product.run(["evidence", "verify", &bundle, "--key", &site.fingerprint]).expect(code::DONE).out;
    assert!(said.contains("a list of 8 files"), "{said}");
}

#[test]
fn nothing_of_a_hand_over_can_be_changed_unseen_and_what_is_not_new_is_not_written() {
    let test = "nothing_of_a_hand_over_can_be_changed_unseen_and_what_is_not_new_is_not_written";
    let Some(mut site) = Site::new(test) else { return };
    assert!(site.write().contains("nothing is new since"));
    assert_eq!(site.folders(), [site.folder.clone()]);
    assert!(site.verify(true, code::DONE).contains("files: 8, each as the ledger lists it"));
    assert!(site.verify(false, code::FAILED).contains("--key"), "whose it is has to be known");
    for name in site.files().into_iter().filter(|name| !name.ends_with(".sig")) {
        let path = site.folder.join(&name);
        let whole = fs::read(&path).expect("a file");
        let mut changed = whole.clone();
        *changed.last_mut().expect("a byte") ^= 1;
        fs::write(&path, changed).expect("changed");
        site.verify(true, code::FAILED);
        fs::remove_file(&path).expect("removed");
        assert!(site.verify(true, code::INPUT).contains(&name));
        fs::write(&path, whole).expect("as it was");
    }
    fs::write(site.folder.join("devices.json"), "{}").expect("written");
    assert!(site.verify(true, code::FAILED).contains("devices.json: this file was not handed over"));
    fs::remove_file(site.folder.join("devices.json")).expect("removed");
    site.verify(true, code::DONE);

    // News, and a folder that a power cut left half.
    let more = site.state.file("more.csv", "id,manufacturer,model,firmware\nr9,Acme,ProtectoLine 300,4.1.0\n");
    site.product.run(["import", "devices", &more, "--state", &site.state.text()]).expect(code::DONE);
    site.write();
    let [first, second] = <[PathBuf; 2]>::try_from(site.folders()).expect("two of them");
    assert_eq!([&first, &second].iter().filter(|folder| ***folder == site.folder).count(), 1);
    let newer = if first == site.folder { second } else { first };
    let half = newer.with_extension("part");
    fs::rename(&newer, &half).expect("renamed");
    fs::remove_file(half.join("devices.csv")).expect("removed");
    site.write();
    assert!(!half.exists() && newer.exists());
    site.folder = newer;
    assert!(site.verify(true, code::DONE).contains("files: 8"));
}
