//! No socket towards a device without its line in the touch record, as strace sees it: in every protocol that is asked and simulated.

use nameplate::simulated::Simulated;
use nameplate_core::profile::ProfileSet;
use nameplate_simulators::device::Device;
use nameplate_simulators::fault::{Fault, More};
use nameplate_simulators::language::Language;
use nameplate_simulators::{dnp3, fins};
use nameplate_tests::place::needed;
use nameplate_tests::product::{Product, State, simulated};
use nameplate_tests::strace::{self, Traced, traced};
use serde_json::Value;

/// What the record has in place of each byte that is secret.
const HIDDEN: &str = "2a";

/// A device, the target behind its address, and the words that ask it.
struct Way {
    device: Simulated,
    more: &'static str,
}

fn of(profile: &str) -> Simulated {
    let set = ProfileSet::built_in().expect("the built-in profiles");
    Simulated::named(&set, profile).unwrap_or_else(|e| panic!("{profile}: {e}"))
}

fn with(protocol: &str, station: &str, persona: impl Language + 'static) -> Simulated {
    let words = vec!["--via".to_owned(), protocol.to_owned()];
    Simulated {
        profile: String::new(),
        protocol: protocol.to_owned(),
        persona: std::sync::Arc::new(persona),
        station: station.to_owned(),
        words,
        environment: &[],
    }
}

/// Every protocol, over each carrier that it can be asked over.
fn ways() -> Vec<Way> {
    let plc = fins::Persona { assigned: [77].into(), ..fins::Persona::new(b"CP1L-EL20DR-D", b"01.00") };
    let outstation = dnp3::Persona::new([(242, b"1.2".to_vec()), (252, b"Galvan".to_vec())]);
    let plain = ["generic/bacnet", "generic/cip", "generic/dnp3", "generic/enip", "generic/fins", "generic/hart-ip", "generic/modbus"];
    let plain = plain.into_iter().chain(["generic/pn-io", "generic/s7comm", "generic/slmp", "generic/snmp", "apc/snmp-management-card"]);
    let mut ways: Vec<Way> = plain.map(|profile| Way { device: of(profile), more: "" }).collect();
    ways.push(Way { device: of("generic/modbus"), more: "--question extended,server-id" });
    ways.push(Way { device: of("generic/enip"), more: "--enip-tcp" });
    ways.push(Way { device: of("generic/hart-ip"), more: "--hart-udp" });
    ways.push(Way { device: of("generic/slmp"), more: "--slmp-udp" });
    ways.push(Way { device: with("fins", "", plc), more: "--fins-node 77" });
    ways.push(Way { device: with("dnp3", "10", outstation), more: "--dnp3-master 1" });
    ways
}

fn of_kind(lines: &[Value], kind: &str, key: &str) -> Vec<String> {
    lines.iter().filter(|line| line["kind"] == kind).map(|line| line[key].as_str().unwrap_or_default().to_owned()).collect()
}

/// Whether the record has what was sent, but for what is secret in it.
fn same(on_record: &str, sent: &str) -> bool {
    let pairs = |text: &str| text.as_bytes().chunks(2).map(<[u8]>::to_vec).collect::<Vec<_>>();
    let (on_record, sent) = (pairs(on_record), pairs(sent));
    on_record.len() == sent.len() && on_record.iter().zip(&sent).all(|(noted, sent)| noted == sent || noted == HIDDEN.as_bytes())
}

/// Asks it under strace; a line of the table.
fn check(product: &Product, way: &Way, fault: Option<&Fault>) {
    let device = Device { fault: fault.cloned(), ..Device::new(way.device.persona.clone()) };
    let (product, asked, more) = (product.clone(), way.device.clone(), way.more);
    let ((state, address, traced), report) = simulated(device, move |address| {
        let (state, target) = (State::new(), asked.target(address));
        let place = state.text();
        let mut words = vec!["ask", "--reason", "WO-1", "--time-factor", "0.01", &target, "--state", &place];
        words.extend(asked.words.iter().map(String::as_str).chain(more.split_whitespace()));
        let (_, traced): (_, Traced) = traced(&product, &words);
        (state, address.to_string(), traced)
    });
    let what = format!("{} {} {fault:?}", way.device.protocol, way.more);
    let lines = state.touches();
    let targets: Vec<String> =
        of_kind(&lines, "connect", "target").iter().map(|target| target.trim_start_matches("udp:").to_owned()).collect();
    assert_eq!((traced.sockets, &traced.connects, &targets), (1, &vec![address.clone()], &vec![address]), "{what}");
    let on_record: Vec<String> = of_kind(&lines, "sent", "bytes").iter().map(|bytes| bytes.replace(' ', "")).collect();
    let agree = on_record.len() == traced.sends.len() && on_record.iter().zip(&traced.sends).all(|(noted, sent)| same(noted, sent));
    assert!(
        agree && (!traced.sends.is_empty() || fault == Some(&Fault::RstOnConnect)),
        "{what}: on record {on_record:?}, sent {:?}",
        traced.sends
    );
    let reached: u64 = report.asked().map(|session| session.bytes_in).sum();
    let sent = traced.sends.iter().map(|bytes| bytes.len() as u64 / 2).sum::<u64>();
    assert!(reached == sent || fault == Some(&Fault::RstOnConnect), "{what}: {sent} left, {reached} came");
    println!("{what} | 1 socket | {} messages | each on record first", traced.sends.len());
}

#[test]
fn every_connect_and_send_stands_in_the_touch_record_first() {
    let Some(product) = needed("every_connect_and_send_stands_in_the_touch_record_first", strace::available()) else { return };
    for way in ways() {
        check(&product, &way, None);
    }
    for fault in [Fault::EndlessMore(More::Rising), Fault::AnswerTwice, Fault::RstOnConnect] {
        check(&product, &Way { device: of("generic/modbus"), more: "--question regular,server-id" }, Some(&fault));
    }
}
