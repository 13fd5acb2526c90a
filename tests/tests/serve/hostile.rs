//! Somebody has taken over the desk: whatever he says into the hatch, the field side sends nothing that the site file does not list, stays within its budgets,
//! and stays up. `NAMEPLATE_HATCH` has the number of messages otherwise (`cargo xtask soak --hatch`: a million).

use std::io::{BufRead, BufReader, Read, Write};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::Duration;

use nameplate::hatch::{FORMAT, REQUEST_BYTES_MAX, Request, Why};
use nameplate_tests::personas::{Draw, seed};
use nameplate_tests::place::needed;
use nameplate_tests::{process::Process, product::Product, strace};

use super::{DEVICES, Gateway, plant};

/// Messages in CI.
const MESSAGES: usize = 20_000;
/// A work order's readings of one device a day (docs/read-only.md, 3).
const READINGS_MAX: usize = 12;
/// A field side that says nothing for so long hangs.
const ANSWER_SECONDS_MAX: Duration = Duration::from_secs(30);
/// What it may write of that: two days of refusals for each device.
const RECORD_BYTES_MAX: u64 = 2 * 24 * DEVICES as u64 * 1_024;
/// Memory of the field side after all that, with its profiles.
const RSS_KIB_MAX: u64 = 160 * 1024;

fn hello() -> Request {
    Request::Hello { format: FORMAT, touched: 0, plans: vec!["identity".to_owned()] }
}

fn line(request: &Request) -> Vec<u8> {
    [serde_json::to_vec(request).expect("JSON").as_slice(), b"\n"].concat()
}

/// A request that is well-formed and wants what nobody may have, or too much.
fn wish(draw: &mut Draw, devices: &[String]) -> Request {
    let unlisted = [
        "192.0.2.99:502/1",
        "127.0.0.1:22",
        "serial:/dev/ttyS0/1",
        "../../etc/passwd",
        "PLC 0\n",
        "",
        "*",
        "127.0.0.1",
        "udp:127.0.0.1:53",
    ];
    let device = |draw: &mut Draw| match draw.below(3) {
        0 => devices[draw.below(devices.len())].clone(),
        1 => format!("PLC {}", draw.below(2 * DEVICES)),
        _ => unlisted[draw.below(unlisted.len())].to_owned(),
    };
    let why = match draw.below(3) {
        0 => Why::Plan(format!("plan {}", draw.below(50))),
        1 => Why::WorkOrder(format!("WO-{}", draw.below(50))),
        _ => Why::WorkOrder("x".repeat(draw.below(1_000))),
    };
    match draw.below(4) {
        0 => Request::Kept { number: draw.number() },
        _ => Request::Ask { round: draw.number(), devices: (0..draw.below(6)).map(|_| device(draw)).collect(), why },
    }
}

/// Bytes for which one is shown out: requests with some bytes changed, JSON that is none, and noise.
fn nonsense(draw: &mut Draw, devices: &[String]) -> Vec<u8> {
    let mut bytes = line(&wish(draw, devices));
    match draw.below(4) {
        0 | 1 => {
            for _ in 0..=draw.below(3) {
                let at = draw.below(bytes.len());
                bytes[at] = u8::try_from(draw.below(256)).unwrap_or_default();
            }
        }
        2 => {
            let others = [
                "{\"want\":\"open\",\"address\":\"192.0.2.1:502\",\"bytes\":\"00\"}",
                "{\"want\":\"ask\",\"round\":1,\"devices\":[\"PLC 0\"],\"why\":{\"plan\":\"a\"},\"time_factor\":0}",
                "[[[[",
                "null",
                "{}",
            ];
            bytes = format!("{}\n", others[draw.below(others.len())]).into_bytes();
        }
        _ => bytes = (0..draw.below(200)).map(|_| u8::try_from(draw.below(256)).unwrap_or_default()).collect(),
    }
    // It may be a request still; this is none.
    [bytes.as_slice(), b"\n\xff\n"].concat()
}

/// A desk of somebody's own.
struct Stranger(UnixStream);

impl Stranger {
    fn at(hatch: &Path) -> Self {
        let stream = UnixStream::connect(hatch).expect("a hatch");
        stream.set_write_timeout(Some(ANSWER_SECONDS_MAX)).expect("a time-out");
        stream.set_read_timeout(Some(ANSWER_SECONDS_MAX)).expect("a time-out");
        Self(stream)
    }

    /// Reads what the field side tells until it closes the hatch: then it has taken in all that was said, or shown out who said it.
    fn shown_out_with(mut self) -> String {
        let mut told = Vec::new();
        match self.0.read_to_end(&mut told) {
            Err(error) if error.kind() != std::io::ErrorKind::ConnectionReset => panic!("the field side hangs: {error}"),
            _ => String::from_utf8_lossy(&told).into_owned(),
        }
    }

    /// False where it has been shown out.
    fn says(&mut self, bytes: &[u8]) -> bool {
        match self.0.write_all(bytes) {
            Ok(()) => true,
            Err(error) => {
                assert!(!matches!(error.kind(), std::io::ErrorKind::WouldBlock | std::io::ErrorKind::TimedOut), "the field side hangs");
                false
            }
        }
    }
}

/// A desk like ours is welcomed.
fn is_welcome(hatch: &Path) -> bool {
    let mut stream = UnixStream::connect(hatch).expect("a hatch");
    stream.set_read_timeout(Some(ANSWER_SECONDS_MAX)).expect("a time-out");
    if stream.write_all(&line(&hello())).is_err() {
        return false;
    }
    let mut first = String::new();
    BufReader::new(stream).take(1 << 20).read_line(&mut first).expect("an answer");
    // Until the stranger's connection is closed there is somebody else.
    first.contains("\"told\":\"welcome\"")
}

