//! The catalog: one asset out of many observations. It is a fold: the same observations in the same order give the same catalog,
//! and nothing that was said is dropped; what loses stands beside what wins.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::net::IpAddr;

use sha2::{Digest, Sha256};

use crate::claim::{Claim, Field, Grade};
use crate::observation::{Address, Authority, Observation, Source, hex};
use crate::profile::{Interpretation, Matched};

/// Hexadecimal digits of an asset's id: 48 bits keep 10,000 assets apart with a chance of 1 in 5 million to collide, and a
/// collision is resolved by taking more digits.
const ID_DIGITS: usize = 12;
/// Kind, as an asset's id begins with.
const ID_PREFIX: &str = "a-";
/// The component whose serial number is the asset's own; a module's may change without the asset becoming another.
const OWN_COMPONENT: &str = "self";

/// All assets.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Catalog {
    assets: Assets,
    places: Places,
    serials: HashMap<(String, String), Number>,
    /// Digests of the observations that were taken: each counts once.
    taken: HashSet<[u8; 32]>,
    /// Where assets that stand only in a sheet are said to answer.
    listed: Listed,
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
}

/// A claim and the latest observation it stands in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recorded {
    /// The claim.
    pub claim: Claim,
    /// The observation's id; empty for the word of a list, which no reading stands behind.
    pub observation: String,
    /// The observation's entry in the ledger; `None` where nothing is kept.
    pub entry: Option<u64>,
    /// When it was observed, in nanoseconds since 1970.
    pub time_ns: u64,
    /// When it was first observed so, with nothing else said in between.
    pub since_ns: u64,
    /// In how many observations it stood since then.
    pub times: u64,
    /// Heard or asked.
    pub source: Source,
    /// Where it answered.
    pub address: Address,
}

/// The state of one field: the claim that stands, and those that say otherwise.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Current<'a> {
    /// Best grade, then newest.
    pub standing: &'a Recorded,
    /// The latest word of other rules, where it differs.
    pub conflicting: Vec<&'a Recorded>,
}

impl Catalog {
    /// Takes one observation with what it means; returns the asset's id.
    pub fn take(&mut self, observation: &Observation, said: &Interpretation) -> String {
        self.take_entry(observation, said, None)
    }

    /// True for the [`Observation::digest`] of one that was taken before.
    #[must_use]
    pub fn knows(&self, digest: &[u8; 32]) -> bool {
        self.taken.contains(digest)
    }

    /// As [`Catalog::take`], for an observation that stands in the ledger at this index.
    pub fn take_entry(&mut self, observation: &Observation, said: &Interpretation, entry: Option<u64>) -> String {
        self.take_digested(observation, observation.digest(), said, entry)
    }

    /// As [`Catalog::take_entry`], for an observation whose [`Observation::digest`] is known.
    pub fn take_digested(&mut self, observation: &Observation, digest: [u8; 32], said: &Interpretation, entry: Option<u64>) -> String {
        let number = self.fold_in(observation, digest, said, entry);
        self.assets.get(number).map_or_else(String::new, |asset| asset.id.clone())
    }

    /// As [`Catalog::take_digested`], where nobody asks for the asset's id.
    pub(crate) fn fold_in(&mut self, observation: &Observation, digest: [u8; 32], said: &Interpretation, entry: Option<u64>) -> Number {
        let again = !self.taken.insert(digest);
        let observed = hex(&digest);
        let serial = serial_of(&said.claims);
        let exactly_here = self.places.known(&observation.protocol, &observation.address);
        let (known, replaced) = self.owner(observation, &said.claims, serial.as_ref(), exactly_here);
        let number = known.unwrap_or_else(|| self.new_asset(observation, &observed));
        self.is_heard_of(number);
        let earlier = replaced.and_then(|replaced| self.assets.get(replaced)).map(|asset| asset.id.clone());
        let Some(asset) = self.assets.get_mut(number) else { return number };
        if let Some(earlier) = earlier {
            asset.remarks.push(format!("answers where {earlier} did before, with another serial number"));
        }
        asset.see(observation);
        if !again {
            asset.record(observation, &observed, said, entry);
        }
        if exactly_here != Some(number) || Places::hears_more(observation) {
            self.places.put(observation, number);
        }
        self.serials.extend(serial.map(|serial| (serial, number)));
        number
    }

