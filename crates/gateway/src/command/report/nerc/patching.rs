//! CIP-007 R2: sources, evaluations, what was done about each applicable patch, and plans.

use std::collections::{BTreeMap, BTreeSet};

use nameplate_core::baseline::ExemptionKind;
use nameplate_core::catalog::Asset;
use nameplate_core::claim::Field;
use nameplate_core::finding::Verdict;
use nameplate_core::finding::evaluation::Evaluated;
use nameplate_core::finding::remediation::State;
use nameplate_core::observation::rfc3339;
use nameplate_core::priority::Day;
use nameplate_core::priority::cip_007::{self, ACTION_DAYS_MAX, Action, Done, Duty, Patch, PatchSource};

use super::{Gap, Impact, Shown};
use crate::command::check::findings::Found;
use crate::command::report::{Rows, Told, table};
use crate::failure::Failure;
use crate::sheet::book::Tint;

/// Columns of the tables.
const SOURCES: [&str; 4] = ["source", "documents", "first taken in", "last taken in"];
const UNNAMED: [&str; 2] = ["maker", "devices that no document names"];
const EVALUATIONS: [&str; 10] =
    ["entry", "time", "by", "days since the one before", "devices", "documents", "affected", "undecided", "advisories sha256", "note"];
const PATCHES: [&str; 11] =
    ["device", "part", "impact", "document", "source", "known since", "evaluated", "due", "state", "shown by", "vulnerabilities"];
/// Nanoseconds of a day.
const DAY_NS: u64 = 86_400_000_000_000;

/// A document that concerns a part of a device: what the standard calls a patch, as far as an advisory announces it.
struct Concern<'f, 'a> {
    asset: &'a Asset,
    found: Vec<&'f Found<'f>>,
    known_ns: u64,
}

/// Device, component, publisher, document.
type Key = (String, String, String, String);

/// All of it.
pub fn shown(told: &Told<'_>, assets: &[&Asset]) -> Result<Shown, Failure> {
    let judgement = told.judgement()?;
    let found: Vec<Found<'_>> = judgement.iter().flat_map(|judgement| judgement.found(told)).collect();
    let came: BTreeMap<(&str, &str), (u64, u64)> =
        told.view.advisories.came_ns().map(|((publisher, id), came)| ((publisher.as_str(), id.as_str()), came)).collect();
    let mut concerns: BTreeMap<Key, Concern<'_, '_>> = BTreeMap::new();
    for one in &found {
        let installed = &one.subject.installed;
        let Some(asset) = assets.iter().find(|asset| asset.id == installed.asset) else { continue };
        let (publisher, advisory) = (one.proof.publisher.as_str(), one.proof.advisory.as_str());
        let since = came.get(&(publisher, advisory)).map_or(0, |came| came.0);
        let key = (asset.id.clone(), installed.component.clone(), publisher.to_owned(), advisory.to_owned());
        let known_ns = since.max(asset.seen_ns.0);
        concerns.entry(key).or_insert_with(|| Concern { asset, found: Vec::new(), known_ns }).found.push(one);
    }
    // Of what never was affected nothing has to be shown.
    concerns.retain(|_, concern| concern.found.iter().any(|one| one.verdict != Verdict::NotAffected || one.remediation.is_some()));
    let named: BTreeSet<&str> = found.iter().map(|one| one.subject.installed.asset.as_str()).collect();
    let mut gaps = Vec::new();
    let sources = sources(&came, &mut gaps);
    // Without any source, that is the gap, and not one for each maker.
    let looked_at = if came.is_empty() { &[] } else { assets };
    let unnamed = unnamed(looked_at, &named, &mut gaps);
    let evaluations = evaluations(&told.view.evaluations);
    let patches = patches(told, &concerns, &came, &mut gaps);
    let tables = vec![
        table("CIP-007 R2.1 sources", &SOURCES, sources),
        table("CIP-007 R2.1 makers not named", &UNNAMED, unnamed),
        table("CIP-007 R2.2 evaluations", &EVALUATIONS, evaluations),
        table("CIP-007 R2.3 R2.4 patches", &PATCHES, patches),
    ];
    Ok(Shown { gaps, tables })
}

