//! `nameplate evidence`: a bundle for an auditor, and the check of one without any state.

use std::collections::BTreeMap;
use std::fs::{self, File, OpenOptions};
use std::io::{Read, Write};
use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use nameplate_core::evidence::{
    Authenticity, BUNDLE_BYTES_MAX, Bundle, DECODER, Difference, ENTRIES_MAX, FORMAT, Proven, Redecoding, Said, Selection, Verdict, verify,
};
use nameplate_core::ledger::Body;
use nameplate_core::observation::hex;
use nameplate_core::text::printable;

use crate::cli::Options;
use crate::failure::{Code, Failure};
use crate::store::{Draft, Store, now_ns};
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
    },
}

/// What was written.
#[derive(Clone, Debug)]
pub struct Exported {
    /// The device's whole id, or the work order.
    pub subject: String,
    /// Entries in the bundle.
    pub entries: usize,
    /// The site key's fingerprint.
    pub fingerprint: String,
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
            Action::Verify { bundle, key } => {
                let verdict = verify(&read(bundle)?, key.as_deref());
                print::out(&sentences(&verdict, key.as_deref()))?;
                if is_proven(&verdict) {
                    Ok(())
                } else {
                    Err(Failure::new(Code::Failed, "this bundle does not prove what it holds; see above"))
                }
            }
        }
    }
}

/// A fingerprint as people copy it: in upper or lower case.
fn fingerprint(text: &str) -> Result<String, String> {
    let digits = text.trim().to_ascii_lowercase();
    let right = digits.len() == FINGERPRINT_DIGITS && digits.bytes().all(|byte| byte.is_ascii_hexdigit());
    if right { Ok(digits) } else { Err(format!("a fingerprint has {FINGERPRINT_DIGITS} hexadecimal digits")) }
}

/// Writes the bundle of a subject: a device's id, or enough of its beginning, or a work order.
///
/// # Errors
/// The store's, a subject that it does not know, a file that is there already or cannot be written.
pub fn export(store: &mut Store, subject: &str, out: &Path) -> Result<Exported, Failure> {
    let view = store.view(None)?;
    let subject = view.catalog.asset(subject).map_or_else(|| subject.to_owned(), |asset| asset.id.clone());
    drop(view);
    let entries = select(store, &subject)?;
    let (payloads, profiles) = named(store, &entries)?;
    // Before the log says that there is a bundle, there is a place for it.
    let file = OpenOptions::new().write(true).create_new(true).open(out).map_err(|e| Failure::input(out.display(), e))?;
    let written = append(store, &subject, entries).and_then(|proven| {
        let key = store.public_key();
        let (checkpoint, origin, public_key) = (store.checkpoint().to_owned(), key.origin(), key.digits());
        let count = proven.len();
        let bundle = Bundle { checkpoint, entries: proven, format: FORMAT.to_owned(), origin, payloads, profiles, public_key };
        keep(&bundle, &key.fingerprint(), file, out)?;
        Ok(Exported { subject, entries: count, fingerprint: key.fingerprint() })
    });
    if written.is_err() {
        // Half a bundle is none; there is nothing more to say than the error does.
        let _ = fs::remove_file(out);
    }
    written
}

/// The entries that belong to the subject, from the whole log.
fn select(store: &Store, subject: &str) -> Result<Vec<u64>, Failure> {
    let mut selection = Selection::new(subject);
    for index in 0..store.size() {
        selection.take(&store.entry(index)?);
    }
    let unknown = || {
        let why = format!("no device has an id that begins with {subject:?}, and no change is of that work order; see `nameplate devices`");
        Failure::new(Code::Usage, why)
    };
    let indices = selection.indices().ok_or_else(unknown)?;
    if indices.len() >= ENTRIES_MAX {
        let why = format!("{} entries belong to it, and a bundle has at most {ENTRIES_MAX}", indices.len());
        return Err(Failure::input(subject, why));
    }
    Ok(indices)
}

/// Things by the SHA-256 that entries name them by.
type Named = BTreeMap<String, String>;

/// The payloads, in hexadecimal, and the profiles' texts that the entries name.
fn named(store: &Store, entries: &[u64]) -> Result<(Named, Named), Failure> {
    let (mut payloads, mut profiles) = (Named::new(), Named::new());
    for index in entries {
        let Body::Observation(observed) = store.entry(*index)?.body else { continue };
        let kept = |name: &String| {
            let missing = || {
                Failure::input(
                    format_args!("entry {index}"),
                    format!("its bytes {name} are not kept any more; there is no evidence without them"),
                )
            };
            store.payload(name)?.ok_or_else(missing)
        };
        for name in &observed.observation.messages {
            payloads.insert(name.clone(), hex(&kept(name)?));
        }
        if let Some(name) = &observed.profile_sha256 {
            let text = String::from_utf8(kept(name)?).map_err(|e| Failure::input(format_args!("profile {name}"), e))?;
            profiles.insert(name.clone(), text);
        }
    }
    Ok((payloads, profiles))
}

