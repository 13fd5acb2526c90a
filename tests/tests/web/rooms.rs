//! Findings, advisories, baselines and news, by API and on pages: what they say, who may take which step, and what is refused.

use nameplate_tests::place::needed;
use nameplate_tests::product::{Product, code};
use nameplate_tests::web::{Answered, Asker};
use serde_json::{Value, json};
use sha2::Digest;

use super::Plant;

/// Releases before 1.3 of the first model are affected, those behind are fixed; of the second nobody knows more than that it has the part.
fn document() -> Value {
    let release = |category: &str, name: &str, id: &str| json!({"category": category, "name": name, "product": {"product_id": id, "name": format!("Acme {id}")}});
    json!({
        "document": {
            "category": "csaf_security_advisory", "csaf_version": "2.0", "title": "<script>alert(1)</script> in meters",
            "publisher": {"category": "vendor", "name": "Acme PSIRT", "namespace": "https://psirt.example"},
            "tracking": {"id": "ACME-1", "status": "final", "version": "1",
                "initial_release_date": "2026-02-01T10:00:00Z", "current_release_date": "2026-03-01T10:00:00Z",
                "revision_history": [{"date": "2026-02-01T10:00:00Z", "number": "1", "summary": "first"}]},
        },
        "product_tree": {"branches": [{"category": "vendor", "name": "Acme", "branches": [
            {"category": "product_name", "name": "M-1", "branches": [
                release("product_version_range", "vers:generic/<1.3", "P-1"),
                release("product_version", "1.3", "P-2"),
            ]},
        ]}]},
        "vulnerabilities": [
            {"cve": "CVE-2026-10001", "title": "a hole", "product_status": {"known_affected": ["P-1"], "fixed": ["P-2"]},
             "scores": [{"products": ["P-1"], "cvss_v3": {"version": "3.1", "baseScore": 9.8, "baseSeverity": "CRITICAL",
                         "vectorString": "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H"}}],
             "remediations": [{"category": "vendor_fix", "details": "Update to 1.3 or later", "product_ids": ["P-1"],
                               "url": "javascript:alert(1)"}]},
            {"cve": "CVE-2026-10002", "title": "another", "product_status": {"known_affected": ["P-1"]}},
        ],
    })
}

/// A plant with that document.
pub fn advised(product: &Product) -> Plant {
    Plant::with(product, |folder, state| {
        let file = folder.file("acme.json", document().to_string());
        product.run(["import", "advisories", &file, "--state", state]).expect(code::DONE);
    })
}

fn texts<'v>(all: &'v Value, name: &str) -> Vec<&'v str> {
    all.as_array().expect("a list").iter().filter_map(|one| one[name].as_str()).collect()
}

/// Everything behind `path`, some lines an answer, by `next`.
fn all(plant: &Plant, asker: &Asker, path: &str, name: &str) -> Vec<Value> {
    let (mut lines, mut after) = (Vec::new(), String::new());
    loop {
        let sign = if path.contains('?') { '&' } else { '?' };
        let answer = plant.gate.get(asker, &format!("{path}{sign}limit=1{after}")).expect(200).json();
        lines.extend(answer[name].as_array().expect("a list").clone());
        match answer["next"].as_str() {
            Some(next) => after = format!("&after={next}"),
            None => return lines,
        }
    }
}

