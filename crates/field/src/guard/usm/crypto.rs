//! Keys and algorithms.

use aes::{Aes128, Aes192, Aes256};
use cfb_mode::cipher::KeyIvInit;
use cfb_mode::{Decryptor, Encryptor};
use hmac::{Hmac, KeyInit, Mac};
use sha1::Sha1;
use sha2::{Digest, Sha224, Sha256, Sha384, Sha512};

use super::{Engine, SALT_BYTES, Secret};

/// Bytes of a password's repetitions that make a key (RFC 3414, A.2).
const PASSWORD_BYTES: usize = 1 << 20;

/// How messages are authenticated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Auth {
    /// HMAC-SHA-96, RFC 3414.
    Sha1,
    /// HMAC-128-SHA-224, RFC 7860.
    Sha224,
    /// HMAC-192-SHA-256, RFC 7860.
    Sha256,
    /// HMAC-256-SHA-384, RFC 7860.
    Sha384,
    /// HMAC-384-SHA-512, RFC 7860.
    Sha512,
}

/// How messages are encrypted: AES in CFB mode with 128 bits of feedback.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Privacy {
    /// RFC 3826.
    Aes128,
    /// draft-blumenthal-aes-usm-04.
    Aes192,
    /// draft-blumenthal-aes-usm-04.
    Aes256,
    /// The key made longer as in draft-reeder-snmpv3-usm-3desede-00: Cisco's.
    Aes192Reeder,
    /// The key made longer as in draft-reeder-snmpv3-usm-3desede-00: Cisco's.
    Aes256Reeder,
}

impl Auth {
    /// Bytes of a message's authentication.
    pub(super) const fn mac_bytes(self) -> usize {
        match self {
            Self::Sha1 => 12,
            Self::Sha224 => 16,
            Self::Sha256 => 24,
            Self::Sha384 => 32,
            Self::Sha512 => 48,
        }
    }

    fn hash(self, bytes: &[u8]) -> Vec<u8> {
        match self {
            Self::Sha1 => Sha1::digest(bytes).to_vec(),
            Self::Sha224 => Sha224::digest(bytes).to_vec(),
            Self::Sha256 => Sha256::digest(bytes).to_vec(),
            Self::Sha384 => Sha384::digest(bytes).to_vec(),
            Self::Sha512 => Sha512::digest(bytes).to_vec(),
        }
    }

    /// RFC 3414, A.2.
    pub(super) fn key_of(self, password: &[u8]) -> Vec<u8> {
        let repeated: Vec<u8> = password.iter().copied().cycle().take(PASSWORD_BYTES).collect();
        self.hash(&repeated)
    }

    /// RFC 3414, 2.6.
    pub(super) fn localised(self, key: &[u8], engine: &[u8]) -> Vec<u8> {
        self.hash(&[key, engine, key].concat())
    }
}

impl Privacy {
    const fn key_bytes(self) -> usize {
        match self {
            Self::Aes128 => 16,
            Self::Aes192 | Self::Aes192Reeder => 24,
            Self::Aes256 | Self::Aes256Reeder => 32,
        }
    }
}

/// A password's key, before an engine's id makes it that engine's own.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Key {
    pub auth: Auth,
    key: Secret,
}

impl Key {
    pub(super) fn of(auth: Auth, password: &Secret) -> Self {
        Self { auth, key: Secret::new(auth.key_of(password.bytes())) }
    }

    pub(super) fn localised(&self, engine: &[u8]) -> Vec<u8> {
        self.auth.localised(self.key.bytes(), engine)
    }

    /// The key for `privacy`, made longer where the hash is too short for it.
    pub(super) fn for_privacy(&self, privacy: Privacy, engine: &[u8]) -> Vec<u8> {
        let mut key = self.localised(engine);
        while key.len() < privacy.key_bytes() {
            let more = match privacy {
                Privacy::Aes192Reeder | Privacy::Aes256Reeder => self.auth.localised(&self.auth.key_of(&key), engine),
                _ => self.auth.hash(&key),
            };
            key.extend(more);
        }
        key.truncate(privacy.key_bytes());
        key
    }
}

/// The authentication of a message whose own field is zero.
pub(super) fn mac(key: &[u8], auth: Auth, message: &[u8]) -> Result<Vec<u8>, &'static str> {
    fn of<M: Mac + KeyInit>(key: &[u8], message: &[u8]) -> Result<Vec<u8>, &'static str> {
        let mac = <M as KeyInit>::new_from_slice(key).map_err(|_| "no key")?;
        Ok(mac.chain_update(message).finalize().into_bytes().to_vec())
    }
    let mut bytes = match auth {
        Auth::Sha1 => of::<Hmac<Sha1>>(key, message),
        Auth::Sha224 => of::<Hmac<Sha224>>(key, message),
        Auth::Sha256 => of::<Hmac<Sha256>>(key, message),
        Auth::Sha384 => of::<Hmac<Sha384>>(key, message),
        Auth::Sha512 => of::<Hmac<Sha512>>(key, message),
    }?;
    bytes.truncate(auth.mac_bytes());
    Ok(bytes)
}

/// Encrypts or decrypts. RFC 3826, 3.1.
pub(super) fn cipher(
    privacy: Privacy,
    key: &Key,
    engine: &Engine,
    salt: [u8; SALT_BYTES],
    encrypt: bool,
    bytes: &[u8],
) -> Result<Vec<u8>, &'static str> {
    let iv = [&engine.boots.to_be_bytes()[..], &engine.time.to_be_bytes(), &salt].concat();
    let key = key.for_privacy(privacy, &engine.id);
    let mut out = bytes.to_vec();
    macro_rules! cfb {
        ($aes:ty) => {
            if encrypt {
                Encryptor::<$aes>::new_from_slices(&key, &iv).map_err(|_| "no key")?.encrypt(&mut out)
            } else {
                Decryptor::<$aes>::new_from_slices(&key, &iv).map_err(|_| "no key")?.decrypt(&mut out)
            }
        };
    }
    match privacy {
        Privacy::Aes128 => cfb!(Aes128),
        Privacy::Aes192 | Privacy::Aes192Reeder => cfb!(Aes192),
        Privacy::Aes256 | Privacy::Aes256Reeder => cfb!(Aes256),
    }
    Ok(out)
}
