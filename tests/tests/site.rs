//! The owner's rules, end to end: a site file, the quiet switch, classes of devices that stop, and first contact by canary.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::SystemTime;

use nameplate_field::ask::{self, Ask, Reason, Settings, Via, What};
use nameplate_field::cip;
use nameplate_field::guard::Endpoint;
use nameplate_field::modbus::{Framing, Questions};
use nameplate_field::touch::{TouchRecord, hush};
use nameplate_simulators::enip::{self, Identity};
use nameplate_simulators::language::Language;
use nameplate_simulators::modbus::{Device, Fault, Persona};
use nameplate_simulators::report::{Ended as SessionEnded, Report};
use nameplate_simulators::snmp;
use nameplate_tests::place::needed;
use nameplate_tests::product::{Ended, Product, State, block_on, code, settled};
use nameplate_wire::modbus::Question;

fn persona(revision: &str) -> Persona {
    let objects = [(0, "Acme"), (1, "M-100"), (2, revision), (5, "M-100")];
    Persona::from_objects(objects.into_iter().map(|(id, text)| (id, text.as_bytes().to_vec())).collect::<BTreeMap<u8, Vec<u8>>>())
}

/// Starts these devices, at these addresses where they have some, runs the story, and gives their accounts.
fn plant<P: Language + 'static, T: Send + 'static>(
    devices: Vec<(nameplate_simulators::device::Device<P>, SocketAddr)>,
    story: impl FnOnce(Vec<SocketAddr>) -> T + Send + 'static,
) -> (T, Vec<Report>, Vec<SocketAddr>) {
    block_on(async {
        let mut running = Vec::new();
        for (device, address) in devices {
            running.push(device.start(address).await.expect("a port on loopback"));
        }
        let addresses: Vec<SocketAddr> = running.iter().map(|running| running.address).collect();
        let at = addresses.clone();
        let outcome = tokio::task::spawn_blocking(move || story(at)).await.expect("a story that ends well");
        let mut reports = Vec::new();
        for device in running {
            reports.push(settled(device).await);
        }
        (outcome, reports, addresses)
    })
}

fn connections(reports: &[Report]) -> Vec<usize> {
    reports.iter().map(Report::connections).collect()
}

#[test]
fn a_site_file_is_asked_as_its_owner_rules() {
    let Some(product) = needed("a_site_file_is_asked_as_its_owner_rules", Product::find()) else { return };
    let devices = (0..4).map(|_| (Device::new(persona("V1.0")), Device::ANYWHERE)).collect();
    let state = State::new();
    let (ended, reports, _) = plant(devices, {
        let folder = state.path().to_owned();
        move |at| {
            let site = format!(
                "name = \"North\"\n\
                 [[never]]\nplace = \"127.0.0.9\"\nwhy = \"SIS of boiler 2\"\n\
                 [[window]]\nname = \"closed\"\nfrom = \"00:00\"\nuntil = \"00:00\"\nutc = \"Z\"\ndays = [\"{}\"]\n\
                 [[zone]]\nname = \"one\"\n\
                 [[zone.device]]\nname = \"Pump 1\"\ntarget = \"{}/1\"\n\
                 [[zone.device]]\ntarget = \"{}/1\"\nconnections_max = 1\n\
                 [[zone.device]]\ntarget = \"127.0.0.9:502/1\"\n\
                 [[zone]]\nname = \"two\"\nwindow = \"closed\"\n\
                 [[zone.device]]\ntarget = \"{}/1\"\n",
                never_today(),
                at[0],
                at[1],
                at[2]
            );
            std::fs::create_dir_all(&folder).expect("a folder");
            let file = folder.join("site.toml");
            std::fs::write(&file, site).expect("a file");
            let file = file.to_string_lossy().into_owned();
            let ask = |more: &[&str]| product.ask(&State::new(), &[&["--site", &file, "--format", "claims"], more].concat());
            (ask(&[]), ask(&["Pump 1"]), ask(&["127.0.0.1:502"]), product.run(["ask", "--site", &file, "--dry-run"]))
        }
    });
    let (all, one, stranger, dry): (Ended, Ended, Ended, Ended) = ended;
    assert_eq!(connections(&reports), [2, 0, 0, 0], "{}", all.err);
    let all = all.expect(code::REFUSED);
    for rule in ["site.never: the site file lists 127.0.0.9", "site.connections", "site.window"] {
        assert!(all.err.contains(rule), "{rule}: {}", all.err);
    }
    assert!(all.err.contains("1 device, 1 connection, 1 request, 11 bytes out, 3 refused"), "{}", all.err);
    assert_eq!(one.expect(code::DONE).claims(), all.claims(), "the one device that may be asked");
    assert!(stranger.expect(code::USAGE).err.contains("it may ask only what it lists"));
    let dry = dry.expect(code::DONE);
    assert!(dry.err.contains("site.never") && !dry.out.contains("127.0.0.9"), "{}\n{}", dry.out, dry.err);
}

