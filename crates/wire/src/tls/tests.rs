use super::*;
use crate::shorter;

fn tlv(tag: u8, content: &[u8]) -> Vec<u8> {
    let length = content.len();
    let head = if length < 0x80 { vec![tag, length as u8] } else { vec![tag, 0x82, (length >> 8) as u8, length as u8] };
    let head = if (0x80..0x100).contains(&length) { vec![tag, 0x81, length as u8] } else { head };
    [&head, content].concat()
}

fn attribute(kind: u8, tag: u8, text: &[u8]) -> Vec<u8> {
    tlv(0x31, &tlv(0x30, &[tlv(0x06, &[0x55, 4, kind]), tlv(tag, text)].concat()))
}

/// A certificate by RFC 5280, 4.1; key and signature are not looked at.
fn certificate() -> Vec<u8> {
    let issuer = tlv(0x30, &attribute(10, 0x13, b"Plant CA"));
    let validity = tlv(0x30, &[tlv(0x17, b"200101000000Z"), tlv(0x18, b"20500101000000Z")].concat());
    let subject = tlv(0x30, &[attribute(3, 0x0c, b"plc-4"), attribute(10, 0x1e, b"\0A\0B"), attribute(5, 0x13, b"SN 7")].concat());
    let names = tlv(0x30, &[tlv(0x82, b"plc-4.local"), tlv(0x87, &[10, 0, 0, 4]), tlv(0x86, b"urn:plc")].concat());
    let extension = tlv(0x30, &[tlv(0x06, &[0x55, 0x1d, 0x11]), tlv(0x01, &[0xff]), tlv(0x04, &names)].concat());
    let body = [
        tlv(0xa0, &tlv(0x02, &[2])),
        tlv(0x02, &[0x12, 0x34]),
        tlv(0x30, &[]),
        issuer,
        validity,
        subject,
        tlv(0x30, &[]),
        tlv(0xa3, &tlv(0x30, &extension)),
    ];
    tlv(0x30, &[tlv(0x30, &body.concat()), tlv(0x30, &[]), tlv(0x03, &[0, 1])].concat())
}

fn message(kind: u8, content: &[u8]) -> Vec<u8> {
    [&[kind, 0, (content.len() >> 8) as u8, content.len() as u8], content].concat()
}

fn record(kind: u8, content: &[u8]) -> Vec<u8> {
    [&[kind, 3, 3, (content.len() >> 8) as u8, content.len() as u8], content].concat()
}

fn hello(kind: u8, extensions: &[u8]) -> Vec<u8> {
    let suites: &[u8] = if kind == CLIENT_HELLO { &[0, 2, 0, 0x2f, 1, 0] } else { &[0, 0x2f, 0] };
    message(kind, &[&[3, 3][..], &[7; 32], &[0], suites, &[0, extensions.len() as u8], extensions].concat())
}

fn chain() -> Vec<u8> {
    let leaf = certificate();
    let one = [&[0, (leaf.len() >> 8) as u8, leaf.len() as u8][..], &leaf].concat();
    message(CERTIFICATE_MESSAGE, &[&[0, (one.len() >> 8) as u8, one.len() as u8][..], &one].concat())
}

const EXPECTED: [(&str, &str); 10] = [
    ("serial", "\\x124"),
    ("issuer.o", "Plant CA"),
    ("not_before", "200101000000Z"),
    ("not_after", "20500101000000Z"),
    ("subject.cn", "plc-4"),
    ("subject.o", "\\x00A\\x00B"),
    ("subject.serial", "SN 7"),
    ("alternative.host", "plc-4.local"),
    ("alternative.ip", "\\n\\x00\\x00\\x04"),
    ("alternative.uri", "urn:plc"),
];

fn check(protocol: &Protocol, bytes: &[u8], prefix: &str) {
    let expected: Vec<(String, &str)> = EXPECTED.iter().map(|(path, value)| (format!("{prefix}.{path}"), *value)).collect();
    let expected: Vec<(&str, &str)> = expected.iter().map(|(path, value)| (path.as_str(), *value)).collect();
    shorter::check(protocol, Over::Tcp, &[bytes], &expected);
}

