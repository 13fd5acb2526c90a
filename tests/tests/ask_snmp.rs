//! Asking over SNMP: three agents that we did not write, in each version and way of protection that they have; and where the secrets are not.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use nameplate_tests::interop::{Exchange, Interop, ready};
use nameplate_tests::personas::{self, Persona};
use nameplate_tests::place::needed;
use nameplate_tests::product::{Product, State, code};
use nameplate_tests::record;
use nameplate_tests::rig::{self, Kind};

/// What an agent serves: its system group, and where it has them the rows of its parts.
fn served(persona: &Persona, with_parts: bool) -> BTreeSet<(String, String)> {
    let plate = &persona.plate;
    let object_id = format!("1.3.6.1.4.1.{}.{}", plate.vendor_number, plate.product_number);
    let group = [("description", &plate.description), ("name", &plate.name), ("location", &plate.location), ("product_code", &object_id)];
    let parts = [
        ("manufacturer", &plate.vendor),
        ("model", &plate.model),
        ("hardware_revision", &plate.hardware),
        ("firmware_revision", &plate.firmware),
        ("software_revision", &plate.software),
        ("serial_number", &plate.serial),
    ];
    let parts = parts.iter().filter(|_| with_parts);
    group.iter().chain(parts).map(|(field, value)| ((*field).to_owned(), (*value).clone())).collect()
}

fn words(text: &str) -> Vec<String> {
    text.split(' ').map(str::to_owned).collect()
}

/// Asks in this way; nothing that was printed, written or kept holds one of the secrets, as text or in hexadecimal digits.
fn ask(product: &Product, kind: Kind, persona: &Persona, way: &str) -> Exchange {
    let plate = &persona.plate;
    let secrets = [("COMMUNITY", &plate.community), ("SECRET", &plate.secret), ("PRIVACY", &plate.privacy)];
    let environment = secrets.map(|(name, secret)| (name, secret.clone())).to_vec();
    let exchange = Interop { more: words(way), environment, ..Interop::new(kind, persona, "snmp", "") }.ask(product);
    for (_, secret) in secrets {
        for (place, bytes) in outputs(&exchange) {
            assert!(!shows(&bytes, secret), "{kind:?} {way}: a secret stands in {place}");
        }
    }
    exchange
}

fn outputs(exchange: &Exchange) -> Vec<(String, Vec<u8>)> {
    let mut outputs = vec![
        ("the output".to_owned(), exchange.ended.out.clone().into_bytes()),
        ("what was said".to_owned(), exchange.ended.err.clone().into_bytes()),
    ];
    let files = fs::read_dir(exchange.state.path()).expect("a state").map(|entry| entry.expect("a file").path());
    outputs.extend(files.filter(|path| path.is_file()).map(|path| (path.display().to_string(), fs::read(&path).expect("its bytes"))));
    assert!(outputs.len() > 4, "touch record, ledger, key: {}", outputs.len());
    outputs
}

fn shows(bytes: &[u8], secret: &str) -> bool {
    let contains = |text: &str| bytes.windows(text.len()).any(|window| window.eq_ignore_ascii_case(text.as_bytes()));
    let pairs: Vec<String> = secret.bytes().map(|byte| format!("{byte:02x}")).collect();
    contains(secret) || contains(&pairs.concat()) || contains(&pairs.join(" "))
}

const LOCATION: &str = "--snmp-object 1.3.6.1.2.1.1.6.0";
const BY_COMMUNITY: &str = "--snmp-community-env COMMUNITY";

#[test]
fn agents_tell_their_identity_in_every_version_and_nobody_is_told_the_secrets() {
    let test = "agents_tell_their_identity_in_every_version_and_nobody_is_told_the_secrets";
    let sha256 = "--snmp-auth sha256 --snmp-auth-env SECRET";
    let v2c = format!("{BY_COMMUNITY} {LOCATION}");
    let with_parts = format!("{v2c} --snmp-entity");
    let v3 = |user: &str, more: &str| format!("--snmp-version 3 --snmp-user {user} {LOCATION} {more}").trim_end().to_owned();
    let private = v3("sha256", &format!("{sha256} --snmp-privacy aes128 --snmp-privacy-env PRIVACY"));
    let strongest =
        v3("sha512", "--snmp-auth sha512 --snmp-auth-env SECRET --snmp-privacy aes256 --snmp-privacy-env PRIVACY --snmp-entity");
    let ways = [
        (Kind::Snmpd, with_parts.clone(), true),
        (Kind::Snmpd, v3("none", ""), false),
        (Kind::Snmpd, v3("auth", sha256), false),
        (Kind::Snmpd, format!("{private} --snmp-entity"), true),
        (Kind::Snmpd, strongest, true),
        (Kind::Snmpsim, with_parts, true),
        (Kind::Snmpsim, format!("{private} --snmp-entity"), true),
        (Kind::NetSnmp, v2c, false),
        (Kind::NetSnmp, private, false),
    ];
    for (kind, way, with_parts) in ways {
        let Some(product) = needed(test, ready(kind)) else { return };
        let persona = personas::random(personas::seed());
        let exchange = ask(&product, kind, &persona, &way);
        let expected = served(&persona, with_parts);
        for (field, value) in expected.union(&exchange.said) {
            println!("{kind:?} | {way} | {field} | {value}");
        }
        assert_eq!(exchange.said, expected, "{kind:?} {way}\n{}", exchange.ended.err);
        if !way.contains("privacy") {
            assert_eq!(exchange.heard, expected, "{kind:?} {way}: the same by ear");
        }
        exchange.ended.expect(code::DONE);
    }
}

