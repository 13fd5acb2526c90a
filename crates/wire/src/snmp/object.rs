//! Which managed objects say what a device is, and how their values are written.

use core::fmt::Write as _;
use core::ops::Range;

use super::message::{IP_ADDRESS, OCTETS, OID};
use crate::Shape;

const INTEGER: u8 = 0x02;
/// INTEGER, Counter32, Gauge32. RFC 2578, 7.1.
const NUMBERS: [u8; 3] = [INTEGER, 0x41, 0x42];
/// entPhysicalEntry: 1.3.6.1.2.1.47.1.1.1.1. RFC 6933.
pub(super) const ENTITY: &[u8] = &[0x2b, 6, 1, 2, 1, 47, 1, 1, 1, 1];
/// 1.3.6.1.4.1: everything that a maker names himself.
const ENTERPRISES: &[u8] = &[0x2b, 6, 1, 4, 1];
/// snmpTrapOID.0 and snmpTrapAddress.0. RFC 3418, RFC 3584.
pub(super) const TRAP: &[u8] = &[0x2b, 6, 1, 6, 3, 1, 1, 4, 1, 0];
pub(super) const TRAP_ADDRESS: &[u8] = &[0x2b, 6, 1, 6, 3, 18, 1, 3, 0];
/// sysObjectID.0. RFC 3418.
pub(super) const SYS_OBJECT_ID: &[u8] = &[0x2b, 6, 1, 2, 1, 1, 2, 0];
/// sysName.0. RFC 3418.
pub(super) const SYS_NAME: &[u8] = &[0x2b, 6, 1, 2, 1, 1, 5, 0];
/// Longest text of a maker's own object that is kept: what a DisplayString (RFC 2579) has at most.
const TEXT_BYTES_MAX: usize = 255;
/// Longest name that is written out: RFC 3416 has up to 128 numbers, real ones come to 30.
const NAME_BYTES_MAX: usize = 128;

/// Objects of standard groups: name, fact, the value's tag, shape.
const OBJECTS: [(&[u8], &str, u8, Shape); 14] = [
    (&[0x2b, 6, 1, 2, 1, 1, 1, 0], "system.descr", OCTETS, Shape::Lines),
    (SYS_OBJECT_ID, "system.object_id", OID, Shape::Oid),
    (&[0x2b, 6, 1, 2, 1, 1, 4, 0], "system.contact", OCTETS, Shape::Lines),
    (SYS_NAME, "system.name", OCTETS, Shape::Text),
    (&[0x2b, 6, 1, 2, 1, 1, 6, 0], "system.location", OCTETS, Shape::Lines),
    (&[0x2b, 6, 1, 2, 1, 17, 1, 1, 0], "bridge.address", OCTETS, Shape::Mac),
    (&[0x2b, 6, 1, 2, 1, 33, 1, 1, 1, 0], "ups.manufacturer", OCTETS, Shape::Text),
    (&[0x2b, 6, 1, 2, 1, 33, 1, 1, 2, 0], "ups.model", OCTETS, Shape::Text),
    (&[0x2b, 6, 1, 2, 1, 33, 1, 1, 3, 0], "ups.software_version", OCTETS, Shape::Text),
    (&[0x2b, 6, 1, 2, 1, 33, 1, 1, 4, 0], "ups.agent_software_version", OCTETS, Shape::Text),
    (&[0x2b, 6, 1, 2, 1, 33, 1, 1, 5, 0], "ups.name", OCTETS, Shape::Text),
    (&[0x2b, 6, 1, 2, 1, 43, 5, 1, 1, 17, 1], "printer.serial", OCTETS, Shape::Text),
    (&[0x28, 0xc4, 0x62, 1, 1, 2, 1, 3, 3, 0], "lldp.name", OCTETS, Shape::Text),
    (&[0x28, 0xc4, 0x62, 1, 1, 2, 1, 3, 4, 0], "lldp.descr", OCTETS, Shape::Lines),
];

/// Columns of the table of physical entities: number, fact, the value's tag, shape.
const COLUMNS: [(u8, &str, u8, Shape); 13] = [
    (2, "descr", OCTETS, Shape::Lines),
    (3, "vendor_type", OID, Shape::Oid),
    (5, "class", INTEGER, Shape::Number),
    (7, "name", OCTETS, Shape::Text),
    (8, "hardware_rev", OCTETS, Shape::Text),
    (9, "firmware_rev", OCTETS, Shape::Text),
    (10, "software_rev", OCTETS, Shape::Text),
    (11, "serial", OCTETS, Shape::Text),
    (12, "mfg", OCTETS, Shape::Text),
    (13, "model", OCTETS, Shape::Text),
    (14, "alias", OCTETS, Shape::Text),
    (15, "asset_id", OCTETS, Shape::Text),
    (18, "uris", OCTETS, Shape::Text),
];

