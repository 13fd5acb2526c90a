//! A day of a large site in virtual time: what one tells, the plan that asks it, the hatch's back pressure, commits, and restarts of either side, through the desk's
//! own code. Not in it: sockets, the guard, pacing and the kernel, which tests/tests/load has for real.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use nameplate_core::ledger::{Body, SiteKey};
use nameplate_core::observation::{Observation, Source, hex};
use nameplate_core::profile::ProfileSet;
use nameplate_core::seal::Chain;
use nameplate_core::wire::conversation::Over;
use nameplate_core::wire::{Address, Fact, Message, Reading, Shape};
use nameplate_field::touch::{Kind, Line};

use super::desk::Desk;
use super::plan::{Plan, Wanted};
use crate::hatch::{FORMAT, Listed, Next, Outbox, Report, Request};
use crate::house::House;
use crate::intake::{Intake, profile_of};
use crate::print::json_line;
use crate::store::Store;

/// A large site; a tenth of it where nothing is optimized.
const DEVICES: u32 = if cfg!(debug_assertions) { 200 } else { 2_000 };
const MINUTES: u64 = 24 * 60;
const MINUTE_NS: u64 = 60_000_000_000;
const DAY_NS: u64 = MINUTES * MINUTE_NS;
/// 2026-11-22T09:30:00Z: midnight, when all is said anew, is in the middle.
const BEGIN_NS: u64 = 1_795_339_800_000_000_000;
/// Each device is heard so often, a tenth of them a minute.
const HEARD_EVERY: u64 = 10;
/// The desk brings what it took to the disk.
const COMMIT_EVERY: u64 = 2;
/// The desk ends without a word, and another begins with what is on disk.
const DESK_DIES_EVERY: u64 = 97;
/// Nobody takes anything for so long, now and then.
const AWAY: std::ops::Range<u64> = 600..660;

/// The field side of that day: what it has heard, what it has to tell, and its touch record.
struct Field {
    profiles: ProfileSet,
    outbox: Outbox,
    key: SiteKey,
    record: Vec<String>,
    asked: BTreeMap<String, Vec<u64>>,
    /// What the desk said that it has.
    acknowledged: Vec<String>,
    told: BTreeMap<u64, String>,
}

fn name(number: u32) -> String {
    format!("PLC {number}")
}

/// One in a hundred says another release in the afternoon.
fn turned(number: u32, time_ns: u64) -> bool {
    number.is_multiple_of(100) && time_ns > BEGIN_NS + MINUTES / 4 * MINUTE_NS
}

fn number(name: &str) -> u32 {
    name.rsplit(' ').next().and_then(|number| number.parse().ok()).expect("a device of ours")
}

/// What a device says of itself.
fn reading(number: u32, time_ns: u64) -> Reading {
    let words = ["Acme".to_owned(), format!("M-{number}"), format!("V{}.{number}", if turned(number, time_ns) { 2 } else { 1 })];
    let [_, _, high, low] = number.to_be_bytes();
    let speaker = Address { ip: Some([10, 0, high, low].into()), port: Some(502), unit: Some(1), ..Address::default() };
    let mut reading = Reading::new("modbus", Over::Tcp, "modbus.identification.basic", speaker);
    let bytes = words.concat().into_bytes();
    let fact = |(object, word): (usize, &String)| Fact {
        path: format!("modbus.object.{object}"),
        bytes: word.clone().into_bytes(),
        shape: Shape::Text,
        message: 0,
        offset: 0,
    };
    reading.facts = words.iter().enumerate().map(fact).collect();
    reading.messages = vec![Message { frame: 1, time_ns, bytes }];
    reading.complete = true;
    reading
}

/// What an observation is known by on both sides: all of it but its messages, of which the ledger has the digests.
fn key_of(observation: &Observation) -> String {
    hex(&Observation { messages: Vec::new(), ..observation.clone() }.digest())
}

