//! Where things lie, and how a program is run there.

use std::ffi::OsStr;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Instant;

/// The working tree and its build folder, both absolute.
pub struct Tree {
    pub root: PathBuf,
    pub target: PathBuf,
    /// In CI nothing may be left out: what could not run has failed.
    pub ci: bool,
}

impl Tree {
    pub fn here() -> Self {
        let manifest = Path::new(env!("CARGO_MANIFEST_DIR"));
        let root = manifest.parent().unwrap_or(manifest).to_path_buf();
        let target = std::env::var_os("CARGO_TARGET_DIR").map(PathBuf::from);
        // A relative CARGO_TARGET_DIR is relative to where cargo was called, and that is where we were started.
        let target = target.map(|dir| std::path::absolute(&dir).unwrap_or(dir)).unwrap_or_else(|| root.join("target"));
        let ci = std::env::var_os("CI").is_some_and(|value| !value.is_empty() && value != "false");
        Self { root, target, ci }
    }

    /// A program to be run from the root, with the environment that the tests are promised.
    pub fn command(&self, program: impl AsRef<OsStr>) -> Command {
        let mut command = Command::new(program);
        command.current_dir(&self.root).stdin(Stdio::null());
        command.env("CARGO_TARGET_DIR", &self.target);
        command.env("NAMEPLATE_BIN", self.binary());
        command.env("NAMEPLATE_RIG", self.rig());
        command.env("NAMEPLATE_SKIPS", self.skips());
        command
    }

    /// cargo, as a person calls it: what the cargo that runs us says of this crate would have build scripts that look at it (ring's) run again, and
    /// everything behind them built anew.
    pub fn cargo(&self, words: &[&str]) -> Command {
        let mut command = self.command("cargo");
        command.args(words);
        let ours = |name: &str| name.starts_with("CARGO_PKG_") || name.starts_with("CARGO_MANIFEST_");
        std::env::vars_os().filter(|(name, _)| name.to_str().is_some_and(ours)).for_each(|(name, _)| {
            command.env_remove(name);
        });
        command
    }

    /// The product, as `cargo build --release` leaves it.
    pub fn binary(&self) -> PathBuf {
        self.built("release")
    }

    /// The same of another profile.
    pub fn built(&self, profile: &str) -> PathBuf {
        self.target.join(profile).join(format!("nameplate{}", std::env::consts::EXE_SUFFIX))
    }

    /// The pip and npm parts that the tests run against.
    pub fn rig(&self) -> PathBuf {
        self.target.join("rig")
    }

    /// Where a test that cannot run here leaves one line, `skipped: <test>: <why>`, before it returns.
    pub fn skips(&self) -> PathBuf {
        self.target.join("skips.txt")
    }

    /// The captures and facts that stay outside the repository.
    pub fn shared(&self) -> PathBuf {
        std::env::var_os("NAMEPLATE_SHARED").map(PathBuf::from).unwrap_or_else(|| self.root.join("..").join("shared"))
    }
}

/// Whether a program is there and starts; what it says goes nowhere.
pub fn starts(program: &str, words: &[&str]) -> bool {
    let run = Command::new(program).args(words).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).status();
    run.is_ok_and(|status| status.success())
}

/// Runs a command to its end with its output shown, and says how long it took. Not being able to start it is a failure with a reason.
pub fn shown(name: &str, command: &mut Command) -> Result<(), String> {
    eprintln!("== {name}");
    let begun = Instant::now();
    let ended = command.status().map_err(|error| format!("{name}: could not be started: {error}"))?;
    eprintln!("== {name}: {:.1} s", begun.elapsed().as_secs_f64());
    if ended.success() { Ok(()) } else { Err(format!("{name}: {ended}")) }
}

/// As [`shown`], and hands over every line of what the command says while it is shown: its stderr, where `cargo nextest` speaks, or its stdout.
pub fn read(name: &str, command: &mut Command, stderr: bool, mut each: impl FnMut(&str)) -> Result<(), String> {
    eprintln!("== {name}");
    let begun = Instant::now();
    let piped = if stderr { command.stderr(Stdio::piped()) } else { command.stdout(Stdio::piped()) };
    let mut child = piped.spawn().map_err(|error| format!("{name}: could not be started: {error}"))?;
    let stream: Option<Box<dyn std::io::Read>> =
        if stderr { child.stderr.take().map(|s| Box::new(s) as _) } else { child.stdout.take().map(|s| Box::new(s) as _) };
    if let Some(stream) = stream {
        // Not `lines()`: one byte that is no UTF-8 in a test's output must not end the count.
        for line in BufReader::new(stream).split(b'\n').map_while(Result::ok) {
            let line = String::from_utf8_lossy(&line);
            eprintln!("{line}");
            each(&line);
        }
    }
    let ended = child.wait().map_err(|error| format!("{name}: {error}"))?;
    eprintln!("== {name}: {:.1} s", begun.elapsed().as_secs_f64());
    if ended.success() { Ok(()) } else { Err(format!("{name}: {ended}")) }
}
