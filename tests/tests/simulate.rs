//! The same device three ways: what its profile's example says, `nameplate simulate` asked live, and the capture of that by ear. For every
//! profile that can be run, as a user runs it: with the words that `simulate` prints.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufRead, BufReader, Read};
use std::net::{Ipv4Addr, SocketAddrV4};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use nameplate_core::profile::{Profile, ProfileSet};
use nameplate_tests::line::Line;
use nameplate_tests::place::needed;
use nameplate_tests::product::{Claim, Product, State, code};
use nameplate_tests::record::{self, Recording};
use nameplate_tests::referee;
use serde_json::Value;

/// A process that did not get ready by then never will.
const READY_SECONDS_MAX: Duration = Duration::from_secs(20);
/// Protocols that are simulated; the decoder that hears each in a capture.
const PROTOCOLS: [(&str, &str); 20] = [
    ("bacnet", "bacnet"),
    ("cip", "enip"),
    ("dnp3", "dnp3"),
    ("enip", "enip"),
    ("fins", "fins"),
    ("ftp", "ftp"),
    ("hart-ip", "hart-ip"),
    ("http", "http"),
    ("https", "https"),
    ("mms", "iso"),
    ("modbus", "modbus"),
    ("modbus-rtu", "modbus-rtu"),
    ("opcua", "opcua"),
    ("pn-io", "pn-io"),
    ("s7comm", "s7comm"),
    ("sel-ascii", "sel-ascii"),
    ("slmp", "slmp"),
    ("snmp", "snmp"),
    ("ssh", "ssh"),
    ("telnet", "telnet"),
];

/// `nameplate simulate` at work; ended by its process id when dropped.
struct Simulation {
    child: Child,
    /// Each device's profile, and the words after `nameplate ask` that it printed.
    devices: Vec<(String, Vec<String>)>,
    /// What the environment has to say for that.
    environment: BTreeMap<String, String>,
}

impl Simulation {
    fn start(product: &Product, profiles: &[String], more: &[&str]) -> Self {
        let words = ["simulate"].into_iter().chain(profiles.iter().map(String::as_str)).chain(more.iter().copied());
        let mut command = product.command(words);
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("nameplate simulate");
        let says = BufReader::new(child.stderr.take().expect("a pipe"));
        let (hand, taken) = mpsc::channel();
        thread::spawn(move || says.lines().map_while(Result::ok).try_for_each(|line| hand.send(line)));
        let (mut devices, mut environment) = (Vec::new(), BTreeMap::new());
        for profile in profiles {
            let line = taken.recv_timeout(READY_SECONDS_MAX).unwrap_or_else(|_| panic!("{profile} does not say how it is asked"));
            let words = line
                .trim()
                .split_once("nameplate ask ")
                .and_then(|(settings, words)| Some((settings, words.strip_suffix(" --reason try")?)));
            let (settings, words) = words.unwrap_or_else(|| panic!("{profile}: {line}"));
            let setting = |setting: &str| setting.split_once('=').map(|(name, value)| (name.to_owned(), value.to_owned()));
            environment.extend(settings.split_whitespace().filter_map(setting));
            devices.push((profile.clone(), words.split(' ').map(str::to_owned).collect()));
        }
        Self { child, devices, environment }
    }

    /// Ctrl-C, and what it says then.
    fn end(mut self) -> String {
        let asked = Command::new("kill").arg("-INT").arg(self.child.id().to_string()).status();
        assert!(asked.is_ok_and(|status| status.success()));
        let mut said = String::new();
        self.child.stdout.take().expect("a pipe").read_to_string(&mut said).expect("text");
        assert!(self.child.wait().expect("an end").success());
        said
    }
}

