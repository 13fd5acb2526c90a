//! A Modbus TCP device: MODBUS Application Protocol V1.1b3 and MODBUS Messaging on TCP/IP Implementation Guide V1.0b. And one on a serial line
//! behind a serial server: MODBUS over Serial Line V1.02.

mod encode;
mod persona;
mod rtu;
mod talk;

pub use crate::device::{Door, Running};
pub use crate::fault::{Fault, More};
pub use crate::judge::Manners;
pub use crate::report::{Speaker, WatchdogLog};
pub use encode::{answers, encode_exception, encode_identification, encode_registers, encode_server_id, exchanges, respond, wrap};
pub use persona::{OtherUnits, Persona, Quirks, hostile_objects};
pub use rtu::OnLine;

/// A Modbus TCP device.
pub type Device = crate::device::Device<Persona>;
/// A new release of one.
pub type Flash = crate::flash::Flash<Persona>;
/// A part of its reboot.
pub type Phase = crate::flash::Phase<Persona>;

/// Bytes of the MBAP header: transaction, protocol, length, unit (Implementation Guide V1.0b, 3.1.3).
const MBAP_BYTES: usize = 7;
/// The longest PDU (V1.1b3, 4.1: an RS-485 frame of 256 bytes less address and CRC).
const PDU_BYTES_MAX: usize = 253;
/// Header of an FC 43/14 answer before its first object (V1.1b3, 6.21).
const IDENTIFICATION_HEADER_BYTES: usize = 7;
/// The most pages one full read can have: a page brings an object at least, and object ids are one byte.
const PAGES_MAX: usize = 256;

const READ_HOLDING_REGISTERS: u8 = 0x03;
const REPORT_SERVER_ID: u8 = 0x11;
const ENCAPSULATED: u8 = 0x2B;
const READ_IDENTIFICATION: u8 = 0x0E;
/// Set in the function code of an exception answer (V1.1b3, 7).
const EXCEPTION: u8 = 0x80;

const ILLEGAL_FUNCTION: u8 = 0x01;
const ILLEGAL_ADDRESS: u8 = 0x02;
const ILLEGAL_VALUE: u8 = 0x03;
/// What a gateway says of a unit that does not answer (V1.1b3, 7: gateway target device failed to respond).
const GATEWAY_TARGET_FAILED: u8 = 0x0B;
