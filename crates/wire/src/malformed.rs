//! What is wrong with their bytes: one error family for every layer.

use core::fmt;

/// Bytes that do not hold what they promise. Always says where and who promised, so that a report can point at the byte.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Malformed {
    /// The layer that could not be read: `pcap`, `ethernet`, `ipv4`, `tcp`, `modbus`, ...
    pub layer: &'static str,
    /// Offset in bytes of the first byte that is wrong or missing, from the start of that layer's own bytes.
    pub offset: usize,
    /// Bytes that had to be there from `offset` on (0 where the bytes are there and their value is wrong).
    pub needed: usize,
    /// Bytes that were there from `offset` on.
    pub had: usize,
    /// Who said so: the length field or rule that was broken, with its clause where a standard has one.
    pub said_by: &'static str,
}

impl Malformed {
    /// A layer that ends before a length it promised: `needed` bytes from `offset` on, `had` were there.
    pub const fn short(layer: &'static str, offset: usize, needed: usize, had: usize, said_by: &'static str) -> Self {
        Self { layer, offset, needed, had, said_by }
    }

    /// Bytes that are there and have a value they must not have.
    pub const fn wrong(layer: &'static str, offset: usize, said_by: &'static str) -> Self {
        Self { layer, offset, needed: 0, had: 0, said_by }
    }
}

impl fmt::Display for Malformed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { layer, offset, needed, had, said_by } = self;
        if *needed == 0 {
            write!(f, "{layer}: byte {offset}: {said_by}")
        } else {
            write!(f, "{layer}: byte {offset}: {needed} bytes needed, {had} there ({said_by})")
        }
    }
}

impl core::error::Error for Malformed {}
