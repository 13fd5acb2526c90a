//! Asking, as tshark, strace and the devices see it: how many connections, which bytes, and whether anybody else was disturbed.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

use nameplate_core::profile::{ProfileSet, Said};
use nameplate_simulators::modbus::{self, Device, Fault, Manners, More};
use nameplate_simulators::report::{Ended as SessionEnded, Report};
use nameplate_simulators::scada::{Master, Service};
use nameplate_tests::personas::{self, Persona};
use nameplate_tests::place::needed;
use nameplate_tests::product::{Claim, Ended, Product, State, block_on, code, settled, simulated};
use nameplate_tests::record::{self, Recording};
use nameplate_tests::rig::{self, Kind};
use nameplate_tests::strace::{self, Traced, traced};

/// Our time-out for an answer is 2 s, the longest hold 10 s (docs/read-only.md); the rest is a process and a slow machine.
const SILENT_SECONDS_MAX: Duration = Duration::from_secs(8);
/// Eight requests without a gap worth the name.
const ENDLESS_SECONDS_MAX: Duration = Duration::from_secs(5);
/// Polls of a master before and after we come.
const POLLS: u64 = 5;
/// A sound master's interval here: it polls all the time while we ask.
const POLL_INTERVAL: Duration = Duration::from_millis(5);

/// What tshark counts in a recording: SYNs towards the port, requests, their bytes, resets by whoever asked.
#[derive(Debug, PartialEq, Eq)]
struct Wire {
    connections: usize,
    requests: Vec<Vec<u8>>,
    resets: usize,
}

impl Wire {
    fn bytes_out(&self) -> usize {
        self.requests.iter().map(Vec::len).sum()
    }
}

fn wire(file: &Path, port: u16) -> Wire {
    let rows = |filter: &str, field: &str| {
        record::tshark(file, &[field], &format!("{filter} && tcp.dstport == {port}"), port).expect("tshark's reading")
    };
    let hex =
        |row: &Vec<String>| (0..row[0].len() / 2).map(|at| u8::from_str_radix(&row[0][at * 2..at * 2 + 2], 16).expect("hex")).collect();
    let parsed = rows("mbtcp", "frame.number").len();
    let requests: Vec<Vec<u8>> = rows("tcp.len > 0", "tcp.payload").iter().map(hex).collect();
    assert_eq!(parsed, requests.len(), "each segment that left is one Modbus message: {}", file.display());
    let connections = rows("tcp.flags.syn == 1 && tcp.flags.ack == 0", "frame.number").len();
    Wire { connections, requests, resets: rows("tcp.flags.reset == 1", "frame.number").len() }
}

fn ready(test: &str) -> Option<Product> {
    needed(test, rig::available().and_then(|()| record::available()).and_then(|()| Product::find()))
}

/// Asks a server of this kind; what passed, by tshark.
fn asked(product: &Product, kind: Kind, persona: &Persona, unit: u8, format: &str) -> (Ended, Wire) {
    let server = rig::start(kind, persona).expect("a server");
    let (state, target) = (State::new(), format!("127.0.0.1:{}/{unit}", server.port));
    let recording = Recording::start(&[server.port]).expect("a recording");
    let ended = product.ask(&state, &["--format", format, &target]);
    (ended, wire(&recording.stop().expect("a capture"), server.port))
}

/// Regular objects as claims, after V1.1b3, 6.21: vendor, product code, revision, product name, model name, application.
fn identity(persona: &Persona) -> BTreeMap<String, String> {
    let fields = [(0, "manufacturer"), (1, "product_code"), (2, "firmware_revision"), (4, "description"), (5, "model"), (6, "name")];
    fields.iter().map(|(id, field)| ((*field).to_owned(), persona.objects[id].clone())).collect()
}

fn said(claims: &[Claim]) -> BTreeMap<String, String> {
    claims.iter().map(|claim| (claim.field.clone(), claim.value.clone())).collect()
}

