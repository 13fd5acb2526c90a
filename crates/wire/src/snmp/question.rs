//! The questions that we may put: GET of named objects, and rows of one table of ENTITY-MIB by GETNEXT or GETBULK. Nothing else is encoded.

use super::message::{self, OCTETS, OID, V1, V2C};
use super::name::{Oid, arc};
use super::object::ENTITY;
use crate::Cursor;

/// RFC 3416, 3.
const GET: u8 = 0xa0;
const GET_NEXT: u8 = 0xa1;
const GET_BULK: u8 = 0xa5;
/// What stands for a value in a question. X.690, 8.8.
const NULL: [u8; 2] = [5, 0];
/// sysDescr.0, sysObjectID.0, sysUpTime.0, sysName.0 behind 1.3.6.1.2.1.1. RFC 3418.
const SYSTEM: [u8; 4] = [1, 2, 3, 5];
const SYSTEM_GROUP: [u8; 6] = [0x2b, 6, 1, 2, 1, 1];
/// Columns of entPhysicalTable that say what a part is: description, class, name, revisions of hardware, firmware and software, serial
/// number, manufacturer, model. RFC 6933.
pub const COLUMNS: [u8; 9] = [2, 5, 7, 8, 9, 10, 11, 12, 13];
/// Rows in one answer to GETBULK: four of nine texts fit into one packet on Ethernet as a rule.
pub const ROWS_MAX: u8 = 4;
/// Objects in one GET, so that the answer of a small agent is not too big for it.
pub const OBJECTS_MAX: usize = 10;

/// Which of the two message formats with a community.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Version {
    /// RFC 1157.
    V1,
    /// RFC 3416 with the message of RFC 1901.
    V2c,
}

/// A read-only question.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Question {
    /// Who it is, and what its clock says: version 3 begins with it (RFC 3414, 4). It asks for no object.
    Discovery,
    /// What it is and what it is called, and since when it runs: one GET.
    System,
    /// Objects by name, in one GET; not more than [`OBJECTS_MAX`].
    Objects(Vec<Oid>),
    /// Rows of entPhysicalTable, one each.
    NextEntity {
        /// Behind the row with this index; from the first one on where there is none.
        after: Option<u32>,
    },
    /// Up to [`ROWS_MAX`] rows of entPhysicalTable; v1 has no such question.
    Entities {
        /// Behind the row with this index; from the first one on where there is none.
        after: Option<u32>,
    },
}

/// A number for a question that stands in four bytes, as BER wants it (X.690, 8.3.2): number `n` of a connection.
#[must_use]
pub const fn request_id(n: u8) -> u32 {
    0x4e50_0000 | n as u32
}

/// Tag, length in the fewest bytes, content.
pub(super) fn element(tag: u8, content: &[u8]) -> Vec<u8> {
    let length = content.len();
    let mut bytes = vec![tag];
    match u16::try_from(length).unwrap_or(u16::MAX).to_be_bytes() {
        [0, lower @ 0..=0x7f] => bytes.push(lower),
        [0, lower] => bytes.extend([0x81, lower]),
        [upper, lower] => bytes.extend([0x82, upper, lower]),
    }
    bytes.extend_from_slice(content);
    bytes
}

