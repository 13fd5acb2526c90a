//! What persons did to the catalog: devices that are one, or two; what an owner knows; what somebody read off a front panel. Each is an entry
//! in the ledger and counts until another takes it back. They are applied behind all readings, in the order in which they were recorded.

use std::collections::HashSet;
use std::sync::Arc;

use super::places::Place;
use super::taken::Placed;
use super::{Asset, Catalog, Number, Recorded};
use crate::claim::{Claim, Grade};
use crate::hand::{Act, Hand};
use crate::observation::Source;

/// What stands in the place of a profile for a claim that a person typed in.
const HAND_PROFILE: &str = "by-hand";
/// What a person read counts as stale behind this time: a firmware is rarely older than two outages (half a year each).
pub const STALE_NS: u64 = 180 * 86_400_000_000_000;

/// What an owner says of an asset.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fact {
    /// What.
    pub value: String,
    /// Who says so.
    pub by: String,
    /// Why, in his words.
    pub reason: String,
    /// When it was recorded, in nanoseconds since 1970.
    pub time_ns: u64,
    /// Its entry in the ledger; `None` where nothing is kept.
    pub entry: Option<u64>,
    /// What the latest list says instead; `None` where it says nothing else.
    pub listed: Option<String>,
}

impl Catalog {
    /// Takes what a person did; [`Catalog::settle`] brings it in. `entry` is its index in the ledger.
    pub fn hand(&mut self, hand: &Hand, time_ns: u64, entry: Option<u64>) {
        self.taken.hand(hand, time_ns, entry);
    }

    /// True where that entry is something that a person did, and nobody took it back.
    #[must_use]
    pub fn counts(&self, entry: u64) -> bool {
        counting(&self.taken.hands_in_order()).iter().any(|hand| hand.entry == Some(entry))
    }

    /// What persons did, in the order in which it was recorded, each with whether it counts.
    pub fn hands(&self) -> impl Iterator<Item = (u64, u64, Arc<Hand>, bool)> {
        let hands = self.taken.hands_in_order();
        let counting: HashSet<Option<u64>> = counting(&hands).iter().map(|hand| hand.entry).collect();
        hands.into_iter().filter_map(move |hand| Some((hand.entry?, hand.time_ns, hand.what, counting.contains(&hand.entry))))
    }

    /// Where what answers is a device of its own: known before anything is folded.
    pub(super) fn begin_apart(&mut self, hands: &[Placed<Hand>]) {
        for hand in counting(hands) {
            if let Act::Split { address, .. } = &hand.what.act {
                self.apart.insert(Place::of(address).into_owned());
            }
        }
    }

    pub(super) fn by_hand(&mut self) {
        (self.taken.hands_wait, self.taken.hands_are_applied) = (false, true);
        for hand in counting(&self.taken.hands_in_order()) {
            match &hand.what.act {
                Act::Merge { stays, goes } => self.merge(stays, goes),
                Act::Set { asset, facts } => {
                    let Some(asset) = self.assets.number(asset).and_then(|number| self.assets.get_mut(number)) else { continue };
                    for (name, value) in facts {
                        asset.set(name, value.as_deref(), &hand);
                    }
                }
                Act::Read { asset, .. } => {
                    let Some(asset) = self.assets.number(asset).and_then(|number| self.assets.get_mut(number)) else { continue };
                    asset.read_off(&hand);
                }
                Act::Split { .. } | Act::Undo { .. } => {}
            }
        }
    }

    fn merge(&mut self, stays: &str, goes: &str) {
        let (Some(stays), Some(goes)) = (self.assets.number(stays), self.assets.number(goes)) else { return };
        let (stays, goes) = (self.assets.now(stays), self.assets.now(goes));
        if stays == goes {
            return;
        }
        self.is_heard_of_as(stays, goes);
        if let (Some(gone), Some(asset)) = self.assets.join(goes, stays) {
            gone.addresses.iter().for_each(|address| self.places.hand_over(address, goes, stays));
            self.serials.hand_over(goes, stays);
            asset.absorb(gone);
        }
    }

