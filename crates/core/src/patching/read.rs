//! Lists of patch servers: CSV with a header, JSON, or lines of JSON. The columns are known by the names that WSUS, Configuration Manager, Katello and their
//! tools give them; what they say is the same: a host, a patch, a state. A row that is wrong is left out with its reason, and the others are taken.
//!
//! Sources: Microsoft.UpdateServices.Administration (`IUpdateInstallationInfo`, `UpdateInstallationStates`), Configuration Manager's SQL views
//! (`v_UpdateComplianceStatus`, `v_UpdateInfo`, `v_R_System`) and its compliance reports, Katello's API (`/katello/api/hosts/:host_id/errata`) and hammer.

use std::time::UNIX_EPOCH;

use serde_json::{Map, Value};

use super::words::{Column, state};
use super::{State, Statement};
use crate::claim::Field;
use crate::sheet::{Invalid, Record, Records, decoded, without_apostrophe};
use crate::text::{Unreadable, decode, printable};

/// A file that is larger is a database and no list.
pub const FILE_BYTES_MAX: usize = 64 << 20;
/// Every row stays in the ledger: a list of 5,000 hosts with 60 patches each fits.
const ROWS_MAX: usize = 300_000;
/// A row with more is left out: the longest host names have 253.
const CELL_CHARS_MAX: usize = 300;
/// Nobody mends more rows than this by hand: of what is behind them the count is told.
const LEFT_OUT_ROWS_MAX: usize = 10_000;
/// Cells that tell which host it is.
const HOST_CELLS: usize = 6;

/// How a file is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// Text with comma, semicolon or tab between the cells.
    Csv,
    /// One document: an array of objects, or an object that has it in `results` (Katello) or `value` (OData).
    Json,
    /// An object a line.
    Ndjson,
}

impl Form {
    /// By the ending of a file's name.
    #[must_use]
    pub fn of(name: &str) -> Option<Self> {
        let ending = name.rsplit_once('.')?.1.to_lowercase();
        [("csv", Self::Csv), ("txt", Self::Csv), ("json", Self::Json), ("ndjson", Self::Ndjson), ("jsonl", Self::Ndjson)]
            .into_iter()
            .find_map(|(known, form)| (known == ending).then_some(form))
    }
}

/// A row of a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// Its line, or its place among the objects, from 1.
    pub line: usize,
    /// Id, name, IP address, hardware address, manufacturer and serial number; empty where the list does not say.
    pub host: [String; HOST_CELLS],
    /// As in [`Statement`].
    pub patch: String,
    /// As in [`Statement`].
    pub title: String,
    /// As in [`Statement`].
    pub field: Option<Field>,
    /// As in [`Statement`].
    pub release: Option<String>,
    /// As in [`Statement`].
    pub state: State,
    /// As in [`Statement`].
    pub said_ns: Option<u64>,
}

impl Row {
    /// What it says of that asset.
    pub(super) fn of(self, asset: String) -> Statement {
        let Self { line, patch, title, field, release, state, said_ns, host: _ } = self;
        Statement { asset, field, patch, release, row: line as u64, said_ns, state, title }
    }
}

/// A list with what is to be said of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Read {
    /// Every row that could be read.
    pub rows: Vec<Row>,
    /// Why rows were left out, in their order; the first 10,000.
    pub left_out: Vec<Invalid>,
    /// How many were.
    pub left_out_rows: usize,
}

/// Reads a list. `host` is whom rows are about that name nobody.
///
/// # Errors
/// [`Invalid`] where it is no such list as a whole; nothing of the file counts then.
pub fn read(form: Form, bytes: &[u8], host: Option<&str>) -> Result<Read, Invalid> {
    if bytes.len() > FILE_BYTES_MAX {
        return Err(whole("the file is larger than 64 MiB"));
    }
    let text = decoded(bytes);
    let mut taken = Taker { host, read: Read::default() };
    match form {
        Form::Csv => csv(&text, &mut taken)?,
        Form::Json => json(&text, &mut taken)?,
        Form::Ndjson => ndjson(&text, &mut taken)?,
    }
    let Read { rows, left_out_rows, .. } = &taken.read;
    if rows.is_empty() && *left_out_rows == 0 {
        return Err(whole("there is no row in it"));
    }
    Ok(taken.read)
}

fn whole(why: &str) -> Invalid {
    Invalid { line: 1, column: None, why: why.to_owned() }
}

/// Takes rows.
struct Taker<'a> {
    host: Option<&'a str>,
    read: Read,
}

/// A cell, or all of a row, and what is wrong with it.
type Wrong = (Option<String>, String);

