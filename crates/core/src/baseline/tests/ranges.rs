//! Ranges, hardware, scopes, the vendor's list, and what stands beside a verdict.

use super::*;
use crate::baseline::{Event, Exemption, ExemptionKind, Origin, OriginKind, Track};

fn range(decision: Decision, text: &str) -> Approval {
    Approval { range: Some(text.into()), ..approval(decision, "") }
}

fn on(hardware: &str, approval: Approval) -> Approval {
    Approval { hardware: Some(hardware.into()), ..approval }
}

fn within(column: &str, value: &str, approval: Approval) -> Approval {
    Approval { scope: [(column.to_owned(), value.to_owned())].into(), ..approval }
}

fn vendors(approval: Approval) -> Approval {
    let origin = Origin { kind: OriginKind::Bulletin, document: "List 7".into(), sha256: None, text: None, affected: Vec::new() };
    Approval { track: Track::Vendor, origin: Some(origin), ..approval }
}

/// A device with this firmware and hardware (none where it is empty) and these columns of a sheet.
fn asset(firmware: &str, hardware: &str, columns: &[(&str, &str)]) -> Asset {
    let said = [("self", Field::FirmwareRevision, firmware), ("self", Field::HardwareRevision, hardware)];
    let said: Vec<_> = said.into_iter().filter(|(_, _, value)| !value.is_empty()).collect();
    let mut asset = device(NOW_NS, DOTTED, &said).assets().next().unwrap().clone();
    asset.columns = columns.iter().map(|(column, cell)| ((*column).to_owned(), (*cell).to_owned())).collect();
    asset
}

fn firmware(asset: &Asset, approvals: impl IntoIterator<Item = Approval>) -> Judged {
    let judged = decided(approvals).judge(asset, &ProfileSet::built_in().unwrap(), CLOCK);
    judged.into_iter().find(|one| one.field == Field::FirmwareRevision).unwrap()
}

fn check(asset: &Asset, approvals: Vec<Approval>, expected: Conformance, says: &[&str]) {
    let shown = format!("{approvals:#?}");
    let judged = firmware(asset, approvals);
    assert_eq!(judged.conformance, expected, "{judged:#?}\n{shown}");
    for part in says {
        assert!(judged.reason.contains(part), "{part:?} is missing in {:?}\n{shown}", judged.reason);
    }
}

#[test]
fn a_range_is_decided_on_like_its_releases() {
    use Conformance::{Behind, Conforms, Disapproved, InTest, NotListed, Superseded, Unknown};
    let yes = |text: &str| range(Decision::Approved, text);
    let no = |text: &str| range(Decision::Disapproved, text);
    let device = asset("3.160", "", &[]);
    let here = |approval: Approval| Approval { assets: vec![device.id.clone()], ..approval };
    let (a, d) = (approved, disapproved);
    for (approvals, expected, says) in [
        (vec![yes(">= 3.100 and < 3.200")], Conforms, &["approved by Ada"][..]),
        (vec![yes("< 3.160")], NotListed, &["outside of what is approved: < 3.160"]),
        (vec![no("< 3.160")], NotListed, &[]),
        (vec![no("< 3.200")], Disapproved, &["disapproved by Ada"]),
        // Of two that contradict each other the disapproval stands, whichever came first, and both are named.
        (vec![a("3.160"), no("<= 3.160")], Disapproved, &["entry 10 by Ada approves it", "does not lift entry 11"]),
        (vec![no("<= 3.160"), a("3.160")], Disapproved, &["entry 11 by Ada approves it", "does not lift entry 10"]),
        (vec![d("3.160"), yes(">= 3.100")], Disapproved, &["entry 11 by Ada approves it"]),
        (vec![yes(">= 3.100"), d("3.160")], Disapproved, &["entry 10 by Ada approves it"]),
        // In the same words it is replaced; for one device a release is lifted by its name, and by no range.
        (vec![no("<= 3.160"), yes("<= 3.160")], Conforms, &[]),
        (vec![no("<= 3.160"), here(a("3.160"))], Conforms, &[]),
        (vec![no("<= 3.160"), here(yes("3.160"))], Disapproved, &[]),
        // What is disapproved is nowhere to go to.
        (vec![a("3.170"), a("3.161"), no("> 3.165")], Behind, &["3.161 is approved"]),
        (vec![a("3.170"), no("> 3.165")], NotListed, &["no release of this part is approved"]),
        (vec![a("3.161"), yes(">= 3.180")], Behind, &["3.161"]),
        (vec![a("3.150"), yes(">= 3.180")], NotListed, &["outside of what is approved: 3.150, >= 3.180"]),
        // Words that approve nothing.
        (vec![range(Decision::InTest, ">= 3.150")], InTest, &["in test, not approved: by Ada"]),
        (vec![range(Decision::InTest, ">= 3.150"), a("3.160")], Conforms, &[]),
        (vec![approval(Decision::Superseded, "3.160"), a("3.170")], Superseded, &["superseded by Ada"]),
        (vec![a("3.160"), approval(Decision::Superseded, "3.160")], Superseded, &[]),
        (vec![approval(Decision::NotApplicable, "3.160")], NotListed, &["not applicable here, said by Ada"]),
        // 3.160.2 may be of the line 3.160 or not: nobody is sure.
        (vec![yes("<= 3")], Unknown, &["whether it is approved by Ada (entry 10) cannot be said"]),
        (vec![a("3.160"), no("<= 3")], Unknown, &["whether it is disapproved by Ada (entry 11) cannot be said"]),
        (vec![no("<= 3"), here(a("3.160"))], Conforms, &[]),
        (vec![no("<= 3"), d("3.160")], Disapproved, &[]),
    ] {
        check(&device, approvals, expected, says);
    }
}

