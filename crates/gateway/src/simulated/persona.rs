//! From facts to the persona that tells them, a function a protocol. `None` where the facts are not enough of a device.

use std::collections::BTreeMap;
use std::sync::Arc;

use nameplate_core::text::decode_fact;
use nameplate_core::wire::Shape;
use nameplate_simulators::greeting::{self, Server};
use nameplate_simulators::language::Language;
use nameplate_simulators::sealed::Seal;
use nameplate_simulators::{bacnet, dnp3, enip, fins, hart_ip, http, mms, opcua, pn_io, s7, sel, slmp};

use super::facts::Facts;
use super::modbus;

/// A way to make personas of one protocol.
pub struct Maker {
    /// As profiles and `--via` spell it.
    pub protocol: &'static str,
    pub make: fn(&Facts) -> Option<Made>,
}

/// A persona and how it is asked.
pub struct Made {
    pub persona: Arc<dyn Language>,
    pub station: String,
    pub words: Vec<String>,
}

/// Every protocol that is simulated.
pub static MAKERS: [Maker; 20] = [
    Maker { protocol: "bacnet", make: bacnet },
    Maker { protocol: "cip", make: cip },
    Maker { protocol: "dnp3", make: dnp3 },
    Maker { protocol: "enip", make: enip },
    Maker { protocol: "fins", make: fins },
    Maker { protocol: "ftp", make: |facts| greeting(facts, Server::Ftp) },
    Maker { protocol: "hart-ip", make: hart_ip },
    Maker { protocol: "http", make: http },
    Maker { protocol: "https", make: https },
    Maker { protocol: "mms", make: mms },
    Maker { protocol: "modbus", make: modbus::over_tcp },
    Maker { protocol: "modbus-rtu", make: modbus::on_a_line },
    Maker { protocol: "opcua", make: opcua },
    Maker { protocol: "pn-io", make: pn_io },
    Maker { protocol: "s7comm", make: s7comm },
    Maker { protocol: "sel-ascii", make: sel_ascii },
    Maker { protocol: "slmp", make: slmp },
    Maker { protocol: "snmp", make: super::snmp::snmp },
    Maker { protocol: "ssh", make: |facts| greeting(facts, Server::Ssh) },
    Maker { protocol: "telnet", make: |facts| greeting(facts, Server::Telnet) },
];

/// Properties of the device object that are asked for (ASHRAE 135, clause 21).
const BACNET_PROPERTIES: [(&str, u32); 7] = [
    ("vendor_name", 121),
    ("model_name", 70),
    ("firmware_revision", 44),
    ("application_software_version", 12),
    ("object_name", 77),
    ("serial_number", 372),
    ("vendor_identifier", 120),
];
/// Instance of a device whose example does not tell it.
const BACNET_INSTANCE: u32 = 1;
/// The five attributes that are the identity (IEEE 1815-2012, annex A.2).
const DNP3_IDENTITY: [u8; 5] = [242, 243, 248, 250, 252];
/// Where the second version of a CS or CJ controller stands behind the first (W342, 5-3-8).
const FINS_VERSION_BYTES: usize = 10;
/// A logical device, as servers of IEC 61850 call their first one.
const MMS_DOMAIN: &str = "IED1LD0";
/// Attributes of a device's plate and of a logical node's (IEC 61850-7-3, 7.8).
const MMS_DEVICE: [&str; 8] = ["vendor", "hwRev", "swRev", "serNum", "model", "location", "name", "d"];
const MMS_NODE: [&str; 3] = ["vendor", "swRev", "configRev"];
/// Components of list 001C (Siemens A5E00709327, 33.6).
const S7_COMPONENTS: [(&str, u16); 8] = [
    ("s7comm.station.name", 1),
    ("s7comm.module.name", 2),
    ("s7comm.plant.id", 3),
    ("s7comm.copyright", 4),
    ("s7comm.serial_number", 5),
    ("s7comm.module.type", 7),
    ("s7comm.memory_card.serial_number", 8),
    ("s7comm.location", 11),
];
/// A CPU among the kinds of modules.
const S7_CPU: u16 = 0x00C0;

