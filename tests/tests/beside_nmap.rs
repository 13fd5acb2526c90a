//! Side by side with nmap's scripts on the same 20 servers that neither of us wrote: connections, messages and bytes that reached them, and how many of
//! the values that they serve came out. We are never above in messages and never below in values.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;

use nameplate_tests::personas::{self, Persona};
use nameplate_tests::place::needed;
use nameplate_tests::product::{Product, State};
use nameplate_tests::record::{self, Recording};
use nameplate_tests::referee;
use nameplate_tests::rig::{self, Kind, Server};

/// The one that nmap tries.
const COMMUNITY: &str = "public";
/// Servers of each kind.
const SERVERS: usize = 5;

/// What one tool did to the servers of one kind.
#[derive(Debug, Default)]
struct Tally {
    /// SYNs of TCP; for UDP the ports that it sent from.
    connections: usize,
    /// Segments or datagrams with bytes in them.
    messages: usize,
    bytes_out: usize,
    /// Served values that stand in what it printed.
    values: usize,
}

/// One kind of server, and how each tool asks it.
struct Row {
    kind: Kind,
    udp: bool,
    script: &'static str,
    via: &'static str,
    station: fn(&Persona) -> String,
    ours: &'static [&'static str],
    /// The identity that it serves, as it stands in bytes; both tools print it so.
    served: fn(&Persona) -> Vec<String>,
}

fn rows() -> [Row; 4] {
    [
        Row {
            kind: Kind::Pymodbus,
            udp: false,
            script: "modbus-discover",
            via: "modbus",
            station: |persona| persona.unit.to_string(),
            ours: &[],
            served: |persona| persona.objects.values().cloned().collect(),
        },
        Row {
            kind: Kind::Snap7,
            udp: false,
            script: "s7-info",
            via: "s7comm",
            station: |_| "0.2".to_owned(),
            // nmap reads list 001C, too. No fail-safe CPU is near.
            ours: &["--s7-consent-001c"],
            // Fixed in the library: what its lists 0011 and 001C hold.
            served: |_| ["6ES7 315-2EH14-0AB0", "3.2.6", "SNAP7-SERVER", "S C-C2UR28922012", "CPU 315-2 PN/DP"].map(str::to_owned).to_vec(),
        },
        Row {
            kind: Kind::Cpppo,
            udp: true,
            script: "enip-info",
            via: "enip",
            station: |_| String::new(),
            ours: &[],
            served: |persona| {
                let plate = &persona.plate;
                vec![
                    plate.model.clone(),
                    plate.product_number.to_string(),
                    format!("{}.{}", plate.major, plate.minor),
                    format!("0x{:08x}", plate.serial_number),
                ]
            },
        },
        Row {
            kind: Kind::Snmpd,
            udp: true,
            script: "snmp-sysdescr",
            via: "snmp",
            station: |_| String::new(),
            ours: &["--snmp-community-public"],
            served: |persona| vec![persona.plate.description.clone(), persona.plate.name.clone()],
        },
    ]
}

/// Whether nmap can be used here.
fn nmap() -> Result<(), String> {
    let run = Command::new("nmap").arg("--version").output();
    run.map_err(|_| "nmap does not start: apt-get install nmap".to_owned()).map(|_| ())
}

/// Runs one tool over all servers while dumpcap records, and counts.
fn tally(row: &Row, servers: &[(Server, Persona)], tool: impl Fn() -> String) -> Tally {
    let towards = |port: u16| format!("(dst port {port} and ({}))", referee::recorded(row.via, port));
    let ports: Vec<String> = servers.iter().map(|(server, _)| towards(server.port)).collect();
    let recording = Recording::of(&ports.join(" or ")).expect("a recording");
    let said = tool().to_lowercase();
    let file = recording.stop().expect("a capture");
    let mut tally = count(row, &file);
    for (_, persona) in servers {
        tally.values += (row.served)(persona).iter().filter(|value| said.contains(&value.to_lowercase())).count();
    }
    tally
}

