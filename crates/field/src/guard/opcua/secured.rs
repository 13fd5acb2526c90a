//! OPC UA on a channel with security: the same rows, and what the guard does to a message behind them (docs/decisions/0020). It writes nonces and signatures
//! into the places that the row leaves empty, encrypts a password for the server, seals the chunk; and opens what comes back. A server is believed only as
//! the one whose certificate is trusted: it signs the channel, each message, and once more what the session begins with (OPC 10000-4, 5.7.2).

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::{ANONYMOUS, channel};
use super::{
    CERTIFICATE, CERTIFIED_USER, MODE, NAMED_USER, NONCE, PASSWORD, POLICY, THUMBPRINT, USER, USER_CERTIFICATE,
    said::{Created, Said, Walk},
    text,
};
use crate::guard::{
    Refused, Secret,
    permit::{Grant, Session},
    table::Slot,
    uasc::{Identity, Keys, Policy, Sealer, random_bytes, thumbprint},
};

/// Bytes of our nonces (OPC 10000-7: what the policies here want).
pub const NONCE_BYTES: usize = 32;
/// Bytes of a user's name, of a password.
const USER_BYTES_MAX: usize = 64;
/// Bytes of a user's certificate; those of our keys have a thousand.
const USER_CERTIFICATE_BYTES_MAX: usize = 4_096;
/// The policy by which a secret is not encrypted.
const IN_CLEAR: &[u8] = b"http://opcfoundation.org/UA/SecurityPolicy#None";
/// Bytes of a chunk that is opened: what our hello says.
const CHUNK_BYTES_MAX: usize = 65_536;

/// As whom a session is, where that is somebody.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OpcuaUser {
    /// A name, with a password.
    Password(String, Secret),
    /// A certificate, with its key.
    Certificate(Identity),
}

impl OpcuaUser {
    /// The kind as the protocol counts it: `UserTokenType`, OPC 10000-4, 7.43.
    #[must_use]
    pub const fn kind(&self) -> u32 {
        match self {
            Self::Password(..) => 1,
            Self::Certificate(_) => 2,
        }
    }
}

/// What one server may be asked on a channel with security.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OpcuaSecured {
    /// Where it is.
    pub url: String,
    /// By which policy.
    pub policy: Policy,
    /// Encrypted, not only signed.
    pub encrypted: bool,
    /// Who asks.
    pub identity: Identity,
    /// The server's certificate, which is trusted (DER).
    pub server: Vec<u8>,
    /// The user; nobody in particular where there is none.
    pub user: Option<OpcuaUser>,
}

impl OpcuaSecured {
    /// The grant: a session on such a channel.
    ///
    /// # Errors
    /// [`Refused`] by `permit.url`, `permit.user` or `permit.certificate`.
    pub fn grant(&self) -> Result<Grant, Refused> {
        let no = |rule, why: &str| Refused::before_any_byte(rule, why.to_owned());
        let sealer = Sealer::new(self.policy, self.encrypted, self.identity.clone(), &self.server);
        let sealer = sealer.map_err(|why| no("permit.certificate", why))?;
        let mode: u32 = if self.encrypted { 3 } else { 2 };
        let grant = channel(&self.url, false, true)?
            .with(&POLICY, text(self.policy.uri().as_bytes()))
            .with(&CERTIFICATE, text(self.identity.certificate()))
            .with(&THUMBPRINT, text(&thumbprint(&self.server)))
            .with(&MODE, mode.to_le_bytes())
            .with(&NONCE, text(&[0; NONCE_BYTES]));
        let grant = match &self.user {
            None => grant.with(&ANONYMOUS, []),
            Some(OpcuaUser::Certificate(user)) => {
                if user.certificate().len() > USER_CERTIFICATE_BYTES_MAX {
                    return Err(no("permit.user", "a user's certificate has at most 4,096 bytes"));
                }
                grant.with(&CERTIFIED_USER, []).with(&USER_CERTIFICATE, text(user.certificate()))
            }
            Some(OpcuaUser::Password(user, password)) => {
                let fits = |bytes: &[u8]| (1..=USER_BYTES_MAX).contains(&bytes.len());
                if !fits(user.as_bytes()) || !fits(password.bytes()) {
                    return Err(no("permit.user", "a user and a password have 1 to 64 bytes each"));
                }
                grant.with(&NAMED_USER, []).with(&USER, text(user.as_bytes())).with(&PASSWORD, password.bytes())
            }
        };
        let said = Said::new(mode, self.policy.uri().as_bytes().to_vec(), self.user.as_ref().map_or(0, OpcuaUser::kind));
        let user = match &self.user {
            Some(OpcuaUser::Certificate(user)) => Some(user.clone()),
            _ => None,
        };
        Ok(grant.in_session(Arc::new(Channel { sealer, user, said, state: Mutex::default() })))
    }
}

