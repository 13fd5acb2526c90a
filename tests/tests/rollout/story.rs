//! A patch story: twelve devices in three rings and a neighbour; what goes wrong in the second ring keeps the third closed.

use std::time::Duration;

use nameplate_simulators::flash::Phase;
use nameplate_tests::place::needed;
use nameplate_tests::product::{Ended, Product, block_on, code, settled};
use serde_json::Value;

use super::plant::{FACTOR, Plant, adapter, controller, machine};

/// 90 seconds, scaled as the gaps are.
const REBOOT: Duration = Duration::from_millis(900);
/// Longer than anybody waits.
const FOR_EVER: Duration = Duration::from_secs(600);

async fn plant(product: &Product) -> Plant {
    let press = |serial| machine("Presses", "2.60", serial, "1.1");
    let lathe = |serial| machine("Lathes", "5.1", serial, "1.1");
    let mixer = |serial| machine("Mixers", "9.0", serial, "1.1");
    let plant = Plant::new(product).with("modbus", press("S-0")).await.with("enip", adapter("1756-ENBT/A", (4, 3), 0x51, 3)).await;
    let plant = plant.with("modbus", press("S-2")).await.with("modbus", lathe("S-3")).await.with("modbus", mixer("S-4")).await;
    let plant = plant.with("enip", adapter("MK-1", (2, 1), 0x55, 3)).await.with("modbus", press("S-6")).await;
    let plant = plant.with("bacnet", controller("6.0", "S-7")).await.with("modbus", lathe("S-8")).await;
    let plant = plant.with("modbus", mixer("S-9")).await.with("enip", adapter("MK-1", (2, 1), 0x5a, 3)).await;
    plant.with("modbus", mixer("S-11")).await
}

/// Opens it: a pilot, a wave that soaks, the rest; device 11 is the neighbour.
async fn open(plant: &Plant) {
    let press = |n: usize| format!("--expect {{{n}}}:self.firmware_revision=2.60->2.70 ");
    let lathe = |n: usize| format!("--expect {{{n}}}:self.firmware_revision=5.1->5.2 ");
    let mixer = |n: usize| format!("--expect {{{n}}}:self.firmware_revision=9.0->9.1 ");
    let drive = |n: usize| format!("--expect {{{n}}}:self.firmware_revision=2.1->2.2 ");
    let rings = "--ring pilot={0},{1} --ring wave/30days={2},{3},{4},{5},{6},{7} --ring rest={8},{9},{10} --neighbour {11} ";
    let agreed =
        "--question extended --precheck backup,software --finding CVE-2026-0001 --release 2026-11 --retries 1 --no-restart --by Ada ";
    let window = "--from 2020-01-01T00:00:00Z --until 2100-01-01T00:00:00Z ";
    let expected: String = [press(0), press(2), press(6), lathe(3), lathe(8), mixer(4), mixer(9), drive(5), drive(10)].concat();
    let others = "--expect {1}:self.firmware_revision=4.3->4.7 --expect {7}:self.firmware_revision=6.0->6.1";
    plant.say(&format!("change open WO-7 {rings}{agreed}{window}{expected}{others}")).await.expect(code::DONE);
}

/// Refused, for this reason.
fn refused(ended: Ended, code: i32, why: &str) {
    assert!(ended.err.contains(why), "{why:?}: {}\n{}", ended.out, ended.err);
    ended.expect(code);
}

/// One person asks, another approves; what has to be checked is.
async fn prepare(plant: &Plant) {
    refused(plant.say("change ring open WO-7 1 --by Ada").await, code::USAGE, "is not approved");
    refused(plant.say("change approve WO-7 --by ADA").await, code::USAGE, "another person has to approve");
    refused(plant.say("change before WO-7 --ring 1").await, code::USAGE, "is not open");
    plant.say("change approve WO-7 --by Bo").await.expect(code::DONE);
    refused(plant.say("change ring open WO-7 1 --by Ada").await, code::USAGE, "the check \"backup\" is not done");
    let (backup, image) = (plant.state.file("backup.zip", "settings"), plant.state.file("image.bin", "firmware"));
    let check = |words: &str| words.replace("BACKUP", &backup).replace("IMAGE", &image);
    let run = async |words: String| plant.run(&words.split_whitespace().collect::<Vec<_>>()).await;
    run(check("change check WO-7 backup --by Ada --file BACKUP")).await.expect(code::DONE);
    let forged = check("change check WO-7 software --by Ada --source portal --file IMAGE --vendor-sha256 ") + &"ab".repeat(32);
    refused(run(forged).await, code::USAGE, "it is not the vendor's");
    // SHA-256 of `firmware`, worked out with sha256sum.
    let hash = "c3bf47ea1f4a4a605470313cacb3a44f4a461f68c6faeab07e737610cb5ac835";
    let known = check("change check WO-7 software --by Ada --source portal --file IMAGE --vendor-sha256 ") + hash;
    run(known).await.expect(code::DONE);
}

