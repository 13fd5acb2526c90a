//! Devices that attack whoever asks them: each misbehaviour the simulators know, and text that attacks terminals and spreadsheets.

use std::collections::BTreeMap;
use std::thread;
use std::time::Duration;

use nameplate_simulators::modbus::{Device, Fault, Manners, More, Persona, hostile_objects};
use nameplate_simulators::report::Ended as SessionEnded;
use nameplate_tests::pcap::{pcap_of, plant};
use nameplate_tests::place::needed;
use nameplate_tests::product::{Claim, Ended, Product, State, code, simulated};

/// The hard kill of a connection (docs/read-only.md, section 3); nothing a device does may last longer than that.
const END_SECONDS_MAX: Duration = Duration::from_secs(30);
/// Requests on one connection.
const REQUESTS_MAX: u32 = 8;
/// What the device is, and all that may be claimed of it.
const TOLD: [(u8, &str, &str); 3] =
    [(0, "manufacturer", "Maker of Meters"), (1, "product_code", "MM-1"), (2, "firmware_revision", "V1.20.3")];

/// Every fault there is. The match has no arm for others, so that a new fault must be put here.
fn every_fault() -> Vec<(Fault, i32)> {
    let interval = Duration::from_millis(300);
    let all = [
        Fault::EndlessMore(More::Rising),
        Fault::EndlessMore(More::Repeating),
        Fault::SlowLoris { interval },
        Fault::FinMidPdu,
        Fault::CutShort,
        Fault::Noise,
        Fault::NoiseForever,
        Fault::ClosesLate { delay: Duration::from_secs(2) },
        Fault::AnswerTwice,
        Fault::AnswerBeforeQuestion,
        Fault::AnswersForever,
        Fault::LateAnswer { delay: Duration::from_secs(60) },
        Fault::WrongTransaction,
        Fault::WrongUnit,
        Fault::WrongProtocolId,
        Fault::ZeroBytes,
        Fault::LengthZero,
        Fault::LengthHuge,
        Fault::Silent,
        Fault::RstOnConnect,
        Fault::ResetAfter(1),
        Fault::EvictOldest { pool: 1 },
        Fault::SingleClient,
        Fault::Watchdog { window: Duration::from_secs(1) },
        Fault::HostileText,
    ];
    let ends = |fault: &Fault| match fault {
        // An answer stands, and what else there is does not matter to it.
        Fault::AnswerTwice | Fault::AnswerBeforeQuestion | Fault::AnswersForever | Fault::HostileText => code::DONE,
        Fault::ClosesLate { .. } => code::DONE,
        Fault::CutShort | Fault::Noise | Fault::NoiseForever => code::NO_ANSWER,
        // The answer came before the reset.
        Fault::ResetAfter(_) => code::DONE,
        // Alone with the device, one meets its manners of keeping connections nowhere.
        Fault::EvictOldest { .. } | Fault::SingleClient | Fault::Watchdog { .. } => code::DONE,
        Fault::EndlessMore(_) | Fault::SlowLoris { .. } | Fault::FinMidPdu | Fault::Silent | Fault::RstOnConnect => code::NO_ANSWER,
        Fault::LateAnswer { .. } => code::NO_ANSWER,
        Fault::WrongTransaction | Fault::WrongUnit | Fault::WrongProtocolId => code::NO_ANSWER,
        Fault::ZeroBytes | Fault::LengthZero | Fault::LengthHuge => code::NO_ANSWER,
    };
    all.into_iter().map(|fault| (fault.clone(), ends(&fault))).collect()
}

fn meter() -> Persona {
    Persona::from_objects(TOLD.map(|(id, _, text)| (id, text.as_bytes().to_vec())))
}

/// What a misbehaving device may cost and what may be claimed of it.
fn check(product: &Product, fault: &Fault, expected: i32) {
    let manners = Manners { one_connection: true, ..Manners::default() };
    let device = Device { manners, ..Device::with_fault(meter(), fault.clone()) };
    let product = product.clone();
    let (ended, report) = simulated(device, move |address| product.ask(&State::new(), &["--format", "claims", &address.to_string()]));
    let all = format!("{fault:?}: {report:?}\n{}", ended.err);
    assert_eq!(ended.code, expected, "{all}");
    assert!(ended.took < END_SECONDS_MAX, "{all}");
    assert_eq!((report.connections(), report.most_at_once, report.trips.len()), (1, 1, 0), "{all}");
    assert!(report.requests() <= REQUESTS_MAX, "{all}");
    // Devices that keep a slot until a power cycle keep it after a reset: we never send one, whatever they do.
    let ended_by_reset = report.sessions.iter().any(|session| session.ended == SessionEnded::PeerReset);
    assert!(!ended_by_reset || *fault == Fault::AnswersForever, "{all}");
    let told: BTreeMap<&str, &str> = TOLD.iter().map(|(_, field, text)| (*field, *text)).collect();
    let claims = ended.claims();
    let false_claim = |claim: &&Claim| claim.is_revision() && told.get(claim.field.as_str()) != Some(&claim.value.as_str());
    assert_eq!(claims.iter().find(false_claim), None, "{all}");
    if expected == code::DONE && *fault != Fault::HostileText {
        let said: BTreeMap<&str, &str> = claims.iter().map(|claim| (claim.field.as_str(), claim.value.as_str())).collect();
        assert_eq!(said, told, "{all}");
    }
}

