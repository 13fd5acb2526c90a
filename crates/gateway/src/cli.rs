//! The command line. Every flag's text here is its documentation: `--help` is read by people in a hurry.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

use crate::command;

/// Reads the nameplates of industrial devices without an agent: from captures, or by asking, read-only, behind a guard.
#[derive(Debug, Parser)]
#[command(
    name = "nameplate",
    version,
    after_help = "First steps:\n  nameplate demo --once              the whole story on a simulated plant, on this machine alone\n  \
                  nameplate listen span.pcapng       what a capture says; sends nothing\n  \
                  nameplate ask 192.0.2.10 --dry-run every byte that would be sent, and what it means; opens nothing\n\n\
                  Exit codes: 0 done, 1 found what --fail-on names, 2 usage, 3 input could not be read,\n\
                  4 refused by the guard, 5 a device did not answer, 6 a proof, test or verification failed."
)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
    /// Options of every command.
    #[command(flatten)]
    pub options: Options,
}

/// What every command knows.
#[derive(Debug, Args)]
pub struct Options {
    /// Where the ledger (and with it the catalog), the site's key and the touch record are kept [default: this account's data directory]
    #[arg(long, global = true, value_name = "DIR", env = crate::state::STATE_VARIABLE)]
    pub state: Option<PathBuf>,
    /// How to print [default: table on a terminal, ndjson in a pipe]
    #[arg(long, global = true, value_enum)]
    pub format: Option<Format>,
    /// A directory with profiles of your own beside the built-in ones: <vendor>/<family>.toml
    #[arg(long, global = true, value_name = "DIR")]
    pub profiles: Option<PathBuf>,
    /// What updates brought that root applied: profiles in the place of built-in ones
    #[arg(long, global = true, hide = true, value_name = "DIR", env = "NAMEPLATE_UPDATES", default_value = crate::update::profiles::UPDATES)]
    pub updates: PathBuf,
}

/// Output shapes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// Columns for a person.
    Table,
    /// One JSON object a line.
    Ndjson,
    /// Comma-separated, RFC 4180, safe to open in a spreadsheet.
    Csv,
    /// One nameplate field a line, with its source and grade (listen and ask).
    Claims,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Show the whole story on a simulated plant on this machine; needs nothing but this program
    Demo(command::demo::Demo),
    /// Listen to captures or on an interface: who is there, and which firmware it told; sends nothing
    Listen(command::listen::Listen),
    /// Ask devices, read-only, every byte through the guard
    Ask(Box<command::ask::Ask>),
    /// Stop all asking at once, or allow it again
    Quiet(command::quiet::Quiet),
    /// List the classes of devices that failures or a restart stopped, or release one
    Release(command::release::Release),
    /// List the catalog
    Devices(command::devices::Devices),
    /// Show one device with everything it said; merge, split, set and read by hand
    Device(command::device::Device),
    /// List what happened to devices: new, changed, swapped, moved, silent
    Events(command::events::Events),
    /// Read devices before and after a work order, and say what became of it
    Change(command::change::Changes),
    /// Write reports for people: the life of a device, how far changes are
    Report(command::report::Report),
    /// Walk from a field or a verdict back to what it rests on: rule and bytes, or the document's passages
    Explain(command::explain::Explain),
    /// Write a bundle for an auditor, and check one without any state
    Evidence(command::evidence::Evidence),
    /// Verify the ledger that all of it follows from, or print its key and its signed checkpoint
    Ledger(command::ledger::Ledger),
    /// Countersign the checkpoints of sites, so that none can go back or be doubled unseen
    Witness(command::witness::Witnesses),
    /// Make signed bundles of advisories
    Advisories(command::advisories::Advisories),
    /// Make, look at and apply signed updates from a stick
    Update(command::update::Update),
    /// Take in lists that people made, and advisories
    Import(command::import::Import),
    /// Compare a sheet with the catalog
    Compare(command::compare::Compare),
    /// List what patch servers say of devices, beside what the devices say
    Patches(command::patches::Patches),
    /// Write what is known as signed files for IT's patch servers, and check such files without any state
    Handover(command::handover::Handovers),
    /// Approve and disapprove releases
    Baseline(Box<command::baseline::Baseline>),
    /// Hold every device against the advisories and the approved baselines
    Check(command::check::Check),
    /// Say when vendors publish, and what is due when
    Calendar(command::calendar::Calendar),
    /// Say whether versions are in ranges, as advisories write both
    Range(command::range::Range),
    /// List and test device profiles
    Profile(command::profile::Profiles),
    /// Run devices of any protocol on loopback, sound or hostile
    Simulate(command::simulate::Simulate),
    /// Say who may use the gateway's page and API
    Account(command::account::AccountCommand),
    /// Run the gateway's desk: takes what the field side hears and reads into the ledger, and asks by plan
    #[cfg(unix)]
    Serve(command::serve::Serve),
    /// Run the gateway's field side: the one process that listens on the plant's network and asks its devices
    #[cfg(unix)]
    Field(command::field::Field),
    /// Write, explain and check the gateway's configuration
    #[cfg(unix)]
    Config(command::config::Configuration),
    /// Say whether a gateway on this machine has what it needs
    #[cfg(unix)]
    Doctor(command::doctor::Doctor),
    /// Print the allowlist of what may be sent, and prove it
    Prove(command::prove::Prove),
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn no_two_options_fight_over_a_name() {
        Cli::command().debug_assert();
    }
}
