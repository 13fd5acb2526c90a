//! One truthful asset out of many claims: what happens to devices in plants, as captures tell it, and what the catalog makes of it, in
//! whatever order it comes to know.

mod frames;

use std::collections::BTreeSet;
use std::fs;

use frames::{CONTROLLER, DAY, Plate, lldp, modbus};
use nameplate_core::catalog::{Asset, Catalog, Happened, events};
use nameplate_core::claim::Field;
use nameplate_core::hand::{Act, Hand};
use nameplate_core::observation::{Observation, Source};
use nameplate_core::profile::{Interpretation, Matched, ProfileSet};
use nameplate_core::wire::Reading;
use nameplate_core::wire::listen::{Event, Listener};
use nameplate_tests::corpus::{captures, frames_of};
use nameplate_tests::pcap::{pcap_of, said_over_tcp};
use nameplate_tests::personas::Draw;
use nameplate_tests::place::{needed, shared};
use nameplate_tests::product::{Product, State, code};

/// Orders in which the stories are told.
const ORDERS: usize = 1_000;
/// Orders in which all public captures are.
const CORPUS_ORDERS: usize = 5;

/// An observation with what it means; its entry in the ledger is its place among all.
type Heard = (Observation, Interpretation);

/// What a capture says, as `listen` takes it in.
fn hear(file: &str, zone: Option<&str>, bytes: &[u8], profiles: &ProfileSet) -> Vec<Heard> {
    let (mut listener, mut heard) = (Listener::new(&[]), Vec::new());
    let mut take = |reading: &Reading, frame, time_ns| {
        let said = if reading.messages.is_empty() { Interpretation::of(Matched::None, Vec::new()) } else { profiles.interpret(reading) };
        let mut observation = Observation::of(reading, Source::Capture { file: file.into(), frame }, time_ns);
        observation.address.zone = zone.map(str::to_owned);
        heard.push((observation, said));
    };
    let mut each = |event| match event {
        Event::Reading(reading) => {
            let last = reading.messages.last().map_or((0, 0), |message| (message.frame, message.time_ns));
            take(&reading, last.0, last.1);
        }
        Event::Present { protocol, over, role, speaker, at } => {
            take(&Reading::new(protocol, over, role.presence(), speaker), at.frame, at.time_ns);
        }
        _ => {}
    };
    for (frame, number) in frames_of(bytes).iter().zip(1..) {
        listener.frame(&frame.numbered(number), &mut each);
    }
    listener.finish(&mut each);
    heard
}

/// What frames say.
fn told(frames: &[Vec<u8>], profiles: &ProfileSet) -> Vec<Heard> {
    hear("story.pcap", None, &pcap_of(frames), profiles)
}

/// The catalog of these, told in this order; each keeps the entry that it has in the ledger.
fn catalog(heard: &[Heard], order: &[usize]) -> Catalog {
    let mut catalog = Catalog::default();
    for at in order {
        let (observation, said) = &heard[*at];
        catalog.take_entry(observation, said, Some(*at as u64));
    }
    catalog.settle();
    catalog
}

fn in_order(heard: &[Heard]) -> Vec<usize> {
    (0..heard.len()).collect()
}

fn built_in() -> ProfileSet {
    ProfileSet::built_in().expect("valid")
}

fn value(asset: &Asset, field: Field) -> String {
    asset.shown(field).map(|current| current.standing.claim.value.clone()).unwrap_or_default()
}

/// The kinds of events with the fields they are about, before and after; ids are left out.
fn happened(catalog: &Catalog, profiles: &ProfileSet) -> Vec<(Happened, String, String)> {
    let all = events(catalog, profiles).into_iter().filter(|event| event.happened != Happened::New);
    let text = |text: &str| text.split(' ').skip_while(|word| word.starts_with("a-")).collect::<Vec<_>>().join(" ");
    all.map(|event| (event.happened, text(&event.before), text(&event.after))).collect()
}

/// Shuffled by Fisher and Yates.
fn shuffled(length: usize, random: &mut Draw) -> Vec<usize> {
    let mut order: Vec<usize> = (0..length).collect();
    for at in (1..length).rev() {
        order.swap(at, random.below(at + 1));
    }
    order
}

