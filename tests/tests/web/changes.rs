//! The life of a change through the API alone: opened, read before, installed, read after, verified by a second person, closed; and devices that are left.

use nameplate_simulators::device::Running;
use nameplate_simulators::enip;
use nameplate_simulators::flash::Flash;
use nameplate_simulators::modbus::{Device, Persona};
use nameplate_tests::place::needed;
use nameplate_tests::process::Process;
use nameplate_tests::product::{Product, State, block_on, code};
use nameplate_tests::web::{Answered, Asker};
use serde_json::{Value, json};

use super::Plant;

/// A window that nobody lives to see the end of.
pub(super) const UNTIL: &str = "2100-01-01T00:00:00Z";

fn press(firmware: &str) -> Persona {
    let objects = [(0, "Acme"), (1, "P7"), (2, firmware)];
    Persona::from_objects(objects.map(|(id, text)| (id, text.as_bytes().to_vec())))
}

/// A gateway whose field side asks two devices.
pub(super) struct Site {
    pub(super) plant: Plant,
    _field: Process,
    pub(super) ids: Vec<String>,
}

impl Site {
    /// With devices at these ports, listed so.
    fn new(product: &Product, devices: &[(u16, String)]) -> Self {
        Self::in_folder(product, State::new(), devices, "")
    }

    /// With what else the configuration says.
    pub(super) fn in_folder(product: &Product, folder: State, devices: &[(u16, String)], more: &str) -> Self {
        let listed: String = devices.iter().map(|(_, listed)| format!("[[zone.device]]\n{listed}\n")).collect();
        let site = folder.file("site.toml", format!("name = \"North\"\n[[zone]]\nname = \"one\"\n{listed}"));
        let path = |name: &str| folder.path().join(name).to_string_lossy().into_owned();
        let (hatch, state) = (path("hatch"), path("field"));
        let words = ["field", "--site", &site, "--hatch", &hatch, "--state", &state, "--time-factor", "0.00001"];
        let mut field = Process::start(product.command(words));
        field.says("the hatch is");
        let plan = format!("[[plan]]\nname = \"identity\"\nevery = \"1day\"\ncatch_up = \"1s\"\n{more}");
        let mut plant = Plant::in_folder(product, folder, &plan, |_, _| ());
        let mut site = loop {
            let ids: Vec<String> = spoke(&plant).iter().filter_map(|one| one["id"].as_str().map(str::to_owned)).collect();
            if ids.len() == devices.len() {
                break Self { plant, _field: field, ids };
            }
            plant.desk.says("is over: ");
        };
        site.ids = devices.iter().map(|(port, _)| site.id_at(*port)).collect();
        site
    }

    fn id_at(&self, port: u16) -> String {
        let at = |one: &&Value| one["addresses"].as_array().is_some_and(|all| all.iter().any(|address| address["port"] == port));
        let devices = spoke(&self.plant);
        devices.iter().find(at).and_then(|one| one["id"].as_str()).expect("a device at that port").to_owned()
    }

    pub(super) fn post(&self, role: &str, path: &str, body: &Value) -> Answered {
        self.plant.gate.json("POST", &self.plant.session(role), &format!("/api/v1/changes{path}"), body)
    }

    /// Refused with this status, for this reason.
    fn refused(&self, role: &str, path: &str, body: &Value, (status, why): (u16, &str)) {
        let answered = self.post(role, path, body).expect(status);
        let detail = answered.json()["detail"].as_str().unwrap_or_default().to_owned();
        assert!(detail.contains(why), "{path}: {why:?}: {detail}");
    }

    /// Has a ring read, and waits until it was.
    pub(super) fn ask(&mut self, order: &str) {
        let asked = self.post("engineer", &format!("/{order}/rings/1/ask"), &json!({})).expect(202).json();
        assert_eq!(asked["unlisted"], json!([]), "{asked}");
        self.plant.desk.says(&format!("work order {order}: "));
        self.plant.desk.says("is over: 0 refused, 0 without a sound answer");
    }

    pub(super) fn change(&self, order: &str) -> Value {
        self.plant.gate.get(&self.plant.session("viewer"), &format!("/api/v1/changes/{order}")).expect(200).json()
    }
}

/// Devices that answered.
fn spoke(plant: &Plant) -> Vec<Value> {
    let devices = plant.gate.get(&plant.session("viewer"), "/api/v1/devices").expect(200).json();
    let answered = |one: &Value| one["addresses"].as_array().is_some_and(|all| all.iter().any(|address| address["ip"] == "127.0.0.1"));
    devices["devices"].as_array().expect("devices").iter().filter(|one| answered(one)).cloned().collect()
}

