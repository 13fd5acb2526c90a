//! Veeder-Root TLS tank gauges: the report of the system's revision level, function 902, as they print and as they send it.
//!
//! Sources: Veeder-Root serial interface manuals 576013-635 (TLS-300, TLS-350), 577013-767 (TLS2, 7.4.1, function 902) and those of TLS-450 and
//! TLS-HLD, which agree in it: a message is a SOH, a function, two digits for a device, text, an ETX. A capital letter asks for text to be
//! printed, a small one for text to be read by a computer. Behind `SOFTWARE#` stands the number of the software with its version and revision.
//!
//! It is never asked: a gauge takes orders (S functions) in the same way, and behind a serial server others wait for the line.

use crate::conversation::{Conversation, Coverage, Heard, Likeness, Over, Protocol, Role, Said};
use crate::tcp::At;
use crate::told::Told;
use crate::{Malformed, Reading, Shape};

/// The serial language, as serial servers carry it over TCP.
pub static PROTOCOL: Protocol =
    Protocol { name: NAME, carries: &[], tcp: &[10001], udp: &[], link: &[], likeness, start: |_| Box::<Talk>::default() };

const NAME: &str = "veeder-root";
const SOH: u8 = 1;
const ETX: u8 = 3;
/// A report may be long; of one that is longer than this nothing is read.
const REPORT_BYTES_MAX: usize = 4096;
/// The function, in both cases of its letter.
const REVISION: [&[u8]; 2] = [b"I90200", b"i90200"];
const SOFTWARE: &[u8] = b"SOFTWARE#";
const CREATED: &[u8] = b"CREATED";

fn likeness(bytes: &[u8], _: Over) -> Likeness {
    let Some(rest) = bytes.strip_prefix(&[SOH]) else {
        return if bytes.is_empty() { Likeness::Possible } else { Likeness::No };
    };
    let rest = rest.trim_ascii_start();
    if REVISION.iter().any(|function| rest.starts_with(function)) {
        return Likeness::Certain;
    }
    match rest {
        [] => Likeness::Possible,
        [b'I' | b'i' | b'S' | b's', digits @ ..] if digits.iter().take(5).all(u8::is_ascii_hexdigit) => Likeness::Possible,
        _ => Likeness::No,
    }
}

#[derive(Debug, Default)]
struct Talk {
    /// A report from its SOH on.
    held: Vec<u8>,
    told: Told,
    coverage: Coverage,
}

impl Conversation for Talk {
    fn hear(&mut self, said: &Said<'_>, out: &mut dyn FnMut(Heard)) {
        if !said.by_server {
            return;
        }
        for &byte in said.bytes {
            if byte == SOH {
                self.held.clear();
            } else if self.held.is_empty() || self.held.len() == REPORT_BYTES_MAX {
                self.held.clear();
                continue;
            }
            self.held.push(byte);
            if byte == ETX {
                let report = core::mem::take(&mut self.held);
                self.report(said, &report, out);
            }
        }
    }

    fn lose(&mut self, by_server: bool, _: At, _: &mut dyn FnMut(Heard)) {
        if by_server {
            self.held.clear();
        }
    }

