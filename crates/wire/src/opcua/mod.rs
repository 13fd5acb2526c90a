//! OPC UA, binary over TCP: what applications say of themselves in discovery and sessions, and the nameplates that clients read.
//!
//! Sources: OPC 10000-6 (1.05) clauses 5.2 (binary encoding), 6.7 (secure conversation), 7.1 (connection protocol); OPC 10000-4 clauses
//! 5.5 (discovery), 5.7 (sessions), 5.9 (browse), 5.11 (read), 7 (parameter types); OPC 10000-5 6.3 (server object) and 12.4 (BuildInfo);
//! OPC 10000-100 4.5 (DI nameplate). Numbers of nodes and types: the foundation's NodeIds.csv.
//!
//! Only what is sent in the clear is read; of a secured channel its policy is told.

mod answer;
mod application;
mod builtin;
mod conversation;
mod nodes;
mod question;

pub use self::answer::{Answer, Named, Part, length, said};
pub use self::application::{Endpoint, UserPolicy};
pub use self::question::{CLIENT_URI, Line, POLICY_NONE, Question, SESSION_MS, Token};
use crate::Malformed;
use crate::conversation::{Likeness, Protocol};

/// Its port.
pub const PORT: u16 = 4840;

/// OPC UA. Its messages start with a word of four letters and a size, so they are known on any port.
pub static PROTOCOL: Protocol = Protocol {
    name: NAME,
    carries: &[],
    tcp: &[PORT],
    udp: &[],
    link: &[],
    likeness: |bytes, _| match Chunk::read(bytes) {
        Ok(Some(_)) => Likeness::Certain,
        Ok(None) => Likeness::Possible,
        Err(_) => Likeness::No,
    },
    start: |_| Box::<conversation::Connection>::default(),
};

const NAME: &str = "opcua";
/// Message type (3), chunk type (1), size (4): 7.1.2.2.
const HEADER_BYTES: usize = 8;
/// Largest chunk that is believed. Buffers are negotiated, 64 KiB as a rule; some stacks offer megabytes.
const CHUNK_BYTES_MAX: usize = 16 << 20;

/// The kinds of message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Hello,
    Acknowledge,
    Error,
    ReverseHello,
    Open,
    Message,
    Close,
}

/// The header of a chunk: what it is, whether more follow, its size in bytes with this header.
#[derive(Clone, Copy, Debug)]
struct Chunk {
    kind: Kind,
    last: u8,
    size: usize,
}

impl Chunk {
    /// Reads a header; `None` while it is not whole.
    fn read(bytes: &[u8]) -> Result<Option<Self>, Malformed> {
        const KINDS: [(&[u8; 3], Kind); 7] = [
            (b"MSG", Kind::Message),
            (b"OPN", Kind::Open),
            (b"CLO", Kind::Close),
            (b"HEL", Kind::Hello),
            (b"ACK", Kind::Acknowledge),
            (b"ERR", Kind::Error),
            (b"RHE", Kind::ReverseHello),
        ];
        let word = bytes.get(..3).unwrap_or(bytes);
        let Some((_, kind)) = KINDS.iter().find(|(name, _)| name.starts_with(word)) else {
            return Err(Malformed::wrong(NAME, 0, "message type is HEL, ACK, ERR, RHE, OPN, MSG or CLO (7.1.2.2)"));
        };
        let only_last = *kind != Kind::Message;
        if bytes.get(3).is_some_and(|last| !(*last == b'F' || (!only_last && matches!(last, b'C' | b'A')))) {
            return Err(Malformed::wrong(NAME, 3, "chunk type is F, C or A (6.7.2.2)"));
        }
        let Some(&[_, _, _, last, s0, s1, s2, s3]) = bytes.first_chunk::<HEADER_BYTES>() else { return Ok(None) };
        let size = u32::from_le_bytes([s0, s1, s2, s3]) as usize;
        if !(HEADER_BYTES..=CHUNK_BYTES_MAX).contains(&size) {
            return Err(Malformed::wrong(NAME, 4, "message size counts its header (7.1.2.2)"));
        }
        Ok(Some(Self { kind: *kind, last, size }))
    }
}

#[cfg(test)]
mod tests;
