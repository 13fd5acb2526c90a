//! One device of the zoo at the end of a cable in memory, and a visit to it.

use std::collections::BTreeSet;
use std::fs;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, SystemTime};

use nameplate::simulated::Simulated;
use nameplate_core::profile::ProfileSet;
use nameplate_field::ask::{Ask, Event, Reason, Settings, Via, What, ask, ask_over};
use nameplate_field::dialogue::BYTES_IN_MAX;
use nameplate_field::guard::{Endpoint, Guarded, Limits, Permit};
use nameplate_field::touch::{Kind, Line, TouchRecord};
use nameplate_simulators::device::Device;
use nameplate_simulators::fault::{Fault, More};
use nameplate_simulators::language::{Carrier, Language};
use nameplate_simulators::report::Trip;
use nameplate_simulators::{dnp3, pn_dcp, s7, snmp};
use nameplate_tests::place;
use tokio::time::Instant;

/// What is read of one device before it is left, and one more read of the longest datagram.
pub const BYTES_MAX: u64 = BYTES_IN_MAX as u64 + 65_535;
/// The goodbye, and the end of the connection, each (read-only.md, section 3).
const CLOSE_MAX: Duration = Duration::from_secs(2);
/// From one reading of a device to the next, and a moment.
const GAP: Duration = Duration::from_secs(31);
/// Visits after which a breaker is open that opens at all.
const VISITS_MAX: usize = 2;
const REASON: &str = "ZOO";

/// A device that can be visited.
pub struct Cage {
    /// What stands in the table.
    pub name: String,
    pub over: Carrier,
    pub limits: Caps,
    device: Simulated,
    ask: Ask,
}

/// What its row of the allowlist caps.
pub struct Caps {
    pub messages_max: u8,
    pub held_max: Duration,
}

/// How a visit ended, in a word and a sentence.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    Answered,
    NoAnswer(String),
    Hostile(String),
    Failed(String),
    Refused(String),
}

/// What one visit came to.
#[derive(Clone, Debug)]
pub struct Visit {
    pub messages: u32,
    pub bytes_in: u64,
    pub held: Duration,
    pub grown_kib: u64,
    pub trips: Vec<Trip>,
    /// Facts that were read, with their bytes.
    pub facts: BTreeSet<String>,
    pub strays: usize,
    pub outcome: Outcome,
    /// The breaker is open: nobody asks it now.
    pub left_alone: bool,
}

fn words(text: &str) -> Vec<String> {
    text.split_whitespace().map(str::to_owned).collect()
}

fn of(profile: &str) -> Simulated {
    let set = ProfileSet::built_in().expect("the built-in profiles");
    Simulated::named(&set, profile).unwrap_or_else(|e| panic!("{profile}: {e}"))
}

/// An agent with parts.
fn switch() -> snmp::Persona {
    let entity = snmp::Entity { class: 3, firmware: b"1.2".to_vec(), model: b"MK-1".to_vec(), ..snmp::Entity::default() };
    snmp::Persona::new(b"Galvan GX", &[1, 3, 6, 1, 4, 1, 248], b"gx-1", 1234).with_entities([(1, entity)])
}

fn outstation() -> dnp3::Persona {
    dnp3::Persona::new([
        (252, b"Galvan".to_vec()),
        (250, b"GX".to_vec()),
        (248, b"7".to_vec()),
        (243, b"B".to_vec()),
        (242, b"1.2".to_vec()),
    ])
}

impl Cage {
    fn new(device: Simulated, over: Carrier) -> Self {
        let ask = device.ask(SocketAddr::from((Ipv4Addr::LOCALHOST, device.persona.port()))).unwrap_or_else(|e| panic!("{e}"));
        Self::asked(device, ask, over)
    }

    fn asked(device: Simulated, ask: Ask, over: Carrier) -> Self {
        let limits = Limits::of(&ask.via.adapter().grant().expect("a grant"));
        let limits = Caps { messages_max: limits.messages_max, held_max: limits.hold_max + CLOSE_MAX };
        let by = match (&ask.endpoint, over) {
            (Endpoint::Station(_), _) => "",
            (_, Carrier::Udp) => " udp",
            (_, Carrier::Tcp) => " tcp",
        };
        let name = format!("{}{by}", device.protocol);
        Self { name, over, limits, device, ask }
    }