/// Runs the story beside two devices; the first gets another release when the story says so.
fn beside_two_presses(story: impl FnOnce(Site, &dyn Fn(&str)) + Send + 'static, product: Product) {
    block_on(async {
        let mut devices = Vec::new();
        for _ in 0..2 {
            devices.push(Device::new(press("2.60")).start(Device::ANYWHERE).await.expect("a port on loopback"));
        }
        let runtime = tokio::runtime::Handle::current();
        let told = move || {
            let target = |device: &Running| (device.address.port(), format!("target = \"{}/1\"", device.address));
            let site = Site::new(&product, &devices.iter().map(target).collect::<Vec<_>>());
            let flash = |release: &str| runtime.block_on(devices[0].flash(Flash { phases: Vec::new(), release: press(release) }));
            story(site, &flash);
        };
        tokio::task::spawn_blocking(told).await.expect("a story that ends well");
    });
}

#[test]
fn a_change_is_opened_read_verified_by_a_second_person_and_closed_through_the_api() {
    let test = "a_change_is_opened_read_verified_by_a_second_person_and_closed_through_the_api";
    let Some(product) = needed(test, Product::find()) else { return };
    let judge = product.clone();
    let story = move |mut site: Site, flash: &dyn Fn(&str)| {
        let id = site.ids[0].clone();
        let order = json!({ "order": "WO-1", "scope": [id], "expected": ["*:self.firmware_revision=2.60->2.70"], "until": UNTIL });
        let with = |key: &str, value: Value| {
            let mut order = order.clone();
            order[key] = value;
            order
        };
        for (body, status, why) in [
            (with("scope", json!(["a-nobody"])), 400, "a-nobody"),
            (with("expected", json!(["2.70"])), 400, "--expect"),
            (with("expected", json!([])), 400, "nothing is expected"),
            (with("until", json!("tomorrow")), 400, "is no time"),
            (with("until", json!("2001-01-01T00:00:00Z")), 400, "ends before it begins"),
            (with("rings", json!(["pilot"])), 400, "--ring"),
            (with("prechecks", json!(["luck"])), 422, "luck"),
            (with("site", json!("/etc/passwd")), 422, "site"),
            (with("way", json!(["snmp-community-file=/etc/passwd"])), 422, "way"),
            (with("by", json!("Somebody")), 422, "by"),
        ] {
            site.refused("engineer", "", &body, (status, why));
        }
        let before = site.plant.entries();
        let opened = site.post("engineer", "", &order).expect(201).json();
        assert_eq!((&opened["devices"], &opened["notes"]), (&json!(1), &json!([])), "{opened}");
        assert_eq!(site.plant.entries(), before + 1, "what was refused left no entry");
        site.refused("engineer", "", &with("order", json!("WO-2")), (409, "by work order WO-1 already"));
        assert_eq!(site.change("WO-1")["change"]["by"], "engineer");
        // Before the window nothing was said in it.
        let read = site.post("engineer", "/WO-1/rings/1/before", &json!({})).expect(200).json();
        assert_eq!((&read["read"], read["unread"][0]["asset"].as_str()), (&json!(0), Some(id.as_str())), "{read}");
        site.ask("WO-1");
        let read = site.post("engineer", "/WO-1/rings/1/before", &json!({})).expect(200).json();
        assert_eq!((&read["read"], &read["unread"], &read["stage"]), (&json!(1), &json!([]), &json!("read before")), "{read}");
        site.refused("engineer", "/WO-1/rings/2/before", &json!({}), (409, "no ring 2"));
        site.refused("engineer", "/WO-1/close", &json!({}), (409, "cannot be closed"));
        let _ = site.post("engineer", "/WO-1/rings/1/installed", &json!({})).expect(200);
        site.refused("engineer", "/WO-1/rings/1/before", &json!({}), (409, "is not before"));
        flash("2.70");
        site.ask("WO-1");
        let _ = site.post("engineer", "/WO-1/rings/1/after", &json!({})).expect(200);
        let change = site.change("WO-1");
        assert_eq!(change["verdicts"][0]["verdict"], "identity_not_proven", "{change}");
        // No serial number: a second person accepts that, and who installed is none.
        site.refused("engineer", "/WO-1/close", &json!({}), (409, "cannot be closed"));
        let _ = site.post("engineer", "/WO-1/rings/1/verify", &json!({ "accepts_unproven": true })).expect(403);
        site.refused("approver", "/WO-1/rings/1/verify", &json!({}), (409, "is not as expected"));
        let _ = site.post("approver", "/WO-1/rings/1/verify", &json!({ "accepts_unproven": true })).expect(200);
        let closed = site.post("engineer", "/WO-1/close", &json!({})).expect(200).json();
        assert_eq!(closed["stage"], "closed");
        let change = site.change("WO-1");
        assert_eq!(
            (&change["change"]["closed_by"], &change["change"]["accepted_by"]),
            (&json!("engineer"), &json!("approver")),
            "{change}"
        );
        let auditor = site.plant.session("auditor");
        let told = site.plant.gate.get(&auditor, "/api/v1/ledger/entries?limit=1000").expect(200).body;
        assert!(told.contains("takes what devices said as the reading before ring 1 of work order WO-1"), "{told}");
        // The order expected it; what it did not expect is a drift.
        let drifts = |all: &str| site.plant.gate.get(&auditor, &format!("/api/v1/drifts{all}")).expect(200).json()["drifts"].clone();
        assert_eq!((drifts(""), drifts("?all=true")[0]["expected_by"].as_str()), (json!([]), Some("WO-1")));
        site.plant.desk.ends(0);
        let state = site.plant.folder.path().join("desk").to_string_lossy().into_owned();
        judge.run(["ledger", "verify", "--state", &state]).expect(code::DONE);
    };
    beside_two_presses(story, product);
}

