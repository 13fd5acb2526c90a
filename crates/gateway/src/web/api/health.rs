//! Whether it works: for service managers, load balancers and Prometheus.

use std::fmt::Write;
use std::time::Instant;

use axum::Json;
use axum::extract::State;
use axum::http::header;
use axum::response::IntoResponse;
use nameplate_core::update::{Kind, Updates};
use serde::Serialize;
use utoipa::ToSchema;

use super::{Problem, Web};
use crate::disk::Room;
use crate::hatch::Heard;
use crate::house::{FieldSide, House};
use crate::outbox::Standing;

/// That it lives.
#[derive(Serialize, ToSchema)]
pub struct Live {
    /// Program and version.
    program: &'static str,
}

/// That the process answers.
#[utoipa::path(get, path = "/health/live", tag = "health", security(()), responses((status = 200, body = Live)))]
pub async fn live() -> Json<Live> {
    Json(Live { program: concat!("nameplate ", env!("CARGO_PKG_VERSION")) })
}

/// That it can be worked with.
#[derive(Serialize, ToSchema)]
pub struct Ready {
    /// Entries of the ledger.
    entries: u64,
    /// Whether the field side is there. Without it everything is shown, and nothing new is heard or asked.
    field: bool,
    /// Whether the ledger can be written. Where it cannot (the disk is full), everything is shown, nobody is asked, and nothing can be done.
    writes: bool,
}

/// That the ledger is open and is answered from.
#[utoipa::path(
    get, path = "/health/ready", tag = "health", security(()),
    responses((status = 200, body = Ready), (status = "5XX", body = Problem, content_type = "application/problem+json")),
)]
pub async fn ready(State(web): State<Web>) -> Result<Json<Ready>, Problem> {
    let field = web.house().field().since_ns.is_some();
    let writes = web.house().halted().is_none();
    web.known(move |known| Ok(Json(Ready { entries: known.size, field, writes }))).await
}