/// What a binding is to a device's identity.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Object {
    /// An object of a standard group.
    Standard(&'static str, Shape),
    /// A column of a physical entity.
    Entity(&'static str, Shape),
    /// A text under a maker's own number.
    Private,
    /// A number under a maker's own number: a measurement as a rule.
    Number,
}

impl Object {
    /// What this binding says, if it says something.
    pub(super) fn of(name: &[u8], tag: u8, value: &[u8]) -> Option<Self> {
        if value.is_empty() || name.len() > NAME_BYTES_MAX {
            return None;
        }
        if let Some(rest) = name.strip_prefix(ENTITY) {
            let (_, fact, _, shape) = COLUMNS.iter().find(|(column, _, kind, _)| rest.first() == Some(column) && tag == *kind)?;
            return (rest.len() > 1).then_some(Self::Entity(fact, *shape));
        }
        if name.starts_with(ENTERPRISES) {
            if NUMBERS.contains(&tag) {
                // One octet more than 32 bits need holds the sign, which is none here.
                let is_natural = value.len() <= 5 && value.first().is_some_and(|first| first & 0x80 == 0);
                return is_natural.then_some(Self::Number);
            }
            return (tag == OCTETS && value.len() <= TEXT_BYTES_MAX && is_text(value)).then_some(Self::Private);
        }
        let (_, fact, _, shape) = OBJECTS.iter().find(|(object, _, kind, _)| name == *object && tag == *kind)?;
        Some(Self::Standard(fact, *shape))
    }

    /// The fact's path and shape.
    pub(super) fn fact(self, name: &[u8]) -> Option<(String, Shape)> {
        match self {
            Self::Standard(fact, shape) => Some((format!("snmp.{fact}"), shape)),
            Self::Entity(fact, shape) => {
                let index = numbers(name.get(ENTITY.len() + 1..)?)?;
                Some((format!("snmp.entity{index}.{fact}"), shape))
            }
            Self::Private => Some((format!("snmp.1.3{}", numbers(name.get(1..)?)?), Shape::Lines)),
            Self::Number => Some((format!("snmp.1.3{}", numbers(name.get(1..)?)?), Shape::Number)),
        }
    }
}

/// Text that a person can read: what is no text in a maker's own objects is bits, addresses and counters.
fn is_text(value: &[u8]) -> bool {
    let end = value.iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1);
    let text = value.get(..end).unwrap_or_default();
    let readable = |text: &str| text.chars().all(|c| !c.is_control() || matches!(c, '\t' | '\r' | '\n'));
    !text.is_empty() && core::str::from_utf8(text).is_ok_and(readable)
}

/// The numbers of a part of an object's name, each with a dot before it; `None` where one is broken. X.690, 8.19.
pub(super) fn numbers(part: &[u8]) -> Option<String> {
    let (mut text, mut number, mut inside) = (String::new(), 0_u32, false);
    for byte in part {
        number = number.checked_mul(128)? | u32::from(byte & 0x7f);
        inside = byte & 0x80 != 0;
        if !inside {
            write!(text, ".{number}").ok()?;
            number = 0;
        }
    }
    (!inside).then_some(text)
}

/// Facts in an engine id that stands at `at`: the maker's number, and what names the device in it. RFC 3411, 5, SnmpEngineID.
pub(super) fn engine(id: &[u8], at: Range<usize>, fact: &mut dyn FnMut(&'static str, Shape, Range<usize>)) {
    // The standard has 5 to 32 octets; less is somebody who asks for it.
    if !(5..=32).contains(&id.len()) || id.iter().all(|byte| *byte == 0) {
        return;
    }
    fact("snmp.engine.id", Shape::Hex, at.clone());
    let named = at.start + 5..at.end;
    match id {
        [0x80, _, _, _, format, rest @ ..] => {
            fact("snmp.engine.enterprise", Shape::Number, at.start + 1..at.start + 4);
            match (format, rest.len()) {
                (1, 4) => fact("snmp.engine.ip", Shape::Ip, named),
                (2, 16) => fact("snmp.engine.ip6", Shape::Ip, named),
                (3, 6) => fact("snmp.engine.mac", Shape::Mac, named),
                // Cisco has an octet of 0 before it.
                (3, 7) if rest.first() == Some(&0) => fact("snmp.engine.mac", Shape::Mac, named.start + 1..named.end),
                (4, 1..) => fact("snmp.engine.text", Shape::Text, named),
                _ => {}
            }
        }
        [0, ..] if id.len() == 12 => fact("snmp.engine.enterprise", Shape::Number, at.start..at.start + 4),
        _ => {}
    }
}

/// True for the address in a binding that names the agent behind a proxy.
pub(super) fn is_trap_address(name: &[u8], tag: u8) -> bool {
    name == TRAP_ADDRESS && tag == IP_ADDRESS
}
