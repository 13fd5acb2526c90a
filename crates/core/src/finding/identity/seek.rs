//! The labels that a device may bear: by its order numbers, then by the words of its model.

use std::collections::HashSet;

use super::device::{Device, HOST};
use super::order::{Kind, Order};
use super::sibling::{self, Match, Rank};
use super::{ANY, CARD, Found, Index, LabelId, Labelled, Lead, MakerId, Name, RuledOut, Step, WordId, kin, word};
use crate::finding::installed::Installed;

/// What the index knows of a device.
struct Known<'a> {
    index: &'a Index,
    device: &'a Device,
    makers: Vec<MakerId>,
    said_maker: bool,
    /// The words of its model; none where one of them stands in no name.
    own: Option<Vec<WordId>>,
    /// All that it is called, ordered: its own words, what they begin with, its families, what the documents call its order number.
    all: Vec<WordId>,
    /// Families that mean it where they say `related`.
    related: Vec<WordId>,
    /// The families, each by itself.
    families: Vec<usize>,
    /// The documents themselves call its order number something.
    learned: bool,
    /// Its words that make it another product than the one without.
    apart: Vec<WordId>,
}

/// All products that are or may be the device, ordered by document and place.
pub(super) fn found<'a>(index: &'a Index, device: &Device) -> Vec<Found<'a>> {
    let known = Known::of(index, device);
    let mut matches = Vec::new();
    let numbers: Vec<&Order> = device.orders.iter().chain(&device.perhaps).collect();
    for order in numbers {
        known.by_order(order, &mut matches);
    }
    known.by_name(&mut matches);
    known.by_less(&mut matches);
    sibling::decide(index, device, matches)
}

/// Documents whose title names another family of the same maker, with the same release line.
pub(super) fn ruled_out(index: &Index, installed: &Installed) -> Vec<(usize, Vec<RuledOut>)> {
    let device = Device::read(installed);
    let Some(line) = device.line.as_ref().filter(|_| !device.words.is_empty()) else { return Vec::new() };
    let hit: HashSet<(usize, u32)> = found(index, &device).iter().map(|found| (found.document, found.product)).collect();
    let makers: Vec<MakerId> = device.makers.iter().filter_map(|maker| index.makers.get(maker.as_str()).copied()).collect();
    let labels = index.by_line.get(line.to_lowercase().as_str()).into_iter().flatten().filter_map(|at| index.labels.get(*at as usize));
    let of_maker = labels.filter(|label| !label.names.is_empty() && label.makers.iter().any(|maker| makers.contains(maker)));
    let mut targets: Vec<(u32, u32)> = of_maker.flat_map(|label| label.targets.iter().copied()).collect();
    targets.sort_unstable();
    let mut out: Vec<(usize, Vec<RuledOut>)> = Vec::new();
    for (document, product) in targets {
        let document = document as usize;
        if hit.contains(&(document, product)) {
            continue;
        }
        let because = format!(
            "{line} of another family than {}: the document's title names it, and release lines count within one family",
            device.words.join(" ")
        );
        let ruled = RuledOut { product, because };
        match out.last_mut().filter(|(held, _)| *held == document) {
            Some((_, held)) => held.push(ruled),
            None => out.push((document, vec![ruled])),
        }
    }
    out
}

