//! Asking over MMS, as open61850, a simulated relay and tshark see it.

use std::collections::BTreeSet;
use std::path::Path;
use std::thread;
use std::time::Duration;

use nameplate_simulators::fault::{Fault, More};
use nameplate_simulators::language::Carrier;
use nameplate_simulators::mms::{Device, Persona};
use nameplate_simulators::rehearsal::rehearse;
use nameplate_simulators::report::Report;
use nameplate_tests::interop::{Exchange, Interop, ready};
use nameplate_tests::personas::{self, Draw, Plate};
use nameplate_tests::place::needed;
use nameplate_tests::product::{Ended, Product, State, code, simulated};
use nameplate_tests::record;
use nameplate_tests::rig::Kind;

/// What open61850 calls itself in Identify, whatever the persona: name and version of the library (tests/rig/requirements.txt).
const LIBRARY: (&str, &str) = ("open61850", "0.9.12");
/// Our time-out for an answer is 2 s, the longest hold 10 s (docs/read-only.md); the rest is a process and a slow machine, with others at work.
const HOSTILE_SECONDS_MAX: Duration = Duration::from_secs(25);
/// Readings of each personality.
const READINGS: usize = 20;

fn served(plate: &Plate) -> Vec<(&'static str, &str)> {
    vec![
        ("manufacturer", LIBRARY.0),
        ("model", LIBRARY.0),
        ("software_revision", LIBRARY.1),
        ("manufacturer", &plate.vendor),
        ("model", &plate.model),
        ("hardware_revision", &plate.hardware),
        ("firmware_revision", &plate.firmware),
        ("serial_number", &plate.serial),
        ("location", &plate.location),
    ]
}

/// What left towards this port: TPDU, session, service, domains, items, as tshark says it.
fn left(file: &Path, port: u16) -> Vec<[String; 5]> {
    let fields = ["cotp.type", "ses.type", "mms.confirmedServiceRequest", "mms.conclude_RequestPDU_element", "mms.itemId"];
    let (filter, spoken) = (format!("tcp.dstport == {port} && tcp.len > 0"), format!("tcp.port=={port},tpkt"));
    let rows = record::tshark_as(file, &fields, &filter, &spoken).expect("tshark's reading");
    rows.into_iter().map(|row| row.try_into().expect("five cells")).collect()
}

fn count(exchange: &Exchange, filter: &str) -> usize {
    let filter = format!("tcp.dstport == {} && {filter}", exchange.port);
    record::tshark(&exchange.file, &["frame.number"], &filter, 502).expect("tshark's reading").len()
}

#[test]
fn open61850_tells_its_plates_and_a_capture_of_it_the_same() {
    let Some(product) = needed("open61850_tells_its_plates_and_a_capture_of_it_the_same", ready(Kind::Open61850)) else { return };
    for (domain, services) in [("", &["2", "1", "4", "4"][..]), ("IED1LD0", &["2", "4", "4"])] {
        let persona = personas::random(personas::seed());
        let interop = Interop { protocol: "iso", ..Interop::new(Kind::Open61850, &persona, "mms", domain) };
        let exchange = interop.exact(&product, &served(&persona.plate));
        let rows = left(&exchange.file, exchange.port);
        let asked: Vec<&str> = rows.iter().map(|row| row[2].as_str()).filter(|service| !service.is_empty()).collect();
        assert_eq!(asked, services, "Identify, names, two Reads: {rows:?}");
        assert!(rows[0][0] == "0x0e" && rows[1][1] == "13", "called, associated: {rows:?}");
        assert!(rows.last().is_some_and(|row| row[3] == "1"), "concluded: {rows:?}");
        assert_eq!(rows.len(), services.len() + 3, "{rows:?}");
        let items: BTreeSet<&str> = rows.iter().flat_map(|row| row[4].split(record::AND)).filter(|item| !item.is_empty()).collect();
        assert_eq!(items.len(), 11, "{items:?}");
        assert!(items.iter().all(|item| item.contains("$DC$PhyNam$") || item.contains("$DC$NamPlt$")), "{items:?}");
        assert_eq!((count(&exchange, "tcp.flags.syn == 1"), count(&exchange, "tcp.flags.reset == 1")), (1, 0));
        exchange.ended.expect(code::DONE);
    }
}

