//! Modbus TCP.

use super::{Granted, Maker, Random, Writer};
use crate::guard::{Endpoint, Limits, Modbus, Permit, QUANTITY_MAX, Refused, Registers};

/// Modbus TCP's way.
pub static MAKER: Maker = Maker {
    protocol: "modbus",
    cells: &[
        "protocol id",
        "length too long",
        "length too short",
        "bytes behind the message",
        "unit",
        "write function",
        "other function",
        "mei type",
        "read code",
        "basic object",
        "object not rising",
        "server id not granted",
        "registers not granted",
        "register function",
        "register address",
        "register quantity",
    ],
    start: |random, cell| {
        let (permit, asked) = permit(random, cell)?;
        let writer = Adus { asked: asked.clone(), risen: [None; 5] };
        Ok((permit, Granted::Modbus(asked), Box::new(writer)))
    },
};

/// Function codes that change a device, or that the row names as never leaving.
const WRITES: [u8; 20] =
    [0x05, 0x06, 0x08, 0x0f, 0x10, 0x14, 0x15, 0x16, 0x17, 0x18, 0x5a, 0x41, 0x42, 0x45, 0x48, 0x64, 0x68, 0x6a, 0x6c, 0x6e];

/// Cells about what a permit grants need one that does, or does not, grant it.
fn permit(random: &mut Random, cell: &str) -> Result<(Permit, Modbus), Refused> {
    let count = match cell {
        "registers not granted" => 0,
        "register function" | "register address" | "register quantity" => 1 + random.below(3),
        _ => random.below(4),
    };
    let registers = (0..count).map(|_| registers(random)).collect();
    let server_id = cell != "server id not granted" && random.one_in(2);
    let asked = Modbus { unit: random.byte(), server_id, registers, no_serial_side: true };
    let grant = asked.grant()?;
    let most = Limits::of(&grant);
    let messages_max = if random.one_in(4) { 1 + random.below(usize::from(most.messages_max)) as u8 } else { most.messages_max };
    // 192.0.2.0/24 is for documentation (RFC 5737): nobody is there.
    let endpoint = Endpoint::Tcp(([192, 0, 2, 1], 502).into());
    Ok((Permit::new(endpoint, grant, "generated", Limits { messages_max, ..most })?, asked))
}

struct Adus {
    asked: Modbus,
    /// The last object asked, by read code.
    risen: [Option<u8>; 5],
}

impl Writer for Adus {
    fn allowed(&mut self, random: &mut Random) -> Option<Vec<u8>> {
        Some(match random.below(4) {
            0 if self.asked.server_id => self.adu(random, &[0x11]),
            1 if !self.asked.registers.is_empty() => {
                let read = self.asked.registers[random.below(self.asked.registers.len())];
                self.adu(random, &pdu(read))
            }
            _ => self.identification(random),
        })
    }

    fn before(&mut self, random: &mut Random, cell: &str) -> Option<Vec<u8>> {
        (cell == "object not rising").then(|| self.identification(random))
    }

    fn forbidden(&mut self, random: &mut Random, cell: &str) -> Vec<u8> {
        match cell {
            "write function" => {
                let pdu = write(random);
                self.adu(random, &pdu)
            }
            "other function" => {
                let mut pdu = vec![random.other_than(&[0x03, 0x04, 0x11, 0x2b])];
                pdu.extend((0..random.below(6)).map(|_| random.byte()));
                self.adu(random, &pdu)
            }
            "mei type" => {
                // 2B/0D is CANopen: it can write.
                let mei = if random.one_in(2) { 0x0d } else { random.other_than(&[0x0e]) };
                self.adu(random, &[0x2b, mei, 1, 0])
            }
            "read code" => {
                let code = random.other_than(&[1, 2, 3, 4]);
                self.adu(random, &[0x2b, 0x0e, code, 0])
            }
            "basic object" => {
                let object = random.other_than(&[0]);
                self.adu(random, &[0x2b, 0x0e, 1, object])
            }
            "object not rising" => self.not_rising(random),
            "server id not granted" => self.adu(random, &[0x11]),
            "registers not granted" => {
                let read = registers(random);
                self.adu(random, &pdu(read))
            }
            "register function" => self.registers_beside(random, |read, _| Registers { function: read.function ^ 7, ..read }),
            "register address" => self.registers_beside(random, |read, by| Registers { address: read.address ^ by, ..read }),
            "register quantity" => self.registers_beside(random, |read, by| Registers { quantity: read.quantity ^ by, ..read }),
            header => self.wrong_header(random, header),
        }
    }
}