impl<'a> Known<'a> {
    fn of(index: &'a Index, device: &'a Device) -> Self {
        let id = |word: &String| index.words.get(word.as_str()).copied();
        let own: Option<Vec<WordId>> = device.words.iter().map(id).collect();
        let said_maker = !device.makers.is_empty();
        let makers = if said_maker {
            device.makers.iter().filter_map(|maker| index.makers.get(maker.as_str()).copied()).collect()
        } else {
            vec![ANY]
        };
        let mut families = kin::of_model(&device.words, &device.makers);
        families.extend(device.orders.iter().flat_map(|order| kin::of_order(&order.key, &device.makers)));
        families.sort_unstable();
        families.dedup();
        let learned = device.orders.iter().filter_map(|order| index.learned.get(order.key.as_str())).flatten();
        let mut all: Vec<WordId> = device.words.iter().chain(&device.more).filter_map(id).chain(learned.copied()).collect();
        let is_apart = |word: &WordId| index.apart.get(*word as usize).copied().unwrap_or_default();
        // A word that stands in no name makes another product as well.
        let strange = device.words.iter().filter(|word| word::kinds(word).apart && id(word).is_none()).map(|_| WordId::MAX);
        let apart: Vec<WordId> = all.iter().copied().filter(is_apart).chain(strange).collect();
        let learned = device.orders.iter().any(|order| index.learned.contains_key(order.key.as_str()));
        let mut related = Vec::new();
        for at in &families {
            let words = index.families.get(*at).map(Vec::as_slice).unwrap_or_default();
            if kin::all().get(*at).is_some_and(|family| family.related) { related.extend(words) } else { all.extend(words) }
        }
        all.sort_unstable();
        all.dedup();
        Self { index, device, makers, said_maker, own, all, related, families, learned, apart }
    }

    /// True where its order numbers tell it from other products with numbers of the same kind.
    fn told_apart_by(&self, label: &Labelled) -> bool {
        let head = |order: &Order| order.key.as_bytes().first_chunk::<3>().copied();
        let comparable = |a: &Order, b: &Order| a.kind == b.kind && (a.kind != Kind::Reference || head(a) == head(b));
        self.device.orders.iter().any(|order| label.orders.iter().any(|other| comparable(order, other)))
    }

    fn is_of_maker(&self, label: &Labelled) -> bool {
        label.makers.iter().any(|maker| self.makers.contains(maker))
    }

