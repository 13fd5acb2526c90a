//! S7comm.

use super::{Granted, Maker, Random, Writer};
use crate::guard::{Endpoint, Limits, Permit, S7comm};

/// S7comm's way.
pub static MAKER: Maker = Maker {
    protocol: "s7comm",
    cells: &[
        "packet length",
        "bytes behind the message",
        "transport header",
        "transport class",
        "calling selector",
        "programming device or panel",
        "other kind of connection",
        "other rack or slot",
        "job",
        "setup parameters",
        "kind of message",
        "lengths",
        "head of parameters",
        "group",
        "subfunction",
        "sequence",
        "other list",
        "list 001C not granted",
        "index",
        "part of ours",
        "question again",
    ],
    start: |random, cell| {
        // 192.0.2.0/24 is for documentation (RFC 5737): nobody is there.
        let endpoint = Endpoint::Tcp(([192, 0, 2, 1], 102).into());
        let consent_001c = cell != "list 001C not granted" && random.one_in(2);
        let asked = S7comm { rack: random.below(8) as u8, slot: random.below(32) as u8, consent_001c };
        let grant = asked.grant()?;
        let most = Limits::of(&grant);
        let messages_max = if random.one_in(4) { 1 + random.below(usize::from(most.messages_max)) as u8 } else { most.messages_max };
        let permit = Permit::new(endpoint, grant, "generated", Limits { messages_max, ..most })?;
        let left = [1, 1, 2, usize::from(consent_001c), 3];
        Ok((permit, Granted::S7comm(asked), Box::new(Packets { asked, left })))
    },
};

/// Places in `Packets::left`.
const CONNECT: usize = 0;
const SETUP: usize = 1;
const MODULES: usize = 2;
const COMPONENTS: usize = 3;

/// Read and write of variables, download, upload, control and stop of programs: what jobs do besides the setup.
const JOBS: [u8; 10] = [0x04, 0x05, 0x1a, 0x1b, 0x1c, 0x1d, 0x1e, 0x1f, 0x28, 0x29];
/// Programmer commands, cyclic data, blocks, security and the clock; and the same as answers.
const GROUPS: [u8; 8] = [0x41, 0x42, 0x43, 0x45, 0x47, 0x81, 0x84, 0x04];

struct Packets {
    asked: S7comm,
    /// How often each may still leave: connection, setup, list 0011, list 001C, the next part of a list.
    left: [usize; 5],
}

impl Writer for Packets {
    fn allowed(&mut self, random: &mut Random) -> Option<Vec<u8>> {
        let open: Vec<usize> = (0..self.left.len()).filter(|kind| self.left[*kind] > 0).collect();
        let kind = *open.get(random.below(open.len()))?;
        self.left[kind] -= 1;
        Some(self.packet(random, kind))
    }

    fn before(&mut self, random: &mut Random, cell: &str) -> Option<Vec<u8>> {
        let is_first = cell == "question again" && std::mem::take(&mut self.left[CONNECT]) > 0;
        is_first.then(|| self.packet(random, CONNECT))
    }

    fn forbidden(&mut self, random: &mut Random, cell: &str) -> Vec<u8> {
        let kind = match cell {
            "transport class" | "calling selector" | "programming device or panel" => CONNECT,
            "other kind of connection" | "other rack or slot" | "question again" => CONNECT,
            "job" | "setup parameters" => SETUP,
            "group" | "subfunction" | "sequence" | "other list" | "index" => MODULES + random.below(2),
            "list 001C not granted" => COMPONENTS,
            "part of ours" => 4,
            "kind of message" | "lengths" | "head of parameters" => 1 + random.below(4),
            _ => random.below(5),
        };
        let mut packet = self.packet(random, kind);
        match cell {
            "packet length" => {
                let at = random.below(4);
                flip(random, &mut packet, at);
            }
            "bytes behind the message" => {
                let more = 1 + random.below(8);
                packet.extend((0..more).map(|_| random.byte()));
                packet[3] = packet[3].wrapping_add(more as u8);
            }
            "transport header" => {
                let at = if kind == CONNECT { 4 + random.below(4) } else { 4 + random.below(3) };
                flip(random, &mut packet, at);
            }
            "transport class" => flip(random, &mut packet, 10),
            "calling selector" => {
                let at = 11 + random.below(4);
                flip(random, &mut packet, at);
            }
            "programming device or panel" => packet[17] = 1 + random.below(2) as u8,
            "other kind of connection" => packet[17] = random.other_than(&[3]),
            "other rack or slot" => flip(random, &mut packet, 18),
            "job" => self.job(random, &mut packet),
            "setup parameters" => {
                let at = 18 + random.below(7);
                flip(random, &mut packet, at);
            }
            "kind of message" => {
                let at = 7 + random.below(4);
                flip(random, &mut packet, at);
            }
            "lengths" => {
                let at = 13 + random.below(4);
                flip(random, &mut packet, at);
            }
            "head of parameters" => {
                let at = 17 + random.below(if kind == SETUP { 2 } else { 5 });
                flip(random, &mut packet, at);
            }
            "group" => packet[22] = if random.one_in(2) { GROUPS[random.below(GROUPS.len())] } else { random.other_than(&[0x44]) },
            "subfunction" => packet[23] = random.other_than(&[1]),
            "sequence" => packet[24] = random.other_than(&[0]),
            "other list" => self.other_list(random, &mut packet),
            "index" => self.other_index(random, kind, &mut packet),
            "part of ours" => {
                let at = 25 + random.below(8);
                flip(random, &mut packet, at);
            }
            _ => {}
        }
        packet
    }
}

