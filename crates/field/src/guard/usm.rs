//! SNMPv3's user-based security: what a message is wrapped in before it leaves, and how an answer is opened.
//!
//! RFC 3414 (USM; HMAC-SHA-96, keys from passwords), RFC 7860 (HMAC with SHA-224 to SHA-512), RFC 3826 (AES-128 in CFB mode), and for longer keys
//! draft-blumenthal-aes-usm-04, or draft-reeder-snmpv3-usm-3desede-00, which Cisco takes. MD5 and DES are not here.

mod crypto;
mod frame;

use std::fmt;

pub use self::crypto::{Auth, Privacy};
use self::crypto::{Key, cipher, mac};
pub use self::frame::Engine;
use self::frame::{Frame, element};
use super::Secret;

/// Seconds by which an engine's clock may differ from what it said before (RFC 3414, 3.2, 7).
const WINDOW_S_MAX: u32 = 150;
/// Flag: authenticated. RFC 3412, 6.4.
pub const AUTHENTICATED: u8 = 1;
/// Flag: the scoped PDU is encrypted. RFC 3412, 6.4.
pub const ENCRYPTED: u8 = 2;
/// Flag: a report may come back. RFC 3412, 6.4.
pub const REPORTABLE: u8 = 4;

/// A user, with the keys that its passwords give.
#[derive(Clone, PartialEq, Eq)]
pub struct User {
    /// Its name.
    pub name: Vec<u8>,
    auth: Option<Key>,
    privacy: Option<(Privacy, Key)>,
    /// Where salts and message ids begin; random, so that no answer of another day is taken for one of today's.
    start: u64,
}

impl User {
    /// A user without a password: nothing is authenticated, nothing encrypted.
    #[must_use]
    pub fn new(name: impl Into<Vec<u8>>, start: u64) -> Self {
        Self { name: name.into(), auth: None, privacy: None, start }
    }

    /// With a password that authenticates.
    #[must_use]
    pub fn authenticated(self, auth: Auth, password: &Secret) -> Self {
        Self { auth: Some(Key::of(auth, password)), ..self }
    }

    /// With a password that encrypts, too; nothing where none authenticates (RFC 3411, 3.4.3).
    #[must_use]
    pub fn encrypted(self, privacy: Privacy, password: &Secret) -> Self {
        let key = self.auth.as_ref().map(|auth| (privacy, Key::of(auth.auth, password)));
        Self { privacy: key, ..self }
    }

    /// The same user in another run.
    #[must_use]
    pub fn starting_at(self, start: u64) -> Self {
        Self { start, ..self }
    }

    /// Flags of its messages.
    #[must_use]
    pub fn flags(&self) -> u8 {
        let flag = |on: bool, flag| if on { flag } else { 0 };
        REPORTABLE | flag(self.auth.is_some(), AUTHENTICATED) | flag(self.privacy.is_some(), ENCRYPTED)
    }

    /// Bytes that stand for the authentication and for the salt, zero until the message is sealed.
    #[must_use]
    pub fn placeholders(&self) -> (usize, usize) {
        (self.auth.as_ref().map_or(0, |key| key.auth.mac_bytes()), if self.privacy.is_some() { SALT_BYTES } else { 0 })
    }

    /// The id of message `n` of a connection: four bytes as BER wants them.
    #[must_use]
    pub fn message_id(&self, n: u8) -> u32 {
        0x4000_0000 | self.start as u32 & 0x3fff_ff00 | u32::from(n)
    }

