//! A model of two persons and every order of steps: one person alone never gets a change approved or verified, and the ring after a
//! failure stays closed.

use super::tests::{SECOND, place, plan, unproven};
use super::*;

/// A change of two devices in two rings, opened by Ada, that needs a backup; the first ring soaks for a hundred seconds.
fn staged() -> Plan {
    let mut plan = plan("WO-1");
    plan.scope.push(place("a-3"));
    plan.expected.push("a-3:self.firmware_revision=1->2".parse().expect("a delta"));
    plan.until_ns = 10_000 * SECOND;
    plan.from_ns = 0;
    let ring = |name: &str, asset: &str, soak_s| Ring { name: name.to_owned(), assets: vec![asset.to_owned()], soak_s };
    plan.terms.rings = vec![ring("pilot", "a-1", 100), ring("rest", "a-3", 0)];
    plan.terms.prechecks = [Precheck::Backup].into();
    plan
}

fn backup(by: &str) -> Check {
    let sha256 = Some("0a".repeat(32));
    Check { kind: Precheck::Backup, assets: Vec::new(), by: by.to_owned(), sha256, source: None, authentic: None, note: None }
}

/// A step by somebody.
fn step(what: &str, by: &str) -> Event {
    let (order, by) = ("WO-1".to_owned(), by.to_owned());
    let (name, ring) = what.split_once(' ').map_or((what, 1), |(name, ring)| (name, ring.parse().expect("a ring")));
    let asset = if ring == 1 { "a-1" } else { "a-3" };
    let tries = |firmware| vec![unproven(asset, firmware), unproven("a-2", "9")];
    match name {
        "approve" => Event::Approved { order, by },
        "check" => Event::Checked { order, check: backup(&by) },
        "ring" => Event::RingOpened { order, ring, by },
        "before" => Event::Before { order, ring: Some(ring), tries: tries("1") },
        "installed" => Event::Installed { order, ring, by },
        "after" => Event::After { order, ring: Some(ring), equal: 1, tries: tries("2"), accepted_by: None },
        "wrong" => Event::After { order, ring: Some(ring), equal: 1, tries: tries("3"), accepted_by: None },
        "verify" => Event::Verified { order, ring, by, accepts_unproven: true },
        "defer" => {
            let left = Left { assets: vec![asset.to_owned()], fate: Fate::Deferred, reason: "x".to_owned(), until_ns: Some(u64::MAX), by };
            Event::Left { order, left }
        }
        other => panic!("no such step: {other}"),
    }
}

const STEPS: [&str; 7] = ["approve", "check", "ring", "before", "installed", "after", "verify"];

/// Every state that sequences of these steps lead to, as far as `persons` go; says which were reached.
fn reached(changes: &Changes, persons: &[&str], depth: usize, index: u64, seen: &mut Vec<(bool, bool)>, states: &mut usize) {
    let change = changes.get("WO-1").expect("open");
    let state = (change.approved.is_some(), change.verified(1).is_some());
    if !seen.contains(&state) {
        seen.push(state);
    }
    *states += 1;
    if depth == 0 {
        return;
    }
    for what in STEPS {
        for by in persons {
            let mut next = changes.clone();
            next.take(&step(what, by), index, index * SECOND);
            // A step that is not allowed leaves everything as it was: nothing new begins there.
            if next.remarks.is_empty() {
                reached(&next, persons, depth - 1, index + 1, seen, states);
            }
        }
    }
}

fn opened(plan: Plan) -> Changes {
    let mut changes = Changes::default();
    changes.take(&Event::Opened(plan), 1, SECOND);
    assert!(changes.remarks.is_empty(), "{:?}", changes.remarks);
    changes
}

#[test]
fn no_order_of_steps_lets_one_person_approve_or_verify() {
    // As one person may write himself, with a rings and without.
    let alone = ["Ada", " ADA ", "A\u{200b}da"];
    let plain = || Plan { terms: Terms::default(), ..plan("WO-1") };
    for (plan, depth) in [(staged(), 8), (plain(), 6)] {
        let (mut seen, mut states) = (Vec::new(), 0);
        reached(&opened(plan), &alone, depth, 2, &mut seen, &mut states);
        assert_eq!(seen, [(false, false)], "{states} states");
        assert!(states > 10, "the model goes nowhere: {states} states");
    }
    // Of two persons every pair of roles is tried, and there is a way.
    let (mut seen, mut states) = (Vec::new(), 0);
    reached(&opened(staged()), &["Ada", "Bo"], 7, 2, &mut seen, &mut states);
    seen.sort_unstable();
    assert_eq!(seen, [(false, false), (true, false), (true, true)], "{states} states");
}

#[test]
fn every_pair_of_roles_is_two_persons_where_it_has_to_be() {
    // Who approves, installs, verifies; Ada asked for it. What stops it, if something does.
    for (approves, installs, verifies, part) in [
        ("Ada", "Bo", "Cy", "another person has to approve"),
        ("Bo", "Bo", "Bo", "another person has to verify"),
        ("Bo", "Ada", "Ada", "another person has to verify"),
        ("Bo", "Ada", "Bo", ""),
        ("Bo", "Bo", "Ada", "an identity that is not proven is accepted by a second person"),
        ("Bo", "Ada", "Cy", ""),
        ("Bo", "Cy", "Bo", ""),
        ("Bo", "Cy", "Cy", "another person has to verify"),
        ("Bo", "Cy", "Dee", ""),
    ] {
        let mut changes = opened(staged());
        let steps = [
            ("approve", approves),
            ("check", "Ada"),
            ("ring", "Ada"),
            ("before", ""),
            ("installed", installs),
            ("after", ""),
            ("verify", verifies),
        ];
        for (index, (what, by)) in (2..).zip(steps) {
            changes.take(&step(what, by), index, index * SECOND);
        }
        let said = changes.remarks.first().cloned().unwrap_or_default();
        assert!(said.contains(part) && part.is_empty() == said.is_empty(), "{approves}, {installs}, {verifies}: {said:?}");
    }
}

