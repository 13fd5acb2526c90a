//! The licences of all that is in the program, with their texts: most of them want to be handed on.

use std::collections::BTreeMap;
use std::error::Error;
use std::fmt::Write;
use std::fs;
use std::path::Path;

use super::inside::{Inside, Part};

/// How names of files with a licence in them begin, in capitals.
const NAMES: [&str; 4] = ["LICENSE", "LICENCE", "COPYING", "NOTICE"];

/// debian/copyright for people: each part, then each text once.
///
/// # Errors
/// A folder cannot be read.
pub fn of(inside: &Inside) -> Result<String, Box<dyn Error>> {
    let mut text = String::from(
        "nameplate is copyright 2026 the nameplate authors, and under the Apache License 2.0 or the MIT licence, whichever you prefer.\n\n\
         These are in the program, too. Their texts follow.\n\n",
    );
    // By text without its white space; a text that many bring stands once.
    let mut texts: BTreeMap<String, (String, Vec<String>)> = BTreeMap::new();
    for part in inside.parts.values() {
        let Part { name, version, licence, authors, .. } = part;
        let authors = if authors.is_empty() { String::new() } else { format!("; {}", authors.join(", ")) };
        writeln!(text, "{name} {version}: {licence}{authors}")?;
        for licence in files(&part.folder)? {
            let key = licence.split_whitespace().collect::<Vec<_>>().join(" ");
            texts.entry(key).or_insert_with(|| (licence, Vec::new())).1.push(name.clone());
        }
    }
    text += "sqlite, in libsqlite3-sys: public domain\n";
    let mut texts: Vec<(Vec<String>, String)> = texts.into_values().map(|(text, of)| (of, text)).collect();
    texts.sort();
    for (of, licence) in texts {
        write!(text, "\n{}\nOf {}:\n\n{}\n", "-".repeat(78), of.join(", "), licence.trim_end())?;
    }
    Ok(text)
}

/// The texts that a crate brings.
fn files(folder: &Path) -> Result<Vec<String>, Box<dyn Error>> {
    let mut paths: Vec<_> = fs::read_dir(folder)?.filter_map(Result::ok).map(|entry| entry.path()).collect();
    paths.sort();
    let is_one = |path: &&std::path::PathBuf| {
        let name = path.file_name().unwrap_or_default().to_string_lossy().to_uppercase();
        path.is_file() && NAMES.iter().any(|begin| name.starts_with(begin))
    };
    Ok(paths.iter().filter(is_one).filter_map(|path| fs::read_to_string(path).ok()).collect())
}
