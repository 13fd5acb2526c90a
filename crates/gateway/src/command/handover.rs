//! `nameplate handover`: the site's devices and findings as signed files, and the check of such files without any state.

use std::collections::BTreeMap;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use nameplate_core::evidence::{BUNDLE_BYTES_MAX, verify};
use nameplate_core::ledger::Body;
use nameplate_core::observation::hex;
use nameplate_core::sshsig;
use nameplate_core::text::printable;
use sha2::{Digest, Sha256};

use super::check::source::Sources;
use super::evidence::{Prepared, fingerprint, is_proven, sentences};
use crate::cli::Options;
use crate::failure::{Code, Failure};
use crate::handover::{LIST, NAMESPACE, PROOF, SIGNATURE, SUBJECT, Signed, Site, files, folder, listed, signed, subject};
use crate::store::{Draft, Store, now_ns};
use crate::{print, profiles, state};

/// What a folder's name ends with while it is written: a reader takes no other.
const UNFINISHED: &str = ".part";

/// Write what is known as signed files for IT's patch servers, and check such files without any state.
#[derive(Debug, Args)]
#[command(after_help = "A hand-over is a folder: the devices as NDJSON, CSV, XLSX, CycloneDX 1.6 and Asset Administration Shells,\n\
                        the findings as NDJSON, CSV and a CSAF VEX document, a\n\
                        signature of each for `ssh-keygen -Y verify`, SHA256SUMS, and handover.evidence, which proves that the site's ledger\n\
                        lists exactly these files. docs/handover.md says what stands where.\n\n\
                        Examples:\n  nameplate handover write /srv/handover --site \"Pump hall 2\"\n  \
                        nameplate handover key >>allowed_signers\n  \
                        nameplate handover verify /srv/handover/nameplate-0123456789abcdef-4711 --key <fingerprint of the site's key>")]
pub struct Handovers {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Write a folder of its own into a directory, under its last name only when all of it is there; where nothing is new, none
    #[command(after_help = "Example:\n  nameplate handover write /srv/handover --site \"Pump hall 2\"")]
    Write {
        /// The directory; it is made where it is not there
        #[arg(value_name = "DIRECTORY")]
        directory: PathBuf,
        /// What the site is called in the files [default: the name of its ledger]
        #[arg(long, value_name = "NAME")]
        site: Option<String>,
    },
    /// Check a folder: that the site's ledger lists exactly these files. Needs no state and no network
    #[command(after_help = "Exit code 0 where all of it holds, 6 where something does not, 3 where a file cannot be read.\n\n\
                            Example:\n  nameplate handover verify /srv/handover/nameplate-0123456789abcdef-4711 --key <fingerprint of the site's key>")]
    Verify {
        /// The folder
        #[arg(value_name = "FOLDER")]
        folder: PathBuf,
        /// Fingerprint of the site's key, as the site gave it to you on another way than the files
        #[arg(long, value_name = "FINGERPRINT", value_parser = fingerprint)]
        key: Option<String>,
    },
    /// Print the line of the site's key for OpenSSH's allowed_signers
    #[command(after_help = "Example:\n  nameplate handover key >>allowed_signers\n  \
                            ssh-keygen -Y verify -f allowed_signers -I nameplate/0123456789abcdef -n nameplate-handover -s devices.csv.sig <devices.csv")]
    Key,
}

impl Handovers {
    /// Runs the command.
    ///
    /// # Errors
    /// The state, a folder that cannot be written or read, files that are not those that were handed over.
    pub fn run(&self, options: &Options) -> Result<(), Failure> {
        match &self.action {
            Action::Write { directory, site } => write(options, directory, site.as_deref()),
            Action::Verify { folder, key } => check(folder, key.as_deref()),
            Action::Key => {
                let state = state::directory(options.state.as_ref())?;
                let none = || Failure::input(state.display(), "there is no ledger, and no key");
                let store = Store::read(&state)?.ok_or_else(none)?;
                let (origin, key) = (store.keys().origin(), sshsig::public_key(store.public_key()));
                print::out(&format!("{origin} namespaces=\"{NAMESPACE}\" {key}\n"))
            }
        }
    }
}

