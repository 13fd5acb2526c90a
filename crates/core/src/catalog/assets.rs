//! The assets themselves. Within the catalog one is known by its number, because comparing ids is what a fold would do most.

use std::collections::BTreeMap;

use super::Asset;

/// Which asset, in the order in which they were first heard of. None is ever removed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Number(usize);

/// All assets of a catalog.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Assets {
    all: Vec<Asset>,
    by_id: BTreeMap<String, Number>,
}

impl Assets {
    /// The asset that this catalog gave that number; `None` for another catalog's.
    pub(super) fn get(&self, number: Number) -> Option<&Asset> {
        self.all.get(number.0)
    }

    pub(super) fn get_mut(&mut self, number: Number) -> Option<&mut Asset> {
        self.all.get_mut(number.0)
    }

    pub(super) fn number(&self, id: &str) -> Option<Number> {
        self.by_id.get(id).copied()
    }

    /// Adds an asset; gives the number of the one that has its id already, and drops the new one.
    pub(super) fn add(&mut self, asset: Asset) -> Number {
        let Self { all, by_id } = self;
        *by_id.entry(asset.id.clone()).or_insert_with(|| {
            all.push(asset);
            Number(all.len() - 1)
        })
    }

    /// In the order of their ids.
    pub(super) fn iter(&self) -> impl Iterator<Item = &Asset> {
        self.by_id.values().filter_map(|number| self.get(*number))
    }
}
