//! A gateway at a large site: 2,000 devices, a mirror port with 20,000 frames a second, fifty who ask the page and the API; and either process killed in the
//! middle of it. What the gateway acknowledged is in its ledger, what it dropped is counted, and nobody is asked sooner than pacing allows.
//!
//! `NAMEPLATE_LOAD_SECONDS` says how long the load lasts, `NAMEPLATE_KILL_SECONDS` how long kills go on, 15 to 45 s apart (`cargo xtask soak --load`: 1,200 and
//! 600). With them gaps are those of a plant; without, a tenth of them, and ten kills are 1 to 3 s apart.

mod clients;
mod hatch;
mod stand;
mod wire;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use nameplate_core::account::Event;
use nameplate_core::ledger::{Body, Entry};
use nameplate_tests::personas::Draw;
use nameplate_tests::place::needed;
use nameplate_tests::product::code;
use nameplate_tests::web::Asker;
use rusqlite::Connection;

use self::clients::{Account, Clients, Plain, ranks};
use self::hatch::key_of;
use self::stand::{DEVICES, Memory, SEGMENTS, Stand, Watch, arrived, processor_s};
use self::wire::{Manners, Wire};

/// Frames on the mirror port.
const FRAMES_PER_S: u32 = 20_000;
const SECONDS: u64 = 30;
const KILLS: usize = 10;
/// Between kills of the short form, and of the long one.
const PAUSE_MS: [(u64, u64); 2] = [(1_000, 3_000), (15_000, 45_000)];
/// Gaps of the short form, as a part of those of a plant.
const SHORT_FACTOR: f64 = 0.1;
/// Between two readings of one device, and between two devices of a segment (docs/read-only.md, section 3).
const READING_GAP: Duration = Duration::from_secs(30);
const DEVICE_GAP: Duration = Duration::from_secs(5);
/// Between a line of the touch record, from which gaps are counted behind a restart, and the frame lies a sync of the disk, and a busy machine adds its own: a twentieth of the
/// five seconds of a plant.
const WIRE_TOLERANCE: Duration = Duration::from_millis(250);
/// The goal for both processes together, printed beside what they took.
const MEMORY_GOAL_MIB: u64 = 120;
/// The goal from the start of a process until it is ready. It is printed beside what it took: how busy a machine is fails no test.
const READY_GOAL_SECONDS: u64 = 5;
/// What the field side counted is told every five seconds.
const COUNTED_SECONDS_MAX: Duration = Duration::from_secs(60);

fn seconds(name: &str) -> Option<u64> {
    std::env::var(name).ok()?.parse().ok()
}

/// Waits: load takes its time.
fn pause(time: Duration) {
    let (_never, nothing) = mpsc::channel::<()>();
    let _ = nothing.recv_timeout(time);
}

