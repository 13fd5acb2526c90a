//! The first verdict: does every byte of a bundle hang on one signature? In the order of docs/evidence.md, section 5.

use std::collections::{BTreeMap, BTreeSet};

use sha2::{Digest, Sha256};

use super::{BUNDLE_BYTES_MAX, Bundle, ENTRIES_MAX, FORMAT, Proven, Unsound, format};
use crate::ledger::{Body, Entry, HASH_BYTES, Hash, Head, Keys, PublicKey, included, leaf_hash};
use crate::observation::{hex, unhex};

/// Hashes of an inclusion proof: the height of a tree whose size has 64 bits.
const PROOF_HASHES_MAX: usize = 64;
/// Lines of a checkpoint with one signature: origin, size, root, an empty one, the signature.
const CHECKPOINT_LINES: usize = 5;

/// A bundle whose parts hang together under one key.
#[derive(Clone, Debug, PartialEq)]
pub struct Checked {
    /// The log's keys; the last one signed the checkpoint.
    pub keys: Keys,
    /// Size and root that the bundle's checkpoint names.
    pub head: Head,
    /// What the bundle is about: an asset's id or a work order.
    pub subject: String,
    /// Its entries, in the order of the log.
    pub entries: Vec<Entry>,
    /// Payloads by their hash.
    pub payloads: BTreeMap<String, Vec<u8>>,
    /// Profiles' texts by their hash.
    pub profiles: BTreeMap<String, String>,
    /// The page for people.
    pub page: String,
    /// The text of the signed checkpoint.
    pub checkpoint: String,
}

/// Checks that all of a bundle hangs together, and on one key; whose key that is, is not asked here.
///
/// # Errors
/// [`Unsound`]: the first thing that does not hold.
pub fn check(bytes: &[u8]) -> Result<Checked, Unsound> {
    let bundle = read(bytes)?;
    let first = PublicKey::from_digits(&bundle.public_key).ok_or_else(|| Unsound::new("the public key is none"))?;
    if bundle.origin != first.origin() {
        return Err(Unsound::new("the origin does not follow from the public key"));
    }
    let keys = keys(&bundle, first)?;
    let head = checkpoint(&bundle.checkpoint, &keys)?;
    order(&bundle.entries, head.size)?;
    let entries = bundle.entries.iter().map(|proven| entry(proven, head)).collect::<Result<Vec<_>, _>>()?;
    let subject = listed(&entries, &bundle.page)?;
    let payloads = payloads(&entries, &bundle)?;
    profiles(&entries, &bundle)?;
    Ok(Checked { keys, head, subject, entries, payloads, profiles: bundle.profiles, page: bundle.page, checkpoint: bundle.checkpoint })
}

fn read(bytes: &[u8]) -> Result<Bundle, Unsound> {
    if bytes.len() > BUNDLE_BYTES_MAX {
        return Err(Unsound::new(format!("larger than {BUNDLE_BYTES_MAX} bytes")));
    }
    let bundle: Bundle = serde_json::from_slice(bytes).map_err(|e| no_bundle(bytes, &e))?;
    // Other bytes for the same values: white space, escapes, a key twice. One meaning has one file.
    if bundle.bytes() != bytes {
        let why = if bytes.ends_with(b"\n") {
            "it is not canonical: these values are written with other bytes"
        } else {
            "it was cut off, or is not canonical: no line feed ends it"
        };
        return Err(Unsound::new(why));
    }
    format::known(&bundle.format, FORMAT)?;
    Ok(bundle)
}

/// Why these bytes are no bundle; a bundle is one line.
fn no_bundle(bytes: &[u8], error: &serde_json::Error) -> Unsound {
    if let Err(unsound) = format::told(bytes).map_or(Ok(()), |format| format::known(&format, FORMAT)) {
        return unsound;
    }
    let ends = bytes.iter().position(|byte| *byte == b'\n');
    match ends {
        Some(end) if end + 1 < bytes.len() => Unsound::new("merged: more stands behind the end of the first bundle"),
        None => Unsound::new(format!("it was cut off, or is no bundle: no line feed ends it ({error})")),
        Some(_) => Unsound::new(format!("it is no bundle: {error}")),
    }
}

/// The log's keys, by the records that name them: entry 0 is the first, and each other one is vouched for by the one before. That these
/// records are in the log is found out with the others.
fn keys(bundle: &Bundle, first: PublicKey) -> Result<Keys, Unsound> {
    let mut keys = Keys::of_first(first);
    for (at, proven) in bundle.entries.iter().enumerate() {
        // A quotation mark in a text is escaped, so this stands in no other entry.
        if at > 0 && !proven.record.contains("\"kind\":\"key") {
            continue;
        }
        // What cannot be read is refused where all records are read.
        let Ok(entry) = Entry::of(proven.record.as_bytes()) else { continue };
        match &entry.body {
            Body::Key { origin, public_key } if at == 0 && (origin, public_key) == (&bundle.origin, &bundle.public_key) => {}
            Body::Key { .. } => return Err(Unsound::new(format!("entry {}: not this public key, or not the first entry", proven.index))),
            _ if at == 0 => return Err(Unsound::new("entry 0 is not this public key")),
            _ => keys.take(&entry).map_err(|why| Unsound::new(format!("entry {}: the key changes, and {why}", proven.index)))?,
        }
    }
    Ok(keys)
}

