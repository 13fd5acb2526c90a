//! Multicast DNS and service discovery: what a host calls itself and its services.
//!
//! Sources: RFC 1035 clauses 3.1, 4.1 (messages, names, pointers), 3.3.2 (HINFO); RFC 2782 (SRV); RFC 6762 clause 18 (header); RFC 6763
//! clauses 4.1 (instance, service, domain) and 6 (TXT: key=value).
//!
//! A record speaks for its sender only: a message whose addresses are all somebody else's is what a proxy or a reflector believes. Known
//! answers in a question are others', and are not read.

use core::net::IpAddr;
use core::ops::Range;

use crate::conversation::{Conversation, Coverage, Heard, Likeness, Over, Protocol, Role, Said};
use crate::told::Told;
use crate::{Address, Authority, Cursor, Malformed, Reading, Shape};

/// Multicast DNS.
pub static PROTOCOL: Protocol = Protocol {
    name: NAME,
    carries: &[],
    tcp: &[],
    udp: &[5353],
    link: &[],
    likeness: |bytes, _| match bytes {
        // Operation and result are 0 (RFC 6762, 18.3 and 18.11), and there is a record of some kind.
        [_, _, flags, result, counts @ ..] if flags & 0x78 == 0 && result & 0x0f == 0 => match counts.get(..8) {
            Some(counts) if counts.iter().all(|count| *count == 0) => Likeness::No,
            _ => Likeness::Possible,
        },
        _ => Likeness::No,
    },
    start: |_| Box::new(Segment::default()),
};

const NAME: &str = "mdns";
const ANSWER: u8 = 0x80;
/// Records of a message that are read: an announcement of all services of a host has some thirty.
const RECORDS_MAX: u16 = 128;
/// Labels of a name; service names have five, reverse names of IPv6 34 (RFC 1035: 127 fit).
const LABELS_MAX: usize = 40;
/// Letters of a key that becomes a part of a fact's name; RFC 6763, 6.4 recommends nine.
const KEY_BYTES_MAX: usize = 32;

#[derive(Debug, Default)]
struct Segment {
    told: Told,
    coverage: Coverage,
}

impl Conversation for Segment {
    fn hear(&mut self, said: &Said<'_>, out: &mut dyn FnMut(Heard)) {
        self.coverage.seen += 1;
        let Some([flags, _, counts @ ..]) = said.bytes.get(2..12) else {
            let malformed = Malformed::short(NAME, 0, 12, said.bytes.len(), "a header (RFC 1035, 4.1.1)");
            return out(Heard::Malformed { speaker: said.speaker(), at: said.at, malformed });
        };
        self.coverage.decoded += 1;
        let role = if flags & ANSWER == 0 { Role::Client } else { Role::Publisher };
        // The same is announced again and again, with another number at most.
        if !self.told.is_new((said.from.ip, said.bytes.get(2..))) {
            return;
        }
        if self.told.is_new((said.from.ip, role)) {
            out(Heard::Present { protocol: NAME, role, speaker: said.speaker(), at: said.at });
        }
        if role == Role::Publisher {
            let counts: Vec<u16> = counts.chunks_exact(2).map(|count| u16::from_be_bytes([count[0], count[1]])).collect();
            let reading = announcement(said, &counts);
            if !reading.facts.is_empty() && self.told.is_news(&reading) {
                out(Heard::Reading(reading));
            }
        }
    }

