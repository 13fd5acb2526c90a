//! A real flash, verified from passive data alone, and a later one that nobody ordered: captures of ITI's ICS-Security-Tools.

use nameplate_tests::place::{self, needed};
use nameplate_tests::product::{Ended, Product, State, code};
use serde_json::Value;

/// Where they lie below ../shared.
const FOLDER: &str = "captures/ITI__ICS-Security-Tools/pcaps/openics";
/// Of both captures, as an independent dissector reads it (TRUTH.tsv).
const SERIAL: &str = "0x0051aec3";
/// Firmware is written into the device from 20:58:25 on; the reset is at 20:58:59.4 (frame 10592), the identity in frame 10683.
const FLASH: &str = "2008-09-02T20:58:25Z";
const RESET: &str = "2008-09-02T20:58:59Z";

struct Plot {
    product: Product,
    state: State,
    folder: std::path::PathBuf,
    id: String,
}

impl Plot {
    /// The flash was heard.
    fn new(test: &str) -> Option<Self> {
        let (shared, product) = needed(test, place::shared().and_then(|shared| Ok((shared, Product::find()?))))?;
        let mut plot = Self { product, state: State::new(), folder: shared.join(FOLDER), id: String::new() };
        plot.listen("EIP-FirmwareChange.pcap");
        plot.id = plot.with_serial()[0]["id"].as_str().expect("an id").to_owned();
        Some(plot)
    }

    fn listen(&self, capture: &str) -> Ended {
        self.run(&["listen", &self.folder.join(capture).to_string_lossy()]).expect(code::DONE)
    }

    fn run(&self, words: &[&str]) -> Ended {
        self.product.run([words, &["--format", "ndjson", "--state", &self.state.text()]].concat())
    }

    /// The devices that report the serial number.
    fn with_serial(&self) -> Vec<Value> {
        let listed = self.run(&["devices"]).expect(code::DONE).lines();
        let own = |line: &Value| line["fields"].as_array().is_some_and(|fields| fields.iter().any(|field| field["value"] == SERIAL));
        listed.into_iter().filter(own).collect()
    }

    fn open(&self, order: &str, to: &str, serial: &str) {
        let (expected, serial) = (format!("{}:self.firmware_revision={to}", self.id), format!("{}={serial}", self.id));
        let window = ["--from", "2008-09-02T20:58:00Z", "--until", "2008-09-02T22:00:00Z"];
        let words = ["change", "open", order, "--asset", &self.id, "--expect", &expected, "--serial", &serial, "--by", "Ada"];
        self.run(&[&words[..], &window].concat()).expect(code::DONE);
    }

    /// Verdict and sentence of a reading after that nobody was asked for.
    fn after(&self, order: &str) -> (Ended, String, String) {
        let ended = self.run(&["change", "after", order, "--heard", "--since", RESET]);
        let line = ended.lines().pop().unwrap_or_default();
        let text = |key: &str| line[key].as_str().unwrap_or_default().to_owned();
        (ended, text("verdict"), text("why"))
    }
}

#[test]
fn a_flash_is_verified_by_what_was_heard_and_nobody_is_asked() {
    let Some(plot) = Plot::new("a_flash_is_verified_by_what_was_heard_and_nobody_is_asked") else { return };
    plot.open("WO-1", "?->4.3", SERIAL);
    let before = plot.run(&["change", "before", "WO-1", "--heard", "--until", FLASH]).expect(code::NO_ANSWER);
    let unread = before.lines()[0]["unread"].as_str().unwrap_or_default().to_owned();
    assert!(unread.contains("no identity of it was heard from 2008-09-02T20:58:00"), "{unread}");
    let (ended, verdict, why) = plot.after("WO-1");
    assert!(verdict == "as_expected" && why.contains("is \"4.3\" now, with the expected serial number"), "{verdict}: {why}");
    assert!(why.contains("what it was before is not known"), "{why}");
    // 21:00:21.29 is when frame 10683 was captured: 82 s of silence were waited out.
    assert!(ended.err.contains("heard at 2008-09-02T21:00:21.293121Z, 82 s after"), "{}", ended.err);
    ended.expect(code::DONE);
    plot.run(&["change", "close", "WO-1", "--by", "Ada"]).expect(code::DONE);
    assert!(plot.state.touches().is_empty(), "a packet of ours");
    plot.run(&["change", "drift"]).expect(code::DONE);
}

#[test]
fn what_was_heard_is_judged_as_what_was_read() {
    let Some(plot) = Plot::new("what_was_heard_is_judged_as_what_was_read") else { return };
    for (number, (to, serial, expected, part)) in [
        ("?->4.4", SERIAL, "wrong_release", "is \"4.3\", not \"4.4\""),
        ("?->4.3", "0x00000001", "something_else_changed", "another device answers there"),
        ("4.1->4.3", SERIAL, "unreadable", "no identity of it was heard"),
    ]
    .into_iter()
    .enumerate()
    {
        let order = format!("WO-{number}");
        plot.open(&order, to, serial);
        plot.run(&["change", "before", &order, "--heard", "--until", FLASH]).expect(code::NO_ANSWER);
        let (ended, verdict, why) = plot.after(&order);
        assert!(verdict == expected && why.contains(part), "{order}: {verdict}: {why}");
        ended.expect(code::FAILED);
        let left = ["change", "leave", &order, "--asset", &plot.id, "--as", "failed", "--reason", "try again", "--by", "Ada"];
        plot.run(&left).expect(code::DONE);
        plot.run(&["change", "close", &order, "--by", "Ada"]).expect(code::FAILED);
    }
}

#[test]
fn a_release_that_nobody_ordered_is_flagged_at_once_and_another_address_is_not_another_device() {
    let Some(plot) = Plot::new("a_release_that_nobody_ordered_is_flagged_at_once_and_another_address_is_not_another_device") else {
        return;
    };
    plot.open("WO-1", "?->4.3", SERIAL);
    let heard = plot.listen("EIP-IPAddressChangeAttempt.pcap");
    let flagged = format!("{}: self.firmware_revision changed from \"4.3\" to \"4.7\", between 2008-09-02T21:00:21", plot.id);
    let line = heard.err.lines().find(|line| line.starts_with(&flagged)).unwrap_or_else(|| panic!("{}", heard.err));
    // WO-1 was over ten weeks before.
    assert!(line.contains("and 2008-11-12T21:27:12") && line.contains("without a change order"), "{line}");
    let drift = plot.run(&["change", "drift"]).expect(code::FAILED).lines();
    let own: Vec<&Value> = drift.iter().filter(|line| line["what"] == "self.firmware_revision").collect();
    assert_eq!(own.len(), 1, "{drift:?}");
    assert_eq!((&own[0]["asset"], &own[0]["before"], &own[0]["after"]), (&Value::from(plot.id.as_str()), &"4.3".into(), &"4.7".into()));
    let devices = plot.with_serial();
    let ips: Vec<&Value> = devices[0]["addresses"].as_array().expect("a list").iter().map(|address| &address["ip"]).collect();
    assert!(devices.len() == 1 && devices[0]["id"] == plot.id.as_str(), "{devices:?}");
    assert!(ips.contains(&&Value::from("192.168.10.120")) && ips.contains(&&Value::from("192.168.10.125")), "{ips:?}");
    // Heard once more, it is no news.
    assert!(!plot.listen("EIP-IPAddressChangeAttempt.pcap").err.contains("without a change order"));
}
