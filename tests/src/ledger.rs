//! What goes into a ledger: readings as a plant gives them, and histories drawn at random.

use nameplate::store::Draft;
use nameplate_core::claim::{Claim, Field, Grade};
use nameplate_core::ledger::Body;
use nameplate_core::observation::{Address, Observation, Source, hex};
use nameplate_core::profile::{Interpretation, Matched};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::personas::Draw;

/// What stands for the profile's text; it is kept beside the answers.
const PROFILE: &str = "vendor = \"Example Metering GmbH\"\n";
/// A day in nanoseconds.
pub const DAY_NS: u64 = 86_400_000_000_000;
/// When the first reading was: 2026-01-01.
pub const BEGUN_NS: u64 = 1_767_225_600_000_000_000;

/// The reading of a meter on a day: an answer of function 43/14 with three objects, and what a profile makes of it. Its release is
/// another every 400 days.
pub fn reading(asset: u32, day: u32) -> Draft {
    reading_of(asset, day, &format!("EM-{:04}", asset % 50), &format!("V1.{}.{}", asset % 7, day / 400))
}

/// The same of a meter of this product code, with this release.
pub fn reading_of(asset: u32, day: u32, product_code: &str, release: &str) -> Draft {
    let texts = ["Example Metering GmbH", product_code, release];
    let mut answer = vec![0x00, 0x01, 0x00, 0x00, 0x00, 0x00, 0x01, 0x2B, 0x0E, 0x01, 0x01, 0x00, 0x00, 0x03];
    let mut claims = Vec::new();
    for ((object, text), field) in (0_u8..).zip(texts).zip([Field::Manufacturer, Field::ProductCode, Field::FirmwareRevision]) {
        answer.extend([object, u8::try_from(text.len()).expect("a short text")]);
        let claim = Claim {
            component: "self".into(),
            field,
            value: text.to_owned(),
            normal: (field == Field::FirmwareRevision).then(|| text.trim_start_matches('V').to_owned()),
            grade: Grade::IdentityObject,
            profile: "example/em".into(),
            rule: format!("modbus.object.{object}"),
            message: 0,
            offset: answer.len(),
            length: text.len(),
        };
        claims.push(claim);
        answer.extend(text.as_bytes());
    }
    let time_ns = BEGUN_NS + u64::from(day) * DAY_NS + u64::from(asset) * 1_000_000;
    let [_, a, b, c] = asset.to_be_bytes();
    let observation = Observation {
        time_ns,
        source: Source::Capture { file: format!("span-{day:05}.pcapng").into(), frame: u64::from(asset) * 40 + 7 },
        protocol: "modbus".into(),
        question: "modbus.identification.basic".into(),
        address: Address {
            mac: Some(format!("02:00:00:{a:02x}:{b:02x}:{c:02x}")),
            ip: Some([10, a, b, c].into()),
            port: Some(502),
            unit: Some(1),
            ..Address::default()
        },
        announced: Vec::new(),
        messages: vec![hex(&answer)],
        malformed: Vec::new(),
        complete: true,
        exception: None,
        over: None,
        asked: 0,
        authority: None,
        cut: 0,
    };
    let said = Interpretation::of(Matched::One("example/em".into()), claims);
    Draft::observation(time_ns, observation, said, Some((&hex(&Sha256::digest(PROFILE)), PROFILE)))
}

