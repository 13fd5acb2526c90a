//! `nameplate account`, as the owner of a gateway runs it.

use nameplate::account::{Gate, NewPassword, Pending};
use nameplate::store::{Store, now_ns};
use nameplate_tests::place::needed;
use nameplate_tests::product::{Product, State, code};
use serde_json::{Value, json};

/// Runs `account` with these words.
fn account(product: &Product, state: &State, words: &[&str]) -> nameplate_tests::product::Ended {
    product.run(["account"].iter().chain(words).chain(&["--format", "ndjson", "--state", &state.text()]))
}

#[test]
fn the_owner_makes_accounts_at_the_shell() {
    let Some(product) = needed("the_owner_makes_accounts_at_the_shell", Product::find()) else { return };
    let state = State::new();
    let none = account(&product, &state, &["list"]).expect(code::DONE);
    assert!(none.out.is_empty() && none.err.contains("no accounts"), "{}", none.err);
    let added = account(&product, &state, &["add", "Ada Byron", "--role", "administrator"]).expect(code::DONE);
    let said = added.lines();
    let [line] = said.as_slice() else { panic!("{said:?}") };
    assert_eq!(line["name"], "Ada Byron");
    let path = line["path"].as_str().expect("a path").to_owned();
    let secret = path.strip_prefix("/first/").expect("of the page").to_owned();
    assert!(!added.err.contains(&secret), "it is said once");
    account(&product, &state, &["add", " Bo ", "--role", "engineer"]).expect(code::DONE);

    let listed = account(&product, &state, &["list"]).expect(code::DONE);
    let lines: Vec<Value> = listed.lines();
    let shown = |line: &Value| json!([line["name"], line["role"], line["rights"], line["active"], line["has_password"], line["logged_in"]]);
    let expected = [
        json!(["Ada Byron", "administrator", ["read", "audit", "administer"], true, false, null]),
        json!(["Bo", "engineer", ["read", "ask", "record"], true, false, null]),
    ];
    assert_eq!(lines.iter().map(shown).collect::<Vec<_>>(), expected);

    // What the page does with the path.
    let accounts = Store::read(state.path()).expect("a state").expect("a ledger").view(None).expect("a view").accounts;
    let gate = Gate::open(state.path()).expect("a gate");
    assert_eq!(gate.check_link(&secret, &accounts, now_ns()), Some(Pending::Account("Ada Byron".into())));
    let new = NewPassword::hash("Ada Byron", "another sentence").expect("a good one");
    assert!(gate.redeem(&secret, new, &accounts, now_ns()).is_ok());

    account(&product, &state, &["disable", "bo", "--why", "left"]).expect(code::DONE);
    account(&product, &state, &["enable", "BO"]).expect(code::DONE);
    account(&product, &state, &["role", "Bo", "--role", "approver"]).expect(code::DONE);
    let again = account(&product, &state, &["link", "ada byron"]).expect(code::DONE);
    assert_eq!(again.lines()[0]["name"], "Ada Byron");
    let listed = account(&product, &state, &["list"]).expect(code::DONE).lines();
    assert_eq!((listed[1]["role"].as_str(), listed[1]["active"].as_bool()), (Some("approver"), Some(true)));
    product.run(["ledger", "verify", "--state", &state.text()]).expect(code::DONE);
}

#[test]
fn a_rule_of_accounts_is_said_in_a_sentence() {
    let Some(product) = needed("a_rule_of_accounts_is_said_in_a_sentence", Product::find()) else { return };
    let state = State::new();
    account(&product, &state, &["add", "Ada", "--role", "administrator"]).expect(code::DONE);
    let table: [(&[&str], &str); 9] = [
        (&["add", "ADA", "--role", "viewer"], "a name is given once"),
        (&["add", "", "--role", "viewer"], "1 to 80 characters"),
        (&["add", "E\u{202e}ve", "--role", "viewer"], "U+202E"),
        (&["add", "the shell", "--role", "viewer"], "take another name"),
        (&["add", "Eve", "--role", "god"], "possible values"),
        (&["disable", "Ada", "--why", "left"], "the last administrator"),
        (&["role", "Ada", "--role", "viewer"], "the last administrator"),
        (&["link", "Nobody"], "no account \"Nobody\""),
        (&["enable", "Ada"], "is not disabled"),
    ];
    for (words, part) in table {
        let ended = account(&product, &state, words).expect(code::USAGE);
        assert!(ended.err.contains(part) && ended.out.is_empty(), "{words:?}: {}", ended.err);
    }
    let accounts = Store::read(state.path()).expect("a state").expect("a ledger").view(None).expect("a view").accounts;
    assert_eq!((accounts.iter().count(), accounts.remarks.len()), (1, 0), "nothing of it stands in the ledger");
}

#[test]
fn beside_a_desk_that_runs_accounts_are_listed_and_not_changed() {
    let Some(product) = needed("beside_a_desk_that_runs_accounts_are_listed_and_not_changed", Product::find()) else { return };
    let state = State::new();
    account(&product, &state, &["add", "Ada", "--role", "administrator"]).expect(code::DONE);
    let desk = Store::write(state.path()).expect("the desk's");
    let ended = account(&product, &state, &["link", "Ada"]).expect(code::INPUT);
    assert!(ended.err.contains("another nameplate is writing to this state"), "{}", ended.err);
    assert_eq!(account(&product, &state, &["list"]).expect(code::DONE).lines().len(), 1);
    drop(desk);
    account(&product, &state, &["link", "Ada"]).expect(code::DONE);
}
