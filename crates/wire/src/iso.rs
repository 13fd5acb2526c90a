//! ISO transport on TCP port 102, and which of the protocols above it is spoken: S7comm, S7comm-plus, MMS.
//!
//! Sources: RFC 1006 (1987), clause 6 (the packet); RFC 2126 (1997); ISO 8073 / ITU-T X.224 (1995), clause 13 (TPDUs), class 0.
//! A message that was sent in several DT TPDUs is kept as one packet with their contents joined behind the first one's header form:
//! what a reader of the record needs is the message, and the joints say nothing about the device.

mod packet;

use crate::conversation::{Conversation, Coverage, End, Heard, Likeness, Over, Protocol, Role, Said};
use crate::tcp::At;
use crate::{Address, Cutter, Malformed, mms, s7comm, s7comm_plus};
pub use packet::{PACKET_BYTES_MAX, Packet, SELECTOR_BYTES_MAX, called_of, connection_request, content, packet_bytes, tpdu_bytes};

/// ISO transport and what it carries.
pub static PROTOCOL: Protocol = Protocol {
    name: NAME,
    carries: &[s7comm::NAME, s7comm_plus::NAME, mms::NAME],
    tcp: &[102],
    udp: &[],
    link: &[],
    likeness,
    start: |_| Box::new(Connection::default()),
};

const NAME: &str = "iso";
/// Version of the packet format. RFC 1006, clause 6.
const VERSION: u8 = 3;
/// Header of a packet and the smallest TPDU in it. RFC 1006, clause 6.
const PACKET_BYTES_MIN: usize = 7;
/// Offset of a TPDU's length indicator, which does not count itself; its code follows.
const LENGTH_AT: usize = 4;
/// Header of a class 0 DT TPDU (X.224, 13.7) behind that of the packet.
const DATA_AT: usize = 7;
/// Joined data: what one packet could have promised, so that the joined message is one, too.
const TSDU_BYTES_MAX: usize = u16::MAX as usize - DATA_AT;
/// TPDU codes without their credit bits. X.224, table 8.
const CONNECTION_REQUEST: u8 = 0xe0;
const CONNECTION_CONFIRM: u8 = 0xd0;
const DATA: u8 = 0xf0;
/// ED, EA, UD, RJ, AK, ER, DR, DC: the others of table 8.
const OTHERS: [u8; 8] = [0x10, 0x20, 0x40, 0x50, 0x60, 0x70, 0x80, 0xc0];
/// "End of TSDU" in a DT TPDU. X.224, 13.7.3.
const LAST_BIT: u8 = 0x80;
/// Calling and called transport selectors. X.224, 13.3.4.
const CALLING: u8 = 0xc1;
const CALLED: u8 = 0xc2;
/// Offset of the variable part in CR and CC: behind references and class.
const PARAMETERS_AT: usize = 11;

/// What the layers above see of a connection's ends.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Ends {
    ends: [End; 2],
    /// Whether the called side is the server's, and the selector by which it was called where that has two bytes.
    called: Option<(bool, [u8; 2])>,
}

/// One message of a layer above.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Tsdu<'a> {
    /// The whole packet; what is recorded.
    pub message: &'a [u8],
    /// Where the layer's own bytes start in it.
    pub data: usize,
    /// Who sent it.
    pub by_server: bool,
    /// When it was whole.
    pub at: At,
    /// True where the capture has only a part of it.
    pub cut: bool,
    /// The connection's ends.
    pub ends: &'a Ends,
}

impl Tsdu<'_> {
    /// The layer's own bytes.
    pub fn body(&self) -> &[u8] {
        self.message.get(self.data..).unwrap_or_default()
    }

    /// Where the sender is; `far` for the other side.
    pub fn end(&self, far: bool) -> Address {
        (&self.ends.ends[usize::from(self.by_server != far)]).into()
    }

    /// As [`Tsdu::end`], with rack and slot where it was called by an S7 selector: connection type, then rack (3 bits) and slot (5).
    pub fn s7_end(&self, far: bool) -> Address {
        let address = self.end(far);
        match self.ends.called {
            Some((by_server, [_, place])) if by_server == (self.by_server != far) => {
                Address { rack: Some(place >> 5), slot: Some(u16::from(place & 0x1f)), ..address }
            }
            _ => address,
        }
    }

    /// Says once in a connection that the sender answers and the other side asks.
    pub fn present(&self, protocol: &'static str, speaker: Address, listener: Address, out: &mut dyn FnMut(Heard)) {
        for (role, speaker) in [(Role::Server, speaker), (Role::Client, listener)] {
            out(Heard::Present { protocol, role, speaker, at: self.at });
        }
    }
}

