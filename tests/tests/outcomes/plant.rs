//! A small plant whose ledger is written entry by entry, so that every time in it is known.

use std::net::IpAddr;

use nameplate::store::{Draft, Store};
use nameplate_core::ledger::{Body, Entry, Payload};
use nameplate_core::observation::{hex, rfc3339};
use nameplate_core::view::View;
use nameplate_tests::ledger::{BEGUN_NS, DAY_NS, reading_of};
use nameplate_tests::product::{Product, State, code};
use serde_json::{Value, json};

/// The product that the advisory is about.
pub const PRODUCT: &str = "EM-9000";
/// What the advisory is about.
pub const CVE: &str = "CVE-2026-4242";
/// Its document.
pub const DOCUMENT: &str = "EMG-2026-01";
/// Releases before this one are affected.
pub const FIXED: &str = "V1.1.0";
/// The release that they have.
pub const OLD: &str = "V1.0.0";

/// A ledger in the making. Days count from 2026-01-01.
#[derive(Default)]
pub struct Plant {
    drafts: Vec<Draft>,
    view: View,
}

/// The last moment of a day, as the command line has it.
pub fn day(day: u64) -> String {
    rfc3339(BEGUN_NS + day * DAY_NS + DAY_NS - 1_000)
}

impl Plant {
    fn add(&mut self, draft: Draft) -> u64 {
        // Entry 0 is the key's.
        let index = self.drafts.len() as u64 + 1;
        self.view.apply(&Entry { index, time_ns: draft.time_ns, body: draft.body.clone() });
        self.drafts.push(draft);
        index
    }

    /// A reading of a meter; its entry.
    pub fn read(&mut self, meter: u32, on: u32, release: &str) -> u64 {
        self.add(reading_of(meter, on, PRODUCT, release))
    }

    /// The same by a clock that is ahead: recorded on one day, read on a later one.
    pub fn read_ahead(&mut self, meter: u32, on: u32, clock: u32, release: &str) -> u64 {
        self.add(Draft { time_ns: BEGUN_NS + u64::from(on) * DAY_NS, ..reading_of(meter, clock, PRODUCT, release) })
    }

    /// The id of a meter that was read.
    pub fn id(&self, meter: u32) -> String {
        let [_, a, b, c] = meter.to_be_bytes();
        let ip: IpAddr = [10, a, b, c].into();
        let mut assets = self.view.catalog.assets();
        assets.find(|asset| asset.addresses.iter().any(|address| address.ip == Some(ip))).expect("it was read").id.clone()
    }

    /// The advisory comes in, with its fix.
    pub fn advised(&mut self, on: u64) -> u64 {
        self.advised_of(on, "vendor_fix", &format!("Update to {FIXED} or later"))
    }

    /// The same with another remediation.
    pub fn advised_of(&mut self, on: u64, category: &str, details: &str) -> u64 {
        let product = json!({"category": "product_version_range", "name": format!("<{FIXED}"),
            "product": {"product_id": "A", "name": format!("{PRODUCT} before {FIXED}")}});
        let family = json!({"category": "product_name", "name": PRODUCT, "branches": [product]});
        let document = json!({
            "document": {
                "category": "csaf_security_advisory", "csaf_version": "2.0", "title": "Meters",
                "publisher": {"category": "vendor", "name": "EMG PSIRT", "namespace": "https://psirt.example"},
                "tracking": {"id": DOCUMENT, "status": "final", "version": "1",
                    "initial_release_date": "2026-01-05T10:00:00Z", "current_release_date": "2026-01-05T10:00:00Z",
                    "revision_history": [{"date": "2026-01-05T10:00:00Z", "number": "1", "summary": "first"}]},
            },
            "product_tree": {"branches": [{"category": "vendor", "name": "Example Metering GmbH", "branches": [family]}]},
            "vulnerabilities": [{"cve": CVE, "product_status": {"known_affected": ["A"]},
                "remediations": [{"category": category, "details": details, "product_ids": ["A"]}]}],
        });
        let payload = Payload::of(document.to_string().into_bytes());
        let reference =
            json!({"file": "emg.json", "id": DOCUMENT, "publisher": "EMG PSIRT", "revision": "1", "sha256": hex(&payload.sha256)});
        let body = body(json!({"kind": "advisories", "documents": [reference], "from": ["csaf"], "lists": []}));
        self.add(Draft { payloads: vec![payload], ..Draft::new(BEGUN_NS + on * DAY_NS, body) })
    }

