//! The verdict on one asset of a change: one pure function over what was expected and what was read. See docs/decisions/0010 and 0037.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::again;
use super::delta::{Delta, key};
use super::mode::Mode;
use super::nameplate::{Difference, Nameplate};
use super::outcome::{Outcome, Try};
use crate::claim::{Field, OWN_COMPONENT};
use crate::observation::rfc3339;

/// What to do where a device cannot be read.
const INSTEAD: &str = "read it at its panel with a second person, and keep a photograph with its hash";

/// What became of an asset, best first. A change is worth its worst asset: known harm ranks behind what is not known.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// The expected fields changed as expected, nothing else did, and the serial number is the same.
    AsExpected,
    /// As above, but the device reports no serial number: another one of its kind would look the same.
    IdentityNotProven,
    /// It reports exactly what it did before.
    NotChanged,
    /// The partner of a redundant pair answered in its place: of the device itself nothing is known.
    PartnerAnswered,
    /// It cannot be said: no reading before, no equal readings after, or the expected field is not reported.
    Unreadable,
    /// The release is right and nothing else changed, but the device is faulted or stopped, or does not say any more whether it runs.
    NotRunning,
    /// At least one expected field says something else than was expected.
    WrongRelease,
    /// Something differs that nobody expected; a serial number too.
    SomethingElseChanged,
    /// A device that must not change reports something else.
    AnotherDeviceChanged,
}

impl Verdict {
    /// As people read it.
    #[must_use]
    pub const fn text(self) -> &'static str {
        match self {
            Self::AsExpected => "as expected",
            Self::IdentityNotProven => "as expected, identity not proven",
            Self::NotChanged => "not changed",
            Self::PartnerAnswered => "its partner answered",
            Self::Unreadable => "unreadable",
            Self::NotRunning => "right release, but not known to run",
            Self::WrongRelease => "wrong release",
            Self::SomethingElseChanged => "something else changed too",
            Self::AnotherDeviceChanged => "another device changed",
        }
    }
}

/// All that a verdict on one asset rests on.
#[derive(Clone, Copy, Debug)]
pub struct Case<'a> {
    /// What must change; empty for a neighbour, of which nothing may.
    pub expected: &'a [&'a Delta],
    /// The reading before.
    pub before: Option<&'a Try>,
    /// The tries after, oldest first.
    pub after: &'a [&'a Try],
    /// So many readings in a row must be equal.
    pub equal: usize,
    /// The serial number that it has, as its owner knows.
    pub serial: Option<&'a str>,
    /// The serial number of its partner in a redundant pair.
    pub partner: Option<&'a str>,
}

/// A verdict with its reason in a sentence.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Judged {
    /// The asset's id.
    pub asset: String,
    /// What became of it.
    pub verdict: Verdict,
    /// Why, for a plant engineer.
    pub why: String,
}

/// Judges one asset. Precedence: what cannot be read is not judged; another serial number is another device, and its release tells
/// nothing; then a release that is neither the old nor the new, then anything unexpected, then no change at all, then whether it runs.
#[must_use]
pub fn judge(case: &Case<'_>) -> (Verdict, String) {
    let (before, after) = match readings(case) {
        Ok((Some(before), after)) => comparable(case, before, after),
        Ok((None, after)) => return alone(case, after),
        Err(why) => return (Verdict::Unreadable, format!("{why}; {INSTEAD}")),
    };
    if let Some(verdict) = stranger(case, &after) {
        return verdict;
    }
    if case.expected.is_empty() {
        return neighbour(&before, &after);
    }
    let apart: BTreeSet<String> = case.expected.iter().map(|delta| delta.key()).collect();
    let mut others = before.differences(&after, &apart);
    others.retain(|other| !again::is_told_again(other, case.expected, &before, &after));
    let identities: Vec<String> = identities(case.expected).collect();
    let another = |other: &&Difference| identities.contains(&other.what) && other.first.is_some() && other.second.is_some();
    if let Some(swap) = others.iter().find(another) {
        let why = format!("another device answers there: {swap}; what it reports says nothing about the one that was to change");
        return (Verdict::SomethingElseChanged, why);
    }
    if let Some(gone) = case.expected.iter().find(|delta| delta.to.is_some() && after.value(&delta.key()).is_none()) {
        let why = format!("it answers, but does not report {}, which was to become {}; {INSTEAD}", gone.key(), quoted(&gone.to));
        return (Verdict::Unreadable, why);
    }
    match expected(case, &before, &after, &others) {
        (verdict @ (Verdict::AsExpected | Verdict::IdentityNotProven), why) => runs(verdict, why, Some(&before), &after),
        judged => judged,
    }
}

/// Both readings; where one was only heard, as far as both say the same fields.
fn comparable(case: &Case<'_>, before: &Nameplate, after: &Nameplate) -> (Nameplate, Nameplate) {
    if !before.heard && !after.heard {
        return (before.clone(), after.clone());
    }
    let wanted: BTreeSet<String> = case.expected.iter().map(|delta| delta.key()).collect();
    (before.beside(after, &wanted), after.beside(before, &wanted))
}