impl Adus {
    fn adu(&self, random: &mut Random, pdu: &[u8]) -> Vec<u8> {
        let length = (pdu.len() as u16).wrapping_add(1).to_be_bytes();
        let mut adu = vec![random.byte(), random.byte(), 0, 0, length[0], length[1], self.asked.unit];
        adu.extend_from_slice(pdu);
        adu
    }

    /// 2B/0E with an object that rises; a read code that has come to its end is left for the next. Steps are small enough for eight of them.
    fn identification(&mut self, random: &mut Random) -> Vec<u8> {
        let code = 1 + random.below(4);
        let object = match (code, self.risen[code]) {
            (1, None) => Some(0),
            (1, Some(_)) => None,
            (_, None) => Some(random.below(32) as u8),
            (_, Some(last)) => last.checked_add(1 + random.below(16) as u8),
        };
        match object {
            Some(object) => {
                self.risen[code] = Some(object);
                self.adu(random, &[0x2b, 0x0e, code as u8, object])
            }
            None => self.identification(random),
        }
    }

    /// A message that may leave, but for its header.
    fn wrong_header(&mut self, random: &mut Random, cell: &str) -> Vec<u8> {
        let mut adu = self.allowed(random).unwrap_or_default();
        match cell {
            "protocol id" => adu[2 + random.below(2)] = random.change().to_be_bytes()[1].max(1),
            "length too long" if random.one_in(4) => adu[4] = 1 + random.below(255) as u8,
            "length too long" => adu[5] = adu[5].wrapping_add(1 + random.below(200) as u8),
            "length too short" => adu[5] = random.below(usize::from(adu[5])) as u8,
            "unit" => adu[6] ^= random.change().to_be_bytes()[1].max(1),
            _ => {
                let more = 1 + random.below(8);
                adu.extend((0..more).map(|_| random.byte()));
                adu[5] = adu[5].wrapping_add(more as u8);
            }
        }
        adu
    }

    /// An object that was asked before with its read code, or one below it.
    fn not_rising(&mut self, random: &mut Random) -> Vec<u8> {
        let asked: Vec<(u8, u8)> = (1..=4_u8).filter_map(|code| Some((code, self.risen[usize::from(code)]?))).collect();
        if asked.is_empty() {
            // Nothing was asked: a basic read from another object can never be a continuation.
            return self.adu(random, &[0x2b, 0x0e, 1, 1]);
        }
        let (code, last) = asked[random.below(asked.len())];
        let object = random.below(usize::from(last).saturating_add(1)) as u8;
        self.adu(random, &[0x2b, 0x0e, code, object])
    }

    /// One of the granted reads, changed so that none of them is met.
    fn registers_beside(&self, random: &mut Random, change: impl Fn(Registers, u16) -> Registers) -> Vec<u8> {
        let granted = &self.asked.registers;
        let Some(read) = granted.get(random.below(granted.len().max(1))) else {
            return self.adu(random, &[0x03, 0, 0, 0, QUANTITY_MAX as u8 + 1]);
        };
        let mut other = change(*read, random.change());
        // With two reads granted, the other function of the first may be the second.
        while granted.contains(&other) {
            other.address = other.address.wrapping_add(1);
        }
        self.adu(random, &pdu(other))
    }
}

fn write(random: &mut Random) -> Vec<u8> {
    let function = WRITES[random.below(WRITES.len())];
    let mut pdu = vec![function];
    let more = match function {
        0x05 | 0x06 | 0x08 => 4,
        0x0f | 0x10 => 5 + random.below(20),
        _ => random.below(12),
    };
    pdu.extend((0..more).map(|_| random.byte()));
    pdu
}

fn pdu(read: Registers) -> [u8; 5] {
    let [address, quantity] = [read.address.to_be_bytes(), read.quantity.to_be_bytes()];
    [read.function, address[0], address[1], quantity[0], quantity[1]]
}

fn registers(random: &mut Random) -> Registers {
    Registers {
        function: 3 + random.below(2) as u8,
        address: random.below(60_000) as u16,
        quantity: 1 + random.below(usize::from(QUANTITY_MAX)) as u16,
    }
}
