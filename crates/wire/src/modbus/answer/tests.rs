//! Expected values are read off the bytes by hand, after MODBUS V1.1b3, 6.13 and 6.21.

use super::*;

/// 6.21's example: basic objects of their true length, behind a header with transaction 1 and unit 255.
const BASIC: &[u8] = b"\x00\x01\x00\x00\x00\x1a\xff\x2b\x0e\x01\x01\x00\x00\x03\x00\x03ABC\x01\x05XY-12\x02\x04V2.1";

fn read(question: Question, messages: &[&[u8]]) -> (Reading, Vec<Continue>) {
    let mut answering = Answering::new(question, Address::default());
    let next = messages.iter().map(|bytes| answering.answer(Message { frame: 1, time_ns: 0, bytes: bytes.to_vec() })).collect();
    (answering.into_reading(), next)
}

/// The texts of the objects, `path=text`, in the order in which they were read.
fn texts(reading: &Reading) -> Vec<String> {
    reading.facts.iter().filter(|fact| fact.path != "modbus.conformity").map(texts_of).collect()
}

fn check(name: &str, messages: &[&[u8]], expected: &[&str], next: Continue, malformed: &[&str]) {
    let (reading, steps) = read(Question::BASIC, messages);
    assert_eq!(texts(&reading), expected, "{name}");
    assert_eq!(steps.last(), Some(&next), "{name}");
    let said: Vec<_> = reading.malformed.iter().map(|(_, malformed)| malformed.said_by).collect();
    assert_eq!(said, malformed, "{name}");
    assert_eq!(reading.complete, next == Continue::Complete, "{name}");
    for fact in &reading.facts {
        let bytes = &reading.messages[fact.message].bytes;
        assert_eq!(&bytes[fact.offset..fact.offset + fact.bytes.len()], fact.bytes, "{name}: {} stands where it says", fact.path);
    }
}

/// A common model of model_1.json with these texts and no pad, behind a header of unit 255; written after the layout in the specification.
fn common_model(registers: usize) -> Vec<u8> {
    let mut adu = b"\x00\x01\x00\x00\x00\x8d\xff\x03\x8aSunS\x00\x01\x00\x41".to_vec();
    for (text, bytes) in [("Maker", 32), ("INV-10", 32), ("opt", 16), ("1.2.3", 16), ("sn-1", 32), ("\u{0}\u{1}", 2)] {
        adu.extend(text.bytes().chain(std::iter::repeat(0)).take(bytes));
    }
    adu.truncate(9 + 2 * registers);
    (adu[5], adu[8]) = (3 + 2 * registers as u8, 2 * registers as u8);
    adu
}

#[test]
fn sunspec_registers_say_who_they_are_wherever_they_stand() {
    let filled = |text: &str, bytes: usize| text.chars().chain(std::iter::repeat('\0')).take(bytes).collect::<String>();
    let texts = [("manufacturer", "Maker", 32), ("model", "INV-10", 32), ("options", "opt", 16), ("version", "1.2.3", 16)];
    let mut all: Vec<String> = texts.iter().map(|(name, text, bytes)| format!("sunspec.{name}={}", filled(text, *bytes))).collect();
    all.push(format!("sunspec.serial_number={}", filled("sn-1", 32)));
    let all: Vec<&str> = all.iter().map(String::as_str).collect();
    check("a whole model", &[&common_model(69)], &all, Continue::Complete, &[]);
    check("without its last register", &[&common_model(68)], &all, Continue::Complete, &[]);
    check("up to the version", &[&common_model(52)], &all[..4], Continue::Stop, &[]);
    check("the marker alone", &[&common_model(4)], &[], Continue::Stop, &[]);
    let mut miscounted = common_model(69);
    miscounted[8] = 104;
    check("a byte count that is too small", &[&miscounted], &all[..4], Continue::Stop, &["bytes that the byte count says (6.3)"]);
    let mut other = common_model(69);
    other[14] = 2;
    assert_eq!(Answering::question_of(&other), None, "another model than the common one");
    assert!(Answering::question_of(&common_model(69)).is_some());
    let whole = common_model(69);
    for cut in 0..whole.len() {
        let (reading, _) = read(Question::Sunspec { base: 40_000 }, &[&whole[..cut]]);
        assert!(reading.facts.iter().all(|fact| all.contains(&texts_of(fact).as_str())), "cut at {cut}: {reading:?}");
        assert!(!reading.complete || cut >= 145, "cut at {cut}");
    }
}

