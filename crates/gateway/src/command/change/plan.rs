//! `change plan`: what was agreed, how far each ring is, and what stands in its way.

use nameplate_core::change::{Change, Left, Place, Plan, Ring};
use nameplate_core::observation::rfc3339;
use nameplate_core::text::printable;
use serde::Serialize;
use utoipa::ToSchema;

use super::asked::HEARD;
use crate::cli::Format;
use crate::print::json_line;

/// The plan as one line.
#[derive(Serialize, ToSchema)]
pub struct PlanLine<'a> {
    /// `plan`.
    kind: &'static str,
    order: &'a str,
    stage: &'a str,
    requested_by: &'a str,
    approved_by: Option<&'a str>,
    from: String,
    until: String,
    /// What else was agreed: cause, rings, checks, pairs, what is handed on.
    #[schema(value_type = Object)]
    terms: &'a nameplate_core::change::Terms,
    neighbours: Vec<&'a str>,
    expected: Vec<String>,
    asked: Vec<AskedLine<'a>>,
}

/// How a device is asked.
#[derive(Serialize, ToSchema)]
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
#[derive(Serialize, ToSchema)]
pub struct RingLine {
    /// `ring`.
    kind: &'static str,
    order: String,
    ring: u32,
    name: String,
    stage: &'static str,
    assets: Vec<String>,
    soak_s: u64,
    installed_by: Option<String>,
    verified_by: Option<String>,
    /// When it has soaked, where it is verified.
    soaked: Option<String>,
    /// What stops it from opening now, where it is not open.
    stopped_by: Option<String>,
}

/// A check that was done as one line.
#[derive(Serialize, ToSchema)]
pub struct CheckLine<'a> {
    /// `check`.
    kind: &'static str,
    order: &'a str,
    entry: u64,
    /// Kind, devices, who did it, hashes, where the software came from.
    #[schema(value_type = Object)]
    check: &'a nameplate_core::change::Check,
}

/// What is left as one line.
#[derive(Serialize, ToSchema)]
pub struct LeftLine<'a> {
    /// `left`.
    kind: &'static str,
    order: &'a str,
    assets: &'a [String],
    fate: &'a str,
    reason: &'a str,
    until: Option<String>,
    by: &'a str,
}

impl<'a> LeftLine<'a> {
    fn of(order: &'a str, left: &'a Left) -> Self {
        let Left { assets, fate, reason, until_ns, by } = left;
        Self { kind: "left", order, assets, fate: fate.name(), reason, until: until_ns.map(rfc3339), by }
    }
}

/// All of it; `stopped_by` says of a ring what stops it from opening.
pub fn page(change: &Change, format: Format, stopped_by: impl Fn(u32) -> Option<String>) -> String {
    if format == Format::Table { table(change, stopped_by) } else { lines(change, stopped_by) }
}

fn lines(change: &Change, stopped_by: impl Fn(u32) -> Option<String>) -> String {
    let rings: String = rings(change, stopped_by).iter().map(json_line).collect();
    let checks: String = checks(change).iter().map(json_line).collect();
    json_line(&line(change)) + &rings + &checks + &left(change)
}

/// What was agreed.
pub fn line(change: &Change) -> PlanLine<'_> {
    let plan = &change.plan;
    PlanLine {
        kind: "plan",
        order: &plan.order,
        stage: change.stage(),
        requested_by: &plan.by,
        approved_by: change.approved.as_ref().map(|step| step.by.as_str()),
        from: rfc3339(plan.from_ns),
        until: rfc3339(plan.until_ns),
        terms: &plan.terms,
        neighbours: plan.neighbours.iter().map(|place| place.asset.as_str()).collect(),
        expected: plan.expected.iter().map(ToString::to_string).collect(),
        asked: plan.places().map(AskedLine::of).collect(),
    }
}

/// Its rings; those of a change that is not staged are one.
pub fn rings(change: &Change, stopped_by: impl Fn(u32) -> Option<String>) -> Vec<RingLine> {
    let ring = |(number, ring): (u32, Ring)| {
        let verified = change.verified(number);
        RingLine {
            kind: "ring",
            order: change.plan.order.clone(),
            ring: number,
            name: ring.name.clone(),
            stage: change.ring_stage(number),
            soak_s: ring.soak_s,
            installed_by: change.installed.iter().rfind(|step| step.ring == number).map(|step| step.by.clone()),
            verified_by: verified.map(|step| step.by.clone()),
            soaked: verified.map(|step| rfc3339(step.time_ns.saturating_add(ring.soak_ns()))),
            stopped_by: stopped_by(number),
            assets: ring.assets,
        }
    };
    (1..).zip(change.plan.rings()).map(ring).collect()
}

/// The checks that were done.
pub fn checks(change: &Change) -> Vec<CheckLine<'_>> {
    let order = change.plan.order.as_str();
    change.checks.iter().map(|(entry, check)| CheckLine { kind: "check", order, entry: *entry, check }).collect()
}

/// What is left.
pub fn left_lines(change: &Change) -> Vec<LeftLine<'_>> {
    change.left.iter().map(|(_, left)| LeftLine::of(&change.plan.order, left)).collect()
}

/// What is left, one line each.
pub fn left(change: &Change) -> String {
    left_lines(change).iter().map(json_line).collect()
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