#[test]
fn a_paged_server_is_asked_once_a_page_over_one_connection() {
    let Some(product) = ready("a_paged_server_is_asked_once_a_page_over_one_connection") else { return };
    let paged = personas::paged(personas::seed());
    let regular_only = Persona { objects: paged.between(0, 0x7F).into_iter().collect(), ..paged.clone() };
    for (kind, persona) in [(Kind::Pymodbus, &paged), (Kind::ModbusSerial, &regular_only), (Kind::ModbusSerial, &paged)] {
        let (ended, wire) = asked(&product, kind, persona, persona.unit, "claims");
        let asked_for: Vec<&[u8]> = wire.requests.iter().map(|request| &request[7..]).collect();
        assert_eq!((wire.connections, wire.resets), (1, 0), "{kind:?}\n{}", ended.err);
        // Objects 0 to 3 fill the first page, 4 the second, 5 and 6 the third.
        assert_eq!(asked_for, [[0x2B, 0x0E, 2, 0], [0x2B, 0x0E, 2, 4], [0x2B, 0x0E, 2, 5]], "{kind:?}\n{}", ended.err);
        assert_eq!(said(&ended.expect(code::DONE).claims()), identity(persona), "{kind:?}");
    }
}

#[test]
fn a_short_identity_costs_one_connection_one_request_and_forty_bytes() {
    let Some(product) = ready("a_short_identity_costs_one_connection_one_request_and_forty_bytes") else { return };
    let persona = personas::random(personas::seed());
    for kind in [Kind::Pymodbus, Kind::ModbusSerial] {
        let (ended, wire) = asked(&product, kind, &persona, persona.unit, "claims");
        assert_eq!((wire.connections, wire.requests.len(), wire.resets), (1, 1, 0), "{kind:?}");
        assert!(wire.bytes_out() <= 40, "{kind:?}: {wire:?}");
        let touched = format!("1 device, 1 connection, 1 request, {} bytes out, 0 refused", wire.bytes_out());
        assert!(ended.err.contains(&touched), "{kind:?}: {touched:?} in {}", ended.err);
        assert_eq!(said(&ended.expect(code::DONE).claims()), identity(&persona), "{kind:?}");
    }
}

#[test]
fn a_device_without_identity_has_an_unknown_firmware_and_a_reason() {
    let Some(product) = ready("a_device_without_identity_has_an_unknown_firmware_and_a_reason") else { return };
    let persona = personas::random(personas::seed());
    for kind in [Kind::ModbusTk, Kind::Umodbus] {
        let (ended, wire) = asked(&product, kind, &persona, persona.unit, "ndjson");
        assert_eq!((wire.connections, wire.requests.len(), wire.resets), (1, 1, 0), "{kind:?}: {wire:?}");
        let devices = ended.expect(code::DONE).lines();
        let [device] = devices.as_slice() else { panic!("{kind:?}: one device, got {devices:?}") };
        let why = device["firmware_unknown_because"].as_str().unwrap_or_default();
        assert!(why.contains("exception") && device["fields"] == serde_json::json!([]), "{kind:?}: {device}");
    }
}

#[test]
fn a_unit_that_is_silent_is_asked_once_and_said_to_be_silent() {
    let Some(product) = ready("a_unit_that_is_silent_is_asked_once_and_said_to_be_silent") else { return };
    let persona = Persona { silent_for_others: true, ..personas::random(personas::seed()) };
    let other = if persona.unit == 1 { 2 } else { 1 };
    let (ended, wire) = asked(&product, Kind::ModbusSerial, &persona, other, "claims");
    assert_eq!((wire.connections, wire.requests.len(), wire.resets), (1, 1, 0), "{wire:?}");
    assert!(ended.took < SILENT_SECONDS_MAX && ended.err.contains("no answer"), "{ended:?}");
    assert_eq!(ended.expect(code::NO_ANSWER).out, "");
}

