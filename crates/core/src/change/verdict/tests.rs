use super::*;
use crate::change::nameplate::Said;
use crate::observation::hex;

/// `fw=2.60@2 serial=77@128 3=url` : fields with the object that they were read from, and objects that no rule reads. `!why` is a try
/// without an answer, `-` no try at all.
fn reading(text: &str) -> Option<Try> {
    if text == "-" {
        return None;
    }
    let outcome = match text.strip_prefix('!') {
        Some(why) => Outcome::Unread { why: why.to_owned() },
        None => Outcome::Read { nameplate: nameplate(text) },
    };
    Some(Try { asset: "a-1".to_owned(), time_ns: 0, entries: Vec::new(), outcome })
}

fn nameplate(text: &str) -> Nameplate {
    let mut plate = Nameplate::default();
    for word in text.split_whitespace() {
        let (name, value) = word.split_once('=').expect("name=value");
        let (value, object) = value.split_once('@').unwrap_or((value, name));
        let fact = format!("modbus.object.{object}");
        plate.facts.insert(fact.clone(), hex(value.as_bytes()));
        let field = match name {
            "fw" => "self.firmware_revision",
            "model" => "self.model",
            "serial" => "self.serial_number",
            "cm" => "communication-module.firmware_revision",
            "state" => {
                plate.facts.insert("enip.identity.state".to_owned(), value.to_owned());
                plate.facts.remove(&fact);
                continue;
            }
            "cmserial" => "communication-module.serial_number",
            _ => continue,
        };
        plate.fields.insert(field.to_owned(), Said { value: value.to_owned(), from: fact });
    }
    plate
}

const FW: &str = "a-1:self.firmware_revision=2.60->2.70";
const CM: &str = "a-1:communication-module.firmware_revision=1->2";
const OLD: &str = "fw=2.60@2 model=PM@4 serial=77@128 3=url";
const NEW: &str = "fw=2.70@2 model=PM@4 serial=77@128 3=url";

/// `expected`, before, after (with `;` between, three must be equal); the verdict and a part of its sentence.
fn check(expected: &[&str], before: &str, after: &str, verdict: Verdict, part: &str) {
    let deltas: Vec<Delta> = expected.iter().map(|text| text.parse().expect("a delta")).collect();
    let before = reading(before);
    let after: Vec<Try> = after.split("; ").filter_map(reading).collect();
    let case = Case {
        expected: &deltas.iter().collect::<Vec<_>>(),
        before: before.as_ref(),
        after: &after.iter().collect::<Vec<_>>(),
        equal: 3,
        serial: None,
        partner: None,
    };
    let (said, why) = judge(&case);
    assert_eq!(said, verdict, "{expected:?}, {before:?}, {after:?}: {why}");
    assert!(why.contains(part), "{why:?} says nothing of {part:?}");
}

fn thrice(text: &str) -> String {
    [text; 3].join("; ")
}

