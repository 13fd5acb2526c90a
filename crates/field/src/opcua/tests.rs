//! Messages written out after OPC 10000-6 and OPC 10000-4 by the functions below, which share nothing with the code they test.

use super::*;
use crate::dialogue::script::{Do, hex as digits, story};
use crate::guard::Secret;
use crate::guard::uasc::{Identity, Policy, fingerprint, thumbprint};
use nameplate_wire::conversation::Over;

const URL: &str = "opc.tcp://192.0.2.9:4840";
const CHANNEL: [u8; 8] = [7, 0, 0, 0, 13, 0, 0, 0];
const SESSION: &[u8] = &[1, 0, 0xe9, 3];

fn number(number: u32) -> Vec<u8> {
    number.to_le_bytes().to_vec()
}

fn text(text: &[u8]) -> Vec<u8> {
    [&number(text.len() as u32)[..], text].concat()
}

fn chunk(word: &[u8], rest: &[u8]) -> Vec<u8> {
    [word, &number(rest.len() as u32 + 8), rest].concat()
}

/// A question in one chunk.
fn asked(word: &[u8], n: u8, service: u16, session: &[u8], body: &[u8]) -> Vec<u8> {
    let n = number(n.into());
    let head = [&CHANNEL[..], &n, &n, &[1, 0], &service.to_le_bytes(), session, &[0; 8], &n, &number(0), &[0xff; 4]].concat();
    chunk(word, &[head, number(10_000), vec![0; 3], body.to_vec()].concat())
}

fn good(n: u8, service: u16, result: u32, body: &[u8]) -> Vec<u8> {
    [&[1, 0][..], &service.to_le_bytes(), &[0; 8], &number(n.into()), &number(result), &[0], &number(0), &[0; 3], body].concat()
}

/// A part of an answer: the last where the word ends in F.
fn part(word: &[u8], n: u8, body: &[u8]) -> Vec<u8> {
    chunk(word, &[&CHANNEL[..], &number(60), &number(n.into()), body].concat())
}

fn answer(n: u8, service: u16, body: &[u8]) -> Vec<u8> {
    part(b"MSGF", n, &good(n, service, 0, body))
}

fn fault(n: u8, code: u32) -> Vec<u8> {
    part(b"MSGF", n, &good(n, 397, code, &[]))
}

fn hello() -> Vec<u8> {
    chunk(b"HELF", &[[0, 65_536, 65_536, 262_144, 16].map(u32::to_le_bytes).concat(), text(URL.as_bytes())].concat())
}

const NONE: &[u8] = b"http://opcfoundation.org/UA/SecurityPolicy#None";

fn open() -> Vec<u8> {
    let one = number(1);
    let security = [number(0), text(NONE), vec![0xff; 8], one.clone(), one.clone()].concat();
    let header = [&[1, 0, 0xbe, 1, 0, 0][..], &[0; 8], &one, &number(0), &[0xff; 4], &number(10_000), &[0; 3]].concat();
    chunk(b"OPNF", &[security, header, number(0), number(0), number(1), vec![0xff; 4], number(60_000)].concat())
}

fn opened() -> Vec<u8> {
    let body = good(1, 449, 0, &[&number(0), &CHANNEL[..], &[0; 8], &number(60_000), &[0xff; 4]].concat());
    chunk(b"OPNF", &[number(7), text(NONE), vec![0xff; 8], number(1), number(1), body].concat())
}

/// Endpoints, each of a policy, a mode, and a way for users (0 anonymous, 1 with a password).
fn endpoints(of: &[(&[u8], u32, u32)]) -> Vec<u8> {
    let (null, none) = (vec![0xff; 4], number(0));
    let us = [text(b"urn:plant:press"), text(b"urn:maker:plc"), vec![2], text(b"Press"), none.clone(), null.clone(), null, none].concat();
    let one = |(policy, mode, user): &(&[u8], u32, u32)| {
        let user = [text(b"open to all"), number(*user), vec![0xff; 12]].concat();
        [text(URL.as_bytes()), us.clone(), text(b"cert"), number(*mode), text(policy), number(1), user, vec![0xff; 4], vec![0]].concat()
    };
    [number(of.len() as u32), of.iter().flat_map(one).collect()].concat()
}

fn created(timeout_ms: f64, endpoints: &[u8]) -> Vec<u8> {
    let session = [&[0, 9], SESSION, &timeout_ms.to_le_bytes()[..], &[0xff; 8]].concat();
    [&session[..], endpoints, &number(0), &[0xff; 8], &number(0)].concat()
}

