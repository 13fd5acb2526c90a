//! One-time links: with one, somebody sets a password without having one. There is no default password, so the first administrator comes
//! in by one, too.

use nameplate_core::account::{Account, Accounts, Event, FIRST_START, Role, key};
use nameplate_core::observation::hex;

use super::password::NewPassword;
use super::session::Session;
use super::{Act, Gate, SECOND_NS, Secret, Sha, new_secret, secrets, sha};

/// Seconds that a link is good.
pub const LINK_S: u64 = 24 * 3600;

/// The link of a first start, in memory alone.
pub(super) struct FirstLink {
    sha256: Sha,
    expires_ns: u64,
}

/// Whom a link is for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Pending {
    /// Whoever starts the gateway: they choose name and password, and are its administrator.
    FirstAdministrator,
    /// The account of this name: its person chooses a password.
    Account(String),
}

impl Gate {
    /// A one-time secret while nobody can make accounts; the caller prints the path `/first/<secret>`. Each call voids the one before.
    pub fn first_link(&mut self, accounts: &Accounts, now_ns: u64) -> Option<String> {
        self.first = None;
        if accounts.has_administrator() {
            return None;
        }
        let secret = new_secret();
        self.first = Some(FirstLink { sha256: sha(&secret), expires_ns: expiry(now_ns) });
        Some(secret)
    }

    /// Whom a link is for, at this time (nanoseconds since 1970); `None` where it is none, was used, has ended, or its account got another
    /// role or password since, or was disabled.
    #[must_use]
    pub fn check_link(&self, secret: &str, accounts: &Accounts, now_ns: u64) -> Option<Pending> {
        let sha256 = sha(secret);
        let is_first = |first: &&FirstLink| first.sha256 == sha256 && now_ns < first.expires_ns;
        if !accounts.has_administrator() && self.first.as_ref().filter(is_first).is_some() {
            return Some(Pending::FirstAdministrator);
        }
        let sha256 = hex(&sha256);
        let (name, link) = self.secrets.links.iter().find(|(_, link)| link.sha256 == sha256 && now_ns < link.expires_ns)?;
        let account = accounts.get(name).filter(|account| account.is_active() && account.turn == link.turn)?;
        Some(Pending::Account(account.name.clone()))
    }

    /// A link for somebody to set a password: the secret, and what is to be done before it is good. It takes the place of the
    /// account's last link.
    ///
    /// # Errors
    /// A sentence that says why not.
    pub fn make_link(&self, name: &str, by: &str, accounts: &Accounts, now_ns: u64) -> Result<(String, Act), String> {
        let (name, turn) = accounts.get(name).map_or((name, 0), |account| (account.name.as_str(), account.turn));
        let name = name.to_owned();
        let (secret, expires_ns) = (new_secret(), expiry(now_ns));
        let event = Event::LinkMade { name: name.clone(), by: by.to_owned(), expires_ns };
        accounts.allows(&event, now_ns)?;
        let link = secrets::Link { sha256: hex(&sha(&secret)), expires_ns, turn };
        Ok((secret, Act { events: vec![event], secret: Secret::Link { name, link } }))
    }

    /// Uses a link: the account has this password, and all its sessions are over. Behind the first link there is an administrator.
    ///
    /// # Errors
    /// A sentence that says why not: the link is not good any more, the password was hashed for another name, the name is no name.
    pub fn redeem(&self, secret: &str, new: NewPassword, accounts: &Accounts, now_ns: u64) -> Result<Act, String> {
        let gone = || "this link is not good any more; have another one made".to_owned();
        let set = |name: &str| Event::PasswordSet { name: name.to_owned() };
        match self.check_link(secret, accounts, now_ns).ok_or_else(gone)? {
            Pending::FirstAdministrator => {
                let (name, role, by) = (new.name.clone(), Role::Administrator, FIRST_START.to_owned());
                let created = Event::Created { name, role, by };
                accounts.allows(&created, now_ns)?;
                let events = vec![created, set(&new.name)];
                Ok(Act { events, secret: Secret::Password { name: new.name, phc: new.phc } })
            }
            Pending::Account(name) => password_of(accounts.get(&name).ok_or_else(gone)?, new),
        }
    }

    /// A new password for somebody who just logged in with the old one; all sessions of the account are over, this one too.
    ///
    /// # Errors
    /// As [`Gate::redeem`].
    pub fn set_password(&self, session: &Session, new: NewPassword, accounts: &Accounts) -> Result<Act, String> {
        let account = accounts.get(&session.name).filter(|account| account.is_active());
        password_of(account.ok_or_else(|| format!("{} is disabled", session.name))?, new)
    }
}

fn password_of(account: &Account, new: NewPassword) -> Result<Act, String> {
    if key(&new.name) != key(&account.name) {
        return Err(format!("this password was made for {:?}, not for {:?}", new.name, account.name));
    }
    let name = account.name.clone();
    Ok(Act { events: vec![Event::PasswordSet { name: name.clone() }], secret: Secret::Password { name, phc: new.phc } })
}

const fn expiry(now_ns: u64) -> u64 {
    now_ns.saturating_add(LINK_S * SECOND_NS)
}