    fn label(&self, at: LabelId) -> Option<&'a Labelled> {
        self.index.labels.get(at as usize)
    }

    fn by_order(&self, order: &Order, matches: &mut Vec<Match>) {
        let key = order.key.as_str();
        let base = key.split_once('/').map(|(base, _)| base);
        for at in self.index.by_order.get(key).into_iter().flatten() {
            matches.extend(self.ordered(*at, order, Rank::Order, None));
        }
        for at in base.and_then(|base| self.index.by_order.get(base)).into_iter().flatten() {
            matches.extend(self.ordered(*at, order, Rank::Mask, None));
        }
        if let Some(&[first, second]) = key.as_bytes().first_chunk::<2>() {
            let masks = self.index.by_mask.get(&[first, second]).into_iter().flatten();
            for (mask, at) in masks.filter(|(mask, _)| word::fits(mask.as_bytes(), key.as_bytes())) {
                matches.extend(self.ordered(*at, order, Rank::Mask, None).map(|found| Match { weight: weight(mask), ..found }));
            }
        }
        if let Some(core) = order.core().filter(|_| order.is_siplus()) {
            for at in self.index.by_core.get(core).into_iter().flatten() {
                let meant = self.label(*at).is_some_and(|label| label.siplus);
                matches.extend(self.ordered(*at, order, Rank::Twin, (!meant).then_some("variant")));
            }
        }
    }

    /// A label with the device's order number.
    fn ordered(&self, at: LabelId, order: &Order, rank: Rank, missing: Option<&'static str>) -> Option<Match> {
        let label = self.label(at)?;
        let stranger = !self.is_of_maker(label);
        // Siemens' numbers are nobody else's, whoever a list says the maker is.
        if stranger && (order.kind != Kind::Mlfb && self.said_maker) {
            return None;
        }
        let unsure = stranger && (order.kind != Kind::Mlfb || self.said_maker);
        let (series, host) = (self.series(label)?, self.host(label)?);
        let missing = unsure.then_some("manufacturer").or(missing).or(series).or(host);
        let key = label
            .orders
            .iter()
            .filter(|other| !other.mask && order.key.starts_with(&other.key))
            .map(|other| other.key.as_str())
            .max()
            .unwrap_or_default();
        let step = match (label.by_title, order.kind) {
            (true, _) => Step::Title,
            (_, Kind::Catalogue) => Step::Catalogue,
            _ => Step::ProductCode,
        };
        Some(Match { label: at, name: None, step, missing, rank, weight: weight(key), exact: true, less: false })
    }

    /// What is missing to know that the series fits; nothing at all where it does not.
    fn series(&self, label: &Labelled) -> Option<Option<&'static str>> {
        let own = label.orders.iter().filter_map(|order| order.series);
        let meant: Vec<char> = label.series.iter().copied().chain(own).collect();
        match self.device.series {
            _ if meant.is_empty() => Some(None),
            None => Some(Some("hardware_revision")),
            Some(series) => meant.contains(&series).then_some(None),
        }
    }

    /// What is missing to know that it is in the device that the label names; nothing at all where it is in another.
    fn host(&self, label: &Labelled) -> Option<Option<&'static str>> {
        let Some(host) = label.host.as_ref().filter(|_| !self.device.hosts.is_empty()) else {
            return Some(label.host.as_ref().map(|_| HOST));
        };
        let told: Vec<bool> = self.device.hosts.iter().filter_map(|told| host.is(told)).collect();
        (!told.is_empty()).then(|| (!told.contains(&true)).then_some(HOST))
    }

    /// Names all of whose words the device says.
    fn by_name(&self, matches: &mut Vec<Match>) {
        for maker in &self.makers {
            for word in self.all.iter().chain(&self.related) {
                for lead in self.index.by_rarest.get(&(*maker, *word)).into_iter().flatten() {
                    matches.extend(self.named(*lead));
                }
            }
            let texts = self.device.words.iter().chain(&self.device.more);
            for text in texts.filter_map(|text| text.as_bytes().first_chunk::<2>()) {
                for lead in self.index.by_masked_word.get(&(*maker, *text)).into_iter().flatten() {
                    matches.extend(self.named(*lead));
                }
            }
        }
    }

    fn name(&self, (label, name): Lead) -> Option<(&'a Labelled, &'a Name)> {
        let label = self.label(label)?;
        Some((label, label.names.get(name as usize)?))
    }

    fn says(&self, word: WordId) -> bool {
        self.all.binary_search(&word).is_ok()
    }

    /// A name as a match, where the device says all of it.
    fn named(&self, lead: Lead) -> Option<Match> {
        if lead.1 == CARD {
            // In which device the card is, nobody said.
            return self.matched(lead, Step::Family, Some(HOST), false, false);
        }
        let (label, name) = self.name(lead)?;
        let texts = || self.device.words.iter().chain(&self.device.more);
        let masked = |mask: &str| texts().any(|text| word::fits(mask.as_bytes(), text.as_bytes()));
        let distant = |word: &WordId| !self.says(*word) && self.related.contains(word);
        if !name.words.iter().all(|word| self.says(*word) || distant(word)) || !name.masks.iter().all(|mask| masked(mask)) {
            return None;
        }
        let mut missing = name.words.iter().any(distant).then_some("variant").filter(|_| !label.related);
        if label.except.iter().any(|words| words.iter().all(|word| self.says(*word))) {
            return None;
        }
        let another = |word: &&WordId| !name.words.contains(word) && !label.includes.contains(word);
        if !label.family && self.apart.iter().any(|word| another(&word)) {
            missing = missing.or(Some("model"));
        }
        let own = self.own.as_deref().unwrap_or_default();
        let exact = !self.device.words.is_empty() && self.own.is_some() && own.iter().all(|word| name.words.contains(word))
            || !name.masks.is_empty();
        let bundle = self.index.words.get("redundancy").copied().filter(|_| self.device.bundle);
        let plain = name.words.iter().all(|word| own.contains(word) || Some(*word) == bundle) && (exact || !label.family);
        let step = if plain { Step::Model } else { Step::Family };
        self.matched(lead, step, missing, exact, false)
    }

    /// Names that say more than the device does.
    fn by_less(&self, matches: &mut Vec<Match>) {
        match self.own.as_deref() {
            // What the documents call its order number says more than its families do.
            Some([]) if self.learned => {}
            Some([]) => {
                let families: Vec<&Vec<WordId>> = self.families.iter().filter_map(|at| self.index.families.get(*at)).collect();
                let said_by_another = |words: &Vec<WordId>| {
                    families.iter().any(|other| other.len() > words.len() && words.iter().all(|word| other.contains(word)))
                };
                for words in families.iter().filter(|words| !said_by_another(words)) {
                    self.by_fewer(words, true, matches);
                }
            }
            Some(own) => self.by_fewer(own, false, matches),
            None => {}
        }
    }

    /// Names that hold all of these words and more; only families where the words are not the device's own.
    fn by_fewer(&self, words: &[WordId], families: bool, matches: &mut Vec<Match>) {
        for maker in &self.makers {
            let leads = words.iter().map(|word| self.index.by_word.get(&(*maker, *word)).map(Vec::as_slice).unwrap_or_default());
            let Some(fewest) = leads.min_by_key(|leads| leads.len()) else { continue };
            for lead in fewest {
                let Some((label, name)) = self.name(*lead) else { continue };
                if families && (!label.family || !label.orders.is_empty()) || !words.iter().all(|word| self.begins(name, *word)) {
                    continue;
                }
                matches.extend(self.less(*lead, label, name));
            }
        }
    }

    /// True where a name holds this word, or one that begins with it.
    fn begins(&self, name: &Name, word: WordId) -> bool {
        name.words.contains(&word)
            || name.words.iter().any(|longer| self.index.heads.get(*longer as usize).is_some_and(|heads| heads.contains(&word)))
    }

    /// A name that says more as a match: what would decide.
    fn less(&self, lead: Lead, label: &Labelled, name: &Name) -> Option<Match> {
        let mut more = name.words.iter().filter(|word| !self.says(**word)).peekable();
        more.peek()?;
        let is = |word: &str| self.index.words.get(word).copied();
        let (redundancy, siplus) = (is("redundancy"), is("siplus"));
        let (mut bundle, mut twin) = (false, false);
        for word in more {
            bundle |= Some(*word) == redundancy;
            twin |= Some(*word) == siplus;
        }
        let numbered = self.device.orders.iter().any(|order| order.kind == Kind::Mlfb);
        if bundle && self.device.bundle || twin && numbered {
            return None;
        }
        let missing = if bundle {
            "bundle"
        } else if label.orders.is_empty() {
            "model"
        } else {
            "product_code"
        };
        self.matched(lead, Step::Model, Some(missing), false, true)
    }

    fn matched(&self, (at, place): Lead, step: Step, missing: Option<&'static str>, exact: bool, less: bool) -> Option<Match> {
        let label = self.label(at)?;
        // A mask says how the numbers of all of them begin: the name alone tells as much.
        let numbers = label.orders.iter().any(|order| !order.mask);
        if !label.orders.is_empty() && self.told_apart_by(label) {
            return None;
        }
        let another = |part: &String| self.device.part.as_deref().is_some_and(|own| own != part.to_lowercase());
        if label.said.part.as_ref().is_some_and(another) {
            return None;
        }
        let (series, host) = (self.series(label)?, self.host(label)?);
        let nobody = (!self.said_maker).then_some("manufacturer");
        let missing = nobody.or(numbers.then_some("product_code")).or(missing).or(series).or(host);
        let (step, rank) = if label.by_title { (Step::Title, Rank::Title) } else { (step, Rank::Name) };
        Some(Match { label: at, name: Some(place), step, missing, rank, weight: 0, exact, less })
    }
}

/// How much of an order number a mask tells.
fn weight(mask: &str) -> usize {
    mask.bytes().filter(|byte| !matches!(byte, b'*' | b'?')).count()
}