/// A story: what was heard, how many assets that is, and what happened to them.
struct Story {
    name: &'static str,
    heard: Vec<Heard>,
    assets: usize,
    events: Vec<(Happened, &'static str, &'static str)>,
}

fn stories(profiles: &ProfileSet) -> Vec<Story> {
    one_after_another(profiles).into_iter().chain(side_by_side(profiles)).collect()
}

/// What answers at an address, day by day.
fn one_after_another(profiles: &ProfileSet) -> Vec<Story> {
    let on_day = |plate: Plate, days: &[u32]| days.iter().map(|day| plate.says(day * DAY)).collect::<Vec<_>>();
    let moved = Plate { ip: [10, 0, 0, 12], ..CONTROLLER };
    let spare = Plate { mac: 0x12, serial: 0x00AB_0001, ..CONTROLLER };
    let story = |name, frames: Vec<Vec<u8>>, assets, events| Story { name, heard: told(&frames, profiles), assets, events };
    vec![
        story("nothing happens", on_day(CONTROLLER, &[0, 1, 2]), 1, vec![]),
        story(
            "an address changes",
            [on_day(CONTROLLER, &[0, 1]), on_day(moved, &[2, 3])].concat(),
            1,
            vec![(Happened::AddressMoved, "10.0.0.11", "10.0.0.12")],
        ),
        story(
            "a firmware is brought in, and taken back",
            [CONTROLLER.says(0), Plate { revision: [20, 12], ..CONTROLLER }.says(DAY), CONTROLLER.says(2 * DAY)].to_vec(),
            1,
            vec![(Happened::FirmwareChanged, "20.11", "20.12"), (Happened::FirmwareChanged, "20.12", "20.11")],
        ),
        story(
            "a card is swapped",
            [on_day(CONTROLLER, &[0, 1]), on_day(spare, &[2])].concat(),
            2,
            vec![(Happened::DeviceSwapped, "(serial number 0x00abcdef)", "(serial number 0x00ab0001)")],
        ),
        story(
            "a redundant partner answers on the same address, and gives it back",
            [on_day(CONTROLLER, &[0]), on_day(spare, &[1]), on_day(CONTROLLER, &[2])].concat(),
            2,
            vec![
                (Happened::PartnerAnswered, "(serial number 0x00abcdef)", "(serial number 0x00ab0001)"),
                (Happened::PartnerAnswered, "(serial number 0x00ab0001)", "(serial number 0x00abcdef)"),
            ],
        ),
    ]
}

/// Several devices that look alike.
fn side_by_side(profiles: &ProfileSet) -> Vec<Story> {
    let story = |name, frames: Vec<Vec<u8>>, assets, events| Story { name, heard: told(&frames, profiles), assets, events };
    let unset = |serial, last: u8| Plate { mac: last, ip: [10, 0, 0, last], serial, ..CONTROLLER };
    let own = modbus(255, "ACME", "GW-1", "V9.0");
    let slaves: Vec<_> =
        own.into_iter().chain((1..=30).flat_map(|unit| modbus(unit, "ACME", &format!("EM{unit}"), &format!("V1.{unit}")))).collect();
    vec![
        story("two have a serial number that nobody set", [unset(0, 21).says(0), unset(0, 22).says(1)].to_vec(), 2, vec![]),
        story("all bits of it are set", [unset(u32::MAX, 21).says(0), unset(u32::MAX, 22).says(1)].to_vec(), 2, vec![]),
        Story {
            name: "two devices of one network have one serial number at once",
            // A capture each day: in one, what was told already is not told again.
            heard: [0, DAY].into_iter().fold(Vec::new(), |mut all, day| {
                let both = [unset(7_777_123, 21).says(day), unset(7_777_123, 22).says(day + 60)];
                all.extend(hear(&format!("{day}.pcap"), None, &pcap_of(&both), profiles));
                all
            }),
            assets: 2,
            events: vec![],
        },
        story(
            "two products of one maker count alike",
            [unset(7_777_123, 21).says(0), Plate { code: 55, ..unset(7_777_123, 22) }.says(60)].to_vec(),
            2,
            vec![],
        ),
        story(
            "another maker sells it under his name",
            [CONTROLLER.says(0), Plate { mac: 0x31, ip: [10, 0, 0, 31], vendor: 40, name: "750-891", ..CONTROLLER }.says(60)].to_vec(),
            2,
            vec![],
        ),
        story(
            "a switch announces itself out of each of its ports",
            [
                lldp(0, 0x41, 0x40, [10, 0, 0, 40], "Switch"),
                lldp(1, 0x42, 0x40, [10, 0, 0, 40], "Switch"),
                lldp(2, 0x43, 0x40, [10, 0, 0, 40], "Switch"),
            ]
            .to_vec(),
            1,
            vec![],
        ),
        story("thirty slaves stand behind a gateway", said_over_tcp(502, &slaves), 31, vec![]),
        Story {
            name: "one address is given in three zones",
            heard: ["cell 1", "cell 2", "cell 3"].iter().zip(1..).fold(Vec::new(), |mut all, (zone, number)| {
                let plate = Plate { serial: 0x0100_0000 + number, revision: [20, u8::try_from(number).expect("few")], ..CONTROLLER };
                all.extend(hear(&format!("{zone}.pcap"), Some(zone), &pcap_of(&[plate.says(number), plate.says(DAY + number)]), profiles));
                all
            }),
            assets: 3,
            events: vec![],
        },
    ]
}

