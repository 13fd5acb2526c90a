//! A field side that listens on two mirror ports: each is heard and counted by itself, what was heard names it, and one that goes ends the field side.

use std::path::Path;
use std::time::Instant;

use nameplate::store::Store;
use nameplate_core::ledger::Body;
use nameplate_core::observation::Source;
use nameplate_simulators::modbus::Persona;
use nameplate_tests::pcap::{pcap_of, plant as talk, record, records_of};
use nameplate_tests::place::needed;
use nameplate_tests::process::Process;
use nameplate_tests::product::{Product, code, run};
use nameplate_tests::segment::{Segment, TALK, TAP};
use nameplate_tests::web::{Asker, Gate};
use serde_json::{Value, json};

use super::{Gateway, KEPT_SECONDS_MAX};

/// The second cable's ends.
const SECOND_TALK: &str = "talk1";
const SECOND_TAP: &str = "tap1";
const SECOND_CABLE: &str = "ip link add talk1 type veth peer name tap1 && for end in talk1 tap1; do \
    echo 1 > /proc/sys/net/ipv6/conf/$end/disable_ipv6 && ip link set dev $end mtu 9000 arp off up || exit 1; done";

/// The releases that the ledger knows, each with the interface on which it was heard.
fn heard(state: &Path, releases: &[&str]) -> Vec<(String, String)> {
    let Ok(Some(store)) = Store::read(state) else { return Vec::new() };
    let mut heard = Vec::new();
    for index in 0..store.size() {
        let Ok(Body::Observation(observed)) = store.entry(index).map(|entry| entry.body) else { continue };
        let meaning = serde_json::to_string(&observed.interpretation).expect("JSON");
        if let Source::Live { interface, .. } = &observed.observation.source {
            let told = releases.iter().filter(|release| meaning.contains(&format!("\"{release}\"")));
            heard.extend(told.map(|release| (interface.to_string(), (*release).to_owned())));
        }
    }
    heard.sort_unstable();
    heard.dedup();
    heard
}

/// Asks until it is so; a machine that is busy with other tests takes its time.
fn eventually<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let begun = Instant::now();
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(begun.elapsed() < KEPT_SECONDS_MAX, "{what}");
    }
}

/// A token of the first administrator.
fn auditor(gate: &Gate, link: &str) -> Asker {
    let cookie = gate.come_in(&format!("/first/{link}"), "Ada", "correct horse battery");
    let session = Asker::session(&cookie, &gate.origin());
    let made = gate.json("POST", &session, "/api/v1/tokens", &json!({ "rights": ["read"], "days": 1 })).expect(201).json();
    Asker::token(made["token"].as_str().expect("a token"))
}

/// So many frames came in on each of the two, of which the first has one that is broken: by the API, and for Prometheus.
fn is_counted(gate: &Gate, asker: &Asker, frames: &[u64]) {
    let counted = |said: &Value, at: usize| {
        let one = &said[0]["interfaces"][at];
        let malformed = one["malformed"].as_object()?.iter().map(|(layer, times)| format!("{layer} {times}")).collect::<String>();
        Some((one["name"].as_str()?.to_owned(), one["frames_received"].as_u64()?, one["frames_dropped"].as_u64()?, malformed))
    };
    eventually("the interfaces are not counted each", || {
        // So many questions are soon too many in a second.
        let said = Some(gate.get(asker, "/api/v1/listeners")).filter(|said| said.status != 429)?.expect(200).json();
        let all = (counted(&said, 0)?, counted(&said, 1)?, said[0]["frames_received"].as_u64()?);
        let of = |tap: &str, frames, malformed: &str| (tap.to_owned(), frames, 0, malformed.to_owned());
        let expected = (of(TAP, frames[0], "ipv4 1"), of(SECOND_TAP, frames[1], ""), frames[0] + frames[1]);
        Some(()).filter(|()| all == expected)
    });
    let metrics = || Some(gate.get(asker, "/api/v1/metrics")).filter(|said| said.status != 429);
    let metrics = eventually("there are no metrics", metrics).expect(200).body;
    for line in [
        format!("nameplate_field_frames_received{{interface=\"tap0\"}} {}\n", frames[0]),
        format!("nameplate_field_frames_received{{interface=\"tap1\"}} {}\n", frames[1]),
        "nameplate_field_frames_dropped{interface=\"tap1\"} 0\n".to_owned(),
        "nameplate_field_gaps{interface=\"tap1\"} 0\n".to_owned(),
        "nameplate_field_malformed{interface=\"tap0\",layer=\"ipv4\"} 1\n".to_owned(),
    ] {
        assert!(metrics.contains(&line), "{line} is not there: {metrics}");
    }
}

