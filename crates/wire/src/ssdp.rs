//! SSDP: what UPnP devices announce and answer.
//!
//! Source: UPnP Device Architecture 2.0, clauses 1.2.2 (NOTIFY with ssdp:alive), 1.3.2 (M-SEARCH), 1.3.3 (answer).

use crate::conversation::{Conversation, Coverage, Heard, Likeness, Over, Protocol, Role, Said};
use crate::head::{Head, first_product, speaks};
use crate::told::Told;
use crate::{Authority, Reading, Shape};

/// SSDP.
pub static PROTOCOL: Protocol =
    Protocol { name: NAME, carries: &[], tcp: &[], udp: &[1900], link: &[], likeness, start: |_| Box::new(Announcements::default()) };

const NAME: &str = "ssdp";
const VERSION: &str = "HTTP/1.";
const NOTIFY: &[u8] = b"NOTIFY ";
const SEARCH: &[u8] = b"M-SEARCH ";

/// Over UDP a head of HTTP is SSDP: its methods are, and an answer needs one of the fields that only it has.
fn likeness(bytes: &[u8], over: Over) -> Likeness {
    let is_own = || bytes.starts_with(NOTIFY) || bytes.starts_with(SEARCH) || Head::read(bytes, 0).field("usn").is_some();
    match (over, speaks(bytes, VERSION)) {
        (Over::Tcp | Over::Link(_), _) | (_, Some(false)) => Likeness::No,
        (_, Some(true)) if is_own() => Likeness::Certain,
        _ => Likeness::Possible,
    }
}

#[derive(Debug, Default)]
struct Announcements {
    told: Told,
    coverage: Coverage,
}

impl Conversation for Announcements {
    fn hear(&mut self, said: &Said<'_>, out: &mut dyn FnMut(Heard)) {
        self.coverage.seen += 1;
        let (bytes, ip) = (said.bytes, said.from.ip);
        if speaks(bytes, VERSION) == Some(false) {
            return;
        }
        self.coverage.decoded += 1;
        // Each device announces each of its services several times a minute.
        if !self.told.is_new((ip, bytes)) {
            return;
        }
        let (role, question) = match bytes {
            _ if bytes.starts_with(NOTIFY) => (Role::Publisher, "ssdp.announcement"),
            _ if bytes.starts_with(SEARCH) => (Role::Client, "ssdp.search"),
            _ => (Role::Server, "ssdp.answer"),
        };
        if self.told.is_new((ip, role)) {
            out(Heard::Present { protocol: NAME, role, speaker: said.speaker(), at: said.at });
        }
        let (head, mut reading) = (Head::read(bytes, 0), Reading::of(NAME, Over::Udp, question, said.speaker(), said.at, bytes));
        reading.complete = head.end().is_some();
        if role == Role::Client {
            reading.authority = Authority::Client;
            head.field("user-agent").into_iter().for_each(|range| reading.fact("ssdp.user_agent", Shape::Text, range));
        } else {
            facts(&mut reading, &head, bytes);
        }
        reading.facts.retain(|fact| !fact.bytes.is_empty());
        if !reading.facts.is_empty() && self.told.is_news(&reading) {
            out(Heard::Reading(reading));
        }
    }

    fn coverage(&self, each: &mut dyn FnMut(&'static str, Coverage)) {
        each(NAME, self.coverage);
    }
}

fn facts(reading: &mut Reading, head: &Head<'_>, bytes: &[u8]) {
    if let Some(range) = head.field("server") {
        reading.fact("ssdp.server", Shape::Text, range.clone());
        first_product(bytes, range).into_iter().for_each(|range| reading.fact("ssdp.product", Shape::Text, range));
    }
    for (name, path) in [("location", "ssdp.location"), ("nt", "ssdp.kind"), ("st", "ssdp.kind"), ("usn", "ssdp.usn")] {
        head.field(name).into_iter().for_each(|range| reading.fact(path, Shape::Text, range));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::shorter;

    const NOTIFY_TEXT: &[u8] =
        b"NOTIFY * HTTP/1.1\r\nHOST: 239.255.255.250:1900\r\nSERVER: Linux/3.4 UPnP/1.0 X/2\r\nNT:upnp:rootdevice\r\n\
        LOCATION: http://10.0.0.9/d.xml\r\nUSN: uuid:1::upnp:rootdevice\r\n\r\n";

    #[test]
    fn announcements_and_answers_tell_server_and_kind() {
        let expected = [
            ("ssdp.server", "Linux/3.4 UPnP/1.0 X/2"),
            ("ssdp.product", "Linux/3.4"),
            ("ssdp.location", "http://10.0.0.9/d.xml"),
            ("ssdp.kind", "upnp:rootdevice"),
            ("ssdp.usn", "uuid:1::upnp:rootdevice"),
        ];
        shorter::check(&PROTOCOL, Over::Udp, &[NOTIFY_TEXT], &expected);
        shorter::check(&PROTOCOL, Over::Udp, &[NOTIFY_TEXT, NOTIFY_TEXT], &expected);
        let answer = b"HTTP/1.1 200 OK\r\nST: urn:x\r\nUSN: uuid:2\r\n\r\n";
        shorter::check(&PROTOCOL, Over::Udp, &[answer], &[("ssdp.kind", "urn:x"), ("ssdp.usn", "uuid:2")]);
        let search = b"M-SEARCH * HTTP/1.1\r\nST: ssdp:all\r\nUSER-AGENT: Windows/10 UPnP/1.0\r\n\r\n";
        shorter::check(&PROTOCOL, Over::Udp, &[search], &[("ssdp.user_agent", "Windows/10 UPnP/1.0")]);
    }

    #[test]
    fn only_datagrams_are_ssdp() {
        assert_eq!(likeness(NOTIFY_TEXT, Over::Udp), Likeness::Certain);
        assert_eq!(likeness(NOTIFY_TEXT, Over::Tcp), Likeness::No);
        assert_eq!(likeness(b"GET / HTTP/1.1\r\n\r\n", Over::Udp), Likeness::Possible);
        assert_eq!(likeness(b"INVITE sip:a SIP/2.0\r\n", Over::Udp), Likeness::No);
    }
}
