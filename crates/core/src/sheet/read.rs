//! From a table to a sheet: row by row, each taken whole or left out with its line, its column and the reason.

use std::collections::HashMap;
use std::net::IpAddr;

use super::cells::{COLUMNS_MAX, DELIMITERS, Record, Records};
use super::doubt::{DOUBTFUL, doubt};
use super::grid::{Cell, Line};
use super::{Column, Invalid, Sheet};
use crate::text;

pub(crate) use super::encoding::decoded;
use super::encoding::{Encoding, encoding};

/// A file that is larger is no list that a person made.
pub const FILE_BYTES_MAX: usize = 64 << 20;
/// What the common spreadsheet programs hold: 1,048,576 rows.
const ROWS_MAX: usize = 1_000_000;
/// Rows with one address: 247 units behind each of a few ports. Each is compared with the others, so there is an end to it.
const ADDRESS_ROWS_MAX: usize = 1_024;
/// Titles, dates and logos stand above the header; further down stand devices.
const HEADER_LINES_MAX: usize = 20;
/// Nobody mends more rows than this by hand: a sheet with so many that are wrong is something else, or was read wrongly.
const LEFT_OUT_ROWS_MAX: usize = 10_000;
/// A cell that begins so is run by spreadsheets; our own CSV puts an apostrophe before it, which is taken away again here.
pub(crate) const FORMULA: [char; 10] = ['=', '+', '-', '@', '\t', '\r', '＝', '＋', '－', '＠'];

/// A sheet with what is to be said of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Taken {
    /// Every row that could be read.
    pub sheet: Sheet,
    /// Why rows were left out, in their order.
    pub left_out: Vec<Invalid>,
    /// Cells that are kept and are no version, because a spreadsheet changed them.
    pub doubts: Vec<Invalid>,
    /// What a person should know of how it was read, as sentences.
    pub notes: Vec<String>,
}

/// Reads CSV: UTF-8 or UTF-16 (by its byte order mark), else Windows-1252. The lines above the header are passed over.
///
/// # Errors
/// [`Invalid`] where it is no sheet as a whole; nothing of the file counts then.
pub fn read(bytes: &[u8]) -> Result<Taken, Invalid> {
    if bytes.len() > FILE_BYTES_MAX {
        return Err(whole("the file is larger than 64 MiB"));
    }
    let text = decoded(bytes);
    let mut records = Records::divided_by(&text, delimiter(&text));
    let lines = std::iter::from_fn(|| {
        Some(records.next()?.map(of_text).map_err(|invalid| if records.pass_line() { Wrong::Row(invalid) } else { Wrong::Table(invalid) }))
    });
    let mut taken = take(lines)?;
    match encoding(bytes) {
        Encoding::Utf8 => {}
        other => taken.notes.push(format!("read as {}", other.name())),
    }
    Ok(taken)
}

/// Reads the rows of a spreadsheet.
///
/// # Errors
/// As [`read`]; `line` is the row.
pub fn read_lines(lines: impl IntoIterator<Item = Line>) -> Result<Taken, Invalid> {
    take(lines.into_iter().map(Ok))
}

/// How many columns a line names that we know: a header has at least one.
#[must_use]
pub fn known_columns(line: &Line) -> usize {
    line.cells.iter().filter(|cell| Column::called(&one_line(&cell.text())).is_some()).count()
}

/// The line of the first ones that is the header, by its place among them.
#[must_use]
pub fn header_among(lines: &[Line]) -> Option<usize> {
    let known = lines.iter().take(HEADER_LINES_MAX).map(known_columns).enumerate().filter(|(_, known)| *known > 0);
    known.reduce(|best, next| if next.1 > best.1 { next } else { best }).map(|(at, _)| at)
}

/// What is wrong with a line: it alone, or everything behind it, too.
enum Wrong {
    Row(Invalid),
    Table(Invalid),
}

