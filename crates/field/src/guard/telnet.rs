//! What may leave towards a Telnet server: `IAC WONT option` where it said `IAC DO option`, `IAC DONT option` where it said `IAC WILL option` (RFC 854),
//! each once. The guard reads the device's commands itself.

use std::sync::{Arc, Mutex, PoisonError};

use super::{
    greeting::{CAPS, GREETING_HOLD_S_MAX, greeting},
    permit::{Grant, Session},
    table::{Part, REPLY, Row, Slot, Table, bytes, granted},
};

/// Options that are refused on one connection; servers name up to a dozen.
pub const REFUSALS_MAX: u8 = 16;

const IAC: u8 = 255;
const DONT: u8 = 254;
const DO: u8 = 253;
const WONT: u8 = 252;
const WILL: u8 = 251;
const SUBNEGOTIATION: u8 = 250;
const SUBNEGOTIATION_END: u8 = 240;

/// WONT or DONT with the option.
static NAMED: Slot = Slot { name: "option", mark: "fc oo | fe oo", needs: "the device named the option, by DO or WILL", secret: false };

static REFUSAL: [Part; 2] = [
    bytes(&[IAC], "telnet.command", "a command: no text ever leaves"),
    granted(&NAMED, "telnet.option", "WONT for DO, DONT for WILL, of an option that the device named"),
];

static ROWS: [Row; 2] = [
    greeting("telnet.greeting", "the text up to where it asks for a name"),
    Row {
        question: "telnet.refusal",
        asks: "nothing: refuses an option",
        needs: Some(&REPLY),
        parts: &REFUSAL,
        times_max: REFUSALS_MAX,
        rises: None,
        goodbye: false,
    },
];

/// The row of read-only.md.
pub static TABLE: Table = Table {
    protocol: "telnet",
    port: "TCP 23",
    rows: &ROWS,
    messages_max: REFUSALS_MAX,
    hold_s_max: GREETING_HOLD_S_MAX,
    order: &[],
    caps: CAPS,
};

/// The grant, for one connection.
pub(super) fn grant() -> Grant {
    Grant::new(&TABLE, String::new()).with(&REPLY, Vec::new()).in_session(Arc::new(Options::default()))
}

/// What the device named, and what of it was refused.
#[derive(Default)]
struct Options(Mutex<Heard>);

#[derive(Default)]
struct Heard {
    place: Place,
    named: Vec<[u8; 2]>,
    refused: Vec<Vec<u8>>,
}

/// Where in the device's stream we are (RFC 854, 855).
#[derive(Clone, Copy, Default, PartialEq, Eq)]
enum Place {
    #[default]
    Text,
    Command,
    Option(u8),
    Subnegotiation,
    CommandWithin,
}

impl Heard {
    fn take(&mut self, byte: u8) {
        self.place = match (self.place, byte) {
            (Place::Text, IAC) => Place::Command,
            (Place::Command, WILL..=DONT) => Place::Option(byte),
            (Place::Command, SUBNEGOTIATION) | (Place::CommandWithin, IAC) => Place::Subnegotiation,
            (Place::Subnegotiation, IAC) => Place::CommandWithin,
            (Place::Subnegotiation, _) => Place::Subnegotiation,
            (Place::CommandWithin, SUBNEGOTIATION_END) => Place::Text,
            // Whatever that is, it is not the end.
            (Place::CommandWithin, _) => Place::Subnegotiation,
            (Place::Option(verb), option) => {
                self.name(verb, option);
                Place::Text
            }
            (Place::Text | Place::Command, _) => Place::Text,
        };
    }

    fn name(&mut self, verb: u8, option: u8) {
        let refusal = match verb {
            DO => [WONT, option],
            WILL => [DONT, option],
            _ => return,
        };
        if self.named.len() < usize::from(REFUSALS_MAX) && !self.named.contains(&refusal) {
            self.named.push(refusal);
        }
    }
}

impl Session for Options {
    fn seal(&self, plain: &[u8], _: u64) -> Result<Vec<u8>, &'static str> {
        let mut heard = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if heard.refused.iter().any(|refused| refused == plain) {
            return Err("this option was refused before, and saying it twice could go on for ever");
        }
        heard.refused.push(plain.to_vec());
        Ok(plain.to_vec())
    }

    fn learn(&self, message: &[u8]) -> Vec<(&'static Slot, Vec<u8>)> {
        let mut heard = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        message.iter().for_each(|byte| heard.take(*byte));
        heard.named.iter().map(|named| (&NAMED, named.to_vec())).collect()
    }

    fn learned_max(&self) -> usize {
        usize::from(REFUSALS_MAX)
    }
}
