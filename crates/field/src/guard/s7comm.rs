//! What may leave as S7comm: read-only.md section 2, row "S7comm", as data.
//!
//! Layouts: RFC 1006, clause 6, and X.224 (1995), 13.3 and 13.7 (the transport); the messages have no public standard, they are laid out as STEP 7 puts
//! them in public captures. The session is called as S7 basic communication (03), never as a programming device (01): that would take an engineer's place
//! (H10). No job but the setup, no group but the CPU functions, no list but two is in here, so none can leave.

use super::{
    Refused,
    permit::{Grant, HOLD_S_MAX},
    table::{Part, Row, Slot, Table, any, bytes, granted},
};

/// Messages on one connection (read-only.md section 2, S7comm: 6): call, setup, one list, and three more parts or another list.
pub const MESSAGES_MAX: u8 = 6;
/// A selector's second byte counts slots in five bits and racks in the three above them.
const SLOT_BITS: u8 = 5;
const RACKS: u8 = 1 << (8 - SLOT_BITS);
const SLOTS: u8 = 1 << SLOT_BITS;

/// What one CPU may be asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct S7comm {
    /// Its rack, exactly.
    pub rack: u8,
    /// Its slot, exactly.
    pub slot: u8,
    /// The owner consents that list 001C is read: it has put fail-safe CPUs into a defective state (H23).
    pub consent_001c: bool,
}

impl S7comm {
    /// The grant.
    ///
    /// # Errors
    /// [`Refused`] by `permit.slot`.
    pub fn grant(&self) -> Result<Grant, Refused> {
        let Self { rack, slot, consent_001c } = *self;
        if rack >= RACKS || slot >= SLOTS {
            let why = format!("rack {rack}, slot {slot}: racks are below {RACKS}, slots below {SLOTS}");
            return Err(Refused::before_any_byte("permit.slot", why));
        }
        let grant = Grant::new(&TABLE, format!("{rack}.{slot}")).with(&PLACE, [rack << SLOT_BITS | slot]);
        Ok(if consent_001c { grant.with(&CONSENT_001C, []) } else { grant })
    }
}

static PLACE: Slot = Slot { name: "place", mark: "rs", needs: "", secret: false };
static CONSENT_001C: Slot =
    Slot { name: "consent_001c", mark: "", needs: "the owner consents for this class of CPU, never a fail-safe one (H23)", secret: false };

static CONNECT: [Part; 11] = [
    bytes(&[3, 0, 0, 22], "s7comm.packet", "packet of 22 bytes"),
    bytes(&[17, 0xe0], "s7comm.tpdu", "connection request"),
    bytes(&[0, 0], "s7comm.tpdu", "destination reference 0"),
    any(2, "s7comm.reference", "our reference, free"),
    bytes(&[0], "s7comm.class", "transport class 0"),
    bytes(&[0xc1, 2], "s7comm.calling", "calling selector"),
    bytes(&[3, 0], "s7comm.calling", "S7 basic communication"),
    bytes(&[0xc2, 2], "s7comm.called", "called selector"),
    bytes(&[3], "s7comm.called", "S7 basic communication, never a programming device (01)"),
    granted(&PLACE, "s7comm.place", "rack and slot, as configured"),
    bytes(&[0xc0, 1, 0x0a], "s7comm.tpdu_size", "TPDUs of at most 1,024 bytes"),
];

/// From the packet to the first four bytes of the S7 header.
const fn head(packet: &'static [u8], kind: &'static [u8], kind_says: &'static str) -> [Part; 4] {
    [
        bytes(packet, "s7comm.packet", "length of the packet"),
        bytes(&[2, 0xf0, 0x80], "s7comm.tpdu", "content, whole"),
        bytes(kind, "s7comm.kind", kind_says),
        any(2, "s7comm.reference", "our reference, free"),
    ]
}

