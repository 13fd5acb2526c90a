//! SIP: what a telephone or an intercom calls itself.
//!
//! Source: RFC 3261 clauses 7 (messages), 20.35 (Server), 20.41 (User-Agent), 20.42 (Via).
//!
//! A proxy hands on what others said: only a request that came over no other place (one Via) speaks for its sender.

use crate::conversation::{Conversation, Coverage, Heard, Likeness, Over, Protocol, Role, Said};
use crate::head::{Head, speaks};
use crate::told::Told;
use crate::{Reading, Shape};

/// SIP over UDP.
pub static PROTOCOL: Protocol = Protocol {
    name: NAME,
    carries: &[],
    tcp: &[],
    udp: &[5060],
    link: &[],
    likeness: |bytes, _| match speaks(bytes, VERSION) {
        Some(true) => Likeness::Certain,
        Some(false) => Likeness::No,
        None => Likeness::Possible,
    },
    start: |_| Box::new(Exchange::default()),
};

const NAME: &str = "sip";
const VERSION: &str = "SIP/2.";

#[derive(Debug, Default)]
struct Exchange {
    told: Told,
    coverage: Coverage,
}

impl Conversation for Exchange {
    fn hear(&mut self, said: &Said<'_>, out: &mut dyn FnMut(Heard)) {
        let is_answer = said.bytes.starts_with(VERSION.as_bytes());
        // Clients keep a way open with line ends (RFC 5626, 3.5.1).
        if speaks(said.bytes, VERSION) != Some(true) {
            return;
        }
        self.coverage.seen += 1;
        self.coverage.decoded += 1;
        let role = if is_answer { Role::Server } else { Role::Client };
        if self.told.is_new((role, said.from.ip)) {
            out(Heard::Present { protocol: NAME, role, speaker: said.speaker(), at: said.at });
        }
        let head = Head::read(said.bytes, 0);
        let own = head.end().is_some() && !is_answer && vias(said.bytes) == 1;
        let Some(range) = head.field("user-agent").filter(|range| own && !range.is_empty()) else { return };
        let mut reading = Reading::of(NAME, Over::Udp, "sip.request", said.speaker(), said.at, said.bytes);
        head.secrets().into_iter().for_each(|secret| reading.hide(secret));
        reading.fact("sip.user_agent", Shape::Text, range);
        if self.told.is_news(&reading) {
            out(Heard::Reading(reading));
        }
    }

    fn coverage(&self, each: &mut dyn FnMut(&'static str, Coverage)) {
        each(NAME, self.coverage);
    }
}

/// Places that a request came over: lines of that field, in its long or short form, and commas in them.
fn vias(bytes: &[u8]) -> usize {
    let is_via = |line: &[u8]| line.get(..4).is_some_and(|name| name.eq_ignore_ascii_case(b"via:")) || line.starts_with(b"v:");
    let lines = bytes.split(|byte| *byte == b'\n').filter(|line| is_via(line));
    lines.map(|line| 1 + line.iter().filter(|byte| **byte == b',').count()).sum()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::shorter;

    fn check(bytes: &str, expected: &[(&str, &str)]) {
        shorter::check(&PROTOCOL, Over::Udp, &[bytes.as_bytes()], expected);
    }

    #[test]
    fn a_request_that_nobody_handed_on_tells_its_sender() {
        let head = "REGISTER sip:10.0.0.1 SIP/2.0\r\nVia: SIP/2.0/UDP 10.0.0.7\r\nUser-Agent: Intercom 2/1.4\r\n";
        check(&format!("{head}\r\n"), &[("sip.user_agent", "Intercom 2/1.4")]);
        check(&format!("{head}Via: SIP/2.0/UDP 10.0.0.9\r\n\r\n"), &[]);
        check(head, &[]);
        check("SIP/2.0 200 OK\r\nVia: SIP/2.0/UDP 10.0.0.7\r\nUser-Agent: x\r\n\r\n", &[]);
    }

    #[test]
    fn a_first_line_makes_it_certain() {
        for (bytes, expected) in [
            ("INVITE sip:a@b SIP/2.0\r\n", Likeness::Certain),
            ("SIP/2.0 100 Trying", Likeness::Certain),
            ("NOTIFY * HTTP/1.1\r\n", Likeness::No),
            ("\r\n\r\n", Likeness::No),
        ] {
            assert_eq!((PROTOCOL.likeness)(bytes.as_bytes(), Over::Udp), expected, "{bytes:?}");
        }
    }
}
