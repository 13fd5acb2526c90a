//! Which asset answers where. A place is a host (its network address, else its hardware address) and the way behind it to the part that
//! speaks: a unit behind a gateway, a module in a backplane, a station of a bus.
//!
//! What speaks several protocols at one place is one device. The same protocol on another port is another one, because that is how a
//! router with forwarded ports looks; so is another name under which one protocol addresses its parts.

use std::collections::HashMap;
use std::net::IpAddr;

use crate::claim::{Claim, Field};
use crate::observation::{Address, Observation};

/// Protocols of which one device runs several servers, and whose answers name no device.
const SEVERAL_PORTS: [&str; 10] = ["http", "https", "tls", "ssh", "ftp", "telnet", "smtp", "pop3", "imap", "rtsp"];
/// Unit identifiers that mean the device itself, not one behind it (MODBUS Messaging on TCP/IP V1.0b, 4.4.2.1).
const UNITS_ITSELF: [u8; 2] = [0, 255];

/// A host and the way behind it. The hardware address is a part only where there is no other: behind a router it is the router's.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(super) struct Place {
    ip: Option<IpAddr>,
    mac: Option<String>,
    unit: Option<u8>,
    link: Option<u16>,
    rack: Option<u8>,
    slot: Option<u16>,
    network: Option<u16>,
    station: Option<String>,
    hart: Option<String>,
    path: Option<String>,
}

impl Place {
    pub(super) fn of(address: &Address) -> Self {
        let Address { mac, ip, unit, link, rack, slot, network, station, hart, path, .. } = address;
        // A path begins with the address that it goes through.
        let ip = ip.filter(|ip| path.as_ref().is_none_or(|path| !path.starts_with(&format!("{ip}/"))));
        Self {
            ip,
            mac: mac.clone().filter(|_| ip.is_none() && path.is_none()),
            unit: unit.filter(|unit| !UNITS_ITSELF.contains(unit)),
            link: *link,
            rack: *rack,
            slot: *slot,
            network: *network,
            station: station.clone(),
            hart: hart.clone(),
            path: path.clone(),
        }
    }

    /// The place of a host itself.
    fn host(ip: IpAddr) -> Self {
        Self { ip: Some(ip), ..Self::default() }
    }

    /// True where nothing leads from a network address to a part behind it.
    pub(super) fn is_host(&self) -> bool {
        self.ip.is_some_and(|ip| *self == Self::host(ip))
    }
}

/// A protocol that is spoken at a place, and by which asset.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Voice {
    protocol: String,
    port: Option<u16>,
    name: Option<String>,
    id: String,
}

impl Voice {
    /// True where one device would hardly speak this and that.
    fn excludes(&self, protocol: &str, address: &Address) -> bool {
        let differ = self.port.zip(address.port).is_some_and(|(one, other)| one != other);
        let named = self.name.as_ref().zip(address.name.as_ref()).is_some_and(|(one, other)| one != other);
        self.protocol == protocol && (named || differ && !SEVERAL_PORTS.contains(&protocol))
    }

    fn is(&self, protocol: &str, address: &Address) -> bool {
        self.protocol == protocol && self.port == address.port && self.name == address.name
    }
}

/// Assets by where they answer.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Places {
    voices: HashMap<Place, Vec<Voice>>,
    /// BACnet devices by instance, which is unique in an internetwork (ASHRAE 135, 12.11.1) however the device is reached.
    instances: HashMap<u32, String>,
    /// Network addresses of which a station without one says that they are its own: each of its hardware addresses, and the asset.
    announced: HashMap<IpAddr, Vec<(String, String)>>,
}

impl Places {
    /// The asset that answers there in this protocol.
    pub(super) fn at(&self, protocol: &str, address: &Address) -> Option<&String> {
        let voices = self.voices.get(&Place::of(address))?;
        let exact = voices.iter().find(|voice| voice.is(protocol, address));
        let fits = |voice: &&Voice| !voices.iter().any(|other| other.id == voice.id && other.excludes(protocol, address));
        exact.or_else(|| voices.iter().find(fits)).map(|voice| &voice.id)
    }

    /// The asset that was heard there in exactly this way.
    pub(super) fn known(&self, protocol: &str, address: &Address) -> Option<&String> {
        let voices = self.voices.get(&Place::of(address))?;
        voices.iter().find(|voice| voice.is(protocol, address)).map(|voice| &voice.id)
    }

