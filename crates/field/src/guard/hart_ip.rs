//! What may leave as HART-IP over TCP or UDP: read-only.md section 2, row "HART-IP", as data.
//!
//! Layouts: FieldComm Group HCF_SPEC-085 (header, session initiate and close, token-passing PDU), HCF_SPEC-081 (frame), HCF_SPEC-127 (commands 0, 13
//! and 20), HCF_SPEC-151 (commands 74 and 84). No command that writes is in here, no burst subscription, no primary master.

use super::{
    Refused,
    check::Sum,
    permit::Grant,
    table::{Is, Part, Row, Slot, Table, Width, any, bytes, granted},
};

/// Commands on one connection (read-only.md section 2, HART-IP: 6 commands).
pub const COMMANDS_MAX: u8 = 6;
/// Sub-devices that a permit can name: what commands 0, 20, 13 and 74 leave over of [`COMMANDS_MAX`].
pub const SUB_DEVICES_MAX: usize = 2;
/// The session, and its commands. Its end comes on top.
const MESSAGES_MAX: u8 = 1 + COMMANDS_MAX;
/// Each command crosses a loop of 1200 bit/s, at least 1 s apart (section 3: session protocols 20 s).
const HOLD_S_MAX: u64 = 20;
/// Polling addresses have six bits (HCF_SPEC-081).
const POLLING_ADDRESS_LAST: u8 = 63;

/// What one server may be asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HartIp {
    /// The polling address that command 0 goes to; of a gateway its own is 0.
    pub polling: u8,
    /// Command 74, what stands behind an I/O system, where a profile asks for it.
    pub io_system: bool,
    /// Command 84 for these sub-devices, where a profile asks for it.
    pub sub_devices: Vec<u16>,
}

impl HartIp {
    /// The identity of what answers at this polling address and nothing else.
    #[must_use]
    pub const fn polling(polling: u8) -> Self {
        Self { polling, io_system: false, sub_devices: Vec::new() }
    }

    /// The grant.
    ///
    /// # Errors
    /// [`Refused`] by `permit.polling` or `permit.sub_devices`.
    pub fn grant(&self) -> Result<Grant, Refused> {
        let no = |rule, why: String| Err(Refused::before_any_byte(rule, why));
        if self.polling > POLLING_ADDRESS_LAST {
            return no("permit.polling", format!("polling address {}, at most {POLLING_ADDRESS_LAST}", self.polling));
        }
        if self.sub_devices.len() > SUB_DEVICES_MAX {
            return no("permit.sub_devices", format!("{} sub-devices, at most {SUB_DEVICES_MAX}", self.sub_devices.len()));
        }
        let grant = Grant::new(&TABLE, self.polling.to_string()).with(&POLLING, [self.polling]);
        let grant = if self.io_system { grant.with(&IO_SYSTEM, []) } else { grant };
        Ok(self.sub_devices.iter().fold(grant, |grant, index| grant.with(&SUB_DEVICE, index.to_be_bytes())))
    }
}

static POLLING: Slot = Slot { name: "polling", mark: "pp", needs: "", secret: false };
static IO_SYSTEM: Slot = Slot { name: "io_system", mark: "", needs: "the profile asks for it", secret: false };
static SUB_DEVICE: Slot = Slot { name: "sub_device", mark: "ii", needs: "the profile lists the sub-device", secret: false };

const START: Part = bytes(&[1, 0], "hart-ip.request", "version 1, a request");
const OK: Part = bytes(&[0], "hart-ip.status", "status, 0 in a request");
const SEQUENCE: Part = any(2, "hart-ip.sequence", "sequence number, free");
const PASSED_ON: Part = bytes(&[3], "hart-ip.message", "message id 3: token-passing PDU");

/// What stands behind the header, and the header's own eight bytes.
const LENGTH: Part = Part {
    is: Is::Count { width: Width::Two, first: 5, last: usize::MAX, more: 8 },
    rule: "hart-ip.length",
    meaning: "length of the whole message",
};

const fn command(number: &'static [u8], meaning: &'static str) -> Part {
    bytes(number, "hart-ip.command", meaning)
}

const fn count(of: &'static [u8], meaning: &'static str) -> Part {
    bytes(of, "hart-ip.byte_count", meaning)
}

