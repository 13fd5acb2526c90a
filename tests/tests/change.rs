//! Changes as a plant meets them: a work order is opened, a device is flashed, and the product says what became of it.

use std::collections::BTreeMap;
use std::time::Duration;

use nameplate_simulators::modbus::{Device, Fault, Flash, Manners, Persona, Phase, Running};
use nameplate_simulators::report::Report;
use nameplate_simulators::scada::Master;
use nameplate_simulators::snmp;
use nameplate_tests::place::needed;
use nameplate_tests::product::{Ended, Product, State, block_on, code, settled};
use serde_json::Value;

/// Gaps of 30 s become 0.3 s, ten minutes of patience become six seconds.
const FACTOR: &str = "0.01";
/// Two presses; the serial number is a private object of theirs.
const PROFILE: &str = r#"
vendor = "Example Presses"
family = "Press"
device_class = "plc"
identity_of = "self"
protocol = "modbus"
version_order = "dotted"
confidence = "documented"
notes = "A device of the tests."

[match]
"modbus.object.0" = '^Example Presses$'

[[component]]
role = "self"
[component.extract]
manufacturer = { from = "modbus.object.0" }
product_code = { from = "modbus.object.1" }
firmware_revision = { from = "modbus.object.2" }
serial_number = { from = "modbus.object.128" }

[[example]]
source = "made up"
licence = "fact"
objects = { 0 = "Example Presses", 1 = "P7", 2 = "2.60", 128 = "S-1" }
[example.expect.self]
manufacturer = "Example Presses"
product_code = "P7"
firmware_revision = "2.60"
serial_number = "S-1"
"#;

/// A press with this firmware; no serial number where it is empty.
fn press(firmware: &str, serial: &str) -> Persona {
    let objects = [(0, "Example Presses"), (1, "P7"), (2, firmware), (3, "presses.example"), (128, serial)];
    let persona =
        Persona::from_objects(objects.into_iter().filter(|(_, text)| !text.is_empty()).map(|(id, text)| (id, text.as_bytes().to_vec())));
    Persona { registers: (0..10).map(|at| (at, at)).collect(), ..persona }
}

/// The same with another value of one object.
fn with(mut persona: Persona, object: u8, text: &str) -> Persona {
    persona.objects.insert(object, text.as_bytes().to_vec());
    persona
}

/// Two devices in their state, before anything happens to them.
struct Plot {
    product: Product,
    state: State,
    devices: Vec<Running>,
    ids: Vec<String>,
}

impl Plot {
    async fn new(product: &Product, first: Device, second: Device) -> Self {
        let state = State::new();
        state.file("profiles/example/press.toml", PROFILE);
        let mut devices = Vec::new();
        for device in [first, second] {
            let device = Device { manners: Manners { one_connection: true, ..Manners::default() }, ..device };
            devices.push(device.start(Device::ANYWHERE).await.expect("a port on loopback"));
        }
        let mut plot = Self { product: product.clone(), state, devices, ids: Vec::new() };
        let targets: Vec<String> = plot.devices.iter().map(|device| format!("{}/1", device.address)).collect();
        let targets: Vec<&str> = targets.iter().map(String::as_str).collect();
        plot.run(&[&["ask", "--reason", "WO-0", "--question", "extended", "--time-factor", FACTOR], &targets[..]].concat())
            .await
            .expect(code::DONE);
        let listed = plot.run(&["devices", "--format", "ndjson"]).await.expect(code::DONE).lines();
        let port = |line: &Value| line["addresses"][0]["port"].as_u64();
        let ids: BTreeMap<Option<u64>, String> =
            listed.iter().map(|line| (port(line), line["id"].as_str().unwrap_or_default().to_owned())).collect();
        plot.ids = plot.devices.iter().map(|device| ids[&Some(u64::from(device.address.port()))].clone()).collect();
        plot
    }

    /// Runs the product on another thread, so that the devices can answer on this one.
    async fn run(&self, arguments: &[&str]) -> Ended {
        let profiles = format!("{}/profiles", self.state.text());
        let mut words: Vec<String> = arguments.iter().map(|word| (*word).to_owned()).collect();
        words.extend(["--state".to_owned(), self.state.text(), "--profiles".to_owned(), profiles]);
        let product = self.product.clone();
        tokio::task::spawn_blocking(move || product.run(words)).await.expect("an end")
    }

