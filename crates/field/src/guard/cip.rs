//! What may leave as CIP to modules of a chassis: read-only.md section 2, row "EtherNet/IP-CIP", as data.
//!
//! Layouts: CIP Networks Library, volume 2, edition 1.4, 2-3.1 (header), 2-4.4, 2-4.5 and 2-4.7 (RegisterSession, UnRegisterSession, SendRRData);
//! volume 1, edition 3.3, 3-5.5.4 (Unconnected_Send), 5-2 (Identity object), C-1.4 (paths). One hop through the backplane, to a slot that the
//! permit names; no other service, no connection, no second hop.

use super::{
    Refused,
    permit::Grant,
    table::{Part, Rises, Row, Slot, Table, Width, any, bytes, count, granted},
};

/// Modules of one chassis: the largest has 17 slots (1756-A17), and more than that would be a sweep.
pub const SLOTS_MAX: usize = 17;
/// Controllers with modules on their own bus (5069) count up to this.
pub const SLOT_LAST: u8 = 31;
/// Attributes of the Identity object that say what a module is, its condition and its name.
pub const ATTRIBUTE_LAST: u8 = 7;
/// Messages beside one for each slot: the session, its end, and one more (read-only.md section 2: 3 + declared slots).
const BESIDE_SLOTS: u8 = 3;
/// All but the end of the session, which must always leave.
const MESSAGES_MAX: u8 = BESIDE_SLOTS - 1 + SLOTS_MAX as u8;
/// Seconds: a session protocol, see read-only.md section 3.
const HOLD_S_MAX: u64 = 20;

/// What the modules behind one address may be asked.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Cip {
    /// Slots, as the owner, an import or a capture names them.
    pub slots: Vec<u8>,
    /// Attributes that may be asked singly.
    pub attributes: Vec<u8>,
    /// A safety controller is known to stand in the chassis.
    pub safety_controller: bool,
    /// Who of the owner's consents to asking in a chassis with a safety controller.
    pub consent: Option<String>,
}

impl Cip {
    /// The grant.
    ///
    /// # Errors
    /// [`Refused`] by `permit.slots`, `permit.attributes` or `permit.safety`.
    pub fn grant(&self) -> Result<Grant, Refused> {
        let no = |rule, why: String| Err(Refused::before_any_byte(rule, why));
        let twice = |numbers: &[u8]| (1..numbers.len()).any(|at| numbers[..at].contains(&numbers[at]));
        if self.slots.is_empty() || self.slots.len() > SLOTS_MAX || twice(&self.slots) {
            return no("permit.slots", format!("{} slots; 1 to {SLOTS_MAX}, each named once", self.slots.len()));
        }
        if let Some(slot) = self.slots.iter().find(|slot| **slot > SLOT_LAST) {
            return no("permit.slots", format!("slot {slot}; the last is {SLOT_LAST}"));
        }
        if self.attributes.iter().any(|attribute| !(1..=ATTRIBUTE_LAST).contains(attribute)) || twice(&self.attributes) {
            return no("permit.attributes", format!("{:?}; 1 to {ATTRIBUTE_LAST}, each named once", self.attributes));
        }
        if self.safety_controller && self.consent.as_deref().is_none_or(|name| name.trim().is_empty()) {
            let why = "a safety controller stands in this chassis, and nobody is named who consents to asking there";
            return no("permit.safety", why.to_owned());
        }
        let grant = self.slots.iter().fold(Grant::new(&TABLE, String::new()), |grant, slot| grant.with(&SLOT, [*slot]));
        let grant = self.attributes.iter().fold(grant, |grant, attribute| grant.with(&ATTRIBUTE, [*attribute]));
        Ok(grant.at_most(BESIDE_SLOTS - 1 + self.slots.len() as u8))
    }
}

static SLOT: Slot = Slot { name: "slot", mark: "ss", needs: "the owner names the slot", secret: false };
static ATTRIBUTE: Slot = Slot { name: "attribute", mark: "aa", needs: "the adapter names the attribute", secret: false };

const LENGTH: Part = count(Width::TwoLe, 7, "enip.length", "length of what follows the header");
const NO_SESSION: Part = bytes(&[0; 4], "enip.session", "session 0: none yet");
const SESSION: Part = any(4, "enip.session", "session, as the device chose it");
const STATUS: Part = bytes(&[0; 4], "enip.status", "status 0");
const COUNTER: Part = any(1, "enip.context", "sender's context: a counter, free");
const CONTEXT: Part = bytes(&[0; 7], "enip.context", "sender's context, empty");
const OPTIONS: Part = bytes(&[0; 4], "enip.options", "options 0");

