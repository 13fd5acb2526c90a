//! The compiled form: what [`check`](crate::finding) needs of all advisories, in a form that loads in a tenth of the time that JSON takes.
//! It is a note, never a source: one that is stale, damaged or of another program is made again.

use std::fmt;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::Advisory;
use super::exploitation::Exploitations;
use crate::ledger::Hash;

/// What it begins with.
const MAGIC: &[u8] = b"nameplate advisories\n";
const HASH_BYTES: usize = 32;
/// What the form and its content follow from: a program whose reader or whose types differ makes another form.
const PROGRAM: [&str; 13] = [
    include_str!("mod.rs"),
    include_str!("set.rs"),
    include_str!("compiled.rs"),
    include_str!("bulletin/mod.rs"),
    include_str!("csaf/mod.rs"),
    include_str!("csaf/shape.rs"),
    include_str!("csaf/statements.rs"),
    include_str!("csaf/tolerance.rs"),
    include_str!("csaf/tree.rs"),
    include_str!("delivery.rs"),
    include_str!("exploitation/mod.rs"),
    include_str!("exploitation/read.rs"),
    include_str!("../sheet/cells.rs"),
];

/// What is known from advisories and lists.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Known {
    /// The documents that count, of each the newest revision, by publisher and id.
    pub advisories: Vec<Advisory>,
    /// What is known of the use of their vulnerabilities.
    pub exploitations: Exploitations,
}

/// Why a compiled form is not used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stale {
    /// It is none, or cut short.
    NoForm,
    /// It was made from other documents, or by another program.
    OtherSources,
    /// Its bytes are not those that were written.
    Damaged,
}

impl fmt::Display for Stale {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NoForm => "no compiled advisories",
            Self::OtherSources => "compiled from other advisories, or by another program",
            Self::Damaged => "damaged",
        })
    }
}

impl std::error::Error for Stale {}

/// The hash of what it is made from: the hashes of all documents and lists, in a fixed order, and the program.
#[must_use]
pub fn sources<'a>(sha256: impl IntoIterator<Item = &'a str>) -> Hash {
    let program = PROGRAM.iter().fold(Sha256::new(), |hash, source| hash.chain_update(Sha256::digest(source)));
    sha256
        .into_iter()
        .fold(program, |hash, digits| hash.chain_update((digits.len() as u64).to_le_bytes()).chain_update(digits))
        .finalize()
        .into()
}

impl Known {
    /// The compiled form.
    #[must_use]
    pub fn compiled(&self, sources: &Hash) -> Vec<u8> {
        // Texts, numbers and lists alone: serialising them cannot fail.
        let body = postcard::to_allocvec(self).unwrap_or_default();
        [MAGIC, sources, &Sha256::digest(&body)[..], &body].concat()
    }

    /// What a compiled form of these sources holds.
    ///
    /// # Errors
    /// [`Stale`]: make it again.
    pub fn of_compiled(bytes: &[u8], sources: &Hash) -> Result<Self, Stale> {
        let rest = bytes.strip_prefix(MAGIC).ok_or(Stale::NoForm)?;
        let (from, rest) = rest.split_first_chunk::<HASH_BYTES>().ok_or(Stale::NoForm)?;
        let (digest, body) = rest.split_first_chunk::<HASH_BYTES>().ok_or(Stale::NoForm)?;
        if from != sources {
            return Err(Stale::OtherSources);
        }
        if Sha256::digest(body)[..] != digest[..] {
            return Err(Stale::Damaged);
        }
        match postcard::take_from_bytes(body) {
            Ok((known, [])) => Ok(known),
            _ => Err(Stale::Damaged),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::advisory::{Product, Release, Status, Vulnerability};

    #[test]
    fn a_compiled_form_gives_back_what_it_was_made_of_and_nothing_else() {
        let advisory = Advisory {
            publisher: "P".into(),
            page: Some("p. 12".into()),
            products: vec![Product { release: Release::Range("<V4".into()), ..Product::default() }],
            vulnerabilities: vec![Vulnerability { statuses: vec![(Status::Fixed, vec![0])], ..Vulnerability::default() }],
            ..Advisory::default()
        };
        let mut exploitations = Exploitations::default();
        exploitations.take_kev(b"cveID,dateAdded\nCVE-2020-1235,2024-01-01\n").unwrap();
        let known = Known { advisories: vec![advisory], exploitations };
        let from = sources(["a", "b"]);
        let bytes = known.compiled(&from);
        assert_eq!(Known::of_compiled(&bytes, &from), Ok(known));
        for other in [sources(["a"]), sources(["ab"]), sources(["b", "a"])] {
            assert_eq!(Known::of_compiled(&bytes, &other), Err(Stale::OtherSources));
        }
        for at in 0..bytes.len() {
            let mut damaged = bytes.clone();
            damaged[at] ^= 1;
            assert!(Known::of_compiled(&damaged, &from).is_err(), "byte {at}");
            assert!(Known::of_compiled(&bytes[..at], &from).is_err(), "cut at {at}");
        }
        assert_eq!(Known::of_compiled(&[&bytes[..], b"x"].concat(), &from), Err(Stale::Damaged));
    }
}
