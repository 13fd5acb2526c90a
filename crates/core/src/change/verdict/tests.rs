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
    let case =
        Case { expected: &deltas.iter().collect::<Vec<_>>(), before: before.as_ref(), after: &after.iter().collect::<Vec<_>>(), equal: 3 };
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
