//! Asking over PROFINET DCP, on a cable of our own. No station of others is to be had (docs/protocols.md), so a script answers with what a real one
//! was recorded to say; the question is held against a tool's of others, and both sides are read by tshark.

use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Child, ChildStdin, ChildStdout, Stdio};

use nameplate_simulators::language::{Carrier, Language};
use nameplate_simulators::pn_dcp::Persona;
use nameplate_simulators::rehearsal::rehearse;
use nameplate_tests::place::{self, needed};
use nameplate_tests::product::{Claim, Ended, Product, State, code, run};
use nameplate_tests::record;
use nameplate_tests::segment::{Segment, TALK, TAP};

/// Blocks that an ET200SP answered an Identify with (smehner1/ProfinetIO-DoS-attack pcaps/set_attack.pcap, frame 2).
const BLOCKS: &str = "02020009000065743230307370000205000400000207020100090000455432303053500002030006\
                      0000002a031302040004000001000207000400000001\
                      0102000e0001c0a8010effffff00c0a8010e";
/// What the same capture gives by ear (TRUTH).
const CLAIMS: [(&str, &str); 3] = [("model", "ET200SP"), ("name", "et200sp"), ("product_code", "0x0313")];
/// IEC 61158-6-10, 4.3.1: behind the addresses, but for the transaction, which stands at 8..16 of these digits.
const ASKED: &str = "fefd0300xxxxxxxx00000012010101020201020202030204020602070208";

/// Frame id, service, transaction, delay, length (IEC 61158-6-10, 4.3.1).
const DCP_HEADER_BYTES: usize = 12;

/// The station at the far end; gone when its input ends.
struct Station {
    child: Child,
    mac: String,
    input: Option<ChildStdin>,
    says: BufReader<ChildStdout>,
}

impl Station {
    fn start(segment: &Segment, copies: &str) -> Self {
        Self::playing(segment, BLOCKS, copies)
    }

    fn playing(segment: &Segment, blocks: &str, copies: &str) -> Self {
        let script = place::root().join("tests/rig/dcp_station.py");
        let mut command = segment.command("python3");
        let mut child =
            command.arg(script).args([TAP, blocks, copies]).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("a station");
        let mut says = BufReader::new(child.stdout.take().expect("a pipe"));
        let mut line = String::new();
        says.read_line(&mut line).expect("text");
        let mac = line.trim().strip_prefix("ready ").unwrap_or_else(|| panic!("it is not ready: {line:?}")).to_owned();
        Self { input: child.stdin.take(), child, mac, says }
    }

    /// The frames that came.
    fn end(mut self) -> Vec<String> {
        drop(self.input.take());
        let heard = (&mut self.says).lines().map_while(Result::ok).collect();
        self.child.wait().expect("an end");
        heard
    }
}

fn parts() -> Result<(Product, Segment), String> {
    let segment = Segment::new()?;
    segment.shell("ip link set dev talk0 mtu 1500; ip link set dev tap0 mtu 1500");
    Ok((Product::find()?, segment))
}

fn ask(product: &Product, segment: &Segment, under: &[&str], state: &State, mac: &str) -> Ended {
    let [enter, place] = segment.words();
    let before = [&[enter.as_str(), place.as_str()][..], under].concat();
    let (target, state) = (format!("dcp:{TALK}/{mac}"), state.text());
    let words = ["ask", &target, "--via", "pn-dcp", "--pn-consent", "A. Owner", "--reason", "try", "--format", "claims", "--state", &state];
    run(&mut product.command_under(&before, words))
}

/// Asks while both frames are recorded.
fn recorded(product: &Product, segment: &Segment, station: &Station) -> (Ended, PathBuf) {
    let file = place::scratch().expect("a folder").join(format!("dcp-{}-{}.pcap", std::process::id(), station.mac.replace(':', "")));
    let name = file.to_string_lossy().into_owned();
    let mut dumpcap =
        segment.command("dumpcap").args(["-q", "-P", "-i", TAP, "-w", &name, "-c", "2"]).stderr(Stdio::piped()).spawn().expect("dumpcap");
    let mut says = BufReader::new(dumpcap.stderr.take().expect("a pipe"));
    let mut line = String::new();
    while !line.contains("File:") {
        line.clear();
        assert_ne!(says.read_line(&mut line).expect("text"), 0, "dumpcap ended");
    }
    let asked = ask(product, segment, &[], &State::new(), &station.mac).expect(code::DONE);
    assert!(dumpcap.wait().expect("an end").success());
    (asked, file)
}

