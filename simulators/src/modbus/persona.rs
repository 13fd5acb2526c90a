//! What a simulated device is: its identity, its registers and the liberties it takes with the standard.

use std::collections::{BTreeMap, BTreeSet};

use super::{GATEWAY_TARGET_FAILED, More, PDU_BYTES_MAX};
use crate::fault::hostile_texts;

/// One Modbus device as data.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Persona {
    /// The unit id it answers to; `None` answers to all.
    pub unit: Option<u8>,
    /// What it does when another unit is asked.
    pub other_units: OtherUnits,
    /// FC 43/14 objects by id; none at all means exception 1.
    pub objects: BTreeMap<u8, Vec<u8>>,
    /// The conformity byte of FC 43/14; `None` states what fits the objects (0x81 to 0x83).
    pub conformity: Option<u8>,
    /// How many PDU bytes a page may have. An object that is longer stands on a page of its own.
    pub page_bytes: usize,
    /// FC 17 data after the byte count; `None` means exception 1.
    pub server_id: Option<Vec<u8>>,
    /// Holding registers by their zero-based address.
    pub registers: BTreeMap<u16, u16>,
    /// Literal register reads that its profile asks for, and so do not trip: (function code 3 or 4, address, quantity).
    pub register_reads: BTreeSet<(u8, u16, u16)>,
    /// Liberties with the standard, as seen in the wild.
    pub quirks: Quirks,
}

/// What a device does when a unit other than its own is asked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum OtherUnits {
    /// Nothing comes back (npm modbus-serial, many slaves behind a gateway).
    #[default]
    Silent,
    /// An exception with this code comes back (a gateway: 0x0B, target device failed to respond).
    Exception(u8),
}

impl OtherUnits {
    /// What a gateway says of a unit that does not answer.
    pub const GATEWAY: Self = Self::Exception(GATEWAY_TARGET_FAILED);
}

/// Liberties that real devices take with V1.1b3, 6.21.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Quirks {
    /// A basic question is answered with the regular objects too (seen in npm modbus-serial).
    pub answers_regular_to_basic: bool,
    /// The object count says so many more than there are.
    pub objects_missing: u8,
    /// Bytes after the last object, inside the MBAP length.
    pub trailing: Vec<u8>,
    /// FC 43/14 says "more follows" for ever.
    pub endless: Option<More>,
}

impl Persona {
    /// A device with these FC 43/14 objects, for any unit, that follows the standard in all else.
    pub fn from_objects(objects: impl IntoIterator<Item = (u8, Vec<u8>)>) -> Self {
        Self {
            unit: None,
            other_units: OtherUnits::Silent,
            objects: objects.into_iter().collect(),
            conformity: None,
            page_bytes: PDU_BYTES_MAX,
            server_id: None,
            registers: BTreeMap::new(),
            register_reads: BTreeSet::new(),
            quirks: Quirks::default(),
        }
    }

    /// A device that knows neither FC 43/14 nor FC 17 (modbus_tk and uModbus are such).
    pub fn without_identity() -> Self {
        Self::from_objects([])
    }

    /// The conformity byte it states: its own, or what fits the objects (V1.1b3, 6.21; 0x80: single objects can be read too).
    pub fn conformity(&self) -> u8 {
        let fitting = match self.objects.keys().next_back() {
            Some(0x80..) => 0x83,
            Some(0x03..) => 0x82,
            _ => 0x81,
        };
        self.conformity.unwrap_or(fitting)
    }

    /// Whether it answers to this unit id.
    pub fn is_unit(&self, unit: u8) -> bool {
        self.unit.is_none_or(|own| own == unit)
    }
}

/// Identity objects that attack a terminal, a spreadsheet, a page, a log and a decoder.
pub fn hostile_objects() -> Vec<(u8, Vec<u8>)> {
    let ids = (0..=6).chain(0x80..=u8::MAX);
    ids.zip(hostile_texts()).collect()
}
