//! `nameplate report`: what is known, for people: as a page that asks nothing of any host, as XLSX, CSV or NDJSON. A report is a pure
//! function of the ledger up to a moment, and of that moment; docs/reports.md says what each one says.

pub mod burndown;
pub mod changes;
mod device;
mod errors;
pub mod exemptions;
mod nerc;
pub mod overview;
mod patches;

use clap::{Args, Subcommand, ValueEnum};
use nameplate_core::catalog::Asset;
use nameplate_core::claim::Field;
use nameplate_core::profile::ProfileSet;
use nameplate_core::view::View;
use serde_json::{Map, Value};

use self::nerc::Standard;
use super::check::findings::{Findings, Found};
use super::check::source::Sources;
use super::check::subject::Subject;
use super::devices::{moment, time_ns};
use crate::cli::{Format, Options};
use crate::failure::{Code, Failure};
use crate::lines::place;
use crate::output::{Output, Results};
use crate::sheet::book::{Table, Tint};
use crate::store::{Store, now_ns};
use crate::{print, profiles};

/// Write reports for people.
#[derive(Debug, Args)]
#[command(
    after_help = "A page is one file without a script that loads nothing. \"What did we know on that day\" is any report with --as-of:\n\
                        it says what was known then, by the recorder's clock, and nothing that came later. What each report says, and by\n\
                        which rules: docs/reports.md.\n\n\
                        Examples:\n  nameplate report device a-12ab --output a-12ab.html\n  \
                        nameplate report changes --as-of 2026-11-01 --output changes.xlsx\n  \
                        nameplate report errors --format csv"
)]
pub struct Report {
    #[command(subcommand)]
    kind: Kind,
}

#[derive(Debug, Subcommand)]
pub enum Kind {
    /// All that a device said, by time, what changed, the changes it was in, and what became of its findings
    Device {
        /// The device's id, or enough of its beginning
        #[arg(value_name = "ID")]
        id: String,
        #[command(flatten)]
        known: Known,
    },
    /// How far each change is: what is done, left for a reason and undone, device by device
    Changes {
        #[command(flatten)]
        known: Known,
    },
    /// What went wrong in changes, from the download to the reading after, and what to do instead
    #[command(
        after_help = "Examples:\n  nameplate report errors --output errors.html\n  nameplate report errors --as-of 2026-11-01 --format csv"
    )]
    Errors {
        #[command(flatten)]
        known: Known,
    },
    /// What the ledger supports of NERC CIP-007 R2 and CIP-010 R1 and R2, part by part; gaps stand first
    #[command(
        after_help = "CIP-007-6 and CIP-010-4 are in force; CIP-007-7 and CIP-010-5 (FERC Order No. 919) are approved. Evaluations are what\n\
                      `nameplate check --record --by NAME` wrote. A column `impact` of the inventory (high, medium, low) says to which parts a\n\
                      device belongs. It says what the record supports, never that something is compliant.\n\n\
                      Examples:\n  nameplate report nerc --output nerc.html\n  \
                      nameplate report nerc --standard CIP-007-7,CIP-010-5 --as-of 2026-11-01 --output nerc.xlsx"
    )]
    Nerc {
        /// The standards, each in one version
        #[arg(long, value_enum, value_name = "STANDARD", value_delimiter = ',', default_value = "CIP-007-6,CIP-010-4")]
        standard: Vec<Standard>,
        #[command(flatten)]
        known: Known,
    },
    /// Patch status of each device in the words of IEC TR 62443-2-3; a device counts once, at its worst level
    #[command(
        after_help = "Examples:\n  nameplate report patches --output patches.html\n  nameplate report patches --as-of 2026-11-01 --format csv"
    )]
    Patches {
        #[command(flatten)]
        known: Known,
    },
    /// One page: findings, conformance, coverage, progress, what is overdue, what changed
    #[command(after_help = "Examples:\n  nameplate report overview --output overview.html\n  \
                      nameplate report overview --since 2026-10-01 --as-of 2026-11-01       what was known on that day")]
    Overview {
        /// What changed since then [default: 30 days before]
        #[arg(long, value_name = "DATE")]
        since: Option<String>,
        #[command(flatten)]
        known: Known,
    },
    /// What is left as it is for a reason and a time; what is overdue stands first
    #[command(
        after_help = "Examples:\n  nameplate report exemptions --output exemptions.html\n  nameplate report exemptions --format ndjson"
    )]
    Exemptions {
        #[command(flatten)]
        known: Known,
    },
}

