//! Files that people send: taken in as `nameplate import` takes them, compared as `nameplate compare` does, and gone from the disk behind the answer.

use std::process::Command;

use nameplate_tests::place::needed;
use nameplate_tests::product::{Product, State, code};
use nameplate_tests::web::Asker;
use serde_json::{Value, json};

use super::{Plant, SHEET};

/// A new device, one that is known, and a row that is none.
const MORE: &str = "tag,ip,model,firmware\nP-9,10.0.0.9,M-9,3.0\nP-1,10.0.0.1,M-1,1.2\nbroken,10.0.0.300,M-1,1\n";
/// What is exploited.
const KEV: &str = "cveID,dateAdded,knownRansomwareCampaignUse\nCVE-2022-38465,2023-01-02,Known\n";
/// Two decisions, one of them the vendor's own word.
const DECISIONS: &str = "decision,track,manufacturer,model,release,reason,document\napproved,,Acme,M-1,1.3,tested,\n\
                         approved,vendor,Acme,M-1,1.4,from the list,\"List 7, page 2\"\n";
/// Bytes that are more than any file may have: one of them is enough.
const TOO_LONG_BYTES: u64 = (64 << 20) + 1;

fn document(id: &str) -> String {
    format!(
        r#"{{"document":{{"csaf_version":"2.0","title":"T","publisher":{{"name":"V"}},"tracking":{{"id":"{id}","version":"1"}}}},
        "product_tree":{{}},"vulnerabilities":[{{"cve":"CVE-2022-38465"}}]}}"#
    )
}

/// Files that stand where uploads do.
fn incoming(plant: &Plant) -> usize {
    std::fs::read_dir(plant.folder.path().join("desk/incoming")).map_or(0, Iterator::count)
}

#[test]
fn files_are_taken_in_row_by_row_and_leave_nothing_behind() {
    let test = "files_are_taken_in_row_by_row_and_leave_nothing_behind";
    let Some(product) = needed(test, Product::find()) else { return };
    let mut plant = Plant::new(&product);
    let engineer = plant.session("engineer");
    let post = |path: &str, content: &str| plant.gate.file(&engineer, &format!("/api/v1/imports{path}"), content);
    let before = plant.entries();
    let taken = post("/devices?name=../../more.csv", MORE).expect(200).json();
    assert_eq!((&taken["file"], &taken["rows"], &taken["left_out"]), (&json!("more.csv"), &json!(2), &json!(1)), "{taken}");
    assert_eq!((&taken["left_out_rows"][0]["line"], &taken["left_out_rows"][0]["column"]), (&json!(4), &json!("ip")), "{taken}");
    // The SHA-256 of what was sent, by another program: sha256sum.
    assert_eq!(taken["sha256"], SHA256_OF_MORE, "{taken}");
    assert_eq!(plant.entries(), before + 2, "who took it, and what");
    let first = post("/advisories?name=a.json", &document("A")).expect(200).json();
    assert_eq!((&first["documents"][0]["taken"], first["entry"].is_u64()), (&json!("new"), true), "{first}");
    let again = post("/advisories?name=a.json", &document("A")).expect(200).json();
    assert_eq!((&again["documents"][0]["taken"], again.get("entry")), (&json!("unchanged"), None), "{again}");
    let list = post("/advisories?name=kev.csv&list=kev", KEV).expect(200).json();
    assert!(list["summary"].as_str().is_some_and(|said| said.contains("kev.csv: taken")), "{list}");
    let refused = post("/advisories?name=b.json", "{\"document\":7}").expect(200).json();
    assert_eq!((&refused["documents"][0]["taken"], refused.get("entry")), (&json!("refused"), None), "{refused}");
    assert_eq!(post("/baseline?name=fleet.csv", DECISIONS).expect(200).json(), json!({ "decisions": 2 }));
    let after = plant.entries();
    for (path, content, status, why) in [
        ("/devices?name=x.csv", "nothing\n", 400, "nothing of the sheet was used"),
        ("/devices?name=x.csv&worksheet=One", SHEET, 400, "only XLSX has worksheets"),
        ("/devices?name=x.xlsx", "PK\u{3}\u{4}and no zip", 400, "x.xlsx"),
        ("/devices?name=", SHEET, 400, "a file's name has"),
        ("/devices?name=a%0Ab.csv", SHEET, 400, "a file's name has"),
        ("/devices", SHEET, 400, "name is missing"),
        ("/devices?url=http://127.0.0.1/", SHEET, 400, "there is no parameter"),
        ("/advisories?name=kev.csv&list=kev", "nothing", 400, "nothing was taken"),
        ("/advisories?name=a.json&list=lottery", KEV, 400, "kev, ssvc and epss"),
        ("/baseline?name=fleet.txt", DECISIONS, 400, "ends in none of"),
        ("/baseline?name=fleet.csv", "decision\nmaybe\n", 400, "nothing of the file was taken"),
        ("/baseline?name=fleet.csv&as_approved_by=Grace", DECISIONS, 400, "there is no parameter"),
    ] {
        let answered = post(path, content).expect(status).json();
        let detail = answered["detail"].as_str().unwrap_or_default();
        assert!(detail.contains(why) && !detail.contains("incoming"), "{path}: {detail}");
    }
    // Longer than allowed is refused before it is there.
    let head = format!(
        "POST /api/v1/imports/devices?name=x.csv HTTP/1.1\r\nHost: {}\r\nConnection: close\r\nCookie: {}\r\nOrigin: {}\r\nContent-Length: {TOO_LONG_BYTES}\r\n\r\n",
        plant.gate.at,
        engineer.cookie.as_deref().unwrap_or_default(),
        plant.gate.origin(),
    );
    let long = [head.as_bytes(), &vec![b'a'; usize::try_from(TOO_LONG_BYTES).expect("64 bits")]].concat();
    assert_eq!(plant.gate.raw(&long).status, 413);
    assert_eq!((plant.entries(), incoming(&plant)), (after, 0), "what is refused leaves nothing");
    // Who may only approve accepts what another proposed: nobody proposed in his name.
    let told = plant.gate.get(&plant.session("auditor"), "/api/v1/ledger/entries?limit=1000").expect(200).body;
    for words in [
        "engineer: takes in the sheet more.csv",
        "engineer: takes in advisories from a.json",
        "engineer: takes in decisions from fleet.csv",
    ] {
        assert!(told.contains(words), "{words}: {told}");
    }
    plant.desk.ends(0);
    let state = plant.folder.path().join("desk").to_string_lossy().into_owned();
    product.run(["ledger", "verify", "--state", &state]).expect(code::DONE);
    let listed = product.run(["baseline", "list", "--format", "ndjson", "--state", &state]).expect(code::DONE).lines();
    let force: Vec<&str> = listed.iter().filter_map(|line| line["force"].as_str()).collect();
    assert_eq!(force, ["proposed, waits for another person", "in force"]);
}