    fn coverage(&self, each: &mut dyn FnMut(&'static str, Coverage)) {
        each(NAME, self.coverage);
    }
}

fn announcement(said: &Said<'_>, counts: &[u16]) -> Reading {
    let mut reading = Reading::of(NAME, Over::Udp, "mdns.announcement", said.speaker(), said.at, said.bytes);
    let mut cursor = Cursor::new(NAME, said.bytes).from(12);
    let mut addresses = Vec::new();
    let [questions, records @ ..] = counts else { return reading };
    let records = records.iter().fold(0_u16, |sum, count| sum.saturating_add(*count));
    let walked = (0..(*questions).min(RECORDS_MAX)).try_for_each(|_| question(&mut cursor));
    let walked =
        walked.and_then(|()| (0..records.min(RECORDS_MAX)).try_for_each(|_| record(&mut cursor, said.bytes, &mut reading, &mut addresses)));
    if let Err(malformed) = walked {
        reading.broken(malformed);
    }
    // All addresses are somebody else's.
    let of_kind = |ip: &&IpAddr| said.from.ip.is_some_and(|from| from.is_ipv4() == ip.is_ipv4());
    if let Some(other) = addresses.iter().find(of_kind).filter(|_| !addresses.iter().any(|ip| Some(*ip) == said.from.ip)) {
        reading.authority = Authority::Belief;
        reading.speaker = Address { ip: Some(*other), ..Address::default() };
    }
    reading
}

fn question(cursor: &mut Cursor<'_>) -> Result<(), Malformed> {
    skip_name(cursor)?;
    cursor.take(4, "type and class (RFC 1035, 4.1.2)").map(drop)
}

/// Passes over a name: labels up to an empty one or a pointer.
fn skip_name(cursor: &mut Cursor<'_>) -> Result<(), Malformed> {
    loop {
        match cursor.u8("a name (RFC 1035, 3.1)")? {
            0 => return Ok(()),
            0xc0.. => return cursor.u8("a pointer (RFC 1035, 4.1.4)").map(drop),
            length @ ..=63 => drop(cursor.take(usize::from(length), "a label (RFC 1035, 3.1)")?),
            _ => return Err(cursor.wrong("a label has at most 63 bytes (RFC 1035, 3.1)")),
        }
    }
}

/// Where the labels of the name at `at` stand, pointers followed: each points to before the name it ends, so that none goes round.
fn labels(bytes: &[u8], at: usize) -> Vec<Range<usize>> {
    let (mut found, mut at, mut limit) = (Vec::new(), at, at);
    while let Some(&length) = bytes.get(at).filter(|_| found.len() < LABELS_MAX) {
        match (length, bytes.get(at + 1)) {
            (1..=63, _) => {
                let label = at + 1..at + 1 + usize::from(length);
                at = label.end;
                found.push(label);
            }
            (0xc0.., Some(low)) => {
                let to = usize::from(u16::from_be_bytes([length & 0x3f, *low]));
                if to >= limit {
                    return Vec::new();
                }
                (at, limit) = (to, to);
            }
            _ => break,
        }
    }
    found
}

fn record(cursor: &mut Cursor<'_>, bytes: &[u8], reading: &mut Reading, addresses: &mut Vec<IpAddr>) -> Result<(), Malformed> {
    let owner = cursor.at();
    skip_name(cursor)?;
    let kind = cursor.u16_be("type (RFC 1035, 4.1.3)")?;
    cursor.take(6, "class and time to live (RFC 1035, 4.1.3)")?;
    let length = cursor.u16_be("length of the record (RFC 1035, 4.1.3)")?;
    let at = cursor.range(usize::from(length), "the record (RFC 1035, 4.1.3)")?;
    let value = bytes.get(at.clone()).unwrap_or_default();
    let host =
        |reading: &mut Reading, name: usize| labels(bytes, name).first().into_iter().for_each(|label| fact(reading, "mdns.host", label));
    match kind {
        1 if value.len() == 4 => {
            addresses.extend(<[u8; 4]>::try_from(value).map(IpAddr::from));
            host(reading, owner);
        }
        28 if value.len() == 16 => {
            addresses.extend(<[u8; 16]>::try_from(value).map(IpAddr::from));
            host(reading, owner);
        }
        12 => pointer(reading, bytes, owner, at.start),
        13 => {
            let mut strings = strings(value, at.start).into_iter();
            strings.next().into_iter().for_each(|cpu| fact(reading, "mdns.hinfo.cpu", &cpu));
            strings.next().into_iter().for_each(|os| fact(reading, "mdns.hinfo.os", &os));
        }
        16 => {
            service(reading, bytes, &labels(bytes, owner));
            strings(value, at.start).iter().for_each(|string| key_value(reading, bytes, string));
        }
        33 if value.len() > 6 => {
            service(reading, bytes, &labels(bytes, owner));
            host(reading, at.start + 6);
        }
        _ => {}
    }
    Ok(())
}

/// A service has an instance, all services have a service, an address has a host.
fn pointer(reading: &mut Reading, bytes: &[u8], owner: usize, to: usize) {
    let (owner, to) = (labels(bytes, owner), labels(bytes, to));
    let is_reverse = owner.iter().any(|label| bytes.get(label.clone()) == Some(b"arpa"));
    match to.first() {
        Some(host) if is_reverse => fact(reading, "mdns.host", host),
        _ => service(reading, bytes, &to),
    }
}

/// Instance and service of a name such as `Line 4._http._tcp.local`.
fn service(reading: &mut Reading, bytes: &[u8], name: &[Range<usize>]) {
    let underscore = |label: &Range<usize>| bytes.get(label.start) == Some(&b'_');
    let Some(first) = name.iter().position(underscore) else { return };
    if let [.., instance] = &name[..first] {
        fact(reading, "mdns.instance", instance);
    }
    // Both labels in one piece, as they are unless a pointer stands between them.
    if let Some([kind, transport]) = name.get(first..first + 2).filter(|pair| underscore(&pair[1]) && pair[0].end + 1 == pair[1].start) {
        let range = kind.start - 1..transport.end;
        if !reading.facts.iter().any(|fact| fact.path == "mdns.service" && bytes.get(range.clone()) == Some(&fact.bytes)) {
            reading.fact("mdns.service", Shape::Labels, range);
        }
    }
}

/// Where the strings of a record stand, each behind its length.
fn strings(value: &[u8], start: usize) -> Vec<Range<usize>> {
    let (mut found, mut at) = (Vec::new(), 0);
    while let Some(&length) = value.get(at) {
        let end = at + 1 + usize::from(length);
        if end > value.len() {
            break;
        }
        found.push(start + at + 1..start + end);
        at = end;
    }
    found
}

fn key_value(reading: &mut Reading, bytes: &[u8], string: &Range<usize>) {
    let text = bytes.get(string.clone()).unwrap_or_default();
    let Some(equals) = text.iter().position(|byte| *byte == b'=').filter(|equals| (1..=KEY_BYTES_MAX).contains(equals)) else { return };
    let key = text.get(..equals).and_then(|key| core::str::from_utf8(key).ok()).map(str::to_ascii_lowercase).unwrap_or_default();
    let is_key = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.');
    if !key.is_empty() && key.chars().all(is_key) {
        fact(reading, &format!("mdns.txt.{key}"), &(string.start + equals + 1..string.end));
    }
}

/// A text that is not empty, once.
fn fact(reading: &mut Reading, path: &str, at: &Range<usize>) {
    let bytes = reading.messages.first().and_then(|message| message.bytes.get(at.clone())).unwrap_or_default();
    if !bytes.is_empty() && !reading.facts.iter().any(|fact| fact.path == path && fact.bytes == bytes) {
        reading.fact(path, Shape::Text, at.clone());
    }
}

#[cfg(test)]
mod tests;
