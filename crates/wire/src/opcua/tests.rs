use super::*;
use crate::conversation::{End, Heard, Over, Role, Said};
use crate::tcp::At;
use crate::{Authority, Reading};

/// Bytes as OPC 10000-6, 5.2 encodes them.
fn text(text: &str) -> Vec<u8> {
    [&u32::try_from(text.len()).unwrap().to_le_bytes()[..], text.as_bytes()].concat()
}

fn null() -> Vec<u8> {
    vec![0xff; 4]
}

fn localized(text: &str) -> Vec<u8> {
    [vec![2], self::text(text)].concat()
}

fn number(number: u32) -> Vec<u8> {
    number.to_le_bytes().to_vec()
}

fn list(elements: &[Vec<u8>]) -> Vec<u8> {
    [number(u32::try_from(elements.len()).unwrap()), elements.concat()].concat()
}

/// A node of the specification, with four bytes.
fn node(id: u16) -> Vec<u8> {
    [&[1, 0][..], &id.to_le_bytes()].concat()
}

/// A node of namespace 4, with a text.
fn named(name: &str) -> Vec<u8> {
    [vec![3, 4, 0], text(name)].concat()
}

/// A message: chunks of these pieces of its body.
fn message(request: u32, body: &[u8], pieces: usize) -> Vec<Vec<u8>> {
    let length = body.len().div_ceil(pieces);
    let chunks = body.chunks(length).enumerate().map(|(index, part)| {
        let last = if (index + 1) * length >= body.len() { b'F' } else { b'C' };
        let size = u32::try_from(24 + part.len()).unwrap();
        [&b"MSG"[..], &[last], &size.to_le_bytes(), &number(7), &number(1), &number(60), &number(request), part].concat()
    });
    chunks.collect()
}

fn request(id: u32, service: u16, body: &[Vec<u8>]) -> Vec<Vec<u8>> {
    let header = [node(service), vec![0, 0], vec![0; 8], number(1), number(0), null(), number(5000), vec![0, 0, 0]];
    message(id, &[header.concat(), body.concat()].concat(), 1)
}

fn response(id: u32, service: u16, body: &[Vec<u8>], pieces: usize) -> Vec<Vec<u8>> {
    let header = [node(service), vec![0; 8], number(1), number(0), vec![0], null(), vec![0, 0, 0]];
    message(id, &[header.concat(), body.concat()].concat(), pieces)
}

fn application(uri: &str, product: &str, name: &str, kind: u32, url: &str) -> Vec<u8> {
    [text(uri), text(product), localized(name), number(kind), null(), null(), list(&[text(url)])].concat()
}

fn endpoint(url: &str, application: &[u8]) -> Vec<u8> {
    let tokens = list(&[[text("anonymous"), number(0), null(), null(), null()].concat()]);
    let policy = text("http://opcfoundation.org/UA/SecurityPolicy#None");
    [text(url), application.to_vec(), text("certificate"), number(1), policy, tokens, text("uatcp"), vec![0]].concat()
}

/// Messages of one side, and whether it is the server's.
type Spoken = (Vec<Vec<u8>>, bool);

fn hear(spoken: &[Spoken]) -> Vec<Heard> {
    let (mut connection, mut heard) = ((PROTOCOL.start)(Over::Tcp), Vec::new());
    let ends = [End::default(), End { port: Some(4840), ..End::default() }];
    for (messages, by_server) in spoken {
        for bytes in messages {
            let side = usize::from(*by_server);
            let said = Said { bytes, missing: 0, at: At::default(), from: &ends[side], to: &ends[1 - side], by_server: *by_server };
            connection.hear(&said, &mut |event| heard.push(event));
        }
    }
    connection.finish(At::default(), &mut |event| heard.push(event));
    heard
}

fn readings(spoken: &[Spoken]) -> Vec<Reading> {
    hear(spoken).into_iter().filter_map(|heard| if let Heard::Reading(reading) = heard { Some(reading) } else { None }).collect()
}

fn facts(reading: &Reading) -> Vec<(String, String)> {
    reading.facts.iter().map(|fact| (fact.path.clone(), String::from_utf8_lossy(&fact.bytes).into_owned())).collect()
}

/// Whose word, about whom, and the facts.
type Expected<'a> = (Authority, &'a str, &'a [(&'a str, &'a str)]);

