//! The cells of a worksheet (ECMA-376 part 1, 18.3.1).

use nameplate_core::sheet::{Cell, Line};
use quick_xml::events::BytesStart;

use super::tags::{Tag, Tags, attribute, rich, unescaped};

/// Columns of a sheet, as core has them.
const COLUMNS_MAX: usize = 256;
/// Rows of a worksheet (ECMA-376 leaves it open; Excel and LibreOffice have 1,048,576).
const ROWS_MAX: usize = 1_048_576;
/// Cells that hold something: 100,000 rows of 40 columns.
const CELLS_MAX: usize = 4_000_000;
/// Bytes of all texts together: one text may stand in every cell.
const TEXT_BYTES_MAX: usize = 128 << 20;
/// What one cell of the common spreadsheet programs can hold.
const CELL_CHARS_MAX: usize = 32_767;
/// 31 December 9999, the last day of a spreadsheet.
const DAYS_MAX: f64 = 2_958_466.0;

/// What all worksheets share.
pub struct Shared {
    /// Texts by their number.
    pub strings: Vec<String>,
    /// For each style whether it is a date.
    pub dates: Vec<bool>,
    /// Day 0, in days from 1 January 1970.
    pub days_from: i64,
}

/// Cells from one corner to the other, both counted from 0: row, column.
#[derive(Clone, Copy, Debug)]
pub struct Region {
    pub from: (usize, usize),
    pub to: (usize, usize),
}

/// A worksheet's cells.
#[derive(Default)]
pub struct Grid {
    /// Rows with a cell, rising; each as long as its last cell.
    pub lines: Vec<Line>,
    /// What was merged.
    pub merged: Vec<Region>,
    /// Cells with a formula.
    pub formulas: u64,
    /// The first of them.
    pub first_formula: Option<String>,
    cells: usize,
    text_bytes: usize,
}

/// Reads a worksheet, or its first rows.
///
/// # Errors
/// It is no worksheet, or larger than any inventory.
pub fn grid(xml: &str, shared: &Shared, rows_max: usize) -> Result<Grid, String> {
    let mut tags = Tags::of(xml);
    let (mut grid, mut row, mut column) = (Grid::default(), 0_usize, 0_usize);
    while let Some(tag) = tags.next()? {
        let Tag::Open(tag) = tag else { continue };
        match tag.local_name().into_inner() {
            "row" => {
                let number = attribute(&tag, "r").map_or(Some(row + 1), |r| r.parse().ok()).filter(|r| (row + 1..=ROWS_MAX).contains(r));
                row = number.ok_or_else(|| format!("the row behind row {row} has no number, or none that is higher"))?;
                column = 0;
                if grid.lines.len() >= rows_max {
                    return Ok(grid);
                }
            }
            "c" => {
                let place = attribute(&tag, "r").map_or(Some((row.saturating_sub(1), column)), |r| place(&r));
                let (_, at) = place
                    .filter(|(own, at)| *own + 1 == row && *at >= column)
                    .ok_or_else(|| format!("a cell of row {row} is not in its place"))?;
                column = at + 1;
                let name = || attribute(&tag, "r").unwrap_or_else(|| format!("row {row}"));
                let (cell, is_formula) = cell(&mut tags, &tag, shared).map_err(|why| format!("{}: {why}", name()))?;
                if is_formula {
                    grid.formulas += 1;
                    grid.first_formula.get_or_insert_with(name);
                }
                grid.put(row, at, cell)?;
            }
            "mergeCell" => {
                let region = attribute(&tag, "ref").as_deref().and_then(region).ok_or("merged cells without a place")?;
                grid.merged.push(region);
            }
            _ => {}
        }
    }
    Ok(grid)
}

impl Grid {
    fn put(&mut self, row: usize, column: usize, cell: Cell) -> Result<(), String> {
        if cell.is_empty() {
            return Ok(());
        }
        if column >= COLUMNS_MAX {
            return Err(format!("row {row}: a sheet has at most {COLUMNS_MAX} columns"));
        }
        self.cells += 1;
        self.text_bytes += cell.text().len();
        if self.cells > CELLS_MAX || self.text_bytes > TEXT_BYTES_MAX {
            return Err(format!("more than {CELLS_MAX} cells or {TEXT_BYTES_MAX} bytes of text"));
        }
        if self.lines.last().is_none_or(|line| line.number != row) {
            self.lines.push(Line { number: row, cells: Vec::new() });
        }
        if let Some(line) = self.lines.last_mut() {
            line.cells.resize(column, Cell::Text(String::new()));
            line.cells.push(cell);
        }
        Ok(())
    }
}

