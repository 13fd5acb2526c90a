//! PROFINET IO.

use super::{Granted, Maker, Random, Writer};
use crate::guard::{Endpoint, Limits, Permit, PnIo, Refused};

/// PROFINET IO's way.
pub static MAKER: Maker = Maker {
    protocol: "pn-io",
    cells: &[
        "connect, write, control, release",
        "a look-up's other operations",
        "packet type",
        "flags",
        "byte order",
        "object",
        "interface",
        "interface version",
        "start",
        "number",
        "hints",
        "length",
        "fragment",
        "inquiry",
        "handle",
        "entries",
        "read first",
        "arguments",
        "block",
        "relation",
        "API, slot, subslot",
        "index",
        "record length",
        "message twice",
        "bytes behind the message",
    ],
    start: |random, cell| {
        let (permit, asked) = permit()?;
        let ids = std::array::from_fn(|_| random.byte());
        let interface = 1 + random.below(2) as u8;
        // The read has to follow the look-up at once.
        let said = if cell == "read first" { 2 } else { 0 };
        Ok((permit, Granted::PnIo(asked), Box::new(Messages { ids, interface, said })))
    },
};

fn permit() -> Result<(Permit, PnIo), Refused> {
    let asked = PnIo { consent: Some("A. Owner".to_owned()) };
    let grant = asked.grant()?;
    let limits = Limits::of(&grant);
    // 192.0.2.0/24 is for documentation (RFC 5737): nobody is there.
    Ok((Permit::new(Endpoint::Udp(([192, 0, 2, 1], 34964).into()), grant, "generated", limits)?, asked))
}

/// UUIDs, lower byte first.
const MAPPER: [u8; 16] = [0x08, 0x83, 0xaf, 0xe1, 0x1f, 0x5d, 0xc9, 0x11, 0x91, 0xa4, 0x08, 0x00, 0x2b, 0x14, 0xa0, 0xfa];
const PROFINET: [u8; 15] = [0x00, 0xa0, 0xde, 0x97, 0x6c, 0xd1, 0x11, 0x82, 0x71, 0x00, 0xa0, 0x24, 0x42, 0xdf, 0x7d];
const OBJECT: [u8; 10] = [0x00, 0x00, 0xa0, 0xde, 0x97, 0x6c, 0xd1, 0x11, 0x82, 0x71];

struct Messages {
    ids: [u8; 6],
    interface: u8,
    /// Messages so far.
    said: usize,
}

impl Messages {
    fn look_up(random: &mut Random) -> Vec<u8> {
        let mut body = vec![0; 4];
        body.extend([1, 0, 0, 0]);
        body.extend([0; 16]);
        body.extend([2, 0, 0, 0, 1]);
        body.extend(PROFINET);
        body.extend([1, 0, 0, 0, 1, 0, 0, 0]);
        body.extend([0; 20]);
        body.extend([1, 0, 0, 0]);
        message(random, [0; 16], MAPPER, 3, 0, 2, &body)
    }

    fn read(&self, random: &mut Random) -> Vec<u8> {
        let mut body = Vec::new();
        for number in [320_u32, 64, 320, 0, 64] {
            body.extend(number.to_le_bytes());
        }
        body.extend([0, 9, 0, 60, 1, 0]);
        body.extend([0; 22]);
        body.extend([0, 0, 0, 1, 0, 0, 0xaf, 0xf0, 0, 0, 1, 0]);
        body.extend([0; 24]);
        let mut object = [0; 16];
        object[..10].copy_from_slice(&OBJECT);
        object[10..].copy_from_slice(&self.ids);
        let mut interface = [self.interface; 16];
        interface[1..].copy_from_slice(&PROFINET);
        message(random, object, interface, 1, 1, 5, &body)
    }
}

fn message(random: &mut Random, object: [u8; 16], interface: [u8; 16], version: u8, number: u8, operation: u8, body: &[u8]) -> Vec<u8> {
    let mut message = vec![4, 0, 0x20, 0, 0x10, 0, 0, 0];
    message.extend(object);
    message.extend(interface);
    message.extend((0..16).map(|_| random.byte()));
    message.extend([0; 4]);
    message.extend([version, 0, 0, 0, number, 0, 0, 0, operation, 0, 0xff, 0xff, 0xff, 0xff, body.len() as u8, 0, 0, 0, 0, 0]);
    message.extend_from_slice(body);
    message
}

impl Writer for Messages {
    fn allowed(&mut self, random: &mut Random) -> Option<Vec<u8>> {
        self.said += 1;
        match self.said {
            1 => Some(Self::look_up(random)),
            2 => Some(self.read(random)),
            _ => None,
        }
    }

    fn before(&mut self, random: &mut Random, cell: &str) -> Option<Vec<u8>> {
        // What breaks a read has to come behind the look-up, and so has a second one.
        let behind = ["arguments", "block", "relation", "API, slot, subslot", "index", "record length", "message twice"];
        if self.said == 0 && behind.contains(&cell) { self.allowed(random) } else { None }
    }

    fn forbidden(&mut self, random: &mut Random, cell: &str) -> Vec<u8> {
        let near = random.change().to_be_bytes();
        let near = if near[0] == 0 { near[1] } else { near[0] };
        let (mut look_up, mut read) = (Self::look_up(random), self.read(random));
        let mut of_any = if self.said == 1 && random.one_in(2) { read.clone() } else { look_up.clone() };
        let mut change = |message: &mut Vec<u8>, first: usize, count: usize| {
            let at = first + random.below(count);
            message[at] ^= near;
            message.clone()
        };
        match cell {
            "connect, write, control, release" => {
                read[68] = [0, 1, 2, 3, 4][random.below(5)];
                read
            }
            "a look-up's other operations" => {
                look_up[68] = [0, 1, 3, 4, 5, 6, 7][random.below(7)];
                look_up
            }
            "packet type" => {
                of_any[1] = if random.one_in(2) { 1 + random.below(10) as u8 } else { random.other_than(&[0]) };
                of_any
            }
            "flags" => change(&mut of_any, 2, 2),
            "byte order" => change(&mut of_any, 4, 3),
            "object" if of_any.len() == look_up.len() => change(&mut of_any, 8, 16),
            "object" => change(&mut of_any, 8, 10),
            "interface" => change(&mut of_any, 25, 15),
            "interface version" => change(&mut of_any, 60, 4),
            "start" => change(&mut of_any, 56, 4),
            "number" => change(&mut of_any, 64, 4),
            "hints" => change(&mut of_any, 70, 4),
            "length" => change(&mut of_any, 74, 2),
            "fragment" => change(&mut of_any, 76, 4),
            "inquiry" => change(&mut look_up, 80, 52),
            "handle" => change(&mut look_up, 132, 20),
            "entries" => change(&mut look_up, 152, 4),
            "read first" => read,
            "arguments" => change(&mut read, 80, 20),
            "block" => change(&mut read, 100, 8),
            "relation" => change(&mut read, 108, 16),
            "API, slot, subslot" => change(&mut read, 124, 8),
            "index" => change(&mut read, 134, 2),
            "record length" => change(&mut read, 136, 4),
            "message twice" if self.said == 1 => look_up,
            "message twice" => read,
            _ => {
                let more = 1 + random.below(8);
                of_any[74] += more as u8;
                of_any.extend((0..more).map(|_| random.byte()));
                of_any
            }
        }
    }
}
