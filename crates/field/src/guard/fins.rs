//! What may leave as FINS: read-only.md section 2, row "Omron FINS", as data.
//!
//! Layouts: OMRON W421-E1-04, 7-4-2 and 7-4-3 (FINS/TCP envelope, node addresses); W227-E1-2, 2-1 (header) and 3-14 (CONTROLLER DATA READ). Local
//! network, CPU unit; no other command, and no broadcast node.

use super::{
    Refused,
    permit::{Grant, HOLD_S_MAX},
    table::{Part, Row, Slot, Table, Width, any, bytes, count, granted},
};

/// A node has an address from 1 to this; 255 is all of them.
pub const NODE_LAST: u8 = 254;

/// How a controller may be asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fins {
    /// Over TCP, where the controller says which node address is ours.
    Tcp,
    /// Over UDP, with a node address that the plant keeps free for us: the controller remembers it together with our network address, so that of
    /// another station would redirect the answers meant for it (H17).
    Udp {
        /// Our node address, 1 to [`NODE_LAST`].
        node: u8,
    },
}

impl Fins {
    /// The grant.
    ///
    /// # Errors
    /// [`Refused`] by `permit.node`.
    pub fn grant(&self) -> Result<Grant, Refused> {
        let grant = Grant::new(&TABLE, String::new());
        match *self {
            Self::Tcp => Ok(grant.with(&NODE_GIVEN, [])),
            Self::Udp { node: node @ 1..=NODE_LAST } => Ok(grant.with(&NODE, [node])),
            Self::Udp { node } => Err(Refused::before_any_byte("permit.node", format!("node {node}; a node address is 1 to {NODE_LAST}"))),
        }
    }
}

static NODE_GIVEN: Slot = Slot { name: "node_given", mark: "", needs: "over TCP", secret: false };
static NODE: Slot = Slot { name: "node", mark: "no", needs: "over UDP, with a node address that the plant assigned", secret: false };

const MAGIC: Part = bytes(b"FINS", "fins.magic", "FINS");
const LENGTH: Part = count(Width::Four, 2, "fins.length", "length of what follows");
const ERROR: Part = bytes(&[0; 4], "fins.error", "error 0");
/// Behind it stand our node and what follows.
const TO_CPU: Part = bytes(&[0], "fins.unit", "unit 0: the CPU");
const COMMAND_FRAME: Part = bytes(&[0x80, 0x00, 0x02], "fins.header", "a command that wants an answer, over two gateways at most");
const LOCAL: Part = bytes(&[0], "fins.network", "network 0: the local one");
const FROM_HOST: Part = bytes(&[0], "fins.unit", "our unit: 0");
const SERVICE: Part = any(1, "fins.service", "service id, free");
const COMMAND: Part = bytes(&[0x05, 0x01], "fins.command", "command 05 01: CONTROLLER DATA READ");
const PARAMETER: Part = bytes(&[0], "fins.parameter", "model, versions and areas");

static NODE_ADDRESS: [Part; 5] = [
    MAGIC,
    LENGTH,
    bytes(&[0; 4], "fins.envelope", "command 0: which node address do we have"),
    ERROR,
    bytes(&[0; 4], "fins.own_node", "our node address: to be given"),
];
static CONTROLLER_TCP: [Part; 14] = [
    MAGIC,
    LENGTH,
    bytes(&[0, 0, 0, 2], "fins.envelope", "command 2: a FINS frame"),
    ERROR,
    COMMAND_FRAME,
    LOCAL,
    any(1, "fins.node", "the controller's node address, as it told"),
    TO_CPU,
    LOCAL,
    any(1, "fins.own_node", "our node address, as the controller gave it"),
    FROM_HOST,
    SERVICE,
    COMMAND,
    PARAMETER,
];
static CONTROLLER_UDP: [Part; 10] = [
    COMMAND_FRAME,
    LOCAL,
    bytes(&[0], "fins.node", "node 0: whoever has the network address"),
    TO_CPU,
    LOCAL,
    granted(&NODE, "fins.own_node", "our node address, as the plant assigned it"),
    FROM_HOST,
    SERVICE,
    COMMAND,
    PARAMETER,
];

const fn row(question: &'static str, asks: &'static str, parts: &'static [Part], needs: Option<&'static Slot>) -> Row {
    Row { question, asks, needs, parts, times_max: 1, rises: None, goodbye: false }
}

static ROWS: [Row; 3] = [
    row("fins.node_address", "which node addresses we and the controller have", &NODE_ADDRESS, Some(&NODE_GIVEN)),
    row("fins.controller", "model and versions of the controller", &CONTROLLER_TCP, Some(&NODE_GIVEN)),
    row("fins.controller", "model and versions of the controller", &CONTROLLER_UDP, None),
];

/// The row of read-only.md.
pub static TABLE: Table = Table {
    protocol: "fins",
    port: "TCP 9600, UDP 9600",
    rows: &ROWS,
    messages_max: 2,
    hold_s_max: HOLD_S_MAX,
    order: &[],
    caps: "2 messages and 10 s a connection; over UDP 1, with a node address that the plant assigned",
};

#[cfg(test)]
mod tests;
