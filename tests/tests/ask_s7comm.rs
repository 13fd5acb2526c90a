//! Asking over S7comm, as snap7, a simulated CPU and tshark see it.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use nameplate_simulators::fault::{Fault, More};
use nameplate_simulators::report::Report;
use nameplate_simulators::s7::{Device, Module, Persona};
use nameplate_tests::personas::{self, Draw};
use nameplate_tests::place::needed;
use nameplate_tests::product::{Claim, Ended, Product, State, code, simulated};
use nameplate_tests::record::{self, Recording};
use nameplate_tests::rig::{self, Kind};

/// What snap7 serves, whatever the persona: fixed in its library (snap7 1.4, src/core/s7_szl.h).
const MODULES: [(&str, &str); 3] = [("firmware_revision", "V3.2.6"), ("hardware_revision", "4"), ("product_code", "6ES7 315-2EH14-0AB0")];
const COMPONENTS: [(&str, &str); 3] = [("model", "CPU 315-2 PN/DP"), ("name", "SNAP7-SERVER"), ("serial_number", "S C-C2UR28922012")];
/// Our time-out for an answer is 2 s, the longest hold 10 s (docs/read-only.md); the rest is a process and a slow machine.
const HOSTILE_SECONDS_MAX: Duration = Duration::from_secs(15);
/// What leaves, as tshark says it: kind of TPDU, kind of message, function of a job, group and function of the CPU's, list.
const CALL: &str = "0x0e|||||";
const SETUP: &str = "0x0f|1|0xf0|||";
const LIST_0011: &str = "0x0f|7||4|1|0x0011";
const LIST_001C: &str = "0x0f|7||4|1|0x001c";
const FIELDS: [&str; 6] = [
    "cotp.type",
    "s7comm.header.rosctr",
    "s7comm.param.func",
    "s7comm.param.userdata.funcgroup",
    "s7comm.param.userdata.subfunc",
    "s7comm.data.userdata.szl_id",
];

fn ready(test: &str) -> Option<Product> {
    needed(test, rig::available_for(Kind::Snap7).and_then(|()| record::available()).and_then(|()| Product::find()))
}

/// What left towards this port, as tshark says it.
fn left(file: &Path, port: u16) -> Vec<String> {
    let (filter, spoken) = (format!("tcp.dstport == {port} && tcp.len > 0"), format!("tcp.port=={port},tpkt"));
    let rows = record::tshark_as(file, &FIELDS, &filter, &spoken).expect("tshark's reading");
    rows.iter().map(|row| row.join("|")).collect()
}

fn count(file: &Path, port: u16, filter: &str) -> usize {
    record::tshark(file, &["frame.number"], &format!("tcp.dstport == {port} && {filter}"), 502).expect("tshark's reading").len()
}

fn said(claims: &[Claim]) -> BTreeMap<&str, &str> {
    claims.iter().map(|claim| (claim.field.as_str(), claim.value.as_str())).collect()
}

/// Options, SZL requests, and what is said as (field, value).
type Row<'a> = (&'a [&'a str], &'a [&'a str], &'a [(&'a str, &'a str)]);

#[test]
fn snap7_tells_its_identity_and_a_capture_of_it_the_same() {
    let Some(product) = ready("snap7_tells_its_identity_and_a_capture_of_it_the_same") else { return };
    let persona = personas::random(personas::seed());
    let rows: [Row; 2] =
        [(&[], &[CALL, SETUP, LIST_0011], &[]), (&["--s7-consent-001c"], &[CALL, SETUP, LIST_0011, LIST_001C], &COMPONENTS)];
    for (options, messages, components) in rows {
        let server = rig::start(Kind::Snap7, &persona).expect("a server");
        let (state, target) = (State::new(), format!("127.0.0.1:{}/0.2", server.port));
        let recording = Recording::start(&[server.port]).expect("a recording");
        let asked = product.ask(&state, &[&["--via", "s7comm", "--format", "claims", &target], options].concat()).expect(code::DONE);
        let file = recording.stop().expect("a capture");
        assert_eq!(left(&file, server.port), messages, "{}", asked.err);
        assert_eq!((count(&file, server.port, "tcp.flags.syn == 1"), count(&file, server.port, "tcp.flags.reset == 1")), (1, 0));
        let claims = asked.claims();
        let said: Vec<(&str, &str)> = claims.iter().map(|claim| (claim.field.as_str(), claim.value.as_str())).collect();
        let missing: Vec<_> = MODULES.iter().chain(components).filter(|pair| !said.contains(pair)).collect();
        assert!(missing.is_empty(), "{missing:?} in {said:?}: {}", asked.err);
        assert_eq!(said.iter().any(|(field, _)| *field == "serial_number"), !components.is_empty(), "{said:?}");
        let (file, port) = (file.to_string_lossy().into_owned(), format!("{}=iso", server.port));
        let heard = product.run(["listen", &file, "--decode-as", &port, "--format", "claims"]).expect(code::DONE);
        assert_eq!(heard.claims(), claims, "the same by ear");
    }
}

/// A CPU of a random identity, which list 001C puts into a defective state; the order number's letter says what kind it is.
fn defective(letter: char, seed: u64) -> Persona {
    let mut draw = Draw(seed);
    let order_number = format!("6ES7 3{}-2{letter}H14-0AB0", 10 + draw.below(90)).into_bytes();
    let version = [b'V', 3, draw.below(10) as u8, draw.below(10) as u8];
    let module = |index, version| Module { index, order_number: order_number.clone(), kind: 0x00C0, version };
    let serial = format!("S C-{:012}", draw.below(1_000_000_000)).into_bytes();
    Persona { defect_on_001c: true, ..Persona::new([module(1, [0, 4, 0, 1]), module(7, version)], [(5, serial)]) }
}

fn asked(product: &Product, persona: Persona, options: &'static [&'static str]) -> (Ended, Report) {
    asked_of(product, Device::new(persona), options)
}

