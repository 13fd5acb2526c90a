use super::*;
use crate::claim::Grade;
use crate::observation::{Address, Observation, Source};
use crate::profile::{Interpretation, Matched, ProfileSet};
use crate::{catalog::Catalog, claim::Claim, version::Order};

const DAY_NS: u64 = 86_400_000_000_000;
const NOW_NS: u64 = 100 * DAY_NS;
const CLOCK: Clock = Clock { now_ns: NOW_NS, stale_after_ns: 30 * DAY_NS };
/// A built-in profile whose order is dotted, and one whose order is not known.
const DOTTED: &str = "computec/cws06";
const OPAQUE: &str = "kbr/multicomp-f144";

fn claim(component: &str, field: Field, value: &str, profile: &str) -> Claim {
    Claim {
        component: component.into(),
        field,
        value: value.into(),
        normal: None,
        grade: Grade::IdentityObject,
        profile: profile.into(),
        rule: format!("modbus.{}", field.name()),
        message: 0,
        offset: 0,
        length: 1,
    }
}

/// A catalog with one device that said this at a time.
fn device(time_ns: u64, profile: &str, claims: &[(&str, Field, &str)]) -> Catalog {
    let observation = Observation {
        time_ns,
        source: Source::Capture { file: "a".into(), frame: 1 },
        protocol: "modbus".into(),
        question: "modbus.identification.basic".into(),
        address: Address { ip: Some("10.0.0.1".parse().unwrap()), port: Some(502), unit: Some(1), ..Address::default() },
        announced: Vec::new(),
        messages: vec!["00".into()],
        malformed: Vec::new(),
        complete: true,
        exception: None,
        over: None,
        asked: 0,
        authority: None,
        cut: 0,
    };
    let claims = claims.iter().map(|(component, field, value)| claim(component, *field, value, profile)).collect();
    let mut catalog = Catalog::default();
    catalog.take(&observation, &Interpretation::of(Matched::One(profile.into()), claims));
    catalog
}

fn running(release: &str) -> Catalog {
    device(NOW_NS, DOTTED, &[("self", Field::FirmwareRevision, release)])
}

fn approval(decision: Decision, release: &str) -> Approval {
    let line = ProductLine { profile: Some(DOTTED.into()), ..ProductLine::default() };
    Approval::of(decision, line, release, "Ada", "tested")
}

fn approved(release: &str) -> Approval {
    approval(Decision::Approved, release)
}

fn disapproved(release: &str) -> Approval {
    approval(Decision::Disapproved, release)
}

fn decided(approvals: impl IntoIterator<Item = Approval>) -> Baselines {
    let mut baselines = Baselines::default();
    for (index, approval) in (10..).zip(approvals) {
        assert_eq!(approval.check(), Ok(()), "{approval:?}");
        baselines.take(&approval, index, 0);
    }
    baselines
}

fn judged(catalog: &Catalog, approvals: impl IntoIterator<Item = Approval>) -> Vec<Judged> {
    let profiles = ProfileSet::built_in().unwrap();
    let asset = catalog.assets().next().unwrap();
    decided(approvals).judge(asset, &profiles, CLOCK)
}

fn check(catalog: &Catalog, approvals: Vec<Approval>, expected: Conformance, entry: Option<u64>) {
    let shown = format!("{approvals:#?}");
    let judged = judged(catalog, approvals);
    assert_eq!(judged.len(), 1, "{judged:#?}");
    assert_eq!((judged[0].conformance, judged[0].entry), (expected, entry), "{judged:#?}\n{shown}");
    assert!(!judged[0].reason.is_empty());
}

