//! The referee: tshark reads what survived the guard, and its reading is held against the allowlist, written here once more in its
//! terms, a file a protocol. Nothing of ours decodes a byte on this side.

mod bacnet;
mod cip;
mod dnp3;
mod enip;
mod fins;
mod greeting;
mod hart_ip;
mod http;
mod mms;
mod modbus;
mod opcua;
mod pn_dcp;
mod pn_io;
mod s7comm;
mod sel_ascii;
mod slmp;
mod snmp;
mod snmp_v3;

use std::fs;
use std::io;
use std::net::Ipv4Addr;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::SystemTime;

use nameplate_core::observation::hex;
use nameplate_field::guard::generate::Granted;
use nameplate_simulators::report::Speaker;
use nameplate_simulators::tap::{Station, Tap};

use crate::failure::Failure;

/// Messages in one capture, and what its last connection has beyond. tshark looks for a presentation context (MMS) among those of all the connections
/// in a capture (packet-pres.c hashes them by their number alone), so that its work grows by their square: so many cost as much as its start.
const MESSAGES_PER_CAPTURE: usize = 10_000;
/// Objections that are kept; one is enough to fail.
const OBJECTIONS_MAX: usize = 1_000;
/// Room for the survivors of ten million messages; what does not fit is noticed, because fewer are read than were written.
const CAPTURE_BYTES_MAX: usize = 2 << 30;
/// The client's port, which no protocol has for its own: tshark would take it for that one. Each connection begins with a handshake, which
/// tells it from the one before.
const CLIENT_PORT: u16 = 61_000;

/// A protocol's row of docs/read-only.md in tshark's terms.
pub struct Row {
    /// As the generator calls it.
    pub protocol: &'static str,
    /// The port at which tshark knows it.
    pub port: u16,
    /// What carries it.
    pub carrier: Carrier,
    /// Words that tell tshark more about it; mostly none.
    pub settings: &'static [&'static str],
    /// What tshark is asked about each message, in this order.
    pub fields: &'static [&'static str],
    /// Whether a message may leave: itself and the messages of its connection before it, as tshark reads them.
    pub allowed: Allowed,
}

/// Judges a message by itself and by those before it; the error is why it may not leave.
type Allowed = fn(&Survivor, cells: &[&str], before: &[Vec<&str>]) -> Result<(), &'static str>;

/// How messages are shown to tshark.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Carrier {
    /// All in one TCP stream: for protocols whose messages tell all themselves.
    OneStream,
    /// A TCP stream a connection.
    Streams,
    /// Datagrams.
    Datagrams,
    /// Ethernet frames of this EtherType.
    Frames(u16),
}

/// Every protocol's.
static ROWS: [&Row; 23] = [
    &bacnet::ROW,
    &cip::ROW,
    &dnp3::ROW,
    &enip::ROW,
    &fins::ROW,
    &fins::ROW_UDP,
    &greeting::FTP,
    &greeting::SSH,
    &greeting::TELNET,
    &hart_ip::ROW,
    &http::ROW,
    &http::ROW_TLS,
    &mms::ROW,
    &modbus::LINE_ROW,
    &modbus::ROW,
    &opcua::ROW,
    &pn_dcp::ROW,
    &pn_io::ROW,
    &s7comm::ROW,
    &sel_ascii::ROW,
    &slmp::ROW,
    &snmp::ROW,
    &snmp_v3::ROW,
];

/// The row of a protocol that is generated.
///
/// # Errors
/// There is none: nothing is proven about it.
pub fn row(protocol: &str) -> Result<&'static Row, Failure> {
    let row = ROWS.iter().copied().find(|row| row.protocol == protocol);
    row.ok_or_else(|| Failure::input(protocol, "no referee reads this protocol: nothing is proven"))
}

/// A message that the guard let out.
pub struct Survivor {
    /// The connection it left on.
    pub conversation: u64,
    /// What that connection was granted.
    pub granted: Granted,
    /// How many messages it may have.
    pub messages_max: u8,
    /// Its bytes.
    pub bytes: Vec<u8>,
}

/// What the referee says.
pub enum Verdict {
    /// Every message is allowed.
    Clean {
        /// The referee's name and version.
        judge: String,
    },
    /// Messages that are not, in words.
    Objections(Vec<String>),
    /// There is no referee on this machine.
    Absent,
}

