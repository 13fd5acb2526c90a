//! The rules, as tables.

use super::*;

const SECOND_NS: u64 = 1_000_000_000;
const DAY_NS: u64 = 86_400 * SECOND_NS;
/// When everything of these tests happens.
const NOW_NS: u64 = 1_767_225_600 * SECOND_NS;

/// A step out of the words of the ledger.
fn step(json: &str) -> Event {
    serde_json::from_str(json).unwrap_or_else(|error| panic!("{error}: {json}"))
}

fn created(name: &str, role: Role, by: &str) -> Event {
    Event::Created { name: name.into(), role, by: by.into() }
}

/// Ada and Alan administer, Eve is an engineer with a token, Per approves, Old is disabled.
fn people() -> Accounts {
    let eve =
        r#"{"step": "token_made", "id": "00112233aabbccdd", "name": "Eve", "by": "Eve", "rights": ["read", "ask"], "expires_ns": EXPIRES}"#;
    let steps = [
        created("Ada", Role::Administrator, FIRST_START),
        created("Alan", Role::Administrator, "Ada"),
        created("Eve", Role::Engineer, "Alan"),
        created("Per", Role::Approver, SHELL),
        created("Old", Role::Viewer, "ada"),
        step(r#"{"step": "disabled", "name": "Old", "by": "Ada", "why": "left"}"#),
        step(&eve.replace("EXPIRES", &(NOW_NS + 30 * DAY_NS).to_string())),
    ];
    let mut accounts = Accounts::default();
    (1..).zip(&steps).for_each(|(index, step)| accounts.take(step, index, NOW_NS));
    assert_eq!(accounts.remarks, Vec::<String>::new());
    accounts
}

#[test]
fn a_role_has_the_rights_that_the_table_says() {
    let table = [
        (Role::Viewer, "read"),
        (Role::Engineer, "read, ask, record"),
        (Role::Approver, "read, approve"),
        (Role::Auditor, "read, audit"),
        (Role::Administrator, "read, audit, administer"),
    ];
    assert_eq!(table.map(|(role, _)| role), Role::ALL);
    for (role, rights) in table {
        assert_eq!(role.rights().to_string(), rights, "{role}");
        assert_eq!(Right::ALL.into_iter().filter(|right| role.rights().has(*right)).count(), rights.split(", ").count());
    }
}

#[test]
fn every_step_has_one_form_in_the_ledger_and_a_sentence() {
    let table = [
        (r#"{"step":"created","name":"Bo","role":"engineer","by":"Ada"}"#, "Ada made an account for Bo: engineer"),
        (r#"{"step":"role","name":"Bo","role":"approver","by":"Ada"}"#, "Ada made Bo approver"),
        (r#"{"step":"disabled","name":"Bo","by":"Ada","why":"left"}"#, "Ada disabled Bo: left"),
        (r#"{"step":"enabled","name":"Bo","by":"Ada"}"#, "Ada enabled Bo"),
        (r#"{"step":"link_made","name":"Bo","by":"Ada","expires_ns":1767225600000000000}"#, "good until 2026-01-01T00:00:00"),
        (r#"{"step":"password_set","name":"Bo"}"#, "Bo has a new password"),
        (r#"{"step":"logged_in","name":"Bo","from":"192.0.2.1"}"#, "Bo logged in from 192.0.2.1"),
        (r#"{"step":"logged_out","name":"Bo"}"#, "Bo logged out"),
        (
            r#"{"step":"refused","name":"Bo","from":"::1","why":"wrong password","times":4}"#,
            "Bo was refused from ::1: wrong password, 4 times",
        ),
        (r#"{"step":"refused","from":"::1","why":"no such","times":1}"#, "a name that no account has was refused"),
        (r#"{"step":"locked","name":"Bo","until_ns":1767225600000000000}"#, "Bo is locked until 2026-01-01"),
        (
            r#"{"step":"token_made","id":"0011","name":"Bo","rights":["read","ask"],"by":"Bo","expires_ns":1767225600000000000}"#,
            "Bo made token 0011 for Bo (read, ask), good until 2026",
        ),
        (r#"{"step":"token_revoked","id":"0011","by":"Ada"}"#, "Ada revoked token 0011"),
        (r#"{"step":"wanted","by":"Bo","what":"PLC 1 read"}"#, "Bo: PLC 1 read"),
    ];
    for (json, sentence) in table {
        let event = step(json);
        let said: serde_json::Value = serde_json::to_value(&event).expect("plain values");
        assert_eq!(said, serde_json::from_str::<serde_json::Value>(json).expect("JSON"));
        assert!(event.to_string().contains(sentence), "{event}");
    }
    for wrong in [
        r#"{"step":"wanted","by":"Bo","what":"x","password":"y"}"#,
        r#"{"step":"hacked"}"#,
        r#"{"step":"role","name":"Bo","role":"god","by":"Ada"}"#,
    ] {
        assert!(serde_json::from_str::<Event>(wrong).is_err(), "{wrong}");
    }
}

/// A step, and part of the sentence that says why it may not be taken; `IN n` is a time so many seconds ahead.
const MAY: &[(&str, Option<&str>)] = &[
    // Accounts.
    (r#"{"step": "created", "name": "Bo", "role": "viewer", "by": "Ada"}"#, None),
    (r#"{"step": "created", "name": "Bo", "role": "administrator", "by": "the shell"}"#, None),
    (r#"{"step": "created", "name": "Bo", "role": "viewer", "by": "Eve"}"#, Some("Eve is no administrator")),
    (r#"{"step": "created", "name": "Bo", "role": "viewer", "by": "Old"}"#, Some("Old is no administrator")),
    (r#"{"step": "created", "name": "Bo", "role": "viewer", "by": "Nobody"}"#, Some("Nobody is no administrator")),
    (r#"{"step": "created", "name": "Bo", "role": "viewer", "by": "The Shell"}"#, Some("The Shell is no administrator")),
    (r#"{"step": "created", "name": "Bo", "role": "administrator", "by": "first start"}"#, Some("the first start is over")),
    (r#"{"step": "created", "name": "eve", "role": "viewer", "by": "Ada"}"#, Some("an account \"Eve\" already; a name is given once")),
    (r#"{"step": "created", "name": "OLD", "role": "viewer", "by": "Ada"}"#, Some("already, which is disabled")),
    // Roles.
    (r#"{"step": "role", "name": "eve", "role": "approver", "by": "Ada"}"#, None),
    (r#"{"step": "role", "name": "Ada", "role": "viewer", "by": "Alan"}"#, None),
    (r#"{"step": "role", "name": "Ada", "role": "viewer", "by": "ADA"}"#, Some("nobody gives a role to himself")),
    (r#"{"step": "role", "name": "Eve", "role": "administrator", "by": "Eve"}"#, Some("Eve is no administrator")),
    (r#"{"step": "role", "name": "Eve", "role": "engineer", "by": "Ada"}"#, Some("Eve is engineer already")),
    (r#"{"step": "role", "name": "Old", "role": "engineer", "by": "Ada"}"#, Some("Old is disabled")),
    (r#"{"step": "role", "name": "Bo", "role": "engineer", "by": "Ada"}"#, Some("no account \"Bo\"")),
    // Disabling.
    (r#"{"step": "disabled", "name": "Eve", "by": "Ada", "why": "left"}"#, None),
    (r#"{"step": "disabled", "name": "Ada", "by": "Ada", "why": "I leave"}"#, None),
    (r#"{"step": "disabled", "name": "Eve", "by": "Per", "why": "left"}"#, Some("Per is no administrator")),
    (r#"{"step": "disabled", "name": "Eve", "by": "Ada", "why": " "}"#, Some("the reason is empty")),
    (r#"{"step": "disabled", "name": "Old", "by": "Ada", "why": "left"}"#, Some("Old is disabled")),
    (r#"{"step": "enabled", "name": "Old", "by": "Ada"}"#, None),
    (r#"{"step": "enabled", "name": "Old", "by": "Old"}"#, Some("Old is no administrator")),
    (r#"{"step": "enabled", "name": "Eve", "by": "Ada"}"#, Some("Eve is not disabled")),
    // Links and passwords.
    (r#"{"step": "link_made", "name": "Eve", "by": "Ada", "expires_ns": IN 86400}"#, None),
    (r#"{"step": "link_made", "name": "Eve", "by": "Eve", "expires_ns": IN 86400}"#, Some("Eve is no administrator")),
    (r#"{"step": "link_made", "name": "Eve", "by": "Ada", "expires_ns": IN 604801}"#, Some("a link ends within")),
    (r#"{"step": "link_made", "name": "Eve", "by": "Ada", "expires_ns": IN 0}"#, Some("a link ends in the future")),
    (r#"{"step": "link_made", "name": "Old", "by": "Ada", "expires_ns": IN 60}"#, Some("Old is disabled")),
    (r#"{"step": "password_set", "name": "Eve"}"#, None),
    (r#"{"step": "password_set", "name": "Old"}"#, Some("Old is disabled")),
    // Coming and going.
    (r#"{"step": "logged_in", "name": "Eve", "from": "192.0.2.1"}"#, None),
    (r#"{"step": "logged_in", "name": "Old", "from": "192.0.2.1"}"#, Some("Old is disabled")),
    (r#"{"step": "logged_in", "name": "Eve", "from": "\u001b[2J"}"#, Some("cannot be seen")),
    (r#"{"step": "logged_out", "name": "Old"}"#, None),
    (r#"{"step": "refused", "name": "Old", "from": "::1", "why": "wrong password", "times": 4}"#, None),
    (r#"{"step": "refused", "from": "::1", "why": "no such account", "times": 1}"#, None),
    (r#"{"step": "refused", "name": "hunter2", "from": "::1", "why": "no such account", "times": 1}"#, Some("no account \"hunter2\"")),
    (r#"{"step": "refused", "name": "Eve", "from": "::1", "why": "wrong password", "times": 0}"#, Some("nobody was refused")),
    (r#"{"step": "locked", "name": "Eve", "until_ns": IN 900}"#, None),
    (r#"{"step": "locked", "name": "Eve", "until_ns": IN 901}"#, Some("a lock ends within")),
    (r#"{"step": "wanted", "by": "Eve", "what": "PLC 1 read"}"#, None),
    (r#"{"step": "wanted", "by": "Old", "what": "PLC 1 read"}"#, Some("Old is disabled")),
    (r#"{"step": "wanted", "by": "Eve", "what": ""}"#, Some("what was wanted is empty")),
    // Tokens.
    (
        r#"{"step": "token_made", "id": "00000000000000aa", "name": "Eve", "by": "eve", "rights": ["record"], "expires_ns": IN 31622400}"#,
        None,
    ),
    (
        r#"{"step": "token_made", "id": "00000000000000aa", "name": "Eve", "by": "Eve", "rights": ["record"], "expires_ns": IN 31622401}"#,
        Some("a token ends within"),
    ),
    (
        r#"{"step": "token_made", "id": "00000000000000aa", "name": "Eve", "by": "Eve", "rights": ["read", "approve"], "expires_ns": IN 60}"#,
        Some("a token may no more"),
    ),
    (
        r#"{"step": "token_made", "id": "00000000000000aa", "name": "Eve", "by": "Eve", "rights": [], "expires_ns": IN 60}"#,
        Some("good for nothing"),
    ),
    (
        r#"{"step": "token_made", "id": "00000000000000aa", "name": "Eve", "by": "Ada", "rights": ["read"], "expires_ns": IN 60}"#,
        Some("is made by Eve, not by Ada"),
    ),
    (
        r#"{"step": "token_made", "id": "00112233aabbccdd", "name": "Per", "by": "Per", "rights": ["read"], "expires_ns": IN 60}"#,
        Some("a token 00112233aabbccdd already"),
    ),
    (
        r#"{"step": "token_made", "id": "00000000000000AA", "name": "Eve", "by": "Eve", "rights": ["read"], "expires_ns": IN 60}"#,
        Some("16 hexadecimal digits"),
    ),
    (
        r#"{"step": "token_made", "id": "00000000000000aa", "name": "Old", "by": "Old", "rights": ["read"], "expires_ns": IN 60}"#,
        Some("Old is disabled"),
    ),
    (r#"{"step": "token_revoked", "id": "00112233aabbccdd", "by": "EVE"}"#, None),
    (r#"{"step": "token_revoked", "id": "00112233aabbccdd", "by": "Ada"}"#, None),
    (r#"{"step": "token_revoked", "id": "00112233aabbccdd", "by": "Per"}"#, Some("Per is no administrator")),
    (r#"{"step": "token_revoked", "id": "ffffffffffffffff", "by": "Ada"}"#, Some("there is no token")),
];

#[test]
fn who_may_take_which_step() {
    for (json, expected) in MAY {
        let event = match json.split_once("IN ") {
            Some((before, rest)) => {
                let seconds: u64 = rest.trim_end_matches('}').parse().expect("seconds");
                step(&format!("{before}{}}}", NOW_NS + seconds * SECOND_NS))
            }
            None => step(json),
        };
        let accounts = people();
        match (accounts.allows(&event, NOW_NS), expected) {
            (Ok(()), None) => {}
            (Err(why), Some(part)) => assert!(why.contains(part), "{json}: {why}"),
            (said, _) => panic!("{json}: {said:?}, not {expected:?}"),
        }
    }
}

#[test]
fn the_last_administrator_stays_one() {
    let mut accounts = people();
    let alan = step(r#"{"step": "disabled", "name": "Alan", "by": "Ada", "why": "left"}"#);
    accounts.take(&alan, 20, NOW_NS);
    for json in [
        r#"{"step": "disabled", "name": "Ada", "by": "Ada", "why": "left"}"#,
        r#"{"step": "disabled", "name": "Ada", "by": "the shell", "why": "left"}"#,
        r#"{"step": "role", "name": "Ada", "role": "viewer", "by": "the shell"}"#,
    ] {
        let why = accounts.allows(&step(json), NOW_NS).expect_err(json);
        assert!(why.contains("Ada is the last administrator"), "{why}");
        let before = accounts.clone();
        accounts.take(&step(json), 21, NOW_NS);
        assert_eq!(accounts.remarks.pop(), Some(format!("entry 21: {why}")), "it is a remark");
        assert_eq!(accounts, before, "and changes nothing");
    }
}

#[test]
fn names_that_look_alike_are_one_and_what_cannot_be_seen_is_none() {
    let one: &[(&str, &str)] = &[
        ("Ada Byron", "ADA BYRON"),
        ("Straße", "STRASSE"),
        ("ΟΔΟΣ", "οδος"),
        ("Åse", "åse"),
        ("Kai", "\u{212a}ai"), // the sign for kelvin
    ];
    for (a, b) in one {
        assert_eq!(key(a), key(b), "{a} {b}");
        assert_eq!((check(a), check(b)), (Ok(()), Ok(())));
    }
    for (a, b) in [("Ada", "Ida"), ("Müller", "Muller"), ("Ada B", "AdaB")] {
        assert_ne!(key(a), key(b));
    }
    let longest = "ä".repeat(NAME_CHARS_MAX);
    assert_eq!(check(&longest), Ok(()));
    for (name, part) in [
        ("", "1 to 80 characters, this one 0"),
        (&format!("{longest}a"), "this one 81"),
        (" Ada", "begins and ends"),
        ("Ada ", "begins and ends"),
        ("Ada  Byron", "one blank between"),
        ("Ada\tByron", "U+0009"),
        ("Ada\nByron", "U+000A"),
        ("Ada\u{a0}Byron", "U+00A0"),
        ("Ada\u{200b}", "U+200B"),
        ("Ad\u{202e}a", "U+202E"),
        ("A\u{ad}da", "U+00AD"),
        ("\u{3164}", "U+3164"),
        ("\u{2800}", "U+2800"),
        ("A\u{fe0f}", "U+FE0F"),
        ("A\u{e0101}", "U+E0101"),
        ("\u{1b}[31mAda", "U+001B"),
        ("Ada\0", "U+0000"),
        ("A\u{30a}se", "U+030A"),
        ("the shell", "take another name"),
        ("The SHELL", "take another name"),
        ("First Start", "take another name"),
    ] {
        let why = check(name).expect_err(name);
        assert!(why.contains(part), "{name:?}: {why}");
        assert!(!why.chars().any(crate::text::is_invisible), "an error can be printed");
    }
    // Harmless on a page that escapes: names are not for programs to read.
    assert_eq!(check("<script>alert(1)</script>"), Ok(()));
    assert_eq!(check("O'Neill; DROP TABLE"), Ok(()));
}

#[test]
fn a_token_does_what_its_account_may_now() {
    let mut accounts = people();
    let rights = |accounts: &Accounts, now| accounts.token("00112233aabbccdd").map(|token| accounts.token_rights(token, now).to_string());
    assert_eq!(rights(&accounts, NOW_NS).as_deref(), Some("read, ask"));
    assert_eq!(rights(&accounts, NOW_NS + 30 * DAY_NS).as_deref(), Some(""), "it has ended");
    accounts.take(&step(r#"{"step": "role", "name": "Eve", "role": "approver", "by": "Ada"}"#), 20, NOW_NS);
    assert_eq!(rights(&accounts, NOW_NS).as_deref(), Some("read"));
    accounts.take(&step(r#"{"step": "role", "name": "Eve", "role": "engineer", "by": "Ada"}"#), 21, NOW_NS);
    assert_eq!(rights(&accounts, NOW_NS).as_deref(), Some("read, ask"));
    accounts.take(&step(r#"{"step": "disabled", "name": "Eve", "by": "Ada", "why": "stolen"}"#), 22, NOW_NS);
    assert_eq!(rights(&accounts, NOW_NS).as_deref(), Some(""));
    accounts.take(&step(r#"{"step": "enabled", "name": "Eve", "by": "Ada"}"#), 23, NOW_NS);
    assert_eq!(rights(&accounts, NOW_NS).as_deref(), Some(""), "it does not come back");
    assert_eq!(accounts.token("00112233aabbccdd").and_then(|token| token.revoked_by.as_deref()), Some("Ada"));
}

#[test]
fn an_account_has_so_many_tokens_and_no_more() {
    let mut accounts = people();
    let token = |number: usize, days: u64| Event::TokenMade {
        id: format!("{number:016x}"),
        name: "Per".into(),
        rights: Rights::of(&[Right::Read]),
        by: "Per".into(),
        expires_ns: NOW_NS + days * DAY_NS,
    };
    (0..TOKENS_MAX).for_each(|number| accounts.take(&token(number, 2 - number as u64 % 2), 20 + number as u64, NOW_NS));
    assert_eq!(accounts.remarks, Vec::<String>::new());
    let why = accounts.allows(&token(99, 1), NOW_NS).expect_err("one too many");
    assert!(why.contains("32 tokens already"), "{why}");
    assert_eq!(accounts.allows(&token(99, 3), NOW_NS + DAY_NS), Ok(()), "those that ended do not count");
}

#[test]
fn a_lock_holds_until_its_time_and_a_clock_that_was_put_back_locks_nobody_out() {
    let mut accounts = people();
    let locked = |accounts: &Accounts, now| accounts.get("eve").and_then(|eve| eve.locked_until(now));
    let until_ns = NOW_NS + 60 * SECOND_NS;
    accounts.take(&Event::Locked { name: "Eve".into(), until_ns }, 20, NOW_NS);
    assert_eq!(locked(&accounts, NOW_NS), Some(until_ns));
    assert_eq!(locked(&accounts, until_ns - 1), Some(until_ns));
    assert_eq!(locked(&accounts, until_ns), None);
    assert_eq!(locked(&accounts, NOW_NS - DAY_NS), None);
    accounts.take(&step(r#"{"step": "password_set", "name": "Eve"}"#), 21, NOW_NS);
    assert_eq!(locked(&accounts, NOW_NS), None, "a link opens it");
    assert_eq!(accounts.get("Eve").map(|eve| (eve.locks, eve.turn)), Some((0, 21)));
}
