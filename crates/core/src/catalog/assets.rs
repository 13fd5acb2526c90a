//! The assets themselves. Within the catalog one is known by its number, because comparing ids is what a fold would do most.

use std::collections::{BTreeMap, HashMap};

use super::Asset;

/// Which asset, in the order in which they were first heard of. Where one turns out to be another, its number stays empty.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Number(u32);

impl Number {
    /// Its place among all that were ever given.
    pub(super) const fn place(self) -> usize {
        self.0 as usize
    }
}

/// All assets of a catalog.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Assets {
    all: Vec<Option<Asset>>,
    by_id: BTreeMap<String, Number>,
    /// Ids of assets that turned out to be another one, which has them now.
    joined: HashMap<String, Number>,
    /// Which asset one turned out to be.
    is: HashMap<Number, Number>,
}

impl Assets {
    /// The asset that this catalog gave that number; `None` for another catalog's, and for one that was joined to another.
    pub(super) fn get(&self, number: Number) -> Option<&Asset> {
        self.all.get(number.place())?.as_ref()
    }

    pub(super) fn get_mut(&mut self, number: Number) -> Option<&mut Asset> {
        self.all.get_mut(number.place())?.as_mut()
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
        let number = Number(u32::try_from(self.all.len()).unwrap_or(u32::MAX));
        self.by_id.insert(asset.id.clone(), number);
        self.all.push(Some(asset));
        number
    }

    /// Takes an asset out that is another one, and gives both; every id that it had names the other from now on. No other's number changes.
    pub(super) fn join(&mut self, goes: Number, stays: Number) -> (Option<Asset>, Option<&mut Asset>) {
        let gone = self.all.get_mut(goes.place()).and_then(Option::take);
        self.is.insert(goes, stays);
        for id in gone.iter().flat_map(|gone| gone.was.iter().chain([&gone.id])) {
            self.by_id.remove(id);
            self.joined.insert(id.clone(), stays);
        }
        (gone, self.get_mut(stays))
    }

    /// How many turned out to be another.
    pub(super) fn joins(&self) -> usize {
        self.is.len()
    }

    /// The asset that this one turned out to be; itself where it did not.
    pub(super) fn now(&self, number: Number) -> Number {
        let mut now = number;
        while let Some(other) = self.is.get(&now) {
            now = *other;
        }
        now
    }

    /// Gives an asset another id, where nobody has that; one that it had before stays a name of it.
    pub(super) fn rename(&mut self, number: Number, id: String) {
        let taken = self.by_id.contains_key(&id);
        let Some(asset) = self.get_mut(number).filter(|asset| !taken && asset.id != id) else { return };
        asset.was.retain(|was| *was != id);
        let before = std::mem::replace(&mut asset.id, id.clone());
        self.by_id.remove(&before);
        self.joined.remove(&id);
        // Remarks may name it so.
        self.joined.insert(before, number);
        self.by_id.insert(id, number);
    }

    /// An asset was known by this id, too, where nobody else has it.
    pub(super) fn also_called(&mut self, id: &str, number: Number) {
        if self.number(id).is_none() {
            self.joined.insert(id.to_owned(), number);
        }
    }

    /// All ids with what they name.
    pub(super) fn names(&self) -> impl Iterator<Item = (&String, Number)> {
        self.by_id.iter().chain(&self.joined).map(|(id, number)| (id, self.now(*number)))
    }

    /// In the order of their ids.
    pub(super) fn iter(&self) -> impl Iterator<Item = &Asset> {
        self.by_id.values().filter_map(|number| self.get(*number))
    }
}