#[test]
fn version_1_is_asked_for_its_group_and_one_row_at_a_time() {
    let test = "version_1_is_asked_for_its_group_and_one_row_at_a_time";
    for kind in [Kind::Snmpd, Kind::Snmpsim] {
        let Some(product) = needed(test, ready(kind)) else { return };
        let persona = personas::random(personas::seed());
        let exchange = ask(&product, kind, &persona, &format!("--snmp-version 1 --snmp-entity {BY_COMMUNITY}"));
        let expected: BTreeSet<_> = served(&persona, true).into_iter().filter(|(field, _)| field != "location").collect();
        assert_eq!((&exchange.said, &exchange.heard), (&expected, &expected), "{kind:?}\n{}", exchange.ended.err);
        let filter = format!("udp.dstport == {}", exchange.port);
        let as_snmp = format!("udp.port=={},snmp", exchange.port);
        let asked = record::tshark_as(&exchange.file, &["snmp.version", "snmp.data"], &filter, &as_snmp).expect("tshark's reading");
        let (first, rows) = asked.split_first().expect("a question");
        assert_eq!(first, &["0", "0"], "version 1, GetRequest");
        assert!((1..=2).contains(&rows.len()) && rows.iter().all(|row| row == &["0", "1"]), "GetNextRequest: {rows:?}");
    }
}

#[test]
fn a_wrong_secret_is_tried_once() {
    let Some(product) = needed("a_wrong_secret_is_tried_once", ready(Kind::Snmpd)) else { return };
    let persona = personas::random(personas::seed());
    let server = rig::start(Kind::Snmpd, &persona).expect("a server");
    let target = format!("127.0.0.1:{}", server.port);
    let user =
        "--snmp-version 3 --snmp-user sha256 --snmp-auth sha256 --snmp-auth-env WRONG --snmp-privacy aes128 --snmp-privacy-env WRONG";
    for (way, messages, why) in [("--snmp-community-env WRONG", 1, "no whole answer"), (user, 2, "usmStatsWrongDigests")] {
        let state = State::new();
        let more = words(&format!("--via snmp {target} {way}"));
        let ended = product.ask_with(&state, &more, &[("WRONG", "not-the-secret".to_owned())]).expect(code::NO_ANSWER);
        assert!(ended.err.contains(why), "{}", ended.err);
        let sent = state.touches().iter().filter(|line| line["kind"] == "sent").count();
        assert_eq!(sent, messages, "{way}");
    }
}

#[test]
fn a_credential_comes_from_the_environment_or_a_file_of_ones_own() {
    let Some(product) = needed("a_credential_comes_from_the_environment_or_a_file_of_ones_own", Product::find()) else { return };
    let state = State::new();
    let file = state.file("community", "s3cret-c0mmunity\n");
    let dry = |more: &str| product.run(words(&format!("ask 192.0.2.10 --via snmp --dry-run {more}")));
    let mode = |bits| fs::set_permissions(Path::new(&file), std::os::unix::fs::PermissionsExt::from_mode(bits)).expect("a mode");
    mode(0o644);
    let ended = dry(&format!("--snmp-community-file {file}")).expect(code::INPUT);
    assert!(ended.err.contains("chmod 600"), "{}", ended.err);
    mode(0o600);
    let ended = dry(&format!("--snmp-community-file {file}")).expect(code::DONE);
    assert!(ended.out.contains("2a  community, a secret") && !shows(ended.out.as_bytes(), "s3cret-c0mmunity"), "{}", ended.out);
    for (more, code, why) in [
        ("--snmp-community-env NOBODY_SET_THIS", code::INPUT, "is not set"),
        ("--snmp-object 1.3.6.1.2.1.1.6.0", code::USAGE, "--snmp-community-env NAME"),
        ("--snmp-version 3", code::USAGE, "--snmp-user NAME"),
        ("--snmp-version 3 --snmp-user ot --snmp-auth sha256", code::USAGE, "--snmp-auth-env NAME"),
        ("--snmp-community-public --snmp-version 1 --snmp-object 1.3.6.1.2.1.1.6.0", code::REFUSED, "permit.objects"),
        ("--snmp-community-public --snmp-object 1.3.6.x", code::USAGE, "numbers with dots"),
    ] {
        let ended = dry(more).expect(code);
        assert!(ended.err.contains(why), "{more}: {}", ended.err);
    }
    assert!(dry("--snmp-community-public").expect(code::DONE).out.contains("1 messages, 85 bytes"));
}
