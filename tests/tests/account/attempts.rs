//! Guessing passwords: locks, throttles, and what the ledger is told. Attempts under way are real, time is not.

use nameplate::account::Refused;
use nameplate_core::account::Event;

use super::{BEGUN_NS, Desk, HOUR_NS, OFFICE, SECOND_NS, password_of};

const MINUTE_NS: u64 = 60 * SECOND_NS;

fn locked(until_ns: u64) -> Refused {
    Refused::Locked { until_ns }
}

#[test]
fn five_wrong_passwords_lock_an_account_for_a_while_that_grows() {
    let mut desk = Desk::with_people();
    for minutes in [1, 2, 4, 8, 15, 15] {
        let until_ns = desk.now_ns + minutes * MINUTE_NS;
        for _ in 0..4 {
            assert_eq!(desk.guess("Eve"), Refused::Wrong);
        }
        assert_eq!(desk.guess("eve"), locked(until_ns), "however the name is written");
        let right = desk.log_in_from("Eve", &password_of("Eve"), OFFICE).err();
        assert_eq!(right, Some(locked(until_ns)), "nobody looks at a password, be it right");
        desk.log_in("Ada");
        desk.now_ns = until_ns;
    }
    desk.log_in("Eve");
    (0..4).for_each(|_| assert_eq!(desk.guess("Eve"), Refused::Wrong));
    assert_eq!(desk.guess("Eve"), locked(desk.now_ns + MINUTE_NS), "who came in begins anew");
}

#[test]
fn a_lock_outlives_a_restart_and_so_does_its_growth() {
    let mut desk = Desk::with_people();
    for _ in 0..5 {
        desk.guess("Eve");
    }
    let until_ns = desk.now_ns + MINUTE_NS;
    desk.restart();
    assert_eq!(desk.guess("Eve"), locked(until_ns));
    desk.now_ns = until_ns;
    desk.restart();
    (0..4).for_each(|_| assert_eq!(desk.guess("Eve"), Refused::Wrong));
    assert_eq!(desk.guess("Eve"), locked(desk.now_ns + 2 * MINUTE_NS));
}

#[test]
fn a_link_opens_a_lock() {
    let mut desk = Desk::with_people();
    for _ in 0..5 {
        desk.guess("Eve");
    }
    let (secret, act) = desk.gate.make_link("Eve", "Ada", &desk.accounts, desk.now_ns).expect("a link");
    desk.act(act);
    desk.redeem(&secret, "Eve", "another sentence");
    assert!(desk.log_in_from("Eve", "another sentence", OFFICE).is_ok());
}

#[test]
fn the_ledger_hears_of_the_first_wrong_password_and_then_of_each_lock() {
    let mut desk = Desk::with_people();
    let told = desk.told.len();
    let (mut guesses, mut locks) = (0_u64, 0_usize);
    while desk.now_ns < BEGUN_NS + 2 * HOUR_NS {
        match desk.guess("Eve") {
            Refused::Wrong => guesses += 1,
            Refused::Locked { until_ns } => {
                (guesses, locks) = (guesses + 1, locks + 1);
                desk.now_ns = until_ns;
            }
            other => panic!("{other}"),
        }
    }
    let new = &desk.told[told..];
    let counted: u64 = new.iter().filter_map(|event| if let Event::Refused { times, .. } = event { Some(*times) } else { None }).sum();
    let locked = new.iter().filter(|event| matches!(event, Event::Locked { .. })).count();
    assert_eq!((counted, locked, new.len()), (guesses, locks, 1 + 2 * locks), "nothing is left out, and two hours of it are a few entries");
    assert!(locks < 15, "{locks}");
    assert!(matches!(&new[0], Event::Refused { times: 1, from, .. } if from == "10.0.0.1"), "{:?}", new[0]);
    assert!(matches!(&new[1], Event::Refused { times: 4, from, .. } if from == "10.0.0.5"), "{:?}", new[1]);

    let told = desk.told.len();
    desk.guess("Eve");
    desk.guess("Eve");
    assert_eq!(desk.told.len(), told);
    desk.log_in("Eve");
    let last = desk.told[told..].iter().map(|event| event.to_string()).collect::<Vec<_>>();
    assert!(last[0].contains("wrong password, 2 times") && last[1].contains("logged in"), "{last:?}");
}

