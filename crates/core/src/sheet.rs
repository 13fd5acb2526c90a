//! Inventory sheets: claims that a person made, to compare with readings and never to overwrite them.

use serde::{Deserialize, Serialize};

/// A list that was taken in, as it stands in the ledger.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Import {
    /// The file's name as it was given.
    pub file: String,
    /// SHA-256 of the file, lower case hexadecimal.
    pub sha256: String,
}
