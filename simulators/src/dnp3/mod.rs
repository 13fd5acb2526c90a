//! A DNP3 outstation: its device attributes (group 0). IEEE 1815-2012, clauses 4 (application layer), 8 (transport function), 9 (link
//! layer), and annex A, A.2 (group 0), A.23.11 and A.24 (attribute types).

mod link;
mod talk;

use std::collections::BTreeMap;
use std::time::Duration;

use crate::fault::More;
use crate::numbers::stated8;

/// A DNP3 outstation.
pub type Device = crate::device::Device<Persona>;

const PORT: u16 = 20_000;

/// An attribute's value (A.2; types: 1 text, 2 unsigned, 3 signed, 5 octets).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value {
    /// A visible string.
    Text(Vec<u8>),
    /// An unsigned number of one, two or four bytes.
    Unsigned(u32),
    /// Octets.
    Octets(Vec<u8>),
}

/// How the header before an attribute is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Header {
    /// Qualifier 00: start 0, stop 0.
    #[default]
    StartStop,
    /// Qualifier 17: a count of one, and the index 0 before the value.
    CountIndex,
}

/// An outstation as data.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Persona {
    /// Its link address.
    pub address: u16,
    /// The master's that it is configured for. Another one is not answered, and trips (H4).
    pub master: u16,
    /// Its attributes by variation; none at all, and group 0 is unknown to it.
    pub attributes: BTreeMap<u8, Value>,
    /// How it writes them.
    pub header: Header,
    /// Internal indications of every answer: IIN1, IIN2 (4.5).
    pub indications: (u8, u8),
    /// Whether it reads variation 254, all at once.
    pub knows_all_at_once: bool,
    /// Whether it takes several headers in one request; else that is a parameter error.
    pub takes_many_headers: bool,
    /// The longest fragment of an answer; a longer answer is cut between attributes, and what follows waits for a confirmation.
    pub fragment_bytes: usize,
    /// A NULL unsolicited answer as soon as the connection stands, and what it means for those who ask.
    pub unsolicited: Option<Unsolicited>,
    /// It asks for the state of the link as soon as the connection stands.
    pub asks_link_state: bool,
    /// Fragments that never end.
    pub endless: Option<More>,
}

/// What an outstation does after its NULL unsolicited answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Unsolicited {
    /// So long it is silent unless its answer is confirmed: its confirmation time-out.
    pub silent: Duration,
    /// The owner agreed to one confirmation; without it that trips.
    pub consents_to_confirm: bool,
}

impl Persona {
    /// An outstation 10 for master 1 that follows the standard, with these texts by variation.
    pub fn new(texts: impl IntoIterator<Item = (u8, Vec<u8>)>) -> Self {
        Self {
            address: 10,
            master: 1,
            attributes: texts.into_iter().map(|(variation, text)| (variation, Value::Text(text))).collect(),
            header: Header::default(),
            indications: (0, 0),
            knows_all_at_once: true,
            takes_many_headers: true,
            fragment_bytes: 2048,
            unsolicited: None,
            asks_link_state: false,
            endless: None,
        }
    }

    /// One attribute as it stands in an answer: object header, type, length, value.
    fn object(&self, variation: u8, value: &Value) -> Vec<u8> {
        let (kind, bytes) = match value {
            Value::Text(text) => (1, text.clone()),
            Value::Octets(octets) => (5, octets.clone()),
            Value::Unsigned(number) => match u16::try_from(*number) {
                Ok(number) if number < 256 => (2, vec![number.to_le_bytes()[0]]),
                Ok(number) => (2, number.to_le_bytes().to_vec()),
                Err(_) => (2, number.to_le_bytes().to_vec()),
            },
        };
        let bytes = bytes.get(..usize::from(u8::MAX)).unwrap_or(&bytes);
        let head: &[u8] = match self.header {
            Header::StartStop => &[0x00, 0, 0],
            Header::CountIndex => &[0x17, 1, 0],
        };
        [&[0, variation], head, &[kind, stated8(bytes.len())], bytes].concat()
    }
}

#[cfg(test)]
mod tests;
