//! Seeded conversations of messages that may leave and messages that must not, from every cell of the allowlist's row: for `nameplate prove` and for
//! tests. Written from read-only.md without a look at the table. The label says what was meant; whether it holds is for an independent dissector to say.

use std::time::Duration;

use super::{Grants, Judge, Permit, QUANTITY_MAX, REQUESTS_MAX, Refused, Registers};

/// What a forbidden message breaks. Conversation `n` breaks cell `n % 19` first, so that none stays untried.
pub const CELLS: [&str; 19] = [
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
    "request too many",
    "pipelined",
    "random bytes",
];

/// Function codes that change a device, or that the row names as never leaving.
const WRITES: [u8; 20] =
    [0x05, 0x06, 0x08, 0x0f, 0x10, 0x14, 0x15, 0x16, 0x17, 0x18, 0x5a, 0x41, 0x42, 0x45, 0x48, 0x64, 0x68, 0x6a, 0x6c, 0x6e];

/// One message of a conversation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Made {
    /// Its bytes.
    pub bytes: Vec<u8>,
    /// What was meant by it.
    pub label: Label,
    /// False where it is written before the answer to the one before it was read.
    pub after_answer: bool,
}

/// What was meant by a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Label {
    /// It may leave.
    Allowed,
    /// The first that must not, and which of [`CELLS`] it breaks.
    Forbidden(&'static str),
    /// It stands behind the first that must not.
    Behind,
}

/// One connection's worth of messages.
#[derive(Clone, Debug)]
pub struct Conversation {
    /// What the connection may do.
    pub permit: Permit,
    /// What is written into it.
    pub messages: Vec<Made>,
}

impl Conversation {
    /// Number `number` of the conversations of `seed`. The number picks the cell its first forbidden message breaks.
    ///
    /// # Errors
    /// Never for what this module builds; a [`Refused`] permit would be its mistake.
    pub fn generate(seed: u64, number: u64) -> Result<Self, Refused> {
        let mut random = Random(seed ^ number.wrapping_mul(0x9e37_79b9_7f4a_7c15));
        let cell = CELLS[(number % CELLS.len() as u64) as usize];
        let permit = permit(&mut random, cell)?;
        let mut writer = Writer { random, permit: &permit, risen: [None; 5] };
        let mut messages = Vec::new();
        let spare = usize::from(permit.grants().requests_max).saturating_sub(usize::from(cell == "pipelined"));
        let allowed = if cell == "request too many" { spare } else { writer.random.below(spare.saturating_add(1)) };
        for _ in 0..allowed {
            messages.push(Made { bytes: writer.allowed(), label: Label::Allowed, after_answer: true });
        }
        if cell == "pipelined" || (cell == "object not rising" && messages.len() < spare) {
            messages.push(Made { bytes: writer.identification(), label: Label::Allowed, after_answer: true });
        }
        messages.push(Made { bytes: writer.forbidden(cell), label: Label::Forbidden(cell), after_answer: cell != "pipelined" });
        for _ in 0..writer.random.below(4) {
            let other = CELLS[writer.random.below(CELLS.len())];
            let bytes = if writer.random.one_in(2) { writer.allowed() } else { writer.forbidden(other) };
            messages.push(Made { bytes, label: Label::Behind, after_answer: writer.random.one_in(2) });
        }
        Ok(Self { permit, messages })
    }

    /// Hands the messages to a judge, each in one piece, and returns what came out of it and why it stopped.
    #[must_use]
    pub fn survivors(&self) -> (Vec<Vec<u8>>, Option<Refused>) {
        let mut judge = Judge::new(&self.permit);
        let mut out = Vec::new();
        for message in &self.messages {
            if message.after_answer {
                judge.answered();
            }
            let mut rest = message.bytes.as_slice();
            while !rest.is_empty() {
                let Ok(pushed) = judge.push(rest, Duration::ZERO) else { break };
                out.extend(pushed.message.map(|message| message.bytes));
                rest = rest.get(pushed.taken..).unwrap_or_default();
            }
        }
        (out, judge.closed().cloned())
    }
}

