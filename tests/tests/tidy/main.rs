//! The rules of the house (docs/ARCHITECTURE.md), each one test; and for each rule a text that breaks it, so that it can fail.

mod manifests;
mod rules;
mod source;

use manifests::{banned, direction, table, takes_lints};
use rules::Rule;
use source::{Source, root, tree};

/// The rule holds for the whole tree, it finds `bad` bad, and it lets `good` pass.
fn check(rule: Rule, bad: &[(&str, &str)], good: &[(&str, &str)]) {
    for (path, text) in bad {
        assert!(!rule(&Source::new(path, text)).is_empty(), "the rule is blind to {path}: {text}");
    }
    for (path, text) in good {
        assert_eq!(rule(&Source::new(path, text)), Vec::<String>::new(), "the rule cries at {path}: {text}");
    }
    let broken: Vec<String> = tree().iter().flat_map(rule).collect();
    assert!(broken.is_empty(), "\n{}", broken.join("\n"));
}

fn read(path: &str) -> String {
    std::fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// Every manifest of the workspace but the root's own, by its `members`.
fn members() -> Vec<toml::Table> {
    let workspace = table(&read("Cargo.toml"));
    let members = workspace["workspace"]["members"].as_array().expect("members is a list");
    let names = members.iter().filter_map(|member| member.as_str());
    names.map(|member| table(&read(&format!("{member}/Cargo.toml")))).collect()
}

#[test]
fn dependencies_point_one_way() {
    let manifest = |name: &str, body: &str| table(&format!("[package]\nname = \"{name}\"\n{body}"));
    let bad = [
        manifest("nameplate-core", "[dependencies]\nnameplate-field.workspace = true"),
        manifest("nameplate-core", "[dependencies]\ntokio = \"1\""),
        manifest("nameplate-wire", "[dependencies]\nmemchr = \"2\""),
        manifest("nameplate-wire", "[target.'cfg(unix)'.dependencies]\nlibc = \"0.2\""),
        manifest("nameplate-simulators", "[dev-dependencies]\nnameplate-wire.workspace = true"),
        manifest("nameplate", "[dependencies]\nnameplate-wire.workspace = true"),
        manifest("a-fifth-crate", "[dependencies]\nnameplate-core.workspace = true"),
    ];
    bad.iter().for_each(|manifest| assert_eq!(direction(manifest).len(), 1, "{manifest:?}"));
    let found: Vec<String> = members().iter().flat_map(direction).collect();
    assert_eq!(found, Vec::<String>::new());
}

#[test]
fn every_crate_takes_the_lints_of_the_house() {
    assert!(!takes_lints(&table("[package]\nname = \"x\"")));
    assert!(members().iter().all(takes_lints));
    let lints = &table(&read("Cargo.toml"))["workspace"]["lints"]["clippy"];
    assert!(lints.get("too_many_lines").is_some() && lints.get("disallowed_methods").is_some(), "{lints:?}");
    let clippy = table(&read("clippy.toml"));
    assert_eq!(clippy["too-many-lines-threshold"].as_integer(), Some(70));
    for name in
        ["std::net::TcpStream::connect", "tokio::net::TcpStream::connect", "tokio::net::TcpSocket::connect", "tokio::net::UdpSocket::bind"]
    {
        let there = clippy["disallowed-methods"].as_array().into_iter().flatten().any(|method| method["path"].as_str() == Some(name));
        assert!(there, "clippy.toml does not name {name}");
    }
}

#[test]
fn the_lock_file_holds_nothing_that_is_banned() {
    let deny = table("[bans]\ndeny = [{ crate = \"sled\", reason = \"x\" }]");
    assert_eq!(banned(&table("[[package]]\nname = \"sled\"\nversion = \"0.34.7\""), &deny), ["sled"]);
    assert_eq!(banned(&table(&read("Cargo.lock")), &table(&read("deny.toml"))), Vec::<String>::new());
}

#[test]
fn only_the_guard_opens_a_socket_towards_a_device() {
    let bad = [
        ("crates/field/src/modbus.rs", "let s = TcpStream::connect(a).await;"),
        ("crates/gateway/src/web.rs", "use tokio::net::UdpSocket;"),
        ("crates/field/src/ask.rs", "#[allow(clippy::disallowed_methods)]\nfn f() {}"),
        ("crates/field/src/capture/live.rs", "socket(AddressFamily::Packet, SockType::Raw, flags, None)"),
        ("crates/field/src/capture/ring.rs", "libc::sendto(socket, frame)"),
        (rules::DIAL, "let s = UdpSocket::bind(a);"),
        ("crates/gateway/src/outbox/webhook.rs", "TcpStream::connect(a)"),
    ];
    let good = [
        (rules::DIAL, "TcpStream::connect(a)"),
        ("crates/field/src/capture/ring.rs", "socket(AddressFamily::Packet, SockType::Raw, flags, None)"),
        ("crates/field/src/guard/mod.rs", "TcpSocket::new_v4()"),
        ("crates/field/src/ask.rs", "// TcpStream::connect is the guard's\nfn f() {}"),
    ];
    check(rules::sockets, &bad, &good);
}

#[test]
fn the_guard_and_the_desk_excuse_themselves_once_and_the_simulated_master_at_most_once() {
    let excuses = |folder: &str| -> usize {
        let files = tree().into_iter().filter(|source| source.path.starts_with(folder));
        files.map(|source| source.product().matches("clippy::disallowed_methods").count()).sum()
    };
    assert_eq!(excuses(rules::GUARD), 1);
    assert_eq!(excuses(rules::DIAL), 1, "towards programs of IT");
    assert!(excuses("simulators/") <= 1);
}

#[test]
fn wire_and_core_have_no_io_and_no_clock() {
    let bad = [
        ("crates/wire/src/tcp.rs", "use std::time::Instant;"),
        ("crates/core/src/claim.rs", "let now = std::time::SystemTime::now();"),
        ("crates/core/src/profile.rs", "use std::{\n    fmt,\n    fs,\n};"),
        ("crates/core/src/profile.rs", "std::env::var(\"X\")"),
        ("crates/wire/src/listen.rs", "use std::net::TcpStream;"),
    ];
    let good = [
        ("crates/wire/src/ip.rs", "use core::net::IpAddr;\nuse std::{fmt, time::Duration};"),
        ("crates/core/src/profile.rs", "const A: &str = include_str!(env!(\"X\"));"),
        ("crates/field/src/capture.rs", "use std::fs::File;"),
    ];
    check(rules::quiet, &bad, &good);
}

#[test]
fn unsafe_stands_nowhere_but_in_live_capture() {
    let bad = [
        ("crates/wire/src/lib.rs", "pub mod tcp;"),
        ("simulators/src/lib.rs", "unsafe { f() }"),
        ("crates/field/src/ask.rs", "unsafe fn f() {}"),
        ("crates/field/src/capture/live.rs", "unsafe { f() }"),
    ];
    let good = [
        ("crates/core/src/lib.rs", "#![forbid(unsafe_code)]\npub mod claim;"),
        ("crates/field/src/capture/ring.rs", "unsafe { f() }"),
        ("crates/field/src/ask.rs", "/* unsafe */ const A: &str = \"unsafe\"; // unsafe"),
    ];
    check(rules::unsafety, &bad, &good);
}

#[test]
fn the_guard_reads_with_its_own_table() {
    let bad = [
        ("crates/field/src/guard/modbus.rs", "use nameplate_wire::modbus::Question;"),
        ("crates/field/src/guard/judge.rs", "use nameplate_core::wire::modbus;"),
        ("crates/field/src/guard/mod.rs", "use crate::modbus::ask;"),
        ("crates/field/src/guard/modbus.rs", "use super::super::modbus;"),
    ];
    let good = [
        ("crates/field/src/guard/mod.rs", "use crate::guard::Refused;\nuse crate::touch::Line;\nuse super::Permit;"),
        ("crates/field/src/modbus.rs", "use nameplate_wire::modbus;"),
    ];
    check(rules::guard_alone, &bad, &good);
}

#[test]
fn a_simulator_is_no_mirror_of_the_decoder() {
    check(
        rules::no_mirror,
        &[
            ("simulators/src/modbus/encode.rs", "use nameplate_wire::modbus;"),
            ("simulators/src/lib.rs", "use nameplate_core::{claim, wire};"),
        ],
        &[("simulators/src/lib.rs", "use nameplate_core::claim;")],
    );
}

#[test]
fn a_file_stops_at_400_lines_before_its_tests() {
    let (long, fits) = ("fn f() {}\n".repeat(401), "fn f() {}\n".repeat(400) + "#[cfg(test)]\nmod tests {\n" + &"//\n".repeat(300) + "}");
    check(rules::length, &[("crates/wire/src/tcp.rs", &long), ("tests/tests/story.rs", &long)], &[("crates/wire/src/tcp.rs", &fits)]);
}

#[test]
fn a_limit_says_its_unit_and_its_reason() {
    let bad = [
        ("crates/wire/src/tcp.rs", "/// Reason.\npub const SIZE_MAX: usize = 1;"),
        ("crates/wire/src/tcp.rs", "use x;\nconst FRAME_BYTES_MAX: usize = 1;"),
    ];
    let good = [
        ("a.rs", "/// Reason.\npub const FRAME_BYTES_MAX: usize = 1;"),
        ("a.rs", "const GAP_MS_MIN: u64 = 200; // H7"),
        ("a.rs", "let x = usize::MAX;"),
    ];
    check(rules::limits, &bad, &good);
}

#[test]
fn no_test_sleeps() {
    let bad = [
        ("tests/tests/ask.rs", "tokio::time::sleep(d).await;"),
        ("crates/field/src/pacing.rs", "fn f() {}\n#[cfg(test)]\nmod tests {\n    use std::thread::sleep;\n}"),
    ];
    check(rules::naps, &bad, &[("simulators/src/faults.rs", "tokio::time::sleep(d).await;")]);
}

#[test]
fn what_the_gateway_says_is_an_event_and_shows_no_insides() {
    let bad = [
        ("crates/gateway/src/web/page/mod.rs", "eprintln!(\"serve: it failed\");"),
        ("crates/gateway/src/command/field/mod.rs", "eprintln!(\"field: {why}\");"),
        ("crates/gateway/src/web/mod.rs", "tracing::info!(\"a\");"),
        ("crates/gateway/src/web/mod.rs", "say!(REQUEST { request = ?request }, \"a\");"),
        ("crates/gateway/src/web/mod.rs", "say!(\n    REQUEST { path },\n    \"a ({})\", (f)(\"{request:?}\")\n);"),
        ("crates/gateway/src/web/mod.rs", "say!(REQUEST, \"{:?}\", request);"),
    ];
    let good = [
        ("crates/gateway/src/web/mod.rs", "say!(REQUEST { path = %path }, \"{path}\");\nlet a = format!(\"{b:?}\");"),
        ("crates/gateway/src/web/server.rs", "eprintln!(\"serve: this link makes one: {url}\");"),
        ("crates/gateway/src/command/ask.rs", "eprintln!(\"{place}: {why}\");"),
        ("crates/gateway/src/log.rs", "tracing::event!(1);"),
    ];
    check(rules::logged, &bad, &good);
}

#[test]
fn what_only_unix_has_stands_behind_a_cfg() {
    let bad = [
        ("crates/field/src/touch.rs", "use std::os::unix::fs::OpenOptionsExt;"),
        ("crates/gateway/src/serve.rs", "tokio::net::UnixListener::bind(p)"),
    ];
    let good = [
        ("crates/field/src/touch.rs", "#[cfg(unix)]\nuse std::os::unix::fs::OpenOptionsExt;"),
        ("tests/src/lib.rs", "use std::os::unix::fs::PermissionsExt;"),
    ];
    check(rules::portable, &bad, &good);
}

#[test]
fn no_name_hides_what_a_thing_is() {
    let bad = [
        ("crates/core/src/utils.rs", ""),
        ("crates/core/src/lib.rs", "pub mod common;"),
        ("crates/field/src/lib.rs", "pub struct PortScanner;"),
        ("crates/field/src/lib.rs", "pub(crate) async fn scan_units() {}"),
        ("crates/core/src/lib.rs", "pub fn status() {}"),
    ];
    let good = [("crates/core/src/lib.rs", "pub struct RunIndicatorStatus;\nfn scanning() {}\npub fn listen() {}")];
    check(rules::naming, &bad, &good);
}

#[test]
fn no_file_names_a_place_of_one_machine() {
    let place = |name: &str| format!("see /{name}/x");
    let bad = [
        ("README.md", &*place("home")),
        ("a.rs", &*place("root")),
        ("b.py", &*place("work")),
        ("package-lock.json", "\"resolved\": \"x\""),
    ];
    check(rules::no_place, &bad, &[("README.md", &format!("docs/work/x, ./home/x and <dir>{}", place("root").trim_start_matches("see ")))]);
}

#[test]
fn every_device_profile_is_toml() {
    check(rules::profile, &[("device-profiles/a/b.toml", "match = [")], &[("device-profiles/a/b.toml", "[match]\na = 1")]);
    assert!(tree().iter().any(|source| source.path.starts_with("device-profiles/")), "no profile was looked at");
}

#[test]
fn every_decision_says_what_else_was_possible_and_how_sure_we_are() {
    check(rules::decision, &[("docs/decisions/0009-x.md", "# X\n## Decision\n## Context\n")], &[]);
    assert!(tree().iter().any(|source| source.path.starts_with("docs/decisions/0001")), "no decision was looked at");
}
