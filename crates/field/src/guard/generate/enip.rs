//! EtherNet/IP without a session: ListIdentity.

use super::{Granted, Maker, Random, Writer};
use crate::guard::{Endpoint, Enip, Limits, Permit};

/// EtherNet/IP's way.
pub static MAKER: Maker = Maker {
    protocol: "enip",
    cells: &["other command", "a length", "a body", "a session", "a status", "options", "a longer delay", "a context"],
    start: |_, _| {
        let grant = Enip.grant()?;
        let limits = Limits::of(&grant);
        // 192.0.2.0/24 is for documentation (RFC 5737): nobody is there.
        let permit = Permit::new(Endpoint::Udp(([192, 0, 2, 1], 44818).into()), grant, "generated", limits)?;
        Ok((permit, Granted::Enip(Enip), Box::new(Lists)))
    },
};

/// ListServices, ListInterfaces, RegisterSession, UnRegisterSession, SendRRData, SendUnitData, NOP, and what RSLinx knows besides.
const COMMANDS: [u8; 8] = [0x04, 0x64, 0x65, 0x66, 0x6f, 0x70, 0x00, 0x01];

struct Lists;

fn list_identity() -> Vec<u8> {
    let mut message = vec![0x63];
    message.extend([0; 11]);
    message.extend([0xf4, 0x01]);
    message.extend([0; 10]);
    message
}

impl Writer for Lists {
    fn allowed(&mut self, _: &mut Random) -> Option<Vec<u8>> {
        Some(list_identity())
    }

    fn forbidden(&mut self, random: &mut Random, cell: &str) -> Vec<u8> {
        let mut message = list_identity();
        let near = random.change().to_le_bytes();
        let near = if near[0] == 0 { near[1] } else { near[0] };
        match cell {
            "other command" if random.one_in(2) => message[0] = COMMANDS[random.below(COMMANDS.len())],
            "other command" if random.one_in(2) => message[1] = near,
            "other command" => message[0] = random.other_than(&[0x63]),
            "a length" => message[2 + random.below(2)] = near,
            "a session" => message[4 + random.below(4)] = near,
            "a status" => message[8 + random.below(4)] = near,
            "a longer delay" => message[12 + random.below(2)] ^= near,
            "a context" => message[14 + random.below(6)] = near,
            "options" => message[20 + random.below(4)] = near,
            _ => {
                let more = 1 + random.below(8);
                message[2] = more as u8;
                message.extend((0..more).map(|_| random.byte()));
            }
        }
        message
    }
}
