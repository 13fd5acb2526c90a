//! How payloads stand in the database: small ones as they are, large ones packed. They are named by the digest of what they are unpacked.

use std::borrow::Cow;

use sha2::{Digest, Sha256};

/// From this size on a payload is packed: messages of devices are smaller, and are read often; advisories and lists shrink to a fifth.
const PACK_FROM_BYTES: usize = 4096;
/// What a payload can unpack to: the largest list of what is exploited.
const UNPACKED_BYTES_MAX: usize = nameplate_core::advisory::exploitation::LIST_BYTES_MAX;

/// The bytes as they are stored.
pub fn packed(bytes: &[u8]) -> Cow<'_, [u8]> {
    if bytes.len() < PACK_FROM_BYTES {
        return Cow::Borrowed(bytes);
    }
    let packed = lz4_flex::block::compress_prepend_size(bytes);
    if packed.len() < bytes.len() { Cow::Owned(packed) } else { Cow::Borrowed(bytes) }
}

/// The bytes that have this digest, of what is stored; `None` where it is damaged.
pub fn unpacked(sha256: &[u8], stored: Vec<u8>) -> Option<Vec<u8>> {
    let is_it = |bytes: &[u8]| Sha256::digest(bytes)[..] == *sha256;
    if is_it(&stored) {
        return Some(stored);
    }
    let (bytes, packed) = lz4_flex::block::uncompressed_size(&stored).ok().filter(|(bytes, _)| *bytes <= UNPACKED_BYTES_MAX)?;
    lz4_flex::block::decompress(packed, bytes).ok().filter(|bytes| is_it(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_payload_comes_back_as_it_was_or_not_at_all() {
        let long: Vec<u8> = b"the same again and again, ".repeat(1000);
        let noise: Vec<u8> = (0..500_u16).flat_map(|seed| Sha256::digest(seed.to_be_bytes())).collect();
        for bytes in [&b""[..], b"short", &long, &noise] {
            let sha256 = Sha256::digest(bytes);
            let stored = packed(bytes).into_owned();
            assert!(stored.len() <= bytes.len());
            assert_eq!(unpacked(&sha256, stored.clone()).as_deref(), Some(bytes));
            for at in (0..stored.len()).step_by(97) {
                let mut damaged = stored.clone();
                damaged[at] ^= 0x40;
                assert_eq!(unpacked(&sha256, damaged), None, "byte {at} of {}", stored.len());
            }
        }
        assert!(packed(&long).len() < long.len() / 10);
        assert_eq!(unpacked(&[0; 32], vec![0xff; 8]), None, "a size that nobody stored");
    }
}