#[test]
fn another_logical_device_is_not_guessed() {
    let Some(product) = needed("another_logical_device_is_not_guessed", ready(Kind::Open61850)) else { return };
    let persona = personas::random(personas::seed());
    let interop = Interop { protocol: "iso", ..Interop::new(Kind::Open61850, &persona, "mms", "IED1LD9") };
    let library = [("manufacturer", LIBRARY.0), ("model", LIBRARY.0), ("software_revision", LIBRARY.1)];
    interop.exact(&product, &library).ended.expect(code::DONE);
}

/// A relay of a random identity.
fn relay(seed: u64) -> Persona {
    let mut draw = Draw(seed);
    let mut text = |before: &str| format!("{before}{}", draw.below(1_000_000)).into_bytes();
    let physical = [("vendor", text("Maker ")), ("swRev", text("R")), ("serNum", text("S")), ("model", text("REL-"))];
    Persona::new("AA1LD0", physical, [("vendor", b"Maker".to_vec()), ("swRev", b"1.1".to_vec()), ("configRev", b"7".to_vec())])
}

fn asked(product: &Product, device: Device, times: usize, more: &'static [&'static str]) -> (Vec<Ended>, Report) {
    let product = product.clone();
    simulated(device, move |address| {
        let target = address.to_string();
        let ask = |_| product.ask(&State::new(), &[&["--via", "mms", "--format", "claims", &target], more].concat());
        (0..times).map(ask).collect()
    })
}

fn personalities() -> Vec<(Option<Fault>, bool)> {
    // These do not hide what it is.
    let sound = [
        Fault::HostileText,
        Fault::AnswerTwice,
        Fault::AnswerBeforeQuestion,
        Fault::EndlessMore(More::Rising),
        Fault::EvictOldest { pool: 1 },
        Fault::SingleClient,
    ];
    let hostile = [
        Fault::FinMidPdu,
        Fault::AnswersForever,
        Fault::WrongTransaction,
        Fault::WrongProtocolId,
        Fault::ZeroBytes,
        Fault::LengthZero,
        Fault::LengthHuge,
        Fault::Silent,
        Fault::RstOnConnect,
        Fault::ResetAfter(3),
        Fault::LateAnswer { delay: Duration::from_secs(3) },
    ];
    let sound = sound.into_iter().map(|fault| (Some(fault), true));
    [(None, true)].into_iter().chain(sound).chain(hostile.into_iter().map(|fault| (Some(fault), false))).collect()
}

#[test]
fn a_control_object_that_a_read_selects_is_never_read() {
    let Some(product) = needed("a_control_object_that_a_read_selects_is_never_read", Product::find()) else { return };
    let seed = personas::seed();
    thread::scope(|scope| {
        for (fault, is_sound) in personalities() {
            let product = &product;
            scope.spawn(move || {
                let (persona, name) = (relay(seed), format!("{fault:?}"));
                let device = Device { fault, ..Device::new(persona.clone()) };
                let (runs, report) = asked(product, device, READINGS, &[]);
                assert_eq!(persona.selected(), 0, "{name}");
                // Its answer came before our question: the next question comes before the answer that it meant. Where answers to the call go
                // on for ever, nobody learns that the association stands: what ends it is FIN.
                let expected = |why: &str| match why {
                    "sent before the answer to the question before it" | "a second question with the first, before its answer" => {
                        name.contains("Answer")
                    }
                    "the association was not concluded" => name.contains("AnswersForever"),
                    _ => false,
                };
                let trips: Vec<_> = report.trips.iter().filter(|trip| !expected(trip.why)).collect();
                assert!(trips.is_empty(), "{name}: {trips:?} {}", runs[0].err);
                assert!(report.connections() <= READINGS && report.requests() as usize <= 7 * READINGS, "{name}: {}", report.requests());
                for run in runs {
                    assert!(run.took < HOSTILE_SECONDS_MAX, "{name}: {:?}", run.took);
                    assert_eq!(run.code == code::DONE, is_sound, "{name}: {:?} {}", run.code, run.err);
                }
            });
        }
    });
}

/// Bytes of hexadecimal digits.
fn hex(text: &str) -> Vec<u8> {
    let digits: Vec<u8> = text.bytes().filter(|byte| !byte.is_ascii_whitespace()).collect();
    digits.chunks(2).map(|pair| u8::from_str_radix(str::from_utf8(pair).expect("ASCII"), 16).expect("two digits")).collect()
}

