//! `nameplate import`: lists that people made, into the catalog. They never overwrite a reading.

mod advisories;

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use nameplate_core::catalog::Asset;
use nameplate_core::ledger::Body;
use nameplate_core::observation::hex;
use nameplate_core::sheet::{self, FILE_BYTES_MAX, Sheet};
use serde::Serialize;
use sha2::{Digest, Sha256};

use crate::cli::{Format, Options};
use crate::failure::Failure;
use crate::store::{Draft, Store, now_ns};
use crate::{print, state};

/// Take in lists that people made.
#[derive(Debug, Args)]
pub struct Import {
    /// What kind of list
    #[command(subcommand)]
    kind: Kind,
}

#[derive(Debug, Subcommand)]
enum Kind {
    /// An inventory sheet: CSV with a header
    Devices(Devices),
    /// Advisories: CSAF 2.0, bulletins, and lists of what is exploited
    Advisories(advisories::Advisories),
    /// Decisions about releases: CSV, TOML or JSON
    Baseline(super::baseline::Import),
}

/// An inventory sheet: CSV with a header.
#[derive(Debug, Args)]
#[command(
    after_help = "Comma, semicolon or tab between the cells; UTF-8, else ISO 8859-1. Columns: id, tag, site, zone, location, manufacturer,\n\
                        model, product_code (Order No., MLFB, Cat. No.), hardware_revision, firmware_revision (Firmware, FW, Version),\n\
                        software_revision, serial_number (Serial), patches, mac, ip, port, unit, ... Others are kept and given back by\n\
                        `nameplate devices --format csv`. A row is about the device with its id, else its ip (with port and unit, where\n\
                        given), else its serial number; else it is a device that is known from the sheet alone. A value from a sheet has\n\
                        the grade `imported` and never stands before a reading. One bad row, and nothing of the sheet is taken.\n\n\
                        Example:\n  nameplate import devices plant.csv && nameplate devices"
)]
pub struct Devices {
    /// The sheet
    #[arg(value_name = "SHEET")]
    sheet: PathBuf,
}

impl Import {
    /// Runs the command.
    ///
    /// # Errors
    /// A sheet that cannot be read, with line and column, or the state.
    pub fn run(&self, options: &Options) -> Result<(), Failure> {
        match &self.kind {
            Kind::Devices(devices) => devices.run(options),
            Kind::Advisories(advisories) => advisories.run(options),
            Kind::Baseline(baseline) => baseline.run(options),
        }
    }
}

impl Devices {
    fn run(&self, options: &Options) -> Result<(), Failure> {
        let path = &self.sheet;
        let (sheet, sha256) = read_sheet(path)?;
        let (rows, file) = (sheet.rows.len(), path.display().to_string());
        let directory = state::directory(options.state.as_ref())?;
        let mut store = Store::write(&directory)?;
        let import = sheet::Import { file: file.clone(), sha256: sha256.clone(), sheet };
        let entries = store.append(&[Draft::new(now_ns(), Body::Import(import))])?;
        let view = store.view(None)?;
        let listed_only = view.catalog.assets().filter(|asset| asset.is_listed_only());
        let taken = Taken {
            file: &file,
            sha256: &sha256,
            rows: rows as u64,
            devices_only_in_sheets: listed_only.count() as u64,
            entry: entries.start,
        };
        print::out(&taken.shown(print::format(options)))?;
        let known = view.catalog.assets().filter(|asset: &&Asset| !asset.is_listed_only()).count() as u64;
        let (rows, known) = (print::count(taken.rows, "row"), print::count(known, "device"));
        eprintln!("{rows} taken; the catalog has {known} that answered and {} known from sheets alone", taken.devices_only_in_sheets);
        Ok(())
    }
}

/// What was taken in.
#[derive(Serialize)]
struct Taken<'a> {
    file: &'a str,
    sha256: &'a str,
    rows: u64,
    devices_only_in_sheets: u64,
    entry: u64,
}

impl Taken<'_> {
    fn shown(&self, format: Format) -> String {
        let Self { file, sha256, rows, devices_only_in_sheets, entry } = self;
        let cells = [(*file).to_owned(), (*sha256).to_owned(), rows.to_string(), devices_only_in_sheets.to_string(), entry.to_string()];
        match format {
            Format::Table => print::table(&["FILE", "SHA-256", "ROWS", "ONLY IN SHEETS", "ENTRY"], &[cells.to_vec()]),
            Format::Csv => {
                let header = ["file", "sha256", "rows", "devices_only_in_sheets", "entry"].map(str::to_owned);
                print::csv_line(&header) + &print::csv_line(&cells)
            }
            Format::Ndjson | Format::Claims => print::json_line(self),
        }
    }
}

/// A sheet and its file's SHA-256.
///
/// # Errors
/// That it cannot be read, or where it is no sheet.
pub fn read_sheet(path: &Path) -> Result<(Sheet, String), Failure> {
    let cannot = |e: std::io::Error| Failure::input(path.display(), e);
    let mut bytes = Vec::new();
    // One byte more than is allowed says that there is more.
    File::open(path).map_err(cannot)?.take(FILE_BYTES_MAX as u64 + 1).read_to_end(&mut bytes).map_err(cannot)?;
    let sheet =
        sheet::read(&bytes).map_err(|invalid| Failure::input(path.display(), format!("{invalid}; nothing of the sheet was used")))?;
    Ok((sheet, hex(&Sha256::digest(&bytes))))
}
