//! Niagara Fox: the hello in which a station says which build it runs and on what.
//!
//! Sources: no public specification; facts from captured hellos (github.com/ITI/ICS-Security-Tools pcaps/fox, CC-BY-4.0) and zmap/ztag's
//! field list (Apache-2.0). A hello is text: a line `fox a 0 -1 fox hello`, then `key=type:value` lines in braces, then `;;`.
//!
//! Only plain Fox is read; on 4911 it runs inside TLS as a rule.

use crate::conversation::{Conversation, Coverage, End, Heard, Likeness, Over, Protocol, Role, Said};
use crate::tcp::At;
use crate::{Address, Authority, Malformed, Reading, Shape};

/// Niagara Fox.
pub static PROTOCOL: Protocol = Protocol {
    name: NAME,
    carries: &[],
    tcp: &[1911, 4911, 3011, 5011],
    udp: &[],
    link: &[],
    likeness: |bytes, _| match bytes {
        [b'f', b'o', b'x', b' ', b'a'..=b'z', b' ', b'0'..=b'9' | b'-', ..] => Likeness::Certain,
        [b'f', b'o', b'x', b' ', b'a'..=b'z', rest @ ..] if b" ".starts_with(rest) => Likeness::Possible,
        _ if START.starts_with(bytes) => Likeness::Possible,
        _ => Likeness::No,
    },
    start: |_| Box::<Fox>::default(),
};

const NAME: &str = "fox";
const START: &[u8] = b"fox ";
const HELLO: &[u8] = b" fox hello";
const END: &[u8] = b";;\n";
/// A hello is about 700 bytes; the facts of a station stand in the first of them.
const HELLO_BYTES_MAX: usize = 16 << 10;
/// What a hello says of its sender.
const KEYS: [(&str, &str); 14] = [
    ("fox.version", "fox.version"),
    ("hostName", "fox.host_name"),
    ("hostAddress", "fox.host_address"),
    ("app.name", "fox.app.name"),
    ("app.version", "fox.app.version"),
    ("vm.name", "fox.vm.name"),
    ("vm.version", "fox.vm.version"),
    ("os.name", "fox.os.name"),
    ("os.version", "fox.os.version"),
    ("station.name", "fox.station.name"),
    ("hostId", "fox.host_id"),
    ("vmUuid", "fox.vm_uuid"),
    ("brandId", "fox.brand_id"),
    ("timeZone", "fox.time_zone"),
];

/// One connection: of each side its first message, which is its hello.
#[derive(Debug, Default)]
struct Fox {
    held: [Vec<u8>; 2],
    heard: [bool; 2],
    ends: [End; 2],
    coverage: Coverage,
}

impl Conversation for Fox {
    fn hear(&mut self, said: &Said<'_>, out: &mut dyn FnMut(Heard)) {
        let side = usize::from(said.by_server);
        self.ends[side] = *said.from;
        if self.heard[side] {
            return;
        }
        // The end may stand across two pieces; what was looked through before is not looked through again.
        let held = &mut self.held[side];
        let from = held.len().saturating_sub(END.len() - 1);
        held.extend_from_slice(said.bytes.get(..HELLO_BYTES_MAX.saturating_sub(held.len())).unwrap_or(said.bytes));
        let end = held.get(from..).and_then(|new| new.windows(END.len()).position(|bytes| bytes == END));
        if let Some(end) = end {
            held.truncate(from + end + END.len());
        }
        if end.is_some() || held.len() == HELLO_BYTES_MAX {
            self.hello(side, end.is_some(), said.at, out);
        }
    }

    fn lose(&mut self, by_server: bool, at: At, out: &mut dyn FnMut(Heard)) {
        let side = usize::from(by_server);
        if !self.heard[side] {
            self.hello(side, false, at, out);
        }
    }

    fn finish(&mut self, at: At, out: &mut dyn FnMut(Heard)) {
        self.lose(false, at, out);
        self.lose(true, at, out);
    }

