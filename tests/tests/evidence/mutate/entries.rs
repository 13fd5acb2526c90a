//! Entries that are dropped, doubled, reordered, swapped or somebody else's.

use serde_json::json;

use super::{May, Stock, only_named, relist, sealed};
use crate::draw::Draw;
use crate::log::{Item, Parts};

pub fn dropped(_: &Stock, original: &Parts, draw: &mut Draw) -> Option<(Parts, May)> {
    let mut mutated = original.clone();
    mutated.entries.remove(draw.below(mutated.entries.len()));
    mutated.note = Some(original.signed());
    Some((only_named(mutated), May::Refused))
}

/// The list that the log holds is made to fit; only the signature speaks against it.
pub fn dropped_and_unlisted(_: &Stock, original: &Parts, draw: &mut Draw) -> Option<(Parts, May)> {
    let mut mutated = original.clone();
    mutated.entries.remove(1 + draw.below(mutated.entries.len() - 2));
    relist(&mut mutated);
    Some(sealed(original, only_named(mutated), draw))
}

pub fn reordered(_: &Stock, original: &Parts, draw: &mut Draw) -> Option<(Parts, May)> {
    let mut mutated = original.clone();
    let (one, other) = (draw.below(mutated.entries.len()), draw.below(mutated.entries.len()));
    if one == other {
        return None;
    }
    mutated.entries.swap(one, other);
    if draw.below(2) == 0 {
        // The places are swapped, the indices stay: each record says the index at which it stands now.
        let (first, second) = (mutated.entries[one].index, mutated.entries[other].index);
        for (at, index) in [(one, second), (other, first)] {
            mutated.entries[at].index = index;
            mutated.entries[at].change(|record| record["index"] = json!(index));
        }
        return Some(sealed(original, mutated, draw));
    }
    mutated.note = Some(original.signed());
    Some((mutated, May::Refused))
}

pub fn doubled(_: &Stock, original: &Parts, draw: &mut Draw) -> Option<(Parts, May)> {
    let mut mutated = original.clone();
    let at = draw.below(mutated.entries.len());
    mutated.entries.insert(at, mutated.entries[at].clone());
    if draw.below(2) == 0 {
        relist(&mut mutated);
    }
    Some(sealed(original, mutated, draw))
}

/// An entry of the same log that is not this subject's, with its true proof.
pub fn foreign_entry(_: &Stock, original: &Parts, draw: &mut Draw) -> Option<(Parts, May)> {
    let mut mutated = original.clone();
    let index = draw.below(mutated.log.len()) as u64;
    let at = mutated.entries.iter().position(|item| item.index >= index)?;
    let item = Item { index, record: mutated.log[index as usize].clone(), proof: None };
    match draw.below(2) {
        0 => mutated.entries.insert(at, item),
        _ => mutated.entries[at] = item,
    }
    mutated.note = Some(original.signed());
    Some((mutated, May::Refused))
}

/// A part of one observation goes to another one, in this bundle or in another asset's.
pub fn swapped(stock: &Stock, original: &Parts, draw: &mut Draw) -> Option<(Parts, May)> {
    let mut mutated = original.clone();
    let is_observation = |item: &Item| item.value()["body"]["kind"] == "observation";
    let here: Vec<usize> = (0..mutated.entries.len()).filter(|at| is_observation(&mutated.entries[*at])).collect();
    let (subject, entries) = &stock.subjects[draw.below(stock.subjects.len())];
    let others: Vec<Item> = stock.log.bundle(subject, entries).entries.into_iter().filter(is_observation).collect();
    let (at, other) = (here[draw.below(here.len())], others[draw.below(others.len())].value());
    let pointer = [
        "/body/interpretation",
        "/body/interpretation/claims",
        "/body/observation/address",
        "/body/observation/messages",
        "/body/profile_sha256",
        "/body",
    ];
    let pointer = pointer[draw.below(pointer.len())];
    mutated.entries[at]
        .change(|record| *record.pointer_mut(pointer).expect("an observation") = other.pointer(pointer).expect("another").clone());
    let named = stock.log.bundle(subject, entries);
    mutated.payloads.extend(named.payloads);
    mutated.profiles.extend(named.profiles);
    Some(sealed(original, only_named(mutated), draw))
}
