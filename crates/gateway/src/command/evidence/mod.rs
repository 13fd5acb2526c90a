//! `nameplate evidence`: a bundle for an auditor, and the check of one without any state.

mod export;
mod sentences;

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use nameplate_core::evidence::{Authenticity, BUNDLE_BYTES_MAX, Checked, Redecoding, Verdict, verify};
use nameplate_core::ledger::{Checkpoint, VerifierKey};
use nameplate_core::text::printable;

pub use export::{Exported, export};
pub use sentences::sentences;

use super::ledger::{read_note, witnessed};
use super::witness::verifier_key;
use crate::cli::Options;
use crate::failure::{Code, Failure};
use crate::store::Store;
use crate::{print, state};

/// Digits of a fingerprint: SHA-256 in hexadecimal.
const FINGERPRINT_DIGITS: usize = 64;

/// Write a bundle for an auditor, and check one without any state.
#[derive(Debug, Args)]
#[command(
    after_help = "A bundle holds what a device or a change is known by: the bytes that were answered, the profile that read them, the entries of\n\
                        the log with their proofs, and the log's signed checkpoint. docs/evidence.md says what that proves, and what not.\n\n\
                        Examples:\n  nameplate evidence export a-0123456789ab --out pump-7.evidence\n  \
                        nameplate evidence export WO-4711 --out WO-4711.evidence\n  \
                        nameplate evidence verify pump-7.evidence --key <fingerprint of the site's key>"
)]
pub struct Evidence {
    /// What to do.
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
#[expect(clippy::large_enum_variant, reason = "there is one of it, read once at the start")]
enum Action {
    /// Write a bundle; that it was written is itself an entry in the log
    #[command(after_help = "Example:\n  nameplate evidence export WO-4711 --out WO-4711.evidence")]
    Export {
        /// A device's id, or enough of its beginning; or a change's work order
        #[arg(value_name = "SUBJECT")]
        subject: String,
        /// The bundle; a file that is there already is not overwritten
        #[arg(long, value_name = "FILE")]
        out: PathBuf,
    },
    /// Check a bundle: who signed it, and whether its bytes still say what was recorded. Needs no state and no network
    #[command(after_help = "Exit code 0 for authentic and the same claims, 6 for everything else, 3 where the file cannot be read.\n\n\
                            Example:\n  nameplate evidence verify WO-4711.evidence --key <fingerprint of the site's key>")]
    Verify {
        /// The bundle
        #[arg(value_name = "BUNDLE")]
        bundle: PathBuf,
        /// Fingerprint of the site's key, as the site gave it to you on another way than the bundle
        #[arg(long, value_name = "FINGERPRINT", value_parser = fingerprint)]
        key: Option<String>,
        /// The bundle's checkpoint, countersigned: `nameplate ledger checkpoint --of ENTRIES --since ...` at the site, signed by a witness
        #[arg(long, value_name = "FILE", requires = "witness")]
        countersigned: Option<PathBuf>,
        /// The witness who must have countersigned it: its key, as `nameplate witness init` printed it
        #[arg(long, value_name = "KEY", requires = "countersigned", value_parser = verifier_key)]
        witness: Option<VerifierKey>,
    },
}

impl Evidence {
    /// Runs the command.
    ///
    /// # Errors
    /// The state, a subject that is not in it, a file that cannot be written or read, a bundle that does not prove what it should.
    pub fn run(&self, options: &Options) -> Result<(), Failure> {
        match &self.action {
            Action::Export { subject, out } => {
                let directory = state::directory(options.state.as_ref())?;
                // For reading first, so that a wrong --state makes no new one.
                if Store::read(&directory)?.is_none() {
                    let why = "there is nothing to export: `nameplate listen FILE --keep` or `nameplate ask` begins a log";
                    return Err(Failure::input(directory.display(), why));
                }
                let Exported { subject, entries, fingerprint } = export(&mut Store::write(&directory)?, subject, out)?;
                eprintln!("{}: {entries} entries about {}", out.display(), printable(&subject));
                eprintln!("whoever checks it needs this fingerprint of the site's key, on another way than the bundle: {fingerprint}");
                Ok(())
            }
            Action::Verify { bundle, key, countersigned, witness } => {
                let verdict = verify(&read(bundle)?, key.as_deref());
                print::out(&sentences(&verdict, key.as_deref()))?;
                let seen = countersigned.as_ref().zip(witness.as_ref());
                let seen = seen.zip(verdict.content.as_ref()).map(|((note, witness), (_, checked))| seen_by(note, witness, checked));
                if let Some(seen) = seen.transpose()? {
                    print::out(&seen)?;
                }
                if is_proven(&verdict) {
                    Ok(())
                } else {
                    Err(Failure::new(Code::Failed, "this bundle does not prove what it holds; see above"))
                }
            }
        }
    }
}

/// That the witness saw the very log that the bundle hangs on, and when.
fn seen_by(note: &PathBuf, witness: &VerifierKey, checked: &Checked) -> Result<String, Failure> {
    let text = read_note(note)?;
    let same = Checkpoint::read(&text).is_ok_and(|checkpoint| checkpoint.head == checked.head);
    if !same {
        let why = format!("{}: this is not the bundle's checkpoint, which has {} entries", note.display(), checked.head.size);
        return Err(Failure::new(Code::Failed, why));
    }
    Ok(format!("its log of {} entries{}\n", checked.head.size, witnessed(&text, witness)?))
}

/// A fingerprint as people copy it: in upper or lower case.
pub(super) fn fingerprint(text: &str) -> Result<String, String> {
    let digits = text.trim().to_ascii_lowercase();
    let right = digits.len() == FINGERPRINT_DIGITS && digits.bytes().all(|byte| byte.is_ascii_hexdigit());
    if right { Ok(digits) } else { Err(format!("a fingerprint has {FINGERPRINT_DIGITS} hexadecimal digits")) }
}

/// The bytes of a bundle; of one that is too large, enough to see that it is.
fn read(path: &Path) -> Result<Vec<u8>, Failure> {
    let mut bytes = Vec::new();
    let file = File::open(path).map_err(|e| Failure::input(path.display(), e))?;
    file.take(BUNDLE_BYTES_MAX as u64 + 1).read_to_end(&mut bytes).map_err(|e| Failure::input(path.display(), e))?;
    Ok(bytes)
}

/// True for both verdicts at their best.
pub fn is_proven(verdict: &Verdict) -> bool {
    verdict.authenticity == Authenticity::Authentic && matches!(verdict.content, Some((Redecoding::Same { .. }, _)))
}
