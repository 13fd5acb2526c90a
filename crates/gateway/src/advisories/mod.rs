//! Advisories from files: a document, a directory of them, or a zip file. What cannot be read is named and does not stop the rest.

pub(crate) mod archive;
mod beside;
mod bundle;
mod folder;
mod kept;
mod openpgp;

use std::collections::BTreeSet;
use std::fs::File;
use std::io::Read;
use std::path::Path;

use nameplate_core::advisory::csaf::{self, Unread};
use nameplate_core::advisory::{Advisories, Advisory, bulletin};

pub use self::beside::{Checked, Signature};
pub use self::bundle::{documents, make as bundle};
pub use self::kept::{kept, take};
pub use self::openpgp::PublisherKeys;

use self::archive::{ARCHIVE_BYTES_MAX, Archive};
use crate::failure::Failure;

/// Files of one directory, however deep: a publisher's whole archive has some 50,000, with two files beside each.
const FILES_MAX: usize = 500_000;
/// Files of CSAF's own distribution (CSAF 2.0, section 7.1) that are no advisories.
const OF_DISTRIBUTION: [&str; 5] = ["provider-metadata.json", "aggregator.json", "index.txt", "changes.csv", "security.txt"];

/// A document that was read.
#[derive(Debug)]
pub struct Document {
    /// Where it stood: the path, and in a zip file `x.zip!/folder/y.json`.
    pub file: String,
    /// Its bytes. Of a bulletin, its own rows.
    pub bytes: Vec<u8>,
    /// What it says.
    pub advisory: Advisory,
    /// What was checked of its integrity.
    pub checked: Checked,
}

/// A file of which nothing was used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// The file, as [`Document::file`].
    pub file: String,
    /// Where in it: a JSON pointer, a line; empty for the whole.
    pub at: String,
    /// What is wrong.
    pub why: String,
}

/// What paths held.
#[derive(Debug, Default)]
pub struct Loaded {
    /// The documents that count, of each the newest revision, by publisher and id.
    pub advisories: Vec<Advisory>,
    /// Documents that were read, older revisions among them.
    pub documents: usize,
    /// Files of which nothing was used, and why.
    pub problems: Vec<Problem>,
    /// Files that are no documents by their names.
    pub passed_over: usize,
}

/// Reads a document, a directory or a zip file.
///
/// # Errors
/// The path itself cannot be read. A file in it that cannot is a [`Problem`].
pub fn load(path: &Path) -> Result<Loaded, Failure> {
    let (mut set, mut documents) = (Advisories::default(), 0);
    let mut reader = Reader::new(|document: Document| {
        documents += 1;
        set.take(document.advisory);
    });
    reader.path(path)?;
    let (problems, passed_over) = (std::mem::take(&mut reader.problems), reader.passed_over);
    drop(reader);
    Ok(Loaded { advisories: set.into_current(), documents, problems, passed_over })
}

/// Reads paths, in the order of their names, and hands each document on.
pub struct Reader<F> {
    each: F,
    /// Where given, only bundles that this key signed are read: the key, or its fingerprint, in hexadecimal digits.
    pub trusted: Option<String>,
    /// Where given, a signature beside a document must be by one of these.
    pub publisher: Option<PublisherKeys>,
    /// Fingerprints of the keys that signed what was read.
    pub signers: BTreeSet<String>,
    /// Files of which nothing was used.
    pub problems: Vec<Problem>,
    /// Files that are no documents by their names.
    pub passed_over: usize,
}

impl<F: FnMut(Document)> Reader<F> {
    /// One that hands documents to `each`.
    pub fn new(each: F) -> Self {
        Self { each, trusted: None, publisher: None, signers: BTreeSet::new(), problems: Vec::new(), passed_over: 0 }
    }

    /// Reads a document, a directory or a zip file.
    ///
    /// # Errors
    /// The path itself cannot be read.
    pub fn path(&mut self, path: &Path) -> Result<(), Failure> {
        self.named(path.display().to_string(), path)
    }

    /// As [`Reader::path`], under another name than it has on disk.
    ///
    /// # Errors
    /// As [`Reader::path`].
    pub fn named(&mut self, named: String, path: &Path) -> Result<(), Failure> {
        if self.trusted.is_some() && ending(&named) != "zip" {
            self.problem(named, "no signed bundle; with a trusted key nothing else is read");
            return Ok(());
        }
        if path.is_dir() {
            return folder::read(path, self);
        }
        if ending(&named) == "zip" {
            let bytes = bytes_of(path, ARCHIVE_BYTES_MAX).map_err(|e| Failure::input(path.display(), e))?;
            self.archive(&named, &bytes);
            return Ok(());
        }
        let bytes = bytes_of(path, csaf::FILE_BYTES_MAX as u64).map_err(|e| Failure::input(path.display(), e))?;
        self.document(named, bytes, |ending| folder::beside(path, ending));
        Ok(())
    }

