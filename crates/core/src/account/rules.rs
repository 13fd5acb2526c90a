//! Which step may be the next. Kept here, where entries are folded, so that no way to write an entry gets around it.

use super::event::Event;
use super::fold::{Account, Accounts, SECOND_NS};
use super::name::{FIRST_START, SHELL, check, key};
use super::right::{Right, Rights, Role};
use crate::text::is_invisible;

/// Seconds of the longest lock: who is locked out by somebody else's guesses is back within a quarter of an hour.
pub const LOCK_S_MAX: u64 = 15 * 60;
/// Seconds of the longest link: it is as good as a password until it is used.
pub const LINK_S_MAX: u64 = 7 * 24 * 3600;
/// Days of the longest token: whoever runs what uses it is asked once a year whether it is still in use.
pub const TOKEN_DAYS_MAX: u64 = 366;
/// Tokens of one account that are good at once; more are tokens that nobody knows any more.
pub const TOKENS_MAX: usize = 32;
/// Characters of a reason, or of what somebody wanted; a paragraph.
const TEXT_CHARS_MAX: usize = 2_000;
/// Characters of an address, with its zone.
const FROM_CHARS_MAX: usize = 100;
/// Characters of a token's id: 8 bytes in hexadecimal.
const ID_CHARS_MAX: usize = 16;
/// Accounts that a ledger has; a gateway has a plant's people, and the list is read whole.
const ACCOUNTS_MAX: usize = 10_000;

/// Whether this step may be the next.
pub(super) fn allows(accounts: &Accounts, event: &Event, now_ns: u64) -> Result<(), String> {
    match event {
        Event::Created { name, role, by } => created(accounts, name, *role, by),
        Event::Role { name, role, by } => role_given(accounts, name, *role, by),
        Event::Disabled { name, by, why } => {
            administers(accounts, by)?;
            text("the reason", why, TEXT_CHARS_MAX)?;
            let account = active(accounts, name)?;
            not_the_last(accounts, account, "disable this one")
        }
        Event::Enabled { name, by } => {
            administers(accounts, by)?;
            let account = known(accounts, name)?;
            need(!account.is_active(), || format!("{} is not disabled", account.name))
        }
        Event::LinkMade { name, by, expires_ns } => {
            administers(accounts, by)?;
            active(accounts, name)?;
            ends_within(*expires_ns, now_ns, LINK_S_MAX, "a link")
        }
        Event::PasswordSet { name } => active(accounts, name).map(drop),
        Event::LoggedIn { name, from } => {
            text("the address", from, FROM_CHARS_MAX)?;
            active(accounts, name).map(drop)
        }
        Event::LoggedOut { name } => known(accounts, name).map(drop),
        Event::Refused { name, from, why, times } => {
            need(*times > 0, || "nobody was refused".to_owned())?;
            text("the reason", why, TEXT_CHARS_MAX)?;
            text("the address", from, FROM_CHARS_MAX)?;
            name.as_ref().map_or(Ok(()), |name| known(accounts, name).map(drop))
        }
        Event::Locked { name, until_ns } => {
            known(accounts, name)?;
            ends_within(*until_ns, now_ns, LOCK_S_MAX, "a lock")
        }
        Event::TokenMade { id, name, rights, by, expires_ns } => {
            token_made(accounts, id, name, *rights, now_ns)?;
            need(key(by) == key(name), || format!("a token of {name} is made by {name}, not by {by}"))?;
            ends_within(*expires_ns, now_ns, TOKEN_DAYS_MAX * 24 * 3600, "a token")
        }
        Event::TokenRevoked { id, by } => {
            let token = accounts.token(id).ok_or_else(|| format!("there is no token {id:?}"))?;
            need(token.revoked_by.is_none(), || format!("token {id} is revoked already"))?;
            let own = key(by) == key(&token.name) && active(accounts, by).is_ok();
            if own { Ok(()) } else { administers(accounts, by) }
        }
        Event::Wanted { by, what } => {
            active(accounts, by)?;
            text("what was wanted", what, TEXT_CHARS_MAX)
        }
    }
}