#[test]
fn hardware_and_scope_limit_a_decision_and_a_missing_fact_leaves_it_open() {
    use Conformance::{Conforms, Disapproved, NotListed, Unknown};
    let b = || asset("3.160", "B", &[("zone", "Boiler"), ("Role", "gateway")]);
    let bare = || asset("3.160", "", &[]);
    let (a, d) = (|| approved("3.160"), || disapproved("3.160"));
    for (device, approvals, expected, says) in [
        (b(), vec![on("A | b", a())], Conforms, &[][..]),
        (b(), vec![on("A", a())], NotListed, &[]),
        (bare(), vec![on("A", a())], Unknown, &["hardware_revision is not known"]),
        (asset("3.160", "5", &[]), vec![on(">= 5", a())], Conforms, &[]),
        (asset("3.160", "4", &[]), vec![on(">= 5", a())], NotListed, &[]),
        (b(), vec![a(), on("B", d())], Disapproved, &[]),
        (b(), vec![a(), on("C", d())], Conforms, &[]),
        (bare(), vec![a(), on("C", d())], Unknown, &["disapproved", "hardware_revision"]),
        (b(), vec![within("zone", " boiler", a())], Conforms, &[]),
        (b(), vec![within("role", "Gateway", a())], Conforms, &[]),
        (b(), vec![within("zone", "Turbine", a())], NotListed, &[]),
        (bare(), vec![within("zone", "Boiler", a())], Unknown, &["its zone is not known"]),
        (bare(), vec![a(), within("zone", "Boiler", d())], Unknown, &["its zone is not known"]),
        (b(), vec![a(), within("zone", "Turbine", d())], Conforms, &[]),
        (b(), vec![within("zone", "Boiler", d()), a()], Disapproved, &[]),
        // Of another release a limited decision says nothing, whatever is unknown.
        (bare(), vec![a(), within("zone", "Boiler", disapproved("3.150"))], Conforms, &[]),
    ] {
        check(&device, approvals, expected, says);
    }
    let state = |state: &str| asset("3.160", "", &[("function_state", state)]);
    let condition = "All versions <= 3.160 and Function State (FS) <= 9";
    check(&state("8"), vec![range(Decision::Disapproved, condition)], Disapproved, &[]);
    check(&state("10"), vec![approved("3.160"), range(Decision::Disapproved, condition)], Conforms, &[]);
    check(&bare(), vec![approved("3.160"), range(Decision::Disapproved, condition)], Unknown, &["function_state"]);
}

