//! What may leave as PROFINET IO over UDP: read-only.md section 2, row "PROFINET", as data.
//!
//! Layouts: Open Group C706, 12.5.2.2 (header), chapter 14 (transfer syntax), appendix O (endpoint mapper); IEC 61158-6-10, 4.10.3.2 (UUIDs), 5.2.3
//! (IODReadReqHeader), 5.2.17 (I&M0). One look-up and one read without a relation; no connect, no write, no control, no release, and no message that
//! keeps a call going (ping, acknowledgement, cancel) is in here, so none can leave.

use super::{
    Refused,
    permit::{Grant, HOLD_S_MAX},
    table::{Is, Order, Part, Row, Slot, Table, any, bytes},
};

/// Messages on one connection (read-only.md section 2, PROFINET: 2 beside the one on layer 2).
const MESSAGES_MAX: u8 = 2;

/// What a device at an address may be asked.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PnIo {
    /// Who of the owner's says that its connection to its controller is up, and that it neither starts nor is replaced just now.
    pub consent: Option<String>,
}

impl PnIo {
    /// The grant.
    ///
    /// # Errors
    /// [`Refused`] by `permit.consent`.
    pub fn grant(&self) -> Result<Grant, Refused> {
        // A device's first answer comes from its registered port or from another one, as it likes (IEC 61158-6-10, 4.10).
        consented(self.consent.as_deref()).map(|()| Grant::new(&TABLE, String::new()).with(&CONSENT, []).answered_from_any_port())
    }
}

/// PROFINET devices are asked only while they are known to run.
///
/// # Errors
/// [`Refused`] by `permit.consent`, where nobody is named.
pub(super) fn consented(name: Option<&str>) -> Result<(), Refused> {
    if name.is_none_or(|name| name.trim().is_empty()) {
        let why = "a PROFINET device may be asked only while its I/O connection is up, never while it starts or is replaced, and nobody is named who says so";
        return Err(Refused::before_any_byte("permit.consent", why));
    }
    Ok(())
}

/// Nothing of it stands in a message.
pub(super) static CONSENT: Slot =
    Slot { name: "consent", mark: "", needs: "somebody of the owner's is named who says that the device runs", secret: false };

const START: Part =
    bytes(&[4, 0, 0x20, 0], "pn-io.request", "version 4: a request that may be repeated without harm, whole, unacknowledged");
const ORDER: Part = bytes(&[0x10, 0, 0, 0], "pn-io.request", "numbers with the lower byte first");
const ACTIVITY: Part = any(16, "pn-io.activity", "the activity's number, free");
const NEVER_BOOTED: Part = bytes(&[0; 4], "pn-io.request", "the device's start, not known");
const HINTS: Part = bytes(&[0xff; 4], "pn-io.request", "no hints");
const ONE_FRAGMENT: Part = bytes(&[0; 4], "pn-io.request", "the first fragment and no other, no authentication");

static LOOK_UP: [Part; 18] = [
    START,
    ORDER,
    bytes(&[0; 16], "pn-io.object", "no object"),
    bytes(
        &[0x08, 0x83, 0xaf, 0xe1, 0x1f, 0x5d, 0xc9, 0x11, 0x91, 0xa4, 0x08, 0x00, 0x2b, 0x14, 0xa0, 0xfa],
        "pn-io.interface",
        "interface e1af8308-5d1f-11c9-91a4-08002b14a0fa: endpoint mapper",
    ),
    ACTIVITY,
    NEVER_BOOTED,
    bytes(&[3, 0, 0, 0], "pn-io.interface", "version 3 of it"),
    bytes(&[0; 4], "pn-io.number", "message 0 of the activity"),
    bytes(&[2, 0], "pn-io.operation", "operation 2: look up"),
    HINTS,
    bytes(&[76, 0], "pn-io.length", "length of what follows the header"),
    ONE_FRAGMENT,
    bytes(&[0; 4], "pn-io.inquiry", "all elements"),
    bytes(&[1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0], "pn-io.inquiry", "any object"),
    bytes(
        &[2, 0, 0, 0, 1, 0, 0xa0, 0xde, 0x97, 0x6c, 0xd1, 0x11, 0x82, 0x71, 0, 0xa0, 0x24, 0x42, 0xdf, 0x7d, 1, 0, 0, 0],
        "pn-io.inquiry",
        "interface dea00001-6c97-11d1-8271-00a02442df7d, version 1",
    ),
    bytes(&[1, 0, 0, 0], "pn-io.inquiry", "whatever its version"),
    bytes(&[0; 20], "pn-io.handle", "from the start: no handle"),
    bytes(&[1, 0, 0, 0], "pn-io.entries", "one entry"),
];

