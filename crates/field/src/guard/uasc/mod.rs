//! Secure conversation of OPC UA: what a message is wrapped in before it leaves, and how an answer is opened. OPC 10000-6, 6.7; the policies: OPC 10000-7.

mod certificate;
mod chunk;
mod policy;

use std::fmt;
use std::sync::Arc;

use getrandom::SysRng;
use getrandom::rand_core::UnwrapErr;
use rsa::pkcs8::{DecodePrivateKey, EncodePrivateKey, LineEnding};
use rsa::{RsaPrivateKey, RsaPublicKey};
use sha1::{Digest, Sha1};
use sha2::Sha256;

pub use self::certificate::public_key;
pub use self::chunk::{Keys, Sealer};
pub use self::policy::Policy;

/// Bits of our key: what every policy here takes.
const KEY_BITS: usize = 2048;

/// The system's random numbers. Where it has none, there is nothing that could go on.
type Random = UnwrapErr<SysRng>;

const fn random() -> Random {
    UnwrapErr(SysRng)
}

/// Random bytes.
///
/// # Errors
/// In words, where the system has none.
pub fn random_bytes(count: usize) -> Result<Vec<u8>, &'static str> {
    let mut bytes = vec![0; count];
    getrandom::fill(&mut bytes).map_err(|_| "the system gives no random numbers")?;
    Ok(bytes)
}

/// SHA-1 of a certificate: its thumbprint, by which OPC UA names it (OPC 10000-6, 6.7.2.3).
#[must_use]
pub fn thumbprint(certificate: &[u8]) -> Vec<u8> {
    Sha1::digest(certificate).to_vec()
}

/// SHA-256 of a certificate, for people who trust by something stronger.
#[must_use]
pub fn fingerprint(certificate: &[u8]) -> Vec<u8> {
    Sha256::digest(certificate).to_vec()
}

/// Our certificate with its key.
#[derive(Clone)]
pub struct Identity {
    inner: Arc<(Vec<u8>, RsaPrivateKey)>,
}

impl Identity {
    /// Makes a key and a certificate that it signs itself, valid from then on (seconds since 1970) for some twenty years.
    ///
    /// # Errors
    /// In words, where no key could be made.
    pub fn make(uri: &str, since_s: u64) -> Result<Self, &'static str> {
        let serial = random_bytes(16)?;
        let key = RsaPrivateKey::new(&mut random(), KEY_BITS).map_err(|_| "no key could be made")?;
        let certificate = certificate::make(&key, uri, since_s, &serial)?;
        Ok(Self { inner: Arc::new((certificate, key)) })
    }

    /// A certificate (DER) and its key (PKCS #8, PEM).
    ///
    /// # Errors
    /// In words, where they are none, or do not belong together.
    pub fn read(certificate: &[u8], key: &str) -> Result<Self, &'static str> {
        let key = RsaPrivateKey::from_pkcs8_pem(key).map_err(|_| "this is no RSA key (PKCS #8 in PEM)")?;
        if public_key(certificate)? != RsaPublicKey::from(&key) {
            return Err("the certificate is not that of the key");
        }
        Ok(Self { inner: Arc::new((certificate.to_vec(), key)) })
    }

    /// The certificate, DER.
    #[must_use]
    pub fn certificate(&self) -> &[u8] {
        &self.inner.0
    }

    /// The key as it is kept: PKCS #8 in PEM.
    ///
    /// # Errors
    /// In words, where it cannot be written.
    pub fn key_pem(&self) -> Result<String, &'static str> {
        self.inner.1.to_pkcs8_pem(LineEnding::LF).map(|pem| pem.to_string()).map_err(|_| "the key cannot be written")
    }

    pub(super) fn key(&self) -> &RsaPrivateKey {
        &self.inner.1
    }
}

impl PartialEq for Identity {
    fn eq(&self, other: &Self) -> bool {
        self.certificate() == other.certificate()
    }
}

impl Eq for Identity {}

impl fmt::Debug for Identity {
    /// Without its key.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Identity({})", super::hex(&thumbprint(self.certificate())))
    }
}

#[cfg(test)]
mod tests;
