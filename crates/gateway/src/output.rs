//! Results in a file, in the form that its name ends with.

use std::borrow::Borrow;
use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};

use clap::Args;

use crate::cli::Format;
use crate::failure::{Code, Failure};
use crate::sheet::book::{Table, workbook};
use crate::sheet::page::{Bar, page};
use crate::sheet::plot::Plot;

/// Where results go, where not to standard output.
#[derive(Debug, Default, Args)]
pub struct Output {
    /// Write to this file instead; its ending is the form: .xlsx, .html, .csv or .ndjson
    #[arg(long, value_name = "FILE")]
    output: Option<PathBuf>,
}

/// What can be written.
#[derive(Default)]
pub struct Results {
    /// Title of a page.
    pub title: String,
    /// What is to be said above it.
    pub sentences: Vec<String>,
    /// Counts, drawn as bars.
    pub bars: Vec<Bar>,
    /// Counts over time, drawn as lines.
    pub plots: Vec<Plot>,
    /// The tables.
    pub tables: Vec<Table>,
}

impl Output {
    /// The form that the file's name asks for, where there is a file: one of [`Form`].
    ///
    /// # Errors
    /// Usage, where the ending is none that we write.
    pub fn form(&self) -> Result<Option<(&Path, Form)>, Failure> {
        let Some(path) = self.output.as_deref() else { return Ok(None) };
        let ending = path.extension().and_then(|ending| ending.to_str()).unwrap_or_default().to_lowercase();
        let form = match ending.as_str() {
            "xlsx" => Form::Workbook,
            "html" | "htm" => Form::Page,
            "csv" => Form::Text(Format::Csv),
            "ndjson" | "jsonl" => Form::Text(Format::Ndjson),
            _ => {
                let why = format!("--output {}: its ending names no form; there are .xlsx, .html, .csv and .ndjson", path.display());
                return Err(Failure::new(Code::Usage, why));
            }
        };
        Ok(Some((path, form)))
    }

    /// Writes to the file, where one is named, else to standard output.
    ///
    /// # Errors
    /// Usage, or that it cannot be written.
    pub fn put<R: Borrow<Results>>(
        &self,
        format: Format,
        text: impl FnOnce(Format) -> String,
        results: impl FnOnce() -> R,
    ) -> Result<(), Failure> {
        let Some((path, form)) = self.form()? else { return crate::print::out(&text(format)) };
        let bytes = match form {
            Form::Text(format) => text(format).into_bytes(),
            Form::Workbook => results().borrow().workbook().map_err(|why| Failure::input(path.display(), why))?,
            Form::Page => results().borrow().page().into_bytes(),
        };
        write(path, &bytes).map_err(|e| Failure::input(path.display(), e))?;
        eprintln!("written to {}", path.display());
        Ok(())
    }
}

impl Results {
    /// As a page of one file.
    pub fn page(&self) -> String {
        page(&self.title, &self.sentences, &self.bars, &self.plots, &self.tables)
    }

    /// As a workbook.
    ///
    /// # Errors
    /// A sentence: a spreadsheet has not so many rows.
    pub fn workbook(&self) -> Result<Vec<u8>, String> {
        workbook(&self.tables)
    }
}

/// Forms of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// As on standard output.
    Text(Format),
    /// XLSX.
    Workbook,
    /// HTML.
    Page,
}

/// The whole file or none: nobody opens half a report.
fn write(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(".part");
    let part = path.with_file_name(name);
    let written = File::create(&part).and_then(|mut file| file.write_all(bytes).and_then(|()| file.sync_all()));
    written.and_then(|()| fs::rename(&part, path)).inspect_err(|_| drop(fs::remove_file(&part)))
}
