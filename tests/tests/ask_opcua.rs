//! Asking over OPC UA: two servers that we did not write, in clear, signed and encrypted, by each policy that they have; and whom we do not trust.

use std::collections::BTreeSet;

use nameplate_field::guard::uasc::Identity;
use nameplate_simulators::fault::Fault;
use nameplate_simulators::opcua::{Device, Persona as Simulated};
use nameplate_tests::interop::{Interop, ready};
use nameplate_tests::personas::{self, Persona};
use nameplate_tests::place::needed;
use nameplate_tests::product::{Ended, Product, State, code, simulated};
use nameplate_tests::record::{self, Recording};
use nameplate_tests::referee;
use nameplate_tests::rig::{self, Kind};

type Claims = BTreeSet<(String, String)>;

/// What a server serves: its application, BuildInfo, and one device with the same plate.
fn served(kind: Kind, persona: &Persona) -> Claims {
    let plate = &persona.plate;
    let application = if kind == Kind::NodeOpcua { "NodeOPCUA-Server" } else { "urn:freeopcua.github.io:python:server" };
    let mut fields = vec![
        ("product_code", application),
        ("name", &plate.name),
        ("manufacturer", &plate.vendor),
        ("model", &plate.model),
        ("software_revision", &plate.firmware),
        ("hardware_revision", &plate.hardware),
        ("serial_number", &plate.serial),
    ];
    if kind != Kind::NodeOpcua {
        fields.push(("product_code", &plate.code));
    }
    fields.into_iter().map(|(field, value)| (field.to_owned(), value.to_owned())).collect()
}

/// A capture tells who asked, too.
fn with_us(mut claims: Claims) -> Claims {
    claims.extend(
        [("name", "nameplate"), ("product_code", "urn:nameplate:client")].map(|(field, value)| (field.to_owned(), value.to_owned())),
    );
    claims
}

fn said(ended: &Ended) -> Claims {
    ended.claims().into_iter().map(|claim| (claim.field, claim.value)).collect()
}

fn print(kind: Kind, way: &str, served: &Claims, said: &Claims) {
    for (field, value) in served.union(said) {
        let one = &(field.clone(), value.clone());
        let verdict = if served.contains(one) && said.contains(one) { "exact" } else { "NOT EXACT" };
        println!("{kind:?} | opcua {way} | {field} | {value} | {verdict}");
    }
}

#[test]
fn servers_tell_their_identity_in_clear() {
    for kind in [Kind::Asyncua, Kind::NodeOpcua] {
        let Some(product) = needed("servers_tell_their_identity_in_clear", ready(kind)) else { return };
        let persona = personas::random(personas::seed());
        let exchange = Interop::new(kind, &persona, "opcua", "").ask(&product);
        let expected = served(kind, &persona);
        print(kind, "none", &expected, &exchange.said);
        assert_eq!(exchange.said, expected, "{kind:?}\n{}", exchange.ended.err);
        assert_eq!(exchange.heard, with_us(expected), "{kind:?}: the same by ear");
        assert!(exchange.ended.err.contains("1 device, 1 connection, 11 requests"), "{}", exchange.ended.err);
        let (filter, as_opcua) = (format!("tcp.dstport == {} && opcua", exchange.port), format!("tcp.port=={},opcua", exchange.port));
        let fields = ["opcua.transport.type", "opcua.servicenodeid.numeric"];
        let asked = record::tshark_as(&exchange.file, &fields, &filter, &as_opcua).expect("tshark's reading");
        let services: Vec<&str> = asked.iter().map(|row| row[1].as_str()).collect();
        assert_eq!(
            services,
            ["", "446", "428", "461", "467", "631", "527", "527", "631", "473", "452"],
            "{kind:?}: nothing else was asked"
        );
        exchange.ended.expect(code::DONE);
    }
}

/// A thumbprint that a refusal says, of so many digits.
fn thumbprint(said: &str, digits: usize) -> String {
    let mut words = said.split(|c: char| !c.is_ascii_hexdigit()).filter(|word| word.len() == digits);
    words.next_back().unwrap_or_else(|| panic!("a thumbprint of {digits} digits in {said}")).to_owned()
}

fn ask(product: &Product, port: u16, way: &str, environment: &[(&str, String)]) -> Ended {
    let more = format!("--via opcua 127.0.0.1:{port} --format claims {way}").trim().split(' ').map(str::to_owned).collect::<Vec<_>>();
    product.ask_with(&State::new(), &more, environment)
}

