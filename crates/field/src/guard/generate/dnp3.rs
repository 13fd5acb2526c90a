//! DNP3.

use super::{Granted, Maker, Random, Writer};
use crate::guard::{Dnp3, Endpoint, Limits, Permit, Refused};

/// DNP3's way.
pub static MAKER: Maker = Maker {
    protocol: "dnp3",
    cells: &[
        "link function",
        "destination",
        "broadcast",
        "source",
        "length",
        "header check",
        "block check",
        "transport",
        "application control",
        "function",
        "confirm a response",
        "confirm without consent",
        "group",
        "variation",
        "qualifier",
        "range",
        "more objects",
        "fewer objects",
        "all not granted",
        "read twice",
        "bytes behind the frame",
    ],
    start: |random, cell| {
        let (permit, asked) = permit(random, cell)?;
        let reads = if asked.all {
            vec![vec![254]]
        } else {
            [&[252, 250, 248, 243, 242][..], &[242], &[243], &[248], &[250], &[252]].map(<[u8]>::to_vec).to_vec()
        };
        // Behind a short answer nothing is pipelined: nobody waits for anything on it.
        let quiet = if cell == "pipelined" { REPLIES_MAX } else { 0 };
        let writer = Frames { asked, reads, done: Vec::new(), acks: quiet, states: quiet, confirmed: quiet > 0 };
        Ok((permit, Granted::Dnp3(asked), Box::new(writer)))
    },
};

/// Answers of one kind to an outstation's frames.
const REPLIES_MAX: u8 = 6;

fn permit(random: &mut Random, cell: &str) -> Result<(Permit, Dnp3), Refused> {
    let address = |random: &mut Random| random.below(0xfff0) as u16;
    let (outstation, mut master) = (address(random), address(random));
    if master == outstation {
        master ^= 1;
    }
    let all = cell != "all not granted" && random.one_in(4);
    let confirm_unsolicited = cell != "confirm without consent" && random.one_in(2);
    let asked = Dnp3 { master, outstation, all, confirm_unsolicited, master_heard_at: None };
    let grant = asked.grant()?;
    let most = Limits::of(&grant);
    let messages_max = if random.one_in(4) { 1 + random.below(usize::from(most.messages_max)) as u8 } else { most.messages_max };
    // 192.0.2.0/24 is for documentation (RFC 5737): nobody is there.
    let endpoint = Endpoint::Tcp(([192, 0, 2, 1], 20_000).into());
    Ok((Permit::new(endpoint, grant, "generated", Limits { messages_max, ..most })?, asked))
}

struct Frames {
    asked: Dnp3,
    /// Variations of the READs that may leave, and those that did.
    reads: Vec<Vec<u8>>,
    done: Vec<Vec<u8>>,
    acks: u8,
    states: u8,
    confirmed: bool,
}

impl Writer for Frames {
    fn allowed(&mut self, random: &mut Random) -> Option<Vec<u8>> {
        let count = self.reads.len();
        match random.below(8) {
            0 | 1 if self.acks.min(self.states) < REPLIES_MAX => self.reply(random),
            2 if self.asked.confirm_unsolicited && !self.confirmed => {
                self.confirmed = true;
                let user = [0xc0 | random.byte() >> 2, 0xd0 | random.byte() >> 4, 0];
                Some(self.frame(0xc4, &user))
            }
            _ if count > 0 => {
                let read = self.reads.remove(random.below(count));
                self.done.push(read.clone());
                let user = user(random, 1, &read);
                Some(self.frame(0xc4, &user))
            }
            _ => self.reply(random),
        }
    }

    fn before(&mut self, random: &mut Random, cell: &str) -> Option<Vec<u8>> {
        if cell != "read twice" || self.reads.is_empty() {
            return None;
        }
        let read = self.reads.remove(0);
        self.done.push(read.clone());
        let user = user(random, 1, &read);
        Some(self.frame(0xc4, &user))
    }

    fn forbidden(&mut self, random: &mut Random, cell: &str) -> Vec<u8> {
        let read = user(random, 1, if self.asked.all { &[254] } else { &[242] });
        match cell {
            "link function" => self.link(random, &read),
            "destination" | "broadcast" | "source" => self.address(random, cell, &read),
            "function" => {
                // CONFIRM is a cell of its own.
                let function = if random.one_in(4) { 0x22 + random.below(0xde) as u8 } else { 2 + random.below(0x20) as u8 };
                let user = user(random, function, &[242]);
                let objects = if random.one_in(3) { 3 } else { user.len() };
                self.frame(0xc4, &user[..objects])
            }
            "confirm a response" => {
                let user = [0xc0 | random.byte() >> 2, 0xc0 | random.byte() >> 4, 0];
                self.frame(0xc4, &user)
            }
            // Where the owner consents, one with objects: there is no such thing.
            "confirm without consent" => {
                let mut user = vec![0xc0, 0xd0 | random.byte() >> 4, 0];
                user.extend(if self.asked.confirm_unsolicited { &[0, 242, 0, 0, 0][..] } else { &[] });
                self.frame(0xc4, &user)
            }
            "read twice" => {
                let read = self.done.first().cloned().unwrap_or_else(|| vec![255]);
                let user = user(random, 1, &read);
                self.frame(0xc4, &user)
            }
            "header check" | "block check" | "length" | "bytes behind the frame" => self.torn(random, cell, &read),
            _ => {
                let user = changed(random, cell, read);
                self.frame(0xc4, &user)
            }
        }
    }
}

