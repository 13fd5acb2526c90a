//! Which asset the ledger last said something of, and where.

use std::collections::HashMap;

use super::{Catalog, Fact};
use crate::hand::Act;

impl Catalog {
    /// Of each asset the last entry of the ledger that says something of it, with its id, in no order. What merges, splits or takes back may change any
    /// asset, so behind it all count as changed.
    #[must_use]
    pub fn entered(&self) -> Vec<(u64, &str)> {
        let all = self.hands().filter(|(.., hand, _)| matches!(hand.act, Act::Merge { .. } | Act::Split { .. } | Act::Undo { .. }));
        let all = all.map(|(entry, ..)| entry).max();
        let mut readings = HashMap::new();
        for (entry, number) in self.taken.entries() {
            let last = readings.entry(self.assets.now(number)).or_insert(entry);
            *last = entry.max(*last);
        }
        let of = |asset: &'_ super::Asset| {
            let claims = asset.imported.iter().chain(&asset.by_hand).filter_map(|recorded| recorded.entry);
            let facts = asset.facts.values().filter_map(|Fact { entry, .. }| *entry);
            let reading = self.assets.number(&asset.id).and_then(|number| readings.get(&number).copied());
            claims.chain(facts).chain(reading).chain(all).max()
        };
        self.assets().filter_map(|asset| Some((of(asset)?, asset.id.as_str()))).collect()
    }
}
