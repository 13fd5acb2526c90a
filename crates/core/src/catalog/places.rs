//! Which asset answers where. A place is a host (its network address, else its hardware address, or the serial line to it) and the way behind it to the part that
//! speaks: a unit behind a gateway, a module in a backplane, a station of a bus.
//!
//! What speaks several protocols at one place is one device. The same protocol on another port is another one, because that is how a
//! router with forwarded ports looks; so is another name under which one protocol addresses its parts.

use std::borrow::Cow;
use std::collections::HashMap;
use std::hash::{Hash, Hasher};
use std::net::IpAddr;

use super::Outline;
use super::assets::Number;
use crate::observation::{Address, Id};

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
    zone: Option<Cow<'a, str>>,
}

impl Hash for Place<'_> {
    /// Of the parts that are there: most are absent.
    fn hash<H: Hasher>(&self, state: &mut H) {
        let Self { ip, mac, line, unit, link, rack, slot, network, station, hart, path, zone } = self;
        match ip {
            Some(IpAddr::V4(ip)) => ip.to_bits().hash(state),
            Some(IpAddr::V6(ip)) => ip.to_bits().hash(state),
            None => {}
        }
        [mac, line, station, hart, path, zone].into_iter().flatten().for_each(|text| text.hash(state));
        [unit.map(u16::from), *link, rack.map(u16::from), *slot, *network].into_iter().flatten().for_each(|number| number.hash(state));
    }
}

impl<'a> Place<'a> {
    pub(super) fn of(address: &'a Address) -> Self {
        let borrowed = |text: &'a Option<String>| text.as_deref().map(Cow::Borrowed);
        let Address { mac, ip, line, unit, link, rack, slot, network, station, hart, path, zone, .. } = address;
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
            zone: borrowed(zone),
        }
    }

    /// The place of a host itself.
    pub(super) fn host(ip: IpAddr, zone: Option<&'a str>) -> Self {
        Self { ip: Some(ip), zone: zone.map(Cow::Borrowed), ..Self::default() }
    }

    /// True where nothing leads from a network address to a part behind it.
    pub(super) fn is_host(&self) -> bool {
        self.ip.is_some_and(|ip| *self == Self { ip: Some(ip), zone: self.zone.clone(), ..Self::default() })
    }

    /// An address that has this place.
    fn address(&self) -> Address {
        let text = |text: &Option<Cow<'a, str>>| text.as_deref().map(str::to_owned);
        let Self { ip, unit, link, rack, slot, network, .. } = *self;
        let (mac, line, station) = (text(&self.mac), text(&self.line), text(&self.station));
        let (hart, path, zone) = (text(&self.hart), text(&self.path), text(&self.zone));
        Address { mac, ip, line, unit, link, rack, slot, network, station, hart, path, zone, ..Address::default() }
    }

    pub(super) fn into_owned(self) -> Place<'static> {
        let owned = |text: Option<Cow<'a, str>>| text.map(|text| Cow::Owned(text.into_owned()));
        let Self { mac, line, station, hart, path, zone, ip, unit, link, rack, slot, network } = self;
        let (mac, line, station, hart, path, zone) = (owned(mac), owned(line), owned(station), owned(hart), owned(path), owned(zone));
        Place { ip, mac, line, unit, link, rack, slot, network, station, hart, path, zone }
    }
}

/// A protocol that is spoken at a place, and by which asset.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Voice {
    protocol: String,
    port: Option<u16>,
    name: Option<String>,
    asset: Number,
    /// When it was last heard without a word of its own that is kept; 0 for never.
    sighted_ns: u64,
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

/// Somebody answers where another did, in the very same way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Handover {
    pub(super) address: Address,
    pub(super) from: Number,
    pub(super) to: Number,
    /// When that was first, in which observation, and its entry.
    pub(super) since_ns: u64,
    pub(super) observation: Id,
    pub(super) entry: Option<u64>,
    /// When that was last, and how often.
    pub(super) last_ns: u64,
    pub(super) times: u64,
}

