//! Changes of servers that we did not write: each is replaced by one with another release, the same serial number, and nothing else changed. What it does
//! meanwhile (silence, a wrong release) is called by its name, and ends where the right release answers.

use std::net::{IpAddr, SocketAddr};

use nameplate_tests::door::Door;
use nameplate_tests::personas::{self, Persona};
use nameplate_tests::place::needed;
use nameplate_tests::product::{Ended, Product, State, TIME_FACTOR, code, run};
use nameplate_tests::rig::{self, Kind};
use serde_json::Value;

/// A server, and how it is asked.
struct Row {
    kind: Kind,
    via: &'static str,
    by_datagram: bool,
    station: fn(&Persona) -> String,
    /// Keys of a device in the site file, as the plan keeps them.
    kept: &'static [(&'static str, &'static str)],
    /// Those that lead to a secret: no plan keeps them.
    anew: &'static [(&'static str, &'static str)],
    /// Whether a site file says how it is asked, or words of the command line.
    by_site_file: bool,
    /// The field that tells the release.
    field: &'static str,
    release: fn(&Persona) -> String,
    verdict: &'static str,
}

const PROVEN: &str = "as_expected";
const UNPROVEN: &str = "identity_not_proven";
/// A string of quotation marks of its own for TOML.
const QUOTE: char = '"';

const ROW: Row = Row {
    kind: Kind::Snmpd,
    via: "snmp",
    by_datagram: false,
    station: |_| String::new(),
    kept: &[],
    anew: &[],
    by_site_file: false,
    field: "firmware_revision",
    release: |persona| persona.plate.firmware.clone(),
    verdict: PROVEN,
};

fn rows() -> Vec<Row> {
    let snmp = || Row { by_datagram: true, ..ROW };
    let user = &[("snmp-version", "3"), ("snmp-user", "sha256"), ("snmp-auth", "sha256"), ("snmp-privacy", "aes128"), ("snmp-entity", "")];
    let passwords = &[("snmp-auth-env", "SECRET"), ("snmp-privacy-env", "PRIVACY")];
    let community = &[("snmp-community-env", "COMMUNITY")];
    vec![
        Row { kept: &[("snmp-entity", "")], anew: community, ..snmp() },
        Row { kept: &[("snmp-entity", "")], anew: community, by_site_file: true, ..snmp() },
        Row { kept: user, anew: passwords, ..snmp() },
        Row { kept: user, anew: passwords, by_site_file: true, ..snmp() },
        Row { kind: Kind::Bacpypes3, via: "bacnet", by_datagram: true, station: |persona| persona.plate.instance.to_string(), ..ROW },
        Row {
            kind: Kind::Cpppo,
            via: "enip",
            by_datagram: true,
            release: |persona| format!("{}.{}", persona.plate.major, persona.plate.minor),
            ..ROW
        },
        Row { kind: Kind::Open61850, via: "mms", ..ROW },
        Row { kind: Kind::Asyncua, via: "opcua", field: "software_revision", ..ROW },
        // It names its own port, and started anew it has another one: that is not what was ordered.
        Row { kind: Kind::NodeOpcua, via: "opcua", field: "software_revision", verdict: "something_else_changed", ..ROW },
        Row {
            kind: Kind::Py1815,
            via: "dnp3",
            station: |persona| persona.unit.to_string(),
            kept: &[("dnp3-master", "1")],
            release: |persona| persona.objects[&242].clone(),
            ..ROW
        },
        Row {
            kind: Kind::Pymodbus,
            via: "modbus",
            station: |persona| persona.unit.to_string(),
            release: |persona| persona.objects[&2].clone(),
            verdict: UNPROVEN,
            ..ROW
        },
        Row {
            kind: Kind::Http,
            via: "http",
            field: "description",
            release: |persona| format!("{}/{}", persona.plate.model, persona.plate.software),
            verdict: UNPROVEN,
            ..ROW
        },
        Row {
            kind: Kind::Pyftpdlib,
            via: "ftp",
            field: "description",
            release: |persona| persona.plate.description.clone(),
            verdict: UNPROVEN,
            ..ROW
        },
        Row {
            kind: Kind::Telnetlib3,
            via: "telnet",
            field: "description",
            release: |persona| persona.plate.description.clone(),
            verdict: UNPROVEN,
            ..ROW
        },
    ]
}

/// The same device with another release.
fn flashed(kind: Kind, persona: &Persona, release: &str, minor: u8) -> Persona {
    let mut flashed = persona.clone();
    if kind == Kind::Http {
        release[1..].clone_into(&mut flashed.plate.software);
        return flashed;
    }
    flashed.plate.description = persona.plate.description.replace(&persona.plate.firmware, release);
    release.clone_into(&mut flashed.plate.firmware);
    flashed.plate.minor = minor;
    for object in [2, 242] {
        flashed.objects.entry(object).and_modify(|value| release.clone_into(value));
    }
    flashed
}

/// A device of every server, of one seed.
fn drawn(kind: Kind) -> Persona {
    let mut persona = personas::random(personas::seed());
    persona.unit = persona.unit.max(2);
    if kind == Kind::Py1815 {
        let plate = &persona.plate;
        persona.objects = [(242, &plate.firmware), (243, &plate.hardware), (248, &plate.serial), (252, &plate.vendor)]
            .map(|(variation, text)| (variation, text.clone()))
            .into();
    }
    persona
}

struct Story<'a> {
    product: &'a Product,
    row: &'a Row,
    persona: Persona,
    state: State,
    door: Door,
}