async fn after(plant: &Plant, ring: u32) -> Ended {
    let ring = ring.to_string();
    let words = ["change", "after", "WO-7", "--ring", &ring, "--time-factor", FACTOR, "--patience", "300", "--format", "ndjson"];
    plant.run(&words).await
}

async fn before(plant: &Plant, ring: u32) {
    plant.say(&format!("change ring open WO-7 {ring} --by Ada")).await.expect(code::DONE);
    plant.say(&format!("change before WO-7 --ring {ring} --time-factor {FACTOR} --format ndjson")).await.expect(code::DONE);
}

/// The pilot: one reboots for 90 s, one is there at once.
async fn pilot(plant: &Plant) {
    before(plant, 1).await;
    plant.flash(0, vec![Phase::Mute(1), Phase::Refuses(REBOOT)], machine("Presses", "2.70", "S-0", "1.1")).await;
    plant.flash(1, Vec::new(), adapter("1756-ENBT/A", (4, 7), 0x51, 3)).await;
    plant.say("change ring installed WO-7 1 --by Cy").await.expect(code::DONE);
    let ended = after(plant, 1).await.expect(code::DONE);
    let said = plant.verdicts(&ended);
    assert_eq!(said.keys().copied().collect::<Vec<_>>(), [0, 1, 11]);
    assert!(said.values().all(|(verdict, _)| verdict == "as_expected"), "{said:?}");
    assert!(said[&1].1.contains("it is running"), "{said:?}");
    refused(plant.say("change ring open WO-7 2 --by Ada").await, code::USAGE, "ring 1 (pilot) is not verified");
    refused(plant.say("change ring verify WO-7 1 --by cy").await, code::USAGE, "another person has to verify");
    plant.say("change ring verify WO-7 1 --by Bo").await.expect(code::DONE);
}

/// The second ring: almost everything that can go wrong.
async fn wave(plant: &Plant) {
    before(plant, 2).await;
    plant.flash(3, Vec::new(), machine("Lathes", "5.3", "S-3", "1.1")).await;
    plant.flash(4, vec![Phase::Refuses(FOR_EVER)], machine("Mixers", "9.1", "S-4", "1.1")).await;
    plant.flash(5, Vec::new(), adapter("MK-1", (2, 2), 0x55, 2)).await;
    plant.flash(6, Vec::new(), machine("Presses", "2.70", "S-99", "1.1")).await;
    plant.flash(7, Vec::new(), controller("6.1", "S-7")).await;
    plant.flash(11, Vec::new(), machine("Mixers", "9.0", "S-11", "1.2")).await;
    plant.say("change ring installed WO-7 2 --by Cy").await.expect(code::DONE);
    let ended = after(plant, 2).await.expect(code::FAILED);
    let said = plant.verdicts(&ended);
    let expected = [
        (2, "not_changed", "still \"2.60\", not \"2.70\""),
        (3, "wrong_release", "is \"5.3\", not \"5.2\""),
        (4, "unreadable", "read it at its panel with a second person"),
        (5, "not_running", "is \"2.2\" now, with the same serial number, and nothing else changed; but it is stopped"),
        (6, "something_else_changed", "another device answers there: self.serial_number changed from \"S-6\" to \"S-99\""),
        (7, "as_expected", "is \"6.1\" now, with the same serial number"),
        (11, "another_device_changed", "communication-module.firmware_revision changed from \"1.1\" to \"1.2\""),
    ];
    assert_eq!(said.len(), expected.len(), "{said:?}");
    for (number, verdict, part) in expected {
        let (now, why) = &said[&number];
        assert!(now == verdict && why.contains(part), "device {number}: {now}: {why}");
    }
}

