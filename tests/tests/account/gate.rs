//! Links, sessions and tokens.

use nameplate::account::{LINK_S, NewPassword, Pending, Person, Refused, SESSION_IDLE_S_MAX, SESSION_S_MAX, Way};
use nameplate_core::account::{Event, FIRST_START, Right, Rights, Role};

use super::{Desk, HOUR_NS, OFFICE, SECOND_NS, password_of};

#[test]
fn a_first_start_makes_one_administrator_with_one_link() {
    let mut desk = Desk::new();
    let old = desk.gate.first_link(&desk.accounts, desk.now_ns).expect("nobody is there yet");
    let secret = desk.gate.first_link(&desk.accounts, desk.now_ns).expect("a new one at each start");
    let first = Some(Pending::FirstAdministrator);
    let whom = |desk: &Desk, secret: &str| desk.gate.check_link(secret, &desk.accounts, desk.now_ns);
    assert_eq!(secret.len(), 43);
    assert!(secret.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte)), "it stands in a path");
    for (tried, expected) in [(secret.as_str(), first.clone()), (&old, None), ("", None), (&secret[..42], None)] {
        assert_eq!(whom(&desk, tried), expected);
    }
    desk.wait(LINK_S * SECOND_NS - 1);
    assert_eq!(whom(&desk, &secret), first);
    desk.wait(1);
    assert_eq!(whom(&desk, &secret), None, "a day later it is void");

    let secret = desk.gate.first_link(&desk.accounts, desk.now_ns).expect("still nobody");
    assert!(NewPassword::hash("Ada", "password1234").is_err());
    desk.redeem(&secret, "Ada", &password_of("Ada"));
    let (name, by) = ("Ada".to_owned(), FIRST_START.to_owned());
    assert_eq!(desk.told, [Event::Created { name: name.clone(), role: Role::Administrator, by }, Event::PasswordSet { name }]);
    assert_eq!(whom(&desk, &secret), None, "it works once");
    assert_eq!(desk.gate.first_link(&desk.accounts, desk.now_ns), None);
    desk.log_in("ada");
}

#[test]
fn two_who_open_the_first_link_at_once_are_one_administrator() {
    let mut desk = Desk::new();
    let secret = desk.gate.first_link(&desk.accounts, desk.now_ns).expect("nobody is there yet");
    let new = |name: &str| NewPassword::hash(name, &password_of(name)).expect("a good one");
    let (ada, mallory) = (new("Ada"), new("Mallory"));
    let act = desk.gate.redeem(&secret, ada, &desk.accounts, desk.now_ns).expect("a good link");
    desk.act(act);
    assert!(desk.gate.redeem(&secret, mallory, &desk.accounts, desk.now_ns).is_err());
    assert_eq!(desk.accounts.iter().count(), 1);
}

#[test]
fn nothing_is_done_before_its_entry_stands_in_the_ledger() {
    let mut desk = Desk::with_people();
    let (secret, link) = desk.gate.make_link("Eve", "Ada", &desk.accounts, desk.now_ns).expect("a link");
    assert_eq!(desk.gate.check_link(&secret, &desk.accounts, desk.now_ns), None, "nobody wrote its entry");
    desk.act(link);
    assert_eq!(desk.gate.check_link(&secret, &desk.accounts, desk.now_ns), Some(Pending::Account("Eve".into())));
    let new = NewPassword::hash("Eve", "another sentence").expect("a good one");
    let act = desk.gate.redeem(&secret, new, &desk.accounts, desk.now_ns).expect("a good link");
    assert_eq!(desk.log_in_from("Eve", "another sentence", OFFICE).err(), Some(Refused::Wrong));
    desk.log_in("Eve");
    desk.act(act);
    assert_eq!(desk.log_in_from("Eve", &password_of("Eve"), OFFICE).err(), Some(Refused::Wrong));
    assert!(desk.log_in_from("Eve", "another sentence", OFFICE).is_ok());
    assert_eq!(desk.gate.check_link(&secret, &desk.accounts, desk.now_ns), None, "it works once");
}