/// One channel.
struct Channel {
    sealer: Sealer,
    /// Who signs for himself.
    user: Option<Identity>,
    said: Said,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// Our nonce of the channel, and of the session.
    channel_nonce: Vec<u8>,
    session_nonce: Vec<u8>,
    keys: Option<Keys>,
    /// Bytes of a chunk that is not whole.
    held: Vec<u8>,
}

impl Session for Channel {
    fn seal(&self, plain: &[u8], _: u64) -> Result<Vec<u8>, &'static str> {
        let mut state = self.state();
        match plain.get(..3) {
            Some(b"HEL") => Ok(plain.to_vec()),
            Some(b"OPN") => {
                state.channel_nonce = random_bytes(NONCE_BYTES)?;
                let plain = with_nonce(plain, &state.channel_nonce)?;
                self.sealer.seal_open(&plain, open_head(&plain)?)
            }
            _ => {
                let message = self.filled(plain, &mut state)?;
                self.sealer.seal(state.keys.as_ref().ok_or("no channel stands")?, &message)
            }
        }
    }

    fn learn(&self, message: &[u8]) -> Vec<(&'static Slot, Vec<u8>)> {
        self.said.hear(message)
    }

    fn opens(&self) -> bool {
        true
    }

    fn open(&self, came: &[u8]) -> Result<Vec<u8>, &'static str> {
        let mut state = self.state();
        state.held.extend_from_slice(came);
        let mut opened = Vec::new();
        while let Some(size) = state.held.get(4..8).and_then(|size| size.try_into().ok()).map(u32::from_le_bytes) {
            let size = size as usize;
            if !(8..=CHUNK_BYTES_MAX).contains(&size) {
                return Err("a chunk of a length that is none (OPC 10000-6, 7.1.2.2)");
            }
            if state.held.len() < size {
                break;
            }
            let chunk: Vec<u8> = state.held.drain(..size).collect();
            opened.extend(self.opened(&chunk, &mut state)?);
        }
        Ok(opened)
    }
}

