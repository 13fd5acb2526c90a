//! The common model of SunSpec: the registers with which inverters, meters and batteries say who they are.
//!
//! Sources: SunSpec Device Information Model Specification V1.1 (2022), 6.3 (the marker and where it stands); model 1 of
//! github.com/sunspec/models, json/model_1.json (Apache-2.0): Mn 16 registers, Md 16, Opt 8, Vr 8, SN 16, DA 1, Pad 1. A text is filled up with 0.

use std::ops::Range;

/// Where the marker may stand: the first register as it stands on the wire. 6.3.
pub const BASES: [u16; 3] = [40_000, 50_000, 0];
/// Registers from the marker to the device address: what a common model has with and without its pad.
pub const REGISTERS: u16 = 69;
/// The marker, and the number of the common model.
const BEGINNING: [u8; 6] = *b"SunS\x00\x01";
/// How many registers the model says that follow: without and with its pad.
const LENGTHS: [[u8; 2]; 2] = [[0, 65], [0, 66]];

/// The texts of the model by their names here, and their bytes from the marker on.
pub(super) const TEXTS: [(&str, Range<usize>); 5] =
    [("manufacturer", 8..40), ("model", 40..72), ("options", 72..88), ("version", 88..104), ("serial_number", 104..136)];

/// True where registers begin with a common model.
#[must_use]
pub fn begins(registers: &[u8]) -> bool {
    registers.strip_prefix(&BEGINNING).is_some_and(|rest| LENGTHS.iter().any(|length| rest.starts_with(length)))
}
