//! Findings by what threatens: of each vulnerability, or of each document, the devices that it touches.

use std::collections::{BTreeMap, BTreeSet};

use nameplate_core::advisory::Advisory;
use nameplate_core::finding::Verdict;
use nameplate_core::finding::remediation::State;
use nameplate_core::priority::{Band, Day};
use serde::Serialize;
use utoipa::ToSchema;

use super::findings::Found;

/// What one vulnerability, or one document, is to the devices.
#[derive(Default)]
pub struct Touch<'a> {
    /// Its documents, or the document's vulnerabilities.
    pub beside: BTreeSet<&'a str>,
    /// The worst band of what is open.
    pub band: Option<Band>,
    /// The first day by which something has to be done.
    pub due: Option<Day>,
    /// Findings by what they are.
    pub counts: Counts,
    /// Devices that are affected, or may be.
    pub devices: BTreeSet<&'a str>,
    /// What documents want to know and nobody has said, of how many findings.
    pub missing: BTreeMap<&'a str, usize>,
    /// A document offers a fix.
    pub offers_fix: bool,
}

/// Findings, counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = FindingCounts)]
pub struct Counts {
    affected: usize,
    /// Nobody can tell; `missing` says what would.
    indeterminate: usize,
    /// The document contradicts itself or another.
    contradiction: usize,
    not_affected: usize,
    /// Of those that are, or were: a change is to end it.
    in_progress: usize,
    /// A reading shows that it is over.
    done: usize,
    /// Left as it is for a reason and a time.
    left: usize,
}

impl Counts {
    /// In words, without what there is none of.
    pub fn shown(&self) -> String {
        let Self { affected, indeterminate, contradiction, not_affected, in_progress, done, left } = *self;
        let words = [
            (affected, "affected"),
            (indeterminate, "cannot tell"),
            (contradiction, "contradiction"),
            (not_affected, "not affected"),
            (in_progress, "in progress"),
            (done, "done"),
            (left, "left"),
        ];
        words.iter().filter(|(count, _)| *count > 0).map(|(count, word)| format!("{count} {word}")).collect::<Vec<_>>().join(", ")
    }
}

impl<'a> Touch<'a> {
    fn take(&mut self, found: &'a Found<'a>, beside: &'a str) {
        let is_left = found.exempted.as_ref().is_some_and(|exempted| !exempted.has_ended);
        let state = found.remediation.as_ref().map(|known| known.state);
        let counts = &mut self.counts;
        *match found.verdict {
            Verdict::Affected => &mut counts.affected,
            Verdict::Indeterminate => &mut counts.indeterminate,
            Verdict::Contradiction => &mut counts.contradiction,
            Verdict::NotAffected => &mut counts.not_affected,
        } += 1;
        counts.left += usize::from(is_left && found.verdict != Verdict::NotAffected);
        counts.in_progress += usize::from(state == Some(State::InProgress));
        counts.done += usize::from(state == Some(State::Done));
        self.beside.insert(beside);
        if found.verdict == Verdict::NotAffected {
            return;
        }
        self.devices.insert(&found.subject.installed.asset);
        self.offers_fix |= found.proof.offers_fix;
        let decision = found.decision.as_ref();
        self.band = self.band.max(decision.map(|decision| decision.band));
        let due = decision.and_then(|decision| decision.due.as_ref()).filter(|_| !is_left).map(|due| due.by);
        self.due = [self.due, due].into_iter().flatten().min();
        for fact in found.would_decide.as_deref().into_iter().chain(found.proof.missing.first().map(String::as_str)).take(1) {
            *self.missing.entry(fact).or_default() += 1;
        }
    }

    /// What would settle most of what nobody can tell.
    pub fn would_tell(&self) -> Option<&'a str> {
        self.missing.iter().max_by_key(|(_, count)| **count).map(|(fact, _)| *fact)
    }

    /// The band as a digit by which the worst stands first.
    pub fn rank(band: Option<Band>) -> String {
        let place = band.and_then(|band| Band::ALL.into_iter().position(|one| one == band)).unwrap_or(Band::ALL.len());
        place.to_string()
    }
}

/// By vulnerability.
pub fn by_cve<'a>(found: &'a [Found<'a>]) -> BTreeMap<&'a str, Touch<'a>> {
    grouped(found, |one| (one.proof.cve.as_str(), &one.proof.advisory))
}

/// What documents are to the devices, by publisher and id.
pub type Documents<'a> = BTreeMap<(&'a str, &'a str), Touch<'a>>;

/// What this document is, where it names a device.
pub fn touch_of<'t, 'a>(documents: &'t Documents<'a>, one: &'a Advisory) -> Option<&'t Touch<'a>> {
    documents.get(&(one.publisher.as_str(), one.id.as_str()))
}

/// By document.
pub fn by_document<'a>(found: &'a [Found<'a>]) -> Documents<'a> {
    grouped(found, |one| ((one.proof.publisher.as_str(), one.proof.advisory.as_str()), &one.proof.cve))
}

/// By device.
pub fn by_device<'a>(found: &'a [Found<'a>]) -> BTreeMap<&'a str, Touch<'a>> {
    grouped(found, |one| (one.subject.installed.asset.as_str(), &one.proof.cve))
}

fn grouped<'a, K: Ord>(found: &'a [Found<'a>], of: impl Fn(&'a Found<'a>) -> (K, &'a str)) -> BTreeMap<K, Touch<'a>> {
    let mut all = BTreeMap::new();
    for one in found {
        let (key, beside) = of(one);
        let touch: &mut Touch<'a> = all.entry(key).or_default();
        touch.take(one, beside);
    }
    all
}
