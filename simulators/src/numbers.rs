//! Numbers in bytes, read without panic. `None` where the bytes end before.

fn bytes<const N: usize>(from: &[u8], at: usize) -> Option<[u8; N]> {
    from.get(at..at.checked_add(N)?)?.try_into().ok()
}

pub(crate) fn le16(from: &[u8], at: usize) -> Option<u16> {
    bytes(from, at).map(u16::from_le_bytes)
}

pub(crate) fn le32(from: &[u8], at: usize) -> Option<u32> {
    bytes(from, at).map(u32::from_le_bytes)
}

pub(crate) fn be16(from: &[u8], at: usize) -> Option<u16> {
    bytes(from, at).map(u16::from_be_bytes)
}

pub(crate) fn be32(from: &[u8], at: usize) -> Option<u32> {
    bytes(from, at).map(u32::from_be_bytes)
}

/// A length as a message states it; one that does not fit states the most.
pub(crate) fn stated16(length: usize) -> u16 {
    u16::try_from(length).unwrap_or(u16::MAX)
}

/// The same in one byte.
pub(crate) fn stated8(length: usize) -> u8 {
    u8::try_from(length).unwrap_or(u8::MAX)
}

/// A text in a field of this width: cut off, or filled up.
pub(crate) fn padded(text: &[u8], width: usize, filling: u8) -> Vec<u8> {
    let mut field = text.to_vec();
    field.resize(width, filling);
    field
}
