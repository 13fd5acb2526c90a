//! What is told to programs of IT, at receivers that others wrote: each event at least once and in order, whoever is down meanwhile.

use std::collections::BTreeSet;
use std::fs;
use std::process::Command;

use nameplate::store::{Draft, Store};
use nameplate_core::ledger::Body;
use nameplate_simulators::modbus::Persona;
use nameplate_tests::door::Door;
use nameplate_tests::pcap::{pcap_of, plant};
use nameplate_tests::place::{needed, root};
use nameplate_tests::process::Process;
use nameplate_tests::product::{Product, State, code};
use nameplate_tests::rig;
use serde_json::{Value, json};

use super::{Plant, SHEET, TRIES_MAX};

/// The secret of Standard Webhooks' own examples.
pub(super) const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
/// Another one, of as many bytes.
pub(super) const OTHER_SECRET: &str = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD";
/// Events of the long way to a syslog receiver.
const SYSLOG_EVENTS: u64 = 10_000;
/// How often is looked at a file that another program writes.
const LOOKS_MAX: usize = 2_000_000;
/// What is told of a ledger, by the word of its entries; the others are told as what happened to devices, or not at all.
const TOLD_AS_THEY_ARE: [&str; 9] =
    ["change", "approval", "baseline", "evaluation", "advisories", "import", "patches", "update", "evidence"];

/// A receiver of webhooks.
pub(super) struct Receiver {
    pub(super) process: Process,
    pub(super) port: String,
}

impl Receiver {
    pub(super) fn python(port: &str, secret: &str, certificate: &str, answers: &str) -> Self {
        let mut command = Command::new(rig::python());
        command.env("PYTHONDONTWRITEBYTECODE", "1").arg(root().join("tests/rig/webhook_receiver.py"));
        Self::start(command.args([port, secret, certificate, answers]))
    }

    fn node(secret: &str) -> Self {
        let mut command = Command::new("node");
        Self::start(command.arg(root().join("tests/rig/webhook_receiver.mjs")).arg(rig::modules()).arg(secret))
    }

    fn start(command: &mut Command) -> Self {
        let mut process = Process::start(std::mem::replace(command, Command::new("true")));
        let port = process.says("READY ").rsplit(' ').next().expect("a port").to_owned();
        Self { process, port }
    }

    /// So many messages that it takes from here on.
    pub(super) fn takes(&mut self, count: usize) -> Vec<Value> {
        (0..count).map(|_| serde_json::from_str(&self.process.says("\"taken\"")).expect("JSON")).collect()
    }
}

/// A target of the configuration.
pub(super) fn target(name: &str, url: &str, more: &str) -> String {
    format!("[[target]]\nname = \"{name}\"\nurl = \"{url}\"\nfrom = \"beginning\"\n{more}\n")
}

/// What the ledger has to tell, by the commands that anybody has: entries, and what they are.
fn expected(product: &Product, state: &str, folder: &State) -> Vec<(u64, String)> {
    let told = product.run(["events", "--format", "ndjson", "--state", state]).expect(code::DONE).out;
    let line = |line: &str| serde_json::from_str::<Value>(line).expect("JSON");
    let mut expected: Vec<(u64, String)> = told
        .lines()
        .map(line)
        .filter_map(|event| Some((event["entry"].as_u64()?, format!("nameplate.device.{}", event["kind"].as_str()?))))
        .collect();
    let log = folder.path().join("log.ndjson").to_string_lossy().into_owned();
    let _ = fs::remove_file(&log);
    product.run(["ledger", "export", &log, "--state", state]).expect(code::DONE);
    for line in fs::read_to_string(&log).expect("the log").lines().map(line) {
        let entry = line.get("entry").unwrap_or(&line);
        let (Some(index), Some(kind)) = (entry["index"].as_u64(), entry["body"]["kind"].as_str()) else { continue };
        if TOLD_AS_THEY_ARE.contains(&kind) {
            let step = entry["body"]["step"].as_str().filter(|_| kind == "change");
            let step = step.map(|step| format!(".{}", step.replace('_', "-"))).unwrap_or_default();
            expected.push((index, format!("nameplate.{kind}{step}")));
        }
    }
    expected.sort();
    expected
}

fn told(taken: &[Value]) -> Vec<(u64, String)> {
    let index = |message: &Value| message["taken"].as_str().and_then(|id| id.split('-').next()?.parse().ok()).expect("an id");
    let told = taken.iter().map(|message| (index(message), message["type"].as_str().expect("a type").to_owned()));
    let told: Vec<(u64, String)> = told.collect();
    assert!(told.is_sorted_by_key(|(index, _)| *index), "in the order of the ledger: {told:?}");
    let mut sorted = told;
    sorted.sort();
    sorted
}

