//! Evidence: entries of the ledger that belong to one asset or one change, with all that is needed to check them without us.
//!
//! The format, and what it proves and does not, is docs/evidence.md; the argument is docs/decisions/0011. A bundle is checked in two
//! steps: [`check`] says whether all of it hangs together under one key, [`redecode`] whether its bytes still say what was recorded.
//! [`verify`] does both. [`Selection`] says which entries belong to a subject. A range of the whole log as a file is read by [`Reader`]
//! (docs/decisions/0040).

mod authenticity;
mod format;
mod log;
mod redecoding;
mod selection;

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

pub use authenticity::{Checked, check};
pub use log::{Beginning, LINE_BYTES_MAX, LOG_FORMAT, PART_BYTES, Reader, Vouched, Whole, gone_line, payload_lines, read_log};
pub use redecoding::{DECODER, Difference, Redecoding, Said, read_again, redecode};
pub use selection::Selection;

/// The format's name, in every bundle.
pub const FORMAT: &str = "nameplate-evidence/1";
/// Largest bundle that is read: a device's history of years has a few MiB, and a stranger's file must not fill the memory.
pub const BUNDLE_BYTES_MAX: usize = 64 * 1024 * 1024;
/// Entries of a bundle: ten years of daily readings of a change of 20 devices; more belongs into several bundles.
pub const ENTRIES_MAX: usize = 100_000;

/// The file, as it is written. Its keys stand in their canonical order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Bundle {
    /// The signed note over the log up to and including the last entry.
    pub checkpoint: String,
    /// Entry 0, the subject's entries, and the entry that lists them.
    pub entries: Vec<Proven>,
    /// [`FORMAT`].
    pub format: String,
    /// The log's name.
    pub origin: String,
    /// The same for people: a page, whose SHA-256 the last entry names.
    pub page: String,
    /// SHA-256 of a payload -> the payload, both in lower case hexadecimal.
    pub payloads: BTreeMap<String, String>,
    /// SHA-256 of a profile's text in lower case hexadecimal -> the text.
    pub profiles: BTreeMap<String, String>,
    /// The Ed25519 public key, 32 bytes in lower case hexadecimal.
    pub public_key: String,
}

/// An entry with its proof.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Proven {
    /// Its place in the log.
    pub index: u64,
    /// The inclusion proof in the checkpoint's tree, lowest first, in lower case hexadecimal.
    pub proof: Vec<String>,
    /// The record's exact text.
    pub record: String,
}

impl Bundle {
    /// The bytes of the file: canonical JSON and a line feed.
    #[must_use]
    pub fn bytes(&self) -> Vec<u8> {
        // Strings, integers and maps with string keys, declared in canonical order: serialising them cannot fail.
        let mut bytes = serde_json::to_vec(self).unwrap_or_default();
        bytes.push(b'\n');
        bytes
    }
}

/// A bundle that does not hold: what exactly, in a sentence.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unsound {
    /// Which part, and what is wrong with it.
    pub why: String,
}

impl Unsound {
    fn new(why: impl Into<String>) -> Self {
        Self { why: why.into() }
    }
}

impl fmt::Display for Unsound {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.why)
    }
}

impl std::error::Error for Unsound {}

/// The first verdict: whose it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Authenticity {
    /// All of it hangs together under the key that was pinned.
    Authentic,
    /// All of it hangs together, under a key that nobody vouched for.
    UnknownSigner {
        /// That key's fingerprint; of several keys of one log, the first one's.
        fingerprint: String,
    },
    /// It does not hang together.
    Refused(Unsound),
}

/// Both verdicts, and the bundle they are about where it holds.
#[derive(Clone, Debug)]
pub struct Verdict {
    /// Whose it is.
    pub authenticity: Authenticity,
    /// What its bytes say today, and what it holds; `None` where it was refused.
    pub content: Option<(Redecoding, Checked)>,
}

/// Checks the bytes of a bundle. `pinned` is the fingerprint of the key that is trusted: SHA-256 of its 32 bytes, in lower case
/// hexadecimal.
#[must_use]
pub fn verify(bytes: &[u8], pinned: Option<&str>) -> Verdict {
    let checked = match check(bytes) {
        Ok(checked) => checked,
        Err(unsound) => return Verdict { authenticity: Authenticity::Refused(unsound), content: None },
    };
    let authenticity = if pinned.is_some_and(|pinned| checked.keys.holds(pinned)) {
        Authenticity::Authentic
    } else {
        Authenticity::UnknownSigner { fingerprint: checked.keys.first().fingerprint() }
    };
    Verdict { authenticity, content: Some((redecode(&checked), checked)) }
}
