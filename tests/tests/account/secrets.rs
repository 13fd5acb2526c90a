//! `secrets.json`: whole, private, and never the only place of anything but secrets.

use std::fs;
use std::path::PathBuf;

use nameplate::account::{Gate, NewPassword, Refused};
use nameplate_core::account::{Right, Rights};

use super::{Desk, OFFICE, password_of};

fn file(desk: &Desk) -> PathBuf {
    desk.state.path().join("secrets.json")
}

/// A desk with a password, a token and a link, and all that opens something.
fn full() -> (Desk, Vec<String>) {
    let mut desk = Desk::with_people();
    let session = desk.log_in("Eve");
    let person = desk.gate.session(&session.cookie, &desk.accounts, desk.now_ns).expect("who just came in");
    let (token, act) = desk.gate.make_token(&person, Rights::of(&[Right::Read]), 30, &desk.accounts, desk.now_ns).expect("a token");
    desk.act(act);
    let (link, act) = desk.gate.make_link("Ada", "Ada", &desk.accounts, desk.now_ns).expect("a link");
    desk.act(act);
    let secrets = vec![password_of("Ada"), password_of("Eve"), session.cookie, token, link];
    (desk, secrets)
}

#[test]
fn what_opens_something_stands_neither_in_the_file_nor_in_the_ledger() {
    let (desk, secrets) = full();
    let kept = fs::read_to_string(file(&desk)).expect("the file");
    let told = serde_json::to_string(&desk.told).expect("plain values");
    for secret in &secrets {
        assert!(!kept.contains(secret) && !told.contains(secret), "{secret}");
    }
    let json: serde_json::Value = serde_json::from_str(&kept).expect("JSON");
    let hashes = json["passwords"].as_object().expect("passwords");
    assert_eq!(hashes.len(), 2);
    for hash in hashes.values().filter_map(serde_json::Value::as_str) {
        assert!(hash.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{hash}");
        let own = hash.rsplit('$').next().expect("a hash");
        assert!(!told.contains(own));
    }
}

#[cfg(unix)]
#[test]
fn the_file_is_its_owners_alone_whatever_a_power_cut_left() {
    use std::os::unix::fs::PermissionsExt;
    let mode = |desk: &Desk| fs::metadata(file(desk)).expect("the file").permissions().mode() & 0o777;
    let mut desk = Desk::with_people();
    assert_eq!(mode(&desk), 0o600);
    let left = desk.state.path().join("secrets.json.new");
    fs::write(&left, "half").expect("written");
    fs::set_permissions(&left, fs::Permissions::from_mode(0o666)).expect("set");
    let (_, act) = desk.gate.make_link("Eve", "Ada", &desk.accounts, desk.now_ns).expect("a link");
    desk.act(act);
    assert_eq!(mode(&desk), 0o600);
    assert!(!left.exists());
}

#[test]
fn a_file_that_was_cut_off_anywhere_is_refused_and_left_alone() {
    let (mut desk, _) = full();
    let whole = fs::read(file(&desk)).expect("the file");
    for length in 0..whole.len() {
        fs::write(file(&desk), &whole[..length]).expect("written");
        let why = Gate::open(desk.state.path()).err().map(|failure| failure.why).unwrap_or_else(|| panic!("taken with {length} bytes"));
        assert!(why.contains("secrets.json") && why.contains("damaged") && why.contains("nameplate account link"), "{why}");
        assert!(!why.contains("$argon2id"), "an error repeats no hash: {why}");
        assert_eq!(fs::read(file(&desk)).expect("the file"), &whole[..length], "nothing is lost");
    }
    fs::write(file(&desk), &whole).expect("written");
    desk.restart();
    desk.log_in("Eve");
}

#[test]
fn a_file_of_another_form_is_refused_by_name() {
    let desk = Desk::new();
    for (text, part) in [
        (r#"{"version": 2, "passwords": {}, "tokens": {}, "links": {}}"#, "of version 2"),
        (r#"{"version": 1, "passwords": {}, "tokens": {}, "links": {}, "keys": {}}"#, "damaged"),
        (r#"{"version": 1, "passwords": {}, "tokens": {}}"#, "damaged"),
        ("[]", "damaged"),
        ("\u{feff}{}", "damaged"),
    ] {
        fs::write(file(&desk), text).expect("written");
        let why = Gate::open(desk.state.path()).err().expect(text).why;
        assert!(why.contains(part), "{why}");
    }
    fs::write(file(&desk), [0xff, 0xfe]).expect("written");
    assert!(Gate::open(desk.state.path()).is_err());
}

#[test]
fn who_loses_the_file_makes_new_links_and_has_lost_nothing_else() {
    let (mut desk, secrets) = full();
    let before = desk.accounts.clone();
    fs::remove_file(file(&desk)).expect("gone");
    desk.restart();
    assert_eq!(desk.log_in_from("Eve", &password_of("Eve"), OFFICE).err(), Some(Refused::Wrong));
    for secret in &secrets {
        assert!(desk.gate.token(secret, &desk.accounts, desk.now_ns).is_none());
        assert!(desk.gate.check_link(secret, &desk.accounts, desk.now_ns).is_none());
    }
    assert!(!desk.gate.has_password("Eve"));
    assert_eq!(desk.accounts.iter().map(|account| &account.name).collect::<Vec<_>>(), ["Ada", "Eve"]);
    assert_eq!(desk.gate.first_link(&desk.accounts, desk.now_ns), None, "there is an administrator, and the shell makes links");
    assert_eq!(before.iter().count(), desk.accounts.iter().count());
    let (secret, act) = desk.gate.make_link("Eve", nameplate_core::account::SHELL, &desk.accounts, desk.now_ns).expect("a link");
    desk.act(act);
    desk.redeem(&secret, "Eve", &password_of("Eve"));
    desk.log_in("Eve");
}

#[test]
fn a_secret_that_cannot_be_written_is_not_good_and_the_old_one_is() {
    let mut desk = Desk::with_people();
    let before = fs::read(file(&desk)).expect("the file");
    // A folder where the new file is written: no file can be made there, whoever tries.
    fs::create_dir(desk.state.path().join("secrets.json.new")).expect("made");
    let fresh = desk.log_in("Eve");
    let new = NewPassword::hash("Eve", "another sentence").expect("a good one");
    let act = desk.gate.set_password(&fresh, new, &desk.accounts).expect("who just came in");
    desk.record(act.events.clone());
    let why = desk.gate.take(act).expect_err("it cannot be written").why;
    assert!(why.contains("secrets.json") && why.contains("cannot be written"), "{why}");
    assert_eq!(fs::read(file(&desk)).expect("the file"), before);
    assert_eq!(desk.log_in_from("Eve", "another sentence", OFFICE).err(), Some(Refused::Wrong));
    desk.log_in("Eve");
}