impl Taker<'_> {
    fn take(&mut self, line: usize, cells: impl Iterator<Item = (Column, String, String)>) -> Result<(), Invalid> {
        if self.read.rows.len() >= ROWS_MAX {
            return Err(Invalid { line, column: None, why: "a list has at most 300,000 rows; take it in in parts".to_owned() });
        }
        match row(line, cells, self.host) {
            Ok(row) => self.read.rows.push(row),
            Err((column, why)) => self.leave_out(Invalid { line, column, why }),
        }
        Ok(())
    }

    fn leave_out(&mut self, invalid: Invalid) {
        self.read.left_out_rows += 1;
        if self.read.left_out.len() < LEFT_OUT_ROWS_MAX {
            self.read.left_out.push(invalid);
        }
    }
}

/// One row of cells: what a column says, what the file calls it, and the cell.
fn row(line: usize, cells: impl Iterator<Item = (Column, String, String)>, host: Option<&str>) -> Result<Row, Wrong> {
    let mut row = Row {
        line,
        host: Default::default(),
        patch: String::new(),
        title: String::new(),
        field: None,
        release: None,
        state: State::Unknown,
        said_ns: None,
    };
    let (mut said_state, mut is_applicable) = (false, false);
    for (column, called, cell) in cells {
        let cell = cell.trim();
        if cell.is_empty() {
            continue;
        }
        let wrong = |why: String| (Some(called.clone()), why);
        if cell.chars().count() > CELL_CHARS_MAX && column != Column::Title {
            return Err(wrong(format!("more than {CELL_CHARS_MAX} characters")));
        }
        if let Err(Unreadable { shown }) = decode(cell.as_bytes()) {
            return Err(wrong(format!("{shown:?}: invisible characters")));
        }
        if let Some(at) = column.of_host() {
            cell.clone_into(&mut row.host[at]);
            continue;
        }
        match column {
            Column::Patch => row.patch = article(cell),
            Column::Title => row.title = cell.chars().take(CELL_CHARS_MAX).collect(),
            Column::Field => {
                let known = Field::named(cell).filter(|field| field.is_revision() && !matches!(field, Field::SerialNumber | Field::Patch));
                row.field =
                    Some(known.ok_or_else(|| {
                        wrong(format!("{:?} is no revision: firmware_revision, software_revision, ...", printable(cell)))
                    })?);
            }
            Column::Release => row.release = Some(cell.to_owned()),
            Column::State => (row.state, said_state) = (state(cell).map_err(wrong)?, true),
            Column::Said => row.said_ns = Some(moment(cell).map_err(wrong)?),
            _ => is_applicable = true,
        }
    }
    if row.host.iter().all(String::is_empty) {
        host.ok_or_else(|| (None, "it names no host: no name, id, address or serial number".to_owned()))?.clone_into(&mut row.host[1]);
    }
    if row.host[2].parse::<std::net::IpAddr>().is_err() && !row.host[2].is_empty() {
        // WSUS and Configuration Manager list several in one cell: none of them is the host's for certain.
        if !row.host[2].contains([',', ';', ' ']) {
            return Err((Some("ip".to_owned()), format!("{:?} is no IP address", printable(&row.host[2]))));
        }
        row.host[2].clear();
    }
    if row.patch.is_empty() {
        return Err((None, "it names no patch".to_owned()));
    }
    match (said_state, is_applicable) {
        // Katello lists what a host lacks.
        (false, true) => row.state = State::Missing,
        (false, false) => return Err((None, "it says no state".to_owned())),
        (true, _) => {}
    }
    if row.release.is_some() && row.field.is_none() {
        row.field = Some(Field::FirmwareRevision);
    }
    if row.field.is_some() && row.release.is_none() {
        return Err((Some("field".to_owned()), "it names a field and no release".to_owned()));
    }
    Ok(row)
}

/// Microsoft's articles are numbers in some lists and `KB` with the number in others.
fn article(cell: &str) -> String {
    if cell.bytes().all(|byte| byte.is_ascii_digit()) { format!("KB{cell}") } else { cell.to_owned() }
}

/// A day or a time, as nanoseconds since 1970.
fn moment(cell: &str) -> Result<u64, String> {
    let day = cell.len() == "2026-03-02".len();
    let full = if day { format!("{cell}T00:00:00Z") } else { cell.replacen(' ', "T", 1) };
    let zoned = if full.ends_with('Z') { full } else { format!("{}Z", full.trim_end_matches("+00:00").trim_end_matches("TUTC")) };
    let parsed = humantime::parse_rfc3339(&zoned).ok().and_then(|time| time.duration_since(UNIX_EPOCH).ok());
    let nanos = parsed.and_then(|since| u64::try_from(since.as_nanos()).ok());
    nanos.ok_or_else(|| format!("{:?} is no time that is read: write 2026-03-02 or 2026-03-02T10:15:30Z", printable(cell)))
}