    /// The documents of a zip file.
    fn archive(&mut self, named: &str, bytes: &[u8]) {
        let archive = match Archive::of(bytes) {
            Ok(archive) => archive,
            Err(why) => return self.problem(named.to_owned(), why),
        };
        match bundle::check(&archive, self.trusted.as_deref()) {
            Ok(signer) => self.signers.extend(signer),
            Err(why) => return self.problem(named.to_owned(), why),
        }
        self.entries(named, &archive, "");
    }

    /// The documents below a folder of an archive that is believed. The folder's name is no part of theirs.
    pub(crate) fn entries(&mut self, named: &str, archive: &Archive<'_>, folder: &str) {
        let below = |entry: &&archive::Entry| entry.name.starts_with(folder) && !is_beside(&entry.name) && !bundle::is_own(&entry.name);
        for entry in archive.entries.iter().filter(below) {
            let file = format!("{named}!/{}", entry.name.strip_prefix(folder).unwrap_or_default());
            if !is_document(&entry.name) {
                self.pass(file);
                continue;
            }
            match archive.read(entry) {
                Ok(document) => self.document(file, document, |ending| {
                    let name = format!("{}.{ending}", entry.name);
                    let beside = archive.entries.binary_search_by(|entry| entry.name.as_str().cmp(&name)).ok()?;
                    // One that cannot be read holds no checksum, and is refused as such.
                    Some(archive.entries.get(beside).and_then(|entry| archive.read(entry).ok()).unwrap_or_default())
                }),
                Err(why) => self.problem(file, why),
            }
        }
    }

    /// A document with what stands beside it.
    fn document(&mut self, file: String, bytes: Vec<u8>, beside: impl Fn(&str) -> Option<Vec<u8>>) {
        let checked = match beside::check(&bytes, self.publisher.as_ref(), beside) {
            Ok(checked) => checked,
            Err(why) => return self.problem(file, why),
        };
        match read(&file, bytes) {
            Ok(documents) => {
                for (advisory, bytes) in documents {
                    (self.each)(Document { file: file.clone(), bytes, advisory, checked });
                }
            }
            Err(Unread { at, why }) => self.problems.push(Problem { file, at, why }),
        }
    }

    fn problem(&mut self, file: String, why: impl ToString) {
        self.problems.push(Problem { file, at: String::new(), why: why.to_string() });
    }

    /// A file that is no document by its name. A zip file in another is not opened: an archive in an archive hides.
    fn pass(&mut self, file: String) {
        if ending(&file) == "zip" { self.problem(file, "a zip file inside another is not opened") } else { self.passed_over += 1 }
    }
}

/// A document of CSAF, or the bulletins of a CSV, each with its bytes.
///
/// # Errors
/// [`Unread`].
pub fn read(file: &str, bytes: Vec<u8>) -> Result<Vec<(Advisory, Vec<u8>)>, Unread> {
    if ending(file) == "csv" {
        let bulletins = bulletin::read(&bytes)?;
        return Ok(bulletins.into_iter().map(|bulletin| (bulletin.advisory, bulletin.rows)).collect());
    }
    Ok(vec![(csaf::read(&bytes)?, bytes)])
}

/// The bytes of a file of at most so many.
///
/// # Errors
/// It cannot be read, or has more.
pub fn bytes_of(path: &Path, bytes_max: u64) -> Result<Vec<u8>, String> {
    let mut bytes = Vec::new();
    // One byte more than is allowed says that there is more.
    let read = File::open(path).and_then(|file| file.take(bytes_max.saturating_add(1)).read_to_end(&mut bytes));
    read.map_err(|e| e.to_string())?;
    if bytes.len() as u64 > bytes_max { Err(format!("larger than {bytes_max} bytes")) } else { Ok(bytes) }
}

/// What stands behind the last dot of a name, in lower case.
fn ending(name: &str) -> String {
    name.rsplit_once('.').map(|(_, ending)| ending.to_ascii_lowercase()).unwrap_or_default()
}

/// The name without the folders.
fn last_name(name: &str) -> &str {
    name.rsplit(['/', '\\']).next().unwrap_or(name)
}

fn is_document(name: &str) -> bool {
    matches!(&*ending(name), "json" | "csv") && !OF_DISTRIBUTION.contains(&&*last_name(name).to_ascii_lowercase())
}

/// True for a checksum or a signature: it is read with its document.
fn is_beside(name: &str) -> bool {
    beside::ENDINGS.contains(&&*ending(name))
}

#[cfg(test)]
mod tests;
