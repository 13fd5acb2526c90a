//! Users of version 3 and what protects their messages: RFC 3414 (keys from passwords, HMAC-SHA-96), RFC 7860 (HMAC with longer hashes), RFC 3826
//! (AES-128 in CFB mode) and draft-blumenthal-aes-usm-04 (AES-256).

use aes::{Aes128, Aes256};
use cfb_mode::cipher::KeyIvInit;
use cfb_mode::{Decryptor, Encryptor};
use hmac::{Hmac, KeyInit, Mac};
use sha1::Sha1;
use sha2::{Digest, Sha256, Sha512};

/// Bytes of a password's repetitions that make a key (RFC 3414, A.2).
const PASSWORD_BYTES: usize = 1 << 20;
/// RFC 3826, 3.1.
pub(super) const SALT_BYTES: usize = 8;

/// A user as data. Passwords of a simulated device are no secrets: `simulate` prints them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct User {
    /// Its name.
    pub name: Vec<u8>,
    /// How its messages are authenticated, and with which password; not at all.
    pub auth: Option<(Hash, Vec<u8>)>,
    /// How they are encrypted, and with which password; not at all.
    pub privacy: Option<(Cipher, Vec<u8>)>,
}

/// How messages are authenticated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hash {
    /// HMAC-SHA-96.
    Sha1,
    /// HMAC-192-SHA-256.
    Sha256,
    /// HMAC-384-SHA-512.
    Sha512,
}

/// How messages are encrypted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cipher {
    /// AES with 128 bits.
    Aes128,
    /// AES with 256 bits.
    Aes256,
}

impl Hash {
    fn of(self, bytes: &[u8]) -> Vec<u8> {
        match self {
            Self::Sha1 => Sha1::digest(bytes).to_vec(),
            Self::Sha256 => Sha256::digest(bytes).to_vec(),
            Self::Sha512 => Sha512::digest(bytes).to_vec(),
        }
    }

    /// Bytes of a message's authentication.
    pub(super) const fn code_bytes(self) -> usize {
        match self {
            Self::Sha1 => 12,
            Self::Sha256 => 24,
            Self::Sha512 => 48,
        }
    }

    /// A password's key at one engine (RFC 3414, A.2, 2.6).
    fn key(self, password: &[u8], engine: &[u8]) -> Vec<u8> {
        let repeated: Vec<u8> = password.iter().copied().cycle().take(PASSWORD_BYTES).collect();
        let key = self.of(&repeated);
        self.of(&[&key, engine, &key].concat())
    }

    fn code(self, key: &[u8], message: &[u8]) -> Vec<u8> {
        fn of<M: Mac + KeyInit>(key: &[u8], message: &[u8]) -> Vec<u8> {
            let mac = <M as KeyInit>::new_from_slice(key);
            mac.map(|mac| mac.chain_update(message).finalize().into_bytes().to_vec()).unwrap_or_default()
        }
        let mut code = match self {
            Self::Sha1 => of::<Hmac<Sha1>>(key, message),
            Self::Sha256 => of::<Hmac<Sha256>>(key, message),
            Self::Sha512 => of::<Hmac<Sha512>>(key, message),
        };
        code.truncate(self.code_bytes());
        code
    }
}

/// An engine's clock: how often it started, and seconds since then.
pub(super) type Clock = (u32, u32);

/// A user's keys at one engine.
#[derive(Clone, Debug)]
pub(super) struct Keys {
    auth: Option<(Hash, Vec<u8>)>,
    privacy: Option<(Cipher, Vec<u8>)>,
}

impl Keys {
    pub(super) fn of(user: &User, engine: &[u8]) -> Self {
        let auth = user.auth.as_ref().map(|(hash, password)| (*hash, hash.key(password, engine)));
        let privacy = user.auth.as_ref().zip(user.privacy.as_ref()).map(|((hash, _), (cipher, password))| {
            let mut key = hash.key(password, engine);
            let wanted = if *cipher == Cipher::Aes128 { 16 } else { 32 };
            while key.len() < wanted {
                key.extend(hash.of(&key));
            }
            key.truncate(wanted);
            (*cipher, key)
        });
        Self { auth, privacy }
    }

    /// Authenticated, encrypted.
    pub(super) fn level(&self) -> (bool, bool) {
        (self.auth.is_some(), self.privacy.is_some())
    }

    pub(super) fn code_bytes(&self) -> usize {
        self.auth.as_ref().map_or(0, |(hash, _)| hash.code_bytes())
    }

    /// The authentication of a message whose own field is zero.
    pub(super) fn code(&self, message: &[u8]) -> Vec<u8> {
        self.auth.as_ref().map(|(hash, key)| hash.code(key, message)).unwrap_or_default()
    }

    /// Encrypts or decrypts; nothing where the user has no key for it.
    pub(super) fn cipher(&self, (boots, time): Clock, salt: [u8; SALT_BYTES], encrypt: bool, bytes: &[u8]) -> Option<Vec<u8>> {
        let (cipher, key) = self.privacy.as_ref()?;
        let iv = [&boots.to_be_bytes()[..], &time.to_be_bytes(), &salt].concat();
        let mut out = bytes.to_vec();
        match (cipher, encrypt) {
            (Cipher::Aes128, true) => Encryptor::<Aes128>::new_from_slices(key, &iv).ok()?.encrypt(&mut out),
            (Cipher::Aes128, false) => Decryptor::<Aes128>::new_from_slices(key, &iv).ok()?.decrypt(&mut out),
            (Cipher::Aes256, true) => Encryptor::<Aes256>::new_from_slices(key, &iv).ok()?.encrypt(&mut out),
            (Cipher::Aes256, false) => Decryptor::<Aes256>::new_from_slices(key, &iv).ok()?.decrypt(&mut out),
        }
        Some(out)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::story::hex;

    /// RFC 3414, A.3.2; RFC 4231, 4.3, shortened as RFC 7860, 4.2.2 says.
    #[test]
    fn keys_and_codes_are_those_of_the_standards() {
        assert_eq!(Hash::Sha1.key(b"maplesyrup", &hex("000000000000000000000002")), hex("6695febc9288e36282235fc7151f128497b38f3f"));
        let jefe = |hash: Hash| hash.code(b"Jefe", b"what do ya want for nothing?");
        assert_eq!(jefe(Hash::Sha256), hex("5bdcc146bf60754e6a042426089575c75a003f089d273983"));
        assert_eq!(
            jefe(Hash::Sha512),
            hex("164b7a7bfcf819e2e395fbe73b56e0a387bd64222e831fd610270cd7ea2505549758bf75c05a994a6d034f65f8f0e6fd")
        );
    }
}