#[test]
fn a_change_is_as_expected_or_says_what_it_is() {
    use Verdict::*;
    let changed = |before: &str, after: &str, verdict, part| check(&[FW], before, &thrice(after), verdict, part);
    changed(OLD, NEW, AsExpected, "\"2.70\" now, with the same serial number");
    changed("fw=2.60@2 3=url", "fw=2.70@2 3=url", IdentityNotProven, "no serial number");
    changed("fw=2.60@2 cmserial=9@129", "fw=2.70@2 cmserial=9@129", IdentityNotProven, "no serial number");
    changed(OLD, OLD, NotChanged, "still \"2.60\", not \"2.70\"");
    changed(NEW, NEW, NotChanged, "was \"2.70\" before already");
    changed(OLD, "fw=2.65@2 model=PM@4 serial=77@128 3=url", WrongRelease, "is \"2.65\", not \"2.70\"");
    changed(OLD, "fw=2.65@2 model=PX@4 serial=77@128 3=url", WrongRelease, "besides, self.model changed from \"PM\" to \"PX\"");
    changed(OLD, "fw=2.70@2 model=PX@4 serial=77@128 3=url", SomethingElseChanged, "self.model changed from \"PM\" to \"PX\"");
    changed(OLD, "fw=2.70@2 model=PM@4 serial=77@128 3=other", SomethingElseChanged, "modbus.object.3 changed from \"url\" to \"other\"");
    changed(OLD, "fw=2.60@2 model=PM@4 serial=77@128 3=other", SomethingElseChanged, "still \"2.60\"");
    changed(OLD, "fw=2.70@2 model=PM@4 serial=77@128", SomethingElseChanged, "modbus.object.3 was \"url\" and is not reported any more");
    changed(OLD, "fw=2.70@2 serial=77@128 3=url", SomethingElseChanged, "self.model was \"PM\" and is not reported any more");
    changed(OLD, "fw=2.70@2 model=PM@4 serial=77@128 3=url 5=x", SomethingElseChanged, "modbus.object.5 was not reported and is now \"x\"");
    changed(OLD, "fw=2.70@2 model=PM@4 3=url", SomethingElseChanged, "self.serial_number was \"77\" and is not reported");
    changed(
        "fw=2.65@2 serial=77@128",
        "fw=2.70@2 serial=77@128",
        SomethingElseChanged,
        "was \"2.65\" before, not \"2.60\" as the order says",
    );
}

#[test]
fn another_serial_number_is_another_device_whatever_it_reports() {
    use Verdict::*;
    for after in ["fw=2.70@2 serial=78@128", "fw=2.60@2 serial=78@128", "fw=2.65@2 serial=78@128", "serial=78@128"] {
        check(
            &[FW],
            "fw=2.60@2 serial=77@128",
            &thrice(after),
            SomethingElseChanged,
            "another device answers there: self.serial_number changed from \"77\" to \"78\"",
        );
    }
    let swap = "a-1:self.serial_number=77->78";
    check(&[FW, swap], "fw=2.60@2 serial=77@128", &thrice("fw=2.70@2 serial=78@128"), AsExpected, "the expected serial number");
    check(&[FW, swap], "fw=2.60@2 serial=77@128", &thrice("fw=2.70@2 serial=79@128"), WrongRelease, "\"79\", not \"78\"");
    // Another module is not another device, but nobody expected it.
    check(
        &[FW],
        "fw=2.60@2 serial=7@128 cmserial=1@9",
        &thrice("fw=2.70@2 serial=7@128 cmserial=2@9"),
        SomethingElseChanged,
        "communication-module.serial_number",
    );
}

#[test]
fn every_part_must_change_as_expected() {
    use Verdict::*;
    let both = |after: &str, verdict, part| check(&[FW, CM], "fw=2.60@2 cm=1@5 serial=7@128", &thrice(after), verdict, part);
    both("fw=2.70@2 cm=2@5 serial=7@128", AsExpected, "communication-module.firmware_revision is \"2\" now");
    both("fw=2.70@2 cm=1@5 serial=7@128", WrongRelease, "communication-module.firmware_revision is still \"1\", not \"2\"");
    both("fw=2.60@2 cm=1@5 serial=7@128", NotChanged, "still \"2.60\"");
    both("fw=2.70@2 serial=7@128", Unreadable, "does not report communication-module.firmware_revision");
    let leaves = "a-1:self.patch=KB1->";
    check(&[leaves], "fw=1@2 serial=7@128", &thrice("fw=1@2 serial=7@128"), NotChanged, "not reported before already");
}

