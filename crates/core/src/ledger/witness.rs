//! Witnesses: somebody outside who countersigns checkpoints, each only where it goes on from the one before.
//!
//! From inside, a state directory that was put back to an older copy, or of which two copies go on, looks whole. A witness that saw one
//! checkpoint signs no other history, and what it signed convinces whoever trusts it.
//!
//! Sources: C2SP tlog-cosignature (Ed25519, `cosignature/v1`), tlog-witness (what is handed to a witness, and what it checks),
//! signed-note (verifier keys).

use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::checkpoint::{
    Algorithm, Checkpoint, KEY_BYTES, KEY_ID_BYTES, NOTE_BYTES_MAX, PublicKey, SIGNATURE, SiteKey, Unbelieved, note_text, split,
};
use super::keys::Keys;
use super::merkle::{HASH_BYTES, Hash, Head, consistent};

/// Hashes of a consistency proof (tlog-witness, add-checkpoint).
const PROOF_LINES_MAX: usize = 63;
/// Bytes of a request: its proof, a line of 44 digits each, and the note.
pub const REQUEST_BYTES_MAX: usize = 64 * PROOF_LINES_MAX + NOTE_BYTES_MAX;
/// A cosignature: seconds since 1970 in 8 bytes, then Ed25519's 64.
const COSIGNATURE_BYTES: usize = 8 + 64;
/// Characters of a witness's name; it stands in every note that it signs.
const NAME_CHARS_MAX: usize = 100;

/// A public key with its owner's name: a verifier key (C2SP signed-note), `NAME+KEY ID+BASE64`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VerifierKey {
    name: String,
    algorithm: Algorithm,
    key: PublicKey,
}

impl VerifierKey {
    /// The key that signs a log now; its name is the log's origin.
    #[must_use]
    pub fn of_log(keys: &Keys) -> Self {
        Self { name: keys.origin(), algorithm: Algorithm::Note, key: *keys.current() }
    }

    /// The key of a witness.
    ///
    /// # Errors
    /// What the name must not be.
    pub fn of_witness(name: &str, key: PublicKey) -> Result<Self, &'static str> {
        if name.is_empty() || name.chars().count() > NAME_CHARS_MAX {
            return Err("a name has 1 to 100 characters");
        }
        if name.chars().any(|c| c.is_whitespace() || c.is_control() || c == '+') {
            return Err("a name has no blanks, no control characters and no plus sign");
        }
        Ok(Self { name: name.to_owned(), algorithm: Algorithm::Cosignature, key })
    }

    /// Reads one. `None` where it is none, or its key id is not that of its name and key.
    #[must_use]
    pub fn read(text: &str) -> Option<Self> {
        let (name, rest) = text.split_once('+')?;
        let (_, encoded) = rest.split_once('+')?;
        let bytes = STANDARD.decode(encoded).ok()?;
        let (algorithm, key) = bytes.split_first()?;
        let key = PublicKey::of(&<[u8; KEY_BYTES]>::try_from(key).ok()?)?;
        let read = match Algorithm::of(*algorithm)? {
            Algorithm::Note => Self { name: name.to_owned(), algorithm: Algorithm::Note, key },
            Algorithm::Cosignature => Self::of_witness(name, key).ok()?,
        };
        // One key, one spelling; and the key id catches what was mistyped.
        (read.to_string() == text).then_some(read)
    }

    /// The owner: a log's origin, or a witness.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The key.
    #[must_use]
    pub const fn key(&self) -> &PublicKey {
        &self.key
    }

    /// True for a witness's, false for a log's.
    #[must_use]
    pub fn is_witness(&self) -> bool {
        self.algorithm == Algorithm::Cosignature
    }

    fn id(&self) -> [u8; KEY_ID_BYTES] {
        self.key.id(&self.name, self.algorithm)
    }
}

impl fmt::Display for VerifierKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [a, b, c, d] = self.id();
        let key = [&[self.algorithm as u8], &self.key.bytes()[..]].concat();
        write!(f, "{}+{a:02x}{b:02x}{c:02x}{d:02x}+{}", self.name, STANDARD.encode(key))
    }
}

/// What is handed to a witness: the checkpoint to be signed, and that it goes on from the one the witness signed last.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// Entries of the checkpoint that the witness signed last; 0 for none.
    pub old: u64,
    /// The consistency proof from there (RFC 6962, 2.1.2).
    pub proof: Vec<Hash>,
    /// The checkpoint, a signed note.
    pub note: String,
}