#[test]
fn the_vendor_s_word_stands_beside_the_owner_s() {
    use Conformance::{Conforms, Disapproved, NotListed};
    let device = asset("3.160", "", &[]);
    let (a, d) = (|| approved("3.160"), || disapproved("3.160"));
    for (approvals, expected, vendor, says) in [
        (vec![vendors(a())], NotListed, Some((Decision::Approved, 10)), "not listed by the owner (vendor approves, entry 10)"),
        (vec![vendors(a()), a()], Conforms, Some((Decision::Approved, 10)), "; vendor approves (entry 10)"),
        (vec![a(), vendors(d())], Conforms, Some((Decision::Disapproved, 11)), "; vendor disapproves (entry 11)"),
        (vec![d(), vendors(a())], Disapproved, Some((Decision::Approved, 11)), "disapproved by Ada"),
        (vec![vendors(range(Decision::Approved, "< 3.200"))], NotListed, Some((Decision::Approved, 10)), "vendor approves"),
        (vec![vendors(approved("3.170"))], NotListed, None, "no release of this part is approved"),
        (vec![vendors(approved("3.170")), a()], Conforms, None, "approved by Ada"),
    ] {
        let judged = firmware(&device, approvals.clone());
        assert_eq!((judged.conformance, judged.vendor), (expected, vendor), "{approvals:#?}");
        assert!(judged.reason.contains(says), "{says:?}: {:?}", judged.reason);
        let owners = approvals.iter().filter(|one| one.track == Track::Owner && one.decision == Decision::Approved).count();
        assert_eq!(judged.approved.len(), owners, "the vendor's list is not the owner's: {judged:?}");
    }
}

#[test]
fn the_preferred_release_is_the_target() {
    let preferred = |approval: Approval| Approval { preferred: true, ..approval };
    let target = |approvals: Vec<Approval>| firmware(&asset("3.160", "", &[]), approvals).target;
    assert_eq!(target(vec![preferred(approved("3.170")), approved("3.180")]).as_deref(), Some("3.170"));
    assert_eq!(target(vec![preferred(approved("3.170")), preferred(approved("3.180"))]).as_deref(), Some("3.180"));
    assert_eq!(target(vec![approved("3.170")]), None);
    assert_eq!(target(vec![preferred(approved("3.170")), disapproved("3.170")]), None);
}

#[test]
fn what_is_left_as_it_is_keeps_its_verdict_and_says_when_that_is_over() {
    let device = asset("3.160", "", &[]);
    let exemption = |kind, assets: &[&str], finding: Option<&str>, until_ns| Exemption {
        kind,
        assets: assets.iter().map(|id| (*id).to_owned()).collect(),
        finding: finding.map(str::to_owned),
        until_ns,
        by: "Ada".into(),
        second: None,
        reason: "no outage before".into(),
    };
    let here = device.id.as_str();
    let (waiver, deferral) = (ExemptionKind::Waiver, ExemptionKind::Deferral);
    let mut baselines = decided([disapproved("3.160")]);
    let mut index = 20;
    let mut take = |baselines: &mut Baselines, exemption: Exemption| {
        index += 1;
        baselines.take_event(&Event::Exempted(exemption), index, 0);
    };
    let profiles = ProfileSet::built_in().unwrap();
    let judged = |baselines: &Baselines| {
        let judged = baselines.judge(&device, &profiles, CLOCK);
        assert_eq!(judged[0].conformance, Conformance::Disapproved);
        (judged[0].is_exempt(), judged[0].exempted.as_ref().map(Exempted::shown).unwrap_or_default())
    };
    assert_eq!(judged(&baselines), (false, String::new()));
    take(&mut baselines, exemption(waiver, &["a-000000000000"], None, u64::MAX));
    take(&mut baselines, exemption(waiver, &[here], Some("CVE-2024-1"), u64::MAX));
    assert_eq!(judged(&baselines), (false, String::new()), "of another device, or of a finding");
    take(&mut baselines, exemption(waiver, &[here], None, NOW_NS));
    assert_eq!(judged(&baselines), (true, "waived until 1970-04-11T00:00:00.000000Z by Ada: no outage before".into()));
    take(&mut baselines, exemption(deferral, &[here], None, NOW_NS - 1));
    let (is_exempt, shown) = judged(&baselines);
    assert!(!is_exempt && shown.starts_with("no longer deferred: that ended 1970-04-10T23:59:59.999999Z"), "{shown}");
    let of = |baselines: &Baselines, findings: &[&str]| baselines.exempted_finding(here, findings, NOW_NS).map(|one| one.entry);
    assert_eq!((of(&baselines, &["cve-2024-1"]), of(&baselines, &["CVE-2024-2"])), (Some(22), None));
    take(&mut baselines, exemption(ExemptionKind::Mitigation, &[], Some("ICSA-24-001-01"), u64::MAX));
    assert_eq!(of(&baselines, &["CVE-2024-2", "ICSA-24-001-01"]), Some(25));
    // What is none is not taken.
    for (wrong, why) in [
        (exemption(waiver, &[], None, u64::MAX), "name an asset"),
        (Exemption { reason: " ".into(), ..exemption(waiver, &[here], None, 1) }, "must not be empty"),
        (Exemption { second: Some("ada".into()), ..exemption(waiver, &[here], None, 1) }, "another one"),
    ] {
        assert!(wrong.check().unwrap_err().0.contains(why), "{why}");
    }
}

