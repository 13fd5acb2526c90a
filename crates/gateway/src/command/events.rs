//! `nameplate events`: what happened to devices.

use clap::Args;
use nameplate_core::catalog::{Event, Happened, done_to, events};
use nameplate_core::observation::rfc3339;
use serde::Serialize;
use utoipa::ToSchema;

use super::device::{find, open};
use super::devices::{moment, time_ns};
use crate::cli::{Format, Options};
use crate::failure::{Code, Failure};
use crate::{print, profiles};

/// List what happened to devices: new, changed, swapped, moved, silent.
#[derive(Debug, Args)]
#[command(
    after_help = "Kinds: new; firmware-changed (newer, older, or unknown where the order of the two is not known); changed (another field); module-swapped;\n\
                  device-swapped (another serial number answers there); partner-answered (two take turns at one address); address-moved; address-added;\n\
                  silent (not heard any more, with where was looked: nobody is ever said to be gone); by-hand.\n\n\
                  Each has its time, what was before and after, and the observation that showed it first.\n\n\
                  Example:\n  nameplate events --since 2026-03-02 --kind firmware-changed --kind silent"
)]
pub struct Events {
    /// Only what happened on that day or later: 2026-03-02 or 2026-03-02T10:15:30Z
    #[arg(long, value_name = "DATE")]
    since: Option<String>,
    /// Only to this device: its id, or enough of its beginning
    #[arg(long, value_name = "ID")]
    asset: Option<String>,
    /// Only of this kind; may be repeated
    #[arg(long, value_name = "KIND", value_parser = kind)]
    kind: Vec<Happened>,
    /// As it was known on a day or at a time
    #[arg(long, value_name = "DATE")]
    as_of: Option<String>,
}

pub fn kind(word: &str) -> Result<Happened, String> {
    let names = || Happened::ALL.map(Happened::name).join(", ");
    Happened::ALL.into_iter().find(|kind| kind.name() == word).ok_or_else(|| format!("it is one of {}", names()))
}

/// One event a line.
#[derive(Serialize, ToSchema)]
pub struct EventLine<'a> {
    time: String,
    kind: &'static str,
    asset: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    component: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    field: Option<&'static str>,
    #[serde(skip_serializing_if = "str::is_empty")]
    before: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    after: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    relation: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    observation: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    entry: Option<u64>,
    #[serde(skip_serializing_if = "str::is_empty")]
    remark: &'a str,
}

impl<'a> EventLine<'a> {
    /// The line of one event.
    pub fn new(event: &'a Event<'a>) -> Self {
        let Event { asset, happened, time_ns, about, before, after, relation, observation, entry, remark } = event;
        Self {
            time: rfc3339(*time_ns),
            kind: happened.name(),
            asset,
            component: about.map(|(component, _)| component),
            field: about.map(|(_, field)| field.name()),
            before,
            after,
            relation: *relation,
            observation: observation.map(|id| id.to_string()),
            entry: *entry,
            remark,
        }
    }

    fn cells(&self) -> Vec<String> {
        let entry = self.entry.map(|entry| entry.to_string()).unwrap_or_default();
        let about = [self.component, self.field].into_iter().flatten().collect::<Vec<_>>().join(" ");
        let relation = self.relation.unwrap_or_default();
        [&self.time, self.kind, self.asset, &about, self.before, self.after, relation, &entry, self.remark].map(str::to_owned).to_vec()
    }
}

const HEADER: [&str; 9] = ["time", "kind", "asset", "about", "before", "after", "relation", "entry", "remark"];

impl Events {
    /// Runs the command.
    ///
    /// # Errors
    /// The state, a date that is none, an id that is not in it.
    pub fn run(&self, options: &Options) -> Result<(), Failure> {
        let profiles = profiles::load(options)?;
        let as_of = self.as_of.as_deref().map(time_ns).transpose()?;
        let since = self.since.as_deref().map(|since| moment("--since", since, "00:00:00")).transpose()?;
        let (_, view) = open(options, as_of)?;
        let asset = self.asset.as_deref().map(|id| find(&view.catalog, id)).transpose()?.map(|asset| asset.id.as_str());
        let wanted = |event: &Event<'_>| {
            since.is_none_or(|since| event.time_ns >= since)
                && asset.is_none_or(|asset| event.asset == asset)
                && (self.kind.is_empty() || self.kind.contains(&event.happened))
        };
        let mut found: Vec<Event<'_>> = events(&view.catalog, &profiles);
        found.extend(done_to(&view.catalog, &view.happenings));
        found.retain(wanted);
        found.sort_by_key(|event| event.time_ns);
        print::out(&shown(&found, print::format(options))?)
    }
}

fn shown(events: &[Event<'_>], format: Format) -> Result<String, Failure> {
    let lines = events.iter().map(EventLine::new);
    Ok(match format {
        Format::Ndjson => lines.map(|line| print::json_line(&line)).collect(),
        Format::Csv => print::csv_line(&HEADER.map(str::to_owned)) + &lines.map(|line| print::csv_line(&line.cells())).collect::<String>(),
        Format::Table => table(events),
        Format::Claims => return Err(Failure::new(Code::Usage, "events are no claims: use table, ndjson or csv")),
    })
}

/// Events for a person.
pub fn table(events: &[Event<'_>]) -> String {
    let titles = HEADER.map(str::to_uppercase);
    print::table(&titles.each_ref().map(String::as_str), &events.iter().map(|event| EventLine::new(event).cells()).collect::<Vec<_>>())
}
