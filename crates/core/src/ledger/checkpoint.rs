//! The checkpoint: the log's size and root, signed by the site's key.
//!
//! Sources: C2SP signed-note (text, blank line, signature lines; key id) and tlog-checkpoint (origin, size, root).

use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use ed25519_dalek::{Signature, Signer, SigningKey, VerifyingKey};
use sha2::{Digest, Sha256};

use super::merkle::{HASH_BYTES, Hash, Head};
use crate::observation::hex;

/// Bytes of a seed, and of a public key.
pub const KEY_BYTES: usize = 32;
/// Bytes of a key's id in a signature line (signed-note, "Signatures").
pub(crate) const KEY_ID_BYTES: usize = 4;
/// How a signature line begins: U+2014 and a blank.
pub(crate) const SIGNATURE: &str = "\u{2014} ";
/// What a log's name begins with.
const ORIGIN: &str = "nameplate/";
/// Digits of the fingerprint in a log's name: enough to tell sites apart, not to trust one.
const ORIGIN_DIGITS: usize = 16;
/// Longest note that is read: ours has 230 bytes; other signers may add lines.
pub const NOTE_BYTES_MAX: usize = 16 * 1024;

/// What a signature is over, as the number that stands in a key id (signed-note, "Signature types"). Both are Ed25519.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Algorithm {
    /// The note's text.
    Note = 1,
    /// A time and the note's text (tlog-cosignature).
    Cosignature = 4,
}

impl Algorithm {
    pub(crate) const fn of(number: u8) -> Option<Self> {
        match number {
            1 => Some(Self::Note),
            4 => Some(Self::Cosignature),
            _ => None,
        }
    }
}

/// The key of a site, or of a witness.
pub struct SiteKey(SigningKey);

impl SiteKey {
    /// The key of 32 random bytes.
    #[must_use]
    pub fn of(seed: &[u8; KEY_BYTES]) -> Self {
        Self(SigningKey::from_bytes(seed))
    }

    /// What may be shown to everybody.
    #[must_use]
    pub fn public(&self) -> PublicKey {
        PublicKey(self.0.verifying_key())
    }

    pub(crate) fn sign_bytes(&self, message: &[u8]) -> [u8; 64] {
        self.0.sign(message).to_bytes()
    }
}

impl fmt::Debug for SiteKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SiteKey({})", self.public().fingerprint())
    }
}

/// The key that a log's checkpoints are checked with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PublicKey(VerifyingKey);

impl PublicKey {
    /// The key of these bytes; `None` where they are no point of the curve, or one of the few that sign everything.
    #[must_use]
    pub fn of(bytes: &[u8; KEY_BYTES]) -> Option<Self> {
        VerifyingKey::from_bytes(bytes).ok().filter(|key| !key.is_weak()).map(Self)
    }

    /// The key of 64 hexadecimal digits in lower case; `None` where they are no key.
    #[must_use]
    pub fn from_digits(digits: &str) -> Option<Self> {
        let bytes = crate::observation::unhex(digits).ok().and_then(|bytes| bytes.try_into().ok())?;
        // One key, one spelling: otherwise two bundles could differ and mean the same.
        Self::of(&bytes).filter(|key| key.digits() == digits)
    }

    /// The key as 64 hexadecimal digits.
    #[must_use]
    pub fn digits(&self) -> String {
        hex(self.0.as_bytes())
    }

    /// What people pin: SHA-256 of the 32 bytes, lower case hexadecimal.
    #[must_use]
    pub fn fingerprint(&self) -> String {
        hex(&Sha256::digest(self.0.as_bytes()))
    }

    /// The name of this key's log.
    #[must_use]
    pub fn origin(&self) -> String {
        let fingerprint = self.fingerprint();
        format!("{ORIGIN}{}", fingerprint.get(..ORIGIN_DIGITS).unwrap_or_default())
    }

    /// Its 32 bytes.
    pub(crate) fn bytes(&self) -> &[u8; KEY_BYTES] {
        self.0.as_bytes()
    }

    /// Whether its owner signed the message. Strictly: one message has one signature.
    pub(crate) fn verifies(&self, message: &[u8], signature: &[u8]) -> bool {
        let signature = <[u8; 64]>::try_from(signature).map(|bytes| Signature::from_bytes(&bytes));
        signature.is_ok_and(|signature| self.0.verify_strict(message, &signature).is_ok())
    }

    /// The first four bytes of SHA-256(name || 0x0A || algorithm || key).
    pub(crate) fn id(&self, name: &str, algorithm: Algorithm) -> [u8; KEY_ID_BYTES] {
        let of = Sha256::new().chain_update(name).chain_update([b'\n', algorithm as u8]).chain_update(self.bytes());
        let hash: Hash = of.finalize().into();
        let [a, b, c, d, ..] = hash;
        [a, b, c, d]
    }
}

/// A log at one moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checkpoint {
    /// The log's name.
    pub origin: String,
    /// Its size and root.
    pub head: Head,
}

/// Why a note was not believed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unbelieved {
    /// It is no checkpoint.
    Malformed(&'static str),
    /// It carries no signature of this key.
    UnknownSigner,
    /// It carries one, and it is wrong.
    WrongSignature,
}

