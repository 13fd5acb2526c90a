//! How a component stands to its baseline.

use std::cmp::Ordering;

use super::force::in_force;
use super::{Approval, Baselines, Covers, Decided, Decision, Exempted, Track};
use crate::catalog::Asset;
use crate::claim::{Field, Grade, OWN_COMPONENT};
use crate::profile::ProfileSet;
use crate::version::Order;

/// How a component stands to its baseline, worst first. The order of badness: a disapproved release is certainly wrong; an unknown one
/// may be any of the others; of a release that is not listed nobody said anything; a newer one ran ahead of its approval; one in test
/// did so with somebody's knowledge; a superseded one was good once; another line has a baseline that this one is not on; behind is
/// known and has a way forward.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Conformance {
    /// The release is disapproved.
    Disapproved,
    /// What is installed is not known, or whether a decision is about it.
    Unknown,
    /// Nobody decided on the release, and its order to those that are approved is not known or there are none; or it is not applicable.
    NotListed,
    /// Newer than every approved release, or than every approved one of its line; so not approved.
    Newer,
    /// The release is being tested; so not approved.
    InTest,
    /// The release was approved and is superseded.
    Superseded,
    /// Approved releases are of other release lines.
    OtherLine,
    /// A newer release of the same line is approved.
    Behind,
    /// The release is approved.
    Conforms,
}

impl Conformance {
    /// Every verdict, best first, as summaries count them.
    pub const ALL: [Self; 9] = [
        Self::Conforms,
        Self::Behind,
        Self::OtherLine,
        Self::Superseded,
        Self::InTest,
        Self::Newer,
        Self::NotListed,
        Self::Unknown,
        Self::Disapproved,
    ];

    /// The word in files.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Disapproved => "disapproved",
            Self::Unknown => "unknown",
            Self::NotListed => "not-listed",
            Self::Newer => "newer",
            Self::InTest => "in-test",
            Self::Superseded => "superseded",
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
    /// The releases and ranges that the owner approved for it, in the order in which they were.
    pub approved: Vec<String>,
    /// Of the approved releases the preferred one: where to go.
    pub target: Option<String>,
    /// What the vendor says of the installed release, and the entry that says so; the verdict is the owner's alone.
    pub vendor: Option<(Decision, u64)>,
    /// True where it was not read for longer than allowed, or never: what is installed may have changed since.
    pub stale: bool,
    /// Why, in words.
    pub reason: String,
    /// The ledger entry of the decision that settled it.
    pub entry: Option<u64>,
    /// That it is left as it is, for a time; or that this time is over.
    pub exempted: Option<Exempted>,
}

impl Judged {
    /// True while somebody answers for leaving it as it is.
    #[must_use]
    pub fn is_exempt(&self) -> bool {
        self.exempted.as_ref().is_some_and(|exempted| !exempted.has_ended)
    }
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
        for decided in about.iter().filter(|decided| decided.approval.track == Track::Owner && decided.fits(asset) == Covers::Yes) {
            let component = decided.approval.component.as_str();
            if !components.contains(&component) {
                components.push(component);
            }
        }
        if components.is_empty() {
            components.push(OWN_COMPONENT);
        }
        let exempted = self.exempted(asset, clock.now_ns);
        let mut judged = Vec::new();
        for component in components {
            for field in Field::ALL {
                let is_of = |decided: &&&Decided| decided.approval.component == component && decided.approval.field == field;
                let about: Vec<&Decided> = about.iter().filter(is_of).copied().collect();
                if field == Field::FirmwareRevision || !about.is_empty() {
                    let part = Part { asset, component, field };
                    judged.push(Judged { exempted: exempted.clone(), ..part.judged(&about, profiles, clock) });
                }
            }
        }
        judged
    }

    /// Whether a release is newer than the one that is installed; `None` where the order of the two is not known, or nothing is.
    #[must_use]
    pub fn is_ahead(asset: &Asset, (component, field): (&str, Field), release: &str, profiles: &ProfileSet) -> Option<bool> {
        let installed = asset.current(component, field)?.standing;
        let order = order_of(asset, Some(&installed.claim.profile), profiles);
        order.compare(&installed.claim.value, release).map(|stands| stands == Ordering::Less)
    }

    /// The decision of a track that stands for a release of one revision of a part of an asset, whether it is installed or not.
    #[must_use]
    pub fn decision(
        &self,
        asset: &Asset,
        part: (&str, Field),
        release: (&str, Track),
        profiles: &ProfileSet,
        now_ns: u64,
    ) -> Option<&Decided> {
        let ((component, field), (release, track)) = (part, release);
        let is_of = |one: &&Approval| one.component == component && one.field == field && one.track == track;
        let about: Vec<&Decided> = self.decided.iter().filter(|one| is_of(&&one.approval) && one.is_about(asset)).collect();
        let read_by = asset.current(component, field).map(|current| current.standing.claim.profile.as_str());
        let order = order_of(asset, read_by, profiles);
        standing(asset, release, order, &in_force(&about, order, now_ns))
    }
}

