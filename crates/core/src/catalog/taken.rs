//! All that was taken, short enough to be folded again: what a catalog shows must not depend on the order in which it learned of it.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use super::assets::Number;
use super::digests::Digests;
use super::records::Records;
use super::{Folded, Meaning, Outline, Told};
use crate::hand::{Act, Hand};
use crate::observation::{Id, Source};
use crate::sheet::Import;

/// The first place of what stands in no ledger: its turn. Ledgers end before.
const TURN_FIRST: u64 = 1 << 63;
/// Sayings of an asset that are looked through, the latest first; of one that says more than this, one is kept again.
const SAYINGS_SEARCHED_MAX: usize = 32;

/// An observation that was taken: when, where in the ledger, and what it said.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Record {
    pub(super) time_ns: u64,
    /// Its entry in the ledger, or its turn behind [`TURN_FIRST`].
    pub(super) place: u64,
    pub(super) frame: u64,
    /// Which of the files, interfaces and work orders it came by.
    pub(super) way: u32,
    pub(super) digest: [u8; 32],
    pub(super) saying: u32,
    /// Whose it is, or was when it was folded last.
    pub(super) owner: Number,
}

/// What observations have in common that differ in time, way and bytes alone, and what it means. Readers of a ledger share both, so two that
/// are the same mostly lie in one place, and `==` looks there first.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Saying {
    outline: Arc<Outline>,
    said: Arc<Meaning>,
}

/// Something that is no reading: who, when, and its place in the ledger.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Placed<T> {
    pub(super) what: Arc<T>,
    pub(super) time_ns: u64,
    pub(super) entry: Option<u64>,
    pub(super) place: u64,
}

/// What is folded next, in the order of its own time, then of its place.
#[derive(Clone, Copy)]
pub(super) enum Item {
    Reading(u32),
    Import(u32),
}

/// All that was taken.
#[derive(Clone, Debug, Default)]
pub(super) struct Taken {
    sayings: Vec<Saying>,
    ways: Vec<Source>,
    by_way: HashMap<(u8, String), u32>,
    latest_way: u32,
    /// The source that came by it last.
    latest_source: Option<Source>,
    pub(super) records: Records,
    by_digest: Digests,
    /// Sayings of each asset, by its number.
    by_asset: Vec<Vec<u32>>,
    pub(super) imports: Vec<Placed<Import>>,
    pub(super) hands: Vec<Placed<Hand>>,
    /// Serial numbers that two devices have at once, as the latest fold in order found them.
    pub(super) doubles: HashSet<(String, String)>,
    latest: (u64, u64),
    latest_import: (u64, u64),
    /// As [`Taken::latest_of`], by the asset's number.
    by_latest: Vec<(u64, u64)>,
    turns: u64,
    /// True where persons did something that is not applied yet.
    pub(super) hands_wait: bool,
    /// True where something that persons did is applied.
    pub(super) hands_are_applied: bool,
    /// True where something came that belongs before what was folded already.
    pub(super) is_out_of_order: bool,
}

impl Taken {
    /// The record with this time and digest.
    pub(super) fn known(&self, time_ns: u64, digest: &[u8; 32]) -> Option<u32> {
        self.by_digest.find(time_ns, digest, &self.records)
    }

    /// An observation that is known came again; the earlier place is its own.
    pub(super) fn again(&mut self, at: u32, entry: Option<u64>) {
        let Some(record) = self.records.get_mut(at as usize) else { return };
        if let Some(place) = entry.filter(|place| *place < record.place) {
            record.place = place;
            self.is_out_of_order = true;
        }
    }

    /// Keeps an observation that came by this way and belongs to this asset, as far as is known by now.
    pub(super) fn keep(&mut self, told: &Told<'_>, way: u32, said: &Arc<Meaning>, folded: Folded) {
        let asset = folded.number;
        let saying = self.saying(told.outline, said, asset);
        let place = self.place(told.entry);
        let Ok(at) = u32::try_from(self.records.len()) else { return };
        self.by_digest.insert(told.time_ns, &told.id.0, at);
        let key = (told.time_ns, place);
        // Readings of several ways come a little late. Where none of this asset and no list is later, and it changed nothing but the asset, the order does not
        // matter: what is between concerned others.
        if folded.is_as_before && self.latest_of(asset).max(self.latest_import) < key && self.is_one_each() {
            self.latest = self.latest.max(key);
        } else {
            self.comes(key);
        }
        let latest = if folded.is_as_before { key } else { self.latest };
        self.touches(asset, latest);
        let (time_ns, frame, digest) = (told.time_ns, frame(told.source), told.id.0);
        self.records.push(Record { time_ns, place, frame, way, digest, saying, owner: asset });
    }

