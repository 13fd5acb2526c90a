//! SNMP v3, after the discovery: each connection has heard who the device is. Half of them are encrypted, so that the referee reads what the guard
//! sealed; the other half are in clear.

use std::sync::LazyLock;

use super::snmp::{COLUMNS, ENTRY, SYSTEM, WALKS, element, number};
use super::{Granted, Maker, Random, Writer};
use crate::guard::usm::{Auth, Privacy, User};
use crate::guard::{Endpoint, Limits, Permit, Secret, SnmpV3};

/// The way of v3.
pub static MAKER: Maker = Maker {
    protocol: "snmp-v3",
    cells: &[
        "set",
        "other pdu",
        "version",
        "flags",
        "engine",
        "clock",
        "user",
        "placeholders",
        "context",
        "other object",
        "walk",
        "sealed by another",
        "discovery with objects",
        "system a third time",
    ],
    start: |random, _| {
        let user = if random.one_in(2) { PROTECTED.clone() } else { User::new(USER, 0) }.starting_at(random.next());
        let asked = SnmpV3 { user, objects: Vec::new(), entities: true };
        let grant = asked.grant()?;
        let limits = Limits::of(&grant);
        // 192.0.2.0/24 is for documentation (RFC 5737): nobody is there.
        let permit = Permit::new(Endpoint::Udp(([192, 0, 2, 1], 161).into()), grant, "generated", limits)?;
        let engine: Vec<u8> = (0..5 + random.below(28)).map(|_| random.byte() | 1).collect();
        let clock = [0; 2].map(|_| integer(random.next() as u32 >> 1 >> random.below(31))).concat();
        let writer = Datagrams { asked: asked.clone(), engine, clock, discovery: false, system: 0, rows: 0 };
        Ok((permit, Granted::SnmpV3(asked), Box::new(writer)))
    },
};

/// The user of all connections, so that the referee can be told his passwords.
const USER: &str = "referee";
/// Keys take a million bytes of hashing each.
static PROTECTED: LazyLock<User> = LazyLock::new(|| {
    let user = User::new(USER, 0).authenticated(Auth::Sha256, &Secret::new("a password that proves"));
    user.encrypted(Privacy::Aes128, &Secret::new("a password that hides"))
});

struct Datagrams {
    asked: SnmpV3,
    engine: Vec<u8>,
    clock: Vec<u8>,
    discovery: bool,
    system: u8,
    rows: u8,
}

/// What a message is made of.
struct Parts {
    version: u8,
    flags: u8,
    engine: Vec<u8>,
    clock: Vec<u8>,
    user: Vec<u8>,
    zeros: (usize, usize),
    context: Vec<u8>,
    tag: u8,
    names: Vec<Vec<u8>>,
}

impl Writer for Datagrams {
    /// A report: usmStatsUnknownEngineIDs.0.
    fn heard(&self) -> Option<Vec<u8>> {
        let counter = element(0x30, &[&[6, 10, 0x2b, 6, 1, 6, 3, 15, 1, 1, 4, 0][..], &[0x41, 1, 1]].concat());
        let pdu = element(0xa8, &[&[2, 4, 0x40, 0, 0, 1, 2, 1, 0, 2, 1, 0][..], &element(0x30, &counter)].concat());
        let scoped = element(0x30, &[element(4, &self.engine), element(4, b""), pdu].concat());
        let security = [element(4, &self.engine), self.clock.clone(), vec![4, 0, 4, 0, 4, 0]].concat();
        let header = element(0x30, &[2, 4, 0x40, 0, 0, 1, 2, 3, 0, 0xff, 0xe3, 4, 1, 0, 2, 1, 3]);
        Some(element(0x30, &[vec![2, 1, 3], header, element(4, &element(0x30, &security)), scoped].concat()))
    }

    fn allowed(&mut self, random: &mut Random) -> Option<Vec<u8>> {
        let parts = match random.below(4) {
            0 if !self.discovery => self.discovery(),
            1 if self.system < 2 => self.system(),
            _ if self.rows < 16 => self.rows(random),
            _ if self.system < 2 => self.system(),
            _ if !self.discovery => self.discovery(),
            _ => return None,
        };
        Some(parts.write(random))
    }

    fn before(&mut self, random: &mut Random, cell: &str) -> Option<Vec<u8>> {
        (cell == "system a third time" && self.system == 1).then(|| self.system().write(random))
    }