fn whole(why: &str) -> Invalid {
    Invalid { line: 1, column: None, why: why.to_owned() }
}

fn of_text(record: Record) -> Line {
    Line { number: record.line, cells: record.cells.into_iter().map(Cell::Text).collect() }
}

/// What divides the cells: that under which the header names most columns; of equals the one that our own files have.
fn delimiter(text: &str) -> char {
    let known = |delimiter: &char| {
        let mut records = Records::divided_by(text, *delimiter);
        let mut most = 0;
        for _ in 0..HEADER_LINES_MAX {
            match records.next() {
                None => break,
                Some(Ok(record)) => most = most.max(known_columns(&of_text(record))),
                Some(Err(_)) if !records.pass_line() => break,
                Some(Err(_)) => {}
            }
        }
        most
    };
    let counted = DELIMITERS.map(|delimiter| (delimiter, known(&delimiter)));
    counted.into_iter().reduce(|best, next| if next.1 > best.1 { next } else { best }).map_or(',', |(delimiter, _)| delimiter)
}

fn take(mut lines: impl Iterator<Item = Result<Line, Wrong>>) -> Result<Taken, Invalid> {
    let mut first = Vec::new();
    while first.len() < HEADER_LINES_MAX {
        match lines.next() {
            None => break,
            Some(Err(Wrong::Table(invalid))) => return Err(invalid),
            Some(line) => first.push(line),
        }
    }
    let headers: Vec<Line> =
        first.iter().map(|line| line.as_ref().map_or_else(|_| Line { number: 0, cells: Vec::new() }, Clone::clone)).collect();
    let Some(at) = header_among(&headers) else {
        return Err(match first.into_iter().next() {
            Some(Ok(line)) => no_header(&line),
            Some(Err(Wrong::Row(invalid) | Wrong::Table(invalid))) => invalid,
            None => whole("the file is empty"),
        });
    };
    let mut rows = Rows::below(&headers[at])?;
    if at > 0 {
        rows.taken.notes.push(format!("the header is line {}; what stands above it was passed over", headers[at].number));
    }
    for line in first.into_iter().skip(at + 1).chain(lines) {
        rows.push(line)?;
    }
    Ok(rows.done())
}

fn no_header(line: &Line) -> Invalid {
    let why = "no column is known; the first line names them: ip, manufacturer, model, firmware_revision, …";
    if line.cells.iter().all(Cell::is_empty) {
        return Invalid { line: line.number, column: None, why: "the file is empty".into() };
    }
    Invalid { line: line.number, column: Some("1".into()), why: why.into() }
}

/// The rows so far.
struct Rows {
    taken: Taken,
    header: usize,
    /// Rows that are not empty, taken or left out.
    count: u64,
    at_address: HashMap<String, usize>,
    /// By tag, slot and unit.
    tags: HashMap<[String; 3], usize>,
    /// Cells of columns that are made at the end: row, column, text.
    doubtful: Vec<(usize, usize, String)>,
}

impl Rows {
    fn below(header: &Line) -> Result<Self, Invalid> {
        let sheet = Sheet { columns: columns(header)?, ..Sheet::default() };
        let taken = Taken { sheet, ..Taken::default() };
        let (at_address, tags, doubtful) = (HashMap::new(), HashMap::new(), Vec::new());
        Ok(Self { taken, header: header.number, count: 0, at_address, tags, doubtful })
    }

