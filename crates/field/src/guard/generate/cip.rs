//! CIP to modules of a chassis: sessions, Unconnected_Send, the Identity object.

use super::{Granted, Maker, Random, Writer};
use crate::guard::{Cip, Endpoint, Limits, Permit, Refused};

/// CIP's way.
pub static MAKER: Maker = Maker {
    protocol: "cip",
    cells: &[
        "other command",
        "length",
        "status",
        "context",
        "options",
        "session where there is none",
        "session twice",
        "goodbye twice",
        "interface",
        "time-out",
        "items",
        "connected item",
        "other service",
        "connection",
        "other object in between",
        "write service",
        "other embedded service",
        "other object",
        "other instance",
        "attribute not granted",
        "longer route",
        "no route",
        "link address in text",
        "other port",
        "slot not named",
        "slot twice",
    ],
    start: |random, cell| {
        let (permit, asked) = permit(random, cell)?;
        let writer = Session { asked: asked.clone(), left: permit.limits().messages_max, ..Session::default() };
        Ok((permit, Granted::Cip(asked), Box::new(writer)))
    },
};

/// Services that change a device or read more than its identity, as the row names them.
const WRITES: [u8; 17] = [0x02, 0x04, 0x05, 0x06, 0x07, 0x08, 0x09, 0x0a, 0x0d, 0x10, 0x4b, 0x4c, 0x4d, 0x4e, 0x4f, 0x53, 0x18];
const GET_ALL: &[u8] = &[0x01, 0x02, 0x20, 0x01, 0x24, 0x01];

fn permit(random: &mut Random, cell: &str) -> Result<(Permit, Cip), Refused> {
    let count = 1 + random.below(if cell == "slot not named" { 16 } else { 17 });
    let mut slots: Vec<u8> = (0..32).collect();
    while slots.len() > count {
        slots.remove(random.below(slots.len()));
    }
    let attributes = (1..=7).filter(|_| cell != "attribute not granted" && random.one_in(2)).collect();
    let asked = Cip { slots, attributes, ..Cip::default() };
    let grant = asked.grant()?;
    let most = Limits::of(&grant);
    let messages_max = if random.one_in(4) { 1 + random.below(usize::from(most.messages_max)) as u8 } else { most.messages_max };
    let endpoint = Endpoint::Tcp(([192, 0, 2, 1], 44818).into());
    Ok((Permit::new(endpoint, grant, "generated", Limits { messages_max, ..most })?, asked))
}

#[derive(Default)]
struct Session {
    asked: Cip,
    /// Messages that the connection may still have.
    left: u8,
    opened: bool,
    ended: bool,
    /// How many of the slots were asked for all, and for one attribute.
    all: usize,
    single: usize,
}

impl Session {
    /// A message of this kind, where one of it may still leave.
    fn of_kind(&mut self, kind: usize, spare: bool, random: &mut Random) -> Option<Vec<u8>> {
        match kind {
            0 if !self.opened => {
                self.opened = true;
                Some(register(random))
            }
            // A goodbye may always leave: it is no message too many.
            1 if !self.ended && spare => {
                self.ended = true;
                Some(unregister(random))
            }
            2 => {
                let attribute = *self.asked.attributes.get(random.below(self.asked.attributes.len()))?;
                let slot = *self.asked.slots.get(self.single)?;
                self.single += 1;
                Some(send(random, &[0x0e, 0x03, 0x20, 0x01, 0x24, 0x01, 0x30, attribute], &[1, 0, 1, slot]))
            }
            3 => {
                let slot = *self.asked.slots.get(self.all)?;
                self.all += 1;
                Some(send(random, GET_ALL, &[1, 0, 1, slot]))
            }
            _ => None,
        }
    }
}

impl Writer for Session {
    fn allowed(&mut self, random: &mut Random) -> Option<Vec<u8>> {
        let spare = self.left > 0;
        self.left = self.left.saturating_sub(1);
        let first = random.below(6).min(3);
        (0..4).find_map(|step| self.of_kind((first + step) % 4, spare, random))
    }

    fn before(&mut self, random: &mut Random, cell: &str) -> Option<Vec<u8>> {
        match cell {
            "session twice" if !self.opened => {
                self.opened = true;
                Some(register(random))
            }
            "goodbye twice" if !self.ended => {
                self.ended = true;
                Some(unregister(random))
            }
            "slot twice" if self.all == 0 => {
                self.all = 1;
                Some(send(random, GET_ALL, &[1, 0, 1, self.asked.slots[0]]))
            }
            _ => None,
        }
    }

