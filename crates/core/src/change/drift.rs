//! Drift: what devices report otherwise than before, and which change ordered it, if one did. A pure fold over the catalog's claims and all
//! changes, so that a capture which is read late tells the same as one that was read at once.

use std::collections::BTreeMap;

use super::{Change, Changes, key};
use crate::catalog::{Asset, Catalog, Recorded};
use crate::claim::{Field, OWN_COMPONENT};
use crate::happening::{Happenings, Kept};
use crate::observation::Address;

/// What is part of a device's baseline: a name or a place that changes is no drift.
const FIELDS: [Field; 8] = [
    Field::FirmwareRevision,
    Field::SoftwareRevision,
    Field::BootRevision,
    Field::HardwareRevision,
    Field::SerialNumber,
    Field::ProductCode,
    Field::Model,
    Field::Patch,
];

/// Something that is not what it was.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Drift {
    /// The asset that reported it; of a device that was replaced, the one that is gone.
    pub asset: String,
    /// The device that answers in its place, where it was replaced.
    pub replaced_by: Option<String>,
    /// What changed: `self.firmware_revision`.
    pub what: String,
    /// What was reported.
    pub before: String,
    /// What is reported now.
    pub after: String,
    /// Last time the one and first time the other was read, in nanoseconds since 1970: it happened between them.
    pub between_ns: (u64, u64),
    /// Entries of the two readings, where they stand in the ledger.
    pub entries: (Option<u64>, Option<u64>),
    /// The work order that expected exactly this.
    pub expected_by: Option<String>,
    /// Work orders whose window was open meanwhile for this device or beside it, and which did not expect it.
    pub could_have: Vec<String>,
}

/// One value of a series, and how long it was reported.
struct Stretch<'a> {
    asset: &'a Asset,
    value: &'a str,
    first_ns: u64,
    last_ns: u64,
    entry: Option<u64>,
}

/// All that drifted, by asset; what no change expected and what one did.
#[must_use]
pub fn drifts(catalog: &Catalog, changes: &Changes) -> Vec<Drift> {
    let mut series: BTreeMap<(String, &str, Field, &str), Vec<Stretch<'_>>> = BTreeMap::new();
    for asset in catalog.assets() {
        for recorded in asset.claims.iter().filter(|recorded| FIELDS.contains(&recorded.claim.field)) {
            let claim = &recorded.claim;
            series
                .entry((whose(asset, recorded), &claim.component, claim.field, &claim.rule))
                .or_default()
                .push(Stretch::of(asset, recorded));
        }
    }
    let mut found: Vec<Drift> = Vec::new();
    for ((_, component, field, _), stretches) in series {
        for drift in of_series(&key(component, field), stretches, changes) {
            match found.iter_mut().find(|other| other.is_the_same_as(&drift)) {
                // Two rules tell of one event: the closer look counts.
                Some(other) if drift.between_ns.1 < other.between_ns.1 => *other = drift,
                Some(_) => {}
                None => found.push(drift),
            }
        }
    }
    found.sort_by(|a, b| (&a.asset, a.between_ns, &a.what).cmp(&(&b.asset, b.between_ns, &b.what)));
    found
}

/// A series belongs to an asset. Serial numbers of the whole device belong to a place, because another one makes another asset.
fn whose(asset: &Asset, recorded: &Recorded) -> String {
    if recorded.claim.field != Field::SerialNumber || recorded.claim.component != OWN_COMPONENT {
        return asset.id.clone();
    }
    let place = Address { mac: None, ..(*recorded.address).clone() };
    if place == Address::default() { asset.id.clone() } else { format!("{place:?}") }
}