#[test]
fn an_endless_identity_is_left_after_eight_requests_and_called_hostile() {
    let Some(product) =
        needed("an_endless_identity_is_left_after_eight_requests_and_called_hostile", record::available().and_then(|()| Product::find()))
    else {
        return;
    };
    for (more, requests) in [(More::Rising, 8), (More::Repeating, 1)] {
        let device = Device::with_fault(modbus::Persona::from_objects([]), Fault::EndlessMore(more));
        let device = Device { persona: modbus::Persona::from_objects([(0, b"Maker".to_vec())]), ..device };
        let product = product.clone();
        let ((ended, wire), report) = simulated(device, move |address| {
            let recording = Recording::start(&[address.port()]).expect("a recording");
            let ended = product.ask(&State::new(), &["--format", "claims", &address.to_string()]);
            (ended, wire(&recording.stop().expect("a capture"), address.port()))
        });
        assert_eq!((wire.connections, wire.requests.len(), wire.resets), (1, requests, 0), "{more:?}\n{}", ended.err);
        assert!(ended.took < ENDLESS_SECONDS_MAX, "{more:?}: {:?}", ended.took);
        assert!(ended.err.contains("hostile"), "{more:?}: {}", ended.err);
        assert!(!ended.claims().iter().any(Claim::is_revision), "{more:?}: {}", ended.out);
        ended.expect(code::NO_ANSWER);
        let ends: Vec<_> = report.sessions.iter().map(|session| session.ended).collect();
        assert_eq!((ends.as_slice(), report.trips.as_slice()), ([SessionEnded::PeerFin].as_slice(), [].as_slice()), "{more:?}");
    }
}

#[test]
fn what_only_reads_or_plans_opens_no_socket() {
    let Some(product) = needed("what_only_reads_or_plans_opens_no_socket", strace::available()) else { return };
    let folder = State::new();
    let file = folder.file("a-file", "");
    let no_state = format!("{file}/below");
    let (capture, state) = (folder.file("empty.pcap", nameplate_tests::pcap::pcap_of([])), folder.text());
    let far = ["ask", "192.0.2.1", "--reason", "WO-1", "--time-factor", "0.5", "--state", state.as_str()];
    let table: [(&[&str], i32); 8] = [
        (&["ask", "192.0.2.1", "--dry-run"], code::DONE),
        (&["ask", "192.0.2.1:502/7", "--dry-run", "--state", &no_state, "--question", "regular,server-id"], code::DONE),
        (&["ask", "127.0.0.1:502"], code::USAGE),
        (&["ask", "plc.example", "--reason", "WO-1"], code::USAGE),
        (&["ask", "127.0.0.1:502", "--reason", "WO-1", "--state", &no_state], code::INPUT),
        (&far, code::REFUSED),
        (&["listen", &capture], code::DONE),
        (&["profile", "list"], code::DONE),
    ];
    for (arguments, expected) in table {
        let (ended, traced) = traced(&product, arguments);
        assert_eq!((ended.code, &traced), (expected, &Traced::default()), "{arguments:?}\n{}", ended.err);
    }
    let planned = product.run(["ask", "192.0.2.1:502/7", "--dry-run"]).expect(code::DONE).out;
    let bytes: Vec<&str> =
        planned.lines().filter_map(|line| line.strip_prefix("  ")?.split_whitespace().nth(1)).filter(|word| word.len() == 2).collect();
    assert_eq!(bytes.get(..11), Some(["00", "01", "00", "00", "00", "05", "07", "2b", "0e", "02", "00"].as_slice()), "{planned}");
}

