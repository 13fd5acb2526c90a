//! What is left as it is, printed; and the rule of two persons.

use clap::Args;
use nameplate_core::baseline::{Baselines, ExemptionKind};
use nameplate_core::observation::rfc3339;
use serde::Serialize;

use super::list::{IN_FORCE, shape, view};
use crate::cli::{Format, Options};
use crate::failure::Failure;
use crate::print;

/// What is left as it is.
#[derive(Debug, Args)]
pub struct Exemptions {
    /// As it was on a day or at a time: 2026-03-02 or 2026-03-02T10:15:30Z
    #[arg(long, value_name = "DATE")]
    as_of: Option<String>,
}

/// One exemption, as a program reads it.
#[derive(Serialize)]
struct ExemptionLine<'a> {
    entry: u64,
    kind: &'static str,
    assets: &'a [String],
    finding: Option<&'a str>,
    until: String,
    state: &'static str,
    by: &'a str,
    second: Option<&'a str>,
    reason: &'a str,
}

/// The exemptions of some entries.
pub fn shown(baselines: &Baselines, of: impl Fn(u64) -> bool, now_ns: u64, options: &Options) -> Result<(), Failure> {
    let chosen = baselines.exemptions().filter(|(entry, _)| of(*entry));
    let lines: Vec<ExemptionLine<'_>> = chosen
        .map(|(entry, one)| ExemptionLine {
            entry: *entry,
            kind: one.kind.name(),
            assets: &one.assets,
            finding: one.finding.as_deref(),
            until: rfc3339(one.until_ns),
            state: match (one.until_ns < now_ns, one.kind) {
                (false, _) => IN_FORCE,
                (true, ExemptionKind::Deferral) => "review is due",
                (true, _) => "ended",
            },
            by: &one.by,
            second: one.second.as_deref(),
            reason: &one.reason,
        })
        .collect();
    let cells = lines.iter().map(|line| {
        let assets = if line.assets.is_empty() { "all".to_owned() } else { line.assets.join(" ") };
        let texts = [line.finding.unwrap_or("conformance"), &line.until, line.state, line.by, line.second.unwrap_or_default(), line.reason];
        [line.entry.to_string(), line.kind.to_owned(), assets].into_iter().chain(texts.map(str::to_owned)).collect()
    });
    let header = ["entry", "kind", "assets", "finding", "until", "state", "by", "second", "reason"];
    let json = || lines.iter().map(print::json_line).collect();
    print::out(&shape(&header, &cells.collect::<Vec<_>>(), json, print::format(options)))
}

impl Exemptions {
    /// Runs the command.
    pub fn run(&self, options: &Options) -> Result<(), Failure> {
        let (view, now) = view(self.as_of.as_deref(), options)?;
        shown(&view.baselines, |_| true, now, options)
    }
}

/// How many persons an approval needs.
pub fn policy(two_persons: bool, options: &Options) -> Result<(), Failure> {
    #[derive(Serialize)]
    struct Line {
        two_persons: bool,
    }
    print::out(&match print::format(options) {
        Format::Ndjson | Format::Claims => print::json_line(&Line { two_persons }),
        _ if two_persons => "an approval needs two persons\n".to_owned(),
        _ => "one person may approve; `nameplate baseline policy --two-persons` makes it two\n".to_owned(),
    })
}