fn write(options: &Options, directory: &Path, site: Option<&str>) -> Result<(), Failure> {
    let state = state::directory(options.state.as_ref())?;
    // For reading first, so that a wrong --state makes no new one.
    if Store::read(&state)?.is_none() {
        let why = "there is nothing to hand over: `nameplate listen FILE --keep` or `nameplate ask` begins a ledger";
        return Err(Failure::input(state.display(), why));
    }
    let mut store = Store::write(&state)?;
    let profiles = profiles::load(options)?;
    let (origin, entries) = (store.keys().origin(), told(&store)?);
    let site = Site { name: site.unwrap_or(&origin), origin: &origin, entries, at_ns: now_ns() };
    let folder = directory.join(folder(&site));
    if folder.exists() {
        eprintln!("{}: nothing is new since", folder.display());
        return Ok(());
    }
    let view = store.view(None)?;
    let sources = Sources::default();
    let source = sources.findings(Some((&store, &view)), site.at_ns)?;
    let files = files(&site, &view, &profiles, source.as_ref().map(|source| &source.findings))?;
    drop((view, source));
    let unfinished = folder.with_extension(UNFINISHED.trim_start_matches('.'));
    let cannot = |path: &Path, e: std::io::Error| Failure::input(path.display(), e);
    if unfinished.exists() {
        // Somebody pulled the plug while it was written; its name says that nobody took it.
        fs::remove_dir_all(&unfinished).map_err(|e| cannot(&unfinished, e))?;
    }
    fs::create_dir_all(&unfinished).map_err(|e| cannot(&unfinished, e))?;
    // The disk may be full: before the ledger says that files were handed over, they are there.
    let count = print::count(files.len() as u64, "file");
    let Signed { files, list } = signed(files, |bytes| store.sign_file(NAMESPACE, bytes))?;
    for (name, bytes) in &files {
        put(&unfinished, name, bytes)?;
    }
    let prepared = Prepared::of_keys(&store, &subject(&site))?;
    let index = store.size();
    store.append(&[Draft::new(now_ns(), prepared.listing(&list))])?;
    let (proof, _) = prepared.bundle(&store, list, index)?;
    put(&unfinished, PROOF, &proof)?;
    fs::rename(&unfinished, &folder).map_err(|e| cannot(&folder, e))?;
    sync(directory).map_err(|e| cannot(directory, e))?;
    eprintln!("{}: {count}, by the ledger up to entry {entries}", folder.display());
    eprintln!(
        "whoever checks them needs this fingerprint of the site's key, on another way than the files: {}",
        store.public_key().fingerprint()
    );
    Ok(())
}

/// Entries that there is something to tell of: that files were handed over is no news.
fn told(store: &Store) -> Result<u64, Failure> {
    let mut entries = store.size();
    while let Some(last) = entries.checked_sub(1) {
        match store.entry(last)?.body {
            Body::Evidence { subject, .. } if subject.starts_with(SUBJECT) => entries = last,
            _ => break,
        }
    }
    Ok(entries)
}

/// A file that is on the disk when this returns.
fn put(folder: &Path, name: &str, bytes: &[u8]) -> Result<(), Failure> {
    let path = folder.join(name);
    let written = fs::File::create_new(&path).and_then(|mut file| file.write_all(bytes).and_then(|()| file.sync_all()));
    written.map_err(|e| Failure::input(path.display(), e))
}

/// A name survives a power cut as well as what it names. Windows keeps names without being asked.
fn sync(directory: &Path) -> std::io::Result<()> {
    if cfg!(unix) { fs::File::open(directory)?.sync_all() } else { Ok(()) }
}

fn check(folder: &Path, pinned: Option<&str>) -> Result<(), Failure> {
    let read = |name: &str| {
        let path = folder.join(name);
        fs::read(&path).map_err(|e| Failure::input(path.display(), e))
    };
    let failed = |why: String| Failure::new(Code::Failed, why);
    let proof = folder.join(PROOF);
    let length = fs::metadata(&proof).map_err(|e| Failure::input(proof.display(), e))?.len();
    if length > BUNDLE_BYTES_MAX as u64 {
        return Err(failed(format!("{}: larger than a proof can be", proof.display())));
    }
    let verdict = verify(&read(PROOF)?, pinned);
    print::out(&sentences(&verdict, pinned))?;
    let Some((_, checked)) = &verdict.content else { return Err(failed(format!("{}: it proves nothing; see above", proof.display()))) };
    let names = listed(&checked.page).filter(|_| checked.subject.starts_with(SUBJECT));
    let names = names.ok_or_else(|| {
        failed(format!("{}: this bundle is about {}, and no list of files", proof.display(), printable(&checked.subject)))
    })?;
    if read(LIST)? != checked.page.as_bytes() {
        return Err(failed(format!("{}: not the list that is in the ledger", folder.join(LIST).display())));
    }
    for (name, sha256) in &names {
        if hex(&Sha256::digest(read(name)?)) != *sha256 {
            return Err(failed(format!("{}: not the file that was handed over: its SHA-256 is another", folder.join(name).display())));
        }
    }
    strangers(folder, &names)?;
    print::out(&format!("files: {}, each as the ledger lists it\n", names.len()))?;
    if is_proven(&verdict) {
        Ok(())
    } else {
        Err(failed("whose files these are is not known: give the fingerprint of the site's key with --key".to_owned()))
    }
}

/// A file that nobody vouches for has no place beside those that somebody does.
fn strangers(folder: &Path, names: &BTreeMap<&str, &str>) -> Result<(), Failure> {
    let cannot = |e| Failure::input(folder.display(), e);
    for entry in fs::read_dir(folder).map_err(cannot)? {
        let name = entry.map_err(cannot)?.file_name().to_string_lossy().into_owned();
        let of = name.strip_suffix(SIGNATURE).unwrap_or(&name);
        if name != PROOF && of != LIST && !names.contains_key(of) {
            let why = format!("{}: this file was not handed over", printable(&folder.join(&name).display().to_string()));
            return Err(Failure::new(Code::Failed, why));
        }
    }
    Ok(())
}
