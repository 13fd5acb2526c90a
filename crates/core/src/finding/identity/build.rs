//! The documents' products, read and laid down so that a device finds its own without a look at the others.

use std::collections::{BTreeSet, HashMap};

use super::joined::{self, View};
use super::label::{self, Label};
use super::order::Kind;
use super::{ANY, CARD, Index, LabelId, Labelled, MakerId, Name, Said, WordId, device, kin, order, vendor, word};
use crate::advisory::{Advisory, Product, Release};

/// What makes two products bear one label: maker, name, slot, order numbers, the title where the name says no device, and what it is one of.
type Key<'a> = (&'a str, &'a str, &'a str, &'a [String], &'a [String], &'a str, Joint<'a>);

/// As what a relationship's product is met, and the names of its two parts.
type Joint<'a> = (View, [&'a str; 4]);

/// The index over documents.
pub(super) fn index(advisories: &[Advisory]) -> Index {
    let mut index = Index { lists_siplus: vec![false; advisories.len()], ..Index::default() };
    index.makers.insert("".into(), ANY);
    let mut known: HashMap<Key<'_>, LabelId> = HashMap::new();
    let mut speaks: HashMap<(&str, &str), bool> = HashMap::new();
    for (document, advisory) in advisories.iter().enumerate() {
        let products = advisory.products.iter().enumerate();
        for (place, product, view) in products.flat_map(|(place, one)| joined::views(one).iter().map(move |view| (place, one, *view))) {
            let parts = joined::parts(advisory, product);
            // A relationship's product is met by the name of its platform, too.
            let subject = parts.filter(|_| view == View::Platform).map_or(product, |(_, platform)| platform);
            let slot = slot(subject);
            let (vendor, name) = (subject.vendor.as_str(), subject.name.as_str());
            let speaks = *speaks.entry((vendor, name)).or_insert_with(|| label::read(name, &vendor::read(vendor).names).says_device());
            if view != View::Own && !speaks {
                continue;
            }
            let title = if speaks { "" } else { advisory.title.as_str() };
            let joint = (view, parts.map_or([""; 4], joint));
            let key = (vendor, name, slot, subject.model_numbers.as_slice(), subject.skus.as_slice(), title, joint);
            let id = *known.entry(key).or_insert_with(|| add(&mut index, subject, slot, &advisory.title));
            let (Ok(document), Ok(place)) = (u32::try_from(document), u32::try_from(place)) else { continue };
            if let Some(label) = index.labels.get_mut(id as usize) {
                if let Some((component, platform)) = parts.filter(|_| label.targets.is_empty()) {
                    joined::join(label, view, component, platform);
                }
                label.targets.push((document, place));
                let own = label.orders.iter().any(order::Order::is_siplus) || label.said.name.to_lowercase().starts_with("siplus");
                if let Some(lists) = index.lists_siplus.get_mut(document as usize).filter(|_| own) {
                    *lists = true;
                }
            }
        }
    }
    lay(&mut index);
    index
}

/// The names of a relationship's component and platform.
fn joint<'a>((component, platform): (&'a Product, &'a Product)) -> [&'a str; 4] {
    let release = match &platform.release {
        Release::Every => "",
        Release::Version(text) | Release::Range(text) => text,
    };
    [&component.name, &platform.vendor, &platform.name, release]
}

/// What stands in the version slot, where it may be an order number or a model.
fn slot(product: &Product) -> &str {
    match &product.release {
        Release::Version(text) if text.contains('-') || text.starts_with(|c: char| c.is_ascii_alphabetic()) => text,
        _ => "",
    }
}

