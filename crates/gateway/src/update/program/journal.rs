//! What is being done, on the disk before it is done.

use std::fs;
use std::io::ErrorKind;
use std::path::Path;

use nameplate_core::update::Offer;
use serde::{Deserialize, Serialize};

use crate::failure::Failure;
use crate::key::{sync_directory, write_private};

/// Its file in the program's folder.
const FILE: &str = "journal.json";
/// Where it is written before it gets its name.
const NEW: &str = "journal.json.new";

/// The step that is being taken. Each can be taken again from its beginning.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Step {
    /// The units are stopped, the ledger is told and copied. Nothing is installed yet.
    Stopping,
    /// The new package is installed, and its program has to come up.
    Installing,
    /// The package before is installed again.
    GoingBack,
}

/// What is being done.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Journal {
    /// Where it is.
    pub step: Step,
    /// Who wanted it.
    pub by: String,
    /// Which update.
    pub offer: Offer,
    /// The version that is gone from, or back to.
    pub from: String,
    /// The version of the update.
    pub to: String,
    /// Units that ran, and have to run in the end.
    pub running: Vec<String>,
    /// The package to go back to, in the program's folder; `None` where nobody kept it.
    pub way_back: Option<String>,
    /// Why it goes back.
    pub why: String,
}

impl Journal {
    /// The one that is there.
    ///
    /// # Errors
    /// It cannot be read.
    pub fn read(folder: &Path) -> Result<Option<Self>, Failure> {
        let path = folder.join(FILE);
        match fs::read_to_string(&path) {
            Ok(text) => serde_json::from_str(&text).map(Some).map_err(|e| Failure::input(path.display(), e)),
            Err(e) if e.kind() == ErrorKind::NotFound => Ok(None),
            Err(e) => Err(Failure::input(path.display(), e)),
        }
    }

    /// Writes it; on return it is on the disk.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn write(&self, folder: &Path) -> Result<(), Failure> {
        let (path, new) = (folder.join(FILE), folder.join(NEW));
        let text = crate::print::json_line(self);
        let written = write_private(&new, text.as_bytes()).and_then(|()| fs::rename(&new, &path)).and_then(|()| sync_directory(folder));
        written.map_err(|e| Failure::input(path.display(), e))
    }

    /// All is done.
    ///
    /// # Errors
    /// It cannot be removed.
    pub fn remove(folder: &Path) -> Result<(), Failure> {
        let path = folder.join(FILE);
        match fs::remove_file(&path) {
            Err(e) if e.kind() != ErrorKind::NotFound => Err(Failure::input(path.display(), e)),
            _ => sync_directory(folder).map_err(|e| Failure::input(folder.display(), e)),
        }
    }
}
