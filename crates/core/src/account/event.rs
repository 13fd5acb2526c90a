//! One step, as it stands in the ledger.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::right::{Rights, Role};
use crate::observation::rfc3339;

/// What happened to an account, or what somebody did who has one. It never holds a secret, nor a name that somebody mistyped: people type
/// passwords where names belong.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "step", rename_all = "snake_case", deny_unknown_fields)]
pub enum Event {
    /// An account was made.
    Created {
        /// Whose.
        name: String,
        /// What it is for.
        role: Role,
        /// Who made it: an account, [`FIRST_START`](super::FIRST_START) or [`SHELL`](super::SHELL).
        by: String,
    },
    /// It has another role.
    Role {
        /// Whose.
        name: String,
        /// Which.
        role: Role,
        /// Who gave it.
        by: String,
    },
    /// It may do nothing from here on; its tokens are gone for good.
    Disabled {
        /// Whose.
        name: String,
        /// Who says so.
        by: String,
        /// Why.
        why: String,
    },
    /// It may again do what its role says.
    Enabled {
        /// Whose.
        name: String,
        /// Who says so.
        by: String,
    },
    /// A link was made with which a password can be set once.
    LinkMade {
        /// For whom.
        name: String,
        /// Who made it.
        by: String,
        /// Until when it is good, in nanoseconds since 1970.
        expires_ns: u64,
    },
    /// A password was set: with a link, or by whom knew the old one.
    PasswordSet {
        /// Whose.
        name: String,
    },
    /// Somebody logged in.
    LoggedIn {
        /// Who.
        name: String,
        /// From which address.
        from: String,
    },
    /// Somebody logged out.
    LoggedOut {
        /// Who.
        name: String,
    },
    /// Somebody was not let in.
    Refused {
        /// As whom; left out where no account has the name.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        name: Option<String>,
        /// From which address, the last time.
        from: String,
        /// Why.
        why: String,
        /// How often since the entry before.
        times: u64,
    },
    /// After so many wrong passwords no other is looked at for a while.
    Locked {
        /// Whose.
        name: String,
        /// Until when, in nanoseconds since 1970.
        until_ns: u64,
    },
    /// A token was made.
    TokenMade {
        /// Its name in the ledger; tells nothing of its secret.
        id: String,
        /// Whose it is.
        name: String,
        /// What can be done with it, as long as the account may.
        rights: Rights,
        /// Who made it: the account itself.
        by: String,
        /// Until when it is good, in nanoseconds since 1970.
        expires_ns: u64,
    },
    /// A token is void.
    TokenRevoked {
        /// Which.
        id: String,
        /// Who says so: its owner or an administrator.
        by: String,
    },
    /// Somebody did something that leaves no entry of its own: had devices read, took a file home.
    Wanted {
        /// Who.
        by: String,
        /// What.
        what: String,
    },
}

impl fmt::Display for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Created { name, role, by } => write!(f, "{by} made an account for {name}: {role}"),
            Self::Role { name, role, by } => write!(f, "{by} made {name} {role}"),
            Self::Disabled { name, by, why } => write!(f, "{by} disabled {name}: {why}"),
            Self::Enabled { name, by } => write!(f, "{by} enabled {name}"),
            Self::LinkMade { name, by, expires_ns } => {
                write!(f, "{by} made a link for {name} to set a password, good until {}", rfc3339(*expires_ns))
            }
            Self::PasswordSet { name } => write!(f, "{name} has a new password"),
            Self::LoggedIn { name, from } => write!(f, "{name} logged in from {from}"),
            Self::LoggedOut { name } => write!(f, "{name} logged out"),
            Self::Refused { name, from, why, times } => {
                let whom = name.as_deref().unwrap_or("a name that no account has");
                write!(f, "{whom} was refused from {from}: {why}, {times} times since the entry before")
            }
            Self::Locked { name, until_ns } => write!(f, "{name} is locked until {}", rfc3339(*until_ns)),
            Self::TokenMade { id, name, rights, by, expires_ns } => {
                write!(f, "{by} made token {id} for {name} ({rights}), good until {}", rfc3339(*expires_ns))
            }
            Self::TokenRevoked { id, by } => write!(f, "{by} revoked token {id}"),
            Self::Wanted { by, what } => write!(f, "{by}: {what}"),
        }
    }
}
