//! `nameplate import host-patches`: what a patch server holds for installed, beside what devices say.

use std::path::PathBuf;

use clap::Args;
use nameplate_core::ledger::Body;
use nameplate_core::observation::hex;
use nameplate_core::patching::{FILE_BYTES_MAX, Form, Matched, Read, Report, contradictions, matched, read};
use nameplate_core::profile::ProfileSet;
use nameplate_core::sheet::{Import, Invalid};
use nameplate_core::text::printable;
use nameplate_core::view::View;
use serde::Serialize;
use sha2::{Digest, Sha256};

use crate::advisories::bytes_of;
use crate::cli::{Format, Options};
use crate::failure::{Code, Failure};
use crate::store::{Draft, Store, now_ns};
use crate::{print, profiles, state};

/// Rows that are told on standard error; the count of all stands behind them.
const TOLD_ROWS_MAX: usize = 20;
/// The longest name of a patch server.
const SYSTEM_CHARS_MAX: usize = 40;

/// A patch server's list: which patches it holds for installed.
#[derive(Debug, Args)]
#[command(
    after_help = "CSV with a header, JSON (an array, or an object with one in results, as Katello answers), or lines of JSON. Columns, by the names\n\
                  of WSUS, Configuration Manager and Katello or by these: host, id, ip, mac, manufacturer, serial_number; patch (KBArticle,\n\
                  ArticleID, errata_id, ...); state: installed, pending_restart, missing, failed, not_applicable, unknown, and the servers' own\n\
                  words for them; title; at; release and field, where a device with the patch says a release: 2.70 of firmware_revision.\n\
                  Columns that are none of these are passed over.\n\n\
                  A host is found by id, address or serial number, else by its name; one that nobody knew stands in the catalog from here on.\n\
                  Nothing here takes the place of a reading: where a server holds a release for installed and the device says an older one,\n\
                  `nameplate patches` says contradicted, until the device itself says otherwise. A row that is wrong is left out with its\n\
                  number and the reason, the others are taken, and the exit code is 3.\n\n\
                  Example:\n  nameplate import host-patches compliance.csv --system configmgr --by Ada && nameplate patches"
)]
pub struct HostPatches {
    /// The list; its ending says what it is: .csv, .json, .ndjson
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// The patch server, as you call it: wsus, configmgr, katello. A later list of the same one takes the place of its words before
    #[arg(long, value_name = "NAME", value_parser = system)]
    system: String,
    /// Who takes it in
    #[arg(long, value_name = "NAME")]
    by: String,
    /// Whom rows are about that name no host: Katello's errata of one host name none
    #[arg(long, value_name = "HOST")]
    host: Option<String>,
}

/// A name of a patch server.
///
/// # Errors
/// A sentence: it is none.
pub fn system(name: &str) -> Result<String, String> {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    let fits = (1..=SYSTEM_CHARS_MAX).contains(&name.len()) && name.chars().all(plain);
    if fits {
        Ok(name.to_lowercase())
    } else {
        Err(format!("a patch server's name has 1 to {SYSTEM_CHARS_MAX} letters, digits, -, _ and ."))
    }
}

/// A list that was read.
pub struct List {
    file: String,
    sha256: String,
    system: String,
    read: Read,
}

impl List {
    /// Reads one, of a file with that name for people.
    ///
    /// # Errors
    /// A sentence: it is none, and where.
    pub fn of(name: &str, bytes: &[u8], system: String, host: Option<&str>) -> Result<Self, String> {
        let form = Form::of(name).ok_or("the name ends in none of .csv, .json and .ndjson")?;
        let read = read(form, bytes, host).map_err(|invalid| format!("{invalid}; nothing of the list was used"))?;
        Ok(Self { file: name.to_owned(), sha256: hex(&Sha256::digest(bytes)), system, read })
    }