#[test]
fn what_cannot_be_read_is_not_judged() {
    use Verdict::*;
    check(&[FW], "-", &thrice(NEW), Unreadable, "not read before");
    check(&[FW], "!silence", &thrice(NEW), Unreadable, "could not be read before the change: silence");
    check(&[FW], OLD, "-", Unreadable, "not read after");
    check(&[FW], OLD, "!refused; !silence", Unreadable, "at 2 tries, at last: silence");
    check(&[FW], OLD, &format!("{NEW}; {NEW}"), Unreadable, "2 of 3 equal readings");
    check(&[FW], OLD, &format!("{NEW}; !silence; {NEW}; {NEW}"), Unreadable, "2 of 3 equal readings");
    check(&[FW], OLD, &format!("{NEW}; {NEW}; {NEW}; !silence"), Unreadable, "at last: silence");
    check(
        &[FW],
        OLD,
        &format!("{NEW}; {OLD}; {NEW}"),
        Unreadable,
        "disagree: between them self.firmware_revision changed from \"2.60\" to \"2.70\"",
    );
    check(&[FW], OLD, &thrice("3=url"), Unreadable, "does not report self.firmware_revision, which was to become \"2.70\"");
    // A boot image, silence, then the release: only the last readings count.
    check(&[FW], OLD, &format!("{OLD}; !silence; {}", thrice(NEW)), AsExpected, "\"2.70\"");
}

#[test]
fn a_neighbour_must_report_what_it_did() {
    use Verdict::*;
    check(&[], OLD, &thrice(OLD), AsExpected, "the same as before");
    check(&[], "fw=1@2", &thrice("fw=1@2"), AsExpected, "the same as before");
    check(&[], OLD, &thrice(NEW), AnotherDeviceChanged, "must not change, but self.firmware_revision changed from \"2.60\" to \"2.70\"");
    check(&[], "3=url", &thrice("3=other"), AnotherDeviceChanged, "modbus.object.3");
    check(&[], OLD, "!silence", Unreadable, "silence");
    check(&[], "-", &thrice(OLD), Unreadable, "before");
}

/// As [`check`], with what the owner knows: the serial number of the device, and of its partner.
fn check_known(expected: &str, (serial, partner): (&str, &str), before: &str, after: &str, verdict: Verdict, part: &str) {
    let delta: Delta = expected.parse().expect("a delta");
    let before = reading(before);
    let after: Vec<Try> = after.split("; ").filter_map(reading).collect();
    let case = Case {
        expected: &[&delta],
        before: before.as_ref(),
        after: &after.iter().collect::<Vec<_>>(),
        equal: 1,
        serial: Some(serial).filter(|text| !text.is_empty()),
        partner: Some(partner).filter(|text| !text.is_empty()),
    };
    let (said, why) = judge(&case);
    assert_eq!(said, verdict, "{expected:?}, {before:?}, {after:?}: {why}");
    assert!(why.contains(part), "{why:?} says nothing of {part:?}");
}

#[test]
fn the_right_release_is_not_enough_where_the_device_does_not_run() {
    use Verdict::*;
    let moded = |before: &str, after: &str, verdict, part| {
        let with = |plate: &str, state: &str| if state.is_empty() { plate.to_owned() } else { format!("{plate} state={state}") };
        check(&[FW], &with(OLD, before), &thrice(&with(NEW, after)), verdict, part);
    };
    moded("03", "03", AsExpected, "it is running");
    moded("02", "03", AsExpected, "it is running");
    moded("03", "02", NotRunning, "but it is stopped");
    moded("02", "02", NotRunning, "but it is stopped, as it was before");
    moded("03", "05", NotRunning, "but it is faulted");
    moded("03", "", NotRunning, "does not say any more whether it runs");
    moded("", "", AsExpected, "nothing else changed");
    // What is wrong with the release goes before.
    check(&[FW], &format!("{OLD} state=03"), &thrice("fw=2.65@2 model=PM@4 serial=77@128 3=url state=02"), WrongRelease, "2.65");
    check(&[FW], "fw=2.60@2 state=03", &thrice("fw=2.70@2 state=02"), NotRunning, "no serial number");
    check(
        &[],
        &format!("{OLD} state=03"),
        &thrice(&format!("{OLD} state=05")),
        AnotherDeviceChanged,
        "it was running before and is faulted now",
    );
    check(&[], &format!("{OLD} state=02"), &thrice(&format!("{OLD} state=03")), AsExpected, "the same as before");
}