fn sources(came: &BTreeMap<(&str, &str), (u64, u64)>, gaps: &mut Vec<Gap>) -> Rows {
    let mut sources: BTreeMap<&str, (usize, u64, u64)> = BTreeMap::new();
    for ((publisher, _), (first, last)) in came {
        let source = sources.entry(publisher).or_insert((0, *first, *last));
        *source = (source.0 + 1, source.1.min(*first), source.2.max(*last));
    }
    if sources.is_empty() {
        let gap = "no publisher's advisories were ever taken in".to_owned();
        gaps.push(Gap { part: "CIP-007 R2.1", what: "sources".to_owned(), gap, due: None, entry: None });
    }
    let row =
        |(name, (count, first, last)): (&str, (usize, u64, u64))| vec![name.to_owned(), count.to_string(), rfc3339(first), rfc3339(last)];
    sources.into_iter().map(|source| (Tint::Plain, row(source))).collect()
}

fn unnamed(assets: &[&Asset], named: &BTreeSet<&str>, gaps: &mut Vec<Gap>) -> Rows {
    let mut makers: BTreeMap<String, usize> = BTreeMap::new();
    for asset in assets.iter().filter(|asset| !named.contains(asset.id.as_str())) {
        let maker = asset.shown(Field::Manufacturer).map(|current| current.standing.claim.value.clone());
        *makers.entry(maker.unwrap_or_else(|| "not known".to_owned())).or_default() += 1;
    }
    for (maker, count) in &makers {
        let gap = format!("no document that was taken in names {count} of its devices: take in its source, or record that there is none");
        gaps.push(Gap { part: "CIP-007 R2.1", what: format!("maker {maker}"), gap, due: None, entry: None });
    }
    makers.into_iter().map(|(maker, count)| (Tint::Doubt, vec![maker, count.to_string()])).collect()
}

fn evaluations(all: &[Evaluated]) -> Rows {
    let mut before: Option<Day> = None;
    let row = |one: &Evaluated| {
        let day = Day::of_ns(one.time_ns);
        let days = before.replace(day).map(|before| day.since(before));
        let tint = if days.is_some_and(|days| days > cip_007::EVALUATION_DAYS_MAX.cast_signed()) { Tint::Bad } else { Tint::Good };
        let it = &one.evaluation;
        let undecided = it.verdicts.indeterminate.saturating_add(it.verdicts.contradiction);
        let numbers = [it.devices, it.documents, it.verdicts.affected, undecided].map(|number| number.to_string());
        let first = [one.index.to_string(), rfc3339(one.time_ns), it.by.clone(), days.map(|days| days.to_string()).unwrap_or_default()];
        let last = [it.advisories_sha256.clone(), it.note.clone().unwrap_or_default()];
        (tint, first.into_iter().chain(numbers).chain(last).collect())
    };
    all.iter().map(row).collect()
}

