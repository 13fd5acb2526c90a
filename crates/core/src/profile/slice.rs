//! Parts of a block of registers, as profiles name them: `modbus.register[69:20]`, `modbus.register[1637:3].words`.
//!
//! The number is the first register as it stands on the wire (from 0), behind the colon stands how many, 1 where nothing does; behind the dot how
//! they are written out, as text where nothing does. `modbus.input_register[..]` is the same of input registers (function 4).

use nameplate_wire::{Fact, Reading, Shape};

/// How registers are written out.
const FORMS: [(&str, Shape); 8] = [
    ("", Shape::Text),
    (".number", Shape::Number),
    (".words", Shape::DottedWords),
    (".letter-dotted", Shape::LetterDotted),
    (".digits", Shape::DigitsPoint),
    (".letter", Shape::Letter),
    (".hundredths", Shape::Hundredths),
    (".tens-letter", Shape::TensLetter),
];
/// Names of registers in profiles, and of blocks of them among facts.
const KINDS: [(&str, &str); 2] = [("register", "registers"), ("input_register", "input_registers")];
/// What one read can hold (MODBUS Application Protocol V1.1b3, 6.3).
const REGISTERS_MAX: u16 = 125;

/// Registers of a block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Slice {
    /// Blocks of which kind: `registers`.
    blocks: &'static str,
    address: u16,
    quantity: u16,
    shape: Shape,
}

impl Slice {
    /// Reads a name behind the protocol's: `register[69:20]`; `None` where it is no such name.
    #[must_use]
    pub fn read(name: &str) -> Option<Self> {
        let (kind, rest) = name.split_once('[')?;
        let (registers, form) = rest.split_once(']')?;
        let &(_, blocks) = KINDS.iter().find(|(known, _)| *known == kind)?;
        let &(_, shape) = FORMS.iter().find(|(known, _)| *known == form)?;
        let (address, quantity) = registers.split_once(':').unwrap_or((registers, "1"));
        let (address, quantity) = (address.parse().ok()?, quantity.parse().ok()?);
        let is_one = (1..=REGISTERS_MAX).contains(&quantity) && u32::from(address) + u32::from(quantity) <= 1 << 16;
        is_one.then_some(Self { blocks, address, quantity, shape })
    }

    /// The registers out of the block that holds them all, as a fact of this name.
    #[must_use]
    pub fn of(self, reading: &Reading, name: &str) -> Option<Fact> {
        let beginning = format!("{}.{}.", reading.protocol, self.blocks);
        let part = |fact: &Fact| {
            let address: u16 = fact.path.strip_prefix(&beginning)?.parse().ok()?;
            let from = usize::from(self.address.checked_sub(address)?) * 2;
            let bytes = fact.bytes.get(from..from + usize::from(self.quantity) * 2)?.to_vec();
            let path = format!("{}.{name}", reading.protocol);
            Some(Fact { path, bytes, shape: self.shape, message: fact.message, offset: fact.offset + from })
        };
        reading.facts.iter().find_map(part)
    }
}

#[cfg(test)]
mod tests {
    use nameplate_wire::conversation::Over;
    use nameplate_wire::{Address, Message};

    use super::*;
    use crate::text::decode_fact;

    /// Registers 10 to 13 of a device.
    fn check(name: &str, registers: [u16; 4], expected: Option<Result<&str, ()>>) {
        let mut reading = Reading::new("modbus", Over::Tcp, "modbus.registers", Address::default());
        let bytes: Vec<u8> = [0, 0].into_iter().chain(registers.iter().flat_map(|register| register.to_be_bytes())).collect();
        reading.messages.push(Message { frame: 1, time_ns: 0, bytes });
        reading.fact("modbus.registers.10", Shape::Hex, 2..10);
        let said = Slice::read(name).and_then(|slice| slice.of(&reading, name)).map(|fact| {
            assert_eq!(reading.messages[0].bytes.get(fact.offset..fact.offset + fact.bytes.len()), Some(fact.bytes.as_slice()), "{name}");
            decode_fact(fact.shape, &fact.bytes).map_err(|_| ())
        });
        assert_eq!(said, expected.map(|said| said.map(str::to_owned)), "{name}");
    }

    #[test]
    fn registers_are_cut_out_of_their_block_and_written_out_as_they_are_named() {
        let text = [0x5061, 0x4320, 0x3332, 0x0000];
        check("register[10:4]", text, Some(Ok("PaC 32")));
        check("register[12]", text, Some(Ok("32")));
        check("register[11:3].words", [7, 2, 10, 405], Some(Ok("2.10.405")));
        check("register[12:2].number", [0, 0, 1, 2], Some(Ok("65538")));
        check("register[13:1].number", [0, 0, 0, 601], Some(Ok("601")));
        // F14 of the 750/760's list: "Revision 2.83 stored as 0283 hex"; the tens of a major number stand in the first digit.
        check("register[10].digits", [0x0283, 0, 0, 0], Some(Ok("2.83")));
        check("register[10].digits", [0x0740, 0, 0, 0], Some(Ok("7.40")));
        check("register[10].digits", [0x02a3, 0, 0, 0], Some(Err(())));
        // F001 of the UR's list, with a step of 0.01.
        check("register[10].hundredths", [601, 0, 0, 0], Some(Ok("6.01")));
        check("register[10].hundredths", [760, 0, 0, 0], Some(Ok("7.60")));
        // F21 of the P92x's list: "10: version 1.A, 11: version 1.B, 20: version 2.A".
        check("register[10].tens-letter", [10, 0, 0, 0], Some(Ok("1.A")));
        check("register[10].tens-letter", [11, 0, 0, 0], Some(Ok("1.B")));
        check("register[10].tens-letter", [20, 0, 0, 0], Some(Ok("2.A")));
        check("register[10].tens-letter", [9, 0, 0, 0], Some(Err(())));
        check("register[10].tens-letter", [100, 0, 0, 0], Some(Err(())));
        // F13: 1 is A, 26 is Z.
        check("register[10].letter", [1, 0, 0, 0], Some(Ok("A")));
        check("register[10].letter", [26, 0, 0, 0], Some(Ok("Z")));
        check("register[10].letter", [0, 0, 0, 0], Some(Err(())));
        check("register[10].letter", [27, 0, 0, 0], Some(Err(())));
        // "1 char, 3 unsigned char": V 3.2.6.
        check("register[12:2].letter-dotted", [0, 0, 0x5603, 0x0206], Some(Ok("V3.2.6")));
    }

    #[test]
    fn what_is_not_all_there_and_names_that_are_none_are_nothing() {
        for name in ["register[9]", "register[14]", "register[10:5]", "register[13:2]", "input_register[10]"] {
            check(name, [1; 4], None);
        }
        for name in [
            "register",
            "register[10",
            "register[10:0]",
            "register[10:126]",
            "register[65535:2]",
            "register[-1]",
            "register[10].hex",
            "coil[10]",
        ] {
            assert_eq!(Slice::read(name), None, "{name}");
        }
    }
}