impl Packets {
    fn packet(&self, random: &mut Random, kind: usize) -> Vec<u8> {
        let [r0, r1] = [random.byte(), random.byte()];
        let list = |id, index| {
            let head = [3, 0, 0, 33, 2, 0xf0, 0x80, 0x32, 7, 0, 0, r0, r1, 0, 8, 0, 8];
            [&head[..], &[0, 1, 0x12, 4, 0x11, 0x44, 1, 0, 0xff, 9, 0, 4, 0, id, 0, index]].concat()
        };
        match kind {
            CONNECT => {
                let place = self.asked.rack * 32 + self.asked.slot;
                [&[3, 0, 0, 22, 17, 0xe0, 0, 0, r0, r1, 0][..], &[0xc1, 2, 3, 0, 0xc2, 2, 3, place, 0xc0, 1, 0x0a]].concat()
            }
            SETUP => {
                let head = [3, 0, 0, 25, 2, 0xf0, 0x80, 0x32, 1, 0, 0, r0, r1, 0, 8, 0, 0];
                [&head[..], &[0xf0, 0, 0, 1, 0, 1, 1, 0xe0]].concat()
            }
            MODULES => list(0x11, random.below(2) as u8),
            COMPONENTS => list(0x1c, 0),
            _ => {
                let head = [3, 0, 0, 33, 2, 0xf0, 0x80, 0x32, 7, 0, 0, r0, r1, 0, 12, 0, 4];
                [&head[..], &[0, 1, 0x12, 8, 0x12, 0x44, 1, random.byte(), 0, 0, 0, 0, 0x0a, 0, 0, 0]].concat()
            }
        }
    }

    /// Another job, as long as the setup or with what such a job has behind it.
    fn job(&self, random: &mut Random, packet: &mut Vec<u8>) {
        packet[17] = if random.one_in(2) { JOBS[random.below(JOBS.len())] } else { random.other_than(&[0xf0]) };
        if random.one_in(2) {
            let more = random.below(16);
            packet.extend((0..more).map(|_| random.byte()));
            packet[3] = packet.len() as u8;
            packet[16] = more as u8;
        }
    }

    fn other_list(&self, random: &mut Random, packet: &mut [u8]) {
        // Partial lists (0111), the other lists that tell something (0131, 0424), any other.
        let id = match random.below(4) {
            0 => 0x0111,
            1 => 0x0131,
            2 => 0x0424,
            _ => 0x0020 | (1 + random.below(0xff) as u16) << 8,
        };
        packet[29..31].copy_from_slice(&id.to_be_bytes());
    }

    fn other_index(&self, random: &mut Random, kind: usize, packet: &mut [u8]) {
        let least = if kind == MODULES { 2 } else { 1 };
        let index = least + random.below(0x1_0000 - least) as u16 as usize;
        packet[31..33].copy_from_slice(&(index as u16).to_be_bytes());
    }
}

/// Changes a byte, if it is there.
fn flip(random: &mut Random, packet: &mut [u8], at: usize) {
    let change = random.change().to_be_bytes()[1].max(1);
    if let Some(byte) = packet.get_mut(at) {
        *byte ^= change;
    }
}
