//! The program `nameplate`.

use std::process::ExitCode;

fn main() -> ExitCode {
    nameplate::run()
}
