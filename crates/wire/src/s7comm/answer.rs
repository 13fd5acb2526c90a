//! What an answer is to the question that waits: whose it is, and whether more of it is to be asked for. What it says of the device, the
//! decoder reads.

use super::{
    ACK, ACK_DATA, ANSWER_CPU, HEADER_ACK_BYTES, HEADER_BYTES, PARAMETER_ANSWER_BYTES, PARAMETER_BYTES, PROTOCOL_ID, READ_SZL, USERDATA,
};
use crate::Malformed;

/// Function of an acknowledged setup.
const SETUP: u8 = 0xf0;

/// One answer's message, without the transport around it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Answer {
    /// Reference of the question.
    pub reference: u16,
    /// What it says.
    pub says: Says,
}

/// What an answer says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Says {
    /// Communication is set up.
    SetUp,
    /// A job failed: error class and code.
    Failed(u8, u8),
    /// A part of a list.
    Part {
        /// Number of this reading of a list.
        sequence: u8,
        /// True where more of it can be asked for.
        more: bool,
        /// True where it brings no byte of the list.
        empty: bool,
    },
    /// There is no list: the error.
    NoList(u16),
}

impl Answer {
    /// Reads a whole message.
    ///
    /// # Errors
    /// [`Malformed`] where it is no answer to any question of ours.
    pub fn read(body: &[u8]) -> Result<Self, Malformed> {
        let wrong = |at, said_by| Err(Malformed::wrong("s7comm", at, said_by));
        let Some(&[protocol, kind, _, _, r0, r1, p0, p1, d0, d1]) = body.first_chunk::<HEADER_BYTES>() else {
            return Err(Malformed::short("s7comm", 0, HEADER_BYTES, body.len(), "header of a message"));
        };
        if protocol != PROTOCOL_ID {
            return wrong(0, "an S7 message begins with 32");
        }
        let promised = usize::from(u16::from_be_bytes([p0, p1])).saturating_add(usize::from(u16::from_be_bytes([d0, d1])));
        let header = if matches!(kind, ACK | ACK_DATA) { HEADER_ACK_BYTES } else { HEADER_BYTES };
        let had = body.len().saturating_sub(header);
        if body.len() < header || had < promised {
            return Err(Malformed::short("s7comm", header, promised, had, "lengths of parameters and data"));
        }
        let reference = u16::from_be_bytes([r0, r1]);
        let says = match (kind, body.get(HEADER_BYTES..).unwrap_or_default()) {
            (ACK_DATA, [0, 0, SETUP, ..]) => Says::SetUp,
            (ACK | ACK_DATA, [class, code, ..]) if (*class, *code) != (0, 0) => Says::Failed(*class, *code),
            (USERDATA, parameters) => list(usize::from(u16::from_be_bytes([p0, p1])), parameters)?,
            _ => return wrong(1, "an acknowledgement of the setup, or user data"),
        };
        Ok(Self { reference, says })
    }
}

/// An answer of the group of CPU functions to "read SZL".
fn list(parameter_bytes: usize, parameters: &[u8]) -> Result<Says, Malformed> {
    let wrong = |at, said_by| Err(Malformed::wrong("s7comm", at, said_by));
    if parameter_bytes != PARAMETER_ANSWER_BYTES {
        return wrong(6, "an answer in user data has 12 bytes of parameters");
    }
    let Some((&[0, 1, 0x12, _, _, ANSWER_CPU, READ_SZL, sequence], rest)) = parameters.split_first_chunk::<PARAMETER_BYTES>() else {
        return wrong(HEADER_BYTES, "an answer of the CPU functions to Read SZL");
    };
    let [part, more, e0, e1, list @ ..] = rest else {
        return wrong(HEADER_BYTES + PARAMETER_BYTES, "an answer in user data has 12 bytes of parameters");
    };
    match (u16::from_be_bytes([*e0, *e1]), list) {
        // A part without a number names no list whose rest could be asked for.
        (0, [0xff, _, l0, l1, ..]) => Ok(Says::Part { sequence, more: *more != 0 && *part != 0, empty: (*l0, *l1) == (0, 0) }),
        (0, [code, ..]) => Ok(Says::NoList(u16::from(*code))),
        (error, _) => Ok(Says::NoList(error)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::iso::tests::hex;

    /// Messages of an IM151-8 (ITI/ICS-Security-Tools pcaps/s7/s7comm_reading_plc_status.pcap: setup, frames 69, 42), without transport.
    #[test]
    fn an_answer_says_whose_it_is_and_what_comes_next() {
        let check = |body: &str, reference: u16, says: Says| assert_eq!(Answer::read(&hex(body)), Ok(Answer { reference, says }), "{body}");
        check("32030000 0200 0008 0000 0000 f0000001000100f0", 0x0200, Says::SetUp);
        check("32030000 0200 0000 0000 8104", 0x0200, Says::Failed(0x81, 4));
        check("32020000 0200 0000 0000 8500", 0x0200, Says::Failed(0x85, 0));
        let part = "32070000 1400 000c 000c 0001120812840102 06 01 0000 ff090008001c000000220000";
        check(part, 0x1400, Says::Part { sequence: 2, more: true, empty: false });
        check(&part.replace(" 06 01 ", " 00 01 "), 0x1400, Says::Part { sequence: 2, more: false, empty: false });
        check(&part.replace(" 06 01 ", " 06 00 "), 0x1400, Says::Part { sequence: 2, more: false, empty: false });
        check("32070000 1400 000c 0004 0001120812840102 06 01 0000 ff090000", 0x1400, Says::Part { sequence: 2, more: true, empty: true });
        check("32070000 0c00 000c 0004 0001120812840101 0000 d402 0a000000", 0x0c00, Says::NoList(0xd402));
        check("32070000 0c00 000c 0004 0001120812840101 0000 0000 0a000000", 0x0c00, Says::NoList(0x000a));
    }

    #[test]
    fn what_is_no_answer_of_ours_says_where() {
        let check = |body: &str, at: usize| assert_eq!(Answer::read(&hex(body)).map_err(|malformed| malformed.offset), Err(at), "{body}");
        check("", 0);
        check("72010000", 0);
        check("72030000 0200 0008 0000 0000", 0);
        check("32030000 0200 0008 0000 0000 f000", 12);
        check("32030000 0200 0002 0000 0000 0401", 1);
        check("32010000 0200 0008 0000 f0000001000100f0", 1);
        check("32070000 0200 0008 0004 0001120411870100 0a000000", 6);
        check("32070000 0200 000c 0004 0001120812870102 00000000 0a000000", 10);
    }
}
