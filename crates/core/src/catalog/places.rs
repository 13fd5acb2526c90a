//! Which asset answers where. A place is a host (its network address, else its hardware address, or the serial line to it) and the way behind it to the part that
//! speaks: a unit behind a gateway, a module in a backplane, a station of a bus.
//!
//! What speaks several protocols at one place is one device. The same protocol on another port is another one, because that is how a
//! router with forwarded ports looks; so is another name under which one protocol addresses its parts.

use std::borrow::Cow;
use std::collections::HashMap;
use std::hash::{Hash, Hasher};
use std::net::IpAddr;

use super::assets::Number;
use crate::claim::{Claim, Field};
use crate::observation::{Address, Observation};

/// Protocols of which one device runs several servers, and whose answers name no device.
const SEVERAL_PORTS: [&str; 10] = ["http", "https", "tls", "ssh", "ftp", "telnet", "smtp", "pop3", "imap", "rtsp"];
/// Unit identifiers that mean the device itself, not one behind it (MODBUS Messaging on TCP/IP V1.0b, 4.4.2.1).
const UNITS_ITSELF: [u8; 2] = [0, 255];

/// A host and the way behind it. The hardware address is a part only where there is no other: behind a router it is the router's.
/// Most are only looked up, so it borrows.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Place<'a> {
    ip: Option<IpAddr>,
    mac: Option<Cow<'a, str>>,
    line: Option<Cow<'a, str>>,
    unit: Option<u8>,
    link: Option<u16>,
    rack: Option<u8>,
    slot: Option<u16>,
    network: Option<u16>,
    station: Option<Cow<'a, str>>,
    hart: Option<Cow<'a, str>>,
    path: Option<Cow<'a, str>>,
}

impl Hash for Place<'_> {
    /// Of the parts that are there: most are absent.
    fn hash<H: Hasher>(&self, state: &mut H) {
        let Self { ip, mac, line, unit, link, rack, slot, network, station, hart, path } = self;
        ip.hash(state);
        [mac, line, station, hart, path].into_iter().flatten().for_each(|text| text.hash(state));
        [unit.map(u16::from), *link, rack.map(u16::from), *slot, *network].into_iter().flatten().for_each(|number| number.hash(state));
    }
}

impl<'a> Place<'a> {
    pub(super) fn of(address: &'a Address) -> Self {
        let borrowed = |text: &'a Option<String>| text.as_deref().map(Cow::Borrowed);
        let Address { mac, ip, line, unit, link, rack, slot, network, station, hart, path, .. } = address;
        // A path begins with the address that it goes through.
        let ip = ip.filter(|ip| path.as_ref().is_none_or(|path| !path.starts_with(&format!("{ip}/"))));
        Self {
            ip,
            mac: borrowed(mac).filter(|_| ip.is_none() && path.is_none()),
            line: borrowed(line),
            unit: unit.filter(|unit| !UNITS_ITSELF.contains(unit)),
            link: *link,
            rack: *rack,
            slot: *slot,
            network: *network,
            station: borrowed(station),
            hart: borrowed(hart),
            path: borrowed(path),
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

    fn into_owned(self) -> Place<'static> {
        let owned = |text: Option<Cow<'a, str>>| text.map(|text| Cow::Owned(text.into_owned()));
        let Self { mac, line, station, hart, path, ip, unit, link, rack, slot, network } = self;
        let (mac, line, station, hart, path) = (owned(mac), owned(line), owned(station), owned(hart), owned(path));
        Place { ip, mac, line, unit, link, rack, slot, network, station, hart, path }
    }
}

/// A protocol that is spoken at a place, and by which asset.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Voice {
    protocol: String,
    port: Option<u16>,
    name: Option<String>,
    asset: Number,
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
    voices: HashMap<Place<'static>, Vec<Voice>>,
    /// BACnet devices by instance, which is unique in an internetwork (ASHRAE 135, 12.11.1) however the device is reached.
    instances: HashMap<u32, Number>,
    /// Network addresses of which a station without one says that they are its own: each of its hardware addresses, and the asset.
    announced: HashMap<IpAddr, Vec<(String, Number)>>,
}

