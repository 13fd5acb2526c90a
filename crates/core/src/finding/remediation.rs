//! What became of a finding: the state that an asset matching system gives a match (CSAF 2.0, 9.1.13), out of changes and readings alone.
//! Nobody's word makes it done: a reading does, and its entry is the proof. Argued in docs/decisions/0039.

use std::collections::HashMap;

use super::installed::Installed;
use super::{Finding, Library, Verdict};
use crate::catalog::{Asset, Recorded};
use crate::change::{self, Change, Changes, Fate, Left};
use crate::claim::{Field, Grade};
use crate::observation::rfc3339;

/// The revisions that ranges are about.
const RELEASES: [Field; 2] = [Field::FirmwareRevision, Field::SoftwareRevision];

/// How far it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum State {
    /// It is open, and no open change is to end it.
    NotRemediated,
    /// An open change has the device in scope to end it.
    InProgress,
    /// The device was affected at a release that it reported, and a reading shows one at which it is not.
    Done,
}

impl State {
    /// As it is written.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::NotRemediated => "not_remediated",
            Self::InProgress => "in_progress",
            Self::Done => "done",
        }
    }
}

/// The state of one finding of one component.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Remediation {
    /// How far it is.
    pub state: State,
    /// The work order that is to end it, that ended it, or that failed to.
    pub order: Option<String>,
    /// The entry that shows it: of what is done the reading, of what is in progress the order's opening, of a failure the entry that says so.
    pub entry: Option<u64>,
    /// Of what is done the time of that reading, in nanoseconds since 1970.
    pub since_ns: Option<u64>,
    /// Why, in words.
    pub why: String,
}

/// The verdicts on one component, by the places of document and vulnerability.
type Verdicts = HashMap<(usize, usize), Verdict>;

/// A change with the device in scope.
struct Ordered<'a> {
    change: &'a Change,
    /// What the documents say of the release that it is to bring.
    promised: Verdicts,
    /// What was said of the device, where it is left, with the entry.
    left: Option<(u64, &'a Left)>,
    /// The verdict of the readings after it, where there are any.
    read: Option<(change::Verdict, String)>,
}

/// All that the states of one component's findings rest on.
pub struct Remediations<'a> {
    /// Oldest first.
    ordered: Vec<Ordered<'a>>,
    /// The release that is reported.
    standing: Option<&'a Recorded>,
    /// What the documents say of the release that was reported before, and that release.
    before: Option<(&'a str, Verdicts)>,
}

impl<'a> Remediations<'a> {
    /// Of one component of an asset.
    #[must_use]
    pub fn of(library: &Library, installed: &Installed, asset: &'a Asset, changes: &'a Changes) -> Self {
        let at = |field: Field, release: &str| verdicts(&library.judge(&with(installed, field, release)));
        let field = RELEASES.into_iter().find(|field| asset.current(&installed.component, *field).is_some());
        let standing = field.and_then(|field| asset.current(&installed.component, field)).map(|current| current.standing);
        // A list's word is no reading, and so no proof.
        let standing = standing.filter(|standing| standing.claim.grade < Grade::Imported);
        let before = standing.and_then(|standing| {
            let same = |one: &&Recorded| {
                let (one, other) = (&one.claim, &standing.claim);
                (&one.component, one.field, &one.rule) == (&other.component, other.field, &other.rule) && one.value != other.value
            };
            let earlier = asset.claims.iter().filter(same).filter(|one| one.time_ns <= standing.since_ns);
            let last = earlier.max_by_key(|one| one.time_ns)?;
            Some((last.claim.value.as_str(), at(last.claim.field, &last.claim.value)))
        });
        let called = |id: &str| asset.id == id || asset.was.iter().any(|was| was == id);
        let mut own: Vec<&Change> = changes.iter().filter(|change| change.plan.scope.iter().any(|place| called(&place.asset))).collect();
        own.sort_by_key(|change| change.opened);
        let ordered = own.into_iter().map(|change| {
            let mut expected = change.plan.expected.iter();
            let is_release =
                |delta: &&change::Delta| called(&delta.asset) && delta.component == installed.component && RELEASES.contains(&delta.field);
            let promised = expected.find(is_release).and_then(|delta| Some(at(delta.field, delta.to.as_deref()?))).unwrap_or_default();
            let left = change.left.iter().rfind(|(_, left)| left.assets.iter().any(|id| called(id))).map(|(index, left)| (*index, left));
            let was_read = change.after.iter().flat_map(|step| &step.tries).any(|one| called(&one.asset));
            let place = change.plan.scope.iter().find(|place| called(&place.asset)).filter(|_| was_read);
            let judged = place.and_then(|place| change.verdict_on(&place.asset));
            Ordered { change, promised, left, read: judged.map(|judged| (judged.verdict, judged.why)) }
        });
        Self { ordered: ordered.collect(), standing, before }
    }

