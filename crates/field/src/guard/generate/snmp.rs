//! SNMP v1 and v2c.

use super::{Granted, Maker, Random, Writer};
use crate::guard::{Endpoint, Limits, Permit, Secret, Snmp};

/// The way of v1 and v2c.
pub static MAKER: Maker = Maker {
    protocol: "snmp",
    cells: &[
        "set",
        "other pdu",
        "version",
        "community",
        "error fields",
        "other object",
        "objects not granted",
        "walk",
        "column",
        "row",
        "repetitions",
        "entities not granted",
        "too many objects",
        "value",
        "length",
        "long length",
        "bytes behind the message",
        "system twice",
    ],
    start: |random, cell| {
        let v1 = !["objects not granted", "repetitions"].contains(&cell) && random.one_in(3);
        let count = if v1 || cell == "objects not granted" { 0 } else { random.below(25) };
        let objects: Vec<Vec<u8>> = (0..count).map(|_| object(random)).collect();
        let needs_rows = ["column", "row", "repetitions", "request too many", "pipelined"].contains(&cell);
        let entities = cell != "entities not granted" && (needs_rows || random.one_in(2));
        let letters = 1 + random.below(20);
        let community: Vec<u8> = (0..letters).map(|_| b'a' + random.below(26) as u8).collect();
        let asked = Snmp { v1, community: Secret::new(community), objects, entities };
        let grant = asked.grant()?;
        let limits = Limits::of(&grant);
        // 192.0.2.0/24 is for documentation (RFC 5737): nobody is there.
        let permit = Permit::new(Endpoint::Udp(([192, 0, 2, 1], 161).into()), grant, "generated", limits)?;
        Ok((permit, Granted::Snmp(asked.clone()), Box::new(Datagrams { asked, system: false, lists: 0, rows: 0 })))
    },
};

const GET: u8 = 0xa0;
const GET_NEXT: u8 = 0xa1;
const GET_BULK: u8 = 0xa5;
pub(super) const SYSTEM: [&[u8]; 4] =
    [&[0x2b, 6, 1, 2, 1, 1, 1, 0], &[0x2b, 6, 1, 2, 1, 1, 2, 0], &[0x2b, 6, 1, 2, 1, 1, 3, 0], &[0x2b, 6, 1, 2, 1, 1, 5, 0]];
pub(super) const ENTRY: [u8; 10] = [0x2b, 6, 1, 2, 1, 47, 1, 1, 1, 1];
pub(super) const COLUMNS: [u8; 9] = [2, 5, 7, 8, 9, 10, 11, 12, 13];
/// mib-2, interfaces, ifTable, ipRouteTable, the bridge's table, hrSWRunTable, a maker's tree, the community table.
pub(super) const WALKS: [&[u8]; 8] = [
    &[0x2b],
    &[0x2b, 6, 1, 2, 1],
    &[0x2b, 6, 1, 2, 1, 2, 2],
    &[0x2b, 6, 1, 2, 1, 4, 21],
    &[0x2b, 6, 1, 2, 1, 17, 4, 3],
    &[0x2b, 6, 1, 2, 1, 25, 4, 2],
    &[0x2b, 6, 1, 4, 1, 9],
    &[0x2b, 6, 1, 6, 3, 18, 1, 1],
];

struct Datagrams {
    asked: Snmp,
    system: bool,
    lists: usize,
    rows: u8,
}

/// What a message is made of.
struct Parts {
    version: u8,
    community: Vec<u8>,
    tag: u8,
    second: u8,
    third: u8,
    names: Vec<Vec<u8>>,
    value: Vec<u8>,
}

impl Writer for Datagrams {
    fn allowed(&mut self, random: &mut Random) -> Option<Vec<u8>> {
        let lists = self.asked.objects.len().div_ceil(10);
        let parts = match random.below(3) {
            0 if !self.system => self.system(),
            1 if self.lists < lists => self.list(),
            _ if self.asked.entities && self.rows < 16 => self.rows(random),
            _ if !self.system => self.system(),
            _ if self.lists < lists => self.list(),
            _ => return None,
        };
        Some(parts.write(random))
    }

    fn before(&mut self, random: &mut Random, cell: &str) -> Option<Vec<u8>> {
        (cell == "system twice" && !self.system).then(|| self.system().write(random))
    }