pub(super) fn made(persona: impl Language + 'static) -> Made {
    Made { persona: Arc::new(persona), station: String::new(), words: Vec::new() }
}

pub(super) fn words(words: &[&str]) -> Vec<String> {
    words.iter().map(|word| (*word).to_owned()).collect()
}

fn bacnet(facts: &Facts) -> Option<Made> {
    let text = |(name, property): (&str, u32)| Some((property, facts.text(&format!("bacnet.device.{name}"))?.into_bytes()));
    let texts: BTreeMap<u32, Vec<u8>> = BACNET_PROPERTIES.into_iter().filter_map(text).collect();
    let instance = facts.speaker.instance.unwrap_or(BACNET_INSTANCE);
    (!texts.is_empty()).then(|| Made { station: instance.to_string(), ..made(bacnet::Persona::new(instance, texts)) })
}

/// The Identity object, by the paths of who told it.
fn identity(facts: &Facts, of: &str) -> Option<enip::Identity> {
    let word = |name: &str| facts.array(&format!("{of}.{name}")).map(u16::from_le_bytes);
    let [major, minor] = facts.array(&format!("{of}.revision"))?;
    Some(enip::Identity {
        vendor: word("vendor")?,
        device_type: word("device_type")?,
        product_code: word("product_code")?,
        revision: (major, minor),
        condition: word("status")?,
        serial: u32::from_le_bytes(facts.array(&format!("{of}.serial"))?),
        name: facts.bytes(&format!("{of}.product_name")).unwrap_or_default().to_vec(),
        state: facts.array(&format!("{of}.state")).map_or(u8::MAX, |[state]| state),
    })
}

fn cip(facts: &Facts) -> Option<Made> {
    let identity = identity(facts, "cip.identity")?;
    let persona = enip::Persona::new(identity.clone()).with_slots([(0, identity)]);
    Some(Made { words: words(&["--cip-slot", "0"]), ..made(persona) })
}

fn enip(facts: &Facts) -> Option<Made> {
    Some(made(enip::Persona::new(identity(facts, "enip.identity")?)))
}

fn dnp3(facts: &Facts) -> Option<Made> {
    let little = |bytes: &[u8]| bytes.iter().rev().fold(0_u32, |sum, byte| sum << 8 | u32::from(*byte));
    let attribute = |(variation, fact): (&str, &nameplate_core::wire::Fact)| {
        let value = match fact.shape {
            Shape::Text => dnp3::Value::Text(fact.bytes.clone()),
            Shape::NumberLe if fact.bytes.len() <= size_of::<u32>() => dnp3::Value::Unsigned(little(&fact.bytes)),
            _ => dnp3::Value::Octets(fact.bytes.clone()),
        };
        Some((variation.parse::<u8>().ok()?, value))
    };
    let attributes: BTreeMap<u8, dnp3::Value> = facts.below("dnp3.attribute.").filter_map(attribute).collect();
    if attributes.is_empty() {
        return None;
    }
    let further = attributes.keys().any(|variation| !DNP3_IDENTITY.contains(variation));
    let persona = dnp3::Persona { attributes, ..dnp3::Persona::new([]) };
    let mut more = words(&["--dnp3-master", &persona.master.to_string()]);
    more.extend(further.then(|| "--dnp3-all".to_owned()));
    Some(Made { station: persona.address.to_string(), words: more, ..made(persona) })
}

fn fins(facts: &Facts) -> Option<Made> {
    let mut version = facts.bytes("fins.controller.version")?.to_vec();
    if let Some(internal) = facts.bytes("fins.controller.internal_version") {
        version.resize(FINS_VERSION_BYTES, 0);
        version.extend(internal);
    }
    Some(made(fins::Persona::new(facts.bytes("fins.controller.model")?, &version)))
}