impl Field {
    fn hears(&mut self, intake: &mut Intake<'_>, reading: &Reading, source: Source) {
        let Some((observation, meaning)) = intake.take(reading, source).expect("nothing is written") else { return };
        let profile = profile_of(&self.profiles, &meaning).map(|(sha256, _)| sha256.to_owned());
        let id = key_of(&observation);
        let (observation, meaning) = (Box::new(observation), Box::new(meaning));
        let told = &mut self.told;
        self.outbox.put(profile.clone().as_deref(), |number| {
            told.insert(number, id);
            json_line(&Report::Said { number, observation, meaning, profile })
        });
    }

    /// Reads devices, as the desk wants it, and seals what it did.
    fn asks(&mut self, intake: &mut Intake<'_>, devices: &[String], now_ns: u64) {
        let mut chain = self.chain();
        for device in devices {
            self.asked.entry(device.clone()).or_default().push(now_ns);
            self.write(&mut chain, &Line { why: Some(device.clone()), ..Line::new(Kind::Connect) });
            self.hears(intake, &reading(number(device), now_ns), Source::Asked { reason: "daily".into() });
        }
        let seal = chain.seal(&self.key);
        self.write(&mut chain, &Line { seal: Some(seal), ..Line::new(Kind::Sealed) });
    }

    fn write(&mut self, chain: &mut Chain, line: &Line) {
        let line = serde_json::to_string(line).expect("JSON");
        chain.take(&line);
        self.record.push(line);
    }

    /// Behind the last seal.
    fn chain(&self) -> Chain {
        let last = self.record.last().and_then(|line| serde_json::from_str::<Line>(line).ok()).and_then(|line| line.seal);
        last.as_ref().map_or_else(Chain::default, Chain::behind)
    }

    fn welcome(&self) -> Report {
        let asked =
            |device: &String| self.asked.get(device).and_then(|times| Some(("daily".to_owned(), *times.last()?))).into_iter().collect();
        let devices = (0..DEVICES).map(name).map(|name| Listed { asked: asked(&name), at: Vec::new(), name }).collect();
        let (program, site, key) = ("nameplate".to_owned(), "North".to_owned(), self.key.public().digits());
        Report::Welcome { format: FORMAT, program, site, devices, key, interfaces: Vec::new() }
    }

    fn kept(&mut self, number: u64) {
        self.outbox.kept(number);
        let rest = self.told.split_off(&(number + 1));
        self.acknowledged.extend(std::mem::replace(&mut self.told, rest).into_values());
    }
}