/// Entries of every kind about a few devices, by a clock that jumps. The seed is the whole of it.
///
/// # Panics
/// When a body in it is none that the ledger knows.
pub fn history(seed: u64, entries: usize) -> Vec<Draft> {
    let mut draw = Draw(seed);
    let mut clock = BEGUN_NS;
    let mut drafts = Vec::with_capacity(entries);
    while drafts.len() < entries {
        // Mostly forward; sometimes back by up to a day, as a clock does that was set.
        clock = match draw.below(8) {
            0 => clock.saturating_sub(draw.number() % DAY_NS),
            1 => clock,
            _ => clock.saturating_add(draw.number() % DAY_NS),
        };
        let (asset, day) = (draw.below(5), draw.below(1500));
        let draft = match draw.below(15) {
            0..5 => {
                let asset = u32::try_from(asset).expect("few");
                Draft { time_ns: clock, ..reading(asset, u32::try_from(day).expect("few")) }
            }
            5 => Draft::new(clock, Body::Touch { line: format!(r#"{{"kind":"sent","unit":{asset}}}"#) }),
            6 => Draft::new(clock, body(approval(asset, day))),
            7 => Draft::new(clock, body(import(asset, day))),
            8 => Draft::new(clock, body(change(asset, day))),
            9 => Draft::new(clock, body(exemption(asset, day))),
            10 => Draft::new(clock, body(evaluation(asset, day))),
            11 => Draft::new(clock, body(account(asset, day, clock))),
            12 => Draft::new(clock, body(update(asset, day, clock))),
            13 => Draft::new(clock, body(patches(asset, day))),
            _ => Draft::new(
                clock,
                Body::Evidence { subject: format!("WO-{day}"), entries: vec![asset as u64], page_sha256: "00".repeat(32) },
            ),
        };
        drafts.push(draft);
    }
    drafts
}

fn body(value: Value) -> Body {
    serde_json::from_value(value.clone()).unwrap_or_else(|error| panic!("{error}: {value}"))
}

fn approval(asset: usize, day: usize) -> Value {
    let decision = if day.is_multiple_of(3) { "disapproved" } else { "approved" };
    json!({"kind": "approval", "decision": decision, "line": {"profile": "example/em"}, "component": "self", "field": "firmware_revision",
        "release": format!("V1.{asset}.{}", day % 3), "by": "A. Person", "reason": format!("WO-{day}")})
}

fn import(asset: usize, day: usize) -> Value {
    let (columns, row) = (["ip", "manufacturer", "firmware_revision"], [format!("10.0.0.{asset}"), "Example".into(), format!("V{day}")]);
    json!({"kind": "import", "file": format!("list-{day}.csv"), "sha256": hex(&[7; 32]), "sheet": {"columns": columns, "rows": [row]}})
}

/// Of one of the devices that changes are about, until a day that may be over.
fn exemption(asset: usize, day: usize) -> Value {
    let exemption = ["waiver", "mitigation", "deferral"][day % 3];
    json!({"kind": "baseline", "step": "exempted", "exemption": exemption, "assets": [format!("a-{asset}")], "by": "A. Person",
        "reason": format!("WO-{day}"), "until_ns": BEGUN_NS + day as u64 / 20 * DAY_NS})
}

fn evaluation(asset: usize, day: usize) -> Value {
    json!({"kind": "evaluation", "advisories_sha256": hex(&[9; 32]), "by": format!("Person {asset}"), "components": day, "devices": asset,
        "documents": 1, "unnamed": 0, "verdicts": {"affected": day, "contradiction": 0, "indeterminate": 1, "not_affected": 2}})
}

/// Of one of five publishers; versions rise and fall, as no rule of the ledger forbids.
fn update(asset: usize, day: usize, clock: u64) -> Value {
    let kind = ["advisories", "profiles", "program"][day % 3];
    let mut offer = json!({"expires_ns": clock + DAY_NS, "key": hex(&[3; 32]), "kind": kind, "made_ns": clock - DAY_NS / 2,
        "manifest_sha256": hex(&[5; 32]), "publisher": format!("publisher-{asset}"), "version": day / 50});
    if kind != "advisories" {
        offer["program"] = "0.1.0".into();
    }
    match day % 7 {
        0 => json!({"kind": "update", "step": "went_back", "by": "the shell", "why": format!("WO-{day}"), "offer": offer}),
        _ => json!({"kind": "update", "step": "applied", "by": format!("Person {asset}"), "offer": offer}),
    }
}

/// What one of two patch servers says of one device's firmware.
fn patches(asset: usize, day: usize) -> Value {
    let state = ["installed", "pending_restart", "missing", "failed", "not_applicable", "unknown"][day % 6];
    let system = ["wsus", "katello"][asset % 2];
    let statement = json!({"asset": format!("a-{asset}"), "field": "firmware_revision", "patch": format!("FW-{}", day % 3),
        "release": format!("V1.{asset}.{}", day % 3), "row": 1, "state": state});
    json!({"kind": "patches", "by": "A. Person", "file": format!("list-{day}.csv"), "sha256": hex(&[7; 32]), "statements": [statement],
        "system": system})
}

/// A step of one of five accounts; some are not allowed, and change nothing.
fn account(asset: usize, day: usize, clock: u64) -> Value {
    let (name, by, expires_ns) = (format!("Person {asset}"), "the shell", clock + DAY_NS / 2);
    let role = ["viewer", "engineer", "approver", "auditor", "administrator"][day % 5];
    let mut step = match day % 9 {
        0..3 => json!({"step": "created", "name": name, "role": role, "by": by}),
        3 => json!({"step": "role", "name": name, "role": role, "by": by}),
        4 => json!({"step": "logged_in", "name": name, "from": "192.0.2.7"}),
        5 => {
            json!({"step": "token_made", "name": name, "id": format!("{day:016x}"), "rights": ["read"], "by": name, "expires_ns": expires_ns})
        }
        6 => json!({"step": "refused", "from": "192.0.2.7", "why": "no account has that name", "times": asset + 1}),
        7 => json!({"step": "disabled", "name": name, "by": by, "why": format!("WO-{day}")}),
        _ => json!({"step": "link_made", "name": name, "by": by, "expires_ns": expires_ns}),
    };
    step["kind"] = "account".into();
    step
}

/// A step of one of four orders, each about an asset of its own; some come before their order is opened, and change nothing.
fn change(asset: usize, day: usize) -> Value {
    let number = day % 4;
    let (order, of) = (format!("WO-{number}"), format!("a-{number}"));
    let said = |release: usize| json!({"self.firmware_revision": {"value": format!("V1.{number}.{release}"), "from": "modbus.object.2"}});
    let attempt = |release| {
        json!([{"asset": of, "time_ns": BEGUN_NS, "entries": [],
        "outcome": {"outcome": "read", "nameplate": {"fields": said(release), "facts": {}}}}])
    };
    let step = match asset {
        0 => json!({"step": "before", "tries": attempt(0)}),
        1 => json!({"step": "after", "equal": 1, "tries": attempt(day % 3)}),
        2 => {
            let until_ns = BEGUN_NS + (1_000 + day as u64) * DAY_NS;
            json!({"step": "left", "left": {"assets": [of], "fate": "deferred", "reason": "next outage", "until_ns": until_ns, "by": "A. Person"}})
        }
        _ => json!({"step": "opened", "scope": [{"asset": of, "address": {"ip": format!("10.0.0.{number}"), "port": 502, "unit": 1}}],
            "neighbours": [], "questions": ["modbus.identification.basic"], "by": "A. Person",
            "expected": [{"asset": of, "component": "self", "field": "firmware_revision", "from": format!("V1.{number}.0"), "to": format!("V1.{number}.1")}],
            "from_ns": BEGUN_NS, "until_ns": BEGUN_NS + day as u64 * DAY_NS}),
    };
    let mut body = json!({"kind": "change", "order": order});
    if let Some((body, step)) = body.as_object_mut().zip(step.as_object()) {
        body.extend(step.clone());
    }
    body
}
