//! A gateway at a large site: simulated devices and a mirror port in a network of their own, the field side in it, the desk outside of it.

use std::io::{BufRead, BufReader, Read};
use std::path::PathBuf;
use std::process::{Child, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::mpsc::{self, Sender};
use std::sync::{Arc, RwLock};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use nameplate_tests::process::Process;
use nameplate_tests::product::{Product, State};
use nameplate_tests::segment::{Segment, TALK, TAP};
use nameplate_tests::web::{Asker, Gate};
use serde_json::json;

use super::clients::Page;
use super::hatch::Between;

/// A large site.
pub const DEVICES: u32 = 2_000;
/// Networks that they stand on.
pub const SEGMENTS: u32 = 20;
/// Who asks the page and the API.
pub const CLIENTS: usize = 50;
/// Tokens that one account has at most.
const TOKENS_MAX: usize = 25;
const PASSWORD: &str = "correct horse battery";
/// How often is looked at memory.
const LOOK_EVERY: Duration = Duration::from_millis(500);
/// A process that is not ready by then never will be.
const READY_SECONDS_MAX: Duration = Duration::from_secs(60);

/// What systemd starts both with.
const FIELD_UNIT: &str = include_str!("../../../packaging/units/nameplate-field.service");
const DESK_UNIT: &str = include_str!("../../../packaging/units/nameplate-serve.service");

/// The variables that a unit sets.
fn environment(unit: &'static str) -> impl Iterator<Item = (&'static str, &'static str)> {
    unit.lines().filter_map(|line| line.strip_prefix("Environment=")?.split_once('='))
}

/// It.
pub struct Stand {
    pub product: Product,
    pub folder: State,
    pub segment: Segment,
    pub between: Between,
    pub page: Page,
    pub tokens: Vec<String>,
    /// Devices as the site file names them.
    pub listed: Vec<String>,
    factor: f64,
    fleet: Child,
}

impl Stand {
    /// What is needed here.
    ///
    /// # Errors
    /// What is missing.
    pub fn parts() -> Result<(Product, Segment), String> {
        nameplate_tests::record::available()?;
        Ok((Product::find()?, Segment::new()?))
    }

    /// Builds it; neither process runs yet. Gaps are `factor` of those of a plant, and all devices are asked within `catch_up`.
    pub fn new((product, segment): (Product, Segment), factor: f64, catch_up: Duration) -> Self {
        segment.shell("ip link set dev lo up");
        let folder = State::new();
        let mut command = segment.command(env!("CARGO_BIN_EXE_fleet-stands"));
        command.args([&DEVICES.to_string(), &SEGMENTS.to_string(), &folder.text()]).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut fleet = command.spawn().expect("a fleet");
        let mut line = String::new();
        let said = BufReader::new(fleet.stdout.as_mut().expect("a pipe")).read_line(&mut line);
        assert!(said.is_ok() && line == "there\n", "the fleet does not stand: {line:?}");
        let path = |name: &str| folder.path().join(name);
        let site = std::fs::read_to_string(path("site.toml")).expect("a site file");
        let listed = site.lines().filter_map(|line| Some(line.strip_prefix("target = \"")?.trim_end_matches('"').to_owned())).collect();
        let plan = format!("[[plan]]\nname = \"identity\"\nevery = \"1day\"\ncatch_up = \"{}s\"\n", catch_up.as_secs());
        folder.file("serve.toml", format!("hatch = {:?}\n{plan}[page]\nlisten = \"127.0.0.1:0\"\ntls = false\n", path("between")));
        let between = Between::open(&path("between"), path("hatch"));
        let page = Arc::new(RwLock::new(Gate { at: ([127, 0, 0, 1], 1).into() }));
        Self { product, folder, segment, between, page, tokens: Vec::new(), listed, factor, fleet }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// State of the desk, for an argument list.
    pub fn desk_state(&self) -> String {
        self.path("desk").to_string_lossy().into_owned()
    }

    /// Starts the field side; how long it took until it attended to its hatch.
    pub fn field(&self) -> (Process, Duration) {
        let enter = self.segment.words();
        let under: Vec<&str> = enter.iter().map(String::as_str).collect();
        let [site, hatch, state] = ["site.toml", "hatch", "field"].map(|name| self.path(name).to_string_lossy().into_owned());
        let factor = self.factor.to_string();
        let words = ["field", "--site", &site, "--hatch", &hatch, "--state", &state, "-i", TAP, "--time-factor", &factor];
        let begun = Instant::now();
        let mut command = self.product.command_under(&under, words);
        command.envs(environment(FIELD_UNIT));
        let mut field = Process::start(command);
        field.says("the hatch is");
        (field, begun.elapsed())
    }

    /// Starts the desk; how long it took until it said that it is ready to be worked with, to a program that asked. The first one makes people and tokens.
    pub fn desk(&mut self) -> (Process, Duration) {
        let (config, state) = (self.path("serve.toml"), self.desk_state());
        let begun = Instant::now();
        let mut command = self.product.command(["serve", "--config", &config.to_string_lossy(), "--state", &state]);
        command.envs(environment(DESK_UNIT));
        let mut desk = Process::start(command);
        let link = self.tokens.is_empty().then(|| desk.says("this link makes one"));
        let gate = Gate::of(desk.says("the page is").rsplit(' ').next().expect("a URL"));
        while !gate.try_send("GET", &Asker::nobody(), "/api/v1/health/ready", None).is_ok_and(|said| said.status == 200) {
            assert!(begun.elapsed() < READY_SECONDS_MAX, "it is not ready");
        }
        let ready = begun.elapsed();
        if let Some(link) = link {
            self.tokens = tokens(&gate, link.split("/first/").nth(1).expect("a link"));
        }
        *self.page.write().expect("nobody panics with it") = gate;
        (desk, ready)
    }

    /// A page for one question.
    pub fn gate(&self) -> Gate {
        self.page.read().expect("nobody panics with it").clone()
    }

    /// Plays the mirror port, as fast as that, until it is over.
    pub fn mirror(&self, packets_per_s: u32, time: Duration) -> Mirror {
        let mut command = self.segment.command("tcpreplay");
        let (pace, time) = (packets_per_s.to_string(), time.as_secs().to_string());
        // A hundred in one go: a clock that is asked for each frame would take a processor.
        command.args(["-q", "-K", "-i", TALK, "--pps", &pace, "--pps-multi", "100", "--loop", "0", "--duration", &time]);
        let child = command.arg(self.path("mirror.pcap")).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().expect("tcpreplay starts");
        Mirror(child)
    }
}

impl Drop for Stand {
    fn drop(&mut self) {
        drop(self.fleet.stdin.take());
        let _ = self.fleet.wait();
    }
}

/// Makes the first administrator, two engineers, and as many tokens as there are clients.
fn tokens(gate: &Gate, secret: &str) -> Vec<String> {
    let administrator = Asker::session(&gate.come_in(&format!("/first/{secret}"), "Ada", PASSWORD), &gate.origin());
    let engineer = |number: usize| {
        let name = format!("Eva {number}");
        let made = gate.json("POST", &administrator, "/api/v1/accounts", &json!({ "name": name, "role": "engineer" })).expect(201).json();
        let session = Asker::session(&gate.come_in(made["link"].as_str().expect("a link"), &name, PASSWORD), &gate.origin());
        let token = |_| {
            let made = gate.json("POST", &session, "/api/v1/tokens", &json!({ "rights": ["read", "ask"], "days": 1 })).expect(201).json();
            made["token"].as_str().expect("a token").to_owned()
        };
        (0..TOKENS_MAX).map(token).collect::<Vec<_>>()
    };
    (0..CLIENTS.div_ceil(TOKENS_MAX)).flat_map(engineer).take(CLIENTS).collect()
}

/// Frames under way.
pub struct Mirror(Child);

impl Mirror {
    /// Waits for the end; how many left.
    ///
    /// # Panics
    /// It failed.
    pub fn sent(mut self) -> u64 {
        let mut said = String::new();
        self.0.stdout.take().expect("a pipe").read_to_string(&mut said).expect("text");
        self.0.wait().expect("an end");
        let count = |name: &str| said.lines().find_map(|line| line.trim().strip_prefix(name)?.trim().parse::<u64>().ok());
        assert_eq!(count("Failed packets:"), Some(0), "{said}");
        count("Successful packets:").expect("a count")
    }
}

impl Drop for Mirror {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Memory of both processes, looked at all the while.
pub struct Watch {
    pids: Arc<[AtomicU32; 2]>,
    over: Sender<()>,
    thread: JoinHandle<Memory>,
}

/// KiB of the field side and of the desk, at most: resident (what they share counts in both), and in shares; and of both at one moment.
#[derive(Clone, Copy, Debug, Default)]
pub struct Memory {
    pub resident: [u64; 2],
    pub share: [u64; 2],
    pub share_of_both: u64,
}

impl Watch {
    /// Begins; processes are told by [`Watch::at`].
    pub fn start() -> Self {
        let pids: Arc<[AtomicU32; 2]> = Arc::default();
        let (over, ended) = mpsc::channel::<()>();
        let looked = Arc::clone(&pids);
        let thread = thread::spawn(move || {
            let mut most = Memory::default();
            while ended.recv_timeout(LOOK_EVERY) == Err(mpsc::RecvTimeoutError::Timeout) {
                let mut now = 0;
                for (at, pid) in looked.iter().enumerate() {
                    let text = std::fs::read_to_string(format!("/proc/{}/smaps_rollup", pid.load(Ordering::Relaxed))).unwrap_or_default();
                    let kib = |name: &str| text.lines().find_map(|line| line.strip_prefix(name)?.trim().strip_suffix(" kB")?.parse().ok());
                    let (resident, share): (u64, u64) = (kib("Rss:").unwrap_or(0), kib("Pss:").unwrap_or(0));
                    most.resident[at] = most.resident[at].max(resident);
                    most.share[at] = most.share[at].max(share);
                    now += share;
                }
                most.share_of_both = most.share_of_both.max(now);
            }
            most
        });
        Self { pids, over, thread }
    }

    /// The field side (0) or the desk (1) is this process now.
    pub fn at(&self, which: usize, process: &Process) {
        self.pids[which].store(process.child.id(), Ordering::Relaxed);
    }

    /// Ends it.
    ///
    /// # Panics
    /// It did.
    pub fn end(self) -> Memory {
        drop(self.over);
        self.thread.join().expect("a thread that ends well")
    }
}

/// Seconds of the processor that a process has used (proc_pid_stat(5), fields 14 and 15, in hundredths).
pub fn processor_s(process: &Process) -> f64 {
    let text = std::fs::read_to_string(format!("/proc/{}/stat", process.child.id())).unwrap_or_default();
    let behind = text.rsplit(") ").next().unwrap_or_default();
    behind.split(' ').skip(11).take(2).filter_map(|ticks| ticks.parse::<f64>().ok()).sum::<f64>() / 100.0
}

/// Frames of an interface that the kernel counted as received.
pub fn arrived(segment: &Segment) -> u64 {
    segment.counted(TAP).0
}