/// Reads a product's name and adds its label.
fn add(index: &mut Index, product: &Product, slot: &str, title: &str) -> LabelId {
    let makers = vendor::read(&product.vendor).names;
    let name = if product.name.trim().is_empty() { &product.full_name } else { &product.name };
    let mut label = label::read(name, &makers);
    let release_is_model = take_slot(&mut label, slot, &makers);
    label.orders.extend(
        product.model_numbers.iter().chain(&product.skus).filter(|text| !text.trim().is_empty()).map(|text| order::mask_or_number(text)),
    );
    let mut seen = BTreeSet::new();
    label.orders.retain(|order| !order.key.is_empty() && seen.insert(order.key.clone()));
    let mut by_title = false;
    if !label.says_device() {
        by_title = true;
        let title = title.split("(Update").next().unwrap_or(title);
        let said = label::read(title, &makers);
        label.names = said.names;
        label.orders = said.orders;
    }
    let mut ids = |words: &[String]| -> Vec<WordId> { words.iter().map(|word| id(index, word)).collect() };
    let names = label.names.iter().filter(|name| !name.is_empty()).map(|name| {
        let (masks, words): (Vec<String>, Vec<String>) = name.iter().cloned().partition(|word| word::is_mask(word));
        Name { words: ids(&words), masks: masks.iter().map(|mask| word::pattern(mask).into()).collect() }
    });
    let names: Vec<Name> = names.collect();
    let card = label.card.map(|card| ids(&[card])).unwrap_or_default();
    let except = label.except.iter().map(|words| ids(words)).collect();
    let includes = ids(&label.includes);
    let makers = makers.iter().map(|maker| maker_id(index, maker)).collect();
    let id = LabelId::try_from(index.labels.len()).unwrap_or(LabelId::MAX);
    index.labels.push(Labelled {
        said: Said {
            name: word::cut(name, label::NAME_BYTES_MAX).to_owned(),
            line: label.line,
            conditions: label.conditions,
            variants: label.variants,
            part: label.part,
            release_is_model,
        },
        makers,
        names,
        card,
        orders: label.orders,
        series: label.series,
        except,
        includes,
        family: label.family,
        siplus: label.siplus,
        related: label.related,
        by_title,
        host: None,
        targets: Vec::new(),
    });
    id
}

/// True where the version slot holds an order number, or the model of the order number in the name's place.
fn take_slot(label: &mut Label, slot: &str, makers: &BTreeSet<String>) -> bool {
    let makers: Vec<&str> = makers.iter().map(String::as_str).collect();
    let words = word::words(slot);
    let [only] = words.as_slice() else { return false };
    if let Some((_, orders)) = order::begins(&words, &makers, false) {
        label.orders.extend(orders);
        return true;
    }
    let letters = only.text.bytes().filter(u8::is_ascii_alphabetic).count();
    let model =
        !label.orders.is_empty() && only.text.contains('-') && letters > 0 && only.text.starts_with(|c: char| c.is_ascii_alphabetic());
    model || label.names.iter().any(|name| name.contains(&only.text))
}

fn id(index: &mut Index, word: &str) -> WordId {
    if let Some(id) = index.words.get(word) {
        return *id;
    }
    let id = WordId::try_from(index.words.len()).unwrap_or(WordId::MAX);
    index.words.insert(word.into(), id);
    index.apart.push(word::kinds(word).apart);
    id
}

fn maker_id(index: &mut Index, maker: &str) -> MakerId {
    let next = MakerId::try_from(index.makers.len()).unwrap_or(MakerId::MAX);
    *index.makers.entry(maker.into()).or_insert(next)
}

/// Lays the labels down under all by which they are looked for.
fn lay(index: &mut Index) {
    index.families = kin::all().iter().map(|family| family.words.iter().map(|word| id(index, word)).collect()).collect();
    learn(index);
    let mut texts: Vec<(Box<str>, WordId)> = index.words.iter().map(|(word, id)| (word.clone(), *id)).collect();
    texts.sort_unstable_by_key(|(_, id)| *id);
    index.heads = texts.iter().map(|(text, _)| device::beginnings(text).map(|head| id(index, head)).collect()).collect();
    let mut count = vec![0_u32; index.words.len()];
    for word in index.labels.iter().flat_map(|label| &label.names).flat_map(|name| &name.words) {
        if let Some(count) = count.get_mut(*word as usize) {
            *count = count.saturating_add(1);
        }
    }
    let labels = std::mem::take(&mut index.labels);
    for (at, label) in labels.iter().enumerate() {
        let Ok(at) = LabelId::try_from(at) else { break };
        lay_orders(index, at, label);
        lay_names(index, at, label, &count);
    }
    index.labels = labels;
}

