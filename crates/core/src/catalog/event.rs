//! What happened to assets: read out of what is kept of them, so it is as the observations have it, in whatever order those came. Nothing
//! is ever said to be gone: who is silent is named with where it was looked for and since when.

use std::cmp::Ordering;
use std::collections::HashMap;
use std::net::IpAddr;

use super::{Asset, Catalog, Handover, OWN_COMPONENT, Recorded, Stay};
use crate::claim::Field;
use crate::happening::Happenings;
use crate::observation::{Address, Id, Source, rfc3339};
use crate::profile::ProfileSet;
use crate::version::Order;

/// Who was not heard for so long, while others of his network were, is silent: slower than any announcement, and than a weekly round.
const SILENT_NS: u64 = 8 * 86_400_000_000_000;

/// What happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Happened {
    /// Heard of for the first time.
    New,
    /// Told another firmware, software, boot release or patch.
    FirmwareChanged,
    /// Told something else in another field.
    Changed,
    /// Another part stands in a slot, or another serial number in a part.
    ModuleSwapped,
    /// Another device answers there.
    DeviceSwapped,
    /// One of two that take turns at an address answered.
    PartnerAnswered,
    /// It answers elsewhere, and no longer where it did.
    AddressMoved,
    /// It answers elsewhere, too.
    AddressAdded,
    /// It was not heard any more where others were.
    Silent,
    /// A person did something to it in the catalog.
    ByHand,
    /// Somebody was seen to do something to it: see [`Happenings`].
    DoneTo,
}

impl Happened {
    /// All of them.
    pub const ALL: [Self; 11] = [
        Self::New,
        Self::FirmwareChanged,
        Self::Changed,
        Self::ModuleSwapped,
        Self::DeviceSwapped,
        Self::PartnerAnswered,
        Self::AddressMoved,
        Self::AddressAdded,
        Self::Silent,
        Self::ByHand,
        Self::DoneTo,
    ];

    /// The word in files.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::New => "new",
            Self::FirmwareChanged => "firmware-changed",
            Self::Changed => "changed",
            Self::ModuleSwapped => "module-swapped",
            Self::DeviceSwapped => "device-swapped",
            Self::PartnerAnswered => "partner-answered",
            Self::AddressMoved => "address-moved",
            Self::AddressAdded => "address-added",
            Self::Silent => "silent",
            Self::ByHand => "by-hand",
            Self::DoneTo => "done-to",
        }
    }
}

/// Something that happened to an asset.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event<'a> {
    /// The asset.
    pub asset: &'a str,
    /// What.
    pub happened: Happened,
    /// When it was first seen so, in nanoseconds since 1970; of one that is silent, when it was last heard.
    pub time_ns: u64,
    /// The part and field, where it is about one.
    pub about: Option<(&'a str, Field)>,
    /// As it was.
    pub before: String,
    /// As it is.
    pub after: String,
    /// Of versions: `newer`, `older`, or `unknown` where their order is not known.
    pub relation: Option<&'static str>,
    /// The first observation that showed it; `None` where none did.
    pub observation: Option<Id>,
    /// Its entry in the ledger.
    pub entry: Option<u64>,
    /// What else there is to say.
    pub remark: String,
}

impl<'a> Event<'a> {
    fn of(asset: &'a Asset, happened: Happened, time_ns: u64) -> Self {
        let (before, after, remark) = (String::new(), String::new(), String::new());
        Self { asset: &asset.id, happened, time_ns, about: None, before, after, relation: None, observation: None, entry: None, remark }
    }
}

/// All that happened, in the order of its time, then of the assets' ids.
#[must_use]
pub fn events<'a>(catalog: &'a Catalog, profiles: &ProfileSet) -> Vec<Event<'a>> {
    let looked = Looked::of(catalog);
    let mut events: Vec<Event<'a>> = Vec::new();
    for asset in catalog.assets().filter(|asset| !asset.is_listed_only()) {
        events.extend(first(asset));
        events.extend(changes(asset, profiles));
        events.extend(moves(asset));
        events.extend(looked.silent(asset));
    }
    let handovers: Vec<&Handover> = catalog.places.handovers().collect();
    events.extend(handovers.iter().filter_map(|one| handed_over(catalog, one, &handovers)));
    events.extend(by_hand(catalog));
    events.sort_by(|one, other| {
        let key = |event: &Event<'a>| (event.time_ns, event.asset, event.happened, event.about);
        key(one).cmp(&key(other)).then_with(|| (&one.before, &one.after, one.entry).cmp(&(&other.before, &other.after, other.entry)))
    });
    events
}