    /// Grace has looked at the advisories.
    pub fn evaluated(&mut self, on: u64) -> u64 {
        let verdicts = json!({"affected": 1, "contradiction": 0, "indeterminate": 0, "not_affected": 0});
        self.entry(
            on,
            json!({"kind": "evaluation", "advisories_sha256": "ab".repeat(32), "by": "Grace", "components": 1, "devices": 1,
                "documents": 1, "newest": "2026-01-05", "unnamed": 0, "verdicts": verdicts}),
        )
    }

    /// Any other entry, at noon.
    pub fn entry(&mut self, on: u64, value: Value) -> u64 {
        self.add(Draft::new(BEGUN_NS + on * DAY_NS + DAY_NS / 2, body(value)))
    }

    /// A work order for one meter, from this day on for 30 days.
    pub fn order(&mut self, on: u64, order: &str, meter: u32, to: &str, more: Value) -> u64 {
        let asset = self.id(meter);
        let mut opened = json!({"kind": "change", "step": "opened", "order": order, "by": "Ada", "neighbours": [],
            "questions": ["modbus.identification.basic"], "from_ns": BEGUN_NS + on * DAY_NS, "until_ns": BEGUN_NS + (on + 30) * DAY_NS,
            "scope": [{"asset": asset, "address": {"ip": format!("10.0.0.{meter}"), "port": 502, "unit": 1}}],
            "expected": [{"asset": asset, "component": "self", "field": "firmware_revision", "from": OLD, "to": to}]});
        opened.as_object_mut().expect("an object").extend(more.as_object().expect("an object").clone());
        self.entry(on, opened)
    }

    /// A reading of that change, before or after: release and hardware revision.
    pub fn tried(&mut self, on: u64, order: &str, step: &str, meter: u32, entries: &[u64], said: (&str, &str)) -> u64 {
        let field = |value: &str| json!({"value": value, "from": "modbus.object.2"});
        let fields =
            json!({"self.firmware_revision": field(said.0), "self.hardware_revision": field(said.1), "self.serial_number": field("77")});
        let time_ns = BEGUN_NS + on * DAY_NS;
        let tries = json!([{"asset": self.id(meter), "time_ns": time_ns, "entries": entries,
            "outcome": {"outcome": "read", "nameplate": {"fields": fields, "facts": {}}}}]);
        let mut value = json!({"kind": "change", "step": step, "order": order, "tries": tries});
        if step == "after" {
            value["equal"] = json!(1);
        }
        self.entry(on, value)
    }

    /// A meter that its order leaves.
    pub fn left(&mut self, on: u64, order: &str, meter: u32, fate: &str, until: Option<u64>) -> u64 {
        let mut left = json!({"assets": [self.id(meter)], "fate": fate, "reason": "no luck", "by": "Ada"});
        if let Some(until) = until {
            left["until_ns"] = json!(BEGUN_NS + until * DAY_NS);
        }
        self.entry(on, json!({"kind": "change", "step": "left", "order": order, "left": left}))
    }

    /// Its state directory.
    pub fn state(&self) -> State {
        assert!(self.view.changes.remarks.is_empty(), "{:?}", self.view.changes.remarks);
        kept(&self.drafts)
    }

    /// A state directory that goes no further than the end of a day.
    pub fn cut(&self, on: u64) -> State {
        let end = BEGUN_NS + (on + 1) * DAY_NS;
        kept(&self.drafts[..self.drafts.iter().rposition(|draft| draft.time_ns < end).map_or(0, |last| last + 1)])
    }
}

fn kept(drafts: &[Draft]) -> State {
    let state = State::new();
    Store::write(state.path()).expect("a store").append(drafts).expect("appended");
    state
}

fn body(value: Value) -> Body {
    serde_json::from_value(value.clone()).unwrap_or_else(|error| panic!("{error}: {value}"))
}

/// The lines of a command at the end of a day.
pub fn lines(product: &Product, state: &State, words: &[&str], on: u64) -> Vec<Value> {
    let (place, as_of) = (state.text(), day(on));
    product.run(words.iter().copied().chain(["--as-of", &as_of, "--state", &place, "--format", "ndjson"])).expect(code::DONE).lines()
}

/// The lines of a report's table at the end of a day.
pub fn table(product: &Product, state: &State, words: &[&str], on: u64, table: &str) -> Vec<Value> {
    lines(product, state, &[&["report"], words].concat(), on).into_iter().filter(|line| line["table"] == table).collect()
}

/// Cells of a line, as texts.
pub fn cells<const N: usize>(line: &Value, names: [&str; N]) -> [String; N] {
    names.map(|name| line[name].as_str().unwrap_or_else(|| panic!("{name} of {line}")).to_owned())
}
