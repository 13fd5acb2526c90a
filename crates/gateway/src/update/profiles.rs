//! Profiles from an update: in a folder that root alone writes, because the field side believes them, and no page can be allowed to. They take the place of
//! built-in ones of the program that they were made for, and of no other: the next one has its own.
//!
//! ```text
//! profiles/acme              a link to the folder in force
//! profiles/.acme-7/program   the program's version that they are for
//! profiles/.acme-7/<vendor>/<family>.toml
//! ```

use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};

use nameplate_core::profile::{ProfileSet, check, parse};
use nameplate_core::update::{Kind, Offer};

use super::manifest::Fitting;
use super::sealed::PROFILES;
use super::{Sealed, is_for_all, refused};
use crate::command::profile::frames;
use crate::failure::{Code, Failure};
use crate::key::sync_directory;

/// Where the package has what updates bring.
pub const UPDATES: &str = "/var/lib/nameplate-update";
/// The folder of profiles in it.
const FOLDER: &str = "profiles";
/// The file that says which program they are for.
const PROGRAM: &str = "program";
/// Profiles of one update; the built-in set has some hundreds.
const PROFILES_MAX: usize = 10_000;
/// The program that this is.
const OWN: &str = env!("CARGO_PKG_VERSION");

/// An id and a text.
type Text = (String, String);

/// What an update brings, read and tested: each profile's examples have to hold within the set that it makes.
///
/// # Errors
/// It is for another program, or a profile is not valid or fails its own examples.
pub fn read(named: &str, sealed: &Sealed<'_>) -> Result<Vec<Text>, Failure> {
    let no = |why: String| refused(named, why);
    if sealed.offer.kind != Kind::Profiles {
        return Err(no(format!("it is an update of {}", sealed.offer.kind)));
    }
    sealed.check_files().map_err(no)?;
    match &sealed.manifest.fitting {
        Some(Fitting::For(program)) if program == OWN => {}
        Some(Fitting::For(program)) => {
            return Err(no(format!(
                "its profiles are for nameplate {program}, and this is {OWN}, which has its own; ask for profiles for {OWN}"
            )));
        }
        _ => return Err(no("it does not say for which program its profiles are".to_owned())),
    }
    let mut texts = Vec::new();
    for entry in sealed.files() {
        let id = entry.name.strip_prefix(PROFILES).and_then(|name| name.strip_suffix(".toml")).unwrap_or_default().to_owned();
        let text = String::from_utf8(sealed.archive.read(entry).map_err(no)?).map_err(|_| no(format!("{id} is not UTF-8")))?;
        texts.push((id, text));
    }
    tested(&texts).map_err(no)?;
    Ok(texts)
}

/// Whether profiles hold what their examples promise, within the set that they make.
///
/// # Errors
/// The first that is not valid, or all examples that fail.
pub fn tested(texts: &[Text]) -> Result<(), String> {
    if texts.len() > PROFILES_MAX {
        return Err(format!("more than {PROFILES_MAX} profiles"));
    }
    let mut set = ProfileSet::built_in().map_err(|invalid| invalid.to_string())?;
    put_all(&mut set, texts)?;
    let profiles = texts.iter().filter_map(|(id, _)| set.get(id));
    let failures: Vec<String> = profiles.flat_map(|profile| check(&set, profile, &frames)).map(|failure| failure.to_string()).collect();
    if failures.is_empty() { Ok(()) } else { Err(format!("a profile does not hold what its examples promise: {}", failures.join("; "))) }
}

fn put_all(set: &mut ProfileSet, texts: &[Text]) -> Result<(), String> {
    for (id, text) in texts {
        set.replace(parse(id, text).map_err(|invalid| invalid.to_string())?);
    }
    Ok(())
}

