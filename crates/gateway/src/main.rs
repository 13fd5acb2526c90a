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
    let Cli { command, options } = Cli::parse();
    let ended = match command {
        Command::Demo(command) => command.run(&options),
        Command::Listen(command) => command.run(&options),
        Command::Ask(command) => command.run(&options),
        Command::Devices(command) => command.run(&options),
        Command::Device(command) => command.run(&options),
        Command::Explain(command) => command.run(&options),
        Command::Profile(command) => command.run(&options),
        Command::Simulate(command) => command.run(&options),
        Command::Prove(command) => command.run(&options),
    };
    match ended {
        Ok(()) => ExitCode::SUCCESS,
        Err(Failure { code, why }) => {
            eprintln!("nameplate: {}", nameplate_core::text::printable_lines(&why));
            ExitCode::from(code as u8)
        }
    }
}
