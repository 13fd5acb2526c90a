//! Products of one document decide together: the one that says most of the device is it, and the others are not.

use super::device::Device;
use super::{Found, Index, LabelId, Labelled, Step, WordId};

/// More names of one document are not held against each other: a document that names one device in so many ways keeps them all.
const SPECIFIC_MAX: usize = 64;

/// By what a label was found; the better first counts alone within a document, down to [`Rank::Twin`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Rank {
    /// The document's title.
    Title,
    /// Words.
    Name,
    /// The order number of the SIPLUS device's plain twin.
    Twin,
    /// A mask over order numbers, or the number without its variant.
    Mask,
    /// The order number.
    Order,
}

/// A label that a device may bear.
#[derive(Clone, Copy, Debug)]
pub(super) struct Match {
    pub(super) label: LabelId,
    /// Which of the label's devices; none where an order number found it.
    pub(super) name: Option<u32>,
    pub(super) step: Step,
    pub(super) missing: Option<&'static str>,
    pub(super) rank: Rank,
    /// The name says all that the device says.
    pub(super) exact: bool,
    /// The device says less than the name.
    pub(super) less: bool,
}

/// The products that the matches lead to, without those that a sibling in the same document rules out.
pub(super) fn decide<'a>(index: &'a Index, device: &Device, mut matches: Vec<Match>) -> Vec<Found<'a>> {
    // Of several ways to one label the best one counts.
    matches.sort_unstable_by_key(|found| {
        (found.label, std::cmp::Reverse(found.rank), found.missing.is_some(), !found.exact, found.step, found.missing, found.name)
    });
    matches.dedup_by_key(|found| found.label);
    let label = |found: &Match| index.labels.get(found.label as usize);
    let mut targets: Vec<(u32, u32, usize)> = Vec::new();
    for (at, found) in matches.iter().enumerate() {
        let Some(label) = label(found) else { continue };
        targets.extend(label.targets.iter().map(|(document, product)| (*document, *product, at)));
    }
    targets.sort_unstable();
    let siplus = device.is_siplus();
    let mut all = Vec::new();
    for group in targets.chunk_by(|a, b| a.0 == b.0) {
        let own = group.first().and_then(|(document, ..)| index.lists_siplus.get(*document as usize)).copied().unwrap_or_default();
        let kept = Kept::of(index, &matches, group, siplus && own);
        for (document, product, at) in group {
            let Some((found, label)) = matches.get(*at).and_then(|found| Some((found, label(found)?))) else { continue };
            if !kept.keeps(index, found, label) {
                continue;
            }
            let unnamed = siplus && found.rank < Rank::Mask && !label.siplus && !says_siplus(index, label, found);
            if unnamed && own {
                continue;
            }
            let settled =
                found.rank >= Rank::Twin || label.said.variants.iter().all(|variant| device.variants.contains(&variant.to_lowercase()));
            all.push(Found {
                document: *document as usize,
                product: *product,
                step: found.step,
                missing: found.missing.or(unnamed.then_some("variant")),
                said: &label.said,
                variants_open: !settled,
            });
        }
    }
    all
}

/// What a document's best matches are.
struct Kept<'a> {
    best: Rank,
    exact: bool,
    specific: Vec<&'a [WordId]>,
}

impl<'a> Kept<'a> {
    fn of(index: &'a Index, matches: &[Match], group: &[(u32, u32, usize)], siplus_apart: bool) -> Self {
        let mut kept = Self { best: Rank::Title, exact: false, specific: Vec::new() };
        for found in group.iter().filter_map(|(_, _, at)| matches.get(*at)) {
            let Some(label) = index.labels.get(found.label as usize) else { continue };
            if siplus_apart && found.rank < Rank::Mask && !label.siplus && !says_siplus(index, label, found) {
                continue;
            }
            kept.best = kept.best.max(found.rank);
            if found.missing.is_none() {
                kept.exact |= found.exact;
                let words = words(label, found);
                if kept.specific.len() < SPECIFIC_MAX && !kept.specific.contains(&words) {
                    kept.specific.push(words);
                }
            }
        }
        kept
    }

    fn keeps(&self, index: &Index, found: &Match, label: &Labelled) -> bool {
        if self.best >= Rank::Twin {
            return found.rank == self.best;
        }
        if found.less && self.exact {
            return false;
        }
        let own = words(label, found);
        let within =
            |longer: &&[WordId]| own.len() < longer.len() && own.iter().all(|word| longer.contains(word) || begins(index, longer, *word));
        found.less || !self.specific.iter().any(|longer| within(longer))
    }
}

/// True where one of the words begins with this one: `750-331/000-002` is more than `750-331`.
fn begins(index: &Index, words: &[WordId], word: WordId) -> bool {
    words.iter().any(|longer| index.heads.get(*longer as usize).is_some_and(|heads| heads.contains(&word)))
}

fn words<'a>(label: &'a Labelled, found: &Match) -> &'a [WordId] {
    found.name.and_then(|name| label.names.get(name as usize)).map(|name| name.words.as_slice()).unwrap_or_default()
}

fn says_siplus(index: &Index, label: &Labelled, found: &Match) -> bool {
    index.words.get("siplus").is_some_and(|siplus| words(label, found).contains(siplus))
}
