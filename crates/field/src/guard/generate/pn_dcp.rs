//! PROFINET DCP.

use super::{Granted, Maker, Random, Writer};
use crate::guard::{Endpoint, Limits, Permit, PnDcp, Station};

/// PROFINET DCP's way.
pub static MAKER: Maker = Maker {
    protocol: "pn-dcp",
    cells: &[
        "set",
        "identify",
        "hello",
        "cyclic data and alarms",
        "frame id",
        "service",
        "kind of service",
        "delay",
        "length",
        "option",
        "fewer options",
        "a second frame",
        "bytes behind the options",
    ],
    start: |_, _| {
        let asked = PnDcp { consent: Some("A. Owner".to_owned()) };
        let grant = asked.grant()?;
        let limits = Limits::of(&grant);
        // 00:00:5e:00:53:xx is for documentation (RFC 7042): nobody is there.
        let station = Station { interface: "eth1".to_owned(), mac: [0, 0, 0x5e, 0, 0x53, 1] };
        let permit = Permit::new(Endpoint::Station(station), grant, "generated", limits)?;
        Ok((permit, Granted::PnDcp(asked), Box::new(Frames { said: false })))
    },
};

/// What says who a station is.
const OPTIONS: [u8; 18] = [1, 1, 1, 2, 2, 1, 2, 2, 2, 3, 2, 4, 2, 6, 2, 7, 2, 8];

struct Frames {
    said: bool,
}

fn frame(random: &mut Random, id: u16, service: u8, kind: u8, body: &[u8]) -> Vec<u8> {
    let mut frame = id.to_be_bytes().to_vec();
    frame.extend([service, kind]);
    frame.extend((0..4).map(|_| random.byte()));
    frame.extend([0, 0, 0, body.len() as u8]);
    frame.extend_from_slice(body);
    frame
}

fn get(random: &mut Random) -> Vec<u8> {
    frame(random, 0xfefd, 3, 0, &OPTIONS)
}

impl Writer for Frames {
    fn allowed(&mut self, random: &mut Random) -> Option<Vec<u8>> {
        (!std::mem::replace(&mut self.said, true)).then(|| get(random))
    }

    fn before(&mut self, random: &mut Random, cell: &str) -> Option<Vec<u8>> {
        if cell == "a second frame" { self.allowed(random) } else { None }
    }

    fn forbidden(&mut self, random: &mut Random, cell: &str) -> Vec<u8> {
        let near = random.change().to_be_bytes();
        let near = if near[0] == 0 { near[1] } else { near[0] };
        let mut message = get(random);
        match cell {
            "set" => {
                // A name, an address, a signal, a reset.
                let blocks: [&[u8]; 4] = [
                    &[2, 2, 0, 7, 0, 1, b'o', b't', b'h', b'e', b'r', 0],
                    &[1, 2, 0, 14, 0, 1, 192, 0, 2, 9, 255, 255, 255, 0, 0, 0, 0, 0],
                    &[5, 3, 0, 4, 0, 0, 1, 0],
                    &[5, 6, 0, 2, 0, 4],
                ];
                let block = blocks[random.below(4)];
                frame(random, 0xfefd, 4, 0, block)
            }
            "identify" => {
                let body: &[u8] = if random.one_in(2) { &[0xff, 0xff, 0, 0] } else { &[2, 2, 0, 4, b'p', b'u', b'm', b'p'] };
                frame(random, 0xfefe, 5, 0, body)
            }
            "hello" => frame(random, 0xfefc, 6, 0, &[2, 2, 0, 6, 0, 0, b'p', b'u', b'm', b'p']),
            "cyclic data and alarms" => {
                let id = [0x8000, 0xc000, 0x0100, 0xfc01, 0xfe01][random.below(5)];
                frame(random, id, 0, 0, &[0; 30])
            }
            "frame id" => {
                message[random.below(2)] ^= near;
                message
            }
            "service" => {
                message[2] = random.other_than(&[3]);
                message
            }
            "kind of service" => {
                message[3] ^= near;
                message
            }
            "delay" => {
                message[8 + random.below(2)] ^= near;
                message
            }
            "length" => {
                message[10 + random.below(2)] ^= near;
                message
            }
            "option" => {
                message[12 + random.below(18)] ^= near;
                message
            }
            "fewer options" => {
                let count = 1 + random.below(8);
                frame(random, 0xfefd, 3, 0, &OPTIONS[..2 * count])
            }
            "a second frame" => message,
            _ => {
                let more = 1 + random.below(8);
                message[11] += more as u8;
                message.extend((0..more).map(|_| random.byte()));
                message
            }
        }
    }
}