#[test]
fn findings_are_told_by_threat_by_document_and_by_device_each_with_its_proof() {
    let test = "findings_are_told_by_threat_by_document_and_by_device_each_with_its_proof";
    let Some(product) = needed(test, Product::find()) else { return };
    let plant = advised(&product);
    let viewer = plant.session("viewer");
    let get = |path: &str| plant.gate.get(&viewer, path);
    // By threat, the worst first.
    let threats = get("/api/v1/threats").expect(200).json();
    assert_eq!(texts(&threats["threats"], "cve"), ["CVE-2026-10001", "CVE-2026-10002"]);
    let first = &threats["threats"][0];
    assert_eq!((first["findings"]["affected"].clone(), first["findings"]["not_affected"].clone()), (json!(1), json!(1)), "{first}");
    assert_eq!((first["offers_fix"].clone(), first["devices"].as_array().map(Vec::len)), (json!(true), Some(1)), "{first}");
    let device = first["devices"][0].as_str().expect("an id").to_owned();
    assert_eq!(all(&plant, &viewer, "/api/v1/threats", "threats"), *threats["threats"].as_array().expect("a list"));
    // One of them.
    let one = get("/api/v1/threats/cve-2026-10001").expect(200).json();
    assert_eq!(one["documents"][0]["remediations"][0]["details"], "Update to 1.3 or later");
    // Findings, some at a time, are all of them, each once.
    let whole = get("/api/v1/findings").expect(200).json();
    assert_eq!(all(&plant, &viewer, "/api/v1/findings", "findings"), *whole["findings"].as_array().expect("a list"));
    let whole = get("/api/v1/conformance").expect(200).json();
    assert_eq!(all(&plant, &viewer, "/api/v1/conformance", "parts"), *whole["parts"].as_array().expect("a list"));
    // By document.
    let advisories = get("/api/v1/advisories?touching=true").expect(200).json();
    assert_eq!((texts(&advisories["advisories"], "id"), advisories["matched"].clone()), (vec!["ACME-1"], json!(1)));
    let one = get("/api/v1/advisories/ACME-1?publisher=Acme%20PSIRT").expect(200).json();
    assert_eq!(texts(&one["vulnerabilities"], "cve"), ["CVE-2026-10001", "CVE-2026-10002"]);
    let stands = one["vulnerabilities"][0]["stands"].as_array().expect("a list");
    assert!(stands.contains(&json!({"said": "known_affected", "products": [0]})), "{one}");
    // With its proof.
    let proof = get(&format!("/api/v1/devices/{device}/findings/CVE-2026-10001")).expect(200).json();
    let finding = &proof["findings"][0];
    assert_eq!(
        (finding["finding"]["verdict"].clone(), finding["products"][0]["release"].clone()),
        (json!("affected"), json!("vers:generic/<1.3"))
    );
    assert!(
        finding["products"].as_array().expect("products").iter().any(|one| one["decides"] == true && one["answer"] == "inside"),
        "{finding}"
    );
    let field = get(&format!("/api/v1/devices/{device}/fields/firmware_revision")).expect(200).json();
    assert_eq!(
        (field["parts"][0]["value"].clone(), field["parts"][0]["said"]["how"].clone()),
        (json!("1.2"), json!("imported")),
        "{field}"
    );
    // Pages say the same, and no word of the document is more than text.
    for (path, words) in [
        ("/findings", &["CVE-2026-10001", "1 affected, 1 not affected"][..]),
        ("/findings?by=device", &["P-1", "2 affected"]),
        ("/findings?band=critical", &["critical"]),
        ("/findings/CVE-2026-10001", &["Update to 1.3 or later", "inside", "ACME-1"]),
        ("/advisories", &["ACME-1", "&lt;script&gt;alert(1)"]),
        ("/advisories?words=nothing", &["None."]),
        ("/advisories/ACME-1", &["&lt;script&gt;alert(1)", "a hole", "P-1"]),
        (&format!("/devices/{device}/fields/firmware_revision"), &["firmware_revision of self = 1.2", "plant.csv row"]),
        (&format!("/devices/{device}"), &["CVE-2026-10001", "What its firmware revision rests on"]),
    ] {
        let page = get(path).expect(200).body;
        assert!(words.iter().all(|word| page.contains(word)), "{path}: {words:?} in {page}");
        assert!(!page.contains("<script>alert") && !page.contains("href=\"javascript"), "{path}: {page}");
    }
    for (path, status) in [
        ("/api/v1/threats/CVE-1999-0001", 404),
        ("/api/v1/threats?after=zz", 404),
        ("/api/v1/threats?limit=0", 400),
        ("/api/v1/advisories/ACME-2", 404),
        ("/api/v1/advisories?touching=perhaps", 400),
        ("/api/v1/findings?after=100", 404),
        (&format!("/api/v1/devices/{device}/findings/CVE-1999-0001"), 404),
        (&format!("/api/v1/devices/{device}/fields/colour"), 404),
        ("/api/v1/devices/a-nobody/fields/model", 404),
        ("/findings/CVE-1999-0001", 404),
        ("/advisories/ACME-2", 404),
    ] {
        assert_eq!(get(path).status, status, "{path}");
    }
}

