//! Event-Driven Ansible, for real, with the rulebook and the playbook that we ship: a signed event starts it, it has the devices read, and the reading closes the change.

use std::fs;
use std::process::Command;

use nameplate_simulators::enip;
use nameplate_simulators::flash::Flash;
use nameplate_tests::door::Door;
use nameplate_tests::place::{needed, root};
use nameplate_tests::process::Process;
use nameplate_tests::product::{Product, State, block_on};
use nameplate_tests::rig;
use nameplate_tests::web::Gate;
use serde_json::{Value, json};

use super::TRIES_MAX;
use super::changes::{Site, UNTIL, adapter};
use super::outbox::{OTHER_SECRET, Receiver, SECRET, target};

/// How often is looked for a port that another program opens.
const LOOKS_MAX: usize = 5_000_000;
/// A socket that listens, in /proc/net/tcp.
const LISTENS: &str = "0A";

/// The port at which a process listens.
fn port_of(process: &Process) -> u16 {
    let folder = format!("/proc/{}", process.child.id());
    let look = || {
        let own: Vec<String> = fs::read_dir(format!("{folder}/fd"))
            .ok()?
            .filter_map(|entry| Some(fs::read_link(entry.ok()?.path()).ok()?.to_string_lossy().into_owned()))
            .collect();
        let table = fs::read_to_string(format!("{folder}/net/tcp")).ok()?;
        table.lines().find_map(|line| {
            let cells: Vec<&str> = line.split_whitespace().collect();
            let is_own = cells.get(3) == Some(&LISTENS) && own.contains(&format!("socket:[{}]", cells.get(9)?));
            is_own.then(|| u16::from_str_radix(cells.get(1)?.rsplit(':').next()?, 16).ok())?
        })
    };
    std::iter::repeat_with(look).take(LOOKS_MAX).flatten().next().expect("it listens")
}

/// ansible-rulebook with what we ship, for a gateway.
fn rulebook(folder: &State, gate: &Gate, token: &str) -> Process {
    let here = root().join("packaging/ansible");
    let variables = json!({
        "nameplate_secret": SECRET, "nameplate_host": "127.0.0.1", "nameplate_port": 0, "nameplate_url": gate.origin(),
        "nameplate_token_file": folder.file("token", token), "nameplate_tries": 600, "nameplate_pause": 0.1,
    });
    let inventory = json!({ "all": { "hosts": { "localhost": { "ansible_connection": "local" } } } });
    let (variables, inventory) =
        (folder.file("variables.json", variables.to_string()), folder.file("inventory.json", inventory.to_string()));
    let programs = rig::python().parent().expect("a folder").to_path_buf();
    let path = std::env::var("PATH").unwrap_or_default();
    let mut command = Command::new(programs.join("ansible-rulebook"));
    command.current_dir(&here).env("PATH", format!("{}:{path}", programs.display())).env("ANSIBLE_HOME", folder.path().join("ansible"));
    command.env("ANSIBLE_LOCAL_TEMP", folder.path().join("temporary")).env("ANSIBLE_REMOTE_TEMP", folder.path().join("remote"));
    command.args(["--rulebook", "rulebook.yml", "--inventory", &inventory, "--vars", &variables]);
    Process::start(command)
}

/// Whoever does not know the secret starts nothing.
fn forged_events_start_nothing(rulebook: &Gate) {
    let event = json!({
        "type": "nameplate.change.installed", "subject": "WO-1", "time": "2026-01-01T00:00:00Z", "data": { "event": { "body": { "ring": 1 } } },
    });
    let body = event.to_string();
    for (signature, status) in [(format!("X-Hub-Signature-256: sha256={}\r\n", "0".repeat(64)), 401), (String::new(), 400)] {
        let (host, length) = (rulebook.at, body.len());
        let head = format!(
            "POST /endpoint HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\nContent-Type: application/json\r\nContent-Length: {length}\r\n"
        );
        assert_eq!(rulebook.raw(format!("{head}{signature}\r\n{body}").as_bytes()).status, status);
    }
}