#[test]
fn a_large_site_under_load_loses_nothing_and_counts_what_it_drops() {
    let test = "a_large_site_under_load_loses_nothing_and_counts_what_it_drops";
    let Some(parts) = needed(test, Stand::parts()) else { return };
    let long = seconds("NAMEPLATE_LOAD_SECONDS");
    let (time, factor) = (Duration::from_secs(long.unwrap_or(SECONDS)), if long.is_some() { 1.0 } else { SHORT_FACTOR });
    // Three quarters of it: the last readings are over when the load is.
    let mut stand = Stand::new(parts, factor, time * 3 / 4);
    let wire = Wire::record(&stand.segment, stand.folder.path().join("asked.pcapng"));
    let ((mut field, field_took), (mut desk, desk_took)) = (stand.field(), stand.desk());
    println!("ready after {:.2} s (field) and {:.2} s (desk)", field_took.as_secs_f64(), desk_took.as_secs_f64());
    let watch = Watch::start();
    watch.at(0, &field);
    watch.at(1, &desk);
    let (before, begun) = (arrived(&stand.segment), Instant::now());
    let mirror = stand.mirror(FRAMES_PER_S, time);
    desk.says("serve: plan identity");
    let wants_every = (time / 3).clamp(Duration::from_secs(10), Duration::from_secs(60));
    let clients = Clients::start(&stand.page, &stand.tokens, &stand.listed, wants_every);
    // The rows of the list as it is after a tenth of the time.
    pause(time / 10);
    let csv = stand.product.run(["devices", "--format", "csv", "--state", &stand.desk_state()]).expect(code::DONE).out;
    let plain = Plain::start(&stand.folder.path().join("plain.sqlite"), &csv);
    let sent = mirror.sent();
    let (took, came) = (begun.elapsed(), arrived(&stand.segment) - before);
    let (plain, account) = (plain.end(), clients.end());
    println!("{sent} frames in {:.1} s, {:.0} a second", took.as_secs_f64(), sent as f64 / took.as_secs_f64());
    assert_eq!(came, sent, "the cable lost some");
    let (received, dropped) = counted(&stand, sent);
    println!("{received} received and {dropped} dropped, by the gateway's own count: {:.3} %", dropped as f64 * 100.0 / sent as f64);
    let used = [processor_s(&field), processor_s(&desk)].map(|used| used * 100.0 / begun.elapsed().as_secs_f64());
    println!("processor: field {:.0} %, desk {:.0} % of one", used[0], used[1]);
    answered(&account, &plain);
    desk.ends(0);
    field.ends(0);
    let memory = watch.end();
    let (contacts, questions) = wire.end();
    shown(&memory);
    kept(&stand, &account);
    asked(&Manners::of(&contacts), questions, factor);
}

/// Frames that the field side says it received and dropped, once it has counted all.
fn counted(stand: &Stand, sent: u64) -> (u64, u64) {
    let (asker, begun) = (Asker::token(&stand.tokens[0]), Instant::now());
    loop {
        let said = stand.gate().get(&asker, "/api/v1/listeners").expect(200).json();
        let count = |name: &str| said[0][name].as_u64().expect("a count");
        let (received, dropped) = (count("frames_received"), count("frames_dropped"));
        if received + dropped == sent {
            assert_eq!(count("reports_given_up"), 0);
            return (received, dropped);
        }
        assert!(begun.elapsed() < COUNTED_SECONDS_MAX, "{sent} were sent, {received} received and {dropped} dropped");
        pause(Duration::from_millis(200));
    }
}

/// What clients were answered, beside a plain database.
fn answered(account: &Account, plain: &[Duration]) {
    let ms = |time: Duration| time.as_secs_f64() * 1_000.0;
    for (path, took) in &account.took {
        let [half, most, longest] = ranks(took);
        println!("{path}: {} answers, p50 {:.1} ms, p99 {:.1} ms, longest {:.1} ms", took.len(), ms(half), ms(most), ms(longest));
    }
    let [half, most, longest] = ranks(plain);
    println!("plain SQLite, 100 rows and the count: p50 {:.1} ms, p99 {:.1} ms, longest {:.1} ms", ms(half), ms(most), ms(longest));
    let page = account.took.get("/devices").map(|took| ranks(took)).unwrap_or_default();
    println!("the devices page: p50 {:.1} times, p99 {:.1} times that", page[0].div_duration_f64(half), page[1].div_duration_f64(most));
    println!("{} requests not answered, {} wishes taken", account.unanswered, account.wanted.len());
    assert!(account.wrong.is_empty(), "{} wrong answers: {:#?}", account.wrong.len(), account.wrong.iter().take(3).collect::<Vec<_>>());
    assert!(page[0] > Duration::ZERO, "nobody was answered");
}

