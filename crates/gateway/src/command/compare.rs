//! `nameplate compare`: a sheet against the catalog. What was not seen is never called gone.

use clap::Args;
use nameplate_core::catalog::Catalog;
use nameplate_core::observation::{Address, rfc3339};
use nameplate_core::profile::ProfileSet;
use nameplate_core::sheet::{self, Compared, Looked, Outcome, Relation, Row, Sheet};
use nameplate_core::view::View;
use nameplate_field::guard::Host;
use nameplate_field::touch::{self, Kind};
use serde::Serialize;
use std::collections::HashMap;
use utoipa::ToSchema;

use super::device::open;
use super::devices::time_ns;
use crate::cli::{Format, Options};
use crate::failure::{Code, Failure};
use crate::lines::{place, way};
use crate::output::{Output, Results};
use crate::sheet::Given;
use crate::sheet::book::{Table, Tint};
use crate::{print, profiles};

const OUTCOMES: [(Outcome, &str); 5] = [
    (Outcome::Match, "match"),
    (Outcome::Differs, "differ"),
    (Outcome::Undecided, "undecided"),
    (Outcome::NotSeen, "not seen"),
    (Outcome::OnlyOnTheWire, "only on the wire"),
];

/// Compare a sheet with the catalog; nothing is stored.
#[derive(Debug, Args)]
#[command(
    after_help = "Each row is: match; differs (what was read is newer, older, or of unknown order); undecided (something answers there, but it\n\
                        never said what the sheet lists); or not seen, with what was looked for, and where was looked and where not: captures,\n\
                        interfaces, addresses that were asked, serial lines. Not seen is not gone. Then come the devices that are only on\n\
                        the wire. `nameplate listen FILE --against SHEET` compares with one capture alone.\n\
                        Exit code 6 when a row differs, 3 when a row of the sheet could not be read.\n\n\
                        Examples:\n  nameplate compare plant.xlsx --output differences.xlsx\n  \
                        nameplate compare plant.csv --format csv > differences.csv"
)]
pub struct Compare {
    #[command(flatten)]
    given: Given,
    #[command(flatten)]
    output: Output,
    /// With the catalog as it was known on a day or at a time: 2026-03-02 or 2026-03-02T10:15:30Z
    #[arg(long, value_name = "DATE")]
    as_of: Option<String>,
}

impl Compare {
    /// Runs the command.
    ///
    /// # Errors
    /// The sheet or the state; that something differs.
    pub fn run(&self, options: &Options) -> Result<(), Failure> {
        let profiles = profiles::load(options)?;
        self.output.form()?;
        let (sheet, _) = self.given.read()?;
        let as_of = self.as_of.as_deref().map(time_ns).transpose()?;
        let (store, mut view) = open(options, as_of)?;
        asked(store.directory(), as_of, &mut view.looked)?;
        against(&sheet, &view, &profiles, &in_catalog(&view), print::format(options), &self.output)
    }
}

/// Who was asked until then, out of the touch record: also those who never answered.
///
/// # Errors
/// The record cannot be read.
pub fn asked(directory: &std::path::Path, as_of: Option<u64>, looked: &mut Looked) -> Result<(), Failure> {
    let mut take = |line: &touch::Line| {
        if let (Kind::Connect, Some(target)) = (line.kind, &line.target) {
            let since = line.time.duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
            let time_ns = u64::try_from(since.as_nanos()).unwrap_or(u64::MAX);
            if as_of.is_some_and(|as_of| time_ns > as_of) {
                return;
            }
            match target.host() {
                Host::Ip(ip) => looked.asked(Some(ip), None, time_ns),
                Host::Line(path) => looked.asked(None, Some(&path), time_ns),
                Host::Station(_) => {}
            }
        }
    };
    let read = touch::lines_from(directory, 0, |_, line, _| take(line));
    read.map_err(|e| Failure::input(directory.display(), e))
}

/// Where was looked: in a catalog, from when to when.
pub fn in_catalog(view: &View) -> String {
    let seen = view.catalog.assets().filter(|asset| !asset.is_listed_only()).map(|asset| asset.seen_ns);
    let times = seen.reduce(|all, one| (all.0.min(one.0), all.1.max(one.1)));
    times.map_or_else(
        || "the catalog, in which nothing was ever heard".to_owned(),
        |(first, last)| format!("the catalog (heard from {} to {})", rfc3339(first), rfc3339(last)),
    )
}

