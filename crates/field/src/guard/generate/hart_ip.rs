//! HART-IP.

use super::{Granted, Maker, Random, Writer};
use crate::guard::{Endpoint, HartIp, Limits, Permit, Refused};

/// HART-IP's way.
pub static MAKER: Maker = Maker {
    protocol: "hart-ip",
    cells: &[
        "version",
        "message type",
        "message id",
        "status",
        "length",
        "primary session",
        "inactivity",
        "polling address",
        "primary master",
        "delimiter",
        "command",
        "byte count",
        "check",
        "io system not granted",
        "sub-device not granted",
        "sub-device",
        "message twice",
        "bytes behind the message",
    ],
    start: |random, cell| {
        let (permit, asked) = permit(random, cell)?;
        let mut waiting = vec![Kind::Initiate, Kind::Poll, Kind::Long(13), Kind::Long(20)];
        waiting.extend(asked.io_system.then_some(Kind::Long(74)));
        // The session's end is no message too many.
        waiting.extend((cell != "request too many").then_some(Kind::Close));
        waiting.extend(asked.sub_devices.iter().map(|index| Kind::SubDevice(*index)));
        Ok((permit, Granted::HartIp(asked.clone()), Box::new(Messages { asked, waiting, done: Vec::new() })))
    },
};

/// Messages that may leave.
#[derive(Clone, Copy)]
enum Kind {
    Initiate,
    Poll,
    Long(u8),
    SubDevice(u16),
    Close,
}

/// Commands that write, reset, burst or lock, or that the row names as never leaving.
const WRITES: [u8; 24] = [6, 17, 18, 19, 22, 33, 34, 35, 36, 37, 38, 39, 40, 42, 43, 45, 46, 59, 71, 77, 79, 103, 108, 109];

fn permit(random: &mut Random, cell: &str) -> Result<(Permit, HartIp), Refused> {
    let count = match cell {
        "sub-device not granted" => 0,
        "sub-device" => 1 + random.below(2),
        _ => random.below(3),
    };
    let sub_devices = (0..count).map(|_| random.below(1 << 16) as u16).collect();
    let io_system = cell != "io system not granted" && random.one_in(2);
    let asked = HartIp { polling: random.below(64) as u8, io_system, sub_devices };
    let grant = asked.grant()?;
    let most = Limits::of(&grant);
    // So few that there are as many messages that may leave.
    let few = 1 + random.below(4) as u8;
    let messages_max = if cell == "request too many" || random.one_in(4) { few } else { most.messages_max };
    // 192.0.2.0/24 is for documentation (RFC 5737): nobody is there.
    let endpoint = Endpoint::Tcp(([192, 0, 2, 1], 5094).into());
    Ok((Permit::new(endpoint, grant, "generated", Limits { messages_max, ..most })?, asked))
}

struct Messages {
    asked: HartIp,
    waiting: Vec<Kind>,
    done: Vec<Kind>,
}

impl Writer for Messages {
    fn allowed(&mut self, random: &mut Random) -> Option<Vec<u8>> {
        if self.waiting.is_empty() {
            return None;
        }
        let kind = self.waiting.remove(random.below(self.waiting.len()));
        self.done.push(kind);
        Some(self.write(random, kind))
    }

    fn before(&mut self, random: &mut Random, cell: &str) -> Option<Vec<u8>> {
        let at = self.waiting.iter().position(|kind| !matches!(kind, Kind::SubDevice(_))).filter(|_| cell == "message twice")?;
        let kind = self.waiting.remove(at);
        self.done.insert(0, kind);
        Some(self.write(random, kind))
    }

