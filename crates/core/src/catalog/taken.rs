//! All that was taken, short enough to be folded again: what a catalog shows must not depend on the order in which it learned of it.

use std::collections::{HashMap, HashSet};
use std::hash::{BuildHasherDefault, Hash, Hasher};
use std::sync::Arc;

use super::assets::Number;
use crate::hand::{Act, Hand};
use crate::observation::{Observation, Source};
use crate::profile::Interpretation;
use crate::sheet::Import;

/// The first place of what stands in no ledger: its turn. Ledgers end before.
const TURN_FIRST: u64 = 1 << 63;
/// Sayings of an asset that are looked through, the latest first; of one that says more than this, one is kept again.
const SAYINGS_SEARCHED_MAX: usize = 32;
/// Copies of one meaning that are known by where they lie: as many as readers of a ledger that each have their own.
const MEANINGS_MAX: usize = 4;

/// An observation that was taken: when, where in the ledger, and what it said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Record {
    pub(super) time_ns: u64,
    /// Its entry in the ledger, or its turn behind [`TURN_FIRST`].
    pub(super) place: u64,
    frame: u64,
    /// Which of the files, interfaces and work orders it came by.
    way: u32,
    pub(super) digest: [u8; 32],
    saying: u32,
    /// Whose it is, or was when it was folded last.
    pub(super) owner: Number,
}

/// What observations have in common that differ in time, way and bytes alone.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Saying {
    /// With one empty message where there were some.
    observation: Observation,
    said: Vec<Arc<Interpretation>>,
}

/// A meaning on its way in.
#[derive(Clone, Copy)]
pub(crate) enum Meaning<'a> {
    /// It is copied when it is news.
    Plain(&'a Interpretation),
    /// It is kept as it is.
    Shared(&'a Arc<Interpretation>),
}

impl Meaning<'_> {
    pub(super) fn get(&self) -> &Interpretation {
        match self {
            Self::Plain(said) => said,
            Self::Shared(said) => said,
        }
    }

    fn shared(self) -> Arc<Interpretation> {
        match self {
            Self::Plain(said) => Arc::new(said.clone()),
            Self::Shared(said) => Arc::clone(said),
        }
    }
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

/// The first half of a digest: 128 bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Half([u64; 2]);

impl Half {
    fn of(digest: &[u8; 32]) -> Self {
        let (words, _) = digest.as_chunks::<8>();
        let word = |at: usize| words.get(at).map_or(0, |word| u64::from_le_bytes(*word));
        Self([word(0), word(1)])
    }
}

impl Hash for Half {
    fn hash<H: Hasher>(&self, state: &mut H) {
        state.write_u64(self.0[0]);
    }
}

/// A digest is as good as any hash of it.
#[derive(Clone, Copy, Debug, Default)]
struct First(u64);

impl Hasher for First {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        // For what is no digest, which nobody hashes.
        self.0 = bytes.iter().fold(self.0, |hash, byte| hash.rotate_left(8) ^ u64::from(*byte));
    }

    fn write_u64(&mut self, word: u64) {
        self.0 = word;
    }
}

/// All that was taken.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Taken {
    sayings: Vec<Saying>,
    ways: Vec<Source>,
    by_way: HashMap<(u8, String), u32>,
    latest_way: u32,
    pub(super) records: Vec<Record>,
    /// The first half of a digest is enough to tell two observations apart: 128 bits.
    by_digest: HashMap<Half, u32, BuildHasherDefault<First>>,
    /// Sayings of each asset, by its number.
    by_asset: Vec<Vec<u32>>,
    pub(super) imports: Vec<Placed<Import>>,
    pub(super) hands: Vec<Placed<Hand>>,
    /// Serial numbers that two devices have at once, as the latest fold in order found them.
    pub(super) doubles: HashSet<(String, String)>,
    latest: (u64, u64),
    turns: u64,
    /// True where persons did something that is not applied yet.
    pub(super) hands_wait: bool,
    /// True where something that persons did is applied.
    pub(super) hands_are_applied: bool,
    /// True where something came that belongs before what was folded already.
    pub(super) is_out_of_order: bool,
}

impl Taken {
    /// The record with this digest.
    pub(super) fn known(&self, digest: &[u8; 32]) -> Option<u32> {
        let at = *self.by_digest.get(&Half::of(digest))?;
        self.records.get(at as usize).filter(|record| record.digest == *digest).map(|_| at)
    }

    /// An observation that is known came again; the earlier place is its own.
    pub(super) fn again(&mut self, at: u32, entry: Option<u64>) {
        let Some(record) = self.records.get_mut(at as usize) else { return };
        if let Some(place) = entry.filter(|place| *place < record.place) {
            record.place = place;
            self.is_out_of_order = true;
        }
    }

    /// Keeps an observation that belongs to this asset, as far as is known by now.
    pub(super) fn keep(&mut self, observation: &Observation, digest: [u8; 32], said: Meaning<'_>, entry: Option<u64>, asset: Number) {
        let saying = self.saying(observation, said, asset);
        let (place, way) = (self.place(entry), self.way(&observation.source));
        let Ok(at) = u32::try_from(self.records.len()) else { return };
        self.by_digest.insert(Half::of(&digest), at);
        self.comes((observation.time_ns, place));
        self.records.push(Record {
            time_ns: observation.time_ns,
            place,
            frame: frame(&observation.source),
            way,
            digest,
            saying,
            owner: asset,
        });
    }

