//! FINS, over TCP and over UDP.

use super::{Granted, Maker, Random, Writer};
use crate::guard::{Endpoint, Fins, Limits, Permit};

/// FINS's way over TCP.
pub static MAKER: Maker = Maker {
    protocol: "fins",
    cells: &[
        "magic",
        "length",
        "other envelope command",
        "error",
        "node of our own choice",
        "node address twice",
        "frame header",
        "other network",
        "unit that is not the CPU",
        "write command",
        "other command",
        "parameter",
        "bytes behind the message",
    ],
    start: |_, _| start(Fins::Tcp),
};

/// FINS's way over UDP. A datagram's message has no length of its own: what stands behind it is another, which is pipelined.
pub static MAKER_UDP: Maker = Maker {
    protocol: "fins-udp",
    cells: &[
        "other node than the assigned one",
        "controller's node",
        "frame header",
        "other network",
        "unit that is not the CPU",
        "write command",
        "other command",
        "parameter",
    ],
    start: |random, _| start(Fins::Udp { node: 1 + random.below(254) as u8 }),
};

fn start(asked: Fins) -> Result<super::Start, super::Refused> {
    let grant = asked.grant()?;
    let limits = Limits::of(&grant);
    let address = ([192, 0, 2, 1], 9600).into();
    let endpoint = if asked == Fins::Tcp { Endpoint::Tcp(address) } else { Endpoint::Udp(address) };
    let permit = Permit::new(endpoint, grant, "generated", limits)?;
    Ok((permit, Granted::Fins(asked), Box::new(Frames { asked, node: false, controller: false })))
}

/// Commands that the row names as never leaving: memory and parameter areas, programs, run and stop, the clock, access rights, errors, files, forced
/// bits.
const WRITES: [[u8; 2]; 19] = [
    [0x01, 0x02],
    [0x01, 0x03],
    [0x01, 0x05],
    [0x02, 0x01],
    [0x02, 0x02],
    [0x02, 0x03],
    [0x03, 0x04],
    [0x03, 0x05],
    [0x03, 0x07],
    [0x04, 0x01],
    [0x04, 0x02],
    [0x06, 0x01],
    [0x07, 0x02],
    [0x0c, 0x01],
    [0x21, 0x01],
    [0x22, 0x03],
    [0x22, 0x05],
    [0x23, 0x01],
    [0x26, 0x01],
];
const NODE_ADDRESS: &[u8; 20] = b"FINS\0\0\0\x0c\0\0\0\0\0\0\0\0\0\0\0\0";

struct Frames {
    asked: Fins,
    node: bool,
    controller: bool,
}

impl Frames {
    fn frame(&self, random: &mut Random) -> Vec<u8> {
        let (to, own) = match self.asked {
            Fins::Tcp => (random.byte(), random.byte()),
            Fins::Udp { node } => (0, node),
        };
        vec![0x80, 0, 2, 0, to, 0, 0, own, 0, random.byte(), 0x05, 0x01, 0]
    }

    fn wrapped(&self, frame: Vec<u8>) -> Vec<u8> {
        if self.asked != Fins::Tcp {
            return frame;
        }
        let mut message = b"FINS\0\0\0".to_vec();
        message.push(8 + frame.len() as u8);
        message.extend([0, 0, 0, 2, 0, 0, 0, 0]);
        message.extend(frame);
        message
    }
}

impl Writer for Frames {
    fn allowed(&mut self, random: &mut Random) -> Option<Vec<u8>> {
        let first = self.asked == Fins::Tcp && !self.node && (self.controller || random.one_in(2));
        if first {
            self.node = true;
            return Some(NODE_ADDRESS.to_vec());
        }
        if std::mem::replace(&mut self.controller, true) {
            return None;
        }
        let frame = self.frame(random);
        Some(self.wrapped(frame))
    }

    fn before(&mut self, _: &mut Random, cell: &str) -> Option<Vec<u8>> {
        (cell == "node address twice" && !self.node).then(|| {
            self.node = true;
            NODE_ADDRESS.to_vec()
        })
    }

    fn forbidden(&mut self, random: &mut Random, cell: &str) -> Vec<u8> {
        let mut frame = self.frame(random);
        let mut own = NODE_ADDRESS.to_vec();
        match cell {
            "node address twice" if self.node => return own,
            "magic" => return other(own, random.below(4), random),
            "length" => return other(own, 4 + random.below(4), random),
            "other envelope command" | "node address twice" => {
                own[11] = random.other_than(&[0, 2]);
                return own;
            }
            "error" => return other(own, 12 + random.below(4), random),
            "node of our own choice" => {
                own[19] = random.other_than(&[0]);
                return own;
            }
            "other node than the assigned one" => frame[7] = random.other_than(&[frame[7]]),
            "controller's node" => frame[4] = random.other_than(&[0]),
            "frame header" => return self.wrapped(other(frame, random.below(3), random)),
            "other network" => frame[[3, 6][random.below(2)]] = random.other_than(&[0]),
            "unit that is not the CPU" => frame[[5, 8][random.below(2)]] = random.other_than(&[0]),
            "write command" => {
                frame.truncate(10);
                frame.extend(WRITES[random.below(WRITES.len())]);
                frame.extend((0..random.below(12)).map(|_| random.byte()));
            }
            "other command" if random.one_in(2) => frame[11] = random.other_than(&[0x01]),
            "other command" => frame[10] = random.other_than(&[0x05]),
            "parameter" => frame[12] = random.other_than(&[0]),
            _ => frame.extend((0..=random.below(8)).map(|_| random.byte())),
        }
        self.wrapped(frame)
    }
}

/// With another byte at that place.
fn other(mut message: Vec<u8>, at: usize, random: &mut Random) -> Vec<u8> {
    message[at] = random.other_than(&[message[at]]);
    message
}
