//! What may leave as SNMP v1 and v2c: read-only.md section 2, row "SNMP", as data.
//!
//! Layouts: RFC 1157, clause 4 (message), RFC 1901, clause 3 (the same with version 1 for v2c), RFC 3416, clause 3 (PDUs), X.690 for BER, of
//! which the shortest form alone may leave. Objects: RFC 3418 (system group), RFC 6933 (entPhysicalTable). There is no SET, no trap, no inform, no
//! walk but in the nine columns of one table, so none can leave.

mod v3;

pub use self::v3::{SnmpV3, TABLE as TABLE_V3, V3_MESSAGES_MAX};
use super::{
    Refused, Secret,
    permit::{Grant, HOLD_S_MAX},
    table::{Is, Part, Row, Slot, Table, Width, any, bytes, count, granted},
};

/// Messages on one connection (read-only.md section 2: 1 + 16 PDUs).
pub const MESSAGES_MAX: u8 = 17;
/// Questions for rows of the table of entities: of four rows each that is the 64 of read-only.md section 2.
pub const ENTITY_QUESTIONS_MAX: u8 = 16;
/// Objects in one GET (H20: at most 10).
pub const OBJECTS_MAX: usize = 10;
/// GETs of objects that a list names: a list, not a walk spelt out.
pub const OBJECT_QUESTIONS_MAX: u8 = 4;
/// Lists of objects that one connection may be granted: of each only what the answers before it call for is asked.
pub const OBJECT_LISTS_MAX: usize = 64;
/// Bytes of one object's name: RFC 3416 has up to 128 numbers in a name, real ones come to 30.
pub const OBJECT_BYTES_MAX: usize = 64;
/// Bytes of a community: SNMP-COMMUNITY-MIB (RFC 3584) has no limit, devices have 32 as a rule.
pub const COMMUNITY_BYTES_MAX: usize = 64;

/// What one agent may be asked over v1 or v2c.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Snmp {
    /// Version 1, else 2c.
    pub v1: bool,
    /// The community.
    pub community: Secret,
    /// Objects that the profile or the site's list names: their names as they stand in a message, each a whole instance.
    pub objects: Vec<Vec<u8>>,
    /// Rows of entPhysicalTable.
    pub entities: bool,
}

impl Snmp {
    /// The grant.
    ///
    /// # Errors
    /// [`Refused`] by `permit.community` or `permit.objects`.
    pub fn grant(&self) -> Result<Grant, Refused> {
        let community = self.community.bytes();
        if !(1..=COMMUNITY_BYTES_MAX).contains(&community.len()) {
            let why = format!("a community of {} bytes, 1 to {COMMUNITY_BYTES_MAX} are one", community.len());
            return Err(Refused::before_any_byte("permit.community", why));
        }
        if self.v1 && !self.objects.is_empty() {
            let why = "to version 1 one object that is not there costs the answer for all: only the system group is asked";
            return Err(Refused::before_any_byte("permit.objects", why));
        }
        let grant = Grant::new(&TABLE, String::new()).with(&VERSION, [u8::from(!self.v1)]).with(&COMMUNITY, community);
        let rows = if self.v1 { &NEXT_ASKED } else { &BULK_ASKED };
        let grant = if self.entities { grant.with(rows, []) } else { grant };
        with_objects(grant, &self.objects)
    }

    /// The grant for GETs of exactly these lists; of its own objects none.
    ///
    /// # Errors
    /// As [`Snmp::grant`].
    pub fn grant_lists(&self, lists: &[Vec<Vec<u8>>]) -> Result<Grant, Refused> {
        let no = |why: &str| Err(Refused::before_any_byte("permit.objects", why));
        if self.v1 {
            return no("to version 1 one object that is not there costs the answer for all: only the system group is asked");
        }
        with_lists(Self { objects: Vec::new(), entities: false, ..self.clone() }.grant()?, lists)
    }
}

