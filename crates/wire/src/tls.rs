//! TLS: the certificate that a server shows, up to version 1.2; from 1.3 on it is encrypted, and only who takes part is heard.
//!
//! Sources: RFC 8446 clauses 4.1, 5.1 and RFC 5246 clauses 6.2.1, 7.4.2 (records, hello, certificate); RFC 6066 clause 3 (server name);
//! RFC 7301 clause 3.1 (application protocol).
//!
//! `https` is the same where the port or the server's own choice of protocol says HTTP.

mod certificate;
mod der;
mod records;

use crate::conversation::{Conversation, Coverage, Heard, Likeness, Over, Protocol, Role, Said};
use crate::tcp::At;
use crate::{Authority, Cursor, Malformed, Reading, Shape};
use records::{Flight, RECORD_HEADER_BYTES, Walk, is_record};

/// TLS.
pub static PROTOCOL: Protocol = Protocol {
    name: TLS,
    carries: &[],
    tcp: &[465, 636, 802, 853, 990, 992, 993, 995, 5061, 5986, 8883],
    udp: &[],
    link: &[],
    likeness: |bytes, _| likeness(bytes),
    start: |_| Box::new(Connection::new(TLS)),
};

/// HTTP over TLS.
pub static HTTPS_PROTOCOL: Protocol = Protocol {
    name: HTTPS,
    carries: &[],
    tcp: &[443, 4443, 8443, 10443],
    udp: &[],
    link: &[],
    likeness: |bytes, _| likeness(bytes),
    start: |_| Box::new(Connection::new(HTTPS)),
};

const TLS: &str = "tls";
const HTTPS: &str = "https";

/// Of one side: hello and certificate. Chains come to some 6 KiB, of which the first certificate is enough.
const FLIGHT_BYTES_MAX: usize = 16 * 1024;

/// The question that a handshake is.
pub const CERTIFICATE: &str = "tls.certificate";

const CLIENT_HELLO: u8 = 1;
const SERVER_HELLO: u8 = 2;
const CERTIFICATE_MESSAGE: u8 = 11;
const EXTENSION_SERVER_NAME: u16 = 0;
const EXTENSION_PROTOCOL: u16 = 16;

/// What a server of TLS 1.3 says up to its certificate, as it would read in clear: its hello from the first bytes that it sent, and the certificate
/// (DER) in the message that TLS 1.2 has for it. `None` where there is no hello, or the certificate is longer than a record.
#[must_use]
pub fn in_clear(server: &[u8], certificate: &[u8]) -> Option<Vec<u8>> {
    let mut flight = Flight::default();
    flight.take(server, FLIGHT_BYTES_MAX);
    let (_, hello) = flight.message(0).filter(|(kind, _)| *kind == SERVER_HELLO)?;
    let length = |bytes: usize| u32::try_from(bytes).ok().map(u32::to_be_bytes).map(|[_, length @ ..]| length);
    let one = certificate.len();
    let message = [&[CERTIFICATE_MESSAGE][..], &length(one + 6)?, &length(one + 3)?, &length(one)?, certificate].concat();
    records::of_handshake([flight.handshake().get(..hello.end)?, &message])
}

/// A record that holds the start of a hello, whose lengths and versions agree, is nothing else.
fn likeness(bytes: &[u8]) -> Likeness {
    match bytes {
        [0x16, 3, 0..=4, high, low, CLIENT_HELLO | SERVER_HELLO, 0, b, c, 3, 0..=4, ..] => {
            let record = usize::from(u16::from_be_bytes([*high, *low]));
            let hello = usize::from(u16::from_be_bytes([*b, *c]));
            // A hello may go on in the next record; it is never shorter than its fixed part.
            if hello >= 38 && record >= 42 && is_record(bytes) { Likeness::Certain } else { Likeness::No }
        }
        [0x16, 3, 0..=4, _, _, CLIENT_HELLO | SERVER_HELLO, ..] if bytes.len() >= 11 => Likeness::No,
        _ if bytes.len() < RECORD_HEADER_BYTES => {
            if b"\x16\x03".starts_with(bytes.get(..2).unwrap_or(bytes)) {
                Likeness::Possible
            } else {
                Likeness::No
            }
        }
        _ if is_record(bytes) => Likeness::Possible,
        _ => Likeness::No,
    }
}

#[derive(Debug)]
struct Connection {
    name: &'static str,
    client: Side,
    server: Side,
    coverage: Coverage,
}

#[derive(Debug, Default)]
struct Side {
    walk: Walk,
    flight: Flight,
    /// All that is of interest was heard, or cannot be any more.
    done: bool,
    spoke: bool,
}

impl Conversation for Connection {
    fn hear(&mut self, said: &Said<'_>, out: &mut dyn FnMut(Heard)) {
        let side = if said.by_server { &mut self.server } else { &mut self.client };
        let torn = side.walk.records(said.bytes, &mut self.coverage);
        if side.done {
            return;
        }
        if torn || !side.flight.take(said.bytes, FLIGHT_BYTES_MAX) {
            side.done = true;
            return;
        }
        if said.by_server { self.server(said, out) } else { self.client(said, out) }
    }