fn rss_kib(process: &Process) -> u64 {
    let said = std::fs::read_to_string(format!("/proc/{}/status", process.child.id())).expect("a process");
    let line = said.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap_or_default();
    line.trim().trim_end_matches(" kB").parse().expect("a number")
}

#[test]
fn whoever_has_taken_over_the_desk_gets_nothing_out_that_is_not_listed() {
    let test = "whoever_has_taken_over_the_desk_gets_nothing_out_that_is_not_listed";
    let Some(product) = needed(test, Product::find()) else { return };
    let messages = std::env::var("NAMEPLATE_HATCH").ok().and_then(|count| count.parse().ok()).unwrap_or(MESSAGES);
    let reports = plant(move |devices| {
        let gateway = Gateway::new(&product, &devices);
        let (mut field, mut draw) = (gateway.field(), Draw(seed()));
        let hatch = gateway.folder.path().join("hatch");
        let names: Vec<String> = devices.iter().map(|at| format!("{at}/1")).collect();
        let (mut shown_out, mut taken) = (0_usize, 0_usize);
        while taken < messages {
            let mut stranger = Stranger::at(&hatch);
            // Now and then the first word is not hello.
            let mut words = if draw.below(8) > 0 { vec![line(&hello())] } else { Vec::new() };
            words.extend((0..draw.below(60)).map(|_| line(&wish(&mut draw, &names))));
            words.push(nonsense(&mut draw, &names));
            stranger.says(&words.concat());
            let told = stranger.shown_out_with();
            // Whoever comes before the one before him has gone is turned away, unheard.
            if told.contains("another desk") {
                continue;
            }
            assert!(told.contains("\"told\":\"wrong\"") || told.is_empty(), "{told}");
            (shown_out, taken) = (shown_out + 1, taken + words.len());
            assert!(field.runs(), "the field side ended after {taken} messages");
        }
        let mut flood = Stranger::at(&hatch);
        flood.says(&vec![b'{'; 4 * REQUEST_BYTES_MAX]);
        drop(flood);
        while !is_welcome(&hatch) {
            assert!(field.runs(), "the field side ended");
        }
        let rss = rss_kib(&field);
        let record = std::fs::metadata(gateway.path("field/touch.ndjson")).expect("a record").len();
        assert!(record <= RECORD_BYTES_MAX, "the touch record has {record} bytes");
        eprintln!("NAMEPLATE_HATCH={messages}: {taken} messages, shown out {shown_out} times, {rss} KiB, a touch record of {record} bytes");
        assert!(rss <= RSS_KIB_MAX, "{rss} KiB");
        // The switch that he may set: nobody is asked any more.
        let mut stranger = Stranger::at(&hatch);
        stranger.says(&[line(&hello()), line(&Request::Quiet { why: "\u{1b}[2Jmine now".to_owned() })].concat());
        drop(stranger);
        field.ends(0);
    });
    for report in &reports {
        assert!(report.trips.is_empty(), "{report:?}");
        assert!(report.connections() <= READINGS_MAX, "{} readings of one device", report.connections());
    }
    assert!(reports.iter().any(|report| report.connections() > 0), "nobody was asked, so nothing was shown");
}

#[test]
fn the_field_side_connects_to_nobody_else_whatever_the_desk_says() {
    let test = "the_field_side_connects_to_nobody_else_whatever_the_desk_says";
    let Some(product) = needed(test, strace::available()) else { return };
    plant(move |devices| {
        let gateway = Gateway::new(&product, &devices);
        let log = gateway.path("strace");
        let words = ["strace", "-f", "-e", "trace=connect,sendto,sendmsg", "-o", &log];
        let mut field = Process::start(product.command_under(&words, gateway.field_words()));
        field.says("the hatch is");
        let (hatch, mut draw) = (gateway.folder.path().join("hatch"), Draw(seed()));
        let names: Vec<String> = devices.iter().map(|at| format!("{at}/1")).collect();
        for _ in 0..20 {
            let mut stranger = Stranger::at(&hatch);
            let mut words = vec![line(&hello())];
            words.extend((0..50).map(|_| line(&wish(&mut draw, &names))));
            words.push(nonsense(&mut draw, &names));
            stranger.says(&words.concat());
            stranger.shown_out_with();
        }
        while !is_welcome(&hatch) || gateway.connected() == 0 {
            assert!(field.runs(), "the field side ended");
        }
        // strace ends with whom it watches.
        let pid = std::fs::read_to_string(format!("/proc/{0}/task/{0}/children", field.child.id())).expect("a child");
        assert!(std::process::Command::new("kill").arg(pid.trim()).status().is_ok_and(|status| status.success()));
        field.child.wait().expect("an end");
        let traced = std::fs::read_to_string(&log).expect("what strace wrote");
        let ports: Vec<String> = devices.iter().map(|at| format!("htons({})", at.port())).collect();
        let network = traced.lines().filter(|line| line.contains("AF_INET") || line.contains("AF_PACKET"));
        let (listed, others): (Vec<&str>, Vec<&str>) =
            network.partition(|line| line.contains("\"127.0.0.1\"") && ports.iter().any(|port| line.contains(port)));
        assert!(others.is_empty(), "{others:#?}");
        assert!(!listed.is_empty(), "{traced}");
    });
}