    /// An asset answered again as it did before: only its last time moves. Returns its id; `None` where nothing is known there.
    pub fn sighted(&mut self, protocol: &str, address: &Address, time_ns: u64) -> Option<String> {
        let asset = self.assets.get_mut(self.places.known(protocol, address)?)?;
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

    /// The assets that answer at this address now: the device itself, and each part behind it.
    pub fn at(&self, ip: IpAddr) -> impl Iterator<Item = &Asset> {
        let here = self.places.with_ip().filter(move |(at, ..)| *at == ip).filter_map(|(.., number)| self.assets.get(number));
        let by_id: BTreeMap<&str, &Asset> = here.map(|asset| (asset.id.as_str(), asset)).collect();
        by_id.into_values()
    }

    fn new_asset(&mut self, observation: &Observation, observed: &str) -> Number {
        let named = observation.in_its_folder().map(|observation| observation.id());
        let digits = hex(&Sha256::digest(format!("asset\n{}", named.as_deref().unwrap_or(observed))));
        let free = |length: &usize| self.assets.number(&format!("{ID_PREFIX}{}", &digits[..*length])).is_none();
        let length = (ID_DIGITS..=digits.len()).find(free).unwrap_or(digits.len());
        self.assets.add(Asset::new(format!("{ID_PREFIX}{}", &digits[..length]), observation.time_ns))
    }
}

impl Asset {
    fn new(id: String, time_ns: u64) -> Self {
        Self {
            id,
            was: Vec::new(),
            addresses: Vec::new(),
            speaks: BTreeMap::new(),
            claims: Vec::new(),
            imported: Vec::new(),
            believed: Vec::new(),
            columns: BTreeMap::new(),
            profile: None,
            seen_ns: (time_ns, time_ns),
            observations: 0,
            why_unknown: String::new(),
            remarks: Vec::new(),
        }
    }

    /// The claim that stands for a field of a component, and what contradicts it.
    #[must_use]
    pub fn current(&self, component: &str, field: Field) -> Option<Current<'_>> {
        let mut latest: Vec<&Recorded> = Vec::new();
        for recorded in self.claims.iter().filter(|r| r.claim.field == field && r.claim.component == component) {
            match latest.iter_mut().find(|other| other.claim.rule == recorded.claim.rule) {
                None => latest.push(recorded),
                Some(other) if other.time_ns <= recorded.time_ns => *other = recorded,
                Some(_) => {}
            }
        }
        latest.extend(self.imported.iter().filter(|r| r.claim.field == field && r.claim.component == component));
        let standing = *latest.iter().min_by_key(|r| (r.claim.grade, std::cmp::Reverse(r.time_ns)))?;
        // A register writes a maker otherwise than he does himself: that contradicts nobody.
        let is_a_register = |r: &Recorded| r.claim.grade == Grade::Inferred && field == Field::Manufacturer;
        let contradicts = |r: &&Recorded| r.claim.value != standing.claim.value && (!is_a_register(r) || is_a_register(standing));
        let conflicting = latest.into_iter().filter(contradicts).collect();
        Some(Current { standing, conflicting })
    }

    /// The components that said something, in the order in which they first did.
    #[must_use]
    pub fn components(&self) -> Vec<&str> {
        let mut components: Vec<&str> = Vec::new();
        for recorded in self.claims.iter().chain(&self.imported) {
            if !components.contains(&recorded.claim.component.as_str()) {
                components.push(&recorded.claim.component);
            }
        }
        components
    }

