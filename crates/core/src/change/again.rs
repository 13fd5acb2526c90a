//! A description that has the release in it changes with the release: that is one change, told twice.

use super::delta::Delta;
use super::nameplate::{Difference, Nameplate};

/// The only field whose value is free text.
const DESCRIPTION: &str = ".description";
/// A release of fewer parts could stand by chance in a text about something else: it has to be the whole text.
const PARTS_MIN: usize = 2;

/// Whether a description, or a fact that no field is read from, says what was expected once more, and nothing else of it changed. What stands between
/// letters and digits is not compared: one answer writes `V  2 70 0` what another calls `V2.70.0`.
pub(super) fn is_told_again(other: &Difference, expected: &[&Delta], before: &Nameplate, after: &Nameplate) -> bool {
    let is_field = |plate: &Nameplate| plate.fields.contains_key(&other.what);
    if (is_field(before) || is_field(after)) && !other.what.ends_with(DESCRIPTION) {
        return false;
    }
    let (Some(first), Some(second)) = (&other.first, &other.second) else { return false };
    let (first, second) = (parts(first), parts(second));
    expected.iter().any(|delta| {
        let (Some(from), Some(to)) = (before.value(&delta.key()), &delta.to) else { return false };
        let (from, to) = (parts(from), parts(to));
        // The text has the release in it, or is a part of what was expected: a banner names the program, too.
        stands_in([&from, &to], [&first, &second]) || stands_in([&first, &second], [&from, &to])
    })
}

/// Whether the outer texts are the same but for the inner ones, which stand in them at the same place.
fn stands_in([from, to]: [&[&str]; 2], [first, second]: [&[&str]; 2]) -> bool {
    if from.len() < PARTS_MIN {
        return !from.is_empty() && first == from && second == to;
    }
    let replaced = |at: usize| {
        let (head, tail) = (first.get(..at)?, first.get(at..)?.strip_prefix(from)?);
        second.strip_prefix(head)?.strip_prefix(to).filter(|rest| *rest == tail)
    };
    (0..first.len()).any(|at| replaced(at).is_some())
}

/// Runs of letters and runs of digits.
fn parts(text: &str) -> Vec<&str> {
    let mut parts = Vec::new();
    for word in text.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()) {
        let mut start = 0;
        let mut last: Option<bool> = None;
        for (at, c) in word.char_indices() {
            let digit = c.is_numeric();
            if last.is_some_and(|last| last != digit) {
                parts.extend(word.get(start..at));
                start = at;
            }
            last = Some(digit);
        }
        parts.extend(word.get(start..));
    }
    parts
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::change::Said;

    fn check(what: &str, [first, second]: [&str; 2], delta: &str, again: bool) {
        let expected: Delta = delta.parse().expect("a delta");
        let from = expected.from.clone().unwrap_or_default();
        let said = |value: &str| Said { value: value.to_owned(), from: "press.firmware".to_owned() };
        let fields = [("self.description".to_owned(), said(first)), ("self.model".to_owned(), said(first)), (expected.key(), said(&from))];
        let plate = Nameplate { fields: fields.into(), ..Nameplate::default() };
        let other = Difference { what: what.to_owned(), first: Some(first.to_owned()), second: Some(second.to_owned()) };
        assert_eq!(is_told_again(&other, &[&expected], &plate, &plate), again, "{what}: {first:?} to {second:?}, {delta}");
    }

    #[test]
    fn a_text_that_has_the_release_in_it_is_told_again_and_nothing_else_is() {
        const DELTA: &str = "a-1:self.firmware_revision=V2.60->V2.71";
        check("self.description", ["Press P7, SW: V2.60, Ch: 2", "Press P7, SW: V2.71, Ch: 2"], DELTA, true);
        check("pn-io.lookup.annotation", ["P7   V  2 60", "P7   V  2 71"], DELTA, true);
        check("pn-io.lookup.annotation", ["P7   V  2 60", "P8   V  2 71"], DELTA, false);
        check("self.description", ["Press V2.60", "Press V2.72"], DELTA, false);
        check("self.description", ["Press V2.60", "Press V2.71 beta"], DELTA, false);
        check("self.description", ["Press V2.601", "Press V2.711"], DELTA, false);
        // What a rule reads is a field of its own.
        check("self.model", ["P V2.60", "P V2.71"], DELTA, false);
        const BANNER: &str = "a-1:self.description=SSH-2.0-Acme_2.60->SSH-2.0-Acme_2.70";
        check("ssh.software", ["Acme_2.60", "Acme_2.70"], BANNER, true);
        check("ssh.software", ["Acme_2.60", "Acme_2.71"], BANNER, false);
        const SHORT: &str = "a-1:self.software_revision=1->2";
        check("self.description", ["Press 1 of 4", "Press 2 of 4"], SHORT, false);
        check("hart-ip.other", ["1", "2"], SHORT, true);
        check("self.description", ["", "2"], "a-1:self.software_revision=->2", false);
    }
}