fn values(texts: &[&[u8]]) -> Vec<u8> {
    let value = |one: &&[u8]| [&[1, 12][..], &text(one)].concat();
    [number(texts.len() as u32), texts.iter().flat_map(value).collect(), number(0)].concat()
}

/// Namespaces, then BuildInfo.
fn build(namespaces: &[&[u8]]) -> Vec<u8> {
    let array = [vec![1, 0x8c], number(namespaces.len() as u32), namespaces.iter().flat_map(|one| text(one)).collect()].concat();
    let rest = values(&[b"PLC 1500", b"urn:plc", b"Maker", b"4.5.2", b"b7", b"now"]);
    [number(7), array, rest[4..].to_vec()].concat()
}

fn browsed(nodes: &[&[(u8, &[u8])]]) -> Vec<u8> {
    let reference = |(node, name): &(u8, &[u8])| [&[0, 46, 1, 1, 4, *node, 0, 4, 0][..], &text(name), &[0], &number(2), &[0, 0]].concat();
    let result = |references: &&[(u8, &[u8])]| {
        [number(0), vec![0xff; 4], number(references.len() as u32), references.iter().flat_map(reference).collect()].concat()
    };
    [number(nodes.len() as u32), nodes.iter().flat_map(result).collect(), number(0)].concat()
}

fn read(nodes: &[[u8; 4]]) -> Vec<u8> {
    let of = |node: &[u8; 4]| [&node[..], &[13, 0, 0, 0, 0xff, 0xff, 0xff, 0xff, 0, 0, 0xff, 0xff, 0xff, 0xff]].concat();
    [vec![0; 8], number(3), number(nodes.len() as u32), nodes.iter().flat_map(of).collect()].concat()
}

fn browse(nodes: &[[u8; 4]], most: u32, kind: u8, class: u8) -> Vec<u8> {
    let of = |node: &[u8; 4]| [&node[..], &[0, 0, 0, 0, 0, kind, 1, class, 0, 0, 0, 10, 0, 0, 0]].concat();
    [vec![0; 14], number(most), number(nodes.len() as u32), nodes.iter().flat_map(of).collect()].concat()
}

fn hear(bytes: Vec<u8>) -> Do {
    Do::Hear(digits(&bytes))
}

fn say(bytes: Vec<u8>) -> Do {
    Do::Say(digits(&bytes))
}

/// Hello, channel, and the third message with its answer still to come.
fn discovery() -> Vec<Do> {
    let acknowledge = chunk(b"ACKF", &[0, 65_536, 65_536, 0, 0].map(u32::to_le_bytes).concat());
    let filter = [text(URL.as_bytes()), vec![0xff; 8]].concat();
    vec![hear(hello()), say(acknowledge), hear(open()), say(opened()), hear(asked(b"MSGF", 2, 428, &[0, 0], &filter))]
}

/// The same with one endpoint, and a session asked for.
fn session_asked() -> Vec<Do> {
    let us =
        [text(b"urn:nameplate:client"), text(b"urn:nameplate:client"), vec![2], text(b"nameplate"), number(1), vec![0xff; 16]].concat();
    let limits = [30_000.0_f64.to_le_bytes().to_vec(), number(262_144)].concat();
    let create = [us, text(URL.as_bytes()), text(b"nameplate"), vec![0xff; 8], limits].concat();
    let mut script = discovery();
    script.extend([say(answer(2, 431, &endpoints(&[(NONE, 1, 0)]))), hear(asked(b"MSGF", 3, 461, &[0, 0], &create))]);
    script
}

/// The same up to the question for namespaces and BuildInfo.
fn build_asked() -> Vec<Do> {
    let token = [vec![0xff; 16], vec![1, 0, 0x41, 1, 1], text(&text(b"open to all")), vec![0xff; 8]].concat();
    let nodes = [0xcf, 0xd5, 0xd6, 0xd7, 0xd8, 0xd9, 0xda].map(|low| [1, 0, low, 8]);
    let mut script = session_asked();
    script.extend([
        say(answer(3, 464, &created(30_000.0, &endpoints(&[(NONE, 1, 0)])))),
        hear(asked(b"MSGF", 4, 467, SESSION, &token)),
        say(answer(4, 470, &[&[0xff; 4][..], &[0; 8]].concat())),
        hear(asked(b"MSGF", 5, 631, SESSION, &read(&nodes))),
    ]);
    script
}

/// The ends of a session and of its channel.
fn ends(n: u8) -> [Do; 3] {
    [hear(asked(b"MSGF", n, 473, SESSION, &[1])), say(answer(n, 476, &[])), hear(asked(b"CLOF", n + 1, 452, &[0, 0], &[]))]
}