    pub(super) fn import(&mut self, import: &Import, time_ns: u64, entry: Option<u64>) {
        let place = self.place(entry);
        self.comes((time_ns, place));
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

    fn way(&mut self, source: &Source) -> u32 {
        // Readings come by the hundred from one file.
        if self.ways.get(self.latest_way as usize).is_some_and(|latest| way(latest) == way(source)) {
            return self.latest_way;
        }
        let (kind, name) = way(source);
        let next = u32::try_from(self.ways.len()).unwrap_or(u32::MAX);
        self.latest_way = *self.by_way.entry((kind, name.to_owned())).or_insert(next);
        if self.latest_way == next {
            self.ways.push(source.clone());
        }
        self.latest_way
    }

    fn saying(&mut self, observation: &Observation, said: Meaning<'_>, asset: Number) -> u32 {
        if self.by_asset.len() <= asset.place() {
            self.by_asset.resize_with(asset.place() + 1, Vec::new);
        }
        let Some(of_asset) = self.by_asset.get_mut(asset.place()) else { return u32::MAX };
        for at in of_asset.iter().rev().take(SAYINGS_SEARCHED_MAX) {
            let Some(saying) = self.sayings.get_mut(*at as usize) else { continue };
            if saying.is(observation) && saying.means(said) {
                return *at;
            }
        }
        let at = u32::try_from(self.sayings.len()).unwrap_or(u32::MAX);
        of_asset.push(at);
        self.sayings.push(Saying::of(observation, said));
        at
    }

    /// Everything but what persons did, in order.
    pub(super) fn in_order(&self) -> Vec<Item> {
        let readings = (0..).zip(&self.records).map(|(at, record)| ((record.time_ns, record.place), Item::Reading(at)));
        let imports = (0..).zip(&self.imports).map(|(at, import)| ((import.time_ns, import.place), Item::Import(at)));
        let mut items: Vec<_> = readings.chain(imports).collect();
        // Nearly in order already, which a stable sort makes use of.
        items.sort_by_key(|(key, _)| *key);
        items.into_iter().map(|(_, item)| item).collect()
    }

    /// What persons did, in the order in which it was recorded.
    pub(super) fn hands_in_order(&self) -> Vec<Placed<Hand>> {
        let mut hands = self.hands.clone();
        hands.sort_by_key(|hand| hand.place);
        hands
    }

    /// An observation as far as a catalog needs it, what it means, and its entry.
    pub(super) fn observation(&mut self, record: u32) -> Option<(&Observation, &Interpretation, [u8; 32], Option<u64>)> {
        let Record { time_ns, place, frame, way, digest, saying, .. } = self.records.get(record as usize)?;
        let Saying { observation, said } = self.sayings.get_mut(*saying as usize)?;
        observation.time_ns = *time_ns;
        match (&mut observation.source, self.ways.get(*way as usize)?) {
            (Source::Capture { file, .. }, Source::Capture { file: came, .. }) => came.clone_into(file),
            (source, came) => source.clone_from(came),
        }
        if let Source::Capture { frame: own, .. } | Source::Live { frame: own, .. } = &mut observation.source {
            *own = *frame;
        }
        Some((observation, said.first()?, *digest, Some(*place).filter(|place| *place < TURN_FIRST)))
    }
}

impl Saying {
    fn of(observation: &Observation, said: Meaning<'_>) -> Self {
        let messages = observation.messages.iter().take(1).map(|_| String::new()).collect();
        let Observation { address, announced, protocol, question, source, .. } = observation;
        let (address, announced, protocol) = (address.clone(), announced.clone(), protocol.clone());
        let (question, source) = (question.clone(), source.clone());
        let observation = Observation {
            address,
            announced,
            asked: observation.asked,
            authority: observation.authority,
            complete: observation.complete,
            cut: observation.cut,
            exception: observation.exception,
            malformed: Vec::new(),
            messages,
            over: None,
            protocol,
            question,
            source,
            time_ns: observation.time_ns,
        };
        Self { observation, said: vec![said.shared()] }
    }

    /// All that a catalog looks at.
    fn is(&self, observation: &Observation) -> bool {
        let own = &self.observation;
        own.question == observation.question
            && own.address == observation.address
            && own.protocol == observation.protocol
            && own.complete == observation.complete
            && own.exception == observation.exception
            && own.authority == observation.authority
            && own.announced == observation.announced
            && own.messages.is_empty() == observation.messages.is_empty()
    }

    fn means(&mut self, said: Meaning<'_>) -> bool {
        let (Meaning::Shared(shared), Some(own)) = (said, self.said.first()) else {
            return self.said.first().is_some_and(|own| **own == *said.get());
        };
        if self.said.iter().any(|own| Arc::ptr_eq(own, shared)) {
            return true;
        }
        let same = own == shared;
        if same {
            self.said.truncate(MEANINGS_MAX - 1);
            self.said.push(Arc::clone(shared));
        }
        same
    }
}

const fn frame(source: &Source) -> u64 {
    match source {
        Source::Capture { frame, .. } | Source::Live { frame, .. } => *frame,
        Source::Asked { .. } | Source::Imported { .. } | Source::ByHand { .. } => 0,
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
