//! The gate of the desk: passwords, one-time links, sessions, tokens, lock-out. It has no HTTP, no clock and no ledger: who calls it hands
//! over what the ledger knows ([`Accounts`]) and the time, and writes what it is told to write. See docs/accounts.md.
//!
//! **No entry, no action.** What changes something is an [`Act`]: its events go into the ledger first, then [`Gate::take`] makes its secret
//! good. All of that happens under one lock of the caller's, with one time. The slow part, argon2, happens outside it:
//! [`Gate::begin`], [`Attempt::verify`], [`Gate::end`]; and [`NewPassword::hash`] before [`Gate::redeem`].

mod attempts;
mod hidden;
mod link;
mod login;
mod password;
mod secrets;
mod session;
mod throttle;
mod token;

use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use nameplate_core::account::{Event, Rights, Role, key};
use sha2::{Digest, Sha256};

pub use hidden::Hidden;
pub use link::{LINK_S, Pending};
pub use login::{Attempt, Refused, Verified};
pub use password::{NewPassword, PASSWORD_CHARS_MAX, PASSWORD_CHARS_MIN};
pub use session::{SESSION_IDLE_S_MAX, SESSION_S_MAX, Session};

use crate::failure::Failure;
use attempts::Attempts;
use link::FirstLink;
use login::Unknown;
use secrets::{Secrets, Shelf};
use session::Kept;
use throttle::Throttle;

/// Nanoseconds of a second.
const SECOND_NS: u64 = 1_000_000_000;
/// Bytes of randomness in what opens something: nobody guesses 256 bits.
const SECRET_BYTES: usize = 32;

/// SHA-256 of something that opens something.
type Sha = [u8; 32];

/// Who may come in. One at a time: the caller keeps it behind a lock.
pub struct Gate {
    shelf: Shelf,
    secrets: Secrets,
    /// Good while there is no administrator.
    first: Option<FirstLink>,
    /// By the SHA-256 of the cookie.
    sessions: HashMap<Sha, Kept>,
    attempts: Attempts,
    throttle: Throttle,
    unknown: Unknown,
    /// One clone for each attempt that is under way.
    under_way: Arc<()>,
}

/// Somebody who came in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Person {
    /// The account, as the ledger has it.
    pub name: String,
    /// What the account is for.
    pub role: Role,
    /// What may be done now; of a token, no more than it was made for.
    pub rights: Rights,
    /// How they came in.
    pub way: Way,
}

/// How somebody came in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Way {
    /// With a cookie.
    Session,
    /// With a token, which has this id.
    Token {
        /// As the ledger names it.
        id: String,
    },
}

/// Something that is going to be done. First its events go into the ledger, each allowed by [`Accounts::allows`]; then [`Gate::take`].
///
/// [`Accounts::allows`]: nameplate_core::account::Accounts::allows
#[must_use = "nothing is done before its events stand in the ledger and the gate took it"]
pub struct Act {
    /// What the ledger is told.
    pub events: Vec<Event>,
    secret: Secret,
}

/// What becomes of secrets.
enum Secret {
    /// A password is set. The account's links are used up.
    Password { name: String, phc: String },
    /// A link takes the place of the account's last.
    Link { name: String, link: secrets::Link },
    /// A token can be used; those that cannot any more are forgotten.
    Token { sha256: String, id: String, gone: Vec<String> },
    /// A token is void.
    Revoked { id: String },
}

impl Gate {
    /// Opens the gate of a state directory, whose writer's lock the caller holds. Where there are no secrets yet, it has none.
    ///
    /// # Errors
    /// The file with the secrets is damaged, of a newer version, or cannot be read. It is left as it is.
    pub fn open(state_directory: &Path) -> Result<Self, Failure> {
        let shelf = Shelf::of(state_directory);
        let secrets = shelf.read()?;
        Ok(Self {
            shelf,
            secrets,
            first: None,
            sessions: HashMap::new(),
            attempts: Attempts::default(),
            throttle: Throttle::default(),
            unknown: Unknown::default(),
            under_way: Arc::new(()),
        })
    }

    /// Makes good what the ledger knows now: the secret is on disk when this returns.
    ///
    /// # Errors
    /// It cannot be written; what was good before still is, and nothing else.
    pub fn take(&mut self, act: Act) -> Result<(), Failure> {
        let mut secrets = self.secrets.clone();
        match act.secret {
            Secret::Password { name, phc } => {
                secrets.links.remove(&key(&name));
                secrets.passwords.insert(key(&name), phc);
                self.shelf.write(&secrets)?;
                self.attempts.forget(&name);
            }
            Secret::Link { name, link } => {
                secrets.links.insert(key(&name), link);
                self.shelf.write(&secrets)?;
            }
            Secret::Token { sha256, id, gone } => {
                secrets.tokens.retain(|_, id| !gone.contains(id));
                secrets.tokens.insert(sha256, id);
                self.shelf.write(&secrets)?;
            }
            Secret::Revoked { id } => {
                secrets.tokens.retain(|_, other| *other != id);
                self.shelf.write(&secrets)?;
            }
        }
        self.secrets = secrets;
        Ok(())
    }

    /// Whether this account has a password, so that somebody can log in.
    #[must_use]
    pub fn has_password(&self, name: &str) -> bool {
        self.secrets.passwords.contains_key(&key(name))
    }
}

/// What opens something: 43 characters of base64url.
fn new_secret() -> String {
    URL_SAFE_NO_PAD.encode(random::<SECRET_BYTES>())
}

/// Randomness of the system.
///
/// # Panics
/// The system has none: then nobody is let in, and nothing is made.
fn random<const BYTES: usize>() -> [u8; BYTES] {
    let mut bytes = [0; BYTES];
    getrandom::fill(&mut bytes).expect("the system gives randomness, or nothing here can be kept");
    bytes
}

fn sha(text: &str) -> Sha {
    Sha256::digest(text).into()
}
