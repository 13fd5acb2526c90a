//! Two plants, and everything that is written about them: every kind of report that the program's own help names, devices, and a sheet
//! compared with them.

use nameplate::store::{Draft, Store, now_ns};
use nameplate_core::change::ORDER_BYTES_MAX;
use nameplate_core::ledger::Body;
use nameplate_core::observation::rfc3339;
use nameplate_simulators::modbus::Persona;
use nameplate_tests::ledger::{BEGUN_NS, DAY_NS, history};
use nameplate_tests::pcap::{pcap_of, plant};
use nameplate_tests::product::{Product, State, code};
use serde_json::{Value, json};

use super::payloads::Name;
use super::sight::EVIDENCE;

/// What the plant without malice is drawn from, and how much there is in its log.
const SEED: u64 = 8;
const ENTRIES: usize = 160;
const HOUR_NS: u64 = 3_600_000_000_000;
/// Bytes of a text that stands in two objects of one answer: both share a message.
const TWICE_BYTES_MAX: usize = 100;

/// A state and the program that writes about it.
pub struct Plant {
    product: Product,
    state: State,
    sheet: String,
    /// An hour from now: reports that are written one after another are then of one moment.
    moment: String,
    /// Its devices, in the order of their addresses.
    pub ids: Vec<String>,
}

/// A file that it wrote.
#[derive(Clone)]
pub struct Written {
    /// The words that it was asked with.
    pub name: String,
    pub file: String,
}

impl Plant {
    /// Meters that were read over years, and four changes of them.
    pub fn of_history(product: &Product) -> Self {
        let state = State::new();
        Store::write(state.path()).expect("a store").append(&history(SEED, ENTRIES)).expect("appended");
        let rows = "10.0.0.1,Q1,V1.1.0,Substation West,Ms. Öberg\n10.0.0.2,Q2,V9.9,Substation West,\n10.0.0.99,Q9,V1.0,Pump house,vacant\n";
        let sheet = state.file("plant.csv", format!("ip,tag,firmware,Place,Who\n{rows}"));
        Self::known(product, state, sheet)
    }

    /// A meter of each name, heard on a cable; a change and a row of a sheet that are called the same.
    pub fn of_names(product: &Product, names: &[Name]) -> Self {
        let state = State::new();
        let persona = |name: &Name| {
            let code = if name.said.len() <= TWICE_BYTES_MAX { name.said } else { "EM-1" };
            Persona::from_objects([(0, name.said.as_bytes().to_vec()), (1, code.as_bytes().to_vec()), (2, b"2.10".to_vec())])
        };
        let capture = state.file("span.pcap", pcap_of(&plant(names.iter().map(persona).collect())));
        product.run(["listen", &capture, "--keep", "--state", &state.text()]).expect(code::DONE);
        let quoted = |text: &str| format!("\"{}\"", text.replace('"', "\"\""));
        let row = |(last, name): (usize, &Name)| format!("192.168.20.{last},T-{last},{},{}\n", quoted(name.said), quoted(name.shown));
        let rows: String = (11..).zip(names).filter(|(_, name)| name.said == name.shown).map(row).collect();
        let sheet = state.file("plant.csv", format!("ip,tag,Note,=Note\n{rows}"));
        let plant = Self::known(product, state, sheet);
        assert_eq!(plant.ids.len(), names.len(), "each was heard");
        let changes: Vec<Draft> = names.iter().zip(&plant.ids).zip(0..).flat_map(|((name, id), at)| change(name.said, id, at)).collect();
        Store::write(plant.state.path()).expect("a store").append(&changes).expect("appended");
        plant
    }

    fn known(product: &Product, state: State, sheet: String) -> Self {
        let mut known: Vec<(Vec<u8>, String)> = product
            .run(["devices", "--format", "ndjson", "--state", &state.text()])
            .expect(code::DONE)
            .lines()
            .iter()
            .map(|line| (octets(&line["addresses"][0]["ip"]), line["id"].as_str().unwrap_or_default().to_owned()))
            .collect();
        known.sort();
        let moment = rfc3339(now_ns().saturating_add(HOUR_NS));
        Self { product: product.clone(), state, sheet, moment, ids: known.into_iter().map(|(_, id)| id).collect() }
    }

    /// Where it writes.
    pub fn folder(&self) -> String {
        self.state.text()
    }