/// The worst of an asset's components: what the asset shows.
#[must_use]
pub fn worst(judged: &[Judged]) -> Option<&Judged> {
    judged.iter().min_by_key(|judged| judged.conformance)
}

/// One revision of one part of an asset.
#[derive(Clone, Copy)]
struct Part<'a> {
    asset: &'a Asset,
    component: &'a str,
    field: Field,
}

impl Part<'_> {
    /// Judges it by the decisions about it.
    fn judged(self, about: &[&Decided], profiles: &ProfileSet, clock: Clock) -> Judged {
        let Self { asset, component, field } = self;
        let installed = asset.current(component, field).map(|current| current.standing);
        let order = order_of(asset, installed.map(|read| read.claim.profile.as_str()), profiles);
        let of = |track| {
            let about: Vec<&Decided> = about.iter().filter(|decided| decided.approval.track == track).copied().collect();
            in_force(&about, order, clock.now_ns)
        };
        let (owner, vendor) = (of(Track::Owner), of(Track::Vendor));
        let approved = approved(asset, &owner);
        let verdict = installed.map_or_else(|| self.unknown(), |read| verdict(asset, &read.claim.value, order, &owner, &approved));
        let vendor = installed.and_then(|read| standing(asset, &read.claim.value, order, &vendor));
        let vendor = vendor.map(|decided| (decided.approval.decision, decided.index));
        let listed_only = installed.is_some_and(|read| read.claim.grade >= Grade::Imported);
        let Verdict { conformance, mut reason, entry } = verdict;
        match vendor {
            Some((decision, at)) if conformance == Conformance::NotListed && entry.is_none() => {
                reason = format!("not listed by the owner ({}, entry {at}): {reason}", vendor_says(decision));
            }
            Some((decision, at)) => reason.push_str(&format!("; {} (entry {at})", vendor_says(decision))),
            None => {}
        }
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
            approved: approved.iter().map(|decided| decided.approval.releases().to_owned()).collect(),
            target: approved.iter().rfind(|decided| decided.approval.preferred).map(|decided| decided.approval.release.clone()),
            vendor,
            stale: is_old || listed_only || asset.is_listed_only(),
            reason,
            entry,
            exempted: None,
        }
    }

    fn unknown(self) -> Verdict {
        let Self { asset, component, field } = self;
        let because = if field == Field::FirmwareRevision { asset.why_unknown.clone() } else { String::new() };
        let reason = if because.is_empty() { format!("{component} never said its {}", field.name()) } else { because };
        Verdict { conformance: Conformance::Unknown, reason, entry: None }
    }
}

const fn vendor_says(decision: Decision) -> &'static str {
    match decision {
        Decision::Approved => "vendor approves",
        Decision::Disapproved => "vendor disapproves",
        Decision::InTest => "vendor tests it",
        Decision::Superseded => "vendor superseded it",
        Decision::NotApplicable => "vendor calls it not applicable",
    }
}

/// The order of an asset's releases: that of the profile which read one, else that of its own profile.
pub(super) fn order_of(asset: &Asset, read_by: Option<&str>, profiles: &ProfileSet) -> Order {
    let profile = read_by.and_then(|id| profiles.get(id));
    profile.or_else(|| asset.profile.as_deref().and_then(|id| profiles.get(id))).map_or(Order::Opaque, |p| p.version_order)
}

struct Verdict {
    conformance: Conformance,
    reason: String,
    entry: Option<u64>,
}

/// What is approved for an asset: what surely is about it, and no disapproval in other words covers.
fn approved<'a>(asset: &Asset, counting: &[&'a Decided]) -> Vec<&'a Decided> {
    let is = |decided: &&&Decided| decided.approval.decision == Decision::Approved && decided.fits(asset) == Covers::Yes;
    let disapproved = |one: &&Decided| {
        let by = |other: &&Decided| {
            let release = &one.approval.release;
            let opposes = other.approval.decision == Decision::Disapproved && other.approval.range.is_some();
            opposes && !other.lifted_by(one) && other.covers(asset, release, Order::Opaque) == Covers::Yes
        };
        one.approval.range.is_none() && counting.iter().any(by)
    };
    counting.iter().filter(is).copied().filter(|one| !disapproved(one)).collect()
}

/// The decision that stands for a release, of those that surely cover it.
fn standing<'a>(asset: &Asset, release: &str, order: Order, counting: &[&'a Decided]) -> Option<&'a Decided> {
    let covering = counting.iter().copied().filter(|decided| decided.covers(asset, release, order) == Covers::Yes);
    covering.reduce(|standing, later| if standing.yields_to(later) { later } else { standing })
}

