//! The catalog as a bill of materials: each device, its modules and its firmware.
//!
//! Source: CycloneDX 1.6 (ECMA-424, 1st edition): `device` and `firmware` components. What CycloneDX has no place for stands in properties under `nameplate:`; the
//! grade among them, because `evidence.identity` wants a confidence between 0 and 1, and no standard says what number a banner deserves.

use nameplate_core::catalog::{Asset, Catalog, Parents, Recorded};
use nameplate_core::claim::Field;
use nameplate_core::observation::{hex, rfc3339};
use nameplate_core::profile::ProfileSet;
use nameplate_core::text::printable;
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};

use super::Site;
use crate::lines::{device_class, place, way};

/// Fields that are a component's own keys; all others are properties of it.
const OWN_KEYS: [Field; 3] = [Field::Manufacturer, Field::Model, Field::FirmwareRevision];
/// The name of what does not say what it is. CycloneDX wants one.
const NAMELESS: &str = "unknown device";

/// The bill of materials of a site.
pub fn bill(site: &Site<'_>, catalog: &Catalog, profiles: &ProfileSet) -> Value {
    let parents = catalog.parents();
    let devices: Vec<Value> = catalog.assets().map(|asset| device(asset, &parents, profiles)).collect();
    let of: Vec<&str> = catalog.assets().map(|asset| asset.id.as_str()).collect();
    json!({
        "$schema": "http://cyclonedx.org/schema/bom-1.6.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "serialNumber": serial_number(site),
        "version": 1,
        "metadata": {
            "timestamp": rfc3339(site.at_ns),
            "tools": { "components": [{ "type": "application", "name": "nameplate", "version": env!("CARGO_PKG_VERSION") }] },
            "component": { "type": "platform", "bom-ref": site.origin, "name": site.name },
            "properties": [property("entries", site.entries.to_string()), property("origin", site.origin)],
        },
        "components": devices,
        // What answers and what is heard is not all that there is.
        "compositions": [{ "aggregate": "incomplete", "assemblies": of }],
    })
}

/// The same content has the same number: RFC 9562, version 8 (what is in it is ours to say).
fn serial_number(site: &Site<'_>) -> String {
    let mut bytes: Vec<u8> = Sha256::digest(format!("{}\n{}\n{}\n", site.origin, site.entries, site.at_ns)).into_iter().take(16).collect();
    // CycloneDX knows the versions 1 to 5 alone; 5 is a hash of a name, which this is.
    if let [_, _, _, _, _, _, version, _, variant, ..] = bytes.as_mut_slice() {
        (*version, *variant) = (*version & 0x0f | 0x50, *variant & 0x3f | 0x80);
    }
    let digits = hex(&bytes);
    let part = |from: usize, to: usize| digits.get(from..to).unwrap_or_default();
    format!("urn:uuid:{}-{}-{}-{}-{}", part(0, 8), part(8, 12), part(12, 16), part(16, 20), part(20, 32))
}

fn device(asset: &Asset, parents: &Parents<'_>, profiles: &ProfileSet) -> Value {
    let shown = |field| asset.shown(field).map(|current| printable(&current.standing.claim.value));
    let mut component = Map::from_iter([
        ("type".to_owned(), json!("device")),
        ("bom-ref".to_owned(), json!(asset.id)),
        ("name".to_owned(), json!(shown(Field::Model).or_else(|| shown(Field::ProductCode)).unwrap_or_else(|| NAMELESS.to_owned()))),
    ]);
    if let Some(manufacturer) = shown(Field::Manufacturer) {
        component.insert("manufacturer".to_owned(), json!({ "name": manufacturer }));
    }
    let mut properties = vec![property("device_class", device_class(asset, profiles))];
    properties.extend(asset.addresses.iter().map(|address| property("address", place(address))));
    properties.extend(asset.was.iter().map(|id| property("was", id)));
    if let Some(parent) = parents.get(asset.id.as_str()) {
        properties.push(property("part_of", *parent));
    }
    if !asset.why_unknown.is_empty() {
        properties.push(property("firmware_unknown_because", printable(&asset.why_unknown)));
    }
    if asset.is_listed_only() {
        properties.push(property("only_in_a_sheet", "true"));
    } else {
        properties.push(property("first_seen", rfc3339(asset.seen_ns.0)));
        properties.push(property("last_seen", rfc3339(asset.seen_ns.1)));
    }
    let parts: Vec<Value> = asset.components().into_iter().map(|part| of_part(asset, part)).collect();
    component.insert("properties".to_owned(), json!(properties));
    if !parts.is_empty() {
        component.insert("components".to_owned(), json!(parts));
    }
    Value::Object(component)
}

/// What one part of a device says: its firmware, or, where it says none, the part itself.
fn of_part(asset: &Asset, part: &str) -> Value {
    let current = |field| asset.current(part, field);
    let said = |field| current(field).map(|current| printable(&current.standing.claim.value));
    let firmware = current(Field::FirmwareRevision);
    let name = said(Field::Model).or_else(|| said(Field::ProductCode)).unwrap_or_else(|| part.to_owned());
    let mut component = Map::from_iter([
        ("type".to_owned(), json!(if firmware.is_some() { "firmware" } else { "device" })),
        ("bom-ref".to_owned(), json!(format!("{}/{}", asset.id, printable(part)))),
        ("name".to_owned(), json!(if firmware.is_some() { format!("{name} firmware") } else { name })),
    ]);
    if let Some(manufacturer) = said(Field::Manufacturer) {
        component.insert("manufacturer".to_owned(), json!({ "name": manufacturer }));
    }
    let mut properties = vec![property("part", printable(part))];
    if let Some(firmware) = &firmware {
        component.insert("version".to_owned(), json!(printable(&firmware.standing.claim.value)));
        properties.extend(rests_on("firmware_revision", firmware.standing));
        properties
            .extend(firmware.conflicting.iter().map(|other| property("firmware_revision:conflicting", printable(&other.claim.value))));
    }
    for field in Field::ALL.into_iter().filter(|field| !OWN_KEYS.contains(field)) {
        if let Some(current) = current(field) {
            properties.push(property(field.name(), printable(&current.standing.claim.value)));
        }
    }
    component.insert("properties".to_owned(), json!(properties));
    Value::Object(component)
}

/// When it was read, how, how good that is, and where the evidence of it is.
fn rests_on(field: &str, standing: &Recorded) -> Vec<Value> {
    let mut properties = vec![
        property(&format!("{field}:time"), rfc3339(standing.time_ns)),
        property(&format!("{field}:method"), way(&standing.source)),
        property(&format!("{field}:grade"), standing.claim.grade.name()),
        property(&format!("{field}:rule"), printable(&standing.claim.rule)),
    ];
    properties.extend(standing.entry.map(|entry| property(&format!("{field}:ledger_entry"), entry.to_string())));
    properties
}

fn property(name: &str, value: impl Into<String>) -> Value {
    json!({ "name": format!("nameplate:{name}"), "value": value.into() })
}