/// A device of EtherNet/IP: `state` 3 is operational, 2 is standby (CIP Volume 1, 5A-2.2).
pub(super) fn adapter(revision: (u8, u8), state: u8) -> enip::Persona {
    let name = b"MK-1".to_vec();
    enip::Persona::new(enip::Identity {
        vendor: 77,
        device_type: 0x0C,
        product_code: 7,
        revision,
        condition: 0x0030,
        serial: 0x51,
        name,
        state,
    })
}

#[test]
fn a_device_with_the_right_release_that_stands_still_is_not_done() {
    let test = "a_device_with_the_right_release_that_stands_still_is_not_done";
    let Some(product) = needed(test, Product::find()) else { return };
    block_on(async {
        let device = enip::Device::new(adapter((2, 1), 3)).start(enip::Device::ANYWHERE).await.expect("a port on loopback");
        let runtime = tokio::runtime::Handle::current();
        let story = move || {
            let listed = format!("target = \"{}\"\nvia = [\"enip\"]", device.address);
            let mut site = Site::new(&product, &[(device.address.port(), listed)]);
            let flash = |release| runtime.block_on(device.flash(Flash { phases: Vec::new(), release }));
            let expected = ["*:self.firmware_revision=2.1->2.2"];
            let order = json!({ "order": "WO-1", "scope": site.ids, "expected": expected, "until": UNTIL });
            let _ = site.post("engineer", "", &order).expect(201);
            site.ask("WO-1");
            let read = site.post("engineer", "/WO-1/rings/1/before", &json!({})).expect(200).json();
            assert_eq!(read["read"], 1, "{read}");
            let _ = site.post("engineer", "/WO-1/rings/1/installed", &json!({})).expect(200);
            for (state, verdict, part) in [(2, "not_running", "it is stopped"), (3, "as_expected", "with the same serial number")] {
                flash(adapter((2, 2), state));
                site.ask("WO-1");
                let _ = site.post("engineer", "/WO-1/rings/1/after", &json!({})).expect(200);
                let judged = site.change("WO-1")["verdicts"][0].clone();
                assert!(judged["why"].as_str().is_some_and(|why| why.contains(part)), "{judged}");
                assert_eq!(judged["verdict"], verdict, "{judged}");
            }
            assert_eq!(site.post("engineer", "/WO-1/close", &json!({})).expect(200).json()["stage"], "closed");
        };
        tokio::task::spawn_blocking(story).await.expect("a story that ends well");
    });
}

/// The page's buttons have the same rights as the API's steps, whoever presses them.
fn buttons_are_for_those_with_the_right(plant: &Plant) {
    let before = plant.entries();
    for (act, roles) in [
        ("approve", ["viewer", "engineer", "auditor", "administrator"]),
        ("verify", ["viewer", "engineer", "auditor", "administrator"]),
        ("ask", ["viewer", "approver", "auditor", "administrator"]),
        ("open_ring", ["viewer", "approver", "auditor", "administrator"]),
        ("before", ["viewer", "approver", "auditor", "administrator"]),
        ("installed", ["viewer", "approver", "auditor", "administrator"]),
        ("after", ["viewer", "approver", "auditor", "administrator"]),
        ("check", ["viewer", "approver", "auditor", "administrator"]),
        ("leave", ["viewer", "approver", "auditor", "administrator"]),
        ("close", ["viewer", "approver", "auditor", "administrator"]),
    ] {
        for role in roles {
            let pressed = plant.gate.form(&plant.session(role), "/changes/WO%207%2F1", &[("act", act), ("ring", "1")]);
            assert_eq!(pressed.status, 403, "{role}: {act}: {pressed:?}");
        }
    }
    for fields in [&[("act", "destroy")][..], &[("act", "close"), ("by", "Bo")], &[("act", "open_ring"), ("ring", "one")], &[]] {
        assert_eq!(plant.gate.form(&plant.session("engineer"), "/changes/WO%207%2F1", fields).status, 400, "{fields:?}");
    }
    assert_eq!(plant.entries(), before, "what is refused leaves no entry");
}