const JOB: [Part; 4] = head(&[3, 0, 0, 25], &[0x32, 1, 0, 0], "S7 message, a job");
const USERDATA: [Part; 4] = head(&[3, 0, 0, 33], &[0x32, 7, 0, 0], "S7 message, user data");
const QUESTION_LENGTHS: Part = bytes(&[0, 8, 0, 8], "s7comm.length", "8 bytes of parameters, 8 of data");
const PARAMETERS: Part = bytes(&[0, 1, 0x12], "s7comm.parameters", "head of the parameters");
const ASKED: Part = bytes(&[4, 0x11], "s7comm.method", "4 bytes follow; a request");
const CPU: Part = bytes(&[0x44], "s7comm.group", "request to the group of CPU functions");
const READ_SZL: Part = bytes(&[1], "s7comm.function", "read a system state list");
const FIRST: Part = bytes(&[0], "s7comm.sequence", "no list is being read yet");
const FOUR_BYTES: Part = bytes(&[0xff, 9, 0, 4], "s7comm.octets", "four bytes of data");

static SETUP: [Part; 8] = [
    JOB[0],
    JOB[1],
    JOB[2],
    JOB[3],
    bytes(&[0, 8, 0, 0], "s7comm.length", "8 bytes of parameters, no data"),
    bytes(&[0xf0, 0], "s7comm.function", "set up communication"),
    bytes(&[0, 1, 0, 1], "s7comm.jobs", "one job at a time each way"),
    bytes(&[0x01, 0xe0], "s7comm.pdu", "messages of at most 480 bytes"),
];

/// Read SZL with a list and its index.
const fn list(id: &'static [u8], index: Part) -> [Part; 13] {
    let [packet, tpdu, kind, reference] = USERDATA;
    let id = bytes(id, "s7comm.list", "list");
    [packet, tpdu, kind, reference, QUESTION_LENGTHS, PARAMETERS, ASKED, CPU, READ_SZL, FIRST, FOUR_BYTES, id, index]
}

/// The whole list: index 0, or 1 where the CPU wants one.
static MODULES: [Part; 14] = {
    let [a, b, c, d, e, f, g, h, i, j, k, l, m] = list(&[0, 0x11], bytes(&[0], "s7comm.index", "index"));
    [
        a,
        b,
        c,
        d,
        e,
        f,
        g,
        h,
        i,
        j,
        k,
        l,
        m,
        Part { is: super::table::Is::Bits { mask: 0xfe, value: 0 }, rule: "s7comm.index", meaning: "index 0 or 1" },
    ]
};
static COMPONENTS: [Part; 13] = list(&[0, 0x1c], bytes(&[0, 0], "s7comm.index", "index 0"));

static MORE: [Part; 12] = [
    USERDATA[0],
    USERDATA[1],
    USERDATA[2],
    USERDATA[3],
    bytes(&[0, 12, 0, 4], "s7comm.length", "12 bytes of parameters, 4 of data"),
    PARAMETERS,
    bytes(&[8, 0x12], "s7comm.method", "8 bytes follow; a request that goes on with an answer"),
    CPU,
    READ_SZL,
    any(1, "s7comm.sequence", "number that the device gave this reading"),
    bytes(&[0, 0, 0, 0], "s7comm.more", "no part of ours, no error"),
    bytes(&[0x0a, 0, 0, 0], "s7comm.octets", "no data"),
];

const fn row(question: &'static str, asks: &'static str, parts: &'static [Part], times_max: u8) -> Row {
    Row { question, asks, needs: None, parts, times_max, rises: None, goodbye: false }
}

static ROWS: [Row; 5] = [
    row("s7comm.connect", "a transport connection to the CPU", &CONNECT, 1),
    row("s7comm.setup", "the length of messages", &SETUP, 1),
    // Index 0, and 1 once where that is refused.
    row("s7comm.module_identification", "list 0011: order number, hardware and firmware version", &MODULES, 2),
    Row { needs: Some(&CONSENT_001C), ..row("s7comm.component_identification", "list 001C: names, serial number, type", &COMPONENTS, 1) },
    // What call, setup and one list leave of the messages.
    row("s7comm.more", "the next part of a list", &MORE, MESSAGES_MAX - 3),
];

/// The row of read-only.md.
pub static TABLE: Table = Table {
    protocol: "s7comm",
    port: "TCP 102",
    rows: &ROWS,
    messages_max: MESSAGES_MAX,
    hold_s_max: HOLD_S_MAX,
    order: &[],
    caps: "6 messages and 10 s a connection; one in flight; rack and slot as configured; list 001C by the owner's consent alone",
};

#[cfg(test)]
mod tests;