const fn check(last: usize) -> Part {
    Part { is: Is::Check { sum: Sum::Xor, first: 5, last }, rule: "hart-ip.check", meaning: "check byte of the frame" }
}

const SHORT: Part = bytes(&[0x02], "hart-ip.delimiter", "a question with a short address");
const LONG: Part = bytes(&[0x82], "hart-ip.delimiter", "a question with a long address");
/// Upper bit: primary master; next: the instrument is in burst mode.
const OF_TYPE: Part = Part {
    is: Is::Bits { mask: 0xc0, value: 0 },
    rule: "hart-ip.master",
    meaning: "secondary master, and six bits of the instrument's type",
};
const OF_ID: Part = any(4, "hart-ip.address", "eight bits of the instrument's type and its device id, as it told them");
const NO_DATA: Part = count(&[0], "no data");

static INITIATE: [Part; 7] = [
    START,
    bytes(&[0], "hart-ip.message", "message id 0: session initiate"),
    OK,
    SEQUENCE,
    LENGTH,
    bytes(&[0], "hart-ip.master", "secondary master"),
    bytes(&[0, 0, 0x4e, 0x20], "hart-ip.inactivity", "the server ends the session itself after 20,000 ms"),
];
static CLOSE: [Part; 5] = [START, bytes(&[1], "hart-ip.message", "message id 1: session close"), OK, SEQUENCE, LENGTH];
static IDENTITY: [Part; 10] = [
    START,
    PASSED_ON,
    OK,
    SEQUENCE,
    LENGTH,
    SHORT,
    granted(&POLLING, "hart-ip.address", "secondary master, and the polling address"),
    command(&[0], "command 0: read unique identifier"),
    NO_DATA,
    check(8),
];

/// A command without data to a long address.
const fn long(command: Part) -> [Part; 11] {
    [START, PASSED_ON, OK, SEQUENCE, LENGTH, LONG, OF_TYPE, OF_ID, command, NO_DATA, check(9)]
}

static TAG: [Part; 11] = long(command(&[13], "command 13: read tag, descriptor, date"));
static LONG_TAG: [Part; 11] = long(command(&[20], "command 20: read long tag"));
static CAPABILITIES: [Part; 11] = long(command(&[74], "command 74: read I/O system capabilities"));
static SUB_DEVICE_IDENTITY: [Part; 12] = [
    START,
    PASSED_ON,
    OK,
    SEQUENCE,
    LENGTH,
    LONG,
    OF_TYPE,
    OF_ID,
    command(&[84], "command 84: read sub-device identity summary"),
    count(&[2], "two bytes of data"),
    granted(&SUB_DEVICE, "hart-ip.sub_device", "index of the sub-device"),
    check(10),
];

const fn row(question: &'static str, asks: &'static str, parts: &'static [Part]) -> Row {
    Row { question, asks, needs: None, parts, times_max: 1, rises: None, goodbye: false }
}

static ROWS: [Row; 7] = [
    row("hart-ip.session.initiate", "nothing: a session that answers commands", &INITIATE),
    row("hart-ip.identity", "type, revisions and device id", &IDENTITY),
    row("hart-ip.long_tag", "the long tag", &LONG_TAG),
    row("hart-ip.tag", "tag, descriptor and date", &TAG),
    Row { needs: Some(&IO_SYSTEM), ..row("hart-ip.io_system", "how much stands behind an I/O system", &CAPABILITIES) },
    Row { times_max: SUB_DEVICES_MAX as u8, ..row("hart-ip.sub_device", "what stands behind an I/O system", &SUB_DEVICE_IDENTITY) },
    Row { goodbye: true, ..row("hart-ip.session.close", "nothing: the end of the session", &CLOSE) },
];

/// The row of read-only.md.
pub static TABLE: Table = Table {
    protocol: "hart-ip",
    port: "TCP or UDP 5094",
    rows: &ROWS,
    messages_max: MESSAGES_MAX,
    hold_s_max: HOLD_S_MAX,
    order: &[],
    caps: "6 commands and 20 s in one session, which is closed; one in flight; secondary master; polling address as configured",
};

#[cfg(test)]
mod tests;
