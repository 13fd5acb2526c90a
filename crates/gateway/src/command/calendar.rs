//! `nameplate calendar`: when vendors publish, and what is due when.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use clap::Args;
use nameplate_core::priority::calendar::{self, Release, SPAN_DAYS_MAX, Schedule};
use nameplate_core::priority::{Act, Band, Day};
use serde::Serialize;

use super::check::source::Sources;
use crate::advisories::bytes_of;
use crate::cli::{Format, Options};
use crate::failure::{Code, Failure};
use crate::store::now_ns;
use crate::{print, profiles};

/// Largest calendar that is read; the built-in one has 2 KiB.
const CALENDAR_BYTES_MAX: u64 = 1 << 20;
/// Columns of a table and a CSV.
const HEADER: [&str; 7] = ["day", "what", "who", "of", "band", "overdue", "cves"];
/// As many of them as fit a terminal.
const TABLE_COLUMNS: usize = 6;

/// When vendors publish, and what is due when.
#[derive(Debug, Args)]
#[command(
    after_help = "Two kinds of lines: `release`, a day on which a vendor publishes, by a schedule (a built-in one, or a TOML file of your own); and\n\
                        what is due for a device by the policy: `fix`, `mitigate`, or `fix or mitigate` where nobody says whether there is a fix.\n\
                        Due is what `nameplate check` finds, at the same advisories; what is overdue stands first, whatever its day. Vendors publish\n\
                        on other days too. How due dates are counted: docs/priority.md.\n\n\
                        Examples:\n  nameplate calendar --days 60\n  nameplate calendar --inventory plant.csv --advisories csaf/ --format csv"
)]
pub struct Calendar {
    /// What is judged, and by what.
    #[command(flatten)]
    sources: Sources,
    /// From this day on [default: today]
    #[arg(long, value_name = "DATE")]
    from: Option<String>,
    /// So many days
    #[arg(long, value_name = "DAYS", default_value_t = 90, value_parser = clap::value_parser!(u32).range(1..=i64::from(SPAN_DAYS_MAX)))]
    days: u32,
    /// Schedules of your own in the place of the built-in ones, see docs/priority.md
    #[arg(long, value_name = "FILE")]
    schedules: Option<PathBuf>,
}

/// A line, as a program reads it.
#[derive(Debug, PartialEq, Eq, Serialize)]
struct Line {
    day: String,
    what: &'static str,
    /// The vendor, or the asset.
    who: String,
    /// The vendor's products, or the component.
    of: String,
    /// The worst band of what is due.
    #[serde(skip_serializing_if = "Option::is_none")]
    band: Option<&'static str>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    overdue: bool,
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    cves: BTreeSet<String>,
    /// Where a schedule is known from.
    #[serde(skip_serializing_if = "Option::is_none")]
    source: Option<String>,
}

