//! The network as it was heard: which device stands in which zone and at which level, and what is known to join two of them. Nothing is guessed: where nobody
//! said a zone the network stands for it, a level that nobody said is the usual one of the device's class and marked so, and two devices are joined
//! where one is behind the other, or was seen to do something to it.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use nameplate_core::catalog::Asset;
use nameplate_core::profile::ProfileSet;
use nameplate_core::view::View;
use serde::Serialize;
use utoipa::ToSchema;

use crate::lines::{device_class, place};

/// Devices on a map: what a site has.
pub const MAP_DEVICES_MAX: usize = 10_000;
/// Links on a map: of what was done the latest count.
pub const MAP_LINKS_MAX: usize = 2_000;
/// Columns of a sheet in which owners write the level.
const LEVEL_COLUMNS: [&str; 3] = ["purdue_level", "purdue", "level"];
/// Levels as they stand above each other (IEC 62264, IEC 62443-1-1; 3.5 is the zone between plant and office).
pub const LEVELS: [&str; 7] = ["5", "4", "3.5", "3", "2", "1", "0"];
/// The usual level of a class: what measures or moves stands at 0, what controls at 1. What carries frames has none.
const USUAL: [(&str, &str); 8] = [
    ("drive", "0"),
    ("flow-meter", "0"),
    ("power-meter", "1"),
    ("plc", "1"),
    ("protection-relay", "1"),
    ("rtu", "1"),
    ("controller", "1"),
    ("power-controller", "1"),
];

/// Whose word something is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Whose {
    /// The owner's, in a sheet or by hand.
    Owner,
    /// The site file's, by which its zones were heard or asked.
    SiteFile,
    /// Nobody's: the network is named for it.
    Network,
    /// Nobody's: it is the usual one of the device's class.
    Class,
    /// Nobody's, and nothing stands for it.
    Nobody,
}

impl Whose {
    /// For a person.
    pub const fn text(self) -> &'static str {
        match self {
            Self::Owner => "as its owner says",
            Self::SiteFile => "as the site file says",
            Self::Network => "no zone is known; its network",
            Self::Class => "usual for its class",
            Self::Nobody => "not known",
        }
    }
}

/// A device on the map.
#[derive(Debug, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = MapDevice)]
pub struct Stands<'a> {
    pub id: &'a str,
    /// Empty where it has no address.
    pub zone: String,
    pub zone_by: Whose,
    /// Empty where it is not known.
    pub level: String,
    pub level_by: Whose,
    pub class: String,
}

/// How two devices are joined.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, ToSchema)]
#[schema(as = MapLink)]
pub struct Link<'a> {
    /// The id of who did it; of a part, of what it stands behind. An address, where no device is known there.
    pub from: String,
    pub to: &'a str,
    /// `stands behind it`, or what was seen to be done.
    pub what: &'static str,
    /// How often that was seen, by day.
    pub times: usize,
}

/// The map.
#[derive(Debug, Serialize, ToSchema)]
pub struct Map<'a> {
    pub devices: Vec<Stands<'a>>,
    pub links: Vec<Link<'a>>,
    /// What owners call conduits, with the devices that they say it of.
    pub conduits: BTreeMap<&'a str, Vec<&'a str>>,
    /// Devices that are not on it.
    pub left_out: usize,
}

impl<'a> Map<'a> {
    /// Of all that is known.
    pub fn of(view: &'a View, profiles: &ProfileSet) -> Self {
        let devices: Vec<Stands<'a>> = view.catalog.assets().take(MAP_DEVICES_MAX).map(|asset| Stands::of(asset, profiles)).collect();
        let mut conduits: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
        for asset in view.catalog.assets().take(MAP_DEVICES_MAX) {
            if let Some(conduit) = asset.columns.get("conduit").filter(|conduit| !conduit.trim().is_empty()) {
                conduits.entry(conduit).or_default().push(&asset.id);
            }
        }
        let left_out = view.catalog.assets().count().saturating_sub(devices.len());
        Self { devices, links: links(view), conduits, left_out }
    }

    /// Zones in the order of their names, each with its devices by level; those without a zone stand last.
    pub fn zones(&self) -> BTreeMap<(bool, &str), BTreeMap<&str, Vec<&Stands<'a>>>> {
        let mut zones: BTreeMap<(bool, &str), BTreeMap<&str, Vec<&Stands<'a>>>> = BTreeMap::new();
        for device in &self.devices {
            let levels = zones.entry((device.zone.is_empty(), &device.zone)).or_default();
            levels.entry(&device.level).or_default().push(device);
        }
        zones
    }
}

impl<'a> Stands<'a> {
    fn of(asset: &'a Asset, profiles: &ProfileSet) -> Self {
        let class = device_class(asset, profiles);
        let ((zone, zone_by), (level, level_by)) = (zone(asset), level(asset, &class));
        Self { id: &asset.id, zone, zone_by, level, level_by, class }
    }
}

fn said<'a>(asset: &'a Asset, column: &str) -> Option<&'a str> {
    let cell = asset.columns.iter().find(|(name, _)| name.trim().to_lowercase().replace(' ', "_") == column);
    cell.map(|(_, cell)| cell.trim()).filter(|cell| !cell.is_empty())
}

