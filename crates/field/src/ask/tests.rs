mod segments;

use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

use super::*;
use crate::modbus::{Framing, Questions};
use nameplate_wire::modbus::Question;
use std::net::SocketAddr;

/// How a device on loopback behaves. Its answers are written by hand from the specification (6.21), behind the header that was asked with.
#[derive(Clone, Copy)]
enum Device {
    /// One object: revision `V3.20`.
    Answers,
    /// Always one object more.
    Endless,
    /// As the first, but not before four devices are being asked.
    Waits,
    /// Closes after the question.
    HangsUp,
    /// Answers in another protocol.
    Babbles,
}

impl Device {
    fn answer(self, question: &[u8]) -> Option<Vec<u8>> {
        let object = question[10];
        let pdu: Vec<u8> = match self {
            Self::Answers | Self::Waits => vec![0x2b, 0x0e, 2, 0x82, 0, 0, 1, 2, 5, b'V', b'3', b'.', b'2', b'0'],
            Self::Endless => vec![0x2b, 0x0e, 2, 0x82, 0xff, object + 1, 1, object, 1, b'A'],
            Self::HangsUp => return None,
            Self::Babbles => return Some(b"SSH-2.0-dropbear\r\n".to_vec()),
        };
        let [t0, t1, ..] = *question else { return None };
        Some([&[t0, t1, 0, 0, 0, pdu.len() as u8 + 1, question[6]], &pdu[..]].concat())
    }
}

/// Connections at the devices: now, at the most, and all together.
#[derive(Default)]
struct Doors {
    open: AtomicUsize,
    most: AtomicUsize,
    all: AtomicUsize,
}

async fn serve(listener: TcpListener, device: Device, doors: Arc<Doors>) {
    while let Ok((mut stream, _)) = listener.accept().await {
        doors.all.fetch_add(1, Ordering::Relaxed);
        doors.most.fetch_max(doors.open.fetch_add(1, Ordering::Relaxed) + 1, Ordering::Relaxed);
        let doors = Arc::clone(&doors);
        tokio::spawn(async move {
            let mut question = [0; 11];
            while stream.read_exact(&mut question).await.is_ok() {
                while matches!(device, Device::Waits) && doors.all.load(Ordering::Relaxed) < 4 {
                    tokio::task::yield_now().await;
                }
                let Some(answer) = device.answer(&question) else { break };
                stream.write_all(&answer).await.expect("the client reads");
            }
            doors.open.fetch_sub(1, Ordering::Relaxed);
        });
    }
}

/// A state directory of its own, removed at the end.
struct State(PathBuf);

impl State {
    fn new() -> Self {
        static NUMBER: AtomicUsize = AtomicUsize::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        Self(std::env::temp_dir().join(format!("nameplate-ask-{}-{number}", std::process::id())))
    }
}

impl Drop for State {
    fn drop(&mut self) {
        std::fs::remove_dir_all(&self.0).expect("the state was made");
    }
}

/// A clock that starts at `second` of a day in 2026 and goes on, so that no test meets a real midnight.
fn clock(second: u64) -> Clock {
    let (start, base) = (std::time::Instant::now(), SystemTime::UNIX_EPOCH + Duration::from_secs(20_514 * 86_400 + second));
    Arc::new(move || base + start.elapsed())
}

/// A run as another process would make it, over the same state: its events as lines, and what it touched.
async fn run(state: &State, asks: &[Ask], reason: Reason, second: u64) -> (Vec<String>, String) {
    let clock = clock(second);
    let for_touch = Arc::clone(&clock);
    let touch = Arc::new(TouchRecord::open(&state.0, move || for_touch()).expect("a new state directory"));
    let settings = Settings { time_factor: 0.001, seed: 1, ..Settings::new(reason, clock) };
    let mut lines = Vec::new();
    let summary = ask(asks.to_vec(), &settings, touch, |event| lines.push(line(asks, &event))).await.expect("loopback only");
    (lines, summary.to_string())
}