/// `printf` of [`MORE`] through sha256sum.
const SHA256_OF_MORE: &str = "cb7629b2dac686ad5f73834ea655c828da4092874a5aa2528fc90701dd5509c0";

#[test]
fn a_sheet_is_compared_as_the_command_does_and_nothing_is_kept() {
    let test = "a_sheet_is_compared_as_the_command_does_and_nothing_is_kept";
    let Some(product) = needed(test, Product::find()) else { return };
    let plant = Plant::new(&product);
    let viewer = plant.session("viewer");
    let before = plant.entries();
    let sheet = SHEET.replace("1.3,S-2", "1.4,S-2").replace("P-1,", "<b>P-1</b>,")
        + "P-8,10.9.9.9,Acme,M-1,1.0,S-8,North\nbroken,10.0.0.300,,,,,\n";
    let compared = plant.gate.file(&viewer, "/api/v1/compare?name=plant.csv", &sheet).expect(200).json();
    let (file, state) = (plant.folder.file("plant.csv", &sheet), plant.folder.path().join("desk").to_string_lossy().into_owned());
    let command = product.run(["compare", &file, "--format", "ndjson", "--state", &state]);
    let lines: Vec<Value> = command.lines();
    assert_eq!(compared["rows"].as_array(), Some(&lines), "{}", command.err);
    let outcomes: Vec<&str> = lines.iter().filter_map(|line| line["outcome"].as_str()).collect();
    assert_eq!(outcomes, ["match", "differs", "match", "not-seen"]);
    assert_eq!((&compared["left_out"], &compared["left_out_rows"][0]["column"]), (&json!(1), &json!("ip")), "{compared}");
    // A form of the page, whose file is cut out of it.
    let page = plant.gate.upload(&viewer, "/devices/compare", ("plant.csv", &sheet), &[("worksheet", "")]).expect(200).body;
    assert!(page.contains("&lt;b&gt;P-1&lt;/b&gt;") && !page.contains("<b>P-1"), "{page}");
    assert!(page.contains("plant.csv and the catalog"), "{page}");
    assert_eq!(plant.gate.upload(&viewer, "/devices/compare", ("", ""), &[]).status, 400);
    assert_eq!(plant.gate.form(&viewer, "/devices/compare", &[("sheet", "x")]).status, 415);
    assert_eq!(plant.gate.upload(&viewer, "/imports/devices", ("plant.csv", SHEET), &[]).status, 403);
    assert_eq!((plant.entries(), incoming(&plant)), (before, 0), "nothing is kept");
    let taken = plant.gate.upload(&plant.session("engineer"), "/imports/devices", ("plant.csv", &sheet), &[]).expect(200).body;
    assert!(taken.contains("4 rows taken, 1 left out"), "{taken}");
    assert_eq!(plant.entries(), before + 2);
    assert_eq!(plant.gate.file(&Asker::nobody(), "/api/v1/compare?name=plant.csv", SHEET).status, 401);
}