/// The survivors as a capture, a segment or datagram each.
pub fn capture(row: &Row, survivors: &[Survivor]) -> Vec<u8> {
    let station = |last| Station { mac: [0x02, 0x4e, 0x50, 0, 0, last], ip: Ipv4Addr::new(192, 0, 2, last) };
    let tap = Tap::with_room(SystemTime::UNIX_EPOCH, CAPTURE_BYTES_MAX);
    let link = tap.link(station(1), station(2), station(3)).at_port(row.port);
    let nowhere = (Ipv4Addr::LOCALHOST, 0).into();
    if let Carrier::Frames(ethertype) = row.carrier {
        survivors.iter().for_each(|survivor| link.frame(ethertype, &survivor.bytes));
        return tap.pcap();
    }
    let open = || match row.carrier {
        Carrier::OneStream | Carrier::Streams => link.open(Speaker::Asker, CLIENT_PORT, nowhere),
        Carrier::Datagrams | Carrier::Frames(_) => link.open_datagrams(Speaker::Asker, CLIENT_PORT, nowhere),
    };
    let mut current = None;
    for survivor in survivors {
        let number = if row.carrier == Carrier::OneStream { 0 } else { survivor.conversation };
        let conversation = match &mut current {
            Some((shown, conversation)) if *shown == number => conversation,
            other => &mut other.insert((number, open())).1,
        };
        conversation.from_client(&survivor.bytes);
    }
    tap.pcap()
}

/// Lets tshark read the survivors, in captures that are written to `path` one after the other, and holds its reading against the allowlist.
///
/// # Errors
/// A capture could not be written; tshark failed, or did not read every message: then nothing is proven.
pub fn judge(row: &Row, path: &Path, survivors: &[Survivor]) -> Result<Verdict, Failure> {
    let Some(judge) = version()? else { return Ok(Verdict::Absent) };
    let (mut objections, mut rest) = (Vec::new(), survivors);
    while !rest.is_empty() && objections.len() < OBJECTIONS_MAX {
        let (part, behind) = rest.split_at(end_of_part(rest));
        fs::write(path, capture(row, part)).map_err(|e| Failure::input(path.display(), e))?;
        objections.extend(objections_to(row, path, part)?);
        rest = behind;
    }
    objections.truncate(OBJECTIONS_MAX);
    Ok(if objections.is_empty() { Verdict::Clean { judge } } else { Verdict::Objections(objections) })
}

/// How many of these survivors one capture holds: no connection is torn.
fn end_of_part(survivors: &[Survivor]) -> usize {
    let last = survivors.get(MESSAGES_PER_CAPTURE - 1).map(|survivor| survivor.conversation);
    let behind = |last| survivors.iter().skip(MESSAGES_PER_CAPTURE).take_while(|survivor| survivor.conversation == last).count();
    last.map_or(survivors.len(), |last| MESSAGES_PER_CAPTURE + behind(last))
}

/// What tshark reads in one capture that may not be there.
fn objections_to(row: &Row, path: &Path, survivors: &[Survivor]) -> Result<Vec<String>, Failure> {
    let mut tshark = Command::new("tshark");
    let messages = match row.carrier {
        Carrier::Datagrams => "udp",
        Carrier::Frames(_) => "frame",
        Carrier::OneStream | Carrier::Streams => "tcp.len > 0",
    };
    tshark.arg("-n").arg("-r").arg(path).args(["-Y", messages, "-T", "fields", "-E", "occurrence=a"]);
    tshark.args(row.settings);
    for field in row.fields {
        tshark.args(["-e", field]);
    }
    let output = tshark.stdin(Stdio::null()).stderr(Stdio::null()).output().map_err(|e| Failure::input("tshark", e))?;
    let text = String::from_utf8_lossy(&output.stdout);
    let read: Vec<Vec<&str>> = text.lines().map(|line| line.split('\t').collect()).collect();
    if !output.status.success() || read.len() != survivors.len() {
        return Err(Failure::input(
            "tshark",
            format!("{} messages were written and {} read: nothing is proven", survivors.len(), read.len()),
        ));
    }
    let mut objections = Vec::new();
    let mut before: Vec<Vec<&str>> = Vec::new();
    let mut conversation = None;
    for (survivor, cells) in survivors.iter().zip(read) {
        if conversation != Some(survivor.conversation) {
            (conversation, before) = (Some(survivor.conversation), Vec::new());
        }
        if let Err(why) = (row.allowed)(survivor, &cells, &before) {
            objections.push(format!("connection {}: {}: {why}", survivor.conversation, hex(&survivor.bytes)));
        }
        before.push(cells);
    }
    Ok(objections)
}

/// A condition that an allowed message holds.
fn rule(holds: bool, why: &'static str) -> Result<(), &'static str> {
    if holds { Ok(()) } else { Err(why) }
}

fn version() -> Result<Option<String>, Failure> {
    match Command::new("tshark").arg("--version").stdin(Stdio::null()).output() {
        Ok(output) => Ok(String::from_utf8_lossy(&output.stdout).split(" (Git").next().map(|text| text.trim_end_matches('.').to_owned())),
        Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(e) => Err(Failure::input("tshark", e)),
    }
}
