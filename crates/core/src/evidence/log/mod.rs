//! The exported log: a range of the ledger as a file that anybody can check alone. The format is docs/evidence.md, section 8; the
//! argument is docs/decisions/0040.
//!
//! It is made of lines: the beginning, then each record verbatim, and behind a record the payloads that no record before it names. Nobody
//! who writes or reads it has to hold more than a line of it.

mod lines;
mod reader;

use serde::{Deserialize, Serialize};

pub use lines::read_log;
pub use reader::{Reader, Whole};

use super::{Unsound, format};
use crate::observation::hex;

/// The format's name, in every exported log.
pub const LOG_FORMAT: &str = "nameplate-log/1";
/// Longest line that is read, without its end: the record of a list of 64 MiB, escaped. A stranger's file must not fill the memory.
pub const LINE_BYTES_MAX: usize = 128 * 1024 * 1024;
/// Bytes of a payload in one line; a longer one has several, so that a list of what is exploited is never held as a line.
pub const PART_BYTES: usize = 1024 * 1024;
/// Hashes of an edge: one for each bit of a size.
const EDGE_HASHES_MAX: usize = 64;

/// The first line. Its keys stand in their canonical order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Beginning {
    /// The signed note over the log up to the end of the range.
    pub checkpoint: String,
    /// The roots of the whole subtrees of all that stands before the range, largest first, in lower case hexadecimal.
    pub edge: Vec<String>,
    /// Index of the first entry.
    pub first: u64,
    /// [`LOG_FORMAT`].
    pub format: String,
    /// Every change of the key before the range.
    pub keys: Vec<Vouched>,
    /// The log's name.
    pub origin: String,
    /// True where payloads stand behind the records that name them.
    pub payloads: bool,
    /// The log's first key, 32 bytes in lower case hexadecimal.
    pub public_key: String,
}

/// A key that took the place of the one before.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Vouched {
    /// It, 32 bytes in lower case hexadecimal.
    pub public_key: String,
    /// The signature of the key before it, 64 bytes in lower case hexadecimal.
    pub signature: String,
}

impl Beginning {
    /// Its line, without the end.
    #[must_use]
    pub fn line(&self) -> Vec<u8> {
        // Strings, integers and lists, declared in canonical order: serialising them cannot fail.
        serde_json::to_vec(self).unwrap_or_default()
    }

    /// Reads it, as it is written and not otherwise.
    ///
    /// # Errors
    /// What it is not.
    pub fn read(line: &[u8]) -> Result<Self, Unsound> {
        if let Some(told) = format::told(line) {
            format::known(&told, LOG_FORMAT)?;
        }
        let read: Self = serde_json::from_slice(line).map_err(|e| Unsound::new(format!("it is no exported log: {e}")))?;
        if read.edge.len() > EDGE_HASHES_MAX || read.line() != line {
            return Err(Unsound::new("its first line is not canonical: these values are written with other bytes"));
        }
        Ok(read)
    }
}

/// The lines of a payload, each without its end.
pub fn payload_lines(bytes: &[u8]) -> impl Iterator<Item = Vec<u8>> {
    let last = bytes.len().div_ceil(PART_BYTES).max(1);
    (1..=last).map(move |at| {
        let from = (at - 1) * PART_BYTES;
        let part = bytes.get(from..bytes.len().min(from + PART_BYTES)).unwrap_or_default();
        let (before, behind) = if at == last { PAYLOAD } else { PART };
        [before, hex(part).as_bytes(), behind].concat()
    })
}

/// The line of a payload that is not kept any more.
#[must_use]
pub fn gone_line(sha256: &str) -> Vec<u8> {
    [GONE.0, sha256.as_bytes(), GONE.1].concat()
}

/// What stands around the digits of a payload, of a part of one that more follows, and of the name of one that is not kept any more.
const PAYLOAD: (&[u8], &[u8]) = (br#"{"payload":""#, br#""}"#);
const PART: (&[u8], &[u8]) = (br#"{"part":""#, br#""}"#);
const GONE: (&[u8], &[u8]) = (br#"{"gone":""#, br#""}"#);