#[test]
fn a_name_that_no_account_has_is_refused_as_one_that_has_and_never_written_down() {
    let mut desk = Desk::with_people();
    let begun_ns = desk.now_ns;
    for _ in 0..2 {
        for _ in 0..5 {
            let (known, unknown) = (desk.guess("Eve"), desk.guess("hunter2 my password"));
            assert_eq!(known, unknown, "whoever guesses names learns nothing");
        }
        let (known, unknown) = (desk.guess("Eve"), desk.guess("Hunter2  my password"));
        assert_eq!(known, unknown);
        desk.wait(MINUTE_NS);
    }
    assert!(desk.now_ns - begun_ns < HOUR_NS);
    let unknown: Vec<_> = desk.told.iter().filter(|event| matches!(event, Event::Refused { name: None, .. })).collect();
    assert_eq!(unknown.len(), 1, "{unknown:?}");
    desk.wait(HOUR_NS);
    desk.guess("somebody else");
    assert!(matches!(desk.told.last(), Some(Event::Refused { name: None, times: 10, .. })), "{:?}", desk.told.last());
    let all = serde_json::to_string(&desk.told).expect("plain values").to_lowercase();
    assert!(!all.contains("hunter2") && !all.contains("not the password"), "{all}");
}

#[test]
fn an_account_without_a_password_or_disabled_is_refused_as_any() {
    let mut desk = Desk::with_people();
    desk.record(vec![Event::Created { name: "New".into(), role: nameplate_core::account::Role::Viewer, by: "Ada".into() }]);
    desk.record(vec![Event::Disabled { name: "Eve".into(), by: "Ada".into(), why: "left".into() }]);
    for (name, why) in [("New", "no password yet"), ("Eve", "disabled")] {
        assert_eq!(desk.log_in_from(name, &password_of(name), OFFICE).err(), Some(Refused::Wrong));
        let told = desk.told.last().map(ToString::to_string).unwrap_or_default();
        assert!(told.contains(why), "the auditor learns why: {told}");
    }
}

#[test]
fn one_source_has_ten_attempts_whatever_the_names() {
    let mut desk = Desk::with_people();
    let tried = |desk: &mut Desk, number: u32| desk.log_in_from(&format!("name {number}"), "not the password", OFFICE).err();
    for number in 0..10 {
        assert_eq!(tried(&mut desk, number), Some(Refused::Wrong), "{number}");
    }
    let until_ns = desk.now_ns + 6 * SECOND_NS;
    assert_eq!(tried(&mut desk, 11), Some(Refused::Throttled { until_ns }));
    assert_eq!(desk.log_in_from("Eve", &password_of("Eve"), OFFICE).err(), Some(Refused::Throttled { until_ns }));
    assert!(desk.log_in_from("Eve", &password_of("Eve"), "192.0.2.8").is_ok(), "somebody elsewhere comes in");
    desk.now_ns = until_ns;
    desk.log_in("Eve");
}

#[test]
fn attempts_that_are_under_way_count_and_are_few() {
    let mut desk = Desk::with_people();
    let begin = |desk: &mut Desk, name: &str, number: u8| {
        let from = std::net::IpAddr::V4([198, 51, 100, number].into());
        desk.gate.begin(name, from, &desk.accounts, desk.now_ns)
    };
    let mut open: Vec<_> = (0..5).map(|number| begin(&mut desk, "Eve", number).expect("an attempt")).collect();
    assert_eq!(begin(&mut desk, "Eve", 5).err(), Some(Refused::Busy), "five guesses at once are all there are");
    open.extend((6..9).map(|number| begin(&mut desk, "Ada", number).expect("an attempt")));
    assert_eq!(begin(&mut desk, "Ada", 9).err(), Some(Refused::Busy), "eight at once of all");
    // Who went away before the answer learnt nothing, and holds nobody up.
    drop(open);
    desk.log_in("Eve");
    desk.log_in("Ada");
}
