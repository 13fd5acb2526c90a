//! The second step: simulated devices of every protocol, sound and hostile, are asked on loopback; what each cost, and how it ended.

use std::collections::BTreeMap;
use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use nameplate_core::observation::hex;
use nameplate_core::profile::ProfileSet;
use nameplate_core::text::printable;
use nameplate_field::ask::{self, Ask, Event, Reason, Settings, What};
use nameplate_field::guard::Limits;
use nameplate_simulators::device::{Device, Running};
use nameplate_simulators::language::Language;
use nameplate_simulators::personality::{PERSONALITIES, Personality};
use nameplate_simulators::report::{Report, Trip};

use crate::command::ask::touch_record;
use crate::failure::{Code, Failure};
use crate::print;
use crate::simulated::Simulated;

/// Scales the gaps towards the simulators on loopback; it is on record.
const TIME_FACTOR: f64 = 0.01;
/// The goodbye and the end of the connection, each, and a busy machine.
const CLOSE_S_MAX: u64 = 4;
/// The protocol that asks what a profile names from a port of its own; an agent keeps a session for neither.
const FROM_TWO_PORTS: &str = "snmp";
/// First of the loopback networks that the devices stand in, a /24 each, so that nobody waits for another.
const NETWORK: u8 = 80;

/// One device of the zoo.
struct Kept {
    protocol: String,
    personality: Option<&'static Personality>,
    ask: Ask,
    /// Questions that it takes on a connection, goodbyes among them, before it trips.
    requests_max: u32,
    running: Running,
}

/// What one device was seen to cost, by itself and by us.
#[derive(Default)]
struct Cost {
    bytes_in: u64,
    hold: Duration,
    outcome: String,
    /// False where our own guard refused.
    allowed: bool,
}

/// Asks them all, prints a line for each, and fails where one was reached by what must not leave, or cost more than it may.
///
/// # Errors
/// Code 6, with what went wrong on standard error.
pub async fn visit(profiles: &ProfileSet, directory: &Path) -> Result<(), Failure> {
    let kept = start(profiles).await?;
    let asks: Vec<Ask> = kept.iter().map(|one| one.ask.clone()).collect();
    let reason = Reason::WorkOrder("PROVE".to_owned());
    let settings = Settings { time_factor: TIME_FACTOR, ..Settings::new(reason, Arc::new(SystemTime::now)) };
    let mut costs: BTreeMap<String, Cost> = BTreeMap::new();
    let touch = Arc::new(touch_record(directory)?);
    let asked = ask::ask(asks, &settings, touch, |event| note(&mut costs, event)).await;
    asked.map_err(|refused| Failure::new(Code::Refused, refused.to_string()))?;
    let (mut rows, mut wrong, mut requests, count) = (Vec::new(), Vec::new(), 0_u32, kept.len());
    for one in kept {
        let (place, entry) = (one.ask.place(), one.personality.map_or("sound", |personality| personality.name));
        let limits = one.ask.via.adapter().grant().map(|grant| Limits::of(&grant));
        let limits = limits.map_err(|refused| Failure::new(Code::Refused, refused.to_string()))?;
        let report = one.running.stop().await;
        let cost = costs.remove(&place).unwrap_or_default();
        requests = requests.saturating_add(report.requests());
        let trips = tripped(&report, one.personality);
        trips.iter().for_each(|trip| eprintln!("{} {entry}: {}: {}", one.protocol, trip.why, hex(&trip.bytes)));
        let sound = trips.is_empty()
            && cost.allowed
            && report.connections() <= 1 + usize::from(one.protocol == FROM_TWO_PORTS)
            && report.requests() <= one.requests_max
            && cost.hold <= limits.hold_max.saturating_add(Duration::from_secs(CLOSE_S_MAX))
            && (one.personality.is_some() || cost.outcome == ANSWERED);
        if !sound {
            wrong.push(format!("{} {entry}: {}", one.protocol, cost.outcome));
        }
        let held = format!("{:.1}", cost.hold.as_secs_f64());
        rows.push(vec![one.protocol, entry.to_owned(), report.requests().to_string(), cost.bytes_in.to_string(), held, cost.outcome]);
    }
    print::out(&format!(
        "{}\n{count} simulated devices, {} of them hostile: {requests} requests, {} trips\n\n",
        print::table(&["PROTOCOL", "DEVICE", "MESSAGES", "BYTES IN", "HELD S", "OUTCOME"], &rows),
        rows.iter().filter(|row| row.get(1).is_none_or(|entry| entry != "sound")).count(),
        wrong.len(),
    ))?;
    if wrong.is_empty() {
        return Ok(());
    }
    wrong.iter().for_each(|why| eprintln!("{why}"));
    Err(Failure::new(Code::Failed, "something reached a simulated device that must not, or one cost more than it may; see above"))
}

