//! The page and the API of `nameplate serve`, as other programs meet them: who is let in, what is answered, and that nothing breaks.

mod ansible;
mod bad_input;
mod changes;
mod imports;
mod matrix;
mod news;
mod outbox;
mod patches;
mod prometheus;
mod readings;
mod reports;
mod rooms;
mod schema;

use nameplate_tests::process::Process;
use nameplate_tests::product::{Product, State, code};
use nameplate_tests::web::{Answered, Asker, Gate};
use serde_json::{Value, json};

/// How often is looked for what is written behind an answer.
const TRIES_MAX: usize = 500;
/// What all of them type.
const PASSWORD: &str = "correct horse battery";
/// All roles, each with what it may.
const ROLES: [(&str, &[&str]); 5] = [
    ("viewer", &["read"]),
    ("engineer", &["read", "ask", "record"]),
    ("approver", &["read", "approve"]),
    ("auditor", &["read", "audit"]),
    ("administrator", &["read", "audit", "administer"]),
];
/// A sheet of a plant; one name is an attack.
const SHEET: &str = "tag,ip,manufacturer,model,firmware,serial,zone\nP-1,10.0.0.1,Acme,M-1,1.2,S-1,North\nP-2,10.0.0.2,Acme,M-1,1.3,S-2,North\n\
                     <script>alert(1)</script>,10.0.0.3,\"=1+1\",M-2,2.0,S-3,South\n";

/// A gateway with people.
struct Plant {
    gate: Gate,
    /// The cookie of each role, in their order; the last is that of the first administrator.
    sessions: Vec<String>,
    desk: Process,
    folder: State,
}

impl Plant {
    fn new(product: &Product) -> Self {
        Self::in_folder(product, State::new(), "", |_, _| ())
    }

    /// With what somebody did to its state before.
    fn with(product: &Product, did: impl Fn(&State, &str)) -> Self {
        Self::in_folder(product, State::new(), "", did)
    }

    /// With a folder in which there may be a field side, and what else the configuration says.
    fn in_folder(product: &Product, folder: State, plans: &str, did: impl Fn(&State, &str)) -> Self {
        let state = folder.path().join("desk").to_string_lossy().into_owned();
        let sheet = folder.file("plant.csv", SHEET);
        product.run(["import", "devices", &sheet, "--state", &state]).expect(code::DONE);
        did(&folder, &state);
        let hatch = folder.path().join("hatch");
        let config = folder.file("serve.toml", format!("hatch = {hatch:?}\n{plans}[page]\nlisten = \"127.0.0.1:0\"\ntls = false\n"));
        let mut desk = Process::start(product.command(["serve", "--config", &config, "--state", &state]));
        let link = desk.says("this link makes one");
        let link = link.split("/first/").nth(1).map(|secret| format!("/first/{secret}")).expect("a link");
        let gate = Gate::of(desk.says("the page is").rsplit(' ').next().expect("a URL"));
        let mut plant = Self { sessions: Vec::new(), gate, desk, folder };
        let first = plant.gate.come_in(&link, "Ada", PASSWORD);
        for (role, _) in ROLES {
            let cookie = if role == "administrator" { first.clone() } else { plant.person(&first, role, role) };
            plant.sessions.push(cookie);
        }
        plant
    }

    /// Makes an account, whose person logs in: the cookie.
    fn person(&self, administrator: &str, name: &str, role: &str) -> String {
        let asker = Asker::session(administrator, &self.gate.origin());
        let made = self.gate.json("POST", &asker, "/api/v1/accounts", &json!({ "name": name, "role": role })).expect(201).json();
        self.gate.come_in(made["link"].as_str().expect("a link"), name, PASSWORD)
    }

    /// Somebody with this role, on one of our own pages.
    fn session(&self, role: &str) -> Asker {
        let at = ROLES.iter().position(|(own, _)| *own == role).expect("a role");
        Asker::session(&self.sessions[at], &self.gate.origin())
    }

    /// A token of that role with these rights.
    fn token(&self, role: &str, rights: &[&str]) -> String {
        let made = self.gate.json("POST", &self.session(role), "/api/v1/tokens", &json!({ "rights": rights, "days": 1 })).expect(201);
        made.json()["token"].as_str().expect("a token").to_owned()
    }

    /// Entries of the ledger.
    fn entries(&self) -> u64 {
        let ready = patient(|| self.gate.get(&Asker::nobody(), "/api/v1/health/ready"));
        ready.expect(200).json()["entries"].as_u64().expect("a count")
    }
}

/// What is answered in the end: strangers of one address are answered so many times a second.
fn patient(ask: impl FnMut() -> Answered) -> Answered {
    let answers = std::iter::repeat_with(ask);
    answers.take(TRIES_MAX).find(|answered| answered.status != 429).expect("an answer that is not \"too many\"")
}

