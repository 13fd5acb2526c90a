//! An EtherNet/IP device, alone or as the communication module of a chassis: ODVA, CIP Networks Library volume 1 (CIP: 3-5.5
//! Connection Manager, 5A-2 Identity, appendix B status codes) and volume 2 (EtherNet/IP: 2-3 encapsulation, 2-4 commands).

mod talk;

use std::collections::{BTreeMap, BTreeSet};
use std::net::{Ipv4Addr, SocketAddrV4};

use crate::numbers::stated8;

/// An EtherNet/IP device.
pub type Device = crate::device::Device<Persona>;

const PORT: u16 = 44_818;

/// The identity object of one device or module (volume 1, 5A-2).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// Attribute 1.
    pub vendor: u16,
    /// Attribute 2.
    pub device_type: u16,
    /// Attribute 3.
    pub product_code: u16,
    /// Attribute 4: major, minor.
    pub revision: (u8, u8),
    /// Attribute 5, a bit field.
    pub condition: u16,
    /// Attribute 6.
    pub serial: u32,
    /// Attribute 7, at most 255 bytes.
    pub name: Vec<u8>,
    /// Attribute 8, as ListIdentity tells it.
    pub state: u8,
}

/// An EtherNet/IP device as data.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Persona {
    /// What ListIdentity tells: the device that has the port.
    pub identity: Identity,
    /// Modules of its chassis that can be reached by backplane port 1, by slot.
    pub slots: BTreeMap<u8, Identity>,
    /// Slots that the owner declared: another one trips.
    pub declared: BTreeSet<u8>,
    /// Modules that do not know Get_Attributes_All, by slot.
    pub only_singles: BTreeSet<u8>,
    /// The extended status of the answer for a slot with nothing in it.
    pub empty_slot: u16,
    /// The address that ListIdentity tells; behind a NAT it is not the one that was asked.
    pub tells_address: SocketAddrV4,
    /// The handle of the first session.
    pub handle: u32,
    /// Whether the device closes the connection after UnRegisterSession, as volume 2, 2-4.5 says.
    pub closes_on_unregister: bool,
}

impl Persona {
    /// Link address not valid (volume 1, table 3-5.34): what most chassis say of an empty slot.
    pub const LINK_ADDRESS_NOT_VALID: u16 = 0x0312;

    /// A device without a chassis.
    pub fn new(identity: Identity) -> Self {
        Self {
            identity,
            slots: BTreeMap::new(),
            declared: BTreeSet::new(),
            only_singles: BTreeSet::new(),
            empty_slot: Self::LINK_ADDRESS_NOT_VALID,
            tells_address: SocketAddrV4::new(Ipv4Addr::LOCALHOST, PORT),
            handle: 0x0001_0203,
            closes_on_unregister: true,
        }
    }

    /// The same with these modules, each in a slot that the owner declared.
    pub fn with_slots(self, slots: impl IntoIterator<Item = (u8, Identity)>) -> Self {
        let slots: BTreeMap<u8, Identity> = slots.into_iter().collect();
        Self { declared: slots.keys().copied().collect(), slots, ..self }
    }
}

impl Identity {
    /// Attributes 1 to 7 as Get_Attributes_All gives them.
    fn all(&self) -> Vec<u8> {
        (1..=7).flat_map(|attribute| self.attribute(attribute).unwrap_or_default()).collect()
    }

    fn attribute(&self, attribute: u8) -> Option<Vec<u8>> {
        let value = match attribute {
            1 => self.vendor.to_le_bytes().to_vec(),
            2 => self.device_type.to_le_bytes().to_vec(),
            3 => self.product_code.to_le_bytes().to_vec(),
            4 => vec![self.revision.0, self.revision.1],
            5 => self.condition.to_le_bytes().to_vec(),
            6 => self.serial.to_le_bytes().to_vec(),
            7 => {
                let name = self.name.get(..usize::from(u8::MAX)).unwrap_or(&self.name);
                [&[stated8(name.len())], name].concat()
            }
            _ => return None,
        };
        Some(value)
    }

    /// The item of ListIdentity (volume 2, 2-4.2.3).
    fn list_item(&self, address: SocketAddrV4) -> Vec<u8> {
        let mut item = vec![1, 0, 0, 2];
        item.extend(address.port().to_be_bytes());
        item.extend(address.ip().octets());
        item.extend([0; 8]);
        item.extend(self.all());
        item.push(self.state);
        item
    }
}

#[cfg(test)]
mod tests;
