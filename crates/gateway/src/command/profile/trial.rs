//! `nameplate profile test`: the examples of profiles, whole and cut at every length.

use std::path::Path;

use clap::Args;
use nameplate_core::profile::{ProfileSet, check};

use super::frames;
use crate::failure::{Code, Failure};
use crate::{print, profiles};

/// Run every example of every profile, whole and cut at every length.
#[derive(Debug, Args)]
pub struct Trial {
    /// Only profiles whose id begins so; or a profile's file, or a directory with <vendor>/<family>.toml, beside the built-in ones
    #[arg(value_name = "ID|FILE|DIR", default_value = "")]
    what: String,
}

impl Trial {
    /// Runs the command.
    ///
    /// # Errors
    /// A profile that is not valid, or an example that fails.
    pub fn run(&self, mut set: ProfileSet) -> Result<(), Failure> {
        let of_files = profiles::add(&mut set, Path::new(&self.what))?;
        let is_meant = |id: &str| of_files.as_ref().map_or_else(|| id.starts_with(&self.what), |ids| ids.iter().any(|known| known == id));
        let (mut profiles, mut examples, mut failures) = (0, 0, Vec::new());
        for profile in set.iter().filter(|profile| is_meant(&profile.id)) {
            profiles += 1;
            examples += profile.examples.len();
            failures.extend(check(&set, profile, &frames));
        }
        if profiles == 0 {
            let why =
                format!("no profile has an id that begins with {:?}, and there is no such file; see `nameplate profile list`", self.what);
            return Err(Failure::new(Code::Usage, why));
        }
        for failure in &failures {
            eprintln!("{}", nameplate_core::text::printable(&failure.to_string()));
        }
        print::out(&format!("{profiles} profiles, {examples} examples, each whole and cut at every length: {} failed\n", failures.len()))?;
        if failures.is_empty() { Ok(()) } else { Err(Failure::new(Code::Failed, "a profile does not hold what its examples promise")) }
    }
}