/// GnuPG with keys of its own: RSA, which is what publishers of CSAF sign with.
fn signed(plant: &Plant) -> Result<[String; 2], String> {
    let home = plant.folder.path().join("gnupg");
    std::fs::create_dir(&home).map_err(|e| e.to_string())?;
    let gpg = |words: &[&str]| {
        let words = ["--batch", "--quiet", "--passphrase", "", "--pinentry-mode", "loopback"].iter().chain(words);
        let output = Command::new("gpg").env("GNUPGHOME", &home).args(words).output().map_err(|e| format!("gpg: {e}"))?;
        let said = String::from_utf8_lossy(&output.stderr);
        if output.status.success() { Ok(String::from_utf8_lossy(&output.stdout).into_owned()) } else { Err(format!("gpg: {said}")) }
    };
    let key =
        gpg(&["--quick-generate-key", "psirt@example.org", "rsa2048", "sign", "never"]).and_then(|_| gpg(&["--armor", "--export"]))?;
    let file = plant.folder.file("b.json", document("B"));
    let signature = gpg(&["--armor", "--output", "-", "--detach-sign", &file])?;
    let _ = Command::new("gpgconf").env("GNUPGHOME", &home).args(["--kill", "gpg-agent"]).status();
    Ok([key, signature])
}

#[test]
fn documents_are_held_against_their_publishers_openpgp_key() {
    let test = "documents_are_held_against_their_publishers_openpgp_key";
    let Some(product) = needed(test, Product::find()) else { return };
    let folder = State::new();
    let publishers = folder.path().join("publishers");
    let plant = Plant::in_folder(&product, folder, &format!("publishers = {publishers:?}\n"), |_, _| ());
    let Some([key, signature]) = needed(test, signed(&plant)) else { return };
    let engineer = plant.session("engineer");
    plant.folder.file("publishers/acme-psirt.asc", key);
    let zip = |document: String| {
        let name = ["zip/b.json", "zip/b.json.asc"];
        let files = [plant.folder.file(name[0], document), plant.folder.file(name[1], &signature)];
        let to = plant.folder.path().join("b.zip");
        let status = Command::new("python3").args(["-m", "zipfile", "-c"]).arg(&to).args(files).status().expect("python3");
        assert!(status.success());
        std::fs::read(to).expect("a zip file")
    };
    let post = |publisher: &str, content: Vec<u8>| {
        plant.gate.file(&engineer, &format!("/api/v1/imports/advisories?name=b.zip&publisher={publisher}"), content)
    };
    let taken = |content| {
        let taken = post("acme-psirt", content).expect(200).json();
        [&taken["documents"][0]["taken"], &taken["documents"][0]["why"]].map(|word| word.as_str().unwrap_or_default().to_owned())
    };
    let before = plant.entries();
    let [refused, why] = taken(zip(document("B").replace("1", "2")));
    assert_eq!(refused, "refused");
    assert!(why.contains("no signature of this document by the publisher's key"), "{why}");
    for (publisher, why) in [("acme", "acme.asc"), ("..%2Facme-psirt", "a publisher's name has"), ("", "a publisher's name has")] {
        let answered = post(publisher, zip(document("B"))).expect(400).json();
        assert!(answered["detail"].as_str().is_some_and(|detail| detail.contains(why)), "{answered}");
    }
    assert_eq!(plant.entries(), before);
    assert_eq!(taken(zip(document("B")))[0], "new");
    let fields = [("list", ""), ("trust", ""), ("publisher", "acme-psirt")];
    let page = plant.gate.upload(&engineer, "/imports/advisories", ("b.zip", &zip(document("C"))), &fields).expect(200).body;
    assert!(page.contains("no signature of this document"), "{page}");
}
