//! `nameplate witness`: countersign the checkpoints of sites, as somebody who is not the site.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use nameplate_core::ledger::{Checkpoint, VerifierKey, countersigned};
use nameplate_core::observation::rfc3339;
use serde::Serialize;

use crate::cli::{Format, Options};
use crate::failure::Failure;
use crate::witness::{Log, Witness};
use crate::{print, state};

/// Where a witness is kept in the state directory.
const FOLDER: &str = "witness";
const NANOSECONDS: u64 = 1_000_000_000;

/// Countersign the checkpoints of sites, so that none can go back or be doubled unseen.
#[derive(Debug, Args)]
#[command(after_help = "A witness is somebody else than the site: an auditor, the head office, a neighbour plant. It remembers the last\n\
                        checkpoint of each site and signs the next one only if the ledger goes on from there. A gateway that was put\n\
                        back to an older copy, or cloned, has no second history that a witness signs.\n\n\
                        Once:      witness$ nameplate witness init audit.example/ot       prints the witness's key\n           \
                        site$    nameplate ledger key                         prints the site's key\n           \
                        witness$ nameplate witness trust <the site's key>\n\
                        Each time: site$    nameplate ledger checkpoint --since last.checkpoint >request\n           \
                        witness$ nameplate witness sign request >last.checkpoint\n\
                        Anybody:   nameplate ledger verify --checkpoint last.checkpoint --witness <the witness's key>")]
pub struct Witnesses {
    /// The witness's own folder [default: `witness` in the state directory]
    #[arg(long, global = true, value_name = "DIR")]
    folder: Option<PathBuf>,
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Make a witness's key in this name, and print what its signatures are checked with
    Init {
        /// By which its signatures are known, as in "audit.example/ot"; no blanks
        #[arg(value_name = "NAME")]
        name: String,
    },
    /// Sign for this site from now on
    Trust {
        /// The site's key, as `nameplate ledger key` printed it there; have it from the site's own hand
        #[arg(value_name = "KEY", value_parser = verifier_key)]
        key: VerifierKey,
    },
    /// Hold a site's checkpoint against the one that was signed last, and print it countersigned; exit code 6 where it does not go on
    Sign {
        /// What `nameplate ledger checkpoint --since` printed. - is standard input
        #[arg(value_name = "REQUEST")]
        request: PathBuf,
    },
    /// Print the witness's key, and list the sites it signs for
    List,
}

/// A site in the list.
#[derive(Debug, Serialize)]
struct Line {
    site: String,
    fingerprint: String,
    entries: Option<u64>,
    signed: Option<String>,
}

impl Line {
    fn of(log: &Log, witness: &VerifierKey) -> Self {
        let entries = Checkpoint::read(&log.note).ok().map(|checkpoint| checkpoint.head.size);
        let signed = countersigned(&log.note, witness).ok().map(|seconds| rfc3339(seconds.saturating_mul(NANOSECONDS)));
        Self { site: log.key.name().to_owned(), fingerprint: log.key.key().fingerprint(), entries, signed }
    }

    fn cells(&self) -> Vec<String> {
        let entries = self.entries.map_or_else(|| "-".to_owned(), |entries| entries.to_string());
        vec![self.site.clone(), entries, self.signed.clone().unwrap_or_else(|| "never".to_owned()), self.fingerprint.clone()]
    }
}

impl Witnesses {
    /// Runs the command.
    ///
    /// # Errors
    /// The folder, or why nothing is signed.
    pub fn run(&self, options: &Options) -> Result<(), Failure> {
        let folder = match &self.folder {
            Some(folder) => folder.clone(),
            None => state::directory(options.state.as_ref())?.join(FOLDER),
        };
        match &self.what {
            What::Init { name } => {
                let key = Witness::make(&folder, name)?;
                eprintln!("give this to whoever is to trust its signatures:");
                print::out(&format!("{key}\n"))
            }
            What::Trust { key } => {
                Witness::open(&folder)?.trust(key)?;
                eprintln!("{}: its checkpoints are signed from now on; fingerprint {}", key.name(), key.key().fingerprint());
                Ok(())
            }
            What::Sign { request } => print::out(&Witness::open(&folder)?.sign(&super::ledger::read_note(request)?)?),
            What::List => {
                let witness = Witness::open(&folder)?;
                let lines: Vec<Line> = witness.logs()?.iter().map(|log| Line::of(log, witness.verifier_key())).collect();
                let header = ["SITE", "ENTRIES", "SIGNED", "FINGERPRINT"];
                let rows: Vec<Vec<String>> = lines.iter().map(Line::cells).collect();
                let text = match print::format(options) {
                    Format::Table | Format::Claims => format!("{}\n\n{}", witness.verifier_key(), print::table(&header, &rows)),
                    Format::Csv => [header.map(str::to_owned).to_vec()].iter().chain(&rows).map(|row| print::csv_line(row)).collect(),
                    Format::Ndjson => lines.iter().map(print::json_line).collect(),
                };
                print::out(&text)
            }
        }
    }
}

/// A verifier key, as people paste it.
pub(super) fn verifier_key(text: &str) -> Result<VerifierKey, String> {
    VerifierKey::read(text.trim()).ok_or_else(|| "this is no verifier key (name+8 digits+base64), or it was mistyped".to_owned())
}