fn lay_orders(index: &mut Index, at: LabelId, label: &Labelled) {
    for order in &label.orders {
        if order.mask {
            let bytes = order.key.as_bytes();
            let head = [bytes.first().copied().unwrap_or_default(), bytes.get(1).copied().unwrap_or_default()];
            index.by_mask.entry(head).or_default().push((order.key.as_str().into(), at));
        } else {
            index.by_order.entry(order.key.as_str().into()).or_default().push(at);
            if let Some(core) = order.core().filter(|_| !order.is_siplus()) {
                index.by_core.entry(core.into()).or_default().push(at);
            }
        }
    }
}

fn lay_names(index: &mut Index, at: LabelId, label: &Labelled, count: &[u32]) {
    if let Some(line) = label.said.line.as_ref().filter(|_| label.by_title) {
        index.by_line.entry(line.to_lowercase().into()).or_default().push(at);
    }
    for maker in label.makers.iter().copied().chain([ANY]) {
        for (place, name) in label.names.iter().enumerate() {
            let Ok(place) = u32::try_from(place) else { break };
            let masked = name
                .masks
                .iter()
                .map(|mask| mask.as_bytes())
                .find(|mask| !mask.iter().take(2).any(|byte| matches!(byte, b'*' | b'?')) && mask.len() >= 2);
            if let Some(&[first, second, ..]) = masked {
                index.by_masked_word.entry((maker, [first, second])).or_default().push((at, place));
            } else if let Some(rarest) = name.words.iter().min_by_key(|word| count.get(**word as usize).copied().unwrap_or_default()) {
                index.by_rarest.entry((maker, *rarest)).or_default().push((at, place));
            }
            for word in &label.card {
                index.by_rarest.entry((maker, *word)).or_default().push((at, CARD));
            }
            for word in &name.words {
                let heads = index.heads.get(*word as usize).map(|heads| heads.to_vec()).unwrap_or_default();
                for word in std::iter::once(*word).chain(heads) {
                    index.by_word.entry((maker, word)).or_default().push((at, place));
                }
            }
        }
    }
}

/// What the documents themselves call an order number: the words of each name that stands beside it, and their families.
fn learn(index: &mut Index) {
    let texts: HashMap<WordId, &str> = index.words.iter().map(|(word, id)| (*id, &**word)).collect();
    let makers: HashMap<MakerId, &str> = index.makers.iter().map(|(maker, id)| (*id, &**maker)).collect();
    let mut learned: HashMap<Box<str>, Vec<WordId>> = HashMap::new();
    for label in &index.labels {
        let [name] = label.names.as_slice() else { continue };
        let own: Vec<String> = name.words.iter().filter_map(|word| texts.get(word)).map(|word| (*word).to_owned()).collect();
        let of: BTreeSet<String> = label.makers.iter().filter_map(|maker| makers.get(maker)).map(|maker| (*maker).to_owned()).collect();
        for order in label.orders.iter().filter(|order| order.kind == Kind::Mlfb && !order.mask) {
            let families = kin::of_model(&own, &of);
            let words = families.iter().filter_map(|at| index.families.get(*at)).flatten().chain(&name.words);
            learned.entry(order.key.as_str().into()).or_default().extend(words);
        }
    }
    for words in learned.values_mut() {
        words.sort_unstable();
        words.dedup();
    }
    index.learned = learned;
}
