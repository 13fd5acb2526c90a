//! Listening, bar by bar: public captures, captures that the test records off servers we did not write, and captures that were cut, shuffled
//! and doubled. tshark, capinfos and score.py are the referees.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{Read, Write};
use std::net::{Ipv4Addr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use nameplate_core::profile::{ProfileSet, Said};
use nameplate_simulators::modbus;
use nameplate_tests::corpus::captures;
use nameplate_tests::pcap::{cut, pcap_of, plant, split, wire_bytes};
use nameplate_tests::personas::{self, Persona};
use nameplate_tests::place::{self, needed};
use nameplate_tests::product::{Claim, Product, State, code, run};
use nameplate_tests::record::{self, AND, Recording};
use nameplate_tests::rig::{self, Kind};
use nameplate_wire::capture::{Decoder, Step};
use nameplate_wire::listen::{Event, Listener};

/// Longer than any of these servers takes to answer.
const PATIENCE: Duration = Duration::from_secs(10);
/// Public captures have at most some megabytes; a run that takes this long hangs.
const LISTEN_SECONDS_MAX: Duration = Duration::from_secs(10);
/// Pages a raw client follows.
const PAGES_MAX: usize = 8;
/// Modbus object -> nameplate field, after V1.1b3, 6.21: vendor, product code, revision, product name, model name, application.
const FIELDS: [(u8, &str); 6] =
    [(0, "manufacturer"), (1, "product_code"), (2, "firmware_revision"), (4, "description"), (5, "model"), (6, "name")];

fn ready(test: &str) -> Option<Product> {
    needed(test, rig::available().and_then(|()| record::available()).and_then(|()| Product::find()))
}

/// Asks with bytes written by hand over one connection; identification is followed page by page.
fn talk(port: u16, unit: u8, pdus: &[&[u8]]) {
    #[expect(clippy::disallowed_methods, reason = "the raw client of a test, towards the server it started")]
    let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).expect("a connection");
    stream.set_read_timeout(Some(PATIENCE)).expect("a time-out");
    for pdu in pdus {
        let mut pdu = pdu.to_vec();
        for _ in 0..PAGES_MAX {
            let length = u8::try_from(pdu.len() + 1).expect("a short question");
            let question = [&[0x4E, 0x50, 0, 0, 0, length, unit], pdu.as_slice()].concat();
            stream.write_all(&question).expect("written");
            let mut header = [0; 6];
            stream.read_exact(&mut header).expect("a header");
            let mut rest = vec![0; usize::from(u16::from_be_bytes([header[4], header[5]]))];
            stream.read_exact(&mut rest).expect("the rest");
            match rest.as_slice() {
                // Regular objects end at 0x7F (6.21); modbus-serial points beyond, and asked for that begins anew at 0.
                &[_, 0x2B, 0x0E, _, _, 0xFF, next, ..] if next < 0x80 || pdu[2] == 3 => pdu[3] = next,
                _ => break,
            }
        }
    }
}

/// Records what this story does to the server.
fn recorded(port: u16, story: impl FnOnce()) -> PathBuf {
    let recording = Recording::start(&[port]).expect("a recording");
    story();
    recording.stop().expect("a capture")
}

fn heard(product: &Product, port: u16, file: &Path) -> Vec<Claim> {
    let port = port.to_string();
    product.run(["listen", "--format", "claims", "--modbus-port", port.as_str(), &file.to_string_lossy()]).expect(code::DONE).claims()
}

/// What tshark reads: object -> text, of all answers in the capture.
fn objects_by_tshark(file: &Path, port: u16) -> BTreeMap<u8, String> {
    let filter = format!("modbus.object_str_value && tcp.srcport == {port}");
    let rows = record::tshark(file, &["modbus.object_id", "modbus.object_str_value"], &filter, port).expect("tshark's reading");
    let cells = |row: &[String], cell: usize| row[cell].split(AND).map(str::to_owned).collect::<Vec<_>>();
    let pairs = rows.iter().flat_map(|row| cells(row, 0).into_iter().zip(cells(row, 1)));
    pairs.map(|(id, text)| (id.parse().expect("an object id"), text)).collect()
}