/// How a sheet stands to a catalog.
pub struct Told<'a> {
    /// Its rows, and then what is only on the wire.
    pub lines: Vec<Line<'a>>,
    /// All of it in sentences.
    pub said: Vec<String>,
    /// Rows that differ.
    pub differs: u64,
    rows: HashMap<u64, Row<'a>>,
    sheet: &'a Sheet,
    looked: &'a Looked,
}

impl<'a> Told<'a> {
    /// Of what [`sheet::compare`] found.
    pub fn of(compared: &'a [Compared], sheet: &'a Sheet, view: &'a View) -> Self {
        let rows: HashMap<u64, Row<'_>> = sheet.rows().map(|row| (row.number, row)).collect();
        let lines: Vec<Line<'_>> = compared.iter().map(|one| Line::new(one, &rows, view)).collect();
        let count = |outcome: Outcome| compared.iter().filter(|one| one.outcome == outcome).count();
        let parts: Vec<String> = OUTCOMES.iter().map(|(outcome, words)| format!("{} {words}", count(*outcome))).collect();
        let mut said = vec![format!("{}: {}", print::count(sheet.rows.len() as u64, "row"), parts.join(", "))];
        let listed_only = compared.iter().filter(|one| one.listed_only).count() as u64;
        if listed_only > 0 {
            said.push(format!("{} compared with an earlier sheet only: no device said so", print::count(listed_only, "row")));
        }
        if count(Outcome::NotSeen) > 0 {
            said.push("not seen is not gone: a device that was silent, or not on this path, is not seen".to_owned());
            said.push(view.looked.summary().join("; "));
        }
        let left_out = sheet.left_out.len() as u64;
        if left_out > 0 {
            said.push(format!("{} of the sheet could not be read and is in no line", print::count(left_out, "row")));
        }
        Self { lines, said, differs: count(Outcome::Differs) as u64, rows, sheet, looked: &view.looked }
    }

    /// As a file.
    pub fn results(&self) -> Results {
        Results {
            title: "Sheet and devices".to_owned(),
            sentences: self.said.clone(),
            bars: Vec::new(),
            plots: Vec::new(),
            tables: tables(&self.lines, self.sheet, &self.rows, self.looked),
        }
    }
}

/// Prints how a sheet stands to a catalog, or writes it to a file.
///
/// # Errors
/// That something differs, that a row could not be read, or the output.
pub fn against(sheet: &Sheet, view: &View, profiles: &ProfileSet, looked_in: &str, format: Format, output: &Output) -> Result<(), Failure> {
    let compared = sheet::compare(sheet, &view.catalog, profiles, looked_in);
    let told = Told::of(&compared, sheet, view);
    output.put(format, |format| shown(&told.lines, format), || told.results())?;
    told.said.iter().for_each(|sentence| eprintln!("{sentence}"));
    match (told.differs, sheet.left_out.len() as u64) {
        (0, 0) => Ok(()),
        (0, left_out) => Err(Failure::new(Code::Input, format!("{} could not be read", print::count(left_out, "row")))),
        (1, _) => Err(Failure::new(Code::Failed, "1 row differs")),
        (many, _) => Err(Failure::new(Code::Failed, format!("{many} rows differ"))),
    }
}

/// The comparison with the sheet's own columns behind it, and where was looked.
fn tables(lines: &[Line<'_>], sheet: &Sheet, rows: &HashMap<u64, Row<'_>>, looked: &Looked) -> Vec<Table> {
    let header = HEADER.iter().map(|title| (*title).to_owned()).chain(sheet.columns.iter().map(|column| format!("sheet: {column}")));
    let of = |line: &Line<'_>| {
        let row = line.row.and_then(|row| rows.get(&row));
        let own: Vec<String> =
            sheet.columns.iter().map(|column| row.and_then(|row| row.cell(column)).unwrap_or_default().to_owned()).collect();
        line.cells().into_iter().map(|cells| (line.tint(), cells.into_iter().chain(own.clone()).collect())).collect::<Vec<_>>()
    };
    let looked = looked.summary().into_iter().map(|sentence| (Tint::Plain, vec![sentence])).collect();
    vec![
        Table { name: "comparison", header: header.collect(), rows: lines.iter().flat_map(of).collect() },
        Table { name: "looked", header: vec!["where was looked, and where not".to_owned()], rows: looked },
    ]
}