#[test]
fn receivers_from_pypi_and_npm_take_each_event_whoever_is_down_meanwhile() {
    let test = "receivers_from_pypi_and_npm_take_each_event_whoever_is_down_meanwhile";
    if needed(test, rig::available()).is_none() {
        return;
    }
    let Some(product) = needed(test, Product::find()) else { return };
    let folder = State::new();
    let place = folder.path().join("hook").to_string_lossy().into_owned();
    let mut python = Receiver::python("0", SECRET, &format!("make:{place}"), "");
    let mut node = Receiver::node(SECRET);
    let secret = folder.file("secret", format!("{OTHER_SECRET}\n{SECRET}\n"));
    let targets =
        target("python", &format!("https://127.0.0.1:{}/hooks?x=1", python.port), &format!("secret = {secret:?}\nca = \"{place}.crt\""))
            + &target("node", &format!("http://127.0.0.1:{}", node.port), &format!("secret = {secret:?}"));
    let hostile =
        Persona::from_objects([(0, b"<script>\"".to_vec()), (1, b"=1+1".to_vec()), (2, "V1\u{202e}\u{1b}[31m".as_bytes().to_vec())]);
    let meter = Persona::from_objects([(0, b"Computec Oy".to_vec()), (1, b"CWS06".to_vec()), (2, b"v3.160".to_vec())]);
    let mut site = Plant::in_folder(&product, folder, &targets, |folder, state| {
        let capture = folder.file("plant.pcap", pcap_of(&plant(vec![meter.clone(), hostile.clone()])));
        product.run(["listen", &capture, "--keep", "--state", state]).expect(code::DONE);
    });
    let state = site.folder.path().join("desk").to_string_lossy().into_owned();

    let all = expected(&product, &state, &site.folder);
    assert!(
        all.iter().any(|(_, kind)| kind == "nameplate.device.new") && all.iter().any(|(_, kind)| kind == "nameplate.import"),
        "{all:?}"
    );
    let taken = python.takes(all.len());
    assert_eq!(told(&taken), all);
    let same = node.takes(all.len());
    let key = |messages: &[Value]| messages.iter().map(|one| (one["taken"].clone(), one["webhook"].clone())).collect::<Vec<_>>();
    assert_eq!(key(&taken), key(&same), "two receivers, one event: one id");
    each_fact_says_what_it_rests_on(&taken);

    // What people do is told at once.
    let engineer = site.session("engineer");
    let import = |name: &str| drop(site.gate.file(&engineer, &format!("/api/v1/imports/devices?name={name}"), SHEET).expect(200));
    import("second.csv");
    let (one, other) = (python.takes(1), node.takes(1));
    assert_eq!((key(&one), &one[0]["type"]), (key(&other), &json!("nameplate.import")));

    // One of them dies; the other is told on. Back again, it says what broken servers say before it takes what it missed.
    python.process.kill();
    import("third.csv");
    let missed = node.takes(1);
    let auditor = site.session("auditor");
    let stands = |name: &str| {
        let settings = site.gate.get(&auditor, "/api/v1/settings").expect(200).json();
        settings["targets"].as_array().expect("targets").iter().find(|one| one["name"] == name).cloned().unwrap_or_default()
    };
    let down = std::iter::repeat_with(|| stands("python")).take(TRIES_MAX).find(|one| one["trouble"].is_string()).expect("trouble");
    assert!(down["since"].is_string() && stands("node").get("trouble").is_none(), "{down}");
    let mut python = Receiver::python(&python.port.clone(), SECRET, &place, "500,cut,429,302,503");
    for answer in [500, 429, 302, 503] {
        python.process.says(&format!("\"answered\": {answer}"));
    }
    // What it took while it died may not have been answered, and is told again: under the id that it had.
    let told_before = |message: &Value| taken.iter().chain(&one).any(|before| before["taken"] == message["taken"]);
    let told_again = std::iter::repeat_with(|| python.takes(1)).take(TRIES_MAX).find(|told| !told_before(&told[0]));
    assert_eq!(told_again.as_deref().map(key), Some(key(&missed)));

    // The desk dies, and something happens that it is not there for.
    site.desk.kill();
    let sheet = site.folder.file("fourth.csv", SHEET);
    product.run(["import", "devices", &sheet, "--state", &state]).expect(code::DONE);
    let config = site.folder.path().join("serve.toml").to_string_lossy().into_owned();
    let mut desk = Process::start(product.command(["serve", "--config", &config, "--state", &state]));
    let last = expected(&product, &state, &site.folder).pop().expect("the last one");
    for receiver in [&mut python, &mut node] {
        // What was told within the last second may be told again; under the same id.
        let told = std::iter::repeat_with(|| told(&receiver.takes(1)).remove(0)).take(TRIES_MAX).find(|told| *told == last);
        assert_eq!(told, Some(last.clone()));
    }
    desk.ends(0);
    let said = desk.said().join("\n") + &fs::read_to_string(&config).expect("the configuration");
    assert!(!said.contains("MfKQ") && !said.contains("C2FVs"), "{said}");
    none_was_refused([python, node]);
}