    /// Opens WO-1 for the first device, with the second as its neighbour, and reads both.
    async fn open(&self) {
        let expected = format!("{}:self.firmware_revision=2.60->2.70", self.ids[0]);
        self.open_with(&["--expect", &expected, "--from", "2020-01-01T00:00:00Z", "--until", "2100-01-01T00:00:00Z"])
            .await
            .expect(code::DONE);
    }

    async fn open_with(&self, more: &[&str]) -> Ended {
        let common =
            ["change", "open", "WO-1", "--asset", &self.ids[0], "--neighbour", &self.ids[1], "--question", "extended", "--by", "Ada"];
        self.run(&[&common[..], more].concat()).await
    }

    async fn step(&self, step: &str, more: &[&str]) -> Ended {
        self.run(&[&["change", step, "WO-1", "--time-factor", FACTOR, "--format", "ndjson"], more].concat()).await
    }

    /// What the devices say of us in the end; no connection is left.
    async fn end(self) -> Vec<Report> {
        let mut reports = Vec::new();
        for device in self.devices {
            reports.push(settled(device).await);
        }
        reports
    }
}

/// Verdicts by role.
fn verdicts(ended: &Ended) -> BTreeMap<String, (String, String)> {
    let text = |line: &Value, key: &str| line[key].as_str().unwrap_or_default().to_owned();
    ended.lines().iter().map(|line| (text(line, "role"), (text(line, "verdict"), text(line, "why")))).collect()
}

/// What happens to the two devices between before and after, and what must be said of them.
struct Story {
    name: &'static str,
    before: Persona,
    flashes: [Option<Flash>; 2],
    more: &'static [&'static str],
    code: i32,
    scope: (&'static str, &'static str),
    neighbour: &'static str,
}

impl Story {
    fn of(name: &'static str, phases: Vec<Phase>, release: Persona) -> Self {
        Self {
            name,
            before: press("2.60", "S-1"),
            flashes: [Some(Flash { phases, release }), None],
            more: &[],
            code: code::FAILED,
            scope: ("", ""),
            neighbour: "as_expected",
        }
    }

    fn ends(self, code: i32, verdict: &'static str, why: &'static str) -> Self {
        Self { code, scope: (verdict, why), ..self }
    }
}

fn check(story: Story) {
    let Some(product) = needed(story.name, Product::find()) else { return };
    block_on(async {
        let plot = Plot::new(&product, Device::new(story.before), Device::new(press("1.10", "S-2"))).await;
        plot.open().await;
        plot.step("before", &[]).await.expect(code::DONE);
        for (device, flash) in plot.devices.iter().zip(story.flashes) {
            if let Some(flash) = flash {
                device.flash(flash).await;
            }
        }
        let ended = plot.step("after", story.more).await;
        assert_eq!(ended.code, story.code, "{}\n{}\n{}", story.name, ended.out, ended.err);
        let said = verdicts(&ended);
        let (verdict, why) = &said["scope"];
        assert_eq!((verdict.as_str(), said["neighbour"].0.as_str()), (story.scope.0, story.neighbour), "{}: {why}", story.name);
        assert!(why.contains(story.scope.1) || said["neighbour"].1.contains(story.scope.1), "{}: {said:?}", story.name);
        let reports = plot.end().await;
        for report in &reports {
            assert!(report.trips.is_empty(), "{}: {report:?}", story.name);
        }
        // One reading for the catalog, and the change's own.
        assert!(reports[0].connections() <= 1 + 12 && reports[1].connections() == 3, "{}: {reports:?}", story.name);
    });
}

const REBOOT: Duration = Duration::from_millis(700);

#[test]
fn a_device_that_was_flashed_is_as_expected_once_it_is_back() {
    let phases = vec![Phase::Mute(1), Phase::Refuses(REBOOT)];
    check(Story::of("flashed", phases, press("2.70", "S-1")).ends(
        code::DONE,
        "as_expected",
        "is \"2.70\" now, with the same serial number",
    ));
}