/// Somebody with this role sends this.
fn sends(plant: &Plant, role: &str, path: &str, body: &Value) -> Answered {
    plant.gate.json("POST", &plant.session(role), &format!("/api/v1{path}"), body)
}

/// The approval of a release of the first model.
fn release(release: &str) -> Value {
    json!({"decision": "approved", "manufacturer": "Acme", "model": "M-1", "release": release, "reason": "tested, WO-17"})
}

fn entry(answered: &Answered) -> u64 {
    answered.json()["entry"].as_u64().expect("an entry")
}

#[test]
fn what_is_no_decision_is_refused_with_what_is_wrong() {
    let Some(product) = needed("what_is_no_decision_is_refused_with_what_is_wrong", Product::find()) else { return };
    let plant = advised(&product);
    let before = plant.entries();
    for (role, path, body, status, words) in [
        ("viewer", "/proposals", release("1.3"), 403, "record"),
        ("approver", "/proposals", release("1.3"), 403, "record"),
        ("engineer", "/decisions", release("1.3"), 403, "approve"),
        ("engineer", "/proposals", json!({"manufacturer": "Acme", "model": "M-1", "reason": "x"}), 400, "which release"),
        ("engineer", "/proposals", json!({"release": "1.3", "reason": "x"}), 400, "which product"),
        (
            "engineer",
            "/proposals",
            json!({"manufacturer": "Acme", "model": "M-1", "release": "1", "range": "< 2", "reason": "x"}),
            400,
            "not on both",
        ),
        (
            "engineer",
            "/proposals",
            json!({"manufacturer": "Acme", "model": "M-1", "release": "1", "vendor": true, "reason": "x"}),
            400,
            "document",
        ),
        (
            "engineer",
            "/proposals",
            json!({"manufacturer": "Acme", "model": "M-1", "release": "1", "until": "soon", "reason": "x"}),
            400,
            "soon",
        ),
        (
            "engineer",
            "/proposals",
            json!({"manufacturer": "Acme", "model": "M-1", "release": "1", "assets": ["a-nobody"], "reason": "x"}),
            400,
            "a-nobody",
        ),
        ("engineer", "/proposals", json!({"profile": "no/such", "release": "1", "reason": "x"}), 400, "no/such"),
        (
            "engineer",
            "/proposals",
            json!({"manufacturer": "Acme", "model": "M-1", "release": "1", "reason": "x", "by": "Grace"}),
            422,
            "by",
        ),
        ("approver", "/decisions", release("1.3"), 409, "proposed by one person and accepted by another"),
        ("approver", "/proposals/7000/accept", json!({}), 404, "no proposal"),
        (
            "approver",
            "/exemptions",
            json!({"kind": "defer", "until": "2001-01-01", "reason": "x", "finding": "CVE-1"}),
            400,
            "over already",
        ),
        ("approver", "/exemptions", json!({"kind": "defer", "until": "2101-01-01", "reason": "x"}), 400, "name an asset"),
        ("approver", "/exemptions", json!({"kind": "forget", "until": "2101-01-01", "reason": "x", "finding": "CVE-1"}), 422, "forget"),
    ] {
        let answered = sends(&plant, role, path, &body);
        assert_eq!(answered.status, status, "{role} {path} {body}: {answered:?}");
        let detail = answered.json()["detail"].as_str().unwrap_or_default().to_owned();
        assert!(detail.contains(words) && !detail.contains("--"), "{role} {path} {body}: {detail:?}");
    }
    assert_eq!(plant.entries(), before, "what is refused leaves no entry");
}