/// `0: read V3.20` for the first of `asks`.
fn line(asks: &[Ask], event: &Event) -> String {
    let is_it = |ask: &&Ask| {
        // What is refused before there is a permit says nobody behind the endpoint.
        ask.endpoint == event.endpoint && (event.station.is_empty() || event.station == ask.station())
    };
    let who = asks.iter().position(|ask| is_it(&ask)).expect("somebody we asked");
    let what = match &event.what {
        What::Opened => "opened".to_owned(),
        What::Sent { bytes, .. } => format!("sent {}", bytes.len()),
        What::Reading(reading) => {
            assert_eq!(reading.speaker.port, event.endpoint.address().map(|address| address.port()));
            let objects = reading.facts.iter().filter(|fact| fact.path.starts_with("modbus.object"));
            let said: Vec<String> = objects.map(|fact| fact.bytes.escape_ascii().to_string()).collect();
            format!("read {}", said.join(" "))
        }
        What::Stray { .. } => "stray".to_owned(),
        What::Uptime(news) => format!("{news:?}"),
        What::NoAnswer { why, .. } => format!("no answer: {why}"),
        What::Hostile { why, .. } => why.clone(),
        What::Failed { operation, .. } => format!("failed to {operation}"),
        What::Refused { refused, not_before } => format!("refused {} {}", refused.rule, if not_before.is_some() { "for now" } else { "" }),
        What::Closed { closed, .. } => format!("closed after {}", closed.bytes_out),
        What::Unasked => "unasked".to_owned(),
    };
    format!("{who}: {what}")
}

fn block_on<T>(story: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime").block_on(story)
}

async fn start(ip: &str, device: Device) -> (SocketAddr, Arc<Doors>) {
    let doors = Arc::default();
    (start_behind(ip, device, &doors).await, doors)
}

async fn start_behind(ip: &str, device: Device, doors: &Arc<Doors>) -> SocketAddr {
    let listener = TcpListener::bind((ip, 0)).await.expect("loopback");
    let address = listener.local_addr().expect("bound");
    tokio::spawn(serve(listener, device, Arc::clone(doors)));
    address
}

fn regular(target: SocketAddr, unit: u8) -> Ask {
    asking(target, unit, &[Question::REGULAR])
}

fn asking(target: SocketAddr, unit: u8, questions: &[Question]) -> Ask {
    Ask { endpoint: Endpoint::Tcp(target), via: Via::Modbus(Questions { framing: Framing::Tcp, unit, questions: questions.to_vec() }) }
}

fn order() -> Reason {
    Reason::WorkOrder("WO-1".to_owned())
}

const READ: [&str; 4] = ["0: opened", "0: sent 11", "0: read V3.20", "0: closed after 11"];

#[test]
fn a_device_is_asked_over_one_connection() {
    block_on(async {
        let state = State::new();
        let (target, doors) = start("127.0.0.1", Device::Answers).await;
        let (lines, summary) = run(&state, &[regular(target, 1), regular(target, 1)], order(), 0).await;
        assert_eq!(lines, READ, "the same one twice is asked once");
        assert_eq!(summary, "1 device, 1 connection, 1 request, 11 bytes out, 0 refused");
        assert_eq!(doors.all.load(Ordering::Relaxed), 1);
    });
}

#[test]
fn units_behind_one_address_are_asked_one_after_another() {
    block_on(async {
        let state = State::new();
        let (target, doors) = start("127.0.0.1", Device::Answers).await;
        let asks: Vec<Ask> = (1..=4).map(|unit| regular(target, unit)).collect();
        let (lines, summary) = run(&state, &asks, order(), 0).await;
        let expected: Vec<String> = (0..4).flat_map(|who| READ.map(|line| line.replacen('0', &who.to_string(), 1))).collect();
        assert_eq!(lines, expected);
        assert_eq!(summary, "1 device, 4 connections, 4 requests, 44 bytes out, 0 refused");
        assert_eq!((doors.most.load(Ordering::Relaxed), doors.all.load(Ordering::Relaxed)), (1, 4));
    });
}

