//! `nameplate baseline`: approve and disapprove releases. Each decision is an entry of the ledger; none is ever taken out.

use clap::{Args, Subcommand};
use nameplate_core::baseline::{Approval, Baselines, Decided, Decision, Force, ProductLine};
use nameplate_core::catalog::Catalog;
use nameplate_core::claim::Field;
use nameplate_core::ledger::Body;
use nameplate_core::observation::rfc3339;
use nameplate_core::profile::ProfileSet;
use nameplate_core::version::Order;
use serde::Serialize;

use super::device::find;
use super::devices::{moment, time_ns};
use crate::cli::{Format, Options};
use crate::failure::{Code, Failure};
use crate::store::{Draft, Store, now_ns};
use crate::{print, profiles, state};

/// The part that is meant where none is named and the profile does not settle it.
const OWN_PART: &str = "self";

/// Approve and disapprove releases.
#[derive(Debug, Args)]
pub struct Baseline {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// A release may run
    Approve(Decide),
    /// A release must not run
    Disapprove(Decide),
    /// List every decision and what became of it
    List(List),
}

/// What a decision is made of.
#[derive(Debug, Args)]
#[command(
    after_help = "A later decision on the same release in the same words (product, part, scope) takes the place of the earlier one. Between\n\
                        scopes the later one counts, but an approval for all does not lift the disapproval of a device.\n\n\
                        Examples:\n  \
                        nameplate baseline approve --profile computec/cws06 --release v3.170 --by Ada --second Grace --reason \"tested, WO-17\"\n  \
                        nameplate baseline disapprove --manufacturer Wurm --model Multigate --release 1.2 --by Ada --reason \"loses its clock\""
)]
struct Decide {
    /// The product line: a profile's id, see `nameplate profile list`
    #[arg(long, value_name = "ID", required_unless_present = "manufacturer")]
    profile: Option<String>,
    /// The maker, as devices or sheets say it; upper and lower case are the same
    #[arg(long, value_name = "TEXT")]
    manufacturer: Option<String>,
    /// The model
    #[arg(long, value_name = "TEXT")]
    model: Option<String>,
    /// The order or product code
    #[arg(long, value_name = "TEXT")]
    product_code: Option<String>,
    /// Which part of the device: self, communication-module, cpu, gateway [default: the profile's only part, else self]
    #[arg(long, value_name = "ROLE")]
    part: Option<String>,
    /// Which of its revisions
    #[arg(long, value_name = "FIELD", default_value = "firmware_revision")]
    field: String,
    /// The release, as the device says it
    #[arg(long, value_name = "TEXT")]
    release: String,
    /// In force from this day's begin (UTC) or time on [default: from ever]
    #[arg(long, value_name = "DATE")]
    from: Option<String>,
    /// In force until this day's end (UTC) or time [default: without end]
    #[arg(long, value_name = "DATE")]
    until: Option<String>,
    /// For this device only, by its id or enough of its beginning; may be repeated [default: for all]
    #[arg(long = "asset", value_name = "ID")]
    assets: Vec<String>,
    /// Who decides
    #[arg(long, value_name = "NAME")]
    by: String,
    /// Who agrees, where two have to; must be another person
    #[arg(long, value_name = "NAME")]
    second: Option<String>,
    /// Why
    #[arg(long, value_name = "TEXT")]
    reason: String,
}

/// Every decision and what became of it.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  nameplate baseline list --as-of 2026-03-02")]
struct List {
    /// As it was on a day or at a time: 2026-03-02 or 2026-03-02T10:15:30Z
    #[arg(long, value_name = "DATE")]
    as_of: Option<String>,
}

impl Baseline {
    /// Runs the command.
    ///
    /// # Errors
    /// Usage: a decision that is none; the state.
    pub fn run(&self, options: &Options) -> Result<(), Failure> {
        let profiles = profiles::load(options.profiles.as_deref())?;
        let directory = state::directory(options.state.as_ref())?;
        let (decision, decide) = match &self.what {
            What::Approve(decide) => (Decision::Approved, decide),
            What::Disapprove(decide) => (Decision::Disapproved, decide),
            What::List(List { as_of }) => {
                let as_of = as_of.as_deref().map(time_ns).transpose()?;
                let view = Store::read(&directory)?.map(|store| store.view(as_of)).transpose()?.unwrap_or_default();
                let now = as_of.unwrap_or_else(now_ns);
                return listing(&view.baselines, view.baselines.decided(), &profiles, now, print::format(options));
            }
        };
        // Judged before a state is made for it.
        let approval = decide.approval(decision, &profiles)?;
        let mut store = Store::write(&directory)?;
        let assets = decide.assets(&store.view(None)?.catalog)?;
        let approval = Approval { assets, ..approval };
        approval.check().map_err(|invalid| Failure::new(Code::Usage, invalid.to_string()))?;
        let now = now_ns();
        let entries = store.append(&[Draft::new(now, Body::Approval(approval))])?;
        let baselines = store.view(None)?.baselines;
        let own = baselines.decided().filter(|decided| entries.contains(&decided.index));
        listing(&baselines, own, &profiles, now, print::format(options))
    }
}

