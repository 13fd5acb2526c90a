//! A directory of documents, with all that is below it.

use std::fs;
use std::path::{Path, PathBuf};

use nameplate_core::advisory::csaf::FILE_BYTES_MAX;

use super::archive::ARCHIVE_BYTES_MAX;
use super::beside::BESIDE_BYTES_MAX;
use super::{Document, FILES_MAX, Reader, bytes_of, ending, is_beside, is_document};
use crate::failure::Failure;

/// Folders in folders: CSAF has two (colour, year), publishers some more.
const FOLDERS_DEEP_MAX: usize = 16;

/// Reads all documents of a directory, in the order of their names.
///
/// # Errors
/// The directory itself cannot be read, or holds more files than a publisher has.
pub fn read<F: FnMut(Document)>(root: &Path, reader: &mut Reader<F>) -> Result<(), Failure> {
    let inside = root.canonicalize().map_err(|e| Failure::input(root.display(), e))?;
    let mut walk = Walk { inside, files: Vec::new(), refused: Vec::new() };
    walk.folder(root, 0).map_err(|why| Failure::input(root.display(), why))?;
    walk.files.sort();
    for (path, why) in walk.refused {
        reader.problem(path.display().to_string(), why);
    }
    for path in walk.files {
        let named = path.display().to_string();
        if is_beside(&named) {
            continue;
        }
        if ending(&named) == "zip" {
            match bytes_of(&path, ARCHIVE_BYTES_MAX) {
                Ok(bytes) => reader.archive(&named, &bytes),
                Err(why) => reader.problem(named, why),
            }
        } else if is_document(&named) {
            match bytes_of(&path, FILE_BYTES_MAX as u64) {
                Ok(bytes) => reader.document(named, bytes, |ending| beside(&path, ending)),
                Err(why) => reader.problem(named, why),
            }
        } else {
            reader.pass(named);
        }
    }
    Ok(())
}

/// The file that is named as this one with an ending behind it. One that is there and cannot be read is empty, and so no checksum.
pub fn beside(path: &Path, ending: &str) -> Option<Vec<u8>> {
    let mut name = path.as_os_str().to_owned();
    name.push(format!(".{ending}"));
    let name = PathBuf::from(name);
    fs::symlink_metadata(&name).ok()?;
    Some(bytes_of(&name, BESIDE_BYTES_MAX).unwrap_or_default())
}

struct Walk {
    /// Links that lead out of here are not followed.
    inside: PathBuf,
    files: Vec<PathBuf>,
    refused: Vec<(PathBuf, String)>,
}

impl Walk {
    fn folder(&mut self, folder: &Path, deep: usize) -> Result<(), String> {
        if deep > FOLDERS_DEEP_MAX {
            self.refused.push((folder.to_owned(), format!("folders more than {FOLDERS_DEEP_MAX} deep")));
            return Ok(());
        }
        let entries = match fs::read_dir(folder) {
            Ok(entries) => entries,
            Err(e) if deep == 0 => return Err(e.to_string()),
            Err(e) => {
                self.refused.push((folder.to_owned(), e.to_string()));
                return Ok(());
            }
        };
        for entry in entries {
            let path = match entry {
                Ok(entry) => entry.path(),
                Err(e) => {
                    self.refused.push((folder.to_owned(), e.to_string()));
                    continue;
                }
            };
            if self.files.len() >= FILES_MAX {
                return Err(format!("more than {FILES_MAX} files"));
            }
            self.entry(path, deep)?;
        }
        Ok(())
    }

    fn entry(&mut self, path: PathBuf, deep: usize) -> Result<(), String> {
        let link = fs::symlink_metadata(&path).is_ok_and(|of| of.is_symlink());
        let target = path.canonicalize();
        match target {
            Err(e) => self.refused.push((path, e.to_string())),
            Ok(target) if link && !target.starts_with(&self.inside) => {
                self.refused.push((path, "a link that leads out of the directory; it is not followed".into()));
            }
            // A folder inside is walked where it stands.
            Ok(target) if link && target.is_dir() => self.refused.push((path, "a link to a folder; it is not followed".into())),
            Ok(target) if target.is_dir() => self.folder(&path, deep.saturating_add(1))?,
            Ok(target) if target.is_file() => self.files.push(path),
            Ok(_) => self.refused.push((path, "neither a file nor a folder".into())),
        }
        Ok(())
    }
}
