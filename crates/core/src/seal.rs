//! Seals of a touch record: whoever holds the field side's key vouches for every line up to here, so that no process that only passes the lines on can
//! change one, drop one or add one.
//!
//! A seal covers the lines behind the one before it. Its digest is the SHA-256 of `nameplate-touch/1`, the digest before it (64 hexadecimal digits;
//! none for the first) and the lines, each as it stands in the record, all with a line feed behind them. The signature is Ed25519 (RFC 8032) over
//! `nameplate-touch/1`, the public key and the digest in hexadecimal, each with a line feed.

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::ledger::{PublicKey, SiteKey};
use crate::observation::{hex, unhex};

/// What the digest and the signature begin with: neither can be taken for one of anything else.
const CONTEXT: &str = "nameplate-touch/1\n";

/// A seal, as it stands in its line. Hexadecimal digits in lower case.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Seal {
    /// The field side's Ed25519 public key, 32 bytes.
    pub key: String,
    /// SHA-256 of what it covers.
    pub digest: String,
    /// 64 bytes.
    pub signature: String,
}

/// Why lines are not believed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unsealed {
    /// Another key than the one that is known.
    Key,
    /// The lines are not those that were sealed: one was changed, dropped or added.
    Lines,
    /// The signature is nobody's.
    Signature,
}

impl std::fmt::Display for Unsealed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Key => "sealed with another key than the one that is known",
            Self::Lines => "the lines are not those that were sealed: one was changed, dropped or added",
            Self::Signature => "its signature does not hold",
        })
    }
}

/// The lines since the last seal, on their way into the next.
#[derive(Clone, Debug)]
pub struct Chain {
    hash: Sha256,
    lines: u64,
}

impl Default for Chain {
    fn default() -> Self {
        Self { hash: Sha256::new_with_prefix(CONTEXT), lines: 0 }
    }
}

impl Chain {
    /// Behind this seal.
    #[must_use]
    pub fn behind(seal: &Seal) -> Self {
        let hash = Sha256::new_with_prefix(CONTEXT).chain_update(&seal.digest).chain_update("\n");
        Self { hash, lines: 0 }
    }

    /// The next line, without its end.
    pub fn take(&mut self, line: &str) {
        self.hash.update(line);
        self.hash.update("\n");
        self.lines = self.lines.saturating_add(1);
    }

    /// Whether there is a line that no seal covers.
    #[must_use]
    pub const fn is_open(&self) -> bool {
        self.lines > 0
    }

    /// The seal over what was taken.
    #[must_use]
    pub fn seal(&self, key: &SiteKey) -> Seal {
        let (public, digest) = (key.public().digits(), self.digest());
        let signature = hex(&key.sign_bytes(signed(&public, &digest).as_bytes()));
        Seal { key: public, digest, signature }
    }

    /// Whether this is the seal over what was taken, by the owner of the key.
    ///
    /// # Errors
    /// [`Unsealed`].
    pub fn check(&self, seal: &Seal, key: &PublicKey) -> Result<(), Unsealed> {
        if seal.key != key.digits() {
            return Err(Unsealed::Key);
        }
        if seal.digest != self.digest() {
            return Err(Unsealed::Lines);
        }
        let signature = unhex(&seal.signature).unwrap_or_default();
        let holds = hex(&signature) == seal.signature && key.verifies(signed(&seal.key, &seal.digest).as_bytes(), &signature);
        if holds { Ok(()) } else { Err(Unsealed::Signature) }
    }

    fn digest(&self) -> String {
        hex(&self.hash.clone().finalize())
    }
}

fn signed(key: &str, digest: &str) -> String {
    format!("{CONTEXT}{key}\n{digest}\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chain(before: Option<&Seal>, lines: &[&str]) -> Chain {
        let mut chain = before.map(Chain::behind).unwrap_or_default();
        lines.iter().for_each(|line| chain.take(line));
        chain
    }

    #[test]
    fn no_line_is_changed_dropped_moved_or_added() {
        let key = SiteKey::of(&[7; 32]);
        let first = chain(None, &["a", "b"]).seal(&key);
        let second = chain(Some(&first), &["c"]).seal(&key);
        let check = |before: Option<&Seal>, lines: &[&str], seal: &Seal, expected: Result<(), Unsealed>| {
            assert_eq!(chain(before, lines).check(seal, &key.public()), expected, "{lines:?}");
        };
        check(None, &["a", "b"], &first, Ok(()));
        check(Some(&first), &["c"], &second, Ok(()));
        for lines in [&["a"][..], &["b", "a"], &["a", "b", "c"], &["a", "x"], &["ab"], &["a\nb"], &[]] {
            let expected = if lines == ["a\nb"] { Ok(()) } else { Err(Unsealed::Lines) };
            // A line has no line feed in it: whoever cuts the lines sees to that.
            check(None, lines, &first, expected);
        }
        // The lines between two seals are gone, or the seals of two records are mixed.
        check(None, &["c"], &second, Err(Unsealed::Lines));
        check(Some(&second), &["c"], &second, Err(Unsealed::Lines));
    }

    #[test]
    fn a_seal_is_its_owners() {
        let (key, other) = (SiteKey::of(&[7; 32]), SiteKey::of(&[8; 32]));
        let chain = chain(None, &["a"]);
        let seal = chain.seal(&key);
        assert_eq!(chain.check(&seal, &other.public()), Err(Unsealed::Key));
        let forged = Seal { key: key.public().digits(), ..chain.seal(&other) };
        assert_eq!(chain.check(&forged, &key.public()), Err(Unsealed::Signature));
        for signature in [String::new(), seal.signature.to_uppercase(), format!("{}00", seal.signature), "zz".to_owned()] {
            assert_eq!(chain.check(&Seal { signature, ..seal.clone() }, &key.public()), Err(Unsealed::Signature));
        }
    }

    /// By hand: `printf 'nameplate-touch/1\na\nb\n' | sha256sum`.
    #[test]
    fn a_digest_can_be_made_with_the_tools_of_any_machine() {
        let seal = chain(None, &["a", "b"]).seal(&SiteKey::of(&[7; 32]));
        assert_eq!(seal.digest, "a3ddd93effcdd843c12cbfb794d9ca94946c8ea2dd67e9d843c77b5d784b0a2d");
    }
}
