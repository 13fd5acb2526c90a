//! A claim: one nameplate field of one component, from one observation through one rule, with a grade.

use serde::{Deserialize, Serialize};

/// The component that stands for the whole device: its serial number is the asset's own, and a row or an approval that names no part means it. A module's number
/// may change without the asset becoming another.
pub const OWN_COMPONENT: &str = "self";

/// A field of the nameplate. Sources: OPC UA for Devices (OPC 10000-100) 4.5 and IDTA 02006 for the nameplate, CISA's asset
/// inventory guidance (2025) for the rest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "the names are the field's own words, see docs/GLOSSARY.md")]
pub enum Field {
    Manufacturer,
    Model,
    ProductCode,
    HardwareRevision,
    FirmwareRevision,
    SoftwareRevision,
    BootRevision,
    SerialNumber,
    Patch,
    Name,
    Description,
    Location,
    Contact,
    DeviceClass,
    ProtocolRevision,
}

impl Field {
    /// All fields in the order in which a person reads them.
    pub const ALL: [Self; 15] = [
        Self::Manufacturer,
        Self::Model,
        Self::ProductCode,
        Self::HardwareRevision,
        Self::FirmwareRevision,
        Self::SoftwareRevision,
        Self::BootRevision,
        Self::SerialNumber,
        Self::Patch,
        Self::Name,
        Self::Description,
        Self::Location,
        Self::Contact,
        Self::DeviceClass,
        Self::ProtocolRevision,
    ];

    /// The field's name in files, as in docs/GLOSSARY.md.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Manufacturer => "manufacturer",
            Self::Model => "model",
            Self::ProductCode => "product_code",
            Self::HardwareRevision => "hardware_revision",
            Self::FirmwareRevision => "firmware_revision",
            Self::SoftwareRevision => "software_revision",
            Self::BootRevision => "boot_revision",
            Self::SerialNumber => "serial_number",
            Self::Patch => "patch",
            Self::Name => "name",
            Self::Description => "description",
            Self::Location => "location",
            Self::Contact => "contact",
            Self::DeviceClass => "device_class",
            Self::ProtocolRevision => "protocol_revision",
        }
    }

    /// The field of that name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|field| field.name() == name)
    }

    /// True for the fields whose wrong value opens a hole or costs an outage: they are never claimed from a part of an answer by
    /// a rule that does not know the device.
    #[must_use]
    pub const fn is_revision(self) -> bool {
        matches!(
            self,
            Self::HardwareRevision
                | Self::FirmwareRevision
                | Self::SoftwareRevision
                | Self::BootRevision
                | Self::SerialNumber
                | Self::Patch
        )
    }
}

/// How a claim was come by, best first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Grade {
    /// The protocol's own identification service (Modbus 43/14, CIP Identity object).
    IdentityObject,
    /// OPC UA BuildInfo or DI, MMS PhyNam.
    NameplateNode,
    /// SNMP, a device's own web page.
    Management,
    /// Free text that the device shows (Modbus function 17, a telnet greeting).
    Banner,
    /// From a port, a hardware address, or behaviour.
    Inferred,
    /// From a list that somebody made.
    Imported,
    /// Typed in by a person.
    ByHand,
}

impl Grade {
    /// The grade's name in files.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::IdentityObject => "identity-object",
            Self::NameplateNode => "nameplate-node",
            Self::Management => "management",
            Self::Banner => "banner",
            Self::Inferred => "inferred",
            Self::Imported => "imported",
            Self::ByHand => "by-hand",
        }
    }
}

/// One nameplate field, as one reading gave it.
/// Its fields are in the order in which canonical JSON has them, which is faster to write.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Claim {
    /// Which part of the asset speaks: `self`, `communication-module`, `cpu`, `gateway`.
    pub component: String,
    /// What it says about itself.
    pub field: Field,
    /// How good the source is.
    pub grade: Grade,
    /// Length in bytes of the fact.
    pub length: usize,
    /// Index of the message in the observation in which the value stands.
    pub message: usize,
    /// The normal form under the profile's version order, where it has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub normal: Option<String>,
    /// Offset of the fact's first byte in that message.
    pub offset: usize,
    /// The profile that said what the bytes mean: `lantronix/xport`.
    pub profile: String,
    /// The fact that the rule read: `modbus.object.2`.
    pub rule: String,
    /// The value as the device said it, decoded and trimmed, never normalised.
    pub value: String,
}