#[test]
fn each_interface_is_heard_counted_and_named() {
    let test = "each_interface_is_heard_counted_and_named";
    let parts = Product::find().and_then(|product| Ok((product, Segment::new()?)));
    let Some((product, segment)) = needed(test, parts) else { return };
    segment.shell(SECOND_CABLE);
    let gateway = Gateway::new(&product, &[]);
    let listen = |interfaces: &str| gateway.folder.file("site.toml", format!("name = \"North\"\n[listen]\n{interfaces}\n"));
    let enter = segment.words();
    let under: Vec<&str> = enter.iter().map(String::as_str).collect();
    let start =
        |more: &[&str]| product.command_under(&under, gateway.field_words().into_iter().chain(more.iter().map(|word| (*word).to_owned())));
    for (interfaces, said) in [
        ("interfaces = [\"tap0\", \"tap0\"]", "line 3: interface tap0 is named twice"),
        ("interfaces = [\"tap0\"]\ninterface = \"tap0\"", "line 3: interfaces: there is interface, too"),
        ("interface = \"../eth0\"", "line 3: \"../eth0\" is no name of an interface"),
        ("interfaces = [\"tap0\", \"eth99\"]", "eth99: there is no such interface"),
    ] {
        listen(interfaces);
        let ended = run(&mut start(&[])).expect(code::INPUT);
        assert!(ended.err.contains(said), "{}", ended.err);
    }
    listen("interfaces = [\"tap0\", \"tap1\"]");
    assert!(run(&mut start(&["-i", "tap1", "-i", "tap1"])).expect(code::USAGE).err.contains("tap1 is named twice"));
    let mut field = Process::start(start(&[]));
    field.says("tap0: listening; nothing is sent there");
    field.says("tap1: listening; nothing is sent there");
    field.says("the hatch is");
    gateway.folder.file("serve.toml", format!("hatch = {:?}\n[page]\nlisten = \"127.0.0.1:0\"\ntls = false\n", gateway.path("hatch")));
    let mut desk = gateway.desk();
    let link = desk.says("this link makes one").split("/first/").nth(1).expect("a link").to_owned();
    let gate = Gate::of(desk.says("the page is").rsplit(' ').next().expect("a URL"));
    desk.says("0 devices listed, listens on tap0, tap1");
    // An IPv4 header that says it has 16 bytes: there are at least 20 (RFC 791, 3.1).
    let broken = record(0, &[&[2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 8, 0, 0x44][..], &[0; 45]].concat());
    let capture = |name: &str, release: &str, broken: &[Vec<u8>]| {
        let objects = [(0, b"Acme".to_vec()), (1, b"M-1".to_vec()), (2, release.as_bytes().to_vec())];
        let file = pcap_of(talk(vec![Persona::from_objects(objects)]).iter().chain(broken));
        (gateway.folder.file(name, &file), records_of(&file).len() as u64)
    };
    let mut frames = Vec::new();
    for (end, name, release, broken) in [(TALK, "one.pcap", "V2.7", &[broken][..]), (SECOND_TALK, "two.pcap", "V3.1", &[])] {
        let (file, count) = capture(name, release, broken);
        run(segment.command("tcpreplay").args(["-q", "-i", end, "--topspeed", &file])).expect(0);
        frames.push(count);
    }
    let state = gateway.folder.path().join("desk");
    let expected = [(TAP, "V2.7"), (SECOND_TAP, "V3.1")].map(|(interface, release)| (interface.to_owned(), release.to_owned()));
    eventually("what was heard does not name its interface", || Some(()).filter(|()| heard(&state, &["V2.7", "V3.1"]) == expected));
    is_counted(&gate, &auditor(&gate, &link), &frames);
    // One that goes takes the field side with it, which says which one it was.
    segment.shell("ip link set dev tap1 down");
    field.says("tap1: ");
    assert_eq!(field.child.wait().expect("an end").code(), Some(code::INPUT));
    desk.says("the field side is gone");
    desk.ends(0);
}