fn end_of_channel(n: u8) -> Do {
    hear(asked(b"CLOF", n, 452, &[0, 0], &[]))
}

fn questions() -> Questions {
    Questions { url: URL.to_owned(), servers: false, endpoints_only: false, secured: None }
}

/// The story's last lines.
fn check(script: Vec<Do>, last: &[&str]) {
    let (lines, _) = story(&questions(), Over::Tcp, &script);
    let from = lines.len().saturating_sub(last.len());
    assert_eq!(lines[from..], *last, "{lines:#?}");
}

const ENDS: [&str; 2] = ["asked opcua.session.close", "asked opcua.channel.close"];
const DI: &[u8] = b"http://opcfoundation.org/UA/DI/";

#[test]
fn a_server_tells_what_it_is_and_what_stands_behind_it() {
    let mut script = build_asked();
    let device = |node| [1, 4, node, 0];
    script.extend([
        say(answer(5, 634, &build(&[b"http://opcfoundation.org/UA/", b"urn:plant:press", DI]))),
        hear(asked(b"MSGF", 6, 527, SESSION, &browse(&[[1, 2, 0x89, 0x13]], 50, 33, 1))),
        say(answer(6, 530, &browsed(&[&[(1, b"DeviceFeatures"), (2, b"PLC"), (3, b"IO")]]))),
        hear(asked(b"MSGF", 7, 527, SESSION, &browse(&[device(2), device(3)], 16, 46, 2))),
        say(answer(7, 530, &browsed(&[&[(20, b"SoftwareRevision"), (21, b"Temperature")], &[(30, b"SerialNumber")]]))),
        hear(asked(b"MSGF", 8, 631, SESSION, &read(&[device(20), device(30)]))),
        say(answer(8, 634, &values(&[b"V2.9", b"SN-7"]))),
    ]);
    script.extend(ends(9));
    let (lines, took) = story(&questions(), Over::Tcp, &script);
    let readings: Vec<&str> = lines.iter().filter_map(|line| line.strip_prefix("read ")).collect();
    assert!(readings[0].starts_with("opcua.endpoints whole: opcua.application.uri=urn:plant:press"), "{lines:#?}");
    let build = "opcua.build whole: opcua.build.product_name=PLC 1500 opcua.build.product_uri=urn:plc opcua.build.manufacturer=Maker \
                 opcua.build.software_version=4.5.2 opcua.build.build_number=b7";
    assert!(readings[2].starts_with(build), "{lines:#?}");
    assert_eq!(
        readings[3..],
        ["opcua.device whole: opcua.device.software_revision=V2.9", "opcua.device whole: opcua.device.serial_number=SN-7"]
    );
    assert_eq!(lines[lines.len() - 3..], ["asked opcua.session.close", "asked opcua.channel.close", "answered"]);
    assert!((2_000..2_100).contains(&took.as_millis()), "ten gaps of 200 ms: {took:?}");
}

#[test]
fn a_server_without_devices_is_not_browsed() {
    let mut script = build_asked();
    script.push(say(answer(5, 634, &build(&[b"http://opcfoundation.org/UA/"]))));
    script.extend(ends(6));
    check(script, &[ENDS[0], ENDS[1], "answered"]);
}

#[test]
fn endpoints_alone_need_no_session() {
    let mut script = discovery();
    script.extend([say(answer(2, 431, &endpoints(&[(NONE, 1, 0)]))), end_of_channel(3)]);
    let (lines, _) = story(&Questions { endpoints_only: true, ..questions() }, Over::Tcp, &script);
    assert_eq!(lines[lines.len() - 2..], ["asked opcua.channel.close", "answered"]);
}

#[test]
fn a_server_that_says_no_is_asked_no_more_and_the_channel_is_closed() {
    let full = "answered, not put: opcua.session.activate opcua.build the server says BadTooManySessions: it has no session free";
    let mut script = session_asked();
    script.extend([say(fault(3, 0x8056_0000)), end_of_channel(4)]);
    check(script, &[ENDS[1], full]);
    let mut script = discovery();
    script.extend([
        say(answer(2, 431, &endpoints(&[(b"http://opcfoundation.org/UA/SecurityPolicy#Basic256Sha256", 3, 0)]))),
        end_of_channel(3),
    ]);
    let locked = "answered, not put: opcua.session opcua.session.activate opcua.build the server has no endpoint without security \
                  (see --opcua-security)";
    check(script, &[ENDS[1], locked]);
    // It leaves by itself.
    let error = chunk(b"ERRF", &[number(0x807d_0000), text(b"busy")].concat());
    let busy = "answered, not put: opcua.channel opcua.endpoints opcua.session opcua.session.activate opcua.build the server says \
                BadTcpServerTooBusy";
    check(vec![hear(hello()), say(error)], &["asked opcua.hello", busy]);
}

