//! Security policies: which algorithms a channel has. OPC 10000-7, 6.6; profiles of the foundation.

use aes::{Aes128, Aes256};
use cbc::cipher::{BlockModeDecrypt, BlockModeEncrypt, KeyIvInit, block_padding::NoPadding};
use cbc::{Decryptor, Encryptor};
use hmac::{Hmac, KeyInit, Mac};
use rsa::traits::PublicKeyParts;
use rsa::{Oaep, Pkcs1v15Sign, Pss, RsaPrivateKey, RsaPublicKey};
use sha1::Sha1;
use sha2::{Digest, Sha256};

use super::random;

/// Bytes of a MAC of HMAC-SHA-256, of a key for it, and of our nonces.
pub(super) const MAC_BYTES: usize = 32;
/// Bytes of a block of AES.
pub(super) const BLOCK_BYTES: usize = 16;

/// A security policy. Those that the foundation has withdrawn (Basic128Rsa15, Basic256) are not here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Policy {
    /// AES-256, RSA-OAEP, RSA signatures of PKCS #1 v1.5.
    Basic256Sha256,
    /// AES-128, RSA-OAEP, RSA signatures of PKCS #1 v1.5.
    Aes128Sha256RsaOaep,
    /// AES-256, RSA-OAEP with SHA-256, RSA signatures of PSS.
    Aes256Sha256RsaPss,
}

impl Policy {
    /// Every one.
    pub const ALL: [Self; 3] = [Self::Basic256Sha256, Self::Aes128Sha256RsaOaep, Self::Aes256Sha256RsaPss];

