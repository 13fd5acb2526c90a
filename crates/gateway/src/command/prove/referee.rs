//! The referee: tshark reads what survived the guard, and its reading is held against the allowlist, written here once more in its
//! terms. Nothing of ours decodes a byte on this side.

use std::io;
use std::net::Ipv4Addr;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::SystemTime;

use nameplate_core::observation::hex;
use nameplate_field::guard::Modbus;
use nameplate_field::guard::generate::Granted;
use nameplate_simulators::report::Speaker;
use nameplate_simulators::tap::{Station, Tap};

use crate::failure::Failure;

/// Objections that are printed; one is enough to fail.
const OBJECTIONS_MAX: usize = 20;
/// Messages on one connection (docs/read-only.md).
const REQUESTS_MAX: usize = 8;
/// What tshark is asked about each message, in this order.
const FIELDS: [&str; 10] = [
    "tcp.len",
    "mbtcp.prot_id",
    "mbtcp.len",
    "mbtcp.unit_id",
    "modbus.func_code",
    "modbus.mei",
    "modbus.read_device_id",
    "modbus.object_id",
    "modbus.reference_num",
    "modbus.word_cnt",
];

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

/// The survivors as a capture, one segment each.
pub fn capture(survivors: &[Survivor]) -> Vec<u8> {
    let station = |last| Station { mac: [0x02, 0x4e, 0x50, 0, 0, last], ip: Ipv4Addr::new(192, 0, 2, last) };
    let tap = Tap::new(SystemTime::UNIX_EPOCH);
    let link = tap.link(station(1), station(2), station(3));
    let mut conversation = link.open(Speaker::Asker, 40_000, (Ipv4Addr::LOCALHOST, 0).into());
    for survivor in survivors {
        conversation.from_client(&survivor.bytes);
    }
    tap.pcap()
}

/// Lets tshark read the capture and holds its reading against the allowlist.
///
/// # Errors
/// tshark failed, or did not read every message: then nothing is proven.
pub fn judge(path: &Path, survivors: &[Survivor]) -> Result<Verdict, Failure> {
    let Some(judge) = version()? else { return Ok(Verdict::Absent) };
    let mut tshark = Command::new("tshark");
    tshark.arg("-r").arg(path).args(["-Y", "tcp.len > 0", "-T", "fields", "-E", "occurrence=a"]);
    for field in FIELDS {
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
    let mut before: Vec<(&str, &str)> = Vec::new();
    let mut conversation = None;
    for (survivor, cells) in survivors.iter().zip(&read) {
        if conversation != Some(survivor.conversation) {
            (conversation, before) = (Some(survivor.conversation), Vec::new());
        }
        if let Err(why) = allowed(survivor, cells, &mut before) {
            objections.push(format!("connection {}: {}: {why}", survivor.conversation, hex(&survivor.bytes)));
            if objections.len() == OBJECTIONS_MAX {
                break;
            }
        }
    }
    Ok(if objections.is_empty() { Verdict::Clean { judge } } else { Verdict::Objections(objections) })
}

fn version() -> Result<Option<String>, Failure> {
    match Command::new("tshark").arg("--version").stdin(Stdio::null()).output() {
        Ok(output) => Ok(String::from_utf8_lossy(&output.stdout).split(" (Git").next().map(|text| text.trim_end_matches('.').to_owned())),
        Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(e) => Err(Failure::input("tshark", e)),
    }
}

/// The Modbus TCP row of docs/read-only.md in tshark's terms. `before` holds (read code, object) of the connection so far.
fn allowed<'a>(survivor: &Survivor, cells: &[&'a str], before: &mut Vec<(&'a str, &'a str)>) -> Result<(), &'static str> {
    let &[tcp_bytes, protocol, length, unit, function, mei, code, object, address, quantity] = cells else {
        return Err("the referee gave other columns");
    };
    let rule = |holds: bool, why| if holds { Ok(()) } else { Err(why) };
    let number = |text: &str| text.parse::<usize>().ok();
    let Granted::Modbus(Modbus { unit: own, server_id, registers, .. }) = &survivor.granted;
    before.push((code, object));
    rule(before.len() <= REQUESTS_MAX.min(survivor.messages_max.into()), "more requests than the connection may make")?;
    rule(protocol == "0", "not one Modbus TCP message with protocol id 0")?;
    rule(number(length).and_then(|length| length.checked_add(6)) == number(tcp_bytes), "the length field is not the message's")?;
    rule(unit == own.to_string(), "another unit than the configured one")?;
    match function {
        "43" => {
            let rising = before.split_last().is_some_and(|(_, earlier)| {
                earlier.iter().filter(|(other, _)| *other == code).all(|(_, earlier)| number(earlier) < number(object))
            });
            rule(length == "5" && mei == "14", "function 43 other than 43/14")?;
            rule(matches!((code, object), ("1", "0") | ("2" | "3" | "4", _)), "a read code or object that is not on the list")?;
            rule(rising, "object ids do not rise")
        }
        "17" => rule(length == "2" && *server_id, "function 17 that nobody granted"),
        "3" | "4" => {
            let listed = registers.iter().any(|granted| {
                (granted.function.to_string().as_str(), granted.address.to_string().as_str(), granted.quantity.to_string().as_str())
                    == (function, address, quantity)
            });
            rule(length == "6" && listed, "registers that no profile lists")
        }
        _ => Err("a function that is not on the list"),
    }
}
