//! `nameplate compare`: a sheet against the catalog. What was not seen is never called gone.

use std::collections::HashMap;
use std::path::PathBuf;

use clap::Args;
use nameplate_core::catalog::Catalog;
use nameplate_core::observation::{Address, rfc3339};
use nameplate_core::profile::ProfileSet;
use nameplate_core::sheet::{self, Compared, Outcome, Row, Sheet};
use serde::Serialize;

use super::device::open;
use super::devices::time_ns;
use super::import::read_sheet;
use crate::cli::{Format, Options};
use crate::failure::{Code, Failure};
use crate::lines::{place, way};
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
                        never said what the sheet lists); or not seen, with what was looked for and where. Not seen is not gone. Then come the\n\
                        devices that are only on the wire. `nameplate listen FILE --against SHEET` compares with one capture alone.\n\
                        Exit code 6 when a row differs.\n\n\
                        Example:\n  nameplate compare plant.csv --format csv > differences.csv"
)]
pub struct Compare {
    /// The sheet: CSV with a header, as for `nameplate import devices`
    #[arg(value_name = "SHEET")]
    sheet: PathBuf,
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
        let profiles = profiles::load(options.profiles.as_deref())?;
        let (sheet, _) = read_sheet(&self.sheet)?;
        let as_of = self.as_of.as_deref().map(time_ns).transpose()?;
        let (_, view) = open(options, as_of)?;
        let seen = view.catalog.assets().filter(|asset| !asset.is_listed_only()).map(|asset| asset.seen_ns);
        let times = seen.reduce(|all, one| (all.0.min(one.0), all.1.max(one.1)));
        let looked_in = times.map_or_else(
            || "the catalog, in which nothing was ever heard".to_owned(),
            |(first, last)| format!("the catalog (heard from {} to {})", rfc3339(first), rfc3339(last)),
        );
        against(&sheet, &view.catalog, &profiles, &looked_in, print::format(options))
    }
}

/// Prints how a sheet stands to a catalog.
///
/// # Errors
/// That something differs, or the output.
pub fn against(sheet: &Sheet, catalog: &Catalog, profiles: &ProfileSet, looked_in: &str, format: Format) -> Result<(), Failure> {
    let compared = sheet::compare(sheet, catalog, profiles, looked_in);
    let rows: HashMap<u64, Row<'_>> = sheet.rows().map(|row| (row.number, row)).collect();
    let lines: Vec<Line<'_>> = compared.iter().map(|one| Line::new(one, one.row.and_then(|row| rows.get(&row)), catalog)).collect();
    print::out(&shown(&lines, format))?;
    let count = |outcome: Outcome| compared.iter().filter(|one| one.outcome == outcome).count();
    let parts: Vec<String> = OUTCOMES.iter().map(|(outcome, words)| format!("{} {words}", count(*outcome))).collect();
    eprintln!("{}: {}", print::count(sheet.rows.len() as u64, "row"), parts.join(", "));
    let listed_only = compared.iter().filter(|one| one.listed_only).count() as u64;
    if listed_only > 0 {
        eprintln!("{} compared with an earlier sheet only: no device said so", print::count(listed_only, "row"));
    }
    if count(Outcome::NotSeen) > 0 {
        eprintln!("not seen is not gone: a device that was silent, or not on this path, is not seen");
    }
    match count(Outcome::Differs) as u64 {
        0 => Ok(()),
        1 => Err(Failure::new(Code::Failed, "1 row differs")),
        many => Err(Failure::new(Code::Failed, format!("{many} rows differ"))),
    }
}

/// One row or one device, as a program reads it.
#[derive(Serialize)]
struct Line<'a> {
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
}

#[derive(Serialize)]
struct FieldLine<'a> {
    field: &'static str,
    sheet: &'a str,
    seen: &'a str,
    relation: &'static str,
}

impl<'a> Line<'a> {
    fn new(compared: &'a Compared, row: Option<&Row<'a>>, catalog: &'a Catalog) -> Self {
        let asset = compared.asset.as_deref().and_then(|id| catalog.asset(id));
        let listed = row.map(Row::address).filter(|address| *address != Address::default());
        let address = asset.and_then(|asset| asset.addresses.last().cloned()).or(listed);
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
        }
    }

    /// A record for each difference, or one.
    fn cells(&self) -> Vec<Vec<String>> {
        let whole = |field: &str, sheet: &str, seen: &str, relation: &str| {
            let row = self.row.map(|row| row.to_string()).unwrap_or_default();
            let (asset, tag) = (self.asset.unwrap_or_default(), self.tag.unwrap_or_default());
            [self.outcome, &row, asset, &self.address, tag, self.how, field, sheet, seen, relation, self.reason].map(str::to_owned).to_vec()
        };
        if self.differences.is_empty() {
            return vec![whole("", "", "", "")];
        }
        self.differences.iter().map(|one| whole(one.field, one.sheet, one.seen, one.relation)).collect()
    }
}

const HEADER: [&str; 11] = ["outcome", "row", "asset", "address", "tag", "how", "field", "sheet", "seen", "relation", "reason"];

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