    fn coverage(&self, each: &mut dyn FnMut(&'static str, Coverage)) {
        each(NAME, self.coverage);
    }
}

impl Fox {
    /// The first message of a side, whole or as far as it was heard.
    fn hello(&mut self, side: usize, whole: bool, at: At, out: &mut dyn FnMut(Heard)) {
        self.heard[side] = true;
        let bytes = core::mem::take(&mut self.held[side]);
        let first = bytes.iter().position(|byte| *byte == b'\n').map(|end| (end, bytes.get(..end).unwrap_or_default()));
        self.coverage.seen += u64::from(!bytes.is_empty());
        // The stream may be heard from its middle: no hello, and nothing of interest.
        let Some((line, first)) = first.filter(|(_, line)| line.starts_with(START)) else { return };
        self.coverage.decoded += 1;
        if !first.ends_with(HELLO) {
            return;
        }
        let speaker: Address = (&self.ends[side]).into();
        if side == 1 && self.heard[0] {
            for (role, end) in [(Role::Server, &self.ends[1]), (Role::Client, &self.ends[0])] {
                out(Heard::Present { protocol: NAME, role, speaker: end.into(), at });
            }
        }
        let mut reading = Reading::of(NAME, Over::Tcp, "fox.hello", speaker, at, &bytes);
        reading.authority = if side == 1 { Authority::Device } else { Authority::Client };
        if !whole {
            reading.broken(Malformed::short(NAME, bytes.len(), END.len(), 0, "a message ends with ;;"));
        }
        facts(&bytes, line + 1, &mut reading);
        out(Heard::Reading(reading));
    }
}

/// The lines from `start` on, up to the first value that is no text or number.
fn facts(bytes: &[u8], start: usize, reading: &mut Reading) {
    let mut at = start;
    while let Some(length) = bytes.get(at..).and_then(|rest| rest.iter().position(|byte| *byte == b'\n')) {
        let line = bytes.get(at..at + length).unwrap_or_default();
        let value = line.iter().position(|byte| *byte == b'=').and_then(|equals| line.split_at_checked(equals));
        if let Some((key, value)) = value {
            if !value.starts_with(b"=s:") && !value.starts_with(b"=i:") {
                return;
            }
            if let Some((_, path)) = KEYS.iter().find(|(known, _)| known.as_bytes() == key) {
                reading.fact(*path, Shape::Text, at + key.len() + 3..at + length);
            }
        }
        at += length + 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A station's hello (github.com/ITI/ICS-Security-Tools pcaps/fox/fox_info.pcap, frame 6), shortened.
    const STATION: &[u8] = b"fox a 0 -1 fox hello\n{\nfox.version=s:1.0\nid=i:2\napp.name=s:Station\napp.version=s:3.5.41.1\n\
        station.name=s:Legion_HQ_V4\nhostId=s:Qnx-NPM6-0000-1490-C30C\nsysInfo=o:bog 61[\nbrandId=s:no\n]\n};;\n";
    const WORKBENCH: &[u8] = b"fox a 1 -1 fox hello\n{\nfox.version=s:1.0\nid=i:1\napp.name=s:Workbench\napp.version=s:3.7.44\n};;\n";

    fn hear(pieces: &[(&[u8], bool)]) -> Vec<Heard> {
        let (mut fox, mut heard, end) = (Fox::default(), Vec::new(), End::default());
        for (bytes, by_server) in pieces {
            let said = Said { bytes, missing: 0, at: At::default(), from: &end, to: &end, by_server: *by_server };
            fox.hear(&said, &mut |event| heard.push(event));
        }
        fox.finish(At::default(), &mut |event| heard.push(event));
        heard
    }

    type Facts = Vec<(String, String)>;

    fn readings(pieces: &[(&[u8], bool)]) -> Vec<(Authority, bool, Facts)> {
        let reading = |heard| if let Heard::Reading(reading) = heard { Some(reading) } else { None };
        let facts = |reading: &Reading| {
            reading.facts.iter().map(|fact| (fact.path.clone(), String::from_utf8_lossy(&fact.bytes).into_owned())).collect()
        };
        hear(pieces).into_iter().filter_map(reading).map(|reading| (reading.authority, reading.complete, facts(&reading))).collect()
    }

    #[test]
    fn a_station_says_which_build_it_runs() {
        let expected = [
            ("fox.version", "1.0"),
            ("fox.app.name", "Station"),
            ("fox.app.version", "3.5.41.1"),
            ("fox.station.name", "Legion_HQ_V4"),
            ("fox.host_id", "Qnx-NPM6-0000-1490-C30C"),
        ];
        let expected = expected.map(|(path, value)| (path.to_owned(), value.to_owned())).to_vec();
        for cut in 0..=STATION.len() {
            let (one, two) = STATION.split_at(cut);
            assert_eq!(readings(&[(one, true), (two, true)]), [(Authority::Device, true, expected.clone())], "in two at {cut}");
            for (_, complete, facts) in readings(&[(one, true)]) {
                assert!(complete == (cut == STATION.len()) && facts.iter().all(|fact| expected.contains(fact)), "cut after {cut}");
            }
        }
    }

    #[test]
    fn a_workbench_is_a_client() {
        let heard = hear(&[(WORKBENCH, false), (STATION, true), (b"fox a 2 1 fox ok\n{};;\n", true)]);
        let roles: Vec<_> =
            heard.iter().filter_map(|heard| if let Heard::Present { role, .. } = heard { Some(*role) } else { None }).collect();
        assert_eq!(roles, [Role::Server, Role::Client]);
        let whose: Vec<_> = readings(&[(WORKBENCH, false), (STATION, true)]).into_iter().map(|(whose, ..)| whose).collect();
        assert_eq!(whose, [Authority::Client, Authority::Device]);
        assert_eq!(readings(&[(b"{\napp.version=s:1\n};;\n", true)]), [], "from its middle");
    }

    #[test]
    fn what_starts_otherwise_is_none() {
        let likeness = |bytes: &[u8]| (PROTOCOL.likeness)(bytes, Over::Tcp);
        assert_eq!(likeness(STATION), Likeness::Certain);
        assert_eq!(likeness(b"fo"), Likeness::Possible);
        for other in [&b"foxy"[..], b"fox 1", b"fox jumps", b"FOX a", b"GET / HTTP/1.1", b"\x16\x03\x01"] {
            assert_eq!(likeness(other), Likeness::No, "{other:?}");
        }
    }
}
