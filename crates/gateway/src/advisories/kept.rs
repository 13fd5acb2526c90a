//! Advisories out of the ledger: by hash, as of any moment; and the compiled form beside it, so that they are not read anew each time.

use std::collections::HashSet;
use std::fs::{self, File};
use std::io::Read;
use std::path::{Path, PathBuf};

use nameplate_core::advisory::compiled::{Known, sources};
use nameplate_core::advisory::exploitation::{Exploitations, ListKind};
use nameplate_core::advisory::{Advisories, Held};

use crate::failure::Failure;
use crate::key::write_private;
use crate::store::Store;

/// The compiled form's file in the state directory. It can be deleted at any time.
const FILE: &str = "advisories.compiled";
/// Where it is written before it gets its name.
const NEW: &str = "advisories.compiled.new";
/// Largest compiled form that is read; that of the public corpus has some 20 MB.
const COMPILED_BYTES_MAX: u64 = 2 << 30;

/// What is known from the advisories and lists that a view of this store holds.
///
/// # Errors
/// A document that the ledger names is not there, is damaged, or can no longer be read.
pub fn kept(store: &Store, held: &Held) -> Result<Known, Failure> {
    if held.documents().next().is_none() && held.lists().is_empty() {
        return Ok(Known::default());
    }
    let documents = held.documents().map(|document| document.sha256.as_str());
    let sources = sources(documents.chain(held.lists().iter().map(|list| list.sha256.as_str())));
    let path = store.directory().join(FILE);
    if let Some(known) = compiled(&path).and_then(|bytes| Known::of_compiled(&bytes, &sources).ok()) {
        return Ok(known);
    }
    let known = read(store, held)?;
    // Only a note: where it cannot be written, the next run reads the documents again.
    let new: PathBuf = store.directory().join(NEW);
    let _ = write_private(&new, &known.compiled(&sources)).and_then(|()| fs::rename(&new, &path));
    Ok(known)
}

/// From the documents themselves.
fn read(store: &Store, held: &Held) -> Result<Known, Failure> {
    let payload = |what: &str, sha256: &str| {
        let gone = || Failure::input(what, format!("its bytes ({sha256}) are not in the ledger"));
        store.payload(sha256)?.ok_or_else(gone)
    };
    let mut set = Advisories::default();
    for document in held.documents() {
        let bytes = payload(&document.file, &document.sha256)?;
        let read = super::read(&document.file, bytes).map_err(|e| Failure::input(&document.file, e))?;
        for (advisory, _) in read {
            set.take(advisory);
        }
    }
    let mut exploitations = Exploitations::default();
    for list in held.lists() {
        let bytes = payload(&list.file, &list.sha256)?;
        take(&mut exploitations, list.kind, &bytes).map_err(|e| Failure::input(&list.file, e))?;
    }
    let advisories = set.into_current();
    let cves: HashSet<&str> =
        advisories.iter().flat_map(|advisory| &advisory.vulnerabilities).map(|vulnerability| vulnerability.cve.as_str()).collect();
    exploitations.retain(|cve| cves.contains(cve));
    Ok(Known { advisories, exploitations })
}

/// Takes a list in; returns its number of CVEs.
///
/// # Errors
/// It is no such list.
pub fn take(
    exploitations: &mut Exploitations,
    kind: ListKind,
    bytes: &[u8],
) -> Result<u32, nameplate_core::advisory::exploitation::BadList> {
    match kind {
        ListKind::Kev => exploitations.take_kev(bytes),
        ListKind::Ssvc => exploitations.take_ssvc(bytes),
        ListKind::Epss => exploitations.take_epss(bytes),
    }
}

fn compiled(path: &Path) -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    File::open(path).ok()?.take(COMPILED_BYTES_MAX).read_to_end(&mut bytes).ok()?;
    Some(bytes)
}