/// Cells about what a permit grants need one that does, or does not, grant it.
fn permit(random: &mut Random, cell: &str) -> Result<Permit, Refused> {
    let registers = match cell {
        "registers not granted" => 0,
        "register function" | "register address" | "register quantity" => 1 + random.below(3),
        _ => random.below(4),
    };
    let registers = (0..registers).map(|_| random.registers()).collect();
    let server_id = cell != "server id not granted" && random.one_in(2);
    let requests_max = if random.one_in(4) { 1 + random.below(usize::from(REQUESTS_MAX)) as u8 } else { REQUESTS_MAX };
    let grants = Grants { server_id, registers, no_serial_side: true, requests_max, ..Grants::default() };
    // 192.0.2.0/24 is for documentation (RFC 5737): nobody is there.
    Permit::new(([192, 0, 2, 1], 502).into(), random.byte(), "generated", grants)
}

struct Writer<'a> {
    random: Random,
    permit: &'a Permit,
    /// The last object asked, by read code.
    risen: [Option<u8>; 5],
}

impl Writer<'_> {
    fn adu(&mut self, pdu: &[u8]) -> Vec<u8> {
        let length = (pdu.len() as u16).wrapping_add(1).to_be_bytes();
        let mut adu = vec![self.random.byte(), self.random.byte(), 0, 0, length[0], length[1], self.permit.unit()];
        adu.extend_from_slice(pdu);
        adu
    }

    fn allowed(&mut self) -> Vec<u8> {
        let grants = self.permit.grants();
        match self.random.below(4) {
            0 if grants.server_id => self.adu(&[0x11]),
            1 if !grants.registers.is_empty() => {
                let read = grants.registers[self.random.below(grants.registers.len())];
                self.adu(&pdu(read))
            }
            _ => self.identification(),
        }
    }

    /// 2B/0E with an object that rises; a read code that has come to its end is left for the next. Steps are small enough for eight of them.
    fn identification(&mut self) -> Vec<u8> {
        let code = 1 + self.random.below(4);
        let object = match (code, self.risen[code]) {
            (1, None) => Some(0),
            (1, Some(_)) => None,
            (_, None) => Some(self.random.below(32) as u8),
            (_, Some(last)) => last.checked_add(1 + self.random.below(16) as u8),
        };
        match object {
            Some(object) => {
                self.risen[code] = Some(object);
                self.adu(&[0x2b, 0x0e, code as u8, object])
            }
            None => self.identification(),
        }
    }

    fn forbidden(&mut self, cell: &str) -> Vec<u8> {
        match cell {
            "protocol id" | "length too long" | "length too short" | "bytes behind the message" | "unit" => self.wrong_header(cell),
            "write function" => {
                let pdu = self.write();
                self.adu(&pdu)
            }
            "other function" => {
                let mut pdu = vec![self.random.other_than(&[0x03, 0x04, 0x11, 0x2b])];
                pdu.extend((0..self.random.below(6)).map(|_| self.random.byte()));
                self.adu(&pdu)
            }
            "mei type" => {
                // 2B/0D is CANopen: it can write.
                let mei = if self.random.one_in(2) { 0x0d } else { self.random.other_than(&[0x0e]) };
                self.adu(&[0x2b, mei, 1, 0])
            }
            "read code" => {
                let code = self.random.other_than(&[1, 2, 3, 4]);
                self.adu(&[0x2b, 0x0e, code, 0])
            }
            "basic object" => {
                let object = self.random.other_than(&[0]);
                self.adu(&[0x2b, 0x0e, 1, object])
            }
            "object not rising" => self.not_rising(),
            "server id not granted" => self.adu(&[0x11]),
            "registers not granted" => {
                let read = self.random.registers();
                self.adu(&pdu(read))
            }
            "register function" => self.registers_beside(|read, _| Registers { function: read.function ^ 7, ..read }),
            "register address" => self.registers_beside(|read, by| Registers { address: read.address ^ by, ..read }),
            "register quantity" => self.registers_beside(|read, by| Registers { quantity: read.quantity ^ by, ..read }),
            "random bytes" => (0..=self.random.below(24)).map(|_| self.random.byte()).collect(),
            // "request too many" and "pipelined": the message itself may leave, only not now.
            _ => self.allowed(),
        }
    }

    /// A message that may leave, but for its header.
    fn wrong_header(&mut self, cell: &str) -> Vec<u8> {
        let mut adu = self.allowed();
        match cell {
            "protocol id" => adu[2 + self.random.below(2)] = self.random.change().to_be_bytes()[1].max(1),
            "length too long" if self.random.one_in(4) => adu[4] = 1 + self.random.below(255) as u8,
            "length too long" => adu[5] = adu[5].wrapping_add(1 + self.random.below(200) as u8),
            "length too short" => adu[5] = self.random.below(usize::from(adu[5])) as u8,
            "unit" => adu[6] ^= self.random.change().to_be_bytes()[1].max(1),
            _ => {
                let more = 1 + self.random.below(8);
                adu.extend((0..more).map(|_| self.random.byte()));
                adu[5] = adu[5].wrapping_add(more as u8);
            }
        }
        adu
    }

    fn write(&mut self) -> Vec<u8> {
        let function = WRITES[self.random.below(WRITES.len())];
        let mut pdu = vec![function];
        let more = match function {
            0x05 | 0x06 | 0x08 => 4,
            0x0f | 0x10 => 5 + self.random.below(20),
            _ => self.random.below(12),
        };
        pdu.extend((0..more).map(|_| self.random.byte()));
        pdu
    }

    /// An object that was asked before with its read code, or one below it.
    fn not_rising(&mut self) -> Vec<u8> {
        let asked: Vec<(u8, u8)> = (1..=4_u8).filter_map(|code| Some((code, self.risen[usize::from(code)]?))).collect();
        if asked.is_empty() {
            // Nothing was asked: a basic read from another object can never be a continuation.
            return self.adu(&[0x2b, 0x0e, 1, 1]);
        }
        let (code, last) = asked[self.random.below(asked.len())];
        let object = self.random.below(usize::from(last).saturating_add(1)) as u8;
        self.adu(&[0x2b, 0x0e, code, object])
    }

    /// One of the granted reads, changed so that none of them is met.
    fn registers_beside(&mut self, change: impl Fn(Registers, u16) -> Registers) -> Vec<u8> {
        let granted = &self.permit.grants().registers;
        let Some(read) = granted.get(self.random.below(granted.len().max(1))) else {
            return self.adu(&[0x03, 0, 0, 0, QUANTITY_MAX as u8 + 1]);
        };
        let mut other = change(*read, self.random.change());
        // With two reads granted, the other function of the first may be the second.
        while granted.contains(&other) {
            other.address = other.address.wrapping_add(1);
        }
        self.adu(&pdu(other))
    }
}

