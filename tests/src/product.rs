//! The product as its users meet it: a process with arguments, two streams and an exit code; and a simulated device for it to meet.

use std::ffi::OsStr;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use nameplate_simulators::device::{Device, Running};
use nameplate_simulators::language::Language;
use nameplate_simulators::report::Report;
use serde_json::Value;

use crate::place;

/// What scripts rely on (contracts, "Commands").
pub mod code {
    /// It did what it was asked.
    pub const DONE: i32 = 0;
    /// An argument that makes no sense.
    pub const USAGE: i32 = 2;
    /// An input, a profile or the state could not be read or written.
    pub const INPUT: i32 = 3;
    /// Refused on our side; nothing of it was sent.
    pub const REFUSED: i32 = 4;
    /// A device gave no answer, or none that can be used.
    pub const NO_ANSWER: i32 = 5;
    /// A proof, a profile test or a verification failed.
    pub const FAILED: i32 = 6;
}

/// Shortens the gaps we keep on our own account; loopback only. Time-outs stay as they are.
pub const TIME_FACTOR: &str = "0.00001";
/// A device whose connections are not all closed so long after the product ended was left with one.
const SETTLED_SECONDS_MAX: Duration = Duration::from_secs(10);

/// The program, found.
#[derive(Clone, Debug)]
pub struct Product {
    /// Where it is.
    pub binary: PathBuf,
}

/// How one run of the program ended.
#[derive(Clone, Debug)]
pub struct Ended {
    /// Its exit code; -1 where a signal ended it.
    pub code: i32,
    /// Standard output.
    pub out: String,
    /// Standard error.
    pub err: String,
    /// From start to end.
    pub took: Duration,
}

/// One line of `--format claims`, as another program reads it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Claim {
    /// The nameplate field.
    pub field: String,
    /// As the device said it.
    pub value: String,
    /// How good the source is.
    pub grade: String,
    /// Which profile.
    pub profile: String,
    /// Which rule of it.
    pub rule: String,
    /// Which part of the device.
    pub component: String,
}

impl Product {
    /// The program.
    ///
    /// # Errors
    /// That it is not built.
    pub fn find() -> Result<Self, String> {
        // A relative path would mean another file where a test runs it elsewhere.
        let binary = place::binary()?;
        binary.canonicalize().map(|binary| Self { binary }).map_err(|error| format!("{}: {error}", binary.display()))
    }

    /// A command with these arguments that knows nothing of the account it runs in.
    pub fn command<A: AsRef<OsStr>>(&self, arguments: impl IntoIterator<Item = A>) -> Command {
        let mut command = Command::new(&self.binary);
        bare(&mut command).args(arguments);
        command
    }

    /// The same under another program, such as strace: its words come first.
    pub fn command_under<A: AsRef<OsStr>>(&self, words: &[&str], arguments: impl IntoIterator<Item = A>) -> Command {
        let mut command = Command::new(words.first().copied().unwrap_or_default());
        bare(&mut command).args(words.iter().skip(1)).arg(&self.binary).args(arguments);
        command
    }

    /// Runs it with these arguments.
    pub fn run<A: AsRef<OsStr>>(&self, arguments: impl IntoIterator<Item = A>) -> Ended {
        run(&mut self.command(arguments))
    }

    /// `ask` of these targets with what every test needs: a state, a reason, and short gaps.
    pub fn ask(&self, state: &State, more: &[&str]) -> Ended {
        let place = state.path().to_string_lossy().into_owned();
        let common = ["ask", "--reason", "WO-1", "--time-factor", TIME_FACTOR, "--state", place.as_str()];
        self.run(common.iter().chain(more))
    }

    /// The same with settings of the environment beside it: secrets, which no command line holds.
    pub fn ask_with(&self, state: &State, more: &[String], environment: &[(&str, String)]) -> Ended {
        let place = state.text();
        let mut command = self.command(["ask", "--reason", "WO-1", "--time-factor", TIME_FACTOR, "--state", place.as_str()]);
        run(command.args(more).envs(environment.iter().map(|(name, value)| (*name, value))))
    }
}

/// The account's own state and data directory are out of reach.
fn bare(command: &mut Command) -> &mut Command {
    let gone = ["NAMEPLATE_STATE", "XDG_DATA_HOME", "HOME"];
    gone.iter().fold(command, |command, name| command.env_remove(name)).stdin(Stdio::null())
}

/// Runs a command to its end.
///
/// # Panics
/// When it cannot be started, does not speak UTF-8, or panicked itself: no input may do that.
pub fn run(command: &mut Command) -> Ended {
    let begun = Instant::now();
    let Output { status, stdout, stderr } = command.output().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap_or_else(|error| panic!("{command:?} does not speak UTF-8: {error}"));
    let ended = Ended { code: status.code().unwrap_or(-1), out: text(stdout), err: text(stderr), took: begun.elapsed() };
    assert!(!ended.err.contains("panicked at"), "{command:?} panicked:\n{}", ended.err);
    ended
}