/// One line for each patch; the clocks of the standard run on all of them.
fn patches(
    told: &Told<'_>,
    concerns: &BTreeMap<Key, Concern<'_, '_>>,
    came: &BTreeMap<(&str, &str), (u64, u64)>,
    gaps: &mut Vec<Gap>,
) -> Rows {
    let today = Day::of_ns(told.now_ns);
    let all = &told.view.evaluations;
    let names: Vec<(String, &Key, &Concern<'_, '_>)> =
        concerns.iter().map(|(key, concern)| (format!("{} of {} on {} {}", key.3, key.2, key.0, key.1), key, concern)).collect();
    let judged = |one: &Evaluated| {
        let known = names.iter().filter(|(_, _, concern)| concern.known_ns <= one.time_ns);
        known.map(|(id, _, concern)| (id.clone(), concern.applied_ns().is_none_or(|applied| applied > one.time_ns))).collect()
    };
    let source = PatchSource {
        name: "all sources".to_owned(),
        tracked_since: came.values().map(|came| Day::of_ns(came.0)).min().unwrap_or(today),
        patches: names.iter().map(|(id, _, concern)| Patch { id: id.clone(), released: Day::of_ns(concern.known_ns) }).collect(),
        evaluations: all.iter().map(|one| cip_007::Evaluation { completed: Day::of_ns(one.time_ns), judged: judged(one) }).collect(),
        actions: names.iter().flat_map(|(id, key, concern)| concern.actions(told, id, key)).collect(),
    };
    if came.is_empty() {
        let gap = "no evaluation is on record, nor anything that could be evaluated".to_owned();
        gaps.push(Gap { part: "CIP-007 R2.2", what: "all sources".to_owned(), gap, due: None, entry: None });
    } else {
        gaps.extend(source.gaps(today).into_iter().map(of_clock));
    }
    let mut undecided: BTreeMap<&str, (usize, BTreeSet<&str>)> = BTreeMap::new();
    let mut rows = Vec::new();
    for (id, key, concern) in &names {
        let evaluated = all.iter().find(|one| concern.known_ns <= one.time_ns);
        let waits = concern.known_ns / DAY_NS + u64::from(cip_007::EVALUATION_DAYS_MAX) < told.now_ns / DAY_NS;
        if evaluated.is_none() && waits {
            let gap = format!("known since {}, and no evaluation looked at it", rfc3339(concern.known_ns));
            gaps.push(Gap { part: "CIP-007 R2.2", what: id.clone(), gap, due: None, entry: None });
        }
        if !concern.is_affected() && concern.applied_ns().is_none() {
            let missing = concern.found.iter().flat_map(|one| &one.proof.missing).map(String::as_str);
            let (count, facts) = undecided.entry(&key.0).or_default();
            *count += 1;
            facts.extend(missing);
        }
        rows.push(concern.row(key, evaluated, source.actions.iter().rfind(|action| action.patch == *id), today));
    }
    for (device, (count, facts)) in undecided {
        let facts = facts.into_iter().collect::<Vec<_>>().join(", ");
        let facts = if facts.is_empty() { "the documents are unclear".to_owned() } else { format!("missing: {facts}") };
        let gap = format!("of {count} documents it cannot be said whether they apply ({facts})");
        gaps.push(Gap { part: "CIP-007 R2.2", what: device.to_owned(), gap, due: None, entry: None });
    }
    rows
}

fn of_clock(gap: cip_007::Gap) -> Gap {
    let duty = |duty: Duty| match duty {
        Duty::Evaluate => ("CIP-007 R2.2", "all sources".to_owned(), "an evaluation"),
        Duty::Act(patch) => ("CIP-007 R2.3", patch, "it applied, or a dated mitigation plan"),
        Duty::CarryOut(patch) => ("CIP-007 R2.4", patch, "its mitigation plan carried out, revised or extended"),
    };
    let of = |(part, what, asked): (&'static str, String, &str), due, said: String| Gap {
        part,
        what,
        gap: format!("{asked}: {said}"),
        due: Some(due),
        entry: None,
    };
    match gap {
        cip_007::Gap::Late(what, due, on) => of(duty(what), due, format!("due on {due}, on record since {on}")),
        cip_007::Gap::Overdue(what, due) => of(duty(what), due, format!("due on {due}, not on record")),
        cip_007::Gap::PassedOver(what, on) => {
            Gap { part: "CIP-007 R2.2", what, gap: format!("the evaluation of {on} does not cover it"), due: None, entry: None }
        }
        cip_007::Gap::NoRelease(what) => Gap { part: "CIP-007 R2.2", what, gap: "no release on record".to_owned(), due: None, entry: None },
    }
}