    fn coverage(&self, each: &mut dyn FnMut(&'static str, Coverage)) {
        each(NAME, self.coverage);
    }
}

impl Talk {
    fn report(&mut self, said: &Said<'_>, report: &[u8], out: &mut dyn FnMut(Heard)) {
        self.coverage.seen += 1;
        if likeness(report, Over::Tcp) == Likeness::No {
            return;
        }
        self.coverage.decoded += 1;
        for (role, end) in [(Role::Server, said.from), (Role::Client, said.to)] {
            if self.told.is_new(role) {
                out(Heard::Present { protocol: NAME, role, speaker: end.into(), at: said.at });
            }
        }
        if likeness(report, Over::Tcp) != Likeness::Certain {
            return;
        }
        let mut reading = Reading::of(NAME, Over::Tcp, "veeder-root.revision", said.speaker(), said.at, report);
        match find(report, SOFTWARE) {
            Some(at) => software(&mut reading, report, at + SOFTWARE.len()),
            None => reading.broken(Malformed::wrong(NAME, 0, "a revision level has SOFTWARE#")),
        }
        if !reading.facts.is_empty() && self.told.is_news(&reading) {
            out(Heard::Reading(reading));
        }
    }
}

/// The software's number up to the end of its line or to when it was made, and when that was.
fn software(reading: &mut Reading, report: &[u8], start: usize) {
    let rest = report.get(start..).unwrap_or_default();
    let line = rest.iter().position(|byte| matches!(*byte, b'\r' | b'\n' | ETX)).unwrap_or(rest.len());
    let end = find(rest, CREATED).map_or(line, |created| created.min(line));
    let number = rest.get(..end).unwrap_or_default();
    let from = start + number.len() - number.trim_ascii_start().len();
    reading.fact("veeder-root.software", Shape::Text, from..from + number.trim_ascii().len());
    let Some(created) = find(rest, CREATED).map(|at| start + at + CREATED.len()) else { return };
    let digits = |byte: &u8| byte.is_ascii_digit() || *byte == b'.';
    let Some(first) = report.get(created..).and_then(|rest| rest.iter().position(u8::is_ascii_digit)) else { return };
    let length = report.get(created + first..).map_or(0, |rest| rest.iter().take_while(|byte| digits(byte)).count());
    reading.fact("veeder-root.created", Shape::Text, created + first..created + first + length);
}

fn find(bytes: &[u8], what: &[u8]) -> Option<usize> {
    bytes.windows(what.len()).position(|window| window == what)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::shorter;

    /// The sample of the manual 577013-767, 7.4.1, and what the same is for a computer.
    const PRINTED: &[u8] = b"\x01\r\nI90200\r\n22-05-01 15:12\r\n\r\nSOFTWARE# 349783-001-AXM\r\nCREATED - 01.05.17.15.11\r\n\r\n\
        SYSTEM FEATURES:\r\n  PERIODIC IN-TANK TESTS\r\n\x03";
    const SENT: &[u8] = b"\x01i902000105221512SOFTWARE# 349783-001-AXMCREATED - 01.05.17.15.11&&E1A2\x03";

    #[test]
    fn a_gauge_says_its_software_and_every_prefix_says_nothing() {
        for report in [PRINTED, SENT] {
            let expected = [("veeder-root.software", "349783-001-AXM"), ("veeder-root.created", "01.05.17.15.11")];
            shorter::check(&PROTOCOL, Over::Tcp, &[report], &expected);
            for cut in 0..report.len() {
                assert_eq!(PROTOCOL.replay(Over::Tcp, [], [&report[..cut]]), [], "{cut}");
            }
            let (one, two) = report.split_at(20);
            assert_eq!(PROTOCOL.replay(Over::Tcp, [], [one, two]), PROTOCOL.replay(Over::Tcp, [], [report]));
        }
        shorter::check(&PROTOCOL, Over::Tcp, &[b"\x01\r\nI20100\r\nIN-TANK INVENTORY\r\n\x03"], &[]);
        shorter::check(&PROTOCOL, Over::Tcp, &[b"\x019999FF1B\x03"], &[]);
    }

    #[test]
    fn a_report_without_an_end_is_not_held() {
        let mut talk = Talk::default();
        let end = Default::default();
        for bytes in core::iter::once(&b"\x01I90200"[..]).chain(core::iter::repeat_n(&[b'x'; 999][..], 9)) {
            let said = Said { bytes, missing: 0, at: At::default(), from: &end, to: &end, by_server: true };
            talk.hear(&said, &mut |heard| panic!("{heard:?}"));
            assert!(talk.held.len() <= REPORT_BYTES_MAX);
        }
    }

    #[test]
    fn its_function_makes_it_certain() {
        let likeness = |bytes: &[u8]| likeness(bytes, Over::Tcp);
        assert_eq!(likeness(b"\x01I90200"), Likeness::Certain);
        assert_eq!(likeness(PRINTED), Likeness::Certain);
        assert_eq!(likeness(b"\x01I20100"), Likeness::Possible);
        for other in [&b"\x01\x02"[..], b"GET /", b"\x01\x00\x00", b"I90200", b"\x01Ixyz"] {
            assert_eq!(likeness(other), Likeness::No, "{other:?}");
        }
    }
}
