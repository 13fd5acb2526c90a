//! Chunks, sealed and opened. OPC 10000-6, 6.7.2: headers, sequence header, body, padding, signature; what stands behind the headers is encrypted.

use rsa::traits::PublicKeyParts;
use rsa::{RsaPrivateKey, RsaPublicKey};

use super::policy::{BLOCK_BYTES, MAC_BYTES, Policy, is_mac, mac};
use super::{Identity, public_key, thumbprint};

/// Type and size, and behind them channel and token.
const HEADER_BYTES: usize = 8;
const MESSAGE_HEADER_BYTES: usize = 16;
const BROKEN: &str = "a chunk of a secured channel is cut short (OPC 10000-6, 6.7.2)";

/// Keys of one direction.
#[derive(Clone)]
struct Direction {
    sign: Vec<u8>,
    encrypt: Vec<u8>,
    iv: Vec<u8>,
}

/// Keys of a channel.
#[derive(Clone)]
pub struct Keys {
    ours: Direction,
    theirs: Direction,
}

/// What seals and opens the messages of one channel.
#[derive(Clone)]
pub struct Sealer {
    /// Its policy.
    pub policy: Policy,
    /// Signed alone, or encrypted, too.
    pub encrypted: bool,
    /// Who we are.
    pub identity: Identity,
    /// Whom we trust, DER.
    pub server: Vec<u8>,
    key: RsaPublicKey,
}

