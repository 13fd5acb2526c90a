//! Modbus TCP: the part that identifies a device.
//!
//! Sources: MODBUS Application Protocol Specification V1.1b3 (2012), clauses 4.1 (exceptions), 6.13 (function 17, Report Server ID)
//! and 6.21 (function 43/14, Read Device Identification); MODBUS Messaging on TCP/IP Implementation Guide V1.0b (2006),
//! clause 3.1.3 (MBAP header). [`sunspec`] has its own. Real devices stray from both; what is tolerated, and how, is said where it is done.
//!
//! One decoder, [`Answering`], reads the answers of a capture (fed by the [`PROTOCOL`]'s conversation) and of a live device alike.

mod answer;
mod conversation;
mod question;
pub mod registers;
pub mod rtu;
pub mod sunspec;
mod umas;

pub use answer::{Answering, Continue};
pub use conversation::PROTOCOL;
pub use question::Question;

use crate::Malformed;

/// The protocol's name in claims and readings.
pub const NAME: &str = "modbus";
/// The registered server port (IANA `mbap`).
pub const PORT: u16 = 502;
/// MBAP header: transaction (2), protocol (2), length (2), unit (1). TCP guide, 3.1.3.
pub const MBAP_BYTES: usize = 7;
/// Largest message that is read. Clause 4.1 allows 260 (6 header bytes, unit, a PDU of 253); see [`LENGTH_BYTES_MAX`].
pub const ADU_BYTES_MAX: usize = LENGTH_END + LENGTH_BYTES_MAX;

/// Function 3, Read Holding Registers.
pub(crate) const FUNCTION_HOLDING_REGISTERS: u8 = 0x03;
/// Function 4, Read Input Registers.
pub(crate) const FUNCTION_INPUT_REGISTERS: u8 = 0x04;
/// Function 43, Encapsulated Interface Transport.
pub(crate) const FUNCTION_ENCAPSULATED: u8 = 0x2b;
/// MEI type 14, Read Device Identification.
pub(crate) const MEI_IDENTIFICATION: u8 = 0x0e;
/// Function 17, Report Server ID.
pub(crate) const FUNCTION_SERVER_ID: u8 = 0x11;
/// Bit that an answer sets in the function code to say that it is an exception.
pub(crate) const EXCEPTION_BIT: u8 = 0x80;

/// Smallest value of the MBAP length field: unit and function code.
const LENGTH_BYTES_MIN: usize = 2;
/// Largest value of the MBAP length field. The standard's is 254; Schneider's function 90 is seen with 255 in public captures, and a
/// stream must not be lost over a few bytes that we do not read anyway.
const LENGTH_BYTES_MAX: usize = 260;
/// Bytes up to and including the MBAP length field.
const LENGTH_END: usize = 6;

/// The MBAP header of one message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mbap {
    /// Chosen by the client, echoed by the server.
    pub transaction: u16,
    /// Length in bytes of the whole message, this header included, as the header says.
    pub adu_bytes: usize,
    /// The unit that is asked or that answers.
    pub unit: u8,
}

impl Mbap {
    /// Reads a header; `None` while fewer than [`MBAP_BYTES`] are there.
    ///
    /// # Errors
    /// [`Malformed`] as soon as the bytes cannot be a Modbus TCP header: another protocol id, or a length outside 2..=260.
    pub fn read(bytes: &[u8]) -> Result<Option<Self>, Malformed> {
        if bytes.get(2).is_some_and(|b| *b != 0) || bytes.get(3).is_some_and(|b| *b != 0) {
            return Err(Malformed::wrong("mbap", 2, "protocol identifier is 0 for Modbus (TCP guide 3.1.3)"));
        }
        let Some(&[t0, t1, _, _, l0, l1]) = bytes.first_chunk::<LENGTH_END>() else { return Ok(None) };
        let length = usize::from(u16::from_be_bytes([l0, l1]));
        if !(LENGTH_BYTES_MIN..=LENGTH_BYTES_MAX).contains(&length) {
            return Err(Malformed::wrong("mbap", 4, "length is 2 to 254, 260 with tolerance (TCP guide 3.1.3)"));
        }
        let Some(&unit) = bytes.get(LENGTH_END) else { return Ok(None) };
        Ok(Some(Self { transaction: u16::from_be_bytes([t0, t1]), adu_bytes: LENGTH_END + length, unit }))
    }
}
