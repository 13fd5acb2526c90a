use super::*;

const DAY_NS: u64 = 86_400_000_000_000;
/// 2026-01-01.
const BEGUN_NS: u64 = 1_767_225_600_000_000_000;

fn offer(publisher: &str, kind: Kind, version: u64, made_day: u64) -> Offer {
    Offer {
        expires_ns: BEGUN_NS + (made_day + 90) * DAY_NS,
        key: "ab".repeat(32),
        kind,
        made_ns: BEGUN_NS + made_day * DAY_NS,
        manifest_sha256: format!("{version:064x}"),
        program: None,
        publisher: publisher.to_owned(),
        version,
    }
}

/// Version 5 of acme's advisories was made on day 10 and applied on day 12.
fn updates() -> Updates {
    let mut updates = Updates::default();
    let event = Event::Applied { by: "Ada".into(), offer: offer("acme", Kind::Advisories, 5, 10) };
    updates.take(&event, 7, BEGUN_NS + 12 * DAY_NS);
    updates
}

/// What becomes of an offer on a day, in a word or the beginning of the sentence.
fn check(updates: &Updates, offer: &Offer, day: u64, expected: &str) {
    let told = match updates.admits(offer, BEGUN_NS + day * DAY_NS) {
        Ok(Admission::New) => "new".to_owned(),
        Ok(Admission::Again) => "again".to_owned(),
        Err(refused) => refused.to_string(),
    };
    assert!(told.starts_with(expected), "{expected:?}: {told}");
}

#[test]
fn versions_rise_for_each_publisher_and_kind() {
    let updates = updates();
    let of = |version| offer("acme", Kind::Advisories, version, 10);
    check(&updates, &of(6), 20, "new");
    check(&updates, &of(5), 20, "again");
    check(&updates, &of(4), 20, "it is version 4, and version 5 was applied already");
    check(&updates, &Offer { manifest_sha256: "cd".repeat(32), ..of(5) }, 20, "another file with version 5");
    check(&updates, &offer("beta", Kind::Advisories, 1, 10), 20, "new");
    check(&updates, &offer("acme", Kind::Profiles, 1, 10), 20, "new");
}

#[test]
fn what_expired_is_refused_and_a_clock_that_was_set_back_does_not_help() {
    let updates = updates();
    let of = |version| offer("acme", Kind::Advisories, version, 13);
    check(&updates, &of(6), 102, "new");
    check(&updates, &of(6), 103, "it expired at 2026-04-14T00:00:00");
    check(&updates, &of(6), 12, "this machine's clock says 2026-01-13T00:00:00");
    // Made before, but the machine did something later than now.
    check(&updates, &offer("beta", Kind::Advisories, 1, 1), 11, "this machine's clock says 2026-01-12T00:00:00");
    // Half an hour of difference is forgiven, a second more is not.
    let made_ns = BEGUN_NS + 20 * DAY_NS;
    let late = Offer { made_ns: made_ns + CLOCK_NS_MAX, ..of(6) };
    assert_eq!(updates.admits(&late, made_ns), Ok(Admission::New));
    let later = Offer { made_ns: made_ns + CLOCK_NS_MAX + 1, ..of(6) };
    assert!(matches!(updates.admits(&later, made_ns), Err(Refused::Clock { .. })));
}

#[test]
fn going_back_from_a_program_makes_nothing_older_welcome() {
    let mut updates = Updates::default();
    let nine = offer("acme", Kind::Program, 9, 1);
    let back = Event::WentBack { by: "the shell".into(), offer: nine.clone(), why: "it did not come up".into() };
    updates.take(&back, 3, BEGUN_NS + 2 * DAY_NS);
    check(&updates, &offer("acme", Kind::Program, 8, 1), 3, "it is version 8");
    check(&updates, &nine, 3, "again");
    check(&updates, &offer("acme", Kind::Program, 10, 1), 3, "new");
    assert!(updates.last().all(|last| last.is_taken_back));
    assert_eq!(back.to_string(), "the shell went back from program 9 of acme: it did not come up");
}

#[test]
fn a_publishers_name_is_a_files_name_on_every_disk() {
    for (name, expected) in
        [("acme", true), ("acme-2", true), ("", false), ("-a", false), ("Acme", false), ("a/b", false), ("..", false), ("a b", false)]
    {
        assert_eq!(is_publisher(name), expected, "{name:?}");
    }
    assert!(is_publisher(&"a".repeat(PUBLISHER_CHARS_MAX)) && !is_publisher(&"a".repeat(PUBLISHER_CHARS_MAX + 1)));
}