fn created(accounts: &Accounts, name: &str, role: Role, by: &str) -> Result<(), String> {
    check(name)?;
    if let Some(other) = accounts.get(name) {
        let is = if other.is_active() { "" } else { ", which is disabled" };
        return Err(format!("there is an account {:?} already{is}; a name is given once", other.name));
    }
    need(accounts.iter().count() < ACCOUNTS_MAX, || format!("there are {ACCOUNTS_MAX} accounts already"))?;
    if by == FIRST_START {
        need(!accounts.has_administrator(), || "there is an administrator already; the first start is over".to_owned())?;
        return need(role == Role::Administrator, || format!("the first start makes an administrator, not {role}"));
    }
    administers(accounts, by)
}

fn role_given(accounts: &Accounts, name: &str, role: Role, by: &str) -> Result<(), String> {
    administers(accounts, by)?;
    let account = active(accounts, name)?;
    need(key(by) != key(name), || "nobody gives a role to himself; another administrator has to".to_owned())?;
    need(account.role != role, || format!("{} is {role} already", account.name))?;
    not_the_last(accounts, account, "give this one another role")
}

fn token_made(accounts: &Accounts, id: &str, name: &str, rights: Rights, now_ns: u64) -> Result<(), String> {
    let account = active(accounts, name)?;
    let digits = id.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
    need(id.len() == ID_CHARS_MAX && digits, || format!("a token's id is {ID_CHARS_MAX} hexadecimal digits"))?;
    need(accounts.token(id).is_none(), || format!("there is a token {id} already"))?;
    need(!rights.is_empty(), || "a token without a right is good for nothing".to_owned())?;
    need(rights.within(account.rights()), || format!("{} may {}, and a token may no more", account.name, account.rights()))?;
    let good = |token: &&super::Token| key(&token.name) == key(name) && token.is_good(now_ns);
    let good = accounts.tokens().filter(good).count();
    need(good < TOKENS_MAX, || format!("{} has {good} tokens already; revoke one", account.name))
}

/// The shell is whoever owns the state directory, and with it every secret in it: it may do what an administrator may.
fn administers(accounts: &Accounts, by: &str) -> Result<(), String> {
    let may = by == SHELL || accounts.rights(by).has(Right::Administer);
    need(may, || format!("{by} is no administrator"))
}

/// Once somebody can make accounts, somebody always can.
fn not_the_last(accounts: &Accounts, account: &Account, what: &str) -> Result<(), String> {
    let another = || accounts.iter().any(|other| other.name != account.name && other.rights().has(Right::Administer));
    let last = account.rights().has(Right::Administer) && !another();
    need(!last, || format!("{} is the last administrator: make another one first, then {what}", account.name))
}

fn known<'a>(accounts: &'a Accounts, name: &str) -> Result<&'a Account, String> {
    accounts.get(name).ok_or_else(|| format!("there is no account {name:?}"))
}

fn active<'a>(accounts: &'a Accounts, name: &str) -> Result<&'a Account, String> {
    let account = known(accounts, name)?;
    need(account.is_active(), || format!("{} is disabled", account.name)).map(|()| account)
}

fn ends_within(end_ns: u64, now_ns: u64, longest_s: u64, what: &str) -> Result<(), String> {
    let left_ns = end_ns.checked_sub(now_ns).filter(|left_ns| *left_ns > 0);
    let left_ns = left_ns.ok_or_else(|| format!("{what} ends in the future"))?;
    need(left_ns <= longest_s.saturating_mul(SECOND_NS), || format!("{what} ends within {longest_s} seconds"))
}

fn text(what: &str, text: &str, chars_max: usize) -> Result<(), String> {
    need(!text.trim().is_empty(), || format!("{what} is empty"))?;
    need(text.chars().count() <= chars_max, || format!("{what} has more than {chars_max} characters"))?;
    need(!text.chars().any(is_invisible), || format!("{what} has characters that cannot be seen"))
}

fn need(holds: bool, why: impl FnOnce() -> String) -> Result<(), String> {
    if holds { Ok(()) } else { Err(why()) }
}
