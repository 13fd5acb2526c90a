//! Which asset an observation belongs to, and when two that were taken for two are one.
//!
//! In doubt there is an asset too many. Two become one only where one of them was never more than seen; then nothing that was said changes
//! its owner, and the id of the other is the one that stays. The id that goes still names it.

use std::net::IpAddr;

use super::assets::Number;
use super::places::Place;
use super::serial::Serial;
use super::unknown::NEVER_IDENTIFIED;
use super::{Asset, Catalog, Meaning, Outline};
use crate::observation::{Address, Authority};

impl Catalog {
    /// The asset that an observation belongs to, as far as one is known; or else the one that it replaces at its address. `exactly_here` is
    /// the one that was heard there in exactly this way.
    pub(super) fn owner(
        &mut self,
        outline: &Outline,
        said: &Meaning,
        serial: Option<&Serial>,
        exactly_here: Option<Number>,
    ) -> (Option<Number>, Option<Number>) {
        let Outline { protocol, address, .. } = outline;
        if self.is_apart(address) {
            // A person said that what answers here is a device of its own.
            return (exactly_here.or_else(|| self.places.likely(protocol, address)), None);
        }
        let here = exactly_here.or_else(|| self.places.likely(protocol, address));
        let is_another = |number: &Number| self.assets.get(*number).is_some_and(|asset| asset.is_another_than(serial));
        let of_its_make = |number: &Number| self.assets.get(*number).is_some_and(|asset| asset.may_say(&said.claims));
        let (known, also) = match serial.and_then(|serial| self.serials.get(serial)) {
            // Without that number it would be the one here that speaks.
            Some(number) => (Some(number), here),
            None => {
                let also = self.announced(outline, here).filter(of_its_make).filter(|number| !is_another(number));
                let by_instance = self.places.with_instance(address).filter(of_its_make);
                (by_instance.or(here).or_else(|| self.listed_at(address)), also)
            }
        };
        // Another serial number at a known address is another device.
        match (known, also) {
            (Some(number), _) if is_another(&number) => (None, Some(number)),
            (Some(known), Some(also)) if known != also => (Some(self.one_of(known, also)), None),
            (known, also) => (known.or(also), None),
        }
    }

    /// The only asset that is at the observation's network address by its own word, or that is there by the observation's; and a hardware
    /// address of both is the same. Behind a router none is, and two devices that left the factory with one network address have two. `here`
    /// is the asset that speaks there in this way; where others do, too, they stand behind the one that has the address.
    fn announced(&self, outline: &Outline, here: Option<Number>) -> Option<Number> {
        let Outline { address, announced, authority, .. } = outline;
        if *authority == Some(Authority::Belief) {
            return None;
        }
        let own = |mac: &String| address.mac.as_ref() == Some(mac) || announced.iter().any(|other| other.mac.as_ref() == Some(mac));
        let mut found: Vec<Number> = Vec::new();
        let mut agrees = |mac: &String, number| {
            if !found.contains(&number) && own(mac) {
                found.push(number);
            }
        };
        match address.ip {
            Some(ip) => {
                let stations = self.places.announced_at(ip);
                // What most readings end with: nobody announced their address.
                if stations.is_empty()
                    || !Place::of(address).is_host()
                    || self.places.hosts_at(ip, address.zone.as_deref()).any(|other| Some(other) != here)
                {
                    return None;
                }
                stations.iter().for_each(|(mac, number)| agrees(mac, *number));
            }
            None => {
                for ip in announced.iter().filter_map(|own| own.ip) {
                    self.places.announced_at(ip).iter().for_each(|(mac, number)| agrees(mac, *number));
                    self.heard_at(ip, address.zone.as_deref()).for_each(|(mac, number)| agrees(mac, number));
                }
            }
        }
        let [number] = found[..] else { return None };
        Some(number)
    }

    /// Who answers at a network address, and the hardware addresses from which he did.
    fn heard_at<'a>(&'a self, ip: IpAddr, zone: Option<&'a str>) -> impl Iterator<Item = (&'a String, Number)> {
        let here = self.places.hosts_at(ip, zone).filter_map(|number| Some((number, self.assets.get(number)?)));
        here.flat_map(move |(number, asset)| {
            let there = asset.addresses.iter().filter(move |address| address.ip == Some(ip) && Place::of(address).is_host());
            there.filter_map(move |address| address.mac.as_ref().map(|mac| (mac, number)))
        })
    }

    /// The one that stays of two that are one; the first where both said something of themselves, because then nobody can say so.
    fn one_of(&mut self, known: Number, also: Number) -> Number {
        let was_only_seen = |number| self.assets.get(number).is_some_and(Asset::was_only_seen);
        let (goes, stays) = match (was_only_seen(also), was_only_seen(known)) {
            (true, _) => (also, known),
            (false, true) => (known, also),
            (false, false) => return known,
        };
        if let (Some(gone), Some(asset)) = self.assets.join(goes, stays) {
            gone.addresses.iter().for_each(|address| self.places.hand_over(address, goes, stays));
            asset.was_seen_as(gone);
        }
        stays
    }
}

impl Asset {
    /// True where nobody said anything of it, itself included.
    fn was_only_seen(&self) -> bool {
        let said = self.claims.len() + self.imported.len() + self.believed.len() + self.columns.len() + self.remarks.len();
        said == 0 && !self.is_listed_only() && self.why_unknown == NEVER_IDENTIFIED
    }

    /// Takes over where and when another was seen that is this one.
    pub(super) fn was_seen_as(&mut self, gone: Self) {
        let news = gone.addresses.into_iter().filter(|address| !self.addresses.contains(address));
        let earlier: Vec<Address> = news.collect();
        self.addresses.splice(0..0, earlier);
        if gone.observations > 0 {
            self.seen_ns = (self.seen_ns.0.min(gone.seen_ns.0), self.seen_ns.1.max(gone.seen_ns.1));
        }
        for (protocol, roles) in gone.speaks {
            self.speaks.entry(protocol).or_default().extend(roles);
        }
        self.stays.extend(gone.stays);
        self.stays.sort_by_key(|stay| stay.since_ns);
        self.observations = self.observations.saturating_add(gone.observations);
        self.was.push(gone.id);
        self.was.extend(gone.was);
    }
}

#[cfg(test)]
mod tests;
