//! `nameplate import`: lists that people made, into the catalog. They never overwrite a reading.

pub mod advisories;
pub mod host_patches;

use clap::{Args, Subcommand};
use nameplate_core::catalog::Asset;
use nameplate_core::ledger::Body;
use nameplate_core::sheet::Import as List;
use serde::Serialize;

use crate::cli::{Format, Options};
use crate::failure::{Code, Failure};
use crate::sheet::Given;
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
    /// An inventory sheet: XLSX or CSV with a header
    Devices(Devices),
    /// Advisories: CSAF 2.0, bulletins, and lists of what is exploited
    Advisories(advisories::Advisories),
    /// Decisions about releases: CSV, TOML or JSON
    Baseline(super::baseline::Import),
    /// A patch server's list: which patches it holds for installed
    HostPatches(host_patches::HostPatches),
}

/// An inventory sheet: XLSX or CSV with a header.
#[derive(Debug, Args)]
#[command(
    after_help = "XLSX, or text with comma, semicolon or tab between the cells: UTF-8, UTF-16 with a byte order mark, else Windows-1252. The\n\
                        header is the line of the first 20 that names most columns. Columns: id, tag, site, zone, location, manufacturer,\n\
                        model, product_code (Order No., MLFB, Cat. No.), hardware_revision, firmware_revision (Firmware, FW, Version),\n\
                        software_revision, serial_number (Serial), patches, mac, ip, port, unit, ... Others are kept and given back by\n\
                        `nameplate devices --format csv`. A row is about the device with its id, else its ip (with port and unit, where\n\
                        given), else its serial number; else it is a device that is known from the sheet alone. A value from a sheet has\n\
                        the grade `imported` and never stands before a reading.\n\n\
                        A row that is wrong is left out with its number and the reason, the others are taken, and the exit code is 3.\n\
                        A version that a spreadsheet turned into a date or a number is never taken for one; what is left of it is kept in\n\
                        the column `firmware_revision (doubtful)`.\n\n\
                        Example:\n  nameplate import devices plant.xlsx && nameplate devices"
)]
pub struct Devices {
    /// The sheet
    #[command(flatten)]
    given: Given,
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
            Kind::HostPatches(patches) => patches.run(options),
        }
    }
}

impl Devices {
    fn run(&self, options: &Options) -> Result<(), Failure> {
        let (sheet, sha256) = self.given.read()?;
        let (rows, left_out, file) = (sheet.rows.len(), sheet.left_out.len() as u64, self.given.sheet.display().to_string());
        let directory = state::directory(options.state.as_ref())?;
        let mut store = Store::write(&directory)?;
        let import = List { file: file.clone(), sha256: sha256.clone(), sheet };
        let entries = store.append(&[Draft::new(now_ns(), Body::Import(import))])?;
        let view = store.view(None)?;
        let listed_only = view.catalog.assets().filter(|asset| asset.is_listed_only());
        let taken = Taken {
            file: &file,
            sha256: &sha256,
            rows: rows as u64,
            left_out,
            devices_only_in_sheets: listed_only.count() as u64,
            entry: entries.start,
        };
        print::out(&taken.shown(print::format(options)))?;
        let known = view.catalog.assets().filter(|asset: &&Asset| !asset.is_listed_only()).count() as u64;
        let (rows, known) = (print::count(taken.rows, "row"), print::count(known, "device"));
        eprintln!("{rows} taken; the catalog has {known} that answered and {} known from sheets alone", taken.devices_only_in_sheets);
        match left_out {
            0 => Ok(()),
            some => Err(Failure::new(Code::Input, format!("{} left out", print::count(some, "row")))),
        }
    }
}

/// What was taken in.
#[derive(Serialize)]
struct Taken<'a> {
    file: &'a str,
    sha256: &'a str,
    rows: u64,
    left_out: u64,
    devices_only_in_sheets: u64,
    entry: u64,
}

impl Taken<'_> {
    fn shown(&self, format: Format) -> String {
        let Self { file, sha256, rows, left_out, devices_only_in_sheets, entry } = self;
        let [rows, left_out, only, entry] = [rows, left_out, devices_only_in_sheets, entry].map(u64::to_string);
        let cells = [(*file).to_owned(), (*sha256).to_owned(), rows, left_out, only, entry];
        match format {
            Format::Table => print::table(&["FILE", "SHA-256", "ROWS", "LEFT OUT", "ONLY IN SHEETS", "ENTRY"], &[cells.to_vec()]),
            Format::Csv => {
                let header = ["file", "sha256", "rows", "left_out", "devices_only_in_sheets", "entry"].map(str::to_owned);
                print::csv_line(&header) + &print::csv_line(&cells)
            }
            Format::Ndjson | Format::Claims => print::json_line(self),
        }
    }
}
