//! A log of this test's own, and bundles of it: tree, note and bundle are made here from the standards' texts, without the code under test,
//! so that a bundle can be wrong in any way we like, and signed by whom we like.

use std::collections::BTreeMap;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use ed25519_dalek::{Signer, SigningKey};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

pub type Hash = [u8; 32];

pub fn sha256(bytes: impl AsRef<[u8]>) -> Hash {
    Sha256::digest(bytes).into()
}

pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

pub fn unhex(digits: &str) -> Vec<u8> {
    (0..digits.len() / 2).map(|at| u8::from_str_radix(&digits[2 * at..2 * at + 2], 16).expect("digits")).collect()
}

/// Canonical for the values that stand here: serde_json's maps are sorted, and every key is ASCII.
pub fn canonical(value: &Value) -> String {
    serde_json::to_string(value).expect("a value")
}

/// A signing key with what follows from it.
#[derive(Clone)]
pub struct Key(pub SigningKey);

impl Key {
    pub fn of(seed: u8) -> Self {
        Self(SigningKey::from_bytes(&[seed; 32]))
    }

    pub fn public(&self) -> String {
        hex(self.0.verifying_key().as_bytes())
    }

    pub fn fingerprint(&self) -> String {
        hex(&sha256(self.0.verifying_key().as_bytes()))
    }

    pub fn origin(&self) -> String {
        format!("nameplate/{}", &self.fingerprint()[..16])
    }

    /// C2SP signed-note, in this key's own name.
    pub fn note(&self, size: u64, root: &Hash) -> String {
        self.note_as(&self.origin(), size, root)
    }

    pub fn note_as(&self, origin: &str, size: u64, root: &Hash) -> String {
        let text = format!("{origin}\n{size}\n{}\n", STANDARD.encode(root));
        format!("{text}\n{}\n", self.signature_line(origin, &text))
    }

    pub fn signature_line(&self, origin: &str, text: &str) -> String {
        let key = self.0.verifying_key();
        let id = sha256([origin.as_bytes(), b"\n\x01", key.as_bytes()].concat());
        let blob = [&id[..4], &self.0.sign(text.as_bytes()).to_bytes()].concat();
        format!("\u{2014} {origin} {}", STANDARD.encode(blob))
    }

    /// What the log says where this key vouches for a new one (docs/evidence.md, 4).
    pub fn change(&self, origin: &str, new: &Key) -> Value {
        let text = format!("nameplate-key-change/1\n{origin}\n{}\n{}\n", self.public(), new.public());
        let signature = hex(&self.0.sign(text.as_bytes()).to_bytes());
        json!({ "kind": "key_change", "by": "J. Doe", "why": "a laptop was lost", "public_key": new.public(), "signature": signature })
    }

    /// What entry 0 says.
    pub fn body(&self) -> Value {
        json!({ "kind": "key", "origin": self.origin(), "public_key": self.public() })
    }
}

fn node(left: Hash, right: Hash) -> Hash {
    sha256([&[1][..], &left, &right].concat())
}

/// RFC 6962, 2.1: the definition, word for word.
pub fn root(leaves: &[Hash]) -> Hash {
    match leaves {
        [] => sha256([]),
        [leaf] => *leaf,
        _ => {
            let (left, right) = leaves.split_at(split(leaves.len()));
            node(root(left), root(right))
        }
    }
}

/// RFC 6962, 2.1.1.
pub fn path(at: usize, leaves: &[Hash]) -> Vec<Hash> {
    if leaves.len() < 2 {
        return Vec::new();
    }
    let (left, right) = leaves.split_at(split(leaves.len()));
    let (mut below, beside) = if at < left.len() { (path(at, left), root(right)) } else { (path(at - left.len(), right), root(left)) };
    below.push(beside);
    below
}

/// The largest power of two below n.
fn split(n: usize) -> usize {
    n.next_power_of_two() / 2
}

/// Everything that happened, with a key; payloads and profiles stand apart.
#[derive(Clone)]
pub struct Log {
    pub key: Key,
    pub bodies: Vec<Value>,
    pub payloads: BTreeMap<String, Vec<u8>>,
    pub profiles: BTreeMap<String, String>,
}

impl Log {
    pub fn new(key: Key) -> Self {
        let bodies = vec![key.body()];
        Self { key, bodies, payloads: BTreeMap::new(), profiles: BTreeMap::new() }
    }

    /// Adds an entry; returns its index.
    pub fn add(&mut self, body: Value) -> u64 {
        self.bodies.push(body);
        self.bodies.len() as u64 - 1
    }

    pub fn records(&self) -> Vec<String> {
        let record = |(index, body)| canonical(&json!({ "body": body, "index": index, "time_ns": time_ns(index) }));
        self.bodies.iter().enumerate().map(|(index, body)| record((index, body))).collect()
    }

    /// The bundle of a subject's entries: their list is the log's last entry.
    pub fn bundle(&self, subject: &str, entries: &[u64]) -> Parts {
        let mut log = self.clone();
        let page = page(subject);
        let own = log.add(json!({ "kind": "evidence", "subject": subject, "entries": entries, "page_sha256": hex(&sha256(&page)) }));
        let records = log.records();
        let indices = entries.iter().copied().chain([own]);
        let entries: Vec<Item> = indices.map(|index| Item { index, record: records[index as usize].clone(), proof: None }).collect();
        let mut parts = Parts {
            key: self.key.clone(),
            public_key: self.key.public(),
            origin: self.key.origin(),
            format: "nameplate-evidence/1".to_owned(),
            page,
            log: records,
            entries,
            payloads: BTreeMap::new(),
            profiles: BTreeMap::new(),
            note: None,
        };
        parts.take_named(&log);
        parts
    }
}