/// One literal for each of these lists.
fn with_lists(grant: Grant, lists: &[Vec<Vec<u8>>]) -> Result<Grant, Refused> {
    let no = |why: String| Err(Refused::before_any_byte("permit.objects", why));
    if lists.len() > OBJECT_LISTS_MAX {
        return no(format!("{} lists of objects, at most {OBJECT_LISTS_MAX}", lists.len()));
    }
    if let Some(list) = lists.iter().find(|list| list.len() > OBJECTS_MAX) {
        return no(format!("{} objects in one message, at most {OBJECTS_MAX}", list.len()));
    }
    lists.iter().try_fold(grant, |grant, list| with_objects(grant, list))
}

/// One literal for each GET of objects that a list names.
fn with_objects(grant: Grant, objects: &[Vec<u8>]) -> Result<Grant, Refused> {
    let most = OBJECTS_MAX.saturating_mul(OBJECT_QUESTIONS_MAX.into());
    if objects.len() > most {
        return Err(Refused::before_any_byte("permit.objects", format!("{} objects, at most {most}", objects.len())));
    }
    if objects.iter().any(|name| !is_a_name(name)) {
        let why = format!("an object's name has 3 to {OBJECT_BYTES_MAX} bytes and stands below 1.3 or 1.0.8802");
        return Err(Refused::before_any_byte("permit.objects", why));
    }
    let binding = |name: &Vec<u8>| {
        let length = name.len() as u8;
        [&[0x30, length + 4, 0x06, length], name.as_slice(), &[0x05, 0x00]].concat()
    };
    let gets = objects.chunks(OBJECTS_MAX).map(|names| names.iter().flat_map(binding).collect::<Vec<u8>>());
    Ok(gets.fold(grant, |grant, bindings| grant.with(&OBJECTS, bindings)))
}

/// Whole numbers in their shortest form (X.690, 8.19.2), below internet and what is IEEE 802.1's.
fn is_a_name(name: &[u8]) -> bool {
    let below = name.first() == Some(&0x2b) || name.starts_with(&[0x28, 0xc4, 0x62]);
    let first_bytes = std::iter::once(0).chain(name.iter().copied()).zip(name).filter(|(before, _)| before & 0x80 == 0);
    let shortest = first_bytes.map(|(_, first)| *first).all(|first| first != 0x80);
    below && shortest && (3..=OBJECT_BYTES_MAX).contains(&name.len()) && name.last().is_some_and(|last| last & 0x80 == 0)
}

static VERSION: Slot = Slot { name: "version", mark: "vv", needs: "", secret: false };
static COMMUNITY: Slot = Slot { name: "community", mark: "community", needs: "", secret: true };
static OBJECTS: Slot = Slot { name: "objects", mark: "objects", needs: "the profile or the site's list names each object", secret: false };
static NEXT_ASKED: Slot =
    Slot { name: "entities.next", mark: "", needs: "the rows of the parts are asked for, over version 1", secret: false };
static BULK_ASKED: Slot = Slot { name: "entities.bulk", mark: "", needs: "the rows of the parts are asked for", secret: false };

/// Version and community.
const HEAD: [Part; 7] = [
    bytes(&[0x30], "snmp.message", "SEQUENCE: a message"),
    count(Width::Ber, 2, "snmp.length", "length of what follows"),
    bytes(&[0x02, 0x01], "snmp.version", "INTEGER of one byte"),
    granted(&VERSION, "snmp.version", "version: 0 is v1, 1 is v2c"),
    bytes(&[0x04], "snmp.community", "OCTET STRING"),
    Part { is: Is::Count { width: Width::Ber, first: 6, last: 6, more: 0 }, rule: "snmp.community", meaning: "length of the community" },
    granted(&COMMUNITY, "snmp.community", "community, a secret"),
];

/// Parts of a PDU before its bindings.
const PDU_PARTS: usize = 8;