/// Size and root that the last of the keys signed.
pub(super) fn checkpoint(note: &str, keys: &Keys) -> Result<Head, Unsound> {
    let unsound = |why: String| Unsound::new(format!("the checkpoint does not hold: {why}"));
    let checkpoint = keys.open(note).map_err(|e| unsound(e.to_string()))?;
    // A line of another signer would be a byte that nothing checks.
    if note.split_terminator('\n').count() != CHECKPOINT_LINES {
        return Err(unsound("it does not have exactly one signature".into()));
    }
    Ok(checkpoint.head)
}

/// Indices rise from 0 to the end of the checkpoint.
fn order(entries: &[Proven], size: u64) -> Result<(), Unsound> {
    if entries.len() > ENTRIES_MAX {
        return Err(Unsound::new(format!("more than {ENTRIES_MAX} entries")));
    }
    let ends = entries.first().zip(entries.last()).map(|(first, last)| (first.index, last.index.checked_add(1)));
    if ends != Some((0, Some(size))) {
        return Err(Unsound::new("the bundle does not reach from entry 0 to the last that the checkpoint covers"));
    }
    match entries.iter().zip(entries.iter().skip(1)).find(|(one, next)| one.index >= next.index) {
        Some((one, next)) if one.index == next.index => Err(Unsound::new(format!("doubled: entry {} stands there twice", one.index))),
        Some((one, next)) => Err(Unsound::new(format!("reordered or merged: entry {} stands before entry {}", one.index, next.index))),
        None => Ok(()),
    }
}

/// The entry of a record that is canonical and proven.
fn entry(proven: &Proven, head: Head) -> Result<Entry, Unsound> {
    let unsound = |why: &str| Unsound::new(format!("entry {}: {why}", proven.index));
    let record = proven.record.as_bytes();
    let entry = Entry::of(record).map_err(|e| unsound(&format::unreadable(&e)))?;
    if !entry.record().is_ok_and(|canonical| canonical == record) {
        return Err(unsound("its record is not canonical"));
    }
    if entry.index != proven.index {
        return Err(unsound(&format!("its record says that it is entry {}", entry.index)));
    }
    if proven.proof.len() > PROOF_HASHES_MAX {
        return Err(unsound("its proof is too long"));
    }
    let proof: Option<Vec<Hash>> = proven.proof.iter().map(|digits| hash(digits)).collect();
    let proof = proof.ok_or_else(|| unsound("its proof is not made of hashes"))?;
    if included(&leaf_hash(record), proven.index, head.size, &proof, &head.root) {
        Ok(entry)
    } else {
        Err(unsound("its proof does not lead to the checkpoint's root"))
    }
}

/// The subject, where the last entry lists exactly the others and names the page.
fn listed(entries: &[Entry], page: &str) -> Result<String, Unsound> {
    let Some((Entry { body: Body::Evidence { subject, entries: listed, page_sha256 }, index, .. }, others)) = entries.split_last() else {
        return Err(Unsound::new("the last entry is not the log's own list of this bundle"));
    };
    let there: Vec<u64> = others.iter().map(|entry| entry.index).collect();
    if *listed == there {
        own_hash("the page", page_sha256, page.as_bytes())?;
        return Ok(subject.clone());
    }
    let missing = listed.iter().find(|index| !there.contains(index));
    let why = missing.map_or_else(|| "the bundle has others".to_owned(), |missing| format!("entry {missing} is not in the bundle"));
    Err(Unsound::new(format!("entry {index} lists other entries than the bundle has: {why}")))
}

/// Exactly the payloads that observations name, each with its own hash.
fn payloads(entries: &[Entry], bundle: &Bundle) -> Result<BTreeMap<String, Vec<u8>>, Unsound> {
    let mut named = BTreeSet::new();
    for entry in entries {
        if let Body::Observation(observed) = &entry.body {
            named.extend(observed.observation.messages.iter().map(String::as_str));
        }
    }
    same_names("payload", &named, &bundle.payloads)?;
    let decode = |(name, digits): (&String, &String)| {
        let bytes = unhex(digits).ok().filter(|bytes| hex(bytes) == *digits);
        let bytes = bytes.ok_or_else(|| Unsound::new(format!("payload {name} is not lower case hexadecimal")))?;
        own_hash("payload", name, &bytes).map(|()| (name.clone(), bytes))
    };
    bundle.payloads.iter().map(decode).collect()
}

/// Exactly the profiles that observations name, each with its own hash.
fn profiles(entries: &[Entry], bundle: &Bundle) -> Result<(), Unsound> {
    let mut named = BTreeSet::new();
    for entry in entries {
        if let Body::Observation(observed) = &entry.body {
            named.extend(observed.profile_sha256.as_deref());
        }
    }
    same_names("profile", &named, &bundle.profiles)?;
    bundle.profiles.iter().try_for_each(|(name, text)| own_hash("profile", name, text.as_bytes()))
}

fn same_names(what: &str, named: &BTreeSet<&str>, there: &BTreeMap<String, String>) -> Result<(), Unsound> {
    if let Some(missing) = named.iter().find(|name| !there.contains_key(**name)) {
        return Err(Unsound::new(format!("{what} {missing} is missing")));
    }
    match there.keys().find(|name| !named.contains(name.as_str())) {
        Some(extra) => Err(Unsound::new(format!("no entry names {what} {extra}"))),
        None => Ok(()),
    }
}

fn own_hash(what: &str, name: &str, bytes: &[u8]) -> Result<(), Unsound> {
    if hex(&Sha256::digest(bytes)) == name { Ok(()) } else { Err(Unsound::new(format!("{what} {name} does not hash to its name"))) }
}

pub(super) fn hash(digits: &str) -> Option<Hash> {
    let bytes = unhex(digits).ok().filter(|bytes| bytes.len() == HASH_BYTES && hex(bytes) == digits)?;
    bytes.try_into().ok()
}