#[test]
fn a_certificate_tells_whose_it_is() {
    let one = record(22, &[hello(SERVER_HELLO, &[]), chain()].concat());
    check(&PROTOCOL, &one, "tls");
    check(&HTTPS_PROTOCOL, &one, "https");
    check(&PROTOCOL, &[record(22, &hello(SERVER_HELLO, &[])), record(22, &chain())].concat(), "tls");
    // The server chose HTTP (RFC 7301).
    check(&PROTOCOL, &[record(22, &hello(SERVER_HELLO, b"\0\x10\0\x05\0\x03\x02h2")), record(22, &chain())].concat(), "https");
    // Records that end in the middle of a value: that value is left out, the others stand.
    let small: Vec<u8> = chain().chunks(40).flat_map(|part| record(22, part)).collect();
    let told = shorter::told(&PROTOCOL, Over::Tcp, &[&[record(22, &hello(SERVER_HELLO, &[])), small].concat()]);
    assert!(told.len() >= 6 && told.iter().all(|(path, value)| EXPECTED.contains(&(path.trim_start_matches("tls."), value))), "{told:?}");
    // What follows is encrypted.
    let hidden = [record(22, &hello(SERVER_HELLO, &[])), record(20, &[1]), record(22, &chain())].concat();
    shorter::check(&PROTOCOL, Over::Tcp, &[&hidden], &[]);
}

#[test]
fn the_name_that_a_client_asks_for_is_belief() {
    let extension = [&[0, 0, 0, 9, 0, 7, 0, 0, 4][..], b"plc4"].concat();
    let readings = PROTOCOL.replay(Over::Tcp, [&record(22, &hello(CLIENT_HELLO, &extension))[..]], []);
    let said: Vec<_> = readings.iter().map(|reading| (reading.authority, reading.facts[0].bytes.as_slice())).collect();
    assert_eq!(said, [(Authority::Belief, &b"plc4"[..])]);
}

#[test]
fn a_flight_has_a_cap() {
    let mut connection = Connection::new(TLS);
    let end = crate::conversation::End::default();
    let endless = message(CERTIFICATE_MESSAGE, &[0; 60_000]);
    let mut stream = record(22, &hello(SERVER_HELLO, &[]));
    stream.extend(endless.chunks(10_000).flat_map(|part| record(22, part)));
    for bytes in stream.chunks(1_000) {
        let said = Said { bytes, missing: 0, at: At::default(), from: &end, to: &end, by_server: true };
        connection.hear(&said, &mut |_| {});
        assert!(connection.server.flight.bytes(usize::MAX).len() <= FLIGHT_BYTES_MAX);
    }
    assert!(connection.server.done);
    assert_eq!(connection.coverage, Coverage { seen: 8, decoded: 8 });
}

#[test]
fn a_hello_makes_it_certain() {
    for (bytes, expected) in [
        (record(22, &hello(CLIENT_HELLO, &[0; 8])), Likeness::Certain),
        (record(22, &hello(SERVER_HELLO, &[])), Likeness::Certain),
        (vec![22, 3, 1], Likeness::Possible),
        (record(23, &[1, 2, 3]), Likeness::Possible),
        (b"\x16\x03\x01\x00\x05\x01\x00\x00\x01\x03\x03".to_vec(), Likeness::No),
        (b"\x63\x00\x00\x00\x00\x00".to_vec(), Likeness::No),
        (b"\x03\x00\x00\x16\x11\xe0".to_vec(), Likeness::No),
    ] {
        assert_eq!(likeness(&bytes), expected, "{bytes:02x?}");
    }
}

#[test]
fn a_certificate_that_was_encrypted_says_the_same_in_clear() {
    // The hello is followed by what is encrypted (RFC 8446, 5.2): another kind of record.
    let server = [record(22, &hello(SERVER_HELLO, &[0, 43, 0, 2, 3, 4])), record(20, &[1]), record(23, &[0; 900])].concat();
    let clear = in_clear(&server, &certificate()).expect("a hello and a certificate");
    let told = |bytes: &[u8]| {
        let readings = HTTPS_PROTOCOL.replay(Over::Tcp, [], [bytes]);
        readings.into_iter().flat_map(|reading| reading.facts).map(|fact| (fact.path, fact.bytes)).collect::<Vec<_>>()
    };
    let as_in_tls_1_2 = [record(22, &hello(SERVER_HELLO, &[])), record(22, &chain())].concat();
    assert!(!told(&clear).is_empty() && told(&server).is_empty());
    assert_eq!(told(&clear), told(&as_in_tls_1_2));
    assert_eq!(in_clear(b"HTTP/1.1 400 Bad Request\r\n", &certificate()), None);
    assert_eq!(in_clear(&server, &vec![0; 1 << 14]), None);
    for cut in 0..server.len() {
        assert!(in_clear(&server[..cut], &certificate()).is_none_or(|other| other == clear), "{cut}");
    }
}