impl Request {
    /// Reads one; bounded by [`REQUEST_BYTES_MAX`].
    ///
    /// # Errors
    /// What it is not.
    pub fn read(text: &str) -> Result<Self, &'static str> {
        if text.len() > REQUEST_BYTES_MAX {
            return Err("longer than a request to a witness is");
        }
        let (head, note) = text.split_once("\n\n").ok_or("no empty line between proof and checkpoint")?;
        let mut lines = head.split('\n');
        let old = lines.next().and_then(|line| line.strip_prefix("old ")).ok_or("the first line is not `old` and a number")?;
        let old = old.parse().ok().filter(|number: &u64| number.to_string() == old).ok_or("the old size is no number")?;
        let hash = |line| STANDARD.decode(line).ok().and_then(|bytes| <[u8; HASH_BYTES]>::try_from(bytes).ok());
        let proof: Vec<Hash> = lines.map(hash).collect::<Option<_>>().ok_or("a line of the proof is no hash")?;
        if proof.len() > PROOF_LINES_MAX {
            return Err("the proof has more than 63 hashes");
        }
        Ok(Self { old, proof, note: note.to_owned() })
    }

    /// What the witness has to hold against what it remembers of this log; `seen` is the size and root it signed last.
    ///
    /// # Errors
    /// Why it does not sign.
    pub fn judge(&self, log: &VerifierKey, seen: Option<Head>) -> Result<Checkpoint, Declined> {
        let checkpoint = Checkpoint::open(&self.note, &log.key).map_err(Declined::Unbelieved)?;
        if checkpoint.origin != log.name || log.is_witness() {
            return Err(Declined::Unbelieved(Unbelieved::UnknownSigner));
        }
        let now = checkpoint.head;
        let seen = seen.unwrap_or(Head { size: 0, root: super::merkle::Frontier::default().root() });
        if now.size < seen.size {
            return Err(Declined::Older { seen: seen.size, now: now.size });
        }
        if now.size == seen.size {
            return if now.root == seen.root { Ok(checkpoint) } else { Err(Declined::Forked { size: seen.size }) };
        }
        if self.old != seen.size {
            return Err(Declined::ProofFrom { seen: seen.size, old: self.old });
        }
        if consistent(seen, now, &self.proof) { Ok(checkpoint) } else { Err(Declined::Forked { size: seen.size }) }
    }
}

impl fmt::Display for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "old {}", self.old)?;
        self.proof.iter().try_for_each(|hash| writeln!(f, "{}", STANDARD.encode(hash)))?;
        write!(f, "\n{}", self.note)
    }
}

/// Why a witness does not sign.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Declined {
    /// The checkpoint is none of this log's.
    Unbelieved(Unbelieved),
    /// It is behind the one that was signed last: the log was put back, or this is an older checkpoint.
    Older {
        /// Entries that were there.
        seen: u64,
        /// Entries that are there now.
        now: u64,
    },
    /// The log does not begin with what was signed last: there are two histories under one key.
    Forked {
        /// Entries of the history that was signed.
        size: u64,
    },
    /// The proof begins elsewhere than at what was signed last.
    ProofFrom {
        /// Where it has to begin.
        seen: u64,
        /// Where it begins.
        old: u64,
    },
}

impl fmt::Display for Declined {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unbelieved(why) => write!(f, "the checkpoint: {why}"),
            Self::Older { seen, now } => write!(
                f,
                "rolled back: this checkpoint has {now} entries, and one of {seen} was countersigned; {} entries are missing, or an older \
                 checkpoint was sent",
                seen - now
            ),
            Self::Forked { size } => write!(
                f,
                "forked: it does not begin with the {size} entries that were countersigned. There are two histories under one key: a \
                 cloned gateway, or one that was put back and went on. Keep both checkpoints, they prove it"
            ),
            Self::ProofFrom { seen, old } => {
                write!(
                    f,
                    "the proof begins at {old} entries, and {seen} were countersigned last: `nameplate ledger checkpoint --since {seen}`"
                )
            }
        }
    }
}

impl std::error::Error for Declined {}

/// The note with one more line: that this witness saw it at this time, in seconds since 1970. The line takes the place of one that it
/// signed before.
///
/// # Errors
/// The note is none.
pub fn countersign(note: &str, witness: &VerifierKey, key: &SiteKey, seconds: u64) -> Result<String, Unbelieved> {
    Checkpoint::read(note)?;
    let (text, signatures) = note_text(note)?;
    let signature = key.sign_bytes(&message(seconds, text));
    let line = [&witness.id()[..], &seconds.to_be_bytes(), &signature].concat();
    let line = format!("{SIGNATURE}{} {}\n", witness.name, STANDARD.encode(line));
    let own = format!("{SIGNATURE}{} ", witness.name);
    let others: String = signatures.split_inclusive('\n').filter(|line| !line.starts_with(&own)).collect();
    Ok(format!("{text}\n{others}{line}"))
}

/// When this witness countersigned the note, in seconds since 1970.
///
/// # Errors
/// The note is none, this witness did not sign it, or its signature is wrong.
pub fn countersigned(note: &str, witness: &VerifierKey) -> Result<u64, Unbelieved> {
    Checkpoint::read(note)?;
    let (text, _) = note_text(note)?;
    let (_, lines) = split(note)?;
    let own = lines.iter().find(|(name, id, _)| (*name, *id) == (witness.name.as_str(), witness.id()));
    let (_, _, bytes) = own.ok_or(Unbelieved::UnknownSigner)?;
    let (seconds, signature) =
        bytes.split_first_chunk::<8>().filter(|_| bytes.len() == COSIGNATURE_BYTES).ok_or(Unbelieved::WrongSignature)?;
    let seconds = u64::from_be_bytes(*seconds);
    if witness.key.verifies(&message(seconds, text), signature) { Ok(seconds) } else { Err(Unbelieved::WrongSignature) }
}

/// What is signed: two lines, then the checkpoint's own.
fn message(seconds: u64, text: &str) -> Vec<u8> {
    format!("cosignature/v1\ntime {seconds}\n{text}").into_bytes()
}

#[cfg(test)]
mod tests;
