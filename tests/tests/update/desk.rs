//! A desk that runs: the same file over its API and page, who may send it, and what it says of its age.

use nameplate_tests::place::needed;
use nameplate_tests::process::Process;
use nameplate_tests::product::{Product, State, code};
use nameplate_tests::web::{Asker, Gate};
use serde_json::{Value, json};

use super::{KEV, Publisher, apply, entries};

/// What people type.
const PASSWORD: &str = "correct horse battery";

/// A gateway with an administrator, an engineer and a viewer: their cookies.
struct Plant {
    gate: Gate,
    people: [Asker; 3],
    desk: Process,
    state: State,
}

impl Plant {
    fn new(product: &Product, publishers: &str) -> Self {
        let state = State::new();
        let hatch = state.path().join("hatch");
        let config = format!("hatch = {hatch:?}\npublishers = {publishers:?}\n[page]\nlisten = \"127.0.0.1:0\"\ntls = false\n");
        let config = state.file("serve.toml", config);
        let mut desk = Process::start(product.command(["serve", "--config", &config, "--state", &state.text()]));
        let link = desk.says("this link makes one");
        let link = link.split("/first/").nth(1).map(|secret| format!("/first/{secret}")).expect("a link");
        let gate = Gate::of(desk.says("the page is").rsplit(' ').next().expect("a URL"));
        let ada = Asker::session(&gate.come_in(&link, "Ada", PASSWORD), &gate.origin());
        let person = |name: &str| {
            let made = gate.json("POST", &ada, "/api/v1/accounts", &json!({ "name": name, "role": name })).expect(201).json();
            Asker::session(&gate.come_in(made["link"].as_str().expect("a link"), name, PASSWORD), &gate.origin())
        };
        let people = [ada.clone(), person("engineer"), person("viewer")];
        Self { gate, people, desk, state }
    }

    fn post(&self, who: &Asker, file: &str, status: u16) -> Value {
        let content = std::fs::read(file).expect("an update");
        self.gate.file(who, "/api/v1/updates?name=../acme.npu", &content).expect(status).json()
    }
}

#[test]
fn a_desk_that_runs_takes_the_same_file_and_says_how_old_it_is() {
    let test = "a_desk_that_runs_takes_the_same_file_and_says_how_old_it_is";
    let Some(product) = needed(test, Product::find()) else { return };
    let acme = Publisher::new(&product, "advisories");
    let stranger = Publisher::new(&product, "advisories");
    let mut plant = Plant::new(&product, &acme.publishers());
    let [ada, engineer, viewer] = plant.people.clone();
    let kev = acme.folder.file("known.csv", KEV);
    let seven = acme.make(&product, 7, &["--advisories", &acme.documents(&[("A", "1"), ("B", "1")]), "--kev", &kev]);
    let _ = plant.post(&viewer, &seven, 403);
    let _ = plant.post(&ada, &seven, 403);
    let before = entries(&product, &plant.state);
    let taken = plant.post(&engineer, &seven, 200);
    assert_eq!((&taken["version"], &taken["again"], &taken["documents"][1]["taken"]), (&json!(7), &json!(false), &json!("new")), "{taken}");
    assert_eq!((taken["entry"].as_u64(), entries(&product, &plant.state)), (Some(before), before + 2), "the update and its advisories");
    let again = plant.post(&engineer, &seven, 200);
    assert_eq!((&again["again"], again.get("entry"), entries(&product, &plant.state)), (&json!(true), None, before + 2), "{again}");
    let six = acme.make(&product, 6, &["--advisories", &acme.documents(&[("A", "1")])]);
    for (file, why) in [
        (&six, "version 7 was applied already"),
        (&stranger.make(&product, 8, &["--advisories", &stranger.documents(&[("A", "1")])]), "it is signed by the key"),
    ] {
        let refused = plant.post(&engineer, file, 409);
        assert!(refused["detail"].as_str().is_some_and(|told| told.contains(why) && told.contains("acme.npu")), "{refused}");
    }
    assert_eq!(plant.gate.file(&engineer, "/api/v1/updates?name=x.npu", b"no zip").status, 400);
    // While it runs the ledger is the desk's.
    let ended = apply(&product, &acme.publishers(), &plant.state, &six);
    assert_ne!(ended.code, code::DONE, "{ended:?}");

    // What it says of it: as a list, a figure, in the settings, and first of all where it is nearly over.
    let listed = plant.gate.get(&viewer, "/api/v1/updates").expect(200).json();
    assert_eq!((&listed["updates"][0]["publisher"], &listed["updates"][0]["by"]), (&json!("acme"), &json!("engineer")), "{listed}");
    let metrics = plant.gate.get(&viewer, "/api/v1/metrics").expect(200).body;
    let seconds: f64 = metrics
        .lines()
        .find_map(|line| line.strip_prefix("nameplate_update_expires_seconds{kind=\"advisories\"} "))
        .and_then(|value| value.parse().ok())
        .expect("a figure");
    assert!((7_775_000.0..=7_776_000.0).contains(&seconds), "90 days are 7,776,000 seconds: {seconds}");
    assert!(!plant.gate.get(&viewer, "/").expect(200).body.contains("the last update"));
    let eight = acme.make(&product, 8, &["--advisories", &acme.documents(&[("A", "1")]), "--days", "3"]);
    let name = "8.npu";
    let content = std::fs::read(&eight).expect("an update");
    let page = plant.gate.upload(&engineer, "/imports/update", (name, &content), &[]).expect(200).body;
    assert!(page.contains("advisories 8 of acme applied"), "{page}");
    let overview = plant.gate.get(&viewer, "/").expect(200).body;
    assert!(overview.contains("the last update of advisories of acme expires in 2 days"), "{overview}");
    let settings = plant.gate.get(&ada, "/settings").expect(200).body;
    assert!(settings.contains("updates from a stick") && settings.contains("version 8 of acme"), "{settings}");
    assert!(settings.contains("acme (advisories)"), "{settings}");
    plant.desk.ends(0);
    product.run(["ledger", "verify", "--state", &plant.state.text()]).expect(code::DONE);
}