    fn push(&mut self, line: Result<Line, Wrong>) -> Result<(), Invalid> {
        let row = match line {
            Ok(line) if line.cells.iter().all(Cell::is_empty) => return Ok(()),
            Ok(line) if self.taken.sheet.rows.len() == ROWS_MAX => {
                return Err(Invalid { line: line.number, column: None, why: "a sheet has at most 1,000,000 rows".into() });
            }
            Ok(line) => self.row(&line).map(|cells| (line, cells)),
            Err(Wrong::Table(invalid)) => return Err(invalid),
            Err(Wrong::Row(invalid)) => Err(invalid),
        };
        self.count += 1;
        match row {
            Ok((line, cells)) => self.keep(&line, cells),
            Err(invalid) => {
                self.taken.sheet.left_out.push(self.count);
                self.taken.left_out.push(invalid);
            }
        }
        if self.taken.left_out.len() <= LEFT_OUT_ROWS_MAX {
            return Ok(());
        }
        let first = self.taken.left_out.swap_remove(0);
        Err(Invalid { why: format!("{}; and more than {LEFT_OUT_ROWS_MAX} rows are wrong", first.why), ..first })
    }

    /// The cells of a row as they are kept.
    fn row(&mut self, line: &Line) -> Result<Vec<String>, Invalid> {
        let columns = &self.taken.sheet.columns;
        let name = |at: usize| columns.get(at).filter(|name| !name.is_empty()).cloned().or_else(|| Some((at + 1).to_string()));
        if line.cells.len() != columns.len() {
            let why = format!("{} cells, where the header has {}", line.cells.len(), columns.len());
            return Err(Invalid { line: line.number, column: name(line.cells.len().min(columns.len())), why });
        }
        let wrong = |at: usize, why: String| Invalid { line: line.number, column: name(at), why };
        let cells = columns.iter().zip(&line.cells).enumerate();
        let cells: Vec<String> =
            cells.map(|(at, (column, given))| cell(column, given).map_err(|why| wrong(at, why))).collect::<Result<_, _>>()?;
        let of = |column: &str| columns.iter().position(|name| name == column);
        let text = |at: Option<usize>| at.and_then(|at| cells.get(at)).cloned().unwrap_or_default();
        if let (Some(at), tag) = (of("tag"), text(of("tag")))
            && !tag.is_empty()
        {
            let first = *self.tags.entry([tag, text(of("slot")), text(of("unit"))]).or_insert(line.number);
            if first != line.number {
                return Err(wrong(at, format!("line {first} has the same tag; which of them it is about cannot be told")));
            }
        }
        if let Some((at, ip)) = of("ip").map(|at| (at, text(Some(at)))).filter(|(_, ip)| !ip.is_empty()) {
            let count = self.at_address.entry(ip).or_default();
            *count += 1;
            if *count > ADDRESS_ROWS_MAX {
                return Err(wrong(at, format!("more than {ADDRESS_ROWS_MAX} rows have this address")));
            }
        }
        Ok(cells)
    }

    /// Keeps a row that is right; what a spreadsheet changed in it stands in a column of its own.
    fn keep(&mut self, line: &Line, mut cells: Vec<String>) {
        let row = self.taken.sheet.rows.len();
        for (at, column) in self.taken.sheet.columns.iter().enumerate() {
            let field = Column::named(column).and_then(|column| column.field);
            let Some(why) = field.zip(line.cells.get(at)).and_then(|(field, cell)| doubt(field, cell)) else { continue };
            self.taken.doubts.push(Invalid { line: line.number, column: Some(column.clone()), why });
            self.doubtful.push((row, at, std::mem::take(&mut cells[at])));
        }
        self.taken.sheet.rows.push(cells);
    }

    fn done(mut self) -> Taken {
        let sheet = &mut self.taken.sheet;
        for (row, at, text) in self.doubtful {
            let name = format!("{}{DOUBTFUL}", sheet.columns[at]);
            let column = sheet.columns.iter().position(|column| *column == name).unwrap_or_else(|| {
                sheet.columns.push(name);
                sheet.rows.iter_mut().for_each(|row| row.push(String::new()));
                sheet.columns.len() - 1
            });
            sheet.rows[row][column] = text;
        }
        for at in (0..sheet.columns.len()).rev().filter(|at| sheet.columns[*at].is_empty()).collect::<Vec<_>>() {
            let name = format!("column {}", at + 1);
            if sheet.rows.iter().any(|row| !row[at].is_empty()) && !sheet.columns.contains(&name) {
                self.taken.notes.push(format!("line {}, column {}: it has cells and no name; it is kept as {name:?}", self.header, at + 1));
                sheet.columns[at] = name;
                continue;
            }
            sheet.columns.remove(at);
            sheet.rows.iter_mut().for_each(|row| drop(row.remove(at)));
        }
        self.taken
    }
}