/// Writes into the log that the bundle exists and what is in it; gives all its entries with their proofs.
fn append(store: &mut Store, subject: &str, mut entries: Vec<u64>) -> Result<Vec<Proven>, Failure> {
    let body = Body::Evidence { subject: subject.to_owned(), entries: entries.clone() };
    entries.extend(store.append(vec![Draft::new(now_ns(), body)])?);
    let (tree, size) = (store.tree()?, store.size());
    let prove = |index: &u64| {
        let proof =
            tree.inclusion(*index, size).ok_or_else(|| Failure::input(format_args!("entry {index}"), "it has no place in the tree"))?;
        let record = String::from_utf8(store.record(*index)?).map_err(|e| Failure::input(format_args!("entry {index}"), e))?;
        Ok(Proven { index: *index, proof: proof.iter().map(|hash| hex(hash)).collect(), record })
    };
    entries.iter().map(prove).collect()
}

/// Writes the bundle if we would accept it ourselves.
fn keep(bundle: &Bundle, fingerprint: &str, mut file: File, out: &Path) -> Result<(), Failure> {
    let bytes = bundle.bytes();
    if let Authenticity::Refused(unsound) = verify(&bytes, Some(fingerprint)).authenticity {
        return Err(Failure::input(out.display(), format!("no bundle was written, because it would not be accepted: {unsound}")));
    }
    file.write_all(&bytes).and_then(|()| file.sync_all()).map_err(|e| Failure::input(out.display(), e))
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

/// Both verdicts as sentences.
pub fn sentences(verdict: &Verdict, pinned: Option<&str>) -> String {
    let mut text = match &verdict.authenticity {
        Authenticity::Authentic => "authentic: signed by the key that you pinned, every proof holds, nothing is missing\n".to_owned(),
        Authenticity::UnknownSigner { fingerprint } => {
            let told = if pinned.is_some() { "it is not the one that you gave" } else { "you gave none to compare it with (--key)" };
            format!("unknown signer {fingerprint}\n  all of it hangs together under the key with this fingerprint, but {told}\n")
        }
        Authenticity::Refused(unsound) => format!("refused: {}\n", printable(&unsound.why)),
    };
    let Some((redecoding, checked)) = &verdict.content else { return text };
    let entries = checked.entries.len();
    let last = checked.entries.last().map_or(0, |entry| entry.index);
    text += &format!("subject: {}, {entries} entries of a log of {}\n", printable(&checked.subject), last.saturating_add(1));
    text += &match redecoding {
        Redecoding::Same { observations, claims, decoders } => {
            let (read, claims) = (print::count(*observations as u64, "reading"), print::count(*claims as u64, "claim"));
            let by = if decoders.is_empty() { String::new() } else { format!(", recorded by {}", printable(&decoders.join(", "))) };
            format!("re-decoding: the same claims again: {read}, {claims}{by}, decoded again by {DECODER}\n")
        }
        Redecoding::Different(differences) => {
            format!("re-decoding: different in {}\n", print::count(differences.len() as u64, "reading"))
                + &differences.iter().map(difference).collect::<String>()
        }
        Redecoding::NotPossible(impossible) => impossible
            .iter()
            .fold("re-decoding: not possible\n".to_owned(), |text, (index, why)| text + &format!("  entry {index}: {}\n", printable(why))),
    };
    text
}

/// Both readings of one entry, each with its decoder; what is equal is left out.
fn difference(difference: &Difference) -> String {
    let Difference { index, decoder, recorded, now } = difference;
    let (before, after) = (lines(recorded), lines(now));
    let only = |mine: &[String], other: &[String]| {
        let own: Vec<String> = mine.iter().filter(|line| !other.contains(line)).map(|line| printable(line)).collect();
        if own.is_empty() { "nothing more".to_owned() } else { own.join("; ") }
    };
    format!(
        "  entry {index}\n    recorded by {}: {}\n    read now by {DECODER}: {}\n",
        printable(decoder),
        only(&before, &after),
        only(&after, &before)
    )
}

/// All that was read of an answer, a thing a line.
fn lines(said: &Said) -> Vec<String> {
    let Said { malformed, complete, exception, interpretation } = said;
    let mut lines = vec![format!("profile {:?}", interpretation.matched), format!("complete: {complete}")];
    lines.extend(exception.map(|code| format!("exception {code}")));
    lines.extend(malformed.iter().map(|what| format!("malformed: {what}")));
    lines.extend(interpretation.unreadable.iter().map(|(fact, shown)| format!("{fact} unreadable: {shown}")));
    lines.extend(interpretation.claims.iter().map(|claim| {
        let normal = claim.normal.as_ref().map(|normal| format!(" (in order as {normal})")).unwrap_or_default();
        let place = format!("{} in message {} from byte {}, {} bytes", claim.rule, claim.message, claim.offset, claim.length);
        format!(
            "{}.{} = {:?}{normal}, {} by {}, {place}",
            claim.component,
            claim.field.name(),
            claim.value,
            claim.grade.name(),
            claim.profile
        )
    }));
    lines
}
