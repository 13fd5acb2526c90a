//! A BACnet/IP device: its device object, property by property. ANSI/ASHRAE 135-2020, clauses 6.2 (NPDU), 12.11 (device object), 15.5
//! (ReadProperty), 20.1 and 20.2 (encoding), 21 (codes), annex J (BVLL).

mod talk;

use std::collections::BTreeMap;

use crate::numbers::{stated8, stated16};

/// A BACnet/IP device.
pub type Device = crate::device::Device<Persona>;

const PORT: u16 = 47_808;
/// The instance that any device answers to (12.11, from protocol revision 4 on).
const WILDCARD: u32 = 4_194_303;
const DEVICE_OBJECT: u32 = 8;
const OBJECT_IDENTIFIER: u32 = 75;

/// A property value as the device sends it (20.2).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value {
    /// Unsigned.
    Unsigned(u32),
    /// `CharacterString`: character set (0 UTF-8, 5 ISO 8859-1) and bytes.
    Text(u8, Vec<u8>),
}

/// What a device says instead of a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// Error with class and code; (2, 32) is an unknown property, (1, 31) an unknown object.
    Error(u8, u8),
    /// Reject with a reason.
    Reject(u8),
    /// Abort by the server with a reason; 4 says that segmentation is not supported.
    Abort(u8),
}

/// A BACnet/IP device as data.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Persona {
    /// Instance of its device object.
    pub instance: u32,
    /// Whether it answers to the wildcard instance.
    pub answers_wildcard: bool,
    /// Its properties; object-identifier (75) it has by itself.
    pub properties: BTreeMap<u32, Value>,
    /// Properties that it answers with something else.
    pub refuses: BTreeMap<u32, Refusal>,
    /// Where a router has to bring a question: network number and MAC address there.
    pub behind: Option<(u16, Vec<u8>)>,
}

impl Persona {
    /// A device with these texts in UTF-8, by property.
    pub fn new(instance: u32, texts: impl IntoIterator<Item = (u32, Vec<u8>)>) -> Self {
        let properties = texts.into_iter().map(|(property, text)| (property, Value::Text(0, text))).collect();
        Self { instance, answers_wildcard: true, properties, refuses: BTreeMap::new(), behind: None }
    }

    fn object(&self) -> u32 {
        DEVICE_OBJECT << 22 | self.instance & WILDCARD
    }
}

impl Value {
    fn encoded(&self) -> Vec<u8> {
        match self {
            Self::Unsigned(number) => {
                let bytes = number.to_be_bytes();
                let skipped = bytes.iter().take(3).take_while(|byte| **byte == 0).count();
                tagged(2, bytes.get(skipped..).unwrap_or(&bytes))
            }
            Self::Text(set, text) => tagged(7, &[&[*set], &text[..]].concat()),
        }
    }
}

/// An application tag with its length (20.2.1.3) and the value behind it.
fn tagged(tag: u8, value: &[u8]) -> Vec<u8> {
    let length = stated16(value.len());
    let [l1, l0] = length.to_be_bytes();
    let head = match length {
        0..=4 => vec![tag << 4 | stated8(value.len())],
        5..=253 => vec![tag << 4 | 5, l0],
        _ => vec![tag << 4 | 5, 254, l1, l0],
    };
    [&head, value].concat()
}

#[cfg(test)]
mod tests;
