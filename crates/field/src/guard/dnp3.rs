//! What may leave as DNP3 over TCP or UDP: read-only.md section 2, row "DNP3", as data.
//!
//! Layouts: IEEE Std 1815-2012, clauses 9.2.4.1 (link frame), 8.2.1 (transport header), 4.2.2 (application header, object headers), annex A.2
//! (group 0). Of the link functions only unconfirmed user data is in here, and the two short answers that an outstation may want; of the application
//! functions only READ of group 0, and the confirmation that the owner consents to. Nothing that clears, writes, operates or restarts can leave.

use std::net::IpAddr;

use super::{
    Refused,
    check::Sum,
    permit::Grant,
    table::{Is, Part, REPLY, Row, Slot, Table, Width, bytes, granted_bytes},
};

/// READs on one connection (read-only.md section 2, DNP3: 6 requests): the five headers, and each of them alone.
pub const READS_MAX: u8 = 6;
/// Frames of an outstation that are answered on one connection: as many as READs, so that one that confirms each frame can be read.
pub const REPLIES_MAX: u8 = 6;
/// Messages on one connection.
const MESSAGES_MAX: u8 = READS_MAX + REPLIES_MAX;
/// An outstation that waits for a confirmation answers nothing until its own time-out, 15 s with many (section 3: session protocols 20 s).
const HOLD_S_MAX: u64 = 20;
/// From here on addresses are nobody's own: broadcast, self address, reserved (9.2.5.2).
const RESERVED_FIRST: u16 = 0xfff0;

/// What one outstation may be asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Dnp3 {
    /// Our own link address, configured in the outstation as a master of its own: never that of the control room (H4).
    pub master: u16,
    /// The outstation's link address.
    pub outstation: u16,
    /// All attributes in one READ (variation 254), instead of the five and each of them alone.
    pub all: bool,
    /// The owner's consent to confirm one empty unsolicited response.
    pub confirm_unsolicited: bool,
    /// Where another master was heard with our own link address.
    pub master_heard_at: Option<IpAddr>,
}

impl Dnp3 {
    /// The grant.
    ///
    /// # Errors
    /// [`Refused`] by `permit.link` or `permit.master`.
    pub fn grant(&self) -> Result<Grant, Refused> {
        let no = |rule, why: String| Err(Refused::before_any_byte(rule, why));
        if self.outstation >= RESERVED_FIRST {
            return no(
                "permit.link",
                format!("link address {} is a broadcast or reserved (from {RESERVED_FIRST} on), no outstation's own", self.outstation),
            );
        }
        if self.master >= RESERVED_FIRST || self.master == self.outstation {
            return no("permit.master", format!("link address {} cannot be a master's own here", self.master));
        }
        if let Some(ip) = self.master_heard_at {
            return no(
                "permit.master",
                format!(
                    "link address {} is another master's: one was heard with it at {ip}. Two masters with one link address push each other off an \
                     outstation: have the outstation told another one for us, and name it in --dnp3-master. If it was nameplate that was heard \
                     there, on another machine or behind address translation, say so: --dnp3-ours {ip}",
                    self.master
                ),
            );
        }
        let set = if self.all { &ALL } else { &CHOSEN };
        let grant = Grant::new(&TABLE, self.outstation.to_string())
            .with(&OUTSTATION, self.outstation.to_le_bytes())
            .with(&MASTER, self.master.to_le_bytes())
            .with(&REPLY, [])
            .with(set, []);
        Ok(if self.confirm_unsolicited { grant.with(&CONFIRM, []) } else { grant })
    }
}

static OUTSTATION: Slot = Slot { name: "outstation", mark: "oo", needs: "", secret: false };
static MASTER: Slot = Slot { name: "master", mark: "mm", needs: "", secret: false };
static CHOSEN: Slot = Slot { name: "chosen", mark: "", needs: "", secret: false };
static ALL: Slot = Slot { name: "all", mark: "", needs: "all attributes are wanted, then none alone", secret: false };
static CONFIRM: Slot = Slot { name: "confirm", mark: "", needs: "the owner consents by name", secret: false };

const START: Part = bytes(&[0x05, 0x64], "dnp3.start", "start of a frame");
const TO: Part = granted_bytes(&OUTSTATION, 0, 2, "dnp3.destination", "link address of the outstation, lower byte first");
const FROM: Part = granted_bytes(&MASTER, 0, 2, "dnp3.source", "our own link address, lower byte first");
const HEADER_CHECK: Part = check(0, 4, "dnp3.header_check", "check of the header");
const USER_DATA: Part = bytes(&[0xc4], "dnp3.link_function", "from a master: unconfirmed user data");
const TRANSPORT: Part = bits(0xc0, 0xc0, "dnp3.transport", "first and last frame; transport sequence number, free");
const CONTROL: Part = bits(0xf0, 0xc0, "dnp3.application_control", "first and last fragment, no confirmation; sequence number, free");
const READ: Part = bytes(&[1], "dnp3.function", "function code 1: READ");
const SET_0: Part = bytes(&[0, 0, 0], "dnp3.range", "qualifier 00, from 0 to 0: the standard's own set");

const fn check(first: usize, last: usize, rule: &'static str, meaning: &'static str) -> Part {
    Part { is: Is::Check { sum: Sum::Dnp3, first, last }, rule, meaning }
}

const fn bits(mask: u8, value: u8, rule: &'static str, meaning: &'static str) -> Part {
    Part { is: Is::Bits { mask, value }, rule, meaning }
}

