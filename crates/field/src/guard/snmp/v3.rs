//! What may leave as SNMP v3: the same questions in another message, which the guard itself encrypts and authenticates (docs/decisions/0018).
//!
//! The rows judge the message in clear, with zeros where authentication and salt will stand. Engine and clock are the device's: only what one of
//! its own messages on this connection said may stand there. Layout: RFC 3412, clause 6, and RFC 3414, clause 2.4.

use std::sync::Arc;

use super::{
    BULK_ASKED, ENTITY_QUESTIONS_MAX, FOUR_ROWS, LISTED, NO_ERROR, OBJECT_QUESTIONS_MAX, PDU_PARTS, SYSTEM, columns, length, question, row,
    with_lists, with_objects,
};
use crate::guard::{
    Refused,
    permit::{Grant, HOLD_S_MAX, Session},
    table::{Is, Part, Row, Slot, Table, Width, any, bytes, count, granted},
    usm::{Engine, User},
};

/// Messages on one connection (read-only.md section 2: 1 + 16, and discovery and time).
pub const V3_MESSAGES_MAX: u8 = 19;
/// Bytes of a user's name (RFC 3414, 2.4).
const USER_BYTES_MAX: usize = 32;

/// What one agent may be asked over v3.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SnmpV3 {
    /// Who asks, and how well protected.
    pub user: User,
    /// Objects that the profile or the site's list names, as in [`super::Snmp::objects`].
    pub objects: Vec<Vec<u8>>,
    /// Rows of entPhysicalTable.
    pub entities: bool,
}

impl SnmpV3 {
    /// The grant.
    ///
    /// # Errors
    /// [`Refused`] by `permit.user` or `permit.objects`.
    pub fn grant(&self) -> Result<Grant, Refused> {
        let (mac_bytes, salt_bytes) = self.user.placeholders();
        if !(1..=USER_BYTES_MAX).contains(&self.user.name.len()) {
            let why = format!("a user's name of {} bytes, 1 to {USER_BYTES_MAX} are one", self.user.name.len());
            return Err(Refused::before_any_byte("permit.user", why));
        }
        let unknown = Engine::default();
        let grant = Grant::new(&TABLE, String::new())
            .with(&FLAGS, [self.user.flags()])
            .with(&USER, self.user.name.clone())
            .with(&MAC, vec![0; mac_bytes])
            .with(&SALT, vec![0; salt_bytes])
            .with(&ENGINE, unknown.id.clone())
            .with(&CLOCK, unknown.clock())
            .in_session(Arc::new(self.user.clone()));
        let grant = if self.entities { grant.with(&BULK_ASKED, []) } else { grant };
        with_objects(grant, &self.objects)
    }

    /// The grant for GETs of exactly these lists; of its own objects none.
    ///
    /// # Errors
    /// As [`SnmpV3::grant`].
    pub fn grant_lists(&self, lists: &[Vec<Vec<u8>>]) -> Result<Grant, Refused> {
        with_lists(Self { objects: Vec::new(), entities: false, ..self.clone() }.grant()?, lists)
    }
}

impl Session for User {
    fn seal(&self, plain: &[u8], n: u64) -> Result<Vec<u8>, &'static str> {
        Self::seal(self, plain, n)
    }

    fn learn(&self, message: &[u8]) -> Vec<(&'static Slot, Vec<u8>)> {
        Engine::of(message).map_or_else(Vec::new, |engine| vec![(&ENGINE, engine.id.clone()), (&CLOCK, engine.clock())])
    }
}

static FLAGS: Slot = Slot { name: "flags", mark: "ff", needs: "", secret: false };
static USER: Slot = Slot { name: "user", mark: "user", needs: "", secret: false };
static MAC: Slot = Slot { name: "mac", mark: "zeros", needs: "", secret: false };
static SALT: Slot = Slot { name: "salt", mark: "zeros", needs: "", secret: false };
static ENGINE: Slot = Slot { name: "engine", mark: "engine", needs: "the device has said who it is", secret: false };
static CLOCK: Slot = Slot { name: "clock", mark: "clock", needs: "", secret: false };

const ID: &str = "INTEGER of four bytes, free but for its first bits";

/// What a message of this length holds alone.
const fn own_length(of: usize, rule: &'static str) -> Part {
    Part { is: Is::Count { width: Width::Ber, first: of, last: of, more: 0 }, rule, meaning: "its length" }
}

