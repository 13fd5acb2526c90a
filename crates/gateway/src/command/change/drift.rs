//! `change drift`: what devices report otherwise than before, and no change expected.

use clap::Args;
use nameplate_core::change::drift::{Drift, drifts};
use nameplate_core::happening::{Kept, What};
use nameplate_core::observation::rfc3339;
use nameplate_core::text::printable;
use nameplate_core::view::View;
use serde::Serialize;
use utoipa::ToSchema;

use crate::cli::{Format, Options};
use crate::failure::{Code, Failure};
use crate::lines::place;
use crate::print::{self, csv_line, json_line};
use crate::state;
use crate::store::Store;

/// Columns of the CSV.
const COLUMNS: [&str; 10] =
    ["asset", "replaced_by", "what", "before", "after", "last_seen_before", "first_seen_after", "expected_by", "could_have", "seen"];

/// What changed without an order.
#[derive(Debug, Args)]
#[command(
    after_help = "Firmware, hardware, serial number, product code, model and patches, of devices and their modules, from all readings in the \
                        ledger. Exit code 6 where something changed that no work order expected.\n\n\
                        Examples:\n  nameplate change drift\n  nameplate change drift --all --format ndjson"
)]
pub struct Drifts {
    /// Also what a work order expected
    #[arg(long)]
    all: bool,
}

/// One drift a line.
#[derive(Serialize, ToSchema)]
pub struct DriftLine<'a> {
    asset: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    replaced_by: Option<&'a str>,
    what: &'a str,
    before: &'a str,
    after: &'a str,
    last_seen_before: String,
    first_seen_after: String,
    entries: [Option<u64>; 2],
    #[serde(skip_serializing_if = "Option::is_none")]
    expected_by: Option<&'a str>,
    could_have: &'a [String],
    /// What was seen to be done to it meanwhile.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    seen: Vec<SeenLine<'a>>,
}

/// A session that was heard.
#[derive(Serialize, ToSchema)]
struct SeenLine<'a> {
    time: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    by: Option<String>,
    protocol: &'a str,
    #[schema(value_type = String)]
    what: What,
    entry: u64,
}

impl Drifts {
    pub(super) fn run(&self, options: &Options) -> Result<(), Failure> {
        let directory = state::directory(options.state.as_ref())?;
        let view = Store::read(&directory)?.map(|store| store.view(None)).transpose()?.unwrap_or_default();
        let found = drifts(&view.catalog, &view.changes);
        let shown = found.iter().filter(|drift| self.all || drift.expected_by.is_none());
        let text: String = match print::format(options) {
            Format::Table => shown.map(|drift| sentence(drift, &view) + "\n").collect(),
            Format::Csv => shown.fold(csv_line(&COLUMNS.map(str::to_owned)), |text, drift| text + &csv_line(&row(drift, &view))),
            Format::Ndjson | Format::Claims => shown.map(|drift| json_line(&line(drift, &view))).collect(),
        };
        print::out(&text)?;
        match found.iter().filter(|drift| drift.expected_by.is_none()).count() {
            0 => Ok(()),
            count => Err(Failure::new(Code::Failed, format!("{} without a change order", print::count(count as u64, "change")))),
        }
    }
}

/// What is known to have changed.
pub fn known(view: &View) -> Vec<Drift> {
    drifts(&view.catalog, &view.changes)
}

/// Says at once what changed without an order, and was not known before.
pub fn flag(known: &[Drift], now: &View) {
    for drift in drifts(&now.catalog, &now.changes) {
        if drift.expected_by.is_none() && !known.contains(&drift) {
            eprintln!("{}", sentence(&drift, now));
        }
    }
}

/// What was seen to be done meanwhile, a text each.
pub fn seen(drift: &Drift, view: &View) -> Vec<String> {
    let text = |kept: &Kept| {
        let by = kept.happening.by.as_ref().map(|by| format!(", by {}", place(by))).unwrap_or_default();
        format!("{} ({}{by}, {})", kept.happening.what.text(), kept.happening.protocol, rfc3339(kept.happening.time_ns))
    };
    drift.seen(&view.catalog, &view.happenings).into_iter().map(text).collect()
}

fn sentence(drift: &Drift, view: &View) -> String {
    let Drift { asset, what, before, after, between_ns: (last, first), .. } = drift;
    let what = match &drift.replaced_by {
        Some(other) => format!("{other} answers in its place: {what} was {before:?} and is {after:?}"),
        None => format!("{what} changed from {before:?} to {after:?}"),
    };
    let ordered = match (&drift.expected_by, drift.could_have.as_slice()) {
        (Some(order), _) => format!("as work order {order} expects"),
        (None, []) => "without a change order; none was open".to_owned(),
        (None, open) => format!("without a change order; open meanwhile: {}", open.join(", ")),
    };
    let seen: String = seen(drift, view).into_iter().map(|seen| format!("; seen meanwhile: {seen}")).collect();
    printable(&format!("{asset}: {what}, between {} and {}: {ordered}{seen}", rfc3339(*last), rfc3339(*first)))
}

fn row(drift: &Drift, view: &View) -> Vec<String> {
    let text = |text: &Option<String>| text.clone().unwrap_or_default();
    let Drift { asset, what, before, after, between_ns: (last, first), .. } = drift;
    let (last, first) = (rfc3339(*last), rfc3339(*first));
    let plain = |text: &String| text.clone();
    vec![
        plain(asset),
        text(&drift.replaced_by),
        plain(what),
        plain(before),
        plain(after),
        last,
        first,
        text(&drift.expected_by),
        drift.could_have.join(" "),
        seen(drift, view).join("; "),
    ]
}

/// A drift, as programs read it.
pub fn line<'a>(drift: &'a Drift, view: &'a View) -> DriftLine<'a> {
    let seen = |kept: &'a Kept| SeenLine {
        time: rfc3339(kept.happening.time_ns),
        by: kept.happening.by.as_ref().map(place),
        protocol: &kept.happening.protocol,
        what: kept.happening.what,
        entry: kept.entry,
    };
    DriftLine {
        asset: &drift.asset,
        replaced_by: drift.replaced_by.as_deref(),
        what: &drift.what,
        before: &drift.before,
        after: &drift.after,
        last_seen_before: rfc3339(drift.between_ns.0),
        first_seen_after: rfc3339(drift.between_ns.1),
        entries: [drift.entries.0, drift.entries.1],
        expected_by: drift.expected_by.as_deref(),
        could_have: &drift.could_have,
        seen: drift.seen(&view.catalog, &view.happenings).into_iter().map(seen).collect(),
    }
}