/// Somebody else answers: the partner, or a device with another serial number than its owner gave.
fn stranger(case: &Case<'_>, after: &Nameplate) -> Option<(Verdict, String)> {
    let own = key(OWN_COMPONENT, Field::SerialNumber);
    let now = after.value(&own)?;
    let known = case.serial.or_else(|| case.before?.nameplate()?.value(&own));
    if case.partner == Some(now) && known != Some(now) {
        let why = format!("its partner answered in its place, with the serial number {now:?}; read it where it answers itself");
        return Some((Verdict::PartnerAnswered, why));
    }
    let expects_swap = case.expected.iter().any(|delta| delta.key() == own);
    let other = case.serial.filter(|serial| *serial != now && !expects_swap)?;
    let why = format!(
        "another device answers there: its serial number is {now:?}, and {other:?} was expected; what it reports says nothing about the one that was to change"
    );
    Some((Verdict::SomethingElseChanged, why))
}

fn neighbour(before: &Nameplate, after: &Nameplate) -> (Verdict, String) {
    let stopped = after.mode().filter(|now| *now > Mode::Running && before.mode() == Some(Mode::Running));
    let stopped = stopped.map(|now| format!("it was running before and is {} now", now.text()));
    let changed = list(&before.differences(after, &BTreeSet::new()));
    let changed: Vec<String> = changed.into_iter().chain(stopped).collect();
    if changed.is_empty() {
        return (Verdict::AsExpected, "it must not change, and reports the same as before".to_owned());
    }
    (Verdict::AnotherDeviceChanged, format!("it must not change, but {}", changed.join(", ")))
}

/// Nobody could say what it was before, and the order says so: the release and the serial number that was expected are all there is.
fn alone(case: &Case<'_>, after: &Nameplate) -> (Verdict, String) {
    if let Some(verdict) = stranger(case, after) {
        return verdict;
    }
    let serial = after.value(&key(OWN_COMPONENT, Field::SerialNumber));
    let missed: Vec<String> = case
        .expected
        .iter()
        .filter(|delta| after.value(&delta.key()) != delta.to.as_deref())
        .map(|delta| {
            let now = after.value(&delta.key()).map(str::to_owned);
            format!("{} is {}, not {}", delta.key(), quoted(&now), quoted(&delta.to))
        })
        .collect();
    let unknown = "what it was before is not known, so nothing else could be compared";
    if !missed.is_empty() {
        return (Verdict::WrongRelease, format!("{}; {unknown}", missed.join(", ")));
    }
    let came = came(case.expected);
    match (serial, case.serial) {
        (Some(_), Some(_)) => runs(Verdict::AsExpected, format!("{came}, with the expected serial number; {unknown}"), None, after),
        _ => runs(
            Verdict::IdentityNotProven,
            format!("{came}, but no serial number that was expected proves which device it is; {unknown}"),
            None,
            after,
        ),
    }
}

/// The release is right: does it run?
fn runs(verdict: Verdict, why: String, before: Option<&Nameplate>, after: &Nameplate) -> (Verdict, String) {
    match (after.mode(), before.and_then(Nameplate::mode)) {
        (Some(Mode::Running), _) => (verdict, format!("{why}; it is running")),
        (Some(now), Some(was)) if now == was => (Verdict::NotRunning, format!("{why}; but it is {}, as it was before", now.text())),
        (Some(now), _) => (Verdict::NotRunning, format!("{why}; but it is {}", now.text())),
        (None, Some(_)) => (Verdict::NotRunning, format!("{why}; but it does not say any more whether it runs")),
        (None, None) => (verdict, why),
    }
}