#[derive(Debug, Default)]
struct Connection {
    cutters: [Cutter; 2],
    /// Contents of DT TPDUs whose last is not here yet.
    joined: [Vec<u8>; 2],
    ends: Ends,
    coverage: Coverage,
    s7: s7comm::Talk,
    s7_plus: s7comm_plus::Talk,
    mms: mms::Association,
}

impl Conversation for Connection {
    fn hear(&mut self, said: &Said<'_>, out: &mut dyn FnMut(Heard)) {
        let side = usize::from(said.by_server);
        (self.ends.ends[side], self.ends.ends[1 - side]) = (*said.from, *said.to);
        let mut cutter = core::mem::take(&mut self.cutters[side]);
        let malformed = cutter.messages(said.bytes, length, &mut |packet| self.packet(packet, said.by_server, said.at, false, out));
        self.cutters[side] = cutter;
        if let Some(malformed) = malformed {
            self.coverage.seen += 1;
            out(Heard::Malformed { speaker: said.speaker(), at: said.at, malformed });
        }
    }

    fn lose(&mut self, by_server: bool, at: At, out: &mut dyn FnMut(Heard)) {
        let side = usize::from(by_server);
        let cut = self.cutters[side].lose();
        if cut.len() > DATA_AT {
            self.packet(&cut, by_server, at, true, out);
        }
        self.joined[side] = Vec::new();
        self.s7.lose(by_server, out);
    }

    fn finish(&mut self, at: At, out: &mut dyn FnMut(Heard)) {
        self.lose(false, at, out);
        self.lose(true, at, out);
    }

    fn coverage(&self, each: &mut dyn FnMut(&'static str, Coverage)) {
        let above = [(s7comm::NAME, self.s7.coverage), (s7comm_plus::NAME, self.s7_plus.coverage), (mms::NAME, self.mms.coverage)];
        each(NAME, self.coverage);
        above.into_iter().filter(|(_, coverage)| coverage.seen > 0).for_each(|(name, coverage)| each(name, coverage));
    }
}

impl Connection {
    fn packet(&mut self, packet: &[u8], by_server: bool, at: At, cut: bool, out: &mut dyn FnMut(Heard)) {
        self.coverage.seen += 1;
        let Some(&[li, code, third]) = packet.get(LENGTH_AT..).and_then(<[u8]>::first_chunk) else { return };
        let data = LENGTH_AT + 1 + usize::from(li);
        match code & 0xf0 {
            DATA if li >= 2 => {
                self.coverage.decoded += 1;
                self.data(packet, data, third & LAST_BIT != 0, (by_server, at, cut), out);
            }
            CONNECTION_REQUEST | CONNECTION_CONFIRM => {
                self.coverage.decoded += 1;
                if let (CONNECTION_REQUEST, Some(called)) = (code & 0xf0, selector(packet, CALLED)) {
                    self.ends.called = called.try_into().ok().map(|called| (!by_server, called));
                }
            }
            other => self.coverage.decoded += u64::from(OTHERS.contains(&other)),
        }
    }

    fn data(&mut self, packet: &[u8], data: usize, last: bool, (by_server, at, cut): (bool, At, bool), out: &mut dyn FnMut(Heard)) {
        let joined = &mut self.joined[usize::from(by_server)];
        if joined.is_empty() && last {
            return self.tsdu(&Tsdu { message: packet, data, by_server, at, cut, ends: &self.ends.clone() }, out);
        }
        let more = packet.get(data..).unwrap_or_default();
        if joined.len() + more.len() > TSDU_BYTES_MAX {
            *joined = Vec::new();
            let malformed = Malformed::wrong("cotp", LENGTH_AT, "a message of at most 64 KiB is put together (X.224, 13.7.3)");
            let speaker = (&self.ends.ends[usize::from(by_server)]).into();
            return out(Heard::Malformed { speaker, at, malformed });
        }
        joined.extend_from_slice(more);
        if last || cut {
            let whole = core::mem::take(joined);
            let [upper, lower] = u16::try_from(whole.len() + DATA_AT).unwrap_or(u16::MAX).to_be_bytes();
            let mut message = vec![VERSION, 0, upper, lower, 2, DATA, LAST_BIT];
            message.extend_from_slice(&whole);
            self.tsdu(&Tsdu { message: &message, data: DATA_AT, by_server, at, cut, ends: &self.ends.clone() }, out);
        }
    }

