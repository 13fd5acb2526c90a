//! A signed bundle of advisories: a zip file with a `manifest` that names every file by its SHA-256, and `manifest.sig`, a signed note over it.
//!
//! The note is a checkpoint (C2SP tlog-checkpoint) under a name of its own, `nameplate/<16 digits>/advisories`, so that it can never be taken
//! for one of a ledger: its size is the number of files, its root the SHA-256 of the manifest.

use std::collections::BTreeMap;
use std::path::Path;

use nameplate_core::ledger::{Checkpoint, Head, PublicKey, SiteKey};
use nameplate_core::observation::hex;
use sha2::{Digest, Sha256};

use super::archive::{Archive, write};
use super::{Document, Reader, folder, is_beside, is_document};
use crate::failure::Failure;

/// The files' names.
const MANIFEST: &str = "manifest";
const SIGNATURE: &str = "manifest.sig";
/// What the manifest begins with.
const FIRST_LINE: &str = "nameplate advisories 1";
/// What stands before the signer's public key, in the second line.
const KEY: &str = "key ";
/// What is put behind the name of the signer's ledger.
const ORIGIN: &str = "/advisories";

/// Holds an archive against its manifest. `Ok(None)` where it has none.
///
/// With `trusted`, a public key or its fingerprint in hexadecimal digits, it must be signed by that key; without, whoever signed it is only
/// named: the fingerprint is what comes back.
///
/// # Errors
/// Why it is not believed.
pub fn check(archive: &Archive<'_>, trusted: Option<&str>) -> Result<Option<String>, String> {
    let text = |name: &str| -> Result<Option<String>, String> {
        let Some(entry) = archive.entries.iter().find(|entry| entry.name == name) else { return Ok(None) };
        String::from_utf8(archive.read(entry)?).map(Some).map_err(|_| format!("{name:?} is not UTF-8"))
    };
    let Some(manifest) = text(MANIFEST)? else {
        return if trusted.is_some() { Err("no signed bundle: it has no manifest".into()) } else { Ok(None) };
    };
    let note = text(SIGNATURE)?.ok_or("the bundle has a manifest and no manifest.sig")?;
    let (key, listed) = parse(&manifest)?;
    if trusted.is_some_and(|trusted| trusted != key.digits() && trusted != key.fingerprint()) {
        return Err(format!("signed by another key than the one that is trusted: {}", key.fingerprint()));
    }
    let signed = Checkpoint::open(&note, &key).map_err(|e| format!("manifest.sig: {e}"))?;
    if signed != over(&key, &manifest, listed.len()) {
        return Err("manifest.sig is over another manifest".into());
    }
    let files = archive.entries.iter().filter(|entry| entry.name != MANIFEST && entry.name != SIGNATURE);
    let mut found = 0;
    for entry in files {
        let expected = listed.get(entry.name.as_str()).ok_or_else(|| format!("the manifest does not name {:?}", entry.name))?;
        if hex(&Sha256::digest(archive.read(entry)?)) != **expected {
            return Err(format!("{:?} is another file than the manifest names", entry.name));
        }
        found += 1;
    }
    if found == listed.len() { Ok(Some(key.fingerprint())) } else { Err("a file that the manifest names is missing".into()) }
}

/// True for the two files that make an archive a bundle.
#[must_use]
pub fn is_own(name: &str) -> bool {
    name == MANIFEST || name == SIGNATURE
}

/// A bundle of all documents of a directory, with what stands beside them; how many files are in it.
///
/// # Errors
/// The directory cannot be read, holds a document that cannot be, or is too large.
pub fn make(root: &Path, key: &SiteKey) -> Result<(Vec<u8>, usize), Failure> {
    let files = documents(root)?;
    let lines = files.iter().map(|(name, bytes)| format!("{}  {name}\n", hex(&Sha256::digest(bytes))));
    let manifest = format!("{FIRST_LINE}\n{KEY}{}\n{}", key.public().digits(), lines.collect::<String>());
    let count = files.len();
    let note = over(&key.public(), &manifest, count).sign(key);
    let first = [(MANIFEST.to_owned(), manifest.into_bytes()), (SIGNATURE.to_owned(), note.into_bytes())];
    let all: Vec<(String, Vec<u8>)> = first.into_iter().chain(files).collect();
    let bytes = write(&all).map_err(|why| Failure::input(root.display(), why))?;
    Archive::of(&bytes).map_err(|why| Failure::input(root.display(), why))?;
    Ok((bytes, count))
}

/// All documents of a directory, with what stands beside them, by their names below it.
///
/// # Errors
/// The directory cannot be read, or holds a document that cannot be.
pub fn documents(root: &Path) -> Result<BTreeMap<String, Vec<u8>>, Failure> {
    let mut reader = Reader::new(|_: Document| {});
    reader.path(root)?;
    if let Some(problem) = reader.problems.first() {
        return Err(Failure::input(&problem.file, format!("{}; a bundle holds documents that can be read", problem.why)));
    }
    let mut files = BTreeMap::new();
    for path in folder::files(root)? {
        let name: Option<Vec<&str>> = path.strip_prefix(root).unwrap_or(&path).iter().map(|part| part.to_str()).collect();
        let name = name.ok_or_else(|| Failure::input(path.display(), "its name is not UTF-8"))?.join("/");
        if is_document(&name) || is_beside(&name) {
            files.insert(name, std::fs::read(&path).map_err(|e| Failure::input(path.display(), e))?);
        }
    }
    Ok(files)
}

/// What is signed.
fn over(key: &PublicKey, manifest: &str, files: usize) -> Checkpoint {
    Checkpoint { origin: key.origin() + ORIGIN, head: Head { size: files as u64, root: Sha256::digest(manifest).into() } }
}

fn parse(manifest: &str) -> Result<(PublicKey, BTreeMap<&str, &str>), String> {
    let mut lines = manifest.lines();
    if lines.next() != Some(FIRST_LINE) {
        return Err("its manifest is none of ours".into());
    }
    let key = lines.next().and_then(|line| PublicKey::from_digits(line.strip_prefix(KEY)?)).ok_or("the manifest names no key")?;
    let mut listed = BTreeMap::new();
    for line in lines {
        let (sha256, name) = line.split_once("  ").ok_or("a line of the manifest is no hash and name")?;
        if listed.insert(name, sha256).is_some() {
            return Err(format!("the manifest names {name:?} twice"));
        }
    }
    Ok((key, listed))
}
