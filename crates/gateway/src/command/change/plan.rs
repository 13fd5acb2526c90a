//! `change plan`: what was agreed, how far each ring is, and what stands in its way.

use nameplate_core::change::{Change, Left, Place, Plan};
use nameplate_core::observation::rfc3339;
use nameplate_core::text::printable;
use serde::Serialize;

use super::asked::HEARD;
use crate::cli::Format;
use crate::print::json_line;

/// The plan as one line.
#[derive(Serialize)]
struct PlanLine<'a> {
    kind: &'static str,
    order: &'a str,
    stage: &'a str,
    requested_by: &'a str,
    approved_by: Option<&'a str>,
    from: String,
    until: String,
    terms: &'a nameplate_core::change::Terms,
    neighbours: Vec<&'a str>,
    expected: Vec<String>,
    asked: Vec<AskedLine<'a>>,
}

/// How a device is asked.
#[derive(Serialize)]
struct AskedLine<'a> {
    asset: &'a str,
    over: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    target: Option<&'a str>,
}

impl<'a> AskedLine<'a> {
    fn of(place: &'a Place) -> Self {
        Self { asset: &place.asset, over: place.protocol(), target: place.asked.as_ref().map(|asked| asked.target.as_str()) }
    }

    fn row(&self) -> String {
        let at = self.target.map(|target| format!("{target} ")).unwrap_or_default();
        match self.over {
            HEARD => format!("heard       {}: nobody asks it", self.asset),
            over => format!("asked       {}: {at}over {over}", self.asset),
        }
    }
}

/// A ring as one line.
#[derive(Serialize)]
struct RingLine<'a> {
    kind: &'static str,
    order: &'a str,
    ring: u32,
    name: &'a str,
    stage: &'a str,
    assets: &'a [String],
    soak_s: u64,
    installed_by: Option<&'a str>,
    verified_by: Option<&'a str>,
    /// When it has soaked, where it is verified.
    soaked: Option<String>,
    /// What stops it from opening now, where it is not open.
    stopped_by: Option<String>,
}

/// A check that was done as one line.
#[derive(Serialize)]
struct CheckLine<'a> {
    kind: &'static str,
    order: &'a str,
    entry: u64,
    check: &'a nameplate_core::change::Check,
}

/// What is left as one line.
#[derive(Serialize)]
struct LeftLine<'a> {
    kind: &'static str,
    order: &'a str,
    assets: &'a [String],
    fate: &'a str,
    reason: &'a str,
    until: Option<String>,
    by: &'a str,
}

/// All of it; `stopped_by` says of a ring what stops it from opening.
pub fn page(change: &Change, format: Format, stopped_by: impl Fn(u32) -> Option<String>) -> String {
    if format == Format::Table { table(change, stopped_by) } else { lines(change, stopped_by) }
}

fn lines(change: &Change, stopped_by: impl Fn(u32) -> Option<String>) -> String {
    let plan = &change.plan;
    let order = plan.order.as_str();
    let mut text = json_line(&PlanLine {
        kind: "plan",
        order,
        stage: change.stage(),
        requested_by: &plan.by,
        approved_by: change.approved.as_ref().map(|step| step.by.as_str()),
        from: rfc3339(plan.from_ns),
        until: rfc3339(plan.until_ns),
        terms: &plan.terms,
        neighbours: plan.neighbours.iter().map(|place| place.asset.as_str()).collect(),
        expected: plan.expected.iter().map(ToString::to_string).collect(),
        asked: plan.places().map(AskedLine::of).collect(),
    });
    for (number, ring) in (1..).zip(plan.rings()) {
        let verified = change.verified(number);
        text += &json_line(&RingLine {
            kind: "ring",
            order,
            ring: number,
            name: &ring.name,
            stage: change.ring_stage(number),
            assets: &ring.assets,
            soak_s: ring.soak_s,
            installed_by: change.installed.iter().rfind(|step| step.ring == number).map(|step| step.by.as_str()),
            verified_by: verified.map(|step| step.by.as_str()),
            soaked: verified.map(|step| rfc3339(step.time_ns.saturating_add(ring.soak_ns()))),
            stopped_by: stopped_by(number),
        });
    }
    for (entry, check) in &change.checks {
        text += &json_line(&CheckLine { kind: "check", order, entry: *entry, check });
    }
    text + &left(change)
}

