//! Releases that are approved together: both ends of a line protection, main and boot image with the card beside them. Each alone says
//! nothing; a group of parts conforms when all of it is on one set.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::approval::{ASSETS_MAX, Invalid, need, texts, two};
use super::conformance::order_of;
use super::ranged::folded;
use super::{Baselines, Key, Origin, ProductLine};
use crate::catalog::{Asset, Catalog};
use crate::claim::Field;
use crate::profile::ProfileSet;

/// Parts of one set: a redundant system has a dozen; whoever lists more means a system's bill of materials.
const MEMBERS_MAX: usize = 64;
/// The column by which a device is named where its id is not known.
const TAG: &str = "tag";

/// One release of a set.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Member {
    /// Of which products.
    pub line: ProductLine,
    /// Of which part of them.
    pub component: String,
    /// Which of its revisions.
    pub field: Field,
    /// The release, as a person wrote it.
    pub release: String,
}

/// A set, as it stands in the ledger.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CompatibilitySet {
    /// Its name. A later set of the same name and devices takes its place.
    pub name: String,
    /// The releases.
    pub members: Vec<Member>,
    /// The devices that are one group, by their ids or tags; where none is named, each device that has all the products by itself.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub together: Vec<String>,
    /// In force from then on, in nanoseconds since 1970.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from_ns: Option<u64>,
    /// In force until then, that nanosecond included.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until_ns: Option<u64>,
    /// The document it rests on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub origin: Option<Origin>,
    /// Who decided.
    pub by: String,
    /// Who agreed, where two have to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub second: Option<String>,
    /// Why.
    pub reason: String,
}

impl CompatibilitySet {
    /// Whether it may be recorded.
    ///
    /// # Errors
    /// The first rule that it breaks, as a sentence.
    pub fn check(&self) -> Result<(), Invalid> {
        let members = self.members.iter().flat_map(|member| member.line.named().chain([&member.component, &member.release]));
        texts([&self.name, &self.by, &self.reason].into_iter().chain(&self.second).chain(&self.together).chain(members))?;
        let few = if self.together.is_empty() { 2 } else { 1 };
        need(self.members.len() >= few, "a set has two members, or one and the devices that are together")?;
        need(self.members.len() <= MEMBERS_MAX, "a set has at most 64 members")?;
        need(self.together.len() != 1, "one device alone is no group; name the others that are together with it")?;
        need(self.together.len() <= ASSETS_MAX, "a set is for at most 10,000 devices")?;
        for member in &self.members {
            member.line.check()?;
            need(member.field.is_revision() && member.field != Field::SerialNumber, "only a revision can be approved")?;
        }
        let places: BTreeSet<_> = self.members.iter().map(Member::place).collect();
        need(places.len() == self.members.len(), "two members are about one part of one product; alternatives are two sets")?;
        two(&self.by, self.second.as_deref())?;
        need(self.from_ns.zip(self.until_ns).is_none_or(|(from, until)| from <= until), "it would end before it begins")
    }

    fn holds(&self, now_ns: u64) -> bool {
        self.from_ns.is_none_or(|from| from <= now_ns) && self.until_ns.is_none_or(|until| until >= now_ns)
    }

    /// Two sets of one shape are alternatives: the same parts of the same devices.
    fn shape(&self) -> (BTreeSet<String>, BTreeSet<Place>) {
        (self.together.iter().map(|one| folded(one)).collect(), self.members.iter().map(Member::place).collect())
    }
}

/// Products, part and field.
type Place = (Vec<Option<String>>, String, &'static str);

impl Member {
    fn place(&self) -> Place {
        let ProductLine { profile, manufacturer, model, product_code } = &self.line;
        let line = [profile, manufacturer, model, product_code].map(|text| text.as_deref().map(folded));
        (line.to_vec(), self.component.clone(), self.field.name())
    }
}

/// A set and the entry it stands in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DecidedSet {
    /// The entry's index in the ledger.
    pub index: u64,
    /// When it was recorded, in nanoseconds since 1970.
    pub time_ns: u64,
    /// The set.
    pub set: CompatibilitySet,
    keys: Vec<Key>,
}

/// How a group of parts stands to its sets.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum SetConformance {
    /// No approved set is what is installed.
    Mixed,
    /// A release or a device is not known, and what is known fits.
    Unknown,
    /// All members are on one approved set.
    Conforms,
}

impl SetConformance {
    /// The word in files.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Mixed => "mixed",
            Self::Unknown => "unknown",
            Self::Conforms => "conforms",
        }
    }
}

/// A group of parts, judged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SetJudged {
    /// The set that it is on, or that it is nearest to.
    pub name: String,
    /// The ids of the devices.
    pub assets: Vec<String>,
    /// The verdict.
    pub conformance: SetConformance,
    /// Which members are not on that set, or not known, in words.
    pub off: Vec<String>,
    /// The ledger's entry of that set.
    pub entry: u64,
}

