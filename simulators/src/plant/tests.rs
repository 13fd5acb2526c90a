use std::future::Future;
use std::net::Ipv4Addr;

use super::*;
use crate::modbus::More;
use crate::report::Ended;

fn station(last: u8) -> Station {
    Station { mac: [0x02, 0, 0, 0, 0, last], ip: Ipv4Addr::new(192, 168, 10, last) }
}

fn place(last: u8, fault: Option<Fault>) -> Place {
    let persona = Persona::from_objects([(0, b"Acme".to_vec()), (1, b"P-1".to_vec()), (2, b"V1.2".to_vec())]);
    Place { name: format!("PLC-{last}"), persona, fault, station: station(last), asks: vec![Ask::Identification(1), Ask::ServerId] }
}

fn layout() -> Layout {
    Layout {
        master: station(1),
        asker: station(2),
        interval: Duration::from_millis(1),
        patience: Duration::from_millis(50),
        started: SystemTime::UNIX_EPOCH + Duration::from_secs(1_700_000_000),
    }
}

fn run<T>(story: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(async { tokio::time::timeout(Duration::from_secs(20), story).await.expect("a story ends within 20 s") })
}

#[test]
fn a_plant_is_polled_recorded_and_accounted_for() {
    let (capture, accounts) = run(async {
        let places = [place(11, None), place(12, Some(Fault::EndlessMore(More::Rising))), place(13, Some(Fault::Silent))];
        let mut plant = Plant::start(places, layout()).await.expect("a plant");
        plant.heard().await;
        for (_, _, polling) in plant.devices.iter_mut().take(2) {
            polling.until(|service| service.answers >= 5).await;
        }
        let capture = plant.capture();
        (capture, plant.stop().await)
    });
    let [sound, endless, silent] = accounts.as_slice() else { panic!("three accounts") };
    for account in &accounts {
        assert_eq!(account.report.trips, [], "{}", account.name);
        assert_eq!(account.report.connections(), 0, "{}: nobody asked but the master", account.name);
    }
    assert!(sound.service.has_asked && sound.service.answers >= 5 && sound.service.sessions_dropped == 0, "{:?}", sound.service);
    assert!(sound.service.p99().is_some_and(|p99| p99 < Duration::from_secs(1)), "{:?}", sound.service.p99());
    assert!(endless.service.has_asked, "a sound master stops believing an endless device");
    assert!(silent.service.sessions_dropped > 0 && silent.service.p99().is_none());
    // A master that is stopped with an answer unread resets; what matters is that no session is left open.
    assert!(sound.report.sessions.iter().all(|session| session.ended != Ended::StillOpen));

    // By hand: file header, then SYN, SYN/ACK, ACK of the first conversation, 60 bytes each on the wire.
    assert_eq!(capture.get(..4), Some([0xD4, 0xC3, 0xB2, 0xA1].as_slice()));
    assert_eq!(capture.get(20..24), Some([1, 0, 0, 0].as_slice()));
    assert_eq!(capture.get(24..28), Some(1_700_000_000_u32.to_le_bytes().as_slice()));
    let frame = |index: usize| capture.get(24 + index * 76 + 16..24 + (index + 1) * 76).expect("a frame");
    assert_eq!(frame(0).get(..14).map(|ethernet| ethernet.get(6..).unwrap_or_default()), Some([2, 0, 0, 0, 0, 1, 8, 0].as_slice()));
    let is_handshake = [(0, 0x02), (1, 0x12)].iter().all(|&(index, flags)| frame(index).get(47) == Some(&flags));
    assert!(is_handshake, "the first frames shake hands");
    let needle = b"\x2B\x0E\x01\x81\x00\x00\x03\x00\x04Acme\x01\x03P-1\x02\x04V1.2";
    assert!(capture.windows(needle.len()).any(|window| window == needle), "the identity was recorded");
}

#[test]
fn a_lost_device_is_a_dropped_session() {
    run(async {
        let mut plant = Plant::start([place(11, None)], layout()).await.expect("a plant");
        plant.heard().await;
        let (_, running, mut polling) = plant.devices.pop().expect("the device");
        running.stop().await;
        polling.until(|service| service.sessions_dropped >= 2).await;
        assert!(polling.stop().await.sessions_dropped >= 2);
    });
}
