//! The lines that leave the program, apart from the types inside: other people's scripts rely on these shapes.

use std::collections::{BTreeMap, BTreeSet};

use nameplate_core::blind::{Question, spots};
use nameplate_core::catalog::{Asset, Catalog, Current, Event, Fact};
use nameplate_core::claim::{Claim, Field};
use nameplate_core::observation::{Address, Observation, Source, rfc3339};
use nameplate_core::profile::ProfileSet;
use nameplate_core::sheet::{COLUMNS, Column};
use serde::Serialize;
use utoipa::ToSchema;

use crate::command::events::EventLine;
use crate::web::api::shapes;

/// One claim a line: `--format claims`.
#[derive(Serialize)]
pub struct ClaimLine<'a> {
    time: String,
    source: &'a Source,
    protocol: &'a str,
    address: Address,
    field: &'a str,
    value: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    normal: Option<&'a str>,
    grade: &'a str,
    component: &'a str,
    profile: &'a str,
    rule: &'a str,
}

impl<'a> ClaimLine<'a> {
    /// The line of one claim of one observation; its speaker is where the catalog knows that he can be reached.
    pub fn new(observation: &'a Observation, claim: &'a Claim, catalog: &Catalog) -> Self {
        Self {
            time: rfc3339(observation.time_ns),
            source: &observation.source,
            protocol: &observation.protocol,
            address: catalog.reached_at(&observation.protocol, &observation.address),
            field: claim.field.name(),
            value: &claim.value,
            normal: claim.normal.as_deref(),
            grade: claim.grade.name(),
            component: &claim.component,
            profile: &claim.profile,
            rule: &claim.rule,
        }
    }
}

/// One asset a line; in the API, too.
#[derive(Serialize, ToSchema)]
pub struct DeviceLine {
    id: String,
    #[schema(value_type = Vec<shapes::Address>)]
    addresses: Vec<Address>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    speaks: BTreeMap<String, BTreeSet<String>>,
    profile: Option<String>,
    device_class: String,
    fields: Vec<FieldLine>,
    #[serde(skip_serializing_if = "String::is_empty")]
    firmware_unknown_because: String,
    /// The one question that would tell it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<shapes::Question>)]
    settled_by: Option<Question>,
    remarks: Vec<String>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    columns: BTreeMap<String, String>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    facts: BTreeMap<String, FactLine>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    was: Vec<String>,
    /// The device that this is a part of, and its own parts: `nameplate device` alone says so.
    #[serde(skip_serializing_if = "Option::is_none")]
    parent: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    parts: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(value_type = Vec<EventLine>)]
    events: Vec<serde_json::Value>,
    only_in_a_sheet: bool,
    first_seen: Option<String>,
    last_seen: Option<String>,
}

/// One field of one component of an asset.
#[derive(Serialize, ToSchema)]
pub struct FieldLine {
    component: String,
    field: &'static str,
    value: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    normal: Option<String>,
    grade: &'static str,
    time: String,
    #[schema(value_type = shapes::Source)]
    source: Source,
    observation: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    conflicting: Vec<String>,
}

impl DeviceLine {
    /// The line of one asset.
    pub fn new(asset: &Asset, profiles: &ProfileSet) -> Self {
        let fields = asset.components().into_iter().flat_map(|component| {
            Field::ALL.into_iter().filter_map(move |field| asset.current(component, field).map(|current| FieldLine::new(&current)))
        });
        Self {
            id: asset.id.clone(),
            addresses: asset.addresses.clone(),
            speaks: asset.speaks.clone(),
            profile: asset.profile.clone(),
            device_class: device_class(asset, profiles),
            fields: fields.collect(),
            firmware_unknown_because: asset.why_unknown.clone(),
            settled_by: spots([asset]).first().and_then(|spot| spot.question.copied()),
            remarks: asset.remarks.iter().cloned().chain(asset.wrong_beliefs()).collect(),
            columns: asset.columns.clone(),
            facts: asset.facts.iter().map(|(name, fact)| (name.clone(), FactLine::new(fact))).collect(),
            was: asset.was.clone(),
            parent: None,
            parts: Vec::new(),
            events: Vec::new(),
            only_in_a_sheet: asset.is_listed_only(),
            first_seen: Some(rfc3339(asset.seen_ns.0)).filter(|_| !asset.is_listed_only()),
            last_seen: Some(rfc3339(asset.seen_ns.1)).filter(|_| !asset.is_listed_only()),
        }
    }
}

