//! The questions we may put, and how they are recognised when somebody else puts them.

use super::{
    FUNCTION_ENCAPSULATED, FUNCTION_HOLDING_REGISTERS, FUNCTION_SERVER_ID, MBAP_BYTES, MEI_IDENTIFICATION, Mbap, registers, sunspec,
};

/// A read-only identity question.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Question {
    /// Function 43/14 with its read code (1 basic, 2 regular, 3 extended, 4 one object) and the object to start at.
    Identification {
        /// Read Device ID code, clause 6.21.
        code: u8,
        /// Object to start with, or the object itself for code 4.
        object: u8,
    },
    /// Function 17, Report Server ID.
    ServerId,
    /// Function 3, the registers of SunSpec's common model. See [`sunspec`].
    Sunspec {
        /// One of [`sunspec::BASES`].
        base: u16,
    },
    /// Registers that a maker's list says are a nameplate. See [`registers`].
    Registers(registers::Read),
}

impl Question {
    /// Objects 0 to 2: vendor, product code, revision.
    pub const BASIC: Self = Self::Identification { code: 1, object: 0 };
    /// Basic and objects 3 to 6: URL, product name, model name, application name.
    pub const REGULAR: Self = Self::Identification { code: 2, object: 0 };
    /// Regular and the private objects from 128 on.
    pub const EXTENDED: Self = Self::Identification { code: 3, object: 0 };

    /// The question's name on the allowlist, in profiles and in readings.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Identification { code: 1, .. } => "modbus.identification.basic",
            Self::Identification { code: 2, .. } => "modbus.identification.regular",
            Self::Identification { code: 3, .. } => "modbus.identification.extended",
            Self::Identification { code: 4, .. } => "modbus.identification.object",
            Self::Identification { .. } => "modbus.identification",
            Self::ServerId => "modbus.server_id",
            Self::Sunspec { .. } | Self::Registers(_) => "modbus.registers",
        }
    }

    /// True when an answer of the shape `other` can be the answer to this question: the same function.
    #[must_use]
    pub const fn asks_as(&self, other: Self) -> bool {
        matches!(
            (self, other),
            (Self::Identification { .. }, Self::Identification { .. })
                | (Self::ServerId, Self::ServerId)
                | (Self::Sunspec { .. }, Self::Sunspec { .. })
                | (Self::Registers(_), Self::Registers(_))
        )
    }

    /// The question itself, without what stands around it on a network or a line.
    pub(super) fn pdu(&self) -> Vec<u8> {
        match self {
            Self::Identification { code, object } => vec![FUNCTION_ENCAPSULATED, MEI_IDENTIFICATION, *code, *object],
            Self::ServerId => vec![FUNCTION_SERVER_ID],
            Self::Sunspec { base } => {
                let ([b1, b0], [q1, q0]) = (base.to_be_bytes(), sunspec::REGISTERS.to_be_bytes());
                vec![FUNCTION_HOLDING_REGISTERS, b1, b0, q1, q0]
            }
            Self::Registers(read) => read.pdu().to_vec(),
        }
    }

    /// The whole message: MBAP header and PDU, `00 00` as protocol id.
    #[must_use]
    pub fn encode(&self, transaction: u16, unit: u8) -> Vec<u8> {
        let pdu = self.pdu();
        let [t0, t1] = transaction.to_be_bytes();
        // A PDU of 1 to 5 bytes: the length field's upper byte is 0.
        let length = 1 + pdu.len() as u8;
        let mut adu = vec![t0, t1, 0, 0, 0, length, unit];
        adu.extend(pdu);
        adu
    }

    /// Recognises one of these questions in a client's message; `None` for everything else.
    #[must_use]
    pub fn read(adu: &[u8]) -> Option<(Mbap, Self)> {
        let mbap = Mbap::read(adu).ok().flatten()?;
        if adu.len() != mbap.adu_bytes {
            return None;
        }
        Self::of_pdu(adu.get(MBAP_BYTES..)?).map(|question| (mbap, question))
    }

    /// As [`Question::read`], from the function code on.
    pub(super) fn of_pdu(pdu: &[u8]) -> Option<Self> {
        match *pdu {
            [FUNCTION_ENCAPSULATED, MEI_IDENTIFICATION, code, object] => Some(Self::Identification { code, object }),
            [FUNCTION_SERVER_ID] => Some(Self::ServerId),
            [FUNCTION_HOLDING_REGISTERS, b1, b0, q1, q0] if [q1, q0] == sunspec::REGISTERS.to_be_bytes() => {
                let base = u16::from_be_bytes([b1, b0]);
                sunspec::BASES.contains(&base).then_some(Self::Sunspec { base })
            }
            _ => registers::Read::of_pdu(pdu).map(Self::Registers),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(question: Question, expected: &[u8]) {
        let adu = question.encode(0x0102, 255);
        assert_eq!(adu, expected, "{}", question.name());
        let (mbap, again) = Question::read(&adu).expect("our own question is read again");
        assert_eq!((mbap.transaction, mbap.unit, again), (0x0102, 255, question));
    }

    /// The bytes are those of the specification's examples (6.21, 6.13) behind the header of the TCP guide (3.1.3).
    #[test]
    fn questions_are_the_bytes_of_the_specification_and_round_trip() {
        check(Question::BASIC, &[1, 2, 0, 0, 0, 5, 255, 0x2b, 0x0e, 1, 0]);
        check(Question::REGULAR, &[1, 2, 0, 0, 0, 5, 255, 0x2b, 0x0e, 2, 0]);
        check(Question::EXTENDED, &[1, 2, 0, 0, 0, 5, 255, 0x2b, 0x0e, 3, 0]);
        check(Question::Identification { code: 4, object: 0x80 }, &[1, 2, 0, 0, 0, 5, 255, 0x2b, 0x0e, 4, 0x80]);
        check(Question::ServerId, &[1, 2, 0, 0, 0, 2, 255, 0x11]);
        // 6.3 (read holding registers): function, first register, quantity; 40,000 is 9C40, 50,000 C350.
        check(Question::Sunspec { base: 40_000 }, &[1, 2, 0, 0, 0, 6, 255, 3, 0x9c, 0x40, 0, 69]);
        check(Question::Sunspec { base: 50_000 }, &[1, 2, 0, 0, 0, 6, 255, 3, 0xc3, 0x50, 0, 69]);
        check(Question::Sunspec { base: 0 }, &[1, 2, 0, 0, 0, 6, 255, 3, 0, 0, 0, 69]);
        // 1,636 is 0664, 64,001 FA01.
        let registers = |address, quantity| Question::Registers(registers::Read { function: 3, address, quantity });
        check(registers(1_636, 5), &[1, 2, 0, 0, 0, 6, 255, 3, 0x06, 0x64, 0, 5]);
        check(registers(64_001, 27), &[1, 2, 0, 0, 0, 6, 255, 3, 0xfa, 0x01, 0, 27]);
    }

    #[test]
    fn a_write_is_no_question() {
        assert_eq!(Question::read(&[0, 1, 0, 0, 0, 6, 255, 0x03, 0x9c, 0x40, 0, 70]), None, "registers that nobody reads for an identity");
        assert_eq!(Question::read(&[0, 1, 0, 0, 0, 6, 255, 0x06, 0, 1, 0, 2]), None);
    }
}