/// One conversation, from a minute on until the desk dies, or for as long as there is a day; the minute behind it.
fn converse(field: &mut Field, intake: &mut Intake<'_>, state: &Path, from: u64) -> u64 {
    let plan = Plan {
        name: "daily".to_owned(),
        devices: Vec::new(),
        every: Duration::from_secs(24 * 60 * 60),
        catch_up: Duration::from_secs(60 * 60),
    };
    let (mut house, mut wanted) = (House::open(state, ProfileSet::built_in().expect("profiles")).expect("a house"), Wanted::default());
    house.started_ns = BEGIN_NS + from * MINUTE_NS;
    let mut desk = Desk::new(&house, (std::slice::from_ref(&plan), &mut wanted), None).expect("a desk");
    let Request::Hello { touched, .. } = desk.hello() else { panic!("no hello") };
    field.outbox.begin_again();
    assert_eq!(desk.take(field.welcome()).expect("a welcome"), None);
    // Bytes of the record are lines here: what counts is where the desk goes on.
    let mut at = usize::try_from(touched).expect("a number");
    for minute in from..MINUTES {
        let now_ns = BEGIN_NS + minute * MINUTE_NS;
        let heard = (0..DEVICES).filter(|number| u64::from(*number) % HEARD_EVERY == minute % HEARD_EVERY);
        heard.for_each(|number| field.hears(intake, &reading(number, now_ns), Source::Live { interface: "eth1".into(), frame: minute }));
        if AWAY.contains(&minute) {
            continue;
        }
        if let Some(Request::Ask { devices, round, .. }) = desk.due(now_ns) {
            field.asks(intake, &devices, now_ns);
            let over = Report::Asked { round, refused: 0, unanswered: 0, upset: 0, unasked: Vec::new() };
            assert_eq!(desk.take(over).expect("the end of a round"), None);
        }
        let lines = field.record.get(at..).unwrap_or_default().to_vec();
        at = field.record.len();
        if !lines.is_empty() {
            assert_eq!(desk.take(Report::Touched { lines, end: at as u64 }).expect("lines under their seal"), None);
        }
        while let Some(next) = field.outbox.next_told() {
            let report = match next {
                Next::Profile(sha256) => Report::profile(&field.profiles, &sha256).expect("a profile"),
                Next::Line(line) => serde_json::from_str(&line).expect("a report"),
            };
            assert_eq!(desk.take(report).expect("a report that is taken"), None);
        }
        if minute % COMMIT_EVERY == 0
            && let Some(Request::Kept { number }) = desk.commit().expect("a disk")
        {
            field.kept(number);
        }
        if minute % DESK_DIES_EVERY == DESK_DIES_EVERY - 1 {
            return minute + 1;
        }
    }
    if let Some(Request::Kept { number }) = desk.commit().expect("a disk") {
        field.kept(number);
    }
    MINUTES
}

#[test]
fn a_day_of_a_large_site_asks_each_device_in_its_turn_and_loses_nothing() {
    let state = std::env::temp_dir().join(format!("nameplate-day-{}", std::process::id()));
    let profiles = ProfileSet::built_in().expect("profiles");
    let mut intake = Intake::new(&profiles, None).expect("an intake");
    let mut field = Field {
        profiles: ProfileSet::built_in().expect("profiles"),
        outbox: Outbox::default(),
        key: SiteKey::of(&[7; 32]),
        record: Vec::new(),
        asked: BTreeMap::new(),
        acknowledged: Vec::new(),
        told: BTreeMap::new(),
    };
    let mut minute = 0;
    while minute < MINUTES {
        minute = converse(&mut field, &mut intake, &state, minute);
    }
    let store = Store::read(&state).expect("a state").expect("a ledger");
    store.verify(None).expect("a ledger that holds together");
    let (mut observations, mut touched) = (std::collections::BTreeSet::new(), Vec::new());
    for index in 0..store.size() {
        match store.entry(index).expect("an entry").body {
            Body::Observation(observed) => drop(observations.insert(key_of(&observed.observation))),
            Body::Touch { line } => touched.push(line),
            _ => {}
        }
    }
    std::fs::remove_dir_all(&state).expect("removed");
    assert_eq!((field.outbox.given_up(), field.outbox.next_told(), field.told.len()), (0, None, 0));
    assert!(field.acknowledged.iter().all(|id| observations.contains(id)), "what was acknowledged is not there");
    // Each is heard first, and anew after midnight; one in a hundred says another release; and what a plan reads is told where it is the first of its day, or another.
    let read = |(device, times): (&String, &Vec<u64>)| {
        let said = times.iter().map(|time_ns| (time_ns / DAY_NS, turned(number(device), *time_ns)));
        said.collect::<std::collections::BTreeSet<_>>().len()
    };
    let expected = (2 * DEVICES + DEVICES / 100) as usize + field.asked.iter().map(read).sum::<usize>();
    assert_eq!((observations.len(), field.acknowledged.len()), (expected, expected));
    assert_eq!(touched, field.record);
    assert_eq!(field.asked.len(), DEVICES as usize);
    // Once to catch up, and once at its own moment, however often either side began anew; the second of one UTC day is what the field side's budget refuses.
    assert!(field.asked.values().all(|times| (1..=2).contains(&times.len())), "somebody was asked too often");
}