impl Sealer {
    /// For a server of this certificate.
    ///
    /// # Errors
    /// In words, where the certificate has no key for this.
    pub fn new(policy: Policy, encrypted: bool, identity: Identity, server: &[u8]) -> Result<Self, &'static str> {
        let key = public_key(server)?;
        Ok(Self { policy, encrypted, identity, server: server.to_vec(), key })
    }

    /// The server's key.
    pub const fn server_key(&self) -> &RsaPublicKey {
        &self.key
    }

    /// Our key.
    pub fn our_key(&self) -> &RsaPrivateKey {
        self.identity.key()
    }

    /// The keys that two nonces give (6.7.5).
    ///
    /// # Errors
    /// In words, where a nonce is none.
    pub fn keys(&self, ours: &[u8], theirs: &[u8]) -> Result<Keys, &'static str> {
        if theirs.len() < MAC_BYTES {
            return Err("the server's nonce is too short for its policy (OPC 10000-6, 6.7.5)");
        }
        let length = self.policy.key_bytes();
        let direction = |secret: &[u8], seed: &[u8]| {
            let mut made = Policy::derive(secret, seed, MAC_BYTES + length + BLOCK_BYTES)?;
            let iv = made.split_off(MAC_BYTES + length);
            let encrypt = made.split_off(MAC_BYTES);
            Ok::<_, &'static str>(Direction { sign: made, encrypt, iv })
        };
        Ok(Keys { ours: direction(theirs, ours)?, theirs: direction(ours, theirs)? })
    }

    /// A message that opens the channel, sealed with both sides' certificates. `head` are the bytes of its headers.
    ///
    /// # Errors
    /// In words, where a key does not do it.
    pub fn seal_open(&self, plain: &[u8], head: usize) -> Result<Vec<u8>, &'static str> {
        let (headers, content) = plain.split_at_checked(head).ok_or(BROKEN)?;
        let (room, key_bytes, signature_bytes) = (self.policy.room(&self.key), self.key.size(), self.our_key().size());
        // A second byte of padding's length for keys above 2048 bits.
        let size_bytes = if key_bytes > 256 { 2 } else { 1 };
        let unpadded = content.len() + size_bytes + signature_bytes;
        let padding = (room - unpadded % room) % room;
        let [low, high, ..] = padding.to_le_bytes();
        let mut message = headers.to_vec();
        let blocks = (unpadded + padding) / room;
        size(&mut message, head + blocks * key_bytes)?;
        message.extend_from_slice(content);
        message.extend(std::iter::repeat_n(low, padding + 1));
        message.extend((size_bytes == 2).then_some(high));
        let signature = self.policy.sign(self.our_key(), &message)?;
        message.extend(signature);
        let encrypted = self.policy.encrypt(&self.key, message.get(head..).ok_or(BROKEN)?)?;
        Ok([message.get(..head).ok_or(BROKEN)?, &encrypted].concat())
    }

    /// The same, of the server: as it reads in clear.
    ///
    /// # Errors
    /// In words, where it is not of the server that we trust, or not for us.
    pub fn open_open(&self, sealed: &[u8]) -> Result<Vec<u8>, &'static str> {
        let mut at = HEADER_BYTES + 4;
        let mut field = || {
            let length = sealed.get(at..at + 4).and_then(|four| four.try_into().ok()).map(u32::from_le_bytes)?;
            let length = if length == u32::MAX { 0 } else { length as usize };
            let bytes = sealed.get(at + 4..(at + 4).checked_add(length)?)?;
            at += 4 + length;
            Some(bytes)
        };
        let (policy, certificate, ours) = (field().ok_or(BROKEN)?, field().ok_or(BROKEN)?, field().ok_or(BROKEN)?);
        if policy != self.policy.uri().as_bytes() {
            return Err("the server answers by another policy than ours");
        }
        if super::certificate::first(certificate) != super::certificate::first(&self.server) {
            return Err("the server's certificate is another one than the one that is trusted");
        }
        if ours != thumbprint(self.identity.certificate()) {
            return Err("the answer is for another client's certificate");
        }
        let (headers, encrypted) = sealed.split_at_checked(at).ok_or(BROKEN)?;
        let content = self.policy.decrypt(self.our_key(), encrypted)?;
        let signature_at = content.len().checked_sub(self.key.size()).ok_or(BROKEN)?;
        let (content, signature) = content.split_at_checked(signature_at).ok_or(BROKEN)?;
        if !self.policy.verifies(&self.key, &[headers, content].concat(), signature) {
            return Err("the server's signature is wrong");
        }
        unwrapped(headers, unpadded(content)?)
    }

    /// A message on the channel, sealed.
    ///
    /// # Errors
    /// In words, where it is none.
    pub fn seal(&self, keys: &Keys, plain: &[u8]) -> Result<Vec<u8>, &'static str> {
        let Direction { sign, encrypt, iv } = &keys.ours;
        let mut message = plain.to_vec();
        if self.encrypted {
            let unpadded = plain.len().checked_sub(MESSAGE_HEADER_BYTES).ok_or(BROKEN)? + 1 + MAC_BYTES;
            let padding = (BLOCK_BYTES - unpadded % BLOCK_BYTES) % BLOCK_BYTES;
            message.extend(std::iter::repeat_n(u8::try_from(padding).unwrap_or(0), padding + 1));
        }
        let whole = message.len() + MAC_BYTES;
        size(&mut message, whole)?;
        let signature = mac(sign, &message)?;
        message.extend(signature);
        if self.encrypted {
            self.policy.cipher(encrypt, iv, true, message.get_mut(MESSAGE_HEADER_BYTES..).ok_or(BROKEN)?)?;
        }
        Ok(message)
    }

    /// A chunk of the server, as it reads in clear.
    ///
    /// # Errors
    /// In words, where it is not authentic.
    pub fn open(&self, keys: &Keys, sealed: &[u8]) -> Result<Vec<u8>, &'static str> {
        let Direction { sign, encrypt, iv } = &keys.theirs;
        let mut message = sealed.to_vec();
        if self.encrypted {
            self.policy.cipher(encrypt, iv, false, message.get_mut(MESSAGE_HEADER_BYTES..).ok_or(BROKEN)?)?;
        }
        let signature_at = message.len().checked_sub(MAC_BYTES).filter(|at| *at >= MESSAGE_HEADER_BYTES + 8).ok_or(BROKEN)?;
        let (signed, signature) = message.split_at_checked(signature_at).ok_or(BROKEN)?;
        if !is_mac(sign, signed, signature) {
            return Err("the signature of a message is wrong: it is not the server's, or was changed on its way");
        }
        let (headers, content) = signed.split_at_checked(MESSAGE_HEADER_BYTES).ok_or(BROKEN)?;
        unwrapped(headers, if self.encrypted { unpadded(content)? } else { content })
    }
}

/// Without padding: its last byte says how many come before it.
fn unpadded(content: &[u8]) -> Result<&[u8], &'static str> {
    let padding = usize::from(*content.last().ok_or(BROKEN)?);
    let end = content.len().checked_sub(padding + 1).ok_or("a padding that is longer than its message")?;
    content.get(..end).ok_or(BROKEN)
}

fn unwrapped(headers: &[u8], content: &[u8]) -> Result<Vec<u8>, &'static str> {
    let mut plain = [headers, content].concat();
    let whole = plain.len();
    size(&mut plain, whole)?;
    Ok(plain)
}

/// Writes a chunk's size.
fn size(message: &mut [u8], whole: usize) -> Result<(), &'static str> {
    let place = message.get_mut(4..HEADER_BYTES).ok_or(BROKEN)?;
    place.copy_from_slice(&u32::try_from(whole).map_err(|_| BROKEN)?.to_le_bytes());
    Ok(())
}