#[test]
fn servers_tell_their_identity_signed_and_encrypted_to_whom_they_are_trusted_by() {
    let test = "servers_tell_their_identity_signed_and_encrypted_to_whom_they_are_trusted_by";
    for (kind, policies) in [(Kind::AsyncuaSecure, &["basic256sha256"][..]), (Kind::NodeOpcua, &["basic256sha256", "aes128", "aes256"])] {
        let Some(product) = needed(test, ready(kind)) else { return };
        let persona = personas::random(personas::seed());
        let server = rig::start(kind, &persona).expect("a server");
        let expected = served(kind, &persona);
        let stranger = ask(&product, server.port, "--opcua-security sign", &[]).expect(code::REFUSED);
        assert!(stranger.err.contains("rule opcua.trust") && stranger.err.contains("--opcua-trust"), "{}", stranger.err);
        assert!(!stranger.err.contains("opcua.session"), "nothing of a session was said: {}", stranger.err);
        let ways = policies.iter().flat_map(|policy| [("sign", policy), ("encrypt", policy)]);
        for (number, (mode, policy)) in ways.enumerate() {
            let trust = thumbprint(&stranger.err, if number % 2 == 0 { 40 } else { 64 });
            let way = format!("--opcua-security {mode} --opcua-policy {policy} --opcua-trust {trust}");
            let recording = Recording::start(&[server.port]).expect("a recording");
            let ended = ask(&product, server.port, &way, &[]);
            let file = recording.stop().expect("a capture");
            print(kind, &format!("{mode} {policy}"), &expected, &said(&ended));
            let counts = referee::judge(&file, &format!("opcua-{mode}"), &[server.port]).unwrap_or_else(|why| panic!("{way}: {why}"));
            assert_eq!(counts.values().sum::<usize>(), 14, "{way}: {counts:?}");
            assert_eq!(said(&ended), expected, "{kind:?} {way}\n{}", ended.err);
            assert!(ended.err.contains("1 device, 2 connections, 14 requests"), "{}", ended.err);
            let decode = format!("{}=opcua", server.port);
            let heard = said(&product.run(["listen", &file.to_string_lossy(), "--format", "claims", "--decode-as", &decode]));
            if mode == "sign" {
                assert_eq!(heard, with_us(expected.clone()), "{kind:?} {way}: what is signed is readable");
            } else {
                let of_endpoints: Claims =
                    expected.iter().filter(|(field, value)| field == "name" || value.contains("server")).cloned().collect();
                assert!(heard.is_subset(&expected) && heard.len() < expected.len(), "{kind:?} {way}: {heard:?} {of_endpoints:?}");
            }
            ended.expect(code::DONE);
        }
        let wrong = format!("--opcua-security encrypt --opcua-trust {}", "ab".repeat(20));
        ask(&product, server.port, &wrong, &[]).expect(code::REFUSED);
    }
}

#[test]
fn a_server_without_an_endpoint_in_clear_gives_no_session_in_clear() {
    let test = "a_server_without_an_endpoint_in_clear_gives_no_session_in_clear";
    let Some(product) = needed(test, ready(Kind::AsyncuaSecure)) else { return };
    let persona = personas::random(personas::seed());
    let server = rig::start(Kind::AsyncuaSecure, &persona).expect("a server");
    let ended = ask(&product, server.port, "", &[]).expect(code::DONE);
    assert!(ended.err.contains("no endpoint without security (see --opcua-security)"), "{}", ended.err);
    assert!(ended.err.contains("1 device, 1 connection, 4 requests"), "{}", ended.err);
    let ended = ask(&product, server.port, "--opcua-security sign --opcua-policy aes256", &[]).expect(code::REFUSED);
    assert!(ended.err.contains("no endpoint of this policy and mode; nothing else is tried"), "{}", ended.err);
}

#[test]
fn endpoints_alone_are_asked_in_four_messages() {
    let Some(product) = needed("endpoints_alone_are_asked_in_four_messages", ready(Kind::NodeOpcua)) else { return };
    let persona = personas::random(personas::seed());
    let server = rig::start(Kind::NodeOpcua, &persona).expect("a server");
    let ended = ask(&product, server.port, "--opcua-endpoints-only", &[]).expect(code::DONE);
    assert!(said(&ended).contains(&("name".to_owned(), persona.plate.name.clone())), "{}", ended.out);
    assert!(ended.err.contains("1 device, 1 connection, 4 requests"), "{}", ended.err);
}

#[test]
fn a_password_needs_a_channel_with_security_and_trust_needs_a_thumbprint() {
    let test = "a_password_needs_a_channel_with_security_and_trust_needs_a_thumbprint";
    let Some(product) = needed(test, Product::find()) else { return };
    for (way, why) in [
        ("--opcua-user ot", "a password is not sent over a channel without security"),
        ("--opcua-security sign --opcua-user ot", "--opcua-password-env NAME"),
        ("--opcua-security sign --opcua-trust 4711", "40 or 64 hexadecimal digits"),
    ] {
        let state = State::new();
        let text = format!("ask 192.0.2.10 --via opcua --dry-run --state {} {way}", state.text());
        let ended = product.run(text.split(' ')).expect(code::USAGE);
        assert!(ended.err.contains(why), "{way}: {}", ended.err);
    }
    let shown = product.run(["ask", "192.0.2.10", "--via", "opcua", "--dry-run"]).expect(code::DONE);
    assert!(
        shown.out.contains("11 messages, ") && shown.out.contains("the server ends the session itself after 30,000 ms"),
        "{}",
        shown.out
    );
}