/// The third ring stays closed, and the change stays open until everything is accounted for.
async fn end(plant: &Plant) {
    refused(plant.say("change ring verify WO-7 2 --by Bo --accept-unproven").await, code::FAILED, "is not as expected");
    refused(plant.say("change ring open WO-7 3 --by Ada").await, code::USAGE, "ring 2 (wave) is not verified; ring 3 stays closed");
    refused(plant.say("change after WO-7 --ring 3").await, code::USAGE, "is not open");
    let plan = plant.say("change plan WO-7 --format ndjson").await.expect(code::DONE).lines();
    let stages: Vec<&Value> = plan.iter().filter(|line| line["kind"] == "ring").map(|line| &line["stage"]).collect();
    assert_eq!(stages, ["verified", "read after", "waits"]);
    let ended = plant.say("change close WO-7 --by Bo --format ndjson").await.expect(code::FAILED);
    // Neither the pilot nor anything that could be called done: device 7 waits for its ring.
    assert_eq!(plant.verdicts(&ended).into_keys().collect::<Vec<_>>(), [2, 3, 4, 5, 6, 7, 8, 9, 10, 11]);
    refused(plant.say("change leave WO-7 --asset {8} --as deferred --reason no~outage --by Ada").await, code::USAGE, "has an end");
    plant.say("change leave WO-7 --asset {2} {3} {4} {5} {6} --as failed --reason see~WO-8 --by Ada").await.expect(code::DONE);
    let later = "--as deferred --until 2099-01-01T00:00:00Z --reason next~outage --by Ada";
    plant.say(&format!("change leave WO-7 --asset {{8}} {{9}} {later}")).await.expect(code::DONE);
    refused(plant.say("change ring open WO-7 3 --by Ada").await, code::USAGE, "ring 3 stays closed");
    let ended = plant.say("change close WO-7 --by Bo --format ndjson").await.expect(code::FAILED);
    assert_eq!(plant.verdicts(&ended).into_keys().collect::<Vec<_>>(), [10, 11], "one is left, so it stays open");
    plant.say(&format!("change leave WO-7 --asset {{10}} {{11}} {}", later.replace("deferred", "mitigated"))).await.expect(code::DONE);
    plant.say("change close WO-7 --by Bo --format ndjson").await.expect(code::FAILED);
    let shown = plant.say("change show WO-7 --format ndjson").await.expect(code::DONE).lines();
    assert_eq!((&shown[0]["stage"], &shown[0]["verdict"]), (&Value::from("closed"), &Value::from("another_device_changed")));
    assert_eq!(shown[0]["left"].as_array().map(Vec::len), Some(9));
    let fates: Vec<&Value> = shown.iter().filter(|line| line["kind"] == "left").map(|line| &line["fate"]).collect();
    assert_eq!(fates, ["failed", "deferred", "mitigated"]);
}

/// What moved, and which of it an order expected.
async fn drift(plant: &Plant) {
    let number = |line: &Value, key: &str| plant.ids.iter().position(|id| line[key] == id.as_str());
    let said = |ended: Ended| -> Vec<(Option<usize>, String)> {
        let text = |line: &Value, key: &str| line[key].as_str().unwrap_or_default().to_owned();
        let mut all: Vec<_> =
            ended.lines().iter().map(|line| (number(line, "asset"), format!("{} {}", text(line, "what"), text(line, "after")))).collect();
        all.sort();
        all
    };
    let unordered = plant.say("change drift --format ndjson").await.expect(code::FAILED);
    assert!(unordered.lines().iter().all(|line| line["could_have"] == serde_json::json!(["WO-7"])), "{}", unordered.out);
    let own = |number, text: &str| (Some(number), text.to_owned());
    let expected =
        [own(3, "self.firmware_revision 5.3"), own(6, "self.serial_number S-99"), own(11, "communication-module.firmware_revision 1.2")];
    assert_eq!(said(unordered), expected);
    let all = said(plant.say("change drift --all --format ndjson").await.expect(code::FAILED));
    assert_eq!(all.iter().filter(|(_, text)| text.starts_with("self.firmware_revision")).count(), 5, "{all:?}");
}

