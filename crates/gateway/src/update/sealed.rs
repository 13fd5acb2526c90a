//! An update file: a zip file with `manifest`, `manifest.sig` and what the manifest names, and nothing else.

use nameplate_core::observation::hex;
use nameplate_core::update::{Kind, Offer};
use sha2::{Digest, Sha256};

use super::manifest::Manifest;
use crate::advisories::archive::{Archive, Entry};

/// The manifest's name in the file.
pub const MANIFEST: &str = "manifest";
/// Its signature's.
pub const SIGNATURE: &str = "manifest.sig";
/// The folder of documents.
pub const DOCUMENTS: &str = "advisories/";
/// The folder of lists: `kev`, `ssvc`, `epss`, each with an ending.
pub const LISTS: &str = "lists/";
/// The folder of profiles.
pub const PROFILES: &str = "profiles/";
/// The program's package.
pub const PACKAGE: &str = "nameplate.deb";

/// A file whose manifest is signed by the key that it names. Whether anybody trusts that key is another matter, and its files are not looked at yet.
pub struct Sealed<'a> {
    /// The zip file.
    pub archive: Archive<'a>,
    /// What it says of itself.
    pub manifest: Manifest,
    /// The same, as the ledger is told.
    pub offer: Offer,
}

impl<'a> Sealed<'a> {
    /// Opens one.
    ///
    /// # Errors
    /// It is none, or is not signed by the key that it names.
    pub fn open(bytes: &'a [u8]) -> Result<Self, String> {
        let archive = Archive::of(bytes)?;
        let text = |name: &str| -> Result<String, String> {
            let entry =
                archive.entries.iter().find(|entry| entry.name == name).ok_or_else(|| format!("this is no update: it has no {name}"))?;
            String::from_utf8(archive.read(entry)?).map_err(|_| format!("{name} is not UTF-8"))
        };
        let manifest = Manifest::of(&text(MANIFEST)?)?;
        manifest.check(&text(SIGNATURE)?)?;
        let offer = manifest.offer();
        Ok(Self { archive, manifest, offer })
    }

    /// Its files, without manifest and signature.
    pub fn files(&self) -> impl Iterator<Item = &Entry> {
        self.archive.entries.iter().filter(|entry| entry.name != MANIFEST && entry.name != SIGNATURE)
    }

    /// Holds each file against the manifest.
    ///
    /// # Errors
    /// One is another, is missing, is not named, or has no place in an update of this kind.
    pub fn check_files(&self) -> Result<(), String> {
        let mut found = 0;
        for entry in self.files() {
            let (sha256, bytes) =
                self.manifest.files.get(&entry.name).ok_or_else(|| format!("the manifest does not name {:?}", entry.name))?;
            let content = self.archive.read(entry)?;
            if content.len() as u64 != *bytes || hex(&Sha256::digest(&content)) != *sha256 {
                return Err(format!("{:?} is another file than the manifest names", entry.name));
            }
            if !belongs(self.manifest.kind, &entry.name) {
                return Err(format!("{:?} has no place in an update of {}", entry.name, self.manifest.kind));
            }
            found += 1;
        }
        if found == self.manifest.files.len() { Ok(()) } else { Err("a file that the manifest names is missing".into()) }
    }
}

/// Whether a file of this name may be in an update of this kind.
fn belongs(kind: Kind, name: &str) -> bool {
    match kind {
        Kind::Advisories => name.starts_with(DOCUMENTS) || name.starts_with(LISTS),
        Kind::Profiles => name.starts_with(PROFILES) && name.ends_with(".toml") && name.split('/').count() == 3,
        Kind::Program => name == PACKAGE,
    }
}
