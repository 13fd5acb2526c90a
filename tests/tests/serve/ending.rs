//! A field side that is told to end in the middle of a round: the device that is being asked is left as its protocol has it, the others are not begun with, and
//! they are asked behind the restart.

use std::fs;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use nameplate_simulators::device::Device;
use nameplate_simulators::fault::Fault;
use nameplate_simulators::modbus::Persona;
use nameplate_simulators::report::{Ended as SessionEnded, Report};
use nameplate_tests::place::needed;
use nameplate_tests::product::{Product, block_on, code, settled};
use serde_json::Value;

use super::{DEVICES, Gateway, KEPT_SECONDS_MAX};

/// A device that takes its time, so that somebody can end the field side meanwhile; it is waited for, for 2 s.
const ANSWER_AFTER: Duration = Duration::from_millis(1_200);
/// TimeoutStopSec of the unit is 60 s.
const ENDS_SECONDS_MAX: Duration = Duration::from_secs(20);

/// Lines of the touch record of one kind.
fn lines(gateway: &Gateway, kind: &str) -> Vec<Value> {
    let record = fs::read_to_string(gateway.folder.path().join("field/touch.ndjson")).unwrap_or_default();
    let whole = record.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    whole.filter(|line| kind.is_empty() || line["kind"] == kind).collect()
}

fn story(product: &Product, devices: &[SocketAddr]) {
    let gateway = Gateway::new(product, &[]);
    let listed = devices.iter().enumerate().map(|(number, at)| {
        format!("[[zone.device]]\nname = \"PLC {number}\"\ntarget = \"{at}/1\"\nquestion = [\"basic\", \"server-id\"]\n")
    });
    gateway.folder.file("site.toml", format!("name = \"North\"\n[[zone]]\nname = \"one\"\n{}", listed.collect::<String>()));
    let plan = "[[plan]]\nname = \"identity\"\nevery = \"1day\"\ncatch_up = \"0s\"\n";
    gateway.configure(&format!("hatch = {:?}\n{plan}", gateway.path("hatch")));
    let (mut field, mut desk) = (gateway.field(), gateway.desk());
    desk.says(&format!("plan identity: {DEVICES} devices asked"));
    let begun = Instant::now();
    while lines(&gateway, "sent").is_empty() {
        assert!(begun.elapsed() < KEPT_SECONDS_MAX, "nobody is asked");
    }
    let begun = Instant::now();
    field.ends(code::DONE);
    assert!(begun.elapsed() < ENDS_SECONDS_MAX, "it took {:?}", begun.elapsed());
    assert!(field.said().iter().any(|line| line.contains("what is under way ends first")), "{:?}", field.said());
    assert!(!field.said().iter().any(|line| line.contains("broken off")), "{:?}", field.said());
    // The question that was out was answered; none followed, and the connection was closed in order.
    assert_eq!((lines(&gateway, "connect").len(), lines(&gateway, "sent").len(), lines(&gateway, "answer").len()), (1, 1, 1));
    let refused: Vec<Value> = lines(&gateway, "refused");
    assert_eq!(refused.iter().map(|line| line["rule"].as_str()).collect::<Vec<_>>(), [Some("ending")], "{refused:?}");
    assert_eq!(lines(&gateway, "closed").iter().map(|line| line["ended"].as_str()).collect::<Vec<_>>(), [Some("fin")]);
    assert_eq!(lines(&gateway, "").last().map(|line| line["kind"].clone()), Some("sealed".into()));
    // The desk was told, before the hatch was closed.
    let told = desk.says("is over: ");
    assert!(told.contains(&format!("{} devices not asked because the field side is ending", DEVICES - 1)), "{told}");
    desk.says("the field side is gone");
    // Behind the restart all others are asked; the one that was has had his reading of the day.
    let mut field = gateway.field();
    desk.says(&format!("plan identity: {} devices asked", DEVICES - 1));
    desk.says("is over: 0 refused, 0 without a sound answer, 0 ALARMS");
    desk.ends(0);
    field.ends(0);
    assert_eq!(gateway.connected(), DEVICES);
    let (ledger, record) = gateway.touches();
    assert_eq!(ledger, record);
    product.run(["ledger", "verify", "--state", &gateway.path("desk")]).expect(code::DONE);
}

#[test]
fn who_is_told_to_end_in_a_round_begins_nothing_more_and_leaves_nobody_hanging() {
    let test = "who_is_told_to_end_in_a_round_begins_nothing_more_and_leaves_nobody_hanging";
    let Some(product) = needed(test, Product::find()) else { return };
    let reports: Vec<Report> = block_on(async {
        let mut running = Vec::new();
        for number in 0..DEVICES {
            let objects = [(0, b"Acme".to_vec()), (1, format!("M-{number}").into_bytes()), (2, format!("V1.{number}").into_bytes())];
            let device = Device::with_fault(Persona::from_objects(objects), Fault::LateAnswer { delay: ANSWER_AFTER });
            running.push(device.start(Device::<Persona>::ANYWHERE).await.expect("a port on loopback"));
        }
        let at: Vec<SocketAddr> = running.iter().map(|device| device.address).collect();
        tokio::task::spawn_blocking(move || story(&product, &at)).await.expect("a story that ends well");
        let mut reports = Vec::new();
        for device in running {
            reports.push(settled(device).await);
        }
        reports
    });
    assert!(reports.iter().all(|report| report.connections() == 1 && report.trips.is_empty()), "{reports:?}");
    assert!(reports.iter().all(|report| report.sessions.iter().all(|session| session.ended == SessionEnded::PeerFin)), "{reports:?}");
    let mut requests: Vec<u32> = reports.iter().map(Report::requests).collect();
    requests.sort_unstable();
    assert_eq!((requests[0], requests[1..].iter().all(|count| *count == requests[1])), (1, true), "{requests:?}");
}
