//! The certificate of a time-stamping authority: given by whoever checks, and never taken from the answer.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use nameplate_core::observation::hex;
use ring::signature::{
    ECDSA_P256_SHA256_ASN1, ECDSA_P256_SHA384_ASN1, ECDSA_P384_SHA256_ASN1, ECDSA_P384_SHA384_ASN1, RSA_PKCS1_2048_8192_SHA256,
    RSA_PKCS1_2048_8192_SHA384, RSA_PKCS1_2048_8192_SHA512, UnparsedPublicKey, VerificationAlgorithm,
};
use sha2::{Digest, Sha256};

use super::fields::{BITS, BOOLEAN, BYTES, Fields, INTEGER, OBJECT, SEQUENCE, TIME, UTC_TIME, context, rfc3339};

/// What stands around a certificate in text (RFC 7468, 5).
const PEM: (&str, &str) = ("-----BEGIN CERTIFICATE-----", "-----END CERTIFICATE-----");
/// 2.5.29.37, extended key usage.
const EXTENDED_KEY_USAGE: &[u8] = &[0x55, 0x1d, 0x25];
/// 1.3.6.1.5.5.7.3.8, time stamping.
const TIME_STAMPING: &[u8] = &[0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x03, 0x08];
/// 1.2.840.113549.1.1.1.
pub(super) const RSA: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01];
/// 1.2.840.10045.2.1.
const ELLIPTIC: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01];
/// 1.2.840.10045.3.1.7 and 1.3.132.0.34.
const P256: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07];
const P384: &[u8] = &[0x2b, 0x81, 0x04, 0x00, 0x22];

/// A hash function that a signature or an imprint names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hash {
    /// SHA-256.
    Sha256,
    /// SHA-384.
    Sha384,
    /// SHA-512.
    Sha512,
}

/// Until when a certificate holds, PEM or DER, as RFC 3339 writes it; of several the first, whatever it is for. It is not checked.
///
/// # Errors
/// It is none.
pub fn holds_until(bytes: &[u8]) -> Result<String, String> {
    let der = match str::from_utf8(bytes).ok().and_then(|text| text.split_once(PEM.0)) {
        None => bytes.to_vec(),
        Some((_, behind)) => {
            let (digits, _) = behind.split_once(PEM.1).ok_or("the certificate has no end")?;
            let digits: String = digits.split_whitespace().collect();
            STANDARD.decode(digits).map_err(|e| format!("the certificate is no base64: {e}"))?
        }
    };
    let mut signed = Fields::of("the certificate", &der)?.inside(SEQUENCE)?.inside(SEQUENCE)?;
    signed.optional(context(0))?;
    signed.take(INTEGER)?;
    signed.take(SEQUENCE)?;
    signed.take(SEQUENCE)?;
    let mut validity = signed.inside(SEQUENCE)?;
    time(&mut validity)?;
    time(&mut validity)
}

/// Which kind of key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Rsa,
    P256,
    P384,
}

/// A certificate that may stamp.
#[derive(Clone, Debug)]
pub struct Certificate {
    der: Vec<u8>,
    /// Issuer and serial number, as they stand in it.
    pub(super) issued: (Vec<u8>, Vec<u8>),
    pub(super) kind: Kind,
    key: Vec<u8>,
    /// From when to when it holds, as RFC 3339 writes it.
    holds: (String, String),
}

impl Certificate {
    /// Reads one, PEM or DER.
    ///
    /// # Errors
    /// It is none, its key is of no kind that is known here, or it is not for time stamps alone (RFC 3161, 2.3).
    pub fn read(bytes: &[u8]) -> Result<Self, String> {
        let der = match str::from_utf8(bytes).ok().filter(|text| text.contains(PEM.0)) {
            None => bytes.to_vec(),
            Some(text) => {
                let within = text.split_once(PEM.0).and_then(|(_, behind)| behind.split_once(PEM.1)).ok_or("the certificate has no end")?;
                if within.1.contains(PEM.0) {
                    return Err("the file has several certificates; give the authority's own".to_owned());
                }
                let digits: String = within.0.split_whitespace().collect();
                STANDARD.decode(digits).map_err(|e| format!("the certificate is no base64: {e}"))?
            }
        };
        let what = "the authority's certificate";
        let mut file = Fields::of(what, &der)?;
        let mut certificate = file.inside(SEQUENCE)?;
        file.end()?;
        let mut signed = certificate.inside(SEQUENCE)?;
        signed.optional(context(0))?;
        let serial = signed.take(INTEGER)?.to_vec();
        signed.take(SEQUENCE)?;
        let issuer = signed.whole(SEQUENCE)?.ok_or("the authority's certificate has no issuer")?.0.to_vec();
        let mut validity = signed.inside(SEQUENCE)?;
        let holds = (time(&mut validity)?, time(&mut validity)?);
        signed.take(SEQUENCE)?;
        let (kind, key) = key(signed.inside(SEQUENCE)?)?;
        stamps(&mut signed)?;
        Ok(Self { issued: (issuer, serial), kind, key, holds, der })
    }