/// The claims that these objects make of a device that no family's profile knows.
fn claims_of(objects: &BTreeMap<u8, String>) -> Vec<Claim> {
    let claim = |(id, field): &(u8, &str)| {
        Some(Claim {
            field: (*field).to_owned(),
            value: objects.get(id)?.clone(),
            grade: "identity-object".into(),
            profile: "generic/modbus".into(),
            rule: format!("modbus.object.{id}"),
            component: "self".into(),
        })
    };
    let mut claims: Vec<Claim> = FIELDS.iter().filter_map(claim).collect();
    claims.sort();
    claims
}

#[test]
fn the_rows_of_the_truth_are_found() {
    let Some((shared, product)) = needed("the_rows_of_the_truth_are_found", place::shared().and_then(|s| Ok((s, Product::find()?)))) else {
        return;
    };
    let captures = shared.join("captures");
    let mut score = Command::new("python3");
    score
        .arg(captures.join("score.py"))
        .arg(&product.binary)
        .arg(captures.join("TRUTH.tsv"))
        .arg(&captures)
        .args(["--protocols", "modbus"]);
    let said = run(&mut score).expect(0).out;
    assert!(said.contains("recall 1.000 (3/3)"), "{said}");
}

#[test]
fn what_passed_on_the_wire_is_heard_as_tshark_reads_it() {
    let Some(product) = ready("what_passed_on_the_wire_is_heard_as_tshark_reads_it") else { return };
    let seed = personas::seed();
    let (short, paged) = (personas::random(seed), personas::paged(seed));
    let (basic, regular, extended): (&[u8], &[u8], &[u8]) = (&[0x2B, 0x0E, 1, 0], &[0x2B, 0x0E, 2, 0], &[0x2B, 0x0E, 3, 0]);
    // Server, persona, question, last object that tshark shows as text (private ones it does not), answers with objects.
    let table: [(Kind, &Persona, &[u8], u8, usize); 6] = [
        (Kind::Pymodbus, &short, basic, 2, 1),
        (Kind::Pymodbus, &short, regular, 6, 1),
        (Kind::ModbusSerial, &short, regular, 6, 1),
        (Kind::Pymodbus, &paged, regular, 6, 3),
        (Kind::ModbusSerial, &paged, extended, 6, 5),
        (Kind::ModbusSerial, &paged, regular, 6, 3),
    ];
    for (kind, persona, question, last, pages) in table {
        let server = rig::start(kind, persona).expect("a server");
        let file = recorded(server.port, || talk(server.port, persona.unit, &[question]));
        let told: BTreeMap<u8, String> = persona.between(0, last).into_iter().collect();
        let (name, by_tshark) = (file.display(), objects_by_tshark(&file, server.port));
        assert_eq!(by_tshark, told, "{kind:?} {question:02x?}: the referee's reading of {name}");
        let filter = format!("modbus.object_id && tcp.srcport == {}", server.port);
        let answers = record::tshark(&file, &["frame.number"], &filter, server.port).expect("tshark's reading").len();
        assert_eq!(answers, pages, "{kind:?} {question:02x?}: pages in {name}");
        assert_eq!(heard(&product, server.port, &file), claims_of(&by_tshark), "{kind:?} {question:02x?} in {name}");
    }
}

#[test]
fn an_exception_is_heard_as_an_answer_and_claims_nothing() {
    let Some(product) = ready("an_exception_is_heard_as_an_answer_and_claims_nothing") else { return };
    let persona = personas::random(personas::seed());
    for kind in [Kind::ModbusTk, Kind::Umodbus] {
        let server = rig::start(kind, &persona).expect("a server");
        let file = recorded(server.port, || talk(server.port, persona.unit, &[&[0x2B, 0x0E, 1, 0], &[0x11]]));
        let filter = format!("modbus.exception_code && tcp.srcport == {}", server.port);
        let exceptions = record::tshark(&file, &["modbus.exception_code"], &filter, server.port).expect("tshark's reading");
        assert_eq!(exceptions, [["1"], ["1"]], "{kind:?}");
        assert_eq!(heard(&product, server.port, &file), [], "{kind:?}");
        let port = server.port.to_string();
        let devices = product.run(["listen", "--modbus-port", port.as_str(), &file.to_string_lossy()]).expect(code::DONE).lines();
        let [device] = devices.as_slice() else { panic!("{kind:?}: one device, got {devices:?}") };
        let why = device["firmware_unknown_because"].as_str().unwrap_or_default();
        assert!(why.contains("exception"), "{kind:?}: {why:?}");
    }
}