#[test]
fn units_share_the_breaker_of_their_endpoint_and_have_budgets_of_their_own() {
    block_on(async {
        let (state, another) = (State::new(), State::new());
        let (hostile, doors) = start("127.0.0.1", Device::Babbles).await;
        let (beside, _) = start("127.0.0.1", Device::Answers).await;
        let (lines, _) = run(&state, &[regular(hostile, 1), regular(hostile, 2), regular(beside, 1)], order(), 0).await;
        assert!(lines.contains(&"1: refused breaker.open for now".to_owned()), "{lines:?}");
        assert!(lines.contains(&"2: read V3.20".to_owned()), "another port of the address is another device: {lines:?}");
        assert_eq!(doors.all.load(Ordering::Relaxed), 1);

        let (target, doors) = start("127.0.0.1", Device::Answers).await;
        let asks: Vec<Ask> = (1..=13).map(|unit| regular(target, unit)).collect();
        let (lines, _) = run(&another, &asks, order(), 0).await;
        assert_eq!(lines.iter().filter(|line| line.ends_with("read V3.20")).count(), 13, "{lines:?}");
        assert_eq!((doors.most.load(Ordering::Relaxed), doors.all.load(Ordering::Relaxed)), (1, 13));
    });
}

#[test]
fn one_bad_device_does_not_cost_the_others() {
    block_on(async {
        let state = State::new();
        let mut asks = Vec::new();
        for (ip, device) in
            [("127.0.0.1", Device::Endless), ("127.0.0.2", Device::HangsUp), ("127.0.1.1", Device::Babbles), ("127.0.1.2", Device::Answers)]
        {
            asks.push(regular(start(ip, device).await.0, 255));
        }
        let (lines, summary) = run(&state, &asks, order(), 0).await;
        let of = |who: &str| lines.iter().filter(|line| line.starts_with(who)).map(String::as_str).collect::<Vec<_>>();
        assert_eq!(of("0: ")[9..], ["0: read A A A A A A A A", "0: hostile: it still has more after 8 requests", "0: closed after 88"]);
        let why = "1: no answer: the device closed the connection (0 bytes of an answer)";
        assert_eq!(of("1: "), ["1: opened", "1: sent 11", why, "1: closed after 11"]);
        assert_eq!(
            of("2: ")[2..],
            [
                "2: hostile: its bytes are no modbus: mbap: byte 4: length is 2 to 254, 260 with tolerance (TCP guide 3.1.3)",
                "2: closed after 11"
            ]
        );
        assert_eq!(of("3: ")[2..], ["3: read V3.20", "3: closed after 11"]);
        assert_eq!(summary, "4 devices, 4 connections, 11 requests, 121 bytes out, 0 refused");

        // The next process finds it all in the record: a hostile device waits, one that failed once is tried again.
        let (lines, summary) = run(&state, &asks, order(), 40).await;
        let refused: Vec<&String> = lines.iter().filter(|line| line.contains("refused")).collect();
        assert_eq!(refused, ["0: refused breaker.open for now", "2: refused breaker.open for now"]);
        assert_eq!(summary, "2 devices, 2 connections, 2 requests, 22 bytes out, 2 refused");
        // Its second failure in a row opens the breaker of the one that hangs up; the hostile ones are half-open by now.
        let (lines, _) = run(&state, &asks, order(), 80).await;
        let refused: Vec<&String> = lines.iter().filter(|line| line.contains("refused")).collect();
        assert_eq!(refused, ["1: refused breaker.open for now"]);
    });
}

