//! The rig: servers and libraries that we did not write, from pip and npm, under target/rig. What they are stands in tests/rig.

use std::fs;
use std::path::Path;

use crate::run::{Tree, shown};

/// Installs both halves of the rig where their lists changed since the last time.
pub fn install(tree: &Tree) -> Vec<(&'static str, Result<(), String>)> {
    vec![("rig: pip parts", pip(tree)), ("rig: npm parts", npm(tree))]
}

/// A virtual environment at target/rig/venv with tests/rig/requirements.txt.
fn pip(tree: &Tree) -> Result<(), String> {
    let list = tree.root.join("tests/rig/requirements.txt");
    let venv = tree.rig().join("venv");
    once(&[&list], &venv, || {
        shown("rig: python3 -m venv", tree.command("python3").args(["-m", "venv", "--clear"]).arg(&venv))?;
        let python = if cfg!(windows) { venv.join("Scripts/python.exe") } else { venv.join("bin/python") };
        let pip = ["-m", "pip", "install", "--quiet", "--no-input", "--disable-pip-version-check", "--requirement"];
        shown("rig: pip install", tree.command(python).args(pip).arg(&list))
    })
}

/// target/rig/npm with tests/rig/package.json and its lock.
fn npm(tree: &Tree) -> Result<(), String> {
    let (list, lock) = (tree.root.join("tests/rig/package.json"), tree.root.join("tests/rig/package-lock.json"));
    let place = tree.rig().join("npm");
    let npm = if cfg!(windows) { "npm.cmd" } else { "npm" };
    once(&[&list, &lock], &place, || {
        fs::create_dir_all(&place).map_err(|error| format!("{}: {error}", place.display()))?;
        for file in [&list, &lock] {
            let name = file.file_name().unwrap_or_default();
            fs::copy(file, place.join(name)).map_err(|error| format!("{}: {error}", file.display()))?;
        }
        shown(
            "rig: npm ci",
            tree.command(npm)
                .args(["ci", "--omit=optional", "--ignore-scripts", "--no-audit", "--no-fund", "--silent"])
                .current_dir(&place),
        )
    })
}

/// Does the work unless the stamp beside the result holds these very lists; the stamp is written last, so that half an install is
/// none.
fn once(lists: &[&Path], place: &Path, work: impl FnOnce() -> Result<(), String>) -> Result<(), String> {
    let mut wanted = String::new();
    for list in lists {
        wanted += &fs::read_to_string(list).map_err(|error| format!("{}: {error}", list.display()))?;
    }
    let stamp = place.join("installed.txt");
    if fs::read_to_string(&stamp).is_ok_and(|there| there == wanted) {
        return Ok(());
    }
    let _ = fs::remove_file(&stamp);
    work()?;
    fs::write(&stamp, wanted).map_err(|error| format!("{}: {error}", stamp.display()))
}