    /// The state of one finding; `names` are its CVE and its document's id. `None` where the device never was affected, as far as is known.
    #[must_use]
    pub fn state(&self, finding: &Finding<'_>, names: &[&str]) -> Option<Remediation> {
        let key = (finding.advisory, finding.vulnerability);
        if finding.verdict == Verdict::NotAffected { self.ended(key) } else { Some(self.open(key, names)) }
    }

    /// Of what is not affected any more.
    fn ended(&self, key: (usize, usize)) -> Option<Remediation> {
        let standing = self.standing?;
        let (release, before) = self.before.as_ref()?;
        before.get(&key).filter(|verdict| **verdict == Verdict::Affected)?;
        let is = &standing.claim.value;
        let moved = format!("it was affected at {release:?} and reports {is:?}");
        let brings = |one: &&Ordered<'_>| one.promised.get(&key) == Some(&Verdict::NotAffected);
        let Some(ordered) = self.ordered.iter().rev().find(brings) else {
            return Some(done(standing, None, format!("{moved}; no work order brought that")));
        };
        let order = &ordered.change.plan.order;
        if let Some((entry, left)) = ordered.left.filter(|(entry, left)| left.fate == Fate::Failed && standing.entry < Some(*entry)) {
            let why = format!("{moved}, and work order {order} calls it failed ({}): no reading since shows otherwise", left.reason);
            return Some(Remediation { state: State::NotRemediated, order: Some(order.clone()), entry: Some(entry), since_ns: None, why });
        }
        match &ordered.read {
            Some((verdict, why)) if ordered.left.is_none() && is_failure(*verdict) => {
                let (state, order) = (State::InProgress, Some(order.clone()));
                let why = format!("{moved}, but: {}: {why}", verdict.text());
                Some(Remediation { state, order, entry: Some(ordered.change.opened.0), since_ns: None, why })
            }
            _ => Some(done(standing, Some(order.clone()), format!("{moved}, as work order {order} was to bring"))),
        }
    }

    /// Of what is open: an order that is to end it, the last that was, or none.
    fn open(&self, key: (usize, usize), names: &[&str]) -> Remediation {
        let named = |one: &&Ordered<'_>| {
            let mut causes = one.change.plan.terms.cause.findings.iter();
            causes.any(|cause| names.iter().any(|name| cause.trim().eq_ignore_ascii_case(name.trim())))
        };
        let meant = |one: &&Ordered<'_>| named(one) || one.promised.get(&key) == Some(&Verdict::NotAffected);
        let open = |state, why| Remediation { state, order: None, entry: None, since_ns: None, why };
        let Some(ordered) = self.ordered.iter().rev().find(meant) else {
            return open(State::NotRemediated, "no work order is to end it".to_owned());
        };
        let Change { plan, opened, closed, .. } = ordered.change;
        let order = &plan.order;
        let (state, entry, why) = match (ordered.left, closed) {
            (Some((entry, left)), _) => {
                let until = left.until_ns.map(|until| format!(" until {}", rfc3339(until))).unwrap_or_default();
                (State::NotRemediated, entry, format!("work order {order} left it: {}{until}, {}", left.fate.name(), left.reason))
            }
            (None, Some(closed)) => {
                (State::NotRemediated, closed.index, format!("work order {order} is closed, and it is open all the same"))
            }
            (None, None) => {
                let read = ordered.read.as_ref().map(|(verdict, _)| format!("; read after: {}", verdict.text())).unwrap_or_default();
                (State::InProgress, opened.0, format!("work order {order} is open, with a window until {}{read}", rfc3339(plan.until_ns)))
            }
        };
        Remediation { order: Some(order.clone()), entry: Some(entry), ..open(state, why) }
    }
}

fn done(standing: &Recorded, order: Option<String>, why: String) -> Remediation {
    Remediation { state: State::Done, order, entry: standing.first.1, since_ns: Some(standing.since_ns), why }
}

/// The right release alone ends no finding where the readings after the change say that something is wrong.
const fn is_failure(verdict: change::Verdict) -> bool {
    use change::Verdict::{AnotherDeviceChanged, AsExpected, IdentityNotProven, NotChanged, NotRunning, PartnerAnswered};
    use change::Verdict::{SomethingElseChanged, Unreadable, WrongRelease};
    match verdict {
        AsExpected | IdentityNotProven | Unreadable => false,
        NotChanged | PartnerAnswered | NotRunning | WrongRelease | SomethingElseChanged | AnotherDeviceChanged => true,
    }
}

/// The component, were it at another release.
fn with(installed: &Installed, field: Field, release: &str) -> Installed {
    let release = Some(release.to_owned());
    let mut other = Installed { conflicts: Vec::new(), ..installed.clone() };
    match field {
        Field::SoftwareRevision => other.software_revision = release,
        _ => other.firmware_revision = release,
    }
    other
}

fn verdicts(findings: &[Finding<'_>]) -> Verdicts {
    findings.iter().map(|finding| ((finding.advisory, finding.vulnerability), finding.verdict)).collect()
}