    fn forbidden(&mut self, random: &mut Random, cell: &str) -> Vec<u8> {
        let parts = if random.one_in(2) { self.question(0xa0, SYSTEM) } else { self.rows(random) };
        match cell {
            "set" => Parts { tag: 0xa3, ..parts },
            "other pdu" => Parts { tag: random.other_than(&[0xa0, 0xa5]), ..parts },
            "version" => Parts { version: random.other_than(&[3]), ..parts },
            "flags" => Parts { flags: random.other_than(&[parts.flags]), ..parts },
            "engine" => Parts { engine: self.changed(random), ..parts },
            "clock" => {
                Parts { clock: [&[2, 1, random.byte() & 0x7f][..], &integer(0x4000_0000 | random.next() as u32 >> 3)].concat(), ..parts }
            }
            "user" => Parts { user: (0..random.below(9)).map(|_| random.byte()).collect(), ..parts },
            "placeholders" => Parts { zeros: (parts.zeros.0 + 1 + random.below(20), parts.zeros.1), ..parts },
            "context" => Parts { context: vec![random.byte()], ..parts },
            "other object" => {
                let mut parts = self.question(0xa0, SYSTEM);
                parts.names[random.below(4)] = [&[0x2b, 6, 1, 4, 1][..], &number(random.next() as u32)].concat();
                parts
            }
            "walk" => self.question(if random.one_in(2) { 0xa1 } else { 0xa5 }, [WALKS[random.below(WALKS.len())]]),
            "sealed by another" => return self.sealed(random),
            "discovery with objects" => Parts { names: SYSTEM.iter().map(|name| name.to_vec()).collect(), ..self.discovery() },
            // Where fewer went before: a wrong one of another kind.
            _ if self.system < 2 => Parts { tag: 0xa1, ..self.question(0xa0, SYSTEM) },
            _ => self.system(),
        }
        .write(random)
    }
}

impl Datagrams {
    fn question<const N: usize>(&self, tag: u8, names: [&[u8]; N]) -> Parts {
        Parts {
            version: 3,
            flags: self.asked.user.flags(),
            engine: self.engine.clone(),
            clock: self.clock.clone(),
            user: self.asked.user.name.clone(),
            zeros: self.asked.user.placeholders(),
            context: Vec::new(),
            tag,
            names: names.iter().map(|name| name.to_vec()).collect(),
        }
    }

    fn discovery(&mut self) -> Parts {
        self.discovery = true;
        let nobody =
            Parts { flags: 4, engine: Vec::new(), clock: vec![2, 1, 0, 2, 1, 0], user: Vec::new(), zeros: (0, 0), ..self.system() };
        self.system = self.system.saturating_sub(1);
        Parts { names: Vec::new(), ..nobody }
    }

    fn system(&mut self) -> Parts {
        self.system = self.system.saturating_add(1);
        self.question(0xa0, SYSTEM)
    }

    fn rows(&mut self, random: &mut Random) -> Parts {
        self.rows = self.rows.saturating_add(1);
        let row = if random.one_in(4) { Vec::new() } else { number(random.next() as u32 >> random.below(32) >> 1) };
        let names = COLUMNS.iter().map(|column| [&ENTRY[..], &[*column], &row].concat()).collect();
        Parts { names, ..self.question(0xa5, [&[][..]; 0]) }
    }

    fn changed(&self, random: &mut Random) -> Vec<u8> {
        let mut engine = self.engine.clone();
        let at = random.below(engine.len());
        engine[at] ^= random.change().to_be_bytes()[1].max(1);
        engine
    }

    /// A SET that somebody else sealed: what nobody can read must not leave either.
    fn sealed(&self, random: &mut Random) -> Vec<u8> {
        let user = PROTECTED.clone().starting_at(random.next());
        let plain = Parts { flags: user.flags(), zeros: user.placeholders(), ..self.question(0xa3, SYSTEM) }.write(random);
        user.seal(&plain, random.next()).unwrap_or_default()
    }
}

impl Parts {
    fn write(&self, random: &mut Random) -> Vec<u8> {
        let id = [2, 4, 0x40 | random.byte() & 0x3f, random.byte(), random.byte(), random.byte()];
        let binding = |name: &Vec<u8>| element(0x30, &[element(6, name), vec![5, 0]].concat());
        let bindings: Vec<u8> = self.names.iter().flat_map(binding).collect();
        let settings = [2, 1, 0, 2, 1, if self.tag == 0xa5 { 4 } else { 0 }];
        let pdu = element(self.tag, &[&id[..], &settings, &element(0x30, &bindings)].concat());
        let scoped = element(0x30, &[element(4, &self.engine), element(4, &self.context), pdu].concat());
        let (mac, salt) = (element(4, &vec![0; self.zeros.0]), element(4, &vec![0; self.zeros.1]));
        let security = [element(4, &self.engine), self.clock.clone(), element(4, &self.user), mac, salt].concat();
        let header = element(0x30, &[&id[..], &[2, 3, 0, 0xff, 0xe3, 4, 1, self.flags, 2, 1, 3]].concat());
        element(0x30, &[vec![2, 1, self.version], header, element(4, &element(0x30, &security)), scoped].concat())
    }
}

/// X.690, 8.3.2.
fn integer(number: u32) -> Vec<u8> {
    let mut bytes = number.to_be_bytes().to_vec();
    while let [0, next, ..] = bytes[..]
        && next < 0x80
    {
        bytes.remove(0);
    }
    element(2, &bytes)
}