/// Header, security parameters, and the head of the scoped PDU.
const HEAD: [Part; 34] = [
    bytes(&[0x30], "snmp.message", "SEQUENCE: a message"),
    count(Width::Ber, 2, "snmp.length", "length of what follows"),
    bytes(&[0x02, 0x01, 0x03], "snmp.version", "version 3"),
    bytes(&[0x30, 0x11], "snmp.header", "SEQUENCE of 17 bytes: the header"),
    bytes(&[0x02, 0x04], "snmp.message_id", ID),
    Part { is: Is::Bits { mask: 0xc0, value: 0x40 }, rule: "snmp.message_id", meaning: ID },
    any(3, "snmp.message_id", ID),
    bytes(&[0x02, 0x03, 0x00, 0xff, 0xe3], "snmp.size", "the longest answer that we take: 65507 bytes"),
    bytes(&[0x04, 0x01], "snmp.flags", "OCTET STRING of one byte"),
    granted(&FLAGS, "snmp.flags", "4 reportable, 1 authenticated, 2 encrypted"),
    bytes(&[0x02, 0x01, 0x03], "snmp.security", "security model 3: users"),
    bytes(&[0x04], "snmp.security", "OCTET STRING: security parameters"),
    length(13, 27),
    bytes(&[0x30], "snmp.security", "SEQUENCE"),
    length(15, 27),
    bytes(&[0x04], "snmp.engine", "OCTET STRING: the engine that is asked"),
    own_length(17, "snmp.engine"),
    granted(&ENGINE, "snmp.engine", "its id, as it said itself"),
    granted(&CLOCK, "snmp.clock", "its boots and time, as it said itself"),
    bytes(&[0x04], "snmp.user", "OCTET STRING: who asks"),
    own_length(21, "snmp.user"),
    granted(&USER, "snmp.user", "the user's name"),
    bytes(&[0x04], "snmp.mac", "OCTET STRING: authentication"),
    own_length(24, "snmp.mac"),
    granted(&MAC, "snmp.mac", "zeros; the guard writes the authentication over them"),
    bytes(&[0x04], "snmp.salt", "OCTET STRING: salt"),
    own_length(27, "snmp.salt"),
    granted(&SALT, "snmp.salt", "zeros; the guard writes the salt over them"),
    bytes(&[0x30], "snmp.scoped", "SEQUENCE: from here on the guard encrypts, where the flags say so"),
    count(Width::Ber, 30, "snmp.length", "length of what follows"),
    bytes(&[0x04], "snmp.engine", "OCTET STRING: the engine whose objects are asked"),
    own_length(32, "snmp.engine"),
    granted(&ENGINE, "snmp.engine", "the same engine"),
    bytes(&[0x04, 0x00], "snmp.context", "no context's name"),
];

/// Who asks for nothing but the engine (RFC 3414, 4).
const NOBODY: [Part; 14] = [
    HEAD[0],
    HEAD[1],
    HEAD[2],
    HEAD[3],
    HEAD[4],
    HEAD[5],
    HEAD[6],
    HEAD[7],
    bytes(&[0x04, 0x01, 0x04], "snmp.flags", "reportable, neither authenticated nor encrypted"),
    HEAD[10],
    bytes(
        &[0x04, 0x10, 0x30, 0x0e, 0x04, 0x00, 0x02, 0x01, 0x00, 0x02, 0x01, 0x00, 0x04, 0x00, 0x04, 0x00, 0x04, 0x00],
        "snmp.security",
        "security parameters: no engine, no time, no user",
    ),
    bytes(&[0x30], "snmp.scoped", "SEQUENCE"),
    count(Width::Ber, 13, "snmp.length", "length of what follows"),
    bytes(&[0x04, 0x00, 0x04, 0x00], "snmp.context", "no engine, no context's name"),
];

const ASKED: usize = HEAD.len() + PDU_PARTS;
static DISCOVERY: [Part; NOBODY.len() + PDU_PARTS] = question(&NOBODY, &[0xa0], NO_ERROR, &[]);
static GET_SYSTEM: [Part; ASKED + SYSTEM.len()] = question(&HEAD, &[0xa0], NO_ERROR, &SYSTEM);
static GET_LISTED: [Part; ASKED + LISTED.len()] = question(&HEAD, &[0xa0], NO_ERROR, &LISTED);
static GET_BULK: [Part; ASKED + columns().len()] = question(&HEAD, &[0xa5], FOUR_ROWS, &columns());

static ROWS: [Row; 4] = [
    row("snmp.discovery", "who it is, and what its clock says", &DISCOVERY, 1),
    // Once more where its clock was not as it had said.
    row("snmp.system", super::ASKS_SYSTEM, &GET_SYSTEM, 2),
    row("snmp.objects", super::ASKS_OBJECTS, &GET_LISTED, OBJECT_QUESTIONS_MAX),
    Row { needs: Some(&BULK_ASKED), ..row("snmp.entity.bulk", super::ASKS_ROWS, &GET_BULK, ENTITY_QUESTIONS_MAX) },
];

/// The row of read-only.md.
pub static TABLE: Table = Table {
    protocol: "snmp",
    port: "UDP 161 (v3)",
    rows: &ROWS,
    messages_max: V3_MESSAGES_MAX,
    hold_s_max: HOLD_S_MAX,
    order: &[],
    caps: "19 messages and 10 s; one in flight; at most 10 objects a message; one user, tried once; 64 rows of one table; sealed by the guard",
};

#[cfg(test)]
mod tests;
