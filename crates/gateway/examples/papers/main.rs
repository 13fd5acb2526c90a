//! Writes what goes with the program in a package into a folder: manual pages, one a command, the completions of three shells, the bill of materials and
//! the licences of all that is inside. For `cargo xtask deb`; an example, so that what makes them is no part of the program.
//!
//!     cargo run --release -p nameplate --example papers -- FOLDER

mod bill;
mod inside;
mod licences;

use std::error::Error;
use std::fs;
use std::path::PathBuf;

use clap_complete::Shell;

use inside::Inside;

/// The program's name, as people type it.
const NAME: &str = "nameplate";

fn main() -> Result<(), Box<dyn Error>> {
    let folder: PathBuf = std::env::args_os().nth(1).ok_or("name a folder")?.into();
    let (manual, completions) = (folder.join("man"), folder.join("completions"));
    fs::create_dir_all(&manual)?;
    fs::create_dir_all(&completions)?;
    clap_mangen::generate_to(nameplate::command_line(), &manual)?;
    for shell in [Shell::Bash, Shell::Zsh, Shell::Fish] {
        clap_complete::generate_to(shell, &mut nameplate::command_line(), NAME, &completions)?;
    }
    let inside = Inside::read()?;
    let epoch = std::env::var("SOURCE_DATE_EPOCH").ok().and_then(|seconds| seconds.parse().ok()).unwrap_or_default();
    fs::write(folder.join("sbom.cdx.json"), bill::of(&inside, epoch)?)?;
    fs::write(folder.join("copyright"), licences::of(&inside)?)?;
    Ok(())
}