#[test]
fn each_story_gives_one_truthful_asset_and_what_happened_to_it() {
    let profiles = built_in();
    for Story { name, heard, assets, events } in stories(&profiles) {
        let catalog = catalog(&heard, &in_order(&heard));
        let shown: Vec<(&str, String)> = catalog.assets().map(|asset| (asset.id.as_str(), value(asset, Field::FirmwareRevision))).collect();
        assert_eq!(catalog.assets().count(), assets, "{name}: {shown:#?}");
        let events: Vec<_> = events.into_iter().map(|(kind, before, after)| (kind, before.to_owned(), after.to_owned())).collect();
        assert_eq!(happened(&catalog, &profiles), events, "{name}");
    }
}

#[test]
fn all_stories_in_a_thousand_orders_give_the_same_catalog() {
    let profiles = built_in();
    let mut random = Draw(seed());
    let all = stories(&profiles);
    // Each alone, and all at once as in one plant: there the addresses of several are one.
    let together: Vec<Heard> = all.iter().flat_map(|story| story.heard.clone()).collect();
    for (name, heard) in all.iter().map(|story| (story.name, &story.heard)).chain([("all at once", &together)]) {
        let expected = catalog(heard, &in_order(heard));
        let expected_events = events(&expected, &profiles);
        for number in 0..ORDERS {
            let told = catalog(heard, &shuffled(heard.len(), &mut random));
            assert!(
                told == expected,
                "{name}, order {number}: {:#?}\n{:#?}",
                told.assets().collect::<Vec<_>>(),
                expected.assets().collect::<Vec<_>>()
            );
            assert_eq!(events(&told, &profiles), expected_events, "{name}, order {number}");
        }
    }
}

#[test]
fn all_public_captures_in_any_order_give_the_same_catalog() {
    let Some(files) = needed("all_public_captures_in_any_order_give_the_same_catalog", captures()) else { return };
    let profiles = built_in();
    let mut heard = Vec::new();
    for file in files {
        let name = file.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        heard.extend(hear(&name, None, &fs::read(&file).expect("read"), &profiles));
    }
    let expected = catalog(&heard, &in_order(&heard));
    let expected_events = events(&expected, &profiles);
    eprintln!("{} observations, {} assets, {} events", heard.len(), expected.assets().count(), expected_events.len());
    let mut random = Draw(seed());
    for number in 0..CORPUS_ORDERS {
        let told = catalog(&heard, &shuffled(heard.len(), &mut random));
        let differs = told.assets().zip(expected.assets()).find(|(one, other)| one != other);
        assert!(told == expected, "order {number}: {differs:#?}");
        assert_eq!(events(&told, &profiles), expected_events, "order {number}");
    }
}

fn seed() -> u64 {
    nameplate_tests::personas::seed()
}

