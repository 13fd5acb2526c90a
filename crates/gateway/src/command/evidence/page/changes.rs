//! What was decided and done: changes with their persons, before and after, verdicts, approvals.

use std::collections::{BTreeMap, BTreeSet};

use nameplate_core::baseline::Approval;
use nameplate_core::change::{Change, Event, Judged, Outcome, Try};
use nameplate_core::ledger::Body;
use nameplate_core::observation::rfc3339;
use nameplate_core::view::View;

use super::{Content, table};
use crate::sheet::book::{Table, Tint};

/// The tables; none of them where there is nothing to say.
pub fn tables(content: &Content<'_>, view: &View) -> Vec<Table> {
    let (mut verdicts, mut readings, mut plans) = (Vec::new(), Vec::new(), Vec::new());
    for change in view.changes.iter() {
        plans.extend(plan(change));
        verdicts.extend(self::verdicts(change));
        readings.extend(before_and_after(change));
    }
    let steps = content.entries.iter().filter_map(|entry| {
        let Body::Change(event) = &entry.body else { return None };
        let (step, by, what) = step(event);
        let cells = [entry.index.to_string(), rfc3339(entry.time_ns), event.order().to_owned(), step.to_owned(), by, what];
        Some((Tint::Plain, cells.to_vec()))
    });
    let decisions = content.entries.iter().filter_map(|entry| {
        let Body::Approval(approval) = &entry.body else { return None };
        let persons = [&approval.by].into_iter().chain(&approval.second).cloned().collect::<Vec<_>>().join(" and ");
        let cells = [entry.index.to_string(), rfc3339(entry.time_ns), decision(approval), persons, approval.reason.clone()];
        Some((Tint::Plain, cells.to_vec()))
    });
    let all = [
        table("Verdicts", &["change", "device", "verdict", "why"], verdicts),
        table("Before and after", &["change", "device", "field", "before", "after"], readings),
        table("Planned", &["change", "what", "says"], plans),
        table("Steps and persons", &["entry", "recorded", "change", "step", "by", "what"], steps.collect()),
        table("Decisions", &["entry", "recorded", "decision", "by", "reason"], decisions.collect()),
    ];
    all.into_iter().filter(|table| !table.rows.is_empty()).collect()
}

/// What was to be changed, where and when.
fn plan(change: &Change) -> Vec<(Tint, Vec<String>)> {
    let plan = &change.plan;
    let names = |places: &[nameplate_core::change::Place]| -> String {
        let named: Vec<String> = places.iter().map(|place| format!("{} at {}", place.asset, crate::lines::place(&place.address))).collect();
        named.join(", ")
    };
    let expected: Vec<String> = plan.expected.iter().map(ToString::to_string).collect();
    let told = [
        ("stage", change.stage().to_owned()),
        ("window", format!("{} to {}", rfc3339(plan.from_ns), rfc3339(plan.until_ns))),
        ("to change", names(&plan.scope)),
        ("not to change", names(&plan.neighbours)),
        ("expected", expected.join("; ")),
    ];
    told.into_iter().map(|(what, says)| (Tint::Plain, vec![plan.order.clone(), what.to_owned(), says])).collect()
}

/// The verdicts that were written down, else those that would be.
fn verdicts(change: &Change) -> Vec<(Tint, Vec<String>)> {
    let judged: Vec<Judged> = match &change.closed {
        Some(closed) => closed.verdicts.clone(),
        None if change.after.is_empty() => Vec::new(),
        None => change.verdicts(),
    };
    let left_over = |accepted| -> BTreeSet<String> { change.undone(accepted).into_iter().map(|judged| judged.asset).collect() };
    // What a second person takes the responsibility for is no failure, and no proof.
    let (doubted, undone) = (left_over(false), left_over(change.closed.as_ref().is_some_and(|closed| closed.accepted_by.is_some())));
    let row = |Judged { asset, verdict, why }: Judged| {
        let tint = match () {
            () if undone.contains(&asset) => Tint::Bad,
            () if doubted.contains(&asset) => Tint::Doubt,
            () => Tint::Good,
        };
        (tint, vec![change.plan.order.clone(), asset, verdict.text().to_owned(), why])
    };
    judged.into_iter().map(row).collect()
}

