//! The questions we may put, and how they are recognised when somebody else puts them.

use super::{FUNCTION_ENCAPSULATED, FUNCTION_SERVER_ID, MBAP_BYTES, MEI_IDENTIFICATION, Mbap};

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
        }
    }

    /// True when an answer of the shape `other` can be the answer to this question: the same function.
    #[must_use]
    pub const fn asks_as(&self, other: Self) -> bool {
        matches!((self, other), (Self::Identification { .. }, Self::Identification { .. }) | (Self::ServerId, Self::ServerId))
    }

    /// The question itself, without what stands around it on a network or a line.
    pub(super) fn pdu(&self) -> Vec<u8> {
        match self {
            Self::Identification { code, object } => vec![FUNCTION_ENCAPSULATED, MEI_IDENTIFICATION, *code, *object],
            Self::ServerId => vec![FUNCTION_SERVER_ID],
        }
    }

    /// The whole message: MBAP header and PDU, `00 00` as protocol id.
    #[must_use]
    pub fn encode(&self, transaction: u16, unit: u8) -> Vec<u8> {
        let pdu = self.pdu();
        let [t0, t1] = transaction.to_be_bytes();
        // A PDU of 1 or 4 bytes: the length field's upper byte is 0.
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
        match adu.get(MBAP_BYTES..)? {
            [FUNCTION_ENCAPSULATED, MEI_IDENTIFICATION, code, object] => {
                Some((mbap, Self::Identification { code: *code, object: *object }))
            }
            [FUNCTION_SERVER_ID] => Some((mbap, Self::ServerId)),
            _ => None,
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
    }

    #[test]
    fn a_write_is_no_question() {
        assert_eq!(Question::read(&[0, 1, 0, 0, 0, 6, 255, 0x06, 0, 1, 0, 2]), None);
    }
}