/// What was seen to be done to assets, in the order of its time; beside [`events`], which are read out of the catalog alone.
#[must_use]
pub fn done_to<'a>(catalog: &'a Catalog, happenings: &Happenings) -> Vec<Event<'a>> {
    let event = |kept: &crate::happening::Kept| {
        let asset = kept.asset(catalog)?;
        let by = kept.happening.by.as_ref().map(at).unwrap_or_default();
        let remark = format!("{} ({})", kept.happening.what.text(), kept.happening.protocol);
        let event = Event::of(asset, Happened::DoneTo, kept.happening.time_ns);
        Some(Event { remark: if by.is_empty() { remark } else { format!("{remark}, by {by}") }, entry: Some(kept.entry), ..event })
    };
    let mut events: Vec<Event<'a>> = happenings.iter().filter_map(event).collect();
    events.sort_by_key(|event| (event.time_ns, event.entry));
    events
}

fn first(asset: &Asset) -> Option<Event<'_>> {
    let stay = asset.stays.first()?;
    let after = at(&stay.address);
    Some(Event { after, observation: Some(stay.observation), entry: stay.entry, ..Event::of(asset, Happened::New, stay.since_ns) })
}

fn changes<'a>(asset: &'a Asset, profiles: &ProfileSet) -> Vec<Event<'a>> {
    let mut claims: Vec<&Recorded> = asset.claims.iter().collect();
    claims.sort_by_key(|recorded| recorded.since_ns);
    let mut latest: HashMap<(&str, Field, &str), &Recorded> = HashMap::new();
    let mut events = Vec::new();
    for recorded in claims {
        let claim = &recorded.claim;
        let earlier = latest.insert((&claim.component, claim.field, &claim.rule), recorded);
        let Some(earlier) = earlier.filter(|earlier| earlier.claim.value != claim.value) else { continue };
        let happened = match claim.field {
            Field::FirmwareRevision | Field::SoftwareRevision | Field::BootRevision | Field::Patch => Happened::FirmwareChanged,
            Field::SerialNumber if claim.component != OWN_COMPONENT => Happened::ModuleSwapped,
            _ => Happened::Changed,
        };
        let is_version = claim.field.is_revision() && !matches!(claim.field, Field::SerialNumber | Field::Patch);
        let order = profiles.get(&claim.profile).map_or(Order::Opaque, |profile| profile.version_order);
        let relation = is_version.then(|| match order.compare(&claim.value, &earlier.claim.value) {
            Some(Ordering::Greater) => "newer",
            Some(Ordering::Less) => "older",
            Some(Ordering::Equal) => "same",
            None => "unknown",
        });
        events.push(Event {
            about: Some((&claim.component, claim.field)),
            before: earlier.claim.value.clone(),
            after: claim.value.clone(),
            relation,
            observation: recorded.first.0,
            entry: recorded.first.1,
            ..Event::of(asset, happened, recorded.since_ns)
        });
    }
    events
}

/// A device that is asked at two addresses has two; one that no longer answers at the first has moved.
fn moves(asset: &Asset) -> Vec<Event<'_>> {
    let stays: Vec<&Stay> = asset.stays.iter().filter(|stay| stay.address.ip.is_some()).collect();
    let moved = |pair: &[&'_ Stay]| {
        let [before, stay] = pair else { return None };
        let one_host = before.address.ip == stay.address.ip && before.address.zone == stay.address.zone;
        let is_first = stays.iter().take_while(|other| !std::ptr::eq(**other, *stay)).all(|other| other.address.ip != stay.address.ip);
        let stayed = stays.iter().any(|other| other.address.ip == before.address.ip && other.last_ns > stay.since_ns);
        let two_kinds = before.address.ip.map(|ip| ip.is_ipv4()) != stay.address.ip.map(|ip| ip.is_ipv4());
        let happened = if stayed || two_kinds { Happened::AddressAdded } else { Happened::AddressMoved };
        (!one_host && (is_first || happened == Happened::AddressMoved)).then(|| (happened, before.address.clone(), stay.since_ns))
    };
    let mut events = Vec::new();
    for pair in stays.windows(2) {
        let (Some((happened, before, since_ns)), Some(stay)) = (moved(pair), pair.last()) else { continue };
        let (before, after) = (at(&before), at(&stay.address));
        events.push(Event {
            before,
            after,
            observation: Some(stay.observation),
            entry: stay.entry,
            ..Event::of(asset, happened, since_ns)
        });
    }
    events
}

fn handed_over<'a>(catalog: &'a Catalog, one: &'a Handover, all: &[&Handover]) -> Option<Event<'a>> {
    let (from, to) = (catalog.assets.get(one.from)?, catalog.assets.get(one.to)?);
    let is_back =
        |other: &&Handover| (other.from, other.to) == (one.to, one.from) && super::stay::is_one_place(&other.address, &one.address);
    let Address { slot, rack, path, .. } = &one.address;
    let is_module = slot.is_some() || rack.is_some() || path.is_some();
    let happened = match (from.id != to.id).then(|| all.iter().any(is_back))? {
        true => Happened::PartnerAnswered,
        false if is_module => Happened::ModuleSwapped,
        false => Happened::DeviceSwapped,
    };
    let serial = |asset: &Asset| {
        let current = asset.current(OWN_COMPONENT, Field::SerialNumber);
        current.map(|current| format!(" (serial number {})", current.standing.claim.value)).unwrap_or_default()
    };
    let times = if one.times > 1 { format!("; {} times, last at {}", one.times, rfc3339(one.last_ns)) } else { String::new() };
    Some(Event {
        before: format!("{}{}", from.id, serial(from)),
        after: format!("{}{}", to.id, serial(to)),
        observation: Some(one.observation),
        entry: one.entry,
        remark: format!("at {}{times}", at(&one.address)),
        ..Event::of(to, happened, one.since_ns)
    })
}

