//! Changes in print: sentences for a person, lines for a program.

use std::sync::LazyLock;

use nameplate_core::change::{Change, Changes, Judged, Outcome, Place, Readings, Try, Verdict, worst};
use nameplate_core::observation::{Address, rfc3339};
use nameplate_core::text::printable;
use serde::Serialize;
use utoipa::ToSchema;

use crate::cli::Format;
use crate::lines::place as address;
use crate::print::{csv_line, json_line, table};
use crate::web::api::shapes;

/// Columns of the list.
const LIST: [&str; 7] = ["ORDER", "STAGE", "VERDICT", "DEVICES", "FROM", "UNTIL", "BY"];

/// Where a device is of which no place is known.
static NOWHERE: LazyLock<Address> = LazyLock::new(Address::default);

/// One change a line.
#[derive(Serialize, ToSchema)]
pub struct ChangeLine<'a> {
    order: &'a str,
    stage: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    verdict: Option<Verdict>,
    scope: Vec<&'a str>,
    neighbours: Vec<&'a str>,
    expected: Vec<String>,
    from: String,
    until: String,
    by: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    closed_by: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    accepted_by: Option<&'a str>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    rests_on: Vec<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    approved_by: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    release: Option<&'a str>,
    /// Devices that are left for a reason.
    left: Vec<&'a str>,
    /// Devices that are neither done nor left for a reason; it can be closed when there is none.
    undone: Vec<String>,
}

/// One device's reading of one step a line.
#[derive(Serialize, ToSchema)]
pub struct ReadingLine<'a> {
    order: &'a str,
    step: &'a str,
    asset: &'a str,
    #[schema(value_type = shapes::Address)]
    address: &'a Address,
    time: String,
    entries: &'a [u64],
    #[serde(skip_serializing_if = "Option::is_none")]
    fields: Option<std::collections::BTreeMap<&'a str, &'a str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    unread: Option<&'a str>,
    notes: Vec<String>,
}

/// One verdict a line.
#[derive(Serialize, ToSchema)]
pub struct VerdictLine<'a> {
    order: &'a str,
    asset: &'a str,
    #[schema(value_type = shapes::Address)]
    address: &'a Address,
    role: &'a str,
    #[schema(value_type = String)]
    verdict: Verdict,
    why: &'a str,
}

/// All changes.
pub fn list(changes: &Changes, format: Format) -> String {
    for remark in &changes.remarks {
        eprintln!("remark: {}", printable(remark));
    }
    match format {
        Format::Table => table(&LIST, &changes.iter().map(row).collect::<Vec<_>>()),
        Format::Csv => {
            let header = csv_line(&LIST.map(str::to_lowercase));
            changes.iter().fold(header, |text, change| text + &csv_line(&row(change)))
        }
        Format::Ndjson | Format::Claims => changes.iter().map(|change| json_line(&line(change))).collect(),
    }
}

/// One change with its readings and verdicts.
pub fn show(change: &Change, format: Format) -> String {
    let steps = || change.before.iter().map(|step| ("before", step)).chain(change.after.iter().map(|step| ("after", step)));
    let judged = standing(change);
    if format != Format::Table {
        let readings =
            |(name, step): (&'static str, &Readings)| -> String { step.tries.iter().map(|one| reading_line(change, name, one)).collect() };
        let readings: String = steps().map(readings).collect();
        return json_line(&line(change)) + &readings + &super::plan::left(change) + &verdicts(change, &judged, format);
    }
    let plan = &change.plan;
    let mut text = format!("{}  {}\n", printable(&plan.order), change.stage());
    text += &format!(
        "window      {} to {}\nopened      {} by {}\n",
        rfc3339(plan.from_ns),
        rfc3339(plan.until_ns),
        rfc3339(change.opened.1),
        printable(&plan.by)
    );
    for delta in &plan.expected {
        text += &format!("expected    {}\n", printable(&delta.to_string()));
    }
    for (name, step) in steps() {
        text += &format!("{name:10}  {}\n", rfc3339(step.time_ns));
        for one in &step.tries {
            text += &format!("  {}  {}\n", rfc3339(one.time_ns), printable(&said(change, one)));
        }
    }
    for row in super::plan::left_rows(change) {
        text += &(printable(&row) + "\n");
    }
    if let Some(closed) = &change.closed {
        text += &format!("closed      {} by {}\n", rfc3339(closed.time_ns), printable(&closed.by));
        if let Some(name) = &closed.accepted_by {
            text += &format!("accepted    {} takes it that no serial number proves the identity\n", printable(name));
        }
    }
    text + &verdicts(change, &judged, format)
}

/// The reading before, and what the order says otherwise.
pub fn before(change: &Change, tries: &[Try], format: Format) -> String {
    let lines = tries.iter().map(|one| match format {
        Format::Table => {
            let notes = notes(change, one).into_iter().map(|note| format!("  note: {}\n", printable(&note)));
            printable(&said(change, one)) + "\n" + &notes.collect::<String>()
        }
        _ => reading_line(change, "before", one),
    });
    lines.collect()
}

/// A sentence per device, then the change.
pub fn verdicts(change: &Change, verdicts: &[Judged], format: Format) -> String {
    let sentence = |judged: &Judged| {
        let place = place_of(change, &judged.asset).map(|place| address(&place.address)).unwrap_or_default();
        format!("{}  {place}  {}: {}\n", judged.asset, judged.verdict.text(), printable(&judged.why))
    };
    match format {
        Format::Table if verdicts.is_empty() => String::new(),
        Format::Table => {
            verdicts.iter().map(sentence).collect::<String>()
                + &format!("change {}: {}\n", printable(&change.plan.order), worst(verdicts).text())
        }
        _ => verdicts.iter().map(|judged| verdict_line(change, judged)).collect(),
    }
}

/// The verdicts that were written down; before the end, those that would be; none before there is a reading after.
pub fn standing(change: &Change) -> Vec<Judged> {
    match &change.closed {
        Some(closed) => closed.verdicts.clone(),
        None if change.after.is_empty() => Vec::new(),
        None => change.verdicts(),
    }
}

fn row(change: &Change) -> Vec<String> {
    let plan = &change.plan;
    let verdicts = standing(change);
    let verdict = if verdicts.is_empty() { "" } else { worst(&verdicts).text() };
    let devices = plan.places().count().to_string();
    vec![
        plan.order.clone(),
        change.stage().to_owned(),
        verdict.to_owned(),
        devices,
        rfc3339(plan.from_ns),
        rfc3339(plan.until_ns),
        plan.by.clone(),
    ]
}

/// A change.
pub fn line(change: &Change) -> ChangeLine<'_> {
    let (plan, closed, verdicts) = (&change.plan, change.closed.as_ref(), standing(change));
    ChangeLine {
        order: &plan.order,
        stage: change.stage(),
        verdict: (!verdicts.is_empty()).then(|| worst(&verdicts)),
        scope: plan.scope.iter().map(|place| place.asset.as_str()).collect(),
        neighbours: plan.neighbours.iter().map(|place| place.asset.as_str()).collect(),
        expected: plan.expected.iter().map(ToString::to_string).collect(),
        from: rfc3339(plan.from_ns),
        until: rfc3339(plan.until_ns),
        by: &plan.by,
        closed_by: closed.map(|closed| closed.by.as_str()),
        accepted_by: closed.and_then(|closed| closed.accepted_by.as_deref()),
        rests_on: closed.map(|closed| closed.rests_on.clone()).unwrap_or_default(),
        approved_by: change.approved.as_ref().map(|step| step.by.as_str()),
        release: plan.terms.release.as_deref(),
        left: plan.places().map(|place| place.asset.as_str()).filter(|asset| change.is_left(asset).is_some()).collect(),
        undone: if closed.is_some() { Vec::new() } else { change.undone(false).into_iter().map(|judged| judged.asset).collect() },
    }
}