fn asked_of(product: &Product, device: Device, options: &'static [&'static str]) -> (Ended, Report) {
    let product = product.clone();
    simulated(device, move |address| {
        let target = format!("{address}/0.2");
        product.ask(&State::new(), &[&["--via", "s7comm", "--format", "claims", &target], options].concat())
    })
}

#[test]
fn a_cpu_that_001c_makes_defective_never_sees_it_without_consent() {
    let Some(product) = needed("a_cpu_that_001c_makes_defective_never_sees_it_without_consent", Product::find()) else { return };
    let seed = personas::seed();
    // With consent, too, where the order number says that it is fail-safe.
    for (letter, options, unasked) in [('E', &[][..], false), ('F', &[], false), ('F', &["--s7-consent-001c"], true)] {
        let persona = defective(letter, seed);
        let record = &persona.lists[&0x0011][1];
        let firmware = format!("V{}.{}.{}", record[25], record[26], record[27]);
        let order = String::from_utf8(record[2..22].to_vec()).expect("ASCII");
        let (ended, report) = asked(&product, persona, options);
        assert_eq!(report.trips, [], "{letter} {options:?}: {}", ended.err);
        assert_eq!((report.connections(), report.requests()), (1, 3), "{letter} {options:?}");
        assert_eq!(ended.err.contains("not asked any more: s7comm.component_identification"), unasked, "{}", ended.err);
        let claims = ended.expect(code::DONE).claims();
        let said = said(&claims);
        assert_eq!((said["firmware_revision"], said["product_code"]), (firmware.as_str(), order.trim_end()));
    }
}

#[test]
fn a_list_in_parts_is_read_whole_by_consent() {
    let Some(product) = needed("a_list_in_parts_is_read_whole_by_consent", Product::find()) else { return };
    let persona = defective('E', personas::seed());
    let filled = (6..=11).map(|index: u16| [&index.to_be_bytes()[..], &[b'x'; 32]].concat());
    let mut lists = persona.lists.clone();
    lists.get_mut(&0x001C).expect("a list").extend(filled);
    let serial = String::from_utf8(lists[&0x001C][0][2..18].to_vec()).expect("ASCII");
    let persona = Persona { defect_on_001c: false, consents_to_001c: true, lists, ..persona };
    let (ended, report) = asked(&product, persona, &["--s7-consent-001c"]);
    assert_eq!((report.trips.len(), report.requests()), (0, 5), "{:?} {}", report.trips, ended.err);
    assert_eq!(said(&ended.expect(code::DONE).claims()).get("serial_number"), Some(&serial.as_str()));
}

#[test]
fn another_slot_is_not_tried() {
    let Some(product) = needed("another_slot_is_not_tried", Product::find()) else { return };
    let persona = Persona { tsap: 0x0301, ..defective('E', personas::seed()) };
    let (ended, report) = asked(&product, persona, &[]);
    assert_eq!((report.trips.len(), report.requests()), (0, 1), "{:?}", report.trips);
    assert!(ended.err.contains("not asked any more: s7comm.module_identification"), "{}", ended.err);
    assert_eq!(ended.out, "");
}

#[test]
fn a_hostile_cpu_gets_one_connection_and_six_messages_at_most() {
    let Some(product) = needed("a_hostile_cpu_gets_one_connection_and_six_messages_at_most", Product::find()) else { return };
    let persona = Persona { defect_on_001c: false, consents_to_001c: true, ..defective('E', personas::seed()) };
    // These do not hide what it is. What came before our first question cannot be told from its answer where it is word for word the same.
    let sound = [Fault::HostileText, Fault::AnswerTwice, Fault::AnswerBeforeQuestion];
    let hostile = [
        Fault::EndlessMore(More::Rising),
        Fault::EndlessMore(More::Repeating),
        Fault::FinMidPdu,
        Fault::AnswersForever,
        Fault::WrongTransaction,
        Fault::WrongProtocolId,
        Fault::ZeroBytes,
        Fault::LengthZero,
        Fault::LengthHuge,
        Fault::Silent,
        Fault::RstOnConnect,
    ];
    for (fault, is_sound) in sound.into_iter().map(|fault| (fault, true)).chain(hostile.into_iter().map(|fault| (fault, false))) {
        let name = format!("{fault:?}");
        let (ended, report) = asked_of(&product, Device::with_fault(persona.clone(), fault), &["--s7-consent-001c"]);
        // Its answer came before our question: the next question comes before the answer that it meant.
        let early = |why: &str| name.starts_with("Answer") && why == "sent before the answer to the question before it";
        let trips: Vec<_> = report.trips.iter().filter(|trip| !early(trip.why)).collect();
        assert!(trips.is_empty(), "{name}: {trips:?} {}", ended.err);
        assert!(report.connections() <= 1 && report.requests() <= 6, "{name}: {} requests", report.requests());
        assert!(ended.took < HOSTILE_SECONDS_MAX, "{name}: {:?}", ended.took);
        assert_eq!(ended.code == code::DONE, is_sound, "{name}: {:?} {}", ended.code, ended.err);
    }
}
