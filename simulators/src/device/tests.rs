use std::future::Future;
use std::io::ErrorKind;
use std::net::SocketAddr;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};

use tokio::net::TcpStream;

use crate::modbus::{Device, Fault, Flash, Manners, More, Persona, Phase, Running, WatchdogLog, hostile_objects};
use crate::report::{Ended, Report, Speaker};
use crate::sockets::dial;

const BASIC: &[u8] = &[0, 1, 0, 0, 0, 5, 255, 0x2B, 0x0E, 1, 0];
const ANSWER: &[u8] = b"\x00\x01\x00\x00\x00\x0B\xFF\x2B\x0E\x01\x81\x00\x00\x01\x00\x01A";

fn run<T>(story: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(async { tokio::time::timeout(Duration::from_secs(20), story).await.expect("a story ends within 20 s") })
}

async fn started(fault: Option<Fault>) -> Running {
    let device = Device { fault, ..Device::new(Persona::from_objects([(0, b"A".to_vec())])) };
    device.start(Device::ANYWHERE).await.expect("a loopback port")
}

async fn connected(running: &Running) -> TcpStream {
    dial(running.address, |_| ()).await.expect("a connection")
}

/// Sends these writes, then reads this many bytes, or to the end where the device ends it sooner.
async fn talked(running: &Running, writes: &[&[u8]], wanted: usize) -> Vec<u8> {
    let mut stream = connected(running).await;
    for write in writes {
        stream.write_all(write).await.expect("written");
    }
    let mut heard = Vec::new();
    let _ = stream.take(wanted as u64).read_to_end(&mut heard).await;
    heard
}

/// What a device with this fault sends back to one basic question, and its account once the client has gone.
fn check(fault: Option<Fault>, wanted: usize) -> (Vec<u8>, Report) {
    run(async {
        let running = started(fault).await;
        let heard = talked(&running, &[BASIC], wanted).await;
        running.settled().await;
        (heard, running.stop().await)
    })
}

#[test]
fn a_sound_device_answers_and_keeps_account() {
    let (heard, report) = check(None, ANSWER.len());
    assert_eq!(heard, ANSWER);
    assert_eq!((report.connections(), report.requests(), report.bytes_in(), report.most_at_once), (1, 1, 11, 1));
    let [session] = report.sessions.as_slice() else { panic!("one session") };
    assert_eq!((session.speaker, session.bytes_out, session.ended), (Speaker::Asker, ANSWER.len() as u64, Ended::PeerFin));
    assert_eq!(report.trips, []);
}

#[test]
fn every_fault_sends_what_it_is_named_for() {
    let endless = |next: u8| [b"\x00\x01\x00\x00\x00\x11\xFF\x2B\x0E\x01\x83\xFF".as_slice(), &[next], b"\x01\x00\x07endless"].concat();
    let changed = |offset: usize, value: u8| {
        let mut answer = ANSWER.to_vec();
        answer[offset] = value;
        answer
    };
    let huge = [&ANSWER[..4], &[0xFF, 0xFF], &ANSWER[6..], &vec![0; 65_535 - 11]].concat();
    let table = [
        (Fault::EndlessMore(More::Rising), endless(1)),
        (Fault::EndlessMore(More::Repeating), endless(0)),
        (Fault::SlowLoris { interval: Duration::from_micros(100) }, ANSWER.to_vec()),
        (Fault::FinMidPdu, ANSWER[..12].to_vec()),
        (Fault::AnswerTwice, [ANSWER, ANSWER].concat()),
        (Fault::AnswerBeforeQuestion, [ANSWER, ANSWER].concat()),
        (Fault::AnswersForever, [ANSWER; 1000].concat()),
        (Fault::WrongTransaction, changed(1, 2)),
        (Fault::WrongUnit, changed(6, 0)),
        (Fault::WrongProtocolId, changed(3, 1)),
        (Fault::ZeroBytes, Vec::new()),
        (Fault::LengthZero, vec![0, 1, 0, 0, 0, 0]),
        (Fault::LengthHuge, huge),
        (Fault::RstOnConnect, Vec::new()),
        (Fault::EvictOldest { pool: 4 }, ANSWER.to_vec()),
        (Fault::SingleClient, ANSWER.to_vec()),
        (Fault::Watchdog { window: Duration::from_secs(60) }, ANSWER.to_vec()),
    ];
    for (fault, expected) in table {
        let wanted = expected.len().max(1);
        let exact = matches!(fault, Fault::FinMidPdu | Fault::ZeroBytes | Fault::RstOnConnect);
        let (heard, _) = check(Some(fault.clone()), if exact { usize::MAX } else { wanted });
        assert!(heard == expected, "{fault:?}: {:?}", &heard[..heard.len().min(64)]);
    }
}