/// Steps with who takes them, at seconds that rise by one or as they say (`@500`); the remarks' parts.
fn check(steps: &str, remarks: &[&str]) -> Changes {
    let (mut changes, mut second) = (opened(staged()), 1);
    for (index, text) in (2..).zip(steps.split(", ")) {
        let (text, at) = text.split_once('@').map_or((text, None), |(text, at)| (text, Some(at.parse().expect("seconds"))));
        let (by, what) = text.split_once(' ').expect("who and what");
        second = at.unwrap_or(second + 1);
        changes.take(&step(what, by), index, second * SECOND);
    }
    assert_eq!(changes.remarks.len(), remarks.len(), "{steps}: {:?}", changes.remarks);
    for (said, part) in changes.remarks.iter().zip(remarks) {
        assert!(said.contains(part), "{steps}: {said:?} says nothing of {part:?}");
    }
    changes
}

const PILOT: &str = "Bo approve, Ada check, Ada ring, Ada before, Ada installed, Ada after";

#[test]
fn a_ring_opens_when_the_one_before_is_verified_and_has_soaked() {
    check("Ada ring", &["not approved"]);
    check("Bo approve, Ada ring", &["the check \"backup\" is not done for a-1"]);
    check("Bo approve, Ada check, Ada ring 2", &["ring 1 (pilot) is not verified"]);
    check("Bo approve, Ada check, Ada ring@20000", &["the window of work order WO-1 is from"]);
    check("Bo approve@20000", &["the window of work order WO-1 ended"]);
    check("Bo approve, Ada check, Ada ring, Ada ring", &["is open"]);
    check("Ada before, Ada installed", &["ring 1 of work order WO-1 is not open", "not open"]);
    check(&format!("{PILOT}, Ada ring 2"), &["ring 1 (pilot) is not verified"]);
    check(&format!("{PILOT}, Bo verify, Ada ring 2"), &["soaks until 1970-01-01T00:01:48"]);
    let changes = check(&format!("{PILOT}, Bo verify, Ada ring 2@108"), &[]);
    assert!(changes.get("WO-1").is_some_and(|change| change.is_open(2) && change.ring_stage(1) == "verified"));
    // The clock was set back: nothing has soaked by that.
    check(&format!("{PILOT}, Bo verify, Ada ring 2@1"), &["soaks until"]);
}

#[test]
fn the_ring_after_a_failure_stays_closed_whatever_the_failure_is_called() {
    let failed = PILOT.replace("after", "wrong");
    check(&format!("{failed}, Bo verify, Ada ring 2@500"), &["a-1 is not as expected: wrong release", "is not verified"]);
    check(&format!("{failed}, Ada defer, Bo verify, Ada ring 2@500"), &["a-1 is not as expected", "is not verified"]);
    // Flashed once more, and right.
    check(&format!("{failed}, Ada after, Bo verify, Ada ring 2@500"), &[]);
    // What is read or installed behind a verification needs another one.
    check(&format!("{PILOT}, Bo verify, Ada wrong, Ada ring 2@500"), &["is not verified"]);
    check(&format!("{PILOT}, Bo verify, Ada installed, Ada ring 2@500"), &["is not verified"]);
    check(&format!("{PILOT}, Bo verify, Bo installed, Bo verify"), &["Bo installed ring 1"]);
}

#[test]
fn rings_are_a_partition_of_the_scope() {
    type Twist = fn(&mut Plan);
    let table: [(Twist, &str); 9] = [
        (|plan| plan.terms.rings[1].assets.clear(), "has no devices"),
        (|plan| plan.terms.rings[1].name = "pilot".to_owned(), "a name that another one has"),
        (|plan| plan.terms.rings[1].assets.push("a-1".to_owned()), "in two rings"),
        (|plan| plan.terms.rings[1].assets = vec!["a-2".to_owned()], "not in the scope"),
        (|plan| drop(plan.terms.rings.pop()), "a-3 is in the scope and in no ring"),
        (|plan| plan.terms.rings[0].soak_s = SOAK_S_MAX + 1, "longer than a year"),
        (|plan| plan.terms.partners.push(["a-1".to_owned(), "a-1".to_owned()]), "its own partner"),
        (|plan| drop(plan.terms.serials.insert("a-9".to_owned(), "1".to_owned())), "does not belong"),
        (|plan| plan.terms.handover.sequence.push("a-2".to_owned()), "is not in the scope"),
    ];
    assert_eq!(staged().check(), Ok(()));
    for (twist, part) in table {
        let mut plan = staged();
        twist(&mut plan);
        let why = plan.check().expect_err(part);
        assert!(why.contains(part), "{why:?} says nothing of {part:?}");
    }
    let json = serde_json::to_string(&Event::Opened(staged())).expect("plain values");
    assert_eq!(serde_json::from_str::<Event>(&json).expect("its own"), Event::Opened(staged()));
}
