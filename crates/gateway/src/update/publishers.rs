//! Whom the owner trusts to publish what: one file for each, `NAME.pub`, in a folder that only root writes. Nobody is trusted before a person put the file
//! there, and no update can name another key. Beside them stand OpenPGP keys of those who sign each document, `NAME.asc`.

use std::collections::BTreeMap;
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use nameplate_core::ledger::PublicKey;
use nameplate_core::update::{Kind, is_publisher};
use serde::Deserialize;

use super::manifest::Manifest;
use crate::advisories::{PublisherKeys, bytes_of};
use crate::failure::Failure;

/// Where the package has them.
pub const DIRECTORY: &str = "/etc/nameplate/publishers";
/// How their files' names end.
const ENDING: &str = "pub";
const OPENPGP_ENDING: &str = "asc";
/// Largest file: a key, a few words, and what people write beside them.
const FILE_BYTES_MAX: u64 = 16 * 1024;
/// Largest file of OpenPGP keys: what others signed of them stands in it, too.
const OPENPGP_BYTES_MAX: u64 = 1 << 20;
/// Publishers of one site: each is one to look after.
const PUBLISHERS_MAX: usize = 100;
/// Bits of a mode that let others than the owner write.
#[cfg(unix)]
const OTHERS_WRITE: u32 = 0o022;

/// All of them.
#[derive(Clone, Debug, Default)]
pub struct Publishers {
    /// Where they are named.
    directory: PathBuf,
    named: BTreeMap<String, Named>,
}

/// A publisher.
#[derive(Clone, Debug)]
pub struct Named {
    /// Its key.
    pub key: PublicKey,
    /// What it may publish.
    pub kinds: Vec<Kind>,
}

/// A publisher's file.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    key: String,
    kinds: Vec<Kind>,
}

impl Publishers {
    /// Reads a folder; where there is none, nobody is trusted.
    ///
    /// # Errors
    /// A file that cannot be read, is none, or could be written by others.
    pub fn read(directory: &Path) -> Result<Self, Failure> {
        let mut publishers = Self { directory: directory.to_owned(), named: BTreeMap::new() };
        let cannot = |path: &Path, e: std::io::Error| Failure::input(path.display(), e);
        let entries = match fs::read_dir(directory) {
            Ok(entries) => entries,
            Err(e) if e.kind() == ErrorKind::NotFound => return Ok(publishers),
            Err(e) => return Err(cannot(directory, e)),
        };
        check_owner(directory)?;
        for entry in entries {
            let path = entry.map_err(|e| cannot(directory, e))?.path();
            if path.extension().is_none_or(|ending| ending != ENDING) {
                continue;
            }
            if publishers.named.len() >= PUBLISHERS_MAX {
                return Err(Failure::input(directory.display(), format!("more than {PUBLISHERS_MAX} publishers")));
            }
            check_owner(&path)?;
            let (name, named) = read(&path).map_err(|why| Failure::input(path.display(), why))?;
            publishers.named.insert(name, named);
        }
        Ok(publishers)
    }

    /// Each by its name.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Named)> {
        self.named.iter().map(|(name, named)| (name.as_str(), named))
    }

    /// The text of a file that names this key, for these kinds.
    #[must_use]
    pub fn file_of(key: &PublicKey, kinds: &[Kind]) -> String {
        let kinds: Vec<String> = kinds.iter().map(|kind| format!("\"{kind}\"")).collect();
        format!("# fingerprint {}\nkey = \"{}\"\nkinds = [{}]\n", key.fingerprint(), key.digits(), kinds.join(", "))
    }

    /// Whether whoever signed this manifest is trusted for what it brings.
    ///
    /// # Errors
    /// Why not, and what to write where.
    pub fn trust(&self, manifest: &Manifest) -> Result<(), String> {
        let Manifest { publisher, key, kind, .. } = manifest;
        let file = self.directory.join(format!("{publisher}.{ENDING}"));
        let Some(named) = self.named.get(publisher) else {
            return Err(format!(
                "nobody here trusts the publisher {publisher}: where you do, ask for its key on another way than this stick, and put it into {}",
                file.display()
            ));
        };
        if named.key != *key {
            return Err(format!(
                "it is signed by the key {}, and the key of {publisher} in {} is {}",
                key.fingerprint(),
                file.display(),
                named.key.fingerprint()
            ));
        }
        if !named.kinds.contains(kind) {
            return Err(format!("{publisher} may not publish {kind}: {} says what it may", file.display()));
        }
        Ok(())
    }
}

/// The OpenPGP keys of who signs each document, in a folder of publishers.
///
/// # Errors
/// A sentence: a name that is none, a file that is missing or holds no such key, or one that could be written by others.
pub fn openpgp(directory: &Path, name: &str) -> Result<PublisherKeys, String> {
    if !is_publisher(name) {
        return Err(format!("{name:?}: a publisher's name has small letters, digits and hyphens"));
    }
    let path = directory.join(format!("{name}.{OPENPGP_ENDING}"));
    let said = |why: String| format!("{}: {why}", path.display());
    let bytes = bytes_of(&path, OPENPGP_BYTES_MAX).map_err(said)?;
    for trusted in [directory, &path] {
        check_owner(trusted).map_err(|failure| failure.why)?;
    }
    PublisherKeys::of(&bytes).map_err(said)
}

/// A publisher's file: its name and what it says.
fn read(path: &Path) -> Result<(String, Named), String> {
    let name = path.file_stem().and_then(|stem| stem.to_str()).filter(|name| is_publisher(name));
    let name = name.ok_or("a publisher's name has small letters, digits and hyphens")?.to_owned();
    let bytes = bytes_of(path, FILE_BYTES_MAX)?;
    let text = String::from_utf8(bytes).map_err(|_| "it is not UTF-8")?;
    let File { key, kinds } = toml::from_str(&text).map_err(|e| e.to_string().trim().replace('\n', "; "))?;
    let key = PublicKey::from_digits(&key).ok_or("key: this is no public key (64 hexadecimal digits)")?;
    if kinds.is_empty() {
        return Err("kinds: it names none of \"advisories\", \"profiles\" and \"program\"".into());
    }
    Ok((name, Named { key, kinds }))
}

/// Whoever writes there says who is trusted: root or this account, and nobody else.
#[cfg(unix)]
fn check_owner(path: &Path) -> Result<(), Failure> {
    use std::os::unix::fs::MetadataExt;
    let of = fs::metadata(path).map_err(|e| Failure::input(path.display(), e))?;
    let own = nix::unistd::geteuid().as_raw();
    if of.mode() & OTHERS_WRITE != 0 {
        return Err(Failure::input(
            path.display(),
            format!("other accounts can write it, and it says who is trusted: chmod go-w {}", path.display()),
        ));
    }
    if of.uid() != 0 && of.uid() != own {
        return Err(Failure::input(
            path.display(),
            format!("it belongs to another account, and it says who is trusted: chown root {}", path.display()),
        ));
    }
    Ok(())
}

#[cfg(not(unix))]
fn check_owner(_path: &Path) -> Result<(), Failure> {
    Ok(())
}