    /// The field of the component that answers first: what one line of a table shows.
    #[must_use]
    pub fn shown(&self, field: Field) -> Option<Current<'_>> {
        self.components().into_iter().find_map(|component| self.current(component, field))
    }

    /// What others believe about a field and the device itself says otherwise, in words.
    pub fn wrong_beliefs(&self) -> impl Iterator<Item = String> + '_ {
        self.believed.iter().filter_map(|belief| {
            let Claim { field, value, rule, component, .. } = &belief.claim;
            let own = self.current(component, *field).or_else(|| self.shown(*field))?.standing;
            let differs = own.claim.value != *value;
            differs
                .then(|| format!("others take its {} for {value:?} ({rule}); the device itself says {:?}", field.name(), own.claim.value))
        })
    }

    /// False where the device says that it is of another make or model than these claims: two plants may give one number twice.
    fn may_say(&self, claims: &[Claim]) -> bool {
        let alike = |field| {
            let own = self.claims.iter().rev().find(|r| r.claim.field == field).map(|r| &r.claim.value);
            let said = claims.iter().find(|claim| claim.field == field).map(|claim| &claim.value);
            own.zip(said).is_none_or(|(own, said)| own == said)
        };
        alike(Field::Manufacturer) && alike(Field::Model)
    }

    fn is_another_than(&self, serial: Option<&(String, String)>) -> bool {
        let Some((_, serial)) = serial else { return false };
        let own = self.claims.iter().rev().find(|r| r.claim.field == Field::SerialNumber && r.claim.component == OWN_COMPONENT);
        own.is_some_and(|own| own.claim.value != *serial)
    }

    fn see(&mut self, observation: &Observation) {
        let role = observation.question.strip_prefix(PRESENCE).or(match observation.authority {
            Some(Authority::Client) => Some(ROLE_OF_CLIENTS),
            None | Some(Authority::Belief) => None,
        });
        let known = |roles: &BTreeSet<String>| role.is_none_or(|role| roles.contains(role));
        // Others' talk about it shows neither that it is there nor what it speaks.
        if observation.authority == Some(Authority::Belief) {
            let only = self.addresses.is_empty().then(|| observation.address.clone());
            return self.addresses.extend(only);
        }
        self.seen_ns = (self.seen_ns.0.min(observation.time_ns), self.seen_ns.1.max(observation.time_ns));
        if !self.speaks.get(&observation.protocol).is_some_and(known) {
            self.speaks.entry(observation.protocol.clone()).or_default().extend(role.map(str::to_owned));
        }
        if self.addresses.last() != Some(&observation.address) {
            self.addresses.retain(|address| *address != observation.address);
            self.addresses.push(observation.address.clone());
        }
    }

    fn record(&mut self, observation: &Observation, observed: &str, said: &Interpretation, entry: Option<u64>) {
        self.observations = self.observations.saturating_add(1);
        if let (Matched::One(id) | Matched::Fallback(id), false) = (&said.matched, said.claims.is_empty())
            && self.profile.as_ref() != Some(id)
        {
            self.profile = Some(id.clone());
        }
        for claim in &said.claims {
            match self.claims.iter_mut().rev().find(|earlier| earlier.is_of_the_kind_of(claim, &observation.source)) {
                Some(earlier) if earlier.claim == *claim && earlier.address == observation.address => {
                    earlier.again(observation, observed, entry)
                }
                _ => self.claims.push(Recorded::new(claim, observation, observed, entry)),
            }
        }
        for claim in &said.believed {
            self.believed.retain(|earlier| earlier.claim.rule != claim.rule || earlier.claim.field != claim.field);
            self.believed.push(Recorded::new(claim, observation, observed, entry));
        }
        // A list's words belong to the part that says the same field itself, and a part may just have spoken for the first time.
        self.join_imported();
        for remark in remarks(said) {
            if !self.remarks.contains(&remark) {
                self.remarks.push(remark);
            }
        }
        if self.claims.iter().any(|r| r.claim.field == Field::FirmwareRevision) {
            self.why_unknown.clear();
        } else if self.why_unknown.is_empty() || self.why_unknown == NEVER_IDENTIFIED || identifies(observation) {
            // What its identification said is the best reason; any answer is a better one than that it was only seen.
            self.why_unknown = why_unknown(observation);
        }
    }
}

impl Recorded {
    fn new(claim: &Claim, observation: &Observation, observed: &str, entry: Option<u64>) -> Self {
        Self {
            claim: claim.clone(),
            observation: observed.to_owned(),
            entry,
            time_ns: observation.time_ns,
            since_ns: observation.time_ns,
            times: 1,
            source: observation.source.clone(),
            address: observation.address.clone(),
        }
    }

    /// The same rule about the same field, by the same way: the later of the two is the rule's latest word there.
    fn is_of_the_kind_of(&self, claim: &Claim, source: &Source) -> bool {
        let own = &self.claim;
        own.field == claim.field
            && std::mem::discriminant(&self.source) == std::mem::discriminant(source)
            && (&own.rule, &own.component, &own.profile) == (&claim.rule, &claim.component, &claim.profile)
    }

    /// Counts an equal claim from the same address; what stands is the latest observation of it.
    fn again(&mut self, observation: &Observation, observed: &str, entry: Option<u64>) {
        (self.since_ns, self.times) = (self.since_ns.min(observation.time_ns), self.times.saturating_add(1));
        if observation.time_ns >= self.time_ns {
            (self.time_ns, self.entry) = (observation.time_ns, entry);
            // Into the text that is there: this is what a fold over a large ledger does most.
            observed.clone_into(&mut self.observation);
            match (&mut self.source, &observation.source) {
                (Source::Capture { file, frame }, Source::Capture { file: now, frame: at }) => {
                    now.clone_into(file);
                    *frame = *at;
                }
                (source, now) => source.clone_from(now),
            }
        }
    }
}

fn remarks(said: &Interpretation) -> Vec<String> {
    let mut remarks: Vec<String> = said.unreadable.iter().map(|(fact, shown)| format!("{fact} could not be used: \"{shown}\"")).collect();
    if let Matched::Several(profiles) = &said.matched {
        remarks.push(format!("several profiles match, so none is believed: {}", profiles.join(", ")));
    }
    remarks
}

/// How the question of an observation begins in which somebody was only seen; his role stands behind it.
const PRESENCE: &str = "presence.";
/// As [`nameplate_wire::conversation::Role`] has it.
const ROLE_OF_CLIENTS: &str = "client";

mod assets;
mod import;
mod join;
mod places;
mod unknown;

use assets::Assets;
pub(crate) use assets::Number;
use import::Listed;
pub use import::{Found, Index, OWNERS_ID};
use places::{Places, serial_of};
use unknown::{NEVER_IDENTIFIED, identifies, why_unknown};

#[cfg(test)]
mod tests;
