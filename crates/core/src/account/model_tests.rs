//! Steps in any order, by anybody, at any time: what has to hold whatever stands in a ledger.

use std::collections::{BTreeMap, BTreeSet};

use super::*;

/// Steps of one history.
const STEPS: usize = 400;
/// Histories.
const HISTORIES: u64 = 300;
/// Names that persons are called by; some are one.
const NAMES: [&str; 7] = ["Ada", "ADA", "Bo", "Cy", "Straße", "STRASSE", "D\u{202e}a"];
const MINUTE_NS: u64 = 60_000_000_000;

/// SplitMix64 (Steele, Lea, Flood 2014).
struct Draw(u64);

impl Draw {
    fn number(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let a = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let b = (a ^ (a >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        b ^ (b >> 31)
    }

    fn of<T: Copy>(&mut self, all: &[T]) -> T {
        all[usize::try_from(self.number() % all.len() as u64).expect("few")]
    }

    fn name(&mut self) -> String {
        self.of(&NAMES).to_owned()
    }

    fn by(&mut self) -> String {
        match self.number() % 8 {
            0 => SHELL.to_owned(),
            1 => FIRST_START.to_owned(),
            _ => self.name(),
        }
    }

    fn rights(&mut self) -> Rights {
        let bits = self.number();
        Rights::of(&Right::ALL.into_iter().filter(|right| bits >> (*right as u64) & 1 == 1).collect::<Vec<_>>())
    }

    fn event(&mut self, now_ns: u64) -> Event {
        let (name, by) = (self.name(), self.by());
        let minutes = self.of(&[0, 1, 14, 16, 600, 60 * 24 * 8, 60 * 24 * 365]);
        let end_ns = now_ns + minutes * MINUTE_NS;
        let role = self.of(&Role::ALL);
        let id = format!("{:016x}", self.number() % 6);
        match self.number() % 13 {
            0 => Event::Created { name, role, by },
            1 | 2 => Event::Role { name, role, by },
            3 => Event::Disabled { name, by, why: "drawn".into() },
            4 => Event::Enabled { name, by },
            5 => Event::LinkMade { name, by, expires_ns: end_ns },
            6 => Event::PasswordSet { name },
            7 => Event::LoggedIn { name, from: "192.0.2.1".into() },
            8 => Event::Refused { name: Some(name).filter(|name| name.len() > 2), from: "::1".into(), why: "wrong".into(), times: 1 },
            9 => Event::Locked { name, until_ns: end_ns },
            10 => {
                let by = if self.number().is_multiple_of(4) { by } else { name.clone() };
                Event::TokenMade { id, name, rights: self.rights(), by, expires_ns: end_ns }
            }
            11 => Event::TokenRevoked { id, by },
            _ => Event::Wanted { by, what: "PLC 1 read".into() },
        }
    }
}

/// What holds in any ledger.
fn check_invariants(accounts: &Accounts, now_ns: u64) {
    let both = |rights: Rights, one, other| rights.has(one) && rights.has(other);
    for account in accounts.iter() {
        let rights = account.rights();
        assert!(!both(rights, Right::Approve, Right::Administer), "{account:?}");
        assert!(!both(rights, Right::Approve, Right::Record), "{account:?}");
        assert_eq!(rights.is_empty(), account.disabled.is_some(), "{account:?}");
        assert_eq!(check(&account.name), Ok(()));
    }
    let keys: BTreeSet<String> = accounts.iter().map(|account| key(&account.name)).collect();
    assert_eq!(keys.len(), accounts.iter().count(), "no two accounts have one name");
    for token in accounts.tokens() {
        let may = accounts.token_rights(token, now_ns);
        assert!(may.within(accounts.rights(&token.name)) && may.within(token.rights), "{token:?}");
        assert!(may.is_empty() || now_ns < token.expires_ns, "{token:?}");
    }
}

#[test]
fn whatever_stands_in_a_ledger_there_stays_an_administrator_and_nobody_has_what_does_not_go_together() {
    let mut taken: BTreeMap<&str, u32> = BTreeMap::new();
    for history in 0..HISTORIES {
        let (mut draw, mut accounts) = (Draw(history), Accounts::default());
        let (mut now_ns, mut had_administrator) = (1_767_225_600_000_000_000, false);
        let mut created: BTreeMap<String, u64> = BTreeMap::new();
        for index in 0..STEPS as u64 {
            // Mostly forward, sometimes back, as a clock does that was set.
            now_ns = if draw.number().is_multiple_of(16) { now_ns - 40 * MINUTE_NS } else { now_ns + draw.number() % (20 * MINUTE_NS) };
            let (event, before) = (draw.event(now_ns), accounts.clone());
            let allowed = accounts.allows(&event, now_ns);
            accounts.take(&event, index, now_ns);
            let remarks = std::mem::take(&mut accounts.remarks);
            if let Err(why) = allowed {
                assert_eq!(remarks, [format!("entry {index}: {why}")]);
                assert_eq!(accounts, before, "a step that is not allowed changes nothing: {event:?}");
            } else {
                assert_eq!(remarks, Vec::<String>::new());
                *taken.entry(kind(&event)).or_default() += 1;
            }
            check_invariants(&accounts, now_ns);
            assert!(!had_administrator || accounts.has_administrator(), "history {history} at {index}: {event:?}");
            had_administrator = accounts.has_administrator();
            for account in accounts.iter() {
                let first = *created.entry(key(&account.name)).or_insert(account.created_ns);
                assert_eq!(account.created_ns, first, "a name is given once");
            }
        }
    }
    assert_eq!(taken.len(), 12, "each kind of step was taken at times: {taken:?}");
    assert!(taken.values().all(|times| *times >= 20), "{taken:?}");
}

fn kind(event: &Event) -> &'static str {
    match event {
        Event::Created { .. } => "created",
        Event::Role { .. } => "role",
        Event::Disabled { .. } => "disabled",
        Event::Enabled { .. } => "enabled",
        Event::LinkMade { .. } => "link_made",
        Event::PasswordSet { .. } => "password_set",
        Event::LoggedIn { .. } => "logged_in",
        Event::LoggedOut { .. } => "logged_out",
        Event::Refused { .. } => "refused",
        Event::Locked { .. } => "locked",
        Event::TokenMade { .. } => "token_made",
        Event::TokenRevoked { .. } => "token_revoked",
        Event::Wanted { .. } => "wanted",
    }
}