/// The header's names: ours where we know the column.
fn columns(header: &Line) -> Result<Vec<String>, Invalid> {
    let invalid = |at: usize, why: String| Invalid { line: header.number, column: Some((at + 1).to_string()), why };
    if header.cells.len() > COLUMNS_MAX {
        return Err(invalid(COLUMNS_MAX, "a sheet has at most 256 columns".into()));
    }
    let mut columns: Vec<String> = Vec::new();
    for (at, cell) in header.cells.iter().enumerate() {
        let given = one_line(&cell.text());
        let name = Column::called(&given).map_or_else(|| given.clone(), |column| column.name.to_owned());
        if let Some(first) = columns.iter().position(|column| !name.is_empty() && *column == name) {
            let (first, second) = (text::printable(header.cells[first].text().trim()), text::printable(&given));
            return Err(invalid(
                at,
                format!("{first:?} and {second:?} are both the column {:?}; rename one of them", text::printable(&name)),
            ));
        }
        columns.push(name);
    }
    Ok(columns)
}

/// One cell as it is kept: trimmed and on one line; for a nameplate field and an address also checked.
fn cell(column: &str, given: &Cell) -> Result<String, String> {
    let known = Column::named(column);
    if let (Some(_), Cell::Void(why)) = (known, given) {
        return Err(why.clone());
    }
    let line = one_line(&given.text());
    let text = without_apostrophe(&line);
    if text.is_empty() {
        return Ok(String::new());
    }
    let shown = text::printable(text);
    let number = |most: u64| match text.parse::<u64>() {
        Ok(number) if number <= most => Ok(number.to_string()),
        _ => Err(format!("{shown:?} is no number from 0 to {most}")),
    };
    match column {
        "ip" => text.parse::<IpAddr>().map(|ip| ip.to_string()).map_err(|_| format!("{shown:?} is no IP address")),
        "port" => number(u64::from(u16::MAX)),
        "unit" => number(u64::from(u8::MAX)),
        "mac" => mac(text).ok_or_else(|| format!("{shown:?} is no hardware address: 00:80:f4:00:00:01")),
        _ if known.is_some_and(|known| known.field.is_some()) => {
            text::decode(text.as_bytes()).map_err(|unreadable| format!("an invisible character stands in {:?}", unreadable.shown))
        }
        _ => Ok(text.to_owned()),
    }
}

/// A cell without the apostrophe that keeps it from being run as a formula: one of them, so that a text that had one of its own keeps it.
pub(crate) fn without_apostrophe(cell: &str) -> &str {
    cell.strip_prefix('\'').filter(|rest| rest.trim_start_matches('\'').starts_with(FORMULA)).unwrap_or(cell)
}

/// Trimmed; line ends and tabs inside become one blank each, so that a row stays a row.
pub(crate) fn one_line(text: &str) -> String {
    text.trim().chars().map(|c| if matches!(c, '\n' | '\r' | '\t') { ' ' } else { c }).collect()
}

/// Twelve hexadecimal digits, with colons, dashes or dots between or none, as we write them.
fn mac(text: &str) -> Option<String> {
    let digits: Vec<char> = text.chars().filter(|c| !matches!(c, ':' | '-' | '.')).map(|c| c.to_ascii_lowercase()).collect();
    let all = digits.len() == 12 && digits.iter().all(char::is_ascii_hexdigit);
    all.then(|| digits.chunks(2).map(|pair| pair.iter().collect::<String>()).collect::<Vec<_>>().join(":"))
}
