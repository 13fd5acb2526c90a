//! A serial line of this machine that leads to a simulated device.

use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

/// A terminal that socat connects to a simulator's port; ended by its process id when dropped.
#[derive(Debug)]
pub struct Line {
    socat: Child,
    /// Our end of it.
    pub ours: PathBuf,
}

impl Line {
    /// A terminal whose other end is this port of the loopback address.
    ///
    /// # Errors
    /// That socat is missing, or what it did instead.
    pub fn to(port: u16) -> Result<Self, String> {
        let mut command = Command::new("socat");
        let there = format!("tcp:127.0.0.1:{port}");
        command.args(["-d", "-d", "pty,raw,echo=0", &there]).stdin(Stdio::null()).stderr(Stdio::piped());
        let mut socat = command.spawn().map_err(|error| format!("socat: {error}"))?;
        let says = socat.stderr.take().ok_or("socat: no pipe")?;
        let mut says = BufReader::new(says).lines().map_while(Result::ok);
        let ours = says.find_map(|line| Some(PathBuf::from(line.split_once("PTY is ")?.1)));
        let line = Self { socat, ours: ours.ok_or("socat made no terminal")? };
        if !says.any(|line| line.contains("starting data transfer loop")) {
            return Err("socat ended".to_owned());
        }
        // Who stops reading would stop socat with its next word.
        std::thread::spawn(move || says.count());
        Ok(line)
    }
}

impl Drop for Line {
    fn drop(&mut self) {
        let _ended = self.socat.kill().and_then(|()| self.socat.wait());
    }
}