    fn with(protocol: &str, persona: impl Language + 'static, station: &str, more: &str, over: Carrier) -> Self {
        let (profile, persona) = (String::new(), Arc::new(persona));
        let words = words(&format!("--via {protocol} {more}"));
        Self::new(Simulated { profile, protocol: protocol.to_owned(), persona, station: station.to_owned(), words, environment: &[] }, over)
    }

    /// Whether the answers of its protocol have what this entry makes wrong. HART-IP has two versions, and a header alone is an answer; half a
    /// datagram of FINS is one, too, as it has no length, and a stream's end is none of datagrams.
    pub fn has(&self, entry: &str) -> bool {
        let persona = &self.device.persona;
        let sample = persona.sample();
        let answers = nameplate_simulators::rehearsal::rehearse(&**persona, self.over, &[sample]).answers();
        let layout = answers.first().map(|answer| persona.layout(answer)).unwrap_or_default();
        match entry {
            "wrong-protocol" if self.name.starts_with("hart-ip") => false,
            "cut-short" | "fin-mid-answer" if self.name == "fins udp" => false,
            "wrong-protocol" => layout.protocol.is_some(),
            "wrong-id" => layout.transaction.is_some(),
            "wrong-station" => layout.unit.is_some(),
            _ => true,
        }
    }

    /// Asks it until it is left alone, or it answered.
    pub fn visits(&self, fault: Option<Fault>) -> Vec<Visit> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build().expect("a runtime");
        runtime.block_on(async {
            let folder = Folder::new();
            let (began, epoch) = (Instant::now(), SystemTime::now());
            let now = move || epoch + began.elapsed();
            let touch = Arc::new(TouchRecord::open(&folder.0, now).expect("a touch record"));
            let settings = Settings::new(Reason::WorkOrder(REASON.to_owned()), Arc::new(now));
            let mut visits: Vec<Visit> = Vec::new();
            while visits.len() < VISITS_MAX && visits.last().is_none_or(|last| last.outcome != Outcome::Answered && !last.left_alone) {
                if !visits.is_empty() {
                    tokio::time::sleep(GAP).await;
                }
                let mut visit = self.visit(fault.clone(), &settings, &touch).await;
                let answered = visit.outcome == Outcome::Answered;
                visit.left_alone = self.is_left_alone(answered, &settings, &touch).await;
                visits.push(visit);
            }
            visits
        })
    }

    async fn visit(&self, fault: Option<Fault>, settings: &Settings, touch: &Arc<TouchRecord>) -> Visit {
        let mark = Mark::now();
        let device = Device { fault, ..Device::new(self.device.persona.clone()) };
        let (cable, plugged) = device.plug(self.over);
        let grant = self.ask.via.adapter().grant().expect("a grant");
        let limits = Limits::of(&grant);
        let mut line = Line::new(Kind::Connect);
        (line.target, line.station) = (Some(self.ask.endpoint.clone()), Some(self.ask.station()).filter(|station| !station.is_empty()));
        (line.protocol, line.reason) = (Some(self.ask.via.adapter().name().to_owned()), Some(REASON.to_owned()));
        touch.append(line).expect("a line");
        let permit = Permit::new(self.ask.endpoint.clone(), grant, REASON, limits).expect("a permit");
        let guarded = Guarded::over(cable, permit, Arc::clone(touch));
        let events = ask_over(self.ask.clone(), guarded, Arc::clone(&settings.clock), Arc::clone(touch)).await;
        let grown_kib = mark.grown_kib();
        Visit::of(&events, grown_kib, &plugged.report())
    }

    /// Whether the breaker would let nobody ask it now; of what is read once a day, whether the day would not.
    async fn is_left_alone(&self, answered: bool, settings: &Settings, touch: &Arc<TouchRecord>) -> bool {
        let mut rules = Vec::new();
        let told = |event: Event| match event.what {
            What::Refused { refused, .. } => rules.push(refused.rule),
            other => panic!("right after a reading nobody is asked: {other:?}"),
        };
        ask(vec![self.ask.clone()], settings, Arc::clone(touch), told).await.expect("a record that is read");
        let is_daily = self.ask.via.adapter().readings_per_day_max() == Some(1);
        rules == ["breaker.open"] || (is_daily && !answered && rules == ["budget.day"])
    }

    /// A row of the table: the last visit, and how many there were.
    pub fn print(&self, entry: &str, visits: &[Visit]) {
        let Some(last) = visits.last() else { return };
        let most = |of: fn(&Visit) -> u64| visits.iter().map(of).max().unwrap_or(0);
        println!(
            "{:<14} {:<17} {:>5} {:>4} {:>8} {:>8.1} {:>6}  {}{}{}",
            self.name,
            entry,
            visits.len(),
            most(|visit| visit.messages.into()),
            most(|visit| visit.bytes_in),
            most(|visit| visit.held.as_millis() as u64) as f64 / 1000.0,
            most(|visit| visit.grown_kib),
            last.outcome,
            if last.strays > 0 { format!(" ({} strays)", last.strays) } else { String::new() },
            if last.left_alone { "; breaker open" } else { "" },
        );
    }
}