#[test]
fn a_link_sets_the_password_of_its_account_and_no_other() {
    let mut desk = Desk::with_people();
    let (old, act) = desk.gate.make_link("eve", "Ada", &desk.accounts, desk.now_ns).expect("a link");
    desk.act(act);
    let (secret, act) = desk.gate.make_link("Eve", "Ada", &desk.accounts, desk.now_ns).expect("a link");
    desk.act(act);
    assert_eq!(desk.gate.check_link(&old, &desk.accounts, desk.now_ns), None, "the last one counts");
    let new = NewPassword::hash("Ada", "another sentence").expect("a good one");
    assert!(desk.gate.redeem(&secret, new, &desk.accounts, desk.now_ns).is_err(), "Eve's link is not Ada's");
    assert!(desk.gate.make_link("Nobody", "Ada", &desk.accounts, desk.now_ns).is_err());
    assert!(desk.gate.make_link("Ada", "Eve", &desk.accounts, desk.now_ns).is_err(), "an engineer makes no links");
    desk.restart();
    assert!(desk.gate.check_link(&secret, &desk.accounts, desk.now_ns).is_some(), "a link outlives a restart");
    desk.record(vec![Event::Disabled { name: "Eve".into(), by: "Ada".into(), why: "left".into() }]);
    assert_eq!(desk.gate.check_link(&secret, &desk.accounts, desk.now_ns), None);
    desk.record(vec![Event::Enabled { name: "Eve".into(), by: "Ada".into() }]);
    assert_eq!(desk.gate.check_link(&secret, &desk.accounts, desk.now_ns), None, "it does not come back");
}

#[test]
fn a_session_ends_by_time() {
    let table = [
        ("at once", vec![0], true),
        ("behind half an hour", vec![SESSION_IDLE_S_MAX], true),
        ("behind more than half an hour", vec![SESSION_IDLE_S_MAX + 1], false),
        ("used every quarter of an hour for twelve hours", vec![900; 48], true),
        ("used every quarter of an hour for longer", vec![900; 49], false),
    ];
    assert_eq!(SESSION_S_MAX, 12 * 3600);
    for (name, waits, alive) in table {
        let mut desk = Desk::with_people();
        let session = desk.log_in("Eve");
        let mut person = None;
        for seconds in waits {
            desk.wait(seconds * SECOND_NS);
            person = desk.gate.session(&session.cookie, &desk.accounts, desk.now_ns);
        }
        assert_eq!(person.is_some(), alive, "{name}");
    }
    let mut desk = Desk::with_people();
    let session = desk.log_in("Eve");
    assert!(desk.gate.session(&session.cookie, &desk.accounts, desk.now_ns - HOUR_NS).is_none(), "a clock that was put back");
    let session = desk.log_in("Eve");
    desk.restart();
    assert!(desk.gate.session(&session.cookie, &desk.accounts, desk.now_ns).is_none(), "a restart ends them all");
}

#[test]
fn a_session_ends_with_what_it_rests_on() {
    let by = || "Ada".to_owned();
    let name = || "Eve".to_owned();
    let table: [(&str, Vec<Event>, bool); 6] = [
        ("nothing", vec![], true),
        ("somebody else logged out", vec![Event::LoggedOut { name: by() }], true),
        ("another role", vec![Event::Role { name: name(), role: Role::Approver, by: by() }], false),
        ("disabled", vec![Event::Disabled { name: name(), by: by(), why: "left".into() }], false),
        (
            "disabled and enabled",
            vec![Event::Disabled { name: name(), by: by(), why: "left".into() }, Event::Enabled { name: name(), by: by() }],
            false,
        ),
        ("a new password", vec![Event::PasswordSet { name: name() }], false),
    ];
    for (what, events, alive) in table {
        let mut desk = Desk::with_people();
        let session = desk.log_in("Eve");
        desk.record(events);
        assert_eq!(desk.gate.session(&session.cookie, &desk.accounts, desk.now_ns).is_some(), alive, "{what}");
    }
}

