//! Protocols whose identity stands in no public capture: servers that we did not write, asked with bytes written by hand, recorded by
//! dumpcap and counted by tshark.

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::net::{Ipv4Addr, TcpStream};
use std::process::Command;
use std::time::Duration;

use nameplate_tests::personas::{self, Persona};
use nameplate_tests::place::needed;
use nameplate_tests::product::{Product, code};
use nameplate_tests::record::{self, Recording};
use nameplate_tests::rig::{self, Kind};

/// Longer than any of these servers takes to answer.
const PATIENCE: Duration = Duration::from_secs(10);
/// Variation of group 0 (IEEE 1815, annex A.2), and the nameplate field that it is.
const ATTRIBUTES: [(u8, &str); 8] = [
    (242, "firmware_revision"),
    (243, "hardware_revision"),
    (245, "location"),
    (246, "description"),
    (247, "name"),
    (248, "serial_number"),
    (250, "model"),
    (252, "manufacturer"),
];
/// All attributes of group 0.
const ALL: u8 = 254;
/// Control octet of a link frame with user data from the master (9.2.4.1.3), and the bit that the outstation's has not.
const USER_DATA: u8 = 0xC4;
/// First, last, sequence 0 of the transport function (8.2.1), and the bit of the last.
const TRANSPORT: u8 = 0xC0;
const LAST_BIT: u8 = 0x80;

/// Checksum of a block (9.2.4.1.6): polynomial 0x3D65, lower bit first, complemented.
fn crc(block: &[u8]) -> [u8; 2] {
    let step = |crc: u16, _| if crc & 1 == 1 { crc >> 1 ^ 0xA6BC } else { crc >> 1 };
    (!block.iter().fold(0, |crc, byte| (0..8).fold(crc ^ u16::from(*byte), step))).to_le_bytes()
}

/// "Read" of one variation of group 0, set 0, in a link frame to that outstation from master 1.
fn question(outstation: u8, variation: u8) -> Vec<u8> {
    let user = [TRANSPORT, 0xC0, 1, 0, variation, 0, 0, 0];
    let header = [5, 0x64, 5 + 8, USER_DATA, outstation, 0, 1, 0];
    [&header[..], &crc(&header), &user, &crc(&user)].concat()
}

/// The next whole frame: its transport octet; `None` for one without user data.
fn frame(stream: &mut TcpStream) -> Option<u8> {
    let mut header = [0; 10];
    stream.read_exact(&mut header).expect("a header");
    let user = usize::from(header[2]) - 5;
    let mut rest = vec![0; user + 2 * user.div_ceil(16)];
    stream.read_exact(&mut rest).expect("user data");
    rest.first().copied()
}

/// Asks the outstation, question by question, and records it: the attributes that it told are claimed, and no others.
fn check(product: &Product, persona: &Persona, variations: &[u8], expected: &[u8]) {
    let server = rig::start(Kind::Py1815, persona).expect("an outstation");
    let recording = Recording::start(&[server.port]).expect("a recording");
    #[expect(clippy::disallowed_methods, reason = "the raw client of a test, towards the server it started")]
    let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, server.port)).expect("a connection");
    stream.set_read_timeout(Some(PATIENCE)).expect("a time-out");
    for variation in variations {
        stream.write_all(&question(persona.unit, *variation)).expect("written");
        while frame(&mut stream).is_none_or(|transport| transport & LAST_BIT == 0) {}
    }
    drop(stream);
    let file = recording.stop().expect("a capture");
    let path = file.to_string_lossy();
    let ended = product.run(["listen", "--format", "claims", &*path]).expect(code::DONE);
    let claimed: BTreeMap<String, String> = ended.claims().into_iter().map(|claim| (claim.field, claim.value)).collect();
    let told = ATTRIBUTES.iter().filter(|(variation, _)| expected.contains(variation));
    let told = told.map(|(variation, field)| ((*field).to_owned(), persona.objects[variation].clone()));
    assert_eq!(claimed, told.collect::<BTreeMap<_, _>>(), "{variations:?} in {path}");
    assert!(
        ended.lines().iter().all(|line| line["address"]["link"] == persona.unit && line["grade"] == "identity-object"),
        "{}",
        ended.out
    );
    // Every message is decoded, and there are as many as the referee names: a response of several frames counts once for it.
    let line = ended.err.lines().find_map(|line| line.strip_prefix("dnp3: ")?.strip_suffix(" messages decoded")?.split_once(" of "));
    let (decoded, seen) = line.unwrap_or_else(|| panic!("no messages: {}", ended.err));
    let named = named_by_tshark(&path, server.port);
    assert!(decoded == seen && decoded.parse::<usize>().is_ok_and(|decoded| decoded >= named), "{named} in {path}: {}", ended.err);
}

/// How many messages of DNP3 tshark finds on that port.
fn named_by_tshark(path: &str, port: u16) -> usize {
    let decode_as = format!("tcp.port=={port},dnp3");
    let run = Command::new("tshark").args(["-n", "-r", path, "-d", &decode_as, "-T", "fields", "-e", "frame.protocols"]).output();
    let text = String::from_utf8(run.expect("tshark runs").stdout).expect("UTF-8");
    let messages = text.split([':', '\n']).filter(|layer| *layer == "dnp3").count();
    assert!(messages > 1, "{text}");
    messages
}

#[test]
fn an_outstation_s_attributes_are_heard_as_it_told_them() {
    let parts = rig::available().and_then(|()| record::available()).and_then(|()| Product::find());
    let Some(product) = needed("an_outstation_s_attributes_are_heard_as_it_told_them", parts) else { return };
    let seed = personas::seed();
    let drawn =
        personas::random(seed).objects.into_values().chain(personas::paged(seed).objects.into_values().filter(|text| text.len() > 100));
    let objects: BTreeMap<u8, String> = ATTRIBUTES.iter().map(|(variation, _)| *variation).zip(drawn).collect();
    let persona = Persona { objects, ..personas::random(seed) };
    let all: Vec<u8> = persona.objects.keys().copied().collect();
    check(&product, &persona, &[ALL], &all);
    check(&product, &persona, &[242], &[242]);
    check(&product, &persona, &[252, 250, 242, 248], &[252, 250, 242, 248]);
    // An attribute that it has not.
    check(&product, &persona, &[241], &[]);
}
