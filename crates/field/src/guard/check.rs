//! Check bytes that a message must carry to be understood at all.

/// Which check.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sum {
    /// IEEE 1815-2012, 9.2.6.2 (as IEC 60870-5-1, format FT3): x16+x13+x12+x11+x10+x8+x6+x5+x2+1, inverted, lower byte first.
    Dnp3,
    /// MODBUS over serial line V1.02, 6.2.2: x16+x15+x2+1, from 0xffff, lower byte first.
    ModbusRtu,
    /// All bytes, exclusive or (HART, HCF_SPEC-081).
    Xor,
}

impl Sum {
    /// How many bytes it has.
    pub const fn bytes(self) -> usize {
        match self {
            Self::Dnp3 | Self::ModbusRtu => 2,
            Self::Xor => 1,
        }
    }

    /// The check bytes over these.
    pub fn of(self, bytes: &[u8]) -> Vec<u8> {
        match self {
            Self::Dnp3 => (!reflected(bytes, 0xa6bc, 0)).to_le_bytes().to_vec(),
            Self::ModbusRtu => reflected(bytes, 0xa001, 0xffff).to_le_bytes().to_vec(),
            Self::Xor => vec![bytes.iter().fold(0, |sum, byte| sum ^ byte)],
        }
    }
}

/// A cyclic redundancy check of 16 bits, lowest bit first.
fn reflected(bytes: &[u8], polynomial: u16, start: u16) -> u16 {
    let bit = |rest: u16| if rest & 1 == 1 { rest >> 1 ^ polynomial } else { rest >> 1 };
    bytes.iter().fold(start, |rest, byte| (0..8).fold(rest ^ u16::from(*byte), |rest, _| bit(rest)))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Modbus: V1.02, 6.2.2 (`02 07` gives `41 12`). DNP3: a link reset from 1024 to 1, as its users' group prints it (`e9 21`).
    #[test]
    fn checks_are_those_of_the_standards() {
        assert_eq!(Sum::ModbusRtu.of(&[0x02, 0x07]), [0x41, 0x12]);
        assert_eq!(Sum::Dnp3.of(&[0x05, 0x64, 0x05, 0xc0, 0x01, 0x00, 0x00, 0x04]), [0xe9, 0x21]);
        assert_eq!(Sum::Xor.of(&[0x02, 0x80, 0x00, 0x00]), [0x82]);
    }
}
