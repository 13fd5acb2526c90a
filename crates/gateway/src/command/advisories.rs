//! `nameplate advisories`: what is done with advisories beside taking them in.

use std::fs::OpenOptions;
use std::io::Write;
use std::path::PathBuf;

use clap::{Args, Subcommand};

use crate::advisories;
use crate::cli::Options;
use crate::failure::Failure;
use crate::store::Store;
use crate::{key, print, state};

/// Make signed bundles of advisories.
#[derive(Debug, Args)]
pub struct Advisories {
    /// What to do
    #[command(subcommand)]
    kind: Kind,
}

#[derive(Debug, Subcommand)]
enum Kind {
    /// Pack a directory of advisories into a zip file that this site's key signs
    Bundle(Bundle),
}

#[derive(Debug, Args)]
#[command(
    after_help = "Every file is named by its SHA-256 in `manifest`; `manifest.sig` is a signed note over it. Whoever takes the bundle in names\n\
                        the key, or its fingerprint: import advisories update.zip --trust FINGERPRINT\n\n\
                        Example:\n  nameplate advisories bundle csaf/ --out update.zip"
)]
struct Bundle {
    /// The directory
    #[arg(value_name = "DIR")]
    directory: PathBuf,
    /// The zip file; it must not be there yet
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
}

impl Advisories {
    /// Runs the command.
    ///
    /// # Errors
    /// The directory or a document in it cannot be read, the file is there already, or the state.
    pub fn run(&self, options: &Options) -> Result<(), Failure> {
        let Kind::Bundle(Bundle { directory, out }) = &self.kind;
        let state = state::directory(options.state.as_ref())?;
        // Makes the site's key where there is none yet.
        drop(Store::write(&state)?);
        let key = key::read(&state)?.ok_or_else(|| Failure::input(state.display(), "there is no site key"))?;
        let (bytes, files) = advisories::bundle(directory, &key)?;
        let cannot = |e| Failure::input(out.display(), e);
        let mut file = OpenOptions::new().write(true).create_new(true).open(out).map_err(cannot)?;
        file.write_all(&bytes).and_then(|()| file.sync_all()).map_err(cannot)?;
        eprintln!("{} in {}, signed by {}", print::count(files as u64, "file"), out.display(), key.public().fingerprint());
        Ok(())
    }
}