#[test]
fn modules_of_a_backplane_are_parts_of_the_device_at_its_address() {
    let test = "modules_of_a_backplane_are_parts_of_the_device_at_its_address";
    let Some(shared) = needed(test, shared()) else { return };
    let profiles = built_in();
    let file = shared.join("captures/ITI__ICS-Security-Tools/pcaps/openics/EIP-IPAddressChangeAttempt.pcap");
    let heard = hear("backplane.pcap", None, &fs::read(file).expect("read"), &profiles);
    let catalog = catalog(&heard, &in_order(&heard));
    let children = catalog.children();
    let paths = |id: &str| catalog.asset(id).and_then(|asset| asset.addresses.last()).and_then(|address| address.path.clone());
    // It was given another address in the middle: slot 1 is the module that answers, and all four moved with it.
    let moved =
        events(&catalog, &profiles).into_iter().filter(|event| event.happened == Happened::AddressMoved && event.after == "192.168.10.120");
    assert_eq!(moved.map(|event| event.before).collect::<Vec<_>>(), ["192.168.10.125"]);
    let parts: BTreeSet<String> = children.values().flatten().filter_map(|id| paths(id)).collect();
    assert!(!parts.is_empty(), "{children:?}");
    for (parent, parts) in &children {
        let parent = catalog.asset(parent).expect("an asset");
        let ip = parent.addresses.last().and_then(|address| address.ip).expect("an address");
        for part in parts {
            let path = paths(part).expect("a path");
            assert!(path.starts_with(&format!("{ip}/")) || !path.contains('.'), "{path} is behind {ip}");
        }
    }
}

#[test]
fn slaves_are_parts_of_their_gateway() {
    let profiles = built_in();
    let story = stories(&profiles).into_iter().find(|story| story.name.starts_with("thirty")).expect("told");
    let catalog = catalog(&story.heard, &in_order(&story.heard));
    let children = catalog.children();
    assert_eq!(children.values().map(Vec::len).collect::<Vec<_>>(), [30], "{children:?}");
    let firmware: BTreeSet<String> =
        children.values().flatten().filter_map(|id| catalog.asset(id)).map(|asset| value(asset, Field::FirmwareRevision)).collect();
    assert_eq!(firmware, (1..=30).map(|unit| format!("V1.{unit}")).collect(), "each has its own");
}

#[test]
fn what_a_person_merged_and_split_is_taken_back_without_a_trace() {
    let profiles = built_in();
    let heard = told(&[CONTROLLER.says(0), Plate { mac: 0x21, ip: [10, 0, 0, 21], serial: 0x21, ..CONTROLLER }.says(1)], &profiles);
    let before = catalog(&heard, &in_order(&heard));
    let ids: Vec<String> = before.assets().map(|asset| asset.id.clone()).collect();
    let [one, other] = &ids[..] else { panic!("{ids:?}") };
    let hand = |act| Hand { act, by: "Ada".into(), reason: "one chassis".into(), second: None };
    let merge = hand(Act::Merge { stays: one.clone(), goes: other.clone() });
    let undo = |entry| hand(Act::Undo { entry });
    let mut catalog = before.clone();
    catalog.hand(&merge, 5, Some(100));
    catalog.settle();
    assert_eq!(catalog.assets().count(), 1);
    assert_eq!(catalog.asset(other).map(|asset| asset.id.as_str()), Some(one.as_str()), "the id that goes still names it");
    catalog.hand(&undo(100), 6, Some(101));
    catalog.settle();
    assert!(catalog == before, "as it was");
    catalog.hand(&undo(101), 7, Some(102));
    catalog.settle();
    assert_eq!(catalog.assets().count(), 1, "what takes back is taken back");
    // One number at two addresses, one after the other, is one device that moved; a person may know better.
    let moved = told(&[CONTROLLER.says(0), Plate { ip: [10, 0, 0, 12], ..CONTROLLER }.says(DAY)], &profiles);
    let mut catalog = self::catalog(&moved, &in_order(&moved));
    let asset = catalog.assets().next().expect("one").clone();
    let address = asset.addresses.last().expect("an address").clone();
    catalog.hand(&hand(Act::Split { asset: asset.id.clone(), address }), 5, Some(100));
    catalog.settle();
    assert_eq!(catalog.assets().count(), 2);
    assert!(catalog.asset(&asset.id).is_some(), "its id stays a name");
}