#[test]
fn a_boot_image_that_answers_first_is_not_the_release() {
    let phases = vec![Phase::Refuses(Duration::from_millis(100)), Phase::Answers(press("0.9", "S-1"), 1), Phase::Refuses(REBOOT)];
    check(Story::of("another image first", phases, press("2.70", "S-1")).ends(code::DONE, "as_expected", "2.70"));
    let phases = vec![Phase::Answers(press("2.60", "S-1"), 2)];
    check(Story::of("the old release first", phases, press("2.70", "S-1")).ends(code::DONE, "as_expected", "2.70"));
}

#[test]
fn what_is_not_as_expected_is_named() {
    let now = |name, release| Story::of(name, Vec::new(), release);
    check(Story {
        flashes: [None, None],
        ..now("nothing flashed", press("", "")).ends(code::FAILED, "not_changed", "still \"2.60\", not \"2.70\"")
    });
    check(now("wrong release", press("2.71", "S-1")).ends(code::FAILED, "wrong_release", "is \"2.71\", not \"2.70\""));
    let other = with(press("2.70", "S-1"), 3, "presses.example/new");
    check(now("something else", other).ends(code::FAILED, "something_else_changed", "modbus.object.3 changed from \"presses.example\""));
    check(now("another device", press("2.70", "S-9")).ends(code::FAILED, "something_else_changed", "another device answers there"));
}

#[test]
fn a_neighbour_that_changed_is_caught() {
    let flash = |release| Some(Flash { phases: Vec::new(), release });
    let flashes = [flash(press("2.70", "S-1")), flash(press("1.11", "S-2"))];
    let story = Story::of("a neighbour", Vec::new(), press("", ""));
    let story = Story { flashes, neighbour: "another_device_changed", ..story };
    check(story.ends(code::FAILED, "as_expected", "must not change, but self.firmware_revision changed from \"1.10\" to \"1.11\""));
}

#[test]
fn without_a_serial_number_the_identity_is_not_proven_and_a_second_person_may_accept_that() {
    let story = |name| Story { before: press("2.60", ""), ..Story::of(name, Vec::new(), press("2.70", "")) };
    check(story("unproven").ends(code::FAILED, "identity_not_proven", "no serial number proves"));
    check(Story { more: &["--accept-unproven", "Bo"], ..story("accepted").ends(code::DONE, "identity_not_proven", "2.70") });
}

#[test]
fn a_device_that_stays_silent_is_unreadable() {
    let gone = || vec![Phase::Refuses(Duration::from_secs(600))];
    let silent = Story { more: &["--patience", "100"], ..Story::of("silent", gone(), press("2.70", "S-1")) };
    check(silent.ends(code::FAILED, "unreadable", "no sound answer after the change"));
    // Twelve readings and no more, however long our patience is: one before, eleven after.
    let spent = Story { more: &["--patience", "100000", "--equal", "10"], ..Story::of("spent", gone(), press("2.70", "S-1")) };
    let spent = Story {
        flashes: [
            Some(Flash {
                phases: vec![Phase::Answers(press("2.70", "S-1"), 1), Phase::Answers(press("2.71", "S-1"), 2)],
                release: press("2.70", "S-1"),
            }),
            None,
        ],
        ..spent
    };
    check(spent.ends(code::FAILED, "unreadable", "it was read 12 times for work order WO-1, 12 is the most"));
}

#[test]
fn outside_its_window_nothing_of_a_change_is_asked() {
    let Some(product) = needed("outside_its_window_nothing_of_a_change_is_asked", Product::find()) else { return };
    block_on(async {
        let plot = Plot::new(&product, Device::new(press("2.60", "S-1")), Device::new(press("1.10", "S-2"))).await;
        let expected = format!("{}:self.firmware_revision=2.60->2.70", plot.ids[0]);
        plot.open_with(&["--expect", &expected, "--from", "2020-01-01T00:00:00Z", "--until", "2020-01-02T00:00:00Z"])
            .await
            .expect(code::DONE);
        let ended = plot.step("before", &[]).await.expect(code::REFUSED);
        assert!(ended.err.contains("change.window") && ended.err.contains("2020-01-02T00:00:00Z"), "{}", ended.err);
        // Nothing was read, so nothing is written down: there is no reading before.
        plot.step("after", &[]).await.expect(code::USAGE);
        let shown = plot.run(&["change", "list", "--format", "ndjson"]).await.expect(code::DONE).lines();
        assert_eq!((shown.len(), &shown[0]["stage"]), (1, &Value::from("opened")));
        let rules: Vec<Value> =
            plot.state.touches().iter().filter(|line| line["kind"] == "refused").map(|line| line["rule"].clone()).collect();
        assert_eq!(rules, ["change.window", "change.window"]);
        assert!(plot.end().await.iter().all(|report| report.connections() == 1));
    });
}