/// One row or one device, as a program reads it.
#[derive(Serialize, ToSchema)]
#[schema(as = ComparedRow)]
pub struct Line<'a> {
    outcome: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    row: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    asset: Option<&'a str>,
    address: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    tag: Option<&'a str>,
    /// heard, asked, or imported where no device said so.
    how: &'static str,
    differences: Vec<FieldLine<'a>>,
    not_said: &'a [&'static str],
    reason: &'a str,
    /// Of a row that was not seen: where was looked and where not, a sentence for each kind of reach.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    looked: Vec<String>,
}

#[derive(Serialize, ToSchema)]
#[schema(as = ComparedField)]
struct FieldLine<'a> {
    field: &'static str,
    sheet: &'a str,
    seen: &'a str,
    relation: &'static str,
}

impl<'a> Line<'a> {
    fn new(compared: &'a Compared, rows: &HashMap<u64, Row<'a>>, view: &'a View) -> Self {
        let (row, catalog): (_, &Catalog) = (compared.row.and_then(|row| rows.get(&row)), &view.catalog);
        let asset = compared.asset.as_deref().and_then(|id| catalog.asset(id));
        let listed = row.map(Row::address).filter(|address| *address != Address::default());
        let address = asset.and_then(|asset| asset.address().cloned()).or(listed);
        let last = asset.and_then(|asset| asset.claims.last()).map(|recorded| way(&recorded.source));
        let differences = compared.differences.iter().map(|difference| FieldLine {
            field: difference.column,
            sheet: &difference.sheet,
            seen: &difference.seen,
            relation: difference.relation.name(),
        });
        Self {
            outcome: compared.outcome.name(),
            row: compared.row,
            asset: compared.asset.as_deref(),
            address: address.as_ref().map(place).unwrap_or_default(),
            tag: row.and_then(|row| row.cell("tag")).or_else(|| asset.and_then(|asset| asset.columns.get("tag").map(String::as_str))),
            how: last.unwrap_or(if compared.listed_only { "imported" } else { "" }),
            differences: differences.collect(),
            not_said: &compared.not_said,
            reason: &compared.reason,
            looked: row.filter(|_| compared.outcome == Outcome::NotSeen).map(|row| view.looked.words(row)).unwrap_or_default(),
        }
    }

    /// The device.
    pub const fn asset(&self) -> Option<&'a str> {
        self.asset
    }

    /// How it is meant.
    pub fn tint(&self) -> Tint {
        match self.outcome {
            name if name == Outcome::Match.name() => Tint::Good,
            name if name == Outcome::Differs.name() && self.differences.iter().all(|one| one.relation == Relation::Newer.name()) => {
                Tint::Doubt
            }
            name if name == Outcome::Differs.name() => Tint::Bad,
            name if name == Outcome::Undecided.name() => Tint::Doubt,
            _ => Tint::Other,
        }
    }

    /// A record for each difference, or one.
    /// Its cells, a row for each field that differs.
    pub fn cells(&self) -> Vec<Vec<String>> {
        let whole = |field: &str, sheet: &str, seen: &str, relation: &str| {
            let row = self.row.map(|row| row.to_string()).unwrap_or_default();
            let (asset, tag) = (self.asset.unwrap_or_default(), self.tag.unwrap_or_default());
            let reason =
                if self.looked.is_empty() { self.reason.to_owned() } else { format!("{}; {}", self.reason, self.looked.join("; ")) };
            [self.outcome, &row, asset, &self.address, tag, self.how, field, sheet, seen, relation, &reason].map(str::to_owned).to_vec()
        };
        if self.differences.is_empty() {
            return vec![whole("", "", "", "")];
        }
        self.differences.iter().map(|one| whole(one.field, one.sheet, one.seen, one.relation)).collect()
    }
}

/// Columns of a comparison.
pub const HEADER: [&str; 11] = ["outcome", "row", "asset", "address", "tag", "how", "field", "sheet", "seen", "relation", "reason"];

fn shown(lines: &[Line<'_>], format: Format) -> String {
    match format {
        Format::Ndjson | Format::Claims => lines.iter().map(print::json_line).collect(),
        Format::Csv => {
            let records = lines.iter().flat_map(Line::cells).map(|cells| print::csv_line(&cells));
            print::csv_line(&HEADER.map(str::to_owned)) + &records.collect::<String>()
        }
        Format::Table => {
            let titles = HEADER.map(str::to_uppercase);
            print::table(&titles.each_ref().map(String::as_str), &lines.iter().flat_map(Line::cells).collect::<Vec<_>>())
        }
    }
}