    /// Where a device that was heard is merged with one that stands in a list alone, the list no longer says where that is.
    fn is_heard_of_as(&mut self, stays: Number, goes: Number) {
        let heard = |number| self.assets.get(number).is_some_and(|asset| !asset.is_listed_only());
        if heard(stays) || heard(goes) {
            self.is_heard_of(stays);
            self.is_heard_of(goes);
        }
    }
}

/// What nobody took back. What takes something back can be taken back, too.
fn counting(hands: &[Placed<Hand>]) -> Vec<Placed<Hand>> {
    let mut void: HashSet<u64> = HashSet::new();
    let mut counting: Vec<Placed<Hand>> = Vec::new();
    for hand in hands.iter().rev() {
        if hand.entry.is_some_and(|entry| void.contains(&entry)) {
            continue;
        }
        // Only what stands before it can be taken back, and that is yet to come.
        if let Act::Undo { entry } = hand.what.act {
            void.insert(entry);
        }
        counting.push(hand.clone());
    }
    counting.reverse();
    counting
}

impl Asset {
    /// Takes over all that is known of another that is this one.
    fn absorb(&mut self, gone: Self) {
        self.was_seen_as(Self { claims: Vec::new(), ..gone.clone() });
        self.claims.extend(gone.claims);
        self.claims.sort_by_key(|recorded| recorded.since_ns);
        for recorded in gone.imported {
            if let Err(at) = self.imported.binary_search_by_key(&recorded.claim.field, |own| own.claim.field) {
                self.imported.insert(at, recorded);
            }
        }
        self.believed.extend(gone.believed);
        self.by_hand.extend(gone.by_hand);
        for (column, cell) in gone.columns {
            self.columns.entry(column).or_insert(cell);
        }
        for (name, fact) in gone.facts {
            self.facts.entry(name).or_insert(fact);
        }
        for remark in gone.remarks {
            self.remark(remark);
        }
        self.profile = self.profile.take().or(gone.profile);
        let knows = self.claims.iter().any(|recorded| recorded.claim.field == crate::claim::Field::FirmwareRevision);
        if knows {
            self.why_unknown.clear();
        } else if self.why_unknown.is_empty() {
            self.why_unknown = gone.why_unknown;
        }
    }

    fn set(&mut self, name: &str, value: Option<&str>, hand: &Placed<Hand>) {
        let listed = self.facts.remove(name).map_or_else(|| self.columns.remove(name), |fact| fact.listed);
        let Some(value) = value else {
            self.columns.extend(listed.map(|listed| (name.to_owned(), listed)));
            return;
        };
        let Hand { by, reason, .. } = &*hand.what;
        self.columns.insert(name.to_owned(), value.to_owned());
        let listed = listed.filter(|listed| listed != value);
        let fact =
            Fact { value: value.to_owned(), by: by.clone(), reason: reason.clone(), time_ns: hand.time_ns, entry: hand.entry, listed };
        self.facts.insert(name.to_owned(), fact);
    }

    fn read_off(&mut self, hand: &Placed<Hand>) {
        let Hand { act: Act::Read { component, fields, read_ns, photo_sha256, .. }, by, second, .. } = &*hand.what else { return };
        for (field, value) in fields {
            let claim = Claim {
                component: component.clone(),
                field: *field,
                grade: Grade::ByHand,
                length: 0,
                message: 0,
                normal: None,
                offset: 0,
                profile: HAND_PROFILE.to_owned(),
                rule: format!("{HAND_PROFILE}.{}", field.name()),
                value: value.clone(),
            };
            self.by_hand.retain(|earlier| (&earlier.claim.component, earlier.claim.field) != (component, *field));
            let source = Source::ByHand { by: by.clone(), second: second.clone(), photo_sha256: photo_sha256.clone() };
            self.by_hand.push(Recorded {
                claim: Arc::new(claim),
                observation: None,
                entry: hand.entry,
                time_ns: *read_ns,
                since_ns: *read_ns,
                first: (None, hand.entry),
                times: 1,
                source,
                address: Arc::new(self.addresses.last().cloned().unwrap_or_default()),
            });
        }
    }
}