#[test]
fn steps_that_make_no_sense_are_refused_and_the_rest_is_on_record() {
    let Some(product) = needed("steps_that_make_no_sense_are_refused_and_the_rest_is_on_record", Product::find()) else { return };
    block_on(async {
        let plot = Plot::new(&product, Device::new(press("2.70", "S-1")), Device::new(press("1.10", "S-2"))).await;
        plot.step("before", &[]).await.expect(code::USAGE);
        let strange = format!("{}:self.firmware_revision=1->2", plot.ids[1]);
        plot.open_with(&["--expect", &strange, "--until", "2100-01-01T00:00:00Z"]).await.expect(code::USAGE);
        plot.open_with(&["--expect", "self.firmware_revision", "--until", "2100-01-01T00:00:00Z"]).await.expect(code::USAGE);
        plot.open_with(&["--expect", &strange, "--until", "tomorrow"]).await.expect(code::USAGE);
        plot.open().await;
        let again = format!("{}:self.firmware_revision=2.60->2.70", plot.ids[0]);
        plot.open_with(&["--expect", &again, "--until", "2100-01-01T00:00:00Z"]).await.expect(code::USAGE);
        let before = plot.step("before", &[]).await.expect(code::DONE);
        assert!(before.out.contains("self.firmware_revision is already at 2.70"), "{}", before.out);
        plot.step("after", &["--accept-unproven", "ada"]).await.expect(code::USAGE);
        plot.step("after", &["--equal", "1"]).await.expect(code::FAILED);
        let close = ["change", "close", "WO-1", "--by", "Ada", "--format", "ndjson"];
        let closed = plot.run(&close).await.expect(code::FAILED);
        assert!(verdicts(&closed)["scope"].1.contains("was \"2.70\" before already"), "{}", closed.out);
        assert!(closed.err.contains("cannot be closed: 1 device not done"), "{}", closed.err);
        let leave = ["change", "leave", "WO-1", "--asset", &plot.ids[0], "--reason", "it was flashed last year", "--by", "Ada", "--as"];
        plot.run(&[&leave[..], &["mitigated"]].concat()).await.expect(code::USAGE);
        plot.run(&[&leave[..], &["failed"]].concat()).await.expect(code::DONE);
        plot.run(&close).await.expect(code::FAILED);
        plot.run(&close).await.expect(code::USAGE);
        let shown = plot.run(&["change", "show", "WO-1", "--format", "ndjson"]).await.expect(code::DONE).lines();
        assert_eq!((&shown[0]["stage"], &shown[0]["verdict"]), (&Value::from("closed"), &Value::from("not_changed")));
        let rests_on = shown[0]["rests_on"].as_array().expect("a list");
        let entries: Vec<&Value> = shown.iter().filter_map(|line| line["entries"].as_array()).flatten().collect();
        assert!(entries.len() >= 4 * 4 && entries.iter().all(|entry| rests_on.contains(entry)), "{shown:?}");
        plot.end().await;
    });
}