#[test]
fn an_approval_takes_two_persons_and_each_step_its_right() {
    let Some(product) = needed("an_approval_takes_two_persons_and_each_step_its_right", Product::find()) else { return };
    let plant = advised(&product);
    let send = |role: &str, path: &str, body: &Value| sends(&plant, role, path, body);
    // One proposes, another accepts.
    let proposal = entry(&send("engineer", "/proposals", &release("1.3")).expect(201));
    let list = |query: &str| plant.gate.get(&plant.session("viewer"), &format!("/api/v1/baselines{query}")).expect(200).json();
    assert_eq!(list("?in_force=true")["decisions"], json!([]));
    assert_eq!(texts(&list("")["decisions"], "force"), ["proposed, waits for another person"]);
    let accept = |role: &str| send(role, &format!("/proposals/{proposal}/accept"), &json!({}));
    let _ = accept("engineer").expect(403);
    let decided = entry(&accept("approver").expect(200));
    assert_eq!(accept("approver").expect(409).json()["detail"], json!(format!("the proposal was accepted by entry {decided}")));
    let line = list("?in_force=true")["decisions"][0].clone();
    assert_eq!(
        (line["by"].clone(), line["second"].clone(), line["proposal"].clone()),
        (json!("engineer"), json!("approver"), json!(proposal))
    );
    let one = plant.gate.get(&plant.session("viewer"), &format!("/api/v1/baselines/{decided}")).expect(200).json();
    assert_eq!((one["devices"].as_array().map(Vec::len), one["other_entry"].clone()), (Some(2), json!(proposal)));
    let was = plant.gate.get(&plant.session("viewer"), &format!("/api/v1/baselines/{proposal}")).expect(200).json();
    assert_eq!(
        (was["decision"]["force"].clone(), was["other_entry"].clone()),
        (json!(format!("accepted by entry {decided}")), json!(decided))
    );
    // Another is given up, and waits no more.
    let given_up = entry(&send("engineer", "/proposals", &release("1.4")).expect(201));
    let _ = send("engineer", &format!("/proposals/{given_up}/withdraw"), &json!({"reason": "the vendor took it back"})).expect(200);
    let _ = send("approver", &format!("/proposals/{given_up}/accept"), &json!({})).expect(409);
    what_is_decided_by_one_stands_under_his_name(&plant);
}

fn what_is_decided_by_one_stands_under_his_name(plant: &Plant) {
    let send = |role: &str, path: &str, body: &Value| sends(plant, role, path, body);
    // A release is disapproved by one; what is left as it is says who answers for it.
    let disapproved =
        json!({"decision": "disapproved", "manufacturer": "Acme", "model": "M-1", "release": "1.2", "reason": "loses its clock"});
    let _ = send("approver", "/decisions", &disapproved).expect(201);
    let conformance = plant.gate.get(&plant.session("viewer"), "/api/v1/conformance").expect(200).json();
    let stands: Vec<&str> = texts(&conformance["parts"], "conformance");
    assert!(stands.contains(&"disapproved") && stands.contains(&"conforms"), "{conformance}");
    let left = json!({"kind": "defer", "finding": "CVE-2026-10001", "until": "2101-01-01", "reason": "no outage before"});
    let _ = send("approver", "/exemptions", &left).expect(201);
    let exemptions = plant.gate.get(&plant.session("viewer"), "/api/v1/exemptions?in_force=true").expect(200).json();
    assert_eq!((texts(&exemptions["exemptions"], "by"), texts(&exemptions["exemptions"], "kind")), (vec!["approver"], vec!["deferred"]));
    let threat = plant.gate.get(&plant.session("viewer"), "/api/v1/threats/CVE-2026-10001").expect(200).json();
    assert_eq!(threat["threat"]["findings"]["left"], json!(1));
}

#[test]
fn on_the_page_who_proposed_is_not_who_accepts() {
    let Some(product) = needed("on_the_page_who_proposed_is_not_who_accepts", Product::find()) else { return };
    let plant = advised(&product);
    let form = |role: &str, path: &str, fields: &[(&str, &str)]| plant.gate.form(&plant.session(role), path, fields);
    let wanted = [
        ("decision", "approved"),
        ("manufacturer", "Acme"),
        ("model", "M-1"),
        ("release", "1.3"),
        ("reason", "tested"),
        ("until", ""),
        ("range", ""),
    ];
    let propose: Vec<(&str, &str)> = [("act", "propose")].into_iter().chain(wanted).collect();
    for role in ["viewer", "approver", "auditor", "administrator"] {
        assert_eq!(form(role, "/baselines", &propose).status, 403, "{role}");
    }
    let proposed = form("engineer", "/baselines", &propose).expect(303);
    let path = proposed.header("location").expect("a page").to_owned();
    let page = plant.gate.get(&plant.session("engineer"), &path).expect(200).body;
    assert!(page.contains("You proposed it") && !page.contains("Accept it"), "{page}");
    let page = plant.gate.get(&plant.session("approver"), &path).expect(200).body;
    assert!(page.contains("Accept it") && !page.contains("Give it up"), "{page}");
    assert_eq!(form("engineer", &path, &[("act", "accept")]).status, 403);
    assert_eq!(form("approver", &path, &[("act", "forget")]).status, 400);
    let accepted = form("approver", &path, &[("act", "accept"), ("reason", "")]).expect(303);
    let page = plant.gate.get(&plant.session("viewer"), accepted.header("location").expect("a page")).expect(200).body;
    assert!(page.contains("in force") && page.contains("P-2"), "{page}");
    let page = plant.gate.get(&plant.session("viewer"), "/baselines").expect(200).body;
    assert!(page.contains("tested") && page.contains("1 conforms") && !page.contains("name=\"act\""), "{page}");
}

