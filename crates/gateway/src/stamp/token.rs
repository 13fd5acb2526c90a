//! An authority's answer: whether it stamps this checkpoint, and when.

use ring::digest::{self, digest};

use super::certificate::{Certificate, Hash, Kind, RSA};
use super::fields::{BYTES, Fields, INTEGER, OBJECT, SEQUENCE, SET, TIME, context, rfc3339};
use nameplate_core::observation::hex;

/// 1.2.840.113549.1.7.2, signed data.
const SIGNED_DATA: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x07, 0x02];
/// 1.2.840.113549.1.9.16.1.4, TSTInfo.
const TIME_STAMP: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x09, 0x10, 0x01, 0x04];
/// 1.2.840.113549.1.9.3 and .4: of which kind the content is, and its digest.
const CONTENT_TYPE: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x09, 0x03];
const MESSAGE_DIGEST: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x09, 0x04];
/// 1.2.840.113549.1.9.16.2.12 and .47: the signer's certificate by its SHA-1 (RFC 2634), and by another hash (RFC 5035).
const CERTIFICATE_SHA1: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x09, 0x10, 0x02, 0x0c];
const CERTIFICATE_HASH: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x09, 0x10, 0x02, 0x2f];
/// 2.16.840.1.101.3.4.2, and behind it 1, 2, 3: SHA-256, SHA-384, SHA-512.
const SHA2: &[u8] = &[0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02];
/// 1.2.840.113549.1.1, and behind it 11, 12, 13: RSA with these.
const RSA_WITH: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01];
/// 1.2.840.10045.4.3, and behind it 2, 3, 4: ECDSA with these.
const ECDSA_WITH: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03];

/// What an authority says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stamped {
    /// When, by the authority's clock, as RFC 3339 writes it.
    pub time: String,
    /// The stamp's serial number, in hexadecimal.
    pub serial: String,
}

/// Checks an answer: that it was given, is about these bytes, and was signed by this certificate's key while the certificate held.
///
/// # Errors
/// What does not hold.
pub fn verify(answer: &[u8], certificate: &Certificate, stamped: &[u8]) -> Result<Stamped, String> {
    let mut file = Fields::of("the answer", answer)?;
    let mut response = file.inside(SEQUENCE)?;
    file.end()?;
    let status = response.inside(SEQUENCE)?.take(INTEGER)?;
    // Granted, or granted with modifications (RFC 3161, 2.4.2).
    if status != [0] && status != [1] {
        return Err(format!("the authority did not stamp it: status {}", hex(status)));
    }
    let mut token = response.inside(SEQUENCE)?;
    response.end()?;
    if token.take(OBJECT)? != SIGNED_DATA {
        return Err("the stamp is no signed data".to_owned());
    }
    let mut signed = token.inside(context(0))?.inside(SEQUENCE)?;
    signed.take(INTEGER)?;
    signed.take(SET)?;
    let mut content = signed.inside(SEQUENCE)?;
    if content.take(OBJECT)? != TIME_STAMP {
        return Err("what is signed is no time stamp".to_owned());
    }
    let content = content.inside(context(0))?.take(BYTES)?;
    // Certificates and revocations; the certificate that counts was given.
    signed.optional(context(0))?;
    signed.optional(context(1))?;
    let mut signers = signed.inside(SET)?;
    signed.end()?;
    let signer = signers.inside(SEQUENCE)?;
    signers.end().map_err(|_| "several have signed the stamp, and one may".to_owned())?;
    check_signer(signer, certificate, content)?;
    let told = read(content, stamped)?;
    if !certificate.holds_at(&told.time) {
        return Err(format!("the authority's certificate did not hold at {}", told.time));
    }
    Ok(told)
}

/// SignerInfo (RFC 5652, 5.3): the signature is over the attributes, and one of them has the content's digest.
fn check_signer(mut signer: Fields<'_>, certificate: &Certificate, content: &[u8]) -> Result<(), String> {
    signer.take(INTEGER)?;
    if let Some(named) = signer.optional(SEQUENCE)? {
        let mut named = Fields::of("the signer", named)?;
        let issuer = named.whole(SEQUENCE)?.map(|(whole, _)| whole);
        if issuer != Some(&certificate.issued.0) || named.take(INTEGER)? != certificate.issued.1 {
            return Err("another certificate's key signed it than the one that was given".to_owned());
        }
    } else {
        signer.skip()?;
    }
    let hash = sha2(signer.algorithm()?.0).ok_or("its digest is none of SHA-256, SHA-384 and SHA-512")?;
    let (whole, attributes) = signer.whole(context(0))?.ok_or("its attributes are not signed")?;
    let attributes = Attributes::read(attributes)?;
    if attributes.content_type != Some(TIME_STAMP) || attributes.digest != Some(of(hash, content).as_ref()) {
        return Err("the attributes that are signed are those of another stamp".to_owned());
    }
    attributes.certificate.ok_or("it does not say by which certificate it is signed")?.is_of(certificate)?;
    let (algorithm, _) = signer.algorithm()?;
    if !suits(algorithm, certificate.kind, hash) {
        return Err("the kind of its signature is none that is known here".to_owned());
    }
    let signature = signer.take(BYTES)?;
    // Signed as a set, and sent under a tag of the context.
    let message = [&[SET], whole.get(1..).unwrap_or_default()].concat();
    if certificate.verifies(hash, &message, signature) { Ok(()) } else { Err("the signature is wrong".to_owned()) }
}