#[test]
fn a_signed_event_has_ansible_verify_a_change_and_the_reading_closes_it() {
    let test = "a_signed_event_has_ansible_verify_a_change_and_the_reading_closes_it";
    if needed(test, rig::available()).is_none() {
        return;
    }
    let Some(product) = needed(test, Product::find()) else { return };
    let java = Command::new("java").arg("-version").output().map(drop).map_err(|_| "java is not installed".to_owned());
    if needed(test, java).is_none() {
        return;
    }
    block_on(async {
        let device = enip::Device::new(adapter((2, 1), 3)).start(enip::Device::ANYWHERE).await.expect("a port on loopback");
        let runtime = tokio::runtime::Handle::current();
        let story = move || {
            let folder = State::new();
            let (door, mut witness) = (Door::tcp(), Receiver::python("0", SECRET, "-", ""));
            let (secret, other) = (folder.file("secret", SECRET), folder.file("other", OTHER_SECRET));
            let told = |name: &str, url: &str, secret: &str| target(name, url, &format!("secret = {secret:?}\nevents = [\"change\"]"));
            let eda = format!("http://{}/endpoint", door.address);
            let targets = told("ansible", &eda, &secret)
                + &told("forger", &eda, &other)
                + &told("witness", &format!("http://127.0.0.1:{}", witness.port), &secret);
            let listed = format!("target = \"{}\"\nvia = [\"enip\"]", device.address);
            let mut site = Site::in_folder(&product, folder, &[(device.address.port(), listed)], &(targets + "[log]\nlevel = \"debug\"\n"));
            let token = site.plant.token("engineer", &["read", "ask", "record"]);
            let ansible = rulebook(&site.plant.folder, &site.plant.gate, &token);
            let behind = Gate::of(&format!("http://127.0.0.1:{}", port_of(&ansible)));
            door.leads_to(Some(behind.at));
            let flash = |revision| runtime.block_on(device.flash(Flash { phases: Vec::new(), release: adapter(revision, 3) }));
            let mut until = |kind: &str| {
                let is_it = |message: &Value| message["type"] == format!("nameplate.change.{kind}");
                std::iter::repeat_with(|| witness.takes(1).remove(0)).take(TRIES_MAX).find(is_it).expect("an event")
            };

            // A change up to where somebody says that it is installed; what follows is Ansible's.
            let ids = site.ids.clone();
            let installed = |site: &mut Site, order: &str, expected: &str| {
                let order_of = json!({ "order": order, "scope": ids, "expected": [expected], "until": UNTIL });
                let _ = site.post("engineer", "", &order_of).expect(201);
                site.ask(order);
                assert_eq!(site.post("engineer", &format!("/{order}/rings/1/before"), &json!({})).expect(200).json()["read"], 1);
            };
            installed(&mut site, "WO-1", "*:self.firmware_revision=2.1->2.2");
            forged_events_start_nothing(&behind);
            flash((2, 2));
            let _ = site.post("engineer", "/WO-1/rings/1/installed", &json!({})).expect(200);
            until("closed");
            site.plant.desk.says("/close: 200");
            let change = site.change("WO-1");
            assert_eq!((&change["change"]["stage"], &change["change"]["verdict"]), (&json!("closed"), &json!("as_expected")), "{change}");
            // Once: neither the forged event nor the forger's had anything read.
            let auditor = site.plant.session("auditor");
            let entries = site.plant.gate.get(&auditor, "/api/v1/ledger/entries?limit=1000").expect(200).body;
            assert_eq!(entries.matches("WO-1 read after").count(), 1, "{entries}");
            let settings = site.plant.gate.get(&auditor, "/api/v1/settings").expect(200).json();
            let forger = settings["targets"].as_array().expect("targets").iter().find(|one| one["name"] == "forger").expect("the forger");
            assert!(forger["told"] == 0 && forger["trouble"].as_str().is_some_and(|why| why.contains("401")), "{forger}");

            // A device that does not say what was expected: its reading is taken, and nothing is closed.
            installed(&mut site, "WO-2", "*:self.firmware_revision=2.2->2.3");
            let _ = site.post("engineer", "/WO-2/rings/1/installed", &json!({})).expect(200);
            until("after");
            let recap = site.change("WO-2");
            assert_eq!(
                (&recap["change"]["stage"], &recap["verdicts"][0]["verdict"]),
                (&json!("read after"), &json!("not_changed")),
                "{recap}"
            );
            site.plant.desk.says("/close: 409");
            assert_eq!(site.change("WO-2")["change"]["stage"], "read after");
        };
        tokio::task::spawn_blocking(story).await.expect("a story that ends well");
    });
}
