//! Asking over PROFINET IO. No server of others is to be had (docs/protocols.md), so it is the simulated one, which is written without our decoder
//! and trips on whatever read-only.md does not list; tshark reads both sides of the exchange.

use std::net::SocketAddr;

use nameplate_simulators::pn_io::{Device, Persona};
use nameplate_tests::personas::{self, Draw};
use nameplate_tests::place::needed;
use nameplate_tests::product::{Claim, Product, State, code, simulated};
use nameplate_tests::record::{self, Recording};
use nameplate_tests::referee;

/// A device with drawn numbers.
fn drawn() -> Persona {
    let mut draw = Draw(personas::seed());
    let mut number = |end: usize| u16::try_from(draw.below(end)).unwrap_or_default();
    let order = format!("6ES7 {}-0AB{}", 100 + number(900), number(10));
    let serial = format!("S C-{}", number(60_000));
    let numbers = [number(200), number(100), number(100)].map(|number| u8::try_from(number).unwrap_or(u8::MAX));
    Persona {
        ids: [number(0x8000), number(0x8000), number(0x400)],
        hardware: 1 + number(900),
        software: (b'V', numbers),
        ..Persona::new(format!("ET200 {}", number(1000)).as_bytes(), order.as_bytes(), serial.as_bytes())
    }
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).expect("text")
}

fn said(claims: &[Claim]) -> Vec<(String, String)> {
    let mut said: Vec<(String, String)> = claims.iter().map(|claim| (claim.field.clone(), claim.value.clone())).collect();
    said.sort();
    said.dedup();
    said
}

/// What it says in its line, and in I&M0.
fn expected(persona: &Persona, line: bool, record: bool) -> Vec<(String, String)> {
    let (letter, [major, minor, patch]) = persona.software;
    let both = [
        ("product_code", text(&persona.order)),
        ("hardware_revision", persona.hardware.to_string()),
        ("firmware_revision", format!("{}{major}.{minor}.{patch}", char::from(letter))),
    ];
    let of_line = line.then(|| ("model", text(&persona.kind)));
    let of_record = record.then(|| ("serial_number", text(&persona.serial)));
    let both = both.into_iter().filter(|_| line || record).chain(of_line).chain(of_record);
    let mut expected: Vec<(String, String)> = both.map(|(field, value)| (field.to_owned(), value)).collect();
    expected.sort();
    expected
}

/// Asks one device; what was claimed, how many requests reached it. It trips on nothing.
fn asked(product: &Product, persona: &Persona) -> (Vec<(String, String)>, u32) {
    let product = product.clone();
    let story = move |address: SocketAddr| {
        let target = address.to_string();
        let words = ["--via", "pn-io", "--pn-consent", "A. Owner", "--format", "claims", &target];
        said(&product.ask(&State::new(), &words).expect(code::DONE).claims())
    };
    let (claims, report) = simulated(Device::new(persona.clone()), story);
    assert_eq!(report.trips, []);
    (claims, report.requests())
}

#[test]
fn a_device_tells_its_line_and_its_record_in_two_datagrams() {
    let Some(product) = needed("a_device_tells_its_line_and_its_record_in_two_datagrams", Product::find()) else { return };
    for upper_first in [false, true] {
        for controller in [false, true] {
            let persona = Persona { upper_first, controller, ..drawn() };
            assert_eq!(asked(&product, &persona), (expected(&persona, true, true), 2), "{persona:?}");
        }
    }
}

#[test]
fn who_refuses_a_question_is_not_asked_again() {
    let Some(product) = needed("who_refuses_a_question_is_not_asked_again", Product::find()) else { return };
    let persona = Persona { rejects_look_ups: true, ..drawn() };
    assert_eq!(asked(&product, &persona), (expected(&persona, false, false), 1));
    let persona = Persona { reads_by_relation_only: true, ..drawn() };
    assert_eq!(asked(&product, &persona), (expected(&persona, true, false), 2));
}

#[test]
fn tshark_reads_both_sides_and_a_capture_says_the_same() {
    let there = record::available().and_then(|()| Product::find());
    let Some(product) = needed("tshark_reads_both_sides_and_a_capture_says_the_same", there) else { return };
    let persona = drawn();
    let told = persona.clone();
    let (checked, report) = simulated(Device::new(persona), move |address| {
        let persona = told;
        let recording = Recording::of(&format!("udp port {}", address.port())).expect("a recording");
        let target = address.to_string();
        let words = ["--via", "pn-io", "--pn-consent", "A. Owner", "--format", "claims", &target];
        let asked = product.ask(&State::new(), &words).expect(code::DONE);
        let file = recording.stop().expect("a capture");
        referee::judge(&file, "pn-io", &[address.port()]).unwrap_or_else(|why| panic!("{why}"));
        // What tshark reads in the answers.
        let fields = ["epm.annotation", "epm.uuid", "pn_io.order_id", "pn_io.im_serial_number", "pn_io.im_hardware_revision"];
        let rows = record::tshark(&file, &fields, &format!("udp.srcport == {}", address.port()), 502).expect("tshark's reading");
        assert_eq!(rows.len(), 2, "{rows:?}");
        let line = rows[0][0].replace('\0', "");
        assert!(line.starts_with(&text(&persona.kind)) && line.contains(&text(&persona.order)), "{line:?}");
        let record = [persona.order, persona.serial].map(|bytes| text(&bytes));
        assert_eq!([rows[1][2].trim(), rows[1][3].trim(), &rows[1][4]], [&record[0], &record[1], &format!("{:#06x}", persona.hardware)]);
        // By ear.
        let (file, port) = (file.to_string_lossy().into_owned(), format!("{}=pn-io", address.port()));
        let heard = product.run(["listen", &file, "--decode-as", &port, "--format", "claims"]).expect(code::DONE);
        assert_eq!(heard.claims(), asked.claims());
        !heard.claims().is_empty()
    });
    assert_eq!((checked, report.trips.len()), (true, 0));
}

#[test]
fn without_consent_nobody_is_asked() {
    let Some(product) = needed("without_consent_nobody_is_asked", Product::find()) else { return };
    let refused = product.run(["ask", "192.0.2.10", "--via", "pn-io", "--dry-run"]).expect(code::REFUSED);
    assert!(refused.err.contains("permit.consent") && refused.err.contains("never while it starts or is replaced"), "{}", refused.err);
    let planned = product.run(["ask", "192.0.2.10", "--via", "pn-io", "--pn-consent", "A. Owner", "--dry-run"]).expect(code::DONE);
    assert!(planned.out.contains("to udp:192.0.2.10:34964: pn-io.lookup\n"), "{}", planned.out);
    assert!(planned.out.contains("2 messages, 320 bytes; nothing was sent and no socket was opened"), "{}", planned.out);
}