fn texts_of(fact: &Fact) -> String {
    format!("{}={}", fact.path.trim_start_matches("modbus."), String::from_utf8_lossy(&fact.bytes))
}

#[test]
fn an_answer_gives_what_its_bytes_hold_and_names_what_is_broken() {
    let all = ["object.0=ABC", "object.1=XY-12", "object.2=V2.1"];
    check("as in the specification", &[BASIC], &all, Continue::Complete, &[]);

    let short = b"\x00\x01\x00\x00\x00\x0f\xff\x2b\x0e\x01\x01\x00\x00\x03\x00\x03ABC\x01\x00";
    check("fewer objects than counted", &[short], &["object.0=ABC", "object.1="], Continue::Stop, &["number of objects (6.21)"]);

    let trailing = b"\x00\x01\x00\x00\x00\x10\xff\x2b\x0e\x01\x77\x00\x00\x01\x00\x03ABC\xde\xad\xbe";
    check("bytes behind the last object", &[trailing], &["object.0=ABC"], Continue::Complete, &["bytes behind the last object (6.21)"]);

    let crossing = b"\x00\x01\x00\x00\x00\x0d\xff\x2b\x0e\x01\x01\x00\x00\x01\x00\x09ABC";
    check("an object longer than the message", &[crossing], &[], Continue::Stop, &["object length (6.21)"]);

    let twice = b"\x00\x01\x00\x00\x00\x12\xff\x2b\x0e\x01\x01\x00\x00\x02\x02\x03V10\x02\x03V20";
    check("an object said twice: the first stands", &[twice], &["object.2=V10"], Continue::Complete, &["object ids rise strictly (6.21)"]);

    check("an exception is an answer", &[b"\x00\x01\x00\x00\x00\x03\xff\xab\x01"], &["exception=\u{fffd}\u{1}"], Continue::Complete, &[]);

    let odd = b"\x00\x01\x00\x00\x00\x0d\xff\x2b\x0e\x01\x01\x7f\x05\x01\x00\x03ABC";
    check("more follows that is neither", &[odd], &["object.0=ABC"], Continue::Stop, &["more follows is 00 or FF (6.21)"]);

    check("a header alone", &[b"\x00\x01\x00\x00\x00\x02\xff\x2b"], &[], Continue::Stop, &["not an answer to an identity question"]);
    let protocol = "protocol identifier is 0 for Modbus (TCP guide 3.1.3)";
    check("another protocol", &[b"\x00\x01\x00\x07\x00\x02\xff\x2b"], &[], Continue::Stop, &[protocol]);
    let length = "length is 2 to 254, 260 with tolerance (TCP guide 3.1.3)";
    check("a length of 65,535", &[b"\x00\x01\x00\x00\xff\xff\xff\x2b\x0e\x01"], &[], Continue::Stop, &[length]);
    check("no byte at all", &[b""], &[], Continue::Stop, &["MBAP header (TCP guide 3.1.3)"]);
}

#[test]
fn a_set_ends_where_it_ends_whatever_else_is_announced() {
    let page =
        |code: u8, next: u8, id: u8| [&b"\x00\x01\x00\x00\x00\x0b\xff\x2b\x0e"[..], &[code, 0x83, 0xff, next, 1, id, 1, b'A']].concat();
    for (code, id, next, expected) in [
        (1, 2, 3, Continue::Complete),
        (1, 1, 2, Continue::Next(2)),
        (2, 6, 0x81, Continue::Complete),
        (2, 5, 6, Continue::Next(6)),
        (3, 6, 0x81, Continue::Next(0x81)),
    ] {
        let question = Question::Identification { code, object: 0 };
        let (reading, steps) = read(question, &[&page(code, next, id)]);
        assert_eq!((steps, reading.malformed.len()), (vec![expected], 0), "read code {code}, object {id}, next {next}");
    }
    let (reading, steps) = read(SINGLE_OBJECT, &[b"\x00\x01\x00\x00\x00\x0b\xff\x2b\x0e\x04\x83\x00\x00\x01\x02\x01A"]);
    assert_eq!((steps, reading.complete), (vec![Continue::Complete], false), "one object is not the identity");
}

