//! `nameplate ledger`: the log itself, verified, pinned, or handed to a witness.

mod exported;

use std::fs::File;
use std::io::Read;
use std::path::PathBuf;

use clap::{Args, Subcommand};
use nameplate_core::ledger::{Checkpoint, REQUEST_BYTES_MAX, Request, VerifierKey, countersigned};
use nameplate_core::observation::rfc3339;

use super::witness::verifier_key;
use crate::cli::Options;
use crate::failure::{Code, Failure};
use crate::store::{Store, Verified};
use crate::{print, state};

const NANOSECONDS: u64 = 1_000_000_000;

/// Verify the ledger, print its key and its signed checkpoint, or copy it.
#[derive(Debug, Args)]
#[command(after_help = "The ledger is the one log that everything else follows from: readings, questions sent and refused, imports,\n\
                        approvals, changes. It is a Merkle tree, and each commit ends in a checkpoint signed with this site's key.\n\n\
                        A copy of the whole state directory that is older, or a second one that goes on by itself, cannot be noticed\n\
                        from inside. A checkpoint that is kept elsewhere notices both: keep one with each report you hand out, or\n\
                        have each one countersigned by a witness, who signs no second history (nameplate witness --help).\n\n\
                        Examples:\n  nameplate ledger checkpoint >site-2026-03.checkpoint\n  nameplate ledger verify\n  \
                        nameplate ledger verify --checkpoint site-2026-03.checkpoint\n  \
                        nameplate ledger backup site-2026-03.backup && nameplate ledger verify --backup site-2026-03.backup")]
pub struct Ledger {
    /// What to do with it
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
#[expect(clippy::large_enum_variant, reason = "there is one of it, read once at the start")]
enum What {
    /// Check every entry, the tree, every signature and payload; exit code 6 where anything does not hold
    #[command(after_help = "Examples:\n  nameplate ledger verify --checkpoint site-2026-03.checkpoint\n  \
                            nameplate ledger verify --range site-2026-04.log --key <fingerprint> --after site-2026-03.log")]
    Verify {
        /// A checkpoint of this ledger that was kept elsewhere; the ledger must begin with what it names. - is standard input
        #[arg(long, value_name = "FILE")]
        checkpoint: Option<PathBuf>,
        /// The witness who must have countersigned that checkpoint: its key, as `nameplate witness init` printed it
        #[arg(long, value_name = "KEY", requires = "checkpoint", value_parser = verifier_key)]
        witness: Option<VerifierKey>,
        /// Check this backup instead of the state
        #[arg(long, value_name = "FILE")]
        backup: Option<PathBuf>,
        #[command(flatten)]
        range: exported::Checked,
    },
    /// Write a range of the ledger into one file that anybody can check alone, and check it
    #[command(
        after_help = "The file holds the records as they are, the bytes and profiles that they name, the edge of the tree before them, and the\n\
                            signed checkpoint at its end: docs/evidence.md, section 8. It is checked with no state and no network:\n\
                            nameplate ledger verify --range FILE --key <fingerprint>.\n\n\
                            Examples:\n  nameplate ledger export site-2026-03.log\n  \
                            nameplate ledger export site-2026-04.log --from 41200"
    )]
    Export(exported::Export),
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
    #[command(after_help = "Examples:\n  nameplate ledger checkpoint >site-2026-03.checkpoint\n  \
                            nameplate ledger checkpoint --since last.checkpoint >request")]
    Checkpoint {
        /// Print what a witness signs (C2SP tlog-witness): the proof that the log goes on from there, and the checkpoint. Number of
        /// entries, or a file with a checkpoint that the witness signed; 0 for the first time
        #[arg(long, value_name = "ENTRIES|FILE")]
        since: Option<String>,
        /// Not the latest checkpoint, but the one of so many entries, as a bundle of evidence has it
        #[arg(long, value_name = "ENTRIES")]
        of: Option<u64>,
    },
    /// Put a new key in the place of the site's, which vouches for it in the log; the old one is destroyed
    #[command(
        after_help = "Whoever pinned the old fingerprint goes on with it: a bundle carries the change, and the old key's word for it.\n\
                            A key that somebody copied can still sign another history up to now; a witness signs none such.\n\n\
                            Example:\n  nameplate ledger change-key --by \"J. Doe\" --why \"laptop of a former colleague\""
    )]
    ChangeKey {
        /// Who changes it
        #[arg(long, value_name = "NAME")]
        by: String,
        /// Why, for the log
        #[arg(long, value_name = "TEXT")]
        why: String,
    },
    /// Print the site's public key as a verifier key (C2SP signed-note), for witnesses
    #[command(after_help = "Example:\n  nameplate ledger key")]
    Key,
}

