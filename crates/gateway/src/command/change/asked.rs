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
        let ip = place.address.ip.map(|ip| ip.to_canonical());
        let beside = |listed: &Ask| listed.via.adapter().name() == place.protocol() && listed.endpoint.ip() == ip;
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
        let questions: Vec<String> = plan.questions.iter().filter_map(|name| Named::of(name)).collect();
        let none = || Failure::new(Code::Input, format!("{}: the change names no question that can be put to it", place.asset));
        options.insert("question".to_owned(), Some(questions).filter(|questions| !questions.is_empty()).ok_or_else(none)?);
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

#[cfg(test)]
mod tests {
    use nameplate_core::change::Terms;
    use serde_json::json;

    use super::*;

    const HOW: How = How { time_factor: 1.0, site: None, anew: Keys::new(), kept: Kept { state: None, writes: false } };

    /// Where a place is asked, who behind it, and over which protocol; its questions are those that a plan of before had.
    fn check(place: serde_json::Value, expected: Result<&str, &str>) {
        let place: Place = serde_json::from_value(place).expect("a place");
        let plan = Plan {
            order: "WO-1".to_owned(),
            scope: vec![place.clone()],
            neighbours: Vec::new(),
            expected: Vec::new(),
            questions: vec!["modbus.identification.extended".to_owned(), "modbus.server_id".to_owned()],
            from_ns: 0,
            until_ns: 1,
            by: "Ada".to_owned(),
            terms: Terms::default(),
        };
        let said = match HOW.ask(&plan, &place) {
            Ok(Some(ask)) => format!("{} over {}", ask.place(), ask.via.adapter().name()),
            Ok(None) => "nobody".to_owned(),
            Err(failure) => failure.to_string(),
        };
        match expected {
            Ok(expected) => assert_eq!(said, expected),
            Err(part) => assert!(said.contains(part), "{said}"),
        }
    }

    #[test]
    fn places_of_earlier_plans_are_asked_as_they_were() {
        let place = |via: Option<&str>, address| match via {
            Some(via) => json!({ "asset": "a-1", "address": address, "via": via }),
            None => json!({ "asset": "a-1", "address": address }),
        };
        check(place(None, json!({ "ip": "192.0.2.1", "port": 1502, "unit": 3 })), Ok("192.0.2.1:1502/3 over modbus"));
        check(place(None, json!({ "ip": "2001:db8::1", "port": 502, "unit": 255 })), Ok("[2001:db8::1]:502/255 over modbus"));
        check(place(None, json!({ "ip": "192.0.2.1", "port": 502 })), Err("a-1: the change names no whole address of it"));
        check(place(Some("enip"), json!({ "ip": "192.0.2.1", "port": 44818 })), Ok("udp:192.0.2.1:44818 over enip"));
        check(place(Some("bacnet"), json!({ "ip": "192.0.2.1", "port": 47808, "instance": 9 })), Ok("udp:192.0.2.1:47808/9 over bacnet"));
        check(place(Some("heard"), json!({})), Ok("nobody"));
        check(place(Some("carrier-pigeon"), json!({ "ip": "192.0.2.1", "port": 1 })), Err("carrier-pigeon"));
    }

    #[test]
    fn a_place_is_asked_as_the_plan_says() {
        let place = |via: &str, target: &str, options: serde_json::Value| {
            let address = json!({ "ip": "192.0.2.1" });
            json!({ "asset": "a-1", "address": address, "via": via, "asked": { "target": target, "options": options } })
        };
        check(place("s7comm", "192.0.2.1/0.2", json!({ "via": ["s7comm"], "s7-consent-001c": [] })), Ok("192.0.2.1:102/0.2 over s7comm"));
        check(place("dnp3", "192.0.2.1/4", json!({ "via": ["dnp3"], "dnp3-master": ["3"] })), Ok("192.0.2.1:20000/4 over dnp3"));
        check(place("snmp", "192.0.2.1", json!({ "via": ["snmp"] })), Err("a-1: SNMP needs a community"));
        check(place("snmp", "192.0.2.1", json!({ "via": ["snmp", "http"], "snmp-community-public": [] })), Err("in one protocol"));
        check(place("enip", "192.0.2.1", json!({ "via": ["enip"], "flash": ["now"] })), Err("--flash"));
    }
}