/// The cell whose tag is open, and whether a formula stands in it.
fn cell(tags: &mut Tags<'_>, tag: &BytesStart<'_>, shared: &Shared) -> Result<(Cell, bool), String> {
    let (mut value, mut inline, mut is_formula, mut in_value) = (String::new(), None, false, false);
    loop {
        match tags.next()?.ok_or("it ends in the middle of a cell")? {
            Tag::Open(tag) => match tag.local_name().into_inner() {
                "v" => in_value = true,
                "f" => is_formula = true,
                "is" => inline = Some(rich(tags, "is")?),
                _ => {}
            },
            Tag::Text(piece) if in_value => value.push_str(&piece),
            Tag::Text(_) => {}
            Tag::Close(name) => match name.as_str() {
                "v" => in_value = false,
                "c" => break,
                _ => {}
            },
        }
    }
    let kind = attribute(tag, "t").unwrap_or_default();
    if is_formula && value.is_empty() && inline.is_none() && kind != "str" {
        let why = "holds a formula whose value was never worked out; open it in a spreadsheet program and save it";
        return Ok((Cell::Void(why.into()), true));
    }
    let cell = match kind.as_str() {
        "inlineStr" => Cell::Text(inline.unwrap_or_default()),
        "s" if value.is_empty() => Cell::Text(String::new()),
        "s" => {
            let text = value.trim().parse::<usize>().ok().and_then(|at| shared.strings.get(at));
            Cell::Text(text.ok_or("its text is missing")?.clone())
        }
        "str" => Cell::Text(unescaped(&value)),
        "b" => Cell::Text(if value.trim() == "0" { "FALSE" } else { "TRUE" }.into()),
        "e" => Cell::Void(format!("holds the spreadsheet's error {}", value.trim())),
        "d" => Cell::Date(value),
        _ if value.trim().is_empty() => Cell::Text(String::new()),
        _ => {
            let number = value.trim().parse::<f64>().ok().filter(|number| number.is_finite()).ok_or("its number is none")?;
            let is_date = attribute(tag, "s").and_then(|s| s.parse::<usize>().ok()).and_then(|s| shared.dates.get(s)).copied();
            if is_date == Some(true) && (0.0..DAYS_MAX).contains(&number) {
                Cell::Date(date(number, shared.days_from))
            } else {
                Cell::Number(number)
            }
        }
    };
    match &cell {
        Cell::Text(text) if text.chars().count() > CELL_CHARS_MAX => Err("a cell has at most 32,767 characters".into()),
        _ => Ok((cell, is_formula)),
    }
}

/// `BC12`: row and column from 0.
fn place(text: &str) -> Option<(usize, usize)> {
    let digits = text.find(|c: char| c.is_ascii_digit())?;
    let (letters, row) = text.split_at(digits);
    let column = letters.bytes().try_fold(0_usize, |column, letter| {
        let letter = letter.is_ascii_alphabetic().then(|| usize::from(letter.to_ascii_uppercase() - b'A') + 1)?;
        column.checked_mul(26)?.checked_add(letter)
    })?;
    Some((row.parse::<usize>().ok()?.checked_sub(1)?, column.checked_sub(1)?))
}

/// `A1:B2`.
fn region(text: &str) -> Option<Region> {
    let (from, to) = text.split_once(':').unwrap_or((text, text));
    let (from, to) = (place(from)?, place(to)?);
    (from.0 <= to.0 && from.1 <= to.1).then_some(Region { from, to })
}

/// A day as people write it, with the time behind it where there is one.
fn date(number: f64, days_from: i64) -> String {
    // From 0 to DAYS_MAX, so both fit.
    let (days, seconds) = (number.floor() as i64 + days_from, (number.fract() * 86_400.0).round() as i64);
    let (days, seconds) = (days + seconds / 86_400, seconds % 86_400);
    let (year, month, day) = civil(days);
    let time = if seconds == 0 { String::new() } else { format!(" {:02}:{:02}:{:02}", seconds / 3_600, seconds / 60 % 60, seconds % 60) };
    format!("{year:04}-{month:02}-{day:02}{time}")
}

/// Year, month and day of so many days from 1 January 1970: from year 1 of an era of 400 years that begins on 1 March.
fn civil(days: i64) -> (i64, i64, i64) {
    let days = days + 719_468;
    let (era, of_era) = (days.div_euclid(146_097), days.rem_euclid(146_097));
    let year_of_era = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let march_month = (5 * of_year + 2) / 153;
    let (day, month) = (of_year - (153 * march_month + 2) / 5 + 1, if march_month < 10 { march_month + 3 } else { march_month - 9 });
    (year_of_era + era * 400 + i64::from(month <= 2), month, day)
}