/// Control, both addresses, and the user data of the parts `first..=last`; check bytes do not count (9.2.4.1.2).
const fn length(first: usize, last: usize, more: usize) -> Part {
    Part {
        is: Is::Count { width: Width::One, first, last, more },
        rule: "dnp3.length",
        meaning: "length: control, addresses and user data",
    }
}

const fn object(of: &'static [u8], meaning: &'static str) -> Part {
    bytes(of, "dnp3.object", meaning)
}

/// READ of one variation of group 0.
const fn one(of: &'static [u8], meaning: &'static str) -> [Part; 12] {
    let check = check(6, 10, "dnp3.block_check", "check of the block");
    [START, length(6, 10, 5), USER_DATA, TO, FROM, HEADER_CHECK, TRANSPORT, CONTROL, READ, object(of, meaning), SET_0, check]
}

/// A frame without user data.
const fn link(function: &'static [u8], meaning: &'static str) -> [Part; 6] {
    [START, length(2, 4, 0), bytes(function, "dnp3.link_function", meaning), TO, FROM, HEADER_CHECK]
}

const MAKER: Part = object(&[0, 252], "group 0 variation 252: manufacturer");
const PRODUCT: Part = object(&[0, 250], "group 0 variation 250: product name and model");
const SERIAL: Part = object(&[0, 248], "group 0 variation 248: serial number");
const HARDWARE: Part = object(&[0, 243], "group 0 variation 243: hardware version");

/// All five; the third header stands on both sides of a check.
static FIVE: [Part; 22] = [
    START,
    // The check in the middle is among the parts and does not count.
    length(6, 20, 3),
    USER_DATA,
    TO,
    FROM,
    HEADER_CHECK,
    TRANSPORT,
    CONTROL,
    READ,
    MAKER,
    SET_0,
    PRODUCT,
    SET_0,
    SERIAL,
    bytes(&[0], "dnp3.range", "qualifier 00"),
    check(6, 14, "dnp3.block_check", "check of the first block"),
    bytes(&[0, 0], "dnp3.range", "from 0 to 0: the standard's own set"),
    HARDWARE,
    SET_0,
    object(&[0, 242], "group 0 variation 242: software version"),
    SET_0,
    check(16, 20, "dnp3.block_check", "check of the second block"),
];
static ALL_ATTRIBUTES: [Part; 12] = one(&[0, 254], "group 0 variation 254: all attributes");
static SOFTWARE_ALONE: [Part; 12] = one(&[0, 242], "group 0 variation 242: software version");
static HARDWARE_ALONE: [Part; 12] = one(&[0, 243], "group 0 variation 243: hardware version");
static SERIAL_ALONE: [Part; 12] = one(&[0, 248], "group 0 variation 248: serial number");
static PRODUCT_ALONE: [Part; 12] = one(&[0, 250], "group 0 variation 250: product name and model");
static MAKER_ALONE: [Part; 12] = one(&[0, 252], "group 0 variation 252: manufacturer");
static ACK: [Part; 6] = link(&[0x80], "as secondary station: acknowledged");
static LINK_STATE: [Part; 6] = link(&[0x8b], "as secondary station: state of the link");
static CONFIRM_UNSOLICITED: [Part; 11] = [
    START,
    length(6, 8, 5),
    USER_DATA,
    TO,
    FROM,
    HEADER_CHECK,
    TRANSPORT,
    bits(0xf0, 0xd0, "dnp3.application_control", "first and last fragment, of an unsolicited response; its sequence number, free"),
    bytes(&[0], "dnp3.function", "function code 0: CONFIRM"),
    check(6, 8, "dnp3.block_check", "check of the block"),
    // No byte: only where the owner consents is there such a message.
    granted_bytes(&CONFIRM, 0, 0, "dnp3.function", "the owner's consent"),
];

const fn row(question: &'static str, asks: &'static str, needs: &'static Slot, times_max: u8, parts: &'static [Part]) -> Row {
    Row { question, asks, needs: Some(needs), parts, times_max, rises: None, goodbye: false }
}

static ROWS: [Row; 10] = [
    row("dnp3.attributes", "maker, product, serial number, hardware and software version", &CHOSEN, 1, &FIVE),
    row("dnp3.attribute.242", "the software version alone", &CHOSEN, 1, &SOFTWARE_ALONE),
    row("dnp3.attribute.243", "the hardware version alone", &CHOSEN, 1, &HARDWARE_ALONE),
    row("dnp3.attribute.248", "the serial number alone", &CHOSEN, 1, &SERIAL_ALONE),
    row("dnp3.attribute.250", "product name and model alone", &CHOSEN, 1, &PRODUCT_ALONE),
    row("dnp3.attribute.252", "the manufacturer alone", &CHOSEN, 1, &MAKER_ALONE),
    row("dnp3.attributes.all", "all attributes of the standard's own set", &ALL, 1, &ALL_ATTRIBUTES),
    row("dnp3.link.ack", "nothing: the outstation's frame came", &REPLY, REPLIES_MAX, &ACK),
    row("dnp3.link.state", "nothing: the link stands", &REPLY, REPLIES_MAX, &LINK_STATE),
    row("dnp3.confirm.unsolicited", "nothing: the outstation's empty unsolicited response came", &REPLY, 1, &CONFIRM_UNSOLICITED),
];

/// The row of read-only.md.
pub static TABLE: Table = Table {
    protocol: "dnp3",
    port: "TCP or UDP 20000",
    rows: &ROWS,
    messages_max: MESSAGES_MAX,
    hold_s_max: HOLD_S_MAX,
    order: &[],
    caps: "12 messages and 20 s a connection, of them 6 READs, each once; one in flight; both link addresses as configured, none from FFF0 on",
};

#[cfg(test)]
mod tests;