fn said(claims: &[Claim]) -> Vec<(&str, &str)> {
    let mut said: Vec<(&str, &str)> = claims.iter().map(|claim| (claim.field.as_str(), claim.value.as_str())).collect();
    said.sort_unstable();
    said
}

#[test]
fn a_station_is_asked_with_one_frame_and_says_what_it_was_recorded_to_say() {
    let test = "a_station_is_asked_with_one_frame_and_says_what_it_was_recorded_to_say";
    let Some((product, segment)) = needed(test, record::available().and_then(|()| parts())) else { return };
    let station = Station::start(&segment, "1");
    let state = State::new();
    // All that it may do is open a packet socket: no other capability is there.
    let asked = ask(&product, &segment, &["setpriv", "--bounding-set=-all,+net_raw"], &state, &station.mac).expect(code::DONE);
    assert_eq!(said(&asked.claims()), CLAIMS, "{}", asked.err);
    assert!(asked.err.contains("1 device, 1 connection, 1 request, 30 bytes out, 0 refused"), "{}", asked.err);
    let address = &asked.lines()[0]["address"];
    assert_eq!((address["mac"].as_str(), &address["port"]), (Some(station.mac.as_str()), &serde_json::Value::Null), "{address}");
    let (mac, heard) = (station.mac.clone(), station.end());
    let [frame] = heard.as_slice() else { panic!("one frame, not {heard:?}") };
    // To the station, from us, EtherType 8892, the question, padding.
    assert_eq!((&frame[..12], &frame[24..28], frame.len()), (mac.replace(':', "").as_str(), "8892", 120));
    assert_eq!((&frame[28..36], &frame[44..88]), (&ASKED[..8], &ASKED[16..]), "{frame}");
    assert!(frame[88..].bytes().all(|digit| digit == b'0'), "{frame}");
    // The record names the connect before the frame, and the touch record holds the target as it is written.
    let touched = std::fs::read_to_string(state.path().join("touch.ndjson")).expect("a touch record");
    assert!(touched.contains(&format!("\"dcp:{TALK}/{mac}\"")), "{touched}");
    assert!(touched.contains("\"hold_ms\":3"), "held for the 3 s in which the station is bound: {touched}");
}

#[test]
fn a_capture_of_the_exchange_says_the_same_and_tshark_reads_it() {
    let test = "a_capture_of_the_exchange_says_the_same_and_tshark_reads_it";
    let Some((product, segment)) = needed(test, record::available().and_then(|()| parts())) else { return };
    let station = Station::start(&segment, "1");
    let (asked, file) = recorded(&product, &segment, &station);
    let name = file.to_string_lossy().into_owned();
    drop(station);
    let fields = ["eth.type", "pn_dcp.service_id", "pn_dcp.service_type", "pn_dcp.suboption_device_nameofstation"];
    let rows = record::tshark(&file, &fields, "pn_dcp", 502).expect("tshark's reading");
    assert_eq!(rows, [["0x8892", "3", "0", ""], ["0x8892", "3", "1", "et200sp"]]);
    let heard = product.run(["listen", &name, "--format", "claims"]).expect(code::DONE);
    assert_eq!((said(&heard.claims()), heard.claims()), (CLAIMS.to_vec(), asked.claims()));
    std::fs::remove_file(file).expect("removed");
}