/// The text of a server that greets.
fn greeting(facts: &Facts, server: Server) -> Option<Made> {
    let banner = match server {
        Server::Ftp => "ftp.banner",
        Server::Ssh => "ssh.banner",
        Server::Telnet => "telnet.line.",
    };
    let lines: Vec<&[u8]> = facts.below(banner).map(|(_, fact)| fact.bytes.as_slice()).collect();
    // Where the text says what it is, its question would be a second description.
    let prompt = facts.bytes("telnet.prompt").filter(|_| lines.is_empty()).map(|prompt| [prompt, b" "].concat()).unwrap_or_default();
    (!lines.is_empty() || !prompt.is_empty()).then(|| made(greeting::Persona::new(server, &lines, &prompt)))
}

fn http(facts: &Facts) -> Option<Made> {
    let bytes = |path: &str| facts.bytes(path).unwrap_or_default().to_vec();
    let persona = http::Persona { realm: bytes("http.realm"), ..http::Persona::new(&bytes("http.server"), &bytes("http.title")) };
    let says = !persona.server.is_empty() || !persona.realm.is_empty() || facts.bytes("http.title").is_some();
    says.then(|| made(persona))
}

/// A server with a certificate for that name and organisation, and a page that says nothing: of what stands on pages there are examples in clear.
fn https(facts: &Facts) -> Option<Made> {
    let seal = Seal::of(facts.bytes("https.subject.o"), facts.bytes("https.subject.cn")?).ok()?;
    Some(made(http::Persona { seal: Some(seal), ..http::Persona::new(b"", b"") }))
}

fn hart_ip(facts: &Facts) -> Option<Made> {
    let byte = |name: &str| facts.array(&format!("hart-ip.{name}")).map(|[byte]| byte);
    let number = |name: &str| {
        let bytes = facts.bytes(&format!("hart-ip.{name}")).unwrap_or_default();
        bytes.iter().fold(0_u32, |sum, byte| sum.wrapping_shl(8) | u32::from(*byte))
    };
    let word = |name: &str| u16::try_from(number(name)).unwrap_or(u16::MAX);
    let text = |name: &str| facts.text(&format!("hart-ip.{name}")).unwrap_or_default();
    Some(made(hart_ip::Persona {
        device_type: u16::from_be_bytes(facts.array("hart-ip.device_type")?),
        device_id: number("device_id"),
        universal_revision: byte("universal_revision")?,
        device_revision: byte("device_revision").unwrap_or(0),
        software_revision: byte("software_revision").unwrap_or(0),
        // Below its five bits stands the signalling code.
        hardware_revision: byte("hardware_revision").unwrap_or(0) >> 3,
        manufacturer: word("manufacturer"),
        distributor: word("private_label"),
        profile: byte("profile").unwrap_or(0),
        tag: text("tag"),
        descriptor: text("descriptor"),
        date: facts.array("hart-ip.date").unwrap_or([1, 1, 0]),
        long_tag: facts.bytes("hart-ip.long_tag").unwrap_or_default().to_vec(),
        refuses: BTreeMap::new(),
        listed: BTreeMap::new(),
    }))
}

fn mms(facts: &Facts) -> Option<Made> {
    let bytes = |path: String| facts.bytes(&path).map(<[u8]>::to_vec);
    let plate = |of: &str, names: &[&'static str]| -> Vec<(&'static str, Vec<u8>)> {
        let value = |name: &&'static str| Some((*name, bytes(format!("mms.{of}.{}", name.to_ascii_lowercase()))?));
        names.iter().filter_map(value).collect()
    };
    let (device, node) = (plate("phynam", &MMS_DEVICE), plate("namplt", &MMS_NODE));
    // Who is not asked for it in an example says nothing in Identify.
    let identity = ["vendor", "model", "revision"].map(|name| bytes(format!("mms.identify.{name}")).unwrap_or_default());
    let says_nothing = device.is_empty() && node.is_empty() && identity.iter().all(Vec::is_empty);
    (!says_nothing).then(|| made(mms::Persona { identity, ..mms::Persona::new(MMS_DOMAIN, device, node) }))
}