impl DecidedSet {
    pub(super) fn new(set: CompatibilitySet, index: u64, time_ns: u64) -> Self {
        let keys = set.members.iter().map(|member| Key::of(&member.line, &[])).collect();
        Self { index, time_ns, set, keys }
    }

    /// The devices of each group that it is about, and those that are named and not in the catalog.
    fn groups<'a>(&self, catalog: &'a Catalog) -> Vec<(Vec<&'a Asset>, Vec<&str>)> {
        if self.set.together.is_empty() {
            let has_all = |asset: &&Asset| self.members().all(|(member, key)| key.is_line_of(asset, &member.component));
            return catalog.assets().filter(has_all).map(|asset| (vec![asset], Vec::new())).collect();
        }
        let (mut found, mut missing) = (Vec::new(), Vec::new());
        for name in &self.set.together {
            let tagged = |asset: &&Asset| asset.columns.iter().any(|(column, tag)| folded(column) == TAG && folded(tag) == folded(name));
            match catalog.assets().find(|asset| asset.id == *name || asset.was.contains(name)).or_else(|| catalog.assets().find(tagged)) {
                Some(asset) => found.push(asset),
                None => missing.push(name.as_str()),
            }
        }
        vec![(found, missing)]
    }

    fn members(&self) -> impl Iterator<Item = (&Member, &Key)> {
        self.set.members.iter().zip(&self.keys)
    }

    fn judge(&self, assets: &[&Asset], missing: &[&str], profiles: &ProfileSet) -> SetJudged {
        let mut unknown: Vec<String> = missing.iter().map(|name| format!("no device has the id or tag {name:?}")).collect();
        let mut off = Vec::new();
        for (member, key) in self.members() {
            let Member { component, field, release, .. } = member;
            let of: Vec<&&Asset> = assets.iter().filter(|asset| key.is_line_of(asset, component)).collect();
            if of.is_empty() {
                unknown.push(format!("no device of the group is {}", member.line.named().cloned().collect::<Vec<_>>().join(" ")));
            }
            for asset in of {
                let read = asset.current(component, *field).map(|current| &current.standing.claim);
                match read {
                    None => unknown.push(format!("{} {component} never said its {}", asset.id, field.name())),
                    Some(read) if order_of(asset, Some(&read.profile), profiles).same(release, &read.value) => {}
                    Some(read) => off.push(format!("{} {component} has {}, the set {release}", asset.id, read.value)),
                }
            }
        }
        let strange = |asset: &&&Asset| !self.members().any(|(member, key)| key.is_line_of(asset, &member.component));
        unknown.extend(assets.iter().filter(strange).map(|asset| format!("{} is none of the set's products", asset.id)));
        let conformance = match (off.is_empty(), unknown.is_empty()) {
            (false, _) => SetConformance::Mixed,
            (true, false) => SetConformance::Unknown,
            (true, true) => SetConformance::Conforms,
        };
        off.extend(unknown);
        let assets = assets.iter().map(|asset| asset.id.clone()).collect();
        SetJudged { name: self.set.name.clone(), assets, conformance, off, entry: self.index }
    }
}

impl Baselines {
    /// Every set, in the order in which they were approved.
    pub fn sets(&self) -> impl Iterator<Item = &DecidedSet> {
        self.sets.iter()
    }

    /// The sets in force: begun, not ended, and no later one of the same name for the same devices.
    pub fn sets_in_force(&self, now_ns: u64) -> Vec<&DecidedSet> {
        let replaced = |one: &DecidedSet| {
            let same = |later: &DecidedSet| folded(&later.set.name) == folded(&one.set.name) && later.set.shape().0 == one.set.shape().0;
            let begun = |later: &DecidedSet| later.set.from_ns.is_none_or(|from| from <= now_ns);
            self.sets.iter().any(|later| later.index > one.index && begun(later) && same(later))
        };
        self.sets.iter().filter(|one| one.set.holds(now_ns) && !replaced(one)).collect()
    }

    /// Judges every group of parts that has a set. Where several sets are for the same parts, the group is on one of them or on none.
    #[must_use]
    pub fn judge_sets(&self, catalog: &Catalog, profiles: &ProfileSet, now_ns: u64) -> Vec<SetJudged> {
        let mut best: Vec<((BTreeSet<String>, BTreeSet<Place>), SetJudged)> = Vec::new();
        for set in self.sets_in_force(now_ns) {
            let shape = set.set.shape();
            for (assets, missing) in set.groups(catalog) {
                let judged = set.judge(&assets, &missing, profiles);
                // Of equals the later one: people move on.
                let nearer = |old: &SetJudged| {
                    (std::cmp::Reverse(judged.conformance), judged.off.len()) <= (std::cmp::Reverse(old.conformance), old.off.len())
                };
                match best.iter_mut().find(|(other, old)| *other == shape && old.assets == judged.assets) {
                    Some((_, old)) if nearer(old) => *old = judged,
                    Some(_) => {}
                    None => best.push((shape.clone(), judged)),
                }
            }
        }
        best.into_iter().map(|(_, judged)| judged).collect()
    }
}