/// `head`, then a PDU; counts inside `bindings` are counted from its first part.
const fn question<const N: usize>(head: &[Part], tag: &'static [u8], settings: &'static [u8], bindings: &[Part]) -> [Part; N] {
    let mut parts = [any(0, "", ""); N];
    let mut at = 0;
    while at < head.len() {
        parts[at] = head[at];
        at += 1;
    }
    parts[at] = bytes(tag, "snmp.pdu", "A0 GetRequest, A1 GetNextRequest, A5 GetBulkRequest");
    parts[at + 1] = count(Width::Ber, at + 2, "snmp.length", "length of what follows");
    parts[at + 2] = bytes(&[0x02, 0x04], "snmp.request_id", "INTEGER of four bytes");
    parts[at + 3] =
        Part { is: Is::Bits { mask: 0xc0, value: 0x40 }, rule: "snmp.request_id", meaning: "request id, free but for its first bits" };
    parts[at + 4] = any(3, "snmp.request_id", "request id, free");
    parts[at + 5] = bytes(settings, "snmp.settings", "error status and index 0; GetBulk: 0 objects apart, 4 rows");
    parts[at + 6] = bytes(&[0x30], "snmp.bindings", "SEQUENCE: the objects that are asked");
    parts[at + 7] = count(Width::Ber, at + 8, "snmp.length", "length of what follows");
    at += PDU_PARTS;
    let (start, mut from) = (at, 0);
    while from < bindings.len() {
        let mut part = bindings[from];
        if let Is::Count { width, first, last, more } = part.is {
            part.is = Is::Count { width, first: first + start, last: last + start, more };
        }
        parts[at] = part;
        (at, from) = (at + 1, from + 1);
    }
    parts
}

/// `30 0C 06 08 object 05 00`.
const SYSTEM: [Part; 4] = [
    bytes(&[0x30, 0x0c, 0x06, 0x08, 0x2b, 6, 1, 2, 1, 1, 1, 0, 0x05, 0x00], "snmp.object", "sysDescr.0 (1.3.6.1.2.1.1.1.0)"),
    bytes(&[0x30, 0x0c, 0x06, 0x08, 0x2b, 6, 1, 2, 1, 1, 2, 0, 0x05, 0x00], "snmp.object", "sysObjectID.0 (1.3.6.1.2.1.1.2.0)"),
    bytes(&[0x30, 0x0c, 0x06, 0x08, 0x2b, 6, 1, 2, 1, 1, 3, 0, 0x05, 0x00], "snmp.object", "sysUpTime.0 (1.3.6.1.2.1.1.3.0)"),
    bytes(&[0x30, 0x0c, 0x06, 0x08, 0x2b, 6, 1, 2, 1, 1, 5, 0, 0x05, 0x00], "snmp.object", "sysName.0 (1.3.6.1.2.1.1.5.0)"),
];
const LISTED: [Part; 1] = [granted(&OBJECTS, "snmp.object", "objects that the list names")];

/// Columns of entPhysicalTable, 1.3.6.1.2.1.47.1.1.1.1, that may be asked.
const COLUMNS: [(&[u8], &str); 9] = [
    (&[0x2b, 6, 1, 2, 1, 47, 1, 1, 1, 1, 2], "entPhysicalDescr"),
    (&[0x2b, 6, 1, 2, 1, 47, 1, 1, 1, 1, 5], "entPhysicalClass"),
    (&[0x2b, 6, 1, 2, 1, 47, 1, 1, 1, 1, 7], "entPhysicalName"),
    (&[0x2b, 6, 1, 2, 1, 47, 1, 1, 1, 1, 8], "entPhysicalHardwareRev"),
    (&[0x2b, 6, 1, 2, 1, 47, 1, 1, 1, 1, 9], "entPhysicalFirmwareRev"),
    (&[0x2b, 6, 1, 2, 1, 47, 1, 1, 1, 1, 10], "entPhysicalSoftwareRev"),
    (&[0x2b, 6, 1, 2, 1, 47, 1, 1, 1, 1, 11], "entPhysicalSerialNum"),
    (&[0x2b, 6, 1, 2, 1, 47, 1, 1, 1, 1, 12], "entPhysicalMfgName"),
    (&[0x2b, 6, 1, 2, 1, 47, 1, 1, 1, 1, 13], "entPhysicalModelName"),
];
const COLUMN_PARTS: usize = 7;
const ENTITY_PARTS: usize = COLUMN_PARTS * COLUMNS.len();

