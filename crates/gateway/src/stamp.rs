//! Time stamps: somebody whose clock others trust says that a checkpoint was there at a time. What is asked is written to a file, and the
//! answer is read from one, so that the site needs no network.
//!
//! Sources: RFC 3161 (request 2.4.1, answer 2.4.2, the authority's certificate 2.3), RFC 5652, 5 (CMS signed data), RFC 5816 (the certificate
//! by SHA-256), RFC 5280, 4 (certificates). DER alone (X.690, 10); RSA (PKCS #1 1.5, from 2048 bits) and ECDSA (P-256, P-384) with SHA-256 and
//! SHA-384, RSA with SHA-512, too.

mod certificate;
mod fields;
mod token;

use sha2::{Digest, Sha256};

pub use certificate::{Certificate, holds_until};
pub use token::{Stamped, verify};

/// Largest answer that is read: with a chain of certificates one has some 10 KiB.
pub const ANSWER_BYTES_MAX: u64 = 1 << 20;
/// Largest certificate that is read, in either form.
pub const CERTIFICATE_BYTES_MAX: u64 = 64 << 10;

/// AlgorithmIdentifier of SHA-256, without parameters (RFC 5754, 2).
const SHA256: [u8; 13] = [0x30, 0x0b, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01];

/// The TimeStampReq for a checkpoint: version 1, the SHA-256 of the note, and please the certificate with the answer. Without a nonce: an
/// older answer to the same question says an earlier time, and is as true.
#[must_use]
pub fn request(note: &str) -> Vec<u8> {
    let digest = Sha256::digest(note);
    let sequence = |parts: &[&[u8]]| -> Vec<u8> {
        let value = parts.concat();
        // All of it has 57 bytes: one byte says a length.
        [&[0x30, u8::try_from(value.len()).unwrap_or_default()], value.as_slice()].concat()
    };
    let imprint = sequence(&[&SHA256, &[0x04, 32], &digest]);
    sequence(&[&[0x02, 1, 1], &imprint, &[0x01, 1, 0xff]])
}
