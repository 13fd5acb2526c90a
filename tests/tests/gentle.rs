//! A plant's own master, and we beside it, in virtual time: it polls at 10 Hz, we read the same device twenty times, and it must not notice.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use nameplate_field::ask::{Ask, Reason, Settings, Via, What, ask};
use nameplate_field::guard::Endpoint;
use nameplate_field::modbus::{Framing, Questions};
use nameplate_field::touch::TouchRecord;
use nameplate_simulators::modbus::{Device, Fault, Manners, Persona};
use nameplate_simulators::report::Report;
use nameplate_simulators::scada::{Master, Service};
use nameplate_tests::personas;
use nameplate_tests::product::State;
use nameplate_wire::modbus::Question;
use tokio::time::Instant;

/// Readings of the device.
const READINGS: u64 = 20;
/// From one reading to the next: what the budget asks for, and a second.
const GAP: Duration = Duration::from_secs(31);
/// What a question takes the device: one is served in each cycle of its program.
const CYCLE: Duration = Duration::from_millis(10);
/// The budget of a work order is twelve readings a day: the clock on the wall is half a day on at each.
const HALF_A_DAY: Duration = Duration::from_secs(43_200);

/// Twenty readings of a device with this fault, or none while as much time passes; what the device saw, how its master was served, and the readings that
/// were answered.
fn beside(fault: Option<Fault>, readings: u64) -> (Report, Service, u64) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build().expect("a runtime");
    runtime.block_on(async {
        let objects = personas::paged(1).objects.into_iter().map(|(id, text)| (id, text.into_bytes()));
        let persona = Persona { registers: (0..10).map(|at| (at, at)).collect(), ..Persona::from_objects(objects) };
        let manners = Manners { one_connection: true, cycle: CYCLE, ..Manners::default() };
        let running = Device { fault, manners, ..Device::new(persona) }.start(Device::ANYWHERE).await.expect("a port on loopback");
        let mut polling = Master::new().start(running.door());
        polling.until(|service| service.answers > 10).await;
        let (state, began, epoch) = (State::new(), Instant::now(), SystemTime::UNIX_EPOCH + Duration::from_secs(1_800_000_000));
        let mut answered = 0;
        for reading in 0..READINGS {
            let due = began + GAP * u32::try_from(reading).expect("small");
            tokio::time::sleep_until(due).await;
            if reading >= readings {
                continue;
            }
            let shift = HALF_A_DAY * u32::try_from(reading).expect("small");
            let clock = Arc::new(move || epoch + shift + began.elapsed());
            let for_touch = Arc::clone(&clock);
            let touch = Arc::new(TouchRecord::open(state.path(), move || for_touch()).expect("a record"));
            let via = Via::Modbus(Questions { framing: Framing::Tcp, unit: 1, questions: vec![Question::REGULAR] });
            let asks = vec![Ask { endpoint: Endpoint::Tcp(running.address), via }];
            let settings = Settings::new(Reason::WorkOrder("WO-1".to_owned()), clock);
            ask(asks, &settings, touch, |event| answered += u64::from(matches!(event.what, What::Reading(_)))).await.expect("loopback");
        }
        let service = polling.stop().await;
        running.settled().await;
        (running.stop().await, service, answered)
    })
}

#[test]
fn a_master_notices_nothing_of_twenty_readings() {
    let table = [
        (None, READINGS),
        (Some(Fault::EvictOldest { pool: 2 }), READINGS),
        (Some(Fault::EvictOldest { pool: 4 }), READINGS),
        (Some(Fault::Watchdog { window: Duration::from_secs(2) }), READINGS),
        // The master has the one place: we are turned away, and a breaker keeps us away.
        (Some(Fault::SingleClient), 0),
    ];
    println!("device | readings | polls | sessions lost | p99 alone | p99 beside us");
    for (fault, expected) in table {
        let (_, alone, _) = beside(fault.clone(), 0);
        let (report, service, answered) = beside(fault.clone(), READINGS);
        let (p99_alone, p99) = (alone.p99().expect("polls"), service.p99().expect("polls"));
        println!("{fault:?} | {answered} | {} | {} | {p99_alone:?} | {p99:?}", service.answers, service.sessions_dropped);
        assert_eq!((service.sessions_dropped, answered), (0, expected), "{fault:?}: {report:?}");
        assert!(p99.as_secs_f64() <= p99_alone.as_secs_f64() * 1.01, "{fault:?}: {p99_alone:?} alone, {p99:?} beside us");
        assert!(service.answers > 5_000 && report.trips.is_empty() && report.watchdog.expired == 0, "{fault:?}: {report:?}");
    }
}

#[test]
fn two_readers_at_once_would_be_noticed() {
    // What the figures above rest on: a device that serves one question after the other makes a master wait for another's.
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build().expect("a runtime");
    runtime.block_on(async {
        let persona = Persona { registers: (0..10).map(|at| (at, at)).collect(), ..Persona::from_objects([]) };
        let device = Device { manners: Manners { cycle: CYCLE, ..Manners::default() }, ..Device::new(persona) };
        let running = device.start(Device::ANYWHERE).await.expect("a port on loopback");
        // The second one asks again as soon as it has its answer; the first one's rhythm is none of the device's cycle.
        let every = |milliseconds| Master { interval: Duration::from_millis(milliseconds), ..Master::new() };
        let (mut first, second) = (every(103).start(running.door()), every(0).start(running.door()));
        first.until(|service| service.answers > 200).await;
        let service = first.stop().await;
        second.stop().await;
        assert!(service.p99().is_some_and(|p99| p99 > CYCLE), "{:?}", service.p99());
    });
}

#[test]
fn a_watchdog_notices_the_loss_of_its_master_one_period_later_at_most() {
    let window = Duration::from_secs(2);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build().expect("a runtime");
    runtime.block_on(async {
        let persona = Persona { registers: (0..10).map(|at| (at, at)).collect(), ..Persona::from_objects([(0, b"Acme".to_vec())]) };
        let device = Device { fault: Some(Fault::Watchdog { window }), ..Device::new(persona) };
        let running = device.start(Device::ANYWHERE).await.expect("a port on loopback");
        let mut polling = Master::new().start(running.door());
        polling.until(|service| service.answers > 10).await;
        // The worst moment: the master is lost, and just before the watchdog runs out we read.
        polling.stop().await;
        let lost = Instant::now();
        tokio::time::sleep_until(lost + window - Duration::from_millis(200)).await;
        let state = State::new();
        let touch = Arc::new(TouchRecord::open(state.path(), SystemTime::now).expect("a record"));
        // One request, as a reading is by default. Each further one would add its gap of 200 ms.
        let via = Via::Modbus(Questions { framing: Framing::Tcp, unit: 1, questions: vec![Question::REGULAR] });
        let settings = Settings::new(Reason::WorkOrder("WO-1".to_owned()), Arc::new(SystemTime::now));
        ask(vec![Ask { endpoint: Endpoint::Tcp(running.address), via }], &settings, touch, |_| {}).await.expect("loopback");
        let before = running.report().watchdog;
        assert!(before.kept_alive_by_asker > 0 && before.expired == 0, "the reading was in time to feed it: {before:?}");
        tokio::time::sleep_until(lost + window * 2).await;
        assert_eq!(running.report().watchdog.expired, 1, "{:?}", running.report());
    });
}
