//! `nameplate`: everything that faces people. See docs/ARCHITECTURE.md for the house.

mod cli;
mod command;
mod failure;
mod intake;
mod lines;
mod print;
mod profiles;
mod state;
mod store;

use std::process::ExitCode;

use clap::Parser;

use cli::{Cli, Command};
use failure::Failure;

fn main() -> ExitCode {
    let Cli { command, common } = Cli::parse();
    let ended = match command {
        Command::Demo(command) => command.run(&common),
        Command::Listen(command) => command.run(&common),
        Command::Ask(command) => command.run(&common),
        Command::Devices(command) => command.run(&common),
        Command::Device(command) => command.run(&common),
        Command::Explain(command) => command.run(&common),
        Command::Profile(command) => command.run(&common),
        Command::Simulate(command) => command.run(&common),
        Command::Prove(command) => command.run(&common),
    };
    match ended {
        Ok(()) => ExitCode::SUCCESS,
        Err(Failure { code, why }) => {
            eprintln!("nameplate: {}", nameplate_core::text::printable_lines(&why));
            ExitCode::from(code as u8)
        }
    }
}
