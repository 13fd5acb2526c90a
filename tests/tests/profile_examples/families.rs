//! Which of the known families a profile covers: by the names that profiles list, and, of SNMP, by which profile reads the family's example.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use nameplate_core::claim::{Claim, Field};
use nameplate_core::profile::{Form, Matched, Profile, ProfileSet};
use nameplate_core::wire::conversation::Over;
use nameplate_tests::place::root;
use serde_json::Value;

use crate::encode;
use crate::judge::is_same;
use crate::rows::{Kind, answer};

/// Versions in the list that it calls placeholders in its notes.
const PLACEHOLDERS: [&str; 1] = ["V00.00.00"];

/// A family and what is made of it.
pub struct Family {
    vendor: String,
    name: String,
    protocol: String,
    known: String,
    /// Profiles that cover it.
    profiles: Vec<String>,
    /// The best form of example that replays and says what the list says; `None` where there is none.
    form: Option<&'static str>,
    /// Why no profile covers it.
    reason: String,
    /// What was read wrong.
    pub wrong: Option<String>,
}

/// Families without a profile, and why: what no text in the list can say.
fn reasons() -> BTreeMap<String, String> {
    let path = root().join("tests/golden/families-without-profile.tsv");
    let text = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    text.lines()
        .skip(1)
        .map(|line| line.split_once('\t').unwrap_or_else(|| panic!("two cells: {line:?}")))
        .map(|(id, why)| (id.to_owned(), why.to_owned()))
        .collect()
}

/// All families, in the list's order by vendor.
pub fn of(set: &ProfileSet, known: &[Value]) -> Vec<Family> {
    let mut reasons = reasons();
    let mut families: Vec<Family> = known.iter().map(|family| one(set, family, &mut reasons)).collect();
    assert!(reasons.is_empty(), "these have a profile, or are no families: {reasons:?}");
    families.sort_by(|a, b| (&a.vendor, &a.name, &a.protocol).cmp(&(&b.vendor, &b.name, &b.protocol)));
    families
}

fn one(set: &ProfileSet, family: &Value, reasons: &mut BTreeMap<String, String>) -> Family {
    let word = |key: &str| family[key].as_str().unwrap_or_default().to_owned();
    let id = word("id");
    let named = |profile: &&Profile| profile.families.contains(&id);
    let mut profiles: BTreeSet<&str> = set.iter().filter(named).map(|profile| profile.id.as_str()).collect();
    let result = &family["example_result"];
    let expected: Vec<(Kind, Vec<String>)> = [("firmware", Kind::Version), ("serial", Kind::Serial), ("model", Kind::Model)]
        .into_iter()
        .filter_map(|(key, kind)| Some((kind, vec![result[key].as_str()?.to_owned()])))
        // What a device sends where nothing was ever set is no version to be read.
        .filter(|(_, value)| value.iter().all(|value| !PLACEHOLDERS.contains(&value.as_str())))
        .collect();
    let listed: Vec<&Profile> = set.iter().filter(named).collect();
    // Where the list has no device's answer, no example is one.
    let has_answer = !expected.is_empty();
    let mut form = listed.iter().filter(|_| has_answer).filter_map(|profile| replayed(profile, &expected)).min().map(Form::name);
    let mut wrong = None;
    if let Some(objects) = objects(family) {
        let reading = answer("snmp", Over::Udp, vec![], vec![encode::snmp(&objects)]).readings();
        for said in reading.iter().map(|reading| set.interpret(reading)) {
            let Matched::One(profile) = &said.matched else { continue };
            wrong = differs(&id, &said.claims, &expected);
            if let Some(profile) = set.get(profile).filter(|_| wrong.is_none() && says(&said.claims, &expected)) {
                profiles.insert(profile.id.as_str());
                form = form.or(Some(if family["example_form"] == "text" { "text" } else { "OID map" }));
            }
        }
    }
    let reason = reasons.remove(&id).filter(|_| profiles.is_empty()).unwrap_or_else(|| "no profile yet".into());
    let known = match word("confidence").as_str() {
        "seen-in-source" => "seen",
        "documented" => "documented",
        _ => "inferred",
    };
    let profiles = profiles.into_iter().map(str::to_owned).collect();
    Family { vendor: word("vendor"), name: word("family"), protocol: word("protocol"), known: known.into(), profiles, form, reason, wrong }
}

/// The form of an example of this profile that a device said and that holds what the list says of the family.
fn replayed(profile: &Profile, expected: &[(Kind, Vec<String>)]) -> Option<Form> {
    let holds = |example: &&nameplate_core::profile::Example| {
        let values: Vec<(Field, &str)> = example.expect.values().flatten().map(|(field, value)| (*field, value.as_str())).collect();
        let version =
            expected.iter().find(|(kind, _)| *kind == Kind::Version).or_else(|| expected.iter().find(|(kind, _)| *kind == Kind::Model));
        example.form != Form::Built
            && version
                .is_none_or(|(kind, expected)| values.iter().any(|(field, value)| is_of(*kind, *field) && is_told(*kind, value, expected)))
    };
    profile.examples.iter().filter(holds).map(|example| example.form).min()
}

const fn is_of(kind: Kind, field: Field) -> bool {
    match kind {
        Kind::Version => field.is_revision(),
        Kind::Model => matches!(field, Field::Model | Field::ProductCode | Field::Description),
        Kind::Serial => matches!(field, Field::SerialNumber),
        Kind::Hardware => matches!(field, Field::HardwareRevision),
    }
}