/// What people are handed: the page loads nothing, the workbook and the lines say the same.
async fn reports(plant: &Plant) {
    let progress = plant.say("report changes --format ndjson").await.expect(code::DONE).lines();
    let of = |table: &str| -> Vec<Value> { progress.iter().filter(|line| line["table"] == table).cloned().collect() };
    let [change] = &of("Changes")[..] else { panic!("one change: {progress:?}") };
    let count = |key: &str| change[key].as_str().and_then(|count| count.parse::<usize>().ok());
    assert_eq!((change["order"].as_str(), change["stage"].as_str()), (Some("WO-7"), Some("closed")));
    assert_eq!((count("done"), count("left"), count("undone")), (Some(3), Some(8), Some(0)), "{change}");
    let devices = of("Devices");
    let failed = devices.iter().filter(|line| line["state"] == "failed").count();
    assert_eq!((devices.len(), failed), (12, 5), "eleven in their rings, and the neighbour: {devices:?}");
    let page = plant.state.path().join("changes.html").to_string_lossy().into_owned();
    plant.run(&["report", "changes", "--output", &page]).await.expect(code::DONE);
    let page = std::fs::read_to_string(page).expect("a page");
    assert!(page.contains("WO-7 (closed): 3 done, 8 left for a reason, 0 undone") && page.contains("<svg role=\"img\""), "{page}");
    assert!(!page.contains("://") && !page.contains("<script"), "{page}");
    let life = plant.say("report device {3} --format ndjson").await.expect(code::DONE).lines();
    let values: Vec<&str> = life
        .iter()
        .filter(|line| line["part"] == "self" && line["field"] == "firmware_revision")
        .filter_map(|line| line["value"].as_str())
        .collect();
    assert_eq!(values, ["5.1", "5.3"], "in the order in which it said them");
    let drift: Vec<&Value> = life.iter().filter(|line| line["table"] == "What changed").collect();
    assert!(drift.iter().any(|line| line["before"] == "5.1" && line["after"] == "5.3" && line["ordered_by"] == "nobody"), "{drift:?}");
    let early = plant.say("report device {3} --as-of 2020-01-01").await;
    refused(early, code::USAGE, "no device");
}

#[test]
fn twelve_devices_in_three_rings_each_get_their_verdict() {
    let Some(product) = needed("twelve_devices_in_three_rings_each_get_their_verdict", Product::find()) else { return };
    block_on(async {
        let plant = plant(&product).await;
        open(&plant).await;
        prepare(&plant).await;
        pilot(&plant).await;
        wave(&plant).await;
        end(&plant).await;
        drift(&plant).await;
        reports(&plant).await;
        for device in plant.devices {
            let report = settled(device).await;
            assert!(report.trips.is_empty(), "{report:?}");
        }
    });
}

#[test]
fn a_ring_soaks_before_the_next_one_opens() {
    let Some(product) = needed("a_ring_soaks_before_the_next_one_opens", Product::find()) else { return };
    block_on(async {
        let press = |firmware, serial| machine("Presses", firmware, serial, "1.1");
        let plant = Plant::new(&product).with("modbus", press("2.60", "S-0")).await.with("modbus", press("2.60", "S-1")).await;
        let words = "change open WO-7 --where product_code=P7 --ring pilot/1day={0} --ring rest={1} --question extended --by Ada";
        let expected = "--expect *:self.firmware_revision=2.60->2.70 --until 2100-01-01T00:00:00Z";
        plant.say(&format!("{words} {expected}")).await.expect(code::DONE);
        refused(plant.say(&format!("{} {expected}", words.replace("WO-7", "WO-8"))).await, code::USAGE, "by work order WO-7 already");
        plant.say("change approve WO-7 --by Bo").await.expect(code::DONE);
        before(&plant, 1).await;
        plant.flash(0, Vec::new(), press("2.70", "S-0")).await;
        plant.say("change ring installed WO-7 1 --by Cy").await.expect(code::DONE);
        after(&plant, 1).await.expect(code::DONE);
        plant.say("change ring verify WO-7 1 --by Bo").await.expect(code::DONE);
        refused(plant.say("change ring open WO-7 2 --by Ada").await, code::USAGE, "ring 1 (pilot) soaks until");
        let ended = plant.say("change close WO-7 --by Bo --format ndjson").await.expect(code::FAILED);
        assert_eq!(plant.verdicts(&ended).into_keys().collect::<Vec<_>>(), [1], "{}", ended.out);
    });
}