/// As of when, and where to.
#[derive(Debug, Default, Args)]
pub struct Known {
    /// As it was known on a day or at a time: 2026-03-02 or 2026-03-02T10:15:30Z
    #[arg(long, value_name = "DATE")]
    as_of: Option<String>,
    #[command(flatten)]
    output: Output,
}

/// All that a report is made of.
struct Told<'a> {
    store: &'a Store,
    view: &'a View,
    profiles: &'a ProfileSet,
    now_ns: u64,
}

/// All components and all documents.
struct Judgement {
    findings: Findings,
    subjects: Vec<Subject>,
}

impl Told<'_> {
    /// What findings are made of; `None` where no advisory was taken in.
    fn judgement(&self) -> Result<Option<Judgement>, Failure> {
        let sources = Sources::default();
        let Some(source) = sources.findings(Some((self.store, self.view)), self.now_ns)? else { return Ok(None) };
        Ok(Some(Judgement { findings: source.findings, subjects: sources.subjects(Some(self.view), self.profiles)? }))
    }
}

impl Judgement {
    /// Every finding, with what became of it.
    fn found(&self, told: &Told<'_>) -> Vec<Found<'_>> {
        self.subjects.iter().flat_map(|subject| self.findings.judge_in(subject, told.view, told.now_ns)).collect()
    }
}

/// The reports by their names, and what each says.
pub const KINDS: [(&str, &str); 7] = [
    ("overview", "Findings, conformance, coverage, progress, what is overdue, what changed"),
    ("patches", "Patch status of each device in the words of IEC TR 62443-2-3"),
    ("changes", "How far each change is: what is done, left for a reason and undone, device by device"),
    ("errors", "What went wrong in changes, from the download to the reading after, and what to do instead"),
    ("exemptions", "What is left as it is for a reason and a time; what is overdue stands first"),
    ("nerc", "What the ledger supports of NERC CIP-007 R2 and CIP-010 R1 and R2, part by part; gaps stand first"),
    ("device", "All that one device said, by time, what changed, the changes it was in, and what became of its findings"),
];

/// What is asked of a report.
#[derive(Debug, Default)]
pub struct Asked {
    /// Of which device; the report on one needs it.
    pub asset: Option<String>,
    /// Since when things changed, for the overview.
    pub since: Option<String>,
    /// Standards of NERC; those in force where none is named.
    pub standards: Vec<String>,
}

impl Kind {
    /// A report by its name.
    ///
    /// # Errors
    /// Usage: no standard of that name, no device named, or something that this report does not take.
    pub fn named(name: &str, asked: Asked) -> Result<Option<Self>, Failure> {
        let Asked { asset, since, standards } = asked;
        let usage = |why: String| Failure::new(Code::Usage, why);
        for (taken, is_said, what) in
            [("device", asset.is_some(), "asset"), ("overview", since.is_some(), "since"), ("nerc", !standards.is_empty(), "standard")]
        {
            if is_said && name != taken {
                return Err(usage(format!("{what} is for the report {taken:?}")));
            }
        }
        let known = Known::default();
        Ok(Some(match name {
            "overview" => Self::Overview { since, known },
            "patches" => Self::Patches { known },
            "changes" => Self::Changes { known },
            "errors" => Self::Errors { known },
            "exemptions" => Self::Exemptions { known },
            "nerc" => {
                let standard = |name: &String| Standard::from_str(name, true).map_err(|_| usage(format!("there is no standard {name:?}")));
                let mut standard = standards.iter().map(standard).collect::<Result<Vec<_>, _>>()?;
                if standard.is_empty() {
                    standard = Standard::IN_FORCE.to_vec();
                }
                Self::Nerc { standard, known }
            }
            "device" => Self::Device { id: asset.ok_or_else(|| usage("say which device: asset".to_owned()))?, known },
            _ => return Ok(None),
        }))
    }