/// Each signature was good.
fn none_was_refused(receivers: [Receiver; 2]) {
    for mut receiver in receivers {
        receiver.process.kill();
        assert!(!receiver.process.said().iter().any(|line| line.contains("refused")), "{:?}", receiver.process.said());
    }
}

/// Each fact with its reading time, method, grade and evidence.
fn each_fact_says_what_it_rests_on(taken: &[Value]) {
    let meter = taken.iter().find(|one| one["event"]["device"]["fields"][0]["value"] == "Computec Oy").expect("the meter");
    let firmware = meter["event"]["device"]["fields"].as_array().expect("fields").iter().find(|one| one["field"] == "firmware_revision");
    let firmware = firmware.expect("its firmware");
    assert_eq!((&firmware["value"], &firmware["grade"]), (&json!("v3.160"), &json!("identity-object")), "{firmware}");
    assert!(firmware["time"].is_string() && firmware["source"].is_object() && firmware["observation"].is_string(), "{firmware}");
    assert!(meter["source"].as_str().is_some_and(|source| source.starts_with("nameplate/")), "{meter}");
}

#[test]
fn what_a_receiver_refuses_is_shown_and_a_wrong_one_is_told_nothing() {
    let test = "what_a_receiver_refuses_is_shown_and_a_wrong_one_is_told_nothing";
    if needed(test, rig::available()).is_none() {
        return;
    }
    let Some(product) = needed(test, Product::find()) else { return };
    let folder = State::new();
    let place = |name: &str| folder.path().join(name).to_string_lossy().into_owned();
    let mut picky = Receiver::python("0", SECRET, &format!("make:{}", place("picky")), "422,422,422");
    let mut stranger = Receiver::python("0", SECRET, &format!("make:{}", place("stranger")), "");
    let (good, bad) = (folder.file("good", SECRET), folder.file("bad", OTHER_SECRET));
    let more = |secret: &str, ca: &str| format!("secret = {secret:?}\nca = \"{}.crt\"\nevents = [\"import\"]", place(ca));
    let targets = target("picky", &format!("https://127.0.0.1:{}/", picky.port), &more(&good, "picky"))
        // The certificate is another one's.
        + &target("stranger", &format!("https://127.0.0.1:{}/", stranger.port), &more(&good, "picky"))
        // Its receiver knows another secret.
        + &target("forger", &format!("https://127.0.0.1:{}/", stranger.port), &more(&bad, "stranger"));
    let mut site = Plant::in_folder(&product, folder, &targets, |_, _| ());
    let engineer = site.session("engineer");
    let _ = site.gate.file(&engineer, "/api/v1/imports/devices?name=second.csv", SHEET).expect(200);
    for _ in 0..3 {
        picky.process.says("\"answered\": 422");
    }
    let taken = picky.takes(1);
    stranger.process.says("\"refused\": \"WebhookVerificationError");

    let auditor = site.session("auditor");
    let settings = || site.gate.get(&auditor, "/api/v1/settings").expect(200).json();
    let stands = |name: &str| {
        let settings = settings();
        settings["targets"].as_array().expect("targets").iter().find(|one| one["name"] == name).cloned().unwrap_or_default()
    };
    let picky_stands = std::iter::repeat_with(|| stands("picky")).take(TRIES_MAX).find(|one| one["told"] == 1).expect("it was told one");
    let dead = &picky_stands["dead"][0];
    assert_eq!((&picky_stands["refused"], picky_stands["dead"].as_array().map(Vec::len)), (&json!(1), Some(1)), "{picky_stands}");
    assert!(
        dead["why"].as_str().is_some_and(|why| why.contains("422") && why.contains("not now")) && dead["id"] != taken[0]["taken"],
        "{dead}"
    );
    for (name, why) in [("stranger", "TLS"), ("forger", "401")] {
        let trouble = std::iter::repeat_with(|| stands(name)).take(TRIES_MAX).find_map(|one| one["trouble"].as_str().map(str::to_owned));
        assert!(trouble.as_ref().is_some_and(|trouble| trouble.contains(why)), "{name}: {trouble:?}");
        assert_eq!(stands(name)["told"], 0, "{name}");
    }
    // Mended, it is told again what it refused; who may, why and from where stands in the ledger.
    let administrator = site.session("administrator");
    let again = |name: &str, next: u64| {
        site.gate.json("POST", &administrator, &format!("/api/v1/targets/{name}/place"), &json!({ "next": next, "why": "mended" }))
    };
    assert_eq!((again("nobody", 0).status, again("picky", 1 << 40).status), (404, 400));
    let _ = again("picky", dead["entry"].as_u64().expect("an entry")).expect(200);
    let told = picky.takes(2);
    assert_eq!((&told[0]["taken"], &told[1]["taken"]), (&dead["id"], &taken[0]["taken"]));
    let entries = site.gate.get(&auditor, "/api/v1/ledger/entries?limit=1000").expect(200).body;
    assert!(entries.contains("has target picky told from entry"), "{entries}");
    let page = site.gate.get(&auditor, "/settings").expect(200).body;
    assert!(
        ["messages that a target refuses", "it answers 422", "it answers 401", "import"].iter().all(|part| page.contains(part)),
        "{page}"
    );
    assert!(!page.contains("MfKQ") && !settings().to_string().contains("C2FVs"), "no secret");
    let metrics = site.gate.get(&auditor, "/api/v1/metrics").expect(200).body;
    for line in [
        "nameplate_target_up{target=\"picky\"} 1",
        "nameplate_target_up{target=\"forger\"} 0",
        "nameplate_target_refused{target=\"picky\"} 1",
    ] {
        assert!(metrics.contains(line), "{metrics}");
    }
    // A device's answer is in the log of nobody, but that a target is in trouble is.
    site.desk.ends(0);
    assert!(site.desk.said().iter().any(|line| line.contains("stranger") && line.contains("TLS")), "{:?}", site.desk.said());
    stranger.process.kill();
    assert!(!stranger.process.said().iter().any(|line| line.contains("taken")), "{:?}", stranger.process.said());
}