#[test]
fn a_site_and_its_zones_are_read_so_often_a_day_and_no_more() {
    let Some(product) = needed("a_site_and_its_zones_are_read_so_often_a_day_and_no_more", Product::find()) else { return };
    let devices = (0..5).map(|_| (Device::new(persona("V1.0")), Device::ANYWHERE)).collect();
    let state = State::new();
    let ((dry, first, second, after), reports, _) = plant(devices, {
        let folder = state.path().to_owned();
        move |at: Vec<SocketAddr>| {
            let device = |at: &SocketAddr| format!("[[zone.device]]\ntarget = \"{at}/1\"\n");
            let (one, two) = at.split_at(2);
            let one: String = one.iter().map(device).collect();
            let two: String = two.iter().map(device).collect();
            let site = format!(
                "name = \"North\"\nreadings_per_day_in_all = 3\n\
                 [[zone]]\nname = \"Pumps\"\nreadings_per_day_in_all = 1\n{one}[[zone]]\nname = \"two\"\n{two}"
            );
            std::fs::create_dir_all(&folder).expect("a folder");
            let file = folder.join("site.toml");
            std::fs::write(&file, site).expect("a file");
            let (file, place) = (file.to_string_lossy().into_owned(), folder.join("state").to_string_lossy().into_owned());
            let ask = |more: &[&str]| {
                let words = ["ask", "--site", &file, "--state", &place, "--time-factor", "0.00001"];
                product.run([&words[..], more].concat())
            };
            (ask(&["--dry-run"]), ask(&["--reason", "WO-1"]), ask(&["--reason", "WO-1"]), ask(&["--dry-run"]))
        }
    });
    let (dry, first, second, after): (Ended, Ended, Ended, Ended) = (dry, first, second, after);
    assert_eq!(connections(&reports), [1, 0, 1, 1, 0], "{}", first.err);
    let dry = dry.expect(code::DONE).out;
    assert!(dry.contains("budget.site: 0 of 3 readings spent today (UTC); this run wants 5, of which 2 would be refused"), "{dry}");
    assert!(dry.contains("budget.zone Pumps: 0 of 1 readings spent today (UTC); this run wants 2, of which 1 would be refused"), "{dry}");
    let first = first.expect(code::REFUSED).err;
    assert!(first.contains("rule budget.zone: zone \"Pumps\" had 1 readings today (UTC), 1 is the most that its owner allows"), "{first}");
    assert!(first.contains("rule budget.site: the site had 3 readings today (UTC), 3 is the most that its owner allows"), "{first}");
    assert!(first.contains("T00:00:00Z on") && first.contains("2 refused"), "{first}");
    assert_eq!(second.expect(code::REFUSED).err.matches("rule budget.site").count(), 5, "another process counts the same record");
    let after = after.expect(code::DONE).out;
    assert!(after.contains("budget.site: 3 of 3 readings spent today (UTC); this run wants 5, of which 5 would be refused"), "{after}");
}

#[test]
fn the_memory_that_frames_wait_in_has_bounds() {
    let Some(product) = needed("the_memory_that_frames_wait_in_has_bounds", Product::find()) else { return };
    let state = State::new();
    for (ring_mib, said) in
        [("0", Some("line 3: ring_mib: 1 to 512")), ("513", Some("line 3: ring_mib")), ("-1", Some("line 3")), ("512", None)]
    {
        let text = format!(
            "name = \"North\"\n[listen]\nring_mib = {ring_mib}\ninterface = \"eth1\"\n[[zone]]\nname = \"one\"\n[[zone.device]]\ntarget = \"127.0.0.1:502/1\"\n"
        );
        let ended = product.run(["ask", "--site", &state.file("site.toml", text), "--dry-run"]);
        match said {
            Some(said) => assert!(ended.expect(code::INPUT).err.contains(said), "{ring_mib}"),
            None => drop(ended.expect(code::DONE)),
        }
    }
}

