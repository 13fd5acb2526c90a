//! Twelve simulated devices of six families, and a script's view of the product.

use std::collections::BTreeMap;
use std::net::SocketAddr;

use nameplate_simulators::device::{Device, Running};
use nameplate_simulators::flash::{Flash, Phase};
use nameplate_simulators::language::Language;
use nameplate_simulators::{bacnet, enip, modbus};
use nameplate_tests::product::{Ended, Product, State, code};
use serde_json::Value;

/// Gaps of 30 s become 0.3 s, a reboot of 90 s takes 0.9 s.
pub const FACTOR: &str = "0.01";

/// Three makers of devices that speak Modbus; the serial number and a module's release are private objects of theirs.
const MAKERS: [&str; 3] = ["Presses", "Lathes", "Mixers"];

fn profile(maker: &str) -> String {
    format!(
        r#"
vendor = "Example {maker}"
family = "{maker}"
device_class = "plc"
identity_of = "self"
protocol = "modbus"
version_order = "dotted"
confidence = "documented"
notes = "A device of the tests."

[match]
"modbus.object.0" = '^Example {maker}$'

[[component]]
role = "self"
[component.extract]
manufacturer = {{ from = "modbus.object.0" }}
product_code = {{ from = "modbus.object.1" }}
firmware_revision = {{ from = "modbus.object.2" }}
serial_number = {{ from = "modbus.object.128" }}

[[component]]
role = "communication-module"
[component.extract]
firmware_revision = {{ from = "modbus.object.129" }}

[[example]]
source = "made up"
licence = "fact"
objects = {{ 0 = "Example {maker}", 1 = "P7", 2 = "2.60", 128 = "S-1", 129 = "1.1" }}
[example.expect.self]
manufacturer = "Example {maker}"
product_code = "P7"
firmware_revision = "2.60"
serial_number = "S-1"
[example.expect.communication-module]
firmware_revision = "1.1"
"#
    )
}

/// A device of one of these makers.
pub fn machine(maker: &str, firmware: &str, serial: &str, module: &str) -> modbus::Persona {
    let maker = format!("Example {maker}");
    let objects = [(0, maker.as_str()), (1, "P7"), (2, firmware), (128, serial), (129, module)];
    modbus::Persona::from_objects(objects.map(|(id, text)| (id, text.as_bytes().to_vec())))
}

/// A device of EtherNet/IP: `state` 3 is operational, 2 is standby.
pub fn adapter(name: &str, revision: (u8, u8), serial: u32, state: u8) -> enip::Persona {
    let (vendor, product_code) = if name.starts_with("1756") { (1, 58) } else { (77, 7) };
    let identity = enip::Identity {
        vendor,
        device_type: 0x0C,
        product_code,
        revision,
        condition: 0x0030,
        serial,
        name: name.as_bytes().to_vec(),
        state,
    };
    enip::Persona::new(identity)
}

/// A controller of BACnet.
pub fn controller(firmware: &str, serial: &str) -> bacnet::Persona {
    let texts = [(121, "Example Air"), (70, "AHU-9"), (44, firmware), (12, "1.0"), (77, "AHU north"), (372, serial)];
    bacnet::Persona::new(9, texts.map(|(property, text)| (property, text.as_bytes().to_vec())))
}

/// The devices in their state, and the product.
pub struct Plant {
    product: Product,
    pub state: State,
    pub devices: Vec<Running>,
    /// Their ids, in the same order.
    pub ids: Vec<String>,
}

impl Plant {
    /// No device yet.
    pub fn new(product: &Product) -> Self {
        let state = State::new();
        for maker in MAKERS {
            state.file(&format!("profiles/example/{}.toml", maker.to_lowercase()), profile(maker));
        }
        Self { product: product.clone(), state, devices: Vec::new(), ids: Vec::new() }
    }

    /// One more, that is asked once so that the catalog knows it.
    pub async fn with<P: Language + 'static>(mut self, via: &str, persona: P) -> Self {
        // A host each: what speaks two protocols at one address is one device.
        let host = u8::try_from(self.devices.len() + 2).expect("few devices");
        let running = Device::new(persona).start(SocketAddr::from(([127, 0, 7, host], 0))).await.expect("a port on loopback");
        let target = running.address.to_string();
        let (target, more): (String, &[&str]) = match via {
            "modbus" => (format!("{target}/1"), &["--question", "extended"]),
            _ => (target, &[]),
        };
        let words = ["ask", "--reason", "WO-0", "--time-factor", "0.00001", "--via", via, &target];
        self.run(&[&words[..], more].concat()).await.expect(code::DONE);
        let (ip, port) = (running.address.ip().to_string(), u64::from(running.address.port()));
        let listed = self.run(&["devices", "--format", "ndjson"]).await.expect(code::DONE).lines();
        let at = |line: &&Value| {
            line["addresses"].as_array().is_some_and(|all| all.iter().any(|one| one["ip"] == ip.as_str() && one["port"] == port))
        };
        let line = listed.iter().find(at).expect("a device that answered");
        let id = line["id"].as_str().expect("an id").to_owned();
        assert!(!self.ids.contains(&id), "device {} is taken for another: {line}", self.ids.len());
        self.ids.push(id);
        self.devices.push(running);
        self
    }

    /// Runs the product on another thread, so that the devices can answer on this one.
    pub async fn run(&self, arguments: &[&str]) -> Ended {
        let mut words: Vec<String> = arguments.iter().map(|word| (*word).to_owned()).collect();
        words.extend(["--state".to_owned(), self.state.text(), "--profiles".to_owned(), format!("{}/profiles", self.state.text())]);
        let product = self.product.clone();
        tokio::task::spawn_blocking(move || product.run(words)).await.expect("an end")
    }

    /// Words of a script: `{3}` is the id of device 3, `~` a blank inside a word.
    pub async fn say(&self, script: &str) -> Ended {
        let named =
            |word: &str| self.ids.iter().enumerate().fold(word.to_owned(), |word, (number, id)| word.replace(&format!("{{{number}}}"), id));
        let words: Vec<String> = script.split_whitespace().map(named).map(|word| word.replace('~', " ")).collect();
        self.run(&words.iter().map(String::as_str).collect::<Vec<_>>()).await
    }

    /// The release that a device has now, with what happens on the way.
    pub async fn flash<P: Language + 'static>(&self, number: usize, phases: Vec<Phase<P>>, release: P) {
        self.devices[number].flash(Flash { phases, release }).await;
    }

    /// Verdict and sentence by device's number.
    pub fn verdicts(&self, ended: &Ended) -> BTreeMap<usize, (String, String)> {
        let number = |line: &Value| self.ids.iter().position(|id| line["asset"] == id.as_str());
        let text = |line: &Value, key: &str| line[key].as_str().unwrap_or_default().to_owned();
        let lines = ended.lines().into_iter().filter(|line| line["verdict"].is_string());
        lines.filter_map(|line| Some((number(&line)?, (text(&line, "verdict"), text(&line, "why"))))).collect()
    }
}