/// A server on loopback that trips on whatever the allowlist does not have; one device behind it.
fn small() -> Simulated {
    let plate = [("Manufacturer", "Maker"), ("SoftwareRevision", "V2.9")].map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec();
    let application = ["urn:press", "urn:maker:plc", "Press"].map(str::to_owned);
    let build = ["PLC", "urn:plc", "Maker", "4.5.2", "7"].map(str::to_owned);
    Simulated { devices: vec![("PLC".to_owned(), plate)], ..Simulated::new(application, build) }
}

/// Asks a simulated server; how that ended, what it claimed, and how many requests reached it. It trips on nothing.
fn met(product: &Product, device: Device) -> (Ended, u32) {
    let product = product.clone();
    let persona = device.persona.clone();
    let (stood_before, answers_forever) = (persona.standing(), device.fault == Some(Fault::AnswersForever));
    let (ended, report) = simulated(device, move |address| ask(&product, address.port(), "", &[]));
    // Who answers for ever is still answering when the next question comes.
    let forever = "sent before the answer to the question before it";
    let trips: Vec<&str> = report.trips.iter().map(|trip| trip.why).filter(|why| *why != forever || !answers_forever).collect();
    assert_eq!(trips, [] as [&str; 0], "{}", ended.err);
    assert!(report.connections() <= 1);
    assert_eq!(persona.standing(), stood_before, "no session is left behind: {}", ended.err);
    (ended, report.requests())
}

#[test]
fn a_server_with_few_sessions_has_them_back() {
    let Some(product) = needed("a_server_with_few_sessions_has_them_back", Product::find()) else { return };
    let (ended, requests) = met(&product, Device::new(Simulated { sessions_max: 1, ..small() }));
    assert!(said(&ended).contains(&("software_revision".to_owned(), "V2.9".to_owned())), "{}", ended.err);
    assert_eq!(requests, 11);
    ended.expect(code::DONE);
    let (ended, requests) = met(&product, Device::new(Simulated { sessions_max: 0, ..small() }));
    assert!(ended.err.contains("BadTooManySessions: it has no session free"), "{}", ended.err);
    assert_eq!(requests, 5, "hello, channel, endpoints, one try of a session, the channel's end");
    let (ended, requests) = met(&product, Device::new(Simulated { keeps_ms: Some(3_600_000.0), ..small() }));
    assert!(ended.err.contains("keep a forgotten session for more than a minute"), "{}", ended.err);
    assert_eq!(requests, 6, "hello, channel, endpoints, a session, and both ends");
}

#[test]
fn hostile_servers_are_left_politely() {
    let Some(product) = needed("hostile_servers_are_left_politely", Product::find()) else { return };
    let faults = [
        Fault::FinMidPdu,
        Fault::AnswerTwice,
        Fault::AnswerBeforeQuestion,
        Fault::AnswersForever,
        Fault::WrongTransaction,
        Fault::WrongUnit,
        Fault::WrongProtocolId,
        Fault::ZeroBytes,
        Fault::LengthZero,
        Fault::LengthHuge,
        Fault::Silent,
        Fault::RstOnConnect,
        Fault::HostileText,
    ];
    for fault in faults {
        let (ended, requests) = met(&product, Device::with_fault(small(), fault.clone()));
        println!("opcua | {fault:?} | {requests} requests | exit code {} | {:.1} s", ended.code, ended.took.as_secs_f64());
        assert!(requests <= 12 && ended.took.as_secs() < 30, "{fault:?}: {}", ended.err);
        assert!([code::DONE, code::NO_ANSWER].contains(&ended.code), "{fault:?}: {}", ended.err);
    }
}