#[test]
fn a_server_id_is_heard_and_names_no_release() {
    let Some(product) = ready("a_server_id_is_heard_and_names_no_release") else { return };
    let persona = personas::random(personas::seed());
    let server = rig::start(Kind::Pymodbus, &persona).expect("a server");
    let file = recorded(server.port, || talk(server.port, persona.unit, &[&[0x11]]));
    let filter = format!("modbus.func_code == 17 && tcp.srcport == {}", server.port);
    let rows = record::tshark(&file, &["tcp.payload"], &filter, server.port).expect("tshark's reading");
    let [[payload]] = rows.iter().map(Vec::as_slice).collect::<Vec<_>>()[..] else { panic!("one answer: {rows:?}") };
    let claims = heard(&product, server.port, &file);
    for claim in &claims {
        assert!(!claim.is_revision() && claim.grade == "banner", "{claim:?}");
        let text: String = claim.value.bytes().map(|byte| format!("{byte:02x}")).collect();
        assert!(payload.contains(&text), "{claim:?} stands in {payload}");
    }
    assert!(!claims.is_empty(), "{payload}");
}

#[test]
fn a_single_object_names_the_release_of_the_whole_or_none() {
    let Some(product) = ready("a_single_object_names_the_release_of_the_whole_or_none") else { return };
    // A family whose profile takes a part of object 2; the object alone does not tell the family.
    let objects = [(0, "ABB Stotz Kontakt"), (1, "29"), (2, "V2.3.3,2013-12-18")].map(|(id, text)| (id, text.to_owned()));
    let persona = Persona { objects: BTreeMap::from(objects), ..personas::random(personas::seed()) };
    let server = rig::start(Kind::ModbusSerial, &persona).expect("a server");
    let releases = |pdu: &[u8]| {
        let file = recorded(server.port, || talk(server.port, persona.unit, &[pdu]));
        let claims = heard(&product, server.port, &file).into_iter().filter(Claim::is_revision);
        claims.map(|claim| claim.value).collect::<Vec<_>>()
    };
    let whole = releases(&[0x2B, 0x0E, 1, 0]);
    assert_eq!(whole.len(), 1, "{whole:?}");
    let single = releases(&[0x2B, 0x0E, 4, 2]);
    assert!(single.is_empty() || single == whole, "object 2 alone reads {single:?}, the whole {whole:?}");
}

#[test]
fn heard_and_asked_agree() {
    let Some(product) = ready("heard_and_asked_agree") else { return };
    let seed = personas::seed();
    let (short, paged) = (personas::random(seed), personas::paged(seed));
    let table: [(Kind, &Persona, &str, usize); 7] = [
        (Kind::Pymodbus, &short, "regular", 6),
        (Kind::Pymodbus, &short, "basic", 3),
        (Kind::Pymodbus, &short, "regular,server-id", 7),
        (Kind::Pymodbus, &paged, "regular", 6),
        (Kind::ModbusSerial, &paged, "extended", 6),
        (Kind::ModbusTk, &short, "regular", 0),
        (Kind::ModbusSerial, &paged, "regular", 6),
    ];
    for (kind, persona, questions, claims) in table {
        let server = rig::start(kind, persona).expect("a server");
        let (state, target) = (State::new(), format!("127.0.0.1:{}/{}", server.port, persona.unit));
        let mut asked = Vec::new();
        let file = recorded(server.port, || {
            asked = product.ask(&state, &["--format", "claims", "--question", questions, &target]).expect(code::DONE).claims();
        });
        assert_eq!(asked.len(), claims, "{kind:?} {questions}: {asked:?}");
        assert_eq!(heard(&product, server.port, &file), asked, "{kind:?} {questions} in {}", file.display());
    }
}