#[test]
fn a_session_knows_who_it_is_and_is_one_of_few() {
    let mut desk = Desk::with_people();
    let (one, other) = (desk.log_in("eve"), desk.log_in("Eve"));
    assert_eq!((one.cookie.len(), one.name.as_str()), (43, "Eve"));
    assert_ne!(one.cookie, other.cookie);
    let person = desk.gate.session(&one.cookie, &desk.accounts, desk.now_ns).expect("who just came in");
    assert_eq!((person.name.as_str(), person.role, person.rights), ("Eve", Role::Engineer, Role::Engineer.rights()));
    assert!(person.rights.has(Right::Ask) && !person.rights.has(Right::Approve));
    let shown = format!("{person:?}");
    assert!(!shown.contains(&one.cookie), "{shown}");
    for cookie in ["", "a", &one.cookie[..42]] {
        assert_eq!(desk.gate.session(cookie, &desk.accounts, desk.now_ns), None);
    }
    assert_eq!(desk.gate.log_out(&one.cookie), Some(Event::LoggedOut { name: "Eve".into() }));
    assert_eq!(desk.gate.log_out(&one.cookie), None);
    assert_eq!(desk.gate.session(&one.cookie, &desk.accounts, desk.now_ns), None);
    assert!(desk.gate.session(&other.cookie, &desk.accounts, desk.now_ns).is_some(), "the other one goes on");
    let mut all = Vec::new();
    for _ in 0..9 {
        desk.wait(6 * SECOND_NS);
        all.push(desk.log_in("Ada"));
    }
    let alive = |desk: &mut Desk, at: usize| desk.gate.session(&all[at].cookie, &desk.accounts, desk.now_ns).is_some();
    assert_eq!((0..9).filter(|at| alive(&mut desk, *at)).count(), 8, "nobody has more at once");
}

#[test]
fn a_new_password_needs_the_old_one_and_ends_every_session() {
    let mut desk = Desk::with_people();
    let other = desk.log_in("Eve");
    let fresh = desk.log_in("Eve");
    let for_ada = NewPassword::hash("Ada", "another sentence").expect("a good one");
    assert!(desk.gate.set_password(&fresh, for_ada, &desk.accounts).is_err(), "Eve sets Eve's");
    let new = NewPassword::hash("Eve", "another sentence").expect("a good one");
    let act = desk.gate.set_password(&fresh, new, &desk.accounts).expect("who just came in");
    desk.act(act);
    for session in [&other, &fresh] {
        assert_eq!(desk.gate.session(&session.cookie, &desk.accounts, desk.now_ns), None);
    }
    assert_eq!(desk.log_in_from("Eve", &password_of("Eve"), OFFICE).err(), Some(Refused::Wrong));
    assert!(desk.log_in_from("Eve", "another sentence", OFFICE).is_ok());
    desk.restart();
    assert!(desk.log_in_from("Eve", "another sentence", OFFICE).is_ok(), "it is on disk");
}

#[test]
fn a_password_that_was_changed_while_it_was_looked_at_lets_nobody_in() {
    let mut desk = Desk::with_people();
    let from = OFFICE.parse().expect("an address");
    let attempt = desk.gate.begin("Eve", from, &desk.accounts, desk.now_ns).expect("an attempt");
    desk.record(vec![Event::PasswordSet { name: "Eve".into() }]);
    let (session, events) = desk.gate.end(attempt.verify(&password_of("Eve")), &desk.accounts, desk.now_ns);
    assert_eq!(session.err(), Some(Refused::Wrong));
    desk.record(events);
}

/// Eve, logged in, as the page knows her.
fn eve(desk: &mut Desk) -> Person {
    let session = desk.log_in("Eve");
    desk.gate.session(&session.cookie, &desk.accounts, desk.now_ns).expect("who just came in")
}