/// Nobody was asked sooner than pacing allows, whoever was killed.
fn asked(manners: &Manners, questions: usize, factor: f64) {
    let Manners { devices, contacts, most_of_one, device_gap, segment_gap, in_a_minute } = manners;
    println!(
        "on the wire: {questions} questions in {contacts} contacts with {devices} devices, at most {most_of_one} with one and {in_a_minute} in a minute"
    );
    println!("the closest two of one device: {device_gap:?}; on one segment: {segment_gap:?}; gaps are {factor} of those of a plant");
    let held = |gap: Option<Duration>, least: Duration| gap.is_none_or(|gap| gap + WIRE_TOLERANCE >= least.mul_f64(factor));
    assert!(manners.devices > 0, "nobody was asked");
    assert!(held(manners.device_gap, READING_GAP), "one device was asked again too soon: {manners:?}");
    assert!(held(manners.segment_gap, DEVICE_GAP), "two devices of a segment were asked too soon: {manners:?}");
    let in_a_minute = (60.0 / (DEVICE_GAP.as_secs_f64() * factor) + 1.0) * f64::from(SEGMENTS);
    assert!(manners.in_a_minute as f64 <= in_a_minute, "more than {in_a_minute} in a minute: {manners:?}");
}

/// What was acknowledged stands in the ledger: to the field side, and to people.
fn kept(stand: &Stand, account: &Account) {
    let state = stand.desk_state();
    let verified = stand.product.run(["ledger", "verify", "--state", &state]).expect(code::DONE);
    let (mut observations, mut wanted, mut touches, mut size) = (BTreeSet::new(), BTreeSet::new(), Vec::new(), 0);
    entries(&state, |entry| {
        size += 1;
        match entry.body {
            Body::Observation(observed) => drop(observations.insert(key_of(observed.observation))),
            Body::Account(Event::Wanted { what, .. }) => drop(wanted.insert(what.rsplit(' ').next().unwrap_or_default().to_owned())),
            Body::Touch { line } => touches.push(line),
            _ => {}
        }
    });
    let acknowledged = stand.between.acknowledged();
    let lost = acknowledged.iter().filter(|id| !observations.contains(*id)).count();
    let lost_wishes: Vec<&String> = account.wanted.iter().filter(|order| !wanted.contains(*order)).collect();
    let record = std::fs::read_to_string(stand.folder.path().join("field/touch.ndjson")).expect("a record");
    let record: Vec<&str> = record.lines().skip(1).collect();
    println!(
        "{size} entries: {} observations, {} of them acknowledged; {} of {} lines of the touch record; {}",
        observations.len(),
        acknowledged.len(),
        touches.len(),
        record.len(),
        verified.out.lines().next().unwrap_or_default()
    );
    assert_eq!((lost, lost_wishes), (0, Vec::new()), "of {} observations and {} wishes", acknowledged.len(), account.wanted.len());
    assert!(!acknowledged.is_empty() && !account.wanted.is_empty(), "nothing was acknowledged");
    assert!(
        record.iter().zip(&touches).all(|(own, kept)| own == kept) && touches.len() <= record.len(),
        "the touch record is not the ledger's"
    );
    let devices = stand.product.run(["devices", "--format", "csv", "--state", &state]).expect(code::DONE).out;
    let mut listed: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    let address = devices.lines().next().and_then(|names| names.split(',').position(|name| name == "ip")).expect("a column of addresses");
    for row in devices.lines().skip(1) {
        listed.entry(row.split(',').nth(address).unwrap_or_default()).or_default().push(row);
    }
    // And the station that reads them, on the mirror port.
    let (due, listed_once) = (usize::try_from(DEVICES).expect("a number") + 1, listed.values().filter(|rows| rows.len() == 1).count());
    let odd: Vec<_> = listed.values().filter(|rows| rows.len() != 1).collect();
    assert_eq!((listed_once, odd), (due, Vec::new()));
}