/// What the last of these messages says, whole, in small pieces and at every length.
fn check(spoken: &[Spoken], expected: &[Expected<'_>]) {
    let found = readings(spoken);
    let said: Vec<_> =
        found.iter().map(|reading| (reading.authority, reading.speaker.name.clone().unwrap_or_default(), facts(reading))).collect();
    let of = |facts: &[(&str, &str)]| facts.iter().map(|(path, value)| ((*path).to_owned(), (*value).to_owned())).collect::<Vec<_>>();
    let wanted: Vec<_> = expected.iter().map(|(authority, name, facts)| (*authority, (*name).to_owned(), of(facts))).collect();
    assert_eq!(said, wanted);
    assert!(found.iter().all(|reading| reading.complete && reading.malformed.is_empty()), "{found:?}");
    for reading in &found {
        let again = PROTOCOL.replay(
            Over::Tcp,
            reading.messages[..reading.asked].iter().map(|message| &message.bytes[..]),
            reading.messages[reading.asked..].iter().map(|message| &message.bytes[..]),
        );
        assert!(again.iter().any(|again| (&again.facts, &again.speaker.name) == (&reading.facts, &reading.speaker.name)), "{again:?}");
    }
    let (before, last) = (&spoken[..spoken.len() - 1], spoken.last().unwrap());
    for index in 0..last.0.len() {
        for cut in 0..last.0[index].len() {
            let mut messages = last.0[..=index].to_vec();
            messages[index].truncate(cut);
            for part in readings(&[before, &[(messages, last.1)]].concat()) {
                assert!(!part.complete, "message {index} cut after {cut}");
                let whole = said.iter().find(|(.., facts)| self::facts(&part).iter().all(|fact| facts.contains(fact)));
                assert!(
                    whole.is_some_and(|(authority, name, _)| (*authority, name.clone())
                        == (part.authority, part.speaker.name.clone().unwrap_or_default()))
                );
            }
        }
    }
}

const SERVER: [(&str, &str); 5] = [
    ("opcua.application.uri", "urn:plant:press-4"),
    ("opcua.application.product_uri", "urn:maker:controller"),
    ("opcua.application.name", "Press 4"),
    ("opcua.application.type", "\0\0\0\0"),
    ("opcua.application.url", "opc.tcp://10.0.0.4:4840"),
];

fn press() -> Vec<u8> {
    application("urn:plant:press-4", "urn:maker:controller", "Press 4", 0, "opc.tcp://10.0.0.4:4840")
}

#[test]
fn an_application_says_what_it_is_in_discovery_and_in_sessions() {
    let with_endpoint = [&SERVER[..], &[("opcua.endpoint.url", "opc.tcp://press:4840")]].concat();
    for pieces in [1, 3] {
        check(&[(response(1, 425, &[list(&[press()])], pieces), true)], &[(Authority::Device, "urn:plant:press-4", &SERVER)]);
        let endpoints = list(&[endpoint("opc.tcp://press:4840", &press()), endpoint("opc.tcp://press:4840", &press())]);
        let expected: [(Authority, &str, &[_]); 1] = [(Authority::Device, "urn:plant:press-4", &with_endpoint)];
        check(&[(response(1, 431, core::slice::from_ref(&endpoints), pieces), true)], &expected);
        let session = [node(1), node(2), vec![0; 8], null(), null(), endpoints];
        check(&[(response(1, 464, &session, pieces), true)], &expected);
    }
    let client = application("urn:desk:hmi", "urn:maker:hmi", "HMI", 1, "");
    let expected = [
        ("opcua.application.uri", "urn:desk:hmi"),
        ("opcua.application.product_uri", "urn:maker:hmi"),
        ("opcua.application.name", "HMI"),
        ("opcua.application.type", "\u{1}\0\0\0"),
        ("opcua.application.url", ""),
    ];
    let session = request(1, 461, &[client, text("urn:plant:press-4"), text("opc.tcp://press:4840")]);
    check(&[(session, false)], &[(Authority::Client, "urn:desk:hmi", &expected)]);
    let registered = [text("urn:plant:press-4"), text("urn:maker:controller"), list(&[localized("Press 4")]), number(0), null()];
    let registration = request(1, 437, &[registered.concat(), list(&[text("opc.tcp://10.0.0.4:4840")]), null(), vec![1]]);
    check(&[(registration, false)], &[(Authority::Device, "urn:plant:press-4", &SERVER)]);
}

#[test]
fn what_a_discovery_server_lists_is_not_the_others_own_word() {
    let own = application("urn:plant:lds", "urn:foundation:lds", "LDS", 3, "opc.tcp://lds:4840");
    let found = readings(&[(response(1, 425, &[list(&[press(), own.clone()])], 1), true)]);
    let said: Vec<_> =
        found.iter().map(|reading| (reading.authority, reading.speaker.ip.map(|ip| ip.to_string()), reading.speaker.port)).collect();
    assert_eq!(said, [(Authority::Belief, Some("10.0.0.4".to_owned()), Some(4840)), (Authority::Device, None, Some(4840))]);
    // Cut behind the first, it is still a list of two.
    let mut cut = response(1, 425, &[list(&[press(), own])], 1);
    let length = cut[0].len() - 20;
    cut[0].truncate(length);
    assert!(readings(&[(cut, true)]).iter().all(|reading| reading.authority == Authority::Belief));
}

/// Nodes, each its value.
fn read(id: u32, nodes: &[Vec<u8>]) -> Vec<Vec<u8>> {
    let nodes: Vec<_> = nodes.iter().map(|node| [node.clone(), number(13), null(), vec![0, 0], null()].concat()).collect();
    request(id, 631, &[vec![0; 8], number(3), list(&nodes)])
}

fn value(variant: &[Vec<u8>]) -> Vec<u8> {
    // A value with a source's time.
    [vec![5], variant.concat(), vec![0; 8]].concat()
}

#[test]
fn build_info_is_read_with_its_question() {
    let nodes = [node(2261), node(2264), node(2258), node(2263)];
    // The second is there as an array of texts in between: passed over. The last is bad.
    let bad = [vec![3, 12], text("Maker"), number(0x8032_0000)].concat();
    let values =
        [value(&[vec![12], text("PLC 1500")]), value(&[vec![12], text("4.5.2")]), value(&[vec![0x8c], list(&[text("a"), null()])]), bad];
    let answer = response(9, 634, &[list(&values), null()], 1);
    let expected: [(&str, &str); 2] = [("opcua.build.product_name", "PLC 1500"), ("opcua.build.software_version", "4.5.2")];
    check(&[(read(9, &nodes), false), (answer.clone(), true)], &[(Authority::Device, "", &expected)]);
    assert_eq!(readings(&[(answer.clone(), true)]), [], "nobody knows which nodes these are");
    assert_eq!(readings(&[(read(8, &nodes), false), (answer, true)]), [], "the answer to another question");

    let build = [text("urn:maker:plc"), text("Maker"), text("PLC 1500"), text("4.5.2"), text("1187"), vec![1; 8]].concat();
    let body = |encoding, body: &[u8]| [vec![22], node(encoding), vec![1], text(""), body.to_vec()].concat();
    let sized = |encoding: u16, bytes: &[u8]| {
        let mut structure = body(encoding, bytes);
        structure.splice(6..10, number(u32::try_from(bytes.len()).unwrap()));
        structure
    };
    let expected = [
        ("opcua.build.product_uri", "urn:maker:plc"),
        ("opcua.build.manufacturer", "Maker"),
        ("opcua.build.product_name", "PLC 1500"),
        ("opcua.build.software_version", "4.5.2"),
        ("opcua.build.build_number", "1187"),
        ("opcua.build.date", "\u{1}\u{1}\u{1}\u{1}\u{1}\u{1}\u{1}\u{1}"),
    ];
    let answer = response(9, 634, &[list(&[value(&[sized(340, &build)])]), null()], 2);
    check(&[(read(9, &[node(2260)]), false), (answer, true)], &[(Authority::Device, "", &expected)]);
    let server = [vec![0; 20], build].concat();
    let answer = response(9, 634, &[list(&[value(&[sized(864, &server)])]), null()], 1);
    check(&[(read(9, &[node(2256)]), false), (answer, true)], &[(Authority::Device, "", &expected)]);
}

fn reference(node: &[u8], name: &str) -> Vec<u8> {
    [self::node(46), vec![1], node.to_vec(), vec![2, 0], text(name), localized(name), number(2), self::node(68)].concat()
}

fn browse(id: u32, nodes: &[Vec<u8>]) -> Vec<Vec<u8>> {
    let nodes: Vec<_> =
        nodes.iter().map(|node| [node.clone(), number(0), self::node(33), vec![1], number(0), number(63)].concat()).collect();
    request(id, 527, &[vec![0, 0], vec![0; 12], number(0), list(&nodes)])
}

#[test]
fn a_device_s_nameplate_is_read_where_a_browse_has_named_its_nodes() {
    let (one, two) = (named("PLC"), named("IO"));
    let of = |references: &[Vec<u8>]| [number(0), null(), list(references)].concat();
    let found = list(&[
        of(&[reference(&named("PLC.sw"), "SoftwareRevision"), reference(&named("PLC.t"), "Temperature")]),
        of(&[reference(&named("IO.sw"), "SoftwareRevision"), reference(&named("IO.m"), "Model")]),
    ]);
    let browsed = [(browse(3, &[one, two]), false), (response(3, 530, &[found, null()], 1), true)];
    let nodes = [named("PLC.sw"), named("PLC.t"), named("IO.sw"), named("IO.m")];
    let texts = [
        value(&[vec![12], text("V2.9")]),
        value(&[vec![12], text("31")]),
        value(&[vec![12], text("V1.0")]),
        value(&[vec![21], localized("IO-8")]),
    ];
    let answer = (response(4, 634, &[list(&texts), null()], 1), true);
    check(
        &[&browsed[..], &[(read(4, &nodes), false), answer.clone()]].concat(),
        &[
            (Authority::Device, "ns=4;s=PLC", &[("opcua.device.software_revision", "V2.9")]),
            (Authority::Device, "ns=4;s=IO", &[("opcua.device.software_revision", "V1.0"), ("opcua.device.model", "IO-8")]),
        ],
    );
    assert_eq!(readings(&[(read(4, &nodes), false), answer.clone()]), [], "no browse, no names");

    // Paths do, too.
    let element = |name: &str| [node(46), vec![0, 1], vec![2, 0], text(name)].concat();
    let paths = list(&[[named("Set"), list(&[element("PLC"), element("SerialNumber")])].concat()]);
    let targets = list(&[[number(0), list(&[[named("PLC.sn"), number(u32::MAX)].concat()])].concat()]);
    let translated = [(request(5, 554, &[paths]), false), (response(5, 557, &[targets, null()], 1), true)];
    let answer = (response(6, 634, &[list(&[value(&[vec![12], text("SN-1")])]), null()], 1), true);
    let expected = [(Authority::Device, "ns=4;s=Set/PLC", &[("opcua.device.serial_number", "SN-1")][..])];
    check(&[&translated[..], &[(read(6, &[named("PLC.sn")]), false), answer]].concat(), &expected);
}

#[test]
fn a_fault_is_an_answer() {
    let mut fault = response(9, 397, &[], 1);
    fault[0][40..44].copy_from_slice(&number(0x8025_0000));
    let found = readings(&[(read(9, &[node(2264)]), false), (fault, true)]);
    let [reading] = &found[..] else { panic!("{found:?}") };
    assert_eq!((reading.facts[0].path.as_str(), &reading.facts[0].bytes[..]), ("opcua.fault", &[0, 0, 0x25, 0x80][..]));
}

#[test]
fn a_secured_channel_tells_its_policy_and_is_there() {
    let sized = |word: &[u8; 4], body: &[u8]| [&word[..], &number(u32::try_from(8 + body.len()).unwrap()), body].concat();
    let policy = "http://opcfoundation.org/UA/SecurityPolicy#Basic256Sha256";
    let open = [number(7), text(policy), text("certificate"), text("thumb"), vec![0x5a; 40]].concat();
    let hello = (vec![sized(b"HELF", &[number(0), vec![0; 16], text("opc.tcp://press")].concat())], false);
    let spoken = [hello, (vec![sized(b"ACKF", &[0; 20])], true), (vec![sized(b"OPNF", &open)], false), (vec![sized(b"OPNF", &open)], true)];
    let heard = hear(&spoken);
    let roles: Vec<_> = heard.iter().filter_map(|heard| if let Heard::Present { role, .. } = heard { Some(*role) } else { None }).collect();
    assert_eq!(roles, [Role::Server, Role::Client]);
    let [reading] = &readings(&spoken)[..] else { panic!("{heard:?}") };
    assert_eq!(facts(reading), [("opcua.channel.policy".to_owned(), policy.to_owned())]);
    let reverse = sized(b"RHEF", &[text("urn:plant:press-4"), text("opc.tcp://10.0.0.4")].concat());
    let expected = [("opcua.application.uri", "urn:plant:press-4"), ("opcua.endpoint.url", "opc.tcp://10.0.0.4")];
    check(&[(vec![reverse], true)], &[(Authority::Device, "urn:plant:press-4", &expected)]);
}

#[test]
fn arrays_without_end_and_nesting_without_bottom_are_refused() {
    for variant in [vec![0x80, 0xff, 0xff, 0xff, 0x7f], vec![24; 100], vec![23; 100], [vec![25], vec![0x40; 100]].concat()] {
        let answer = response(9, 634, &[list(&[[vec![1], variant].concat()])], 1);
        assert_eq!(readings(&[(read(9, &[node(2264)]), false), (answer, true)]), []);
    }
}

#[test]
fn a_message_starts_with_a_word_and_a_size() {
    let likeness = |bytes: &[u8]| (PROTOCOL.likeness)(bytes, Over::Tcp);
    assert_eq!(likeness(b"HELF\x38\0\0\0"), Likeness::Certain);
    assert_eq!(likeness(b"MSGC\x38\0\0"), Likeness::Possible);
    for other in [&b"HELO mail.example"[..], b"ERROR", b"MSGFhello", b"GET / HTTP/1.1", b"\x16\x03\x01\x02\x00", b"HELF\x07\0\0\0"] {
        assert_eq!(likeness(other), Likeness::No, "{other:?}");
    }
}
