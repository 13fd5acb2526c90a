//! Certificates, as far as they are needed: our own is written, of a server's the key is read. X.690 (DER), RFC 5280; what OPC UA wants in one:
//! OPC 10000-6, 6.2.2.

use rsa::pkcs8::{DecodePublicKey, EncodePublicKey};
use rsa::{RsaPrivateKey, RsaPublicKey};

use super::policy::Policy;

/// sha256WithRSAEncryption, 1.2.840.113549.1.1.11, with no parameters.
const SHA256_WITH_RSA: &[u8] = &[0x30, 0x0d, 0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x0b, 0x05, 0x00];
/// Some twenty years: a controller in a plant is not told of a new one every year.
const VALID_DAYS: u64 = 20 * 365;
const DAY_S: u64 = 86_400;
/// Bytes of a certificate that is read; chains are longer, and of them the first counts.
const CERTIFICATE_BYTES_MAX: usize = 16 << 10;

/// Our certificate: a client's, that the key signs itself.
pub(super) fn make(key: &RsaPrivateKey, uri: &str, since_s: u64, serial: &[u8]) -> Result<Vec<u8>, &'static str> {
    let public = RsaPublicKey::from(key).to_public_key_der().map_err(|_| "the key cannot be written")?;
    // Positive, and not zero.
    let serial: Vec<u8> = serial.iter().enumerate().map(|(at, byte)| if at == 0 { byte & 0x7f | 0x40 } else { *byte }).collect();
    // CN=nameplate
    let name = element(0x30, &element(0x31, &element(0x30, &[&[0x06, 3, 0x55, 4, 3][..], &element(0x0c, b"nameplate")].concat())));
    let from = since_s.saturating_sub(DAY_S);
    let validity = [time(from), time(from.saturating_add(VALID_DAYS.saturating_mul(DAY_S)))].concat();
    let extension = |id: u8, critical: bool, value: &[u8]| {
        let critical = if critical { &[0x01, 0x01, 0xff][..] } else { &[] };
        element(0x30, &[&[0x06, 3, 0x55, 0x1d, id][..], critical, &element(0x04, value)].concat())
    };
    let extensions = [
        // It is no authority.
        extension(19, true, &element(0x30, &[])),
        // Signatures, non-repudiation, encryption of keys and of data.
        extension(15, true, &[0x03, 0x02, 0x04, 0xf0]),
        // clientAuth, 1.3.6.1.5.5.7.3.2.
        extension(37, false, &element(0x30, &[0x06, 8, 0x2b, 6, 1, 5, 5, 7, 3, 2])),
        // The URI of the application, and a name that is no host's.
        extension(17, false, &element(0x30, &[element(0x86, uri.as_bytes()), element(0x82, b"nameplate")].concat())),
    ];
    let body = [
        &element(0xa0, &[0x02, 1, 2])[..],
        &element(0x02, &serial),
        SHA256_WITH_RSA,
        &name,
        &element(0x30, &validity),
        &name,
        public.as_bytes(),
        &element(0xa3, &element(0x30, &extensions.concat())),
    ];
    let body = element(0x30, &body.concat());
    let signature = Policy::Basic256Sha256.sign(key, &body)?;
    Ok(element(0x30, &[&body[..], SHA256_WITH_RSA, &element(0x03, &[&[0][..], &signature].concat())].concat()))
}

/// Tag, length in the fewest bytes, content.
fn element(tag: u8, content: &[u8]) -> Vec<u8> {
    let mut bytes = vec![tag];
    match u16::try_from(content.len()).unwrap_or(u16::MAX).to_be_bytes() {
        [0, lower @ ..=0x7f] => bytes.push(lower),
        [0, lower] => bytes.extend([0x81, lower]),
        [upper, lower] => bytes.extend([0x82, upper, lower]),
    }
    bytes.extend_from_slice(content);
    bytes
}

/// A time: UTCTime up to 2049, GeneralizedTime from then on (RFC 5280, 4.1.2.5).
fn time(since_1970_s: u64) -> Vec<u8> {
    let at = std::time::UNIX_EPOCH + std::time::Duration::from_secs(since_1970_s.min(253_402_300_799));
    let text: String = humantime::format_rfc3339_seconds(at).to_string().chars().filter(|c| c.is_ascii_digit() || *c == 'Z').collect();
    if text.as_str() < "2050" { element(0x17, text.get(2..).unwrap_or_default().as_bytes()) } else { element(0x18, text.as_bytes()) }
}

/// The RSA key of a certificate, the first of a chain.
///
/// # Errors
/// In words, where it is no certificate, or one with another key.
pub fn public_key(certificate: &[u8]) -> Result<RsaPublicKey, &'static str> {
    const NONE: &str = "this is no certificate with an RSA key (RFC 5280)";
    let certificate = certificate.get(..certificate.len().min(CERTIFICATE_BYTES_MAX)).unwrap_or_default();
    let (_, whole, _) = split(certificate).ok_or(NONE)?;
    let (_, mut fields, _) = split(whole).ok_or(NONE)?;
    // Version (left out in version 1), serial number, algorithm, issuer, validity, subject.
    let mut passed = if fields.first() == Some(&0xa0) { 6 } else { 5 };
    while passed > 0 {
        (_, _, fields) = split(fields).ok_or(NONE)?;
        passed -= 1;
    }
    let (key, _, _) = split(fields).ok_or(NONE)?;
    RsaPublicKey::from_public_key_der(key).map_err(|_| NONE)
}

/// The first certificate of a chain.
pub(super) fn first(chain: &[u8]) -> &[u8] {
    split(chain).map_or(chain, |(whole, _, _)| whole)
}

/// The first element, its content, and what stands behind it.
fn split(bytes: &[u8]) -> Option<(&[u8], &[u8], &[u8])> {
    let (length, head) = match bytes.get(1..)? {
        [length @ ..=0x7f, ..] => (usize::from(*length), 2),
        [0x81, length, ..] => (usize::from(*length), 3),
        [0x82, upper, lower, ..] => (usize::from(u16::from_be_bytes([*upper, *lower])), 4),
        _ => return None,
    };
    let end = length.checked_add(head)?;
    Some((bytes.get(..end)?, bytes.get(head..end)?, bytes.get(end..)?))
}