/// Judges a release by the decisions that are in force.
fn verdict(asset: &Asset, installed: &str, order: Order, counting: &[&Decided], approved: &[&Decided]) -> Verdict {
    let standing = standing(asset, installed, order, counting);
    let unsure = counting.iter().find_map(|decided| match decided.covers(asset, installed, order) {
        Covers::Unknown(why) if matters(decided, standing) => Some((*decided, why)),
        _ => None,
    });
    if let Some((decided, why)) = unsure {
        let Approval { decision, by, .. } = &decided.approval;
        let (word, index) = (decision.name(), decided.index);
        let reason = format!("whether it is {word} by {by} (entry {index}) cannot be said: {why}");
        return Verdict { conformance: Conformance::Unknown, reason, entry: Some(index) };
    }
    let Some(decided) = standing else { return beside(installed, order, approved) };
    let (conformance, word) = match decided.approval.decision {
        Decision::Approved => (Conformance::Conforms, "approved"),
        Decision::Disapproved => (Conformance::Disapproved, "disapproved"),
        Decision::InTest => (Conformance::InTest, "in test, not approved:"),
        Decision::Superseded => (Conformance::Superseded, "superseded"),
        Decision::NotApplicable => (Conformance::NotListed, "not applicable here, said"),
    };
    let Approval { by, second, reason, .. } = &decided.approval;
    let second = second.as_ref().map(|second| format!(" and {second}")).unwrap_or_default();
    let mut reason = format!("{word} by {by}{second}: {reason}");
    // Who reads "disapproved" has to learn that somebody else approved it.
    let opposite = |other: &&&Decided| {
        let pair = [decided.approval.decision, other.approval.decision];
        pair == [Decision::Disapproved, Decision::Approved] && other.covers(asset, installed, order) == Covers::Yes
    };
    if let Some(other) = counting.iter().find(opposite) {
        let (by, index) = (&other.approval.by, other.index);
        reason.push_str(&format!("; entry {index} by {by} approves it in other words and does not lift entry {}", decided.index));
    }
    Verdict { conformance, reason, entry: Some(decided.index) }
}

/// Whether a decision that may be about the release could change what stands.
fn matters(unsure: &Decided, standing: Option<&Decided>) -> bool {
    match (unsure.approval.decision, standing) {
        (_, Some(standing)) if standing.approval.decision == Decision::Disapproved => false,
        (Decision::Disapproved, Some(standing)) => !unsure.lifted_by(standing),
        (Decision::Disapproved | Decision::Approved, None) => true,
        _ => false,
    }
}

/// Judges a release that nobody decided on by those that are approved.
fn beside(installed: &str, order: Order, approved: &[&Decided]) -> Verdict {
    let of = |conformance, reason, entry| Verdict { conformance, reason, entry };
    let Some(last) = approved.last() else {
        return of(Conformance::NotListed, "no release of this part is approved for it".to_owned(), None);
    };
    let (points, ranges): (Vec<&Decided>, Vec<&Decided>) = approved.iter().partition(|decided| decided.approval.range.is_none());
    let stands = |decided: &&Decided| order.compare(installed, &decided.approval.release);
    let newest = |of: &[&'_ Decided]| {
        of.iter().copied().reduce(|one, other| later(one, other, order)).map(|d| (d.approval.release.clone(), d.index))
    };
    let (line, other): (Vec<&Decided>, Vec<&Decided>) = points.iter().partition(|d| order.same_line(installed, &d.approval.release));
    let ahead: Vec<&Decided> = line.iter().filter(|d| stands(d) == Some(Ordering::Less)).copied().collect();
    if let Some((release, index)) = newest(&ahead) {
        return of(Conformance::Behind, format!("{release} is approved in its release line"), Some(index));
    }
    let releases = |of: &[&Decided]| of.iter().map(|d| d.approval.releases().to_owned()).collect::<Vec<_>>().join(", ");
    if !ranges.is_empty() {
        return of(Conformance::NotListed, format!("outside of what is approved: {}", releases(approved)), None);
    }
    if let Some((release, index)) = newest(&line) {
        return of(Conformance::Newer, format!("newer than {release}, the newest approved one of its release line"), Some(index));
    }
    if other.iter().any(|d| stands(d).is_none()) {
        let reason = format!("the order of these texts is not known: {installed}, and approved {}", releases(&other));
        return of(Conformance::NotListed, reason, None);
    }
    match newest(&other).filter(|_| other.iter().all(|d| stands(d) == Some(Ordering::Greater))) {
        Some((release, index)) => of(Conformance::Newer, format!("newer than {release}, the newest approved one"), Some(index)),
        None => of(Conformance::OtherLine, format!("{} is approved, of another release line", last.approval.release), Some(last.index)),
    }
}

/// The one of the newer release; where nobody can say, the one that was decided later.
fn later<'a>(one: &'a Decided, other: &'a Decided, order: Order) -> &'a Decided {
    if order.compare(&one.approval.release, &other.approval.release) == Some(Ordering::Greater) { one } else { other }
}