/// A day of the week that is not within a day of now.
fn never_today() -> &'static str {
    let days = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).expect("after 1970").as_secs() / 86_400;
    // 1970-01-01 was a Thursday.
    ["thu", "fri", "sat", "sun", "mon", "tue", "wed"][usize::try_from((days + 3) % 7).expect("small")]
}

#[test]
fn a_quiet_switch_refuses_every_run_until_it_is_cleared() {
    let Some(product) = needed("a_quiet_switch_refuses_every_run_until_it_is_cleared", Product::find()) else { return };
    let (ended, reports, _) = plant(vec![(Device::new(persona("V1.0")), Device::ANYWHERE)], move |at| {
        let (state, target) = (State::new(), format!("{}/1", at[0]));
        let place = state.text();
        let switch = |words: &[&str]| product.run([&["quiet", "--state", &place], words].concat()).expect(code::DONE);
        let before = switch(&[]).out;
        switch(&["on", "--by", "J. Doe\u{1b}[2J", "--why", "turbine start-up"]);
        let (said, refused) = (switch(&[]).out, product.ask(&state, &[&target]));
        switch(&["off"]);
        (before, said, refused, product.ask(&state, &[&target]))
    });
    let (before, said, refused, asked): (String, String, Ended, Ended) = ended;
    assert_eq!(before, "not quiet\n");
    assert!(said.contains("J. Doe") && said.contains("turbine start-up") && !said.contains('\u{1b}'), "{said:?}");
    let refused = refused.expect(code::REFUSED);
    assert!(refused.err.contains("rule quiet") && refused.err.contains("0 connections, 0 requests"), "{}", refused.err);
    assert!(!refused.err.contains('\u{1b}'), "{:?}", refused.err);
    asked.expect(code::DONE);
    assert_eq!(connections(&reports), [1]);
}

/// Asks once, in this process; the switch is set as soon as the first question has left. What was refused, and how the connection ended.
fn hushed<P: Language + 'static>(device: nameplate_simulators::device::Device<P>, via: Via) -> (Vec<String>, Report) {
    block_on(async {
        let running = device.start(nameplate_simulators::device::Device::<P>::ANYWHERE).await.expect("a port on loopback");
        let (state, endpoint) = (State::new(), Endpoint::Tcp(running.address));
        let touch = Arc::new(TouchRecord::open(state.path(), SystemTime::now).expect("a record"));
        let reason = Reason::WorkOrder("WO-1".to_owned());
        let settings = Settings { time_factor: 0.001, ..Settings::new(reason, Arc::new(SystemTime::now)) };
        let mut refused = Vec::new();
        let out = |event: ask::Event| match event.what {
            What::Sent { .. } => hush(state.path(), "a test").expect("a switch"),
            What::Refused { refused: why, .. } => refused.push(why.rule.to_owned()),
            _ => {}
        };
        ask::ask(vec![Ask { endpoint, via }], &settings, touch, out).await.expect("loopback");
        (refused, settled(running).await)
    })
}

#[test]
fn a_quiet_switch_ends_what_runs_with_a_goodbye() {
    let questions = vec![Question::REGULAR, Question::EXTENDED, Question::BASIC];
    let via = Via::Modbus(Questions { framing: Framing::Tcp, unit: 1, questions });
    let (refused, report) = hushed(Device::new(persona("V1.0")), via);
    assert_eq!((refused, report.requests(), report.sessions[0].ended), (vec!["quiet".to_owned()], 1, SessionEnded::PeerFin), "{report:?}");

    let module = Identity {
        vendor: 1,
        device_type: 14,
        product_code: 54,
        revision: (21, 32),
        condition: 0,
        serial: 7,
        name: b"1756-L83E/B".to_vec(),
        state: 3,
    };
    let persona = enip::Persona::new(module.clone()).with_slots([(0, module.clone()), (1, module)]);
    let via = Via::Cip(cip::Questions { slots: vec![0, 1], safety_controller: false, consent: None });
    let (refused, report) = hushed(enip::Device::new(persona), via);
    // RegisterSession had left; UnRegisterSession frees what we hold.
    assert_eq!((refused, report.requests()), (vec!["quiet".to_owned()], 2), "{report:?}");
    assert!(report.trips.is_empty() && report.sessions[0].bytes_in == 28 + 24, "{report:?}");
}

