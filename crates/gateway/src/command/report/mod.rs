//! `nameplate report`: the life of a device, and how far changes are: as a page that asks nothing of any host, as XLSX, CSV or NDJSON.

mod changes;
mod device;

use clap::{Args, Subcommand};
use serde_json::{Map, Value};

use super::devices::time_ns;
use crate::cli::{Format, Options};
use crate::failure::Failure;
use crate::output::Output;
use crate::print;
use crate::sheet::book::Table;
use crate::store::now_ns;

/// Write reports for people: the life of a device, how far changes are.
#[derive(Debug, Args)]
#[command(after_help = "A page is one file without a script that loads nothing. A report as of a date is what was known then, by the\n\
                        recorder's clock.\n\n\
                        Examples:\n  nameplate report device a-12ab --output a-12ab.html\n  \
                        nameplate report changes --as-of 2026-11-01 --output changes.xlsx")]
pub struct Report {
    #[command(subcommand)]
    kind: Kind,
}

#[derive(Debug, Subcommand)]
enum Kind {
    /// All that a device said, by time, what changed, and the changes it was in
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
}

/// As of when, and where to.
#[derive(Debug, Args)]
struct Known {
    /// As it was known on a day or at a time: 2026-03-02 or 2026-03-02T10:15:30Z
    #[arg(long, value_name = "DATE")]
    as_of: Option<String>,
    #[command(flatten)]
    output: Output,
}

impl Report {
    /// Runs the command.
    ///
    /// # Errors
    /// The state, a device that is not in it, a file that cannot be written.
    pub fn run(&self, options: &Options) -> Result<(), Failure> {
        let (Kind::Device { known, .. } | Kind::Changes { known }) = &self.kind;
        known.output.form()?;
        let as_of = known.as_of.as_deref().map(time_ns).transpose()?;
        let (_, view) = super::device::open(options, as_of)?;
        let results = match &self.kind {
            Kind::Device { id, .. } => device::report(&view, super::device::find(&view.catalog, id)?),
            Kind::Changes { .. } => changes::report(&view, as_of.unwrap_or_else(now_ns)),
        };
        known.output.put(print::format(options), |format| text(&results.tables, format), || &results)
    }
}

/// The tables one behind the other.
fn text(tables: &[Table], format: Format) -> String {
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