/// What is due for one component on one day: the worst band, and for which vulnerabilities.
type Dues = BTreeMap<DueKey, Pending>;
/// The day, the asset, its component, and what has to be done.
type DueKey = (Day, String, String, &'static str);
/// The worst band, and the vulnerabilities.
type Pending = (Band, BTreeSet<String>);

impl Calendar {
    /// Runs the command.
    ///
    /// # Errors
    /// The inputs; the state.
    pub fn run(&self, options: &Options) -> Result<(), Failure> {
        let today = Day::of_ns(now_ns());
        let bad = || Failure::new(Code::Usage, "--from is a day: 2026-12-01");
        let from = self.from.as_deref().map_or(Ok(today), |from| Day::read(from).ok_or_else(bad))?;
        let schedules = self.schedules()?;
        let releases = calendar::releases(&schedules, from, self.days);
        let (dues, unread) = self.dues(options, from.plus(self.days))?;
        let lines = dues.into_iter().map(|due| due_line(due, from)).chain(releases.iter().map(release_line));
        let mut lines: Vec<Line> = lines.collect();
        lines.sort_by(|one, other| (!one.overdue, &one.day, one.what, &one.who).cmp(&(!other.overdue, &other.day, other.what, &other.who)));
        print::out(&shown(&lines, print::format(options)))?;
        match unread {
            0 => Ok(()),
            unread => Err(Failure::new(Code::Input, format!("{} could not be read", print::count(unread, "file")))),
        }
    }

    fn schedules(&self) -> Result<Vec<Schedule>, Failure> {
        let read = |name: &str, text: &str| calendar::read(text).map_err(|invalid| Failure::input(name, invalid));
        let Some(path) = &self.schedules else { return read("the built-in calendar", calendar::BUILT_IN) };
        let bytes = bytes_of(path, CALENDAR_BYTES_MAX).map_err(|why| Failure::input(path.display(), why))?;
        let text = String::from_utf8(bytes).map_err(|_| Failure::input(path.display(), "not UTF-8"))?;
        read(&path.display().to_string(), &text)
    }

    /// What is due before `end`, and how many files could not be read.
    fn dues(&self, options: &Options, end: Day) -> Result<(Dues, u64), Failure> {
        let profiles = profiles::load(options)?;
        let kept = self.sources.kept(options, None)?;
        let mut dues = Dues::new();
        let Some(source) = self.sources.findings(kept.as_ref().map(|(store, view)| (store, view)), now_ns())? else {
            eprintln!("no advisory was looked at: only when vendors publish");
            return Ok((dues, 0));
        };
        for subject in self.sources.subjects(kept.as_ref().map(|(_, view)| view), &profiles)? {
            for found in source.findings.judge(&subject) {
                let Some((due, band)) = found.decision.and_then(|decision| Some((decision.due?, decision.band))) else { continue };
                if due.by >= end {
                    continue;
                }
                let key = (due.by, subject.installed.asset.clone(), subject.installed.component.clone(), Act::name(due.act));
                let (worst, cves) = dues.entry(key).or_insert_with(|| (band, BTreeSet::new()));
                *worst = band.max(*worst);
                cves.insert(found.proof.cve);
            }
        }
        Ok((dues, source.unread))
    }
}

fn due_line(((day, who, of, what), (band, cves)): (DueKey, Pending), from: Day) -> Line {
    Line { day: day.to_string(), what, who, of, band: Some(band.name()), overdue: day < from, cves, source: None }
}

fn release_line(release: &Release<'_>) -> Line {
    let Schedule { vendor, products, source, .. } = release.schedule;
    Line {
        day: release.day.to_string(),
        what: "release",
        who: vendor.clone(),
        of: products.clone().unwrap_or_default(),
        band: None,
        overdue: false,
        cves: BTreeSet::new(),
        source: Some(source.clone()),
    }
}

fn shown(lines: &[Line], format: Format) -> String {
    let cells = |line: &Line| {
        let overdue = if line.overdue { "overdue" } else { "" };
        let cves = line.cves.iter().map(String::as_str).collect::<Vec<_>>().join(" ");
        [&*line.day, line.what, &*line.who, &*line.of, line.band.unwrap_or_default(), overdue, &*cves].map(str::to_owned).to_vec()
    };
    match format {
        Format::Table => {
            let rows: Vec<Vec<String>> = lines.iter().map(|line| cells(line).into_iter().take(TABLE_COLUMNS).collect()).collect();
            let titles = HEADER.map(str::to_uppercase);
            print::table(&titles.iter().map(String::as_str).take(TABLE_COLUMNS).collect::<Vec<_>>(), &rows)
        }
        Format::Csv => {
            let rows = lines.iter().map(|line| print::csv_line(&cells(line)));
            [print::csv_line(&HEADER.map(str::to_owned))].into_iter().chain(rows).collect()
        }
        Format::Ndjson | Format::Claims => lines.iter().map(print::json_line).collect(),
    }
}