    /// Writes one file.
    pub fn written(&self, ending: &str, words: &[&str]) -> Written {
        let name = words.join(" ").replace(&self.sheet, "sheet");
        let file = self.state.path().join(format!("{}.{ending}", name.replace(' ', "-"))).to_string_lossy().into_owned();
        let state = self.state.text();
        let as_of: &[&str] = if words[0] == "report" { &["--as-of", &self.moment] } else { &[] };
        let ended = self.product.run(words.iter().chain(as_of).copied().chain(["--output", &file, "--state", &state]));
        // A sheet that differs says so with its code.
        let fine = ended.code == code::DONE || words[0] == "compare" && ended.code == code::FAILED;
        assert!(fine, "{name} ended with {}: {}\nDoes it take more words? Then tell this test, too.", ended.code, ended.err);
        Written { name, file }
    }

    /// The kinds of reports, as the program's help has them: a new one is looked at from its first day.
    pub fn kinds(&self) -> Vec<String> {
        let help = self.product.run(["report", "--help"]).expect(code::DONE).out;
        let listed = help.lines().skip_while(|line| *line != "Commands:").skip(1).take_while(|line| line.starts_with("  "));
        let kinds: Vec<String> =
            listed.filter(|line| !line.starts_with("   ")).filter_map(|line| line.split_whitespace().next()).map(str::to_owned).collect();
        assert!(kinds.iter().any(|kind| kind == "changes"), "{help}");
        kinds.into_iter().filter(|kind| kind != "help").collect()
    }

    /// Devices, the sheet, and every report but those of single devices.
    pub fn of_all(&self, ending: &str) -> Vec<Written> {
        let mut all = vec![self.written(ending, &["devices"])];
        for kind in self.kinds() {
            if kind != "device" {
                all.push(self.written(ending, &["report", &kind]));
            }
        }
        all.push(self.written(ending, &["compare", &self.sheet]));
        all.push(self.written(ending, &["report", "device", &self.ids[0]]));
        all
    }

    /// The same, and the lives of two more devices.
    pub fn every(&self, ending: &str) -> Vec<Written> {
        let lives = self.ids.iter().skip(1).take(2).map(|id| self.written(ending, &["report", "device", id]));
        self.of_all(ending).into_iter().chain(lives).collect()
    }
}

impl Plant {
    /// The page for people inside a bundle about a device.
    pub fn evidence(&self, id: &str) -> Written {
        let [bundle, file] =
            ["evidence", "html"].map(|ending| self.state.path().join(format!("{id}.{ending}")).to_string_lossy().into_owned());
        self.product.run(["evidence", "export", id, "--out", &bundle, "--state", &self.state.text()]).expect(code::DONE);
        self.product.run(["evidence", "show", &bundle, "--output", &file]).expect(code::DONE);
        Written { name: EVIDENCE.to_owned(), file }
    }
}

fn octets(ip: &Value) -> Vec<u8> {
    ip.as_str().unwrap_or_default().split('.').filter_map(|part| part.parse().ok()).collect()
}

/// A change of one device that is called so by everybody, in every place of it that a person writes into.
fn change(name: &str, asset: &str, at: u64) -> Vec<Draft> {
    // The number of an order is short and plain; who wrote one, and why, is any text.
    let plain = name.len() <= ORDER_BYTES_MAX && !name.chars().any(char::is_control);
    let order = if plain { name.to_owned() } else { format!("WO-{at}") };
    let place = json!({"asset": asset, "address": {"ip": "192.168.20.11", "port": 502, "unit": 1}});
    let expected = json!([{"asset": asset, "component": "self", "field": "firmware_revision", "from": "2.10", "to": "2.11"}]);
    let until_ns = BEGUN_NS + DAY_NS;
    let opened = json!({"kind": "change", "order": order, "step": "opened", "scope": [place], "neighbours": [], "by": name,
        "questions": ["modbus.identification.basic"], "expected": expected, "from_ns": BEGUN_NS, "until_ns": until_ns});
    let left = json!({"kind": "change", "order": order, "step": "left",
        "left": {"assets": [asset], "fate": "deferred", "reason": name, "until_ns": until_ns, "by": name}});
    let body = |value: Value| -> Body { serde_json::from_value(value.clone()).unwrap_or_else(|error| panic!("{error}: {value}")) };
    vec![Draft::new(BEGUN_NS + at, body(opened)), Draft::new(BEGUN_NS + at, body(left))]
}