fn pdu(read: Registers) -> [u8; 5] {
    let [address, quantity] = [read.address.to_be_bytes(), read.quantity.to_be_bytes()];
    [read.function, address[0], address[1], quantity[0], quantity[1]]
}

/// splitmix64 (Steele, Lea, Flood: Fast splittable pseudorandom number generators, 2014).
#[derive(Clone, Debug)]
pub struct Random(pub u64);

impl Random {
    /// The next 64 bits.
    pub const fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number below `limit`; 0 where the limit is 0. The bias of the modulus is of no consequence here.
    pub const fn below(&mut self, limit: usize) -> usize {
        if limit == 0 { 0 } else { (self.next() % limit as u64) as usize }
    }

    /// True once in `n` times.
    pub const fn one_in(&mut self, n: usize) -> bool {
        self.below(n) == 0
    }

    /// Any byte.
    pub const fn byte(&mut self) -> u8 {
        self.next().to_be_bytes()[0]
    }

    /// Bits to flip, at least one; half of the time exactly one, because near misses are what a mask lets through.
    const fn change(&mut self) -> u16 {
        if self.one_in(2) { 1 << self.below(16) } else { 1 + self.below(0xffff) as u16 }
    }

    fn other_than(&mut self, not: &[u8]) -> u8 {
        loop {
            let byte = self.byte();
            if !not.contains(&byte) {
                return byte;
            }
        }
    }

    fn registers(&mut self) -> Registers {
        Registers {
            function: 3 + self.below(2) as u8,
            address: self.below(60_000) as u16,
            quantity: 1 + self.below(usize::from(QUANTITY_MAX)) as u16,
        }
    }
}