#[test]
fn every_public_capture_is_heard_to_its_last_frame() {
    let parts = captures().and_then(|files| record::available().and_then(|()| Ok((files, Product::find()?))));
    let Some((files, product)) = needed("every_public_capture_is_heard_to_its_last_frame", parts) else { return };
    assert!(files.len() >= 482, "{} captures", files.len());
    // A row each: name and packets, also of those that it finds cut short; its exit code tells of them and is no matter here.
    let counted = Command::new("capinfos").args(["-T", "-r", "-c", "-Q"]).args(&files).output().expect("capinfos runs");
    let text = String::from_utf8_lossy(&counted.stdout);
    let counts: BTreeMap<String, u64> = text.lines().map(name_and_count).collect();
    assert_eq!(counts.len(), files.len());
    for file in &files {
        let ended = product.run(["listen".as_ref(), "--format".as_ref(), "claims".as_ref(), file.as_os_str()]);
        let expected = counts.get(&*file.to_string_lossy()).expect("counted");
        assert_eq!((ended.code, ended.frames()), (code::DONE, Some(*expected)), "{}\n{}", file.display(), ended.err);
        assert!(ended.took < LISTEN_SECONDS_MAX, "{} took {:?}", file.display(), ended.took);
    }
}

/// A row of capinfos: `"name"<tab>"count"`.
fn name_and_count(row: &str) -> (String, u64) {
    let cells: Vec<&str> = row.split('\t').map(|cell| cell.trim_matches('"')).collect();
    let [name, count] = cells[..] else { panic!("two cells: {row:?}") };
    (name.to_owned(), count.parse().expect("a count"))
}

/// What each file says, by its name: (speaker, claim), sorted. A run each: several files of one run would be one timeline.
fn heard_of(product: &Product, files: &[String]) -> BTreeMap<String, BTreeSet<(String, Claim)>> {
    let mut claims: BTreeMap<String, BTreeSet<(String, Claim)>> = BTreeMap::new();
    for file in files {
        let lines = product.run(["listen", "--format", "claims", file]).expect(code::DONE).lines();
        for line in lines {
            let file = line["source"]["file"].as_str().expect("a file").to_owned();
            let speaker = line["address"]["ip"].as_str().expect("an address").to_owned();
            claims.entry(file).or_default().insert((speaker, Claim::of(&line)));
        }
    }
    claims
}

/// Devices of every profile with a decoded example, and one that fills several pages.
fn every_family() -> Vec<modbus::Persona> {
    let built_in = ProfileSet::built_in().expect("the built-in profiles");
    let decoded = built_in.iter().flat_map(|profile| &profile.examples).filter_map(|example| match &example.said {
        Said::Decoded { objects, server_id } => {
            Some(modbus::Persona { server_id: server_id.clone(), ..modbus::Persona::from_objects(objects.clone()) })
        }
        Said::Frame(_) => None,
    });
    decoded.chain([objects(&personas::paged(personas::seed()))]).collect()
}

fn objects(persona: &Persona) -> modbus::Persona {
    modbus::Persona::from_objects(persona.between(0, 0x7F).into_iter().map(|(id, text)| (id, text.into_bytes())))
}

/// What a capture says: (speaker, claim), by the program's own parts, because a run of the program for each cut would take minutes.
fn claims_in(set: &ProfileSet, capture: &[u8]) -> BTreeSet<(String, Claim)> {
    let (mut decoder, mut listener, mut at, mut claims) = (Decoder::new(), Listener::new(&[]), 0, BTreeSet::new());
    let mut take = |event: Event| {
        let Event::Reading(reading) = event else { return };
        let speaker = reading.speaker.ip.map(|ip| ip.to_string()).unwrap_or_default();
        claims.extend(set.interpret(&reading).claims.into_iter().map(|claim| {
            let (field, grade) = (claim.field.name().to_owned(), claim.grade.name().to_owned());
            let claim = Claim { field, value: claim.value, grade, profile: claim.profile, rule: claim.rule, component: claim.component };
            (speaker.clone(), claim)
        }));
    };
    loop {
        match decoder.next(&capture[at..]) {
            Step::Need(_) => break,
            Step::Skip(consumed) | Step::Malformed { consumed, .. } => at += consumed,
            Step::Frame { frame, consumed } => {
                listener.frame(&frame, &mut take);
                at += consumed;
            }
        }
    }
    listener.finish(&mut take);
    claims
}

