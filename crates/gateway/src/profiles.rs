//! Reads a site's own profiles beside the built-in ones.

use std::fs;
use std::path::Path;

use nameplate_core::profile::{Invalid, ProfileSet, parse};

use crate::cli::Options;
use crate::update;

use crate::failure::Failure;

/// Files in a profile directory: a mistyped `--profiles /` must not read a whole disk.
const PROFILE_FILES_MAX: usize = 10_000;

/// The built-in profiles, those that updates brought in their place, and the site's own (`<vendor>/<family>.toml`).
///
/// # Errors
/// The first file of the site's that cannot be read or is not valid, with its line.
pub fn load(options: &Options) -> Result<ProfileSet, Failure> {
    let invalid = |e: Invalid| Failure::input("profiles", e);
    let mut set = ProfileSet::built_in().map_err(invalid)?;
    let own = options.profiles.as_deref().map(read).transpose()?.unwrap_or_default();
    for (id, text) in &own {
        set.add(parse(id, text).map_err(invalid)?).map_err(invalid)?;
    }
    update::profiles::put(&mut set, &options.updates);
    // Where an update brings one that the site has made for itself, the site's own holds.
    for (id, text) in &own {
        set.replace(parse(id, text).map_err(invalid)?);
    }
    Ok(set)
}

/// Adds the profiles of a file or a directory; their ids. `None` where there is no such place.
///
/// # Errors
/// The first file that cannot be read or is not valid, with its line.
pub fn add(set: &mut ProfileSet, place: &Path) -> Result<Option<Vec<String>>, Failure> {
    if !place.exists() {
        return Ok(None);
    }
    let texts = if place.is_dir() { read(place)? } else { vec![file(place)?] };
    let mut ids = Vec::new();
    for (id, text) in texts {
        let profile = parse(&id, &text).map_err(|e| Failure::input(place.display(), e))?;
        // A file of the directory that is in force, tested by its path.
        if set.get(&id).is_none_or(|known| known.sha256 != profile.sha256) {
            set.add(profile).map_err(|e| Failure::input(place.display(), e))?;
        }
        ids.push(id);
    }
    Ok(Some(ids))
}

/// Id and text of one file: its directory is the vendor's.
fn file(path: &Path) -> Result<(String, String), Failure> {
    let text = fs::read_to_string(path).map_err(|e| Failure::input(path.display(), e))?;
    let name = |part: Option<&std::ffi::OsStr>| part.unwrap_or_default().to_string_lossy().into_owned();
    let vendor = path.canonicalize().ok().and_then(|whole| whole.parent().map(|folder| name(folder.file_name()))).unwrap_or_default();
    Ok((format!("{vendor}/{}", name(path.file_stem())), text))
}

/// Id and text of every profile in a directory, in the order of their ids.
///
/// # Errors
/// A file that cannot be read, or none at all.
pub fn read(directory: &Path) -> Result<Vec<(String, String)>, Failure> {
    let cannot = |path: &Path, e: std::io::Error| Failure::input(path.display(), e);
    let list = |path: &Path| -> Result<Vec<fs::DirEntry>, Failure> {
        let entries = fs::read_dir(path).map_err(|e| cannot(path, e))?;
        entries.map(|entry| entry.map_err(|e| cannot(path, e))).collect()
    };
    let mut texts = Vec::new();
    for vendor in list(directory)? {
        if !vendor.file_type().is_ok_and(|kind| kind.is_dir()) {
            continue;
        }
        for file in list(&vendor.path())? {
            let path = file.path();
            if path.extension().is_none_or(|ending| ending != "toml") {
                continue;
            }
            if texts.len() == PROFILE_FILES_MAX {
                return Err(Failure::input(
                    directory.display(),
                    format!("more than {PROFILE_FILES_MAX} profiles; is this the right directory?"),
                ));
            }
            let stem = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
            let text = fs::read_to_string(&path).map_err(|e| cannot(&path, e))?;
            texts.push((format!("{}/{stem}", vendor.file_name().to_string_lossy()), text));
        }
    }
    if texts.is_empty() {
        return Err(Failure::input(directory.display(), "no profile there; a profile is <vendor>/<family>.toml below this directory"));
    }
    texts.sort();
    Ok(texts)
}
