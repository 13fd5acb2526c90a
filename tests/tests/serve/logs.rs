//! What both processes say on standard error: nothing that opens something, whatever happens and however much is said; and each line is one event.

use std::fs;
use std::path::Path;
use std::process::Command;

use base64::Engine;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use nameplate_simulators::device::Device;
use nameplate_simulators::snmp::Persona;
use nameplate_tests::place::needed;
use nameplate_tests::process::Process;
use nameplate_tests::product::{Product, block_on, settled};
use nameplate_tests::web::{Asker, Gate};
use serde_json::{Value, json};

use super::{Gateway, plant};

const PASSWORD: &str = "correct horse battery";
const WRONG_PASSWORD: &str = "wrong zebra charger";
const NEW_PASSWORD: &str = "proper donkey starter";
const COMMUNITY: &str = "q7-plant-floor-reader";
const V3_PASSWORD: &str = "engine-room-authentication";
/// Bytes of the shortest piece of a file with keys that is looked for.
const PIECE_BYTES_MIN: usize = 24;

/// What opens something, and what else would give it away.
#[derive(Default)]
struct Secrets(Vec<Vec<u8>>);

impl Secrets {
    fn add(&mut self, secret: impl AsRef<[u8]>) {
        self.0.push(secret.as_ref().to_vec());
    }

