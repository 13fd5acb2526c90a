//! Inventory sheets: claims that a person made, to compare with readings and never to overwrite them.
//!
//! A sheet is CSV (RFC 4180; comma, semicolon or tab between) or the cells of a spreadsheet, with a header. Columns that the inventory file
//! does not know are kept and given back. A row that is wrong is left out with its reason, and the others are taken
//! (docs/decisions/0036).

pub(crate) mod cells;
mod column;
mod compare;
mod doubt;
mod encoding;
mod grid;
mod looked;
mod read;

use std::fmt;
use std::net::IpAddr;

use serde::{Deserialize, Serialize};

pub(crate) use cells::{Record, Records};
pub use column::{COLUMNS, Column};
pub use compare::{Compared, Difference, Outcome, Relation, compare};
pub use doubt::DOUBTFUL;
pub use grid::{Cell, Line};
pub use looked::Looked;
pub(crate) use read::without_apostrophe;
pub use read::{FILE_BYTES_MAX, Taken, header_among, known_columns, read, read_lines};
pub(crate) use read::{FORMULA, decoded, one_line};

use crate::observation::Address;

/// A list that was taken in, as it stands in the ledger: the file's name and hash, and all of its cells.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Import {
    /// The file's name as it was given.
    pub file: String,
    /// SHA-256 of the file, lower case hexadecimal.
    pub sha256: String,
    /// What it said.
    pub sheet: Sheet,
}

/// A sheet, read and valid.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sheet {
    /// Names of its columns: those of the inventory file where known, else as the sheet spells them.
    pub columns: Vec<String>,
    /// Its rows; each has a cell for every column. Empty rows are no rows.
    pub rows: Vec<Vec<String>>,
    /// Numbers of rows that could not be read and are not among them, rising. They count, so that a row keeps its number.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub left_out: Vec<u64>,
}

/// Why a file is no sheet, or a line of it no row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Invalid {
    /// Line in the file, or row of the spreadsheet, from 1.
    pub line: usize,
    /// Name of the column, or its number from 1 where it has none.
    pub column: Option<String>,
    /// What is wrong, as a sentence.
    pub why: String,
}

impl fmt::Display for Invalid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let column = self.column.as_ref().map(|column| format!(", column {column}")).unwrap_or_default();
        write!(f, "line {}{column}: {}", self.line, self.why)
    }
}

/// One row, by column.
#[derive(Clone, Copy, Debug)]
pub struct Row<'a> {
    /// Its number, from 1, without the header and without empty rows; rows that were left out count.
    pub number: u64,
    columns: &'a [String],
    cells: &'a [String],
}

impl Sheet {
    /// Its rows with their numbers.
    pub fn rows(&self) -> impl Iterator<Item = Row<'_>> {
        let mut left_out = self.left_out.iter().copied().peekable();
        let numbers = (1..).filter(move |number| left_out.next_if_eq(number).is_none());
        numbers.zip(&self.rows).map(|(number, cells)| Row { number, columns: &self.columns, cells })
    }
}

impl<'a> Row<'a> {
    /// The cell below a column, by its canonical name; `None` where it is empty or there is no such column.
    #[must_use]
    pub fn cell(&self, column: &str) -> Option<&'a str> {
        self.cells().find(|(name, _)| *name == column).map(|(_, cell)| cell)
    }

    /// Every cell that is not empty, with its column.
    pub fn cells(&self) -> impl Iterator<Item = (&'a str, &'a str)> + use<'a> {
        let named = self.columns.iter().zip(self.cells).map(|(column, cell)| (column.as_str(), cell.as_str()));
        named.filter(|(_, cell)| !cell.is_empty())
    }

    /// Where the row says that the device answers; what it leaves out is absent.
    #[must_use]
    pub fn address(&self) -> Address {
        Address {
            mac: self.cell("mac").map(str::to_owned),
            ip: self.cell("ip").and_then(|ip| ip.parse::<IpAddr>().ok()),
            port: self.cell("port").and_then(|port| port.parse().ok()),
            unit: self.cell("unit").and_then(|unit| unit.parse().ok()),
            ..Address::default()
        }
    }
}

#[cfg(test)]
mod tests;