/// The last part of [`judge`]: the device is readable and, as far as it says, the same.
fn expected(case: &Case<'_>, before: &Nameplate, after: &Nameplate, others: &[Difference]) -> (Verdict, String) {
    let deltas = case.expected;
    let also = list(others).map(|changed| format!("; besides, {changed}")).unwrap_or_default();
    let missed: Vec<String> =
        deltas.iter().filter(|delta| after.value(&delta.key()) != delta.to.as_deref()).map(|delta| miss(delta, before, after)).collect();
    let moved = deltas.iter().any(|delta| before.value(&delta.key()) != after.value(&delta.key()));
    if !moved {
        let still: Vec<String> = deltas.iter().map(|delta| stays(delta, after)).collect();
        let verdict = if others.is_empty() { Verdict::NotChanged } else { Verdict::SomethingElseChanged };
        return (verdict, still.join(", ") + &also);
    }
    if !missed.is_empty() {
        return (Verdict::WrongRelease, missed.join(", ") + &also);
    }
    let came = came(deltas);
    if !others.is_empty() {
        return (Verdict::SomethingElseChanged, came + &also);
    }
    let began = |delta: &&&Delta| !delta.from_unknown && before.value(&delta.key()) != delta.from.as_deref();
    if let Some(delta) = deltas.iter().find(began) {
        let began = before.value(&delta.key()).map(str::to_owned);
        let why = format!("{came}, but {} was {} before, not {} as the order says", delta.key(), quoted(&began), quoted(&delta.from));
        return (Verdict::SomethingElseChanged, why);
    }
    let heard = if before.heard || after.heard { "of what was heard, nothing else changed" } else { "nothing else changed" };
    // Nothing else changed, so a serial number that is there now is the one before, or the one that was expected.
    let proven = |delta: &&Delta| identities(&[*delta]).any(|serial| after.value(&serial).is_some());
    if deltas.iter().all(proven) {
        let whose = if deltas.iter().any(|delta| delta.field == Field::SerialNumber) { "expected" } else { "same" };
        (Verdict::AsExpected, format!("{came}, with the {whose} serial number, and {heard}"))
    } else {
        (Verdict::IdentityNotProven, format!("{came} and {heard}, but no serial number proves that it is the same device"))
    }
}

/// The reading before, where there is one or has to be, and the one that stands for the equal ones after.
fn readings<'a>(case: &Case<'a>) -> Result<(Option<&'a Nameplate>, &'a Nameplate), String> {
    let unknown = !case.expected.is_empty() && case.expected.iter().all(|delta| delta.from_unknown);
    let before = match case.before.map(|one| &one.outcome) {
        Some(Outcome::Read { nameplate }) => Some(nameplate),
        _ if unknown => None,
        Some(Outcome::Unread { why }) => return Err(format!("it could not be read before the change: {why}")),
        None => return Err("it was not read before the change".to_owned()),
    };
    let last = case.after.last().ok_or("it was not read after the change")?;
    if let (Some(before), Some(first)) = (case.before, case.after.first())
        && first.time_ns < before.time_ns
    {
        let (was, now) = (rfc3339(before.time_ns), rfc3339(first.time_ns));
        return Err(format!(
            "the clock was set back: what was read after has the time {now}, and what was read before {was}; read after once more"
        ));
    }
    let after = match &last.outcome {
        Outcome::Read { nameplate } => nameplate,
        Outcome::Unread { why } => {
            let tries = case.after.len();
            return Err(format!(
                "no sound answer after the change at {tries} {}, at last: {why}",
                if tries == 1 { "try" } else { "tries" }
            ));
        }
    };
    let tail = case.after.get(case.after.len().saturating_sub(case.equal.max(1))..).unwrap_or_default();
    if let Some(other) = tail.iter().filter_map(|one| one.nameplate()).find(|one| *one != after) {
        let differences = list(&other.differences(after, &BTreeSet::new())).unwrap_or_else(|| "its mode".to_owned());
        return Err(format!("its readings after the change disagree: between them {differences}"));
    }
    let equal = case.after.iter().rev().take_while(|one| one.nameplate() == Some(after)).count();
    if equal < case.equal {
        return Err(format!("{equal} of {} equal readings came after the change", case.equal));
    }
    Ok((before, after))
}

fn came(deltas: &[&Delta]) -> String {
    let came: Vec<String> = deltas.iter().map(|delta| format!("{} is {} now", delta.key(), quoted(&delta.to))).collect();
    came.join(", ")
}

fn miss(delta: &Delta, before: &Nameplate, after: &Nameplate) -> String {
    let now = after.value(&delta.key()).map(str::to_owned);
    let still = if before.value(&delta.key()) == now.as_deref() { "still " } else { "" };
    format!("{} is {still}{}, not {}", delta.key(), quoted(&now), quoted(&delta.to))
}

fn stays(delta: &Delta, after: &Nameplate) -> String {
    let now = after.value(&delta.key()).map(str::to_owned);
    if now == delta.to {
        format!("{} was {} before already, and still is", delta.key(), quoted(&now))
    } else {
        format!("{} is still {}, not {}", delta.key(), quoted(&now), quoted(&delta.to))
    }
}

/// The serial numbers that say which device it is: its own, and those of the parts that are to change.
fn identities(deltas: &[&Delta]) -> impl Iterator<Item = String> {
    let parts: BTreeSet<&str> = deltas.iter().map(|delta| delta.component.as_str()).chain([OWN_COMPONENT]).collect();
    parts.into_iter().map(|part| key(part, Field::SerialNumber))
}

/// `None` for an empty list.
fn list(differences: &[Difference]) -> Option<String> {
    let texts: Vec<String> = differences.iter().map(Difference::to_string).collect();
    (!texts.is_empty()).then(|| texts.join(", "))
}

fn quoted(value: &Option<String>) -> String {
    value.as_ref().map_or_else(|| "not reported".to_owned(), |value| format!("{value:?}"))
}

#[cfg(test)]
mod tests;