/// A page that this test made.
fn page(subject: &str) -> String {
    format!("<!DOCTYPE html>\n<meta name=\"generator\" content=\"a test\">\n<p>{subject}</p>\n")
}

/// A minute between entries.
fn time_ns(index: usize) -> u64 {
    1_772_446_530_123_456_789 + index as u64 * 60_000_000_000
}

/// One entry of a bundle. Without a proof of its own it gets the right one.
#[derive(Clone)]
pub struct Item {
    pub index: u64,
    pub record: String,
    pub proof: Option<Vec<String>>,
}

/// A bundle taken apart, with the whole log behind it: what nobody signed is worked out anew when it is put together.
#[derive(Clone)]
pub struct Parts {
    /// Who signs, where `note` does not stand already.
    pub key: Key,
    pub public_key: String,
    pub origin: String,
    pub format: String,
    pub page: String,
    /// Every record of the log.
    pub log: Vec<String>,
    pub entries: Vec<Item>,
    /// Name -> digits, in the bundle as they stand here.
    pub payloads: BTreeMap<String, String>,
    pub profiles: BTreeMap<String, String>,
    /// A note that stands as it is.
    pub note: Option<String>,
}

impl Parts {
    fn take_named(&mut self, log: &Log) {
        for record in self.entries.iter().map(|item| item.value()) {
            let body = &record["body"];
            for name in body["observation"]["messages"].as_array().into_iter().flatten().filter_map(Value::as_str) {
                self.payloads.insert(name.to_owned(), hex(&log.payloads[name]));
            }
            if let Some(name) = body["profile_sha256"].as_str() {
                self.profiles.insert(name.to_owned(), log.profiles[name].clone());
            }
        }
    }

    /// The leaves of the log, each entry of the bundle in its place.
    pub fn leaves(&self) -> Vec<Hash> {
        let mut log = self.log.clone();
        for item in &self.entries {
            if let Some(record) = usize::try_from(item.index).ok().and_then(|index| log.get_mut(index)) {
                record.clone_from(&item.record);
            }
        }
        log.iter().map(|record| sha256([&[0][..], record.as_bytes()].concat())).collect()
    }

    /// The note over the log as it stands now, by the key.
    pub fn signed(&self) -> String {
        self.key.note_as(&self.origin, self.log.len() as u64, &root(&self.leaves()))
    }

    /// The file.
    pub fn bytes(&self) -> Vec<u8> {
        let leaves = self.leaves();
        let proof = |item: &Item| {
            let at = usize::try_from(item.index).unwrap_or(usize::MAX).min(leaves.len() - 1);
            item.proof.clone().unwrap_or_else(|| path(at, &leaves).iter().map(|hash| hex(hash)).collect())
        };
        let entry = |item: &Item| json!({ "index": item.index, "proof": proof(item), "record": item.record });
        let bundle = json!({
            "checkpoint": self.note.clone().unwrap_or_else(|| self.signed()),
            "entries": self.entries.iter().map(entry).collect::<Vec<_>>(),
            "format": self.format,
            "origin": self.origin,
            "page": self.page,
            "payloads": self.payloads,
            "profiles": self.profiles,
            "public_key": self.public_key,
        });
        (canonical(&bundle) + "\n").into_bytes()
    }

    /// Somebody else's key in every place where the site's stood, and their signature.
    pub fn signed_by(mut self, other: Key) -> Self {
        if let Some(first) = self.entries.first_mut() {
            let mut record = first.value();
            record["body"] = other.body();
            first.record = canonical(&record);
        }
        (self.public_key, self.origin, self.key, self.note) = (other.public(), other.origin(), other, None);
        self
    }

    /// Payloads and profiles get the hashes of what they hold now, in the records, too.
    pub fn rehashed(mut self) -> Self {
        let renamed = |name: &String, bytes: &[u8]| (name.clone(), hex(&sha256(bytes)));
        let payloads = self.payloads.iter().map(|(name, digits)| renamed(name, &unhex(digits)));
        let profiles = self.profiles.iter().map(|(name, text)| renamed(name, text.as_bytes()));
        let names: BTreeMap<String, String> = payloads.chain(profiles).filter(|(old, new)| old != new).collect();
        for item in &mut self.entries {
            for (old, new) in &names {
                item.record = item.record.replace(old, new);
            }
        }
        let rename = |map: BTreeMap<String, String>| map.into_iter().map(|(name, held)| (names.get(&name).cloned().unwrap_or(name), held));
        (self.payloads, self.profiles) = (rename(self.payloads).collect(), rename(self.profiles).collect());
        self
    }
}

impl Item {
    pub fn value(&self) -> Value {
        serde_json::from_str(&self.record).expect("a record of this test's own")
    }

    pub fn change(&mut self, change: impl FnOnce(&mut Value)) {
        let mut value = self.value();
        change(&mut value);
        self.record = canonical(&value);
    }
}
