//! Live on a cable of our own: the same claims as from the file, every frame accounted for, nothing sent, nothing kept that is not needed.
//!
//! `NAMEPLATE_LIVE_SECONDS` says how long the replay at 100,000 frames/s takes (`cargo xtask soak --live`: 60).

use std::collections::BTreeSet;
use std::fs;
use std::io::{BufRead, BufReader, Read as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use nameplate_tests::place::{self, needed};
use nameplate_tests::product::{Ended, Product, State, code, run};
use nameplate_tests::segment::{Segment, TALK, TAP};
use serde_json::Value;

/// The bar's pace.
const FRAMES_PER_S: u64 = 100_000;
const SECONDS: u64 = 5;
/// Frames in one round of mkbench.py, about.
const ROUND_FRAMES: u64 = 250_000;
/// A claim is there a twentieth of a second after its frame, on a machine that has nothing else to do.
const SAID_SECONDS_MAX: Duration = Duration::from_secs(30);
/// What is committed every two seconds stands in the catalog by then, on a machine that is busy with other tests.
const KEPT_SECONDS_MAX: Duration = Duration::from_secs(60);
const CAP_NET_RAW: u64 = 1 << 13;

/// What the tests here need: the program, a cable, the captures.
fn parts() -> Result<(Product, Segment, PathBuf), String> {
    Ok((Product::find()?, Segment::new()?, place::shared()?))
}

/// `listen -i tap0` at work, listening. Both of its streams are read as it speaks, or it would stand still before a full pipe.
struct Listening {
    child: Child,
    /// Lines of standard output.
    lines: Receiver<String>,
    err: JoinHandle<String>,
}

/// The same under another program, whose words come behind nsenter's.
fn listen_under(under: &[&str], product: &Product, segment: &Segment, words: &[&str]) -> Listening {
    let enter = segment.words();
    let words = ["listen", "-i", TAP].iter().chain(words);
    let before: Vec<&str> = enter.iter().map(String::as_str).chain(under.iter().copied()).collect();
    let mut command = product.command_under(&before, words);
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("it starts");
    let (out, err) = (child.stdout.take().expect("a pipe"), child.stderr.take().expect("a pipe"));
    let (sender, lines) = mpsc::channel();
    thread::spawn(move || BufReader::new(out).lines().map_while(Result::ok).try_for_each(|line| sender.send(line)));
    let (mut said, mut err) = (String::new(), BufReader::new(err));
    while !said.contains("listening; nothing is sent") {
        assert_ne!(err.read_line(&mut said).expect("text"), 0, "it ended: {said}");
    }
    let err = thread::spawn(move || {
        err.read_to_string(&mut said).expect("UTF-8");
        said
    });
    Listening { child, lines, err }
}

fn listen(product: &Product, segment: &Segment, words: &[&str]) -> Listening {
    listen_under(&[], product, segment, words)
}

impl Listening {
    /// Sends a signal to the process, which nsenter has become.
    fn signal(&self, name: &str) {
        let sent = Command::new("kill").args(["-s", name, &self.child.id().to_string()]).status();
        assert!(sent.expect("kill runs").success());
    }

    fn end(self, signal: &str) -> Ended {
        self.signal(signal);
        self.ended()
    }

    fn ended(mut self) -> Ended {
        let code = self.child.wait().expect("it ends").code().unwrap_or(-1);
        let (err, out) = (self.err.join().expect("read"), self.lines.iter().map(|line| line + "\n").collect());
        assert!(!err.contains("panicked at"), "{err}");
        Ended { code, out, err, took: Duration::ZERO }
    }
}

/// (received, dropped, how often the ring was full), as the run says at its end.
fn counters(ended: &Ended) -> (u64, u64, u64) {
    let line = ended.err.lines().find_map(|line| line.strip_prefix("tap0: ")?.split_once(" received, ")).expect("the counters");
    let number = |text: &str| text.split(|c: char| !c.is_ascii_digit()).find_map(|digits| digits.parse().ok()).expect("a number");
    let (dropped, full) = line.1.split_once(';').expect("two counts");
    (number(line.0), number(dropped), number(full))
}

/// Claims without what differs by nature: when and where they were heard. What a device says again is said again when a UTC day begins,
/// so they are a set. A BACnet device of another network is told with the router that was known when it was told: live after some seconds,
/// of a file at its end; and the bench has each device behind as many routers as it has rounds.
fn claims(ended: &Ended) -> BTreeSet<String> {
    let bare = |mut line: Value| {
        (line["source"], line["time"]) = (Value::Null, Value::Null);
        if !line["address"]["network"].is_null() {
            line["address"]["ip"] = Value::Null;
        }
        line.to_string()
    };
    ended.lines().into_iter().map(bare).collect()
}

/// mkbench.py's capture of so many rounds, made once.
fn bench(shared: &Path, rounds: u64) -> PathBuf {
    let file = place::target().join(format!("bench-{rounds}.pcap"));
    if !file.exists() {
        let part = file.with_extension(format!("part-{}", std::process::id()));
        let made = run(Command::new("python3").arg(shared.join("captures/mkbench.py")).arg(&part).arg(rounds.to_string()));
        assert_eq!(made.code, 0, "{}", made.err);
        fs::rename(&part, &file).expect("renamed");
    }
    file
}

#[test]
fn what_is_replayed_says_what_its_file_says() {
    let Some((product, segment, shared)) = needed("what_is_replayed_says_what_its_file_says", parts()) else { return };
    let seconds = std::env::var("NAMEPLATE_LIVE_SECONDS").ok().and_then(|text| text.parse().ok()).unwrap_or(SECONDS);
    let file = bench(&shared, (seconds * FRAMES_PER_S).div_ceil(ROUND_FRAMES));
    let listening = listen(&product, &segment, &["--format", "claims"]);
    let (pace, limit, begun) = (FRAMES_PER_S.to_string(), (seconds * FRAMES_PER_S).to_string(), Instant::now());
    // The file is read beforehand (-K), or its reading would be what holds the pace up.
    let sent = segment.replay(&file, &["-K", "--pps", &pace, "--limit", &limit]);
    let took = begun.elapsed();
    let peak = fs::read_to_string(format!("/proc/{}/status", listening.child.id())).expect("it runs");
    let ended = listening.end("TERM").expect(code::DONE);
    assert_eq!(counters(&ended), (sent, 0, 0));
    assert_eq!(ended.frames(), Some(sent));
    // Claims of the same frames, whatever the time and the place.
    let part = place::scratch().expect("a folder").join(format!("live-{}.pcap", std::process::id()));
    let cut = run(Command::new("editcap").args(["-r", "-F", "pcap"]).arg(&file).arg(&part).arg(format!("1-{sent}")));
    assert_eq!(cut.code, 0, "{}", cut.err);
    let whole = product.run(["listen", "--format", "claims", &part.to_string_lossy()]).expect(code::DONE);
    assert_eq!(whole.frames(), Some(sent));
    let (live, filed) = (claims(&ended), claims(&whole));
    assert_eq!(live, filed);
    let peak = peak.lines().find(|line| line.starts_with("VmHWM")).unwrap_or_default();
    println!("{sent} frames in {:.1} s, 0 dropped, {} claims live and from the file, {peak}", took.as_secs_f64(), live.len());
    assert!(live.len() > 100, "{} claims", live.len());
    for line in ended.lines().iter().take(10) {
        assert_eq!((line["source"]["kind"].as_str(), line["source"]["interface"].as_str()), (Some("live"), Some(TAP)), "{line}");
        assert!(line["source"]["frame"].as_u64().is_some_and(|frame| (1..=sent).contains(&frame)), "{line}");
    }
    fs::remove_file(part).expect("removed");
}

#[test]
fn received_and_dropped_are_what_was_sent() {
    let Some((product, segment, shared)) = needed("received_and_dropped_are_what_was_sent", parts()) else { return };
    let file = bench(&shared, 1);
    // At top speed, and with nobody emptying the ring.
    for held_up in [false, true] {
        let listening = listen(&product, &segment, &[]);
        let before = segment.counted(TAP).0;
        if held_up {
            listening.signal("STOP");
        }
        let sent = segment.replay(&file, &["-K", "--topspeed"]);
        // What the cable itself lost never arrived.
        assert_eq!(segment.counted(TAP).0 - before, sent, "the cable lost {}", segment.counted(TALK).1);
        if held_up {
            listening.signal("CONT");
        }
        let ended = listening.end("INT").expect(code::DONE);
        let (received, dropped, full) = counters(&ended);
        println!("{sent} frames at top speed: {received} received, {dropped} dropped, the ring was full {full} times");
        assert_eq!(received + dropped, sent);
        assert_eq!(ended.frames(), Some(received));
        assert_eq!((dropped > 0, full > 0), (dropped > 0 || held_up, dropped > 0), "{dropped} dropped, full {full} times");
    }
}

#[test]
fn it_never_sends_and_gives_its_capability_up() {
    let Some((product, segment, shared)) = needed("it_never_sends_and_gives_its_capability_up", parts()) else { return };
    let capture = capture(&product, &shared);
    let trace = place::scratch().expect("a folder").join(format!("live-{}.strace", std::process::id()));
    let frames = segment.replay(&capture, &["--topspeed"]).to_string();
    // All that it may do is open a packet socket: no other capability is there.
    let alone = ["setpriv", "--bounding-set=-all,+net_raw"];
    let output = trace.to_string_lossy();
    let under = [&["strace", "-f", "-o", &output][..], &alone].concat();
    let listening = listen_under(&under, &product, &segment, &["--packets", &frames]);
    segment.replay(&capture, &["--topspeed"]);
    let ended = listening.ended().expect(code::DONE);
    assert_eq!(ended.frames().map(|frames| frames.to_string()), Some(frames));
    let text = fs::read_to_string(&trace).expect("a trace");
    // Behind its opening, what is done with the packet socket.
    let mut lines = text.lines().skip_while(|line| !line.contains("socket(AF_PACKET"));
    let opened = lines.next().expect("a packet socket");
    let number = opened.rsplit(' ').next().expect("its number");
    let calls: Vec<&str> = lines.filter(|line| line.contains(&format!("({number},")) || line.contains(&format!("({number})"))).collect();
    for call in ["send", "write", "writev", "pwrite"] {
        let sends: Vec<&&str> = calls.iter().filter(|line| line.contains(&format!(" {call}"))).collect();
        assert!(sends.is_empty(), "{sends:?}");
    }
    assert!(calls.iter().any(|line| line.contains("PACKET_RX_RING")), "no call was seen: {calls:?}");
    assert_eq!(segment.counted(TALK).0, 0, "something came back on the cable");
    fs::remove_file(trace).expect("removed");
    // And once it listens, it could not open another.
    let listening = listen(&product, &segment, &[]);
    for thread in fs::read_dir(format!("/proc/{}/task", listening.child.id())).expect("it runs") {
        let status = fs::read_to_string(thread.expect("a thread").path().join("status")).expect("its state");
        let sets = status.lines().filter(|line| ["CapInh:", "CapPrm:", "CapEff:", "CapAmb:"].iter().any(|set| line.starts_with(set)));
        let held: Vec<&str> = sets.filter(|line| line.rsplit('\t').next().is_none_or(holds)).collect();
        assert!(held.is_empty(), "{held:?}");
    }
    listening.end("TERM").expect(code::DONE);
}

fn holds(set: &str) -> bool {
    u64::from_str_radix(set, 16).is_ok_and(|set| set & CAP_NET_RAW != 0)
}

/// A small capture in which a device says something.
fn capture(product: &Product, shared: &Path) -> PathBuf {
    let truth = fs::read_to_string(shared.join("captures/TRUTH.tsv")).expect("the truth");
    let files = truth.lines().skip(1).filter_map(|row| Some(shared.join("captures").join(row.split('\t').next()?)));
    // Of Ethernet (LINKTYPE 1, in either byte order), or it cannot be sent.
    let of_ethernet = |bytes: Vec<u8>| bytes.len() < 50_000 && [Some(&[1, 0, 0, 0][..]), Some(&[0, 0, 0, 1])].contains(&bytes.get(20..24));
    let small = |file: &PathBuf| fs::read(file).is_ok_and(of_ethernet);
    let says = |file: &PathBuf| !product.run(["listen", "--format", "claims", &file.to_string_lossy()]).out.is_empty();
    files.filter(|file| file.extension().is_some_and(|kind| kind == "pcap")).filter(small).find(says).expect("a capture")
}

#[test]
fn a_claim_is_there_at_once_and_on_disk_soon() {
    let Some((product, segment, shared)) = needed("a_claim_is_there_at_once_and_on_disk_soon", parts()) else { return };
    let state = State::new();
    let mut listening = listen(&product, &segment, &["--format", "claims", "--state", &state.text()]);
    segment.replay(&capture(&product, &shared), &["--topspeed"]);
    // While it goes on listening.
    let line = listening.lines.recv_timeout(SAID_SECONDS_MAX).expect("a line");
    let claim: Value = serde_json::from_str(&line).expect("a claim");
    assert_eq!(claim["source"]["kind"], "live", "{claim}");
    let begun = Instant::now();
    while product.run(["devices", "--state", &state.text()]).out.is_empty() {
        assert!(begun.elapsed() < KEPT_SECONDS_MAX, "nothing was kept while it listened");
    }
    // Not even a kill takes it away.
    listening.signal("KILL");
    listening.child.wait().expect("it is gone");
    let kept = product.run(["devices", "--state", &state.text(), "--format", "ndjson"]).expect(code::DONE);
    assert!(kept.out.contains("\"kind\":\"live\""), "{}", kept.out);
    product.run(["ledger", "verify", "--state", &state.text()]).expect(code::DONE);
}

#[test]
fn a_port_that_speaks_is_told_how_to_be_silent() {
    let Some((product, segment, _)) = needed("a_port_that_speaks_is_told_how_to_be_silent", parts()) else { return };
    let warned = || {
        let ended = listen(&product, &segment, &["--duration", "10ms"]).ended().expect(code::DONE);
        ended.err.lines().filter(|line| line.contains("warning")).map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(warned(), Vec::<String>::new());
    segment.shell("echo 0 > /proc/sys/net/ipv6/conf/tap0/disable_ipv6; ip link set dev tap0 arp on; ip addr add 192.0.2.7/24 dev tap0");
    let said = warned();
    let commands = ["ip addr flush dev tap0", "ip link set dev tap0 arp off", "sysctl -w net.ipv6.conf.tap0.disable_ipv6=1"];
    assert_eq!(said.len(), commands.len(), "{said:?}");
    assert!(said[0].contains("192.0.2.7"), "{said:?}");
    for command in commands {
        assert!(said.iter().any(|line| line.ends_with(command)), "{command}: {said:?}");
        segment.shell(command);
    }
    assert_eq!(warned(), Vec::<String>::new());
}

#[test]
fn what_stands_in_the_way_is_said() {
    let Some((product, segment, _)) = needed("what_stands_in_the_way_is_said", parts()) else { return };
    let check = |under: &[&str], interface: &str, said: &str| {
        let [enter, place] = segment.words();
        let before = [&[enter.as_str(), place.as_str()][..], under].concat();
        let ended = run(&mut product.command_under(&before, ["listen", "-i", interface])).expect(code::INPUT);
        assert!(ended.err.contains(said), "{}", ended.err);
    };
    check(&[], "eth99", "eth99: there is no such interface; there are lo, ");
    check(&["setpriv", "--bounding-set=-net_raw"], TAP, "tap0: listening to an interface takes the capability CAP_NET_RAW");
    check(&["setpriv", "--bounding-set=-net_raw"], TAP, "setcap cap_net_raw+ep");
    check(&[], "lo", "lo: the interface is down: ip link set dev lo up");
    // It goes down while it is listened to: what was heard is told, and the end is no good one.
    let listening = listen(&product, &segment, &[]);
    segment.shell("ip link set dev tap0 down");
    let ended = listening.ended().expect(code::INPUT);
    assert!(ended.err.contains("tap0: Network is down") && ended.err.contains("0 frames, 0 devices"), "{}", ended.err);
}

#[test]
fn a_filter_lets_the_same_frames_through_live_and_from_a_file() {
    let Some((product, segment, shared)) = needed("a_filter_lets_the_same_frames_through_live_and_from_a_file", parts()) else { return };
    let file = bench(&shared, 1);
    let filters: [&[&str]; 5] = [
        &["--port", "502"],
        &["--net", "192.168.0.0/16", "--port", "44818", "--port", "102"],
        &["--host", "192.168.10.120"],
        &["--vlan", "1", "--vlan", "100"],
        &["--net", "fe80::/10"],
    ];
    for filter in filters {
        let words = ["listen", &file.to_string_lossy(), "--format", "claims"].map(str::to_owned);
        let filed = product.run(words.iter().map(String::as_str).chain(filter.iter().copied())).expect(code::DONE);
        let listening = listen(&product, &segment, &[&["--format", "claims"], filter].concat());
        let sent = segment.replay(&file, &["-K", "--pps", "200000"]);
        let live = listening.end("INT").expect(code::DONE);
        let (received, dropped, _) = counters(&live);
        println!("{filter:?}: {sent} sent, {received} past the kernel, {:?} listened to", live.frames());
        assert_eq!(dropped, 0);
        assert_eq!(live.frames(), filed.frames(), "{filter:?}");
        assert_eq!(claims(&live), claims(&filed), "{filter:?}");
        assert!(filed.frames().is_some_and(|frames| frames > 0 && frames <= received), "{filter:?}: {:?}", filed.frames());
        // What it refuses is refused in the kernel, but for a little.
        assert!(received < sent / 2 + filed.frames().unwrap_or_default(), "{filter:?}: {received} of {sent}");
    }
}