impl Channel {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// One chunk in clear. What comes before a channel stands is not sealed; an error that ends it is not, either.
    fn opened(&self, chunk: &[u8], state: &mut State) -> Result<Vec<u8>, &'static str> {
        match chunk.get(..3) {
            Some(b"ACK" | b"ERR") => Ok(chunk.to_vec()),
            Some(b"OPN") => {
                let plain = self.sealer.open_open(chunk)?;
                let nonce = said_nonce(&plain).ok_or("the answer that opens the channel has no nonce")?;
                state.keys = Some(self.sealer.keys(&state.channel_nonce, nonce)?);
                Ok(plain)
            }
            _ => self.sealer.open(state.keys.as_ref().ok_or("a message before the channel stands")?, chunk),
        }
    }

    /// A message with what only the guard can write: the session's nonce, our signature, the password for the server alone.
    fn filled(&self, plain: &[u8], state: &mut State) -> Result<Vec<u8>, &'static str> {
        match plain.get(24..28) {
            // CreateSession.
            Some([1, 0, 0xcd, 1]) => {
                state.session_nonce = random_bytes(NONCE_BYTES)?;
                with_nonce(plain, &state.session_nonce)
            }
            // ActivateSession.
            Some([1, 0, 0xd3, 1]) => {
                let created = self.said.created().ok_or("no session stands")?;
                self.believe(&created, &state.session_nonce)?;
                self.activated(plain, &created)
            }
            _ => Ok(plain.to_vec()),
        }
    }

    /// Whoever gave the session is who opened the channel: it signs our certificate and the nonce that we made for this.
    fn believe(&self, created: &Created, nonce: &[u8]) -> Result<(), &'static str> {
        let Sealer { policy, identity, server, .. } = &self.sealer;
        if created.certificate != *server {
            return Err("the session is of another certificate than the one that is trusted");
        }
        let signed = [identity.certificate(), nonce].concat();
        if !policy.verifies(self.sealer.server_key(), &signed, &created.signature) {
            return Err("the server's signature of the session is wrong");
        }
        Ok(())
    }

    fn activated(&self, plain: &[u8], created: &Created) -> Result<Vec<u8>, &'static str> {
        const BROKEN: &str = "no ActivateSession (OPC 10000-4, 5.7.3)";
        let Sealer { policy, server, .. } = &self.sealer;
        let mut walk = Walk { bytes: plain, at: 28 };
        walk.node().ok_or(BROKEN)?;
        // The rest of the header; behind it two null fields for the signature.
        walk.take(27).ok_or(BROKEN)?;
        let signature_at = walk.at;
        let signature = policy.sign(self.sealer.our_key(), &[server.as_slice(), &created.nonce].concat())?;
        let signature = [text(policy.signature_uri().as_bytes()), text(&signature)].concat();
        // No signature, no certificates, no languages; then the kind of user.
        walk.take(16).ok_or(BROKEN)?;
        let kind_at = walk.at;
        let kind = walk.take(5).ok_or(BROKEN)?;
        let token = walk.text().ok_or(BROKEN)?;
        let token = if kind.get(2) == Some(&0x44) { self.with_password(token, created)? } else { token.to_vec() };
        let piece = |from: usize, to: usize| plain.get(from..to).ok_or(BROKEN);
        let end = match kind.get(2) {
            Some(0x47) => self.signed_by_user(created)?,
            _ => piece(walk.at, plain.len())?.to_vec(),
        };
        Ok([piece(0, signature_at)?, &signature, piece(signature_at + 8, kind_at)?, kind, &text(&token), &end].concat())
    }

    /// The user's signature over the server's certificate and nonce, by the policy that the server wants of such a user, or the channel's
    /// (OPC 10000-4, 5.7.3 and 7.41.5; 7.36.5 in its version 1.04).
    fn signed_by_user(&self, created: &Created) -> Result<Vec<u8>, &'static str> {
        let user = self.user.as_ref().ok_or("no key of a user is there")?;
        let named = created.user_security.as_slice();
        let known = Policy::ALL.into_iter().find(|policy| policy.uri().as_bytes() == named);
        let policy = if named.is_empty() { Some(self.sealer.policy) } else { known };
        let policy = policy.ok_or("the server takes certificates of users only by a policy that is not known here")?;
        let signature = policy.sign(user.key(), &[self.sealer.server.as_slice(), &created.nonce].concat())?;
        Ok([text(policy.signature_uri().as_bytes()), text(&signature)].concat())
    }

    /// A UserNameIdentityToken with its password encrypted, together with the server's nonce (OPC 10000-4, 7.41.2.2 and 7.41.4).
    fn with_password(&self, token: &[u8], created: &Created) -> Result<Vec<u8>, &'static str> {
        const BROKEN: &str = "no UserNameIdentityToken (OPC 10000-4, 7.41.4)";
        let mut walk = Walk { bytes: token, at: 0 };
        let (_policy, _user) = (walk.text().ok_or(BROKEN)?, walk.text().ok_or(BROKEN)?);
        let who = token.get(..walk.at).ok_or(BROKEN)?;
        let password = walk.text().ok_or(BROKEN)?;
        let named = created.user_security.as_slice();
        // In an encrypted channel it may stand as it is: the channel hides it.
        if named == IN_CLEAR && self.sealer.encrypted {
            return Ok(token.to_vec());
        }
        let secret = text(&[password, created.nonce.as_slice()].concat());
        let policy = Policy::ALL.into_iter().find(|policy| policy.uri().as_bytes() == named);
        let policy = if named.is_empty() { Some(self.sealer.policy) } else { policy };
        let policy = policy
            .ok_or("the server takes passwords only by a policy that is not known here, or in clear over a channel that is only signed")?;
        let encrypted = policy.encrypt(self.sealer.server_key(), &secret)?;
        Ok([who, &text(&encrypted), &text(policy.encryption_uri().as_bytes())].concat())
    }
}

/// The nonce where the row left zeros.
fn with_nonce(plain: &[u8], nonce: &[u8]) -> Result<Vec<u8>, &'static str> {
    let zeros = text(&[0; NONCE_BYTES]);
    let at = plain.windows(zeros.len()).rposition(|window| window == zeros).ok_or("no place for a nonce")?;
    let mut filled = plain.to_vec();
    filled.get_mut(at + 4..at + zeros.len()).ok_or(NO_PLACE)?.copy_from_slice(nonce);
    Ok(filled)
}

const NO_PLACE: &str = "no place for a nonce";

/// Bytes of the headers of a message that opens a channel: up to the sequence number.
fn open_head(plain: &[u8]) -> Result<usize, &'static str> {
    let mut walk = Walk { bytes: plain, at: 12 };
    (0..3).try_for_each(|_| walk.text().map(drop)).map(|()| walk.at).ok_or(NO_PLACE)
}

/// The server's nonce, at the end of the answer that opens the channel.
fn said_nonce(plain: &[u8]) -> Option<&[u8]> {
    let mut walk = Walk { bytes: plain, at: open_head(plain).ok()? + 8 };
    walk.node()?;
    walk.header()?;
    // Protocol version; channel, token, when it was made (8), for how long.
    walk.take(4 + 4 + 4 + 8 + 4)?;
    walk.text()
}