const ANSWERED: &str = "answered";

/// One device of each protocol, once without a fault and once with each.
async fn start(profiles: &ProfileSet) -> Result<Vec<Kept>, Failure> {
    let mut of_protocol: BTreeMap<String, Simulated> = BTreeMap::new();
    for device in Simulated::all(profiles) {
        of_protocol.entry(device.protocol.clone()).or_insert(device);
    }
    let mut kept = Vec::new();
    for (simulated, network) in of_protocol.into_values().zip(NETWORK..) {
        let entries = std::iter::once(None).chain(PERSONALITIES.iter().map(Some));
        for (personality, number) in entries.zip(1..) {
            let fault = personality.map(|personality| personality.fault.clone());
            // A persona of its own for each: some count sessions, or passwords, over all connections.
            let persona = Simulated::named(profiles, &simulated.profile)?.persona;
            let requests_max = persona.carriers().iter().map(|over| persona.questions_max(*over)).max().unwrap_or(0);
            let device = Device { fault, ..Device::new(persona) };
            let running = listen(device, Ipv4Addr::new(127, network, number, 1)).await;
            let running = running.map_err(|e| Failure::input("a simulated device", e))?;
            let ask = simulated.ask(running.address)?;
            kept.push(Kept { protocol: simulated.protocol.clone(), personality, ask, requests_max, running });
        }
    }
    Ok(kept)
}

/// Where a system has but one loopback address, they stand at that one, and wait for each other.
async fn listen(device: Device<Arc<dyn Language>>, address: Ipv4Addr) -> io::Result<Running> {
    let other = device.clone();
    match device.start(SocketAddr::new(IpAddr::V4(address), 0)).await {
        Err(error) if error.kind() == io::ErrorKind::AddrNotAvailable => other.start(Device::<Arc<dyn Language>>::ANYWHERE).await,
        started => started,
    }
}

fn note(costs: &mut BTreeMap<String, Cost>, event: Event) {
    let fresh = || Cost { outcome: ANSWERED.to_owned(), allowed: true, ..Cost::default() };
    let cost = costs.entry(event.place()).or_insert_with(fresh);
    match event.what {
        What::NoAnswer { why, .. } => cost.outcome = format!("no answer: {}", printable(&why)),
        What::Hostile { why, .. } => cost.outcome = printable(&why),
        What::Failed { operation, why } => cost.outcome = format!("{operation}: {}", printable(&why)),
        What::Refused { refused, .. } => (cost.outcome, cost.allowed) = (format!("refused by our own guard: {refused}"), false),
        What::Closed { closed, .. } => (cost.bytes_in, cost.hold) = (closed.bytes_in, closed.hold),
        What::Opened | What::Sent { .. } | What::Reading(_) | What::Stray { .. } | What::Uptime(_) | What::Unasked => {}
    }
}

/// What must not have reached it, and is not its own doing.
fn tripped<'a>(report: &'a Report, personality: Option<&Personality>) -> Vec<&'a Trip> {
    report.trips.iter().filter(|trip| !personality.is_some_and(|personality| personality.excuses(trip))).collect()
}
