//! SLMP.

use super::{Granted, Maker, Random, Writer};
use crate::guard::{Endpoint, Limits, Permit, Slmp};

/// SLMP's way.
pub static MAKER: Maker = Maker {
    protocol: "slmp",
    cells: &["subheader", "route", "length", "timer", "write or control", "other command", "subcommand", "bytes behind the message"],
    start: |random, _| {
        // 192.0.2.0/24 is for documentation (RFC 5737): nobody is there.
        let address = ([192, 0, 2, 1], 5007).into();
        let endpoint = if random.one_in(2) { Endpoint::Tcp(address) } else { Endpoint::Udp(address) };
        let grant = Slmp.grant();
        let limits = Limits::of(&grant);
        Ok((Permit::new(endpoint, grant, "generated", limits)?, Granted::Slmp, Box::new(Frames)))
    },
};

/// Commands that the row names as never leaving, and their kin.
const NEVER: [u16; 20] = [
    0x1401, 0x1402, 0x1403, 0x1406, 0x1001, 0x1002, 0x1003, 0x1005, 0x1006, 0x1617, 0x1630, 0x1631, 0x0e30, 0x0e31, 0x0619, 0x1810, 0x1827,
    0x0401, 0x0403, 0x0801,
];
const ASKED: [u8; 15] = [0x50, 0, 0, 0xff, 0xff, 3, 0, 6, 0, 8, 0, 1, 1, 0, 0];

struct Frames;

impl Writer for Frames {
    fn allowed(&mut self, _: &mut Random) -> Option<Vec<u8>> {
        Some(ASKED.to_vec())
    }

    fn forbidden(&mut self, random: &mut Random, cell: &str) -> Vec<u8> {
        let mut frame = ASKED.to_vec();
        match cell {
            "subheader" => flip(random, &mut frame, 0, 2),
            "route" => flip(random, &mut frame, 2, 5),
            "length" => flip(random, &mut frame, 7, 2),
            "timer" => flip(random, &mut frame, 9, 2),
            "write or control" => {
                frame[11..13].copy_from_slice(&NEVER[random.below(NEVER.len())].to_le_bytes());
                extend(random, &mut frame);
            }
            "other command" => {
                flip(random, &mut frame, 11, 2);
                if random.one_in(2) {
                    extend(random, &mut frame);
                }
            }
            "subcommand" => flip(random, &mut frame, 13, 2),
            _ => extend(random, &mut frame),
        }
        frame
    }
}

/// Changes one of some bytes.
fn flip(random: &mut Random, frame: &mut [u8], first: usize, count: usize) {
    let at = first + random.below(count);
    frame[at] ^= random.change().to_be_bytes()[1].max(1);
}

/// What a longer command has behind its subcommand, and the length that says so.
fn extend(random: &mut Random, frame: &mut Vec<u8>) {
    let more = 1 + random.below(12);
    frame.extend((0..more).map(|_| random.byte()));
    frame[7] = frame[7].wrapping_add(more as u8);
}
