//! `nameplate`: everything that faces people. See docs/ARCHITECTURE.md for the house. A library, so that the tests can kill a writer of the
//! ledger in the middle of its work; the program is [`run`].

pub mod account;
pub mod advisories;
mod cli;
mod command;
#[cfg(unix)]
mod disk;
pub mod failure;
mod handover;
pub mod hatch;
mod house;
mod intake;
pub mod key;
mod lines;
mod log;
mod map;
mod memory;
mod outbox;
mod output;
mod print;
mod profiles;
#[cfg(unix)]
mod service;
pub mod sheet;
pub mod simulated;
pub mod stamp;
mod state;
pub mod store;
pub mod update;
mod web;
mod witness;

use std::process::ExitCode;

use clap::{CommandFactory, Parser};

use cli::{Cli, Command};
use failure::Failure;

/// The command line, for manual pages and completions.
#[must_use]
pub fn command_line() -> clap::Command {
    Cli::command()
}

/// The program: reads its arguments, does one command, ends with a code that scripts rely on (docs/ARCHITECTURE.md).
#[must_use]
pub fn run() -> ExitCode {
    let Cli { command, options } = Cli::parse();
    let ended = match command {
        Command::Demo(command) => command.run(&options),
        Command::Listen(command) => command.run(&options),
        Command::Ask(command) => command.run(&options),
        Command::Quiet(command) => command.run(&options),
        Command::Witness(command) => command.run(&options),
        Command::Release(command) => command.run(&options),
        Command::Report(command) => command.run(&options),
        Command::Devices(command) => command.run(&options),
        Command::Device(command) => command.run(&options),
        Command::Events(command) => command.run(&options),
        Command::Patches(command) => command.run(&options),
        Command::Handover(command) => command.run(&options),
        Command::Change(command) => command.run(&options),
        Command::Explain(command) => command.run(&options),
        Command::Evidence(command) => command.run(&options),
        Command::Ledger(command) => command.run(&options),
        Command::Advisories(command) => command.run(&options),
        Command::Update(command) => command.run(&options),
        Command::Import(command) => command.run(&options),
        Command::Compare(command) => command.run(&options),
        Command::Baseline(command) => command.run(&options),
        Command::Check(command) => command.run(&options),
        Command::Calendar(command) => command.run(&options),
        Command::Range(command) => command.run(&options),
        Command::Profile(command) => command.run(&options),
        Command::Simulate(command) => command.run(&options),
        Command::Account(command) => command.run(&options),
        #[cfg(unix)]
        Command::Config(command) => command.run(&options),
        #[cfg(unix)]
        Command::Doctor(command) => command.run(&options),
        #[cfg(unix)]
        Command::Serve(command) => command.run(&options),
        #[cfg(unix)]
        Command::Field(command) => command.run(&options),
        Command::Prove(command) => command.run(&options),
    };
    match ended {
        Ok(()) => ExitCode::SUCCESS,
        Err(Failure { code, why }) => {
            if log::is_on() {
                log::say!(ENDED, "{why}");
                return ExitCode::from(code as u8);
            }
            eprintln!("nameplate: {}", nameplate_core::text::printable_lines(&why));
            ExitCode::from(code as u8)
        }
    }
}
