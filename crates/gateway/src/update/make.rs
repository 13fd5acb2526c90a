//! The publisher's side: a key, and files packed under it.

use std::collections::BTreeMap;
use std::fs::OpenOptions;
use std::io::Write;
use std::path::Path;

use nameplate_core::advisory::exploitation::{Exploitations, LIST_BYTES_MAX, ListKind};
use nameplate_core::ledger::{KEY_BYTES, SiteKey};
use nameplate_core::observation::hex;
use nameplate_core::update::Kind;
use sha2::{Digest, Sha256};

use super::manifest::{Fitting, Manifest};
use super::sealed::{DOCUMENTS, LISTS, MANIFEST, PACKAGE, PROFILES, SIGNATURE, Sealed};
use crate::advisories;
use crate::advisories::archive::write;
use crate::failure::{Code, Failure};
use crate::key;

/// Files by their names in an update.
pub type Files = BTreeMap<String, Vec<u8>>;

/// What a publisher says of an update.
pub struct Said {
    /// Who publishes it.
    pub publisher: String,
    /// What it is of.
    pub kind: Kind,
    /// Rises with each.
    pub version: u64,
    /// When it is made, in seconds since 1970.
    pub made_s: u64,
    /// How long it is good, in seconds.
    pub good_s: u64,
    /// What it fits.
    pub fitting: Option<Fitting>,
}

/// Makes a publisher's key in a file of its own, which must not be there yet.
///
/// # Errors
/// There is such a file, or it cannot be written.
pub fn make_key(path: &Path) -> Result<SiteKey, Failure> {
    let cannot = |e: &dyn std::fmt::Display| Failure::input(path.display(), format!("the key cannot be made: {e}"));
    let mut seed = [0; KEY_BYTES];
    getrandom::fill(&mut seed).map_err(|e| cannot(&e))?;
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let written = options.open(path).and_then(|mut file| {
        file.write_all(format!("{}\n", hex(&seed)).as_bytes())?;
        file.sync_all()
    });
    written.map_err(|e| cannot(&e))?;
    Ok(SiteKey::of(&seed))
}

/// A publisher's key.
///
/// # Errors
/// There is no such file, or it holds no key.
pub fn read_key(path: &Path) -> Result<SiteKey, Failure> {
    key::read_file(path)?.ok_or_else(|| Failure::input(path.display(), "there is no such key; `nameplate update key` makes one"))
}

/// Documents of a directory, and lists. All of them can be read.
///
/// # Errors
/// One of them cannot.
pub fn of_advisories(documents: Option<&Path>, lists: &[(ListKind, &Path)]) -> Result<Files, Failure> {
    let documents = documents.map(advisories::documents).transpose()?.unwrap_or_default();
    let mut files: Files = documents.into_iter().map(|(name, bytes)| (DOCUMENTS.to_owned() + &name, bytes)).collect();
    for (kind, path) in lists {
        let bytes = advisories::bytes_of(path, LIST_BYTES_MAX as u64).map_err(|e| Failure::input(path.display(), e))?;
        advisories::take(&mut Exploitations::default(), *kind, &bytes).map_err(|e| Failure::input(path.display(), e))?;
        let ending = path.extension().and_then(|ending| ending.to_str()).unwrap_or("list");
        files.insert(format!("{LISTS}{}.{ending}", list_name(*kind)), bytes);
    }
    Ok(files)
}

/// Profiles of a directory. Each holds what its examples promise, within the set that they make.
///
/// # Errors
/// One of them does not.
pub fn of_profiles(directory: &Path) -> Result<Files, Failure> {
    let texts = crate::profiles::read(directory)?;
    super::profiles::tested(&texts).map_err(|why| Failure::input(directory.display(), why))?;
    Ok(texts.into_iter().map(|(id, text)| (format!("{PROFILES}{id}.toml"), text.into_bytes())).collect())
}

/// A package of the program, and what it says of itself.
///
/// # Errors
/// It is none.
#[cfg(unix)]
pub fn of_program(package: &Path) -> Result<(Fitting, Files), Failure> {
    let super::program::Package { version, architecture, state } = super::program::Package::read(package)?;
    let bytes = advisories::bytes_of(package, nameplate_core::advisory::csaf::FILE_BYTES_MAX as u64)
        .map_err(|e| Failure::input(package.display(), e))?;
    Ok((Fitting::Program { version, architecture, state }, BTreeMap::from([(PACKAGE.to_owned(), bytes)])))
}

/// A package is read by dpkg.
///
/// # Errors
/// Always.
#[cfg(not(unix))]
pub fn of_program(package: &Path) -> Result<(Fitting, Files), Failure> {
    Err(Failure::input(package.display(), "a package is read by dpkg, which is not here"))
}

/// A list's name in an update.
pub const fn list_name(kind: ListKind) -> &'static str {
    match kind {
        ListKind::Kev => "kev",
        ListKind::Ssvc => "ssvc",
        ListKind::Epss => "epss",
    }
}

/// Packs and signs files; the same files give the same bytes. What came out is opened as its reader does.
///
/// # Errors
/// There are no files, they are too large, or what is said of them is nothing that a reader takes.
pub fn pack(said: Said, files: Files, key: &SiteKey) -> Result<Vec<u8>, Failure> {
    let Said { publisher, kind, version, made_s, good_s, fitting } = said;
    let usage = |why: String| Failure::new(Code::Usage, why);
    if files.is_empty() {
        return Err(usage("there is nothing to put into the update".into()));
    }
    let listed = files.iter().map(|(name, bytes)| (name.clone(), (hex(&Sha256::digest(bytes)), bytes.len() as u64)));
    let expires_s = made_s.saturating_add(good_s);
    let manifest = Manifest { key: key.public(), publisher, kind, version, made_s, expires_s, fitting, files: listed.collect() };
    let first = [(MANIFEST.to_owned(), manifest.text().into_bytes()), (SIGNATURE.to_owned(), manifest.sign(key).into_bytes())];
    let all: Vec<(String, Vec<u8>)> = first.into_iter().chain(files).collect();
    let bytes = write(&all).map_err(usage)?;
    Sealed::open(&bytes).and_then(|sealed| sealed.check_files()).map_err(usage)?;
    Ok(bytes)
}
