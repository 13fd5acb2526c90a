//! The public examples, each with the messages that a device sends and the values that must come out.

use nameplate_core::observation::{over, unhex};
use nameplate_core::profile::Answer;
use nameplate_core::wire::conversation::Over;
use serde_json::Value;

use crate::encode;

/// What is expected of an example.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    Version,
    Model,
    Serial,
    Hardware,
}

impl Kind {
    pub const fn name(self) -> &'static str {
        match self {
            Self::Version => "version",
            Self::Model => "model",
            Self::Serial => "serial",
            Self::Hardware => "hardware",
        }
    }
}

/// One example.
pub struct Row {
    pub id: String,
    pub answer: Answer,
    /// Texts that may be read, by kind; any of them is right.
    pub expected: Vec<(Kind, Vec<String>)>,
}

fn text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) if !text.is_empty() => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

/// The values of these keys, by kind.
fn expected(of: &Value, keys: &[(&str, Kind)]) -> Vec<(Kind, Vec<String>)> {
    let mut found: Vec<(Kind, Vec<String>)> = Vec::new();
    for (key, kind) in keys {
        let Some(value) = text(&of[*key]) else { continue };
        let values = value.split(" | ").map(str::to_owned);
        match found.iter_mut().find(|(known, _)| known == kind) {
            Some((_, known)) => known.extend(values),
            None => found.push((*kind, values.collect())),
        }
    }
    found
}

pub fn answer(protocol: &str, over: Over, asked: Vec<Vec<u8>>, said: Vec<Vec<u8>>) -> Answer {
    Answer { protocol: protocol.to_owned(), over, asked, said, source: String::new() }
}

/// Bytes of an Ethernet header, and of the LLC and SNAP headers behind a length.
const ETHERNET_BYTES: usize = 14;
const SNAP_BYTES: usize = 8;

/// A frame's message as its protocol gets it.
pub fn frame(protocol: &str, transport: &str, asked: &str, said: &str) -> Answer {
    let bytes = |digits: &str| unhex(digits).expect("hexadecimal digits");
    let said = bytes(said);
    let carrier = if transport == "udp" { Over::Udp } else { Over::Tcp };
    let link = |text: &str| over(text).expect("a carrier");
    let questions = || if asked.is_empty() { vec![] } else { vec![bytes(asked)] };
    match protocol {
        "enip-list-identity" | "ethernet-ip" => answer("enip", carrier, vec![], vec![said]),
        "cip-identity-get-all" | "cip-identity-reset" | "ethernet-ip/cip" => answer("cip", carrier, questions(), vec![said]),
        "fins-tcp" => answer("fins", Over::Tcp, vec![], vec![said]),
        "fins-udp" => answer("fins", Over::Udp, vec![], vec![said]),
        "bacnet-ip" => answer("bacnet", Over::Udp, vec![], vec![said]),
        "ads-udp-48899" | "ads-udp" => answer("ads", Over::Udp, vec![], vec![said]),
        "melsoft-udp-5560" | "melsoft-udp" => answer("melsoft", Over::Udp, vec![], vec![said]),
        "lldp" => answer("lldp", link("link type 88cc"), vec![], vec![said[ETHERNET_BYTES..].to_vec()]),
        "profinet-dcp" => answer("pn-dcp", link("link type 8892"), vec![], vec![said[ETHERNET_BYTES..].to_vec()]),
        "cdp" => answer("cdp", link("link snap 00000c 2000"), vec![], vec![said[ETHERNET_BYTES + SNAP_BYTES..].to_vec()]),
        "umas" => {
            // Function 90, sub-code 2, in a message with the answer's transaction and unit.
            let question = [&said[..2], &[0, 0, 0, 4], &said[6..7], &[0x5a, 0, 2]].concat();
            answer("umas", Over::Tcp, vec![question], vec![said])
        }
        "hart-ip" => answer("hart-ip", carrier, vec![], vec![said]),
        other => answer(other, Over::Tcp, vec![], vec![said]),
    }
}

/// wire/frames.jsonl.
pub fn frames(lines: &[Value]) -> Vec<Row> {
    let word = |line: &Value, key: &str| line[key].as_str().unwrap_or_default().to_owned();
    let keys = [
        ("firmware", Kind::Version),
        ("fw_version", Kind::Version),
        ("software_rev", Kind::Version),
        ("product_code", Kind::Model),
        ("expanded_type", Kind::Model),
        ("model", Kind::Model),
        ("serial", Kind::Serial),
        ("hw_rev", Kind::Hardware),
        ("hardware", Kind::Hardware),
        ("hardware_rev", Kind::Hardware),
    ];
    let row = |line: &Value| Row {
        id: word(line, "id"),
        answer: frame(&word(line, "protocol"), &word(line, "transport"), &word(line, "request_hex"), &word(line, "response_hex")),
        expected: expected(&line["expect"], &keys),
    };
    lines.iter().map(row).collect()
}