/// Counters and gauges for Prometheus, text format 0.0.4.
#[utoipa::path(
    get, path = "/metrics", tag = "health", security(("token" = ["read"]), ("session" = ["read"])),
    responses((status = 200, body = String, content_type = "text/plain"), (status = "4XX", body = Problem, content_type = "application/problem+json")),
)]
pub async fn metrics(State(web): State<Web>) -> Result<impl IntoResponse, Problem> {
    let field = web.house().field().clone();
    let text = web.apart(move |house| {
        let asked = Instant::now();
        let (entries, devices, unknown, updates) = house.known(|known| {
            let assets = known.view.catalog.assets();
            let (all, unknown) =
                assets.fold((0_u64, 0_u64), |(all, unknown), asset| (all + 1, unknown + u64::from(!asset.why_unknown.is_empty())));
            (known.size, all, unknown, expiries(&known.view.updates, known.now_ns))
        });
        let took = asked.elapsed().as_secs_f64();
        let free = Room::at(&house.directory).map_or(0, |room| room.free_bytes);
        let writes = f64::from(u8::from(house.halted().is_none()));
        let rows: [(&str, &str, &str, f64); 9] = [
            ("ledger_entries", "gauge", "Entries of the ledger.", entries as f64),
            ("ledger_writes", "gauge", "1 while the ledger can be written.", writes),
            ("devices", "gauge", "Devices in the catalog.", devices as f64),
            ("devices_firmware_unknown", "gauge", "Devices whose firmware is not known.", unknown as f64),
            ("field_up", "gauge", "1 while the field side is there.", f64::from(u8::from(field.since_ns.is_some()))),
            ("field_reports_given_up", "gauge", "Reports that were given up since the field side started.", field.given_up as f64),
            ("field_devices_listed", "gauge", "Devices that may be asked.", field.listed.len() as f64),
            ("state_free_bytes", "gauge", "Free space where the ledger is.", free as f64),
            ("catalog_read_seconds", "gauge", "What going through the catalog took now.", took),
        ];
        let mut text = String::new();
        for (name, kind, help, value) in rows {
            // Writing to a text cannot fail.
            let _ = writeln!(text, "# HELP nameplate_{name} {help}\n# TYPE nameplate_{name} {kind}\nnameplate_{name} {value}");
        }
        Ok(text + &of_interfaces(&field) + &of_targets(house, entries) + &updates)
    });
    Ok(([(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], text.await?))
}

/// Until when updates are good: of each kind the one that ends last, where publishers have the same. A program does not end.
fn expiries(updates: &Updates, now_ns: u64) -> String {
    let name = "nameplate_update_expires_seconds";
    let mut text = String::new();
    for kind in [Kind::Advisories, Kind::Profiles] {
        let ends = updates.last().filter(|one| one.offer.kind == kind).map(|one| one.offer.expires_ns).max();
        let Some(ends_ns) = ends else { continue };
        if text.is_empty() {
            text = format!("# HELP {name} Seconds until the last update of a kind expires; below zero it has.\n# TYPE {name} gauge\n");
        }
        let seconds = (ends_ns as f64 - now_ns as f64) / 1e9;
        // Writing to a text cannot fail.
        let _ = writeln!(text, "{name}{{kind=\"{kind}\"}} {}", seconds.floor());
    }
    text
}

/// A number of each interface: its name, what it is, and the number.
type OfInterface = (&'static str, &'static str, fn(&Heard) -> u64);

/// A number of each target: its name, what it is, and the number, of so many entries.
type OfTarget = (&'static str, &'static str, fn(&Standing, u64) -> u64);

/// What was counted on each interface.
fn of_interfaces(field: &FieldSide) -> String {
    let mut text = String::new();
    let counts: [OfInterface; 3] = [
        ("frames_received", "Frames since the interface was opened.", |one| one.received),
        ("frames_dropped", "Frames for which there was no room since the interface was opened.", |one| one.dropped),
        ("gaps", "Pieces of conversations that never came since the interface was opened.", |one| one.gaps),
    ];
    for (name, help, count) in counts {
        // Writing to a text cannot fail.
        let _ = writeln!(text, "# HELP nameplate_field_{name} {help}\n# TYPE nameplate_field_{name} gauge");
        for one in &field.interfaces {
            let _ = writeln!(text, "nameplate_field_{name}{{interface=\"{}\"}} {}", label(&one.interface), count(one));
        }
    }
    let name = "nameplate_field_malformed";
    let _ = writeln!(text, "# HELP {name} Messages that could not be decoded since the interface was opened.\n# TYPE {name} gauge");
    for one in &field.interfaces {
        for (layer, times) in &one.malformed {
            let _ = writeln!(text, "{name}{{interface=\"{}\",layer=\"{}\"}} {times}", label(&one.interface), label(layer));
        }
    }
    text
}

/// How it stands with who is told what happens.
fn of_targets(house: &House, entries: u64) -> String {
    let targets = house.targets();
    let numbers: [OfTarget; 4] = [
        ("up", "1 while the target can be told.", |one, _| u64::from(one.trouble.is_none())),
        ("told", "Events that the target was told.", |one, _| one.told),
        ("refused", "Messages that the target refused.", |one, _| one.refused),
        ("waiting_entries", "Entries of the ledger that the target was not told of.", |one, entries| entries.saturating_sub(one.next)),
    ];
    let mut text = String::new();
    for (name, help, number) in numbers.into_iter().filter(|_| !targets.is_empty()) {
        // Writing to a text cannot fail.
        let _ = writeln!(text, "# HELP nameplate_target_{name} {help}\n# TYPE nameplate_target_{name} gauge");
        for one in targets.values() {
            let _ = writeln!(text, "nameplate_target_{name}{{target=\"{}\"}} {}", label(&one.name), number(one, entries));
        }
    }
    text
}

/// A text as the value of a label (Prometheus text format 0.0.4).
fn label(text: &str) -> String {
    text.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_label_ends_where_its_value_does() {
        for (text, expected) in [("eth1", "eth1"), ("a\"b", "a\\\"b"), ("a\\b", "a\\\\b"), ("a\nb", "a\\nb")] {
            assert_eq!(super::label(text), expected);
        }
    }
}
