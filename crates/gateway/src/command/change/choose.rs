//! In which protocol a device of a change is asked: as the site file has it, or as it was heard to speak.

use nameplate_core::catalog::Asset;
use nameplate_core::change::{Asked, Place};
use nameplate_core::observation::Address;
use nameplate_field::ask::Ask;
use nameplate_field::modbus::UNIT_NONE;

use super::super::ask::keys::{self, Keys, VIA};
use super::super::ask::{Kept, Named, Site};
use super::asked::{HEARD, one, target};
use crate::failure::{Code, Failure};
use crate::hatch::At;

/// The protocols of `nameplate ask` but those that need a person for each question: identity objects before names, names before greetings.
const PROTOCOLS: [&str; 21] = [
    "modbus",
    "enip",
    "bacnet",
    "s7comm",
    "dnp3",
    "mms",
    "opcua",
    "hart-ip",
    "fins",
    "slmp",
    "modbus-rtu",
    "pn-io",
    "snmp",
    "sel-ascii",
    "https",
    "http",
    "ftp",
    "telnet",
    "ssh",
    "cip",
    "pn-dcp",
];

/// Those that are asked what `--question` says.
const MODBUS: [&str; 2] = ["modbus", "modbus-rtu"];

/// What `change open` was told of it.
pub struct Choice<'a> {
    /// The site file: it has the device's way of being asked.
    pub site: Option<&'a Site>,
    /// Options for all devices of the change.
    pub keys: &'a Keys,
    /// Where certificates are.
    pub kept: &'a Kept,
}

impl Choice<'_> {
    /// Where a device is asked, and how; and why not in a protocol that it was heard to speak.
    ///
    /// # Errors
    /// An option that is none; a device that the site file does not list.
    pub fn place(&self, asset: &Asset) -> Result<(Place, Vec<String>), Failure> {
        match self.site {
            Some(site) => self.of_site(asset, site).map(|place| (place, Vec::new())),
            None => self.of_catalog(asset),
        }
    }

    fn of_site(&self, asset: &Asset, site: &Site) -> Result<Place, Failure> {
        let wanted = self.wanted();
        let order = |protocol: &str| wanted.iter().position(|one| one == protocol);
        let at = |listed: &Ask| {
            asset.addresses.iter().rev().filter(|address| At::of(listed).is_at(address)).max_by_key(|address| is_port(address, listed))
        };
        let listed = site.listed().filter_map(|(listed, target, keys)| {
            let (protocol, address) = (listed.via.adapter().name(), at(listed)?);
            // Behind one address may be several devices, each at a port of its own.
            Some(((!is_port(address, listed), order(protocol)?), address, protocol, target, keys))
        });
        let unlisted =
            || Failure::new(Code::Usage, format!("{}: the site file lists none of its addresses; it may ask only what it lists", asset.id));
        let (_, address, protocol, target, keys) = listed.min_by_key(|(order, ..)| *order).ok_or_else(unlisted)?;
        let mut all = keys.clone();
        all.extend(self.keys.clone());
        Ok(self.asked(asset, address.clone(), protocol, target.to_owned(), &all))
    }

    fn of_catalog(&self, asset: &Asset) -> Result<(Place, Vec<String>), Failure> {
        let named = self.keys.contains_key(VIA);
        let wanted = self.wanted();
        let mut served: Vec<&str> = wanted.iter().map(String::as_str).filter(|protocol| serves(asset, protocol)).collect();
        if named && served.is_empty() {
            served.extend(wanted.first().map(String::as_str));
        } else if asset.speaks.is_empty() {
            served.push("modbus");
        }
        let mut notes = Vec::new();
        for protocol in served {
            let Some(address) = address(asset, protocol) else { continue };
            let Some(target) = target(protocol, &address) else { continue };
            let place = self.asked(asset, address, protocol, target, self.keys);
            let asked = place.asked.as_ref().map(|asked| one(&self.all(asked), &asked.target, self.kept));
            match asked {
                Some(Err(failure)) if named => return Err(Failure::new(failure.code, format!("{}: {}", asset.id, failure.why))),
                Some(Err(failure)) => notes.push(format!("{} is not asked over {protocol}: {}", asset.id, failure.why)),
                _ => return Ok((place, notes)),
            }
        }
        let heard = Place { asset: asset.id.clone(), address: Address::default(), via: Some(HEARD.to_owned()), asked: None };
        Ok((heard, notes))
    }

    /// The protocols, the best first.
    fn wanted(&self) -> Vec<String> {
        self.keys.get(VIA).cloned().unwrap_or_else(|| PROTOCOLS.iter().map(|protocol| (*protocol).to_owned()).collect())
    }

    /// With what is said anew, so that it is known that it can be asked.
    fn all(&self, asked: &Asked) -> Keys {
        let mut keys = self.keys.clone();
        keys.extend(asked.options.clone());
        keys
    }

    fn asked(&self, asset: &Asset, address: Address, protocol: &str, target: String, keys: &Keys) -> Place {
        let kept = keys.iter().filter(|(key, _)| keys::is_about(key, protocol) && !keys::is_said_anew(key));
        let mut options: Keys = kept.map(|(key, values)| (key.clone(), values.clone())).collect();
        options.insert(VIA.to_owned(), vec![protocol.to_owned()]);
        if MODBUS.contains(&protocol) && !options.contains_key("modbus-profile") {
            options.entry("question".to_owned()).or_insert_with(|| Named::Regular.word().into_iter().collect());
        }
        // Where somebody asks is where he looks for it afterwards; what it calls itself is none of it.
        let Address { mac, ip, port, line, unit, .. } = address;
        let address = Address { mac: mac.filter(|_| ip.is_none()), ip, port, line, unit, ..Address::default() };
        let via = (protocol != "modbus").then(|| protocol.to_owned());
        Place { asset: asset.id.clone(), address, via, asked: Some(Asked { options, target }) }
    }
}

/// Whether it was heard to serve a protocol. Who was asked has no role there: nobody heard him in one.
fn serves(asset: &Asset, protocol: &str) -> bool {
    let also = match protocol {
        "enip" => "cip",
        "https" => "tls",
        other => other,
    };
    let serves = |name: &str| asset.speaks.get(name).is_some_and(|roles| roles.is_empty() || roles.contains("server"));
    serves(protocol) || serves(also)
}

/// Where it answers in a protocol: where it told something in it last, else where it is at all.
fn address(asset: &Asset, protocol: &str) -> Option<Address> {
    let direct = |address: &&Address| (address.ip.is_some() || address.line.is_some()) && address.path.is_none();
    let told = asset.claims.iter().filter(|one| one.claim.rule.strip_prefix(protocol).is_some_and(|rest| rest.starts_with('.')));
    let told = told.max_by_key(|one| one.time_ns).map(|one| &*one.address).filter(direct);
    let known = || {
        let with_port = asset.addresses.iter().rev().filter(direct).find(|address| address.port.is_some());
        let address = with_port.or_else(|| asset.addresses.iter().rev().find(direct))?;
        // Of one that speaks several protocols nobody knows which one has this port.
        Some(Address { port: address.port.filter(|_| asset.speaks.len() <= 1), ..address.clone() })
    };
    let address = told.cloned().or_else(known)?;
    let itself = protocol == "modbus" && address.unit.is_none();
    Some(Address { unit: if itself { Some(UNIT_NONE) } else { address.unit }, ..address })
}

fn is_port(address: &Address, listed: &Ask) -> bool {
    address.port.is_some() && address.port == listed.endpoint.address().map(|at| at.port())
}