#[test]
fn every_conformance_has_its_case() {
    use Conformance::{Behind, Conforms, Disapproved, Newer, NotListed, OtherLine};
    let a = approved;
    let d = disapproved;
    for (installed, approvals, expected, entry) in [
        ("3.160", vec![a("3.160")], Conforms, Some(10)),
        ("v03.160", vec![a("3.160")], Conforms, Some(10)),
        ("3.16", vec![a("3.160")], Behind, Some(10)),
        ("3.110", vec![a("3.11"), a("3.120")], Behind, Some(11)),
        ("3.110", vec![a("3.120"), a("3.130"), a("3.125")], Behind, Some(11)),
        ("3.170", vec![a("3.160")], Newer, Some(10)),
        ("3.110", vec![a("3.11")], Newer, Some(10)),
        ("4.0", vec![a("3.160")], Newer, Some(10)),
        ("4.0", vec![a("3.160"), a("5.1")], OtherLine, Some(11)),
        ("2.9", vec![a("3.160")], OtherLine, Some(10)),
        ("3.170", vec![a("3.160"), a("4.1")], Newer, Some(10)),
        ("3.160", vec![d("3.160")], Disapproved, Some(10)),
        ("3.160", vec![d("03.160"), a("3.170")], Disapproved, Some(10)),
        ("3.150", vec![d("3.160"), a("3.170")], Behind, Some(11)),
        ("3.150", vec![d("3.160")], NotListed, None),
        ("3.150", vec![], NotListed, None),
        ("3.150b", vec![a("3.160")], NotListed, None),
        ("3.150", vec![a("R7")], NotListed, None),
        ("3.150b", vec![a("3.150b")], Conforms, Some(10)),
        ("3.160.0", vec![a("3.160")], NotListed, None),
        ("5.0", vec![a("4.0"), a("R7")], NotListed, None),
    ] {
        check(&running(installed), approvals, expected, entry);
    }
    let reason = |installed, release| judged(&running(installed), [approved(release)])[0].reason.clone();
    assert!(reason("3.150b", "3.160").contains("order of these texts is not known"));
}

#[test]
fn texts_without_an_order_are_equal_or_not_listed() {
    let catalog = device(NOW_NS, OPAQUE, &[("self", Field::FirmwareRevision, "2.1")]);
    let line = ProductLine { profile: Some(OPAQUE.into()), ..ProductLine::default() };
    check(&catalog, vec![Approval { line: line.clone(), ..approved("2.1") }], Conformance::Conforms, Some(10));
    check(&catalog, vec![Approval { line: line.clone(), ..approved("02.1") }], Conformance::NotListed, None);
    check(&catalog, vec![Approval { line, ..approved("2.2") }], Conformance::NotListed, None);
}

#[test]
fn unknown_is_an_answer_and_has_its_reason() {
    let silent = device(NOW_NS, DOTTED, &[]);
    let judged = judged(&silent, [approved("3.160")]);
    assert_eq!((judged[0].conformance, judged[0].installed.as_deref()), (Conformance::Unknown, None));
    assert!(judged[0].reason.contains("holds no firmware revision"), "{judged:?}");
}

#[test]
fn a_part_that_has_a_baseline_and_never_spoke_is_unknown() {
    let cpu = Approval { component: "cpu".into(), ..approved("1.0") };
    let judged = judged(&running("3.160"), [approved("3.160"), cpu]);
    let found: Vec<_> = judged.iter().map(|j| (j.component.as_str(), j.conformance)).collect();
    assert_eq!(found, [("self", Conformance::Conforms), ("cpu", Conformance::Unknown)]);
    assert_eq!(worst(&judged).map(|j| j.component.as_str()), Some("cpu"));
}