/// rsyslog on a door that stays where it is.
struct Rsyslog {
    door: Door,
    folder: State,
    process: Option<Process>,
    starts: usize,
}

impl Rsyslog {
    fn start(&mut self) {
        self.starts += 1;
        let (place, port) = (self.folder.path(), self.folder.path().join(format!("port-{}", self.starts)));
        let config = format!(
            "global(workDirectory={place:?} defaultNetstreamDriver=\"ossl\" defaultNetstreamDriverCAFile=\"{0}/log.crt\"\n\
             defaultNetstreamDriverCertFile=\"{0}/log.crt\" defaultNetstreamDriverKeyFile=\"{0}/log.pem\")\n\
             module(load=\"imtcp\" streamDriver.name=\"ossl\" streamDriver.mode=\"1\" streamDriver.authMode=\"anon\")\n\
             template(name=\"line\" type=\"string\" string=\"%pri%|%msgid%|%app-name%|%timereported:::date-rfc3339%|%msg%\\n\")\n\
             input(type=\"imtcp\" address=\"127.0.0.1\" port=\"0\" listenPortFileName={port:?})\n\
             action(type=\"omfile\" file=\"{0}/stored\" template=\"line\")\n",
            place.display()
        );
        let config = self.folder.file("rsyslog.conf", config);
        let mut command = Command::new("/usr/sbin/rsyslogd");
        command.args(["-n", "-f", &config, "-i"]).arg(place.join("pid"));
        self.process = Some(Process::start(command));
        let read = || fs::read_to_string(&port).ok().and_then(|text| text.trim().parse::<u16>().ok());
        let port = std::iter::repeat_with(read).take(LOOKS_MAX).flatten().next().expect("rsyslog says its port");
        self.door.leads_to(Some(([127, 0, 0, 1], port).into()));
    }

    /// Ends it, in the middle of its work or of its life, and starts it again.
    fn restart(&mut self, is_killed: bool) {
        self.door.leads_to(None);
        let mut process = self.process.take().expect("it runs");
        if is_killed {
            process.kill()
        } else {
            process.ends(0)
        }
        self.start();
    }