/// The last reading of each device before and after, field by field.
fn before_and_after(change: &Change) -> Vec<(Tint, Vec<String>)> {
    let (mut before, mut after) = (Last::new(), Last::new());
    change.before.iter().flat_map(|step| &step.tries).for_each(|one| take(&mut before, one));
    change.after.iter().flat_map(|step| &step.tries).for_each(|one| take(&mut after, one));
    let mut rows = Vec::new();
    for place in change.plan.places() {
        let [was, is] = [&before, &after].map(|last| last.get(place.asset.as_str()).copied());
        let keys: BTreeSet<&String> =
            [was, is].into_iter().flatten().filter_map(Try::nameplate).flat_map(|one| one.fields.keys()).collect();
        let row = |key: &str| {
            let (was, is) = (said(was, key), said(is, key));
            let tint = if was == is { Tint::Plain } else { Tint::Doubt };
            (tint, vec![change.plan.order.clone(), place.asset.clone(), key.to_owned(), was, is])
        };
        if keys.is_empty() && was.or(is).is_some() {
            rows.push(row(""));
        }
        rows.extend(keys.into_iter().map(|key| row(key)));
    }
    rows
}

/// Of each device the last try that read it, else the last one.
type Last<'a> = BTreeMap<&'a str, &'a Try>;

fn take<'a>(last: &mut Last<'a>, one: &'a Try) {
    let kept = last.entry(&one.asset).or_insert(one);
    if one.nameplate().is_some() || kept.nameplate().is_none() {
        *kept = one;
    }
}

fn said(one: Option<&Try>, key: &str) -> String {
    match one.map(|one| &one.outcome) {
        None => "not read".to_owned(),
        Some(Outcome::Unread { why }) => format!("not read: {why}"),
        Some(Outcome::Read { nameplate }) => nameplate.value(key).unwrap_or("not reported").to_owned(),
    }
}

/// A decision in one sentence.
pub fn decision(approval: &Approval) -> String {
    let products: Vec<&str> = approval.line.named().map(String::as_str).collect();
    let release = approval.range.as_deref().unwrap_or(&approval.release);
    format!("{} {release} of {} for {}, {}", approval.decision.name(), approval.field.name(), products.join(" "), approval.component)
}

/// A step of a change: which, who, and what it says.
pub fn step(event: &Event) -> (&'static str, String, String) {
    let nobody = String::new;
    let ring = |ring: u32| format!("ring {ring}");
    let taken = |name: &String| format!("{name} takes it that no serial number proves the identity");
    match event {
        Event::Opened(plan) => ("opened", plan.by.clone(), nobody()),
        Event::Approved { by, .. } => ("approved", by.clone(), nobody()),
        Event::Checked { check, .. } => {
            let hash = check.sha256.as_ref().map(|sha256| format!(", SHA-256 {sha256}")).unwrap_or_default();
            let more: String = [&check.source, &check.note].into_iter().flatten().map(|text| format!("; {text}")).collect();
            ("checked", check.by.clone(), format!("{}{hash}{more}", check.kind.name()))
        }
        Event::RingOpened { ring: number, by, .. } => ("ring opened", by.clone(), ring(*number)),
        Event::Before { tries, .. } => ("read before", nobody(), entries_of(tries)),
        Event::Installed { ring: number, by, .. } => ("installed", by.clone(), ring(*number)),
        Event::After { tries, accepted_by, .. } => {
            ("read after", nobody(), [entries_of(tries)].into_iter().chain(accepted_by.as_ref().map(taken)).collect::<Vec<_>>().join("; "))
        }
        Event::Verified { ring: number, by, .. } => ("verified", by.clone(), ring(*number)),
        Event::Left { left, .. } => ("left", left.by.clone(), format!("{}: {}: {}", left.fate.name(), left.assets.join(", "), left.reason)),
        Event::Closed { by, verdict, accepted_by, .. } => {
            let told = [verdict.text().to_owned()].into_iter().chain(accepted_by.as_ref().map(taken));
            ("closed", by.clone(), told.collect::<Vec<_>>().join("; "))
        }
    }
}

/// Which readings, by their entries.
fn entries_of(tries: &[Try]) -> String {
    let entries: Vec<String> = tries.iter().flat_map(|one| &one.entries).map(u64::to_string).collect();
    if entries.is_empty() { "no reading".to_owned() } else { format!("entries {}", entries.join(", ")) }
}
