//! `nameplate quiet`: one switch that stops all asking, beside whatever runs.

use clap::{Args, Subcommand};
use nameplate_core::text::printable;
use nameplate_field::touch::{hush, quiet, resume};

use crate::cli::Options;
use crate::failure::Failure;
use crate::{print, state};

/// Stop all asking at once, or allow it again.
#[derive(Debug, Args)]
#[command(after_help = "While the switch is set nobody is contacted and no question leaves: what runs closes its connections with their\n\
                        goodbye, and every later run is refused (rule quiet, exit code 4). Listening goes on. Without a word the command\n\
                        says whether the switch is set.\n\n\
                        Examples:\n  nameplate quiet on --by \"J. Doe, shift lead\" --why \"turbine start-up\"\n  nameplate quiet off\n  nameplate quiet")]
pub struct Quiet {
    #[command(subcommand)]
    what: Option<What>,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Nothing is sent from now on
    On {
        /// Who says so
        #[arg(long, value_name = "NAME")]
        by: String,
        /// Why, for those who find it set
        #[arg(long, value_name = "TEXT", default_value = "no reason given")]
        why: String,
    },
    /// Devices may be asked again
    Off,
}

impl Quiet {
    /// Runs the command.
    ///
    /// # Errors
    /// The state directory: the switch is as it was then.
    pub fn run(&self, options: &Options) -> Result<(), Failure> {
        let directory = state::directory(options.state.as_ref())?;
        let failed = |e| Failure::input(directory.display(), e);
        match &self.what {
            Some(What::On { by, why }) => {
                let time = humantime::format_rfc3339_seconds(std::time::SystemTime::now());
                hush(&directory, &format!("{by}, {time}: {why}")).map_err(failed)?;
                eprintln!("quiet: nothing is sent until `nameplate quiet off`");
                Ok(())
            }
            Some(What::Off) => {
                let was = resume(&directory).map_err(failed)?;
                eprintln!("{}", if was { "devices may be asked again" } else { "it was not quiet" });
                Ok(())
            }
            None => print::out(&quiet(&directory).map_or_else(|| "not quiet\n".to_owned(), |why| format!("quiet: {}\n", printable(&why)))),
        }
    }
}