    fn lose(&mut self, by_server: bool, _: At, _: &mut dyn FnMut(Heard)) {
        let side = if by_server { &mut self.server } else { &mut self.client };
        (side.done, side.flight, side.walk) = (true, Flight::default(), Walk::lost());
    }

    fn coverage(&self, each: &mut dyn FnMut(&'static str, Coverage)) {
        each(self.name, self.coverage);
    }
}

impl Connection {
    fn new(name: &'static str) -> Self {
        Self { name, client: Side::default(), server: Side::default(), coverage: Coverage::default() }
    }

    /// The client's hello: by which name it believes to reach the server.
    fn client(&mut self, said: &Said<'_>, out: &mut dyn FnMut(Heard)) {
        let flight = &self.client.flight;
        let Some((kind, hello)) = flight.message(0) else {
            self.client.done = flight.is_over();
            return;
        };
        self.client.done = true;
        self.client.spoke = kind == CLIENT_HELLO;
        let mut name = None;
        let bytes = flight.handshake().get(..hello.end).unwrap_or_default();
        let _ = extensions(kind, Cursor::new(TLS, bytes).from(hello.start), &mut |extension, at| {
            // A list of names, of which the first is a host's: length, kind 0, length (RFC 6066, 3).
            if extension == EXTENSION_SERVER_NAME && bytes.get(at.start + 2) == Some(&0) && at.len() > 5 {
                let length = bytes.get(at.start + 3..at.start + 5).map_or(0, |l| usize::from(u16::from_be_bytes([l[0], l[1]])));
                name = Some(at.start + 5..at.start + 5 + length).filter(|range| range.end <= at.end);
            }
        });
        if let Some(raw) = name.and_then(|name| flight.raw(name)).filter(|raw| !raw.is_empty()) {
            let end = flight.raw_end(hello.end);
            let mut reading = Reading::of(self.name, Over::Tcp, "tls.hello", said.to.into(), said.at, flight.bytes(end));
            // What the client sent, about the server.
            (reading.authority, reading.asked) = (Authority::Belief, 1);
            reading.fact(format!("{}.server_name", self.name), Shape::Text, raw);
            out(Heard::Reading(reading));
        }
        self.client.flight = Flight::default();
    }

    /// The server's hello, and its certificate where that comes in clear.
    fn server(&mut self, said: &Said<'_>, out: &mut dyn FnMut(Heard)) {
        let flight = &self.server.flight;
        let Some((SERVER_HELLO, hello)) = flight.message(0) else {
            self.server.done = flight.is_over() || flight.message(0).is_some();
            return;
        };
        let bytes = flight.handshake();
        let _ = extensions(
            SERVER_HELLO,
            Cursor::new(TLS, bytes.get(..hello.end).unwrap_or_default()).from(hello.start),
            &mut |extension, at| {
                let choice = bytes.get(at).and_then(|choice| choice.get(3..));
                if extension == EXTENSION_PROTOCOL && choice.is_some_and(|choice| choice == b"h2" || choice.starts_with(b"http/1.")) {
                    self.name = HTTPS;
                }
            },
        );
        if !core::mem::replace(&mut self.server.spoke, true) {
            out(Heard::Present { protocol: self.name, role: Role::Server, speaker: said.speaker(), at: said.at });
            if self.client.spoke {
                out(Heard::Present { protocol: self.name, role: Role::Client, speaker: said.to.into(), at: said.at });
            }
        }
        let flight = &self.server.flight;
        match flight.first_certificate(hello.end, CERTIFICATE_MESSAGE) {
            Some(leaf) => {
                let raw = flight.bytes(flight.raw_end(leaf.end));
                let mut reading = Reading::of(self.name, Over::Tcp, CERTIFICATE, said.speaker(), said.at, raw);
                if let Err(malformed) = certificate::facts(&mut reading, flight, leaf) {
                    reading.broken(malformed);
                }
                if !reading.facts.is_empty() {
                    out(Heard::Reading(reading));
                }
                self.server.done = true;
            }
            None => self.server.done = flight.is_over(),
        }
        if self.server.done {
            self.server.flight = Flight::default();
        }
    }
}

/// Hands each extension of a hello to `each`: its number, and where it stands (RFC 8446, 4.1.2 and 4.1.3).
fn extensions(kind: u8, mut hello: Cursor<'_>, each: &mut dyn FnMut(u16, core::ops::Range<usize>)) -> Result<(), Malformed> {
    hello.take(2 + 32, "version and random")?;
    let session = hello.u8("session id")?;
    hello.take(usize::from(session), "session id")?;
    if kind == CLIENT_HELLO {
        let suites = hello.u16_be("cipher suites")?;
        hello.take(usize::from(suites), "cipher suites")?;
        let compressions = hello.u8("compression methods")?;
        hello.take(usize::from(compressions), "compression methods")?;
    } else {
        hello.take(3, "cipher suite and compression method")?;
    }
    let length = hello.u16_be("extensions")?;
    let end = hello.at() + usize::from(length);
    let mut list = hello.until(end);
    while !list.is_empty() {
        let (extension, length) = (list.u16_be("an extension")?, list.u16_be("an extension")?);
        each(extension, list.range(usize::from(length), "an extension")?);
    }
    Ok(())
}

#[cfg(test)]
mod tests;
