//! OpenPGP signatures beside documents, against a publisher's key that the user names: RSA keys and signatures of version 4 over a document as it
//! is, which is what publishers of CSAF use. Whether a key is still valid is not looked at: the user named it.
//!
//! Source: RFC 4880, sections 4.2 (packets), 5.2.3 and 5.2.4 (signatures), 5.5.2 (keys), 6.2 (armor); RFC 9580 has the same for version 4.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use rsa::{BoxedUint, Pkcs1v15Sign, RsaPublicKey};
use sha2::{Digest, Sha256, Sha384, Sha512};

/// Keys of one file, subkeys among them.
const KEYS_MAX: usize = 64;
/// Signatures of one file.
const SIGNATURES_MAX: usize = 16;
/// Packet tags (4.3).
const SIGNATURE: u8 = 2;
const PUBLIC_KEY: u8 = 6;
const PUBLIC_SUBKEY: u8 = 14;
/// The version that is read, of keys and of signatures.
const VERSION: u8 = 4;
/// Public-key algorithms (9.1): RSA, and RSA for signatures alone.
const RSA: [u8; 2] = [1, 3];
/// Hash algorithms (9.4).
const SHA256: u8 = 8;
const SHA384: u8 = 9;
const SHA512: u8 = 10;
/// Signature type (5.2.1): a document as it is.
const OF_BINARY: u8 = 0;
/// Bytes of a signature before its hashed subpackets: version, type, two algorithms, their length.
const HEAD_BYTES: usize = 6;

/// A publisher's keys.
#[derive(Debug)]
pub struct PublisherKeys(Vec<RsaPublicKey>);

impl PublisherKeys {
    /// The RSA keys of a key file, armored or not.
    ///
    /// # Errors
    /// A sentence: it is none, or has no key that is read.
    pub fn of(file: &[u8]) -> Result<Self, String> {
        let bytes = unarmored(file)?;
        let mut keys = Vec::new();
        for (tag, body) in packets(&bytes)? {
            if tag == PUBLIC_KEY || tag == PUBLIC_SUBKEY {
                keys.extend(rsa_key(body));
            }
        }
        if keys.is_empty() || keys.len() > KEYS_MAX {
            return Err("no OpenPGP key that is read: RSA keys of version 4 are".into());
        }
        Ok(Self(keys))
    }

    /// Holds a document against the signature beside it: one of the keys must have signed it.
    ///
    /// # Errors
    /// A sentence: which signatures there are, and that none is right.
    pub fn check(&self, document: &[u8], signature: &[u8]) -> Result<(), String> {
        let bytes = unarmored(signature)?;
        let packets = packets(&bytes)?;
        let mut signatures = packets.iter().filter(|(tag, _)| *tag == SIGNATURE).take(SIGNATURES_MAX).peekable();
        if signatures.peek().is_none() {
            return Err("the .asc beside it holds no signature".into());
        }
        let read: Vec<Signed> = signatures.filter_map(|(_, body)| Signed::of(document, body)).collect();
        if read.is_empty() {
            return Err("the .asc beside it holds no signature that is read: RSA of version 4 with SHA-256, SHA-384 or SHA-512 are".into());
        }
        let right = |signed: &Signed| self.0.iter().any(|key| signed.is_by(key));
        if read.iter().any(right) {
            Ok(())
        } else {
            Err("the .asc beside it is no signature of this document by the publisher's key".into())
        }
    }
}

/// What was signed, and the signature.
struct Signed {
    scheme: Pkcs1v15Sign,
    hash: Vec<u8>,
    /// The number, without leading zeros.
    number: Vec<u8>,
}

impl Signed {
    /// A signature packet over a document; `None` where it is of a kind that is not read.
    fn of(document: &[u8], body: &[u8]) -> Option<Self> {
        let [version, of, algorithm, hash, l0, l1] = *body.first_chunk::<HEAD_BYTES>()?;
        if version != VERSION || of != OF_BINARY || !RSA.contains(&algorithm) {
            return None;
        }
        let hashed_bytes = HEAD_BYTES.checked_add(usize::from(u16::from_be_bytes([l0, l1])))?;
        let (hashed, rest) = body.split_at_checked(hashed_bytes)?;
        let (unhashed, rest) = rest.split_first_chunk::<2>()?;
        // The two bytes behind the unhashed subpackets are the hash's first: they prove nothing.
        let number = number(rest.get(usize::from(u16::from_be_bytes(*unhashed)).checked_add(2)?..)?)?.0;
        let length = u32::try_from(hashed.len()).ok()?.to_be_bytes();
        let whole = [document, hashed, &[VERSION, 0xff], &length];
        let (scheme, hash) = match hash {
            SHA256 => (Pkcs1v15Sign::new::<Sha256>(), digest::<Sha256>(&whole)),
            SHA384 => (Pkcs1v15Sign::new::<Sha384>(), digest::<Sha384>(&whole)),
            SHA512 => (Pkcs1v15Sign::new::<Sha512>(), digest::<Sha512>(&whole)),
            _ => return None,
        };
        Some(Self { scheme, hash, number: number.to_vec() })
    }

