//! Web servers that we did not write, in clear and over TLS, asked live, read from the recording of that exchange, and judged by tshark; with the keys
//! of the run where TLS hides what left. And simulated ones, which trip on anything but a GET.

use std::collections::BTreeSet;

use nameplate_simulators::http::{Device, Persona, Sends};
use nameplate_tests::interop::{Interop, ready};
use nameplate_tests::personas;
use nameplate_tests::place::needed;
use nameplate_tests::product::{Ended, Product, State, code, simulated};
use nameplate_tests::referee;
use nameplate_tests::rig::{Kind, Tls};

/// Its name and version, as `nginx -v` has them.
fn nginx() -> String {
    let run = std::process::Command::new("/usr/sbin/nginx").arg("-v").output().expect("nginx");
    let said = String::from_utf8_lossy(&run.stderr).into_owned();
    said.split("nginx version: ").nth(1).unwrap_or_default().split_whitespace().next().unwrap_or_default().to_owned()
}

#[test]
fn pages_are_exact() {
    for kind in [Kind::Http, Kind::Nginx] {
        let Some(product) = needed("pages_are_exact", ready(kind)) else { return };
        let persona = personas::random(personas::seed());
        let plate = &persona.plate;
        let server = if kind == Kind::Nginx { nginx() } else { format!("{}/{}", plate.model, plate.software) };
        let served = [("description", server.as_str()), ("description", plate.description.as_str())];
        let exchange = Interop::new(kind, &persona, "http", "").exact(&product, &served);
        assert!(exchange.ended.err.contains("1 device, 1 connection, 1 request, "), "{}", exchange.ended.err);
        exchange.ended.expect(code::DONE);
    }
}

/// Up to TLS 1.2 a capture shows the certificate, and nothing of the page; from 1.3 on it shows neither.
#[test]
fn pages_and_certificates_over_tls_are_exact_and_a_capture_says_less() {
    let test = "pages_and_certificates_over_tls_are_exact_and_a_capture_says_less";
    for kind in [Kind::Https(Tls::V12), Kind::Https(Tls::V13), Kind::NginxTls(Tls::V12), Kind::NginxTls(Tls::V13)] {
        let Some(product) = needed(test, ready(kind)) else { return };
        let persona = personas::random(personas::seed());
        let plate = &persona.plate;
        let server = match kind {
            Kind::NginxTls(_) => nginx(),
            _ => format!("{}/{}", plate.model, plate.software),
        };
        let keys = State::new();
        let log = keys.file("keys.log", "");
        let interop = Interop { environment: vec![("SSLKEYLOGFILE", log.clone())], ..Interop::new(kind, &persona, "https", "") };
        let exchange = interop.ask(&product);
        let pair = |field: &str, value: &str| (field.to_owned(), value.to_owned());
        let certificate = BTreeSet::from([pair("name", &plate.name)]);
        let pages = [pair("description", &server), pair("description", &plate.description)];
        let served: BTreeSet<_> = certificate.iter().cloned().chain(pages).collect();
        for (field, value) in &served {
            println!("{kind:?} | https | {field} | {value} | exact");
        }
        assert_eq!(exchange.said, served, "{kind:?}\n{}", exchange.ended.err);
        let in_clear = matches!(kind, Kind::Https(Tls::V12) | Kind::NginxTls(Tls::V12));
        assert_eq!(exchange.heard, if in_clear { certificate } else { BTreeSet::new() }, "{kind:?}: by ear");
        let requests = referee::judge_under_tls(&exchange.file, exchange.port, log.as_ref());
        assert_eq!(requests, Ok(1), "{kind:?}: {}", exchange.file.display());
        exchange.ended.expect(code::DONE);
    }
}

fn ask(product: &Product, target: &str, more: &[&str]) -> Ended {
    let words: Vec<&str> = ["--via", "http", "--format", "claims", target].into_iter().chain(more.iter().copied()).collect();
    product.ask(&State::new(), &words)
}

fn said(ended: &Ended) -> Vec<(String, String)> {
    let claims = if ended.out.is_empty() { Vec::new() } else { ended.claims() };
    claims.into_iter().map(|claim| (claim.rule, claim.value)).collect()
}

#[test]
fn two_pages_take_two_connections_and_a_password_ends_it() {
    let Some(product) = needed("two_pages_take_two_connections_and_a_password_ends_it", Product::find()) else { return };
    let two = ["--http-path", "/", "--http-path", "/id.htm"];
    let mut persona = Persona::new(b"Embed/2.1", b"Feeder 4");
    persona.titles.insert("/id.htm".to_owned(), b"V7.31".to_vec());
    for (realm, connections, title) in [("", 2, Some("V7.31")), ("Relay", 1, None)] {
        let (product, persona) = (product.clone(), Persona { realm: realm.as_bytes().to_vec(), ..persona.clone() });
        let (ended, report) = simulated(Device::new(persona), move |address| ask(&product, &address.to_string(), &two));
        let ended = ended.expect(code::DONE);
        assert_eq!(
            (report.connections(), report.requests(), report.trips.len()),
            (connections, connections as u32, 0),
            "{:?}",
            report.trips
        );
        let told = said(&ended);
        assert_eq!(told.iter().any(|(_, value)| Some(value.as_str()) == title), title.is_some(), "{told:?}");
        assert_eq!(told.iter().any(|(rule, value)| rule == "http.realm" && value == "Relay"), !realm.is_empty(), "{told:?}");
        assert_eq!(ended.err.contains("not asked any more: http.get"), !realm.is_empty(), "{}", ended.err);
    }
}

#[test]
fn pages_are_read_however_they_are_sent() {
    let Some(product) = needed("pages_are_read_however_they_are_sent", Product::find()) else { return };
    for sends in [Sends::Sized, Sends::Chunked, Sends::UntilClose, Sends::Endless] {
        let (product, persona) = (product.clone(), Persona { sends, ..Persona::new(b"Embed/2.1", b"Feeder 4") });
        let (ended, report) = simulated(Device::new(persona), move |address| ask(&product, &address.to_string(), &[]));
        let ended = ended.expect(if sends == Sends::Endless { code::NO_ANSWER } else { code::DONE });
        assert_eq!((report.connections(), report.trips.len()), (1, 0), "{sends:?}: {:?}", report.trips);
        assert!(said(&ended).iter().any(|(rule, value)| rule == "http.title" && value == "Feeder 4"), "{sends:?}: {}", ended.err);
        assert_eq!(ended.err.contains("hostile"), sends == Sends::Endless, "{sends:?}: {}", ended.err);
    }
}

#[test]
fn what_may_act_is_refused_before_anybody_is_met() {
    let Some(product) = needed("what_may_act_is_refused_before_anybody_is_met", Product::find()) else { return };
    for path in ["/reboot", "/cgi-bin/x", "/a?b=1", "index.htm", "/a/../b"] {
        let ended = product.run(["ask", "192.0.2.10", "--via", "http", "--http-path", path, "--dry-run"]).expect(code::REFUSED);
        assert!(ended.err.contains("permit.path"), "{path}: {}", ended.err);
    }
    let ended = product.run(["ask", "192.0.2.10", "--via", "http", "--http-profile", "generic/http", "--dry-run"]).expect(code::USAGE);
    assert!(ended.err.contains("generic/http"), "{}", ended.err);
}
