//! The fold over all steps: who has which account, which role, which tokens.

use std::collections::BTreeMap;

use super::event::Event;
use super::name::key;
use super::right::{Right, Rights, Role};
use super::rules::{self, LOCK_S_MAX};

/// Nanoseconds of a second.
pub(super) const SECOND_NS: u64 = 1_000_000_000;

/// All accounts so far.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Accounts {
    /// By [`key`].
    pub(super) accounts: BTreeMap<String, Account>,
    /// By id; a token stays, whatever becomes of it.
    pub(super) tokens: BTreeMap<String, Token>,
    /// Steps that stand in the log and were not allowed: kept as words, without effect.
    pub remarks: Vec<String>,
}

/// An account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Account {
    /// As it was written when it was made.
    pub name: String,
    /// What it is for.
    pub role: Role,
    /// When it was made, in nanoseconds since 1970.
    pub created_ns: u64,
    /// Who disabled it, and why; `None` while it may do something.
    pub disabled: Option<(String, String)>,
    /// When its password was last set.
    pub password_ns: Option<u64>,
    /// When it last logged in.
    pub logged_in_ns: Option<u64>,
    /// Wrong passwords, as far as entries tell, since it last logged in or had a new password.
    pub refused: u64,
    /// Locks since then: each is longer than the one before.
    pub locks: u32,
    /// The entry that last changed its role, its password or whether it is active. Sessions that began before it are over.
    pub turn: u64,
    /// Until when the last lock holds; see [`Account::locked_until`].
    pub(super) locked_until_ns: u64,
}

/// A token, without its secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Token {
    /// Its name in the ledger.
    pub id: String,
    /// Whose it is.
    pub name: String,
    /// What it was made for; see [`Accounts::token_rights`].
    pub rights: Rights,
    /// When it was made, in nanoseconds since 1970.
    pub made_ns: u64,
    /// Until when it is good.
    pub expires_ns: u64,
    /// Who revoked it.
    pub revoked_by: Option<String>,
}

impl Token {
    /// Whether it may be used at this time (nanoseconds since 1970), by what it says itself.
    #[must_use]
    pub const fn is_good(&self, now_ns: u64) -> bool {
        self.revoked_by.is_none() && now_ns < self.expires_ns
    }
}

impl Account {
    /// Whether it may do anything.
    #[must_use]
    pub const fn is_active(&self) -> bool {
        self.disabled.is_none()
    }

    /// What it may do now.
    #[must_use]
    pub const fn rights(&self) -> Rights {
        if self.is_active() { self.role.rights() } else { Rights::of(&[]) }
    }

    /// Until when no password is looked at, in nanoseconds since 1970; `None` where it is not locked now. A lock that lies further ahead
    /// than any can is one of a clock that was put back, and holds nobody up.
    #[must_use]
    pub const fn locked_until(&self, now_ns: u64) -> Option<u64> {
        let until_ns = self.locked_until_ns;
        if now_ns < until_ns && until_ns - now_ns <= LOCK_S_MAX * SECOND_NS { Some(until_ns) } else { None }
    }
}

impl Accounts {
    /// All accounts, in the order of their names.
    pub fn iter(&self) -> impl Iterator<Item = &Account> {
        self.accounts.values()
    }

