//! Profiles: which bytes are *the* version of *this* device. Data with its own examples as tests; see CONTRIBUTING, "add a device".
//!
//! The text of a profile is an argument; the built-in set (`device-profiles/`) is embedded, a site's own profiles are read by the
//! caller and go through the same code.

mod draft;
mod example;
mod interpret;
mod objects;
mod parse;
mod pattern;
mod redact;
mod slice;

use std::collections::BTreeMap;

use nameplate_wire::conversation::Over;
use nameplate_wire::modbus::registers::Read;
use serde::Deserialize;

pub use draft::{Answer, Head, draft};
pub use example::{Failure, check, stream};
pub use interpret::{Interpretation, Matched, ProfileSet};
pub use objects::Further;
pub use parse::{Invalid, parse};
pub use pattern::Pattern;
pub use redact::{Personal, redact};

use crate::claim::{Field, Grade};
use crate::register::Register;
use crate::version::Order;

/// What kind of device it is. A closed list: a new word is a decision, not a typing error.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[expect(missing_docs, reason = "the words are the field's own")]
pub enum DeviceClass {
    Plc,
    ProtectionRelay,
    Rtu,
    PowerMeter,
    PowerController,
    Drive,
    IndustrialSwitch,
    Gateway,
    Controller,
    FlowMeter,
    Unknown,
}

impl DeviceClass {
    /// The class as profiles and the inventory spell it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Plc => "plc",
            Self::ProtectionRelay => "protection-relay",
            Self::Rtu => "rtu",
            Self::PowerMeter => "power-meter",
            Self::PowerController => "power-controller",
            Self::Drive => "drive",
            Self::IndustrialSwitch => "industrial-switch",
            Self::Gateway => "gateway",
            Self::Controller => "controller",
            Self::FlowMeter => "flow-meter",
            Self::Unknown => "unknown",
        }
    }
}

/// Which part of the device answers for the address. The classic wrong identity is the communication module's firmware taken for the CPU's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Role {
    /// The device itself.
    #[serde(rename = "self")]
    Device,
    /// A module that owns the port and speaks for itself.
    CommunicationModule,
    /// The CPU behind a module.
    Cpu,
    /// A gateway; the devices behind it are others.
    Gateway,
}

impl Role {
    /// The role as profiles and claims spell it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Device => "self",
            Self::CommunicationModule => "communication-module",
            Self::Cpu => "cpu",
            Self::Gateway => "gateway",
        }
    }
}

/// How far the family is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Confidence {
    /// A real device's answer stands among the examples.
    Seen,
    /// From a manual; no device was seen.
    Documented,
}

/// One profile, read and valid.
#[derive(Clone, Debug)]
pub struct Profile {
    /// Its path below the profile directory without the ending: `lantronix/xport`.
    pub id: String,
    /// SHA-256 of its text: which rules made a claim.
    pub sha256: String,
    /// Its text, to be kept beside what it made of an answer: evidence holds both.
    pub text: String,
    /// The maker, as people say it.
    pub vendor: String,
    /// The family, as people say it.
    pub family: String,
    /// What kind of device it is.
    pub device_class: DeviceClass,
    /// Who answers.
    pub identity_of: Role,
    /// The protocol whose facts it reads.
    pub protocol: String,
    /// How its releases are ordered.
    pub version_order: Order,
    /// How far the family is known.
    pub confidence: Confidence,
    /// Which families of the list of known ones it covers: the list's own names (docs/families.md).
    pub families: Vec<String>,
    /// True for the rule of last resort of a protocol: it applies where no other profile matches.
    pub fallback: bool,
    /// Texts that devices send where nothing was ever set; never claimed.
    pub placeholders: Vec<String>,
    /// What one should know.
    pub notes: String,
    /// What may be asked of such a device beyond what its protocol asks of all: literal paths of pages (HTTP), at most two; objects (SNMP), at
    /// most 16, the most telling first.
    pub ask: Vec<String>,
    /// Registers to ask for, literally, in this order (Modbus); at most two reads.
    pub reads: Vec<Read>,
    /// Fact -> pattern; all must match.
    pub matches: BTreeMap<String, Pattern>,
    /// What to extract, per component.
    pub components: Vec<Component>,
    /// Its tests.
    pub examples: Vec<Example>,
}

/// A part of the device with versions of its own.
#[derive(Clone, Debug)]
pub struct Component {
    /// Which part.
    pub role: Role,
    /// Nameplate field -> rule.
    pub extract: BTreeMap<Field, Extract>,
}

/// One rule: a fact, and which part of its text is the value.
#[derive(Clone, Debug)]
pub struct Extract {
    /// The facts' paths, `modbus.object.2`: the first that is there and can be used counts. Never empty.
    pub from: Vec<String>,
    /// A text that this matches is not used: it says that what the pattern finds in it is something else.
    pub unless: Option<Pattern>,
    /// What is found is a number, and the value is what it is called there.
    pub register: Option<Register>,
    /// With one group, the group is the value; without, the whole text is. `None`: the whole text.
    pub pattern: Option<Pattern>,
    /// How good this source is.
    pub grade: Grade,
}

/// A test of the profile: what a device sent, and the nameplate that must come out.
#[derive(Clone, Debug)]
pub struct Example {
    /// Where the values come from: repository and path, manual and page.
    pub source: String,
    /// Under which licence they are quoted.
    pub licence: String,
    /// What carried it, where that is not what usually carries the protocol.
    pub over: Option<Over>,
    /// The questions without which the answer cannot be read.
    pub asked: Vec<Vec<u8>>,
    /// What the device sent.
    pub said: Said,
    /// In which form its source has it.
    pub form: Form,
    /// Component role -> field -> value; exactly these claims come out.
    pub expect: BTreeMap<Role, BTreeMap<Field, String>>,
}

/// In which form an example's source has what the device said. Where it is no frame, the message around it was built.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Form {
    /// Bytes as they stood on the wire.
    Frame,
    /// Values that somebody's program decoded.
    Decoded,
    /// A text as the device or somebody's program printed it.
    Text,
    /// No device said it: built after a standard or a manual, to show what the rules do.
    Built,
}

impl Form {
    /// The form as profiles spell it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Frame => "frame",
            Self::Decoded => "decoded",
            Self::Text => "text",
            Self::Built => "built",
        }
    }
}

/// What a device sent, as an example has it.
#[derive(Clone, Debug)]
pub enum Said {
    /// The answer's messages as they stood on the wire.
    Frame(Vec<Vec<u8>>),
    /// Values that somebody decoded; the frames are built by the simulator.
    Decoded {
        /// Function 43/14 objects.
        objects: BTreeMap<u8, Vec<u8>>,
        /// Function 17 payload behind the byte count.
        server_id: Option<Vec<u8>>,
    },
}