impl Drop for Simulation {
    fn drop(&mut self) {
        // Ended already after `end`; there is nobody to tell here.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Profile and protocol of all that `simulate --list` names.
fn listed(product: &Product) -> Vec<(String, String)> {
    let listed = product.run(["simulate", "--list"]).expect(code::DONE).out;
    let cells = |line: &str| line.split_whitespace().take(2).map(str::to_owned).collect::<Vec<_>>();
    let rows = listed.lines().skip(1).map(cells).filter_map(|cells| <[String; 2]>::try_from(cells).ok());
    rows.map(|[profile, protocol]| (profile, protocol)).collect()
}

fn port_of(words: &[String]) -> u16 {
    let target = words[0].split('/').next().unwrap_or_default();
    target.rsplit(':').next().and_then(|port| port.parse().ok()).unwrap_or_else(|| panic!("no port in {words:?}"))
}

/// Claims of a capture by the port of who spoke; 0 where it is a module behind one, which is known by its path. Who asked has neither: OPC UA
/// tells of it, too.
fn by_port(lines: &[Value]) -> BTreeMap<u16, BTreeSet<Claim>> {
    let mut claims: BTreeMap<u16, BTreeSet<Claim>> = BTreeMap::new();
    for line in lines.iter().filter(|line| !line["address"]["port"].is_null() || !line["address"]["path"].is_null()) {
        let port = line["address"]["port"].as_u64().and_then(|port| u16::try_from(port).ok()).unwrap_or(0);
        claims.entry(port).or_default().insert(Claim::of(line));
    }
    claims
}

/// Facts that an example has and a live device is not asked for, or not in one message with what the profile tells the family by.
const NOT_LIVE: [&str; 5] =
    ["bacnet.device.protocol_revision", "bacnet.device.description", "bacnet.device.location", "snmp.1.", "snmp.ups."];

/// Field and value of each claim; which part of the device it is of, the profile that took part says.
type Plate<'a> = BTreeSet<(&'a str, &'a str)>;

/// Whether this is what one of the profile's examples says, nothing else, and all of it that can be asked for.
fn is_an_example(profile: &Profile, said: &BTreeSet<Claim>) -> bool {
    let told: Plate = said.iter().map(|claim| (claim.field.as_str(), claim.value.as_str())).collect();
    let rules = || profile.components.iter().flat_map(|component| &component.extract);
    let is_not_live = |field: &str| {
        rules().any(|(of, rule)| of.name() == field && NOT_LIVE.iter().any(|path| rule.from.iter().any(|from| from.starts_with(path))))
    };
    profile.examples.iter().any(|example| {
        let fields = example.expect.values().flatten();
        let expected: Plate = fields.map(|(field, value)| (field.name(), value.as_str())).collect();
        told.is_subset(&expected) && expected.difference(&told).all(|(field, _)| is_not_live(field))
    })
}

#[test]
fn every_device_is_the_same_in_its_profile_live_and_by_ear() {
    let test = "every_device_is_the_same_in_its_profile_live_and_by_ear";
    let Some(product) = needed(test, record::available().and_then(|()| Product::find())) else { return };
    let set = ProfileSet::built_in().expect("the built-in profiles");
    let listed = listed(&product);
    let protocols: BTreeSet<&str> = listed.iter().map(|(_, protocol)| protocol.as_str()).collect();
    assert_eq!(protocols, PROTOCOLS.iter().map(|(protocol, _)| *protocol).collect());
    let simulation = Simulation::start(&product, &listed.iter().map(|(profile, _)| profile.clone()).collect::<Vec<_>>(), &[]);
    let ports: Vec<u16> = simulation.devices.iter().map(|(_, words)| port_of(words)).collect();
    let end = |end: &str| {
        format!("({end} host 127.0.0.1 and ({}))", ports.iter().map(|port| format!("{end} port {port}")).collect::<Vec<_>>().join(" or "))
    };
    let filter = ["src", "dst"].map(end);
    let recording = Recording::of(&filter.join(" or ")).expect("a recording");
    let keys = State::new();
    let log = keys.file("keys.log", "");
    let said: Vec<BTreeSet<Claim>> =
        simulation.devices.iter().map(|(_, words)| asked(&product, words, &[("SSLKEYLOGFILE", log.clone())])).collect();
    let file = recording.stop().expect("a capture");
    let account = simulation.end();

    let decoder = |protocol: &str| PROTOCOLS.iter().find(|(name, _)| *name == protocol).map_or("", |(_, decoder)| decoder);
    let decode = listed.iter().zip(&ports).map(|((_, protocol), port)| format!("{port}={}", decoder(protocol)));
    let mut words = vec!["listen".to_owned(), file.to_string_lossy().into_owned(), "--format".to_owned(), "claims".to_owned()];
    words.extend(decode.flat_map(|decode| ["--decode-as".to_owned(), decode]));
    let heard = by_port(&product.run(&words).expect(code::DONE).lines());

    let mut wrong = Vec::new();
    for (((profile, protocol), port), said) in listed.iter().zip(&ports).zip(&said) {
        let mut by_ear = heard.get(if protocol == "cip" { &0 } else { port }).cloned().unwrap_or_default();
        // Modules behind a backplane have no port: which of them it was, its profile says.
        by_ear.retain(|claim| protocol != "cip" || claim.profile == *profile);
        let (same, as_example) = (by_ear == *said, is_an_example(set.get(profile).expect("a built-in profile"), said));
        println!("{protocol} | {profile} | {} claims live | by ear {same} | as the example {as_example}", said.len());
        // What an SNMP agent's profile names is asked from a port of its own.
        let is_sound = |connections: &str| {
            account.lines().any(|line| line.starts_with(&format!("{profile}: {connections} connections, ")) && line.ends_with(", 0 trips"))
        };
        let sound = is_sound("1") || (protocol == "snmp" && is_sound("2"));
        if !same || !as_example || said.is_empty() || !sound {
            wrong.push(format!("{profile}: live {said:?}\nby ear {by_ear:?}\n"));
        }
    }
    assert!(wrong.is_empty(), "{}\n{account}", wrong.concat());
    for protocol in protocols {
        let of = |((_, spoken), port): (&(String, String), &u16)| (spoken == protocol).then_some(*port);
        let ports: Vec<u16> = listed.iter().zip(&ports).filter_map(of).collect();
        if protocol == "https" {
            for port in ports {
                assert_eq!(referee::judge_under_tls(&file, port, log.as_ref()), Ok(1));
            }
            continue;
        }
        let counts = referee::judge(&file, protocol, &ports).unwrap_or_else(|why| panic!("{why}"));
        // To SSH nothing is said.
        assert!(protocol == "ssh" || counts.values().sum::<usize>() >= ports.len(), "{protocol}: {counts:?}");
    }
}

fn asked(product: &Product, words: &[String], environment: &[(&str, String)]) -> BTreeSet<Claim> {
    let words: Vec<String> = ["--format", "claims"].into_iter().map(str::to_owned).chain(words.iter().cloned()).collect();
    product.ask_with(&State::new(), &words, environment).expect(code::DONE).claims().into_iter().collect()
}

/// What is authenticated stands in clear in a capture; of what is encrypted it shows nothing but the engine.
#[test]
fn an_agent_of_version_3_is_the_same_in_its_profile_live_and_by_ear_as_far_as_it_is_in_clear() {
    let test = "an_agent_of_version_3_is_the_same_in_its_profile_live_and_by_ear_as_far_as_it_is_in_clear";
    let Some(product) = needed(test, record::available().and_then(|()| Product::find())) else { return };
    let set = ProfileSet::built_in().expect("the built-in profiles");
    for (user, is_in_clear) in [("none", true), ("auth", true), ("sealed", false)] {
        let profiles = ["siemens/snmp-s7-cpu", "apc/snmp-rack-pdu", "generic/snmp"].map(str::to_owned);
        let simulation = Simulation::start(&product, &profiles, &["--snmp-user", user]);
        for (profile, words) in &simulation.devices {
            let port = port_of(words);
            let recording = Recording::of(&referee::recorded("snmp", SocketAddrV4::new(Ipv4Addr::LOCALHOST, port))).expect("a recording");
            let environment: Vec<(&str, String)> =
                simulation.environment.iter().map(|(name, value)| (name.as_str(), value.clone())).collect();
            let said = asked(&product, words, &environment);
            let file = recording.stop().expect("a capture");
            let decode = format!("{port}=snmp");
            let words = ["listen", &file.to_string_lossy(), "--format", "claims", "--decode-as", &decode].map(str::to_owned);
            let by_ear = by_port(&product.run(&words).expect(code::DONE).lines()).remove(&port).unwrap_or_default();
            let as_example = is_an_example(set.get(profile).expect("a built-in profile"), &said);
            println!(
                "snmp, version 3, {user} | {profile} | {} claims live | {} by ear | as the example {as_example}",
                said.len(),
                by_ear.len()
            );
            assert!(as_example && !said.is_empty(), "{profile}: {said:?}");
            assert_eq!(by_ear, if is_in_clear { said } else { BTreeSet::new() }, "{user} {profile}");
            referee::judge(&file, "snmp", &[port]).unwrap_or_else(|why| panic!("{why}"));
        }
        let account = simulation.end();
        assert_eq!(account.matches(": 1 connections, ").count(), profiles.len(), "{account}");
        assert_eq!(account.matches(", 0 trips").count(), profiles.len(), "{account}");
    }
}

#[test]
fn a_unit_on_a_serial_line_is_the_same_as_behind_a_serial_server() {
    let test = "a_unit_on_a_serial_line_is_the_same_as_behind_a_serial_server";
    let Some(product) = needed(test, Product::find()) else { return };
    let simulation = Simulation::start(&product, &["generic/modbus-rtu".to_owned()], &[]);
    let (_, words) = simulation.devices[0].clone();
    let Some(line) = needed(test, Line::to(port_of(&words))) else { return };
    let unit = words[0].rsplit('/').next().expect("a unit");
    let on_line = [vec![format!("serial:{}@19200-8N1/{unit}", line.ours.display())], words[1..].to_vec()].concat();
    let said = asked(&product, &on_line, &[]);
    drop(line);
    let set = ProfileSet::built_in().expect("the built-in profiles");
    assert!(!said.is_empty() && is_an_example(set.get("generic/modbus-rtu").expect("a built-in profile"), &said), "{said:?}");
    assert!(simulation.end().contains("generic/modbus-rtu: 1 connections, 1 requests, 0 trips"));
}