impl Concern<'_, '_> {
    /// Something of it surely applies: it is affected, or was and is not done.
    fn is_affected(&self) -> bool {
        let waits = |one: &Found<'_>| {
            one.verdict == Verdict::NotAffected && one.remediation.as_ref().is_some_and(|known| known.state != State::Done)
        };
        self.found.iter().any(|one| one.verdict == Verdict::Affected || waits(one))
    }

    /// When a reading showed that none of it is open any more.
    fn applied_ns(&self) -> Option<u64> {
        let open = |one: &&&Found<'_>| {
            one.verdict != Verdict::NotAffected || one.remediation.as_ref().is_some_and(|known| known.state != State::Done)
        };
        if self.found.iter().any(|one| open(&one)) {
            return None;
        }
        self.found.iter().filter_map(|one| one.remediation.as_ref()?.since_ns).max()
    }

    /// What was done about it, oldest first: work orders with their windows, mitigations and deferrals with their ends, and the reading.
    fn actions(&self, told: &Told<'_>, id: &str, key: &Key) -> Vec<Action> {
        let action = |time_ns: u64, what| Action { patch: id.to_owned(), on: Day::of_ns(time_ns), what };
        let mut actions = Vec::new();
        for one in &self.found {
            let names = [one.proof.cve.as_str(), key.3.as_str()];
            // Accepting a risk is no plan to mitigate it.
            let plans = told.view.baselines.exemptions_of(&key.0, &names).filter(|(_, _, plan)| plan.kind != ExemptionKind::Waiver);
            actions.extend(plans.map(|(_, time_ns, plan)| (time_ns, action(time_ns, Done::Planned(Day::of_ns(plan.until_ns))))));
            let order =
                one.remediation.as_ref().filter(|known| known.state != State::NotRemediated).and_then(|known| known.order.as_deref());
            let ordered = order.and_then(|order| told.view.changes.get(order));
            actions.extend(ordered.map(|it| (it.opened.1, action(it.opened.1, Done::Planned(Day::of_ns(it.plan.until_ns))))));
        }
        for change in told.view.changes.iter() {
            let left = change.left.iter().zip(&change.left_ns).filter(|((_, left), _)| left.assets.contains(&key.0));
            let until = left.filter_map(|((_, left), time_ns)| Some((*time_ns, Day::of_ns(left.until_ns?))));
            let own =
                self.found.iter().any(|one| one.remediation.as_ref().is_some_and(|known| known.order.as_ref() == Some(&change.plan.order)));
            actions.extend(until.filter(|_| own).map(|(time_ns, until)| (time_ns, action(time_ns, Done::Planned(until)))));
        }
        actions.sort_by_key(|(time_ns, _)| *time_ns);
        actions.dedup_by(|one, other| one.1 == other.1);
        let mut actions: Vec<Action> = actions.into_iter().map(|(_, action)| action).collect();
        actions.extend(self.applied_ns().map(|applied| action(applied, Done::Applied)));
        actions
    }

    fn row(&self, key: &Key, evaluated: Option<&Evaluated>, last: Option<&Action>, today: Day) -> (Tint, Vec<String>) {
        let due = evaluated.map(|one| Day::of_ns(one.time_ns).plus(ACTION_DAYS_MAX));
        let proof = self.found.iter().filter_map(|one| one.remediation.as_ref()).max_by_key(|known| known.entry);
        let shown_by = proof.and_then(|known| known.entry).map(|entry| format!("entry {entry}"));
        let order = proof.and_then(|known| known.order.as_ref()).map(|order| format!("work order {order}"));
        let (tint, state) = match (self.applied_ns(), last.map(|action| action.what)) {
            (Some(applied), _) => (Tint::Good, format!("applied, read {}", Day::of_ns(applied))),
            (None, Some(Done::Planned(until))) if until < today => (Tint::Bad, format!("planned until {until}, which is over")),
            (None, Some(Done::Planned(until))) => (Tint::Doubt, format!("planned until {until}")),
            (None, _) if !self.is_affected() => (Tint::Doubt, "whether it applies cannot be said".to_owned()),
            (None, _) if due.is_some_and(|due| due < today) => (Tint::Bad, "nothing on record, overdue".to_owned()),
            (None, _) => (Tint::Doubt, "nothing on record yet".to_owned()),
        };
        let cves: BTreeSet<&str> = self.found.iter().map(|one| one.proof.cve.as_str()).collect();
        let evaluated = evaluated.map(|one| format!("{}, entry {}", Day::of_ns(one.time_ns), one.index)).unwrap_or_default();
        let shown_by = shown_by.into_iter().chain(order).collect::<Vec<_>>().join(", ");
        let (impact, due) = (Impact::of(self.asset).name().to_owned(), due.map(|due| due.to_string()).unwrap_or_default());
        let known = rfc3339(self.known_ns);
        let first = [key.0.clone(), key.1.clone(), impact, key.3.clone(), key.2.clone(), known, evaluated, due, state, shown_by];
        (tint, first.into_iter().chain([cves.into_iter().collect::<Vec<_>>().join(" ")]).collect())
    }
}