/// Devices of one kind, of which the catalog knows the kind; then the same places with what `faults` make of them, asked again by `product`.
fn again(state: &State, product: &Product, at: &[SocketAddr], faults: impl Fn(usize) -> Option<Fault>) -> (Ended, Vec<usize>) {
    let devices = at.iter().enumerate().map(|(place, address)| (Device { fault: faults(place), ..Device::new(persona("V1.0")) }, *address));
    let (product, text) = (product.clone(), state.text());
    let (ended, reports, _) = plant(devices.collect(), move |at| {
        let targets: Vec<String> = at.iter().map(|address| format!("{address}/1")).collect();
        let words = ["ask", "--reason", "WO-1", "--time-factor", "0.00001", "--state", &text];
        product.run(words.into_iter().chain(targets.iter().map(String::as_str)))
    });
    (ended, connections(&reports))
}

/// Eight devices of one kind that were asked once, before anybody knew their kind; where they are.
fn known(state: &State, product: &Product) -> Vec<SocketAddr> {
    let anywhere = [Device::ANYWHERE; 8];
    let (product, text) = (product.clone(), state.text());
    let (_, reports, at) = plant(anywhere.map(|at| (Device::new(persona("V1.0")), at)).into(), move |at| {
        let targets: Vec<String> = at.iter().map(|address| format!("{address}/1")).collect();
        let words = ["ask", "--reason", "WO-1", "--time-factor", "0.00001", "--state", &text];
        product.run(words.into_iter().chain(targets.iter().map(String::as_str))).expect(code::DONE);
    });
    assert_eq!(connections(&reports), [1; 8]);
    at
}

const CLASS: &str = "modbus Acme M-100 V1.0";