impl Ledger {
    /// Runs the command.
    ///
    /// # Errors
    /// The state, or what does not hold.
    pub fn run(&self, options: &Options) -> Result<(), Failure> {
        // A backup is checked where there is no state at all.
        if let What::Verify { range, .. } = &self.what
            && let Some(verified) = range.run()
        {
            return verified;
        }
        if let What::Verify { checkpoint, backup: Some(file), witness, .. } = &self.what {
            let store = Store::of_backup(file).map_err(|e| Failure::new(Code::Failed, e.why))?;
            return verify(&store, checkpoint.as_ref(), witness.as_ref());
        }
        let directory = state::directory(options.state.as_ref())?;
        let read = || {
            let none = || Failure::input(directory.display(), "there is no ledger yet");
            Store::read(&directory)?.ok_or_else(none)
        };
        match &self.what {
            What::Export(export) => export.run(&read()?),
            What::ChangeKey { by, why } => {
                // For reading first, so that a wrong --state makes no new one.
                drop(read()?);
                let mut store = Store::write(&directory)?;
                store.change_key(by, why)?;
                eprintln!("the site's key was changed; tell those who pin it, and its witnesses: {}", store.public_key().fingerprint());
                Ok(())
            }
            What::Key => {
                let store = read()?;
                eprintln!("fingerprint {}", store.public_key().fingerprint());
                print::out(&format!("{}\n", VerifierKey::of_log(store.keys())))
            }
            What::Checkpoint { since, of } => {
                let store = read()?;
                let note = of.map_or_else(|| Ok(store.checkpoint().to_owned()), |size| store.note(size))?;
                let Some(since) = since else { return print::out(&note) };
                print::out(&request(&store, since, note)?.to_string())
            }
            What::Verify { checkpoint, witness, .. } => {
                let none = || Failure::input(directory.display(), "there is no ledger yet");
                // Not being able to open what is to be verified is an answer to the question.
                let opened = Store::read(&directory).map_err(|e| Failure::new(Code::Failed, e.why))?;
                verify(&opened.ok_or_else(none)?, checkpoint.as_ref(), witness.as_ref())
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
fn verify(store: &Store, checkpoint: Option<&PathBuf>, witness: Option<&VerifierKey>) -> Result<(), Failure> {
    let pinned = checkpoint.map(read_note).transpose()?;
    let verified = store.verify(pinned.as_deref())?;
    let seen = pinned.as_deref().zip(witness).map(|(note, witness)| witnessed(note, witness)).transpose()?.unwrap_or_default();
    let pinned = if pinned.is_some() { "; it begins with the checkpoint that was given" } else { "" };
    print::out(&format!("whole: {}, signed by {}{pinned}{seen}\n", counted(verified), store.public_key().fingerprint()))
}

fn counted(Verified { entries, checkpoints, payloads }: Verified) -> String {
    let entries = if entries == 1 { "1 entry".to_owned() } else { format!("{entries} entries") };
    format!("{entries}, {}, {}", print::count(checkpoints, "checkpoint"), print::count(payloads, "payload"))
}

/// What a witness is handed: that `note` goes on from `since`, a number of entries or a file with a checkpoint.
fn request(store: &Store, since: &str, note: String) -> Result<Request, Failure> {
    let old = match since.parse() {
        Ok(old) => old,
        Err(_) => {
            let text = read_note(&PathBuf::from(since))?;
            store.keys().open(&text).map_err(|e| Failure::input(since, format!("no checkpoint of this ledger: {e}")))?.head.size
        }
    };
    let size = Checkpoint::read(&note).map_or_else(|_| store.size(), |checkpoint| checkpoint.head.size);
    let proof = store.tree()?.consistency(old, size);
    let behind = || Failure::new(Code::Failed, format!("{old} entries were countersigned, and there are {size}: this is an older copy"));
    Ok(Request { old, proof: proof.ok_or_else(behind)?, note })
}

/// That the witness saw this checkpoint, and when.
///
/// # Errors
/// It did not.
pub(super) fn witnessed(note: &str, witness: &VerifierKey) -> Result<String, Failure> {
    if !witness.is_witness() {
        return Err(Failure::new(Code::Usage, "this is a site's key, not a witness's"));
    }
    let failed = |e| Failure::new(Code::Failed, format!("not countersigned by {}: {e}", witness.name()));
    let seconds = countersigned(note, witness).map_err(failed)?;
    Ok(format!(", countersigned by {} at {}", witness.name(), rfc3339(seconds.saturating_mul(NANOSECONDS))))
}

/// The text of a checkpoint, or of a request that holds one; no more than one has.
///
/// # Errors
/// It cannot be read, or is much longer than any.
pub(super) fn read_note(path: &PathBuf) -> Result<String, Failure> {
    let input: Box<dyn Read> = if path.as_os_str() == "-" {
        Box::new(std::io::stdin())
    } else {
        Box::new(File::open(path).map_err(|e| Failure::input(path.display(), e))?)
    };
    // One byte more, so that what is too long is seen to be.
    std::io::read_to_string(input.take(REQUEST_BYTES_MAX as u64 + 1)).map_err(|e| Failure::input(path.display(), e))
}
