//! How a component stands to its baseline.

use std::cmp::Ordering;

use super::force::in_force;
use super::{Baselines, Decided, Decision};
use crate::catalog::Asset;
use crate::claim::{Field, Grade};
use crate::profile::ProfileSet;
use crate::version::Order;

/// The part that answers for a device of which nothing else is known.
const OWN_COMPONENT: &str = "self";

/// How a component stands to its baseline, worst first. The order of badness: a disapproved release is certainly wrong; an unknown one
/// may be any of the others; of a release that is not listed nobody said anything; a newer one ran ahead of its approval; another line
/// has a baseline that this one is not on; behind is known and has a way forward.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Conformance {
    /// The release is disapproved.
    Disapproved,
    /// What is installed is not known.
    Unknown,
    /// Nobody decided on the release, and its order to those that are approved is not known or there are none.
    NotListed,
    /// Newer than every approved release, or than every approved one of its line; so not approved.
    Newer,
    /// Approved releases are of other release lines.
    OtherLine,
    /// A newer release of the same line is approved.
    Behind,
    /// The release is approved.
    Conforms,
}

impl Conformance {
    /// The word in files.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Disapproved => "disapproved",
            Self::Unknown => "unknown",
            Self::NotListed => "not-listed",
            Self::Newer => "newer",
            Self::OtherLine => "other-line",
            Self::Behind => "behind",
            Self::Conforms => "conforms",
        }
    }
}

/// One revision of one component, judged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Judged {
    /// Which part.
    pub component: String,
    /// Which of its revisions.
    pub field: Field,
    /// What is installed, as the device (or, with the grade `imported`, a list) says.
    pub installed: Option<String>,
    /// How that is known.
    pub grade: Option<Grade>,
    /// The verdict.
    pub conformance: Conformance,
    /// The releases that are approved for it, in the order in which they were.
    pub approved: Vec<String>,
    /// True where it was not read for longer than allowed, or never: what is installed may have changed since.
    pub stale: bool,
    /// Why, in words.
    pub reason: String,
    /// The ledger entry of the decision that settled it.
    pub entry: Option<u64>,
}

/// When it is, and how old a reading may be.
#[derive(Clone, Copy, Debug)]
pub struct Clock {
    /// Nanoseconds since 1970.
    pub now_ns: u64,
    /// A reading that is older is stale.
    pub stale_after_ns: u64,
}

impl Baselines {
    /// Judges every component of an asset: its firmware, and each revision that somebody decided on.
    #[must_use]
    pub fn judge(&self, asset: &Asset, profiles: &ProfileSet, clock: Clock) -> Vec<Judged> {
        let about: Vec<&Decided> = self.decided.iter().filter(|decided| decided.is_about(asset)).collect();
        let mut components = asset.components();
        for decided in &about {
            let component = decided.approval.component.as_str();
            if !components.contains(&component) {
                components.push(component);
            }
        }
        if components.is_empty() {
            components.push(OWN_COMPONENT);
        }
        let mut judged = Vec::new();
        for component in components {
            for field in Field::ALL {
                let is_of = |decided: &&&Decided| decided.approval.component == component && decided.approval.field == field;
                let about: Vec<&Decided> = about.iter().filter(is_of).copied().collect();
                if field == Field::FirmwareRevision || !about.is_empty() {
                    judged.push(revision(asset, component, field, &about, profiles, clock));
                }
            }
        }
        judged
    }
}

/// The worst of an asset's components: what the asset shows.
#[must_use]
pub fn worst(judged: &[Judged]) -> Option<&Judged> {
    judged.iter().min_by_key(|judged| judged.conformance)
}