    fn forbidden(&mut self, random: &mut Random, cell: &str) -> Vec<u8> {
        let long = Kind::Long(if random.one_in(2) { 13 } else { 20 });
        match cell {
            "message twice" => match self.done.first() {
                Some(kind) if !matches!(kind, Kind::SubDevice(_)) => self.write(random, *kind),
                _ => message(random, 2, &[]),
            },
            "primary session" => {
                let master = random.other_than(&[0]);
                message(random, 0, &[master, 0, 0, 0x4e, 0x20])
            }
            "inactivity" => {
                let [upper, lower] = (20_000 ^ random.change()).to_be_bytes();
                message(random, 0, &[0, 0, 0, upper, lower])
            }
            "message id" => {
                // Keep alive, direct PDUs, the audit log.
                let id = if random.one_in(2) { [2, 4, 5][random.below(3)] } else { random.other_than(&[0, 1, 3]) };
                message(random, id, &[0x82, 0x26, 0x4e, 0, 0, 0xd2, 13, 0, 0])
            }
            "polling address" => {
                let polling = random.other_than(&[self.asked.polling]);
                passed_on(random, &[0x02, polling, 0, 0])
            }
            "primary master" => {
                let first = random.byte() & 0x3f | [0x80, 0x40, 0xc0][random.below(3)];
                let command = if random.one_in(2) { 13 } else { 20 };
                self.long(random, first, command)
            }
            "command" => self.other_command(random),
            "io system not granted" if !self.asked.io_system => self.write(random, Kind::Long(74)),
            "sub-device not granted" if self.asked.sub_devices.is_empty() => self.write(random, Kind::SubDevice(1)),
            "sub-device" | "io system not granted" | "sub-device not granted" => {
                let index = loop {
                    let index = random.below(1 << 16) as u16;
                    if !self.asked.sub_devices.contains(&index) {
                        break index;
                    }
                };
                self.write(random, Kind::SubDevice(index))
            }
            _ => {
                let message = self.write(random, long);
                changed(random, cell, message)
            }
        }
    }
}

impl Messages {
    fn write(&self, random: &mut Random, kind: Kind) -> Vec<u8> {
        let first = random.byte() & 0x3f;
        match kind {
            Kind::Initiate => message(random, 0, &[0, 0, 0, 0x4e, 0x20]),
            Kind::Close => message(random, 1, &[]),
            Kind::Poll => passed_on(random, &[0x02, self.asked.polling, 0, 0]),
            Kind::Long(command) => self.long(random, first, command),
            Kind::SubDevice(index) => {
                let [upper, lower] = index.to_be_bytes();
                let frame = [0x82, first, random.byte(), random.byte(), random.byte(), random.byte(), 84, 2, upper, lower];
                passed_on(random, &frame)
            }
        }
    }

    fn long(&self, random: &mut Random, first: u8, command: u8) -> Vec<u8> {
        let frame = [0x82, first, random.byte(), random.byte(), random.byte(), random.byte(), command, 0];
        passed_on(random, &frame)
    }

    /// Half of the time one that changes the instrument; half of the time with data.
    fn other_command(&self, random: &mut Random) -> Vec<u8> {
        let command = if random.one_in(2) { WRITES[random.below(WRITES.len())] } else { random.other_than(&[0, 13, 20, 74, 84]) };
        if random.one_in(3) {
            return passed_on(random, &[0x02, self.asked.polling, command, 0]);
        }
        let count = if random.one_in(2) { 0 } else { random.below(25) };
        let mut frame = vec![0x82, random.byte() & 0x3f, random.byte(), random.byte(), random.byte(), random.byte(), command, count as u8];
        frame.extend((0..count).map(|_| random.byte()));
        passed_on(random, &frame)
    }
}

/// A message that may leave, changed in this cell.
fn changed(random: &mut Random, cell: &str, mut message: Vec<u8>) -> Vec<u8> {
    let other = random.change().to_be_bytes()[1].max(1);
    let end = message.len() - 1;
    match cell {
        "version" => message[0] ^= other,
        "message type" => message[1] = if random.one_in(2) { [1, 2, 15][random.below(3)] } else { message[1] ^ other },
        "status" => message[3] ^= other,
        "length" => message[6 + random.below(2)] ^= other,
        "check" => message[end] ^= other,
        "delimiter" => {
            message[8] ^= other;
            message[end] ^= other;
        }
        "byte count" => {
            message[15] ^= other;
            message[end] ^= other;
        }
        _ => {
            let more = 1 + random.below(8);
            message.extend((0..more).map(|_| random.byte()));
            message[7] += more as u8;
        }
    }
    message
}

fn message(random: &mut Random, id: u8, body: &[u8]) -> Vec<u8> {
    let mut message = vec![1, 0, id, 0, random.byte(), random.byte(), 0, 8 + body.len() as u8];
    message.extend_from_slice(body);
    message
}

fn passed_on(random: &mut Random, frame: &[u8]) -> Vec<u8> {
    let mut check = 0;
    frame.iter().for_each(|byte| check ^= byte);
    message(random, 3, &[frame, &[check]].concat())
}