    fn forbidden(&mut self, random: &mut Random, cell: &str) -> Vec<u8> {
        let slot = self.asked.slots[random.below(self.asked.slots.len())];
        let route = [1, 0, 1, slot];
        match cell {
            // Where nothing could go before, the session is one that stands already.
            "session where there is none" => with(register(random), 4 + random.below(4), random),
            "session twice" if self.opened => register(random),
            "goodbye twice" if self.ended => unregister(random),
            "session twice" | "goodbye twice" => with(register(random), 24 + random.below(4), random),
            "slot twice" if self.all > 0 => {
                let slot = self.asked.slots[random.below(self.all)];
                send(random, GET_ALL, &[1, 0, 1, slot])
            }
            "slot not named" | "slot twice" => {
                let slot = random.other_than(&self.asked.slots);
                send(random, GET_ALL, &[1, 0, 1, slot])
            }
            "write service" => {
                let service = WRITES[random.below(WRITES.len())];
                let more: Vec<u8> = (0..random.below(8)).map(|_| random.byte()).collect();
                send(random, &[&[service, 0x02, 0x20, 0x01, 0x24, 0x01], &more[..]].concat(), &route)
            }
            "other embedded service" => {
                let service = random.other_than(&[0x01]);
                send(random, &[service, 0x02, 0x20, 0x01, 0x24, 0x01], &route)
            }
            "other object" => {
                let class = random.other_than(&[0x01]);
                send(random, &[0x01, 0x02, 0x20, class, 0x24, 0x01], &route)
            }
            "other instance" => {
                let instance = random.other_than(&[0x01]);
                send(random, &[0x01, 0x02, 0x20, 0x01, 0x24, instance], &route)
            }
            "attribute not granted" => {
                let attribute = random.other_than(&self.asked.attributes);
                send(random, &[0x0e, 0x03, 0x20, 0x01, 0x24, 0x01, 0x30, attribute], &route)
            }
            "longer route" => {
                let further: Vec<u8> = (0..2 * (1 + random.below(3))).map(|_| random.byte()).collect();
                let words = 1 + further.len() / 2;
                send(random, GET_ALL, &[&[words as u8, 0, 1, slot], &further[..]].concat())
            }
            "no route" => send(random, GET_ALL, &[0, 0]),
            // Port 2 with the extended-link bit, and an address in ASCII.
            "link address in text" => send(random, GET_ALL, b"\x05\x00\x12\x0810.0.0.7"),
            "other port" => {
                let port = random.other_than(&[1]);
                send(random, GET_ALL, &[1, 0, port, slot])
            }
            frame => wrong_frame(random, frame, &route),
        }
    }
}

/// What stands around the embedded request.
fn wrong_frame(random: &mut Random, cell: &str, route: &[u8]) -> Vec<u8> {
    let mut message = send(random, GET_ALL, route);
    match cell {
        "other command" => message[random.below(2)] ^= 1 << (4 + random.below(4)),
        "length" => message[2] = random.other_than(&[36]),
        "status" => return with(message, 8 + random.below(4), random),
        "context" => return with(message, 13 + random.below(7), random),
        "options" => return with(message, 20 + random.below(4), random),
        "interface" => return with(message, 24 + random.below(4), random),
        "time-out" => return with(message, 28 + random.below(2), random),
        "items" => return with(message, 30 + random.below(6), random),
        "connected item" => message[36] = [0xa1, 0xb1, 0x91][random.below(3)],
        "connection" => message[40] = [0x54, 0x5b, 0x4e][random.below(3)],
        "other service" => message[40] = random.other_than(&[0x52]),
        _ => return with(message, 41 + random.below(5), random),
    }
    message
}

/// With another byte at that place.
fn with(mut message: Vec<u8>, at: usize, random: &mut Random) -> Vec<u8> {
    message[at] = random.other_than(&[message[at]]);
    message
}

fn header(random: &mut Random, command: u8, length: usize, session: [u8; 4]) -> Vec<u8> {
    let mut message = vec![command, 0, length as u8, 0];
    message.extend(session);
    message.extend([0; 4]);
    message.extend([random.byte(), 0, 0, 0, 0, 0, 0, 0]);
    message.extend([0; 4]);
    message
}

fn register(random: &mut Random) -> Vec<u8> {
    let mut message = header(random, 0x65, 4, [0; 4]);
    message.extend([1, 0, 0, 0]);
    message
}

fn unregister(random: &mut Random) -> Vec<u8> {
    let session = (random.next() as u32).to_le_bytes();
    header(random, 0x66, 0, session)
}

fn send(random: &mut Random, embedded: &[u8], route: &[u8]) -> Vec<u8> {
    let mut through = vec![0x52, 0x02, 0x20, 0x06, 0x24, 0x01, 0x03, 0xfa, embedded.len() as u8, 0];
    through.extend(embedded);
    if embedded.len() % 2 == 1 {
        through.push(0);
    }
    through.extend(route);
    let session = (random.next() as u32).to_le_bytes();
    let mut message = header(random, 0x6f, 16 + through.len(), session);
    message.extend([0, 0, 0, 0, 2, 0, 2, 0, 0, 0, 0, 0, 0xb2, 0, through.len() as u8, 0]);
    message.extend(through);
    message
}
