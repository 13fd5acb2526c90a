use super::*;
use crate::observation::Address;

pub const SECOND: u64 = 1_000_000_000;

pub fn place(asset: &str) -> Place {
    Place { asset: asset.to_owned(), address: Address::default(), via: None, asked: None }
}

pub fn plan(order: &str) -> Plan {
    Plan {
        order: order.to_owned(),
        scope: vec![place("a-1")],
        neighbours: vec![place("a-2")],
        expected: vec!["a-1:self.firmware_revision=1->2".parse().expect("a delta")],
        questions: vec!["modbus.identification.regular".to_owned()],
        from_ns: SECOND,
        until_ns: 2 * SECOND,
        by: "Ada".to_owned(),
        terms: Terms::default(),
    }
}

fn read(asset: &str, firmware: &str, entry: u64) -> Try {
    let mut nameplate = Nameplate::default();
    nameplate.fields.insert("self.firmware_revision".to_owned(), Said { value: firmware.to_owned(), from: "modbus.object.2".to_owned() });
    Try { asset: asset.to_owned(), time_ns: SECOND, entries: vec![entry], outcome: Outcome::Read { nameplate } }
}

fn left(assets: &[&str], fate: Fate, until_ns: Option<u64>) -> Left {
    let assets = assets.iter().map(|asset| (*asset).to_owned()).collect();
    Left { assets, fate, reason: "no spare part".to_owned(), until_ns, by: "Ada".to_owned() }
}

/// A device that has no serial number.
pub fn unproven(asset: &str, firmware: &str) -> Try {
    read(asset, firmware, 2)
}

/// A step in a word or two.
fn step(text: &str) -> Event {
    let order = "WO-1".to_owned();
    match text {
        "open" => Event::Opened(plan("WO-1")),
        "before" => Event::Before { order, ring: None, tries: vec![read("a-1", "1", 2), read("a-2", "9", 3)] },
        "stranger" => Event::Before { order, ring: None, tries: vec![read("a-3", "1", 2)] },
        "after" => Event::After { order, ring: None, equal: 1, tries: vec![read("a-1", "2", 5), read("a-2", "9", 6)], accepted_by: None },
        "worse" => Event::After { order, ring: None, equal: 1, tries: vec![read("a-1", "2", 5), read("a-2", "8", 6)], accepted_by: None },
        "accepted by Bo" => Event::After { order, ring: None, equal: 1, tries: Vec::new(), accepted_by: Some("Bo".to_owned()) },
        "accepted by Ada" => Event::After { order, ring: None, equal: 1, tries: Vec::new(), accepted_by: Some("ada ".to_owned()) },
        "close" => Event::Closed {
            order,
            by: "Ada".to_owned(),
            verdicts: Vec::new(),
            verdict: Verdict::NotChanged,
            accepted_by: None,
            rests_on: vec![1],
        },
        "close, Bo accepts" => Event::Closed {
            order,
            by: "Ada".to_owned(),
            verdicts: Vec::new(),
            verdict: Verdict::IdentityNotProven,
            accepted_by: Some("Bo".to_owned()),
            rests_on: vec![1],
        },
        "leave" => Event::Left { order, left: left(&["a-1", "a-2"], Fate::Failed, None) },
        "leave without end" => Event::Left { order, left: left(&["a-1"], Fate::Deferred, None) },
        "leave till yesterday" => Event::Left { order, left: left(&["a-1"], Fate::Mitigated, Some(1)) },
        "leave a stranger" => Event::Left { order, left: left(&["a-3"], Fate::Mitigated, Some(u64::MAX)) },
        other => panic!("no such step: {other}"),
    }
}

/// Takes the steps from entry 1 on; the stage that is reached, and a part of each remark.
fn check(steps: &str, stage: &str, remarks: &[&str]) -> Changes {
    let mut changes = Changes::default();
    for (index, text) in (1..).zip(steps.split("; ")) {
        changes.take(&step(text), index, index * SECOND);
    }
    assert_eq!(changes.get("WO-1").map_or("none", Change::stage), stage, "{steps}");
    assert_eq!(changes.remarks.len(), remarks.len(), "{steps}: {:?}", changes.remarks);
    for (said, part) in changes.remarks.iter().zip(remarks) {
        assert!(said.contains(part), "{steps}: {said:?} says nothing of {part:?}");
    }
    changes
}