#[test]
fn a_decision_that_contradicts_another_or_its_own_document_is_refused_with_both() {
    let origin = |affected: &str| Origin {
        kind: OriginKind::Remediation,
        document: "SSA-1".into(),
        sha256: None,
        text: None,
        affected: vec![affected.into()],
    };
    let fix = |affected: &str| Approval { origin: Some(origin(affected)), ..approved("3.160") };
    assert_eq!(fix("< 3.160").check(), Ok(()));
    let why = fix("<= 3.160").check().unwrap_err().0;
    assert!(why.contains("SSA-1") && why.contains("\"3.160\"") && why.contains("\"<= 3.160\""), "{why}");
    let baselines = decided([range(Decision::Disapproved, "<= 3.160"), approved("3.170")]);
    let id = asset("3.160", "", &[]).id;
    let contradicted = |approval: &Approval| baselines.contradicted(approval, Order::Dotted, NOW_NS).map(|(entry, _)| entry);
    for (approval, entry) in [
        (approved("3.160"), Some(10)),
        (within("zone", "Boiler", approved("3.150")), Some(10)),
        (approved("3.170"), None),
        (disapproved("3.170"), None),
        (Approval { assets: vec![id], ..approved("3.160") }, None),
        (Approval { component: "cpu".into(), ..approved("3.160") }, None),
        (range(Decision::Approved, ">= 3.100"), None),
        (range(Decision::Approved, "<= 3.160"), None),
        (vendors(approved("3.160")), None),
    ] {
        assert_eq!(contradicted(&approval), entry, "{approval:?}");
    }
    let (_, why) = baselines.contradicted(&approved("3.160"), Order::Dotted, NOW_NS).unwrap();
    assert_eq!(why, "3.160 cannot be approved: <= 3.160 was disapproved by Ada in entry 10: tested");
}

#[test]
fn a_range_hardware_scope_or_list_that_is_none_is_not_recorded() {
    let digits = |text: &str| Some(text.to_owned());
    let origin = |sha256| Origin { kind: OriginKind::Owner, document: "P 1".into(), sha256, text: None, affected: Vec::new() };
    for (approval, why) in [
        (range(Decision::Approved, "newest one with the blue label"), "was not understood"),
        (Approval { range: Some("< 2".into()), ..approved("1") }, "not both"),
        (range(Decision::Approved, " "), "must not be empty"),
        (on("A || B", approved("1")), "hardware was not understood"),
        (on("< the new one", approved("1")), "hardware was not understood"),
        (within("colour", "red", approved("1")), "\"colour\" is no scope; there are site, zone"),
        (within("zone", " ", approved("1")), "must not be empty"),
        (Approval { preferred: true, ..disapproved("1") }, "preferred"),
        (Approval { preferred: true, ..range(Decision::Approved, "< 2") }, "preferred"),
        (Approval { track: Track::Vendor, ..approved("1") }, "names the document"),
        (within("zone", "Boiler", vendors(approved("1"))), "not for a scope"),
        (Approval { origin: Some(origin(digits("12"))), ..approved("1") }, "64 hexadecimal digits"),
    ] {
        let said = approval.check().map_err(|invalid| invalid.to_string());
        assert!(said.as_ref().is_err_and(|said| said.contains(why)), "{why}: {said:?}");
    }
    assert_eq!(Approval { origin: Some(origin(digits(&"0a".repeat(32)))), ..approved("1") }.check(), Ok(()));
}

#[test]
fn an_entry_of_before_is_read_and_written_as_it_was() {
    let old = r#"{"decision":"approved","line":{"profile":"computec/cws06"},"component":"self","field":"firmware_revision","release":"3.160","by":"Ada","reason":"tested"}"#;
    let read: Approval = serde_json::from_str(old).unwrap();
    assert_eq!(read, approved("3.160"));
    assert_eq!(serde_json::to_string(&read).unwrap(), old);
}
