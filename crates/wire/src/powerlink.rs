//! Ethernet POWERLINK: who is on the segment, and what each node says it is when the managing node asks (IdentResponse).
//!
//! Source: EPSG DS 301 V1.3.0 (2016), 4.6 (frames), 7.3.3.2 (IdentResponse). Numbers have their lower byte first.

use crate::conversation::{Conversation, Coverage, Heard, Kind, Likeness, Over, Protocol, Role, Said};
use crate::repeats::Repeats;
use crate::{Address, Malformed, Reading, Shape};

/// The protocol's name in claims and readings.
pub const NAME: &str = "powerlink";
const ETHERTYPE: u16 = 0x88ab;

/// Frames of one node.
pub static PROTOCOL: Protocol = Protocol {
    name: NAME,
    carries: &[],
    tcp: &[],
    udp: &[],
    link: &[Kind::Ethertype(ETHERTYPE)],
    likeness: |bytes, _| match bytes {
        [SOC, BROADCAST, MANAGING_NODE, ..] | [SOA, BROADCAST, MANAGING_NODE, ..] => Likeness::Possible,
        [ASND, _, 1..=0xff, IDENT_RESPONSE..=SDO, ..] => Likeness::Possible,
        _ => Likeness::No,
    },
    start: |over| Box::new(Node { over, repeats: Repeats::default(), met: false, coverage: Coverage::default() }),
};

/// Message types (4.6.1.1.1): start of cycle, poll request and response, start of asynchronous, asynchronous send, and the two of
/// managing nodes in a redundant segment.
const SOC: u8 = 1;
const POLL_REQUEST: u8 = 3;
const POLL_RESPONSE: u8 = 4;
const SOA: u8 = 5;
const ASND: u8 = 6;
const REDUNDANT: [u8; 2] = [7, 0x0d];
/// Node ids (4.5): the managing node, and all.
const MANAGING_NODE: u8 = 240;
const BROADCAST: u8 = 255;
/// What an asynchronous frame is (4.6.1.1.6).
const IDENT_RESPONSE: u8 = 1;
const SDO: u8 = 5;

/// Bytes in front of what an asynchronous frame carries: its type, the two nodes, its service.
const HEADER_BYTES: usize = 4;
/// Fields of an IdentResponse (table of 7.3.3.2.1), from the byte behind the service.
const FIELDS: [(&str, Shape, usize, usize); 12] = [
    ("powerlink.version", Shape::Hex, 4, 1),
    ("powerlink.device", Shape::HexLe, 22, 4),
    ("powerlink.vendor", Shape::HexLe, 26, 4),
    ("powerlink.product", Shape::HexLe, 30, 4),
    ("powerlink.revision", Shape::HexLe, 34, 4),
    ("powerlink.serial", Shape::NumberLe, 38, 4),
    ("powerlink.configuration.date", Shape::NumberLe, 50, 4),
    ("powerlink.application.date", Shape::NumberLe, 58, 4),
    ("powerlink.application.time", Shape::NumberLe, 62, 4),
    ("powerlink.ip.address", Shape::Ip, 66, 4),
    ("powerlink.ip.mask", Shape::Ip, 70, 4),
    ("powerlink.ip.gateway", Shape::Ip, 74, 4),
];
const NAME_START: usize = 78;
const NAME_BYTES: usize = 32;

/// One node's frames.
#[derive(Debug)]
struct Node {
    over: Over,
    repeats: Repeats,
    met: bool,
    coverage: Coverage,
}

impl Conversation for Node {
    fn hear(&mut self, said: &Said<'_>, out: &mut dyn FnMut(Heard)) {
        self.coverage.seen += 1;
        let &[kind, _, source, ref rest @ ..] = said.bytes else { return };
        if ![SOC, POLL_REQUEST, POLL_RESPONSE, SOA, ASND].contains(&kind) && !REDUNDANT.contains(&kind) {
            return;
        }
        self.coverage.decoded += 1;
        let speaker = || Address { unit: Some(source), ..said.speaker() };
        // A poll response answers a poll; whoever starts cycles is the managing node.
        let role = match kind {
            SOC | POLL_REQUEST | SOA => Some(Role::Client),
            POLL_RESPONSE => Some(Role::Server),
            ASND if rest.first() == Some(&IDENT_RESPONSE) => Some(Role::Server),
            _ => None,
        };
        if let Some(role) = role.filter(|_| !self.met) {
            self.met = true;
            out(Heard::Present { protocol: NAME, role, speaker: speaker(), at: said.at });
        }
        if kind == ASND && rest.first() == Some(&IDENT_RESPONSE) && self.repeats.is_new(said.bytes) {
            let reading = ident_response(self.over, speaker(), said);
            if !reading.facts.is_empty() {
                out(Heard::Reading(reading));
            }
        }
    }