#[test]
fn a_baseline_of_another_product_part_revision_or_asset_never_applies() {
    let line = |line: ProductLine| vec![Approval { line, ..approved("3.160") }];
    let text = |text: &str| Some(text.to_owned());
    let maker = ProductLine { manufacturer: text("Computec Oy"), model: text("CWS06"), ..ProductLine::default() };
    for other in [
        line(ProductLine { profile: text("wurm/multigate"), ..ProductLine::default() }),
        line(ProductLine { profile: text("computec/cws0"), ..ProductLine::default() }),
        line(ProductLine { model: text("CWS07"), ..maker.clone() }),
        line(ProductLine { manufacturer: text("Computec"), ..maker.clone() }),
        line(ProductLine { product_code: text("1"), ..maker.clone() }),
        line(ProductLine { profile: text("wurm/multigate"), ..maker.clone() }),
        vec![Approval { assets: vec!["a-000000000000".into()], ..approved("3.160") }],
    ] {
        let said =
            [("self", Field::FirmwareRevision, "3.160"), ("self", Field::Manufacturer, "Computec Oy"), ("self", Field::Model, "CWS06")];
        check(&device(NOW_NS, DOTTED, &said), other, Conformance::NotListed, None);
    }
    let other_part = Approval { component: "gateway".into(), ..approved("3.160") };
    let other_field = Approval { field: Field::HardwareRevision, ..approved("3.160") };
    for other in [other_part, other_field] {
        let judged = judged(&running("3.160"), [other]);
        let own = judged.iter().find(|j| (j.component.as_str(), j.field) == ("self", Field::FirmwareRevision)).unwrap();
        assert_eq!(own.conformance, Conformance::NotListed);
    }
    // Trimmed, in upper or lower case, it does.
    let said = [("self", Field::FirmwareRevision, "3.160"), ("self", Field::Manufacturer, "COMPUTEC oy"), ("self", Field::Model, "cws06")];
    let spaced = ProductLine { manufacturer: text(" Computec Oy "), ..maker };
    check(&device(NOW_NS, DOTTED, &said), line(spaced), Conformance::Conforms, Some(10));
}

#[test]
fn the_later_decision_on_a_release_and_scope_wins() {
    use Conformance::{Conforms, Disapproved, NotListed};
    let catalog = running("3.160");
    let id = catalog.assets().next().unwrap().id.clone();
    let here = |approval: Approval| Approval { assets: vec![id.clone()], ..approval };
    let there = |approval: Approval| Approval { assets: vec![id.clone(), "a-0".into()], ..approval };
    let from = |from_ns: u64, approval: Approval| Approval { from_ns: Some(from_ns), ..approval };
    let until = |until_ns: u64, approval: Approval| Approval { until_ns: Some(until_ns), ..approval };
    let (a, d) = (|| approved("3.160"), || disapproved("3.160"));
    for (approvals, expected, entry) in [
        (vec![a(), d()], Disapproved, Some(11)),
        (vec![d(), a()], Conforms, Some(11)),
        (vec![d(), approved("v03.160")], Conforms, Some(11)),
        // An exception for one device lifts what was said for all; what is said for all does not lift what was said of the device.
        (vec![d(), here(a())], Conforms, Some(11)),
        (vec![here(d()), a()], Disapproved, Some(10)),
        (vec![here(d()), a(), here(a())], Conforms, Some(12)),
        (vec![here(a()), d()], Disapproved, Some(11)),
        (vec![here(d()), there(a())], Conforms, Some(11)),
        // Planned: nothing changes before its day.
        (vec![a(), from(NOW_NS + 1, d())], Conforms, Some(10)),
        (vec![a(), from(NOW_NS, d())], Disapproved, Some(11)),
        (vec![from(NOW_NS + 1, a())], NotListed, None),
        // Ended: the earlier one does not come back, but what was said in another scope does.
        (vec![until(NOW_NS, a())], Conforms, Some(10)),
        (vec![until(NOW_NS - 1, a())], NotListed, None),
        (vec![a(), until(NOW_NS - 1, a())], NotListed, None),
        (vec![d(), until(NOW_NS - 1, here(a()))], Disapproved, Some(10)),
    ] {
        check(&catalog, approvals, expected, entry);
    }
}