impl Frames {
    /// A short answer, as long as there may be one.
    fn reply(&mut self, random: &mut Random) -> Option<Vec<u8>> {
        let (control, count) = match (self.acks < REPLIES_MAX, self.states < REPLIES_MAX) {
            (true, both) if !both || random.one_in(2) => (0x80, &mut self.acks),
            (_, true) => (0x8b, &mut self.states),
            _ => return None,
        };
        *count += 1;
        Some(self.frame(control, &[]))
    }

    fn frame(&self, control: u8, user: &[u8]) -> Vec<u8> {
        framed(control, self.asked.outstation, self.asked.master, user)
    }

    /// Anything but unconfirmed user data, acknowledgement and link state.
    fn link(&self, random: &mut Random, read: &[u8]) -> Vec<u8> {
        let named = [0xc0, 0xc1, 0xd2, 0xf2, 0xd3, 0xf3, 0xc9, 0x81, 0x8e, 0x8f, 0x44, 0x00, 0x0b];
        let control = if random.one_in(2) { named[random.below(named.len())] } else { random.other_than(&[0xc4, 0x80, 0x8b]) };
        self.frame(control, if random.one_in(2) { read } else { &[] })
    }

    fn address(&self, random: &mut Random, cell: &str, read: &[u8]) -> Vec<u8> {
        let Dnp3 { master, outstation, .. } = self.asked;
        let control = [0xc4, 0x80, 0x8b][random.below(3)];
        let user = if control == 0xc4 { read } else { &[] };
        match cell {
            "destination" => framed(control, outstation ^ random.change(), master, user),
            "broadcast" => framed(control, 0xfff0 + random.below(16) as u16, master, user),
            _ => framed(control, outstation, master ^ random.change(), user),
        }
    }

    /// A frame that may leave, but for what frames it.
    fn torn(&self, random: &mut Random, cell: &str, read: &[u8]) -> Vec<u8> {
        let mut frame = self.frame(0xc4, read);
        match cell {
            "header check" => frame[8 + random.below(2)] ^= random.change().to_be_bytes()[1].max(1),
            "block check" => {
                let end = frame.len();
                frame[end - 1 - random.below(2)] ^= random.change().to_be_bytes()[1].max(1);
            }
            "length" => {
                frame[2] = random.other_than(&[frame[2]]);
                let sum = sum(&frame[..8]);
                frame[8..10].copy_from_slice(&sum);
            }
            _ => {
                let more = 1 + random.below(8);
                let mut user = read.to_vec();
                user.extend((0..more).map(|_| random.byte()));
                return self.frame(0xc4, &user);
            }
        }
        frame
    }
}

/// A READ whose user data breaks this cell.
fn changed(random: &mut Random, cell: &str, mut user: Vec<u8>) -> Vec<u8> {
    match cell {
        "transport" => user[0] &= [0x3f, 0x7f, 0xbf][random.below(3)],
        // Not alone, or with the demand to be confirmed, or unsolicited.
        "application control" if random.one_in(2) => user[1] ^= [0x80, 0x40, 0xc0][random.below(3)],
        "application control" => user[1] |= [0x10, 0x20, 0x30][random.below(3)],
        "group" => {
            let group = [60, 30, 10, 12, 50, 70, 80, 110, 120][random.below(9)];
            user[3] = if random.one_in(2) { group } else { random.other_than(&[0]) };
        }
        "variation" => user[4] = random.other_than(&[242, 243, 248, 250, 252, 254]),
        "qualifier" => {
            user[5] = random.other_than(&[0]);
            user.truncate([6, 7, 8][random.below(3)]);
        }
        "range" => user[6 + random.below(2)] = 1 + random.below(255) as u8,
        "more objects" => {
            let variations: &[&[u8]] =
                &[&[242, 243], &[252, 250, 248, 243, 242, 242], &[242, 243, 248, 250, 252], &[254, 242], &[242, 255]];
            let variations = variations[random.below(variations.len())];
            user.truncate(3);
            user.extend(objects(variations));
        }
        "fewer objects" => {
            let all = [252, 250, 248, 243, 242];
            user.truncate(3);
            user.extend(objects(&all[..[0, 2, 3, 4][random.below(4)]]));
        }
        // Where all were granted, a list of them, which never may leave.
        _ => user[4] = if user[4] == 254 { 255 } else { 254 },
    }
    user
}

/// Transport header, application header, objects.
fn user(random: &mut Random, function: u8, variations: &[u8]) -> Vec<u8> {
    let mut user = vec![0xc0 | random.byte() >> 2, 0xc0 | random.byte() >> 4, function];
    user.extend(objects(variations));
    user
}

fn objects(variations: &[u8]) -> Vec<u8> {
    variations.iter().flat_map(|variation| [0, *variation, 0, 0, 0]).collect()
}

fn framed(control: u8, to: u16, from: u16, user: &[u8]) -> Vec<u8> {
    let mut frame = vec![5, 0x64, (user.len() as u8).wrapping_add(5), control];
    frame.extend(to.to_le_bytes());
    frame.extend(from.to_le_bytes());
    frame.extend(sum(&frame));
    for block in user.chunks(16) {
        frame.extend_from_slice(block);
        frame.extend(sum(block));
    }
    frame
}

/// Clause 9.2.4.1.6 by polynomial division, highest bit first: not the way the guard does it.
fn sum(bytes: &[u8]) -> [u8; 2] {
    let mut rest = 0_u16;
    for byte in bytes {
        rest ^= u16::from(byte.reverse_bits()) << 8;
        for _ in 0..8 {
            rest = if rest & 0x8000 != 0 { rest << 1 ^ 0x3d65 } else { rest << 1 };
        }
    }
    (!rest.reverse_bits()).to_le_bytes()
}