#[test]
fn a_refused_connection_opens_the_breaker_at_once() {
    block_on(async {
        let state = State::new();
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("loopback");
        let asks = [regular(listener.local_addr().expect("bound"), 1)];
        drop(listener);
        assert_eq!(run(&state, &asks, order(), 0).await.0, ["0: failed to connect"]);
        assert_eq!(run(&state, &asks, order(), 40).await.0, ["0: refused breaker.open for now"]);
        assert_eq!(run(&state, &asks, order(), 76).await.0, ["0: failed to connect"]);
        assert_eq!(run(&state, &asks, order(), 76 + 179).await.0, ["0: refused breaker.open for now"], "four times as long");
        assert_eq!(run(&state, &asks, order(), 76 + 301).await.0, ["0: failed to connect"]);
    });
}

#[test]
fn budgets_are_kept_over_processes() {
    block_on(async {
        let (state, another) = (State::new(), State::new());
        let (target, doors) = start("127.0.0.1", Device::Answers).await;
        let asks = [regular(target, 1)];
        for minute in 0..12 {
            assert_eq!(run(&state, &asks, order(), minute * 60).await.0, READ, "reading {minute}");
        }
        assert_eq!(run(&state, &asks, order(), 7_200).await.0, ["0: refused budget.day for now"]);
        assert_eq!(run(&state, &asks, order(), 86_400).await.0, READ);

        let plan = || Reason::Schedule("daily".to_owned());
        assert_eq!(run(&another, &asks, plan(), 0).await.0, READ);
        assert_eq!(run(&another, &asks, plan(), 60).await.0, ["0: refused budget.day for now"]);
        assert_eq!(run(&another, &asks, order(), 120).await.0, READ, "a work order has its own, larger budget");
        assert_eq!(doors.all.load(Ordering::Relaxed), 15);
    });
}

#[test]
fn what_the_permit_refuses_touches_nobody() {
    block_on(async {
        let state = State::new();
        let (target, doors) = start("127.0.0.1", Device::Answers).await;
        let (lines, summary) = run(&state, &[regular(target, 0)], order(), 0).await;
        assert_eq!(lines, ["0: refused permit.unit "]);
        assert_eq!(summary, "0 devices, 0 connections, 0 requests, 0 bytes out, 1 refused");
        let ask = |questions: &[Question]| asking(target, 1, questions);
        assert_eq!(run(&state, &[ask(&[])], order(), 0).await.0, ["0: refused ask.questions "]);
        let beyond = Question::Identification { code: 5, object: 0 };
        assert_eq!(run(&state, &[ask(&[Question::REGULAR, beyond])], order(), 0).await.0, ["0: refused modbus.read_code "]);
        let long = Reason::WorkOrder("x".repeat(100_000));
        assert_eq!(run(&state, &[regular(target, 1)], long, 0).await.0, ["0: refused permit.reason "]);
        assert_eq!(doors.all.load(Ordering::Relaxed), 0);
    });
}

#[test]
fn gaps_are_not_shortened_for_real_devices() {
    block_on(async {
        let state = State::new();
        let touch = Arc::new(TouchRecord::open(&state.0, SystemTime::now).expect("a new state directory"));
        let settings = Settings { time_factor: 0.5, ..Settings::new(order(), clock(0)) };
        let asks = vec!["192.0.2.1".parse().expect("a target")];
        let refused = ask(asks, &settings, touch, |event| panic!("{event:?}")).await.expect_err("192.0.2.1 is not loopback");
        assert_eq!(refused.rule, "pacing.time_factor");
    });
}

/// A change of these devices, open all of the clock's first day; `since`: the second at which its reading before was over.
fn change(scope: &[&Ask], neighbours: &[&Ask], since: Option<u64>) -> Reason {
    let at = |second: u64| clock(second)();
    let devices = |asks: &[&Ask]| {
        asks.iter().map(|ask| (ask.endpoint.clone(), ask.via.adapter().grant().expect("a grant").station().to_owned())).collect()
    };
    Reason::Change(Change {
        order: "WO-1".to_owned(),
        from: at(0),
        until: at(86_000),
        scope: devices(scope),
        neighbours: devices(neighbours),
        rebooting_since: since.map(at),
    })
}

