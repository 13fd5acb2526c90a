//! What devices said, through the API: readings with their bytes, every word with its grade; and bundles that `nameplate evidence verify` takes.

use std::process::Command;

use nameplate_simulators::modbus::Persona;
use nameplate_tests::pcap::{pcap_of, plant as talk};
use nameplate_tests::place::needed;
use nameplate_tests::product::{Product, State, code};
use nameplate_tests::web::{Answered, Asker};
use serde_json::{Value, json};

use super::Plant;

/// A gateway that heard a device say this.
pub(super) fn heard(product: &Product, revision: &str) -> Plant {
    let folder = State::new();
    let objects = [(0, "Acme"), (1, "M-1"), (2, revision)].map(|(id, text)| (id, text.as_bytes().to_vec()));
    let capture = folder.file("span.pcap", pcap_of(&talk(vec![Persona::from_objects(objects)])));
    let state = folder.path().join("desk").to_string_lossy().into_owned();
    product.run(["listen", &capture, "--keep", "--state", &state]).expect(code::DONE);
    Plant::in_folder(product, folder, "", |_, _| ())
}

/// The id of the device that was heard.
pub(super) fn id_of(plant: &Plant, asker: &Asker) -> String {
    let devices = plant.gate.get(asker, "/api/v1/devices").expect(200).json();
    let heard = |one: &&Value| one["only_in_a_sheet"] == json!(false);
    let found = devices["devices"].as_array().expect("devices").iter().find(heard).expect("a device that was heard");
    found["id"].as_str().expect("an id").to_owned()
}

#[test]
fn readings_come_with_their_bytes_and_words_with_their_grades() {
    let test = "readings_come_with_their_bytes_and_words_with_their_grades";
    let Some(product) = needed(test, Product::find()) else { return };
    // Whatever a device says is text.
    let plant = heard(&product, "<b>2.60</b>");
    let viewer = plant.session("viewer");
    let get = |path: &str| plant.gate.get(&viewer, &format!("/api/v1{path}"));
    let id = id_of(&plant, &viewer);
    let all = get("/observations").expect(200).json();
    let own = get(&format!("/observations?asset={id}")).expect(200).json();
    assert!(own["observations"].as_array().is_some_and(|own| !own.is_empty()), "{own}");
    assert_eq!(all["observations"], own["observations"], "there is no other device");
    let with_bytes = |one: &&Value| one["claims"].as_u64() > Some(0);
    let line = own["observations"].as_array().expect("a list").iter().find(with_bytes).expect("a reading that tells something");
    let one = get(&format!("/observations/{}", line["entry"])).expect(200).json();
    assert_eq!(one["observation"], *line);
    // Modbus/TCP 2B/0E: object 2 is the revision; its bytes are those of the text.
    let digits: String = "<b>2.60</b>".bytes().map(|byte| format!("{byte:02x}")).collect();
    let fact = one["facts"].as_array().expect("facts").iter().find(|fact| fact["path"] == "modbus.object.2").expect("object 2");
    let message = usize::try_from(fact["message"].as_u64().expect("a message")).expect("small");
    let offset = usize::try_from(fact["offset"].as_u64().expect("an offset")).expect("small");
    let bytes = one["messages"][message]["hex"].as_str().expect("bytes");
    assert_eq!((fact["hex"].as_str(), bytes.get(offset * 2..offset * 2 + digits.len())), (Some(digits.as_str()), Some(digits.as_str())));
    let claim = one["claims"].as_array().expect("claims").iter().find(|one| one["field"] == "firmware_revision").expect("a revision");
    assert_eq!((&claim["value"], &claim["rule"]), (&json!("<b>2.60</b>"), &json!("modbus.object.2")));
    let words = get(&format!("/devices/{id}/claims")).expect(200).json();
    let word = words["claims"].as_array().expect("claims").iter().find(|one| one["field"] == "firmware_revision").expect("a revision");
    assert_eq!((&word["stands"], &word["value"], &word["entry"]), (&json!(true), &json!("<b>2.60</b>"), &line["entry"]), "{word}");
    // Page by page, and by time.
    let (mut after, mut count) = (String::new(), 0);
    loop {
        let page = get(&format!("/observations?limit=1{after}")).expect(200).json();
        count += page["observations"].as_array().map_or(0, Vec::len);
        let Some(next) = page["next"].as_u64() else { break };
        after = format!("&after={next}");
    }
    assert_eq!(Some(count), all["observations"].as_array().map(Vec::len));
    assert_eq!(get("/observations?until=1971-01-01").expect(200).json()["observations"], json!([]));
    assert_eq!(get("/observations?since=1971-01-01").expect(200).json()["observations"], all["observations"]);
    for (path, status) in [
        ("/observations?since=soon", 400),
        ("/observations?limit=0", 400),
        ("/observations?after=-1", 400),
        ("/observations?device=x", 400),
        ("/observations?asset=a-nobody", 404),
        ("/observations/0", 404),
        ("/observations/99999999", 404),
        ("/observations/x", 400),
        ("/devices/a-nobody/claims", 404),
    ] {
        assert_eq!(get(path).status, status, "{path}");
    }
    let page = plant.gate.get(&viewer, &format!("/observations/{}", line["entry"])).expect(200).body;
    assert!(page.contains("&lt;b&gt;2.60&lt;/b&gt;") && !page.contains("<b>2.60"), "{page}");
    let device = plant.gate.get(&viewer, &format!("/devices/{id}")).expect(200).body;
    assert!(device.contains(&format!("href=\"/observations/{}\"", line["entry"])), "{device}");
}