fn reading_line(change: &Change, step: &str, one: &Try) -> String {
    json_line(&reading(change, step, one))
}

/// What one try of a step brought.
pub fn reading<'a>(change: &'a Change, step: &'a str, one: &'a Try) -> ReadingLine<'a> {
    let (fields, unread) = match &one.outcome {
        Outcome::Read { nameplate } => {
            (Some(nameplate.fields.iter().map(|(key, said)| (key.as_str(), said.value.as_str())).collect()), None)
        }
        Outcome::Unread { why } => (None, Some(why.as_str())),
    };
    ReadingLine {
        order: &change.plan.order,
        step,
        asset: &one.asset,
        address: place_of(change, &one.asset).map_or(&NOWHERE, |place| &place.address),
        time: rfc3339(one.time_ns),
        entries: &one.entries,
        fields,
        unread,
        notes: if step == "before" { notes(change, one) } else { Vec::new() },
    }
}

fn verdict_line(change: &Change, judged: &Judged) -> String {
    json_line(&verdict(change, judged))
}

/// What a device's readings say.
pub fn verdict<'a>(change: &'a Change, judged: &'a Judged) -> VerdictLine<'a> {
    let is_neighbour = change.plan.neighbours.iter().any(|place| place.asset == judged.asset);
    VerdictLine {
        order: &change.plan.order,
        asset: &judged.asset,
        address: place_of(change, &judged.asset).map_or(&NOWHERE, |place| &place.address),
        role: if is_neighbour { "neighbour" } else { "scope" },
        verdict: judged.verdict,
        why: &judged.why,
    }
}

/// What one try brought, in a sentence.
fn said(change: &Change, one: &Try) -> String {
    let place = place_of(change, &one.asset).map(|place| address(&place.address)).unwrap_or_default();
    match &one.outcome {
        Outcome::Unread { why } => format!("{}  {place}  not read: {why}", one.asset),
        Outcome::Read { nameplate } => {
            let fields: Vec<String> = nameplate.fields.iter().map(|(key, said)| format!("{key} {:?}", said.value)).collect();
            format!("{}  {place}  {}", one.asset, if fields.is_empty() { "no nameplate field".to_owned() } else { fields.join(", ") })
        }
    }
}

/// Where a reading before is not what the order starts from.
fn notes(change: &Change, one: &Try) -> Vec<String> {
    let Some(nameplate) = one.nameplate() else { return Vec::new() };
    let deltas = change.plan.expected.iter().filter(|delta| delta.asset == one.asset);
    let note = |delta: &nameplate_core::change::Delta| {
        let (key, now) = (delta.key(), nameplate.value(&delta.key()));
        if now == delta.to.as_deref() {
            return Some(format!("{key} is already at {}", now.unwrap_or("nothing")));
        }
        (now != delta.from.as_deref()).then(|| {
            let now = now.map_or_else(|| "not reported".to_owned(), |now| format!("{now:?}"));
            format!("{key} is {now}, and the order says {delta}")
        })
    };
    deltas.filter_map(note).collect()
}

fn place_of<'a>(change: &'a Change, asset: &str) -> Option<&'a Place> {
    change.plan.places().find(|place| place.asset == asset)
}