impl DeviceLine {
    /// With whose part it is, its parts, and what happened to it.
    pub fn among(self, asset: &Asset, catalog: &Catalog, events: &[Event<'_>]) -> Self {
        let parent = catalog.parents().get(asset.id.as_str()).map(|id| (*id).to_owned());
        let parts = catalog.children().remove(asset.id.as_str()).unwrap_or_default().into_iter().map(str::to_owned).collect();
        let events = events.iter().filter_map(|event| serde_json::to_value(EventLine::new(event)).ok()).collect();
        Self { parent, parts, events, ..self }
    }
}

/// What an owner set by hand: its value is among the columns.
#[derive(Serialize, ToSchema)]
struct FactLine {
    by: String,
    reason: String,
    time: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    entry: Option<u64>,
    /// What the latest sheet says instead.
    #[serde(skip_serializing_if = "Option::is_none")]
    listed: Option<String>,
}

impl FactLine {
    fn new(fact: &Fact) -> Self {
        let Fact { by, reason, time_ns, entry, listed, .. } = fact.clone();
        Self { by, reason, time: rfc3339(time_ns), entry, listed }
    }
}

impl FieldLine {
    fn new(current: &Current<'_>) -> Self {
        let standing = current.standing;
        Self {
            component: standing.claim.component.clone(),
            field: standing.claim.field.name(),
            value: standing.claim.value.clone(),
            normal: standing.claim.normal.clone(),
            grade: standing.claim.grade.name(),
            time: rfc3339(standing.time_ns),
            source: standing.source.clone(),
            observation: standing.observation.map_or_else(String::new, |id| id.to_string()),
            conflicting: current
                .conflicting
                .iter()
                .map(|r| format!("{} ({}, {})", r.claim.value, r.claim.rule, r.claim.grade.name()))
                .collect(),
        }
    }
}

/// Header of the inventory file, and behind it the columns of lists that it does not know.
pub fn inventory_header(assets: &[&Asset]) -> Vec<String> {
    let more: BTreeSet<&str> = assets.iter().flat_map(|asset| asset.columns.keys().map(String::as_str)).collect();
    let more = more.into_iter().filter(|column| Column::named(column).is_none());
    COLUMNS.iter().map(|column| column.name).chain(more).map(str::to_owned).collect()
}

/// What a device is, as its profile says; where none does, as a list says.
pub fn device_class(asset: &Asset, profiles: &ProfileSet) -> String {
    let profile = asset.profile.as_deref().and_then(|id| profiles.get(id));
    let listed = || asset.shown(Field::DeviceClass).map(|current| current.standing.claim.value.clone());
    profile.map(|profile| profile.device_class.name().to_owned()).or_else(listed).unwrap_or_else(|| "unknown".to_owned())
}

/// Heard, asked, or both.
pub fn way(source: &Source) -> &'static str {
    match source {
        Source::Capture { .. } | Source::Live { .. } => "heard",
        Source::Asked { .. } => "asked",
        Source::Imported { .. } => "imported",
        Source::ByHand { .. } => "by hand",
    }
}

/// An address in a few characters: `192.168.1.10/1`, with a port where it is not the registered one of Modbus; the way behind it named
/// where it is no unit: `192.168.1.10 path 1/0`.
pub fn place(address: &Address) -> String {
    let Address { mac, ip, port, line, unit, link, rack, slot, instance, network, station, hart, path, name, zone } = address;
    let host = ip.map(|ip| ip.to_string()).or_else(|| mac.clone()).or_else(|| line.clone()).unwrap_or_default();
    let port = port.filter(|port| *port != nameplate_core::wire::modbus::PORT).map(|port| format!(":{port}")).unwrap_or_default();
    let unit = unit.map(|unit| format!("/{unit}")).unwrap_or_default();
    let number = |number: Option<u64>| number.map(|number| number.to_string());
    let ways = [
        ("link", number(link.map(u64::from))),
        ("rack", number(rack.map(u64::from))),
        ("slot", number(slot.map(u64::from))),
        ("network", number(network.map(u64::from))),
        ("station", station.clone()),
        ("instance", number(instance.map(u64::from))),
        ("hart", hart.clone()),
        ("path", path.clone()),
        ("name", name.clone()),
        ("in", zone.clone()),
    ];
    let ways = ways.into_iter().filter_map(|(kind, value)| Some(format!(" {kind} {}", value?)));
    format!("{host}{port}{unit}{}", ways.collect::<String>())
}

/// One inventory row below a header; columns that nothing fills are empty.
pub fn inventory_row(asset: &Asset, header: &[String], profiles: &ProfileSet) -> Vec<String> {
    let address = asset.address().cloned().unwrap_or_default();
    let value = |field| asset.shown(field).map(|current| current.standing.claim.value.clone()).unwrap_or_default();
    let last = asset.claims.last().or_else(|| asset.imported.first()).map(|recorded| way(&recorded.source)).unwrap_or_default();
    let cell = |column: &str| match column {
        "id" => asset.id.clone(),
        "mac" => address.mac.clone().unwrap_or_default(),
        "ip" => address.ip.map(|ip| ip.to_string()).unwrap_or_default(),
        "port" => address.port.map(|port| port.to_string()).unwrap_or_default(),
        "unit" => address.unit.map(|unit| unit.to_string()).unwrap_or_default(),
        "slot" if address.slot.is_some() => address.slot.map(|slot| slot.to_string()).unwrap_or_default(),
        "zone" if !asset.columns.contains_key("zone") => address.zone.clone().unwrap_or_default(),
        "device_class" => device_class(asset, profiles),
        "source" => last.to_owned(),
        "last_seen" if asset.is_listed_only() => String::new(),
        "last_seen" => rfc3339(asset.seen_ns.1),
        other => match Column::named(other).and_then(|column| column.field) {
            Some(field) => value(field),
            None => asset.columns.get(other).cloned().unwrap_or_default(),
        },
    };
    header.iter().map(|column| cell(column)).collect()
}
