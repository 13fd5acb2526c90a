//! What opens something, in `secrets.json` of the state directory, for this account of the machine alone. Who loses it makes new links and
//! tokens; nothing else is lost.

use std::collections::BTreeMap;
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::failure::Failure;
use crate::key::{sync_directory, write_private};

/// The file in the state directory.
const FILE: &str = "secrets.json";
/// Where it is written before it gets its name, so that a power cut leaves the one or the other.
const NEW: &str = "secrets.json.new";
/// The form of the file.
const VERSION: u32 = 1;

/// All secrets. No `Debug`: they are printed nowhere.
#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Secrets {
    version: u32,
    /// Argon2id in the PHC string format, by the account's [`key`](nameplate_core::account::key).
    pub passwords: BTreeMap<String, String>,
    /// The id of each token by the SHA-256 of its secret, lower case hexadecimal.
    pub tokens: BTreeMap<String, String>,
    /// One link per account, by the same key.
    pub links: BTreeMap<String, Link>,
}

/// A link that sets a password once.
#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Link {
    /// SHA-256 of its secret, lower case hexadecimal.
    pub sha256: String,
    /// Until when it is good, in nanoseconds since 1970.
    pub expires_ns: u64,
    /// The account's [`turn`](nameplate_core::account::Account::turn) when it was made: behind the next, it is void.
    pub turn: u64,
}

impl Default for Secrets {
    fn default() -> Self {
        Self { version: VERSION, passwords: BTreeMap::new(), tokens: BTreeMap::new(), links: BTreeMap::new() }
    }
}

/// Where they are kept.
pub(super) struct Shelf {
    directory: PathBuf,
}

impl Shelf {
    pub fn of(directory: &Path) -> Self {
        Self { directory: directory.to_owned() }
    }

    /// The secrets; none where there is no file.
    ///
    /// # Errors
    /// The file is there and is none of ours, or cannot be read.
    pub fn read(&self) -> Result<Secrets, Failure> {
        let path = self.directory.join(FILE);
        let bytes = match fs::read(&path) {
            Ok(bytes) => bytes,
            Err(e) if e.kind() == ErrorKind::NotFound => return Ok(Secrets::default()),
            Err(e) => return Err(Failure::input(path.display(), format!("the secrets cannot be read: {e}"))),
        };
        // What stands in it is a secret, so an error says where, and not what.
        let damaged = |e: serde_json::Error| {
            let why = format!(
                "the secrets are damaged (line {}, column {}); restore the file from its backup, or move it away and make new links with \
                 `nameplate account link`",
                e.line(),
                e.column()
            );
            Failure::input(path.display(), why)
        };
        let secrets: Secrets = serde_json::from_slice(&bytes).map_err(damaged)?;
        if secrets.version != VERSION {
            let why = format!("the secrets are of version {}, and this program knows version {VERSION}", secrets.version);
            return Err(Failure::input(path.display(), why));
        }
        Ok(secrets)
    }

    /// Writes them, the whole file or none, and on disk.
    ///
    /// # Errors
    /// The system's.
    pub fn write(&self, secrets: &Secrets) -> Result<(), Failure> {
        let (path, new) = (self.directory.join(FILE), self.directory.join(NEW));
        // Texts and numbers by text: serialising them cannot fail.
        let json = serde_json::to_vec_pretty(secrets).unwrap_or_default();
        // What a power cut left may be anybody's to read; a new file is ours alone.
        let removed = match fs::remove_file(&new) {
            Err(e) if e.kind() != ErrorKind::NotFound => Err(e),
            _ => Ok(()),
        };
        let written = removed.and_then(|()| write_private(&new, &json)).and_then(|()| fs::rename(&new, &path));
        written
            .and_then(|()| sync_directory(&self.directory))
            .map_err(|e| Failure::input(path.display(), format!("the secrets cannot be written: {e}; make a new link or token")))
    }
}