/// Judges one revision by the decisions about it.
fn revision(asset: &Asset, component: &str, field: Field, about: &[&Decided], profiles: &ProfileSet, clock: Clock) -> Judged {
    let installed = asset.current(component, field).map(|current| current.standing);
    let profile = installed.and_then(|read| profiles.get(&read.claim.profile));
    let order = profile.or_else(|| asset.profile.as_deref().and_then(|id| profiles.get(id))).map_or(Order::Opaque, |p| p.version_order);
    let counting = in_force(about, order, clock.now_ns);
    let verdict = installed.map_or_else(|| unknown(asset, component, field), |read| verdict(&read.claim.value, order, &counting));
    let listed_only = installed.is_some_and(|read| read.claim.grade >= Grade::Imported);
    let (conformance, mut reason, entry) = verdict;
    if listed_only {
        reason.push_str("; what is installed is from a list, no reading says it");
    }
    let read_ns = installed.map_or(asset.seen_ns.1, |read| read.time_ns);
    let is_old = clock.now_ns.saturating_sub(read_ns) > clock.stale_after_ns;
    Judged {
        component: component.to_owned(),
        field,
        installed: installed.map(|read| read.claim.value.clone()),
        grade: installed.map(|read| read.claim.grade),
        conformance,
        approved: approved(&counting).map(|decided| decided.approval.release.clone()).collect(),
        stale: is_old || listed_only || asset.is_listed_only(),
        reason,
        entry,
    }
}

type Verdict = (Conformance, String, Option<u64>);

fn unknown(asset: &Asset, component: &str, field: Field) -> Verdict {
    let because = if field == Field::FirmwareRevision { asset.why_unknown.clone() } else { String::new() };
    let reason = if because.is_empty() { format!("{component} never said its {}", field.name()) } else { because };
    (Conformance::Unknown, reason, None)
}

fn approved<'a>(counting: &[&'a Decided]) -> impl Iterator<Item = &'a Decided> {
    counting.iter().copied().filter(|decided| decided.approval.decision == Decision::Approved)
}

/// Judges a release by the decisions that are in force.
fn verdict(installed: &str, order: Order, counting: &[&Decided]) -> Verdict {
    if let Some(decided) = counting.iter().find(|decided| order.same(&decided.approval.release, installed)) {
        let (conformance, word) = match decided.approval.decision {
            Decision::Approved => (Conformance::Conforms, "approved"),
            Decision::Disapproved => (Conformance::Disapproved, "disapproved"),
        };
        return (conformance, format!("{word} by {}: {}", decided.approval.by, decided.approval.reason), Some(decided.index));
    }
    let approved: Vec<&Decided> = approved(counting).collect();
    let Some(last) = approved.last() else {
        return (Conformance::NotListed, "no release of this part is approved for it".into(), None);
    };
    let stands = |decided: &&&Decided| order.compare(installed, &decided.approval.release);
    let newest = |of: &[&'_ Decided]| {
        of.iter().copied().reduce(|one, other| later(one, other, order)).map(|d| (d.approval.release.clone(), d.index))
    };
    let (line, other): (Vec<&Decided>, Vec<&Decided>) = approved.iter().partition(|d| order.same_line(installed, &d.approval.release));
    let ahead: Vec<&Decided> = line.iter().filter(|d| stands(d) == Some(Ordering::Less)).copied().collect();
    if let Some((release, index)) = newest(&ahead) {
        return (Conformance::Behind, format!("{release} is approved in its release line"), Some(index));
    }
    if let Some((release, index)) = newest(&line) {
        return (Conformance::Newer, format!("newer than {release}, the newest approved one of its release line"), Some(index));
    }
    if other.iter().any(|d| stands(&d).is_none()) {
        let releases: Vec<&str> = other.iter().map(|d| d.approval.release.as_str()).collect();
        let reason = format!("the order of these texts is not known: {installed}, and approved {}", releases.join(", "));
        return (Conformance::NotListed, reason, None);
    }
    match newest(&other).filter(|_| other.iter().all(|d| stands(&d) == Some(Ordering::Greater))) {
        Some((release, index)) => (Conformance::Newer, format!("newer than {release}, the newest approved one"), Some(index)),
        None => (Conformance::OtherLine, format!("{} is approved, of another release line", last.approval.release), Some(last.index)),
    }
}

/// The one of the newer release; where nobody can say, the one that was decided later.
fn later<'a>(one: &'a Decided, other: &'a Decided, order: Order) -> &'a Decided {
    if order.compare(&one.approval.release, &other.approval.release) == Some(Ordering::Greater) { one } else { other }
}
