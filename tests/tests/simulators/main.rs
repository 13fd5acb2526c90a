//! The simulators before a judge that is not ours: tshark reads what the tap recorded and what simulated devices answered.

mod languages;
mod opc_ua;
mod profinet;

use std::net::Ipv4Addr;
use std::path::PathBuf;
use std::process::Command;
use std::time::{Duration, SystemTime};

use nameplate_simulators::modbus::{Fault, More, Persona};
use nameplate_simulators::plant::{Layout, Place, Plant};
use nameplate_simulators::scada::Ask;
use nameplate_simulators::tap::Station;
use nameplate_tests::personas;
use nameplate_tests::place::{needed, scratch};
use nameplate_tests::record::{self, AND};

const PORT: u16 = 502;

fn station(last: u8) -> Station {
    Station { mac: [0x02, 0, 0, 0, 0, last], ip: Ipv4Addr::new(192, 168, 10, last) }
}

/// The tap's capture of a plant of these devices, after each master has read what it wanted.
fn recorded(name: &str, devices: Vec<(Persona, Option<Fault>)>) -> PathBuf {
    let layout = Layout {
        master: station(1),
        asker: station(2),
        interval: Duration::from_millis(1),
        patience: Duration::from_millis(200),
        started: SystemTime::now(),
    };
    let places = devices.into_iter().zip(11..).map(|((persona, fault), last)| Place {
        name: format!("PLC-{last}"),
        persona,
        fault,
        station: station(last),
        asks: vec![Ask::Identification(2), Ask::ServerId],
    });
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let capture = runtime.block_on(async {
        let mut plant = Plant::start(places, layout).await.expect("a plant");
        plant.heard().await;
        plant.capture()
    });
    let file = scratch().expect("a folder").join(format!("{name}-{}.pcap", std::process::id()));
    std::fs::write(&file, capture).expect("written");
    file
}

fn objects(persona: &personas::Persona) -> Persona {
    Persona::from_objects(persona.objects.iter().map(|(id, text)| (*id, text.clone().into_bytes())))
}

#[test]
fn the_tap_is_a_capture_without_a_flaw() {
    if needed("the_tap_is_a_capture_without_a_flaw", record::available()).is_none() {
        return;
    }
    let seed = personas::seed();
    let sound = objects(&personas::paged(seed));
    let faults = [None, Some(Fault::LengthHuge), Some(Fault::EndlessMore(More::Rising)), Some(Fault::FinMidPdu), Some(Fault::RstOnConnect)];
    let file = recorded("tap", faults.into_iter().map(|fault| (sound.clone(), fault)).collect());
    let judged = |filter: &str| -> usize {
        let options = ["-o", "ip.check_checksum:TRUE", "-o", "tcp.check_checksum:TRUE"];
        let run = Command::new("tshark").args(["-n", "-r"]).arg(&file).args(options).args(["-Y", filter]).output().expect("tshark runs");
        assert!(run.status.success(), "{}", String::from_utf8_lossy(&run.stderr));
        String::from_utf8_lossy(&run.stdout).lines().count()
    };
    assert!(judged("tcp.checksum.status == 1 && ip.checksum.status == 1") > 20);
    let flaws = "tcp.checksum.status != 1 || ip.checksum.status != 1 || tcp.analysis.flags && !tcp.analysis.window_full || !tcp";
    assert_eq!(judged(flaws), 0, "{}", file.display());
    assert!(judged("tcp.flags.reset == 1") > 0, "the reset was recorded");
}

#[test]
fn a_simulated_device_tells_tshark_its_persona() {
    if needed("a_simulated_device_tells_tshark_its_persona", record::available()).is_none() {
        return;
    }
    let persona = personas::random(personas::seed());
    let file = recorded("persona", vec![(objects(&persona), None)]);
    let fields = ["ip.src", "eth.src", "modbus.object_id", "modbus.object_str_value", "modbus.conformity_level"];
    let rows = record::tshark(&file, &fields, "modbus.object_str_value && tcp.srcport == 502", PORT).expect("tshark's reading");
    let regular = persona.between(0, 0x7F);
    let and = AND.to_string();
    let ids: Vec<String> = regular.iter().map(|(id, _)| id.to_string()).collect();
    let texts: Vec<String> = regular.iter().map(|(_, text)| text.clone()).collect();
    let expected = ["192.168.10.11", "02:00:00:00:00:0b", &ids.join(&and), &texts.join(&and), "0x82"].map(str::to_owned);
    assert_eq!(rows, [expected.to_vec()], "{}", file.display());
}
