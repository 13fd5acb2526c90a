//! From a file's bytes to rows: all of them, or where the first one is wrong.

use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Map, Value};

use super::{COLUMNS, Form, Placed, Row};
use crate::sheet::cells::{Record, Records};
use crate::sheet::{Invalid, without_apostrophe};
use crate::text::printable;

/// A file that is larger is no list of decisions.
pub const FILE_BYTES_MAX: usize = 16 << 20;
/// Each row becomes an entry of the ledger, and is held against the others of its product.
const ROWS_MAX: usize = 5_000;
/// Columns that hold several texts, with a semicolon between.
const LISTS: [&str; 3] = ["assets", "together", "affected"];
/// The column that holds yes or no.
const PREFERRED: &str = "preferred";

/// Reads a file of decisions, UTF-8.
///
/// # Errors
/// [`Invalid`] for the first thing that is wrong, with its line and column; nothing of the file counts then.
pub fn read(form: Form, bytes: &[u8]) -> Result<Vec<Placed<Row>>, Invalid> {
    let whole = |why: &str| Invalid { line: 1, column: None, why: why.to_owned() };
    if bytes.len() > FILE_BYTES_MAX {
        return Err(whole("the file is larger than 16 MiB"));
    }
    let text = std::str::from_utf8(bytes).map_err(|e| {
        let before = bytes.get(..e.valid_up_to()).unwrap_or_default();
        let line = before.iter().filter(|byte| **byte == b'\n').count().saturating_add(1);
        Invalid { line, column: None, why: "this is no UTF-8".to_owned() }
    })?;
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let rows = match form {
        Form::Csv => csv(text),
        Form::Toml => toml(text),
        Form::Json => json(text),
        Form::Ndjson => ndjson(text),
    }?;
    match rows.get(ROWS_MAX) {
        Some(row) => Err(row.wrong(None, "a file has at most 5,000 decisions")),
        None if rows.is_empty() => Err(whole("the file holds no decision")),
        None => Ok(rows),
    }
}

fn csv(text: &str) -> Result<Vec<Placed<Row>>, Invalid> {
    let mut records = Records::new(text);
    let empty = || Invalid { line: 1, column: None, why: "the file is empty".to_owned() };
    let header = records.next().ok_or_else(empty)??;
    let columns = columns(&header)?;
    let mut rows = Vec::new();
    while let Some(record) = records.next() {
        let Record { line, cells } = record?;
        if cells.iter().all(|cell| cell.trim().is_empty()) {
            continue;
        }
        if cells.len() != columns.len() {
            let why = format!("{} cells, where the header has {}", cells.len(), columns.len());
            let column = columns.get(cells.len()).map_or_else(|| (columns.len() + 1).to_string(), |name| (*name).to_owned());
            return Err(Invalid { line, column: Some(column), why });
        }
        let mut row = Map::new();
        for (column, cell) in columns.iter().zip(&cells) {
            let value = value(column, without_apostrophe(cell.trim()));
            let wrong = |why| Invalid { line, column: Some((*column).to_owned()), why };
            row.insert((*column).to_owned(), value.map_err(wrong)?);
        }
        let what = serde_json::from_value(Value::Object(row)).map_err(|e| Invalid { line, column: None, why: e.to_string() })?;
        rows.push(Placed { line, what });
        if rows.len() > ROWS_MAX {
            break;
        }
    }
    Ok(rows)
}

/// The header's names; one that we do not know is refused, because what it says would be lost.
fn columns(header: &Record) -> Result<Vec<&'static str>, Invalid> {
    let mut columns: Vec<&'static str> = Vec::new();
    for (at, cell) in header.cells.iter().enumerate() {
        let wrong = |why| Invalid { line: header.line, column: Some((at + 1).to_string()), why };
        let name = cell.trim().to_lowercase().replace([' ', '-'], "_");
        let known = COLUMNS.into_iter().find(|column| *column == name);
        let column = known
            .ok_or_else(|| wrong(format!("{:?} is no column of a baseline; there are {}", printable(cell.trim()), COLUMNS.join(", "))))?;
        if columns.contains(&column) {
            return Err(wrong(format!("the column {column} is there twice")));
        }
        columns.push(column);
    }
    Ok(columns)
}

fn value(column: &str, cell: &str) -> Result<Value, String> {
    if LISTS.contains(&column) {
        let parts = cell.split(';').map(str::trim).filter(|part| !part.is_empty());
        return Ok(parts.map(|part| Value::String(part.to_owned())).collect());
    }
    if column == PREFERRED {
        return match cell.to_lowercase().as_str() {
            "" | "no" | "false" => Ok(Value::Bool(false)),
            "yes" | "true" => Ok(Value::Bool(true)),
            _ => Err(format!("{:?} is neither yes nor no", printable(cell))),
        };
    }
    Ok(Value::String(cell.to_owned()))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct TomlFile {
    #[serde(default)]
    decision: Vec<toml::Spanned<Row>>,
}

fn toml(text: &str) -> Result<Vec<Placed<Row>>, Invalid> {
    let file: TomlFile = toml::from_str(text).map_err(|e| {
        let (line, column) = place(text, e.span().map_or(0, |span| span.start));
        Invalid { line, column: Some(column.to_string()), why: e.message().to_owned() }
    })?;
    Ok(file.decision.into_iter().map(|row| Placed { line: place(text, row.span().start).0, what: row.into_inner() }).collect())
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct JsonFile<'a> {
    #[serde(borrow)]
    decision: Vec<&'a RawValue>,
}

fn json(text: &str) -> Result<Vec<Placed<Row>>, Invalid> {
    let file: JsonFile<'_> = serde_json::from_str(text).map_err(|e| refused(&e, 0, 0))?;
    let row = |raw: &&RawValue| {
        // The row is a piece of the text: how far in it stands says its line.
        let at = (raw.get().as_ptr() as usize).saturating_sub(text.as_ptr() as usize);
        let (line, column) = place(text, at);
        let what = serde_json::from_str(raw.get()).map_err(|e| refused(&e, line - 1, column - 1))?;
        Ok(Placed { line, what })
    };
    file.decision.iter().map(row).collect()
}

fn ndjson(text: &str) -> Result<Vec<Placed<Row>>, Invalid> {
    let lines = (1..).zip(text.lines()).filter(|(_, line)| !line.trim().is_empty());
    lines.map(|(line, row)| Ok(Placed { line, what: serde_json::from_str(row).map_err(|e| refused(&e, line - 1, 0))? })).collect()
}

/// What serde says, at its place in the whole file: so many lines before it, and columns where it is in the first.
fn refused(error: &serde_json::Error, lines: usize, columns: usize) -> Invalid {
    let said = error.to_string();
    let why = said.split(" at line ").next().unwrap_or(&said).to_owned();
    let column = if error.line() <= 1 { error.column().saturating_add(columns) } else { error.column() };
    Invalid { line: lines.saturating_add(error.line().max(1)), column: Some(column.to_string()), why }
}

/// Line and column, from 1, of a byte of the text.
fn place(text: &str, at: usize) -> (usize, usize) {
    let before = text.get(..at).unwrap_or_default();
    let line = before.matches('\n').count() + 1;
    let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
    (line, column)
}