    /// Its URI.
    #[must_use]
    pub const fn uri(self) -> &'static str {
        match self {
            Self::Basic256Sha256 => "http://opcfoundation.org/UA/SecurityPolicy#Basic256Sha256",
            Self::Aes128Sha256RsaOaep => "http://opcfoundation.org/UA/SecurityPolicy#Aes128_Sha256_RsaOaep",
            Self::Aes256Sha256RsaPss => "http://opcfoundation.org/UA/SecurityPolicy#Aes256_Sha256_RsaPss",
        }
    }

    /// The URI of its signatures.
    pub const fn signature_uri(self) -> &'static str {
        match self {
            Self::Basic256Sha256 | Self::Aes128Sha256RsaOaep => "http://www.w3.org/2001/04/xmldsig-more#rsa-sha256",
            Self::Aes256Sha256RsaPss => "http://opcfoundation.org/UA/security/rsa-pss-sha2-256",
        }
    }

    /// The URI by which it encrypts a secret.
    pub const fn encryption_uri(self) -> &'static str {
        match self {
            Self::Basic256Sha256 | Self::Aes128Sha256RsaOaep => "http://www.w3.org/2001/04/xmlenc#rsa-oaep",
            Self::Aes256Sha256RsaPss => "http://opcfoundation.org/UA/security/rsa-oaep-sha2-256",
        }
    }

    /// Bytes of a key for AES.
    pub(super) const fn key_bytes(self) -> usize {
        match self {
            Self::Aes128Sha256RsaOaep => 16,
            Self::Basic256Sha256 | Self::Aes256Sha256RsaPss => 32,
        }
    }

    /// Bytes of a key's block that OAEP takes for itself: 2 hashes and 2.
    const fn oaep_bytes(self) -> usize {
        match self {
            Self::Basic256Sha256 | Self::Aes128Sha256RsaOaep => 42,
            Self::Aes256Sha256RsaPss => 66,
        }
    }

    /// Bytes that one block of this key encrypts.
    pub(super) fn room(self, key: &RsaPublicKey) -> usize {
        key.size().saturating_sub(self.oaep_bytes()).max(1)
    }

    /// Signs.
    pub fn sign(self, key: &RsaPrivateKey, bytes: &[u8]) -> Result<Vec<u8>, &'static str> {
        let hash = Sha256::digest(bytes);
        let signed = match self {
            Self::Aes256Sha256RsaPss => key.sign_with_rng(&mut random(), Pss::<Sha256>::new(), &hash),
            _ => key.sign_with_rng(&mut random(), Pkcs1v15Sign::new::<Sha256>(), &hash),
        };
        signed.map_err(|_| "our key does not sign")
    }

    /// Whether a signature is that of the key.
    pub fn verifies(self, key: &RsaPublicKey, bytes: &[u8], signature: &[u8]) -> bool {
        let hash = Sha256::digest(bytes);
        match self {
            Self::Aes256Sha256RsaPss => key.verify(Pss::<Sha256>::new(), &hash, signature).is_ok(),
            _ => key.verify(Pkcs1v15Sign::new::<Sha256>(), &hash, signature).is_ok(),
        }
    }

    /// Encrypts block by block.
    pub fn encrypt(self, key: &RsaPublicKey, bytes: &[u8]) -> Result<Vec<u8>, &'static str> {
        let one = |block: &[u8]| match self {
            Self::Aes256Sha256RsaPss => key.encrypt(&mut random(), Oaep::<Sha256>::new(), block),
            _ => key.encrypt(&mut random(), Oaep::<Sha1>::new(), block),
        };
        let blocks: Result<Vec<Vec<u8>>, _> = bytes.chunks(self.room(key)).map(one).collect();
        blocks.map(|blocks| blocks.concat()).map_err(|_| "the server's key does not encrypt")
    }

    /// Decrypts block by block.
    pub(super) fn decrypt(self, key: &RsaPrivateKey, bytes: &[u8]) -> Result<Vec<u8>, &'static str> {
        let one = |block: &[u8]| match self {
            Self::Aes256Sha256RsaPss => key.decrypt_blinded(&mut random(), Oaep::<Sha256>::new(), block),
            _ => key.decrypt_blinded(&mut random(), Oaep::<Sha1>::new(), block),
        };
        let blocks: Result<Vec<Vec<u8>>, _> = bytes.chunks(key.size()).map(one).collect();
        blocks.map(|blocks| blocks.concat()).map_err(|_| "it is not encrypted for our key")
    }

    /// P_SHA256 (RFC 5246, clause 5): so many bytes of a secret and a seed.
    pub(super) fn derive(secret: &[u8], seed: &[u8], count: usize) -> Result<Vec<u8>, &'static str> {
        let (mut made, mut a) = (Vec::new(), seed.to_vec());
        while made.len() < count {
            a = mac(secret, &a)?;
            made.extend(mac(secret, &[&a, seed].concat())?);
        }
        made.truncate(count);
        Ok(made)
    }

    /// AES in CBC mode over whole blocks.
    pub(super) fn cipher(self, key: &[u8], iv: &[u8], encrypt: bool, bytes: &mut [u8]) -> Result<(), &'static str> {
        const WRONG: &str = "a key or a message of another length than its policy's";
        let length = bytes.len();
        macro_rules! by {
            ($aes:ty) => {
                if encrypt {
                    let cipher = Encryptor::<$aes>::new_from_slices(key, iv).map_err(|_| WRONG)?;
                    cipher.encrypt_padded::<NoPadding>(bytes, length).map(drop).map_err(|_| WRONG)
                } else {
                    let cipher = Decryptor::<$aes>::new_from_slices(key, iv).map_err(|_| WRONG)?;
                    cipher.decrypt_padded::<NoPadding>(bytes).map(drop).map_err(|_| WRONG)
                }
            };
        }
        match self {
            Self::Aes128Sha256RsaOaep => by!(Aes128),
            Self::Basic256Sha256 | Self::Aes256Sha256RsaPss => by!(Aes256),
        }
    }
}

/// HMAC-SHA-256.
pub(super) fn mac(key: &[u8], bytes: &[u8]) -> Result<Vec<u8>, &'static str> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).map_err(|_| "no key for a MAC")?;
    mac.update(bytes);
    Ok(mac.finalize().into_bytes().to_vec())
}

/// Whether a MAC is that of the key, in constant time.
pub(super) fn is_mac(key: &[u8], bytes: &[u8], said: &[u8]) -> bool {
    Hmac::<Sha256>::new_from_slice(key).is_ok_and(|mut mac| {
        mac.update(bytes);
        mac.verify_slice(said).is_ok()
    })
}
