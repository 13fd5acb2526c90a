//! The catalog: one asset out of many observations. It is a fold: the same observations give the same catalog, in whatever order they came,
//! and nothing that was said is dropped; what loses stands beside what wins.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::net::IpAddr;
use std::sync::Arc;

use sha2::{Digest, Sha256};

use crate::claim::{Claim, OWN_COMPONENT};
use crate::observation::{Address, Id, Observation, Source, hex};
use crate::profile::Interpretation;

/// Hexadecimal digits of an asset's id: 48 bits keep 10,000 assets apart with a chance of 1 in 5 million to collide, and a
/// collision is resolved by taking more digits.
const ID_DIGITS: usize = 12;
/// Kind, as an asset's id begins with.
const ID_PREFIX: &str = "a-";

/// All assets.
#[derive(Clone, Debug, Default)]
pub struct Catalog {
    assets: Assets,
    places: Places,
    serials: Serials,
    /// All that was taken: each observation counts once, and all can be folded again.
    taken: Taken,
    /// Where assets that stand only in a sheet are said to answer.
    listed: Listed,
    /// Places of which a person said that what answers there is a device of its own.
    apart: HashSet<Place<'static>>,
}

/// Where a reading went.
#[derive(Clone, Copy)]
struct Folded {
    number: Number,
    /// True where the asset that was known in exactly this place said it, and nobody else's place or number was looked at: nothing but the asset itself
    /// is another behind it.
    is_as_before: bool,
}

/// A device an owner answers for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Asset {
    /// Stable, and not an address: made of the first observation that showed it, wherever its file lay.
    pub id: String,
    /// Ids under which it was seen before anybody knew that it is this one.
    pub was: Vec<String>,
    /// Every address at which it answered, the latest last.
    pub addresses: Vec<Address>,
    /// The protocols it takes part in, and as what: `server`, `client`, `publisher`.
    pub speaks: BTreeMap<String, BTreeSet<String>>,
    /// Everything it said, in the order in which it first did; what it said again, unchanged and by the same way, is counted.
    pub claims: Vec<Recorded>,
    /// What lists say of its nameplate: the latest list's word on each field, in the order of the fields.
    pub imported: Vec<Recorded>,
    /// What others believe it to be: the latest of each rule. Never its own word.
    pub believed: Vec<Recorded>,
    /// What only its owner knows, and what no field is for: cells of lists, by column.
    pub columns: BTreeMap<String, String>,
    /// The profile of the latest reading that matched one.
    pub profile: Option<String>,
    /// First and latest observation, in nanoseconds since 1970.
    pub seen_ns: (u64, u64),
    /// How many observations it was seen in.
    pub observations: u64,
    /// Why the latest reading gave no firmware, in words; empty while firmware is known.
    pub why_unknown: String,
    /// What a person should look at: unreadable values, several profiles, a device that took an address over.
    pub remarks: Vec<String>,
    /// What people read off it themselves: the latest word on each field of each part.
    pub by_hand: Vec<Recorded>,
    /// What its owner said of it by hand: zone, criticality and the like; stands before what lists say.
    pub facts: BTreeMap<String, Fact>,
    /// Where it stayed, each time in one piece, in the order in which it came there.
    pub stays: Vec<Stay>,
}

/// A claim and the latest observation it stands in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recorded {
    /// The claim.
    pub claim: Arc<Claim>,
    /// The observation's id; `None` for the word of a list or a person, which no reading stands behind.
    pub observation: Option<Id>,
    /// The observation's entry in the ledger; `None` where nothing is kept.
    pub entry: Option<u64>,
    /// When it was observed, in nanoseconds since 1970.
    pub time_ns: u64,
    /// When it was first observed so, with nothing else said in between.
    pub since_ns: u64,
    /// The first observation of it, and its entry.
    pub first: (Option<Id>, Option<u64>),
    /// In how many observations it stood since then.
    pub times: u64,
    /// Heard or asked.
    pub source: Source,
    /// Where it answered.
    pub address: Arc<Address>,
}

/// The state of one field: the claim that stands, and those that say otherwise.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Current<'a> {
    /// Best grade, then newest.
    pub standing: &'a Recorded,
    /// The latest word of other rules, where it differs.
    pub conflicting: Vec<&'a Recorded>,
}

impl PartialEq for Catalog {
    /// They show the same.
    fn eq(&self, other: &Self) -> bool {
        self.assets().eq(other.assets()) && self.parents() == other.parents()
    }
}

impl Eq for Catalog {}

