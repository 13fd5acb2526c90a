//! tshark as the referee of recordings: every message that left towards a device has to be one that it reads as allowed; counted by protocol and
//! service. The lists are written here in tshark's terms, without a look at the guard.

use std::collections::BTreeMap;
use std::path::Path;

use crate::record::{AND, told};

/// A protocol to the referee.
struct Row {
    /// As `--via` spells it.
    protocol: &'static str,
    /// How tshark is told where it is spoken: a preference that takes ports, or layers below that it is decoded as.
    at: At,
    fields: &'static [&'static str],
    /// Cells of the fields with `/` between; a star at the end stands for anything.
    allowed: &'static [&'static str],
}

enum At {
    Preference(&'static str),
    Above(&'static [&'static str]),
}

static ROWS: [Row; 15] = [
    Row {
        protocol: "bacnet",
        at: At::Above(&["udp.port=={},bvlc"]),
        fields: &["bvlc.function", "bacapp.type", "bacapp.confirmed_service", "bacapp.objectType", "bacapp.property_identifier"],
        allowed: &[
            "0x0a/0/12/8/75",
            "0x0a/0/12/8/120",
            "0x0a/0/12/8/121",
            "0x0a/0/12/8/70",
            "0x0a/0/12/8/44",
            "0x0a/0/12/8/12",
            "0x0a/0/12/8/77",
            "0x0a/0/12/8/372",
        ],
    },
    Row {
        protocol: "cip",
        at: At::Above(&["tcp.port=={},enip"]),
        fields: &["enip.command", "cip.service"],
        allowed: &["0x0065/", "0x0066/", "0x006f/0x52|0x01", "0x006f/0x52|0x0e"],
    },
    Row {
        protocol: "dnp3",
        at: At::Above(&["tcp.port=={},dnp3", "udp.port=={},dnp3"]),
        fields: &["dnp3.ctl.prifunc", "dnp3.ctl.secfunc", "dnp3.al.func", "dnp3.al.obj"],
        allowed: &["4//1/0x00*", "/0//", "/11//", "4//0/"],
    },
    Row { protocol: "enip", at: At::Above(&["udp.port=={},enip", "tcp.port=={},enip"]), fields: &["enip.command"], allowed: &["0x0063"] },
    Row {
        protocol: "fins",
        at: At::Above(&["tcp.port=={},omron", "udp.port=={},omron"]),
        fields: &["omron.tcp.command", "omron.command"],
        allowed: &["0x00000000/", "0x00000002/0x0501", "/0x0501"],
    },
    Row { protocol: "ftp", at: At::Above(&["tcp.port=={},ftp"]), fields: &["ftp.request.command", "ftp.request.arg"], allowed: &["QUIT/"] },
    Row {
        protocol: "hart-ip",
        at: At::Above(&["tcp.port=={},hart_ip", "udp.port=={},hart_ip"]),
        fields: &["hart_ip.message_type", "hart_ip.message_id", "hart_ip.pt.command"],
        allowed: &["0/0/", "0/1/", "0/3/0", "0/3/13", "0/3/20"],
    },
    Row { protocol: "http", at: At::Above(&["tcp.port=={},http"]), fields: HTTP, allowed: &[FIRST_PAGE] },
    Row {
        protocol: "modbus",
        at: At::Preference("mbtcp.tcp.port"),
        fields: &["modbus.func_code", "modbus.mei", "modbus.read_device_id"],
        allowed: &["43/14/1", "43/14/2", "43/14/3", "43/14/4", "17//"],
    },
    Row {
        protocol: "modbus-rtu",
        at: At::Preference("mbrtu.tcp.port"),
        fields: &["modbus.func_code", "modbus.mei", "modbus.read_device_id"],
        allowed: &["43/14/1", "43/14/2", "43/14/3", "43/14/4"],
    },
    Row {
        protocol: "s7comm",
        at: At::Above(&["tcp.port=={},tpkt"]),
        fields: &[
            "cotp.type",
            "s7comm.header.rosctr",
            "s7comm.param.func",
            "s7comm.param.userdata.funcgroup",
            "s7comm.data.userdata.szl_id",
        ],
        allowed: &["0x0e////", "0x0f/1/0xf0//", "0x0f/7//4/0x0011", "0x0f/7//4/0x001c", "0x0f/7//4/"],
    },
    // No dissector: the one message, byte for byte (SH-080956ENG, 4.2 and 5.2, with a timer of 2 s).
    Row {
        protocol: "slmp",
        at: At::Above(&[]),
        fields: &["tcp.payload", "udp.payload"],
        allowed: &["500000ffff03000600080001010000/", "/500000ffff03000600080001010000"],
    },
    Row {
        protocol: "snmp",
        at: At::Above(&["udp.port=={},snmp"]),
        fields: &["snmp.version", "snmp.msgVersion", "snmp.data"],
        allowed: &["0//0", "1//0", "0//1", "1//5", "/3/*"],
    },
    // Not a byte.
    Row { protocol: "ssh", at: At::Above(&["tcp.port=={},ssh"]), fields: &["tcp.payload"], allowed: &[] },
    // WONT and DONT, and no text.
    Row { protocol: "telnet", at: At::Above(&["tcp.port=={},telnet"]), fields: &["telnet.cmd", "telnet.data"], allowed: &["252/", "254/"] },
];