#[test]
fn the_simulated_relay_notices_a_read_that_selects() {
    let persona = relay(personas::seed());
    // By hand, and after ITI/ICS-Security-Tools pcaps/IEC61850/piccolo.pcap: called, associated, CSWI1$CO$Pos$SBO read, concluded.
    let messages = [
        "03000016 11e0 0000 0001 00 c1020001 c2020001 c0010a",
        "030000bf02f0800db60506130100160102140200023302000134020001c1a031819da003800101a28195810400000001820400000001a423\
         300f0201010604520100013004060251013010020103060528ca22020130040602510161623060020101a05b6059a107060528ca220203a2\
         0706052901876701a30302010ca606060429018767a70302010cbe33283106025101020103a028a826800300ff0081010a82010a830105\
         a416800101810305f100820c03ee1c000004000000010118",
        "0300003f02f080 01000100 6132 3030 020103 a02b a029 020101 a424 a122 a020 301e a01c a11a \
         1a06 4141314c4430 1a10 435357493124434f24506f732453424f",
        "03000016 02f080 01000100 6109 3007 020103 a002 8b00",
    ];
    let heard = rehearse(&persona, Carrier::Tcp, &messages.map(hex));
    assert_eq!(persona.selected(), 1, "{:?}", heard.trips);
    let whys: Vec<&str> = heard.trips.iter().map(|trip| trip.why).collect();
    assert_eq!(whys, ["a read of SBO: it selected the control object"]);
    assert!(heard.answers()[2].ends_with(b"CSWI1$CO$Pos$SBO"), "it answers as a relay does that is selected");
}

#[test]
fn what_a_relay_says_is_read_even_in_small_parts() {
    let Some(product) = needed("what_a_relay_says_is_read_even_in_small_parts", Product::find()) else { return };
    for packet_bytes in [1, 7, 100] {
        let persona = Persona { packet_bytes, ..relay(personas::seed()) };
        let value = |name: &str| String::from_utf8(persona.devices["AA1LD0"][name].clone()).expect("ASCII");
        let expected: BTreeSet<(String, String)> = [
            ("manufacturer", "Stack".to_owned()),
            ("model", "MMS".to_owned()),
            ("software_revision", "1.0".to_owned()),
            ("manufacturer", value("LPHD1$DC$PhyNam$vendor")),
            ("model", value("LPHD1$DC$PhyNam$model")),
            ("firmware_revision", value("LPHD1$DC$PhyNam$swRev")),
            ("serial_number", value("LPHD1$DC$PhyNam$serNum")),
        ]
        .map(|(field, value)| (field.to_owned(), value))
        .into();
        let (runs, report) = asked(&product, Device::new(persona.clone()), 1, &[]);
        assert_eq!(report.trips, [], "{packet_bytes}: {}", runs[0].err);
        let said: BTreeSet<(String, String)> = runs[0].claims().iter().map(|claim| (claim.field.clone(), claim.value.clone())).collect();
        assert_eq!(said, expected, "{packet_bytes}: {}", runs[0].err);
    }
}

#[test]
fn whoever_is_called_otherwise_or_wants_a_password_is_left_with_a_word_about_it() {
    let test = "whoever_is_called_otherwise_or_wants_a_password_is_left_with_a_word_about_it";
    let Some(product) = needed(test, Product::find()) else { return };
    let with = |change: fn(&mut Persona)| {
        let mut persona = relay(personas::seed());
        change(&mut persona);
        persona
    };
    let table: [(Persona, u32, &str); 4] = [
        (with(|persona| persona.wants_password = true), 2, "it wants a password for the association: it is never given one"),
        (with(|persona| persona.selectors[0] = vec![0, 9]), 1, "it may be called by another transport selector"),
        (with(|persona| persona.selectors[1] = vec![9]), 2, "nobody there has the session or presentation selector"),
        (with(|persona| persona.selectors[2] = vec![9]), 2, "nobody there has the session or presentation selector"),
    ];
    for (persona, requests, why) in table {
        let (runs, report) = asked(&product, Device::new(persona), 1, &[]);
        assert_eq!((report.trips.len(), report.requests(), report.connections()), (0, requests, 1), "{:?}", report.trips);
        assert!(runs[0].err.contains(why), "{}", runs[0].err);
        assert_eq!((runs[0].code, runs[0].out.as_str()), (code::NO_ANSWER, ""), "{}", runs[0].err);
    }
    let called = with(|persona| persona.selectors = [vec![0, 9], vec![9], vec![0, 9]]);
    let (runs, report) = asked(&product, Device::new(called), 1, &["--mms-tsel", "0009", "--mms-ssel", "09", "--mms-psel", "0009"]);
    assert_eq!((report.trips.len(), runs[0].code), (0, code::DONE), "{:?} {}", report.trips, runs[0].err);
    assert!(runs[0].out.contains("serial_number"), "{}", runs[0].out);
}
