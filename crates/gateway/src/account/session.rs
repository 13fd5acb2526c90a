//! Sessions: in memory alone, so a restart ends them all.

use nameplate_core::account::{Account, Accounts, Event, key};

use super::{Gate, Person, SECOND_NS, Way, new_secret, sha};

/// Seconds without a request after which a session is over: a screen that somebody left.
pub const SESSION_IDLE_S_MAX: u64 = 30 * 60;
/// Seconds after which it is over whatever happens: a shift.
pub const SESSION_S_MAX: u64 = 12 * 3600;
/// Sessions of one account at once; the oldest goes first.
const SESSIONS_PER_ACCOUNT_MAX: usize = 8;

/// A session that just began.
pub struct Session {
    /// Whose it is.
    pub name: String,
    /// What the browser keeps: 43 characters of base64url. The gate knows its SHA-256 alone, so it is told once.
    pub cookie: String,
}

/// What is kept of it.
pub(super) struct Kept {
    name: String,
    /// The account's [`Account::turn`] when it began.
    turn: u64,
    begun_ns: u64,
    used_ns: u64,
}

impl Kept {
    /// Whether time has not ended it. A clock that was put back behind its beginning has.
    const fn is_alive(&self, now_ns: u64) -> bool {
        let age = now_ns.checked_sub(self.begun_ns);
        let idle_ns = now_ns.saturating_sub(self.used_ns);
        matches!(age, Some(age) if age <= SESSION_S_MAX * SECOND_NS) && idle_ns <= SESSION_IDLE_S_MAX * SECOND_NS
    }
}

impl Gate {
    pub(super) fn new_session(&mut self, account: &Account, now_ns: u64) -> Session {
        self.sessions.retain(|_, kept| kept.is_alive(now_ns));
        let own = |kept: &Kept| key(&kept.name) == key(&account.name);
        if self.sessions.values().filter(|kept| own(kept)).count() >= SESSIONS_PER_ACCOUNT_MAX {
            let oldest = self.sessions.iter().filter(|(_, kept)| own(kept)).min_by_key(|(_, kept)| kept.begun_ns).map(|(sha, _)| *sha);
            oldest.map(|oldest| self.sessions.remove(&oldest));
        }
        let session = Session { name: account.name.clone(), cookie: new_secret() };
        let name = account.name.clone();
        self.sessions.insert(sha(&session.cookie), Kept { name, turn: account.turn, begun_ns: now_ns, used_ns: now_ns });
        session
    }

    /// Who comes with this cookie at this time (nanoseconds since 1970); `None` where the session is over: by time, or because the account
    /// was disabled or has another role or password. The session goes on from here.
    pub fn session(&mut self, cookie: &str, accounts: &Accounts, now_ns: u64) -> Option<Person> {
        let person = self.standing(cookie, accounts, now_ns);
        match (&person, self.sessions.get_mut(&sha(cookie))) {
            (Some(_), Some(kept)) => kept.used_ns = kept.used_ns.max(now_ns),
            _ => drop(self.sessions.remove(&sha(cookie))),
        }
        person
    }

    /// As [`Gate::session`], without a use of it: what a page asks by itself keeps no screen open that somebody left.
    #[must_use]
    pub fn standing(&self, cookie: &str, accounts: &Accounts, now_ns: u64) -> Option<Person> {
        let kept = self.sessions.get(&sha(cookie)).filter(|kept| kept.is_alive(now_ns))?;
        let account = accounts.get(&kept.name).filter(|account| account.is_active() && account.turn == kept.turn)?;
        Some(Person { name: account.name.clone(), role: account.role, rights: account.rights(), way: Way::Session })
    }

    /// Ends a session at once; returns what the ledger is told, where there was one.
    pub fn log_out(&mut self, cookie: &str) -> Option<Event> {
        self.sessions.remove(&sha(cookie)).map(|kept| Event::LoggedOut { name: kept.name })
    }
}