#[test]
fn a_partner_is_not_the_device() {
    use Verdict::*;
    let pair = |after: &str, verdict, part| check_known(FW, ("", "88"), OLD, after, verdict, part);
    pair("fw=2.70@2 model=PM@4 serial=88@128 3=url", PartnerAnswered, "its partner answered in its place");
    pair("fw=2.60@2 model=PM@4 serial=88@128 3=url", PartnerAnswered, "\"88\"");
    pair("fw=2.70@2 model=PM@4 serial=99@128 3=url", SomethingElseChanged, "another device answers there");
    pair(NEW, AsExpected, "same serial number");
    check_known(FW, ("77", "88"), OLD, "fw=2.70@2 serial=88@128", PartnerAnswered, "88");
    check_known(FW, ("77", ""), "fw=2.60@2 serial=66@128", "fw=2.70@2 serial=66@128", SomethingElseChanged, "\"77\" was expected");
}

#[test]
fn what_was_not_known_before_is_judged_by_the_serial_number_that_is_expected() {
    use Verdict::*;
    let flashed = "a-1:self.firmware_revision=?->4.3";
    let unknown = |serial, after: &str, verdict, part| check_known(flashed, (serial, ""), "!never heard", after, verdict, part);
    unknown("77", "fw=4.3@2 serial=77@128", AsExpected, "what it was before is not known, so nothing else could be compared");
    unknown("78", "fw=4.3@2 serial=77@128", SomethingElseChanged, "another device answers there");
    unknown("", "fw=4.3@2 serial=77@128", IdentityNotProven, "no serial number that was expected");
    unknown("77", "fw=4.3@2", IdentityNotProven, "no serial number that was expected");
    unknown("77", "fw=4.7@2 serial=77@128", WrongRelease, "\"4.7\", not \"4.3\"");
    unknown("77", "!silence", Unreadable, "read it at its panel with a second person");
    unknown("77", "fw=4.3@2 serial=77@128 state=02", NotRunning, "stopped");
    // Where it could be read before, that counts; the order has nothing against any release.
    check_known(flashed, ("77", ""), "fw=4.1@2 serial=77@128", "fw=4.3@2 serial=77@128", AsExpected, "the same serial number");
    check_known(flashed, ("77", ""), "fw=4.3@2 serial=77@128", "fw=4.3@2 serial=77@128", NotChanged, "before already");
}

#[test]
fn a_clock_that_was_set_back_is_named() {
    let at = |time_ns, text: &str| Try { time_ns, ..reading(text).expect("a try") };
    let (before, after, delta) = (at(100, OLD), at(99, NEW), FW.parse().expect("a delta"));
    let case = Case { expected: &[&delta], before: Some(&before), after: &[&after], equal: 1, serial: None, partner: None };
    let (verdict, why) = judge(&case);
    assert!(verdict == Verdict::Unreadable && why.contains("the clock was set back"), "{why}");
}

#[test]
fn what_was_only_heard_is_compared_as_far_as_both_say() {
    let heard = |text: &str| {
        let mut plate = nameplate(text);
        plate.heard = true;
        Try { outcome: Outcome::Read { nameplate: plate }, ..reading(text).expect("a try") }
    };
    let judged = |before: &str, after: &str| {
        let (before, after, delta) = (reading(before).expect("a try"), heard(after), FW.parse().expect("a delta"));
        judge(&Case { expected: &[&delta], before: Some(&before), after: &[&after], equal: 1, serial: None, partner: None })
    };
    for (after, verdict, part) in [
        ("fw=2.70@9 serial=77@8", Verdict::AsExpected, "of what was heard, nothing else changed"),
        ("fw=2.70@9", Verdict::IdentityNotProven, "no serial number"),
        ("fw=2.70@9 serial=78@8", Verdict::SomethingElseChanged, "another device answers there"),
        ("fw=2.70@9 serial=77@8 model=PX@7", Verdict::SomethingElseChanged, "self.model"),
        ("serial=77@8", Verdict::Unreadable, "does not report self.firmware_revision"),
    ] {
        let (said, why) = judged(OLD, after);
        assert!(said == verdict && why.contains(part), "{after}: {said:?}: {why}");
    }
}
