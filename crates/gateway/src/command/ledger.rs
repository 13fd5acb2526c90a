//! `nameplate ledger`: the log itself, verified, pinned, or handed to a witness.

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

/// Verify the ledger, or print its key and its signed checkpoint.
#[derive(Debug, Args)]
#[command(after_help = "The ledger is the one log that everything else follows from: readings, questions sent and refused, imports,\n\
                        approvals, changes. It is a Merkle tree, and each commit ends in a checkpoint signed with this site's key.\n\n\
                        A copy of the whole state directory that is older, or a second one that goes on by itself, cannot be noticed\n\
                        from inside. A checkpoint that is kept elsewhere notices both: keep one with each report you hand out, or\n\
                        have each one countersigned by a witness, who signs no second history (nameplate witness --help).\n\n\
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
        /// The witness who must have countersigned that checkpoint: its key, as `nameplate witness init` printed it
        #[arg(long, value_name = "KEY", requires = "checkpoint", value_parser = verifier_key)]
        witness: Option<VerifierKey>,
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
        let directory = state::directory(options.state.as_ref())?;
        // Not being able to open what is to be verified is an answer to the question.
        let verifying = matches!(self.what, What::Verify { .. });
        let opened = Store::read(&directory).map_err(|e| if verifying { Failure::new(Code::Failed, e.why) } else { e })?;
        let store = opened.ok_or_else(|| Failure::input(directory.display(), "there is no ledger yet"))?;
        match &self.what {
            What::ChangeKey { by, why } => {
                drop(store);
                let mut store = Store::write(&directory)?;
                store.change_key(by, why)?;
                eprintln!("the site's key was changed; tell those who pin it, and its witnesses: {}", store.public_key().fingerprint());
                Ok(())
            }
            What::Key => {
                eprintln!("fingerprint {}", store.public_key().fingerprint());
                print::out(&format!("{}\n", VerifierKey::of_log(store.keys())))
            }
            What::Checkpoint { since, of } => {
                let note = of.map_or_else(|| Ok(store.checkpoint().to_owned()), |size| store.note(size))?;
                let Some(since) = since else { return print::out(&note) };
                print::out(&request(&store, since, note)?.to_string())
            }
            What::Verify { checkpoint, witness } => {
                let pinned = checkpoint.as_ref().map(read_note).transpose()?;
                let Verified { entries, checkpoints, payloads } = store.verify(pinned.as_deref())?;
                let entries = if entries == 1 { "1 entry".to_owned() } else { format!("{entries} entries") };
                let (checkpoints, payloads) = (print::count(checkpoints, "checkpoint"), print::count(payloads, "payload"));
                let seen = pinned.as_deref().zip(witness.as_ref()).map(|(note, witness)| witnessed(note, witness)).transpose()?;
                let pinned = if pinned.is_some() { "; it begins with the checkpoint that was given" } else { "" };
                let (key, seen) = (store.public_key().fingerprint(), seen.unwrap_or_default());
                print::out(&format!("whole: {entries}, {checkpoints}, {payloads}, signed by {key}{pinned}{seen}\n"))
            }
        }
    }
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
