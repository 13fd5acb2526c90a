//! What was seen to be done to a device is kept, within bounds, and named where something changed: captures that are written by hand.

use nameplate_core::observation::unhex;
use nameplate_tests::pcap::{pcap_of, said_over_tcp};
use nameplate_tests::place::needed;
use nameplate_tests::product::{Ended, Product, State, code};
use serde_json::Value;

const CLIENT: &str = "192.168.20.1";
/// Read of list 0011, and the answer of an IM151-8 with this firmware (ITI/ICS-Security-Tools pcaps/s7/s7comm_reading_plc_status.pcap, frame 59).
const ASKED: &str = "0300002102f080320700001100000800080001120411440102ff09000400110000";
const MODULES: &str = "0300009902f080320700001100000c007c000112081284010200000000ff09007800110000001c0004000136455337203135312d38414230312d304142302000c000030001000636455337203135312d38414230312d304142302000c0000300010007202020202020202020202020202020202020202000c0560302060081426f6f74204c6f61646572202020202020202020000041200909";
/// A job of one byte of parameters, and its acknowledgement without an error, by function: 28 invokes a service of the program, 04 reads.
const JOB: &str = "0300001202f08032010000000700010000";
const DONE: &str = "0300001402f080320300000007000100000000";

fn bytes(digits: &str) -> Vec<u8> {
    unhex(digits).expect("hexadecimal digits")
}

/// The CPU tells its firmware, somebody puts a job to it, and it tells its firmware again.
fn session(function: &str, later: &str) -> Vec<u8> {
    let identity = |version: &str| [(false, bytes(ASKED)), (true, bytes(&MODULES.replace("56030206", version)))];
    let job = [(false, bytes(&format!("{JOB}{function}"))), (true, bytes(&format!("{DONE}{function}")))];
    pcap_of(&said_over_tcp(102, &[&identity("56030206")[..], &job, &identity(later)].concat()))
}

struct Plot {
    product: Product,
    state: State,
}

impl Plot {
    fn run(&self, words: &[&str]) -> Ended {
        self.product.run([words, &["--state", &self.state.text()]].concat())
    }

    fn lines(&self, words: &[&str], code: i32) -> Vec<Value> {
        self.run(&[words, &["--format", "ndjson"]].concat()).expect(code).lines()
    }

    fn listen(&self, name: &str, capture: &[u8]) -> Ended {
        let file = self.state.file(name, capture);
        self.run(&["listen", &file]).expect(code::DONE)
    }
}

#[test]
fn who_was_seen_at_a_device_that_changed_is_named_and_kept_once() {
    let Some(product) = needed("who_was_seen_at_a_device_that_changed_is_named_and_kept_once", Product::find()) else { return };
    let plot = Plot { product, state: State::new() };
    let heard = plot.listen("one.pcap", &session("28", "56030207"));
    let seen = format!("somebody loaded, started or stopped a program in this device (s7comm, by {CLIENT}, ");
    assert_eq!(heard.err.matches(&seen).count(), 2, "once as it happened, once behind what changed: {}", heard.err);
    let flagged = heard.err.lines().find(|line| line.contains("without a change order")).unwrap_or_default();
    assert!(flagged.contains("from \"V3.2.6\" to \"V3.2.7\"") && flagged.contains("; seen meanwhile: somebody loaded"), "{}", heard.err);
    // The same bytes in a file of another name are no news.
    plot.listen("again.pcap", &session("28", "56030207"));
    let drift = plot.lines(&["change", "drift"], code::FAILED);
    let firmware = drift.iter().find(|line| line["what"] == "self.firmware_revision").expect("a drift");
    let [seen] = firmware["seen"].as_array().expect("a list").as_slice() else { panic!("one: {firmware}") };
    assert_eq!((&seen["what"], &seen["protocol"]), (&Value::from("programmed"), &Value::from("s7comm")));
    assert!(seen["by"].as_str().is_some_and(|by| by.starts_with(CLIENT)), "{seen}");
    let id = firmware["asset"].as_str().expect("an id");
    let events = plot.lines(&["events", "--kind", "done-to"], code::DONE);
    assert_eq!((events.len(), &events[0]["asset"], &events[0]["entry"]), (1, &Value::from(id), &seen["entry"]), "{events:?}");
    let report = plot.state.path().join("life.csv").to_string_lossy().into_owned();
    plot.run(&["report", "device", id, "--output", &report]).expect(code::DONE);
    let life = std::fs::read_to_string(report).expect("a report");
    assert!(life.contains("Seen to be done to it") && life.matches("loaded, started or stopped").count() >= 2, "{life}");
    plot.run(&["ledger", "verify"]).expect(code::DONE);
    let bundle = plot.state.path().join("one.evidence").to_string_lossy().into_owned();
    plot.run(&["evidence", "export", id, "--out", &bundle]).expect(code::DONE);
}

#[test]
fn a_read_is_nothing_that_was_done() {
    let Some(product) = needed("a_read_is_nothing_that_was_done", Product::find()) else { return };
    let plot = Plot { product, state: State::new() };
    let heard = plot.listen("one.pcap", &session("04", "56030207"));
    assert!(!heard.err.contains("somebody") && heard.err.contains("without a change order"), "{}", heard.err);
    assert!(plot.lines(&["change", "drift"], code::FAILED).iter().all(|line| line["seen"].is_null()));
    assert!(plot.lines(&["events", "--kind", "done-to"], code::DONE).is_empty());
}