/// Puts the profiles that updates brought in the place of built-in ones. Where they cannot be read, the built-in ones hold: a gateway goes on.
pub fn put(set: &mut ProfileSet, updates: &Path) {
    let Ok(entries) = fs::read_dir(updates.join(FOLDER)) else { return };
    let mut links: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).filter(|path| path.is_symlink()).collect();
    links.sort();
    for link in links {
        // Another program's: it has been updated since, and has newer ones built in.
        if fs::read_to_string(link.join(PROGRAM)).is_ok_and(|program| program.trim() != OWN) {
            continue;
        }
        let mut with = set.clone();
        let put = crate::profiles::read(&link).map_err(|failure| failure.why).and_then(|texts| put_all(&mut with, &texts));
        match put {
            Ok(()) => *set = with,
            Err(why) => {
                eprintln!("nameplate: warning: the profiles of an update are not used, the built-in ones are: {}: {why}", link.display())
            }
        }
    }
}

/// Lays profiles out beside those in force, which nobody notices.
///
/// # Errors
/// The folder cannot be written.
pub fn lay_out(updates: &Path, offer: &Offer, texts: &[Text]) -> Result<(), Failure> {
    let folder = updates.join(FOLDER);
    let (new, place) = (folder.join(".new"), folder.join(name(offer)));
    let cannot = |e: std::io::Error| {
        let code = if e.kind() == std::io::ErrorKind::PermissionDenied { Code::Usage } else { Code::Input };
        Failure::new(code, format!("{}: {e}; profiles are put there by root, so that no page can", folder.display()))
    };
    let write = |path: &Path, text: &str| -> std::io::Result<()> {
        let mut file = File::create(path)?;
        file.write_all(text.as_bytes())?;
        is_for_all(path)?;
        file.sync_all()
    };
    // The same update again: what may be in force is not touched.
    let mut sorted = texts.to_vec();
    sorted.sort();
    if crate::profiles::read(&place).is_ok_and(|there| there == sorted) {
        return Ok(());
    }
    let lay = || -> std::io::Result<()> {
        fs::create_dir_all(&folder)?;
        is_for_all(&folder)?;
        for left in [&new, &place] {
            if left.exists() {
                fs::remove_dir_all(left)?;
            }
        }
        fs::create_dir(&new)?;
        is_for_all(&new)?;
        write(&new.join(PROGRAM), &format!("{OWN}\n"))?;
        for (id, text) in texts {
            let path = new.join(format!("{id}.toml"));
            if let Some(vendor) = path.parent() {
                fs::create_dir_all(vendor)?;
                is_for_all(vendor)?;
                write(&path, text)?;
                sync_directory(vendor)?;
            }
        }
        sync_directory(&new)?;
        fs::rename(&new, &place)?;
        sync_directory(&folder)
    };
    lay().map_err(cannot)
}

/// Puts what was laid out in force; what was before is kept until the next.
///
/// # Errors
/// The folder cannot be written.
pub fn switch(updates: &Path, offer: &Offer) -> Result<(), Failure> {
    let folder = updates.join(FOLDER);
    let (link, next) = (folder.join(&offer.publisher), folder.join(".next"));
    let before = fs::read_link(&link).ok();
    let switch = || -> std::io::Result<()> {
        let _ = fs::remove_file(&next);
        link_to(&name(offer), &next)?;
        fs::rename(&next, &link)?;
        sync_directory(&folder)
    };
    switch().map_err(|e| Failure::input(folder.display(), e))?;
    // Of this publisher's, two stay: those in force, and those before.
    let own = format!(".{}-", offer.publisher);
    for entry in fs::read_dir(&folder).into_iter().flatten().flatten() {
        let name = entry.file_name();
        let is_old =
            name.to_str().is_some_and(|name| name.strip_prefix(&own).is_some_and(|rest| rest.bytes().all(|byte| byte.is_ascii_digit())));
        if is_old && name != *self::name(offer) && before.as_deref() != Some(Path::new(&name)) {
            let _ = fs::remove_dir_all(entry.path());
        }
    }
    Ok(())
}

/// The folder of an update's profiles.
fn name(offer: &Offer) -> String {
    format!(".{}-{}", offer.publisher, offer.version)
}

#[cfg(unix)]
fn link_to(name: &str, link: &Path) -> std::io::Result<()> {
    std::os::unix::fs::symlink(name, link)
}

#[cfg(not(unix))]
fn link_to(name: &str, link: &Path) -> std::io::Result<()> {
    let _ = (name, link);
    Err(std::io::Error::new(std::io::ErrorKind::Unsupported, "updates of profiles are applied on a gateway"))
}
