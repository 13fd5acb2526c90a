//! tshark as the referee of recordings: every message that left towards a device has to be one that it reads as allowed; counted by protocol and
//! service. The lists are written here in tshark's terms, without a look at the guard.

mod rows;

use std::collections::BTreeMap;
use std::net::SocketAddrV4;
use std::path::Path;

use crate::record::{AND, told};
use rows::{At, ROWS, Row};

/// A line that tells nothing here: the password of a login.
const PASSWORD: &str = "password";
/// SEL's `ACC`: level 1, behind which a password stands.
const SEL_ACC: &str = "4143430d";

/// Between several values of one field in a service.
const OR: &str = "|";
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

/// Where the numbers of OPC UA's services stand (OPC 10000-6, annex A: node ids of the binary encodings): those of the first edition,
/// FindServersOnNetwork and RegisterServer2, SessionlessInvoke.
const SERVICES: [std::ops::RangeInclusive<u32>; 3] = [397..=1_000, 12_190..=12_230, 15_895..=15_910];

/// True for a number that no service of OPC UA has, where tshark took ciphertext for the number of one.
fn is_ciphertext(cell: &str) -> bool {
    cell.parse().is_ok_and(|number| !SERVICES.iter().any(|numbers| numbers.contains(&number)))
}

/// Whether there is a row for this protocol.
#[must_use]
pub fn knows(protocol: &str) -> bool {
    ROWS.iter().any(|row| row.protocol == protocol)
}

/// What a recording of this server holds (pcap-filter): what carries the protocol, both where there is no row. The address goes with the port, because
/// another test's server on another address of this machine may have the same number, and so may a client by the other carrier.
#[must_use]
pub fn recorded(protocol: &str, server: SocketAddrV4) -> String {
    let row = ROWS.iter().find(|row| row.protocol == protocol);
    let carriers = row.map_or_else(|| vec!["tcp", "udp"], Row::carriers);
    let (host, port) = (server.ip(), server.port());
    let end = |carrier: &&str, end: &str| format!("({end} host {host} and {carrier} {end} port {port})");
    carriers.iter().flat_map(|carrier| [end(carrier, "src"), end(carrier, "dst")]).collect::<Vec<_>>().join(" or ")
}

/// Counts what left towards these ports, where `protocol` is spoken, and prints it.
///
/// # Errors
/// tshark's words, or the messages that must not have left.
pub fn judge(file: &Path, protocol: &str, ports: &[u16]) -> Result<Counts, String> {
    judge_login(file, protocol, ports, None)
}

/// The same where a login was consented to: one line with this password, for each that asked for one.
///
/// # Errors
/// As [`judge`].
pub fn judge_login(file: &Path, protocol: &str, ports: &[u16], password: Option<&str>) -> Result<Counts, String> {
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
        At::Bare(_) => {}
    }
    let towards = |carrier: &str| match carrier {
        "tcp" => format!("(tcp.len > 0 && tcp.dstport in {{{list}}})"),
        other => format!("{other}.dstport in {{{list}}}"),
    };
    let filter = row.carriers().into_iter().map(towards).collect::<Vec<_>>().join(" || ");
    let options: Vec<&str> = options.iter().map(String::as_str).collect();
    let secret: Option<String> = password.map(|password| format!("{password}\r").bytes().map(|byte| format!("{byte:02x}")).collect());
    let mut counts = Counts::new();
    for cells in told(file, row.fields, &filter, &options)? {
        // Of a URI what names it.
        let mut cells: Vec<&str> = cells.iter().map(|cell| cell.rsplit('#').next().unwrap_or_default()).collect();
        for cell in cells.iter_mut().filter(|_| protocol == "opcua-encrypt") {
            *cell = if is_ciphertext(cell) { "" } else { cell };
        }
        let service = cells.join("/").replace(AND, OR);
        let service = if secret.as_ref() == Some(&service) { PASSWORD.to_owned() } else { service };
        *counts.entry(service).or_default() += 1;
    }
    for (service, count) in &counts {
        println!("referee: {protocol} | {service} | {count}");
    }
    let count = |service: &str| counts.get(service).copied().unwrap_or(0);
    if count(PASSWORD) > count(SEL_ACC) {
        return Err(format!("{protocol}: a password that was not asked for in {}", file.display()));
    }
    let others: Vec<&String> = counts.keys().filter(|service| !row.allowed.iter().any(|allowed| allows(allowed, service))).collect();
    if others.is_empty() {
        Ok(counts)
    } else {
        Err(format!("{protocol}: outside the allowlist, as tshark reads it: {others:?} in {}", file.display()))
    }
}

/// Whether these cells are of that kind.
fn allows(allowed: &str, service: &str) -> bool {
    let is = |kind: &str, value: &str| kind.strip_suffix('*').map_or(kind == value, |beginning| value.starts_with(beginning));
    let cell = |(kind, cell): (&str, &str)| match kind.strip_suffix('+') {
        Some(each) => cell.split(OR).all(|value| is(each, value)),
        None => is(kind, cell),
    };
    allowed.split('/').count() == service.split('/').count() && allowed.split('/').zip(service.split('/')).all(cell)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_value_of_another_kind_is_outside() {
        let table = [
            ("4//1/0x00*+", "4//1/0x00fc|0x00fa", true),
            ("4//1/0x00*+", "4//1/0x00fc|0x3c01", false),
            ("4//1/0x00*+", "4//1/", false),
            ("/3/*", "/3/", true),
            ("/3/*", "/3//", false),
            ("0x0f/1|1/2", "0x0f/1|1/2", true),
            ("0x0f/1|1/2", "0x0f/1|1|1/2", false),
            ("MSG//631/13+", "MSG//631/13|13", true),
            ("MSG//631/13+", "MSG//631/13|12", false),
            ("MSG//", "MSG//631", false),
        ];
        for (allowed, service, expected) in table {
            assert_eq!(allows(allowed, service), expected, "{allowed} {service}");
        }
    }
}