static READ: [Part; 26] = [
    START,
    ORDER,
    bytes(&[0, 0, 0xa0, 0xde, 0x97, 0x6c, 0xd1, 0x11, 0x82, 0x71], "pn-io.object", "object dea00000-6c97-11d1-8271-"),
    any(6, "pn-io.object", "instance, device id and vendor id, as the look-up told them"),
    Part { is: Is::OneOf(&[&[1], &[2]]), rule: "pn-io.interface", meaning: "interface of a device (1) or a controller (2)" },
    bytes(
        &[0, 0xa0, 0xde, 0x97, 0x6c, 0xd1, 0x11, 0x82, 0x71, 0, 0xa0, 0x24, 0x42, 0xdf, 0x7d],
        "pn-io.interface",
        "of PROFINET IO: dea0000x-6c97-11d1-8271-00a02442df7d",
    ),
    ACTIVITY,
    NEVER_BOOTED,
    bytes(&[1, 0, 0, 0], "pn-io.interface", "version 1 of it"),
    bytes(&[1, 0, 0, 0], "pn-io.number", "message 1 of the activity"),
    bytes(&[5, 0], "pn-io.operation", "operation 5: read without a relation"),
    HINTS,
    bytes(&[84, 0], "pn-io.length", "length of what follows the header"),
    ONE_FRAGMENT,
    bytes(
        &[0x40, 1, 0, 0, 64, 0, 0, 0, 0x40, 1, 0, 0, 0, 0, 0, 0, 64, 0, 0, 0],
        "pn-io.length",
        "an answer of at most 320 bytes, a block of 64",
    ),
    bytes(&[0, 0x09, 0, 0x3c, 1, 0], "pn-io.block", "IODReadReqHeader, 60 bytes, version 1.0"),
    bytes(&[0; 2], "pn-io.block", "number 0"),
    bytes(&[0; 16], "pn-io.relation", "no relation"),
    bytes(&[0; 4], "pn-io.place", "API 0"),
    bytes(&[0, 0], "pn-io.place", "slot 0: the device's own access point"),
    bytes(&[0, 1], "pn-io.place", "subslot 1"),
    bytes(&[0; 2], "pn-io.block", "padding"),
    bytes(&[0xaf, 0xf0], "pn-io.index", "index AFF0: I&M0"),
    bytes(&[0, 0, 1, 0], "pn-io.length", "at most 256 bytes of it"),
    bytes(&[0; 16], "pn-io.relation", "no relation of a target"),
    bytes(&[0; 8], "pn-io.block", "padding"),
];

const fn row(question: &'static str, asks: &'static str, parts: &'static [Part]) -> Row {
    Row { question, asks, needs: Some(&CONSENT), parts, times_max: 1, rises: None, goodbye: false }
}

static ROWS: [Row; 2] = [
    row("pn-io.lookup", "the device's line of identification: type, order number, revisions", &LOOK_UP),
    row("pn-io.im.0", "I&M0: order number, serial number, revisions", &READ),
];

/// Whom to read from, the look-up tells.
static READ_BEHIND_LOOK_UP: [Order; 1] = [Order { question: "pn-io.im.0", behind: "pn-io.lookup", directly: true, rule: "pn-io.order" }];

/// The row of read-only.md.
pub static TABLE: Table = Table {
    protocol: "pn-io",
    port: "UDP 34964",
    rows: &ROWS,
    messages_max: MESSAGES_MAX,
    hold_s_max: HOLD_S_MAX,
    order: &READ_BEHIND_LOOK_UP,
    caps: "2 requests and 10 s; one look-up of one entry, one read of I&M0 without a relation; nothing is connected, written or acknowledged",
};

#[cfg(test)]
mod tests;
