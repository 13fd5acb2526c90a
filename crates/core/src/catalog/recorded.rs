//! A claim as an asset keeps it: with the observation that it stands in, counted while nothing else is said.

use std::borrow::Cow;
use std::sync::Arc;

use super::{Recorded, Told};
use crate::claim::Claim;
use crate::observation::Source;
use crate::profile::{Interpretation, Matched};

/// Bytes of a value that a catalog keeps: a long description; no name and no version comes near it.
const VALUE_BYTES_MAX: usize = 4096;

impl Recorded {
    pub(super) fn new(claim: &Arc<Claim>, told: &Told<'_>) -> Self {
        Self {
            claim: Arc::clone(claim),
            observation: Some(told.id),
            entry: told.entry,
            time_ns: told.time_ns,
            since_ns: told.time_ns,
            times: 1,
            first: (Some(told.id), told.entry),
            source: told.source.clone(),
            address: Arc::clone(&told.outline.address),
        }
    }

    /// The same rule about the same field, by the same way: the later of the two is the rule's latest word there.
    pub(super) fn is_of_the_kind_of(&self, claim: &Arc<Claim>, source: &Source) -> bool {
        let own = &self.claim;
        let alike =
            || own.field == claim.field && (&own.rule, &own.component, &own.profile) == (&claim.rule, &claim.component, &claim.profile);
        // Nearly always it is the same claim, in the same place.
        (Arc::ptr_eq(own, claim) || alike()) && std::mem::discriminant(&self.source) == std::mem::discriminant(source)
    }

    /// Counts an equal claim; what stands is the latest observation of it.
    pub(super) fn again(&mut self, told: &Told<'_>) {
        (self.since_ns, self.times) = (self.since_ns.min(told.time_ns), self.times.saturating_add(1));
        if told.time_ns >= self.time_ns {
            (self.time_ns, self.entry, self.observation) = (told.time_ns, told.entry, Some(told.id));
            if !Arc::ptr_eq(&self.address, &told.outline.address) {
                self.address = Arc::clone(&told.outline.address);
            }
            self.source.clone_from(told.source);
        }
    }
}

/// A claim as a catalog keeps it: a long text is cut, with a mark; a long version is none, because a shorter one would be another. The ledger
/// has all of it.
pub(super) fn bounded(claim: &Claim) -> Option<Cow<'_, Claim>> {
    if claim.value.len() <= VALUE_BYTES_MAX {
        return Some(Cow::Borrowed(claim));
    }
    // A character has at most four bytes, so one of these is a boundary.
    let begin = (0..4).find_map(|less| claim.value.get(..VALUE_BYTES_MAX - less))?;
    (!claim.field.is_revision()).then(|| Cow::Owned(Claim { value: format!("{begin}…"), ..claim.clone() }))
}

pub(super) fn remarks(said: &Interpretation) -> Vec<String> {
    let mut remarks: Vec<String> = said.unreadable.iter().map(|(fact, shown)| format!("{fact} could not be used: \"{shown}\"")).collect();
    if let Matched::Several(profiles) = &said.matched {
        remarks.push(format!("several profiles match, so none is believed: {}", profiles.join(", ")));
    }
    remarks
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::tests::said;
    use crate::claim::{Field, Grade};

    #[test]
    fn a_text_of_a_mebibyte_is_cut_and_a_version_of_that_length_is_none() {
        let long = "é".repeat(512 * 1024);
        let check = |field, value: &str, expected: Option<usize>| {
            let said = said(&[(field, value, "x.rule", Grade::Banner)]);
            assert_eq!(bounded(&said.claims[0]).map(|claim| claim.value.len()), expected, "{field:?}");
        };
        check(Field::Name, "pump", Some(4));
        check(Field::Name, &long, Some(VALUE_BYTES_MAX + "…".len()));
        check(Field::FirmwareRevision, &long, None);
    }
}
