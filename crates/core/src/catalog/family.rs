//! Modules in slots and stations behind gateways: whose part an asset is. It follows from where they answer, and is worked out when asked
//! for.

use std::collections::{BTreeMap, HashMap};

use super::places::Place;
use super::{Asset, Catalog};
use crate::observation::Address;

/// Assets that are parts of others: a child's id, and its parent's.
pub type Parents<'a> = HashMap<&'a str, &'a str>;

impl Catalog {
    /// Of every asset that answers behind another one, that one: the device at the address itself for units, slots, stations and paths. A
    /// part whose host never spoke for itself has none; its address says where it is.
    #[must_use]
    pub fn parents(&self) -> Parents<'_> {
        let mut parents = Parents::new();
        for asset in self.assets() {
            let Some(address) = asset.addresses.last() else { continue };
            let parent = hosts_of(address).into_iter().find_map(|host| self.speaker(&host).filter(|host| host.id != asset.id));
            if let Some(parent) = parent {
                parents.insert(&asset.id, &parent.id);
            }
        }
        parents
    }

    /// The parts of each asset that has some.
    #[must_use]
    pub fn children(&self) -> BTreeMap<&str, Vec<&str>> {
        let mut children: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
        for (child, parent) in self.parents() {
            children.entry(parent).or_default().push(child);
        }
        children.values_mut().for_each(|parts| parts.sort_unstable());
        children
    }

    /// The asset that answers at a place, where there is one alone.
    fn speaker(&self, address: &Address) -> Option<&Asset> {
        let place = Place::of(address);
        let numbers = self.places.speakers(&place);
        let mut assets: Vec<&Asset> = numbers.filter_map(|number| self.assets.get(number)).collect();
        assets.sort_by_key(|asset| &asset.id);
        assets.dedup_by_key(|asset| &asset.id);
        let [one] = assets[..] else { return None };
        Some(one)
    }
}

/// The places that lead to this one, the nearest first: of `10.0.0.1/1/0`, `10.0.0.1`. Empty for a host itself.
fn hosts_of(address: &Address) -> Vec<Address> {
    let Address { zone, .. } = address;
    let at = |ip| Address { ip: Some(ip), zone: zone.clone(), ..Address::default() };
    if let Some(path) = &address.path {
        let links: Vec<&str> = path.split('/').collect();
        // The path begins with the address that it goes through, or leads on from the address beside it.
        let ip = links.first().and_then(|ip| ip.parse().ok());
        let begin = if ip.is_some() { 1 } else { 0 };
        let shorter = (begin + 1..links.len().saturating_sub(1)).rev().map(|end| links.get(..end).unwrap_or_default().join("/"));
        let mut hosts: Vec<Address> = shorter.map(|path| Address { path: Some(path), ..address.clone() }).collect();
        hosts.extend(ip.or(address.ip).map(at));
        return hosts;
    }
    let is_host = Place::of(address).is_host();
    address.ip.filter(|_| !is_host).map(at).into_iter().collect()
}