impl Question {
    /// The question's name on the allowlist.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Discovery => "snmp.discovery",
            Self::System => "snmp.system",
            Self::Objects(_) => "snmp.objects",
            Self::NextEntity { .. } => "snmp.entity.next",
            Self::Entities { .. } => "snmp.entity.bulk",
        }
    }

    /// The whole message. `id` is one of [`request_id`].
    #[must_use]
    pub fn encode(&self, version: Version, community: &[u8], id: u32) -> Vec<u8> {
        let version = if version == Version::V1 { V1 } else { V2C };
        let content = [vec![2, 1, version as u8], element(OCTETS, community), self.pdu(id)];
        element(0x30, &content.concat())
    }

    /// The question without the message around it.
    #[must_use]
    pub fn pdu(&self, id: u32) -> Vec<u8> {
        let (tag, repetitions) = match self {
            Self::Discovery | Self::System | Self::Objects(_) => (GET, 0),
            Self::NextEntity { .. } => (GET_NEXT, 0),
            Self::Entities { .. } => (GET_BULK, ROWS_MAX),
        };
        let binding = |name: Vec<u8>| element(0x30, &[element(OID, &name), NULL.to_vec()].concat());
        let bindings: Vec<u8> = self.names().into_iter().flat_map(binding).collect();
        let [i3, i2, i1, i0] = id.to_be_bytes();
        // Error status and index; in GETBULK non-repeaters and repetitions.
        let header = vec![2, 4, i3, i2, i1, i0, 2, 1, 0, 2, 1, repetitions];
        element(tag, &[header, element(0x30, &bindings)].concat())
    }

    fn names(&self) -> Vec<Vec<u8>> {
        match self {
            Self::Discovery => Vec::new(),
            Self::System => SYSTEM.iter().map(|object| [&SYSTEM_GROUP[..], &[*object, 0]].concat()).collect(),
            Self::Objects(objects) => objects.iter().map(|object| object.bytes().to_vec()).collect(),
            Self::NextEntity { after } | Self::Entities { after } => {
                let index: Vec<u8> = after.iter().flat_map(|index| arc(*index)).collect();
                COLUMNS.iter().map(|column| [ENTITY, &[*column], &index].concat()).collect()
            }
        }
    }

    /// Recognises one of these questions in a client's message; `None` for everything else.
    #[must_use]
    pub fn read(bytes: &[u8]) -> Option<(Version, u32, Self)> {
        let mut c = Cursor::new(super::NAME, bytes);
        let mut inside = message::enter(&mut c, 0x30, "a message (RFC 1157, 4)").ok()?;
        let version = match message::integer(&mut inside, "version (RFC 1157, 4)").ok()? {
            V1 => Version::V1,
            V2C => Version::V2c,
            _ => return None,
        };
        let community = message::primitive(&mut inside, OCTETS, "community (RFC 1157, 4)").ok()?;
        let community = bytes.get(community)?;
        let pdu = inside.rest();
        let id = u32::from_be_bytes(*pdu.get(pdu.iter().position(|byte| *byte == 2)? + 2..)?.first_chunk()?);
        let index = |name: &[u8]| name.get(ENTITY.len() + 1..).and_then(number);
        let mut names = Vec::new();
        message::Message::read(bytes).ok()?.pdu?.bindings(&mut |binding| names.extend(bytes.get(binding.name).map(<[u8]>::to_vec))).ok()?;
        let after = names.first().and_then(|name| index(name));
        let objects = names.iter().map(|name| Oid::of(name)).collect();
        let questions = [Self::System, Self::NextEntity { after }, Self::Entities { after }, Self::Objects(objects)];
        // What is written the same way is the same question; all else is none of ours.
        let found = questions.into_iter().find(|question| question.encode(version, community, id) == bytes)?;
        Some((version, id, found))
    }
}

/// The one number that these bytes are. X.690, 8.19.2.
pub(super) fn number(bytes: &[u8]) -> Option<u32> {
    let (last, more) = bytes.split_last()?;
    if last & 0x80 != 0 || more.iter().any(|byte| byte & 0x80 == 0) {
        return None;
    }
    bytes.iter().try_fold(0_u32, |number, byte| Some(number.checked_mul(0x80)? | u32::from(byte & 0x7f)))
}

#[cfg(test)]
mod tests {
    use super::super::tests::hex;
    use super::*;

    fn check(question: &Question, version: Version, expected: &str) {
        let bytes = question.encode(version, b"public", request_id(7));
        assert_eq!(bytes, hex(expected), "{}", question.name());
        assert_eq!(Question::read(&bytes), Some((version, request_id(7), question.clone())), "our own question is read again");
    }

    /// Laid out by hand from RFC 1157 (4), RFC 1901 (3), RFC 3416 (3) and RFC 6933.
    #[test]
    fn questions_are_the_bytes_of_the_standards_and_round_trip() {
        let system = "02044e500007 020100 020100 3038 300c06082b060102010101000500 300c06082b060102010102000500
                      300c06082b060102010103000500 300c06082b060102010105000500";
        check(&Question::System, Version::V1, &format!("3053 020100 04067075626c6963 a046 {system}"));
        check(&Question::System, Version::V2c, &format!("3053 020101 04067075626c6963 a046 {system}"));
        let objects = Question::Objects(vec!["1.3.6.1.4.1.248.14.1".parse().expect("a name")]);
        check(&objects, Version::V2c, "302a 020101 04067075626c6963 a01d 02044e500007 020100 020100 300f 300d06092b0601040181780e010500");
        let rows = |lengths: &str, index: &str| -> String {
            let row = |column| format!("{lengths} 2b060102012f01010101 {column} {index} 0500");
            ["02", "05", "07", "08", "09", "0a", "0b", "0c", "0d"].map(row).concat()
        };
        let next = format!("3081b6 020100 04067075626c6963 a181a8 02044e500007 020100 020100 308199 {}", rows("300f 060b", ""));
        check(&Question::NextEntity { after: None }, Version::V1, &next);
        // Row 1001 takes two bytes.
        let bulk = format!("3081c8 020101 04067075626c6963 a581ba 02044e500007 020100 020104 3081ab {}", rows("3011 060d", "8769"));
        check(&Question::Entities { after: Some(1001) }, Version::V2c, &bulk);
    }

    #[test]
    fn a_set_is_no_question() {
        let mut set = Question::System.encode(Version::V2c, b"public", request_id(1));
        set[13] = 0xa3;
        assert_eq!(Question::read(&set), None);
        set[13] = 0xa1;
        assert_eq!(Question::read(&set), None, "a walk of the system group is none of ours");
        assert_eq!(Question::read(b""), None);
    }
}