static REGISTER: [Part; 9] = [
    bytes(&[0x65, 0], "enip.command", "command 65: RegisterSession"),
    LENGTH,
    NO_SESSION,
    STATUS,
    COUNTER,
    CONTEXT,
    OPTIONS,
    bytes(&[1, 0], "enip.version", "version 1"),
    bytes(&[0, 0], "enip.session_options", "no options"),
];
static UNREGISTER: [Part; 7] =
    [bytes(&[0x66, 0], "enip.command", "command 66: UnRegisterSession"), LENGTH, SESSION, STATUS, COUNTER, CONTEXT, OPTIONS];

const SEND_RR: Part = bytes(&[0x6f, 0], "enip.command", "command 6F: SendRRData");
const INTERFACE: Part = bytes(&[0; 4], "enip.interface", "interface 0: CIP");
const TIME_OUT: Part = bytes(&[2, 0], "enip.time_out", "time-out of 2 s");
const ITEMS: Part = bytes(&[2, 0], "enip.items", "two items");
const NO_ADDRESS: Part = bytes(&[0, 0, 0, 0], "enip.items", "first item: no address");
const UNCONNECTED: Part = bytes(&[0xb2, 0], "enip.items", "second item: an unconnected message");
const ITEM_LENGTH: Part = count(Width::TwoLe, 13, "enip.item_length", "length of the second item");
const SERVICE: Part = bytes(&[0x52], "cip.service", "service 52: Unconnected_Send");
const MANAGER: Part = bytes(&[0x02, 0x20, 0x06, 0x24, 0x01], "cip.path", "to the Connection Manager (class 6, instance 1)");
const TICKS: Part = bytes(&[0x03, 0xfa], "cip.ticks", "priority normal; time-out of 250 ticks of 8 ms");
const WORDS: Part = bytes(&[0x01, 0x00], "cip.route", "the route has one word");
const BACKPLANE: Part = bytes(&[0x01], "cip.route", "port 1: the backplane");
const TO_SLOT: Part = granted(&SLOT, "cip.slot", "slot, as configured");

static ALL: [Part; 22] = [
    SEND_RR,
    LENGTH,
    SESSION,
    STATUS,
    COUNTER,
    CONTEXT,
    OPTIONS,
    INTERFACE,
    TIME_OUT,
    ITEMS,
    NO_ADDRESS,
    UNCONNECTED,
    ITEM_LENGTH,
    SERVICE,
    MANAGER,
    TICKS,
    bytes(&[0x06, 0x00], "cip.embedded_length", "length of the embedded request"),
    bytes(&[0x01], "cip.embedded_service", "service 01: Get_Attributes_All"),
    bytes(&[0x02, 0x20, 0x01, 0x24, 0x01], "cip.embedded_path", "of the Identity object (class 1, instance 1)"),
    WORDS,
    BACKPLANE,
    TO_SLOT,
];
static SINGLE: [Part; 23] = [
    SEND_RR,
    LENGTH,
    SESSION,
    STATUS,
    COUNTER,
    CONTEXT,
    OPTIONS,
    INTERFACE,
    TIME_OUT,
    ITEMS,
    NO_ADDRESS,
    UNCONNECTED,
    ITEM_LENGTH,
    SERVICE,
    MANAGER,
    TICKS,
    bytes(&[0x08, 0x00], "cip.embedded_length", "length of the embedded request"),
    bytes(&[0x0e], "cip.embedded_service", "service 0E: Get_Attribute_Single"),
    bytes(&[0x03, 0x20, 0x01, 0x24, 0x01, 0x30], "cip.embedded_path", "of the Identity object (class 1, instance 1), attribute"),
    granted(&ATTRIBUTE, "cip.attribute", "attribute, as granted"),
    WORDS,
    BACKPLANE,
    TO_SLOT,
];

const fn row(question: &'static str, asks: &'static str, parts: &'static [Part]) -> Row {
    Row { question, asks, needs: None, parts, times_max: 1, rises: None, goodbye: false }
}

/// With each service a slot is asked once, in rising order.
const fn rises(key: usize, value: usize) -> Option<Rises> {
    Some(Rises { key, value, rule: "cip.slot_rises" })
}

static ROWS: [Row; 4] = [
    row("enip.register_session", "a session, which the next two take", &REGISTER),
    Row { times_max: MESSAGES_MAX, rises: rises(50, 59), ..row("cip.identity", "all about the module in a slot", &ALL) },
    Row { times_max: MESSAGES_MAX, rises: rises(50, 61), ..row("cip.identity", "one attribute of the module in a slot", &SINGLE) },
    Row { goodbye: true, ..row("enip.unregister_session", "nothing: it frees the session", &UNREGISTER) },
];

/// The row of read-only.md, as far as it takes a session.
pub static TABLE: Table = Table {
    protocol: "cip",
    port: "TCP 44818",
    rows: &ROWS,
    messages_max: MESSAGES_MAX,
    hold_s_max: HOLD_S_MAX,
    order: &[],
    caps: "3 messages and one for each slot that the owner names, 20 s a connection; one in flight; each slot once, rising; one hop",
};

#[cfg(test)]
mod tests;
