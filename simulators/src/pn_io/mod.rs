//! A PROFINET device by UDP: its endpoint mapper, and I&M0 without a relation. Open Group C706 (12.5.2.2 header, appendix L towers, appendix O
//! endpoint mapper), IEC 61158-6-10 (4.3.1.4.14 annotation, 4.10.3.2 UUIDs, 5.2.3 IODReadResHeader, 5.2.17 I&M0). Headers as a public capture's
//! device has them (smehner1/ProfinetIO-DoS-attack set_attack.pcap, frame 8).

mod talk;

use crate::numbers::padded;

/// A PROFINET device.
pub type Device = crate::device::Device<Persona>;

const PORT: u16 = 34_964;
/// Columns of the annotation.
const TYPE_BYTES: usize = 25;
const ORDER_BYTES: usize = 20;
const SERIAL_BYTES: usize = 16;

/// A PROFINET device as data.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Persona {
    /// A controller, which has an interface of its own kind.
    pub controller: bool,
    /// Instance, device id, vendor id: the end of its object's UUID.
    pub ids: [u16; 3],
    /// What kind of device it is: 25 characters at most.
    pub kind: Vec<u8>,
    /// Order number: 20 at most.
    pub order: Vec<u8>,
    /// Serial number: 16 at most.
    pub serial: Vec<u8>,
    /// Hardware revision.
    pub hardware: u16,
    /// Software revision: a letter and three numbers.
    pub software: (u8, [u8; 3]),
    /// It writes numbers with the upper byte first.
    pub upper_first: bool,
    /// It has no endpoint mapper: a look-up is rejected.
    pub rejects_look_ups: bool,
    /// It reads nothing without a relation, and says so.
    pub reads_by_relation_only: bool,
}

impl Persona {
    /// A device with these order and serial numbers, of hardware 1 and release V1.0.0.
    pub fn new(kind: &[u8], order: &[u8], serial: &[u8]) -> Self {
        Self {
            controller: false,
            ids: [1, 0x0313, 0x002A],
            kind: kind.to_vec(),
            order: order.to_vec(),
            serial: serial.to_vec(),
            hardware: 1,
            software: (b'V', [1, 0, 0]),
            upper_first: false,
            rejects_look_ups: false,
            reads_by_relation_only: false,
        }
    }

    /// The line in columns, with the NUL that ends it (4.3.1.4.14).
    fn annotation(&self) -> Vec<u8> {
        let (letter, [major, minor, patch]) = self.software;
        let mut line = padded(&self.kind, TYPE_BYTES, b' ');
        line.push(b' ');
        line.extend(padded(&self.order, ORDER_BYTES, b' '));
        line.extend(format!(" {:>5} ", self.hardware).bytes());
        line.push(letter);
        line.extend(format!("{major:>3}{minor:>3}{patch:>3}\0").bytes());
        line
    }

    /// I&M0 as a block (5.2.17).
    fn identification(&self) -> Vec<u8> {
        let [_, _, vendor] = self.ids;
        let (letter, numbers) = self.software;
        let mut block = vec![0x00, 0x20, 0x00, 0x38, 1, 0];
        block.extend(vendor.to_be_bytes());
        block.extend(padded(&self.order, ORDER_BYTES, b' '));
        block.extend(padded(&self.serial, SERIAL_BYTES, b' '));
        block.extend(self.hardware.to_be_bytes());
        block.push(letter);
        block.extend(numbers);
        // Revision counter, profile and its type, version of I&M 1.1, I&M1 to I&M4 are there.
        block.extend([0, 0, 0, 0, 0, 0, 1, 1, 0, 0x1E]);
        block
    }
}

#[cfg(test)]
mod tests;
