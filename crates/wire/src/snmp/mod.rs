//! SNMP v1, v2c and v3: what an agent says about the box that it runs in.
//!
//! Sources: RFC 1157 (v1, its traps), RFC 3416 (PDUs), RFC 3412 and 3414 (v3 messages, USM), RFC 3411 (engine ids), RFC 3418 (system
//! group), RFC 6933 (ENTITY-MIB), RFC 1628 (UPS-MIB), IEEE 802.1AB (LLDP-MIB, local system), RFC 3805 (serial number of a printer); X.690
//! for BER, of which SNMP uses definite lengths and primitive strings only (RFC 3417, 8).
//!
//! An answer counts for the agent that sent it; a trap for the agent that it names. A manager that confirms an inform repeats what the
//! agent said, and an answer with an error repeats the question: neither says anything of its own. The community is a secret and is no
//! fact, but it stands in the messages that are kept.

mod answer;
mod conversation;
mod message;
mod name;
mod object;
mod question;
mod secured;

use crate::conversation::{Likeness, Over, Protocol};
use conversation::Talk;

pub use answer::{Answer, length};
pub use name::Oid;
pub use question::{COLUMNS, OBJECTS_MAX, Question, ROWS_MAX, Version, request_id};
pub use secured::Secured;

/// Over TCP (RFC 3430) nobody speaks it, and over DTLS it is encrypted.
pub static PROTOCOL: Protocol =
    Protocol { name: NAME, carries: &[], tcp: &[], udp: &[PORT, PORT_TRAPS], link: &[], likeness, start: |_| Box::new(Talk::default()) };

const NAME: &str = "snmp";
/// Where an agent is asked.
pub const PORT: u16 = 161;
const PORT_TRAPS: u16 = 162;

/// Lengths in lengths that end together, a version and a PDU between them. On its own ports a message may be cut, or have bytes behind it.
fn likeness(bytes: &[u8], _over: Over) -> Likeness {
    match message::Message::read(bytes) {
        Ok(message) if message.whole && message.fits && message.length == bytes.len() => Likeness::Certain,
        Ok(message) if message.fits || !message.whole => Likeness::Possible,
        Err(_) if message::is_cut(bytes) => Likeness::Possible,
        _ => Likeness::No,
    }
}

#[cfg(test)]
mod tests;