impl Catalog {
    /// Takes one observation with what it means; returns the asset's id, as far as it is known before [`Catalog::settle`].
    pub fn take(&mut self, observation: &Observation, said: &Interpretation) -> String {
        self.take_entry(observation, said, None)
    }

    /// True for the time and the [`Observation::digest`] of one that was taken before.
    #[must_use]
    pub fn knows(&self, time_ns: u64, digest: &[u8; 32]) -> bool {
        self.taken.known(time_ns, digest).is_some()
    }

    /// As [`Catalog::take`], for an observation that stands in the ledger at this index.
    pub fn take_entry(&mut self, observation: &Observation, said: &Interpretation, entry: Option<u64>) -> String {
        self.take_digested(observation, observation.digest(), said, entry)
    }

    /// As [`Catalog::take_entry`], for an observation whose [`Observation::digest`] is known.
    pub fn take_digested(&mut self, observation: &Observation, digest: [u8; 32], said: &Interpretation, entry: Option<u64>) -> String {
        let (outline, said) = (Arc::new(Outline::of(observation)), Arc::new(Meaning::of(said)));
        let (source, time_ns, id) = (&observation.source, observation.time_ns, Id(digest));
        let number = self.fold_in(Told { outline: &outline, source, time_ns, id, entry }, &said);
        self.assets.get(number).map_or_else(String::new, |asset| asset.id.clone())
    }

    /// As [`Catalog::take_digested`], where nobody asks for the asset's id.
    pub(crate) fn fold_in(&mut self, told: Told<'_>, said: &Arc<Meaning>) -> Number {
        if let Some(at) = self.taken.known(told.time_ns, &told.id.0) {
            self.taken.again(at, told.entry);
            return self.assets.now(self.taken.records.get(at as usize).map_or_else(Number::default, |record| record.owner));
        }
        let doubles = self.taken.doubles.len();
        let (way, source) = self.taken.way(told.source);
        let told = Told { source: &source, ..told };
        let folded = self.fold_one(&told, said);
        self.taken.keep(&told, way, said, folded);
        self.taken.is_out_of_order |= self.taken.doubles.len() > doubles;
        folded.number
    }

    fn fold_one(&mut self, told: &Told<'_>, said: &Meaning) -> Folded {
        let outline = told.outline;
        let serial = said.serial.as_ref();
        let double = serial.filter(|serial| self.taken.doubles.contains(&serial.key)).map(|serial| serial.key.1.clone());
        let serial = serial.filter(|_| double.is_none());
        let exactly_here = self.places.known(&outline.protocol, &outline.address);
        let joins = self.assets.joins();
        let (known, replaced) = self.owner(outline, said, serial, exactly_here);
        let number = known.unwrap_or_else(|| self.new_asset(told));
        self.is_heard_of(number);
        if let Some(from) = exactly_here.filter(|here| *here != number && serial.is_some() && self.assets.get(*here).is_some()) {
            self.places.take_over(Handover {
                address: (*outline.address).clone(),
                from,
                to: number,
                since_ns: told.time_ns,
                observation: told.id,
                entry: told.entry,
                last_ns: told.time_ns,
                times: 1,
            });
        }
        let earlier = replaced.and_then(|replaced| self.assets.get(replaced)).map(|asset| asset.id.clone());
        let is_double = double.is_some();
        let Some(asset) = self.assets.get_mut(number) else { return Folded { number, is_as_before: false } };
        if let Some(earlier) = earlier {
            asset.remark(format!("answers where {earlier} did before, with another serial number"));
        }
        if let Some(double) = double {
            asset.remark(format!(
                "serial number {double:?} is told at two addresses at once: taken for two devices; merge them if it is one"
            ));
        }
        asset.see(told);
        asset.record(told, said);
        let nobody_else = !is_double && outline.authority.is_none() && !Places::hears_more(outline) && self.assets.joins() == joins;
        let is_as_before = exactly_here == Some(number) && nobody_else;
        if exactly_here != Some(number) || Places::hears_more(outline) {
            self.places.put(outline, number);
        }
        if let Some(serial) = serial.filter(|_| !self.is_apart(&outline.address))
            && self.serials.put(serial, number, told, &self.places)
        {
            self.taken.doubles.insert(serial.key.clone());
        }
        Folded { number, is_as_before }
    }

    /// An asset answered again as it did before: only its last time moves. Returns its id; `None` where nothing is known there.
    pub fn sighted(&mut self, protocol: &str, address: &Address, time_ns: u64) -> Option<String> {
        let asset = self.assets.get_mut(self.places.sight(protocol, address, time_ns)?)?;
        asset.seen_ns.1 = asset.seen_ns.1.max(time_ns);
        Some(asset.id.clone())
    }