/// The objects of an SNMP example; a text is its sysDescr.
fn objects(family: &Value) -> Option<Vec<(String, String)>> {
    let protocol = family["protocol"].as_str().unwrap_or_default();
    let is_name = |name: &str| name.trim_start_matches('.').split('.').all(|part| part.parse::<u32>().is_ok()) && name.contains('.');
    match &family["example_raw"] {
        Value::Object(map) if protocol.starts_with("snmp") => {
            let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            let named = map.iter().filter(|(name, _)| is_name(name)).map(|(name, value)| (name.clone(), text(value)));
            let objects: Vec<_> = named.filter(|(name, value)| !name.ends_with("1.1.2.0") || is_name(value)).collect();
            (!objects.is_empty()).then_some(objects)
        }
        Value::String(text) if protocol.contains("snmp") && !text.is_empty() => Some(vec![("1.3.6.1.2.1.1.1.0".to_owned(), text.clone())]),
        _ => None,
    }
}

/// The expected text; or with it what the list leaves off: the date of a build behind a blank.
fn is_told(kind: Kind, read: &str, expected: &[String]) -> bool {
    is_same(kind, read, expected)
        || (kind == Kind::Version && expected.iter().any(|one| read.strip_prefix(one.as_str()).is_some_and(|rest| rest.starts_with(' '))))
}

/// Claims hold the version that is expected; where none is, the model.
fn says(claims: &[Claim], expected: &[(Kind, Vec<String>)]) -> bool {
    let wanted = expected.iter().find(|(kind, _)| *kind == Kind::Version).or_else(|| expected.first());
    wanted.is_none_or(|(kind, expected)| claims.iter().any(|claim| is_of(*kind, claim.field) && is_told(*kind, &claim.value, expected)))
}

/// A firmware that is claimed and is not the expected one.
fn differs(id: &str, claims: &[Claim], expected: &[(Kind, Vec<String>)]) -> Option<String> {
    let (_, version) = expected.iter().find(|(kind, _)| *kind == Kind::Version)?;
    let read: Vec<&str> = claims
        .iter()
        .filter(|claim| claim.field == Field::FirmwareRevision && claim.component == "self")
        .map(|claim| claim.value.as_str())
        .collect();
    let is_right = read.is_empty() || read.iter().any(|read| is_told(Kind::Version, read, version));
    (!is_right).then(|| format!("{id}: {read:?}, expected {version:?}"))
}

/// Every family that a profile lists is one of the known ones.
pub fn every_name_is_known(set: &ProfileSet, known: &[Value]) {
    let ids: BTreeSet<&str> = known.iter().filter_map(|family| family["id"].as_str()).collect();
    let strange: Vec<String> = set
        .iter()
        .flat_map(|profile| profile.families.iter().map(move |family| (profile, family)))
        .filter(|(_, family)| !ids.contains(family.as_str()))
        .map(|(profile, family)| format!("{}: {family}", profile.id))
        .collect();
    assert!(strange.is_empty(), "{strange:?}");
}

const HEAD: &str = "\
# Families

Which families of devices are known, and which of them a profile covers. Made by `tests/tests/profile_examples` out of a list of families
that was collected from public sources, and of the profiles themselves.

- **known**: seen: a real device's answer was found in a public source. documented: a manual says how it answers. inferred: neither.
- **example**: in which form the profile's example has what such a device said: a frame off the wire, values that somebody decoded, a text, a
  map of objects. Every one is replayed, whole and cut at every length, by `nameplate profile test` or by this test. `-`: no device's answer
  was found, so the profile is documented and not seen.

";

/// docs/families.md.
pub fn page(families: &[Family]) -> String {
    let covered = families.iter().filter(|family| !family.profiles.is_empty()).count();
    let replayed = families.iter().filter(|family| !family.profiles.is_empty() && family.form.is_some()).count();
    let mut page =
        format!("{HEAD}{covered} of {} families have a profile, {replayed} of them with an example that replays.\n\n", families.len());
    let mut protocols: BTreeMap<&str, [usize; 3]> = BTreeMap::new();
    for family in families {
        let group = family.protocol.split(['/', ' ', '-']).next().unwrap_or_default();
        let counts = protocols.entry(group).or_default();
        counts[0] += 1;
        counts[1] += usize::from(!family.profiles.is_empty());
        counts[2] += usize::from(!family.profiles.is_empty() && family.form.is_some());
    }
    page += "| first protocol | families | with a profile | with an example |\n|---|---:|---:|---:|\n";
    for (protocol, [all, covered, replayed]) in protocols {
        page += &format!("| {protocol} | {all} | {covered} | {replayed} |\n");
    }
    page += "\n| vendor | family | protocol | known | example | profile, or why there is none |\n|---|---|---|---|---|---|\n";
    for Family { vendor, name, protocol, known, profiles, form, reason, .. } in families {
        let (form, what) = if profiles.is_empty() { ("-", reason.clone()) } else { (form.unwrap_or("-"), profiles.join(", ")) };
        let cell = |text: &str| text.replace('|', "/");
        page += &format!("| {} | {} | {} | {known} | {form} | {what} |\n", cell(vendor), cell(name), cell(protocol));
    }
    page
}