#[test]
fn a_token_is_shown_once_and_does_no_more_than_it_was_made_for() {
    let mut desk = Desk::with_people();
    let person = eve(&mut desk);
    let read = Rights::of(&[Right::Read]);
    let (secret, act) = desk.gate.make_token(&person, read, 30, &desk.accounts, desk.now_ns).expect("a token");
    assert!(secret.starts_with("np_") && secret.len() == 46, "{secret}");
    assert_eq!(desk.gate.token(&secret, &desk.accounts, desk.now_ns), None, "nobody wrote its entry");
    desk.act(act);
    let came = desk.gate.token(&secret, &desk.accounts, desk.now_ns).expect("a good one");
    assert_eq!((came.name.as_str(), came.rights), ("Eve", read));
    let Way::Token { id } = came.way.clone() else { panic!("{came:?}") };
    assert!(desk.accounts.token(&id).is_some(), "the ledger knows it by its id");
    for wrong in ["", "np_", &secret[..45], &secret[3..], &secret.to_lowercase(), &id] {
        assert_eq!(desk.gate.token(wrong, &desk.accounts, desk.now_ns), None, "{wrong}");
    }
    assert!(desk.gate.make_token(&came, read, 1, &desk.accounts, desk.now_ns).is_err(), "a token makes no token");
    for (rights, days) in [(Rights::of(&[Right::Approve]), 1), (Rights::of(&[Right::Read, Right::Administer]), 1), (read, 0), (read, 367)] {
        assert!(desk.gate.make_token(&person, rights, days, &desk.accounts, desk.now_ns).is_err(), "{rights}, {days} days");
    }
    desk.restart();
    assert_eq!(desk.gate.token(&secret, &desk.accounts, desk.now_ns), Some(came.clone()), "it outlives a restart");
    assert_eq!(desk.gate.token(&secret, &desk.accounts, desk.now_ns + 30 * 24 * HOUR_NS), None, "it ends");
    assert!(desk.gate.revoke_token(&id, "Nobody", &desk.accounts, desk.now_ns).is_err());
    let act = desk.gate.revoke_token(&id, "Ada", &desk.accounts, desk.now_ns).expect("an administrator");
    desk.act(act);
    assert_eq!(desk.gate.token(&secret, &desk.accounts, desk.now_ns), None);
}

#[test]
fn a_token_follows_its_account() {
    let by = || "Ada".to_owned();
    let table = [
        (Event::Role { name: "Eve".into(), role: Role::Viewer, by: by() }, Some("read")),
        (Event::Role { name: "Eve".into(), role: Role::Approver, by: by() }, Some("read")),
        (Event::PasswordSet { name: "Eve".into() }, Some("read, record")),
        (Event::Disabled { name: "Eve".into(), by: by(), why: "left".into() }, None),
    ];
    for (event, rights) in table {
        let mut desk = Desk::with_people();
        let person = eve(&mut desk);
        let both = Rights::of(&[Right::Read, Right::Record]);
        let (secret, act) = desk.gate.make_token(&person, both, 30, &desk.accounts, desk.now_ns).expect("a token");
        desk.act(act);
        desk.record(vec![event.clone()]);
        let came = desk.gate.token(&secret, &desk.accounts, desk.now_ns);
        assert_eq!(came.map(|came| came.rights.to_string()).as_deref(), rights, "{event:?}");
    }
}

#[test]
fn hostile_names_come_in_as_themselves_or_not_at_all() {
    let mut desk = Desk::with_people();
    for name in ["<script>alert(1)</script>", "'; DROP TABLE accounts; --", "../../etc/passwd", "{{7*7}}", "%0d%0aSet-Cookie: a=b", "Ünï €"]
    {
        desk.person(name, Role::Viewer);
        assert_eq!(desk.log_in(name).name, name);
        desk.wait(HOUR_NS);
    }
    for name in ["", " ", "Eve\0", "E\u{202e}ve", "E\u{200b}ve", &"x".repeat(100_000)] {
        let refused = desk.log_in_from(name, &password_of("Eve"), OFFICE).err();
        // A name with something invisible in it is read as the one that it looks like; the password decides.
        let looks_like_eve = desk.accounts.get(name).is_some();
        assert_eq!(refused, if looks_like_eve { None } else { Some(Refused::Wrong) }, "{name:?}");
        desk.wait(HOUR_NS);
    }
}