    /// The asset with that BACnet instance.
    pub(super) fn with_instance(&self, address: &Address) -> Option<&String> {
        self.instances.get(&address.instance?)
    }

    /// The assets that answer at a network address themselves.
    pub(super) fn hosts_at(&self, ip: IpAddr) -> impl Iterator<Item = &String> {
        self.voices.get(&Place::host(ip)).into_iter().flatten().map(|voice| &voice.id)
    }

    /// Hardware addresses of stations that say that they have this network address, and their assets.
    pub(super) fn announced_at(&self, ip: IpAddr) -> impl Iterator<Item = (&String, &String)> {
        self.announced.get(&ip).into_iter().flatten().map(|(mac, id)| (mac, id))
    }

    /// What was one asset at an address is another from now on. It never announced one: then it would have told something.
    pub(super) fn rename(&mut self, address: &Address, from: &str, to: &str) {
        let voices = self.voices.get_mut(&Place::of(address)).into_iter().flatten().map(|voice| &mut voice.id);
        let instance = address.instance.and_then(|instance| self.instances.get_mut(&instance));
        voices.chain(instance).filter(|id| *id == from).for_each(|id| to.clone_into(id));
    }

    /// This asset answers there from now on.
    pub(super) fn put(&mut self, observation: &Observation, id: &str) {
        if observation.address.ip.is_none() && !observation.announced.is_empty() {
            self.announce(observation, id);
        }
        let (protocol, address) = (&observation.protocol, &observation.address);
        let voices = self.voices.entry(Place::of(address)).or_default();
        match voices.iter_mut().find(|voice| voice.is(protocol, address)) {
            Some(voice) if voice.id == id => {}
            Some(voice) => id.clone_into(&mut voice.id),
            None => voices.push(Voice { protocol: protocol.clone(), port: address.port, name: address.name.clone(), id: id.to_owned() }),
        }
        if let Some(instance) = address.instance.filter(|instance| self.instances.get(instance).is_none_or(|known| known != id)) {
            self.instances.insert(instance, id.to_owned());
        }
    }

    fn announce(&mut self, observation: &Observation, id: &str) {
        let Observation { address, announced, .. } = observation;
        for ip in announced.iter().filter_map(|own| own.ip) {
            let stations = self.announced.entry(ip).or_default();
            for mac in address.mac.iter().chain(announced.iter().filter_map(|own| own.mac.as_ref())) {
                if !stations.iter().any(|(known, by)| known == mac && by == id) {
                    stations.push((mac.clone(), id.to_owned()));
                }
            }
        }
    }

    /// Every asset with a network address, its port and its unit.
    pub(super) fn with_ip(&self) -> impl Iterator<Item = (IpAddr, Option<u16>, Option<u8>, &String)> {
        let spoken = |place: &Place| place.ip.map(|ip| (ip, place.unit));
        let all = self.voices.iter().filter_map(move |(place, voices)| Some((spoken(place)?, voices)));
        all.flat_map(|((ip, unit), voices)| voices.iter().map(move |voice| (ip, voice.port, unit, &voice.id)))
    }
}

/// What tells a device from all others wherever it answers: who made it, or what it is, and its serial number.
pub(super) fn serial_of(claims: &[Claim]) -> Option<(String, String)> {
    let own = |field| claims.iter().find(|claim| claim.field == field && claim.component == super::OWN_COMPONENT).map(|claim| &claim.value);
    let serial = own(Field::SerialNumber).filter(|serial| tells_apart(serial))?;
    let kind = own(Field::Manufacturer).or_else(|| own(Field::Model)).or_else(|| own(Field::ProductCode))?;
    Some((kind.clone(), serial.clone()))
}

/// A serial number that was never set is the same everywhere: all zeros, all `F`, one character again and again.
fn tells_apart(serial: &str) -> bool {
    let digits = serial.strip_prefix("0x").unwrap_or(serial);
    let mut bytes = digits.bytes().filter(u8::is_ascii_alphanumeric);
    let first = bytes.next();
    // A single character may be a device's number; a run of one and the same is a filler.
    digits.bytes().filter(u8::is_ascii_alphanumeric).count() == 1 && first != Some(b'0') || bytes.any(|byte| Some(byte) != first)
}