impl Visit {
    fn of(events: &[Event], grown_kib: u64, report: &nameplate_simulators::report::Report) -> Self {
        let mut visit = Self {
            messages: report.requests(),
            bytes_in: 0,
            held: Duration::ZERO,
            grown_kib,
            trips: report.trips.clone(),
            facts: BTreeSet::new(),
            strays: 0,
            outcome: Outcome::Answered,
            left_alone: false,
        };
        for event in events {
            match &event.what {
                What::Reading(reading) => {
                    visit.facts.extend(reading.facts.iter().map(|fact| format!("{}={}", fact.path, fact.bytes.escape_ascii())));
                }
                What::Stray { .. } => visit.strays += 1,
                What::NoAnswer { why, .. } => visit.outcome = Outcome::NoAnswer(why.clone()),
                What::Hostile { why, .. } => visit.outcome = Outcome::Hostile(why.clone()),
                What::Failed { operation, why } => visit.outcome = Outcome::Failed(format!("{operation}: {why}")),
                What::Refused { refused, .. } => visit.outcome = Outcome::Refused(refused.to_string()),
                What::Closed { closed, .. } => (visit.bytes_in, visit.held) = (closed.bytes_in, closed.hold),
                What::Opened | What::Sent { .. } | What::Uptime(_) | What::Unasked => {}
            }
        }
        visit
    }
}

impl std::fmt::Display for Outcome {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Answered => write!(f, "answered"),
            Self::NoAnswer(why) => write!(f, "no answer: {why}"),
            // The sentence begins with the word.
            Self::Hostile(why) => write!(f, "{why}"),
            Self::Failed(why) => write!(f, "failed: {why}"),
            Self::Refused(why) => write!(f, "REFUSED BY THE GUARD: {why}"),
        }
    }
}

/// A station on layer 2: frames are to it what datagrams are to others.
fn station() -> Cage {
    let persona = Arc::new(pn_dcp::Persona::new(b"et200sp", b"ET200SP"));
    let (profile, protocol) = (String::new(), "pn-dcp".to_owned());
    let device = Simulated { profile, protocol, persona, station: String::new(), words: Vec::new(), environment: &[] };
    let endpoint = "dcp:eth1/00:00:5e:00:53:01".parse().expect("a station");
    let questions = nameplate_field::pn_dcp::Questions { consent: Some("ZOO".to_owned()), transaction: None };
    Cage::asked(device, Ask { endpoint, via: Via::PnDcp(questions) }, Carrier::Udp)
}