#[test]
fn a_plant_tells_its_story_through_the_command_line() {
    let test = "a_plant_tells_its_story_through_the_command_line";
    let Some(product) = needed(test, Product::find()) else { return };
    let state = State::new();
    let place = state.path().join("kept").to_string_lossy().into_owned();
    let run = |words: &[&str]| product.run(words.iter().copied().chain(["--state", &place]));
    let capture = |name: &str, frames: &[Vec<u8>]| state.file(name, pcap_of(frames));
    let newer = Plate { revision: [20, 12], ip: [10, 0, 0, 12], ..CONTROLLER };
    // The later capture is taken in first.
    run(&["listen", &capture("second.pcap", &[newer.says(2 * DAY)])]).expect(code::DONE);
    let id = run(&["devices"]).expect(code::DONE).lines().remove(0)["id"].as_str().expect("an id").to_owned();
    run(&["listen", &capture("first.pcap", &[CONTROLLER.says(0)])]).expect(code::DONE);
    let devices = run(&["devices"]).expect(code::DONE).lines();
    assert_eq!(devices.iter().map(|line| line["id"].as_str().expect("an id")).collect::<Vec<_>>(), [&id], "its id stays");
    let kinds = |words: &[&str]| -> Vec<(String, String, String)> {
        let lines = run(&[&["events"], words].concat()).expect(code::DONE).lines();
        let text = |line: &serde_json::Value, key: &str| line[key].as_str().unwrap_or_default().to_owned();
        lines.iter().map(|line| (text(line, "kind"), text(line, "before"), text(line, "after"))).collect()
    };
    let words = |all: &[(&str, &str, &str)]| -> Vec<(String, String, String)> {
        all.iter().map(|(kind, before, after)| ((*kind).to_owned(), (*before).to_owned(), (*after).to_owned())).collect()
    };
    let told = [("new", "", "10.0.0.11"), ("firmware-changed", "20.11", "20.12"), ("address-moved", "10.0.0.11", "10.0.0.12")];
    assert_eq!(kinds(&[]), words(&told));
    assert_eq!(kinds(&["--kind", "firmware-changed", "--asset", &id]), words(&told[1..2]));
    assert_eq!(kinds(&["--since", "2023-11-16"]), words(&told[1..]));
    assert_eq!(kinds(&["--as-of", "2020-01-01"]), words(&[]));
    // What only a person knows.
    let who = ["--by", "Ada", "--reason", "walk-down"];
    let by_hand = |words: &[&str]| run(&[&["device"], words, &who].concat());
    let entry = by_hand(&["set", &id, "zone=Boiler", "criticality=high"]).expect(code::DONE).lines().remove(0)["entry"].to_string();
    by_hand(&["set", &id, "colour=red"]).expect(code::USAGE);
    let columns = || run(&["device", &id]).expect(code::DONE).lines().remove(0)["columns"].clone();
    assert_eq!((&columns()["zone"], &columns()["criticality"]), (&"Boiler".into(), &"high".into()));
    by_hand(&["undo", &entry]).expect(code::DONE);
    by_hand(&["undo", &entry]).expect(code::USAGE);
    assert_eq!(columns(), serde_json::Value::Null);
    by_hand(&["read", &id, "firmware_revision=9.9", "boot_revision=1.0", "--on", "2023-01-01", "--second", "Grace"]).expect(code::DONE);
    let page = run(&["device", &id, "--format", "table"]).expect(code::DONE).out;
    assert!(page.contains("days old, stale"), "{page}");
    let line = run(&["device", &id]).expect(code::DONE).lines().remove(0);
    let fields = line["fields"].as_array().expect("fields");
    let field = |name: &str| fields.iter().find(|line| line["field"] == name).expect("told");
    assert_eq!(field("firmware_revision")["value"], "20.12", "a worse grade never stands before a better");
    assert_eq!(field("firmware_revision")["conflicting"][0], "9.9 (by-hand.firmware_revision, by-hand)");
    assert_eq!((&field("boot_revision")["value"], &field("boot_revision")["grade"]), (&"1.0".into(), &"by-hand".into()));
    let site = state.file(
        "site.toml",
        "name = \"S\"\n[[zone]]\nname = \"Turbine\"\nnetworks = [\"10.0.0.0/24\"]\nfacts = { exposure = \"internet\" }\n",
    );
    assert_eq!(by_hand(&["zones", &site]).expect(code::DONE).lines().len(), 1);
    assert_eq!((&columns()["zone"], &columns()["exposure"]), (&"Turbine".into(), &"internet".into()));
    run(&["ledger", "verify"]).expect(code::DONE);
}
