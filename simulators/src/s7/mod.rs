//! A SIMATIC S7-300 or S7-400 CPU: its system state lists (SZL) over ISO-on-TCP. RFC 1006 (TPKT), ISO 8073 / RFC 905 class 0 (COTP),
//! Siemens, System Software for S7-300 and S7-400, reference manual volume 2 (A5E00709327), 33.3 and 33.6 (SZL 0011 and 001C); the frame
//! around them is not published and is laid out here as Wireshark's dissector reads it.

mod talk;

use std::collections::BTreeMap;

use crate::fault::More;
use crate::numbers::padded;

/// A SIMATIC CPU.
pub type Device = crate::device::Device<Persona>;

const PORT: u16 = 102;
/// Module identification.
const SZL_MODULES: u16 = 0x0011;
/// Component identification.
const SZL_COMPONENTS: u16 = 0x001C;
/// Columns of the records (33.3: order number; 33.6: texts of 24 or 32 bytes).
const ORDER_NUMBER_BYTES: usize = 20;
const COMPONENT_BYTES: usize = 32;
/// The PDU that an S7-300 negotiates.
const PDU_BYTES: u16 = 240;

/// A SIMATIC CPU as data.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Persona {
    /// The TSAP that it is called by: connection kind 3 (S7 basic), rack times 32 and slot.
    pub tsap: u16,
    /// Its lists by SZL id, each with the bytes of its records.
    pub lists: BTreeMap<u16, Vec<Vec<u8>>>,
    /// The longest PDU that it negotiates.
    pub pdu_bytes: u16,
    /// The owner agreed that SZL 001C is read; without it that trips.
    pub consents_to_001c: bool,
    /// H23: reading SZL 001C puts the CPU into a defective state: it never answers again on this connection, and it trips in any case.
    pub defect_on_001c: bool,
    /// Every list goes on for ever.
    pub endless: Option<More>,
}

/// A record of SZL 0011.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Module {
    /// 1 module, 6 basic hardware, 7 basic firmware, 0x81 boot loader.
    pub index: u16,
    /// Order number, filled up with blanks to 20 characters.
    pub order_number: Vec<u8>,
    /// Module type.
    pub kind: u16,
    /// Version bytes; of a firmware the letter V and three numbers.
    pub version: [u8; 4],
}

impl Persona {
    /// A CPU in rack 0, slot 2, with these modules (SZL 0011) and these texts by index (SZL 001C).
    pub fn new(modules: impl IntoIterator<Item = Module>, components: impl IntoIterator<Item = (u16, Vec<u8>)>) -> Self {
        let modules = modules.into_iter().map(|module| module.record()).collect();
        let components = components
            .into_iter()
            .map(|(index, text)| [index.to_be_bytes().to_vec(), padded(&text, COMPONENT_BYTES, 0)].concat())
            .collect();
        Self {
            tsap: 0x0302,
            lists: [(SZL_MODULES, modules), (SZL_COMPONENTS, components)].into(),
            pdu_bytes: PDU_BYTES,
            consents_to_001c: false,
            defect_on_001c: false,
            endless: None,
        }
    }
}

impl Module {
    fn record(&self) -> Vec<u8> {
        let order_number = padded(&self.order_number, ORDER_NUMBER_BYTES, b' ');
        [&self.index.to_be_bytes()[..], &order_number, &self.kind.to_be_bytes(), &self.version].concat()
    }
}

#[cfg(test)]
mod tests;
