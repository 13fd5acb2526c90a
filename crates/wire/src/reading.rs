//! What every protocol's decoder returns: a reading, that is the facts of one identity answer and the bytes they stand in.

use core::fmt;
use core::net::IpAddr;

use crate::Malformed;

/// An Ethernet hardware address (IEEE 802, EUI-48).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Mac(pub [u8; 6]);

impl fmt::Display for Mac {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [a, b, c, d, e, g] = self.0;
        write!(f, "{a:02x}:{b:02x}:{c:02x}:{d:02x}:{e:02x}:{g:02x}")
    }
}

/// Whatever identifies a speaker on the wire. Absent parts were not in the bytes. Behind a router `mac` is the router's.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Address {
    /// Source hardware address of the frame that spoke.
    pub mac: Option<Mac>,
    /// Source network address.
    pub ip: Option<IpAddr>,
    /// The server's transport port.
    pub port: Option<u16>,
    /// Modbus unit identifier.
    pub unit: Option<u8>,
}

/// One message of an answer: its whole transport payload, so that anyone can decode it again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// Frame that completed the message, from 1 as Wireshark counts; 0 for a live answer.
    pub frame: u64,
    /// When it was complete, in nanoseconds since 1970-01-01T00:00:00Z.
    pub time_ns: u64,
    /// The bytes as they were sent, headers of the application protocol included; cut where the capture cut them.
    pub bytes: Vec<u8>,
}

/// Something a decoder read, and where it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fact {
    /// The fact's name, lower case and dotted: `modbus.object.2`, `modbus.server_id`.
    pub path: String,
    /// The value's bytes as the device sent them.
    pub bytes: Vec<u8>,
    /// Index into [`Reading::messages`].
    pub message: usize,
    /// Offset of the value's first byte in that message.
    pub offset: usize,
}

/// One reading of one speaker: the answer to one question, over as many messages as it took.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reading {
    /// The protocol's name as in docs/GLOSSARY: `modbus`.
    pub protocol: &'static str,
    /// The question that this answers: `modbus.identification.regular`, `modbus.server_id`, ...
    pub question: &'static str,
    /// Who answered.
    pub speaker: Address,
    /// The answer's messages in the order in which they were sent.
    pub messages: Vec<Message>,
    /// What was read. Only values whose every byte was there.
    pub facts: Vec<Fact>,
    /// What could not be read, with the index of the message it stands in.
    pub malformed: Vec<(usize, Malformed)>,
    /// True when the device said that this is all; false when pages or bytes are missing.
    pub complete: bool,
}