    fn coverage(&self, each: &mut dyn FnMut(&'static str, Coverage)) {
        each(NAME, self.coverage);
    }
}

fn ident_response(over: Over, speaker: Address, said: &Said<'_>) -> Reading {
    let mut reading = Reading::of(NAME, over, "powerlink.ident", speaker, said.at, said.bytes);
    for (path, shape, start, length) in FIELDS {
        reading.fact(path, shape, HEADER_BYTES + start..HEADER_BYTES + start + length);
    }
    let start = HEADER_BYTES + NAME_START;
    match said.bytes.get(start..start + NAME_BYTES) {
        // NULs behind the name are padding; no name is no fact.
        Some(name) => {
            let length = name.iter().position(|byte| *byte == 0).unwrap_or(name.len());
            if length > 0 {
                reading.fact("powerlink.name", Shape::Text, start..start + length);
            }
        }
        None if said.missing > 0 => reading.complete = false,
        None => {
            let had = said.bytes.len();
            reading.broken(Malformed::short(NAME, had, start + NAME_BYTES - had, 0, "an IdentResponse (EPSG DS 301, 7.3.3.2.1)"));
        }
    }
    reading
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::conversation::End;
    use crate::tcp::At;

    /// An IdentResponse of node 3 by the table of 7.3.3.2.1: each field with a value of its own.
    fn response(name: &[u8]) -> Vec<u8> {
        let mut bytes = vec![ASND, BROADCAST, 3, IDENT_RESPONSE];
        bytes.extend([0, 0, 0x1d, 0, 0x20, 0]);
        bytes.extend([0x45, 0x82, 0, 0]);
        bytes.extend([0xdc, 0x05, 36, 0, 36, 0, 0x10, 0x27, 0, 0, 0, 0]);
        bytes.extend([0x91, 0x01, 0x0f, 0]);
        bytes.extend([0x00, 0x01, 0x00, 0x00]);
        bytes.extend([0x4e, 0x12, 0, 0]);
        bytes.extend([0x03, 0x00, 0x01, 0x00]);
        bytes.extend([0x15, 0xcd, 0x5b, 0x07]);
        bytes.extend([0xee; 8]);
        bytes.extend([1, 0x36, 0, 0, 2, 0, 0, 0, 3, 0x36, 0, 0, 4, 0, 0, 0]);
        bytes.extend([192, 168, 100, 3, 255, 255, 255, 0, 192, 168, 100, 254]);
        bytes.extend(name);
        bytes.extend(vec![0; NAME_BYTES - name.len()]);
        bytes.extend([0xdd; 48]);
        bytes
    }

    fn hear(frames: &[(&[u8], usize)]) -> (Vec<Heard>, Coverage) {
        let (mut heard, mut coverage) = (vec![], Coverage::default());
        let mut node = (PROTOCOL.start)(Over::Link(Kind::Ethertype(ETHERTYPE)));
        let (from, to, at) = (&End::default(), &End::default(), At::default());
        for (bytes, missing) in frames {
            node.hear(&Said { bytes, missing: *missing, at, from, to, by_server: true }, &mut |event| heard.push(event));
        }
        node.coverage(&mut |_, counted| coverage = counted);
        (heard, coverage)
    }

    fn readings(heard: &[Heard]) -> Vec<&Reading> {
        heard.iter().filter_map(|heard| if let Heard::Reading(reading) = heard { Some(reading) } else { None }).collect()
    }

    fn facts(heard: &[Heard]) -> Vec<(String, String)> {
        let facts = readings(heard).into_iter().flat_map(|reading| &reading.facts);
        facts.map(|fact| (fact.path.clone(), fact.bytes.escape_ascii().to_string())).collect()
    }

    #[test]
    fn a_node_says_what_it_is_and_every_cut_says_less() {
        let bytes = response(b"axis-3");
        let expected = [
            ("powerlink.version", " "),
            ("powerlink.device", "\\x91\\x01\\x0f\\x00"),
            ("powerlink.vendor", "\\x00\\x01\\x00\\x00"),
            ("powerlink.product", "N\\x12\\x00\\x00"),
            ("powerlink.revision", "\\x03\\x00\\x01\\x00"),
            ("powerlink.serial", "\\x15\\xcd[\\x07"),
            ("powerlink.configuration.date", "\\x016\\x00\\x00"),
            ("powerlink.application.date", "\\x036\\x00\\x00"),
            ("powerlink.application.time", "\\x04\\x00\\x00\\x00"),
            ("powerlink.ip.address", "\\xc0\\xa8d\\x03"),
            ("powerlink.ip.mask", "\\xff\\xff\\xff\\x00"),
            ("powerlink.ip.gateway", "\\xc0\\xa8d\\xfe"),
            ("powerlink.name", "axis-3"),
        ];
        let (heard, _) = hear(&[(&bytes, 0)]);
        let found = facts(&heard);
        assert_eq!(found.iter().map(|(path, value)| (path.as_str(), value.as_str())).collect::<Vec<_>>(), expected);
        assert!(readings(&heard).iter().all(|reading| reading.complete && reading.speaker.unit == Some(3)));
        for end in 0..bytes.len() {
            for missing in [0, bytes.len() - end] {
                let (heard, _) = hear(&[(&bytes[..end], missing)]);
                for fact in facts(&heard) {
                    assert!(expected.contains(&(&fact.0, &fact.1)), "cut after {end} bytes: {fact:?}");
                }
                let whole = end >= HEADER_BYTES + NAME_START + NAME_BYTES;
                assert!(readings(&heard).iter().all(|reading| reading.complete == whole), "cut after {end} bytes");
            }
        }
        assert!(!facts(&hear(&[(&response(b""), 0)]).0).iter().any(|(path, _)| path == "powerlink.name"), "a node without a name");
    }

    #[test]
    fn cycles_show_the_nodes_once_and_are_counted() {
        let roles = |frames: &[&[u8]]| {
            let (heard, coverage) = hear(&frames.iter().map(|bytes| (*bytes, 0)).collect::<Vec<_>>());
            let role = |heard: &Heard| if let Heard::Present { role, speaker, .. } = heard { Some((*role, speaker.unit)) } else { None };
            (heard.iter().filter_map(role).collect::<Vec<_>>(), coverage)
        };
        let cycle: &[u8] = &[SOC, BROADCAST, MANAGING_NODE, 0, 0, 0];
        let counted = |seen, decoded| Coverage { seen, decoded };
        assert_eq!(roles(&[cycle, cycle]), (vec![(Role::Client, Some(MANAGING_NODE))], counted(2, 2)));
        assert_eq!(roles(&[&[POLL_RESPONSE, BROADCAST, 3, 0]]), (vec![(Role::Server, Some(3))], counted(1, 1)));
        assert_eq!(roles(&[&[ASND, BROADCAST, 3, 2, 0], &[7, 0, 0], &[2, 0, 0, 0], &[1]]), (vec![], counted(4, 2)));
        let bytes = response(b"axis-3");
        assert_eq!(readings(&hear(&[(&bytes, 0), (&bytes, 0)]).0).len(), 1, "told once");
    }

    #[test]
    fn only_its_first_bytes_look_like_it() {
        let likeness = |bytes: &[u8]| (PROTOCOL.likeness)(bytes, Over::Link(Kind::Ethertype(ETHERTYPE)));
        for own in [&response(b"")[..], &[SOC, BROADCAST, MANAGING_NODE, 0], &[SOA, BROADCAST, MANAGING_NODE, 0]] {
            assert_eq!(likeness(own), Likeness::Possible);
        }
        for other in [&[][..], &[SOC], &[0x45, 0, 0, 40], &[ASND, BROADCAST, 0, 1], &[ASND, BROADCAST, 3, 99]] {
            assert_eq!(likeness(other), Likeness::No, "{other:x?}");
        }
    }
}