/// wire/decoded-ztag.jsonl.
pub fn decoded(lines: &[Value]) -> Vec<Row> {
    let row = |line: &Value| {
        let record = &line["record"];
        let has = |key: &str| record[key].as_str().unwrap_or_default().to_owned();
        let source = line["source"].as_str().unwrap_or_default();
        let id = source.split_whitespace().nth(1).and_then(|path| path.rsplit('/').next()).unwrap_or_default();
        let (answer, expected) = match line["protocol"].as_str().unwrap_or_default() {
            "modbus" => {
                let objects = &record["mei_objects"];
                let names = ["vendor", "product_code", "revision", "vendor_url", "product_name", "model_name", "user_application_name"];
                let object = |(number, name): (u8, &&str)| Some((number, objects[*name].as_str()?.as_bytes().to_vec()));
                let said = encode::identification((0..).zip(&names).filter_map(object).collect());
                let keys = [("revision", Kind::Version), ("product_code", Kind::Model), ("model_name", Kind::Model)];
                (answer("modbus", Over::Tcp, vec![], said), expected(objects, &keys))
            }
            "bacnet" => {
                let properties = [(70, "model_name"), (44, "firmware_revision"), (12, "application_software_revision")];
                let properties: Vec<(u8, String)> = properties.into_iter().map(|(number, name)| (number, has(name))).collect();
                let keys =
                    [("firmware_revision", Kind::Version), ("application_software_revision", Kind::Version), ("model_name", Kind::Model)];
                (answer("bacnet", Over::Udp, vec![], vec![encode::bacnet(&properties)]), expected(record, &keys))
            }
            "fox" => {
                let lines = [
                    ("fox.version", "version"),
                    ("app.name", "app_name"),
                    ("app.version", "app_version"),
                    ("vm.name", "vm_name"),
                    ("vm.version", "vm_version"),
                    ("os.name", "os_name"),
                    ("os.version", "os_version"),
                    ("brandId", "brand_id"),
                ];
                let text: String = lines.iter().map(|(name, key)| format!("{name}=s:{}\n", has(key))).collect();
                // The recorded host id is cut behind its first part.
                let host = format!("hostId=s:{}-0000-0000-0000\n", has("host_id_prefix"));
                let hello = format!("fox a 0 -1 fox hello\n{{\n{text}{host}}};;\n");
                let keys = [("app_version", Kind::Version), ("host_id_prefix", Kind::Model)];
                (answer("fox", Over::Tcp, vec![], vec![hello.into_bytes()]), expected(record, &keys))
            }
            other => {
                assert_eq!(other, "s7", "a protocol that is not encoded here");
                let said = encode::names(&has("module_type"), &has("serial_number"));
                let keys = [("module_type", Kind::Model), ("serial_number", Kind::Serial)];
                (answer("s7comm", Over::Tcp, vec![], vec![said]), expected(record, &keys))
            }
        };
        Row { id: format!("ztag {id}"), answer, expected }
    };
    lines.iter().map(row).collect()
}

/// recog/ics-examples.jsonl.
pub fn banners(lines: &[Value]) -> Vec<Row> {
    let row = |(number, line): (usize, &Value)| {
        let said = line["example"].as_str().unwrap_or_default();
        let file = line["file"].as_str().unwrap_or_default();
        let tcp = |protocol: &str, bytes: Vec<u8>| answer(protocol, Over::Tcp, vec![], vec![bytes]);
        let answer = match file {
            "ftp_banners.xml" => tcp("ftp", format!("220 {}\r\n", said.replace('\n', " ")).into_bytes()),
            "telnet_banners.xml" => tcp("telnet", said.as_bytes().to_vec()),
            "html_title.xml" => tcp("http", encode::http(Some(said), None)),
            "http_servers.xml" => tcp("http", encode::http(None, Some(("Server", said)))),
            "http_wwwauth.xml" => tcp("http", encode::http(None, Some(("WWW-Authenticate", said)))),
            "x509_subjects.xml" | "x509_issuers.xml" => tcp("https", encode::certificate(said)),
            _ => answer("snmp", Over::Udp, vec![], vec![encode::snmp(&[("1.3.6.1.2.1.1.1.0".to_owned(), said.to_owned())])]),
        };
        let keys = [
            ("os.version", Kind::Version),
            ("os.version.version", Kind::Version),
            ("os.version.version.version", Kind::Version),
            ("hw.version", Kind::Version),
            ("service.version", Kind::Version),
            ("service.component.version", Kind::Version),
            ("hw.product", Kind::Model),
            ("os.product", Kind::Model),
            ("hw.model", Kind::Model),
            ("hw.serial_number", Kind::Serial),
        ];
        let name = file.trim_end_matches(".xml");
        Row { id: format!("recog {name} {}", number + 1), answer, expected: expected(&line["expected"], &keys) }
    };
    lines.iter().enumerate().map(row).collect()
}
