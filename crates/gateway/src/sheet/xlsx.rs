//! An XLSX file to rows. Source: ECMA-376 part 1 (5th edition), clauses 12.3 and 18; part 2 (packages). It is unpacked under the limits of
//! [`Archive`] and read as a stream of tags: no entity is expanded but the five of XML, no formula is worked out, nothing is fetched.

mod cells;
mod merged;
mod styles;
mod tags;
mod workbook;

use nameplate_core::sheet::{self, Cell, Line, Taken, header_among};
use nameplate_core::text::printable;

use crate::advisories::archive::Archive;
use crate::print;
use cells::{Grid, Shared};
use tags::strings;
use workbook::{Workbook, Worksheet};

/// Largest part when unpacked: 100,000 rows of 24 columns have about 150 MB.
const PART_BYTES_MAX: u32 = 256 << 20;
/// Rows of each worksheet that are looked at for a header.
const LOOKED_AT_ROWS: usize = 20;

/// Reads the worksheet of that name, or the only one with columns of devices.
///
/// # Errors
/// What is wrong, as a sentence.
pub fn read(bytes: &[u8], named: Option<&str>) -> Result<Taken, String> {
    let archive = Archive::of_at_most(bytes, PART_BYTES_MAX)?;
    let part = |name: &str| -> Result<Option<String>, String> {
        let Some(entry) = archive.entries.iter().find(|entry| entry.name == name) else { return Ok(None) };
        let bytes = archive.read(entry)?;
        String::from_utf8(bytes).map(Some).map_err(|_| format!("{name:?} is not UTF-8"))
    };
    let workbook = Workbook::of(&part)?;
    let shared = Shared {
        strings: part(&workbook.strings)?.map(|xml| strings(&xml)).transpose()?.unwrap_or_default(),
        dates: part(&workbook.styles)?.map(|xml| styles::dates(&xml)).transpose()?.unwrap_or_default(),
        days_from: workbook.days_from,
    };
    let grid = |worksheet: &Worksheet, rows_max: usize| -> Result<Grid, String> {
        let xml = part(&worksheet.part)?.ok_or_else(|| format!("the worksheet {:?} is missing", printable(&worksheet.name)))?;
        cells::grid(&xml, &shared, rows_max).map_err(|why| format!("worksheet {:?}: {why}", printable(&worksheet.name)))
    };
    let worksheet = chosen(&workbook, named, &grid)?;
    let whole = grid(worksheet, usize::MAX)?;
    taken(whole, worksheet, workbook.worksheets.len())
}

/// The worksheet that was named, or the only visible one that has a header.
fn chosen<'a>(
    workbook: &'a Workbook,
    named: Option<&str>,
    grid: &dyn Fn(&Worksheet, usize) -> Result<Grid, String>,
) -> Result<&'a Worksheet, String> {
    let names = |all: &[&Worksheet]| all.iter().map(|one| format!("{:?}", printable(&one.name))).collect::<Vec<_>>().join(", ");
    let all: Vec<&Worksheet> = workbook.worksheets.iter().collect();
    if let Some(name) = named {
        let found = all.iter().find(|one| one.name == name);
        return found.copied().ok_or_else(|| format!("there is no worksheet {:?}; there are {}", printable(name), names(&all)));
    }
    let mut fit = Vec::new();
    for worksheet in all.iter().copied().filter(|one| !one.hidden) {
        if header_among(&grid(worksheet, LOOKED_AT_ROWS)?.lines).is_some() {
            fit.push(worksheet);
        }
    }
    match fit.as_slice() {
        [one] => Ok(one),
        [] => Err(format!(
            "no column is known in the first {LOOKED_AT_ROWS} rows of {}; the header names them: ip, manufacturer, model, firmware_revision, …",
            names(&all)
        )),
        several => Err(format!("the worksheets {} have columns of devices; name one of them with --worksheet", names(several))),
    }
}

fn taken(mut grid: Grid, worksheet: &Worksheet, worksheets: usize) -> Result<Taken, String> {
    let in_words = |invalid: sheet::Invalid| {
        let column = invalid.column.map(|column| format!(", column {column}")).unwrap_or_default();
        format!("worksheet {:?}, row {}{column}: {}", printable(&worksheet.name), invalid.line, invalid.why)
    };
    let spread = merged::spread(&mut grid)?;
    let width = grid.lines.iter().map(|line| line.cells.len()).max().unwrap_or(0);
    // A row ends with its last cell, in the file; in a sheet every row has all columns.
    let widened = grid.lines.into_iter().map(|Line { number, mut cells }| {
        cells.resize(width, Cell::Text(String::new()));
        Line { number, cells }
    });
    let mut taken = sheet::read_lines(widened).map_err(in_words)?;
    if worksheets > 1 {
        taken.notes.insert(0, format!("worksheet {:?} of {worksheets}", printable(&worksheet.name)));
    }
    if let Some(first) = &grid.first_formula {
        let cells = print::count(grid.formulas, "cell");
        taken
            .notes
            .push(format!("{cells} with formulas (the first is {first}); the values are those that were worked out when it was saved"));
    }
    if spread > 0 {
        taken.notes.push(format!("{} merged over several rows; what stands there counts for each of them", print::count(spread, "cell")));
    }
    Ok(taken)
}

#[cfg(test)]
mod tests;
