//! Servers that we did not write, each its own process with its own persona: tests/rig says which they are and how they are installed.

use std::io::{BufRead, BufReader, Write};
use std::path::PathBuf;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use crate::personas::Persona;
use crate::place;

/// A server that is not ready by then never will be; on an idle machine each is in 0.5 s.
const READY_SECONDS_MAX: Duration = Duration::from_secs(30);

/// Which server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// pymodbus: FC 43/14 with pages, FC 17 without an id byte; answers every unit unless the persona is silent for others.
    Pymodbus,
    /// npm modbus-serial: FC 43/14 with pages, regular objects to a basic question; silent to FC 17.
    ModbusSerial,
    /// modbus_tk: no identity.
    ModbusTk,
    /// uModbus: no identity.
    Umodbus,
    /// py1815, an outstation of DNP3: attributes of group 0 are the persona's objects, by variation.
    Py1815,
}

/// A server at work on a loopback port. Dropping it ends its process, by its id, and waits for that.
#[derive(Debug)]
pub struct Server {
    /// Where it listens, on 127.0.0.1.
    pub port: u16,
    child: Child,
    // The server ends when this closes: so it does even where this process is killed.
    _leash: ChildStdin,
}

impl Server {
    /// Its process.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended by itself; there is nobody to tell here.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Whether the rig is installed.
///
/// # Errors
/// What is missing, and what installs it.
pub fn available() -> Result<(), String> {
    for part in [python(), modules().join("modbus-serial")] {
        if !part.exists() {
            return Err(format!("the rig is not installed ({} is missing): cargo xtask rig", part.display()));
        }
    }
    Ok(())
}

/// Starts a server and waits until it says that it listens.
///
/// # Errors
/// That the rig is not installed, or what went wrong.
pub fn start(kind: Kind, persona: &Persona) -> Result<Server, String> {
    available()?;
    let scripts = place::root().join("tests").join("rig");
    let (script, mut command) = match kind {
        Kind::Pymodbus => ("pymodbus_server.py", Command::new(python())),
        Kind::ModbusTk => ("modbus_tk_server.py", Command::new(python())),
        Kind::Umodbus => ("umodbus_server.py", Command::new(python())),
        Kind::Py1815 => ("py1815_outstation.py", Command::new(python())),
        Kind::ModbusSerial => ("modbus_serial_server.js", Command::new("node")),
    };
    command.arg(scripts.join(script)).arg(modules()).env("PYTHONDONTWRITEBYTECODE", "1");
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().map_err(|error| format!("{script}: {error}"))?;
    let (Some(mut leash), Some(says)) = (child.stdin.take(), child.stdout.take()) else {
        return Err(format!("{script}: no pipes"));
    };
    let told = writeln!(leash, "{}", persona.json());
    // From here on the process ends with the value, whichever way this returns.
    let mut server = Server { port: 0, child, _leash: leash };
    told.map_err(|error| format!("{script}: it did not read its persona: {error}"))?;
    server.port = ready_port(says).map_err(|why| format!("{script}: {why}"))?;
    Ok(server)
}

fn ready_port(says: ChildStdout) -> Result<u16, String> {
    let (port, heard) = mpsc::channel();
    // Reads on to the end, so that a server that talks never blocks on a full pipe.
    thread::spawn(move || {
        for line in BufReader::new(says).lines().map_while(Result::ok) {
            if let Some(number) = line.strip_prefix("READY ").and_then(|number| number.trim().parse().ok()) {
                let _ = port.send(number);
            }
        }
    });
    heard.recv_timeout(READY_SECONDS_MAX).map_err(|_| "it ended, or did not get ready".to_owned())
}

fn rig() -> PathBuf {
    std::env::var_os("NAMEPLATE_RIG").map_or_else(|| place::target().join("rig"), PathBuf::from)
}

/// The Python of the rig, with its packages.
#[must_use]
pub fn python() -> PathBuf {
    rig().join("venv").join("bin").join("python")
}

fn modules() -> PathBuf {
    rig().join("npm").join("node_modules")
}
