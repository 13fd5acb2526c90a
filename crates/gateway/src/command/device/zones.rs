//! `nameplate device zones`: what a site file says of its zones, for every device whose address is in one.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::path::Path;

use nameplate_core::catalog::{Asset, Catalog};
use nameplate_core::hand::{Act, Hand};
use nameplate_field::site::Place;

use super::hand::Who;
use crate::command::ask::{Area, Kept, Site};
use crate::failure::Failure;

/// What is to be recorded: a zone and its facts for each device that does not have them by hand already.
///
/// # Errors
/// The site file's.
pub fn hands(path: &Path, catalog: &Catalog, who: &Who) -> Result<Vec<Hand>, Failure> {
    let site = Site::read(path, &Kept { state: None, writes: false })?;
    let placed = catalog.assets().filter_map(|asset| Some((asset, site.zones.iter().find(|area| holds(area, asset))?)));
    let hands = placed.filter_map(|(asset, area)| {
        let all = area.facts.iter().map(|(name, value)| (name.as_str(), value.as_str())).chain([("zone", area.name.as_str())]);
        let news = all.filter(|(name, value)| asset.facts.get(*name).is_none_or(|fact| fact.value != *value));
        let facts: BTreeMap<String, Option<String>> = news.map(|(name, value)| (name.to_owned(), Some(value.to_owned()))).collect();
        (!facts.is_empty()).then(|| who.did(Act::Set { asset: asset.id.clone(), facts }))
    });
    Ok(hands.collect())
}

/// Where a device answers now, or is said to.
fn holds(area: &Area, asset: &Asset) -> bool {
    let Some(ip) = asset.addresses.iter().rev().find_map(|address| address.ip) else { return false };
    let prefix = match ip {
        IpAddr::V4(_) => 32,
        IpAddr::V6(_) => 128,
    };
    let here = Place::Network { address: ip, prefix };
    // An address that repeats from zone to zone is in the one in which it was heard.
    let heard_in = asset.addresses.last().and_then(|address| address.zone.as_deref());
    heard_in.is_none_or(|zone| zone == area.name) && area.places.iter().any(|place| place.overlaps(&here))
}