impl Ended {
    /// The same run, if it ended with this code.
    ///
    /// # Panics
    /// If it did not; with everything it said.
    #[track_caller]
    pub fn expect(self, code: i32) -> Self {
        assert_eq!(self.code, code, "standard output:\n{}\nstandard error:\n{}", self.out, self.err);
        self
    }

    /// How many frames `listen` says that it read.
    pub fn frames(&self) -> Option<u64> {
        let counted = self.err.lines().find_map(|line| line.split_once(" frames, ").or_else(|| line.split_once(" frame, ")))?;
        counted.0.parse().ok()
    }

    /// Every line of standard output as JSON.
    ///
    /// # Panics
    /// When one is none: what is piped is NDJSON.
    #[track_caller]
    pub fn lines(&self) -> Vec<Value> {
        self.out.lines().map(|line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{line:?}: {error}"))).collect()
    }

    /// Every line of standard output as a claim, sorted.
    #[track_caller]
    pub fn claims(&self) -> Vec<Claim> {
        let mut claims: Vec<Claim> = self.lines().iter().map(Claim::of).collect();
        claims.sort();
        claims
    }
}

impl Claim {
    /// A claim line. A key that is missing reads as empty.
    pub fn of(line: &Value) -> Self {
        let text = |key: &str| line[key].as_str().unwrap_or_default().to_owned();
        Self {
            field: text("field"),
            value: text("value"),
            grade: text("grade"),
            profile: text("profile"),
            rule: text("rule"),
            component: text("component"),
        }
    }

    /// True where the claim names a release: hardware, firmware, software or boot revision.
    pub fn is_revision(&self) -> bool {
        self.field.ends_with("_revision") && self.field != "protocol_revision"
    }
}

/// A folder of a test's own below target/tmp, gone with the value.
#[derive(Debug)]
pub struct State(PathBuf);

impl State {
    /// An empty one.
    ///
    /// # Panics
    /// When it cannot be made.
    pub fn new() -> Self {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let place = place::scratch().expect("a place for what tests write").join(format!("state-{}-{number}", std::process::id()));
        std::fs::create_dir_all(&place).expect("a new folder");
        Self(place.canonicalize().expect("a folder that was just made"))
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.0
    }

    /// The same for an argument list.
    pub fn text(&self) -> String {
        self.0.to_string_lossy().into_owned()
    }

    /// Writes a file into it, with the folders on the way; gives its path for an argument list.
    ///
    /// # Panics
    /// When it cannot be written.
    pub fn file(&self, name: &str, bytes: impl AsRef<[u8]>) -> String {
        let path = self.0.join(name);
        std::fs::create_dir_all(path.parent().expect("a name below the folder")).expect("folders");
        std::fs::write(&path, bytes).expect("written");
        path.to_string_lossy().into_owned()
    }

    /// The lines of the touch record in it, without its first one; none where there is no record.
    ///
    /// # Panics
    /// When a line is no JSON.
    pub fn touches(&self) -> Vec<Value> {
        let text = std::fs::read_to_string(self.0.join("touch.ndjson")).unwrap_or_default();
        text.lines().skip(1).map(|line| serde_json::from_str(line).expect("a line of the touch record")).collect()
    }
}

impl Default for State {
    fn default() -> Self {
        Self::new()
    }
}

impl Drop for State {
    fn drop(&mut self) {
        // What is left behind lies in target/tmp; there is nobody to tell here.
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// Starts a simulated device, lets the story happen to it on another thread, and gives the story's outcome and the device's account once
/// no connection is open any more.
///
/// # Panics
/// When the device cannot be started, the story panics, or a connection stays open.
pub fn simulated<P, T>(device: Device<P>, story: impl FnOnce(SocketAddr) -> T + Send + 'static) -> (T, Report)
where
    P: Language + 'static,
    T: Send + 'static,
{
    block_on(async {
        let running = device.start(Device::<P>::ANYWHERE).await.expect("a port on loopback");
        let address = running.address;
        let outcome = tokio::task::spawn_blocking(move || story(address)).await.expect("a story that ends well");
        let report = settled(running).await;
        (outcome, report)
    })
}

/// The device's last account, once its last connection is closed.
///
/// # Panics
/// When one stays open.
pub async fn settled(running: Running) -> Report {
    let waited = tokio::time::timeout(SETTLED_SECONDS_MAX, running.settled()).await;
    assert!(waited.is_ok(), "a connection stayed open: {:?}", running.report());
    running.stop().await
}

/// Runs what simulators need: time and sockets on this thread.
///
/// # Panics
/// When there is no runtime to be had.
pub fn block_on<F: Future>(future: F) -> F::Output {
    tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime").block_on(future)
}