fn opcua(facts: &Facts) -> Option<Made> {
    let text = |path: &str| facts.text(path).unwrap_or_default();
    let property = |(field, fact): (&str, &nameplate_core::wire::Fact)| Some((camel(field), decode_fact(fact.shape, &fact.bytes).ok()?));
    let properties: Vec<(String, String)> = facts.below("opcua.device.").filter_map(property).collect();
    let application = ["uri", "product_uri", "name"].map(|field| text(&format!("opcua.application.{field}")));
    let build = ["product_name", "product_uri", "manufacturer", "software_version", "build_number"];
    let build = build.map(|field| text(&format!("opcua.build.{field}")));
    // A server without a device tells less than can be asked for.
    (!properties.is_empty()).then(|| {
        let devices = vec![("Device".to_owned(), properties)];
        made(opcua::Persona { devices, ..opcua::Persona::new(application, build) })
    })
}

/// A property as DI calls it (OPC 10000-100, 4.5): `SerialNumber`.
fn camel(field: &str) -> String {
    let word = |word: &str| word.chars().enumerate().map(|(at, c)| if at == 0 { c.to_ascii_uppercase() } else { c }).collect::<String>();
    field.split('_').map(word).collect()
}

/// Lines of the answer to ID, with blanks for the underscores of the facts' paths.
fn sel_ascii(facts: &Facts) -> Option<Made> {
    let line = |(name, fact): (&str, &nameplate_core::wire::Fact)| {
        [name.to_ascii_uppercase().replace('_', " ").as_bytes(), b"=", &fact.bytes].concat()
    };
    let mut persona = sel::Persona::new(&[]);
    persona.lines = facts.below("sel-ascii.").map(line).collect();
    (!persona.lines.is_empty()).then(|| made(persona))
}

fn pn_io(facts: &Facts) -> Option<Made> {
    let text = |path: &str| Some(facts.text(path)?.trim_end().as_bytes().to_vec());
    let word = |path: &str| facts.array(&format!("pn-io.object.{path}")).map(u16::from_be_bytes);
    let [letter, numbers @ ..] = facts.array::<4>("pn-io.im.software")?;
    let persona = pn_io::Persona {
        ids: [word("instance")?, word("device")?, word("vendor")?],
        hardware: u16::from_be_bytes(facts.array("pn-io.im.hardware")?),
        software: (letter, numbers),
        ..pn_io::Persona::new(&text("pn-io.lookup.type")?, &text("pn-io.im.order")?, &text("pn-io.im.serial")?)
    };
    Some(Made { words: words(&["--pn-consent", "simulated"]), ..made(persona) })
}

fn s7comm(facts: &Facts) -> Option<Made> {
    let order = |path: &str| facts.bytes(path).unwrap_or_default().to_vec();
    let hardware = |of: &str, index: u16| {
        let [v1, v0] = facts.array(&format!("{of}.version"))?;
        Some(s7::Module { index, order_number: order(&format!("{of}.order_number")), kind: S7_CPU, version: [v1, v0, 0, 1] })
    };
    let firmware = |of: &str, name: &str, index: u16| {
        let version = facts.array(&format!("{of}.version"))?;
        Some(s7::Module { index, order_number: order(&format!("{of}.{name}")), kind: S7_CPU, version })
    };
    let modules = [
        hardware("s7comm.module", 1),
        hardware("s7comm.hardware", 6),
        firmware("s7comm.firmware", "order_number", 7),
        firmware("s7comm.boot_loader", "name", 0x81),
    ];
    let modules: Vec<s7::Module> = modules.into_iter().flatten().collect();
    let components = S7_COMPONENTS.into_iter().filter_map(|(path, index)| Some((index, facts.bytes(path)?.to_vec())));
    let components: Vec<(u16, Vec<u8>)> = components.collect();
    // Whoever simulates a CPU owns it.
    (!modules.is_empty()).then(|| {
        let more = if components.is_empty() { Vec::new() } else { words(&["--s7-consent-001c"]) };
        Made { words: more, ..made(s7::Persona { consents_to_001c: true, ..s7::Persona::new(modules, components) }) }
    })
}

fn slmp(facts: &Facts) -> Option<Made> {
    let name = facts.bytes("slmp.cpu.model")?.to_vec();
    Some(made(slmp::Persona { name, code: u16::from_le_bytes(facts.array("slmp.cpu.code")?), refuses: None }))
}