#[test]
fn a_session_that_would_be_left_behind_for_long_is_closed_at_once() {
    for timeout_ms in [60_001.0, 3_600_000.0, f64::NAN, f64::INFINITY, -1.0] {
        let mut script = session_asked();
        script.push(say(answer(3, 464, &created(timeout_ms, &endpoints(&[(NONE, 1, 0)])))));
        script.extend(ends(4));
        let long = "answered, not put: opcua.session.activate opcua.build the server would keep a forgotten session for more than a minute";
        check(script, &[ENDS[0], ENDS[1], long]);
    }
    let mut script = session_asked();
    script.push(say(answer(3, 464, &created(30_000.0, &endpoints(&[(NONE, 1, 1)])))));
    let named = say(answer(2, 431, &endpoints(&[(NONE, 1, 1)])));
    script[5] = named;
    script.extend(ends(4));
    check(
        script,
        &[ENDS[0], ENDS[1], "answered, not put: opcua.session.activate opcua.build the server takes no such user on this channel"],
    );
}

#[test]
fn an_answer_to_somebody_else_does_not_count() {
    let sound = answer(5, 634, &build(&[b"http://opcfoundation.org/UA/"]));
    let changed = |at: usize| {
        let mut bytes = sound.clone();
        bytes[at] ^= 1;
        bytes
    };
    // Channel, request id, the body's type, the request's handle; a message that opens a channel, an acknowledge.
    let strays = [changed(8), changed(20), changed(26), changed(36), opened(), chunk(b"ACKF", &[0; 20])];
    for stray in strays {
        let mut script = build_asked();
        script.extend([say(stray.clone()), say(sound.clone())]);
        script.extend(ends(6));
        let (lines, _) = story(&questions(), Over::Tcp, &script);
        assert_eq!(lines.iter().filter(|line| line.starts_with("stray: opcua")).count(), 1, "{stray:02x?} {lines:#?}");
        assert_eq!(lines.last().map(String::as_str), Some("answered"));
    }
}

#[test]
fn an_answer_in_parts_is_joined_and_one_without_end_is_hostile() {
    let body = good(5, 634, 0, &build(&[b"http://opcfoundation.org/UA/"]));
    let mut script = build_asked();
    let (first, rest) = body.split_at(40);
    script.extend([say(part(b"MSGC", 5, first)), say(part(b"MSGF", 5, rest))]);
    script.extend(ends(6));
    check(script, &[ENDS[0], ENDS[1], "answered"]);
    let mut script = build_asked();
    script.extend((0..17).map(|_| say(part(b"MSGC", 5, &[0; 64]))));
    script.extend(ends(6));
    check(script, &[ENDS[0], ENDS[1], "hostile: its answer has more chunks or bytes than we said that we take"]);
    // It breaks off.
    let mut script = build_asked();
    script.extend([say(part(b"MSGC", 5, first)), say(part(b"MSGA", 5, &[number(0x80b9_0000), text(b"long")].concat()))]);
    script.extend(ends(6));
    check(script, &[ENDS[0], ENDS[1], "answered, not put: the server says BadResponseTooLarge: its answer is longer than we take"]);
}

#[test]
fn garbage_and_huge_lengths_are_hostile_and_the_session_is_closed_all_the_same() {
    let huge = [b"MSGF", &[0xff, 0xff, 0xff, 0x7f][..]].concat();
    let more_than_said = [b"MSGF", &number(65_537)[..]].concat();
    for garbage in [huge, more_than_said, b"SSH-2.0-".to_vec(), vec![0; 16], b"MSGF\x07\0\0\0".to_vec()] {
        let mut script = build_asked();
        script.push(say(garbage.clone()));
        script.extend(ends(6));
        let (lines, _) = story(&questions(), Over::Tcp, &script);
        let last = lines.last().expect("an end");
        assert!(last.starts_with("hostile: its bytes are no opcua: opcua: byte "), "{garbage:02x?}: {last}");
    }
}

#[test]
fn an_answer_cut_anywhere_is_no_answer() {
    let sound = answer(5, 634, &build(&[b"http://opcfoundation.org/UA/"]));
    for cut in 0..sound.len() {
        let mut script = build_asked();
        script.extend([say(sound[..cut].to_vec()), Do::Close]);
        check(script, &[&format!("the device closed the connection ({cut} bytes of an answer)")]);
    }
}