/// Every entry of a ledger, as it stands in its tables (docs/ARCHITECTURE.md, "The state directory"): one by one the program would unpack each row for each.
fn entries(state: &str, mut each: impl FnMut(Entry)) {
    let connection = Connection::open(format!("{state}/nameplate.sqlite")).expect("a ledger");
    let mut select = connection.prepare("SELECT bytes, records FROM sheaf ORDER BY size").expect("its table");
    let mut rows = select.query([]).expect("its rows");
    while let Some(row) = rows.next().expect("a row") {
        let (bytes, records): (usize, Vec<u8>) = (row.get(0).expect("a number"), row.get(1).expect("bytes"));
        let lines = lz4_flex::block::decompress(&records, bytes).expect("an LZ4 block");
        lines.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()).for_each(|line| each(Entry::of(line).expect("an entry")));
    }
}

fn shown(memory: &Memory) {
    let mib = |kib: u64| kib as f64 / 1_024.0;
    let [[field, desk], [field_share, desk_share]] = [memory.resident.map(mib), memory.share.map(mib)];
    println!(
        "memory at most: field {field:.1} MiB resident ({field_share:.1} its share), desk {desk:.1} ({desk_share:.1}); both at one moment {:.1} (goal {MEMORY_GOAL_MIB})",
        mib(memory.share_of_both)
    );
}

#[test]
fn whichever_is_killed_under_load_what_was_acknowledged_is_there_and_nobody_is_asked_too_soon() {
    let test = "whichever_is_killed_under_load_what_was_acknowledged_is_there_and_nobody_is_asked_too_soon";
    let Some(parts) = needed(test, Stand::parts()) else { return };
    let long = seconds("NAMEPLATE_KILL_SECONDS").map(Duration::from_secs);
    let (factor, (least, most)) = if long.is_some() { (1.0, PAUSE_MS[1]) } else { (SHORT_FACTOR, PAUSE_MS[0]) };
    let time = long.unwrap_or(Duration::from_millis(most) * u32::try_from(KILLS + 2).expect("few"));
    let mut stand = Stand::new(parts, factor, time);
    let wire = Wire::record(&stand.segment, stand.folder.path().join("asked.pcapng"));
    let ((mut field, _), (mut desk, _)) = (stand.field(), stand.desk());
    let watch = Watch::start();
    let mirror = stand.mirror(FRAMES_PER_S, time);
    let wants_every = (time / 3).clamp(Duration::from_secs(10), Duration::from_secs(60));
    let clients = Clients::start(&stand.page, &stand.tokens, &stand.listed, wants_every);
    let (mut draw, begun, mut ready) = (Draw(u64::from(std::process::id())), Instant::now(), [Vec::new(), Vec::new()]);
    println!("kills as drawn from {}", std::process::id());
    while long.map_or(ready[0].len() + ready[1].len() < KILLS, |long| begun.elapsed() + Duration::from_millis(most) < long) {
        watch.at(0, &field);
        watch.at(1, &desk);
        pause(Duration::from_millis(least + u64::try_from(draw.below(usize::try_from(most - least).expect("few"))).expect("few")));
        if draw.below(2) == 0 {
            field.kill();
            let took;
            (field, took) = stand.field();
            ready[0].push(took);
        } else {
            desk.kill();
            let took;
            (desk, took) = stand.desk();
            ready[1].push(took);
        }
    }
    println!("{} frames were sent", mirror.sent());
    let account = clients.end();
    desk.ends(0);
    field.ends(0);
    let (memory, (contacts, questions)) = (watch.end(), wire.end());
    for (name, took) in [("field", &ready[0]), ("desk", &ready[1])] {
        let [half, _, longest] = ranks(took).map(|time| time.as_secs_f64());
        println!(
            "the {name} was killed {} times; ready again after {half:.2} s, {longest:.2} s at most (goal {READY_GOAL_SECONDS} s)",
            took.len()
        );
    }
    println!("{} requests not answered, {} wishes taken", account.unanswered, account.wanted.len());
    assert!(account.wrong.is_empty(), "{} wrong answers: {:#?}", account.wrong.len(), account.wrong.iter().take(3).collect::<Vec<_>>());
    shown(&memory);
    kept(&stand, &account);
    asked(&Manners::of(&contacts), questions, factor);
}