impl Story<'_> {
    fn run(&self, words: &[String]) -> Ended {
        let plate = &self.persona.plate;
        let secrets = [("COMMUNITY", &plate.community), ("SECRET", &plate.secret), ("PRIVACY", &plate.privacy)];
        run(self.product.command(words).args(["--state", &self.state.text()]).envs(secrets))
    }

    fn say(&self, line: &str) -> Ended {
        self.run(&line.split_whitespace().map(str::to_owned).collect::<Vec<_>>())
    }

    fn behind(&self, persona: &Persona) -> rig::Server {
        let server = rig::start(self.row.kind, persona).expect("a server");
        self.door.leads_to(Some(SocketAddr::new(IpAddr::V4(server.address), server.port)));
        server
    }

    fn target(&self) -> String {
        let station = (self.row.station)(&self.persona);
        if station.is_empty() { self.door.address.to_string() } else { format!("{}/{station}", self.door.address) }
    }

    /// The site file, and the words that name it; else options in the way of this command.
    fn ways(&self, options: &[(&str, &str)], written: fn(&str, &str) -> String) -> String {
        if !self.row.by_site_file {
            return options.iter().map(|(key, value)| written(key, value)).collect();
        }
        let all = [("via", self.row.via)].into_iter().chain(self.row.kept.iter().chain(self.row.anew).copied());
        let keys: String = all
            .map(|(key, value)| if value.is_empty() { format!("{key} = true\n") } else { format!("{key} = {QUOTE}{value}{QUOTE}\n") })
            .collect();
        let text = format!("name = \"North\"\n[[zone]]\nname = \"one\"\n[[zone.device]]\ntarget = \"{}\"\n{keys}", self.target());
        format!(" --site {}", self.state.file("site.toml", text))
    }

    fn after(&self, anew: &str, verdict: &str, ends: i32) {
        let ended = self.say(&format!("change after WO-1 --patience 0 --time-factor {TIME_FACTOR} --format ndjson {anew}"));
        let said = |key: &str| ended.lines().iter().find_map(|line: &Value| line[key].as_str().map(str::to_owned)).unwrap_or_default();
        let told = format!("{:?} over {}: {}\n{}", self.row.kind, self.row.via, ended.out, ended.err);
        println!("{:?} | {} | {} | {}", self.row.kind, self.row.via, said("verdict"), said("why"));
        assert_eq!((said("verdict").as_str(), ended.code), (verdict, ends), "{told}");
    }

    fn tell(&self) {
        let Row { via, kept, anew, .. } = self.row;
        let option = |key: &str, value: &str| if value.is_empty() { format!(" --{key}") } else { format!(" --{key}={value}") };
        let way = |key: &str, value: &str| if value.is_empty() { format!(" --way {key}") } else { format!(" --way {key}={value}") };
        let all: Vec<(&str, &str)> = kept.iter().chain(anew.iter()).copied().collect();
        let server = self.behind(&self.persona);
        let options: String = all.iter().map(|(key, value)| option(key, value)).collect();
        self.say(&format!("ask --reason WO-0 --time-factor {TIME_FACTOR} --via {via} {options} {}", self.target())).expect(code::DONE);
        let listed = self.say("devices --format ndjson").expect(code::DONE).lines();
        let id = listed[0]["id"].as_str().expect("an id");
        let [expected, wrong] =
            [("V7.01.5", 101), ("V7.02.9", 102)].map(|(release, minor)| flashed(self.row.kind, &self.persona, release, minor));
        let delta = format!("{id}:self.{}={}->{}", self.row.field, (self.row.release)(&self.persona), (self.row.release)(&expected));
        let open = format!("change open WO-1 --asset {id} --until 2100-01-01T00:00:00Z --by Ada {}", self.ways(&all, way));
        let open: Vec<String> = open.split_whitespace().map(str::to_owned).chain(["--expect".to_owned(), delta]).collect();
        self.run(&open).expect(code::DONE);
        let anew = self.ways(anew, way);
        self.say(&format!("change before WO-1 --time-factor {TIME_FACTOR} {anew}")).expect(code::DONE);
        drop(server);
        self.door.leads_to(None);
        self.after(&anew, "unreadable", code::FAILED);
        let server = self.behind(&wrong);
        self.after(&anew, "wrong_release", code::FAILED);
        drop(server);
        let server = self.behind(&expected);
        self.after(&anew, self.row.verdict, if self.row.verdict == PROVEN { code::DONE } else { code::FAILED });
        drop(server);
        self.holds_no_secret();
    }

    /// What leads to a secret is not in the ledger either.
    fn holds_no_secret(&self) {
        let plate = &self.persona.plate;
        let ledger = std::fs::read(self.state.path().join("nameplate.sqlite")).expect("a ledger");
        let log = std::fs::read(self.state.path().join("nameplate.sqlite-wal")).unwrap_or_default();
        let secrets = [plate.secret.as_str(), &plate.privacy, "snmp-community-env", "snmp-auth-env", "snmp-privacy-env"];
        for secret in secrets {
            let stands = |bytes: &[u8]| bytes.windows(secret.len()).any(|window| window == secret.as_bytes());
            assert!(!stands(&ledger) && !stands(&log), "{:?}: {secret} stands in the ledger", self.row.kind);
        }
    }
}

#[test]
fn a_server_that_we_did_not_write_is_read_before_and_after_its_release() {
    for row in rows() {
        let test = "a_server_that_we_did_not_write_is_read_before_and_after_its_release";
        let Some(product) = needed(test, rig::available_for(row.kind).and_then(|()| Product::find())) else { return };
        let door = if row.by_datagram { Door::udp() } else { Door::tcp() };
        Story { product: &product, row: &row, persona: drawn(row.kind), state: State::new(), door }.tell();
    }
}
