//! A file of decisions, signed: a note beside the file says its SHA-256 and whose key signed.
//!
//! Source: C2SP signed-note, as for checkpoints. The text is four lines: the signer's name, [`KIND`], the SHA-256, the public key. The
//! second line of a checkpoint is a number, so neither can be taken for the other.

use std::fmt;

use crate::ledger::checkpoint as note;
use crate::ledger::{PublicKey, SiteKey, Unbelieved};

/// What the note is about.
const KIND: &str = "baseline-pack";

/// A note that names a file by its SHA-256, and the key it says that it was signed with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seal {
    /// SHA-256 of the file, lower case hexadecimal.
    pub sha256: String,
    /// The key. Whether it is to be trusted, the note cannot say.
    pub key: PublicKey,
}

/// Why a seal was not believed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Unsealed {
    /// It is no such note, or its signature is wrong.
    Note(Unbelieved),
    /// The key is another than the one that is trusted: its fingerprint.
    Untrusted(String),
    /// It is about another file.
    OtherFile,
}

impl fmt::Display for Unsealed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Note(Unbelieved::Malformed(why)) => write!(f, "no signature of a baseline: {why}"),
            Self::Note(why) => why.fmt(f),
            Self::Untrusted(fingerprint) => write!(f, "signed by another key, with the fingerprint {fingerprint}"),
            Self::OtherFile => f.write_str("the signature is of another file, or the file was changed"),
        }
    }
}

impl Seal {
    /// The signed note for a file.
    #[must_use]
    pub fn sign(sha256: &str, key: &SiteKey) -> String {
        let public = key.public();
        let origin = public.origin();
        let text = format!("{origin}\n{KIND}\n{sha256}\n{}\n", public.digits());
        note::sign(&origin, &text, key)
    }

    /// Believes that the key with this fingerprint signed the file with this SHA-256.
    ///
    /// # Errors
    /// [`Unsealed`].
    pub fn open(text: &str, sha256: &str, fingerprint: &str) -> Result<Self, Unsealed> {
        let malformed = |why| Unsealed::Note(Unbelieved::Malformed(why));
        let (body, signatures) = note::split(text).map_err(Unsealed::Note)?;
        let lines: Vec<&str> = body.split('\n').collect();
        let [origin, KIND, of, digits] = lines[..] else { return Err(malformed("not the four lines name, kind, SHA-256, key")) };
        let key = PublicKey::from_digits(digits).ok_or_else(|| malformed("the last line is no key"))?;
        if key.origin() != origin {
            return Err(malformed("the name is not that of the key"));
        }
        note::believe(origin, &format!("{body}\n"), &signatures, &key).map_err(Unsealed::Note)?;
        if key.fingerprint() != fingerprint {
            return Err(Unsealed::Untrusted(key.fingerprint()));
        }
        if of != sha256 {
            return Err(Unsealed::OtherFile);
        }
        Ok(Self { sha256: of.to_owned(), key })
    }
}