#[test]
fn the_masters_of_a_change_are_not_disturbed_by_its_readings() {
    let Some(product) = needed("the_masters_of_a_change_are_not_disturbed_by_its_readings", Product::find()) else { return };
    block_on(async {
        let device = |firmware, serial| Device { fault: Some(Fault::EvictOldest { pool: 2 }), ..Device::new(press(firmware, serial)) };
        let plot = Plot::new(&product, device("2.60", "S-1"), device("1.10", "S-2")).await;
        let master = || Master { interval: Duration::from_millis(5), ..Master::new() };
        let mut masters: Vec<_> = plot.devices.iter().map(|device| master().start(device.door())).collect();
        for master in &mut masters {
            master.until(|service| service.answers > 0).await;
        }
        plot.open().await;
        plot.step("before", &[]).await.expect(code::DONE);
        plot.devices[0].flash(Flash { phases: Vec::new(), release: press("2.70", "S-1") }).await;
        plot.step("after", &[]).await.expect(code::DONE);
        let mut dropped = Vec::new();
        for master in masters {
            dropped.push(master.stop().await.sessions_dropped);
        }
        // The flash itself closed the one session.
        assert_eq!(dropped, [1, 0]);
        plot.end().await;
    });
}

#[test]
fn the_owners_rules_hold_for_a_change_too() {
    let Some(product) = needed("the_owners_rules_hold_for_a_change_too", Product::find()) else { return };
    block_on(async {
        let plot = Plot::new(&product, Device::new(press("2.60", "S-1")), Device::new(press("1.10", "S-2"))).await;
        plot.open().await;
        let device = |at: usize| format!("[[zone.device]]\ntarget = \"{}/1\"\n", plot.devices[at].address);
        let both = format!("[[zone]]\nname = \"one\"\n{}{}", device(0), device(1));
        let alone = format!("[[zone]]\nname = \"one\"\n{}", device(0));
        let never = "[[never]]\nplace = \"127.0.0.1\"\nwhy = \"SIS\"\n";
        let freeze = "[[blackout]]\nfrom = \"2020-01-01T00:00:00Z\"\nuntil = \"2100-01-01T00:00:00Z\"\nwhy = \"change freeze\"\n";
        let site = |name: &str, text: &str| plot.state.file(name, format!("name = \"North\"\n{text}"));
        let none_left = site("spent.toml", &format!("readings_per_day_in_all = 2\n{both}"));
        for (file, code, why) in [
            (site("alone.toml", &alone), code::USAGE, "it may ask only what it lists"),
            (site("never.toml", &format!("{never}{both}")), code::REFUSED, "rule site.never: the site file lists 127.0.0.1"),
            (site("freeze.toml", &format!("{freeze}{both}")), code::REFUSED, "rule site.blackout"),
            (none_left, code::REFUSED, "rule budget.site: the site had 2 readings today"),
        ] {
            let ended = plot.step("before", &["--site", &file]).await.expect(code);
            assert!(ended.err.contains(why), "{file}: {}", ended.err);
            assert!(plot.devices.iter().all(|device| device.report().connections() == 1), "{file}: nobody was asked");
        }
        let file = site("both.toml", &both);
        plot.step("before", &["--site", &file]).await.expect(code::DONE);
        plot.devices[0].flash(Flash { phases: Vec::new(), release: press("2.70", "S-1") }).await;
        plot.step("after", &["--site", &file]).await.expect(code::DONE);
        plot.end().await;
    });
}

#[test]
fn a_restart_that_a_change_lets_happen_is_no_alarm() {
    let Some(product) = needed("a_restart_that_a_change_lets_happen_is_no_alarm", Product::find()) else { return };
    block_on(async {
        let plot = Plot::new(&product, Device::new(press("2.60", "S-1")), Device::new(press("1.10", "S-2"))).await;
        plot.open().await;
        plot.step("before", &[]).await.expect(code::DONE);
        let mut at = snmp::Device::ANYWHERE;
        // All that stands at the press's address may restart: here an agent that runs for days, and then for seconds.
        for (ticks, said) in [(86_400_000, false), (300, true)] {
            let persona = snmp::Persona::new(b"Press P7", &[1, 3, 6, 1, 4, 1, 99_999, 7], b"press", ticks);
            let agent = snmp::Device::new(persona).start(at).await.expect("a port on loopback");
            at = agent.address;
            let (target, via) = (at.to_string(), ["ask", "--via", "snmp", "--snmp-community-public", "--reason", "WO-2"]);
            let ended = plot.run(&[&via[..], &["--time-factor", "0.00001", &target]].concat()).await.expect(code::DONE);
            assert_eq!(ended.err.contains("as work order WO-1 lets it"), said, "{}", ended.err);
            agent.stop().await;
        }
        plot.end().await;
    });
}
