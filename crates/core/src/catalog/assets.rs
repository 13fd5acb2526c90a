//! The assets themselves. Within the catalog one is known by its number, because comparing ids is what a fold would do most.

use std::collections::{BTreeMap, HashMap};

use super::Asset;

/// Which asset, in the order in which they were first heard of. Where one turns out to be another, its number stays empty.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Number(usize);

/// All assets of a catalog.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Assets {
    all: Vec<Option<Asset>>,
    by_id: BTreeMap<String, Number>,
    /// Ids of assets that turned out to be another one, which has them now.
    joined: HashMap<String, Number>,
}

impl Assets {
    /// The asset that this catalog gave that number; `None` for another catalog's, and for one that was joined to another.
    pub(super) fn get(&self, number: Number) -> Option<&Asset> {
        self.all.get(number.0)?.as_ref()
    }

    pub(super) fn get_mut(&mut self, number: Number) -> Option<&mut Asset> {
        self.all.get_mut(number.0)?.as_mut()
    }

    /// The asset that has this id, or that had it before it was known to be this one.
    pub(super) fn number(&self, id: &str) -> Option<Number> {
        self.by_id.get(id).or_else(|| self.joined.get(id)).copied()
    }

    /// As [`Assets::number`], the asset itself.
    pub(super) fn named(&self, id: &str) -> Option<&Asset> {
        self.get(self.number(id)?)
    }

    /// Adds an asset; gives the number of the one that [has or had](Assets::number) its id already, and drops the new one.
    pub(super) fn add(&mut self, asset: Asset) -> Number {
        if let Some(known) = self.number(&asset.id) {
            return known;
        }
        let number = Number(self.all.len());
        self.by_id.insert(asset.id.clone(), number);
        self.all.push(Some(asset));
        number
    }

    /// Takes an asset out that is another one, and gives both; every id that it had names the other from now on. No other's number changes.
    pub(super) fn join(&mut self, goes: Number, stays: Number) -> (Option<Asset>, Option<&mut Asset>) {
        let gone = self.all.get_mut(goes.0).and_then(Option::take);
        for id in gone.iter().flat_map(|gone| gone.was.iter().chain([&gone.id])) {
            self.by_id.remove(id);
            self.joined.insert(id.clone(), stays);
        }
        (gone, self.get_mut(stays))
    }

    /// In the order of their ids.
    pub(super) fn iter(&self) -> impl Iterator<Item = &Asset> {
        self.by_id.values().filter_map(|number| self.get(*number))
    }
}