/// The attributes that count; each once, with one value.
#[derive(Default)]
struct Attributes<'a> {
    content_type: Option<&'a [u8]>,
    digest: Option<&'a [u8]>,
    certificate: Option<Named<'a>>,
}

impl<'a> Attributes<'a> {
    fn read(value: &'a [u8]) -> Result<Self, String> {
        let (mut fields, mut read) = (Fields::of("the signed attributes", value)?, Self::default());
        while let Some(attribute) = fields.optional(SEQUENCE)? {
            let mut attribute = Fields::of("a signed attribute", attribute)?;
            let object = attribute.take(OBJECT)?;
            let mut values = attribute.inside(SET)?;
            let twice = match object {
                CONTENT_TYPE => read.content_type.replace(values.take(OBJECT)?).is_some(),
                MESSAGE_DIGEST => read.digest.replace(values.take(BYTES)?).is_some(),
                // RFC 5816: both may stand; the better one counts, and both have to be right.
                CERTIFICATE_SHA1 | CERTIFICATE_HASH => {
                    let named = Named::read(values.inside(SEQUENCE)?, object == CERTIFICATE_HASH)?;
                    read.certificate = Some(match read.certificate {
                        Some(other) if other.hash.is_some() => other,
                        _ => named,
                    });
                    false
                }
                _ => continue,
            };
            values.end()?;
            if twice {
                return Err("a signed attribute stands there twice".to_owned());
            }
        }
        fields.end().map(|()| read)
    }
}

/// The signer's certificate as the stamp names it.
struct Named<'a> {
    /// `None` for SHA-1.
    hash: Option<Hash>,
    digest: &'a [u8],
}

impl<'a> Named<'a> {
    /// SigningCertificate or SigningCertificateV2: the first of its certificates is the signer's.
    fn read(mut fields: Fields<'a>, second: bool) -> Result<Self, String> {
        let mut first = fields.inside(SEQUENCE)?.inside(SEQUENCE)?;
        let hash = match (second, first.optional(SEQUENCE)?) {
            (false, None) => None,
            (false, Some(_)) => return Err("it names its certificate wrongly".to_owned()),
            // SHA-256 is left out, because it is the usual one.
            (true, None) => Some(Hash::Sha256),
            (true, Some(algorithm)) => {
                let object = Fields::of("a hash", algorithm)?.take(OBJECT)?;
                Some(sha2(object).ok_or("it names its certificate by an unknown hash")?)
            }
        };
        Ok(Self { hash, digest: first.take(BYTES)? })
    }

    fn is_of(&self, certificate: &Certificate) -> Result<(), String> {
        let own =
            self.hash.map_or_else(|| digest(&digest::SHA1_FOR_LEGACY_USE_ONLY, certificate.der()), |hash| of(hash, certificate.der()));
        if own.as_ref() == self.digest { Ok(()) } else { Err("it is signed by another certificate than the one that was given".to_owned()) }
    }
}

/// TSTInfo (RFC 3161, 2.4.2).
fn read(content: &[u8], stamped: &[u8]) -> Result<Stamped, String> {
    let mut file = Fields::of("the stamp", content)?;
    let mut fields = file.inside(SEQUENCE)?;
    file.end()?;
    if fields.take(INTEGER)? != [1] {
        return Err("the stamp is of an unknown version".to_owned());
    }
    fields.take(OBJECT)?;
    let mut imprint = fields.inside(SEQUENCE)?;
    let hash = sha2(imprint.algorithm()?.0);
    if hash != Some(Hash::Sha256) || imprint.take(BYTES)? != of(Hash::Sha256, stamped).as_ref() {
        return Err("it stamps something else than this checkpoint".to_owned());
    }
    let serial = hex(fields.take(INTEGER)?);
    let time = rfc3339(TIME, fields.take(TIME)?).ok_or("the stamp's time is none")?;
    Ok(Stamped { time, serial })
}

fn sha2(object: &[u8]) -> Option<Hash> {
    with(object, SHA2, [1, 2, 3])
}

/// The hash that an object of this family stands for, by its last number.
fn with(object: &[u8], family: &[u8], numbers: [u8; 3]) -> Option<Hash> {
    let [number] = object.strip_prefix(family)? else { return None };
    let at = numbers.iter().position(|known| known == number)?;
    [Hash::Sha256, Hash::Sha384, Hash::Sha512].get(at).copied()
}

/// Whether a signature of this kind is by such a key, over such a digest.
fn suits(algorithm: &[u8], kind: Kind, hash: Hash) -> bool {
    match kind {
        Kind::Rsa => algorithm == RSA || with(algorithm, RSA_WITH, [11, 12, 13]) == Some(hash),
        Kind::P256 | Kind::P384 => with(algorithm, ECDSA_WITH, [2, 3, 4]) == Some(hash),
    }
}

fn of(hash: Hash, bytes: &[u8]) -> digest::Digest {
    let algorithm = match hash {
        Hash::Sha256 => &digest::SHA256,
        Hash::Sha384 => &digest::SHA384,
        Hash::Sha512 => &digest::SHA512,
    };
    digest(algorithm, bytes)
}