    fn is_by(&self, key: &RsaPublicKey) -> bool {
        let bytes = rsa::traits::PublicKeyParts::size(key);
        let Some(zeros) = bytes.checked_sub(self.number.len()) else { return false };
        let number = [vec![0; zeros], self.number.clone()].concat();
        key.verify(self.scheme.clone(), &self.hash, &number).is_ok()
    }
}

fn digest<D: Digest>(parts: &[&[u8]]) -> Vec<u8> {
    parts.iter().fold(D::new(), |hash, part| hash.chain_update(part)).finalize().to_vec()
}

/// Version, time, algorithm, and RSA's two numbers; `None` for other keys.
fn rsa_key(body: &[u8]) -> Option<RsaPublicKey> {
    let ([version, _, _, _, _, algorithm], rest) = body.split_first_chunk()?;
    if *version != VERSION || !RSA.contains(algorithm) {
        return None;
    }
    let (n, rest) = number(rest)?;
    let (e, _) = number(rest)?;
    RsaPublicKey::new(BoxedUint::from_be_slice_vartime(n), BoxedUint::from_be_slice_vartime(e)).ok()
}

/// A number with its length in bits before it (3.2), and what stands behind it.
fn number(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (bits, rest) = bytes.split_first_chunk::<2>()?;
    rest.split_at_checked(usize::from(u16::from_be_bytes(*bits)).div_ceil(8))
}

/// The packets of a file, by tag (4.2). Parts of unknown length are not read: keys and signatures have none.
fn packets(bytes: &[u8]) -> Result<Vec<(u8, &[u8])>, String> {
    let cut = || "this is no OpenPGP file, or it was cut short".to_owned();
    let (mut rest, mut packets) = (bytes, Vec::new());
    while let [head, behind @ ..] = rest {
        let (tag, length, body) =
            if head & 0xc0 == 0xc0 { new_length(head & 0x3f, behind) } else { old_length(*head, behind) }.ok_or_else(cut)?;
        let (body, next) = body.split_at_checked(length).ok_or_else(cut)?;
        packets.push((tag, body));
        rest = next;
    }
    Ok(packets)
}

/// 4.2.2.
fn new_length(tag: u8, bytes: &[u8]) -> Option<(u8, usize, &[u8])> {
    Some(match bytes {
        [length @ 0..=191, rest @ ..] => (tag, usize::from(*length), rest),
        [first @ 192..=223, second, rest @ ..] => (tag, (usize::from(*first) - 192) * 256 + usize::from(*second) + 192, rest),
        [255, a, b, c, d, rest @ ..] => (tag, u32::from_be_bytes([*a, *b, *c, *d]) as usize, rest),
        _ => return None,
    })
}

/// 4.2.1.
fn old_length(head: u8, bytes: &[u8]) -> Option<(u8, usize, &[u8])> {
    let tag = head >> 2 & 0x0f;
    Some(match (head & 0x83, bytes) {
        (0x80, [length, rest @ ..]) => (tag, usize::from(*length), rest),
        (0x81, [a, b, rest @ ..]) => (tag, usize::from(u16::from_be_bytes([*a, *b])), rest),
        (0x82, [a, b, c, d, rest @ ..]) => (tag, u32::from_be_bytes([*a, *b, *c, *d]) as usize, rest),
        _ => return None,
    })
}

/// The bytes of an armored file (6.2), or of one that is not armored. Its own checksum is not looked at: it protects nothing.
fn unarmored(file: &[u8]) -> Result<Vec<u8>, String> {
    if file.first().is_some_and(|first| first & 0x80 != 0) {
        return Ok(file.to_vec());
    }
    let text = std::str::from_utf8(file).map_err(|_| "this is no OpenPGP file")?;
    let lines = text.lines().map(str::trim).skip_while(|line| !line.starts_with("-----BEGIN PGP "));
    // Behind the headers and a blank line.
    let body = lines.skip_while(|line| !line.is_empty()).skip(1);
    let encoded: String = body.take_while(|line| !line.starts_with(['=', '-'])).collect();
    STANDARD.decode(encoded).ok().filter(|bytes| !bytes.is_empty()).ok_or_else(|| "this is no OpenPGP file".to_owned())
}

#[cfg(test)]
mod tests;