#[test]
fn pages_go_on_only_while_object_ids_rise() {
    let page = |more: u8, next: u8, id: u8| {
        let mut bytes = b"\x00\x01\x00\x00\x00\x0b\xff\x2b\x0e\x03\x81".to_vec();
        bytes.extend_from_slice(&[more, next, 1, id, 1, b'A' + id]);
        bytes
    };
    let (first, second, last) = (page(0xff, 1, 0), page(0xff, 2, 1), page(0, 0, 2));
    let (reading, steps) = read(Question::BASIC, &[&first, &second, &last]);
    assert_eq!(steps, [Continue::Next(1), Continue::Next(2), Continue::Complete]);
    assert_eq!(texts(&reading), ["object.0=A", "object.1=B", "object.2=C"]);

    for (name, page) in [("the same next object", page(0xff, 0, 0)), ("a next object behind the page", page(0xff, 3, 7))] {
        let (_, steps) = read(Question::BASIC, &[&page]);
        assert_eq!(steps, [Continue::Stop], "{name}");
    }
    let (reading, steps) = read(Question::BASIC, &[&first, &first]);
    assert_eq!(steps, [Continue::Next(1), Continue::Stop], "the same page again");
    assert_eq!(texts(&reading), ["object.0=A"]);
}

#[test]
fn every_prefix_of_an_answer_gives_the_same_values_or_none() {
    let (whole, _) = read(Question::BASIC, &[BASIC]);
    for cut in 0..BASIC.len() {
        let (reading, _) = read(Question::BASIC, &[&BASIC[..cut]]);
        assert!(!reading.complete, "cut after {cut} bytes");
        for fact in &reading.facts {
            assert!(whole.facts.contains(fact), "cut after {cut} bytes: {} reads {:02x?}", fact.path, fact.bytes);
        }
    }
}

fn check_server_id(name: &str, body: &[u8], expected: Option<&str>) {
    let mut adu = vec![0, 1, 0, 0, 0, 3 + u8::try_from(body.len()).unwrap(), 10, 0x11, u8::try_from(body.len()).unwrap()];
    adu.extend_from_slice(body);
    let (reading, steps) = read(Question::ServerId, &[&adu]);
    let text = reading.facts.iter().find(|fact| fact.path == "modbus.server_id.text");
    assert_eq!(text.map(|fact| String::from_utf8_lossy(&fact.bytes).into_owned()).as_deref(), expected, "{name}");
    assert_eq!(steps, [Continue::Complete], "{name}");
    assert_eq!(reading.facts[0].bytes, body, "{name}: the payload is kept as it is");
    for cut in 0..adu.len() {
        let (reading, _) = read(Question::ServerId, &[&adu[..cut]]);
        assert!(reading.facts.is_empty(), "{name}, cut after {cut} bytes: free text has no inner length, so a part of it is nothing");
    }
}

#[test]
fn a_server_id_is_text_only_where_nobody_can_doubt_it() {
    check_server_id("id, run byte, text", b"\x00\xffWingpath Limited", Some("Wingpath Limited"));
    check_server_id("a printable id in front of the run byte", b"B\xffS7-1200 V4.6.0", Some("S7-1200 V4.6.0"));
    check_server_id("text, then the run byte", b"Pymodbus-PM-3.16.1\xff", Some("Pymodbus-PM-3.16.1"));
    check_server_id("two bytes that are no text", b"\xfa\xffPM710PowerMeter", Some("PM710PowerMeter"));
    check_server_id("bytes in the middle", b"V1.2\x00\x07.3", None);
    check_server_id("no text", b"\x01\x00", None);
    check_server_id("nothing", b"", None);
}