impl fmt::Display for Unbelieved {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Malformed(why) => write!(f, "no checkpoint: {why}"),
            Self::UnknownSigner => f.write_str("not signed by this key"),
            Self::WrongSignature => f.write_str("the signature is wrong"),
        }
    }
}

impl std::error::Error for Unbelieved {}

impl Checkpoint {
    /// The text that is signed.
    #[must_use]
    pub fn text(&self) -> String {
        format!("{}\n{}\n{}\n", self.origin, self.head.size, STANDARD.encode(self.head.root))
    }

    /// The signed note.
    #[must_use]
    pub fn sign(&self, key: &SiteKey) -> String {
        sign(&self.origin, &self.text(), key)
    }

    /// Reads a note without believing it.
    ///
    /// # Errors
    /// [`Unbelieved::Malformed`].
    pub fn read(note: &str) -> Result<Self, Unbelieved> {
        parse(note).map(|(checkpoint, _)| checkpoint)
    }

    /// Reads a note and believes it if this key signed it. Lines of other signers are passed over.
    ///
    /// # Errors
    /// [`Unbelieved`].
    pub fn open(note: &str, key: &PublicKey) -> Result<Self, Unbelieved> {
        let (checkpoint, signatures) = parse(note)?;
        believe(&checkpoint.origin, &checkpoint.text(), &signatures, key).map(|()| checkpoint)
    }
}

/// A text, signed: the note. The signer's name is `origin`.
pub(crate) fn sign(origin: &str, text: &str, key: &SiteKey) -> String {
    let line = [&key.public().id(origin, Algorithm::Note)[..], &key.sign_bytes(text.as_bytes())].concat();
    format!("{text}\n{SIGNATURE}{origin} {}\n", STANDARD.encode(line))
}

/// Believes a text if this key, under this name, signed it. Lines of other signers are passed over.
pub(crate) fn believe(origin: &str, text: &str, signatures: &[SignatureLine<'_>], key: &PublicKey) -> Result<(), Unbelieved> {
    let ours = (origin, key.id(origin, Algorithm::Note));
    let mut found = Err(Unbelieved::UnknownSigner);
    for (_, _, signature) in signatures.iter().filter(|(name, id, _)| (*name, *id) == ours) {
        if !key.verifies(text.as_bytes(), signature) {
            return Err(Unbelieved::WrongSignature);
        }
        found = Ok(());
    }
    found
}

/// Name, key id and signature of one line.
pub(crate) type SignatureLine<'a> = (&'a str, [u8; KEY_ID_BYTES], Vec<u8>);

/// The text of a note with its last line end, and the lines of its signatures.
pub(crate) fn note_text(note: &str) -> Result<(&str, &str), Unbelieved> {
    let blank = note.find("\n\n").ok_or(Unbelieved::Malformed("no blank line before the signatures"))?;
    // The line end before the blank line is the text's own.
    Ok((note.get(..=blank).unwrap_or_default(), note.get(blank + 2..).unwrap_or_default()))
}

/// The text of a note, without its last line end, and its signatures.
pub(crate) fn split(note: &str) -> Result<(&str, Vec<SignatureLine<'_>>), Unbelieved> {
    let malformed = Unbelieved::Malformed;
    if note.len() > NOTE_BYTES_MAX {
        return Err(malformed("longer than a checkpoint is"));
    }
    let (text, signatures) = note.split_once("\n\n").ok_or(malformed("no blank line before the signatures"))?;
    let signatures = signatures.strip_suffix('\n').ok_or(malformed("the last line has no end"))?;
    let lines: Option<Vec<SignatureLine<'_>>> = signatures.split('\n').map(signature_line).collect();
    Ok((text, lines.ok_or(malformed("a signature line is not one"))?))
}

fn parse(note: &str) -> Result<(Checkpoint, Vec<SignatureLine<'_>>), Unbelieved> {
    let malformed = Unbelieved::Malformed;
    let (text, signatures) = split(note)?;
    let lines: Vec<&str> = text.split('\n').collect();
    let [origin, size, root] = lines[..] else { return Err(malformed("not the three lines origin, size, root")) };
    if origin.is_empty() || origin.contains(|c: char| c.is_whitespace() || c == '+') {
        return Err(malformed("the origin is no name"));
    }
    let size = size.parse().ok().filter(|number: &u64| number.to_string() == size).ok_or(malformed("the size is no number"))?;
    let root =
        STANDARD.decode(root).ok().and_then(|root| <[u8; HASH_BYTES]>::try_from(root).ok()).ok_or(malformed("the root is no hash"))?;
    Ok((Checkpoint { origin: origin.to_owned(), head: Head { size, root } }, signatures))
}

fn signature_line(line: &str) -> Option<SignatureLine<'_>> {
    let (name, encoded) = line.strip_prefix(SIGNATURE)?.split_once(' ')?;
    let bytes = STANDARD.decode(encoded).ok()?;
    let (id, signature) = bytes.split_first_chunk::<KEY_ID_BYTES>()?;
    Some((name, *id, signature.to_vec()))
}

#[cfg(test)]
mod tests;