#[test]
fn people_come_in_by_a_link_and_see_what_their_role_sees() {
    let test = "people_come_in_by_a_link_and_see_what_their_role_sees";
    let Some(product) = nameplate_tests::place::needed(test, Product::find()) else { return };
    let mut plant = Plant::new(&product);
    let viewer = plant.session("viewer");
    let devices = plant.gate.get(&viewer, "/api/v1/devices?sort=tag").expect(200).json();
    let tags: Vec<&str> = devices["devices"].as_array().expect("devices").iter().filter_map(|one| one["columns"]["tag"].as_str()).collect();
    assert_eq!(tags, ["<script>alert(1)</script>", "P-1", "P-2"]);
    let page = plant.gate.get(&viewer, "/devices").expect(200).body;
    assert!(page.contains("&lt;script&gt;alert(1)") && !page.contains("<script>alert"), "{page}");
    // Nobody is led to the page where they log in, and back behind it.
    let nobody = plant.gate.get(&Asker::nobody(), "/devices?sort=ip");
    assert_eq!((nobody.status, nobody.header("location")), (303, Some("/login?next=/devices%3Fsort%3Dip")));
    // A link works once; a wrong password does not work, and says no more than that.
    let refused = plant.gate.log_in("viewer", "wrong horse battery").expect_err("refused");
    let unknown = plant.gate.log_in("nobody at all", "wrong horse battery").expect_err("refused");
    assert_eq!((refused.status, refused.body.replace("viewer", "")), (403, unknown.body.replace("nobody at all", "")));
    // Who is disabled is out at once.
    let administrator = plant.session("administrator");
    let _ = plant.gate.json("PATCH", &administrator, "/api/v1/accounts/viewer", &json!({ "active": false, "why": "left" })).expect(200);
    let _ = plant.gate.get(&viewer, "/api/v1/devices").expect(401);
    // All of it stands in the ledger, and nothing secret does.
    let told = || plant.gate.get(&plant.session("auditor"), "/api/v1/ledger/entries?limit=1000").expect(200).body;
    let words =
        ["Ada made an account for viewer: viewer", "viewer logged in from 127.0.0.1", "Ada disabled viewer: left", "wrong password"];
    // That somebody was refused is written behind the answer.
    let told = std::iter::repeat_with(told).take(TRIES_MAX).find(|told| words.iter().all(|words| told.contains(words)));
    let told = told.expect("all of it stands in the ledger");
    assert!(!told.contains(PASSWORD) && !told.contains("$argon2") && !told.contains("np_"), "{told}");
    plant.desk.ends(0);
    product.run(["ledger", "verify", "--state", &plant.folder.path().join("desk").to_string_lossy()]).expect(code::DONE);
}

#[test]
fn answers_have_tags_and_pages_and_deltas() {
    let test = "answers_have_tags_and_pages_and_deltas";
    let Some(product) = nameplate_tests::place::needed(test, Product::find()) else { return };
    let plant = Plant::new(&product);
    let asker = Asker::token(&plant.token("viewer", &["read"]));
    let first = plant.gate.get(&asker, "/api/v1/devices?limit=2&sort=tag").expect(200).json();
    assert_eq!((first["matched"].as_u64(), first["devices"].as_array().map(Vec::len)), (Some(3), Some(2)));
    let next = first["next"].as_str().expect("a next page");
    let second = plant.gate.get(&asker, &format!("/api/v1/devices?limit=2&sort=tag&after={next}")).expect(200).json();
    assert_eq!((second["devices"].as_array().map(Vec::len), second.get("next")), (Some(1), None));
    let conformance = plant.gate.get(&asker, "/api/v1/conformance").expect(200);
    let tag = conformance.header("etag").expect("a tag").to_owned();
    let again = format!(
        "GET /api/v1/conformance HTTP/1.1\r\nHost: {}\r\nConnection: close\r\nAuthorization: {}\r\nIf-None-Match: {tag}\r\n\r\n",
        plant.gate.at,
        asker.authorization.as_deref().unwrap_or_default()
    );
    let same = plant.gate.raw(again.as_bytes());
    assert_eq!((same.status, same.body.as_str()), (304, ""));
    // Everything, then nothing, then what was merged with its explicit delete.
    let all = plant.gate.get(&asker, "/api/v1/deltas").expect(200).json();
    let ids: Vec<&str> = all["changed"].as_array().expect("devices").iter().filter_map(|one| one["id"].as_str()).collect();
    assert_eq!((ids.len(), all["is_more"].as_bool()), (3, Some(false)));
    let since = all["next"].as_u64().expect("a place");
    let none = plant.gate.get(&asker, &format!("/api/v1/deltas?after={since}")).expect(200).json();
    assert_eq!((none["changed"].clone(), none["gone"].clone()), (json!([]), json!([])));
    let one = plant.gate.get(&asker, &format!("/api/v1/devices/{}", ids[0])).expect(200).json();
    assert_eq!(one["id"].as_str(), Some(ids[0]));
    // Lists that one entry brought stay together, whatever the limit.
    let few = plant.gate.get(&asker, "/api/v1/deltas?limit=1").expect(200).json();
    assert_eq!(few["changed"].as_array().map(Vec::len), Some(3));
}

#[test]
fn the_description_is_the_one_that_is_known() {
    let test = "the_description_is_the_one_that_is_known";
    let Some(product) = nameplate_tests::place::needed(test, Product::find()) else { return };
    let plant = Plant::new(&product);
    let now = plant.gate.get(&Asker::nobody(), "/api/v1/openapi.json").expect(200);
    let golden = nameplate_tests::place::root().join("tests/golden/openapi.json");
    if std::env::var("NAMEPLATE_GOLDEN").is_ok_and(|word| word == "write") {
        std::fs::write(&golden, format!("{}\n", now.body)).expect("written");
    }
    let known: Value = serde_json::from_str(&std::fs::read_to_string(&golden).expect("the golden file")).expect("JSON");
    assert_eq!(now.json(), known, "the API changed: NAMEPLATE_GOLDEN=write, and look at the difference");
}
