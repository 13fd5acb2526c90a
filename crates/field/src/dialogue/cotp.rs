//! A transport connection of class 0, as S7 and MMS are carried by it: what a packet is, and parts put together. X.224, 6.3 (segmenting), 6.5
//! (connecting), 13.

use nameplate_wire::Malformed;
use nameplate_wire::iso::Packet;

use super::Take;

/// Reference of the connection request.
pub const CALL: u16 = 1;

/// What a packet brought.
pub enum Came {
    /// The connection stands.
    Confirmed,
    /// It does not, or it is taken back.
    Refused,
    /// A whole message.
    Message(Vec<u8>),
    /// Nothing to act upon.
    Nothing(Take),
}

/// A connection's messages on the way.
#[derive(Debug)]
pub struct Parts {
    joined: Vec<u8>,
    bytes_max: usize,
}

impl Parts {
    /// No message of it is longer than this.
    pub const fn new(bytes_max: usize) -> Self {
        Self { joined: Vec::new(), bytes_max }
    }

    /// Takes one packet. `is_called` says that the connection request is out.
    pub fn take(&mut self, packet: &[u8], is_called: bool) -> Came {
        let stray = |at, why| Came::Nothing(Take::Stray(Malformed::wrong("cotp", at, why)));
        match Packet::read(packet) {
            Err(malformed) => Came::Nothing(Take::Stray(malformed)),
            Ok(Packet::Confirm { to: CALL }) if is_called => Came::Confirmed,
            // Or it takes back what it had confirmed.
            Ok(Packet::Refusal { to: CALL }) => Came::Refused,
            Ok(Packet::Confirm { .. } | Packet::Refusal { .. }) => {
                stray(6, "reference of the connection request that waits (X.224, 13.4.3)")
            }
            Ok(Packet::Content { .. }) if is_called => stray(5, "a confirmation comes first (X.224, 6.5)"),
            Ok(Packet::Content { last, body }) => {
                self.joined.extend_from_slice(body);
                if self.joined.len() > self.bytes_max {
                    return Came::Nothing(Take::Hostile("a message of it never ends"));
                }
                if last { Came::Message(std::mem::take(&mut self.joined)) } else { Came::Nothing(Take::More) }
            }
        }
    }
}
