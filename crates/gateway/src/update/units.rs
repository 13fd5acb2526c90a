//! The two units of a gateway, as systemd has them. Where no systemd runs, there are none.

use std::process::{Command, Stdio};

use crate::failure::Failure;

/// Both, in the order in which they start.
const UNITS: [&str; 2] = ["nameplate-field.service", "nameplate-serve.service"];

/// Those of the units that run.
#[must_use]
pub fn running() -> Vec<String> {
    UNITS.iter().filter(|unit| is_active(unit)).map(|unit| (*unit).to_owned()).collect()
}

/// Whether a unit runs.
#[must_use]
pub fn is_active(unit: &str) -> bool {
    let asked = Command::new("systemctl").args(["is-active", "--quiet", unit]).stdin(Stdio::null()).stderr(Stdio::null()).status();
    asked.is_ok_and(|status| status.success())
}

/// Stops them, the desk first.
///
/// # Errors
/// One does not stop.
pub fn stop(units: &[String]) -> Result<(), Failure> {
    units.iter().rev().try_for_each(|unit| told("stop", unit))
}

/// Starts them; each is ready then, as it told systemd itself.
///
/// # Errors
/// One does not come up.
pub fn start(units: &[String]) -> Result<(), Failure> {
    units.iter().try_for_each(|unit| {
        // One that ended too often is not tried again before somebody says so.
        let _ = Command::new("systemctl").args(["reset-failed", unit]).stdin(Stdio::null()).stderr(Stdio::null()).status();
        told("start", unit)
    })
}

fn told(word: &str, unit: &str) -> Result<(), Failure> {
    let ended = Command::new("systemctl").args([word, unit]).stdin(Stdio::null()).status().map_err(|e| Failure::input("systemctl", e))?;
    if ended.success() {
        Ok(())
    } else {
        Err(Failure::input(unit, format!("systemctl {word} ended with {ended}; `journalctl -u {unit}` says more")))
    }
}
