//! Passive traffic counts: what a device told somebody else is a reading, and no packet of ours was needed for it.

use std::collections::BTreeMap;

use nameplate_core::catalog::{Asset, Catalog, Recorded};
use nameplate_core::change::{Nameplate, Outcome, Place, Said, Try, key};
use nameplate_core::observation::{Source, rfc3339};

use crate::store::now_ns;

/// From when and until when it is listened to.
#[derive(Clone, Copy, Debug, Default)]
pub struct Listening {
    /// First moment, in nanoseconds since 1970.
    pub since_ns: Option<u64>,
    /// Last moment.
    pub until_ns: Option<u64>,
    /// What devices answered when they were asked counts, too: on a gateway another process asks them.
    pub asked: bool,
}

/// What was heard of each of these places between two moments; without a last one, until now.
pub fn heard<'a>(catalog: &Catalog, places: impl Iterator<Item = &'a Place>, since: u64, listening: &Listening) -> Vec<Try> {
    let until = listening.until_ns.unwrap_or_else(now_ns);
    places.map(|place| of_asset(catalog.asset(&place.asset), place, (since, until), listening.asked)).collect()
}

fn of_asset(asset: Option<&Asset>, place: &Place, (since, until): (u64, u64), asked: bool) -> Try {
    let mut latest: BTreeMap<String, &Recorded> = BTreeMap::new();
    for recorded in
        asset.into_iter().flat_map(|asset| &asset.claims).filter(|one| is_said(one, asked) && one.since_ns <= until && one.time_ns >= since)
    {
        let entry = latest.entry(key(&recorded.claim.component, recorded.claim.field)).or_insert(recorded);
        // The best source counts, and its last word.
        if (recorded.claim.grade, std::cmp::Reverse(recorded.time_ns)) < (entry.claim.grade, std::cmp::Reverse(entry.time_ns)) {
            *entry = recorded;
        }
    }
    let (from, to) = (rfc3339(since), rfc3339(until));
    if latest.is_empty() {
        let why = format!("no identity of it was heard from {from} to {to}");
        return Try { asset: place.asset.clone(), time_ns: until, entries: Vec::new(), outcome: Outcome::Unread { why } };
    }
    let time_ns = latest.values().map(|recorded| recorded.time_ns).max().unwrap_or(until).min(until);
    let first_ns = latest.values().map(|recorded| recorded.since_ns.max(since)).min().unwrap_or(since);
    let silent_s = first_ns.saturating_sub(since) / NS_PER_S;
    if !asked {
        eprintln!("{}: heard at {}, {silent_s} s after {from}; nobody was asked", place.asset, rfc3339(first_ns));
    }
    let mut entries: Vec<u64> = latest.values().filter_map(|recorded| recorded.entry).collect();
    entries.sort_unstable();
    entries.dedup();
    let said = |recorded: &Recorded| Said { value: recorded.claim.value.clone(), from: recorded.claim.rule.clone() };
    let fields = latest.into_iter().map(|(key, recorded)| (key, said(recorded))).collect();
    let nameplate = Nameplate { fields, facts: BTreeMap::new(), heard: true };
    Try { asset: place.asset.clone(), time_ns, entries, outcome: Outcome::Read { nameplate } }
}

/// Nanoseconds of a second.
const NS_PER_S: u64 = 1_000_000_000;

/// Whether the device itself said it: to somebody else, or to us.
const fn is_said(recorded: &Recorded, asked: bool) -> bool {
    match recorded.source {
        Source::Capture { .. } | Source::Live { .. } => true,
        Source::Asked { .. } => asked,
        _ => false,
    }
}