/// Every protocol that is asked, over each carrier that it has.
pub fn all() -> Vec<Cage> {
    use Carrier::{Tcp, Udp};
    let hart = |more: &str, over| {
        let device = of("generic/hart-ip");
        Cage::new(Simulated { words: [device.words.clone(), words(more)].concat(), ..device }, over)
    };
    let slmp = |more: &str, over| {
        let device = of("generic/slmp");
        Cage::new(Simulated { words: [device.words.clone(), words(more)].concat(), ..device }, over)
    };
    let enip = |more: &str, over| {
        let device = of("generic/enip");
        Cage::new(Simulated { words: [device.words.clone(), words(more)].concat(), ..device }, over)
    };
    let plc = nameplate_simulators::fins::Persona {
        assigned: [77].into(),
        ..nameplate_simulators::fins::Persona::new(b"CP1L-EL20DR-D", b"01.00")
    };
    vec![
        Cage::new(of("generic/bacnet"), Udp),
        Cage::new(of("generic/cip"), Tcp),
        Cage::with("dnp3", outstation(), "10", "--dnp3-master 1", Tcp),
        enip("", Udp),
        enip("--enip-tcp", Tcp),
        Cage::new(of("generic/fins"), Tcp),
        Cage::with("fins", plc, "", "--fins-node 77", Udp),
        Cage::new(of("generic/ftp"), Tcp),
        hart("", Tcp),
        hart("--hart-udp", Udp),
        Cage::new(of("digi/transport-web"), Tcp),
        Cage::new(of("lantronix/xport"), Tcp),
        station(),
        Cage::new(of("generic/pn-io"), Udp),
        Cage::new(of("generic/s7comm"), Tcp),
        slmp("", Tcp),
        slmp("--slmp-udp", Udp),
        Cage::with("snmp", switch(), "", "--snmp-community-public --snmp-entity", Udp),
        Cage::new(of("generic/ssh"), Tcp),
        Cage::new(of("generic/telnet"), Tcp),
    ]
}

/// What is hostile in a way of one protocol's own.
pub fn peculiar() -> Vec<(Cage, &'static str)> {
    let module = |index| s7::Module { index, order_number: b"6ES7 315-2EH14-0AB0".to_vec(), kind: 0xC0, version: [0, 4, 0, 1] };
    let tiny = s7::Persona { pdu_bytes: 0, ..s7::Persona::new([module(1), module(6)], []) };
    let again = snmp::Persona { endless: Some(More::Repeating), ..switch() };
    let unconfirmed = dnp3::Unsolicited { silent: Duration::from_secs(3_600), consents_to_confirm: false };
    let sulking = dnp3::Persona { unsolicited: Some(unconfirmed), ..outstation() };
    vec![
        (Cage::with("s7comm", tiny, "", "", Carrier::Tcp), "PDU size 0"),
        (Cage::with("snmp", again, "", "--snmp-community-public --snmp-entity", Carrier::Udp), "GETNEXT stands still"),
        (Cage::with("dnp3", sulking, "10", "--dnp3-master 1", Carrier::Tcp), "never confirmed"),
    ]
}

/// How much memory the process held at a moment.
pub struct Mark {
    resident_kib: u64,
}

impl Mark {
    /// From here on the most is counted anew (proc_pid_clear_refs(5)).
    pub fn now() -> Self {
        fs::write("/proc/self/clear_refs", "5").expect("a process may reset its own mark");
        Self { resident_kib: memory_kib("VmRSS:") }
    }

    /// By how much it has been more since, at most.
    pub fn grown_kib(&self) -> u64 {
        memory_kib("VmHWM:").saturating_sub(self.resident_kib)
    }
}

/// A line of proc_pid_status(5).
fn memory_kib(key: &str) -> u64 {
    let status = fs::read_to_string("/proc/self/status").expect("the process's own account");
    let line = status.lines().find_map(|line| line.strip_prefix(key)).expect("a size");
    line.trim().strip_suffix(" kB").and_then(|size| size.parse().ok()).expect("a number")
}

/// Where a touch record lies; in memory where the system has such a place, because syncs are not what is measured here.
struct Folder(PathBuf);

impl Folder {
    fn new() -> Self {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let memory = PathBuf::from("/dev/shm");
        let parent = if memory.is_dir() { memory } else { place::scratch().expect("a place for what tests write") };
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let folder = parent.join(format!("nameplate-zoo-{}-{number}", std::process::id()));
        fs::create_dir_all(&folder).expect("a new folder");
        Self(folder)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _gone = fs::remove_dir_all(&self.0);
    }
}