    /// Where somebody who was heard without a network address can be reached, as far as his asset was heard with one: a BACnet device on
    /// this segment that also answers through a router. What was heard itself goes before.
    #[must_use]
    pub fn reached_at(&self, protocol: &str, address: &Address) -> Address {
        let asset = || self.assets.get(self.places.known(protocol, address)?);
        let routed =
            |asset: &Asset| asset.addresses.iter().rfind(|known| known.ip.is_some() && known.instance == address.instance).cloned();
        match (address.ip, address.instance) {
            (None, Some(_)) => {
                asset().and_then(routed).map_or_else(|| address.clone(), |known| Address { mac: address.mac.clone(), ..known })
            }
            _ => address.clone(),
        }
    }

    /// Assets in the order of their ids.
    pub fn assets(&self) -> impl Iterator<Item = &Asset> {
        self.assets.iter()
    }

    /// The asset with that id, or that had it before it was known to be this one, or with the only id that begins so.
    #[must_use]
    pub fn asset(&self, id: &str) -> Option<&Asset> {
        self.assets.named(id).or_else(|| {
            let mut beginning = self.assets().filter(|asset| asset.id.starts_with(id) && !id.is_empty());
            beginning.next().filter(|_| beginning.next().is_none())
        })
    }

    /// The entries of the ledger that hold its readings.
    pub fn entries_of(&self, id: &str) -> impl Iterator<Item = u64> {
        let own = self.assets.number(id).map(|number| self.assets.now(number));
        self.taken.entries_of(move |number| own == Some(self.assets.now(number)))
    }

    /// The assets that answer at this address now: the device itself, and each part behind it.
    pub fn at(&self, ip: IpAddr) -> impl Iterator<Item = &Asset> {
        let here = self.places.with_ip().filter(move |(at, ..)| *at == ip).filter_map(|(.., number)| self.assets.get(number));
        let by_id: BTreeMap<&str, &Asset> = here.map(|asset| (asset.id.as_str(), asset)).collect();
        by_id.into_values()
    }

    /// True where a person said that what answers there is a device of its own.
    fn is_apart(&self, address: &Address) -> bool {
        !self.apart.is_empty() && self.apart.contains(&Place::of(address))
    }

    fn new_asset(&mut self, told: &Told<'_>) -> Number {
        let id = self.free_id(told, None);
        self.assets.add(Asset::new(id, told.time_ns))
    }

    /// An id made of an observation that nobody has, unless it is this asset: of all that tells one from another but its bytes and the
    /// folder of its file, which is where somebody's copy lies.
    fn free_id(&self, told: &Told<'_>, own: Option<Number>) -> String {
        let Outline { address, protocol, question, .. } = &**told.outline;
        let way = match told.source {
            Source::Capture { file, frame } => (file.rsplit(['/', '\\']).next().unwrap_or(file), *frame),
            Source::Live { interface, frame } => (&**interface, *frame),
            Source::Asked { reason } => (&**reason, 0),
            Source::Imported { file, row } => (file.as_str(), *row),
            Source::ByHand { by, .. } => (by.as_str(), 0),
        };
        // Plain strings and numbers: serialising them cannot fail.
        let told = serde_json::to_vec(&("asset", way, protocol, question, &**address, told.time_ns)).unwrap_or_default();
        let digits = hex(&Sha256::digest(told));
        let id = |length: usize| format!("{ID_PREFIX}{}", digits.get(..length).unwrap_or(&digits));
        let is_free = |length: &usize| self.assets.number(&id(*length)).is_none_or(|number| Some(self.assets.now(number)) == own);
        id((ID_DIGITS..=digits.len()).find(is_free).unwrap_or(digits.len()))
    }
}

mod asset;
mod assets;
mod by_hand;
mod digests;
mod entered;
mod event;
mod family;
mod import;
mod join;
mod places;
mod recorded;
mod records;
mod serial;
mod settle;
mod stay;
mod taken;
mod told;
mod unknown;

use assets::Assets;
pub(crate) use assets::Number;
pub use by_hand::{Fact, STALE_NS};
pub use event::{Event, Happened, done_to, events};
pub use family::Parents;
use import::Listed;
pub use import::{Found, Index, OWNERS_ID};
use places::{Handover, Place, Places};
use serial::Serials;
pub use stay::Stay;
use taken::Taken;
pub(crate) use told::Told;
pub use told::{Meaning, Outline};

#[cfg(test)]
mod tests;