impl Places {
    /// The asset that was heard there in exactly this way.
    pub(super) fn known(&self, protocol: &str, address: &Address) -> Option<Number> {
        self.voices(address).iter().find(|voice| voice.is(protocol, address)).map(|voice| voice.asset)
    }

    /// The asset that was heard there in another way, and may well answer in this one, too.
    pub(super) fn likely(&self, protocol: &str, address: &Address) -> Option<Number> {
        let voices = self.voices(address);
        let fits = |voice: &&Voice| !voices.iter().any(|other| other.asset == voice.asset && other.excludes(protocol, address));
        voices.iter().find(fits).map(|voice| voice.asset)
    }

    /// The asset with that BACnet instance.
    pub(super) fn with_instance(&self, address: &Address) -> Option<Number> {
        self.instances.get(&address.instance?).copied()
    }

    /// The assets that answer at a network address themselves.
    pub(super) fn hosts_at(&self, ip: IpAddr) -> impl Iterator<Item = Number> {
        self.voices.get(&Place::host(ip)).into_iter().flatten().map(|voice| voice.asset)
    }

    /// Hardware addresses of stations that say that they have this network address, and their assets.
    pub(super) fn announced_at(&self, ip: IpAddr) -> &[(String, Number)] {
        self.announced.get(&ip).map_or(&[], Vec::as_slice)
    }

    /// Who was one asset at an address is another from now on. He never announced one: then he would have told something.
    pub(super) fn hand_over(&mut self, address: &Address, from: Number, to: Number) {
        let voices = self.voices.get_mut(&Place::of(address).into_owned()).into_iter().flatten().map(|voice| &mut voice.asset);
        let instance = address.instance.and_then(|instance| self.instances.get_mut(&instance));
        voices.chain(instance).filter(|asset| **asset == from).for_each(|asset| *asset = to);
    }

    /// True where an observation tells more of where its asset is than [`Places::known`] compares.
    pub(super) fn hears_more(observation: &Observation) -> bool {
        observation.address.instance.is_some() || !observation.announced.is_empty()
    }

    /// This asset answers there from now on.
    pub(super) fn put(&mut self, observation: &Observation, asset: Number) {
        if observation.address.ip.is_none() && !observation.announced.is_empty() {
            self.announce(observation, asset);
        }
        let (protocol, address) = (&observation.protocol, &observation.address);
        self.instances.extend(address.instance.map(|instance| (instance, asset)));
        let voices = self.voices.entry(Place::of(address).into_owned()).or_default();
        match voices.iter_mut().find(|voice| voice.is(protocol, address)) {
            Some(voice) => voice.asset = asset,
            None => voices.push(Voice { protocol: protocol.clone(), port: address.port, name: address.name.clone(), asset }),
        }
    }

    fn announce(&mut self, observation: &Observation, asset: Number) {
        let Observation { address, announced, .. } = observation;
        for ip in announced.iter().filter_map(|own| own.ip) {
            let stations = self.announced.entry(ip).or_default();
            for mac in address.mac.iter().chain(announced.iter().filter_map(|own| own.mac.as_ref())) {
                if !stations.iter().any(|(known, by)| *by == asset && known == mac) {
                    stations.push((mac.clone(), asset));
                }
            }
        }
    }

    /// Every asset with a network address, its port and its unit.
    pub(super) fn with_ip(&self) -> impl Iterator<Item = (IpAddr, Option<u16>, Option<u8>, Number)> {
        let spoken = |place: &Place<'_>| place.ip.map(|ip| (ip, place.unit));
        let all = self.voices.iter().filter_map(move |(place, voices)| Some((spoken(place)?, voices)));
        all.flat_map(|((ip, unit), voices)| voices.iter().map(move |voice| (ip, voice.port, unit, voice.asset)))
    }

    fn voices<'a>(&'a self, address: &'a Address) -> &'a [Voice] {
        // A map of places that own their texts is one of places that borrow them.
        let voices: &HashMap<Place<'a>, Vec<Voice>> = &self.voices;
        voices.get(&Place::of(address)).map_or(&[], Vec::as_slice)
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