    pub(super) fn import(&mut self, import: &Import, time_ns: u64, entry: Option<u64>) {
        let place = self.place(entry);
        self.comes((time_ns, place));
        self.latest_import = self.latest_import.max((time_ns, place));
        self.imports.push(Placed { what: Arc::new(import.clone()), time_ns, entry, place });
    }

    /// What a person did comes behind all readings; only a place that stands apart, and what is taken back when it was applied, needs all of
    /// them again.
    pub(super) fn hand(&mut self, hand: &Hand, time_ns: u64, entry: Option<u64>) {
        let place = self.place(entry);
        self.is_out_of_order |= match hand.act {
            Act::Split { .. } => true,
            Act::Undo { .. } => self.hands_are_applied,
            Act::Merge { .. } | Act::Set { .. } | Act::Read { .. } => false,
        };
        self.hands.push(Placed { what: Arc::new(hand.clone()), time_ns, entry, place });
        self.hands_wait = true;
    }

    /// The entries of the ledger that hold readings, each with whose it is.
    pub(super) fn entries(&self) -> impl Iterator<Item = (u64, Number)> {
        self.records.iter().filter(|record| record.place < TURN_FIRST).map(|record| (record.place, record.owner))
    }

    /// The entries of the ledger that hold readings of these assets.
    pub(super) fn entries_of(&self, is_own: impl Fn(Number) -> bool) -> impl Iterator<Item = u64> {
        self.records.iter().filter(move |record| record.place < TURN_FIRST && is_own(record.owner)).map(|record| record.place)
    }

    /// True where no person joined assets, or parted them: what was done behind all readings shows in none of them when something last was of it.
    fn is_one_each(&self) -> bool {
        self.hands.iter().all(|hand| matches!(hand.what.act, Act::Set { .. } | Act::Read { .. }))
    }

    /// When something last was of this asset, as far as it changed nothing else; where it did, the latest of all.
    fn latest_of(&self, asset: Number) -> (u64, u64) {
        self.by_latest.get(asset.place()).copied().unwrap_or_default()
    }

    /// Something of this time is of this asset.
    pub(super) fn touches(&mut self, asset: Number, key: (u64, u64)) {
        if self.by_latest.len() <= asset.place() {
            self.by_latest.resize(asset.place() + 1, (0, 0));
        }
        if let Some(latest) = self.by_latest.get_mut(asset.place()) {
            *latest = key.max(*latest);
        }
    }

    /// All is folded again: nothing is of an asset yet.
    pub(super) fn forget_latest(&mut self) {
        self.by_latest.clear();
    }

    fn comes(&mut self, key: (u64, u64)) {
        self.is_out_of_order |= key < self.latest;
        self.latest = self.latest.max(key);
    }

    fn place(&mut self, entry: Option<u64>) -> u64 {
        entry.unwrap_or_else(|| {
            self.turns += 1;
            TURN_FIRST | self.turns
        })
    }

    /// The number of a way, and the source with the text that all have that came by it.
    pub(super) fn way(&mut self, source: &Source) -> (u32, Source) {
        // Readings come by the hundred from one file. Where it is the very text, it is not looked at: its reader counts beside it.
        if !self.latest_source.as_ref().is_some_and(|latest| is_same_text(latest, source)) {
            self.latest_source = Some(source.clone());
            self.latest_way = self.number(source);
        }
        (self.latest_way, self.source(self.latest_way, frame(source)).unwrap_or_else(|| source.clone()))
    }

    fn number(&mut self, source: &Source) -> u32 {
        if self.ways.get(self.latest_way as usize).is_some_and(|latest| way(latest) == way(source)) {
            return self.latest_way;
        }
        let (kind, name) = way(source);
        let next = u32::try_from(self.ways.len()).unwrap_or(u32::MAX);
        let number = *self.by_way.entry((kind, name.to_owned())).or_insert(next);
        if number == next {
            // Its text is one of the catalog's own: who else holds the reader's would wait for the same memory.
            self.ways.push(apart(source));
        }
        number
    }