fn count(row: &Row, file: &Path) -> Tally {
    let rows = |filter: &str, fields: &[&str]| record::tshark(file, fields, filter, 502).expect("tshark's reading");
    if row.udp {
        // No script's answer comes back through this filter; the length counts the header of eight bytes.
        let sent = rows("udp", &["udp.srcport", "udp.length"]);
        let ports: BTreeSet<&String> = sent.iter().map(|row| &row[0]).collect();
        let bytes_out = sent.iter().map(|row| row[1].parse::<usize>().expect("a length") - 8).sum();
        return Tally { connections: ports.len(), messages: sent.len(), bytes_out, values: 0 };
    }
    let connections = rows("tcp.flags.syn == 1 && tcp.flags.ack == 0", &["frame.number"]).len();
    let sent = rows("tcp.len > 0", &["tcp.len"]);
    let bytes_out = sent.iter().map(|row| row[0].parse::<usize>().expect("a length")).sum();
    Tally { connections, messages: sent.len(), bytes_out, values: 0 }
}

fn by_nmap(row: &Row, servers: &[(Server, Persona)]) -> String {
    let ports: Vec<String> = servers.iter().map(|(server, _)| server.port.to_string()).collect();
    let script = format!("+{}", row.script);

    let mut command = Command::new("nmap");
    command.args(["-n", "-Pn", "--max-retries", "0", "-p", &ports.join(","), "--script", &script]);
    command.args(row.udp.then_some("-sU")).arg("127.0.0.1");
    let output = command.output().expect("nmap starts");
    String::from_utf8_lossy(&output.stdout).into_owned()
}

fn by_us(product: &Product, row: &Row, servers: &[(Server, Persona)]) -> String {
    let target = |(server, persona): &(Server, Persona)| {
        let station = (row.station)(persona);
        let behind = if station.is_empty() { String::new() } else { format!("/{station}") };
        format!("{}:{}{behind}", server.address, server.port)
    };
    let words = [&["--via", row.via, "--format", "claims"][..], row.ours].concat();
    let words: Vec<String> = words.into_iter().map(str::to_owned).chain(servers.iter().map(target)).collect();
    product.ask_with(&State::new(), &words, &[]).out
}

#[test]
fn nmap_puts_more_messages_and_learns_no_more() {
    let test = "nmap_puts_more_messages_and_learns_no_more";
    println!("protocol | tool | connections | messages | bytes out | values served and told");
    for row in rows() {
        let there = rig::available_for(row.kind).and_then(|()| record::available()).and_then(|()| nmap()).and_then(|()| Product::find());
        let Some(product) = needed(test, there) else { return };
        let servers: Vec<(Server, Persona)> = (0..SERVERS)
            .map(|_| {
                let mut persona = personas::random(personas::seed());
                persona.plate.community = COMMUNITY.to_owned();
                (rig::start(row.kind, &persona).expect("a server"), persona)
            })
            .collect();
        let ours = tally(&row, &servers, || by_us(&product, &row, &servers));
        let theirs = tally(&row, &servers, || by_nmap(&row, &servers));
        let of: usize = servers.iter().map(|(_, persona)| (row.served)(persona).len()).sum();
        for (tool, Tally { connections, messages, bytes_out, values }) in [("nameplate", &ours), (row.script, &theirs)] {
            println!("{} | {tool} | {connections} | {messages} | {bytes_out} | {values} of {of}", row.via);
        }
        assert!(theirs.messages > 0 && ours.messages > 0 && ours.values > 0, "{}: {theirs:?}, {ours:?}", row.via);
        assert!(ours.messages <= theirs.messages, "{}: {} messages, nmap {}", row.via, ours.messages, theirs.messages);
        assert!(ours.connections <= theirs.connections, "{}: {} connections, nmap {}", row.via, ours.connections, theirs.connections);
        assert!(ours.values >= theirs.values, "{}: {} values, nmap {}", row.via, ours.values, theirs.values);
    }
}