    /// The account of this name, however it is written.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Account> {
        self.accounts.get(&key(name))
    }

    /// What this name may do now; nothing where no account has it.
    #[must_use]
    pub fn rights(&self, name: &str) -> Rights {
        self.get(name).map(Account::rights).unwrap_or_default()
    }

    /// Whether somebody can make accounts.
    #[must_use]
    pub fn has_administrator(&self) -> bool {
        self.iter().any(|account| account.rights().has(Right::Administer))
    }

    /// All tokens that ever were, in the order of their ids.
    pub fn tokens(&self) -> impl Iterator<Item = &Token> {
        self.tokens.values()
    }

    /// The token of this id.
    #[must_use]
    pub fn token(&self, id: &str) -> Option<&Token> {
        self.tokens.get(id)
    }

    /// What can be done with a token now: nothing once it is revoked or has ended, and never more than its account may.
    #[must_use]
    pub fn token_rights(&self, token: &Token, now_ns: u64) -> Rights {
        if token.is_good(now_ns) { token.rights.and(self.rights(&token.name)) } else { Rights::default() }
    }

    /// Whether this step may be the next, at this time (nanoseconds since 1970).
    ///
    /// # Errors
    /// A sentence that says why not.
    pub fn allows(&self, event: &Event, now_ns: u64) -> Result<(), String> {
        rules::allows(self, event, now_ns)
    }

    /// Takes the next step. One that is not allowed becomes a remark.
    pub fn take(&mut self, event: &Event, index: u64, time_ns: u64) {
        if let Err(why) = self.allows(event, time_ns) {
            self.remarks.push(format!("entry {index}: {why}"));
            return;
        }
        match event {
            Event::Created { name, role, .. } => {
                self.accounts.insert(key(name), Account::new(name, *role, index, time_ns));
            }
            Event::TokenMade { id, name, rights, expires_ns, .. } => {
                let (id, name) = (id.clone(), self.get(name).map_or_else(String::new, |account| account.name.clone()));
                let token = Token { id, name, rights: *rights, made_ns: time_ns, expires_ns: *expires_ns, revoked_by: None };
                self.tokens.insert(token.id.clone(), token);
            }
            Event::TokenRevoked { id, by } => {
                if let Some(token) = self.tokens.get_mut(id) {
                    token.revoked_by = Some(by.clone());
                }
            }
            Event::Refused { name: None, .. } | Event::Wanted { .. } => {}
            Event::Role { name, .. }
            | Event::Disabled { name, .. }
            | Event::Enabled { name, .. }
            | Event::LinkMade { name, .. }
            | Event::PasswordSet { name }
            | Event::LoggedIn { name, .. }
            | Event::LoggedOut { name }
            | Event::Refused { name: Some(name), .. }
            | Event::Locked { name, .. } => {
                let Some(account) = self.accounts.get_mut(&key(name)) else { return };
                account.take(event, index, time_ns);
                if let Event::Disabled { by, .. } = event {
                    self.revoke_all(name, by);
                }
            }
        }
    }

    /// Tokens do not come back with an account that is enabled again.
    fn revoke_all(&mut self, name: &str, by: &str) {
        let own = self.tokens.values_mut().filter(|token| key(&token.name) == key(name) && token.revoked_by.is_none());
        own.for_each(|token| token.revoked_by = Some(by.to_owned()));
    }
}

impl Account {
    fn new(name: &str, role: Role, index: u64, time_ns: u64) -> Self {
        Self {
            name: name.to_owned(),
            role,
            created_ns: time_ns,
            disabled: None,
            password_ns: None,
            logged_in_ns: None,
            refused: 0,
            locks: 0,
            turn: index,
            locked_until_ns: 0,
        }
    }

    /// A step of this account alone.
    fn take(&mut self, event: &Event, index: u64, time_ns: u64) {
        match event {
            Event::Role { role, .. } => {
                self.role = *role;
                self.turn = index;
            }
            Event::Disabled { by, why, .. } => {
                self.disabled = Some((by.clone(), why.clone()));
                self.turn = index;
            }
            Event::Enabled { .. } => {
                self.disabled = None;
                self.turn = index;
            }
            Event::PasswordSet { .. } => {
                self.password_ns = Some(time_ns);
                self.turn = index;
                self.forget_refusals();
            }
            Event::LoggedIn { .. } => {
                self.logged_in_ns = Some(time_ns);
                self.forget_refusals();
            }
            Event::Refused { times, .. } => self.refused = self.refused.saturating_add(*times),
            Event::Locked { until_ns, .. } => {
                self.locks = self.locks.saturating_add(1);
                self.locked_until_ns = *until_ns;
            }
            _ => {}
        }
    }

    fn forget_refusals(&mut self) {
        (self.refused, self.locks, self.locked_until_ns) = (0, 0, 0);
    }
}