/// What is left, one line each.
pub fn left(change: &Change) -> String {
    let line = |left: &Left| {
        json_line(&LeftLine {
            kind: "left",
            order: &change.plan.order,
            assets: &left.assets,
            fate: left.fate.name(),
            reason: &left.reason,
            until: left.until_ns.map(rfc3339),
            by: &left.by,
        })
    };
    change.left.iter().map(|(_, one)| line(one)).collect()
}

fn table(change: &Change, stopped_by: impl Fn(u32) -> Option<String>) -> String {
    let plan = &change.plan;
    let mut rows = vec![
        format!("{}  {}", plan.order, change.stage()),
        format!("window      {} to {}", rfc3339(plan.from_ns), rfc3339(plan.until_ns)),
        format!("requested   by {}", plan.by),
        change.approved.as_ref().map_or_else(|| "approved    not yet".to_owned(), |step| format!("approved    by {}", step.by)),
    ];
    rows.extend(agreed(plan));
    for (number, ring) in (1..).zip(plan.rings()) {
        let soak = if ring.soak_s == 0 { String::new() } else { format!(", soaks {} s", ring.soak_s) };
        rows.push(format!("ring {number:<6} {}: {}{soak}: {}", ring.name, change.ring_stage(number), ring.assets.join(", ")));
        rows.extend(stopped_by(number).map(|why| format!("            {why}")));
    }
    for (_, check) in &change.checks {
        let of = if check.assets.is_empty() { "all".to_owned() } else { check.assets.join(", ") };
        let hash = check.sha256.as_ref().map(|digits| format!(", SHA-256 {digits}")).unwrap_or_default();
        rows.push(format!("checked     {} for {of}, by {}{hash}", check.kind.name(), check.by));
    }
    rows.extend(left_rows(change));
    rows.iter().map(|row| printable(row) + "\n").collect()
}

/// What is left, one sentence each.
pub fn left_rows(change: &Change) -> Vec<String> {
    let row = |left: &Left| {
        let until = left.until_ns.map(|until| format!(" until {}", rfc3339(until))).unwrap_or_default();
        format!("left        {}: {}{until}: {}, says {}", left.assets.join(", "), left.fate.name(), left.reason, left.by)
    };
    change.left.iter().map(|(_, one)| row(one)).collect()
}

fn agreed(plan: &Plan) -> Vec<String> {
    let terms = &plan.terms;
    let mut rows: Vec<String> = plan.expected.iter().map(|delta| format!("expected    {delta}")).collect();
    rows.extend(plan.places().map(|place| AskedLine::of(place).row()));
    rows.extend(terms.release.iter().map(|release| format!("release     {release}")));
    rows.extend(terms.cause.findings.iter().map(|finding| format!("because of  {finding}")));
    rows.extend(terms.cause.baseline.map(|entry| format!("because of  the decision in entry {entry}")));
    rows.extend(terms.cause.bulletin.iter().map(|bulletin| format!("because of  {bulletin}")));
    rows.extend(terms.query.iter().map(|query| format!("scope       {query}")));
    rows.extend(terms.prechecks.iter().map(|kind| format!("needs       {}", kind.name())));
    rows.extend(terms.serials.iter().map(|(asset, serial)| format!("serial      {asset}: {serial}")));
    rows.extend(terms.partners.iter().map(|[one, other]| format!("pair        {one} and {other}")));
    let handover = &terms.handover;
    rows.extend(handover.restart.map(|restart| format!("handed on   {}", if restart { "restart" } else { "no restart" })));
    rows.extend(handover.message.iter().map(|message| format!("handed on   tell the operator: {message}")));
    rows.extend(handover.retries.map(|retries| format!("handed on   try again at most {retries} times")));
    if !handover.sequence.is_empty() {
        rows.push(format!("handed on   in this order: {}", handover.sequence.join(", ")));
    }
    rows
}
