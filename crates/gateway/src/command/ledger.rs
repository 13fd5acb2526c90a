//! `nameplate ledger`: the log itself, verified or pinned.

use std::fs;
use std::path::PathBuf;

use clap::{Args, Subcommand};

use crate::cli::Options;
use crate::failure::{Code, Failure};
use crate::store::{Store, Verified};
use crate::{print, state};

/// Verify the ledger, print its signed checkpoint, or copy it.
#[derive(Debug, Args)]
#[command(after_help = "The ledger is the one log that everything else follows from: readings, questions sent and refused, imports,\n\
                        approvals, changes. It is a Merkle tree, and each commit ends in a checkpoint signed with this site's key.\n\n\
                        A copy of the whole state directory that is older, or a second one that goes on by itself, cannot be noticed\n\
                        from inside. A checkpoint that is kept elsewhere notices both: keep one with each report you hand out.\n\n\
                        Examples:\n  nameplate ledger checkpoint >site-2026-03.checkpoint\n  nameplate ledger verify\n  \
                        nameplate ledger verify --checkpoint site-2026-03.checkpoint\n  \
                        nameplate ledger backup site-2026-03.backup && nameplate ledger verify --backup site-2026-03.backup")]
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
        /// Check this backup instead of the state
        #[arg(long, value_name = "FILE")]
        backup: Option<PathBuf>,
    },
    /// Copy the ledger into one file while others go on writing, and check the copy; the site's key is not in it
    #[command(after_help = "Example:\n  nameplate ledger backup site-2026-03.backup")]
    Backup {
        /// The file, which must not be there yet
        #[arg(value_name = "FILE")]
        file: PathBuf,
    },
    /// Put a backup in the place of the ledger. Refused where it is older than what was acknowledged here, or another ledger's
    #[command(
        after_help = "The backup is verified first, as by `nameplate ledger verify --backup`. What was there is kept beside it, with the ending\n\
                            .replaced. Restore the site's key (site.key) from its own backup: without it nothing can be written.\n\n\
                            Where the newer state is lost and head.seen is all that is left of it, the entries in between are lost, too. Whoever\n\
                            accepts that moves head.seen away first, and says so to those who hold later checkpoints.\n\n\
                            Example:\n  nameplate ledger restore site-2026-03.backup"
    )]
    Restore {
        /// The backup
        #[arg(value_name = "FILE")]
        file: PathBuf,
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
        // A backup is checked where there is no state at all.
        if let What::Verify { checkpoint, backup: Some(file) } = &self.what {
            let store = Store::of_backup(file).map_err(|e| Failure::new(Code::Failed, e.why))?;
            return verify(&store, checkpoint.as_ref());
        }
        let directory = state::directory(options.state.as_ref())?;
        let read = || {
            let none = || Failure::input(directory.display(), "there is no ledger yet");
            Store::read(&directory)?.ok_or_else(none)
        };
        match &self.what {
            What::Checkpoint => print::out(read()?.checkpoint()),
            What::Verify { checkpoint, .. } => {
                let none = || Failure::input(directory.display(), "there is no ledger yet");
                // Not being able to open what is to be verified is an answer to the question.
                let opened = Store::read(&directory).map_err(|e| Failure::new(Code::Failed, e.why))?;
                verify(&opened.ok_or_else(none)?, checkpoint.as_ref())
            }
            What::Backup { file } => {
                let store = read()?;
                let verified = store.backup(file)?;
                let key = store.public_key().fingerprint();
                eprintln!("the site's key is not in it; keep a copy of site.key apart from it");
                print::out(&format!("copied to {} and whole: {}, signed by {key}\n", file.display(), counted(verified)))
            }
            What::Restore { file } => {
                let verified = Store::restore(&directory, file)?;
                print::out(&format!("restored to {} and whole: {}\n", directory.display(), counted(verified)))
            }
        }
    }
}

/// Verifies all of it and says so.
fn verify(store: &Store, checkpoint: Option<&PathBuf>) -> Result<(), Failure> {
    let pinned = checkpoint.map(read_note).transpose()?;
    let verified = store.verify(pinned.as_deref())?;
    let pinned = if pinned.is_some() { "; it begins with the checkpoint that was given" } else { "" };
    print::out(&format!("whole: {}, signed by {}{pinned}\n", counted(verified), store.public_key().fingerprint()))
}

fn counted(Verified { entries, checkpoints, payloads }: Verified) -> String {
    let entries = if entries == 1 { "1 entry".to_owned() } else { format!("{entries} entries") };
    format!("{entries}, {}, {}", print::count(checkpoints, "checkpoint"), print::count(payloads, "payload"))
}

fn read_note(path: &PathBuf) -> Result<String, Failure> {
    let read = if path.as_os_str() == "-" { std::io::read_to_string(std::io::stdin()) } else { fs::read_to_string(path) };
    read.map_err(|e| Failure::input(path.display(), e))
}
