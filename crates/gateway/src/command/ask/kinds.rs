//! What the catalog knows of devices before they are asked. Those of whom the same is known share a breaker and are first asked by canary.

use std::collections::BTreeMap;
use std::net::IpAddr;

use nameplate_core::catalog::{Asset, Catalog};
use nameplate_core::claim::Field;
use nameplate_core::observation::Address;
use nameplate_field::ask::{Ask, Via};
use nameplate_field::guard::Endpoint;

use crate::hatch::answers;

/// Characters of a kind: it stands in each connection's line of the touch record, and a device wrote it.
const KIND_CHARS_MAX: usize = 120;

/// Maker, model and firmware of each device of which at least the model is known; by endpoint and station.
pub fn kinds(catalog: &Catalog, asks: &[Ask]) -> BTreeMap<(Endpoint, String), String> {
    let mut known: BTreeMap<IpAddr, Vec<(&Address, &Asset)>> = BTreeMap::new();
    for asset in catalog.assets() {
        for address in &asset.addresses {
            if let Some(ip) = address.ip {
                known.entry(ip).or_default().push((address, asset));
            }
        }
    }
    let kind_of = |ask: &Ask| {
        let station = ask.station();
        let there =
            known.get(&ask.endpoint.ip()?)?.iter().filter(|(address, _)| answers(address, matches!(ask.via, Via::Modbus(_)), &station));
        let mut kinds: Vec<String> = there.filter_map(|(_, asset)| kind(asset)).collect();
        kinds.dedup();
        // Two devices there, and nothing says which of them will answer.
        let [kind] = kinds.as_slice() else { return None };
        Some(((ask.endpoint.canonical(), station), kind.clone()))
    };
    asks.iter().filter_map(kind_of).collect()
}

fn kind(asset: &Asset) -> Option<String> {
    let shown = |field| asset.shown(field).map(|current| current.standing.claim.value.clone());
    let model = shown(Field::Model).or_else(|| shown(Field::ProductCode))?;
    let parts = [shown(Field::Manufacturer), Some(model), shown(Field::FirmwareRevision)];
    let text = parts.into_iter().flatten().collect::<Vec<_>>().join(" ");
    Some(text.chars().map(|c| if c.is_control() { ' ' } else { c }).take(KIND_CHARS_MAX).collect())
}