    /// What it stored, each with its place in the ledger, in the order of the file; a line that is being written is none yet.
    fn stored(&self) -> Vec<(u64, String)> {
        let text = fs::read(self.folder.path().join("stored")).unwrap_or_default();
        let text = String::from_utf8(text).expect("ASCII");
        let whole = text.rsplit_once('\n').map_or("", |(whole, _)| whole);
        let line = |line: &str| {
            let json = line.splitn(5, '|').nth(4).and_then(|json| serde_json::from_str::<Value>(json.trim()).ok());
            let json = json.unwrap_or_else(|| panic!("no message: {line}"));
            (json["entry"].as_u64().expect("an entry"), line.to_owned())
        };
        whole.lines().map(line).collect()
    }
}

#[test]
fn rsyslog_stores_ten_thousand_events_in_order_while_it_is_restarted() {
    let test = "rsyslog_stores_ten_thousand_events_in_order_while_it_is_restarted";
    if needed(test, rig::available()).is_none() {
        return;
    }
    let Some(product) = needed(test, Product::find()) else { return };
    let started = Command::new("/usr/sbin/rsyslogd").arg("-v").output().map(drop).map_err(|_| "rsyslog is not installed".to_owned());
    if needed(test, started).is_none() {
        return;
    }
    let folder = State::new();
    let certificate =
        format!("import certificate, pathlib; certificate.make('urn:nameplate:rig', pathlib.Path({:?}))", folder.path().join("log"));
    let made = Command::new(rig::python()).args(["-B", "-c", &certificate]).current_dir(root().join("tests/rig")).status();
    assert!(made.is_ok_and(|status| status.success()));
    let mut rsyslog = Rsyslog { door: Door::tcp(), folder, process: None, starts: 0 };
    rsyslog.start();
    let url = format!("syslog+tls://{}", rsyslog.door.address);
    let ca = rsyslog.folder.path().join("log.crt");
    let targets = target("logs", &url, &format!("ca = {ca:?}\nevents = [\"evaluation\", \"evidence\"]"));
    let _site = Plant::in_folder(&product, State::new(), &targets, |_, state| {
        let mut store = Store::write(state.as_ref()).expect("a store");
        let drafts: Vec<Draft> = (0..SYSLOG_EVENTS).map(event).collect();
        store.append(&drafts).expect("appended");
    });
    for restart in 1..=5_u64 {
        let enough = |stored: &Vec<(u64, String)>| distinct(stored).len() as u64 >= restart * SYSLOG_EVENTS / 6;
        std::iter::repeat_with(|| rsyslog.stored()).take(LOOKS_MAX).find(enough).expect("it stores on");
        // The last two have no time to put anything away.
        rsyslog.restart(restart > 3);
    }
    let all = |stored: &Vec<(u64, String)>| distinct(stored).len() as u64 >= SYSLOG_EVENTS;
    let stored = std::iter::repeat_with(|| rsyslog.stored()).take(LOOKS_MAX).find(all).expect("it stores all of them");
    // In the order of the ledger, each of them, whatever came twice.
    let first = distinct(&stored);
    assert_eq!(first.len() as u64, SYSLOG_EVENTS);
    assert!(first.windows(2).all(|pair| pair[0] + 1 == pair[1]), "none is missing, and none is out of order");
    let line = &stored.last().expect("a line").1;
    assert!(line.starts_with("133|evidence|nameplate|2026-") || line.starts_with("133|evaluation|nameplate|2026-"), "{line}");
    eprintln!("{} lines stored, {} of them twice", stored.len(), stored.len() as u64 - SYSLOG_EVENTS);
}

/// The entries of lines, each where it came first.
fn distinct(stored: &[(u64, String)]) -> Vec<u64> {
    let mut seen = BTreeSet::new();
    stored.iter().map(|(entry, _)| *entry).filter(|entry| seen.insert(*entry)).collect()
}

/// An entry that is told as one event.
fn event(number: u64) -> Draft {
    let time_ns = nameplate_tests::ledger::BEGUN_NS + number * 1_000_000_000;
    let body = if number.is_multiple_of(2) {
        Body::Evidence { subject: format!("WO-{number}"), entries: vec![0], page_sha256: "00".repeat(32) }
    } else {
        serde_json::from_value(json!({"kind": "evaluation", "advisories_sha256": "09".repeat(32), "by": format!("Person {number}"), "components": 1, "devices": 1,
            "documents": 1, "unnamed": 0, "verdicts": {"affected": 1, "contradiction": 0, "indeterminate": 1, "not_affected": 2}}))
        .expect("an evaluation")
    };
    Draft::new(time_ns, body)
}