#[test]
fn each_decision_says_what_became_of_it() {
    let until = Approval { until_ns: Some(NOW_NS - 1), ..approved("3.1") };
    let planned = Approval { from_ns: Some(NOW_NS + 1), ..approved("3.2") };
    let baselines = decided([approved("3.0"), disapproved("03.0"), until, planned]);
    let became: Vec<Force> = baselines.decided().map(|decided| baselines.force(decided, Order::Dotted, NOW_NS)).collect();
    assert_eq!(became, [Force::Replaced(11), Force::InForce, Force::Ended, Force::Later]);
    let texts: Vec<Force> = baselines.decided().take(2).map(|decided| baselines.force(decided, Order::Opaque, NOW_NS)).collect();
    assert_eq!(texts, [Force::InForce, Force::InForce], "3.0 and 03.0 are two texts where no order is known");
}

#[test]
fn stale_stands_beside_the_verdict() {
    for (age_days, expected) in [(0, false), (30, false), (31, true)] {
        let said = [("self", Field::FirmwareRevision, "3.160")];
        let judged = judged(&device(NOW_NS - age_days * DAY_NS, DOTTED, &said), [approved("3.160")]);
        assert_eq!((judged[0].conformance, judged[0].stale), (Conformance::Conforms, expected), "{age_days}");
    }
    // A clock that went back makes nothing stale, and nothing overflows.
    let ahead = judged(&device(u64::MAX, DOTTED, &[("self", Field::FirmwareRevision, "3.160")]), [approved("3.160")]);
    assert!(!ahead[0].stale);
}

#[test]
fn the_worst_component_stands_for_the_asset() {
    use Conformance::{Behind, Conforms, Disapproved, InTest, Newer, NotListed, OtherLine, Superseded, Unknown};
    let worst_first = [Disapproved, Unknown, NotListed, Newer, InTest, Superseded, OtherLine, Behind, Conforms];
    assert!(worst_first.is_sorted() && Conformance::ALL.iter().rev().eq(&worst_first));
    let said = [("self", Field::FirmwareRevision, "3.160"), ("communication-module", Field::FirmwareRevision, "1.0")];
    let module = Approval { component: "communication-module".into(), ..approved("1.1") };
    let judged = judged(&device(NOW_NS, DOTTED, &said), [approved("3.160"), module]);
    assert_eq!(judged.iter().map(|j| j.conformance).collect::<Vec<_>>(), [Conforms, Behind]);
    assert_eq!(worst(&judged).map(|j| j.conformance), Some(Behind));
    assert_eq!(judged[1].approved, ["1.1"]);
}

#[test]
fn a_decision_that_is_none_is_not_recorded() {
    let line = |line| Approval { line, ..approved("1") };
    let maker = || ProductLine { manufacturer: Some("M".into()), ..ProductLine::default() };
    for (approval, why) in [
        (line(ProductLine::default()), "a product line is"),
        (line(maker()), "a product line is"),
        (line(ProductLine { model: Some("X".into()), ..ProductLine::default() }), "a product line is"),
        (line(ProductLine { model: Some("  ".into()), ..maker() }), "must not be empty"),
        (approved(" "), "must not be empty"),
        (Approval { by: String::new(), ..approved("1") }, "must not be empty"),
        (Approval { reason: "x".repeat(2_001), ..approved("1") }, "longer than"),
        (Approval { field: Field::Model, ..approved("1") }, "only a revision"),
        (Approval { field: Field::SerialNumber, ..approved("1") }, "only a revision"),
        (Approval { second: Some(" ADA ".into()), ..approved("1") }, "must be another"),
        (Approval { from_ns: Some(2), until_ns: Some(1), ..approved("1") }, "end before"),
        (Approval { assets: vec![String::new(); 10_001], ..approved("1") }, "assets are listed"),
    ] {
        let said = approval.check().map_err(|invalid| invalid.to_string());
        assert!(said.as_ref().is_err_and(|said| said.contains(why)), "{why}: {said:?}");
    }
    assert_eq!(Approval { second: Some("Grace".into()), ..approved("1") }.check(), Ok(()));
}

mod persons;
mod ranges;
mod sets;