/// What tshark is asked about a request, and the one for a server's first page.
const HTTP: &[&str] = &[
    "http.request.method",
    "http.request.uri",
    "http.request.version",
    "http.accept_encoding",
    "http.connection",
    "http.authorization",
    "http.cookie",
    "http.file_data",
];
const FIRST_PAGE: &str = "GET///HTTP/1.1/identity/close///";

/// Services of one protocol, each with how often it was asked.
pub type Counts = BTreeMap<String, usize>;

/// Counts the requests to this port as tshark reads them under TLS, with the keys of whoever asked.
///
/// # Errors
/// tshark's words, or the messages that must not have left.
pub fn judge_under_tls(file: &Path, port: u16, keys: &Path) -> Result<usize, String> {
    let (under, keys) = (format!("tcp.port=={port},tls"), format!("tls.keylog_file:{}", keys.display()));
    let filter = format!("http && tcp.dstport == {port}");
    let mut requests = 0;
    for cells in told(file, HTTP, &filter, &["-d", &under, "-o", &keys])? {
        if cells.join("/") != FIRST_PAGE {
            return Err(format!("https: outside the allowlist, as tshark reads it: {cells:?} in {}", file.display()));
        }
        requests += 1;
    }
    println!("referee: https | {FIRST_PAGE} | {requests}");
    Ok(requests)
}

/// Whether there is a row for this protocol.
#[must_use]
pub fn knows(protocol: &str) -> bool {
    ROWS.iter().any(|row| row.protocol == protocol)
}

/// Counts what left towards these ports, where `protocol` is spoken, and prints it.
///
/// # Errors
/// tshark's words, or the messages that must not have left.
pub fn judge(file: &Path, protocol: &str, ports: &[u16]) -> Result<Counts, String> {
    let row = ROWS.iter().find(|row| row.protocol == protocol).ok_or_else(|| format!("no referee for {protocol}"))?;
    let ports: Vec<String> = ports.iter().map(u16::to_string).collect();
    let list = ports.join(",");
    let mut options = Vec::new();
    match row.at {
        At::Preference(name) => options.extend(["-o".to_owned(), format!("{name}:{list}")]),
        At::Above(layers) => {
            let each = ports.iter().flat_map(|port| layers.iter().map(move |layer| layer.replace("{}", port)));
            options.extend(each.flat_map(|layer| ["-d".to_owned(), layer]));
        }
    }
    let filter = format!("(tcp.len > 0 && tcp.dstport in {{{list}}}) || udp.dstport in {{{list}}}");
    let options: Vec<&str> = options.iter().map(String::as_str).collect();
    let mut counts = Counts::new();
    for cells in told(file, row.fields, &filter, &options)? {
        let service = cells.join("/").replace(AND, "|");
        *counts.entry(service).or_default() += 1;
    }
    for (service, count) in &counts {
        println!("referee: {protocol} | {service} | {count}");
    }
    let is_allowed = |service: &str| {
        row.allowed.iter().any(|allowed| match allowed.strip_suffix('*') {
            Some(beginning) => service.starts_with(beginning),
            None => service == *allowed,
        })
    };
    let others: Vec<&String> = counts.keys().filter(|service| !is_allowed(service)).collect();
    if others.is_empty() {
        Ok(counts)
    } else {
        Err(format!("{protocol}: outside the allowlist, as tshark reads it: {others:?} in {}", file.display()))
    }
}
