//! Decisions and proposals, printed.

use std::ops::Range;

use clap::Args;
use nameplate_core::baseline::{Approval, Baselines, Became, CompatibilitySet, Decided, Force, Origin, ProductLine, Proposal, Proposed};
use nameplate_core::observation::rfc3339;
use nameplate_core::profile::ProfileSet;
use nameplate_core::version::Order;
use nameplate_core::view::View;
use serde::Serialize;
use utoipa::ToSchema;

use crate::cli::{Format, Options};
use crate::command::devices::time_ns;
use crate::failure::Failure;
use crate::print;
use crate::state;
use crate::store::{Store, now_ns};
use crate::web::api::shapes;

/// Every decision and proposal, and what became of it.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  nameplate baseline list --as-of 2026-03-02")]
pub struct List {
    /// As it was on a day or at a time: 2026-03-02 or 2026-03-02T10:15:30Z
    #[arg(long, value_name = "DATE")]
    as_of: Option<String>,
    /// Only what counts: no proposals, and nothing that has ended or was replaced
    #[arg(long)]
    in_force: bool,
}

/// What is known, and which time it is for that.
pub fn view(as_of: Option<&str>, options: &Options) -> Result<(View, u64), Failure> {
    let as_of = as_of.map(time_ns).transpose()?;
    let directory = state::directory(options.state.as_ref())?;
    let view = Store::read(&directory)?.map(|store| store.view(as_of)).transpose()?.unwrap_or_default();
    Ok((view, as_of.unwrap_or_else(now_ns)))
}

/// The order of a decision's releases: its profile's, where it names one.
pub fn order(approval: &Approval, profiles: &ProfileSet) -> Order {
    let profile = approval.line.profile.as_deref().and_then(|id| profiles.get(id));
    profile.map_or(Order::Opaque, |profile| profile.version_order)
}

impl List {
    /// Runs the command.
    pub fn run(&self, options: &Options, profiles: &ProfileSet) -> Result<(), Failure> {
        let (view, now) = view(self.as_of.as_deref(), options)?;
        let lines = lines(&view.baselines, profiles, now);
        let shown = lines.into_iter().filter(|line| !self.in_force || line.force == IN_FORCE);
        print::out(&listed(&shown.collect::<Vec<_>>(), print::format(options)))?;
        for (entry, why) in view.baselines.set_aside() {
            eprintln!("entry {entry} does not count: {why}");
        }
        Ok(())
    }
}

/// What these entries hold, after they were written.
pub fn new(store: &Store, entries: &Range<u64>, profiles: &ProfileSet, now_ns: u64, options: &Options) -> Result<(), Failure> {
    let baselines = store.view(None)?.baselines;
    let lines: Vec<Line<'_>> = lines(&baselines, profiles, now_ns).into_iter().filter(|line| entries.contains(&line.entry)).collect();
    print::out(&listed(&lines, print::format(options)))
}

/// One decision, as a program reads it.
#[derive(Serialize, ToSchema)]
#[schema(as = Decision)]
pub struct Line<'a> {
    /// Its entry in the ledger.
    pub entry: u64,
    decision: &'static str,
    release: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    range: Option<&'a str>,
    #[schema(value_type = shapes::ProductLine)]
    line: ProductLine,
    component: &'a str,
    field: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    hardware: Option<&'a str>,
    #[serde(skip_serializing_if = "std::collections::BTreeMap::is_empty")]
    scope: std::collections::BTreeMap<String, String>,
    /// Empty: for all.
    assets: &'a [String],
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<shapes::CompatibilitySet>)]
    set: Option<&'a CompatibilitySet>,
    from: Option<String>,
    until: Option<String>,
    /// Whether it counts: `in force`, or why not.
    pub force: String,
    track: &'static str,
    preferred: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<shapes::Origin>)]
    origin: Option<&'a Origin>,
    #[serde(skip_serializing_if = "Option::is_none")]
    proposal: Option<u64>,
    by: &'a str,
    second: Option<&'a str>,
    reason: &'a str,
    decided: String,
}

/// What stands for something that counts.
pub const IN_FORCE: &str = "in force";

/// Every decision, set and proposal, in the order of their entries.
pub fn lines<'a>(baselines: &'a Baselines, profiles: &ProfileSet, now_ns: u64) -> Vec<Line<'a>> {
    let decided = baselines.decided().map(|one| Line::decided(one, baselines.force(one, order(&one.approval, profiles), now_ns)));
    let in_force = baselines.sets_in_force(now_ns);
    let sets = baselines.sets().map(|one| {
        let counts = in_force.iter().any(|other| other.index == one.index);
        Line::set(&one.set, (one.index, one.time_ns), if counts { IN_FORCE } else { "not in force" })
    });
    let proposals = baselines.proposals().filter(|one| !matches!(one.became, Became::Accepted(_))).map(Line::proposed);
    let mut lines: Vec<Line<'_>> = decided.chain(sets).chain(proposals).collect();
    lines.sort_by_key(|line| line.entry);
    lines
}

/// The decision, set or proposal of an entry; of what was accepted the proposal, too.
pub fn line<'a>(baselines: &'a Baselines, profiles: &ProfileSet, now_ns: u64, entry: u64) -> Option<Line<'a>> {
    let proposed = || baselines.proposals().find(|one| one.index == entry).map(Line::proposed);
    lines(baselines, profiles, now_ns).into_iter().find(|line| line.entry == entry).or_else(proposed)
}

