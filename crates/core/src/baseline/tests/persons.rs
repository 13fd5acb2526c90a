//! The rule of two persons, over every order of steps.

use super::*;
use crate::baseline::{Became, Event, Exemption, ExemptionKind, Member, Proposed};

/// One person, as she may spell herself.
const ADA: [&str; 3] = ["Ada", " ADA\u{200b} ", "a\u{ad}da"];

fn two_persons(two_persons: bool, by: &str, second: Option<&str>) -> Event {
    Event::Policy { two_persons, by: by.into(), second: second.map(str::to_owned), reason: "site rule 7".into() }
}

fn proposed(by: &str) -> Event {
    Event::Proposed { what: Proposed::Release(Approval { by: by.into(), ..approved("3.160") }) }
}

fn set(by: &str, second: Option<&str>) -> CompatibilitySet {
    let member = |component: &str| Member {
        line: ProductLine { profile: Some(DOTTED.into()), ..ProductLine::default() },
        component: component.into(),
        field: Field::FirmwareRevision,
        release: "3.160".into(),
    };
    CompatibilitySet {
        name: "S".into(),
        members: vec![member("self"), member("cpu")],
        together: Vec::new(),
        from_ns: None,
        until_ns: None,
        origin: None,
        by: by.into(),
        second: second.map(str::to_owned),
        reason: "tested".into(),
    }
}

fn accepted(proposal: u64, by: &str) -> Event {
    Event::Accepted { proposal, by: by.into(), reason: None }
}

/// What one person can try. The proposal of a step is the first of the log.
fn attempt(kind: usize, baselines: &mut Baselines, index: u64) {
    let first = baselines.proposals().next().map_or(0, |proposal| proposal.index);
    let approve = |baselines: &mut Baselines, second: Option<&str>| {
        baselines.take(&Approval { second: second.map(str::to_owned), ..approved("3.160") }, index, 0);
    };
    let event = match kind {
        0 => return approve(baselines, None),
        1 => return approve(baselines, Some(ADA[1])),
        2 => return approve(baselines, Some(" \u{200b}")),
        3 => proposed(ADA[2]),
        4 => accepted(first, ADA[0]),
        5 => accepted(first, ADA[1]),
        6 => two_persons(false, ADA[0], None),
        7 => two_persons(false, ADA[0], Some(ADA[2])),
        8 => Event::Set(set(ADA[0], Some(ADA[1]))),
        9 => Event::Proposed { what: Proposed::Set(set(ADA[1], None)) },
        _ => Event::Withdrawn { proposal: first, by: ADA[0].into(), reason: "no".into() },
    };
    baselines.take_event(&event, index, 0);
}

/// Kinds of [`attempt`].
const ATTEMPTS: usize = 11;
/// Steps in a row: 11^5 orders.
const STEPS: u32 = 5;

#[test]
fn no_order_of_steps_lets_one_person_approve_where_two_are_needed() {
    for order in 0..ATTEMPTS.pow(STEPS) {
        let mut baselines = Baselines::default();
        baselines.take_event(&two_persons(true, "Ada", None), 0, 0);
        let mut rest = order;
        for index in 1..=u64::from(STEPS) {
            attempt(rest % ATTEMPTS, &mut baselines, index);
            rest /= ATTEMPTS;
        }
        assert!(baselines.needs_two_persons(), "{order}");
        assert_eq!((baselines.decided().count(), baselines.sets().count()), (0, 0), "{order}");
    }
}

