//! The ledger: one append-only log of all that happened, hash-linked in a Merkle tree and signed by the site's key. Everything else
//! is a fold over it ([`crate::view`]).
//!
//! Sources: RFC 6962, 2.1 (tree hashes and proofs); C2SP signed-note, tlog-checkpoint and tlog-proof. See docs/decisions/0008.

mod entry;

pub use entry::{Body, Entry, Observed};