    /// Encrypts and authenticates a plain message as its own flags say. `n` tells the messages of a connection apart.
    ///
    /// # Errors
    /// In words, where the message is none, or asks for a key that is not there.
    pub fn seal(&self, plain: &[u8], n: u64) -> Result<Vec<u8>, &'static str> {
        let frame = Frame::read(plain).ok_or(NO_MESSAGE)?;
        if frame.flags & (AUTHENTICATED | ENCRYPTED) == 0 {
            return Ok(plain.to_vec());
        }
        let auth = self.auth.as_ref().ok_or("the user has no password that authenticates")?;
        let mut sealed = plain.to_vec();
        if frame.flags & ENCRYPTED != 0 {
            let (privacy, key) = self.privacy.as_ref().ok_or("the user has no password that encrypts")?;
            let salt = self.start.wrapping_add(n).to_be_bytes();
            let scoped = plain.get(frame.scoped.clone()).ok_or(NO_MESSAGE)?;
            let sealed_scoped = cipher(*privacy, key, &frame.engine, salt, true, scoped)?;
            put(&mut sealed, &frame.salt, &salt)?;
            let head = sealed.get(frame.head.clone()).ok_or(NO_MESSAGE)?;
            sealed = element(0x30, &[head, &element(0x04, &sealed_scoped)].concat());
        }
        let at = Frame::read(&sealed).ok_or(NO_MESSAGE)?.mac;
        let bytes = mac(&auth.localised(&frame.engine.id), auth.auth, &sealed)?;
        put(&mut sealed, &at, &bytes)?;
        Ok(sealed)
    }

    /// The plain message in an answer: authentic, of the engine that was asked, at its time, and as well protected as the question was; or a
    /// report, which may be unprotected.
    ///
    /// # Errors
    /// In words, what is wrong with it.
    pub fn open(&self, message: &[u8], asked: Option<&Engine>) -> Result<Vec<u8>, &'static str> {
        let frame = Frame::read(message).ok_or(NO_MESSAGE)?;
        let level = frame.flags & (AUTHENTICATED | ENCRYPTED);
        let wanted = self.flags() & (AUTHENTICATED | ENCRYPTED);
        if level == 0 {
            let is_enough = wanted == 0 || frame.is_report(message);
            return if is_enough { Ok(message.to_vec()) } else { Err("an answer that nothing authenticates (RFC 3412, 7.2.11)") };
        }
        let auth = self.auth.as_ref().ok_or("an answer for another user")?;
        let mut zeroed = message.to_vec();
        put(&mut zeroed, &frame.mac, &vec![0; frame.mac.len()])?;
        if message.get(frame.mac.clone()) != Some(&mac(&auth.localised(&frame.engine.id), auth.auth, &zeroed)?) {
            return Err("its authentication is wrong (RFC 3414, 3.2)");
        }
        let is_report_of_the_clock = |plain: &[u8]| Frame::read(plain).is_some_and(|frame| frame.is_report(plain));
        let plain = if level & ENCRYPTED == 0 { message.to_vec() } else { self.decrypted(message, &frame)? };
        if is_report_of_the_clock(&plain) {
            return Ok(plain);
        }
        if level != wanted {
            return Err("an answer that is less protected than the question was (RFC 3412, 7.2.11)");
        }
        let in_time = |asked: &Engine| {
            asked.id == frame.engine.id && asked.boots == frame.engine.boots && asked.time.abs_diff(frame.engine.time) <= WINDOW_S_MAX
        };
        if asked.is_some_and(in_time) { Ok(plain) } else { Err("an answer of another engine or time (RFC 3414, 3.2)") }
    }

    fn decrypted(&self, message: &[u8], frame: &Frame) -> Result<Vec<u8>, &'static str> {
        let (privacy, key) = self.privacy.as_ref().ok_or("an encrypted answer to a question that was not")?;
        let salt = message.get(frame.salt.clone()).and_then(|salt| salt.try_into().ok()).ok_or("a salt has 8 bytes (RFC 3826, 3.1)")?;
        let encrypted = message.get(frame.encrypted.clone()).ok_or(NO_MESSAGE)?;
        let scoped = cipher(*privacy, key, &frame.engine, salt, false, encrypted)?;
        let head = message.get(frame.head.clone()).ok_or(NO_MESSAGE)?;
        Ok(element(0x30, &[head, &scoped].concat()))
    }
}

const NO_MESSAGE: &str = "no message of version 3 (RFC 3412, 6)";
/// RFC 3826, 3.1.
const SALT_BYTES: usize = 8;

fn put(message: &mut [u8], at: &std::ops::Range<usize>, bytes: &[u8]) -> Result<(), &'static str> {
    let place = message.get_mut(at.clone()).filter(|place| place.len() == bytes.len());
    place.ok_or("a field of another length than its protocol's").map(|place| place.copy_from_slice(bytes))
}

impl fmt::Debug for User {
    /// Without its keys.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "User({}, {:?}, {:?})",
            self.name.escape_ascii(),
            self.auth.as_ref().map(|key| key.auth),
            self.privacy.as_ref().map(|(p, _)| *p)
        )
    }
}

#[cfg(test)]
mod tests;