    fn forbidden(&mut self, random: &mut Random, cell: &str) -> Vec<u8> {
        let any = self.any(random);
        match cell {
            "set" => Parts { tag: 0xa3, value: vec![0x04, 0x01, random.byte()], ..any },
            "other pdu" => Parts { tag: random.other_than(&[GET, GET_NEXT, GET_BULK]), ..any },
            "version" => Parts { version: random.other_than(&[any.version]), ..any },
            "community" => Parts { community: self.other_community(random), ..any },
            "error fields" if any.tag == GET_BULK => Parts { second: 1 + random.below(127) as u8, ..any },
            "error fields" if random.one_in(2) => Parts { second: 1 + random.below(127) as u8, ..any },
            "error fields" => Parts { third: 1 + random.below(127) as u8, ..any.but_get() },
            "other object" | "objects not granted" => self.other_object(random),
            "walk" => self.walk(random),
            "column" => self.other_column(random),
            "row" => self.other_row(random),
            "repetitions" => Parts { third: 11 + random.below(117) as u8, ..self.rows(random) },
            "entities not granted" => self.rows(random),
            "too many objects" => Parts { names: (0..11 + random.below(20)).map(|_| object(random)).collect(), ..any.but_get() },
            "value" => Parts { value: vec![0x02, 0x01, random.byte()], ..any },
            "system twice" if self.system => self.system(),
            behind_or_length => return self.mangled(random, behind_or_length),
        }
        .write(random)
    }
}

impl Datagrams {
    fn parts(&self, tag: u8, names: Vec<Vec<u8>>) -> Parts {
        let (version, community) = (u8::from(!self.asked.v1), self.asked.community.bytes().to_vec());
        Parts { version, community, tag, second: 0, third: if tag == GET_BULK { 4 } else { 0 }, names, value: vec![0x05, 0x00] }
    }

    fn system(&mut self) -> Parts {
        self.system = true;
        self.parts(GET, SYSTEM.iter().map(|name| name.to_vec()).collect())
    }

    fn list(&mut self) -> Parts {
        let names = self.asked.objects.chunks(10).nth(self.lists).unwrap_or_default().to_vec();
        self.lists += 1;
        self.parts(GET, names)
    }

    fn rows(&mut self, random: &mut Random) -> Parts {
        self.rows = self.rows.saturating_add(1);
        let row = if random.one_in(4) { Vec::new() } else { number(random.next() as u32 >> random.below(32) >> 1) };
        self.parts(
            if self.asked.v1 { GET_NEXT } else { GET_BULK },
            COLUMNS.iter().map(|column| [&ENTRY[..], &[*column], &row].concat()).collect(),
        )
    }

    fn any(&mut self, random: &mut Random) -> Parts {
        if self.asked.entities && random.one_in(2) { self.rows(random) } else { self.system() }
    }

    fn other_community(&self, random: &mut Random) -> Vec<u8> {
        let mut other = self.asked.community.bytes().to_vec();
        let at = random.below(other.len());
        match random.below(3) {
            0 => other.truncate(at),
            1 => other.push(random.byte()),
            _ => other[at] ^= random.change().to_be_bytes()[1].max(1),
        }
        other
    }

    /// A GET of objects of which one at least is not what was granted.
    fn other_object(&mut self, random: &mut Random) -> Parts {
        let list = !self.asked.objects.is_empty() && random.one_in(2);
        let mut parts = if list { self.list().but_get() } else { self.system() };
        if parts.names.is_empty() {
            parts.names = SYSTEM.iter().map(|name| name.to_vec()).collect();
        }
        let at = random.below(parts.names.len());
        match random.below(3) {
            0 => parts.names[at] = [&[0x2b, 6, 1, 4, 1, 0xce, 0x0f][..], &number(random.next() as u32)].concat(),
            1 => {
                parts.names.insert(at, [&[0x2b, 6, 1, 4, 1, 0xce, 0x0f, 7][..], &number(random.next() as u32)].concat());
            }
            _ => {
                // The last number of one of them.
                if let Some(last) = parts.names[at].last_mut() {
                    *last = random.other_than(&[*last]) & 0x7f | 0x40;
                }
                parts.names[at].push(1);
            }
        }
        parts
    }