    /// The report over a store, as it was known at a time; now where nothing is said.
    ///
    /// # Errors
    /// The store's; a device that is not in it.
    pub fn of(&self, store: &Store, profiles: &ProfileSet, as_of: Option<u64>) -> Result<Results, Failure> {
        let view = store.view(as_of)?;
        self.report(&Told { store, view: &view, profiles, now_ns: as_of.unwrap_or_else(now_ns) })
    }

    const fn known(&self) -> &Known {
        match self {
            Self::Changes { known } | Self::Errors { known } | Self::Exemptions { known } | Self::Patches { known } => known,
            Self::Device { known, .. } | Self::Nerc { known, .. } | Self::Overview { known, .. } => known,
        }
    }

    fn report(&self, told: &Told<'_>) -> Result<Results, Failure> {
        let Told { view, now_ns, .. } = told;
        Ok(match self {
            Self::Device { id, .. } => device::report(told, super::device::find(&view.catalog, id)?)?,
            Self::Changes { .. } => changes::report(view, *now_ns),
            Self::Errors { .. } => errors::report(view, *now_ns),
            Self::Exemptions { .. } => exemptions::report(view, *now_ns),
            Self::Patches { .. } => patches::report(told)?,
            Self::Overview { since, .. } => {
                let since = since.as_deref().map(|since| moment("--since", since, "00:00:00")).transpose()?;
                overview::report(told, since.unwrap_or(now_ns.saturating_sub(overview::SINCE_NS)))?
            }
            Self::Nerc { standard, .. } => nerc::report(told, standard)?,
        })
    }
}

impl Report {
    /// Runs the command.
    ///
    /// # Errors
    /// The state, a device that is not in it, a file that cannot be written.
    pub fn run(&self, options: &Options) -> Result<(), Failure> {
        let known = self.kind.known();
        known.output.form()?;
        let as_of = known.as_of.as_deref().map(time_ns).transpose()?;
        let profiles = profiles::load(options)?;
        let (store, view) = super::device::open(options, as_of)?;
        let told = Told { store: &store, view: &view, profiles: &profiles, now_ns: as_of.unwrap_or_else(now_ns) };
        let results = self.kind.report(&told)?;
        known.output.put(print::format(options), |format| text(&results.tables, format), || &results)
    }
}

/// What people call a device: its tag, else its own name, else where it answers.
pub fn known_as(asset: &Asset) -> String {
    let name = || asset.shown(Field::Name).map(|current| current.standing.claim.value.clone());
    let tag = asset.columns.get("tag").filter(|tag| !tag.trim().is_empty()).cloned();
    tag.or_else(name).or_else(|| asset.addresses.last().map(place)).unwrap_or_default()
}

/// Rows with how each is meant.
pub type Rows = Vec<(Tint, Vec<String>)>;

/// A table with these columns.
fn table(name: &'static str, header: &[&str], rows: Rows) -> Table {
    Table { name, header: header.iter().map(|title| (*title).to_owned()).collect(), rows }
}

/// The tables one behind the other.
pub fn text(tables: &[Table], format: Format) -> String {
    let one = |table: &Table| -> String {
        let rows = || table.rows.iter().map(|(_, cells)| cells);
        match format {
            Format::Table | Format::Claims => {
                let header: Vec<String> = table.header.iter().map(|title| title.to_uppercase()).collect();
                let header: Vec<&str> = header.iter().map(String::as_str).collect();
                let rows: Vec<Vec<String>> = rows().cloned().collect();
                format!("{}\n{}\n", table.name, print::table(&header, &rows))
            }
            Format::Csv => {
                let named = |first: &str, cells: &[String]| print::csv_line(&[&[first.to_owned()], cells].concat());
                named("table", &table.header) + &rows().map(|cells| named(table.name, cells)).collect::<String>()
            }
            Format::Ndjson => {
                let line = |cells: &Vec<String>| {
                    let cell = |(title, cell): (&String, &String)| (title.replace(' ', "_"), Value::from(cell.as_str()));
                    let named = [("table".to_owned(), Value::from(table.name))];
                    print::json_line(&named.into_iter().chain(table.header.iter().zip(cells).map(cell)).collect::<Map<_, _>>())
                };
                rows().map(line).collect()
            }
        }
    };
    tables.iter().map(one).collect()
}