/// The simulated station in the three ways, each of its blocks encoded by itself: what it is, live, and by ear. On a cable of our own, because nothing
/// simulated may be met on a network.
#[test]
fn a_simulated_station_is_the_same_as_data_live_and_by_ear() {
    let test = "a_simulated_station_is_the_same_as_data_live_and_by_ear";
    let Some((product, segment)) = needed(test, record::available().and_then(|()| parts())) else { return };
    // The example of generic/pn-dcp.
    let persona = Persona::new(b"et200sp", b"ET200SP");
    let told = rehearse(&persona, Carrier::Udp, &[persona.sample()]).answers().concat();
    let blocks: String = told[DCP_HEADER_BYTES..].iter().map(|byte| format!("{byte:02x}")).collect();
    let station = Station::playing(&segment, &blocks, "1");
    let (asked, file) = recorded(&product, &segment, &station);
    drop(station);
    let heard = product.run(["listen", &file.to_string_lossy(), "--format", "claims"]).expect(code::DONE);
    assert_eq!((said(&asked.claims()), heard.claims()), (CLAIMS.to_vec(), asked.claims()));
    std::fs::remove_file(file).expect("removed");
}

#[test]
fn a_station_that_answers_without_end_is_left() {
    let Some((product, segment)) = needed("a_station_that_answers_without_end_is_left", parts()) else { return };
    let station = Station::start(&segment, "20");
    let asked = ask(&product, &segment, &[], &State::new(), &station.mac).expect(code::NO_ANSWER);
    assert!(asked.err.contains("it sends messages that nobody asked for"), "{}", asked.err);
    assert_eq!(station.end().len(), 1);
}

#[test]
fn what_stands_in_the_way_is_said_and_nothing_is_sent() {
    let Some((product, segment)) = needed("what_stands_in_the_way_is_said_and_nothing_is_sent", parts()) else { return };
    let station = Station::start(&segment, "1");
    let mac = station.mac.clone();
    // A group, everybody: PROFINET's own multicast among them.
    for group in ["01:0e:cf:00:00:00", "ff:ff:ff:ff:ff:ff"] {
        let refused = ask(&product, &segment, &[], &State::new(), group).expect(code::REFUSED);
        assert!(refused.err.contains("permit.target") && refused.err.contains("group"), "{}", refused.err);
    }
    let powerless = ask(&product, &segment, &["setpriv", "--bounding-set=-net_raw"], &State::new(), &mac).expect(code::NO_ANSWER);
    assert!(powerless.err.contains("setcap cap_net_raw+ep"), "{}", powerless.err);
    let silent = ask(&product, &segment, &[], &State::new(), "02:00:00:00:00:77").expect(code::NO_ANSWER);
    assert!(silent.err.contains("no whole answer"), "{}", silent.err);
    let heard = station.end();
    // The last one's frame arrives at this end of the cable, too, and is not for this station.
    assert!(heard.iter().all(|frame| frame.starts_with("020000000077")), "{heard:?}");
}

#[test]
fn a_dry_run_shows_each_byte_and_wants_a_station() {
    let Some(product) = needed("a_dry_run_shows_each_byte_and_wants_a_station", Product::find()) else { return };
    let words = ["ask", "dcp:eth1/00:1b:1b:02:e5:2e", "--via", "pn-dcp", "--dry-run"];
    assert!(product.run(words).expect(code::REFUSED).err.contains("permit.consent"));
    let planned = product.run(words.into_iter().chain(["--pn-consent", "A. Owner"])).expect(code::DONE);
    assert!(planned.out.contains("to dcp:eth1/00:1b:1b:02:e5:2e: pn-dcp.get\n"), "{}", planned.out);
    assert!(planned.out.contains("1 messages, 30 bytes; nothing was sent and no socket was opened"), "{}", planned.out);
    let ended = product.run(["ask", "192.0.2.10", "--via", "pn-dcp", "--dry-run"]).expect(code::USAGE);
    assert!(ended.err.contains("DCP has no addresses but hardware addresses"), "{}", ended.err);
    let ended = product.run(["ask", "dcp:eth1/00:1b:1b:02:e5:2e", "--dry-run"]).expect(code::USAGE);
    assert!(ended.err.contains("--via pn-dcp"), "{}", ended.err);
}
