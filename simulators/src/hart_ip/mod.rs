//! A HART device behind HART-IP: FieldComm, HART-IP (HCF_SPEC-085, version 1 messages), Token-Passing Data Link Layer (HCF_SPEC-081:
//! frames), Universal Command Specification (HCF_SPEC-127, revision 7: commands 0, 13, 20). Layouts held against the public captures of
//! cisagov/icsnpp-hart-ip.

mod talk;

use std::collections::BTreeMap;

/// A HART-IP device.
pub type Device = crate::device::Device<Persona>;

const PORT: u16 = 5_094;

/// A HART device as data. Multi-byte numbers are as the commands have them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Persona {
    /// Expanded device type, 16 bits; its lower 14 are the first two bytes of the long address.
    pub device_type: u16,
    /// Device id, 24 bits.
    pub device_id: u32,
    /// HART universal revision.
    pub universal_revision: u8,
    /// Device revision.
    pub device_revision: u8,
    /// Software revision.
    pub software_revision: u8,
    /// Hardware revision, 5 bits; the physical signalling code is 0.
    pub hardware_revision: u8,
    /// Manufacturer.
    pub manufacturer: u16,
    /// Private label distributor.
    pub distributor: u16,
    /// Device profile.
    pub profile: u8,
    /// Command 13: eight characters of packed ASCII.
    pub tag: String,
    /// Command 13: sixteen.
    pub descriptor: String,
    /// Command 13: day, month, year since 1900.
    pub date: [u8; 3],
    /// Command 20: 32 bytes of Latin-1.
    pub long_tag: Vec<u8>,
    /// Commands that are answered with a response code alone; 64 is not implemented.
    pub refuses: BTreeMap<u8, u8>,
    /// Commands beside 0, 13 and 20 that its profile lists (74, 84), with the bytes that answer them.
    pub listed: BTreeMap<u8, Vec<u8>>,
}

impl Persona {
    /// The five bytes of the long address, without the bits of the master and of the burst.
    fn long_address(&self) -> [u8; 5] {
        let [t1, t0] = self.device_type.to_be_bytes();
        let [_, i2, i1, i0] = self.device_id.to_be_bytes();
        [t1 & 0x3F, t0, i2, i1, i0]
    }

    /// What command 0 tells (HCF_SPEC-127, 6.1).
    fn identity(&self) -> Vec<u8> {
        let [_, i2, i1, i0] = self.device_id.to_be_bytes();
        let mut identity = vec![254];
        identity.extend(self.device_type.to_be_bytes());
        identity.extend([5, self.universal_revision, self.device_revision, self.software_revision, self.hardware_revision << 3, 0]);
        identity.extend([i2, i1, i0, 5, 0, 0, 0, 0]);
        identity.extend(self.manufacturer.to_be_bytes());
        identity.extend(self.distributor.to_be_bytes());
        identity.push(self.profile);
        identity
    }

    fn told(&self, command: u8) -> Option<Vec<u8>> {
        match command {
            0 => Some(self.identity()),
            13 => Some([packed(&self.tag, 8), packed(&self.descriptor, 16), self.date.to_vec()].concat()),
            20 => Some(crate::numbers::padded(&self.long_tag, 32, 0)),
            _ => self.listed.get(&command).cloned(),
        }
    }
}

/// Packed ASCII: four characters of six bits in three bytes (HCF_SPEC-127, 5.1.1), filled up with blanks.
fn packed(text: &str, characters: usize) -> Vec<u8> {
    let sixes: Vec<u32> = text.bytes().chain(std::iter::repeat(b' ')).take(characters).map(|byte| u32::from(byte & 0x3F)).collect();
    sixes.chunks(4).flat_map(|four| four.iter().fold(0, |sum, six| sum << 6 | six).to_be_bytes().into_iter().skip(1)).collect()
}

#[cfg(test)]
mod tests;
