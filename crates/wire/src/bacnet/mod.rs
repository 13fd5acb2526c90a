//! BACnet: who is there, and what the device object says about itself.
//!
//! Sources: ANSI/ASHRAE 135-2020, clauses 6.2 (NPDU), 9.3 (MS/TP frames), 15.5 and 15.7 (ReadProperty, ReadPropertyMultiple), 16.9 and 16.10
//! (I-Have, I-Am), 20.1 (APDU), 20.2 (tags), 21 (codes), annexes J (BACnet/IP), U (BACnet/IPv6) and G (checks of MS/TP);
//! Cimetrics' frames of captured MS/TP and LINKTYPE_ARCNET as tcpdump.org and the Wireshark documentation describe them.
//!
//! The object identifier in an answer says which device it is; instance 4194303 stands for any device and is nobody's name.

mod conversation;
mod frame;
mod question;
mod service;
mod speaker;

use crate::conversation::{Kind, Likeness, Over, Protocol};
use conversation::Talk;
pub use question::{Answer, Question, Route};

/// Everything over which ASHRAE 135 sends NPDUs and that captures show, but for BACnet/SC, which is encrypted.
pub static PROTOCOL: Protocol = Protocol {
    name: NAME,
    carries: &[],
    tcp: &[],
    udp: &PORTS,
    link: &[
        Kind::Llc(LLC_BACNET),
        Kind::Snap(CIMETRICS, CIMETRICS_MSTP),
        Kind::Bus(BUS_MSTP),
        Kind::Bus(BUS_ARCNET),
        Kind::Bus(BUS_ARCNET_LINUX),
    ],
    likeness,
    start: |over| Box::new(Talk::new(over)),
};

const NAME: &str = "bacnet";
/// The registered port, 0xBAC0. Annex J.1.
pub const PORT: u16 = 47808;
/// With the further ones that sites take for a second network on the same wire.
const PORTS: [u16; 16] = [PORT, 47809, 47810, 47811, 47812, 47813, 47814, 47815, 47816, 47817, 47818, 47819, 47820, 47821, 47822, 47823];
/// The service access point of BACnet on ISO 8802-3. Clause 7.
const LLC_BACNET: u8 = 0x82;
/// Cimetrics' frames of what its MS/TP tool heard, in Ethernet.
const CIMETRICS: [u8; 3] = [0x00, 0x10, 0x90];
const CIMETRICS_MSTP: u16 = 1;
/// LINKTYPE_BACNET_MS_TP, LINKTYPE_ARCNET_BSD, LINKTYPE_ARCNET_LINUX.
const BUS_MSTP: u32 = 165;
const BUS_ARCNET: u32 = 7;
const BUS_ARCNET_LINUX: u32 = 129;

/// Magic, function, length, and behind them the start of an NPDU have to agree.
fn likeness(bytes: &[u8], over: Over) -> Likeness {
    if over != Over::Udp {
        return Likeness::Possible;
    }
    match frame::bvlc(bytes) {
        Ok(bvlc) if bvlc.carries && bvlc.whole && bytes.len() == bvlc.length => match frame::npdu(bvlc.rest) {
            Ok(npdu) if !npdu.content.is_empty() => Likeness::Certain,
            _ => Likeness::No,
        },
        Ok(bvlc) if bytes.len() <= bvlc.length => Likeness::Possible,
        _ => Likeness::No,
    }
}

#[cfg(test)]
mod tests;
