//! The ledger: one append-only log of all that happened, hash-linked in a Merkle tree and signed by the site's key. Everything else
//! is a fold over it ([`crate::view`]).
//!
//! Sources: RFC 6962, 2.1 (tree hashes and proofs); C2SP signed-note, tlog-checkpoint, tlog-proof, tlog-cosignature and tlog-witness. See docs/decisions/0008.

mod canonical;
pub(crate) mod checkpoint;
mod entry;
mod keys;
mod merkle;
mod named;
mod record;
mod replay;
mod tree;
mod witness;

pub use canonical::{NotCanonical, Page, canonical};
pub use checkpoint::{Checkpoint, KEY_BYTES, NOTE_BYTES_MAX, PublicKey, SiteKey, Unbelieved};
pub use entry::{Body, Entry, Observed, Payload, Placed};
pub use keys::{Keys, NotVouched};
pub use merkle::{Frontier, HASH_BYTES, Hash, Head, consistent, included, leaf_hash, node_hash};
pub use record::{BadRecord, Tail, is_touch};
pub use replay::{Replay, Replayed};
pub use tree::Tree;
pub use witness::{Declined, REQUEST_BYTES_MAX, Request, VerifierKey, countersign, countersigned};