    /// What is to be entered: hosts that nobody knew, and the list. Nothing where no row could be taken.
    pub fn bodies(self, view: &View, by: &str) -> (Vec<Body>, Taken) {
        let Self { file, sha256, system, read: Read { rows, mut left_out, mut left_out_rows } } = self;
        let Matched { statements, new, left_out: doubtful } = matched(rows, &view.catalog);
        left_out_rows += doubtful.len();
        left_out.extend(doubtful);
        left_out.sort_by_key(|invalid| invalid.line);
        let taken = Taken {
            file: file.clone(),
            sha256: sha256.clone(),
            system: system.clone(),
            rows: statements.len(),
            new_hosts: new.rows.len(),
            left_out_rows,
            left_out,
        };
        let mut bodies = Vec::new();
        if !new.rows.is_empty() {
            bodies.push(Body::Import(Import { file: file.clone(), sha256: sha256.clone(), sheet: new }));
        }
        if !statements.is_empty() {
            bodies.push(Body::Patches(Report { by: by.to_owned(), file, sha256, statements, system }));
        }
        (bodies, taken)
    }
}

/// What became of a list.
#[derive(Serialize)]
pub struct Taken {
    /// Its name.
    pub file: String,
    /// SHA-256 of it.
    pub sha256: String,
    /// The patch server.
    pub system: String,
    /// Rows that were taken.
    pub rows: usize,
    /// Hosts that stand in the catalog from here on.
    pub new_hosts: usize,
    /// Rows that were not.
    #[serde(rename = "left_out")]
    pub left_out_rows: usize,
    /// Why; the first 10,000.
    #[serde(skip)]
    pub left_out: Vec<Invalid>,
}

impl HostPatches {
    /// Runs the command.
    ///
    /// # Errors
    /// A list that cannot be read, with its line; rows that were left out; the state.
    pub fn run(&self, options: &Options) -> Result<(), Failure> {
        let name = self.file.display().to_string();
        let cannot = |why: String| Failure::input(&name, why);
        let bytes = bytes_of(&self.file, FILE_BYTES_MAX as u64).map_err(cannot)?;
        let list = List::of(&name, &bytes, self.system.clone(), self.host.as_deref()).map_err(cannot)?;
        let profiles = profiles::load(options)?;
        let directory = state::directory(options.state.as_ref())?;
        let mut store = Store::write(&directory)?;
        let (bodies, taken) = list.bodies(&store.view(None)?, self.by.trim());
        let now_ns = now_ns();
        store.append(&bodies.into_iter().map(|body| Draft::new(now_ns, body)).collect::<Vec<_>>())?;
        for Invalid { line, column, why } in taken.left_out.iter().take(TOLD_ROWS_MAX) {
            let column = column.as_ref().map(|column| format!(", column {}", printable(column))).unwrap_or_default();
            eprintln!("{name}: row {line}{column}: {}", printable(why));
        }
        print::out(&taken.shown(print::format(options)))?;
        eprintln!("{}", taken.summary(&store.view(None)?, &profiles));
        match taken.left_out_rows {
            0 => Ok(()),
            some => Err(Failure::new(Code::Input, format!("{} left out; the others were taken", print::count(some as u64, "row")))),
        }
    }
}

impl Taken {
    /// In one sentence, with what contradicts it now.
    pub fn summary(&self, view: &View, profiles: &ProfileSet) -> String {
        let contradicted = contradictions(&view.patches, &view.catalog, profiles).len() as u64;
        let [rows, new] = [(self.rows, "row"), (self.new_hosts, "host")].map(|(count, unit)| print::count(count as u64, unit));
        format!(
            "{rows} of {} taken; {new} that nobody knew; devices contradict patch servers in {}",
            self.system,
            print::count(contradicted, "case")
        )
    }

    fn shown(&self, format: Format) -> String {
        let Self { file, sha256, system, rows, new_hosts, left_out_rows, left_out: _ } = self;
        let [rows, new_hosts, left_out] = [rows, new_hosts, left_out_rows].map(usize::to_string);
        let cells = [file.clone(), sha256.clone(), system.clone(), rows, new_hosts, left_out];
        match format {
            Format::Table => print::table(&["FILE", "SHA-256", "SYSTEM", "ROWS", "NEW HOSTS", "LEFT OUT"], &[cells.to_vec()]),
            Format::Csv => {
                let header = ["file", "sha256", "system", "rows", "new_hosts", "left_out"].map(str::to_owned);
                print::csv_line(&header) + &print::csv_line(&cells)
            }
            Format::Ndjson | Format::Claims => print::json_line(self),
        }
    }
}