#[test]
fn a_silent_device_says_nothing_and_sees_the_reset() {
    run(async {
        let running = started(Some(Fault::Silent)).await;
        let mut stream = connected(&running).await;
        stream.write_all(BASIC).await.expect("written");
        stream.set_zero_linger().expect("linger");
        // The question is on the device's side once the bytes are: only then is the slot given up.
        while running.report().requests() == 0 {
            tokio::task::yield_now().await;
        }
        drop(stream);
        running.settled().await;
        let report = running.stop().await;
        assert_eq!(report.sessions.iter().map(|s| (s.bytes_out, s.ended)).collect::<Vec<_>>(), [(0, Ended::PeerReset)]);
    });
}

#[test]
fn hostile_text_comes_in_pages_and_in_full() {
    let expected = crate::modbus::answers(&Persona::from_objects(hostile_objects()), &[0, 1, 0, 0, 0, 5, 255, 0x2B, 0x0E, 3, 0]);
    assert!(expected.len() >= 2, "{} pages", expected.len());
    let (heard, report) = check(Some(Fault::HostileText), 8);
    assert_eq!(heard.get(..4), Some([0, 1, 0, 0].as_slice()));
    assert_eq!(report.trips, []);
}

#[test]
fn a_pipelined_or_forbidden_request_trips() {
    run(async {
        let running = started(None).await;
        let both = [BASIC, &[0, 2, 0, 0, 0, 6, 255, 6, 0, 1, 0, 1]].concat();
        let heard = talked(&running, &[&both], ANSWER.len() + 9).await;
        assert_eq!(heard, [ANSWER, &[0, 2, 0, 0, 0, 3, 255, 0x86, 1]].concat());
        let whys: Vec<&str> = running.stop().await.trips.iter().map(|trip| trip.why).collect();
        assert_eq!(whys.len(), 2, "{whys:?}");
    });
}

#[test]
fn a_full_pool_closes_the_oldest() {
    run(async {
        let running = started(Some(Fault::EvictOldest { pool: 2 })).await;
        let mut streams = Vec::new();
        for _ in 0..3 {
            let mut stream = connected(&running).await;
            stream.write_all(BASIC).await.expect("written");
            stream.read_exact(&mut [0; 17]).await.expect("an answer");
            streams.push(stream);
        }
        let oldest = streams.first_mut().expect("the oldest");
        assert_eq!(oldest.read(&mut [0; 1]).await.expect("closed in order"), 0);
        assert_eq!(running.stop().await.sessions.first().map(|session| session.ended), Some(Ended::Device));
    });
}

#[test]
fn a_second_client_is_closed_and_trips_where_one_is_the_manner() {
    run(async {
        let device = Device {
            manners: Manners { one_connection: true, ..Manners::default() },
            ..Device::with_fault(Persona::from_objects([(0, b"A".to_vec())]), Fault::SingleClient)
        };
        let running = device.start(Device::ANYWHERE).await.expect("a loopback port");
        let mut first = connected(&running).await;
        let mut second = connected(&running).await;
        assert_eq!(second.read(&mut [0; 1]).await.unwrap_or(0), 0);
        first.write_all(BASIC).await.expect("written");
        first.read_exact(&mut [0; 17]).await.expect("the first is served");
        let report = running.stop().await;
        assert_eq!(report.trips.iter().map(|trip| trip.why).collect::<Vec<_>>(), ["a second connection at the same time"]);
        assert_eq!((report.connections(), report.most_at_once), (2, 2));
    });
}