impl<'a> Line<'a> {
    fn proposed(one: &'a Proposal) -> Self {
        let force = match one.became {
            Became::Accepted(by) => format!("accepted by entry {by}"),
            Became::Withdrawn(by) => format!("withdrawn by entry {by}"),
            Became::Waits => "proposed, waits for another person".to_owned(),
        };
        match &one.what {
            Proposed::Release(approval) => Self::of(approval, (one.index, one.time_ns), &force),
            Proposed::Set(set) => Self::set(set, (one.index, one.time_ns), &force),
        }
    }

    fn decided(decided: &'a Decided, force: Force) -> Self {
        let force = match force {
            Force::InForce => IN_FORCE.to_owned(),
            Force::Later => "begins later".to_owned(),
            Force::Ended => "ended".to_owned(),
            Force::Replaced(by) => format!("replaced by entry {by}"),
        };
        Self { proposal: decided.proposal, ..Self::of(&decided.approval, (decided.index, decided.time_ns), &force) }
    }

    fn of(approval: &'a Approval, (entry, time_ns): (u64, u64), force: &str) -> Self {
        Self {
            entry,
            decision: approval.decision.name(),
            release: &approval.release,
            range: approval.range.as_deref(),
            line: approval.line.clone(),
            component: &approval.component,
            field: approval.field.name(),
            hardware: approval.hardware.as_deref(),
            scope: approval.scope.clone(),
            assets: &approval.assets,
            set: None,
            from: approval.from_ns.map(rfc3339),
            until: approval.until_ns.map(rfc3339),
            force: force.to_owned(),
            track: approval.track.name(),
            preferred: approval.preferred,
            origin: approval.origin.as_ref(),
            proposal: None,
            by: &approval.by,
            second: approval.second.as_deref(),
            reason: &approval.reason,
            decided: rfc3339(time_ns),
        }
    }

    fn set(set: &'a CompatibilitySet, (entry, time_ns): (u64, u64), force: &str) -> Self {
        Self {
            entry,
            decision: "approved",
            release: "",
            range: None,
            line: ProductLine::default(),
            component: "",
            field: "",
            hardware: None,
            scope: std::collections::BTreeMap::new(),
            assets: &set.together,
            set: Some(set),
            from: set.from_ns.map(rfc3339),
            until: set.until_ns.map(rfc3339),
            force: force.to_owned(),
            track: "owner",
            preferred: false,
            origin: set.origin.as_ref(),
            proposal: None,
            by: &set.by,
            second: set.second.as_deref(),
            reason: &set.reason,
            decided: rfc3339(time_ns),
        }
    }

    /// As a row below [`HEADER`].
    pub fn cells(&self) -> Vec<String> {
        let text = |text: &Option<String>| text.clone().unwrap_or_default();
        let line: Vec<&str> = self.line.named().map(String::as_str).collect();
        let mut scope: Vec<String> = self.assets.to_vec();
        scope.extend(self.scope.iter().map(|(column, value)| format!("{column}={value}")));
        scope.extend(self.hardware.map(|hardware| format!("hardware {hardware}")));
        let scope = if scope.is_empty() { "all".to_owned() } else { scope.join(" ") };
        let of_set = |set: &&CompatibilitySet| {
            let members: Vec<String> = set.members.iter().map(|member| format!("{} {}", member.component, member.release)).collect();
            format!("set {}: {}", set.name, members.join(" + "))
        };
        let release = self.set.as_ref().map(of_set).unwrap_or_else(|| self.range.unwrap_or(self.release).to_owned());
        let second = self.second.unwrap_or_default().to_owned();
        let begin = [self.entry.to_string(), self.decision.to_owned(), release, line.join(" / "), self.component.to_owned()];
        let middle = [self.field.to_owned(), scope, text(&self.from), text(&self.until), self.force.clone()];
        let preferred = if self.preferred { "preferred".to_owned() } else { String::new() };
        let document = self.origin.map(|origin| origin.document.clone()).unwrap_or_default();
        let end = [self.by.to_owned(), second, self.decided.clone(), self.reason.to_owned(), self.track.to_owned(), preferred, document];
        begin.into_iter().chain(middle).chain(end).collect()
    }
}

/// Titles of columns.
pub const HEADER: [&str; 17] = [
    "entry",
    "decision",
    "release",
    "line",
    "component",
    "field",
    "scope",
    "from",
    "until",
    "force",
    "by",
    "second",
    "decided",
    "reason",
    "track",
    "preferred",
    "document",
];

fn listed(lines: &[Line<'_>], format: Format) -> String {
    let cells = || lines.iter().map(Line::cells).collect::<Vec<_>>();
    shape(&HEADER, &cells(), || lines.iter().map(print::json_line).collect(), format)
}

/// Rows below a header, in one of the output shapes.
pub fn shape(header: &[&str], cells: &[Vec<String>], json: impl Fn() -> String, format: Format) -> String {
    let titles: Vec<String> = header.iter().map(|title| title.to_uppercase()).collect();
    let names: Vec<String> = header.iter().map(|name| (*name).to_owned()).collect();
    match format {
        Format::Table => print::table(&titles.iter().map(String::as_str).collect::<Vec<_>>(), cells),
        Format::Csv => print::csv_line(&names) + &cells.iter().map(|cells| print::csv_line(cells)).collect::<String>(),
        Format::Ndjson | Format::Claims => json(),
    }
}