    fn tsdu(&mut self, tsdu: &Tsdu<'_>, out: &mut dyn FnMut(Heard)) {
        match tsdu.body().first() {
            Some(&s7comm::PROTOCOL_ID) => self.s7.hear(tsdu, out),
            Some(&s7comm_plus::PROTOCOL_ID) => self.s7_plus.hear(tsdu, out),
            Some(_) => self.mms.hear(tsdu, out),
            None => {}
        }
    }
}

/// Where the data stand in a packet.
pub(crate) fn data_at(packet: &[u8]) -> Option<usize> {
    packet.get(LENGTH_AT).map(|li| LENGTH_AT + 1 + usize::from(*li))
}

/// How long the packet is that starts here.
fn length(bytes: &[u8]) -> Result<Option<usize>, Malformed> {
    if bytes.first().is_some_and(|b| *b != VERSION) || bytes.get(1).is_some_and(|b| *b != 0) {
        return Err(Malformed::wrong("tpkt", 0, "version 3 and a reserved byte of 0 (RFC 1006, 6)"));
    }
    let Some(&[_, _, upper, lower]) = bytes.first_chunk() else { return Ok(None) };
    match usize::from(u16::from_be_bytes([upper, lower])) {
        short @ 0..PACKET_BYTES_MIN => Err(Malformed::short("tpkt", 2, PACKET_BYTES_MIN, short, "length of a packet (RFC 1006, 6)")),
        length => Ok(Some(length)),
    }
}

/// A parameter of a CR or CC; `None` where it has none, or where its parameters do not fill it exactly.
fn selector(packet: &[u8], wanted: u8) -> Option<&[u8]> {
    let mut found = None;
    let mut rest = packet.get(PARAMETERS_AT..)?;
    while let [code, length, more @ ..] = rest {
        let value = more.get(..usize::from(*length))?;
        if *code == wanted {
            found = Some(value);
        }
        rest = &more[value.len()..];
    }
    found.filter(|_| rest.is_empty() && packet.get(LENGTH_AT).is_some_and(|li| LENGTH_AT + 1 + usize::from(*li) == packet.len()))
}

/// RDP and H.323 have the same packets: certain is only what they do not send.
fn likeness(bytes: &[u8], _: Over) -> Likeness {
    let packet = match length(bytes) {
        Ok(Some(length)) => bytes.get(..length).unwrap_or(bytes),
        Ok(None) => return Likeness::Possible,
        Err(_) => return Likeness::No,
    };
    let whole = length(bytes) == Ok(Some(packet.len()));
    let code = packet.get(LENGTH_AT + 1).map(|code| code & 0xf0);
    match code {
        Some(CONNECTION_REQUEST | CONNECTION_CONFIRM)
            if whole && selector(packet, CALLING).is_some() && selector(packet, CALLED).is_some() =>
        {
            Likeness::Certain
        }
        Some(DATA) if whole && packet.get(LENGTH_AT..DATA_AT) == Some(&[2, DATA, LAST_BIT]) => {
            let body = &packet[DATA_AT..];
            let certain = s7comm::is_surely(body) || s7comm_plus::is_surely(body) || mms::is_surely(body);
            if certain { Likeness::Certain } else { Likeness::Possible }
        }
        Some(CONNECTION_REQUEST | CONNECTION_CONFIRM | DATA) | None => Likeness::Possible,
        Some(other) if OTHERS.contains(&other) => Likeness::Possible,
        Some(_) => Likeness::No,
    }
}

#[cfg(test)]
pub(crate) mod tests;