#[test]
fn two_persons_approve_in_one_step_or_in_two() {
    let mut baselines = Baselines::default();
    baselines.take(&approved("3.0"), 1, 0);
    baselines.take_event(&two_persons(true, "Ada", None), 2, 0);
    baselines.take(&Approval { second: Some("Grace".into()), ..approved("3.1") }, 3, 0);
    baselines.take_event(&proposed("Ada"), 4, 0);
    baselines.take_event(&accepted(4, " ada"), 5, 0);
    baselines.take_event(&accepted(4, " Grace"), 6, 0);
    baselines.take_event(&accepted(4, "Linus"), 7, 0);
    baselines.take_event(&Event::Proposed { what: Proposed::Set(set("Ada", None)) }, 8, 0);
    baselines.take_event(&accepted(8, "Grace"), 9, 0);
    baselines.take_event(&proposed("Ada"), 10, 0);
    baselines.take_event(&Event::Withdrawn { proposal: 10, by: "Ada".into(), reason: "no".into() }, 11, 0);
    baselines.take_event(&accepted(10, "Grace"), 12, 0);
    baselines.take_event(&accepted(99, "Grace"), 13, 0);
    // Alone one may say no, and what the vendor says is nobody's approval.
    baselines.take(&disapproved("3.2"), 14, 0);
    baselines.take(&approved("3.3"), 15, 0);
    let decided: Vec<_> = baselines.decided().map(|one| (one.index, one.proposal, one.approval.second.as_deref())).collect();
    assert_eq!(decided, [(1, None, None), (3, None, Some("Grace")), (6, Some(4), Some("Grace")), (14, None, None)]);
    assert_eq!(baselines.sets().map(|one| one.index).collect::<Vec<_>>(), [9]);
    let became: Vec<_> = baselines.proposals().map(|one| one.became.clone()).collect();
    assert_eq!(became, [Became::Accepted(6), Became::Accepted(9), Became::Withdrawn(11)]);
    let aside: Vec<(u64, &str)> = baselines.set_aside().map(|(entry, why)| (*entry, why.0.as_str())).collect();
    for ((entry, why), (expected, says)) in aside.iter().zip([
        (5, "who proposed it does not approve it"),
        (7, "was accepted by entry 6"),
        (12, "was withdrawn by entry 11"),
        (13, "entry 99 is no proposal"),
        (15, "an approval needs two persons"),
    ]) {
        assert!(*entry == expected && why.contains(says), "{entry}: {why}");
    }
    assert_eq!(aside.len(), 5);
    baselines.take_event(&two_persons(false, "Ada", Some("Grace")), 16, 0);
    baselines.take(&approved("3.4"), 17, 0);
    assert_eq!(baselines.decided().last().map(|one| one.index), Some(17));
}

#[test]
fn a_proposal_names_one_person_and_never_approves_itself_even_where_one_may() {
    let mut baselines = Baselines::default();
    let both = Event::Proposed { what: Proposed::Release(Approval { second: Some("Grace".into()), ..approved("3.0") }) };
    assert!(baselines.admits(&both).unwrap_err().0.contains("one person's"));
    baselines.take_event(&proposed("Ada"), 1, 0);
    for by in ADA {
        assert!(baselines.admits(&accepted(1, by)).is_err(), "{by:?}");
    }
    assert_eq!(baselines.admits(&accepted(1, "Grace")), Ok(()));
    assert!(baselines.admits(&accepted(1, "\u{200b}")).is_err());
}

#[test]
fn steps_are_read_as_they_were_written() {
    let exemption = Exemption {
        kind: ExemptionKind::Waiver,
        assets: vec!["a-1".into()],
        finding: Some("CVE-2024-1".into()),
        until_ns: 7,
        by: "Ada".into(),
        second: None,
        reason: "no outage before".into(),
    };
    let events = [
        proposed("Ada"),
        Event::Proposed { what: Proposed::Set(set("Ada", None)) },
        accepted(4, "Grace"),
        Event::Withdrawn { proposal: 4, by: "Ada".into(), reason: "no".into() },
        two_persons(true, "Ada", None),
        two_persons(false, "Ada", Some("Grace")),
        Event::Set(set("Ada", Some("Grace"))),
        Event::Exempted(exemption),
    ];
    for event in events {
        let body = crate::ledger::Body::Baseline(event.clone());
        let record = crate::ledger::Entry { index: 7, time_ns: 9, body }.record().unwrap();
        let read = crate::ledger::Entry::of(&record).unwrap();
        assert_eq!(read.body, crate::ledger::Body::Baseline(event));
    }
}