fn by_hand(catalog: &Catalog) -> Vec<Event<'_>> {
    let mut events = Vec::new();
    for (entry, time_ns, hand, counts) in catalog.hands() {
        let back = if counts { "" } else { "; taken back" };
        for asset in hand.act.assets().filter_map(|id| catalog.asset(id)) {
            let remark = format!("{} by {}: {}{back}", hand.act.name(), hand.by, hand.reason);
            if !events.iter().any(|event: &Event<'_>| event.entry == Some(entry) && event.asset == asset.id) {
                events.push(Event { entry: Some(entry), remark, ..Event::of(asset, Happened::ByHand, time_ns) });
            }
        }
    }
    events
}

/// A network of a zone, and whether its devices were heard or asked.
type Network<'a> = (Option<&'a str>, IpAddr, bool);

/// Until when others were heard, by network.
struct Looked<'a>(HashMap<Network<'a>, Vec<u64>>);

impl<'a> Looked<'a> {
    fn of(catalog: &'a Catalog) -> Self {
        let mut looked: HashMap<Network<'a>, Vec<u64>> = HashMap::new();
        for asset in catalog.assets().filter(|asset| !asset.is_listed_only()) {
            for (network, last_ns) in ways(asset) {
                looked.entry(network).or_default().push(last_ns);
            }
        }
        looked.values_mut().for_each(|times| times.sort_unstable());
        Self(looked)
    }

    /// Every way by which it was known, and others of its network still are, must have nothing of it: then it is silent.
    fn silent(&self, asset: &'a Asset) -> Option<Event<'a>> {
        let last_ns = asset.seen_ns.1;
        let mut words = Vec::new();
        for ((zone, network, asked), _) in ways(asset) {
            let times = self.0.get(&(zone, network, asked))?;
            let later = times.len() - times.partition_point(|time_ns| *time_ns < last_ns.saturating_add(SILENT_NS));
            let until = times.last().filter(|_| later > 0)?;
            let bits = if network.is_ipv4() { 24 } else { 64 };
            let how = if asked { "answered" } else { "were heard" };
            words.push(format!("{later} others of {network}/{bits} {how} until {}", rfc3339(*until)));
        }
        let remark = format!("looked where {}; nowhere else", words.join(" and "));
        let before = rfc3339(last_ns);
        (!words.is_empty()).then(|| Event { before, remark, ..Event::of(asset, Happened::Silent, last_ns) })
    }
}

/// The networks in which an asset was heard or asked, and when it was so last.
fn ways(asset: &Asset) -> Vec<(Network<'_>, u64)> {
    let Some(address) = asset.addresses.iter().rfind(|address| address.ip.is_some()) else { return Vec::new() };
    let Some(network) = address.ip.map(network) else { return Vec::new() };
    let zone = address.zone.as_deref();
    let asked =
        asset.claims.iter().filter(|recorded| matches!(recorded.source, Source::Asked { .. })).map(|recorded| recorded.time_ns).max();
    let is_heard = asked.is_none() || asset.claims.iter().any(|recorded| !matches!(recorded.source, Source::Asked { .. }));
    let heard = is_heard.then_some(((zone, network, false), asset.seen_ns.1));
    heard.into_iter().chain(asked.map(|last_ns| ((zone, network, true), last_ns))).collect()
}

fn network(ip: IpAddr) -> IpAddr {
    match ip {
        IpAddr::V4(ip) => IpAddr::V4((ip.to_bits() & !0xff).into()),
        IpAddr::V6(ip) => IpAddr::V6((ip.to_bits() >> 64 << 64).into()),
    }
}

/// An address in a few characters.
fn at(address: &Address) -> String {
    let Address { mac, ip, line, unit, slot, path, zone, .. } = address;
    let host = ip.map(|ip| ip.to_string()).or_else(|| mac.clone()).or_else(|| line.clone()).unwrap_or_default();
    let unit = unit.map(|unit| format!("/{unit}")).unwrap_or_default();
    let slot = slot.map(|slot| format!(" slot {slot}")).unwrap_or_default();
    let path = path.as_ref().map(|path| format!(" path {path}")).unwrap_or_default();
    let zone = zone.as_ref().map(|zone| format!(" in {zone}")).unwrap_or_default();
    format!("{host}{unit}{slot}{path}{zone}")
}