#[test]
fn a_staged_change_is_planned_checked_and_left_through_the_api() {
    let test = "a_staged_change_is_planned_checked_and_left_through_the_api";
    let Some(product) = needed(test, Product::find()) else { return };
    let plant = Plant::new(&product);
    let viewer = plant.session("viewer");
    let devices = plant.gate.get(&viewer, "/api/v1/devices?sort=tag").expect(200).json();
    let ids: Vec<&str> = devices["devices"].as_array().expect("devices").iter().filter_map(|one| one["id"].as_str()).collect();
    let post =
        |role: &str, path: &str, body: &Value| plant.gate.json("POST", &plant.session(role), &format!("/api/v1/changes{path}"), body);
    let refused = |role: &str, path: &str, body: &Value, status: u16, why: &str| {
        let answered = post(role, path, body).expect(status).json();
        assert!(answered["detail"].as_str().is_some_and(|detail| detail.contains(why)), "{path}: {why:?}: {answered}");
    };
    let rings = json!([format!("pilot/3days={}", ids[0]), format!("rest={},{}", ids[1], ids[2])]);
    let order = json!({
        "order": "WO 7/1", "rings": rings, "expected": ["*:self.firmware_revision=?->9"], "until": UNTIL, "prechecks": ["backup"],
        "findings": ["CVE-2026-0001"], "restart": false,
    });
    let _ = post("engineer", "", &order).expect(201);
    let plan = || plant.gate.get(&viewer, "/api/v1/changes/WO%207%2F1/plan").expect(200).json();
    assert_eq!(plan()["rings"][0]["stopped_by"], "work order WO 7/1 is not approved; another person than engineer has to", "{}", plan());
    assert_eq!((&plan()["rings"][0]["soak_s"], &plan()["plan"]["terms"]["handover"]), (&json!(259_200), &json!({ "restart": false })));
    refused("engineer", "/WO%207%2F1/rings/1/open", &json!({}), 409, "is not approved");
    buttons_are_for_those_with_the_right(&plant);
    let _ = post("engineer", "/WO%207%2F1/approve", &json!({})).expect(403);
    let _ = post("approver", "/WO%207%2F1/approve", &json!({})).expect(200);
    refused("engineer", "/WO%207%2F1/rings/1/open", &json!({}), 409, "the check \"backup\" is not done");
    refused("engineer", "/WO%207%2F1/checks", &json!({ "kind": "backup" }), 409, "");
    refused("engineer", "/WO%207%2F1/checks", &json!({ "kind": "backup", "signature": "a", "not_offered": "b" }), 400, "say one of");
    let backup = json!({ "kind": "backup", "sha256": "AB".repeat(32), "note": "share, folder 7" });
    let _ = post("engineer", "/WO%207%2F1/checks", &backup).expect(200);
    let _ = post("engineer", "/WO%207%2F1/rings/1/open", &json!({})).expect(200);
    refused("engineer", "/WO%207%2F1/rings/1/ask", &json!({}), 409, "site file lists none");
    refused("engineer", "/WO%207%2F1/rings/2/ask", &json!({}), 409, "is not open");
    let leave = |becomes: &str, more: Value| {
        let mut body = json!({ "assets": ids, "becomes": becomes, "reason": "no outage before" });
        more.as_object().expect("keys").iter().for_each(|(key, value)| body[key] = value.clone());
        body
    };
    for (body, status, why) in [
        (leave("deferred", json!({})), 409, "has an end"),
        (leave("deferred", json!({ "until": "soon" })), 400, "is no time"),
        (leave("failed", json!({ "until": UNTIL })), 409, "a failure has no end"),
        (leave("forgotten", json!({})), 422, "forgotten"),
        (leave("failed", json!({ "assets": ["a-nobody"] })), 400, "a-nobody"),
        (leave("failed", json!({ "assets": [] })), 409, "name the devices"),
    ] {
        refused("engineer", "/WO%207%2F1/leave", &body, status, why);
    }
    let _ = post("engineer", "/WO%207%2F1/leave", &leave("deferred", json!({ "until": UNTIL }))).expect(200);
    assert_eq!((&plan()["left"][0]["fate"], &plan()["left"][0]["by"]), (&json!("deferred"), &json!("engineer")), "{}", plan());
    assert_eq!(post("engineer", "/WO%207%2F1/close", &json!({})).expect(200).json()["stage"], "closed");
    refused("engineer", "/WO%207%2F1/close", &json!({}), 409, "is closed");
    let nobody = plant.gate.get(&Asker::nobody(), "/api/v1/changes/WO%207%2F1/plan");
    assert_eq!(nobody.status, 401);
}