fn csv(text: &str, taken: &mut Taker<'_>) -> Result<(), Invalid> {
    let mut records = Records::new(text);
    let header = records.next().ok_or_else(|| whole("the file is empty"))??;
    let columns: Vec<(Option<Column>, &str)> = header.cells.iter().map(|cell| (Column::called(cell), cell.trim())).collect();
    for (at, (column, name)) in columns.iter().enumerate() {
        // What a cell is about must not depend on which of two columns stands last.
        let again = column.filter(|column| columns.iter().take(at).any(|(earlier, _)| *earlier == Some(*column)));
        if again.is_some() {
            let why = format!("two columns say the same, and {:?} is the second", printable(name));
            return Err(Invalid { line: header.line, column: Some((at + 1).to_string()), why });
        }
    }
    if !columns.iter().any(|(column, _)| *column == Some(Column::Patch)) {
        return Err(Invalid {
            line: header.line,
            column: None,
            why: "no column names the patch: patch, KBArticle, ArticleID, errata_id, ...".to_owned(),
        });
    }
    while let Some(record) = records.next() {
        let Record { line, cells } = match record {
            Ok(record) => record,
            Err(invalid) => {
                taken.leave_out(invalid);
                if records.pass_line() { continue } else { return Ok(()) }
            }
        };
        if cells.iter().all(|cell| cell.trim().is_empty()) {
            continue;
        }
        if cells.len() != columns.len() {
            let why = format!("{} cells, where the header has {}", cells.len(), columns.len());
            taken.leave_out(Invalid { line, column: None, why });
            continue;
        }
        let known = columns
            .iter()
            .zip(cells)
            .filter_map(|((column, name), cell)| Some(((*column)?, (*name).to_owned(), without_apostrophe(&cell).to_owned())));
        taken.take(line, known)?;
    }
    Ok(())
}

fn json(text: &str, taken: &mut Taker<'_>) -> Result<(), Invalid> {
    let wrong = |e: serde_json::Error| Invalid { line: e.line(), column: Some(e.column().to_string()), why: "this is no JSON".to_owned() };
    let objects = match serde_json::from_str(text).map_err(wrong)? {
        Value::Array(objects) => objects,
        Value::Object(mut document) => match ["results", "value"].into_iter().find_map(|key| document.remove(key)) {
            Some(Value::Array(objects)) => objects,
            _ => return Err(whole("neither an array of objects nor an object with one in results")),
        },
        _ => return Err(whole("neither an array of objects nor an object with one in results")),
    };
    for (object, number) in objects.into_iter().zip(1..) {
        take_object(number, object, taken)?;
    }
    Ok(())
}

fn ndjson(text: &str, taken: &mut Taker<'_>) -> Result<(), Invalid> {
    for (line, number) in text.lines().zip(1..).filter(|(line, _)| !line.trim().is_empty()) {
        match serde_json::from_str(line) {
            Ok(object) => take_object(number, object, taken)?,
            Err(e) => taken.leave_out(Invalid { line: number, column: Some(e.column().to_string()), why: "this is no JSON".to_owned() }),
        }
    }
    Ok(())
}

fn take_object(number: usize, object: Value, taken: &mut Taker<'_>) -> Result<(), Invalid> {
    let Value::Object(object) = object else {
        taken.leave_out(Invalid { line: number, column: None, why: "this is no object".to_owned() });
        return Ok(());
    };
    let cells = cells(object);
    let mut seen = Vec::new();
    for (column, called, _) in &cells {
        if seen.contains(column) {
            let why = "another key says the same".to_owned();
            taken.leave_out(Invalid { line: number, column: Some(called.clone()), why });
            return Ok(());
        }
        seen.push(*column);
    }
    taken.take(number, cells.into_iter())
}

/// What an object says, as far as it is known. Katello's own numbers of hosts and errata (`id`) are no ids of ours.
fn cells(object: Map<String, Value>) -> Vec<(Column, String, String)> {
    let is_katello = object.contains_key("errata_id");
    let known = object.into_iter().filter_map(|(key, value)| {
        let column = Column::called(&key).filter(|column| !is_katello || !matches!(column, Column::Id | Column::Name))?;
        let text = match value {
            Value::String(text) => text,
            Value::Number(number) => number.to_string(),
            // `installable` itself says that the erratum is applicable.
            Value::Bool(_) if column == Column::Installable => "yes".to_owned(),
            _ => return None,
        };
        Some((column, key, text))
    });
    let mut known: Vec<_> = known.collect();
    if is_katello {
        // The summary says more than the title, and is longer than a title may be.
        known.retain(|(column, key, _)| *column != Column::Title || key == "title");
    }
    known
}
