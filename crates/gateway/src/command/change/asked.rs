//! How the devices of a change are asked: by the ways of `nameplate ask`, as the plan has them. What leads to a secret is not in a plan; the site
//! file says it, or who reads.

use nameplate_core::change::{Asked, Place, Plan};
use nameplate_core::observation::Address;
use nameplate_core::wire::{bacnet, dnp3, modbus};
use nameplate_field::ask::Ask;
use nameplate_field::s7comm;

use super::super::ask::keys::{self, Keys, VIA};
use super::super::ask::{Kept, Named, Site, same};
use crate::failure::{Code, Failure};

/// In the place of a protocol: nobody can ask it, what is heard of it counts.
pub const HEARD: &str = "heard";

/// How fast, under whose rules, and with what that no plan keeps.
pub struct How {
    /// Scales the gaps; below 1 for loopback alone.
    pub time_factor: f64,
    /// The site, where its owner wrote a file: its rules hold, and it has to list each device.
    pub site: Option<Site>,
    /// Options that are said anew for each reading.
    pub anew: Keys,
    /// Where certificates are.
    pub kept: Kept,
}

impl How {
    /// What is asked of a device; `None` where what is heard counts alone.
    ///
    /// # Errors
    /// A plan that another program wrote; a device that the site file does not list; a credential that nobody names.
    pub fn ask(&self, plan: &Plan, place: &Place) -> Result<Option<Ask>, Failure> {
        if place.protocol() == HEARD {
            return Ok(None);
        }
        let asked = asked(plan, place)?;
        let Some(site) = &self.site else {
            let ask = self.with(&asked, place, &self.anew);
            return ask.map(Some).map_err(|failure| Failure::new(failure.code, format!("{}: {}", place.asset, failure.why)));
        };
        let mut trouble = None;
        let beside = |listed: &Ask| listed.via.adapter().name() == place.protocol() && listed.endpoint.ip() == place.address.ip;
        for (listed, _, keys) in site.listed().filter(|(listed, ..)| beside(listed)) {
            match self.with(&asked, place, keys) {
                Ok(ask) if same(&ask, listed) => return Ok(Some(ask)),
                Ok(_) => {}
                Err(failure) => trouble = Some(failure.why),
            }
        }
        let (over, at) = (place.protocol(), &asked.target);
        let why = trouble.unwrap_or_else(|| format!("the site file does not list {at} over {over}; it may ask only what it lists"));
        Err(Failure::new(Code::Usage, format!("{}: {why}", place.asset)))
    }

    /// The plan's options, with those that are said anew.
    fn with(&self, asked: &Asked, place: &Place, anew: &Keys) -> Result<Ask, Failure> {
        let anew = anew.iter().filter(|(key, _)| keys::is_said_anew(key) && keys::is_about(key, place.protocol()));
        let mut keys = asked.options.clone();
        keys.extend(anew.map(|(key, values)| (key.clone(), values.clone())));
        one(&keys, &asked.target, &self.kept)
    }
}

/// What one device is asked in one protocol.
///
/// # Errors
/// Keys or a target that are none.
pub fn one(keys: &Keys, target: &str, kept: &Kept) -> Result<Ask, Failure> {
    let asks = keys::ways(keys)?.asks(target, kept)?;
    let several = || Failure::new(Code::Usage, format!("{target} is asked in one protocol before and after a change"));
    <[Ask; 1]>::try_from(asks).map(|[ask]| ask).map_err(|_| several())
}

/// How a plan has it asked. In earlier plans the address alone says it, and the questions of Modbus stand in the plan.
fn asked(plan: &Plan, place: &Place) -> Result<Asked, Failure> {
    let unwhole = || Failure::new(Code::Input, format!("{}: the change names no whole address of it", place.asset));
    if let Some(asked) = &place.asked {
        return Ok(asked.clone());
    }
    let target = target(place.protocol(), &place.address).ok_or_else(unwhole)?;
    let mut options = Keys::from([(VIA.to_owned(), vec![place.protocol().to_owned()])]);
    if place.protocol() == "modbus" {
        options.insert("question".to_owned(), plan.questions.iter().filter_map(|name| Named::of(name)).collect());
    }
    Ok(Asked { options, target })
}

/// A target as `nameplate ask` takes it; `None` where the address lacks something that the protocol needs.
pub fn target(protocol: &str, address: &Address) -> Option<String> {
    let unit = || address.unit.map(|unit| unit.to_string());
    let link = || address.link.map(|link| link.to_string());
    // With a station behind it a port is written, so that nobody reads a network.
    let (station, port) = match protocol {
        "modbus" => (Some(unit()?), Some(modbus::PORT)),
        "modbus-rtu" => (Some(unit()?), None),
        "dnp3" => (Some(link()?), Some(dnp3::PORT)),
        "bacnet" => (address.instance.map(|instance| instance.to_string()), Some(bacnet::PORT)),
        "pn-dcp" => return None,
        "s7comm" => (address.rack.zip(address.slot).map(|(rack, slot)| format!("{rack}.{slot}")), Some(s7comm::PORT)),
        _ => (None, None),
    };
    let port = address.port.or(port.filter(|_| station.is_some()));
    let host = match (&address.line, address.ip.map(|ip| ip.to_canonical())) {
        (Some(line), _) => format!("serial:{line}"),
        (None, Some(ip)) if ip.is_ipv6() => format!("[{ip}]"),
        (None, ip) => ip?.to_string(),
    };
    let port = port.filter(|_| address.line.is_none()).map(|port| format!(":{port}")).unwrap_or_default();
    let station = station.map(|station| format!("/{station}")).unwrap_or_default();
    Some(format!("{host}{port}{station}"))
}