    fn walk(&self, random: &mut Random) -> Parts {
        let count = 1 + random.below(4);
        let names = (0..count).map(|_| WALKS[random.below(WALKS.len())].to_vec()).collect();
        let tag = if random.one_in(2) { GET_NEXT } else { GET_BULK };
        self.parts(tag, names)
    }

    /// A column that is none of those that say what a part is, or none of that table.
    fn other_column(&mut self, random: &mut Random) -> Parts {
        let mut parts = self.rows(random);
        let at = random.below(parts.names.len());
        let name = &mut parts.names[at];
        if random.one_in(3) {
            let which = 3 + random.below(7);
            name[which] = random.other_than(&[name[which]]) & 0x7f ^ u8::from(which == 5) << 6;
            if name.starts_with(&ENTRY) {
                name[9] = 2;
            }
        } else {
            name[10] = random.other_than(&[2, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13]) & 0x7f | 0x10;
        }
        parts
    }

    /// A row that is more than one number, or none that ends.
    fn other_row(&mut self, random: &mut Random) -> Parts {
        let mut parts = self.rows(random);
        let tail: &[u8] =
            [&[1_u8, 1][..], &[0x81], &[0x7f, 0x81], &[0x81, 0x80, 0x80, 0x80, 0x80, 0], &[0x9f, 0xff, 0xff, 0xff, 0x7f]][random.below(5)];
        for name in &mut parts.names {
            name.truncate(11);
            name.extend_from_slice(tail);
        }
        parts
    }

    /// A message that may leave, but for its lengths.
    fn mangled(&mut self, random: &mut Random, cell: &str) -> Vec<u8> {
        let mut bytes = self.any(random).write(random);
        match cell {
            "bytes behind the message" => {
                // Outside of it: one more datagram's worth would be another message, so it stands inside the outer length.
                bytes.extend([0x05, 0x00]);
                let inside = bytes.split_off(if bytes[1] < 0x80 { 2 } else { 3 });
                return element(0x30, &inside);
            }
            "long length" => {
                let (head, at) = if bytes[1] < 0x80 { (vec![0x30, 0x81, bytes[1]], 2) } else { (vec![0x30, 0x82, 0, bytes[2]], 3) };
                bytes.splice(..at, head);
            }
            _ => {
                let at = if bytes[1] < 0x80 { 1 } else { 2 };
                bytes[at] ^= random.change().to_be_bytes()[1].max(1);
            }
        }
        bytes
    }
}

impl Parts {
    /// The same as a GET.
    fn but_get(self) -> Self {
        Self { tag: GET, second: 0, third: 0, ..self }
    }

    fn write(&self, random: &mut Random) -> Vec<u8> {
        let binding = |name: &Vec<u8>| element(0x30, &[element(0x06, name), self.value.clone()].concat());
        let bindings: Vec<u8> = self.names.iter().flat_map(binding).collect();
        let id = [0x40 | random.byte() & 0x3f, random.byte(), random.byte(), random.byte()];
        let fields = [&[2, 4][..], &id, &[2, 1, self.second, 2, 1, self.third]].concat();
        let pdu = element(self.tag, &[fields, element(0x30, &bindings)].concat());
        element(0x30, &[vec![2, 1, self.version], element(0x04, &self.community), pdu].concat())
    }
}

/// X.690, 8.1.
pub(super) fn element(tag: u8, content: &[u8]) -> Vec<u8> {
    let [upper, lower] = (content.len() as u16).to_be_bytes();
    let length = match content.len() {
        0..0x80 => vec![lower],
        0x80..0x100 => vec![0x81, lower],
        _ => vec![0x82, upper, lower],
    };
    [&[tag][..], &length, content].concat()
}

/// X.690, 8.19.2.
pub(super) fn number(number: u32) -> Vec<u8> {
    let mut bytes = vec![number as u8 & 0x7f];
    let mut rest = number >> 7;
    while rest > 0 {
        bytes.insert(0, rest as u8 & 0x7f | 0x80);
        rest >>= 7;
    }
    bytes
}

/// An instance below a maker's number.
fn object(random: &mut Random) -> Vec<u8> {
    let more: Vec<u8> = (0..1 + random.below(4)).flat_map(|_| number(random.below(100_000) as u32)).collect();
    [&[0x2b, 6, 1, 4, 1][..], &more, &[0]].concat()
}