/// Every revision that one of the cut captures names is named by the whole one, of the same speaker; how many revisions there are.
fn check_cuts(set: &ProfileSet, what: &str, whole: &[Vec<u8>], cuts: &[Vec<Vec<u8>>]) -> usize {
    let uncut = claims_in(set, &pcap_of(whole));
    let is_same = |(speaker, claim): &(String, Claim), (other, uncut): &(String, Claim)| {
        (speaker, &claim.component, &claim.field, &claim.value) == (other, &uncut.component, &uncut.field, &uncut.value)
    };
    let mut telling = 0;
    for (number, records) in cuts.iter().enumerate() {
        let claims = claims_in(set, &pcap_of(records));
        for claim in claims.iter().filter(|(_, claim)| claim.is_revision()) {
            assert!(uncut.iter().any(|whole| is_same(claim, whole)), "{what}, cut {number}: {claim:?}, uncut {uncut:?}");
        }
        telling += usize::from(!claims.is_empty());
    }
    assert!(telling > cuts.len() / 10, "{what}: {telling} of {} cut captures still say something", cuts.len());
    uncut.iter().filter(|(_, claim)| claim.is_revision()).count()
}

#[test]
fn a_snaplen_names_the_same_release_or_none() {
    let set = ProfileSet::built_in().expect("the built-in profiles");
    let whole = plant(every_family());
    let longest = whole.iter().map(|record| wire_bytes(record)).max().expect("a record");
    let cuts: Vec<_> = (0..=longest).map(|bytes| whole.iter().map(|record| cut(record, bytes)).collect()).collect();
    assert!(check_cuts(&set, "all families", &whole, &cuts) > 10);
}

#[test]
fn one_cut_frame_names_the_same_release_or_none() {
    let set = ProfileSet::built_in().expect("the built-in profiles");
    let mut revisions = 0;
    for persona in every_family() {
        let what = format!("{:?}", persona.objects);
        let whole = plant(vec![persona]);
        let one_cut = |at: usize, bytes: usize| {
            let record = |(number, record): (usize, &Vec<u8>)| if number == at { cut(record, bytes) } else { record.clone() };
            whole.iter().enumerate().map(record).collect::<Vec<_>>()
        };
        let cuts: Vec<_> = (0..whole.len()).flat_map(|at| (0..wire_bytes(&whole[at])).map(move |bytes| (at, bytes))).collect();
        let cuts: Vec<_> = cuts.into_iter().map(|(at, bytes)| one_cut(at, bytes)).collect();
        revisions += check_cuts(&set, &what, &whole, &cuts);
    }
    assert!(revisions > 10, "{revisions}");
}

#[test]
fn order_doubles_and_the_file_format_change_nothing() {
    let Some(product) = needed("order_doubles_and_the_file_format_change_nothing", record::available().and_then(|()| Product::find()))
    else {
        return;
    };
    let folder = State::new();
    let whole = plant(every_family());
    let flat = |records: Vec<Vec<Vec<u8>>>| records.concat();
    let shapes: [(&str, Vec<Vec<u8>>); 5] = [
        ("doubled", flat(whole.iter().map(|record| vec![record.clone(); 2]).collect())),
        ("in-pieces", flat(whole.iter().map(|record| split(record, 7)).collect())),
        ("backwards", flat(whole.iter().map(|record| split(record, 7).into_iter().rev().collect()).collect())),
        ("odd-first", flat(whole.iter().map(|record| every_second_first(split(record, 3))).collect())),
        ("overlapping", flat(whole.iter().map(|record| [split(record, 9), vec![record.clone()], split(record, 40)].concat()).collect())),
    ];
    let plain = folder.file("plain.pcap", pcap_of(&whole));
    let expected = heard_of(&product, std::slice::from_ref(&plain)).remove(&plain).expect("claims");
    let next_generation = folder.path().join("plain.pcapng").to_string_lossy().into_owned();
    run(Command::new("editcap").args(["-F", "pcapng", &plain, &next_generation])).expect(0);
    let written = shapes.iter().map(|(name, records)| folder.file(&format!("{name}.pcap"), pcap_of(records)));
    let files: Vec<String> = written.chain([next_generation]).collect();
    let said = heard_of(&product, &files);
    for file in &files {
        assert_eq!(said.get(file), Some(&expected), "{file}");
    }
}

fn every_second_first(pieces: Vec<Vec<u8>>) -> Vec<Vec<u8>> {
    let (odd, even): (Vec<_>, Vec<_>) = pieces.into_iter().enumerate().partition(|(number, _)| number % 2 == 1);
    odd.into_iter().chain(even).map(|(_, piece)| piece).collect()
}
