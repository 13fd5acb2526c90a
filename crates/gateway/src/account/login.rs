//! Logging in, in three steps, so that a password is hashed while nobody holds the gate.

use std::net::IpAddr;
use std::sync::Arc;

use nameplate_core::account::{Account, Accounts, Event};

use super::attempts::WRONG_PASSWORDS_MAX;
use super::password::{nobodys, verify};
use super::session::Session;
use super::{Gate, SECOND_NS};

/// Attempts that are under way at once, of all sources: they wait for each other, each for some tens of milliseconds.
const ATTEMPTS_UNDER_WAY_MAX: usize = 8;
/// How often an entry tells of names that no account has: a guesser fills no ledger.
const UNKNOWN_EVERY_S: u64 = 3_600;

/// Why somebody is not let in. What it says to whoever tries tells nothing of whether the account is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refused {
    /// Name or password is wrong.
    Wrong,
    /// Too many wrong passwords for this name; none is looked at until this time (nanoseconds since 1970).
    Locked {
        /// Until then.
        until_ns: u64,
    },
    /// Too many attempts from this address; the next is taken at this time.
    Throttled {
        /// From then on.
        until_ns: u64,
    },
    /// Too many others try at this moment.
    Busy,
}

impl std::fmt::Display for Refused {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Wrong => "name or password is wrong",
            Self::Locked { .. } => "too many wrong passwords for this name; try again later",
            Self::Throttled { .. } => "too many attempts from this address; try again later",
            Self::Busy => "too many attempts at this moment; try again",
        })
    }
}

/// A password that is going to be looked at.
pub struct Attempt {
    /// As it was typed.
    typed: String,
    from: IpAddr,
    /// The account that may come in, and its [`Account::turn`].
    account: Option<(String, u64)>,
    /// What the password is held against; nobody's, where nobody can come in.
    phc: String,
    /// Dropped with the attempt, whatever becomes of it.
    _places: [Arc<()>; 2],
}

/// A password that was looked at.
pub struct Verified {
    attempt: Attempt,
    is_right: bool,
}

impl Attempt {
    /// Looks at the password. Slow (tens of milliseconds, 19 MiB), the same for names that no account has, and one at a time.
    #[must_use]
    pub fn verify(self, password: &str) -> Verified {
        let is_right = verify(password, &self.phc) && self.account.is_some();
        Verified { attempt: self, is_right }
    }
}

impl Gate {
    /// Takes an attempt to log in from an address, at a time (nanoseconds since 1970).
    ///
    /// # Errors
    /// [`Refused`], before any password is looked at.
    pub fn begin(&mut self, name: &str, from: IpAddr, accounts: &Accounts, now_ns: u64) -> Result<Attempt, Refused> {
        let account = accounts.get(name);
        let row = self.attempts.row(name, account.is_some(), now_ns);
        let locked = row.locked_until(now_ns).max(account.and_then(|account| account.locked_until(now_ns)));
        if let Some(until_ns) = locked {
            return Err(Refused::Locked { until_ns });
        }
        if Arc::strong_count(&self.under_way) > ATTEMPTS_UNDER_WAY_MAX {
            return Err(Refused::Busy);
        }
        let place = row.begin().ok_or(Refused::Busy)?;
        self.throttle.take(from, now_ns).map_err(|until_ns| Refused::Throttled { until_ns })?;
        let active = account.filter(|account| account.is_active());
        let phc = active.and_then(|account| self.secrets.passwords.get(&nameplate_core::account::key(&account.name)));
        Ok(Attempt {
            typed: name.to_owned(),
            from,
            account: active.filter(|_| phc.is_some()).map(|account| (account.name.clone(), account.turn)),
            phc: phc.cloned().unwrap_or_else(nobodys),
            _places: [place, Arc::clone(&self.under_way)],
        })
    }

    /// Ends an attempt. The events of a login go into the ledger before anybody is told of it; where they cannot be written, the session is
    /// not handed out. Those of a refusal are better written behind the answer: how long a commit takes would tell that the account is
    /// there. At most two entries for a lock, one for the first wrong password since somebody came in, and for names
    /// that no account has one an hour.
    pub fn end(&mut self, verified: Verified, accounts: &Accounts, now_ns: u64) -> (Result<Session, Refused>, Vec<Event>) {
        let Verified { attempt, is_right } = verified;
        let account = accounts.get(&attempt.typed);
        let unchanged = |account: &&Account| attempt.account.as_ref().is_some_and(|(_, turn)| account.is_active() && account.turn == *turn);
        match account.filter(unchanged).filter(|_| is_right) {
            Some(account) => {
                let (session, events) = self.come_in(account, attempt.from, now_ns);
                (Ok(session), events)
            }
            None => {
                let (refused, events) = self.refuse(&attempt, account, now_ns);
                (Err(refused), events)
            }
        }
    }

    fn come_in(&mut self, account: &Account, from: IpAddr, now_ns: u64) -> (Session, Vec<Event>) {
        let row = self.attempts.row(&account.name, true, now_ns);
        let untold = (row.untold > 0).then(|| Event::Refused {
            name: Some(account.name.clone()),
            from: row.from.clone(),
            why: WRONG.to_owned(),
            times: row.untold,
        });
        self.attempts.forget(&account.name);
        let session = self.new_session(account, now_ns);
        let logged_in = Event::LoggedIn { name: account.name.clone(), from: shown(from) };
        (session, untold.into_iter().chain([logged_in]).collect())
    }

    fn refuse(&mut self, attempt: &Attempt, account: Option<&Account>, now_ns: u64) -> (Refused, Vec<Event>) {
        let row = self.attempts.row(&attempt.typed, account.is_some(), now_ns);
        row.wrong += 1;
        row.untold += 1;
        row.from = shown(attempt.from);
        let locked = (row.wrong >= WRONG_PASSWORDS_MAX).then(|| row.lock(account.map_or(0, |account| account.locks), now_ns));
        let refused = locked.map_or(Refused::Wrong, |until_ns| Refused::Locked { until_ns });
        let Some(account) = account else { return (refused, self.unknown.refuse(attempt.from, now_ns).into_iter().collect()) };
        let is_first = account.refused == 0 && !row.told;
        if !is_first && locked.is_none() {
            return (refused, Vec::new());
        }
        let why = match (&account.disabled, &attempt.account) {
            (Some(_), _) => "the account is disabled",
            (None, None) => "the account has no password yet",
            (None, Some(_)) => WRONG,
        };
        let name = account.name.clone();
        let told = Event::Refused { name: Some(name.clone()), from: row.from.clone(), why: why.to_owned(), times: row.untold };
        (row.untold, row.told) = (0, true);
        let locked = locked.map(|until_ns| Event::Locked { name, until_ns });
        (refused, [told].into_iter().chain(locked).collect())
    }
}

const WRONG: &str = "wrong password";

/// Names that no account has, all as one: no entry repeats what somebody typed, which may be a password.
#[derive(Default)]
pub(super) struct Unknown {
    untold: u64,
    told_ns: Option<u64>,
}

impl Unknown {
    fn refuse(&mut self, from: IpAddr, now_ns: u64) -> Option<Event> {
        self.untold += 1;
        if self.told_ns.is_some_and(|told_ns| now_ns.abs_diff(told_ns) < UNKNOWN_EVERY_S * SECOND_NS) {
            return None;
        }
        self.told_ns = Some(now_ns);
        let times = std::mem::take(&mut self.untold);
        Some(Event::Refused { name: None, from: shown(from), why: "no account has that name".to_owned(), times })
    }
}

fn shown(from: IpAddr) -> String {
    from.to_canonical().to_string()
}
