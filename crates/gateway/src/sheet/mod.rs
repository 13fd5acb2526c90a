//! Spreadsheets: files to rows and back. What the rows say is core's; here is what their files are.

pub mod book;
pub mod page;
pub mod plot;
mod xlsx;

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use clap::Args;
use nameplate_core::observation::hex;
use nameplate_core::sheet::{self, FILE_BYTES_MAX, Invalid, Sheet, Taken};
use nameplate_core::text::printable;
use sha2::{Digest, Sha256};

use crate::failure::{Code, Failure};
use crate::print;

/// Rows that are told on standard error; the count of all stands behind them.
const TOLD_ROWS_MAX: usize = 20;
/// How a zip file begins, and a file of the spreadsheets before 2007 (and one that is encrypted): MS-CFB 2.2.
const ZIP: &[u8] = b"PK\x03\x04";
const COMPOUND: &[u8] = b"\xd0\xcf\x11\xe0";

/// A sheet that was named.
#[derive(Debug, Args)]
pub struct Given {
    /// The sheet: XLSX, or CSV with a header
    #[arg(value_name = "SHEET")]
    pub sheet: PathBuf,
    /// The worksheet, where several of a workbook have columns of devices
    #[arg(long, value_name = "NAME")]
    worksheet: Option<String>,
}

impl Given {
    /// The sheet and its file's SHA-256; what is to be said of its rows is told on standard error.
    ///
    /// # Errors
    /// As [`read`].
    pub fn read(&self) -> Result<(Sheet, String), Failure> {
        Ok(read(&self.sheet, self.worksheet.as_deref())?.told(&self.sheet))
    }
}

/// A file, read.
pub struct SheetFile {
    /// What it said.
    pub taken: Taken,
    /// SHA-256 of the file, lower case hexadecimal.
    pub sha256: String,
    /// `line` or `row`: where its errors stand.
    place: &'static str,
}

/// Reads a sheet: CSV, or a worksheet of an XLSX file.
///
/// # Errors
/// That it cannot be read, or where it is no sheet.
pub fn read(path: &Path, worksheet: Option<&str>) -> Result<SheetFile, Failure> {
    read_as(&path.display().to_string(), path, worksheet)
}

/// As [`read`], of a file that has another name for people than on disk.
///
/// # Errors
/// As [`read`].
pub fn read_as(name: &str, path: &Path, worksheet: Option<&str>) -> Result<SheetFile, Failure> {
    let cannot = |e: std::io::Error| Failure::input(name, e);
    let nothing = |why: String| Failure::input(name, format!("{why}; nothing of the sheet was used"));
    let mut bytes = Vec::new();
    // One byte more than is allowed says that there is more.
    File::open(path).map_err(cannot)?.take(FILE_BYTES_MAX as u64 + 1).read_to_end(&mut bytes).map_err(cannot)?;
    let sha256 = hex(&Sha256::digest(&bytes));
    if bytes.starts_with(COMPOUND) {
        return Err(nothing("this is a workbook of Excel before 2007, or one with a password; save it as XLSX without one".into()));
    }
    if bytes.starts_with(ZIP) {
        let taken = xlsx::read(&bytes, worksheet).map_err(nothing)?;
        return Ok(SheetFile { taken, sha256, place: "row" });
    }
    if worksheet.is_some() {
        return Err(Failure::new(Code::Usage, format!("--worksheet {}: only XLSX has worksheets", printable(name))));
    }
    let taken = sheet::read(&bytes).map_err(|invalid| nothing(invalid.to_string()))?;
    Ok(SheetFile { taken, sha256, place: "line" })
}

impl SheetFile {
    /// Tells on standard error how it was read, which cells are in doubt and which rows were left out; gives the sheet.
    pub fn told(self, path: &Path) -> (Sheet, String) {
        let Self { taken: Taken { sheet, left_out, doubts, notes }, sha256, place } = self;
        let file = path.display();
        notes.iter().for_each(|note| eprintln!("{file}: {}", printable(note)));
        tell(&format!("{file}"), place, &doubts, "in doubt, kept beside the others and never taken for a version");
        tell(&format!("{file}"), place, &left_out, "left out; the others were taken");
        (sheet, sha256)
    }
}

fn tell(file: &str, place: &str, all: &[Invalid], what: &str) {
    for Invalid { line, column, why } in all.iter().take(TOLD_ROWS_MAX) {
        let column = column.as_ref().map(|column| format!(", column {}", printable(column))).unwrap_or_default();
        eprintln!("{file}: {place} {line}{column}: {}", printable(why));
    }
    if !all.is_empty() {
        let unit = if what.starts_with("in doubt") { "cell" } else { "row" };
        eprintln!("{file}: {} {what}", print::count(all.len() as u64, unit));
    }
}