#[test]
fn steps_come_in_their_order_and_others_are_remarks() {
    check("open", "opened", &[]);
    check("open; before", "read before", &[]);
    check("open; before; before; after; after; close, Bo accepts", "closed", &[]);
    check("before", "none", &["entry 1: no change is open"]);
    check("open; open", "opened", &["entry 2: work order WO-1 was opened already"]);
    check("open; after", "opened", &["no reading before"]);
    check("open; before; after; before", "read after", &["not before"]);
    check("open; leave; close; close", "closed", &["entry 4: work order WO-1 is closed"]);
    check("open; leave; close; before; after; open", "closed", &["is closed", "is closed", "opened already"]);
    check("open; stranger", "opened", &["a-3 does not belong"]);
    check("open; before; accepted by Bo", "read after", &[]);
    check("open; before; accepted by Ada", "read before", &["a second person"]);
}

#[test]
fn a_change_is_closed_when_nothing_is_undone() {
    check("open; close", "opened", &["cannot be closed: a-1 is unreadable, and 1 more; read again"]);
    check("open; before; after; close", "read after", &["a-1 is as expected, identity not proven; read again"]);
    check("open; before; worse; close, Bo accepts", "read after", &["a-2 is another device changed; read again"]);
    check("open; leave without end; leave till yesterday; leave a stranger", "opened", &["has an end", "ended already", "does not belong"]);
    let changes = check("open; before; worse; leave; close", "closed", &[]);
    let change = changes.get("WO-1").expect("open");
    assert_eq!(change.is_left("a-2").map(|left| left.fate), Some(Fate::Failed));
    assert_eq!(change.rests_on(), [1, 2, 3, 4, 5, 6]);
}

#[test]
fn a_device_is_changed_by_one_order_at_a_time() {
    let mut changes = check("open", "opened", &[]);
    let second = Event::Opened(plan("WO-2"));
    let why = changes.allows(&second, SECOND).expect_err("open");
    assert!(why.contains("a-1 is to change by work order WO-1 already"), "{why}");
    for (index, text) in (2..).zip(["leave", "close"]) {
        changes.take(&step(text), index, index * SECOND);
    }
    assert_eq!(changes.allows(&second, SECOND), Ok(()));
}

#[test]
fn the_last_reading_counts_and_the_verdict_rests_on_all() {
    let changes = check("open; before; worse; after", "read after", &[]);
    let change = changes.get("WO-1").expect("open");
    let verdicts: Vec<Verdict> = change.verdicts().iter().map(|judged| judged.verdict).collect();
    assert_eq!(verdicts, [Verdict::IdentityNotProven, Verdict::AsExpected]);
    assert_eq!(worst(&change.verdicts()), Verdict::IdentityNotProven);
    assert_eq!(change.rests_on(), [1, 2, 3, 4, 5, 6]);
    let changes = check("open; before; worse", "read after", &[]);
    assert_eq!(worst(&changes.get("WO-1").expect("open").verdicts()), Verdict::AnotherDeviceChanged);
    let changes = check("open; before; leave; close", "closed", &[]);
    assert_eq!(worst(&changes.get("WO-1").expect("open").verdicts()), Verdict::Unreadable);
    assert_eq!(worst(&[]), Verdict::Unreadable);
}

#[test]
fn a_plan_that_gives_no_verdict_is_refused() {
    type Twist = fn(&mut Plan);
    let table: [(Twist, &str); 11] = [
        (|plan| plan.order = " ".to_owned(), "1 to 100 bytes"),
        (|plan| plan.order = "x".repeat(101), "1 to 100 bytes"),
        (|plan| plan.order = "WO\n1".to_owned(), "plain text"),
        (|plan| plan.by = String::new(), "who"),
        (|plan| plan.until_ns = plan.from_ns, "ends before it begins"),
        (|plan| plan.scope.clear(), "1 to 500 assets"),
        (|plan| plan.neighbours.push(place("a-1")), "a-1 is named twice"),
        (|plan| plan.scope.push(place("a-3")), "nothing is expected of a-3"),
        (|plan| plan.expected[0].asset = "a-2".to_owned(), "not in the scope"),
        (|plan| plan.expected.push(plan.expected[0].clone()), "twice"),
        (|plan| plan.neighbours = (0..500).map(|n| place(&format!("n-{n}"))).collect(), "1 to 500 assets"),
    ];
    assert_eq!(plan("WO-1").check(), Ok(()));
    for (twist, part) in table {
        let mut plan = plan("WO-1");
        twist(&mut plan);
        let why = plan.check().expect_err(part);
        assert!(why.contains(part), "{why:?} says nothing of {part:?}");
    }
}

#[test]
fn a_step_is_read_back_as_it_was_written() {
    for text in ["open", "before", "accepted by Bo", "close"] {
        let json = serde_json::to_string(&step(text)).expect("plain values");
        assert_eq!(serde_json::from_str::<Event>(&json).expect("its own"), step(text), "{json}");
    }
}