fn of_series(what: &str, mut stretches: Vec<Stretch<'_>>, changes: &Changes) -> Vec<Drift> {
    stretches.sort_by_key(|stretch| (stretch.first_ns, stretch.last_ns));
    let mut merged: Vec<Stretch<'_>> = Vec::new();
    for stretch in stretches {
        match merged.last_mut().filter(|last| last.value == stretch.value) {
            Some(last) => last.last_ns = last.last_ns.max(stretch.last_ns),
            None => merged.push(stretch),
        }
    }
    let mut found: Vec<Drift> = Vec::new();
    // From the last to the first: what a device reported on its way to what was expected is explained by that.
    for pair in merged.windows(2).rev() {
        let [first, second] = pair else { continue };
        let mut drift = first.to(second, what, changes);
        if let (None, Some(next)) = (&drift.expected_by, found.last().and_then(|next| next.expected_by.as_ref())) {
            drift.expected_by = drift.could_have.iter().find(|order| *order == next).cloned();
        }
        found.push(drift);
    }
    found
}

impl<'a> Stretch<'a> {
    fn of(asset: &'a Asset, recorded: &'a Recorded) -> Self {
        let Recorded { claim, since_ns, time_ns, entry, .. } = recorded;
        Self { asset, value: &claim.value, first_ns: *since_ns, last_ns: *time_ns, entry: *entry }
    }

    fn to(&self, next: &Self, what: &str, changes: &Changes) -> Drift {
        let between_ns = (self.last_ns.min(next.first_ns), self.last_ns.max(next.first_ns));
        let beside = |change: &&Change| is_beside(change, self.asset, next.asset);
        let meanwhile = |change: &&Change| change.plan.from_ns <= between_ns.1 && between_ns.0 <= change.plan.until_ns;
        let open: Vec<&Change> = changes.iter().filter(meanwhile).filter(beside).collect();
        let expects = |change: &&&Change| {
            let mut deltas = change.plan.expected.iter();
            deltas.any(|delta| is_called(self.asset, &delta.asset) && delta.key() == what && delta.to.as_deref() == Some(next.value))
        };
        let expected_by = open.iter().find(expects).map(|change| change.plan.order.clone());
        Drift {
            asset: self.asset.id.clone(),
            replaced_by: (self.asset.id != next.asset.id).then(|| next.asset.id.clone()),
            what: what.to_owned(),
            before: self.value.to_owned(),
            after: next.value.to_owned(),
            between_ns,
            entries: (self.entry, next.entry),
            could_have: open.iter().map(|change| change.plan.order.clone()).filter(|order| Some(order) != expected_by.as_ref()).collect(),
            expected_by,
        }
    }
}

impl Drift {
    /// What was seen to be done to the device, or to the one that answers in its place, between the two readings: its times are both included.
    #[must_use]
    pub fn seen<'a>(&self, catalog: &Catalog, happenings: &'a Happenings) -> Vec<&'a Kept> {
        let assets = [Some(&self.asset), self.replaced_by.as_ref()].into_iter().flatten().filter_map(|id| catalog.asset(id));
        let mut seen: Vec<&Kept> = assets.flat_map(|asset| happenings.of(asset, self.between_ns)).collect();
        seen.sort_by_key(|kept| (kept.happening.time_ns, kept.entry));
        seen.dedup_by_key(|kept| kept.entry);
        seen
    }

    /// The same event, told by another rule: their times overlap.
    fn is_the_same_as(&self, other: &Self) -> bool {
        let said = |drift: &Self| (drift.asset.clone(), drift.what.clone(), drift.before.clone(), drift.after.clone());
        said(self) == said(other) && self.between_ns.0 <= other.between_ns.1 && other.between_ns.0 <= self.between_ns.1
    }
}

fn is_called(asset: &Asset, id: &str) -> bool {
    asset.id == id || asset.was.iter().any(|was| was == id)
}

/// Whether a change is about the device, or about another one at its address.
fn is_beside(change: &Change, asset: &Asset, next: &Asset) -> bool {
    change.plan.places().any(|place| {
        let own = |one: &Asset| is_called(one, &place.asset);
        let there = |one: &Asset| place.address.ip.is_some() && one.addresses.iter().any(|address| address.ip == place.address.ip);
        own(asset) || own(next) || there(asset)
    })
}