#[test]
fn the_map_says_whose_word_a_zone_is_and_the_settings_tell_no_secret() {
    let Some(product) = needed("the_map_says_whose_word_a_zone_is_and_the_settings_tell_no_secret", Product::find()) else { return };
    let plant = advised(&product);
    let get = |role: &str, path: &str| plant.gate.get(&plant.session(role), path);
    let map = get("viewer", "/api/v1/map").expect(200).json();
    let mut zones: Vec<(&str, &str)> = map["devices"]
        .as_array()
        .expect("devices")
        .iter()
        .map(|one| (one["zone"].as_str().unwrap_or(""), one["zone_by"].as_str().unwrap_or("")))
        .collect();
    zones.sort_unstable();
    assert_eq!(zones, [("North", "owner"), ("North", "owner"), ("South", "owner")]);
    assert_eq!((map["links"].clone(), map["left_out"].clone()), (json!([]), json!(0)), "no link is made up");
    let page = get("viewer", "/map").expect(200).body;
    assert!(page.contains("<svg class=\"map\" role=\"img\"") && page.contains(">North</text>"), "{page}");
    assert!(page.contains("href=\"/devices?filter=zone%3DNorth\""), "{page}");
    // They were never heard, so they are not silent.
    assert_eq!(get("viewer", "/api/v1/silent?days=0").expect(200).json()["matched"], json!(0));
    assert_eq!(get("viewer", "/api/v1/silent?days=36601").status, 400);
    // The program is an asset of its own.
    let program = get("viewer", "/api/v1/program").expect(200).json();
    let bytes = std::fs::read(product.command([""; 0]).get_program()).expect("the program");
    assert_eq!(program["sha256"], json!(nameplate_core::observation::hex(&sha2::Sha256::digest(&bytes))));
    assert_eq!(program["firmware_revision"], json!(product.run(["--version"]).out.trim().trim_start_matches("nameplate ")));
    let bill = get("viewer", "/api/v1/program/sbom").status;
    assert_eq!(bill, if program["has_sbom"] == json!(true) { 200 } else { 404 });
    // How it is set up.
    for role in ["viewer", "engineer", "approver"] {
        assert_eq!((get(role, "/api/v1/settings").status, get(role, "/settings").status), (403, 403), "{role}");
    }
    let settings = get("auditor", "/api/v1/settings").expect(200).json();
    let holds = |key: &str| {
        settings["configuration"].as_array().expect("keys").iter().find(|one| one["key"] == key).map(|one| one["holds"].clone())
    };
    assert_eq!((holds("page.tls"), holds("disk_free_min")), (Some(json!("false")), Some(json!("512 MB or 5%"))), "{settings}");
    assert_eq!(settings["checkpoint"]["size"], json!(plant.entries()));
    let whats = texts(&settings["seen"], "what");
    assert!(["desk's directory", "ledger", "clock", "disk"].iter().all(|what| whats.contains(what)), "{settings}");
    let page = get("administrator", "/settings").expect(200).body;
    assert!(page.contains("512 MB or 5%") && page.contains(program["sha256"].as_str().expect("digits")), "{page}");
    let state = plant.folder.path().join("desk");
    for secret in ["site.key", "secrets.json"] {
        let text = std::fs::read_to_string(state.join(secret)).expect(secret);
        let words: Vec<&str> = text.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| word.len() >= 40).collect();
        assert!(!words.is_empty() && words.iter().all(|word| !page.contains(word) && !settings.to_string().contains(word)), "{secret}");
    }
}
