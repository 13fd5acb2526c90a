//! One entry: what happened, and its bytes in the log.

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::canonical::{NotCanonical, Page};
use super::merkle::Hash;
use crate::account;
use crate::advisory::Delivery;
use crate::baseline::{self, Approval};
use crate::change;
use crate::finding::evaluation::Evaluation;
use crate::hand::Hand;
use crate::happening::Happening;
use crate::observation::{Observation, hex, unhex};
use crate::patching;
use crate::profile::Interpretation;
use crate::sheet::Import;
use crate::update;

/// One entry of the log.
/// Its fields are in the order in which canonical JSON has them, which is faster to write.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Entry {
    /// What happened.
    pub body: Body,
    /// Its place in the log, from 0. Order is by index, never by time.
    pub index: u64,
    /// When it was recorded, in nanoseconds since 1970-01-01T00:00:00Z, by the recorder's clock.
    pub time_ns: u64,
}

/// An [`Entry`] whose body is somebody else's; its bytes are the same.
/// Its fields are in the order in which canonical JSON has them, which is faster to write.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Placed<'a> {
    /// [`Entry::body`].
    pub body: &'a Body,
    /// [`Entry::index`].
    pub index: u64,
    /// [`Entry::time_ns`].
    pub time_ns: u64,
}

impl Placed<'_> {
    /// Its bytes in the log, on a page in the place of what stood there.
    ///
    /// # Errors
    /// [`NotCanonical`].
    pub fn record<'a>(&self, page: &'a mut Page) -> Result<&'a [u8], NotCanonical> {
        page.write(self)
    }
}

/// What happened.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Body {
    /// The log begins.
    Key {
        /// The log's name, as it stands in the first line of its checkpoints.
        origin: String,
        /// Ed25519 public key, 32 bytes in lower case hexadecimal.
        public_key: String,
    },
    /// The log goes on with another key, from this entry on.
    KeyChange {
        /// Who changed it.
        by: String,
        /// The new Ed25519 public key, 32 bytes in lower case hexadecimal.
        public_key: String,
        /// The old key's signature ([`Keys`](super::Keys)), 64 bytes in lower case hexadecimal.
        signature: String,
        /// Why.
        why: String,
    },
    /// A reading, heard or asked, and what it meant on that day. Its payloads stand apart, by hash.
    Observation(Observed),
    /// A line of the touch record: connected, sent, refused, closed. Kept as the field side wrote it.
    Touch {
        /// The line, one JSON object.
        line: String,
    },
    /// A list that somebody made was taken in.
    Import(Import),
    /// Advisories, and lists of what is exploited, were taken in. Their bytes stand apart, by hash.
    Advisories(Delivery),
    /// A release was approved or disapproved.
    Approval(Approval),
    /// What happened to baselines beside it: a proposal, a set, an exemption, how many persons an approval needs.
    Baseline(baseline::Event),
    /// A person did something to the catalog: merged, split, set a fact, read a front panel, took something back.
    Hand(Hand),
    /// A step of a change.
    Change(change::Event),
    /// Somebody held the devices against the advisories and stands by what came of it.
    Evaluation(Evaluation),
    /// Somebody was seen to do something to a device.
    Happening(Happening),
    /// What happened to an account, or what somebody did who has one.
    Account(account::Event),
    /// An update from a stick was applied, or taken back.
    Update(update::Event),
    /// A list of a patch server was taken in: which patches it holds for installed on which assets.
    Patches(patching::Report),
    /// A bundle was exported: exactly these entries are in it, and this one.
    Evidence {
        /// What it is about: an asset's id or a work order.
        subject: String,
        /// Indices of its entries, rising.
        entries: Vec<u64>,
        /// SHA-256 of the page for people that stands in the bundle, lower case hexadecimal.
        page_sha256: String,
    },
}

/// A reading in the log.
/// Its fields are in the order in which canonical JSON has them, which is faster to write.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Observed {
    /// The program that decoded it: `nameplate 0.1.0`.
    pub decoder: String,
    /// What it meant on that day.
    pub interpretation: Interpretation,
    /// The observation; its `messages` hold the SHA-256 of each payload instead of the payload.
    pub observation: Observation,
    /// Hash of the profile that gave the meaning.
    pub profile_sha256: Option<String>,
}

/// Bytes that stand apart from the log, by their digest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Payload {
    /// Their SHA-256.
    pub sha256: Hash,
    /// They.
    pub bytes: Vec<u8>,
}

impl Payload {
    /// These bytes, named by their digest.
    #[must_use]
    pub fn of(bytes: Vec<u8>) -> Self {
        Self { sha256: Sha256::digest(&bytes).into(), bytes }
    }
}

impl Observed {
    /// A reading as it goes into the log, and its payloads, which stand apart: message `n` of the observation becomes the SHA-256 of
    /// payload `n`, both in lower case hexadecimal. A message that is no hexadecimal stays as it is and has no payload; ours always are.
    #[must_use]
    pub fn of(
        mut observation: Observation,
        interpretation: Interpretation,
        profile_sha256: Option<String>,
        decoder: &str,
    ) -> (Self, Vec<Payload>) {
        let mut payloads = Vec::with_capacity(observation.messages.len());
        for message in &mut observation.messages {
            let Ok(bytes) = unhex(message) else { continue };
            let payload = Payload::of(bytes);
            *message = hex(&payload.sha256);
            payloads.push(payload);
        }
        (Self { observation, interpretation, profile_sha256, decoder: decoder.to_owned() }, payloads)
    }
}
