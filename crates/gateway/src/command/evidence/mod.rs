//! `nameplate evidence`: a bundle for an auditor, and the check of one without any state.

mod export;
pub mod page;
mod sentences;
mod stamp;

use std::fs::{File, OpenOptions};
use std::io::{Read, Write};
use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use nameplate_core::evidence::{Authenticity, BUNDLE_BYTES_MAX, Checked, Redecoding, Verdict, check, verify};
use nameplate_core::ledger::{Checkpoint, VerifierKey};
use nameplate_core::text::printable;

pub use export::{Exported, Prepared, export};
use page::{Inside, of_checked};
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
    /// Write a bundle's page for people into a file: made again from what the bundle holds, after all of it was checked but whose it is
    #[command(
        after_help = "The page is one file without a script that loads nothing. It stands in the bundle, too, under the key `page`.\n\n\
                            Example:\n  nameplate evidence show WO-4711.evidence --output WO-4711.html"
    )]
    Show {
        /// The bundle
        #[arg(value_name = "BUNDLE")]
        bundle: PathBuf,
        /// The page; a file that is there already is not overwritten
        #[arg(long, value_name = "FILE")]
        output: PathBuf,
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
        /// An authority's answer to `nameplate evidence stamp` (RFC 3161): its time stamp of the bundle's checkpoint
        #[arg(long, value_name = "FILE", requires = "authority")]
        stamp: Option<PathBuf>,
        /// The authority's own certificate, as you have it on another way than the answer: PEM or DER
        #[arg(long, value_name = "FILE", requires = "stamp")]
        authority: Option<PathBuf>,
    },
    /// Write what is sent to a time-stamping authority (RFC 3161), so that it says when the bundle's checkpoint was there
    #[command(
        after_help = "The question holds a hash and nothing else of the bundle. Carry it to a machine that has a network, have it answered, and keep the\n\
                            answer beside the bundle.\n\n\
                            Examples:\n  nameplate evidence stamp WO-4711.evidence --request WO-4711.tsq\n  \
                            curl -H \"Content-Type: application/timestamp-query\" --data-binary @WO-4711.tsq <authority> >WO-4711.tsr\n  \
                            nameplate evidence verify WO-4711.evidence --key <fingerprint> --stamp WO-4711.tsr --authority authority.pem"
    )]
    Stamp {
        /// The bundle
        #[arg(value_name = "BUNDLE")]
        bundle: PathBuf,
        /// The question; a file that is there already is not overwritten
        #[arg(long, value_name = "FILE")]
        request: PathBuf,
    },
}

impl Action {
    /// Whether the page inside a bundle is what this program makes of it, in a sentence.
    ///
    /// # Errors
    /// It bears this program's name and says something else.
    fn compared(inside: &Inside) -> Result<String, Failure> {
        match inside {
            Inside::Same => Ok("page: the same again: it says what the bundle holds\n".to_owned()),
            Inside::Files(count) => Ok(format!(
                "page: a list of {}; `nameplate handover verify` holds files against it, and so does sha256sum --check\n",
                print::count(*count as u64, "file")
            )),
            Inside::OfAnother(maker) => Ok(format!(
                "page: made by {}, not compared; `nameplate evidence show` makes one of what the bundle holds\n",
                printable(maker)
            )),
            Inside::Different => {
                Err(Failure::new(Code::Failed, "the page inside is not what this program makes of the bundle; do not believe what it says"))
            }
        }
    }
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
            Action::Show { bundle, output } => {
                let checked = whole(bundle)?;
                let (page, inside) = of_checked(&checked);
                write_new(output, page.as_bytes())?;
                eprintln!("{}: what the bundle holds about {}", output.display(), printable(&checked.subject));
                eprint!("{}", Action::compared(&inside)?);
                Ok(())
            }
            Action::Stamp { bundle, request } => {
                write_new(request, &crate::stamp::request(&whole(bundle)?.checkpoint))?;
                eprintln!(
                    "{}: the question for a time-stamping authority; it holds the hash of the bundle's checkpoint",
                    request.display()
                );
                Ok(())
            }
            Action::Verify { bundle, key, countersigned, witness, stamp, authority } => {
                let verdict = verify(&read(bundle)?, key.as_deref());
                print::out(&sentences(&verdict, key.as_deref()))?;
                let seen = countersigned.as_ref().zip(witness.as_ref());
                let seen = seen.zip(verdict.content.as_ref()).map(|((note, witness), (_, checked))| seen_by(note, witness, checked));
                if let Some(seen) = seen.transpose()? {
                    print::out(&seen)?;
                }
                let stamp = stamp.as_ref().zip(authority.as_ref()).zip(verdict.content.as_ref());
                if let Some(((answer, authority), (_, checked))) = stamp {
                    print::out(&stamp::stamped(answer, authority, checked)?)?;
                }
                if let Some((_, checked)) = &verdict.content {
                    print::out(&Action::compared(&of_checked(checked).1)?)?;
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

/// A bundle of which all hangs together, whoever signed it.
fn whole(bundle: &Path) -> Result<Checked, Failure> {
    check(&read(bundle)?).map_err(|e| Failure::new(Code::Failed, format!("refused: {}", printable(&e.why))))
}

/// Writes a file that is not there yet.
fn write_new(path: &Path, bytes: &[u8]) -> Result<(), Failure> {
    let file = OpenOptions::new().write(true).create_new(true).open(path);
    file.and_then(|mut file| file.write_all(bytes)).map_err(|e| Failure::input(path.display(), e))
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
pub fn fingerprint(text: &str) -> Result<String, String> {
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
