//! The life of one device: what it said and when, what changed, and the changes it was in.

use nameplate_core::catalog::{Asset, Recorded};
use nameplate_core::change::Change;
use nameplate_core::change::drift::drifts;
use nameplate_core::finding::Verdict;
use nameplate_core::finding::remediation::State;
use nameplate_core::happening::{Happening, Kept};
use nameplate_core::observation::rfc3339;
use nameplate_core::view::View;

use super::{Rows, Told, table};
use crate::command::change::drift::seen;
use crate::command::check::findings::Found;
use crate::failure::Failure;
use crate::lines::{place, way};
use crate::output::Results;
use crate::sheet::book::Tint;

/// Columns of the tables.
const SAID: [&str; 9] = ["part", "field", "value", "first", "last", "readings", "grade", "way", "where"];
const DRIFTED: [&str; 8] =
    ["what", "before", "after", "last seen before", "first seen after", "ordered by", "open meanwhile", "seen meanwhile"];
const FINDINGS: [&str; 10] = ["part", "cve", "advisory", "verdict", "band", "due", "remediation", "work order", "entry", "why"];
const DONE: [&str; 6] = ["time", "what", "by", "protocol", "where", "way"];
const CHANGES: [&str; 8] = ["order", "role", "stage", "verdict", "why", "requested by", "approved by", "closed"];

/// The report.
pub fn report(told: &Told<'_>, asset: &Asset) -> Result<Results, Failure> {
    let view = told.view;
    let called = |id: &String| *id == asset.id || asset.was.contains(id);
    let changes = view.changes.iter().filter(|change| change.plan.places().any(|place| called(&place.asset)));
    let drifted = drifts(&view.catalog, &view.changes);
    let own = drifted.iter().filter(|drift| called(&drift.asset) || drift.replaced_by.as_ref().is_some_and(called));
    let moved = own.map(|drift| {
        let (last, first) = drift.between_ns;
        let order = drift.expected_by.clone();
        let tint = if order.is_some() { Tint::Plain } else { Tint::Bad };
        let order = order.unwrap_or_else(|| "nobody".to_owned());
        let cells = [drift.what.clone(), drift.before.clone(), drift.after.clone(), rfc3339(last), rfc3339(first), order];
        (tint, cells.into_iter().chain([drift.could_have.join(" "), seen(drift, view).join("; ")]).collect())
    });
    let remarks = asset.remarks.iter().map(|remark| (Tint::Plain, vec![remark.clone()])).collect();
    Ok(Results {
        title: format!("Life of device {}", asset.id),
        sentences: vec![
            "What the device itself said, each value with the first and the last time at which it was read. A value that differs from the one \
             before stands in a row of its own."
                .to_owned(),
            format!(
                "As known at {}. Findings are those that are open, and those that ended with what became of them; of a vulnerability that no \
                 document names the device for, nothing is said.",
                rfc3339(told.now_ns)
            ),
        ],
        tables: vec![
            table("Identity over time", &SAID, said(asset)),
            table("What changed", &DRIFTED, moved.collect()),
            table("Seen to be done to it", &DONE, done(view, asset)),
            table("Changes", &CHANGES, changes.map(|change| (Tint::Plain, in_change(change, asset))).collect()),
            table("Findings", &FINDINGS, findings(told, asset)?),
            table("Remarks", &["remark"], remarks),
        ],
        ..Results::default()
    })
}

/// What documents say of it, what is most urgent first, and what became of it.
fn findings(told: &Told<'_>, asset: &Asset) -> Result<Rows, Failure> {
    let Some(judgement) = told.judgement()? else { return Ok(Rows::new()) };
    let own = judgement.subjects.iter().filter(|subject| subject.installed.asset == asset.id);
    let mut found: Vec<Found<'_>> = own.flat_map(|subject| judgement.findings.judge_in(subject, told.view, told.now_ns)).collect();
    found.retain(|one| one.verdict != Verdict::NotAffected || one.remediation.is_some());
    found.sort_by_key(|one| std::cmp::Reverse(one.decision.as_ref().map(|decision| decision.band)));
    let row = |one: &Found<'_>| {
        let (state, order, entry, why) = one.remediation.as_ref().map_or_else(Default::default, |known| {
            let (order, entry) = (known.order.clone().unwrap_or_default(), known.entry.map(|entry| entry.to_string()));
            (known.state.name().to_owned(), order, entry.unwrap_or_default(), known.why.clone())
        });
        let tint = match one.remediation.as_ref().map(|known| known.state) {
            Some(State::Done) => Tint::Good,
            Some(State::InProgress) => Tint::Doubt,
            _ => Tint::Bad,
        };
        let band = one.decision.as_ref().map(|decision| decision.band.name()).unwrap_or_default();
        let due = one.decision.as_ref().and_then(|decision| decision.due.as_ref()).map(|due| due.by.to_string()).unwrap_or_default();
        let component = one.subject.installed.component.clone();
        let said = [component, one.proof.cve.clone(), one.proof.advisory.clone(), one.verdict.name().to_owned(), band.to_owned(), due];
        (tint, said.into_iter().chain([state, order, entry, why]).collect())
    };
    Ok(found.iter().map(row).collect())
}

fn done(view: &View, asset: &Asset) -> Vec<(Tint, Vec<String>)> {
    let row = |kept: &Kept| {
        let Happening { by, device, protocol, source, time_ns, what } = &kept.happening;
        let by = by.as_ref().map(place).unwrap_or_default();
        let cells = [rfc3339(*time_ns), what.text().to_owned(), by, protocol.clone(), place(device), way(source).to_owned()];
        (Tint::Plain, cells.to_vec())
    };
    view.happenings.of(asset, (0, u64::MAX)).into_iter().map(row).collect()
}

fn said(asset: &Asset) -> Vec<(Tint, Vec<String>)> {
    let mut claims: Vec<&Recorded> = asset.claims.iter().collect();
    claims.sort_by_key(|recorded| (recorded.since_ns, recorded.time_ns));
    let row = |recorded: &Recorded| {
        let claim = &recorded.claim;
        let cells = [
            claim.component.clone(),
            claim.field.name().to_owned(),
            claim.value.clone(),
            rfc3339(recorded.since_ns),
            rfc3339(recorded.time_ns),
            recorded.times.to_string(),
            claim.grade.name().to_owned(),
            way(&recorded.source).to_owned(),
            place(&recorded.address),
        ];
        (Tint::Plain, cells.to_vec())
    };
    claims.into_iter().map(row).collect()
}

fn in_change(change: &Change, asset: &Asset) -> Vec<String> {
    let plan = &change.plan;
    let called = |id: &String| *id == asset.id || asset.was.contains(id);
    let role = if plan.scope.iter().any(|place| called(&place.asset)) { "scope" } else { "neighbour" };
    let verdicts = change.closed.as_ref().map_or_else(|| change.verdicts(), |closed| closed.verdicts.clone());
    let judged = verdicts.into_iter().find(|judged| called(&judged.asset)).filter(|_| !change.after.is_empty());
    let (verdict, why) = judged.map(|judged| (judged.verdict.text().to_owned(), judged.why)).unwrap_or_default();
    vec![
        plan.order.clone(),
        role.to_owned(),
        change.stage().to_owned(),
        verdict,
        why,
        plan.by.clone(),
        change.approved.as_ref().map(|step| step.by.clone()).unwrap_or_default(),
        change.closed.as_ref().map(|closed| rfc3339(closed.time_ns)).unwrap_or_default(),
    ]
}