    /// Every longer word of a file of this account alone.
    fn add_file(&mut self, path: &Path) {
        let text = fs::read_to_string(path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
        let words: Vec<&str> =
            text.split(|c: char| c.is_whitespace() || "\"{}:,".contains(c)).filter(|word| word.len() >= PIECE_BYTES_MIN).collect();
        assert!(!words.is_empty(), "{} holds nothing", path.display());
        words.iter().for_each(|word| self.add(word));
    }

    /// Those that stand in a text: as they are, in hexadecimal digits, or in base64.
    fn seen_in(&self, text: &str) -> Vec<String> {
        let hex = |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
        let lower = text.to_lowercase();
        let is_seen = |secret: &&Vec<u8>| {
            let plain = String::from_utf8_lossy(secret).into_owned();
            let told = [plain.clone(), STANDARD_NO_PAD.encode(secret), URL_SAFE_NO_PAD.encode(secret)];
            told.iter().any(|told| text.contains(told.as_str())) || lower.contains(&hex(secret)) || lower.contains(&plain.to_lowercase())
        };
        self.0.iter().filter(is_seen).map(|secret| String::from_utf8_lossy(secret).into_owned()).collect()
    }
}

/// A site with two agents of SNMP, in both ways in which one is asked by a secret.
fn site(gateway: &Gateway, agents: &[std::net::SocketAddr]) {
    let secret = |name: &str, text: &str| {
        let path = gateway.folder.file(name, text);
        let _ = Command::new("chmod").args(["600", &path]).status();
        path
    };
    let (community, v3) = (secret("community", COMMUNITY), secret("v3", V3_PASSWORD));
    let [one, two] = agents else { panic!("two agents") };
    let text = format!(
        "name = \"North\"\n[[zone]]\nname = \"one\"\n\
         [[zone.device]]\nname = \"Switch 1\"\ntarget = \"{one}\"\nvia = \"snmp\"\nsnmp-community-file = {community:?}\n\
         [[zone.device]]\nname = \"Switch 2\"\ntarget = \"{two}\"\nvia = \"snmp\"\nsnmp-version = \"3\"\nsnmp-user = \"ot\"\n\
         snmp-auth = \"sha256\"\nsnmp-auth-file = {v3:?}\n"
    );
    gateway.folder.file("site.toml", text);
}

/// People come in, fail, make tokens and links, and send what opens something to where it does not belong.
fn people(gate: &Gate, link: &str, secrets: &mut Secrets) {
    let cookie = gate.come_in(link, "Ada", PASSWORD);
    secrets.add(cookie.split('=').nth(1).expect("a cookie"));
    let asker = Asker::session(&cookie, &gate.origin());
    assert!(gate.log_in("Ada", WRONG_PASSWORD).is_err());
    let made = gate.json("POST", &asker, "/api/v1/tokens", &json!({ "rights": ["read"], "days": 1 })).expect(201).json();
    let token = made["token"].as_str().expect("a token").to_owned();
    secrets.add(&token);
    let made = gate.json("POST", &asker, "/api/v1/accounts", &json!({ "name": "Bo", "role": "viewer" })).expect(201).json();
    let second = made["link"].as_str().expect("a link").rsplit('/').next().expect("a secret").to_owned();
    secrets.add(&second);
    for path in [
        format!("/first/{second}"),
        format!("/first/{second}/more"),
        format!("/{token}"),
        format!("/devices?filter={token}"),
        format!("/api/v1/devices/{token}?x={PASSWORD}").replace(' ', "%20"),
        format!("/login?next=/first/{second}"),
        "/".to_owned(),
    ] {
        for who in [Asker::nobody(), Asker::token(&token), asker.clone(), Asker::token(&format!("{token}x"))] {
            let _ = gate.get(&who, &path);
        }
    }
    let wrong = json!({ "name": token, "role": PASSWORD, "days": second });
    for path in ["/api/v1/accounts", "/api/v1/tokens", "/api/v1/rounds", "/login"] {
        let _ = gate.json("POST", &asker, path, &wrong);
    }
    let own = gate.form(&asker, "/own/password", &[("before", PASSWORD), ("password", NEW_PASSWORD), ("again", NEW_PASSWORD)]);
    assert_eq!(own.status, 303, "{own:?}");
}

/// What both said, but for the line with the first link; it is what a person at the machine needs.
fn said(processes: [&Process; 2]) -> String {
    let lines = processes.into_iter().flat_map(Process::said);
    lines.filter(|line| !line.contains("this link makes one")).map(|line| format!("{line}\n")).collect()
}

fn story(product: &Product, form: &'static str, agents: &[std::net::SocketAddr]) {
    let gateway = Gateway::new(product, &[]);
    site(&gateway, agents);
    let plan = format!("hatch = {:?}\n[[plan]]\nname = \"identity\"\nevery = \"1day\"\ncatch_up = \"1s\"\n", gateway.path("hatch"));
    gateway.folder.file("serve.toml", format!("{plan}[page]\nlisten = \"127.0.0.1:0\"\ntls = false\n"));
    let loud = |words: Vec<String>| {
        let mut command = product.command(words);
        command.env("NAMEPLATE_LOG", format!("trace,{form}"));
        Process::start(command)
    };
    let mut field = loud(gateway.field_words());
    field.says("the hatch is");
    let mut desk = loud(gateway.desk_words());
    let link = desk.says("this link makes one");
    let link = link.split("/first/").nth(1).expect("a link").to_owned();
    let mut secrets = Secrets::default();
    [PASSWORD, WRONG_PASSWORD, NEW_PASSWORD, COMMUNITY, V3_PASSWORD, link.as_str()].iter().for_each(|secret| secrets.add(secret));
    let url = desk.says("the page is");
    let at: String = url.split("http://").nth(1).expect("a URL").chars().take_while(|c| c.is_ascii_digit() || ".:".contains(*c)).collect();
    people(&Gate::of(&format!("http://{at}")), &format!("/first/{link}"), &mut secrets);
    let mut asked = 0;
    while asked < agents.len() {
        let line = desk.says("plan identity: ");
        asked += line.split("identity: ").nth(1).and_then(|rest| rest.split(' ').next()?.parse::<usize>().ok()).expect("a count");
        desk.says("is over: ");
    }
    desk.ends(0);
    field.ends(0);
    for name in ["desk/site.key", "desk/secrets.json", "field/field.key"] {
        secrets.add_file(&gateway.folder.path().join(name));
    }
    // The one line that has a secret shows that those who look would see one; and so do the other ways of writing one.
    let hex: String = PASSWORD.bytes().map(|byte| format!("{byte:02X}")).collect();
    for text in
        [desk.said().join("\n"), hex, format!("x{}=", STANDARD_NO_PAD.encode(COMMUNITY)), format!("\"{}\"", V3_PASSWORD.to_uppercase())]
    {
        assert_eq!(secrets.seen_in(&text).len(), 1, "{text}");
    }
    let told = said([&field, &desk]);
    assert_eq!(secrets.seen_in(&told), Vec::<String>::new(), "{told}");
    // It was loud enough to be worth looking at: requests, questions, and words of the hatch.
    for part in ["/first/{secret}", "/api/v1/devices/{id}", "snmp", "Ada", "hello", "touched"] {
        assert!(told.contains(part), "{part} is not there: {told}");
    }
    if form == "json" {
        for line in told.lines() {
            let event: Value = serde_json::from_str(line).unwrap_or_else(|e| panic!("{e}: {line}"));
            let has = |key: &str| event[key].as_str().is_some_and(|text| !text.is_empty());
            assert!(["time", "level", "part", "event", "message"].iter().all(|key| has(key)), "{line}");
        }
    }
}

#[test]
fn nothing_that_opens_something_is_said_however_much_is_said() {
    let test = "nothing_that_opens_something_is_said_however_much_is_said";
    let Some(product) = needed(test, Product::find()) else { return };
    let agent = || Persona { community: COMMUNITY.into(), ..Persona::new(b"Acme Switch V2.0", &[1, 3, 6, 1, 4, 1, 9999, 1], b"sw", 1_000) };
    block_on(async {
        for form in ["text", "json"] {
            let mut running = Vec::new();
            for _ in 0..2 {
                running.push(Device::new(agent()).start(Device::<Persona>::ANYWHERE).await.expect("a port on loopback"));
            }
            let (product, at) = (product.clone(), running.iter().map(|agent| agent.address).collect::<Vec<_>>());
            tokio::task::spawn_blocking(move || story(&product, form, &at)).await.expect("a story that ends well");
            for agent in running {
                settled(agent).await;
            }
        }
    });
}

/// In the journal each line has its priority, and a level that was changed holds from the reload on.
#[test]
fn a_reload_takes_the_level_anew_and_the_journal_is_told_priorities() {
    let test = "a_reload_takes_the_level_anew_and_the_journal_is_told_priorities";
    let Some(product) = needed(test, Product::find()) else { return };
    plant(move |devices| {
        let gateway = Gateway::new(&product, &devices);
        let hatch = format!("hatch = {:?}\n", gateway.path("hatch"));
        let refused = |log: &str, said: &str| {
            gateway.configure(&format!("{hatch}[log]\n{log}\n"));
            let ended = product.run(gateway.desk_words()).expect(3);
            assert!(ended.err.contains(said), "{}", ended.err);
        };
        refused("level = \"loud\"", "line 3: level: \"loud\": it is one of error, warn, info, debug, trace");
        refused("form = \"xml\"", "line 3: form: \"xml\": it is one of text, json");
        let configure = |level: &str| {
            let page = "[page]\nlisten = \"127.0.0.1:0\"\ntls = false\n";
            gateway.folder.file("serve.toml", format!("{hatch}[log]\nlevel = \"{level}\"\n{page}"));
        };
        configure("info");
        let mut desk = Process::start(product.command_under(&["sh", "-c", JOURNAL, "sh"], gateway.desk_words()));
        let line = desk.says("entries in the ledger");
        assert!(line.starts_with("<6>serve: "), "{line}");
        let gate = Gate::of(desk.says("the page is").rsplit(' ').next().expect("a URL"));
        let live = || gate.get(&Asker::nobody(), "/api/v1/health/live").expect(200);
        let line = desk.says("no field side at");
        assert!(line.starts_with("<4>serve: "), "{line}");
        let _ = live();
        let hang_up = || super::care::hang_up(&desk);
        configure("debug");
        hang_up();
        desk.says("the configuration was read again");
        let _ = live();
        let line = desk.says("GET /api/v1/health/live: 200");
        assert!(line.starts_with("<7>serve: request 2: "), "{line}");
        desk.ends(0);
        // Of the first request, before the reload, nothing was said.
        assert!(!desk.said().iter().any(|line| line.contains("request 1: ")), "{:?}", desk.said());
    });
}

/// Starts a program as the journal would: its standard error is what `JOURNAL_STREAM` names.
const JOURNAL: &str = "JOURNAL_STREAM=$(stat -L -c %d:%i /proc/self/fd/2) exec \"$@\"";
