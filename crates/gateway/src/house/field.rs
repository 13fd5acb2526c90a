//! What the desk knows of the field side: what it listens on, whom it may ask, and how it is getting on.

use std::collections::BTreeMap;

use nameplate_core::catalog::Asset;

use crate::hatch::{At, Heard};
use crate::lines::place;

/// What is known of the other process.
#[derive(Clone, Debug, Default)]
pub struct FieldSide {
    /// Since when it is there, in nanoseconds since 1970; `None` while it is not.
    pub since_ns: Option<u64>,
    /// Program and version.
    pub program: String,
    /// The site's name, as its file has it.
    pub site: String,
    /// Fingerprint of the key that seals its touch record.
    pub key: String,
    /// The interfaces that are listened to, and what was counted there.
    pub interfaces: Vec<Heard>,
    /// Devices that may be asked, as the site file names them.
    pub listed: Vec<String>,
    /// Where each of them is asked, by its name.
    pub at: BTreeMap<String, Vec<At>>,
    /// Reports that were given up there.
    pub given_up: u64,
    /// The round that is being asked.
    pub round: Option<Round>,
}

impl FieldSide {
    /// Frames of all interfaces that came in, and that were dropped.
    pub fn frames(&self) -> (u64, u64) {
        let sum =
            |(received, dropped): (u64, u64), one: &Heard| (received.saturating_add(one.received), dropped.saturating_add(one.dropped));
        self.interfaces.iter().fold((0, 0), sum)
    }

    /// The listed device that an asset is, as the site file names it: by its owner's tag or its target, else by where it is asked. Not by the name that the
    /// asset gives itself: anybody may say one. Two that could be it are none.
    pub fn name_of(&self, asset: &Asset) -> Option<&String> {
        // Where it answers now: what was its address before may be another's.
        let last = asset.addresses.last();
        let now = || asset.addresses.iter().filter(|one| last.is_some_and(|last| (one.ip, &one.line) == (last.ip, &last.line)));
        let tag = asset.columns.get("tag").cloned();
        let names: Vec<String> = tag.into_iter().chain(now().map(place)).filter(|name| !name.is_empty()).collect();
        let only = |is: &dyn Fn(&&String) -> bool| {
            let mut fitting = self.listed.iter().filter(is);
            fitting.next().filter(|_| fitting.next().is_none())
        };
        let is_there = |name: &&String| self.at.get(*name).is_some_and(|at| at.iter().any(|at| now().any(|address| at.is_at(address))));
        only(&|name| names.contains(name)).or_else(|| only(&is_there))
    }
}

/// Devices that are being asked.
#[derive(Clone, Debug)]
pub struct Round {
    /// Its number.
    pub number: u64,
    /// A plan's name or a work order.
    pub why: String,
    /// How many.
    pub devices: usize,
}

#[cfg(test)]
mod tests {
    use nameplate_core::observation::Address;

    use super::*;
    use crate::map::tests::asset_at;

    #[test]
    fn a_device_is_found_in_the_site_file_by_its_tag_and_by_where_it_is_asked() {
        let at = |protocol: &str, ip: &str, station: &str| At {
            protocol: protocol.to_owned(),
            ip: ip.parse().ok(),
            line: None,
            mac: None,
            station: station.to_owned(),
        };
        let listed = [
            ("Pump 1", at("modbus", "10.0.0.1", "255")),
            ("Slave 3", at("modbus", "10.0.0.1", "3")),
            ("10.0.0.2:161", at("snmp", "10.0.0.2", "")),
            ("Twin A", at("snmp", "10.0.0.4", "")),
            ("Twin B", at("http", "10.0.0.4", "")),
        ];
        let field = FieldSide {
            listed: listed.iter().map(|(name, _)| (*name).to_owned()).collect(),
            at: listed.iter().map(|(name, at)| ((*name).to_owned(), vec![at.clone()])).collect(),
            ..FieldSide::default()
        };
        let heard = |ip: &str, port, unit| Address { ip: ip.parse().ok(), port, unit, ..Address::default() };
        for (tag, addresses, expected) in [
            ("Pump 1", vec![heard("10.9.9.9", None, None)], Some("Pump 1")),
            ("P-17", vec![heard("10.0.0.1", Some(502), Some(255))], Some("Pump 1")),
            ("P-17", vec![heard("10.0.0.1", Some(502), Some(3))], Some("Slave 3")),
            ("P-17", vec![heard("10.0.0.1", Some(502), Some(4))], None),
            ("", vec![heard("10.0.0.2", Some(161), None)], Some("10.0.0.2:161")),
            ("", vec![heard("10.0.0.2", Some(80), None), heard("10.0.0.2", Some(161), None)], Some("10.0.0.2:161")),
            // It answered there once; now somebody else may.
            ("", vec![heard("10.0.0.2", Some(161), None), heard("10.0.0.3", Some(161), None)], None),
            // Two that could be it are none, but for the tag.
            ("", vec![heard("10.0.0.4", None, None)], None),
            ("Twin B", vec![heard("10.0.0.4", None, None)], Some("Twin B")),
            ("", vec![], None),
        ] {
            let asset = asset_at(&[("tag", tag)], addresses.clone());
            assert_eq!(field.name_of(&asset).map(String::as_str), expected, "{tag:?} {addresses:?}");
        }
    }
}
