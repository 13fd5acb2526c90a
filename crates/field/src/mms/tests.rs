//! The server's bytes are written by hand from the standards; the association's are those of a public capture (ITI/ICS-Security-Tools
//! pcaps/IEC61850/piccolo.pcap, frame 2).

use nameplate_wire::conversation::Over;

use super::*;
use crate::dialogue::story::Do::{self, Close, Drip, Hear, Say};
use crate::dialogue::story::{story, unhex};

const CONNECT: &str = "03000016 11e0 0000 0001 00 c1020001 c2020001 c0010a";
const CONFIRM: &str = "03000016 11d0 0001 4000 00 c0010a c1020001 c2020001";
const ACCEPTED: &str = "0e95050613010016010214020002c187318184a003800101a27d830400000001a5123007800100810251013007800100810251016161305f02\
    0101a05a6158a107060528ca220203a203020100a305a103020100a40706052901876701a50302010cbe33283106025101020103a028a926800300c00081010182010183\
    0105a416800101810305e100820c03ee1c000004000000010010";
const CONCLUDE: &str = "03000016 02f080 01000100 6109 3007 020103 a002 8b00";
const CONCLUDED: &str = "8c00";

fn hear(text: &str) -> Do {
    Hear(text.to_owned().leak())
}

fn say(text: &str) -> Do {
    Say(text.to_owned().leak())
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn value(tag: u8, contents: &[u8]) -> Vec<u8> {
    let length = contents.len();
    match length {
        0..0x80 => [&[tag, length as u8][..], contents].concat(),
        0x80..0x100 => [&[tag, 0x81, length as u8][..], contents].concat(),
        _ => [&[tag, 0x82, (length >> 8) as u8, length as u8][..], contents].concat(),
    }
}

/// Content of the transport, whole.
fn content(body: &[u8]) -> String {
    format!("0300{:04x} 02f080 {}", body.len() + 7, hex(body))
}

/// A PDU in session and presentation data.
fn data(pdu: &[u8]) -> Vec<u8> {
    let list = [&[2, 1, 3][..], &value(0xa0, pdu)].concat();
    [&[1, 0, 1, 0][..], &value(0x61, &value(0x30, &list))].concat()
}

/// The answer to the question with this number.
fn answer(number: u8, service: &[u8]) -> Vec<u8> {
    data(&value(0xa1, &[&[2, 1, number][..], service].concat()))
}

fn identity() -> Vec<u8> {
    value(0xa2, &[value(0x80, b"STACK"), value(0x81, b"MMS"), value(0x82, b"6.1")].concat())
}

fn domains(names: &[&str]) -> Vec<u8> {
    let list: Vec<u8> = names.iter().flat_map(|name| value(0x1a, name.as_bytes())).collect();
    value(0xa1, &[value(0xa0, &list), value(0x81, &[0])].concat())
}

/// A text for each variable; `None` where there is no such one.
fn values(texts: &[Option<&str>]) -> Vec<u8> {
    let text = |text: &Option<&str>| text.map_or(vec![0x80, 1, 10], |text| value(0x8a, text.as_bytes()));
    value(0xa4, &value(0xa1, &texts.iter().flat_map(text).collect::<Vec<u8>>()))
}

fn device() -> Vec<u8> {
    values(&[Some("Maker"), None, Some("R7"), Some("4711"), Some("MK-1"), None, None, None])
}

fn node() -> Vec<u8> {
    values(&[Some("Maker"), Some("3.1"), None])
}

fn put(question: &Question, number: u8) -> Do {
    hear(&hex(&question.encode(number)))
}

fn say_body(body: &[u8]) -> Do {
    say(&content(body))
}

fn server() -> Questions {
    Questions { domain: Some("IED1LD0".to_owned()), ..Questions::default() }
}

fn initiate() -> Question {
    server().first()[1].clone()
}

/// Up to the association, then this.
fn in_session(more: impl IntoIterator<Item = Do>) -> Vec<Do> {
    let start = [hear(CONNECT), say(CONFIRM), put(&initiate(), 2), say_body(&unhex(ACCEPTED))];
    start.into_iter().chain(more).collect()
}

fn goodbye() -> [Do; 2] {
    [hear(CONCLUDE), say_body(&data(&unhex(CONCLUDED)))]
}

fn check(asked: &Questions, script: &[Do], expected: &[&str]) {
    assert_eq!(story(asked, Over::Tcp, script).0, expected);
}

const STARTED: [&str; 2] = ["asked mms.connect 22", "asked mms.initiate 190"];
const IDENTIFIED: [&str; 2] =
    ["asked mms.identify 27", "read mms.identify whole: mms.identify.vendor=STACK mms.identify.model=MMS mms.identify.revision=6.1"];
const OF_DEVICE: &str =
    "read mms.read.nameplate whole: mms.phynam.vendor=Maker mms.phynam.swrev=R7 mms.phynam.sernum=4711 mms.phynam.model=MK-1";
const OF_NODE: &str = "read mms.read.nameplate whole: mms.namplt.vendor=Maker mms.namplt.swrev=3.1";

/// Asked up to Identify, then this.
fn check_identified(asked: &Questions, more: Vec<Do>, expected: &[&str]) {
    let script = in_session([put(&Question::Identify, 3), say_body(&answer(3, &identity()))].into_iter().chain(more));
    check(asked, &script, &[&STARTED[..], &IDENTIFIED, expected].concat());
}

#[test]
fn plates_of_the_named_device_are_read_attribute_by_attribute() {
    let [of_device, of_node] = server().plates("IED1LD0");
    let script = [put(&of_device, 4), say_body(&answer(4, &device())), put(&of_node, 5), say_body(&answer(5, &node()))];
    let told =
        ["asked mms.read.nameplate 349", OF_DEVICE, "asked mms.read.nameplate.node 149", OF_NODE, "asked mms.conclude 22", "answered"];
    check_identified(&server(), script.into_iter().chain(goodbye()).collect(), &told);
}

#[test]
fn without_a_name_the_server_is_asked_for_one() {
    let asked = Questions::default();
    let chosen = |names: &[&str], expected: &str| {
        let [of_device, of_node] = asked.plates(expected);
        let script = [
            put(&Question::Domains, 4),
            say_body(&answer(4, &domains(names))),
            put(&of_device, 5),
            say_body(&answer(5, &device())),
            put(&of_node, 6),
            say_body(&answer(6, &node())),
        ];
        let script =
            in_session([put(&Question::Identify, 3), say_body(&answer(3, &identity()))].into_iter().chain(script).chain(goodbye()));
        let (lines, _) = story(&asked, Over::Tcp, &script);
        assert!(lines.contains(&OF_DEVICE.to_owned()) && lines.contains(&OF_NODE.to_owned()), "{names:?}: {lines:?}");
    };
    chosen(&["AA1CTRL", "AA1LD0", "AA1PROT"], "AA1LD0");
    chosen(&["CFG", "MET"], "CFG");
    chosen(&["LD$CO", "no name", "", "OK_1"], "OK_1");
    let script = |service: Vec<u8>| vec![put(&Question::Domains, 4), say_body(&service)].into_iter().chain(goodbye()).collect::<Vec<Do>>();
    let told = ["asked mms.domains 36", "asked mms.conclude 22", "answered, 2 not put"];
    check_identified(&asked, script(answer(4, &domains(&[]))), &told);
    check_identified(&asked, script(answer(4, &domains(&["LD$CO", &"x".repeat(65)]))), &told);
    check_identified(&asked, script(data(&unhex("a208 800104 a203a10107"))), &told);
}

#[test]
fn a_question_that_fails_does_not_stop_the_next() {
    let [of_device, of_node] = server().plates("IED1LD0");
    let script = in_session(
        [
            put(&Question::Identify, 3),
            say_body(&data(&unhex("a406 800103 810101"))),
            put(&of_device, 4),
            say_body(&data(&unhex("a208 800104 a203a20101"))),
            put(&of_node, 5),
            say_body(&answer(5, &values(&[None, None, None]))),
        ]
        .into_iter()
        .chain(goodbye()),
    );
    let told =
        ["asked mms.identify 27", "asked mms.read.nameplate 349", "asked mms.read.nameplate.node 149", "asked mms.conclude 22", "answered"];
    check(&server(), &script, &[&STARTED[..], &told].concat());
}

#[test]
fn whoever_does_not_want_us_is_left_with_a_word_about_it() {
    for refusal in ["0300000b 06 80 0001 0000 03", "0300000b 06 80 0001 4000 80", "03000009 04 70 0001 03"] {
        let because = "it refuses the connection: it may be called by another transport selector, or have no place left";
        check(&server(), &[hear(CONNECT), say(refusal)], &[STARTED[0], because]);
    }
    let refused = |body: &str, because: &str| {
        let script = [hear(CONNECT), say(CONFIRM), put(&initiate(), 2), say_body(&unhex(body))];
        check(&server(), &script, &[STARTED[0], STARTED[1], because]);
    };
    let password = ACCEPTED.replace("a203020100a305a103020100", "a203020101a305a10302010e");
    refused(&password, "it wants a password for the association: it is never given one");
    refused("0c03320181", "nobody there has the session or presentation selector that was called: name the ones that are configured");
    refused("1903110101", "it ends the association: it may have no place for another client");
    let abort = in_session([put(&Question::Identify, 3), say_body(&unhex("1903110101"))]);
    let because = "it ends the association: it may have no place for another client";
    check(&server(), &abort, &[STARTED[0], STARTED[1], IDENTIFIED[0], because]);
}

#[test]
fn a_server_of_small_packets_is_asked_no_more_than_fits() {
    let small = CONFIRM.replace("c0010a", "c00107");
    let lines = ["asked mms.connect 22", "answered, 4 not put"];
    check(&server(), &[hear(CONNECT), say(&small)], &lines);
    let middle = CONFIRM.replace("c0010a", "c00108");
    let script = [
        hear(CONNECT),
        say(&middle),
        put(&initiate(), 2),
        say_body(&unhex(ACCEPTED)),
        put(&Question::Identify, 3),
        say_body(&answer(3, &identity())),
    ];
    let told = [&STARTED[..], &IDENTIFIED, &["asked mms.conclude 22", "answered, 2 not put"]].concat();
    check(&server(), &script.into_iter().chain(goodbye()).collect::<Vec<Do>>(), &told);
}

#[test]
fn an_answer_to_somebody_else_does_not_count() {
    let other = "stray: mms: byte 0: invoke id and service of the question that waits (ISO 9506-2, 7)";
    let table = [
        (content(&answer(9, &identity())), other),
        (content(&answer(3, &device())), other),
        (content(&data(&unhex("a305 a003 a00100"))), "stray: mms: byte 0: a report that nobody asked for"),
        (content(&data(&unhex("a005 020103 8200"))), "stray: mms: byte 0: a question to us"),
        (content(&unhex(ACCEPTED)), "stray: mms: byte 0: an answer to a connection that was not asked for (ISO 8327-1, 8.3)"),
        (CONFIRM.to_owned(), "stray: cotp: byte 6: reference of the connection request that waits (X.224, 13.4.3)"),
        (content(&[1, 0, 1, 0, 0x61]), "stray: mms: byte 0: session data with a PDU (ISO 8327-1, 8.3; ISO 8823-1, 8.4)"),
        ("03000007 02e080".to_owned(), "stray: cotp: byte 4: 4 bytes needed, 3 there (header of a TPDU (X.224, 13.2))"),
    ];
    let silent = "no whole answer within the time-out (0 bytes of one)";
    for (stray, why) in table {
        let script = in_session([put(&Question::Identify, 3), say(&stray), hear(CONCLUDE)]);
        check(&server(), &script, &[STARTED[0], STARTED[1], IDENTIFIED[0], why, "asked mms.conclude 22", silent]);
    }
    let twice = content(&answer(3, &identity()));
    let [of_device, _] = server().plates("IED1LD0");
    let script = in_session([put(&Question::Identify, 3), say(&twice), say(&twice), put(&of_device, 4), hear(CONCLUDE)]);
    let told = ["asked mms.read.nameplate 349", other, "asked mms.conclude 22", silent];
    check(&server(), &script, &[&STARTED[..], &IDENTIFIED, &told].concat());
}

#[test]
fn a_message_may_come_in_several_packets_but_not_for_ever() {
    let body = answer(3, &identity());
    let (first, rest) = body.split_at(20);
    let [of_device, _] = server().plates("IED1LD0");
    let script = in_session([
        put(&Question::Identify, 3),
        say(&format!("0300001b 02f000 {}", hex(first))),
        say(&content(rest)),
        put(&of_device, 4),
        hear(CONCLUDE),
    ]);
    let silent = "no whole answer within the time-out (0 bytes of one)";
    check(&server(), &script, &[&STARTED[..], &IDENTIFIED, &["asked mms.read.nameplate 349", "asked mms.conclude 22", silent]].concat());
    let endless = (0..17).map(|_| say(&format!("03000400 02f000 {}", "a1".repeat(1_017))));
    let script = in_session([put(&Question::Identify, 3)].into_iter().chain(endless).chain([hear(CONCLUDE)]));
    let (lines, _) = story(&server(), Over::Tcp, &script);
    assert_eq!(lines.last().map(String::as_str), Some("hostile: a message of it never ends"), "{lines:?}");
}

#[test]
fn bytes_that_are_no_packet_are_hostile() {
    for bytes in ["5353482d322e30", "0300ffff02f080", "03000405", "03000000"] {
        let (lines, _) = story(&server(), Over::Tcp, &[hear(CONNECT), say(bytes)]);
        assert!(lines.last().is_some_and(|line| line.starts_with("hostile: its bytes are no iso")), "{lines:?}");
    }
}

#[test]
fn a_server_may_fall_silent_or_close_anywhere() {
    let silent = "no whole answer within the time-out (0 bytes of one)";
    check(&server(), &[hear(CONNECT)], &[STARTED[0], silent]);
    check(&server(), &[hear(CONNECT), say(CONFIRM), put(&initiate(), 2)], &[STARTED[0], STARTED[1], silent]);
    let (lines, took) = story(&server(), Over::Tcp, &[hear(CONNECT), Drip(300, CONFIRM)]);
    assert_eq!((lines.len(), took.as_secs()), (2, 2), "{lines:?}");
    let whole = unhex(&content(&answer(3, &identity())));
    for cut in 0..whole.len() {
        let end = format!("the device closed the connection ({cut} bytes of an answer)");
        let script = in_session([put(&Question::Identify, 3), say(&hex(&whole[..cut])), Close]);
        check(&server(), &script, &[STARTED[0], STARTED[1], IDENTIFIED[0], &end]);
    }
}

#[test]
fn what_is_planned_passes_the_guard() {
    use crate::ask::{Ask, Via, plan};
    use crate::guard::Endpoint;
    let endpoint = Endpoint::Tcp(([192, 0, 2, 7], PORT).into());
    let prefixed = Questions { node: "DevIDLPHD1".to_owned(), transport: vec![0, 0, 0, 1], ..Questions::default() };
    for (asked, count) in [(Questions::default(), 7), (server(), 6), (prefixed, 7)] {
        let planned = plan(&[Ask { endpoint: endpoint.clone(), via: Via::Mms(asked) }]).expect("the guard lets it pass");
        assert_eq!(planned.len(), count);
        assert!(planned.iter().all(|one| one.meaning.len() == one.message.bytes.len()), "every byte has a meaning");
    }
    let wide = Questions { node: "CSWI1".to_owned(), ..server() };
    assert_eq!(plan(&[Ask { endpoint, via: Via::Mms(wide) }]).expect_err("no such plate").rule, "permit.node");
}