    /// The source of what came by a way, with its frame where it has one.
    fn source(&self, way: u32, frame: u64) -> Option<Source> {
        let mut source = self.ways.get(way as usize)?.clone();
        if let Source::Capture { frame: own, .. } | Source::Live { frame: own, .. } = &mut source {
            *own = frame;
        }
        Some(source)
    }

    fn saying(&mut self, outline: &Arc<Outline>, said: &Arc<Meaning>, asset: Number) -> u32 {
        if self.by_asset.len() <= asset.place() {
            self.by_asset.resize_with(asset.place() + 1, Vec::new);
        }
        let Some(of_asset) = self.by_asset.get_mut(asset.place()) else { return u32::MAX };
        for at in of_asset.iter().rev().take(SAYINGS_SEARCHED_MAX) {
            if self.sayings.get(*at as usize).is_some_and(|saying| saying.outline == *outline && saying.said == *said) {
                return *at;
            }
        }
        let at = u32::try_from(self.sayings.len()).unwrap_or(u32::MAX);
        of_asset.push(at);
        self.sayings.push(Saying { outline: Arc::clone(outline), said: Arc::clone(said) });
        at
    }

    /// Everything but what persons did, in order.
    pub(super) fn in_order(&self) -> Vec<Item> {
        let end = |count: usize| u32::try_from(count).unwrap_or(u32::MAX);
        let readings = (0..end(self.records.len())).map(Item::Reading);
        let mut items: Vec<Item> = readings.chain((0..end(self.imports.len())).map(Item::Import)).collect();
        // Nearly in order already, which a stable sort makes use of.
        items.sort_by_key(|item| self.when(*item));
        items
    }

    /// Where something belongs: its own time, then its place.
    fn when(&self, item: Item) -> Option<(u64, u64)> {
        match item {
            Item::Reading(at) => self.records.get(at as usize).map(|record| (record.time_ns, record.place)),
            Item::Import(at) => self.imports.get(at as usize).map(|import| (import.time_ns, import.place)),
        }
    }

    /// What persons did, in the order in which it was recorded.
    pub(super) fn hands_in_order(&self) -> Vec<Placed<Hand>> {
        let mut hands = self.hands.clone();
        hands.sort_by_key(|hand| hand.place);
        hands
    }

    /// Hands an observation over as it was told.
    pub(super) fn retold<R>(&self, record: u32, take: impl FnOnce(&Told<'_>, &Meaning) -> R) -> Option<R> {
        let Record { time_ns, place, frame, way, digest, saying, .. } = *self.records.get(record as usize)?;
        let Saying { outline, said } = self.sayings.get(saying as usize)?;
        let source = &self.source(way, frame)?;
        let entry = Some(place).filter(|place| *place < TURN_FIRST);
        Some(take(&Told { outline, source, time_ns, id: Id(digest), entry }, said))
    }
}

const fn frame(source: &Source) -> u64 {
    match source {
        Source::Capture { frame, .. } | Source::Live { frame, .. } => *frame,
        Source::Asked { .. } | Source::Imported { .. } | Source::ByHand { .. } => 0,
    }
}

/// The same with a text that nobody else holds.
fn apart(source: &Source) -> Source {
    let mut apart = source.clone();
    if let Source::Capture { file: text, .. } | Source::Live { interface: text, .. } | Source::Asked { reason: text } = &mut apart {
        *text = Arc::from(&**text);
    }
    apart
}

/// True where both hold one text, in one place.
fn is_same_text(one: &Source, other: &Source) -> bool {
    match (one, other) {
        (Source::Capture { file: one, .. }, Source::Capture { file: other, .. })
        | (Source::Live { interface: one, .. }, Source::Live { interface: other, .. })
        | (Source::Asked { reason: one }, Source::Asked { reason: other }) => Arc::ptr_eq(one, other),
        _ => false,
    }
}

/// A source without its frame.
fn way(source: &Source) -> (u8, &str) {
    match source {
        Source::Capture { file, .. } => (0, file),
        Source::Live { interface, .. } => (1, interface),
        Source::Asked { reason } => (2, reason),
        Source::Imported { file, .. } => (3, file),
        Source::ByHand { by, .. } => (4, by),
    }
}