#[test]
fn silence_ends_the_session_politely() {
    let mut script = build_asked();
    script.push(Do::Wait(5_000));
    script.extend(ends(6));
    check(script, &[ENDS[0], ENDS[1], "no whole answer within the time-out (0 bytes of one)"]);
    check(vec![hear(hello()), Do::Wait(5_000)], &["asked opcua.hello", "no whole answer within the time-out (0 bytes of one)"]);
}

#[test]
fn what_is_planned_passes_the_guard() {
    let identity = Identity::make("urn:nameplate:client", 1_700_000_000).expect("a key");
    let certified = Some(OpcuaUser::Certificate(identity.clone()));
    let user = Some(OpcuaUser::Password("ot".to_owned(), Secret::new("s3cret-p4ssw0rd")));
    let secured = Secured { policy: Policy::Basic256Sha256, encrypted: true, identity, trusted: Vec::new(), user };
    let certified = Secured { user: certified, ..secured.clone() };
    let table = [
        (questions(), 11),
        (Questions { endpoints_only: true, ..questions() }, 4),
        (Questions { servers: true, ..questions() }, 12),
        (Questions { secured: Some(secured.clone()), ..questions() }, 14),
        (Questions { secured: Some(certified), ..questions() }, 14),
        (Questions { secured: Some(secured), endpoints_only: true, ..questions() }, 4),
    ];
    for (asked, messages) in table {
        let ask =
            crate::ask::Ask { endpoint: crate::guard::Endpoint::Tcp(([192, 0, 2, 9], 4840).into()), via: crate::ask::Via::Opcua(asked) };
        let planned = crate::ask::plan(&[ask]).expect("the guard lets it pass");
        assert_eq!(planned.len(), messages);
        assert!(planned.iter().all(|one| one.meaning.len() == one.message.bytes.len()));
        let shown: Vec<u8> = planned.iter().flat_map(|one| one.message.bytes.clone()).collect();
        assert!(!shown.windows(6).any(|window| window == b"s3cret"), "a password is not shown");
    }
}

/// Endpoints of a server with this certificate, that the first connection told.
fn told(secured: &Secured, certificate: &[u8], policy: &[u8], mode: u32) -> Option<Result<crate::guard::Grant, &'static str>> {
    let asked = Questions { secured: Some(secured.clone()), ..questions() };
    let mut dialogue = Asking::new(&asked);
    dialogue.endpoints = vec![Endpoint { certificate: certificate.to_vec(), mode, policy: policy.to_vec(), users: Vec::new(), level: 0 }];
    let onward = dialogue.onward().map(|grant| grant.map_err(|refused| refused.rule));
    assert!(dialogue.onward().is_none(), "asked once");
    onward
}

#[test]
fn only_the_server_that_is_trusted_is_met_again() {
    let (us, server) = (Identity::make("urn:us", 0).expect("a key"), Identity::make("urn:server", 0).expect("a key"));
    let policy = Policy::Aes256Sha256RsaPss;
    let of = |trusted: &[Vec<u8>]| {
        let trusted = trusted.to_vec();
        Secured { policy, encrypted: true, identity: us.clone(), trusted, user: None }
    };
    let (certificate, uri) = (server.certificate(), policy.uri().as_bytes());
    for trusted in [thumbprint(certificate), fingerprint(certificate)] {
        assert!(matches!(told(&of(&[vec![1; 20], trusted]), certificate, uri, 3), Some(Ok(_))));
    }
    let stranger = of(&[thumbprint(us.certificate()), Vec::new(), vec![0; 20]]);
    assert_eq!(told(&stranger, certificate, uri, 3).map(|grant| grant.err()), Some(Some("opcua.trust")));
    let trusted = of(&[thumbprint(certificate)]);
    assert_eq!(told(&trusted, certificate, uri, 2).map(|grant| grant.err()), Some(Some("opcua.endpoint")), "signed only");
    assert_eq!(told(&trusted, certificate, NONE, 3).map(|grant| grant.err()), Some(Some("opcua.endpoint")), "by another policy");
    for user in [OpcuaUser::Certificate(us.clone()), OpcuaUser::Password("ot".to_owned(), Secret::new("s3cret"))] {
        let somebody = Secured { user: Some(user), ..trusted.clone() };
        assert_eq!(told(&somebody, certificate, uri, 3).map(|grant| grant.err()), Some(Some("opcua.user")), "no such user");
    }
    let none = of(&[thumbprint(b"no certificate")]);
    assert_eq!(told(&none, b"no certificate", uri, 3).map(|grant| grant.err()), Some(Some("permit.certificate")));
}
