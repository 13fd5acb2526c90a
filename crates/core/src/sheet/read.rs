//! From a file's bytes to a sheet: all of it, or an error that names line and column.

use std::borrow::Cow;
use std::collections::HashMap;
use std::net::IpAddr;

use super::cells::{Record, Records};
use super::{Column, Invalid, Sheet};
use crate::text;

/// A file that is larger is no list that a person made.
pub const FILE_BYTES_MAX: usize = 64 << 20;
/// What the common spreadsheet programs hold: 1,048,576 rows.
const ROWS_MAX: usize = 1_000_000;
/// Rows with one address: 247 units behind each of a few ports. Each is compared with the others, so there is an end to it.
const ADDRESS_ROWS_MAX: usize = 1_024;
/// A cell that begins so is run by spreadsheets; our own CSV puts an apostrophe before it, which is taken away again here.
pub(crate) const FORMULA: [char; 10] = ['=', '+', '-', '@', '\t', '\r', '＝', '＋', '－', '＠'];

/// Reads a sheet: UTF-8 (with or without byte order mark), else ISO 8859-1.
///
/// # Errors
/// [`Invalid`] for the first thing that is wrong; nothing of the file counts then.
pub fn read(bytes: &[u8]) -> Result<Sheet, Invalid> {
    let whole = |why: &str| Invalid { line: 1, column: None, why: why.to_owned() };
    if bytes.len() > FILE_BYTES_MAX {
        return Err(whole("the file is larger than 64 MiB"));
    }
    let text = decoded(bytes);
    let mut records = Records::new(&text);
    let header = records.next().ok_or_else(|| whole("the file is empty"))??;
    let mut sheet = Sheet { columns: columns(&header)?, rows: Vec::new() };
    let ip_column = sheet.columns.iter().position(|column| column == "ip");
    let mut at_address: HashMap<String, usize> = HashMap::new();
    while let Some(record) = records.next() {
        let Record { line, cells } = record?;
        if cells.iter().all(|cell| cell.trim().is_empty()) {
            continue;
        }
        if sheet.rows.len() == ROWS_MAX {
            return Err(Invalid { line, column: None, why: "a sheet has at most 1,000,000 rows".into() });
        }
        if cells.len() != sheet.columns.len() {
            let why = format!("{} cells, where the header has {}", cells.len(), sheet.columns.len());
            let column = sheet.columns.get(cells.len()).cloned().or_else(|| Some((sheet.columns.len() + 1).to_string()));
            return Err(Invalid { line, column, why });
        }
        let cells = sheet.columns.iter().zip(cells).map(|(column, text)| {
            cell(column, &text).map_err(|why| Invalid { line, column: Some(column.clone()).filter(|name| !name.is_empty()), why })
        });
        let cells: Vec<String> = cells.collect::<Result<_, _>>()?;
        if let Some(ip) = ip_column.and_then(|at| cells.get(at)).filter(|ip| !ip.is_empty()) {
            let count = at_address.entry(ip.clone()).or_default();
            *count += 1;
            if *count > ADDRESS_ROWS_MAX {
                return Err(Invalid {
                    line,
                    column: Some("ip".into()),
                    why: format!("more than {ADDRESS_ROWS_MAX} rows have this address"),
                });
            }
        }
        sheet.rows.push(cells);
    }
    unnamed_columns_go(&mut sheet, header.line)?;
    Ok(sheet)
}

/// The text of a file: UTF-8 without its byte order mark, else ISO 8859-1.
pub(crate) fn decoded(bytes: &[u8]) -> Cow<'_, str> {
    std::str::from_utf8(bytes).map_or_else(
        |_| bytes.iter().copied().map(char::from).collect::<String>().into(),
        |text| text.strip_prefix('\u{feff}').unwrap_or(text).into(),
    )
}

/// The header's names: ours where we know the column.
fn columns(header: &Record) -> Result<Vec<String>, Invalid> {
    let invalid = |at: usize, why: String| Invalid { line: header.line, column: Some((at + 1).to_string()), why };
    let mut columns: Vec<String> = Vec::new();
    for (at, cell) in header.cells.iter().enumerate() {
        let given = one_line(cell);
        let name = Column::called(&given).map_or_else(|| given.clone(), |column| column.name.to_owned());
        if let Some(first) = columns.iter().position(|column| !name.is_empty() && *column == name) {
            let (first, second) = (text::printable(header.cells[first].trim()), text::printable(&given));
            return Err(invalid(
                at,
                format!("{first:?} and {second:?} are both the column {:?}; rename one of them", text::printable(&name)),
            ));
        }
        columns.push(name);
    }
    let known = columns.iter().any(|name| Column::named(name).is_some());
    if known {
        Ok(columns)
    } else {
        Err(invalid(0, "no column is known; the first line names them: ip, manufacturer, model, firmware_revision, …".into()))
    }
}

/// Columns without a name are what spreadsheets leave behind; with something in them they are a mistake.
fn unnamed_columns_go(sheet: &mut Sheet, line: usize) -> Result<(), Invalid> {
    let unnamed: Vec<usize> = (0..sheet.columns.len()).filter(|at| sheet.columns[*at].is_empty()).collect();
    for at in unnamed.into_iter().rev() {
        if sheet.rows.iter().any(|row| !row[at].is_empty()) {
            return Err(Invalid { line, column: Some((at + 1).to_string()), why: "this column has cells and no name".into() });
        }
        sheet.columns.remove(at);
        sheet.rows.iter_mut().for_each(|row| drop(row.remove(at)));
    }
    Ok(())
}

/// One cell as it is kept: trimmed and on one line; for a nameplate field and an address also checked.
fn cell(column: &str, given: &str) -> Result<String, String> {
    let line = one_line(given);
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
        column if Column::named(column).is_some_and(|known| known.field.is_some()) => {
            text::decode(text.as_bytes()).map_err(|unreadable| format!("an invisible character stands in {:?}", unreadable.shown))
        }
        _ => Ok(text.to_owned()),
    }
}

/// A cell without the apostrophe that keeps it from being run as a formula.
pub(crate) fn without_apostrophe(cell: &str) -> &str {
    cell.strip_prefix('\'').filter(|rest| rest.starts_with(FORMULA)).unwrap_or(cell)
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