    /// The SHA-256 of its DER, as people compare certificates.
    #[must_use]
    pub fn fingerprint(&self) -> String {
        hex(&Sha256::digest(&self.der))
    }

    pub(super) fn der(&self) -> &[u8] {
        &self.der
    }

    /// Whether it holds at a time, as RFC 3339 writes it.
    pub(super) fn holds_at(&self, time: &str) -> bool {
        let [from, until, time] = [&self.holds.0, &self.holds.1, time].map(|text: &str| humantime::parse_rfc3339(text).ok());
        from.is_some() && from <= time && time <= until
    }

    pub(super) fn verifies(&self, hash: Hash, message: &[u8], signature: &[u8]) -> bool {
        let algorithm: &'static dyn VerificationAlgorithm = match (self.kind, hash) {
            (Kind::Rsa, Hash::Sha256) => &RSA_PKCS1_2048_8192_SHA256,
            (Kind::Rsa, Hash::Sha384) => &RSA_PKCS1_2048_8192_SHA384,
            (Kind::Rsa, Hash::Sha512) => &RSA_PKCS1_2048_8192_SHA512,
            (Kind::P256, Hash::Sha256) => &ECDSA_P256_SHA256_ASN1,
            (Kind::P256, Hash::Sha384) => &ECDSA_P256_SHA384_ASN1,
            (Kind::P384, Hash::Sha256) => &ECDSA_P384_SHA256_ASN1,
            (Kind::P384, Hash::Sha384) => &ECDSA_P384_SHA384_ASN1,
            (Kind::P256 | Kind::P384, Hash::Sha512) => return false,
        };
        UnparsedPublicKey::new(algorithm, &self.key).verify(message, signature).is_ok()
    }
}

fn time(fields: &mut Fields<'_>) -> Result<String, String> {
    let told = match fields.optional(UTC_TIME)? {
        Some(value) => rfc3339(UTC_TIME, value),
        None => rfc3339(TIME, fields.take(TIME)?),
    };
    told.ok_or_else(|| "the authority's certificate does not say from when to when it holds".to_owned())
}

/// SubjectPublicKeyInfo.
fn key(mut fields: Fields<'_>) -> Result<(Kind, Vec<u8>), String> {
    let (algorithm, mut parameters) = fields.algorithm()?;
    let kind = if algorithm == RSA {
        Some(Kind::Rsa)
    } else if algorithm == ELLIPTIC {
        match parameters.take(OBJECT)? {
            curve if curve == P256 => Some(Kind::P256),
            curve if curve == P384 => Some(Kind::P384),
            _ => None,
        }
    } else {
        None
    };
    let kind = kind.ok_or("the authority's key is neither RSA nor ECDSA on P-256 or P-384")?;
    let bits = fields.take(BITS)?.strip_prefix(&[0]).ok_or("the authority's key does not end with a whole byte")?;
    Ok((kind, bits.to_vec()))
}

/// That it is for time stamps, and says that nothing else will do.
fn stamps(signed: &mut Fields<'_>) -> Result<(), String> {
    let extensions = loop {
        if let Some(extensions) = signed.optional(context(3))? {
            break extensions;
        }
        if !signed.skip()? {
            return Err("the certificate does not say that it is for time stamps".to_owned());
        }
    };
    let mut extensions = Fields::of("the extensions", extensions)?.inside(SEQUENCE)?;
    while let Some(extension) = extensions.optional(SEQUENCE)? {
        let mut extension = Fields::of("an extension", extension)?;
        let object = extension.take(OBJECT)?;
        let critical = extension.optional(BOOLEAN)? == Some(&[0xff]);
        let value = extension.take(BYTES)?;
        if object == EXTENDED_KEY_USAGE {
            let mut purposes = Fields::of("the key's purposes", value)?.inside(SEQUENCE)?;
            let first = purposes.take(OBJECT)?;
            if first != TIME_STAMPING || purposes.end().is_err() || !critical {
                return Err("the certificate is not for time stamps alone (extendedKeyUsage, critical, timeStamping)".to_owned());
            }
            return Ok(());
        }
    }
    Err("the certificate does not say that it is for time stamps".to_owned())
}