#[test]
fn a_bundle_that_was_downloaded_is_one_that_an_auditor_verifies() {
    let test = "a_bundle_that_was_downloaded_is_one_that_an_auditor_verifies";
    let Some(product) = needed(test, Product::find()) else { return };
    let plant = heard(&product, "2.60");
    let (auditor, engineer) = (plant.session("auditor"), plant.session("engineer"));
    let id = id_of(&plant, &auditor);
    let order = json!({
        "order": "WO 7/1", "scope": [id], "expected": ["*:self.firmware_revision=2.60->2.70"], "until": "2100-01-01T00:00:00Z",
    });
    let _ = plant.gate.json("POST", &engineer, "/api/v1/changes", &order).expect(201);
    let fingerprint = plant.gate.get(&auditor, "/api/v1/ledger/checkpoint").expect(200).json()["fingerprint"].clone();
    let fingerprint = fingerprint.as_str().expect("a fingerprint");
    let post = |path: &str| plant.gate.json("POST", &auditor, path, &json!({}));
    let verified = |bundle: &Answered, subject: &str| {
        let file = plant.folder.file("bundle.json", &bundle.body);
        let told = product.run(["evidence", "verify", &file, "--key", fingerprint]).expect(code::DONE);
        assert!(told.out.contains(subject), "{subject}: {}", told.out);
    };
    let before = plant.entries();
    let device = post(&format!("/api/v1/devices/{id}/evidence")).expect(200);
    verified(&device, &id);
    assert_eq!(device.header("content-disposition"), Some(format!("attachment; filename=\"{id}.evidence.json\"").as_str()));
    let change = post("/api/v1/changes/WO%207%2F1/evidence").expect(200);
    verified(&change, "WO 7/1");
    assert_eq!(change.header("content-disposition"), Some("attachment; filename=\"WO-7-1.evidence.json\""));
    // The page's buttons give the same.
    verified(&plant.gate.form(&auditor, &format!("/devices/{id}/evidence"), &[]).expect(200), &id);
    verified(&plant.gate.form(&auditor, "/changes/WO%207%2F1/evidence", &[]).expect(200), "WO 7/1");
    // Each bundle leaves two entries: who took it, and what is in it.
    assert_eq!(plant.entries(), before + 8);
    let told = plant.gate.get(&auditor, "/api/v1/ledger/entries?limit=1000").expect(200).body;
    assert!(told.contains("auditor: takes a bundle of evidence about work order WO 7/1"), "{told}");
    for path in ["/api/v1/devices/a-nobody/evidence", "/api/v1/changes/WO-8/evidence"] {
        assert_eq!(post(path).status, 404, "{path}");
    }
    assert_eq!(plant.entries(), before + 8, "what is refused leaves no entry");
}

#[test]
fn files_for_it_are_taken_from_a_gateway_that_runs() {
    let test = "files_for_it_are_taken_from_a_gateway_that_runs";
    let Some(product) = needed(test, Product::find()) else { return };
    let plant = heard(&product, "2.60");
    let (auditor, viewer) = (plant.session("auditor"), plant.session("viewer"));
    let fingerprint = plant.gate.get(&auditor, "/api/v1/ledger/checkpoint").expect(200).json()["fingerprint"].clone();
    let before = plant.entries();
    let post = |asker: &Asker| plant.gate.json("POST", asker, "/api/v1/handovers", &json!({}));
    assert_eq!(post(&viewer).status, 403);
    assert_eq!(plant.entries(), before, "what is refused leaves no entry");
    let zip = post(&auditor).expect(200);
    assert_eq!(zip.header("content-type"), Some("application/zip"));
    let name = zip.header("content-disposition").and_then(|head| head.split('"').nth(1)?.strip_suffix(".zip")).expect("a name").to_owned();
    let to = plant.folder.path().join("taken");
    let file = plant.folder.file("handover.zip", &zip.bytes);
    let status = Command::new("python3").args(["-m", "zipfile", "-e", &file]).arg(&to).status().expect("python3");
    assert!(status.success());
    let folder = to.join(name).display().to_string();
    let told = product.run(["handover", "verify", &folder, "--key", fingerprint.as_str().expect("a fingerprint")]).expect(code::DONE);
    assert!(told.out.contains("files: 5, each as the ledger lists it"), "no advisory, and no findings: {}", told.out);
    let bom = std::fs::read_to_string(format!("{folder}/devices.cdx.json")).expect("a bill of materials");
    assert!(bom.contains("\"2.60\"") && bom.contains(&id_of(&plant, &auditor)), "{bom}");
    let told = plant.gate.get(&auditor, "/api/v1/ledger/entries?limit=1000").expect(200).body;
    assert!(told.contains("auditor: takes the hand-over nameplate-"), "{told}");
    assert_eq!(plant.entries(), before + 2, "who took it, and what is in it");
}