/// Its address is nobody else's, so that no other test gets its port meanwhile.
async fn nobody_there() -> Ask {
    regular(TcpListener::bind(("127.9.8.7", 0)).await.and_then(|listener| listener.local_addr()).expect("loopback"), 1)
}

#[test]
fn a_change_waits_out_a_reboot_with_a_budget_of_its_own() {
    block_on(async {
        let (state, gone) = (State::new(), nobody_there().await);
        let asks = [gone.clone()];
        for minute in 0..12 {
            assert_eq!(run(&state, &asks, change(&[&gone], &[], Some(0)), minute * 60).await.0, ["0: failed to connect"], "try {minute}");
        }
        assert_eq!(run(&state, &asks, change(&[&gone], &[], Some(0)), 7_200).await.0, ["0: refused budget.change "]);
        // Outside the change the breaker has seen what it did.
        let another = State::new();
        assert_eq!(run(&another, &asks, change(&[&gone], &[], Some(0)), 1).await.0, ["0: failed to connect"]);
        assert_eq!(run(&another, &asks, order(), 41).await.0, ["0: refused breaker.open for now"]);
    });
}

#[test]
fn only_reboots_after_the_reading_before_are_expected() {
    block_on(async {
        let (state, another) = (State::new(), State::new());
        let gone = nobody_there().await;
        let (before, beside) = (change(&[&gone], &[], None), change(&[], &[&gone], Some(0)));
        for (state, reason) in [(&state, before), (&another, beside)] {
            let asks = [gone.clone()];
            assert_eq!(run(state, &asks, reason.clone(), 1).await.0, ["0: failed to connect"]);
            assert_eq!(run(state, &asks, reason, 41).await.0, ["0: refused breaker.open for now"]);
        }
        let (hostile, _) = start("127.0.0.1", Device::Babbles).await;
        let asks = [regular(hostile, 1)];
        let reason = || change(&[&asks[0]], &[], Some(0));
        assert_eq!(
            run(&state, &asks, reason(), 1).await.0[2],
            "0: hostile: its bytes are no modbus: mbap: byte 4: length is 2 to 254, 260 with tolerance (TCP guide 3.1.3)"
        );
        assert_eq!(run(&state, &asks, reason(), 41).await.0, ["0: refused breaker.open for now"]);
    });
}

#[test]
fn a_change_reaches_no_further_than_its_window_and_scope() {
    block_on(async {
        let state = State::new();
        let (target, doors) = start("127.0.0.1", Device::Answers).await;
        let (inside, beside, stranger) = (regular(target, 1), regular(target, 2), regular(target, 3));
        let reason = || change(&[&inside], &[&beside], Some(0));
        let asks = [inside.clone(), beside.clone(), stranger.clone()];
        let (lines, summary) = run(&state, &asks, reason(), 10).await;
        assert!(lines.contains(&"0: read V3.20".to_owned()) && lines.contains(&"1: read V3.20".to_owned()), "{lines:?}");
        assert!(lines.contains(&"2: refused change.scope ".to_owned()), "{lines:?}");
        assert_eq!(summary, "1 device, 2 connections, 2 requests, 22 bytes out, 1 refused");
        let late = run(&state, &asks[..2], reason(), 86_100).await.0;
        assert_eq!(late, ["0: refused change.window ", "1: refused change.window "]);
        // What was read for the change is read: the day's budget of anybody else knows of it.
        assert_eq!(run(&state, &asks[..1], Reason::Schedule("daily".to_owned()), 60).await.0, ["0: refused budget.day for now"]);
        assert_eq!(doors.all.load(Ordering::Relaxed), 2);
    });
}
