//! What is left as it is, printed; and the rule of two persons.

use clap::Args;
use nameplate_core::baseline::{Baselines, Exemption, ExemptionKind};
use nameplate_core::observation::rfc3339;
use serde::Serialize;
use utoipa::ToSchema;

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
#[derive(Serialize, ToSchema)]
#[schema(as = Exemption)]
pub struct ExemptionLine<'a> {
    /// Its entry in the ledger.
    pub entry: u64,
    kind: &'static str,
    assets: &'a [String],
    finding: Option<&'a str>,
    until: String,
    state: &'static str,
    by: &'a str,
    second: Option<&'a str>,
    reason: &'a str,
}

/// Titles of columns.
pub const HEADER: [&str; 9] = ["entry", "kind", "assets", "finding", "until", "state", "by", "second", "reason"];

impl<'a> ExemptionLine<'a> {
    /// Every exemption, in the order of their entries.
    pub fn all(baselines: &'a Baselines, now_ns: u64) -> Vec<Self> {
        let of = |(entry, one): &'a (u64, Exemption)| Self {
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
        };
        baselines.exemptions().map(of).collect()
    }

    /// As a row below [`HEADER`].
    pub fn cells(&self) -> Vec<String> {
        let assets = if self.assets.is_empty() { "all".to_owned() } else { self.assets.join(" ") };
        let texts = [self.finding.unwrap_or("conformance"), &self.until, self.state, self.by, self.second.unwrap_or_default(), self.reason];
        [self.entry.to_string(), self.kind.to_owned(), assets].into_iter().chain(texts.map(str::to_owned)).collect()
    }

    /// Whether it counts.
    pub fn is_in_force(&self) -> bool {
        self.state == IN_FORCE
    }
}

/// The exemptions of some entries.
pub fn shown(baselines: &Baselines, of: impl Fn(u64) -> bool, now_ns: u64, options: &Options) -> Result<(), Failure> {
    let mut lines = ExemptionLine::all(baselines, now_ns);
    lines.retain(|line| of(line.entry));
    let cells: Vec<Vec<String>> = lines.iter().map(ExemptionLine::cells).collect();
    print::out(&shape(&HEADER, &cells, || lines.iter().map(print::json_line).collect(), print::format(options)))
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