#[test]
fn a_user_with_a_password_is_let_in_and_nobody_is_told_the_password() {
    let test = "a_user_with_a_password_is_let_in_and_nobody_is_told_the_password";
    let Some(product) = needed(test, ready(Kind::AsyncuaSecure)) else { return };
    let persona = personas::random(personas::seed());
    let server = rig::start(Kind::AsyncuaSecure, &persona).expect("a server");
    let stranger = ask(&product, server.port, "--opcua-security encrypt", &[]).expect(code::REFUSED);
    let trust = thumbprint(&stranger.err, 64);
    let secret = persona.plate.secret.clone();
    for mode in ["sign", "encrypt"] {
        let state = State::new();
        let way = format!("--opcua-security {mode} --opcua-trust {trust} --opcua-user operator --opcua-password-env SECRET");
        let more: Vec<String> =
            format!("--via opcua 127.0.0.1:{} --format claims {way}", server.port).split(' ').map(str::to_owned).collect();
        let ended = product.ask_with(&state, &more, &[("SECRET", secret.clone())]);
        assert_eq!(said(&ended), served(Kind::AsyncuaSecure, &persona), "{mode}: {}", ended.err);
        let digits: String = secret.bytes().map(|byte| format!("{byte:02x}")).collect();
        let record = std::fs::read_to_string(state.path().join("touch.ndjson")).expect("a touch record").replace(' ', "");
        for text in [&ended.out, &ended.err, &record] {
            assert!(!text.contains(&secret) && !text.contains(&digits), "{mode}: a password is shown");
        }
        ended.expect(code::DONE);
    }
}

#[test]
fn a_user_is_let_in_by_his_certificate_where_the_server_checks_his_signature() {
    let test = "a_user_is_let_in_by_his_certificate_where_the_server_checks_his_signature";
    let Some(product) = needed(test, ready(Kind::AsyncuaSecure)) else { return };
    let persona = personas::random(personas::seed());
    // asyncua verifies the signature over its certificate and nonce before it lets a certificate in (internal_server.py, verify_x509_token).
    let server = rig::start(Kind::AsyncuaSecure, &persona).expect("a server");
    let stranger = ask(&product, server.port, "--opcua-security encrypt", &[]).expect(code::REFUSED);
    let trust = thumbprint(&stranger.err, 64);
    let (state, user) = (State::new(), Identity::make("urn:somebody", 1_700_000_000).expect("a key"));
    let certificate = state.file("user.der", user.certificate());
    let key = state.file("user.pem", user.key_pem().expect("a key"));
    let of = |mode: &str| {
        let way = format!("--opcua-security {mode} --opcua-trust {trust} --opcua-user-certificate {certificate} --opcua-user-key {key}");
        ask(&product, server.port, &way, &[])
    };
    let mode = |bits| std::fs::set_permissions(&key, std::os::unix::fs::PermissionsExt::from_mode(bits)).expect("a mode");
    mode(0o644);
    assert!(of("encrypt").expect(code::INPUT).err.contains("chmod 600"));
    mode(0o600);
    for mode in ["sign", "encrypt"] {
        let ended = of(mode);
        assert_eq!(said(&ended), served(Kind::AsyncuaSecure, &persona), "{mode}: {}", ended.err);
        assert!(ended.err.contains("1 device, 2 connections, 14 requests"), "{}", ended.err);
        ended.expect(code::DONE);
    }
    let ended = ask(&product, server.port, &format!("--opcua-user-certificate {certificate} --opcua-user-key {key}"), &[]);
    assert!(ended.expect(code::USAGE).err.contains("over a channel with security alone"));
    // Another's key signs nothing here.
    let other = state.file("other.pem", Identity::make("urn:other", 1_700_000_000).and_then(|other| other.key_pem()).expect("a key"));
    std::fs::set_permissions(&other, std::os::unix::fs::PermissionsExt::from_mode(0o600)).expect("a mode");
    let way = format!("--opcua-security sign --opcua-user-certificate {certificate} --opcua-user-key {other}");
    assert!(ask(&product, server.port, &way, &[]).expect(code::INPUT).err.contains("the certificate is not that of the key"));
}

#[test]
fn a_server_that_does_not_know_a_users_certificate_refuses_it_and_the_session_is_closed() {
    let test = "a_server_that_does_not_know_a_users_certificate_refuses_it_and_the_session_is_closed";
    let Some(product) = needed(test, ready(Kind::NodeOpcua)) else { return };
    let persona = personas::random(personas::seed());
    let server = rig::start(Kind::NodeOpcua, &persona).expect("a server");
    let stranger = ask(&product, server.port, "--opcua-security encrypt", &[]).expect(code::REFUSED);
    let (state, user) = (State::new(), Identity::make("urn:somebody", 1_700_000_000).expect("a key"));
    let certificate = state.file("user.der", user.certificate());
    let key = state.file("user.pem", user.key_pem().expect("a key"));
    std::fs::set_permissions(&key, std::os::unix::fs::PermissionsExt::from_mode(0o600)).expect("a mode");
    let trust = thumbprint(&stranger.err, 64);
    let way = format!("--opcua-security encrypt --opcua-trust {trust} --opcua-user-certificate {certificate} --opcua-user-key {key}");
    let ended = ask(&product, server.port, &way, &[]);
    println!("{}", ended.err);
    assert!(ended.err.contains("opcua.session.close") && !ended.err.contains("(opcua.build)"), "{}", ended.err);
    assert!(ended.err.contains("BadIdentityToken") || ended.err.contains("certificate"), "{}", ended.err);
}