impl Decide {
    /// The decision without its assets.
    fn approval(&self, decision: Decision, profiles: &ProfileSet) -> Result<Approval, Failure> {
        let usage = |why: String| Failure::new(Code::Usage, why);
        let field = Field::named(&self.field).ok_or_else(|| usage(format!("--field {:?} is no field of a nameplate", self.field)))?;
        let mut parts = vec![OWN_PART];
        if let Some(id) = &self.profile {
            let profile = profiles.get(id).ok_or_else(|| usage(format!("no profile is called {id:?}; see `nameplate profile list`")))?;
            if profile.fallback {
                let why = "is for devices of which nothing else is known, of many makers; name --manufacturer and --model instead";
                return Err(usage(format!("{id} {why}")));
            }
            parts = profile.components.iter().map(|component| component.role.name()).collect();
        }
        let part = match (&self.part, parts.as_slice()) {
            (Some(part), parts) if self.profile.is_none() || parts.contains(&part.as_str()) => part.clone(),
            (Some(part), parts) => {
                return Err(usage(format!(
                    "--part {part:?}: the profile knows {}; a baseline for another would never apply",
                    parts.join(", ")
                )));
            }
            (None, [only]) => (*only).to_owned(),
            (None, _) => OWN_PART.to_owned(),
        };
        let trimmed = |text: &Option<String>| text.as_deref().map(|text| text.trim().to_owned());
        let line = ProductLine {
            profile: self.profile.clone(),
            manufacturer: trimmed(&self.manufacturer),
            model: trimmed(&self.model),
            product_code: trimmed(&self.product_code),
        };
        let at = |option: &str, text: &Option<String>, of_a_day| text.as_deref().map(|text| moment(option, text, of_a_day)).transpose();
        let approval = Approval {
            decision,
            line,
            component: part,
            field,
            release: self.release.trim().to_owned(),
            assets: Vec::new(),
            from_ns: at("--from", &self.from, "00:00:00")?,
            until_ns: at("--until", &self.until, "23:59:59.999999999")?,
            by: self.by.trim().to_owned(),
            second: trimmed(&self.second),
            reason: self.reason.trim().to_owned(),
        };
        approval.check().map_err(|invalid| usage(invalid.to_string()))?;
        Ok(approval)
    }

    /// The whole ids of the assets it is for, sorted.
    fn assets(&self, catalog: &Catalog) -> Result<Vec<String>, Failure> {
        let mut ids: Vec<String> =
            self.assets.iter().map(|id| find(catalog, id).map(|asset| asset.id.clone())).collect::<Result<_, _>>()?;
        ids.sort();
        ids.dedup();
        Ok(ids)
    }
}

/// One decision, as a program reads it.
#[derive(Serialize)]
struct Line<'a> {
    entry: u64,
    decision: &'static str,
    release: &'a str,
    line: &'a ProductLine,
    component: &'a str,
    field: &'static str,
    /// Empty: for all.
    assets: &'a [String],
    from: Option<String>,
    until: Option<String>,
    force: String,
    by: &'a str,
    second: Option<&'a str>,
    reason: &'a str,
    decided: String,
}

impl<'a> Line<'a> {
    fn new(decided: &'a Decided, force: Force) -> Self {
        let approval = &decided.approval;
        Self {
            entry: decided.index,
            decision: approval.decision.name(),
            release: &approval.release,
            line: &approval.line,
            component: &approval.component,
            field: approval.field.name(),
            assets: &approval.assets,
            from: approval.from_ns.map(rfc3339),
            until: approval.until_ns.map(rfc3339),
            force: match force {
                Force::InForce => "in force".to_owned(),
                Force::Later => "begins later".to_owned(),
                Force::Ended => "ended".to_owned(),
                Force::Replaced(by) => format!("replaced by entry {by}"),
            },
            by: &approval.by,
            second: approval.second.as_deref(),
            reason: &approval.reason,
            decided: rfc3339(decided.time_ns),
        }
    }

    fn cells(&self) -> Vec<String> {
        let text = |text: &Option<String>| text.clone().unwrap_or_default();
        let parts = [&self.line.profile, &self.line.manufacturer, &self.line.model, &self.line.product_code];
        let line: Vec<&str> = parts.into_iter().flatten().map(String::as_str).collect();
        let scope = if self.assets.is_empty() { "all".to_owned() } else { self.assets.join(" ") };
        let second = self.second.unwrap_or_default().to_owned();
        let (from, until) = (text(&self.from), text(&self.until));
        let begin =
            [self.entry.to_string(), self.decision.to_owned(), self.release.to_owned(), line.join(" / "), self.component.to_owned()];
        let end = [self.by.to_owned(), second, self.decided.clone(), self.reason.to_owned()];
        begin.into_iter().chain([self.field.to_owned(), scope, from, until, self.force.clone()]).chain(end).collect()
    }
}

const HEADER: [&str; 14] =
    ["entry", "decision", "release", "line", "component", "field", "scope", "from", "until", "force", "by", "second", "decided", "reason"];

fn listing<'a>(
    baselines: &Baselines,
    decided: impl Iterator<Item = &'a Decided>,
    profiles: &ProfileSet,
    now_ns: u64,
    format: Format,
) -> Result<(), Failure> {
    let order = |decided: &Decided| {
        let profile = decided.approval.line.profile.as_deref().and_then(|id| profiles.get(id));
        profile.map_or(Order::Opaque, |profile| profile.version_order)
    };
    let lines: Vec<Line<'_>> = decided.map(|one| Line::new(one, baselines.force(one, order(one), now_ns))).collect();
    let cells: Vec<Vec<String>> = lines.iter().map(Line::cells).collect();
    print::out(&match format {
        Format::Table => print::table(&HEADER.map(str::to_uppercase).each_ref().map(String::as_str), &cells),
        Format::Csv => print::csv_line(&HEADER.map(str::to_owned)) + &cells.iter().map(|cells| print::csv_line(cells)).collect::<String>(),
        Format::Ndjson | Format::Claims => lines.iter().map(print::json_line).collect(),
    })
}