#[test]
fn without_a_touch_record_nobody_is_touched() {
    let Some(product) = needed("without_a_touch_record_nobody_is_touched", Product::find()) else { return };
    let (ended, report) = simulated(Device::new(objects(&personas::random(1))), move |address| {
        let state = State::new();
        std::fs::create_dir(state.path().join("touch.ndjson")).expect("a folder where the record belongs");
        product.ask(&state, &[&address.to_string()])
    });
    assert!(ended.err.contains("touch.ndjson"), "{}", ended.err);
    ended.expect(code::REFUSED);
    assert_eq!(report, Report::default());
}

fn objects(persona: &Persona) -> modbus::Persona {
    modbus::Persona::from_objects(persona.between(0, 0x7F).into_iter().map(|(id, text)| (id, text.into_bytes())))
}

/// Asks the device while its own master polls it; how both fared.
fn with_master(product: &Product, device: Device, units: &[u8]) -> (Ended, Report, Service) {
    block_on(async {
        let master = Master { unit: device.persona.unit.unwrap_or(1), interval: POLL_INTERVAL, ..Master::new() };
        let running = device.start(Device::ANYWHERE).await.expect("a port on loopback");
        let mut polling = master.start(running.door());
        polling.until(|service| service.answers >= POLLS).await;
        let address: SocketAddr = running.address;
        let (product, targets) = (product.clone(), units.iter().map(|unit| format!("{address}/{unit}")).collect::<Vec<_>>());
        let ask = move || product.ask(&State::new(), &targets.iter().map(String::as_str).collect::<Vec<_>>());
        let ended = tokio::task::spawn_blocking(ask).await.expect("an end");
        let before = polling.report().answers;
        polling.until(|service| service.answers >= before + POLLS || service.sessions_dropped > 0).await;
        let service = polling.stop().await;
        (ended, settled(running).await, service)
    })
}

#[test]
fn the_plants_own_master_is_never_disturbed() {
    let Some(product) = needed("the_plants_own_master_is_never_disturbed", Product::find()) else { return };
    let watchdog = Fault::Watchdog { window: Duration::from_secs(2) };
    let table = [
        (None, code::DONE),
        (Some(Fault::EvictOldest { pool: 2 }), code::DONE),
        (Some(Fault::EvictOldest { pool: 8 }), code::DONE),
        (Some(watchdog), code::DONE),
        (Some(Fault::SingleClient), code::NO_ANSWER),
    ];
    for (fault, expected) in table {
        let persona = modbus::Persona { registers: (0..10).map(|at| (at, at)).collect(), ..objects(&personas::paged(personas::seed())) };
        let device =
            Device { fault: fault.clone(), manners: Manners { one_connection: true, ..Manners::default() }, ..Device::new(persona) };
        let (ended, report, service) = with_master(&product, device, &[1]);
        assert_eq!((ended.code, service.sessions_dropped, report.connections()), (expected, 0, 1), "{fault:?}: {report:?}\n{}", ended.err);
        assert_eq!((report.trips.as_slice(), report.watchdog.expired), ([].as_slice(), 0), "{fault:?}");
    }
}

#[test]
fn no_family_of_devices_is_tripped() {
    let Some(product) = needed("no_family_of_devices_is_tripped", Product::find()) else { return };
    let built_in = ProfileSet::built_in().expect("the built-in profiles");
    let mut families = 0;
    for example in built_in.iter().filter_map(|profile| profile.examples.first()) {
        let Said::Decoded { objects, server_id } = &example.said else { continue };
        let persona = modbus::Persona { server_id: server_id.clone(), ..modbus::Persona::from_objects(objects.clone()) };
        let device = Device { manners: Manners { one_connection: true, ..Manners::default() }, ..Device::new(persona) };
        let (ended, report, service) = with_master(&product, device, &[1, 255]);
        assert_eq!((ended.code, service.sessions_dropped, report.connections()), (code::DONE, 0, 2), "{report:?}\n{}", ended.err);
        assert!(report.trips.is_empty() && report.bytes_in() <= 2 * 40, "{report:?}");
        families += 1;
    }
    assert!(families >= 6, "{families}");
}
