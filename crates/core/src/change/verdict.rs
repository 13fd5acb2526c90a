//! The verdict on one asset of a change: one pure function over what was expected and what was read. See docs/decisions/0010.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::delta::{Delta, key};
use super::nameplate::{Difference, Nameplate};
use crate::claim::Field;

/// The component that stands for the whole device.
const OWN_COMPONENT: &str = "self";

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
    /// It cannot be said: no reading before, no equal readings after, or the expected field is not reported.
    Unreadable,
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
            Self::Unreadable => "unreadable",
            Self::WrongRelease => "wrong release",
            Self::SomethingElseChanged => "something else changed too",
            Self::AnotherDeviceChanged => "another device changed",
        }
    }
}

/// One try to read a device.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Try {
    /// The asset's id.
    pub asset: String,
    /// When it was over, in nanoseconds since 1970-01-01T00:00:00Z.
    pub time_ns: u64,
    /// Ledger entries of the observations that it brought.
    pub entries: Vec<u64>,
    /// What came of it.
    pub outcome: Outcome,
}

/// What came of a try.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "outcome", rename_all = "snake_case", deny_unknown_fields)]
pub enum Outcome {
    /// The device answered, whole and sound. An exception is an answer.
    Read {
        /// What it said.
        nameplate: Nameplate,
    },
    /// It did not, or it was not asked.
    Unread {
        /// Why.
        why: String,
    },
}

impl Try {
    /// What the device said, if it did.
    #[must_use]
    pub const fn nameplate(&self) -> Option<&Nameplate> {
        match &self.outcome {
            Outcome::Read { nameplate } => Some(nameplate),
            Outcome::Unread { .. } => None,
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
/// nothing; then a release that is neither the old nor the new, then anything unexpected, then no change at all.
#[must_use]
pub fn judge(case: &Case<'_>) -> (Verdict, String) {
    let (before, after) = match readings(case) {
        Ok(readings) => readings,
        Err(why) => return (Verdict::Unreadable, why),
    };
    if case.expected.is_empty() {
        let differences = before.differences(after, &BTreeSet::new());
        return match list(&differences) {
            None => (Verdict::AsExpected, "it must not change, and reports the same as before".to_owned()),
            Some(changed) => (Verdict::AnotherDeviceChanged, format!("it must not change, but {changed}")),
        };
    }
    let apart: BTreeSet<String> = case.expected.iter().map(|delta| delta.key()).collect();
    let others = before.differences(after, &apart);
    let identities: Vec<String> = identities(case.expected).collect();
    let another = |other: &&Difference| identities.contains(&other.what) && other.first.is_some() && other.second.is_some();
    if let Some(swap) = others.iter().find(another) {
        let why = format!("another device answers there: {swap}; what it reports says nothing about the one that was to change");
        return (Verdict::SomethingElseChanged, why);
    }
    if let Some(gone) = case.expected.iter().find(|delta| delta.to.is_some() && after.value(&delta.key()).is_none()) {
        return (Verdict::Unreadable, format!("it answers, but does not report {}, which was to become {}", gone.key(), quoted(&gone.to)));
    }
    expected(case.expected, before, after, &others)
}

/// The last part of [`judge`]: the device is readable and, as far as it says, the same.
fn expected(deltas: &[&Delta], before: &Nameplate, after: &Nameplate, others: &[Difference]) -> (Verdict, String) {
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
    let came: Vec<String> = deltas.iter().map(|delta| format!("{} is {} now", delta.key(), quoted(&delta.to))).collect();
    let came = came.join(", ");
    if !others.is_empty() {
        return (Verdict::SomethingElseChanged, came + &also);
    }
    if let Some(delta) = deltas.iter().find(|delta| before.value(&delta.key()) != delta.from.as_deref()) {
        let began = before.value(&delta.key()).map(str::to_owned);
        let why = format!("{came}, but {} was {} before, not {} as the order says", delta.key(), quoted(&began), quoted(&delta.from));
        return (Verdict::SomethingElseChanged, why);
    }
    // Nothing else changed, so a serial number that is there now is the one before, or the one that was expected.
    let proven = |delta: &&Delta| identities(&[*delta]).any(|serial| after.value(&serial).is_some());
    if deltas.iter().all(proven) {
        let whose = if deltas.iter().any(|delta| delta.field == Field::SerialNumber) { "expected" } else { "same" };
        (Verdict::AsExpected, format!("{came}, with the {whose} serial number, and nothing else changed"))
    } else {
        let why = format!("{came} and nothing else changed, but no serial number proves that it is the same device");
        (Verdict::IdentityNotProven, why)
    }
}

/// The reading before, and the one that stands for the equal ones after.
fn readings<'a>(case: &Case<'a>) -> Result<(&'a Nameplate, &'a Nameplate), String> {
    let before = case.before.ok_or("it was not read before the change")?;
    let before = match &before.outcome {
        Outcome::Read { nameplate } => nameplate,
        Outcome::Unread { why } => return Err(format!("it could not be read before the change: {why}")),
    };
    let last = case.after.last().ok_or("it was not read after the change")?;
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
        let differences = list(&other.differences(after, &BTreeSet::new())).unwrap_or_default();
        return Err(format!("its readings after the change disagree: between them {differences}"));
    }
    let equal = case.after.iter().rev().take_while(|one| one.nameplate() == Some(after)).count();
    if equal < case.equal {
        return Err(format!("{equal} of {} equal readings came after the change", case.equal));
    }
    Ok((before, after))
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