/// Assets by where they answer.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Places {
    voices: HashMap<Place<'static>, Vec<Voice>>,
    /// BACnet devices by instance, which is unique in an internetwork (ASHRAE 135, 12.11.1) however the device is reached; a zone is one of
    /// its own.
    instances: HashMap<(Option<String>, u32), Number>,
    /// Network addresses of which a station without one says that they are its own: each of its hardware addresses, and the asset.
    announced: HashMap<IpAddr, Vec<(String, Number)>>,
    /// Who answered where another did before.
    handovers: HashMap<Place<'static>, Vec<Handover>>,
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
        self.instances.get(&(address.zone.clone(), address.instance?)).copied()
    }

    /// The assets that speak at a place.
    pub(super) fn speakers<'a>(&'a self, place: &Place<'a>) -> impl Iterator<Item = Number> {
        let voices: &HashMap<Place<'a>, Vec<Voice>> = &self.voices;
        voices.get(place).into_iter().flatten().map(|voice| voice.asset)
    }

    /// The assets that answer at a network address themselves.
    pub(super) fn hosts_at<'a>(&'a self, ip: IpAddr, zone: Option<&'a str>) -> impl Iterator<Item = Number> {
        let voices: &HashMap<Place<'a>, Vec<Voice>> = &self.voices;
        voices.get(&Place::host(ip, zone)).into_iter().flatten().map(|voice| voice.asset)
    }

    /// Hardware addresses of stations that say that they have this network address, and their assets.
    pub(super) fn announced_at(&self, ip: IpAddr) -> &[(String, Number)] {
        self.announced.get(&ip).map_or(&[], Vec::as_slice)
    }

    /// Who was one asset at an address is another from now on. He never announced one: then he would have told something.
    pub(super) fn hand_over(&mut self, address: &Address, from: Number, to: Number) {
        let voices = self.voices.get_mut(&Place::of(address).into_owned()).into_iter().flatten().map(|voice| &mut voice.asset);
        let instance = address.instance.and_then(|instance| self.instances.get_mut(&(address.zone.clone(), instance)));
        voices.chain(instance).filter(|asset| **asset == from).for_each(|asset| *asset = to);
        for one in self.handovers.values_mut().flatten() {
            for asset in [&mut one.from, &mut one.to] {
                if *asset == from {
                    *asset = to;
                }
            }
        }
    }

    /// Somebody answers where another did in the very same way: all that was spoken there by that one is now spoken by this one.
    pub(super) fn take_over(&mut self, handover: Handover) {
        let (place, from, to) = (Place::of(&handover.address).into_owned(), handover.from, handover.to);
        let voices = self.voices.get_mut(&place).into_iter().flatten().map(|voice| &mut voice.asset);
        voices.filter(|asset| **asset == from).for_each(|asset| *asset = to);
        let here = self.handovers.entry(place).or_default();
        match here.iter_mut().find(|earlier| (earlier.from, earlier.to) == (from, to)) {
            Some(earlier) => (earlier.last_ns, earlier.times) = (handover.last_ns, earlier.times.saturating_add(1)),
            None => here.push(handover),
        }
    }

    /// Who answered where another did before, in no order.
    pub(super) fn handovers(&self) -> impl Iterator<Item = &Handover> {
        self.handovers.values().flatten()
    }

    /// True where this asset had to make room for another there, since then.
    pub(super) fn made_room(&self, address: &Address, asset: Number, since_ns: u64) -> bool {
        let handovers: &HashMap<Place<'_>, Vec<Handover>> = &self.handovers;
        let here = handovers.get(&Place::of(address));
        here.into_iter().flatten().any(|one| one.from == asset && one.last_ns >= since_ns)
    }

    /// The asset that was heard there in exactly this way, which it is again now.
    pub(super) fn sight(&mut self, protocol: &str, address: &Address, time_ns: u64) -> Option<Number> {
        // Looked up as it is borrowed: this is asked for nearly every frame.
        self.known(protocol, address)?;
        let voices = self.voices.get_mut(&Place::of(address).into_owned())?;
        let voice = voices.iter_mut().find(|voice| voice.is(protocol, address))?;
        voice.sighted_ns = voice.sighted_ns.max(time_ns);
        Some(voice.asset)
    }

    /// What [`Places::sight`] was told last of each voice.
    pub(super) fn sightings(&self) -> impl Iterator<Item = (&str, Address, u64)> {
        let all = self.voices.iter().flat_map(|(place, voices)| voices.iter().map(move |voice| (place, voice)));
        all.filter(|(_, voice)| voice.sighted_ns > 0).map(|(place, voice)| {
            let address = Address { port: voice.port, name: voice.name.clone(), ..place.address() };
            (voice.protocol.as_str(), address, voice.sighted_ns)
        })
    }

    /// True where an observation with this outline tells more of where its asset is than [`Places::known`] compares.
    pub(super) fn hears_more(outline: &Outline) -> bool {
        outline.address.instance.is_some() || !outline.announced.is_empty()
    }

    /// This asset answers there from now on.
    pub(super) fn put(&mut self, outline: &Outline, asset: Number) {
        if outline.address.ip.is_none() && !outline.announced.is_empty() {
            self.announce(outline, asset);
        }
        let (protocol, address) = (&outline.protocol, outline.address());
        self.instances.extend(address.instance.map(|instance| ((address.zone.clone(), instance), asset)));
        let voices = self.voices.entry(Place::of(address).into_owned()).or_default();
        match voices.iter_mut().find(|voice| voice.is(protocol, address)) {
            Some(voice) => voice.asset = asset,
            None => voices.push(Voice { protocol: protocol.clone(), port: address.port, name: address.name.clone(), asset, sighted_ns: 0 }),
        }
    }

    fn announce(&mut self, outline: &Outline, asset: Number) {
        let Outline { address, announced, .. } = outline;
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