/// Each column behind the same row: which one, the device's answer before has said.
const fn columns() -> [Part; ENTITY_PARTS] {
    let mut parts = [any(0, "", ""); ENTITY_PARTS];
    let mut column = 0;
    while column < COLUMNS.len() {
        let (at, (name, meaning)) = (column * COLUMN_PARTS, COLUMNS[column]);
        parts[at] = bytes(&[0x30], "snmp.binding", "SEQUENCE: one object");
        parts[at + 1] = length(at + 2, at + 6);
        parts[at + 2] = bytes(&[0x06], "snmp.binding", "OBJECT IDENTIFIER");
        parts[at + 3] = length(at + 4, at + 5);
        parts[at + 4] = bytes(name, "snmp.object", meaning);
        parts[at + 5] = Part { is: Is::Number, rule: "snmp.row", meaning: "the row behind which it goes on" };
        parts[at + 6] = bytes(&[0x05, 0x00], "snmp.binding", "NULL: no value");
        column += 1;
    }
    parts
}

const fn length(first: usize, last: usize) -> Part {
    Part { is: Is::Count { width: Width::Ber, first, last, more: 0 }, rule: "snmp.length", meaning: "length of what follows" }
}

const NO_ERROR: &[u8] = &[0x02, 0x01, 0x00, 0x02, 0x01, 0x00];
/// Non-repeaters 0, repetitions 4 (read-only.md section 2: at most 10).
const FOUR_ROWS: &[u8] = &[0x02, 0x01, 0x00, 0x02, 0x01, 0x04];

const GET_PARTS: usize = HEAD.len() + PDU_PARTS;
static GET_SYSTEM: [Part; GET_PARTS + 4] = question(&HEAD, &[0xa0], NO_ERROR, &SYSTEM);
static GET_LISTED: [Part; GET_PARTS + 1] = question(&HEAD, &[0xa0], NO_ERROR, &LISTED);
static GET_NEXT: [Part; GET_PARTS + ENTITY_PARTS] = question(&HEAD, &[0xa1], NO_ERROR, &columns());
static GET_BULK: [Part; GET_PARTS + ENTITY_PARTS] = question(&HEAD, &[0xa5], FOUR_ROWS, &columns());

const ASKS_SYSTEM: &str = "what it is, what it is called, how long it runs";
const ASKS_OBJECTS: &str = "objects that a list names, at most 10";
const ASKS_ROW: &str = "the next row of its parts";
const ASKS_ROWS: &str = "the next four rows of its parts";

const fn row(question: &'static str, asks: &'static str, parts: &'static [Part], times_max: u8) -> Row {
    Row { question, asks, needs: None, parts, times_max, rises: None, goodbye: false }
}

static ROWS: [Row; 4] = [
    row("snmp.system", ASKS_SYSTEM, &GET_SYSTEM, 1),
    row("snmp.objects", ASKS_OBJECTS, &GET_LISTED, OBJECT_QUESTIONS_MAX),
    Row { needs: Some(&NEXT_ASKED), ..row("snmp.entity.next", ASKS_ROW, &GET_NEXT, ENTITY_QUESTIONS_MAX) },
    Row { needs: Some(&BULK_ASKED), ..row("snmp.entity.bulk", ASKS_ROWS, &GET_BULK, ENTITY_QUESTIONS_MAX) },
];

/// The row of read-only.md.
pub static TABLE: Table = Table {
    protocol: "snmp",
    port: "UDP 161",
    rows: &ROWS,
    messages_max: MESSAGES_MAX,
    hold_s_max: HOLD_S_MAX,
    order: &[],
    caps: "17 messages and 10 s; one in flight; at most 10 objects a message; one community, tried once; 64 rows of one table",
};

#[cfg(test)]
mod tests;