#[test]
fn three_failures_stop_a_class_until_a_person_releases_it() {
    let Some(product) = needed("three_failures_stop_a_class_until_a_person_releases_it", Product::find()) else { return };
    let state = State::new();
    let at = known(&state, &product);
    let (sound, asked) = again(&state, &product, &at, |_| None);
    assert_eq!(asked, [1; 8], "{}", sound.err);
    let (failing, asked) = again(&state, &product, &at, |_| Some(Fault::RstOnConnect));
    // One address, so one at a time: the third is the last.
    assert_eq!(asked, [1, 1, 1, 0, 0, 0, 0, 0], "{}", failing.err);
    assert_eq!(failing.expect(code::REFUSED).err.matches("rule breaker.class").count(), 5);
    let (sound, asked) = again(&state, &product, &at, |_| None);
    assert_eq!(asked, [0; 8], "sound or not, none of it is asked: {}", sound.err);

    let place = state.text();
    let release = |words: &[&str]| product.run([&["release", "--state", &place], words].concat());
    assert_eq!(release(&[]).expect(code::DONE).out, format!("{CLASS}\n"));
    release(&["another class", "--by", "J. Doe"]).expect(code::USAGE);
    release(&[CLASS, "--by", "J. Doe", "--why", "a switch had lost power"]).expect(code::DONE);
    assert_eq!(release(&[]).expect(code::DONE).out, "");
    let (sound, asked) = again(&state, &product, &at, |_| None);
    assert_eq!(asked, [0, 0, 0, 1, 1, 1, 1, 1], "the three have breakers of their own: {}", sound.err);
    let record = std::fs::read_to_string(state.path().join("touch.ndjson")).expect("a record");
    assert!(record.contains(r#""kind":"released""#) && record.contains("J. Doe: a switch had lost power"), "it is on record");
}

#[test]
fn a_class_that_was_never_asked_is_asked_by_canary_and_left_when_that_fails() {
    let Some(product) = needed("a_class_that_was_never_asked_is_asked_by_canary_and_left_when_that_fails", Product::find()) else { return };
    let state = State::new();
    let at = known(&state, &product);
    let (ended, asked) = again(&state, &product, &at, |place| (place == 0).then_some(Fault::RstOnConnect));
    assert_eq!(asked, [1, 0, 0, 0, 0, 0, 0, 0], "{}", ended.err);
    assert_eq!(ended.expect(code::REFUSED).err.matches("rule canary.failed").count(), 7);
    // The next run has another canary; then three, then all.
    let (ended, asked) = again(&state, &product, &at, |_| None);
    assert_eq!(asked, [0, 1, 1, 1, 1, 1, 1, 1], "{}", ended.err);
}

/// Switches of one kind that have run for so long, at these addresses; asked together. What was said, how many questions each got, where they are.
fn switches(state: &State, product: &Product, up_ticks: &[u32], at: &[SocketAddr]) -> (Ended, Vec<u32>, Vec<SocketAddr>) {
    let persona = |ticks: &u32| snmp::Persona::new(b"Acme switch, V1.0", &[1, 3, 6, 1, 4, 1, 99_999, 7], b"switch", *ticks);
    let devices = up_ticks.iter().zip(at).map(|(ticks, at)| (snmp::Device::new(persona(ticks)), *at)).collect();
    let (product, text) = (product.clone(), state.text());
    let (ended, reports, at) = plant(devices, move |at| {
        let targets: Vec<String> = at.iter().map(SocketAddr::to_string).collect();
        let words = ["ask", "--via", "snmp", "--snmp-community-public", "--reason", "WO-1", "--time-factor", "0.00001", "--state", &text];
        product.run(words.into_iter().chain(targets.iter().map(String::as_str)))
    });
    (ended, reports.iter().map(Report::requests).collect(), at)
}

const DAYS_10: u32 = 10 * 86_400 * 100;

#[test]
fn a_device_that_restarts_as_it_is_read_stops_its_class_and_is_an_alarm() {
    let Some(product) = needed("a_device_that_restarts_as_it_is_read_stops_its_class_and_is_an_alarm", Product::find()) else { return };
    let (state, anywhere) = (State::new(), [snmp::Device::ANYWHERE; 3]);
    let (ended, _, at) = switches(&state, &product, &[DAYS_10; 3], &anywhere);
    ended.expect(code::DONE);
    let (ended, asked, _) = switches(&state, &product, &[DAYS_10 + 300; 3], &at);
    assert_eq!(asked, [1; 3], "they are known by now, and have run on: {}", ended.err);
    assert!(!ended.expect(code::DONE).err.contains("restarted"));

    let (ended, asked, _) = switches(&state, &product, &[500, DAYS_10 + 600, DAYS_10 + 600], &at);
    assert_eq!(asked, [1, 0, 0], "{}", ended.err);
    let ended = ended.expect(code::FAILED);
    assert!(ended.err.contains("ALARM: it had run for 10days 3s when it was read at "), "{}", ended.err);
    assert!(ended.err.contains("and has run for 5s now: it restarted at about "), "{}", ended.err);
    assert!(ended.err.contains("ALARM: 1 device restarted while being read, or soon after"), "{}", ended.err);
    assert_eq!(ended.err.matches("rule breaker.class: a device of the class").count(), 2, "{}", ended.err);

    let (ended, asked, _) = switches(&state, &product, &[600, DAYS_10 + 900, DAYS_10 + 900], &at);
    assert_eq!(asked, [0; 3], "another process knows: {}", ended.err);
    let ended = ended.expect(code::REFUSED);
    assert!(ended.err.contains("rule breaker.open: it had restarted since it was read before: its uptime dropped"), "{}", ended.err);

    let place = state.text();
    let release = |words: &[&str]| product.run([&["release", "--state", &place], words].concat()).expect(code::DONE).out;
    let class = release(&[]);
    assert_eq!(class, "snmp 1.3.6.1.4.1.99999.7\n");
    release(&[class.trim(), "--by", "J. Doe", "--why", "its supply had failed"]);
    let (ended, asked, _) = switches(&state, &product, &[600, DAYS_10 + 900, DAYS_10 + 900], &at);
    assert_eq!(asked, [0, 1, 1], "the one has a breaker of its own: {}", ended.err);
    let told: Vec<(String, String)> = state
        .touches()
        .iter()
        .filter(|line| ["uptime", "restarted", "upset"].contains(&line["kind"].as_str().unwrap_or_default()))
        .map(|line| (line["kind"].as_str().unwrap_or_default().to_owned(), line["uptime_ticks"].to_string()))
        .collect();
    assert_eq!((told.len(), &told[6].1, told[7].0.as_str()), (3 + 3 + 2 + 2, &"500".to_owned(), "upset"), "{told:?}");
}

#[test]
fn a_counter_that_begins_again_after_497_days_is_told_and_stops_nothing() {
    let Some(product) = needed("a_counter_that_begins_again_after_497_days_is_told_and_stops_nothing", Product::find()) else { return };
    let (state, anywhere) = (State::new(), [snmp::Device::ANYWHERE; 2]);
    let (ended, _, at) = switches(&state, &product, &[u32::MAX; 2], &anywhere);
    ended.expect(code::DONE);
    let (ended, asked, _) = switches(&state, &product, &[500; 2], &at);
    assert_eq!(asked, [1; 2], "{}", ended.err);
    assert_eq!(ended.expect(code::DONE).err.matches("its uptime began again at 0").count(), 2);
}
