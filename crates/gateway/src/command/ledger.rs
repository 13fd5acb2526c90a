//! `nameplate ledger`: the log itself, verified or pinned.

use std::fs;
use std::path::PathBuf;

use clap::{Args, Subcommand};

use crate::cli::Options;
use crate::failure::{Code, Failure};
use crate::store::{Store, Verified};
use crate::{print, state};

/// Verify the ledger, or print its signed checkpoint.
#[derive(Debug, Args)]
#[command(after_help = "The ledger is the one log that everything else follows from: readings, questions sent and refused, imports,\n\
                        approvals, changes. It is a Merkle tree, and each commit ends in a checkpoint signed with this site's key.\n\n\
                        A copy of the whole state directory that is older, or a second one that goes on by itself, cannot be noticed\n\
                        from inside. A checkpoint that is kept elsewhere notices both: keep one with each report you hand out.\n\n\
                        Examples:\n  nameplate ledger checkpoint >site-2026-03.checkpoint\n  nameplate ledger verify\n  \
                        nameplate ledger verify --checkpoint site-2026-03.checkpoint")]
pub struct Ledger {
    /// What to do with it
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Check every entry, the tree, every signature and payload; exit code 6 where anything does not hold
    #[command(after_help = "Example:\n  nameplate ledger verify --checkpoint site-2026-03.checkpoint")]
    Verify {
        /// A checkpoint of this ledger that was kept elsewhere; the ledger must begin with what it names. - is standard input
        #[arg(long, value_name = "FILE")]
        checkpoint: Option<PathBuf>,
    },
    /// Print the latest checkpoint: log, size, root and signature (a C2SP signed note)
    #[command(after_help = "Example:\n  nameplate ledger checkpoint >site-2026-03.checkpoint")]
    Checkpoint,
}

impl Ledger {
    /// Runs the command.
    ///
    /// # Errors
    /// The state, or what does not hold.
    pub fn run(&self, options: &Options) -> Result<(), Failure> {
        let directory = state::directory(options.state.as_ref())?;
        // Not being able to open what is to be verified is an answer to the question.
        let verifying = matches!(self.what, What::Verify { .. });
        let opened = Store::read(&directory).map_err(|e| if verifying { Failure::new(Code::Failed, e.why) } else { e })?;
        let store = opened.ok_or_else(|| Failure::input(directory.display(), "there is no ledger yet"))?;
        match &self.what {
            What::Checkpoint => print::out(store.checkpoint()),
            What::Verify { checkpoint } => {
                let pinned = checkpoint.as_ref().map(read_note).transpose()?;
                let Verified { entries, checkpoints, payloads } = store.verify(pinned.as_deref())?;
                let entries = if entries == 1 { "1 entry".to_owned() } else { format!("{entries} entries") };
                let (checkpoints, payloads) = (print::count(checkpoints, "checkpoint"), print::count(payloads, "payload"));
                let pinned = if pinned.is_some() { "; it begins with the checkpoint that was given" } else { "" };
                let key = store.public_key().fingerprint();
                print::out(&format!("whole: {entries}, {checkpoints}, {payloads}, signed by {key}{pinned}\n"))
            }
        }
    }
}

fn read_note(path: &PathBuf) -> Result<String, Failure> {
    let read = if path.as_os_str() == "-" { std::io::read_to_string(std::io::stdin()) } else { fs::read_to_string(path) };
    read.map_err(|e| Failure::input(path.display(), e))
}
