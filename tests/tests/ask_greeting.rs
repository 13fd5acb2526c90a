//! What FTP, SSH and Telnet servers say by themselves: servers that we did not write, asked live and read from the recording of that exchange; and
//! simulated ones, which trip on a login.

use std::process::Command;

use nameplate_simulators::greeting::{Device, Persona, Server};
use nameplate_tests::interop::{Interop, ready};
use nameplate_tests::personas;
use nameplate_tests::place::needed;
use nameplate_tests::product::{Product, State, code, simulated};
use nameplate_tests::rig::Kind;

/// `OpenSSH_9.2p1 Debian-2, OpenSSL 3.0.9 ...`: what the package's own client calls itself.
fn openssh() -> String {
    let run = Command::new("ssh").arg("-V").output().expect("openssh-client");
    let said = String::from_utf8_lossy(&run.stderr).into_owned();
    said.split(',').next().unwrap_or_default().to_owned()
}

#[test]
fn servers_that_greet_are_exact_and_nobody_logs_in() {
    let test = "servers_that_greet_are_exact_and_nobody_logs_in";
    for (kind, via, touched) in [
        (Kind::Sshd, "ssh", "1 device, 1 connection, 0 requests, 0 bytes out, 0 refused"),
        (Kind::Pyftpdlib, "ftp", "1 device, 1 connection, 1 request, 6 bytes out, 0 refused"),
        (Kind::Telnetlib3, "telnet", "1 device, 1 connection, "),
    ] {
        let Some(product) = needed(test, ready(kind)) else { return };
        let persona = personas::random(personas::seed());
        let plate = &persona.plate;
        let banner = if kind == Kind::Sshd { format!("SSH-2.0-{} {}", openssh(), plate.model) } else { plate.description.clone() };
        let mut served = vec![("description", banner.as_str())];
        served.extend((kind == Kind::Sshd).then_some(("protocol_revision", "2.0")));
        served.extend((kind == Kind::Telnetlib3).then_some(("description", "login:")));
        let exchange = Interop::new(kind, &persona, via, "").exact(&product, &served);
        assert!(exchange.ended.err.contains(touched), "{via}: {}", exchange.ended.err);
        let kinds: Vec<_> = exchange.state.touches().iter().map(|line| (line["kind"].clone(), line["question"].clone())).collect();
        assert_eq!((kinds[0].0.as_str(), kinds[0].1.as_str()), (Some("connect"), Some(QUESTION[via_index(via)])), "{kinds:?}");
        exchange.ended.expect(code::DONE);
    }
}

const QUESTION: [&str; 3] = ["ssh.server", "ftp.greeting", "telnet.greeting"];

fn via_index(via: &str) -> usize {
    ["ssh", "ftp", "telnet"].iter().position(|known| *known == via).expect("one of three")
}

#[test]
fn a_greeting_is_read_once_a_day() {
    let Some(product) = needed("a_greeting_is_read_once_a_day", Product::find()) else { return };
    let persona = Persona::new(Server::Ssh, &[b"SSH-2.0-Acme_1.2"], b"");
    let (again, report) = simulated(Device::new(persona), move |address| {
        let (state, target) = (State::new(), address.to_string());
        product.ask(&state, &["--via", "ssh", &target]).expect(code::DONE);
        product.ask(&state, &["--via", "ssh", &target]).expect(code::REFUSED)
    });
    assert!(again.err.contains("budget.day") && again.err.contains("1 is the most"), "{}", again.err);
    assert_eq!((report.connections(), report.bytes_in(), report.trips.len()), (1, 0, 0));
}

#[test]
fn a_dry_run_shows_the_connection_as_the_question() {
    let Some(product) = needed("a_dry_run_shows_the_connection_as_the_question", Product::find()) else { return };
    for (via, question, count) in [
        ("ssh", "ssh.server", "0 messages, 0 bytes"),
        ("ftp", "ftp.greeting", "1 messages, 6 bytes"),
        ("telnet", "telnet.greeting", "0 messages, 0 bytes"),
        ("https", "tls.certificate", "1 messages, 82 bytes"),
    ] {
        let ended = product.run(["ask", "192.0.2.10", "--via", via, "--dry-run"]).expect(code::DONE);
        assert!(
            ended.out.contains(question) && ended.out.contains(count) && ended.out.contains("the connection is the question"),
            "{}",
            ended.out
        );
    }
}