fn zone(asset: &Asset) -> (String, Whose) {
    if let Some(zone) = said(asset, "zone") {
        return (zone.to_owned(), Whose::Owner);
    }
    let mut addresses = asset.addresses.iter().rev();
    if let Some(zone) = addresses.clone().find_map(|address| address.zone.clone()) {
        return (zone, Whose::SiteFile);
    }
    match addresses.find_map(|address| address.ip).map(|ip| ip.to_canonical()) {
        Some(IpAddr::V4(ip)) => {
            let [a, b, c, _] = ip.octets();
            (format!("{a}.{b}.{c}.0/24"), Whose::Network)
        }
        Some(IpAddr::V6(ip)) => (format!("{}/64", std::net::Ipv6Addr::from(u128::from(ip) >> 64 << 64)), Whose::Network),
        None => (String::new(), Whose::Nobody),
    }
}

fn level(asset: &Asset, class: &str) -> (String, Whose) {
    let told = LEVEL_COLUMNS.iter().find_map(|column| said(asset, column));
    if let Some(level) = told.and_then(|cell| {
        let cell = cell.to_lowercase();
        let number = cell.trim_start_matches("level").trim_start_matches('l').trim();
        LEVELS.into_iter().find(|level| *level == number)
    }) {
        return (level.to_owned(), Whose::Owner);
    }
    match USUAL.iter().find(|(name, _)| *name == class) {
        Some((_, level)) => ((*level).to_owned(), Whose::Class),
        None => (String::new(), Whose::Nobody),
    }
}

/// What joins two devices, each once.
fn links(view: &View) -> Vec<Link<'_>> {
    let mut all: BTreeMap<(String, &str, &'static str), usize> = BTreeMap::new();
    for (part, parent) in view.catalog.parents() {
        all.insert((parent.to_owned(), part, "stands behind it"), 1);
    }
    let known: BTreeSet<&str> = view.catalog.assets().map(|asset| asset.id.as_str()).collect();
    for kept in view.happenings.iter() {
        let (Some(to), Some(by)) = (kept.asset(&view.catalog), &kept.happening.by) else { continue };
        // Of several that answer at one address nobody knows which it was.
        let mut there = by.ip.into_iter().flat_map(|ip| view.catalog.at(ip.to_canonical()));
        let from = match (there.next(), there.next()) {
            (Some(asset), None) if known.contains(asset.id.as_str()) => asset.id.clone(),
            _ => place(by),
        };
        *all.entry((from, &to.id, kept.happening.what.text())).or_default() += 1;
    }
    all.into_iter().take(MAP_LINKS_MAX).map(|((from, to, what), times)| Link { from, to, what, times }).collect()
}

#[cfg(test)]
pub mod tests {
    use nameplate_core::observation::Address;

    use super::*;

    /// A device that was heard somewhere, with cells of a sheet.
    pub fn asset_at(columns: &[(&str, &str)], addresses: Vec<Address>) -> Asset {
        Asset {
            id: "a-1".to_owned(),
            was: Vec::new(),
            addresses,
            speaks: BTreeMap::new(),
            claims: Vec::new(),
            imported: Vec::new(),
            believed: Vec::new(),
            columns: columns.iter().map(|(name, cell)| ((*name).to_owned(), (*cell).to_owned())).collect(),
            profile: None,
            seen_ns: (1, 1),
            observations: 1,
            why_unknown: String::new(),
            remarks: Vec::new(),
            by_hand: Vec::new(),
            facts: BTreeMap::new(),
            stays: Vec::new(),
        }
    }

    fn asset(columns: &[(&str, &str)], ip: &str, zone: Option<&str>) -> Asset {
        asset_at(columns, vec![Address { ip: ip.parse().ok(), zone: zone.map(str::to_owned), ..Address::default() }])
    }

    #[test]
    fn a_zone_and_a_level_are_somebodys_word_or_marked_as_nobodys() {
        for (cells, class, expected) in [
            (&[("purdue_level", "Level 2")][..], "plc", ("2", Whose::Owner)),
            (&[("Purdue Level", "L3.5")], "plc", ("3.5", Whose::Owner)),
            (&[("level", "high")], "plc", ("1", Whose::Class)),
            (&[], "drive", ("0", Whose::Class)),
            (&[], "industrial-switch", ("", Whose::Nobody)),
            (&[("level", "7")], "unknown", ("", Whose::Nobody)),
        ] {
            let asset = asset(cells, "10.1.2.3", None);
            let (level, by) = level(&asset, class);
            assert_eq!((level.as_str(), by), expected, "{cells:?} {class}");
        }
        for (cells, ip, heard_in, expected) in [
            (&[("zone", " Boiler ")][..], "10.1.2.3", Some("Cell"), ("Boiler", Whose::Owner)),
            (&[("zone", " ")], "10.1.2.3", Some("Cell"), ("Cell", Whose::SiteFile)),
            (&[], "10.1.2.3", None, ("10.1.2.0/24", Whose::Network)),
            (&[], "2001:db8:1:2:3::4", None, ("2001:db8:1:2::/64", Whose::Network)),
            (&[], "::ffff:10.1.2.3", None, ("10.1.2.0/24", Whose::Network)),
        ] {
            let (zone, by) = zone(&asset(cells, ip, heard_in));
            assert_eq!((zone.as_str(), by), expected, "{cells:?} {ip}");
        }
    }
}