#[test]
fn a_watchdog_starts_on_the_first_request_and_closes_all_when_it_runs_out() {
    run(async {
        let running = started(Some(Fault::Watchdog { window: Duration::from_millis(5) })).await;
        let heard = talked(&running, &[BASIC], usize::MAX).await;
        assert_eq!(heard, ANSWER, "answered, then closed by the watchdog");
        let expected = WatchdogLog { started_by: Some(Speaker::Asker), kept_alive_by_asker: 0, expired: 1 };
        assert_eq!(running.stop().await.watchdog, expected);
    });
    run(async {
        let running = started(Some(Fault::Watchdog { window: Duration::from_secs(60) })).await;
        let mut stream = connected(&running).await;
        for _ in 0..3 {
            stream.write_all(BASIC).await.expect("written");
            stream.read_exact(&mut [0; 17]).await.expect("an answer");
        }
        assert_eq!(running.stop().await.watchdog.kept_alive_by_asker, 2);
    });
}

#[test]
fn a_connection_that_was_never_accepted_counts() {
    run(async {
        let running = started(None).await;
        let address = running.address;
        // Joined at once: on this thread the device's task cannot run in between, so only the kernel accepts.
        let client = std::thread::spawn(move || run(async { dial(address, |_| ()).await?.into_std() }));
        let stream = client.join().expect("a client").expect("the kernel accepts");
        let report = running.stop().await;
        drop(stream);
        assert_eq!(report.connections(), 1);
    });
}

#[test]
fn only_loopback_is_listened_at() {
    let refused = run(Device::new(Persona::without_identity()).start(SocketAddr::from(([0, 0, 0, 0], 0))));
    assert_eq!(refused.expect_err("refused").kind(), ErrorKind::InvalidInput);
}

/// What the basic question gets on a connection of its own: object 0, `silence`, or `refused`.
async fn word(running: &Running) -> String {
    let Ok(mut stream) = dial(running.address, |_| ()).await else { return "refused".to_owned() };
    stream.write_all(BASIC).await.expect("written");
    let mut heard = [0; ANSWER.len()];
    match tokio::time::timeout(Duration::from_millis(50), stream.read_exact(&mut heard)).await {
        Ok(Ok(_)) => char::from(heard[ANSWER.len() - 1]).to_string(),
        _ => "silence".to_owned(),
    }
}

#[test]
fn a_flashed_device_drops_its_connections_and_comes_back_with_the_next_release() {
    let persona = |name: &[u8]| Persona::from_objects([(0, name.to_vec())]);
    run(async {
        let running = started(None).await;
        assert_eq!(word(&running).await, "A");
        let mut open = connected(&running).await;
        open.write_all(BASIC).await.expect("written");
        open.read_exact(&mut [0; ANSWER.len()]).await.expect("answered");
        let phases = vec![Phase::Mute(1), Phase::Refuses(Duration::from_millis(100)), Phase::Answers(persona(b"B"), 2)];
        running.flash(Flash { phases, release: persona(b"C") }).await;
        assert_eq!(open.read(&mut [0; 1]).await.ok(), Some(0), "the open connection is closed");
        assert_eq!(word(&running).await, "silence");
        let mut words = Vec::new();
        while words.last().is_none_or(|word| word != "C") {
            let word = word(&running).await;
            if words.last().is_none_or(|last| word != "refused" || last != "refused") {
                words.push(word);
            }
        }
        assert_eq!(words, ["refused", "B", "B", "C"]);
        assert_eq!(word(&running).await, "C");
        running.flash(Flash { phases: Vec::new(), release: persona(b"D") }).await;
        assert_eq!(word(&running).await, "D");
        let report = running.stop().await;
        assert_eq!((report.connections(), report.trips), (8, Vec::new()));
    });
}