#[test]
fn a_device_that_misbehaves_costs_little_and_gains_no_claim() {
    let Some(product) = needed("a_device_that_misbehaves_costs_little_and_gains_no_claim", Product::find()) else { return };
    // At once: most of them are waits for an answer that does not come.
    thread::scope(|scope| {
        let product = &product;
        let checks: Vec<_> =
            every_fault().into_iter().map(|(fault, expected)| scope.spawn(move || check(product, &fault, expected))).collect();
        for check in checks {
            check.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic));
        }
    });
}

/// Characters that do something to whoever shows them: controls, and those that hide or turn what stands around them (Unicode TR 36).
fn acts(c: char) -> bool {
    c.is_control()
        || matches!(u32::from(c), 0xAD | 0x61C | 0x180E | 0x200B..=0x200F | 0x2028..=0x202E | 0x2060..=0x206F | 0xFEFF | 0xFFF9..=0xFFFB)
}

/// Nothing but line ends acts, in both streams.
fn check_harmless(what: &str, ended: &Ended) {
    for (stream, text) in [("standard output", &ended.out), ("standard error", &ended.err)] {
        // CSV lines end with both.
        let acting = text.replace("\r\n", "\n").chars().filter(|c| *c != '\n').find(|c| acts(*c));
        assert_eq!(acting, None, "{what}, {stream}: {text:?}");
    }
}

/// Cells of a CSV text after RFC 4180.
fn cells(text: &str) -> Vec<String> {
    let (mut cells, mut cell, mut quoted) = (Vec::new(), String::new(), false);
    for c in text.chars() {
        match c {
            '"' => quoted = !quoted,
            ',' | '\r' | '\n' if !quoted => cells.push(std::mem::take(&mut cell)),
            other => cell.push(other),
        }
    }
    cells.push(cell);
    cells
}

/// What a spreadsheet runs: OWASP ASVS 1.2.10, with the full-width forms that some fold.
fn is_formula(cell: &str) -> bool {
    cell.starts_with(['=', '+', '-', '@', '\t', '\r', '\u{ff1d}', '\u{ff0b}', '\u{ff0d}', '\u{ff20}'])
}

/// Shows a state that hostile text is in, in every shape there is.
fn check_shown(product: &Product, state: &State) {
    let place = state.text();
    let show = |words: &[&str]| {
        let ended = product.run([words, &["--state", &place]].concat()).expect(code::DONE);
        check_harmless(&words.join(" "), &ended);
        ended
    };
    let devices = show(&["devices"]).lines();
    let id = devices.first().and_then(|device| device["id"].as_str()).expect("a device").to_owned();
    for words in [&["devices", "--format", "table"][..], &["device", &id], &["device", &id, "--format", "table"], &["explain", &id]] {
        show(words);
    }
    let csv = show(&["devices", "--format", "csv"]).out;
    let formula = cells(&csv).into_iter().find(|cell| is_formula(cell));
    assert_eq!(formula, None, "{csv}");
    assert!(cells(&csv).iter().any(|cell| cell.contains("cmd|")), "the formula came through as text: {csv}");
}

#[test]
fn hostile_text_acts_nowhere() {
    let Some(product) = needed("hostile_text_acts_nowhere", Product::find()) else { return };
    for format in ["table", "ndjson", "csv", "claims"] {
        let asking = product.clone();
        let device = Device::with_fault(meter(), Fault::HostileText);
        let ((state, ended), _) = simulated(device, move |address| {
            let state = State::new();
            let ended = asking.ask(&state, &["--format", format, "--question", "extended", &address.to_string()]);
            (state, ended)
        });
        check_harmless(&format!("ask --format {format}"), &ended.expect(code::DONE));
        check_shown(&product, &state);
    }
}

/// The same by listening, to a file of this name.
fn check_heard(product: &Product, name: &str) {
    let capture = pcap_of(&plant(vec![Persona::from_objects(hostile_objects())]));
    for format in ["table", "ndjson", "csv", "claims"] {
        let state = State::new();
        let file = state.file(name, &capture);
        let ended = product.run(["listen", "--format", format, "--state", &state.text(), &file]).expect(code::DONE);
        check_harmless(&format!("listen --format {format}"), &ended);
        check_shown(product, &state);
    }
}

#[test]
fn hostile_text_in_a_capture_acts_nowhere() {
    let Some(product) = needed("hostile_text_in_a_capture_acts_nowhere", Product::find()) else { return };
    check_heard(&product, "span.pcap");
}

#[test]
fn the_name_of_a_capture_acts_nowhere() {
    let Some(product) = needed("the_name_of_a_capture_acts_nowhere", Product::find()) else { return };
    check_heard(&product, "\u{1b}[31mred\u{202e}\u{9b}2J.pcap");
}
